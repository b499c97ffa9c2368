"""Webhooks of an emulated Emby: how they are registered, what is posted. Source: facts B5, truth/webhooks/emby.

Up to 4.8 a form with the JSON in ``data``, from 4.9 on JSON unless ``EnableMultipartFormData`` says otherwise. *Assumed*:
``GET`` answers a list, ``POST`` adds to it or replaces the entry of that Id; writes of user data tell no event.
"""

from __future__ import annotations

from typing import Any

import msgspec

from playhead.sandbox.agenda import Agenda
from playhead.sandbox.emby.accounts import Session, User
from playhead.sandbox.emby.app import NOTHING, Call, HasClock, Reply, Route, route
from playhead.sandbox.emby.catalogue import Node, digest
from playhead.sandbox.emby.query import EmbyError
from playhead.sandbox.emby.reads import Reads
from playhead.sandbox.emby.userdata import iso_date
from playhead.sandbox.emby.wording import title
from playhead.sandbox.posts import Part, Posts, write_form

NOTIFIER = "webhooknotifications"
PLUGIN_ID = "85a7b1d4-fbda-4e85-a0a2-ac303c9946a4"
EVENTS = [
    "playback.start",
    "playback.pause",
    "playback.unpause",
    "playback.stop",
    "item.markplayed",
    "item.markunplayed",
    "item.rate",
    "library.new",
    "library.deleted",
]
_MEMBERS = frozenset(
    [
        "datecreated",
        "container",
        "sortname",
        "premieredate",
        "externalurls",
        "path",
        "overview",
        "taglines",
        "genres",
        "size",
        "filename",
        "bitrate",
        "productionyear",
        "remotetrailers",
        "providerids",
        "parentid",
        "studios",
        "genreitems",
        "tagitems",
        "width",
        "height",
    ]
)


