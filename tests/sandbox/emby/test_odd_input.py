"""Odd input gets an answer in Emby's own form: the emulator never breaks down by itself."""

from __future__ import annotations

import pytest

from tests.sandbox.emby.conftest import ANNA, Talk

ODD = [
    "",
    "-1",
    "abc",
    "99999999999999999999",
    "2020-13-45",
    "null",
    "true,false",
    "\u0000",
    "é'\"<>",
    "1,2,,3",
]
PARAMETERS = [
    *(
        "StartIndex",
        "Limit",
        "ParentId",
        "Recursive",
        "IncludeItemTypes",
        "Fields",
        "Ids",
        "IsPlayed",
        "Filters",
    ),
    *(
        "SortBy",
        "SortOrder",
        "MinDateLastSaved",
        "MinDateLastSavedForUser",
        "AnyProviderIdEquals",
        "Path",
        "UserId",
    ),
    *(
        "Years",
        "SearchTerm",
        "HasImdbId",
        "ParentIndexNumber",
        "EnableUserData",
        "SeasonId",
        "Season",
        "GroupItems",
    ),
]
BODIES = [
    "",
    "[]",
    "null",
    "{",
    '"text"',
    '{"Played": "yes"}',
    '{"PlaybackPositionTicks": -5}',
    '{"ItemId": {}}',
]
BODIES += [
    '{"LastPlayedDate": "never"}',
    '{"PlayCount": null, "Rating": 99}',
    '{"PositionTicks": 1e300}',
    "\ud83d\ude00",
]
BREAKDOWN = "Server got itself in trouble"


@pytest.mark.parametrize("name", PARAMETERS)
async def test_odd_parameters_are_answered(talk: Talk, name: str) -> None:
    """Every parameter of the lists with every odd value."""
    series = talk.id_of("bebop")
    paths = [f"/Users/{ANNA}/Items", f"/Users/{ANNA}/Items/Latest", f"/Users/{ANNA}/Items/Resume", "/Items"]
    for path in [*paths, f"/Shows/{series}/Episodes"]:
        for value in ODD:
            query = {"Recursive": "true", name: value}
            answer = await talk.ask("GET", path, **query)
            assert BREAKDOWN not in answer.text, (path, query)
            assert answer.status in (200, 400, 404, 500)


@pytest.mark.parametrize(
    "path", ["/Items/{id}/UserData", "/PlayedItems/{id}", "/PlayingItems/{id}", "/Items/{id}/Rating"]
)
async def test_odd_bodies_and_dates_are_answered(talk: Talk, path: str) -> None:
    """Bodies that are no JSON, of wrong types, or out of range; dates that are none."""
    url = f"{talk.url}/Users/{ANNA}{path.format(id=talk.id_of('matrix'))}"
    for body in BODIES:
        for date in ("", "never", "20201345000000", "2020-01-01T00:00:00Z"):
            sent = {"X-Emby-Token": talk.token or "", "Content-Type": "application/json"}
            async with talk.http.post(
                url, data=body.encode("utf-8", "surrogatepass"), params={"DatePlayed": date}, headers=sent
            ) as answer:
                assert BREAKDOWN not in await answer.text(), (path, body, date)


@pytest.mark.parametrize("tail", ["", "/Progress", "/Stopped", "/Ping"])
async def test_odd_reports_are_answered(talk: Talk, tail: str) -> None:
    """Playback reports of every odd form."""
    for body in [*BODIES, '{"ItemId": "999999"}', '{"ItemId": 28, "EventName": 7}']:
        sent = {"X-Emby-Token": talk.token or "", "Content-Type": "application/json"}
        async with talk.http.post(
            f"{talk.url}/Sessions/Playing{tail}", data=body.encode("utf-8", "surrogatepass"), headers=sent
        ) as answer:
            assert BREAKDOWN not in await answer.text(), (tail, body)


@pytest.mark.parametrize("item", ["0", "-1", "abc", "99999999", "%00", "28.5"])
async def test_items_that_are_not_there(talk: Talk, item: str) -> None:
    """404 on every route that names an item."""
    for method, path in [("GET", "Items/{}"), ("POST", "PlayedItems/{}"), ("DELETE", "FavoriteItems/{}")]:
        answer = await talk.ask(method, f"/Users/{ANNA}/{path.format(item)}")
        assert (answer.status, answer.content_type) == (404, "text/plain")
