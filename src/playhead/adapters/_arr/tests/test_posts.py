"""Posts as the versions since 3 write them: made from the makers' field lists where no recording has them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.adapters import find_arr_manifests
from playhead.adapters.lidarr.webhook import read_webhook as lidarr
from playhead.adapters.radarr.webhook import read_webhook as radarr
from playhead.adapters.readarr.webhook import read_webhook as readarr
from playhead.adapters.sonarr.webhook import read_webhook as sonarr
from playhead.ports.arrivals import Arrival, ArrivalPost
from playhead.ports.errors import BadAnswer

SERIES = {"id": 1, "title": "Severance", "path": "/tv/Severance", "tvdbId": 371980, "imdbId": "tt11280740"}
MOVIE = {"id": 2, "title": "Arrival", "folderPath": "/movies/Arrival (2016)", "tmdbId": 329865}
ARTIST = {"id": 3, "name": "Air", "path": "/music/Air"}
AUTHOR = {"id": 4, "name": "Le Guin", "path": "/books/Le Guin"}
SILENT = ["Grab", "Health", "HealthRestored", "ApplicationUpdate", "ManualInteractionRequired"]
Reader = Callable[[bytes, dict[str, str]], ArrivalPost]


def read(reader: Reader, **body: Any) -> ArrivalPost:
    return reader(json.dumps(body).encode(), {"content-type": "application/json"})


def only(reader: Reader, **body: Any) -> Arrival:
    (arrival,) = read(reader, **body).arrivals
    return arrival


def test_each_program_is_found_by_looking() -> None:
    """A folder with a manifest of this kind is one."""
    assert list(find_arr_manifests()) == ["lidarr", "radarr", "readarr", "sonarr"]


@pytest.mark.parametrize("kind", [*SILENT, "SeriesAdd", "Test"])
def test_what_moves_no_file_says_nothing(kind: str) -> None:
    """Known, and without an arrival, although a series with a folder stands in it."""
    post = read(sonarr, eventType=kind, series=SERIES, episodes=[{"id": 1}])
    assert (post.arrivals, post.known, post.test) == ((), True, kind == "Test")


def test_a_kind_that_nobody_knows_is_told_as_unknown() -> None:
    """So that it is counted."""
    post = read(sonarr, eventType="SeriesSing", series=SERIES)
    assert (post.name, post.arrivals, post.known) == ("SeriesSing", (), False)


def test_an_import_lies_in_its_folder_whatever_path_is_told() -> None:
    """Radarr 3 told the path of the download in ``path``."""
    file = {"id": 7, "relativePath": "Arrival.mkv", "path": "/downloads/arrival/Arrival.mkv"}
    arrival = only(radarr, eventType="Download", movie=MOVIE, movieFile=file, isUpgrade=False)
    assert arrival == Arrival(
        what="arrived",
        paths=("/movies/Arrival (2016)/Arrival.mkv",),
        folder="/movies/Arrival (2016)",
        title="Arrival",
        source="radarr",
        name="Download",
        claims=("tmdb:movie:329865",),
        key="radarr|arrived|7|/movies/Arrival (2016)/Arrival.mkv",
    )


@pytest.mark.parametrize(
    ("folder", "relative", "file"),
    [
        ("C:\\TV\\Severance", "Season 2\\S02E01.mkv", "C:\\TV\\Severance\\Season 2\\S02E01.mkv"),
        ("C:\\TV\\Severance\\", "Season 2/S02E01.mkv", "C:\\TV\\Severance\\Season 2\\S02E01.mkv"),
        ("\\\\nas\\tv\\Severance", "S02E01.mkv", "\\\\nas\\tv\\Severance\\S02E01.mkv"),
        ("D:\\", "S02E01.mkv", "D:\\S02E01.mkv"),
        ("/tv/AC\\DC/", "a\\b.mkv", "/tv/AC\\DC/a\\b.mkv"),
        ("/", "S02E01.mkv", "/S02E01.mkv"),
    ],
)
def test_paths_keep_the_separators_of_the_sender(folder: str, relative: str, file: str) -> None:
    """Drives and shares of Windows; elsewhere a backslash is a letter."""
    series = {**SERIES, "path": folder}
    arrival = only(
        sonarr, eventType="Download", series=series, episodeFile={"id": 1, "relativePath": relative}
    )
    assert arrival.paths == (file,)


@pytest.mark.parametrize("relative", ["../../etc/x.mkv", "/etc/x.mkv", "", None])
@pytest.mark.parametrize(
    "path", ["/etc/x.mkv", "/tv/Severance/../../etc/x.mkv", "/tv/Severance 2/x.mkv", None]
)
def test_no_file_outside_the_folder_is_told(relative: str | None, path: str | None) -> None:
    """What leads elsewhere is not believed; the folder itself remains."""
    file = {"id": 1, "relativePath": relative, "path": path}
    arrival = only(sonarr, eventType="Download", series=SERIES, episodeFile=file)
    assert arrival.paths == ("/tv/Severance",)


def test_import_complete_tells_each_file_by_the_key_of_its_own_post() -> None:
    """A season in one download: a post for each file, and one for all of them."""
    files = [{"id": n, "relativePath": f"Season 2/S02E{n:02}.mkv"} for n in range(1, 11)]
    whole = read(sonarr, eventType="Download", series=SERIES, episodeFiles=files, fileCount=10).arrivals
    single = [
        only(sonarr, eventType="Download", series=SERIES, episodeFile=file, isUpgrade=True) for file in files
    ]
    assert [each.key for each in whole] == [each.key for each in single]
    assert len({each.key for each in whole}) == 10
    assert {each.what for each in single} == {"upgraded"}


def test_import_complete_without_files_tells_its_destination() -> None:
    """The folder into which the files went."""
    post = {"eventType": "Download", "series": SERIES, "episodeFiles": [], "fileCount": 0}
    assert only(sonarr, **post, destinationPath="/tv/Severance/Season 2").paths == ("/tv/Severance/Season 2",)
    assert only(sonarr, **post, destinationPath="/downloads").paths == ("/tv/Severance",)


def test_what_an_upgrade_replaced_stands_before() -> None:
    """Of another name; a replaced file of the same name is there still."""
    old, new = {"id": 1, "relativePath": "a.mkv"}, {"id": 2, "relativePath": "b.mkv"}
    body = {"eventType": "Download", "movie": MOVIE, "movieFile": new, "isUpgrade": True}
    folder = "/movies/Arrival (2016)"
    assert only(radarr, **body, deletedFiles=[old]).before == (f"{folder}/a.mkv",)
    assert only(radarr, **body, deletedFiles=[{**old, "relativePath": "b.mkv"}]).before == ()


@pytest.mark.parametrize(
    ("reason", "half", "missing"),
    [
        ("upgrade", True, False),
        ("manual", False, False),
        ("missingFromDisk", False, True),
        ("noLinkedEpisodes", False, True),
        ("manualOverride", False, False),
        (None, False, False),
    ],
)
def test_a_deletion_says_why(reason: str | None, half: bool, missing: bool) -> None:
    """Half an upgrade; not seen on the disk; or wished by a person."""
    file = {"id": 1, "relativePath": "Season 1/x.mkv"}
    arrival = only(
        sonarr, eventType="EpisodeFileDelete", series=SERIES, episodeFile=file, deleteReason=reason
    )
    assert (arrival.what, arrival.half, arrival.missing) == ("deleted", half, missing)
    assert arrival.paths == ("/tv/Severance/Season 1/x.mkv",)


def test_the_raw_file_of_an_old_sonarr_is_read() -> None:
    """Version 3 posted its own object on a deletion: qualities are objects there, the path is missing."""
    file = {
        "id": 1,
        "seriesId": 1,
        "relativePath": "x.mkv",
        "quality": {"quality": {"id": 1}},
        "mediaInfo": {},
    }
    arrival = only(sonarr, eventType="EpisodeFileDelete", series=SERIES, episodeFile=file)
    assert arrival.paths == ("/tv/Severance/x.mkv",)


def test_the_first_lidarr_told_one_track() -> None:
    """Before April 2018 each track was a post of its own, with a relative path."""
    track = {"id": 1, "relativePath": "Moon Safari/01.flac", "path": "/downloads/01.flac"}
    arrival = only(lidarr, eventType="Download", artist=ARTIST, trackFile=track, isUpgrade=False)
    assert (arrival.what, arrival.paths) == ("arrived", ("/music/Air/Moon Safari/01.flac",))


def test_kinds_in_small_letters_are_the_same() -> None:
    """Lidarr and Radarr wrote them so for a few days in October 2020."""
    file = {"id": 7, "relativePath": "Arrival.mkv"}
    assert only(radarr, eventType="download", movie=MOVIE, movieFile=file).what == "arrived"


@pytest.mark.parametrize(
    "odd",
    [
        {"instanceName": "x" * 300},
        {"deletedFiles": "yes"},
        {"episodes": {"tvdbId": 1}},
        {"series": {**SERIES, "id": -1, "imdbId": [], "tvdbId": "x" * 2000}},
        {"destinationPath": {}, "isUpgrade": "maybe"},
    ],
)
def test_an_odd_member_hides_no_arrival(odd: dict[str, Any]) -> None:
    """It is taken as not told."""
    file = {"id": 1, "relativePath": "x.mkv"}
    post = {"eventType": "Download", "series": SERIES, "episodeFile": file, **odd}
    arrival = only(sonarr, **post)
    assert (arrival.what, arrival.paths) == ("arrived", ("/tv/Severance/x.mkv",))


@pytest.mark.parametrize("file", [{"id": 1}, {"id": 1, "relativePath": "../x.mkv"}, {"relativePath": 5}, {}])
def test_a_deletion_whose_file_is_not_named_is_looked_for(file: dict[str, Any]) -> None:
    """The whole folder is not gone for that: the hub's own eyes tell."""
    arrival = only(
        sonarr, eventType="EpisodeFileDelete", series=SERIES, episodeFile=file, deleteReason="manual"
    )
    assert (arrival.what, arrival.paths, arrival.missing) == ("deleted", ("/tv/Severance",), True)


