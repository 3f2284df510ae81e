"""Which NIC a capture file is of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_interface

import pytest

from srv6lab.capture.assign import assign, by_name, told, trace_of, without_others
from srv6lab.capture.reading import Capture
from srv6lab.errors import UsageError
from srv6lab.evidence.packets import IpHeader, PacketView
from srv6lab.plan.nodes import Nic, Plan
from tests.conftest import SITE

PLAN, _ = SITE.load(SITE.refer(SITE.course()[0][0].name))
NICS = list(PLAN.nics())
HERE = NICS[0]
PEER = PLAN.neighbors()[HERE.point]
ELSEWHERE = next(nic for nic in NICS if nic.link != HERE.link)
FOREIGN = ip_interface("192.0.2.1/24").ip


def packet(nic: Nic, *, macs: bool = True, hop_limit: int = 64, number: int = 1) -> PacketView:
    """What a NIC sends to the one at the other end of its link."""
    peer = PLAN.neighbors()[nic.point]
    pair = (nic.mac, peer.mac) if macs else ("02:ff:00:00:00:01", "02:ff:00:00:00:02")
    header = IpHeader(nic.address.ip, peer.address.ip, hop_limit, "udp")
    return PacketView(number, 0.0, 100, *pair, (header,))


def capture(*packets: PacketView) -> Capture:
    return Capture(packets, records=len(packets))


def points(plan: Plan = PLAN, **files: Capture) -> dict[str, str]:
    return {file: str(point) for point, file in assign(plan, {}, files).files.items()}


@pytest.mark.parametrize(
    ("file", "trace"),
    [
        ("trace12.pcap", "trace12"),
        ("trace12.PCAPNG", "trace12"),
        ("trace12.pcap.gz", "trace12"),
        ("my.trace.cap", "my.trace"),
        ("observations.json", None),
        ("notes.gz", None),
    ],
)
def test_what_a_file_is_called_without_its_suffixes(file: str, trace: str | None) -> None:
    assert trace_of(file) == trace


def test_what_is_mapped_comes_before_the_plan_s_name() -> None:
    said = told(PLAN, [f"b.pcap={HERE.point}"])
    assert by_name(PLAN, [f"{HERE.trace}.pcap", f"{PEER.trace}.pcap", "b.pcap"], said) == {
        HERE.point: "b.pcap", PEER.point: f"{PEER.trace}.pcap",
    }  # fmt: skip


@pytest.mark.parametrize("word", ["", "b.pcap", f"={HERE.point}", "b.pcap=nobody:eth9", "b.pcap=eth1"])
def test_a_map_that_names_nothing_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match=str(HERE.point)):
        told(PLAN, [word])


def test_a_link_is_told_by_its_macs() -> None:
    assert points(a=capture(packet(HERE)), b=capture(packet(ELSEWHERE))) == {
        "a": str(min(HERE.point, PEER.point, key=[nic.point for nic in NICS].index)),
        "b": str(next(nic.point for nic in NICS if nic.link == ELSEWHERE.link)),
    }


def test_a_link_is_told_by_who_announces_its_addresses() -> None:
    through = packet(ELSEWHERE, macs=False, hop_limit=61)
    seen = replace(capture(through), bindings=(("02:ff:00:00:00:01", PEER.address.ip),))
    assert points(a=seen) == {"a": str(HERE.point)}


def test_a_link_is_told_by_a_sender_that_no_router_is_behind() -> None:
    seen = capture(packet(ELSEWHERE, macs=False, hop_limit=61), packet(HERE, macs=False))
    assert points(a=seen) == {"a": str(HERE.point)}


def left(files: dict[str, Capture], named: Sequence[Nic] = ()) -> dict[str, str]:
    return dict(assign(PLAN, {nic.point: nic.trace for nic in named}, files).left)


def test_two_files_of_a_link_are_its_two_ends_if_they_hold_the_same() -> None:
    both = {"a": capture(packet(HERE, number=4)), "b": capture(packet(HERE))}
    assert set(assign(PLAN, {}, both).files) == {HERE.point, PEER.point}
    differ = both | {"b": capture(packet(PEER))}
    assert all("--map says which is which" in why for why in left(differ).values())
    assert set(left(differ)) == {"a", "b"}


def test_more_files_than_ends_are_of_none() -> None:
    files = dict.fromkeys("abc", capture(packet(HERE)))
    assert set(left(files)) == set("abc")
    assert left({"a": files["a"]}, named=(HERE,)) == {}
    assert set(left({"a": files["a"]}, named=(HERE, PEER))) == {"a"}


def test_what_is_of_several_links_or_of_none_is_told() -> None:
    mixed = capture(packet(HERE), packet(ELSEWHERE))
    strange = replace(packet(HERE, macs=False), headers=(IpHeader(FOREIGN, FOREIGN, 64, "udp"),))
    said = left({"mixed": mixed, "strange": capture(strange), "empty": capture()})
    assert "several links" in said["mixed"]
    assert said["strange"] == said["empty"] == "nothing in it is of a NIC of this lab"


def test_a_capture_of_another_link_under_a_point_s_name_is_no_evidence() -> None:
    peer = PLAN.neighbors()[ELSEWHERE.point]
    group = replace(packet(ELSEWHERE), destination_mac="33:33:ff:00:00:01")
    strange = capture(packet(ELSEWHERE), packet(peer), group)
    found = without_others(PLAN, {HERE.point: strange})[HERE.point]
    assert not found.packets and found.records == 3
    assert (
        found.note
        == f"it holds what {' and '.join(sorted(map(str, (ELSEWHERE.point, peer.point))))} sent each other"
    )


@pytest.mark.parametrize("others", [(packet(HERE),), (packet(HERE, macs=False),)])
def test_a_capture_that_holds_anything_else_stays(others: tuple[PacketView, ...]) -> None:
    """One wrong MAC is a fault of the lab, and so is one packet that strayed."""
    own = capture(packet(HERE), packet(PEER))
    mixed = capture(packet(ELSEWHERE), *others)
    assert without_others(PLAN, {HERE.point: own}) == {HERE.point: own}
    assert without_others(PLAN, {HERE.point: mixed}) == {HERE.point: mixed}


def test_what_is_copied_to_another_link_is_judged_and_what_was_exchanged_is_not() -> None:
    far = PLAN.neighbors()[ELSEWHERE.point]
    here, there = capture(packet(HERE), packet(PEER)), capture(packet(ELSEWHERE), packet(far))
    copied = {HERE.point: there, ELSEWHERE.point: there, far.point: there}
    assert without_others(PLAN, copied) == copied
    exchanged = {HERE.point: there, PEER.point: here, ELSEWHERE.point: here, far.point: there}
    emptied = {point for point, one in without_others(PLAN, exchanged).items() if one.note}
    assert emptied == {HERE.point, ELSEWHERE.point}
