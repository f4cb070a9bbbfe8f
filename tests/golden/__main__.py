"""Makes the golden files of exports anew, from tests.support.export_rows."""

from __future__ import annotations

from gm_service.orders.exports.profiles import PROFILES
from tests.support.export_rows import SAMPLE_ORDERS, SAMPLE_SETTINGS, golden_file, write_file

if __name__ == "__main__":
    for name in PROFILES:
        golden_file(name).write_bytes(write_file(name, SAMPLE_ORDERS, yongyou=SAMPLE_SETTINGS))
