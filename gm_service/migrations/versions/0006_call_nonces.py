"""Remember the nonces of signed calls, so that each opens the service once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLE = "service_nonce"


def upgrade() -> None:
    """Apply."""
    exact = mysql.VARCHAR(64, charset="utf8mb4", collation="utf8mb4_bin")
    op.create_table(
        TABLE,
        sa.Column("nonce", sa.String(64).with_variant(exact, "mysql", "mariadb"), nullable=False),
        sa.Column("keep_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("nonce", name=f"pk_{TABLE}"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
    )
    op.create_index(f"ix_{TABLE}_keep_until", TABLE, ["keep_until"])


def downgrade() -> None:
    """Take back."""
    op.drop_table(TABLE)
