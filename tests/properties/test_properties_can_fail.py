"""Proof that the properties see: the merge is broken in one way after another, and each time a property says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from playhead.domain.reconcile import news, resolve, writes
from playhead.domain.reconcile.model import Base, News, Slot
from playhead.domain.state.reading import State
from playhead.flows import reconcile
from tests.properties import memory_hub
from tests.properties.servers import EMBY, JELLYFIN_12, PLEX
from tests.properties.test_random_flows import Judge
from tests.properties.town import Town
from tests.properties.walking import find_broken

Patch = Callable[[pytest.MonkeyPatch], None]


def any_blank_is_an_un_play(patch: pytest.MonkeyPatch) -> None:
    """Neither form, nor base, nor second look."""

    def find(slot: Slot, base: Base | None) -> News:
        return News("unplayed", slot, False, not_before=slot.read_before)

    patch.setattr(news, "_find_unplay", find)


def the_form_of_an_un_play_is_ignored(patch: pytest.MonkeyPatch) -> None:
    def find(slot: Slot, base: Base | None) -> News | None:
        told = base is not None and base.watched
        return News("unplayed", slot, False, not_before=slot.read_before) if told else None

    patch.setattr(news, "_find_unplay", find)


def a_stamp_is_taken_for_news(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(news, "is_own_stamp", lambda slot, policy: False)
    patch.setattr(news, "_may_be_own_stamp", lambda slot, policy: False)
    patch.setattr(reconcile, "acknowledge", lambda slot, policy: slot)


def a_receipt_swallows_what_a_person_did(patch: pytest.MonkeyPatch) -> None:
    def after_write(base: Base | None, target: State, after: State, policy: Any, **more: Any) -> Base:
        return Base(bool(after.watched), after.plays, after.last_played, after.position_s)

    patch.setattr(memory_hub, "base_after_write", after_write)
    patch.setattr(memory_hub, "is_plain_mark", lambda facets, target, before: True)


def an_un_play_overrules_what_it_cannot_know(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(resolve, "_may_overrule", lambda *args: True)


def old_resume_points_come_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(resolve, "_is_over", lambda *args: False)


def first_contact_unwatches(patch: pytest.MonkeyPatch) -> None:
    plain = writes._want_watched

    def want(slot: Slot, agreed: Any, *rest: Any) -> Any:
        if slot.reading.watched and not agreed.watched:
            return writes._write(slot, "watched", "unplayed", "", agreed, rest[-1])
        return plain(slot, agreed, *rest)

    patch.setattr(writes, "_want_watched", want)
    patch.setattr(news, "find_watched_news", lambda *args: None)
    patch.setattr(resolve, "find_watched_news", lambda *args: None)


def the_oldest_date_wins(patch: pytest.MonkeyPatch) -> None:
    def oldest(news: News) -> tuple[int, int, tuple[int, int]]:
        return (news.at is not None, -(news.at or 0), news.slot.key)

    patch.setattr(resolve, "_newest_first", oldest)


def nothing_is_ever_told(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reconcile, "plan_writes", lambda *args, **more: [])


BREAKS: list[tuple[Patch, str, str]] = [
    (any_blank_is_an_un_play, "jellyfin-10.11", "unread"),
    (the_form_of_an_un_play_is_ignored, "jellyfin-10.11", "watched"),
    (a_stamp_is_taken_for_news, "plex", "blank"),
    (a_receipt_swallows_what_a_person_did, "plex", "blank"),
    (an_un_play_overrules_what_it_cannot_know, "plex", "watched"),
    (old_resume_points_come_back, "mixed", "unread"),
    (first_contact_unwatches, "emby", "unread"),
    (the_oldest_date_wins, "mixed", "unread"),
    (nothing_is_ever_told, "emby", "blank"),
]


@pytest.mark.parametrize(("break_it", "profile", "start"), BREAKS, ids=[b[0].__name__ for b in BREAKS])
def test_a_broken_merge_is_seen(
    monkeypatch: pytest.MonkeyPatch, break_it: Patch, profile: str, start: str
) -> None:
    """The sequences of three acts find what the whole merge passes."""
    assert not find_broken(profile, start, 2)[1]
    break_it(monkeypatch)
    assert find_broken(profile, start, 3)[1]


def test_a_crossing_of_persons_is_seen() -> None:
    """Two persons taken for one: the judge of the real flows says that nobody watched it for the other."""
    town = Town([PLEX, JELLYFIN_12, EMBY], ("anna", "kid"), ("1",))
    try:
        town.act("play", "anna", town.servers[0], "1")
        town.settle()
        Judge(town, lambda name: True).judge()
        anna = next(role.person_id for role in town.roles.values() if role.person == "anna")
        town.roles = {n: msgspec.structs.replace(role, person_id=anna) for n, role in town.roles.items()}
        with town.database.write() as rows:  # else no change of hers would be written to the kid's accounts
            rows.exec_driver_sql("UPDATE account SET person_id = ?", (anna,))
        town.act("play", "anna", town.servers[1], "1")
        town.settle()
        cells = town.cells("kid", "1")
        assert any(cell.watched for cell in cells.values()), "the break is none"
        with pytest.raises(AssertionError):
            Judge(town, lambda name: True).judge()
    finally:
        town.close()
