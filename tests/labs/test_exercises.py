"""Every lab comes up and passes its exercises; every fault in its list turns the right item red.

The faults of a lab are data, in `tests/labs/<lab>.faults.yml`:

    name, exercise   what is broken, and which exercise sees it
    cause            what `diagnose` must name
    node, run        a shell script that breaks it, inside the node; or without `node` a script a node
    undo             a script that takes back what `up` can't know of (default: `up` mends it), or one a node
    until            {node, run}: a script in a node that succeeds once the fault has had its effect
    prove            true: too slow for `make test` (so is one whose cause is shown already)
    kill_tracer      or: a point whose tracer is killed
    cut              or: a trace file that loses the end of its last record
    status           fail or inconclusive
    items            items that the verdict must hold (a subset of their fields each)
"""

from __future__ import annotations

import os
import shutil
import signal
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv6Address
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import yaml

from srv6lab.cli.tasks import check
from srv6lab.evidence.verdict import Item, Status, Verdict
from srv6lab.host.waiting import wait_until
from srv6lab.judge.diagnose import CAUSES
from srv6lab.judge.grade import grade
from srv6lab.providers.process import Process
from srv6lab.report.screen import Look, columns, verdicts_screen
from tests.conftest import LABS, SITE, Up, invoke, silent
from tests.everyday_answers import EVERYDAY
from tests.forge import another_address, rewrite, with_an_srh


def _faults() -> Iterator[Any]:
    """Every fault. `make test` has the first of every third cause, `make prove` all."""
    causes: list[str] = []
    for lab in LABS:
        for fault in yaml.safe_load((Path(__file__).parent / f"{lab}.faults.yml").read_text()):
            slow = fault.get("prove") or fault["cause"] in causes
            if not slow:
                causes.append(fault["cause"])
                slow = len(causes) % 3 != 1
            marks = [pytest.mark.prove] if slow else []
            yield pytest.param(lab, fault, id=f"{lab}-{fault['name'].replace(' ', '-')}", marks=marks)


FAULTS = list(_faults())


CONFUSION: Counter[tuple[str, str]] = Counter()


@pytest.fixture(scope="module", autouse=True)
def confusion() -> Iterator[None]:
    """The confusion matrix of `diagnose`, printed at the end, and kept where $SRV6LAB_CONFUSION says."""
    yield
    lines = [f"{count:3} {cause} named {named}" for (cause, named), count in sorted(CONFUSION.items())]
    text = "\n".join(lines) + "\n"
    print(f"\n{text}", end="")
    if path := os.environ.get("SRV6LAB_CONFUSION"):
        Path(path).write_text(text)


def test_every_cause_has_two_faults() -> None:
    """Those that no fault in a lab can show have tests of their own, in tests/test_diagnose.py; what people do every day
    is in the fault corpus."""
    answered = {cause for cause, *_ in EVERYDAY}
    shown = Counter(values[1]["cause"] for values in (fault.values for fault in FAULTS))
    assert {cause for cause in CAUSES if shown[cause] < 2 and cause not in answered} == {
        "expectation",
        "model",
        "nic-out-of-vrf",  # more of VRFs in tests/test_vrfs.py
        "not-modeled",  # no lab of the course has commands: tests/labs/test_way_out.py
        "policy-in-main-table",
        "proxy-cache-empty",  # who rewrites a packet is named first, where that is a rule
        "unknown",
        "vrf-strict-mode",
    }


@pytest.mark.parametrize("name", LABS)
def test_exercises_pass(labs_up: Any, name: str) -> None:
    lab = labs_up(name)
    names = [exercise.name for exercise in lab.plan.exercises if exercise.like is None]
    verdicts = check(lab.running, lab.plan, names, silent)
    for verdict in verdicts:
        assert verdict.status is Status.PASS, verdict
    fits_a_screen(verdicts)
    fits_a_screen(verdicts[:1])


def fits_a_screen(verdicts: Sequence[Verdict]) -> None:
    """All exercises, or the walk of one, on a terminal of 80 columns and 40 lines."""
    lines = verdicts_screen(verdicts, Look(80)).splitlines()
    assert len(lines) <= 40, lines
    assert max(map(columns, lines)) <= 80, lines


