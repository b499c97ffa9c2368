"""``playhead connect KIND``: one sub-command for each backend that is found, with flags drawn from its settings."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Annotated, Any

import msgspec
import typer

from playhead.adapters import find_arr_manifests, find_manifests
from playhead.faces.cli.asking import ask_text, ask_yes
from playhead.faces.cli.connect_sender import make_sender_command
from playhead.faces.cli.finding import Wish, choose_way, find_server
from playhead.faces.cli.options import CheckOnly, HomeOption, JsonFlag, Verbosity, Yes
from playhead.faces.cli.session import Session
from playhead.faces.cli.signing_in import Password
from playhead.flows.connect import Checked, choose_libraries, find_name
from playhead.library_settings import LibraryChoice
from playhead.ports.backend import Backend, Manifest, RemoteUser
from playhead.ports.errors import PlayheadError, UsageError
from playhead.settings import ConnectionSettings
from playhead.wiring.installation import example_of, list_sender_kinds, load_named

Name = Annotated[
    str | None,
    typer.Option(
        "--name", metavar="NAME", help="What to call it; else the server's own name.", show_default=False
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        "--token",
        metavar="TOKEN",
        help="The token; - reads it from standard input, env:NAME and file:PATH keep it where it lies.",
        show_default=False,
    ),
]
User = Annotated[
    str | None,
    typer.Option(
        "--user", metavar="USER", help="Name or id there; else the token's own.", show_default=False
    ),
]
Server = Annotated[
    str | None,
    typer.Option(
        "--server",
        metavar="NAME",
        help="Which of the account's servers, by name or id; else it is asked where there are several.",
        show_default=False,
    ),
]
Person = Annotated[
    str | None,
    typer.Option(
        "--person", metavar="NAME", help="Whose watch state it is; else the first person.", show_default=False
    ),
]
Libraries = Annotated[
    str | None,
    typer.Option(
        "--libraries", metavar="A,B", help="Only these libraries, by title; else all.", show_default=False
    ),
]
Read = Annotated[bool, typer.Option("--read/--no-read", help="Take over what was watched there.")]
Write = Annotated[bool, typer.Option("--write/--no-write", help="Mark there what was watched elsewhere.")]


def make_app() -> typer.Typer:
    """``connect`` with a sub-command for each backend, and for each program that tells of files."""
    app = typer.Typer(no_args_is_help=True, help="Connect a server: checked first, then saved.")
    for manifest in find_manifests().values():
        app.command(
            manifest.name,
            help=f"Connect {manifest.title}. Asks for what it lacks; with --yes or in a script it asks nothing.",
            epilog=f"Example: {_make_example(manifest)}",
        )(_make_command(manifest))
    for sender in (find_arr_manifests()[kind] for kind in list_sender_kinds()):
        app.command(
            sender.name,
            help=f"Connect {sender.title}, which tells what files arrived. Asks for what it lacks; with --yes it asks nothing.",
            epilog=f"Example: playhead connect {sender.name} --url {example_of(sender, 'url')} --key env:KEY --yes",
        )(make_sender_command(sender))
    return app


def _make_example(manifest: Manifest) -> str:
    url = f" --url {example_of(manifest, 'url')}"
    if manifest.by_code is not None:
        return f"playhead connect {manifest.name}{'' if manifest.by_code.finds_servers else url} {manifest.by_code.flag}"
    return f"playhead connect {manifest.name}{url} --token env:TOKEN --yes"


def _fields(manifest: Manifest) -> dict[str, msgspec.structs.FieldInfo]:
    struct = load_named(manifest.settings)
    return {field.name: field for field in msgspec.structs.fields(struct) if field.name != "url"}


def _extra(annotation: Any) -> dict[str, Any]:
    for meta in getattr(annotation, "__metadata__", ()):
        if isinstance(meta, msgspec.Meta) and meta.extra:
            return meta.extra
    return {}


def _make_command(manifest: Manifest) -> Callable[..., None]:
    """A function whose signature has the backend's own settings as options."""
    fields = _fields(manifest)

    def connect(**given: Any) -> None:
        options = {name: given.pop(name) for name in fields}
        session = Session(given.pop("home"), as_json=given.pop("json"), verbose=given.pop("verbose"))
        wish = Wish(options={key: value for key, value in options.items() if value is not None}, **given)
        connect_server(session, manifest, wish)

    parameters = [
        _parameter(name, annotation, default)
        for name, annotation, default in (
            ("url", _url_option(manifest), None),
            *_list_ways(manifest),
            ("token", Token, None),
            ("user", User, None),
            ("name", Name, None),
            ("person", Person, None),
            ("libraries", Libraries, None),
            ("read", Read, True),
            ("write", Write, True),
            *((name, _option(field), None) for name, field in fields.items()),
            ("yes", Yes, False),
            ("dry_run", CheckOnly, False),
            ("home", HomeOption, None),
            ("json", JsonFlag, False),
            ("verbose", Verbosity, 0),
        )
    ]
    connect.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    connect.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return connect


