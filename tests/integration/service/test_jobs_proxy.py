"""How gm_service passes workflow jobs on: whose they are, in whose name, by which method, and without credentials."""

from __future__ import annotations

from pathlib import Path

import pytest

from gm_service.job_api import HttpJobApi
from gm_service.routes.xingqiao import CHANGES, LOOKS
from shared.errors import Unavailable
from tests.support.jobs import make_desk
from tests.support.service import Service


def test_a_person_acts_in_their_own_name_on_the_stations_jobs(service: Service) -> None:
    answer = service.person("S001", "clerk").post(
        "/xingqiao/create_job", job_type="ping", job_namespace="S002", job_extra={"a": 1}
    )

    parameters = {"job_type": "ping", "job_namespace": "S001", "job_extra": {"a": 1}}
    assert (answer.status_code, answer.get_json()) == (200, {"stat": "OK", "job_id": 1})
    assert service.jobs.asked == [("create_job", parameters, "S001", "clerk")]


def test_a_program_asks_for_its_station_too(service: Service) -> None:
    service.program("S002").get("/xingqiao/list_jobs", job_status="failed")

    assert service.jobs.asked == [("list_jobs", {"job_status": "failed"}, "S002", "api")]


@pytest.mark.parametrize("verb", CHANGES)
def test_changes_are_made_by_post_with_the_sessions_token(service: Service, verb: str) -> None:
    person = service.person()

    by_get = person.get(f"/xingqiao/{verb}", job_id=1)
    without_token = person.client.post(f"/xingqiao/{verb}", json={"job_id": 1})

    assert (by_get.status_code, without_token.status_code) == (405, 403)
    assert service.jobs.asked == []


@pytest.mark.parametrize("verb", LOOKS)
def test_looks_need_no_token_of_the_session(service: Service, verb: str) -> None:
    assert service.person().client.get(f"/xingqiao/{verb}?job_id=1").status_code == 200


def test_nobody_names_an_operator_or_a_namespace_by_header(service: Service) -> None:
    headers = {**service.program().headers, "X-Username": "boss", "X-Job-Namespace": "S002"}

    service.app.test_client().get("/xingqiao/list_jobs", headers=headers)

    assert service.jobs.asked[0][2:] == ("S001", "api")


def test_a_parameter_that_stands_twice_is_refused(service: Service) -> None:
    answer = service.app.test_client().get("/xingqiao/list_jobs?job_id=1&job_id=2", headers=service.program().headers)

    assert (answer.status_code, service.jobs.asked) == (400, [])


def test_a_service_that_is_away_or_does_not_know_us_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        HttpJobApi("http://127.0.0.1:1", "k" * 32).call("list_jobs", {}, namespace="S001", operator="a")
    assert make_desk(f"sqlite:///{tmp_path}/x.db").get("list_jobs", **{"X-Auth-Key": "x"}).status_code == 401