@pytest.mark.prove
@pytest.mark.parametrize("name", LABS)
def test_up_and_check_pass_ten_times_in_a_row(name: str) -> None:
    """As a user types it, from nothing to nothing."""
    instance = f"test-{uuid.uuid4().hex[:12]}"
    for number in range(10):
        for words in (("up",), ("check",), ("destroy", "--purge")):
            done = invoke(words[0], name, "--instance", instance, *words[1:])
            assert done.returncode == 0, f"round {number + 1}: {done.stdout}{done.stderr}"


def copied(lab: Up, exercise: str, into: Path) -> Path:
    """A run of an exercise that passed, to be made wrong."""
    if not lab.running.home.run(exercise).is_dir():
        check(lab.running, lab.plan, [exercise], silent)
    return Path(shutil.copytree(lab.running.home.run(exercise), into / "run"))


def is_ipv6(text: str) -> bool:
    try:
        return bool(IPv6Address(text))
    except ValueError:
        return False


Said = Sequence[tuple[str, str, str]]


def addresses_that_routers_say(name: str) -> Iterator[tuple[str, str, Said]]:
    """One of each kind of field that holds an address: lab, exercise, and of each field trace, name and address."""
    plan, _ = SITE.load(SITE.refer(name))
    traces = {str(nic.point): nic.trace for nic in plan.traced()}
    seen = set()
    for exercise in plan.exercises:
        found = []
        for one in exercise.expect.control:
            for field, values in one.fields.items():
                if field not in seen and len(values) == 1 and is_ipv6(values[0]):
                    seen.add(field)
                    found.append((traces[one.at], field, values[0]))
        if found:
            yield name, exercise.name, found


@pytest.mark.parametrize(
    ("name", "exercise", "said"), [one for name in LABS for one in addresses_that_routers_say(name)]
)
def test_other_addresses_in_messages_are_rejected(
    labs_up: Any, tmp_path: Path, name: str, exercise: str, said: Said
) -> None:
    """Each of them, though all are in one run: to read it takes longest."""
    lab = labs_up(name)
    folder = copied(lab, exercise, tmp_path)
    for trace, _, address in said:
        assert rewrite(folder / "captures" / f"{trace}.pcap", another_address(address))
    verdict = grade(lab.plan, exercise, folder, silent)
    wrong = {(item.kind, item.field, item.expected) for item in verdict.items if item.status is Status.FAIL}
    assert {("field", field, address) for _, field, address in said} <= wrong, _text(verdict)


def tunnels_without_srh() -> Iterator[tuple[str, str, str, str]]:
    """The first expectation of a tunnel with no SRH in each lab with routers: lab, exercise, trace, destination."""
    for name in LABS:
        plan, _ = SITE.load(SITE.refer(name))
        traces = {str(nic.point): nic.trace for nic in plan.traced()}
        if any(machine.routing for machine in plan.nodes):
            found = (
                (name, exercise.name, traces[one.at], str(one.destination))
                for exercise in plan.exercises
                for one in exercise.expect.packets
                if one.segment_list == () and one.inner
            )
            yield from islice(found, 1)


@pytest.mark.parametrize(("name", "exercise", "trace", "sid"), list(tunnels_without_srh()))
def test_an_srh_with_one_segment_is_rejected(  # type: ignore[no-untyped-def]
    labs_up, tmp_path: Path, name: str, exercise: str, trace: str, sid: str
) -> None:
    lab = labs_up(name)
    folder = copied(lab, exercise, tmp_path)
    assert rewrite(folder / "captures" / f"{trace}.pcap", with_an_srh)
    verdict = grade(lab.plan, exercise, folder, silent)
    wrong = {
        (item.field, item.expected, item.captured) for item in verdict.items if item.status is Status.FAIL
    }
    assert ("segment_list", "none", sid) in wrong, _text(verdict)
    assert ("next_header", "ipv4", "routing") in wrong, _text(verdict)


