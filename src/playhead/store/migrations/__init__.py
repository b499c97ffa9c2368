"""Schema migrations. ``HEAD`` is the newest revision, written here so that a current database opens without Alembic."""

from __future__ import annotations

HEAD = "0003"
