"""What kombu's transports without a broker's own protocol keep as JSON, checked before kombu takes it for granted."""

from __future__ import annotations

from typing import Any


def check_raw_message(content: Any) -> dict[str, Any]:
    """Return what kombu can deliver; anybody who can write to the file or to Redis may have written something else.

    Raises:
        ValueError: it is no message; its text tells nothing of the content.
    """
    match content:
        case {
            "body": str() | None,
            "properties": {
                "delivery_tag": str(tag),
                "delivery_info": {"exchange": str(), "routing_key": str()},
                **properties,
            },
        } if (
            tag
            and properties.get("body_encoding") in (None, "base64")
            and isinstance(content.get("headers"), dict | None)
        ):
            return dict(content)
    raise ValueError("it has not the shape of a message")
