"""Sign-in at the emulated plex.tv: code, servers, token, address; and a made-up plex.tv for what the emulated one never says."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import pytest

from playhead.adapters._mediabrowser.tests.scripted import Script, run_script
from playhead.adapters.plex.adapter import PlexBackend
from playhead.adapters.plex.settings import PlexSettings
from playhead.adapters.plex.signing_in import PlexSignIn
from playhead.ports.errors import BadAnswer, NotFound, RateLimited, Refused, Unauthorized, Unreachable
from playhead.sandbox.run import SandboxHandle, run_world
from playhead.sandbox.world import World, WorldServer, WorldUser
from tests.truth import truth_path

NOWHERE = "http://127.0.0.1:9"


@asynccontextmanager
async def open_sign_in(url: str) -> AsyncIterator[PlexSignIn]:
    sign_in = PlexSignIn(PlexSettings(url=NOWHERE, plex_tv_url=url), client_id="hub")
    try:
        yield sign_in
    finally:
        await sign_in.close()


@pytest.fixture
async def box() -> AsyncIterator[SandboxHandle]:
    """Ann owns Den, ben is her guest there and owns Attic."""
    ann, ben = WorldUser(name="ann"), WorldUser(name="ben")
    servers = [
        WorldServer(name="Den", kind="plex", users=[ann, ben]),
        WorldServer(name="Attic", kind="plex", users=[ben]),
    ]
    async with run_world(World(items=[], servers=servers)) as running:
        yield running


@pytest.fixture
async def sign_in(box: SandboxHandle) -> AsyncIterator[PlexSignIn]:
    async with open_sign_in(box.extra_urls["plextv"]) as opened:
        yield opened


def enter(box: SandboxHandle, code: str, user: str) -> None:
    box.server("Den").act(user, "", "enter_code", at=None, args={"code": code})


async def test_a_code_is_approved_by_whoever_enters_it(box: SandboxHandle, sign_in: PlexSignIn) -> None:
    """Not before; then the servers are theirs, their own first."""
    shown = await sign_in.begin()
    assert not await sign_in.is_approved()
    enter(box, shown.code, "ben")
    assert await sign_in.is_approved()
    found = [(server.name, server.owned) for server in await sign_in.list_servers()]
    assert found == [("Attic", True), ("Den", False)]


async def test_the_link_holds_code_client_and_product(box: SandboxHandle, sign_in: PlexSignIn) -> None:
    """So that nothing need be typed; behind the #, where no server sees it."""
    shown = await sign_in.begin()
    page = urlsplit(shown.where)
    assert (page.path, page.query) == ("/auth", "")
    told = {"clientID": ["hub"], "code": [shown.code], "context[device][product]": ["Playhead"]}
    assert parse_qs(page.fragment.removeprefix("?")) == told
    assert shown.expires_in_s == 900
    async with open_sign_in("https://plex.tv") as real:
        assert real._make_link("C").startswith("https://app.plex.tv/auth#?clientID=hub&code=C&")


async def test_the_token_is_the_servers_and_the_login_is_known_as_there(
    box: SandboxHandle, sign_in: PlexSignIn
) -> None:
    """Ben is account 1 on his own server and his plex.tv id on Ann's; both tokens are his."""
    shown = await sign_in.begin()
    enter(box, shown.code, "ben")
    assert await sign_in.is_approved()
    ids = {server.name: server.server_id for server in await sign_in.list_servers()}
    for name, id in (("Attic", "1"), ("Den", str(box.server("Den").users()[1].id))):
        granted = await sign_in.fetch_token(ids[name])
        assert (granted.token, granted.user.id) == (box.token(name, "ben"), id)
        assert (granted.user.name, granted.user.mail) == ("ben", "ben@example.com")


async def test_a_code_is_void_after_its_time(box: SandboxHandle, sign_in: PlexSignIn) -> None:
    """It says so, with what to do."""
    await sign_in.begin()
    box.clock.advance(901)
    with pytest.raises(Refused) as caught:
        await sign_in.is_approved()
    assert "expired" in caught.value.message
    assert caught.value.hint


