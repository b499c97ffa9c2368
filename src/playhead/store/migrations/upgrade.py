"""Runs the migrations on an open connection, inside the caller's transaction."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection

from playhead.ports.errors import PlayheadError


def make_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration for the scripts in this folder."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config


def upgrade_to_head(connection: Connection) -> None:
    """Bring the schema to the newest revision. Raises PlayheadError where the database is newer than the program."""
    try:
        command.upgrade(make_config(connection), "head")
    except CommandError as error:
        raise PlayheadError(
            f"The database was written by another version of Playhead ({error}).",
            hint="Update Playhead, or choose another --home.",
        ) from error
