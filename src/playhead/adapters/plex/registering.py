"""Webhooks at plex.tv, which belong to an account and come from every server it owns or uses.

plex.tv takes only whole lists. So the list is read, changed by one address and sent back, and read again: what others put
there meanwhile is put back. Source: facts, api-plex.md 7.
"""

from __future__ import annotations

from collections.abc import Callable

from playhead.ports.errors import BackendError, BadAnswer, NotFound, Refused, Unauthorized

from .client import PlexClient

STEPS = (
    "In Plex open Settings, Webhooks (https://app.plex.tv/desktop/#!/settings/webhooks), press Add Webhook, paste the "
    "connection's address and save. It needs a Plex Pass. Without one use Tautulli, or the socket alone, which needs neither."
)
ATTEMPTS = 2

Change = Callable[[list[str]], list[str]]


async def list_webhooks(client: PlexClient) -> list[str]:
    """All addresses of the account, in plex.tv's order. Raises Refused."""
    try:
        found = await client.fetch_webhooks()
    except (Unauthorized, NotFound, Refused) as error:
        raise _refuse("plex.tv does not show this account's webhooks.") from error
    if found is None:
        raise _refuse("plex.tv is not to be asked.")
    return [webhook.url for webhook in found]


async def register_webhook(client: PlexClient, url: str) -> None:
    """Add an address. Raises Refused."""
    await _change(client, lambda urls: urls if url in urls else [*urls, url])
    if url not in await list_webhooks(client):
        raise _refuse("plex.tv did not keep the address.")


async def remove_webhook(client: PlexClient, url: str) -> None:
    """Take an address away. Raises Refused."""
    await _change(client, lambda urls: [each for each in urls if each != url])


async def _change(client: PlexClient, change: Change) -> None:
    before = first = await list_webhooks(client)
    if change(before) == before:
        return
    lost: list[str] = []
    for _ in range(ATTEMPTS):
        await _replace(client, change(before))
        after = await list_webhooks(client)
        lost = [url for url in change(before) if url not in after]
        if not lost:
            return
        before = [*after, *lost]
    if any(url in first for url in lost):
        raise BadAnswer("plex.tv lost addresses that stood there before.", hint=f"Look at them. {STEPS}")


async def _replace(client: PlexClient, urls: list[str]) -> None:
    try:
        await client.replace_webhooks(urls)
    except (Unauthorized, NotFound, Refused) as error:
        raise _refuse("plex.tv does not let this account change its webhooks.") from error


def _refuse(message: str) -> BackendError:
    return Refused(message, hint=STEPS)
