"""A server that is killed cuts everybody off, keeps what it had stored, and is there again after a while."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from playhead.sandbox.generate import generate_world
from playhead.sandbox.run import SandboxHandle, run_world
from tests.sandbox.ear import listen, wait_until

SOCKETS = {
    "plex": "/:/websockets/notifications?X-Plex-Token={token}",
    "jellyfin": "/socket?api_key={token}",
    "emby": "/embywebsocket?api_key={token}&deviceId=d",
}
DOWN_S = 0.3


async def answers(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url) as answer:
            await answer.read()
            return True
    except aiohttp.ClientError:
        return False


async def order(box: SandboxHandle, http: aiohttp.ClientSession, what: str, **body: Any) -> Any:
    async with http.post(f"{box.control_url}/_sandbox/{what}", json=body) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


@pytest.mark.parametrize("kind", ["plex", "jellyfin:10.11.11", "emby:4.9.5.0"])
async def test_a_killed_server_comes_back_with_what_it_had_stored(kind: str) -> None:
    """At the same address; its sockets are cut without a word."""
    world = generate_world(40, seed=5, servers=[kind])
    async with run_world(world) as box, aiohttp.ClientSession() as http:
        [server] = box.servers.values()
        url, item = box.url(server.name), world.items[0].id
        await order(box, http, "act", server=server.name, user="bob", item=item, act="mark")
        before = server.state_rows("bob")
        path = SOCKETS[server.kind].format(token=box.token(server.name, "bob"))
        async with http.ws_connect(url + path) as line:
            await order(box, http, "kill", server=server.name, down_s=DOWN_S)
            assert not await answers(http, url)
            async with asyncio.timeout(5):
                while (await line.receive()).type is aiohttp.WSMsgType.TEXT:
                    pass  # what was said before
        async with asyncio.timeout(5):
            while not await answers(http, url):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.02)
        assert server.state_rows("bob") == before


async def test_what_waited_to_be_posted_is_lost() -> None:
    """As with a real process: nobody posts it later."""
    world = generate_world(40, seed=5, servers=["emby:4.9.5.0"])
    async with listen() as ear:
        world.servers[0].webhooks = [ear.url]
        async with run_world(world) as box, aiohttp.ClientSession() as http:
            ear.hold()
            for item in world.items[:20]:
                await order(box, http, "act", server="emby", user="bob", item=item.id, act="mark")
            [server] = box.servers.values()
            assert server.told().webhooks_waiting > 1
            await order(box, http, "kill", server="emby", down_s=DOWN_S)
            await wait_until(lambda: server.told().webhooks_waiting == 0)
            ear.let_go()
            await order(box, http, "act", server="emby", user="bob", item=world.items[0].id, act="unmark")
            await wait_until(lambda: server.told().webhooks_sent == 1)
            assert len(ear.posts) < 20


async def test_who_is_not_there_cannot_be_killed() -> None:
    async with run_world(generate_world(5, seed=1, servers=["plex"])) as box, aiohttp.ClientSession() as http:
        async with http.post(f"{box.control_url}/_sandbox/kill", json={"server": "nobody"}) as answer:
            assert answer.status == 404
        await order(box, http, "kill", server="plextv", down_s=DOWN_S)
        assert not await answers(http, box.extra_urls["plextv"])
