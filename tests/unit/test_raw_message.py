"""What kombu may be given of what lies in a file or in Redis."""

from __future__ import annotations

from typing import Any

import pytest

from shared.broker.raw_message import check_raw_message

PROPERTIES: dict[str, Any] = {
    "delivery_tag": "t",
    "body_encoding": "base64",
    "delivery_info": {"exchange": "gm_task", "routing_key": "gm_task"},
}
MESSAGE: dict[str, Any] = {"body": "W10=", "headers": {}, "properties": PROPERTIES}


@pytest.mark.parametrize("changed", [{}, {"headers": None}, {"body": None}, {"content-type": "application/json"}])
def test_a_message_passes_as_it_is(changed: dict[str, Any]) -> None:
    assert check_raw_message(MESSAGE | changed) == MESSAGE | changed


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        "text",
        {},
        {"body": "W10="},
        MESSAGE | {"body": 5},
        MESSAGE | {"headers": 5},
        MESSAGE | {"properties": {}},
        MESSAGE | {"properties": PROPERTIES | {"delivery_tag": None}},
        MESSAGE | {"properties": PROPERTIES | {"delivery_tag": ""}},
        MESSAGE | {"properties": PROPERTIES | {"delivery_tag": ["t"]}},
        MESSAGE | {"properties": PROPERTIES | {"body_encoding": "rot13"}},
        MESSAGE | {"properties": PROPERTIES | {"delivery_info": 7}},
        MESSAGE | {"properties": PROPERTIES | {"delivery_info": {"exchange": "gm_task"}}},
    ],
)
def test_what_is_no_message_is_refused(content: Any) -> None:
    with pytest.raises(ValueError, match="shape"):
        check_raw_message(content)
