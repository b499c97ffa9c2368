"""``playhead people``: who there is, which logins are whose, and what servers told of logins that are nobody's."""

from __future__ import annotations

import shlex
from typing import Annotated, Any

import typer

from playhead.faces.cli.asking import confirm_or_refuse
from playhead.faces.cli.linking import link_login, propose
from playhead.faces.cli.options import DryRun, HomeOption, JsonFlag, Verbosity, Yes
from playhead.faces.cli.screen import make_table
from playhead.faces.cli.session import Session
from playhead.faces.cli.status import say_when
from playhead.ports.errors import UsageError
from playhead.settings import Login
from playhead.wiring.people import list_strangers, remove_person

Person = Annotated[str, typer.Argument(metavar="PERSON", help="The person's name.", show_default=False)]
Connection = Annotated[
    str, typer.Argument(metavar="CONNECTION", help="The connection's name.", show_default=False)
]
User = Annotated[
    str, typer.Argument(metavar="USER", help="The login there, by name or id.", show_default=False)
]


def make_app() -> typer.Typer:
    """``people`` with its sub-commands; by itself it lists."""
    app = typer.Typer(help="Say which logins are whose.")
    app.callback(invoke_without_command=True, epilog="Example: playhead people propose")(_list)
    app.command("list", help="Everybody with their logins.")(list_people)
    app.command(
        "propose",
        help="Find the logins of all servers that seem to be one person's, and ask.",
        epilog="Example: playhead people propose --dry-run",
    )(propose)
    app.command("add", help="Name a person, to link logins to.", epilog="Example: playhead people add sam")(
        add
    )
    app.command(
        "link",
        help="Say whose a login is.",
        epilog="Example: playhead people link sam Plex sammy",
    )(link_login)
    app.command(
        "unlink",
        help="Say that a login is nobody's; what was read stays, and nothing is changed on the server.",
        epilog="Example: playhead people unlink Plex sammy",
    )(unlink)
    app.command(
        "remove",
        help="Forget a person's logins and name; what was read stays, and nothing is changed on any server.",
        epilog="Example: playhead people remove sam",
    )(remove)
    app.command("unmatched", help="What servers told of logins that are nobody's.")(list_unmatched)
    return app


def _list(
    context: typer.Context, home: HomeOption = None, json: JsonFlag = False, verbose: Verbosity = 0
) -> None:
    if context.invoked_subcommand is None:
        list_people(home, json, verbose)


def list_people(home: HomeOption = None, json: JsonFlag = False, verbose: Verbosity = 0) -> None:
    session = Session(home, as_json=json, verbose=verbose)
    people = [
        {"person": person, "logins": [_describe(name, login) for name, login in _logins_of(session, person)]}
        for person in session.settings.persons()
    ]
    session.screen.give(people)
    if not people:
        session.screen.say(f"Nobody yet. Connect a server first: {session.command('connect --help')}")
        return
    table = make_table("person", "connection", "login", "id")
    for person in session.settings.persons():
        for name, login in _logins_of(session, person) or [("-", Login("-", "-", person, ""))]:
            table.add_row(
                person, name, f"{login.user} (shared)" if login.shared else login.user, login.user_id
            )
    session.screen.show(table)


def _logins_of(session: Session, person: str) -> list[tuple[str, Login]]:
    return [
        (name, login)
        for name, connection in session.settings.connections.items()
        for login in connection.linked()
        if login.person.casefold() == person.casefold()
    ]


def _describe(name: str, login: Login) -> dict[str, Any]:
    return {
        "connection": name,
        "user": login.user,
        "user_id": login.user_id,
        "own": login.place is None,
        "shared": login.shared,
        "token": login.token,
    }


