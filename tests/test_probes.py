"""How a probe's packets are found again: by our token, or as one typed ping among others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address

import pytest

from srv6lab.capture.probes import find_all, own_mac
from srv6lab.capture.reading import Capture
from srv6lab.evidence.packets import WRONG, Direction, Icmp, PacketView, Point, Udp
from srv6lab.evidence.probes import Found, Sent
from srv6lab.live.send import command, read_ping
from srv6lab.plan.nodes import Nic, Plan
from tests.small import EAST, SMALL, WEST, header, packet, planned, srh

PLAN = planned()
(PROBE,) = PLAN.exercises[0].probes
TOKEN = "00112233445566778899aabbccddeeff"
MINE, THEIRS, THIRD = "08:00:27:00:00:01", "08:00:27:00:00:02", "08:00:27:00:00:03"
LINK = (MINE, THEIRS)
NICS: Mapping[Point, Nic] = {nic.point: nic for nic in PLAN.nics()}
CORE = NICS[Point("gate", "eth2")]
PEER = NICS[CORE.peer]


def echo(
    identifier: int = 7,
    sequence: int = 1,
    *,
    back: bool = False,
    payload: bytes = b"",
    macs: tuple[str, str] = LINK,
    kind: int | None = None,
) -> PacketView:
    """An echo request from west to east, or its answer, as it is on the link in the middle."""
    ends = (EAST, WEST) if back else (WEST, EAST)
    inner = header(*ends, 64, "icmp")
    if back:
        outer = header("2001:ab::2", "fc00:a::d4", 63, "ipv4", srh("fc00:a::d4", left=0))
    else:
        outer = header("2001:ab::1", "fc00:b::e", 63, "ipv4", srh("fc00:b::d4", "fc00:b::e", left=1))
    icmp = Icmp((0 if back else 8) if kind is None else kind, 0, identifier, sequence)
    return packet(outer, inner, macs=macs[::-1] if back else macs, icmp=icmp, payload=payload)


def noise(source: str, destination: str, macs: tuple[str, str] = LINK) -> PacketView:
    return packet(header(source, destination, 255, "icmpv6"), macs=macs, icmp=Icmp(135, 0))


def found(*packets: PacketView, sent: Sent | None = None, **others: tuple[PacketView, ...]) -> Found:
    captures = {point: Capture() for point in NICS} | {CORE.point: Capture(packets)}
    return find_all(PLAN, [PROBE], captures, {PROBE.id: sent} if sent else {})[PROBE.id]


class TestOwnMac:
    """Captures from elsewhere don't have the plan's MACs."""

    def of(self, *packets: PacketView, bindings: tuple[tuple[str, str], ...] = ()) -> str | None:
        pairs = tuple((mac, ip_address(address)) for mac, address in bindings)
        return own_mac(CORE, PEER, Capture(packets, pairs))

    def test_the_plan_s_mac_if_any_frame_has_it(self) -> None:
        assert self.of(echo(macs=(CORE.mac, PEER.mac))) == CORE.mac
        assert self.of(echo(macs=(PEER.mac, CORE.mac))) == CORE.mac

    def test_whoever_announces_the_nic_s_address(self) -> None:
        assert self.of(noise("fe80::1", "fe80::2"), bindings=((THEIRS, "2001:ab::1"),)) == THEIRS

    def test_an_announcement_outweighs_a_forwarded_packet(self) -> None:
        assert self.of(echo(), bindings=((THEIRS, "2001:ab::1"),)) == THEIRS

    def test_a_packet_that_comes_back_does_not_change_who_sent_it_first(self) -> None:
        assert self.of(echo(), echo(macs=LINK[::-1])) == MINE

    def test_whoever_speaks_from_the_nic_s_address(self) -> None:
        assert self.of(noise("2001:ab::1", "2001:ab::2")) == MINE
        assert self.of(noise("2001:ab::1", "2001:ab::2", LINK[::-1])) == THEIRS

    def test_the_other_one_than_the_peer_s(self) -> None:
        assert self.of(noise("2001:ab::2", "fc00:a::d4", (THEIRS, MINE))) == MINE

    def test_the_other_one_than_who_announces_the_peer_s_address(self) -> None:
        assert self.of(noise("fe80::1", "fe80::2"), bindings=((THEIRS, "2001:ab::2"),)) == MINE

    def test_a_group_s_mac_is_nobody_s(self) -> None:
        group = noise("2001:ab::2", "ff02::1", (THEIRS, "33:33:00:00:00:01"))
        assert self.of(group) is None
        assert self.of(group, noise("2001:ab::2", "fc00:a::d4", (THEIRS, MINE))) == MINE

    def test_unknown_where_nobody_speaks_for_either_end(self) -> None:
        assert self.of(noise("fe80::1", "fe80::2")) is None
        assert self.of() is None

    def test_unknown_where_the_peer_talks_to_two(self) -> None:
        frames = [noise("2001:ab::2", "fc00:a::d4", (THEIRS, mac)) for mac in (MINE, THIRD)]
        assert self.of(*frames) is None


class TestByToken:
    sent = Sent("echo", 3, 3, TOKEN)
    macs = (CORE.mac, PEER.mac)
    carried = b"when" + bytes.fromhex(TOKEN) * 2

    def test_only_packets_that_carry_it_are_ours(self) -> None:
        mine = echo(payload=self.carried, macs=self.macs)
        result = found(mine, echo(payload=b"\x00" * 40, macs=self.macs), sent=self.sent)
        assert [hop.packet for hop in result.hops] == [mine]
        assert result.sent == self.sent

    def test_the_direction_is_told_by_the_plan_s_mac(self) -> None:
        there = echo(payload=self.carried, macs=self.macs)
        back = echo(back=True, payload=self.carried, macs=self.macs)
        result = found(there, back, sent=self.sent)
        assert [hop.direction for hop in result.hops] == [Direction.OUT, Direction.IN]

    def test_an_error_about_our_packet_is_seen_as_ours(self) -> None:
        unreachable = echo(kind=3, payload=self.carried, macs=self.macs)
        assert len(found(unreachable, sent=self.sent).hops) == 1


class TestATypedPing:
    def test_it_is_told_by_its_ends_and_identifier(self) -> None:
        result = found(echo(), echo(back=True), noise("2001:ab::1", "2001:ab::2"))
        assert [hop.packet.icmp and hop.packet.icmp.identifier for hop in result.hops] == [7, 7]
        assert (result.sent.sent, result.sent.token) == (1, "")

    def test_its_end_is_the_last_segment_where_it_has_an_srh(self) -> None:
        a, b, sid = "2001:1::1", "2001:2::1", "fc00:b::ab"
        for destination, left in ((sid, 1), (b, 1), (b, 0)):
            one = packet(header(a, destination, 63, "icmpv6", srh(b, sid, left=left)))
            assert one.ends == (ip_address(a), ip_address(b))
        assert packet(header(a, sid, 63, "icmpv6")).ends == (ip_address(a), ip_address(sid))
        assert echo().ends == (ip_address(WEST), ip_address(EAST))

    def test_the_last_of_several(self) -> None:
        result = found(
            *[echo(5, number) for number in range(4)],
            echo(9, 1),
            echo(9, 1, back=True),
            noise("2001:ab::1", "2001:ab::2"),
        )
        assert {hop.packet.icmp and hop.packet.icmp.identifier for hop in result.hops} == {9}
        assert result.sent.sent == 1
        assert "the last of 2" in result.sent.note

    def test_of_two_at_once_the_one_that_asks_last(self) -> None:
        frames = [echo(identifier, number) for number in (1, 2, 3) for identifier in (5, 9)]
        result = found(*frames, noise("2001:ab::1", "2001:ab::2"))
        assert {hop.packet.icmp and hop.packet.icmp.identifier for hop in result.hops} == {9}
        assert result.sent.sent == 3

    def test_a_repeated_sequence_is_one_packet_sent(self) -> None:
        result = found(echo(), echo(), noise("2001:ab::1", "2001:ab::2"))
        assert (result.sent.sent, len(result.hops)) == (1, 2)

    def test_a_ping_between_others_is_none(self) -> None:
        stranger = packet(header(WEST, "10.0.9.9", 64, "icmp"), macs=LINK, icmp=Icmp(8, 0, 3, 1))
        result = found(stranger)
        assert (result.sent.sent, result.hops) == (0, ())
        assert "no ping" in result.sent.note

    def test_an_answer_alone_is_no_ping(self) -> None:
        assert found(echo(back=True)).sent.sent == 0

    def test_a_ping_the_other_way_round_is_of_the_same_ends(self) -> None:
        frames = [echo(3, 1, back=True, kind=8), noise("2001:ab::1", "2001:ab::2")]
        assert found(*frames).sent.sent == 1

    def test_where_no_mac_is_known_the_point_is_undirected(self) -> None:
        bare = replace(echo(), headers=echo().headers[1:])  # neither end of the link speaks
        result = found(bare)
        assert (result.undirected, result.hops) == ((CORE.point,), ())

    def test_a_point_without_packets_of_it_is_not_undirected(self) -> None:
        assert found(noise("fe80::1", "fe80::2")).undirected == ()


class TestPingsOfSeveralProbes:
    """They have the same ends, and are told by the order in which they were typed."""

    probes = (PROBE, PROBE.model_copy(update={"id": "second"}))

    def found(self, *captures: tuple[PacketView, ...]) -> dict[str, Found]:
        points = [CORE.point, *(point for point in NICS if point != CORE.point and NICS[point].trace)]
        read = {point: Capture() for point in NICS}
        read |= {point: Capture(views) for point, views in zip(points, captures, strict=False)}
        return find_all(PLAN, self.probes, read, {})

    def identifiers(self, *captures: tuple[PacketView, ...]) -> list[set[int | None]]:
        found = self.found(*captures)
        return [
            {hop.packet.icmp and hop.packet.icmp.identifier for hop in found[one.id].hops}
            for one in self.probes
        ]

    def test_each_has_its_own_in_order(self) -> None:
        assert self.identifiers((echo(9), echo(5, 1), echo(5, 2))) == [{9}, {5}]

    def test_one_for_two_is_neither_s(self) -> None:
        found = self.found((echo(9),))
        assert [(one.sent.sent, one.hops) for one in found.values()] == [(0, ()), (0, ())]
        assert "1 pings between its ends are in these captures, for 2 probes" in found["second"].sent.note

    def test_three_for_two_are_not_told_apart(self) -> None:
        assert self.identifiers((echo(9), echo(5), echo(3))) == [set(), set()]

    def test_two_captures_that_disagree_on_the_order_tell_none(self) -> None:
        assert self.identifiers((echo(9), echo(5)), (echo(9), echo(5)))[0] == {9}
        assert self.identifiers((echo(9), echo(5)), (echo(5), echo(9))) == [set(), set()]

    def test_datagrams_are_no_ping(self) -> None:
        flows = PROBE.model_copy(update={"icmp": None, "udp": 9})
        found = find_all(PLAN, [flows], {CORE.point: Capture((echo(),))}, {})[PROBE.id]
        assert (found.sent.sent, found.hops) == (0, ())
        assert "can't be told from others" in found.sent.note


class TestWhatMayBeOfAPing:
    """What can't be read goes where the ping goes: it may be one of its packets, changed."""

    def doubtful(self, *packets: PacketView) -> list[int]:
        numbered = [replace(one, number=n) for n, one in enumerate(packets, 1)]
        return [number for _, number in found(*numbered).doubtful]

    def test_what_can_t_be_read_in_its_tunnel(self) -> None:
        unread = replace(echo(), headers=echo().headers[:1], icmp=None)
        assert self.doubtful(echo(), echo(sequence=2), unread) == [3]

    def test_what_can_t_be_read_between_its_ends(self) -> None:
        strange = packet(header(WEST, EAST, 64, "200"), macs=LINK)
        assert self.doubtful(echo(), strange) == [2]

    def test_an_echo_with_its_identifier_and_another_end(self) -> None:
        inner = header("10.9.9.9", EAST, 64, "icmp")
        assert self.doubtful(echo(), replace(echo(), headers=(echo().outer, inner))) == [2]

    def test_one_whose_checksum_is_wrong_may_have_any_identifier(self) -> None:
        other = echo(99, 5)
        assert other.icmp is not None
        assert self.doubtful(echo(), replace(other, icmp=replace(other.icmp, checksum_status=WRONG))) == [2]

    def test_another_identifier_with_the_number_that_it_lacks(self) -> None:
        assert self.doubtful(echo(7, 1), echo(9, 2), echo(7, 3)) == [2]
        assert self.doubtful(echo(9, 3), echo(9, 4), echo(7, 1), echo(7, 2)) == [1, 2]

    def test_another_ping_is_another_ping(self) -> None:
        assert self.doubtful(echo(5, 1), echo(5, 2), echo(7, 1), echo(7, 2)) == []

    def test_another_program_s_are_not(self) -> None:
        datagram = replace(packet(echo().outer, header(WEST, EAST, 64, "udp"), macs=LINK), udp=Udp(9, 53))
        stream = packet(echo().outer, header(WEST, EAST, 64, "tcp"), macs=LINK)
        assert self.doubtful(echo(), datagram, stream, noise("2001:ab::1", "2001:ab::2")) == []

    def test_what_is_of_others_is_not(self) -> None:
        assert self.doubtful(echo(), packet(header("192.0.2.1", "192.0.2.2", 64, "200"), macs=LINK)) == []

    def test_an_error_that_quotes_nothing_may_be_an_echo(self) -> None:
        assert self.doubtful(echo(), echo(99, 2, kind=3)) == [2]

    def test_of_our_own_probes_none_is(self) -> None:
        unread = replace(echo(), headers=echo().headers[:1], icmp=None)
        assert found(echo(), unread, sent=Sent("echo", 3, 3, TOKEN)).doubtful == ()


