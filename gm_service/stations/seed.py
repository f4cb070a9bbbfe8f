"""Makes the two demo stations: `python -m gm_service.stations.seed`; run again, it keeps data and takes new secrets.

Takes the password and the tokens from the environment: GM_DEMO_PASSWORD, GM_STATION_TOKEN, GM_STATION2_TOKEN.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

import structlog

from gm_service.config import ServiceSettings
from gm_service.stations.service import StationService
from shared.database import make_engine
from shared.logs import configure_logs
from shared.starting import starting

log = structlog.get_logger(__name__)

DEMO_STATIONS = (
    ("S001", "Bristol depot / 布里斯托配送站", "GM_STATION_TOKEN"),
    ("S002", "Dublin depot / 都柏林配送站", "GM_STATION2_TOKEN"),
)
DEMO_USERNAME = "clerk"
TOKEN_NAME = "demo"  # noqa: S105 the name of a token, no secret


def seed(stations: StationService, environment: Mapping[str, str]) -> None:
    """Make the demo stations with their clerk and token.

    Raises:
        KeyError: a secret is missing in `environment`.
    """
    for station_id, name, token_variable in DEMO_STATIONS:
        stations.create_station(station_id, name)
        stations.add_user(station_id, DEMO_USERNAME, environment["GM_DEMO_PASSWORD"], "Clerk / 站点文员")
        stations.issue_token(station_id, TOKEN_NAME, environment[token_variable])
        log.info("demo_station_ready", station_id=station_id)


def main() -> None:
    """Seed the configured database."""
    with starting("gm_service.stations.seed"):
        settings = ServiceSettings()
        configure_logs("gm_service_seed", settings.log_level, settings.secrets())
        try:
            seed(StationService(make_engine(settings.service_database_url.get_secret_value())), os.environ)
        except KeyError as error:
            sys.exit(f"The environment variable {error.args[0]} is needed.")


if __name__ == "__main__":
    main()
