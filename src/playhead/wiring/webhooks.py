"""The addresses to which servers post: which connections have one, and the secrets in them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from urllib.parse import quote

import msgspec

from playhead.runtime.home import Home
from playhead.runtime.log import hide
from playhead.runtime.reception import Receiver
from playhead.settings import normalise_url
from playhead.wiring.installation import Installation, find_manifest, load_named, name_webhook_secret


class WebhookAddress(msgspec.Struct, frozen=True):
    """Where a connection's server posts to. The URL holds the secret."""

    connection: str
    url: str


class Serving(msgspec.Struct, frozen=True):
    """What a running ``serve`` says of itself in the home folder; a killed one leaves it behind."""

    pid: int
    url: str
    base_url: str = ""


def list_addresses(installation: Installation, base_url: str) -> list[WebhookAddress]:
    """The addresses of all connections that take webhooks; secrets are made at the first need."""
    return [
        WebhookAddress(name, f"{base_url}/webhooks/{quote(name, safe='')}/{_find_secret(installation, name)}")
        for name, _ in _find_takers(installation)
    ]


def make_receivers(installation: Installation, connection_ids: Mapping[str, int]) -> list[Receiver]:
    """Those of them that the database knows, with their backend's parser."""
    return [
        Receiver(
            connection=name,
            kind=installation.settings.connections[name].kind,
            connection_id=connection_ids[name],
            secret=_find_secret(installation, name),
            read=load_named(parser),
        )
        for name, parser in _find_takers(installation)
        if name in connection_ids
    ]


def find_base_url(installation: Installation, given: str | None) -> str:
    """How servers reach the hub: as given, as set, as the running ``serve`` was told, else where it listens."""
    settings = installation.settings.serve
    serving = load_serving(installation.home)
    told = given or settings.base_url or (serving.base_url or serving.url if serving else "")
    return normalise_url(told) if told else describe_place(settings.host, settings.port)


def load_serving(home: Home) -> Serving | None:
    """What the last ``serve`` said of itself; None where none did, or where it ended by itself."""
    try:
        return msgspec.json.decode(home.serving.read_bytes(), type=Serving)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def describe_place(host: str, port: int) -> str:
    """The URL of a listening socket as this machine reaches it."""
    if host in ("0.0.0.0", "::", "::0"):
        host = "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _find_takers(installation: Installation) -> Iterator[tuple[str, str]]:
    """Connections that are read and whose backend reads webhooks, each with the parser's path."""
    for name, connection in installation.settings.connections.items():
        parser = find_manifest(connection.kind).webhook
        if connection.read and parser:
            yield name, parser


def _find_secret(installation: Installation, name: str) -> str:
    installation.home.prepare()
    _, _, key = name_webhook_secret(name).partition(":")
    secret = installation.secrets.keep_at_need(key, lambda: secrets.token_urlsafe(24))
    hide(secret)
    return secret
