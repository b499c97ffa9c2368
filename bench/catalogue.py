"""The library that the import bench reads: one catalogue as four servers see it, and the bodies they would send.

2,000 movies and 70,000 episodes in 1,400 shows. Of each server's entries 2 % are items that no other server has, 0.1 % carry
one wrong id, 3 to 18 % lack one, 0.5 % of the episodes have none; two fifths are watched and one in twenty disagrees about
it. Bodies are as rich as real ones: Plex about 2.4 kB an item with media, people and pictures, Jellyfin and Emby about
860 bytes. Deterministic.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import msgspec

MOVIES, SHOWS, PER_SHOW = 2_000, 1_400, 50
PER_SEASON = 10
OWN = 100_000  # numbers of what one server alone has begin at a multiple of this
_FACTORS = {"imdb": 5_767_451, "tmdb": 3_145_739, "tvdb": 7_340_033}
WORDS = [
    "amber",
    "bridge",
    "candle",
    "dragon",
    "ember",
    "forest",
    "garden",
    "harbor",
    "island",
    "jungle",
    "kettle",
    "lantern",
    "meadow",
    "night",
    "ocean",
]
LATEST = 1_790_000_000


class Work(msgspec.Struct, frozen=True, gc=False):
    """A movie, show or episode as it truly is. ``show`` is the place of an episode's show."""

    place: int
    kind: str
    title: str
    year: int
    show: int = -1
    season: int = 0
    episode: int = 0


def make_catalogue(scale: float) -> dict[str, list[Work]]:
    """Movies, shows and episodes; ``scale`` 1 = all of them."""
    movies = [Work(n, "movie", _title(n), 1950 + n % 75) for n in range(int(MOVIES * scale))]
    shows = [Work(n, "show", _title(n + 7) + " Stories", 1980 + n % 45) for n in range(int(SHOWS * scale))]
    episodes = [
        Work(
            n,
            "episode",
            _title(n + 3),
            1990 + n % 35,
            n // PER_SHOW,
            n % PER_SHOW // PER_SEASON + 1,
            n % PER_SEASON + 1,
        )
        for n in range(len(shows) * PER_SHOW)
    ]
    return {"movie": movies, "show": shows, "episode": episodes}


def _title(n: int) -> str:
    return f"The {WORDS[n % 15].title()} of {WORDS[n // 15 % 15].title()} {n}"


class Seen(msgspec.Struct, frozen=True, gc=False):
    """A work as one server has it. ``number`` names what it truly is: an item of the server's own has another."""

    work: Work
    number: int
    ids: dict[str, str]
    watched: bool
    position: bool
    seed: int


def see(work: Work, server: int) -> Seen:
    """What the server has in a work's place: the work or an item of its own, ids that may lack or be wrong, and the state."""
    seed = _hash(f"{work.kind}{work.place}")
    here = _hash(f"{work.kind}{work.place}s{server}")
    number, true = work.place, work
    if work.kind != "show" and here % 100 < 2:
        number += OWN * (server + 1)
        true = msgspec.structs.replace(
            work, title=f"{work.title} of {server}", year=work.year + 4, season=work.season + 20 + server
        )
    ids = {source: _make_id(source, number) for source in _FACTORS}
    if work.kind == "movie":
        del ids["tvdb"]
    chance = here // 100 % 1000
    if work.kind == "episode" and chance < 5:
        ids = {}
    elif work.kind != "show" and chance < 30 + server * 50:
        ids.pop(list(ids)[here % len(ids)])
    elif chance == 999:
        ids["tmdb"] = _make_id("tmdb", number + 7)
    watched = seed % 5 < 2
    if here // 7 % 20 == 0:
        watched = not watched
    return Seen(true, number, ids, watched, not watched and seed // 5 % 40 == 0, here)


def _make_id(source: str, number: int) -> str:
    """An id of seven digits, a different one for each number, scattered as real ones are."""
    value = str(number * _FACTORS[source] % 8_999_993 + 1_000_000)
    return f"tt{value}" if source == "imdb" else value


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest(), "big")


def make_plex_item(seen: Seen, show: Work | None) -> str:
    """One item of a Plex list as JSON."""
    work, seed = seen.work, seen.seed
    key, thumb = plex_key(work), LATEST - seed % 10**7
    guid = hashlib.blake2b(f"{work.kind}{seen.number}".encode(), digest_size=12).hexdigest()
    item: dict[str, Any] = {
        "ratingKey": key,
        "key": f"/library/metadata/{key}",
        "guid": f"plex://{work.kind}/{guid}",
        "slug": work.title.lower().replace(" ", "-"),
        "studio": "Studio of Many Pictures",
        "type": work.kind,
        "title": work.title,
        "titleSort": work.title[4:],
        "contentRating": "TV-14",
        "summary": (
            f"{work.title}. "
            + "A summary of what happens, told at some length and without giving away much. " * 4
        ),
        "rating": 7.4,
        "audienceRating": 8.1,
        "year": work.year,
        "tagline": "It was never so quiet.",
        "thumb": f"/library/metadata/{key}/thumb/{thumb}",
        "art": f"/library/metadata/{key}/art/{thumb}",
        "duration": 1_200_000 + seed % 5_000_000,
        "originallyAvailableAt": f"{work.year}-03-04",
        "addedAt": 1_600_000_000 + work.place,
        "updatedAt": thumb,
        "audienceRatingImage": "themoviedb://image.rating",
        "chapterSource": "media",
        "Media": [_plex_media(work, show, seed)],
        "Image": [
            {"alt": work.title, "type": kind, "url": f"/library/metadata/{key}/{kind}/{thumb}"}
            for kind in ("coverPoster", "background")
        ],
        "UltraBlurColors": {
            "topLeft": "3b3a2c",
            "topRight": "1d2b3d",
            "bottomRight": "552a1e",
            "bottomLeft": "0f2b1f",
        },
        "Guid": [{"id": f"{source}://{value}"} for source, value in seen.ids.items()],
        "Director": [{"tag": "Alex Field"}],
        "Writer": [{"tag": "Robin Stone"}, {"tag": "Sam Rivers"}],
        "Role": [{"tag": "Kim Park"}, {"tag": "Lee Woods"}, {"tag": "Jo Hill"}],
    }
    if show is not None:
        parent = plex_key(show)
        item |= {
            "parentRatingKey": str(int(parent) * 10 + work.season),
            "grandparentRatingKey": parent,
            "grandparentTitle": show.title,
            "grandparentKey": f"/library/metadata/{parent}",
            "grandparentThumb": f"/library/metadata/{parent}/thumb/{thumb}",
            "parentTitle": f"Season {work.season}",
            "index": work.episode,
            "parentIndex": work.season,
        }
    if seen.watched:
        item |= {"viewCount": 1 + seed % 3, "lastViewedAt": LATEST - seed % 10**8}
    elif seen.position:
        item |= {"viewOffset": 600_000, "lastViewedAt": LATEST - seed % 10**8}
    return json.dumps(item, separators=(",", ":"))


