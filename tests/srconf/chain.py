"""The seed's chain in namespaces: hosta - r1 - server1 (with the service `vnf`) - r3 - hostb.

r1 steers into fc00:a::a1, fc00:b::a1, fc00:3::a; r3 plays the nodes behind it.  The way back crosses the same
SID with another segment list, so that two policies always share it.  fc00:a::a6 does the same for IPv6, and
fc00:a::ab is for a masqueraded service: IPv4 to 10.0.3.1 is encapsulated, IPv6 to fd00:bb::1 gets an SRH inserted.
What comes from 10.0.9.1 and fd00:9::1 is answered past the services.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import json
import os
import socket
import subprocess
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NoReturn

from srv6lab.srconf import bpf, tcx
from srv6lab.srconf.command import main

ROOM = Path(__file__).resolve().parents[2] / "srv6lab" / "srconf"
SRCONF = ROOM / "srconf"
CLONE_NEWNET = 0x40000000
ADD = ("add", "fc00:a::a1", "end.ad4", "ip", "192.168.1.2", "veth0", "veth1")
NODES = ("hosta", "r1", "server1", "vnf", "r3", "hostb")
SETTINGS = """
echo 0 > /proc/sys/net/ipv6/conf/all/accept_dad
echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad
echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter
echo 0 > /proc/sys/net/ipv4/conf/default/rp_filter
echo 1 > /proc/sys/net/ipv6/conf/all/seg6_enabled
echo 1 > /proc/sys/net/ipv6/conf/default/seg6_enabled
"""
FORWARDING = """
echo 1 > /proc/sys/net/ipv4/ip_forward
echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
"""
LINKS = (
    ("hosta", "eth1", "r1", "eth1", 1500),
    ("r1", "eth2", "server1", "eth1", 2000),
    ("server1", "veth0", "vnf", "veth0", 2000),
    ("server1", "veth1", "vnf", "veth1", 2000),
    ("server1", "eth2", "r3", "eth2", 2000),
    ("r3", "eth1", "hostb", "eth1", 2000),
)
ROUTES = {
    "hosta": """
        addr add 10.0.0.1/24 dev eth1
        route add default via 10.0.0.2
        addr add fd00:a::1/64 dev eth1
        route add ::/0 via fd00:a::2
        addr add 10.0.9.1/32 dev lo
        addr add fd00:9::1/128 dev lo
        route add 10.0.3.0/24 via 10.0.0.2 src 10.0.9.1
    """,
    "r1": """
        addr add 10.0.0.2/24 dev eth1
        addr add fd00:a::2/64 dev eth1
        addr add fc00:1::1/64 dev lo
        addr add 2001:a::1/64 dev eth2
        route add ::/0 via 2001:a::2
        route add fc00:1::a/128 encap seg6local action End.DX4 nh4 10.0.0.1 dev eth1
        route add 10.0.1.0/24 encap seg6 mode encap segs fc00:a::a1,fc00:b::a1,fc00:3::a dev eth2
        route add 10.0.2.0/24 encap seg6 mode encap segs fc00:a::a1,fc00:c::a1,fc00:3::a dev eth2
        route add 10.0.3.0/24 encap seg6 mode encap segs fc00:a::ab,fc00:b::a1,fc00:3::a dev eth2
        route add fc00:1::6/128 encap seg6local action End.DX6 nh6 fd00:a::1 dev eth1
        route add fd00:b::/64 encap seg6 mode encap segs fc00:a::a6,fc00:b::a1,fc00:3::6 dev eth2
        route add fd00:bb::/64 encap seg6 mode inline segs fc00:a::ab,fc00:b::a1 dev eth2
    """,
    "server1": """
        addr add fc00:a::a/64 dev lo
        addr add 2001:a::2/64 dev eth1
        addr add 2001:b::1/64 dev eth2
        addr add 192.168.1.1/24 dev veth0
        addr add 192.168.2.1/24 dev veth1
        addr add fd00:1::1/64 dev veth0
        addr add fd00:2::1/64 dev veth1
        addr add fe80::1:1/64 dev veth0
        route add ::/0 via 2001:b::2
        route add 10.0.1.0/24 via inet6 2001:b::2 dev eth2
        route add fc00:1::/64 via 2001:a::1
        route add fd00:a::/64 via 2001:a::1
    """,
    "vnf": """
        addr add 192.168.1.2/24 dev veth0
        addr add 192.168.2.2/24 dev veth1
        rule add iif veth0 lookup 100
        route add default via 192.168.2.1 dev veth1 table 100
        route add default via 192.168.2.1 dev veth1
        addr add fd00:1::2/64 dev veth0
        addr add fd00:2::2/64 dev veth1
        addr add fe80::1:2/64 dev veth0
        rule add from ::/0 iif veth0 lookup 100
        route add ::/0 via fd00:2::1 dev veth1 table 100
        route add ::/0 via fd00:2::1 dev veth1
    """,
    "r3": """
        addr add 10.0.1.2/24 dev eth1
        addr add fd00:b::2/64 dev eth1
        addr add fc00:3::3/64 dev lo
        addr add 2001:b::2/64 dev eth2
        route add ::/0 via 2001:b::1
        route add fc00:b::a1/128 encap seg6local action End dev eth2
        route add fc00:c::a1/128 encap seg6local action End dev eth2
        route add blackhole fc00:9::/64
        route add fc00:3::a/128 encap seg6local action End.DX4 nh4 10.0.1.1 dev eth1
        route add 10.0.0.0/24 encap seg6 mode encap segs fc00:a::a1,fc00:1::a dev eth2
        route add 10.0.3.0/24 via 10.0.1.1
        route add 10.0.9.0/24 encap seg6 mode encap segs fc00:1::a dev eth2
        route add fd00:9::/64 encap seg6 mode encap segs fc00:1::6 dev eth2
        route add fc00:3::6/128 encap seg6local action End.DX6 nh6 fd00:b::1 dev eth1
        route add fd00:a::/64 encap seg6 mode encap segs fc00:a::a6,fc00:1::6 dev eth2
        route add fd00:bb::/64 via fd00:b::1
    """,
    "hostb": """
        addr add 10.0.1.1/24 dev eth1
        addr add 10.0.2.1/32 dev lo
        addr add 10.0.3.1/32 dev lo
        route add default via 10.0.1.2 mtu 1500
        addr add fd00:b::1/64 dev eth1
        addr add fd00:bb::1/128 dev lo
        route add ::/0 via fd00:b::2 mtu 1500
    """,
}
_numbers = itertools.count()


class Namespace:
    """A network namespace that these tests made."""

    def __init__(self, name: str) -> None:
        self.name = name

    def run(self, *words: str, check: bool = True, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["ip", "netns", "exec", self.name, *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )
        assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done

    def start(self, *words: str) -> subprocess.Popen[str]:
        command = ["ip", "netns", "exec", self.name, *words]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def ip(self, batch: str) -> None:
        lines = "\n".join(line.strip() for line in batch.splitlines() if line.strip())
        done = subprocess.run(
            ["ip", "-n", self.name, "-batch", "-"], input=lines, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{self.name}: {done.stderr}"

    def srconf(
        self, *words: str, check: bool = True, prepare: Callable[[], None] = lambda: None
    ) -> subprocess.CompletedProcess[str]:
        """The command in a process of its own, forked: an interpreter's start would be most of the time."""
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            child = os.fork()
            if not child:
                self._become(["localsid", *words], out, err, prepare)
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            for stream in (out, err):
                stream.seek(0)
            done = subprocess.CompletedProcess(["srconf", "localsid", *words], code, out.read(), err.read())
        assert not check or code == 0, f"{words}: {done.stdout}{done.stderr}"
        return done

    def _become(self, words: list[str], out: IO[str], err: IO[str], prepare: Callable[[], None]) -> NoReturn:
        code = 99
        try:
            prepare()
            with self.entered(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = main(words)
        except BaseException:
            traceback.print_exc(file=err)
        finally:
            out.flush()
            err.flush()
            os._exit(code)

    def show(self, *words: str) -> list[dict[str, Any]]:
        answer: list[dict[str, Any]] = json.loads(self.srconf("show", *words, "--json").stdout)
        return answer

    def counters(self, sid: str = "fc00:a::a1") -> dict[str, tuple[int, int]]:
        """Those of a SID that are not zero."""
        counted = self.show(sid)[0]["counters"]
        return {name: (c["packets"], c["bytes"]) for name, c in counted.items() if c["packets"] or c["bytes"]}

    @contextmanager
    def entered(self) -> Iterator[None]:
        """This thread in the namespace: for sockets, which stay where they were made."""
        libc = ctypes.CDLL(None, use_errno=True)
        home_path, there_path = Path("/proc/thread-self/ns/net"), Path("/run/netns", self.name)
        with home_path.open() as home, there_path.open() as there:
            assert libc.setns(there.fileno(), CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
            try:
                yield
            finally:
                assert libc.setns(home.fileno(), CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())

    def open(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        with self.entered():
            return socket.socket(family, kind, protocol)

    def port(self, interface: str) -> socket.socket:
        """A packet socket on an interface, with room for what a test sends."""
        port = self.open(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        port.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
        port.bind((interface, 3))
        return port

    def mac(self, interface: str) -> bytes:
        with self.port(interface) as port:
            address: bytes = port.getsockname()[4]
            return address

    def state(self) -> str:
        """Everything that srconf might leave behind, as text."""
        script = """
            ip route show table all; ip neigh show nud permanent; tc qdisc show
            for i in $(ls /sys/class/net)
            do tc filter show dev $i egress
            done
        """
        with self.entered():
            names = [name for _, name in socket.if_nameindex()]
        return self.run("sh", "-c", script).stdout + "".join(map(self.programs, names))

    def programs(self, interface: str) -> str:
        """The filters and the programs at the ingress of an interface, as text; none if it isn't there."""
        shown = self.run("tc", "filter", "show", "dev", interface, "ingress", check=False).stdout
        with self.entered(), contextlib.suppress(OSError):
            for number in tcx.programs(socket.if_nametoindex(interface)) or ():
                shown += f"bpf tcx {interface} {bpf.program_name(bpf.program(number))} id {number}\n"
        return shown


@contextmanager
def namespaces(*roles: str) -> Iterator[dict[str, Namespace]]:
    """Namespaces of our own, gone at the end."""
    prefix = f"srconf-{os.getpid()}-{next(_numbers)}"
    made: dict[str, Namespace] = {}
    try:
        for role in roles:
            subprocess.run(["ip", "netns", "add", f"{prefix}-{role}"], check=True)
            made[role] = Namespace(f"{prefix}-{role}")
            made[role].ip("link set lo up")
            made[role].run("sh", "-c", SETTINGS)
        yield made
    finally:
        for namespace in made.values():
            subprocess.run(["ip", "netns", "del", namespace.name], check=True)


class Chain:
    """The namespaces, wired and routed."""

    def __init__(self, nodes: dict[str, Namespace]) -> None:
        self.nodes = nodes
        self.hosta, self.r1, self.server1, self.vnf, self.r3, self.hostb = (nodes[name] for name in NODES)
        for left, port, right, far, mtu in LINKS:
            self.connect(left, port, right, far, mtu)
        for name in ("r1", "server1", "vnf", "r3"):
            nodes[name].run("sh", "-c", FORWARDING)
        for name, batch in ROUTES.items():
            nodes[name].ip(batch)
        self.hops = {"r1": nodes["server1"].mac("eth1"), "vnf": nodes["server1"].mac("veth1")}

    def connect(self, left: str, port: str, right: str, far: str, mtu: int = 1500) -> None:
        a, b = self.nodes[left], self.nodes[right]
        a.ip(f"link add {port} mtu {mtu} type veth peer name {far} mtu {mtu} netns {b.name}")
        a.ip(f"link set {port} up")
        b.ip(f"link set {far} up")

    def inject(
        self, packets: list[bytes], *, node: str = "r1", interface: str = "eth2", ethertype: int = 0x86DD
    ) -> None:
        """Send packets to server1 as they are."""
        with self.nodes[node].port(interface) as port:
            head = self.hops[node] + port.getsockname()[4] + ethertype.to_bytes(2, "big")
            for number, packet in enumerate(packets):
                port.send(head + packet)
                if number % 200 == 199:  # a CPU's backlog holds 1000 packets
                    time.sleep(0.002)

    def offloads(self, state: str, gro: str | None = None) -> None:
        for left, port, right, far, _ in LINKS:
            for node, interface in ((left, port), (right, far)):
                words = (word for name in ("tx", "sg", "tso", "gso") for word in (name, state))
                self.nodes[node].run("ethtool", "-K", interface, *words, "gro", gro or state)


@contextmanager
def another_proxy(chain: Chain) -> Iterator[None]:
    """A second proxy, fc00:a::a2, beside the first on the same box."""
    chain.connect("server1", "veth2", "vnf", "veth2")
    chain.connect("server1", "veth3", "vnf", "veth3")
    try:
        chain.server1.ip("addr add 192.168.3.1/24 dev veth2\naddr add 192.168.4.1/24 dev veth3")
        chain.vnf.ip("""
            addr add 192.168.3.2/24 dev veth2
            addr add 192.168.4.2/24 dev veth3
            route add default via 192.168.4.1 dev veth3 table 101
            rule add iif veth2 lookup 101
        """)
        chain.server1.srconf("add", "fc00:a::a2", "end.ad4", "ip", "192.168.3.2", "veth2", "veth3")
        yield
    finally:
        chain.server1.srconf("del", "fc00:a::a2", check=False)
        chain.server1.ip("link del veth2\nlink del veth3")
        chain.vnf.ip("rule del lookup 101")
