"""Make the sessions of people who signed in, so that signing out ends one wherever its cookie was copied."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_HASH = sa.String(64).with_variant(mysql.VARCHAR(64, collation="utf8mb4_bin"), "mysql", "mariadb")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "station_session",
        sa.Column("key_hash", _HASH, nullable=False),
        sa.Column("user_id", _BIG_ID, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name="pk_station_session"),
        sa.ForeignKeyConstraint(["user_id"], ["station_user.id"], name="fk_station_session_user_id_station_user"),
        mysql_charset="utf8mb4",
    )
    op.create_index("ix_station_session_user_id", "station_session", ["user_id"])
    op.create_index("ix_station_session_expires_at", "station_session", ["expires_at"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("station_session")
