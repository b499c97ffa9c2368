"""A Plex server as a ``Backend``: one token, one account, lists in pages, single writes.

Joins ``client`` (requests), ``translate`` (meaning) and ``writing`` (marks); decides only who the token belongs to and
what kind of server answers.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

import msgspec

from playhead.kit.http import hash_body
from playhead.kit.pictures import POSTER_WIDTH, fetch_picture, is_own_path
from playhead.ports.backend import (
    Entry,
    Library,
    Listing,
    PageContent,
    RawPage,
    Receipt,
    RemoteUser,
    ServerInfo,
    Write,
)
from playhead.ports.callers import Credential, Named
from playhead.ports.errors import (
    BackendError,
    BadAnswer,
    NotFound,
    RateLimited,
    Refused,
    ServerFault,
    Unauthorized,
    Unreachable,
    WrongServer,
)
from playhead.ports.events import Event
from playhead.ports.looking import Recent
from playhead.ports.notices import Picture
from playhead.ports.scans import FileItem, ScanBegun, ScannedLibrary

from . import registering, wire
from .callers import OWNER_ID, name_caller
from .client import PlexClient
from .cloud import PlexCloud
from .listener import listen_to
from .recent import fetch_recent, fetch_watched
from .scanning import PlexScans
from .settings import PlexSettings
from .translate import ReadPage, read_page, translate_entries, translate_shows
from .writing import carry_out

UNTOLD_ID = "token"  # begins the id of a user of whom neither the server nor plex.tv tells: only the token tells them apart
_TOTAL_HEADER = "X-Plex-Container-Total-Size"


class PlexBackend:
    """One account on one Plex server."""

    def __init__(self, settings: PlexSettings, token: str, user_id: str, *, client_id: str) -> None:
        self._client = PlexClient(settings, token, client_id)
        self._cloud = PlexCloud(settings.plex_tv_url, token, client_id)
        self._wanted = user_id.strip()
        self._untold = f"{UNTOLD_ID}-{hashlib.sha256(token.encode()).hexdigest()[:12]}"
        self._scans = PlexScans(self._client)
        self._leaves: dict[str, str] = {}  # what the leaves of each library are: movie or episode

    async def probe(self) -> ServerInfo:
        """Who answers at the address; the token is sent only once that is a Plex server."""
        try:
            identity = await self._client.fetch_identity()
        except (Unreachable, ServerFault, RateLimited, WrongServer):
            raise  # nobody there, not well, or a redirect that already says where to
        except BackendError as error:
            raise await self._wrong_server() from error
        if not identity.machineIdentifier or not identity.version:
            raise await self._wrong_server()
        return ServerInfo(
            kind="plex",
            name=await self._fetch_name() or self._client.title,
            version=identity.version,
            server_id=identity.machineIdentifier,
            clock_skew_s=self._client.clock_skew_s,
        )

    async def _fetch_name(self) -> str | None:
        try:
            return (await self._client.fetch_root()).friendlyName
        except Unauthorized:
            return None  # check_account says so with a hint; who answers is known all the same

    async def _wrong_server(self) -> WrongServer:
        try:
            other = await self._client.fetch_public_info()
        except BackendError:
            other = wire.PublicInfo()
        if not other.Version:
            return WrongServer(
                f"{self._client.title} answers, but it is not a Plex server.",
                hint="Give the address of the server itself with its port, like http://10.0.0.5:32400.",
            )
        kind = "jellyfin" if "jellyfin" in (other.ProductName or "").lower() else "emby"
        return WrongServer(
            f"{self._client.title} is {kind.capitalize()} {other.Version}, not a Plex server.",
            hint=f"Connect it with `playhead connect {kind}`.",
        )

    async def check_account(self) -> RemoteUser:
        """Whose token it is. A person named in advance must be the one: Plex keeps state by token."""
        root = await self._client.fetch_root()
        try:
            accounts = await self._client.fetch_accounts()
        except (Unauthorized, NotFound):
            accounts = []
        user, names = _identify(root, accounts, None)
        wanted = "" if self._wanted.startswith(f"{UNTOLD_ID}-") else self._wanted.casefold()
        if not names or (wanted and wanted not in names):  # the server alone cannot tell
            user, names = _identify(root, accounts, await self._client.fetch_cloud_user())
        if not wanted and self._wanted not in ("", self._untold):
            raise NotFound(
                f"The token for {self._client.title} is another one than the one that was connected, and nobody tells whose.",
                hint="Remove the connection and connect it again: playhead connections remove NAME",
            )
        if not wanted or wanted in names:
            return user if names else RemoteUser(self._untold, user.name, named=False)
        if (
            not names and wanted != OWNER_ID
        ):  # nobody tells whose token it is: the person's word stands for the name
            return RemoteUser(id=self._untold, name=self._wanted)
        raise NotFound(
            f"The token for {self._client.title} belongs to {user.name if names else 'another account'}, not to "
            f"{self._wanted if wanted != OWNER_ID else 'the owner'}.",
            hint=f"Plex acts for whoever the token belongs to; sign in as {self._wanted}, or leave the user out.",
        )

    async def name_token(self, token: str) -> str | None:
        """What plex.tv tells the owner of those with whom the server is shared; it tells nobody else."""
        identity = await self._client.fetch_identity()
        shared = await self._client.fetch_shared_tokens(identity.machineIdentifier or "")
        return shared.get(token)

    async def list_users(self) -> list[RemoteUser]:
        """The owner, everyone with state on the server, and whom plex.tv knows to share it; only oneself where the token may
        not see the others. Names are the server's own where it has them."""
        try:
            accounts = await self._client.fetch_accounts()
        except (Unauthorized, NotFound):
            return [await self.check_account()]
        owner = await self._client.fetch_cloud_user()
        users = {user.id: user for user in await self._list_shared(owner)}
        for account in accounts:
            if account.id != 0:
                id = str(account.id)
                users[id] = _read_account(account, users.get(id), owner if id == OWNER_ID else None)
        return list(users.values())

    async def _list_shared(self, owner: wire.CloudUser | None) -> list[RemoteUser]:
        """Nobody where plex.tv is out of reach or not to be asked: the server's own list must do."""
        machine_id = (await self._client.fetch_identity()).machineIdentifier or ""
        try:
            return await self._cloud.list_people(machine_id, owner) if owner is not None else []
        except BackendError:
            return []

    async def list_other_ids(self) -> frozenset[str]:
        """plex.tv's, which webhooks give for the owner too; the others have no other on the server."""
        owner = await self._client.fetch_cloud_user() if self._wanted == OWNER_ID else None
        return frozenset({str(owner.id)} if owner is not None and owner.id else ())

    async def fetch_token(self, user: RemoteUser, pin: str | None) -> str:
        """A token for somebody with whom the owner shares the server; see ``cloud``."""
        machine_id = (await self._client.fetch_identity()).machineIdentifier or ""
        return await self._cloud.fetch_token(machine_id, user, pin)

    async def list_libraries(self) -> list[Library]:
        """Movie and show libraries; music and photos hold nothing that is kept in agreement."""
        return [
            Library(
                id=str(section.key),
                title=section.title or str(section.key),
                holds=("movie",) if section.type == "movie" else ("episode",),
                locations=tuple(folder.path for folder in section.Location or () if folder.path),
            )
            for section in await self._client.fetch_sections()
            if section.type in ("movie", "show")
        ]

    def plan_listings(self, library: Library, *, lean: bool) -> list[Listing]:
        """Shows, then leaves. ``lean`` changes nothing: one form only, so that its page hashes stay comparable."""
        self._remember(library)
        leaf = Listing(library.id, "leaf")
        return [leaf] if self._leaves[library.id] == "movie" else [Listing(library.id, "show"), leaf]

    def _remember(self, library: Library) -> None:
        self._leaves[library.id] = "movie" if "movie" in library.holds else "episode"

    async def fetch_page(self, listing: Listing, start: int, size: int) -> RawPage:
        """One page in the order of rating keys."""
        what = "show" if listing.what == "show" else await self._leaf_type(listing.library_id)
        name, answer = await self._client.fetch_list(listing.library_id, what, start, size)
        return RawPage(
            listing=listing,
            start=start,
            asked=size,
            request_key=name,
            body=answer.body,
            body_hash=hash_body(answer.body),
            total=_whole_number(answer.headers.get(_TOTAL_HEADER)),
        )

    async def _leaf_type(self, library_id: str) -> str:
        if library_id not in self._leaves:
            for library in await self.list_libraries():
                self._remember(library)
        if library_id not in self._leaves:
            raise NotFound(
                f"{self._client.title} has no library {library_id}.",
                hint="It was removed there; see `playhead connections` for the ones it has.",
            )
        return self._leaves[library_id]

    def decode_page(self, page: RawPage) -> PageContent:
        """Decode and translate; pure. A server that ignores paging sends everything: only our part of it is taken."""
        read = read_page(page.body)
        _drop_repetitions(read)
        items, total = _cut_to_request(read, page)
        shows = translate_shows(items, read.dropped) if page.listing.what == "show" else []
        entries = translate_entries(items, read.dropped) if page.listing.what == "leaf" else []
        return PageContent(
            entries=entries,
            shows=shows,
            returned=read.returned,
            total=page.total if total is None else total,
            dropped=tuple(read.dropped),
        )

    async def fetch_entries(self, native_ids: Sequence[str]) -> list[Entry]:
        """Single items from the detail route, which Plex answers from the same store as its lists."""
        return translate_entries(await self._client.fetch_items(native_ids), [])

    async def apply(self, write: Write) -> Receipt:
        """Carry out one write; see ``writing``."""
        return await carry_out(self._client, self._look, write)

    async def fetch_recent(self, most: int) -> Recent:
        """What was viewed last, and how much is watched; see ``recent``."""
        return await fetch_recent(self._client, await self._list_leaves(), most)

    async def fetch_watched(self) -> frozenset[str]:
        """What is watched; see ``recent``."""
        return await fetch_watched(self._client, await self._list_leaves())

    async def _list_leaves(self) -> list[tuple[str, str]]:
        if not self._leaves:
            for library in await self.list_libraries():
                self._remember(library)
        return list(self._leaves.items())

    async def list_webhooks(self) -> list[str]:
        """Where the server posts; see ``registering``."""
        return await registering.list_webhooks(self._client)

    async def register_webhook(self, url: str) -> None:
        """Have it post there too."""
        await registering.register_webhook(self._client, url)

    async def remove_webhook(self, url: str) -> None:
        """Have it post there no more."""
        await registering.remove_webhook(self._client, url)

    async def name_caller(self, credential: Credential) -> Named | None:
        """Whose token somebody showed at a proxy; see ``callers``."""
        return await name_caller(self._client, self._cloud, credential)

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

    async def empty_trash(self, library_id: str) -> None:
        """Drop the items whose files are gone."""
        await self._scans.empty_trash(library_id)

    async def fetch_poster(self, path: str) -> Picture | None:
        """An item's picture, small."""
        small: dict[str, str | int] = {
            "url": path,
            "width": POSTER_WIDTH,
            "height": POSTER_WIDTH * 3 // 2,
            "minSize": 1,
        }
        if not is_own_path(path):
            return None
        with suppress(Refused, ServerFault, BadAnswer):  # it may not, or cannot, make it smaller
            if picture := await fetch_picture(self._client.http, "/photo/:/transcode", small):
                return picture
        return await fetch_picture(self._client.http, path)

    def listen(self) -> AsyncIterator[Event]:
        """What the server tells on its notifications; see ``listener``."""
        return listen_to(self._client)

    async def _look(self, native_id: str) -> Entry | None:
        entries = await self.fetch_entries([native_id])
        return next((entry for entry in entries if entry.native_id == native_id), None)

    async def close(self) -> None:
        """Release the connections."""
        await self._client.close()
        await self._cloud.close()


