"""What the task page offers operators: who is one, which runs they see, what a mark has profiled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gm_service.routes.profiling import REPORT_POLICY
from gm_service.stations.service import MAX_USER_ATTEMPTS
from shared.profiling.session import Session, Subject
from shared.profiling.store import ProfileStore
from tests.support.service import Caller, Service, sign_in

KEY = "operator-" + "k" * 32
WRONG = "operator-" + "x" * 32
IMPORT = "gm_task.functions.orders.import_orders"


@pytest.fixture
def store(tmp_path: Path) -> ProfileStore:
    """The folder of profiles."""
    return ProfileStore(tmp_path / "profiles")


@pytest.fixture
def service(tmp_path: Path, store: ProfileStore) -> Service:
    """The service where runs may be profiled."""
    return Service(tmp_path, profile_dir=store.folder, profile_key=KEY)


def operator(service: Service, station_id: str = "S001") -> Caller:
    """Return a person who has given the key."""
    person = service.person(station_id)
    assert person.post("/pages/operator", key=KEY).status_code == 200
    return person


def profiled(store: ProfileStore, kind: Any, name: str, **of: Any) -> str:
    """Leave a record; return its id."""
    session = Session(Subject(kind, name, "cprofile", **of), store)
    session.start()
    sum(range(1000))
    session.finish()
    return session.id


def marks(store: ProfileStore) -> dict[str, str]:
    return {path.name: path.read_text() for path in store.folder.glob("marks/*")}


@pytest.mark.parametrize("missing", ["profile_dir", "profile_key"])
def test_without_folder_or_key_nothing_of_it_is_there(tmp_path: Path, missing: str) -> None:
    given = {"profile_dir": tmp_path / "profiles", "profile_key": KEY, missing: None}
    service = Service(tmp_path, **given)
    task = service.add_task()
    person = service.person()

    page = person.get(f"/tasks/{task.task_id}").text

    assert 'name="profiling"' not in page
    assert person.get("/pages/profiles", task_id=task.task_id).get_json()["code"] == 40400
    assert person.post("/pages/operator", key=KEY).get_json()["code"] == 40400


def test_a_person_without_the_key_is_offered_to_give_it_and_sees_and_does_nothing(
    service: Service, store: ProfileStore
) -> None:
    task = service.add_task()
    record = profiled(store, "task", IMPORT, task_id=task.task_id, run_count=1)
    person = service.person()

    answers = [
        person.get("/pages/profiles", task_id=task.task_id),
        person.get("/pages/profile_report", task_id=task.task_id, record=record),
        person.post("/pages/profile", task_id=task.task_id),
    ]

    assert '<meta name="profiling" content="offered">' in person.get(f"/tasks/{task.task_id}").text
    assert [(answer.status_code, answer.get_json()["code"]) for answer in answers] == [(403, 40300)] * 3
    assert marks(store) == {}


def test_a_wrong_key_is_refused_and_told_in_the_log_without_the_key(service: Service) -> None:
    person = service.person()

    with capture_logs() as logs:
        answer = person.post("/pages/operator", key=WRONG)

    assert (answer.status_code, answer.get_json()["code"]) == (403, 40300)
    [refused] = [entry for entry in logs if entry["event"] == "profile_refused"]
    assert (refused["station_id"], refused["username"]) == ("S001", "clerk")
    assert WRONG not in str(logs)


def test_wrong_keys_are_bounded_for_one_person_even_before_the_right_one(service: Service) -> None:
    person = service.person()
    for _ in range(MAX_USER_ATTEMPTS):
        person.post("/pages/operator", key=WRONG)

    blocked = person.post("/pages/operator", key=KEY)

    assert blocked.status_code == 429
    assert int(blocked.headers["Retry-After"]) > 0
    assert service.person(username="other").post("/pages/operator", key=KEY).status_code == 200


def test_guessing_the_key_locks_nobody_out_of_signing_in(service: Service) -> None:
    person = service.person()
    for _ in range(MAX_USER_ATTEMPTS):
        person.post("/pages/operator", key=WRONG)

    assert sign_in(service.app.test_client()).status_code == 200


def test_the_key_is_taken_from_a_json_body_alone_with_the_csrf_token(service: Service) -> None:
    person = service.person()

    in_the_address = person.client.post(f"/pages/operator?key={KEY}", json={}, headers=person.headers)
    in_a_form = person.client.post("/pages/operator", data={"key": KEY}, headers=person.headers)
    without_token = person.client.post("/pages/operator", json={"key": KEY})

    assert (in_the_address.status_code, in_a_form.status_code) == (400, 400)
    assert without_token.get_json()["code"] == 40301


def test_the_right_key_holds_for_the_session_and_stands_in_no_cookie_and_no_page(service: Service) -> None:
    person = operator(service)
    task = service.add_task()

    page = person.get(f"/tasks/{task.task_id}").text
    listed = person.get("/pages/profiles", task_id=task.task_id)

    cookie = person.client.get_cookie("gm_session")
    serializer: Any = service.app.session_interface.get_signing_serializer(service.app)  # type: ignore[attr-defined]
    assert cookie is not None
    assert KEY not in str(serializer.loads(cookie.value))
    assert '<meta name="profiling" content="operator">' in page
    assert KEY not in page
    assert listed.get_json()["data"]["runs"] == []


def test_signing_out_ends_it(service: Service) -> None:
    person = operator(service)
    task = service.add_task()
    person.client.delete("/session", headers=person.headers)

    sign_in(person.client)

    assert person.client.get(f"/pages/profiles?task_id={task.task_id}").status_code == 403


def test_another_key_ends_it(service: Service, tmp_path: Path) -> None:
    person = operator(service)
    task = service.add_task()
    cookie = person.client.get_cookie("gm_session")
    assert cookie is not None
    renewed = Service(tmp_path, profile_dir=service.settings.profile_dir, profile_key="new-" + KEY)
    renewed.task_api.fake = service.task_api.fake
    client = renewed.app.test_client()
    client.set_cookie("gm_session", cookie.value)

    answer = client.get(f"/pages/profiles?task_id={task.task_id}")

    assert client.get("/session").status_code == 200
    assert answer.status_code == 403


def test_a_program_is_no_operator(service: Service) -> None:
    task = service.add_task()
    program = service.program()

    assert program.post("/pages/operator", key=KEY).status_code == 403
    assert program.get("/pages/profiles", task_id=task.task_id).status_code == 403


def test_a_waiting_task_is_marked_itself(service: Service, store: ProfileStore) -> None:
    task = service.add_task()

    answer = operator(service).post("/pages/profile", task_id=task.task_id, way="sample")

    assert answer.get_json()["data"] == {"of": "task", "function": IMPORT}
    assert marks(store) == {str(task.task_id): "sample"}


@pytest.mark.parametrize("ended", [False, True])
def test_of_a_task_that_has_begun_the_next_run_of_its_function_is_marked(
    service: Service, store: ProfileStore, ended: bool
) -> None:
    task = service.add_task()
    if ended:
        service.end_task(task.task_id)
    else:
        service.tasks.start(task.task_id)
    person = operator(service)

    told = person.get("/pages/profiles", task_id=task.task_id).get_json()["data"]["next"]
    answer = person.post("/pages/profile", task_id=task.task_id)

    assert told == answer.get_json()["data"] == {"of": "function", "function": IMPORT}
    assert marks(store) == {IMPORT: "cprofile"}


def test_an_unknown_way_is_refused(service: Service, store: ProfileStore) -> None:
    task = service.add_task()

    answer = operator(service).post("/pages/profile", task_id=task.task_id, way="../../x")

    assert answer.status_code == 400
    assert marks(store) == {}


def test_a_folder_that_cannot_be_written_is_told(service: Service, store: ProfileStore) -> None:
    task = service.add_task()
    store.folder.write_text("a file where the folder should be")

    answer = operator(service).post("/pages/profile", task_id=task.task_id)

    assert answer.status_code == 503


def test_the_profiled_runs_of_the_task_are_listed_newest_first(service: Service, store: ProfileStore) -> None:
    task, other = service.add_task(), service.add_task()
    first = profiled(store, "task", IMPORT, task_id=task.task_id, run_count=1)
    second = profiled(store, "task", IMPORT, task_id=task.task_id, run_count=2)
    profiled(store, "task", IMPORT, task_id=other.task_id, run_count=1)
    profiled(store, "script", IMPORT, task_id=task.task_id, run_count=1, parent=first)

    data = operator(service).get("/pages/profiles", task_id=task.task_id).get_json()["data"]

    assert [run["id"] for run in data["runs"]] == [second, first]
    assert (data["runs"][0]["way"], data["runs"][0]["run_count"], data["has_reports"]) == ("cprofile", 2, True)


def test_the_report_is_a_page_without_script_under_a_policy_that_lets_none_in(
    service: Service, store: ProfileStore
) -> None:
    task = service.add_task()
    record = profiled(store, "task", IMPORT, task_id=task.task_id, run_count=1)
    profiled(store, "request", "POST /called", parent=record)

    answer = operator(service).get("/pages/profile_report", task_id=task.task_id, record=record)

    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert f"task {task.task_id}, run 1: {IMPORT}" in answer.text
    assert "POST /called" in answer.text
    assert "<svg" in answer.text
    assert "<script" not in answer.text
    assert answer.headers["Content-Security-Policy"] == REPORT_POLICY
    assert "script-src" not in REPORT_POLICY
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_report_shows_no_record_of_another_task_or_station(service: Service, store: ProfileStore) -> None:
    mine, theirs = service.add_task(), service.add_task("S002")
    record = profiled(store, "task", IMPORT, task_id=mine.task_id, run_count=1)
    foreign = profiled(store, "task", IMPORT, task_id=theirs.task_id, run_count=1)
    # Callers choose the ids of their requests.
    profiled(store, "request", "GET /of/the/other", request_id=record)
    person = operator(service)

    by_their_task = person.get("/pages/profile_report", task_id=theirs.task_id, record=foreign)
    by_my_task = person.get("/pages/profile_report", task_id=mine.task_id, record=foreign)
    mine_alone = person.get("/pages/profile_report", task_id=mine.task_id, record=record)
    listed = operator(service, "S002").get("/pages/profiles", task_id=mine.task_id)

    assert (by_their_task.status_code, by_my_task.status_code, listed.status_code) == (404, 404, 404)
    assert mine_alone.status_code == 200
    assert "/of/the/other" not in mine_alone.text


def test_a_refused_report_is_a_page_for_people(service: Service) -> None:
    task = service.add_task()
    person = operator(service)
    headers = {"Accept": "text/html", "Accept-Language": "zh"}

    gone = person.client.get(f"/pages/profile_report?task_id={task.task_id}&record=gone", headers=headers)
    stranger = service.app.test_client().get(f"/pages/profile_report?task_id={task.task_id}&record=r", headers=headers)

    assert (gone.status_code, gone.mimetype) == (404, "text/html")
    assert "没有报告" in gone.text
    assert (stranger.status_code, stranger.headers["Location"][:14]) == (302, "/sign-in?next=")


def test_where_reports_cannot_be_made_the_runs_are_listed_without(
    service: Service, store: ProfileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gm_service.routes.profiling.has_reports", lambda: False)
    task = service.add_task()
    record = profiled(store, "task", IMPORT, task_id=task.task_id, run_count=1)
    person = operator(service)

    data = person.get("/pages/profiles", task_id=task.task_id).get_json()["data"]

    assert (len(data["runs"]), data["has_reports"]) == (1, False)
    assert person.get("/pages/profile_report", task_id=task.task_id, record=record).status_code == 404
