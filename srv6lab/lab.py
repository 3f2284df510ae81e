"""The composition: find, load, plan, render, up, status, down.

Each function does the work of one task and returns a value; progress goes to a callback.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from ipaddress import IPv6Address
from pathlib import Path

from srv6lab import elections, rendered, rootfs
from srv6lab.box import NAME as OUR_BOX
from srv6lab.box import Box, build
from srv6lab.changes import Changes
from srv6lab.convergence import wait
from srv6lab.errors import DriftError, Interrupted, LabError, MachineError, Problem, TopologyError, UsageError
from srv6lab.loader import load
from srv6lab.plan import Plan, plan
from srv6lab.probes import srhping
from srv6lab.providers.base import Health, Progress, Provider
from srv6lab.providers.vm import SUITES
from srv6lab.render import SINGLE_VM, Files, render, single_vm, vagrant
from srv6lab.report import FORMATS as FORMATS
from srv6lab.report import WALKS as WALKS
from srv6lab.report import Walked, verdicts_json
from srv6lab.report.policies import policies_json, policies_text
from srv6lab.report.sids import sids_json, sids_text
from srv6lab.report.text import status_text
from srv6lab.state import Home, State, write_whole
from srv6lab.tables import look
from srv6lab.topology import Topology
from srv6lab.trace import Status, Verdict


def _netns() -> Provider:
    from srv6lab.providers.netns import Netns  # for Linux only; what needs no provider runs anywhere

    return Netns()


def _microvm(version: str) -> Provider:
    from srv6lab.providers.microvm import Microvm

    return Microvm(version)


def _machines(name: str, summary: str) -> Callable[[], Provider]:
    def make() -> Provider:
        from srv6lab.providers.vagrant import Machines  # python-vagrant is for those who use it

        return Machines(name, summary)

    return make


def _single_vm(hypervisor: str, name: str) -> Provider:
    from srv6lab.providers.vagrant.single import SingleVm

    return SingleVm(hypervisor, name, SINGLE_VM)


def _containerlab(found: Plan) -> Files:
    from srv6lab.containerlab import containerlab

    return containerlab(found)


KERNELS = tuple(SUITES)
DEFAULT_PROVIDER = "netns"
PROVIDERS: Mapping[str, Callable[[], Provider]] = {
    DEFAULT_PROVIDER: _netns,
    "virtualbox": _machines("virtualbox", "virtual machines, which Vagrant makes in VirtualBox"),
    "libvirt": _machines("libvirt", "virtual machines, which Vagrant makes with libvirt and qemu"),
}
# The provider `microvm:VERSION`: another kernel under the same lab.
MICROVM = "microvm"
# The providers `virtualbox-single-vm` and `libvirt-single-vm`: one machine with the whole lab in it.
_ONE = "-single-vm"
DEFAULT_TARGET = "vagrant"
TARGETS: Mapping[str, Callable[[Plan], Files]] = {DEFAULT_TARGET: vagrant, "containerlab": _containerlab}
_FILE = "topology.yml"
_INSTANCE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")


@dataclass(frozen=True, slots=True)
class Reference:
    """A lab as somebody named it: the file, and the name its instance has by default."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Running:
    """A lab that was begun here."""

    home: Home
    state: State

    @property
    def provider(self) -> Provider:
        return provider_named(self.state.provider)


