"""A whole lab in virtual machines, from our own box, through real Vagrant: every exercise graded.

    e2e.py --lab NAME [--exercise NAME]… [--provider virtualbox|libvirt] [--restored] [--write FILE] [--base DIR]
    e2e.py --lab NAME --like-default [--srext FOLDER] …

VirtualBox's own VBoxManage (see virtualbox.py) describes the machines, and qemu runs them; libvirt is the real
one (see libvirt.py), and emulates. Afterwards the same exercises run in namespaces, and the two walks of every
probe are held against each other. What was proven goes into a file that names the commit, hashes of what the
lab renders to and of the pcaps, times and memory. With --restored, VirtualBox's machines go on from a snapshot of the
booted box (see snapshot.py), two at once, and there is no run in a single machine: that takes minutes, not an hour.

With --like-default they are so, too, from a box like the one that labs have whose author named none (see
like_default.py), and `up` is told of no box. --srext is a clone of SREXT, from which Day0 fetches it; without that the
machines have no network. Needs root; starts itself again in namespaces of its own, so that nothing is left of its mounts.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

from srv6lab.images import box  # noqa: E402
from srv6lab.providers.vagrant.command import public_key  # noqa: E402
from srv6lab.providers.vagrant.ups import VARIABLE as AT_ONCE  # noqa: E402
from tests.run_diff import differences  # noqa: E402
from tests.vagrant import libvirt, like_default, virtualbox  # noqa: E402
from tests.vagrant.results import SITE, Said, failures, remember, rendered, sha256  # noqa: E402
from tests.vagrant.snapshot import snapshot  # noqa: E402

INSIDE = "SRV6LAB_E2E_NAMESPACES"
PROXY = ["cat", "/var/lib/srv6lab/proxy"]  # Day0 writes down there what serves
INVOKE = [sys.executable, "-m", "invoke"]


def say(text: str) -> None:
    print(f"e2e: {datetime.now(UTC):%H:%M:%S} {text}", file=sys.stderr, flush=True)


def git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=REPOSITORY, capture_output=True, text=True).stdout.strip()


class Host(Protocol):
    """What runs the machines: all of it below one folder."""

    env: Mapping[str, str]

    def __init__(self, base: Path) -> None: ...
    def pids(self) -> Mapping[str, int]: ...
    def known(self) -> list[str]: ...
    def tools(self) -> Mapping[str, list[str]]: ...
    def close(self) -> None: ...


HOSTS: Mapping[str, type[Host]] = {"virtualbox": virtualbox.VirtualBox, "libvirt": libvirt.Libvirt}
NAMESPACES = {"virtualbox": virtualbox.NAMESPACES, "libvirt": libvirt.NAMESPACES}


class Run:
    """One proof: a folder of its own, and everything that is asked of Vagrant with it in the environment."""

    def __init__(self, name: str, exercises: Sequence[str], provider: str, base: Path) -> None:
        self.plan, _ = SITE.load(SITE.refer(name))
        self.exercises = exercises or [exercise.name for exercise in self.plan.exercises]
        self.name, self.provider, self.base = name, provider, base
        self.host = HOSTS[provider](base)
        limits = {"SRV6LAB_BOOT_TIMEOUT": "1800", "SRV6LAB_VAGRANT_TIMEOUT": "3600"}
        self.env = {**self.host.env, **limits}
        self.instance = f"e2e-{base.name}"

    def invoke(self, *words: str, instance: str) -> subprocess.CompletedProcess[str]:
        command = [*INVOKE, words[0], f"lab={self.name}", "--instance", instance, *words[1:]]
        return subprocess.run(command, cwd=REPOSITORY, env=self.env, stdout=subprocess.PIPE, text=True)

    def tool(self, *words: str) -> str:
        done = subprocess.run(words, env=self.env, capture_output=True, text=True)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def prove(self, told: argparse.Namespace) -> Said:
        built = made(told.like_default)
        say(f"box of kernel {built.kernel}, {built.sizes[self.provider] >> 20} MiB")
        name = like_default.NAME if told.like_default else built.name
        chosen = [] if told.like_default else ["--box", name]
        begun = self.restore(built, told) if told.restored else {}
        start = time.monotonic()
        if name not in self.tool("vagrant", "box", "list"):
            self.tool("vagrant", "box", "add", "--name", name, built.files[self.provider])
        wanted = {"machines": ("", "--provider", self.provider, *chosen)}
        if not told.restored:
            wanted["single_vm"] = ("single", "--provider", self.provider, "--single-vm", *chosen)
        with ThreadPoolExecutor() as beside:
            namespaces = beside.submit(self.in_namespaces)
            runs = {name: self.ran(*words) for name, words in wanted.items()}
        walks = self.walks(namespaces.result(), *(which for which, *_ in wanted.values()))
        return {
            "lab": self.name,
            "commit": git("rev-parse", "HEAD"),
            "changes": git("status", "--porcelain").splitlines(),
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "tools": self.tools(),
            "box": {
                "name": name,
                "recipe": built.recipe,
                "kernel": built.kernel,
                "bytes": built.sizes,
                "seconds": built.seconds,
            },
            **begun,
            **runs,
            "differences_from_netns": walks,
            "rendered": rendered(self.name, *([""] if told.like_default else [])),
            "seconds": round(time.monotonic() - start, 1),
            "load": os.getloadavg()[2],  # of the last quarter of an hour, by whomever
        }

    def restore(self, built: box.Box, told: argparse.Namespace) -> Said:
        """Have machines go on from a snapshot of the box; what it took to make it."""
        file, network = Path(built.files[self.provider]), "this machine's"
        if told.like_default:
            kept = snapshot(file, say, like_default.PREPARED)
            mirror = self.base / "mirror"
            network = "SREXT's mirror" if told.srext else "none"
            self.env["VBOX_NAT"] = (
                like_default.mirrored(told.srext, mirror) if told.srext else like_default.OFFLINE
            )
        else:
            kept = snapshot(file, say)
        self.env |= {"VBOX_SNAPSHOT": str(kept.folder), AT_ONCE: "3"}
        return {"snapshot": {"name": kept.folder.name, **kept.facts()}, "network": network}

    def ran(self, which: str, *words: str) -> Said:
        """The lab brought up, every exercise, and the lab taken away; its runs stay. What came of it is kept
        below the base, for a proof that goes on."""
        instance, kept = self.named(which), self.base / f"ran-{which}.json"
        if kept.exists():
            return dict(json.loads(kept.read_text("utf-8")))
        start = time.monotonic()
        up = self.invoke("up", *words, instance=instance)
        seconds = round(time.monotonic() - start, 1)
        assert up.returncode == 0, f"{instance} didn't come up"
        say(f"{instance} is up after {seconds} s")
        proxies = self.proxies(instance)
        memory = self.memory()
        check, exercises = self.checked(instance)
        processor = self.processor()
        destroyed = self.invoke("destroy", instance=instance)
        result = {
            "up_seconds": seconds,
            "proxies": proxies,
            "memory_mib": memory,
            "processor_seconds": processor,
            "check": check,
            "exercises": exercises,
            "destroy": {"exit": destroyed.returncode, "left": self.left()},
        }
        kept.write_text(json.dumps(result), "utf-8")
        return result

    def proxies(self, instance: str) -> Said:
        """What serves as SR proxy, by node."""
        nodes = [node.name for node in self.plan.nodes if node.proxies]
        return {
            node: self.invoke("exec", "--node", node, "--", *PROXY, instance=instance).stdout.strip()
            for node in nodes
        }

    def named(self, which: str) -> str:
        return f"{self.instance}-{which}" if which else self.instance

    def tools(self) -> Said:
        asked = {"vagrant": ["vagrant", "--version"], "qemu": ["qemu-system-x86_64", "--version"]}
        return {
            name: self.tool(*words).splitlines()[0] for name, words in {**asked, **self.host.tools()}.items()
        }

    def memory(self) -> Said:
        """The most that each machine's qemu has had in memory, in MiB."""
        found = []
        for pid in self.host.pids().values():
            status = Path(f"/proc/{pid}/status").read_text()
            found.append(int(re.findall(r"^VmHWM:\s+(\d+)", status, re.MULTILINE)[0]) >> 10)
        return {"machines": len(found), "largest": max(found), "sum": sum(found)}

    def processor(self) -> float:
        """The processor time that the machines' qemus have had, in seconds."""
        stats = (
            Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2] for pid in self.host.pids().values()
        )
        ticks = sum(int(ticks) for stat in stats for ticks in stat.split()[11:13])
        return round(ticks / os.sysconf("SC_CLK_TCK"), 1)

    def checked(self, instance: str) -> tuple[Said, Said]:
        """How `check` of all exercises ended and after which time, and each with its verdict and its pcaps."""
        start = time.monotonic()
        chosen = [word for exercise in self.exercises for word in ("--exercise", exercise)]
        done = self.invoke("check", *chosen, "--format", "json", instance=instance)
        check = {"exit": done.returncode, "seconds": round(time.monotonic() - start, 1)}
        say(f"check: exit {done.returncode}")
        verdicts = json.loads(done.stdout or "[]")
        found = {}
        for exercise in self.exercises:
            said = [one for one in verdicts if one["exercise"] == exercise]
            items = [item["status"] for one in said for item in one["items"]]
            folder = REPOSITORY / ".srv6lab" / instance / "runs" / exercise / "captures"
            found[exercise] = {
                "status": [one["status"] for one in said],
                "items": {status: items.count(status) for status in sorted(set(items))},
                "pcaps": {path.name: sha256(path.read_bytes()) for path in sorted(folder.glob("*"))},
            }
        return check, found

    def in_namespaces(self) -> Path:
        """The same exercises in namespaces; the folder of their runs, which `forget` takes away."""
        here = self.named("netns")
        for task in (["up"], *(["check", "--exercise", exercise] for exercise in self.exercises)):
            assert self.invoke(*task, instance=here).returncode == 0, f"{' '.join(task)} of {here} failed"
        return self.runs("netns")

    def walks(self, namespaces: Path, *whiches: str) -> Said:
        """How the walks in machines differ from those in namespaces; nothing, where all is well."""
        return {
            exercise: [
                line
                for which in whiches
                for line in differences(self.plan, self.runs(which) / exercise, namespaces / exercise)
            ]
            for exercise in self.exercises
        }

    def runs(self, which: str) -> Path:
        return REPOSITORY / ".srv6lab" / self.named(which) / "runs"

    def forget(self) -> None:
        """Take away the machines, the folder, and the mounts that are in it."""
        for which in ("", "single", "netns"):
            self.invoke("destroy", "--purge", instance=self.named(which))
        self.host.close()
        shutil.rmtree(self.base)

    def left(self) -> list[str]:
        """What destroy left that is the lab's: machines that run, and what the hypervisor knows."""
        return [*self.host.pids(), *self.host.known()]


