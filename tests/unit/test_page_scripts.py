"""How the import form reads files, run by node where there is one: what it can't read exactly it refuses."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SERVERS_REQUIRED

_SCRIPTS = Path("gm_service/static/js")
_NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(
    _NODE is None and not SERVERS_REQUIRED, reason="node is not here; the pages' scripts are run by it"
)

_PROGRAM = """
import { readCsv } from "./csv.js";
import { countJsonRows, decodeBytes } from "./rows.js";
const text = (await process.stdin.toArray()).join("");
const calls = {
  csv: () => readCsv(text),
  json: () => countJsonRows(text),
  bytes: () => decodeBytes(Uint8Array.from(Buffer.from(text, "hex"))),
};
try {
  console.log(JSON.stringify({ value: calls[process.argv[2]]() }));
} catch (error) {
  console.log(JSON.stringify({ refused: [error.key, error.facts] }));
}
"""


@pytest.fixture
def room(tmp_path: Path) -> Path:
    for name in ("csv.js", "rows.js"):
        shutil.copy(_SCRIPTS / name, tmp_path / name)
    (tmp_path / "package.json").write_text('{"type": "module"}', "utf-8")
    (tmp_path / "program.js").write_text(_PROGRAM, "utf-8")
    return tmp_path


def run(room: Path, call: str, text: str) -> Any:
    """Return what a function made of the text, or the key and facts that it refused it with."""
    command = [str(_NODE), str(room / "program.js"), call]
    ended = subprocess.run(command, input=text.encode(), capture_output=True, check=True, timeout=30)
    answer = json.loads(ended.stdout)
    return answer.get("value", answer.get("refused"))


def test_rows_keep_the_line_of_the_file(room: Path) -> None:
    text = '\ufefforder_no,remark\r\n\r\nA,"two\r\nlines"\r\nB,\r\n,,\r\nC,x\r\n'

    read = run(room, "csv", text)

    assert read["rows"] == [
        {"order_no": "A", "remark": "two\r\nlines"},
        {"order_no": "B"},
        {"order_no": "C", "remark": "x"},
    ]
    assert read["lines"] == [3, 5, 7]


def test_empty_cells_at_the_end_are_dropped(room: Path) -> None:
    assert run(room, "csv", "a,b,,\n1,2,,\n3,,,,,\n")["rows"] == [{"a": "1", "b": "2"}, {"a": "3"}]


@pytest.mark.parametrize(
    ("text", "key", "facts"),
    [
        ("a,b,a\n1,2,3\n", "column_twice", {"name": "a"}),
        ("a, a\n1,2\n", "column_twice", {"name": "a"}),
        ("a,,b\n1,2,3\n", "column_unnamed", {"place": 2}),
        ("a,b\n1,2\n\n1,2,3\n", "column_count", {"line": 4, "found": 3, "expected": 2}),
        ('a\n1\n"2\n', "csv_quote", {"line": 3}),
        ("a,b\n,\n", "csv_empty", {}),
        ("", "csv_empty", {}),
    ],
)
def test_csv_that_would_be_altered_is_refused_by_name(room: Path, text: str, key: str, facts: dict[str, Any]) -> None:
    assert run(room, "csv", text) == [key, facts]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_file_is_read_in_the_encoding_it_was_saved_in(room: Path, encoding: str) -> None:
    assert run(room, "bytes", "买家,张三".encode(encoding).hex())["text"] == "买家,张三"


@pytest.mark.parametrize(
    ("content", "key"),
    [("Zoë Smith".encode("latin-1"), "unknown_encoding"), (b"PK\x03\x04rest", "is_workbook")],
)
def test_file_that_cannot_be_read_is_refused(room: Path, content: bytes, key: str) -> None:
    assert run(room, "bytes", content.hex()) == [key, {}]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("[]", 0),
        ('[{"order_no": 900719925474099362, "q": 1.25, "r": "0.12345678901234567"}]', 1),
        ('[{"q": 99999999999999.9999}]', ["inexact_number", {"number": "99999999999999.9999"}]),
        ('{"a": 1}', ["not_a_list", {}]),
        (" ", ["no_rows", {}]),
    ],
)
def test_number_that_would_be_rounded_is_refused(room: Path, text: str, answer: Any) -> None:
    assert run(room, "json", text) == answer
