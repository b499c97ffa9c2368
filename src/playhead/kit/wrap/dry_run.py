"""A backend that reads as ever and sends no write: each is answered as done, with a receipt that says it was not sent.

Knows no backend. Such a receipt says nothing of the server's state (``after`` is None); no base may move on it.
"""

from __future__ import annotations

from collections.abc import Sequence

from playhead.ports.backend import (
    Backend,
    Entry,
    Library,
    Listing,
    Outcome,
    PageContent,
    RawPage,
    Receipt,
    RemoteUser,
    ServerInfo,
    Write,
)

CODE = "dry-run"


class DryRun:
    """``inner`` without its writes. ``kept_back`` holds those that were asked for, in order."""

    def __init__(self, inner: Backend) -> None:
        self.inner = inner
        self.kept_back: list[Write] = []

    async def apply(self, write: Write) -> Receipt:
        """Keep the write back."""
        self.kept_back.append(write)
        return Receipt(Outcome.done, after=None, error_code=CODE, message="Dry run: nothing was sent.")

    async def probe(self) -> ServerInfo:
        return await self.inner.probe()

    async def check_account(self) -> RemoteUser:
        return await self.inner.check_account()

    async def list_users(self) -> list[RemoteUser]:
        return await self.inner.list_users()

    async def list_libraries(self) -> list[Library]:
        return await self.inner.list_libraries()

    def plan_listings(self, library: Library, *, lean: bool) -> list[Listing]:
        return self.inner.plan_listings(library, lean=lean)

    async def fetch_page(self, listing: Listing, start: int, size: int) -> RawPage:
        return await self.inner.fetch_page(listing, start, size)

    def decode_page(self, page: RawPage) -> PageContent:
        return self.inner.decode_page(page)

    async def fetch_entries(self, native_ids: Sequence[str]) -> list[Entry]:
        return await self.inner.fetch_entries(native_ids)

    async def close(self) -> None:
        await self.inner.close()
