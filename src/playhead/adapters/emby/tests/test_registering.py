"""Emby's notification services: only our own entry changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from playhead.adapters._mediabrowser.tests.scripted import Script, run_script
from playhead.adapters.emby.adapter import EmbyBackend
from playhead.adapters.emby.registering import EVENTS
from playhead.adapters.emby.settings import EmbySettings
from playhead.ports.errors import BackendError, Refused

URL = "http://10.0.0.2:7529/hooks/cabin/s3cret"
USER = "6ebbd48035ba48a1bf645470b6bdea30"
ROUTE = "/emby/Notifications/Services/Configured"
MAIL = {"Id": "m1", "NotifierKey": "emailnotifications", "Enabled": True, "Options": {"To": "a@b.example"}}
HOOK = {
    "Id": "w1",
    "NotifierKey": "webhooknotifications",
    "FriendlyName": "mine",
    "Enabled": False,
    "EventIds": ["system.updateavailable", "playback.stop"],
    "UserIds": ["u1"],
    "Options": {"Url": URL, "EnableMultipartFormData": "true"},
}


@pytest.fixture
async def place() -> AsyncIterator[tuple[Script, EmbyBackend]]:
    async with run_script() as script:
        backend = EmbyBackend(EmbySettings(url=script.url, timeout_s=2), "key", USER, client_id="hub")
        script.answer(f"POST {ROUTE}", None, status=204)
        script.answer(f"DELETE {ROUTE}", None, status=204)
        yield script, backend
        await backend.close()


async def test_a_new_one_is_sent_alone(place: tuple[Script, EmbyBackend]) -> None:
    """With every event that the hub can use, for all users and libraries; then it is looked for."""
    script, backend = place
    script.answer(f"GET {ROUTE}", [MAIL])
    script.answer(f"GET {ROUTE}", [MAIL, {**HOOK, "Enabled": True}])
    await backend.register_webhook(URL)
    sent = script.last(f"POST {ROUTE}")
    assert sent.query == {"UserId": USER}
    assert sent.json["Options"]["Url"] == URL
    assert sent.json["EventIds"] == list(EVENTS)
    assert sent.json["UserIds"] == sent.json["LibraryIds"] == []
    assert script.requests("POST") == [f"POST {ROUTE}"]


async def test_one_that_was_switched_off_is_switched_on(place: tuple[Script, EmbyBackend]) -> None:
    """What a person chose beside it stays."""
    script, backend = place
    script.answer(f"GET {ROUTE}", [HOOK])
    script.answer(f"GET {ROUTE}", [{**HOOK, "Enabled": True}])
    await backend.register_webhook(URL)
    sent = script.last(f"POST {ROUTE}")
    missing = [event for event in EVENTS if event != "playback.stop"]
    assert sent.json == {
        **HOOK,
        "Enabled": True,
        "EventIds": ["system.updateavailable", "playback.stop", *missing],
    }
    assert sent.query == {}


async def test_one_that_cannot_be_deleted_is_switched_off(place: tuple[Script, EmbyBackend]) -> None:
    """Where the server takes the deletion for something else."""
    script, backend = place
    script.answer(f"GET {ROUTE}", [MAIL, {**HOOK, "Enabled": True}])
    await backend.remove_webhook(URL)
    assert script.last(f"DELETE {ROUTE}").query == {"Id": "w1"}
    assert script.last(f"POST {ROUTE}").json == HOOK


@pytest.mark.parametrize("status", [401, 403, 404, 400])
async def test_where_it_cannot_be_done_the_steps_are_told(status: int) -> None:
    """The address, which is a secret, is not."""
    async with run_script() as script:
        script.answer(f"GET {ROUTE}", None, status=status)
        backend = EmbyBackend(EmbySettings(url=script.url), "key", USER, client_id="hub")
        for change in (backend.register_webhook, backend.remove_webhook):
            with pytest.raises(Refused) as caught:
                await change(URL)
            assert "Add Notification" in caught.value.hint
            assert "s3cret" not in str(caught.value)
        assert script.requests("POST") == []
        await backend.close()


async def test_one_that_is_not_kept_is_said(place: tuple[Script, EmbyBackend]) -> None:
    """Without Premiere, for one."""
    script, backend = place
    script.answer(f"GET {ROUTE}", [MAIL])
    with pytest.raises(Refused, match="did not keep the address") as caught:
        await backend.register_webhook(URL)
    assert "Premiere" in caught.value.hint


@pytest.mark.parametrize("answer", [{}, "x", [1]])
async def test_a_list_of_another_form_is_left_alone(place: tuple[Script, EmbyBackend], answer: Any) -> None:
    """Nothing is written over what is not understood."""
    script, backend = place
    script.answer(f"GET {ROUTE}", answer)
    with pytest.raises(BackendError):
        await backend.register_webhook(URL)
    assert script.requests("POST") == []
