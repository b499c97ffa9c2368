"""What plex.tv tells the owner of a server of those who use it, and the tokens that it gives out for them.

Source: facts, api-plex.md 7. That shares name the members of the Home as well is *assumed*; who is missing there is asked for
by switching. An empty address is never asked.
"""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ElementTree
from typing import TypeVar
from urllib.parse import quote

import msgspec

from playhead import __version__
from playhead.kit.decoding import decode_leniently
from playhead.kit.http import LONGEST_PAUSE_S, Answer, Http
from playhead.kit.shapes import make_decoder
from playhead.ports.backend import RemoteUser
from playhead.ports.errors import BackendError, BadAnswer, NotFound, RateLimited, Refused, Unauthorized

from . import wire

Wire = TypeVar("Wire")
SWITCH_ATTEMPTS = 4
GIVE_TOKEN = "Let them sign in themselves with --sign-in, or give their token with --token -"


class HomeUser(msgspec.Struct):
    """``/api/v2/home/users``: somebody of the owner's Home. ``protected``: by a PIN."""

    id: int
    uuid: str | None = None
    title: str | None = None
    username: str | None = None
    email: str | None = None
    friendlyName: str | None = None
    protected: bool = False


class _Home(msgspec.Struct):
    users: list[HomeUser] = []


class _Switched(msgspec.Struct):
    authToken: str | None = None


class _Resource(msgspec.Struct):
    clientIdentifier: str | None = None
    accessToken: str | None = None


class Share(msgspec.Struct, frozen=True):
    """``/api/servers/{id}/shared_servers``: somebody with whom a server is shared, and the token to use there."""

    user_id: str
    name: str
    mail: str | None
    token: str | None


