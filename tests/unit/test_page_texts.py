"""The pages' two dictionaries: nothing is missing, nothing is left over, both say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import gm_service
from gm_service.orders.exports.profiles import PROFILES
from gm_service.orders.imports.files.columns import TITLES
from gm_service.orders.imports.row_reasons import row_error
from gm_service.routes.rendering import load_texts
from shared.profiling.ways import WAYS

_ROOM = Path(gm_service.__path__[0])
_TEMPLATES = sorted((_ROOM / "templates").glob("*.html"))
_SCRIPTS = sorted((_ROOM / "static" / "js").glob("*.js"))
_IN_TEMPLATE = re.compile(r"\bt\.(\w+)")
_IN_SCRIPT = re.compile(r"""(?<![\w.])(?:t|BadRows)\(\s*["'](\w+)["']""")
# What of a task's input and result people know by a name.
FACTS = (
    *("query_type", "start_date", "end_date", "time_config_id", "cycle_start_time", "cycle_end_time", "status"),
    *("search_text", "search_area", "format", "file_name", "total", "created", "failed", "not_attempted"),
    *("orders", "rows", "bytes"),
)
# Keys that scripts put together or keep in lists.
_MADE = {f"state_{status}" for status in range(1, 6)} | {
    "business_import",
    "business_export",
    "business_process",
    "order_export",
    "order_import",
    "row",
    "row_state",
    *(f"row_{state}" for state in ("failed", "waiting", "created")),
    *(f"rows_{shown}" for shown in ("open", "failed", "all")),
    *(f"format_{name}" for name in PROFILES),
    *(f"fact_{name}" for name in FACTS),
    *(f"job_{state}" for state in ("waiting", "pending", "started", "finished", "failed")),
    *(f"by_{span}" for span in ("day", "week", "month")),
    *(f"stat_{name}" for name in ("start", "end", "exclude_retstat", "jobtag_name", "jobtag_values")),
    *("job_name", "job_type", "filter_state", "submitted_by", "created_time", "job_cost"),
    *("handler", "ret_stat", "retries"),
    *(f"way_{way}" for way in WAYS),
    *(f"profile_{said}_{of}" for said in ("next", "marked") for of in ("task", "function")),
    *("no_download", "no_report"),
    *("by_order_date", "by_cycle", "by_receive_date"),
    "order",
    "column",
    "value",
    *(f"field_{name}" for name in (*TITLES, "row", "lines", "amount")),
}


def _used() -> set[str]:
    in_templates = {key for path in _TEMPLATES for key in _IN_TEMPLATE.findall(path.read_text("utf-8"))}
    in_scripts = {key for path in _SCRIPTS for key in _IN_SCRIPT.findall(path.read_text("utf-8"))}
    return in_templates | in_scripts | _MADE | {"reason"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_text_that_the_pages_use_is_there(language: str) -> None:
    assert _used() - set(load_texts(language)) == set()  # type: ignore[arg-type]


def test_no_text_is_left_over() -> None:
    assert set(load_texts("en")) - _used() == set()


def test_both_languages_have_the_same_texts_with_the_same_blanks() -> None:
    english, chinese = load_texts("en"), load_texts("zh")

    assert set(english) == set(chinese)
    for key, text in english.items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", chinese[key])), key


@pytest.mark.parametrize("path", [*_TEMPLATES, *_SCRIPTS], ids=lambda path: path.name)
def test_pages_hold_no_markup_from_data_and_no_foreign_address(path: Path) -> None:
    text = path.read_text("utf-8")

    assert not re.search(r"[iI]nnerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|\|\s*safe\b", text)
    assert not re.search(r"""(src|href)=["'](https?:)?//""", text)
    assert not re.search(r"""<script(?![^>]*\bsrc=)|<style|\s(style|on\w+)=["']""", text)


@pytest.mark.parametrize("field", [*TITLES, "row", "lines", "amount"])
def test_columns_are_called_as_reasons_call_them(field: str) -> None:
    error = row_error("missing", field, None)

    assert error.en == f"{load_texts('en')[f'field_{field}']} is missing"
    assert error.zh == f"缺少“{load_texts('zh')[f'field_{field}']}”"
