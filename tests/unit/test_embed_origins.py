"""Which origins may be named as those that frame the task list: whole ones, one by one, and no part of a policy."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from gm_service.config import EmbedOrigin

_ORIGIN: TypeAdapter[str] = TypeAdapter(EmbedOrigin)


@pytest.mark.parametrize("origin", ["https://erp.example.com", "http://10.0.0.7:8080", "http://[::1]:9000"])
def test_whole_origin_is_taken(origin: str) -> None:
    assert _ORIGIN.validate_python(origin) == origin


@pytest.mark.parametrize(
    "given",
    [
        *("*", "https:", "https://*", "https://*.example.com", "erp.example.com", "'self'"),
        *(
            "https://erp.example.com/",
            "https://a.example; script-src *",
            "https://a.example https://b.example",
            "data:",
        ),
    ],
)
def test_what_would_let_more_in_is_refused(given: str) -> None:
    with pytest.raises(ValidationError):
        _ORIGIN.validate_python(given)
