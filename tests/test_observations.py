"""What a run wrote beside its captures: read as it was written, and refused with words if it is damaged."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from srv6lab.capture.reading import Capture
from srv6lab.errors import UsageError
from srv6lab.evidence.drift import Difference
from srv6lab.evidence.observations import (
    OBSERVATIONS,
    Alert,
    Observations,
    Sensor,
    Tracer,
    read_observations,
    write_observations,
)
from srv6lab.evidence.packets import Point
from srv6lab.evidence.prediction import Hop
from srv6lab.evidence.probes import Sent
from srv6lab.evidence.runs import VERDICT
from srv6lab.evidence.verdict import Status, Verdict
from srv6lab.judge.grade import judge_run
from srv6lab.judge.observed import observed_run
from srv6lab.live.watch_files import Runs
from srv6lab.plan.nodes import Plan
from srv6lab.predict import predict
from srv6lab.providers.state import Home
from tests.small import EAST, SMALL, WEST, planned

TOKEN = "5a" * 16
ALERT = Alert("ids", 7, WEST, EAST, "2001:ab::1", "fc00:b::e")
SENSOR = Sensor("ids", "snort", True, False)


def all_of_it() -> Observations:
    """A run in which everything was observed."""
    return Observations(
        lab="small",
        exercise="across",
        provider="nowhere",
        probes=(Sent("echo", 3, 3, TOKEN),),
        tracers=(
            Tracer(Point("gate", "eth2"), "live", 3),
            Tracer(Point("exit", "eth1"), "dead", note="gone"),
        ),
        counters={"sid fc00:b::d4": 3},
        failure="exit: no such table",
        failed_on="exit",
        proxies={"exit": "srconf on eBPF"},
        routing=(("gate", "gate has no route"),),
        compared=True,
        differences=(
            Difference("gate", "", "link", ("eth1: <UP> mtu 2000",), ("eth1: <UP> mtu 1400",)),
            Difference("exit", "inside", "frr", new=("router bgp 1: no bgp default",)),
        ),
        settled=("converged after 1.0 s",),
        policies=(("gate", "gate has elected nothing yet"),),
        sids={"gate": (("fc00:a::1", "End"),)},
        vpns={"exit": "a VRF"},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_observations(tmp_path, all_of_it())
    return tmp_path


def rewrite(folder: Path, document: object) -> None:
    (folder / OBSERVATIONS).write_text(json.dumps(document))


def document(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / OBSERVATIONS).read_text())
    return found


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    for observed in (all_of_it(), Observations(), replace(all_of_it(), alerts=(ALERT,), sensors=(SENSOR,))):
        write_observations(tmp_path, observed)
        assert read_observations(tmp_path) == (observed, str(tmp_path / OBSERVATIONS))


def test_pcaps_that_came_alone_have_none(tmp_path: Path) -> None:
    assert read_observations(tmp_path) == (Observations(), "")


def test_they_are_found_beside_the_captures_too(folder: Path) -> None:
    (folder / "captures").mkdir()
    assert read_observations(folder / "captures")[0] == all_of_it()


JSON: tuple[Any, ...] = (
    None,
    True,
    7,
    -1,
    1.5,
    "text",
    "",
    [],
    {},
    [[]],
    [None],
    {"": None},
    [{}],
    ["a", "b"],
)


def mutants(value: Any) -> Iterator[Any]:
    """The value with one part of it taken away, or replaced by something of each JSON type."""
    for path in _paths(value):
        for other in (*JSON, KeyError):
            changed = copy.deepcopy(value)
            inside = changed
            for step in path[:-1]:
                inside = inside[step]
            if other is KeyError:
                del inside[path[-1]]
            else:
                inside[path[-1]] = other
            yield changed


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield (*path, key)
        yield from _paths(value[key], (*path, key))


def test_no_damage_ends_in_a_traceback(folder: Path) -> None:
    """Every mutant is judged, or refused with the file's name."""
    plan, captures = planned(), capture_all(planned())
    refused = judged = 0
    for mutant in mutants(document(folder)):
        rewrite(folder, mutant)
        try:
            verdict = judge_run(plan, "across", observed_run(plan, "across", folder), captures)
        except UsageError as error:
            assert OBSERVATIONS in str(error) or "holds a run of exercise" in str(error), mutant
            refused += 1
        else:
            assert isinstance(verdict, Verdict)
            judged += 1
    assert refused + judged > 500 and refused > 300 and judged > 10


