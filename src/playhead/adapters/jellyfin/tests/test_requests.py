"""Which requests the adapter makes of a Jellyfin, and what it makes of the answers, good and bad."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from playhead.adapters._mediabrowser.tests.scripted import Script, run_script
from playhead.adapters.jellyfin.adapter import JellyfinBackend
from playhead.adapters.jellyfin.client import make_authorization, parse_version
from playhead.adapters.jellyfin.settings import JellyfinSettings
from playhead.domain.state.reading import BLANK, State
from playhead.ports.backend import Library, Listing, Outcome, Write
from playhead.ports.errors import NotFound, ServerFault, Unauthorized, WrongServer

USER = "6ebbd48035ba48a1bf645470b6bdea30"
ITEM = "0c19a6f54d50d8bbbba00f8f4325de45"
OTHER = "1289d925129050e99d98d54bb793e532"
INFO = {
    "Id": "fb",
    "ServerName": "lab",
    "Version": "12.0.0",
    "ProductName": "Jellyfin Server",
    "StartupWizardCompleted": True,
}
DATA = f"/UserItems/{ITEM}/UserData"
PLAYED = {
    "Played": True,
    "PlayCount": 1,
    "PlaybackPositionTicks": 0,
    "LastPlayedDate": "2020-01-02T03:04:05Z",
}
UNPLAYED = {"Played": False, "PlayCount": 0, "PlaybackPositionTicks": 0, "IsFavorite": False}
AT = 1577934245  # 2020-01-02T03:04:05Z


@asynccontextmanager
async def connect(user: str = USER, version: str = "12.0.0") -> AsyncIterator[tuple[Script, JellyfinBackend]]:
    """A backend and the script of its server."""
    async with run_script() as script:
        script.answer("GET /System/Info/Public", {**INFO, "Version": version})
        backend = JellyfinBackend(JellyfinSettings(url=script.url), "s3cret", user, client_id="hub-1")
        backend._client.http._read_attempts = 1  # a script does not get better by asking again
        try:
            yield script, backend
        finally:
            await backend.close()


def make_write(facets: str, target: State, before: State = BLANK) -> Write:
    """A write to ITEM."""
    return Write(ITEM, "movie", frozenset(facets.split()), target, before)


def test_the_token_stands_in_the_one_header_that_every_version_takes() -> None:
    """Values are percent-coded, since the server decodes them."""
    header = make_authorization('a"b', "hub 1")
    assert header.startswith(
        'MediaBrowser Client="Playhead", Device="Playhead", DeviceId="hub%201", Version="'
    )
    assert header.endswith('Token="a%22b"')


def test_versions_compare_as_numbers() -> None:
    """10.11 is later than 10.9; the numbering jumps to 12."""
    assert parse_version("10.11.11") > parse_version("10.9.11") > parse_version("10.8.13")
    assert parse_version("12.0.0-rc5") > parse_version("10.11.11")
    assert parse_version("?") == (0, 0)


async def test_the_token_is_never_in_a_url() -> None:
    """Every request carries the header, none a token in its address; request names hold none either."""
    async with connect() as (script, backend):
        script.answer("GET /Items", {"Items": [], "TotalRecordCount": 0})
        page = await backend.fetch_page(Listing("lib", "leaf"), 0, 10)
        assert all("s3cret" in one.headers["Authorization"] for one in script.asked)
        assert not any("s3cret" in one.raw_url for one in script.asked)
        assert "s3cret" not in page.request_key


async def test_the_user_is_always_named() -> None:
    """The token's own user is never relied on."""
    async with connect() as (script, backend):
        script.answer("GET /Items", {"Items": [], "TotalRecordCount": 0})
        await backend.fetch_page(Listing("lib", "leaf"), 0, 10)
        assert script.last("GET /Items").query["userId"] == USER


