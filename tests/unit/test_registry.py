"""Which functions messages may name, and which messages are let in."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gm_task import queues
from gm_task.config import BUILT_IN_FUNCTIONS
from gm_task.consumer import MessageRefused, check_message
from gm_task.registry import RegistryError, load_functions, task_function
from gm_task.runner import find_task_id, owner_name


def work(_context: Any) -> None:
    """Stand for any function."""


@pytest.fixture
def make_module() -> Iterator[Callable[..., str]]:
    made: list[str] = []

    def make(name: str, **members: Any) -> str:
        module = types.ModuleType(name)
        vars(module).update(members)
        sys.modules[name] = module
        made.append(name)
        return name

    yield make
    for name in made:
        del sys.modules[name]


def named(name: str) -> Any:
    def function(_context: Any) -> None:
        """Do nothing."""

    return task_function(name=name)(function)


def test_the_built_in_functions_have_their_dotted_paths() -> None:
    assert sorted(load_functions(BUILT_IN_FUNCTIONS)) == [
        "gm_task.functions.handlers.run_handler",
        "gm_task.functions.orders.export_orders",
        "gm_task.functions.orders.import_orders",
    ]


def test_only_marked_functions_are_registered(make_module: Callable[..., str]) -> None:
    module = make_module("shop_a", marked=named("shop.marked"), unmarked=work, system=__import__("os").system)

    assert list(load_functions([module])) == ["shop.marked"]


def test_the_documents_options_are_accepted() -> None:
    assert task_function(acks_late=True, queue="gm_task")(work) is work


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(TypeError, match="acks_lat"):
        task_function(acks_lat=True)


def test_two_functions_of_one_name_are_refused(make_module: Callable[..., str]) -> None:
    module = make_module("shop_b", one=named("shop.same"), two=named("shop.same"))

    with pytest.raises(RegistryError, match=r"shop\.same"):
        load_functions([module])


def test_one_function_seen_from_two_modules_is_one(make_module: Callable[..., str]) -> None:
    function = named("shop.once")

    functions = load_functions([make_module("shop_c", a=function), make_module("shop_d", b=function)])

    assert functions == {"shop.once": function}


@pytest.mark.parametrize("name", ["nodots", "../x.y", "a.b c", "a." + "b" * 64])
def test_a_malformed_name_is_refused(make_module: Callable[..., str], name: str) -> None:
    with pytest.raises(RegistryError):
        load_functions([make_module("shop_e", a=named(name))])


def test_a_module_that_is_not_there_is_named() -> None:
    with pytest.raises(RegistryError, match=r"no\.such\.module"):
        load_functions(["no.such.module"])


def test_a_worker_serves_all_queues_or_those_named() -> None:
    assert queues.choose([]) == queues.QUEUES
    assert queues.choose(["gm_task"]) == ("gm_task",)
    with pytest.raises(queues.UnknownQueue, match="elsewhere"):
        queues.choose(["elsewhere"])


@pytest.mark.parametrize("args", [[], [1, 2], ["1"], [True], [0], [-1], [2**63], [1.0], None, "1", {"a": 1}])
def test_what_is_no_task_id_is_found_to_be_none(args: Any) -> None:
    assert find_task_id(args) is None


def test_owner_names_fit_their_column() -> None:
    assert owner_name("worker", "m-1") == "worker|m-1"
    assert len(owner_name("worker", "m" * 500)) == 128


class Arrived:
    """A message as kombu gives it."""

    def __init__(self, payload: Any = None, **headers: Any) -> None:
        self.headers: Any = {"task": "shop.work", "id": "m-1", **headers}
        self.payload = [[7], {}, {"callbacks": None, "chain": None}] if payload is None else payload


def test_a_doorbell_is_let_in() -> None:
    check_message(Arrived(timelimit=[None, None], retries=0, run_count=1))


@pytest.mark.parametrize(
    "message",
    [
        Arrived(task=[]),
        Arrived(task=""),
        Arrived(id=None),
        Arrived(id="m" * 65),
        Arrived(eta="2099-01-01T00:00:00"),
        Arrived(expires=1),
        Arrived(timelimit=[None, 1]),
        Arrived(group="g"),
        Arrived(compression="gzip"),
        Arrived("text"),
        Arrived([]),
        Arrived([["7"], {}, {}]),
        Arrived([[7], {"x": 1}, {}]),
        Arrived([[7], {}, {"chain": [{"task": "os.system"}]}]),
        Arrived([[7], {}]),
    ],
)
def test_whatever_is_no_doorbell_is_refused(message: Arrived) -> None:
    with pytest.raises(MessageRefused):
        check_message(message)
