"""The parts of the pages' scripts that decide something, run by node where there is one."""

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
const kept = new Map();
globalThis.sessionStorage = {
  getItem: (key) => kept.get(key) ?? null,
  setItem: (key, value) => kept.set(key, value),
  removeItem: (key) => kept.delete(key),
};
const { countJsonRows, decodeJson } = await import("./json_rows.js");
const { runAgain } = await import("./rerun.js");
const submissions = await import("./submissions.js");
const given = (await process.stdin.toArray()).join("");

async function rerun({ rows, stopAfter, failAt }) {
  const parts = [];
  const told = [];
  const options = {
    listRows: async (state, after, limit) =>
      rows.filter((row) => row.state === state && row.index > after).slice(0, limit),
    amend: async (indexes) => {
      if (parts.length === failAt) {
        throw Object.assign(new Error(), { key: "broken", facts: told });
      }
      parts.push(indexes);
      // What failed again and what was created look alike to it: neither may be run a second time.
      rows.forEach((row) => (row.state = indexes.includes(row.index) && row.index % 2 ? "created" : row.state));
      return { created: parts.length };
    },
    onPart: (done, counts) => told.push([done, counts.created]),
    isStopped: () => parts.length === stopAfter,
  };
  const done = await runAgain("waiting", options);
  return { done, told, parts: parts.map((part) => [part[0], part.at(-1), part.length]) };
}

function submit(steps) {
  return steps.map(([step, content]) => (step === "id" ? submissions.submissionId(content) : submissions.settle()));
}

const calls = {
  json: () => countJsonRows(given),
  bytes: () => decodeJson(Uint8Array.from(Buffer.from(given, "hex"))),
  rerun: () => rerun(JSON.parse(given)),
  submit: () => submit(JSON.parse(given)),
};
try {
  console.log(JSON.stringify({ value: await calls[process.argv[2]]() }));
} catch (error) {
  console.log(JSON.stringify({ refused: [error.key, error.facts] }));
}
"""


@pytest.fixture
def room(tmp_path: Path) -> Path:
    for name in ("json_rows.js", "rerun.js", "submissions.js"):
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


def waiting(count: int) -> list[dict[str, Any]]:
    return [{"index": index, "state": "waiting"} for index in range(count)]


def test_every_row_is_run_once_more_part_by_part(room: Path) -> None:
    answer = run(room, "rerun", json.dumps({"rows": [{"index": 0, "state": "failed"}, *waiting(1203)[1:]]}))

    assert answer["parts"] == [[1, 500, 500], [501, 1000, 500], [1001, 1202, 202]]
    assert (answer["done"], answer["told"]) == (1202, [[500, 1], [1000, 2], [1202, 3]])


def test_running_again_stops_between_two_parts(room: Path) -> None:
    answer = run(room, "rerun", json.dumps({"rows": waiting(1200), "stopAfter": 2}))

    assert (answer["done"], answer["parts"]) == (1000, [[0, 499, 500], [500, 999, 500]])


def test_running_again_that_breaks_off_has_told_what_was_run(room: Path) -> None:
    answer = run(room, "rerun", json.dumps({"rows": waiting(1200), "failAt": 1}))

    assert answer == ["broken", [[500, 1]]]


def test_same_content_keeps_its_id_until_it_is_settled(room: Path) -> None:
    steps = [["id", "day|A"], ["id", "day|A"], ["settle"], ["id", "day|A"]]

    first, again, _, next_one = run(room, "submit", json.dumps(steps))

    assert first == again
    assert first != next_one
    assert len(first) == 32


@pytest.mark.parametrize("other", ["day|B", "night|A", "day|A ", "day|" + "A" * 100_000])
def test_other_content_has_another_id(room: Path, other: str) -> None:
    first, second = run(room, "submit", json.dumps([["id", "day|A"], ["id", other]]))

    assert first != second


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_json_file_is_read_as_utf8(room: Path, encoding: str) -> None:
    assert run(room, "bytes", '["张三"]'.encode(encoding).hex()) == '["张三"]'


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16"])
def test_json_file_in_another_encoding_is_refused(room: Path, encoding: str) -> None:
    assert run(room, "bytes", '["张三"]'.encode(encoding).hex()) == ["json_encoding", {}]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("[]", 0),
        ('[{"order_no": 900719925474099362, "q": 1.25, "r": "0.12345678901234567"}]', 1),
        ('[{"q": 99999999999999.9999}]', ["inexact_number", {"number": "99999999999999.9999"}]),
        ('[{"q": 9223372036854775807}]', 1),
        ('[{"q": -9223372036854775809}]', ["inexact_number", {"number": "-9223372036854775809"}]),
        ('{"a": 1}', ["not_a_list", {}]),
        (" ", ["no_rows", {}]),
    ],
)
def test_number_that_would_be_rounded_is_refused(room: Path, text: str, answer: Any) -> None:
    assert run(room, "json", text) == answer
