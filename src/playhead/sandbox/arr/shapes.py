"""Small shapes that both programs write alike: status, languages, media information."""

from __future__ import annotations

from typing import Any

from playhead.sandbox.arr.history import write_fine_time, write_time
from playhead.sandbox.arr.shelf import File, Holder
from playhead.sandbox.world import WorldItem

LANGUAGES = [{"id": 1, "name": "English"}]
POSTED_MEDIA = {
    "audioChannels": 2.0,
    "audioCodec": "AAC",
    "audioLanguages": ["eng"],
    "height": 1080,
    "width": 1920,
    "subtitles": [],
    "videoCodec": "x264",
    "videoDynamicRange": "",
    "videoDynamicRangeType": "",
}


def media_info() -> dict[str, Any]:
    """As lists of files have it."""
    return {
        "audioBitrate": 0,
        "audioChannels": 2,
        "audioCodec": "AAC",
        "audioLanguages": "eng",
        "audioStreamCount": 1,
        "videoBitDepth": 8,
        "videoBitrate": 0,
        "videoCodec": "x264",
        "videoFps": 25,
        "videoDynamicRange": "",
        "videoDynamicRangeType": "",
        "resolution": "1920x1080",
        "runTime": "46:00",
        "scanType": "Progressive",
        "subtitles": "",
    }


def number_of(item: WorldItem, source: str) -> int:
    """An id as a number; 0 is what both write for none."""
    text = item.ids.get(source, "")
    return int(text) if text.isdecimal() else 0


def status_of(app: str, version: str, started: float) -> dict[str, Any]:
    """``system/status`` as both have it."""
    return {
        "appName": app,
        "instanceName": app,
        "version": version,
        "buildTime": "2026-11-01T10:01:08Z",
        "isDebug": False,
        "isProduction": True,
        "isAdmin": False,
        "isUserInteractive": True,
        "startupPath": f"/opt/{app.lower()}",
        "appData": f"/var/lib/{app.lower()}",
        "osName": "debian",
        "osVersion": "12",
        "isNetCore": True,
        "isLinux": True,
        "isOsx": False,
        "isWindows": False,
        "isDocker": True,
        "mode": "console",
        "branch": "main",
        "authentication": "forms",
        "migrationVersion": 230,
        "urlBase": "",
        "runtimeVersion": "8.0.12",
        "runtimeName": "netcore",
        "startTime": write_time(started),
        "packageUpdateMechanism": "builtIn",
        "databaseVersion": "3.40.1",
        "databaseType": "sqLite",
    }


def posted_file(holder: Holder, file: File) -> dict[str, Any]:
    """A file as posts of both programs have it."""
    shown = {
        "id": file.id,
        "relativePath": file.relative,
        "path": holder.place(file),
        "quality": file.quality,
        "qualityVersion": 1,
        "releaseGroup": file.group,
        "sceneName": file.scene,
        "size": file.size,
        "dateAdded": write_fine_time(file.added),
        "languages": LANGUAGES,
        "mediaInfo": POSTED_MEDIA,
    }
    return {name: each for name, each in shown.items() if each is not None}