async def test_only_the_first_page_asks_for_the_total() -> None:
    """Counting costs the server as much as the page; later pages have no total."""
    async with connect() as (script, backend):
        script.answer("GET /Items", {"Items": [], "TotalRecordCount": 7})
        first = await backend.fetch_page(Listing("lib", "leaf"), 0, 2500)
        assert script.last("GET /Items").query["enableTotalRecordCount"] == "true"
        later = await backend.fetch_page(Listing("lib", "leaf"), 2500, 2500)
        query = script.last("GET /Items").query
        assert (query["enableTotalRecordCount"], query["startIndex"], query["limit"]) == (
            "false",
            "2500",
            "2500",
        )
        assert (backend.decode_page(first).total, backend.decode_page(later).total) == (7, None)


async def test_a_lean_list_asks_for_no_fields_and_no_images() -> None:
    """Ids and paths double the cost of a page on a real server."""
    async with connect() as (script, backend):
        script.answer("GET /Items", {"Items": []})
        await backend.fetch_page(Listing("lib", "leaf", lean=True), 0, 10)
        assert "fields" not in script.last("GET /Items").query
        await backend.fetch_page(Listing("lib", "leaf"), 0, 10)
        query = script.last("GET /Items").query
        assert query["fields"] == "ProviderIds,Path,DateCreated"
        assert query["enableImages"] == "false"
        assert query["excludeLocationTypes"] == "Virtual"


async def test_version_and_user_are_asked_for_once() -> None:
    """Reading pages costs one request each, after one for the version and one for a user given by name."""
    async with connect("Watcher") as (script, backend):
        script.answer("GET /Users", [{"Id": USER, "Name": "watcher"}])
        script.answer("GET /Items", {"Items": []})
        for start in (0, 10, 20):
            await backend.fetch_page(Listing("lib", "leaf"), start, 10)
        assert sorted(script.requests()) == ["GET /Items"] * 3 + ["GET /System/Info/Public", "GET /Users"]


async def test_10_8_is_asked_under_the_users_own_route() -> None:
    """The routes without a user in the path exist from 10.9 on."""
    async with connect(version="10.8.13") as (script, backend):
        script.answer(f"GET /Users/{USER}/Items", {"Items": []})
        await backend.fetch_page(Listing("lib", "leaf"), 0, 10)
        assert script.requests()[-1] == f"GET /Users/{USER}/Items"


def test_shows_come_before_episodes_and_movies_need_none() -> None:
    """A library of movies has one list, a lean pass too."""
    backend = JellyfinBackend(JellyfinSettings(url="http://x"), "t", USER, client_id="c")
    assert [one.what for one in backend.plan_listings(Library("1", "TV", ("episode",)), lean=False)] == [
        "show",
        "leaf",
    ]
    assert [one.what for one in backend.plan_listings(Library("1", "M", ("movie",)), lean=False)] == ["leaf"]
    assert [one.lean for one in backend.plan_listings(Library("1", "TV", ("episode",)), lean=True)] == [True]


async def test_libraries_are_those_of_the_user_with_folders_where_the_token_may_know() -> None:
    """A mixed library (no type) counts, music and collections do not; a plain user's token sees no folders."""
    views = [
        {"Id": "1", "Name": "Movies", "Type": "CollectionFolder", "CollectionType": "movies"},
        {"Id": "2", "Name": "Both", "Type": "CollectionFolder"},
        {"Id": "3", "Name": "Music", "Type": "CollectionFolder", "CollectionType": "music"},
    ]
    async with connect() as (script, backend):
        script.answer("GET /UserViews", {"Items": views})
        script.answer("GET /Library/VirtualFolders", status=403)
        script.answer("GET /Library/VirtualFolders", [{"ItemId": "1", "Locations": ["/media/movies"]}])
        without = await backend.list_libraries()
        assert [(one.title, one.holds, one.locations) for one in without] == [
            ("Movies", ("movie",), ()),
            ("Both", ("movie", "episode"), ()),
        ]
        assert [one.locations for one in await backend.list_libraries()] == [("/media/movies",), ()]


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        ({"Id": "1", "Version": "4.9.5.0", "ServerName": "e"}, WrongServer, "connect emby"),
        ({**INFO, "Version": "10.7.7"}, WrongServer, "10.8 or later"),
        ({"id": "1", "version": "12.0.0", "startupWizardCompleted": False}, ServerFault, "is starting"),
        ({**INFO, "StartupWizardCompleted": False}, ServerFault, "wizard"),
        ("<html>Sign in</html>", WrongServer, "login page"),
        ({}, WrongServer, "does not say"),
        ([], WrongServer, "not Jellyfin"),
    ],
)
async def test_what_is_not_a_ready_jellyfin_is_named(answer: Any, error: type[Exception], says: str) -> None:
    """Each wrong answerer has its own message with the next thing to try."""
    async with run_script() as script:
        script.answer("GET /System/Info/Public", answer)
        backend = JellyfinBackend(JellyfinSettings(url=script.url), "t", USER, client_id="c")
        with pytest.raises(error, match=says):
            await backend.probe()
        await backend.close()


