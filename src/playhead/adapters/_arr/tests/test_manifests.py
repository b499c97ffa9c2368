"""Each of these programs declares what is there: readers, settings that explain themselves, a page of docs."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest

import playhead.adapters
from playhead.adapters import find_arr_manifests, find_manifests
from playhead.adapters._arr.poll import ArrNet
from playhead.ports.arrivals import ArrManifest

MANIFESTS = find_arr_manifests()


@pytest.fixture(params=MANIFESTS)
def manifest(request: pytest.FixtureRequest) -> ArrManifest:
    return MANIFESTS[request.param]


def load(name: str) -> Any:
    module, _, member = name.partition(":")
    return getattr(import_module(module), member)


def test_they_are_no_backends() -> None:
    """They hold no watch state."""
    assert not set(MANIFESTS) & set(find_manifests())


def test_what_is_declared_is_there(manifest: ArrManifest) -> None:
    """The reader; the net with its settings, or neither."""
    assert callable(load(manifest.webhook))
    assert (manifest.settings is None) == (manifest.net is None)
    if manifest.net and manifest.settings:
        net = load(manifest.net)(load(manifest.settings)(url="http://10.0.0.5:8989/base"), "key")
        assert isinstance(net, ArrNet)


def test_every_setting_explains_itself(manifest: ArrManifest) -> None:
    """Label, help, example and whether it is secret, as for backends."""
    if manifest.settings is None:
        pytest.skip(f"{manifest.title} has no settings: it only posts")
    fields = msgspec.inspect.type_info(load(manifest.settings)).fields  # type: ignore[attr-defined]
    assert {field.name for field in fields} == {"url", "verify_tls", "timeout_s"}
    for field in fields:
        assert isinstance(field.type, msgspec.inspect.Metadata) and field.type.extra
        assert set(field.type.extra) == {"label", "help", "example", "secret"}


def test_the_page_names_every_setting_and_what_is_assumed(manifest: ArrManifest) -> None:
    """What is known and what is not."""
    page = (Path(playhead.adapters.__path__[0]) / manifest.name / "docs.md").read_text()
    assert page.startswith(f"# {manifest.title}\n")
    assert "*assumed*" in page.lower()
    if manifest.settings:
        assert all(f"| `{name}` |" in page for name in ("url", "verify_tls", "timeout_s"))
