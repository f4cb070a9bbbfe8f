"""Reads the files named as arguments and prints what came of each: `python -m tests.support.read_files FILE...`.

A process of its own, so that what its children took is theirs alone: a child's memory counts from its fork.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from gm_service.orders.imports.files.reading import FileLimits, read_sheet
from shared.errors import PlatformError


def main(paths: list[str]) -> None:
    """Print a line of JSON for each file."""
    for path in paths:
        content = Path(path).read_bytes()
        began = time.monotonic()
        try:
            sheet = read_sheet(content, path, FileLimits())
            outcome = f"read {len(sheet.rows)} rows"
        except PlatformError as error:
            outcome = str(error)
        facts = {
            "name": Path(path).name,
            "bytes": len(content),
            "outcome": outcome,
            "seconds": round(time.monotonic() - began, 3),
            "rss_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
        }
        sys.stdout.write(json.dumps(facts) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
