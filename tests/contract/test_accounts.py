"""Who answers, whose token it is, who else is there, and how each of these goes wrong."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from playhead.ports.backend import Manifest, Outcome
from playhead.ports.errors import (
    BackendError,
    NotFound,
    PlayheadError,
    TokenRefused,
    Unauthorized,
    Unreachable,
    WrongServer,
)

from .rig import Rig, find_entry, load_harness, open_rig, wish
from .world import ANNA, BEN, SERVER

EMULATED = ("plex", "jellyfin", "emby")


async def test_probe_says_who_answers(rig: Rig) -> None:
    """Kind, version and a lasting id."""
    info = await rig.connect().probe()
    server = rig.box.server(SERVER)
    assert (info.kind, info.version) == (server.kind, server.version)
    assert info.server_id
    assert info.name
    assert (await rig.connect(BEN).probe()).server_id == info.server_id


async def test_probe_knows_the_servers_clock(rig: Rig) -> None:
    """Server minus hub, so that dates can be compared."""
    skew = (await rig.connect().probe()).clock_skew_s
    assert skew is not None
    assert abs(skew - (rig.box.clock.now() - time.time())) < 5


async def test_another_product_is_recognised(manifest: Manifest) -> None:
    """Each other emulated server at this address is a wrong server, and the hint says what to do."""
    kind = load_harness(manifest).KIND
    others = tuple(other for other in EMULATED if other != kind)
    async with open_rig(manifest, kinds_beside=others) as rig:
        for other in others:
            with pytest.raises(WrongServer) as caught:
                await rig.connect(server=f"other-{other}").probe()
            assert caught.value.hint


@asynccontextmanager
async def _stranger(body: str, content_type: str, status: int) -> AsyncIterator[str]:
    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text=body, content_type=content_type, status=status)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("<html><title>Router</title></html>", "text/html", 200),
        ("<html>Not here</html>", "text/html", 404),
        ("{}", "application/json", 200),
        ('{"status": "ok"}', "application/json", 200),
        ("[]", "application/json", 200),
        ("hello", "text/plain", 200),
        ("", "text/plain", 400),
    ],
)
async def test_a_stranger_is_a_wrong_server(rig: Rig, body: str, content_type: str, status: int) -> None:
    """A router's page, a 404, some other JSON: not this product."""
    async with _stranger(body, content_type, status) as url:
        rig.box.urls[SERVER] = url
        with pytest.raises(WrongServer) as caught:
            await rig.connect().probe()
    assert caught.value.hint


async def test_nobody_there_is_unreachable(rig: Rig) -> None:
    """A refused connection is told from a wrong product."""
    async with _stranger("", "text/plain", 200) as url:
        rig.box.urls[SERVER] = url
    with pytest.raises(Unreachable) as caught:
        await rig.connect().probe()
    assert caught.value.hint


@pytest.mark.parametrize("tail", ["/", "/web", "/web/index.html#!/home", "/web/#/home"])
async def test_an_address_copied_from_the_browser_works(rig: Rig, tail: str) -> None:
    """People paste what stands in the address bar."""
    rig.box.urls[SERVER] += tail
    backend = rig.connect()
    assert (await backend.probe()).kind == rig.box.server(SERVER).kind
    assert (await backend.check_account()).name == ANNA


async def test_a_password_in_the_address_is_not_shown(rig: Rig) -> None:
    """Neither when it is refused nor when nobody answers there."""
    rig.box.urls[SERVER] = "http://anna:s3cr3tw0rd@127.0.0.1:9"
    with pytest.raises(PlayheadError) as caught:
        await rig.connect().probe()
    assert "s3cr3tw0rd" not in str(caught.value)
    assert caught.value.hint


async def test_check_account_names_the_person(rig: Rig) -> None:
    """Each login is found to be itself."""
    for name in (ANNA, BEN):
        user = await rig.connect(name).check_account()
        assert user.name == name
        assert user.id


async def test_an_unknown_user_is_an_error_that_says_so(rig: Rig) -> None:
    """A name that is not there, or not the token's, is never silently replaced by another."""
    token = rig.box.token(SERVER, ANNA)
    with pytest.raises((NotFound, Unauthorized)) as caught:
        await rig.connect("nobody", token=token).check_account()
    assert "nobody" in str(caught.value)
    assert caught.value.hint


async def test_a_wrong_token_is_unauthorized(rig: Rig) -> None:
    """Everywhere, with the next thing to try; and never as an empty list."""
    entry = await find_entry(rig.connect(), "fresh")
    backend = rig.connect(token="0" * 20)
    for ask in (backend.check_account(), backend.list_libraries(), backend.fetch_entries([entry.native_id])):
        with pytest.raises(TokenRefused) as caught:  # what a renewal begins with
            await ask
        assert caught.value.hint
    receipt = await backend.apply(wish(entry, "watched", watched=True))
    assert (receipt.outcome, receipt.error_code) == (Outcome.refused, "unauthorized")
    assert not rig.row("fresh").watched


async def test_all_logins_are_listed(rig: Rig) -> None:
    """The administrator's token sees everyone."""
    users = {user.name: user for user in await rig.connect().list_users()}
    assert {ANNA, BEN} <= users.keys()
    assert users[ANNA].admin
    assert not users[BEN].admin


async def test_libraries_are_listed(rig: Rig) -> None:
    """Titles, folders and what they hold."""
    found = {library.title: library for library in await rig.connect().list_libraries()}
    assert {"Films", "Series"} <= found.keys()
    assert "movie" in found["Films"].holds
    assert "episode" in found["Series"].holds
    assert found["Films"].locations == ("/media/films",)


async def test_tokens_never_stand_in_urls(rig: Rig) -> None:
    """Neither in paths nor in queries, reading or writing: URLs end up in logs of proxies."""
    backend = rig.connect()
    await backend.probe()
    await backend.check_account()
    await backend.list_users()
    entry = await find_entry(backend, "fresh")
    await backend.fetch_entries([entry.native_id])
    await backend.apply(wish(entry, "watched", watched=True))
    await backend.apply(wish(entry, "progress", position_s=1000))
    tokens = {rig.box.token(SERVER, ANNA), rig.box.server(SERVER).admin_token}
    assert len(rig.asked) > 5
    assert not [url for url in rig.asked for token in tokens if token in url]


async def test_messages_hold_no_token(rig: Rig) -> None:
    """An error may be printed and logged as it is."""
    token = "s3cr3t-t0k3n-0123456789"
    with pytest.raises(PlayheadError) as caught:
        await rig.connect(token=token).check_account()
    assert isinstance(caught.value, BackendError)
    assert token not in str(caught.value) + repr(caught.value.__cause__)