def test_the_rename_of_a_long_series_is_read_whole() -> None:
    """Thousands of files in one post; what no sender sends is refused."""
    files = [
        {
            "id": n,
            "relativePath": f"Season 1/{n}.mkv",
            "previousRelativePath": f"{n}.mkv",
            "sceneName": "x" * 600,
        }
        for n in range(4000)
    ]
    assert len(read(sonarr, eventType="Rename", series=SERIES, renamedEpisodeFiles=files).arrivals) == 4000
    with pytest.raises(BadAnswer, match="bytes"):
        read(sonarr, eventType="Rename", series=SERIES, filler="x" * 11_000_000)


def test_a_rename_without_files_is_one_of_the_folder() -> None:
    """Versions before renamedEpisodeFiles."""
    arrival = only(sonarr, eventType="Rename", series=SERIES)
    assert (arrival.what, arrival.paths, arrival.before) == ("renamed", ("/tv/Severance",), ())


@pytest.mark.parametrize(
    ("reader", "body"),
    [
        (sonarr, {"eventType": "SeriesDelete", "series": SERIES}),
        (radarr, {"eventType": "MovieDelete", "movie": MOVIE}),
        (lidarr, {"eventType": "ArtistDelete", "artist": ARTIST}),
        (readarr, {"eventType": "AuthorDelete", "author": AUTHOR}),
    ],
)
def test_a_series_taken_off_deletes_files_only_where_it_says_so(reader: Reader, body: dict[str, Any]) -> None:
    """``deletedFiles`` is a truth value here."""
    assert read(reader, **body).arrivals == ()
    assert read(reader, **body, deletedFiles=False).arrivals == ()
    arrival = only(reader, **body, deletedFiles=True)
    assert (arrival.what, arrival.paths) == ("deleted", (arrival.folder,))
    assert not arrival.missing


