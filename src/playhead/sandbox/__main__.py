"""``python -m playhead.sandbox``: the sandbox by itself, with the options of ``playhead sandbox``."""

from __future__ import annotations

import typer

from playhead.sandbox.command import sandbox

typer.run(sandbox)
