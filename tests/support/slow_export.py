"""An export script that takes as long as its input says, leaves its process id where that is known, and one line."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from tests.support.task_functions import note


def main() -> None:
    """Make nothing, slowly."""
    parser = argparse.ArgumentParser()
    for name in ("--task-id", "--run-count"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--output-dir")
    told = parser.parse_args()
    given = json.load(sys.stdin)
    (Path(given["pids"]) / str(os.getpid())).touch()
    time.sleep(given["seconds"])
    note(Path(given["effects"]), told.task_id)
    sys.stdout.write(json.dumps({"result": {"run_count": told.run_count}}) + "\n")


if __name__ == "__main__":
    main()
