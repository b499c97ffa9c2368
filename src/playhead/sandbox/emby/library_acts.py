"""What happens to the libraries of an emulated Emby: made, renamed, moved, removed, their share gone. Knows no HTTP.

*Assumed*: a library that is made or gets another folder is scanned at once; items in another folder have other ids.
"""

from __future__ import annotations

from collections.abc import Callable

from playhead.sandbox.emby.building import Builder
from playhead.sandbox.emby.catalogue import Catalogue, Shelf
from playhead.sandbox.emby.scanning import Scans
from playhead.sandbox.emby.webhooks import Webhooks
from playhead.sandbox.emby.wording import check_language
from playhead.sandbox.library_args import Args, mount, read_folder, read_new_library, read_place, take_folder
from playhead.sandbox.world import Placement, WorldFolder, WorldLibrary


class LibraryActs:
    """Acts by name. ``now`` is epoch seconds."""

    def __init__(self, catalogue: Catalogue, builder: Builder, scans: Scans, webhooks: Webhooks) -> None:
        self.catalogue = catalogue
        self.builder = builder
        self.scans = scans
        self.webhooks = webhooks
        self._vanished: dict[str, tuple[WorldLibrary, list[tuple[str, Placement]]]] = {}
        self.by_name: dict[str, Callable[[str, int, Args], None]] = {
            "add_library": self._add,
            "rename_library": self._rename,
            "move_library": self._move,
            "remove_library": self._remove,
            "restore_library": self._restore,
            "unmount": lambda item, now, args: mount(self._find(item, args).reals, args, mounted=False),
            "mount": lambda item, now, args: mount(self._find(item, args).reals, args, mounted=True),
            "add_folder": self._add_folder,
            "remove_folder": self._remove_folder,
            "set_language": self._set_language,
        }

    def _add(self, item: str, now: int, args: Args) -> None:
        library = read_new_library(args)
        if any(shelf.title == library.title for shelf in self.catalogue.shelves.values()):
            raise ValueError(f"there is a library {library.title!r} already")
        self.builder.make_shelf(library)
        self.scans.start()

    def _rename(self, item: str, now: int, args: Args) -> None:
        """The library keeps its id and its items (*assumed*)."""
        shelf = self._find(item, args)
        title = args.get("title") or args.get("name")
        if not title:
            raise ValueError('"rename_library" needs "title": the new title')
        shelf.title = str(title)
        self.catalogue.touch()

    def _move(self, item: str, now: int, args: Args) -> None:
        shelf = self._find(item, args)
        library = read_place(args, _describe(shelf))
        kept = self._clear(shelf, shelf.root)
        self.builder.settle_at(shelf, library)
        for world_id, placement in [] if shelf.reals else kept:
            self.builder.place(self.builder.items[world_id], [placement], added=now)
        self.scans.start()

    def _add_folder(self, item: str, now: int, args: Args) -> None:
        """One more folder; it is scanned at once."""
        self._find(item, args).reals.all.append(read_folder(args))
        self.scans.start()

    def _remove_folder(self, item: str, now: int, args: Args) -> None:
        """A folder less: its items go with the next scan of everything, which begins at once."""
        shelf = self._find(item, args)
        take_folder(shelf.reals, args)
        if shelf.root not in shelf.reals.roots:
            shelf.root = shelf.reals.roots[0]
        self.scans.start()

    def _remove(self, item: str, now: int, args: Args) -> None:
        shelf = self._find(item, args)
        library = _describe(shelf)
        self._vanished[shelf.title] = (library, self._clear(shelf))
        del self.catalogue.shelves[shelf.view_id]
        self.catalogue.touch()

    def _clear(self, shelf: Shelf, root: str | None = None) -> list[tuple[str, Placement]]:
        """Take all items out; returns how to put them back, below ``root`` where given instead of at their paths."""
        kept: list[tuple[str, Placement]] = []
        for node in [n for n in self.catalogue.nodes.values() if n.shelf is shelf and not n.is_folder]:
            placement = self.builder.placement_of(node)
            if root is not None:
                placement.file = node.path[len(root) :].strip("/")
            kept.append((node.world[0], placement))
            self.catalogue.remove(node)
        shelf.stamps.clear()
        return kept

    def _restore(self, item: str, now: int, args: Args) -> None:
        """The same files under new ids; user data that hangs on external ids is there again (*assumed*)."""
        title = str(args.get("library") or item)
        if title not in self._vanished:
            raise KeyError(f"no library {title!r} was removed")
        library, kept = self._vanished.pop(title)
        shelf = self.builder.make_shelf(library)
        if shelf.reals:
            self.scans.start()
            return
        for world_id, placement in kept:
            self.builder.place(self.builder.items[world_id], [placement], added=now)

    def _set_language(self, item: str, now: int, args: Args) -> None:
        language = str(args.get("language", ""))
        check_language(language)
        self.webhooks.language = language

    def _find(self, item: str, args: Args) -> Shelf:
        name = args.get("library") or item
        if not name:
            raise ValueError('this act needs "library": its title')
        return self.catalogue.find_shelf(str(name))


def _describe(shelf: Shelf) -> WorldLibrary:
    more = [WorldFolder(folder=str(each.folder), root=each.root) for each in shelf.reals.all]
    return WorldLibrary(title=shelf.title, kind=shelf.kind, root=shelf.root, more=more)  # type: ignore[arg-type]
