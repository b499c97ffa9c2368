"""How each kind of server keeps one account's state of one item, and what acts and writes do to it.

Written from the measured facts of the servers, not from the merge. Values only: no ids, no libraries, no clock. A write goes
through the same steps that the kind's adapter takes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from playhead.adapters._mediabrowser.receipts import complete_target
from playhead.adapters.emby.translate import find_mark_date
from playhead.domain.state.reading import State
from playhead.ports.backend import Write

RUNTIME_S = 6_000


class Cell(NamedTuple):
    """What a server keeps. ``date`` is on the server's clock."""

    watched: bool = False
    plays: int = 0
    date: int | None = None
    position_s: int = 0


BLANK_CELL = Cell()


class Rules(NamedTuple):
    """A kind of server: what acts do, how a write is carried out, and what a read shows."""

    name: str
    play: Callable[[Cell, int], Cell]
    stop: Callable[[Cell, int, int], Cell]  # cell, now, position
    mark: Callable[[Cell, int], Cell]
    write: Callable[
        [Cell, Write, int], tuple[Cell, State | None]
    ]  # the cell after, the receipt's state; None = refused
    takes_date: bool
    returns_blank: bool  # an item that was removed and added again has lost its state


def unmark(_cell: Cell) -> Cell:
    """On every kind a person's un-play takes count, date and position."""
    return BLANK_CELL


def is_unplayed(cell: Cell) -> bool:
    """Whether the cell has the form that a person's un-play leaves."""
    return not cell.watched and not cell.plays and cell.date is None and not cell.position_s


def show(cell: Cell) -> State:
    """What a read says."""
    return State(cell.watched, cell.plays, cell.date, cell.position_s)


def _put(wished: State) -> Cell:
    return Cell(bool(wished.watched), wished.plays or 0, wished.last_played, wished.position_s or 0)


# -- Plex: every mark counts and is stamped, a position is stamped, an un-play clears all


def _plex_play(cell: Cell, now: int) -> Cell:
    return Cell(True, cell.plays + 1, now, 0)


def _plex_stop(cell: Cell, now: int, position_s: int) -> Cell:
    return Cell(cell.watched, cell.plays, now, position_s)


def _plex_write(cell: Cell, write: Write, now: int) -> tuple[Cell, State | None]:
    target, refused, found = write.target, False, cell
    marks = "watched" in write.facets and target.watched != cell.watched
    if marks:
        cell = _plex_play(cell, now) if target.watched else BLANK_CELL
    wished = target.position_s
    if wished is not None and wished != cell.position_s:
        if "progress" in write.facets and not wished:
            if not cell.watched:
                cell = BLANK_CELL
            elif (target.plays or 0) > cell.plays:
                cell = _plex_play(cell, now)
            else:
                refused = True
        elif "progress" in write.facets or marks:
            cell = _plex_stop(cell, now, wished)
    if refused:
        return cell, None
    if cell == found:
        return cell, show(cell)  # it was so already
    return cell, State(cell.watched, cell.plays, None, cell.position_s)


# -- Jellyfin: whole states; 10.11 calls unplayed what is merely started


def _jellyfin_play(cell: Cell, now: int) -> Cell:
    return Cell(True, cell.plays + 1, now, 0)


def _jellyfin_12_stop(cell: Cell, now: int, position_s: int) -> Cell:
    return Cell(cell.watched, cell.plays + 1, now, position_s)


def _jellyfin_1011_stop(cell: Cell, now: int, position_s: int) -> Cell:
    return Cell(False, cell.plays + 1, now, position_s)


def _jellyfin_mark(cell: Cell, now: int) -> Cell:
    return Cell(True, max(cell.plays, 1), cell.date or now, 0)


def _jellyfin_write(cell: Cell, write: Write, _now: int) -> tuple[Cell, State | None]:
    if "watched" in write.facets and write.target.watched is False:
        cell = BLANK_CELL
        if write.target.position_s and "progress" in write.facets:
            whole = Write(
                write.native_id,
                write.kind,
                frozenset({"progress"}),
                write.target,
                show(cell),
                write.runtime_s,
            )
            cell = _put(complete_target(whole))
        return cell, show(cell)
    wished = complete_target(write)
    cell = _put(wished)
    return cell, show(cell)


# -- Emby: a mark of what is played does nothing; whole states otherwise


def _emby_play(cell: Cell, now: int) -> Cell:
    return Cell(True, cell.plays + 1, now, 0)


def _emby_stop(cell: Cell, now: int, position_s: int) -> Cell:
    return Cell(cell.watched, max(cell.plays, 1), now, position_s)


def _emby_mark(cell: Cell, now: int) -> Cell:
    return cell if cell.watched else Cell(True, max(cell.plays, 1), now, 0)


def _emby_write(cell: Cell, write: Write, now: int) -> tuple[Cell, State | None]:
    if "watched" in write.facets and write.target.watched is False:
        return _jellyfin_write(cell, write, now)
    wished = complete_target(write)
    if find_mark_date(wished, write.before):
        if not cell.watched:
            cell = Cell(True, max(cell.plays, 1), wished.last_played, 0)
        return cell, show(cell)
    cell = _put(wished)
    return cell, show(cell)


PLEX = Rules("plex", _plex_play, _plex_stop, _plex_play, _plex_write, False, False)
JELLYFIN_12 = Rules(
    "jellyfin-12", _jellyfin_play, _jellyfin_12_stop, _jellyfin_mark, _jellyfin_write, True, False
)
JELLYFIN_1011 = Rules(
    "jellyfin-10.11", _jellyfin_play, _jellyfin_1011_stop, _jellyfin_mark, _jellyfin_write, True, False
)
EMBY = Rules("emby", _emby_play, _emby_stop, _emby_mark, _emby_write, True, True)
KINDS = {rules.name: rules for rules in (PLEX, JELLYFIN_12, JELLYFIN_1011, EMBY)}