async def test_nothing_is_told_before_somebody_signed_in(sign_in: PlexSignIn) -> None:
    """No request goes out without a token."""
    await sign_in.begin()
    with pytest.raises(Unauthorized):
        await sign_in.list_servers()


async def test_an_address_that_answers_is_found(box: SandboxHandle, sign_in: PlexSignIn) -> None:
    """Dead ones, and another server's at a local address, are passed over; the true one is found."""
    shown = await sign_in.begin()
    for uri, local in ((NOWHERE, True), (box.url("Attic"), True)):
        box.server("Den").act("", "", "tell_address", at=None, args={"uri": uri, "local": local})
    enter(box, shown.code, "ann")
    assert await sign_in.is_approved()
    (den,) = [server for server in await sign_in.list_servers() if server.name == "Den"]
    assert await sign_in.find_url(den.server_id) == box.url("Den")
    backend = PlexBackend(
        PlexSettings(url=await sign_in.find_url(den.server_id), plex_tv_url=box.extra_urls["plextv"]),
        (await sign_in.fetch_token(den.server_id)).token, "", client_id="hub",
    )  # fmt: skip
    assert (await backend.check_account()).name == "ann"
    await backend.close()


async def test_a_server_of_others_is_refused(box: SandboxHandle, sign_in: PlexSignIn) -> None:
    """Ann may not use Attic: it is not found, with what to do."""
    shown = await sign_in.begin()
    enter(box, shown.code, "ann")
    assert await sign_in.is_approved()
    for ask in (sign_in.fetch_token, sign_in.find_url):
        with pytest.raises(NotFound) as caught:
            await ask("somewhere-else")
        assert "share it with them" in caught.value.hint


# --- by a made-up plex.tv


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    async with run_script() as running:
        running.answer("POST /api/v2/pins", {"id": 7, "code": "ABCD", "expiresIn": 900}, status=201)
        running.answer("GET /api/v2/pins/7", {"id": 7, "code": "ABCD", "authToken": "cloud-token"})
        running.answer("GET /api/v2/user", {"id": 42, "username": "ann", "email": "ann@example.com"})
        yield running


def device(name: str, *connections: dict[str, object], **more: object) -> dict[str, object]:
    usual = {"clientIdentifier": name, "name": name, "provides": "server", "accessToken": f"token-{name}"}
    return {**usual, "owned": True, "httpsRequired": False, "connections": list(connections), **more}


def at(uri: str, *, local: bool = False, relay: bool = False) -> dict[str, object]:
    return {"uri": uri, "local": local, "relay": relay, "protocol": "http", "address": "", "port": 1}


async def sign_in_at(script: Script) -> PlexSignIn:
    sign_in = PlexSignIn(PlexSettings(url=NOWHERE, plex_tv_url=script.url), client_id="hub")
    await sign_in.begin()
    assert await sign_in.is_approved()
    return sign_in


async def test_players_are_no_servers(script: Script) -> None:
    """As recorded from plex.tv: a television is owned as well."""
    recorded = truth_path("recorded", "plex", "pms-1.43.3", "plextv_resources.json")
    script.answer("GET /api/v2/resources", json.loads(recorded.read_bytes())["entries"])
    sign_in = await sign_in_at(script)
    found = [(server.name, server.owned) for server in await sign_in.list_servers()]
    assert found == [("Media Server", True), ("A Friend's Server", False)]
    assert script.last("GET /api/v2/resources").headers["X-Plex-Token"] == "cloud-token"
    assert "cloud-token" not in script.last("GET /api/v2/resources").raw_url
    await sign_in.close()


async def test_no_token_goes_to_an_address_that_is_only_tried(script: Script) -> None:
    """Whoever stands there could be anybody."""
    script.answer("GET /api/v2/resources", [device("m", at(script.url, local=True))])
    script.answer("GET /identity", {"MediaContainer": {"machineIdentifier": "m"}})
    sign_in = await sign_in_at(script)
    assert await sign_in.find_url("m") == script.url
    assert "X-Plex-Token" not in script.last("GET /identity").headers
    await sign_in.close()


