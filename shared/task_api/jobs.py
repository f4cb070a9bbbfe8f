"""How gm_service says on whose behalf it asks about jobs: in the query, as signatures cover no header."""

from __future__ import annotations

OPERATOR_IN_QUERY = "x_username"
"""on whose behalf"""
NAMESPACE_IN_QUERY = "x_namespace"
"""the only namespace whose jobs exist for the caller"""
