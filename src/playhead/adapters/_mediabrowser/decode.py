"""From bytes to values: pages, and single answers. One bad entry never loses its page.

Must not know routes. Raises BadAnswer where an answer as a whole is not what the API promises.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from playhead.adapters._mediabrowser.translate import read_entries, read_lean_entries, read_shows
from playhead.adapters._mediabrowser.wire import Item, LeanItem, LeanPage, Page, RawItems
from playhead.kit.decoding import NONE_NEEDED, decode_json, decode_leniently, decode_members
from playhead.ports.backend import Listing, PageContent, RawPage
from playhead.ports.errors import BadAnswer

T = TypeVar("T")
_I = TypeVar("_I", Item, LeanItem)

_PAGE = msgspec.json.Decoder(Page, strict=False)
_LEAN_PAGE = msgspec.json.Decoder(LeanPage, strict=False)
_RAW = msgspec.json.Decoder(RawItems, strict=False)
# What an item is, which one, and its state: where one of these cannot be read nothing can be said of the item.
NEEDED = frozenset(
    {
        "Id",
        "UserData",
        "Type",
        "SeriesId",
        "ParentIndexNumber",
        "IndexNumber",
        "IndexNumberEnd",
        "ProviderIds",
        "LocationType",
    }
)


def decode_raw_page(page: RawPage, *, title: str, has_total: bool) -> PageContent:
    """As ``decode_page``, for a page as it was asked for. A full page with no more in all tells no total, the next page does:
    where libraries are shown as one, a server may count no further than it was asked to list (Jellyfin issues 8069, 10384)."""
    content = decode_page(page.body, page.listing, title=title, has_total=has_total)
    full = content.returned >= page.asked
    if full and content.total is not None and content.total <= page.start + content.returned:
        return msgspec.structs.replace(content, total=None)
    return content


def decode_page(body: bytes, listing: Listing, *, title: str, has_total: bool) -> PageContent:
    """Decode and translate a page of ``listing``. ``has_total``: the total on it counts the whole list."""
    if listing.lean and listing.what == "leaf":
        lean, total, dropped = _decode_lean(body, title)
        return PageContent(
            entries=read_lean_entries(lean),
            shows=(),
            returned=len(lean) + len(dropped),
            total=total if has_total else None,
            dropped=dropped,
        )
    items, total, dropped = decode_items(body, title)
    leaf = listing.what == "leaf"
    return PageContent(
        entries=read_entries(items) if leaf else (),
        shows=() if leaf else read_shows(items),
        returned=len(items) + len(dropped),
        total=total if has_total else None,
        dropped=dropped,
    )


def decode_items(body: bytes, title: str) -> tuple[list[Item], int | None, tuple[str, ...]]:
    """The readable entries of a page, the total as it stands there, and a sentence for each unreadable entry."""
    try:
        page = decode_json(_PAGE, body)
    except msgspec.DecodeError:
        return _decode_singly(body, title, Item)
    return page.Items, page.TotalRecordCount, ()


def _decode_lean(body: bytes, title: str) -> tuple[list[LeanItem], int | None, tuple[str, ...]]:
    try:
        page = decode_json(_LEAN_PAGE, body)
    except msgspec.DecodeError:
        return _decode_singly(body, title, LeanItem)
    return page.Items, page.TotalRecordCount, ()


def _decode_singly(body: bytes, title: str, shape: type[_I]) -> tuple[list[_I], int | None, tuple[str, ...]]:
    raw = decode_answer(_RAW, body, title, "a list")
    items: list[_I] = []
    dropped = []
    for place, entry in enumerate(raw.Items):
        try:
            items.append(decode_members(shape, bytes(entry), NEEDED))
        except msgspec.DecodeError as error:
            dropped.append(f"entry {place} of a page of {title} cannot be read: {error}")
    return items, raw.TotalRecordCount, tuple(dropped)


def decode_answer(
    decoder: msgspec.json.Decoder[T],
    body: bytes,
    title: str,
    what: str,
    needed: frozenset[str] = NONE_NEEDED,
) -> T:
    """Decode one whole answer; ``what`` names it in the message of the BadAnswer that an unreadable one raises. What may be left
    out and cannot be read is taken for left out, but for the ``needed`` members."""
    try:
        return decode_leniently(decoder, body, needed)
    except msgspec.DecodeError as error:
        raise BadAnswer(
            f"{title} answered {what} in a form that Playhead does not know ({error}).",
            hint="Is a proxy in between, or is the server starting or out of space? It is tried again on the next run.",
        ) from error
