"""What the routes work with; chosen once by the factory and kept with the application."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, current_app
from sqlalchemy.engine import Engine

from gm_service.config import ServiceSettings
from gm_service.dispatch import Dispatcher
from gm_service.stations.service import StationService
from shared.task_api.client import TaskClient

_KEY = "gm_service"


@dataclass(frozen=True, slots=True)
class Parts:
    """The collaborators of one application."""

    settings: ServiceSettings
    engine: Engine
    task_client: TaskClient
    dispatcher: Dispatcher
    stations: StationService


def keep(app: Flask, chosen: Parts) -> None:
    """Put the collaborators where `parts()` finds them."""
    app.extensions[_KEY] = chosen


def parts() -> Parts:
    """Return the collaborators of the application that answers the present request."""
    chosen: Parts = current_app.extensions[_KEY]
    return chosen
