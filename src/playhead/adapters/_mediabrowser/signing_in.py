"""What Jellyfin and Emby answer to a sign-in, and the device it is made from. Knows no route of either."""

from __future__ import annotations

import uuid

import msgspec

from playhead.adapters._mediabrowser.decode import decode_answer
from playhead.adapters._mediabrowser.users import read_user
from playhead.adapters._mediabrowser.wire import User
from playhead.kit.http import Answer
from playhead.ports.errors import BadAnswer, Unauthorized
from playhead.ports.signing_in import Granted


class Welcome(msgspec.Struct):
    """AuthenticationResult."""

    AccessToken: str | None = None
    User: User | None = None


_WELCOME = msgspec.json.Decoder(Welcome, strict=False)


def make_device(client_id: str) -> str:
    """A device id for one sign-in: another sign-in of the same user from the same device would end the token of the first
    (facts, api-jellyfin-emby.md A1)."""
    return f"{client_id}-{uuid.uuid4().hex[:8]}"


def read_welcome(answer: Answer, title: str) -> Granted:
    """The token and whose it is. Raises BadAnswer."""
    welcome = decode_answer(_WELCOME, answer.body, title, "a sign-in")
    if not welcome.AccessToken or welcome.User is None:
        raise BadAnswer(f"{title} signed in and gave no token.", hint="Look at its own log, then try again.")
    return Granted(welcome.AccessToken, read_user(welcome.User))


def refuse_password(title: str, user: str) -> Unauthorized:
    """Which of the two was wrong is not told."""
    return Unauthorized(
        f"{title} does not take this name and password ('{user}').",
        hint="Is the name written as there, and the login neither disabled nor locked? Try again.",
    )
