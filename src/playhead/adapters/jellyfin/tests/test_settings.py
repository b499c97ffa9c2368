"""What a person may give as the address of a Jellyfin."""

from __future__ import annotations

import msgspec
import pytest

from playhead.adapters.jellyfin.settings import JellyfinSettings


@pytest.mark.parametrize("url", ["10.0.0.5:8096", "ftp://x", "http://", "http://anna:pw@10.0.0.5:8096"])
def test_settings_refuse_an_address_that_cannot_work(url: str) -> None:
    """Without http, or with a password: that would need the header in which Jellyfin wants the token."""
    with pytest.raises(msgspec.ValidationError, match="url"):
        msgspec.convert({"url": url}, JellyfinSettings)


@pytest.mark.parametrize(
    "url", ["http://x", "https://tv.example.org/jellyfin/", "http://[::1]:8096/web/#/home"]
)
def test_settings_take_every_usual_address(url: str) -> None:
    """With a base path, an IPv6 address, or copied out of the browser."""
    assert msgspec.convert({"url": url}, JellyfinSettings).url == url
