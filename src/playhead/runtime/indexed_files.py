"""Finds files by name in the index, so that nobody walks the libraries for each name that is asked for.

A folder that is asked about for the first time is looked at first, and a name that is not found is looked for once more after the
folders that changed were read: by a look that began after the question, for the file may have come while an earlier one went on.
A share that hangs keeps nobody waiting for long.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Sequence

from playhead.kit.log import Log
from playhead.ports.disk import Search
from playhead.ports.file_index import Compared, FileIndex, Root

log = Log(__name__)

FIND_WITHIN_S = 120.0
MOST_FOUND = 50


class IndexedFiles:
    """Meets ``ports.disk.FindsFiles``. ``roots`` are the folders that are known from the start; others join when they are asked
    about."""

    def __init__(
        self,
        index: FileIndex,
        roots: Sequence[Root] = (),
        *,
        find_within_s: float = FIND_WITHIN_S,
    ) -> None:
        self._index = index
        self._roots = {root.path.rstrip("/") or "/": root for root in roots}
        self._within_s = find_within_s
        self._order = itertools.count()  # of questions and looks
        self._looks: dict[
            str, tuple[int, asyncio.Task[Compared]]
        ] = {}  # by root, each with its place in the order
        self._next: dict[str, asyncio.Task[Compared]] = {}
        self._kept = False
        self._away: set[str] = set()

    async def find(self, name: str, folders: Sequence[str]) -> Search:
        """All paths below these folders whose last part is ``name``; ``looked_in`` are those of the folders that can be seen."""
        wanted = [folder.rstrip("/") or "/" for folder in folders]
        asked = next(self._order)
        await self._keep(wanted)
        try:
            async with asyncio.timeout(self._within_s):
                states = {state.path: state for state in await asyncio.to_thread(self._index.list_states)}
                new = [each for each in map(self._root_of, wanted) if not states[each].whole]
                await asyncio.gather(*(self._look(root, asked) for root in dict.fromkeys(new)))
                found = await self._ask(name, wanted)
                if not found:
                    roots = dict.fromkeys(map(self._root_of, wanted))
                    await asyncio.gather(*(self._look(root, asked) for root in roots))
                    found = await self._ask(name, wanted)
        except TimeoutError:
            found = await self._ask(name, wanted)  # what is known so far; the look goes on
        return Search(tuple(found), tuple(await asyncio.to_thread(self._list_seen, wanted)))

    def _list_seen(self, folders: Sequence[str]) -> list[str]:
        """Those that are there and of which all is known: nobody can say that a name is not in the others."""
        whole = [
            each.path for each in self._index.list_states() if each.whole and each.path not in self._away
        ]
        return [folder for folder in folders if _is_below_any(folder, whole) and os.path.isdir(folder)]

    async def begin(self) -> None:
        """Bring up to date what is known from earlier; a folder that nobody asked about is left alone."""
        await self.refresh()

    async def note(self, paths: Sequence[str]) -> None:
        """Something happened to these paths, somebody says: their folders are read anew where they are known."""
        folders: dict[str, list[str]] = {}
        for path in paths:
            if _is_below_any(path, list(self._roots)):
                folders.setdefault(self._root_of(path), []).append(os.path.dirname(path))
        for root, changed in folders.items():
            await asyncio.to_thread(self._index.compare_folders, root, list(dict.fromkeys(changed)))

    async def refresh(self) -> list[Compared]:
        """Compare all roots, as from time to time, for what no watcher told."""
        await self._keep(())
        asked = next(self._order)
        return list(await asyncio.gather(*(self._look(root, asked) for root in self._roots)))

    async def _ask(self, name: str, folders: Sequence[str]) -> list[str]:
        """Of what the index has, what is there: a deletion may be news."""

        def ask() -> list[str]:
            held = [path for path in self._index.find(name, 10 * MOST_FOUND) if _is_below_any(path, folders)]
            return [path for path in held if os.path.lexists(path)][:MOST_FOUND]

        return await asyncio.to_thread(ask)

    async def _keep(self, folders: Sequence[str]) -> None:
        """Let the index know of folders that no root holds yet."""
        if not self._kept:
            for state in await asyncio.to_thread(self._index.list_states):  # of earlier runs
                self._roots.setdefault(state.path, Root(state.path))
        new = [folder for folder in folders if not _is_below_any(folder, list(self._roots))]
        if not new and self._kept:
            return
        self._roots |= {folder: Root(folder) for folder in new}
        self._kept = True
        await asyncio.to_thread(self._index.keep_roots, list(self._roots.values()))

    def _root_of(self, folder: str) -> str:
        return min((root for root in self._roots if _is_below_any(folder, [root])), key=len)

    async def _look(self, root: str, asked: int) -> Compared:
        """Compare a root; all who asked before that began share the outcome."""
        began, look = self._looks.get(root, (-1, None))
        if look is None or began < asked:
            look = self._next.get(root)
            if look is None:
                look = self._next[root] = asyncio.create_task(self._look_next(root))
        return await asyncio.shield(look)

    async def _look_next(self, root: str) -> Compared:
        """A look of its own, when that which goes on has ended."""
        _, earlier = self._looks.get(root, (-1, None))
        if earlier is not None:
            await asyncio.wait([earlier])
        del self._next[root]
        look = asyncio.create_task(asyncio.to_thread(self._index.compare, root))
        self._looks[root] = (next(self._order), look)
        look.add_done_callback(lambda task: self._note(root, task))
        return await asyncio.shield(look)

    def _note(self, root: str, task: asyncio.Task[Compared]) -> None:
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            log.warning("the folders could not be compared", folder=root, error=str(error))
        elif root in task.result().away:
            self._away.add(root)
        else:
            self._away.discard(root)


def _is_below_any(path: str, folders: Sequence[str]) -> bool:
    return any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in folders)
