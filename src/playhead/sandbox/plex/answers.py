"""How an emulated Plex answers: JSON or XML, pages, trimmed entries, HTML errors. Knows containers, no items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from playhead.sandbox.plex.accounts import Account
from playhead.sandbox.plex.xml import to_xml

ACCOUNT: web.RequestKey[Account] = web.RequestKey("account", Account)
"""Who asks."""
FORM: web.RequestKey[dict[str, str]] = web.RequestKey("form", dict[str, str])
"""Arguments that came in a body."""
_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
}
_PROTOCOL = {"X-Plex-Protocol": "1.0"}


class Refusal(Exception):
    """The request is answered with an error page of this status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Page:
    """The part of a list that was asked for. ``paged`` False: no paging asked, everything is given."""

    def __init__(self, request: web.Request) -> None:
        start, size = told(request, "X-Plex-Container-Start"), told(request, "X-Plex-Container-Size")
        self.paged = start is not None or size is not None
        self.start = _number(start) or 0
        self.size = _number(size)

    def cut(self, rows: list[Any]) -> list[Any]:
        if not self.paged:
            return rows
        return rows[self.start :] if self.size is None else rows[self.start : self.start + self.size]

    def describe(self, returned: int, total: int) -> dict[str, Any]:
        """``size`` always; ``totalSize`` and ``offset`` only where paging was asked."""
        if not self.paged:
            return {"size": returned}
        return {"size": returned, "totalSize": total, "offset": self.start}

    def headers(self, total: int) -> dict[str, str]:
        if not self.paged:
            return {}
        return {"X-Plex-Container-Start": str(self.start), "X-Plex-Container-Total-Size": str(total)}


def told(request: web.Request, name: str) -> str | None:
    """An ``X-Plex-`` value: a header, or the argument of the same name."""
    return request.headers.get(name) or arguments(request).get(name)


def arguments(request: web.Request) -> Mapping[str, str]:
    """What the query says, and a form that ``read_form`` has read; the query's word counts."""
    return {**request.get(FORM, {}), **request.query}


async def read_form(request: web.Request) -> None:
    """Take a form for arguments, as if they stood in the query (*assumed*)."""
    if request.content_type == "application/x-www-form-urlencoded":
        request[FORM] = {
            name: value for name, value in (await request.post()).items() if isinstance(value, str)
        }


def wants_json(request: web.Request) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def error_page(status: int) -> web.Response:
    """Errors are HTML whatever was asked."""
    title = _TITLES.get(status, "Internal Server Error" if status >= 500 else "Error")
    text = f"<html><head><title>{title}</title></head><body><h1>{status} {title}</h1></body></html>"
    return web.Response(text=text, status=status, content_type="text/html", headers=_PROTOCOL)


def empty() -> web.Response:
    """What writes answer: 200 and nothing."""
    return web.Response(body=b"", content_type="text/html", headers=_PROTOCOL)


def answer(
    request: web.Request, container: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> web.Response:
    """A container in the form that was asked for."""
    if wants_json(request):
        return _json(msgspec.json.encode({"MediaContainer": container}), headers)
    return _xml(dict(container), headers)


def answer_entries(
    request: web.Request,
    container: Mapping[str, Any],
    entries: list[bytes],
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """A container with ``Metadata`` of ready JSON; no entries, no ``Metadata``."""
    if not entries:
        return answer(request, container, headers)
    if not wants_json(request):
        return _xml({**container, "Metadata": [msgspec.json.decode(entry) for entry in entries]}, headers)
    body = msgspec.json.encode({"MediaContainer": container})
    return _json(b"".join((body[:-2], b',"Metadata":[', b",".join(entries), b"]}}")), headers)


class Trim:
    """``excludeFields``, ``excludeElements`` and, from API version 1.0 on, ``includeFields``, ``includeElements``.

    Equal trims have the same ``key``.
    """

    def __init__(self, request: web.Request | None = None) -> None:
        query: Mapping[str, str] = {} if request is None else request.query
        self._without = _names(query.get("excludeFields")) | _names(query.get("excludeElements"))
        only = request is not None and (told(request, "X-Plex-Pms-Api-Version") or "0") >= "1"
        self._fields = _names(query.get("includeFields")) if only else frozenset()
        self._elements = _names(query.get("includeElements")) if only else frozenset()
        self.key = (self._without, self._fields, self._elements)
        self.needed = any(self.key)

    def apply(self, entry: dict[str, Any]) -> dict[str, Any]:
        if not self.needed:
            return entry
        return {key: value for key, value in entry.items() if self.keeps(key, isinstance(value, list | dict))}

    def keeps(self, key: str, is_element: bool = False) -> bool:
        """Whether a field, or an element (a list or an object), stays."""
        only = self._elements if is_element else self._fields
        return key not in self._without and (not only or key in only)


def _names(text: str | None) -> frozenset[str]:
    return frozenset(part for part in (text or "").split(",") if part)


EVERYTHING = Trim()
"""Nothing is left out."""


def _json(body: bytes, headers: Mapping[str, str] | None) -> web.Response:
    return web.Response(body=body, content_type="application/json", headers={**_PROTOCOL, **(headers or {})})


def _xml(container: dict[str, Any], headers: Mapping[str, str] | None) -> web.Response:
    body = to_xml("MediaContainer", container)
    return web.Response(
        body=body, content_type="text/xml", charset="utf-8", headers={**_PROTOCOL, **(headers or {})}
    )


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None
