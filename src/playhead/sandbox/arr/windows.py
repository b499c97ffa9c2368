"""Paths of a server on Windows: inside they have slashes, outside backslashes. Knows names of members, nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playhead.sandbox.folders import shown

_RELATIVE = frozenset(
    {"relativePath", "previousRelativePath", "sourceRelativePath", "existingPath", "newPath"}
)
ShowPaths = Callable[[Any], Any]


def show_paths(value: Any, name: str = "") -> Any:
    """A body with all paths as Windows writes them; those of other systems stay."""
    if isinstance(value, dict):
        return {name: show_paths(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [show_paths(each, name) for each in value]
    if not isinstance(value, str):
        return value
    return value.replace("/", "\\") if name in _RELATIVE else shown(value)


def keep_paths(value: Any) -> Any:
    """A body as it is."""
    return value
