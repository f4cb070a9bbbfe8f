"""How gm_service passes workflow jobs on: whose they are, in whose name, by which method, and without credentials."""

from __future__ import annotations

from pathlib import Path

import pytest

from gm_service.job_api import HttpJobApi
from gm_service.routes.xingqiao import CHANGES, LOOKS
from shared.errors import Unavailable
from shared.signing.signature import Call
from shared.signing.signer import CallSigner
from tests.support.jobs import make_desk
from tests.support.service import Service


def test_a_person_acts_in_their_own_name_on_the_stations_jobs(service: Service) -> None:
    answer = service.person("S001", "clerk").post(
        "/xingqiao/create_job", job_type="ping", job_namespace="S002", job_extra={"a": 1}
    )

    parameters = {"job_type": "ping", "job_namespace": "S001", "job_extra": {"a": 1}}
    assert (answer.status_code, answer.get_json()) == (200, {"stat": "OK", "job_id": 3})
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


def test_nobody_names_an_operator_or_a_namespace_by_themselves(service: Service) -> None:
    headers = {**service.program().headers, "X-Username": "boss", "X-Namespace": "S002"}

    service.app.test_client().get("/xingqiao/list_jobs?x_username=boss&x_namespace=S002", headers=headers)

    # What stands in the query is passed on as parameters, of which the other side knows none such.
    assert service.jobs.asked == [("list_jobs", {"x_username": "boss", "x_namespace": "S002"}, "S001", "api")]


def test_a_signature_covers_in_whose_name_jobs_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    signed: list[Call] = []
    monkeypatch.setattr(CallSigner, "sign", lambda _, call, __: signed.append(call) or "")

    with pytest.raises(Unavailable):
        HttpJobApi("http://127.0.0.1:1", "k" * 32, signed=True).call("list_jobs", {}, namespace="S 1", operator="王")

    assert [call.target for call in signed] == ["/xingqiao/list_jobs?x_namespace=S+1&x_username=%E7%8E%8B"]


def test_a_parameter_that_stands_twice_is_refused(service: Service) -> None:
    answer = service.app.test_client().get("/xingqiao/list_jobs?job_id=1&job_id=2", headers=service.program().headers)

    assert (answer.status_code, answer.get_json()["stat"], service.jobs.asked) == (200, "ERR_BAD_PARAMS", [])
    assert answer.headers["x-reqid"] and float(answer.headers["x-cost"]) >= 0


def test_what_is_refused_here_has_the_shape_of_what_is_refused_there(service: Service) -> None:
    unread = service.app.test_client().post(
        "/xingqiao/create_job", data="{", headers={**service.program().headers, "Content-Type": "text/plain"}
    )
    stranger = service.app.test_client().get("/xingqiao/list_jobs")
    without_token = service.person().client.post("/xingqiao/create_job", json={"job_type": "ping"})

    answers = [(each.status_code, each.get_json()["stat"]) for each in (unread, stranger, without_token)]
    assert answers == [(200, "ERR_BAD_PARAMS"), (401, "ERR_UNAUTHORIZED"), (403, "ERR_FORBIDDEN")]
    assert service.jobs.asked == []


def test_a_service_that_is_away_or_does_not_know_us_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        HttpJobApi("http://127.0.0.1:1", "k" * 32).call("list_jobs", {}, namespace="S001", operator="a")
    assert make_desk(f"sqlite:///{tmp_path}/x.db").get("list_jobs", **{"X-Auth-Key": "x"}).status_code == 401
