"""House style that a machine can judge: sizes with lists that only shrink, and names that are not used."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "playhead"
LONGEST_FILE = 400
LONGEST_FUNCTION = 40

# What is longer for now. Entries may only go away; an entry that is no longer needed fails the test.
LONG_FILES: dict[str, int] = {}
LONG_FUNCTIONS: dict[str, int] = {}

BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:root|work|tmp/brief)(?:/|\b)")


def source_files() -> list[Path]:
    """The program; migrations are records of what a schema was, and tests are told apart."""
    apart = {"tests", "versions"}
    return [path for path in sorted(SOURCE.rglob("*.py")) if not apart & set(path.relative_to(SOURCE).parts)]


def test_no_file_is_longer_than_400_lines() -> None:
    """Longer files stand on a list that only shrinks."""
    long = {
        str(path.relative_to(SOURCE)): count
        for path in source_files()
        if (count := len(path.read_text().splitlines())) > LONGEST_FILE
    }
    assert_within(long, LONG_FILES)


def test_no_function_is_longer_than_40_lines() -> None:
    """Longer functions stand on a list that only shrinks. The signature and what only returns a table are not counted."""
    long: dict[str, int] = {}
    for path in source_files():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                length = node.end_lineno - node.lineno + 1 - signature_lines(node)
                if length > LONGEST_FUNCTION and not is_table(node):
                    long[f"{path.relative_to(SOURCE)}:{node.name}"] = length
    assert_within(long, LONG_FUNCTIONS)


def is_table(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether the function is nothing but a value written out."""
    last = node.body[-1]
    rest = [
        line
        for line in node.body[:-1]
        if not (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))
    ]
    return (
        not rest and isinstance(last, ast.Return) and isinstance(last.value, ast.Dict | ast.List | ast.Tuple)
    )


def signature_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines between ``def`` and the body: a command's options are a table, not code."""
    return node.body[0].lineno - node.lineno - 1


def assert_within(found: dict[str, int], allowed: dict[str, int]) -> None:
    grown = {name: count for name, count in found.items() if count > allowed.get(name, 0)}
    assert not grown, f"too long: {grown}"
    done = {name for name, count in allowed.items() if found.get(name, 0) < count}
    assert not done, f"shorter than its entry: lower or remove the entries {done}"


@pytest.mark.parametrize("path", source_files(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_names_say_what_is_inside(path: Path) -> None:
    """No module is called utils, helpers, common or manager, and each says in a docstring what it holds."""
    assert not BANNED_NAMES & {part.removesuffix(".py").strip("_") for part in path.relative_to(SOURCE).parts}
    text = path.read_text()
    if text.strip():
        assert ast.get_docstring(ast.parse(text)), f"{path} has no docstring"


def test_nothing_of_a_developers_machine_is_in_the_project() -> None:
    """No absolute path of the machine on which it was made."""
    suffixes = {".py", ".md", ".toml", ".yaml", ".sh", ".lock", ""}
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for folder in ("src", "tests", "docs", "bin", ".ci")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.is_file()
        and path.suffix in suffixes
        and path != Path(__file__)
        and "__pycache__" not in path.parts
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if MACHINE_PATHS.search(line)
    ]
    assert not found, "\n".join(found)
