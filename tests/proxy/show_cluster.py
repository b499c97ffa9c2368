"""Plex Cluster's example, played: ``python -m tests.proxy.show_cluster``.

Two Plex servers, each behind a real nginx with TLS, and one hub that hears by the proxies alone. Two persons at once: each
stops a film midway at one server, resumes it at the other, sees it to the end, marks it as unwatched. Every step is timed from
the client's own request until the other server shows it; what one person does must never show for the other.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import requests
from bench.house import QUIET, House, until
from bench.proxied import Proxy
from rich.console import Console
from rich.table import Table

from playhead.sandbox.world import World, WorldItem, WorldLibrary, WorldServer, WorldUser
from tests.proxy.rig import Certificate, make_certificate

SERVERS = ("town", "cabin")
PERSONS = ("alice", "bob")
RUNTIME_S = 6_600
STOPS_S = {"alice": 47 * 60, "bob": 31 * 60}
LIBRARY = "com.plexapp.plugins.library"


class Step(msgspec.Struct, frozen=True):
    """What a person did at one server, and milliseconds until the other one showed it."""

    person: str
    what: str
    at: str
    seen_at: str
    waited_ms: float


class Player:
    """An app of one person, which talks to one proxy and knows nothing of a hub."""

    def __init__(self, person: str, url: str, token: str, certificate: Certificate) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.verify, self._session.trust_env = str(certificate.path), False
        self._session.headers.update(
            {
                "X-Plex-Token": token,
                "X-Plex-Client-Identifier": f"{person}s-app",
                "X-Plex-Product": "Plex Web",
                "Accept": "application/json",
            }
        )

    def find(self, title: str) -> dict[str, Any]:
        """A film as the library shows it now."""
        rows = self._ask("GET", "/library/sections/1/all", type=1)["MediaContainer"]["Metadata"]
        return next(row for row in rows if row["title"] == title)

    def report(self, title: str, state: str, position_s: int) -> None:
        """What an app tells while it plays."""
        key = self.find(title)["ratingKey"]
        place = {"ratingKey": key, "key": f"/library/metadata/{key}", "identifier": LIBRARY}
        self._ask(
            "POST", "/:/timeline", **place, state=state, time=position_s * 1000, duration=RUNTIME_S * 1000
        )

    def mark(self, title: str, *, watched: bool) -> None:
        """The button."""
        route = "scrobble" if watched else "unscrobble"
        self._ask("GET", f"/:/{route}", key=self.find(title)["ratingKey"], identifier=LIBRARY)

    def _ask(self, method: str, path: str, **query: Any) -> Any:
        answer = self._session.request(method, self._url + path, params=query, timeout=20)
        answer.raise_for_status()
        return answer.json() if answer.content else None


def main() -> None:
    """Play it and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.proxy.show_cluster", description=__doc__)
    parser.add_argument("--json", action="store_true", help="the steps as JSON instead")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="playhead-cluster-") as folder:
        steps = play(Path(folder))
    if options.json:
        sys.stdout.write(msgspec.json.encode(steps).decode() + "\n")
        return
    table = Table(title="Two Plex servers behind two proxies, two persons at once")
    for column in ("person", "does", "at", "seen at", "after ms"):
        table.add_column(column, justify="right" if column.endswith("ms") else "left")
    for step in sorted(steps, key=lambda step: step.person):
        table.add_row(step.person, step.what, step.at, step.seen_at, f"{step.waited_ms:.0f}")
    Console().print(table)


