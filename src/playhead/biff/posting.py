"""Posts to the hub what a mail named, and keeps for later what the hub did not take.

Python 3.9 and its standard library alone: this goes into the script for machines without Playhead.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Iterator, NamedTuple, Sequence  # noqa: UP035 - Python 3.9

ANSWER_BYTES = 64 * 1024
TRY_AGAIN_AFTER_S = (1.0, 2.0)
KEPT_LINES, KEPT_FOR_S = 1_000, 7 * 24 * 3600.0


class Settings(NamedTuple):
    """Where the hub is, by which key, and what to do with what it does not take."""

    url: str
    key: str
    spool: Path | None
    ca_file: str
    timeout_s: float
    patterns: list[re.Pattern[str]]
    location: re.Pattern[str] | None
    paths: bool


class Outcome(NamedTuple):
    """What became of one download. ``again``: it is worth sending later."""

    taken: bool
    again: bool
    words: str


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """The key goes to nobody but the address that was given."""


def post(settings: Settings, body: dict[str, Any]) -> Outcome:
    """Ask the hub once."""
    request = urllib.request.Request(
        settings.url.rstrip("/") + "/api/v1/scans",
        data=json.dumps(body).encode(),
        headers={
            "Content-Type": "application/json",
            "X-Api-Key": settings.key,
            "User-Agent": "playhead-biff",
        },
    )
    try:
        with _make_opener(settings).open(request, timeout=settings.timeout_s) as answer:
            told = _read_answer(answer)
        place = urllib.parse.urljoin(request.full_url, str(told.get("url") or ""))
        return Outcome(True, False, f"taken, see {place}")
    except urllib.error.HTTPError as error:
        told = _read_answer(error)
        words = next(
            (str(told[key]) for key in ("message", "error", "detail") if told.get(key)), str(error.reason)
        )
        again = error.code in (401, 403, 408, 425, 429) or error.code >= 500
        return Outcome(False, again, f"{error.code}: {words}")
    except (
        OSError,
        ValueError,
    ) as error:  # urllib's and http.client's own are among them, but for a cut answer
        return Outcome(False, True, f"the hub did not answer ({getattr(error, 'reason', error)})")


def _make_opener(settings: Settings) -> urllib.request.OpenerDirector:
    handlers: list[Any] = [_NoRedirect]
    if settings.url.startswith("https:"):
        context = ssl.create_default_context(cafile=settings.ca_file or None)
        handlers.append(urllib.request.HTTPSHandler(context=context))
    return urllib.request.build_opener(*handlers)


def _read_answer(answer: Any) -> dict[str, Any]:
    with suppress(Exception):  # whatever stands there, the status counts
        told = json.loads(answer.read(ANSWER_BYTES))
        return told if isinstance(told, dict) else {}
    return {}


def deliver(
    settings: Settings, body: dict[str, Any], waits_s: Sequence[float] = TRY_AGAIN_AFTER_S
) -> Outcome:
    """Ask the hub, and again after each of the waits."""
    outcome = post(settings, body)
    for wait_s in waits_s:
        if outcome.taken or not outcome.again:
            break
        time.sleep(wait_s)
        outcome = post(settings, body)
    return outcome


@contextmanager
def locked(path: Path, *, wait: bool) -> Iterator[bool]:
    """Hold a lock beside the spool; whether it was to be had."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True


def change_spool(spool: Path, *, add: Sequence[dict[str, Any]] = (), drop: Sequence[str] = ()) -> list[str]:
    """Add bodies and drop lines in one step that no killed process leaves half done; the lines that then wait."""
    with locked(spool.with_name(spool.name + ".lock"), wait=True):
        before = spool.read_text(encoding="utf-8").splitlines() if spool.exists() else []
        lines = [line for line in before if line not in drop]
        lines += [json.dumps({"at": time.time(), "body": body}) for body in add if not _waits(body, lines)]
        if lines == before:
            return lines
        new = spool.with_name(spool.name + ".new")
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in lines[-KEPT_LINES:]))
            file.flush()
            os.fsync(file.fileno())
        new.replace(spool)
        return lines


def _waits(body: dict[str, Any], lines: Sequence[str]) -> bool:
    return any(line.endswith(f'"body": {json.dumps(body)}}}') for line in lines)


def deliver_spool(settings: Settings, spool: Path, now: float) -> list[str]:
    """Send what waits, as long as the hub takes it; one line for each that has come to an end."""
    told = []
    with locked(spool.with_name(spool.name + ".sending"), wait=False) as mine:
        for line in change_spool(spool) if mine else []:
            try:
                entry = json.loads(line)
                body, old = dict(entry["body"]), now - float(entry["at"]) > KEPT_FOR_S
            except (ValueError, KeyError, TypeError):
                body, old = {"name": "a torn line"}, True
            outcome = Outcome(False, False, "given up after a week") if old else deliver(settings, body, ())
            if outcome.again:
                break
            told.append(f"{name_body(body)} (from earlier): {outcome.words}")
            change_spool(spool, drop=[line])
    return told


def name_body(body: dict[str, Any]) -> str:
    """What a body asks for, in a word."""
    return str(body.get("name") or (body.get("paths") or ["?"])[0])