def _drop_repetitions(read: ReadPage) -> None:
    """An item that stands twice on a page counts once, else the next page would begin behind where this one ended."""
    once = {item.ratingKey or id(item): item for item in reversed(read.items)}
    repeated = len(read.items) - len(once)
    if repeated:
        read.items = list(reversed(once.values()))
        read.returned -= repeated


def _cut_to_request(read: ReadPage, page: RawPage) -> tuple[Sequence[wire.Item], int | None]:
    """The items of the page that was asked for, and how many the whole list has.

    Without ``totalSize`` and ``offset`` Plex has not paged: the list is whole (facts, api-plex.md 2). A page that begins
    elsewhere than asked is refused, for what lies between would be lost.
    """
    if read.offset is not None and read.offset != page.start:
        raise BadAnswer(
            f"Plex sent its list from place {read.offset} instead of {page.start}.",
            hint="It is read again on the next run.",
        )
    if read.total is not None or page.total is not None or read.offset is not None:
        return read.items, read.total
    whole = read.returned != page.asked
    if page.start == 0:
        return read.items, read.returned if whole else None
    if read.returned > page.asked:  # everything again: the first page had it, and nothing is missing
        read.returned = 0
        return (), None
    return read.items, page.start + read.returned if whole else None


def _read_account(
    account: wire.LocalAccount, shared: RemoteUser | None, cloud: wire.CloudUser | None
) -> RemoteUser:
    """A login as the server has it, with what plex.tv adds."""
    id = str(account.id)
    if shared is not None:
        return msgspec.structs.replace(shared, name=account.name or shared.name)
    mail, world_id = (cloud.email, str(cloud.id)) if cloud is not None and cloud.id else (None, None)
    world_id = world_id or (id if id != OWNER_ID else None)
    return RemoteUser(id, account.name or id, admin=id == OWNER_ID, mail=mail or None, world_id=world_id)


def _whole_number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 12 else None


def _identify(
    root: wire.Identity, accounts: Sequence[wire.LocalAccount], cloud: wire.CloudUser | None
) -> tuple[RemoteUser, set[str]]:
    """The token's user, and all names and ids under which a person may mean it; no names where nobody tells.

    Whoever may read ``/accounts`` is the owner: a shared account gets 403 (home-assistant/core issue 181394).
    """
    told = (
        (cloud.id, cloud.uuid, cloud.username, cloud.title, cloud.email, cloud.friendlyName) if cloud else ()
    )
    names = {str(name).casefold() for name in told if name}
    if accounts:
        local = next((account.name for account in accounts if str(account.id) == OWNER_ID), None)
        name = local or root.myPlexUsername or "owner"
        names |= {each.casefold() for each in (name, root.myPlexUsername, OWNER_ID, "owner") if each}
        return RemoteUser(OWNER_ID, name, admin=True), names
    if cloud and cloud.id:
        return RemoteUser(str(cloud.id), cloud.username or cloud.title or str(cloud.id)), names
    return RemoteUser(UNTOLD_ID, "account of the token"), set()
