"""Everything up to rendering works where Unix's own modules are missing, as on Windows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conftest import LABS, REPOSITORY

UNIX = ("fcntl", "pwd", "grp", "termios", "resource", "pty", "tty", "posix_ipc", "readline", "syslog")

ABSENT = {
    "os": ("fork", "geteuid", "getuid", "killpg", "setsid", "uname", "mkfifo", "chown", "O_CLOEXEC"),
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
from srv6lab.cli import tasks, validate
from srv6lab.cli.labs import LabsFolder
from srv6lab.live import lifecycle
from srv6lab.render.apply import changes_of
from srv6lab.render.day0 import render

site = LabsFolder(Path({str(REPOSITORY)!r}))
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
from srv6lab import doctor
from srv6lab.report.formats import BEHAVIORS
from srv6lab.doctor import vagrant
from srv6lab.host.system import System
assert all(form("") for form in BEHAVIORS.values())
windows = System("windows", "Windows 11", "NT 10", "x86-64")
assert doctor.choose("", windows) == "virtualbox"
for provider in vagrant.PROVIDERS:
    assert vagrant.findings(provider, windows, {{}}, 0) and vagrant.questions(provider, windows)
loaded = {UNIX!r}
assert not set(loaded) & set(sys.modules), set(loaded) & set(sys.modules)
"""


# Windows locks parts of files, and removes none that is open. This stands on the real flock.
LOCKING = """
import fcntl, os, sys, types
from pathlib import Path

def locking(descriptor, mode, size, flock=fcntl.flock, how=fcntl.LOCK_EX | fcntl.LOCK_NB):
    assert (mode, size) == (2, 1)
    try:
        flock(descriptor, how)
    except BlockingIOError:
        raise PermissionError(13, "Permission denied") from None

def unlink(path, *words, real=os.unlink, **options):
    for descriptor in os.listdir("/proc/self/fd"):
        if os.path.exists(f"/proc/self/fd/{descriptor}") and os.path.samefile(f"/proc/self/fd/{descriptor}", path):
            raise PermissionError(13, "it is open")
    real(path, *words, **options)
"""

LOCKED = """
from srv6lab.errors import UsageError
from srv6lab.providers.state import Home, State
sys.platform = "win32"
os.unlink = unlink
sys.modules["msvcrt"] = types.SimpleNamespace(locking=locking, LK_NBLCK=2)
home = Home(Path(sys.argv[1]) / ".srv6lab" / "lab")
with home.locked():
    try:
        with home.locked():
            raise SystemExit("two at once")
    except UsageError as error:
        assert "another command is at work on lab" in str(error)
    assert home._lock.exists()
assert not home.path.parent.exists()
with home.locked():
    home.write(State("lab", "lab", "virtualbox", "", "starting"))
assert home.read() and home._lock.exists()
with home.locked():
    home.forget(keep_runs=False)
assert not home.path.parent.exists(), list(home.path.iterdir())
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


def test_one_command_at_a_time_changes_an_instance_on_windows(tmp_path: Path) -> None:
    program = f"{LOCKING}{BLOCK}{LOCKED}"
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_block_blocks() -> None:
    done = python(f"{BLOCK}\nimport fcntl")
    assert done.returncode == 1
    assert "No module named 'fcntl'" in done.stderr
