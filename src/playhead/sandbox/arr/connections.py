"""Webhooks as both programs set them up (Connections): fields, switches, a real test post at each save, and the posts.

A post leaves once and is never repeated. Source: tapes 02 and 12 of Sonarr, 01 of Radarr; facts 0.
"""

from __future__ import annotations

import base64
from typing import Any

import aiohttp
import msgspec

from playhead.sandbox.arr.dialect import Dialect
from playhead.sandbox.arr.web import Call, Fail, Reply, Route, failed, refused
from playhead.sandbox.arr.windows import ShowPaths
from playhead.sandbox.posts import Posts, is_loopback

_MASK = "********"
_TEST_S = 10.0


class Connection(msgspec.Struct):
    """One webhook."""

    id: int
    name: str
    values: dict[str, Any]  # url, method, username, password, headers
    flags: dict[str, bool]
    health_warnings: bool = False
    tags: list[int] = []


class Connections:
    """All webhooks of a server, and its posts on their way out."""

    def __init__(self, dialect: Dialect, version: str, urls: list[str], show: ShowPaths) -> None:
        self._show = show
        self._dialect = dialect
        self._agent = f"{dialect.app}/{version} (debian 12)"
        self.posts = Posts()
        self.all: dict[int, Connection] = {}
        self._next = 1
        for url in urls:
            self._take(Connection(0, f"hub {self._next}", {"url": url}, dict.fromkeys(dialect.flags, True)))

    def tell(self, flag: str, body: dict[str, Any]) -> None:
        """Post to everybody who has the switch on."""
        for connection in self.all.values():
            if connection.flags.get(flag):
                url, headers, method = self._describe(connection)
                self.posts.send(url, self._encode(body), headers, method=method)

    def routes(self, api: str) -> list[Route]:
        """What is served of them."""
        return [
            Route("GET", f"{api}/notification", lambda _: Reply([self._write(c) for c in self.all.values()])),
            Route("GET", f"{api}/notification/schema", lambda _: Reply([self._schema()])),
            Route(
                "GET", f"{api}/notification/{{id}}", lambda call: Reply(self._write(self._find(call.number)))
            ),
            Route("POST", f"{api}/notification", self._create),
            Route("POST", f"{api}/notification/test", self._test),
            Route("POST", f"{api}/notification/testall", self._test_all),
            Route("PUT", f"{api}/notification/{{id}}", self._change),
            Route("DELETE", f"{api}/notification/{{id}}", self._delete),
        ]

    async def _create(self, call: Call) -> Reply:
        connection = self._read(call.fields())
        if any(each.name == connection.name for each in self.all.values()):
            raise Fail(400, [refused("name", "Should be unique", "PredicateValidator", connection.name)])
        await self._try(connection)  # forceSave makes no difference here (tape 02, step 15)
        self._take(connection)
        return Reply(self._write(connection), 201)

    async def _change(self, call: Call) -> Reply:
        old = self._find(call.number)
        connection = self._read(call.fields())
        if any(each.name == connection.name and each is not old for each in self.all.values()):
            raise Fail(400, [refused("name", "Should be unique", "PredicateValidator", connection.name)])
        if connection.values.get("password") == _MASK:
            connection.values["password"] = old.values.get("password", "")
        if not call.flag("forceSave"):
            await self._try(connection)
        connection.id = old.id
        self.all[old.id] = connection
        return Reply(self._write(connection), 202)

    async def _test(self, call: Call) -> Reply:
        await self._try(self._read(call.fields()))
        return Reply({}, kind="text/plain; charset=utf-8")

    async def _test_all(self, _: Call) -> Reply:
        rows = []
        for connection in self.all.values():
            try:
                await self._try(connection)
                rows.append({"id": connection.id, "isValid": True, "validationFailures": []})
            except Fail as fail:
                failures = fail.body if isinstance(fail.body, list) else []
                rows.append({"id": connection.id, "isValid": False, "validationFailures": failures})
        return Reply(rows, 200 if all(row["isValid"] for row in rows) else 400)

    def _delete(self, call: Call) -> Reply:
        self.all.pop(call.number, None)
        return Reply({})

    async def _try(self, connection: Connection) -> None:
        """Post a test. Raises Fail 400 for what was answered, 500 where nobody listens."""
        url, headers, method = self._describe(connection)
        if not url.startswith(("http://", "https://")):
            raise Fail(400, [_failure(f"Invalid Url: '{url}'", url)])
        if not is_loopback(url):
            raise Fail(
                400, [_failure("Unable to send test message: the sandbox posts to this machine alone")]
            )
        body = self._encode(self._dialect.post_test())
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TEST_S)) as session,
                session.request(method, url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                status, reason = answer.status, (answer.reason or "").replace(" ", "")
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise failed(500, f"One or more errors occurred. ({error})") from error
        if status >= 400:
            told = f"HTTP request failed: [{status}:{reason}] [{method}] at [{url}]"
            raise Fail(400, [_failure(f"Unable to send test message: Unable to post to webhook: {told}")])

    def _describe(self, connection: Connection) -> tuple[str, dict[str, str], str]:
        values = connection.values
        headers = {
            "User-Agent": self._agent,
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        if values.get("username") or values.get("password"):
            secret = f"{values.get('username') or ''}:{values.get('password') or ''}"
            headers["Authorization"] = f"Basic {base64.b64encode(secret.encode()).decode()}"
        headers |= {each["key"]: each["value"] for each in values.get("headers") or ()}
        return str(values.get("url") or ""), headers, "PUT" if values.get("method") == 2 else "POST"

    def _encode(self, body: dict[str, Any]) -> bytes:
        url = {} if body["eventType"] in ("Health", "HealthRestored") else {"applicationUrl": ""}
        return msgspec.json.encode(self._show(body | {"instanceName": self._dialect.app} | url))

    def _take(self, connection: Connection) -> None:
        connection.id = self._next
        self._next += 1
        self.all[connection.id] = connection

    def _find(self, number: int) -> Connection:
        if number not in self.all:
            raise Fail(404)
        return self.all[number]

    def _read(self, fields: dict[str, Any]) -> Connection:
        return Connection(
            id=0,
            name=str(fields.get("name") or ""),
            values={each["name"]: each.get("value") for each in fields.get("fields") or ()},
            flags={flag: bool(fields.get(flag)) for flag in self._dialect.flags},
            health_warnings=bool(fields.get("includeHealthWarnings")),
            tags=list(fields.get("tags") or ()),
        )

    def _schema(self) -> dict[str, Any]:
        empty = Connection(0, "", {"method": 1}, dict.fromkeys(self._dialect.flags, False))
        shown = self._write(empty)
        del shown["id"]
        return shown

    def _write(self, connection: Connection) -> dict[str, Any]:
        values = connection.values
        divider = {"dividerAfter": False} if self._dialect.holder == "movie" else {}
        options = [{"value": n, "name": word, "order": n, **divider} for n, word in ((1, "POST"), (2, "PUT"))]
        method = _field(1, "method", "Method", values.get("method") or 1, "select")
        method |= {"helpText": "Which HTTP method to use submit to the Webservice", "selectOptions": options}
        password = _MASK if values.get("password") else values.get("password")
        app = self._dialect.app.lower()
        return {
            **connection.flags,
            "includeHealthWarnings": connection.health_warnings,
            **{f"supportsO{flag[1:]}": True for flag in self._dialect.flags},
            "name": connection.name,
            "fields": [
                _field(0, "url", "Webhook URL", values.get("url"), "url"),
                method,
                _field(2, "username", "Username", values.get("username"), "textbox", privacy="userName"),
                _field(3, "password", "Password", password, "password", privacy="password"),
                _field(4, "headers", "Headers", values.get("headers") or [], "keyValueList", advanced=True),
            ],
            "implementationName": "Webhook",
            "implementation": "Webhook",
            "configContract": "WebhookSettings",
            "infoLink": f"https://wiki.servarr.com/{app}/supported#webhook",
            "tags": connection.tags,
            "id": connection.id,
        }


def _field(
    order: int,
    name: str,
    label: str,
    value: Any,
    kind: str,
    *,
    privacy: str = "normal",
    advanced: bool = False,
) -> dict[str, Any]:
    field = {"order": order, "name": name, "label": label, "value": value, "type": kind}
    return field | {"advanced": advanced, "privacy": privacy, "isFloat": False}


def _failure(message: str, value: str | None = None) -> dict[str, Any]:
    row: dict[str, Any] = {"isWarning": False, "propertyName": "Url", "errorMessage": message}
    return row | ({"attemptedValue": value} if value is not None else {}) | {"severity": "error"}
