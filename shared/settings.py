"""Settings that several services share; each service adds its own in its config.py.

Read once, in the service's factory, from the environment (prefix `GM_`) and a `.env` file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MIN_KEY_CHARACTERS = 32
SignedCalls = Literal["off", "send", "require"]


class CommonSettings(BaseSettings):
    """What every service is told in the same words."""

    model_config = SettingsConfigDict(env_prefix="GM_", env_file=".env", extra="ignore", frozen=True)

    environment: Literal["development", "production"] = Field(
        default="production", description="`development` alone accepts short keys"
    )
    auth_key: SecretStr = Field(description="service key, at least 32 characters: sent to and asked by internal APIs")
    auth_key_previous: SecretStr | None = Field(
        default=None, description="the key before, still accepted while keys are being changed"
    )
    signed_calls: SignedCalls = Field(
        default="off",
        description="internal calls carry the key (`off`), a signature (`send`), or a signature and nothing else is "
        "taken (`require`)",
    )
    broker_url: SecretStr = Field(description="`doorbell:///file` (embedded), `amqp://...` (RabbitMQ) or `redis://...`")
    files_dir: Path = Field(description="folder shared by gm_task, which writes exports, and gm_service")
    timezone: str = Field(default="Asia/Shanghai", description="zone in which datetimes without offset are read")
    language: Literal["en", "zh"] = Field(default="en", description="language where the reader's is not known")
    log_level: str = Field(default="INFO", description="least level that is logged")
    max_body_bytes: int = Field(default=2 * 1024 * 1024, ge=1024, description="largest ordinary request body")
    max_batch_body_bytes: int = Field(
        default=8 * 1024 * 1024,
        ge=1024,
        description="largest body of the requests that carry a batch of rows; MariaDB's max_allowed_packet (16 MiB by "
        "default) must be twice as large",
    )

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        ZoneInfo(name)
        return name

    @model_validator(mode="after")
    def _keys_are_long(self) -> Self:
        for key in self.accepted_keys():
            if self.environment == "production" and len(key) < MIN_KEY_CHARACTERS:
                raise ValueError(f"a service key needs at least {MIN_KEY_CHARACTERS} characters outside development")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The configured time zone."""
        return ZoneInfo(self.timezone)

    @property
    def signs_calls(self) -> bool:
        """Whether this service signs the calls that it makes."""
        return self.signed_calls != "off"

    def accepted_keys(self) -> list[str]:
        """Return the service keys that open internal endpoints, the present one first."""
        keys = [self.auth_key, self.auth_key_previous]
        return [key.get_secret_value() for key in keys if key and key.get_secret_value()]

    def secrets(self) -> list[str]:
        """Return the values that must never be logged."""
        return [*self.accepted_keys(), self.broker_url.get_secret_value()]
