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
_TEXTS = Path("gm_service/static/texts/en.json")
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
globalThis.document = { documentElement: { lang: "en" }, querySelector: () => null, hidden: false };
globalThis.addEventListener = document.addEventListener = () => undefined;
globalThis.fetch = async () => ({ json: async () => JSON.parse(process.argv[3]) });
const { countJsonRows, decodeJson } = await import("./json_rows.js");
const { runAgain, runCorrected } = await import("./rerun.js");
const { corrected, isCorrectable, valueAt } = await import("./row_values.js");
const words = await import("./task_words.js");
const { TaskFeed } = await import("./task_feed.js");
const { LeftTasks } = await import("./left_tasks.js");
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

// Plays answers to a feed; returns what it asked, whom it told of as ended, which tasks it has, whether it asks on.
async function feed(answers) {
  const asked = [];
  const ended = [];
  const ask = async (path, query, known) => {
    asked.push({ ...query, known: known ?? null });
    const answer = answers.shift();
    if (answer === "lost") {
      throw new Error("lost");
    }
    const mark = answer ? `m${asked.length}` : known;
    return { data: answer && { poll_seconds: 1, more: false, ...answer }, mark };
  };
  const waits = [];
  globalThis.setTimeout = (_, milliseconds) => waits.push(milliseconds);
  const followed = new TaskFeed((task) => ended.push(task.task_id), ask);
  followed.filters = { text: "a" };
  while (answers.length > 0) {
    await followed.ask();
  }
  const { tasks, failure } = followed.state;
  return { asked, ended, waits, shown: tasks.map((task) => [task.task_id, task.status]), failed: Boolean(failure) };
}

// Plays steps, each a method with what it is given, or "tick" for the next turn; `answers` are what is asked brings.
async function left({ steps, answers }) {
  const [asked, ended, waits] = [[], [], []];
  let turn = null;
  globalThis.setTimeout = (next, milliseconds) => {
    turn = next;
    waits.push(milliseconds);
  };
  const request = async (path, query, known) => {
    asked.push([query.task_ids, known ?? null]);
    const answer = answers.shift();
    if (answer === "lost" || answer === "signed out") {
      throw Object.assign(new Error(), { isSignedOut: answer === "signed out" });
    }
    return { data: answer && { tasks: answer }, mark: `m${asked.length}` };
  };
  const tasks = new LeftTasks((task) => ended.push(task.task_id), request, () => false);
  for (const [step, given] of steps) {
    step === "look away" ? (document.hidden = true) : step === "tick" ? turn() : tasks[step](given);
    await new Promise(setImmediate);
  }
  return { asked, ended, waits, left: [...tasks.ids] };
}

