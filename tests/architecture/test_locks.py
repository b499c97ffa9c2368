"""The locks hold every dependency with its hashes, and nothing of the place where they were made."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = {
    "requirements.lock": PROJECT["project"]["dependencies"],
    "requirements-test.lock": PROJECT["dependency-groups"]["test"],
}


def locked(name: str) -> dict[str, str]:
    """Requirement line by package, with its hashes."""
    found: dict[str, str] = {}
    for entry in re.split(r"\n(?=\S)", (ROOT / name).read_text()):
        if match := re.match(r"([A-Za-z0-9._-]+)==", entry):
            found[normal(match[1])] = entry
    return found


def normal(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


@pytest.mark.parametrize("name", LOCKS)
def test_every_dependency_is_locked_with_hashes(name: str) -> None:
    """What pyproject.toml names is in the lock; every entry has a hash."""
    entries = locked(name)
    wanted = {normal(re.split(r"[<>=!\[; ]", requirement)[0]) for requirement in LOCKS[name]}
    assert wanted <= set(entries), (
        f"not locked: {wanted - set(entries)}; docs/explain/how-it-is-built.md says how"
    )
    assert all("--hash=sha256:" in entry for entry in entries.values())


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_index(name: str) -> None:
    """No address of a package index, no folder to look in."""
    text = (ROOT / name).read_text()
    assert not re.search(r"https?://|--(?:extra-)?index|--find-links|file:", text)


def test_both_locks_agree_on_what_they_share() -> None:
    """The tests judge the versions that are installed."""
    first, second = (locked(name) for name in LOCKS)
    for package in set(first) & set(second):
        versions = [re.match(r"\S+==([^\s;]+)", entries[package])[1] for entries in (first, second)]  # type: ignore[index]
        assert versions[0] == versions[1], package
