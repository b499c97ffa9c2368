"""``playhead connections``: list, show, change and remove what is connected."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
import typer

from playhead.faces.cli.asking import confirm_or_refuse, read_stdin_secret
from playhead.faces.cli.options import CheckOnly, DryRun, HomeOption, JsonFlag, Verbosity, Yes
from playhead.faces.cli.screen import make_table
from playhead.faces.cli.senders import change_sender, describe_sender, forget_sender, read_paths
from playhead.faces.cli.session import Session
from playhead.faces.cli.signing_in import ByCode, Password, refuse_two_ways, sign_in_again
from playhead.flows.connect import choose_libraries
from playhead.library_settings import LibraryChoice
from playhead.ports.errors import BackendError, NotFound, UsageError
from playhead.settings import ConnectionSettings
from playhead.wiring.installation import check_options, find_manifest, read_url
from playhead.wiring.senders import find_sender

Name = Annotated[str, typer.Argument(metavar="NAME", help="The connection's name.", show_default=False)]


def make_app() -> typer.Typer:
    """``connections`` with its sub-commands; by itself it lists."""
    app = typer.Typer(help="List, show, change and remove connections.")
    app.callback(
        invoke_without_command=True, epilog="Example: playhead connections set 'Living room' --no-write"
    )(_list)
    app.command("list", help="All connections.")(list_connections)
    app.command(
        "show", help="One connection with all its settings.", epilog="Example: playhead connections show Plex"
    )(show)
    app.command(
        "set",
        help="Change a connection. What is not given stays as it is.",
        epilog="Example: playhead connections set Plex --exclude 'Home videos' --path /data/films=/mnt/films",
    )(change)
    app.command(
        "remove",
        help="Forget a connection and its token; what was read stays.",
        epilog="Example: playhead connections remove Plex",
    )(remove)
    return app


def _list(
    context: typer.Context, home: HomeOption = None, json: JsonFlag = False, verbose: Verbosity = 0
) -> None:
    if context.invoked_subcommand is None:
        list_connections(home, json, verbose)


def list_connections(home: HomeOption = None, json: JsonFlag = False, verbose: Verbosity = 0) -> None:
    session = Session(home, as_json=json, verbose=verbose)
    known = session.settings.connections
    senders = session.settings.senders
    told = [describe(name, connection) for name, connection in known.items()]
    session.screen.give([*told, *(describe_sender(name, sender) for name, sender in senders.items())])
    if not known and not senders:
        session.screen.say(
            f"Nothing is connected yet. Start with: {session.command('connect plex|jellyfin|emby')}"
        )
        return
    table = make_table("name", "kind", "address", "user", "person", "read", "write", "libraries")
    for name, connection in known.items():
        table.add_row(
            name,
            connection.kind,
            connection.url,
            ", ".join(login.user for login in connection.logins()),
            ", ".join(login.person or "nobody" for login in connection.logins()),
            "yes" if connection.read else "no",
            "yes" if connection.write else "no",
            _say_libraries(connection.libraries),
        )
    for name, sender in senders.items():
        table.add_row(name, sender.kind, sender.url, "-", "-", "-", "-", "tells of files")
    session.screen.show(table)


def show(name: Name, home: HomeOption = None, json: JsonFlag = False, verbose: Verbosity = 0) -> None:
    session = Session(home, as_json=json, verbose=verbose)
    if sender := find_sender(session.installation, name):
        described = describe_sender(*sender)
    else:
        described = describe(*session.installation.connection(name))
    session.screen.give(described)
    _show_settings(session, described)


def _show_settings(session: Session, described: dict[str, Any]) -> None:
    table = make_table("setting", "value")
    for key, value in described.items():
        table.add_row(key, _say(value))
    session.screen.show(table)


def change(
    name: Name,
    read: Annotated[
        bool | None, typer.Option("--read/--no-read", help="Take over what was watched there.")
    ] = None,
    write: Annotated[
        bool | None, typer.Option("--write/--no-write", help="Mark there what was watched elsewhere.")
    ] = None,
    listen: Annotated[
        bool | None, typer.Option("--listen/--no-listen", help="Keep a line open to it in serve.")
    ] = None,
    libraries: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="Only these libraries, by title; '' = all.", show_default=False),
    ] = None,
    exclude: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="Not these libraries; '' = none left out.", show_default=False),
    ] = None,
    path: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SERVER=HUB",
            help="The server's folder is the hub's; may be given again; '' = none.",
            show_default=False,
        ),
    ] = None,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="Its new address.", show_default=False)
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            metavar="TOKEN", help="A new token: -, env:NAME, file:PATH or itself.", show_default=False
        ),
    ] = None,
    by_code: ByCode = False,
    password: Password = None,
    person: Annotated[
        str | None, typer.Option(metavar="NAME", help="Whose watch state it is.", show_default=False)
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="One of the backend's own settings.", show_default=False),
    ] = None,
    proxy_host: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT", help="How clients call the proxy before the server.", show_default=False
        ),
    ] = None,
    look_every: Annotated[
        int | None,
        typer.Option(
            "--look-every",
            metavar="S",
            min=0,
            help="Seconds between two looks; 0 = never.",
            show_default=False,
        ),
    ] = None,
    sweep_every: Annotated[
        int | None,
        typer.Option(
            "--sweep-every",
            metavar="S",
            min=0,
            help="Of a Sonarr or Radarr: seconds between two looks at all it has; 0 = never.",
            show_default=False,
        ),
    ] = None,
    rename: Annotated[str | None, typer.Option(metavar="NEW", help="A new name.", show_default=False)] = None,
    dry_run: CheckOnly = False,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    given = dict(locals())
    session = Session(home, as_json=json, verbose=verbose)
    if sender := find_sender(session.installation, name):
        target, changed = change_sender(session, sender[0], given)
        _tell_saved(session, target, describe_sender(target, changed), dry_run=dry_run)
        return
    known, old = session.installation.connection(name)
    if sweep_every is not None:
        raise UsageError(f"'{known}' is no Sonarr or Radarr: only those have --sweep-every.")
    plain: dict[str, Any] = {"read": read, "write": write, "listen": listen, "look_every_s": look_every}
    plain["proxy_host"] = proxy_host and proxy_host.lower()
    new = msgspec.structs.replace(
        old,
        **{key: value for key, value in plain.items() if value is not None},
        url=old.url if url is None else read_url(find_manifest(old.kind), url),
        person=(session.settings.find_person(person) or person) if person else old.person,
        libraries=_change_libraries(old.libraries, libraries, exclude),
        paths=old.paths if path is None else read_paths(path),
        options=_change_options(old, option or []),
    )
    refuse_two_ways(token, by_code, password)
    target = _choose_name(session, known, rename)
    others = libraries, exclude, path, url, token, person, option, rename, by_code or None, password
    _refuse_nothing(known, *plain.values(), *others)
    reference, secret = _new_token(session, token)
    secret = sign_in_again(session, known, new, by_code=by_code, password=password) or secret
    if reference:
        new = msgspec.structs.replace(new, token=reference)
    asyncio.run(_try(session, known, new, secret, url=url, token=token))
    if libraries or exclude:
        new = asyncio.run(_check_libraries(session, new, secret, libraries, exclude))
    if not dry_run:
        new = session.installation.save_connection(target, new, secret=secret, replaces=known)
    _tell_saved(session, target, describe(target, new), dry_run=dry_run)
    if path is not None and not dry_run:
        session.screen.say(
            f"The next sync matches what is read already by its files: {session.command('sync')}"
        )


def _tell_saved(session: Session, name: str, described: dict[str, Any], *, dry_run: bool) -> None:
    session.screen.give(described)
    if dry_run:
        _show_settings(session, described)
        session.screen.say("Nothing was saved (--dry-run).")
    else:
        session.screen.say(
            f"Saved '{name}'. Look at it with: {session.command(f'connections show {name!r}')}"
        )


def _choose_name(session: Session, known: str, rename: str | None) -> str:
    if rename and rename.casefold() != known.casefold() and rename.casefold() in _lowered(session):
        raise UsageError(f"'{rename}' is the name of another connection.", hint="Choose another one.")
    return rename or known


def _refuse_nothing(name: str, *given: object) -> None:
    if all(value is None for value in given):
        raise UsageError(
            f"Nothing to change on '{name}' was given.", hint="See: playhead connections set --help"
        )


async def _try(
    session: Session,
    name: str,
    new: ConnectionSettings,
    secret: str | None,
    *,
    url: str | None,
    token: str | None,
) -> None:
    if url is not None:
        await _try_address(session, new, secret)
    if token is not None:
        await _refuse_another_account(session, name, new, secret)


async def _try_address(session: Session, new: ConnectionSettings, secret: str | None) -> None:
    """Say where no such server answers there now. It is no reason not to save the address: the server may be down."""
    backend = session.installation.make_backend(new, token=secret)
    try:
        with session.screen.waiting(f"Asking {new.url} ..."):
            await backend.probe()
    except BackendError as error:
        session.screen.note(f"warning: It does not work now: {error}", style="yellow")
    finally:
        await backend.close()


async def _refuse_another_account(
    session: Session, name: str, new: ConnectionSettings, secret: str | None
) -> None:
    """A token of another account must not take the place of this one: what it says would be taken for this one's news.
    A server that does not answer now, or refuses the token, is no reason not to save: it may be down. That is told."""
    backend = session.installation.make_backend(new, token=secret)
    try:
        with session.screen.waiting(f"Asking {new.url} ..."):
            user = await backend.check_account()
    except NotFound:
        raise
    except BackendError as error:
        session.screen.note(f"warning: It does not work now: {error}", style="yellow")
        return
    finally:
        await backend.close()
    told_nothing = (
        user.name == new.user_id
    )  # nobody tells whose token it is, so that the name is the one that was asked for
    if new.user_id and user.id != new.user_id and not told_nothing:
        raise UsageError(
            f"That token is of another account than the one of '{name}' ({new.user}).",
            hint=f"Forget this one with: playhead connections remove '{name}', then connect the other: "
            f"playhead connect {new.kind}",
        )


async def _check_libraries(
    session: Session, new: ConnectionSettings, secret: str | None, include: str | None, exclude: str | None
) -> ConnectionSettings:
    """What was named, in the server's own spelling. Raises UsageError naming the libraries that it has; where it does not
    answer now, the next sync tells."""
    backend = session.installation.make_backend(new, token=secret)
    try:
        with session.screen.waiting(f"Asking {new.url} ..."):
            there = await backend.list_libraries()
    except BackendError as error:
        session.screen.note(f"warning: The libraries could not be checked: {error}", style="yellow")
        return new
    finally:
        await backend.close()
    chosen = LibraryChoice(
        include=choose_libraries(there, new.libraries.include) if include else new.libraries.include,
        exclude=choose_libraries(there, new.libraries.exclude) if exclude else new.libraries.exclude,
    )
    return msgspec.structs.replace(new, libraries=chosen)


def remove(
    name: Name,
    yes: Yes = False,
    dry_run: DryRun = False,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    session = Session(home, as_json=json, verbose=verbose)
    if sender := find_sender(session.installation, name):
        forget_sender(session, sender[0], yes=yes, dry_run=dry_run)
        return
    known, _ = session.installation.connection(name)
    if dry_run:
        session.screen.give({"removed": known, "dry_run": True})
        session.screen.say(f"'{known}' and its token would be forgotten (--dry-run).")
        return
    confirm_or_refuse(session.screen, f"Forget the connection '{known}' and its token?", yes=yes)
    session.installation.remove_connection(known)
    session.screen.give({"removed": known, "dry_run": False})
    session.screen.say(f"Removed '{known}'. What was read from it stays in the history.")


def describe(name: str, connection: ConnectionSettings) -> dict[str, Any]:
    """A connection for a script; tokens only as their references."""
    return {"name": name, **msgspec.to_builtins(connection)}


def _lowered(session: Session) -> set[str]:
    return {name.casefold() for name in (*session.settings.connections, *session.settings.senders)}


def _change_libraries(old: LibraryChoice, include: str | None, exclude: str | None) -> LibraryChoice:
    return LibraryChoice(
        include=old.include if include is None else _split(include),
        exclude=old.exclude if exclude is None else _split(exclude),
    )


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _change_options(old: ConnectionSettings, given: list[str]) -> dict[str, Any]:
    options = dict(old.options)
    for text in given:
        key, separator, value = text.partition("=")
        if not separator:
            raise UsageError(f"'{text}' is no setting.", hint="Write it KEY=VALUE: --option timeout_s=120")
        if value == "":
            options.pop(key, None)
        else:
            options[key] = value
    manifest = find_manifest(old.kind)
    return check_options(manifest, old.url, options)


def _new_token(session: Session, given: str | None) -> tuple[str | None, str | None]:
    """(reference, None) for env: and file:, (None, secret) for one to store, (None, None) for no change."""
    if given is None:
        return None, None
    if given == "-":
        return None, read_stdin_secret()
    if given.startswith(("env:", "file:")):
        session.installation.secrets.resolve(given)
        return given, None
    return None, given.strip()


def _say_libraries(libraries: LibraryChoice) -> str:
    text = ", ".join(libraries.include) or "all"
    return text + (f" without {', '.join(libraries.exclude)}" if libraries.exclude else "")


def _say(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_say(inner)}" for key, inner in value.items()) or "-"
    if isinstance(value, list):
        return ", ".join(_say(inner) for inner in value) or "-"
    return str(value) or "-"
