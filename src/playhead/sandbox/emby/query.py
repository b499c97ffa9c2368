"""The item query of an emulated Emby: which parameters choose, order and cut a list (facts B2).

Unknown parameters are ignored, an unknown sort key is a 500. Knows the tree and user data; knows no HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from playhead.sandbox.emby.accounts import User
from playhead.sandbox.emby.catalogue import Catalogue, Node
from playhead.sandbox.emby.userdata import UserData
from playhead.sandbox.folders import taken
from playhead.sandbox.times import to_epoch

Query = Mapping[str, str]  # parameter names in lower case
Test = Callable[[Node], bool]
KEPT_LISTS = 32

NODE_KEYS: dict[str, Callable[[Node], Any]] = {
    "sortname": lambda n: n.sort_name if n.series is None else f"{n.series.sort_name} {n.sort_name}",
    "name": lambda n: n.name.lower(),
    "datecreated": lambda n: n.created,
    "datelastcontentadded": lambda n: n.created,
    "datemodified": lambda n: n.modified,
    "premieredate": lambda n: n.year or 0,
    "productionyear": lambda n: n.year or 0,
    "runtime": lambda n: n.runtime_ticks or 0,
    "size": lambda n: n.size,
    "filename": lambda n: n.path.rpartition("/")[2].lower(),
    "path": lambda n: n.path,
    "isfolder": lambda n: not n.is_folder,
    "indexnumber": lambda n: n.index or 0,
    "parentindexnumber": lambda n: n.parent_index or 0,
    "seriessortname": lambda n: n.series.sort_name if n.series else n.sort_name,
    "communityrating": lambda n: 0,
    "criticrating": lambda n: 0,
    "officialrating": lambda n: "",
    "bitrate": lambda n: 0,
    "random": lambda n: hash(n.id),
}
DATA_KEYS: dict[str, Callable[[UserData], Any]] = {
    "dateplayed": lambda d: d.last_played or 0,
    "playcount": lambda d: d.play_count,
    "isfavoriteorliked": lambda d: not d.favourite,
}


class EmbyError(Exception):
    """An answer that is an error: Emby writes the message as text/plain."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def truth(query: Query, name: str) -> bool | None:
    """A yes-or-no parameter; None where it is absent."""
    value = query.get(name)
    return None if value in (None, "") else str(value).lower() in ("true", "1")


def words(query: Query, name: str) -> list[str]:
    """A comma list."""
    return [word.strip() for word in query.get(name, "").split(",") if word.strip()]


def number(query: Query, name: str) -> int | None:
    """A whole number. Raises EmbyError 400 for anything else (*assumed*)."""
    value = query.get(name)
    if value in (None, ""):
        return None
    try:
        return int(str(value))
    except ValueError:
        raise EmbyError(400, f"Input string was not in a correct format. (Parameter '{name}')") from None


def _date(query: Query, name: str) -> float | None:
    try:
        return to_epoch(query.get(name) or None)
    except ValueError:
        raise EmbyError(500, f"String '{query[name]}' was not recognized as a valid DateTime.") from None


