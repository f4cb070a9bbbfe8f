"""The module names that existing plugin files import; they need not know where ours are."""

from __future__ import annotations

import jsonschema

from gm_async_task.workflow.runner import WorkflowRunner
from shared.file_modules import make_module, offer_modules


def install_names() -> None:
    """Make `xlib.taskflow.taskflow` and `xlib.util.jsonschema` resolve, unless a real `xlib` is installed."""
    offer_modules(
        {
            "xlib.taskflow.taskflow": make_module("xlib.taskflow.taskflow", WorkflowRunner=WorkflowRunner),
            "xlib.util.jsonschema": jsonschema,
        }
    )