def _list_ways(manifest: Manifest) -> Iterator[tuple[str, Any, Any]]:
    """The ways to sign in that the backend offers, as options."""
    if manifest.by_code is not None:
        way = manifest.by_code
        yield "by_code", Annotated[bool, typer.Option(way.flag, help=way.help, show_default=False)], False
        if way.finds_servers:
            yield "server", Server, None
    if manifest.by_password is not None:
        yield "password", Password, None


def _url_option(manifest: Manifest) -> Any:
    text = f"The server's address, {example_of(manifest, 'url')}."
    return Annotated[str | None, typer.Option("--url", metavar="URL", help=text, show_default=False)]


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _option(field: msgspec.structs.FieldInfo) -> Any:
    extra = _extra(field.type)
    plain = getattr(field.type, "__origin__", field.type)
    flag = "--" + field.name.replace("_", "-")
    names = [f"{flag}/--no-{flag[2:]}"] if plain is bool else [flag]
    default = (
        ""
        if field.default is msgspec.NODEFAULT
        else f" (default: {str(field.default).lower() if plain is bool else field.default})"
    )
    return Annotated[
        plain | None,
        typer.Option(
            *names,
            help=extra.get("help", "") + default,
            show_default=False,
            rich_help_panel="Of this backend",
        ),
    ]


def connect_server(session: Session, manifest: Manifest, wish: Wish) -> None:
    """Ask, check, save, tell."""
    interactive = session.screen.interactive and not wish.yes
    choose_way(session, manifest, wish, interactive)
    reference, secret, checked = find_server(session, manifest, wish, interactive)
    checked = _name_user(session, manifest, checked, secret)
    libraries = choose_libraries(checked.libraries, _split(wish.libraries))
    name, replaces = _choose_name(session, manifest, wish, checked, interactive)
    person = wish.person or session.settings.first_person() or checked.user.name
    if interactive and wish.person is None:
        person = ask_text(
            session.screen, f"Which person of the house is '{checked.user.name}' there?", default=person
        )
    connection = ConnectionSettings(
        kind=manifest.name,
        url=wish.url or "",
        user=checked.user.name,
        user_id=checked.user.id,
        person=session.settings.find_person(person) or person,
        token=reference or "store:",
        server_id=checked.server.server_id,
        read=wish.read,
        write=wish.write,
        libraries=LibraryChoice(include=libraries),
        options=wish.options,
        accounts=session.settings.connections[replaces].accounts if replaces else [],
    )
    if wish.dry_run:
        _tell(session, name, connection, checked)
        session.screen.say("Nothing was saved (--dry-run).")
        return
    saved = session.installation.save_connection(
        name, connection, secret=None if reference else secret, replaces=replaces
    )
    _tell(session, name, saved, checked)
    session.screen.say("Connected.", style="green")
    _tell_next(session)


