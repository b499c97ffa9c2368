"""What every backend must promise, in Playhead's own words.

One ``Backend`` object speaks for one account on one connection. It holds no watch state of its own, decides nothing
about merging, and turns every failure into ``ports.errors``. Lists come as raw pages so that a page whose
bytes did not change is never decoded.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Literal, Protocol, runtime_checkable

import msgspec

from playhead.domain.state.reading import State

Kind = Literal["movie", "episode"]


class ServerInfo(msgspec.Struct, frozen=True):
    """Who answered. ``server_id`` never changes for one installation; ``clock_skew_s`` is server minus hub."""

    kind: str
    name: str
    version: str
    server_id: str
    clock_skew_s: float | None = None


class RemoteUser(msgspec.Struct, frozen=True):
    """A login on the server. ``admin`` where the server tells it; ``named`` False where nobody told the name and ``name`` only
    says so. ``mail`` and ``world_id`` (the same on all servers of the kind: plex.tv's) where they are told; ``protected``: a
    PIN is asked for a token."""

    id: str
    name: str
    admin: bool = False
    named: bool = True
    mail: str | None = None
    world_id: str | None = None
    protected: bool = False


class Library(msgspec.Struct, frozen=True):
    """A library as the server names it. ``holds`` are the kinds of item in it that matter here."""

    id: str
    title: str
    holds: tuple[Literal["movie", "episode"], ...]
    locations: tuple[str, ...] = ()

    def is_named(self, name: str) -> bool:
        """Whether a person means it: by id, or by title in any case."""
        return name == self.id or name.casefold() == self.title.casefold()


class Listing(msgspec.Struct, frozen=True):
    """One list to page through: the shows or the leaf items of a library. Shows come before their episodes."""

    library_id: str
    what: Literal["show", "leaf"]
    lean: bool = False  # lean: native id, runtime and state only; claims, files and titles were not asked for


class RawPage(msgspec.Struct, frozen=True):
    """The bytes of one page and their hash (xxh3-64, signed). ``request_key`` names the request, token left out.

    ``start`` and ``asked`` are the 0-based offset and the page size of the request.
    """

    listing: Listing
    start: int
    asked: int
    request_key: str
    body: bytes
    body_hash: int
    total: int | None = None  # of the whole list, where a header tells it


class ShowEntry(msgspec.Struct, frozen=True, gc=False):
    """A show, which only holds others: its claims identify episodes by number."""

    native_id: str
    title: str
    year: int | None
    claims: tuple[str, ...]


class Entry(msgspec.Struct, gc=False):
    """A movie or an episode in one account's list: what it is, and what the account says of it.

    ``claims`` are the item's own, normalised (``imdb:movie:tt0133093``); a show's stand in ``ShowEntry``.
    ``state_key`` is shared by entries for which the server keeps a single state (Plex: the guid); None = own state.
    ``media_key`` changes when the file behind the entry is another one; None = not known from this read.
    ``unplayed`` says: this state has the very form that a person's un-play leaves on this backend. False for
    ``watched=False`` that may stem from playback, a scan or a lying list.
    In a lean listing title, year, claims, files and numbers are not filled.
    """

    native_id: str
    kind: Kind
    title: str = ""
    year: int | None = None
    show_id: str | None = None
    show_title: str | None = None
    season: int | None = None
    episode: int | None = None
    episode_end: int | None = None  # last episode of a file that holds several
    runtime_s: int | None = None
    claims: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    state_key: str | None = None
    media_key: str | None = None
    watched: bool | None = None
    plays: int | None = None
    last_played: int | None = None
    position_s: int | None = None
    rating: float | None = None
    favourite: bool | None = None
    unplayed: bool = False


class PageContent(msgspec.Struct, frozen=True):
    """A decoded page. ``total`` is what the server says of the whole list; None where it says nothing.

    ``returned`` counts what the server put on the page, entries of other kinds and unreadable ones included;
    ``dropped`` describes entries that could not be read, in words for a person.
    """

    entries: Sequence[Entry]
    shows: Sequence[ShowEntry]
    returned: int
    total: int | None
    dropped: tuple[str, ...] = ()


class Write(msgspec.Struct, frozen=True):
    """Bring one item of the account to a state.

    ``facets`` says which parts are to change; ``target`` is the whole state wished for afterwards, so that a backend
    whose partial writes are harmful can write all of it; ``before`` is the newest known state.
    """

    native_id: str
    kind: Kind
    facets: frozenset[str]  # of "watched", "progress"
    target: State
    before: State
    runtime_s: int | None = None
    looked: bool = False  # ``before`` was read directly a moment ago: no need to look again


class Outcome(StrEnum):
    """How one write ended."""

    done = "done"
    missing = "missing"  # the item is not there (any more)
    refused = "refused"  # will not work until a person acts
    failed = "failed"  # may work later
    unsure = "unsure"  # may have taken effect: read before trying again


class Receipt(msgspec.Struct, frozen=True):
    """The outcome of one write. ``after`` is what the server is known to say now; None fields: not known.

    A date that the server stamped itself is left None in ``after`` unless the server told it.
    """

    outcome: Outcome
    after: State | None = None
    error_code: str = ""
    message: str = ""
    retry_after_s: float | None = None


class Limit(msgspec.Struct, frozen=True):
    """A declared gap: contract test ``what`` is expected to fail. ``kind``: ours to do, theirs, or never possible."""

    what: str
    kind: Literal["ours", "theirs", "never"]
    why: str


class Capabilities(msgspec.Struct, frozen=True):
    """What a backend can express."""

    reads: frozenset[str]  # of watched, progress, rating, favourite
    writes: frozenset[str]
    takes_date: bool  # a mark can carry the true date
    lean_lists: bool  # a cheaper list without ids and paths exists
    page_size: int
    writes_at_once: int = 4
    cheap_looks: bool = False  # fetch_entries asks for many items in one request


class Backend(Protocol):
    """One account on one connection."""

    async def probe(self) -> ServerInfo:
        """Ask who answers; no token needed where the server allows. Raises Unreachable, WrongServer, BadAnswer."""

    async def check_account(self) -> RemoteUser:
        """Prove that the token works and for whom. Raises Unauthorized, NotFound."""

    async def list_users(self) -> list[RemoteUser]:
        """All logins that the token may see."""

    async def list_libraries(self) -> list[Library]:
        """The libraries that this account may see and that hold movies or episodes."""

    def plan_listings(self, library: Library, *, lean: bool) -> list[Listing]:
        """The lists to page through for a library, shows first."""

    async def fetch_page(self, listing: Listing, start: int, size: int) -> RawPage:
        """Fetch one page of a list, in an order that does not change from page to page."""

    def decode_page(self, page: RawPage) -> PageContent:
        """Decode and translate a page; pure. Raises BadAnswer when the whole page is unreadable."""

    async def fetch_entries(self, native_ids: Sequence[str]) -> list[Entry]:
        """Read single items from the source that does not lie (detail routes, not lists); missing ones are left out.

        These readings confirm an un-play or the state behind a new id.
        """

    async def apply(self, write: Write) -> Receipt:
        """Carry out one write; never raises a BackendError, returns it as a receipt."""

    async def close(self) -> None:
        """Release the connection."""


@runtime_checkable
class ConfirmsPlayed(Protocol):
    """A backend whose lists may show a new account what was another's; asked at the first contact with an account."""

    async def confirm_played(self, native_ids: Sequence[str]) -> frozenset[str] | None:
        """Those of these items, a few hundred at most, that the server's own filter finds played; None where its lists are to
        be believed as they are."""


@runtime_checkable
class NamesTokens(Protocol):
    """A backend whose account may know to whom other tokens of its server belong: the owner, on Plex."""

    async def name_token(self, token: str) -> str | None:
        """The name of the login that another token of this server is for; None where that is not told."""


@runtime_checkable
class GivesTokens(Protocol):
    """A backend whose account may get tokens for other logins of its server: the owner, on Plex."""

    async def fetch_token(self, user: RemoteUser, pin: str | None) -> str:
        """A token of this server for another login. Raises Unauthorized where a PIN is needed or wrong, NotFound where there
        is none to be had."""


@runtime_checkable
class HasOtherIds(Protocol):
    """A backend whose login is also told by other ids than its server's: by webhooks, or by programs beside the server."""

    async def list_other_ids(self) -> frozenset[str]:
        """Those ids; none where there are none, or nobody tells now. Raises BackendError."""
        ...


class CodeSignIn(msgspec.Struct, frozen=True):
    """That a backend offers sign-in by code: the flag by which a person asks for it, its help, and ``made_by``: a
    ``ports.signing_in.SignsInByCode`` as ``"module:Class"`` with a constructor ``(settings, *, client_id)``. ``finds_servers``:
    it tells where they are, so that no address need be known; the settings then hold one that nobody has."""

    flag: str
    help: str
    made_by: str
    finds_servers: bool = False


class Manifest(msgspec.Struct, frozen=True):
    """What an adapter folder declares in its ``__init__``; importing it must load nothing heavy.

    ``backend`` is ``"module:Class"`` with a constructor ``(settings, token, user_id, *, client_id)``; ``webhook`` is
    ``"module:function"``, a ``ports.events.ReadsWebhooks``, where the server can post what happens. Where nginx can stand before
    it ``proxy`` is ``"module:Class"``, a ``ports.proxy.Proxy``, which writes that proxy, and ``proxied`` ``"module:function"``, a
    ``ports.callers.ReadsProxied``, which reads what it noted. ``token_decides``: it acts for whoever the token belongs to, so
    that every login needs its own. ``lines``: one line to a server hears of all its logins, or a login's changes are told on
    lines opened with that login's own token alone. ``by_code`` and ``by_password`` are the ways to sign in without handling a
    token; the latter names a ``ports.signing_in.SignsInByPassword``, made as ``backend``.
    """

    name: str
    title: str
    settings: str  # "module:Struct"
    backend: str
    capabilities: Capabilities
    limits: tuple[Limit, ...] = ()
    tested: tuple[str, ...] = ()  # beginnings of the server versions it was tried with; () = not told
    webhook: str | None = None
    proxied: str | None = None
    proxy: str | None = None
    token_decides: bool = False
    lines: Literal["server", "login"] = "server"
    by_code: CodeSignIn | None = None
    by_password: str | None = None
