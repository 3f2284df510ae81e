"""A whole lab in virtual machines, from our own box, through real Vagrant: every exercise graded.

    e2e.py --lab NAME [--write FILE] [--base DIR]

VirtualBox's own VBoxManage (see virtualbox.py) describes the machines, and qemu runs them. Afterwards the same
exercises run in namespaces, and the two walks of every probe are held against each other. What was proven goes
into a file that names the commit, hashes of what the lab renders to and of the pcaps, times and memory. Needs
root; starts itself again with mounts of its own, so that nothing is left of them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

from srv6lab import box, lab  # noqa: E402
from srv6lab.providers.vagrant.command import public_key  # noqa: E402
from srv6lab.render import vagrant  # noqa: E402
from srv6lab.walks import differences  # noqa: E402
from tests.vagrant import virtualbox  # noqa: E402

SITE = lab.Site(REPOSITORY)
INVOKE = [sys.executable, "-m", "invoke"]
Said = dict[str, Any]


def say(text: str) -> None:
    print(f"e2e: {datetime.now(UTC):%H:%M:%S} {text}", file=sys.stderr, flush=True)


def rendered(name: str) -> dict[str, str]:
    """The SHA-256 of every file that the lab renders to, with our box in it."""
    plan, _ = SITE.load(SITE.refer(name))
    files = vagrant(lab.with_box(plan, box.NAME))
    return {path: sha256(one if isinstance(one, bytes) else one.encode()) for path, one in files.items()}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=REPOSITORY, capture_output=True, text=True).stdout.strip()


class Run:
    """One proof: a folder of its own, and everything that is asked of Vagrant with it in the environment."""

    def __init__(self, name: str, base: Path) -> None:
        self.name, self.base = name, base
        self.root = virtualbox.chroot()
        virtualbox.enter(self.root, base)
        self.env = dict(virtualbox.environment(self.root, base))
        self.env["SRV6LAB_BOOT_TIMEOUT"], self.env["SRV6LAB_VAGRANT_TIMEOUT"] = "1800", "3600"
        self.instance = f"e2e-{base.name}"

    def invoke(self, *words: str, instance: str = "") -> subprocess.CompletedProcess[str]:
        command = [*INVOKE, words[0], f"lab={self.name}", "--instance", instance or self.instance, *words[1:]]
        return subprocess.run(command, cwd=REPOSITORY, env=self.env, stdout=subprocess.PIPE, text=True)

    def tool(self, *words: str) -> str:
        done = subprocess.run(words, env=self.env, capture_output=True, text=True)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def prove(self) -> Said:
        built = box.build(public_key(), say)
        say(f"box {built.name}, {built.sizes['virtualbox'] >> 20} MiB, kernel {built.kernel}")
        self.tool("VBoxManage", "setproperty", "machinefolder", str(self.base / "machines"))
        if built.name not in self.tool("vagrant", "box", "list"):
            self.tool("vagrant", "box", "add", "--name", built.name, built.files["virtualbox"])
        start = time.monotonic()
        up = self.invoke("up", "--provider", "virtualbox", "--box", built.name)
        seconds = round(time.monotonic() - start, 1)
        assert up.returncode == 0, "the lab didn't come up"
        say(f"up in {seconds} s")
        memory = self.memory()
        checked = self.checked(self.instance)
        walks = self.walks()
        destroyed = self.invoke("destroy")
        return {
            "lab": self.name,
            "commit": git("rev-parse", "HEAD"),
            "changes": git("status", "--porcelain").splitlines(),
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "tools": self.tools(),
            "box": {
                "recipe": built.recipe,
                "kernel": built.kernel,
                "bytes": built.sizes,
                "seconds": built.seconds,
            },
            "up_seconds": seconds,
            "memory_mib": memory,
            "exercises": checked,
            "differences_from_netns": walks,
            "destroy": {"exit": destroyed.returncode, "left": self.left()},
            "rendered": rendered(self.name),
        }

    def tools(self) -> Said:
        real = self.tool("/usr/sbin/chroot", str(self.root), "/usr/lib/virtualbox/VBoxManage", "--version")
        qemu = self.tool("qemu-system-x86_64", "--version").splitlines()[0]
        return {"vagrant": self.tool("vagrant", "--version"), "VBoxManage": real, "qemu": qemu}

    def memory(self) -> Said:
        """The most that each machine's qemu has had in memory, in MiB."""
        found = {}
        for file in sorted((self.base / "run").glob("*.pid")):
            status = Path(f"/proc/{int(file.read_text())}/status").read_text()
            found[file.stem] = int(re.findall(r"^VmHWM:\s+(\d+)", status, re.MULTILINE)[0]) >> 10
        return {"machines": len(found), "largest": max(found.values()), "sum": sum(found.values())}

    def checked(self, instance: str) -> Said:
        """Every exercise with its verdict, its time and its pcaps."""
        plan, _ = SITE.load(SITE.refer(self.name))
        found = {}
        for exercise in plan.exercises:
            start = time.monotonic()
            done = self.invoke("check", "--exercise", exercise.name, "--format", "json", instance=instance)
            verdicts = json.loads(done.stdout or "[]")
            items = [item["status"] for one in verdicts for item in one["items"]]
            folder = REPOSITORY / ".srv6lab" / instance / "runs" / exercise.name / "captures"
            found[exercise.name] = {
                "exit": done.returncode,
                "status": [one["status"] for one in verdicts],
                "items": {status: items.count(status) for status in sorted(set(items))},
                "seconds": round(time.monotonic() - start, 1),
                "pcaps": {path.name: sha256(path.read_bytes()) for path in sorted(folder.iterdir())},
            }
            say(f"{exercise.name}: exit {done.returncode}")
        return found

    def walks(self) -> Said:
        """How the walks in machines differ from those in namespaces; nothing, where all is well."""
        other = f"{self.instance}-netns"
        plan, _ = SITE.load(SITE.refer(self.name))
        runs = REPOSITORY / ".srv6lab" / self.instance / "runs"
        try:
            assert self.invoke("up", instance=other).returncode == 0
            assert self.invoke("check", instance=other).returncode == 0
            return {
                one.name: differences(
                    plan, runs / one.name, REPOSITORY / ".srv6lab" / other / "runs" / one.name
                )
                for one in plan.exercises
            }
        finally:
            self.invoke("destroy", "--purge", instance=other)

    def forget(self) -> None:
        """Take away the machines, the folder, and the mounts that are in it."""
        self.invoke("destroy", "--purge")
        subprocess.run(["umount", str(self.root / self.base.relative_to("/"))])
        shutil.rmtree(self.base)

    def left(self) -> list[str]:
        """What destroy left that is the lab's: machines that run, and machines that VirtualBox knows."""
        running = [file.name for file in (self.base / "run").glob("*.pid")]
        known = [line for line in self.tool("VBoxManage", "list", "vms").splitlines() if self.name in line]
        return running + known


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lab", required=True)
    parser.add_argument("--write", type=Path, help="where the result goes (default: nowhere)")
    parser.add_argument("--keep", type=Path, help="a folder for the runs' captures")
    parser.add_argument(
        "--base", type=Path, help="a folder that stays after a failure: run again, it goes on"
    )
    options = parser.parse_args()
    if "SRV6LAB_E2E_MOUNTS" not in os.environ:
        os.environ["SRV6LAB_E2E_MOUNTS"] = "own"
        os.execvp("unshare", ["unshare", "--mount", sys.executable, *sys.argv])
    base = options.base or Path(tempfile.mkdtemp(prefix="srv6lab-e2e-", dir="/var/tmp"))
    base.mkdir(exist_ok=True)
    run = Run(options.lab, base)
    try:
        result = run.prove()
    except BaseException:
        if not options.base:
            run.forget()
        raise
    if options.keep:
        shutil.copytree(REPOSITORY / ".srv6lab" / run.instance, options.keep, dirs_exist_ok=True)
    run.forget()
    text = json.dumps(result, indent=1) + "\n"
    if options.write:
        options.write.parent.mkdir(exist_ok=True)
        options.write.write_text(text)
    print(text if not options.write else f"wrote {options.write}")
    passed = all(one["exit"] == 0 for one in result["exercises"].values())
    return 0 if passed and not any(result["differences_from_netns"].values()) else 4


if __name__ == "__main__":
    sys.exit(main())
