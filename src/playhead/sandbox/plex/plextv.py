"""The part of plex.tv that clients of a server need: sign-in by PIN, who am I, resources, home, shares.

One application for all Plex servers of a world; one name is one person. Everybody is in the first owner's home. Source:
facts, api-plex.md 7. What a person does on plex.tv's page is the act ``enter_code``, or ``_sandbox_link`` beside a PIN.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import msgspec
from aiohttp import web

from playhead.sandbox.plex.accounts import Account, make_plextv_token
from playhead.sandbox.plex.answers import told, wants_json
from playhead.sandbox.plex.core import PlexCore
from playhead.sandbox.plex.pins import Pins
from playhead.sandbox.plex.plextv_shapes import (
    describe_friend,
    describe_home_user,
    describe_resource,
    describe_share,
    describe_shared_server,
    describe_user,
)
from playhead.sandbox.plex.xml import to_xml

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PERSON: web.RequestKey[Account] = web.RequestKey("person", Account)


class PlexTv:
    """plex.tv for the given servers; ``urls`` tells where they listen."""

    def __init__(self, cores: Mapping[str, PlexCore], urls: Mapping[str, str]) -> None:
        self._cores = cores
        self._urls = urls
        self._pins = Pins(lambda: self._now)
        self._webhooks: dict[str, list[str]] = {}
        for core in cores.values():  # what a world gives to a server is its owner's, for all servers
            for name, given in core.webhooks.urls.items():
                known = self._webhooks.setdefault(name, [])
                known += [url for url in given if url not in known]
            core.webhooks.urls = self._webhooks
            core.pins = self._pins

    @property
    def _people(self) -> dict[str, Account]:
        """Everybody by name, as the first server knows them; the first owner comes first."""
        people: dict[str, Account] = {}
        for core in self._cores.values():
            for account in core.accounts:
                people.setdefault(account.name, account)
        return people

    def _by_token(self, token: str) -> Account | None:
        """Who has this token of plex.tv; an owner's token for the server is one as well."""
        people = self._people
        for person in people.values():
            if token == make_plextv_token(person.name):
                return person
        for core in self._cores.values():
            if token == core.accounts[0].token:
                return people[core.accounts[0].name]
        return None

    def make_app(self) -> web.Application:
        app = web.Application(middlewares=[self._make_gate()])
        app.add_routes(
            [
                web.get("/api/v2/ping", self.ping),
                web.get("/api/v2/user", self.user),
                web.get("/users/account", self.user),
                web.post("/api/v2/pins", self.make_pin),
                web.get("/api/v2/pins/{id}", self.pin),
                web.put("/api/v2/pins/link", self.enter_code),
                web.put("/api/v2/pins/{id}/_sandbox_link", self.link_pin),
                web.get("/api/v2/resources", self.resources),
                web.get("/api/resources", self.resources),
                web.get("/api/v2/home/users", self.home_users),
                web.get("/api/home/users", self.home_users),
                web.post("/api/v2/home/users/{id}/switch", self.switch),
                web.post("/api/home/users/{id}/switch", self.switch),
                web.get("/api/users", self.friends),
                web.get("/api/users/", self.friends),
                web.get("/api/servers/{machine}/shared_servers", self.shared_servers),
                web.get("/api/v2/user/webhooks", self.webhooks),
                web.post("/api/v2/user/webhooks", self.set_webhooks),
            ]
        )
        return app

    def _make_gate(self) -> Any:
        @web.middleware
        async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
            person = self._by_token(told(request, "X-Plex-Token") or "")
            if person is None and not request.path.startswith(("/api/v2/pins", "/api/v2/ping")):
                return _error(request, 401, 1001, "User could not be authenticated")
            if person is not None:
                request[PERSON] = person
            try:
                return await handler(request)
            except web.HTTPException as error:
                return _error(request, error.status, 1002, error.reason)

        return gate

    async def ping(self, request: web.Request) -> web.Response:
        return _answer(request, "pong", {})

    async def user(self, request: web.Request) -> web.Response:
        person = request[PERSON]
        body = describe_user(person, owner=person.name == self._owner.name, home_size=len(self._people))
        return _answer(
            request, "user", body, {"features": "feature", "entitlements": "entitlement", "roles": "role"}
        )

    @property
    def _owner(self) -> Account:
        return next(iter(self._people.values()))

    @property
    def _now(self) -> float:
        return next(iter(self._cores.values())).clock.clock.now()

    async def make_pin(self, request: web.Request) -> web.Response:
        pin = self._pins.make(
            strong=request.query.get("strong", "").lower() in ("true", "1"),
            product=told(request, "X-Plex-Product") or "",
            client=told(request, "X-Plex-Client-Identifier") or "",
        )
        return _answer(request, "pin", pin, status=201)

    async def pin(self, request: web.Request) -> web.Response:
        try:
            return _answer(request, "pin", self._pins.get(request.match_info["id"]))
        except KeyError:
            return _error(request, 404, 1020, "Code not found or expired")

    async def enter_code(self, request: web.Request) -> web.Response:
        """``PUT /api/v2/pins/link``: who asks signs a device in by its code."""
        form = await request.post()
        if PERSON not in request:
            return _error(request, 401, 1001, "User could not be authenticated")
        try:
            self._pins.enter(str(form.get("code") or request.query.get("code", "")), request[PERSON].name)
        except KeyError:
            return _error(request, 404, 1020, "Code not found or expired")
        return web.Response(status=204)

    async def link_pin(self, request: web.Request) -> web.Response:
        """What the person does on plex.tv's page: ``?user=`` signs in."""
        name = request.query.get("user", self._owner.name)
        if name not in self._people:
            raise web.HTTPNotFound
        try:
            pin = self._pins.get(request.match_info["id"])
            self._pins.enter(pin["code"], name)
        except KeyError:
            raise web.HTTPNotFound from None
        return await self.pin(request)

    def _shares(self, name: str) -> Iterator[tuple[PlexCore, Account]]:
        for core in self._cores.values():
            for account in core.accounts:
                if account.name == name:
                    yield core, account

    async def resources(self, request: web.Request) -> web.Response:
        """The servers of the person that asks, each with the token to use there."""
        found = [
            describe_resource(core, account, self._urls[core.name], self._now)
            for core, account in self._shares(request[PERSON].name)
        ]
        if wants_json(request):
            return _json(found)
        for resource in found:
            resource["connections"] = {"connection": resource.pop("connections")}
        return _xml("resources", {"resource": found})

    async def home_users(self, request: web.Request) -> web.Response:
        people = [
            describe_home_user(person, owner=person.name == self._owner.name, now=self._now)
            for person in self._people.values()
        ]
        if wants_json(request):
            home = {
                "id": 1,
                "name": "Home",
                "guestUserID": None,
                "guestUserUUID": None,
                "guestEnabled": False,
            }
            return _json({**home, "subscription": True, "users": people})
        return _xml(
            "MediaContainer",
            {"size": len(people), "identifier": "com.plexapp.plugins.myplex", "User": people},
        )

    async def switch(self, request: web.Request) -> web.Response:
        """The old route takes the id and answers ``authenticationToken``, v2 takes the uuid and answers ``authToken``. Whom a PIN
        protects is switched to with it (the error is *assumed*)."""
        wanted = request.match_info["id"]
        for person in self._people.values():
            if wanted in (person.uuid, str(person.plextv_id)):
                if person.pin and request.query.get("pin") != person.pin:
                    return _error(request, 401, 1041, "Invalid PIN")
                token = make_plextv_token(person.name)
                names = {"authToken": token, "authenticationToken": token}
                body = {"id": person.plextv_id, "uuid": person.uuid, "title": person.name, **names}
                return _answer(request, "user", body, status=201)
        raise web.HTTPNotFound

    def _owned(self, person: Account) -> list[PlexCore]:
        return [core for core in self._cores.values() if core.accounts[0].name == person.name]

    async def friends(self, request: web.Request) -> web.Response:
        """XML only: everybody with whom the person shares a server."""
        rows: dict[str, dict[str, Any]] = {}
        for place, core in enumerate(self._owned(request[PERSON])):
            for account in core.accounts[1:]:
                row = rows.setdefault(account.name, describe_friend(account))
                row["Server"].append(describe_share(core, account, place))
        head = {"friendlyName": "myPlex", "identifier": "com.plexapp.plugins.myplex", "size": len(rows)}
        return _xml("MediaContainer", {**head, "User": list(rows.values())})

    async def shared_servers(self, request: web.Request) -> web.Response:
        """XML only: the tokens of those with whom an owned server is shared."""
        for core in self._owned(request[PERSON]):
            if core.machine_id == request.match_info["machine"]:
                rows = [describe_shared_server(account) for account in core.accounts[1:]]
                return _xml("MediaContainer", {"size": len(rows), "SharedServer": rows})
        raise web.HTTPNotFound

    async def webhooks(self, request: web.Request) -> web.Response:
        """The URLs of the person that asks."""
        rows = [{"url": url} for url in self._webhooks.get(request[PERSON].name, ())]
        return _json(rows) if wants_json(request) else _xml("webhooks", {"webhook": rows})

    async def set_webhooks(self, request: web.Request) -> web.Response:
        """The form's ``urls[]`` take the place of all; ``urls`` empty clears. Without Plex Pass 403 (*assumed*)."""
        person = request[PERSON]
        if all(person.name != core.accounts[0].name for core in self._cores.values()):
            return _error(request, 403, 1003, "Plex Pass is required")
        form = await request.post()
        urls = [str(url) for url in form.getall("urls[]", [])]
        if not urls and "urls" not in form:
            return _error(request, 400, 1004, "urls is missing")
        self._webhooks[person.name] = list(dict.fromkeys(url for url in urls if url))
        return await self.webhooks(request)


def _answer(
    request: web.Request,
    root: str,
    body: dict[str, Any],
    inner: Mapping[str, str] | None = None,
    status: int = 200,
) -> web.Response:
    """``inner`` names the elements of lists of plain words in XML."""
    if wants_json(request):
        return _json(body, status)
    return _xml(root, {key: _nest(key, value, inner or {}) for key, value in body.items()}, status)


def _nest(key: str, value: Any, inner: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _nest(name, part, inner) for name, part in value.items()}
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return {inner.get(key, key): [{"id": part} for part in value]}
    return value


def _json(body: Any, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")


def _xml(root: str, body: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(
        body=to_xml(root, body), status=status, content_type="application/xml", charset="utf-8"
    )


def _error(request: web.Request, status: int, code: int, message: str) -> web.Response:
    error = {"code": code, "message": message, "status": status}
    if wants_json(request):
        return _json({"errors": [error]}, status)
    return _xml("errors", {"error": [error]}, status)