@dataclass(frozen=True, slots=True)
class Site:
    """Where labs and their state lie: the folder of `tasks.py`."""

    root: Path
    folder: Path | None = None  # of somebody else's labs

    @property
    def labs(self) -> Path:
        return self.folder or self.root / "labs"

    def names(self) -> list[str]:
        return sorted(path.parent.name for path in self.labs.glob(f"*/{_FILE}"))

    def course(self) -> tuple[list[Topology], list[str]]:
        """The labs in the order of the course, and the names of those whose file doesn't load."""
        found, broken = [], []
        for name in self.names():
            try:
                found.append(load(self.labs / name / _FILE).topology)
            except TopologyError:
                broken.append(name)
        return sorted(found, key=lambda topology: (topology.order, topology.name)), broken

    def plans(self) -> Iterator[Plan]:
        """The plans of the labs that have one."""
        for name in self.names():
            with suppress(TopologyError):
                yield self.load(self.refer(name))[0]

    def refer(self, spec: str) -> Reference:
        """`lab=NAME`, `NAME` or a path to a `.yml`; what else stands in that place is refused."""
        key, equals, value = spec.partition("=")
        if equals and "/" not in key:
            if key != "lab":
                raise UsageError(f"{spec!r} is no lab", f"options begin with two dashes: --{key} {value}")
            spec = value
        if not spec:
            raise UsageError("no lab is named", f"lab=NAME with one of: {', '.join(self.names())}")
        if spec.endswith((".yml", ".yaml")) or "/" in spec:
            path = Path(spec)
            if path.is_dir() or not path.suffix:
                path = path / _FILE
            return Reference(path, path.parent.resolve().name if path.name == _FILE else path.stem)
        if not _INSTANCE.match(spec):
            raise UsageError(f"{spec!r} is no name of a lab", f"there are: {', '.join(self.names())}")
        return Reference(self.labs / spec / _FILE, spec)

    def known(self, reference: Reference) -> Reference:
        """The lab, if it is there."""
        if not reference.path.exists():
            near = difflib.get_close_matches(reference.name, self.names(), 1)
            mend = f"did you mean {near[0]}?" if near else f"there are: {', '.join(self.names())}"
            raise UsageError(f"there is no lab {reference.name} ({shown(reference.path)})", mend)
        return reference

    def load(self, reference: Reference) -> tuple[Plan, tuple[Problem, ...]]:
        """The lab's plan and the loader's warnings."""
        self.known(reference)
        found = load(reference.path, shown(reference.path))
        return plan(found.topology, found.source.locate, found.files), found.warnings

    def home(self, reference: Reference, instance: str = "") -> Home:
        name = instance or reference.name
        if not _INSTANCE.match(name):
            mend = "name one with --instance: letters, digits, dots and dashes"
            raise UsageError(f"{name!r} is no name for an instance", mend)
        return Home(self.root / ".srv6lab" / name)

    def running_if_up(self, reference: Reference, instance: str = "") -> Running | None:
        """The lab that is up under that name, None if none is."""
        home = self.home(reference, instance)
        state = home.read()
        return Running(home, state) if state is not None and state.phase == "ready" else None

    def running(self, reference: Reference, instance: str = "") -> Running:
        """The lab that is up under that name; MachineError if none is."""
        home = self.home(reference, instance)
        state = home.read()
        if state is None or state.phase != "ready":
            given = f" --instance {instance}" if instance else ""
            raise MachineError(f"{home.path.name} isn't up", f"invoke up lab={reference.name}{given}")
        return Running(home, state)


def provider_named(name: str) -> Provider:
    kind, _, version = name.partition(":")
    if kind == MICROVM:
        if version not in KERNELS:
            what = f"there is no kernel {version!r}" if version else "a micro-VM needs a kernel"
            raise UsageError(what, f"--kernel with one of: {', '.join(KERNELS)}")
        return _microvm(version)
    hypervisor = name.removesuffix(_ONE)
    if hypervisor not in PROVIDERS:
        raise UsageError(f"there is no provider {name!r}", f"there are: {', '.join(PROVIDERS)}")
    provider = PROVIDERS[hypervisor]()
    if name == hypervisor:
        return provider
    if not provider.resumes:
        raise UsageError(f"{hypervisor} makes no machines", "--single-vm is for virtualbox and libvirt")
    return _single_vm(hypervisor, name)


def target(name: str) -> Callable[[Plan], Files]:
    """What renders a plan for another tool."""
    try:
        return TARGETS[name]
    except KeyError:
        raise UsageError(f"there is no target {name!r}", f"there are: {', '.join(TARGETS)}") from None


def write_rendered(files: Files, folder: Path) -> tuple[list[Path], list[Path]]:
    """Write rendered files into a folder: their paths, and those of what an earlier lab left there."""
    return rendered.write(files, folder), rendered.leftovers(files, folder)


