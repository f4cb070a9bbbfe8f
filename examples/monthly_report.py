"""A slow business action as a task: the worker's side, and the one call that starts it."""

from gm_task.context import TaskContext
from gm_task.registry import task_function
from shared.task_api.srv import async_task_srv


@task_function
def make_report(context: TaskContext) -> dict[str, int]:
    """Add up each month; what is returned becomes the task's result."""
    months = context.input["months"]
    totals = {}
    for done, month in enumerate(months, start=1):
        context.check()  # leaves here when somebody closed the task or the worker is told to stop
        totals[month] = sum(range(10_000))  # the slow part
        context.progress(done, len(months))
    return totals


def start_report(station_id: str, months: list[str]) -> int:
    """Give the report to the platform and return the task's id at once."""
    added = async_task_srv.submit(
        station_id=station_id,
        task_name="examples.monthly_report.make_report",
        input={"months": months},
        queue="gm_task",
        repeat=True,  # a report may be made again when its worker dies
    )
    return added.task_id
