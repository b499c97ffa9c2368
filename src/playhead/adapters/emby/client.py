"""Requests to one Emby for one user: sign-in headers, routes of 4.8 and their older forms, answers decoded.

Knows nothing of what the answers mean for the merge. The token goes into a header, never into a URL.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from playhead import __version__
from playhead.adapters._mediabrowser.decode import NEEDED, decode_answer
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
from playhead.adapters.emby.settings import EmbySettings
from playhead.adapters.emby.wire import Rows, UserDataUpdate
from playhead.kit.http import Answer, Http
from playhead.ports.errors import NotFound, Refused, ServerFault, Unauthorized, WrongServer

T = TypeVar("T")

PREFIX = "/emby"
SERVICES = "/Notifications/Services/Configured"

_USERS_PAGE = msgspec.json.Decoder(Rows[User], strict=False)
_USERS = msgspec.json.Decoder(list[User], strict=False)
_USER = msgspec.json.Decoder(User, strict=False)
_VIEWS = msgspec.json.Decoder(Views, strict=False)
_FOLDERS_PAGE = msgspec.json.Decoder(Rows[VirtualFolder], strict=False)
_FOLDERS = msgspec.json.Decoder(list[VirtualFolder], strict=False)
_USER_DATA = msgspec.json.Decoder(UserData, strict=False)
_ITEM = msgspec.json.Decoder(Item, strict=False)
_SERVICES = msgspec.json.Decoder(list[dict[str, object]])


class EmbyClient:
    """One server, one user. The user id is asked for once and kept."""

    def __init__(self, settings: EmbySettings, token: str, user: str, *, client_id: str) -> None:
        url = clean_url(settings.url).removesuffix(PREFIX)
        self.title = describe_place("Emby", url)
        self.http = Http(
            url,
            title=self.title,
            headers=make_headers(token, client_id),
            sign_in_hint="Make an API key in the server's settings, then `playhead connect emby` again.",
            timeout_s=settings.timeout_s,
            verify_tls=settings.verify_tls,
        )
        self._token = token
        self._client_id = client_id
        self._wanted_user = user
        self._user_id = normalise_id(user)

    async def read_info(self) -> PublicInfo:
        """Who answers, checked to be an Emby that is up."""
        info = await read_public_info(self.http, (PREFIX + INFO_PATH, INFO_PATH), "Emby")
        if info.ProductName is not None:
            raise WrongServer(
                f"What answers at {describe_address(self.http)} is {info.ProductName} {info.Version}, not Emby.",
                hint="Connect it with `playhead connect jellyfin`.",
            )
        if (info.Version or "").split(".")[0] in ("0", "1", "2", "3"):
            raise WrongServer(
                f"{self.title} is version {info.Version}; Playhead needs 4.1 or later.",
                hint="Update the server.",
            )
        return info

    async def user_id(self) -> str:
        """The id of the user in whose name everything is asked; a name is looked up once."""
        if self._user_id is None:
            self._user_id = (await self.read_user()).Id
        return self._user_id

    def use_user(self, user_id: str) -> None:
        """Ask everything in this user's name from now on."""
        self._user_id = user_id

    async def read_user(self) -> User:
        """The account's user, by name or id. Emby has no route that tells a token's own user.

        *Assumed*: a token that may not list users may read its own user by id; the id of a name stands in the list for the
        sign-in page, unless the user is hidden there. Raises NotFound, Unauthorized.
        """
        try:
            users = await self.read_users()
        except Unauthorized:
            own = normalise_id(self._wanted_user) or await self._find_public(self._wanted_user)
            if own is None:
                raise
            answer = await self._read(f"/Users/{own}")
            users = [decode_answer(_USER, answer.body, self.title, "a user")]
        return pick_user(users, self._wanted_user, self.title)

    async def _find_public(self, name: str) -> str | None:
        try:
            answer = await self._read("/Users/Public")
        except (NotFound, Unauthorized):
            return None
        shown = decode_answer(_USERS, answer.body, self.title, "the public users")
        return next(
            (user.Id for user in shown if (user.Name or "").casefold() == name.strip().casefold()), None
        )

    async def read_users(self) -> list[User]:
        """All logins, for an administrator's token or an API key."""
        answer = await read_newer_or_older(self._read, "/Users/Query", "/Users")
        return read_rows(_USERS_PAGE, _USERS, answer, self.title, "the list of users")

    async def read_views(self) -> list[View]:
        """The user's libraries."""
        answer = await self._read(f"/Users/{await self.user_id()}/Views")
        return decode_answer(_VIEWS, answer.body, self.title, "the libraries").Items

    async def check_access(self) -> None:
        """Prove that the token may read in the user's name. Raises Unauthorized, NotFound."""
        await self.read_views()

    async def read_services(self) -> list[dict[str, object]]:
        """The notification services that are set up, whole, so that they can be written back."""
        answer = await self._read(SERVICES, {"UserId": await self.user_id()})
        return decode_answer(_SERVICES, answer.body, self.title, "its notification services")

    async def write_service(self, service: dict[str, object]) -> None:
        """Add a notification service; one with an ``Id`` replaces that one."""
        params = {} if service.get("Id") else {"UserId": await self.user_id()}
        await self.http.write("POST", PREFIX + SERVICES, params, json=service)

    async def delete_service(self, service_id: str) -> None:
        """Delete a notification service."""
        await self.http.write("DELETE", PREFIX + SERVICES, {"Id": service_id})

    async def listening_device(self) -> str:
        """The device id for a socket: one of its own for each user, which no write ever uses."""
        return f"{self._client_id}-hears-{await self.user_id()}"

    def listening_query(self, device: str) -> dict[str, str]:
        """The sign-in for a socket."""
        return {"api_key": self._token, "deviceId": device}

    async def read_folders(self) -> list[VirtualFolder]:
        """The libraries with their folders; empty where the token is no administrator's."""
        try:
            answer = await read_newer_or_older(
                self._read, "/Library/VirtualFolders/Query", "/Library/VirtualFolders"
            )
        except Unauthorized:
            return []
        return read_rows(_FOLDERS_PAGE, _FOLDERS, answer, self.title, "the library folders")

    async def read_items(self, params: dict[str, str | int]) -> tuple[Answer, str]:
        """A list of items for the user, and the name of the request without anything secret."""
        path = f"/Users/{await self.user_id()}/Items"
        answer = await self._read(path, params)
        return answer, f"{path}?{'&'.join(f'{key}={value}' for key, value in params.items())}"

    async def read_item(self, item_id: str) -> Item:
        """One item with everything, its state as it is: the route that does not leave out count and date."""
        answer = await self._read(f"/Users/{await self.user_id()}/Items/{item_id}")
        return decode_answer(_ITEM, answer.body, self.title, "an item", NEEDED)

    async def write_played(self, item_id: str, date: str) -> UserData:
        """Mark an unplayed item as played at ``date`` (yyyyMMddHHmmss, UTC)."""
        path = f"{PREFIX}/Users/{await self.user_id()}/PlayedItems/{item_id}"
        answer = await self.http.write("POST", path, {"DatePlayed": date})
        return decode_answer(_USER_DATA, answer.body, self.title, "a write")

    async def write_unplayed(self, item_id: str) -> UserData:
        """Clear played, count, date and position, as the button in Emby does."""
        answer = await self.http.write(
            "DELETE", f"{PREFIX}/Users/{await self.user_id()}/PlayedItems/{item_id}"
        )
        return decode_answer(_USER_DATA, answer.body, self.title, "a write")

    async def write_user_data(self, item_id: str, update: UserDataUpdate) -> None:
        """Write a whole state; Emby answers 204 and nothing."""
        path = f"{PREFIX}/Users/{await self.user_id()}/Items/{item_id}/UserData"
        await self.http.write("POST", path, json=update)

    async def _read(self, path: str, params: dict[str, str | int] | None = None) -> Answer:
        return await self.http.read(PREFIX + path, params)


