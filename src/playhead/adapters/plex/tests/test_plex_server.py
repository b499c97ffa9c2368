"""What is particular to Plex when it is written to and signed in to, on the emulated server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
import pytest
import stamina
from aiohttp import web
from aiohttp.test_utils import TestServer

from playhead.adapters.plex import manifest
from playhead.adapters.plex.adapter import PlexBackend
from playhead.adapters.plex.settings import PlexSettings
from playhead.adapters.plex.writing import receipt_for
from playhead.ports.backend import Listing, Outcome, RawPage, Receipt
from playhead.ports.errors import (
    BackendError,
    BadAnswer,
    Interrupted,
    NotFound,
    RateLimited,
    Refused,
    ServerFault,
    TokenRefused,
    Unauthorized,
    Unreachable,
    WrongServer,
)
from tests.contract.rig import Rig, find_entry, open_rig, wish
from tests.contract.world import ANNA, BEN, PLAYED_AT, SERVER


@pytest.fixture(autouse=True)
def no_pauses() -> Iterator[None]:
    """Retries follow at once."""
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    """An emulated Plex with the contract's world."""
    async with open_rig(manifest) as opened:
        yield opened


async def _apply(rig: Rig, item: str, *facets: str, **target: Any) -> Receipt:
    backend = rig.connect()
    write = wish(await find_entry(backend, item), *facets, **target)
    rig.asked.clear()
    return await backend.apply(write)


async def test_a_mark_is_one_look_and_one_scrobble(rig: Rig) -> None:
    """The look keeps a repeated mark from counting twice."""
    await _apply(rig, "fresh", "watched", watched=True, plays=1, position_s=0)
    look, scrobble = rig.asked
    assert look.startswith("GET /library/metadata/")
    assert scrobble.startswith("GET /:/scrobble?")


async def test_a_watched_item_is_not_scrobbled_to_convey_a_date(rig: Rig) -> None:
    """The date stays in the hub; only the look is sent, and the receipt tells what stands there."""
    receipt = await _apply(rig, "seen", "watched", watched=True, last_played=PLAYED_AT + 999)
    assert receipt.outcome is Outcome.done
    assert receipt.after is not None
    assert (receipt.after.plays, receipt.after.last_played) == (2, PLAYED_AT)
    assert [asked for asked in rig.asked if "/:/" in asked] == []


@pytest.mark.parametrize(
    ("position_s", "code"),
    [(30, "position-too-short"), (6480, "position-past-watched"), (9000, "position-past-watched")],
)
async def test_a_position_that_plex_would_misread_is_not_sent(rig: Rig, position_s: int, code: str) -> None:
    """In the first minute nothing is kept; past 90 % it would count as watched."""
    receipt = await _apply(rig, "fresh", "progress", position_s=position_s)
    assert (receipt.outcome, receipt.error_code) == (Outcome.refused, code)
    assert [asked for asked in rig.asked if "/:/" in asked] == []
    assert not rig.row("fresh").watched


async def test_the_position_just_below_the_threshold_is_kept_as_one(rig: Rig) -> None:
    """89 % of two hours."""
    receipt = await _apply(rig, "fresh", "progress", position_s=6400)
    assert receipt.outcome is Outcome.done
    assert (rig.row("fresh").watched, rig.row("fresh").position_s) == (False, 6400)


async def test_a_position_that_is_there_is_not_sent_again(rig: Rig) -> None:
    """Only the look."""
    await _apply(rig, "paused", "progress", position_s=1500)
    assert len(rig.asked) == 1


async def test_clearing_a_rewatch_declines_unless_it_was_watched_again(rig: Rig) -> None:
    """A scrobble counts a play: truthful only where there was one more elsewhere."""
    declined = await _apply(rig, "again", "progress", position_s=0)
    assert (declined.outcome, declined.error_code) == (Outcome.refused, "cannot-clear-position")
    assert rig.row("again").plays == 1
    done = await _apply(rig, "again", "watched", "progress", watched=True, plays=2, position_s=0)
    assert done.outcome is Outcome.done
    assert (rig.row("again").plays, rig.row("again").position_s) == (2, 0)


