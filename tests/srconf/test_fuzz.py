"""Floods of good and bad packets at every SID and every return interface."""

import random
from collections import Counter
from pathlib import Path

import pytest

from srv6lab.srconf.state import DISCARDS

from .chain import Chain, Namespace
from .fuzz import EXPERIMENT, IPV4, IPV6, complaints, for_sid, from_service
from .packets import LAST, SID, SOURCE, chained, ipv4, ipv6, probes, srh

SID6, MASKED = "fc00:a::a6", "fc00:a::ab"
TO4, TO6 = ("ip", "192.168.1.2", "veth0", "veth1"), ("ip", "fd00:1::2", "veth0", "veth1")
STATIC = ("src", SOURCE, "segs", "fc00:9::1,fc00:9::2")
KERNELS = (
    ("fc00:a::e1", ("end",), 0),
    ("fc00:a::e2", ("end.x", *TO6[:3]), 0),
    ("fc00:a::e4", ("end.dx4", *TO4[:3]), IPV4),
    ("fc00:a::e6", ("end.dx6", *TO6[:3]), IPV6),
    ("fc00:a::e7", ("end.dx2", "veth0"), 143),
)
ROUNDS = (
    ((SID, ("end.ad4", *TO4), IPV4), (SID6, ("end.ad6", *TO6), IPV6)),
    ((SID, ("end.ead4", *TO4), IPV4), (SID6, ("end.ead6", *TO6), IPV6)),
    ((SID, ("end.as4", *TO4, *STATIC), IPV4), (SID6, ("end.as6", *TO6, *STATIC), IPV6)),
    ((SID, ("end.ad4", *TO4), IPV4), (MASKED, ("end.am", *TO6), 0)),
)
BATCH = 2000


def header_errors(node: Namespace) -> dict[str, int]:
    """What a kernel counted as malformed."""
    six = dict(line.split() for line in node.run("cat", "/proc/net/snmp6").stdout.splitlines())
    lines = [line.split() for line in node.run("cat", "/proc/net/snmp").stdout.splitlines()]
    names, values = (line for line in lines if line[0] == "Ip:")
    counted = six | dict(zip(names, values, strict=True))
    wanted = ("Ip6InHdrErrors", "Ip6InTruncatedPkts", "InHdrErrors")
    return {name: int(counted[name]) for name in wanted}


def batch(dice: random.Random, sids: tuple[tuple[str, tuple[str, ...], int], ...]) -> list[bytes]:
    made = []
    for _ in range(BATCH):
        sid, words, kind = dice.choice(sids)
        made.append(
            for_sid(
                dice,
                sid,
                kind,
                opaque=words[0] in ("end", "end.x", "end.am", "end.dx4", "end.dx6", "end.dx2"),
            )
        )
    return made


def flood(chain: Chain, dice: random.Random, packets: int, folder: Path) -> Counter[str]:
    """Send that many in rounds; returns the counters by name. Nothing malformed may come out."""
    names: Counter[str] = Counter()
    out: list[bytes] = []
    chain.r3.ip("route replace blackhole 10.9.0.0/16")
    chain.vnf.ip("route replace 10.9.0.0/16 via 192.168.2.1 dev veth1 table 100")
    try:
        for sids in ROUNDS:
            chain.server1.srconf("flush", check=False)
            for sid, words, _ in (*sids, *KERNELS):
                chain.server1.srconf("add", sid, *words)
            for _ in range(packets // len(ROUNDS) // BATCH):
                with chain.r3.port("eth2") as after, chain.vnf.port("veth0") as service:
                    chain.inject([packet for packet in batch(dice, (*sids, *KERNELS)) if len(packet) <= 2000])
                    for ethertype, kind in ((0x0800, IPV4), (0x86DD, IPV6)):
                        opaque = kind == IPV6 and sids[1][0] == MASKED
                        given = [from_service(dice, kind, opaque=opaque) for _ in range(BATCH // 2)]
                        chain.inject(given, node="vnf", interface="veth1", ethertype=ethertype)
                    for port in (after, service):
                        out += probes(port, 10 * BATCH, 0.15, having=b"")
            for entry in chain.server1.show():
                names.update({name: value["packets"] for name, value in entry["counters"].items()})
    finally:
        chain.r3.ip("route del blackhole 10.9.0.0/16")
        chain.vnf.ip("route del 10.9.0.0/16 table 100")
        chain.server1.srconf("flush", check=False)
    assert len(out) > packets // 10

    assert complaints([packet for packet in out if packet[6:7] != b"\x3a"], folder)[:5] == []
    return names


def rare(chain: Chain) -> Counter[str]:
    """The two discards that need a larger or a smaller MTU: too big for the service, too long with its headers."""
    node, names = chain.server1, Counter[str]()
    long = ipv4("10.0.9.1", protocol=EXPERIMENT, payload=bytes(1400))
    for end, port in ((node, "veth1"), (chain.vnf, "veth1")):
        end.run("ip", "link", "set", port, "mtu", "65535")
    node.run("ip", "link", "set", "veth0", "mtu", "1300")
    try:
        node.srconf("add", SID, "end.as4", *TO4, *STATIC)
        node.srconf("add", MASKED, "end.am", *TO6)
        chain.inject([ipv6(srh((MASKED, LAST)) + long, destination=MASKED)])
        longest = ipv4("10.0.9.1", protocol=EXPERIMENT, payload=bytes(65_480))
        chain.inject([longest], node="vnf", interface="veth1", ethertype=0x0800)
        for entry in node.show():
            names.update({name: value["packets"] for name, value in entry["counters"].items()})
    finally:
        node.srconf("flush")
        for end, port in ((node, "veth0"), (node, "veth1"), (chain.vnf, "veth1")):
            end.run("ip", "link", "set", port, "mtu", "2000")
    return names


@pytest.mark.parametrize("packets", [8_000, pytest.param(100_000, marks=pytest.mark.prove)])
def test_floods(idle: Chain, packets: int, tmp_path: Path) -> None:
    """None crashes, every reason to discard comes up, and neither tshark nor a kernel finds fault with the rest."""
    dice = random.Random(8754)
    before = header_errors(idle.r3), header_errors(idle.vnf)
    names = flood(idle, dice, packets, tmp_path) + rare(idle)
    assert (header_errors(idle.r3), header_errors(idle.vnf)) == before
    assert [name for name in DISCARDS if not names[name]] == []
    assert names["entered"] > packets // 10 and names["returned"] > packets // 50
    assert names["only_chain"] == 0 or names["no_cache"]
    idle.server1.srconf("add", SID, "end.ad4", *TO4)
    with idle.r3.port("eth2") as port:
        idle.inject([chained(ipv4())])
        assert len(probes(port, 1)) == 1


def test_the_judges_see_malformed_packets(chain: Chain, tmp_path: Path) -> None:
    good = chained(ipv4("10.0.9.1", "10.9.9.9", EXPERIMENT, b"abcd"), ("fc00:9::1", "fc00:9::2"))
    wrong = [
        good[:4] + b"\x00\x99" + good[6:],
        good[:41] + b"\x09" + good[42:],
        good[:-2],
        good[:90] + b"\xff" + good[91:],
    ]
    assert complaints([good], tmp_path) == []
    assert [bool(complaints([packet], tmp_path)) for packet in wrong] == [True] * 4
    before = header_errors(chain.server1)
    chain.inject([good[:-2]])
    assert header_errors(chain.server1) != before
