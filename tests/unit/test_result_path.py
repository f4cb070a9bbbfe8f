"""The path grammar as tables, and against any text that hypothesis thinks of."""

from __future__ import annotations

import contextlib
import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidPath
from shared.task_api.result_path import parse, put, put_all

DOCUMENT = {"rows": [{"status": 1}, {"status": 5}], "total": 2, "a b": {"__proto__": 1}}


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("$", ()),
        ("$.total", ("total",)),
        ("$[3]", (3,)),
        ("$.rows[3].status", ("rows", 3, "status")),
        ('$."a b"', ("a b",)),
        ('$."say \\"hi\\""', ('say "hi"',)),
        ('$."订单"[0]', ("订单", 0)),
    ],
)
def test_paths_of_the_grammar(path: str, steps: tuple[object, ...]) -> None:
    assert parse(path) == steps


@pytest.mark.parametrize(
    "path",
    [
        "",
        "rows",
        "$rows",
        "$.",
        "$..a",
        "$[",
        "$[]",
        "$[-1]",
        "$[01]",
        "$[1.0]",
        "$[1e0]",
        "$[*]",
        "$[last]",
        "$[last-1]",
        "$[#-1]",
        "$[0 to 1]",
        "$**.a",
        "$.*",
        "$ .a",
        "$.a ",
        "$.a\n",
        '$."a',
        "$.a'",
        "$.a;--",
        "$[1][",
        "$[9999999999]",
        '$."\x00"',
        "$" + ".a" * 17,
        "$" + "[0]" * 1000,
        "$." + "a" * 2000,
    ],
)
def test_everything_else_is_refused(path: str) -> None:
    with pytest.raises(InvalidPath):
        parse(path)


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("$.total", 3, lambda d: d["total"]),
        ("$.new", [1], lambda d: d["new"]),
        ("$.rows[0].status", 3, lambda d: d["rows"][0]["status"]),
        ("$.rows[2]", {"status": 1}, lambda d: d["rows"][2]),
        ('$."a b".__proto__', None, lambda d: d["a b"]["__proto__"]),
    ],
)
def test_put_changes_that_place_of_a_copy(path: str, value: Any, place: Any) -> None:
    before = copy.deepcopy(DOCUMENT)

    changed = put(DOCUMENT, path, value)

    assert place(changed) == value
    assert before == DOCUMENT


@pytest.mark.parametrize("path", ["$.rows[3]", "$.rows.status", "$[0]", "$.none.x", "$.total.x", "$.total[0]"])
def test_put_refuses_missing_parents_and_gaps(path: str) -> None:
    with pytest.raises(InvalidPath):
        put(DOCUMENT, path, 1)


@pytest.mark.parametrize(("path", "expected"), [("$.a", {"a": 1}), ("$[0]", [1]), ("$", 1)])
def test_null_document_begins_as_the_path_needs(path: str, expected: Any) -> None:
    assert put(None, path, 1) == expected


@given(st.text(max_size=30), st.sampled_from([DOCUMENT, [], {}, None, 3, [[0], {"a": 1}]]))
def test_any_text_is_applied_or_refused(path: str, document: Any) -> None:
    for candidate in (path, "$" + path):
        with contextlib.suppress(InvalidPath):
            assert put(document, candidate, 1) is not None


def test_many_changes_are_the_same_as_one_after_the_other_and_leave_the_document() -> None:
    document = {"rows": [{"state": "failed"}, {"state": "failed"}], "failed": 2}
    changes = [("$.rows[1].state", "created"), ("$.rows[0]", {"n": [1]}), ("$.rows[0].n[1]", 2), ("$.rows[2]", 5)]
    one_by_one = document
    for path, value in changes:
        one_by_one = put(one_by_one, path, value)

    changed = put_all(document, changes)

    assert changed == one_by_one == {"rows": [{"n": [1, 2]}, {"state": "created"}, 5], "failed": 2}
    assert document == {"rows": [{"state": "failed"}, {"state": "failed"}], "failed": 2}
    assert changes[1] == ("$.rows[0]", {"n": [1]})
