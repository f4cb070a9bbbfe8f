"""Keep who submitted a task and which file it is about, so that people find their own among many."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLE = "tbl_async_task"


def upgrade() -> None:
    """Apply."""
    op.add_column(TABLE, sa.Column("submitted_by", sa.String(64), nullable=True))
    op.add_column(TABLE, sa.Column("file_name", sa.String(255), nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table(TABLE) as table:
        table.drop_column("file_name")
        table.drop_column("submitted_by")
