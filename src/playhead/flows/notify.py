"""Who is told of what, and when: additions are heard by the rules, wait for more of their kind, and go out once.

Decides whom an addition concerns and when a notice is due. What was queued outlives the process; a notice that was on its way
when the process died goes out again under the same key, to the targets of which no answer was stored.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

from playhead.domain.news.addition import Addition, Line, group
from playhead.kit.log import Log
from playhead.notice_settings import KINDS, NoticeSettings
from playhead.ports.additions import Additions, Shown
from playhead.ports.errors import BackendError, PlayheadError
from playhead.ports.notices import (
    Message,
    Notice,
    NoticeBook,
    Picture,
    Queue,
    Renders,
    Sends,
    TargetRefused,
    Trouble,
    Words,
    name_target,
)

log = Log(__name__)

AT_ONCE = 500
MOST_PICTURES = 12
FIRST_WAIT_S = 30.0
LONGEST_WAIT_S = 3600.0
FINISH_WITHIN_S = 8.0  # what is just being handed over when the hub stops
STANDARD = "standard"

FetchPoster = Callable[[str, str], Awaitable[Picture | None]]
"""The picture of a connection's item."""


@dataclasses.dataclass(frozen=True)
class NoticeDesk:
    """All that notices need. ``resolve`` gives the addresses that a rule's reference stands for; ``near`` the connections
    where a person has a login."""

    book: NoticeBook
    additions: Additions
    rules: Sequence[NoticeSettings]
    sends: Sends
    renders: Renders
    resolve: Callable[[str], list[str]]
    fetch_poster: FetchPoster
    now: Callable[[], float]
    near: Callable[[str], set[str]] = lambda person: set()


async def turn(desk: NoticeDesk) -> None:
    """Hear what came, make the notices that are due, and send what is to be sent."""
    desk.book.keep_rules([rule.name for rule in desk.rules])
    for rule in desk.rules:
        if not rule.admin:
            _hear(desk, rule)
            if is_due(rule, desk.book.look(rule.name, desk.now()), desk.now()):
                desk.book.make_notice(rule.name, desk.now())
    rules = {rule.name: rule for rule in desk.rules}
    for notice in desk.book.list_open(desk.now()):
        if notice.rule in rules:
            await _send(desk, rules[notice.rule], notice)


def list_refusals(desk: NoticeDesk) -> list[Trouble]:
    """The rules whose target refuses: a trouble for the admins."""
    names = {rule.name for rule in desk.rules}
    return [
        Trouble(f"notice {name}", f"Notices of '{name}' cannot be sent: {error}", "Try: playhead notify test")
        for name, error in desk.book.list_errors().items()
        if name in names
    ]


def is_due(rule: NoticeSettings, queue: Queue, now: float) -> bool:
    """Whether a notice is to be made: nothing more came for a while, or the first has waited for long, and the day has room."""
    if not queue.count or queue.has_open or queue.sent >= rule.most_a_day:
        return False
    return now - queue.last_at >= rule.quiet_s or now - queue.first_at >= rule.longest_wait_s


def concerns(rule: NoticeSettings, shown: Shown, near: Callable[[str], set[str]]) -> bool:
    """Whether a rule tells of an addition on the server that shows it."""
    if shown.addition.what == "upgraded" and not rule.upgrades:
        return False
    if rule.kinds and KINDS[shown.addition.kind] not in rule.kinds:
        return False
    if rule.person and shown.connection not in near(rule.person):
        return False
    wanted = {name.casefold() for name in rule.libraries}
    if wanted and not wanted & {shown.library.casefold(), shown.library_id.casefold()}:
        return False
    connections = {name.casefold() for name in rule.connections}
    return not connections or shown.connection.casefold() in connections


def make_view(rule: NoticeSettings, notice: Notice, pictures: Mapping[int, str]) -> dict[str, Any]:
    """What a template gets. ``pictures`` are names by the addition whose poster it is."""
    lines = group(notice.additions)
    libraries: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        libraries.setdefault(line.library, []).append(_view_line(line, pictures))
    return {
        "rule": rule.name,
        "person": rule.person,
        "count": len(notice.additions),
        "libraries": [{"title": title, "lines": views} for title, views in libraries.items()],
        "lines": [line for views in libraries.values() for line in views],
        "failed": [{"text": each.text, "hint": each.hint} for each in notice.failed],
        "recovered": [{"text": each.text} for each in notice.recovered],
    }


