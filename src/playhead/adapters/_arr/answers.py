"""Answers of the API that the net reads: the members that matter. Source: the makers' OpenAPI documents, recorded answers."""

from __future__ import annotations

import msgspec

from playhead.adapters._arr.wire import Ids


class Status(msgspec.Struct):
    """``system/status``."""

    appName: str | None = None
    instanceName: str | None = None
    version: str | None = None


class Root(msgspec.Struct):
    """A root folder. ``accessible`` False: the disk is gone."""

    path: str
    accessible: bool = True


class Statistics(msgspec.Struct):
    episodeFileCount: int = 0
    movieFileCount: int = 0
    sizeOnDisk: int = 0


class FileRow(msgspec.Struct):
    """An episode or movie file."""

    id: int
    relativePath: str | None = None
    path: str | None = None
    size: int = 0


class HolderRow(msgspec.Struct):
    """A series or movie in the list; a movie has its file with it."""

    id: int
    title: str = ""
    path: str = ""
    tvdbId: Ids = None
    tvMazeId: Ids = None
    tmdbId: Ids = None
    imdbId: Ids = None
    statistics: Statistics | None = None
    movieFile: FileRow | None = None


class HistoryRow(msgspec.Struct):
    """One record. ``data`` values are texts, whatever they stand for; the net asks for them by ``told``."""

    id: int
    date: str
    eventType: str
    seriesId: int = 0
    movieId: int = 0
    episodeId: int = 0
    sourceTitle: str | None = None
    data: dict[str, object] = {}

    def told(self, name: str) -> str | None:
        """A text of the data; None for what is none."""
        value = self.data.get(name)
        return value if isinstance(value, str) else None


class HistoryPage(msgspec.Struct):
    totalRecords: int
    records: list[HistoryRow]
