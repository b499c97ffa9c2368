"""Follows the spool that a proxy before a Plex server writes, and posts its lines to the hub until each is stored there.

Stands alone: this file and Python 3.9 or newer, for a machine that has no Playhead. Lines go in order, each at least once;
what the hub took is written down before the next ones go: killing this loses nothing. It does not know what a line means.
"""

from __future__ import annotations

import argparse
import fcntl
import http.client
import json
import os
import random
import re
import sys
import time
import urllib.parse
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Optional

LINES_A_BODY = 500
BODY_BYTES = 512 * 1024
LONGEST_LINE_BYTES = 4 * 1024 * 1024
LOOK_EVERY_S, TIDY_EVERY_S = 0.05, 5.0
TORN_AFTER_S = 5.0
KEEP_WRITTEN_S = 60.0
BEGUN_FOR_S = 90.0  # nginx waits no longer for Plex's answer to a mark
LONGEST_WAIT_S, LONGEST_RETRY_AFTER_S = 30.0, 600.0
WRONG_ADDRESS_S = 60.0
ANSWER_WITHIN_S = 20.0

SPOOLED = re.compile(r"spool\..+\.ndjson\Z")
REFUSED, PLACE, LOCK = "refused.ndjson", "delivered.json", ".deliverer.lock"
LINE_BEGINS = '{"v":1,'


def say(text: str) -> None:
    """One line for whoever reads the service's log."""
    sys.stderr.write(f"playhead-proxy: {text}\n")
    sys.stderr.flush()


class Line(NamedTuple):
    """A line as it goes to the hub, None where it is none, and where the next one begins. nginx notes a request twice under one
    ``id``: when it has ``begun``, and with the server's answer."""

    text: Optional[bytes]  # noqa: UP045 - Python 3.9
    raw: bytes
    end: int
    id: str = ""
    begun: bool = False


class File(NamedTuple):
    """A file of the spool. ``key`` tells it from another one that gets the same name later."""

    path: Path
    key: str
    size: int
    written: float