async def read_newer_or_older(read: Callable[[str], Awaitable[Answer]], newer: str, older: str) -> Answer:
    """By the route of 4.8, else by the one before. An Emby without the former may take its last word for an id and refuse
    that, or fail over it (*assumed*: nothing older than 4.8 is recorded)."""
    try:
        return await read(newer)
    except (NotFound, Refused, ServerFault) as error:
        try:
            return await read(older)
        except NotFound:
            raise error from None


def read_rows(
    page: msgspec.json.Decoder[Rows[T]],
    bare: msgspec.json.Decoder[list[T]],
    answer: Answer,
    title: str,
    what: str,
) -> list[T]:
    """The rows of a list, which is an array by itself on older routes. Raises BadAnswer."""
    if answer.body.lstrip()[:1] == b"[":
        return decode_answer(bare, answer.body, title, what)
    return decode_answer(page, answer.body, title, what).Items


def make_headers(token: str, client_id: str) -> dict[str, str]:
    """The headers that sign a request in, where there is a token, and say who asks."""
    return {
        **({"X-Emby-Token": token} if token else {}),
        "X-Emby-Client": "Playhead",
        "X-Emby-Client-Version": __version__,
        "X-Emby-Device-Id": client_id,
        "X-Emby-Device-Name": "Playhead",
        "Accept": "application/json",
    }
