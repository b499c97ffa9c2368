"""Lidarr: tells which music arrived, by webhook. Importing this loads nothing but the manifest."""

from __future__ import annotations

from playhead.ports.arrivals import ArrManifest

manifest = ArrManifest(name="lidarr", title="Lidarr", webhook="playhead.adapters.lidarr.webhook:read_webhook")
