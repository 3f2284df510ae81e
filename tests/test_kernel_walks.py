"""What the walk says of Linux beyond the labs, seen on this kernel: captures and counters agree with the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from srv6lab.cli.tasks import check
from srv6lab.evidence.verdict import Item, Status
from tests.conftest import silent
from tests.walks import BEHIND, EXPECT, LOOP, ROW, edited, guarded, rule


def judged(bring_up: Any, tmp_path: Path, text: str, expect: str) -> list[Item]:
    (path := tmp_path / "walk.yml").write_text(edited(text, (EXPECT, expect)))
    lab = bring_up(str(path))
    (verdict,) = check(lab.running, lab.plan, ["across"], silent)
    return list(verdict.items)


def test_end_dx4_asks_for_the_destination_itself(bring_up: Any, tmp_path: Path) -> None:
    expect = 'expect: {packets: [{at: "inn:eth2", direction: in, probe: echo, absent: true}]}'
    items = judged(bring_up, tmp_path, BEHIND, expect)
    assert {item.status for item in items} == {Status.PASS}, items
    assert "exit:eth2" in {str(item.point) for item in items}


def test_a_headend_takes_no_hop_off_its_own_packet(bring_up: Any, tmp_path: Path) -> None:
    expect = 'expect: {packets: [{at: "gate:eth2", direction: out, probe: echo, hop_limit: 64, inner: {hop_limit: 64}}]}'
    items = judged(bring_up, tmp_path, edited(ROW, ("from: west", "from: gate")), expect)
    assert {item.status for item in items} == {Status.PASS}, items


TWO = edited(
    ROW,
    ("behavior: End}", 'behavior: End}\n  - {node: mid, sid: "fc00:b::f", behavior: End}'),
    ('["fc00:b::e", ', '["fc00:b::e", "fc00:b::f", "fc00:b::e", '),
)


def test_sids_of_one_node_in_a_row_take_one_hop(bring_up: Any, tmp_path: Path) -> None:
    expect = (
        'expect: {packets: [{at: "mid:eth2", direction: out, probe: echo, hop_limit: 62, segments_left: 0}]}'
    )
    items = judged(bring_up, tmp_path, TWO, expect)
    assert {item.status for item in items} == {Status.PASS}, items
    assert "one-hop-a-node" in {quirk for item in items for quirk in item.quirks}


def test_psp_beside_next_csid_leaves_the_srh_and_is_said_to(bring_up: Any, tmp_path: Path) -> None:
    text = edited(
        ROW,
        ('"fc00:b::e", behavior: End}', '"fc00:f:b::", behavior: End, flavors: [PSP, NEXT-CSID]}'),
        ('["fc00:b::e", ', '["fc00:f:b::", '),
    )
    expect = 'expect: {packets: [{at: "mid:eth2", direction: out, probe: echo, segments_left: 0}]}'
    items = judged(bring_up, tmp_path, text, expect)
    assert {item.status for item in items} == {Status.PASS}, items
    assert "next-csid-without-psp" in {quirk for item in items for quirk in item.quirks}


def test_a_packet_out_of_hops_comes_to_no_firewall(bring_up: Any, tmp_path: Path) -> None:
    """A busy machine's tracers may drop packets of a loop: the counter doesn't."""
    text = guarded(
        LOOP, rule("count", "mid", "nftables", more=", inner: {source: 10.0.1.0/24}, verdict: accept")
    )
    items = judged(bring_up, tmp_path, text, "expect: {counters: [{firewall: count, packets: 93}]}")
    (counter,) = (item for item in items if item.kind == "counter")
    assert (counter.status, counter.predicted, counter.captured) == (Status.PASS, "93", "93")
