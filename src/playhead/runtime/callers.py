"""Who is who at a proxy: tokens become keyed hashes, and each of those is asked for once.

A token lives in memory until its owner is known, and nowhere else. Knows no backend: who can be asked is given.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from playhead.kit.log import Log
from playhead.ports.backend import RemoteUser
from playhead.ports.callers import Credential, KeepsCallers, KnownCaller, Named
from playhead.ports.errors import PlayheadError

log = Log(__name__)

BELIEVED_FOR_S = 7 * 24 * 3600.0
PASSING_FOR_S = 30.0  # who plays on an app: a Home has one for all its members
ASK_AGAIN_S = 60.0  # who nobody could tell
ASK_WITHIN_S = 3.0  # an event waits no longer for it
MOST_REMEMBERED = 5_000

Ask = Callable[[int, Credential], Awaitable[Named | None]]
"""Asks the backends of a connection (its id) whose a credential is. Raises PlayheadError."""


class CallerBook:
    """The callers of all connections. ``note`` and ``find`` may be called from different threads."""

    def __init__(self, key: bytes, keep: KeepsCallers, now: Callable[[], float] = time.time) -> None:
        self._key = key
        self._keep = keep
        self._now = now
        self._lock = threading.Lock()
        self._own: Mapping[str, RemoteUser] = {}
        self._known = dict(keep.load())
        self._seen: OrderedDict[str, Credential] = OrderedDict()
        self._ask_from: OrderedDict[str, float] = OrderedDict()

    def set_own(self, own: Mapping[tuple[int, str], RemoteUser]) -> None:
        """The hub's own logins, by connection and token: nobody has to be asked for them."""
        self._own = {self._hash(connection, token): user for (connection, token), user in own.items()}

    def note(self, connection_id: int, credential: Credential) -> str | None:
        """What stands for a credential in events; None where it shows nothing."""
        shown = credential.token or credential.client
        if not shown:
            return None
        caller = self._hash(connection_id, shown)
        with self._lock:
            if caller not in self._own and not self._is_known(caller):
                self._seen[caller] = credential
                _shorten(self._seen)
        return caller

    async def find(self, wanted: Mapping[str, int], ask: Ask) -> dict[str, RemoteUser]:
        """The logins of callers, each given with its connection's id; those that nobody can tell now are left out."""
        found = {caller: user for caller in wanted if (user := self._recall(caller)) is not None}
        to_ask = {caller: wanted[caller] for caller in wanted.keys() - found.keys() if self._may_ask(caller)}
        answers = await asyncio.gather(*(self._ask(caller, to_ask[caller], ask) for caller in to_ask))
        found.update({caller: user for caller, user in zip(to_ask, answers, strict=True) if user is not None})
        if any(answers):
            self._save()
        return found

    def _hash(self, connection_id: int, shown: str) -> str:
        text = f"{connection_id}\0{shown}".encode("utf-8", "replace")
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()[:32]

    def _is_known(self, caller: str) -> bool:
        known = self._known.get(caller)
        return known is not None and known.until > self._now()

    def _recall(self, caller: str) -> RemoteUser | None:
        own = self._own.get(caller)
        return own or (self._known[caller].user if self._is_known(caller) else None)

    def _may_ask(self, caller: str) -> bool:
        return caller in self._seen and self._ask_from.get(caller, 0.0) <= self._now()

    async def _ask(self, caller: str, connection_id: int, ask: Ask) -> RemoteUser | None:
        named, why = None, "nobody knows it"
        try:
            async with asyncio.timeout(ASK_WITHIN_S):
                named = await ask(connection_id, self._seen[caller])
        except TimeoutError:
            why = "no answer in time"
        except PlayheadError as error:
            why = str(error)
        with self._lock:
            if named is None:
                log.info("a caller at the proxy is not known", connection_id=connection_id, why=why)
                self._ask_from[caller] = self._now() + ASK_AGAIN_S
                _shorten(self._ask_from)
            else:
                believed_s = PASSING_FOR_S if named.passing else BELIEVED_FOR_S
                self._known[caller] = KnownCaller(named.user, self._now() + believed_s)
                if not named.passing:
                    self._seen.pop(caller, None)
        return named.user if named is not None else None

    def _save(self) -> None:
        newest = sorted(self._known.items(), key=lambda each: -each[1].until)[:MOST_REMEMBERED]
        self._known = {caller: known for caller, known in newest if known.until > self._now()}
        self._keep.save(self._known)


def _shorten(remembered: OrderedDict[str, Any]) -> None:
    while len(remembered) > MOST_REMEMBERED:
        remembered.popitem(last=False)
