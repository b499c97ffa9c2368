"""Answers and errors in the exact forms of the server: JSON, problem JSON, plain text, empty. Facts: api-jellyfin-emby A1."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
from aiohttp import web

JSON = "application/json; charset=utf-8"
_SECTIONS = {400: "15.5.1", 404: "15.5.5", 415: "15.5.16"}
_TITLES = {400: "Bad Request", 404: "Not Found", 415: "Unsupported Media Type"}
_encode = msgspec.json.Encoder().encode


class Failure(Exception):
    """Ends a request with the answer that it carries."""

    def __init__(self, response: web.Response) -> None:
        super().__init__(response.status)
        self.response = response


def json_answer(data: Any, status: int = 200) -> web.Response:
    """JSON in PascalCase."""
    return json_bytes(_encode(data), status)


def json_bytes(body: bytes, status: int = 200) -> web.Response:
    """JSON that is encoded already."""
    return web.Response(status=status, body=body, headers={"Content-Type": JSON})


def nothing(status: int = 204) -> web.Response:
    """An answer without body and content type."""
    response = web.Response(status=status)
    response.headers.popall("Content-Type", None)
    return response


def text_failure(status: int) -> Failure:
    """An exception inside the server: its status with one fixed sentence."""
    body = b"Error processing request."
    return Failure(web.Response(status=status, body=body, headers={"Content-Type": "text/plain"}))


def json_failure(message: str, status: int) -> Failure:
    """Some routes explain themselves with a JSON string."""
    return Failure(json_answer(message, status))


def empty_failure(status: int) -> Failure:
    """401, 403, 405 and unknown routes have no body."""
    return Failure(nothing(status))


def problem(status: int, errors: dict[str, list[str]] | None = None) -> Failure:
    """Problem JSON; with ``errors`` the request's values did not fit."""
    body: dict[str, Any] = {
        "type": f"https://tools.ietf.org/html/rfc9110#section-{_SECTIONS[status]}",
        "title": "One or more validation errors occurred." if errors else _TITLES[status],
        "status": status,
    }
    if errors:
        body["errors"] = errors
    trace = uuid.uuid4().hex
    body["traceId"] = f"00-{trace}-{uuid.uuid4().hex[:16]}-00"
    return Failure(json_answer(body, status))


def invalid(name: str, value: str) -> Failure:
    """A value of a parameter that cannot be read."""
    return problem(400, {name: [f"The value '{value}' is not valid."]})


def page(entries: list[bytes], total: int, start: int) -> web.Response:
    """A list of encoded entries with its count."""
    body = b'{"Items":[' + b",".join(entries) + b'],"TotalRecordCount":%d,"StartIndex":%d}' % (total, start)
    return json_bytes(body)


def to_camel_case(data: Any) -> Any:
    """The same data with the first letter of every key in lower case."""
    if isinstance(data, dict):
        return {key[:1].lower() + key[1:]: to_camel_case(value) for key, value in data.items()}
    if isinstance(data, list):
        return [to_camel_case(value) for value in data]
    return data
