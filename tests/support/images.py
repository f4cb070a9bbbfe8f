"""Reads the Dockerfile and docker-compose.yml as an engine would, as far as that goes without one."""

from __future__ import annotations

import io
import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from dockerfile_parse import DockerfileParser

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
_VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")


@dataclass
class Stage:
    """One `FROM` and what follows it, the stages it is made from included."""

    name: str
    base: str
    copies: list[tuple[list[str], str, str | None]] = field(default_factory=list)
    """sources, target, and the stage that they come from; None: the checkout"""
    environment: dict[str, str] = field(default_factory=dict)
    user: str | None = None
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    stop_signal: str | None = None
    runs: list[str] = field(default_factory=list)


def read_stages() -> dict[str, Stage]:
    """Return the Dockerfile's stages by name."""
    parser = DockerfileParser(fileobj=io.BytesIO((ROOT / "Dockerfile").read_bytes()))
    stages: dict[str, Stage] = {}
    stage: Stage | None = None
    for each in parser.structure:
        kind, value = each["instruction"], each["value"]
        if kind == "FROM":
            base, _, name = re.split(r"\s+(as|AS)\s+", value)
            stage = _begin(name, base, stages.get(base))
            stages[name] = stage
        elif stage is not None:
            _take(stage, kind, value)
    return stages


def _begin(name: str, base: str, parent: Stage | None) -> Stage:
    if parent is None:
        return Stage(name, base)
    return Stage(
        name,
        parent.base,
        list(parent.copies),
        dict(parent.environment),
        parent.user,
        stop_signal=parent.stop_signal,
        runs=list(parent.runs),
    )


def _take(stage: Stage, kind: str, value: str) -> None:
    match kind:
        case "COPY":
            words = shlex.split(value)
            origin = [word.removeprefix("--from=") for word in words if word.startswith("--from=")]
            *sources, target = [word for word in words if not word.startswith("--")]
            stage.copies.append((sources, target, origin[0] if origin else None))
        case "ENV":
            stage.environment |= dict(word.split("=", 1) for word in shlex.split(value))
        case "USER":
            stage.user = value
        case "CMD":
            stage.command = json.loads(value)
        case "HEALTHCHECK":
            stage.health = json.loads(value.partition("CMD ")[2])
        case "STOPSIGNAL":
            stage.stop_signal = value
        case "RUN":
            stage.runs.append(value)


def read_compose() -> dict[str, Any]:
    """Return docker-compose.yml, its variables at their defaults."""
    compose: dict[str, Any] = _interpolate(yaml.safe_load(COMPOSE.read_text("utf-8")))
    return compose


def _interpolate(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _interpolate(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_interpolate(inner) for inner in value]
    return _VARIABLE.sub(lambda found: found[2], value).replace("$$", "$") if isinstance(value, str) else value


def compose_variables() -> set[str]:
    """Return the names of the variables that docker-compose.yml reads from the operator's environment."""
    return {name for name, _ in _VARIABLE.findall(COMPOSE.read_text("utf-8"))}


def secret_names(service: dict[str, Any]) -> list[str]:
    """Return the secrets that a service is given."""
    return [each if isinstance(each, str) else each["source"] for each in service.get("secrets", [])]


def modules_of(argv: list[str]) -> list[str]:
    """Return the modules that a command line of Python runs: `-m module`."""
    return [argv[place + 1] for place, word in enumerate(argv) if word == "-m"]
