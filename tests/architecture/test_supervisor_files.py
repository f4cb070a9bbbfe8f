"""What supervisor/ says agrees with the settings, the queue table, the servers' times and the documentation."""

from __future__ import annotations

import re
import shlex
from configparser import RawConfigParser
from importlib.util import find_spec
from pathlib import Path

import pytest

from gm_async_task.config import AsyncTaskSettings
from gm_service.config import ServiceSettings
from gm_task.config import TaskSettings
from gm_task.queues import QUEUES
from shared.settings import CommonSettings

ROOT = Path(__file__).resolve().parents[2]
SUPERVISOR = ROOT / "supervisor"
PROGRAM_FILES = sorted((SUPERVISOR / "programs").glob("*.conf"))
SLOTS = ("a", "b")
SHARED_WORDS = {
    "autorestart": "true",
    "stopsignal": "TERM",
    "stopasgroup": "false",
    "killasgroup": "true",
    "redirect_stderr": "true",
    "user": "%(ENV_GM_USER)s",
}
AFTER_THE_SOFT_LIMIT_SECONDS = 15


def _sections() -> dict[str, dict[str, str]]:
    parser = RawConfigParser()
    parser.read([SUPERVISOR / "gm.conf", *PROGRAM_FILES])
    return {name: dict(parser[name]) for name in parser.sections()}


PROGRAMS = {name.removeprefix("program:"): words for name, words in _sections().items() if "program:" in name}


@pytest.mark.parametrize("slot", SLOTS)
@pytest.mark.parametrize("queue", QUEUES)
def test_every_queue_has_a_program_in_each_slot(slot: str, queue: str) -> None:
    program = f"worker-{slot}-{queue}"

    assert program in _sections()[f"group:workers-{slot}"]["programs"].split(",")
    assert PROGRAMS[program]["environment"] == f"GM_WORKER_QUEUES='[\"{queue}\"]'"


def test_no_program_serves_a_queue_that_is_gone() -> None:
    served = {name.split("-", 2)[2] for name in PROGRAMS if name.startswith("worker-")}

    assert served == set(QUEUES)


@pytest.mark.parametrize("name", ["workers", "gm_service"])
def test_slots_differ_in_their_letter_alone(name: str) -> None:
    first, second = ((SUPERVISOR / "programs" / f"{name}-{slot}.conf").read_text() for slot in SLOTS)

    assert re.sub(r"(-|slot |_)b\b", r"\1a", second.replace("_B)", "_A)")).replace("worker-b", "worker-a") == first


@pytest.mark.parametrize("program", PROGRAMS)
def test_program_is_ended_and_logged_as_all_are(program: str) -> None:
    words = PROGRAMS[program]

    assert SHARED_WORDS.items() <= words.items()
    assert words["stdout_logfile"].startswith("%(ENV_GM_RUN_DIR)s/logs/%(program_name)s")
    assert re.fullmatch(r"\d+MB", words["stdout_logfile_maxbytes"]) and int(words["stdout_logfile_backups"]) >= 1


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_a_program_runs_exists(program: str) -> None:
    run, slot, dashes, *arguments = shlex.split(PROGRAMS[program]["command"])
    module = find_spec(arguments[1])
    own = [word for word in arguments[2:] if word.startswith("gm_")]

    assert (run, dashes, arguments[0]) == ("%(ENV_GM_ETC)s/run", "--", "-m")
    assert module is not None
    assert slot in ("gm_async_task", "gm_service-a", "gm_service-b", "slot-a", "slot-b")
    assert all((ROOT / word).exists() or find_spec(word.split(":")[0]) for word in own)


@pytest.mark.parametrize("program", [name for name in PROGRAMS if name.startswith("worker-")])
def test_workers_have_time_for_their_runs_to_end(program: str) -> None:
    fields = TaskSettings.model_fields
    soft_limit = fields["stop_grace_seconds"].default + fields["return_grace_seconds"].default

    assert float(PROGRAMS[program]["stopwaitsecs"]) >= soft_limit + AFTER_THE_SOFT_LIMIT_SECONDS


@pytest.mark.parametrize("service", ["gm_async_task", "gm_service"])
def test_services_have_time_for_their_requests_to_end(service: str) -> None:
    graceful = re.search(r"^graceful_timeout = (\d+)", (ROOT / service / "gunicorn.conf.py").read_text(), re.MULTILINE)
    uwsgi = re.search(r"^worker-reload-mercy = (\d+)", (ROOT / "gm_async_task" / "uwsgi.ini").read_text(), re.MULTILINE)
    programs = [words for name, words in PROGRAMS.items() if name.startswith(service)]

    assert graceful is not None and uwsgi is not None
    assert programs
    for words in programs:
        assert int(words["stopwaitsecs"]) > max(int(graceful[1]), int(uwsgi[1]))


def test_every_variable_is_a_setting_or_explained() -> None:
    texts = [path.read_text() for path in SUPERVISOR.rglob("*") if path.is_file()]
    texts.append((ROOT / "gm_async_task" / "uwsgi.ini").read_text())
    named = {name for text in texts for name in re.findall(r"\b(?:ENV_)?(GM_[A-Z_]+[A-Z])\b", text)}
    kinds = (CommonSettings, AsyncTaskSettings, ServiceSettings, TaskSettings)
    settings = {f"GM_{field.upper()}" for kind in kinds for field in kind.model_fields}
    explained = set(re.findall(r"`(GM_[A-Z_]+)`", (ROOT / "docs" / "operations.md").read_text()))
    explained |= set(re.findall(r"`(GM_[A-Z_]+)`", (ROOT / "README.md").read_text()))

    assert {name for name in named - settings - explained if not name.startswith("GM_START_")} == set()


def test_start_tells_what_the_programs_ask_for() -> None:
    used = {name for path in PROGRAM_FILES for name in re.findall(r"ENV_(GM_[A-Z_]+)", path.read_text())}
    told = set(re.findall(r"^(GM_[A-Z_]+)=", (SUPERVISOR / "start").read_text(), re.MULTILINE))
    told |= set(re.findall(r"^(GM_[A-Z_]+)=", (SUPERVISOR / "supervisor.env").read_text(), re.MULTILINE))

    assert used <= told
