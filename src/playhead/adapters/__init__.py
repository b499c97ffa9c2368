"""Backends, one folder each. A folder whose ``__init__`` has a ``manifest`` is a backend: found by looking, never listed."""

from __future__ import annotations

import importlib
import pkgutil

from playhead.ports.backend import Manifest


def find_manifests() -> dict[str, Manifest]:
    """All backends by name, in the order of their names."""
    found: dict[str, Manifest] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
        if not module.ispkg or module.name.startswith("_"):
            continue
        manifest = getattr(importlib.import_module(f"{__name__}.{module.name}"), "manifest", None)
        if isinstance(manifest, Manifest):
            found[manifest.name] = manifest
    return found
