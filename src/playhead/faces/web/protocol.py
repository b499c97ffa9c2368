"""uvicorn's HTTP protocol with limits on what it has none for: how long a sender may take for its request line and headers,
and how long they may be. A body's time and size are the application's."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADERS_WITHIN_S = 10.0
LARGEST_HEADERS = 64 * 1024


class PatientProtocol(HttpToolsProtocol):
    """Closes a connection that keeps a request unfinished while nothing is being answered on it."""

    headers_within_s = HEADERS_WITHIN_S
    largest_headers = LARGEST_HEADERS

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        self.access_log = False  # addresses hold secrets
        self._deadline: asyncio.TimerHandle | None = None
        self._in_headers = True
        self._unfinished = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(self.headers_within_s, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        super().connection_lost(exc)
        self._wait_no_more()

    def data_received(self, data: bytes) -> None:
        """Take what came; go on waiting while it is no whole request."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._wait_no_more()
        elif self._deadline is None and not self.transport.is_closing():
            self._deadline = self.loop.call_later(self.headers_within_s, self.transport.close)
        if self._in_headers:
            self._unfinished += len(data)
            if self._unfinished > self.largest_headers:
                self.transport.close()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._in_headers = True

    def on_headers_complete(self) -> None:
        """Its headers are whole."""
        self._in_headers, self._unfinished = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """It is whole."""
        super().on_message_complete()
        if self.cycle is not None and self.cycle.response_complete:
            self._wait_no_more()

    def _wait_no_more(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
