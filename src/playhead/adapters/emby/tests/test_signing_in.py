"""Sign-in at Emby, request by request."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from playhead.adapters._mediabrowser.tests.scripted import Script, run_script
from playhead.adapters.emby.settings import EmbySettings
from playhead.adapters.emby.signing_in import EmbySignIn
from playhead.ports.errors import Unauthorized, WrongServer

SIGN_IN = "POST /emby/Users/AuthenticateByName"
WELCOME = {"AccessToken": "t0k3n-of-anna", "User": {"Id": "a" * 32, "Name": "anna"}}


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    async with run_script() as running:
        running.answer(
            "GET /emby/System/Info/Public", {"Id": "s", "ServerName": "Cabin", "Version": "4.9.5.0"}
        )
        yield running


async def test_name_and_password_go_into_the_body_of_one_request(script: Script) -> None:
    """Who asks is told in the headers that Emby wants, without a token, each time as another device."""
    script.answer(SIGN_IN, WELCOME)
    devices = set()
    for _ in range(2):
        sign_in = EmbySignIn(EmbySettings(url=script.url), client_id="hub")
        granted = await sign_in.sign_in("anna", "a pass&word")
        assert (granted.token, granted.user.id, granted.user.name) == ("t0k3n-of-anna", "a" * 32, "anna")
        asked = script.last(SIGN_IN)
        assert asked.json == {"Username": "anna", "Pw": "a pass&word"}
        assert "X-Emby-Token" not in asked.headers
        assert {"X-Emby-Client", "X-Emby-Device-Name", "X-Emby-Client-Version"} <= set(asked.headers)
        devices.add(asked.headers["X-Emby-Device-Id"])
        await sign_in.close()
    assert len(devices) == 2
    assert script.requests("POST") == [SIGN_IN, SIGN_IN]


async def test_a_wrong_password_is_told_as_such(script: Script) -> None:
    """Measured: 401 with a sentence, for a wrong name and a wrong password alike."""
    script.answer(SIGN_IN, "Invalid username or password. Please try again.", status=401)
    sign_in = EmbySignIn(EmbySettings(url=script.url), client_id="hub")
    with pytest.raises(Unauthorized, match="name and password"):
        await sign_in.sign_in("anna", "wrong")
    await sign_in.close()


async def test_another_product_gets_no_password(script: Script) -> None:
    """Who answers is asked first."""
    async with run_script() as other:
        info = {"Id": "s", "ServerName": "x", "Version": "12.0.0", "ProductName": "Jellyfin Server"}
        other.answer("GET /System/Info/Public", {**info, "StartupWizardCompleted": True})
        sign_in = EmbySignIn(EmbySettings(url=other.url), client_id="hub")
        with pytest.raises(WrongServer):
            await sign_in.sign_in("anna", "secret-word")
        assert other.requests("POST") == []
        await sign_in.close()
