"""List answers made wrong on purpose: fewer, repeated, none, wrong dates, nulls.

Knows the three shapes of a list (``MediaContainer.Metadata``, ``Items``, a bare list) and which keys look like dates;
nothing of what an entry means. An emulator with another shape offers ``mutate_list`` itself.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

LIST_FAULTS = frozenset({"short_page", "duplicate_items", "empty_list", "wrong_dates", "null_fields"})
_DATE_KEY = re.compile(r"(?:At|Date|DateCreated|Until)\Z|\ADate[A-Z]")
_KEPT = frozenset({"type", "Type", "ratingKey", "Id", "id", "ServerId", "key"})
_TEN_YEARS_S = 10 * 365 * 86400
_CONTAINER_LISTS = ("Metadata", "Directory", "Hub", "Account")


def mutate_list(body: Any, kind: str, params: dict[str, Any]) -> Any:
    """The body with the fault in it (changed in place), or None where it holds no list to spoil."""
    place = _find_list(body)
    if place is None:
        return None
    return _CHANGES[kind](body, *place, params)


def _find_list(body: Any) -> tuple[str | None, str | None] | None:
    """(container key, list key) of the list in the body; (None, None) for a bare list."""
    if isinstance(body, list):
        return (None, None)
    if not isinstance(body, dict):
        return None
    if isinstance(body.get("Items"), list):
        return (None, "Items")
    container = body.get("MediaContainer")
    if isinstance(container, dict):
        for key in _CONTAINER_LISTS:
            if isinstance(container.get(key), list):
                return ("MediaContainer", key)
    return None


def _entries(body: Any, container: str | None, key: str | None) -> list[Any]:
    held = body[container] if container else body
    found: list[Any] = held[key] if key else held
    return found


def _recount(body: Any, container: str | None, key: str | None) -> None:
    if container:
        body[container]["size"] = len(body[container][key])


def _shorten(body: Any, container: str | None, key: str | None, params: dict[str, Any]) -> Any:
    entries = _entries(body, container, key)
    del entries[max(0, len(entries) - int(params.get("n", 1))) :]
    _recount(body, container, key)
    return body


def _duplicate(body: Any, container: str | None, key: str | None, params: dict[str, Any]) -> Any:
    entries = _entries(body, container, key)
    again = entries[: int(params.get("n", 1))]
    if params.get("replace"):
        del entries[max(0, len(entries) - len(again)) :]
    entries.extend(again)
    _recount(body, container, key)
    return body


def _empty(body: Any, container: str | None, key: str | None, params: dict[str, Any]) -> Any:
    _entries(body, container, key).clear()
    _recount(body, container, key)
    if container and "totalSize" in body[container]:
        body[container]["totalSize"] = 0
    if key == "Items" and "TotalRecordCount" in body:
        body["TotalRecordCount"] = 0
    return body


def _misdate(body: Any, container: str | None, key: str | None, params: dict[str, Any]) -> Any:
    at = 0.0 if str(params.get("mode", "future")) == "1970" else time.time() + _TEN_YEARS_S
    only = params.get("fields")
    for entry in _entries(body, container, key):
        _misdate_entry(entry, at, only)
    return body


def _misdate_entry(entry: Any, at: float, only: list[str] | None) -> None:
    if not isinstance(entry, dict):
        return
    for name, value in entry.items():
        if isinstance(value, dict):
            _misdate_entry(value, at, only)
        elif name in only if only else _DATE_KEY.search(name):
            entry[name] = _same_form(value, at)


def _same_form(value: Any, at: float) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return int(at)
    if isinstance(value, str):
        moment = datetime.fromtimestamp(at, UTC)
        return moment.strftime("%Y-%m-%d" if len(value) == 10 else "%Y-%m-%dT%H:%M:%S.0000000Z")
    return value


def _nullify(body: Any, container: str | None, key: str | None, params: dict[str, Any]) -> Any:
    only = params.get("fields")
    for entry in _entries(body, container, key):
        if isinstance(entry, dict):
            for name in entry:
                if name in only if only else name not in _KEPT:
                    entry[name] = None
    return body


_CHANGES: dict[str, Callable[[Any, str | None, str | None, dict[str, Any]], Any]] = {
    "short_page": _shorten,
    "duplicate_items": _duplicate,
    "empty_list": _empty,
    "wrong_dates": _misdate,
    "null_fields": _nullify,
}