async def test_plex_is_recognised() -> None:
    """Plex knows no such route but tells its identity."""
    async with run_script() as script:
        script.answer("GET /System/Info/Public", status=401)
        script.answer("GET /identity", '<MediaContainer machineIdentifier="x" version="1.43"/>')
        backend = JellyfinBackend(
            JellyfinSettings(url=script.url + "/web/index.html#!/home"), "t", USER, client_id="c"
        )
        with pytest.raises(WrongServer, match="connect plex"):
            await backend.probe()
        await backend.close()


USERS = [
    {"Id": USER, "Name": "watcher", "Policy": {"IsAdministrator": False, "IsDisabled": False}},
    {"Id": OTHER, "Name": "kid", "Policy": {"IsDisabled": True}},
    {"Id": ITEM, "Name": "admin", "Policy": {"IsAdministrator": True}},
]


@pytest.mark.parametrize("wanted", ["watcher", "WATCHER", USER, "6ebbd480-35ba-48a1-bf64-5470b6bdea30"])
async def test_a_user_is_found_by_name_and_by_id(wanted: str) -> None:
    """Upper and lower case, with and without dashes."""
    async with connect(wanted) as (script, backend):
        script.answer("GET /Users", USERS)
        script.answer("GET /Items", {"Items": []})
        user = await backend.check_account()
        assert (user.id, user.name, user.admin) == (USER, "watcher", False)


async def test_an_unknown_or_unnamed_user_brings_the_list_of_those_that_exist() -> None:
    """An API key belongs to no user: the person must say whose state is meant. Disabled users are not offered."""
    for wanted in ("nobody", ""):
        async with connect(wanted) as (script, backend):
            script.answer("GET /Users", USERS)
            script.answer("GET /Users/Me", status=400)
            with pytest.raises(NotFound, match="Users there: admin, watcher"):
                await backend.check_account()


async def test_a_user_token_knows_its_own_user() -> None:
    """Without a name given, the token's own user is taken."""
    async with connect("") as (script, backend):
        script.answer("GET /Users", USERS)
        script.answer("GET /Users/Me", USERS[2])
        script.answer("GET /Items", {"Items": []})
        assert (await backend.check_account()).name == "admin"
        assert script.last("GET /Items").query["userId"] == ITEM


async def test_a_user_that_was_deleted_is_named_when_reading() -> None:
    """Jellyfin answers 404 to everything in a deleted user's name: never an empty list."""
    async with connect() as (script, backend):
        with pytest.raises(NotFound, match="does not know the user .* any more") as caught:
            await backend.fetch_page(Listing("lib", "leaf"), 0, 10)
        assert "connect jellyfin" in caught.value.hint


async def test_a_disabled_user_and_a_token_of_another_are_refused() -> None:
    """Both are found at connecting, before anything is saved."""
    async with connect("kid") as (script, backend):
        script.answer("GET /Users", USERS)
        with pytest.raises(Unauthorized, match="disabled"):
            await backend.check_account()
    async with connect("watcher") as (script, backend):
        script.answer("GET /Users", USERS)
        script.answer("GET /Items", status=403)
        with pytest.raises(Unauthorized, match="does not allow this account"):
            await backend.check_account()


