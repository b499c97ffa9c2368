"""What was measured on Emby 4.9.5.0 (facts B1 to B3) holds for the emulated one."""

from __future__ import annotations

import pytest

from tests.sandbox.emby.conftest import ANNA, BEN, Run, Talk, make_world

NOW_TEXT = "2026-09-09T00:02:47.0000000Z"
U = f"/emby/Users/{ANNA}"


async def test_a_mark_counts_once_and_a_second_one_changes_nothing(talk: Talk) -> None:
    """POST PlayedItems gives count 1 and the date of now; the same again leaves both."""
    item = talk.id_of("matrix")
    first = await talk.ask("POST", f"{U}/PlayedItems/{item}")
    assert first.body == {
        "PlaybackPositionTicks": 0,
        "PlayCount": 1,
        "IsFavorite": False,
        "LastPlayedDate": NOW_TEXT,
        "Played": True,
    }
    talk.server.clock.clock.advance(500)  # type: ignore[attr-defined]
    assert (await talk.ask("POST", f"{U}/PlayedItems/{item}")).body == first.body


async def test_a_mark_takes_a_date_and_keeps_a_higher_count(talk: Talk) -> None:
    """DatePlayed=yyyyMMddHHmmss; PlayCount is max(PlayCount, 1)."""
    body = (
        await talk.ask("POST", f"{U}/PlayedItems/{talk.id_of('bebop1')}", DatePlayed="20240102030405")
    ).body
    assert (body["PlayCount"], body["LastPlayedDate"]) == (3, "2024-01-02T03:04:05.0000000Z")


async def test_a_mark_clears_the_position(talk: Talk) -> None:
    """So a position is written first and the mark last."""
    item = talk.id_of("matrix")
    await talk.ask("POST", f"{U}/Items/{item}/UserData", json={"PlaybackPositionTicks": 1234567})
    assert (await talk.data(item))["PlaybackPositionTicks"] == 1234567
    assert (await talk.ask("POST", f"{U}/PlayedItems/{item}")).body["PlaybackPositionTicks"] == 0


@pytest.mark.parametrize("twin", [("DELETE", ""), ("POST", "/Delete")])
async def test_an_unmark_leaves_neither_count_nor_date(talk: Talk, twin: tuple[str, str]) -> None:
    """DELETE PlayedItems and its POST twin."""
    body = (await talk.ask(twin[0], f"{U}/PlayedItems/{talk.id_of('bebop1')}{twin[1]}")).body
    assert body == {"PlaybackPositionTicks": 0, "PlayCount": 0, "IsFavorite": False, "Played": False}


async def test_user_data_without_played_unplays_and_keeps_count_and_date(talk: Talk) -> None:
    """The trap of partial writes: 204, Played false, PlayCount and LastPlayedDate survive."""
    item = talk.id_of("bebop1")
    answer = await talk.ask("POST", f"{U}/Items/{item}/UserData", json={"PlaybackPositionTicks": 70000000})
    assert (answer.status, answer.raw) == (204, b"")
    data = await talk.data(item)
    assert (data["Played"], data["PlayCount"], data["LastPlayedDate"][:10]) == (False, 3, "2023-11-14")


async def test_user_data_played_false_keeps_count_and_date(talk: Talk) -> None:
    """Unlike DELETE PlayedItems."""
    item = talk.id_of("bebop1")
    await talk.ask("POST", f"{U}/Items/{item}/UserData", json={"Played": False})
    assert (await talk.data(item))["PlayCount"] == 3


async def test_lists_hide_count_and_date_unless_asked(talk: Talk) -> None:
    """PlayCount 0 and no LastPlayedDate, also for played items; two fields bring them."""
    plain = await talk.get(f"{U}/Items", Ids=talk.id_of("bebop1"))
    asked = await talk.get(
        f"{U}/Items", Ids=talk.id_of("bebop1"), Fields="UserDataLastPlayedDate,UserDataPlayCount"
    )
    assert plain["Items"][0]["UserData"] == {
        "PlaybackPositionTicks": 0,
        "PlayCount": 0,
        "IsFavorite": False,
        "Played": True,
    }
    assert asked["Items"][0]["UserData"]["PlayCount"] == 3
    assert asked["Items"][0]["UserData"]["LastPlayedDate"] == "2023-11-14T22:13:20.0000000Z"
    assert set(plain) == {"Items", "TotalRecordCount"}


