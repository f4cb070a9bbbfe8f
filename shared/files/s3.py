"""Files are made in files_dir as a scratch folder and brought to an S3-compatible store whole.

The store has a file wholly or not at all: it appears when its upload is complete. Every body is signed with its sha256
(SigV4), which the store checks. botocore repeats a call once, for connections that died unused; who waits longer
says so in `keep`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import boto3.session
import structlog
from boto3.s3.transfer import ProgressCallbackInvoker, TransferConfig, create_transfer_manager
from botocore.client import BaseClient
from botocore.config import Config

from shared.errors import FileGone, FileStoreAway, FileStoreRefused
from shared.files.aging import UNFINISHED_SECONDS, remove_old_files
from shared.files.names import is_in, is_of_older_run
from shared.files.s3_errors import StoppedUpload, store_errors
from shared.files.store import HandedAs, never
from shared.retry import Patience, call_patiently
from shared.settings import CommonSettings

log = structlog.get_logger(__name__)

LINK_SECONDS = 600
"""how long an address of a file can be used"""
_PART_BYTES = 8 * 1024 * 1024
_KEYS_A_TIME = 1000
"""the most that one call lists or deletes"""
_CLEAR_EVERY_SECONDS = 60.0
_REST_SECONDS = 60.0
"""after a failure nothing is cleared for so long, so that exports don't wait for a store that is away"""
_CHATTY_LOGGERS = ("boto3", "botocore", "s3transfer", "urllib3")
"""their debug lines quote signed requests"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the store the files are."""

    bucket: str
    prefix: str

    @classmethod
    def parse(cls, address: str) -> Place:
        """Read `s3://bucket/prefix`."""
        bucket, _, prefix = address.removeprefix("s3://").partition("/")
        return cls(bucket, f"{prefix.strip('/')}/" if prefix.strip("/") else "")

    def key(self, file: str) -> str:
        """Return the object's key."""
        return self.prefix + file


def open_s3_store(settings: CommonSettings) -> S3Store:
    """Return the store that the settings name; boto3 finds credentials its usual ways where they name none."""
    for name in _CHATTY_LOGGERS:
        logging.getLogger(name).setLevel(max(logging.INFO, logging.getLogger(name).level))
    session = boto3.session.Session()
    public = settings.s3_public_endpoint or settings.s3_endpoint
    return S3Store(
        _make_client(session, settings, settings.s3_endpoint),
        Place.parse(settings.file_store),
        settings.files_dir,
        transfers=_make_client(session, settings, settings.s3_endpoint, read_seconds=10),
        links=_make_client(session, settings, public),
    )


