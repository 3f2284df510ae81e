"""What the SR proxy costs: TCP, small UDP packets and round trips through three segments, with and without it.

    python benchmarks/srproxy.py [--hook clsact|tcx] [--rounds N] [--format json] [--out FILE]

The path is the same for all: hosta, r1 (headend), server1 (first segment), r3 (second and third), hostb; the way
back crosses one segment. Only server1 differs:

    proxy    srconf's End.AD4 with a router in a namespace as its service
    native   the kernel's End, no proxy, no service
    hop      the kernel's End.X to the same router, which forwards IPv6: the way through it without a proxy
    encaps   the kernel's End.DX4 to the same router, which forwards IPv4, and the kernel's H.Encaps into the other
             two segments when it comes back: the proxy's work for one fixed policy. r1 then names one segment

A target that the proxy misses to `native` and reaches to `hop` or `encaps` is missed by the way through the service,
not by the proxy. Every round runs each of them once, in turned order; ratios are taken within a round. Needs root.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import math
import multiprocessing
import os
import platform
import re
import socket
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.srconf.chain import ADD, NODES, Chain, Namespace, namespaces

SID, SOURCE, TARGET = "fc00:a::a1", "10.0.9.1", "10.0.1.1"
BEHIND = "fc00:b::a1,fc00:3::a"
CONTENDERS = ("proxy", "native", "hop", "encaps")
TARGETS = {"tcp": 1.0, "udp": 0.85, "rtt": 1.10}  # the proxy's ratio: rtt at most, the others at least
UNITS = {"tcp": "Gbit/s", "udp": "packets/s", "rtt": "µs"}
PAYLOAD, BURST, PINGS, STREAMS = 16, 64, 10_000, 8
LOST = 0.005  # of the packets: what a partial drop rate is measured at


def serve(chain: Chain, contender: str) -> None:
    """Make server1 answer for the first segment in one way and no other."""
    node = chain.server1
    node.srconf("flush", check=False)
    node.run("ip", "-6", "route", "del", SID, check=False)
    node.run("ip", "route", "del", "192.168.1.2/32", check=False)
    node.ip("route replace 10.0.1.0/24 via inet6 2001:b::2 dev eth2")
    segments = SID if contender == "encaps" else f"{SID},{BEHIND}"
    chain.r1.ip(f"route replace 10.0.1.0/24 encap seg6 mode encap segs {segments} dev eth2")
    if contender == "proxy":
        node.srconf(*ADD)
    elif contender == "native":
        node.ip(f"route add {SID}/128 encap seg6local action End dev eth1")
    elif contender == "hop":
        node.ip(f"route add {SID}/128 encap seg6local action End.X nh6 fd00:1::2 dev veth0")
    else:
        node.ip("route add 192.168.1.2/32 via 192.168.1.2 dev veth0 onlink")
        node.ip(f"route add {SID}/128 encap seg6local action End.DX4 nh4 192.168.1.2 dev veth0")
        node.ip(f"route replace 10.0.1.0/24 encap seg6 mode encap segs {BEHIND} dev eth2")


def in_background(work: Callable[..., None], *words: Any) -> tuple[multiprocessing.Process, Connection]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=work, args=(theirs, *words))
    process.start()
    return process, ours


def take(pipe: Connection, listener: socket.socket) -> None:
    peer, _ = listener.accept()
    room, total = bytearray(1 << 20), 0
    started = time.perf_counter()
    while size := peer.recv_into(room):
        total += size
    pipe.send(total * 8e-9 / (time.perf_counter() - started))


def tcp(chain: Chain, seconds: float) -> float:
    """Throughput from hosta to hostb, Gbit/s as the receiver sees it: the mean of short streams, one after the other,
    since one differs from the next by a seventh, whoever is measured."""
    return statistics.fmean(stream(chain, seconds / STREAMS) for _ in range(STREAMS))


def stream(chain: Chain, seconds: float) -> float:
    with chain.hostb.open(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind((TARGET, 0))
        listener.listen()
        process, pipe = in_background(take, listener)
        with chain.hosta.open(socket.AF_INET, socket.SOCK_STREAM) as sender:
            sender.bind((SOURCE, 0))
            sender.connect(listener.getsockname())
            block, deadline = bytes(1 << 20), time.perf_counter() + seconds
            while time.perf_counter() < deadline:
                sender.sendall(block)
    result: float = pipe.recv()
    process.join()
    return result


class IoVector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class Message(ctypes.Structure):
    """struct mmsghdr: a message without address and control data, and how much of it was sent."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("vectors", ctypes.POINTER(IoVector)),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
        ("sent", ctypes.c_uint32),
    )


def received(node: Namespace) -> int:
    """Packets that have come in on eth1."""
    found = re.search(r"eth1:\s*\d+\s+(\d+)", node.run("cat", "/proc/net/dev").stdout)
    assert found
    return int(found[1])


def udp(chain: Chain, seconds: float) -> float:
    """Packets of 16 bytes that arrive at hostb in a second at the partial drop rate: what one sender can send, with a longer
    pause after each burst until no more than LOST of them are lost on the way."""
    for pause in (0.0, *(2.0**power * 1e-6 for power in range(5, 16))):
        sent, arrived, passed = bursts(chain, seconds, pause)
        if arrived >= sent * (1 - LOST):
            return arrived / passed
    raise SystemExit(f"of {sent} packets {sent - arrived} are lost, however slowly they are sent")


