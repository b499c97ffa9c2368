"""Readarr: tells which books arrived, by webhook. Importing this loads nothing but the manifest."""

from __future__ import annotations

from playhead.ports.arrivals import ArrManifest

manifest = ArrManifest(
    name="readarr", title="Readarr", webhook="playhead.adapters.readarr.webhook:read_webhook"
)
