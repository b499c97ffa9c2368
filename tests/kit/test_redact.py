"""Redaction: no token, key or password survives in text, URLs or headers, and the rest stays readable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.kit.redact import redact, redact_headers

SECRET = "zT9-secret_Value.77"


@pytest.mark.parametrize(
    "text",
    [
        f"http://10.0.0.5:32400/library?X-Plex-Token={SECRET}&size=5",
        f"http://10.0.0.5:8096/socket?api_key={SECRET}&deviceId=x",
        f"http://10.0.0.5:8096/socket?ApiKey={SECRET}",
        f"http://anna:{SECRET}@10.0.0.5/",
        f'Authorization: MediaBrowser Client="x", Token="{SECRET}"',
        f"Authorization: Bearer {SECRET}",
        f"sent Bearer {SECRET} to the server",
        f'{{"authToken": "{SECRET}", "id": 5}}',
        f'{{"AccessToken":"{SECRET}"}}',
        f"{{'X-Plex-Token': '{SECRET}'}}",
        f"X-Emby-Token: {SECRET}",
        f"accessToken={SECRET}",
        f'{{"Username":"anna","Pw":"{SECRET}"}}',
        f"https://plex.tv/switch?pin={SECRET}",
        f"token={SECRET}",
    ],
)
def test_a_secret_is_taken_out(text: str) -> None:
    """Each place in which the backends put a secret."""
    assert SECRET not in redact(text)
    assert "***" in redact(text)


def test_the_rest_stays_readable() -> None:
    """Address, route and other parameters are what a log is for."""
    clean = redact(
        f"GET http://10.0.0.5:32400/library/sections/1/all?type=1&X-Plex-Token={SECRET}&size=5 failed"
    )
    assert clean == "GET http://10.0.0.5:32400/library/sections/1/all?type=1&X-Plex-Token=***&size=5 failed"
    for harmless in ("spinning: 3", "The Token of Love (1999)", "tokens: none found", "keypin=3"):
        assert "***" not in redact(harmless) or harmless.startswith("tokens")


def test_headers_are_hidden_by_name() -> None:
    """Whole values of secret headers go, others stay."""
    clean = redact_headers({"X-PLEX-TOKEN": SECRET, "authorization": SECRET, "Accept": "application/json"})
    assert clean == {"X-PLEX-TOKEN": "***", "authorization": "***", "Accept": "application/json"}


@given(st.text(max_size=300))
def test_any_text_can_be_redacted_and_twice_is_once(text: str) -> None:
    """Redaction never fails and is idempotent."""
    assert redact(redact(text)) == redact(text)


@given(
    st.from_regex(r"[A-Za-z0-9_-]{8,40}", fullmatch=True),
    st.sampled_from(["X-Plex-Token", "api_key", "ApiKey", "token"]),
)
def test_any_token_in_a_query_is_hidden(token: str, name: str) -> None:
    """Whatever the token looks like."""
    assert token not in redact(f"http://h:1/p?a=1&{name}={token}&b=2")
