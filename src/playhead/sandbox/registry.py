"""Finds the emulator of a kind by looking: ``playhead.sandbox.<kind>.emulator``. Knows no emulator by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from aiohttp import web

from playhead.sandbox.clock import SkewedClock
from playhead.sandbox.server import EmulatedServer
from playhead.sandbox.world import World, WorldServer

MakeServer = Callable[[World, WorldServer, SkewedClock], EmulatedServer]
MakeExtraApps = Callable[
    [World, Mapping[str, EmulatedServer], Mapping[str, str]], Mapping[str, web.Application]
]
"""(world, the servers of this kind by name, their URLs by name: filled once they listen) -> further apps by name."""


def find_make_server(kind: str) -> MakeServer:
    """``make_server`` of the kind's emulator. Raises ValueError where there is none."""
    make: MakeServer | None = getattr(_emulator(kind), "make_server", None)
    if make is None:
        raise ValueError(f"playhead.sandbox.{kind}.emulator has no make_server")
    return make


def find_extra_apps(kind: str) -> MakeExtraApps | None:
    """``make_extra_apps`` of the kind's emulator, for what stands beside its servers (Plex: plex.tv); None = nothing."""
    return getattr(_emulator(kind), "make_extra_apps", None)


def _emulator(kind: str) -> ModuleType:
    name = f"playhead.sandbox.{kind}.emulator"
    if not kind.isidentifier() or find_spec(f"playhead.sandbox.{kind}") is None or find_spec(name) is None:
        raise ValueError(f"there is no emulator for {kind!r}: it would be the module {name}")
    return import_module(name)
