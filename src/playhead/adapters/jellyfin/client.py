"""Requests to one Jellyfin for one user: routes by version, sign-in header, answers decoded.

Knows nothing of what the answers mean for the merge. The token goes into the Authorization header and nowhere else: the
only form that 12.0 and later accept (facts, api-jellyfin-emby.md A1).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from urllib.parse import quote

import msgspec

from playhead import __version__
from playhead.adapters._mediabrowser.decode import decode_answer, decode_items
from playhead.adapters._mediabrowser.probing import (
    INFO_PATH,
    PublicInfo,
    clean_url,
    describe_address,
    describe_place,
    read_public_info,
)
from playhead.adapters._mediabrowser.users import normalise_id, pick_user
from playhead.adapters._mediabrowser.wire import Item, User, UserData, View, Views, VirtualFolder
from playhead.adapters.jellyfin.settings import JellyfinSettings
from playhead.adapters.jellyfin.wire import Plugin, UserDataUpdate
from playhead.kit.http import Answer, Http
from playhead.ports.errors import NotFound, Refused, Unauthorized, WrongServer

FULL_FIELDS = "ProviderIds,Path,DateCreated"
IDS_PER_REQUEST = 200  # at 33 to 35 bytes each, below the 8 kB at which the server answers 414
OLDEST = (10, 8)
OWN_CACHES = (12, 0)  # before, what lists show is kept by a user's internal number, which a new user may get
SINGLE_USER_DATA = (10, 9)  # /UserItems/{id}/UserData and the user-less routes exist from here on
READS_AT_ONCE = 4

_USERS = msgspec.json.Decoder(list[User], strict=False)
_USER = msgspec.json.Decoder(User, strict=False)
_VIEWS = msgspec.json.Decoder(Views, strict=False)
_FOLDERS = msgspec.json.Decoder(list[VirtualFolder], strict=False)
_USER_DATA = msgspec.json.Decoder(UserData, strict=False)
_ITEM = msgspec.json.Decoder(Item, strict=False)
_PLUGINS = msgspec.json.Decoder(list[Plugin], strict=False)
_CONFIGURATION = msgspec.json.Decoder(dict[str, object])


class JellyfinClient:
    """One server, one user. Version and user id are asked for once and kept."""

    def __init__(self, settings: JellyfinSettings, token: str, user: str, *, client_id: str) -> None:
        url = clean_url(settings.url)
        self.title = describe_place("Jellyfin", url)
        self.http = Http(
            url,
            title=self.title,
            headers={"Authorization": make_authorization(token, client_id), "Accept": "application/json"},
            sign_in_hint="Make an API key in the server's dashboard, then `playhead connect jellyfin` again.",
            timeout_s=settings.timeout_s,
            verify_tls=settings.verify_tls,
        )
        self._token = token
        self._client_id = client_id
        self._wanted_user = user
        self._user_id = normalise_id(user)
        self._version: tuple[int, int] | None = None
        self._asking = asyncio.Lock()

    async def read_info(self) -> PublicInfo:
        """Who answers, checked to be a Jellyfin that is up and not too old."""
        info = await read_public_info(self.http, (INFO_PATH,), "Jellyfin")
        version = parse_version(info.Version or "")
        if "jellyfin" not in (info.ProductName or "").lower():
            raise WrongServer(
                f"What answers at {describe_address(self.http)} is not Jellyfin but, by its look, Emby {info.Version}.",
                hint="Connect it with `playhead connect emby`.",
            )
        if version < OLDEST:
            raise WrongServer(
                f"{self.title} is version {info.Version}; Playhead needs 10.8 or later.",
                hint="Update the server.",
            )
        self._version = version
        return info

    async def has_user_data_route(self) -> bool:
        """Whether the server is 10.9 or later; asks once."""
        return await self._ask_version() >= SINGLE_USER_DATA

    async def may_inherit(self) -> bool:
        """Whether lists may show a new user the state of a deleted one (facts, api-jellyfin-emby.md A8.6); asks once."""
        return await self._ask_version() < OWN_CACHES

    async def _ask_version(self) -> tuple[int, int]:
        async with self._asking:
            if self._version is None:
                await self.read_info()
        return self._version or (0, 0)

    async def user_id(self) -> str:
        """The id of the user in whose name everything is asked; a name is looked up once."""
        if self._user_id is None:
            self._user_id = (await self.read_user()).Id
        return self._user_id

    def use_user(self, user_id: str) -> None:
        """Ask everything in this user's name from now on."""
        self._user_id = user_id

    async def read_users(self) -> list[User]:
        """All logins; any token may ask."""
        answer = await self.http.read("/Users")
        return decode_answer(_USERS, answer.body, self.title, "the list of users")

    async def read_user(self) -> User:
        """The account's user: by name or id, else the token's own. Raises NotFound, Unauthorized."""
        users = await self.read_users()
        if not self._wanted_user.strip():
            own = await self._read_own_user()
            if own is not None:
                return own
        return pick_user(users, self._wanted_user, self.title)

    async def _read_own_user(self) -> User | None:
        try:
            answer = await self.http.read("/Users/Me")
        except Refused:  # 400: an API key, which belongs to no user
            return None
        return decode_answer(_USER, answer.body, self.title, "/Users/Me")

    async def read_views(self) -> list[View]:
        """The user's libraries, those hidden from the home page included."""
        user = await self.user_id()
        if await self.has_user_data_route():
            answer = await self.http.read("/UserViews", {"userId": user, "includeHidden": "true"})
        else:
            answer = await self.http.read(f"/Users/{user}/Views", {"includeHidden": "true"})
        return decode_answer(_VIEWS, answer.body, self.title, "the libraries").Items

    async def read_folders(self) -> list[VirtualFolder]:
        """The libraries with their folders; empty where the token is no administrator's."""
        try:
            answer = await self.http.read("/Library/VirtualFolders")
        except Unauthorized:
            return []
        return decode_answer(_FOLDERS, answer.body, self.title, "the library folders")

    async def read_items(self, params: dict[str, str | int]) -> tuple[Answer, str]:
        """A list of items for the user, and the name of the request without anything secret."""
        user = await self.user_id()
        if await self.has_user_data_route():
            path, query = "/Items", {"userId": user, **params}
        else:
            path, query = f"/Users/{user}/Items", params
        try:
            answer = await self.http.read(path, query)
        except NotFound as error:  # an unknown library is a 400
            raise self._gone_user() from error
        return answer, f"{path}?{'&'.join(f'{key}={value}' for key, value in query.items())}"

    async def read_by_ids(self, ids: Sequence[str], **more: str) -> list[Item]:
        """These items from lists, in batches; what was not asked for (unknown ids give the root) is left out."""
        wanted = set(ids)
        found: list[Item] = []
        for start in range(0, len(ids), IDS_PER_REQUEST):
            batch = ",".join(ids[start : start + IDS_PER_REQUEST])
            params: dict[str, str | int] = {
                "recursive": "true",
                "enableImages": "false",
                "ids": batch,
                **more,
            }
            answer, _ = await self.read_items(params)
            items, _, _ = decode_items(answer.body, self.title)
            found += [item for item in items if item.Id in wanted]
        return found

    async def read_user_data(self, item_id: str) -> UserData:
        """The state of one item from its own route. Raises NotFound."""
        user = await self.user_id()
        if await self.has_user_data_route():
            answer = await self.http.read(f"/UserItems/{item_id}/UserData", {"userId": user})
            return decode_answer(_USER_DATA, answer.body, self.title, "the state of an item")
        answer = await self.http.read(f"/Users/{user}/Items/{item_id}")
        return decode_answer(_ITEM, answer.body, self.title, "an item").UserData or UserData()

    async def write_user_data(self, item_id: str, update: UserDataUpdate) -> UserData:
        """Write the given members in one request (10.9 and later); returns what the server says afterwards."""
        params = {"userId": await self.user_id()}
        answer = await self.http.write("POST", f"/UserItems/{item_id}/UserData", params, json=update)
        return decode_answer(_USER_DATA, answer.body, self.title, "a write")

    async def write_unplayed(self, item_id: str) -> UserData:
        """Clear played, count, date and position, as the button in Jellyfin does."""
        user = await self.user_id()
        if await self.has_user_data_route():
            answer = await self.http.write("DELETE", f"/UserPlayedItems/{item_id}", {"userId": user})
        else:
            answer = await self.http.write("DELETE", f"/Users/{user}/PlayedItems/{item_id}")
        return decode_answer(_USER_DATA, answer.body, self.title, "a write")

    async def write_played_10_8(self, item_id: str, date: str | None) -> UserData:
        """Mark as played on 10.8; with a date the server counts one play more each time."""
        params = {"datePlayed": date} if date else {}
        answer = await self.http.write("POST", f"/Users/{await self.user_id()}/PlayedItems/{item_id}", params)
        return decode_answer(_USER_DATA, answer.body, self.title, "a write")

    async def check_access(self) -> None:
        """Prove that the token may read in the user's name. Raises Unauthorized, NotFound."""
        await self.read_items({"limit": 0, "recursive": "true", "includeItemTypes": "Movie"})

    async def read_plugins(self) -> list[Plugin]:
        """The installed plugins, for an administrator's token. Raises Unauthorized."""
        answer = await self.http.read("/Plugins")
        return decode_answer(_PLUGINS, answer.body, self.title, "the list of plugins")

    async def read_plugin_configuration(self, plugin: str) -> dict[str, object]:
        """All of it, so that it can be written back whole."""
        answer = await self.http.read(f"/Plugins/{quote(plugin, safe='')}/Configuration")
        return decode_answer(_CONFIGURATION, answer.body, self.title, "a plugin's configuration")

    async def write_plugin_configuration(self, plugin: str, configuration: dict[str, object]) -> None:
        """Replace it."""
        path = f"/Plugins/{quote(plugin, safe='')}/Configuration"
        await self.http.write("POST", path, json=configuration)

    async def listening_headers(self) -> dict[str, str]:
        """The sign-in for a socket: a device of its own for each user, which no write ever uses."""
        device = f"{self._client_id}-hears-{await self.user_id()}"
        return {"Authorization": make_authorization(self._token, device)}

    def _gone_user(self) -> NotFound:
        return NotFound(
            f"{self.title} does not know the user {self._wanted_user or self._user_id!r} any more.",
            hint="Connect again with a user that exists: `playhead connect jellyfin`.",
        )


def make_authorization(token: str, client_id: str) -> str:
    """The Authorization header; the server decodes percent signs in each value. Without a token it only says who asks."""
    parts = {
        "Client": "Playhead",
        "Device": "Playhead",
        "DeviceId": client_id,
        "Version": __version__,
        **({"Token": token} if token else {}),
    }
    return "MediaBrowser " + ", ".join(f'{key}="{quote(value, safe="")}"' for key, value in parts.items())


def parse_version(text: str) -> tuple[int, int]:
    """Major and minor of a version; (0, 0) where there is none."""
    match = re.match(r"(\d+)\.(\d+)", text.strip())
    return (int(match[1]), int(match[2])) if match else (0, 0)
