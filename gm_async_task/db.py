"""The tables' one MetaData; names of constraints are fixed so that migrations can drop them on every database."""

from __future__ import annotations

from sqlalchemy import MetaData

from shared.signing.nonces import make_nonce_table

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

nonces = make_nonce_table("async_task_nonce", metadata)

ANSWER_SECONDS = 10.0
"""how long a database that fell silent is waited for: each statement here is short"""
