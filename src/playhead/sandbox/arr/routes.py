"""The routes that both programs have alike: status, roots, holders, files, history, naming, rename previews, tags, health.

Source: recorded answers; what is not recorded stands in no route.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from playhead.sandbox.arr.history import Record, write_time
from playhead.sandbox.arr.library import Library
from playhead.sandbox.arr.shelf import File, Holder
from playhead.sandbox.arr.web import Call, Fail, Reply, Route, failed, invalid, problem, refused
from playhead.sandbox.times import to_epoch

API = "/api/v3"


class Reads:
    """Answers from the library, and the small writes beside it."""

    def __init__(self, library: Library, started: float) -> None:
        self._library = library
        self._dialect = library.dialect
        self._shelf = library.shelf
        self._started = started
        self._word = f"{library.dialect.holder}Id"
        self._files = library.dialect.file
        self.health: list[dict[str, Any]] = []

    def routes(self) -> list[Route]:
        """All of them."""
        holder, file = f"{API}/{self._dialect.holder}", f"{API}/{self._files}"
        return [
            Route("GET", "/ping", lambda _: Reply({"status": "OK"}), open=True),
            Route("GET", "/api", lambda _: Reply({"current": "v3", "deprecated": []})),
            Route("GET", f"{API}/system/status", lambda _: Reply(self._dialect.write_status(self._started))),
            Route("GET", f"{API}/health", lambda _: Reply([*self.health, *self._check_roots()])),
            Route("GET", f"{API}/rootfolder", lambda _: Reply(self._list_roots())),
            Route("POST", f"{API}/rootfolder", self._add_root),
            Route("GET", f"{API}/config/naming", lambda _: Reply(self._library.naming)),
            Route("PUT", f"{API}/config/naming", self._set_naming),
            Route("GET", holder, self._list_holders),
            Route("GET", f"{holder}/{{id}}", lambda call: Reply(self.write_holder(self.find(call.number)))),
            Route("DELETE", f"{holder}/{{id}}", self._delete_holder),
            Route("GET", file, self._list_files),
            Route("GET", f"{file}/{{id}}", self._show_file),
            Route("DELETE", f"{file}/{{id}}", self._delete_file),
            Route("GET", f"{API}/rename", self._preview_rename),
            Route("GET", f"{API}/history", self._page_history),
            Route("GET", f"{API}/history/since", self._history_since),
            Route("GET", f"{API}/history/{self._dialect.holder}", self._history_of_holder),
            *self._tag_routes(),
        ]

    def _tag_routes(self) -> list[Route]:
        return [
            Route("GET", f"{API}/tag", lambda _: Reply(self._list_tags())),
            Route("POST", f"{API}/tag", self._add_tag),
            Route(
                "GET", f"{API}/tag/detail", lambda _: Reply([self._detail(tag) for tag in self._list_tags()])
            ),
            Route("GET", f"{API}/tag/{{id}}", self._show_tag),
            Route("PUT", f"{API}/tag/{{id}}", self._change_tag),
            Route("DELETE", f"{API}/tag/{{id}}", self._delete_tag),
            Route("PUT", f"{API}/{self._dialect.holder}/editor", self._edit_holders),
            Route("DELETE", f"{API}/{self._dialect.holder}/editor", self._delete_holders),
        ]

    # --- series or movies

    def find(self, number: int) -> Holder:
        """Raises Fail 404."""
        if number not in self._shelf.holders:
            raise problem(404, "Not Found")
        return self._shelf.holders[number]

    def write_holder(self, holder: Holder) -> dict[str, Any]:
        """As lists and single answers have it."""
        return self._dialect.write_holder(holder, posixpath.dirname(holder.path))

    def write_briefly(self, holder: Holder) -> dict[str, Any]:
        """As editors answer it."""
        shown = {
            name: each for name, each in self.write_holder(holder).items() if name not in self._dialect.unsaid
        }
        seasons = shown.get("seasons", [])
        brief = [{name: each for name, each in season.items() if name != "statistics"} for season in seasons]
        return {**shown, "seasons": brief} if seasons else shown

    def _list_holders(self, call: Call) -> Reply:
        source = self._dialect.world_id
        wanted = call.integer(f"{source}Id")
        shown = [
            self.write_holder(holder)
            for holder in self._shelf.holders.values()
            if wanted is None or holder.item.ids.get(source) == str(wanted)
        ]
        return Reply(shown)

    def _delete_holder(self, call: Call) -> Reply:
        if call.number not in self._shelf.holders:
            if self._dialect.holder == "movie":
                raise failed(404, f"Movie with ID {call.number} does not exist")
            raise failed(500, "Expected query to return 1 rows but returned 0")
        self._library.take_off(self.find(call.number), with_files=call.flag("deleteFiles"))
        return Reply()

    def _edit_holders(self, call: Call) -> Reply:
        fields = call.fields()
        numbers = fields.get(f"{self._dialect.holder}Ids") or []
        if any(number not in self._shelf.holders for number in numbers):
            raise failed(500, "Expected query to return 1 rows but returned 0")
        how, tags = fields.get("applyTags", "add"), list(fields.get("tags") or ())
        holders = [self._shelf.holders[number] for number in numbers]
        for holder in holders:
            kept = [] if how == "replace" else [tag for tag in holder.tags if tag not in tags]
            holder.tags = kept if how == "remove" else [*kept, *tags]
        return Reply([self.write_briefly(holder) for holder in holders], 202)

    def _delete_holders(self, call: Call) -> Reply:
        fields = call.fields()
        numbers = fields.get(f"{self._dialect.holder}Ids") or []
        if any(number not in self._shelf.holders for number in numbers):
            raise failed(500, "Expected query to return 1 rows but returned 0")
        for number in numbers:
            self._library.take_off(self._shelf.holders[number], with_files=bool(fields.get("deleteFiles")))
        return Reply({})

    # --- files

    def _list_files(self, call: Call) -> Reply:
        numbers = call.integers(f"{self._files}Ids")
        holder = call.integer(self._word)
        if holder is None and not numbers:
            text = f"{self._word} or {self._files}Ids must be provided"
            raise Fail(400, {"message": f"BadRequest: {text}", "content": text})
        holders = [self._shelf.holders[holder]] if holder in self._shelf.holders else []
        if numbers:
            holders = list(self._shelf.holders.values())
        return Reply(
            [
                self._dialect.write_file(each, file)
                for each in holders
                for file in each.files
                if not numbers or file.id in numbers
            ]
        )

    def _show_file(self, call: Call) -> Reply:
        try:
            holder, file = self._shelf.find_file(call.number)
        except KeyError:
            if self._dialect.holder == "movie":
                raise problem(404, "Not Found") from None
            raise Fail(404) from None
        return Reply(self._dialect.write_file(holder, file))

    def _delete_file(self, call: Call) -> Reply:
        try:
            holder, file = self._shelf.find_file(call.number)
        except KeyError:
            word = self._files[0].upper() + self._files[1:]
            raise failed(404, f"{word} with ID {call.number} does not exist") from None
        self._library.delete_file(holder, file)
        return Reply()

    def _preview_rename(self, call: Call) -> Reply:
        number = call.integer(self._word)
        if number is None:
            raise Fail(
                400,
                {
                    "message": f"BadRequest: {self._word} must be provided",
                    "content": f"{self._word} must be provided",
                },
            )
        holder = self.find(number)
        season = call.integer("seasonNumber")
        return Reply([row for file in holder.files if (row := self._preview(holder, file, season))])

    def _preview(self, holder: Holder, file: File, season: int | None) -> dict[str, Any] | None:
        new, parts = self._library.name_for(holder, file), holder.parts_of(file)
        if new == file.relative or (season is not None and parts[0].season != season):
            return None
        row: dict[str, Any] = {self._word: holder.id}
        if self._shelf.kind == "shows":
            row |= {"seasonNumber": parts[0].season, "episodeNumbers": [part.number for part in parts]}
        row |= {f"{self._files}Id": file.id, "existingPath": file.relative, "newPath": new}
        return row | ({"id": file.id} if self._shelf.kind == "shows" else {})

    # --- history

    def _page_history(self, call: Call) -> Reply:
        page, size = call.integer("page", 1) or 0, call.integer("pageSize", 10) or 0
        ascending = (call.text("sortDirection") or "").lower() == "ascending"
        start = max(page - 1, 0) * size
        kinds = set(call.integers("eventType"))
        total, records = self._library.history.page(start, size, ascending=ascending, kinds=kinds)
        return Reply(
            {
                "page": page,
                "pageSize": size,
                "sortKey": "date",
                "sortDirection": "ascending" if ascending else "descending",
                "totalRecords": total,
                "records": [self._write_record(record) for record in records],
            }
        )

    def _history_since(self, call: Call) -> Reply:
        text = call.text("date")
        try:
            at = to_epoch(text) if text else None
        except ValueError:
            raise invalid("date", text or "") from None
        records = self._library.history.since(at, set(call.integers("eventType")))
        return Reply([self._write_record(record) for record in records])

    def _history_of_holder(self, call: Call) -> Reply:
        number = call.integer(self._word)
        records = self._library.history.since(None, set(call.integers("eventType")))
        return Reply([self._write_record(each) for each in reversed(records) if each.holder == number])

    def _write_record(self, record: Record) -> dict[str, Any]:
        part = {"episodeId": record.part} if self._shelf.kind == "shows" else {}
        return {
            **part,
            self._word: record.holder,
            "sourceTitle": record.title,
            "languages": [{"id": 1, "name": "English"}],
            "quality": record.quality,
            "customFormats": [],
            "customFormatScore": 0,
            "qualityCutoffNotMet": False,
            "date": write_time(record.at),
            "downloadId": record.download,
            "eventType": record.kind,
            "data": record.data,
            "id": record.id,
        }

    # --- roots, names, tags

    def _add_root(self, call: Call) -> Reply:
        """A folder that is there, once. In memory those are there that hold a file."""
        disk, path = self._library.disk, str(call.fields().get("path") or "")
        if not path.startswith("/"):
            raise Fail(400, [refused("path", f"Invalid Path: '{path}'", "PathValidator", path, path=path)])
        if path in disk.roots:
            text = f"Path '{path}' is already configured as a root folder"
            raise Fail(400, [refused("path", text, "RootFolderValidator", path, path=path)])
        if not disk.has_folder(path):
            text = f"Path '{path}' does not exist"
            raise Fail(400, [refused("path", text, "PathExistsValidator", path, path=path)])
        real = any(disk.roots.values())
        disk.roots[path] = Path(path) if real else None
        return Reply(self._list_roots()[-1], 201)

    def _list_roots(self) -> list[dict[str, Any]]:
        disk = self._library.disk
        known = {holder.path for holder in self._shelf.holders.values()}
        rows: list[dict[str, Any]] = []
        for number, root in enumerate(disk.roots, 1):
            row: dict[str, Any] = {"path": root, "accessible": disk.is_present(root), "id": number}
            if disk.is_present(root):
                free = [name for name in disk.folders(root) if f"{root}/{name}" not in known]
                row |= {
                    "freeSpace": 80_000_000_000,
                    "unmappedFolders": [_unmapped(root, name) for name in free],
                }
                row |= {"totalSpace": 270_000_000_000} if self._shelf.kind == "shows" else {}
            rows.append(row)
        return rows

    def _check_roots(self) -> list[dict[str, Any]]:
        disk, app = self._library.disk, self._dialect.app.lower()
        return [
            {
                "source": "RootFolderCheck",
                "type": "error",
                "message": f"Missing root folder: {root}",
                "wikiUrl": f"https://wiki.servarr.com/{app}/system#missing-root-folder",
            }
            for root in disk.roots
            if not disk.is_present(root)
        ]

    def _set_naming(self, call: Call) -> Reply:
        """A full replacement: what a body lacks is empty, and empty formats are refused."""
        fields = call.fields()
        formats = [
            name
            for name in self._library.naming
            if name.endswith("Format") and isinstance(self._library.naming[name], str)
        ]
        rows = [
            refused(
                name,
                f"'{re.sub(r'(?<=[a-z])(?=[A-Z])', ' ', name[0].upper() + name[1:])}' must not be empty.",
                "NotEmptyValidator",
                fields.get(name),
            )
            for name in formats
            if name not in ("colonReplacementFormat", "customColonReplacementFormat") and not fields.get(name)
        ]
        rows += self._dialect.check_naming(fields)
        if rows:
            raise Fail(400, rows)
        self._library.naming = {name: fields.get(name, old) for name, old in self._library.naming.items()}
        return Reply(self._library.naming, 202)

    def _list_tags(self) -> list[dict[str, Any]]:
        tags = sorted(self._library.tags.items(), key=lambda pair: pair[1])
        return [{"label": label, "id": number} for number, label in tags]

    def _detail(self, tag: dict[str, Any]) -> dict[str, Any]:
        names = [
            "delayProfileIds",
            "importListIds",
            "notificationIds",
            "indexerIds",
            "downloadClientIds",
            "autoTagIds",
        ]
        names += (
            ["releaseProfileIds"]
            if self._shelf.kind == "movies"
            else ["restrictionIds", "excludedReleaseProfileIds"]
        )
        users = [each.id for each in self._shelf.holders.values() if tag["id"] in each.tags]
        rest: dict[str, Any] = dict.fromkeys(names, [])
        return {**tag, **rest, f"{self._dialect.holder}Ids": users}

    def _add_tag(self, call: Call) -> Reply:
        label = call.fields().get("label")
        if not label:
            raise Fail(400, [refused("label", "'Label' must not be empty.", "NotEmptyValidator", label)])
        known = {text: number for number, text in self._library.tags.items()}
        if label not in known:
            self._check_label(label, known)
            known[label] = max(self._library.tags, default=0) + 1
            self._library.tags[known[label]] = label
        return Reply({"label": label, "id": known[label]}, 201)

    def _check_label(self, label: str, known: dict[str, int]) -> None:
        if not re.fullmatch(r"[a-z0-9-]+", label, re.IGNORECASE | re.ASCII):
            text = "Allowed characters a-z, 0-9 and -"
            rule = {"regularExpression": "^[a-z0-9-]+$"}
            raise Fail(400, [refused("label", text, "RegularExpressionValidator", label, **rule)])
        if label.lower() in known:
            raise failed(409, "SQLite Error 19: 'UNIQUE constraint failed: Tags.Label'.")

    def _show_tag(self, call: Call) -> Reply:
        if call.number not in self._library.tags:
            raise Fail(404)
        return Reply({"label": self._library.tags[call.number], "id": call.number})

    def _change_tag(self, call: Call) -> Reply:
        label = str(call.fields().get("label") or "").lower()
        self._library.tags[call.number] = label
        return Reply({"label": label, "id": call.number}, 202)

    def _delete_tag(self, call: Call) -> Reply:
        label = self._library.tags.get(call.number)
        if label is None:
            raise failed(404, f"Tag with ID {call.number} does not exist")
        if any(call.number in holder.tags for holder in self._shelf.holders.values()):
            raise failed(
                409, f"Tag with ID {call.number} '{label}' cannot be deleted since it's still in use"
            )
        del self._library.tags[call.number]
        return Reply()


def _unmapped(root: str, name: str) -> dict[str, str]:
    return {"name": name, "path": f"{root}/{name}", "relativePath": name}
