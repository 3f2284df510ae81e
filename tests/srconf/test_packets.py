"""What the proxy does to packets, read off the wire."""

import socket
import struct
import subprocess

import pytest

from .chain import Chain, another_proxy
from .packets import LAST, NEXT, OTHER, SID, chained, icmp, ipv4, ipv6, probes, srh, udp, view

IPV4_FRAME = 0x0800
SWAPPED = (LAST, NEXT, SID)
FIELDS = (
    "ipv6.dst",
    "ipv6.hlim",
    "ipv6.routing.segleft",
    "ipv6.routing.srh.addr",
    "ip.src",
    "ip.dst",
    "ip.ttl",
    "icmp.type",
)


def crossing(chain: Chain, packets: list[bytes]) -> list[bytes]:
    """Send packets to the SID; what r3 receives of them."""
    with chain.r3.port("eth2") as port:
        chain.inject(packets)
        return probes(port, len(packets))


def counted(chain: Chain, expected: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """The SID's counters, once they are what is expected, or after a while."""
    for _ in range(20):
        if (now := chain.server1.counters()) == expected:
            break
    return now


def rows(pcap: str) -> list[list[str]]:
    """tshark's eyes on the echo requests of a capture."""
    words = [word for name in FIELDS for word in ("-e", name)]
    command = ["tshark", "-r", pcap, "-Y", "icmp.type == 8", "-T", "fields", "-E", "separator=/t", *words]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line.split("\t") for line in listed.splitlines()]


def test_seed_chain_as_tshark_sees_it(chain: Chain, tmp_path) -> None:  # type: ignore[no-untyped-def]
    points = {
        "before": (chain.server1, "eth1"),
        "service": (chain.vnf, "veth0"),
        "back": (chain.server1, "veth1"),
        "after": (chain.server1, "eth2"),
    }
    dumps = {
        name: node.start(
            "tcpdump", "-Z", "root", "--immediate-mode", "-U", "-i", port, "-w", f"{tmp_path}/{name}"
        )
        for name, (node, port) in points.items()
    }
    for dump in dumps.values():
        assert dump.stderr is not None
        while "listening on" not in dump.stderr.readline():
            pass
    answer = chain.hosta.run("ping", "-c", "3", "-i", "0.05", "-W", "2", "10.0.1.1").stdout
    for dump in dumps.values():
        dump.terminate()
        dump.communicate(timeout=10)
    assert " 0% packet loss" in answer
    before, service, back, after = (rows(f"{tmp_path}/{name}") for name in points)
    segments = "fc00:3::a,fc00:b::a1,fc00:a::a1"
    inner = ["10.0.0.1", "10.0.1.1"]
    assert before == [["fc00:a::a1", "63", "2", segments, *inner, "64", "8"]] * 3
    assert service == [["", "", "", "", *inner, "63", "8"]] * 3
    assert back == [["", "", "", "", *inner, "62", "8"]] * 3
    assert after == [["fc00:b::a1", "61", "1", segments, *inner, "62", "8"]] * 3
    assert chain.server1.counters() == {"entered": (6, 2 * 3 * 84 + 3 * 96 + 3 * 80), "returned": (6, 6 * 84)}


def test_header_is_advanced_and_rebuilt(chain: Chain) -> None:
    (packet,) = crossing(chain, [chained(ipv4(payload=udp(b"x" * 100)))])
    seen = view(packet)
    assert (seen.destination, seen.segments_left, seen.last_entry) == (NEXT, 1, 2)
    assert seen.segment_list == SWAPPED
    assert seen.hop_limit == 60  # 62 at the SID, as SREXT does it
    assert seen.payload_length == len(packet) - 40
    assert seen.inner == ipv4(payload=udp(b"x" * 100), ttl=62)


TLV = b"\x05\x06" + b"abcdef" + b"\x01\x06" + bytes(6)  # an opaque TLV of 8 bytes, and PadN
HOP_BY_HOP = b"\x2b\x01\x1e\x0a0123456789\x00\x00"  # an experimental option to be skipped, and padding
DESTINATION = b"\x2b\x00\x1e\x04wxyz"


