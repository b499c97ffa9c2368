"""Plex's filters and sorts of a list ("media queries"), as far as a real 1.43.3 was seen to honour them.

Unknown fields are ignored and give the whole list. Comparisons of dates and numbers are ignored too, as measured on
1.43.3 (facts, api-plex.md 2.1), unless the quirk ``date_filters`` turns them on. Knows nodes and settings, no HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from playhead.sandbox.plex.catalogue import Node
from playhead.sandbox.plex.watchstate import Setting

Settings = Mapping[str, Setting]
Field = Callable[[Node, Setting | None], Any]
Test = Callable[[Node], bool]
_SCOPES = ("movie.", "show.", "season.", "episode.")
STATE_FIELDS = frozenset(
    {"viewCount", "lastViewedAt", "userRating", "unwatched", "inProgress", "viewOffset", "lastRatedAt"}
)

_FIELDS: dict[str, Field] = {
    "id": lambda node, _: node.key,  # not listed by servers, used by python-plexapi against them
    "addedAt": lambda node, _: node.added,
    "updatedAt": lambda node, _: node.updated,
    "lastViewedAt": lambda _, setting: setting.last_viewed if setting else 0,
    "viewCount": lambda _, setting: setting.view_count if setting else 0,
    "viewOffset": lambda _, setting: setting.view_offset if setting else 0,
    "userRating": lambda _, setting: setting.rating if setting and setting.rating is not None else -1.0,
    "lastRatedAt": lambda _, setting: setting.last_rated if setting else 0,
    "year": lambda node, _: node.year or 0,
    "duration": lambda node, _: node.duration,
    "originallyAvailableAt": lambda node, _: (node.year or 0, node.key % 12, node.key % 28),
    "title": lambda node, _: node.title,
    "titleSort": lambda node, _: sort_title(node),
    "guid": lambda node, _: node.guid,
    "index": lambda node, _: node.index or 0,
}
_NUMBERS = frozenset(
    {
        "addedAt",
        "updatedAt",
        "lastViewedAt",
        "viewCount",
        "viewOffset",
        "userRating",
        "lastRatedAt",
        "year",
        "duration",
        "index",
    }
)
_FLAGS: dict[str, Field] = {
    "unwatched": lambda _, setting: not (setting and setting.view_count),
    "inProgress": lambda _, setting: bool(setting and setting.view_offset),
    "trash": lambda node, _: bool(node.deleted),
}


def sort_title(node: Node) -> tuple[str, int, int, str]:
    """The order of a list without a sort: by title, a show's episodes in their order."""
    named = node.show or node
    season = node.parent.index if node.kind == "episode" and node.parent is not None else node.index
    title = named.title.lower()
    for article in ("the ", "a ", "an "):
        title = title.removeprefix(article)
    return (title, season or 0, node.index or 0, node.title)


def touches_state(query: Iterable[tuple[str, str]]) -> bool:
    """Whether an answer to this query depends on the account's state."""
    return any(
        _bare(key.rstrip("<>!=")) in STATE_FIELDS
        or (
            key == "sort"
            and any(part.split(":")[0] in STATE_FIELDS or "." in part for part in value.split(","))
        )
        for key, value in query
    )


def select(
    nodes: list[Node], query: Iterable[tuple[str, str]], settings: Settings, *, comparisons: bool
) -> list[Node]:
    """The nodes that pass every filter, sorted as asked; ties by rating key."""
    pairs = list(query)
    chosen = nodes
    for key, value in pairs:
        test = _make_test(key, value, settings, comparisons)
        if test is not None:
            chosen = [node for node in chosen if test(node)]
    return _sort(chosen, dict(pairs).get("sort", ""), settings)


def _sort(nodes: list[Node], sort: str, settings: Settings) -> list[Node]:
    keys = [part.split(":") for part in sort.split(",") if _bare(part.split(":")[0]) in _FIELDS]
    ordered = sorted(nodes, key=sort_title if not keys else lambda node: node.key)
    for name, *flags in reversed(keys):
        field = _FIELDS[_bare(name)]
        ordered.sort(key=lambda node: field(node, settings.get(node.guid)), reverse="desc" in flags)
    return ordered


def _bare(name: str) -> str:
    for scope in _SCOPES:
        if name.startswith(scope):
            return name[len(scope) :]
    return name


def _scoped(name: str, node: Node) -> Node | None:
    if name.startswith("show."):
        return node.show or node
    if name.startswith("season."):
        return node.parent if node.kind == "episode" else node
    return node


def _make_test(key: str, value: str, settings: Settings, comparisons: bool) -> Test | None:
    name = key.rstrip("<>!=")
    operator = key[len(name) :]
    bare = _bare(name)
    if bare in _FLAGS:
        return _flag_test(name, bare, operator, value, settings)
    if bare not in _FIELDS:
        return None
    if operator in (">>", "<<", ">", "<"):
        if not value:
            return lambda node: False  # recorded: parsed, matches nothing
        return (
            _comparison(name, bare, operator, value, settings) if comparisons and bare in _NUMBERS else None
        )
    return _equality(name, bare, operator, value, settings)


def _flag_test(name: str, bare: str, operator: str, value: str, settings: Settings) -> Test:
    wanted = (value not in ("0", "false")) != ("!" in operator)

    def test(node: Node) -> bool:
        if bare == "unwatched" and name == bare and node.kind in ("show", "season"):
            # Recorded: by the holder's own row, so that holders whose leaves were only marked are missed.
            setting = settings.get(node.guid)
            return bool(setting and setting.last_viewed) != wanted
        scoped = _scoped(name, node)
        return scoped is not None and _FLAGS[bare](scoped, settings.get(scoped.guid)) == wanted

    return test


def _comparison(name: str, bare: str, operator: str, value: str, settings: Settings) -> Test | None:
    try:
        limit = float(value)
    except ValueError:
        return None
    field, after = _FIELDS[bare], operator.startswith(">")

    def test(node: Node) -> bool:
        scoped = _scoped(name, node)
        if scoped is None:
            return False
        told = field(scoped, settings.get(scoped.guid))
        if len(operator) == 1:
            return bool(told >= limit if after else told <= limit)
        return bool(told > limit if after else told < limit)

    return test


def _equality(name: str, bare: str, operator: str, value: str, settings: Settings) -> Test:
    field, exact, wanted = _FIELDS[bare], value.startswith("="), value.removeprefix("=").lower()

    def test(node: Node) -> bool:
        scoped = _scoped(name, node)
        told = field(scoped, settings.get(scoped.guid)) if scoped is not None else None
        text = str(told).lower()
        same = wanted in text if bare == "title" and not exact else text in wanted.split(",")
        return same != ("!" in operator)

    return test
