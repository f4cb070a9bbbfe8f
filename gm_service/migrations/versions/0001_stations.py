"""Make stations, their people and tokens, and the record of sign-in attempts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _exact(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(mysql.VARCHAR(length, collation="utf8mb4_bin"), "mysql", "mariadb")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "station",
        sa.Column("id", _exact(16), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("export_threshold", sa.Integer()),
        sa.PrimaryKeyConstraint("id", name="pk_station"),
        mysql_charset="utf8mb4",
    )
    op.create_table(
        "station_user",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("station_id", _exact(16), nullable=False),
        sa.Column("username", _exact(64), nullable=False),
        sa.Column("display_name", sa.String(64), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_station_user"),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name="fk_station_user_station_id_station"),
        sa.UniqueConstraint("station_id", "username", name="uq_station_user_station_id_username"),
        mysql_charset="utf8mb4",
    )
    op.create_table(
        "station_token",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("token_hash", _exact(64), nullable=False),
        sa.Column("station_id", _exact(16), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_station_token"),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name="fk_station_token_station_id_station"),
        sa.UniqueConstraint("token_hash", name="uq_station_token_token_hash"),
        mysql_charset="utf8mb4",
    )
    op.create_index("ix_station_token_station_id", "station_token", ["station_id"])
    op.create_table(
        "sign_in_attempt",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("subject", _exact(64), nullable=False),
        sa.Column("attempted_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in_attempt"),
        mysql_charset="utf8mb4",
    )
    op.create_index("ix_sign_in_attempt_subject_attempted_at", "sign_in_attempt", ["subject", "attempted_at"])


def downgrade() -> None:
    """Take back."""
    for table in ("sign_in_attempt", "station_token", "station_user", "station"):
        op.drop_table(table)
