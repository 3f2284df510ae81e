"""Where the program sits: beside programs, filters and qdiscs of others, by tcx and by clsact."""

import contextlib
import ctypes
import json
import struct
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from srv6lab.srconf import bpf, link, netlink, state, tcx
from srv6lab.srconf.errors import ToolError
from srv6lab.srconf.table import find

from .chain import ADD, SRCONF, Chain, Namespace, namespaces
from .test_streams import transfer

PROG_LOAD, SCHED_CLS = 5, 3
PASS, DROP = -1, 2


def another(verdict: int, name: bytes = b"another") -> bpf.Descriptor:
    """Somebody else's program, which has one verdict for all packets."""
    returns = struct.pack("=BBhi", 0xB7, 0, 0, verdict) + struct.pack(
        "=BBhi", 0x95, 0, 0, 0
    )  # r0 = verdict; exit
    code, licence = ctypes.create_string_buffer(returns), ctypes.create_string_buffer(b"GPL")
    where = (ctypes.addressof(code), ctypes.addressof(licence))
    attributes = struct.pack("=IIQQ", SCHED_CLS, len(returns) // 8, *where).ljust(48, b"\0") + name + b"\0"
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
    ping = ("ping", "-c", "1", "-W", "0.5", "10.0.1.1")
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
    idle.hosta.run("ping", "-c", "3", "-i", "0.2", "-W", "2", "10.0.1.1")  # one answer is enough


@pytest.fixture
def there(lone: Namespace) -> Iterator[Namespace]:
    """A namespace to move interfaces to."""
    with namespaces("there") as made:
        yield made["there"]


def test_an_interface_that_leaves_takes_nothing_of_the_table_along(
    lone: Namespace, there: Namespace, hook: str
) -> None:
    empty = there.state()
    lone.srconf(*ADD)
    lone.ip(f"link set veth1 netns {there.name}\nlink set veth2 netns {there.name}")
    assert there.srconf("show", "--json").stdout.strip() == "[]"
    there.srconf("del", "fc00:a::a1", check=False)
    assert [entry["sid"] for entry in lone.show()] == ["fc00:a::a1"]
    there.srconf("flush", check=False)
    assert not any("srproxy" in there.programs(name) for name in ("veth1", "veth2"))
    assert "srproxy" in lone.programs("veth0")
    lone.srconf("flush")
    there.ip("link del veth1\nlink del veth2")
    assert there.state() == empty


def test_an_interface_that_comes_brings_no_table_along(lone: Namespace, there: Namespace, hook: str) -> None:
    """One with a lower index than any other that is served here."""
    there.ip("link add p0 index 500 type veth peer name p1 index 501\nlink set p0 up\nlink set p1 up")
    there.srconf("add", "fc00:b::1", "end.ad4", "ip", "192.168.1.2", "p0", "p1")
    lone.srconf(*ADD)
    lone.ip(f"link set veth2 netns {there.name}")
    assert [entry["sid"] for entry in there.show()] == ["fc00:b::1"]
    there.srconf("add", "fc00:b::2", "end.dx4", "ip", "192.168.1.2", "p0")
    assert [entry["sid"] for entry in there.show()] == ["fc00:b::1", "fc00:b::2"]
    assert there.programs("veth2").count(" id ") == 1
    there.srconf("flush")
    assert "srproxy" not in there.programs("veth2")
    assert [entry["sid"] for entry in lone.show()] == ["fc00:a::a1"]
    lone.srconf("flush")


def test_a_return_interface_that_left_is_nobody_s_soon(lone: Namespace, there: Namespace, hook: str) -> None:
    """By tcx the program is still there, until a command is given in either namespace; what it does is nothing."""
    lone.srconf(*ADD)
    lone.ip(f"link set veth1 netns {there.name}")
    lone.srconf("add", "fc00:a::2", "end.dx4", "ip", "192.168.1.2", "veth0")
    there.ip("link set veth1 up\naddr add 192.168.9.1/24 dev veth1")
    lone.ip("link set far1 up\naddr add 192.168.9.2/24 dev far1")
    lone.run("ping", "-c", "2", "-i", "0.2", "-W", "2", "192.168.9.1")
    assert lone.counters() == {}
    lone.srconf("flush")
    lone.run("ping", "-c", "1", "-W", "2", "192.168.9.1")


def test_flush_leaves_a_stray_nothing_to_serve(lone: Namespace, there: Namespace, monkeypatch: Any) -> None:
    monkeypatch.setenv("SRCONF_HOOK", "tcx")
    lone.srconf(*ADD)
    lone.ip(f"link set veth1 netns {there.name}")
    lone.srconf("flush")
    with there.entered():
        (stray,) = link._strays()
        maps = bpf.program_maps(bpf.program(stray.program_id))
        assert list(maps[state.SIDS].keys(state.SIDS_MAX)) == []


def test_an_add_that_mends_keeps_the_counters(idle: Chain) -> None:
    node = idle.server1
    node.srconf(*ADD)
    idle.hosta.run("ping", "-c", "3", "-i", "0.2", "-W", "2", "10.0.1.1")
    before = node.counters()
    with node.entered():
        table = find()
        assert table and before
        (way,) = table.maps[state.RETURNS].keys(state.SIDS_MAX)
        table.maps[state.RETURNS].remove(way)
    assert "OK" in node.srconf(*ADD).stdout
    assert node.counters() == before
    node.srconf("flush")


def test_a_program_of_somebody_else_with_our_name_stays(lone: Namespace) -> None:
    number = index(lone, "veth0")
    with lone.entered():
        tcx.attach(number, program := another(PASS, b"srproxy"))
    before = lone.state()
    lone.srconf(*ADD)
    lone.srconf("flush")
    assert lone.state() == before
    with lone.entered():
        tcx.detach(number, program)


def test_an_interface_full_of_programs_says_so(lone: Namespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRCONF_HOOK", "tcx")
    before, number = lone.state(), index(lone, "veth2")
    others = []
    with lone.entered(), contextlib.suppress(ToolError):
        while True:
            others.append(another(PASS))
            tcx.attach(number, others[-1])
    done = lone.srconf(*ADD, check=False)
    assert (done.returncode, f"interface {number} has as many tcx programs" in done.stderr) == (1, True)
    with lone.entered():
        for program in others[:-1]:
            tcx.detach(number, program)
    assert lone.state() == before


@pytest.mark.parametrize("asked", ["tc", "", "TCX"])
def test_a_hook_that_is_none(lone: Namespace, monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    monkeypatch.setenv("SRCONF_HOOK", asked)
    done = lone.srconf(*ADD, check=False)
    assert (done.returncode, done.stderr) == (
        1,
        f"SREXT answers: [ERROR]: SRCONF_HOOK is clsact or tcx, and not {asked!r}\n",
    )


def test_tcx_is_refused_where_the_kernel_has_none(lone: Namespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRCONF_HOOK", "tcx")
    monkeypatch.setattr(tcx, "programs", lambda index: None)
    before, done = lone.state(), lone.srconf(*ADD, check=False)
    assert (done.returncode, "Linux 6.6" in done.stderr) == (1, True)
    assert lone.state() == before


def test_what_is_attached_decides_for_what_comes_later(
    lone: Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SRCONF_HOOK", "tcx")
    lone.srconf(*ADD)
    monkeypatch.setenv("SRCONF_HOOK", "clsact")
    lone.ip("link add late type veth peer name later")
    lone.srconf(*ADD)
    assert "bpf tcx late srproxy" in lone.programs("late")


@pytest.mark.parametrize("word", ["del", "flush"])
def test_watch_ends_with_the_last_sid_though_its_route_is_gone(lone: Namespace, hook: str, word: str) -> None:
    lone.srconf(*ADD)
    lone.ip("link add it type veth peer name its")
    watch = lone.start(sys.executable, str(SRCONF), "localsid", "watch")
    try:
        served(lone, "it")
        lone.ip("link set veth0 down")
        lone.srconf(*(("del", "fc00:a::a1") if word == "del" else ("flush",)))
        assert watch.communicate(timeout=20)[1] == ""
    finally:
        watch.kill()
        watch.communicate()


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
