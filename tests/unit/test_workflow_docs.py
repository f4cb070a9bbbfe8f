"""The plugin and the handlers of docs/workflows.md, as its reader copies them."""

from __future__ import annotations

import re
from pathlib import Path

from gm_async_task.workflow.planning import plan_job
from gm_async_task.workflow.plugins import Plugins
from gm_task.handling import Handlers, Request

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "workflows.md"


def test_the_plugin_shown_finds_its_handlers_in_the_file_shown(tmp_path: Path) -> None:
    plugin_text, handlers_text = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    for folder, text in (("plugins", plugin_text), ("handlers", handlers_text)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "report.py").write_text(text)
    plugin = Plugins([tmp_path / "plugins"]).find("report")
    handlers = Handlers([tmp_path / "handlers"])
    assert plugin is not None

    tasks = plan_job(plugin, {"month": "2026-01"}, '{"month": "2026-01"}', 60, []).tasks
    given = {"month": "2026-01"}
    for task in tasks:
        answer = handlers.call(task.cmd, Request("r", "wang"), {key: given[key] for key in task.requires})
        given |= answer.data

        assert answer.stat == "OK"

    assert given["data"] == {"rows": 1, "by": "wang"}
