"""The ways to profile; read by the settings of all services."""

from __future__ import annotations

from typing import Literal, get_args

ProfileWay = Literal["ledger", "sample", "cprofile", "memory"]
"""the SQL ledger alone; with samples of the stack; with every call counted; with every allocation watched"""
WAYS: tuple[str, ...] = get_args(ProfileWay)
