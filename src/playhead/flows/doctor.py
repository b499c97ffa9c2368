"""Looks at an installation and says for each part whether it is well, and what to try next where it is not.

One function for each check; written against ports and plain callables, changes nothing. A check that itself fails is a
finding, never a crash.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from playhead.ports.arrivals import ArrInfo, CatchesUp
from playhead.ports.backend import Backend, Library, ServerInfo
from playhead.ports.errors import BackendError, PlayheadError, TokenRefused, Unauthorized
from playhead.ports.events import RegistersWebhooks

Result = Literal["ok", "warn", "fail"]


class Finding(msgspec.Struct, frozen=True):
    """The outcome of one check. ``subject`` is what was looked at, ``hint`` the next thing to try."""

    check: str
    subject: str
    result: Result
    message: str
    hint: str = ""


class Patient(msgspec.Struct, frozen=True, kw_only=True):
    """One connection to be examined. ``tested`` are the version beginnings that Playhead was tried with; ``sign_in_again`` is the
    command for it, ``note_token`` is called once the token was taken."""

    name: str
    title: str
    server_id: str
    user: str
    make_backend: Callable[[], Backend]
    takes: Callable[[str, str], bool]
    tested: tuple[str, ...] = ()
    max_clock_skew_s: float = 300
    sign_in_again: str = ""
    note_token: Callable[[], None] = lambda: None


class Informant(msgspec.Struct, frozen=True, kw_only=True):
    """One Sonarr or Radarr to be examined. ``is_told`` says whether one of its webhooks' addresses is the hub's."""

    name: str
    open_net: Callable[[], CatchesUp]
    is_told: Callable[[str], bool]
    max_clock_skew_s: float = 300


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What waits in the database."""

    conflicts: int = 0
    held: int = 0
    queued: int = 0
    stuck: int = 0


def check_home(path: Path) -> Finding:
    """The folder is there and can be written."""
    if not path.exists():
        return Finding("home", str(path), "warn", "is not there yet", "It is made at the first connect.")
    if not os.access(path, os.W_OK | os.X_OK):
        return Finding(
            "home", str(path), "fail", "cannot be written", f"Give it to yourself: chown -R $(id -un) {path}"
        )
    return Finding("home", str(path), "ok", "can be written")


def check_settings(path: Path, load: Callable[[], int]) -> Finding:
    """The settings can be read; ``load`` gives the number of connections."""
    try:
        count = load()
    except PlayheadError as error:
        return Finding("settings", str(path), "fail", error.message, error.hint)
    if count == 0:
        return Finding(
            "settings",
            str(path),
            "warn",
            "no connections yet",
            "Start with: playhead connect plex|jellyfin|emby",
        )
    return Finding("settings", str(path), "ok", f"valid, {count} connection{'s' if count != 1 else ''}")


def check_key(path: Path) -> Finding:
    """Only the owner can read the key to the tokens."""
    if not path.exists():
        return Finding("key", str(path), "ok", "not needed yet, or given by PLAYHEAD_SECRET_KEY")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return Finding(
            "key", str(path), "fail", f"others can read it (mode {mode:04o})", f"Run: chmod 600 {path}"
        )
    return Finding("key", str(path), "ok", "only its owner can read it")


def check_database(path: Path, examine: Callable[[], str]) -> Finding:
    """``examine`` opens the database and gives its version; it raises PlayheadError when something is wrong."""
    if not path.exists():
        return Finding("database", str(path), "ok", "not there yet: the first import makes it")
    try:
        return Finding("database", str(path), "ok", f"intact, version {examine()}")
    except PlayheadError as error:
        return Finding(
            "database", str(path), "fail", error.message, error.hint or "Restore it from a backup."
        )


def check_counts(counts: Counts) -> list[Finding]:
    """Nothing waits for a person, and nothing is stuck."""
    return [
        _count(
            "conflicts",
            counts.conflicts,
            "items whose ids contradict each other",
            "Look at them with: playhead held",
        ),
        _count("held", counts.held, "questions wait for an answer", "Look at them with: playhead held"),
        _count(
            "outbox",
            counts.stuck,
            "writes failed again and again",
            "Look at them with: playhead history --failed",
        ),
    ]


def _count(check: str, number: int, what: str, hint: str) -> Finding:
    if number:
        return Finding(check, "database", "warn", f"{number} {what}", hint)
    return Finding(check, "database", "ok", "none")


