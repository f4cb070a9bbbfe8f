"""What the Dockerfile builds, made without an engine: each image's packages alone in a new environment, its files
alone in a folder, its own command started and its own health check asked. Layers, users and mounts are not tried."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import amqp
import pymysql
import pytest
from redis import AuthenticationError, ConnectionError, Redis

from tests.architecture.test_compose import OWN, STAGES, TARGETS, make_secrets
from tests.conftest import MARIADB, RABBITMQ, REDIS
from tests.support import mariadb
from tests.support.images import ROOT, Stage, secret_names
from tests.support.processes import Proc, free_port
from tests.support.rabbitmq import RabbitMq
from tests.support.waiting import wait_for

pytestmark = pytest.mark.timeout(300)


@dataclass
class Image:
    """What a container of one of our services would find."""

    stage: Stage
    folder: Path
    python: Path
    environment: dict[str, str]

    def command(self, argv: list[str], port: int = 0) -> list[str]:
        """Return a command line of the image's, at another port."""
        own = {"8000": str(port), "8001": str(port)} if port else {}
        for given, other in own.items():
            argv = [word.replace(f":{given}/", f":{other}/") for word in argv]
        return [str(self.python), *argv[1:]]

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run Python as the image has it, until it ends."""
        return subprocess.run(
            [str(self.python), *argv],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


@pytest.fixture(scope="module", params=TARGETS)
def image(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Image:
    folder = tmp_path_factory.mktemp(request.param)
    return build(request.param, folder)


def build(target: str, folder: Path) -> Image:
    """Do what the Dockerfile's steps for a target do."""
    stage, packages = STAGES[target], STAGES[f"{target}_packages"]
    (requirements,) = packages.copies[-1][0]
    python = install(ROOT / requirements, folder / "venv")
    for sources, to, origin in stage.copies:
        for source in sources if origin is None else []:
            copy(ROOT / source, folder / "app" / to)
    make_secrets(folder / "secrets")
    service = OWN[target]
    for path in (folder / "secrets").iterdir():
        if path.name not in secret_names(service):
            path.unlink()
    given = {**stage.environment, **service["environment"]}
    own = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(folder / "app"),
        "GM_SECRETS_DIR": str(folder / "secrets"),
        "GM_FILES_DIR": str(folder),
        "GM_BROKER_URL": f"doorbell:///{folder}/doorbell.db",
    }
    return Image(stage, folder / "app", python, {name: str(value) for name, value in given.items()} | own)


def install(requirements: Path, venv: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", *(["--without-pip"] if shutil.which("uv") else []), venv], check=True)
    python = venv / "bin" / "python"
    pip = ["uv", "pip", "install", "--python", python] if shutil.which("uv") else [python, "-m", "pip", "install"]
    subprocess.run(
        [*pip, "-q", "--require-hashes", "--only-binary", ":all:", "-r", requirements], check=True, capture_output=True
    )
    return python


def copy(source: Path, to: Path) -> None:
    """Copy as COPY does: of a folder what is in it, without what .dockerignore leaves out."""
    if source.is_dir():
        shutil.copytree(source, to, ignore=shutil.ignore_patterns("__pycache__", "*.csv.gz"), dirs_exist_ok=True)
    else:
        to.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, to)


def test_image_holds_no_other_service_and_no_tests(image: Image) -> None:
    own = {path.name for path in image.folder.iterdir()}
    others = {"gm_async_task", "gm_service", "gm_task"} - {image.stage.name}

    assert "tests" not in own and "gm_async_task" not in own - {image.stage.name}
    assert own & others == ({"gm_service"} if image.stage.name == "gm_task" else set())
    for tool in ("pytest", "supervisor", "moto"):
        assert image.run("-c", f"import {tool}").returncode != 0


def test_image_knows_its_release(image: Image) -> None:
    told = image.run("-c", "from shared.release import present_release; print(present_release(''))").stdout.strip()

    assert f'version = "{told}"' in (ROOT / "pyproject.toml").read_text()


def test_image_has_what_its_configurations_need(image: Image) -> None:
    """Brokers, databases and stores are chosen by configuration, when the image is long built."""
    wanted = ["amqp", "redis", "pymysql", *(["boto3"] if image.stage.name != "gm_async_task" else [])]

    assert image.run("-c", "import " + ", ".join(wanted)).stderr == ""


def test_image_has_gm_profile_and_that_of_the_service_makes_reports(image: Image, tmp_path: Path) -> None:
    profiled = str(tmp_path / "own.prof")
    image.run("-m", "cProfile", "-o", profiled, "-m", "this")

    table = image.run("-m", "shared.profiling", "stat", "-f", profiled)
    report = image.run("-m", "shared.profiling", "explain", profiled, "-o", str(tmp_path / "report.html"))
    graph = image.run("-m", "shared.profiling", "graph", profiled, "-o", str(tmp_path / "graph.dot"))

    assert "function calls" in table.stdout, table.stderr
    if image.stage.name == "gm_service":
        assert "Where the time went" in report.stdout, report.stderr
        assert (tmp_path / "report.html").exists()
        assert (tmp_path / "graph.dot").read_text().startswith("digraph"), graph.stderr
    else:
        assert "This needs sqlglot" in report.stderr
        assert "This needs gprof2dot" in graph.stderr


