"""What the acts on libraries say of a library, in the control side's words; the same for every kind of server."""

from __future__ import annotations

from typing import Any

import msgspec

from playhead.sandbox.folders import RealFolder, RealFolders, root_of, shown, taken
from playhead.sandbox.world import WorldFolder, WorldLibrary

Args = dict[str, Any]
REAL = "the library {!r} has a real folder: change the files in {} and scan"
"""Why an act on files is refused."""


def read_new_library(args: Args) -> WorldLibrary:
    """The library that ``add_library`` makes. Raises ValueError."""
    given = {name: args[name] for name in ("title", "kind", "root", "folder") if args.get(name)}
    try:
        library = msgspec.convert(given, WorldLibrary)
    except msgspec.ValidationError as error:
        raise ValueError(
            f'"add_library" needs "title", "kind" (movies, shows) and "root", "folder" or both: {error}'
        ) from error
    if not library.root and not library.folder:
        raise ValueError('"add_library" needs "root", "folder" or both')
    return library


def read_place(args: Args, library: WorldLibrary) -> WorldLibrary:
    """The same library in another place, for ``move_library``. Raises ValueError."""
    root, folder = args.get("root") or "", args.get("folder")
    if not root and not folder:
        raise ValueError('"move_library" needs "root", "folder" or both')
    return msgspec.structs.replace(
        library, root=str(root), folder=None if folder is None else str(folder), more=[]
    )


def read_folder(args: Args) -> RealFolder:
    """The folder that ``add_folder`` gives to a library. Raises ValueError."""
    folder = args.get("folder")
    if not folder:
        raise ValueError(
            '"add_folder" needs "folder": a real folder; "root" where the server sees it elsewhere'
        )
    place = WorldFolder(folder=str(folder), root=str(args.get("root") or ""))
    return RealFolder(place.folder, root_of(place))


def take_folder(folders: RealFolders, args: Args) -> RealFolder:
    """The folder that ``remove_folder`` takes from a library. Raises ValueError naming those that there are."""
    wanted = taken(str(args.get("root") or "")).rstrip("/")
    found = next((each for each in folders.all if each.root == wanted), None)
    if found is None or len(folders.all) == 1:
        raise ValueError(
            f'"remove_folder" needs "root", one of several: {", ".join(map(shown, folders.roots))}'
        )
    folders.all.remove(found)
    return found


def mount(folders: RealFolders, args: Args, *, mounted: bool) -> None:
    """A share goes, with ``empty`` true an empty folder stays in its place; or it comes back. ``root`` names one of several."""
    wanted = taken(str(args.get("root") or "")).rstrip("/")
    for real in folders.all:
        if wanted in ("", real.root):
            real.mounted = mounted
            real.emptied = not mounted and bool(args.get("empty"))
