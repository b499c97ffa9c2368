"""The words and shapes of Radarr 6, API v3, as its OpenAPI document and recorded answers have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from playhead.sandbox.arr.history import write_time
from playhead.sandbox.arr.names import clean_name, fill_format, reduce_title, sort_title, write_quality
from playhead.sandbox.arr.shapes import LANGUAGES, media_info, number_of, posted_file, status_of
from playhead.sandbox.arr.shelf import File, Holder, Part
from playhead.sandbox.arr.web import problem, refused
from playhead.sandbox.world import WorldItem

_COMMANDS = "RescanMovie RefreshMovie RenameFiles RenameMovie DownloadedMoviesScan CheckHealth RssSync Backup Housekeeping"

_COLONS = ("delete", "dash", "spaceDash", "spaceDashSpace", "smart")


class RadarrDialect:
    """Radarr."""

    app = "Radarr"
    library = "movies"
    version = "6.0.4.10291"
    holder = "movie"
    file = "movieFile"
    world_id = "tmdb"
    rename_setting = "renameMovies"
    flags: tuple[str, ...] = (
        "onGrab",
        "onDownload",
        "onUpgrade",
        "onRename",
        "onMovieAdded",
        "onMovieDelete",
        "onMovieFileDelete",
        "onMovieFileDeleteForUpgrade",
        "onHealthIssue",
        "onHealthRestored",
        "onApplicationUpdate",
        "onManualInteractionRequired",
    )
    history: Mapping[str, int] = MappingProxyType(
        {"grabbed": 1, "downloadFolderImported": 3, "movieFileDeleted": 6, "movieFileRenamed": 8}
    )
    imported = "downloadFolderImported"
    deleted = "movieFileDeleted"
    renamed = "movieFileRenamed"
    commands = frozenset(_COMMANDS.split())
    unsaid = frozenset({"statistics", "rootFolderPath", "sizeOnDisk", "hasFile"})
    problem_kind = "application/problem+json; charset=utf-8"

    def write_status(self, started: float) -> dict[str, Any]:
        return status_of(self.app, self.version, started)

    def write_naming(self) -> dict[str, Any]:
        return {
            "renameMovies": True,
            "replaceIllegalCharacters": True,
            "colonReplacementFormat": "smart",
            "standardMovieFormat": "{Movie Title} ({Release Year}) {Quality Full}",
            "movieFolderFormat": "{Movie Title} ({Release Year})",
            "id": 1,
        }

    def check_naming(self, fields: dict[str, Any]) -> list[dict[str, Any]]:
        colon = fields.get("colonReplacementFormat", "smart")
        if isinstance(colon, int) and colon < len(_COLONS):
            fields["colonReplacementFormat"] = _COLONS[colon]
        elif colon not in _COLONS:
            path = "$.colonReplacementFormat"
            text = f"The JSON value could not be converted to NzbDrone.Core.Organizer.ColonReplacementFormat. Path: {path}"
            raise problem(400, "One or more validation errors occurred.", {path: [text]})
        rows = []
        file, folder = fields.get("standardMovieFormat"), fields.get("movieFolderFormat")
        if not file or "{Movie Title}" not in file or "{Release Year}" not in file:
            text = "Must contain either movie title and release year OR Original Title/Filename"
            rows.append(refused("standardMovieFormat", text, "ValidMovieFormatValidator", file))
        if not folder or "{Movie Title}" not in folder:
            code = "ValidMovieFolderFormatValidator"
            rows.append(refused("movieFolderFormat", "Must contain movie title", code, folder))
        return rows

    def name_file(
        self, holder: Holder, parts: Sequence[Part], quality: str, naming: Mapping[str, Any]
    ) -> str:
        words = {"Movie Title": clean_name(holder.item.title), "Release Year": holder.item.year or ""}
        return fill_format(naming["standardMovieFormat"], {**words, "Quality Full": quality})

    def write_holder(self, holder: Holder, root: str) -> dict[str, Any]:
        file = holder.files[0] if holder.files else None
        size = file.size if file else 0
        return {
            **_describe(holder.item),
            "sizeOnDisk": size,
            "path": holder.path,
            "qualityProfileId": 1,
            "hasFile": file is not None,
            "movieFileId": file.id if file else 0,
            "monitored": holder.monitored,
            "minimumAvailability": "released",
            "isAvailable": True,
            "folderName": holder.path,
            "rootFolderPath": root,
            "tags": holder.tags,
            "added": write_time(holder.added),
            "movieFile": self._file_in_list(holder, file) if file else None,
            "statistics": {
                "movieFileCount": int(file is not None),
                "sizeOnDisk": size,
                "releaseGroups": [file.group] if file and file.group else [],
            },
            "id": holder.id,
        }

    def _file_in_list(self, holder: Holder, file: File) -> dict[str, Any]:
        shown = self.write_file(holder, file)
        return {name: each for name, each in shown.items() if not name.startswith("customFormat")}

    def write_file(self, holder: Holder, file: File) -> dict[str, Any]:
        return {
            "movieId": holder.id,
            "relativePath": file.relative,
            "path": holder.place(file),
            "size": file.size,
            "dateAdded": write_time(file.added),
            "sceneName": file.scene,
            "releaseGroup": file.group,
            "edition": "",
            "languages": LANGUAGES,
            "quality": write_quality(file.quality, movie=True),
            "customFormats": [],
            "customFormatScore": 0,
            "indexerFlags": 0,
            "mediaInfo": media_info(),
            "qualityCutoffNotMet": False,
            "id": file.id,
        }

    def post_holder(self, holder: Holder, tags: Sequence[str]) -> dict[str, Any]:
        item = holder.item
        imdb = {"imdbId": item.ids["imdb"]} if "imdb" in item.ids else {}
        return {
            "movie": {
                "id": holder.id,
                "title": item.title,
                "year": item.year or 0,
                "releaseDate": f"{item.year or 2000}-09-21",
                "folderPath": holder.path,
                "tmdbId": number_of(item, "tmdb"),
                **imdb,
                "overview": f"Overview of {item.title}",
                "genres": ["Drama"],
                "images": [],
                "tags": list(tags),
                "originalLanguage": LANGUAGES[0],
            }
        }

    def post_remote(self, holder: Holder) -> dict[str, Any]:
        movie = self.post_holder(holder, [])["movie"]
        return {
            "remoteMovie": {
                name: movie[name] for name in ("tmdbId", "imdbId", "title", "year") if name in movie
            }
        }

    def post_parts(self, parts: Sequence[Part], holder: Holder) -> dict[str, Any]:
        return {}

    def post_file(self, holder: Holder, file: File) -> dict[str, Any]:
        return {**posted_file(holder, file), "indexerFlags": "0"}

    def post_release(self, files: int) -> dict[str, Any]:
        return {"size": 0, "indexerFlags": []}

    def post_test(self) -> dict[str, Any]:
        movie = {
            "id": 1,
            "title": "Test Title",
            "year": 1970,
            "releaseDate": "1970-01-01",
            "folderPath": "C:\\testpath",
        }
        release = {
            "quality": "Test Quality",
            "qualityVersion": 1,
            "releaseGroup": "Test Group",
            "releaseTitle": "Test Title",
        }
        return {
            "movie": {**movie, "tmdbId": 0, "tags": ["test-tag"]},
            "remoteMovie": {"tmdbId": 1234, "imdbId": "5678", "title": "Test title", "year": 1970},
            "release": {**release, "indexer": "Test Indexer", "size": 9999999, "customFormatScore": 0},
            "eventType": "Test",
        }


def _describe(item: WorldItem) -> dict[str, Any]:
    """What stands of the work itself in a movie."""
    return {
        "title": item.title,
        "originalTitle": item.title,
        "originalLanguage": LANGUAGES[0],
        "alternateTitles": [],
        "secondaryYearSourceId": 0,
        "sortTitle": sort_title(item.title),
        "status": "released",
        "overview": f"Overview of {item.title}",
        "inCinemas": f"{item.year or 2000}-03-31T00:00:00Z",
        "physicalRelease": f"{item.year or 2000}-09-21T00:00:00Z",
        "digitalRelease": f"{item.year or 2000}-09-01T00:00:00Z",
        "releaseDate": f"{item.year or 2000}-09-01T00:00:00Z",
        "images": [],
        "website": "",
        "year": item.year or 0,
        "studio": "Studio",
        "runtime": round(item.duration_s / 60),
        "cleanTitle": reduce_title(item.title),
        "imdbId": item.ids.get("imdb"),
        "tmdbId": number_of(item, "tmdb"),
        "titleSlug": str(number_of(item, "tmdb")),
        "genres": ["Drama"],
        "keywords": [],
        "ratings": {"tmdb": {"votes": 10, "value": 7.5, "type": "user"}},
        "popularity": 10,
    }