async def check_patient(patient: Patient) -> list[Finding]:
    """Ask one server everything: reachable, same server, version, clock, token and user, libraries."""
    try:
        backend = patient.make_backend()
    except PlayheadError as error:
        return [Finding("token", patient.name, "fail", error.message, error.hint)]
    findings: list[Finding] = []
    try:
        info = await backend.probe()
        findings.append(
            Finding("reachable", patient.name, "ok", f"{info.name}, {patient.title} {info.version}")
        )
        findings += [_check_id(patient, info), _check_version(patient, info), _check_clock(patient, info)]
        user = await backend.check_account()
        patient.note_token()
        findings.append(
            Finding("token", patient.name, "ok", f"works for {user.name if user.named else patient.user}")
        )
        findings.append(_check_libraries(patient, await backend.list_libraries()))
    except TokenRefused as error:
        hint = f"Sign in again: {patient.sign_in_again}" if patient.sign_in_again else error.hint
        findings.append(Finding("token", patient.name, "fail", error.message, hint))
    except BackendError as error:
        check = "token" if findings else "reachable"
        findings.append(Finding(check, patient.name, "fail", error.message, error.hint))
    finally:
        await backend.close()
    return findings


async def check_informant(informant: Informant) -> list[Finding]:
    """Ask a Sonarr or Radarr: reachable, clock, its root folders, whether it posts to the hub."""
    name = informant.name
    try:
        net = informant.open_net()
    except PlayheadError as error:
        return [Finding("key", name, "fail", error.message, error.hint)]
    findings: list[Finding] = []
    try:
        info = await net.probe()
        findings.append(Finding("reachable", name, "ok", f"{info.instance}, {info.product} {info.version}"))
        findings.append(_check_clock(informant, info))
        findings.append(_check_roots(name, await net.find_offline()))
        if isinstance(net, RegistersWebhooks):
            findings.append(_check_told(informant, await net.list_webhooks()))
    except BackendError as error:
        check = "key" if isinstance(error, Unauthorized) else "reachable"
        findings.append(Finding(check, name, "fail", error.message, error.hint))
    finally:
        await net.close()
    return findings


def _check_roots(name: str, offline: Sequence[str]) -> Finding:
    if offline:
        told = ", ".join(offline)
        return Finding(
            "folders",
            name,
            "warn",
            f"it cannot reach {told}",
            "Is the disk mounted there? What lies on it waits.",
        )
    return Finding("folders", name, "ok", "it reaches all its root folders")


def _check_told(informant: Informant, urls: Sequence[str]) -> Finding:
    if any(informant.is_told(url) for url in urls):
        return Finding("webhook", informant.name, "ok", "it posts to the hub")
    return Finding(
        "webhook",
        informant.name,
        "warn",
        "it does not post to the hub, so that files are found only at the next look",
        f"Tell it to: playhead webhooks register '{informant.name}'",
    )


def _check_id(patient: Patient, info: ServerInfo) -> Finding:
    if patient.server_id and info.server_id != patient.server_id:
        return Finding(
            "server",
            patient.name,
            "fail",
            "another server answers at this address than the one that was connected",
            f"Give the address of the right one: playhead connections set '{patient.name}' --url URL",
        )
    return Finding("server", patient.name, "ok", "the one that was connected")


def _check_version(patient: Patient, info: ServerInfo) -> Finding:
    if patient.tested and not info.version.startswith(patient.tested):
        known = ", ".join(version.rstrip(".") for version in patient.tested)
        return Finding(
            "version",
            patient.name,
            "warn",
            f"{info.version} was never tried; known are {known}",
            "It may well work.",
        )
    return Finding("version", patient.name, "ok", info.version)


def _check_clock(patient: Patient | Informant, info: ServerInfo | ArrInfo) -> Finding:
    skew = info.clock_skew_s
    if skew is not None and abs(skew) > patient.max_clock_skew_s:
        way = "ahead of" if skew > 0 else "behind"
        return Finding(
            "clock",
            patient.name,
            "warn",
            f"{abs(skew):.0f} s {way} the hub's",
            "Set both clocks by NTP; until then dates may mislead.",
        )
    return Finding(
        "clock", patient.name, "ok", "agrees with the hub's" if skew is not None else "not told by the server"
    )


def _check_libraries(patient: Patient, libraries: Sequence[Library]) -> Finding:
    taken = [library.title for library in libraries if patient.takes(library.id, library.title)]
    if not taken:
        known = ", ".join(library.title for library in libraries) or "none"
        return Finding(
            "libraries",
            patient.name,
            "warn",
            f"none takes part; there are: {known}",
            f"Choose some: playhead connections set '{patient.name}' --libraries A,B",
        )
    return Finding("libraries", patient.name, "ok", ", ".join(taken))