async def test_marking_keeps_a_wished_position(rig: Rig) -> None:
    """A scrobble clears the position; the whole state that is wished for has one."""
    await _apply(rig, "paused", "watched", watched=True, plays=1, position_s=1500)
    assert (rig.row("paused").watched, rig.row("paused").position_s) == (True, 1500)


async def test_an_unmark_that_is_done_already_sends_nothing(rig: Rig) -> None:
    """Unwatched stays unwatched, and its position too."""
    receipt = await _apply(rig, "paused", "watched", watched=False)
    assert receipt.outcome is Outcome.done
    assert rig.row("paused").position_s == 1500


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (NotFound("x"), Outcome.missing),
        (Interrupted("x"), Outcome.unsure),
        (ServerFault("x"), Outcome.unsure),
        (Unreachable("x"), Outcome.failed),
        (RateLimited("x", retry_after_s=7), Outcome.failed),
        (BadAnswer("x"), Outcome.failed),
        (Unauthorized("x"), Outcome.refused),
        (Refused("x"), Outcome.refused),
        (WrongServer("x"), Outcome.refused),
        (BackendError("x"), Outcome.failed),
    ],
    ids=lambda value: getattr(value, "code", str(value)),
)
def test_each_error_makes_one_outcome(error: BackendError, outcome: Outcome) -> None:
    """Class by class, with its code; the wish to slow down is kept."""
    receipt = receipt_for(error)
    assert (receipt.outcome, receipt.error_code) == (outcome, error.code)
    assert receipt.retry_after_s == (7 if isinstance(error, RateLimited) else None)


def _backend(rig: Rig, user: str, token_of: str, plex_tv: bool) -> PlexBackend:
    url = rig.box.extra_urls["plextv"] if plex_tv else ""
    settings = PlexSettings(url=rig.box.url(SERVER), plex_tv_url=url)
    return PlexBackend(settings, rig.box.token(SERVER, token_of), user, client_id="test")


async def test_the_owner_is_known_without_plex_tv(rig: Rig) -> None:
    """Account 1 of the server, by name, number or word."""
    for wanted in ("", ANNA, ANNA.upper(), "1", "owner"):
        backend = _backend(rig, wanted, ANNA, plex_tv=False)
        user = await backend.check_account()
        assert (user.id, user.name, user.admin) == ("1", ANNA, True)
        await backend.close()


async def test_somebody_elses_name_is_refused(rig: Rig) -> None:
    """Anna's token cannot act for Ben."""
    for plex_tv in (True, False):
        backend = _backend(rig, BEN, ANNA, plex_tv)
        with pytest.raises(NotFound, match="belongs to anna, not to ben") as caught:
            await backend.check_account()
        assert "sign in as ben" in caught.value.hint
        await backend.close()


async def test_a_shared_account_is_told_by_plex_tv_or_taken_by_its_word(rig: Rig) -> None:
    """The server refuses /accounts to Ben, and for a token that plex.tv does not know the given name stands."""
    for wanted in (BEN, ""):
        backend = _backend(rig, wanted, BEN, plex_tv=True)
        user = await backend.check_account()
        assert user.name in (BEN, "account of the token")
        assert not user.admin
        await backend.close()
        again = _backend(rig, user.id, BEN, plex_tv=True)
        assert (await again.check_account()).id == user.id
        await again.close()


async def test_plex_tv_is_not_asked_about_the_owner(rig: Rig) -> None:
    """The server tells; nothing leaves the house."""
    asked: list[str] = []
    backend = _backend(rig, ANNA, ANNA, plex_tv=True)

    async def record() -> None:
        asked.append("plex.tv")

    backend._client.fetch_cloud_user = record  # type: ignore[assignment,method-assign]
    assert (await backend.check_account()).admin
    assert asked == []
    await backend.close()


async def test_plex_tv_out_of_reach_does_not_hinder(rig: Rig) -> None:
    """A hub without internet connects all the same."""
    settings = PlexSettings(url=rig.box.url(SERVER), plex_tv_url="http://127.0.0.1:9")
    backend = PlexBackend(settings, rig.box.token(SERVER, ANNA), ANNA, client_id="test")
    assert (await backend.check_account()).name == ANNA
    await backend.close()