async def test_images_and_user_data_can_be_left_out(talk: Talk) -> None:
    """EnableImages=false and EnableUserData=false take their members away."""
    kept = await talk.get(
        f"{U}/Items", Ids=talk.id_of("matrix"), EnableImages="false", EnableUserData="false"
    )
    full = await talk.get(f"{U}/Items", Ids=talk.id_of("matrix"))
    left_out = set(full["Items"][0]) - set(kept["Items"][0])
    assert left_out == {"ImageTags", "BackdropImageTags", "UserData"}


async def test_an_api_keys_play_is_nobodys(talk: Talk) -> None:
    """Reports with an API key are answered 204 and show in its session, which has no user; no user data changes."""
    talk.token = talk.server.admin_token
    item = talk.id_of("matrix")
    report = {"ItemId": item, "PositionTicks": 10_000_000_000, "EventName": "TimeUpdate"}
    for tail in ("", "/Progress"):
        assert (await talk.ask("POST", f"/Sessions/Playing{tail}", json=report)).status == 204
    (session,) = await talk.get("/Sessions")
    assert session["NowPlayingItem"]["Id"] == item
    assert "UserId" not in session and "UserName" not in session
    assert (await talk.data(item)) == {
        "PlaybackPositionTicks": 0,
        "PlayCount": 0,
        "IsFavorite": False,
        "Played": False,
    }
    assert (await talk.ask("POST", "/Sessions/Playing/Stopped", json=report)).status == 204
    (session,) = await talk.get("/Sessions")
    assert "NowPlayingItem" not in session and "PositionTicks" not in session["PlayState"]


async def test_a_series_is_played_when_all_its_episodes_are(talk: Talk) -> None:
    """A mark on a series reaches every episode; the series itself has count 0 and says what is unplayed."""
    series = talk.id_of("bebop")
    body = (await talk.ask("POST", f"{U}/PlayedItems/{series}")).body
    assert body == {
        "UnplayedItemCount": 0,
        "PlaybackPositionTicks": 0,
        "PlayCount": 0,
        "IsFavorite": False,
        "Played": True,
    }
    assert (await talk.data(talk.id_of("bebop6")))["Played"]
    assert (await talk.ask("DELETE", f"{U}/PlayedItems/{series}")).body["UnplayedItemCount"] == 5


