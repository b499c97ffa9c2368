"""A journey: emulated servers, a home folder, and the command line as the only way in.

What happened is judged by the servers' control side, by ``--json`` and by exit codes; nothing here looks inside Playhead.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any

from playhead.sandbox.run import SandboxHandle
from playhead.sandbox.world import (
    Placement,
    World,
    WorldItem,
    WorldLibrary,
    WorldServer,
    WorldState,
    WorldUser,
)
from tests.faces.conftest import Cli, Ran

DAY = 86_400
KINDS = ("plex", "jellyfin", "jelly10", "emby", "emby48")
_SORTS: dict[str, tuple[Any, str | None]] = {
    "plex": ("plex", None),
    "plex2": ("plex", None),
    "jellyfin": ("jellyfin", "12.0.0"),
    "jelly10": ("jellyfin", "10.11.11"),
    "emby": ("emby", "4.9.5.0"),
    "emby48": ("emby", "4.8.11.0"),
}
SYNC_KEYS = {"read", "planned", "written", "failed", "pending", "held"}


def now() -> int:
    return int(time.time())


def movie(name: str, *, ids: dict[str, str] | None = None, **more: Any) -> WorldItem:
    """A movie of that world id; its title is the id with a capital, its ids are made from it."""
    if ids is None:
        number = sum(ord(letter) * 31**place for place, letter in enumerate(name)) % 900_000 + 100_000
        ids = {"imdb": f"tt{number:07}", "tmdb": str(number)}
    fields = {"title": name.capitalize(), "year": 2001, "duration_s": 6000.0, **more}
    return WorldItem(id=name, type="movie", ids=ids, **fields)


def show(
    name: str, episodes: Sequence[tuple[int, int]], *, ids: dict[str, str], **more: Any
) -> list[WorldItem]:
    """A show with episodes ``NAME-SxE``; episodes have tvdb ids made from the show's."""
    title = more.pop("title", name.capitalize())
    bare = more.pop("bare_episodes", False)
    made = [WorldItem(id=name, type="show", title=title, year=more.pop("year", 2005), ids=ids)]
    for season, episode in episodes:
        base = int(ids.get("tvdb", "7000")) * 1000 + season * 100 + episode
        made.append(
            WorldItem(
                id=f"{name}-{season}x{episode}",
                type="episode",
                title=f"{title} part {season}.{episode}",
                show=name,
                season=season,
                episode=episode,
                duration_s=more.get("duration_s", 2400.0),
                ids={} if bare else {"tvdb": str(base)},
            )
        )
    return made


def seen(item: str, *, days_ago: float = 30, **more: Any) -> WorldState:
    """Watched so many days ago."""
    return WorldState(item=item, watched=True, last_played=now() - int(days_ago * DAY), **more)


def stopped(item: str, position_s: float, *, days_ago: float = 10) -> WorldState:
    """Stopped in the middle so many days ago."""
    return WorldState(item=item, position_s=position_s, last_played=now() - int(days_ago * DAY))


def server(
    name: str,
    *state: WorldState,
    sort: str | None = None,
    libraries: list[WorldLibrary] | None = None,
    users: list[WorldUser] | None = None,
    placements: Sequence[Placement] = (),
    **more: Any,
) -> WorldServer:
    """A server named after its sort (``jelly10``) with alice on it."""
    kind, version = _SORTS[sort or name]
    libraries = libraries or [
        WorldLibrary(title="Movies", kind="movies", root=f"/{name}/movies"),
        WorldLibrary(title="Shows", kind="shows", root=f"/{name}/shows"),
    ]
    users = users or [WorldUser(name="alice", admin=True, state=list(state))]
    return WorldServer(
        name=name,
        kind=kind,
        version=version,
        libraries=libraries,
        users=users,
        placements=list(placements),
        **more,
    )


def world(items: Sequence[WorldItem | list[WorldItem]], *servers: WorldServer) -> World:
    flat: list[WorldItem] = []
    for one in items:
        flat += one if isinstance(one, list) else [one]
    return World(items=flat, servers=list(servers))


