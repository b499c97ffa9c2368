"""A tiny emulated server, so that the core is tested without any real API's shape but two lists."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from playhead.sandbox.clock import SkewedClock
from playhead.sandbox.server import SandboxUser, StateRow, Told
from playhead.sandbox.world import World, WorldServer


class TinyServer:
    """Lists numbers, counts writes."""

    def __init__(self, world: World, spec: WorldServer, clock: SkewedClock) -> None:
        self.name, self.kind, self.version, self.admin_token = spec.name, spec.kind, "1.0", "admin-token"
        self.clock = clock
        self.writes = 0
        self.acts: list[tuple[str, str, str, float | None, dict[str, Any]]] = []

    def make_app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/things/{id}", self._list),
                web.get("/bare", self._bare),
                web.post("/write", self._write),
                web.get("/text", _text),
            ]
        )
        return app

    def crash(self) -> None:
        """It keeps nothing but what is stored."""

    async def _list(self, _: web.Request) -> web.Response:
        things = [
            {"Id": str(n), "Name": f"n{n}", "DateCreated": "2020-01-01T00:00:00.0000000Z"} for n in range(4)
        ]
        body = {"Items": [*things, {"Id": "w", "Name": str(self.writes)}], "TotalRecordCount": 5}
        return web.Response(body=msgspec.json.encode(body), content_type="application/json")

    async def _bare(self, _: web.Request) -> web.Response:
        container = {"size": 1, "totalSize": 1, "Metadata": [{"ratingKey": "1", "lastViewedAt": 5}]}
        return web.json_response({"MediaContainer": container})

    async def _write(self, _: web.Request) -> web.Response:
        self.writes += 1
        return web.Response(status=204)

    def users(self) -> list[SandboxUser]:
        return [SandboxUser(id="u1", name="alice", token="t1")]

    def state_rows(self, user: str) -> list[StateRow]:
        if user not in ("u1", "alice"):
            raise KeyError(f"no user {user!r}; there are: alice")
        row = StateRow(
            item="m1", watched=True, plays=1, last_played=5, position_s=0.0, rating=None, favourite=False
        )
        return [row]

    def told(self) -> Told:
        return Told()

    def act(self, user: str, item: str, act: str, *, at: float | None, args: dict[str, Any]) -> None:
        if act != "play":
            raise ValueError(f"unknown act {act!r}; there are: play")
        self.acts.append((user, item, act, at, args))


async def _text(_: web.Request) -> web.Response:
    return web.Response(text="words")
