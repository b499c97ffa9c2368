"""From bytes to values: pages, and single answers. One bad entry never loses its page.

Must not know routes. Raises BadAnswer where an answer as a whole is not what the API promises.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from playhead.adapters._mediabrowser.translate import read_entries, read_lean_entries, read_shows
from playhead.adapters._mediabrowser.wire import Item, LeanItem, LeanPage, Page, RawItems
from playhead.ports.backend import Listing, PageContent
from playhead.ports.errors import BadAnswer

T = TypeVar("T")
_I = TypeVar("_I", Item, LeanItem)

_PAGE = msgspec.json.Decoder(Page, strict=False)
_LEAN_PAGE = msgspec.json.Decoder(LeanPage, strict=False)
_RAW = msgspec.json.Decoder(RawItems, strict=False)
_ITEM = msgspec.json.Decoder(Item, strict=False)
_LEAN_ITEM = msgspec.json.Decoder(LeanItem, strict=False)


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
        page = _PAGE.decode(body)
    except msgspec.DecodeError:
        return _decode_singly(body, title, _ITEM)
    return page.Items, page.TotalRecordCount, ()


def _decode_lean(body: bytes, title: str) -> tuple[list[LeanItem], int | None, tuple[str, ...]]:
    try:
        page = _LEAN_PAGE.decode(body)
    except msgspec.DecodeError:
        return _decode_singly(body, title, _LEAN_ITEM)
    return page.Items, page.TotalRecordCount, ()


def _decode_singly(
    body: bytes, title: str, decoder: msgspec.json.Decoder[_I]
) -> tuple[list[_I], int | None, tuple[str, ...]]:
    raw = decode_answer(_RAW, body, title, "a list")
    items: list[_I] = []
    dropped = []
    for place, entry in enumerate(raw.Items):
        try:
            items.append(decoder.decode(entry))
        except msgspec.DecodeError as error:
            dropped.append(f"entry {place} of a page of {title} cannot be read: {error}")
    return items, raw.TotalRecordCount, tuple(dropped)


def decode_answer(decoder: msgspec.json.Decoder[T], body: bytes, title: str, what: str) -> T:
    """Decode one whole answer; ``what`` names it in the message of the BadAnswer that an unreadable one raises."""
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadAnswer(
            f"{title} answered {what} in a form that Playhead does not know ({error}).",
            hint="Is a proxy in between, or is the server starting or out of space? It is tried again on the next run.",
        ) from error
