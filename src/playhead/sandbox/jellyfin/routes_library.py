"""Routes of libraries and scans. When scans happen is ``scans``' (facts A5); a refresh of a folder is at once (tape 26)."""

from __future__ import annotations

import posixpath
from typing import Any

from aiohttp import web

from playhead.sandbox.folders import shown as shown_path
from playhead.sandbox.folders import taken
from playhead.sandbox.jellyfin.answers import (
    invalid,
    json_answer,
    json_failure,
    nothing,
    problem,
    text_failure,
)
from playhead.sandbox.jellyfin.call import Call
from playhead.sandbox.jellyfin.catalogue import PLAYLISTS_PATH
from playhead.sandbox.jellyfin.defaults import library_options
from playhead.sandbox.jellyfin.routes_items import find_item
from playhead.sandbox.jellyfin.web import Route

_OLD_TYPES = {"movies": "Movies", "tvshows": "TvShows"}  # as the document of 10.8 has them
_REFRESH_MODES = ("none", "validationonly", "default", "fullrefresh")


def list_virtual_folders(call: Call) -> web.Response:
    """``GET /Library/VirtualFolders``, in the file system's order: here newest first."""
    server = call.server
    found: list[dict[str, Any]] = []
    for library in reversed(server.catalogue.libraries.values()):
        shown: dict[str, Any] = {"Name": library.name, "Locations": [*map(shown_path, library.paths)]}
        if library.collection is not None:
            old = server.rules.generation < (10, 9)
            shown["CollectionType"] = (
                _OLD_TYPES.get(library.collection, "Mixed") if old else library.collection
            )
        shown["LibraryOptions"] = library.options or library_options(server.rules, library.paths, {})
        shown["ItemId"] = library.folder.id
        shown |= server.library_task.status_of(library)
        found.append(shown)
    return json_answer(found)


def add_virtual_folder(call: Call) -> web.Response:
    """``POST /Library/VirtualFolders``."""
    server = call.server
    name, paths = call.text("name") or "", call.words("paths")
    shape = {"libraryoptions": dict}
    given = (call.json("libraryOptionsDto", shape).get("libraryoptions") if call.body else None) or {}
    paths = paths or [each["Path"] for each in given.get("PathInfos", [])]
    try:
        library = server.catalogue.add_library(name, call.text("collectionType"), paths)
    except ValueError:
        raise text_failure(400) from None
    library.options = library_options(server.rules, paths, given)
    if call.flag("refreshLibrary"):
        server.library_task.start()
    return nothing()


def remove_virtual_folder(call: Call) -> web.Response:
    """``DELETE /Library/VirtualFolders?name=``."""
    try:
        call.server.catalogue.remove_library(call.text("name") or "")
    except KeyError:
        raise problem(404) from None
    return nothing()


def rename_virtual_folder(call: Call) -> web.Response:
    """``POST /Library/VirtualFolders/Name``: the library's own id changes, its items keep theirs."""
    new = call.text("newName")
    if not new:
        raise text_failure(400)
    try:
        call.server.catalogue.rename_library(call.text("name") or "", new)
    except KeyError:
        raise json_failure("The media collection does not exist.", 404) from None
    return nothing()


def set_library_options(call: Call) -> web.Response:
    """``POST /Library/VirtualFolders/LibraryOptions``."""
    given = call.json("request", {"id": str, "libraryoptions": dict})
    for library in call.server.catalogue.libraries.values():
        if library.folder.id == given.get("id"):
            library.options = library_options(
                call.server.rules, library.paths, given.get("libraryoptions") or {}
            )
            return nothing()
    raise problem(404)


def list_physical_paths(call: Call) -> web.Response:
    """``GET /Library/PhysicalPaths``."""
    libraries = call.server.catalogue.libraries.values()
    paths = [shown_path(path) for library in libraries for path in library.paths]
    return json_answer([*paths[:1], PLAYLISTS_PATH, *paths[1:]])


def refresh_library(call: Call) -> web.Response:
    """``POST /Library/Refresh``: a full scan begins."""
    call.server.library_task.start()
    return nothing()


def media_updated(call: Call) -> web.Response:
    """``POST /Library/Media/Updated``: only the path counts; foreign ones are ignored."""
    updates = call.json("dto", {"updates": list}).get("updates", [])
    if updates is None:
        raise problem(400, {"Updates": ["The Updates field is required."]})
    paths = [_path_of(update) for update in updates]
    if not all(paths):
        raise text_failure(400)
    for path in paths:
        call.server.monitor.report(posixpath.normpath(taken(path)))
    return nothing()


def _path_of(update: Any) -> str:
    if not isinstance(update, dict):
        raise problem(400, {"$.Updates": ["The JSON value could not be converted."]})
    found = {name.lower(): value for name, value in update.items()}.get("path")
    return found if isinstance(found, str) else ""


def series_or_movies_updated(call: Call) -> web.Response:
    """``POST /Library/{Series,Movies}/{Added,Updated}``: 204 and nothing more in 10.11 and 12."""
    return nothing()


def refresh_item(call: Call) -> web.Response:
    """``POST /Items/{itemId}/Refresh``: a scan of a folder; a full refresh reads the metadata again."""
    for name in ("metadataRefreshMode", "imageRefreshMode"):
        mode = call.text(name)
        if mode is not None and mode.lower() not in _REFRESH_MODES:
            raise invalid(name, mode)
    item = find_item(call, None)
    outer = item.type in ("CollectionFolder", "UserRootFolder")
    mode = (call.text("metadataRefreshMode") or "none").lower()
    paths = [root.path for root in item.children.values()] if item.library else None
    call.server.scan(paths if outer else [item.path], read=mode in ("default", "fullrefresh"))
    if mode == "fullrefresh" and item.id in call.server.catalogue.items:
        call.server.catalogue.refresh(item)
    return nothing()


def delete_item(call: Call) -> web.Response:
    """``DELETE /Items/{itemId}``: the file goes, for those who may."""
    assert call.token is not None
    item = find_item(call, call.token.user)
    if call.token.user is not None and not call.token.user.policy["EnableContentDeletion"]:
        raise json_failure("Unauthorized access", 401)
    for path in [
        path for path in call.server.disk.files if path == item.path or path.startswith(f"{item.path}/")
    ]:
        call.server.disk.remove(path)
    call.server.scan([item.path])
    return nothing()


def empty_list(call: Call) -> web.Response:
    """Lists of which nothing is emulated: packages, logs."""
    return json_answer([])


ROUTES = [
    Route("GET", "/Library/VirtualFolders", list_virtual_folders, "admin"),
    Route("POST", "/Library/VirtualFolders", add_virtual_folder, "admin"),
    Route("DELETE", "/Library/VirtualFolders", remove_virtual_folder, "admin"),
    Route("POST", "/Library/VirtualFolders/Name", rename_virtual_folder, "admin"),
    Route("POST", "/Library/VirtualFolders/LibraryOptions", set_library_options, "admin"),
    Route("GET", "/Library/PhysicalPaths", list_physical_paths, "admin"),
    Route("POST", "/Library/Refresh", refresh_library, "admin"),
    Route("POST", "/Library/Media/Updated", media_updated),
    *(
        Route("POST", f"/Library/{what}/{event}", series_or_movies_updated)
        for what in ("Series", "Movies")
        for event in ("Added", "Updated")
    ),
    Route("POST", "/Items/{itemId}/Refresh", refresh_item, "admin"),
    Route("DELETE", "/Items/{itemId}", delete_item),
    *(Route("GET", path, empty_list, "admin") for path in ("/Packages", "/System/Logs")),
]
