"""Sign-in at Jellyfin against what real servers answered, request by request."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from playhead.adapters._mediabrowser.tests.scripted import Script, run_script
from playhead.adapters.jellyfin.settings import JellyfinSettings
from playhead.adapters.jellyfin.signing_in import JellyfinSignIn
from playhead.ports.errors import BadAnswer, Refused, Unauthorized
from tests.truth import truth_path

INFO = {"Id": "s", "ServerName": "Attic", "ProductName": "Jellyfin Server", "StartupWizardCompleted": True}
ATTEMPT = {"Authenticated": False, "Secret": "QC-SECRET", "Code": "990779"}


def steps(version: str) -> list[dict[str, Any]]:
    path = truth_path("recorded", "jellyfin", f"{version}-real", "02-auth-login.json")
    found = json.loads(path.read_bytes())
    return list(found if isinstance(found, list) else found["steps"])


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    async with run_script() as running:
        yield running


def open_sign_in(script: Script, version: str = "12.0.0") -> JellyfinSignIn:
    script.answer("GET /System/Info/Public", {**INFO, "Version": version})
    return JellyfinSignIn(JellyfinSettings(url=script.url), client_id="hub")


def play(script: Script, version: str, *, password: bool) -> None:
    """The tape's answers to the requests of one of the two ways, in their order."""
    for step in steps(version):
        request, response = step["request"], step["response"]
        by_name = request["path"].endswith("AuthenticateByName")
        if by_name == password and (by_name or "uick" in request["path"]):
            asked = f"{request['method']} {request['path']}"
            script.answer(asked, response.get("body"), status=response["status"])


@pytest.mark.parametrize("version", ["10.11.11", "12.0.0"])
async def test_quick_connect_as_recorded(script: Script, version: str) -> None:
    """Code, not yet, approved, token: each answer is a real server's."""
    play(script, version, password=False)
    sign_in = open_sign_in(script, version)
    shown = await sign_in.begin()
    assert len(shown.code) == 6
    assert not await sign_in.is_approved()
    with pytest.raises(Refused):
        await sign_in.fetch_token("s")  # the tape tries too early as well: 404
    assert await sign_in.is_approved()
    granted = await sign_in.fetch_token("s")
    assert (granted.user.name, bool(granted.token)) == ("watcher", True)
    with pytest.raises(Refused) as caught:
        await sign_in.is_approved()  # "Unknown secret"
    assert "expired" in caught.value.message
    await sign_in.close()


@pytest.mark.parametrize("version", ["10.11.11", "12.0.0"])
async def test_name_and_password_as_recorded(script: Script, version: str) -> None:
    """Right, in upper case, wrong, unknown: the tape's first four."""
    play(script, version, password=True)
    sign_in = open_sign_in(script, version)
    for name in ("watcher", "WATCHER"):
        assert (await sign_in.sign_in(name, "watcher-pw")).user.name == "watcher"
    for name, password in (("watcher", "wrong"), ("nobody", "x")):
        with pytest.raises(Unauthorized) as caught:
            await sign_in.sign_in(name, password)
        assert "name and password" in caught.value.message
    await sign_in.close()


@pytest.mark.parametrize(
    ("version", "method"), [("10.8.13", "GET"), ("10.9.0", "POST"), ("10.11.11", "POST"), ("12.0.0", "POST")]
)
async def test_the_method_goes_by_the_version(script: Script, version: str, method: str) -> None:
    """GET is 405 on 12, POST does not exist on 10.8."""
    script.answer("GET /QuickConnect/Enabled", True)
    script.answer(f"{method} /QuickConnect/Initiate", ATTEMPT)
    sign_in = open_sign_in(script, version)
    assert (await sign_in.begin()).code == "990779"
    await sign_in.close()


async def test_who_asks_is_told_without_a_token_and_as_a_device_of_its_own(script: Script) -> None:
    """Only the Authorization header, which is all that 12 takes; two sign-ins are two devices."""
    script.answer("GET /QuickConnect/Enabled", True)
    script.answer("POST /QuickConnect/Initiate", ATTEMPT)
    headers = []
    for _ in range(2):
        sign_in = open_sign_in(script)
        await sign_in.begin()
        sent = script.last("POST /QuickConnect/Initiate").headers
        assert "Token" not in sent["Authorization"]
        assert not {"X-Emby-Token", "X-MediaBrowser-Token", "X-Emby-Authorization"} & set(sent)
        headers.append(sent["Authorization"])
        await sign_in.close()
    assert all(header.startswith('MediaBrowser Client="Playhead"') for header in headers)
    assert headers[0] != headers[1]


async def test_switched_off_is_told_whichever_way_the_server_says_it(script: Script) -> None:
    """As an answer, or as a 401 to the request for a code."""
    script.answer("GET /QuickConnect/Enabled", False)
    script.answer("GET /QuickConnect/Enabled", True)
    script.answer("POST /QuickConnect/Initiate", "Quick connect is disabled", status=401)
    sign_in = open_sign_in(script)
    for _ in range(2):
        with pytest.raises(Refused) as caught:
            await sign_in.begin()
        assert "switched off" in caught.value.message
    await sign_in.close()


async def test_a_welcome_without_a_token_is_an_error(script: Script) -> None:
    """Nothing is made up."""
    script.answer("POST /Users/AuthenticateByName", {"User": {"Id": "u", "Name": "anna"}})
    sign_in = open_sign_in(script)
    with pytest.raises(BadAnswer):
        await sign_in.sign_in("anna", "x")
    await sign_in.close()
