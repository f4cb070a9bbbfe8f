"""Settings that several services share; each service adds its own in its config.py.

Read once, in the service's factory, from the environment (prefix `GM_`), a `.env` file, and the files in
GM_SECRETS_DIR; the first that names a setting decides.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

from shared.profiling.ways import ProfileWay
from shared.release import present_release
from shared.secret_files import SECRETS_DIR

MIN_KEY_CHARACTERS = 32
SignedCalls = Literal["off", "send", "require"]
# What was given may be a secret: an error quotes none of it.
FROM_ENVIRONMENT = SettingsConfigDict(
    env_prefix="GM_", env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True
)
"""how every class of settings reads them"""


class CommonSettings(BaseSettings):
    """What every service is told in the same words."""

    model_config = FROM_ENVIRONMENT

    secrets_dir: Path | None = Field(
        default=None,
        description="folder of files named as settings, such as `gm_auth_key`; environment alone, not `.env`",
    )
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
    profile_dir: Path | None = Field(
        default=None, description="folder of profiles, the same for all processes of a host; empty: none by switch"
    )
    profile_key: SecretStr | None = Field(
        default=None,
        description="operator's key: lets `X-Profile` profile a request, and people profile a task on its page; "
        "without it nobody does",
    )
    profile_every: dict[str, int] = Field(
        default={},
        description='every n-th call is profiled, JSON: {"POST /station/*": 100, "gm_task.functions.orders.*": 10}',
    )
    profile_way: ProfileWay = Field(
        default="sample", description="how those are: `ledger` (SQL alone), `sample`, `cprofile` or `memory`"
    )
    profile_max_mib: int = Field(default=256, ge=1, description="size of GM_PROFILE_DIR; the oldest files go first")
    profile_max_days: float = Field(default=7.0, gt=0, description="age at which profiles are removed")
    profile_decorated: bool = Field(
        default=False, description="profile each call of functions that are decorated for it"
    )
    max_body_bytes: int = Field(default=2 * 1024 * 1024, ge=1024, description="largest ordinary request body")
    max_batch_body_bytes: int = Field(
        default=8 * 1024 * 1024,
        ge=1024,
        description="largest body of the requests that carry a batch of rows; MariaDB's max_allowed_packet (16 MiB by "
        "default) must be twice as large",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 of a folder that is known at import
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Look into the folder of secrets last."""
        folder = os.environ.get(SECRETS_DIR)
        files = [SecretsSettingsSource(settings_cls, secrets_dir=folder)] if folder else []
        return (init_settings, env_settings, dotenv_settings, *files)

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, OSError) as error:
            raise ValueError("no zone of that name, such as Asia/Shanghai, is known") from error
        return name

    @field_validator("log_level")
    @classmethod
    def _level_is_known(cls, name: str) -> str:
        if name not in logging.getLevelNamesMapping():
            raise ValueError("it must be DEBUG, INFO, WARNING, ERROR or CRITICAL")
        return name

    @field_validator("file_store")
    @classmethod
    def _store_is_known(cls, address: str) -> str:
        if address and not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._/-]*)?", address):
            raise ValueError("it must be empty or s3://bucket/prefix")
        return address

    @model_validator(mode="after")
    def _keys_are_long(self) -> Self:
        further = [key.get_secret_value() for key in (self.metrics_key, self.profile_key) if key]
        for key in [*self.accepted_keys(), *filter(None, further)]:
            if self.environment == "production" and len(key) < MIN_KEY_CHARACTERS:
                raise ValueError(
                    f"a service, metrics or profile key needs at least {MIN_KEY_CHARACTERS} characters outside "
                    "development"
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

    @property
    def signs_calls(self) -> bool:
        """Whether this service signs the calls that it makes."""
        return self.signed_calls != "off"

    def accepted_keys(self) -> list[str]:
        """Return the service keys that open internal endpoints, the present one first."""
        keys = [self.auth_key, self.auth_key_previous]
        return [key.get_secret_value() for key in keys if key and key.get_secret_value()]

    def bare_keys(self) -> list[str]:
        """Return the service keys that open something as they are: none where calls must be signed."""
        return [] if self.signed_calls == "require" else self.accepted_keys()

    def secrets(self) -> list[str]:
        """Return the values that must never be logged."""
        own = (self.broker_url, self.metrics_key, self.profile_key, self.s3_access_key, self.s3_secret_key)
        return [*self.accepted_keys(), *(secret.get_secret_value() for secret in own if secret)]
