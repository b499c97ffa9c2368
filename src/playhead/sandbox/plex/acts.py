"""What a person does on an emulated Plex, or to its files: the acts of the control side.

Acts of watching go through the same rules as the HTTP routes, at the time they are said to happen. Knows no HTTP.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from playhead.sandbox.library_args import REAL
from playhead.sandbox.player import ACTS, device_of
from playhead.sandbox.plex.accounts import Account, recreate_account
from playhead.sandbox.plex.building import copy_placement
from playhead.sandbox.plex.catalogue import Node, Section
from playhead.sandbox.plex.core import PlexCore
from playhead.sandbox.plex.library_acts import LibraryActs
from playhead.sandbox.plex.notifications import CREATED, DELETED, PROCESSED
from playhead.sandbox.plex.webhooks import Device
from playhead.sandbox.world import Placement

Args = dict[str, Any]
PLACEMENT_ARGS = (
    "library",
    "ids",
    "guid",
    "title",
    "year",
    "file",
    "duration_s",
    "season",
    "episode",
    "versions",
)
_PLAYER = "act"


class Acts:
    """Acts by name. ``now`` is when it happens, epoch seconds in the server's clock."""

    def __init__(self, core: PlexCore) -> None:
        self._core = core
        self._personal: dict[str, Callable[[Account, Node, int, Args], None]] = {
            "play": self._play,
            "start": self._start,
            "stop": self._stop,
            "mark": self._mark,
            "unmark": self._unmark,
            "rate": self._rate,
            "play_start": self._play_start,
        }
        self._files: dict[str, Callable[[str, int, Args], None]] = {
            "add": self._add,
            "remove": self._remove,
            "replace_file": self._replace_file,
            "move_file": self._move_file,
            **LibraryActs(core).by_name,
        }
        self._signing: dict[str, Callable[[str, Args], None]] = {
            "delete_user": lambda user, args: core.delete_account(core.account(user)),
            "recreate_user": lambda user, args: core.delete_account(
                core.account(user), recreate_account(core.account(user))
            ),
            "revoke_token": lambda user, args: core.revoke_token(core.account(user)),
            "enter_code": self._enter_code,
            "tell_address": self._tell_address,
        }
        self.known = (*self._personal, *ACTS[1:], *self._files, *self._signing, "cut_sockets")

    def do(self, user: str, item: str, act: str, now: int, args: Args) -> None:
        """Carry out one act. Raises KeyError for what does not exist, ValueError for an unknown or senseless act."""
        if act in self._files:
            before = dict(self._core.catalogue.nodes)
            self._files[act](item, now, args)
            self._tell_changes(before)
            return
        if act == "cut_sockets":
            self._core.notifications.lines.cut()
            return
        if act in ACTS[1:]:
            self._core.playback.players.do(act, str(self._core.account(user).id), item, args)
            return
        if act in self._signing:
            self._signing[act](user, args)
            return
        if act in ("favourite", "unfavourite"):
            raise ValueError("a Plex server knows no favourites")
        if act not in self._personal:
            raise ValueError(f"an emulated Plex knows no act {act!r}; it knows {', '.join(self.known)}")
        self._personal[act](self._core.account(user), self._chosen(item, args)[0], now, args)

    def _tell_changes(self, before: dict[int, Node]) -> None:
        """Notifications and webhooks of what an act on files made and took away."""
        core, after = self._core, self._core.catalogue.nodes
        gone = [node for key, node in before.items() if after.get(key) is not node]
        made = [node for key, node in after.items() if before.get(key) is not node]
        core.notifications.items([node for node in gone if node not in made], DELETED, "deleted")
        core.notifications.items(made, CREATED, "created")
        core.notifications.items(made, PROCESSED)
        core.webhooks.new_items([node for node in made if not node.children])

    def _enter_code(self, user: str, args: Args) -> None:
        """On plex.tv's page ``user`` enters ``code``."""
        if self._core.pins is None:
            raise ValueError("there is no plex.tv in this world")
        self._core.pins.enter(str(args.get("code", "")), self._core.account(user).name)

    def _tell_address(self, user: str, args: Args) -> None:
        """plex.tv tells of one more address of this server, before the true one; ``local``, ``relay``."""
        url = urlsplit(str(args.get("uri", "")))
        if url.port is None:
            raise ValueError('"tell_address" needs "uri": an address with its port')
        told = {"protocol": url.scheme, "address": url.hostname, "port": url.port, "uri": url.geturl()}
        kind = {"local": bool(args.get("local")), "relay": bool(args.get("relay")), "IPv6": False}
        self._core.addresses.append(told | kind)

    def _chosen(self, item: str, args: Args) -> list[Node]:
        """Where the item stands; ``library`` narrows."""
        found = self._core.catalogue.world_nodes(item)
        library = args.get("library")
        chosen = [node for node in found if library in (None, node.section.title)]
        if not chosen:
            raise KeyError(f"{item!r} is not in the library {library!r}")
        return chosen

    def _files_of(self, item: str, args: Args) -> list[Node]:
        """The same, where files are the sandbox's to change."""
        chosen = self._chosen(item, args)
        for node in chosen:
            if node.section.reals:
                raise ValueError(REAL.format(node.section.title, node.section.reals.describe()))
        return chosen

    # -- watching

    def _play(self, account: Account, node: Node, now: int, args: Args) -> None:
        """Watched to the end; every leaf of a show. Of a file with several episodes only the one that was played."""
        for leaf in node.leaves():
            self._core.playback.play_whole(account, leaf, now, _device(args))

    def _play_start(self, account: Account, node: Node, now: int, args: Args) -> None:
        """A simulated client plays from ``position_s`` on, on the device named ``device``."""
        if node.children:
            raise ValueError("only a movie or an episode can be played")
        self._core.playback.play(account, node, args, node.world or "")

    def _start(self, account: Account, node: Node, now: int, args: Args) -> None:
        self._report(account, node, float(args.get("position_s", 0)), now, "playing", args)

    def _stop(self, account: Account, node: Node, now: int, args: Args) -> None:
        if "position_s" not in args:
            raise ValueError('"stop" needs "position_s": where playback stopped')
        self._report(account, node, float(args["position_s"]), now, "stopped", args)

    def _report(
        self, account: Account, node: Node, position_s: float, now: int, state: str, args: Args
    ) -> None:
        if node.children:
            raise ValueError("only a movie or an episode can be played in part")
        offset, name = int(position_s * 1000), f"{_PLAYER}-{account.id}"
        self._core.playback.report(account, node, state, offset, now, name=name, device=_device(args))

    def _mark(self, account: Account, node: Node, now: int, args: Args) -> None:
        self._core.state.scrobble(account.id, node, now)
        self._core.notifications.items([node], PROCESSED)

    def _unmark(self, account: Account, node: Node, now: int, args: Args) -> None:
        self._core.state.unscrobble(account.id, node)
        self._core.notifications.items([node], PROCESSED)

    def _rate(self, account: Account, node: Node, now: int, args: Args) -> None:
        """``rating`` 0 to 10, null or absent clears."""
        rating = args.get("rating")
        if rating is not None and not 0 <= float(rating) <= 10:
            raise ValueError('"rating" is 0 to 10, or null to clear')
        value = None if rating is None else float(rating)
        self._core.state.rate(account.id, node, value, now)
        told = -1.0 if value is None else value
        self._core.webhooks.media("media.rate", account, node, _device(args), rating=told)
        self._core.notifications.items([node], PROCESSED)

    # -- files

    def _add(self, item: str, now: int, args: Args) -> None:
        """A new file is found. It has a new key; its state is there again if its guid is that of before."""
        builder = self._core.builder
        known = builder.items.get(item)
        if known is None:
            raise KeyError(f"no item {item!r} in the world")
        _refuse_real(self._core.catalogue.sections, known.type, args)
        wanted = [i for i in builder.items.values() if i.show == item] if known.type == "show" else [known]
        given = {key: args[key] for key in PLACEMENT_ARGS if key in args}
        for leaf in wanted:
            placements = [
                self._new_key(p) for p in builder.placements.get(leaf.id) or [Placement(item=leaf.id)]
            ]
            if given:
                builder.place(leaf, [copy_placement(placements[0], **given)], added=now)
            elif not self._core.catalogue.by_world.get(leaf.id):
                builder.place(leaf, placements, added=now)

    def _new_key(self, placement: Placement) -> Placement:
        taken = placement.native_id is not None and self._core.catalogue.was_used(placement.native_id)
        return copy_placement(placement, native_id=None) if taken else placement

    def _remove(self, item: str, now: int, args: Args) -> None:
        for node in self._files_of(item, args):
            for leaf in list(node.leaves()):
                self._core.catalogue.remove(leaf)
                if leaf.guid.startswith("local://"):
                    self._core.state.forget_guid(leaf.guid)

    def _replace_file(self, item: str, now: int, args: Args) -> None:
        """Another file of the same item: key, guid and state stay, media and part are new."""
        for node in self._files_of(item, args):
            stem, ending = posixpath.splitext(_first_file(node))
            default = _first_file(node) if args.get("same_path") else f"{stem} - new{ending}"
            self._change_file(node, str(args.get("file") or default), now, args)

    def _move_file(self, item: str, now: int, args: Args) -> None:
        """Moved or renamed within its library: the same item at another path (facts 2.2 keep state by guid)."""
        for node in self._files_of(item, args):
            folder = str(args.get("folder") or f"{node.section.root}/Moved")
            default = f"{folder}/{posixpath.basename(_first_file(node))}"
            self._change_file(node, str(args.get("file") or default), now, args)

    def _change_file(self, node: Node, path: str, now: int, args: Args) -> None:
        node.files[0] = path if path.startswith("/") else f"{node.section.root}/{path}"
        if "duration_s" in args:
            node.duration = int(float(args["duration_s"]) * 1000)
        node.updated = now
        node.forget_text()
        self._core.catalogue.revision += 1
        self._core.notifications.items([node], PROCESSED)


def _refuse_real(sections: list[Section], kind: str, args: Args) -> None:
    wanted = "movie" if kind == "movie" else "show"
    for section in sections:
        if section.type == wanted and args.get("library") in (None, section.title):
            if section.reals:
                raise ValueError(REAL.format(section.title, section.reals.describe()))
            return


def _device(args: Args) -> Device:
    title = device_of(args)
    return Device(client_id=f"{_PLAYER}-{title}", title=title, product="Sandbox")


def _first_file(node: Node) -> str:
    if not node.files:
        raise ValueError("only a movie or an episode has a file")
    return node.files[0]