def _make_client(
    session: boto3.session.Session, settings: CommonSettings, endpoint: str, read_seconds: int = 2
) -> BaseClient:
    access, secret = settings.s3_access_key, settings.s3_secret_key
    return session.client(
        "s3",
        endpoint_url=endpoint or None,
        region_name=settings.s3_region,
        aws_access_key_id=access.get_secret_value() if access else None,
        aws_secret_access_key=secret.get_secret_value() if secret else None,
        config=Config(
            connect_timeout=2,
            read_timeout=read_seconds,
            retries={"mode": "standard", "total_max_attempts": 2},
            signature_version="s3v4",
            # Other stores than AWS seldom have a host name for each bucket.
            s3={"addressing_style": "path" if endpoint else "auto", "payload_signing_enabled": True},
            # Newer headers, which not every store knows; the signature covers the bytes already.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


class Clock(Protocol):
    """Counts seconds."""

    def __call__(self) -> float: ...


class S3Store:
    """See `FileStore`. Safe to use from several threads, as boto3's clients are."""

    def __init__(
        self,
        client: Any,
        place: Place,
        scratch: Path,
        *,
        transfers: Any = None,
        links: Any = None,
        clock: Clock = time.monotonic,
    ) -> None:
        """`transfers` waits longer; `links` signs addresses for people, who may reach the store by another name."""
        self._client = client
        self._transfers = transfers or client
        self._links = links or client
        self._place = place
        self._scratch = scratch
        self._clock = clock
        self._clear_at: dict[str, float] = {}
        self._cleared_until: dict[str, str] = {}
        self._rests_until = 0.0

    def keep(self, file: str, *, sha256: str = "", seconds: float = 0.0, given_up: Callable[[], bool] = never) -> None:
        """Upload it and remove it here; where it can't be kept, it is removed all the same."""
        path = self._scratch / file
        try:
            call_patiently(
                lambda: self._upload(path, file, sha256, given_up),
                Patience(seconds, first_delay_seconds=0.5, longest_delay_seconds=5.0),
                event="upload",
                given_up=given_up,
            )
        finally:
            path.unlink(missing_ok=True)
            remove_old_files(path.parent, time.time(), UNFINISHED_SECONDS)  # of runs killed on this host

    def require(self, file: str, folder: str) -> None:
        """Ask the store, at the price of one call: its own refusal would be XML, in no language of ours."""
        if not is_in(folder, file):
            raise FileGone()
        with store_errors(missing=FileGone()):
            self._client.head_object(Bucket=self._place.bucket, Key=self._place.key(file))

    def link(self, file: str, handed: HandedAs) -> str | None:
        """Sign an address; it covers the method, the file and what the store says of it."""
        with store_errors():
            return str(
                self._links.generate_presigned_url(
                    "head_object" if handed.method == "HEAD" else "get_object",
                    Params={
                        "Bucket": self._place.bucket,
                        "Key": self._place.key(file),
                        "ResponseContentType": handed.content_type,
                        "ResponseContentDisposition": handed.content_disposition,
                        "ResponseCacheControl": "private, no-store",
                    },
                    ExpiresIn=LINK_SECONDS,
                )
            )

    def remove(self, files: Iterable[str]) -> list[str]:
        """Delete up to a thousand in one call."""
        by_key = {self._place.key(file): file for file in files}
        return [by_key[key] for key in self._clear(lambda: self._delete(list(by_key)))]

    def remove_old(self, folder: str, now: float, keep_seconds: float) -> int:
        """Look through the next thousand files, once a minute at most: a listing is by name, not by age."""
        if self._clock() < self._clear_at.get(folder, 0.0):
            return 0
        self._clear_at[folder] = self._clock() + _CLEAR_EVERY_SECONDS
        return len(self._clear(lambda: self._delete_old(folder, now - keep_seconds)))

    def remove_older_runs(self, folder: str, task_id: int, run_count: int) -> None:
        """See `FileStore`."""
        if run_count > 1:
            self._clear(lambda: self._delete_older_runs(f"{folder}/{task_id}.", task_id, run_count))

    def _clear(self, delete: Callable[[], list[str]]) -> list[str]:
        """Return what was deleted; what can't be fails nothing that came along, and rests for a while."""
        if self._clock() < self._rests_until:
            return []
        try:
            return delete()
        except (FileStoreAway, FileStoreRefused) as error:
            self._rests_until = self._clock() + _REST_SECONDS
            log.warning("old_files_kept", problem=str(error))
            return []

    def _delete_old(self, folder: str, before: float) -> list[str]:
        found, self._cleared_until[folder] = self._list(f"{folder}/", self._cleared_until.get(folder, ""))
        return self._delete([each["Key"] for each in found if each["LastModified"].timestamp() < before])

    def _delete_older_runs(self, beginning: str, task_id: int, run_count: int) -> list[str]:
        keys = [each["Key"] for each in self._list(beginning)[0]]
        return self._delete([key for key in keys if is_of_older_run(key.rpartition("/")[2], task_id, run_count)])

    def _upload(self, path: Path, file: str, sha256: str, given_up: Callable[[], bool]) -> None:
        # One thread: a stop is seen between two reads, and memory holds one part.
        config = TransferConfig(use_threads=False, multipart_threshold=_PART_BYTES, multipart_chunksize=_PART_BYTES)

        def watch(_sent: int) -> None:
            if given_up():
                raise StoppedUpload

        with store_errors(), create_transfer_manager(self._transfers, config) as manager:
            manager.upload(
                str(path),
                self._place.bucket,
                self._place.key(file),
                extra_args={"Metadata": {"sha256": sha256}} if sha256 else {},
                subscribers=[ProgressCallbackInvoker(watch)],
            ).result()
        log.info("file_kept", file=file)

    def _list(self, beginning: str, after: str = "") -> tuple[list[Any], str]:
        """Return up to a thousand objects behind the key `after`, and where to go on; empty at the end."""
        with store_errors():
            page = self._client.list_objects_v2(
                Bucket=self._place.bucket, Prefix=self._place.key(beginning), StartAfter=after, MaxKeys=_KEYS_A_TIME
            )
        found = page.get("Contents", [])
        return found, found[-1]["Key"] if found and page.get("IsTruncated") else ""

    def _delete(self, keys: list[str]) -> list[str]:
        """Delete objects; return the keys that are gone."""
        if not keys:
            return []
        objects = [{"Key": key} for key in keys[:_KEYS_A_TIME]]
        with store_errors():
            answer = self._client.delete_objects(Bucket=self._place.bucket, Delete={"Objects": objects, "Quiet": True})
        kept = {each.get("Key"): each.get("Code") for each in answer.get("Errors", [])}
        for key, code in kept.items():
            log.warning("old_file_kept", file=key, problem=code)
        return [each["Key"] for each in objects if each["Key"] not in kept]
