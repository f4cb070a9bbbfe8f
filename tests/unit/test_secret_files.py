"""Settings that are handed over as files, one each."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.secret_files import read_secret_files
from shared.settings import CommonSettings

KEY = "k" * 40


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in {"gm_auth_key": f"{KEY}\n", "gm_broker_url": "doorbell:///x\n", "other": "left alone"}.items():
        (tmp_path / name).write_text(value)
    for name in ("GM_AUTH_KEY", "GM_BROKER_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GM_SECRETS_DIR", str(tmp_path))
    return tmp_path


def make_settings() -> CommonSettings:
    return CommonSettings(_env_file=None, files_dir=Path("/nowhere"))


def test_setting_is_read_from_its_file(folder: Path) -> None:
    assert make_settings().accepted_keys() == [KEY]


def test_environment_outweighs_a_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GM_AUTH_KEY", "e" * 40)

    assert make_settings().accepted_keys() == ["e" * 40]


def test_setting_that_is_nowhere_is_missed(folder: Path) -> None:
    (folder / "gm_auth_key").unlink()

    with pytest.raises(ValidationError, match="auth_key"):
        make_settings()


def test_scripts_are_given_the_files_as_variables(folder: Path) -> None:
    read = read_secret_files({"GM_SECRETS_DIR": str(folder)})

    assert read == {"GM_AUTH_KEY": KEY, "GM_BROKER_URL": "doorbell:///x"}


@pytest.mark.parametrize("environment", [{}, {"GM_SECRETS_DIR": ""}, {"GM_SECRETS_DIR": "/no/such/folder"}])
def test_no_folder_holds_no_secrets(environment: dict[str, str]) -> None:
    assert read_secret_files(environment) == {}
