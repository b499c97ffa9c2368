"""The posts of Sonarr, Radarr, Lidarr and Readarr, version 3 to today's: the members that matter, each of them optional.

Source: facts, library-updates-and-links.md 0 and 1.5.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from playhead.kit.posted import NativeId, Text

PathText = Annotated[str, Meta(max_length=4096)]
Words = Annotated[str, Meta(max_length=1000)]
Ids = int | Words | None  # as they come: shapes are checked where claims are made


class Holder(msgspec.Struct):
    """``series``, ``movie``, ``artist`` or ``author``. Radarr says ``folderPath``, Lidarr and Readarr ``name``."""

    id: NativeId | None = None
    title: Words | None = None
    name: Words | None = None
    path: PathText | None = None
    folderPath: PathText | None = None
    tvdbId: Ids = None
    tvMazeId: Ids = None
    tmdbId: Ids = None
    imdbId: Ids = None


class Episode(msgspec.Struct):
    tvdbId: Ids = None


class File(msgspec.Struct):
    """An episode, movie, track or book file; renamed ones also say what they were called."""

    id: NativeId | None = None
    relativePath: PathText | None = None
    path: PathText | None = None
    previousRelativePath: PathText | None = None
    previousPath: PathText | None = None


class Post(msgspec.Struct):
    """One post. ``deletedFiles`` is a list of files on an import and a truth value on a deletion."""

    eventType: Text
    instanceName: Text | None = None
    series: Holder | None = None
    movie: Holder | None = None
    artist: Holder | None = None
    author: Holder | None = None
    episodes: list[Episode] | None = None
    episodeFile: File | None = None
    movieFile: File | None = None
    trackFile: File | None = None
    bookFile: File | None = None
    episodeFiles: list[File] | None = None
    trackFiles: list[File] | None = None
    bookFiles: list[File] | None = None
    renamedEpisodeFiles: list[File] | None = None
    renamedMovieFiles: list[File] | None = None
    renamedTrackFiles: list[File] | None = None
    renamedBookFiles: list[File] | None = None
    deletedFiles: list[File] | bool | None = None
    deleteReason: Text | None = None
    isUpgrade: bool | None = None
    destinationPath: PathText | None = None
