"""A backend that can set up webhooks on its server does so without touching what others set up there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib import import_module

import pytest

from playhead.ports.backend import Manifest
from playhead.ports.events import Event, Heard, RegistersWebhooks
from tests.sandbox.ear import listen, wait_until

from .rig import Rig, find_entry, load_harness, open_rig
from .world import ANNA

OTHER = "http://127.0.0.1:9/of-another?key=abc%20d&x=1"
OURS = "http://127.0.0.1:9/hooks/home/s3cret"


@pytest.fixture
async def registering(manifest: Manifest) -> AsyncIterator[tuple[Rig, RegistersWebhooks]]:
    """``SETS_UP_WEBHOOKS`` of the harness says who can, or in words why not on its server; who says so must be able to."""
    declared = getattr(load_harness(manifest), "SETS_UP_WEBHOOKS", "the backend cannot")
    if declared is not True:
        pytest.skip(f"{manifest.name} declares that it sets up no webhooks: {declared}")
    async with open_rig(manifest) as rig:
        backend = rig.connect()
        assert isinstance(backend, RegistersWebhooks)
        yield rig, backend


def test_who_can_register_says_so(manifest: Manifest) -> None:
    """Or why not, else nothing here would be tried on it."""
    module, _, name = manifest.backend.partition(":")
    able = hasattr(getattr(import_module(module), name), "register_webhook")
    assert able == hasattr(load_harness(manifest), "SETS_UP_WEBHOOKS")


async def test_an_address_is_added_and_taken_away(registering: tuple[Rig, RegistersWebhooks]) -> None:
    """Those of others stay, in their order; twice is once; what is not there is not missed."""
    _, backend = registering
    assert await backend.list_webhooks() == []
    await backend.register_webhook(OTHER)
    await backend.register_webhook(OURS)
    await backend.register_webhook(OURS)
    assert await backend.list_webhooks() == [OTHER, OURS]
    await backend.remove_webhook(OURS)
    await backend.remove_webhook(OURS)
    assert await backend.list_webhooks() == [OTHER]
    await backend.remove_webhook(OTHER)
    assert await backend.list_webhooks() == []


async def test_what_is_set_up_already_is_not_written_again(
    registering: tuple[Rig, RegistersWebhooks],
) -> None:
    """A second registration only looks."""
    rig, backend = registering
    await backend.register_webhook(OURS)
    rig.asked.clear()
    await backend.register_webhook(OURS)
    await backend.remove_webhook(OTHER)
    assert [request for request in rig.asked if not request.startswith("GET ")] == []


async def test_the_server_posts_there_and_the_post_is_read(
    registering: tuple[Rig, RegistersWebhooks],
) -> None:
    """A stop in the middle comes as an event of this item and this user, by name at least: a Plex owner's id in a webhook
    may be the one at plex.tv."""
    rig, backend = registering
    module, _, function = (rig.manifest.webhook or "").partition(":")
    read = getattr(import_module(module), function)
    entry = await find_entry(rig.connect(), "fresh")
    user = await rig.connect().check_account()
    async with listen() as ear:
        await backend.register_webhook(f"{ear.url}/hooks/home/s3cret")
        rig.act("play_start", "fresh", user=ANNA, position_s=600)
        rig.act("play_stop", "fresh", user=ANNA)

        def stops() -> list[Event]:
            bodies = [next(iter(post.fields.values())) for post in ear.posts]
            return [event for body in bodies for event in read(body, {}) if event.what is Heard.stopped]

        await wait_until(lambda: bool(stops()))
        event = stops()[0]
        assert event.native_ids == (entry.native_id,)
        assert event.user_name == user.name
