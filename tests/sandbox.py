"""Runs a rendered script where nothing can happen: every program is a stub that writes down its words.

Absolute paths of a node are moved below a folder. A program that no template uses, and a file `canary`,
tell that a text of the topology was run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from srv6lab.plan.nodes import Plan, PlannedNode
from tests.conftest import tool

HARMLESS = (
    "awk",
    "bash",
    "cat",
    "dirname",
    "grep",
    "ln",
    "mkdir",
    "rm",
    "sed",
    "sort",
    "stat",
    "tail",
    "touch",
    "uname",
)
MOVED = re.compile(r"(?<![\w.$}/-])/(proc|sys|var|run|etc|usr/local|lib|tmp/srconf)\b")

RECORD = """#!{bash}
{{ printf '%q ' "${{0##*/}}" "$@"; printf '\\n'; }} >>"$SANDBOX_CALLS"
"""
IPTABLES = 'case " $* " in *" -D "*|*" -F "*) exit 1 ;; *" -nvxL "*) printf "a\\nb\\n 7 0 x\\n" ;; esac'
STUBS = {
    "ip": 'case " $* " in *" -batch "*) cat >>"$SANDBOX_CALLS" ;; esac\n'
    'if [[ "$1 $2" == "netns exec" ]]; then shift 3; exec "$@"; fi\n'
    'if [[ "$1 $2" == "netns add" ]]; then >"$SANDBOX_ROOT/run/netns/$3"; fi',
    "ip6tables": IPTABLES,
    "iptables": IPTABLES,
    "nft": 'if [[ $1 == -f ]]; then cat >>"$SANDBOX_CALLS"; fi\necho "x counter packets 7 bytes 0 drop"',
    "suricata": 'while [[ $1 && $1 != -l ]]; do shift; done\necho "Engine started" >>"$2/log"; echo 1 >"$2/pid"',
    # Its ring is filled while it says nothing of that.
    "snort": 'if [[ $1 == -V ]]; then echo "Version 2.9.16.1 GRE (Build 140)" >&2; exit; fi\n'
    'mkdir -p "$SANDBOX_ROOT/proc/$$/net"; echo "7f00-7f01 rw-s 0 00:08 5 socket:[5]" >"$SANDBOX_ROOT/proc/$$/maps"\n'
    'echo "0 3 3 0003 2     1 0      0      5" >"$SANDBOX_ROOT/proc/$$/net/packet"',
    "srconf": 'if [[ $2 == add ]]; then echo "$3" >>"$SANDBOX_ROOT/sids"; fi\n'
    'if [[ $2 == show ]]; then cat "$SANDBOX_ROOT/sids"; fi',
    "readlink": "echo nothing",
    "sleep": "",
    "modprobe": "exit 1",
    "flock": "",
    "tc": "",
    "chmod": "",
    "chown": "",
    "dpkg-query": "",
    "env": "",  # what a lab runs of its own goes through it
    "setsid": "",
    "kill": "",
}
UNKNOWN = 'command_not_found_handle() { printf "%q " "$@" >>"$SANDBOX_CANARY"; return 127; }\n'


@dataclass(frozen=True)
class Ran:
    """What came of a script: its exit code, the words of each stub's call, and what must not have run."""

    code: int
    calls: str
    error: str
    canary: str


