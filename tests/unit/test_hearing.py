"""When a lease that is over says that its run is lost: not while the task service is away, nor right after."""

from __future__ import annotations

import pytest

from gm_async_task.hearing import PATIENCE_SECONDS, Hearing, asks
from shared.task_api.held_run import CLAIM_DELAY_SECONDS
from tests.support.processes import free_port

LEASE = 60.0


class Service:
    """Answers or not, by a clock of its own."""

    def __init__(self) -> None:
        self.now, self.answers = 0.0, True
        self.hearing = Hearing(lambda: self.answers, LEASE, lambda: self.now)

    def counts_after(self, seconds: float, *, answers: bool) -> bool:
        self.now += seconds
        self.answers = answers
        return self.hearing.counts()


@pytest.fixture
def service() -> Service:
    return Service()


def test_leases_count_while_the_service_answers(service: Service) -> None:
    assert service.counts_after(0, answers=True)
    assert service.counts_after(1000, answers=True)


def test_leases_do_not_count_while_it_is_away_nor_until_runs_had_time_to_report(service: Service) -> None:
    assert not service.counts_after(1, answers=False)
    assert not service.counts_after(100, answers=False)
    assert not service.counts_after(1, answers=True)
    assert not service.counts_after(LEASE / 2 - 2, answers=True)
    assert service.counts_after(1, answers=True)


def test_a_short_lease_waits_for_the_slowest_worker_to_try_again() -> None:
    service = Service()
    service.hearing = Hearing(lambda: service.answers, 4.0, lambda: service.now)
    assert not service.counts_after(1, answers=False)
    assert not service.counts_after(CLAIM_DELAY_SECONDS, answers=True)
    assert service.counts_after(1, answers=True)


def test_one_that_comes_and_goes_is_waited_for_no_longer_than_one_that_is_away(service: Service) -> None:
    said = [service.counts_after(10, answers=bool(number % 2)) for number in range(int(PATIENCE_SECONDS / 10) + 2)]

    assert said == [False] * (len(said) - 1) + [True]


def test_after_the_time_in_which_workers_report_leases_count_again(service: Service) -> None:
    assert not service.counts_after(1, answers=False)
    assert not service.counts_after(PATIENCE_SECONDS, answers=False)
    assert service.counts_after(1, answers=False)


def test_a_port_that_nobody_listens_on_does_not_answer() -> None:
    assert not asks(f"http://127.0.0.1:{free_port()}")()