def check_rendered(files: Files, folder: Path, show: Callable[[str], object]) -> None:
    """Show what stands in a folder otherwise than rendered; DriftError if anything does."""
    count = 0
    for difference in rendered.differences(files, folder):
        show(difference)
        count += 1
    if count:
        what = f"{count} {'file differs' if count == 1 else 'files differ'} from what the topology renders to"
        raise DriftError(what, "render again without --check, or mend the topology")


def up(
    home: Home,
    found: Plan,
    reference: Reference,
    provider_name: str,
    progress: Progress,
    box: str = "",
) -> State:
    """Bring the lab up, or what is up back to what the file says. On a failure nothing is left, but by a
    provider that resumes: there the next `up` goes on. A lab whose routing protocols don't converge stays up,
    to be looked at. `box` stands for the boxes that the file names."""
    with home.locked():
        state = home.read()
        provider = provider_named(provider_name or (state.provider if state else DEFAULT_PROVIDER))
        if provider.name.endswith(_ONE) and not state:
            box = box or OUR_BOX  # the file's boxes are for its nodes
        _refuse_another(state, provider, box, home, reference)
        found = with_box(found, state.box if state else box)
        mended = _mend(home, state, found, provider, progress) if state else None
        fresh = _fresh(home, found, reference, provider, box)
        state = mended or _anew(home, state, found, fresh, provider, progress)
        try:
            wait(found, provider, state, progress)
            elections.up(found, provider, state, progress)
        except KeyboardInterrupt:
            raise Interrupted(f"interrupted: {home.path.name} is up, but has not converged") from None
        return state


def _fresh(home: Home, found: Plan, reference: Reference, provider: Provider, box: str) -> State:
    """What is written down at the beginning; a lab that can be resumed is known by its plan from then on."""
    path = str(reference.path.resolve())
    known = fingerprint(found, provider) if provider.resumes else ""
    return State(found.name, home.path.name, provider.name, path, "starting", known, box)


def _anew(
    home: Home, state: State | None, found: Plan, fresh: State, provider: Provider, progress: Progress
) -> State:
    provider.down(home, state)
    home.forget(keep_runs=True, keep_lock=True)
    try:
        state = provider.up(found, partial(_render_into, home, found, provider), home, fresh, progress)
        state = replace(state, fingerprint=fingerprint(found, provider))
        home.write(state)
        return state
    except BaseException as error:
        if provider.resumes and home.read():
            _keep(home, fresh.lab, error)
        _take_back(provider, home)
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted(f"interrupted: nothing is left of {home.path.name}") from None
        raise


def _refuse_another(
    state: State | None, provider: Provider, box: str, home: Home, reference: Reference
) -> None:
    """What is up can't change its provider or its boxes."""
    destroy_it = f"invoke destroy lab={reference.name}"
    if state and state.provider != provider.name:
        raise UsageError(f"{home.path.name} is up under {state.provider}", destroy_it)
    if state and box and state.box != box:
        raise UsageError(f"{home.path.name} is up from {state.box or 'the boxes of its file'}", destroy_it)
    if box and not provider.resumes:
        raise UsageError(f"{provider.name} has no boxes", "--box is for virtualbox and libvirt")


def with_box(found: Plan, box: str) -> Plan:
    """The plan with one box for all machines; "" leaves each its own."""
    if not box:
        return found
    machines = (replace(machine, box=box, box_version=None) for machine in found.machines)
    return replace(found, machines=tuple(machines))


def _keep(home: Home, lab: str, error: BaseException) -> None:
    """What came up stays: only a person's interrupt needs words of its own."""
    if isinstance(error, KeyboardInterrupt):
        name = f"lab={lab}" if lab == home.path.name else f"lab={lab} --instance {home.path.name}"
        mend = f"invoke up {name} goes on, invoke destroy {name} takes it away"
        raise Interrupted(f"interrupted: what came up of {home.path.name} is kept", mend) from None
    raise error


def rendering(provider: Provider) -> Callable[[Plan], Files]:
    """What a provider takes a lab from."""
    if provider.name.endswith(_ONE):
        return single_vm
    return vagrant if provider.resumes else render


def _render_into(home: Home, found: Plan, provider: Provider) -> Mapping[str, str]:
    """Write the lab's files; those that are text."""
    files = rendering(provider)(found)
    for path, content in files.items():
        write_whole(home.path / path, content)
    return _texts(files)


