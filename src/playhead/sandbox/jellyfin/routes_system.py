"""Routes about the server itself: information, health, configuration, the start-up wizard, restart, activity."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from playhead.sandbox.jellyfin import ticks
from playhead.sandbox.jellyfin.answers import json_answer, nothing
from playhead.sandbox.jellyfin.call import Call
from playhead.sandbox.jellyfin.defaults import CAST_RECEIVERS
from playhead.sandbox.jellyfin.newer import trim
from playhead.sandbox.jellyfin.web import Route


def _public_info(call: Call) -> dict[str, Any]:
    server = call.server
    return {
        "LocalAddress": str(call.request.url.origin()),
        "ServerName": server.configuration["ServerName"] if server.set_up else "vm",
        "Version": server.version,
        "ProductName": "Jellyfin Server",
        "OperatingSystem": "",
        "Id": server.server_id,
        "StartupWizardCompleted": server.set_up,
    }


def public_info(call: Call) -> web.Response:
    """``GET /System/Info/Public``: for everyone."""
    return json_answer(_public_info(call))


def system_info(call: Call) -> web.Response:
    """``GET /System/Info``: for every signed-in user."""
    data = "/var/lib/jellyfin"
    info = {
        **_public_info(call),
        "OperatingSystemDisplayName": "",
        "HasPendingRestart": False,
        "IsShuttingDown": False,
        "SupportsLibraryMonitor": True,
        "WebSocketPortNumber": call.request.url.port or 8096,
        "CompletedInstallations": [],
        "CanSelfRestart": True,
        "CanLaunchWebBrowser": False,
        "ProgramDataPath": data,
        "WebPath": "/usr/lib/jellyfin/jellyfin-web",
        "ItemsByNamePath": f"{data}/metadata",
        "CachePath": "/var/cache/jellyfin",
        "LogPath": "/var/log/jellyfin",
        "InternalMetadataPath": f"{data}/metadata",
        "TranscodingTempPath": "/var/cache/jellyfin/transcodes",
        "CastReceiverApplications": CAST_RECEIVERS,
        "HasUpdateAvailable": False,
        "EncoderLocation": "System",
        "SystemArchitecture": "X64",
    }
    return json_answer(trim(call.server.rules, info))


def ping(call: Call) -> web.Response:
    """``GET`` and ``POST /System/Ping``."""
    return json_answer("Jellyfin Server")


def health(call: Call) -> web.Response:
    """``GET /health``."""
    return web.Response(body=b"Healthy", headers={"Content-Type": "text/plain"})


def branding(call: Call) -> web.Response:
    """``GET /Branding/Configuration``."""
    return json_answer({"SplashscreenEnabled": False})


def get_configuration(call: Call) -> web.Response:
    """``GET /System/Configuration``: told to everyone who is signed in."""
    return json_answer(call.server.configuration)


def post_configuration(call: Call) -> web.Response:
    """``POST /System/Configuration``: takes effect at once."""
    given = call.json("configuration")
    configuration = call.server.configuration
    for name in list(configuration):
        if given.get(name.lower()) is not None:
            configuration[name] = given[name.lower()]
    return nothing()


def restart(call: Call) -> web.Response:
    """``POST /System/Restart``: sockets end, caches are empty; the time without answers is not emulated."""
    call.server.restart()
    return nothing()


def activity(call: Call) -> web.Response:
    """``GET /System/ActivityLog/Entries``: newest first."""
    since, has_user = call.date("minDate"), call.flag("hasUserId")
    entries = list(reversed(call.server.sessions.log))
    if since is not None:
        entries = [entry for entry in entries if (ticks.parse(entry["Date"]) or 0) >= since]
    if has_user is not None:
        entries = [entry for entry in entries if (entry["UserId"] != "0" * 32) == has_user]
    start, limit = call.number("startIndex") or 0, call.number("limit")
    shown = entries[start:] if limit is None else entries[start : start + limit]
    return json_answer({"Items": shown, "TotalRecordCount": len(entries), "StartIndex": start})


# --- the start-up wizard


def get_startup_configuration(call: Call) -> web.Response:
    names = ("ServerName", "UICulture", "MetadataCountryCode", "PreferredMetadataLanguage")
    return json_answer({name: call.server.configuration[name] for name in names})


def post_startup_configuration(call: Call) -> web.Response:
    return post_configuration(call)


def get_startup_user(call: Call) -> web.Response:
    """``GET /Startup/User``: makes the first user where there is none."""
    accounts = call.server.accounts
    if not accounts.users:
        accounts.add_user("root", "", admin=True)
    return json_answer({"Name": next(iter(accounts.users.values())).name})


def post_startup_user(call: Call) -> web.Response:
    """``POST /Startup/User``: names the first user and sets the password."""
    given = call.json("startupUserDto", {"name": str, "password": str})
    get_startup_user(call)
    user = next(iter(call.server.accounts.users.values()))
    user.name = given.get("name") or user.name
    user.password = given.get("password") or ""
    return nothing()


def post_startup_remote_access(call: Call) -> web.Response:
    call.json("startupRemoteAccessDto")
    return nothing()


def complete_startup(call: Call) -> web.Response:
    """``POST /Startup/Complete``: from now on only an admin may use the wizard's routes."""
    call.server.set_up = True
    call.server.configuration["IsStartupWizardCompleted"] = True
    return nothing()


ROUTES = [
    Route("GET", "/System/Info/Public", public_info, "anyone"),
    Route("GET", "/System/Info", system_info),
    Route("GET", "/System/Ping", ping, "anyone"),
    Route("POST", "/System/Ping", ping, "anyone"),
    Route("GET", "/health", health, "anyone"),
    Route("GET", "/Branding/Configuration", branding, "anyone"),
    Route("GET", "/System/Configuration", get_configuration),
    Route("POST", "/System/Configuration", post_configuration, "admin"),
    Route("POST", "/System/Restart", restart, "admin"),
    Route("GET", "/System/ActivityLog/Entries", activity, "admin"),
    Route("GET", "/Startup/Configuration", get_startup_configuration, "first"),
    Route("POST", "/Startup/Configuration", post_startup_configuration, "first"),
    Route("GET", "/Startup/User", get_startup_user, "first"),
    Route("POST", "/Startup/User", post_startup_user, "first"),
    Route("POST", "/Startup/RemoteAccess", post_startup_remote_access, "first"),
    Route("POST", "/Startup/Complete", complete_startup, "first"),
]
