"""What an adapter stumbles over on a Jellyfin server, shown on the emulator of each version."""

from __future__ import annotations

import time

import pytest

from playhead.sandbox.clock import Clock, SkewedClock
from playhead.sandbox.jellyfin.accounts import Client
from playhead.sandbox.jellyfin.authorization import parse_authorization
from playhead.sandbox.jellyfin.emulator import make_server
from playhead.sandbox.jellyfin.rules import rules_for
from playhead.sandbox.jellyfin.ticks import parse, show
from playhead.sandbox.world import World, WorldItem, WorldServer, WorldUser
from tests.sandbox.jellyfin.conftest import Run, make_world

ALL = ("10.8.13", "10.9.11", "10.10.7", "10.11.11", "12.0.0", "12.1.0")


@pytest.mark.parametrize("version", ALL)
async def test_token_forms(run_jellyfin: Run, version: str) -> None:
    """The Authorization header works everywhere; X-Emby-Token and api_key do not on 12 unless switched on."""
    async with run_jellyfin(make_world(version)) as talk:
        old = {"X-Emby-Token": talk.token}
        async with talk.client.get("/Users/Me", headers=old) as answer:
            assert answer.status == (401 if version.startswith("12") else 200)
        async with talk.client.get(f"/Users/Me?ApiKey={talk.token}") as answer:
            assert answer.status == 200
        assert (await talk.ask("GET", "/Users/Me")).status == 200
    async with run_jellyfin(make_world(version, legacy_auth=False)) as talk:
        answer = await talk.client.get(f"/Users/Me?api_key={talk.token}")
        assert answer.status == (401 if rules_for(version).legacy_switch else 200)


async def test_10_8_lacks_the_routes_without_user(run_jellyfin: Run) -> None:
    """UserData and the other routes of 10.9 answer 404 there; the ones with the user in the path work."""
    async with run_jellyfin(make_world("10.8.13")) as talk:
        film = talk.id_of("luna")
        assert (await talk.ask("GET", f"/UserItems/{film}/UserData", userId=talk.user)).status == 404
        assert (await talk.ask("POST", f"/UserPlayedItems/{film}", userId=talk.user)).status == 404
        assert (await talk.ask("POST", f"/Users/{talk.user}/PlayedItems/{film}")).body["PlayCount"] == 3


async def test_marks_with_a_date_count_twice(run_jellyfin: Run) -> None:
    """The same dated mark again counts again; without a date nothing changes."""
    async with run_jellyfin(make_world("12.0.0")) as talk:
        path, user = f"/UserPlayedItems/{talk.id_of('matrix')}", {"userId": talk.user}
        counts = [
            (await talk.ask("POST", path, datePlayed="2020-01-02T03:04:05Z", **user)).body["PlayCount"]
            for _ in range(3)
        ]
        assert counts == [1, 2, 3]
        assert (await talk.ask("POST", path, **user)).body["PlayCount"] == 3


async def test_a_long_list_of_ids_is_too_long(run_jellyfin: Run) -> None:
    """A URL of more than 8 kB answers 414."""
    async with run_jellyfin(make_world("12.0.0")) as talk:
        ids = [talk.id_of("matrix")] * 260
        assert (await talk.ask("GET", "/Items", userId=talk.user, ids=",".join(ids))).status == 414
        assert (await talk.ask("GET", "/Items", userId=talk.user, ids=",".join(ids[:200]))).status == 200


async def test_a_key_has_no_user(run_jellyfin: Run) -> None:
    """With an API key lists have no user data unless a user is named, and Users/Me fails."""
    async with run_jellyfin(make_world("12.0.0")) as talk:
        key = talk.server.admin_token
        bare = await talk.ask("GET", "/Items", token=key, recursive="true", includeItemTypes="Movie")
        assert bare.status == 200 and not any("UserData" in item for item in bare.body["Items"])
        named = await talk.ask(
            "GET", "/Items", token=key, recursive="true", includeItemTypes="Movie", userId=talk.user
        )
        assert all("UserData" in item for item in named.body["Items"])
        assert (await talk.ask("GET", "/Users/Me", token=key)).status == 400


