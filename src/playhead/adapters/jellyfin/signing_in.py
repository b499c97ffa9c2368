"""Sign-in at a Jellyfin by Quick Connect or by name and password.

Routes and methods by version (facts, api-jellyfin-emby.md A1): Initiate is GET in 10.8 and POST from 10.9 on. The password goes
into the body of one request and is not kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from playhead.adapters._mediabrowser.decode import decode_answer
from playhead.adapters._mediabrowser.probing import clean_url, describe_place
from playhead.adapters._mediabrowser.signing_in import make_device, read_welcome, refuse_password
from playhead.adapters.jellyfin.client import (
    SINGLE_USER_DATA,
    JellyfinClient,
    make_authorization,
    parse_version,
)
from playhead.adapters.jellyfin.settings import JellyfinSettings
from playhead.kit.http import Http
from playhead.ports.errors import NotFound, Refused, Unauthorized
from playhead.ports.signing_in import CodeShown, Granted, OfferedServer

LIFE_S = 600.0  # *assumed*: the server's source names ten minutes; it answers 404 afterwards
_AGAIN = "Run it again for a new code."


class Attempt(msgspec.Struct):
    """QuickConnectResult."""

    Authenticated: bool = False
    Secret: str = ""
    Code: str = ""


_ATTEMPT = msgspec.json.Decoder(Attempt, strict=False)
_FLAG = msgspec.json.Decoder(bool)


class JellyfinSignIn:
    """One sign-in at one server; both ways."""

    def __init__(self, settings: JellyfinSettings, *, client_id: str) -> None:
        self._url = clean_url(settings.url)
        self.title = describe_place("Jellyfin", self._url)
        self._probe = JellyfinClient(settings, "", "", client_id=client_id)
        self._http = Http(
            self._url,
            title=self.title,
            headers={
                "Authorization": make_authorization("", make_device(client_id)),
                "Accept": "application/json",
            },
            timeout_s=settings.timeout_s,
            verify_tls=settings.verify_tls,
        )
        self._secret = ""

    async def sign_in(self, user: str, password: str) -> Granted:
        """A token of this user's own."""
        await self._probe.read_info()
        body = {"Username": user, "Pw": password}
        try:
            answer = await self._http.write("POST", "/Users/AuthenticateByName", json=body)
        except Unauthorized as error:
            raise refuse_password(self.title, user) from error
        return read_welcome(answer, self.title)

    async def begin(self) -> CodeShown:
        """Ask for a code, if Quick Connect is on."""
        info = await self._probe.read_info()
        enabled = await self._http.read("/QuickConnect/Enabled")
        if not decode_answer(_FLAG, enabled.body, self.title, "whether Quick Connect is on"):
            raise self._switched_off()
        method = "POST" if parse_version(info.Version or "") >= SINGLE_USER_DATA else "GET"
        try:
            answer = await self._http.write(method, "/QuickConnect/Initiate")
        except Unauthorized as error:
            raise self._switched_off() from error
        attempt = decode_answer(_ATTEMPT, answer.body, self.title, "Quick Connect")
        self._secret = attempt.Secret
        where = (
            f"{self._url}/web/#/quickconnect (or in any app of that server: the user's menu, Quick Connect)"
        )
        return CodeShown(attempt.Code, where, LIFE_S)

    def _switched_off(self) -> Refused:
        return Refused(
            f"Quick Connect is switched off on {self.title}.",
            hint="Switch it on under Dashboard → General, or sign in with --user NAME --password -",
        )

    async def is_approved(self) -> bool:
        """The secret travels in the query, the only form there is; it is worth nothing once the token was fetched."""
        try:
            answer = await self._http.read("/QuickConnect/Connect", {"secret": self._secret}, attempts=1)
        except NotFound as error:
            raise Refused(f"The code has expired on {self.title}.", hint=_AGAIN) from error
        except Unauthorized as error:
            raise self._switched_off() from error
        return decode_answer(_ATTEMPT, answer.body, self.title, "Quick Connect").Authenticated

    async def list_servers(self) -> Sequence[OfferedServer]:
        """This one."""
        info = await self._probe.read_info()
        return [OfferedServer(info.Id or "", info.ServerName or self.title)]

    async def fetch_token(self, server_id: str) -> Granted:
        """The token, once the code was approved."""
        try:
            answer = await self._http.write(
                "POST", "/Users/AuthenticateWithQuickConnect", json={"Secret": self._secret}
            )
        except (NotFound, Refused) as error:
            raise Refused(f"The code has expired on {self.title}.", hint=_AGAIN) from error
        return read_welcome(answer, self.title)

    async def find_url(self, server_id: str) -> str:
        """The one that was given."""
        return self._url

    async def close(self) -> None:
        """Close the connections."""
        await self._probe.http.close()
        await self._http.close()
