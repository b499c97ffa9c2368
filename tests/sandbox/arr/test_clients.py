"""arrapi, a client that others wrote for the real ones, works on the emulated Sonarr and Radarr."""

from __future__ import annotations

import asyncio

import pytest
from arrapi import RadarrAPI, SonarrAPI
from arrapi.exceptions import ArrException

from tests.sandbox.arr.conftest import Talk


async def test_arrapi_reads_and_commands_sonarr(sonarr: Talk) -> None:
    """Status, series, episodes, roots, tags, commands, editor, deletion."""

    def talk() -> None:
        api = SonarrAPI(sonarr.box.url("sonarr"), sonarr.server.admin_token)
        assert api.system_status().version == sonarr.server.version
        [series] = api.all_series()
        assert (series.title, series.path, series.tvdbId) == ("Severance", "/tv/Severance", 371980)
        assert (series.episodeFileCount, series.totalEpisodeCount) == (6, 7)
        assert api.get_series(series_id=series.id).sizeOnDisk == series.sizeOnDisk > 0
        assert sum(episode.hasFile for episode in api.episodes(series.id)) == 6
        assert [root.path for root in api.root_folder()] == ["/tv"]
        assert api.create_tag("Linked").label == "linked"
        edited, unknown = api.edit_multiple_series([series], tags=["linked"])
        assert ([each.tags[0].label for each in edited], unknown) == (["linked"], [])
        assert api.send_command("RescanSeries", seriesId=series.id).name == "RescanSeries"
        assert len(api.all_commands()) == 1
        api.delete_series(series.id)
        assert api.all_series() == []

    await asyncio.to_thread(talk)


async def test_arrapi_reads_and_commands_radarr(radarr: Talk) -> None:
    """Movies with their files, commands, tags, deletion; the wrong key is refused."""

    def talk() -> None:
        api = RadarrAPI(radarr.box.url("radarr"), radarr.server.admin_token)
        arrival, alien = api.all_movies()
        assert (arrival.title, arrival.path, arrival.hasFile) == ("Arrival", "/movies/Arrival (2016)", True)
        assert api.get_movie(movie_id=alien.id).tmdbId == 348
        assert api.edit_tag(api.create_tag("x").id, "y").label == "y"
        assert api.send_command("RescanMovie", movieId=1).name == "RescanMovie"
        api.delete_movie(arrival.id)
        assert [movie.title for movie in api.all_movies()] == ["Alien"]
        with pytest.raises(ArrException, match="401"):
            RadarrAPI(radarr.box.url("radarr"), "nonsense")

    await asyncio.to_thread(talk)
