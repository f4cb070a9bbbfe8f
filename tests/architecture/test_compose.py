"""Dockerfile and docker-compose.yml agree with the code, the settings and each other; no engine is needed to ask."""

from __future__ import annotations

import importlib.util
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gm_async_task.config import AsyncTaskSettings
from gm_service.config import ServiceSettings
from gm_task.config import TaskSettings
from shared.settings import CommonSettings
from tests.support.images import (
    COMPOSE,
    ROOT,
    compose_variables,
    modules_of,
    read_compose,
    read_stages,
    secret_names,
)

CONFIG = read_compose()
SERVICES: dict[str, dict[str, Any]] = CONFIG["services"]
STAGES = read_stages()
OWN = {name: service for name, service in SERVICES.items() if "build" in service}
TARGETS = sorted({service["build"]["target"] for service in OWN.values()})
SETTINGS: dict[str, type[CommonSettings]] = {
    "migrate_tasks": AsyncTaskSettings,
    "migrate_orders": ServiceSettings,
    "gm_async_task": AsyncTaskSettings,
    "keeper": AsyncTaskSettings,
    "gm_service": ServiceSettings,
    "gm_task": TaskSettings,
    "s3_bucket": CommonSettings,
}


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that docker/make_secrets.py makes."""
    folder = tmp_path_factory.mktemp("secrets") / "made"
    make_secrets(folder)
    return folder


def make_secrets(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-I", str(ROOT / "docker" / "make_secrets.py"), *arguments, str(folder)]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def commands() -> dict[str, list[str]]:
    """Return every command line of Python that a container of ours runs."""
    found = {}
    for name, service in OWN.items():
        stage = STAGES[service["build"]["target"]]
        health = service.get("healthcheck", {})
        found[name] = service.get("command") or stage.command
        if not health.get("disable"):
            found[f"{name} health"] = health.get("test", ["CMD", *stage.health])[1:]
    return found


def test_compose_file_is_of_the_specification() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]

    checked = subprocess.run(check, capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("target", TARGETS)
def test_image_runs_as_nobody_special_and_says_how_it_is(target: str) -> None:
    stage = STAGES[target]

    assert stage.user == "10001:10001"
    assert (bool(stage.command), bool(stage.health), stage.stop_signal) == (True, True, "SIGTERM")
    assert re.fullmatch(r"\$\{PYTHON_IMAGE\}", stage.base)


def test_base_is_pinned() -> None:
    (image,) = re.findall(r"^ARG PYTHON_IMAGE=(.*)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)

    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", image)


@pytest.mark.parametrize("name", sorted(set(SERVICES) - set(OWN)))
def test_image_of_others_is_pinned(name: str) -> None:
    assert re.fullmatch(r"[\w/]+:(\d+\.\d+\.\d+|RELEASE\.[\dTZ-]+)", SERVICES[name]["image"])


def test_what_is_copied_is_there_and_not_ignored() -> None:
    lets_in = re.findall(r"^!([\w.]+)/?$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    sources = [
        source for stage in STAGES.values() for copied, _, origin in stage.copies if not origin for source in copied
    ]

    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert [source for source in sources if source.split("/")[0] not in lets_in] == []


@pytest.mark.parametrize("target", TARGETS)
def test_image_has_one_service_and_its_packages(target: str) -> None:
    copies = STAGES[target].copies
    folders = {source.split("/")[0] for sources, _, origin in copies if not origin for source in sources}
    packages = [origin for _, _, origin in copies if origin]

    assert packages == [f"{target}_packages"]
    assert folders == {"pyproject.toml", "shared", target} | ({"gm_service"} if target == "gm_task" else set())
    assert any(f"requirements/{target}.txt" in sources for sources, _, _ in STAGES[packages[0]].copies)
    assert "--require-hashes" in STAGES[packages[0]].runs[-1]


@pytest.mark.parametrize("name", sorted(commands()))
def test_commands_run_modules_that_exist(name: str) -> None:
    argv = commands()[name]

    assert argv[0] == "python"
    assert {module for module in modules_of(argv) if importlib.util.find_spec(module) is None} == set()
    assert [word for word in argv if word.endswith(".conf.py") and not (ROOT / word).exists()] == []


@pytest.mark.parametrize("name", sorted(OWN))
def test_service_has_every_setting_that_it_needs(
    name: str, secrets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From its own environment and its own secrets alone, read by the class that will read them."""
    service = OWN[name]
    environment = STAGES[service["build"]["target"]].environment | service["environment"]
    for secret in secret_names(service):
        (tmp_path / secret).write_bytes((secrets / secret).read_bytes())
    for variable, value in (environment | {"GM_SECRETS_DIR": str(tmp_path)}).items():
        if variable.startswith("GM_"):
            monkeypatch.setenv(variable, str(value))

    settings = SETTINGS[name](_env_file=None)

    assert settings.broker_url.get_secret_value() == (secrets / "gm_broker_url").read_text().strip()


