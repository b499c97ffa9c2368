"""The control side's hands: what a person does on a server, by the names of the world's items. Disks are ``file_acts``'."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from playhead.sandbox.jellyfin import ticks
from playhead.sandbox.jellyfin.accounts import User
from playhead.sandbox.jellyfin.file_acts import FileActs
from playhead.sandbox.jellyfin.items import Item
from playhead.sandbox.player import ACTS

if TYPE_CHECKING:
    from playhead.sandbox.jellyfin.emulator import JellyfinServer

Args = dict[str, Any]
UserAct = Callable[[User, Item, int, Args], None]


class Acts:
    """Acts on one server."""

    def __init__(self, server: JellyfinServer) -> None:
        self.server = server
        self.files = FileActs(server)
        self._playing: set[tuple[str, str]] = set()
        self._players = server.playing.players
        marks = server.marks
        self._of_user: dict[str, UserAct] = {
            "play": self._play,
            "start": self._start,
            "stop": self._stop,
            "mark": lambda user, item, at, args: marks.mark(
                user, item, None, at
            ),  # as the web client: without a date
            "unmark": lambda user, item, at, args: marks.unmark(user, item),
            "rate": self._rate,
            "favourite": lambda user, item, at, args: marks.favourite(user, item, True),
            "unfavourite": lambda user, item, at, args: marks.favourite(user, item, False),
        }
        self._of_server: dict[str, Callable[[], object]] = {
            "restart": server.restart,
            "cut_sockets": server.sockets.lines.cut,
        }
        self._of_login: dict[str, Callable[[str, Args], object]] = {
            "delete_user": lambda user, args: server.remove_user(server.find_user(user)),
            "recreate_user": lambda user, args: self._recreate_user(user),
            "revoke_token": lambda user, args: server.revoke_tokens(server.find_user(user) if user else None),
            "enter_code": lambda user, args: server.accounts.approve(
                str(args.get("code")), server.find_user(user)
            ),
            "quick_connect": lambda user, args: server.configuration.update(
                QuickConnectAvailable=bool(args.get("enabled"))
            ),
        }
        self._of_login["set_language"] = lambda user, args: server.set_language(args.get("language"))
        self.known = (*self._of_user, *ACTS, *self.files.known, *self._of_login, *self._of_server)

    def do(self, user: str, item: str, act: str, at: float | None, args: Args) -> None:
        """Carry out an act. Raises KeyError for what does not exist, ValueError for an act that is not known."""
        if act in self._of_user:
            when = self.server.now() if at is None else ticks.from_unix(at)
            self._of_user[act](self.server.find_user(user), self.find(item, args.get("library")), when, args)
        elif act in self.files.known:
            self.files.do(item, act, args)
        elif act in self._of_login:
            self._of_login[act](user, args)
        elif act == "play_start":
            self.server.playing.play(
                self.server.find_user(user), self.find(item, args.get("library")), args, item
            )
        elif act in ACTS:
            self._players.do(act, self.server.find_user(user).id, item, args)
        elif act in self._of_server:
            self._of_server[act]()
        else:
            raise ValueError(
                f"Jellyfin does not know the act {act!r}: use one of {', '.join(sorted(self.known))}."
            )

    def find(self, name: str, library: object = None) -> Item:
        """The first item that holds a world item, in a library if one is named. Raises KeyError."""
        found = [
            item
            for item in self.server.catalogue.by_world.get(name, ())
            if library is None or (item.library is not None and item.library.name == library)
        ]
        if not found:
            raise KeyError(f"no item {name!r} on {self.server.name}")
        return next((item for item in found if item.primary is None), found[0])

    def _leaves(self, item: Item) -> list[Item]:
        return list(self.server.catalogue.leaves_below(item)) if item.is_folder else [item]

    def _play(self, user: User, item: Item, at: int, args: Args) -> None:
        """From start to end, or to ``position_s``; a show episode by episode."""
        for leaf in self._leaves(item):
            self._start(user, leaf, at, {})
            self._stop(user, leaf, at, args)

    def _start(self, user: User, item: Item, at: int, args: Args) -> None:
        """Playback begins, at ``position_s`` if given."""
        playing = self.server.playing
        session = playing.session_of(user, args)
        playing.start(session, item, item, {}, at=at)
        self._playing.add((user.id, item.id))
        if "position_s" in args:
            playing.progress(session, item, item, {"positionticks": _ticks(args["position_s"])})

    def _stop(self, user: User, item: Item, at: int, args: Args) -> None:
        """Playback ends; what was not started is started first, for nobody can stop it otherwise."""
        if (user.id, item.id) not in self._playing:
            self._start(user, item, at, {})
        self._playing.discard((user.id, item.id))
        seconds = args.get("position_s")
        playing = self.server.playing
        session = playing.session_of(user, args)
        position = item.runtime if seconds is None else _ticks(seconds)
        playing.stop(session, item, item, {"positionticks": position})

    def _rate(self, user: User, item: Item, at: int, args: Args) -> None:
        """``rating`` 0 to 10; null or absent clears it."""
        rating = args.get("rating")
        if rating is not None and not 0 <= float(rating) <= 10:
            raise ValueError('"rating" is 0 to 10, or null to clear it')
        if rating is None:
            self.server.marks.like(user, item, None)
        else:
            self.server.marks.write(user, item, {"Rating": float(rating)})

    def _recreate_user(self, name: str) -> None:
        """A user is deleted and one of the same name made: another id and token, the same rights."""
        accounts = self.server.accounts
        old = accounts.by_name(name) or accounts.users.get(name)
        if old is not None:
            self.server.remove_user(old)
            name = old.name
        user = accounts.add_user(name, old.password if old else "", admin=bool(old and old.admin))
        if old is not None:
            user.policy = old.policy
        self.server.give_token(user, None)


def _ticks(seconds: Any) -> int:
    return round(float(seconds) * ticks.PER_SECOND)
