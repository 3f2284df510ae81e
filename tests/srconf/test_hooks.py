"""Where the program sits: beside programs, filters and qdiscs of others, by tcx and by clsact."""

import ctypes
import json
import struct
import sys
import time

import pytest

from srv6lab.srconf import bpf, link, netlink, tcx

from .chain import ADD, SRCONF, Chain, Namespace
from .test_streams import transfer

PROG_LOAD, SCHED_CLS = 5, 3
PASS, DROP = -1, 2


def another(verdict: int) -> bpf.Descriptor:
    """Somebody else's program, which has one verdict for all packets."""
    returns = struct.pack("=BBhi", 0xB7, 0, 0, verdict) + struct.pack(
        "=BBhi", 0x95, 0, 0, 0
    )  # r0 = verdict; exit
    code, licence = ctypes.create_string_buffer(returns), ctypes.create_string_buffer(b"GPL")
    where = (ctypes.addressof(code), ctypes.addressof(licence))
    attributes = struct.pack("=IIQQ", SCHED_CLS, len(returns) // 8, *where).ljust(48, b"\0") + b"another\0"
    return bpf.Descriptor(bpf.call(PROG_LOAD, attributes)[0])


def index(node: Namespace, interface: str) -> int:
    (found,) = (number for number, name in links(node) if name == interface)
    return found


def links(node: Namespace) -> list[tuple[int, str]]:
    shown = json.loads(node.run("ip", "-j", "link", "show").stdout)
    return [(item["ifindex"], item["ifname"]) for item in shown]


def served(node: Namespace, interface: str) -> None:
    """Wait until the program is on an interface."""
    deadline = time.monotonic() + 10
    while "srproxy" not in node.programs(interface):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_hook_is_the_one_asked_for(lone: Namespace, hook: str) -> None:
    lone.srconf(*ADD)
    with lone.entered():
        handles = {item.handle for item in link.attachments()}
    assert handles == {link.DIRECT if hook == "tcx" else link.OWNER}
    assert ("clsact" in lone.run("tc", "qdisc", "show").stdout) == (hook == "clsact")
    assert len(lone.programs("veth0").splitlines()) == (1 if hook == "tcx" else 2)


def test_a_stream_crosses_it(idle: Chain, hook: str) -> None:
    idle.server1.srconf(*ADD)
    transfer(idle, 20_000_000)
    assert set(idle.server1.counters()) == {"entered", "returned"}
    idle.server1.srconf("flush")


def test_a_program_of_somebody_else_stays(lone: Namespace) -> None:
    number = index(lone, "veth0")
    with lone.entered():
        tcx.attach(number, program := another(PASS))
    before = lone.state()
    for _ in range(2):
        lone.srconf(*ADD)
        assert "srproxy" in lone.programs("veth0")
        lone.srconf("flush")
        assert lone.state() == before
    with lone.entered():
        tcx.detach(number, program)


@pytest.mark.parametrize("preference", [1, 49152], ids=["before", "behind"])
@pytest.mark.parametrize("interface", ["eth1", "veth1"], ids=["way-in", "way-back"])
def test_filters_of_others_see_the_packets(idle: Chain, hook: str, interface: str, preference: int) -> None:
    """A filter that drops all does so, whether it stands before ours or behind it."""
    node, number, program = idle.server1, index(idle.server1, interface), another(DROP)
    node.srconf(*ADD)
    ping = ("ping", "-c", "2", "-i", "0.2", "-W", "1", "10.0.1.1")
    with node.entered():
        netlink.attach(
            number,
            name="another",
            program=program.fileno(),
            preference=preference,
            handle=1,
            qdisc=number not in netlink.with_ingress(),
        )
    try:
        assert "0 received" in idle.hosta.run(*ping, check=False).stdout
    finally:
        with node.entered():
            netlink.delete_filter(number, preference)
    assert "2 received" in idle.hosta.run(*ping).stdout


def test_watch_survives_interfaces_that_come_and_go(lone: Namespace) -> None:
    """With few files at hand it serves many, one after the other; some are gone before it is done."""
    lone.srconf(*ADD)
    command = (sys.executable, str(SRCONF), "localsid", "watch")
    watch = lone.start("prlimit", "--nofile=40", *command)
    try:
        for number in range(30):
            lone.ip(f"link add it{number} type veth peer name its{number}")
            served(lone, f"it{number}")
            lone.ip(f"link del it{number}")
    finally:
        watch.terminate()
        said = watch.communicate()
    assert said[1] == ""


def test_watch_ends_whatever_other_routes_come_and_go(lone: Namespace) -> None:
    lone.srconf(*ADD)
    lone.ip("link add it type veth peer name its")
    watch = lone.start(sys.executable, str(SRCONF), "localsid", "watch")
    try:
        served(lone, "it")
        for number in range(20):
            route = f"fd00:{number}::/64 dev veth0"
            lone.ip(f"route add {route}\nroute del {route}")
        assert watch.poll() is None
        lone.srconf("del", "fc00:a::a1")
        assert watch.communicate(timeout=10)[1] == ""
    finally:
        watch.kill()
        watch.communicate()
