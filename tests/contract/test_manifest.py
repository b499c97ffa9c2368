"""What an adapter folder says of itself is true and complete."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from typing import get_type_hints

import msgspec

from playhead.ports.backend import Backend, Manifest
from playhead.ports.proxy import Proxy

from . import (
    test_accounts,
    test_faults,
    test_lists,
    test_reading,
    test_scanning,
    test_scanning_meanwhile,
    test_writing,
)
from .rig import folder_of, load_harness

SUITES = (
    test_accounts,
    test_faults,
    test_lists,
    test_reading,
    test_scanning,
    test_scanning_meanwhile,
    test_writing,
)


def load(path: str) -> type:
    """``module:Name``."""
    module, _, name = path.partition(":")
    found: type = getattr(import_module(module), name)
    return found


def test_a_harness_puts_the_adapter_on_its_emulator(manifest: Manifest) -> None:
    """Without it nothing below could run; the message says what to write."""
    harness = load_harness(manifest)
    assert isinstance(harness.KIND, str)
    assert callable(harness.make)


def test_importing_the_folder_loads_nothing_heavy(manifest: Manifest) -> None:
    """Finding backends must stay cheap: no HTTP, no client, no database."""
    path = folder_of(manifest).parent
    code = (
        "import sys, playhead.adapters as a\n"
        f"a.__path__.append({str(path)!r})\n"
        f"import playhead.adapters.{manifest.name}\n"
        "heavy = {'aiohttp', 'sqlalchemy', 'stamina', 'typer', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_backend_has_every_method_of_the_port(manifest: Manifest) -> None:
    """All methods of ``ports.backend.Backend``, and a settings struct."""
    backend = load(manifest.backend)
    for name in vars(Backend):
        if not name.startswith("_"):
            assert callable(getattr(backend, name, None)), f"{manifest.name} lacks {name}()"
    assert issubclass(load(manifest.settings), msgspec.Struct)


def test_who_writes_a_proxy_also_reads_what_it_notes(manifest: Manifest) -> None:
    """A configuration to be written, a deliverer to be printed, and a reader for the lines; or none of it."""
    assert (manifest.proxy is None) == (manifest.proxied is None)
    if manifest.proxy is None:
        return
    proxy = load(manifest.proxy)()
    for name in vars(Proxy):
        if not name.startswith("_"):
            assert callable(getattr(proxy, name, None)), f"{manifest.name}'s proxy lacks {name}()"
    assert callable(load(manifest.proxied or ""))
    compile(proxy.read_script(), "deliver.py", "exec")


def test_settings_describe_themselves_and_stand_in_the_docs(manifest: Manifest) -> None:
    """Form, flags and docs are drawn from label, help, example and secret; docs.md names each field."""
    docs = folder_of(manifest) / "docs.md"
    assert docs.is_file(), f"{manifest.name} has no docs.md"
    text = docs.read_text()
    for field, annotation in get_type_hints(load(manifest.settings), include_extras=True).items():
        extras = [
            m.extra
            for m in getattr(annotation, "__metadata__", ())
            if isinstance(m, msgspec.Meta) and m.extra
        ]
        assert extras, f"{manifest.name}.{field} does not describe itself"
        assert {"label", "help", "example", "secret"} <= extras[0].keys(), field
        assert f"`{field}`" in text, f"{manifest.name}: docs.md does not mention `{field}`"


def test_the_docs_have_their_sections(manifest: Manifest) -> None:
    """Set-up, what syncs, how fresh, known limits, troubleshooting."""
    text = (folder_of(manifest) / "docs.md").read_text().lower()
    for heading in ("set-up", "what syncs", "how fresh", "known limits", "troubleshooting"):
        assert f"## {heading}" in text, f"{manifest.name}: docs.md has no section {heading!r}"


def test_declared_limits_name_tests_that_exist(manifest: Manifest) -> None:
    """A limit with a misspelt name would excuse nothing and look as if it did."""
    known = {name for suite in SUITES for name in vars(suite) if name.startswith("test_")}
    for limit in manifest.limits:
        assert limit.what.partition("[")[0] in known, f"{manifest.name}: no contract test {limit.what}"
        assert limit.why


def test_capabilities_are_sane(manifest: Manifest) -> None:
    """Only facets that exist; nothing is written that cannot be read."""
    can = manifest.capabilities
    assert can.reads <= {"watched", "progress", "rating", "favourite"}
    assert can.writes <= can.reads
    assert 1 <= can.page_size <= 10_000
    assert 1 <= can.writes_at_once <= 16