def _texts(files: Files) -> Mapping[str, str]:
    return {path: content for path, content in files.items() if isinstance(content, str)}


def _take_back(provider: Provider, home: Home) -> None:
    try:
        provider.down(home, home.read())
        home.forget(keep_runs=True)
    except BaseException as error:
        name = home.path.name
        mend = f"invoke destroy lab={name} takes the rest away"
        raise LabError(
            f"stopped while taking {name} back, so some of it may be left: {error}", mend
        ) from error


def _mend(home: Home, state: State, found: Plan, provider: Provider, progress: Progress) -> State | None:
    """What is up already and still whole; None where it has to be built from nothing."""
    if state.fingerprint != fingerprint(found, provider):
        if state.phase == "ready" and all(one.alive for one in provider.status(home, state)):
            raise _stale(home, found, provider)
        return None
    try:
        mended = provider.mend(found, _texts(rendering(provider)(found)), home, state, progress)
        if mended:
            Changes(provider, home, state).take_back()
    except MachineError as error:
        if provider.resumes:
            raise
        progress(f"it can't be mended, so it is built anew: {str(error).splitlines()[0]}")
        return None
    return mended


def fingerprint(found: Plan, provider: Provider) -> str:
    """What of a plan is built into a running lab: its scripts, its machines, its NICs, its captures' names."""
    digest = hashlib.sha256()
    for path, content in sorted(rendering(provider)(found).items()):
        digest.update(f"{path}\0".encode())
        digest.update(content if isinstance(content, bytes) else content.encode())
        digest.update(b"\0")
    for nic in found.traced():
        digest.update(f"{nic}\0".encode())
    return digest.hexdigest()


def _stale(home: Home, found: Plan, provider: Provider) -> UsageError:
    files = rendering(provider)(found)
    changed = [path for path, content in files.items() if not _same(home.path / path, content)]
    what = f"{', '.join(changed)} would change" if changed else "links or captures would change"
    mend = f"invoke destroy lab={home.path.name}, then up again"
    return UsageError(f"{home.path.name} is up from an older file: {what}", mend)


def _same(path: Path, content: str | bytes) -> bool:
    try:
        return path.read_bytes() == (content if isinstance(content, bytes) else content.encode())
    except FileNotFoundError:
        return False


def halt(one: Running, progress: Progress) -> None:
    """Shut a lab's machines down and keep their disks; UsageError for a provider that has none."""
    if not one.provider.resumes:
        what = f"{one.state.provider} has no machines that could be shut down"
        raise UsageError(what, f"invoke destroy lab={one.state.instance} takes the lab away")
    with one.home.locked():
        one.provider.halt(one.home, one.state, progress)


def build_box(progress: Progress, *, again: bool = False, add: bool = False) -> Box:
    """Build the box of our own, and let Vagrant have it if asked."""
    from srv6lab.providers.vagrant.command import add_box, public_key

    found = build(public_key(), progress, again=again)
    if add:
        for provider, file in found.files.items():
            progress(f"vagrant box add {found.name} for {provider}")
            add_box(found.name, file)
    return found


def destroy(home: Home, *, purge: bool = False) -> bool:
    """Take away what `up` made; False if there was nothing. The results of checks stay unless `purge`."""
    if home.path.is_symlink():
        raise UsageError(f"{shown(home.path)} is a link to elsewhere", "remove it by hand")
    if not home.begun:
        return False
    with home.locked():
        state = home.read()
        began = state is not None or (home.path / "alive").exists()
        provider_named(state.provider if state else DEFAULT_PROVIDER).down(home, state)
        home.forget(keep_runs=not purge)
    return began or purge


def choose_provider(home: Home, asked: str, kernel: str = "", *, single_vm: bool = False) -> str:
    """The provider that was asked for, else the one that the instance runs under, else the default; a
    kernel other than this machine's is asked of the micro-VM, and `single_vm` of one that makes machines."""
    if single_vm and not kernel:
        asked = (asked or DEFAULT_PROVIDER).removesuffix(_ONE) + _ONE
    elif single_vm:
        raise UsageError("one machine has the kernel of its box", "leave out --single-vm or --kernel")
    if kernel and asked not in ("", MICROVM):
        raise UsageError(f"{asked} runs on no kernel of your choice", "leave out --provider or --kernel")
    if kernel or asked == MICROVM:
        asked = f"{MICROVM}:{kernel}"
    state = home.read()
    return provider_named(asked or (state.provider if state else DEFAULT_PROVIDER)).name