async def test_a_mark_is_one_request_with_the_whole_state() -> None:
    """Played, count, true date, position and favourite go together; the answer tells the state afterwards."""
    async with connect() as (script, backend):
        script.answer(f"POST {DATA}", PLAYED)
        before = State(watched=False, plays=0, position_s=300, favourite=True, rating=8.5)
        receipt = await backend.apply(
            make_write("watched", State(watched=True, plays=1, last_played=AT), before)
        )
        assert script.requests("POST") == [f"POST {DATA}"]
        assert script.last(f"POST {DATA}").query == {"userId": USER}
        assert script.last(f"POST {DATA}").json == {
            "Played": True,
            "PlayCount": 1,
            "LastPlayedDate": "2020-01-02T03:04:05Z",
            "PlaybackPositionTicks": 0,
            "IsFavorite": True,
            "Rating": 8.5,
        }
        assert (receipt.outcome, receipt.after) == (Outcome.done, State(True, 1, AT, 0))
        assert len(script.asked) == 2  # the version, once, and the mark


async def test_a_mark_without_a_date_invents_none() -> None:
    """Jellyfin can be played without a date; the present is not the date of a play."""
    async with connect() as (script, backend):
        script.answer(f"POST {DATA}", PLAYED)
        await backend.apply(make_write("watched", State(watched=True)))
        assert "LastPlayedDate" not in script.last(f"POST {DATA}").json


async def test_a_position_is_written_with_played_and_count() -> None:
    """A rewatch in the middle keeps what was watched."""
    async with connect() as (script, backend):
        script.answer(f"POST {DATA}", PLAYED)
        before = State(watched=True, plays=3, last_played=AT, position_s=0)
        await backend.apply(make_write("progress", State(position_s=600), before))
        sent = script.last(f"POST {DATA}").json
        assert (sent["Played"], sent["PlayCount"], sent["PlaybackPositionTicks"]) == (True, 3, 6_000_000_000)
        assert sent["LastPlayedDate"] == "2020-01-02T03:04:05Z"


async def test_a_position_denies_nothing_that_a_person_may_have_done_meanwhile() -> None:
    """Unplayed, zero plays and no favourite as last read are not sent: absent members stay as they are."""
    async with connect() as (script, backend):
        script.answer(f"POST {DATA}", UNPLAYED)
        before = State(watched=False, plays=0, position_s=0, favourite=False)
        await backend.apply(make_write("progress", State(watched=False, position_s=600), before))
        assert script.last(f"POST {DATA}").json == {"PlaybackPositionTicks": 6_000_000_000}


async def test_without_known_state_the_server_is_asked_before_a_write() -> None:
    """A whole state can only be written by one who knows it."""
    async with connect() as (script, backend):
        script.answer(f"GET {DATA}", {**PLAYED, "PlayCount": 4})
        script.answer(f"POST {DATA}", PLAYED)
        await backend.apply(make_write("progress", State(position_s=600), State()))
        assert script.last(f"POST {DATA}").json["PlayCount"] == 4


async def test_an_unplay_is_the_button_of_jellyfin() -> None:
    """DELETE clears the date, which no UserData write can."""
    async with connect() as (script, backend):
        script.answer(f"DELETE /UserPlayedItems/{ITEM}", UNPLAYED)
        receipt = await backend.apply(make_write("watched", State(watched=False), State(True, 1, AT, 0)))
        assert (receipt.outcome, receipt.after) == (Outcome.done, State(False, 0, None, 0, None, False))
        assert script.requests("POST") == []


async def test_an_unplay_with_a_position_puts_the_position_back() -> None:
    """DELETE clears it, so it follows as a second write, unplayed."""
    async with connect() as (script, backend):
        script.answer(f"DELETE /UserPlayedItems/{ITEM}", UNPLAYED)
        script.answer(f"POST {DATA}", {**UNPLAYED, "PlaybackPositionTicks": 6_000_000_000})
        target = State(watched=False, position_s=600)
        receipt = await backend.apply(make_write("watched progress", target, State(True, 1, AT, 0)))
        assert script.last(f"POST {DATA}").json == {"PlaybackPositionTicks": 6_000_000_000}
        assert receipt.after is not None
        assert receipt.after.position_s == 600


