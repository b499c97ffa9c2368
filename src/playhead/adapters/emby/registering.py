"""Webhooks among Emby's notification services.

*Assumed*, as a maintained client does it and no recording shows it: one route lists them, takes a new one (with the user
who sets it up) and replaces the one whose ``Id`` is sent. *Assumed*: one is deleted by its id. What is done is read back, and
what cannot be deleted is switched off. Source: facts, api-jellyfin-emby.md B5.
"""

from __future__ import annotations

from typing import Any

from playhead.adapters.emby.client import EmbyClient
from playhead.ports.errors import NotFound, Refused, ServerFault, Unauthorized

NOTIFIER = "webhooknotifications"
PLUGIN_ID = "85a7b1d4-fbda-4e85-a0a2-ac303c9946a4"
STEPS = (
    "In Emby open Settings, Notifications, press Add Notification, choose Webhooks, paste the connection's address, choose "
    "application/json, tick the events of Playback, mark played, mark unplayed and rate under Users, and New media added, and "
    "save. It needs Emby Premiere. Without it use the socket alone."
)
EVENTS = (
    "playback.start",
    "playback.pause",
    "playback.unpause",
    "playback.stop",
    "item.markplayed",
    "item.markunplayed",
    "item.rate",
    "library.new",
    "library.deleted",
)

Service = dict[str, Any]


async def list_webhooks(client: EmbyClient) -> list[str]:
    """The addresses of all webhooks that are switched on. Raises Refused."""
    return [url for service in await _read(client) if _is_on(service) and (url := _url(service))]


async def register_webhook(client: EmbyClient, url: str) -> None:
    """Add a webhook, or complete the one that is there for this address. Raises Refused."""
    own = [service for service in await _read(client) if _url(service) == url]
    if any(_complete(service) == service for service in own):
        return
    await _write(client, _complete(own[0]) if own else _make(url))
    if url not in await list_webhooks(client):
        raise Refused(f"{client.title} did not keep the address.", hint=STEPS)


async def remove_webhook(client: EmbyClient, url: str) -> None:
    """Take away every webhook with this address. Raises Refused."""
    for service in await _read(client):
        if _url(service) == url and service.get("Id"):
            await _delete(client, str(service["Id"]))
    for service in await _read(client):
        if _url(service) == url and _is_on(service):
            await _write(client, {**service, "Enabled": False})


async def _read(client: EmbyClient) -> list[Service]:
    try:
        return await client.read_services()
    except (Unauthorized, NotFound, Refused) as error:
        raise _refuse(client) from error


async def _write(client: EmbyClient, service: Service) -> None:
    try:
        await client.write_service(service)
    except (Unauthorized, NotFound, Refused) as error:
        raise _refuse(client) from error


async def _delete(client: EmbyClient, service_id: str) -> None:
    try:
        await client.delete_service(service_id)
    except (NotFound, Refused, ServerFault):
        return  # this server knows no such route: the entry is switched off instead
    except Unauthorized as error:
        raise _refuse(client) from error


def _refuse(client: EmbyClient) -> Refused:
    return Refused(
        f"{client.title} does not let this token set up notifications.",
        hint=f"Connect with an API key, or do it by hand. {STEPS}",
    )


def _url(service: Service) -> str | None:
    options = service.get("Options")
    url = options.get("Url") if isinstance(options, dict) else None
    return url if isinstance(url, str) else None


def _is_on(service: Service) -> bool:
    return service.get("Enabled", True) is not False


def _make(url: str) -> Service:
    """UserNotificationInfo of a webhook for everyone and everything."""
    return {
        "NotifierKey": NOTIFIER,
        "SetupModuleUrl": "configurationpage?name=webhookeditorjs",
        "ServiceName": "Webhooks",
        "PluginId": PLUGIN_ID,
        "FriendlyName": "Playhead",
        "Enabled": True,
        "UserIds": [],
        "DeviceIds": [],
        "LibraryIds": [],
        "EventIds": list(EVENTS),
        "IsSelfNotification": False,
        "GroupItems": False,
        "Options": {"Url": url, "EnableMultipartFormData": "false"},
    }


def _complete(service: Service) -> Service:
    """The same, switched on and with every event that the hub can use; what a person chose beside it stays."""
    events = list(service.get("EventIds") or [])
    missing = [event for event in EVENTS if event not in events]
    return {**service, "Enabled": True, "EventIds": [*events, *missing]}
