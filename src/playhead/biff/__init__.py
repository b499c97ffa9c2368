"""The mail trigger: finds finished downloads in a mail and posts them to the hub, with or without Playhead on that machine.

Holds the one-file script that its modules make. Imports nothing else of Playhead.
"""

from __future__ import annotations

import ast
from pathlib import Path

MODULES = ("mails.py", "posting.py", "script.py")


def read_script() -> str:
    """One file for Python 3.9 or newer that does what ``playhead biff`` does."""
    sources = [Path(__file__).with_name(name).read_text(encoding="utf-8") for name in MODULES]
    parts = [sources[0], *(_drop_own_imports(source) for source in sources[1:])]
    return "#!/usr/bin/env python3\n" + "\n\n".join(part.strip() + "\n" for part in parts)


def _drop_own_imports(source: str) -> str:
    lines = source.splitlines()
    for node in ast.parse(source).body:
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith(("__future__", "playhead.")):
            lines[node.lineno - 1 : node.end_lineno] = [""] * ((node.end_lineno or 0) - node.lineno + 1)
    return "\n".join(lines)
