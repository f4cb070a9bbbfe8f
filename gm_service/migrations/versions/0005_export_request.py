"""Remember which task was asked for an export last, so that asking again joins it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _exact(length: int) -> sa.types.TypeEngine[str]:
    exact = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return sa.String(length).with_variant(exact, "mysql", "mariadb")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "export_request",
        sa.Column("station_id", _exact(16), nullable=False),
        sa.Column("sha256", _exact(64), nullable=False),
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("station_id", "sha256", name="pk_export_request"),
        mysql_charset="utf8mb4",
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("export_request")
