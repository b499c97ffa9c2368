"""What an emulated Plex says of itself: identity, accounts, preferences, history, sessions.

Source: facts, api-plex.md 1, 4, 5.
"""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from playhead.sandbox.plex.accounts import Account
from playhead.sandbox.plex.answers import ACCOUNT, Page, Refusal, answer, answer_entries
from playhead.sandbox.plex.core import PlexCore
from playhead.sandbox.plex.watchstate import MINIMUM_PROGRESS_MS, View

_FEATURES = "adaptive_bitrate,collections,content_filter,home,pass,session_kick,sync,trailers,webhooks"
_CAPABILITIES: dict[str, Any] = {
    "allowCameraUpload": True,
    "allowChannelAccess": True,
    "allowMediaDeletion": True,
    "allowSharing": True,
    "allowSync": True,
    "allowTuners": True,
    "backgroundProcessing": True,
    "certificate": True,
    "companionProxy": True,
    "countryCode": "usa",
    "diagnostics": "logs,databases,streaminglogs",
    "eventStream": True,
    "hubSearch": True,
    "itemClusters": True,
    "livetv": 7,
    "mediaProviders": True,
    "multiuser": True,
    "myPlex": True,
    "myPlexMappingState": "mapped",
    "myPlexSigninState": "ok",
    "myPlexSubscription": True,
    "offlineTranscode": 1,
    "ownerFeatures": _FEATURES,
    "platform": "Linux",
    "platformVersion": "6.1.0",
    "pluginHost": True,
    "pushNotifications": False,
    "readOnlyLibraries": False,
    "streamingBrainVersion": 2,
    "sync": True,
    "transcoderActiveVideoSessions": 0,
    "transcoderAudio": True,
    "transcoderVideo": True,
    "updater": True,
    "voiceSearch": True,
}
_PREFERENCES: tuple[tuple[str, str, str, Any, str], ...] = (
    ("FriendlyName", "Friendly name", "text", "", "general"),
    ("MinimumProgressTime", "Minimum progress time", "int", MINIMUM_PROGRESS_MS, "library"),
    ("OnDeckWindow", "Weeks to consider for continue watching", "int", 16, "library"),
    ("OnDeckLimit", "Maximum number of continue watching items", "int", 40, "library"),
    ("WebHooksEnabled", "Webhooks", "bool", True, "network"),
    ("ScheduledLibraryUpdateInterval", "Library scan interval", "int", 3600, "library"),
    ("autoEmptyTrash", "Empty trash automatically after every scan", "bool", True, "library"),
)


