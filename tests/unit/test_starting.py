"""What an operator reads when a program can't start."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field

from shared.broker.settings import check_broker_url
from shared.database import DatabaseRefused, make_engine
from shared.migrate import upgrade
from shared.settings import CommonSettings
from shared.starting import CANNOT_START, starting

SECRET = "a-secret-that-is-short"


class NumberSettings(CommonSettings):
    """Settings of which two can't be given anyhow."""

    pause_seconds: float = 1
    names: list[str] = Field(default=[])


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GM_SECRETS_DIR", raising=False)
    for name, value in {"AUTH_KEY": "k" * 40, "BROKER_URL": "doorbell:///x", "FILES_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(f"GM_{name}", value)


def say_why(capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended, starting("gm_task"):
        NumberSettings()
    assert ended.value.code == CANNOT_START
    return capsys.readouterr().err


def test_settings_that_are_missing_are_named_as_operators_write_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GM_BROKER_URL")
    monkeypatch.delenv("GM_FILES_DIR")

    assert say_why(capsys) == (
        "gm_task does not start: GM_BROKER_URL is missing; GM_FILES_DIR is missing; "
        "docs/operations.md lists every setting.\n"
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("GM_AUTH_KEY", SECRET, "at least 32 characters"),
        ("GM_PAUSE_SECONDS", SECRET, "GM_PAUSE_SECONDS: Input should be a valid number"),
        ("GM_NAMES", SECRET, "GM_NAMES is no JSON"),
        ("GM_LOG_LEVEL", SECRET, "GM_LOG_LEVEL: it must be DEBUG, INFO"),
        ("GM_TIMEZONE", SECRET, "GM_TIMEZONE: no zone of that name"),
    ],
)
def test_wrong_value_is_told_of_and_not_quoted(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)

    why = say_why(capsys)

    assert said in why
    assert SECRET[:8] not in why
    assert why.count("\n") == 1


def test_error_of_settings_quotes_no_value_where_somebody_else_prints_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GM_FILES_DIR")

    with pytest.raises(ValueError, match="files_dir") as refused:
        CommonSettings()

    assert "kkkk" not in str(refused.value)


@pytest.mark.parametrize(
    "address",
    [f"mysq://u:{SECRET}@h/x", f"u:{SECRET}@h", f"mysql://u:{SECRET}@h/x", f"mysql+pymysql://u:{SECRET}@h:port/x", ""],
)
def test_address_of_no_known_database_is_refused_without_its_password(address: str) -> None:
    with pytest.raises(DatabaseRefused, match=r"mysql\+pymysql://") as refused:
        make_engine(address)

    assert SECRET not in str(refused.value)


def test_migration_says_why_the_database_does_not_let_it_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/no-such-folder/tasks.db")

    with pytest.raises(SystemExit), starting("gm_async_task.migrate"):
        upgrade(engine, tmp_path, None, "versions")  # type: ignore[arg-type]

    assert capsys.readouterr().err == (
        "gm_async_task.migrate does not start: The database can't be used: unable to open database file.\n"
    )


def test_broker_that_is_refused_is_a_sentence_too(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), starting("gm_service"):
        check_broker_url(f"sentinel://u:{SECRET}@h/0")

    assert capsys.readouterr().err.startswith("gm_service does not start: The broker sentinel:// is refused")
