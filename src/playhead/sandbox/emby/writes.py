"""The writing routes of an emulated Emby: marks, user data, favourites, likes, playback reports (facts B3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from playhead.sandbox.emby import userdata
from playhead.sandbox.emby.accounts import Session, User
from playhead.sandbox.emby.app import NOTHING, Call, Reply, Route, route
from playhead.sandbox.emby.catalogue import Node
from playhead.sandbox.emby.playing import Playing
from playhead.sandbox.emby.query import EmbyError, number, truth
from playhead.sandbox.emby.reads import Reads
from playhead.sandbox.emby.sockets import Sockets
from playhead.sandbox.emby.userdata import UserData, UserDataBody
from playhead.sandbox.emby.webhooks import Webhooks
from playhead.sandbox.times import to_epoch

LIKE, DISLIKE = 10.0, 1.0


class PlaybackReport(msgspec.Struct, rename="pascal"):
    """The members of a playback report that matter here."""

    item_id: str | int | None = None
    play_session_id: str | None = None
    position_ticks: int | None = None
    is_paused: bool = False
    event_name: str | None = None


class Writes:
    """Handlers that change user data."""

    def __init__(self, reads: Reads, playing: Playing, sockets: Sockets, webhooks: Webhooks) -> None:
        self.reads = reads
        self.playing = playing
        self.sockets = sockets
        self.webhooks = webhooks

    def routes(self) -> list[Route]:
        """All writing routes; every DELETE has its POST twin."""
        twins: list[tuple[str, Callable[[Call], Reply]]] = [
            ("/users/{u}/playeditems/{id}", self.unmark),
            ("/users/{u}/favoriteitems/{id}", self.unfavourite),
            ("/users/{u}/items/{id}/rating", self.unrate),
            ("/users/{u}/playingitems/{id}", self.item_stopped),
        ]
        deletes = [route("DELETE", path, handler) for path, handler in twins]
        deletes += [route("POST", f"{path}/delete", handler) for path, handler in twins]
        return [
            *deletes,
            route("POST", "/users/{u}/playeditems/{id}", self.mark),
            route("POST", "/users/{u}/items/{id}/userdata", self.write_data),
            route("POST", "/users/{u}/favoriteitems/{id}", self.favourite),
            route("POST", "/users/{u}/items/{id}/rating", self.rate),
            route("POST", "/users/{u}/items/{id}/hidefromresume", self.hide),
            route("POST", "/sessions/playing", self.started),
            route("POST", "/sessions/playing/progress", self.progress),
            route("POST", "/sessions/playing/stopped", self.stopped),
            route("POST", "/sessions/playing/ping", self.ping),
            route("POST", "/users/{u}/playingitems/{id}", self.item_started),
            route("POST", "/users/{u}/playingitems/{id}/progress", self.item_progress),
        ]

    def mark(self, call: Call) -> Reply:
        user, node = self._target(call)
        date = read_date(call.query.get("dateplayed"))
        for leaf in self._leaves(node):
            userdata.mark_played(user.edit(leaf.state_key), date=date, now=call.now)
            self._tell(user, leaf, "item.markplayed")
        return self._shown(node, user)

    def unmark(self, call: Call) -> Reply:
        user, node = self._target(call)
        for leaf in self._leaves(node):
            userdata.mark_unplayed(user.edit(leaf.state_key), now=call.now)
            self._tell(user, leaf, "item.markunplayed")
        return self._shown(node, user)

    def write_data(self, call: Call) -> Reply:
        user, node = self._target(call)
        body: UserDataBody = call.json(UserDataBody)
        date = read_iso(body.last_played_date)
        userdata.overwrite(user.edit(node.state_key), body, date=date, now=call.now)
        self.sockets.user_data_saved(user, node)
        return NOTHING

    def favourite(self, call: Call) -> Reply:
        return self._edit(call, lambda data: userdata.set_favourite(data, True, now=call.now))

    def unfavourite(self, call: Call) -> Reply:
        return self._edit(call, lambda data: userdata.set_favourite(data, False, now=call.now))

    def rate(self, call: Call) -> Reply:
        value = LIKE if truth(call.query, "likes") else DISLIKE
        return self._edit(call, lambda data: userdata.set_rating(data, value, now=call.now))

    def unrate(self, call: Call) -> Reply:
        return self._edit(call, lambda data: userdata.set_rating(data, None, now=call.now))

    def hide(self, call: Call) -> Reply:
        hidden = truth(call.query, "hide") or False

        def edit(data: UserData) -> None:
            data.hidden_from_resume = hidden

        return self._edit(call, edit, event="")

    # -- playback

    def started(self, call: Call) -> Reply:
        return self._start(call, call.json(PlaybackReport))

    def progress(self, call: Call) -> Reply:
        return self._progress(call, call.json(PlaybackReport))

    def stopped(self, call: Call) -> Reply:
        return self._stop(call, call.json(PlaybackReport))

    def ping(self, call: Call) -> Reply:
        return NOTHING

    def item_started(self, call: Call) -> Reply:
        return self._start(call, self._from_query(call))

    def item_progress(self, call: Call) -> Reply:
        return self._progress(call, self._from_query(call))

    def item_stopped(self, call: Call) -> Reply:
        return self._stop(call, self._from_query(call))

    def _from_query(self, call: Call) -> PlaybackReport:
        return PlaybackReport(
            item_id=call.path["id"],
            play_session_id=call.query.get("playsessionid"),
            position_ticks=number(call.query, "positionticks"),
            is_paused=truth(call.query, "ispaused") or False,
        )

    def _start(self, call: Call, report: PlaybackReport) -> Reply:
        session = self._session(call)
        node = self.reads.catalogue.nodes.get(str(report.item_id))
        if node is None:
            raise EmbyError(404, f"Item {report.item_id} was not found.")
        session.play_session = report.play_session_id
        self.playing.start(session, node, report.position_ticks, call.now, paused=report.is_paused)
        return NOTHING

    def _progress(self, call: Call, report: PlaybackReport) -> Reply:
        session = self._session(call)
        node = self.reads.catalogue.nodes.get(session.item_id or "")
        if node is None or (report.item_id is not None and str(report.item_id) != node.id):
            raise EmbyError(400, "Value cannot be null. (Parameter 'key')")
        self.playing.progress(session, node, report.position_ticks, call.now, paused=report.is_paused)
        return NOTHING

    def _stop(self, call: Call, report: PlaybackReport) -> Reply:
        """A stop without an open play changes nothing (a second one is harmless, facts B3)."""
        session = self._session(call)
        node = self.reads.catalogue.nodes.get(session.item_id or "")
        if node is not None and report.item_id is not None and str(report.item_id) != node.id:
            node = None
        self.playing.stop(session, node, report.position_ticks, call.now)
        return NOTHING

    def _session(self, call: Call) -> Session:
        return self.reads.accounts.session(call.client, call.client.token or "", call.now)

    # -- shared

    def _target(self, call: Call) -> tuple[User, Node]:
        user = self.reads.user_named(call)
        return user, self.reads.node_named(call, user)

    def _leaves(self, node: Node) -> list[Node]:
        return self.reads.catalogue.episodes(node) if node.is_folder else [node]

    def _tell(self, user: User, node: Node, event: str) -> None:
        self.sockets.user_data_saved(user, node)
        if event:
            self.webhooks.item(event, user, node)

    def _edit(self, call: Call, edit: Callable[[UserData], None], event: str = "item.rate") -> Reply:
        user, node = self._target(call)
        edit(user.edit(node.state_key))
        self._tell(user, node, event)
        return self._shown(node, user)

    def _shown(self, node: Node, user: User) -> Reply:
        return Reply(self.reads.presenter.user_data(node, user))


def read_date(value: str | None) -> int | None:
    """``DatePlayed`` as yyyyMMddHHmmss in UTC. Raises EmbyError 500 for another form (*assumed*)."""
    if not value:
        return None
    try:
        return int(datetime.strptime(value, "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise EmbyError(500, f"String '{value}' was not recognized as a valid DateTime.") from None


def read_iso(value: str | None) -> int | None:
    """A date in a body. Raises EmbyError 400 (*assumed*)."""
    if not value:
        return None
    try:
        return int(to_epoch(value) or 0)
    except ValueError:
        raise EmbyError(400, f"String '{value}' was not recognized as a valid DateTime.") from None