@pytest.mark.parametrize("name", LABS)
def test_every_exercise_has_a_fault(name: str) -> None:
    plan, _ = SITE.load(SITE.refer(name))
    blamed = {values[1]["exercise"] for values in (f.values for f in FAULTS) if values[0] == name}
    assert blamed == {exercise.name for exercise in plan.exercises if exercise.like is None}


@pytest.mark.confusion
@pytest.mark.parametrize(("name", "fault"), FAULTS)
def test_fault_is_seen_and_mended(labs_up: Any, tmp_path: Path, name: str, fault: Mapping[str, Any]) -> None:
    lab = labs_up(name)
    try:
        verdict = _with_fault(lab, fault, tmp_path)
    finally:
        for node, script in _scripts(fault, "undo").items():
            lab.sh(node, script)
    named = verdict.suspects[0].cause if verdict.suspects else "none"
    CONFUSION[fault["cause"], named] += 1
    assert verdict.status == fault["status"], _text(verdict)
    for wanted in fault["items"]:
        assert any(_fits(item, wanted) for item in verdict.items), f"{wanted} not in\n{_text(verdict)}"
    assert named == fault["cause"], f"{verdict.suspects}\n{_text(verdict)}"
    mended = lab.again()
    (after,) = check(mended.running, lab.plan, [fault["exercise"]], silent)
    assert after.status is Status.PASS, f"`up` did not mend it:\n{_text(after)}"
    assert after.suspects == (), "a cause was named where there is no fault"


def _with_fault(lab: Up, fault: Mapping[str, Any], tmp_path: Path) -> Verdict:
    if "cut" in fault:
        check(lab.running, lab.plan, [fault["exercise"]], silent)
        folder = tmp_path / "run"
        shutil.copytree(lab.running.home.run(fault["exercise"]), folder)
        pcap = folder / "captures" / fault["cut"]
        pcap.write_bytes(pcap.read_bytes()[:-7])
        return grade(lab.plan, fault["exercise"], folder, silent)
    if "kill_tracer" in fault:
        _, pair = lab.running.state.provider_data["tracers"][fault["kill_tracer"]]
        Process(*pair).kill(signal.SIGKILL)
    else:
        for node, script in _scripts(fault, "run").items():
            lab.sh(node, script)
        if effect := fault.get("until"):
            lab.sh(
                effect["node"],
                f"for _ in {{1..300}}; do if {effect['run']}; then exit; fi; sleep 0.1; done; exit 1",
            )
    (verdict,) = check(lab.running, lab.plan, [fault["exercise"]], silent)
    return verdict


def _scripts(fault: Mapping[str, Any], key: str) -> Mapping[str, str]:
    """A script a node."""
    scripts = fault.get(key, {})
    return {fault["node"]: scripts} if isinstance(scripts, str) else scripts


def _fits(item: Item, wanted: Mapping[str, Any]) -> bool:
    seen = {
        "kind": item.kind,
        "status": item.status.value,
        "at": str(item.point),
        "direction": item.direction and item.direction.value,
        "field": item.field,
        "captured": item.captured,
        "expected": item.expected,
        "note": item.note,
    }
    return all(seen[key] == value for key, value in wanted.items())


def _text(verdict: Verdict) -> str:
    return "\n".join(str(item) for item in verdict.items if item.status is not Status.PASS)


def test_up_takes_back_what_somebody_told_frr(labs_up: Any) -> None:
    """By daemons that begin anew, and those of no other node."""
    name = next(name for name in LABS if any(one.routing for one in SITE.load(SITE.refer(name))[0].nodes))
    lab = labs_up(name)
    changed, other = [node.name for node in lab.plan.nodes if node.routing][:2]

    def pids(node: str) -> str:
        return lab.sh(node, "cat /run/frr/*.pid")

    before = pids(changed), pids(other)
    lab.sh(changed, "vtysh -c 'configure terminal' -c 'ip route 203.0.113.0/24 blackhole'")
    assert wait_until(lambda: "203.0.113.0/24" in lab.sh(changed, "ip route"), 30, 0.2)
    lab.again()
    assert "203.0.113.0/24" not in lab.sh(changed, "ip route; vtysh -c 'show running-config'")
    after = pids(changed)
    assert after != before[0] and pids(other) == before[1]
    lab.again()
    assert pids(changed) == after
