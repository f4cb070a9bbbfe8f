"""`order_intake`: an uploaded order file is checked, imported, exported for yongyou, and its outcome told.

gm_service starts it (POST /station/order/batch/intake); the rows are in its ledger, job_extra names them.
"""

from __future__ import annotations

from typing import Any, ClassVar

import jsonschema
import structlog

from gm_async_task.workflow.runner import WorkflowRunner

log = structlog.get_logger(__name__)


class OrderIntake(WorkflowRunner):
    """Two handlers of this product, two of its task functions, and a handler that sums up."""

    schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "import_id": {"type": "integer", "minimum": 1},
            "language": {"type": "string", "enum": ["en", "zh"]},
        },
        "required": ["import_id"],
        "additionalProperties": False,
    }

    def params_check(self) -> None:
        """Ask for an import; one import is taken in by one job at a time."""
        jsonschema.validate(self.job_extra, self.schema)
        self.job_extra.setdefault("language", "en")
        self.job_locks = f"order_intake-{self.job_extra['import_id']}"

    def workflow(self) -> None:
        """Add the five."""
        functions = "gm_task.functions.orders"
        request = ["export", "station_id", "query", "format", "file_name", "language", "yongyou"]
        self.add_task("check", "/order_intake/check", requires=["import_id"])  # waits for gm_service by itself
        self.add_task("import", f"{functions}.import_orders", requires=["import_id"], dependencies=["check"])
        self.add_task(
            "plan_export",
            "/order_intake/plan_export",
            requires=["import_id", "language"],
            provides=request,
            dependencies=["import"],
            retrymax=2,
        )
        self.add_task(
            "export", f"{functions}.export_orders", requires=request, dependencies=["plan_export"], retrymax=1
        )
        self.add_task(
            "notify",
            "/order_intake/notify",
            requires=["total", "created", "failed", "file_name", "import_task_id", "export_task_id"],
            dependencies=["import", "export"],
            is_save=True,
        )

    @classmethod
    def job_notifier(cls, job_obj: Any) -> None:
        """Write the outcome down; a message to the station's people would be sent from here."""
        log.info("order_intake_told", job_id=job_obj.job_id, status=job_obj.job_status, stat=job_obj.ret_stat)


def setup(app: Any) -> None:
    """Register the plugin."""
    app.register_formatter("order_intake", OrderIntake)
