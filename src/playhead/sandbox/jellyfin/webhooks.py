"""The webhook plugin: its configuration, which destination gets what, and its queue of new items. Facts: A7, tapes 18, 22.

Generic destinations alone are carried out. Of templates the plain variables are: ``{{Name}}`` is escaped, ``{{{Name}}}``
is not; block helpers are left as they stand (*not emulated*).
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from typing import TYPE_CHECKING, Any

import msgspec

from playhead.sandbox.jellyfin import payloads
from playhead.sandbox.jellyfin.accounts import User
from playhead.sandbox.jellyfin.items import Item
from playhead.sandbox.jellyfin.sessions import Session
from playhead.sandbox.posts import Posts

if TYPE_CHECKING:
    from playhead.sandbox.jellyfin.emulator import JellyfinServer

PLUGIN_ID = "71552a5a5c5c4350a2aeebe451a30173"
TYPES = [
    "ItemAdded",
    "ItemDeleted",
    "PlaybackStart",
    "PlaybackProgress",
    "PlaybackStop",
    "UserDataSaved",
    "Generic",
    "AuthenticationFailure",
    "AuthenticationSuccess",
    "SessionStart",
    "TaskCompleted",
    "UserCreated",
    "UserDeleted",
    "UserUpdated",
    "UserPasswordChanged",
    "PendingRestart",
]
OPTIONS = [
    "DiscordOptions",
    "GenericOptions",
    "GenericFormOptions",
    "GotifyOptions",
    "PushbulletOptions",
    "PushoverOptions",
    "SlackOptions",
    "SmtpOptions",
    "MqttOptions",
]
_SWITCHES = {
    "Movie": "EnableMovies",
    "Episode": "EnableEpisodes",
    "Series": "EnableSeries",
    "Season": "EnableSeasons",
    "Video": "EnableVideos",
}
_DESTINATION: dict[str, Any] = {
    "Headers": [],
    "Fields": [],
    "NotificationTypes": [],
    "WebhookName": "",
    "WebhookUri": "",
    "EnableMovies": False,
    "EnableEpisodes": False,
    "EnableSeries": False,
    "EnableSeasons": False,
    "EnableAlbums": False,
    "EnableSongs": False,
    "EnableVideos": False,
    "SendAllProperties": False,
    "TrimWhitespace": False,
    "SkipEmptyMessageBody": False,
    "EnableWebhook": True,
    "Template": "",
    "UserFilter": [],
}
_VARIABLE = re.compile(r"\{\{\{\s*(\w+)\s*\}\}\}|\{\{\s*(\w+)\s*\}\}")
_TRIES = 10


class WebhookPlugin:
    """The plugin of one server. ``item_added_s``: how often the queue of new and of removed items is worked off."""

    def __init__(
        self, server: JellyfinServer, urls: list[str], item_added_s: float, *, installed: bool = True
    ) -> None:
        self.server = server
        self.installed = installed
        self.posts = Posts()
        self.configuration: dict[str, Any] = {"ServerUrl": "", **{name: [] for name in OPTIONS}}
        self._every_s = item_added_s
        self._added: dict[str, int] = {}  # item id: how often it waited
        self._deleted: list[tuple[Item, payloads.Values]] = []
        self._armed = False
        for url in urls if installed else ():
            self.configuration["GenericOptions"].append(_whole_destination(url))

    def configure(self, given: dict[str, Any]) -> None:
        """Take a configuration; what a destination leaves out has its default."""
        self.configuration = {"ServerUrl": given.get("ServerUrl") or ""}
        for name in OPTIONS:
            known = _DESTINATION if name == "GenericOptions" else {}
            self.configuration[name] = [{**known, **each} for each in given.get(name) or []]

    def wants(self, kind: str) -> bool:
        """Whether any destination asks for a notification."""
        return any(
            each["EnableWebhook"] and kind in each["NotificationTypes"]
            for each in self.configuration["GenericOptions"]
        )

    # --- what happens

    def user_data_saved(self, user: User, item: Item, reason: str) -> None:
        if self.wants("UserDataSaved"):
            state = self.server.store.stored(user, item)
            self._notify("UserDataSaved", item, user, payloads.saved_values(state, user, reason))

    def playback(
        self, kind: str, session: Session, item: Item, position: int, extra: dict[str, Any] | None = None
    ) -> None:
        """``kind`` is PlaybackStart or PlaybackProgress; PlaybackStop has ``PlayedToCompletion`` as ``extra``."""
        if session.user is None or not self.wants(kind):
            return
        extra = dict(extra or {})
        values = payloads.playback_values(
            session, item, position, automated=bool(extra.pop("automated", False))
        )
        self._notify(kind, item, session.user, {**values, **extra, **payloads.session_values(session)})

    def session_started(self, session: Session) -> None:
        if session.user is not None and self.wants("SessionStart"):
            self._notify("SessionStart", None, session.user, payloads.session_values(session, fresh=True))

    def item_added(self, item: Item) -> None:
        if self.wants("ItemAdded"):
            self._added[item.id] = 0
            self._arm()

    def item_removed(self, item: Item) -> None:
        self._added.pop(item.id, None)
        if self.wants("ItemDeleted"):
            self._deleted.append((item, payloads.item_values(self.server.describer, item, self.server.now())))
            self._arm()

    def _arm(self) -> None:
        if not self._armed:
            self._armed = True
            self.server.agenda.after(self._every_s, self._work_off)

    def _work_off(self) -> None:
        self._armed = False
        self.run_added()
        self.run_deleted()
        if self._added:
            self._arm()

    def run_added(self) -> None:
        """Post what was added; an item without provider ids waits for ten runs."""
        for guid, tries in list(self._added.items()):
            item = self.server.catalogue.items.get(guid)
            if item is not None and not item.ids and tries < _TRIES:
                self._added[guid] = tries + 1
                continue
            del self._added[guid]
            if item is not None:
                self._notify("ItemAdded", item, None, {})

    def run_deleted(self) -> None:
        """Post what was removed, as it was."""
        waiting, self._deleted = self._deleted, []
        for item, values in waiting:
            self._send("ItemDeleted", item.type, None, values)

    # --- to whom

    def _notify(self, kind: str, item: Item | None, user: User | None, values: payloads.Values) -> None:
        described = payloads.item_values(self.server.describer, item, self.server.now()) if item else {}
        self._send(kind, item.type if item else None, user, {**described, **values})

    def _send(self, kind: str, item_type: str | None, user: User | None, values: payloads.Values) -> None:
        server = self.server
        head = {
            "ServerId": server.server_id,
            "ServerName": server.configuration["ServerName"] or server.name,
            "ServerVersion": server.version,
            "ServerUrl": self.configuration["ServerUrl"],
            "NotificationType": kind,
        }
        for each in self.configuration["GenericOptions"]:
            if _fits(each, kind, item_type, user):
                self._post(each, {**head, **values})

    def _post(self, destination: dict[str, Any], values: payloads.Values) -> None:
        values = {**values, **{each["Key"]: each["Value"] for each in destination["Fields"]}}
        if destination["SendAllProperties"]:
            body = msgspec.json.encode(values).decode()
        else:
            body = render(destination["Template"], values)
        headers = {each["Key"]: each["Value"] for each in destination["Headers"]}
        kind = next(
            (value for name, value in headers.items() if name.lower() == "content-type"), "text/plain"
        )
        headers = {name: value for name, value in headers.items() if name.lower() != "content-type"}
        headers |= {
            "Content-Type": f"{kind}; charset=utf-8",
            "User-Agent": f"Jellyfin-Server/{self.server.version}",
        }
        if body.strip() or not destination["SkipEmptyMessageBody"]:
            self.posts.send(destination["WebhookUri"], body.encode(), headers)


def _fits(destination: dict[str, Any], kind: str, item_type: str | None, user: User | None) -> bool:
    if not destination["EnableWebhook"] or kind not in destination["NotificationTypes"]:
        return False
    if item_type is not None and not destination[_SWITCHES.get(item_type, "EnableVideos")]:
        return False
    chosen = [str(each).replace("-", "").lower() for each in destination["UserFilter"]]
    return not chosen or user is None or user.id in chosen


def _whole_destination(url: str) -> dict[str, Any]:
    """As a person sets it up for a tool that keeps state: all properties of everything, sent as JSON."""
    switches = dict.fromkeys(_SWITCHES.values(), True)
    header = [{"Key": "Content-Type", "Value": "application/json"}]
    made = {
        "WebhookName": "sandbox",
        "WebhookUri": url,
        "NotificationTypes": TYPES,
        "SendAllProperties": True,
    }
    return {**_DESTINATION, **switches, **made, "Headers": header}


def render(template: str, values: payloads.Values) -> str:
    """A template, kept as base64, with its variables filled in as the plugin prints them."""
    try:
        text = base64.b64decode(template, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        text = template

    def fill(match: re.Match[str]) -> str:
        value = values.get(match[1] or match[2])
        told = "" if value is None else str(value)
        return told if match[1] else html.escape(told)

    return _VARIABLE.sub(fill, text)
