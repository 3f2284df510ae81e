"""The agent in a headend of real namespaces: what it installs, how fast it fails over, what it leaves."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from fractions import Fraction
from math import sqrt
from pathlib import Path
from typing import Any

import pytest

from srv6lab.judge.compare.binomial import likely
from tests.agent.given import BSID, OVER_LINK, E, M, N, candidate, config, policy, steer
from tests.agent.network import Network, network
from tests.conftest import need_root

PREFIX = "10.0.2.0/24"
OVER_M, OVER_N = "segs 2 [ fc00:2::a fc00:4::d4 ]", "segs 2 [ fc00:3::a fc00:4::d4 ]"
TWO = policy(10, candidate(200, ([M], 1), binding_sid=BSID), candidate(100, ([N], 1), binding_sid=BSID))


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Network]:
    need_root()
    with network(tmp_path) as made:
        yield made


def chosen_by(net: Network) -> str:
    return str(net.state["policies"][0]["chosen_by"])


def test_the_other_path_takes_over_within_a_second(net: Network) -> None:
    """A link that the headend doesn't see fails; its own fails; both come back."""
    agent = net.agent(config(TWO))
    net.becomes(lambda: OVER_M in net.route(PREFIX))
    net.becomes(lambda: f"action End.B6.Encaps segs 1 [ {M} ] via 2001:12::2 dev e1" in net.route(BSID))
    assert net.reaches()

    ping = net.popen(
        "s", "ping", "-i", "0.01", "-c", "400", "-W", "1", "-q", "10.0.2.1", stdout=subprocess.PIPE
    )
    time.sleep(0.5)
    net.ip("m", "link", "set", "e2", "down")
    net.becomes(lambda: OVER_N in net.route(PREFIX))
    said = ping.communicate(timeout=60)[0]
    sent, received = map(int, re.findall(r"(\d+) (?:packets transmitted|received)", said))
    assert 0 < sent - received < 100, said  # a second of probes
    net.becomes(lambda: f"segs 1 [ {N} ]" in net.route(BSID))
    assert chosen_by(net) == "the only valid candidate path"
    assert "probe" in net.state["policies"][0]["candidate_paths"][0]["segment_lists"][0]["faults"][0]

    net.ip("m", "link", "set", "e2", "up")
    net.ip("m", "route", "replace", "fc00:4::/64", "via", "2001:24::4")
    net.becomes(lambda: OVER_M in net.route(PREFIX))
    net.ip("h", "link", "set", "e1", "down")
    net.becomes(lambda: OVER_N in net.route(PREFIX))
    assert net.reaches()
    net.ip("h", "link", "set", "e1", "up")
    net.ip("h", "route", "replace", "fc00:2::/64", "via", "2001:12::2")
    net.becomes(lambda: OVER_M in net.route(PREFIX))
    lines = net.stop(agent).splitlines()
    assert [line.split(": ")[-1] for line in lines] == [
        "the highest preference",
        "the only valid candidate path",
        "the highest preference",
        "the only valid candidate path",
        "the highest preference",
    ]


def test_a_link_of_its_own_is_told_and_not_probed(net: Network) -> None:
    """A list that begins with the headend's own End.X: no probe goes over it, so a second between probes is
    no hindrance."""
    over, backup = candidate(200, ([OVER_LINK, E], 1)), candidate(100, ([N], 1))
    agent = net.agent(config(policy(10, over, backup), interval=1.0))
    net.becomes(lambda: "segs 3 [ fc00:1::2 fc00:4::a fc00:4::d4 ]" in net.route(PREFIX))
    assert net.reaches()
    net.ip("m", "link", "set", "e1", "down")
    assert net.becomes(lambda: OVER_N in net.route(PREFIX)) < 0.9
    assert "no path to the first SID fc00:1::2" in str(net.state["policies"][0]["candidate_paths"][0])
    net.ip("m", "link", "set", "e1", "up")
    assert net.becomes(lambda: "segs 3" in net.route(PREFIX)) < 0.9
    net.stop(agent)