@pytest.mark.parametrize(
    ("status", "outcome", "code"),
    [
        (404, Outcome.missing, "not-found"),
        (401, Outcome.refused, "unauthorized"),
        (403, Outcome.refused, "unauthorized"),
        (400, Outcome.refused, "refused"),
        (429, Outcome.failed, "rate-limited"),
    ],
)
async def test_a_refused_write_is_told_in_its_receipt(status: int, outcome: Outcome, code: str) -> None:
    """No error escapes from apply; the receipt says what to do next."""
    async with connect() as (script, backend):
        script.answer(f"POST {DATA}", "no", status=status, headers={"Retry-After": "7"})
        receipt = await backend.apply(make_write("watched", State(watched=True, last_played=AT)))
        assert (receipt.outcome, receipt.error_code) == (outcome, code)
        assert receipt.retry_after_s == (7 if status == 429 else None)
        assert receipt.message


@pytest.mark.parametrize("failure", [{"status": 500}, {"body": ...}, {"body": "<html>"}])
@pytest.mark.parametrize(
    ("found", "outcome"), [(PLAYED, Outcome.done), (UNPLAYED, Outcome.failed), (None, Outcome.unsure)]
)
async def test_a_write_that_broke_off_is_looked_at(
    failure: dict[str, Any], found: Any, outcome: Outcome
) -> None:
    """After a 5xx, a cut connection or an unreadable answer the state is read before the receipt is given."""
    async with connect() as (script, backend):
        script.answer(f"POST {DATA}", **failure)
        script.answer(f"GET {DATA}", found, status=200 if found else 500)
        receipt = await backend.apply(make_write("watched", State(watched=True, plays=1, last_played=AT)))
        assert receipt.outcome is outcome
        assert len(script.requests("POST")) == 1


async def test_a_dead_server_fails_a_write_without_an_error() -> None:
    """Nothing listens: the write may work later."""
    backend = JellyfinBackend(JellyfinSettings(url="http://127.0.0.1:9"), "t", USER, client_id="c")
    backend._client.http._read_attempts = 1
    receipt = await backend.apply(make_write("watched", State(watched=True)))
    assert (receipt.outcome, receipt.error_code) == (Outcome.failed, "unreachable")
    await backend.close()


async def test_an_id_that_is_none_is_missing_and_not_sent() -> None:
    """Jellyfin would answer 400, and `ids=nope` with the root of the library."""
    async with connect() as (script, backend):
        receipt = await backend.apply(
            Write("nope", "movie", frozenset({"watched"}), State(watched=True), BLANK)
        )
        assert receipt.outcome is Outcome.missing
        assert await backend.fetch_entries(["nope"]) == []
        assert script.asked == []


async def test_10_8_takes_marks_but_no_positions() -> None:
    """It has no UserData route; repeating a mark with a date would count a play more, so it looks first."""
    async with connect(version="10.8.13") as (script, backend):
        route, single = f"POST /Users/{USER}/PlayedItems/{ITEM}", f"GET /Users/{USER}/Items/{ITEM}"
        script.answer(route, PLAYED)
        script.answer(single, {"Id": ITEM, "UserData": UNPLAYED})
        script.answer(single, {"Id": ITEM, "UserData": {**PLAYED, "PlaybackPositionTicks": 6_000_000_000}})
        mark = make_write("watched", State(watched=True, last_played=AT))
        assert (await backend.apply(mark)).outcome is Outcome.done
        assert script.last(route).query == {"datePlayed": "20200102030405"}
        assert (await backend.apply(mark)).outcome is Outcome.done
        assert script.requests("POST") == [route]
        for position_s in (0, 600):
            wish = make_write("progress", State(watched=True, last_played=AT, position_s=position_s))
            refused = await backend.apply(wish)
            assert (refused.outcome, refused.error_code) == (Outcome.refused, "too-old")
        assert script.requests("POST") == [route]


