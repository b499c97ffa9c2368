"""Routes of plugins and scheduled tasks: the webhook plugin with its configuration, the scan and the plugin's two tasks.

The scan takes time; the plugin's tasks are idle whenever they are looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from playhead.sandbox.jellyfin.answers import json_answer, nothing, problem, text_failure
from playhead.sandbox.jellyfin.call import Call
from playhead.sandbox.jellyfin.ids import md5_guid, parse_guid
from playhead.sandbox.jellyfin.ticks import show
from playhead.sandbox.jellyfin.web import Route
from playhead.sandbox.jellyfin.webhooks import PLUGIN_ID

SCAN_TASK = "RefreshLibrary"
_SCAN_NAMES = {"de": "Medienbibliothek scannen", "fr": "Analyser la médiathèque"}
"""What the scan is called in other languages (*assumed*); its key is the same in all."""
SCAN_TASK_ID = md5_guid("Emby.Server.Implementations.ScheduledTasks.Tasks.RefreshMediaLibraryTask")
ADDED_TASK_ID = "daa0fb9aa8c102dfc72aebe621c4de22"
DELETED_TASK_ID = "5f282fddf843d0ec39d5252bb08d1b27"


def _task(guid: str, name: str, description: str, key: str, every_ticks: int) -> dict[str, Any]:
    return {
        "Name": name,
        "State": "Idle",
        "Id": guid,
        "Triggers": [{"Type": "IntervalTrigger", "IntervalTicks": every_ticks}],
        "Description": description,
        "Category": "Library",
        "IsHidden": False,
        "Key": key,
    }


def _scan_task(call: Call) -> dict[str, Any]:
    text = "Scans your media library for new files and refreshes metadata."
    name = _SCAN_NAMES.get(str(call.server.configuration["UICulture"]), "Scan Media Library")
    task = _task(SCAN_TASK_ID, name, text, SCAN_TASK, 432_000_000_000)
    scan = call.server.library_task
    if scan.running:
        task |= {"State": "Running", "CurrentProgressPercentage": scan.progress}
    if scan.last is not None:
        task["LastExecutionResult"] = {
            "StartTimeUtc": show(scan.last.started),
            "EndTimeUtc": show(scan.last.ended),
            "Status": scan.last.status,
            "Name": task["Name"],
            "Key": SCAN_TASK,
            "Id": SCAN_TASK_ID,
        }
    return task


def _tasks(call: Call) -> list[dict[str, Any]]:
    tasks = [_scan_task(call)]
    if call.server.plugin.installed:
        for guid, what in ((ADDED_TASK_ID, "Added"), (DELETED_TASK_ID, "Deleted")):
            name = f"Webhook Item {what} Notifier"
            text = f"Processes item {what.lower()} queue"
            tasks.append(_task(guid, name, text, f"WebhookItem{what}", 300_000_000))
    return tasks


def list_tasks(call: Call) -> web.Response:
    """``GET /ScheduledTasks``: the library scan and what the webhook plugin brings are emulated."""
    hidden = call.flag("isHidden")
    return json_answer(_tasks(call) if hidden in (None, False) else [])


def _find_task(call: Call) -> dict[str, Any]:
    for task in _tasks(call):
        if task["Id"] == call.path["taskid"]:
            return task
    raise problem(404)


def get_task(call: Call) -> web.Response:
    """``GET /ScheduledTasks/{taskId}``."""
    return json_answer(_find_task(call))


def run_task(call: Call) -> web.Response:
    """``POST /ScheduledTasks/Running/{taskId}``."""
    plugin = call.server.plugin
    runs: dict[str, Callable[[], None]] = {
        SCAN_TASK_ID: call.server.library_task.start,
        ADDED_TASK_ID: plugin.run_added,
        DELETED_TASK_ID: plugin.run_deleted,
    }
    runs[_find_task(call)["Id"]]()
    return nothing()


def stop_task(call: Call) -> web.Response:
    """``DELETE /ScheduledTasks/Running/{taskId}``: a task that does not run cannot be stopped."""
    if _find_task(call)["Id"] == SCAN_TASK_ID and call.server.library_task.stop():
        return nothing()
    raise text_failure(500)


# --- plugins


def list_plugins(call: Call) -> web.Response:
    """``GET /Plugins``."""
    if not call.server.plugin.installed:
        return json_answer([])
    described = {
        "Name": "Webhook",
        "Version": "21.0.0.0",
        "ConfigurationFileName": "Jellyfin.Plugin.Webhook.xml",
        "Description": "Sends notifications to various services via webhooks.",
        "Id": PLUGIN_ID,
        "CanUninstall": True,
        "HasImage": False,
        "Status": "Active",
    }
    return json_answer([described])


def _known_plugin(call: Call) -> None:
    if not call.server.plugin.installed or parse_guid(call.path["pluginid"]) != PLUGIN_ID:
        raise problem(404)


def get_configuration(call: Call) -> web.Response:
    """``GET /Plugins/{pluginId}/Configuration``."""
    _known_plugin(call)
    return json_answer(call.server.plugin.configuration)


def post_configuration(call: Call) -> web.Response:
    """``POST /Plugins/{pluginId}/Configuration``: takes effect at once."""
    _known_plugin(call)
    try:
        given = msgspec.json.decode(call.body)
        call.server.plugin.configure(given)
    except (msgspec.DecodeError, AttributeError, TypeError):
        raise text_failure(400) from None
    return nothing()


ROUTES = [
    Route("GET", "/ScheduledTasks", list_tasks, "admin"),
    Route("GET", "/ScheduledTasks/{taskId}", get_task, "admin"),
    Route("POST", "/ScheduledTasks/Running/{taskId}", run_task, "admin"),
    Route("DELETE", "/ScheduledTasks/Running/{taskId}", stop_task, "admin"),
    Route("GET", "/Plugins", list_plugins, "admin"),
    Route("GET", "/Plugins/{pluginId}/Configuration", get_configuration, "admin"),
    Route("POST", "/Plugins/{pluginId}/Configuration", post_configuration, "admin"),
]
