"""Six nodes in network namespaces: a source, a headend h, two ways m and n, an endpoint e, a target. What comes
back does so by a link of its own from e to h.

SIDs stand on a NIC that no test takes down, since a SID goes with its NIC.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import REPOSITORY

NUMBERS = {"h": 1, "m": 2, "n": 3, "e": 4}
SETTINGS = """
    for interface in all default lo
    do echo 0 > /proc/sys/net/ipv4/conf/$interface/rp_filter
       echo 0 > /proc/sys/net/ipv6/conf/$interface/accept_dad
       echo 1 > /proc/sys/net/ipv6/conf/$interface/seg6_enabled
       echo 1 > /proc/sys/net/ipv6/conf/$interface/ignore_routes_with_linkdown
       echo 1 > /proc/sys/net/ipv6/conf/$interface/keep_addr_on_down
    done
    echo 1 > /proc/sys/net/ipv4/ip_forward
    echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
    echo 1 > /proc/sys/net/ipv4/fib_multipath_hash_policy
    echo 1 > /proc/sys/net/ipv6/fib_multipath_hash_policy
"""
CABLES = (
    "s:e1 h:e0",
    "h:e1 m:e1",
    "h:e2 n:e1",
    "m:e2 e:e1",
    "n:e2 e:e2",
    "e:e0 d:e1",
    "e:e3 h:e3",
    "m:e0 m:e9",
    "n:e0 n:e9",
)
ADDRESSES = {
    "s": ["10.0.1.1/24 dev e1", "2001:db8:1::1/64 dev e1"],
    "h": [
        "10.0.1.2/24 dev e0",
        "2001:db8:1::2/64 dev e0",
        "2001:12::1/64 dev e1",
        "2001:13::1/64 dev e2",
        "2001:14::1/64 dev e3",
    ],
    "m": ["2001:12::2/64 dev e1", "2001:24::2/64 dev e2"],
    "n": ["2001:13::3/64 dev e1", "2001:34::3/64 dev e2"],
    "e": [
        "10.0.2.2/24 dev e0",
        "2001:14::4/64 dev e3",
        "2001:db8:2::2/64 dev e0",
        "2001:24::4/64 dev e1",
        "2001:34::4/64 dev e2",
    ],
    "d": ["10.0.2.1/24 dev e1", "2001:db8:2::1/64 dev e1"],
}
ROUTES = {
    "s": ["default via 10.0.1.2", "::/0 via 2001:db8:1::2"],
    "d": ["default via 10.0.2.2", "::/0 via 2001:db8:2::2"],
    "h": [
        "fc00:2::/64 via 2001:12::2",
        "fc00:3::/64 via 2001:13::3",
        "fc00:4::/64 nexthop via 2001:12::2 nexthop via 2001:13::3",
        "fc00:1::2 encap seg6local action End.X nh6 2001:12::2 dev e0",
        "fc00:1::d4 encap seg6local action End.DX4 nh4 10.0.1.1 dev e0",
    ],
    "m": ["fc00:1::/64 via 2001:12::1", "fc00:4::/64 via 2001:24::4"],
    "n": ["fc00:1::/64 via 2001:13::1", "fc00:4::/64 via 2001:34::4"],
    "e": [
        "fc00:1::/64 via 2001:14::1",
        "fc00:4::d4 encap seg6local action End.DX4 nh4 10.0.2.1 dev e0",
        "10.0.1.0/24 encap seg6 mode encap segs fc00:1::d4 dev e0",
    ],
}


def run(*words: str, check: bool = True) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or not check, f"{' '.join(words)}: {done.stderr}"
    return done.stdout


@dataclass
class Network:
    name: str
    folder: Path
    agents: list[subprocess.Popen[str]] = field(default_factory=list)

    def ns(self, node: str) -> str:
        return f"{self.name}-{node}"

    def ip(self, node: str, *words: str, check: bool = True) -> str:
        return run("ip", "-n", self.ns(node), *words, check=check)

    def sh(self, node: str, script: str) -> str:
        return run("ip", "netns", "exec", self.ns(node), "sh", "-ec", script)

    def popen(self, node: str, *words: str, **options: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(["ip", "netns", "exec", self.ns(node), *words], text=True, **options)

    def route(self, prefix: str) -> str:
        """The headend's route, on one line."""
        family = "-6" if ":" in prefix else "-4"
        return " ".join(self.ip("h", family, "route", "show", prefix).split())

    def reaches(self, count: int = 3) -> bool:
        done = self.popen("s", "ping", "-c", str(count), "-i", "0.05", "-W", "1", "-q", "10.0.2.1", stdout=-3)
        return done.wait() == 0

    @property
    def state(self) -> Any:
        return json.loads((self.folder / "state.json").read_text())

    def agent(self, config: dict[str, Any]) -> subprocess.Popen[str]:
        (self.folder / "config.json").write_text(json.dumps(config))
        words = [
            sys.executable,
            "-m",
            "srv6lab.agent",
            f"{self.folder}/config.json",
            f"{self.folder}/state.json",
        ]
        made = self.popen("h", *words, stderr=subprocess.PIPE, cwd=REPOSITORY)
        self.agents.append(made)
        return made

    def stop(self, agent: subprocess.Popen[str], number: int = signal.SIGTERM) -> str:
        """Its errors that nobody has read yet, once it has ended."""
        agent.send_signal(number)
        return agent.communicate(timeout=10)[1]

    def says(self, agent: subprocess.Popen[str], words: str, within: float = 10) -> str:
        """Its errors until these words are among them."""
        assert agent.stderr
        said, due = "", time.monotonic() + within
        while words not in said:
            ready, _, _ = select.select([agent.stderr], [], [], max(0.0, due - time.monotonic()))
            assert ready, f"{words!r} isn't in {said!r}"
            said += os.read(agent.stderr.fileno(), 65536).decode()
        return said

    def becomes(self, holds: Callable[[], bool], within: float = 10) -> float:
        """Seconds until something holds."""
        begun = time.monotonic()
        while not holds():
            assert time.monotonic() - begun < within, self.route("10.0.2.0/24")
            time.sleep(0.01)
        return time.monotonic() - begun


