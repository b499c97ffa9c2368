"""``playhead connect KIND``: one sub-command for each backend that is found, with flags drawn from its settings."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any

import msgspec
import typer

from playhead.adapters import find_manifests
from playhead.faces.cli.asking import ask_choice, ask_secret, ask_text, ask_yes, read_stdin_secret
from playhead.faces.cli.options import CheckOnly, HomeOption, JsonFlag, Verbosity, Yes
from playhead.faces.cli.screen import print_error
from playhead.faces.cli.session import Session
from playhead.flows.connect import Checked, UserNeeded, check_connection, choose_libraries, find_name
from playhead.ports.backend import Backend, Manifest, RemoteUser
from playhead.ports.errors import BadAnswer, PlayheadError, Unauthorized, Unreachable, UsageError, WrongServer
from playhead.settings import ConnectionSettings, LibraryChoice
from playhead.wiring.installation import example_of, load_named, make_backend, read_url

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


class Wish(msgspec.Struct):
    """What was given on the command line, or answered."""

    name: str | None
    url: str | None
    token: str | None
    user: str | None
    person: str | None
    libraries: str | None
    read: bool
    write: bool
    yes: bool
    dry_run: bool
    options: dict[str, Any]


def make_app() -> typer.Typer:
    """``connect`` with a sub-command for each backend."""
    app = typer.Typer(no_args_is_help=True, help="Connect a server: checked first, then saved.")
    for manifest in find_manifests().values():
        app.command(
            manifest.name,
            help=f"Connect {manifest.title}. Asks for what it lacks; with --yes or in a script it asks nothing.",
            epilog=f"Example: playhead connect {manifest.name} --url {example_of(manifest, 'url')} --token env:TOKEN --yes",
        )(_make_command(manifest))
    return app


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


def _url_option(manifest: Manifest) -> Any:
    text = f"The server's address, {example_of(manifest, 'url')}."
    return Annotated[str | None, typer.Option("--url", help=text, show_default=False)]


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
    reference, secret, checked = _find_server(session, manifest, wish, interactive)
    checked = _name_user(session, manifest, checked, secret)
    libraries = choose_libraries(checked.libraries, _split(wish.libraries))
    name, replaces = _choose_name(session, manifest, wish, checked, interactive)
    person = wish.person or session.settings.first_person() or checked.user.name
    if interactive and wish.person is None:
        person = ask_text(session.screen, "Which person is that?", default=person)
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


def _find_server(
    session: Session, manifest: Manifest, wish: Wish, interactive: bool
) -> tuple[str | None, str, Checked]:
    """Token reference, token and what the checks found; at a terminal what was typed wrong is asked again."""
    if not interactive:
        _refuse_missing(manifest, wish)
    ask_url, ask_token = not wish.url, not wish.token
    while True:
        _gather(session, manifest, wish)
        try:
            reference, secret = _take_token(session, wish.token or "")
            return reference, secret, asyncio.run(_check(session, manifest, wish, secret, interactive))
        except (Unreachable, WrongServer, BadAnswer) as error:
            if not (interactive and ask_url):
                raise
            print_error(error, as_json=False)
            wish.url = None
        except Unauthorized as error:
            if not (interactive and ask_token):
                raise
            print_error(error, as_json=False)
            wish.token = None


def _refuse_missing(manifest: Manifest, wish: Wish) -> None:
    missing = [flag for flag, value in (("--url", wish.url), ("--token", wish.token)) if not value]
    if missing:
        raise UsageError(
            f"connect {manifest.name} needs {' and '.join(missing)}.",
            hint="Give them, or run it at a terminal without --yes to be asked.",
        )


def _gather(session: Session, manifest: Manifest, wish: Wish) -> None:
    example = example_of(manifest, "url")
    while not wish.url:
        try:
            typed = ask_text(session.screen, f"Address of {manifest.title}, such as {example}")
            wish.url = read_url(manifest, typed)
        except UsageError as error:
            print_error(error, as_json=False)
    wish.url = read_url(manifest, wish.url)
    if not wish.token:
        wish.token = ask_secret(session.screen, "Token (not shown; env:NAME and file:PATH work too)")


def _take_token(session: Session, given: str) -> tuple[str | None, str]:
    """The reference (None = it has to be stored) and the secret itself."""
    if given == "-":
        return None, read_stdin_secret()
    if given.startswith(("env:", "file:")):
        return given, session.installation.secrets.resolve(given)
    return None, given.strip()


async def _check(session: Session, manifest: Manifest, wish: Wish, secret: str, interactive: bool) -> Checked:
    def make(user_id: str) -> Any:
        options = {"url": wish.url, **wish.options}
        return make_backend(
            manifest, options, secret, user_id, client_id=session.installation.home.client_id()
        )

    with session.screen.waiting(f"Asking {wish.url} ..."):
        try:
            return await check_connection(make, kind=manifest.name, title=manifest.title, user=wish.user)
        except UserNeeded as needed:
            if not interactive or not needed.users:
                raise
            users = needed.users
    wish.user = ask_choice(session.screen, "Which user there?", [user.name for user in users])
    return await check_connection(make, kind=manifest.name, title=manifest.title, user=wish.user)


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
    default = _free_name(checked.server.name or manifest.title, checked.user.name, set(known))
    name = wish.name or (
        ask_text(session.screen, "What shall it be called?", default=default) if interactive else default
    )
    if name.casefold() in {other.casefold() for other in known}:
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
    else:
        session.screen.say(
            f"Next: see what would change: {session.command('plan')}, then bring it there: {session.command('sync')}"
        )
