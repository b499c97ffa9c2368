"""Backends, one folder each. A folder whose ``__init__`` has a ``manifest`` is a backend: found by looking, never listed."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType

from playhead.ports.arrivals import ArrManifest
from playhead.ports.backend import Manifest


@cache
def find_manifests() -> Mapping[str, Manifest]:
    """All backends by name, in the order of their names. Looked for once: what is dropped in needs a new start."""
    return MappingProxyType({each.name: each for each in _declared() if isinstance(each, Manifest)})


@cache
def find_arr_manifests() -> Mapping[str, ArrManifest]:
    """All programs that tell of arriving files, likewise."""
    return MappingProxyType({each.name: each for each in _declared() if isinstance(each, ArrManifest)})


def _declared() -> Iterator[object]:
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
        if module.ispkg and not module.name.startswith("_"):
            yield getattr(importlib.import_module(f"{__name__}.{module.name}"), "manifest", None)