def item(item_id: str, **data: Any) -> dict[str, Any]:
    """A movie of a list."""
    return {"Id": item_id, "Type": "Movie", "Name": "M", "UserData": {**UNPLAYED, **data}}


async def test_single_items_take_the_state_from_their_own_route() -> None:
    """The list lies after a rename, the UserData route of 12.0 does not."""
    async with connect() as (script, backend):
        script.answer("GET /Items", {"Items": [item(ITEM)]})
        script.answer("GET /Items", {"Items": []})
        script.answer(f"GET {DATA}", {**PLAYED, "PlayCount": 2, "Rating": 8.0})
        (entry,) = await backend.fetch_entries([ITEM])
        assert (entry.watched, entry.plays, entry.last_played, entry.rating) == (True, 2, AT, 8.0)


async def test_the_filters_outvote_a_list_and_a_route_that_lie() -> None:
    """10.11 after a rename: both show a blank state. What they say beside Played is then not known either."""
    async with connect() as (script, backend):
        script.answer("GET /Items", {"Items": [item(ITEM)]})  # the list; the same item answers both filters
        script.answer(f"GET {DATA}", UNPLAYED)
        (entry,) = await backend.fetch_entries([ITEM])
        assert (entry.watched, entry.plays, entry.last_played, entry.position_s) == (True, None, None, None)
        assert (entry.favourite, entry.unplayed) == (True, False)
        filters = [one.query.get("filters") for one in script.asked if one.path == "/Items"]
        assert filters == [None, "IsPlayed", "IsFavorite"]


async def test_an_unplay_that_all_sources_confirm_is_one() -> None:
    """List, route and filters agree on a blank state."""
    async with connect() as (script, backend):
        script.answer("GET /Items", {"Items": [item(ITEM)]})
        script.answer("GET /Items", {"Items": []})
        script.answer(f"GET {DATA}", UNPLAYED)
        (entry,) = await backend.fetch_entries([ITEM])
        assert (entry.watched, entry.unplayed) == (False, True)


async def test_what_was_not_asked_for_or_is_gone_is_left_out() -> None:
    """An unknown id brings the root of the library; an item may vanish between two requests."""
    async with connect() as (script, backend):
        script.answer("GET /Items", {"Items": [item(ITEM), item(OTHER), item("f" * 32)]})
        script.answer(f"GET {DATA}", UNPLAYED)
        entries = await backend.fetch_entries([ITEM, OTHER, ITEM])
        assert [entry.native_id for entry in entries] == [ITEM]


async def test_many_ids_are_asked_for_in_urls_that_the_server_takes() -> None:
    """Above 8 kB Jellyfin answers 414."""
    async with connect() as (script, backend):
        script.answer("GET /Items", {"Items": []})
        await backend.fetch_entries([f"{number:032x}" for number in range(500)])
        lists = [one for one in script.asked if one.path == "/Items"]
        assert len(lists) == 3
        assert max(len(one.raw_url) for one in lists) < 8000


@pytest.mark.parametrize("url", ["10.0.0.5:8096", "ftp://x", "http://", "http://anna:pw@10.0.0.5:8096"])
def test_settings_refuse_an_address_that_cannot_work(url: str) -> None:
    """Without http, or with a password: that would need the header in which Jellyfin wants the token."""
    with pytest.raises(msgspec.ValidationError, match="url"):
        msgspec.convert({"url": url}, JellyfinSettings)


@pytest.mark.parametrize(
    "url", ["http://x", "https://tv.example.org/jellyfin/", "http://[::1]:8096/web/#/home"]
)
def test_settings_take_every_usual_address(url: str) -> None:
    """With a base path, an IPv6 address, or copied out of the browser."""
    assert msgspec.convert({"url": url}, JellyfinSettings).url == url
