"""Find the lanes that something is due in without looking at all that waits in them."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLE = "tbl_async_task"
BEFORE, LINES = "ix_tbl_async_task_waiting", "ix_tbl_async_task_lines"


def upgrade() -> None:
    """Apply."""
    op.create_index(LINES, TABLE, ["status", "lane", "queue", "dispatch_at"])
    op.drop_index(BEFORE, TABLE)


def downgrade() -> None:
    """Take back."""
    op.create_index(BEFORE, TABLE, ["status", "lane", "queue", "creat_time"])
    op.drop_index(LINES, TABLE)
