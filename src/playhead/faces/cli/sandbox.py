"""``playhead sandbox``: the emulated servers. The options stand with the sandbox itself."""

from __future__ import annotations

from playhead.sandbox.command import sandbox

__all__ = ["sandbox"]
