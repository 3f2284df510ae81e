"""A lab that wants out: what root in a node tries, all of it in one lab that is up once.

Each attack must fail, and most of them succeed for root in plain namespaces, so it isn't a missing tool that stops them.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from srv6lab.live.lifecycle import destroy
from srv6lab.providers.keeping import begin_in, enter
from srv6lab.providers.netns import Data
from srv6lab.providers.node import cgroups, files, filters, guard
from srv6lab.providers.ushered import Ushered
from tests.conftest import SITE, Up, bring, need_root, sampled, silent  # noqa: F401
from tests.small import SMALL

ATTACKS: list[dict[str, Any]] = [
    {"plain": False, "reached": False, **one}
    for kind in yaml.safe_load(Path(__file__).with_name("attacks.yml").read_text()).values()
    for one in kind
]
PLAIN = [one for one in ATTACKS if one["plain"]]
NODE = "gate"
NUMBERS = {
    name: numbers[filters._ARCHITECTURES["x86_64"][1]]
    for table in (filters._REFUSED, filters._ABSENT, filters._LOOKED_AT)
    for name, numbers in table.items()
}
SYSCALL = """
import ctypes, os, sys
numbers = %s
name, *words = sys.argv[1:]
of = lambda word: word[1:].encode() if word[0] == "@" else ctypes.c_long(int(word, 0))
libc = ctypes.CDLL(None, use_errno=True)
done = libc.syscall(ctypes.c_long(numbers.get(name) or int(name)), *map(of, words))
refused = (1, 38) if os.environ.get("REACHED") else range(256)
print("ESCAPED" if done >= 0 or ctypes.get_errno() not in refused else "")
"""
TERMINAL = """
import ctypes, os, pty, sys
try: os.setsid()
except OSError: pass
_, tty = pty.openpty()
number, word = sys.argv[1:]
argument = bytes(256) if word == "@zeroes" else ctypes.c_long(int(word))
print("ESCAPED" if ctypes.CDLL(None).ioctl(tty, ctypes.c_ulong(int(number, 0)), argument) == 0 else "")
"""
LIMIT = """
import os, resource, sys
most, _ = resource.getrlimit(getattr(resource, "RLIMIT_" + sys.argv[1]))
print("ESCAPED" if most < 0 or most >= int(os.environ[sys.argv[1]]) else "")
"""
HIDDEN = (
    "root",
    "home",
    "srv",
    "opt",
    "var/lib",
    "var/log",
    "tmp",
    "var/tmp",
    "run",
    "mnt",
    "",
    "etc",
    "etc/ssl",
)
BOUNDS = "grep -E '^(CapPrm|CapEff|CapBnd|CapInh|CapAmb|Seccomp):' /proc/self/status"


@dataclass(frozen=True)
class Told:
    """What is hidden on this machine, and what attacks are told of it."""

    secret: str
    variables: dict[str, str]

    def said(self, argv: list[str], attacks: list[dict[str, Any]], folder: str = "/tmp") -> dict[str, str]:
        """What each attack printed, run one behind the other by one shell that `argv` starts."""
        done = subprocess.run(
            argv,
            input=f"export W={folder}\n{self._script(attacks)}",
            capture_output=True,
            text=True,
            errors="replace",
        )
        parts = done.stdout.split("\x1e")[1:]
        assert len(parts) == len(attacks), done.stderr[-2000:]
        return dict(part.split("\x1f", 1) for part in parts)

    def _script(self, attacks: list[dict[str, Any]]) -> str:
        lines = [f"export {name}={value}" for name, value in self.variables.items()]
        lines += [
            f"export SYSCALL='{SYSCALL % json.dumps(NUMBERS)}' TERMINAL='{TERMINAL}' LIMIT='{LIMIT}'",
            'syscall() { python3 -c "$SYSCALL" "$@"; }',
            'terminal() { python3 -c "$TERMINAL" "$@"; }',
            'limit() { python3 -c "$LIMIT" "$@"; }',
        ]
        lines += ["export -f syscall terminal limit", "read_script() { IFS= read -r -d '' script; }"]
        for number, one in enumerate(attacks):
            word = f"END_{number}"
            reached = "REACHED=1 " if one["reached"] else ""
            lines += [f"read_script <<'{word}'", one["run"], word, f"printf '\\036%s\\037' '{number}'"]
            lines.append(f'{reached}timeout 40 bash -c "$script" </dev/null 2>&1')
        return "\n".join([*lines, "exit 0", ""])


def _limit(name: str) -> int:
    """What processes of this machine's root may take, all together."""
    most, _ = resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))
    return most if most >= 0 else sys.maxsize


