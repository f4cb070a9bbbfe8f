"""Makes the golden files of exports anew, from tests.support.export_rows."""

from __future__ import annotations

import tempfile
from pathlib import Path

from gm_service.orders.exports.profiles import PROFILES
from tests.support.export_rows import SAMPLE_ORDERS, SAMPLE_SETTINGS, golden_file, write_file

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        for name in PROFILES:
            made = write_file(name, SAMPLE_ORDERS, Path(scratch), yongyou=SAMPLE_SETTINGS)
            golden_file(name).write_bytes(made)