class Spool:
    """The folder that nginx writes and this program reads and empties. ``keep_bytes`` bounds it."""

    def __init__(self, folder: Path, keep_bytes: int) -> None:
        self.folder = folder
        self.keep_bytes = keep_bytes
        with suppress(OSError):
            folder.chmod(0o700)
        self._place = self._load()
        self.refused = int(self._place.get("refused", 0))
        self.dropped_files = int(self._place.get("dropped_files", 0))
        self.begun: dict[str, tuple[float, str]] = dict(self._place.get("begun", {}))

    def _load(self) -> dict[str, Any]:
        with suppress(OSError, ValueError):
            return dict(json.loads((self.folder / PLACE).read_bytes()))
        return {}  # nothing written down: all is sent once more, which does no harm

    def _save(self, offsets: dict[str, int]) -> None:
        counts = {"refused": self.refused, "dropped_files": self.dropped_files}
        self._place = {"offsets": offsets, **counts, "begun": self.begun}
        new = self.folder / f"{PLACE}.new"
        try:
            with new.open("wb") as out:
                out.write(json.dumps(self._place).encode())
                out.flush()
                os.fsync(out.fileno())
            new.replace(self.folder / PLACE)
        except OSError as error:
            say(f"{new} cannot be written ({error.strerror}): after a restart some lines go once more.")

    def offsets(self) -> dict[str, int]:
        """How much of each file the hub has."""
        return dict(self._place.get("offsets", {}))

    def files(self) -> list[File]:
        """Oldest first: their names hold the hour."""
        found = []
        for entry in os.scandir(self.folder):
            if SPOOLED.match(entry.name):
                with suppress(FileNotFoundError):
                    told = entry.stat()
                    key = f"{entry.name}:{told.st_ino}"
                    found.append(File(Path(entry.path), key, told.st_size, told.st_mtime))
        return sorted(found, key=lambda file: file.path.name)

    def where(self, file: File) -> int:
        """The place up to which the hub has a file; 0 where it was cut meanwhile."""
        offset = int(self.offsets().get(file.key, 0))
        return offset if offset <= file.size else 0

    def take(self, now: float) -> tuple[File, list[Line]] | None:
        """The next lines and their file; None where there is nothing to send now."""
        files = self.files()
        for file in files:
            if (offset := self.where(file)) < file.size:
                newest = file is files[-1]
                lines = read_lines(
                    file.path, offset, torn_too=not newest and now - file.written > TORN_AFTER_S
                )
                if lines or not newest:
                    return (file, lines) if lines else None  # a torn end is waited for a moment
        return None

    def move_on(self, file: File, lines: list[Line]) -> None:
        """Write down that the hub has these, and what has begun and not ended; forget files that are gone."""
        for line in lines:
            self.begun.pop(line.id, None)
            if line.begun and line.text is not None:
                self.begun[line.id] = time.time(), line.text.decode()
        there = {found.key for found in self.files()}
        places = {**self.offsets(), file.key: lines[-1].end}.items()
        self._save({key: place for key, place in places if key in there})

    def list_unended(self, before: float) -> dict[str, bytes]:
        """What began before a time, by id, and of which no end was noted: nginx was killed over it."""
        return {id: text.encode() for id, (at, text) in self.begun.items() if at < before}

    def forget(self, id: str) -> None:
        """The hub was told of this one."""
        self.begun.pop(id, None)
        self._save(self.offsets())

    def set_aside(self, raw: bytes) -> None:
        """Keep what is no line, or is refused, out of the way."""
        path = self.folder / REFUSED
        with path.open("ab") as out:
            out.write(raw.rstrip(b"\n") + b"\n")
        if path.stat().st_size > self.keep_bytes // 8:
            path.replace(self.folder / f"{REFUSED}.old")
        self.refused += 1
        say(f"A line was set aside in {path} ({self.refused} so far).")

    def tidy(self, now: float) -> None:
        """Remove what the hub has and nobody writes any more; keep the spool within its bounds."""
        files = self.files()
        for file in files[:-1]:
            if self.where(file) == file.size and now - file.written > KEEP_WRITTEN_S:
                self._remove(file)
        files = self.files()
        if files and files[-1].size > self.keep_bytes // 4:
            self._begin_anew(files[-1])
            files = self.files()
        total = sum(file.size for file in files)
        while files and total > self.keep_bytes:
            oldest = files.pop(0)
            total -= oldest.size
            unsent = oldest.size - self.where(oldest)
            self.dropped_files += 1 if unsent else 0
            self._remove(oldest)
            if unsent:
                say(
                    f"The spool is full: {oldest.path.name} goes, with {unsent:,} bytes that the hub never got."
                )

    def _remove(self, file: File) -> None:
        """Its place is forgotten first: a file that gets its name and number is read from the start."""
        self._save({key: end for key, end in self.offsets().items() if key != file.key})
        file.path.unlink(missing_ok=True)

    def _begin_anew(self, file: File) -> None:
        """Put the file that is being written beside, with a name that sorts before the one nginx makes next."""
        stem = file.path.name[: -len(".ndjson")]
        names = (self.folder / f"{stem}.{number:04}.ndjson" for number in range(10_000))
        beside = next(path for path in names if not path.exists())
        moved = {f"{beside.name}:{file.key.rpartition(':')[2]}": self.where(file)}
        self._save({**self.offsets(), **moved})
        file.path.rename(beside)
        self._save({key: end for key, end in self.offsets().items() if key != file.key})

    def describe(self) -> dict[str, Any]:
        """What waits, for a person or a monitor."""
        waiting = {file.path.name: file.size - self.where(file) for file in self.files()}
        oldest = next((name for name, size in waiting.items() if size), None)
        told = {"waiting_bytes": sum(waiting.values()), "oldest": oldest}
        return {**told, "refused_lines": self.refused, "dropped_files": self.dropped_files}


