"""What is made once for a folder of the platform and kept in its `env`: keys, passwords, tokens, ports."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from shared.ops import ports


class Kept:
    """Hands out what was made before, and else makes it; `values` is what was handed out."""

    def __init__(self, before: Mapping[str, str]) -> None:
        self._before = before
        self.values: dict[str, str] = {}

    def secret(self, name: str, random_bytes: int = 36) -> str:
        """Return a secret, safe in addresses and files."""
        return self.value(name, secrets.token_urlsafe(random_bytes))

    def value(self, name: str, first: str) -> str:
        """Return what `name` was before, at first `first`, and keep it."""
        return self.values.setdefault(name, self.before(name, first))

    def before(self, name: str, otherwise: str) -> str:
        """Return what `name` was before."""
        return self._before.get(name, otherwise)

    def port(self, name: str, first: int) -> int:
        """Return a free port, that of before where it still is.

        Raises:
            OSError: no port near it is free.
        """
        taken = {int(value) for given, value in self.values.items() if given.endswith("_PORT")}
        port = ports.next_free(int(self._before.get(name, first)), taken)
        self.values[name] = str(port)
        return port
