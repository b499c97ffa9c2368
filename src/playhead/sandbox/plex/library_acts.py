"""What happens to the libraries of an emulated Plex: made, renamed, moved, removed, their share gone. Knows no HTTP.

*Assumed*: a library that is made or gets another folder is scanned at once, as the real one's pages do.
"""

from __future__ import annotations

from collections.abc import Callable

from playhead.sandbox.folders import RealFolders, is_below, root_of
from playhead.sandbox.library_args import Args, mount, read_folder, read_new_library, read_place, take_folder
from playhead.sandbox.plex.catalogue import Section
from playhead.sandbox.plex.core import PlexCore
from playhead.sandbox.plex.wording import check_language
from playhead.sandbox.world import WorldLibrary

_KINDS = {"movie": "movies", "show": "shows"}


class LibraryActs:
    """Acts by name. ``now`` is epoch seconds in the server's clock."""

    def __init__(self, core: PlexCore) -> None:
        self._core = core
        self.by_name: dict[str, Callable[[str, int, Args], None]] = {
            "add_library": self._add,
            "rename_library": self._rename,
            "move_library": self._move,
            "remove_library": self._remove,
            "restore_library": self._restore,
            "unmount": lambda item, now, args: mount(self._here(item, args).reals, args, mounted=False),
            "mount": lambda item, now, args: mount(self._here(item, args).reals, args, mounted=True),
            "add_folder": self._add_folder,
            "remove_folder": self._remove_folder,
            "set_language": self._set_language,
        }

    def _add(self, item: str, now: int, args: Args) -> None:
        library = read_new_library(args)
        if any(each.title == library.title for each in self._core.catalogue.present_sections()):
            raise ValueError(f"there is a library {library.title!r} already")
        section = self._core.builder.add_library(library, now)
        self._core.scans.start(section)

    def _rename(self, item: str, now: int, args: Args) -> None:
        title = args.get("title") or args.get("to")
        if not title:
            raise ValueError('"rename_library" needs "title": the new title')
        self._find(item, args, present=True).title = str(title)
        self._core.catalogue.revision += 1

    def _move(self, item: str, now: int, args: Args) -> None:
        """Another folder: with a real one the next scan finds what lies there, else the files move along."""
        section = self._find(item, args, present=True)
        kind = _KINDS[section.type]
        library = read_place(args, WorldLibrary(title=section.title, kind=kind))  # type: ignore[arg-type]
        old, section.root, section.reals = section.root, root_of(library), RealFolders(library)
        if not section.reals:
            self._move_files(section, old)
        self._core.catalogue.revision += 1
        self._core.scans.start(section)

    def _add_folder(self, item: str, now: int, args: Args) -> None:
        """One more folder; it is scanned at once."""
        section = self._here(item, args)
        section.reals.all.append(read_folder(args))
        self._core.scans.start(section)

    def _remove_folder(self, item: str, now: int, args: Args) -> None:
        """A folder less: its items are gone with the next scan of everything, which begins at once."""
        section = self._here(item, args)
        take_folder(section.reals, args)
        if section.root not in section.reals.roots:
            section.root = section.reals.roots[0]
        self._core.scans.start(section)

    def _move_files(self, section: Section, old: str) -> None:
        for node in self._core.catalogue.nodes.values():
            if node.section is section and node.files:
                node.files = [
                    section.root + path[len(old) :] if is_below(path, old) else path for path in node.files
                ]
                node.forget_text()

    def _remove(self, item: str, now: int, args: Args) -> None:
        """Its items answer 404 and are in no list until it is restored."""
        section = self._find(item, args, present=True)
        self._core.scans.cancel(section)
        section.present = False
        self._core.catalogue.revision += 1
        self._core.notifications.section_gone(section)

    def _restore(self, item: str, now: int, args: Args) -> None:
        """The library is made anew: its items have new keys and the old state, if their guid is no local one."""
        section = self._find(item, args, present=False)
        section.present = True
        self._core.catalogue.rekey(section, now)
        for account in self._core.accounts:
            for guid in [guid for guid in self._core.state.of(account.id) if guid.startswith("local://")]:
                if not self._core.catalogue.by_guid.get(guid):
                    self._core.state.forget_guid(guid)

    def _set_language(self, item: str, now: int, args: Args) -> None:
        language = str(args.get("language", ""))
        check_language(language)
        self._core.language = language

    def _here(self, item: str, args: Args) -> Section:
        return self._find(item, args, present=True)

    def _find(self, item: str, args: Args, *, present: bool) -> Section:
        title = args.get("library") or item
        if not title:
            raise ValueError('this act needs "library": its title')
        for section in self._core.catalogue.sections:
            if section.title == title and section.present == present:
                return section
        there = ", ".join(
            section.title for section in self._core.catalogue.sections if section.present == present
        )
        raise KeyError(f"no library {title!r}; there are: {there}")
