"""S-j: nothing in the tree can run what it was sent, and no file holds what must not be published."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("shared", "gm_async_task", "gm_task", "gm_service")
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "marshal", "shelve", "yaml"}
FORBIDDEN_CALLS = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "os.system",
    "os.popen",
    "importlib.import_module",
    "import_module",
}
# Each exception with its reason.
ALLOWED = {
    ("gm_task/registry.py", "importlib.import_module"): "loads the modules that the operator's settings name",
    ("shared/file_modules.py", "exec"): "runs the plugin and handler files in the folders that the settings name",
}


def _sources() -> Iterator[Path]:
    for room in ROOMS:
        yield from (ROOT / room).rglob("*.py")


def _findings(path: Path) -> Iterator[tuple[str, str]]:
    name = path.relative_to(ROOT).as_posix()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((name, alias.name) for alias in node.names if alias.name.split(".")[0] in FORBIDDEN_MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in FORBIDDEN_MODULES:
            yield name, str(node.module)
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in FORBIDDEN_CALLS:
                yield name, called
            if any(word.arg == "shell" and ast.unparse(word.value) != "False" for word in node.keywords):
                yield name, "shell=True"


def test_nothing_runs_what_it_was_sent() -> None:
    found = {finding for path in _sources() for finding in _findings(path)}

    assert found - set(ALLOWED) == set()


def test_exceptions_are_still_needed() -> None:
    found = {finding for path in _sources() for finding in _findings(path)}

    assert set(ALLOWED) <= found


def test_bandit_finds_nothing() -> None:
    done = subprocess.run(
        [ROOT / ".venv/bin/bandit", "-q", "-ll", "-r", *ROOMS], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize(
    "name",
    [
        "requirements.txt",
        "requirements-dev.txt",
        *sorted(f"requirements/{path.name}" for path in (ROOT / "requirements").iterdir()),
    ],
)
def test_requirements_are_pinned_with_hashes_and_hold_no_address(name: str) -> None:
    text = (ROOT / name).read_text()
    pins = re.findall(
        r"^([a-z0-9][a-z0-9._-]*)==\S+ (?:; [^\\]*)?\\\n((?:    --hash=sha256:[0-9a-f]{64}.*\n)+)", text, re.M
    )
    entries = re.findall(r"^[a-zA-Z0-9]", text, re.M)

    assert len(pins) == len(entries) > 20
    assert not re.search(r"://|--index|--find-links|--extra", text)


def test_tracked_files_name_no_machine_and_no_registry() -> None:
    # Written apart, so that this file does not find itself.
    words = [
        "/wor" + "k/",
        "/ro" + "ot/",
        "pypi" + ".org",
        "registry.npm" + "js",
        "deb.deb" + "ian",
        "pythonhos" + "ted",
    ]
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    texts = {name: (ROOT / name.decode()).read_bytes() for name in tracked if name and (ROOT / name.decode()).is_file()}

    found = [(name, word) for name, text in texts.items() for word in words if word.encode() in text]

    assert found == []
