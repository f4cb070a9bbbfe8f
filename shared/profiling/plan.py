"""Which requests and runs are profiled, and how: by the operator's key, by a mark, by every n-th call."""

from __future__ import annotations

import hmac
import threading
from collections import Counter
from collections.abc import Mapping
from fnmatch import fnmatchcase

from shared.profiling.session import Session, Subject
from shared.profiling.store import ProfileStore
from shared.profiling.switch import limits_of
from shared.profiling.ways import WAYS
from shared.settings import CommonSettings

PARAMETER = "x_profile"
ID_HEADER = "X-Profile-Id"
"""of the answer: the record's id"""


class ProfilePlan:
    """Decides for one process."""

    def __init__(self, store: ProfileStore, key: str, every: Mapping[str, int], way: str) -> None:
        self.store = store
        self.key = key
        self.way = way
        self._every = {pattern: max(1, nth) for pattern, nth in every.items()}
        self._calls: Counter[str] = Counter()
        self._turn = threading.Lock()

    def begin(self, subject: Subject) -> Session:
        """Return a session that has begun; the internal calls made meanwhile are profiled with it."""
        session = Session(subject, self.store, self.key)
        session.start()
        return session

    def opens(self, offered: str) -> bool:
        """Tell whether this is the operator's key."""
        return bool(self.key) and hmac.compare_digest(offered.encode("utf-8", "surrogateescape"), self.key.encode())

    def way_of_nth(self, name: str) -> str | None:
        """Count a call of `name`, and return how it is profiled if it is the n-th of a pattern."""
        for pattern, nth in self._every.items():
            if fnmatchcase(name, pattern):
                with self._turn:
                    self._calls[pattern] += 1
                    return self.way if self._calls[pattern] % nth == 0 else None
        return None


def plan_of(settings: CommonSettings) -> ProfilePlan | None:
    """Return what the settings ask for; None without a folder, where nothing is ever profiled by switch."""
    if settings.profile_dir is None:
        return None
    key = settings.profile_key.get_secret_value() if settings.profile_key else ""
    store = ProfileStore(settings.profile_dir, limits_of(settings))
    return ProfilePlan(store, key, settings.profile_every, settings.profile_way)


def is_way(text: str) -> bool:
    """Tell whether this names a way to profile."""
    return text in WAYS