async def test_local_comes_before_remote_before_relay(script: Script) -> None:
    """Whatever the order in which plex.tv tells them."""
    async with run_script() as remote, run_script() as relay:
        for server in (script, remote, relay):
            server.answer("GET /identity", {"MediaContainer": {"machineIdentifier": "m"}})
        told = [at(relay.url, relay=True), at(remote.url), at(script.url, local=True)]
        script.answer("GET /api/v2/resources", [device("m", *told)])
        for expected, gone in ((script.url, told[2]), (remote.url, told[1]), (relay.url, told[0])):
            sign_in = await sign_in_at(script)
            assert await sign_in.find_url("m") == expected
            gone["uri"] = NOWHERE
            script.answer("GET /api/v2/resources", [device("m", *told)])
            await sign_in.close()
        sign_in = await sign_in_at(script)
        with pytest.raises(Unreachable) as caught:
            await sign_in.find_url("m")
        assert "--url" in caught.value.hint
        await sign_in.close()


async def test_a_local_address_goes_without_plex_tvs_name_for_it(script: Script) -> None:
    """A router that guards against rebinding does not resolve plex.direct."""
    port = urlsplit(script.url).port
    told = {**at("http://a.invalid:1", local=True), "address": "127.0.0.1", "port": port}
    script.answer("GET /api/v2/resources", [device("m", told)])
    script.answer("GET /api/v2/resources", [device("m", told, httpsRequired=True)])
    script.answer("GET /identity", {"MediaContainer": {"machineIdentifier": "m"}})
    sign_in = await sign_in_at(script)
    assert await sign_in.find_url("m") == script.url
    await sign_in.close()
    sign_in = await sign_in_at(script)
    with pytest.raises(Unreachable):
        await sign_in.find_url("m")
    await sign_in.close()


async def test_members_that_are_null_do_not_hide_the_servers(script: Script) -> None:
    """plex.tv says null of what a device has none of; a player's address may be odd as well."""
    player: dict[str, object] = {"provides": "player", "name": None, "connections": None, "accessToken": None}
    odd = {**at(script.url, local=True), "port": None, "address": None}
    script.answer("GET /api/v2/resources", [player, {**device("m", odd, httpsRequired=None), "name": None}])
    script.answer("GET /identity", {"MediaContainer": {"machineIdentifier": "m"}})
    sign_in = await sign_in_at(script)
    assert [each.name for each in await sign_in.list_servers()] == ["m"]
    assert await sign_in.find_url("m") == script.url
    await sign_in.close()


async def test_an_account_without_servers_has_none(script: Script) -> None:
    """An empty list, no error: what it means is told by who asks for one."""
    script.answer("GET /api/v2/resources", [])
    sign_in = await sign_in_at(script)
    assert await sign_in.list_servers() == []
    await sign_in.close()


async def test_a_request_to_slow_down_is_handed_on(script: Script) -> None:
    """With plex.tv's own wish; and it is not asked again within the call."""
    script.answer("GET /api/v2/pins/8", status=429, headers={"Retry-After": "7"})
    script.answer("POST /api/v2/pins", {"id": 8, "code": "EFGH"}, status=201)
    sign_in = PlexSignIn(PlexSettings(url=NOWHERE, plex_tv_url=script.url), client_id="hub")
    await sign_in.begin()
    await sign_in.begin()
    with pytest.raises(RateLimited) as caught:
        await sign_in.is_approved()
    assert caught.value.retry_after_s == 7
    assert script.requests().count("GET /api/v2/pins/8") == 1
    await sign_in.close()


async def test_a_server_without_a_token_is_an_error(script: Script) -> None:
    """Nothing is made up for it."""
    script.answer("GET /api/v2/resources", [device("m", accessToken=None)])
    sign_in = await sign_in_at(script)
    with pytest.raises(BadAnswer):
        await sign_in.fetch_token("m")
    await sign_in.close()


async def test_without_an_address_of_plex_tv_nothing_is_asked() -> None:
    """An empty setting means never."""
    sign_in = PlexSignIn(PlexSettings(url=NOWHERE, plex_tv_url=""), client_id="hub")
    with pytest.raises(Refused) as caught:
        await sign_in.begin()
    assert "--token" in caught.value.hint
    await sign_in.close()
