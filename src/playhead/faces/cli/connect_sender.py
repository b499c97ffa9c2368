"""``playhead connect sonarr|radarr``: a program that tells which files arrived. Checked first, then saved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import typer

from playhead.faces.cli.asking import ask_secret, ask_text, ask_yes
from playhead.faces.cli.finding import take_token
from playhead.faces.cli.options import CheckOnly, HomeOption, JsonFlag, Verbosity, Yes
from playhead.faces.cli.senders import read_paths
from playhead.faces.cli.session import Session
from playhead.ports.arrivals import ArrInfo, ArrManifest
from playhead.ports.errors import UsageError
from playhead.sender_settings import SenderSettings
from playhead.wiring.installation import example_of, read_url
from playhead.wiring.senders import check_sender, save_sender

Url = Annotated[str | None, typer.Option("--url", metavar="URL", help="Its address.", show_default=False)]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="KEY",
        help="Its API key (Settings, General); - reads it from standard input, env:NAME and file:PATH keep it where it lies.",
        show_default=False,
    ),
]
Name = Annotated[
    str | None,
    typer.Option("--name", metavar="NAME", help="What to call it; else its own name.", show_default=False),
]
Paths = Annotated[
    list[str] | None,
    typer.Option(
        "--path",
        metavar="THEIRS=HUB",
        help="The folder as it sees it is the hub's; may be given again.",
        show_default=False,
    ),
]
VerifyTls = Annotated[
    bool, typer.Option("--verify-tls/--no-verify-tls", help="Check the certificate of an https address.")
]


def make_sender_command(manifest: ArrManifest) -> Callable[..., None]:
    """The command for one program."""

    def connect(
        url: Url = None,
        key: Key = None,
        name: Name = None,
        path: Paths = None,
        verify_tls: VerifyTls = True,
        yes: Yes = False,
        dry_run: CheckOnly = False,
        home: HomeOption = None,
        json: JsonFlag = False,
        verbose: Verbosity = 0,
    ) -> None:
        session = Session(home, as_json=json, verbose=verbose)
        interactive = session.screen.interactive and not yes
        url, key = _complete(session, manifest, url, key, interactive)
        reference, secret = take_token(session, key)
        sender = SenderSettings(
            kind=manifest.name,
            url=read_url(manifest, url),
            key=reference or "store:",
            paths=read_paths(path or []),
            verify_tls=verify_tls,
        )
        with session.screen.waiting(f"Asking {sender.url} ..."):
            info = asyncio.run(check_sender(session.installation, sender, secret))
        known, replaces = _choose_name(session, sender, info, name, yes, interactive)
        if replaces:
            old = session.settings.senders[replaces]
            kept = {"paths": sender.paths or old.paths, "look_every_s": old.look_every_s}
            sender = msgspec.structs.replace(sender, sweep_every_s=old.sweep_every_s, **kept)
        if not dry_run:
            stored = None if reference else secret
            sender = save_sender(session.installation, known, sender, secret=stored, replaces=replaces)
        _tell(session, known, sender, info, saved=not dry_run)

    return connect


def _complete(
    session: Session, manifest: ArrManifest, url: str | None, key: str | None, interactive: bool
) -> tuple[str, str]:
    if not interactive and (missing := [flag for flag, told in (("--url", url), ("--key", key)) if not told]):
        raise UsageError(
            f"connect {manifest.name} needs {' and '.join(missing)}.",
            hint="Give them, or run it at a terminal without --yes to be asked.",
        )
    example = f"Address of {manifest.title}, such as {example_of(manifest, 'url')}"
    url = url or ask_text(session.screen, example)
    key = key or ask_secret(session.screen, "API key (not shown; env:NAME and file:PATH work too)")
    return url, key


def _choose_name(
    session: Session, sender: SenderSettings, info: ArrInfo, given: str | None, yes: bool, interactive: bool
) -> tuple[str, str | None]:
    """The name to save under, and that of the sender which is replaced by it."""
    senders = session.settings.senders
    for known, other in senders.items():
        if (other.kind, other.url) == (sender.kind, sender.url):
            what = f"{info.product} at {sender.url} is connected already, as '{known}'."
            if not yes and not (interactive and ask_yes(session.screen, f"{what} Update it?")):
                raise UsageError(
                    what, hint=f"Update it with --yes, or change it with: playhead connections set '{known}'"
                )
            _refuse_taken(session, given, but=known)
            return given or known, known
    _refuse_taken(session, given)
    taken = {name.casefold() for name in (*session.settings.connections, *senders)}
    names = [info.instance, *(f"{info.instance} {number}" for number in range(2, 1000))]
    return given or next(name for name in names if name.casefold() not in taken), None


def _refuse_taken(session: Session, given: str | None, but: str | None = None) -> None:
    for name in (*session.settings.connections, *session.settings.senders):
        if given and name != but and name.casefold() == given.casefold():
            raise UsageError(
                f"'{given}' is the name of another connection.",
                hint=f"Give another one with --name, or forget that one: playhead connections remove '{name}'",
            )


def _tell(session: Session, name: str, sender: SenderSettings, info: ArrInfo, *, saved: bool) -> None:
    told: dict[str, Any] = {
        "sender": name,
        "kind": sender.kind,
        "url": sender.url,
        "version": info.version,
        "paths": msgspec.to_builtins(sender.paths),
        "saved": saved,
    }
    session.screen.give(told)
    session.screen.say(f"'{name}': {info.product} {info.version} at {sender.url}.")
    if not saved:
        session.screen.say("Nothing was saved (--dry-run).")
        return
    session.screen.say("Connected.", style="green")
    register = session.command(f"webhooks register {name!r}")
    session.screen.say(
        f"`playhead serve` asks it every {sender.look_every_s} s. So that it tells at once: {register}"
    )
