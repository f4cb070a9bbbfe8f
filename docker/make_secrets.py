"""Makes the secrets of docker-compose.yml: `python3 docker/make_secrets.py [--broker redis] [folder]`.

Needs Python alone. A file that is there is kept, and what is made anew agrees with it: passwords and the addresses that
hold them are made together or not at all.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).parent / "secrets"
_RABBITMQ = """default_user = gm
default_pass = {password}
default_vhost = gm
default_permissions.configure = .*
default_permissions.read = .*
default_permissions.write = .*
"""
_REDIS = """requirepass {password}
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
"""


def main() -> int:
    """Make what is missing and say what was made."""
    parser = argparse.ArgumentParser(description="Make the secrets of docker-compose.yml.")
    parser.add_argument("--broker", choices=["rabbitmq", "redis"], default="rabbitmq")
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER)
    arguments = parser.parse_args()
    try:
        made = make_secrets(arguments.folder, arguments.broker)
    except OSError as error:
        raise SystemExit(f"The secrets can't be written: {error}") from error
    sys.stdout.write(f"{arguments.folder}: made {len(made)} files {' '.join(made)}\n")
    return 0


def make_secrets(folder: Path, broker: str) -> list[str]:
    """Make the files that are missing in `folder`; return their names."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    groups: list[Callable[[], dict[str, str]]] = [
        lambda: {"gm_auth_key": _password()},
        lambda: {"gm_service_secret_key": _password()},
        lambda: {"mariadb_root_password": _password()},
        lambda: _database("gm_async_task"),
        lambda: _database("gm_service"),
        lambda: _brokers(broker),
        lambda: {"gm_s3_access_key": f"gm{secrets.token_hex(8)}", "gm_s3_secret_key": _password()},
    ]
    return [name for make in groups for name in _write_missing(folder, make())]


def _database(name: str) -> dict[str, str]:
    password = _password()
    url = f"mysql+pymysql://{name}:{password}@mariadb/{name}"
    return {f"mariadb_{name}_password": password, f"{name}_database_url": url}


def _brokers(broker: str) -> dict[str, str]:
    password = _password()
    urls = {"rabbitmq": f"amqp://gm:{password}@rabbitmq:5672/gm", "redis": f"redis://:{password}@redis:6379/0"}
    return {
        "gm_broker_url": urls[broker],
        "rabbitmq_conf": _RABBITMQ.format(password=password),
        "redis_conf": _REDIS.format(password=password),
    }


def _password() -> str:
    return secrets.token_urlsafe(36).replace("-", "x").replace("_", "y")


def _write_missing(folder: Path, group: dict[str, str]) -> list[str]:
    """Write the files of a group, where none of it is there."""
    present = [name for name in group if (folder / name).exists()]
    if present:
        missing = sorted(set(group) - set(present))
        if missing:
            raise SystemExit(f"{folder} has {', '.join(present)} but not {', '.join(missing)}, which belong together")
        return []
    for name, value in group.items():
        (folder / name).write_text(value + "\n", "utf-8")
        (folder / name).chmod(0o444)
    return list(group)


if __name__ == "__main__":
    sys.exit(main())
