"""One Jellyfin account as a Backend: joins client and translation, and decides which request a write needs.

Holds no watch state and decides nothing about merging.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence

import msgspec

from playhead.adapters._mediabrowser.dates import format_compact
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
from playhead.adapters._mediabrowser.users import normalise_id, read_user
from playhead.adapters._mediabrowser.wire import UserData
from playhead.adapters.jellyfin import registering
from playhead.adapters.jellyfin.client import FULL_FIELDS, READS_AT_ONCE, JellyfinClient
from playhead.adapters.jellyfin.listener import listen_to
from playhead.adapters.jellyfin.scanning import JellyfinScans
from playhead.adapters.jellyfin.settings import JellyfinSettings
from playhead.adapters.jellyfin.translate import make_update, settle_state
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
from playhead.ports.errors import BackendError, BadAnswer, NotFound, Retry
from playhead.ports.events import Event
from playhead.ports.looking import Recent
from playhead.ports.notices import Picture
from playhead.ports.scans import FileItem, ScanBegun, ScannedLibrary

# The file's date orders new items behind the old ones and is no part of the watch state, so that neither a play nor an
# added item moves what was already paged past; the sort name settles equal dates. There is no sorting by id.
ORDER = {"sortBy": "DateCreated,SortName", "sortOrder": "Ascending"}
_TYPES = {"show": "Series", "leaf": "Movie,Episode"}


class JellyfinBackend:
    """One user on one Jellyfin."""

    def __init__(self, settings: JellyfinSettings, token: str, user_id: str, *, client_id: str) -> None:
        self._client = JellyfinClient(settings, token, user_id, client_id=client_id)
        self._scans = JellyfinScans(self._client)

    async def probe(self) -> ServerInfo:
        """Ask the open route who answers."""
        info = await self._client.read_info()
        skew = self._client.http.clock_skew_s
        return ServerInfo("jellyfin", info.ServerName or "Jellyfin", info.Version or "", info.Id or "", skew)

    async def check_account(self) -> RemoteUser:
        """Prove that the token works and may read for the user; an API key needs the user named."""
        user = await self._client.read_user()
        self._client.use_user(user.Id)
        await self._client.check_access()
        return read_user(user)

    async def list_users(self) -> list[RemoteUser]:
        """All logins of the server."""
        return [read_user(user) for user in await self._client.read_users()]

    async def list_libraries(self) -> list[Library]:
        """The user's libraries that hold movies or episodes, mixed ones included."""
        views = await self._client.read_views()
        folders = await self._client.read_folders()
        locations = {folder.ItemId: tuple(folder.Locations or ()) for folder in folders if folder.ItemId}
        return [library for view in views if (library := read_library(view, locations)) is not None]

    def plan_listings(self, library: Library, *, lean: bool) -> list[Listing]:
        """Shows first where there are episodes; a lean pass needs no shows."""
        leaf = Listing(library.id, "leaf", lean)
        if lean or "episode" not in library.holds:
            return [leaf]
        return [Listing(library.id, "show"), leaf]

    async def fetch_page(self, listing: Listing, start: int, size: int) -> RawPage:
        """One page; only the first asks the server to count the whole list."""
        params: dict[str, str | int] = {
            "parentId": listing.library_id,
            "recursive": "true",
            "includeItemTypes": _TYPES[listing.what],
            "excludeLocationTypes": "Virtual",
            "collapseBoxSetItems": "false",
            **ORDER,
            "startIndex": start,
            "limit": size,
            "enableImages": "false",
            "enableTotalRecordCount": "true" if start == 0 else "false",
        }
        if not listing.lean:
            params["fields"] = FULL_FIELDS if listing.what == "leaf" else "ProviderIds"
        answer, key = await self._client.read_items(params)
        return RawPage(listing, start, size, key, answer.body, hash_body(answer.body))

    def decode_page(self, page: RawPage) -> PageContent:
        """Decode and translate; the total counts the whole list on the first page alone."""
        return decode_raw_page(page, title=self._client.title, has_total=page.start == 0)

    async def fetch_entries(self, native_ids: Sequence[str]) -> list[Entry]:
        """Single items, their state from the UserData route and checked against the filters, which never lied yet."""
        ids = list(dict.fromkeys(plain for given in native_ids if (plain := normalise_id(given))))
        if not ids:
            return []
        entries = read_entries(await self._client.read_by_ids(ids, fields=FULL_FIELDS))
        known = [entry.native_id for entry in entries]
        played = {item.Id for item in await self._client.read_by_ids(known, filters="IsPlayed")}
        favourites = {item.Id for item in await self._client.read_by_ids(known, filters="IsFavorite")}
        states = await self._read_states(known)
        for entry in entries:
            single = states.get(entry.native_id)
            if single is not None:
                settle_state(entry, single, played, favourites)
        return [entry for entry in entries if entry.native_id in states]

    async def confirm_played(self, native_ids: Sequence[str]) -> frozenset[str] | None:
        """What ``filters=IsPlayed`` finds of these; it looks into the database, where lists show a cache (A8.4, A8.6)."""
        if not await self._client.may_inherit():
            return None
        return frozenset(item.Id for item in await self._client.read_by_ids(native_ids, filters="IsPlayed"))

    async def _read_states(self, ids: Sequence[str]) -> dict[str, UserData]:
        gate = asyncio.Semaphore(READS_AT_ONCE)

        async def read(item_id: str) -> UserData | None:
            async with gate:
                try:
                    return await self._client.read_user_data(item_id)
                except NotFound:
                    return None

        found = await asyncio.gather(*(read(item_id) for item_id in ids))
        return {item_id: data for item_id, data in zip(ids, found, strict=True) if data is not None}

    async def apply(self, write: Write) -> Receipt:
        """One request for a mark, a position or both; an un-play is the DELETE that Jellyfin's own button sends."""
        if normalise_id(write.native_id) is None:
            return Receipt(Outcome.missing, None, "not-found", f"{write.native_id!r} is no Jellyfin item id.")
        try:
            modern = await self._client.has_user_data_route()
            if "watched" in write.facets and write.target.watched is False:
                return await self._unwatch(write, modern=modern)
            return await (self._write_whole(write) if modern else self._mark_10_8(write))
        except BackendError as error:
            return describe_failure(error)

    async def _write_whole(self, write: Write) -> Receipt:
        if write.before.watched is None:
            fresh = read_state(await self._client.read_user_data(write.native_id))
            write = msgspec.structs.replace(write, before=fresh)
        wished = complete_target(write)
        return await self._settle(
            write.native_id,
            self._client.write_user_data(write.native_id, make_update(wished)),
            lambda now: shows_state(now, wished),
        )

    async def _unwatch(self, write: Write, *, modern: bool) -> Receipt:
        """The un-play clears date and count, which no other write can; a position wished for is put back after it."""
        resumes = bool(write.target.position_s) and "progress" in write.facets
        if resumes and not modern:
            return _refuse_position(write)
        cleared = await self._clear(write.native_id)
        if cleared.outcome is not Outcome.done or not resumes:
            return cleared
        before = cleared.after or BLANK
        return await self._write_whole(
            msgspec.structs.replace(write, facets=frozenset({"progress"}), before=before)
        )

    async def _clear(self, item_id: str) -> Receipt:
        return await self._settle(item_id, self._client.write_unplayed(item_id), is_unwatched)

    async def _mark_10_8(self, write: Write) -> Receipt:
        """Look first: on 10.8 every mark with a date counts one play more, and one without stamps the present."""
        target, progress = write.target, "progress" in write.facets
        if progress and target.position_s:
            return _refuse_position(write)
        now = await self._read_state(write.native_id)
        if progress and now.watched is False and not target.watched:
            return await self._clear(write.native_id)  # no un-play: it is not played
        if not target.watched:
            return _refuse_position(write)
        if now.watched and target.last_played in (None, now.last_played):
            clears = progress and now.position_s
            return _refuse_position(write) if clears else Receipt(Outcome.done, now)
        date = format_compact(target.last_played) if target.last_played is not None else None
        wished = State(watched=True, last_played=target.last_played, position_s=0)
        return await self._settle(
            write.native_id,
            self._client.write_played_10_8(write.native_id, date),
            lambda now: shows_state(now, wished),
        )

    async def _settle(self, item_id: str, request: Awaitable[UserData], shows: Shows) -> Receipt:
        """Wait for a write; where its effect is not known, look before answering."""
        try:
            return Receipt(Outcome.done, read_state(await request))
        except BackendError as error:
            if error.retry is not Retry.unsure and not isinstance(error, BadAnswer):
                raise
            return await look_again(error, lambda: self._read_state(item_id), shows)

    async def _read_state(self, item_id: str) -> State:
        return read_state(await self._client.read_user_data(item_id))

    async def fetch_recent(self, most: int) -> Recent:
        """What was played last, and how much is watched: two requests."""
        newest, _ = await self._client.read_items({**NEWEST, "Limit": most})
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


def _refuse_position(write: Write) -> Receipt:
    return Receipt(
        Outcome.refused,
        None,
        "too-old",
        f"Jellyfin 10.8 cannot be told where playback stopped (item {write.native_id}). Update it to 10.9 or later.",
    )
