"""The table that turns news into agreed values, and the only place where one fact wins over another.

Symmetric in the order of slots: every choice is a maximum over a set. What loses least wins where times do not decide:
watched over unwatched, further over nearer. The table itself is printed in the docs from ``RULES``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from playhead.domain.reconcile.model import Agreed, Decision, News, Policy, Slot
from playhead.domain.reconcile.news import find_progress_news, find_watched_news, may_have_rewatched


class Rule(msgspec.Struct, frozen=True):
    """One row: when it applies, what becomes agreed, and how it is told to a person."""

    name: str
    when: str
    then: str
    reason: str  # {connection} and {date} are filled in


RULES: tuple[Rule, ...] = (
    Rule(
        "first-watched",
        "an account is read for the first time and has the item watched",
        "watched (first contact only ever adds), unless it is dated before an un-play that the hub knows",
        "watched on {connection}{date}",
    ),
    Rule("watched", "a reading turns from unwatched to watched", "watched", "watched on {connection}{date}"),
    Rule(
        "rewatched",
        "play count or date of a watched item moved on, and no resume point stands beside it",
        "watched, with the newer date; resume points older than it end",
        "watched again on {connection}{date}",
    ),
    Rule(
        "unplayed",
        "the base was watched and the reading has the form of a person's un-play, from a complete read and a second look",
        "unwatched, unless another account watched it later or in no known order",
        "marked unwatched on {connection}",
    ),
    Rule(
        "stopped",
        "a resume point differs from the base",
        "the newest resume point by trustworthy time; without times the further one",
        "stopped at {position} on {connection}{date}",
    ),
    Rule(
        "finished",
        "the item was watched after the resume point",
        "no resume point",
        "watched on {connection}{date}, which ends the resume point",
    ),
    Rule(
        "cleared",
        "a resume point was taken away by a person or by starting again",
        "no resume point, unless another account has a later one",
        "resume point cleared on {connection}",
    ),
    Rule(
        "restored",
        "a server shows a watched item as unwatched in a form that only playback or a scan leaves",
        "nothing changes in the hub; the server is told again",
        "{connection} shows it unwatched though nobody marked it so",
    ),
    Rule(
        "kept",
        "a person dropped a held removal",
        "nothing changes in the hub; the server is told again",
        "kept: the removal on {connection} was dropped by a person",
    ),
)
_BY_NAME = {rule.name: rule for rule in RULES}


class Resolution(msgspec.Struct, frozen=True):
    """The new agreed value, and the decisions that led to it (none where nothing changed)."""

    agreed: Agreed
    decisions: tuple[Decision, ...] = ()
    watched_moved: bool = False  # a rewatch moved the date: servers that take one are told


def resolve(
    agreed: Agreed, slots: Sequence[Slot], *, now: int, policy: Policy, decided_at: int | None = None
) -> Resolution:
    """Bring the readings of all slots of one person and one item to one agreed value.

    ``decided_at`` is when the agreed value was made, on the hub's clock; None = before everything in the slots.
    """
    watched_news = [n for s in slots if (n := find_watched_news(s, agreed, now, policy))]
    progress_news = [n for s in slots if (n := find_progress_news(s, now, policy))]
    doubtful = any(may_have_rewatched(s, policy) for s in slots)
    watched_news = [n for n in watched_news if _may_overrule(n, agreed, decided_at, doubtful, policy)]
    if not watched_news and not progress_news:
        return Resolution(agreed)
    if any(n.rule == "unplayed" for n in watched_news):
        watched_news += _find_unheard_plays(agreed, slots, watched_news, now, policy)
    after_watched, watched_decision, event = _resolve_watched(agreed, watched_news, policy)
    after, progress_decision = _resolve_progress(after_watched, progress_news, event, policy)
    decisions = tuple(d for d in (watched_decision, progress_decision) if d is not None)
    moved = event is not None and event.rule == "rewatched" and after.watched_at != agreed.watched_at
    return Resolution(after, decisions, moved)


def _resolve_watched(
    agreed: Agreed, news: Sequence[News], policy: Policy
) -> tuple[Agreed, Decision | None, News | None]:
    plays = [n for n in news if n.rule != "unplayed" and not _predates_unplay(n, agreed, policy)]
    unplays = [n for n in news if n.rule == "unplayed"]
    if unplays and not plays:  # an un-play has no time of its own: beside a play its order is never known
        return _accept_unplay(agreed, unplays)
    if not plays:
        return agreed, None, None
    best = max(plays, key=_newest_first)
    count = max([agreed.plays, 1, *(n.slot.reading.plays or 0 for n in plays)])
    dates = [d for d in (best.at, agreed.watched_at if agreed.watched else None) if d is not None]
    after = msgspec.structs.replace(
        agreed,
        watched=True,
        plays=count,
        watched_at=max(dates) if dates else None,
        unwatched_at=None,
        watched_from=best.slot.account_id,
    )
    changed = (after.watched, after.watched_at) != (agreed.watched, agreed.watched_at)
    decision = _decide("watched", best.rule, best) if changed else None
    return after, decision, best


def _find_unheard_plays(
    agreed: Agreed, slots: Sequence[Slot], news: Sequence[News], now: int, policy: Policy
) -> list[News]:
    """Plays that tell the hub nothing as long as it is watched, but that an un-play would have to stand against: the next
    pass would hear them."""
    if not agreed.watched:
        return []
    unplays = [n for n in news if n.rule == "unplayed"]
    heard = {n.slot.key for n in news}
    after = _accept_unplay(agreed, unplays)[0]
    plays = [n for s in slots if s.key not in heard and (n := find_watched_news(s, after, now, policy))]
    return [n for n in plays if n.rule != "unplayed" and not _predates_unplay(n, after, policy)]


def _may_overrule(news: News, agreed: Agreed, decided_at: int | None, doubtful: bool, policy: Policy) -> bool:
    """Whether an un-play is known to be later than the watching that the hub agreed on: its account knew of it, or
    was read in between. Where nobody knows, watched stays."""
    if news.rule != "unplayed" or not agreed.watched:
        return True
    if doubtful or decided_at is None:
        return not doubtful
    known = max(news.not_before or 0, news.slot.base_at or 0)
    return (
        known + policy.order_margin_s >= decided_at
    )  # a pass takes its time from the first read to the decision


def _newest_first(news: News) -> tuple[int, int, tuple[int, int]]:
    return (news.at is not None, news.at or 0, news.slot.key)


def _predates_unplay(news: News, agreed: Agreed, policy: Policy) -> bool:
    """Whether a play is known to be older than the un-play that stands: a late report, or an old server's memory."""
    if agreed.watched or agreed.unwatched_at is None or news.at is None:
        return False
    happened = max(news.at, news.not_before or 0)
    return happened + policy.order_margin_s < agreed.unwatched_at


