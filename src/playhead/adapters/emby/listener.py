"""The line to an Emby server: pings keep it alive, and silence for too long is taken for deafness.

Emby opens a line to anyone, even with a false token, and then says nothing; so the token is tried on a route first, and the
line is given up when not even the sessions come, of which a quiet server tells about once a minute. The token must
stand in the query here: a header is not taken. Source: facts, api-jellyfin-emby.md B4.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from playhead.adapters._mediabrowser.listening import ASK_FOR_SESSIONS, Ear
from playhead.adapters.emby.client import EmbyClient
from playhead.kit.line import open_line
from playhead.ports.events import Event, Heard

PATH = "/embywebsocket"
HEARTBEAT_S = 30.0
LONGEST_SILENCE_S = 180.0  # measured between two lists of sessions: 73 at most


async def listen_to(client: EmbyClient) -> AsyncIterator[Event]:
    """Events until the line breaks, the first one ``missed``. Raises Unauthorized, Unreachable, BadAnswer, Interrupted.

    *Assumed*, as Jellyfin does it: changes of user data come only to that user's own token; an API key hears of playback.
    """
    await client.check_access()
    device = await client.listening_device()
    line = await open_line(
        client.http,
        PATH,
        client.listening_query(device),
        headers={"X-Emby-Device-Id": device},
        heartbeat_s=HEARTBEAT_S,
    )
    try:
        await line.say(ASK_FOR_SESSIONS)
        yield Event(source="socket", what=Heard.missed, name="connected")
        ear = Ear(client.title)
        while True:
            frame = await line.hear(LONGEST_SILENCE_S)
            if frame is None:
                raise line.give_up(f"is deaf: nothing came on it for {LONGEST_SILENCE_S:.0f} s")
            for event in ear.read(frame)[1]:
                yield event
    finally:
        await line.close()
