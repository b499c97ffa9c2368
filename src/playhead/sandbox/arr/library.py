"""What happens to files: imported, replaced, renamed, lost, found; with the records and posts that each of it leaves.

Rescans and moved folders post nothing of what they find. Source: facts, library-updates-and-links.md 0; tapes 04 to 09.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from playhead.sandbox.arr.connections import Connections
from playhead.sandbox.arr.dialect import Dialect
from playhead.sandbox.arr.disk import SIZE, Disk
from playhead.sandbox.arr.history import History, Record
from playhead.sandbox.arr.names import rank_quality, read_episodes, read_group, read_quality, write_quality
from playhead.sandbox.arr.shelf import File, Holder, Part, Shelf, world_path
from playhead.sandbox.world import WorldItem


class Release(msgspec.Struct, frozen=True):
    """What is imported: the file's own name without ending, where it lay, and the download that a client knew."""

    name: str
    source: str
    ending: str = ".mkv"
    download: str | None = None
    size: int = SIZE
    moved_from: str | None = None  # a file on the disk that the import takes away
    target: str | None = None  # where to put it below the holder's folder, whatever the formats say


class BrokenLink(Exception):
    """A known file is a link that leads nowhere: a rescan ends there (facts 0.1)."""


class Library:
    """The acts of one server."""

    def __init__(
        self,
        dialect: Dialect,
        shelf: Shelf,
        disk: Disk,
        history: History,
        connections: Connections,
        now: Callable[[], float],
    ) -> None:
        self.dialect = dialect
        self.shelf = shelf
        self.disk = disk
        self.history = history
        self.connections = connections
        self.now = now
        self.tags: dict[int, str] = {}
        self.naming: dict[str, Any] = dialect.write_naming()

    # --- posts and records

    def tell(self, flag: str, event: str, holder: Holder, **more: Any) -> None:
        """One post about a series or movie."""
        labels = [self.tags[tag] for tag in holder.tags if tag in self.tags]
        body = {**self.dialect.post_holder(holder, labels), **more, "eventType": event}
        self.connections.tell(flag, {name: each for name, each in body.items() if each is not None})

    def record(
        self, kind: str, holder: Holder, part: Part, file: File, title: str, **data: str | None
    ) -> None:
        """One record of the history; of a file with several episodes there is one for each."""
        movie = self.shelf.kind == "movies"
        told = {**data, "releaseGroup": file.group, "size": str(file.size), "indexerFlags": "0"}
        if not movie:
            told["releaseType"] = "MultiEpisode" if len(holder.parts_of(file)) > 1 else "SingleEpisode"
        quality = write_quality(file.quality, movie=movie)
        self.history.add(Record(0, holder.id, part.id, kind, title, self.now(), quality, told))

    # --- series and movies

    def add(self, item: WorldItem, root: str) -> Holder:
        """Take up a series or movie."""
        holder = self.shelf.add(item, root, self.now())
        word = self.dialect.holder
        if word == "series":
            self.tell("onSeriesAdd", "SeriesAdd", holder)
        else:
            self.tell("onMovieAdded", "MovieAdded", holder, addMethod="manual")
        return holder

    def take_off(self, holder: Holder, *, with_files: bool) -> None:
        """Forget a series or movie, and delete its folder with ``with_files``."""
        size = sum(file.size for file in holder.files)
        if with_files:
            for path in self.disk.videos(holder.path):
                self.disk.remove(path)
        del self.shelf.holders[holder.id]
        self.history.forget(holder.id)
        if self.dialect.holder == "series":
            self.tell("onSeriesDelete", "SeriesDelete", holder, deletedFiles=with_files)
        else:
            size = size if with_files else 0
            self.tell("onMovieDelete", "MovieDelete", holder, deletedFiles=with_files, movieFolderSize=size)

    def move_folder(self, holder: Holder, path: str, *, files: bool) -> None:
        """Another folder for a series or movie. Nothing is posted, nothing recorded (facts 0)."""
        if files:
            self.disk.move_folder(holder.path, path)
        holder.path = path

    # --- files

    def import_file(self, holder: Holder, parts: Sequence[Part], release: Release) -> File:
        """Put a file where it belongs. What was there before goes first: two posts."""
        quality = read_quality(release.name)
        old = list({part.file.id: part.file for part in parts if part.file is not None}.values())
        gone = [(file, holder.parts_of(file)) for file in old]
        for file in old:
            self._drop(holder, file, "upgrade", on_disk=True)
        relative = self._place(holder, parts, quality, release)
        target = f"{holder.path}/{relative}"
        if release.moved_from is not None:
            self.disk.move(release.moved_from, target)
        else:
            self.disk.put(target, release.size)
        file = self.shelf.make_file(relative, self.disk.size(target), self.now(), quality)
        file.scene, file.group = release.name, read_group(release.name)
        for part in parts:
            part.file = file
        self._record_import(holder, parts, file, release)
        self._tell_import(holder, parts, file, release, [each for each, _ in gone])
        return file

    def _place(self, holder: Holder, parts: Sequence[Part], quality: str, release: Release) -> str:
        """Where it goes: what was asked for, the world's own name, or what the formats make."""
        known = world_path(parts[0].item)
        if release.target is not None:
            return release.target
        if known is not None and len(parts) == 1:
            return known
        name = self.dialect.name_file(holder, parts, quality, self.naming)
        if not self.naming[self.dialect.rename_setting]:
            name = posixpath.join(posixpath.dirname(name), release.name)
        return name + release.ending

    def _record_import(self, holder: Holder, parts: Sequence[Part], file: File, release: Release) -> None:
        for part in parts:
            self.record(
                self.dialect.imported,
                holder,
                part,
                file,
                release.name,
                fileId=str(file.id),
                droppedPath=release.source,
                importedPath=holder.place(file),
                downloadClient="Usenet Blackhole" if release.download else None,
                downloadClientName="bh" if release.download else None,
                customFormatScore="0",
            )
            self.history.records[-1].download = release.download

    def _tell_import(
        self, holder: Holder, parts: Sequence[Part], file: File, release: Release, gone: list[File]
    ) -> None:
        more: dict[str, Any] = {
            **self.dialect.post_remote(holder),
            **self.dialect.post_parts(parts, holder),
            self.dialect.file: {**self.dialect.post_file(holder, file), "sourcePath": release.source},
            "isUpgrade": bool(gone),
            **_tell_download(release),
            "customFormatInfo": {"customFormats": [], "customFormatScore": 0},
            "release": self.dialect.post_release(len(parts)),
        }
        if gone:
            more["deletedFiles"] = [self.dialect.post_file(holder, each) for each in gone]
        self.tell("onUpgrade" if gone else "onDownload", "Download", holder, **more)

    def complete_import(self, holder: Holder, files: Sequence[File], release: Release) -> None:
        """The second post of an import with a tracked download; Sonarr's alone."""
        parts = [part for file in files for part in holder.parts_of(file)]
        self.tell(
            "onImportComplete",
            "Download",
            holder,
            **self.dialect.post_parts(parts, holder),
            episodeFiles=[self.dialect.post_file(holder, file) for file in files],
            **_tell_download(release),
            release=self.dialect.post_release(len(parts)),
            fileCount=len(files),
            sourcePath=posixpath.dirname(release.source),
            destinationPath=posixpath.dirname(holder.place(files[0])),
        )

    def rename(self, holder: Holder, files: Sequence[File], to: str | None = None) -> int:
        """Give files the names that the formats make, or ``to``; one post for all of them."""
        renamed = []
        for file in files:
            new = to or self.name_for(holder, file)
            if new == file.relative or not self.disk.exists(holder.place(file)):
                continue
            old, before = file.relative, holder.place(file)
            self.disk.move(before, f"{holder.path}/{new}")
            file.relative = new
            for part in holder.parts_of(file):
                self.record(
                    self.dialect.renamed,
                    holder,
                    part,
                    file,
                    before,
                    sourcePath=before,
                    sourceRelativePath=old,
                    path=holder.place(file),
                    relativePath=new,
                )
            names = {"previousRelativePath": old, "previousPath": before}
            renamed.append({**names, **self.dialect.post_file(holder, file)})
        if renamed:
            key = f"renamed{self.dialect.file[0].upper()}{self.dialect.file[1:]}s"
            self.tell("onRename", "Rename", holder, **{key: renamed})
        return len(renamed)

    def name_for(self, holder: Holder, file: File) -> str:
        """What the formats make of a file's name."""
        name = self.dialect.name_file(holder, holder.parts_of(file), file.quality, self.naming)
        return name + posixpath.splitext(file.relative)[1]

    def delete_file(self, holder: Holder, file: File) -> None:
        """A person deletes a file."""
        self._drop(holder, file, "manual", on_disk=True)

    def _drop(self, holder: Holder, file: File, reason: str, *, on_disk: bool) -> None:
        parts = holder.parts_of(file)
        where = holder.place(file)
        if on_disk:
            self.disk.remove(where)
        for part in parts:
            self.record(
                self.dialect.deleted, holder, part, file, where, reason=reason[0].upper() + reason[1:]
            )
        body = self.dialect.post_file(holder, file)
        for part in parts:
            part.file = None
        word = self.dialect.file
        flag = f"on{word[0].upper()}{word[1:]}Delete" + ("ForUpgrade" if reason == "upgrade" else "")
        told = self.dialect.post_parts(parts, holder)
        event = f"{word[0].upper()}{word[1:]}Delete"
        self.tell(flag, event, holder, **told, **{word: body}, deleteReason=reason)

    # --- looking at the disk

    def rescan(self, holder: Holder) -> str | None:
        """Compare a holder with its folder; what is told of a command that ends so. New files go in unsaid. Raises BrokenLink."""
        root = self.disk.root_of(holder.path)
        if root is None or not self.disk.is_present(root) or self.disk.is_empty(root):
            return None
        found = self.disk.videos(holder.path)
        known = {holder.place(file): file for file in holder.files}
        for path in found:
            if path not in known and self.disk.exists(path):
                self._find_in(holder, path)
        for path, file in known.items():
            if self.disk.is_broken_link(path):
                raise BrokenLink(path)
            if path not in found:
                self._drop(holder, file, "missingFromDisk", on_disk=False)
            else:
                file.size = self.disk.size(path)
        return f"Scanning {'disk for ' if self.shelf.kind == 'movies' else ''}{holder.item.title}"

    def _find_in(self, holder: Holder, path: str) -> None:
        """A file that nobody imported: by the numbers in its name; better than what is there, or not at all."""
        relative = path[len(holder.path) + 1 :]
        stem = posixpath.splitext(posixpath.basename(path))[0]
        parts = self.find_parts(holder, stem)
        quality = read_quality(stem)
        if not parts or any(
            part.file
            and self.disk.exists(holder.place(part.file))
            and rank_quality(part.file.quality) >= rank_quality(quality)
            for part in parts
        ):
            return
        for part in parts:
            if part.file is not None and not self.disk.exists(holder.place(part.file)):
                self._drop(holder, part.file, "missingFromDisk", on_disk=False)
        file = self.shelf.make_file(relative, self.disk.size(path), self.now(), quality)
        file.group = read_group(stem)
        for part in parts:
            part.file = file

    def find_parts(self, holder: Holder, stem: str) -> list[Part]:
        """What a file's name says that it holds; a movie's folder holds the movie."""
        if self.shelf.kind == "movies":
            return holder.parts
        told = read_episodes(stem)
        if told is None:
            return []
        season, numbers = told
        return [part for part in holder.parts if part.season == season and part.number in numbers]


def _tell_download(release: Release) -> dict[str, Any]:
    if release.download is None:
        return {}
    client = {"downloadClient": "bh", "downloadClientType": "Usenet Blackhole"}
    return {**client, "downloadId": release.download}
