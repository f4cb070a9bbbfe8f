"""S-d: two thousand signed requests, each changed in one place, and replays; none is accepted."""

from __future__ import annotations

import random
import string
from collections import Counter
from pathlib import Path

import pytest
from flask import Flask

from tests.support.async_task import make_database, make_service
from tests.support.call_mutations import MUTATIONS, SPEND_THE_NONCE
from tests.support.signed_calls import Request, get, post

TRIES, REPLAYS, SEED = 2000, 200, 20261121


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return make_service(make_database(f"sqlite:///{tmp_path}/tasks.db"), signed_calls="require")


def _request(chance: random.Random) -> Request:
    """Return one of the calls that services make of one another, signed."""
    number = chance.randrange(10**6)
    name = "".join(chance.choice(string.ascii_letters + "订单 é%&+/") for _ in range(8))
    return chance.choice(
        [
            post("/task/add", station_id="S001", task_name="demo.work", input={"name": name, "n": number}),
            post("/task/list", station_id="S001", limit=1 + number % 9),
            post("/task/hide?station_id=S001&user_task_ids=%E8%AE%A2", task_ids=[number]),
            get(f"/task/list?station_id=S001&limit={1 + number % 9}&brief=true"),
        ]
    ).signed()


def test_no_changed_request_is_accepted_and_each_without_its_change_is(app: Flask) -> None:
    chance, kinds = random.Random(SEED), list(MUTATIONS)
    accepted, unchanged, refused, answers = Counter[str](), Counter[str](), Counter[str](), set[bytes]()

    for number in range(TRIES):
        kind, valid = kinds[number % len(kinds)], _request(chance)
        changed = MUTATIONS[kind](valid, chance)
        unchanged[kind] += changed == valid
        answer = changed.send(app)
        accepted[kind] += answer.status_code != 401
        answers.add(answer.get_data())
        if number % 5 == 0 and kind not in SPEND_THE_NONCE:
            refused[kind] += valid.send(app).status_code != 200

    assert +accepted == Counter()
    assert +unchanged == Counter(), "a mutation that changes nothing tests nothing"
    assert +refused == Counter(), "nothing but the change was wrong"
    assert len(answers) == 1, "the answer does not tell what was wrong"


def test_no_replay_is_accepted(app: Flask) -> None:
    chance = random.Random(SEED)
    requests = [_request(chance) for _ in range(REPLAYS)]

    first = [request.send(app).status_code for request in requests]
    again = [request.send(app).status_code for request in chance.sample(requests, REPLAYS)]

    assert (set(first), set(again)) == ({200}, {401})