def test_killed_it_leaves_its_routes_and_started_again_it_elects(net: Network) -> None:
    paths = candidate(100, ([M], 1), discriminator=7), candidate(100, ([N], 1), discriminator=9)
    keeping = policy(10, *paths, keep_installed=True)
    net.ip("n", "link", "set", "e2", "down")
    first = net.agent(config(keeping))
    net.becomes(lambda: OVER_M in net.route(PREFIX))
    net.stop(first, signal.SIGKILL)
    net.ip("n", "link", "set", "e2", "up")
    net.ip("n", "route", "replace", "fc00:4::/64", "via", "2001:34::4")
    assert OVER_M in net.route(PREFIX) and net.reaches()

    net.ip("h", "route", "del", PREFIX)
    second = net.agent(config(keeping))
    net.becomes(lambda: OVER_M in net.route(PREFIX))
    net.becomes(lambda: chosen_by(net) == "the installed path, which is kept as configured")
    net.stop(second)
    forgetful = {**keeping, "keep_installed": False}
    third = net.agent(config(forgetful))
    net.becomes(lambda: OVER_N in net.route(PREFIX))
    assert chosen_by(net) == "the highest discriminator"

    none = net.agent(config(forgetful))
    assert none.wait(timeout=20) == 3 and "another agent keeps" in (none.stderr.read() if none.stderr else "")
    net.stop(third)


def test_told_to_begin_anew_it_elects_as_if_nothing_had_been_installed(net: Network) -> None:
    paths = candidate(100, ([M], 1), discriminator=7), candidate(100, ([N], 1), discriminator=9)
    net.ip("n", "link", "set", "e2", "down")
    agent = net.agent(config(policy(10, *paths, keep_installed=True)))
    net.becomes(lambda: OVER_M in net.route(PREFIX))
    net.ip("n", "link", "set", "e2", "up")
    net.ip("n", "route", "replace", "fc00:4::/64", "via", "2001:34::4")
    net.becomes(lambda: chosen_by(net) == "the installed path, which is kept as configured")
    agent.send_signal(signal.SIGUSR1)
    net.becomes(lambda: OVER_N in net.route(PREFIX))
    assert chosen_by(net) == "the highest discriminator"
    net.stop(agent)


@pytest.mark.parametrize("drop", [False, True])
def test_a_policy_without_a_path_drops_or_leaves_it_to_the_other_routes(net: Network, drop: bool) -> None:
    only = policy(10, candidate(100, ([M], 1), binding_sid=BSID), drop_upon_invalid=drop)
    otherwise = ["encap", "seg6", "mode", "encap", "segs", "fc00:4::d4", "dev", "e2"]
    agent = net.agent(config(only, steering=[steer(10, otherwise=otherwise)]))
    net.becomes(lambda: OVER_M in net.route(PREFIX))
    net.ip("m", "link", "set", "e1", "down")
    net.becomes(lambda: OVER_M not in net.route(PREFIX))
    net.becomes(lambda: ("blackhole" in net.route(BSID)) if drop else not net.route(BSID))
    if drop:
        assert net.route(PREFIX) == f"blackhole {PREFIX}"
    else:
        assert "segs 1 [ fc00:4::d4 ] dev e2" in net.route(PREFIX)
    assert net.reaches() is not drop
    net.stop(agent)


def test_the_next_color_when_the_highest_fails_and_no_route_when_all_do(net: Network) -> None:
    both = policy(10, candidate(100, ([M], 1))), policy(20, candidate(100, ([N], 1)))
    agent = net.agent(config(*both, steering=[steer(10, 20), steer(20, prefix="10.0.2.0/24", table=100)]))
    net.becomes(lambda: OVER_N in net.route(PREFIX))
    net.becomes(lambda: OVER_N in net.ip("h", "route", "show", "table", "100", check=False))
    net.ip("n", "link", "set", "e2", "down")
    net.becomes(lambda: OVER_M in net.route(PREFIX))
    net.becomes(lambda: not net.ip("h", "route", "show", "table", "100", check=False).strip())
    net.ip("m", "link", "set", "e2", "down")
    net.becomes(lambda: not net.route(PREFIX))
    net.stop(agent)


def sent(net: Network) -> dict[str, int]:
    """How many packets the headend has sent by each of its NICs towards the endpoint."""
    files = {nic: f"/sys/class/net/{nic}/statistics/tx_packets" for nic in ("e1", "e2", "e3")}
    return dict(zip(files, map(int, net.sh("h", f"cat {' '.join(files.values())}").split()), strict=True))


