"""The root file system of nodes that run FRR: this machine's own if its FRR is new enough, else one that is
built once and kept.

FRR's SRv6 of this lab needs 10.6, which no stable Debian has. So the newest Debian is installed into a folder
of the cache with mmdebstrap, from this machine's own apt sources with another suite in them: no mirror is
named here. A folder is in the cache under its last name only when it is whole.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from srv6lab.errors import MachineError
from srv6lab.host.files import REPOSITORY
from srv6lab.plan.frr import NEEDED

SUITE = "sid"
# What Day0, probes and people use in a node, beside FRR and what Debian can't do without.
PACKAGES = (
    "frr", "iproute2", "iptables", "iputils-ping", "mount", "nftables", "procps", "python3", "bsdutils", "util-linux",
)  # fmt: skip
_LEAVE_OUT = ("/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/man/*")
_BGPD = "usr/lib/frr/bgpd"
_PATIENCE = 600.0
_ROOT = Path("/")
_APT_SUITE = REPOSITORY / "scripts" / "apt-suite"
_NETWORK = re.compile(r'Acquire::(https?|Check|Retries|ForceIPv)\S* "')  # how apt reaches the mirror here

Progress = Callable[[str], None]


def cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "srv6lab" / "frr"


def serving(progress: Progress) -> Path:
    """The root that nodes with FRR are laid over; built if it isn't there yet."""
    if (version := frr_version(_ROOT)) and version >= NEEDED:
        return _ROOT
    return built(progress)


def built(progress: Progress) -> Path:
    """The cached root; it is built if there is none. MachineError says why it can't be."""
    folder = cache() / _recipe()
    if not (folder / _BGPD).exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _alone(folder.with_suffix(".lock"), progress):
            if not (folder / _BGPD).exists():
                _build(folder, progress)
    return folder


def frr_version(root: Path) -> tuple[int, ...] | None:
    """The version of the FRR below a root, None where there is none."""
    if not (root / _BGPD).exists():
        return None
    enter = ["chroot", str(root)] if root != _ROOT else []
    done = subprocess.run([*enter, f"/{_BGPD}", "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"bgpd version (\d+)\.(\d+)", done.stdout)
    return tuple(map(int, found.groups())) if found else None


def _recipe() -> str:
    """A name that changes with what is built."""
    recipe = [SUITE, os.uname().machine, *PACKAGES, *_LEAVE_OUT]
    return f"{SUITE}-{hashlib.sha256(chr(0).join(recipe).encode()).hexdigest()[:12]}"


@contextmanager
def _alone(path: Path, progress: Progress) -> Iterator[None]:
    import fcntl  # not on Windows, where no provider that needs it runs

    with path.open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("another process builds the root file system with FRR: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(folder: Path, progress: Progress) -> None:
    progress(f"building a root file system with FRR in {folder}, once: about half a minute")
    began = time.monotonic()
    unfinished = folder.with_suffix(".unfinished")
    _remove(unfinished)
    try:
        _mmdebstrap(unfinished)
        version = frr_version(unfinished)
        if version is None or version < NEEDED:
            raise _cannot(f"{SUITE} has FRR {'.'.join(map(str, version or ())) or 'not at all'}")
        _remove(folder)  # one that lost its FRR
        unfinished.rename(folder)
    finally:
        _remove(unfinished)
    progress(f"FRR {'.'.join(map(str, version))} is in {folder}, after {time.monotonic() - began:.0f} s")


def _mmdebstrap(target: Path) -> None:
    if not shutil.which("mmdebstrap"):
        raise MachineError(
            f"no FRR {_needed()} or newer here, and no mmdebstrap to fetch one", "apt-get install mmdebstrap"
        )
    sources = _sources()
    settings = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=False).stdout
    command = ["mmdebstrap", "--quiet", "--mode=root", "--variant=apt", f"--include={','.join(PACKAGES)}"]
    command += [f"--aptopt={line}" for line in settings.splitlines() if _NETWORK.match(line)]
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in _LEAVE_OUT]
    command += [SUITE, str(target), "-"]
    try:
        done = subprocess.run(
            command, input=sources, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise _cannot(f"mmdebstrap has not ended after {_PATIENCE:g} s") from None
    if done.returncode:
        said = [
            line for line in (done.stderr + done.stdout).splitlines() if line.startswith(("E:", "Err:", "  "))
        ]
        raise _cannot("; ".join(line.strip() for line in said[:3]) or f"mmdebstrap exited {done.returncode}")


def _sources() -> str:
    """This machine's apt sources with the newest suite in them, for mmdebstrap to read."""
    for suite in (_codename(), SUITE, "unstable"):
        done = subprocess.run([_APT_SUITE, suite, SUITE], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout
    raise _cannot(f"this machine's apt sources name no Debian mirror for suite {_codename()}")


def _codename() -> str:
    try:
        text = Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        return SUITE
    found = re.search(r"^VERSION_CODENAME=\"?(\w+)", text, re.MULTILINE)
    return found.group(1) if found else SUITE


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _needed() -> str:
    return ".".join(map(str, NEEDED))


def _cannot(why: str) -> MachineError:
    mend = f"it needs a Debian mirror once; or install FRR {_needed()} or newer on this machine"
    return MachineError(f"the root file system with FRR can't be built: {why}", mend)
