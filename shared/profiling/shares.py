"""Where the time went: our own code, SQL, HTTP, waiting, libraries; by what every profile knows of its functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.profiling.ledger import ROOT
from shared.profiling.pstat_tables import Place, Table

_SOCKET_FILES = ("/socket.py", "/ssl.py")
# What has no name belongs to its callers.
_FILES = {
    # A sample of the ledger's cursor is one of the driver, whose C functions have no frame.
    "SQL": ("/sqlalchemy/", "/pymysql/", "/alembic/", "/sqlite3/", "/shared/profiling/statements.py"),
    "HTTP": ("/urllib3/", "/requests/", "/http/client.py", "/botocore/", "/boto3/"),
    "waiting": ("/selectors.py", "/threading.py", "/subprocess.py"),
    "": _SOCKET_FILES,
}
_PROFILER = "/shared/profiling/"
"""what watches is nobody's slow code"""
_SQL_BUILT_IN = ("sqlite3.", "of 'sqlalchemy.")
_WAITING = ("time.sleep", "'acquire' of '_thread", "select.", "'poll' of", "waitpid", "posix.read")
_SOCKETS = ("_socket.socket", "_ssl._SSLSocket")
_CATEGORIES = ("our code", "SQL", "HTTP", "waiting", "libraries")


@dataclass(frozen=True, slots=True)
class Shares:
    """Seconds by category; they add up to the whole."""

    seconds: dict[str, float]

    @property
    def total(self) -> float:
        """All of it."""
        return sum(self.seconds.values())

    @property
    def waited(self) -> float:
        """For others: databases, services, locks."""
        return sum(self.seconds.get(name, 0.0) for name in ("SQL", "HTTP", "waiting"))


def share_out(table: Table) -> Shares:
    """Share a profile's own seconds out.

    What belongs to nobody by itself, as a socket's read does, goes to those who called it, as they used it.
    """
    return Shares({name: seconds for name, seconds in _sums(table).items() if seconds > 0})


def put_in(outer: Shares, inner: Shares, inside: str) -> Shares:
    """Say what an outer part's waiting was for: `inner` comes out of `inside` (HTTP or waiting) as far as it was seen.

    A call in another process can't be in the caller's own profile, in which all of it is waiting for an answer.
    """
    sums = dict(outer.seconds)
    taken = min(inner.total, sums.get(inside, 0.0))
    if inner.total <= 0 or taken <= 0:
        return outer
    sums[inside] -= taken
    for name, seconds in inner.seconds.items():
        sums[name] = sums.get(name, 0.0) + seconds * taken / inner.total
    return Shares({name: seconds for name, seconds in sums.items() if seconds > 0})


def is_our_code(place: Place) -> bool:
    """Tell whether a function is neither built in nor a library's."""
    return _category(place) == "our code"


def where_it_waits(table: Table) -> Place | None:
    """Return the function that waited longest, for a lock, a process or a socket; None where none did."""
    waits = [place for place in table if _category(place) == "waiting" or _is_socket(place)]
    return max(waits, key=lambda place: table[place][2], default=None)


def _is_socket(place: Place) -> bool:
    if place[0] in ("~", ""):
        return any(part in place[2] for part in _SOCKETS)
    return any(part in place[0] for part in _SOCKET_FILES)


def share_without_profile(records: list[dict[str, Any]]) -> Shares:
    """Say what a ledger alone tells: SQL by its own measure, the processor's time beside it, and the rest."""
    total = sum(record["seconds"] for record in records)
    cpu = sum(record["cpu_seconds"] for record in records)
    sql = min(total, sum(entry["total_seconds"] for record in records for entry in record["ledger"]))
    code = max(0.0, min(cpu, total - sql))
    return Shares({"our code": code, "SQL": sql, "waiting": max(0.0, total - sql - code)})


def _sums(table: Table) -> dict[str, float]:
    sums = dict.fromkeys(_CATEGORIES, 0.0)
    for place, row in table.items():
        own = _category(place)
        if own is not None:
            sums[own] += row[2]
            continue
        for name, seconds in _by_callers(table, place, row[2], 0).items():
            sums[name] += seconds
    return sums


def _by_callers(table: Table, place: Place, seconds: float, depth: int) -> dict[str, float]:
    """Spread a function's own seconds over its callers by the time it took under each; three steps up at most."""
    callers = {caller: counts for caller, counts in table[place][4].items() if isinstance(counts, tuple)}
    whole = sum(counts[2] for counts in callers.values()) or sum(counts[3] for counts in callers.values())
    if not callers or whole <= 0 or depth > 2:
        return {"libraries": seconds}
    column = 2 if sum(counts[2] for counts in callers.values()) > 0 else 3
    sums: dict[str, float] = {}
    for caller, counts in callers.items():
        part = seconds * counts[column] / whole
        known = _category(caller)
        shared = {known: part} if known or caller not in table else _by_callers(table, caller, part, depth + 1)
        for name, value in shared.items():
            sums[name or "libraries"] = sums.get(name or "libraries", 0.0) + value
    return sums


def _category(place: Place) -> str | None:
    """Return whose a function is; None where its callers say."""
    file, _line, function = place
    if file in ("~", "") or file.startswith("<"):
        return _category_of_built_in(function)
    known = next((name for name, parts in _FILES.items() if any(part in file for part in parts)), None)
    if known is None:
        is_library = ("/site-packages/" in file or "/lib/python" in file) and not is_below(file)
        known = "libraries" if is_library or _PROFILER in file else "our code"
    return known or None


def _category_of_built_in(function: str) -> str | None:
    if any(part in function for part in _SQL_BUILT_IN):
        return "SQL"
    return "waiting" if any(part in function for part in _WAITING) else None


def is_below(file: str) -> bool:
    """Tell whether a file is the project's own."""
    return file.startswith(f"{ROOT}/") and "/site-packages/" not in file