def bursts(chain: Chain, seconds: float, pause: float) -> tuple[int, int, float]:
    """Packets sent and arrived, and the seconds that it took."""
    libc = ctypes.CDLL(None, use_errno=True)
    payload = ctypes.create_string_buffer(PAYLOAD)
    vector = IoVector(ctypes.addressof(payload), PAYLOAD)
    messages = (Message * BURST)(
        *(Message(vectors=ctypes.pointer(vector), vector_count=1) for _ in range(BURST))
    )
    with (
        chain.hostb.open(socket.AF_INET, socket.SOCK_DGRAM) as sink,
        chain.hosta.open(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        sink.bind((TARGET, 0))  # never read: what its buffer can't hold has arrived all the same
        sender.bind((SOURCE, 0))
        sender.connect(sink.getsockname())
        sent, before, started = 0, received(chain.hostb), time.perf_counter()
        while time.perf_counter() < started + seconds:
            sent += max(0, libc.sendmmsg(sender.fileno(), messages, BURST, 0))
            if pause:
                time.sleep(pause)
        passed = time.perf_counter() - started
        time.sleep(0.05)
        return sent, received(chain.hostb) - before, passed


def rtt(chain: Chain, _: float) -> float:
    """One flood ping after the other, µs from each to the next: its own figures are whole microseconds."""
    words = ("ping", "-q", "-f", "-c", str(PINGS), "-I", SOURCE, TARGET)
    said = chain.hosta.run(*words).stdout
    found = re.search(r"time (\d+)ms", said)
    assert found and f"{PINGS} received" in said, said
    return float(found[1]) * 1000 / PINGS


MEASURES: dict[str, Callable[[Chain, float], float]] = {"tcp": tcp, "udp": udp, "rtt": rtt}


def measure(chain: Chain, rounds: int, seconds: float) -> list[dict[str, dict[str, float]]]:
    """For each round, each contender's figures by measure; the first round warms up and isn't kept."""
    found = []
    for number in range(rounds + 1):
        turn = number % len(CONTENDERS)
        turned = CONTENDERS[turn:] + CONTENDERS[:turn]
        figures = {}
        for contender in turned:
            serve(chain, contender)
            chain.hosta.run(
                "ping", "-c", "3", "-i", "0.1", "-W", "1", "-I", SOURCE, TARGET
            )  # neighbors are known
            figures[contender] = {name: work(chain, seconds) for name, work in MEASURES.items()}
            check(chain, contender)
        found.append(figures)
        print(f"round {number} of {rounds}", file=sys.stderr)
    return found[1:]


def check(chain: Chain, contender: str) -> None:
    """What was measured went the way it should."""
    if contender == "proxy":
        counted = chain.server1.counters(SID)
        assert set(counted) == {"entered", "returned"}, counted


def bound(values: Sequence[float]) -> tuple[float, float]:
    """The median's confidence interval of at least 95%, by order statistics: no distribution is assumed."""
    ordered, n = sorted(values), len(values)
    below, rank = 0.0, 0
    while rank < n // 2 and below + math.comb(n, rank) / 2**n <= 0.025:
        below += math.comb(n, rank) / 2**n
        rank += 1
    low = max(rank - 1, 0)
    return ordered[low], ordered[n - 1 - low]


def summary(rounds: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, Any]:
    """Medians by contender, and the proxy's ratio to the others with its bound."""
    result: dict[str, Any] = {"medians": {}, "ratios": {}, "targets": {}}
    for name in MEASURES:
        result["medians"][name] = {
            contender: statistics.median(each[contender][name] for each in rounds) for contender in CONTENDERS
        }
        for other in CONTENDERS[1:]:
            values = [each["proxy"][name] / each[other][name] for each in rounds]
            low, high = bound(values)
            result["ratios"][f"{name} proxy/{other}"] = {
                "median": statistics.median(values),
                "low": low,
                "high": high,
            }
        result["targets"][name] = {
            other: reached(name, result["ratios"][f"{name} proxy/{other}"]["median"])
            for other in CONTENDERS[1:]
        }
    return result


def reached(name: str, ratio: float) -> bool:
    return ratio <= TARGETS[name] if name == "rtt" else ratio >= TARGETS[name]


def table(result: Mapping[str, Any]) -> str:
    lines = []
    for name, medians in result["medians"].items():
        shown = "  ".join(f"{contender} {value:,.1f}" for contender, value in medians.items())
        lines.append(f"{name:4} {UNITS[name]:10} {shown}")
    for name, ratio in result["ratios"].items():
        lines.append(f"{name:20} {ratio['median']:.3f}  ({ratio['low']:.3f}–{ratio['high']:.3f})")
    for name, met in result["targets"].items():
        limit = "at most" if name == "rtt" else "at least"
        to = [other for other in CONTENDERS[1:] if met[other]]
        said = "met" if met["native"] else f"met to {' and '.join(to)} only" if to else "MISSED"
        lines.append(f"{said}: {name} {limit} {TARGETS[name]}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=31, help="that count (default: 31)")
    parser.add_argument(
        "--hook", choices=("clsact", "tcx"), default="clsact", help="how the proxy is attached"
    )
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measure (default: 1)")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="what goes to stdout")
    parser.add_argument("--out", type=Path, help="write the JSON here, too")
    options = parser.parse_args()

    os.environ["SRCONF_HOOK"] = options.hook
    with namespaces(*NODES) as nodes:
        chain = Chain(nodes)
        chain.server1.ip("route add fd00:1::2/128 via fd00:1::2 dev veth0 onlink")
        rounds = measure(chain, options.rounds, options.seconds)
    result = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "hook": options.hook,
        "machine": {"kernel": platform.release(), "cores": os.cpu_count()},
        **summary(rounds),
        "rounds": rounds,
    }
    text = json.dumps(result, indent=2)
    if options.out:
        options.out.write_text(text + "\n")
    print(text if options.format == "json" else table(result))
    if not all(any(met.values()) for met in result["targets"].values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