def read_lines(path: Path, offset: int, *, torn_too: bool) -> list[Line]:
    """Lines from a place on, as many as go into one body. ``torn_too``: the rest without an end is one as well."""
    with path.open("rb") as source:
        source.seek(offset)
        chunk = source.read(LONGEST_LINE_BYTES)
    lines: list[Line] = []
    size, start = 0, 0
    while start < len(chunk) and len(lines) < LINES_A_BODY:
        end = chunk.find(b"\n", start) + 1
        if not end and (lines or not torn_too and len(chunk) < LONGEST_LINE_BYTES):
            break  # being written, or for the next read
        raw = chunk[start : end or len(chunk)]
        size += len(raw)
        if lines and size > BODY_BYTES:
            break
        start += len(raw)
        lines.append(read_line(raw, offset + start))
    return lines


def read_line(raw: bytes, end: int) -> Line:
    """A line in clean UTF-8. Of a torn one with a whole one behind it the whole one."""
    text = raw.strip().decode("utf-8", "replace")
    for begin in (0, text.rfind(LINE_BEGINS)):
        with suppress(ValueError, RecursionError):
            told = json.loads(text[max(begin, 0) :])
            if isinstance(told, dict):
                clean = json.dumps(told, separators=(",", ":")).encode()
                id = str(told.get("id", ""))
                return Line(clean, raw, end, id, begun=bool(id) and told.get("status") == 0)
    return Line(None, raw, end)


