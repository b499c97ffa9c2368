"""Which lines are kept open to a connection's server."""

from __future__ import annotations

from playhead.settings import ConnectionSettings, Login
from playhead.wiring.installation import find_manifest


def list_lines(connection: ConnectionSettings) -> list[Login | None]:
    """The lines that tell all there is to hear: the connection's own (None), and where a server tells a login's changes to that
    login alone, one for each linked login with a token of its own."""
    if find_manifest(connection.kind).lines == "server":
        return [None]
    own = {login.user_id: login for login in connection.linked() if login.token != connection.token}
    return [None, *own.values()]
