"""The one shape of every JSON answer: {"code": int, "msg": str, "data": ...}; code 0 is success."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from shared.errors import Language, PlatformError

Data = TypeVar("Data")


class Envelope(BaseModel, Generic[Data]):
    """Describes an answer in the OpenAPI document; give each use a name of its own by subclassing."""

    model_config = ConfigDict(extra="forbid")

    code: int
    msg: str
    data: Data


class ErrorEnvelope(Envelope[dict[str, Any] | None]):
    """The answer to anything that failed; `data` has the details for machines."""


def success(data: Any = None) -> dict[str, Any]:
    """Wrap `data` (JSON values) as a successful answer."""
    return {"code": 0, "msg": "ok", "data": data}


def failure(error: PlatformError, language: Language) -> dict[str, Any]:
    """Wrap an error as an answer in the reader's language."""
    return {"code": error.code, "msg": error.sentence(language), "data": error.details or None}
