"""What every command starts from: the screen, the installation in its home folder, and the log."""

from __future__ import annotations

import shlex
from pathlib import Path

from playhead.faces.cli.screen import Screen, as_typed, program_name, remember_program
from playhead.ports.errors import UsageError
from playhead.runtime.home import find_home
from playhead.runtime.log import set_up_log
from playhead.settings import Settings
from playhead.wiring.installation import Installation

_before_command: list[Path] = []


def remember_home(home: Path | None) -> None:
    """Note ``--home`` as given before the command (None = not given); the command's own wins over it."""
    _before_command[:] = [home] if home is not None else []


class Session:
    """One command being run."""

    def __init__(self, home: Path | None, *, as_json: bool = False, verbose: int = 0) -> None:
        home = home or next(iter(_before_command), None)
        set_up_log(verbose, as_typed)
        self.screen = Screen(as_json=as_json)
        self.installation = Installation(find_home(home))
        self.home_given = home is not None
        remember_program(self.installation.home.path if self.home_given else None)

    @property
    def settings(self) -> Settings:
        """The settings of this installation."""
        return self.installation.settings

    def person(self, name: str) -> str:
        """A person that is known. Raises UsageError naming those that are."""
        found = self.settings.find_person(name)
        if found is None:
            known = sorted(self.settings.persons())
            raise UsageError(
                f"There is no person '{name}'.", hint=f"Persons: {', '.join(known) or 'none yet'}."
            )
        return found

    def command(self, text: str) -> str:
        """A command as the person would type it here: ``bin/run sync --home DIR``."""
        return command_line(text, self.installation.home.path if self.home_given else None)


def command_line(text: str, home: Path | None = None) -> str:
    """``playhead TEXT`` in the words that started this process, with ``--home`` where it was given."""
    return f"{program_name()} {text}" + (f" --home {shlex.quote(str(home))}" if home else "")
