"""Whose token a client showed at a proxy: plex.tv knows those of its accounts, the server who plays on which app.

Source: facts, api-plex.md 5 and 7. *Assumed*: a temporary token begins with ``transient-`` (as those that the server's
``/security/token`` gives out), and plex.tv does not know it.
"""

from __future__ import annotations

from playhead.ports.backend import RemoteUser
from playhead.ports.callers import Credential, Named
from playhead.ports.errors import BackendError, NotFound, Unauthorized

from .client import PlexClient
from .cloud import PlexCloud

OWNER_ID = "1"
TEMPORARY = "transient-"


async def name_caller(client: PlexClient, cloud: PlexCloud, credential: Credential) -> Named | None:
    """The login, by its id on this server. Raises BackendError where neither plex.tv nor the server can be asked."""
    untold: BackendError | None = None
    if credential.token and not credential.token.startswith(TEMPORARY):
        try:
            if (user := await _ask_cloud(client, cloud, credential.token)) is not None:
                return Named(user)
        except BackendError as error:
            untold = error  # the session may tell all the same
    if credential.client and (user := await _ask_sessions(client, credential.client)) is not None:
        return Named(user, passing=True)
    if untold is not None:
        raise untold
    return None


async def _ask_cloud(client: PlexClient, cloud: PlexCloud, token: str) -> RemoteUser | None:
    """plex.tv: the token is that of a share of this server, or of an account."""
    try:
        machine_id = (await client.fetch_identity()).machineIdentifier or ""
        shared = await cloud.find_share(machine_id, token)
        if shared is not None:
            return shared
        user = await cloud.fetch_user(token)
    except (NotFound, Unauthorized):
        return None
    if user is None or not user.id:
        return None
    owner = await client.fetch_cloud_user()
    id = OWNER_ID if owner is not None and owner.id == user.id else str(user.id)
    return RemoteUser(id, user.username or user.title or str(user.id), world_id=str(user.id))


async def _ask_sessions(client: PlexClient, identifier: str) -> RemoteUser | None:
    """The server: who plays on that app now. Two at once on one app are nobody's guess."""
    try:
        sessions = await client.fetch_player_sessions()
    except (NotFound, Unauthorized):
        return None
    found = {
        str(session.User.id): session.User.title
        for session in sessions
        if session.User is not None
        and session.User.id is not None
        and session.Player is not None
        and session.Player.machineIdentifier == identifier
    }
    if len(found) != 1:
        return None
    [(id, title)] = found.items()
    return RemoteUser(id, title or id)
