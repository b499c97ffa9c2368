"""The command line: one file per command, one way to print and to fail."""

from __future__ import annotations

import gc
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``playhead`` with the arguments (those of the process where None) and give the exit code."""
    gc.disable()  # modules are loaded and stay: nothing to collect until the command starts
    from playhead.faces.cli.app import run

    return run(arguments)
