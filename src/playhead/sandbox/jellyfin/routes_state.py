"""Routes that read and write a user's state of items, and playback reports of clients."""

from __future__ import annotations

import math
from typing import Any

from aiohttp import web

from playhead.sandbox.jellyfin import ticks
from playhead.sandbox.jellyfin.accounts import User
from playhead.sandbox.jellyfin.answers import json_answer, nothing, problem, text_failure
from playhead.sandbox.jellyfin.call import Call
from playhead.sandbox.jellyfin.items import Item
from playhead.sandbox.jellyfin.routes_items import MODERN, find_item
from playhead.sandbox.jellyfin.sessions import Session
from playhead.sandbox.jellyfin.web import Route

INT32, INT64 = 2**31, 2**63
_BODY = "userDataDto"
_REPORT: dict[str, type] = {
    "itemid": str,
    "mediasourceid": str,
    "positionticks": int,
    "ispaused": bool,
    "canseek": bool,
    "failed": bool,
    "playmethod": str,
}


def _target(call: Call) -> tuple[User, Item]:
    call.path_guid("itemId")
    user = call.user()
    return user, find_item(call, user)


def _answer(call: Call, user: User, item: Item) -> web.Response:
    state = call.server.store.read(user, item)
    try:
        return json_answer(call.server.describer.user_data(user, item, state))
    except ValueError:
        raise text_failure(400) from None


def get_user_data(call: Call) -> web.Response:
    """``GET /UserItems/{itemId}/UserData``."""
    user, item = _target(call)
    if call.server.rules.live_cache:
        call.server.store.note_listed(user, [item.id])
    return _answer(call, user, item)


def post_user_data(call: Call) -> web.Response:
    """``POST /UserItems/{itemId}/UserData``: members that are not null are applied as they are."""
    call.path_guid("itemId")
    call.guid("userId")
    members = _read_members(call.json(_BODY))
    user, item = _target(call)
    call.server.marks.write(user, item, members)
    return _answer(call, user, item)


