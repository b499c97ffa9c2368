"""The database: migrated on opening, locked while it is, and equal to the tables in the schema."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect

from playhead.ports.errors import PlayheadError
from playhead.store.database import FILE_NAME, open_database
from playhead.store.migrations import HEAD
from playhead.store.migrations.upgrade import make_config, upgrade_to_head
from playhead.store.schema import metadata


def describe(connection: Connection) -> set[tuple[str, str, str]]:
    """Tables with their columns, and indexes with theirs."""
    found = inspect(connection)
    names = [name for name in found.get_table_names() if name != "alembic_version"]
    tables = {
        ("table", name, " ".join(f"{c['name']}:{c['type']}:{c['nullable']}" for c in found.get_columns(name)))
        for name in names
    }
    return tables | {
        ("index", str(index["name"]), f"{index['column_names']} {index['unique']}")
        for name in names
        for index in (
            *found.get_indexes(name),
            *({**u, "unique": 1} for u in found.get_unique_constraints(name)),
        )
    }


def test_the_migrated_schema_is_the_one_in_the_tables(tmp_path: Path) -> None:
    """Alembic finds no difference, and a database made at once has the same tables, columns and indexes."""
    migrated = create_engine("sqlite://")
    with migrated.connect() as connection:
        upgrade_to_head(connection)
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        by_migrations = describe(connection)
    with open_database(tmp_path).read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert describe(connection) == by_migrations


def test_an_older_database_is_migrated_on_opening(tmp_path: Path) -> None:
    """One that has a table but no revision goes through all migrations."""
    with sqlite3.connect(tmp_path / FILE_NAME) as raw:
        raw.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    with open_database(tmp_path).read() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == HEAD
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_head_written_down_is_the_head_of_the_scripts() -> None:
    """A current database opens without Alembic because of it."""
    assert ScriptDirectory.from_config(make_config()).get_current_head() == HEAD


def test_a_current_database_opens_without_alembic(tmp_path: Path) -> None:
    """Alembic is not even imported."""
    open_database(tmp_path).close()
    code = (
        "import sys; from playhead.store.database import open_database; open_database(sys.argv[1]);"
        "sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == 0


def test_opened_by_many_at_once_it_is_migrated_once(tmp_path: Path) -> None:
    """Four processes open a new home: all succeed."""
    code = "import sys; from playhead.store.database import open_database; open_database(sys.argv[1])"
    openers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(4)]
    assert [opener.wait() for opener in openers] == [0, 0, 0, 0]


def test_a_newer_database_is_refused_with_a_hint(tmp_path: Path) -> None:
    """What another version wrote is left alone."""
    open_database(tmp_path).close()
    with sqlite3.connect(tmp_path / FILE_NAME) as raw:
        raw.execute("UPDATE alembic_version SET version_num='9999'")
    with pytest.raises(PlayheadError, match="Update Playhead"):
        open_database(tmp_path)


def test_what_is_not_a_database_is_refused_with_a_hint(tmp_path: Path) -> None:
    """A text file in its place is an error that a person understands."""
    (tmp_path / FILE_NAME).write_text("hello " * 1000)
    with pytest.raises(PlayheadError, match="--home"):
        open_database(tmp_path)


def test_the_settings_that_keep_data_safe_are_on(tmp_path: Path) -> None:
    """WAL, foreign keys, FULL where it must be durable, 8 kB pages."""
    database = open_database(tmp_path)
    with database.write(durable=True) as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA page_size").scalar() == 8192
    with database.write() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1