def _settings(folder: Path) -> dict[Path, bytes]:
    found = {}
    for path in folder.rglob("*"):
        with suppress(OSError):  # some can only be written to
            found[path] = path.read_bytes()
    return found


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    need_root()
    mark, secret = f"srv6lab-{uuid.uuid4().hex[:8]}", uuid.uuid4().hex
    places = [Path("/", folder, mark) for folder in HIDDEN]
    with ExitStack() as kept:
        for place in places:
            place.write_text(secret)
            place.chmod(0o600)
            kept.callback(place.unlink)
        victim = subprocess.Popen(["sleep", "600"])
        kept.callback(victim.wait)
        kept.callback(victim.kill)
        shared = re.findall(
            r"\d+", subprocess.run(["ipcmk", "-M", "64"], capture_output=True, text=True).stdout
        )[-1]
        kept.callback(subprocess.run, ["ipcrm", "-m", shared])
        limits = {name: str(_limit(name)) for name in ("SIGPENDING", "MSGQUEUE")}
        nic = next(path.name for path in Path("/sys/class/net").iterdir() if path.name != "lo")
        yield Told(secret, {"MARK": mark, "VICTIM": str(victim.pid), "SHM": shared, "NIC": nic} | limits)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, told: Told) -> Iterator[Up]:
    need_root()
    file = tmp_path_factory.mktemp("attacked") / "topology.yml"
    own = f'{{role: router, commands: ["{BOUNDS} >/run/bounds; {BOUNDS} >/run/bounds"], '
    os.environ["SRV6SECRET"] = told.secret
    file.write_text(SMALL.replace("gate: {role: router, ", f"gate: {own}"))
    reference = SITE.refer(str(file))
    home = SITE.home(reference, f"test-{uuid.uuid4().hex[:12]}")
    try:
        yield bring(home, SITE.load(reference)[0], reference)
    finally:
        del os.environ["SRV6SECRET"]
        destroy(home, purge=True)


