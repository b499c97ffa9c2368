"""A hub's HTTP side in this process: uvicorn on a free port of the loopback, with an inbox and a made-up backend's parser."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import uvicorn

from playhead.faces.web.app import HubApp, make_pages
from playhead.faces.web.protocol import PatientProtocol
from playhead.faces.webhooks.app import WebhookApp
from playhead.ports.callers import Credential, Proxied
from playhead.ports.errors import BadAnswer
from playhead.ports.events import Event, Heard
from playhead.ports.inbox import NewEvent
from playhead.runtime.group_commit import GroupCommit
from playhead.runtime.health import Health
from playhead.runtime.measures import Measures
from playhead.runtime.reception import Receiver, Reception
from playhead.store.inbox import SqlInbox

SECRET = "den-secret-0123456789"
LOFT_SECRET = "loft-secret-0123456789"
CLUSTER_TOKEN = "cluster-secret-0123456789"
OTHER_SECRET = "attic-secret-0123456789"
LARGEST = 100_000


class Posted(msgspec.Struct):
    """What the made-up backend posts."""

    item: str


def read_webhook(body: bytes, headers: Mapping[str, str]) -> tuple[Event, ...]:
    """The made-up backend's parser."""
    try:
        return (Event("webhook", Heard.marked, "play", (msgspec.json.decode(body, type=Posted).item,)),)
    except msgspec.DecodeError as error:
        raise BadAnswer("This is no webhook of it.") from error


def read_proxied(body: bytes) -> tuple[Proxied, ...]:
    """The made-up proxy's lines: an item, a token, an app and a host each."""
    return tuple(
        Proxied(
            Event("proxy", Heard.marked, "play", (line["item"],)),
            Credential(line.get("token", ""), line.get("client", "")),
            line.get("host", ""),
        )
        for line in map(msgspec.json.decode, body.splitlines())
    )


class Served:
    """The server and what it stands on. ``put`` may be replaced."""

    def __init__(self, inbox: SqlInbox, port: int) -> None:
        self.inbox = inbox
        self.port = port
        self.put = inbox.put
        self.commits = 0
        self.broken: str | None = None

    def store(self, events: Sequence[NewEvent]) -> None:
        """What the group commit calls."""
        self.put(events)

    def count(self) -> None:
        """What it calls afterwards."""
        self.commits += 1

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def hook(self) -> str:
        return f"{self.url}/webhooks/The%20Den/{SECRET}"


@asynccontextmanager
async def serve(folder: Path, *, most_gathered: int = 1000) -> AsyncIterator[Served]:
    """Serve "The Den" and "Loft", which stand behind proxies, and "Attic", until the end of the block."""
    listening = socket.create_server(("127.0.0.1", 0))
    inbox = SqlInbox(folder / "inbox.db")
    served = Served(inbox, listening.getsockname()[1])
    group = GroupCommit(served.store, on_commit=served.count, most_gathered=most_gathered)
    reception = Reception(group, lambda connection, credential: f"{connection}#{len(credential.token)}")
    reception.open_for(
        [
            Receiver("The Den", "plex", 1, SECRET, read_webhook, read_proxied, frozenset({"den:32400"})),
            Receiver("Loft", "plex", 3, LOFT_SECRET, read_webhook, read_proxied, frozenset({"loft:32400"})),
            Receiver("Attic", "emby", 2, OTHER_SECRET, read_webhook),
        ],
        cluster_token=CLUSTER_TOKEN,
        own_client="the-hub",
    )
    measures = Measures(inbox)
    health = Health({"inbox": inbox.check_writable}, {"lines": lambda: {"The Den": "open"}})
    hooks = WebhookApp(reception, measures.note_webhook, largest_body=LARGEST, body_within_s=0.3)
    config = uvicorn.Config(
        HubApp(hooks, make_pages(health, measures)), http=PatientProtocol, log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve([listening]))
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield served
    finally:
        server.should_exit = True
        await running
        await group.close()
        inbox.close()