def test_no_damage_of_alerts_and_sensors_does_either(folder: Path) -> None:
    write_observations(folder, Observations(alerts=(ALERT,), sensors=(SENSOR,)))
    every = list(mutants(document(folder)))
    for mutant in every:
        rewrite(folder, mutant)
        try:
            read_observations(folder)
        except UsageError as error:
            assert OBSERVATIONS in str(error)
    assert len(every) > 300


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"routing": {}}, "routing is a mapping, not a list"),
        ({"tracers": [None]}, r"tracers\[0\] is null, not a mapping"),
        ({"tracers": [{"point": "gate"}]}, r"tracers\[0\].state is missing"),
        ({"counters": {"sid fc00::1": "3"}}, r"counters\['sid fc00::1'\] is text, not a number"),
        ({"settled": [1.5]}, r"settled\[0\] is a fraction, not text"),
        ({"differences": [["gate"]]}, r"differences\[0\] is a list, not a mapping"),
        ({"compared": "yes"}, "compared is text, not true or false"),
        ({"colour": 7}, "nothing is called colour"),
        (
            {"probes": [{"probe": "echo", "sent": 3, "received": 3, "token": "xy", "note": ""}]},
            r"probes\[0\]\.token is 'xy', no bytes in hex",
        ),
    ],
)
def test_damage_is_told_with_its_place(folder: Path, change: dict[str, Any], words: str) -> None:
    rewrite(folder, document(folder) | change)
    with pytest.raises(UsageError, match=rf"observations\.json isn't as srv6lab wrote it: {words}"):
        read_observations(folder)


@pytest.mark.parametrize("schema", [1, 2, 4])
def test_a_run_of_another_version_is_refused(folder: Path, schema: int) -> None:
    rewrite(folder, {"schema": schema, "lab": "small", "exercise": "across"})
    with pytest.raises(
        UsageError, match=rf"another version of srv6lab \(schema {schema}, this one reads 3\)"
    ):
        read_observations(folder)


@pytest.mark.parametrize(
    "halves", [{"failure": "\ud800"}, {"counters": {"\udfff": 1}}, {"proxies": {"gate": "\udc00"}}]
)
def test_half_a_character_is_refused(folder: Path, halves: dict[str, Any]) -> None:
    rewrite(folder, {**document(folder), **halves})
    with pytest.raises(UsageError, match="half a character"):
        read_observations(folder)


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero"), lambda path: grown(path, 3 << 30)])  # fmt: skip
def test_what_has_no_end_or_is_no_file_is_refused(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / OBSERVATIONS)
    with pytest.raises(UsageError, match=r"observations\.json can't be read"):
        read_observations(tmp_path)


def grown(path: Path, size: int) -> None:
    """A file of holes."""
    path.touch()
    os.truncate(path, size)


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 5000, '{"schema": 2', "\x00"])
def test_what_is_no_json_is_refused(folder: Path, text: str) -> None:
    (folder / OBSERVATIONS).write_text(text)
    with pytest.raises(UsageError, match=r"observations\.json"):
        read_observations(folder)