def test_every_variable_is_a_setting_or_explained() -> None:
    known = {f"GM_{field.upper()}" for kind in SETTINGS.values() for field in kind.model_fields}
    explained = "".join(path.read_text() for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")))
    given = {name for service in SERVICES.values() for name in service.get("environment", {})} | compose_variables()
    given |= {name for stage in STAGES.values() for name in stage.environment}

    unknown = {name for name in given if name.startswith("GM_") and name not in known}

    assert {name for name in unknown if f"`{name}`" not in explained} == set()
    assert {name for name in compose_variables() if f"`{name}`" not in explained} == set()


def test_secrets_are_made_explained_and_used(secrets: Path) -> None:
    declared = {name: ROOT / secret["file"] for name, secret in CONFIG["secrets"].items()}
    used = {name for service in SERVICES.values() for name in secret_names(service)}
    readme = (ROOT / "docker" / "secrets" / "README.md").read_text()

    assert set(declared) == used == {path.name for path in secrets.iterdir()}
    assert {path.relative_to(ROOT).as_posix() for path in declared.values()} == {f"docker/secrets/{n}" for n in used}
    assert {name for name in used if f"`{name}`" not in readme and not name.startswith("gm_")} == set()
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700


def test_secrets_that_are_there_are_kept(tmp_path: Path) -> None:
    first = make_secrets(tmp_path / "made", "--broker", "redis")
    before = {path.name: path.read_text() for path in (tmp_path / "made").iterdir()}

    again = make_secrets(tmp_path / "made", "--broker", "rabbitmq")

    assert (first.returncode, again.stdout.split("made ")[1]) == (0, "0 files \n")
    assert {path.name: path.read_text() for path in (tmp_path / "made").iterdir()} == before
    assert before["gm_broker_url"].startswith("redis://:")


def test_secrets_that_belong_together_are_not_made_apart(tmp_path: Path) -> None:
    make_secrets(tmp_path / "made")
    (tmp_path / "made" / "mariadb_gm_service_password").unlink()

    refused = make_secrets(tmp_path / "made")

    assert refused.returncode == 1 and "belong together" in refused.stderr


def test_only_nginx_is_reached_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["nginx"]
    assert [name for name, service in SERVICES.items() if "edge" in service["networks"]] == [
        "gm_service",
        "nginx",
        "s3",
    ]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_container_can_do_no_more_than_it_must(name: str) -> None:
    service = SERVICES[name]

    assert (service["read_only"], service["cap_drop"], service["security_opt"]) == (
        True,
        ["ALL"],
        ["no-new-privileges:true"],
    )
    assert not {"privileged", "cap_add", "pid", "network_mode", "container_name"} & set(service)
    assert "build" in service or name == "s3" or service["user"] not in ("root", "0")


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_service_waits_for_what_it_needs_and_says_how_it_is(name: str) -> None:
    service = SERVICES[name]
    needs = service.get("depends_on", {})
    ends_by_itself = service.get("healthcheck", {}).get("disable", False)

    assert set(needs) <= set(SERVICES)
    assert {need: wanted["condition"] for need, wanted in needs.items()} == {
        need: "service_completed_successfully"
        if SERVICES[need].get("healthcheck", {}).get("disable")
        else "service_healthy"
        for need in needs
    }
    assert all(
        wanted.get("required", True) != ("profiles" in SERVICES[need]) for need, wanted in needs.items() if need != "s3"
    )
    assert ends_by_itself or "healthcheck" in service or name in OWN


def test_volumes_are_named_and_mounted_folders_exist() -> None:
    mounts = [mount.split(":") for service in SERVICES.values() for mount in service.get("volumes", [])]
    named = {source for source, *_ in mounts if not source.startswith("./")}

    assert named == set(CONFIG["volumes"])
    assert [source for source, *_ in mounts if source.startswith("./") and not (ROOT / source).is_dir()] == []


def test_there_may_be_several_workers() -> None:
    assert not {"container_name", "hostname", "ports", "deploy"} & set(SERVICES["gm_task"])


def test_containers_get_the_time_that_stopping_takes() -> None:
    fields = TaskSettings.model_fields
    worker = fields["stop_grace_seconds"].default + fields["return_grace_seconds"].default
    gunicorn = int(re.findall(r"graceful_timeout = (\d+)", (ROOT / "gm_service/gunicorn.conf.py").read_text())[0])

    assert _seconds("gm_task") >= 2 * worker
    assert {_seconds(name) > gunicorn for name in ("gm_service", "gm_async_task")} == {True}


def _seconds(name: str) -> float:
    return float(SERVICES[name]["stop_grace_period"].removesuffix("s"))


@pytest.mark.parametrize("target", TARGETS)
def test_images_packages_are_at_the_versions_that_are_tested(target: str) -> None:
    pinned = [_pins(ROOT / name) for name in (f"requirements/{target}.txt", "requirements.txt", "requirements-dev.txt")]

    assert pinned[0].items() <= pinned[1].items() <= pinned[2].items()
    assert 20 < len(pinned[0]) < len(pinned[1])


def _pins(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", path.read_text(), re.MULTILINE))