class PlexCloud:
    """plex.tv with the token of one account."""

    def __init__(self, url: str, token: str, client_id: str) -> None:
        headers = {**make_cloud_headers(client_id), "X-Plex-Token": token}
        self._http = Http(url, title="plex.tv", headers=headers, timeout_s=10.0) if url else None

    async def list_people(self, machine_id: str, owner: wire.CloudUser | None) -> list[RemoteUser]:
        """Who may use the owner's server beside the owner, by their ids on plex.tv. Raises BackendError."""
        people = {share.user_id: _read_share(share) for share in await self._fetch_shares(machine_id)}
        try:
            home = await self._fetch_home()
        except (
            Unauthorized,
            Refused,
        ):  # it shows no Home to this token: the shares it does show count all the same
            home = []
        for member in home:
            if owner is None or member.id != owner.id:
                people[str(member.id)] = _read_member(member)
        return list(people.values())

    async def fetch_token(self, machine_id: str, user: RemoteUser, pin: str | None) -> str:
        """A token of the owner's server for another login: of a member of the Home by switching, where a PIN protects it
        with that, else the one of the share. Raises Unauthorized where a PIN is needed or wrong, NotFound where plex.tv gives
        none."""
        member = next((each for each in await self._fetch_home() if str(each.id) == user.id), None)
        if member is None or not member.protected:
            for share in await self._fetch_shares(machine_id):
                if share.user_id == user.id and share.token:
                    return share.token
        if member is None or not member.uuid:
            raise NotFound(f"plex.tv gives no token for '{user.name}'.", hint=GIVE_TOKEN)
        if member.protected and not pin:
            raise Unauthorized(
                f"A PIN protects '{user.name}' in the Plex Home.",
                hint="Let them sign in themselves with --sign-in, or give it: --pin PIN",
            )
        token = await self._fetch_own_token(await self._switch(member, pin), machine_id)
        if token is None:
            raise NotFound(
                f"This server is not shared with '{user.name}'.", hint="Share it with them in Plex first."
            )
        return token

    async def find_share(self, machine_id: str, token: str) -> RemoteUser | None:
        """With whom the owner's server is shared by this very token. Raises BackendError."""
        shares = await self._fetch_shares(machine_id)
        return next((_read_share(share) for share in shares if share.token == token), None)

    async def fetch_user(self, token: str) -> wire.CloudUser | None:
        """``/api/v2/user``: whose another token is. Raises BackendError, Unauthorized where plex.tv does not know it."""
        answer = await self._ask().read("/api/v2/user", headers={"X-Plex-Token": token}, attempts=1)
        return decode_cloud(answer, wire.CloudUser)

    async def close(self) -> None:
        """Close the connection."""
        if self._http is not None:
            await self._http.close()

    def _ask(self) -> Http:
        if self._http is None:
            raise NotFound("plex.tv is not asked: its address is empty in the settings.", hint=GIVE_TOKEN)
        return self._http

    async def _fetch_home(self) -> list[HomeUser]:
        """Empty where there is no Home."""
        http = self._ask()
        try:
            return decode_cloud(await http.read("/api/v2/home/users"), _Home).users
        except NotFound:
            return []

    async def _fetch_shares(self, machine_id: str) -> list[Share]:
        """XML whatever is asked for; empty where the token is not the owner's."""
        http, path = self._ask(), f"/api/servers/{quote(machine_id, safe='')}/shared_servers"
        try:
            answer = await http.read(path, expect="any")
            rows = list(ElementTree.fromstring(answer.body).iter("SharedServer"))
        except (NotFound, Unauthorized):
            return []
        except ElementTree.ParseError as error:
            raise _unreadable(error) from error
        return [
            Share(
                user_id,
                row.get("username") or row.get("email") or user_id,
                row.get("email") or None,
                row.get("accessToken"),
            )
            for row in rows
            if (user_id := row.get("userID"))
        ]

    async def _switch(self, member: HomeUser, pin: str | None) -> str:
        """Become another member of the Home; plex.tv asks to slow down where many are switched to."""
        path = f"/api/v2/home/users/{quote(member.uuid or '', safe='')}/switch"
        for left in reversed(range(SWITCH_ATTEMPTS)):
            try:
                answer = await self._ask().write("POST", path, {"pin": pin} if pin else None)
                break
            except RateLimited as error:
                if not left:
                    raise
                await asyncio.sleep(min(error.retry_after_s or 1.0, LONGEST_PAUSE_S))
            except Unauthorized as error:
                raise Unauthorized(
                    f"plex.tv does not let this token switch to '{member.title}'.",
                    hint="Is the PIN right, and is it the owner's token?",
                ) from error
        token = decode_cloud(answer, _Switched).authToken
        if not token:
            raise BadAnswer("plex.tv switched to another member of the Home and gave no token.")
        return token

    async def _fetch_own_token(self, token: str, machine_id: str) -> str | None:
        """The token that the bearer of another token of plex.tv is to use with a server."""
        params: dict[str, str | int] = {"includeHttps": 1, "includeRelay": 1}
        answer = await self._ask().read("/api/v2/resources", params, headers={"X-Plex-Token": token})
        for resource in decode_cloud(answer, list[_Resource]):
            if resource.clientIdentifier == machine_id:
                return resource.accessToken
        return None


def _read_share(share: Share) -> RemoteUser:
    return RemoteUser(share.user_id, share.name, mail=share.mail, world_id=share.user_id)


def _read_member(member: HomeUser) -> RemoteUser:
    name = member.username or member.title or member.friendlyName or str(member.id)
    return RemoteUser(
        str(member.id), name, mail=member.email or None, world_id=str(member.id), protected=member.protected
    )


def make_cloud_headers(client_id: str) -> dict[str, str]:
    """Who asks, without a token."""
    return {
        "Accept": "application/json",
        "X-Plex-Client-Identifier": client_id,
        "X-Plex-Product": "Playhead",
        "X-Plex-Version": __version__,
        "X-Plex-Device-Name": "Playhead",
    }


def decode_cloud(answer: Answer, shape: type[Wire]) -> Wire:
    """An answer of plex.tv in its shape. Raises BadAnswer."""
    try:
        return decode_leniently(make_decoder(shape), answer.body)
    except msgspec.DecodeError as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> BackendError:
    return BadAnswer(f"plex.tv sent an answer that cannot be read ({str(error)[:120]}).", hint="Try again.")