def send(net: Network, port: int, tos: int = 0, count: int = 50, flows: int = 1) -> dict[str, int]:
    """UDP packets to a port, of so many flows; how many of them left the headend by which NIC, its agent at
    rest. A few packets of neighbor discovery are among them."""
    before = sent(net)
    program = f"""
from socket import AF_INET, IP_TOS, IPPROTO_IP, SOCK_DGRAM, socket
for source in range(20000, 20000 + {flows}):
    with socket(AF_INET, SOCK_DGRAM) as made:
        made.setsockopt(IPPROTO_IP, IP_TOS, {tos})
        made.bind(("", source))
        for _ in range({count}):
            made.sendto(b"x", ("10.0.2.1", {port}))
"""
    sender = net.popen("s", "python3", "-c", program)
    assert sender.wait(timeout=60) == 0
    time.sleep(0.2)
    after = sent(net)
    return {nic: after[nic] - before[nic] for nic in before}


def test_flows_go_by_their_forwarding_class(net: Network) -> None:
    """Class 1 by DSCP over m, class 2 by a port over n, the rest as without a policy; and when n fails, its
    class too."""
    both = policy(10, candidate(100, ([M], 1))), policy(20, candidate(100, ([N], 1)))
    array = {"prefix": PREFIX, "endpoint": "fc00:4::1", "sid": "fc00:4::d4", "classes": {"1": 10, "2": 20}}
    matches = [
        {"class": 1, "dscp": 46},
        {"class": 2, "protocol": "udp", "port": 5001},
        {"class": 2, "dscp": 46},
    ]
    given = config(*both, steering=[], arrays=[array], flows=matches)
    net.ip("h", "route", "add", "fc00:4::d4", "via", "2001:14::4")
    net.ip("h", "route", "add", PREFIX, "encap", "seg6", "mode", "encap", "segs", "fc00:4::d4", "dev", "e3")

    agent = net.agent(given)
    net.becomes(lambda: "lookup 902" in net.ip("h", "-6", "rule", "show"))
    net.stop(agent)
    for port, dscp, nic in ((9, 46, "e1"), (5001, 0, "e2"), (5001, 46, "e1"), (9, 0, "e3"), (5002, 10, "e3")):
        assert send(net, port, dscp << 2)[nic] >= 50

    net.ip("n", "link", "set", "e2", "down")
    agent = net.agent(given)
    net.becomes(lambda: OVER_N not in net.ip("h", "route", "show", "table", "902", check=False))
    assert "lookup 902" in net.ip("h", "rule", "show")  # and finds nothing, so the main table is next
    net.ip("m", "link", "set", "e2", "down")
    net.becomes(lambda: "lookup 901" not in net.ip("h", "rule", "show"))  # the array is bypassed
    net.stop(agent)
    assert send(net, 9, 46 << 2)["e3"] >= 50
    assert send(net, 5001)["e3"] >= 50


def fits(counted: tuple[int, int], share: float) -> bool:
    """Whether a split is likely at a level of 1e-4; a few packets of neighbor discovery among them."""
    count = sum(counted)
    return abs(counted[0] - share * count) <= 3.89 * sqrt(count * share * (1 - share)) + 4


@pytest.mark.parametrize(("weights", "share"), [((3, 1), 0.75), ((9000, 1000), 0.9), ((1, 1), 0.5)])
def test_flows_are_shared_by_the_weights(net: Network, weights: tuple[int, int], share: float) -> None:
    agent = net.agent(config(policy(10, candidate(100, ([M, E], weights[0]), ([N, E], weights[1])))))
    net.becomes(lambda: "weight" in net.route(PREFIX))
    net.stop(agent)
    by_nic = send(net, 9, count=1, flows=4000)
    counted = by_nic["e1"], by_nic["e2"]
    assert fits(counted, share), counted
    assert not any(fits(counted, other) for other in {0.75, 0.9, 0.5} - {share}), counted


# Three lists tell themselves apart at the endpoint: by the NIC that they come in by and the segment that is next.
LISTS = {"e1 fc00:4::a": [M, E], "e1 fc00:4::d4": [M], "e2 fc00:4::a": [N, E]}


def arrived(net: Network, count: bool = True) -> dict[str, int]:
    """Packets by list that have come to the endpoint; without `count`, begin to count."""
    if not count:
        rules = "".join(
            f"iifname {nic} ip6 daddr {sid} counter\n" for nic, sid in (one.split() for one in LISTS)
        )
        table = f"table ip6 seen {{ chain seen {{ type filter hook prerouting priority 0;\n{rules}}}\n}}"
        net.sh("e", f"nft -f - <<EOF\n{table}\nEOF")
    said = net.sh("e", "nft list table ip6 seen")
    found = re.findall(r'iifname "(\w+)" ip6 daddr (\S+) counter packets (\d+)', said)
    return {f"{nic} {sid}": int(packets) for nic, sid, packets in found}


