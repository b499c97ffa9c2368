"""One Emby account as a Backend: joins client and translation, and decides which request a write needs.

Holds no watch state and decides nothing about merging.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Sequence

import msgspec

from playhead.adapters._mediabrowser.decode import decode_raw_page
from playhead.adapters._mediabrowser.receipts import (
    Shows,
    complete_target,
    describe_failure,
    is_unwatched,
    look_again,
    shows_state,
)
from playhead.adapters._mediabrowser.recent import NEWEST, WATCHED, list_watched, read_recent
from playhead.adapters._mediabrowser.translate import read_entries, read_library, read_state
from playhead.adapters._mediabrowser.users import read_user
from playhead.adapters._mediabrowser.wire import Item, UserData
from playhead.adapters.emby import registering
from playhead.adapters.emby.client import EmbyClient
from playhead.adapters.emby.listener import listen_to
from playhead.adapters.emby.scanning import EmbyScans
from playhead.adapters.emby.settings import EmbySettings
from playhead.adapters.emby.translate import find_mark_date, make_update
from playhead.domain.state.reading import BLANK, State
from playhead.kit.http import hash_body
from playhead.kit.pictures import POSTER_WIDTH, fetch_picture
from playhead.ports.backend import (
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
from playhead.ports.errors import BackendError, BadAnswer, NotFound, Retry, Unauthorized
from playhead.ports.events import Event
from playhead.ports.looking import Recent
from playhead.ports.notices import Picture
from playhead.ports.scans import FileItem, ScanBegun, ScannedLibrary

# The date of adding orders new items behind the old ones and is no part of the watch state, so that neither a play nor
# an added item moves what was already paged past; the sort name settles equal dates.
ORDER = {"SortBy": "DateCreated,SortName", "SortOrder": "Ascending"}
# Lists leave count and date out, even for played items, unless they are asked for under these names.
STATE_FIELDS = "UserDataLastPlayedDate,UserDataPlayCount"
_TYPES = {"show": "Series", "leaf": "Movie,Episode"}
_FIELDS = {
    "show": "ProviderIds,ProductionYear",
    "leaf": f"ProviderIds,Path,DateCreated,ProductionYear,{STATE_FIELDS}",
}
_ITEM_ID = re.compile(r"[0-9A-Za-z]{1,40}\Z")
READS_AT_ONCE = 4


class EmbyBackend:
    """One user on one Emby."""

    def __init__(self, settings: EmbySettings, token: str, user_id: str, *, client_id: str) -> None:
        self._client = EmbyClient(settings, token, user_id, client_id=client_id)
        self._scans = EmbyScans(self._client)

    async def probe(self) -> ServerInfo:
        """Ask the open route who answers."""
        info = await self._client.read_info()
        skew = self._client.http.clock_skew_s
        return ServerInfo("emby", info.ServerName or "Emby", info.Version or "", info.Id or "", skew)

    async def check_account(self) -> RemoteUser:
        """Prove that the token works and may read for the user, who must be named unless there is only one."""
        user = await self._client.read_user()
        self._client.use_user(user.Id)
        await self._client.check_access()
        return read_user(user)

    async def list_users(self) -> list[RemoteUser]:
        """All logins; only the account's own where the token is a plain user's."""
        try:
            return [read_user(user) for user in await self._client.read_users()]
        except Unauthorized:
            return [await self.check_account()]

    async def list_libraries(self) -> list[Library]:
        """The user's libraries that hold movies or episodes, mixed ones included."""
        views = await self._client.read_views()
        folders = await self._client.read_folders()
        locations = {folder.ItemId: tuple(folder.Locations or ()) for folder in folders if folder.ItemId}
        return [library for view in views if (library := read_library(view, locations)) is not None]

    def plan_listings(self, library: Library, *, lean: bool) -> list[Listing]:
        """Shows first where there are episodes. A list without ids and paths is hardly cheaper here: always full."""
        leaf = Listing(library.id, "leaf")
        return [Listing(library.id, "show"), leaf] if "episode" in library.holds and not lean else [leaf]

    async def fetch_page(self, listing: Listing, start: int, size: int) -> RawPage:
        """One page, with the count and date of plays asked for by name."""
        params: dict[str, str | int] = {
            "ParentId": listing.library_id,
            "Recursive": "true",
            "IncludeItemTypes": _TYPES[listing.what],
            "ExcludeLocationTypes": "Virtual",
            "GroupItemsIntoCollections": "false",
            **ORDER,
            "StartIndex": start,
            "Limit": size,
            "EnableImages": "false",
            "Fields": _FIELDS[listing.what],
        }
        answer, key = await self._client.read_items(params)
        return RawPage(listing, start, size, key, answer.body, hash_body(answer.body))

    def decode_page(self, page: RawPage) -> PageContent:
        """Decode and translate; every page tells the total."""
        return decode_raw_page(page, title=self._client.title, has_total=True)

    async def fetch_entries(self, native_ids: Sequence[str]) -> list[Entry]:
        """Single items from the item route, which tells count and date as they are."""
        gate = asyncio.Semaphore(READS_AT_ONCE)

        async def read(item_id: str) -> Item | None:
            async with gate:
                try:
                    return await self._client.read_item(item_id)
                except NotFound:
                    return None

        ids = dict.fromkeys(item_id for item_id in native_ids if _ITEM_ID.match(item_id))
        found = await asyncio.gather(*(read(item_id) for item_id in ids))
        return read_entries(item for item in found if item is not None)

    async def apply(self, write: Write) -> Receipt:
        """One request for a mark, a position or both; an un-play is the DELETE that Emby's own button sends."""
        if not _ITEM_ID.match(write.native_id):
            return Receipt(Outcome.missing, None, "not-found", f"{write.native_id!r} is no Emby item id.")
        try:
            if "watched" in write.facets and write.target.watched is False:
                return await self._unwatch(write)
            return await self._write_state(write)
        except BackendError as error:
            return describe_failure(error)

    async def _write_state(self, write: Write) -> Receipt:
        item_id, wished = write.native_id, complete_target(write)
        date = find_mark_date(wished, write.before)
        if date is None and (write.before.watched is None or wished.favourite is None):
            write = msgspec.structs.replace(write, before=await self._read_state(item_id))
            wished = complete_target(write)  # what is left out of a whole state may be taken for no
            date = find_mark_date(wished, write.before)
        if wished.watched is None:
            raise BadAnswer(f"{self._client.title} does not say whether item {item_id} is played.")
        request = self._mark(item_id, date) if date else self._put(item_id, wished)
        return await self._settle(item_id, request, lambda now: shows_state(now, wished))

    async def _unwatch(self, write: Write) -> Receipt:
        """The un-play clears date and count, which no other write can; a position wished for is put back after it."""
        cleared = await self._settle(write.native_id, self._unmark(write.native_id), is_unwatched)
        if (
            cleared.outcome is not Outcome.done
            or not write.target.position_s
            or "progress" not in write.facets
        ):
            return cleared
        before = cleared.after or BLANK
        return await self._write_state(
            msgspec.structs.replace(write, facets=frozenset({"progress"}), before=before)
        )

    async def _mark(self, item_id: str, date: str) -> State:
        return read_state(await self._client.write_played(item_id, date))

    async def _unmark(self, item_id: str) -> State:
        return read_state(await self._client.write_unplayed(item_id))

    async def _put(self, item_id: str, wished: State) -> State:
        await self._client.write_user_data(item_id, make_update(wished))
        return wished

    async def _settle(self, item_id: str, request: Awaitable[State], shows: Shows) -> Receipt:
        """Wait for a write; where its effect is not known, look before answering."""
        try:
            return Receipt(Outcome.done, await request)
        except BackendError as error:
            if error.retry is not Retry.unsure and not isinstance(error, BadAnswer):
                raise
            return await look_again(error, lambda: self._read_state(item_id), shows)

    async def _read_state(self, item_id: str) -> State:
        return read_state((await self._client.read_item(item_id)).UserData or UserData())

    async def fetch_recent(self, most: int) -> Recent:
        """What was played last, and how much is watched: two requests."""
        dated = {**NEWEST, "Fields": "UserDataLastPlayedDate", "Limit": most}
        newest, _ = await self._client.read_items(dated)
        counted, _ = await self._client.read_items(WATCHED)
        return read_recent(newest.body, counted.body, most, self._client.title)

    async def fetch_watched(self) -> frozenset[str]:
        """What is watched: a request for each thousand."""

        async def read(query: dict[str, str | int]) -> bytes:
            return (await self._client.read_items(query))[0].body

        return await list_watched(read, self._client.title)

    async def list_webhooks(self) -> list[str]:
        """Where the server posts; see ``registering``."""
        return await registering.list_webhooks(self._client)

    async def register_webhook(self, url: str) -> None:
        """Have it post there too."""
        await registering.register_webhook(self._client, url)

    async def remove_webhook(self, url: str) -> None:
        """Have it post there no more."""
        await registering.remove_webhook(self._client, url)

    async def list_scanned(self) -> list[ScannedLibrary]:
        """Libraries of every kind with their folders; see ``scanning``."""
        return await self._scans.list_scanned()

    async def begin_scan(self, library_id: str, path: str | None) -> ScanBegun:
        """Have a folder or a library scanned."""
        return await self._scans.begin_scan(library_id, path)

    async def find_files(
        self, library_id: str, paths: Sequence[str], *, thorough: bool = False
    ) -> list[FileItem]:
        """The items whose files these are."""
        return await self._scans.find_files(library_id, paths, thorough=thorough)

    async def list_newest(self, library_id: str, count: int, start: int = 0) -> list[FileItem]:
        """What was added last."""
        return await self._scans.list_newest(library_id, count, start)

    async def list_saved_since(
        self, library_id: str, since: int, count: int, start: int = 0
    ) -> list[FileItem]:
        """What the server found or read again since then."""
        return await self._scans.list_saved_since(library_id, since, count, start)

    async def fetch_poster(self, path: str) -> Picture | None:
        """An item's picture, small."""
        return await fetch_picture(self._client.http, path, {"maxWidth": POSTER_WIDTH})

    def listen(self) -> AsyncIterator[Event]:
        """What the server tells on its socket; see ``listener``."""
        return listen_to(self._client)

    async def close(self) -> None:
        """Close the connection."""
        await self._client.http.close()
