"""What happened on the disk and to the server between the steps of a tape, as its notes tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp.test_utils import TestClient

from playhead.sandbox.jellyfin.accounts import Client
from playhead.sandbox.jellyfin.disk import DiskFile, Nfo
from playhead.sandbox.jellyfin.emulator import JellyfinServer
from playhead.sandbox.jellyfin.ids import item_guid
from tests.sandbox.jellyfin.tape import Tape

# Files in which a client listed the library while the server took a new name in.
WATCHED = ("16-", "23-", "24-")
# ... and so often that it was seen before anything was known of it.
WATCHED_CLOSELY = ("23-", "24-")
# Notes in 07 that begin a new case on the state that the one before left.
CONTINUED = ("already", "errors")


class DiskChanges:
    """Carries out what a file's notes say before each step, and reads the library where the recorder did."""

    def __init__(self, server: JellyfinServer, tape: Tape) -> None:
        self.server = server
        self.tape = tape
        self.user_id = server.find_user("watcher").id if server.accounts.users else ""
        self.closely = tape.name.startswith(WATCHED_CLOSELY)
        self._away: list[DiskFile] = []
        self._planned = self._plan()

    async def before(self, index: int, client: TestClient[Any, Any]) -> None:
        """Bring disk and server to where they were when a step was recorded."""
        step = self.tape.steps[index]
        if "request" not in step:
            self._begin_case(index)
            return
        if not shows_half_read(step["response"].get("body")):
            self._settle()
        for change in self._planned.get(index, ()):
            change()
        if "restart" in step.get("note", "") and "before" not in step["note"]:
            self.server.store.restart()
        if step["request"]["path"] == "/Library/Media/Updated":
            self._rename_as_reported(step)
            self.server.hold_settle = self._is_watched(step)

    def after(self, index: int) -> None:
        """The recorder looks at the library as soon as a report was taken in."""
        step = self.tape.steps[index]
        if (
            "request" in step
            and step["request"]["path"] == "/Library/Media/Updated"
            and self._is_watched(step)
        ):
            user = self.server.accounts.users[self.user_id]
            self.server.store.note_listed(user, list(self.server.catalogue.items))

    def _is_watched(self, step: dict[str, Any]) -> bool:
        return self.tape.name.startswith(WATCHED) and "renamed back" not in step.get("note", "")

    def _settle(self) -> None:
        self.server.hold_settle = False
        self.server.catalogue.settle()

    def _rename_as_reported(self, step: dict[str, Any]) -> None:
        body = step["request"].get("body")
        updates = body.get("Updates") or [] if isinstance(body, dict) else []
        paths = [update["Path"] for update in updates if update.get("Path")]
        if "removal reported" in step.get("note", ""):
            files = [file for path in paths for file in self.server.disk.below(path)]
            self._away = [self.server.disk.remove(file.path) for file in files]
        elif "return reported" in step.get("note", ""):
            for file in self._away:
                self.server.disk.put(file)
        elif len(paths) == 2 and self._exists(paths[0]) and not self._exists(paths[1]):
            self.server.disk.rename(paths[0], paths[1])
            if self.closely and "renamed back" not in step.get("note", ""):
                user = self.server.accounts.users[self.user_id]
                self.server.store.note_listed(user, [item_guid("Episode", paths[1])])

    def _exists(self, path: str) -> bool:
        return any(known == path or known.startswith(f"{path}/") for known in self.server.disk.files)

    def _begin_case(self, index: int) -> None:
        """In 07 each case begins with an unplayed item: the recorder's own marks for that are not on the tape."""
        note = self.tape.steps[index].get("note", "")
        if note.startswith("====="):
            self.closely = self.tape.name.startswith(WATCHED_CLOSELY) or "listed every 30 ms" in note
        if "after a server restart" in note:
            self._settle()
            self.server.store.restart()
        if (
            not self.tape.name.startswith("07-")
            or not note.startswith("=====")
            or any(w in note for w in CONTINUED)
        ):
            return
        following = next(step["request"] for step in self.tape.steps[index:] if "request" in step)
        body = following.get("body")
        guid = body["ItemId"] if isinstance(body, dict) else following["path"].split("/")[2]
        item = self.server.catalogue.items[guid]
        self.server.marks.unmark(self.server.accounts.users[self.user_id], item)

    def _plan(self) -> dict[int, list[Callable[[], None]]]:
        if self.tape.name.startswith("16-"):
            return self._file_changes()
        if self.tape.name.startswith("27-"):
            return self._library_changes()
        if self.tape.name.startswith("26-"):
            return {0: [self._add_series], 29: [self._remove_series]}
        if self.tape.name.startswith("08-"):
            return {0: [self._touch_key]}
        return {}

    def _touch_key(self) -> None:
        """The recorder's clean-up after 07, not on the tape: its last request was the API key's."""
        key = Client(app="synchroniser", device="lab", device_id="dev-apikey", version="1.0")
        self.server.sessions.touch(key, None)

    # --- 16: files

    def _path(self, index: int) -> str:
        return str(self.tape.answer(index)["Items"][0]["Path"])

    def _file_changes(self) -> dict[int, list[Callable[[], None]]]:
        disk = self.server.disk
        episode, renamed, other = self._path(3), self._path(17), self._path(26)
        folder, new_folder = (self._path(40).rpartition("/")[0], self._path(43).rpartition("/")[0])
        home, new_home = self._path(51), self._path(54)
        short, bebop = self._path(61), self._path(69)
        kept = disk.files[episode]
        length, show = kept.duration_ticks, disk.files[bebop].show
        assert show is not None
        ids, show_ids = disk.files[short].nfo, disk.shows[show]
        return {
            4: [lambda: None if disk.remove(episode) else None],
            8: [lambda: disk.put(kept)],
            20: [lambda: disk.rename(renamed, episode)],
            24: [lambda: disk.rename(episode, other)],
            28: [lambda: disk.rename(other, episode)],
            32: [lambda: self._set_length(episode, 15_001_280_000)],
            35: [lambda: self._set_length(episode, length)],
            45: [lambda: disk.rename(new_folder, folder)],
            52: [lambda: self._retitle(home, new_home)],
            55: [lambda: self._retitle(new_home, home)],
            62: [lambda: disk.rewrite(short, msgspec.structs.replace(ids, ids={"Tmdb": "1", "Imdb": "tt1"}))],
            64: [lambda: disk.rewrite(short, ids)],
            70: [lambda: disk.rewrite(show, msgspec.structs.replace(show_ids, ids={"Tvdb": "1"}))],
            72: [lambda: disk.rewrite(show, show_ids)],
        }

    def _set_length(self, path: str, length: int) -> None:
        self.server.disk.files[path].duration_ticks = length
        self.server.disk.files[path].stamp += 1

    def _retitle(self, old: str, new: str) -> None:
        self.server.disk.rename(old, new)
        file = self.server.disk.files[new]
        file.nfo = msgspec.structs.replace(file.nfo, title=new.rpartition("/")[2].rpartition(".")[0])

    # --- 26: a new series

    def _series_path(self) -> str:
        return str(self.tape.steps[0]["request"]["body"]["Updates"][0]["Path"])

    def _add_series(self) -> None:
        folder, disk = self._series_path(), self.server.disk
        episodes = self.tape.answer(6)["Items"]
        disk.shows[folder] = Nfo(
            title=episodes[0]["SeriesName"], year=2002, ids={"Tvdb": self.tape.answer(7)["Key"]}
        )
        for item in episodes:
            season, number = item["ParentIndexNumber"], item["IndexNumber"]
            name = f"{item['SeriesName']} - S{season:02d}E{number:02d} - {item['Name']}.mkv"
            nfo = Nfo(title=item["Name"], season=season, episode=number)
            disk.put(
                DiskFile(
                    path=f"{folder}/Season {season:02d}/{name}",
                    kind="episode",
                    nfo=nfo,
                    duration_ticks=item["RunTimeTicks"],
                    created=self.server.now(),
                    show=folder,
                    season=season,
                    episode=number,
                )
            )

    def _remove_series(self) -> None:
        for file in list(self.server.disk.below(self._series_path())):
            self.server.disk.remove(file.path)

    # --- 27: libraries

    def _library_changes(self) -> dict[int, list[Callable[[], None]]]:
        disk = self.server.disk
        root = self.server.catalogue.libraries["Movies"].paths[0]
        film = next(path for path in disk.files if "Big Buck Bunny" in path)
        nfo = disk.files[film].nfo
        other = msgspec.structs.replace(nfo, ids={"Imdb": "tt9999999", "Tmdb": "99999"})
        return {
            16: [lambda: disk.away.add(root)],
            22: [lambda: disk.away.discard(root)],
            28: [lambda: disk.rewrite(film, other)],
            31: [lambda: disk.rewrite(film, nfo)],
        }


def shows_half_read(body: Any) -> bool:
    """Whether an answer shows a film or episode that the server had not read yet."""
    items = body.get("Items", []) if isinstance(body, dict) else []
    leaves = [item for item in items if isinstance(item, dict) and item.get("Type") in ("Movie", "Episode")]
    return any("RunTimeTicks" not in item for item in leaves)
