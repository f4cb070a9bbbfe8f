"""What business code imports: `async_task_srv`, the task API as the environment configures it.

`create` and `get_task_queue().send_task` are two calls for those who need them apart; `submit` is both in one.
Nothing is read or connected before the first call, and each process connects for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from shared.broker.queue import get_task_queue
from shared.per_process import PerProcess
from shared.settings import FROM_ENVIRONMENT, SignedCalls
from shared.task_api.client import TaskClient
from shared.task_api.dispatch import Dispatcher
from shared.task_api.held_run import RunPolicy
from shared.task_api.models import AddedTask
from shared.task_api.report import Verdict
from shared.task_api.run import Body, Claim, leave_process, run_body
from shared.task_api.transport import HttpTransport, Method, Transport


class _Settings(BaseSettings):
    model_config = FROM_ENVIRONMENT

    async_task_url: str = Field(description="address of gm_async_task")
    auth_key: SecretStr = Field(description="service key")
    signed_calls: SignedCalls = Field(default="off", description="as in shared.settings")


class _ConfiguredTransport:
    """Connects to the gm_async_task that the environment names."""

    def __init__(self) -> None:
        self._transport: PerProcess[Transport] = PerProcess(_connect)

    def call(self, method: Method, path: str, parameters: dict[str, Any]) -> Any:
        """See `Transport.call`."""
        return self._transport.get().call(method, path, parameters)


def _connect() -> Transport:
    settings: Any = _Settings()
    return HttpTransport(
        settings.async_task_url, settings.auth_key.get_secret_value(), signed=settings.signed_calls != "off"
    )


class AsyncTaskService(TaskClient):
    """The client, and the two things that business code does with it beside calling."""

    def submit(self, *, station_id: str, task_name: str, input: Any, queue: str, **options: Any) -> AddedTask:
        """Add a task and have it started; see `Dispatcher.submit`."""
        dispatcher = Dispatcher(self, get_task_queue(), queue)
        return dispatcher.submit(station_id=station_id, task_name=task_name, input=input, **options)

    def run(self, task_id: int, body: Body, *, on_lost: Callable[[], None] = leave_process) -> Verdict:
        """Run `body` between start and finish in this process, with progress, a kept lease and patient reports.

        For workers of one's own; gm_task does it for every registered function. See `run_body`.
        """
        return run_body(self, Claim(task_id), body, policy=RunPolicy(), on_lost=on_lost)


async_task_srv = AsyncTaskService(_ConfiguredTransport())
