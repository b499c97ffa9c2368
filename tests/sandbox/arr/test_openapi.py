"""The makers' own documents judge requests and answers of every route that the emulators have."""

from __future__ import annotations

import pytest

from tests.judges.openapi import Tolerance, check
from tests.sandbox.arr.conftest import Talk
from tests.truth import truth_path

SPECS = {"sonarr": "sonarr.v3-2026-04-12.json", "radarr": "radarr.v3-2026-04-12.json"}
MEASURED = (
    Tolerance(
        "",
        r".*/command.*",
        r"\.body: Additional properties",
        "recorded: a command's body has what it was sent",
    ),
    Tolerance(
        "Sonarr", r".*history/series", r"query eventType", "recorded: the number of a kind does as well"
    ),
    Tolerance(
        "Sonarr",
        r".*(rootfolder|system/status)",
        r"'(totalSpace|isContainerized)' was unexpected",
        "recorded: newer",
    ),
    Tolerance("", r".*", r"status 20[12] is not in the document", "recorded: 201 for new, 202 for changed"),
    Tolerance("", r".*", r"status 20\d has no body in the document", "left out there"),
)


async def exercise_sonarr(talk: Talk) -> None:
    """Every route of Sonarr, the way that a hub uses it."""
    talk.act("import", "e23", download="bh_1")
    talk.act("rename", "e11", to="Season 1/x.mkv")
    await talk.ask("GET", "/series")
    await talk.ask("GET", "/series", tvdbId="371980")
    await talk.ask("GET", "/series/1")
    await talk.ask("GET", "/episode", seriesId="1", seasonNumber="2", includeEpisodeFile="true")
    await talk.ask("GET", "/episode/3")
    await talk.ask("GET", "/episodefile", seriesId="1")
    await talk.ask("GET", "/episodefile/1")
    await talk.ask("GET", "/rename", seriesId="1")
    await talk.ask("GET", "/history/series", seriesId="1", eventType="3")
    await talk.ask("PUT", "/episode/monitor", {"episodeIds": [1, 2], "monitored": False})
    await talk.ask("PUT", "/series/editor", {"seriesIds": [1], "tags": [1], "applyTags": "add"})
    await talk.command("RescanSeries", seriesId=1)
    await talk.ask("DELETE", "/episodefile/1")
    await talk.ask("DELETE", "/series/1", deleteFiles="true")


async def exercise_radarr(talk: Talk) -> None:
    """Every route of Radarr likewise."""
    talk.act("import", "moon")
    talk.act("rename", "alien", to="x.mkv")
    await talk.ask("GET", "/movie")
    await talk.ask("GET", "/movie", tmdbId="348")
    await talk.ask("GET", "/movie/1")
    await talk.ask("GET", "/moviefile", movieId="1")
    await talk.ask("GET", "/moviefile/1")
    await talk.ask("GET", "/rename", movieId="2")
    await talk.ask("GET", "/history/movie", movieId="1")
    await talk.ask("PUT", "/movie/editor", {"movieIds": [1], "tags": [1], "applyTags": "add"})
    await talk.command("RescanMovie", movieId=1)
    await talk.ask("DELETE", "/moviefile/1")
    await talk.ask("DELETE", "/movie/1", deleteFiles="true")


async def exercise_both(talk: Talk, url: str) -> None:
    """What both have."""
    for path in (
        "/system/status",
        "/health",
        "/rootfolder",
        "/config/naming",
        "/tag",
        "/tag/detail",
        "/notification",
        "/command",
    ):
        await talk.ask("GET", path)
    await talk.ask("POST", "/tag", {"label": "linked"})
    await talk.ask("GET", "/tag/1")
    await talk.ask("GET", "/notification/1")
    await talk.ask("GET", "/notification/schema")
    hook = {"name": "second", "implementation": "Webhook", "configContract": "WebhookSettings"}
    await talk.ask("POST", "/notification", hook | {"fields": [{"name": "url", "value": url}]})
    await talk.ask("POST", "/notification/testall", {})
    await talk.ask("GET", "/history", page="1", pageSize="200", sortKey="date", sortDirection="descending")
    await talk.ask("GET", "/history/since", date="2026-01-01T00:00:00Z")


@pytest.mark.parametrize("name", SPECS)
async def test_every_exchange_fits_the_makers_document(
    name: str, sonarr: Talk, radarr: Talk, ear: object
) -> None:
    """Paths, query arguments, types of every member."""
    spec = truth_path("specs", SPECS[name])
    talk, exercise = {"sonarr": (sonarr, exercise_sonarr), "radarr": (radarr, exercise_radarr)}[name]
    await exercise_both(talk, ear.url)  # type: ignore[attr-defined]
    await exercise(talk)
    wrong = [
        found
        for each in talk.seen
        for found in check(
            spec,
            each.method,
            each.path,
            each.query,
            each.status,
            each.content_type,
            each.raw,
            tolerances=MEASURED,
        )
    ]
    assert sorted(set(wrong)) == []
    assert len(talk.seen) > 25