def made(like: bool) -> box.Box:
    """The box of our own, or the one like the default one."""
    return box.build(public_key(), say, like_default.CONTENTS if like else box.OURS)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lab", required=True)
    parser.add_argument("--exercise", action="append", help="default: all of the lab")
    parser.add_argument(
        "--provider", choices=HOSTS, action="append", help="default: both, one after the other"
    )
    parser.add_argument("--restored", action="store_true", help="boot nothing: VirtualBox's machines alone")
    parser.add_argument(
        "--like-default", action="store_true", help="from a box like the default one; --restored"
    )
    parser.add_argument("--srext", type=Path, help="a clone of SREXT, for --like-default")
    parser.add_argument("--write", type=Path, help="where the results go (default: nowhere)")
    parser.add_argument("--keep", type=Path, help="a folder for the runs' captures")
    parser.add_argument(
        "--base", type=Path, help="a folder that stays after a failure: run again, it goes on"
    )
    told = parser.parse_args()
    told.restored = told.restored or told.like_default
    if told.srext and not told.like_default:
        parser.error("--srext wants --like-default: on our own box's kernel SREXT is not offered")
    if told.restored and set(told.provider or HOSTS) != {"virtualbox"}:
        parser.error("--restored wants --provider virtualbox: libvirt starts qemu itself")
    return told


def main() -> int:
    told = options()
    providers = told.provider or list(HOSTS)
    if INSIDE not in os.environ:
        made(told.like_default)  # in there is no way to an archive
        env = {**os.environ, INSIDE: "yes"}
        words = [sys.executable, *sys.argv]
        runs = [[*NAMESPACES[one], *words, "--provider", one] for one in providers]
        return max(subprocess.run(run, env=env).returncode for run in runs)
    provider = providers[-1]
    base = told.base or Path(tempfile.mkdtemp(prefix="srv6lab-e2e-", dir="/var/tmp"))
    base.mkdir(exist_ok=True)
    run = Run(told.lab, told.exercise or [], provider, base)
    try:
        result = run.prove(told)
    except BaseException:
        if not told.base:
            run.forget()
        raise
    if told.keep:
        shutil.copytree(REPOSITORY / ".srv6lab" / run.instance, told.keep / provider, dirs_exist_ok=True)
    run.forget()
    if told.write:
        remember(told.write, provider, result)
        say(f"wrote {provider}'s part of {told.write}")
    print(json.dumps(result, indent=1))
    return 0 if failures(result) == [] else 4


if __name__ == "__main__":
    sys.exit(main())