class Lists:
    """Runs queries, and keeps the ordered lists that no user data decides, so that paging costs a slice."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._kept: dict[object, list[Node]] = {}
        self._revision = -1

    def run(self, query: Query, user: User | None, visible: frozenset[str]) -> tuple[list[Node], int]:
        """One page and the length of the whole list. ``user`` None: nothing asks for user data."""
        keys = sort_keys(query)
        nodes = self._ordered(query, keys, visible)
        tests = [*_node_tests(query), *_user_tests(query, user)]
        if tests:
            nodes = [node for node in nodes if all(test(node) for test in tests)]
        personal = [key for key, _ in keys if key in DATA_KEYS]
        if personal:
            nodes = _sort(nodes, keys, user)
        start = max(number(query, "startindex") or 0, 0)
        limit = number(query, "limit")
        page = nodes[start:] if limit is None else nodes[start : start + max(limit, 0)]
        return page, len(nodes)

    def _ordered(self, query: Query, keys: list[tuple[str, bool]], visible: frozenset[str]) -> list[Node]:
        if self._revision != self.catalogue.revision:
            self._kept.clear()
            self._revision = self.catalogue.revision
        ids = words(query, "ids")
        if ids:
            found = [self.catalogue.nodes[i] for i in ids if i in self.catalogue.nodes]
            return _narrow([node for node in found if node.shelf.view_id in visible], query)
        recursive = truth(query, "recursive") or False
        parent = query.get("parentid") or None
        types = (
            query.get("includeitemtypes", ""),
            query.get("excludeitemtypes", ""),
            query.get("isfolder", ""),
        )
        key = (parent, recursive, types, tuple(keys), visible)
        kept = self._kept.get(key)
        if kept is None:
            if len(self._kept) >= KEPT_LISTS:
                self._kept.clear()
            below = list(self.catalogue.below(parent, recursive=recursive, visible=visible))
            kept = self._kept[key] = _sort(_narrow(below, query), keys, None)
        return kept


def sort_keys(query: Query) -> list[tuple[str, bool]]:
    """(key, descending) pairs; by name where nothing is asked. Raises EmbyError 500 for an unknown key."""
    asked = [key.lower() for key in words(query, "sortby")] or ["sortname"]
    orders = [order.lower() for order in words(query, "sortorder")] or ["ascending"]
    for key in asked:
        if key not in NODE_KEYS and key not in DATA_KEYS:
            raise EmbyError(500, f"Unknown sort key: {key}")
    return [(key, orders[min(n, len(orders) - 1)].startswith("desc")) for n, key in enumerate(asked)]


def _sort(nodes: list[Node], keys: list[tuple[str, bool]], user: User | None) -> list[Node]:
    ordered = sorted(nodes, key=lambda node: (len(node.id), node.id))
    for key, descending in reversed(keys):
        if key in NODE_KEYS:
            ordered.sort(key=NODE_KEYS[key], reverse=descending)
        elif user is not None:
            by = DATA_KEYS[key]
            ordered.sort(key=lambda node, by=by: by(user.get(node.state_key)), reverse=descending)  # type: ignore[misc]
    return ordered


def _narrow(nodes: list[Node], query: Query) -> list[Node]:
    include = {word.lower() for word in words(query, "includeitemtypes")}
    exclude = {word.lower() for word in words(query, "excludeitemtypes")}
    folder = truth(query, "isfolder")
    return [
        node
        for node in nodes
        if (not include or node.type.lower() in include)
        and node.type.lower() not in exclude
        and (folder is None or node.is_folder == folder)
    ]


def _node_tests(query: Query) -> list[Test]:
    tests: list[Test] = []
    wanted = {word.lower() for word in words(query, "anyprovideridequals")}
    if wanted:
        tests.append(lambda n: any(f"{k}.{v}".lower() in wanted for k, v in n.provider_ids.items()))
    path = taken(query.get("path") or "")
    if path:
        tests.append(lambda n: path in (n.path, *n.versions))
    saved = _date(query, "mindatelastsaved")
    if saved is not None:
        tests.append(lambda n: n.modified >= saved)
    excluded = set(words(query, "excludeitemids"))
    if excluded:
        tests.append(lambda n: n.id not in excluded)
    years = set(words(query, "years"))
    if years:
        tests.append(lambda n: str(n.year) in years)
    term = query.get("searchterm", "").lower()
    if term:
        tests.append(lambda n: term in n.name.lower())
    season = number(query, "parentindexnumber")
    if season is not None:
        tests.append(lambda n: n.parent_index == season)
    for source in ("imdb", "tmdb", "tvdb"):
        has = truth(query, f"has{source}id")
        if has is not None:
            tests.append(_has_source(source, has))
    return tests


def _has_source(source: str, has: bool) -> Test:
    return lambda node: any(key.lower() == source for key in node.provider_ids) == has


def _user_tests(query: Query, user: User | None) -> list[Test]:
    """Tests of user data. Without a user they fail as they do with an API key (facts B1: 500)."""
    checks: list[Callable[[UserData], bool]] = []
    filters = {word.lower() for word in words(query, "filters")}
    played, favourite = truth(query, "isplayed"), truth(query, "isfavorite")
    if played is not None or filters & {"isplayed", "isunplayed"}:
        want = played if played is not None else "isplayed" in filters
        checks.append(lambda d: d.played == want)
    if favourite is not None or "isfavorite" in filters:
        liked = True if favourite is None else favourite
        checks.append(lambda d: d.favourite == liked)
    if "isresumable" in filters:
        checks.append(lambda d: d.position_ticks > 0 and not d.hidden_from_resume)
    if "likes" in filters:
        checks.append(lambda d: d.rating is not None and d.rating >= 6.5)
    if "dislikes" in filters:
        checks.append(lambda d: d.rating is not None and d.rating < 6.5)
    since = _date(query, "mindatelastsavedforuser")
    tests: list[Test] = []
    if checks and user is None:
        raise EmbyError(500, "Object reference not set to an instance of an object.")
    if user is not None:
        tests += [_on_data(user, check) for check in checks]
    if since is not None:
        tests.append(_saved_for(user, since))
    return tests


def _on_data(user: User, check: Callable[[UserData], bool]) -> Test:
    return lambda node: check(_data_of(node, user))


def _data_of(node: Node, user: User) -> UserData:
    data = user.get(node.state_key)
    if not node.is_folder:
        return data
    below = [child for child in node.children if not child.is_folder]
    return UserData(
        played=all(user.get(child.state_key).played for child in below),
        favourite=data.favourite,
        rating=data.rating,
    )


def _saved_for(user: User | None, since: float) -> Test:
    # The item or the user's data of it: on a real server the list was a little longer than MinDateLastSaved's (B2).
    def test(node: Node) -> bool:
        data = user.get(node.state_key) if user is not None else UserData()
        return max(node.modified, data.playstate_modified or 0, data.rating_modified or 0) >= since

    return test
