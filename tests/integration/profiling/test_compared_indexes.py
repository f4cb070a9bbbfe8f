"""`gm profile indexes`: what differs between two databases, and a sentence where one of them can't be read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shared.database import make_engine
from shared.profiling.cli import profile as command
from tests.support.mariadb import MariaDbServer
from tests.support.processes import free_port

TABLE = "CREATE TABLE shop (id integer PRIMARY KEY, a varchar(40), b varchar(40), c integer)"
SECRET = "pass-word-77"


def compare(first: object, second: object) -> Result:
    return CliRunner().invoke(command, ["indexes", str(first), str(second)])


@pytest.fixture
def make_file(tmp_path: Path) -> Callable[..., Path]:
    """Return what makes an SQLite file with a table and the indexes that are given."""

    def make(name: str, *indexes: str) -> Path:
        connection = sqlite3.connect(tmp_path / name)
        for statement in (TABLE, *indexes):
            connection.execute(statement)
        connection.commit()
        connection.close()
        return tmp_path / name

    return make


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (
            "UNIQUE INDEX x ON shop (a)",
            "UNIQUE INDEX x ON shop (a) WHERE c = 1",
            "unique index on shop (a) where c = 1",
        ),
        ("INDEX x ON shop (a) WHERE c = 1", "INDEX x ON shop (a) WHERE c = 2", "index on shop (a) where c = 2"),
        ("INDEX x ON shop (a)", "INDEX x ON shop (lower(a))", "index on shop (lower(a))"),
        ("INDEX x ON shop (lower(a))", "INDEX x ON shop (upper(a), b)", "index on shop (upper(a), b)"),
        ("INDEX x ON shop (a, b)", "INDEX x ON shop (a, b DESC)", "index on shop (a, b DESC)"),
        ("INDEX x ON shop (a)", "INDEX x ON shop (a COLLATE NOCASE)", "index on shop (a COLLATE NOCASE)"),
        ("INDEX x ON shop (a)", "UNIQUE INDEX x ON shop (a)", "unique index on shop (a)"),
        ("INDEX x ON shop (a, b)", "INDEX x ON shop (b, a)", "index on shop (b, a)"),
    ],
)
def test_conditions_expressions_order_and_collation_make_another_index(
    make_file: Callable[..., Path], first: str, second: str, told: str
) -> None:
    done = compare(make_file("first.db", f"CREATE {first}"), make_file("second.db", f"CREATE {second}"))

    assert done.exit_code == 1
    assert done.output.splitlines()[1] == f"the second database alone has the {told}"
    assert done.output.startswith("the second database lacks the ")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("INDEX x ON shop (a, b)", "INDEX other ON shop (A ASC, `b`)"),
        ("INDEX x ON shop (lower(a)) WHERE c = 'X'", 'INDEX x ON "shop" ( LOWER( "A" ) )  where  C=\'X\''),
        ("INDEX x ON shop (a) WHERE c = 1", "INDEX x ON shop (a) WHERE (c = 1)"),
    ],
)
def test_how_an_index_is_called_and_written_makes_no_difference(
    make_file: Callable[..., Path], first: str, second: str
) -> None:
    done = compare(make_file("first.db", f"CREATE {first}"), make_file("second.db", f"CREATE {second}"))

    assert (done.exit_code, done.output) == (0, "Both databases have the same indexes.\n")


def test_lengths_and_kinds_make_another_index_on_mariadb(make_database_url: Callable[[str], str]) -> None:
    urls = [make_database_url("mariadb") for _ in range(2)]
    made = (
        ("CREATE INDEX x ON shop (a(10))", "CREATE INDEX y ON shop (b)", "CREATE UNIQUE INDEX z ON shop (c)"),
        ("CREATE INDEX x ON shop (a)", "CREATE FULLTEXT INDEX y ON shop (b)", "CREATE UNIQUE INDEX z ON shop (c)"),
    )
    for url, statements in zip(urls, made, strict=True):
        engine = make_engine(url)
        with engine.begin() as connection:
            for statement in (TABLE, *statements):
                connection.exec_driver_sql(statement)
        engine.dispose()

    done = compare(*urls)

    assert done.exit_code == 1
    assert done.output.splitlines() == [
        "the second database lacks the index on shop (a(10))",
        "the second database lacks the index on shop (b)",
        "the second database alone has the index on shop (a)",
        "the second database alone has the fulltext index on shop (b)",
    ]


def test_a_database_of_each_kind_with_the_same_indexes_agree(
    make_file: Callable[..., Path], make_database_url: Callable[[str], str]
) -> None:
    index = "CREATE UNIQUE INDEX x ON shop (a, b)"
    url = make_database_url("mariadb")
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(TABLE)
        connection.exec_driver_sql(index)
    engine.dispose()

    assert compare(url, make_file("first.db", index)).output == "Both databases have the same indexes.\n"


@pytest.mark.parametrize(
    ("address", "told"),
    [
        (f"nosuch://clerk:{SECRET}@127.0.0.1/shop", "nosuch is none of the databases that are compared"),
        (f"mysql+nosuch://clerk:{SECRET}@127.0.0.1/shop", "There is no driver mysql+nosuch here"),
        (f"mysql://clerk:{SECRET}@127.0.0.1/shop", "There is no driver mysql here"),
        (f"mysql+pymysql://clerk:{SECRET}@127.0.0.1:x/shop", "That is no address"),
        (f"mysql+pymysql://clerk:a@{SECRET}@127.0.0.1/shop", "The address has more than one @"),
        (f"mysql+pymysql://clerk:{SECRET}@127.0.0.1/shop?nosuch=1", "can't be read"),
        ("sqlite:////absent/shop.db", "There is no SQLite file /absent/shop.db."),
        ("sqlite://", "There is no SQLite file"),
        ("absent.txt", "absent.txt: No such file or directory."),
    ],
)
def test_what_is_no_database_is_told_in_a_sentence_and_without_a_password(
    make_file: Callable[..., Path], address: str, told: str
) -> None:
    done = compare(make_file("first.db"), address)

    assert done.exit_code == 2
    assert told in done.output
    assert SECRET not in done.output
    assert isinstance(done.exception, SystemExit)


def test_a_missing_sqlite_file_is_not_made(make_file: Callable[..., Path], tmp_path: Path) -> None:
    done = compare(make_file("first.db"), f"sqlite:///{tmp_path}/second.db")

    assert done.exit_code == 2
    assert not (tmp_path / "second.db").exists()


def test_a_file_that_is_none_of_sqlites_is_told(make_file: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "second.db").write_bytes(b"\x00 no database " * 100)

    done = compare(make_file("first.db"), f"sqlite:///{tmp_path}/second.db")

    assert done.exit_code == 2
    assert "file is not a database" in done.output


def test_comparing_changes_nothing_of_a_file(make_file: Callable[..., Path], tmp_path: Path) -> None:
    first, second = make_file("first.db"), make_file("second.db")
    before = first.read_bytes()

    assert compare(first, second).exit_code == 0

    assert first.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.db", "second.db"]


def test_a_refused_connection_and_a_wrong_password_are_told(
    make_file: Callable[..., Path], mariadb_server: MariaDbServer
) -> None:
    for port, told in ((free_port(), "Can't connect"), (mariadb_server.port, "Access denied for user 'clerk'")):
        done = compare(make_file(f"{port}.db"), f"mysql+pymysql://clerk:{SECRET}@127.0.0.1:{port}/shop")

        assert done.exit_code == 2
        assert told in done.output
        assert SECRET not in done.output
