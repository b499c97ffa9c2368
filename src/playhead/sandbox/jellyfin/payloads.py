"""What the webhook plugin says: the variables of an item, of user data, of playback and of a session.

Names and order are those of tape 18 and 22; ``AudioStreamIndex`` and the like are what a server says that was not asked
for a stream. Knows no destination and sends nothing.
"""

from __future__ import annotations

from typing import Any

from playhead.sandbox.jellyfin import media
from playhead.sandbox.jellyfin.accounts import User
from playhead.sandbox.jellyfin.dto import Describer, plain
from playhead.sandbox.jellyfin.items import Item
from playhead.sandbox.jellyfin.sessions import Session
from playhead.sandbox.jellyfin.ticks import NEVER, PER_SECOND, show
from playhead.sandbox.jellyfin.userdata import State

Values = dict[str, Any]
_PICTURE = ("Codec", "Profile", "Level", "Height", "Width", "AspectRatio")
_COLOURS = ("ColorSpace", "ColorTransfer", "ColorPrimaries", "PixelFormat", "RefFrames")


def item_values(describer: Describer, item: Item, now: int) -> Values:
    """The variables of an item; no file path among them."""
    whole = describer.whole(item, None)
    runtime = item.runtime or 0
    values: Values = {
        "Timestamp": show(now).replace("Z", "+00:00"),
        "UtcTimestamp": show(now),
        "Name": item.name,
        "Overview": whole.get("Overview", ""),
        "Tagline": "",
        "ItemId": item.id,
        "ItemType": item.type,
        "RunTimeTicks": runtime,
        "RunTime": clock_time(runtime),
    }
    show_of_it = item.series if item.type in ("Episode", "Season") else None
    year = show_of_it.year if show_of_it is not None else item.year
    if year is not None:
        values["Year"] = year
    if item.type != "Season" and "PremiereDate" in whole:
        values["PremiereDate"] = whole["PremiereDate"][:10]
    if whole.get("Genres"):
        values["Genres"] = ", ".join(whole["Genres"])
    if show_of_it is not None:
        values |= _place_values(describer, item, show_of_it)
    values |= {f"Provider_{name.lower()}": value for name, value in item.ids.items()}
    if not item.is_folder:
        values |= _stream_values(describer, item)
    return values


def _place_values(describer: Describer, item: Item, series: Item) -> Values:
    values: Values = {"SeriesName": series.name, "SeriesId": series.id}
    premiere = describer.whole(series, None).get("PremiereDate")
    if item.type == "Episode":
        if item.parent is not None:
            values["SeasonId"] = item.parent.id
        if premiere:
            values["SeriesPremiereDate"] = premiere[:10]
    if item.season is not None:
        values |= _padded("SeasonNumber", item.season)
    if item.episode is not None:
        values |= _padded("EpisodeNumber", item.episode)
    if item.episode_end is not None:
        values |= _padded("EpisodeNumberEnd", item.episode_end)
    return values


def _padded(name: str, number: int) -> Values:
    return {name: number, f"{name}00": f"{number:02d}", f"{name}000": f"{number:03d}"}


def _stream_values(describer: Describer, item: Item) -> Values:
    values: Values = {}
    for stream in media.streams(describer.rules, item):
        kind = stream["Type"]
        head = {"Title": stream.get("DisplayTitle"), "Type": kind}
        if kind == "Video":
            head |= {name: stream.get(name) for name in _PICTURE}
            head |= {"Interlaced": False, "FrameRate": stream.get("RealFrameRate")}
            head |= {"VideoRange": stream.get("VideoRange")}
            head |= {name: stream.get(name) for name in _COLOURS}
        else:
            head |= {"Language": stream.get("Language"), "Codec": stream.get("Codec")}
            head |= {"Channels": stream.get("Channels"), "Bitrate": stream.get("BitRate")}
            head |= {"SampleRate": stream.get("SampleRate"), "Default": False}
        values |= {f"{kind}_0_{name}": value for name, value in head.items()}
    return values


def clock_time(ticks: int) -> str:
    """``00:20:00``."""
    seconds = ticks // PER_SECOND
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def saved_values(state: State, user: User, reason: str) -> Values:
    """The variables of ``UserDataSaved``: a date only where there is one."""
    values: Values = {
        "Likes": bool(state.likes),
        "Rating": plain(state.rating or 0),
        "PlaybackPositionTicks": state.position,
        "PlaybackPosition": clock_time(state.position),
        "PlayCount": state.plays,
        "Favorite": state.favourite,
        "Played": state.played,
        "AudioStreamIndex": -1,
        "SubtitleStreamIndex": -1,
    }
    if state.last_played is not None:
        values["LastPlayedDate"] = show(state.last_played)
    return values | {"SaveReason": reason, "NotificationUsername": user.name, "UserId": user.id}


def playback_values(session: Session, item: Item, position: int, *, automated: bool) -> Values:
    """The variables of a report of playback."""
    values: Values = {
        "PlaybackPositionTicks": position,
        "PlaybackPosition": clock_time(position),
        "MediaSourceId": session.play_state.get("MediaSourceId") or item.id,
        "IsPaused": session.play_state["IsPaused"],
        "IsAutomated": automated,
        "DeviceId": session.client.device_id,
        "DeviceName": session.client.device,
        "ClientName": session.client.app,
    }
    if "PlayMethod" in session.play_state:
        values["PlayMethod"] = session.play_state["PlayMethod"]
    return values


def session_values(session: Session, *, fresh: bool = False) -> Values:
    """The variables of a session; of one that was just made the times are not known yet."""
    values: Values = {"Id": session.id}
    if session.user is not None:
        values |= {"UserId": session.user.id, "NotificationUsername": session.user.name}
    values["Client"] = session.client.app
    values["LastActivityDate"] = NEVER if fresh else show(session.last_activity)
    values["LastPlaybackCheckIn"] = NEVER if fresh else show(session.last_check_in)
    if fresh:
        values |= {"DeviceName": session.client.device, "DeviceId": session.client.device_id}
    return values | {"RemoteEndPoint": session.remote or "127.0.0.1"}