@dataclass(frozen=True)
class Sandbox:
    """A folder that stands for a node's root."""

    folder: Path

    @classmethod
    def made(cls, folder: Path) -> Sandbox:
        made = cls(folder)
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("bin", "work", "root/run/netns", "root/usr/local/sbin", "root/usr/local/lib/srconf"):
            (folder / name).mkdir(parents=True)
        for name in HARMLESS:
            (folder / "bin" / name).symlink_to(tool(name))
        for name, body in STUBS.items():
            made._program(folder / "bin" / name, body)
        made._program(made.root / "usr/local/lib/srconf/srconf", STUBS["srconf"])
        agent = made.root / "usr/local/lib/srv6lab/srv6lab/agent/__main__.py"
        agent.parent.mkdir(parents=True)
        agent.touch()
        booted = made.root / "proc/sys/kernel/random/boot_id"
        booted.parent.mkdir(parents=True)
        booted.write_text("since-then\n")
        (folder / "unknown.sh").write_text(UNKNOWN, encoding="utf-8")
        return made

    @property
    def root(self) -> Path:
        return self.folder / "root"

    def _program(self, path: Path, body: str) -> None:
        path.write_text(f"{RECORD.format(bash=tool('bash'))}{body}\n", encoding="utf-8")
        path.chmod(0o755)

    def machine(self, machine: PlannedNode) -> None:
        """The NICs and the settings that a machine's Day0 looks for."""
        nics = {nic.name: nic.mac for nic in machine.nics}
        for name, mac in nics.items():
            path = self.root / "sys/class/net" / name
            path.mkdir(parents=True, exist_ok=True)
            (path / "address").write_text(f"{mac}\n")
        for one in machine.own.sysctls:
            setting = Path(f"{self.root}{one.file.replace('$', '')}")
            setting.parent.mkdir(parents=True, exist_ok=True)
            setting.touch()
        for name in ("all", "default", "lo", *nics, *(vrf.name for vrf in machine.vrfs)):
            for family, switch in (
                ("ipv4", "rp_filter"),
                ("ipv6", "disable_ipv6"),
                ("ipv6", "seg6_require_hmac"),
            ):
                (self.root / f"proc/sys/net/{family}/conf/{name}").mkdir(parents=True, exist_ok=True)
                (self.root / f"proc/sys/net/{family}/conf/{name}/{switch}").touch()
        (self.root / "proc/sys/net/vrf").mkdir(exist_ok=True)

    def run(self, script: str) -> Ran:
        calls, canary = self.folder / "calls", self.folder / "work" / "canary"
        calls.write_text("")
        moved = MOVED.sub(lambda found: f"{self.root}/{found.group(1)}", script)
        done = subprocess.run(
            [tool("bash"), "-e"],
            input=moved.encode("utf-8", "surrogateescape"),
            capture_output=True,
            cwd=self.folder / "work",
            timeout=30,
            env={
                "PATH": str(self.folder / "bin"),
                "BASH_ENV": str(self.folder / "unknown.sh"),
                "LC_ALL": "C.UTF-8",
                "SANDBOX_CALLS": str(calls),
                "SANDBOX_CANARY": str(canary),
                "SANDBOX_ROOT": str(self.root),
            },
        )
        left = sorted(path.name for path in (self.folder / "work").iterdir())
        seen = canary.read_text("utf-8", "replace") if canary.exists() else ""
        canary.unlink(missing_ok=True)
        strays = [name for name in left if name != "canary"]
        words = " ".join([*(["canary"] if "canary" in left else []), *strays, seen])
        return Ran(done.returncode, calls.read_text("utf-8", "replace"), done.stderr.decode(), words)


def day0(folder: Path, plan: Plan, machine: PlannedNode, script: str) -> tuple[Sandbox, Ran]:
    """Run one machine's Day0 in a sandbox of its own: as on a kernel with VRFs, and as on one without."""
    sandbox = Sandbox.made(folder)
    sandbox.machine(machine)
    ran = sandbox.run(script)
    if machine.vrfs and (ran.code, ran.canary) == (0, ""):
        for vrf in machine.vrfs:
            (sandbox.root / "run/netns" / vrf.name).touch()
        again = sandbox.run(script)
        ran = replace(again, calls=ran.calls + again.calls)
    return sandbox, ran


RUBY = """
class Recorder
  def method_missing(name, *words, **named)
    yield Recorder.new if block_given?
    $said << [name, words, named]
    self
  end
  def respond_to_missing?(*) = true
end
$said = []
module Vagrant
  def self.configure(_version) = yield(Recorder.new)
end
load ARGV[0]
p $said
"""


def vagrantfile(folder: Path, text: str) -> Ran:
    """Let Ruby run a Vagrantfile with a Vagrant that writes down what it is told."""
    folder.mkdir(exist_ok=True)
    (folder / "Vagrantfile").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [tool("ruby"), "-W0", "-Ku", "-e", RUBY, str(folder / "Vagrantfile")],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, "PATH": tool("touch").rpartition("/")[0]},
    )
    strays = [path.name for path in folder.iterdir() if path.name not in ("Vagrantfile", "captures")]
    return Ran(done.returncode, done.stdout, done.stderr, " ".join(strays))
