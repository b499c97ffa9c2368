"""Which login a person means: by id or by name. Pure; must not know routes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from playhead.adapters._mediabrowser.wire import User
from playhead.ports.backend import RemoteUser
from playhead.ports.errors import NotFound, Unauthorized

_ID = re.compile(r"[0-9a-f]{32}\Z")


def normalise_id(text: str) -> str | None:
    """A user or item id as 32 hex digits, with or without dashes given; None where it is not one."""
    plain = text.strip().replace("-", "").lower()
    return plain if _ID.match(plain) else None


def pick_user(users: Sequence[User], wanted: str, title: str) -> User:
    """The login with this id or name (upper and lower case alike); the only one where none was named.

    Raises NotFound with the names that exist, Unauthorized where the login is disabled.
    """
    key = wanted.strip().casefold()
    plain = normalise_id(wanted)
    named = [user for user in users if (user.Name or "").casefold() == key]
    found = [user for user in users if plain and user.Id.replace("-", "").lower() == plain] or named
    if not key:
        found = list(users) if len(users) == 1 else []
    if len(found) != 1:
        said = (
            f"has no user {wanted!r}"
            if key
            else "needs to know whose state to read: its API keys belong to no user"
        )
        raise NotFound(f"{title} {said}.", hint=_list_names(users))
    if is_disabled(found[0]):
        raise Unauthorized(
            f"{title}: the user {found[0].Name} is disabled there.",
            hint=f"Enable the user on the server, or choose another. {_list_names(users)}",
        )
    return found[0]


def is_disabled(user: User) -> bool:
    """Whether an administrator has switched this login off."""
    return user.Policy is not None and user.Policy.IsDisabled is True


def read_user(user: User) -> RemoteUser:
    """The login in Playhead's words."""
    admin = user.Policy is not None and user.Policy.IsAdministrator is True
    mail = next((name for name in (user.ConnectUserName, user.Name) if name and "@" in name), None)
    return RemoteUser(user.Id, user.Name or user.Id, admin, mail=mail)


def _list_names(users: Sequence[User]) -> str:
    names = sorted(user.Name or user.Id for user in users if not is_disabled(user))
    if not names:
        return "The server tells of no users to this token. Give the user's id, or make an API key as administrator."
    return f"Users there: {', '.join(names)}. Choose one with --user."
