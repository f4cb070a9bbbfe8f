"""This host's supervisord, asked over its socket."""

from __future__ import annotations

import http.client
from dataclasses import dataclass
from typing import Any
from xmlrpc.client import Fault, ServerProxy  # nosec B411: only our own supervisord, over its socket, is listened to

from supervisor.states import STOPPED_STATES
from supervisor.xmlrpc import Faults, SupervisorTransport


class SupervisorAway(Exception):
    """supervisord does not answer, or refuses, in a sentence."""


@dataclass(frozen=True, slots=True)
class Program:
    """A process of one of supervisor's groups."""

    name: str
    group: str
    state: str
    pid: int
    """0 while it does not run"""
    is_down: bool
    """stopped, ended or given up"""
    log: str = ""
    """the file of what it prints"""


class Supervisor:
    """supervisord at `socket`, a path; every call may raise SupervisorAway."""

    def __init__(self, socket: str) -> None:
        self._socket = socket

    def update(self) -> list[str]:
        """Read the configuration anew and take it up; return the groups that changed and still run as they did."""
        [[added, changed, removed]] = self._call("reloadConfig")
        for group in added:
            self._call("addProcessGroup", group)
        for group in [*changed, *removed]:
            if not self.running(group):
                self._call("removeProcessGroup", group)
                if group in changed:
                    self._call("addProcessGroup", group)
        return [group for group in [*changed, *removed] if self.running(group)]

    def programs(self, group: str | None = None) -> list[Program]:
        """Return the programs of a group, or all."""
        return [
            Program(
                each["name"],
                each["group"],
                each["statename"],
                each["pid"],
                int(each["state"]) in STOPPED_STATES,
                each["stdout_logfile"],
            )
            for each in self._call("getAllProcessInfo")
            if group in (None, each["group"])
        ]

    def running(self, group: str) -> list[Program]:
        """Return those of a group's programs that have a process."""
        return [program for program in self.programs(group) if program.pid]

    def start_group(self, group: str) -> None:
        """Start every program of the group that is down, without waiting for them."""
        self._call("startProcessGroup", group, False)

    def stop_group(self, group: str) -> None:
        """Ask every program of the group to end, and return when all have; supervisor kills those over their time."""
        self._call("stopProcessGroup", group, True)

    def stop(self, program: Program) -> None:
        """Ask one program to end, and not to come back; supervisor kills it if it is over its time."""
        self._call("stopProcess", f"{program.group}:{program.name}", False)

    def _call(self, method: str, *parameters: object) -> Any:
        # One connection a call: stopping takes minutes, and nothing is gained by keeping one.
        server = ServerProxy("http://127.0.0.1", transport=SupervisorTransport("", "", f"unix://{self._socket}"))
        try:
            return getattr(server.supervisor, method)(*parameters)
        except Fault as fault:
            what = f"{method} {' '.join(map(str, parameters))}".strip()
            if fault.faultCode == Faults.BAD_NAME:
                raise SupervisorAway(f"supervisord has no group {parameters[0]}; are its files in place?") from fault
            raise SupervisorAway(f"supervisord refuses {what}: {fault.faultString}") from fault
        except (OSError, http.client.HTTPException) as error:
            raise SupervisorAway(f"supervisord does not answer at {self._socket}: {error}") from error
