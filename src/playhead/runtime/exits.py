"""How the process ends: one number per outcome, the same for every command."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes. When several fit, the first of failed, held, partly counts."""

    done = 0
    failed = 1
    usage = 2
    held = 3
    partly = 4
    interrupted = 130
    broken_pipe = 141
