"""Tokens: encrypted where they are kept, found where they are only referred to, never in clear."""

from __future__ import annotations

from pathlib import Path

import pytest

from playhead.ports.errors import PlayheadError, UsageError
from playhead.runtime.log import hide, redact
from playhead.store.secrets import SecretStore

TOKEN = "tok-8d1f0c93a7"


def test_a_kept_token_comes_back_and_is_nowhere_in_clear(tmp_path: Path) -> None:
    """Neither in the store nor in the key file, which only its owner may read."""
    reference = SecretStore(tmp_path, {}).keep("Living room Plex", TOKEN)
    assert reference == "store:living-room-plex"
    assert SecretStore(tmp_path, {}).resolve(reference) == TOKEN
    for path in tmp_path.iterdir():
        assert TOKEN.encode() not in path.read_bytes()
        assert path.stat().st_mode & 0o777 == 0o600


def test_two_tokens_of_one_name_do_not_meet(tmp_path: Path) -> None:
    """The second gets a name of its own."""
    store = SecretStore(tmp_path, {})
    first, second = store.keep("Plex", "one-one-one"), store.keep("plex", "two-two-two")
    assert (store.resolve(first), store.resolve(second)) == ("one-one-one", "two-two-two")
    store.drop(first)
    assert store.resolve(second) == "two-two-two"
    with pytest.raises(PlayheadError, match="is not in"):
        store.resolve(first)


def test_references_are_followed(tmp_path: Path) -> None:
    """env: and file: are read at each use."""
    (tmp_path / "t").write_text(f"{TOKEN}\n")
    store = SecretStore(tmp_path, {"MY_TOKEN": TOKEN})
    assert store.resolve("env:MY_TOKEN") == TOKEN
    assert store.resolve(f"file:{tmp_path / 't'}") == TOKEN
    assert not (tmp_path / "secrets.json").exists()


@pytest.mark.parametrize("reference", ["env:NOT_SET", "file:/nowhere/token", "store:none", "vault:x"])
def test_a_reference_that_leads_nowhere_says_so(tmp_path: Path, reference: str) -> None:
    """With the next thing to try."""
    with pytest.raises(PlayheadError) as caught:
        SecretStore(tmp_path, {}).resolve(reference)
    assert caught.value.hint


@pytest.mark.parametrize("key", ["correct horse battery", "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyMTI="])
def test_the_key_may_come_from_the_environment(tmp_path: Path, key: str) -> None:
    """As a passphrase or as a key; then no key file is made."""
    reference = SecretStore(tmp_path, {"PLAYHEAD_SECRET_KEY": key}).keep("a", TOKEN)
    assert SecretStore(tmp_path, {"PLAYHEAD_SECRET_KEY": key}).resolve(reference) == TOKEN
    assert not (tmp_path / "secret.key").exists()
    with pytest.raises(PlayheadError, match="does not open"):
        SecretStore(tmp_path, {"PLAYHEAD_SECRET_KEY": "another passphrase"}).resolve(reference)


def test_a_weak_passphrase_is_refused(tmp_path: Path) -> None:
    """Before anything is stored."""
    with pytest.raises(UsageError):
        SecretStore(tmp_path, {"PLAYHEAD_SECRET_KEY": "short"}).keep("a", TOKEN)
    assert not list(tmp_path.iterdir())


def test_a_lost_key_is_never_replaced_silently(tmp_path: Path) -> None:
    """A new key would make the stored tokens garbage."""
    store = SecretStore(tmp_path, {})
    reference = store.keep("a", TOKEN)
    store.key_path.unlink()
    with pytest.raises(PlayheadError, match="is gone"):
        store.resolve(reference)
    with pytest.raises(PlayheadError, match="is gone"):
        store.keep("b", TOKEN)


def test_a_known_token_never_reaches_the_log() -> None:
    """Also where no pattern would find it."""
    hide(TOKEN)
    assert TOKEN not in redact(f"asked with {TOKEN} and failed")


def test_a_secret_is_made_at_the_first_need_only(tmp_path: Path) -> None:
    """The second asker, and another process, get the first one's; a name is taken as it is."""
    made = iter(["first", "second", "third"])
    store = SecretStore(tmp_path, {})
    assert store.keep_at_need("webhook:The Den", lambda: next(made)) == "first"
    assert SecretStore(tmp_path, {}).keep_at_need("webhook:The Den", lambda: next(made)) == "first"
    assert store.keep_at_need("webhook:the den", lambda: next(made)) == "second"
    assert b"first" not in store.path.read_bytes()
    store.drop("store:webhook:The Den")
    assert store.keep_at_need("webhook:The Den", lambda: next(made)) == "third"