def provider_line(name: str, *, explicit: bool) -> str:
    """The first line of `up`: where the lab runs, and how to choose."""
    line = f"provider: {name} ({provider_named(name).summary})"
    if explicit:
        return line
    return f"{line}; choose with --provider {'|'.join(PROVIDERS)}, or --kernel {'|'.join(KERNELS)}"


def exercise_names(found: Plan, asked: Sequence[str]) -> list[str]:
    """The exercises to run: those asked for, else all; UsageError for one that isn't there."""
    names = [exercise.name for exercise in found.exercises]
    for name in asked:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            mend = f"did you mean {near[0]}?" if near else f"there are: {', '.join(names)}"
            raise UsageError(f"{found.name} has no exercise {name!r}", mend)
    if not names:
        raise UsageError(f"{found.name} has no exercises", "write one under exercises:")
    return list(asked) or names


def predict(found: Plan, names: Sequence[str], probes: Sequence[str], form: str) -> str:
    """What the model says of exercises' probes (all of them, or those named), as text, JSON or Mermaid."""
    from srv6lab.predict import predict

    if form not in WALKS:
        raise UsageError(f"there is no format {form!r}", f"there are: {', '.join(WALKS)}")
    known = [probe.id for name in names for probe in found.exercise(name)[1].every_probe()]
    for probe in probes:
        if probe not in known:
            near = difflib.get_close_matches(probe, known, 1)
            mend = f"did you mean {near[0]}?" if near else f"there are: {', '.join(dict.fromkeys(known))}"
            raise UsageError(f"there is no probe {probe!r}", mend)
    proxies = frozenset(proxy.behavior.name for machine in found.machines for proxy in machine.proxies)
    walked = [
        Walked(
            found.name,
            name,
            tuple(one for one in predict(found, name) if not probes or one.probe in probes),
            proxies,
        )
        for name in names
    ]
    return WALKS[form](walked)


def check(one: Running, found: Plan, names: Sequence[str], progress: Progress) -> list[Verdict]:
    """Run exercises one after the other, each into its own run folder with its verdict beside it."""
    from srv6lab.exercise import record

    verdicts = []
    built = with_box(found, one.state.box)
    if one.state.fingerprint != fingerprint(built, one.provider):
        raise _stale(one.home, built, one.provider)
    with one.home.locked():
        for name in names:
            folder = record(found, name, one.provider, one.home, one.state, progress)
            verdict = _confirmed(one, grade(found, name, folder, progress), progress)
            write_whole(folder / "verdict.json", verdicts_json([verdict]))
            verdicts.append(verdict)
    return verdicts


def _confirmed(one: Running, verdict: Verdict, progress: Progress) -> Verdict:
    """The verdict with the cause that the lab's nodes prove, where they prove one."""
    from srv6lab.diagnose import confirm

    def ask(node: str, argv: Sequence[str]) -> tuple[str, int]:
        progress(f"{verdict.exercise}: asking {node}: {shlex.join(argv)}")
        answer = one.provider.exec(one.state, node, argv, timeout=10)
        return answer.stdout + answer.stderr, answer.exit_code

    return replace(verdict, suspects=confirm(verdict.suspects, ask))


def grade(found: Plan, name: str, folder: Path, progress: Progress) -> Verdict:
    """Judge a folder of pcaps by one exercise's expectations, with no lab running."""
    from srv6lab.exercise import grade  # pyshark is slow to import, and most tasks read no pcap

    return grade(found, name, folder, progress)


def formatter(name: str) -> Callable[[Sequence[Verdict]], str]:
    try:
        return FORMATS[name]
    except KeyError:
        raise UsageError(f"there is no format {name!r}", f"there are: {', '.join(FORMATS)}") from None


def exit_code(verdicts: Sequence[Verdict]) -> int:
    """0 pass, 3 inconclusive, 4 fail: the worst of all."""
    found = {verdict.status for verdict in verdicts}
    return 4 if Status.FAIL in found else 3 if Status.INCONCLUSIVE in found else 0


