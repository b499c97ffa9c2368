"""The reading routes of an emulated Emby: system, users, libraries, items (facts B1, B2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from playhead.sandbox.emby.accounts import Accounts, Session, User, show_user
from playhead.sandbox.emby.app import Call, Reply, Route, route
from playhead.sandbox.emby.catalogue import ROOT_ID, VIEWS_ROOT_ID, Catalogue, Node
from playhead.sandbox.emby.query import EmbyError, Lists, number, truth, words
from playhead.sandbox.emby.shapes import Presenter
from playhead.sandbox.emby.userdata import iso_date
from playhead.sandbox.folders import shown as shown_path

CREATED = "2024-01-01T00:00:00.0000000Z"
LATEST_LIMIT = 20


class Identity(msgspec.Struct, frozen=True):
    """Name, version and id of the server."""

    name: str
    version: str
    server_id: str
    modern: bool  # 4.9 or later


class SignIn(msgspec.Struct, rename="pascal"):
    """The body of AuthenticateByName."""

    username: str = ""
    pw: str = ""


class Reads:
    """Handlers that change nothing, sign-in apart."""

    def __init__(self, identity: Identity, catalogue: Catalogue, accounts: Accounts) -> None:
        self.identity = identity
        self.catalogue = catalogue
        self.accounts = accounts
        self.presenter = Presenter(catalogue, identity.server_id, modern=identity.modern)
        self.lists = Lists(catalogue)
        self.refresh_progress: Callable[[], float | None] = lambda: None

    def routes(self) -> list[Route]:
        """All reading routes."""
        return [
            route("GET", "/system/info/public", self.public_info, open=True),
            route("GET", "/system/info", self.info),
            route("GET", "/system/ping", self.ping, open=True),
            route("POST", "/system/ping", self.ping, open=True),
            route("POST", "/users/authenticatebyname", self.sign_in, open=True),
            route("POST", "/sessions/logout", self.sign_out),
            route("GET", "/users", self.users),
            route("GET", "/users/query", self.query_users),
            route("GET", "/users/public", self.public_users, open=True),
            route("GET", "/users/me", self.me),
            route("GET", "/users/{u}", self.user),
            route("GET", "/library/virtualfolders/query", self.virtual_folders),
            route("GET", "/library/selectablemediafolders", self.selectable_folders),
            route("GET", "/users/{u}/views", self.views),
            route("GET", "/users/{u}/items", self.items),
            route("GET", "/items", self.items),
            route("GET", "/items/counts", self.counts),
            route("GET", "/users/{u}/items/resume", self.resume),
            route("GET", "/users/{u}/items/latest", self.latest),
            route("GET", "/users/{u}/items/{id}", self.item),
            route("GET", "/shows/{id}/episodes", self.episodes),
            route("GET", "/shows/{id}/seasons", self.seasons),
            route("GET", "/sessions", self.sessions),
        ]

    # -- system and users

    def public_info(self, call: Call) -> Reply:
        # 4.8 also names one local address (facts B1: "older also LocalAddress").
        older = {} if self.identity.modern else {"LocalAddress": "http://127.0.0.1:8096"}
        return Reply(
            {
                **older,
                "LocalAddresses": [],
                "RemoteAddresses": [],
                "ServerName": self.identity.name,
                "Version": self.identity.version,
                "Id": self.identity.server_id,
            }
        )

    def info(self, call: Call) -> Reply:
        public = self.public_info(call).content
        return Reply(
            {
                "SystemUpdateLevel": "Release",
                "OperatingSystemDisplayName": "Linux",
                "HasPendingRestart": False,
                "IsShuttingDown": False,
                "OperatingSystem": "Linux",
                "SupportsLibraryMonitor": True,
                "SupportsWakeServer": False,
                "WebSocketPortNumber": 8096,
                "CanSelfRestart": True,
                "CanSelfUpdate": False,
                "HttpServerPortNumber": 8096,
                "SupportsHttps": False,
                "HttpsPortNumber": 8920,
                "HasUpdateAvailable": False,
                **public,
            }
        )

    def ping(self, call: Call) -> Reply:
        return Reply(text="Emby Server")

    def sign_in(self, call: Call) -> Reply:
        if not call.client.app:
            raise EmbyError(400, "Value cannot be null. (Parameter 'appName')")
        if not call.client.device_id:
            raise EmbyError(400, "Value cannot be null. (Parameter 'reportedDeviceId')")
        try:
            body = call.json(SignIn)
        except EmbyError:
            raise EmbyError(400, "Value cannot be null. (Parameter 'name')") from None
        signed = self.accounts.sign_in(body.username, body.pw)
        if signed is None:
            raise EmbyError(401, "Invalid username or password. Please try again.")
        user, token = signed
        session = self.accounts.session(call.client, token, call.now)
        return Reply(
            {
                "User": self._show_user(user),
                "SessionInfo": self.show_session(session),
                "AccessToken": token,
                "ServerId": self.identity.server_id,
            }
        )

    def sign_out(self, call: Call) -> Reply:
        if call.caller is not None:
            self.accounts.sign_out(call.client.token or "")
        return Reply(status=204)

    def users(self, call: Call) -> Reply:
        _only_admin(call)
        return Reply([self._show_user(user) for user in self.accounts.users.values()])

    def query_users(self, call: Call) -> Reply:
        _only_admin(call)
        shown = [self._show_user(user) for user in self.accounts.users.values()]
        start, limit = number(call.query, "startindex") or 0, number(call.query, "limit")
        page = shown[start:] if limit is None else shown[start : start + limit]
        return Reply({"Items": page, "TotalRecordCount": len(shown)})

    def public_users(self, call: Call) -> Reply:
        return self.users(call)

    def me(self, call: Call) -> Reply:
        raise EmbyError(500, "Unrecognized Guid format.")

    def user(self, call: Call) -> Reply:
        return Reply(self._show_user(self.user_named(call)))

    def sessions(self, call: Call) -> Reply:
        self.accounts.session(call.client, call.client.token or "", call.now)
        shown = list(self.accounts.sessions.values())
        device = call.query.get("deviceid")
        return Reply([self.show_session(s) for s in shown if device in (None, s.client.device_id)])

    # -- libraries

    def virtual_folders(self, call: Call) -> Reply:
        """While a scan runs they say so (*assumed* as on Jellyfin)."""
        progress = self.refresh_progress()
        more = {} if progress is None else {"RefreshProgress": progress, "RefreshStatus": "Active"}
        folders = self.catalogue.shelves.values()
        items = [{**self.presenter.virtual_folder(shelf), **more} for shelf in folders]
        return Reply({"Items": items, "TotalRecordCount": len(items)})

    def selectable_folders(self, call: Call) -> Reply:
        return Reply(
            [
                {
                    "Name": shelf.title,
                    "Id": shelf.view_id,
                    "Guid": shelf.guid,
                    "SubFolders": [
                        {
                            "Name": root.rpartition("/")[2],
                            "Id": shelf.folder_id if not place else f"{shelf.folder_id}0{place}",
                            "Path": shown_path(root),
                            "IsUserAccessConfigurable": True,
                        }
                        for place, root in enumerate(shelf.roots)
                    ],
                    "IsUserAccessConfigurable": True,
                }
                for shelf in self.catalogue.shelves.values()
            ]
        )

    def views(self, call: Call) -> Reply:
        return self._views_of(self.user_named(call))

    def _views_of(self, user: User | None) -> Reply:
        visible = self.visible(user)
        shelves = sorted(self.catalogue.shelves.values(), key=lambda shelf: shelf.title.lower())
        shown = [self.presenter.view(shelf) for shelf in shelves if shelf.view_id in visible]
        return Reply({"Items": shown, "TotalRecordCount": len(shown)})

    # -- items

    def items(self, call: Call) -> Reply:
        user = self.user_named(call) if call.path or call.query.get("userid") else call.caller
        query = call.query
        at_root = query.get("parentid", ROOT_ID) in ("", ROOT_ID, VIEWS_ROOT_ID)
        if at_root and not truth(query, "recursive") and not words(query, "ids"):
            return self._views_of(user)
        return self._page(call, user, *self.lists.run(query, user, self.visible(user)))

    def resume(self, call: Call) -> Reply:
        user = self.user_named(call)
        query = {
            **call.query,
            "filters": "IsResumable",
            "recursive": "true",
            "sortby": "DatePlayed",
            "sortorder": "Descending",
        }
        return self._page(call, user, *self.lists.run(query, user, self.visible(user)))

    def latest(self, call: Call) -> Reply:
        """Newest first as a bare array, episodes grouped into their series unless GroupItems=false."""
        user = self.user_named(call)
        types = call.query.get("includeitemtypes") or "Movie,Episode"
        query = {
            **call.query,
            "includeitemtypes": types,
            "recursive": "true",
            "sortby": "DateCreated",
            "sortorder": "Descending",
        }
        query.pop("limit", None)
        nodes, _ = self.lists.run(query, user, self.visible(user))
        if truth(call.query, "groupitems") is not False:
            nodes = list({(node.series or node).id: node.series or node for node in nodes}.values())
        limit = number(call.query, "limit")
        return Reply(self._entries(call, user, nodes[: LATEST_LIMIT if limit is None else limit]))

    def item(self, call: Call) -> Reply:
        user = self.user_named(call)
        shelf = self.catalogue.shelf_of(call.path["id"])
        if shelf is not None:
            return Reply(self.presenter.view(shelf))
        return Reply(self.presenter.detail(self.node_named(call, user), user))

    def episodes(self, call: Call) -> Reply:
        series, user = self._series(call)
        season = call.query.get("seasonid")
        by_number = number(call.query, "season")
        found = [
            node
            for node in self.catalogue.episodes(series)
            if (not season or (node.season is not None and node.season.id == season))
            and (by_number is None or node.parent_index == by_number)
        ]
        found.sort(key=lambda node: (node.parent_index or 0, node.index or 0))
        start, limit = number(call.query, "startindex") or 0, number(call.query, "limit")
        page = found[start:] if limit is None else found[start : start + limit]
        return self._page(call, user, page, len(found))

    def seasons(self, call: Call) -> Reply:
        series, user = self._series(call)
        found = sorted((n for n in series.children if n.type == "Season"), key=lambda node: node.index or 0)
        return self._page(call, user, found, len(found))

    def counts(self, call: Call) -> Reply:
        user = self.user_named(call) if call.query.get("userid") else call.caller
        visible = self.visible(user)
        tally = {"Movie": 0, "Series": 0, "Episode": 0, "Season": 0}
        for node in self.catalogue.nodes.values():
            tally[node.type] += node.shelf.view_id in visible
        return Reply(
            {
                "MovieCount": tally["Movie"],
                "SeriesCount": tally["Series"],
                "EpisodeCount": tally["Episode"],
                "ItemCount": tally["Movie"] + tally["Series"] + tally["Episode"],
            }
        )

    # -- shared by the other routes

    def user_named(self, call: Call) -> User:
        """The user in the path or query. Others' data only for admins and API keys (403 and 404 *assumed*)."""
        wanted = call.path.get("u") or call.query.get("userid")
        user = self.accounts.users.get(wanted or "")
        if user is None:
            if wanted is None and call.caller is not None:
                return call.caller
            raise EmbyError(404 if wanted else 400, "User not found" if wanted else "Value cannot be null.")
        if call.caller is not None and call.caller is not user and not call.caller.admin:
            raise EmbyError(403, "User is not authorized to access this resource.")
        return user

    def visible(self, user: User | None) -> frozenset[str]:
        """View ids of the libraries that a user may see."""
        shelves = self.catalogue.shelves.values()
        titles = user.visible if user is not None else None
        return frozenset(shelf.view_id for shelf in shelves if titles is None or shelf.title in titles)

    def node_named(self, call: Call, user: User) -> Node:
        """The item in the path, if the user may see it (404 *assumed*)."""
        node = self.catalogue.nodes.get(call.path["id"])
        if node is None or node.shelf.view_id not in self.visible(user):
            raise EmbyError(404, f"Item {call.path['id']} was not found.")
        return node

    def show_session(self, session: Session) -> dict[str, Any]:
        """SessionInfo; an API key's session has no user (facts B1)."""
        client = session.client
        user = {"UserId": session.user.id, "UserName": session.user.name} if session.user is not None else {}
        playing = self.catalogue.nodes.get(session.item_id or "")
        now_playing = self.presenter.listed([playing], None, frozenset())[0] if playing is not None else None
        state: dict[str, Any] = {"CanSeek": playing is not None, "IsPaused": session.paused, "IsMuted": False}
        if session.position_ticks is not None:
            state["PositionTicks"] = session.position_ticks
        return {
            "PlayState": {**state, "RepeatMode": "RepeatNone"},
            "AdditionalUsers": [],
            "Protocol": "HTTP/1.1",
            "PlayableMediaTypes": [],
            "PlaylistIndex": 0,
            "PlaylistLength": 0,
            "Id": session.id,
            "ServerId": self.identity.server_id,
            **user,
            "Client": client.app or "",
            "LastActivityDate": iso_date(session.last_activity),
            "DeviceName": client.device or "",
            "DeviceId": client.device_id or "",
            "ApplicationVersion": client.version or "",
            **({"NowPlayingItem": now_playing} if now_playing else {}),
            "SupportedCommands": [],
            "SupportsRemoteControl": False,
        }

    def _series(self, call: Call) -> tuple[Node, User | None]:
        user = self.user_named(call) if call.query.get("userid") else call.caller
        node = self.catalogue.nodes.get(call.path["id"])
        if node is None or node.type != "Series":
            raise EmbyError(404, f"Series {call.path['id']} was not found.")
        return node, user

    def _entries(self, call: Call, user: User | None, nodes: list[Node]) -> list[dict[str, Any]]:
        fields = frozenset(word.lower() for word in words(call.query, "fields"))
        return self.presenter.listed(
            nodes,
            user,
            fields,
            user_data=truth(call.query, "enableuserdata") is not False,
            images=truth(call.query, "enableimages") is not False,
        )

    def _page(self, call: Call, user: User | None, nodes: list[Node], total: int) -> Reply:
        return Reply({"Items": self._entries(call, user, nodes), "TotalRecordCount": total})

    def _show_user(self, user: User) -> dict[str, Any]:
        folders = [
            s.guid for s in self.catalogue.shelves.values() if user.visible and s.title in user.visible
        ]
        policy = {"EnableAllFolders": user.visible is None, "EnabledFolders": folders}
        return show_user(user, self.identity.server_id, created=CREATED, policy=policy)


def _only_admin(call: Call) -> None:
    """The maker's document says who may; which error the others get is *assumed*."""
    if call.caller is not None and not call.caller.admin:
        raise EmbyError(403, "User is not authorized to access this resource.")
