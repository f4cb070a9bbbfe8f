"""The ways of installing nginx that docs/operations-nginx.md shows, each tried with a real nginx."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from shared.ops.servers.nginx import server_argv
from tests.support import echo_service
from tests.support.nginx import Nginx, render
from tests.support.processes import Proc, free_port
from tests.support.waiting import wait_for

OF_A_HOST = """
events {}
http {
    # As Debian's and the images' own begin: what is set here must not clash with the pieces.
    sendfile on;
    tcp_nopush on;
    gzip on;
    types_hash_max_size 2048;
    default_type application/octet-stream;
    log_format main '$remote_addr';
    access_log logs/host.log main;
    keepalive_timeout 65;
    include conf.d/*.conf;
}
"""


def _test(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*server_argv(folder), "-t"], capture_output=True, text=True, check=False)


@pytest.fixture
def service(tmp_path: Path, nginx_program: str) -> Iterator[str]:
    """The host:port of a stand-in for gm_service."""
    process, address = echo_service.start(tmp_path, "stable")
    try:
        wait_for(lambda: requests.get(f"http://{address}/").ok, 20, "gunicorn", not_yet=requests.RequestException)
        yield address
    finally:
        process.kill()


def test_shipped_files_are_a_server(tmp_path: Path, nginx_program: str) -> None:
    render(tmp_path, GM_FILES_DIR="/srv/gm/files")

    tested = _test(tmp_path)

    assert (tested.returncode, "[warn]" in tested.stderr) == (0, False), tested.stderr


def test_pieces_fit_into_a_hosts_own_configuration(tmp_path: Path, nginx_program: str) -> None:
    render(tmp_path, "--conf-d-only", GM_FILES_DIR="/srv/gm/files")
    (tmp_path / "logs").mkdir()
    (tmp_path / "nginx.conf").write_text(OF_A_HOST)

    tested = _test(tmp_path)

    assert (tested.returncode, "[warn]" in tested.stderr) == (0, False), tested.stderr


def test_several_servers_and_a_backup_are_taken(tmp_path: Path, nginx_program: str) -> None:
    servers = "server 127.0.0.1:1; server 127.0.0.1:2 backup;"
    render(tmp_path, GM_FILES_DIR="/srv/gm/files", GM_NGINX_STABLE=servers, GM_NGINX_GREY=servers)

    assert _test(tmp_path).returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="every test runs it as an ordinary user where the tests are run by one")
def test_any_user_runs_it(nginx_program: str) -> None:
    port = free_port()
    with tempfile.TemporaryDirectory() as made:  # not pytest's folder, which nobody else may enter
        folder = Path(made)
        render(folder / "nginx", GM_FILES_DIR="/srv/gm/files", GM_NGINX_LISTEN=f"127.0.0.1:{port}")
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, "nobody")
        as_nobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        own = [nginx_program, "-p", f"{folder}/nginx/", "-c", "nginx.conf", "-g", "daemon off;"]
        server = Proc("nginx", [*as_nobody, *own], folder)
        try:
            url = f"http://127.0.0.1:{port}/metrics"
            status = wait_for(lambda: requests.get(url, timeout=2).status_code, 10, "it", requests.RequestException)
            user = Path(f"/proc/{server.pid}").owner()
        finally:
            server.stop(5)

        assert (status, user, "[" in server.text()) == (404, "nobody", False), server.text()


def test_caller_behind_a_balancer_of_ours_is_known_by_what_it_says(tmp_path: Path, service: str) -> None:
    gm_d = tmp_path / "nginx" / "gm.d"
    gm_d.mkdir(parents=True)
    (gm_d / "balancer.conf").write_text("set_real_ip_from 127.0.0.1;\nreal_ip_header X-Forwarded-For;\n")

    with Nginx(tmp_path / "nginx", service) as nginx:
        told = requests.get(nginx.url, headers={"X-Forwarded-For": "1.2.3.4, 203.0.113.9"}, timeout=10).json()
        line = nginx.logged(lambda line: line["path"] == "/")

    assert told["HTTP_X_FORWARDED_FOR"] == line["address"] == "203.0.113.9", "what the balancer added, not the caller"


def test_caller_by_https_is_told_to_stay_there(tmp_path: Path, service: str) -> None:
    gm_d, port = tmp_path / "nginx" / "gm.d", free_port()
    gm_d.mkdir(parents=True)
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1"]
    files = ["-keyout", str(tmp_path / "gm.key"), "-out", str(tmp_path / "gm.pem")]
    subprocess.run([*make, *files, "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    (gm_d / "tls.conf").write_text(
        f"listen 127.0.0.1:{port} ssl;\nssl_certificate {tmp_path}/gm.pem;\nssl_certificate_key {tmp_path}/gm.key;\n"
    )

    with Nginx(tmp_path / "nginx", service) as nginx:
        by_https = requests.get(f"https://127.0.0.1:{port}/", verify=str(tmp_path / "gm.pem"), timeout=10)
        by_http = requests.get(nginx.url, timeout=10)

    assert by_https.json()["HTTP_X_FORWARDED_PROTO"] == "https"
    assert by_https.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Strict-Transport-Security" not in by_http.headers


def test_grey_release_with_a_backup_falls_back_while_it_is_down(tmp_path: Path, service: str) -> None:
    grey = f"127.0.0.1:{free_port()}; server {service} backup"

    with Nginx(tmp_path / "nginx", service, grey) as nginx:
        answers = [requests.get(nginx.url, headers={"X-Gm-Release": "grey"}, timeout=10) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200] * 3
