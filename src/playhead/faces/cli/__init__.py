"""The command line: one file per command, one way to print and to fail."""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``playhead`` with the arguments (those of the process where None) and give the exit code."""
    from playhead.faces.cli.app import run

    return run(arguments)
