"""Ports to which one comes back later: outside of the range from which the system takes those of connections that go out."""

from __future__ import annotations

import random
import socket
from contextlib import suppress

_RANGE = range(20_000, 32_000)
_chooser = random.SystemRandom()


def find_port() -> int:
    """A port of this machine that is free now."""
    while True:
        port = _chooser.choice(_RANGE)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