async def test_another_users_state_is_refused(run_jellyfin: Run) -> None:
    """A non-admin may not ask for somebody else, and does not see other libraries."""
    async with run_jellyfin(make_world("12.0.0")) as talk:
        kid = talk.server.users()[1]
        asked = await talk.ask("GET", "/Items", token=kid.token, userId=talk.user)
        assert (asked.status, asked.content_type, asked.raw) == (
            403,
            "text/plain",
            b"Error processing request.",
        )
        hidden = await talk.ask("GET", f"/Items/{talk.id_of('bebop1')}", token=kid.token)
        assert (hidden.status, hidden.body["title"]) == (404, "Not Found")


async def test_a_new_series_of_10_11_has_no_children_at_first(run_jellyfin: Run) -> None:
    """Its episodes are in lists, yet not below it, until the next scan; it says played."""
    async with run_jellyfin(make_world("10.11.11")) as talk:
        talk.server.act("", "bebop", "remove", at=None, args={})
        talk.server.act("", "bebop", "add", at=None, args={})
        show_id, user = talk.id_of("bebop"), {"userId": talk.user}
        assert (await talk.ask("GET", f"/Shows/{show_id}/Episodes", **user)).body["TotalRecordCount"] == 0
        assert (await talk.data("bebop"))["Played"] is True
        lists = {"recursive": "true", "includeItemTypes": "Episode", **user}
        assert (await talk.ask("GET", "/Items", **lists)).body["TotalRecordCount"] == 3
        await talk.ask("POST", "/Library/Refresh")
        assert (await talk.ask("GET", f"/Shows/{show_id}/Episodes", **user)).body["TotalRecordCount"] == 3
        assert (await talk.data("bebop"))["Played"] is False


@pytest.mark.parametrize(("version", "played"), [("12.0.0", False), ("10.11.11", True)])
async def test_a_user_made_again_may_inherit(run_jellyfin: Run, version: str, played: bool) -> None:
    """10.11 shows the deleted user's cached state to the next one with its internal number, until a restart."""
    async with run_jellyfin(make_world(version)) as talk:
        film = talk.id_of("matrix")
        talk.server.act("kid", "matrix", "mark", at=None, args={})
        talk.server.act("kid", "", "recreate_user", at=None, args={})
        kid = talk.server.users()[1]
        path, query = f"/UserItems/{film}/UserData", {"userId": kid.id}
        assert (await talk.ask("GET", path, **query)).body["Played"] is played
        await talk.ask("POST", "/System/Restart")
        assert (await talk.ask("GET", path, **query)).body["Played"] is False


@pytest.mark.parametrize(("version", "listed"), [("12.0.0", 0), ("10.11.11", 3)])
async def test_an_unmounted_library(run_jellyfin: Run, version: str, listed: int) -> None:
    """A scan while the folder is away empties the lists of 12; 10.11 keeps the items. Back, all is as before."""
    async with run_jellyfin(make_world(version)) as talk:
        films = {"userId": talk.user, "recursive": "true", "includeItemTypes": "Movie"}
        talk.server.disk.away.add("/media/movies")
        await talk.ask("POST", "/Library/Refresh")
        assert (await talk.ask("GET", "/Items", **films)).body["TotalRecordCount"] == listed
        talk.server.disk.away.clear()
        await talk.ask("POST", "/Library/Refresh")
        assert (await talk.ask("GET", "/Items", **films)).body["TotalRecordCount"] == 3
        assert (await talk.data("luna"))["PlayCount"] == 3


async def test_versions_of_a_film(run_jellyfin: Run) -> None:
    """On 12 a mark passes to the other version without count and date; on 10.11 each stands alone."""
    for version, passed in (("12.0.0", True), ("10.11.11", False)):
        async with run_jellyfin(make_world(version)) as talk:
            primary = talk.server.acts.find("matrix")
            user = {"userId": talk.user}
            await talk.ask(
                "POST", f"/UserPlayedItems/{primary.id}", datePlayed="2020-01-02T03:04:05Z", **user
            )
            other = (await talk.ask("GET", f"/UserItems/{primary.versions[0].id}/UserData", **user)).body
            assert (other["Played"], other["PlayCount"], "LastPlayedDate" in other) == (passed, 0, False)


