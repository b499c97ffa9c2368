"""Ways to sign in, made from an installation and a backend's manifest; and how a person signs in again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from playhead.adapters import find_manifests
from playhead.ports.backend import Manifest
from playhead.ports.errors import UsageError
from playhead.ports.signing_in import Granted, SignsInByCode, SignsInByPassword
from playhead.runtime.log import hide
from playhead.settings import Login
from playhead.wiring.installation import Installation, convert_options, load_named

NO_ADDRESS = "http://not-known-yet.invalid"  # stands in the settings while the sign-in is to tell the address


def list_code_flags() -> list[str]:
    """The flags by which the backends call their sign-in by code; each is understood for each."""
    return sorted({manifest.by_code.flag for manifest in find_manifests().values() if manifest.by_code})


def make_code_sign_in(
    installation: Installation, manifest: Manifest, url: str | None, options: Mapping[str, Any]
) -> SignsInByCode:
    """One sign-in by code. Raises UsageError where the backend has none."""
    if manifest.by_code is None:
        raise UsageError(f"{manifest.title} has no sign-in by code.", hint=f"It takes: {say_ways(manifest)}.")
    made: SignsInByCode = _make(installation, manifest, manifest.by_code.made_by, url, options)
    return made


async def sign_in_by_password(
    installation: Installation,
    manifest: Manifest,
    url: str,
    options: Mapping[str, Any],
    user: str,
    password: str,
) -> Granted:
    """Use a password once. Raises UsageError where the backend takes none, Unauthorized where it is wrong."""
    if manifest.by_password is None:
        raise UsageError(f"{manifest.title} takes no password.", hint=f"It takes: {say_ways(manifest)}.")
    hide(password)
    made: SignsInByPassword = _make(installation, manifest, manifest.by_password, url, options)
    try:
        granted = await made.sign_in(user, password)
    finally:
        await made.close()
    hide(granted.token)
    return granted


def _make(
    installation: Installation, manifest: Manifest, path: str, url: str | None, options: Mapping[str, Any]
) -> Any:
    settings = convert_options(manifest, {"url": url or NO_ADDRESS, **options}, strict=True)
    return load_named(path)(settings, client_id=installation.home.client_id())


def list_ways(manifest: Manifest) -> list[str]:
    """The flags that give a connection of this kind its token, the easiest first."""
    by_code = [manifest.by_code.flag] if manifest.by_code else []
    by_password = ["--password -"] if manifest.by_password else []
    return [*by_code, *by_password, "--token -"]


def say_ways(manifest: Manifest) -> str:
    """``--quick-connect, --password - or --token -``."""
    *first, last = list_ways(manifest)
    return f"{', '.join(first)} or {last}" if first else last


def say_sign_in_again(name: str, login: Login, manifest: Manifest) -> str:
    """The command by which a login gets a new token; everything else about it stays."""
    way, *others = list_ways(manifest)
    more = f" (or {', '.join(others)})" if others else ""
    if login.place is None:
        return f"playhead connections set {shlex.quote(name)} {way}{more}"
    words = " ".join(shlex.quote(word) for word in (login.person, name, login.user))
    return f"playhead people link {words} {way}{more}"