def add(
    person: Person,
    dry_run: DryRun = False,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    session = Session(home, as_json=json, verbose=verbose)
    name = person.strip()
    if not name:
        raise UsageError("A person needs a name.")
    known = session.settings.find_person(name)
    if known is None and not dry_run:
        session.installation.save_people([*session.settings.people, name])
    session.screen.give({"person": known or name, "new": known is None, "dry_run": dry_run})
    if known is not None:
        session.screen.say(f"{known} is known already.")
    elif dry_run:
        session.screen.say(f"{name} would be added (--dry-run).")
    else:
        session.screen.say(
            f"Added {name}. Next: {session.command(f'people link {shlex.quote(name)} CONNECTION USER')}"
        )


def unlink(
    connection: Connection,
    user: User,
    person: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Whose part of a shared login.", show_default=False),
    ] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    session = Session(home, as_json=json, verbose=verbose)
    name, login = _find_linked(session, connection, user, person)
    if not dry_run:
        confirm_or_refuse(
            session.screen,
            f"Take '{login.user}' on '{name}' from {login.person}? Nothing is changed on the server",
            yes=yes,
        )
        session.installation.remove_account(name, login)
    session.screen.give({"unlinked": {**_describe(name, login), "person": login.person}, "dry_run": dry_run})
    if dry_run:
        session.screen.say(f"'{login.user}' on '{name}' would be nobody's (--dry-run).")
    else:
        session.screen.say(
            f"'{login.user}' on '{name}' is nobody's now. It is neither read nor written; {login.person} keeps what was read."
        )
        session.screen.say(f"To undo it: {_link_again(session, name, login)}", wrap=False)


def _link_again(session: Session, name: str, login: Login) -> str:
    words = " ".join(shlex.quote(word) for word in (login.person, name, login.user))
    return session.command(f"people link {words}{' --shared' if login.shared else ''}")


def _find_linked(
    session: Session, connection: str, user: str, person: str | None = None
) -> tuple[str, Login]:
    """A login that is somebody's, by native id or name, from the settings alone; of a shared one a person's part. Raises
    UsageError."""
    name, known = session.installation.connection(connection)
    key = user.strip().casefold()
    found = [login for login in known.linked() if login.user_id.casefold() == key]
    found = found or [login for login in known.linked() if login.user.casefold() == key]
    found = [login for login in found if person is None or login.person.casefold() == person.casefold()]
    if len(found) > 1 and all(login.shared for login in found):
        persons = ", ".join(login.person for login in found)
        raise UsageError(f"'{user}' on '{name}' is shared.", hint=f"Say whose part: --person, of {persons}.")
    if len(found) != 1:
        logins = ", ".join(f"{login.user} ({login.user_id})" for login in known.linked()) or "none"
        what = "Several linked logins are" if found else "No linked login is"
        raise UsageError(f"{what} called '{user}' on '{name}'.", hint=f"Linked there: {logins}.")
    return name, found[0]


def remove(
    person: Person,
    yes: Yes = False,
    dry_run: DryRun = False,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    session = Session(home, as_json=json, verbose=verbose)
    known = session.person(person)
    logins = _logins_of(session, known)
    if not dry_run:
        confirm_or_refuse(
            session.screen,
            f"Forget {known} and whose {len(logins)} logins they were? Nothing is changed on any server",
            yes=yes,
        )
        remove_person(session.installation, known, logins)
    session.screen.give(
        {
            "removed": known,
            "unlinked": [_describe(name, login) for name, login in logins],
            "dry_run": dry_run,
        }
    )
    where = ", ".join(f"'{login.user}' on '{name}'" for name, login in logins) or "no login"
    if dry_run:
        session.screen.say(f"{known} would be forgotten, with {where} (--dry-run).")
    else:
        session.screen.say(f"Removed {known}, with {where}. What was read stays.")
        session.screen.say(f"To undo it: {session.command(f'people add {shlex.quote(known)}')}")
        for name, login in logins:
            session.screen.say(f"            {_link_again(session, name, login)}", wrap=False)


def list_unmatched(home: HomeOption = None, json: JsonFlag = False, verbose: Verbosity = 0) -> None:
    session = Session(home, as_json=json, verbose=verbose)
    found = list_strangers(session.installation)
    session.screen.give(
        [
            {
                "connection": one.connection,
                "user": one.events.user_name,
                "user_id": one.events.user_id,
                "events": one.events.count,
                "last_at": one.events.last_at,
                "last": one.events.name,
            }
            for one in found
        ]
    )
    if not found:
        session.screen.say("Nothing waits here: servers told of no login that is not linked to a person.")
        return
    table = make_table("connection", "login", "id", "events", "last", "at", numbers=("events",))
    for one in found:
        events = one.events
        login, at = events.user_name or "-", say_when(int(events.last_at))
        table.add_row(one.connection, login, events.user_id or "-", f"{events.count:,}", events.name, at)
    session.screen.show(table)
    session.screen.say(
        f"Say whose they are: {session.command('people link PERSON CONNECTION USER')}; then they are read whole."
    )
