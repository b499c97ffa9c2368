"""The addresses to which servers post: which connections have one, and the secrets in them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from urllib.parse import quote, urlsplit

import msgspec

from playhead.kit.address import normalise_url
from playhead.ports.callers import ReadsProxied
from playhead.ports.errors import BackendError, PlayheadError, Refused
from playhead.ports.events import RegistersWebhooks
from playhead.runtime.home import Home
from playhead.runtime.log import hide
from playhead.runtime.reception import Receiver
from playhead.settings import ConnectionSettings
from playhead.wiring.installation import Installation, find_manifest, load_named, name_webhook_secret
from playhead.wiring.senders import make_trigger_url, set_up_sender


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
    addresses = [
        WebhookAddress(name, f"{base_url}/webhooks/{quote(name, safe='')}/{_find_secret(installation, name)}")
        for name, _ in _find_takers(installation)
    ]
    senders = installation.settings.senders.items()
    triggers = [(name, make_trigger_url(installation, base_url, name, each.kind)) for name, each in senders]
    return [*addresses, *(WebhookAddress(name, url) for name, url in triggers)]


class SetUp(msgspec.Struct, frozen=True):
    """What became of telling a server where to post. ``state``: registered, removed, there already, not there, by hand,
    failed; in a dry run would register, would remove. ``message`` says why, ``steps`` what a person does instead."""

    connection: str
    state: str
    message: str = ""
    steps: str = ""


async def set_up(installation: Installation, address: WebhookAddress, *, remove: bool, dry: bool) -> SetUp:
    """Tell a connection's server or a sender to post to its address, or not to any more. Every other entry there stays."""
    if address.connection in installation.settings.senders:
        return await _set_up_sender(installation, address, remove=remove, dry=dry)
    connection = installation.settings.connections[address.connection]
    backend = installation.make_backend(connection)
    try:
        if not isinstance(backend, RegistersWebhooks):
            return SetUp(address.connection, "by hand", f"A {connection.kind} server cannot be told.")
        there = address.url in await backend.list_webhooks()
        if there != remove:
            return SetUp(address.connection, "not there" if remove else "there already")
        if dry:
            return SetUp(address.connection, "would remove" if remove else "would register")
        await (backend.remove_webhook if remove else backend.register_webhook)(address.url)
        return SetUp(address.connection, "removed" if remove else "registered")
    except Refused as error:
        return SetUp(address.connection, "by hand", error.message, error.hint)
    except BackendError as error:
        return SetUp(address.connection, "failed", error.message, error.hint)
    finally:
        await backend.close()


async def _set_up_sender(
    installation: Installation, address: WebhookAddress, *, remove: bool, dry: bool
) -> SetUp:
    name = address.connection
    try:
        return SetUp(name, await set_up_sender(installation, name, address.url, remove=remove, dry=dry))
    except Refused as error:
        return SetUp(name, "by hand", error.message, error.hint)
    except PlayheadError as error:
        return SetUp(name, "failed", error.message, error.hint)


def is_out_of_reach(base_url: str, server_url: str) -> bool:
    """Whether an address on this machine alone would be given to a server on another one."""
    return is_of_this_machine(base_url) and not is_of_this_machine(server_url)


def is_of_this_machine(url: str) -> bool:
    """Whether an address is one that only this machine can reach."""
    host = urlsplit(url).hostname or ""
    return host == "localhost" or host.startswith("127.") or host == "::1"


def make_receivers(installation: Installation, connection_ids: Mapping[str, int]) -> list[Receiver]:
    """Those of them that the database knows, with their backend's parser."""
    return [
        Receiver(
            connection=name,
            kind=installation.settings.connections[name].kind,
            connection_id=connection_ids[name],
            secret=_find_secret(installation, name),
            read=load_named(parser),
            read_proxied=_find_proxied(installation.settings.connections[name]),
            hosts=_list_hosts(installation.settings.connections[name]),
        )
        for name, parser in _find_takers(installation)
        if name in connection_ids
    ]


CLUSTER_TOKEN = "cluster-manager"  # where the secret store keeps it
CLUSTER_VARIABLE = "CLUSTER_MANAGER_TOKEN"


def keep_cluster_token(installation: Installation, token: str) -> None:
    """Keep the secret that Plex Cluster's proxies show; it takes the place of an older one."""
    installation.home.prepare()
    installation.secrets.drop(f"store:{CLUSTER_TOKEN}")
    installation.secrets.keep_at_need(CLUSTER_TOKEN, lambda: token)
    hide(token)


def find_cluster_token(installation: Installation) -> str:
    """The secret of the address that Plex Cluster's proxies post to: from the environment, else as adopted; "" = there is
    none, and nothing opens that address."""
    token = os.environ.get(CLUSTER_VARIABLE, "").strip()
    if not token and installation.secrets.has(CLUSTER_TOKEN):
        token = installation.secrets.resolve(f"store:{CLUSTER_TOKEN}")
    hide(token)
    return token


def _find_proxied(connection: ConnectionSettings) -> ReadsProxied | None:
    path = find_manifest(connection.kind).proxied
    return load_named(path) if path else None


def _list_hosts(connection: ConnectionSettings) -> frozenset[str]:
    """The proxy's name as set; the server's own address may be the proxy's as well."""
    return frozenset(
        host.casefold() for host in (connection.proxy_host, urlsplit(connection.url).netloc) if host
    )


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
