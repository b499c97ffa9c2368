"""What persons do on the demo's servers, and what the servers say afterwards."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from playhead.faces.cli.demo_world import PERSON
from playhead.sandbox.run import SandboxHandle


def ask(box: SandboxHandle, path: str, body: dict[str, Any] | None = None) -> Any:
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(
        box.control_url + path, data=data, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def states(box: SandboxHandle, server: str) -> dict[str, Any]:
    rows = ask(box, f"/_sandbox/state?server={server}&user={PERSON}")
    return {row["item"]: (row["watched"], row["position_s"]) for row in rows}


def act(box: SandboxHandle, server: str, item: str, what: str, **more: Any) -> None:
    ask(box, "/_sandbox/act", {"server": server, "user": PERSON, "item": item, "act": what, **more})
