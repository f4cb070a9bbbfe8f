"""Takes an order file in as one workflow job: check it, import it, export what was created, tell the outcome."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from gm_service.auth import Station
from gm_service.job_api import JobAnswer, JobApi
from gm_service.orders.imports.commands import SubmitBatch
from gm_service.orders.imports.service import ImportService
from shared.errors import Language, PlatformError, RuleRefused
from shared.web import strict_json

JOB_TYPE = "order_intake"


@dataclass(frozen=True, slots=True)
class OrderIntake:
    """What its route calls."""

    imports: ImportService
    jobs: JobApi

    def start(self, station: Station, command: SubmitBatch, language: Language, operator: str) -> int:
        """Keep the file's rows, start the job, and return its id; sent again it is the same job.

        Raises:
            RuleRefused, TooLarge: the submission as a whole can't be taken, or the job is refused.
            IdReused: the id stands for another submission.
            Unavailable: try again; what was kept is found again.
        """
        # Names of jobs are one space for all stations, so a station's own id is hidden in a name of ours.
        name = "intake-" + hashlib.sha256(f"{station.id}/{command.task_id}".encode()).hexdigest()[:32]
        batch = self.imports.keep_batch(station, name, command)
        extra = {"import_id": batch.id, "language": language}
        parameters = {"job_namespace": station.id, "job_type": JOB_TYPE, "job_name": name, "job_extra": extra}
        answer = _read(self.jobs.call("create_job", parameters, namespace=station.id, operator=operator))
        if answer["stat"] == "ERR_JOB_EXIST":
            known = self.jobs.call("get_job_detail", {"job_name": name}, namespace=station.id, operator=operator)
            return int(_read(known)["data"]["job_id"])
        if answer["stat"] != "OK":
            told = str(answer.get("msg") or answer["stat"])
            raise RuleRefused(problem=f"The job was refused: {told}", problem_zh=f"工作流任务被拒绝：{told}")
        return int(answer["job_id"])


def _read(answer: JobAnswer) -> dict[str, Any]:
    try:
        body = strict_json.loads(answer.body)
        if answer.status == 200 and "stat" in body:
            return dict(body)
    except (ValueError, TypeError):
        pass
    raise PlatformError(error_id=f"xingqiao {answer.status} {answer.headers.get('x-reqid', '')}")
