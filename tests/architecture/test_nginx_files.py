"""What nginx/ says agrees with the settings, the error table and docs/operations-nginx.md; needs no nginx."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from gm_service.config import ServiceSettings
from shared.errors import FileGone, NotFound, PlatformError, TooManyRequests, Unavailable, error_table
from tests.support.nginx import render

ROOT = Path(__file__).resolve().parents[2]
NGINX = ROOT / "nginx"
DOCS = ROOT / "docs" / "operations-nginx.md"
TEMPLATES = sorted((NGINX / "templates").glob("*.template"))


def _values() -> dict[str, str]:
    return dict(re.findall(r'^(GM_\w+)="(.*)"$', (NGINX / "values.env").read_text(), re.MULTILINE))


def _refusals() -> str:
    return (NGINX / "templates" / "gm_refusals.conf.template").read_text()


def _map(name: str) -> dict[str, str]:
    """Return the lines of the map that makes the variable `name`."""
    found = re.search(rf"\${name} {{\n(.*?)\n}}", _refusals(), re.DOTALL)
    assert found is not None
    return dict(re.findall(r'^    "?([^"\n]+?)"? "?([^"\n]*?)"?;$', found[1], re.MULTILINE))


def test_every_value_is_used_and_every_placeholder_has_one() -> None:
    used = {name for path in TEMPLATES for name in re.findall(r"\$\{(\w+)\}", path.read_text())}

    assert used == set(_values())


def test_every_value_is_explained() -> None:
    explained = dict(re.findall(r"^\| `(GM_\w+)` \| (.*?) \|", DOCS.read_text(), re.MULTILINE))

    assert {name: default.strip("`") for name, default in explained.items() if name in _values()} == _values()


@pytest.mark.parametrize("name", sorted(name for name in _values() if not name.startswith("GM_NGINX_")))
def test_platforms_own_setting_has_the_services_default(name: str) -> None:
    field = ServiceSettings.model_fields[name.removeprefix("GM_").lower()]

    assert _values()[name] == ("" if field.default is PydanticUndefined else str(field.default))


def test_accel_location_of_the_docs_is_the_internal_one() -> None:
    site = (NGINX / "templates" / "gm_site.conf.template").read_text()

    assert re.search(r"location (/files/) \{\n        internal;\n        alias \"\$\{GM_FILES_DIR\}/\";", site)
    assert "GM_ACCEL_LOCATION=/files/" in DOCS.read_text()


def test_codes_agree_with_the_error_table() -> None:
    codes = _map("gm_code")
    default = int(codes.pop("default"))
    gone = int(codes.pop("gone"))

    assert (default, gone) == (PlatformError.code, FileGone.code)
    assert {int(status): error_table()[int(code)].status for status, code in codes.items()} == {
        int(status): int(status) for status in codes
    }


@pytest.mark.parametrize(
    ("problem", "error"),
    [
        ("404", NotFound()),
        ("gone", FileGone()),
        ("429", TooManyRequests(retry_after_seconds="$gm_retry_seconds")),
        ("503", Unavailable(retry_after_seconds="$gm_retry_seconds")),
    ],
)
def test_sentences_are_the_platforms(problem: str, error: PlatformError) -> None:
    assert _map("gm_sentence")[f"{problem} en"] == error.sentence("en")
    assert _map("gm_sentence")[f"{problem} zh"] == error.sentence("zh").replace("service ", "服务")


def test_every_problem_has_a_sentence_in_both_languages() -> None:
    told = set(_map("gm_sentence"))

    assert told >= {f"{problem} {language}" for problem in _map("gm_code") for language in ("en", "zh")} - {
        "default en",
        "default zh",
    }


def test_files_are_written_whole_and_what_the_operator_added_is_kept(tmp_path: Path) -> None:
    (tmp_path / "gm.d").mkdir()
    (tmp_path / "gm.d" / "tls.conf").write_text("listen 443 ssl;")

    first = render(tmp_path, GM_FILES_DIR="/srv/gm/files/", GM_NGINX_LISTEN="80")
    again = render(tmp_path, GM_FILES_DIR="/srv/gm/files", GM_NGINX_LISTEN="81")

    site = (tmp_path / "conf.d" / "gm_site.conf").read_text()
    assert (first.returncode, again.returncode, again.stderr) == (0, 0, "")
    assert "listen 81;" in site and 'alias "/srv/gm/files/";' in site
    assert not any("${" in path.read_text() for path in (tmp_path / "conf.d").iterdir())
    assert (tmp_path / "gm.d" / "tls.conf").read_text() == "listen 443 ssl;"


def test_host_with_its_own_nginx_conf_gets_only_the_pieces(tmp_path: Path) -> None:
    render(tmp_path, "--conf-d-only", GM_FILES_DIR="/srv/gm/files")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["conf.d", "gm.d"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "GM_FILES_DIR has no value"),
        ({"GM_FILES_DIR": "files"}, "must be a path from the root"),
        ({"GM_FILES_DIR": '/x"; autoindex on; #'}, "has a quotation mark"),
        ({"GM_FILES_DIR": "/x", "GM_NGINX_STABLE": "server a:1; } server {"}, "has a quotation mark, a brace"),
    ],
)
def test_wrong_value_is_said_in_one_line_and_nothing_is_written(
    tmp_path: Path, values: dict[str, str], said: str
) -> None:
    done = render(tmp_path / "made", **values)

    assert done.returncode == 1 and said in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "made").exists()
