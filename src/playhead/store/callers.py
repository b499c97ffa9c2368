"""Whose tokens were seen at a proxy, in one sealed file of the home folder. The tokens themselves are kept nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from playhead.kit.files import write_atomically
from playhead.ports.callers import KnownCaller
from playhead.store.secrets import SecretStore


class CallersFile:
    """Meets ``ports.callers.KeepsCallers``."""

    def __init__(self, path: Path, secrets: SecretStore) -> None:
        self._path = path
        self._secrets = secrets

    def load(self) -> Mapping[str, KnownCaller]:
        """All that is kept; nothing where there is no file, or where another key sealed it: they are asked for again."""
        try:
            text = self._secrets.unseal(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        if text is None:
            return {}
        try:
            return msgspec.json.decode(text, type=dict[str, KnownCaller])
        except msgspec.DecodeError:
            return {}

    def save(self, callers: Mapping[str, KnownCaller]) -> None:
        """Keep these and no others."""
        write_atomically(self._path, self._secrets.seal(msgspec.json.encode(callers)), mode=0o600)