@pytest.mark.parametrize(
    ("before", "first", "tlvs"),
    [
        pytest.param(b"", 43, TLV, id="tlvs"),
        pytest.param(HOP_BY_HOP, 0, b"", id="hop-by-hop"),
        pytest.param(DESTINATION, 60, b"", id="destination-options"),
        pytest.param(b"\x3c" + HOP_BY_HOP[1:] + DESTINATION, 0, TLV, id="all"),
    ],
)
def test_what_surrounds_the_srh_survives(chain: Chain, before: bytes, first: int, tlvs: bytes) -> None:
    header = srh((SID, NEXT, LAST), tag=77, tlvs=tlvs)
    (packet,) = crossing(
        chain, [ipv6(before + header + ipv4(payload=udp(b"abc")), next_header=first, label=5)]
    )
    seen = view(packet)
    assert packet[:4] == b"\x60\x00\x00\x05"
    assert (seen.before, seen.tlvs, seen.tag, seen.segments_left) == (before, tlvs, 77, 1)
    assert (seen.destination, seen.inner) == (NEXT, ipv4(payload=udp(b"abc"), ttl=62))


def test_options_behind_the_srh_survive(chain: Chain) -> None:
    options = b"\x04" + DESTINATION[1:]
    header = srh((SID, NEXT, LAST), next_header=60)
    (packet,) = crossing(chain, [ipv6(header + options + ipv4(payload=udp(b"abc")))])
    assert view(packet).inner == options + ipv4(payload=udp(b"abc"), ttl=62)


def test_reduced_srh_is_taken(chain: Chain) -> None:
    """RFC 8754 section 4.1.1: the first segment stands in the destination only."""
    header = srh((NEXT, LAST), segments_left=2, last_entry=1)
    (packet,) = crossing(chain, [ipv6(header + ipv4(payload=udp()))])
    assert (view(packet).destination, view(packet).segments_left) == (NEXT, 1)


def test_longest_header_that_fits(chain: Chain) -> None:
    segments = (SID, NEXT, *(f"fc00:9::{number:x}" for number in range(1, 28)))
    (packet,) = crossing(chain, [chained(ipv4(payload=udp()), segments)])
    assert len(packet) == 40 + 8 + 29 * 16 + 28
    assert view(packet).segment_list == tuple(reversed(segments))


INNER = ipv4(payload=udp(b"q" * 50))
OUTER6 = ipv6(b"", next_header=59)


