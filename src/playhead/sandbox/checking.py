"""Finds what does not fit together in a world, before any server is made of it. Knows the shapes, no kind of server."""

from __future__ import annotations

from collections.abc import Iterator

from playhead.sandbox.posts import is_loopback
from playhead.sandbox.times import to_epoch
from playhead.sandbox.world import World, WorldItem, WorldServer


def check_world(world: World) -> None:
    """Raises ValueError with the first thing that is wrong and where it stands."""
    for problem in _problems(world):
        raise ValueError(problem)


def _problems(world: World) -> Iterator[str]:
    known: dict[str, WorldItem] = {}
    for item in world.items:
        if item.id in known:
            yield f"two items have the id {item.id!r}: give each its own"
        known[item.id] = item
    for item in world.items:
        yield from _item_problems(item, known)
    names: set[str] = set()
    for server in world.servers:
        if server.name in names:
            yield f"two servers are named {server.name!r}: give each its own name"
        names.add(server.name)
        yield from _server_problems(server, known)


def _item_problems(item: WorldItem, known: dict[str, WorldItem]) -> Iterator[str]:
    if item.type == "episode":
        show = known.get(item.show or "")
        if show is None or show.type != "show":
            yield f"episode {item.id!r} names the show {item.show!r}, which the world does not have"
        if item.season is None or item.episode is None:
            yield f"episode {item.id!r} has no season or no episode number"
    if item.duration_s <= 0:
        yield f"{item.id!r} lasts {item.duration_s:g} s: give it a length"
    yield from _time_problem(f"added_at of {item.id!r}", item.added_at)


def _server_problems(server: WorldServer, known: dict[str, WorldItem]) -> Iterator[str]:
    for item in () if server.items == "all" else server.items:
        if item not in known:
            yield f"{server.name} is to hold {item!r}, which the world does not have"
    for url in server.webhooks:
        if not is_loopback(url):
            yield f"{server.name}: the webhook {url!r} leads away from this machine; use http://127.0.0.1:..."
    for library in server.libraries:
        if not library.root and not library.folder and not library.more:
            yield f'{server.name}: the library {library.title!r} needs "root", "folder" or both'
    titles = [library.title for library in server.libraries]
    for placement in server.placements:
        if placement.item not in known:
            yield f"{server.name}: a placement names {placement.item!r}, which the world does not have"
        if placement.library is not None and titles and placement.library not in titles:
            yield f"{server.name}: {placement.item!r} is placed in {placement.library!r}; there are: {', '.join(titles)}"
    users: set[str] = set()
    for user in server.users:
        if user.name in users:
            yield f"{server.name}: two users are named {user.name!r}"
        users.add(user.name)
        for state in user.state:
            if state.item not in known:
                yield f"{server.name}: {user.name} has a state of {state.item!r}, which the world does not have"
            yield from _time_problem(f"{server.name}: last_played of {state.item!r}", state.last_played)


def _time_problem(what: str, value: int | str | None) -> Iterator[str]:
    try:
        to_epoch(value)
    except ValueError as error:
        yield f"{what}: {error}"
