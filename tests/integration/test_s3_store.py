"""The S3 store through real boto3 against a server process."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from shared.errors import FileGone, FileStoreAway, FileStoreRefused
from shared.files.s3 import S3Store, open_s3_store
from shared.files.store import FileStore, HandedAs, open_file_store
from tests.support.s3 import BUCKET, PREFIX, S3Server
from tests.unit.test_file_names import make_settings

XLSX = HandedAs("text/csv; charset=utf-8", "attachment; filename=\"__.csv\"; filename*=UTF-8''%E8%AE%A2%E5%8D%95.csv")
DAY = 86_400.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    running = S3Server(tmp_path_factory.mktemp("s3"))
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def empty(server: S3Server) -> None:
    server.empty()


@pytest.fixture
def store(server: S3Server, tmp_path: Path) -> FileStore:
    return open_store(server, tmp_path)


def open_store(server: S3Server, scratch: Path, **changes: Any) -> FileStore:
    return open_file_store(make_settings(scratch, **{**server.settings(), **changes}))


def make_file(scratch: Path, file: str, content: bytes = b"PK content") -> Path:
    path = scratch / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def body(server: S3Server, file: str) -> bytes:
    content: bytes = server.client.get_object(Bucket=BUCKET, Key=f"{PREFIX}/{file}")["Body"].read()
    return content


def test_kept_file_is_in_the_store_and_no_longer_here(server: S3Server, store: FileStore, tmp_path: Path) -> None:
    path = make_file(tmp_path, "export/1.1.xlsx")

    store.keep("export/1.1.xlsx", sha256="abc")

    assert body(server, "export/1.1.xlsx") == b"PK content"
    assert server.client.head_object(Bucket=BUCKET, Key="tests/export/1.1.xlsx")["Metadata"] == {"sha256": "abc"}
    assert not path.exists()


def test_large_file_goes_in_parts_and_arrives_whole(server: S3Server, store: FileStore, tmp_path: Path) -> None:
    content = os.urandom(20 * 1024 * 1024)
    make_file(tmp_path, "export/1.1.xlsx", content)

    store.keep("export/1.1.xlsx")

    assert hashlib.sha256(body(server, "export/1.1.xlsx")).digest() == hashlib.sha256(content).digest()
    assert server.client.head_object(Bucket=BUCKET, Key="tests/export/1.1.xlsx")["ETag"].strip('"').endswith("-3")


def test_upload_that_is_given_up_midway_leaves_nothing(server: S3Server, store: FileStore, tmp_path: Path) -> None:
    path = make_file(tmp_path, "export/1.1.xlsx", os.urandom(20 * 1024 * 1024))
    parts = server.requests("PUT")

    with pytest.raises(FileStoreAway):
        store.keep("export/1.1.xlsx", seconds=60, given_up=lambda: server.requests("PUT") > parts)

    assert (server.files(), path.exists()) == ([], False)
    assert "Uploads" not in server.client.list_multipart_uploads(Bucket=BUCKET)


def test_store_that_is_away_is_waited_for(server: S3Server, tmp_path: Path) -> None:
    path = make_file(tmp_path, "export/1.1.xlsx")
    away = S3Server(tmp_path)
    store = open_store(away, tmp_path)
    away.kill()
    asked = []

    def come_back() -> bool:
        asked.append(1)
        if len(asked) == 3:
            away.start()
        return False

    store.keep("export/1.1.xlsx", seconds=60, given_up=come_back)

    assert (away.files(), path.exists()) == (["export/1.1.xlsx"], False)
    away.stop()


def test_store_that_stays_away_is_said_to_be(tmp_path: Path) -> None:
    path = make_file(tmp_path, "export/1.1.xlsx")
    gone = S3Server(tmp_path)
    gone.kill()
    store = open_store(gone, tmp_path)

    with pytest.raises(FileStoreAway):
        store.keep("export/1.1.xlsx")
    with pytest.raises(FileStoreAway):
        store.require("export/1.1.xlsx", "export")

    assert not path.exists()
    assert (store.remove(["sync/a.csv"]), store.remove_old("export", time.time(), DAY)) == ([], 0)


def test_refusal_names_what_the_store_said(server: S3Server, tmp_path: Path) -> None:
    make_file(tmp_path, "export/1.1.xlsx")
    store = open_store(server, tmp_path, file_store="s3://no-such-bucket/x")

    with pytest.raises(FileStoreRefused, match="NoSuchBucket"):
        store.keep("export/1.1.xlsx", seconds=60)


def test_file_is_there_only_in_its_folder(server: S3Server, store: FileStore) -> None:
    server.put("export/1.1.xlsx")

    store.require("export/1.1.xlsx", "export")
    for file, folder in (
        ("export/1.1.xlsx", "sync"),
        ("export/2.1.xlsx", "export"),
        ("export/../export/1.1.xlsx", "export"),
    ):
        with pytest.raises(FileGone):
            store.require(file, folder)


def test_address_hands_the_file_over_and_goes_on_where_it_stopped(server: S3Server, store: FileStore) -> None:
    server.put("export/1.1.xlsx", b"PK content")

    link = store.link("export/1.1.xlsx", XLSX)
    assert link is not None
    whole, rest = requests.get(link, timeout=5), requests.get(link, headers={"Range": "bytes=3-"}, timeout=5)

    assert (whole.content, rest.status_code, rest.content) == (b"PK content", 206, b"content")
    assert whole.headers["Content-Type"] == XLSX.content_type
    assert whole.headers["Content-Disposition"] == XLSX.content_disposition
    assert whole.headers["Cache-Control"] == "private, no-store"
    assert "X-Amz-Expires=600" in link


def test_address_is_signed_for_its_method(server: S3Server, store: FileStore) -> None:
    """A store compares the signature, which covers the method; this server does not."""
    get, head = (store.link("export/1.1.xlsx", HandedAs("a/b", "attachment", method)) for method in ("GET", "HEAD"))

    assert str(get).rpartition("Signature=")[2] != str(head).rpartition("Signature=")[2]


def test_people_get_the_address_that_they_can_reach(server: S3Server, tmp_path: Path) -> None:
    store = open_store(server, tmp_path, s3_public_endpoint="https://files.example")

    link = store.link("export/1.1.xlsx", XLSX)

    assert str(link).startswith("https://files.example/gm-files/tests/export/1.1.xlsx?")


def test_files_are_removed_in_one_call(server: S3Server, store: FileStore) -> None:
    server.put("sync/a.csv")

    removed = store.remove(["sync/a.csv", "sync/never.csv"])

    assert (sorted(removed), server.files()) == (["sync/a.csv", "sync/never.csv"], [])


def test_old_files_are_removed_by_their_age(server: S3Server, store: FileStore) -> None:
    for file in ("export/1.1.xlsx", "export/2.1.xlsx", "sync/a.csv"):
        server.put(file)

    young = store.remove_old("sync", time.time(), 7 * DAY)
    old = store.remove_old("export", time.time() + 8 * DAY, 7 * DAY)

    assert (young, old, server.files()) == (0, 2, ["sync/a.csv"])


def test_old_files_are_looked_for_once_a_minute_a_thousand_at_a_time(server: S3Server, tmp_path: Path) -> None:
    for number in range(1002):
        server.put(f"export/{number:04}.1.xlsx", b"")
    now = [0.0]
    opened = open_s3_store(make_settings(tmp_path, **server.settings()))
    store = S3Store(opened._client, opened._place, tmp_path, clock=lambda: now[0])

    def look(later: float) -> int:
        now[0] += later
        return store.remove_old("export", time.time() + 8 * DAY, 7 * DAY)

    assert [look(0), look(59), look(2), look(61)] == [1000, 0, 2, 0]


def test_files_of_older_runs_are_removed(server: S3Server, store: FileStore) -> None:
    for name in ("7.1.xlsx", "7.2.xlsx", "7.3.xlsx", "70.1.xlsx"):
        server.put(f"export/{name}")

    store.remove_older_runs("export", 7, 2)

    assert server.files() == ["export/7.2.xlsx", "export/7.3.xlsx", "export/70.1.xlsx"]


def test_what_killed_runs_left_on_this_host_is_removed(store: FileStore, tmp_path: Path) -> None:
    make_file(tmp_path, "export/2.1.xlsx")
    left = [make_file(tmp_path, "export/1.1.xlsx"), make_file(tmp_path, "export/.1.2.x.tmp/1.2.xlsx")]
    for path in (*left, left[1].parent):
        os.utime(path, (time.time() - 2 * DAY,) * 2)

    store.keep("export/2.1.xlsx")

    assert list((tmp_path / "export").iterdir()) == []


def test_secrets_of_the_store_stay_out_of_what_is_logged(
    server: S3Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    secret = "very-" + "secret" * 4
    store = open_store(server, tmp_path, s3_secret_key=SecretStr(secret))
    make_file(tmp_path, "export/1.1.xlsx")

    store.keep("export/1.1.xlsx")
    link = str(store.link("export/1.1.xlsx", XLSX))

    assert secret not in caplog.text and "Signature=" not in caplog.text and secret not in link


def test_bucket_is_made_where_it_is_missing(server: S3Server, tmp_path: Path) -> None:
    own = {"GM_FILE_STORE": "s3://gm-made/x", "GM_AUTH_KEY": "k" * 32, "GM_BROKER_URL": "doorbell:///x"}
    environment = {**os.environ, **server.environment, **own, "GM_FILES_DIR": str(tmp_path)}

    argv = [sys.executable, "-m", "shared.files.make_bucket"]
    runs = [subprocess.run(argv, env=environment, capture_output=True, text=True, check=False) for _ in range(2)]

    assert [run.returncode for run in runs] == [0, 0]
    assert ["bucket_made" in run.stderr for run in runs] == [True, False]
    assert "gm-made" in [each["Name"] for each in server.client.list_buckets()["Buckets"]]