class TestErrors:
    """An ICMP error is about the packet that it quotes, and none of the probe's own."""

    macs = (CORE.mac, PEER.mac)

    def error(self, identifier: int = 7, payload: bytes = b"") -> PacketView:
        quoted = replace(echo(identifier, payload=payload), headers=echo().headers[1:])
        told = packet(header("2001:ab::1", "2001:ab::2", 64, "icmpv6"), macs=self.macs, icmp=Icmp(1, 0))
        return replace(told, quoted=quoted)

    def test_about_ours(self) -> None:
        mine, other = self.error(payload=bytes.fromhex(TOKEN)), self.error(payload=bytes(16))
        result = found(mine, other, sent=Sent("echo", 3, 3, TOKEN))
        assert (result.hops, [hop.packet for hop in result.errors]) == ((), [mine])

    def test_about_a_typed_ping(self) -> None:
        result = found(echo(macs=self.macs), self.error(), self.error(8))
        assert [hop.packet for hop in result.errors] == [self.error()]
        assert (len(result.hops), result.doubtful) == (1, ())


class TestSending:
    def test_ipv4_first(self) -> None:
        assert str(PLAN.target(PROBE)) == EAST

    def test_ipv6_where_the_source_has_no_ipv4(self) -> None:
        text = SMALL.replace("10.0.1.0/24, endp", '"2001:1::/64", endp').replace(
            "10.0.2.0/24, endp", '"2001:2::/64", endp'
        )
        network = (
            text[: text.index("local_sids")].replace("10.0.1.", "2001:1::").replace("10.0.2.", "2001:2::")
        )
        network = network.replace("2001:1::0/24", '"2001:1::/64"').replace("2001:2::0/24", '"2001:2::/64"')
        network = network.replace("via: 2001:1::2", 'via: "2001:1::2"').replace(
            "via: 2001:2::2", 'via: "2001:2::2"'
        )
        six: Plan = planned(network)
        assert str(six.target(PROBE)) == "2001:2::1"

    def test_the_token_fills_the_payload(self) -> None:
        words = command(ip_address(EAST), PROBE, TOKEN)
        assert words[0] == "ping"
        assert words[words.index("-c") + 1] == "3"
        assert words[words.index("-p") + 1] == TOKEN
        assert words[-1] == EAST


