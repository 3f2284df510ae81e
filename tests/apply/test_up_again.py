"""`up` of a lab whose file was edited, on real nodes: afterwards each is as one that was built from the new file, and what
the edit doesn't touch has not noticed."""

from __future__ import annotations

import random
import re
import shlex
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from srv6lab.errors import NodeError, UsageError
from srv6lab.evidence.drift import Difference
from srv6lab.live import snapshot
from srv6lab.live.instance import Reference
from srv6lab.live.lifecycle import destroy, refuse_stale
from srv6lab.plan.nodes import Plan
from srv6lab.providers.netns import Data
from srv6lab.providers.state import Home
from tests.apply.edits import edits, planned, without_exercises
from tests.conftest import LABS, SITE, Up, bring, need_root
from tests.small import SMALL
from tests.small import planned as small

BEGUN = SMALL.partition("exercises:")[0]
# A host and a LAN more, another address, MTU, route and SID; one router less a policy.
EDITED = (
    BEGUN.replace("nodes:\n", "nodes:\n  new: {role: host, routes: [{prefix: 10.0.1.0/24, via: 10.0.9.3}]}\n  other: {role: host}\n")
    .replace('loopback: "fc00:b::1/64"', 'loopback: ["fc00:b::2/64", "fc00:b::1/64"]')
    .replace("prefix: 10.0.2.0/24, endpoints", "prefix: 10.0.2.0/24, mtu: 1400, endpoints")
    .replace('sid: "fc00:b::e", behavior: End}', 'sid: "fc00:b::e", behavior: End}\n  - {node: exit, sid: "fc00:b::6", behavior: End.DT6, table: 254}')
    .replace('routes: [{prefix: 10.0.2.0/24, via: 10.0.1.2}]', 'routes: [{prefix: 10.0.0.0/16, via: 10.0.1.2}]')
    .replace("  - {headend: exit, match: {prefix: 10.0.1.0/24}", "  - {headend: exit, match: {prefix: 10.0.9.0/24}")
    .replace("local_sids:", '  - {name: lan, prefix: 10.0.9.0/24, endpoints: ["new:eth1", "other:eth1", "gate:eth9"]}\nlocal_sids:')
)  # fmt: skip
REFUSED = BEGUN.replace("gate: {role: router,", "gate: {role: router, sysctls: {net.ipv4.nothing: 1},")


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[[Plan, str], Up]]:
    """Brings a plan up under one of two names; both are taken away."""
    need_root()
    own = uuid.uuid4().hex[:8]
    homes: dict[str, Home] = {}

    def one(plan: Plan, name: str) -> Up:
        homes[name] = SITE.home(Reference(tmp_path, plan.name), f"test-{own}-{name}")
        return bring(homes[name], plan, Reference(tmp_path / "topology.yml", plan.name))

    yield one
    for home in homes.values():
        destroy(home, purge=True)


def as_new(begin: Callable[[Plan, str], Up], edited: Up) -> list[Difference]:
    """What of an edited lab differs from one that is built from its file; that one is gone afterwards."""
    fresh = begin(edited.plan, "new")
    told = [
        {node: snapshot.read(_settled(text)) for node, text in snapshot.ask(one, one.nodes()).items()}
        for one in (fresh.running, edited.running)
    ]
    destroy(fresh.running.home, purge=True)
    assert told[0].keys() == told[1].keys()
    assert snapshot.differences(edited.running) == (), "what is kept is what Day0 left"
    return [one for node in told[0] for one in snapshot.compare(node, told[0][node], told[1][node])]


def _settled(answer: str) -> str:
    """Without MACs, since those of Day0's own devices are others each time, and what Linux makes of them; next hops that
    share a route are in the order in which FRR heard of them."""
    answer = re.sub(r"(?m)^.*\bfe80::\S*ff:fe.*$|(?<=link/ether )\S+", "", answer)
    return re.sub(r"(?m)^.*\\\tnexthop .*$", lambda line: "\\".join(sorted(line[0].split("\\"))), answer)


