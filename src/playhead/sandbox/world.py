"""A world: the items that exist, the servers that hold them, and what each user's state is there, as one JSON file.

The shapes of ``--world FILE``. The emulators read a world once at start; the control side changes what grew out of it.
Times are epoch seconds (UTC) or ISO 8601 text; durations and positions are seconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec


class WorldItem(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A movie, a show or an episode as it exists in the world, whatever servers make of it.

    ``id`` is the world's own name for it and stands as ``item`` in the control side's answers. ``ids`` are true external
    ids by source (``{"imdb": "tt0133093", "tmdb": "603"}``). An episode names its ``show`` by world id.
    """

    id: str
    type: Literal["movie", "show", "episode"]
    title: str
    year: int | None = None
    ids: dict[str, str] = {}
    show: str | None = None
    season: int | None = None
    episode: int | None = None
    duration_s: float = 3600.0
    file: str | None = None  # path below the server's library root; made from the titles where absent
    added_at: int | str | None = None


class WorldState(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What one user's state of one item is at the start."""

    item: str
    watched: bool = False
    plays: int | None = None  # default: 1 when watched
    last_played: int | str | None = None
    position_s: float = 0.0
    rating: float | None = None
    favourite: bool = False


class WorldUser(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A login on a server. The first user of a Plex server is its owner; ``admin`` elsewhere."""

    name: str
    id: str | None = None
    token: str | None = None
    password: str = ""
    pin: str = ""  # protects them in the Plex Home
    admin: bool = False
    libraries: list[str] | None = None  # titles of the libraries that the user may see; None = all
    state: list[WorldState] = []


class Placement(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How one server holds one item, where that differs from the plain case.

    ``ids`` replaces the item's ids as this server knows them (``{}`` = none: missing ids; wrong ones: wrong ids).
    ``guid`` (Plex) is the main guid as it stands there: a legacy agent's, HAMA's, an NFO's, ``local://``.
    ``native_id`` fixes the ratingKey or item id. ``with_next`` more episodes are in the same file (Jellyfin and Emby show
    one entry with IndexNumberEnd, Plex one entry each). ``versions`` adds further files of the same item.
    ``library`` names the library by title where it is not the first of its kind; an item may have several placements.
    """

    item: str
    library: str | None = None
    native_id: str | None = None
    ids: dict[str, str] | None = None
    guid: str | None = None
    title: str | None = None
    year: int | None = None
    season: int | None = None
    episode: int | None = None
    file: str | None = None
    duration_s: float | None = None
    with_next: int = 0
    versions: int = 1
    numbers_only: bool = False  # episode without ids of its own: known by show and numbers alone


class WorldFolder(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One more real folder of a library; ``root`` is its path as the server sees it (absent: the same)."""

    folder: str
    root: str = ""


class WorldLibrary(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A library of a server: ``kind`` movies or shows, ``root`` the folder as the server sees it.

    ``folder`` is a real folder on this machine: the files in it are what scans find. ``root`` may then be absent (the same
    path) or any other path, of Windows and UNC form as well. ``more`` are further real folders.
    """

    title: str
    kind: Literal["movies", "shows"]
    root: str = ""
    folder: str | None = None
    more: list[WorldFolder] = []
    native_id: str | None = None


class WorldServer(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A server. ``items``: "all", or world ids (a show's id stands for all its episodes)."""

    name: str
    kind: Literal["plex", "jellyfin", "emby", "sonarr", "radarr"]
    version: str | None = (
        None  # default: plex 1.43.3, jellyfin 12.0.0, emby 4.9.5.0; of others the newest known
    )
    server_id: str | None = None
    port: int = 0  # 0 = any free one
    users: list[WorldUser] = []
    libraries: list[WorldLibrary] = []
    items: Literal["all"] | list[str] = "all"
    placements: list[Placement] = []
    clock_skew_s: float = 0.0
    quirks: dict[str, bool | int | str] = {}  # by name, listed in docs/reference/sandbox.md
    webhooks: list[str] = []  # URLs on this machine that are told of everything from the start
    delays: dict[str, float] = {}  # seconds by name, listed in docs/reference/sandbox.md


class World(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Everything: items and servers. ``now`` fixes the clock at the start (None = the real time)."""

    items: list[WorldItem]
    servers: list[WorldServer]
    now: int | str | None = None


def load_world(path: Path) -> World:
    """Read and check a world file. Raises ValueError with the place of the mistake (``$.items[3].type``)."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=World)
    except msgspec.DecodeError as error:
        raise ValueError(f"{path}: {error}") from error
