"""Files that are never half written, and a lock that keeps a second writer out. Knows nothing of what is in them."""

from __future__ import annotations

import asyncio
import fcntl
import math
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO

from playhead.ports.errors import PlayheadError


def write_atomically(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Replace a file by new content: whoever reads sees the old or the new, also after a crash.

    ``mode`` None keeps that of the file that is replaced (0644 for a new one).
    """
    if mode is None:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def only_one(path: Path, what: str, *, wait: bool = False) -> Iterator[None]:
    """Hold a lock file, or the lock of a folder, for a while. Raises PlayheadError, naming ``what`` goes on, where another
    process holds it."""
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            raise PlayheadError(
                f"{what} is already going on in {path.parent}.",
                hint="Wait until it has ended, then run this again.",
            ) from error
        yield
    finally:
        os.close(handle)


@asynccontextmanager
async def one_by_one(
    path: Path, *, look_every_s: float = 0.01, within_s: float = math.inf
) -> AsyncIterator[bool]:
    """Hold a lock file that others hold for short times: waits for its turn without keeping the event loop. False where it
    did not come in time."""
    deadline = time.monotonic() + within_s
    with path.open("a") as file:
        while not (mine := _seize(file)) and time.monotonic() < deadline:  # noqa: ASYNC110 - another process has it
            await asyncio.sleep(look_every_s)
        yield mine


@contextmanager
def at_once(path: Path) -> Iterator[bool]:
    """Hold a lock file if nobody else does now; False where somebody does."""
    with path.open("a") as file:
        yield _seize(file)


def _seize(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