def test_image_runs_its_command_and_passes_its_health_check(image: Image, tmp_path: Path) -> None:
    port = free_port()
    name = image.stage.name.upper()
    environment = image.environment | {
        f"{name}_BIND": f"127.0.0.1:{port}",
        f"{name}_DATABASE_URL": f"sqlite:///{tmp_path}/x.db",
        "GM_WORKER_HEALTH_FILE": str(tmp_path / "health"),
    }
    argv = image.command(image.stage.command)
    health = image.command(image.stage.health, port)
    container = Proc(name, argv, tmp_path, environment, cwd=image.folder)

    def is_healthy() -> bool:
        asked = subprocess.run(health, env=environment, cwd=image.folder, capture_output=True, check=False, timeout=10)
        return asked.returncode == 0

    try:
        before = is_healthy()
        wait_for(is_healthy, 30, f"health of {name}: {container.text()[-2000:]}")
    finally:
        exit_code = container.stop()

    assert (before, exit_code) == (False, 0), container.text()[-2000:]


def test_workers_image_runs_the_export_script(tmp_path: Path) -> None:
    image = build("gm_task", tmp_path)
    program = """
import os, sys
from gm_task.app import make_tools
from gm_task.config import TaskSettings
tools = make_tools(TaskSettings())
print(tools.scripts._environment["GM_SERVICE_DATABASE_URL"].partition(":")[0])
print(type(tools.files).__name__, "GM_S3_SECRET_KEY" in tools.scripts._environment)
"""

    told = image.run("-c", program).stdout.split()
    argv = ["-m", "gm_service.tool.celery_tasks.export_orderdetail"]
    helped = image.run(*argv, "--help")

    assert told == ["mysql+pymysql", "FolderStore", "False"]
    assert "--output-dir" in helped.stdout, helped.stderr


def test_first_start_of_mariadb_makes_a_database_and_a_user_for_each_service(tmp_path: Path) -> None:
    MARIADB.need()
    make_secrets(tmp_path / "secrets")
    server = mariadb.start_server(tmp_path)
    try:
        port = server.make_url().rpartition(":")[2].partition("/")[0]
        client = f"mariadb --no-defaults -uroot -h127.0.0.1 -P{port}"
        script = f"docker_process_sql() {{ {client}; }}; . {ROOT}/docker/mariadb/10-databases.sh"
        environment = {"PATH": os.environ["PATH"], "MARIADB_SECRETS": str(tmp_path / "secrets")}
        subprocess.run(["bash", "-euc", script], env=environment, check=True, capture_output=True)
        for name, other in (("gm_service", "gm_async_task"), ("gm_async_task", "gm_service")):
            password = (tmp_path / "secrets" / f"mariadb_{name}_password").read_text().strip()
            own = {"host": "127.0.0.1", "port": int(port), "user": name, "password": password}
            with pymysql.connect(**own, database=name) as connection, connection.cursor() as cursor:
                cursor.execute("CREATE TABLE t (a INT)")
            with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
                pymysql.connect(**own, database=other)
    finally:
        server.stop()


def test_redis_takes_its_configuration_and_asks_for_the_password(tmp_path: Path) -> None:
    REDIS.need()
    make_secrets(tmp_path / "secrets", "--broker", "redis")
    port = free_port()
    argv = ["redis-server", str(tmp_path / "secrets" / "redis_conf"), "--port", str(port), "--bind", "127.0.0.1"]
    server = Proc("redis", [*argv, "--dir", str(tmp_path)], tmp_path)
    url = (tmp_path / "secrets" / "gm_broker_url").read_text().strip().replace("redis:6379", f"127.0.0.1:{port}")
    stranger, broker = Redis(port=port), Redis.from_url(url, decode_responses=True)

    try:
        wait_for(broker.ping, 10, server.text(), not_yet=ConnectionError)
        with pytest.raises(AuthenticationError):
            stranger.ping()
        told = broker.config_get("appendonly", "maxmemory-policy")
    finally:
        server.stop()

    assert told == {"appendonly": "yes", "maxmemory-policy": "noeviction"}


class ConfiguredRabbitMq(RabbitMq):
    """A server that is told what the container's is told."""

    def __init__(self, folder: Path, configuration: str, url: str) -> None:
        self._url = url
        super().__init__(folder, configuration=configuration)

    def _answers(self) -> bool:
        given = urlsplit(self._url)
        host, name, password = f"127.0.0.1:{self.port}", given.username, given.password
        with amqp.Connection(host, name, password, virtual_host=given.path[1:], connect_timeout=2) as connection:
            queue = {"x-queue-type": "quorum"}
            connection.channel().queue_declare("gm_task", durable=True, auto_delete=False, arguments=queue)
        return True


def test_rabbitmq_takes_its_configuration_and_lets_the_platform_in(tmp_path: Path) -> None:
    RABBITMQ.need()
    make_secrets(tmp_path / "secrets")
    configuration = (tmp_path / "secrets" / "rabbitmq_conf").read_text()
    url = (tmp_path / "secrets" / "gm_broker_url").read_text().strip()

    server = ConfiguredRabbitMq(tmp_path / "broker", configuration, url)
    try:
        with pytest.raises(amqp.AMQPError):
            server.connect()  # as guest, whom every server has that is told nothing
    finally:
        server.stop()
