"""The requests to one Plex server (and one to plex.tv), each with its route and why it is asked so.

Returns wire shapes or bytes and translates nothing. Tokens travel in headers; before the server has proved to be a
Plex server the token is not sent at all. Source: facts, api-plex.md 1 to 3 and 7.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from playhead import __version__
from playhead.kit.decoding import decode_leniently
from playhead.kit.http import Answer, Http
from playhead.kit.shapes import make_decoder
from playhead.ports.errors import BackendError, BadAnswer, NotFound, TokenRefused, Unauthorized

from . import wire
from .settings import PlexSettings
from .translate import read_page

IDENTIFIER = "com.plexapp.plugins.library"
SIGN_IN = "Sign in again: `playhead connect plex --sign-in`."
WEBHOOKS = "/api/v2/user/webhooks"
IDS_AT_ONCE = 100  # keeps the path far below the 8 kB that servers and proxies take

# Left out of lists where the server honours it (documented as possible, honoured fields vary; nothing breaks where it
# is ignored). What changes without the item changing (updatedAt, picture addresses) is left out for the page hash too.
_TRIMMED = {
    "excludeElements": "Chapter,Collection,Country,Director,Extras,Field,Genre,Image,Label,Location,Marker,Producer,"
    "Rating,Review,Role,Similar,Stream,UltraBlurColors,Writer",
    "excludeFields": "art,audienceRating,audienceRatingImage,banner,chapterSource,contentRating,grandparentArt,"
    "grandparentThumb,originalTitle,parentThumb,primaryExtraKey,rating,ratingImage,slug,studio,summary,tagline,theme,"
    "thumb,updatedAt",
}
_TRIMMED_SHELF = {
    "excludeElements": _TRIMMED["excludeElements"],
    "excludeFields": "art,audienceRating,banner,contentRating,parentThumb,rating,slug,studio,summary,tagline,theme",
}
# Rating keys only grow, so what is added while we read comes after the last page and moves nothing; titles and dates
# of adding are neither unique nor fixed. Plex does not list the sort by key, its clients use it (python-plexapi names
# it "available but not exposed"). *Assumed*: a server that does not know it goes on to the date of adding, which it does
# list and which puts newcomers last as well.
_SORT = {"sort": "id:asc,addedAt:asc"}
_TYPES = {"movie": 1, "show": 2, "episode": 4}

Wire = TypeVar("Wire")


class PlexClient:
    """One server, one token."""

    def __init__(self, settings: PlexSettings, token: str, client_id: str) -> None:
        url = clean_url(settings.url)
        self.title = f"Plex at {urlsplit(url).netloc.rpartition('@')[2] or url}"
        self._client_id = client_id
        self._timeout_s = settings.timeout_s
        self._verify_tls = settings.verify_tls
        bare = {
            "Accept": "application/json",
            "X-Plex-Client-Identifier": client_id,
            "X-Plex-Product": "Playhead",
            "X-Plex-Version": __version__,
            "X-Plex-Device-Name": "Playhead",
        }
        signed = {**bare, "X-Plex-Token": token}
        self.http = self._open(url, self.title, signed)
        self._bare = self._open(url, self.title, bare)
        self._cloud = (
            Http(settings.plex_tv_url, title="plex.tv", headers=signed, timeout_s=10.0, connect_timeout_s=4.0)
            if settings.plex_tv_url
            else None
        )

    def _open(self, url: str, title: str, headers: dict[str, str]) -> Http:
        return Http(
            url,
            title=title,
            headers=headers,
            sign_in_hint=SIGN_IN,
            timeout_s=self._timeout_s,
            verify_tls=self._verify_tls,
        )

    @property
    def clock_skew_s(self) -> float | None:
        """Server minus hub, from the newest answer that told it."""
        return self.http.clock_skew_s if self.http.clock_skew_s is not None else self._bare.clock_skew_s

    async def fetch_identity(self) -> wire.Identity:
        """``/identity``, without the token, asked once: who answers there."""
        answer = await self._bare.read("/identity", attempts=1)
        return _decode(answer, wire.IdentityPage, self.title).MediaContainer

    async def fetch_public_info(self) -> wire.PublicInfo:
        """``/System/Info/Public``, which Jellyfin and Emby answer, without the token."""
        return _decode(await self._bare.read("/System/Info/Public", attempts=1), wire.PublicInfo, self.title)

    async def fetch_root(self) -> wire.Identity:
        """``/`` with the token: the server's name and its owner's. Raises Unauthorized."""
        return _decode(await self.http.read("/"), wire.IdentityPage, self.title).MediaContainer

    async def fetch_accounts(self) -> list[wire.LocalAccount]:
        """``/accounts``: the owner and everyone with state there. Shared accounts are refused with 403."""
        page = _decode(await self.http.read("/accounts"), wire.AccountPage, self.title)
        return page.MediaContainer.Account or []

    async def fetch_cloud_user(self) -> wire.CloudUser | None:
        """``plex.tv/api/v2/user``: whose token it is; None where plex.tv is not asked or does not tell.

        It does not tell for a token that only the server knows, such as that of a managed user.
        """
        if self._cloud is None:
            return None
        try:
            return _decode(await self._cloud.read("/api/v2/user", attempts=1), wire.CloudUser, "plex.tv")
        except BackendError:
            return (
                None  # a token of this server alone, or no way out to the internet: the server itself must do
            )

    async def fetch_shared_tokens(self, machine_id: str) -> dict[str, str]:
        """``plex.tv/api/servers/{id}/shared_servers``: names by token for this server; XML whatever is asked for. Empty where
        the token is not the owner's or plex.tv is not asked."""
        if self._cloud is None:
            return {}
        path = f"/api/servers/{quote(machine_id, safe='')}/shared_servers"
        try:
            answer = await self._cloud.read(path, attempts=1, expect="any")
            rows = ElementTree.fromstring(answer.body).iter("SharedServer")
        except (BackendError, ElementTree.ParseError):
            return {}
        names = ((row.get("accessToken"), row.get("username") or row.get("email")) for row in rows)
        return {token: name for token, name in names if token and name}

    async def fetch_sections(self) -> list[wire.Section]:
        """``/library/sections``: the libraries that the account may see."""
        page = _decode(await self.http.read("/library/sections"), wire.SectionPage, self.title)
        return page.MediaContainer.Directory or []

    async def fetch_list(self, section: str, what: str, start: int, size: int) -> tuple[str, Answer]:
        """One page of ``/library/sections/{id}/all``, and the name of the request."""
        path = f"/library/sections/{quote(section, safe='')}/all"
        params: dict[str, str | int] = {
            "type": _TYPES[what],
            "includeGuids": 1,
            **_SORT,
            **_TRIMMED,
            "X-Plex-Container-Start": start,
            "X-Plex-Container-Size": size,
        }
        name = path + "?" + "&".join(f"{key}={value}" for key, value in params.items())
        return name, await self.http.read(path, params)

    async def fetch_shelf(self, section: str, what: int, sort: str, start: int, size: int) -> Answer:
        """One page of the leaves of a library of any kind, with dates of adding and posters. ``what``: 1 movie, 4 episode, 10
        track, 13 photo."""
        params: dict[str, str | int] = {
            "type": what,
            "includeGuids": 1,
            "sort": sort,
            **_TRIMMED_SHELF,
            "X-Plex-Container-Start": start,
            "X-Plex-Container-Size": size,
        }
        return await self.http.read(f"/library/sections/{quote(section, safe='')}/all", params)

    async def fetch_newest(self, section: str, what: str, most: int) -> bytes:
        """The leaves of a library that were viewed last, the newest first."""
        return await self._read_leaves(section, what, most, {"sort": "lastViewedAt:desc", **_TRIMMED})

    async def count_watched(self, section: str, what: str) -> bytes:
        """An empty page of the watched leaves of a library, which tells how many there are."""
        return await self._read_leaves(section, what, 0, {"unwatched": 0})

    async def fetch_watched(self, section: str, what: str, start: int, size: int) -> bytes:
        """A page of the same, by their rating keys."""
        return await self._read_leaves(section, what, size, {"unwatched": 0, **_SORT, **_TRIMMED}, start)

    async def _read_leaves(
        self, section: str, what: str, size: int, more: dict[str, str | int], start: int = 0
    ) -> bytes:
        page: dict[str, str | int] = {"X-Plex-Container-Start": start, "X-Plex-Container-Size": size}
        path = f"/library/sections/{quote(section, safe='')}/all"
        return (await self.http.read(path, {"type": _TYPES[what], **more, **page})).body

    async def scan_section(self, section: str, path: str | None) -> None:
        """``/library/sections/{id}/refresh``, by GET: servers from 1.32.7 on know no other way, against what the document of 2025
        says (facts, library-updates-and-links.md 1.2)."""
        params = {} if path is None else {"path": path}
        await self.http.write("GET", f"/library/sections/{quote(section, safe='')}/refresh", params)

    async def empty_trash(self, section: str) -> None:
        """``PUT /library/sections/{id}/emptyTrash``."""
        await self.http.write("PUT", f"/library/sections/{quote(section, safe='')}/emptyTrash")

    async def fetch_items(self, rating_keys: Sequence[str]) -> list[wire.Item]:
        """``/library/metadata/{id,id,...}``: the found ones; Plex answers 404 only when there is none."""
        found: list[wire.Item] = []
        for at in range(0, len(rating_keys), IDS_AT_ONCE):
            found += await self._fetch_batch(rating_keys[at : at + IDS_AT_ONCE])
        return found

    async def _fetch_batch(self, rating_keys: Sequence[str]) -> list[wire.Item]:
        """403 is the answer to an item of a library that is not shared with the account: it has no such item. Whether one of them
        spoils the batch is not known, so each is asked for by itself then."""
        keys = ",".join(quote(key, safe="") for key in rating_keys)
        try:
            answer = await self.http.read(f"/library/metadata/{keys}", {"includeGuids": 1, **_TRIMMED})
        except NotFound:
            return []
        except Unauthorized as error:
            if isinstance(error, TokenRefused):
                raise
            alone = [await self._fetch_batch([key]) for key in rating_keys] if len(rating_keys) > 1 else []
            return [item for items in alone for item in items]
        return read_page(answer.body).items

    async def fetch_webhooks(self) -> list[wire.Webhook] | None:
        """``plex.tv/api/v2/user/webhooks``: where the servers of the token's account post; None where plex.tv is not asked."""
        if self._cloud is None:
            return None
        return _decode(await self._cloud.read(WEBHOOKS), list[wire.Webhook], "plex.tv")

    async def replace_webhooks(self, urls: Sequence[str]) -> None:
        """Set the whole list; plex.tv knows no way to add one. An empty one is told by an empty word."""
        if self._cloud is not None:
            form = [("urls[]", url) for url in urls] or [("urls", "")]
            await self._cloud.write("POST", WEBHOOKS, form=form)

    async def fetch_player_sessions(self) -> list[wire.PlayerSession]:
        """``/status/sessions``: who watches what now. Only the owner is told of others; shared accounts may get 403."""
        answer = await self.http.read("/status/sessions", attempts=1)
        return _decode(answer, wire.PlayerSessionsPage, self.title).MediaContainer.Metadata

    # GET, not the PUT and POST of the 2025 specification: it says that GET is answered, every client in use sends GET,
    # and python-plexapi proves it against real servers; servers older than the specification know nothing else.

    async def scrobble(self, rating_key: str) -> None:
        """Mark played: counts one play, stamps the server's now, clears the position. There is no date."""
        await self.http.write("GET", "/:/scrobble", {"identifier": IDENTIFIER, "key": rating_key})

    async def unscrobble(self, rating_key: str) -> None:
        """Mark unplayed: count, date and position are gone."""
        await self.http.write("GET", "/:/unscrobble", {"identifier": IDENTIFIER, "key": rating_key})

    async def report_stop(self, rating_key: str, position_ms: int, duration_ms: int) -> None:
        """Set the position, as a player that stops there; also backwards and on watched items.

        ``/:/timeline`` and not ``/:/progress``: it is documented and tested against real servers, the other is neither.
        """
        params: dict[str, str | int] = {
            "identifier": IDENTIFIER,
            "ratingKey": rating_key,
            "key": f"/library/metadata/{rating_key}",
            "state": "stopped",
            "time": position_ms,
            "duration": duration_ms,
        }
        # Reports of several items at once are those of several players, told apart by this header.
        session = {"X-Plex-Session-Identifier": f"{self._client_id}-{rating_key}"}
        await self.http.write("GET", "/:/timeline", params, headers=session)

    async def close(self) -> None:
        """Close all connections."""
        for http in (self.http, self._bare, self._cloud):
            if http is not None:
                await http.close()


def clean_url(url: str) -> str:
    """The server's own address from what a person copied out of the browser (``.../web/index.html#!/...``)."""
    return url.strip().partition("/web/")[0].partition("#")[0].rstrip("/").removesuffix("/web")


def _decode(answer: Answer, shape: type[Wire], title: str) -> Wire:
    try:
        return decode_leniently(make_decoder(shape), answer.body)
    except msgspec.DecodeError as error:
        raise BadAnswer(
            f"{title} sent an answer that cannot be read ({str(error)[:120]}).",
            hint="Is it a Plex server, and not a proxy in front that changes answers?",
        ) from error
