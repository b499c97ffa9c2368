"""Who may import whom, as DESIGN.md's layers say; checked by import-linter and, for adapters, by looking."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ADAPTERS = ROOT / "src" / "playhead" / "adapters"


def test_every_import_follows_the_layers() -> None:
    """import-linter keeps every contract of pyproject.toml."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "NO_COLOR": "1"}
    outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def adapter_files() -> list[Path]:
    return [path for path in sorted(ADAPTERS.glob("*/**/*.py")) if "tests" not in path.parts]


@pytest.mark.parametrize("path", adapter_files(), ids=lambda path: str(path.relative_to(ADAPTERS)))
def test_an_adapter_imports_no_other_adapter(path: Path) -> None:
    """A backend stands in its own folder; only folders with a leading underscore are shared."""
    own = path.relative_to(ADAPTERS).parts[0]
    for module in imported(path):
        if module.startswith("playhead.adapters."):
            other = module.split(".")[2]
            assert other == own or other.startswith("_"), f"{path} imports {module}"


def imported(path: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
        elif isinstance(node, ast.Import):
            names.extend(alias.name for alias in node.names)
    return names