async def test_a_play_is_counted_at_its_start_and_stored_on_the_way(talk: Talk) -> None:
    """Started: count 1 and date; progress: position and percentage; a second stop is harmless; each is 204."""
    item, report = talk.id_of("matrix"), {"ItemId": talk.id_of("matrix"), "EventName": "TimeUpdate"}
    assert (await talk.ask("POST", "/emby/Sessions/Playing", json=report)).status == 204
    data = await talk.data(item)
    assert (data["PlayCount"], data["LastPlayedDate"], data["Played"]) == (1, NOW_TEXT, False)
    at = report | {"PositionTicks": 3600_0000000 // 5}
    assert (await talk.ask("POST", "/emby/Sessions/Playing/Progress", json=at)).status == 204
    assert (await talk.data(item))["PlayedPercentage"] == 20
    for _ in range(2):
        assert (await talk.ask("POST", "/emby/Sessions/Playing/Stopped", json=at)).status == 204
    assert (await talk.data(item))["PlaybackPositionTicks"] == at["PositionTicks"]


@pytest.mark.parametrize(
    ("percent", "position", "played"), [(1, False, False), (50, True, False), (95, False, True)]
)
async def test_resume_rules(talk: Talk, percent: int, position: bool, played: bool) -> None:
    """Under 2 % there is no position, over 90 % the item is played."""
    item = talk.id_of("matrix")
    report = {"ItemId": item, "PositionTicks": 3600_0000000 * percent // 100}
    await talk.ask("POST", "/Sessions/Playing", json=report)
    await talk.ask("POST", "/Sessions/Playing/Stopped", json=report)
    data = await talk.data(item)
    assert (data["PlaybackPositionTicks"] > 0, data["Played"]) == (position, played)


@pytest.mark.parametrize(
    "path", ["/Sessions/Playing/Progress", f"/Users/{ANNA}/PlayingItems/{{id}}/Progress"]
)
async def test_progress_without_an_open_play_is_refused(talk: Talk, path: str) -> None:
    """Both routes: 400 as text."""
    answer = await talk.ask(
        "POST",
        path.format(id=talk.id_of("matrix")),
        json={"ItemId": talk.id_of("matrix"), "PositionTicks": 1},
    )
    assert (answer.status, answer.text) == (400, "Value cannot be null. (Parameter 'key')")
    assert answer.content_type == "text/plain"


@pytest.mark.parametrize(
    "query", [{"IsPlayed": "true"}, {"IsFavorite": "true"}, {"Filters": "IsResumable"}], ids=str
)
async def test_an_api_key_without_user_fails_on_user_filters(talk: Talk, query: dict[str, str]) -> None:
    """500; with UserId the same query works."""
    talk.token = talk.server.admin_token
    assert (await talk.ask("GET", "/emby/Items", Recursive="true", **query)).status == 500
    assert (await talk.ask("GET", "/emby/Items", Recursive="true", UserId=ANNA, **query)).status == 200


async def test_an_api_key_writes_for_a_named_user(talk: Talk) -> None:
    """Favourite writes with an explicit user id work."""
    talk.token = talk.server.admin_token
    answer = await talk.ask("POST", f"/emby/Users/{BEN}/FavoriteItems/{talk.id_of('luna')}")
    assert answer.body["IsFavorite"] is True


async def test_unknown_sort_keys_and_users_me_are_500(talk: Talk) -> None:
    """Both are the server's own failures."""
    assert (await talk.ask("GET", f"{U}/Items", Recursive="true", SortBy="Nonsense")).status == 500
    assert (await talk.ask("GET", "/emby/Users/Me")).status == 500
    assert (await talk.ask("GET", f"{U}/Items", Recursive="true", SortBy="DatePlayed,SortName")).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Emby-Token": "T"},
        {"X-MediaBrowser-Token": "T"},
        {"Authorization": 'Emby UserId="", Client="c", Device="d", DeviceId="1", Version="1", Token="T"'},
        {"X-Emby-Authorization": 'MediaBrowser Client="c", Token="T"'},
    ],
    ids=str,
)
async def test_every_form_of_token_is_taken(talk: Talk, headers: dict[str, str]) -> None:
    """Headers of both names and schemes, with and without the /emby prefix; a wrong token is told as text."""
    token, talk.token = talk.token or "", None
    right = {
        key: value.replace("T", token) if value == "T" else value.replace('"T"', f'"{token}"')
        for key, value in headers.items()
    }
    assert (await talk.ask("GET", "/System/Info", headers=right)).status == 200
    wrong = await talk.ask("GET", "/emby/System/Info", headers=headers)
    assert (wrong.status, wrong.text) == (401, "Access token is invalid or expired.")
    assert (await talk.ask("GET", "/emby/System/Info", api_key=token)).status == 200


async def test_signing_in(talk: Talk) -> None:
    """The right password gives a token; a wrong one and missing client data are told as text."""
    talk.token = None
    client = {"X-Emby-Authorization": 'MediaBrowser Client="c", Device="d", DeviceId="1", Version="1"'}
    good = await talk.ask(
        "POST", "/emby/Users/AuthenticateByName", json={"Username": "Anna", "Pw": "secret"}, headers=client
    )
    assert set(good.body) == {"User", "SessionInfo", "AccessToken", "ServerId"}
    talk.token = good.body["AccessToken"]
    assert (await talk.get(f"/emby/Users/{ANNA}"))["Name"] == "anna"
    bad = await talk.ask(
        "POST", "/Users/AuthenticateByName", json={"Username": "anna", "Pw": "x"}, headers=client
    )
    assert (bad.status, bad.text) == (401, "Invalid username or password. Please try again.")
    bare = await talk.ask("POST", "/Users/AuthenticateByName", json={"Username": "anna", "Pw": "secret"})
    assert (bare.status, bare.text) == (400, "Value cannot be null. (Parameter 'appName')")
    no_device = {"X-Emby-Authorization": 'Emby Client="c"'}
    bare = await talk.ask("POST", "/Users/AuthenticateByName", json={}, headers=no_device)
    assert (bare.status, bare.text) == (400, "Value cannot be null. (Parameter 'reportedDeviceId')")


