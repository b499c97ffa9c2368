"""Sign-in at plex.tv by a code, the servers of whoever signed in, and an address at which one of them answers.

plex.tv's own token of the person stays in here: what leaves is the token for one server. Source: facts, api-plex.md 7.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from urllib.parse import urlencode, urlsplit

import msgspec

from playhead.kit.http import Http
from playhead.ports.backend import RemoteUser
from playhead.ports.errors import BackendError, BadAnswer, NotFound, Refused, Unauthorized, Unreachable
from playhead.ports.signing_in import CodeShown, Granted, OfferedServer

from . import wire
from .callers import OWNER_ID
from .cloud import decode_cloud, make_cloud_headers
from .settings import PlexSettings

PINS = "/api/v2/pins"
PROBE_WITHIN_S = 5.0
_MAKER, _MAKERS_PAGE = "plex.tv", "https://app.plex.tv/auth"
_AGAIN = "Run it again for a new code."


class _Pin(msgspec.Struct):
    id: int
    code: str
    expiresIn: float = 900.0
    authToken: str | None = None


class _Address(msgspec.Struct):
    uri: str
    address: str = ""
    port: int = 32400
    local: bool = False
    relay: bool = False


class _Device(msgspec.Struct):
    """A device of the account; ``provides`` is a list with commas, of which a player lacks ``server``."""

    clientIdentifier: str = ""
    name: str = ""
    provides: str = ""
    owned: bool = False
    httpsRequired: bool = False
    accessToken: str | None = None
    connections: list[_Address] = []


class PlexSignIn:
    """One sign-in. The settings' address is not looked at: plex.tv tells where a server is."""

    def __init__(self, settings: PlexSettings, *, client_id: str) -> None:
        self._settings = settings
        self._client_id = client_id
        self._headers = make_cloud_headers(client_id)
        url = settings.plex_tv_url
        self._cloud = Http(url, title="plex.tv", headers=self._headers, timeout_s=10.0) if url else None
        self._pin: _Pin | None = None
        self._token = ""
        self._devices: list[_Device] | None = None

    async def begin(self) -> CodeShown:
        """A strong code, which stands in the link and need not be typed."""
        answer = await self._ask().write("POST", PINS, {"strong": "true"})
        self._pin = pin = decode_cloud(answer, _Pin)
        return CodeShown(pin.code, self._make_link(pin.code), pin.expiresIn)

    def _make_link(self, code: str) -> str:
        """The page is plex.tv's own; what stands in for plex.tv has its page below itself."""
        url = self._settings.plex_tv_url.rstrip("/")
        page = _MAKERS_PAGE if urlsplit(url).netloc == _MAKER else f"{url}/auth"
        told = {"clientID": self._client_id, "code": code, "context[device][product]": "Playhead"}
        return f"{page}#?{urlencode(told)}"

    async def is_approved(self) -> bool:
        """Asked once a second; plex.tv forgets a code that has expired (404)."""
        assert self._pin is not None
        try:
            answer = await self._ask().read(f"{PINS}/{self._pin.id}", attempts=1)
        except NotFound as error:
            raise Refused("The code has expired at plex.tv.", hint=_AGAIN) from error
        self._token = decode_cloud(answer, _Pin).authToken or ""
        return bool(self._token)

    async def list_servers(self) -> Sequence[OfferedServer]:
        """The Plex servers of the account, its own first; players and the like are left out."""
        found = [
            OfferedServer(each.clientIdentifier, each.name or each.clientIdentifier, each.owned)
            for each in await self._list_devices()
        ]
        return sorted(found, key=lambda each: not each.owned)

    async def fetch_token(self, server_id: str) -> Granted:
        """The token for one server, with the login as that server knows it: its owner is account 1 there."""
        device = await self._find(server_id)
        if not device.accessToken:
            raise BadAnswer(f"plex.tv gives no token for '{device.name}'.", hint="Try again in a minute.")
        answer = await self._ask().read("/api/v2/user", headers=self._signed())
        told = decode_cloud(answer, wire.CloudUser)
        if not told.id:
            raise BadAnswer("plex.tv does not tell who signed in.", hint="Try again in a minute.")
        name = told.username or told.title or str(told.id)
        id = OWNER_ID if device.owned else str(told.id)
        user = RemoteUser(id, name, admin=device.owned, mail=told.email or None, world_id=str(told.id))
        return Granted(device.accessToken, user)

    async def find_url(self, server_id: str) -> str:
        """The first in order that answers as that server, all tried at once: local, then remote, relay last."""
        device = await self._find(server_id)
        urls = list(dict.fromkeys(_list_urls(device)))
        tries = [asyncio.create_task(self._answers(url, server_id)) for url in urls]
        try:
            for url, answers in zip(urls, tries, strict=True):
                if await answers:
                    return url
        finally:
            for each in tries:
                each.cancel()
            await asyncio.gather(*tries, return_exceptions=True)
        raise Unreachable(
            f"'{device.name}' answers at none of the {len(urls)} addresses that plex.tv knows.",
            hint="Is it running? Give an address that works from here with --url URL.",
        )

    async def _answers(self, url: str, server_id: str) -> bool:
        http = Http(
            url,
            title=url,
            headers=self._headers,
            timeout_s=PROBE_WITHIN_S,
            connect_timeout_s=PROBE_WITHIN_S,
            verify_tls=self._settings.verify_tls,
        )
        try:
            with suppress(BackendError):
                page = decode_cloud(await http.read("/identity", attempts=1), wire.IdentityPage)
                return page.MediaContainer.machineIdentifier == server_id
            return False
        finally:
            await http.close()

    async def _find(self, server_id: str) -> _Device:
        for device in await self._list_devices():
            if device.clientIdentifier == server_id:
                return device
        raise NotFound(
            "Whoever signed in at plex.tv may not use this server.",
            hint="Sign in as somebody with whom it is shared, or share it with them in Plex first.",
        )

    async def _list_devices(self) -> list[_Device]:
        if self._devices is None:
            params: dict[str, str | int] = {"includeHttps": 1, "includeRelay": 1, "includeIPv6": 1}
            answer = await self._ask().read("/api/v2/resources", params, headers=self._signed())
            known = decode_cloud(answer, list[_Device])
            self._devices = [each for each in known if "server" in each.provides.split(",")]
        return self._devices

    def _signed(self) -> dict[str, str]:
        if not self._token:
            raise Unauthorized("Nobody has signed in at plex.tv yet.", hint=_AGAIN)
        return {"X-Plex-Token": self._token}

    def _ask(self) -> Http:
        if self._cloud is None:
            raise Refused(
                "plex.tv is not asked: its address is empty in the settings.", hint="Give the token with --token -"
            )  # fmt: skip
        return self._cloud

    async def close(self) -> None:
        """Close the connection to plex.tv."""
        if self._cloud is not None:
            await self._cloud.close()


def _list_urls(device: _Device) -> Iterator[str]:
    """Local before remote before relay. A local address also goes without plex.tv's name for it, which routers that guard
    against rebinding do not resolve."""
    for each in sorted(device.connections, key=lambda each: (each.relay, not each.local)):
        yield each.uri.rstrip("/")
        if each.local and each.address and not device.httpsRequired and not each.relay:
            host = f"[{each.address}]" if ":" in each.address else each.address
            yield f"http://{host}:{each.port}"