def _read_members(body: dict[str, Any]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name in ("Played", "IsFavorite", "Likes"):
        members[name] = _bool(body.get(name.lower()))
    members["PlayCount"] = _int(body.get("playcount"), INT32)
    members["PlaybackPositionTicks"] = _int(body.get("playbackpositionticks"), INT64)
    members["Rating"] = _float(body.get("rating"))
    members["LastPlayedDate"] = _date(body.get("lastplayeddate"))
    return members


def _unreadable(kind: str) -> Exception:
    message = f"The JSON value could not be converted to System.{kind}. Path: $ | LineNumber: 0 | BytePositionInLine: 0."
    return problem(400, {"$": [message], _BODY: [f"The {_BODY} field is required."]})


def _bool(value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise _unreadable("Boolean")


def _int(value: Any, bound: int) -> int | None:
    if value is None:
        return None
    if isinstance(value, str) and value.lstrip("-").isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -bound <= value < bound:
        raise _unreadable("Int32" if bound == INT32 else "Int64")
    return value


def _float(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, str):
        if value in ("NaN", "Infinity", "-Infinity"):
            return float(value.replace("Infinity", "inf"))
        try:
            value = float(value)
        except ValueError:
            raise _unreadable("Double") from None
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isinf(value):
        raise _unreadable("Double")
    return float(value)


def _date(value: Any) -> int | None:
    if value is None:
        return None
    found = ticks.parse(value) if isinstance(value, str) else None
    if found is None:
        raise _unreadable("DateTime")
    return found


def mark_played(call: Call) -> web.Response:
    """``POST /UserPlayedItems/{itemId}``; the caller's session becomes one of the user (facts A6)."""
    call.path_guid("itemId")
    date = call.date("datePlayed")
    user, item = _target(call)
    call.server.touch_session(call, user)
    call.server.marks.mark(user, item, date, call.server.now())
    return _answer(call, user, item)


def unmark_played(call: Call) -> web.Response:
    """``DELETE /UserPlayedItems/{itemId}``."""
    user, item = _target(call)
    call.server.touch_session(call, user)
    call.server.marks.unmark(user, item)
    return _answer(call, user, item)


def set_favourite(call: Call) -> web.Response:
    """``POST`` and ``DELETE /UserFavoriteItems/{itemId}``."""
    user, item = _target(call)
    call.server.marks.favourite(user, item, call.request.method == "POST")
    return _answer(call, user, item)


def set_likes(call: Call) -> web.Response:
    """``POST`` and ``DELETE /UserItems/{itemId}/Rating``; without ``likes`` it clears."""
    call.path_guid("itemId")
    likes = call.flag("likes") if call.request.method == "POST" else None
    user, item = _target(call)
    call.server.marks.like(user, item, likes)
    return _answer(call, user, item)


# --- playback reports


def playing_started(call: Call) -> web.Response:
    """``POST /Sessions/Playing``."""
    return _start(call, call.json("playbackStartInfo", _REPORT))


def playing_progress(call: Call) -> web.Response:
    """``POST /Sessions/Playing/Progress``."""
    return _progress(call, call.json("playbackProgressInfo", _REPORT))


def playing_stopped(call: Call) -> web.Response:
    """``POST /Sessions/Playing/Stopped``."""
    return _stop(call, call.json("playbackStopInfo", _REPORT))


def old_playing_started(call: Call) -> web.Response:
    """``POST /PlayingItems/{itemId}``."""
    return _start(call, _old_report(call))


def old_playing_progress(call: Call) -> web.Response:
    """``POST /PlayingItems/{itemId}/Progress``."""
    return _progress(call, _old_report(call))


def old_playing_stopped(call: Call) -> web.Response:
    """``DELETE /PlayingItems/{itemId}``."""
    return _stop(call, _old_report(call))


def _old_report(call: Call) -> dict[str, Any]:
    report: dict[str, Any] = {"itemid": call.path_guid("itemId"), "mediasourceid": call.text("mediaSourceId")}
    report["positionticks"] = call.number("positionTicks")
    report["playmethod"] = "DirectPlay"
    if call.flag("isPaused"):
        report["ispaused"] = True
    return report


def _reported(call: Call, report: dict[str, Any]) -> tuple[Session, Item | None, Item | None]:
    """The session, the item of the report, and the one whose state counts (12: the version that plays)."""
    server = call.server
    session = server.touch_session(call, None)
    guid = str(report.get("itemid") or "").replace("-", "").lower()
    if server.rules.placeholder_row and guid == "0" * 31 + "1":
        raise text_failure(500)
    item = server.catalogue.items.get(guid)
    counted = item
    if item is not None and server.rules.linked_versions:
        source = str(report.get("mediasourceid") or "").replace("-", "").lower()
        counted = next((each for each in item.versions if each.id == source), item)
    return session, item, counted


def _counts(call: Call) -> bool:
    """Whether somebody's state is kept: not that of an API key."""
    return call.token is not None and call.token.user is not None


def _start(call: Call, report: dict[str, Any]) -> web.Response:
    session, item, counted = _reported(call, report)
    if item is not None and counted is not None:
        call.server.playing.start(session, item, counted, report, counts=_counts(call))
    return nothing()


def _progress(call: Call, report: dict[str, Any]) -> web.Response:
    session, item, counted = _reported(call, report)
    if item is not None and counted is not None:
        call.server.playing.progress(session, item, counted, report, counts=_counts(call))
    return nothing()


def _stop(call: Call, report: dict[str, Any]) -> web.Response:
    session, item, counted = _reported(call, report)
    call.server.playing.stop(session, item, counted, report, counts=_counts(call))
    return nothing()


def playing_ping(call: Call) -> web.Response:
    """``POST /Sessions/Playing/Ping``."""
    if call.text("playSessionId") is None:
        raise problem(400, {"playSessionId": ["The playSessionId field is required."]})
    return nothing()


ROUTES = [
    Route("GET", "/UserItems/{itemId}/UserData", get_user_data, since=MODERN),
    Route("POST", "/UserItems/{itemId}/UserData", post_user_data, since=MODERN),
    Route("GET", "/Users/{userId}/Items/{itemId}/UserData", get_user_data, since=MODERN),
    Route("POST", "/Users/{userId}/Items/{itemId}/UserData", post_user_data, since=MODERN),
    Route("POST", "/UserPlayedItems/{itemId}", mark_played, since=MODERN),
    Route("DELETE", "/UserPlayedItems/{itemId}", unmark_played, since=MODERN),
    Route("POST", "/Users/{userId}/PlayedItems/{itemId}", mark_played),
    Route("DELETE", "/Users/{userId}/PlayedItems/{itemId}", unmark_played),
    Route("POST", "/UserFavoriteItems/{itemId}", set_favourite, since=MODERN),
    Route("DELETE", "/UserFavoriteItems/{itemId}", set_favourite, since=MODERN),
    Route("POST", "/Users/{userId}/FavoriteItems/{itemId}", set_favourite),
    Route("DELETE", "/Users/{userId}/FavoriteItems/{itemId}", set_favourite),
    Route("POST", "/UserItems/{itemId}/Rating", set_likes, since=MODERN),
    Route("DELETE", "/UserItems/{itemId}/Rating", set_likes, since=MODERN),
    Route("POST", "/Users/{userId}/Items/{itemId}/Rating", set_likes),
    Route("DELETE", "/Users/{userId}/Items/{itemId}/Rating", set_likes),
    Route("POST", "/Sessions/Playing", playing_started),
    Route("POST", "/Sessions/Playing/Progress", playing_progress),
    Route("POST", "/Sessions/Playing/Stopped", playing_stopped),
    Route("POST", "/Sessions/Playing/Ping", playing_ping),
    Route("POST", "/PlayingItems/{itemId}", old_playing_started),
    Route("POST", "/PlayingItems/{itemId}/Progress", old_playing_progress),
    Route("DELETE", "/PlayingItems/{itemId}", old_playing_stopped),
    Route("POST", "/Users/{userId}/PlayingItems/{itemId}", old_playing_started),
    Route("POST", "/Users/{userId}/PlayingItems/{itemId}/Progress", old_playing_progress),
    Route("DELETE", "/Users/{userId}/PlayingItems/{itemId}", old_playing_stopped),
]
