"""``bin/run`` on machines that lack something: it says what, and what to install."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("dirname", "basename", "cmp", "cat", "cp", "flock")


def run(tmp_path: Path, python: str) -> subprocess.CompletedProcess[str]:
    """Run ``bin/run --version`` where nothing but a few tools and this ``python3`` exist."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in TOOLS:
        if found := shutil.which(name):
            (tools / name).symlink_to(found)
    if python:
        (tools / "python3").write_text(f"#!/bin/sh\n{python}\n")
        (tools / "python3").chmod(0o755)
    environment = {"PATH": str(tools), "PLAYHEAD_VENV": str(tmp_path / "venv")}
    command = ["/bin/sh", str(ROOT / "bin" / "run"), "--version"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("python", "expected"),
    [
        ("", "Playhead needs Python 3.11 or newer; found no python3"),
        ('[ "$1" = --version ] && echo "Python 3.9.2"; exit 1', "found Python 3.9.2"),
        ('case "$*" in *version_info*) exit 0 ;; esac; exit 1', "has no venv module"),
    ],
)
def test_what_is_missing_is_named_with_what_to_install(tmp_path: Path, python: str, expected: str) -> None:
    """One line, no half-made environment."""
    ran = run(tmp_path, python)
    assert ran.returncode == 1
    assert expected in ran.stderr
    assert "apt install" in ran.stderr
    assert len([line for line in ran.stderr.splitlines() if line.startswith("error:")]) == 1
    assert not (tmp_path / "venv").exists()


def test_the_scripts_are_shell_that_a_plain_sh_understands() -> None:
    """No word of bash in them."""
    for path in [*(ROOT / "bin").iterdir(), ROOT / ".ci" / "run"]:
        first = path.read_text().splitlines()[0]
        assert first == "#!/bin/sh", path
        subprocess.run(["/bin/sh", "-n", str(path)], check=True)


def test_a_link_to_it_means_the_project_that_it_leads_to(tmp_path: Path) -> None:
    """As in ~/.local/bin: no second environment is made beside the link, however many links lead on."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "first").symlink_to(ROOT / "bin" / "run")
    (tmp_path / "bin" / "playhead").symlink_to("../first")
    for tool in ("readlink", "dirname"):  # and nothing that could make an environment
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    environment = {
        "PATH": str(tmp_path),
        "PLAYHEAD_VENV": str(tmp_path / "venv"),
        "PLAYHEAD_PYTHON": "none",
    }
    traced = ["/bin/sh", "-x", str(tmp_path / "bin" / "playhead"), "--version"]
    ran = subprocess.run(traced, env=environment, capture_output=True, text=True, check=False)
    assert f"+ root={ROOT}" in ran.stderr.splitlines()
