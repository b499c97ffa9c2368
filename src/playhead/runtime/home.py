"""The one folder that holds everything of an installation, and what lies where in it."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from playhead.kit.files import write_atomically
from playhead.ports.errors import PlayheadError

HOME_VARIABLE = "PLAYHEAD_HOME"


class Home:
    """Paths below the home folder. Making one touches nothing; ``prepare`` makes the folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.settings = path / "playhead.yaml"
        self.database = path / "playhead.db"
        self.inbox = path / "inbox.db"
        self.library_jobs = path / "library.db"
        self.files = path / "files.db"
        self.library_lock = path / ".library.lock"
        self.news = path / "news.db"
        self.templates = path / "templates"
        self.callers = path / "callers.sealed"
        self.serving = path / "serving.json"
        self.refused = path / "refused.json"
        self.settings_lock = path / ".settings.lock"
        self.run_lock = path / ".run.lock"
        self.delivery_lock = path / ".delivery.lock"
        self.serve_lock = path / ".serve.lock"
        self.writing = path / ".writing"  # a lock for each account
        self._client_id: str | None = None

    def prepare(self) -> None:
        """Make the folder, readable for its owner only. Raises PlayheadError where that cannot be."""
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise PlayheadError(
                f"The home folder {self.path} cannot be made ({error.strerror}).",
                hint=f"Give another one with --home or {HOME_VARIABLE}.",
            ) from error
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise PlayheadError(
                f"The home folder {self.path} cannot be written.",
                hint=f"Give another one with --home or {HOME_VARIABLE}.",
            )

    def client_id(self) -> str:
        """The name by which servers know this installation; ``keep_client_id`` makes it last."""
        if self._client_id is None:
            path = self.path / "client-id"
            self._client_id = (path.read_text().strip() if path.exists() else "") or uuid.uuid4().hex
        return self._client_id

    def keep_client_id(self) -> None:
        """Write the name down, once there is something to keep."""
        path = self.path / "client-id"
        if not path.exists():
            write_atomically(path, self.client_id().encode() + b"\n")


def find_home(given: Path | None, environment: Mapping[str, str] | None = None) -> Home:
    """The home folder: as given, else ``PLAYHEAD_HOME``, else the platform's usual place."""
    environment = os.environ if environment is None else environment
    if given is None and (text := environment.get(HOME_VARIABLE, "")):
        given = Path(text)
    path = given or Path(platformdirs.user_data_dir("playhead", appauthor=False))
    return Home(path.expanduser().absolute())
