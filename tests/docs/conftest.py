"""The fixtures of the command line's tests, for pages whose examples are run."""

from __future__ import annotations

from tests.faces.conftest import cli, home, world

__all__ = ["cli", "home", "world"]
