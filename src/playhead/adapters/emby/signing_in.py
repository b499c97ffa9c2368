"""Sign-in at an Emby by name and password. The password goes into the body of one request and is not kept.

Source: facts, api-jellyfin-emby.md B1.
"""

from __future__ import annotations

from playhead.adapters._mediabrowser.signing_in import make_device, read_welcome, refuse_password
from playhead.adapters.emby.client import PREFIX, EmbyClient
from playhead.adapters.emby.settings import EmbySettings
from playhead.ports.errors import Unauthorized
from playhead.ports.signing_in import Granted


class EmbySignIn:
    """One sign-in at one server."""

    def __init__(self, settings: EmbySettings, *, client_id: str) -> None:
        self._client = EmbyClient(settings, "", "", client_id=make_device(client_id))

    async def sign_in(self, user: str, password: str) -> Granted:
        """A token of this user's own."""
        await self._client.read_info()
        body = {"Username": user, "Pw": password}
        try:
            answer = await self._client.http.write("POST", f"{PREFIX}/Users/AuthenticateByName", json=body)
        except Unauthorized as error:
            raise refuse_password(self._client.title, user) from error
        return read_welcome(answer, self._client.title)

    async def close(self) -> None:
        """Close the connection."""
        await self._client.http.close()