def _chosen(request: pytest.FixtureRequest, among: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The attacks that tests of this run are about: a sample, or all."""
    names = {item.callspec.params.get("name") for item in request.session.items if hasattr(item, "callspec")}
    return [one for one in among if one["name"] in names]


@pytest.fixture(scope="module")
def tried(request: pytest.FixtureRequest, lab: Up, told: Told) -> dict[str, str]:
    """What came of the attacks in a node, and what of this machine's settings they changed."""
    attacks = _chosen(request, ATTACKS)
    argv = [*enter(Data.of(lab.running.state).nodes[NODE]), "bash"]
    before = {
        Path(one["unchanged"]): _settings(Path(one["unchanged"])) for one in attacks if "unchanged" in one
    }
    said = told.said(argv, attacks)
    for number, one in enumerate(attacks):
        for path, was in before.get(Path(one.get("unchanged", "/nowhere")), {}).items():
            if path.read_bytes() != was:
                path.write_bytes(was)
                said[str(number)] += f"ESCAPED: {path}\n"
    return {one["name"]: said[str(number)] for number, one in enumerate(attacks)}


@pytest.fixture(scope="module")
def plain(
    request: pytest.FixtureRequest, told: Told, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """What came of the same for root in namespaces of his own and no more."""
    attacks = _chosen(request, PLAIN)
    spaces = ("--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "--mount-proc")
    said = told.said(["unshare", *spaces, "bash"], attacks, str(tmp_path_factory.mktemp("plain")))
    return {one["name"]: said[str(number)] for number, one in enumerate(attacks)}


@pytest.mark.parametrize("name", sampled([one["name"] for one in ATTACKS], 4))
def test_an_attack_fails(name: str, tried: dict[str, str], told: Told) -> None:
    said = tried[name]
    assert "ESCAPED" not in said and told.secret not in said, said
    attack = next(one for one in ATTACKS if one["name"] == name)
    if outside := attack.get("outside"):
        assert not Path(outside.replace("$MARK", told.variables["MARK"])).exists()


@pytest.mark.parametrize("name", sampled([one["name"] for one in PLAIN], 4))
def test_the_same_succeeds_without_the_guard(name: str, plain: dict[str, str], told: Told) -> None:
    said = plain[name]
    assert "ESCAPED" in said or told.secret in said, said


def test_every_way_into_a_node_is_bounded(lab: Up) -> None:
    """Day0, what it starts, `exec`, a command line of one's own, and a namespace in the node."""
    node = Data.of(lab.running.state).nodes[NODE]
    line = [*enter(node), "sh", "-c", BOUNDS]
    by_line = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    inherited = ["setpriv", "--inh-caps=+sys_boot,+sys_ptrace", "--ambient-caps=+sys_boot", *line]
    by_heir = subprocess.run(inherited, capture_output=True, text=True, check=True).stdout
    inside = lab.sh(NODE, f"ip netns add inner && ip netns exec inner {BOUNDS}; ip netns del inner")
    found = {lab.sh(NODE, "cat /run/bounds"), lab.sh(NODE, BOUNDS), by_line, by_heir, inside}
    assert len(found) == 1
    kept = f"{guard.mask(False):016x}"
    none = "0" * 16
    lines = [
        f"CapInh:\t{none}",
        f"CapPrm:\t{kept}",
        f"CapEff:\t{kept}",
        f"CapBnd:\t{kept}",
        f"CapAmb:\t{none}",
        "Seccomp:\t2",
    ]
    assert found.pop().splitlines() == lines
    begun = begin_in(node, ["true"])
    assert isinstance(begun, Ushered)
    begun.communicate()


def _guarded() -> tuple[int, int]:
    """A process that has lost what no node may do and isn't a program of a node's yet: its PID, and a pipe that ends it."""
    ready, tell = os.pipe()
    wait, end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(end)
        try:
            guard.guard(guard.mask(False))
            os.write(tell, b"x")
            os.read(wait, 1)
        finally:
            os._exit(0)
    os.close(tell)
    assert os.read(ready, 1) == b"x"
    return pid, end


def test_one_that_comes_into_a_node_is_not_looked_into() -> None:
    """By another one with the same capabilities, as where this machine's root has no more than a node's."""
    victim, end = _guarded()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            guard.guard(guard.mask(False))
            os.close(os.open(f"/proc/{victim}/mem", os.O_RDONLY))
        except PermissionError:
            code = 0
        finally:
            os._exit(code)
    try:
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    finally:
        os.close(end)
        os.waitpid(victim, 0)


def test_a_lab_is_in_a_group_with_bounds(lab: Up) -> None:
    """Its first processes, and a command that comes later."""
    node = Data.of(lab.running.state).nodes[NODE]
    name = cgroups.group(str(lab.running.home.path.resolve()))
    if not any(_may_make_groups(folder) for folder, _ in cgroups._hierarchies()):
        return  # docs/security.md says that a lab has no bounds then
    with subprocess.Popen([*enter(node), "sh", "-c", "echo; read word"], stdin=-1, stdout=-1) as popen:
        assert popen.stdout and popen.stdin
        popen.stdout.read(1)
        for folder, bounds in cgroups._hierarchies():
            members = {int(one) for one in Path(folder, name, "cgroup.procs").read_text().split()}
            assert node.pid in members and popen.pid not in members
            assert members & _below(popen.pid), "a command that came later is in no group"
            for file, value in bounds.items():
                assert abs(int(Path(folder, name, file).read_text()) - value) < 1 << 16
        popen.communicate(b"\n")


def _may_make_groups(folder: str) -> bool:
    mark = Path(folder, f"srv6lab-{uuid.uuid4().hex[:8]}")
    try:
        mark.mkdir()
    except OSError:
        return False
    mark.rmdir()
    return True


def _below(pid: int) -> set[int]:
    done = subprocess.run(["pgrep", "--parent", str(pid)], capture_output=True, text=True)
    found = {int(one) for one in done.stdout.split()}
    return found.union(*map(_below, found))


def test_watch_reads_no_file_through_a_link(lab: Up, tmp_path: Path) -> None:
    pid = Data.of(lab.running.state).nodes[NODE].pid
    (tmp_path / "secret").write_text("mine")
    lab.sh(
        NODE, f"mkdir -p /run/w/folder; cd /run/w; echo said >file; ln -s {tmp_path}/secret link; mkfifo pipe"
    )
    lab.sh(NODE, f"cd /run/w; ln -s {tmp_path} out; head -c 2M /dev/zero >long")
    read = {
        name: files.get(pid, f"/run/w/{name}", 1000)
        for name in ("file", "link", "pipe", "folder", "out/secret")
    }
    assert read == {"file": b"said\n", "link": None, "pipe": None, "folder": None, "out/secret": None}
    assert len(files.get(pid, "/run/w/long", 1000) or b"") == 1000


def test_what_this_machine_puts_into_a_node_follows_no_link(lab: Up, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    lab.sh(NODE, f"rm /run/day0.sh; ln -s {victim} /run/day0.sh")
    with pytest.raises(OSError, match="symbolic link"):
        lab.again()
    assert victim.read_text() == "mine"
    lab.sh(NODE, "rm /run/day0.sh; mkfifo /run/day0.sh")
    with pytest.raises(OSError):
        lab.again()
    lab.sh(NODE, "rm /run/day0.sh")
    lab.again()
