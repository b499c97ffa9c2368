"""Which requests the adapter makes of a Jellyfin, and what it makes of the answers, good and bad."""

from __future__ import annotations

from typing import Any

import pytest

from playhead.adapters._mediabrowser.tests.scripted import run_script
from playhead.adapters.jellyfin.adapter import JellyfinBackend
from playhead.adapters.jellyfin.client import make_authorization, parse_version
from playhead.adapters.jellyfin.settings import JellyfinSettings
from playhead.adapters.jellyfin.tests.scripted import (
    INFO,
    ITEM,
    OTHER,
    USER,
    connect,
)
from playhead.ports.backend import Library, Listing
from playhead.ports.errors import NotFound, ServerFault, Unauthorized, WrongServer


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