class Webhooks:
    """The notification services of one server. ``library_s``: how late new items are told."""

    def __init__(
        self, reads: Reads, clock: HasClock, agenda: Agenda, urls: list[str], library_s: float
    ) -> None:
        self.posts = Posts()
        self.services: dict[str, dict[str, Any]] = {}
        self._reads = reads
        self._clock = clock
        self._agenda = agenda
        self._library_s = library_s
        self.language = "en"
        for url in urls:
            self._keep({"FriendlyName": "sandbox", "EventIds": EVENTS, "Options": {"Url": url}})

    def routes(self) -> list[Route]:
        """Registration and the test of it."""
        return [
            route("GET", "/notifications/services/configured", self._configured),
            route("POST", "/notifications/services/configured", self._configure),
            route("DELETE", "/notifications/services/configured", self._forget),
            route("POST", "/notifications/services/configured/delete", self._forget),
            route("POST", "/notifications/services/test", self._test),
        ]

    def _keep(self, given: dict[str, Any]) -> None:
        number = str(given.get("Id") or digest("service", len(self.services), given["Options"]["Url"]))
        empty: dict[str, Any] = {"UserIds": [], "DeviceIds": [], "LibraryIds": [], "EventIds": []}
        named = {"NotifierKey": NOTIFIER, "PluginId": PLUGIN_ID, "Enabled": True}
        self.services[number] = {**named, **empty, **given, "Id": number}

    def _configured(self, call: Call) -> Reply:
        return Reply(list(self.services.values()))

    def _configure(self, call: Call) -> Reply:
        self._keep(_read_service(call))
        return NOTHING

    def _forget(self, call: Call) -> Reply:
        if self.services.pop(call.query.get("id", ""), None) is None:
            raise EmbyError(404, "Unable to find the specified file.")
        return NOTHING

    def _test(self, call: Call) -> Reply:
        """Posts a test to the service of the body."""
        service = _read_service(call)
        body = self._head("system.webhooktest", "Test Notification", call.caller)
        self._post(
            service, {"Title": body.pop("Title"), "Description": "Test Notification Description", **body}
        )
        return NOTHING

    # -- what happens

    def item(self, event: str, user: User, node: Node) -> None:
        """A person marked or rated an item; its user data come along."""
        if not self.services:
            return
        shown = {**self._describe(node), "UserData": self._reads.presenter.user_data(node, user)}
        self._send(event, user, node, {"Item": shown})

    def playback(self, event: str, session: Session, node: Node, *, ended: bool | None = None) -> None:
        """Something plays; ``ended`` at a stop: whether it was seen to the end."""
        if session.user is None or not self.services:
            return
        client = session.client
        info: dict[str, Any] = {} if ended is None else {"PlayedToCompletion": ended}
        info |= {"PositionTicks": session.position_ticks or 0, "PlaylistIndex": 0, "PlaylistLength": 1}
        if session.play_session:
            info["PlaySessionId"] = session.play_session
        told = {
            "RemoteEndPoint": "127.0.0.1",
            "Client": client.app or "",
            "DeviceName": client.device or "",
            "DeviceId": client.device_id or "",
            "ApplicationVersion": client.version or "",
            "Id": session.id,
        }
        self._send(
            event, session.user, node, {"Item": self._describe(node), "Session": told, "PlaybackInfo": info}
        )

    def library_changed(
        self, added: list[Node], removed: list[Node], updated: list[Node] | None = None
    ) -> None:
        """New and removed movies and episodes, later; of other files of known ones nothing is told (*assumed*)."""
        if self.services:
            for event, nodes in (("library.new", added), ("library.deleted", removed)):
                for node in nodes:
                    if not node.is_folder:
                        told = {"Item": self._describe(node)}
                        self._agenda.after(self._library_s, self._later(event, node, told))

    def _later(self, event: str, node: Node, told: dict[str, Any]) -> Any:
        return lambda: self._send(event, None, node, told)

    # -- to whom

    def _send(self, event: str, user: User | None, node: Node, told: dict[str, Any]) -> None:
        server_name = self._reads.identity.name
        told_title = title(
            self.language, event, user=user.name if user else "", item=_name(node), server=server_name
        )
        body = self._head(event, told_title, user)
        server = body.pop("Server")
        payload = {
            **body,
            "Item": told["Item"],
            "Server": server,
            **{k: v for k, v in told.items() if k != "Item"},
        }
        for service in self.services.values():
            if _fits(service, event, user, node):
                self._post(service, payload)

    def _head(self, event: str, title: str, user: User | None) -> dict[str, Any]:
        identity = self._reads.identity
        head: dict[str, Any] = {"Title": title, "Date": iso_date(int(self._clock.now())), "Event": event}
        if identity.modern:
            head["Severity"] = "Info"
        if user is not None:
            head["User"] = {"Name": user.name, "Id": user.id}
        server = {"Name": identity.name, "Id": identity.server_id, "Version": identity.version}
        return {**head, "Server": server}

    def _describe(self, node: Node) -> dict[str, Any]:
        return self._reads.presenter.listed([node], None, _MEMBERS)[0]

    def _post(self, service: dict[str, Any], payload: dict[str, Any]) -> None:
        options = service["Options"]
        body, kind = msgspec.json.encode(payload), "application/json"
        if not self._reads.identity.modern or str(options.get("EnableMultipartFormData")).lower() == "true":
            body, kind = write_form([Part("data", body)])
        self.posts.send(str(options["Url"]), body, {"Content-Type": kind})


def _read_service(call: Call) -> dict[str, Any]:
    given = call.json(dict)
    if not isinstance(given.get("Options"), dict) or not given["Options"].get("Url"):
        raise EmbyError(400, "Value cannot be null. (Parameter 'Url')")
    return dict(given)


def _fits(service: dict[str, Any], event: str, user: User | None, node: Node) -> bool:
    """Whether a service asks for an event, of this user and this library."""
    if not service["Enabled"] or event not in service["EventIds"]:
        return False
    if service["UserIds"] and user is not None and user.id not in service["UserIds"]:
        return False
    shelf = node.shelf
    return not service["LibraryIds"] or bool({shelf.view_id, shelf.guid} & set(service["LibraryIds"]))


def _name(node: Node) -> str:
    if node.series is None:
        return node.name
    return f"{node.series.name} - S{node.parent_index}, Ep{node.index} - {node.name}"
