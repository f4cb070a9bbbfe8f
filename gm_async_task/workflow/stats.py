"""The words that answers of /xingqiao carry in `stat`, and how a use case refuses."""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class Stat(StrEnum):
    """What a caller or a job is told; handlers may return further words of their own."""

    OK = "OK"
    BAD_PARAMS = "ERR_BAD_PARAMS"
    SERVER_EXCEPTION = "ERR_SERVER_EXCEPTION"
    JOB_EXIST = "ERR_JOB_EXIST"
    """the name is taken"""
    JOB_NOT_EXIST = "ERR_JOB_NOT_EXIST"
    JOB_TYPE_NOT_EXISTS = "ERR_JOB_TYPE_NOT_EXISTS"
    """no plugin has this name"""
    JOB_EXTRA_INVALID = "ERR_JOB_EXTRA_INVALID"
    JOB_CREATE_FAILED = "ERR_JOB_CREATE_FAILED"
    JOB_LOCKED = "ERR_JOB_LOCKED"
    JOB_STATUS_NOT_FAILED = "ERR_JOB_STATUS_NOT_FAILED"
    JOB_EXE_FAILED = "ERR_JOB_EXE_FAILED"
    """a job failed, and none of its tasks says why"""
    JOB_EXE_TIMEOUT = "ERR_JOB_EXE_TIMEOUT"
    TASK_NOT_EXIST = "ERR_TASK_NOT_EXIST"
    TASK_TIMEOUT = "ERR_TASK_TIMEOUT"
    TASK_REQUIRES = "ERR_TASK_REQUIRES"
    """a required key is nowhere to be found"""
    TASK_PROVIDES = "ERR_TASK_PROVIDES"
    """the result lacks a promised key"""
    HANDLER_NOT_EXISTS = "ERR_HANDLER_NOT_EXISTS"
    GRAPHVIZ_MISSING = "ERR_GRAPHVIZ_MISSING"
    """no program here draws pictures"""
    GRAPH_FAILED = "ERR_GRAPH_FAILED"


class Refused(Exception):
    """A use case refuses; `facts` stand in the answer beside `stat` and `msg`."""

    def __init__(self, stat: Stat, msg: str, **facts: Any) -> None:
        super().__init__(msg)
        self.stat = stat
        self.msg = msg
        self.facts = facts
