"""The rules of notices of an installation: saved with their addresses kept secret, tried out, and all that sending them needs."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from playhead.domain.news.addition import Addition
from playhead.flows.notify import FetchPoster, NoticeDesk, make_view
from playhead.notice_settings import NoticeSettings
from playhead.notices.rendering import Templates
from playhead.notices.sending import AppriseSender, split_addresses
from playhead.ports.errors import PlayheadError, UsageError
from playhead.ports.notices import Message, Notice, Picture, Trouble, Words
from playhead.runtime.log import hide
from playhead.runtime.settings_file import put_notice
from playhead.store.additions import STEPS, SqlAdditions
from playhead.store.database import open_database
from playhead.store.notices import SqlNoticeBook
from playhead.store.overview import Overview
from playhead.store.own_file import OwnFile
from playhead.wiring.installation import Installation


def find_rule(installation: Installation, name: str) -> NoticeSettings:
    """The rule of that name, upper and lower case alike. Raises UsageError naming those that exist."""
    rules = installation.settings.notices
    for rule in rules:
        if rule.name.casefold() == name.strip().casefold():
            return rule
    names = ", ".join(rule.name for rule in rules) or "none yet: playhead notify add"
    raise UsageError(f"There is no rule '{name}'.", hint=f"Rules: {names}.")


def check_rule(installation: Installation, rule: NoticeSettings, address: str | None) -> None:
    """See that its connections and its person exist, its template makes words, and its address is one. Raises UsageError."""
    for name in rule.connections:
        installation.connection(name)
    if rule.person and installation.settings.find_person(rule.person) is None:
        known = ", ".join(installation.settings.persons()) or "none yet"
        raise UsageError(f"There is no person '{rule.person}'.", hint=f"Persons: {known}.")
    preview(installation, rule)
    addresses = split_addresses(address) if address is not None else resolve(installation, rule.to)
    if not addresses:
        raise UsageError("There is no address.", hint="Give one with --to, or '-' and it on standard input.")
    for each in addresses:
        AppriseSender().check(each)


def save_rule(
    installation: Installation, rule: NoticeSettings, address: str | None, *, replace: bool
) -> NoticeSettings:
    """Save a rule; ``address`` is kept encrypted, None = ``to`` refers to one elsewhere. Raises UsageError where the name is
    taken and is not to be replaced."""
    old = next(
        (each for each in installation.settings.notices if each.name.casefold() == rule.name.casefold()), None
    )
    if old is not None and not replace:
        raise UsageError(
            f"There is a rule '{old.name}' already.", hint="Add --replace to put this in its place."
        )
    check_rule(installation, rule, address)
    installation.home.prepare()
    if address is not None:
        kept = installation.secrets.keep(f"notice {rule.name}", address)
        rule = NoticeSettings(
            **{**{name: getattr(rule, name) for name in rule.__struct_fields__}, "to": kept}
        )
    try:
        installation.settings_file.edit(lambda document: put_notice(document, rule.name, rule))
    except BaseException:
        if address is not None:
            installation.secrets.drop(rule.to)
        raise
    if old is not None and old.to != rule.to:
        installation.secrets.drop(old.to)
    installation.__dict__.pop("settings", None)
    return rule


def remove_rule(installation: Installation, name: str) -> NoticeSettings:
    """Take a rule out and forget its address; what waited for it is not sent."""
    rule = find_rule(installation, name)
    installation.settings_file.edit(lambda document: put_notice(document, rule.name, None))
    installation.secrets.drop(rule.to)
    installation.__dict__.pop("settings", None)
    forget_old(installation)
    return rule


def forget_old(installation: Installation) -> None:
    """Forget what rules heard that are gone, and where none tells of what is new, what was seen last: a rule that comes later
    begins with what comes from then on."""
    if not installation.home.news.exists():
        return
    rules = installation.settings.notices
    file = open_news(installation)
    try:
        SqlNoticeBook(file).keep_rules([rule.name for rule in rules])
        if all(rule.admin for rule in rules):
            SqlAdditions(file).forget_shelves()
    finally:
        file.close()


def resolve(installation: Installation, reference: str) -> list[str]:
    """The addresses that a reference stands for; they and their passwords are kept out of the log."""
    addresses = split_addresses(installation.secrets.resolve(reference))
    for address in addresses:
        hide(address)
        if password := _find_password(address):
            hide(password)
    return addresses


def preview(
    installation: Installation, rule: NoticeSettings, pictures: Mapping[int, str] | None = None
) -> Words:
    """What a notice of this rule would look like, of made-up additions."""
    return Templates(installation.home.templates).render(
        "trouble" if rule.admin else rule.template, make_view(rule, _make_sample(), pictures or {})
    )


async def send_test(installation: Installation, rule: NoticeSettings) -> list[str]:
    """Send a notice of made-up additions now; gives what refused, () = all took it."""
    picture = Picture("poster1.png", "image/png", _POSTER)
    words = _mark_as_test(preview(installation, rule, {1: picture.name, 4: picture.name}))
    used = (picture,) if f"cid:{picture.name}" in words.html else ()
    message = Message(words, used, f"test.{int(time.time())}")
    errors: list[str] = []
    for address in resolve(installation, rule.to):
        try:
            await AppriseSender().send(address, message)
        except PlayheadError as error:
            errors.append(str(error))
    return errors


def _mark_as_test(words: Words) -> Words:
    """The words with a subject and a first line by which nobody takes it for news."""
    line = "This is a test from Playhead: nothing of this is new."
    html = re.sub(r"(<body[^>]*>)", rf"\1\n<p><em>{line}</em></p>", words.html, count=1)
    return Words(f"Test: {words.subject}", f"{line}\n\n{words.text}", html)


def find_unknown_libraries(installation: Installation, rule: NoticeSettings) -> tuple[list[str], list[str]]:
    """Libraries of the rule that no server had so far, and those that there are; ([], []) before a first read."""
    if not installation.home.database.exists():
        return [], []
    database = open_database(installation.home.path)
    try:
        there = Overview(database).list_library_titles()
    finally:
        database.close()
    known = {title.casefold() for title in there}
    return [title for title in rule.libraries if there and title.casefold() not in known], there


def make_desk(installation: Installation, file: OwnFile, fetch_poster: FetchPoster) -> NoticeDesk:
    """All that sending notices needs."""
    settings = installation.settings

    def find_near(person: str) -> set[str]:
        return {
            name
            for name, connection in settings.connections.items()
            if any(login.person.casefold() == person.casefold() for login in connection.linked())
        }

    return NoticeDesk(
        SqlNoticeBook(file), SqlAdditions(file), settings.notices, AppriseSender(), Templates(installation.home.templates),
        lambda reference: resolve(installation, reference), fetch_poster, time.time, find_near,
    )  # fmt: skip


def open_news(installation: Installation) -> OwnFile:
    """The file of what was seen and what is to be told."""
    return OwnFile(installation.home.news, STEPS)


def _find_password(address: str) -> str:
    try:
        return unquote(urlsplit(address).password or "")
    except ValueError:
        return ""


def _make_sample() -> Notice:
    episodes = [
        Addition(
            id=number, what="new", kind="episode", connection="Plex", library_id="2", library="TV Shows", native_id=str(number),
            found_at=0.0, title=title, show_title="Severance", season=2, episode=number,
        )
        for number, title in enumerate(("Hello, Ms. Cobel", "Goodbye, Mrs. Selvig", "Who Is Alive?"), 1)
    ]  # fmt: skip
    movie = Addition(
        id=4, what="new", kind="movie", connection="Plex", library_id="1", library="Movies", native_id="4", found_at=0.0,
        title="Heat", year=1995,
    )  # fmt: skip
    trouble = Trouble("test", "This is a test; nothing failed.")
    return Notice(0, "test", 0.0, additions=(*episodes, movie), failed=(trouble,))


_POSTER = bytes.fromhex(  # a grey picture of a poster's shape
    "89504e470d0a1a0a0000000d49484452000000020000000308000000009c81815d0000000d4944415478da63d8b183018c00"
    "13710451b34ad49a0000000049454e44ae426082"
)
