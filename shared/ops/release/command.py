"""`gm ops release`."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import click

from shared.errors import PlatformError
from shared.ops.asking import platform_options
from shared.ops.platform import Platform
from shared.ops.release.interrupts import interrupt_when_told_to_end
from shared.ops.release.policy import Rules
from shared.ops.release.rollout import Plan, Rollout, Share
from shared.ops.release.slots import Slot, SlotError, choose, list_slots, one_at_a_time
from shared.ops.release.task_service import TaskServiceReleases
from shared.ops.supervisors import SupervisorAway
from shared.task_api.workers import ReleaseState

_RULES = Rules()
_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_SECONDS = click.FloatRange(min=0, min_open=True)


def _texts(_context: click.Context, _option: click.Parameter, value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _percents(context: click.Context, option: click.Parameter, value: str) -> tuple[int, ...]:
    try:
        percents = tuple(int(part) for part in _texts(context, option, value))
    except ValueError:
        percents = ()
    if not percents or list(percents) != sorted(percents) or not all(1 <= each <= 100 for each in percents):
        raise click.BadParameter("give rising numbers from 1 to 100, such as 10,50")
    return percents


def _pairs(_context: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs = [value.partition("=") for value in values]
    if wrong := [name for name, sign, _ in pairs if not (sign and _NAME.fullmatch(name))]:
        raise click.BadParameter(f"{wrong[0]} is no NAME=VALUE")
    return {name: value for name, _, value in pairs}


@click.command()
@click.argument("version", required=False)
@click.option("--home", type=click.Path(path_type=Path), help="Folder of the new version's code, with its .venv.")
@click.option("--python", type=click.Path(path_type=Path), help="Its interpreter.  [default: HOME/.venv/bin/python]")
@click.option(
    "--set", "extra", multiple=True, callback=_pairs, metavar="NAME=VALUE", help="A setting of the new version alone."
)
@click.option("--share", default="10,50", callback=_percents, show_default=True, help="Percent of each stage.")
@click.option("--stations", default="", callback=_texts, help="Only of these stations, separated by commas.")
@click.option("--queues", default="", callback=_texts, help="Only of these queues.")
@click.option(
    "--watch",
    type=_SECONDS,
    default=_RULES.watch_seconds,
    show_default=True,
    help="Seconds that each stage is watched.",
)
@click.option(
    "--min-ended",
    type=click.IntRange(min=1),
    default=_RULES.min_ended,
    show_default=True,
    help="Ended tasks that a stage wants.",
)
@click.option(
    "--max-failed",
    type=click.FloatRange(0, 1),
    default=_RULES.max_failed_share,
    show_default=True,
    help="Failed of ended, if nothing else runs.",
)
@click.option(
    "--max-delay",
    type=_SECONDS,
    default=_RULES.max_start_delay_seconds,
    show_default=True,
    help="Longest start delay in seconds.",
)
@click.option(
    "--start-within", type=_SECONDS, default=60.0, show_default=True, help="Seconds until its workers must report."
)
@click.option(
    "--drain",
    type=click.FloatRange(min=0),
    default=300.0,
    show_default=True,
    help="Seconds that the old version's runs get.",
)
@click.option("--follow", is_flag=True, help="Another host leads: do what it decides.")
@click.option("--back", is_flag=True, help="Roll the release back that is under way.")
@click.option("--status", is_flag=True, help="Tell how the newest release stands.")
@platform_options
def release(platform: Platform, version: str | None, back: bool, status: bool, **asked: Any) -> None:
    """Release VERSION of the workers on this host beside the running one, watch it, go on or go back.

    The code must stand in its folder already. On several hosts run it on one, and with --follow on the others.
    """
    releases = TaskServiceReleases(platform.workers(), patient=not status)
    try:
        if status:
            click.echo(_describe(releases))
        elif back:
            _go_back(platform, releases)
        elif version and asked["home"]:
            interrupt_when_told_to_end()
            with one_at_a_time(platform.etc):
                _release(platform, releases, version, asked)
        else:
            raise click.UsageError("Name the VERSION and its --home, or ask for --status or --back.")
    except (SlotError, SupervisorAway, PlatformError, OSError) as error:
        raise click.ClickException(str(error)) from error


def _release(platform: Platform, releases: TaskServiceReleases, version: str, asked: dict[str, Any]) -> None:
    new, old = choose(list_slots(platform.etc), version)
    is_tried = _find_tried(releases) == version
    if old is None and not new.is_free() and not is_tried:
        raise SlotError(f"{version} is what runs in slot {new.name}.")
    _refuse_unknown_queues(releases, asked["queues"])
    if asked["follow"] and not is_tried:
        raise SlotError(f"No release of {version} is under way that could be followed.")
    plan = Plan(
        version=version,
        values=_slot_values(version, asked),
        stages=[Share(percent, asked["stations"], asked["queues"]) for percent in asked["share"]],
        rules=Rules(asked["watch"], asked["min_ended"], asked["max_failed"], asked["max_delay"]),
        start_seconds=asked["start_within"],
        drain_seconds=asked["drain"],
        follow=asked["follow"],
        is_decided=new.version() == version and _is_newest_live(releases, version),
    )
    if not Rollout(releases, platform.supervisor(), click.echo).carry_out(plan, new, old):
        raise click.ClickException(f"{version} was rolled back.")
    click.echo(f"{version} is live.")


def _go_back(platform: Platform, releases: TaskServiceReleases) -> None:
    slots, version = list_slots(platform.etc), _find_tried(releases)
    rollout = Rollout(releases, platform.supervisor(), click.echo)
    if version is not None:
        new = _slot_of(version, slots) or Slot("none", platform.etc / "none")
        rollout.go_back(version, new, "an operator asked for it")
    elif left := _find_left(releases, slots):
        rollout.go_back(left.version() or "", left, "it was rolled back, and not stopped here", decides=False)
    else:
        raise SlotError("No release is under way.")


def _find_left(releases: TaskServiceReleases, slots: list[Slot]) -> Slot | None:
    """Return the slot, beside one in use, of the newest release where rolling it back was cut short on this host."""
    newest = releases.find().release
    if newest is None or newest.state is not ReleaseState.ROLLED_BACK or any(slot.is_free() for slot in slots):
        return None
    return _slot_of(newest.version, slots)


def _slot_of(version: str, slots: list[Slot]) -> Slot | None:
    return next((slot for slot in slots if slot.version() == version), None)


def _refuse_unknown_queues(releases: TaskServiceReleases, queues: tuple[str, ...]) -> None:
    """See that a stage is not watched in vain, and then taken for good, for a slip of the pen."""
    if not queues:
        return
    served = sorted({queue for worker in releases.workers() for queue in worker.queues})
    unknown = [queue for queue in queues if queue not in served]
    if unknown:
        raise SlotError(f"No worker serves the queue {unknown[0]}; those served are: {', '.join(served) or 'none'}.")


def _find_tried(releases: TaskServiceReleases) -> str | None:
    """Return the version that is being tried."""
    newest = releases.find().release
    return newest.version if newest is not None and newest.state is ReleaseState.GREY else None


def _is_newest_live(releases: TaskServiceReleases, version: str) -> bool:
    newest = releases.find().release
    return newest is not None and (newest.version, newest.state) == (version, ReleaseState.LIVE)


def _slot_values(version: str, asked: dict[str, Any]) -> dict[str, str]:
    home = asked["home"].absolute()
    python = asked["python"] or home / ".venv" / "bin" / "python"
    if not (home / "gm_task" / "worker.py").is_file():
        raise SlotError(f"{home} holds no release: gm_task/worker.py is not there.")
    if not os.access(python, os.X_OK):
        raise SlotError(f"{python} is not an interpreter; name it with --python.")
    return {**asked["extra"], "GM_RELEASE": version, "GM_HOME": str(home), "GM_PYTHON": str(python)}


def _describe(releases: TaskServiceReleases) -> str:
    found = releases.find().release
    if found is None:
        return "There was no release yet."
    seen = releases.look(found.version)
    of = ", ".join([*found.stations, *found.queues]) or "all stations and queues"
    lines = [f"{found.version} is {found.state.replace('_', ' ')}, begun {found.begun_at:%Y-%m-%d %H:%M:%S %z}"]
    if found.state is ReleaseState.GREY:
        lines[0] += f": {found.percent} % of {of}"
    if found.reason:
        lines.append(f"  why: {found.reason}")
    for name, lane in (("new", seen.grey), ("others", seen.base)):
        delay = "-" if lane.start_delay_p95 is None else f"{lane.start_delay_p95:.1f} s"
        lines.append(
            f"  {name:7} {lane.started} started, {lane.running} running, {lane.ended} ended, {lane.failed} failed, "
            f"start delay {delay}"
        )
    return "\n".join([*lines, f"  {seen.live_workers} of its workers are live"])