def _weights() -> Iterator[Any]:
    """All at 4,000 flows: two lists over one link, three over two. `make test` has one of each."""
    for lists in (2, 3):
        for first in (1, 3, 9):
            marks = [] if first == 3 else [pytest.mark.prove]
            yield pytest.param((first, *[1] * (lists - 1)), marks=marks)


@pytest.mark.parametrize("weights", list(_weights()))
def test_lists_over_one_link_share_flows_by_their_weights(net: Network, weights: tuple[int, ...]) -> None:
    lists = [(segments, weight) for segments, weight in zip(LISTS.values(), weights, strict=False)]
    agent = net.agent(config(policy(10, candidate(100, *lists))))
    net.becomes(lambda: net.route(PREFIX).count("nexthop") == len(weights))
    net.stop(agent)
    arrived(net, count=False)
    send(net, 9, count=1, flows=4000)
    counted = arrived(net)
    assert sum(counted.values()) == 4000
    for name, weight in zip(LISTS, weights, strict=False):
        assert likely(counted[name], 4000, Fraction(weight, sum(weights))), counted
        if len(set(weights)) > 1:
            assert not likely(counted[name], 4000, Fraction(1, len(weights))), counted


def test_a_hangup_installs_again_what_was_taken_away(net: Network) -> None:
    agent = net.agent(config(TWO))
    net.becomes(lambda: OVER_M in net.route(PREFIX) and "End.B6.Encaps" in net.route(BSID))
    net.ip("h", "route", "del", PREFIX)
    net.ip("h", "-6", "route", "del", BSID)
    agent.send_signal(signal.SIGHUP)
    net.becomes(lambda: OVER_M in net.route(PREFIX) and "End.B6.Encaps" in net.route(BSID))
    net.stop(agent)


def test_a_wrong_configuration_ends_it(net: Network) -> None:
    agent = net.agent({**config(TWO), "interval": 0})
    assert agent.wait(timeout=20) == 2
    assert agent.stderr and "`interval` is above 0 seconds" in agent.stderr.read()


def test_what_it_can_not_do_ends_it_or_is_tried_again(net: Network) -> None:
    agent = net.agent({**config(TWO), "address": "fc00:1::99"})
    assert agent.wait(timeout=20) == 3
    assert agent.stderr and agent.stderr.read().startswith("h at fc00:1::99: ")

    late = net.agent(
        config(TWO, steering=[steer(10), steer(30, prefix="10.0.9.0/24", otherwise=["dev", "late"])])
    )
    missing = 'Cannot find device "late"'
    assert net.says(late, missing).count(missing) == 1
    net.ip("h", "link", "add", "late", "type", "veth", "peer", "name", "later")
    net.ip("h", "link", "set", "late", "up")
    net.becomes(lambda: "dev late" in net.route("10.0.9.0/24"))
    assert missing not in net.stop(late)


def test_ipv6_is_steered_over_two_lists(net: Network) -> None:
    """Linux takes several next hops of IPv6 only with gateways."""
    agent = net.agent(
        config(
            policy(10, candidate(100, ([M, E], 3), ([N, E], 1))),
            steering=[steer(10, prefix="2001:db8:2::/64", sid="fc00:4::d6")],
        )
    )
    net.ip(
        "e",
        "route",
        "add",
        "fc00:4::d6",
        *["encap", "seg6local", "action", "End.DX6", "nh6", "2001:db8:2::1", "dev", "e0"],
    )
    net.becomes(lambda: "weight 3" in net.route("2001:db8:2::/64"))
    net.ip(
        "e",
        "route",
        "add",
        "2001:db8:1::/64",
        *["encap", "seg6", "mode", "encap", "segs", "fc00:1::d6", "dev", "e0"],
    )
    net.ip(
        "h",
        "route",
        "add",
        "fc00:1::d6",
        *["encap", "seg6local", "action", "End.DX6", "nh6", "2001:db8:1::1", "dev", "e0"],
    )
    done = net.popen("s", "ping", "-c", "3", "-i", "0.05", "-q", "2001:db8:2::1", stdout=-3)
    assert done.wait() == 0
    net.stop(agent)