async def test_a_stranger_never_sees_the_token() -> None:
    """The token leaves only after the server has proved to be a Plex server."""
    seen: list[web.BaseRequest] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(request)
        return web.json_response({"Version": "12.0.0", "ProductName": "Jellyfin Server"})

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    async with TestServer(app) as server:
        backend = PlexBackend(PlexSettings(url=str(server.make_url("/"))), "sesame", "", client_id="test")
        with pytest.raises(WrongServer, match=r"Jellyfin 12\.0\.0") as caught:
            await backend.probe()
        await backend.close()
    assert "playhead connect jellyfin" in caught.value.hint
    assert seen
    assert not [value for request in seen for value in request.headers.values() if "sesame" in value]


@pytest.mark.parametrize(
    ("status", "error"), [(503, ServerFault), (500, ServerFault), (429, RateLimited), (302, WrongServer)]
)
async def test_a_server_that_is_not_well_is_not_called_another_product(
    status: int, error: type[BackendError]
) -> None:
    """Starting up, overloaded, or a redirect: the message of that, not a guess about the product."""

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status, headers={"Location": "https://login.example/x"})

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    async with TestServer(app) as server:
        backend = PlexBackend(PlexSettings(url=str(server.make_url("/"))), "t", "", client_id="test")
        with pytest.raises(error) as caught:
            await backend.probe()
        await backend.close()
    assert "not a Plex server" not in str(caught.value)


def _page(start: int, asked: int, count: int, **container: Any) -> RawPage:
    items = [{"ratingKey": str(number + 1), "type": "movie"} for number in range(count)]
    body = msgspec.json.encode({"MediaContainer": {"size": count, **container, "Metadata": items}})
    return RawPage(Listing("1", "leaf"), start, asked, "", body, 0)


@pytest.mark.parametrize(
    ("page", "entries", "total"),
    [
        (_page(0, 10, 10, totalSize=25, offset=0), 10, 25),
        (_page(20, 10, 5, totalSize=25, offset=20), 5, 25),
        (_page(0, 10, 4, totalSize=25, offset=0), 4, 25),  # a short page: the rest is still to come
        (_page(0, 10, 25), 25, 25),  # paging ignored: the list is whole
        (_page(0, 10, 4), 4, 4),
        (_page(0, 10, 10), 10, None),  # either whole or a page: ask on
        (_page(10, 10, 25), 0, None),  # everything again: the first page had it
        (_page(10, 10, 3), 3, 13),
        (_page(0, 10, 0, totalSize=0, offset=0), 0, 0),
    ],
)
async def test_pages_with_and_without_totals(page: RawPage, entries: int, total: int | None) -> None:
    """A server that pages, one that ignores paging, one that does not count."""
    backend = PlexBackend(PlexSettings(url="http://h"), "t", "", client_id="test")
    content = backend.decode_page(page)
    assert (len(content.entries), content.returned, content.total) == (entries, entries, total)


def test_a_page_from_another_place_is_refused() -> None:
    """A cached first page in place of the second would lose what lies between."""
    backend = PlexBackend(PlexSettings(url="http://h"), "t", "", client_id="test")
    with pytest.raises(BadAnswer, match="from place 0 instead of 10"):
        backend.decode_page(_page(10, 10, 10, totalSize=25, offset=0))


async def test_items_that_are_not_shared_are_not_there() -> None:
    """A batch that Plex refuses for one of them is asked for singly; a token that is refused stays an error."""
    seen: list[str] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        keys = request.path.rpartition("/")[2].split(",")
        seen.append(request.path)
        if "401" in keys:
            return web.Response(status=401)
        if "2" in keys:
            return web.Response(status=403, text="<html>", content_type="text/html")
        rows = [{"ratingKey": key, "type": "movie", "viewCount": 1} for key in keys]
        return web.json_response({"MediaContainer": {"size": len(rows), "Metadata": rows}})

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    async with TestServer(app) as server:
        backend = PlexBackend(PlexSettings(url=str(server.make_url("/"))), "t", "", client_id="test")
        found = await backend.fetch_entries(["1", "2", "3"])
        assert [(entry.native_id, entry.watched) for entry in found] == [("1", True), ("3", True)]
        assert len(seen) == 4
        with pytest.raises(TokenRefused):
            await backend.fetch_entries(["1", "401"])
        await backend.close()