@pytest.mark.parametrize(
    ("counter", "packet"),
    [
        ("no_srh", ipv6(INNER, next_header=4)),
        ("no_srh", ipv6(icmp(128, 0, bytes(8)), next_header=58)),
        ("no_srh", ipv6(srh((SID, NEXT), kind=2) + INNER)),
        ("no_srh", ipv6(HOP_BY_HOP[:0] + b"\x3b\x00\x1e\x04wxyz", next_header=60)),
        ("segments_left_zero", ipv6(srh((NEXT, SID), segments_left=0) + INNER)),
        ("hop_limit", chained(INNER, hop_limit=1)),
        ("hop_limit", chained(INNER, hop_limit=0)),
        ("malformed_srh", ipv6(srh((SID, NEXT), last_entry=9) + INNER)),
        ("malformed_srh", ipv6(srh((SID, NEXT), segments_left=9) + INNER)),
        ("malformed_srh", ipv6(b"\x04\x04\x04\x01")),
        ("headers_too_long", chained(INNER, (SID, NEXT, *(f"fc00:9::{n:x}" for n in range(28))))),
        ("inner_type", ipv6(srh((SID, NEXT), next_header=41) + OUTER6)),
        ("inner_type", ipv6(srh((SID, NEXT), next_header=59))),
        ("inner_malformed", ipv6(srh((SID, NEXT)) + INNER[:15])),
        ("inner_malformed", ipv6(srh((SID, NEXT)) + b"\x65" + INNER[1:])),
        ("inner_malformed", ipv6(srh((SID, NEXT)) + b"\x44" + INNER[1:])),
        ("inner_malformed", ipv6(srh((SID, NEXT)) + INNER[:-1])),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_discards_at_the_sid(chain: Chain, counter: str, packet: bytes) -> None:
    with chain.vnf.port("veth0") as port:
        chain.inject([packet] * 3)
        assert probes(port, 1, 0.05) == []
    expected = {counter: (3, 3 * len(packet))}
    assert counted(chain, expected) == expected


def test_garbage_does_no_harm(chain: Chain) -> None:
    """Every single-byte change of a good packet: whatever happens, nothing but counters and good packets."""
    good = chained(ipv4(payload=udp(b"z" * 8)))
    spoiled = [
        good[:at] + bytes([good[at] ^ flip]) + good[at + 1 :] for at in range(4, 116) for flip in (1, 255)
    ]
    shortened = [good[:length] for length in range(40, len(good))]
    with chain.r3.port("eth2") as port:
        chain.inject([packet for packet in spoiled + shortened if packet[24:40] == good[24:40]])
        for packet in probes(port, 10_000, 0.5):
            if packet[6] == 43:
                assert view(packet).payload_length == len(packet) - 40
    assert len(crossing(chain, [good])) == 1


def test_service_without_a_cached_header(chain: Chain) -> None:
    """What the service sends of its own accord is discarded."""
    lonely = ipv4("192.168.2.2", "10.0.1.1", payload=udp(b"hello"))
    with chain.r3.port("eth2") as port:
        chain.inject([lonely] * 5, node="vnf", interface="veth1", ethertype=IPV4_FRAME)
        assert probes(port, 1, 0.05) == []
    expected = {"no_cache": (5, 5 * len(lonely))}
    assert counted(chain, expected) == expected


def test_malformed_return(chain: Chain) -> None:
    broken = ipv4(payload=udp())[:19]
    chain.inject([broken], node="vnf", interface="veth1", ethertype=IPV4_FRAME)
    expected = {"inner_malformed": (1, len(broken))}
    assert counted(chain, expected) == expected


def test_service_changes_the_length_and_pads(chain: Chain) -> None:
    """The outer payload length is the returning packet's, and the padding of a short frame is no payload."""
    crossing(chain, [chained(ipv4(payload=udp(b"0123456789")))])
    shorter, longer = ipv4(payload=udp(b"01")), ipv4(payload=udp(bytes(1000)))
    with chain.r3.port("eth2") as port:
        chain.inject([shorter + bytes(16), longer], node="vnf", interface="veth1", ethertype=IPV4_FRAME)
        seen = [view(packet) for packet in probes(port, 2)]
    assert [(item.inner, item.payload_length) for item in seen] == [(shorter, 86), (longer, 56 + 1028)]
    assert chain.server1.counters()["returned"] == (3, 38 + 30 + 1028)


def test_icmp_error_of_the_service_takes_the_way_of_its_flow(chain: Chain) -> None:
    """A TTL that ends in the service, in two policies: the error carries the header of the flow it quotes."""
    chain.inject(
        [
            chained(ipv4(ttl=2, payload=udp(b"a" * 20, 5, 6)), (SID, OTHER, LAST)),
            chained(ipv4(payload=udp(b"b" * 20, 7, 8))),
        ]
    )
    with chain.r3.port("eth2") as port:
        chain.inject([chained(ipv4(ttl=2, payload=udp(b"b" * 20, 7, 8)))])
        (seen,) = [view(packet) for packet in probes(port, 1)]
    assert seen.destination == NEXT
    assert (seen.inner[9], seen.inner[20:22]) == (1, b"\x0b\x00")
    assert seen.inner[28 + 20 : 28 + 24] == struct.pack("!HH", 7, 8)


def test_fragments_in_two_policies(chain: Chain) -> None:
    """Same addresses, same identification, another policy for each offset: nothing is taken for another."""
    ways = (NEXT, OTHER)
    packets, expected = [], {}
    for number in range(400):
        offset, way = number // 2 * 10, ways[number % 2]
        more = ipv4(payload=bytes(80), identification=number % 2 + 7, fragment=0x2000 | offset)
        packets.append(chained(more, (SID, way, LAST)))
        expected[more[4:8]] = way
    seen = [view(packet) for packet in crossing(chain, packets)]
    assert {item.inner[4:8]: item.destination for item in seen} == expected


def test_two_policies_never_mix(chain: Chain) -> None:
    """Four segment lists on one SID, told apart by address, port or DSCP; thousands of packets each."""
    kinds = [
        (ipv4(payload=udp(source=1)), (SID, NEXT, LAST)),
        (ipv4(payload=udp(source=2)), (SID, OTHER, LAST)),
        (ipv4(payload=udp(source=1), tos=0x28), (SID, OTHER, NEXT, LAST)),
        (ipv4(destination="10.0.2.1", payload=udp(source=1)), (SID, LAST)),
    ]
    expected = {(inner[1], inner[16:22]): segments for inner, segments in kinds}
    seen = [view(p) for p in crossing(chain, [chained(*kinds[n % 4]) for n in range(12000)])]
    assert len(seen) == 12000
    wrong = [item for item in seen if item.segment_list != expected[item.inner[1], item.inner[16:22]][::-1]]
    assert wrong == []


def test_more_flows_than_the_cache_holds(chain: Chain) -> None:
    """12,000 flows in order: an old one may be forgotten, none is given another's header."""
    packets = [
        chained(
            ipv4(payload=udp(struct.pack("!I", n), 1000 + n % 30000, 9)), (SID, f"fc00:9::{n + 1:x}", LAST)
        )
        for n in range(12000)
    ]
    seen = [view(packet) for packet in crossing(chain, packets)]
    assert len(seen) == 12000
    for item in seen:
        (number,) = struct.unpack("!I", item.inner[28:])
        assert item.destination == f"fc00:9::{number + 1:x}"


def test_two_proxies_in_a_row_on_one_node(chain: Chain) -> None:
    with another_proxy(chain):
        (packet,) = crossing(chain, [chained(INNER, (SID, "fc00:a::a2", NEXT, LAST))])
        seen = view(packet)
        assert (seen.destination, seen.segments_left, seen.inner[8]) == (NEXT, 1, 60)
        first, second = (chain.server1.counters(sid) for sid in ("fc00:a::a1", "fc00:a::a2"))
        assert first == second == {"entered": (1, 40 + 72 + 78), "returned": (1, 78)}
    assert len(crossing(chain, [chained(INNER)])) == 1


def test_next_hop_by_mac(chain: Chain) -> None:
    chain.server1.srconf("flush")
    before = chain.server1.state()
    mac = chain.vnf.mac("veth0").hex(":")
    chain.server1.srconf("add", SID, "end.ad4", "mac", mac, "veth0", "veth1")
    assert len(crossing(chain, [chained(INNER)])) == 1
    assert chain.server1.show()[0]["next_hop"] == mac
    chain.server1.srconf("del", SID)
    assert chain.server1.state() == before


def test_every_icmp_size(chain: Chain) -> None:
    """Payloads of 0 to 1472 bytes with Don't Fragment, sent and answered through the SID."""
    with chain.hosta.open(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as pinger:
        pinger.setsockopt(socket.IPPROTO_IP, 10, 2)  # IP_MTU_DISCOVER: DO
        pinger.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)
        pinger.settimeout(1)
        sent = {size: bytes(n * 7 % 256 for n in range(size)) for size in range(1473)}
        answered: dict[int, bytes] = {}
        for start in range(0, 1473, 100):
            batch = range(start, min(start + 100, 1473))
            for size in batch:
                pinger.sendto(icmp(8, 0, struct.pack("!HH", 77, size) + sent[size]), ("10.0.1.1", 0))
            while not all(size in answered for size in batch):
                packet = pinger.recv(65536)
                kind, identifier, sequence = packet[20], *struct.unpack("!HH", packet[24:28])
                if (kind, identifier) == (0, 77):
                    answered[sequence] = packet[28:]
    assert answered == sent
    requests = sum(28 + size + 96 for size in sent)
    replies = sum(28 + size + 80 for size in sent)
    assert chain.server1.counters()["entered"] == (2 * 1473, requests + replies)


@pytest.mark.parametrize("size", [1473, 4000, 20000, 65507])
def test_fragmented_icmp(chain: Chain, size: int) -> None:
    answer = chain.hosta.run("ping", "-c", "3", "-i", "0.02", "-W", "2", "-s", str(size), "10.0.1.1").stdout
    assert " 0% packet loss" in answer
    assert set(chain.server1.counters()) == {"entered", "returned"}
