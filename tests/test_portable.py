"""Everything up to rendering works where Unix's own modules are missing, as on Windows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conftest import LABS, REPOSITORY

UNIX = ("fcntl", "pwd", "grp", "termios", "resource", "pty", "tty", "posix_ipc", "readline", "syslog")

ABSENT = {
    "os": ("fork", "geteuid", "getuid", "killpg", "setsid", "uname", "mkfifo", "chown"),
    "signal": ("SIGHUP", "SIGKILL", "SIGUSR1", "pthread_sigmask", "sigwait"),
}

# A finder that knows better than the real one: these modules aren't there.
BLOCK = f"""
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name in {UNIX!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

for name in {UNIX!r}:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Refuse())

import asyncio, os, shutil, signal, subprocess, tempfile  # they adapt to the platform as they are imported
for module, names in {ABSENT!r}.items():
    for name in names:
        delattr(sys.modules[module], name)
"""

EVERYTHING = f"""
from pathlib import Path
import srv6lab
from srv6lab import lab, validate
from srv6lab.render import changes_of, render

site = lab.Site(Path({str(REPOSITORY)!r}))
course, broken = site.course()
assert sorted(one.name for one in course) == site.names() and not broken
for name in site.names():
    plan, warnings = site.load(site.refer(name))
    assert render(plan)
    for exercise in plan.exercises:
        for action in exercise.every_action():
            assert all(one.do for one in changes_of(plan, action))
    print(name)
assert validate.main(["--labs", str(site.labs), "--format", "json"]) == 0
from srv6lab import behaviors, doctor
from srv6lab.doctor import virtual
from srv6lab.machine.system import System
assert behaviors.report("", "text") and behaviors.report("", "json")
windows = System("windows", "Windows 11", "NT 10", "x86-64")
assert doctor.choose("", windows) == "virtualbox"
for provider in virtual.PROVIDERS:
    assert virtual.findings(provider, windows, {{}}, 0) and virtual.questions(provider, windows)
loaded = {UNIX!r}
assert not set(loaded) & set(sys.modules), set(loaded) & set(sys.modules)
"""


def python(script: str, cwd: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script], cwd=cwd, capture_output=True, text=True)


def test_labs_are_loaded_planned_rendered_and_validated_without_unix() -> None:
    done = python(BLOCK + EVERYTHING)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[: len(LABS)] == LABS


def test_the_tasks_can_be_read_without_unix() -> None:
    """What `invoke` imports; running a lab is another matter."""
    done = python(
        f"import invoke  # has a Windows side of its own\n{BLOCK}\nsys.argv = ['invoke', 'labs']\nimport tasks\nprint(tasks.SITE.names())"
    )
    assert done.returncode == 0, done.stderr


def test_the_block_blocks() -> None:
    done = python(f"{BLOCK}\nimport fcntl")
    assert done.returncode == 1
    assert "No module named 'fcntl'" in done.stderr