async def test_pages_cover_a_list_once(talk: Talk) -> None:
    """Paging by StartIndex and Limit gives every item once and the same total on each page."""
    seen: list[str] = []
    for start in range(0, 12, 3):
        page = await talk.get(
            f"{U}/Items",
            Recursive="true",
            IncludeItemTypes="Movie,Episode",
            SortBy="SortName",
            StartIndex=str(start),
            Limit="3",
        )
        assert page["TotalRecordCount"] == 9
        seen += [item["Id"] for item in page["Items"]]
    assert len(seen) == len(set(seen)) == 9


async def test_provider_ids_find_an_item_and_its_copy(talk: Talk) -> None:
    """AnyProviderIdEquals takes several, any capitals; a film in two libraries is two items with one user data."""
    found = await talk.get(f"{U}/Items", Recursive="true", AnyProviderIdEquals="IMDB.tt1957945,tmdb.603")
    assert sorted(i["Name"] for i in found["Items"]) == ["La Luna", "La Luna", "The Matrix"]
    await talk.ask("POST", f"{U}/PlayedItems/{talk.id_of('luna')}")
    assert (await talk.data(talk.id_of("luna", 1)))["Played"]


async def test_a_double_episode_is_one_item(talk: Talk) -> None:
    """IndexNumberEnd names the last episode of the file; the second has no entry of its own."""
    body = await talk.get(
        f"{U}/Items", ParentId=talk.id_of("bebop"), Recursive="true", IncludeItemTypes="Episode"
    )
    assert [(i["IndexNumber"], i.get("IndexNumberEnd")) for i in body["Items"]] == [
        (1, None),
        (2, 3),
        (4, None),
        (1, None),
        (2, None),
    ]
    assert talk.id_of("bebop2") == talk.id_of("bebop3")


async def test_both_date_filters_are_honoured_and_differ(talk: Talk) -> None:
    """MinDateLastSavedForUser also brings what the user's data changed."""
    since, query = NOW_TEXT, {"Recursive": "true", "IncludeItemTypes": "Movie,Episode", "Limit": "0"}
    await talk.ask("POST", f"{U}/PlayedItems/{talk.id_of('matrix')}")
    assert (await talk.get(f"{U}/Items", **query, MinDateLastSaved=since))["TotalRecordCount"] == 0
    assert (await talk.get(f"{U}/Items", **query, MinDateLastSavedForUser=since))["TotalRecordCount"] == 1
    assert (await talk.get(f"{U}/Items", **query, MinDateInvented=since))["TotalRecordCount"] == 9


async def test_a_user_sees_only_allowed_libraries(talk: Talk) -> None:
    """Views, lists and items of other libraries are not there; other users' data is refused."""
    talk.token = next(user.token for user in talk.server.users() if user.name == "ben")
    views = await talk.get(f"/emby/Users/{BEN}/Views")
    assert [view["Name"] for view in views["Items"]] == ["Movies"]
    assert (await talk.ask("GET", f"/emby/Users/{BEN}/Items/{talk.id_of('bebop1')}")).status == 404
    assert (await talk.ask("GET", f"{U}/Items/{talk.id_of('matrix')}")).status == 403


async def test_latest_is_a_bare_array_and_resume_a_list(talk: Talk) -> None:
    """Latest groups episodes into their series; Resume holds what has a position."""
    latest = await talk.get(f"{U}/Items/Latest", GroupItems="true")
    assert {i["Type"] for i in latest} == {"Movie", "Series"}
    await talk.ask(
        "POST", f"{U}/Items/{talk.id_of('matrix')}/UserData", json={"PlaybackPositionTicks": 10_000_000}
    )
    resume = await talk.get(f"{U}/Items/Resume")
    assert [i["Name"] for i in resume["Items"]] == ["The Matrix"]
    assert resume["Items"][0]["UserData"]["PlayCount"] == 0


async def test_starting_a_watched_film_unplays_it_unless_the_quirk_says_no(run_emby: Run) -> None:
    """Assumed from Jellyfin 10.11, which shares the ancestor."""
    for quirk in (False, True):
        async with run_emby(make_world(start_keeps_played=quirk)) as talk:
            item = talk.id_of("bebop1")
            await talk.ask("POST", "/Sessions/Playing", json={"ItemId": item})
            assert (await talk.data(item))["Played"] is quirk