const calls = {
  left: () => left(JSON.parse(given)),
  feed: () => feed(JSON.parse(given)),
  time: () => JSON.parse(given).map(([task, now]) => words.timeOf(task, now)),
  corrected: () =>
    JSON.parse(given).map(([order, column, value]) => [valueAt(order, column), corrected(order, column, value)]),
  correctable: () => JSON.parse(given).map(isCorrectable),
  parts: async () => {
    const parts = [];
    await runCorrected(Array.from({ length: JSON.parse(given) }, (_, index) => ({ index })), {
      amend: async (rows) => parts.push(rows.length),
      onPart: () => undefined,
      isStopped: () => parts.length === 3,
    });
    return parts;
  },
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
    for script in _SCRIPTS.glob("*.js"):
        shutil.copy(script, tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}', "utf-8")
    (tmp_path / "program.js").write_text(_PROGRAM, "utf-8")
    return tmp_path


def run(room: Path, call: str, text: str) -> Any:
    """Return what a function made of the text, or the key and facts that it refused it with."""
    command = [str(_NODE), str(room / "program.js"), call, _TEXTS.read_text("utf-8")]
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


def _task(task_id: int, status: int = 2, **changes: Any) -> dict[str, Any]:
    return {"task_id": task_id, "status": status, "counts": {}, "reason_code": None, **changes}


def _fed(room: Path, *answers: Any) -> dict[str, Any]:
    fed: dict[str, Any] = run(room, "feed", json.dumps(answers))
    return fed


def test_poll_asks_for_the_page_and_then_for_what_goes_on(room: Path) -> None:
    fed = _fed(room, {"tasks": [_task(3), _task(2, 3), _task(1, 1)]}, {"tasks": [_task(3), _task(1)]})

    assert fed["asked"] == [
        {"text": "a", "limit": 100, "known": None},
        {"task_ids": "3,1", "known": None},
    ]
    assert fed["shown"] == [[3, 2], [2, 3], [1, 2]]


def test_poll_tells_of_an_end_once_and_then_looks_at_the_whole_page(room: Path) -> None:
    page = {"tasks": [_task(2), _task(1, 3)]}

    fed = _fed(room, page, {"tasks": [_task(2, 4)]}, {"tasks": [_task(2, 4), _task(1, 3)]})

    assert fed["ended"] == [2]
    assert [asked.get("limit") for asked in fed["asked"]] == [100, None, 100]


def test_poll_stops_when_everything_has_ended(room: Path) -> None:
    assert _fed(room, {"tasks": [_task(1, 3)]})["waits"] == []


def test_poll_that_brings_nothing_new_backs_off_and_says_what_it_knows(room: Path) -> None:
    fed = _fed(room, {"tasks": [_task(1)]}, {"tasks": [_task(1)]}, None, None, {"tasks": [_task(1, progress=2)]})

    assert fed["waits"] == [1000, 1000, 1500, 2250, 1000]
    assert [asked["known"] for asked in fed["asked"]] == [None, None, "m2", "m2", "m2"]


def test_lost_connection_keeps_the_rows_and_tries_more_slowly(room: Path) -> None:
    fed = _fed(room, {"tasks": [_task(1)]}, "lost", "lost")

    assert (fed["shown"], fed["failed"], fed["waits"]) == ([[1, 2]], True, [1000, 2000, 4000])


def test_older_pages_stay_below_a_fresh_first_page(room: Path) -> None:
    first = {"tasks": [_task(9, 3), _task(8, 3)], "more": True}

    fed = _fed(room, {"tasks": [_task(9, 3), _task(8, 3), _task(7, 3), _task(6, 3)], "more": True}, first)

    assert [task_id for task_id, _ in fed["shown"]] == [9, 8, 7, 6]


def _left(room: Path, steps: list[Any], *answers: Any) -> dict[str, Any]:
    followed: dict[str, Any] = run(room, "left", json.dumps({"steps": steps, "answers": answers}))
    return followed


_TICK = ["tick", None]


def test_what_was_left_going_on_is_followed_to_its_end_and_told_once(room: Path) -> None:
    steps = [["leave", [_task(1), _task(2, 1), _task(3, 3)]], _TICK, _TICK]

    followed = _left(room, steps, [_task(1), _task(2)], None, [_task(1, 4), _task(2)])

    assert followed["asked"] == [["1,2", None], ["1,2", "m1"], ["1,2", "m2"]]
    assert (followed["ended"], followed["left"]) == ([1], [2])


def test_what_a_page_shows_again_is_not_told_twice(room: Path) -> None:
    steps = [["leave", [_task(1), _task(2)]], ["meet", [_task(1), _task(2, 3)]], ["meet", [_task(1, 3), _task(2, 3)]]]

    followed = _left(room, [*steps, _TICK], [_task(1), _task(2)])

    assert (followed["ended"], followed["left"]) == ([2], [])
    assert len(followed["asked"]) == 1


def test_what_was_hidden_meanwhile_is_asked_for_no_more(room: Path) -> None:
    followed = _left(room, [["leave", [_task(1), _task(2)]], _TICK], [_task(2)], [_task(2)])

    assert followed["asked"] == [["1,2", None], ["2", None]]
    assert (followed["ended"], followed["left"]) == ([], [2])


def test_what_was_left_is_asked_for_more_slowly_while_nothing_changes_or_answers(room: Path) -> None:
    steps = [["leave", [_task(1)]], *[_TICK] * 6]

    followed = _left(room, steps, None, None, "lost", "lost", "lost", [_task(1)], None)

    assert followed["waits"] == [1500, 2250, 4500, 8000, 8000, 1000, 1500]


@pytest.mark.parametrize(
    ("steps", "answers"),
    [
        ([["leave", [_task(1)]]], ["signed out"]),
        ([["look away", None], ["leave", [_task(1)]]], [[_task(1)]]),
        ([["leave", [_task(1, 3)]]], []),
    ],
)
def test_nothing_goes_on_being_asked_for_where_nobody_is_to_be_told(
    room: Path, steps: list[Any], answers: list[Any]
) -> None:
    followed = _left(room, steps, *answers)

    assert len(followed["asked"]) == len(answers)
    assert followed["waits"] == []


_AT = "2026-01-01T00:00:00+00:00"
_AT_MS = 1_767_225_600_000
_RUNNING = {**_task(1), "create_time": _AT, "start_time": _AT, "run_start": _AT, "modify_time": _AT, "progress": 0}
_WAITING = {**_RUNNING, "status": 1, "ahead": None, "place_beyond": None, "starts_in_seconds": None}


@pytest.mark.parametrize(
    ("task", "seconds", "said"),
    [
        ({**_RUNNING, "progress": 2}, 30, "running for 30 sec"),
        ({**_RUNNING, "progress": 25}, 2, "running for 2 sec"),
        ({**_RUNNING, "progress": 25}, 30, "running for 30 sec · about 1 min 30 sec left"),
        ({**_RUNNING, "progress": 25}, 41, "no progress for 41 sec"),
        (_WAITING, 5, "waiting for 5 sec"),
        ({**_WAITING, "place_beyond": 1000}, 5, "waiting for 5 sec · place in its queue: more than 1,000"),
        ({**_WAITING, "ahead": 0}, 5, "waiting for 5 sec · next in its queue"),
        (
            {**_WAITING, "ahead": 2, "starts_in_seconds": 3700},
            5,
            "waiting for 5 sec · place 3 in its queue · starts in about 1 hr 1 min",
        ),
        ({**_RUNNING, "status": 3, "end_time": "2026-01-02T01:00:00+00:00"}, 0, "took 1 day 1 hr"),
        ({**_RUNNING, "status": 3, "end_time": _AT}, 0, "took less than a second"),
        ({**_RUNNING, "status": 5, "start_time": None, "end_time": _AT}, 0, ""),
    ],
)
def test_waiting_is_told_honestly(room: Path, task: dict[str, Any], seconds: int, said: str) -> None:
    assert run(room, "time", json.dumps([[task, _AT_MS + seconds * 1000]])) == [said]


def test_corrected_value_takes_its_place_and_nothing_else_changes(room: Path) -> None:
    lines = {"order_no": "A", "lines": [{"sku": "1"}, {"sku": None, "quantity": 2}]}

    answers = run(
        room, "corrected", json.dumps([[lines, "lines[1].sku", "2"], [{"a": 1}, "sku", "3"], [{"a": 1}, "a", "5"]])
    )

    assert answers == [
        ["", {"order_no": "A", "lines": [{"sku": "1"}, {"sku": "2", "quantity": 2}]}],
        ["", {"a": 1, "sku": "3"}],
        ["1", {"a": "5"}],
    ]


def test_only_a_failed_field_of_an_order_is_corrected_in_place(room: Path) -> None:
    good = {"state": "failed", "column": "sku", "order": {}}

    rows = [
        good,
        {**good, "state": "waiting"},
        {**good, "column": None},
        {**good, "column": "row"},
        {**good, "order": []},
    ]

    assert run(room, "correctable", json.dumps(rows)) == [True, False, False, False, False]


def test_corrected_rows_run_in_parts_until_stopped(room: Path) -> None:
    assert run(room, "parts", "1203") == [500, 500, 203]
    assert run(room, "parts", "5000") == [500, 500, 500]