def _plex_media(work: Work, show: Work | None, seed: int) -> dict[str, Any]:
    duration = 1_200_000 + seed % 5_000_000
    return {
        "id": seed % 10**7,
        "duration": duration,
        "bitrate": 4_500,
        "width": 1920,
        "height": 1080,
        "aspectRatio": 1.78,
        "audioChannels": 6,
        "audioCodec": "eac3",
        "videoCodec": "h264",
        "videoResolution": "1080",
        "container": "mkv",
        "videoFrameRate": "24p",
        "videoProfile": "high",
        "hasVoiceActivity": False,
        "Part": [
            {
                "id": seed % 10**7 + 1,
                "key": f"/library/parts/{seed % 10**7}/{LATEST}/file.mkv",
                "duration": duration,
                "file": make_path(work, show),
                "size": 10**9 + seed % 10**9,
                "container": "mkv",
                "videoProfile": "high",
            }
        ],
    }


def plex_key(work: Work) -> str:
    """The ratingKey: short and growing, as Plex gives them."""
    return str({"movie": 1_000, "show": 10_000, "episode": 20_000}[work.kind] + work.place)


def make_path(work: Work, show: Work | None) -> str:
    """Where the file lies."""
    if show is None:
        return f"/media/movies/{work.title} ({work.year})/{work.title} ({work.year}) Bluray-1080p.mkv"
    number = f"S{work.season:02}E{work.episode:02}"
    return f"/media/tv/{show.title}/Season {work.season:02}/{show.title} - {number} - {work.title} WEBDL-1080p.mkv"


def native_id(work: Work, server: int, *, emby: bool) -> str:
    """Jellyfin's 32 digits, Emby's number."""
    if emby:
        return plex_key(work)
    return hashlib.blake2b(f"{work.kind}{work.place}{server}".encode(), digest_size=16).hexdigest()


def make_media_item(seen: Seen, show: Work | None, server: int, fields: str, *, emby: bool) -> str:
    """One item of a Jellyfin or Emby list as JSON; ``fields`` as asked for."""
    work, seed = seen.work, seen.seed
    own = native_id(work, server, emby=emby)
    item: dict[str, Any] = {
        "Name": work.title,
        "ServerId": "5f1c2a7e9b3d4c6f8a0e1d2c3b4a5968",
        "Id": own,
        "HasSubtitles": True,
        "Container": "mkv",
        "PremiereDate": f"{work.year}-03-04T00:00:00.0000000Z",
        "OfficialRating": "TV-14",
        "CommunityRating": 7.4,
        "RunTimeTicks": (1_200_000 + seed % 5_000_000) * 10_000,
        "ProductionYear": work.year,
        "IsFolder": work.kind == "show",
        "Type": {"movie": "Movie", "show": "Series", "episode": "Episode"}[work.kind],
        "VideoType": "VideoFile",
        "LocationType": "FileSystem",
        "MediaType": "Video",
        "UserData": _user_data(seen, own),
    }
    if "ProviderIds" in fields:
        item["ProviderIds"] = {source.title(): value for source, value in seen.ids.items()}
    if "Path" in fields:
        item["Path"] = make_path(work, show)
    if "DateCreated" in fields:
        item["DateCreated"] = "2024-05-06T07:08:09.0000000Z"
    if show is not None:
        parent = native_id(show, server, emby=emby)
        item |= {
            "SeriesName": show.title,
            "SeriesId": parent,
            "SeasonId": parent[::-1],
            "SeasonName": f"Season {work.season}",
            "IndexNumber": work.episode,
            "ParentIndexNumber": work.season,
            "SeriesPrimaryImageTag": own[:32],
        }
    return json.dumps(item, separators=(",", ":"))


def _user_data(seen: Seen, own: str) -> dict[str, Any]:
    data: dict[str, Any] = {
        "PlaybackPositionTicks": 6_000_000_000 if seen.position else 0,
        "PlayCount": 1 + seen.seed % 3 if seen.watched else 0,
        "IsFavorite": False,
        "Played": seen.watched,
        "Key": own,
        "ItemId": own,
    }
    if seen.watched or seen.position:
        data["LastPlayedDate"] = (
            f"202{seen.seed % 6}-0{seen.seed % 9 + 1}-1{seen.seed % 10}T20:21:22.0000000Z"
        )
    return data


def join(items: Sequence[str]) -> str:
    """Items as the inside of a JSON list."""
    return ",".join(items)
