"""The queue of commands: named in any case, one and the same only once at a time, done on the sandbox's clock.

Source: tape 10 of Sonarr, 03 and 05 of Radarr; facts 0 (Commands).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from playhead.sandbox.agenda import Agenda
from playhead.sandbox.arr.disk import is_video
from playhead.sandbox.arr.history import write_time
from playhead.sandbox.arr.library import BrokenLink, Library, Release
from playhead.sandbox.arr.names import rank_quality, read_quality, reduce_title
from playhead.sandbox.arr.shelf import Holder, Part
from playhead.sandbox.arr.web import Call, Fail, Reply, Route, failed, refused


class Command(msgspec.Struct, eq=False):
    """One command and how it goes."""

    id: int
    name: str
    body: dict[str, Any]
    queued: float
    status: str = "queued"
    result: str = "unknown"
    message: str | None = None
    exception: str | None = None
    started: float | None = None
    ended: float | None = None


class Commands:
    """All commands of a server since its start."""

    def __init__(self, library: Library, agenda: Agenda, delay_s: float) -> None:
        self._library = library
        self._agenda = agenda
        self._delay_s = delay_s
        self._names = {name.lower(): name for name in library.dialect.commands}
        self._word = f"{library.dialect.holder}Id"
        self.all: dict[int, Command] = {}

    def routes(self, api: str) -> list[Route]:
        """What is served of them."""
        return [
            Route("GET", f"{api}/command", lambda _: Reply([self._write(c) for c in self.all.values()])),
            Route("POST", f"{api}/command", self._start),
            Route("GET", f"{api}/command/{{id}}", self._show),
            Route("DELETE", f"{api}/command/{{id}}", self._cancel),
        ]

    def _show(self, call: Call) -> Reply:
        if call.number not in self.all:
            raise Fail(404)
        return Reply(self._write(self.all[call.number]))

    def _cancel(self, call: Call) -> Reply:
        if call.number not in self.all:
            raise Fail(404)
        raise failed(409, "Unable to cancel task")

    def _start(self, call: Call) -> Reply:
        fields = dict(call.fields())
        name = fields.pop("name", None)
        if not name:
            rows = [
                refused("name", "'Name' must not be empty.", code)
                for code in ("NotNullValidator", "NotEmptyValidator")
            ]
            raise Fail(400, rows)
        known = self._names.get(str(name).lower())
        if known is None:
            raise failed(400, "Sequence contains no matching element")
        if not isinstance(fields.get(self._word, 0), int | None):
            raise failed(500, "The JSON value could not be converted to System.Nullable`1[System.Int32].")
        fields = self._complete(known, fields)
        for command in self.all.values():
            if (command.name, command.body) == (known, fields) and command.status in ("queued", "started"):
                return Reply(self._write(command), 201)
        command = Command(len(self.all) + 1, known, fields, self._library.now())
        self.all[command.id] = command
        self._agenda.after(self._delay_s, lambda: self._run(command))
        return Reply(self._write(command), 201)

    def _complete(self, name: str, fields: dict[str, Any]) -> dict[str, Any]:
        """What the program adds to some bodies by itself."""
        if name == "RenameFiles":
            return {self._word: 0, **fields}
        if name == "RefreshSeries":
            number = fields.pop(self._word, None)
            named = [*fields.get("seriesIds", []), *([number] if number else [])]
            return {**fields, "seriesIds": named, "isNewSeries": False, "completionMessage": "Completed"}
        return fields

    def _run(self, command: Command) -> None:
        command.started = self._library.now()
        try:
            done: bool | None = _DOING.get(command.name, _do_nothing)(self, command)
            command.status = "completed"
            command.result = "unsuccessful" if done is False else "successful"
        except (BrokenLink, KeyError) as error:
            command.status, command.message = "failed", "Failed"
            kind = (
                "System.IO.FileNotFoundException: Could not find file"
                if isinstance(error, BrokenLink)
                else "ModelNotFound:"
            )
            command.exception = f"{kind} '{error.args[0]}'.\n   at NzbDrone"
        command.ended = self._library.now()

    def named(self, command: Command) -> list[Holder]:
        """The series or movies that a command is for: those it names, else all. Raises KeyError."""
        numbers = command.body.get(f"{self._library.dialect.holder}Ids") or []
        if command.body.get(self._word):
            numbers = [*numbers, command.body[self._word]]
        shelf = self._library.shelf
        return [shelf.find_holder(number) for number in numbers] if numbers else list(shelf.holders.values())

    def rescan(self, command: Command) -> None:
        for holder in self.named(command):
            command.message = self._library.rescan(holder)

    def refresh(self, command: Command) -> None:
        """As a rescan, but says that all went well whatever happened."""
        for holder in self.named(command):
            try:
                self._library.rescan(holder)
            except BrokenLink:
                break
        command.message = "Completed"

    def rename_files(self, command: Command) -> None:
        wanted = command.body.get("files") or []
        for holder in self.named(command) if command.body.get(self._word) else []:
            count = self._library.rename(holder, [file for file in holder.files if file.id in wanted])
            word = "episode" if self._library.shelf.kind == "shows" else "movie"
            command.message = f"{count} selected {word} files renamed for {holder.item.title}"

    def rename_all(self, command: Command) -> None:
        for holder in self.named(command):
            self._library.rename(holder, holder.files)
            command.message = f"All selected {self._library.dialect.holder} renamed"

    def scan_downloads(self, command: Command) -> bool:
        """Import what lies in a folder of downloads, by its names. Nothing found: unsuccessful."""
        path = str(command.body.get("path") or "")
        library, imported = self._library, 0
        found = [path] if is_video(path) and library.disk.exists(path) else library.disk.videos(path)
        for file in found:
            stem, ending = posixpath.splitext(posixpath.basename(file))
            holder = self._match(stem)
            parts = library.find_parts(holder, stem) if holder else []
            if holder is not None and parts and not _is_worse(read_quality(stem), parts):
                library.import_file(holder, parts, Release(stem, file, ending, moved_from=file))
                imported += 1
        if not imported:
            command.message = "Failed to import"
        return bool(imported)

    def _match(self, stem: str) -> Holder | None:
        title = re.split(r"[ ._-](?:[Ss]\d+[ ._-]*[Ee]\d|\(?(?:19|20)\d\d\b)", stem, maxsplit=1)[0]
        wanted = reduce_title(title)
        holders = self._library.shelf.holders.values()
        return next((each for each in holders if reduce_title(each.item.title) == wanted), None)

    def _write(self, command: Command) -> dict[str, Any]:
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", command.name)
        movie = {"isTypeExclusive": False} if self._library.shelf.kind == "movies" else {}
        flags = {"sendUpdatesToClient": True, "updateScheduledTask": True, "requiresDiskAccess": False}
        flags |= {"isExclusive": False, **movie, "isLongRunning": False}
        body = {**command.body, **flags, "name": command.name, "trigger": "manual", "suppressMessages": False}
        ended = None if command.ended is None or command.started is None else command.ended - command.started
        moment = command.ended or command.started or command.queued
        return {
            "name": command.name,
            "commandName": words,
            "message": command.message,
            "body": body,
            "priority": "normal",
            "status": command.status,
            "result": command.result,
            "queued": write_time(command.queued),
            "started": None if command.started is None else write_time(command.started),
            "ended": None if command.ended is None else write_time(command.ended),
            "duration": None if ended is None else f"00:00:{ended:010.7f}",
            "exception": command.exception,
            "trigger": "manual",
            "stateChangeTime": None if command.started is None else write_time(moment),
            "sendUpdatesToClient": True,
            "updateScheduledTask": True,
            "id": command.id,
        }


def _is_worse(quality: str, parts: Sequence[Part]) -> bool:
    """Whether something better is there: then a download is rejected. An equal one replaces it."""
    return any(part.file and rank_quality(part.file.quality) > rank_quality(quality) for part in parts)


def _do_nothing(commands: Commands, command: Command) -> None:
    """Accepted, and of no consequence here."""


_DOING: dict[str, Callable[[Commands, Command], bool | None]] = {
    "RescanSeries": Commands.rescan,
    "RescanMovie": Commands.rescan,
    "RefreshSeries": Commands.refresh,
    "RefreshMovie": Commands.refresh,
    "RenameFiles": Commands.rename_files,
    "RenameSeries": Commands.rename_all,
    "RenameMovie": Commands.rename_all,
    "DownloadedEpisodesScan": Commands.scan_downloads,
    "DownloadedMoviesScan": Commands.scan_downloads,
}
