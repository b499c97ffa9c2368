"""What each of these programs calls things: its holder of files, its routes, its words in the history. Tables, no code."""

from __future__ import annotations

from typing import Literal

import msgspec


class Routes(msgspec.Struct, frozen=True):
    """Where a program keeps what the net looks at, and its words in the history. ``files_inside``: the list of holders has
    their files in it, so that none need be asked for. ``switches`` are those of a webhook that the hub can use."""

    holders: str
    files: str
    holder_id: str
    files_inside: bool
    imported: frozenset[str]
    deleted: frozenset[str]
    renamed: frozenset[str]
    switches: tuple[str, ...]


class Product(msgspec.Struct, frozen=True):
    """One program. ``holder`` is what its posts call that which holds files; ``claims_kind`` what the holder's ids are of."""

    source: str
    title: str
    holder: str
    claims_kind: Literal["movie", "show"] | None
    routes: Routes | None = None


SONARR = Product(
    "sonarr",
    "Sonarr",
    "series",
    "show",
    Routes(
        "/api/v3/series",
        "/api/v3/episodefile",
        "seriesId",
        files_inside=False,
        imported=frozenset({"downloadFolderImported", "seriesFolderImported"}),
        deleted=frozenset({"episodeFileDeleted"}),
        renamed=frozenset({"episodeFileRenamed"}),
        switches=(
            "onDownload",
            "onUpgrade",
            "onImportComplete",
            "onRename",
            "onSeriesDelete",
            "onEpisodeFileDelete",
            "onEpisodeFileDeleteForUpgrade",
        ),
    ),
)
RADARR = Product(
    "radarr",
    "Radarr",
    "movie",
    "movie",
    Routes(
        "/api/v3/movie",
        "/api/v3/moviefile",
        "movieId",
        files_inside=True,
        imported=frozenset({"downloadFolderImported", "movieFolderImported"}),
        deleted=frozenset({"movieFileDeleted"}),
        renamed=frozenset({"movieFileRenamed"}),
        switches=(
            "onDownload",
            "onUpgrade",
            "onRename",
            "onMovieDelete",
            "onMovieFileDelete",
            "onMovieFileDeleteForUpgrade",
        ),
    ),
)
LIDARR = Product("lidarr", "Lidarr", "artist", None)
READARR = Product("readarr", "Readarr", "author", None)
PRODUCTS = (SONARR, RADARR, LIDARR, READARR)
