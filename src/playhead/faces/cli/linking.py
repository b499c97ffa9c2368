"""``playhead people link`` and ``propose``: what asks the servers before it says whose a login is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from playhead.faces.cli.asking import ask_choice, ask_secret, ask_yes, confirm_or_refuse, read_stdin_secret
from playhead.faces.cli.options import DryRun, HomeOption, JsonFlag, Verbosity, Yes
from playhead.faces.cli.screen import make_table
from playhead.faces.cli.session import Session
from playhead.faces.cli.signing_in import ByCode, Password, refuse_two_ways, sign_in_login
from playhead.flows.people import Doubt, Place, Proposal, Proposals, refuse_second_login
from playhead.flows.people import propose as propose_links
from playhead.ports.errors import PlayheadError, Unauthorized, UsageError
from playhead.ports.signing_in import Granted
from playhead.runtime.exits import Exit
from playhead.settings import same_login
from playhead.wiring.people import (
    Found,
    find_login,
    find_owner,
    link,
    list_owners,
    list_places,
    take_history,
)

NOBODY = "nobody"


def link_login(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="Whose it is.", show_default=False)],
    connection: Annotated[
        str, typer.Argument(metavar="CONNECTION", help="The connection's name.", show_default=False)
    ],
    user: Annotated[
        str | None,
        typer.Argument(
            metavar="[USER]",
            help="The login there, by name or id; else whoever signs in.",
            show_default=False,
        ),
    ] = None,
    by_code: ByCode = False,
    password: Password = None,
    token: Annotated[
        str | None,
        typer.Option(
            metavar="TOKEN",
            help="The login's own token: -, env:NAME, file:PATH or itself; else the connection's serves it or gets one.",
            show_default=False,
        ),
    ] = None,
    pin: Annotated[
        str | None,
        typer.Option(
            metavar="PIN",
            help="The PIN that protects them in the Plex Home; - asks for it, env:NAME, file:PATH.",
            show_default=False,
        ),
    ] = None,
    also: Annotated[
        bool, typer.Option("--also", help="Beside another login of theirs on the same server.")
    ] = False,
    shared: Annotated[
        bool, typer.Option("--shared", help="Several persons watch there: read for each, never written.")
    ] = False,
    with_history: Annotated[
        bool,
        typer.Option(
            "--with-history", help="What the login showed while it was another person's is theirs too."
        ),
    ] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    session = Session(home, as_json=json, verbose=verbose)
    name, known = session.installation.connection(connection)
    who = _find_person(session, person)
    refuse_two_ways(token, by_code, password)
    granted = sign_in_login(session, known, user, by_code=by_code, password=password)
    reference, secret = _take_token(session, token)
    pin = _take_pin(session, pin)
    if granted is not None:
        user, secret = granted.user.id, granted.token
    if user is None:
        raise UsageError("Which login?", hint="Give its name, or let whoever it is sign in by a code.")
    found = _find(session, name, user, secret, reference, pin, dry_run=dry_run, granted=granted)
    former = _check(session, name, who, found, also=also, shared=shared)
    if former is not None and not dry_run:
        question = f"'{found.user.name}' on '{name}' is {former}'s. Shall it be {who}'s from now on?"
        confirm_or_refuse(session.screen, question, yes=yes)
    if not dry_run:
        link(session.installation, name, who, found, shared=shared)
        if with_history:
            take_history(session.installation, name, found.user.id)
    session.screen.give(
        {
            "person": who,
            "connection": name,
            "user": found.user.name,
            "user_id": found.user.id,
            "former": former,
            "dry_run": dry_run,
        }
    )
    if granted is not None and found.own:
        session.screen.note(
            f"The token of '{name}' itself stays. Another one is taken with: playhead connections set {name!r} --help"
        )
    _say_linked(
        session, name, who, found, former if not with_history else None, shared=shared, dry_run=dry_run
    )


def _say_linked(
    session: Session,
    name: str,
    who: str,
    found: Found,
    former: str | None,
    *,
    shared: bool,
    dry_run: bool,
) -> None:
    if dry_run:
        session.screen.say(f"'{found.user.name}' on '{name}' would be {who}'s (--dry-run).")
        return
    shares = f"counts for {who}: it is read for each who shares it, and never written"
    is_whose = shares if shared else f"is {who}'s"
    session.screen.say(f"'{found.user.name}' on '{name}' {is_whose}.", style="green")
    if former is not None:
        session.screen.say(
            f"What it shows now is {former}'s and counts for nobody else; what happens there from now on is {who}'s."
        )
    session.screen.say(f"Next: {session.command('plan')}, then {session.command('sync')}")


def _find_person(session: Session, name: str) -> str:
    known = session.settings.find_person(name)
    if known is None:
        persons = ", ".join(session.settings.persons()) or "none yet"
        raise UsageError(
            f"There is no person '{name}'.", hint=f"Persons: {persons}. Name a new one: playhead people add {name!r}"
        )  # fmt: skip
    return known


def _take_token(session: Session, given: str | None) -> tuple[str | None, str | None]:
    """The reference (None = to be stored) and the token itself; (None, None) where none was given."""
    if given is None:
        return None, None
    if given == "-":
        return None, read_stdin_secret()
    if given.startswith(("env:", "file:")):
        return given, session.installation.secrets.resolve(given)
    return None, given.strip()


def _take_pin(session: Session, given: str | None) -> str | None:
    """The PIN itself, from where it lies; ``-`` asks for it, or reads it from standard input."""
    if given is not None and given.startswith(("env:", "file:")):
        return session.installation.secrets.resolve(given)
    if given != "-":
        return given
    return ask_secret(session.screen, "PIN") if session.screen.interactive else read_stdin_secret()


def _find(
    session: Session,
    name: str,
    user: str,
    token: str | None = None,
    reference: str | None = None,
    pin: str | None = None,
    *,
    dry_run: bool,
    granted: Granted | None = None,
) -> Found:
    """Ask the server; at a terminal a PIN that is needed is asked for."""

    def ask(pin: str | None) -> Found:
        with session.screen.waiting(f"Asking {name} ..."):
            return asyncio.run(
                find_login(
                    session.installation,
                    name,
                    user,
                    token=token,
                    reference=reference,
                    pin=pin,
                    dry_run=dry_run,
                    granted=granted,
                )
            )

    try:
        return ask(pin)
    except Unauthorized as error:
        if pin is not None or "PIN" not in error.message or not session.screen.interactive:
            raise
        session.screen.note(error.message)
        return ask(ask_secret(session.screen, "PIN"))


def _check(
    session: Session, name: str, who: str, found: Found, *, also: bool, shared: bool = False
) -> str | None:
    """Whose the login is now, None = nobody's, this person's already, or shared. Raises UsageError where it may not be linked."""
    connection = session.settings.connections[name]
    owners = list_owners(session.settings, connection)
    for of, user_id in owners:
        if of != name and same_login(user_id, found.user.id):
            raise UsageError(
                f"'{found.user.name}' is linked on '{of}', which is the same server.",
                hint=f"Take it out there first: playhead people unlink '{of}' '{found.user.name}'",
            )
    if shared:
        return None
    if not also:
        refuse_second_login(who, owners, found.user, name)
    former = find_owner(session.settings, connection, found.user.id)
    return former if former is not None and former.casefold() != who.casefold() else None


def propose(
    yes: Yes = False,
    dry_run: DryRun = False,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    session = Session(home, as_json=json, verbose=verbose)
    if not session.settings.connections:
        raise UsageError("Nothing is connected yet.", hint="Start with: playhead connect plex|jellyfin|emby")
    with session.screen.waiting("Asking the servers ..."):
        places, failed = asyncio.run(list_places(session.installation))
    for name, error in failed.items():
        session.screen.note(f"warning: {name}: {error}", style="yellow")
    found = propose_links(places, session.settings.persons())
    _show(session, found)
    only_shown = dry_run or (json and not yes)
    asked = not (only_shown or yes)
    if asked and (found.sure or found.doubts) and not session.screen.interactive:
        raise UsageError("This needs a yes: Link what is sure?", hint="Give --yes, or --dry-run to look.")
    linked: list[dict[str, Any]] = []
    troubles: list[dict[str, Any]] = []
    if not only_shown:
        for person, own in _choose(session, found, asked=asked):
            for place in own:
                _link_place(session, person, place, linked, troubles)
    session.screen.give(_describe(found, linked, troubles, dry_run=only_shown))
    if linked:
        session.screen.say(f"Next: {session.command('plan')}, then {session.command('sync')}")
    elif only_shown and found.sure:
        session.screen.say("Nobody was linked (--dry-run).")
    raise typer.Exit(_judge(found, troubles, failed, left=yes and not only_shown))


def _judge(found: Proposals, troubles: Sequence[object], failed: Sequence[str] | Any, *, left: bool) -> Exit:
    if left and found.doubts:
        return Exit.held
    return Exit.partly if troubles or failed else Exit.done


def _choose(session: Session, found: Proposals, *, asked: bool) -> list[tuple[str, Sequence[Place]]]:
    """What is to be linked to whom: all that is sure, or what a person says."""
    if not asked:
        return [(proposal.person, proposal.places) for proposal in found.sure]
    chosen: list[tuple[str, Sequence[Place]]] = []
    if found.sure or found.doubts:
        session.screen.note(
            "Linking changes nothing on any server; a sync after it does, and plan shows what."
        )
    for proposal in found.sure:
        where = ", ".join(_say_place(place) for place in proposal.places)
        if ask_yes(session.screen, f"Link {where} to {proposal.person}?", default=False):
            chosen.append((proposal.person, proposal.places))
    for doubt in found.doubts:
        question = f"Whose is {_say_place(doubt.place)}? It {doubt.why}"
        choices = [*(doubt.persons or (doubt.place.user.name,)), NOBODY]
        answer = ask_choice(session.screen, question, choices)
        if answer != NOBODY:
            chosen.append((answer, (doubt.place,)))
    return chosen


def _link_place(
    session: Session,
    person: str,
    place: Place,
    linked: list[dict[str, Any]],
    troubles: list[dict[str, Any]],
) -> None:
    """Link one login; what goes wrong is told, and the others go on."""
    told = {"person": person, **_describe_place(place)}
    try:
        found = _find(session, place.connection, place.user.id, dry_run=False)
        if _check(session, place.connection, person, found, also=False) is not None:
            raise UsageError(f"'{place.user.name}' is somebody else's by now.")
        if session.settings.find_person(person) is None:
            session.installation.save_people([*session.settings.people, person])
        link(session.installation, place.connection, person, found)
        linked.append(told)
        session.screen.say(f"{_say_place(place)} is {person}'s.", style="green")
    except PlayheadError as error:
        troubles.append({**told, "message": error.message, "hint": error.hint})
        session.screen.note(
            f"warning: {_say_place(place)} was not linked: {error.message} {error.hint}".strip(),
            style="yellow",
        )


def _show(session: Session, found: Proposals) -> None:
    table = make_table("person", "logins", "because")
    for proposal in found.sure:
        where = ", ".join(_say_place(place) for place in proposal.places)
        new = "" if proposal.known else " (new)"
        table.add_row(f"{proposal.person}{new}", where, proposal.why)
    for doubt in found.doubts:
        table.add_row("?", _say_place(doubt.place), doubt.why)
    if found.sure or found.doubts:
        session.screen.show(table)
    else:
        session.screen.say("Nothing to propose: every login that looks like one of a person is linked.")
    if found.alone:
        alone = ", ".join(_say_place(place) for place in found.alone)
        session.screen.say(f"Nobody's, and like no other: {alone}", style="dim")
        by_hand = f"{session.command('people add NAME')}, then {session.command('people link NAME CONNECTION USER')}"
        session.screen.say(f"By hand: {by_hand}", style="dim")


def _say_place(place: Place) -> str:
    return f"'{place.user.name}' on '{place.connection}'"


def _describe_place(place: Place) -> dict[str, Any]:
    return {"connection": place.connection, "user": place.user.name, "user_id": place.user.id}


def _describe_sure(proposal: Proposal) -> dict[str, Any]:
    logins = [_describe_place(place) for place in proposal.places]
    return {"person": proposal.person, "known": proposal.known, "why": proposal.why, "logins": logins}


def _describe_doubt(doubt: Doubt) -> dict[str, Any]:
    return {**_describe_place(doubt.place), "persons": list(doubt.persons), "why": doubt.why}


def _describe(
    found: Proposals, linked: list[dict[str, Any]], troubles: list[dict[str, Any]], *, dry_run: bool
) -> dict[str, Any]:
    return {
        "proposals": [_describe_sure(proposal) for proposal in found.sure],
        "doubts": [_describe_doubt(doubt) for doubt in found.doubts],
        "alone": [_describe_place(place) for place in found.alone],
        "linked": linked,
        "failed": troubles,
        "dry_run": dry_run,
    }
