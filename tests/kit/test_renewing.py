"""A refused token: another one is asked for once, whoever waits for it goes on with it, else nobody asks any more."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from playhead.domain.state.reading import State
from playhead.kit.wrap.renewing import make_renewing
from playhead.ports.backend import Backend, ConfirmsPlayed, Outcome, Receipt, Write
from playhead.ports.errors import TokenRefused, Unauthorized

WRITE = Write("7", "movie", frozenset({"watched"}), State(watched=True), State(watched=False))


class Server:
    """Takes one token. ``asked`` are the calls that reached it, with their tokens."""

    def __init__(self, token: str = "new") -> None:
        self.token = token
        self.asked: list[tuple[str, str]] = []
        self.closed: list[str] = []
        self.forbids = False


class OnServer:
    """A backend with a token; only the methods that are called here."""

    def __init__(self, server: Server, token: str) -> None:
        self.server = server
        self.token = token

    def _ask(self, what: str) -> None:
        self.server.asked.append((what, self.token))
        if self.token != self.server.token:
            raise TokenRefused("It refused the token.", hint="...")

    async def probe(self) -> str:
        return "somebody"

    async def check_account(self) -> str:
        self._ask("account")
        return "anna"

    async def list_libraries(self) -> list[str]:
        await asyncio.sleep(0)
        self._ask("libraries")
        return ["Films"]

    async def confirm_played(self, native_ids: Any) -> Any:
        return frozenset(native_ids)

    def plan_listings(self, library: str, *, lean: bool) -> list[Any]:
        return [library, lean]

    async def apply(self, write: Write) -> Receipt:
        try:
            self._ask("apply")
        except TokenRefused as error:
            return Receipt(Outcome.refused, error_code=error.code, message=str(error))
        if self.server.forbids:
            return Receipt(Outcome.refused, error_code=Unauthorized.code, message="It may not do this.")
        return Receipt(Outcome.done, write.target)

    async def close(self) -> None:
        self.server.closed.append(self.token)


class Door:
    """Has some tokens to give, one after the other, and shuts when there is none left."""

    def __init__(self, server: Server, *tokens: str) -> None:
        self.server = server
        self.tokens = list(tokens)
        self.renewals = 0
        self.answers = 0
        self.shut = False

    def check(self) -> None:
        if self.shut:
            raise TokenRefused("Sign in again.", told=True)

    async def renew(self, error: TokenRefused) -> Backend:
        self.renewals += 1
        await asyncio.sleep(0)
        if not self.tokens:
            self.shut = True
            raise TokenRefused("Sign in again.") from error
        return cast(Backend, OnServer(self.server, self.tokens.pop(0)))

    def note_answer(self) -> None:
        self.answers += 1


def behind(server: Server, *tokens: str, first: str = "old") -> tuple[Any, Door]:
    door = Door(server, *tokens)
    return make_renewing(cast(Backend, OnServer(server, first)), door), door


async def test_a_token_that_works_is_left_alone() -> None:
    """The door hears of the answer; what needs no waiting passes straight through."""
    backend, door = behind(Server(), first="new")
    assert await backend.list_libraries() == ["Films"]
    assert backend.plan_listings("Films", lean=True) == ["Films", True]
    assert (door.renewals, door.answers) == (0, 1)


async def test_a_refused_call_is_made_again_with_another_token() -> None:
    """Once; the old one is closed, and the next call uses the new one from the beginning."""
    server = Server()
    backend, door = behind(server, "new")
    assert await backend.list_libraries() == ["Films"]
    assert await backend.check_account() == "anna"
    assert server.asked == [("libraries", "old"), ("libraries", "new"), ("account", "new")]
    assert (door.renewals, server.closed) == (1, ["old"])


async def test_a_refused_write_is_made_again_with_another_token() -> None:
    """A write tells of it by its receipt; nothing is written twice."""
    server = Server()
    backend, _ = behind(server, "new")
    receipt = await backend.apply(WRITE)
    assert receipt.outcome is Outcome.done
    assert [what for what, token in server.asked if token == "new"] == ["apply"]


async def test_a_write_that_is_forbidden_is_no_matter_of_the_token() -> None:
    """The receipt is handed on, and no token is asked for."""
    server = Server()
    server.forbids = True
    backend, door = behind(server, "other", first="new")
    receipt = await backend.apply(WRITE)
    assert (receipt.outcome, receipt.message) == (Outcome.refused, "It may not do this.")
    assert door.renewals == 0


async def test_without_another_token_nobody_asks_any_more() -> None:
    """Calls raise and writes are refused, without a request; who answers there is asked all the same."""
    server = Server()
    backend, door = behind(server)
    with pytest.raises(TokenRefused, match="Sign in again"):
        await backend.list_libraries()
    server.asked.clear()
    for _ in range(5):
        with pytest.raises(TokenRefused):
            await backend.list_libraries()
        assert (await backend.apply(WRITE)).outcome is Outcome.refused
    assert await backend.probe() == "somebody"
    assert (server.asked, door.renewals) == ([], 1)


async def test_many_at_once_are_one_renewal() -> None:
    """Also when it fails."""
    for tokens, outcome in ((("new",), list), ((), TokenRefused)):
        server = Server()
        backend, door = behind(server, *tokens)
        answers = await asyncio.gather(*(backend.list_libraries() for _ in range(8)), return_exceptions=True)
        assert {type(answer) for answer in answers} == {outcome}
        assert door.renewals == 1


async def test_a_renewed_token_that_is_refused_in_turn_is_told() -> None:
    """Not tried in a circle."""
    server = Server("nobody-has-it")
    backend, door = behind(server, "second", "third")
    with pytest.raises(TokenRefused):
        await backend.list_libraries()
    assert server.asked == [("libraries", "old"), ("libraries", "second")]
    assert door.renewals == 1


async def test_what_else_a_backend_can_do_it_can_behind_a_door() -> None:
    """Protocols are looked for on its class."""
    backend, _ = behind(Server(), first="new")
    assert isinstance(backend, ConfirmsPlayed)
    assert await backend.confirm_played(["1"]) == frozenset({"1"})