class Hub:
    """The address to which lines are posted. It is a secret: ``name`` is what may be said of it."""

    def __init__(self, url: str, answer_within_s: float = ANSWER_WITHIN_S) -> None:
        parts = urllib.parse.urlsplit(url.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("that is no address such as http://10.0.0.2:7529/webhooks/Den/SECRET")
        make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self.name = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._line = make(parts.hostname, parts.port, timeout=answer_within_s)
        self._used = False

    def post(self, lines: list[bytes]) -> tuple[int, str]:
        """Status of the answer and its Retry-After; where there is no answer 0 and why."""
        headers = {"Content-Type": "application/x-ndjson", "X-Playhead-Proxy": "1"}
        while True:
            used, self._used = self._used, False
            try:
                self._line.request("POST", self._path, b"\n".join(lines) + b"\n", headers)
                answer = self._line.getresponse()
                answer.read(64 * 1024)
            except (OSError, http.client.HTTPException) as error:
                self._line.close()
                if used:
                    continue  # the line had been closed over there while nobody spoke
                return 0, type(error).__name__
            self._used = True
            return answer.status, answer.getheader("Retry-After") or ""


class Deliverer:
    """Takes from the spool, posts, and writes down how far it got."""

    def __init__(self, spool: Spool, hub: Hub) -> None:
        self._spool = spool
        self._hub = hub
        self._trouble = ""
        self._failures = 0
        self._tidied = 0.0

    def run(self, *, once: bool) -> None:
        """Deliver for ever; ``once``: until nothing is left to send."""
        while True:
            self._tidy()
            taken = self._spool.take(time.time())
            if taken is not None:
                self._deliver(*taken)
                continue
            self._deliver_unended(time.time() - (0 if once else BEGUN_FOR_S))
            if once:
                return
            time.sleep(LOOK_EVERY_S)

    def _deliver(self, file: File, lines: list[Line]) -> None:
        """All of these, halving what the hub refuses until the refused line stands alone."""
        good = [line.text for line in lines if line.text is not None and not line.begun]
        taken = not good or self._post(good)
        if not taken and len(lines) > 1:
            middle = len(lines) // 2
            self._deliver(file, lines[:middle])
            self._deliver(file, lines[middle:])
            return
        for line in lines:
            if not taken or (line.text is None and line.raw.strip()):
                self._spool.set_aside(line.raw)
        self._spool.move_on(file, lines)

    def _deliver_unended(self, before: float) -> None:
        for id, text in self._spool.list_unended(before).items():
            if not self._post([text]):
                self._spool.set_aside(text)
            self._spool.forget(id)

    def _post(self, lines: list[bytes]) -> bool:
        """Post until it is taken, or refused for what is in it: False."""
        while True:
            status, told = self._hub.post(lines)
            if 200 <= status < 300 or status in (400, 413):
                self._recover()
                return status < 300
            if status in (0, 408, 429) or status >= 500:
                self._wait(self._next_pause(told), f"{self._hub.name} takes no lines now ({status or told}).")
            else:
                trouble = f"The address at {self._hub.name} is wrong ({status}). See: playhead webhooks list."
                self._wait(WRONG_ADDRESS_S, trouble)

    def _next_pause(self, told: str) -> float:
        self._failures += 1
        pause = min(LONGEST_WAIT_S, 0.25 * 2.0 ** min(self._failures, 10)) * random.uniform(0.75, 1.0)
        return min(float(told), LONGEST_RETRY_AFTER_S) if told.isdigit() else pause

    def _wait(self, seconds: float, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            say(f"{trouble} The spool is kept; it goes on by itself.")
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._tidy()
            time.sleep(min(left, TIDY_EVERY_S))

    def _recover(self) -> None:
        if self._trouble:
            say(f"{self._hub.name} takes lines again.")
        self._trouble, self._failures = "", 0

    def _tidy(self) -> None:
        if (now := time.monotonic()) - self._tidied > TIDY_EVERY_S:
            self._tidied = now
            self._spool.tidy(time.time())


def find_url(given: str | None, file: Path | None) -> str:
    """The hub's address: as given, in a file, else in the environment. Raises ValueError."""
    if given:
        return given
    if file is not None:
        return file.read_text().strip()
    if url := os.environ.get("PLAYHEAD_PROXY_URL", "").strip():
        return url
    manager, token = (os.environ.get(f"CLUSTER_MANAGER{end}", "").strip() for end in ("", "_TOKEN"))
    if not manager:
        raise ValueError("no address: give --url-file FILE or PLAYHEAD_PROXY_URL (or CLUSTER_MANAGER)")
    parts = urllib.parse.urlsplit(manager if "://" in manager else f"http://{manager}")
    query = urllib.parse.urlencode({"token": token})
    return urllib.parse.urlunsplit((parts.scheme, parts.netloc, parts.path or "/", query, ""))


def deliver(folder: Path, url: str, *, keep_mb: int, once: bool = False) -> None:
    """Follow a spool. Raises ValueError for no address, BlockingIOError where another one follows it, OSError."""
    hub = Hub(url)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        Deliverer(Spool(folder, keep_mb * 1024 * 1024), hub).run(once=once)


def main() -> int:
    """The command line of the file when it stands alone."""
    parser = argparse.ArgumentParser(description="Posts what nginx noted before Plex to a Playhead hub.")
    parser.add_argument("--spool", type=Path, required=True, help="the folder that nginx writes")
    parser.add_argument("--url-file", type=Path, help="a file with the hub's address (it holds a secret)")
    parser.add_argument("--url", help="the address itself; others on this machine can see it")
    parser.add_argument("--keep-mb", type=int, default=256, help="how large the spool may grow (256)")
    parser.add_argument("--once", action="store_true", help="end when nothing is left to send")
    parser.add_argument("--status", action="store_true", help="print what waits, as JSON, and end")
    options = parser.parse_args()
    try:
        if options.status:
            sys.stdout.write(json.dumps(Spool(options.spool, 1).describe()) + "\n")
        else:
            url = find_url(options.url, options.url_file)
            deliver(options.spool, url, keep_mb=options.keep_mb, once=options.once)
    except BlockingIOError:
        say(f"Another deliverer follows {options.spool} already.")
        return 1
    except (OSError, ValueError, KeyboardInterrupt) as error:
        say(str(error) or "Interrupted.")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