def _name_user(session: Session, manifest: Manifest, checked: Checked, secret: str) -> Checked:
    """Where the token does not tell whose it is, ask through the connections that are there to the same server; a name
    that was found before stays."""
    if checked.user.named:
        return checked
    there: list[Backend] = []
    for connection in session.settings.connections.values():
        if (connection.kind, connection.server_id) == (manifest.name, checked.server.server_id):
            with suppress(PlayheadError):  # its token is out of reach now: its own runs say so
                there.append(session.installation.make_backend(connection))
    name = asyncio.run(find_name(there, secret)) or _known_name(session, checked)
    if name is None:
        return checked
    return msgspec.structs.replace(checked, user=RemoteUser(checked.user.id, name, checked.user.admin))


def _known_name(session: Session, checked: Checked) -> str | None:
    for connection in session.settings.connections.values():
        for login in connection.logins():
            if (connection.server_id, login.user_id) == (checked.server.server_id, checked.user.id):
                return login.user
    return None


def _choose_name(
    session: Session, manifest: Manifest, wish: Wish, checked: Checked, interactive: bool
) -> tuple[str, str | None]:
    """The name to save under, and the name of the connection that is replaced by it."""
    known = session.settings.connections
    for name, connection in known.items():
        if (connection.kind, connection.server_id) != (manifest.name, checked.server.server_id):
            continue
        if any(login.place is not None and login.user_id == checked.user.id for login in connection.logins()):
            raise UsageError(
                f"'{checked.user.name}' on {checked.server.name} is a further login of '{name}' already.",
                hint=f"See: playhead people list. Take it out there first: playhead people unlink '{name}' '{checked.user.name}'",
            )
        if connection.user_id != checked.user.id:
            continue
        what = f"'{checked.user.name}' on {checked.server.name} is connected already, as '{name}'."
        if not wish.yes and not (interactive and ask_yes(session.screen, f"{what} Update it?")):
            raise UsageError(
                what, hint=f"Update it with --yes, or change it with: playhead connections set '{name}'"
            )
        return wish.name or name, name
    taken = {*known, *session.settings.senders}
    default = _free_name(checked.server.name or manifest.title, checked.user.name, taken)
    name = wish.name or (
        ask_text(session.screen, "What shall this connection be called?", default=default)
        if interactive
        else default
    )
    if name.casefold() in {other.casefold() for other in (*known, *session.settings.senders)}:
        raise UsageError(
            f"'{name}' is the name of another connection.",
            hint=f"Give another one with --name, or forget that one: playhead connections remove '{name}'",
        )
    return name, None


def _free_name(server: str, user: str, taken: set[str]) -> str:
    candidates = [server, f"{server} ({user})", *(f"{server} {n}" for n in range(2, 1000))]
    lowered = {name.casefold() for name in taken}
    return next(name for name in candidates if name.casefold() not in lowered)


def _split(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _tell(session: Session, name: str, saved: ConnectionSettings, checked: Checked) -> None:
    titles = [
        library.title for library in checked.libraries if saved.libraries.takes(library.id, library.title)
    ]
    session.screen.give(
        {
            "connection": name,
            "kind": saved.kind,
            "url": saved.url,
            "server": {
                "name": checked.server.name,
                "version": checked.server.version,
                "id": checked.server.server_id,
            },
            "user": {"id": checked.user.id, "name": checked.user.name},
            "person": saved.person,
            "libraries": titles,
            "read": saved.read,
            "write": saved.write,
        }
    )
    session.screen.say(
        f"'{name}': {checked.server.name} {checked.server.version}, user {checked.user.name}, "
        f"for {saved.person}; libraries: {', '.join(titles) or 'none with movies or shows'}."
    )


def _tell_next(session: Session) -> None:
    count = len(session.installation.settings_file.load().connections)
    if count < 2:
        session.screen.say(f"Next: connect another server, or see what is there: {session.command('import')}")
        return
    session.screen.say(
        f"Next: see what would change: {session.command('plan')}, then bring it there: {session.command('sync')}"
    )
    session.screen.say(f"More people in the house? {session.command('people propose')} finds who is who.")
