"""Types of parameters, as strict as the databases need: what passes here is stored and compared alike everywhere.

`1abc`, `01`, `1e0`, `[1]` and 10^30 are no ids; NUL and lone surrogates are no text.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, StrictStr

from shared.web import strict_json

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EARLIEST, _LATEST = date(1970, 1, 2), date(2199, 12, 31)
MAX_ID = 2**63 - 1
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")
DOTTED_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+")


def _whole_number(value: Any) -> Any:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError("it must be a whole number")


def _yes_or_no(value: Any) -> Any:
    known = {"true": True, "false": False, "1": True, "0": False}
    if isinstance(value, str | int) and str(value).lower() in known:  # Python's clients write True in a query
        return known[str(value).lower()]
    raise ValueError("it must be true or false")


def _list_of(value: Any) -> Any:
    """Take a list as JSON has it, or as a query string can: `1,2,3`, `[1,2,3]`."""
    if isinstance(value, str):
        return strict_json.loads(value) if value.startswith("[") else value.split(",")
    return value


def _clean(text: str) -> str:
    if not strict_json.is_clean_text(text):
        raise ValueError("it has a character that can't be stored (NUL or half of a surrogate pair)")
    return text


def _no_blank_edges(text: str) -> str:
    # Trailing spaces are lost in comparisons on MariaDB and kept on SQLite.
    if text != text.strip():
        raise ValueError("it must not begin or end with a blank")
    return text


def _dotted_path(text: str) -> str:
    if not DOTTED_PATH.fullmatch(text):
        raise ValueError("it must be a dotted path such as package.module.function")
    return text


def _moment(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("it must be a date and time such as 2026-01-31 06:00:00")
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError("it must be a date and time such as 2026-01-31 06:00:00") from error


def _day(value: Any) -> date:
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return within_range(date.fromisoformat(value))
        except ValueError as error:
            raise ValueError(str(error)) from error
    raise ValueError("it must be a date such as 2026-01-31")


def within_range(day: date) -> date:
    """Return a day that zones and databases can bear.

    Raises:
        ValueError
    """
    # Further out, a change of zone may leave the years that Python and the databases have.
    if not _EARLIEST <= day <= _LATEST:
        raise ValueError(f"it must be within {_EARLIEST} and {_LATEST}")
    return day


def _sane(moment: datetime) -> datetime:
    within_range(moment.date())
    return moment


# For the OpenAPI document: what the validators refuse, in words that machines read.
_NO_BLANK_EDGES: dict[str, JsonValue] = {"pattern": r"^\S(.*\S)?$"}

WholeNumber = Annotated[int, BeforeValidator(_whole_number)]
RowId = Annotated[WholeNumber, Field(ge=1, le=MAX_ID)]
YesOrNo = Annotated[bool, BeforeValidator(_yes_or_no)]
Text = Annotated[StrictStr, AfterValidator(_clean)]
Key = Annotated[
    Text, Field(min_length=1, max_length=64, json_schema_extra=_NO_BLANK_EDGES), AfterValidator(_no_blank_edges)
]
StationId = Annotated[
    Text, Field(min_length=1, max_length=16, json_schema_extra=_NO_BLANK_EDGES), AfterValidator(_no_blank_edges)
]
FunctionPath = Annotated[
    Text, Field(max_length=64, json_schema_extra={"pattern": f"^{DOTTED_PATH.pattern}$"}), AfterValidator(_dotted_path)
]
QueueName = Annotated[Text, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")]
Moment = Annotated[datetime, BeforeValidator(_moment)]
SaneMoment = Annotated[Moment, AfterValidator(_sane)]
"""one that zones and databases can bear"""
Day = Annotated[date, BeforeValidator(_day)]
RowIds = Annotated[list[RowId], BeforeValidator(_list_of), Field(max_length=1000)]
Keys = Annotated[list[Key], BeforeValidator(_list_of), Field(max_length=1000)]
