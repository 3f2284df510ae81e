"""How a command starts: without what no task needs of `invoke`, and with what Python has compiled before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from srv6lab.host import bytecode
from tests.conftest import REPOSITORY
from tests.test_setup import ready_clone, run

__all__ = ["ready_clone"]

STARTED = """
import sys
from pathlib import Path
from srv6lab.start import imported

program = imported()
assert program.name == "Invoke"
late = {"asyncio", "email", "unittest.mock", "importlib.metadata", "yaml", "invoke.vendor.yaml"}
assert not late & set(sys.modules), late & set(sys.modules)

from importlib import metadata
from unittest.mock import Mock
from invoke import MockContext
from invoke.config import Config
assert metadata.version("invoke")[0].isdigit() and Mock().anything()

settings = Path(sys.argv[1])
settings.write_text("mine: [1, 2]")
config = Config(runtime_path=str(settings))
config.load_runtime()
assert config.mine == [1, 2]
"""


def test_what_is_put_aside_is_there_for_who_asks_later(tmp_path: Path) -> None:
    line = [sys.executable, "-c", STARTED, str(tmp_path / "invoke.yaml")]
    done = subprocess.run(line, cwd=REPOSITORY, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_its_version_is_said(ready_clone: Path) -> None:
    """By the program that setup makes of the one that pip has written; a second time it has nothing to change."""
    program = ready_clone / ".venv/bin/invoke"
    program.write_text("import sys\nfrom invoke.main import program\nsys.exit(program.run())\n")
    (ready_clone / "srv6lab").symlink_to(REPOSITORY / "srv6lab")
    written = []
    for _ in range(2):
        assert run("scripts/setup", "lab", cwd=ready_clone).returncode == 0
        written.append(program.read_text())
    assert "from srv6lab.start import imported" in written[0] and written[0] == written[1]
    done = run(sys.executable, program, "--version", cwd=ready_clone)
    assert done.returncode == 0 and done.stdout.startswith("Invoke ") and done.stdout[7].isdigit()


def kept(env: dict[str, str]) -> str:
    script = (
        "import sys; sys.dont_write_bytecode = True; import srv6lab.cli; print(not sys.dont_write_bytecode)"
    )
    line = [sys.executable, "-c", script]
    return subprocess.run(line, cwd=REPOSITORY, env=env, capture_output=True, text=True).stdout.strip()


def test_what_is_compiled_is_kept_but_where_it_is_not_wanted() -> None:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    assert kept(env) == "True"
    assert kept({**env, "PYTHONDONTWRITEBYTECODE": "1"}) == "False"


def test_nothing_is_left_in_a_folder_of_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(os, "geteuid", lambda: bytecode.PACKAGE.stat().st_uid + 1)
    bytecode.keep()
    assert sys.dont_write_bytecode


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 1), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
@pytest.mark.parametrize("ignored", [False, True])
def test_a_signal_while_all_is_imported_is_no_traceback(number: int, code: int, ignored: bool) -> None:
    lines = [
        "import os, signal",
        f"signal.signal({int(number)}, signal.SIG_IGN)" if ignored else "",
        "from srv6lab.start import imported",
        "imported()",
        f"os.kill(os.getpid(), {int(number)})",
    ]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == ((0, "") if ignored else (code, "interrupted\n"))
