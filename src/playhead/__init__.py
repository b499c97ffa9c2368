"""Playhead: one hub that keeps a media collection in agreement."""

__version__ = "0.1.0"
