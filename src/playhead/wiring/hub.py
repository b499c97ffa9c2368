"""An installation with its database open and its servers reached: reading, planning and writing start here.

Joins settings, store, backends and flows; decides nothing.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from playhead.domain.library.mapping import PathMap
from playhead.domain.reconcile.guards import Limits
from playhead.domain.reconcile.model import Policy
from playhead.flows.context import Context, SettingsChanged
from playhead.flows.read import Progress as ReadProgress
from playhead.flows.read import ReadRequest, read_accounts
from playhead.kit.files import only_one
from playhead.kit.log import Log
from playhead.ports.backend import Backend, ServerInfo
from playhead.ports.errors import PlayheadError, UsageError, WrongServer
from playhead.ports.ledger import AccountRole
from playhead.ports.store import ReadResult
from playhead.runtime.home import Home
from playhead.runtime.turns import FileTurns
from playhead.settings import ConnectionSettings, Login, same_login
from playhead.store.accounts import begin_anew, load_unbegun
from playhead.store.database import Database, open_database
from playhead.store.ingest import finish_load
from playhead.store.ledger import SqlLedger
from playhead.store.linking import Link, Linked, link_connections
from playhead.store.orphans import Fallbacks
from playhead.store.overview import Overview
from playhead.store.readings import Readings
from playhead.wiring.holding import Holding
from playhead.wiring.installation import Installation, find_manifest
from playhead.wiring.renewing import open_backend

log = Log(__name__)

SMALL_SKEW_S = (
    60.0  # less is the network's delay and the header's whole seconds: no reason to move a true date
)
WRITING_PATIENCE_S = 10.0  # then an account is left to the process that writes there

LoginKey = tuple[str, str]  # connection and the login's key in it


class Hub:
    """An installation with its database open. Reach the servers first, then read, plan and write."""

    def __init__(self, installation: Installation, database: Database) -> None:
        self.installation = installation
        self.database = database
        self.overview = Overview(database)
        self._began = time.time()
        self.linked: list[Linked] = []
        self.backends: dict[LoginKey, Backend] = {}
        self.errors: dict[str, PlayheadError] = {}  # by connection: nothing of it can be asked
        self.refused: dict[LoginKey, PlayheadError] = {}  # the same of one login
        self.notes: dict[str, str] = {}
        self._skews: dict[str, float] = {}
        self._holding = Holding(installation)
        self._turns = FileTurns(installation.home, patience_s=WRITING_PATIENCE_S)
        self.link()

    def link(self) -> None:
        """Find or make the database's rows for the connections of the settings."""
        settings = self.installation.settings
        links = [
            Link(
                name,
                c.kind,
                c.server_id,
                login.key,
                login.user,
                settings.find_person(login.person) or login.person,
            )
            for name, c in settings.connections.items()
            if c.server_id
            for login in c.linked()
        ]
        self.linked = link_connections(self.database, links, int(time.time())) if links else []

    @asynccontextmanager
    async def reach(self, names: Collection[str] | None = None) -> AsyncIterator[Hub]:
        """Open backends to the named connections (None = all) and see who answers; what fails stands in ``errors``."""
        known = self.installation.settings.connections
        try:
            await asyncio.gather(
                *(self._reach(name, known[name]) for name in known if names is None or name in names)
            )
            self.link()
            yield self
        finally:
            await asyncio.gather(*(backend.close() for backend in self.backends.values()))
            self.backends.clear()

    async def reach_one(self, name: str) -> bool:
        """Within ``reach``: try one connection, for the first time or again. Gives whether it answered as it should."""
        self.errors.pop(name, None)
        for key in [key for key in self.refused if key[0] == name]:
            del self.refused[key]
        await self._reach(name, self.installation.settings.connections[name])
        self.link()
        return name not in self.errors

    async def reach_refused(self, name: str) -> bool:
        """Within ``reach``: try the logins of a connection again that were refused. Gives whether one is no longer."""
        connection = self.installation.settings.connections[name]
        refused = [login for login in connection.logins() if (name, login.key) in self.refused]
        taken = {
            self.installation.secrets.resolve(login.token): login.user_id
            for login in connection.logins()
            if (name, login.key) in self.backends
        }
        for login in refused:
            del self.refused[name, login.key]
            self._open(name, connection, login, taken)
            await self._prove_login(name, login)
        return any((name, login.key) in self.backends for login in refused)

    async def _reach(self, name: str, connection: ConnectionSettings) -> None:
        logins, secrets = connection.logins(), dict[str, str]()
        for login in logins:
            self._open(name, connection, login, secrets)
        opened = [login for login in logins if (name, login.key) in self.backends]
        try:
            if not opened:
                raise self.refused[name, logins[0].key]
            await self._prove(name, connection, self.backends[name, opened[0].key])
            for login in opened:
                await self._prove_login(name, login)
            if not any(of == name for of, _ in self.backends):
                raise self.refused[name, opened[0].key]
        except PlayheadError as error:
            self.errors[name] = error
            for login in opened:
                await self._close(name, login)

    def _open(self, name: str, connection: ConnectionSettings, login: Login, secrets: dict[str, str]) -> None:
        """A backend for one login; ``secrets`` are the tokens of those before it, each with whose it is."""
        try:
            secret = self.installation.secrets.resolve(login.token)
            same = same_login(secrets.setdefault(secret, login.user_id), login.user_id)
            if not same and find_manifest(connection.kind).token_decides:
                raise UsageError(
                    f"The token of '{login.user}' on '{name}' is another login's as well.",
                    hint=f"Give '{login.user}' its own: playhead people link '{login.person}' '{name}' '{login.user}' --token -",
                )
            self.backends[name, login.key] = open_backend(self.installation, name, connection, login, secret)
        except PlayheadError as error:
            self.refused[name, login.key] = error

    async def _prove(self, name: str, connection: ConnectionSettings, backend: Backend) -> None:
        """See that the connection's server answers, and note its clock. Raises PlayheadError."""
        info = await backend.probe()
        if not connection.server_id:
            await self._complete(name, connection, info)
        elif info.server_id != connection.server_id:
            raise WrongServer(
                f"Another server answers for '{name}' than the one that was connected ({info.name} at {connection.url}).",
                hint=f"Give the right address: playhead connections set '{name}' --url URL",
            )
        self._note_clock(name, info.clock_skew_s or 0.0)
        log.info("reached", connection=name, server=info.name, version=info.version, skew_s=info.clock_skew_s)

    async def _prove_login(self, name: str, login: Login) -> None:
        """A token that lies elsewhere may have become another account's since."""
        backend = self.backends.get((name, login.key))
        if backend is None or not login.person or not login.token.startswith(("env:", "file:")):
            return
        try:
            await backend.check_account()
        except PlayheadError as error:
            self.refused[name, login.key] = error
            await self._close(name, login)

    async def _close(self, name: str, login: Login) -> None:
        if (opened := self.backends.pop((name, login.key), None)) is not None:
            await opened.close()

    def _note_clock(self, name: str, skew_s: float) -> None:
        self._skews[name] = skew_s
        if abs(skew_s) > self.installation.settings.guards.max_clock_skew_s:
            way = "ahead of" if skew_s > 0 else "behind"
            self.notes[name] = (
                f"Its clock is {abs(skew_s):.0f} s {way} the hub's; dates are corrected by that. Set both clocks by NTP."
            )

    async def _complete(self, name: str, connection: ConnectionSettings, info: ServerInfo) -> None:
        """Note who was met when a connection that was adopted unseen answers for the first time."""
        own = name, connection.user_id
        if own not in self.backends:
            raise self.refused[own]
        user = await self.backends[own].check_account()
        complete = msgspec.structs.replace(
            connection, server_id=info.server_id, user_id=user.id, user=user.name
        )
        self.installation.save_connection(name, complete, secret=None, replaces=name)
        self.backends[name, user.id] = self.backends.pop(own)

    def find_own_backend(self, connection_id: int) -> Backend | None:
        """What speaks with a connection's own token, whoever's that login is; None where it was not reached."""
        for linked in self.linked:
            if linked.key.connection_id == connection_id:
                name = linked.link.connection
                return self.backends.get((name, self.installation.settings.connections[name].user_id))
        return None

    def login(self, linked: Linked) -> Login:
        """The settings' entry of a login."""
        connection = self.installation.settings.connections[linked.link.connection]
        return next(each for each in connection.logins() if each.key == linked.link.user_id)

    def unreached(self) -> dict[str, PlayheadError]:
        """What could not be asked and why: connections by name, single logins as ``NAME (USER)``."""
        of = self.installation.settings.connections
        single = {
            f"{name} ({login.user})": self.refused[name, login.key]
            for name in of
            for login in of[name].linked()
            if name not in self.errors and (name, login.key) in self.refused
        }
        return {**self.errors, **single}

    async def read(
        self, names: Collection[str] | None, *, full: bool, progress: ReadProgress
    ) -> list[ReadResult]:
        """Read the named connections (None = all that are read or written: what is to be written must be known); servers
        out of reach have a failed result."""
        wanted = [
            (name, login)
            for name, connection in self.installation.settings.connections.items()
            if (names is None and (connection.read or connection.write))
            or (names is not None and name in names)
            for login in connection.linked()
        ]
        known = {(linked.link.connection, linked.link.user_id): linked for linked in self.linked}
        requests = [
            self._request(known[name, login.key])
            for name, login in wanted
            if (name, login.key) in self.backends
        ]
        with Readings(self.database, self._fallbacks()) as readings:
            results = await read_accounts(
                requests, readings, clock=lambda: int(time.time()), full=full, progress=progress
            )
        if not self._holding.holds():
            raise SettingsChanged
        complete = [result.account_id for result in results if result.status == "complete"]
        begin_anew(self.database, complete, int(time.time()))
        found = {result.account_id: result for result in results}
        read = [
            found.get(known[name, login.key].key.account_id) or self._failed(name, login)
            if (name, login.key) in known
            else self._failed(name, login)
            for name, login in wanted
        ]
        return [
            msgspec.structs.replace(result, user=login.user)
            for result, (_, login) in zip(read, wanted, strict=True)
        ]

    def _fallbacks(self) -> Fallbacks:
        """How items without ids are known: the settings' rules and each connection's folders."""
        settings = self.installation.settings
        paths = {
            linked.key.connection_id: PathMap(
                path.folder for path in settings.connections[linked.link.connection].paths
            )
            for linked in self.linked
        }
        return Fallbacks(settings.matching.file, settings.matching.title, paths)

    def _failed(self, name: str, login: Login) -> ReadResult:
        error = self.errors.get(name) or self.refused.get((name, login.key))
        return ReadResult(0, name, "failed", 0, 0, str(error) if error else "It was not reached.")

    def _request(self, linked: Linked) -> ReadRequest:
        name = linked.link.connection
        settings = self.installation.settings
        connection = settings.connections[name]
        return ReadRequest(
            account_id=linked.key.account_id,
            connection_id=linked.key.connection_id,
            connection=name,
            backend=self.backends[name, linked.link.user_id],
            capabilities=find_manifest(connection.kind).capabilities,
            takes=connection.libraries.takes,
            max_shrink_share=settings.guards.max_shrink_share,
            page_size=connection.options.get("page_size"),
            named=(*connection.libraries.include, *connection.libraries.exclude),
        )

    def context(self) -> Context:
        """What the flows that merge and write work with; the backends are those that were reached. A login that was another
        person's before takes part once it was read for the one whose it is now."""
        settings = self.installation.settings
        waiting = load_unbegun(self.database)
        roles = {
            linked.key.account_id: self._role(linked)
            for linked in self.linked
            if linked.key.account_id not in waiting
        }
        return Context(
            ledger=SqlLedger(self.database),
            turns=self._turns,
            roles=roles,
            now=time.time,
            began=self._began,
            still_holds=self._holding.holds,
            backends={
                linked.key.account_id: self.backends[linked.link.connection, linked.link.user_id]
                for linked in self.linked
                if linked.key.account_id in roles
                and (linked.link.connection, linked.link.user_id) in self.backends
            },
            policy=Policy(
                min_position_s=settings.progress.min_position_s,
                watched_threshold=settings.progress.watched_threshold,
                max_runtime_difference_s=settings.progress.max_runtime_difference_s,
            ),
            limits=Limits(
                max_removal_share=settings.guards.max_removal_share,
                max_removals_without_question=settings.guards.max_removals_without_question,
            ),
        )

    def _role(self, linked: Linked) -> AccountRole:
        name = linked.link.connection
        connection = self.installation.settings.connections[name]
        login = self.login(linked)
        can = find_manifest(connection.kind).capabilities
        skew = self._skews.get(name, 0.0)
        return AccountRole(
            account_id=linked.key.account_id,
            person_id=linked.person_id,
            connection_id=linked.key.connection_id,
            person=linked.link.person,
            connection=name,
            user=linked.link.user,
            kind=connection.kind,
            read=connection.read,
            write=connection.write and not login.shared,
            writes=can.writes,
            takes_date=can.takes_date,
            writes_at_once=can.writes_at_once,
            cheap_looks=can.cheap_looks,
            skew_s=skew if abs(skew) > SMALL_SKEW_S else 0.0,
            user_id=login.user_id,
            server_id=linked.link.server_id,
        )


@contextmanager
def open_hub(installation: Installation, *, alone: bool = False, scratch: bool = False) -> Iterator[Hub]:
    """Open the database of an installation. ``alone`` keeps a second run out; ``scratch`` works on a copy that is
    thrown away. Raises UsageError where nothing is connected yet."""
    home = installation.home
    if not installation.settings.connections:
        raise UsageError(
            f"Nothing is connected yet in {home.path}.",
            hint="Start with: playhead connect plex|jellyfin|emby",
        )
    home.prepare()
    with TemporaryDirectory(prefix="playhead-") as folder, _run_lock(home, alone):
        if scratch:
            _copy_database(home.database, Path(folder) / home.database.name)
        database = open_database(Path(folder) if scratch else home.path)
        try:
            if alone or scratch:
                finish_load(database)
            yield Hub(installation, database)
        finally:
            database.close()


@contextmanager
def _run_lock(home: Home, alone: bool) -> Iterator[None]:
    if not alone:
        yield
        return
    with only_one(home.run_lock, "A run"):
        yield


def _copy_database(source: Path, target: Path) -> None:
    if source.exists():
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new)
