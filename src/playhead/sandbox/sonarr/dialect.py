"""The words and shapes of Sonarr 4, API v3, as its OpenAPI document and recorded answers have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from playhead.sandbox.arr.history import write_time
from playhead.sandbox.arr.names import clean_name, fill_format, reduce_title, slug, sort_title, write_quality
from playhead.sandbox.arr.shapes import LANGUAGES, media_info, number_of, posted_file, status_of
from playhead.sandbox.arr.shelf import File, Holder, Part
from playhead.sandbox.world import WorldItem

_COMMANDS = "RescanSeries RefreshSeries RenameFiles RenameSeries DownloadedEpisodesScan CheckHealth RssSync Backup Housekeeping"


class SonarrDialect:
    """Sonarr."""

    app = "Sonarr"
    library = "shows"
    version = "4.0.19.2979"
    holder = "series"
    file = "episodeFile"
    world_id = "tvdb"
    rename_setting = "renameEpisodes"
    flags: tuple[str, ...] = (
        "onGrab",
        "onDownload",
        "onUpgrade",
        "onImportComplete",
        "onRename",
        "onSeriesAdd",
        "onSeriesDelete",
        "onEpisodeFileDelete",
        "onEpisodeFileDeleteForUpgrade",
        "onHealthIssue",
        "onHealthRestored",
        "onApplicationUpdate",
        "onManualInteractionRequired",
    )
    history: Mapping[str, int] = MappingProxyType(
        {"grabbed": 1, "downloadFolderImported": 3, "episodeFileDeleted": 5, "episodeFileRenamed": 6}
    )
    imported = "downloadFolderImported"
    deleted = "episodeFileDeleted"
    renamed = "episodeFileRenamed"
    commands = frozenset(_COMMANDS.split())
    unsaid = frozenset({"statistics", "rootFolderPath"})
    problem_kind = "application/json; charset=utf-8"

    def write_status(self, started: float) -> dict[str, Any]:
        return status_of(self.app, self.version, started) | {"isContainerized": True, "runtimeName": ".NET"}

    def write_naming(self) -> dict[str, Any]:
        return {
            "renameEpisodes": True,
            "replaceIllegalCharacters": True,
            "colonReplacementFormat": 4,
            "customColonReplacementFormat": "",
            "multiEpisodeStyle": 5,
            "standardEpisodeFormat": "{Series Title} - S{season:00}E{episode:00} - {Episode Title} {Quality Full}",
            "dailyEpisodeFormat": "{Series Title} - {Air-Date} - {Episode Title} {Quality Full}",
            "animeEpisodeFormat": "{Series Title} - S{season:00}E{episode:00} - {Episode Title} {Quality Full}",
            "seriesFolderFormat": "{Series Title}",
            "seasonFolderFormat": "Season {season}",
            "specialsFolderFormat": "Specials",
            "id": 1,
        }

    def check_naming(self, fields: dict[str, Any]) -> list[dict[str, Any]]:
        return []  # unknown numbers for colons are kept as they are (facts 0.15)

    def name_file(
        self, holder: Holder, parts: Sequence[Part], quality: str, naming: Mapping[str, Any]
    ) -> str:
        first, *more = parts
        tail = "".join(f"-E{part.number:02}" for part in more[-1:])
        pattern = naming["standardEpisodeFormat"].replace("{episode:00}", "{episode:00}" + tail)
        words = {
            "Series Title": clean_name(holder.item.title).rstrip("."),
            "season": first.season,
            "episode": first.number,
            "Episode Title": " + ".join(clean_name(part.item.title).rstrip(".") for part in parts),
            "Quality Full": quality,
        }
        folder = naming["specialsFolderFormat"] if first.season == 0 else naming["seasonFolderFormat"]
        return f"{fill_format(folder, words)}/{fill_format(pattern, words)}"

    def write_holder(self, holder: Holder, root: str) -> dict[str, Any]:
        return {
            **_describe(holder.item),
            "seasons": [
                {"seasonNumber": number, "monitored": number > 0, "statistics": _count(holder, number)}
                for number in sorted({part.season for part in holder.parts})
            ],
            "path": holder.path,
            "qualityProfileId": 1,
            "seasonFolder": True,
            "monitored": holder.monitored,
            "monitorNewItems": "all",
            "rootFolderPath": root,
            "tags": holder.tags,
            "added": write_time(holder.added),
            "statistics": {
                "seasonCount": len({part.season for part in holder.parts if part.season}),
                **_count(holder, None),
            },
            "languageProfileId": 1,
            "id": holder.id,
        }

    def write_file(self, holder: Holder, file: File) -> dict[str, Any]:
        parts = holder.parts_of(file)
        return {
            "seriesId": holder.id,
            "seasonNumber": parts[0].season,
            "relativePath": file.relative,
            "path": holder.place(file),
            "size": file.size,
            "dateAdded": write_time(file.added),
            "sceneName": file.scene,
            "releaseGroup": file.group,
            "languages": LANGUAGES,
            "quality": write_quality(file.quality, movie=False),
            "customFormats": [],
            "customFormatScore": 0,
            "indexerFlags": 0,
            "releaseType": "multiEpisode" if len(parts) > 1 else "singleEpisode",
            "mediaInfo": media_info(),
            "qualityCutoffNotMet": False,
            "id": file.id,
        }

    def write_episode(
        self, holder: Holder, part: Part, *, with_file: bool, series: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """An episode, with its file where asked for, and with ``series`` as it is given."""
        day = f"{(holder.item.year or 2000) + part.season:04}-02-{part.number % 28 + 1:02}"
        return {
            "seriesId": holder.id,
            "tvdbId": number_of(part.item, "tvdb"),
            "episodeFileId": part.file.id if part.file else 0,
            "seasonNumber": part.season,
            "episodeNumber": part.number,
            "title": part.item.title,
            "airDate": day,
            "airDateUtc": f"{day}T02:00:00Z",
            "runtime": round(part.item.duration_s / 60),
            "overview": f"Overview of {part.item.title}",
            "episodeFile": self.write_file(holder, part.file) if with_file and part.file else None,
            "hasFile": part.file is not None,
            "monitored": part.monitored,
            "unverifiedSceneNumbering": False,
            "series": series,
            "id": part.id,
        }

    def post_holder(self, holder: Holder, tags: Sequence[str]) -> dict[str, Any]:
        item = holder.item
        return {
            "series": {
                "id": holder.id,
                "title": item.title,
                "titleSlug": slug(item.title),
                "path": holder.path,
                "tvdbId": number_of(item, "tvdb"),
                "tvMazeId": number_of(item, "tvmaze"),
                "tmdbId": number_of(item, "tmdb"),
                **({"imdbId": item.ids["imdb"]} if "imdb" in item.ids else {}),
                "malIds": [],
                "aniListIds": [],
                "type": "standard",
                "year": item.year or 0,
                "genres": ["Drama"],
                "images": [],
                "tags": list(tags),
                "originalLanguage": LANGUAGES[0],
                "originalCountry": "usa",
            }
        }

    def post_remote(self, holder: Holder) -> dict[str, Any]:
        return {}

    def post_parts(self, parts: Sequence[Part], holder: Holder) -> dict[str, Any]:
        names = (
            "id",
            "episodeNumber",
            "seasonNumber",
            "title",
            "overview",
            "airDate",
            "airDateUtc",
            "seriesId",
            "tvdbId",
        )
        shown = [self.write_episode(holder, part, with_file=False) for part in parts]
        return {"episodes": [{name: each[name] for name in names} for each in shown]}

    def post_file(self, holder: Holder, file: File) -> dict[str, Any]:
        return posted_file(holder, file)

    def post_release(self, files: int) -> dict[str, Any]:
        return {"indexerFlags": [], "releaseType": "multiEpisode" if files > 1 else "singleEpisode"}

    def post_test(self) -> dict[str, Any]:
        series = {
            "id": 1,
            "title": "Test Title",
            "path": "C:\\testpath",
            "tvdbId": 1234,
            "tvMazeId": 0,
            "tmdbId": 0,
        }
        episode = {
            "id": 123,
            "episodeNumber": 1,
            "seasonNumber": 1,
            "title": "Test title",
            "seriesId": 0,
            "tvdbId": 0,
        }
        series |= {"type": "standard", "year": 0, "tags": ["test-tag"]}
        return {"series": series, "episodes": [episode], "eventType": "Test"}


def _count(holder: Holder, season: int | None) -> dict[str, Any]:
    parts = [part for part in holder.parts if season is None or part.season == season]
    files = {part.file.id: part.file for part in parts if part.file is not None}
    minded = [part for part in parts if part.season or part.file]
    have = [part for part in minded if part.file]
    return {
        "episodeFileCount": len(have),
        "episodeCount": len(minded),
        "totalEpisodeCount": len(parts),
        "sizeOnDisk": sum(file.size for file in files.values()),
        "releaseGroups": sorted({file.group for file in files.values() if file.group}),
        "percentOfEpisodes": round(100 * len(have) / len(minded), 2) if minded else 0,
    }


def _describe(item: WorldItem) -> dict[str, Any]:
    """What stands of the work itself in a series."""
    return {
        "title": item.title,
        "alternateTitles": [],
        "sortTitle": sort_title(item.title),
        "status": "ended",
        "ended": True,
        "overview": f"Overview of {item.title}",
        "network": "Network",
        "airTime": "22:00",
        "images": [],
        "originalLanguage": LANGUAGES[0],
        "year": item.year or 0,
        "useSceneNumbering": False,
        "runtime": 47,
        "tvdbId": number_of(item, "tvdb"),
        "tvRageId": 0,
        "tvMazeId": number_of(item, "tvmaze"),
        "tmdbId": number_of(item, "tmdb"),
        "firstAired": f"{item.year or 2000}-01-20T00:00:00Z",
        "seriesType": "standard",
        "cleanTitle": reduce_title(item.title),
        "imdbId": item.ids.get("imdb"),
        "titleSlug": slug(item.title),
        "certification": "TV-MA",
        "genres": ["Drama"],
        "ratings": {"votes": 100, "value": 9.1},
    }
