"""Radarr: tells which files arrived, by webhook, and can be asked for what it did not tell. Importing this loads nothing else."""

from __future__ import annotations

from playhead.ports.arrivals import ArrManifest

manifest = ArrManifest(
    name="radarr",
    title="Radarr",
    webhook="playhead.adapters.radarr.webhook:read_webhook",
    settings="playhead.adapters.radarr.settings:RadarrSettings",
    net="playhead.adapters.radarr.net:RadarrNet",
)
