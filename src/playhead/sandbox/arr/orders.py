"""What persons, downloads and disks do to an emulated Sonarr or Radarr, named by the world's items.

Acts: ``import`` (``name``, ``file``, ``items``, ``download``), ``rename``, ``delete_file``, ``add``, ``delete`` (``files``),
``move_folder`` (``to``, ``files``), ``rescan``, ``put`` and ``lose`` a file on the disk, ``offline``, ``online``, ``break_link``,
``grab``, ``health``, ``restored``.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Any

from playhead.sandbox.arr.connections import Connections
from playhead.sandbox.arr.disk import SIZE
from playhead.sandbox.arr.library import Library, Release
from playhead.sandbox.arr.shelf import File, Holder, Part
from playhead.sandbox.folders import taken

Act = Callable[[str, dict[str, Any]], None]


class Acts:
    """The acts of one server."""

    def __init__(self, library: Library, connections: Connections) -> None:
        self._library = library
        self._connections = connections
        self._acts: dict[str, Act] = {
            "import": self._import,
            "rename": self._rename,
            "delete_file": self._delete_file,
            "add": self._add,
            "delete": self._delete,
            "move_folder": self._move_folder,
            "rescan": self._rescan,
            "put": self._put,
            "lose": self._lose,
            "break_link": self._break_link,
            "offline": self._offline,
            "online": self._online,
            "grab": self._grab,
            "health": self._health,
            "restored": self._restored,
        }

    def do(self, item: str, act: str, args: dict[str, Any]) -> None:
        """Carry out one act. Raises KeyError for what is not there, ValueError for an unknown act."""
        if act not in self._acts:
            raise ValueError(f"no act {act!r} here; there are: {', '.join(self._acts)}")
        self._acts[act](item, args)

    def _import(self, item: str, args: dict[str, Any]) -> None:
        """``items``: further ones, each a file of the same download; ``together``: all in one file. A season pack with a
        ``download`` ends with Import Complete."""
        shelf = self._library.shelf
        wanted = [item, *args.get("items", ())]
        holder = self._take_up(item)
        parts = [part for each in wanted if (part := shelf.find_world(each)[1]) is not None]
        if not parts:
            raise ValueError(f"{item!r} is a show: import its episodes")
        groups = [parts] if args.get("together") else [[part] for part in parts]
        files, release = [], None
        for group in groups:
            release = self._make_release(holder, group, args)
            files.append(self._library.import_file(holder, group, release))
        if release is not None and release.download and shelf.kind == "shows":
            self._library.complete_import(holder, files, release)

    def _take_up(self, item: str) -> Holder:
        """The holder of an item, added where it is not there yet."""
        try:
            return self._library.shelf.find_world(item)[0]
        except KeyError:
            self._add(item, {})
            return self._library.shelf.find_world(item)[0]

    def _make_release(self, holder: Holder, parts: list[Part], args: dict[str, Any]) -> Release:
        title = holder.item.title.replace(" ", ".").replace(":", "")
        numbers = "".join(f"E{part.number:02}" for part in parts)
        tail = (
            f"S{parts[0].season:02}{numbers}"
            if self._library.shelf.kind == "shows"
            else holder.item.year or ""
        )
        name = str(args.get("name") or f"{title}.{tail}.{args.get('quality', '1080p.WEB-DL')}-GRP")
        stem, ending = posixpath.splitext(name)
        if ending.lower() not in (".mkv", ".mp4", ".avi"):
            stem, ending = name, ".mkv"
        return Release(
            stem,
            f"/downloads/{stem}/{stem}{ending}",
            ending,
            download=args.get("download"),
            size=int(args.get("size", SIZE)),
            target=args.get("file"),
        )

    def _file_of(self, item: str) -> tuple[Holder, File]:
        holder, part = self._library.shelf.find_world(item)
        if part is None or part.file is None:
            raise ValueError(f"{item!r} has no file here")
        return holder, part.file

    def _rename(self, item: str, args: dict[str, Any]) -> None:
        """One file, or all files of a show."""
        holder, part = self._library.shelf.find_world(item)
        files = holder.files if part is None else [self._file_of(item)[1]]
        to = args.get("to")
        self._library.rename(holder, files, to.replace("\\", "/") if to else None)

    def _delete_file(self, item: str, args: dict[str, Any]) -> None:
        self._library.delete_file(*self._file_of(item))

    def _add(self, item: str, args: dict[str, Any]) -> None:
        shelf = self._library.shelf
        if item not in shelf.items:
            raise KeyError(f"the world has no item {item!r}")
        wanted = shelf.items[item]
        wanted = shelf.items[wanted.show] if wanted.show else wanted
        if not shelf.is_ours(wanted):
            raise ValueError(f"{item!r} is none of {shelf.kind}")
        self._library.add(wanted, str(args.get("root") or next(iter(self._library.disk.roots))))

    def _delete(self, item: str, args: dict[str, Any]) -> None:
        self._library.take_off(self._library.shelf.find_world(item)[0], with_files=bool(args.get("files")))

    def _move_folder(self, item: str, args: dict[str, Any]) -> None:
        holder, _ = self._library.shelf.find_world(item)
        self._library.move_folder(holder, taken(str(args["to"])), files=bool(args.get("files", True)))

    def _rescan(self, item: str, args: dict[str, Any]) -> None:
        self._library.rescan(self._library.shelf.find_world(item)[0])

    def _put(self, item: str, args: dict[str, Any]) -> None:
        """A file appears in the item's folder, by whatever hand: ``file`` below it."""
        holder = self._take_up(item)
        self._library.disk.put(f"{holder.path}/{args['file']}", int(args.get("size", SIZE)))

    def _lose(self, item: str, args: dict[str, Any]) -> None:
        """A file, or all files of a show, go from the disk; the server notices with the next rescan."""
        holder, part = self._library.shelf.find_world(item)
        for file in holder.files if part is None else [self._file_of(item)[1]]:
            self._library.disk.remove(holder.place(file))

    def _break_link(self, item: str, args: dict[str, Any]) -> None:
        holder, file = self._file_of(item)
        self._library.disk.break_link(holder.place(file))

    def _offline(self, item: str, args: dict[str, Any]) -> None:
        """A root folder (``root``, else all) is gone."""
        self._library.disk.offline.update([args["root"]] if "root" in args else self._library.disk.roots)

    def _online(self, item: str, args: dict[str, Any]) -> None:
        self._library.disk.offline.clear()

    def _grab(self, item: str, args: dict[str, Any]) -> None:
        holder, part = self._library.shelf.find_world(item)
        parts = [part] if part else holder.parts[:1]
        release = {
            "quality": "WEBDL-1080p",
            "qualityVersion": 1,
            "releaseGroup": "GRP",
            "releaseTitle": self._make_release(holder, parts, args).name,
            "size": 700_000_000,
            "customFormatScore": 0,
            "customFormats": [],
            "languages": [{"id": 1, "name": "English"}],
            "indexerFlags": [],
        }
        more = self._library.dialect.post_remote(holder) | self._library.dialect.post_parts(parts, holder)
        client = {"downloadClient": "bh", "downloadClientType": "Usenet Blackhole"}
        formats = {"customFormatInfo": {"customFormats": [], "customFormatScore": 0}}
        self._library.tell("onGrab", "Grab", holder, **more, release=release, **client, **formats)

    def _health(self, item: str, args: dict[str, Any]) -> None:
        self._tell_health("onHealthIssue", "Health", args)

    def _restored(self, item: str, args: dict[str, Any]) -> None:
        self._tell_health("onHealthRestored", "HealthRestored", args)

    def _tell_health(self, flag: str, event: str, args: dict[str, Any]) -> None:
        body = {
            "level": str(args.get("level", "error")),
            "message": str(args.get("message", "Missing root folder")),
            "type": str(args.get("type", "RootFolderCheck")),
            "wikiUrl": "https://wiki.servarr.com/",
            "eventType": event,
        }
        self._connections.tell(flag, body)
