"""The tables of gm_service share one metadata, so that migrations see them all."""

from __future__ import annotations

from sqlalchemy import MetaData

from shared.signing.nonces import make_nonce_table

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

nonces = make_nonce_table("service_nonce", metadata)
