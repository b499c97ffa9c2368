"""Runs each contract test on every adapter found, with the gaps that its manifest declares expected to fail, strictly."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import stamina

from playhead.adapters import find_manifests
from playhead.ports.backend import Manifest

from .rig import Rig, find_versions, open_rig


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every adapter; where a server is needed, every version of it that the adapter's harness names."""
    found = find_manifests()
    if "version" in metafunc.fixturenames:
        cases = [(manifest, version) for manifest in found.values() for version in find_versions(manifest)]
        ids = [f"{manifest.name} {version}" if version else manifest.name for manifest, version in cases]
        metafunc.parametrize(("manifest", "version"), cases, ids=ids)
    elif "manifest" in metafunc.fixturenames:
        metafunc.parametrize("manifest", found.values(), ids=found.keys())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        manifest = getattr(item, "callspec", None) and item.callspec.params.get("manifest")  # type: ignore[attr-defined]
        if not isinstance(manifest, Manifest):
            continue
        name, version = item.originalname, item.callspec.params.get("version")  # type: ignore[attr-defined]
        names = (name, f"{name}[{version}]")  # a gap of one version only names it
        for limit in manifest.limits:
            if limit.what in names:
                item.add_marker(pytest.mark.xfail(reason=f"{limit.kind}: {limit.why}", strict=True))


@pytest.fixture(autouse=True)
def no_pauses() -> Iterator[None]:
    """Repeated reads follow each other at once."""
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


@pytest.fixture
async def rig(manifest: Manifest, version: str | None) -> AsyncIterator[Rig]:
    """The adapter on its emulated server with the usual world."""
    async with open_rig(manifest, version=version) as opened:
        yield opened
