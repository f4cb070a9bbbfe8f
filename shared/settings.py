"""Settings that several services share; each service adds its own in its config.py.

Read once, in the service's factory, from the environment (prefix `GM_`) and a `.env` file.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.release import present_release

MIN_KEY_CHARACTERS = 32


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
    metrics_key: SecretStr | None = Field(
        default=None, description="opens /metrics as a bearer token; without it only this machine itself may read it"
    )
    broker_url: SecretStr = Field(description="`doorbell:///file` (embedded), `amqp://...` (RabbitMQ) or `redis://...`")
    files_dir: Path = Field(
        description="folder of exports that gm_task, gm_service and nginx share; with GM_FILE_STORE on S3 each host's "
        "own scratch folder"
    )
    file_store: str = Field(
        default="", description="where finished exports are kept: `s3://bucket/prefix`; empty: in GM_FILES_DIR"
    )
    s3_endpoint: str = Field(default="", description="address of the S3-compatible store; empty: AWS")
    s3_public_endpoint: str = Field(
        default="", description="address by which browsers reach the store; empty: as GM_S3_ENDPOINT"
    )
    s3_region: str = Field(default="us-east-1", description="region of the store")
    s3_access_key: SecretStr | None = Field(
        default=None, description="access key of the store; empty: AWS_* variables, profiles, instance roles"
    )
    s3_secret_key: SecretStr | None = Field(default=None, description="secret of GM_S3_ACCESS_KEY")
    timezone: str = Field(default="Asia/Shanghai", description="zone in which datetimes without offset are read")
    language: Literal["en", "zh"] = Field(default="en", description="language where the reader's is not known")
    log_level: str = Field(default="INFO", description="least level that is logged")
    release: str = Field(
        default="",
        max_length=64,
        pattern=r"^(\S(.*\S)?)?$",
        description="name of the release that runs, as workers show it; empty: the package's version",
    )
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

    @field_validator("file_store")
    @classmethod
    def _store_is_known(cls, address: str) -> str:
        if address and not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._/-]*)?", address):
            raise ValueError("it must be empty or s3://bucket/prefix")
        return address

    @model_validator(mode="after")
    def _keys_are_long(self) -> Self:
        metrics_key = self.metrics_key.get_secret_value() if self.metrics_key else ""
        for key in [*self.accepted_keys(), *([metrics_key] if metrics_key else [])]:
            if self.environment == "production" and len(key) < MIN_KEY_CHARACTERS:
                raise ValueError(
                    f"a service or metrics key needs at least {MIN_KEY_CHARACTERS} characters outside development"
                )
        return self

    @property
    def present_release(self) -> str:
        """The release that runs."""
        return present_release(self.release)

    @property
    def zone(self) -> ZoneInfo:
        """The configured time zone."""
        return ZoneInfo(self.timezone)

    def accepted_keys(self) -> list[str]:
        """Return the service keys that open internal endpoints, the present one first."""
        keys = [self.auth_key, self.auth_key_previous]
        return [key.get_secret_value() for key in keys if key and key.get_secret_value()]

    def secrets(self) -> list[str]:
        """Return the values that must never be logged."""
        own = (self.broker_url, self.metrics_key, self.s3_access_key, self.s3_secret_key)
        return [*self.accepted_keys(), *(secret.get_secret_value() for secret in own if secret)]
