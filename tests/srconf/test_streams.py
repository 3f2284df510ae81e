"""TCP through the proxy, and counters that agree with what an nftables counter saw on another wire."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from .chain import Chain, Namespace
from .packets import probes

SIZE = 50_000_000
SERVER = """
import hashlib, socket, sys
listener = socket.create_server(("10.0.1.1", 5001))
print("ready", flush=True)
peer, _ = listener.accept()
digest = hashlib.sha256()
if sys.argv[1] == "up":
    while block := peer.recv(1 << 20):
        digest.update(block)
else:
    block = bytes(range(251)) * 4000
    left = int(sys.argv[2])
    while left:
        part = block[:left]
        digest.update(part)
        peer.sendall(part)
        left -= len(part)
peer.close()
print(digest.hexdigest())
"""
CLIENT = """
import hashlib, socket, sys
peer = socket.create_connection(("10.0.1.1", 5001), timeout=20)
digest = hashlib.sha256()
if sys.argv[1] == "up":
    block = bytes(range(251)) * 4000
    left = int(sys.argv[2])
    while left:
        part = block[:left]
        digest.update(part)
        peer.sendall(part)
        left -= len(part)
else:
    while block := peer.recv(1 << 20):
        digest.update(block)
peer.close()
print(digest.hexdigest())
"""
COUNTER = """
table netdev wire {{
    chain ingress {{
        type filter hook ingress device eth2 priority 0;
        ip6 daddr {} counter
    }}
}}
"""


def transfer(chain: Chain, direction: str, size: int) -> None:
    server = chain.hostb.start(sys.executable, "-c", SERVER, direction, str(size))
    try:
        assert server.stdout is not None and server.stdout.readline() == "ready\n"
        words = (sys.executable, "-c", CLIENT, direction, str(size))
        sent = chain.hosta.run(*words, timeout=60).stdout.strip()
        assert server.communicate(timeout=10)[0].strip() == sent
    finally:
        server.kill()
        server.wait()


@pytest.fixture
def offloads_restored(chain: Chain) -> Iterator[None]:
    yield
    chain.offloads("on", gro="off")


@pytest.mark.usefixtures("offloads_restored")
@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize("state", ["on", "off"])
def test_tcp_by_checksum(chain: Chain, state: str, direction: str) -> None:
    chain.offloads(state)
    transfer(chain, direction, SIZE)
    counted = chain.server1.counters()
    assert set(counted) == {"entered", "returned"}
    assert counted["returned"][0] == counted["entered"][0]


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
        transfer(chain, "up", 20_000_000)
        packets, size = (sum(pair) for pair in zip(up(), down(), strict=True))
        headers = 96 * up()[0] + 80 * down()[0]
    assert packets > 13_000
    assert chain.server1.counters() == {"entered": (packets, size), "returned": (packets, size - headers)}
    with chain.vnf.port("veth0") as sensor:
        transfer(chain, "up", 1_000_000)
        assert any(len(packet) > 10_000 for packet in probes(sensor, 2000, 0.2)), "nothing was GSO at the SID"
