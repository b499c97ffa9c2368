"""A fourth adapter, dropped in as a folder, is found and tested by this suite with no edit elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAME = "zeta"

MANIFEST = '''"""A backend that this test dropped in."""

from __future__ import annotations

import msgspec

from playhead.adapters.plex import manifest as model

manifest = msgspec.structs.replace(
    model, name="zeta", title="Zeta", settings="playhead.adapters.zeta.settings:ZetaSettings", by_code=None
)
'''
SETTINGS = '''"""One setting."""

from __future__ import annotations

from typing import Annotated

import msgspec


class ZetaSettings(msgspec.Struct):
    """Where it is."""

    url: Annotated[
        str, msgspec.Meta(extra={"label": "Address", "help": "Where.", "example": "http://h:1", "secret": False})
    ]
'''
HARNESS = '''"""On an emulated server."""

from playhead.adapters.plex.adapter import PlexBackend
from playhead.adapters.plex.settings import PlexSettings
from playhead.adapters.plex.tests.harness import WEBHOOK as WEBHOOK

KIND = "plex"
SETS_UP_WEBHOOKS = "it asks no plex.tv"
SCANS = REAL_FOLDERS = LOOKS = True


def make(box, server, user, *, token=None):
    right = token if token is not None else box.token(server, user)
    return PlexBackend(PlexSettings(url=box.url(server), plex_tv_url=""), right, user, client_id="zeta")
'''
DOCS = "# Zeta\n## Set-up\n`url`\n## What syncs\n## How fresh\n## Known limits\n## Troubleshooting\n"
PLUGIN = "import playhead.adapters\nplayhead.adapters.__path__.append({folder!r})\n"


@pytest.fixture
def dropped(tmp_path: Path) -> Path:
    """The new folder, on a path that ``playhead.adapters`` looks at in the process below."""
    folder = tmp_path / "adapters" / NAME
    (folder / "tests").mkdir(parents=True)
    (folder / "__init__.py").write_text(MANIFEST)
    (folder / "settings.py").write_text(SETTINGS)
    (folder / "docs.md").write_text(DOCS)
    (folder / "tests" / "harness.py").write_text(HARNESS)
    (tmp_path / "dropped_in.py").write_text(PLUGIN.format(folder=str(tmp_path / "adapters")))
    return folder


def run_suite(dropped: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The contract suite in a process of its own, this file left out, the new backend only."""
    where = os.pathsep.join(filter(None, [str(dropped.parents[1]), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-m", "pytest", "tests/contract", "-q", "-p", "dropped_in", "-p", "no:cacheprovider"]
        + ["-p", "no:xdist", "--ignore=tests/contract/test_discovery.py", "-k", NAME, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": where},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_a_dropped_in_adapter_is_tested_without_any_edit(dropped: Path) -> None:
    """Found by looking; every contract test runs on it and passes, its declared limits are expected to fail."""
    done = run_suite(dropped)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "3 xfailed" in done.stdout
    passed = int(done.stdout.rpartition(" passed")[0].split()[-1])
    assert passed > 100


def test_without_a_harness_the_message_says_what_to_write(dropped: Path) -> None:
    """A folder without tests/harness.py fails, it does not go untested."""
    shutil.rmtree(dropped / "tests")
    done = run_suite(dropped, "-k", f"{NAME} and harness")
    assert done.returncode == 1
    assert "zeta has no tests/harness.py; write make() there" in done.stdout


def test_a_setting_that_the_docs_lack_fails(dropped: Path) -> None:
    """Docs cannot fall behind the settings."""
    (dropped / "docs.md").write_text(DOCS.replace("`url`", ""))
    done = run_suite(dropped, "-k", f"{NAME} and settings")
    assert done.returncode == 1
    assert "docs.md does not mention `url`" in done.stdout


def test_a_limit_that_is_no_longer_true_fails(dropped: Path) -> None:
    """A gap that was closed must be taken off the list."""
    text = MANIFEST + "\nfrom playhead.ports.backend import Limit\n\n"
    text += "manifest = msgspec.structs.replace(manifest, limits=(Limit('test_libraries_are_listed', 'ours', 'not yet'),))\n"
    (dropped / "__init__.py").write_text(text)
    done = run_suite(dropped, "-k", f"{NAME} and libraries_are_listed")
    assert done.returncode == 1
    assert "XPASS(strict)" in done.stdout
