"""Walks: a packet said once for both ends of the wire."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from srv6lab.cli.tasks import predict
from srv6lab.errors import TopologyError
from srv6lab.judge.expectations import Expected, expectations
from srv6lab.topology.load import Lab, loads
from tests.conftest import SITE
from tests.small import SMALL, planned

# What the labs expected when each packet of each NIC was a line of its own.
JUDGED: dict[str, dict[str, list[dict[str, Any]]]] = json.loads(
    Path(__file__).with_name("labs").joinpath("judged_by_packets.json").read_text()
)
HEAD = SMALL[: SMALL.index("    expect:")]
WALK = """\
    expect:
      walk:
        echo:
          there:
            - west > gate: 10.0.1.1 → 10.0.2.1 hl 64 icmp
            - gate > exit: → fc00:b::e hl 63 [fc00:b::d4, *fc00:b::e] | same
            - into east: same hl 63 count 2
          back:
            - from gate:eth1: 10.0.2.1 -> 10.0.1.1 icmp
"""


def lab(walk: str = WALK) -> Lab:
    return loads(HEAD + walk, "small.yml")


def refused(walk: str) -> list[str]:
    with pytest.raises(TopologyError) as caught:
        lab(walk)
    return [
        f"{one.location.line - HEAD.count(chr(10))}:{one.location.column} {one.what}"
        for one in caught.value.problems
    ]


def entries(found: Lab) -> list[dict[str, Any]]:
    return [
        one.model_dump(mode="json", exclude_defaults=True)
        for one in found.topology.exercises[0].expect.packets
    ]


def test_a_line_is_a_packet_at_both_ends_of_the_wire() -> None:
    found = entries(lab())
    assert [(one["at"], one["direction"]) for one in found] == [
        ("west:eth1", "out"),
        ("gate:eth1", "in"),
        ("gate:eth2", "out"),
        ("exit:eth2", "in"),
        ("east:eth1", "in"),
        ("gate:eth1", "out"),
    ]
    assert all(one["probe"] == "echo" for one in found)
    plain = {"source": "10.0.1.1", "destination": "10.0.2.1", "hop_limit": 64, "protocol": "icmp"}
    assert found[2] == {
        "at": "gate:eth2",
        "direction": "out",
        "probe": "echo",
        "destination": "fc00:b::e",
        "hop_limit": 63,
        "next_header": "routing",
        "protocol": "ipv4",
        "segment_list": ["fc00:b::d4", "fc00:b::e"],
        "segments_left": 1,
        "inner": plain,
    }
    assert found[4] == {
        **plain,
        "at": "east:eth1",
        "direction": "in",
        "probe": "echo",
        "hop_limit": 63,
        "count": 2,
    }


def test_names_stand_for_addresses() -> None:
    named = WALK.replace("10.0.1.1 → 10.0.2.1 hl 64 icmp", '"@west → @east hl 64 icmp"')
    named = named.replace(
        "→ fc00:b::e hl 63 [fc00:b::d4, *fc00:b::e]", "→ exit.End hl 63 [exit.End.DX4, *exit.End]"
    )
    assert entries(lab(named)) == entries(lab())
    assert refused(named.replace("@west", "@gate")) == ["5:29 `@gate` has 3 addresses"]
    assert refused(named.replace("*exit.End]", "*exit.Ent]")) == ["6:61 `exit.Ent` is no address"]
    with pytest.raises(TopologyError, match="did you mean `@east`"):
        lab(named.replace("@east", "@eats"))


def test_what_is_in_no_walk_may_not_happen_unless_it_is_said() -> None:
    def closed(text: str) -> frozenset[str]:
        return lab(text).topology.exercises[0].closed

    assert closed(WALK) == {"echo"}
    assert closed(WALK + "      elsewhere: any\n") == frozenset()
    assert closed("    expect: {elsewhere: absent}\n") == {"echo"}
    assert closed("    expect: {alerts: []}\n") == frozenset()


def test_a_walk_that_nobody_has_read_is_warned_of() -> None:
    (warning,) = lab(WALK.replace("        echo:", "        echo:\n          unreviewed: true")).warnings
    assert "the walk of echo is the model's own prediction" in warning.what
    assert warning.location.line == HEAD.count("\n") + 4
    assert not lab(WALK.replace("        echo:", "        echo:\n          unreviewed: false")).warnings


def test_packets_stand_beside_a_walk() -> None:
    more = '      packets:\n        - {at: "east:eth1", direction: out, probe: echo, absent: true}\n'
    found = entries(lab(WALK + more))
    assert (len(found), found[0]["absent"]) == (7, True)


def test_each_value_is_located_where_the_walk_says_it() -> None:
    assert (
        refused(WALK.replace("hl 63 [", "hl 300 ["))[0]
        == "6:43 `hop_limit` is 300; the largest allowed is 255"
    )


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("west > gate", "west > exit", "5:15 no link leads from west to exit"),
        ("west > gate", "west > gates", "5:15 no link leads from west to gates"),
        ("into east", "east", "7:15 "),
        ("into east", "into nobody", "7:15 no link leads from any node to nobody"),
        ("hl 64 icmp", "hl 64 icpm", "5:54 `icpm` says nothing here"),
        ("10.0.1.1 →", '"10.0.1.1 →', ""),
        ("| same", "| same hl x", "6:81 `x` is no number"),
        ("*fc00:b::e]", "*fc00:b::e", "6:"),
        ("same hl 63 count", "same hl 63 share 5/4 count", "7:"),
        ("→ fc00:b::e", "→ 10.0.0.9", "6:"),
        ("echo:", "ecco:", "5:15 exercise across has no probe ecco"),
        (
            "- into east: same hl 63 count 2",
            "- lost at gate: no way",
            "7:15 the line before leads to exit, so nothing is lost at gate",
        ),
        (
            "- into east: same hl 63 count 2",
            "- lost at nowhere: no way",
            "7:15 no link leads to nowhere, so nothing is lost there",
        ),
        ("there:", "their:", "4:11 "),
    ],
)
def test_a_mistake_is_told_at_its_place(old: str, new: str, said: str) -> None:
    found = refused(WALK.replace(old, new, 1))
    assert any(one.startswith(said) for one in found), found


def test_a_loss_is_said_where_the_line_before_leads() -> None:
    assert len(entries(lab(WALK.replace("into east: same hl 63 count 2", "lost at exit: no route")))) == 5


def test_after_a_line_that_cannot_be_read_same_is_no_mistake() -> None:
    found = refused(WALK.replace("10.0.1.1 →", "10.0.1 →"))
    assert found == ["5:28 `10.0.1` is no address"]


def test_a_text_that_goes_on_in_the_next_line_is_located_there() -> None:
    broken = WALK.replace(" | same", "\n                | same hl 300")
    assert refused(broken)[0].startswith("7:27 `hop_limit` is 300")
    quoted = broken.replace("exit: →", 'exit: "→').replace("hl 300", 'hl x"')
    assert refused(quoted)[0] == "7:27 `x` is no number"


@pytest.mark.parametrize(
    "written, line, column",
    [
        ("&text 10.0.1.1 → 10.0.2.1 hll 3", 5, 54),
        ("&text '10.0.1.1 → 10.0.2.1 hll 3'", 5, 55),
        ('"10.0.1.1 \\u2192 10.0.2.1 hll 3"', 5, 54),
        ('"10.0.1.1 \\\n                → 10.0.2.1 hll 3"', 6, 28),
        (">-\n                10.0.1.1 → 10.0.2.1 hll 3", 6, 37),
        ("|\n                10.0.1.1 →\n\n                10.0.2.1 hll 3", 8, 26),
        ("10.0.1.1 →\n\n                10.0.2.1 hll 3", 7, 26),
    ],
)
def test_a_place_is_told_however_yaml_writes_the_text(written: str, line: int, column: int) -> None:
    found = refused(WALK.replace("10.0.1.1 → 10.0.2.1 hl 64 icmp", written))
    assert found[0] == f"{line}:{column} `hll` says nothing here"


def test_quotes_shift_a_place_by_one() -> None:
    text = WALK.replace("10.0.1.1 → 10.0.2.1 hl 64 icmp", '"10.0.1 → 10.0.2.1 hl 64 icmp"')
    assert refused(text)[0].startswith("5:29 ")


def test_an_address_that_yaml_takes_for_a_key_has_its_text_put_in_quotes() -> None:
    with pytest.raises(TopologyError) as caught:
        lab(WALK.replace("→ fc00:b::e", "→ fc00:b::"))
    assert [one.mend for one in caught.value.problems][-1:] == ["put all of the packet in quotes"]


def test_of_two_links_between_two_nodes_the_nics_are_asked_for() -> None:
    more = HEAD.replace(
        "  - {name: cable-b",
        '  - {name: second, prefix: "2001:ac::/64", endpoints: ["gate:eth3", "exit:eth3"]}\n  - {name: cable-b',
    )
    with pytest.raises(TopologyError) as caught:
        loads(more + WALK, "small.yml")
    (problem,) = caught.value.problems
    assert problem.what == "`gate > exit` may be 2 links"
    assert problem.mend == "write `gate:eth2 > exit:eth2` or `gate:eth3 > exit:eth3`"
    assert (
        entries(loads(more + WALK.replace("gate > exit", "gate:eth3 > exit:eth3"), "small.yml"))[2]["at"]
        == "gate:eth3"
    )


def test_an_alias_of_an_expectation_is_expanded_once() -> None:
    twice = (
        WALK.replace("expect:", "expect: &walk")
        + "  - {name: again, probes: [{id: echo, from: west, to: east, icmp: 3}], expect: *walk}\n"
    )
    found = lab(twice).topology.exercises
    assert len(found[0].expect.packets) == len(found[1].expect.packets) == 6


@pytest.mark.parametrize(
    "walk",
    [
        "walk: 7",
        "walk: [a]",
        "walk: {echo: 3}",
        "walk: {echo: {there: {a > b: c}}}",
        "walk: {echo: {there: [[a], 3, {west > gate: [x]}, {}]}}",
    ],
)
def test_what_is_no_walk_is_refused_by_the_schema(walk: str) -> None:
    assert refused(f"    expect: {{{walk}}}\n")


@pytest.mark.parametrize("name", SITE.names())
def test_a_predicted_walk_is_a_file_s_walk(name: str) -> None:
    """It loads, but for what `check` has to say of it, and expects no more than the model does."""
    plan, _ = SITE.load(SITE.refer(name))
    text = SITE.refer(name).path.read_text()
    for exercise in (one for one in plan.exercises if one.like is None):
        if not exercise.every_probe():
            assert "sends nothing" in predict(plan, [exercise.name], [], "yaml")
            continue
        told = yaml.safe_load(predict(plan, [exercise.name], [], "yaml"))["walk"]
        data = yaml.safe_load(text)
        (changed,) = [one for one in data["exercises"] if one["name"] == exercise.name]
        changed["expect"] = {"walk": told}
        data["exercises"] = [changed]
        found = loads(yaml.safe_dump(data), "predicted.yml", SITE.refer(name).path.parent)
        assert len(found.warnings) >= len(told)


PARTING = (
    HEAD.replace(
        "  exit: {",
        '  mid: {role: router, locator: "fc00:c::/64", routes: [{prefix: "fc00:b::/64", via: "2001:cb::2"}]}\n  exit: {',
    )
    .replace('via: "2001:ab::2"}', 'via: "2001:ac::2"}, {prefix: "fc00:b::/64", via: "2001:ab::2"}')
    .replace(
        "  - {name: cable-b",
        '  - {name: ac, prefix: "2001:ac::/64", endpoints: ["gate:eth3", "mid:eth1"]}\n'
        '  - {name: cb, prefix: "2001:cb::/64", endpoints: ["mid:eth2", "exit:eth3"]}\n'
        "  - {name: cable-b",
    )
    .replace("icmp: 3}]", "udp: 64}]")
    + "    apply: [{firewall: {name: shut, at: mid, tool: ip6tables, chain: FORWARD, verdict: drop}}]\n"
)


def test_a_predicted_loss_stands_behind_the_line_that_leads_to_it() -> None:
    told = predict(planned(PARTING + "    expect: {elsewhere: any}\n"), ["across"], [], "yaml")
    walk = "".join(f"      {line}\n" for line in told.splitlines())
    found = loads(f"{PARTING}    expect:\n{walk}", "small.yml")
    lines = [key for one in found.topology.exercises[0].expect.walk["echo"].there for key in one]
    assert lines[lines.index("lost at mid") - 1] == "gate > mid"
    assert lines[-1] != "lost at mid"


def same(one: Expected, old: dict[str, Any]) -> bool:
    """Whether an expectation judges all that an old one judged, of as many packets."""
    counted = (one.count, one.share and str(one.share), one.absent)
    return (
        (f"{one.point} {one.direction}", one.probe) == (old["at"], old["probe"])
        and old["fields"].items() <= dict(one.fields).items()
        and counted == (old.get("count"), old.get("share"), old.get("absent", False))
    )


@pytest.mark.parametrize("name", JUDGED)
def test_walks_judge_what_a_line_a_nic_judged(name: str) -> None:
    plan, _ = SITE.load(SITE.refer(name))
    for exercise, olds in JUDGED[name].items():
        left = list(expectations(plan, exercise))
        for old in olds:
            one = next((one for one in left if same(one, old)), None)
            assert one, f"{exercise}: nothing judges {old}"
            left.remove(one)
        assert not left


def test_the_labs_are_short_and_their_lines_fit() -> None:
    texts = [SITE.refer(name).path.read_text(encoding="utf-8") for name in SITE.names()]
    assert sum(len(text.encode()) for text in texts) <= 14_000 * len(texts)  # with their tasks
    assert [line for text in texts for line in text.splitlines() if len(line) > 110] == []
