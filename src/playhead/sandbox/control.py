"""The control side: look at state, act as a person would, move the clock, count requests, order faults.

Knows the promise of ``server.EmulatedServer`` and nothing of any API. Mistakes are answered as JSON 4xx that say what is
wrong and what is allowed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from playhead.sandbox.faults import FaultOrder
from playhead.sandbox.times import to_epoch

if TYPE_CHECKING:
    from playhead.sandbox.run import SandboxHandle

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ClockOrder(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST /_sandbox/clock`` takes. ``freeze``: true, or the time to stop at. ``skew_s`` needs ``server``."""

    at: float | str | None = None
    advance_s: float | None = None
    freeze: bool | float | str | None = None
    run: bool | None = None
    server: str | None = None
    skew_s: float | None = None


class KillOrder(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST /_sandbox/kill`` takes: who ends without a word, and after how many real seconds it is up again."""

    server: str
    down_s: float = 1.0


def make_control_app(box: SandboxHandle) -> web.Application:
    """The application behind ``/_sandbox/``."""
    control = _Control(box)
    app = web.Application(middlewares=[_explain_errors], client_max_size=64 * 1024 * 1024)
    app.add_routes(
        [
            web.get("/_sandbox/world", control.get_world),
            web.get("/_sandbox/state", control.get_state),
            web.post("/_sandbox/act", control.post_act),
            web.get("/_sandbox/clock", control.get_clock),
            web.post("/_sandbox/clock", control.post_clock),
            web.get("/_sandbox/requests", control.get_requests),
            web.delete("/_sandbox/requests", control.delete_requests),
            web.get("/_sandbox/told", control.get_told),
            web.post("/_sandbox/kill", control.post_kill),
            web.get("/_sandbox/faults", control.get_faults),
            web.post("/_sandbox/faults", control.post_fault),
            web.delete("/_sandbox/faults", control.delete_faults),
        ]
    )
    return app


@web.middleware
async def _explain_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except KeyError as error:
        return _json({"error": str(error.args[0] if error.args else error)}, 404)
    except (ValueError, msgspec.DecodeError) as error:
        return _json({"error": str(error)}, 400)
    except web.HTTPException as error:
        routes = sorted({str(r.canonical) for r in request.app.router.resources()})
        return _json(
            {"error": f"{request.method} {request.path}: {error.reason}", "routes": routes}, error.status
        )


def _json(body: Any, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")


class _Control:
    def __init__(self, box: SandboxHandle) -> None:
        self._box = box

    async def get_world(self, request: web.Request) -> web.Response:
        """The start line again, with how many items the world has."""
        return _json({**self._box.start_line(), "items": len(self._box.world.items)})

    async def get_state(self, request: web.Request) -> web.Response:
        server = self._box.server(_required(request, "server"))
        rows = server.state_rows(_required(request, "user"))
        item = request.query.get("item")
        return _json([row for row in rows if item is None or row.item == item])

    async def post_act(self, request: web.Request) -> web.Response:
        """One act, or a list of acts carried out in order up to the first mistake."""
        body = await _body(request)
        acts = body if isinstance(body, list) else [body]
        for number, args in enumerate(acts):
            try:
                self._act(args)
            except (KeyError, ValueError) as error:
                if len(acts) == 1:
                    raise
                text = error.args[0] if error.args else error
                raise type(error)(
                    f"act {number} of {len(acts)}: {text}; those before it were done"
                ) from error
        return _json({"done": len(acts)})

    def _act(self, args: Any) -> None:
        if not isinstance(args, dict):
            raise ValueError('an act is an object: {"server", "user", "item", "act", "at", "position_s"}')
        rest = dict(args)
        server = self._box.server(str(rest.pop("server", "")))
        act = rest.pop("act", None)
        if not isinstance(act, str):
            raise ValueError(
                '"act" is missing: play, stop, mark, unmark, rate, add, remove, rename_library ...'
            )
        if act == "rename_library" and (title := rest.get("title") or rest.get("to") or rest.get("name")):
            rest |= {"title": title, "to": title, "name": title}
        user, item = str(rest.pop("user", "") or ""), str(rest.pop("item", "") or "")
        server.act(user, item, act, at=to_epoch(rest.pop("at", None)), args=rest)

    async def get_clock(self, request: web.Request) -> web.Response:
        return _json(self._clock_report())

    async def post_clock(self, request: web.Request) -> web.Response:
        order = msgspec.json.decode(await request.read(), type=ClockOrder)
        clock = self._box.clock
        if order.at is not None:
            clock.set(to_epoch(order.at) or 0.0)
        if order.advance_s is not None:
            clock.advance(order.advance_s)
        if order.freeze is not None and order.freeze is not False:
            clock.freeze(None if order.freeze is True else to_epoch(order.freeze))
        if order.run or order.freeze is False:
            clock.set(clock.now())
        if order.skew_s is not None:
            self._box.server(order.server or "")
            self._box.clocks[order.server or ""].skew_s = order.skew_s
        elif order.server is not None:
            raise ValueError('"server" goes with "skew_s"; the clock itself is shared by all servers')
        return _json(self._clock_report())

    def _clock_report(self) -> dict[str, Any]:
        skews = {name: clock.skew_s for name, clock in self._box.clocks.items()}
        return {"now": self._box.clock.now(), "frozen": self._box.clock.frozen, "skew_s": skews}

    async def get_requests(self, request: web.Request) -> web.Response:
        return _json({"servers": {name: self._box.counters[name].report() for name in self._named(request)}})

    async def delete_requests(self, request: web.Request) -> web.Response:
        for name in self._named(request):
            self._box.counters[name].reset()
        return _json({"reset": self._named(request)})

    def _named(self, request: web.Request) -> list[str]:
        name = request.query.get("server")
        return list(self._box.counters) if name is None else [self._known(name)]

    def _known(self, name: str) -> str:
        """A server, or what stands beside the servers (plextv)."""
        return name if name in self._box.extra_urls else self._box.server(name).name

    async def get_told(self, request: web.Request) -> web.Response:
        """What each server told by itself: open lines, messages on them, webhooks."""
        name = request.query.get("server")
        servers = list(self._box.servers) if name is None else [self._box.server(name).name]
        return _json({"servers": {each: self._box.server(each).told() for each in servers}})

    async def post_kill(self, request: web.Request) -> web.Response:
        order = msgspec.json.decode(await request.read(), type=KillOrder)
        await self._box.kill(order.server, order.down_s)
        return _json({"killed": order.server, "down_s": order.down_s})

    async def get_faults(self, request: web.Request) -> web.Response:
        return _json({"faults": [fault.report() for fault in self._box.faults.faults]})

    async def post_fault(self, request: web.Request) -> web.Response:
        order = msgspec.json.decode(await request.read(), type=FaultOrder)
        if order.server is not None and order.server != "*":
            self._known(order.server)
        return _json(self._box.faults.add(order).report(), 201)

    async def delete_faults(self, request: web.Request) -> web.Response:
        number = request.query.get("id")
        return _json({"cleared": self._box.faults.clear(int(number) if number else None)})


def _required(request: web.Request, name: str) -> str:
    value = request.query.get(name)
    if value is None:
        raise ValueError(f"the query parameter {name!r} is missing")
    return value


async def _body(request: web.Request) -> Any:
    return msgspec.json.decode(await request.read())