async def compose(desk: NoticeDesk, rule: NoticeSettings, notice: Notice) -> Message:
    """The message of a notice, its pictures fetched. A template of one's own that is wrong gives way to the standard one."""
    pictures = await _fetch_pictures(desk, group(notice.additions))
    view = make_view(rule, notice, {number: picture.name for number, picture in pictures.items()})
    words = _render(desk, "trouble" if rule.admin else rule.template, view)
    used = tuple(each for each in pictures.values() if f"cid:{each.name}" in words.html)
    return Message(words, used, f"{notice.id}.{int(notice.made_at)}", notice.done)


def _hear(desk: NoticeDesk, rule: NoticeSettings) -> None:
    heard = desk.book.find_heard(rule.name)
    while shown := desk.additions.list_shown(heard, AT_ONCE):
        heard = shown[-1].number
        mine = {each.addition.id for each in shown if concerns(rule, each, desk.near)}
        desk.book.hear(rule.name, mine, heard, desk.now())


async def _send(desk: NoticeDesk, rule: NoticeSettings, notice: Notice) -> None:
    error = ""
    try:
        message = await compose(desk, rule, notice)
        for address in desk.resolve(rule.to):
            if (target := name_target(address)) in notice.done:
                continue
            try:
                await _finish(_hand_over(desk, address, message, notice.id, target))
            except TargetRefused as refused:
                error = str(refused)
                for taken in refused.taken:
                    desk.book.note_sent(notice.id, taken)
    except PlayheadError as wrong:
        error = str(wrong)
    if error:
        wait = min(FIRST_WAIT_S * 2.0 ** min(notice.attempts, 20), LONGEST_WAIT_S)
        desk.book.postpone(notice.id, desk.now() + wait, error)
        log.warning("a notice could not be sent", rule=rule.name, why=error, again_in_s=int(wait))
    else:
        desk.book.end(notice.id, desk.now())
        log.info("notice sent", rule=rule.name, additions=len(notice.additions))


async def _hand_over(desk: NoticeDesk, address: str, message: Message, notice_id: int, target: str) -> None:
    await desk.sends.send(address, message)
    desk.book.note_sent(notice_id, target)


async def _finish(work: Coroutine[Any, Any, None]) -> None:
    """Do it to its end though the hub is told to stop meanwhile, for what was taken and is not noted goes out twice."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=FINISH_WITHIN_S)
        if task.done() and not task.cancelled():
            task.exception()
        raise


def _render(desk: NoticeDesk, template: str, view: Mapping[str, Any]) -> Words:
    try:
        return desk.renders.render(template, view)
    except PlayheadError as error:
        if template == STANDARD:
            raise
        log.warning("a template cannot be used; the standard one is", template=template, why=error.message)
        return desk.renders.render(STANDARD, view)


async def _fetch_pictures(desk: NoticeDesk, lines: Sequence[Line]) -> dict[int, Picture]:
    """By the first addition of each line; those of a server that does not answer are left out."""
    found: dict[int, Picture] = {}
    for line in lines:
        first = line.additions[0]
        if len(found) == MOST_PICTURES or not first.poster:
            continue
        try:
            picture = await desk.fetch_poster(first.connection, first.poster)
        except BackendError as error:
            log.info("no poster", connection=first.connection, why=error.message)
            continue
        if picture is not None:
            ending = picture.media_type.rpartition("/")[2].replace("jpeg", "jpg")
            found[first.id] = Picture(f"poster{len(found) + 1}.{ending}", picture.media_type, picture.data)
    return found


def _view_line(line: Line, pictures: Mapping[int, str]) -> dict[str, Any]:
    return {
        "text": line.text,
        "title": line.title,
        "numbers": line.numbers,
        "upgraded": line.what == "upgraded",
        "picture": pictures.get(line.additions[0].id, ""),
        "entries": [_view_item(each) for each in line.additions],
    }


def _view_item(each: Addition) -> dict[str, Any]:
    return {
        "kind": each.kind, "title": each.title, "year": each.year, "show": each.show_title, "season": each.season,
        "episode": each.episode, "connection": each.connection, "library": each.library,
    }  # fmt: skip
