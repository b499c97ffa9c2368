"""The tables, in one place; migrations bring a database to this shape and a test proves that they do.

Times are epoch seconds (UTC, the hub's clock unless a column says otherwise), positions and run times whole seconds.
Written so that PostgreSQL is a setting later: no SQLite-only types; ids are plain integers.

How the parts hang together: a *ref* is where a connection keeps an item; *state* holds, for one account and one ref, the
newest reading and the base; *agreed* is the hub's own value for a person and an item. A ref that an account listed with a
blank state (unwatched, no resume point, no rating, no favourite) and that never had another has no ``state`` row.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

person = Table(
    "person",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("created_at", Integer, nullable=False),
)

connection = Table(
    "connection",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column(
        "server_id", Text, nullable=False
    ),  # never changes for one installation: another one is another server
    Column("created_at", Integer, nullable=False),
)

account = Table(
    "account",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("connection_id", ForeignKey("connection.id"), nullable=False),
    Column(
        "user_id", Text, nullable=False
    ),  # native; a user made again has another id and is another account
    Column("name", Text, nullable=False),
    UniqueConstraint("connection_id", "user_id"),
)

library = Table(
    "library",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("connection_id", ForeignKey("connection.id"), nullable=False),
    Column("native_id", Text, nullable=False),
    Column("title", Text, nullable=False),
    UniqueConstraint("connection_id", "native_id"),
)

# One reading of one account (kind "import"), or one pass of reconcile and deliver (kind "sync").
run = Table(
    "run",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("account_id", ForeignKey("account.id")),
    Column("started_at", Integer, nullable=False),
    Column("ended_at", Integer),
    # running, complete, partial (some pages failed), failed, shrunk (complete by its own word, but far too short)
    Column("status", Text, nullable=False),
    Column("items", Integer, nullable=False, default=0),
    Column("changed", Integer, nullable=False, default=0),
    Column("lean", Boolean, nullable=False, default=False),
    Column("message", Text, nullable=False, default=""),
)

# Movies, episodes, and the shows that hold episodes (kind "show").
item = Table(
    "item",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("year", Integer),
    Column("show_id", Integer),  # item.id of the show
    Column("season", Integer),
    Column("episode", Integer),
)
Index("ix_item_number", item.c.show_id, item.c.season, item.c.episode)

# Further places of an episode that is counted under several shows which nobody could join.
also_number = Table(
    "also_number",
    metadata,
    Column("show_id", Integer, primary_key=True),
    Column("season", Integer, primary_key=True),
    Column("episode", Integer, primary_key=True),
    Column("item_id", Integer, nullable=False),
)
Index("ix_also_number_item_id", also_number.c.item_id)

# What other connections call a movie or a show, where they say something else than ``item.title``: for finding it.
also_title = Table(
    "also_title",
    metadata,
    Column("item_id", Integer, primary_key=True),
    Column("title", Text, primary_key=True),
)

claim = Table(
    "claim",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("value", Text, nullable=False),  # imdb:movie:tt0133093
    Column("item_id", Integer, nullable=False),
)
Index("uq_claim_value", claim.c.value, unique=True)
Index("ix_claim_item_id", claim.c.item_id)

ref = Table(
    "ref",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("connection_id", Integer, nullable=False),
    Column("native_id", Text, nullable=False),
    Column("library_id", Integer, nullable=False),
    Column("item_id", Integer, nullable=False),
    Column("is_show", Boolean, nullable=False, default=False),
    # What the connection itself says, kept so that refs can be grouped again without asking it.
    Column("year", Integer),
    Column("show_ref", Integer),  # ref.id of the episode's show on the same connection
    Column("season", Integer),
    Column("episode", Integer),
    Column(
        "span", Integer, nullable=False, default=1
    ),  # items in this file; those beyond the first in ref_span
    Column("runtime_s", Integer),
    Column("state_key", Text),  # refs of a connection with the same key share one state; null = own
    Column("media_key", Text),
    Column("files", Text, nullable=False, default=""),  # server-side paths, one a line
    Column("claims", Text, nullable=False, default=""),  # as this connection asserts them, blank-separated
    Column(
        "matched_by", Text, nullable=False, default=""
    ),  # "" = claims; "numbers", "file", "title", "person"
    Column(
        "meta_fp", Integer, nullable=False
    ),  # xxh3-64 (signed) of what a full listing says besides the state
    Column(
        "first_run", Integer, nullable=False
    ),  # the run that first saw it, or saw it again after it was gone
    Column("gone_at", Integer),
)
Index("uq_ref_native", ref.c.connection_id, ref.c.native_id, unique=True)
Index("ix_ref_item_id", ref.c.item_id)
# Indexes of few rows. No postgresql_where here: it would load that dialect, 3 MB and 20 ms, in every process.
Index("ix_ref_show", ref.c.connection_id, sqlite_where=text("is_show"))
Index("ix_ref_gone", ref.c.connection_id, sqlite_where=ref.c.gone_at.is_not(None))
Index("ix_ref_unclaimed", ref.c.id, sqlite_where=ref.c.claims == "")

ref_span = Table(
    "ref_span",
    metadata,
    Column("ref_id", Integer, primary_key=True),
    Column("item_id", Integer, primary_key=True),
)
Index("ix_ref_span_item_id", ref_span.c.item_id)

# Items whose refs have to be grouped again: claims lead to several items, contradict, or were changed.
unsettled = Table("unsettled", metadata, Column("item_id", Integer, primary_key=True))

# Two items whose claims both agree and contradict. Nothing is synced over it until a person decides.
conflict = Table(
    "conflict",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("item_id", Integer, nullable=False),
    Column("other_id", Integer, nullable=False),  # item_id < other_id
    Column("ref_id", Integer, nullable=False),  # the ref whose reading showed it
    Column("agree", Text, nullable=False),  # claims in common, blank-separated
    Column("differ", Text, nullable=False),  # "tmdb:movie:1|tmdb:movie:2", blank-separated
    Column("decision", Text),  # same, different, null = open
    Column("found_at", Integer, nullable=False),
    UniqueConstraint("item_id", "other_id"),
)

state = Table(
    "state",
    metadata,
    Column("account_id", Integer, primary_key=True),
    Column("ref_id", Integer, primary_key=True),
    # the newest reading (null = unknown)
    Column("watched", Boolean),
    Column("plays", Integer),
    Column("last_played", Integer),  # the server's clock
    Column("position_s", Integer),
    Column("rating", Float),
    Column("favourite", Boolean),
    Column("unplayed", Boolean, nullable=False, default=False),
    Column("fp", Integer, nullable=False, default=0),  # xxh3-64 (signed) of the reading, 0 = stale
    Column("run_id", Integer, nullable=False),
    Column("read_at", Integer, nullable=False),
    Column("read_before", Integer),  # when the reading before this one was taken
    # the value that account and hub last agreed on (b_watched null = none yet)
    Column("b_watched", Boolean),
    Column("b_plays", Integer),
    Column("b_last_played", Integer),
    Column("b_position_s", Integer),
    Column("b_at", Integer),
    Column("written_at", Integer),  # the newest write of the hub's own that took effect
    sqlite_with_rowid=False,
)

# What looks like a removal is asked for after every event.
Index("ix_state_unplayed", state.c.account_id, sqlite_where=state.c.unplayed)

page = Table(
    "page",
    metadata,
    Column("account_id", Integer, primary_key=True),
    Column("request_key", Text, primary_key=True),
    Column("body_hash", Integer, nullable=False),
    Column("total", Integer),
    Column("returned", Integer, nullable=False),
    Column("refs", LargeBinary, nullable=False),  # ref ids on the page, 4 bytes each
    sqlite_with_rowid=False,
)

# Items whose refs or readings changed and that reconcile has not settled since.
touched = Table("touched", metadata, Column("item_id", Integer, primary_key=True))

agreed = Table(
    "agreed",
    metadata,
    Column("person_id", Integer, primary_key=True),
    Column("item_id", Integer, primary_key=True),
    Column("watched", Boolean, nullable=False),
    Column("plays", Integer, nullable=False, default=0),
    Column("watched_at", Integer),  # when it was last watched, null = not known; the hub's clock
    Column("unwatched_at", Integer),  # no earlier than this a person un-played it
    Column("watched_from", Integer),  # account
    Column("position_s", Integer, nullable=False, default=0),
    Column("position_at", Integer),
    Column("position_from", Integer),
    Column("runtime_s", Integer),  # of the ref where the position was taken
    Column("changed_at", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# The outbox and the record of every write: one row for each change ever planned for execution.
change = Table(
    "change",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_id", Integer, nullable=False),
    Column("account_id", Integer, nullable=False),
    Column("ref_id", Integer, nullable=False),
    Column("item_id", Integer, nullable=False),
    Column("facet", Text, nullable=False),
    Column("old", Text, nullable=False),  # JSON
    Column("new", Text, nullable=False),  # JSON
    Column("reason", Text, nullable=False),
    Column("cause", Text, nullable=False),  # the rule of the decision table
    Column(
        "state", Text, nullable=False
    ),  # queued, leased, done, failed, refused, missing, superseded, dropped
    Column("attempts", Integer, nullable=False, default=0),
    Column("due_at", Integer, nullable=False),
    Column("leased_until", Integer),
    Column("planned_at", Integer, nullable=False),
    Column("ended_at", Integer),
    Column("message", Text, nullable=False, default=""),
)
Index("ix_change_open", change.c.state, change.c.due_at)
Index("ix_change_ref", change.c.account_id, change.c.ref_id)
Index("ix_change_item", change.c.item_id)
Index("ix_change_waiting", change.c.account_id, change.c.ref_id, sqlite_where=change.c.ended_at.is_(None))

# Every change of an agreed value, with its reason and cause.
decision = Table(
    "decision",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Integer, nullable=False),
    Column("person_id", Integer, nullable=False),
    Column("item_id", Integer, nullable=False),
    Column("account_id", Integer),  # whose news it was
    Column("facet", Text, nullable=False),
    Column("old", Text, nullable=False),
    Column("new", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("cause", Text, nullable=False),
)
Index("ix_decision_item", decision.c.item_id)
Index("ix_decision_at", decision.c.at)

# Questions for a person.
held = Table(
    "held",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", Text, nullable=False),  # the same trouble found again is the same question
    Column("kind", Text, nullable=False),  # removals, shrunk, conflict, clock
    Column("connection_id", Integer),
    Column("person_id", Integer),
    Column("question", Text, nullable=False),
    Column("detail", Text, nullable=False),  # JSON
    Column("asked_at", Integer, nullable=False),
    Column("answer", Text),  # release, drop, null = open, gone = no longer the case
    Column("answered_at", Integer),
)
Index("ix_held_open", held.c.answer, held.c.key)

# Small facts of the hub's own, such as the last ref that reconcile has seen.
fact = Table(
    "fact",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

# What a first import builds after the load, because it is cheaper then; see store/ingest.py. Indexes of few rows stay.
BUILT_LAST = tuple(
    index
    for table in (claim, ref, item)
    for index in sorted(table.indexes, key=lambda index: str(index.name))
    if index.dialect_options["sqlite"]["where"] is None
)