def status(one: Running) -> Sequence[Health]:
    return one.provider.status(one.home, one.state)


def status_report(one: Running, health: Sequence[Health], form: str) -> str:
    if form == "json":
        return json.dumps([asdict(entry) for entry in health], indent=2) + "\n"
    if form != "text":
        raise UsageError(f"there is no format {form!r}", "there are: text, json")
    return status_text(one.state.lab, one.state.instance, one.state.provider, health)


def sids(one: Running, found: Plan, form: str) -> str:
    """The local SIDs, locators and VPN routes that the lab's nodes have now."""
    reports = {"text": sids_text, "json": sids_json}
    if form not in reports:
        raise UsageError(f"there is no format {form!r}", f"there are: {', '.join(reports)}")
    known = {machine.name: look(one.provider, one.state, machine) for machine in found.machines}
    return reports[form](found.machines, known)


def policies(one: Running | None, found: Plan, form: str) -> str:
    """The SR policies of the lab's headends as their agents tell of them; of a lab that isn't up, as the model does."""
    reports = {"text": policies_text, "json": policies_json}
    if form not in reports:
        raise UsageError(f"there is no format {form!r}", f"there are: {', '.join(reports)}")
    told = elections.expected(found)
    if one is None:
        return reports[form](told, "the model")
    said = {node: elections.look(one.provider, one.state, node) for node in told}
    if silent := [node for node, state in said.items() if state is None]:
        what = f"the agent of {', '.join(silent)} has said nothing"
        raise LabError(what, f"invoke exec lab={found.name} --node {silent[0]} -- cat {elections.FOLDER}/log")
    return reports[form]({node: state for node, state in said.items() if state is not None}, "its agent")


def ping(one: Running, node: str, to: str, segments: str, count: int, oam: bool) -> int:
    """Send echo requests with an SRH from a node; its exit code."""
    try:
        destination, *path = [str(IPv6Address(text)) for text in (to, *segments.split(","))]
    except ValueError as error:
        raise UsageError(f"{error}", "--to ADDRESS --segments SID,SID: IPv6, first visited first") from None
    return run_here(one, node, srhping(destination, path, count, "", oam=oam))


def frr_root(progress: Progress) -> str:
    """The root file system with FRR, built if it isn't there yet."""
    return str(rootfs.serving(progress))


def run_here(one: Running, node: str, argv: Sequence[str]) -> int:
    """Run a command in a node on this terminal; its exit code, told as shells do for a signal."""
    code = subprocess.run(one.provider.command(one.state, _known(one, node), argv), check=False).returncode
    return code if code >= 0 else 128 - code


def shell(terminal: bool) -> Sequence[str]:
    """A login shell; on a terminal it gets one of the node's own, since the node can't name ours."""
    return ("script", "--quiet", "--return", "--command", "bash -l", "/dev/null") if terminal else ("bash",)


def _known(one: Running, node: str) -> str:
    nodes = one.provider.nodes(one.state)
    if node in nodes:
        return node
    near = difflib.get_close_matches(node, nodes, 1)
    mend = f"did you mean {near[0]}?" if near else f"there are: {', '.join(nodes)}"
    raise UsageError(f"there is no node {node or '(none named)'} in {one.home.path.name}", mend)


def collect(one: Running, into: Path) -> list[Path]:
    """Everything the tracers have seen so far, drained, as pcaps in `into`; LabError names dead tracers."""
    if into.resolve() == one.home.captures.resolve():
        raise UsageError(f"the tracers are at work in {shown(into)}", "--out takes another folder")
    if into.exists() and not into.is_dir():
        raise UsageError(f"{shown(into)} is no folder", "--out takes a folder")
    tracers = one.provider.captures(one.home, one.state, None, into)
    dead = [f"{tracer.point}: {tracer.note}" for tracer in tracers if not tracer.sound]
    if dead:
        raise LabError("\n".join(dead), "invoke up restarts dead tracers")
    return sorted(into / f"{tracer.trace}.pcap" for tracer in tracers)


def shown(path: Path) -> str:
    """A path as short as it can be written from here."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