def play(folder: Path) -> list[Step]:
    """Everything from the empty folder to the last step."""
    certificate = make_certificate(folder)
    keys = ("--certificate", str(certificate.path), "--certificate-key", str(certificate.key_path))
    with ExitStack() as stack:
        house = stack.enter_context(House(folder, make_world()))
        for name in SERVERS:
            house.connect(name)
        house.run("people", "add", "bob")
        for name in SERVERS:
            house.run("people", "link", "bob", name, "bob", "--yes")
            house.run("connections", "set", name, "--no-listen")
        house.run("sync")
        house.set_schedule(QUIET)
        house.serve()
        proxies = {}
        for name in SERVERS:
            proxies[name] = Proxy(house, name, *keys)
            stack.callback(proxies[name].kill)
        stories = [Story(house, proxies, person, certificate) for person in PERSONS]
        threads = [threading.Thread(target=story.tell) for story in stories]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for story in stories:
            if story.failed is not None:
                raise SystemExit(f"{story.person}: {story.failed}\n{house.log.read_text()[-3000:]}")
        return [step for story in stories for step in story.steps]


class Story(msgspec.Struct):
    """What one person does. ``failed`` says what went wrong."""

    house: House
    proxies: dict[str, Proxy]
    person: str
    certificate: Certificate
    steps: list[Step] = []
    failed: BaseException | None = None

    def tell(self) -> None:
        """All of it, in a thread of its own."""
        try:
            self._tell()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - told by who started the thread
            self.failed = error

    def _tell(self) -> None:
        first, second = SERVERS if self.person == "alice" else tuple(reversed(SERVERS))
        film, stop_s = title_of(self.person), STOPS_S[self.person]
        one, other = (self._open(server) for server in (first, second))
        one.report(film, "playing", 60)
        self._do(
            "stops midway", first, second, lambda: one.report(film, "stopped", stop_s), position_s=stop_s
        )
        shown_s = other.find(film)["viewOffset"] / 1000
        assert abs(shown_s - stop_s) < 2, f"{second} would resume at {shown_s}"
        other.report(film, "playing", round(shown_s))
        self._do("sees it to the end", second, first, lambda: other.mark(film, watched=True), watched=True)
        self._do("marks it as unwatched", first, second, lambda: one.mark(film, watched=False), watched=False)
        for server in SERVERS:
            strange = self.house.state(
                server, self.person, item_of(*(p for p in PERSONS if p != self.person))
            )
            assert not strange["watched"] and not strange["position_s"], (
                f"{server} shows another's film: {strange}"
            )

    def _open(self, server: str) -> Player:
        token = self.house.token(server, self.person)
        return Player(self.person, self.proxies[server].url, token, self.certificate)

    def _do(
        self,
        what: str,
        at: str,
        seen_at: str,
        act: Callable[[], None],
        *,
        watched: bool = False,
        position_s: int = 0,
    ) -> None:
        def shows() -> bool:
            row = self.house.state(seen_at, self.person, item_of(self.person))
            return bool(row["watched"]) is watched and abs(row["position_s"] - position_s) < 2

        begun = time.perf_counter()
        act()
        until(shows, f"{self.person} {what} at {at}, shown at {seen_at}")
        waited = (time.perf_counter() - begun) * 1e3
        self.steps = [*self.steps, Step(self.person, what, at, seen_at, round(waited, 1))]


def item_of(person: str) -> str:
    """The film of a person in the world's words."""
    return f"film-of-{person}"


def title_of(person: str) -> str:
    """The same as libraries show it."""
    return f"The Film of {person.title()}"


def make_world() -> World:
    """Two Plex servers with the same two films; alice owns both, bob is in her Home."""
    films = [
        WorldItem(
            id=item_of(person),
            type="movie",
            title=title_of(person),
            year=2001 + number,
            duration_s=RUNTIME_S,
            ids={"imdb": f"tt{number + 1:07}"},
        )
        for number, person in enumerate(PERSONS)
    ]
    libraries = [WorldLibrary(title="Movies", kind="movies", root="/media/movies")]
    users = [WorldUser(name=person) for person in PERSONS]
    return World(
        items=films,
        servers=[WorldServer(name=name, kind="plex", users=users, libraries=libraries) for name in SERVERS],
    )


if __name__ == "__main__":
    main()
