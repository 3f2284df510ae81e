"""Streams and floods through the proxies, and counters that agree with what an nftables counter saw on another wire."""

import json
import os
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256

import pytest

from .chain import Chain, Namespace, another_proxy
from .packets import LAST, SID, chained, icmp, ipv4, probes, udp, view

SIZE = 20_000_000
BLOCK = os.urandom(1 << 20)
TO4, TO6 = ("ip", "192.168.1.2", "veth0", "veth1"), ("ip", "fd00:1::2", "veth0", "veth1")
STATIC = ("src", "fc00:a::a", "segs")
UDP_SEGMENT, SO_RCVBUFFORCE = 103, 33
COUNTER = """
table netdev wire {{
    chain ingress {{
        type filter hook ingress device eth2 priority 0;
        ip6 daddr {} counter
    }}
}}
"""


def connect(chain: Chain, to: str, source: str | None = None) -> tuple[socket.socket, socket.socket]:
    """The two ends of a TCP connection from hosta to hostb."""
    family = socket.AF_INET6 if ":" in to else socket.AF_INET
    with chain.hostb.open(family, socket.SOCK_STREAM) as listener:
        listener.bind((to, 0))
        listener.listen()
        listener.settimeout(20)
        client = chain.hosta.open(family, socket.SOCK_STREAM)
        client.settimeout(20)
        if source:
            client.bind((source, 0))
        client.connect((to, listener.getsockname()[1]))
        server, _ = listener.accept()
    return client, server


def transfer(
    chain: Chain, size: int, *, down: bool = False, to: str = "10.0.1.1", source: str | None = None
) -> None:
    """Send that many bytes from hosta to hostb, or down to hosta; what arrives must be what was sent."""
    client, server = connect(chain, to, source)
    sender, receiver = (server, client) if down else (client, server)
    sent, received = sha256(), sha256()

    def send() -> None:
        for at in range(0, size, len(BLOCK)):
            part = BLOCK[: size - at]
            sent.update(part)
            sender.sendall(part)
        sender.shutdown(socket.SHUT_WR)

    with client, server:
        receiver.settimeout(20)
        thread = threading.Thread(target=send)
        thread.start()
        while block := receiver.recv(1 << 20):
            received.update(block)
        thread.join()
    assert received.hexdigest() == sent.hexdigest()


@pytest.fixture
def offloads_restored(chain: Chain) -> Iterator[None]:
    yield
    chain.offloads("on", gro="off")


@pytest.fixture
def proxy(idle: Chain) -> Iterator[Chain]:
    """The chain without a SID, and as it was for the next test."""
    yield idle
    idle.server1.srconf("flush", check=False)
    idle.offloads("on", gro="off")


@pytest.mark.usefixtures("offloads_restored")
@pytest.mark.parametrize("down", [False, True], ids=["up", "down"])
@pytest.mark.parametrize("state", ["on", "off"])
def test_tcp_by_checksum(chain: Chain, state: str, down: bool) -> None:
    chain.offloads(state)
    transfer(chain, SIZE, down=down)
    counted = chain.server1.counters()
    assert set(counted) == {"entered", "returned"}
    assert counted["returned"][0] == counted["entered"][0]