async def test_two_items_of_one_name_have_files_of_their_own() -> None:
    """Films and shows with the same title and year do not fall together."""
    items = [
        *(WorldItem(id=each, type="movie", title="Twin", year=2000) for each in ("a", "b")),
        *(WorldItem(id=each, type="show", title="Pair", year=2001) for each in ("s", "t")),
        *(
            WorldItem(id=f"{show}1", type="episode", show=show, season=1, episode=1, title="One")
            for show in ("s", "t")
        ),
    ]
    world = World(
        items=items, servers=[WorldServer(name="j", kind="jellyfin", users=[WorldUser(name="ann")])]
    )
    server = make_server(world, world.servers[0], SkewedClock(Clock()))
    assert sorted(row.item for row in server.state_rows("ann")) == ["a", "b", "s1", "t1"]


def test_versions_that_are_not_emulated() -> None:
    """A wrong version says what to use."""
    with pytest.raises(ValueError, match="oldest"):
        rules_for("10.7.0")
    with pytest.raises(ValueError, match="for example"):
        rules_for("latest")


def test_authorization_values() -> None:
    """Quotes are optional, values are percent-decoded, commas inside quotes belong to the value."""
    text = 'MediaBrowser Client="A%20B, C", DeviceId=d1 , Token="t"'
    assert parse_authorization(text, legacy=False) == {"Client": "A B, C", "DeviceId": "d1", "Token": "t"}
    assert parse_authorization('Emby Token="t"', legacy=False) == {}
    assert parse_authorization('Emby Token="t"', legacy=True) == {"Token": "t"}


def test_dates_are_printed_as_the_server_does() -> None:
    """Zeros at the end of the fraction go, unless there is nothing else."""
    for text in (
        "2026-11-21T08:45:48.21017Z",
        "2020-01-02T03:04:05.0000000Z",
        "0001-01-01T00:00:00.0000000Z",
    ):
        ticks = parse(text)
        assert ticks is not None and show(ticks) == text


def test_a_second_login_of_a_device_kills_the_first() -> None:
    """Same user and DeviceId: one token at a time; another device keeps its own."""
    world = make_world("12.0.0")
    server = make_server(world, world.servers[0], SkewedClock(Clock()))
    accounts = server.accounts  # type: ignore[attr-defined]
    user = accounts.by_name("ANN")
    first = accounts.log_in(user, Client(app="a", device_id="one"))
    other = accounts.log_in(user, Client(app="a", device_id="two"))
    second = accounts.log_in(user, Client(app="b", device_id="one"))
    assert first.secret not in accounts.tokens
    assert {other.secret, second.secret} <= set(accounts.tokens)


def test_large_lists_and_marks_are_quick() -> None:
    """A page of 2,500 out of 20,000 items and a mark cost little, whatever the size of the library."""
    items = [
        WorldItem(id=f"m{n}", type="movie", title=f"Film {n}", ids={"tmdb": str(n + 1)})
        for n in range(20_000)
    ]
    users = [WorldUser(name="ann", admin=True)]
    world = World(items=items, servers=[WorldServer(name="j", kind="jellyfin", users=users)])
    server = make_server(world, world.servers[0], SkewedClock(Clock()))
    describe, user = server.describer, server.find_user("ann")  # type: ignore[attr-defined]
    leaves = [item for item in server.catalogue.items.values() if not item.is_folder][:2_500]  # type: ignore[attr-defined]
    begin = time.process_time()
    for item in leaves:
        describe.list_entry(item, user, frozenset())
    again = time.process_time()
    for item in leaves:
        describe.list_entry(item, user, frozenset())
        server.marks.mark(user, item, None, 1)  # type: ignore[attr-defined]
    end = time.process_time()
    assert again - begin < 1.0
    assert end - again < 1.0
