"""Media sources and streams of a video file: every file has one picture and one sound stream. Knows no user."""

from __future__ import annotations

import posixpath
from typing import Any

from playhead.sandbox.folders import shown
from playhead.sandbox.jellyfin.ids import md5_guid
from playhead.sandbox.jellyfin.items import Item
from playhead.sandbox.jellyfin.newer import trim
from playhead.sandbox.jellyfin.rules import Rules

WIDTH, HEIGHT = 64, 36


def container(item: Item) -> str:
    """The file's kind of container, by its extension."""
    return posixpath.splitext(item.path)[1].lstrip(".").lower()


def streams(rules: Rules, item: Item) -> list[dict[str, Any]]:
    """Picture and sound; none while the item is half read."""
    return [trim(rules, made) for made in (_picture(rules, item), _sound(rules, item))] if item.ready else []


def sources(rules: Rules, item: Item) -> list[dict[str, Any]]:
    """The item's own file first, then its other versions."""
    listed = [item]
    if rules.linked_versions and item.primary is not None:
        listed.append(item.primary)
        listed += [other for other in item.primary.versions if other is not item]
    else:
        listed += item.versions
    return [_source(rules, each, several=len(listed) > 1) for each in listed]


def _source(rules: Rules, item: Item, *, several: bool) -> dict[str, Any]:
    name = item.version if several else posixpath.splitext(posixpath.basename(item.path))[0]
    source: dict[str, Any] = {
        "Protocol": "File",
        "Id": item.id,
        "Path": shown(item.path),
        "Type": "Default",
        "Container": container(item),
        "Size": item.file.size if item.file else 0,
        "Name": name,
        "IsRemote": False,
        "ETag": md5_guid(item.path),
        "ReadAtNativeFramerate": False,
        "IgnoreDts": False,
        "IgnoreIndex": False,
        "GenPtsInput": False,
        "SupportsTranscoding": True,
        "SupportsDirectStream": True,
        "SupportsDirectPlay": True,
        "IsInfiniteStream": False,
        "UseMostCompatibleTranscodingProfile": False,
        "RequiresOpening": False,
        "RequiresClosing": False,
        "RequiresLooping": False,
        "SupportsProbing": True,
        "VideoType": "VideoFile",
        "MediaStreams": streams(rules, item),
        "MediaAttachments": [],
        "Formats": [],
        "RequiredHttpHeaders": {},
        "TranscodingSubProtocol": "http",
        "HasSegments": False,
    }
    if item.ready:
        source.update({"RunTimeTicks": item.runtime, "Bitrate": 800, "DefaultAudioStreamIndex": 1})
    return trim(rules, source)


def _stream(rules: Rules, item: Item, kind: str, index: int, codec: str, tag: str) -> dict[str, Any]:
    stream: dict[str, Any] = {
        "Codec": codec,
        "TimeBase": "1/1000",
        "AudioSpatialFormat": "None",
        "IsInterlaced": False,
        "IsDefault": False,
        "IsForced": False,
        "IsHearingImpaired": False,
        "Type": kind,
        "Index": index,
        "IsExternal": False,
        "IsTextSubtitleStream": False,
        "SupportsExternalStream": False,
    }
    if rules.generation >= (12, 0):
        stream["IsOriginal"] = False
    if container(item) == "mp4":
        stream["Language"] = "und"
        if rules.generation < (12, 0):
            stream["CodecTag"] = tag
    return stream


def _picture(rules: Rules, item: Item) -> dict[str, Any]:
    stream = _stream(rules, item, "Video", 0, "h264", "avc1")
    stream.update(
        {
            "VideoRange": "SDR",
            "VideoRangeType": "SDR",
            "DisplayTitle": "144p H264 SDR",
            "NalLengthSize": "4",
            "IsAVC": True,
            "BitDepth": 8,
            "RefFrames": 1,
            "Height": HEIGHT,
            "Width": WIDTH,
            "AverageFrameRate": 1,
            "RealFrameRate": 1,
            "ReferenceFrameRate": 1,
            "Profile": "Constrained Baseline",
            "AspectRatio": "16:9",
            "PixelFormat": "yuv420p",
            "Level": 10,
            "IsAnamorphic": False,
        }
    )
    if container(item) == "mp4" or rules.generation < (12, 0):
        stream["BitRate"] = 90
    return stream


def _sound(rules: Rules, item: Item) -> dict[str, Any]:
    stream = _stream(rules, item, "Audio", 1, "aac", "mp4a")
    stream.update(
        {
            "VideoRange": "Unknown",
            "VideoRangeType": "Unknown",
            "LocalizedDefault": "Default",
            "LocalizedExternal": "External",
            "DisplayTitle": "AAC - Mono",
            "ChannelLayout": "mono",
            "BitRate": 192_000,
            "Channels": 1,
            "SampleRate": 8000,
            "Profile": "LC",
        }
    )
    if rules.generation >= (12, 0):
        stream["LocalizedOriginal"] = "Original"
        if container(item) == "mp4":
            stream["LocalizedLanguage"] = "Undetermined"
    else:
        stream.update({"IsAVC": False, "Level": 0})
    return stream
