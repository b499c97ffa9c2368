"""Indexes for what is asked after every event: readings that look like a removal, late decisions, open changes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_state_unplayed", "state", ["account_id"], sqlite_where=sa.text("unplayed"))
    op.create_index("ix_decision_at", "decision", ["at"])
    op.create_index(
        "ix_change_waiting", "change", ["account_id", "ref_id"], sqlite_where=sa.text("ended_at IS NULL")
    )
