"""An S3 server of the tests' own: moto as a process on a free port; it forgets its files when it ends."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

import boto3
import requests
from botocore.config import Config

from tests.support.processes import Proc, free_port
from tests.support.waiting import wait_for

BUCKET = "gm-files"
PREFIX = "tests"
ACCESS_KEY, SECRET_KEY = "access-key-of-tests", "secret-key-of-tests"


class S3Server:
    """A running server with an empty bucket."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(s3={"addressing_style": "path"}, connect_timeout=2, retries={"total_max_attempts": 1}),
        )
        self.start()

    @property
    def environment(self) -> dict[str, str]:
        """Return the settings that put a platform's files here."""
        return {
            "GM_FILE_STORE": f"s3://{BUCKET}/{PREFIX}",
            "GM_S3_ENDPOINT": self.url,
            "GM_S3_ACCESS_KEY": ACCESS_KEY,
            "GM_S3_SECRET_KEY": SECRET_KEY,
        }

    def settings(self) -> dict[str, str]:
        """Return the same as arguments of a settings class."""
        return {name.removeprefix("GM_").lower(): value for name, value in self.environment.items()}

    def start(self) -> None:
        """Start it, again if it was killed, with an empty bucket."""
        argv = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self._process = Proc("s3", argv, self._folder)
        wait_for(self._answers, 30, "the S3 server", not_yet=requests.RequestException)
        self.client.create_bucket(Bucket=BUCKET)

    def kill(self) -> None:
        """End it: whoever calls is refused."""
        self._process.kill()

    def empty(self) -> None:
        """Have it run without a file in it, whatever a test did to it."""
        if self._process.process.poll() is not None:
            self.start()
        for file in self.files():
            self.client.delete_object(Bucket=BUCKET, Key=f"{PREFIX}/{file}")

    def freeze(self) -> None:
        """Let it take calls and never answer."""
        self._process.send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._process.send(signal.SIGCONT)

    def stop(self) -> None:
        """End it."""
        self.kill()

    def files(self) -> list[str]:
        """Return the names of all kept files."""
        found = self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return [each["Key"].removeprefix(f"{PREFIX}/") for each in found]

    def put(self, file: str, content: bytes = b"PK") -> None:
        """Put a file there, as an earlier run would have."""
        self.client.put_object(Bucket=BUCKET, Key=f"{PREFIX}/{file}", Body=content)

    def requests(self, method: str) -> int:
        """Return how many requests of a method it has logged."""
        return self._process.text().count(f'"{method} ')

    def _answers(self) -> bool:
        assert self._process.process.poll() is None, self._process.text()[-2000:]
        return requests.get(f"{self.url}/moto-api/", timeout=2).ok
