"""Which requests the adapter makes of an Emby, and what it makes of the answers, good and bad."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from playhead.adapters._mediabrowser.tests.scripted import Script, run_script
from playhead.adapters.emby.adapter import EmbyBackend
from playhead.adapters.emby.settings import EmbySettings
from playhead.domain.state.reading import BLANK, State
from playhead.ports.backend import Library, Listing, Outcome, Write
from playhead.ports.errors import NotFound, ServerFault, Unauthorized, WrongServer

USER = "b9ea5322ce7342a283da085981dc454d"
OTHER = "fa0ec9ecc77b4fb487eceb8233c9a1fb"
INFO = {"Id": "ec", "ServerName": "lab", "Version": "4.9.5.0", "LocalAddresses": []}
PUBLIC = "GET /emby/System/Info/Public"
ITEM = f"/emby/Users/{USER}/Items/28"
MARK = f"/emby/Users/{USER}/PlayedItems/28"
PLAYED = {
    "Played": True,
    "PlayCount": 1,
    "PlaybackPositionTicks": 0,
    "LastPlayedDate": "2020-01-02T03:04:05.0000000Z",
}
UNPLAYED = {"Played": False, "PlayCount": 0, "PlaybackPositionTicks": 0, "IsFavorite": False}
AT = 1577934245  # 2020-01-02T03:04:05Z
USERS = [
    {"Id": USER, "Name": "Anna", "Policy": {"IsAdministrator": True}},
    {"Id": OTHER, "Name": "kid", "Policy": {"IsDisabled": True}},
]


@asynccontextmanager
async def connect(user: str = USER, path: str = "") -> AsyncIterator[tuple[Script, EmbyBackend]]:
    """A backend and the script of its server."""
    async with run_script() as script:
        backend = EmbyBackend(EmbySettings(url=script.url + path), "s3cret", user, client_id="hub-1")
        backend._client.http._read_attempts = 1  # a script does not get better by asking again
        try:
            yield script, backend
        finally:
            await backend.close()


def make_write(facets: str, target: State, before: State = BLANK) -> Write:
    """A write to item 28."""
    return Write("28", "movie", frozenset(facets.split()), target, before)


@pytest.mark.parametrize("path", ["", "/", "/emby", "/emby/", "/web/index.html#!/home"])
async def test_any_way_to_write_the_address_leads_to_the_api(path: str) -> None:
    """With or without /emby, or copied out of the browser."""
    async with connect(path=path) as (script, backend):
        script.answer(PUBLIC, INFO)
        assert (await backend.probe()).version == "4.9.5.0"


async def test_the_token_is_in_a_header_and_never_in_a_url() -> None:
    """Also not in the name of a request, which is stored."""
    async with connect() as (script, backend):
        script.answer(f"GET /emby/Users/{USER}/Items", {"Items": [], "TotalRecordCount": 0})
        page = await backend.fetch_page(Listing("3", "leaf"), 0, 10)
        assert script.asked[0].headers["X-Emby-Token"] == "s3cret"
        assert script.asked[0].headers["X-Emby-Device-Id"] == "hub-1"
        assert "s3cret" not in script.asked[0].raw_url + page.request_key


async def test_a_list_asks_for_count_and_date_by_name() -> None:
    """Otherwise every played item has no count and no date."""
    async with connect() as (script, backend):
        script.answer(f"GET /emby/Users/{USER}/Items", {"Items": [], "TotalRecordCount": 12})
        page = await backend.fetch_page(Listing("3", "leaf"), 10, 10)
        fields = script.asked[0].query["Fields"].split(",")
        assert {"UserDataLastPlayedDate", "UserDataPlayCount", "ProviderIds", "Path"} <= set(fields)
        assert backend.decode_page(page).total == 12


def test_there_is_no_lean_list() -> None:
    """Asked for one, the plan has the full list."""
    backend = EmbyBackend(EmbySettings(url="http://x"), "t", USER, client_id="c")
    listings = backend.plan_listings(Library("1", "TV", ("episode",)), lean=True)
    assert [(one.what, one.lean) for one in listings] == [("leaf", False)]


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        ({**INFO, "ProductName": "Jellyfin Server"}, WrongServer, "connect jellyfin"),
        ({**INFO, "Version": "3.5.3.0"}, WrongServer, "4.1 or later"),
        ("<html>Sign in</html>", WrongServer, "login page"),
        ({}, WrongServer, "does not say"),
    ],
)
async def test_what_is_not_an_emby_is_named(answer: Any, error: type[Exception], says: str) -> None:
    """Each wrong answerer has its own message with the next thing to try."""
    async with connect() as (script, backend):
        script.answer(PUBLIC, answer)
        with pytest.raises(error, match=says):
            await backend.probe()


async def test_a_password_in_the_address_is_not_repeated() -> None:
    """It may be there for a proxy; messages may be printed and logged."""
    async with run_script() as script:
        script.answer(PUBLIC, "<html>")
        url = script.url.replace("http://", "http://anna:s3cret@")
        backend = EmbyBackend(EmbySettings(url=url), "t", USER, client_id="c")
        with pytest.raises(WrongServer) as caught:
            await backend.probe()
        assert "s3cret" not in str(caught.value)
        assert "127.0.0.1" in str(caught.value)
        await backend.close()


async def test_a_jellyfin_that_knows_no_emby_prefix_is_recognised() -> None:
    """12.0 answers 404 under /emby; without it the server says who it is."""
    async with connect() as (script, backend):
        script.answer(
            "GET /System/Info/Public", {**INFO, "ProductName": "Jellyfin Server", "Version": "12.0.0"}
        )
        with pytest.raises(WrongServer, match="connect jellyfin"):
            await backend.probe()


async def test_a_server_that_is_not_ready_says_so() -> None:
    """503 while it starts."""
    async with connect() as (script, backend):
        script.answer(PUBLIC, "loading", status=503)
        with pytest.raises(ServerFault, match="may be starting"):
            await backend.probe()


@pytest.mark.parametrize("wanted", ["anna", USER])
async def test_a_user_is_found_by_name_and_by_id(wanted: str) -> None:
    """Upper and lower case alike; the id is then used for everything."""
    async with connect(wanted) as (script, backend):
        script.answer("GET /emby/Users/Query", {"Items": USERS, "TotalRecordCount": 2})
        script.answer(f"GET /emby/Users/{USER}/Views", {"Items": []})
        user = await backend.check_account()
        assert (user.id, user.name, user.admin) == (USER, "Anna", True)


async def test_servers_before_4_8_tell_their_users_elsewhere() -> None:
    """/Users/Query is not there, /Users is a bare list."""
    async with connect() as (script, backend):
        script.answer("GET /emby/Users", USERS)
        assert [user.name for user in await backend.list_users()] == ["Anna", "kid"]


@pytest.mark.parametrize("status", [400, 405, 500])
async def test_an_old_server_may_refuse_the_newer_route_or_fail_over_it(status: int) -> None:
    """Which takes the last word of the route for an id."""
    async with connect() as (script, backend):
        script.answer("GET /emby/Users/Query", "Unrecognized Guid format.", status=status)
        script.answer("GET /emby/Users", USERS)
        assert [user.name for user in await backend.list_users()] == ["Anna", "kid"]
        script.answer(f"GET /emby/Users/{USER}/Views", {"Items": [{"Id": "3", "CollectionType": "movies"}]})
        script.answer("GET /emby/Library/VirtualFolders/Query", status=status)
        script.answer("GET /emby/Library/VirtualFolders", [{"ItemId": "3", "Locations": ["/films"]}])
        assert [each.locations for each in await backend.list_libraries()] == [("/films",)]


async def test_a_server_that_fails_is_not_taken_for_an_old_one() -> None:
    """The first failure is the one that is told."""
    async with connect() as (script, backend):
        script.answer("GET /emby/Users/Query", status=500)
        with pytest.raises(ServerFault, match="Users/Query"):
            await backend.list_users()


async def test_lists_are_read_with_and_without_an_envelope() -> None:
    """Whichever route answers which of the two."""
    async with connect() as (script, backend):
        script.answer("GET /emby/Users/Query", USERS)
        assert [user.name for user in await backend.list_users()] == ["Anna", "kid"]
        script.answer("GET /emby/Users/Query", status=404)
        script.answer("GET /emby/Users", {"Items": USERS})
        await backend.list_users()
        assert [user.name for user in await backend.list_users()] == ["Anna", "kid"]


@pytest.mark.parametrize(
    ("wanted", "error", "says"),
    [
        ("nobody", NotFound, "Users there: Anna"),
        ("", NotFound, "belong to no user.*Users there: Anna"),
        ("kid", Unauthorized, "disabled"),
    ],
)
async def test_a_user_that_cannot_be_used_brings_the_names_that_can(
    wanted: str, error: type[Exception], says: str
) -> None:
    """Unknown, unnamed, disabled."""
    async with connect(wanted) as (script, backend):
        script.answer("GET /emby/Users/Query", {"Items": USERS})
        with pytest.raises(error, match=says):
            await backend.check_account()


async def test_a_plain_users_token_works_with_that_users_id() -> None:
    """It may not list the users, but read its own."""
    async with connect() as (script, backend):
        script.answer("GET /emby/Users/Query", "no", status=403)
        script.answer(f"GET /emby/Users/{USER}", {"Id": USER, "Name": "Anna"})
        script.answer(f"GET /emby/Users/{USER}/Views", {"Items": []})
        assert (await backend.check_account()).name == "Anna"
    async with connect("anna") as (script, backend):
        script.answer("GET /emby/Users/Query", "no", status=403)
        with pytest.raises(Unauthorized):
            await backend.check_account()


async def test_a_first_mark_is_the_button_of_emby_with_the_true_date() -> None:
    """One request, the date as 14 digits; the answer is the state afterwards."""
    async with connect() as (script, backend):
        script.answer(f"POST {MARK}", PLAYED)
        receipt = await backend.apply(make_write("watched", State(watched=True, plays=1, last_played=AT)))
        assert script.requests() == [f"POST {MARK}"]
        assert script.asked[0].query == {"DatePlayed": "20200102030405"}
        assert (receipt.outcome, receipt.after) == (Outcome.done, State(True, 1, AT, 0))


@pytest.mark.parametrize(
    ("target", "before"),
    [
        (
            State(watched=True, plays=2, last_played=AT),
            State(True, 1, 5, 0, None, False),
        ),
        (State(watched=True, plays=2, last_played=AT), State(False, 0, None, 0, None, False)),
        (State(watched=True, plays=1), State(False, 0, None, 0, None, False)),
        (
            State(watched=True, plays=1, last_played=AT),
            State(False, 1, 5, 60, None, False),
        ),
    ],
    ids=["moved date", "more plays", "no date", "started before"],
)
async def test_what_the_button_cannot_say_goes_as_a_whole_state(target: State, before: State) -> None:
    """A second mark changes nothing on Emby, and a mark without a date would stamp the present."""
    async with connect() as (script, backend):
        script.answer(f"POST {ITEM}/UserData", status=204)
        receipt = await backend.apply(make_write("watched", target, before))
        assert script.requests() == [f"POST {ITEM}/UserData"]
        sent = script.asked[0].json
        assert (sent["Played"], sent["PlayCount"], sent["PlaybackPositionTicks"]) == (True, target.plays, 0)
        assert sent.get("LastPlayedDate") == ("2020-01-02T03:04:05Z" if target.last_played else None)
        assert receipt.outcome is Outcome.done
        assert receipt.after is not None
        assert (receipt.after.watched, receipt.after.plays) == (True, target.plays)


async def test_a_position_never_leaves_played_out() -> None:
    """Emby takes the absence of Played for "not played"."""
    async with connect() as (script, backend):
        script.answer(f"POST {ITEM}/UserData", status=204)
        before = State(watched=True, plays=3, last_played=AT, position_s=0, favourite=True)
        receipt = await backend.apply(make_write("progress", State(position_s=600), before))
        assert script.asked[0].json == {
            "Played": True,
            "PlaybackPositionTicks": 6_000_000_000,
            "PlayCount": 3,
            "LastPlayedDate": "2020-01-02T03:04:05Z",
            "IsFavorite": True,
        }
        assert receipt.after == State(True, 3, AT, 600, None, True)


async def test_without_known_state_the_item_is_read_before_a_write() -> None:
    """Also where only the favourite is unknown; if the server does not say whether it is played, nothing is written."""
    async with connect() as (script, backend):
        script.answer(f"GET {ITEM}", {"Id": "28", "UserData": {**PLAYED, "IsFavorite": True}})
        script.answer(f"GET {ITEM}", {"Id": "28", "UserData": {**PLAYED, "IsFavorite": True}})
        script.answer(f"GET {ITEM}", {"Id": "28"})
        script.answer(f"POST {ITEM}/UserData", status=204)
        for before in (State(), State(watched=True, plays=1)):
            await backend.apply(make_write("progress", State(position_s=600), before))
            sent = script.last(f"POST {ITEM}/UserData").json
            assert (sent["Played"], sent["IsFavorite"]) == (True, True)
        receipt = await backend.apply(make_write("progress", State(position_s=600), State()))
        assert receipt.outcome is Outcome.failed
        assert len(script.requests("POST")) == 2


async def test_an_unplay_is_the_button_of_emby_and_a_position_follows() -> None:
    """DELETE clears count, date and position; a position that is wished for comes after it, unplayed."""
    async with connect() as (script, backend):
        script.answer(f"DELETE {MARK}", UNPLAYED)
        script.answer(f"POST {ITEM}/UserData", status=204)
        before = State(True, 2, AT, 0)
        receipt = await backend.apply(make_write("watched", State(watched=False), before))
        assert (receipt.after, script.requests()) == (
            State(False, 0, None, 0, None, False),
            [f"DELETE {MARK}"],
        )
        await backend.apply(make_write("watched progress", State(watched=False, position_s=60), before))
        sent = script.last(f"POST {ITEM}/UserData").json
        assert (sent["Played"], sent["PlaybackPositionTicks"]) == (False, 600_000_000)


@pytest.mark.parametrize("failure", [{"status": 500}, {"body": ...}, {"body": "<html>"}])
@pytest.mark.parametrize(
    ("found", "outcome"), [(PLAYED, Outcome.done), (UNPLAYED, Outcome.failed), (None, Outcome.unsure)]
)
async def test_a_write_that_broke_off_is_looked_at(
    failure: dict[str, Any], found: Any, outcome: Outcome
) -> None:
    """After a 5xx, a cut connection or an unreadable answer the item is read before the receipt is given."""
    async with connect() as (script, backend):
        script.answer(f"POST {MARK}", **failure)
        script.answer(f"GET {ITEM}", {"Id": "28", "UserData": found}, status=200 if found else 500)
        receipt = await backend.apply(make_write("watched", State(watched=True, last_played=AT)))
        assert receipt.outcome is outcome
        assert len(script.requests("POST")) == 1


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (404, Outcome.missing),
        (401, Outcome.refused),
        (403, Outcome.refused),
        (400, Outcome.refused),
        (429, Outcome.failed),
    ],
)
async def test_a_refused_write_is_told_in_its_receipt(status: int, outcome: Outcome) -> None:
    """No error escapes from apply."""
    async with connect() as (script, backend):
        script.answer(f"POST {MARK}", "no", status=status, headers={"Retry-After": "7"})
        receipt = await backend.apply(make_write("watched", State(watched=True, last_played=AT)))
        assert (receipt.outcome, bool(receipt.message)) == (outcome, True)
        assert receipt.retry_after_s == (7 if status == 429 else None)


async def test_an_id_that_could_lead_elsewhere_is_not_sent() -> None:
    """A slash in an id would be another route."""
    async with connect() as (script, backend):
        receipt = await backend.apply(
            Write("28/../29", "movie", frozenset({"watched"}), State(watched=True), BLANK)
        )
        assert receipt.outcome is Outcome.missing
        assert await backend.fetch_entries(["28/../29", ""]) == []
        assert script.asked == []


async def test_single_items_come_from_their_own_route() -> None:
    """Count and date as they are; what is gone or no movie or episode is left out."""
    async with connect() as (script, backend):
        script.answer(f"GET {ITEM}", {"Id": "28", "Type": "Movie", "UserData": PLAYED})
        script.answer(f"GET /emby/Users/{USER}/Items/30", {"Id": "30", "Type": "Series"})
        (entry,) = await backend.fetch_entries(["28", "29", "30", "28"])
        assert (entry.watched, entry.plays, entry.last_played) == (True, 1, AT)
        assert len(script.asked) == 3
