"""What a person does on an emulated Emby, or to its files: the acts of the control side.

Acts of watching go through the same rules as the HTTP routes. Knows no HTTP.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Any

from playhead.sandbox.emby import userdata
from playhead.sandbox.emby.accounts import Accounts, User
from playhead.sandbox.emby.building import Builder
from playhead.sandbox.emby.catalogue import TICKS_PER_SECOND, Catalogue, Node, Shelf, digest
from playhead.sandbox.emby.library_acts import LibraryActs
from playhead.sandbox.emby.playing import Simulation
from playhead.sandbox.library_args import REAL
from playhead.sandbox.player import ACTS
from playhead.sandbox.world import Placement

Args = dict[str, Any]
PLACEMENT_ARGS = ("library", "ids", "title", "year", "file", "duration_s", "season", "episode", "with_next")


class Acts:
    """Acts by name. ``now`` is when it happens, epoch seconds."""

    def __init__(
        self,
        catalogue: Catalogue,
        builder: Builder,
        accounts: Accounts,
        simulation: Simulation,
        libraries: LibraryActs,
    ) -> None:
        self.catalogue = catalogue
        self.accounts = accounts
        self.builder = builder
        self.simulation = simulation
        self.playing = simulation.playing
        self.sockets = self.playing.sockets
        self.webhooks = self.playing.webhooks
        self._playing: set[tuple[str, str]] = (
            set()
        )  # user and item of plays that were started and not stopped
        self._deleted: dict[str, User] = {}
        self._personal: dict[str, Callable[[User, Node, int, Args], None]] = {
            "play": self._play,
            "start": self._start,
            "stop": self._stop,
            "mark": self._mark,
            "unmark": self._unmark,
            "rate": self._rate,
            "favourite": self._favourite,
            "unfavourite": self._unfavourite,
        }
        self._files: dict[str, Callable[[str, int, Args], None]] = {
            "add": self._add,
            "remove": self._remove,
            "replace_file": self._replace_file,
            "move_file": self._move_file,
            **libraries.by_name,
        }
        self._logins: dict[str, Callable[[str], None]] = {
            "delete_user": self._delete_user,
            "recreate_user": self._recreate_user,
            "revoke_token": lambda user: self.accounts.revoke(self.accounts.find(user) if user else None),
        }
        self.known = (*self._personal, *ACTS, *self._files, *self._logins, "cut_sockets")

    def do(self, user: str, item: str, act: str, now: int, args: Args) -> None:
        """Carry out one act. Raises KeyError for what does not exist, ValueError for an unknown or senseless act."""
        if act in self._files:
            before = dict(self.catalogue.nodes)
            self._files[act](item, now, args)
            self._tell_changes(before)
        elif act == "cut_sockets":
            self.sockets.lines.cut()
        elif act in ACTS:
            self._play_along(act, self.accounts.find(user), item, args)
        elif act in self._logins:
            self._logins[act](user)
        elif act in self._personal:
            person = self.accounts.find(user)
            for node in self._leaves(item, args):
                self._personal[act](person, node, now, args)
        else:
            raise ValueError(f"an emulated Emby knows no act {act!r}; it knows {', '.join(self.known)}")

    def _tell_changes(self, before: dict[str, Node]) -> None:
        after = self.catalogue.nodes
        added = [node for key, node in after.items() if key not in before]
        removed = [node for key, node in before.items() if key not in after]
        self.sockets.library_changed(added, removed)
        self.webhooks.library_changed(added, removed)

    def _play_along(self, act: str, user: User, item: str, args: Args) -> None:
        """What a simulated client does."""
        if act != "play_start":
            self.simulation.players.do(act, user.id, item, args)
            return
        node = self._held(item, args)[0]
        if node.is_folder:
            raise ValueError("only a movie or an episode can be played")
        self.simulation.play(user, node, args, item)

    def _tell(self, user: User, node: Node, event: str) -> None:
        self.sockets.user_data_saved(user, node)
        self.webhooks.item(event, user, node)

    def _delete_user(self, name: str) -> None:
        user = self.accounts.find(name)
        self.accounts.delete(user)
        self._deleted[user.name] = user

    def _recreate_user(self, name: str) -> None:
        """A login of that name, with another id and nothing watched; an existing one goes first."""
        user = self._deleted.pop(name, None) or self.accounts.find(name)
        self.accounts.recreate(user)

    # -- watching

    def _play(self, user: User, node: Node, now: int, args: Args) -> None:
        self._start(user, node, now, args)
        position = _position(args)
        self._report(user, node, node.runtime_ticks or 0 if position is None else position, now, args)

    def _start(self, user: User, node: Node, now: int, args: Args) -> None:
        self._playing.add((user.id, node.id))
        self.playing.start(self.simulation.session_of(user, args, now), node, None, now)

    def _stop(self, user: User, node: Node, now: int, args: Args) -> None:
        """Watch up to ``position_s`` and stop there; starts first where no play is under way."""
        position = _position(args)
        if position is None:
            raise ValueError('"stop" needs "position_s": where playback stopped')
        if (user.id, node.id) not in self._playing and not args.get("started"):
            self._start(user, node, now, args)
        self._report(user, node, position, now, args)

    def _report(self, user: User, node: Node, position: int, now: int, args: Args) -> None:
        self._playing.discard((user.id, node.id))
        self.playing.stop(self.simulation.session_of(user, args, now), node, position, now)

    def _mark(self, user: User, node: Node, now: int, args: Args) -> None:
        userdata.mark_played(user.edit(node.state_key), date=None, now=now)
        self._tell(user, node, "item.markplayed")

    def _unmark(self, user: User, node: Node, now: int, args: Args) -> None:
        userdata.mark_unplayed(user.edit(node.state_key), now=now)
        self._tell(user, node, "item.markunplayed")

    def _rate(self, user: User, node: Node, now: int, args: Args) -> None:
        rating = args.get("rating")
        value = None if rating is None else float(rating)
        userdata.set_rating(user.edit(node.state_key), value, now=now)
        self._tell(user, node, "item.rate")

    def _favourite(self, user: User, node: Node, now: int, args: Args) -> None:
        userdata.set_favourite(user.edit(node.state_key), True, now=now)
        self._tell(user, node, "item.rate")

    def _unfavourite(self, user: User, node: Node, now: int, args: Args) -> None:
        userdata.set_favourite(user.edit(node.state_key), False, now=now)
        self._tell(user, node, "item.rate")

    def _leaves(self, item: str, args: Args) -> list[Node]:
        """One node for each state of the item; a show stands for its episodes."""
        found: list[Node] = []
        for node in self._held(item, args):
            found += self.catalogue.episodes(node) if node.is_folder else [node]
        return list({node.state_key: node for node in found}.values())

    def _held(self, item: str, args: Args) -> list[Node]:
        """All places of an item, or those in ``library``."""
        library = args.get("library")
        shelf = self.catalogue.find_shelf(str(library)) if library else None
        found = [n for n in self.catalogue.by_world.get(item, []) if shelf is None or n.shelf is shelf]
        if not found:
            raise KeyError(f"no item {item!r} on this server")
        return found

    def _files_of(self, item: str, args: Args) -> list[Node]:
        """The same, where files are the sandbox's to change."""
        held = self._held(item, args)
        for node in held:
            _refuse_real(node.shelf)
        return held

    # -- files

    def _add(self, item: str, now: int, args: Args) -> None:
        known = self.builder.items.get(item)
        if known is None:
            raise KeyError(f"no item {item!r} in the world")
        given = {key: args[key] for key in PLACEMENT_ARGS if key in args}
        _refuse_real(self.builder.home_of(known, args.get("library")))
        placements = [Placement(item=item, **given)] if given else None
        wanted = self.builder.episodes_of(item) if known.type == "show" else [known]
        for leaf in wanted:
            if leaf.id not in self.catalogue.by_world or placements:
                self.builder.place(leaf, placements, added=now)

    def _remove(self, item: str, now: int, args: Args) -> None:
        for node in self._files_of(item, args):
            for leaf in self.catalogue.episodes(node) if node.is_folder else [node]:
                self.catalogue.remove(leaf)

    def _replace_file(self, item: str, now: int, args: Args) -> None:
        """Another file of the same item: a new path is a new item for Emby (*assumed*, as on Jellyfin); with
        ``same_path`` the item stays and only its file changes."""
        for node in self._files_of(item, args):
            self._change_file(node, _new_path(node.path, args), now, args)

    def _move_file(self, item: str, now: int, args: Args) -> None:
        for node in self._files_of(item, args):
            folder = str(args.get("folder") or posixpath.join(node.shelf.root, "Moved"))
            path = str(args.get("file") or posixpath.join(folder, posixpath.basename(node.path)))
            self._change_file(node, path, now, args)

    def _change_file(self, node: Node, path: str, now: int, args: Args) -> None:
        if node.is_folder:
            raise ValueError("only a movie or an episode has a file")
        if "duration_s" in args:
            node.runtime_ticks = round(float(args["duration_s"]) * TICKS_PER_SECOND)
        node.size += 1
        node.modified = now
        if path != node.path:
            self._rehouse(node, path, now)
        self.catalogue.touch()

    def _rehouse(self, node: Node, path: str, now: int) -> None:
        self.catalogue.rename(node, self.catalogue.take_id())
        if node.state_key == f"path:{digest(node.path)}":
            node.state_key = f"path:{digest(path)}"
        if self.builder.own_state:
            node.state_key = f"item:{node.id}"
        node.path, node.created = path, now


def _refuse_real(shelf: Shelf) -> None:
    if shelf.reals:
        raise ValueError(REAL.format(shelf.title, shelf.reals.describe()))


def _new_path(path: str, args: Args) -> str:
    """``file``, or the same name with another ``extension``, or a name of its own."""
    stem, suffix = posixpath.splitext(path)
    if args.get("same_path"):
        return path
    if "extension" in args:
        return f"{stem}.{str(args['extension']).lstrip('.')}"
    return str(args.get("file") or f"{stem} - new{suffix}")


def _position(args: Args) -> int | None:
    position = args.get("position_s")
    return None if position is None else round(float(position) * TICKS_PER_SECOND)
