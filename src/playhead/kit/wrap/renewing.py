"""A backend that, once its token is refused, gets another one or asks no more until it is time.

Knows no backend and no place of tokens: a ``Door`` decides. What is made has every method of the backend that it stands for.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any, Protocol, cast

from playhead.ports.backend import Backend, Outcome, Receipt
from playhead.ports.errors import TokenRefused, Unauthorized

_ALWAYS = frozenset({"probe", "close"})  # need no token


class Door(Protocol):
    """Says of one login's token whether it may be used."""

    def check(self) -> None:
        """Raise TokenRefused while it is not to be tried."""

    async def renew(self, error: TokenRefused) -> Backend:
        """The same login with another token. Raises TokenRefused where there is none to be had."""

    def note_answer(self) -> None:
        """The token was taken."""


class Renewing:
    """The state behind a made class: the backend in use."""

    def __init__(self, inner: Backend, door: Door) -> None:
        self.inner = inner
        self.door = door
        self._renewing = asyncio.Lock()

    async def call(self, name: str, *args: Any, **more: Any) -> Any:
        """One call, a second time where there was another token."""
        self.door.check()
        inner = self.inner
        try:
            answer = await getattr(inner, name)(*args, **more)
        except TokenRefused as error:
            await self._renew(inner, error)
            return await getattr(self.inner, name)(*args, **more)
        self.door.note_answer()
        return answer

    async def apply(self, write: Any) -> Receipt:
        """A write is answered by a receipt; which of the two kinds of refusal it tells of is asked for. The receipt tells no
        command: many writes are refused, and who reads was told."""
        try:
            self.door.check()
            inner = self.inner
            receipt: Receipt = await inner.apply(write)
            if receipt.error_code != Unauthorized.code:
                return receipt
            try:
                await inner.check_account()
            except TokenRefused as error:
                await self._renew(inner, error)
                return await self.inner.apply(write)
        except TokenRefused as error:
            return Receipt(Outcome.refused, None, error.code, error.message)
        return receipt

    async def _renew(self, refused: Backend, error: TokenRefused) -> None:
        async with self._renewing:
            if self.inner is not refused:
                return  # another call did it meanwhile
            self.door.check()
            self.inner = await self.door.renew(error)
        await refused.close()


def make_renewing(inner: Backend, door: Door) -> Backend:
    """The backend behind a door. Protocols that it fulfils beside ``Backend`` are fulfilled as well."""
    names = [name for name, value in inspect.getmembers(type(inner), inspect.isfunction) if name[0] != "_"]
    methods = {name: _make_method(type(inner), name) for name in names if name != "apply"}
    made = type(f"Renewing{type(inner).__name__}", (Renewing,), methods)
    return cast(Backend, made(inner, door))


def _make_method(kind: type, name: str) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(getattr(kind, name)) and name not in _ALWAYS:

        async def ask(self: Renewing, *args: Any, **more: Any) -> Any:
            return await self.call(name, *args, **more)

        return ask

    def pass_on(self: Renewing, *args: Any, **more: Any) -> Any:
        return getattr(self.inner, name)(*args, **more)

    return pass_on