STATISTICS = "--- 10.0.2.1 ping statistics ---\n"
RECORDED = {
    "success": (
        f"PATTERN: 0x{TOKEN}\nPING 10.0.2.1 (10.0.2.1) 56(84) bytes of data.\n"
        "64 bytes from 10.0.2.1: icmp_seq=1 ttl=62 time=0.071 ms\n\n" + STATISTICS +
        "3 packets transmitted, 3 received, 0% packet loss, time 41ms\n"
        "rtt min/avg/max/mdev = 0.042/0.051/0.071/0.013 ms\n",
        "",
        (3, 3, ""),
    ),
    "loss": (
        "PING 10.0.2.1 (10.0.2.1) 56(84) bytes of data.\n\n" + STATISTICS +
        "3 packets transmitted, 1 received, 66.6667% packet loss, time 2037ms\n\n",
        "",
        (3, 1, ""),
    ),
    "nothing comes back": (
        STATISTICS + "3 packets transmitted, 0 received, 100% packet loss, time 40ms\n\n",
        "",
        (3, 0, ""),
    ),
    "unreachable": (
        "PING 10.0.2.1 (10.0.2.1) 56(84) bytes of data.\n"
        "From 10.0.1.2 icmp_seq=1 Destination Net Unreachable\n\n" + STATISTICS +
        "3 packets transmitted, 0 received, +3 errors, 100% packet loss, time 40ms\n\n",
        "",
        (3, 0, ""),
    ),
    "duplicates": (
        STATISTICS + "3 packets transmitted, 3 received, +3 duplicates, 0% packet loss, time 40ms\n",
        "",
        (3, 3, ""),
    ),
    "no route": ("", "ping: connect: Network is unreachable\n", (0, 0, "ping: connect: Network is unreachable")),
    "one packet": (STATISTICS + "1 packets transmitted, 1 received, 0% packet loss, time 0ms\n", "", (1, 1, "")),
    "odd text": ("\x1b[31m¿?\n", "", (0, 0, "ping said nothing")),
    "nothing": ("", "", (0, 0, "ping said nothing")),
    "sendmsg fails": (
        STATISTICS + "0 packets transmitted, 0 received\n",
        "ping: sendmsg: Operation not permitted\n",
        (0, 0, "ping: sendmsg: Operation not permitted"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", RECORDED)
def test_what_ping_said_is_read(case: str) -> None:
    stdout, stderr, (sent, received, note) = RECORDED[case]
    assert read_ping("echo", TOKEN, stdout, stderr) == Sent("echo", sent, received, TOKEN, note)