class Desk:
    """Handlers of everything that is not a library and not a write of state."""

    def __init__(self, core: PlexCore) -> None:
        self._core = core

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self.root),
            web.get("/identity", self.identity),
            web.get("/accounts", self.accounts),
            web.get("/accounts/{id}", self.accounts),
            web.get("/devices", self.devices),
            web.get("/myplex/account", self.myplex_account),
            web.get("/:/prefs", self.preferences),
            web.get("/security/token", self.delegation),
            web.post("/security/token", self.delegation),
            web.get("/status/sessions", self.sessions),
            web.get("/status/sessions/history/all", self.history),
            web.get("/status/sessions/history/{id}", self.history_row),
            web.delete("/status/sessions/history/{id}", self.delete_history_row),
        ]

    async def identity(self, request: web.Request) -> web.Response:
        core = self._core
        told = {"size": 0, "claimed": True, "machineIdentifier": core.machine_id, "version": core.version}
        return answer(request, told)

    async def root(self, request: web.Request) -> web.Response:
        core = self._core
        rows = [
            {"count": 1, "key": key, "title": key}
            for key in ("activities", "devices", "identity", "library", "search", "status")
        ]
        told = {
            "size": len(rows),
            **_CAPABILITIES,
            "friendlyName": core.name,
            "machineIdentifier": core.machine_id,
            "myPlexUsername": core.accounts[0].name,
            "updatedAt": core.now(),
            "version": core.version,
            "Directory": rows,
        }
        return answer(request, told)

    async def accounts(self, request: web.Request) -> web.Response:
        """All logins that this server has met; id 0 is nobody, id 1 the owner. Only the owner may (*assumed*)."""
        _only_owner(request)
        wanted = request.match_info.get("id")
        rows = [_describe_account(0, "")] + [_describe_account(a.id, a.name) for a in self._core.accounts]
        rows = [row for row in rows if wanted in (None, str(row["id"]))]
        if not rows:
            raise Refusal(404)
        return answer(
            request, {"size": len(rows), "identifier": "com.plexapp.system.accounts", "Account": rows}
        )

    async def devices(self, request: web.Request) -> web.Response:
        _only_owner(request)
        device = {
            "id": 1,
            "name": "Emulated player",
            "platform": "Linux",
            "clientIdentifier": "emulated-player",
            "createdAt": self._core.now(),
        }
        return answer(request, {"size": 1, "identifier": "com.plexapp.system.devices", "Device": [device]})

    async def myplex_account(self, request: web.Request) -> web.Response:
        _only_owner(request)
        owner = self._core.accounts[0]
        told = {
            "username": owner.name,
            "mappingState": "mapped",
            "signInState": "ok",
            "subscriptionActive": True,
            "subscriptionState": "Active",
            "subscriptionFeatures": _FEATURES,
        }
        return answer(request, told)

    async def preferences(self, request: web.Request) -> web.Response:
        _only_owner(request)
        own = {"FriendlyName": self._core.name, "autoEmptyTrash": self._core.scans.empties_trash}
        rows = [
            {
                "id": name,
                "label": label,
                "summary": "",
                "type": kind,
                "default": default,
                "value": own.get(name, default),
                "hidden": False,
                "advanced": False,
                "group": group,
            }
            for name, label, kind, default, group in _PREFERENCES
        ]
        return answer(request, {"size": len(rows), "Setting": rows})

    async def delegation(self, request: web.Request) -> web.Response:
        """A transient token; here the account's own again."""
        return answer(request, {"size": 0, "token": request[ACCOUNT].token})

    async def sessions(self, request: web.Request) -> web.Response:
        """What plays now, with the user of each; the owner's alone."""
        _only_owner(request)
        playing = [msgspec.json.encode(entry) for entry in self._core.playback.describe()]
        return answer_entries(request, {"size": len(playing)}, playing)

    async def history(self, request: web.Request) -> web.Response:
        """Plays; the owner sees everybody's, others their own. Totals are always told (recorded)."""
        rows = [view for view in self._core.state.views if _sees(request[ACCOUNT], view)]
        query = request.query
        if (account := query.get("accountID")) is not None:
            rows = [view for view in rows if str(view.account) == account]
        if (section := query.get("librarySectionID")) is not None:
            rows = [view for view in rows if str(view.node.section.key) == section]
        if (item := query.get("metadataItemID")) is not None:
            rows = [view for view in rows if item in _lineage(view)]
        for operator in ("viewedAt>", "viewedAt>>"):
            if query.get(operator, "").isdigit():
                rows = [view for view in rows if view.viewed_at >= int(query[operator])]
        sort = query.get("sort", "").split(":")
        if sort[0] == "viewedAt":
            rows = sorted(rows, key=lambda view: (view.viewed_at, view.id), reverse="desc" in sort)
        page = Page(request)
        shown = page.cut(rows)
        head = {"size": len(shown), "totalSize": len(rows), "offset": page.start}
        body = {**head, "Metadata": [self._describe_view(view) for view in shown]} if shown else head
        return answer(request, body, page.headers(len(rows)))

    def _view(self, request: web.Request) -> View:
        for view in self._core.state.views:
            if str(view.id) == request.match_info["id"] and _sees(request[ACCOUNT], view):
                return view
        raise Refusal(404)

    async def history_row(self, request: web.Request) -> web.Response:
        return answer(request, {"size": 1, "Metadata": [self._describe_view(self._view(request))]})

    async def delete_history_row(self, request: web.Request) -> web.Response:
        _only_owner(request)
        self._core.state.views.remove(self._view(request))
        return answer_entries(request, {"size": 0}, [])

    def _describe_view(self, view: View) -> dict[str, Any]:
        """No guid and no count; a deleted item has lost its keys (facts 4)."""
        node, path = view.node, f"/library/metadata/{view.node.key}"
        row: dict[str, Any] = {"historyKey": f"/status/sessions/history/{view.id}"}
        if node.key in self._core.catalogue.nodes:
            row |= {"key": path, "ratingKey": str(node.key)}
        row |= {"librarySectionID": str(node.section.key)}
        if node.parent is not None and node.show is not None:
            row["parentKey"] = f"/library/metadata/{node.parent.key}"
            row["grandparentKey"] = f"/library/metadata/{node.show.key}"
        row["title"] = node.title
        if node.show is not None:
            row["grandparentTitle"] = node.show.title
        row |= {"type": node.kind, "thumb": f"{path}/thumb/{node.updated}"}
        if node.parent is not None:
            row |= {"index": node.index, "parentIndex": node.parent.index}
        if node.year is not None:
            row["originallyAvailableAt"] = f"{node.year}-{node.key % 12 + 1:02d}-{node.key % 28 + 1:02d}"
        return row | {"viewedAt": view.viewed_at, "accountID": view.account, "deviceID": view.device}


def _only_owner(request: web.Request) -> None:
    if not request[ACCOUNT].owner:
        raise Refusal(403)


def _sees(account: Account, view: View) -> bool:
    return account.owner or view.account == account.id


def _lineage(view: View) -> set[str]:
    nodes = (view.node, view.node.parent, view.node.show)
    return {str(node.key) for node in nodes if node is not None}


def _describe_account(number: int, name: str) -> dict[str, Any]:
    return {
        "id": number,
        "key": f"/accounts/{number}",
        "name": name,
        "defaultAudioLanguage": "en",
        "autoSelectAudio": True,
        "defaultSubtitleLanguage": "en",
        "subtitleMode": 0,
        "thumb": "",
    }
