"""Whether the settings still say what a run was begun with: whose each login is, and what may be read and written there.

A run takes minutes, and a person may say something else meanwhile. Other settings do not matter to it.
"""

from __future__ import annotations

from playhead.ports.errors import PlayheadError
from playhead.runtime.stamp import Stamp
from playhead.settings import Settings
from playhead.wiring.installation import Installation

Says = tuple[str, str, str, str, bool, bool, bool]


class Holding:
    """What one installation's settings, as they were loaded, say of the logins."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._stamp = Stamp(installation.home.settings)
        self._changed = False

    def holds(self) -> bool:
        """Whether all of it is still said; once it is not, never again. The file is read only where it changed."""
        if self._changed or self._stamp.holds():
            return not self._changed
        seen = self._stamp.read()
        try:
            now = _list_says(Installation(self._installation.home).settings)
        except PlayheadError:
            return True  # a file that cannot be used says nothing; the next look tells
        self._changed = not _list_says(self._installation.settings) <= now
        self._stamp.accept(seen)
        return not self._changed


def _list_says(settings: Settings) -> set[Says]:
    return {
        (name, each.server_id, login.key, login.person.casefold(), login.shared, each.read, each.write)
        for name, each in settings.connections.items()
        for login in each.linked()
    }
