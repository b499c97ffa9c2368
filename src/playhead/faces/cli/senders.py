"""Senders (Sonarr, Radarr) as ``playhead connections`` shows, changes and removes them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from playhead.faces.cli.asking import confirm_or_refuse
from playhead.faces.cli.finding import take_token
from playhead.faces.cli.session import Session
from playhead.library_settings import PathMapping
from playhead.ports.errors import UsageError
from playhead.sender_settings import SenderSettings
from playhead.wiring.installation import read_url
from playhead.wiring.senders import check_sender, find_sender_manifest, remove_sender, save_sender


def describe_sender(name: str, sender: SenderSettings) -> dict[str, Any]:
    """A sender for a script; its key only as the reference."""
    fields = {each: getattr(sender, each) for each in sender.__struct_fields__}
    return {"name": name, "sender": True, **msgspec.to_builtins(fields)}


_OWN = {"url", "token", "path", "look_every", "sweep_every", "rename"}
_OF_ALL = {"name", "dry_run", "home", "json", "verbose"}


def change_sender(session: Session, name: str, given: Mapping[str, Any]) -> tuple[str, SenderSettings]:
    """Check and save the options that were ``given`` to ``connections set``. Raises UsageError, BackendError."""
    old = session.settings.senders[name]
    told = {option for option, value in given.items() if value not in (None, ()) and value is not False}
    told |= {option for option in ("read", "write", "listen") if given[option] is False}
    if wrong := sorted(told - _OWN - _OF_ALL):
        raise UsageError(
            f"'{name}' is a {old.kind}: it has no --{wrong[0].replace('_', '-')}.",
            hint="It has --url, --token (its API key), --path, --look-every, --sweep-every and --rename.",
        )
    if not told & _OWN:
        raise UsageError(
            f"Nothing to change on '{name}' was given.", hint="See: playhead connections set --help"
        )
    target = _choose_name(session, name, given["rename"])
    key, url = given["token"], given["url"]
    plain = {
        "url": url and read_url(find_sender_manifest(old.kind), url),
        "paths": None if given["path"] is None else read_paths(given["path"]),
        "look_every_s": given["look_every"],
        "sweep_every_s": given["sweep_every"],
    }
    new = msgspec.structs.replace(old, **{each: value for each, value in plain.items() if value is not None})
    reference, secret = take_token(session, key) if key else (None, None)
    new = msgspec.structs.replace(new, key=reference) if reference else new
    if key or url:
        asyncio.run(check_sender(session.installation, new, secret))
    if not given["dry_run"]:
        stored = None if reference else secret
        new = save_sender(session.installation, target, new, secret=stored, replaces=name)
    return target, new


def _choose_name(session: Session, name: str, rename: str | None) -> str:
    target = rename or name
    taken = {each.casefold() for each in (*session.settings.connections, *session.settings.senders)}
    if target.casefold() in taken - {name.casefold()}:
        raise UsageError(f"'{target}' is the name of another connection.", hint="Choose another one.")
    return target


def read_paths(given: list[str]) -> list[PathMapping]:
    """``SERVER=HUB`` as typed; '' = none. Raises UsageError."""
    paths = []
    for text in given:
        if not text:
            continue
        server, separator, hub = text.partition("=")
        if not (server and separator and hub):
            raise UsageError(
                f"'{text}' is no path mapping.", hint="Write it SERVER=HUB: --path /data/films=/mnt/films"
            )
        paths.append(PathMapping(server=server, hub=hub))
    return paths


def forget_sender(session: Session, name: str, *, yes: bool, dry_run: bool) -> None:
    """Take a sender out of the settings, after a yes."""
    if dry_run:
        session.screen.give({"removed": name, "dry_run": True})
        session.screen.say(f"'{name}' and its key would be forgotten (--dry-run).")
        return
    confirm_or_refuse(session.screen, f"Forget '{name}' and its key?", yes=yes)
    remove_sender(session.installation, name)
    session.screen.give({"removed": name, "dry_run": False})
    session.screen.say(
        f"Removed '{name}'. A webhook that was set up there stays until you take it out there."
    )
