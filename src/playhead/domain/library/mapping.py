"""Folders as a server sees them, and the same folders as the hub calls them. Pure text, no disk is looked at.

Paths of two servers can be compared only as hub paths; a path under no mapped folder has none. Of what fits, that which covers
most of a path is taken; an expression serves the one direction that it was written for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Literal

import msgspec

from playhead.domain.library.places import is_windows, tidy

_GROUP = re.compile(r"\\(\d)|\\g<(\w+)>")  # every other stroke is a path's


class MappedFolder(msgspec.Struct, frozen=True):
    """One folder, in the server's words and in the hub's. ``expression``: that side is a regular expression which a path begins
    with, and the other side what takes its place. ``ignore_case``: neither side tells upper from lower case."""

    server: str
    hub: str
    expression: Literal["", "server", "hub"] = ""
    ignore_case: bool = False


class Mapped(msgspec.Struct, frozen=True):
    """A path in the other side's words, with the rule that fitted and how much of the path it covered; rule None = none fitted,
    the path is as it was."""

    path: str
    rule: MappedFolder | None = None
    covered: int = 0


class PathMap:
    """The mapped folders of one connection."""

    def __init__(self, folders: Iterable[MappedFolder]) -> None:
        self._rules = tuple(folders)

    def __bool__(self) -> bool:
        return bool(self._rules)

    @property
    def folders(self) -> tuple[tuple[str, str], ...]:
        """The plain folders as (server, hub), the longest of the server's first."""
        plain = [(_clean(rule.server), _clean(rule.hub)) for rule in self._rules if not rule.expression]
        return tuple(sorted(plain, key=lambda couple: -len(couple[0])))

    def to_hub(self, path: str) -> str | None:
        """The hub's path of a server's path; None where no mapped folder holds it. Upper and lower case differ but on Windows."""
        found = _best(self.try_hub(path))
        return found[0].path if found else None

    def to_server(self, path: str) -> list[Mapped]:
        """A hub's path as the server calls it; several where several rules fit equally well, the path itself where none does."""
        return _best(self.try_server(path)) or [Mapped(path)]

    def try_hub(self, path: str) -> list[Mapped]:
        """Every rule that fits a server's path, with what it makes of it."""
        return [found for rule in self._rules if (found := _apply(rule, "server", path)) is not None]

    def try_server(self, path: str) -> list[Mapped]:
        """Every rule that fits a hub's path, with what it makes of it."""
        return [found for rule in self._rules if (found := _apply(rule, "hub", path)) is not None]


def check_expression(rule: MappedFolder) -> str:
    """What is wrong with a rule's expression; "" = nothing."""
    if not rule.expression:
        return ""
    pattern, instead = (rule.server, rule.hub) if rule.expression == "server" else (rule.hub, rule.server)
    try:
        groups = re.compile(pattern).groupindex, re.compile(pattern).groups
        for number, name in _GROUP.findall(instead):
            if (number and int(number) > groups[1]) or (name and name not in groups[0]):
                return f"there is no group {number or name}"
    except re.error as error:
        return str(error)
    return ""


def _best(found: list[Mapped]) -> list[Mapped]:
    """Those that cover most, each outcome once."""
    most = max((each.covered for each in found), default=0)
    return list({each.path: each for each in found if each.covered == most}.values())


def _apply(rule: MappedFolder, side: Literal["server", "hub"], path: str) -> Mapped | None:
    source, target = (rule.server, rule.hub) if side == "server" else (rule.hub, rule.server)
    if rule.expression:
        return _apply_expression(rule, source, target, path) if rule.expression == side else None
    plain, folder = _plain(path), _clean(source)
    head = _cut(plain, folder)
    ignore_case = rule.ignore_case or is_windows(source)
    if (is_windows(path) and not folder) or _letters(head, ignore_case) != _letters(folder, ignore_case):
        return None
    rest = plain[len(head) :]
    return Mapped(_join(target, rest), rule, len(folder))


def _cut(path: str, folder: str) -> str:
    """As many steps of a path as a folder has: accents may be written in more letters here than there."""
    return "/".join(path.split("/")[: folder.count("/") + 1])


def _letters(path: str, ignore_case: bool) -> str:
    plain = unicodedata.normalize("NFC", path)
    return plain.casefold() if ignore_case else plain


def _apply_expression(rule: MappedFolder, pattern: str, instead: str, path: str) -> Mapped | None:
    try:
        match = re.match(pattern, path, re.IGNORECASE if rule.ignore_case else 0)
        if match is None or match.end() == 0:
            return None
        filled = _GROUP.sub(lambda group: match[int(group[1]) if group[1] else group[2]] or "", instead)
        rest = path[match.end() :]
        windows = is_windows(filled) and "/" not in filled
        return Mapped(filled + (rest.replace("/", "\\") if windows else rest), rule, match.end())
    except (re.error, IndexError):
        return None


def _join(folder: str, rest: str) -> str:
    """A folder with what follows, in the folder's own strokes."""
    if is_windows(folder) and "/" not in folder:
        return tidy(folder).rstrip("\\") + (
            rest.replace("/", "\\") or ("\\" if folder[1:] in (":", ":\\") else "")
        )
    return (_clean(folder) + rest) or "/"


def _plain(path: str) -> str:
    plain = path.replace("\\", "/") if is_windows(path) or not path.startswith("/") else path
    return plain if "://" in plain else re.sub("(?<=.)/{2,}", "/", plain)


def _clean(folder: str) -> str:
    return _plain(folder).rstrip("/")
