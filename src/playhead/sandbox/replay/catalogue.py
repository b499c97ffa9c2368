"""Which recordings there are: the files of the truth folder, grouped into sets that each stand for one server.

Knows where each project's files lie and what their routes were; the bytes are ``recordings``'.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from playhead.sandbox.replay.glue import emby_glue, jellyfin_glue, plex_glue
from playhead.sandbox.replay.recordings import (
    JSON,
    Form,
    Recording,
    RecordingSet,
    Step,
    read_step,
    read_tape,
    read_wrapped,
    rewrite_xml,
    split_query,
    take_body,
)

TOKEN = re.compile(r'Token="([^"]+)"')
USER_IN_PATH = re.compile(r"/Users/([0-9a-f]{32})")
PLEX_TOKEN = "REPLAY-TOKEN"
PLEX_TYPES = {
    "movie": "1",
    "show": "2",
    "season": "3",
    "episode": "4",
    "artist": "8",
    "album": "9",
    "track": "10",
}
FALLBACK_USER = "f" * 32
ITEM_LISTS = re.compile(
    r"(?i)(/emby)?(/Users/[0-9a-f]{32})?(/Items|/UserItems/Resume|/Items/Resume|/Shows/.*)\Z"
)
FROM_CONTENT = "route, offset and kind as the body itself tells them; the recording names none that fits"
ALIAS = "recorded from another route with the same shape; served as a list of its own"
XML_NOTE = "recorded as XML; rewritten as JSON for clients that accept only that"


def load_sets(recorded: Path) -> dict[str, RecordingSet]:
    """All sets below ``truth/recorded``, by name. Folders that are absent give none."""
    sets = [
        *_plex_sets(recorded / "plex"),
        *_jellyfin_tapes(recorded / "jellyfin"),
        *_jellyfin_files(recorded / "jellyfin"),
        *_emby_sets(recorded / "emby" / "4.9.5.0"),
    ]
    return {entry.name: entry for entry in sets}


# -- Plex


class _Container(msgspec.Struct):
    librarySectionID: int | str | None = None
    offset: int | str | None = None
    Metadata: list[dict[str, Any]] = []


class _PlexBody(msgspec.Struct):
    MediaContainer: _Container


def _plex_sets(folder: Path) -> Iterator[RecordingSet]:
    wrapped = sorted((folder / "pms-1.40").glob("get-*.json"))
    found = [entry for path in wrapped if (entry := _plex_wrapped(path)) is not None]
    if found:
        yield _plex_set("plex-1.40", "1.40.0.0", found)
    mocks = folder / "pms-1.25-1.31" / "mocks"
    bare = [*sorted(mocks.glob("server/media/*.json")), *sorted(mocks.glob("transcode/metadata_*.json"))]
    found = [entry for path in bare if (entry := _plex_bare(path)) is not None]
    if found:
        yield _plex_set("plex-1.25-1.31", "1.25.3.5409", found)
    for path in sorted(mocks.glob("timeline/metadata_*.json")):  # one item in four successive states
        if (entry := _plex_bare(path)) is not None:
            yield _plex_set(f"plex-1.31-{path.stem.removeprefix('metadata_')}", "1.31.0.0", [entry])
    xml = sorted((folder / "pms-1.43.3").glob("pms_watched_*.xml.txt"))
    if xml:
        yield _plex_set("plex-1.43.3", "1.43.3.10793", [_plex_xml(path) for path in xml])


def _plex_set(name: str, version: str, found: list[Recording]) -> RecordingSet:
    lists = tuple(entry for entry in found if entry.listed)
    return RecordingSet(
        name=name,
        kind="plex",
        version=version,
        user_id="",
        token=PLEX_TOKEN,
        recordings=tuple(found),
        glue=plex_glue(version, lists),
    )


def _plex_wrapped(path: Path) -> Recording | None:
    body = read_wrapped(path)
    return _plex_recording(path.stem, path, "response", "slice", body, body)


def _plex_bare(path: Path) -> Recording | None:
    body = path.read_bytes()
    return _plex_recording(path.stem, path, "", "file", body, body)


def _plex_xml(path: Path) -> Recording:
    body = path.read_bytes()
    made = _plex_recording(path.name.partition(".")[0], path, "", "rewritten", body, rewrite_xml(body))
    assert made is not None
    return msgspec.structs.replace(made, content_type="text/xml;charset=utf-8", derived=XML_NOTE)


def _plex_recording(
    key: str, file: Path, place: str, form: Form, body: bytes, readable: bytes
) -> Recording | None:
    """A list or a single item by what its body tells; None for what holds no items."""
    try:
        container = msgspec.json.decode(readable, type=_PlexBody, strict=False).MediaContainer
    except msgspec.DecodeError:
        return None
    if not container.Metadata or "type" not in container.Metadata[0]:
        return None
    first = container.Metadata[0]
    single = "meta-data" in key or key.startswith("metadata_")
    if single:
        path, listed, derived = f"/library/metadata/{first.get('ratingKey')}", None, FROM_CONTENT
    else:
        path, listed = f"/library/sections/{container.librarySectionID or key}/all", str(first.get("type"))
        derived = FROM_CONTENT if re.search(r"library-(all|items)|_library|watched", key) else ALIAS
    return Recording(
        key=key,
        file=file,
        place=place,
        form=form,
        path=path,
        query=() if single else _plex_query(str(first.get("type")), container.offset),
        content_type="application/json",
        body=body,
        derived=derived,
        listed=listed,
        start=int(container.offset or 0),
        size=len(container.Metadata),
    )


def _plex_query(kind: str, offset: int | str | None) -> tuple[tuple[str, str], ...]:
    asked = [("x-plex-container-start", str(offset or 0))]
    return tuple([*asked, ("type", PLEX_TYPES[kind])] if kind in PLEX_TYPES else asked)


# -- Jellyfin and Emby


class _Entry(msgspec.Struct):
    Type: str | None = None
    IsFolder: bool | None = None


class _Page(msgspec.Struct):
    Items: list[_Entry]
    StartIndex: int | None = None


def _jellyfin_tapes(folder: Path) -> Iterator[RecordingSet]:
    for home in sorted(folder.glob("*-real")):
        version = home.name.removesuffix("-real")
        who = [*_steps(home / "01-system-and-users.json", "01")]
        for path in sorted(home.glob("*.json")):
            number = path.name.partition("-")[0]
            found = [*_steps(path, number)]
            if not any(entry.listed for entry in found):
                continue
            user = _user_of(found)
            yield RecordingSet(
                name=f"jellyfin-{version}-{number}",
                kind="jellyfin",
                version=version,
                user_id=user,
                token="TOKEN-APIKEY",
                recordings=(*found, *_introduction(who, found)),
                glue=jellyfin_glue(version, user, whole=bool(who)),
            )


def _introduction(who: list[Recording], found: list[Recording]) -> Iterator[Recording]:
    """What tape 01 recorded of who answers and who the users are, for tapes that do not ask."""
    asked = {entry.path for entry in found}
    for path in ("/System/Info/Public", "/Users"):
        if path not in asked:
            yield from (entry for entry in who if (entry.path, entry.query, entry.status) == (path, (), 200))


def _steps(path: Path, number: str) -> Iterator[Recording]:
    if not path.exists():
        return
    for place, step in enumerate(read_tape(path)):
        recording = _from_step(step, f"{number}-{place}", path, f"steps[{place}].response.body")
        if recording is not None:
            yield recording


def _from_step(step: Step, key: str, file: Path, place: str) -> Recording | None:
    request, response = step.request, step.response
    if request is None or response is None or response.status is None:
        return None
    headers = {name.lower(): str(value) for name, value in response.headers.items()}
    content_type = response.content_type or headers.get("content-type")
    body, form = take_body(bytes(response.body), content_type)
    path, _, tail = request.path.partition("?")
    token = TOKEN.search(" ".join(str(value) for value in request.headers.values()))
    listed, start, size = _look_at(path, body) if response.status == 200 else (None, 0, 0)
    return Recording(
        key=key,
        file=file,
        place=place,
        form=form,
        method=request.method,
        path=path,
        query=split_query(request.query or tail),
        token=token[1] if token else None,
        status=response.status,
        content_type=content_type,
        body=body,
        listed=listed,
        start=start,
        size=size,
    )


def _look_at(path: str, body: bytes) -> tuple[str | None, int, int]:
    """Whether a body is a list of items: kind of its first entry, offset and length."""
    if not ITEM_LISTS.match(path):
        return None, 0, 0
    try:
        page = msgspec.json.decode(body, type=_Page)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None, 0, 0
    if not page.Items or page.Items[0].IsFolder is None:
        return None, 0, 0
    return page.Items[0].Type, page.StartIndex or 0, len(page.Items)


def _user_of(found: list[Recording]) -> str:
    """The user in whose name most lists were asked for."""
    named = [value for entry in found if entry.listed for name, value in entry.query if name == "userid"]
    named += [match[1] for entry in found if entry.listed and (match := USER_IN_PATH.search(entry.path))]
    return max(named, key=named.count) if named else FALLBACK_USER


def _jellyfin_files(folder: Path) -> Iterator[RecordingSet]:
    """The loose files of 12.1.0: each is a body; routes follow from their names."""
    version = "12.1.0"
    found = [_loose_file(path, version) for path in sorted(folder.glob(f"{version}-*.json"))]
    if found:
        user = next((entry.body for entry in found if entry.path == "/Users"), b"")
        ids = re.search(rb'"Id":\s*"([0-9a-f]{32})"', user)
        user_id = ids[1].decode() if ids else FALLBACK_USER
        glue = jellyfin_glue(version, user_id, whole=True)
        yield RecordingSet(
            name=f"jellyfin-{version}",
            kind="jellyfin",
            version=version,
            user_id=user_id,
            token="TOKEN-APIKEY",
            recordings=tuple(found),
            glue=glue,
        )


LOOSE_ROUTES = {
    "system_info_public": "/System/Info/Public",
    "users": "/Users",
    "virtual_folders": "/Library/VirtualFolders",
}


def _loose_file(path: Path, version: str) -> Recording:
    name, body = path.stem.removeprefix(f"{version}-"), path.read_bytes()
    listed, start, size = _look_at("/Items", body)
    return Recording(
        key=name,
        file=path,
        form="file",
        path=LOOSE_ROUTES.get(name.partition("-")[0], "/Items" if listed else f"/Items/{name}"),
        query=(("parentid", name),) if listed else (),
        content_type=JSON,
        body=body,
        derived="route from the file's name",
        listed=listed,
        start=start,
        size=size,
    )


def _emby_sets(folder: Path) -> Iterator[RecordingSet]:
    """The envelopes of 4.9.5.0. Two users were recorded; the views' user gets a set of its own."""
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            step = read_step(path)
        except msgspec.ValidationError:  # frames of a socket
            continue
        recording = _from_step(step, path.stem, path, "response.body")
        if recording is not None:
            found.append(recording)
    users = sorted({match[1] for entry in found if (match := USER_IN_PATH.search(entry.path))})
    for user in users:
        others = {other for other in users if other != user}
        mine = tuple(entry for entry in found if not others & _names_in(entry))
        if any(entry.listed or "Views" in entry.path for entry in mine):
            yield RecordingSet(
                name=f"emby-4.9.5.0-{user[:4]}",
                kind="emby",
                version="4.9.5.0",
                user_id=user,
                token="TOKEN-APIKEY",
                recordings=mine,
                glue=emby_glue(user),
            )


def _names_in(entry: Recording) -> set[str]:
    """The users that a request names."""
    return {*USER_IN_PATH.findall(entry.path), *(value for name, value in entry.query if name == "userid")}
