"""The emulated plex.tv: who am I, which servers, by which token; judged by the maker's document where it has the route."""

from __future__ import annotations

from typing import Any

import aiohttp
import msgspec
import pytest

from playhead.sandbox.run import SandboxHandle, run_world
from playhead.sandbox.world import World, WorldServer, WorldUser
from tests.judges.openapi import check
from tests.truth import truth_path

SENT = {"Accept": "application/json", "X-Plex-Client-Identifier": "tests"}


async def ask(
    box: SandboxHandle, http: aiohttp.ClientSession, path: str, token: str, method: str = "GET"
) -> tuple[int, Any, bytes]:
    url = f"{box.extra_urls['plextv']}{path}"
    async with http.request(method, url, headers={**SENT, "X-Plex-Token": token}) as response:
        return response.status, await response.json(), await response.read()


@pytest.mark.parametrize("path", ["/user", "/resources"])
@pytest.mark.parametrize("token", ["right", "wrong"])
async def test_answers_fit_the_makers_document(
    box: SandboxHandle, session: aiohttp.ClientSession, path: str, token: str
) -> None:
    """User and resources, with a token and with a wrong one."""
    spec = truth_path("specs", "lukehagar-plex-api-spec-1.1.1.yaml")
    known = box.token("plex", "alice") if token == "right" else token
    status, _, body = await ask(box, session, f"/api/v2{path}", known)
    assert status == (200 if token == "right" else 401)
    assert check(spec, "GET", path, {}, status, "application/json", body) == []


async def test_a_wrong_token_is_told_in_plex_tvs_words(
    box: SandboxHandle, session: aiohttp.ClientSession
) -> None:
    """Code 1001, as JSON, unlike the media server's pages."""
    status, body, _ = await ask(box, session, "/api/v2/user", "wrong")
    told = {"code": 1001, "message": "User could not be authenticated", "status": 401}
    assert (status, body) == (401, {"errors": [told]})


async def test_one_name_is_one_person_on_all_servers(session: aiohttp.ClientSession) -> None:
    """Ann owns one server and is a guest on the other: two resources, each with its own token and owner."""
    servers = [
        WorldServer(name="home", kind="plex", users=[WorldUser(name="ann"), WorldUser(name="ben")]),
        WorldServer(name="away", kind="plex", users=[WorldUser(name="ben"), WorldUser(name="ann")]),
    ]
    async with run_world(World(items=[], servers=servers)) as box:
        _, found, _ = await ask(box, session, "/api/v2/resources", box.token("home", "ann"))
        owned = {resource["name"]: (resource["owned"], resource["accessToken"]) for resource in found}
        assert owned == {"home": (True, box.token("home", "ann")), "away": (False, box.token("away", "ann"))}
        _, home, _ = await ask(box, session, "/api/v2/home/users", box.token("home", "ann"))
        assert [(user["title"], user["admin"]) for user in home["users"]] == [("ann", True), ("ben", False)]
        ben = home["users"][1]["uuid"]
        path = f"/api/v2/home/users/{ben}/switch"
        status, switched, _ = await ask(box, session, path, box.token("home", "ann"), method="POST")
        assert status == 201
        _, user, _ = await ask(box, session, "/api/v2/user", switched["authToken"])
        assert user["username"] == "ben"


async def test_a_servers_token_of_a_guest_is_none_for_plex_tv(
    box: SandboxHandle, session: aiohttp.ClientSession
) -> None:
    """plex.tv tokens and server tokens are different things."""
    status, _, _ = await ask(box, session, "/api/v2/user", box.token("plex", "bob"))
    assert status == 401


async def test_resources_have_the_members_that_were_recorded(
    box: SandboxHandle, session: aiohttp.ClientSession
) -> None:
    """Of a server and of each of its addresses, in the recorded types."""
    path = truth_path("recorded", "plex", "pms-1.43.3", "plextv_resources.json")
    recorded = msgspec.json.decode(path.read_bytes())["entries"][0]
    _, found, _ = await ask(box, session, "/api/v2/resources", box.token("plex", "alice"))
    assert recorded.keys() <= found[0].keys()
    for shown, real in ((found[0], recorded), (found[0]["connections"][0], recorded["connections"][0])):
        for name, value in real.items():
            assert value is None or shown[name] is None or type(shown[name]) is type(value), name


async def test_a_pin_protects_a_member_of_the_home(session: aiohttp.ClientSession) -> None:
    """It is told who is protected; only the right PIN switches."""
    users = [WorldUser(name="ann"), WorldUser(name="kid", pin="1234")]
    server = WorldServer(name="home", kind="plex", users=users)
    async with run_world(World(items=[], servers=[server])) as box:
        token = box.token("home", "ann")
        _, home, _ = await ask(box, session, "/api/v2/home/users", token)
        ann, kid = home["users"]
        assert (ann["protected"], kid["protected"]) == (False, True)
        path = f"/api/v2/home/users/{kid['uuid']}/switch"
        for query, expected in (("", 401), ("?pin=9999", 401), ("?pin=1234", 201)):
            status, _, _ = await ask(box, session, path + query, token, method="POST")
            assert status == expected


async def test_a_revoked_token_is_refused_and_the_share_has_another(
    box: SandboxHandle, session: aiohttp.ClientSession
) -> None:
    """At the server; the login and its state stay."""
    old = box.token("plex", "bob")
    before = box.server("plex").state_rows("bob")
    box.server("plex").act("bob", "", "revoke_token", at=None, args={})
    for token, expected in ((old, 401), (box.token("plex", "bob"), 200)):
        async with session.get(f"{box.url('plex')}/", headers={**SENT, "X-Plex-Token": token}) as response:
            assert response.status == expected
    assert box.server("plex").state_rows("bob") == before
