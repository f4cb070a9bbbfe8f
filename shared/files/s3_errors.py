"""What a store's failures mean: away for now, or refused until an operator does something."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

from shared.errors import FileStoreAway, FileStoreRefused, PlatformError

_TRANSIENT = frozenset({"SlowDown", "Throttling", "ThrottlingException", "RequestTimeout", "RequestTimeTooSkewed"})
_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})


class StoppedUpload(Exception):
    """Whoever wanted the upload gave it up."""


@contextmanager
def store_errors(missing: PlatformError | None = None) -> Iterator[None]:
    """Translate what boto3 raises; an object that is not there raises `missing`.

    Raises:
        FileStoreAway: the same call may succeed later.
        FileStoreRefused: it won't: wrong credentials, no such bucket, no right.
    """
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "?"))
        if missing is not None and code in _MISSING:
            raise missing from error
        if code in _TRANSIENT or _status(error.response) >= 500:
            raise FileStoreAway from error
        raise FileStoreRefused(problem=code) from error
    except (HTTPClientError, ConnectionError, StoppedUpload) as error:
        raise FileStoreAway from error
    except BotoCoreError as error:
        raise FileStoreRefused(problem=type(error).__name__) from error


def _status(response: dict[str, Any]) -> int:
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
