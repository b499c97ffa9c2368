"""The webhook plugin's configuration: only our own destination changes in it."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from playhead.adapters._mediabrowser.tests.scripted import Script, run_script
from playhead.adapters.jellyfin.adapter import JellyfinBackend
from playhead.adapters.jellyfin.registering import NEEDED, PLUGIN_ID
from playhead.adapters.jellyfin.settings import JellyfinSettings
from playhead.ports.errors import BadAnswer, Refused
from tests.truth import truth_path

URL = "http://10.0.0.2:7529/hooks/attic/s3cret"
PLUGINS = [{"Name": "AudioDB", "Id": "a" * 32}, {"Name": "Webhook", "Id": PLUGIN_ID}]
ROUTE = f"/Plugins/{PLUGIN_ID}/Configuration"


@pytest.fixture
async def place() -> AsyncIterator[tuple[Script, JellyfinBackend]]:
    async with run_script() as script:
        script.answer("GET /Plugins", PLUGINS)
        settings = JellyfinSettings(url=script.url, timeout_s=2)
        backend = JellyfinBackend(settings, "key", "6" * 32, client_id="hub")
        yield script, backend
        await backend.close()


def taped() -> dict[str, Any]:
    """The configuration of tape 18, with members that no version has yet."""
    tape = json.loads(
        truth_path("recorded", "jellyfin", "12.0.0-real", "18-webhook-plugin.json").read_bytes()
    )
    found = next(event["body"] for event in tape["events"] if "Configuration" in event.get("note", ""))
    found["Later"] = {"Ratio": 0.1, "Big": 2**53 + 1, "Null": None}
    found["DiscordOptions"] = [{"WebhookUri": URL, "Colour": "#fff"}]
    return dict(found)


async def test_registering_adds_one_destination_and_touches_nothing_else(
    place: tuple[Script, JellyfinBackend],
) -> None:
    """What is written is what was read, with ours at the end."""
    script, backend = place
    before = taped()
    after = copy.deepcopy(before)
    script.answer(f"POST {ROUTE}", None, status=204)
    script.answer(f"GET {ROUTE}", before)
    with pytest.raises(Refused, match="did not keep the address"):  # the script goes on answering the old one
        await backend.register_webhook(URL)
    written = script.last(f"POST {ROUTE}").json
    added = written["GenericOptions"].pop()
    assert written == after
    assert (added["WebhookUri"], added["SendAllProperties"], added["UserFilter"]) == (URL, True, [])
    assert set(added) == set(before["GenericOptions"][0])


async def test_removing_takes_one_destination_and_touches_nothing_else(
    place: tuple[Script, JellyfinBackend],
) -> None:
    """Destinations of other kinds with the same address are not ours."""
    script, backend = place
    before = taped()
    gone = before["GenericOptions"][1]["WebhookUri"]
    script.answer(f"GET {ROUTE}", before)
    script.answer(f"POST {ROUTE}", None, status=204)
    await backend.remove_webhook(gone)
    written = script.last(f"POST {ROUTE}").json
    del before["GenericOptions"][1]
    assert written == before


async def test_a_destination_that_was_switched_off_is_switched_on(
    place: tuple[Script, JellyfinBackend],
) -> None:
    """What a person chose beside it stays: the name, the users, more notifications."""
    script, backend = place
    configuration = taped()
    own = configuration["GenericOptions"][1]
    own |= {"EnableWebhook": False, "NotificationTypes": ["Generic", "ItemAdded"]}
    script.answer(f"GET {ROUTE}", configuration)
    script.answer(f"POST {ROUTE}", None, status=204)
    assert own["WebhookUri"] not in await backend.list_webhooks()
    with pytest.raises(Refused):
        await backend.register_webhook(own["WebhookUri"])
    written = script.last(f"POST {ROUTE}").json["GenericOptions"]
    assert len(written) == 3
    types = ["Generic", "ItemAdded", *(name for name in NEEDED if name != "ItemAdded")]
    assert written[1] == {**own, "EnableWebhook": True, "NotificationTypes": types}


@pytest.mark.parametrize(
    "request_line, body, status, words",
    [
        ("GET /Plugins", PLUGINS[:1], 200, "has no webhook plugin"),
        ("GET /Plugins", None, 403, "does not let this token"),
        (f"GET {ROUTE}", None, 404, "does not let this token"),
    ],
)
async def test_where_it_cannot_be_done_the_steps_are_told(
    request_line: str, body: Any, status: int, words: str
) -> None:
    """No plugin, no administrator; the address, which is a secret, is not in the message."""
    async with run_script() as script:
        script.answer(request_line, body, status=status)
        script.answer("GET /Plugins", PLUGINS)
        backend = JellyfinBackend(JellyfinSettings(url=script.url), "key", "6" * 32, client_id="hub")
        with pytest.raises(Refused, match=words) as caught:
            await backend.register_webhook(URL)
        assert "Add Generic Destination" in caught.value.hint
        assert "s3cret" not in str(caught.value)
        assert script.requests("POST") == []
        await backend.close()


@pytest.mark.parametrize("options", ["x", [1], {"a": 1}, None])
async def test_a_configuration_of_another_form_is_left_alone(
    place: tuple[Script, JellyfinBackend], options: Any
) -> None:
    """Nothing is written over what is not understood."""
    script, backend = place
    script.answer(f"GET {ROUTE}", {"GenericOptions": options})
    for change in (backend.register_webhook, backend.remove_webhook):
        with pytest.raises(BadAnswer):
            await change(URL)
    assert script.requests("POST") == []