@contextmanager
def network(folder: Path) -> Iterator[Network]:
    made = Network(f"ag{os.getpid()}-{uuid.uuid4().hex[:6]}", folder)
    try:
        for node in ADDRESSES:
            run("ip", "netns", "add", made.ns(node))
            made.sh(node, SETTINGS)
            made.ip(node, "link", "set", "lo", "up")
        for cable in CABLES:
            _cable(made, *cable.split())
        for node, number in NUMBERS.items():
            made.ip(node, "address", "add", f"fc00:{number}::1/128", "dev", "lo")
        for node, addresses in ADDRESSES.items():
            for address in addresses:
                made.ip(node, "address", "add", *address.split())
        for node, number in NUMBERS.items():
            ROUTES[node].append(f"fc00:{number}::a encap seg6local action End dev e0")
        for node, routes in ROUTES.items():
            for route in dict.fromkeys(routes):
                made.ip(node, "route", "add", *route.split())
        yield made
    finally:
        for agent in made.agents:
            if agent.poll() is None:
                agent.kill()
                agent.communicate()
        for node in ADDRESSES:
            run("ip", "netns", "del", made.ns(node), check=False)


def _cable(made: Network, one: str, other: str) -> None:
    (a, here), (b, there) = one.split(":"), other.split(":")
    made.ip(
        a,
        "link",
        "add",
        here,
        "mtu",
        "2000",
        "type",
        "veth",
        "peer",
        "name",
        there,
        "mtu",
        "2000",
        "netns",
        made.ns(b),
    )
    for node, nic in ((a, here), (b, there)):
        made.sh(node, f"echo 1 > /proc/sys/net/ipv6/conf/{nic}/seg6_enabled")
        made.ip(node, "link", "set", nic, "up")
