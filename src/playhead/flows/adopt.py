"""Reads another tool's configuration and says what of it becomes a connection, and what is left behind.

Pure: gets plain values, gives plain values; nothing is lost silently. The shapes of WatchState's ``servers.yaml``: facts,
predecessors.md 5.2, and the keys that its later versions added.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from playhead.ports.errors import UsageError


class Adopted(msgspec.Struct, frozen=True, kw_only=True):
    """One server as it was configured there. ``user_id`` and ``server_id`` are empty where the file does not tell; ``proxy_host``
    is how clients call the proxy before it, with its port; ``options`` are the backend's own settings."""

    name: str
    kind: str
    url: str
    token: str
    user_id: str = ""
    server_id: str = ""
    read: bool = True
    write: bool = True
    exclude: tuple[str, ...] = ()
    proxy_host: str = ""
    options: dict[str, Any] = {}


class LeftBehind(msgspec.Struct, frozen=True):
    """What was not taken over, and why."""

    place: str
    reason: str


class Adoption(msgspec.Struct, frozen=True):
    """All that a file gave."""

    servers: tuple[Adopted, ...]
    left_behind: tuple[LeftBehind, ...]


_SYNC_KEYS = {"enabled", "lastSync", "last_sync"}
_KNOWN_REASONS = {
    "webhook": "webhooks are set up anew on the server",
    "webhook.token": "webhooks are set up anew on the server",
    "lastSync": "Playhead reads each server fully at first",
    "connect_timeout": "Playhead's own is used",
    "client.timeout": "taken over as the time to wait for an answer",
}


def read_watchstate(raw: object, kinds: Collection[str]) -> Adoption:
    """The connections in a WatchState ``servers.yaml``. Raises UsageError where it is no such file."""
    if (
        not isinstance(raw, Mapping)
        or not raw
        or not all(isinstance(value, Mapping) for value in raw.values())
    ):
        raise UsageError(
            "This is not a servers.yaml of WatchState.",
            hint="It has a name for each server with type, url and token below.",
        )
    servers: list[Adopted] = []
    left: list[LeftBehind] = []
    for name, entry in raw.items():
        server, rest = _read_server(str(name), dict(entry), kinds)
        left.extend(rest)
        if server is not None:
            servers.append(server)
    return Adoption(tuple(servers), tuple(left))


def _read_server(
    name: str, entry: dict[str, Any], kinds: Collection[str]
) -> tuple[Adopted | None, list[LeftBehind]]:
    left: list[LeftBehind] = []
    options = _take_mapping(entry, "options")
    kind = str(entry.pop("type", "") or "").lower()
    url, token = str(entry.pop("url", "") or ""), str(entry.pop("token", "") or "")
    missing = [key for key, value in (("type", kind), ("url", url), ("token", token)) if not value]
    if missing or kind not in kinds:
        reason = (
            f"has no {' and no '.join(missing)}"
            if missing
            else f"is of a kind that Playhead does not know: {kind}"
        )
        return None, [LeftBehind(name, reason)]
    own_user, option_user = entry.pop("user", None), options.pop("user", None)
    timeout = options.pop("timeout", None)
    client = _take_mapping(options, "client")
    timeout = client.pop("timeout", None) if timeout is None else timeout
    server = Adopted(
        name=name,
        kind=kind,
        url=url,
        token=token,
        user_id=_text(own_user if own_user not in (None, "") else option_user),
        server_id=_text(entry.pop("uuid", None)),
        read=_take_switch(entry, "import", name, left),
        write=_take_switch(entry, "export", name, left),
        exclude=_read_ignore(options.pop("ignore", None)),
        options={} if (seconds := _number(timeout)) is None else {"timeout_s": seconds},
    )
    for place, rest in (("", entry), ("options.", options), ("options.client.", client)):
        left.extend(
            LeftBehind(f"{name}.{place}{key}", _why(place + str(key)))
            for key, value in rest.items()
            if value is not None
        )
    return server, left


def _take_mapping(entry: dict[str, Any], key: str) -> dict[str, Any]:
    value = entry.get(key)
    if value is None or isinstance(value, Mapping):
        entry.pop(key, None)
        return dict(value or {})
    return {}  # something else stands there: stays in the entry and is reported


def _take_switch(entry: dict[str, Any], key: str, name: str, left: list[LeftBehind]) -> bool:
    switch = _take_mapping(entry, key)
    for other, value in switch.items():
        if other not in _SYNC_KEYS:
            left.append(LeftBehind(f"{name}.{key}.{other}", _why(str(other))))
        elif other != "enabled" and value:
            left.append(LeftBehind(f"{name}.{key}.{other}", _KNOWN_REASONS["lastSync"]))
    return bool(switch.get("enabled", False))


def _read_ignore(value: Any) -> tuple[str, ...]:
    parts = value if isinstance(value, list) else str(value or "").split(",")
    return tuple(text for part in parts if (text := str(part).strip()))


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _number(value: Any) -> float | None:
    try:
        return float(value) if value is not None else None
    except (TypeError, ValueError):
        return None


def _why(place: str) -> str:
    for key, reason in _KNOWN_REASONS.items():
        if place == key or place.endswith(f".{key}"):
            return reason
    return "Playhead has nothing like it"
