"""A line on which a server tells what happens: one WebSocket, opened with the account's headers, errors mapped.

Knows no message. A line that breaks is not mended: who listens opens another and reads what was missed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import aiohttp
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, ClientWebSocketResponse, WSMsgType

from playhead.kit.http import Http, Params
from playhead.ports.errors import (
    BackendError,
    BadAnswer,
    Interrupted,
    TokenRefused,
    Unauthorized,
    Unreachable,
)

LARGEST_FRAME = 16 * 1024 * 1024  # the sessions of a busy server with all their streams
CLOSE_WITHIN_S = 2.0


class Line:
    """An open line."""

    def __init__(
        self, title: str, session: aiohttp.ClientSession, socket: ClientWebSocketResponse[bool]
    ) -> None:
        self._title = title
        self._session = session
        self._socket = socket

    async def say(self, text: str) -> None:
        """Send one text. Raises Interrupted."""
        try:
            await self._socket.send_str(text)
        except (aiohttp.ClientError, OSError) as error:
            raise self._broken("is cut") from error

    async def hear(self, within_s: float | None = None) -> bytes | None:
        """The next message; None where none came in time. Raises Interrupted when the line has ended."""
        try:
            async with asyncio.timeout(within_s):  # the socket's own timeout begins anew with each pong
                message = await self._socket.receive()
        except TimeoutError:
            return None
        if message.type is WSMsgType.TEXT:
            return message.data.encode() if isinstance(message.data, str) else bytes(message.data)
        if message.type is WSMsgType.BINARY:
            return bytes(message.data)
        if message.type is WSMsgType.ERROR or self._socket.exception() is not None:
            raise self._broken("is dead: nothing came back on it, or what came was no message")
        raise self._broken(f"was closed by the server (code {self._socket.close_code})")

    def give_up(self, why: str) -> Interrupted:
        """The error for a line that its user finds broken."""
        return self._broken(why)

    async def close(self) -> None:
        """Close it, politely where the server still answers."""
        await self._socket.close()
        await self._session.close()

    def _broken(self, why: str) -> Interrupted:
        return Interrupted(
            f"The line to {self._title} {why}.",
            hint="Playhead opens it again and reads what it missed.",
        )


async def open_line(
    http: Http,
    path: str,
    params: Params | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    heartbeat_s: float | None = None,
) -> Line:
    """Open a WebSocket. ``headers`` come on top of the account's own; with ``heartbeat_s`` the line is given up when a ping is
    not answered within half of that. Raises Unauthorized, Unreachable, BadAnswer."""
    session = http.make_session(middlewares=(_refuse_redirect,))
    try:
        with http.errors_told(safe=True):
            try:
                socket = await session.ws_connect(
                    http.make_url(path, params),
                    headers=dict(headers or {}),
                    heartbeat=heartbeat_s,
                    max_msg_size=LARGEST_FRAME,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_WITHIN_S),
                )
            except aiohttp.WSServerHandshakeError as error:
                raise _explain(http, error.status) from error
    except BaseException:
        await session.close()
        raise
    return Line(http.title, session, socket)


async def _refuse_redirect(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Redirects are not followed: the token would go to whoever stands there."""
    response = await handler(request)
    if 300 <= response.status < 400:
        status = response.status
        response.close()
        raise aiohttp.WSServerHandshakeError(
            request_info=response.request_info, history=(), status=status, message="redirect"
        )
    return response


def _explain(http: Http, status: int) -> BackendError:
    if status in (401, 403):  # Jellyfin says 403 to a bad token, others to a login that may not listen
        kind = TokenRefused if status == 401 else Unauthorized
        return kind(f"{http.title} refused the token.", hint=http.sign_in_hint)
    if status == 429 or status >= 500:
        return Unreachable(
            f"{http.title} opens no line now ({status}).", hint="It may be starting. It is tried again soon."
        )
    return BadAnswer(
        f"{http.title} opens no line ({status}).",
        hint="Does a proxy or a sign-in page in front not let WebSockets pass?",
    )