def _accept_unplay(agreed: Agreed, unplays: Sequence[News]) -> tuple[Agreed, Decision | None, News | None]:
    newest = max(unplays, key=lambda n: (n.not_before or 0, n.slot.key))
    since = max(newest.not_before or 0, agreed.unwatched_at or 0)
    after = Agreed(unwatched_at=since, watched_from=newest.slot.account_id)
    keeps_position = agreed.position_s and _is_later(agreed.position_at, newest.not_before)
    if keeps_position:
        after = msgspec.structs.replace(
            after,
            position_s=agreed.position_s,
            position_at=agreed.position_at,
            position_from=agreed.position_from,
            runtime_s=agreed.runtime_s,
        )
    decision = _decide("watched", "unplayed", newest) if agreed.watched else None
    return after, decision, newest


def _is_later(at: int | None, than: int | None) -> bool:
    return at is not None and than is not None and at > than


def _resolve_progress(
    agreed: Agreed, news: Sequence[News], event: News | None, policy: Policy
) -> tuple[Agreed, Decision | None]:
    enders = [n for n in news if n.rule == "cleared"]
    if event is not None:
        enders.append(event)
    stops = [
        n
        for n in news
        if n.rule == "stopped"
        and not any(_ends(e, n.at, n.slot) for e in enders)
        and not _is_over(n, agreed, policy)
    ]
    best = _pick_stop(stops)
    old_lives = bool(agreed.position_s) and not any(_ends(e, agreed.position_at, None) for e in enders)
    if old_lives and (best is None or _old_stop_wins(agreed, best)):
        return agreed, None
    if best is not None:
        after = msgspec.structs.replace(
            agreed,
            position_s=best.position_s,
            position_at=best.at,
            position_from=best.slot.account_id,
            runtime_s=best.slot.runtime_s,
        )
        return after, _decide("progress", "stopped", best)
    if not agreed.position_s:
        return agreed, None
    ender = max(enders, key=_newest_first)
    after = msgspec.structs.replace(
        agreed, position_s=0, position_at=None, position_from=None, runtime_s=None
    )
    return after, _decide("progress", "cleared" if ender.rule == "cleared" else "finished", ender)


def _ends(ender: News, stopped_at: int | None, slot: Slot | None) -> bool:
    """Whether an event (watched, un-played, cleared) ends a resume point of that time; None = no trustworthy time."""
    if slot is not None and slot.key == ender.slot.key:
        return False  # one account says both at once: watched, and stopped in the middle again
    if ender.at is not None:
        return stopped_at is None or stopped_at <= ender.at
    if ender.first:
        return False  # watched once, nobody knows when: no reason to lose a resume point
    if ender.rule in ("unplayed", "cleared"):
        bound = ender.not_before
    else:
        bound = ender.slot.read_at if ender.not_after is None else ender.not_after
    return stopped_at is None or bound is None or stopped_at <= bound


def _is_over(stop: News, agreed: Agreed, policy: Policy) -> bool:
    """Whether a resume point is older than the watching or the un-play that the hub knows of, or is at first contact the
    very one that the hub has, which may have been its own write to an earlier id."""
    if stop.first and abs(stop.position_s - agreed.position_s) <= policy.same_position_s:
        return True
    end = agreed.watched_at if agreed.watched else agreed.unwatched_at
    return stop.at is not None and end is not None and stop.at <= end


def _pick_stop(stops: Sequence[News]) -> News | None:
    dated = [n for n in stops if n.at is not None]
    undated = [n for n in stops if n.at is None]
    newest = max(dated, key=lambda n: (n.at or 0, n.position_s, n.slot.key), default=None)
    furthest = max(undated, key=lambda n: (n.position_s, n.slot.key), default=None)
    if newest is None or furthest is None:
        return newest or furthest
    return furthest if furthest.position_s > newest.position_s else newest


def _old_stop_wins(agreed: Agreed, stop: News) -> bool:
    if stop.at is not None and agreed.position_at is not None:
        return stop.at < agreed.position_at
    return stop.first and stop.position_s <= agreed.position_s


def _decide(facet: str, rule: str, news: News) -> Decision:
    return Decision(
        facet, rule, tell(rule, news.slot.connection, news.at, news.position_s), news.slot.account_id
    )


def tell(rule: str, connection: str, date: int | None = None, position_s: int = 0) -> str:
    """The rule's reason for a person."""
    when = f" at {datetime.fromtimestamp(date, UTC):%Y-%m-%d %H:%M} UTC" if date is not None else ""
    minutes, seconds = divmod(position_s, 60)
    hours, minutes = divmod(minutes, 60)
    position = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return _BY_NAME[rule].reason.format(connection=connection, date=when, position=position)
