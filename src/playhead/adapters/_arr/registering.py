"""Webhooks of a Sonarr or Radarr, by their API: those of others stay as they are.

The program posts a test when a webhook is saved and refuses one where nobody answers (facts, library-updates-and-links.md 0).
"""

from __future__ import annotations

from typing import Any

from playhead.adapters._arr.client import ArrClient
from playhead.ports.errors import BackendError, Interrupted, Refused, ServerFault, Unauthorized

NAME = "Playhead"
Connection = dict[str, Any]


async def list_webhooks(client: ArrClient) -> list[str]:
    """The addresses of all webhooks."""
    return [url for each in await client.list_connections() if (url := _address(each))]


async def register_webhook(client: ArrClient, url: str) -> None:
    """Add a webhook, or switch on what the one for this address lacks. Raises Refused."""
    connections = await client.list_connections()
    own = [each for each in connections if _address(each) == url]
    if not own:
        await _save(client, _make(client, url, {str(each.get("name")) for each in connections}))
    for each in own:
        complete = {**each, **dict.fromkeys(client.routes.switches, True)}
        if complete != each:
            await _save(client, complete)


async def remove_webhook(client: ArrClient, url: str) -> None:
    """Take away every webhook for this address."""
    for each in await client.list_connections():
        if _address(each) == url and isinstance(each.get("id"), int):
            await client.delete_connection(each["id"])


async def _save(client: ArrClient, connection: Connection) -> None:
    try:
        await client.write_connection(connection)
    except Unauthorized:
        raise
    except (Refused, ServerFault, Interrupted) as error:
        raise _explain(client, error) from error


def _explain(client: ArrClient, error: BackendError) -> Refused:
    """What came back holds the address: it is not shown."""
    title = client.product.title
    return Refused(
        f"{client.http.title} did not keep the webhook ({error.code}).",
        hint=f"It tries the address when it saves. Is `playhead serve` up, and can {title} reach it there? By hand: in {title} "
        "Settings, Connect, add a Webhook with the connection's address and switch on everything that says File, and Delete.",
    )


def _address(connection: Connection) -> str | None:
    """Where a webhook posts; None for connections of other kinds."""
    if connection.get("implementation") != "Webhook":
        return None
    fields = connection.get("fields")
    values = [each for each in fields if isinstance(each, dict)] if isinstance(fields, list) else []
    found = next((each.get("value") for each in values if each.get("name") == "url"), None)
    return found if isinstance(found, str) else None


def _make(client: ArrClient, url: str, names: set[str]) -> Connection:
    """A webhook as the tapes show it. Names must be unique there."""
    number = next(n for n in range(1, len(names) + 2) if _name(n) not in names)
    return {
        "name": _name(number),
        "implementation": "Webhook",
        "configContract": "WebhookSettings",
        "fields": [{"name": "url", "value": url}, {"name": "method", "value": 1}],
        "tags": [],
        **dict.fromkeys(client.routes.switches, True),
    }


def _name(number: int) -> str:
    return NAME if number == 1 else f"{NAME} {number}"
