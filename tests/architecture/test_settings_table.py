"""The README's configuration table has every setting of every service, with its default."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from gm_async_task.config import AsyncTaskSettings
from gm_service.config import ServiceSettings
from gm_task.config import TaskSettings
from shared.settings import CommonSettings

README = Path(__file__).resolve().parents[2] / "README.md"
CLASSES = {
    "all": CommonSettings,
    "gm_async_task": AsyncTaskSettings,
    "gm_service": ServiceSettings,
    "gm_task": TaskSettings,
}


def table_rows() -> dict[tuple[str, str], str]:
    """Return the default that the README gives for each (service, setting)."""
    rows = re.findall(r"^\| (\w+) \| `GM_(\w+)` \| (.*?) \|", README.read_text(), re.MULTILINE)
    return {(service, name.lower()): default.strip("`") for service, name, default in rows}


def declared() -> dict[tuple[str, str], str]:
    """Return the default of each setting as its class has it."""
    found = {}
    for service, kind in CLASSES.items():
        for name, field in kind.model_fields.items():
            if service == "all" or name not in CommonSettings.model_fields:
                required = field.default is PydanticUndefined
                found[service, name] = "required" if required else _shown(field.default)
    return found


def _shown(default: object) -> str:
    return "" if default in (None, "", [], {}) else str(default).lower() if isinstance(default, bool) else str(default)


@pytest.mark.parametrize("setting", sorted(declared()), ids="/".join)
def test_setting_is_in_the_readme(setting: tuple[str, str]) -> None:
    assert table_rows().get(setting) == declared()[setting]


def test_readme_names_no_setting_that_is_gone() -> None:
    assert set(table_rows()) - set(declared()) == set()