class Journey:
    """The servers of one world and a person's commands."""

    def __init__(self, cli: Cli, box: SandboxHandle, later: Callable[[float], None]) -> None:
        self.cli = cli
        self.box = box
        self.later = later  # lets time pass for the servers and for the hub
        self.pause_s = 600.0
        self.kinds = {spec.name: spec.kind for spec in box.world.servers}

    # --- the person at the command line

    def connect(self, name: str, *more: str, user: str = "alice", called: str | None = None) -> Ran:
        """Connect one server under its own name; must succeed."""
        kind = self.kinds[name]
        extra = list(more)
        if kind == "plex":
            extra += ["--plex-tv-url", self.box.extra_urls["plextv"]]
        ran = self.cli(
            "connect",
            kind,
            *("--name", called or name),
            *("--url", self.box.url(name)),
            *("--token", self.box.token(name, user)),
            "--yes",
            *extra,
        )
        assert ran.code == 0, ran.err
        return ran

    def connect_all(self, *more: str) -> Journey:
        for name in self.kinds:
            self.connect(name, *more)
        return self

    def sync(self, *more: str, code: int | None = 0) -> Any:
        """One sync; its counts."""
        ran = self.cli("sync", "--json", *more)
        assert code is None or ran.code == code, (ran.code, ran.out, ran.err)
        assert set(ran.json) == SYNC_KEYS, ran.out
        return ran.json

    def settle(self) -> Any:
        """Sync, and again: the second has nothing to do. Gives the counts of the first."""
        first = self.sync()
        again = self.sync()
        assert (again["planned"], again["written"], again["failed"]) == (0, 0, 0), (again, self.history())
        return first

    def plan(self, *more: str, code: int | None = 0) -> Any:
        ran = self.cli("plan", "--json", *more)
        assert code is None or ran.code == code, (ran.code, ran.out, ran.err)
        return ran.json

    def planned(self, *more: str, code: int | None = 0) -> set[tuple[str, str, str, Any]]:
        """What a plan would change: connection, title, facet, new value."""
        changes = self.plan(*more, code=code)["changes"]
        return {(c["connection"], c["item"]["title"], c["facet"], c["to"]) for c in changes}

    def items(self, *words: str) -> list[Any]:
        ran = self.cli("items", *words, "--json")
        assert ran.code == 0, ran.err
        return ran.lines

    def held(self) -> list[Any]:
        ran = self.cli("held", "--json")
        assert ran.code == 0, ran.err
        return ran.json  # type: ignore[no-any-return]

    def history(self) -> str:
        return "\n".join(
            " ".join(line.split()) for line in self.cli("history", "--limit", "12").out.splitlines()
        )

    # --- the servers

    def ask(self, path: str, body: Any = None, method: str | None = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(
            self.box.control_url + path,
            data=data,
            method=method,
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.read().decode()}") from error

    def act(self, server: str, what: str, item: str = "", *, user: str = "alice", **more: Any) -> None:
        """As a person would, some minutes after whatever came before."""
        self.later(self.pause_s)
        self.ask("/_sandbox/act", {"server": server, "user": user, "item": item, "act": what, **more})

    def fault(self, server: str, kind: str, route: str = "*", **more: Any) -> None:
        self.ask("/_sandbox/faults", {"server": server, "kind": kind, "route": route, **more})

    def heal(self) -> None:
        self.ask("/_sandbox/faults", method="DELETE")

    def rows(self, server: str, item: str, user: str = "alice") -> list[Any]:
        found = self.ask(f"/_sandbox/state?server={server}&user={user}&item={item}")
        assert isinstance(found, list)
        return found

    def row(self, server: str, item: str, user: str = "alice") -> Any:
        found = self.rows(server, item, user)
        assert len(found) == 1, found
        return found[0]

    def watched(self, item: str, user: str = "alice") -> dict[str, bool | None]:
        """By server: is it watched; None where the server has none, or copies differ."""
        said: dict[str, bool | None] = {}
        for name in self.kinds:
            values = {row["watched"] for row in self.rows(name, item, user)}
            said[name] = values.pop() if len(values) == 1 else None
        return said

    def position(self, item: str, user: str = "alice") -> dict[str, float | None]:
        said: dict[str, float | None] = {}
        for name in self.kinds:
            values = {round(row["position_s"] or 0) for row in self.rows(name, item, user)}
            said[name] = values.pop() if len(values) == 1 else None
        return said

    def everything(self) -> Any:
        """All state of all users, to compare."""
        return {
            (spec.name, user.name): self.ask(f"/_sandbox/state?server={spec.name}&user={user.name}")
            for spec in self.box.world.servers
            for user in spec.users
        }

    def all_say(self, item: str, watched: bool, position_s: float = 0) -> None:
        """Every server that has the item says so."""
        said = self.watched(item)
        assert set(said.values()) <= {watched}, (item, said, self.history())
        at = self.position(item)
        assert all(abs((p or 0) - position_s) <= 2 for p in at.values()), (item, at, self.history())