def test_music_tells_all_tracks_of_an_import_by_absolute_path() -> None:
    """Lidarr has no relative paths, and its old names are absolute as well."""
    tracks = [{"id": n, "path": f"/music/Air/Moon Safari/{n}.flac"} for n in (1, 2)]
    arrivals = read(lidarr, eventType="Download", artist=ARTIST, trackFiles=tracks, isUpgrade=False).arrivals
    assert [each.paths for each in arrivals] == [(track["path"],) for track in tracks]
    assert {(each.folder, each.title, each.claims) for each in arrivals} == {("/music/Air", "Air", ())}
    renamed = {"id": 1, "path": "/music/Air/a.flac", "previousPath": "/music/Air/b.flac"}
    arrival = only(lidarr, eventType="Rename", artist=ARTIST, renamedTrackFiles=[renamed])
    assert (arrival.paths, arrival.before) == (("/music/Air/a.flac",), ("/music/Air/b.flac",))
    retagged = only(lidarr, eventType="Retag", artist=ARTIST, trackFile=tracks[0])
    assert (retagged.what, retagged.paths) == ("upgraded", (tracks[0]["path"],))


def test_an_album_taken_away_tells_the_artists_folder() -> None:
    """No file of it is named."""
    arrival = only(lidarr, eventType="AlbumDelete", artist=ARTIST, album={"id": 1}, deletedFiles=True)
    assert (arrival.paths, arrival.missing) == (("/music/Air",), True)