def test_an_edited_lab_is_as_a_new_one_and_the_rest_has_not_noticed(begin: Callable[[Plan, str], Up]) -> None:
    first = begin(small(BEGUN), "edited")
    first.sh("west", "ping -c 1 -w 5 10.0.2.1")
    before = Data.of(first.running.state)
    edited = begin(small(EDITED), "edited")
    after = Data.of(edited.running.state)
    assert before.nodes.items() <= after.nodes.items() and before.tracers.items() <= after.tracers.items()
    assert as_new(begin, edited) == []
    edited.sh("gate", "ping -c 1 -w 5 10.0.9.1; ping -c 1 -w 5 10.0.9.2")
    edited.sh("west", "ping -c 1 -w 5 10.0.9.1", timeout=20)
    for one in edited.running.captures(None, edited.running.home.path / "collected"):
        assert one.state == "live" and one.captured, f"{one.point}: the packets from before are there still"
    back = begin(small(BEGUN), "edited")
    assert Data.of(back.running.state).nodes == before.nodes
    assert as_new(begin, back) == []


def test_what_stopped_half_way_is_refused_and_finished(begin: Callable[[Plan, str], Up]) -> None:
    first = begin(small(BEGUN), "edited")
    with pytest.raises(NodeError, match=r"has no setting net\.ipv4\.nothing(?s:.*)is half changed"):
        begin(small(REFUSED), "edited")
    with pytest.raises(UsageError, match="is half changed"):
        refuse_stale(first.running, first.plan)
    again = begin(small(BEGUN), "edited")
    assert as_new(begin, again) == []
    again.sh("west", "ping -c 1 -w 5 10.0.2.1")


# Every 10 ms on each NIC of the node that has a link-local address, as FRR does it every 10 s and whenever it is asked.
ADVERTISES = r"""
import socket, struct, time
prefix = struct.pack("!BBBBIII", 3, 4, 64, 0xC0, 86400, 86400, 0) + socket.inet_pton(socket.AF_INET6, "2001:db8:5::")
advertisement = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + prefix
sender = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
while True:
    for number, name in socket.if_nameindex():
        try:
            sender.sendto(advertisement, ("ff02::1", 0, 0, number))
        except OSError:
            pass  # one that is being laid
    time.sleep(0.01)
"""
DYNAMIC = "ip -6 -oneline address show dynamic; ip -6 route show proto ra"


def test_what_a_neighbor_advertises_gives_no_node_an_address(begin: Callable[[Plan, str], Up]) -> None:
    lab = begin(small(BEGUN), "edited")
    lab.sh(
        "gate", f"python3 -c {shlex.quote(ADVERTISES)} >/dev/null 2>&1 </dev/null & echo $! >/run/advertises"
    )
    edited = begin(
        small(BEGUN.replace("exit: {role: router,", "exit: {role: router, commands: ['true'],")), "edited"
    )
    assert edited.sh("gate", 'kill -0 "$(</run/advertises)"; ip -6 -brief address show dev eth2') != ""
    assert edited.sh("exit", DYNAMIC) == "" == edited.sh("west", DYNAMIC)
    taken = "echo 1 >/proc/sys/net/ipv6/conf/eth1/accept_ra; until ip -6 route show proto ra | grep .; do sleep 0.1; done"
    assert "default via fe80:" in edited.sh("west", taken, timeout=20), "whoever listens hears it"


@pytest.mark.prove
@pytest.mark.parametrize("name", LABS)
def test_every_edit_of_every_lab(name: str, begin: Callable[[Plan, str], Up], tmp_path: Path) -> None:
    source = SITE.refer(name).path
    beside = Path(shutil.copytree(source.parent, tmp_path / "lab"))
    data = without_exercises(source)
    plan = planned(data, beside)
    assert plan
    begin(plan, "edited")
    todo = [*edits(data)]
    random.Random(name).shuffle(todo)
    wrong = {}
    for what, changed in todo:
        if other := planned(changed, beside):
            if found := as_new(begin, begin(other, "edited")):
                wrong[what] = found
            begin(plan, "edited")
    assert wrong == {}
    assert as_new(begin, begin(plan, "edited")) == []
