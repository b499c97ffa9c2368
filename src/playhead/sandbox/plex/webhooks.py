"""Webhooks of an emulated Plex: what is posted to whom. Source: facts, api-plex.md 8; nothing is sent for manual marks.

URLs are registered at plex.tv by account: the owner's get everybody's events, a shared user's only their own. *Assumed*:
from 1.30 on ``Account.id`` is that of plex.tv for the owner too; several new episodes of a show are told as the show.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import msgspec

from playhead.sandbox.plex.accounts import Account
from playhead.sandbox.plex.catalogue import Node
from playhead.sandbox.posts import Part, Posts, write_form

if TYPE_CHECKING:
    from playhead.sandbox.plex.core import PlexCore

WITH_THUMB = frozenset({"media.play", "media.rate", "library.new"})
SECTION_TYPES = {"movie": "movie", "show": "show"}
_THUMB = base64.b64decode(
    "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP////////////////////////////////////////////////////////////////////"
    "//////////////////wgALCAABAAEBAREA/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxA="
)


class Device(msgspec.Struct, frozen=True):
    """A player as it says of itself."""

    client_id: str
    title: str = "Player"
    product: str = "Plex Web"
    platform: str = "Linux"
    address: str = "127.0.0.1"


class Webhooks:
    """What one server posts. ``urls`` are plex.tv's, by the name of the person; all servers of a world share them."""

    def __init__(self, core: PlexCore, urls: dict[str, list[str]]) -> None:
        self._core = core
        self.urls = urls
        self.posts = Posts()

    def media(
        self,
        event: str,
        account: Account,
        node: Node,
        device: Device,
        offset: int | None = None,
        **extra: Any,
    ) -> None:
        """Somebody plays or rates. ``offset`` in milliseconds is where playback is."""
        player = {
            "local": True,
            "publicAddress": device.address,
            "title": device.title,
            "uuid": device.client_id,
        }
        self._send(event, account, {"Player": player}, node, offset, extra)

    def new_items(self, leaves: list[Node]) -> None:
        """``library.new``, in the owner's name: several episodes of a show are told as the show."""
        groups: dict[int, list[Node]] = {}
        for leaf in leaves:
            groups.setdefault((leaf.show or leaf).key, []).append(leaf)
        for group in groups.values():
            node = group[0] if len(group) == 1 else (group[0].show or group[0])
            self._send("library.new", self._core.accounts[0], {}, node, None, {})

    def _send(
        self,
        event: str,
        account: Account,
        player: dict[str, Any],
        node: Node,
        offset: int | None,
        extra: dict[str, Any],
    ) -> None:
        owner = self._core.accounts[0]
        for person in {owner.name: owner, account.name: account}.values():
            for url in self.urls.get(person.name, ()):
                payload = {
                    "event": event,
                    "user": person is account,
                    "owner": person is owner,
                    "Account": self._describe_account(account),
                    "Server": {"title": self._core.name, "uuid": self._core.machine_id},
                    **player,
                    "Metadata": self._describe(account, node, offset),
                    **extra,
                }
                self._post(url, event, payload)

    def _post(self, url: str, event: str, payload: dict[str, Any]) -> None:
        parts = [Part("payload", msgspec.json.encode(payload))]
        if event in WITH_THUMB:
            parts.append(Part("thumb", _THUMB, "image/jpeg", "thumb.jpg"))
        body, kind = write_form(parts)
        self.posts.send(
            url, body, {"Content-Type": kind, "User-Agent": f"PlexMediaServer/{self._core.version}"}
        )

    def _describe_account(self, account: Account) -> dict[str, Any]:
        number = account.plextv_id if _version(self._core.version) >= (1, 30) else account.id
        thumb = f"https://plex.tv/users/{account.uuid}/avatar?c=1700000000"
        return {"id": number, "thumb": thumb, "title": account.name}

    def _describe(self, account: Account, node: Node, offset: int | None) -> dict[str, Any]:
        """An item without its files."""
        fields = self._core.describe(account, node)
        fields.pop("Media", None)
        if offset is not None:
            fields["viewOffset"] = offset
        return {"librarySectionType": SECTION_TYPES[node.section.type], **fields}


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2] if part.isdigit())
