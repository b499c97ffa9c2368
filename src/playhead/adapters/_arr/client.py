"""Requests to a Sonarr or Radarr: the key in a header, answers decoded. Knows nothing of what they mean."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import msgspec

from playhead import __version__
from playhead.adapters._arr.answers import FileRow, HistoryPage, HolderRow, Root, Status
from playhead.adapters._arr.products import Product, Routes
from playhead.kit.decoding import decode_leniently
from playhead.kit.http import Http
from playhead.kit.shapes import make_decoder
from playhead.ports.arrivals import ArrInfo
from playhead.ports.errors import BadAnswer, NotFound, UsageError, WrongServer

STATUS = "/api/v3/system/status"
CONNECTIONS = "/api/v3/notification"
T = TypeVar("T")


class Settings(Protocol):
    """What both programs' settings have."""

    @property
    def url(self) -> str: ...
    @property
    def verify_tls(self) -> bool: ...
    @property
    def timeout_s(self) -> float: ...


class ArrClient:
    """One program with its key."""

    def __init__(self, settings: Settings, key: str, product: Product) -> None:
        if product.routes is None:
            raise UsageError(
                f"{product.title} can only post.", hint="Set up a webhook there; it is not polled."
            )
        self.product = product
        self.routes: Routes = product.routes
        self.http = Http(
            settings.url,
            title=f"{product.title} at {urlsplit(settings.url).netloc.rpartition('@')[2]}",
            headers={"X-Api-Key": key, "Accept": "application/json", "User-Agent": f"Playhead/{__version__}"},
            sign_in_hint=f"Copy the API key from {product.title} under Settings, General, and give that.",
            timeout_s=settings.timeout_s,
            verify_tls=settings.verify_tls,
        )

    async def probe(self) -> ArrInfo:
        """Who answers there. Raises WrongServer for another product, Unauthorized for a wrong key."""
        try:
            status = await self._read(STATUS, Status)
        except NotFound as error:
            raise self._wrong("something else") from error
        if status.appName != self.product.title or status.version is None:
            raise self._wrong(status.appName or "something else")
        return ArrInfo(
            status.appName, status.instanceName or status.appName, status.version, self.http.clock_skew_s
        )

    async def list_holders(self) -> list[HolderRow]:
        """All series or movies, in one answer."""
        return await self._read(self.routes.holders, list[HolderRow])

    async def fetch_holder(self, number: int) -> HolderRow | None:
        """One of them; None where it is not there (any more)."""
        try:
            return await self._read(f"{self.routes.holders}/{number}", HolderRow)
        except NotFound:
            return None

    async def list_files(self, holder: int) -> list[FileRow]:
        """The files of one of them."""
        return await self._read(self.routes.files, list[FileRow], **{self.routes.holder_id: holder})

    async def list_roots(self) -> list[Root]:
        """The root folders."""
        return await self._read("/api/v3/rootfolder", list[Root])

    async def page_history(self, page: int, size: int) -> HistoryPage:
        """A page of the history, newest first; pages begin with 1."""
        order: dict[str, Any] = {"sortKey": "date", "sortDirection": "descending"}
        return await self._read("/api/v3/history", HistoryPage, page=page, pageSize=size, **order)

    async def list_connections(self) -> list[dict[str, Any]]:
        """All connections of the program, webhooks among them, as they are written."""
        return await self._read(CONNECTIONS, list[dict[str, Any]])

    async def write_connection(self, connection: dict[str, Any]) -> None:
        """Add a connection, or change the one of its number. The program posts a test at once."""
        number = connection.get("id")
        method, path = ("PUT", f"{CONNECTIONS}/{number}") if number else ("POST", CONNECTIONS)
        await self.http.write(method, path, json=connection)

    async def delete_connection(self, number: int) -> None:
        """Take a connection away."""
        await self.http.write("DELETE", f"{CONNECTIONS}/{number}")

    async def close(self) -> None:
        """Release the connection."""
        await self.http.close()

    async def _read(self, path: str, shape: type[T], **params: str | int) -> T:
        answer = await self.http.read(path, params)
        try:
            return decode_leniently(make_decoder(shape), answer.body)
        except msgspec.DecodeError as error:
            raise BadAnswer(
                f"{self.http.title} answered {path} in another shape ({str(error)[:120]}).",
                hint="Is it a version newer than Playhead knows? Run again with -v to see the request.",
            ) from error

    def _wrong(self, what: str) -> WrongServer:
        return WrongServer(
            f"{self.http.title} is {what[:40]}, not {self.product.title}.",
            hint=f"Is the address that of {self.product.title} itself, with its port and its URL base?",
        )
