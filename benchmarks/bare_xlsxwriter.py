"""Writes a spool's rows with XlsxWriter's constant_memory and nothing around it: `... SPOOL FILE.xlsx`.

Prints the seconds spent inside the library as {"rows", "seconds"}: what reading the spool costs is left out.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import xlsxwriter

from benchmarks.many_orders import iter_spool

TEXTS = (0, 3, 4, 5, 6, 7, 9, 10, 12, 15)
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


class BareFile:
    """A workbook with one sheet that gets the house format's 16 columns, by the library's fastest methods."""

    def __init__(self, path: Path) -> None:
        self._workbook = xlsxwriter.Workbook(path, _OPTIONS)
        self._sheet = self._workbook.add_worksheet()
        self._time, self._day, self._price, self._amount = (
            self._workbook.add_format({"num_format": code})
            for code in ("yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd", "0.00##", "0.00")
        )
        self._sheet.write_row(0, 0, [f"Column {place}" for place in range(16)])
        self.rows = 0

    def write(self, rows: list[tuple]) -> None:
        """Add rows."""
        sheet = self._sheet
        for row in rows:
            self.rows += 1
            number = self.rows
            for place in TEXTS:
                sheet.write_string(number, place, row[place])
            sheet.write_datetime(number, 1, row[1], self._time)
            sheet.write_datetime(number, 2, row[2], self._day)
            sheet.write_number(number, 8, row[8])
            sheet.write_number(number, 11, row[11])
            sheet.write_number(number, 13, row[13], self._price)
            sheet.write_number(number, 14, row[14], self._amount)

    def close(self) -> None:
        """Complete the file."""
        self._workbook.close()


def main() -> None:
    """Write the file and say how long the library took."""
    spool, path = Path(sys.argv[1]), Path(sys.argv[2])
    began = time.perf_counter()
    file = BareFile(path)
    seconds = time.perf_counter() - began
    for rows in iter_spool(spool):
        began = time.perf_counter()
        file.write(rows)
        seconds += time.perf_counter() - began
    began = time.perf_counter()
    file.close()
    seconds += time.perf_counter() - began
    print(json.dumps({"rows": file.rows, "seconds": seconds}))


if __name__ == "__main__":
    main()
