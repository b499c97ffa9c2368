"""Destinations of Jellyfin's webhook plugin, by its configuration: everything else in it is written back as it was read.

Source: facts, api-jellyfin-emby.md A7; tape 18.
"""

from __future__ import annotations

from typing import Any

import msgspec

from playhead.adapters.jellyfin.client import JellyfinClient
from playhead.ports.errors import BadAnswer, NotFound, Refused, Unauthorized

PLUGIN_ID = "71552a5a5c5c4350a2aeebe451a30173"
STEPS = (
    "In Jellyfin open Dashboard, Plugins, Catalog and install Webhook, then restart the server. Open the plugin, press Add "
    "Generic Destination, paste the connection's address, tick Item Added, Item Deleted, Playback Start, Playback Stop and User "
    "Data Saved, the item types Movies, Episodes and Videos, Send All Properties, and save."
)
NEEDED = ("ItemAdded", "ItemDeleted", "PlaybackStart", "PlaybackStop", "UserDataSaved")

Destination = dict[str, Any]
Configuration = dict[str, Any]


async def list_webhooks(client: JellyfinClient) -> list[str]:
    """The addresses of all generic destinations that are switched on. Raises Refused."""
    _, configuration = await _read(client)
    return [
        each["WebhookUri"]
        for each in _destinations(client, configuration)
        if each.get("EnableWebhook", True) and each.get("WebhookUri")
    ]


async def register_webhook(client: JellyfinClient, url: str) -> None:
    """Add a destination, or complete the one that is there for this address. Raises Refused, BadAnswer."""
    plugin, configuration = await _read(client)
    destinations = _destinations(client, configuration)
    own = [each for each in destinations if each.get("WebhookUri") == url]
    if own and all(_complete(each) == each for each in own):
        return
    kept = [_complete(each) if each in own else each for each in destinations]
    await _write(client, plugin, configuration, kept if own else [*kept, _make(url)])
    if url not in await list_webhooks(client):
        raise Refused(f"{client.title} did not keep the address.", hint=STEPS)


async def remove_webhook(client: JellyfinClient, url: str) -> None:
    """Take away every destination with this address. Raises Refused, BadAnswer."""
    plugin, configuration = await _read(client)
    destinations = _destinations(client, configuration)
    kept = [each for each in destinations if each.get("WebhookUri") != url]
    if len(kept) < len(destinations):
        await _write(client, plugin, configuration, kept)


async def _read(client: JellyfinClient) -> tuple[str, Configuration]:
    """The plugin's id and whole configuration."""
    try:
        plugins = await client.read_plugins()
        found = [plugin.Id for plugin in plugins if plugin.Id.replace("-", "").lower() == PLUGIN_ID]
        if not found:
            raise Refused(f"{client.title} has no webhook plugin.", hint=STEPS)
        return found[0], await client.read_plugin_configuration(found[0])
    except (Unauthorized, NotFound) as error:
        raise _refuse_right(client) from error


async def _write(
    client: JellyfinClient, plugin: str, configuration: Configuration, destinations: list[Destination]
) -> None:
    try:
        await client.write_plugin_configuration(plugin, {**configuration, "GenericOptions": destinations})
    except (Unauthorized, NotFound) as error:
        raise _refuse_right(client) from error


def _refuse_right(client: JellyfinClient) -> Refused:
    return Refused(
        f"{client.title} does not let this token set up its plugins.",
        hint=f"Connect with an API key or an administrator's token, or do it by hand. {STEPS}",
    )


def _destinations(client: JellyfinClient, configuration: Configuration) -> list[Destination]:
    """The generic destinations. Raises BadAnswer where they are in no known form: then nothing is written either."""
    try:
        return msgspec.convert(configuration.get("GenericOptions", []), list[Destination])
    except msgspec.ValidationError as error:
        raise BadAnswer(
            f"{client.title} keeps its webhooks in a form that Playhead does not know.", hint=STEPS
        ) from error


def _make(url: str) -> Destination:
    """What tape 18 shows of a destination, with what the hub needs."""
    return {
        "Headers": [{"Key": "Content-Type", "Value": "application/json"}],
        "Fields": [],
        "NotificationTypes": list(NEEDED),
        "WebhookName": "Playhead",
        "WebhookUri": url,
        "EnableMovies": True,
        "EnableEpisodes": True,
        "EnableSeries": False,
        "EnableSeasons": False,
        "EnableAlbums": False,
        "EnableSongs": False,
        "EnableVideos": True,
        "SendAllProperties": True,
        "TrimWhitespace": False,
        "SkipEmptyMessageBody": False,
        "EnableWebhook": True,
        "Template": "",
        "UserFilter": [],
    }


def _complete(destination: Destination) -> Destination:
    """The same with what the hub needs switched on; what a person chose beside it stays."""
    types = list(destination.get("NotificationTypes") or [])
    wanted = {"EnableWebhook": True, "SendAllProperties": True, "EnableMovies": True, "EnableEpisodes": True}
    return {
        **destination,
        **wanted,
        "NotificationTypes": [*types, *(name for name in NEEDED if name not in types)],
    }
