"""Settings of gm_service, read once by its factory and by its scripts."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, SecretStr, StringConstraints, model_validator

from gm_service.yongyou import YongyouSettings
from shared.settings import MIN_KEY_CHARACTERS, CommonSettings

EmbedOrigin = Annotated[str, StringConstraints(pattern=r"^https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?$")]
"""one scheme, host and port: no path, and no wildcard that would let whole domains in"""


class ServiceSettings(CommonSettings):
    """What gm_service needs to know beside the common settings."""

    service_database_url: SecretStr = Field(description="`sqlite:///file` or `mysql+pymysql://...` of the orders")
    async_task_url: str = Field(description="address of gm_async_task, such as http://127.0.0.1:8001")
    service_secret_key: SecretStr = Field(description="signs session cookies; at least 32 characters")
    task_queue: str = Field(default="gm_task", description="queue that this service's tasks are dispatched to")
    export_function: str = Field(
        default="gm_task.functions.orders.export_orders", description="dotted path of the function that makes exports"
    )
    import_function: str = Field(
        default="gm_task.functions.orders.import_orders", description="dotted path of the function that runs imports"
    )
    export_threshold: int = Field(default=20, ge=0, description="more orders than this are exported asynchronously")
    max_batch_rows: int = Field(default=20_000, ge=1, description="most orders that one import may carry")
    accel_location: str = Field(
        default="",
        description="nginx's internal location of files_dir, such as /files/; empty: gm_service sends files itself",
    )
    link_seconds: int = Field(default=7 * 86_400, ge=60, description="how long a finished export can be downloaded")
    session_seconds: int = Field(default=12 * 3600, ge=60, description="how long a signed-in person stays signed in")
    yongyou: YongyouSettings | None = Field(
        default=None,
        description="what exports for yongyou U8 are filled with, a JSON object; docs/export-formats.md has its fields",
    )
    public_url: str = Field(default="", description="put before links and task addresses; empty: they are relative")
    trusted_proxies: int = Field(
        default=0, ge=0, le=5, description="how many proxies of ours stand before: their X-Forwarded-For is believed"
    )
    embed_origins: list[EmbedOrigin] = Field(
        default=[],
        description="origins, as a JSON list, whose pages may frame the task list; docs/pages.md says which can",
    )
    cookie_secure: bool = Field(default=False, description="send the session cookie over https only")

    @model_validator(mode="after")
    def _secret_key_is_long(self) -> Self:
        length = len(self.service_secret_key.get_secret_value())
        if self.environment == "production" and length < MIN_KEY_CHARACTERS:
            raise ValueError(f"service_secret_key needs at least {MIN_KEY_CHARACTERS} characters outside development")
        return self

    def secrets(self) -> list[str]:
        """Return the values that must never be logged."""
        own = (self.service_secret_key, self.service_database_url)
        return [*super().secrets(), *(secret.get_secret_value() for secret in own)]
