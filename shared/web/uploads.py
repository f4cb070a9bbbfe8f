"""A file that came with a form, as a field of a command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as the browser sent it."""

    name: str
    """as the person's machine calls it, without its folder"""
    content: bytes

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """Take what the form brought, and nothing that JSON can say."""
        return core_schema.no_info_plain_validator_function(_require_upload)

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Describe it for the OpenAPI document."""
        return {"type": "string", "format": "binary"}


def _require_upload(value: Any) -> Upload:
    if not isinstance(value, Upload):
        raise ValueError("it must be a file of a multipart form")
    return value