def test_books_are_told_alike() -> None:
    """Readarr is Lidarr with other words."""
    file = {"id": 1, "path": "/books/Le Guin/The Dispossessed.epub"}
    assert only(readarr, eventType="Download", author=AUTHOR, bookFiles=[file]).paths == (file["path"],)
    deleted = only(readarr, eventType="BookFileDelete", author=AUTHOR, bookFile=file, deleteReason="manual")
    assert (deleted.what, deleted.paths) == ("deleted", (file["path"],))


def test_a_post_of_another_program_is_refused_by_name() -> None:
    """A Radarr that was given Sonarr's address."""
    with pytest.raises(BadAnswer, match="not a webhook of Sonarr: it is one of Radarr"):
        read(sonarr, eventType="Download", movie=MOVIE, movieFile={"id": 1, "relativePath": "x.mkv"})


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"eventType":5}', b"<html>", b'{"series":{}}', b"[" * 9999]
)
def test_what_is_no_post_is_refused(body: bytes) -> None:
    """With a sentence, and nothing of what was sent."""
    with pytest.raises(BadAnswer, match="What came is not a webhook of Sonarr"):
        sonarr(body, {})


FILES = st.fixed_dictionaries(
    {},
    optional={
        "id": st.integers(0, 2**53),
        "relativePath": st.text(max_size=20),
        "path": st.text(max_size=20),
    },
)


@given(
    kind=st.sampled_from(["Download", "Rename", "EpisodeFileDelete", "SeriesDelete"]),
    folder=st.sampled_from(["/tv/S", "C:\\tv\\S", "\\\\nas\\tv\\S", ""]),
    file=FILES,
    files=st.lists(FILES, max_size=3),
)
def test_whatever_stands_in_a_post_its_paths_lie_in_the_folder(
    kind: str, folder: str, file: dict[str, Any], files: list[dict[str, Any]]
) -> None:
    """Or there is no folder, and only absolute paths are told."""
    post = read(
        sonarr,
        eventType=kind,
        series={"path": folder},
        episodeFile=file,
        renamedEpisodeFiles=files,
        deletedFiles=files if kind == "Download" else True,
    )
    for arrival in post.arrivals:
        for path in (*arrival.paths, *arrival.before):
            assert path.startswith(folder)
            assert path
            assert ".." not in path.replace("\\", "/").split("/") or "\\" in path