WAYS = {
    "end.ad6": ("fc00:a::a6", "end.ad6", TO6, (), "fd00:b::1", None),
    "end.ead4": ("fc00:a::a1", "end.ead4", TO4, (), "10.0.1.1", None),
    "end.ead6": ("fc00:a::a6", "end.ead6", TO6, (), "fd00:b::1", None),
    "end.as4": ("fc00:a::a1", "end.as4", TO4, (*STATIC, "fc00:b::a1,fc00:3::a"), "10.0.1.1", "10.0.9.1"),
    "end.as6": ("fc00:a::a6", "end.as6", TO6, (*STATIC, "fc00:b::a1,fc00:3::6"), "fd00:b::1", "fd00:9::1"),
    "end.am-encapsulated": ("fc00:a::ab", "end.am", TO6, (), "10.0.3.1", "10.0.9.1"),
    "end.am-inserted": ("fc00:a::ab", "end.am", TO6, (), "fd00:bb::1", "fd00:9::1"),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
@pytest.mark.parametrize("state", ["on", "off"])
def test_tcp_through_every_proxy(
    proxy: Chain, way: tuple[str, str, tuple[str, ...], tuple[str, ...], str, str | None], state: str
) -> None:
    sid, word, hop, chain, to, source = way
    proxy.server1.srconf("add", sid, word, *hop, *chain)
    proxy.offloads(state)
    transfer(proxy, SIZE // 2 if state == "off" else SIZE, to=to, source=source)
    counted = proxy.server1.counters(sid)
    assert set(counted) == {"entered", "returned"}
    assert counted["returned"][0] == counted["entered"][0] > 500


@pytest.mark.parametrize(
    ("sid", "word", "hop", "to"),
    [way[:3] + way[4:5] for way in (WAYS["end.ead4"], WAYS["end.ad6"], WAYS["end.am-encapsulated"])],
    ids=["ipv4", "ipv6", "masked"],
)
def test_udp_gso(proxy: Chain, sid: str, word: str, hop: tuple[str, ...], to: str) -> None:
    """Datagrams that the sender handed over by the dozen arrive one by one, none missing, none changed."""
    proxy.server1.srconf("add", sid, word, *hop)
    family = socket.AF_INET6 if ":" in to else socket.AF_INET
    rounds, segments, size = 100, 40, 1300
    with (
        proxy.hostb.open(family, socket.SOCK_DGRAM) as receiver,
        proxy.hosta.open(family, socket.SOCK_DGRAM) as sender,
    ):
        receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 256 << 20)
        receiver.bind((to, 0))
        receiver.settimeout(2)
        sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
        sender.connect((to, receiver.getsockname()[1]))
        sent = [struct.pack("!I", n) + os.urandom(size - 4) for n in range(rounds * segments)]
        for at in range(0, len(sent), segments):
            sender.send(b"".join(sent[at : at + segments]))
            time.sleep(0.001)
        assert sorted(receiver.recv(2000) for _ in sent) == sent
    headers = 40 + 8 + 3 * 16
    inner = (48 if ":" in to else 28) + size
    counted = proxy.server1.counters(sid)
    assert counted["entered"] == (len(sent), len(sent) * (headers + inner))
    back = headers + inner if word == "end.am" else inner
    assert counted["returned"] == (len(sent), len(sent) * back)


@pytest.mark.parametrize("sid", ["fc00:a::a6", "fc00:a::ab"])
def test_every_icmpv6_size(proxy: Chain, sid: str) -> None:
    """Payloads of 0 to 1452 bytes, none fragmented, through End.AD6 both ways and End.AM one way."""
    word, to, source = (
        ("end.ad6", "fd00:b::1", "fd00:a::1") if sid.endswith("6") else ("end.am", "fd00:bb::1", "fd00:9::1")
    )
    proxy.server1.srconf("add", sid, word, *TO6)
    with proxy.hosta.open(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as pinger:
        pinger.setsockopt(socket.IPPROTO_IPV6, 23, 2)  # IPV6_MTU_DISCOVER: DO
        pinger.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        pinger.bind((source, 0))
        pinger.settimeout(2)
        sent = {size: BLOCK[size : 2 * size] for size in range(1453)}
        answered: dict[int, bytes] = {}
        for start in range(0, 1453, 100):
            batch = range(start, min(start + 100, 1453))
            for size in batch:
                pinger.sendto(struct.pack("!BBHHH", 128, 0, 0, 78, size) + sent[size], (to, 0))
            while not all(size in answered for size in batch):
                packet = pinger.recv(65536)
                kind, identifier, sequence = packet[0], *struct.unpack("!HH", packet[4:8])
                if (kind, identifier) == (129, 78):
                    answered[sequence] = packet[8:]
    assert answered == sent
    assert set(proxy.server1.counters(sid)) == {"entered", "returned"}


@pytest.mark.parametrize(
    ("sid", "word", "to"), [("fc00:a::a6", "end.ad6", "fd00:b::1"), ("fc00:a::ab", "end.am", "10.0.3.1")]
)
@pytest.mark.parametrize("size", [1473, 20000, 65000])
def test_fragments(proxy: Chain, sid: str, word: str, to: str, size: int) -> None:
    proxy.server1.srconf("add", sid, word, *TO6)
    answer = proxy.hosta.run("ping", "-c", "3", "-i", "0.02", "-W", "2", "-s", str(size), to).stdout
    assert " 0% packet loss" in answer
    assert set(proxy.server1.counters(sid)) == {"entered", "returned"}


@pytest.fixture
def in_a_row(chain: Chain) -> Iterator[Chain]:
    """fc00:a::a2 behind fc00:a::a1 on the same box, and a route of hosta's through both."""
    segments = "fc00:a::a1,fc00:a::a2,fc00:b::a1,fc00:3::a"
    with another_proxy(chain):
        chain.r1.ip(f"route add 10.0.5.0/24 encap seg6 mode encap segs {segments} dev eth2")
        chain.r3.ip("route add 10.0.5.0/24 via 10.0.1.1")
        chain.hostb.ip("addr add 10.0.5.1/32 dev lo")
        try:
            yield chain
        finally:
            chain.r1.ip("route del 10.0.5.0/24")
            chain.r3.ip("route del 10.0.5.0/24")
            chain.hostb.ip("addr del 10.0.5.1/32 dev lo")


def test_tcp_through_two_proxies_in_a_row(in_a_row: Chain) -> None:
    """GSO packets cross both whole, and both count what the wire behind them has."""
    with counted_wire(in_a_row.r3, "fc00:b::a1") as wire:
        in_a_row.server1.run("ethtool", "-K", "eth2", "tso", "off", "gso", "off", "tx", "off", "sg", "off")
        try:
            transfer(in_a_row, SIZE, to="10.0.5.1", source="10.0.9.1")
        finally:
            in_a_row.offloads("on", gro="off")
        packets, size = wire()
    for sid in ("fc00:a::a1", "fc00:a::a2"):
        counted = in_a_row.server1.counters(sid)
        assert counted == {"entered": (packets, size), "returned": (packets, size - packets * 112)}


def policies(chain: Chain, packets: int, batch: int) -> int:
    """Send packets of 64 policies over one SID, told apart by port, address, DSCP or ICMP identifier.

    Returns how many arrived; asserts that each has its policy's headers.
    """
    kinds = [
        *(ipv4(payload=udp(source=n)) for n in range(16)),
        *(ipv4(f"10.0.7.{n}", payload=udp()) for n in range(16)),
        *(ipv4(tos=n << 2, payload=udp(destination=9)) for n in range(16)),
        *(ipv4(protocol=1, payload=icmp(8, 0, struct.pack("!HH", n, 1))) for n in range(16)),
    ]
    ways = {inner[1:2] + inner[12:16] + inner[20:26]: f"fc00:9::{n + 1:x}" for n, inner in enumerate(kinds)}
    assert len(ways) == 64
    sent = [chained(inner, (SID, f"fc00:9::{n + 1:x}", LAST)) for n, inner in enumerate(kinds)]
    arrived = 0
    for start in range(0, packets, batch):
        with chain.r3.port("eth2") as port:
            chain.inject([sent[n * 7 % 64] for n in range(start, min(start + batch, packets))])
            for item in map(view, probes(port, min(batch, packets - start))):
                key = item.inner[1:2] + item.inner[12:16] + item.inner[20:26]
                assert item.segment_list == (LAST, ways[key], SID) and item.destination == ways[key]
                arrived += 1
    return arrived


def test_64_policies_over_one_sid(chain: Chain) -> None:
    assert policies(chain, 6_400, 6_400) == 6_400
    assert chain.server1.counters()["returned"][0] == 6_400


@pytest.mark.prove
def test_64_policies_over_one_sid_100_000_packets(chain: Chain) -> None:
    assert policies(chain, 100_000, 10_000) == 100_000
    assert chain.server1.counters()["returned"][0] == 100_000


@contextmanager
def counted_wire(node: Namespace, destination: str) -> Iterator[Callable[[], tuple[int, int]]]:
    """Packets and bytes to a segment that come in on a node's eth2, by nftables."""
    nft = ("ip", "netns", "exec", node.name, "nft")
    subprocess.run([*nft, "-f", "-"], input=COUNTER.format(destination), text=True, check=True)

    def read() -> tuple[int, int]:
        listed = json.loads(
            subprocess.run([*nft, "-j", "list", "ruleset"], capture_output=True, check=True).stdout
        )
        (rule,) = [item["rule"] for item in listed["nftables"] if "rule" in item]
        counter = rule["expr"][-1]["counter"]
        return counter["packets"], counter["bytes"]

    try:
        yield read
    finally:
        subprocess.run([*nft, "flush", "ruleset"], check=True)


@pytest.mark.usefixtures("offloads_restored")
def test_counters_of_gso_are_those_of_the_wire(chain: Chain) -> None:
    """GSO packets cross the proxy whole; server1's outer ports cut them, and behind those they count."""
    for port in ("eth1", "eth2"):
        chain.server1.run("ethtool", "-K", port, "tso", "off", "gso", "off", "tx", "off", "sg", "off")
    for node in (chain.r1, chain.r3):
        node.run("ethtool", "-K", "eth2", "gro", "off")
    with counted_wire(chain.r3, "fc00:b::a1") as up, counted_wire(chain.r1, "fc00:1::a") as down:
        transfer(chain, 20_000_000)
        packets, size = (sum(pair) for pair in zip(up(), down(), strict=True))
        headers = 96 * up()[0] + 80 * down()[0]
    assert packets > 13_000
    assert chain.server1.counters() == {"entered": (packets, size), "returned": (packets, size - headers)}
    with chain.vnf.port("veth0") as sensor:
        transfer(chain, 1_000_000)
        assert any(len(packet) > 10_000 for packet in probes(sensor, 2000, 0.2)), "nothing was GSO at the SID"
