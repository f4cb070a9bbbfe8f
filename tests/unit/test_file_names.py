"""How files are named, and which store the settings name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from shared.files.folder import FolderStore
from shared.files.names import is_in, is_of_older_run
from shared.files.store import open_file_store
from shared.settings import CommonSettings

KEY = "k" * 32


def make_settings(folder: Path, **changes: Any) -> CommonSettings:
    return CommonSettings(_env_file=None, auth_key=KEY, broker_url="doorbell:///x", files_dir=folder, **changes)


@pytest.mark.parametrize(
    ("file", "is_there"),
    [
        ("export/12.1.xlsx", True),
        ("export/订单.xlsx", True),
        ("sync/12.1.xlsx", False),
        ("export/sub/12.1.xlsx", False),
        ("export/../sync/x", False),
        ("export/..", False),
        ("export/", False),
        ("export", False),
        ("/export/x", False),
        ("export//x", False),
        ("./export/x", False),
        ("", False),
    ],
)
def test_file_is_in_its_folder_or_nowhere(file: str, is_there: bool) -> None:
    assert is_in("export", file) is is_there


@pytest.mark.parametrize(
    ("name", "is_older"),
    [
        ("12.1.xlsx", True),
        (".12.1.x7.tmp", True),
        ("12.2.xlsx", False),
        ("12.10.xlsx", False),
        ("120.1.xlsx", False),
        ("12", False),
        ("12.x.1", False),
        ("a.1.xlsx", False),
    ],
)
def test_older_run_is_read_from_the_name(name: str, is_older: bool) -> None:
    assert is_of_older_run(name, task_id=12, run_count=2) is is_older


@pytest.mark.parametrize(
    "address", ["s3:/bucket", "s3://", "s3://B", "s3://-a/x", "gs://bucket", "/srv/gm", "s3://b?x"]
)
def test_address_that_names_no_store_is_refused_at_start(tmp_path: Path, address: str) -> None:
    with pytest.raises(ValidationError, match="s3://bucket/prefix"):
        make_settings(tmp_path, file_store=address)


def test_files_stay_in_the_folder_where_nothing_else_is_said(tmp_path: Path) -> None:
    assert isinstance(open_file_store(make_settings(tmp_path)), FolderStore)


def test_secret_of_the_store_is_masked_in_logs(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, s3_access_key="access-key", s3_secret_key="secret-key")

    assert {"access-key", "secret-key"} <= set(settings.secrets())


def test_services_load_boto3_only_for_a_store_that_needs_it() -> None:
    program = "import sys, gm_service.app, gm_task.app; sys.exit('boto3' in sys.modules or 'botocore' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
