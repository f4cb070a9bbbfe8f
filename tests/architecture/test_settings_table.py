"""The table of settings in docs/operations.md has every setting of every service, with its default.

README and the files that start the services say nothing else.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from gm_async_task.config import AsyncTaskSettings
from gm_service.config import ServiceSettings
from gm_task.config import TaskSettings
from shared.settings import CommonSettings

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = ROOT / "docs" / "operations.md"
README = ROOT / "README.md"
CLASSES = {
    "all": CommonSettings,
    "gm_async_task": AsyncTaskSettings,
    "gm_service": ServiceSettings,
    "gm_task": TaskSettings,
}
STARTING = ("docker-compose.yml", "Dockerfile", "docker", "supervisor", "nginx")
"""what starts the services or stands before them"""


def table_rows(document: Path) -> dict[tuple[str, str], str]:
    """Return the default that a document gives for each (service, variable)."""
    rows = re.findall(r"^\| (\w+) \| `(GM_\w+)` \| (.*?) \|", document.read_text(), re.MULTILINE)
    return {(service, name): default.strip("`") for service, name, default in rows}


def declared() -> dict[tuple[str, str], str]:
    """Return the default of each setting as its class has it."""
    found = {}
    for service, kind in CLASSES.items():
        for name, field in kind.model_fields.items():
            if service == "all" or name not in CommonSettings.model_fields:
                required = field.default is PydanticUndefined
                found[service, f"GM_{name.upper()}"] = "required" if required else _shown(field.default)
    return found


def read_by_servers() -> dict[tuple[str, str], str]:
    """Return the default of each variable that a server's own configuration reads."""
    return {
        (file.parent.name, name): default
        for file in ROOT.glob("gm_*/gunicorn.conf.py")
        for name, default in re.findall(r'environ\.get\("(GM_\w+)", "(.*?)"\)', file.read_text())
    }


def _shown(default: object) -> str:
    return "" if default in (None, "", [], {}) else str(default).lower() if isinstance(default, bool) else str(default)


@pytest.mark.parametrize("setting", sorted(declared()), ids="/".join)
def test_setting_is_in_the_table(setting: tuple[str, str]) -> None:
    assert table_rows(OPERATIONS).get(setting) == declared()[setting]


@pytest.mark.parametrize("variable", sorted(read_by_servers()), ids="/".join)
def test_variable_of_a_server_is_in_a_table(variable: tuple[str, str]) -> None:
    assert table_rows(OPERATIONS).get(variable) == read_by_servers()[variable]


def test_tables_name_no_setting_that_is_gone() -> None:
    assert set(table_rows(OPERATIONS)) - set(declared()) - set(read_by_servers()) == set()


def test_readme_shows_a_few_rows_of_the_table() -> None:
    shown = table_rows(README)

    assert 0 < len(shown) <= 5
    assert shown.items() <= declared().items()


def test_files_that_start_the_services_name_only_what_is_explained() -> None:
    files = [path for name in STARTING for path in (ROOT / name, *(ROOT / name).rglob("*")) if path.is_file()]
    texts = [
        path.read_text("utf-8") for path in files if "__pycache__" not in path.parts and "secrets" not in path.parts
    ]
    named = {name for text in texts for name in re.findall(r"\bGM_[A-Z0-9_]+\b", text)}
    of_their_own = {name for text in texts for name in re.findall(r"^\s*(GM_\w+)=", text, re.MULTILINE)}
    explained = "".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))

    unknown = named - of_their_own - {name for _, name in declared()}

    assert {name for name in unknown if f"`{name}`" not in explained} == set()


def test_compose_file_falls_back_on_the_settings_defaults() -> None:
    defaults = {name: default for (_, name), default in declared().items()}
    fallbacks = re.findall(r"\$\{(GM_\w+):-(.*?)\}", (ROOT / "docker-compose.yml").read_text())

    assert {name: default for name, default in fallbacks if default != defaults[name]} == {}
