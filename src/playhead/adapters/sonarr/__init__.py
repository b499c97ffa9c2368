"""Sonarr: tells which files arrived, by webhook, and can be asked for what it did not tell. Importing this loads nothing else."""

from __future__ import annotations

from playhead.ports.arrivals import ArrManifest

manifest = ArrManifest(
    name="sonarr",
    title="Sonarr",
    webhook="playhead.adapters.sonarr.webhook:read_webhook",
    settings="playhead.adapters.sonarr.settings:SonarrSettings",
    net="playhead.adapters.sonarr.net:SonarrNet",
)