@pytest.mark.parametrize(
    ("change", "gone"),
    [
        ({"routing": [["r9", "x"]]}, "node r9"),
        ({"sids": {"r9": []}}, "node r9"),
        ({"differences": [{"node": "r9", "netns": "", "section": "tc", "gone": [], "new": []}]}, "node r9"),
        ({"alerts": [asdict(ALERT)]}, "service ids"),
    ],
)
def test_a_run_of_nodes_that_are_gone_is_refused(folder: Path, change: dict[str, Any], gone: str) -> None:
    rewrite(folder, document(folder) | change)
    with pytest.raises(UsageError, match=f"names {gone}, and lab small has no such thing now"):
        observed_run(planned(), "across", folder)


# --- what is judged by them


def capture_all(plan: Plan, *, lose: int = 0, behind: str = "") -> dict[Point, Capture]:
    """Captures as the model has them, three packets of the probe a walk; `lose` of them from `behind` on."""
    (prediction,) = predict(plan, "across")
    found: dict[Point, list[Any]] = {nic.point: [] for nic in plan.traced()}
    count = 3
    for trace in prediction.linux:
        for hop in trace.hops:
            found[hop.point] += _seen(hop, count)
            count = count - lose if str(hop.point) == behind and count == 3 else count
    return {point: Capture(tuple(views), records=len(views)) for point, views in found.items()}


def _seen(hop: Hop, count: int) -> list[Any]:
    """The packet as that many echoes, each with a sequence number of its own."""
    assert hop.packet.icmp
    return [
        replace(hop.packet, payload=bytes.fromhex(TOKEN), icmp=replace(hop.packet.icmp, sequence=number))
        for number in range(1, count + 1)
    ]


def run(plan: Plan, captures: dict[Point, Capture]) -> Verdict:
    observed = Observations("small", "across", probes=(Sent("echo", 3, 3, TOKEN),))
    return judge_run(plan, "across", observed, captures)


SILENT = (
    SMALL[: SMALL.index("      elsewhere: absent")]
    + """\
      packets:
        - {at: "west:eth1", direction: out, probe: echo, source: 10.0.1.1, destination: 10.0.2.1}
"""
)


def test_what_the_model_has_passes() -> None:
    plan = planned(SILENT)
    assert run(plan, capture_all(plan)).status is Status.PASS


def test_a_packet_lost_on_the_way_accuses_nobody_of_copying() -> None:
    plan = planned(SILENT)
    verdict = run(plan, capture_all(plan, lose=1, behind="gate:eth2"))
    assert verdict.status is Status.FAIL and verdict.suspects
    assert "copied" not in {one.cause for one in verdict.suspects}


def test_packets_that_nobody_sent_do_accuse() -> None:
    plan = planned(SILENT)
    verdict = run(plan, capture_all(plan, lose=-1, behind="gate:eth2"))
    assert {(one.cause, one.node) for one in verdict.suspects if one.cause == "copied"} >= {
        ("copied", "gate"), ("copied", "exit"),
    }  # fmt: skip


def test_a_change_that_a_node_refused_accuses_its_nics() -> None:
    plan = planned(SILENT)
    told = {"failure": "gate: Cannot find device", "failed_on": "gate"}
    observed = Observations("small", "across", probes=(Sent("echo", 3, 3, TOKEN),), **told)
    verdict = judge_run(plan, "across", observed, capture_all(plan))
    assert [item.note for item in verdict.items if item.kind == "apply"] == [
        "the exercise couldn't go on: gate: Cannot find device"
    ]
    assert [(one.cause, one.argv[-1]) for one in verdict.suspects] == [
        ("nic-down", "eth1"),
        ("nic-down", "eth2"),
    ]
    elsewhere = judge_run(plan, "across", replace(observed, failed_on=""), capture_all(plan))
    assert not elsewhere.suspects


def test_a_node_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(KeyError, match="lab small has no node r9, only west, gate, exit, east"):
        planned().node("r9")


def test_watch_waits_for_no_pipe_in_a_verdict_s_place(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.run("across").mkdir(parents=True)
    os.mkfifo(home.run("across") / VERDICT)
    found, troubles = Runs(home).look()
    assert found == {} and "it is a pipe or a device" in troubles["the verdict of across"]
