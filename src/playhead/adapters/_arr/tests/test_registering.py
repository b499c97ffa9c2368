"""Webhooks are set up on an emulated Sonarr and Radarr without touching those of others."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from playhead.adapters._arr.tests.rig import KINDS, Rig, run_rig
from playhead.adapters._arr.tests.test_net import READERS
from playhead.ports.errors import Refused
from playhead.ports.events import RegistersWebhooks
from tests.sandbox.ear import Ear, listen, wait_until


@pytest.fixture
async def ear() -> AsyncIterator[Ear]:
    async with listen() as ear:
        yield ear


@pytest.fixture(params=KINDS)
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async with run_rig(request.param) as rig:
        yield rig


def writes(rig: Rig) -> list[str]:
    return [route for route in rig.box.counters[rig.kind].routes if not route.startswith("GET ")]


async def test_an_address_is_added_and_taken_away(rig: Rig, ear: Ear) -> None:
    """Those of others stay, in their order; twice is once; what is not there is not missed."""
    net, other, ours = rig.net, f"{ear.url}/other?key=a%20b", f"{ear.url}/hooks/ours/s3cret"
    assert isinstance(net, RegistersWebhooks)
    assert await net.list_webhooks() == []
    await net.register_webhook(other)
    await net.register_webhook(ours)
    rig.box.counters[rig.kind].reset()
    await net.register_webhook(ours)
    assert writes(rig) == []
    assert await net.list_webhooks() == [other, ours]
    await net.remove_webhook(ours)
    await net.remove_webhook(ours)
    assert await net.list_webhooks() == [other]


async def test_what_a_person_switched_off_is_switched_on_again_and_nothing_else(rig: Rig, ear: Ear) -> None:
    """Names and other switches stay."""
    await rig.net.register_webhook(f"{ear.url}/x")
    [connection] = rig.server.connections.all.values()
    connection.name = "my own name"
    connection.flags |= {"onUpgrade": False, "onGrab": True}
    await rig.net.register_webhook(f"{ear.url}/x")
    [connection] = rig.server.connections.all.values()
    assert (connection.name, connection.flags["onUpgrade"], connection.flags["onGrab"]) == (
        "my own name",
        True,
        True,
    )


async def test_what_is_set_up_posts_and_the_posts_are_read(rig: Rig, ear: Ear) -> None:
    """First its test, then imports, renames and deletions."""
    await rig.net.register_webhook(f"{ear.url}/x")
    assert READERS[rig.kind](ear.posts[0].fields[""], {}).test
    ear.posts.clear()
    rig.act("import", rig.item(2), quality="2160p.BluRay")
    rig.act("rename", rig.item(3), to="Season 1/b.mkv")
    rig.act("delete", rig.item(3), files=True)
    await wait_until(lambda: len(ear.posts) == 4)
    told = [READERS[rig.kind](post.fields[""], {}).arrivals[0] for post in ear.posts]
    assert [(each.what, each.half) for each in told] == [
        ("deleted", True),
        ("upgraded", False),
        ("renamed", False),
        ("deleted", False),
    ]


@pytest.mark.parametrize("status", [404, 503, None])
async def test_where_nobody_answers_nothing_is_kept_and_the_address_is_not_shown(
    rig: Rig, ear: Ear, status: int | None
) -> None:
    """The program tries the address when it saves; what to do stands in the hint."""
    ear.status = status or 200
    url = f"{ear.url}/s3cret" if status else "http://127.0.0.1:9/s3cret"
    with pytest.raises(Refused, match="did not keep the webhook") as refused:
        await rig.net.register_webhook(url)
    assert "s3cret" not in str(refused.value)
    assert "playhead serve" in refused.value.hint
    assert await rig.net.list_webhooks() == []
