"""Tokens: kept encrypted in the home folder, or only referred to where they lie (``env:NAME``, ``file:PATH``).

The key is a file beside the store that only its owner may read, or ``PLAYHEAD_SECRET_KEY``. A token leaves this module
only through ``resolve``; it is never printed, logged or written anywhere in clear.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from playhead.kit.files import only_one, write_atomically
from playhead.ports.errors import PlayheadError, UsageError

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

KEY_VARIABLE = "PLAYHEAD_SECRET_KEY"
SHORTEST_PASSPHRASE = 12


class _Kept(msgspec.Struct):
    salt: str
    secrets: dict[str, str] = {}


class SecretStore:
    """The tokens of one home folder."""

    def __init__(self, home: Path, environment: Mapping[str, str] | None = None) -> None:
        self.path = home / "secrets.json"
        self.key_path = home / "secret.key"
        self._environment = os.environ if environment is None else environment

    def keep(self, name: str, secret: str) -> str:
        """Store a secret under a name made from ``name`` and give the reference to it."""
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "connection"
        with self._alone():
            kept = self._load()
            free = next(
                s for n in range(1, 10_000) if (s := slug if n == 1 else f"{slug}-{n}") not in kept.secrets
            )
            self._put(kept, free, secret)
        return f"store:{free}"

    def keep_at_need(self, name: str, make: Callable[[], str]) -> str:
        """The secret of exactly this name, made and stored where there is none yet. Two processes get the same."""
        with self._alone():
            kept = self._load()
            if name not in kept.secrets:
                self._put(kept, name, make())
        return self.resolve(f"store:{name}")

    def has(self, name: str) -> bool:
        """Whether a secret of exactly this name is stored."""
        return self.path.exists() and name in self._load().secrets

    def replace(self, reference: str, secret: str) -> None:
        """Put another secret in the place of a stored one; the reference stays. Raises UsageError where it lies elsewhere."""
        scheme, _, name = reference.partition(":")
        if scheme != "store":
            raise UsageError(f"'{reference}' is kept elsewhere.", hint="Change it there.")
        with self._alone():
            self._put(self._load(), name, secret)

    def drop(self, reference: str) -> None:
        """Forget a stored secret; references to elsewhere are left alone."""
        scheme, _, name = reference.partition(":")
        if scheme != "store" or not self.path.exists():
            return
        with self._alone():
            kept = self._load()
            if kept.secrets.pop(name, None) is not None:
                self._save(kept)

    def resolve(self, reference: str) -> str:
        """The secret that a reference stands for. Raises PlayheadError that says where it was looked for."""
        scheme, _, name = reference.partition(":")
        if scheme == "env":
            return self._from_environment(name)
        if scheme == "file":
            return _from_file(Path(name).expanduser())
        if scheme != "store":
            raise UsageError(
                f"'{scheme}:' is no place for a token.",
                hint="Allowed are store:NAME, env:NAME and file:PATH.",
            )
        kept = self._load()
        if name not in kept.secrets:
            raise PlayheadError(
                f"The token '{name}' is not in {self.path}.",
                hint="Give it again: playhead connections set NAME --token -",
            )
        from cryptography.fernet import InvalidToken

        try:
            return self._cipher(kept).decrypt(kept.secrets[name].encode()).decode()
        except InvalidToken as error:
            raise PlayheadError(
                f"The key does not open the tokens in {self.path}.",
                hint=f"Restore {self.key_path.name} (or {KEY_VARIABLE}), or give the tokens again with 'connections set'.",
            ) from error

    def seal(self, text: bytes) -> bytes:
        """Encrypt with the store's key what is kept elsewhere."""
        with self._alone():
            kept = self._load()
            sealed = self._cipher(kept).encrypt(text)
            if not self.path.exists():
                self._save(kept)  # a passphrase opens it only with this salt
        return sealed

    def unseal(self, sealed: bytes) -> bytes | None:
        """What was sealed; None where another key did it."""
        from cryptography.fernet import InvalidToken

        try:
            return self._cipher(self._load()).decrypt(sealed)
        except InvalidToken:
            return None

    def _alone(self) -> AbstractContextManager[None]:
        return only_one(self.path.parent, "Another change of the tokens", wait=True)

    def _put(self, kept: _Kept, name: str, secret: str) -> None:
        kept.secrets[name] = self._cipher(kept).encrypt(secret.encode()).decode()
        self._save(kept)

    def _from_environment(self, name: str) -> str:
        value = self._environment.get(name, "").strip()
        if not value:
            raise PlayheadError(
                f"The environment variable {name} holds no token.", hint=f"Set {name}, then run again."
            )
        return value

    def _cipher(self, kept: _Kept) -> Fernet:
        from cryptography.fernet import Fernet  # 7 MB that an import with tokens from elsewhere does without

        text = self._environment.get(KEY_VARIABLE, "").strip()
        if text:
            return Fernet(_derive(text, kept.salt))
        if not self.key_path.exists():
            if kept.secrets:
                raise PlayheadError(
                    f"{self.key_path} is gone, and without it the stored tokens cannot be read.",
                    hint=f"Restore it or set {KEY_VARIABLE}; otherwise delete {self.path.name} and connect again.",
                )
            write_atomically(self.key_path, Fernet.generate_key() + b"\n", mode=0o600)
        try:
            return Fernet(self.key_path.read_bytes().strip())
        except ValueError as error:
            raise PlayheadError(
                f"{self.key_path} does not hold a key.",
                hint="Restore it from a backup, or delete it and connect again.",
            ) from error

    def _load(self) -> _Kept:
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=_Kept)
        except FileNotFoundError:
            return _Kept(salt=base64.b64encode(os.urandom(16)).decode())
        except msgspec.DecodeError as error:
            raise PlayheadError(
                f"{self.path} is damaged ({error}).", hint="Restore it, or delete it and connect again."
            ) from error

    def _save(self, kept: _Kept) -> None:
        write_atomically(self.path, msgspec.json.format(msgspec.json.encode(kept)) + b"\n", mode=0o600)


def _derive(text: str, salt: str) -> bytes:
    try:
        if len(base64.urlsafe_b64decode(text)) == 32:
            return text.encode()
    except ValueError:
        pass  # not a key as such: a passphrase
    if len(text) < SHORTEST_PASSPHRASE:
        raise UsageError(
            f"{KEY_VARIABLE} is too short.", hint=f"Use at least {SHORTEST_PASSPHRASE} characters."
        )
    raw = hashlib.scrypt(text.encode(), salt=base64.b64decode(salt), n=2**14, r=8, p=1, dklen=32)
    return base64.urlsafe_b64encode(raw)


def _from_file(path: Path) -> str:
    try:
        value = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise PlayheadError(
            f"The token file {path} cannot be read.", hint="Is the path right, and may you read it?"
        ) from error
    if not value:
        raise PlayheadError(
            f"The token file {path} is empty.", hint="Put the token into it, alone on one line."
        )
    return value
