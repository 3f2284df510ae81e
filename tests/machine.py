"""What a machine looks like from outside a lab: taken before and after, the two are equal."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from srv6lab.providers import ushered

_BPF = {"x86_64": 321, "aarch64": 280}
_NEXT_IDS = {"program": 11, "map": 12, "link": 31}


MARK = "SRV6LAB_TEST_MARK"


# What others may take away meanwhile: the kernel frees bpf objects of namespaces in the background.
_FLEETING = frozenset({"bpf", "tmp", "groups"})


def picture(mark: str) -> dict[str, frozenset[str]]:
    """Links, mounts, bpf objects, labs' control groups that nobody is in, /run, /tmp; and what belongs to processes that have `mark` as the
    value of MARK in their environment, as every process has that was started with it."""
    return {
        "links": frozenset(path.name for path in Path("/sys/class/net").iterdir()),
        "mounts": frozenset(Path("/proc/self/mountinfo").read_text().splitlines()),
        "bpf": frozenset(_bpf_objects()),
        "groups": frozenset(empty_groups()),
        "run": _tree(Path("/run")),
        "tmp": frozenset(path.name for path in Path("/tmp").iterdir() if "pytest" not in path.name),
        "processes": frozenset(marked(mark)),
    }


@contextmanager
def nothing_left() -> Iterator[str]:
    """The machine is after the block what it was before; yields the mark of what is started in it."""
    mark = uuid.uuid4().hex
    before = picture(mark)
    os.environ[MARK] = mark
    try:
        yield mark
    finally:
        del os.environ[MARK]
        ushered.end()  # which is this process's own, and serves all labs
    assert settles(lambda: not changes(before, picture(mark))), changes(before, picture(mark))


def empty_groups() -> list[str]:
    """The control groups of labs that are gone: of one that runs, somebody is in it."""
    found = []
    for group in (*Path("/sys/fs/cgroup").glob("srv6lab-*"), *Path("/sys/fs/cgroup").glob("*/srv6lab-*")):
        try:
            if not (group / "cgroup.procs").read_text():
                found.append(str(group))
        except OSError:  # gone meanwhile
            continue
    return found


def changes(before: dict[str, frozenset[str]], after: dict[str, frozenset[str]]) -> dict[str, list[str]]:
    """What is new, and what is gone though nobody else takes it away."""
    new = {key: sorted(f"+ {one}" for one in after[key] - before[key]) for key in before}
    gone = {key: sorted(f"- {one}" for one in before[key] - after[key]) for key in before}
    return {key: found for key in before if (found := new[key] + ([] if key in _FLEETING else gone[key]))}


def marked(mark: str) -> list[str]:
    """The marked processes: PID, command line, and the namespaces that they keep."""
    word = f"{MARK}={mark}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if word in (folder / "environ").read_bytes().split(b"\0"):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                kept = [str((folder / "ns" / kind).readlink()) for kind in ("net", "mnt", "pid", "uts")]
                found.append(f"{folder.name} {command} {kept}")
        except OSError:
            continue
    return sorted(found)


def settles(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Whether a condition comes true in time: the kernel takes namespaces away in the background."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _tree(root: Path) -> frozenset[str]:
    return frozenset(str(path) for path in root.rglob("*") if not path.name.endswith(".lock"))


def _bpf_objects() -> Iterator[str]:
    libc = ctypes.CDLL(None, use_errno=True)
    number = _BPF[os.uname().machine]
    for kind, command in _NEXT_IDS.items():
        last = 0
        while True:
            attributes = ctypes.create_string_buffer(struct.pack("=III", last, 0, 0), 128)
            if libc.syscall(number, command, attributes, 128) != 0:
                break
            last = struct.unpack_from("=II", attributes)[1]
            yield f"{kind} {last}"


def anybodys_python() -> str:
    """A Python that every user of this machine may run: this one's may lie in a folder of root's."""
    real = Path(sys.executable).resolve()
    closed = any(not folder.stat().st_mode & 0o001 for folder in real.parents)
    return "/usr/bin/python3" if closed else str(real)


def site_packages() -> list[str]:
    """Where this Python's packages lie, for another one's path."""
    return [one for one in sys.path if "site-packages" in one]
