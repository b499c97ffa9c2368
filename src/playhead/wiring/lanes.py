"""The connections whose libraries can be scanned: each a lane with its server behind it, met anew when its token changed."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import Any, cast

from playhead.domain.library.mapping import PathMap
from playhead.flows.library_lane import Lane, Pace
from playhead.library_settings import ScanSettings
from playhead.ports.backend import Backend
from playhead.ports.disk import Disk
from playhead.ports.errors import Unauthorized, WrongServer
from playhead.ports.library_jobs import LibraryJobs
from playhead.ports.scans import FileItem, ScanBegun, ScannedLibrary, Scans
from playhead.settings import ConnectionSettings
from playhead.wiring.installation import Installation, find_manifest, load_named


def list_scanning(installation: Installation, names: Collection[str] = ()) -> list[str]:
    """The connections that are scanned, of these (none given = of all)."""
    return [
        name
        for name, connection in installation.settings.connections.items()
        if connection.scan and _can_scan(connection) and (not names or name in names)
    ]


def _can_scan(connection: ConnectionSettings) -> bool:
    return hasattr(load_named(find_manifest(connection.kind).backend), "begin_scan")


def _keeps_trash(connection: ConnectionSettings) -> bool:
    return hasattr(load_named(find_manifest(connection.kind).backend), "empty_trash")


def make_lanes(
    installation: Installation, jobs: LibraryJobs, disk: Disk, names: Collection[str] = ()
) -> list[Lane]:
    """A lane for each connection that is scanned; nothing is asked of a server yet."""
    connections = installation.settings.connections
    return [
        Lane(
            name,
            (ReachedWithTrash if _keeps_trash(connections[name]) else Reached)(installation, name),
            jobs,
            disk,
            time.time,
            PathMap(mapping.folder for mapping in connections[name].paths),
            tuple(connections[name].anchors),
            make_pace(installation.settings.scans),
        )
        for name in list_scanning(installation, names)
    ]


def make_pace(scans: ScanSettings) -> Pace:
    """How long is waited for what."""
    return Pace(
        scans.quiet_s, max(scans.longest_quiet_s, scans.quiet_s), scans.look_for_s, scans.busy_longest_s,
        appear_within_s=scans.appear_within_s,
    )  # fmt: skip


async def close_lanes(lanes: Sequence[Lane]) -> None:
    """Let the servers go."""
    for lane in lanes:
        if isinstance(lane.scans, Reached):
            await lane.scans.close()


class Reached:
    """Meets ``Scans`` for one connection: its server is met at the first need, seen to be the right one, and
    met anew after it refused the token."""

    def __init__(self, installation: Installation, name: str) -> None:
        self._installation = installation
        self._name = name
        self._backend: Backend | None = None

    async def list_scanned(self) -> list[ScannedLibrary]:
        """As the backend does."""
        return cast(list[ScannedLibrary], await self._call("list_scanned"))

    async def begin_scan(self, library_id: str, path: str | None) -> ScanBegun:
        """As the backend does."""
        return cast(ScanBegun, await self._call("begin_scan", library_id, path))

    async def find_files(
        self, library_id: str, paths: Sequence[str], *, thorough: bool = False
    ) -> list[FileItem]:
        """As the backend does."""
        return cast(list[FileItem], await self._call("find_files", library_id, paths, thorough=thorough))

    async def list_newest(self, library_id: str, count: int, start: int = 0) -> list[FileItem]:
        """As the backend does."""
        return cast(list[FileItem], await self._call("list_newest", library_id, count, start))

    async def close(self) -> None:
        """Let the server go."""
        backend, self._backend = self._backend, None
        if backend is not None:
            await backend.close()

    async def _call(self, method: str, *arguments: object, **options: object) -> Any:
        backend = await self._meet()
        try:
            return await getattr(backend, method)(*arguments, **options)
        except Unauthorized:
            await self.close()
            raise

    async def _meet(self) -> Backend:
        if self._backend is not None:
            return self._backend
        connection = self._installation.settings.connections[self._name]
        backend = self._installation.make_backend(connection)
        try:
            info = await backend.probe()
            if connection.server_id and info.server_id != connection.server_id:
                raise WrongServer(
                    f"Another server answers for '{self._name}' than the one that was connected ({info.name}).",
                    hint=f"Give the right address: playhead connections set '{self._name}' --url URL",
                )
            assert isinstance(backend, Scans)
        except BaseException:
            await backend.close()
            raise
        self._backend = backend
        return backend


class ReachedWithTrash(Reached):
    """The same where the server keeps what is gone until it is told otherwise: meets ``EmptiesTrash`` as well."""

    async def empty_trash(self, library_id: str) -> None:
        """As the backend does."""
        await self._call("empty_trash", library_id)
