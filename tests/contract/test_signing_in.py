"""A person gets a connection its token by a code or by name and password, as the adapter's manifest says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from playhead.ports.backend import Manifest, Outcome
from playhead.ports.errors import BackendError, Refused, Unauthorized
from playhead.ports.signing_in import SignsInByCode, SignsInByPassword
from tests.contract.test_manifest import load

from .rig import Rig, find_entry, load_harness, wish
from .world import ANNA, BEN, PASSWORDS, SERVER


@asynccontextmanager
async def opened(rig: Rig, path: str) -> AsyncIterator[Any]:
    settings = load_harness(rig.manifest).make_settings(rig.box, SERVER)
    sign_in = load(path)(settings, client_id="contract-suite")
    try:
        yield sign_in
    finally:
        await sign_in.close()


@pytest.fixture
async def by_code(rig: Rig) -> AsyncIterator[SignsInByCode]:
    if rig.manifest.by_code is None:
        pytest.skip(f"{rig.manifest.name} has no sign-in by code")
    async with opened(rig, rig.manifest.by_code.made_by) as sign_in:
        yield cast(SignsInByCode, sign_in)


@pytest.fixture
async def by_password(rig: Rig) -> AsyncIterator[SignsInByPassword]:
    if rig.manifest.by_password is None:
        pytest.skip(f"{rig.manifest.name} has no sign-in by password")
    async with opened(rig, rig.manifest.by_password) as sign_in:
        yield cast(SignsInByPassword, sign_in)


def enter(rig: Rig, code: str, user: str) -> None:
    rig.act("enter_code", "", user=user, code=code)


async def check_token(rig: Rig, user: str, token: str, user_id: str) -> None:
    """The token is this user's and serves to read and write their state, whoever they are."""
    backend = rig.connect(user_id, token=token)
    found = await backend.check_account()
    assert user_id in (found.id, found.name)
    assert {library.title for library in await backend.list_libraries()} >= {"Films", "Series"}
    entry, other = await find_entry(backend, "fresh"), BEN if user == ANNA else ANNA
    before = rig.row("fresh", other)
    receipt = await backend.apply(wish(entry, "watched", watched=True))
    assert receipt.outcome is Outcome.done, receipt
    assert rig.row("fresh", user).watched
    assert rig.row("fresh", other) == before


@pytest.mark.parametrize("user", [ANNA, BEN])
async def test_a_code_gives_the_token_of_whoever_approves_it(
    rig: Rig, by_code: SignsInByCode, user: str
) -> None:
    """Not before; the server is found with its own id and at its own address; also for a plain user."""
    shown = await by_code.begin()
    assert shown.code
    assert shown.expires_in_s >= 300
    assert not await by_code.is_approved()
    enter(rig, shown.code, user)
    assert await by_code.is_approved()
    info = await rig.connect().probe()
    (server,) = [each for each in await by_code.list_servers() if each.server_id == info.server_id]
    granted = await by_code.fetch_token(server.server_id)
    assert granted.user.name == user
    assert await by_code.find_url(server.server_id) == rig.box.url(SERVER)
    await check_token(rig, user, granted.token, granted.user.id)


async def test_a_code_that_is_too_old_is_void(rig: Rig, by_code: SignsInByCode) -> None:
    """It says so, and what to do."""
    shown = await by_code.begin()
    rig.box.clock.advance(shown.expires_in_s + 1)
    with pytest.raises(Refused) as caught:
        await by_code.is_approved()
    assert "expired" in caught.value.message
    assert caught.value.hint


async def test_two_sign_ins_do_not_end_one_another(rig: Rig, by_code: SignsInByCode) -> None:
    """The same person, twice: both tokens work, so that a sign-in that is not kept does no harm."""
    tokens = []
    server = (await rig.connect().probe()).server_id
    for _ in range(2):
        async with opened(rig, rig.manifest.by_code.made_by) as sign_in:  # type: ignore[union-attr]
            enter(rig, (await sign_in.begin()).code, BEN)
            assert await sign_in.is_approved()
            tokens.append(await sign_in.fetch_token(server))
    for granted in tokens:
        await rig.connect(granted.user.id, token=granted.token).list_libraries()


@pytest.mark.parametrize("user", [ANNA, BEN])
async def test_name_and_password_give_a_token(rig: Rig, by_password: SignsInByPassword, user: str) -> None:
    """In any case of the name; the token is that user's own."""
    granted = await by_password.sign_in(user.upper(), PASSWORDS[user])
    assert granted.user.name == user
    await check_token(rig, user, granted.token, granted.user.id)
    async with opened(rig, rig.manifest.by_password or "") as another:
        again = await another.sign_in(user, PASSWORDS[user])
    for token in (granted.token, again.token):
        await rig.connect(granted.user.id, token=token).list_libraries()


@pytest.mark.parametrize(("user", "password"), [(ANNA, "wrong-0815"), ("nobody", PASSWORDS[ANNA])])
async def test_a_wrong_password_is_refused_in_words_of_its_own(
    by_password: SignsInByPassword, user: str, password: str
) -> None:
    """Not as a wrong token; the password is in no message."""
    with pytest.raises(Unauthorized) as caught:
        await by_password.sign_in(user, password)
    assert "name and password" in caught.value.message
    assert caught.value.hint
    assert password not in str(caught.value) + repr(caught.value.__cause__)


async def test_a_password_never_stands_in_a_url(rig: Rig, by_password: SignsInByPassword) -> None:
    """It goes out once, in a body."""
    await by_password.sign_in(ANNA, PASSWORDS[ANNA])
    assert len(rig.asked) >= 2
    assert not [url for url in rig.asked if "swordfish" in url]


async def test_a_server_that_is_down_says_so(rig: Rig, by_password: SignsInByPassword) -> None:
    """As ever, and nothing else."""
    rig.box.urls[SERVER] = "http://127.0.0.1:9"
    async with opened(rig, rig.manifest.by_password or "") as sign_in:
        with pytest.raises(BackendError) as caught:
            await sign_in.sign_in(ANNA, PASSWORDS[ANNA])
    assert caught.value.hint


def test_the_ways_to_sign_in_are_there(manifest: Manifest) -> None:
    """What the manifest names can be loaded and has every step; the flag is an option's name."""
    wanted = [(manifest.by_code.made_by, SignsInByCode)] if manifest.by_code else []
    if manifest.by_password:
        wanted.append((manifest.by_password, SignsInByPassword))  # type: ignore[arg-type]
    for path, port in wanted:
        for name in vars(port):
            if not name.startswith("_"):
                assert callable(getattr(load(path), name, None)), f"{path} lacks {name}()"
    if manifest.by_code:
        assert manifest.by_code.flag.startswith("--")
        assert manifest.by_code.help
