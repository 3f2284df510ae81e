"""Each rule of BGP's simulation by itself, in labs of a few routers; what FRR says of whole labs is in test_bgp_frr.py."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, ip_address, ip_network
from itertools import pairwise
from typing import Any

import pytest

from srv6lab.errors import TopologyError
from srv6lab.plan.converged import converged, expected_routes
from srv6lab.plan.converged.bgp.best import select
from srv6lab.plan.converged.bgp.tables import Bgp, Unsettled
from srv6lab.plan.converged.bgp.values import BgpRoute, Session, Speaker
from srv6lab.plan.converged.rib import Rib, RibRoute
from tests.bgp_labs import routers
from tests.small import planned

BLACKHOLE = {
    "routes": [{"prefix": "10.7.0.0/16", "type": "blackhole"}, {"prefix": "fd07::/16", "type": "blackhole"}]
}
OWN = {"networks": ["10.7.0.0/16", "fd07::/16"], "node": BLACKHOLE}


def best(text: str, node: str, prefix: str = "fd07::/16") -> BgpRoute | None:
    family = "ipv6" if ":" in prefix else "ipv4"
    table = converged(planned(text)).tables[Speaker(node)].get(family, {})
    return next((paths[0] for key, paths in table.items() if str(key.prefix) == prefix), None)


def ways(text: str, node: str, prefix: str = "fd07::/16") -> list[tuple[str, str]]:
    found = expected_routes(planned(text))[node].routes
    return [(str(one.via), one.nic) for one in found if str(one.prefix) == prefix]


def chain(**of_b: Any) -> str:
    """a – b – c in one AS, over IS-IS; a has a network."""
    nodes = {
        "a": {"as_": 1, **OWN, "neighbors": {"b": {}}},
        "b": {"as_": 1, "neighbors": {"a": of_b, "c": {}}},
        "c": {"as_": 1, "neighbors": {"b": {}}},
    }
    return routers(["a b", "b c"], nodes, isis=["a b", "b c"])


def test_what_comes_by_ibgp_is_not_passed_on_by_ibgp() -> None:
    assert best(chain(), "b") and best(chain(), "c") is None


def test_a_reflector_passes_on_what_its_client_tells() -> None:
    route = best(chain(reflector_client=True), "c")
    assert route
    assert (str(route.next_hop), route.originator, route.clusters) == (
        "fd00::1",
        IPv4Address("10.0.0.1"),
        (IPv4Address("10.0.0.2"),),
    )
    assert ways(chain(reflector_client=True), "c") == [("2001:db8:2::1", "eth1")]


def test_a_client_does_not_get_back_what_it_told() -> None:
    """Its own route would come back over a second reflector: it knows it by the originator (RFC 4456 section 8)."""
    nodes = {
        "a": {"as_": 1, **OWN, "neighbors": {"b": {}, "c": {}}},
        "b": {"as_": 1, "neighbors": {"a": {"reflector_client": True}, "c": {}}},
        "c": {"as_": 1, "neighbors": {"a": {"reflector_client": True}, "b": {}}},
    }
    text = routers(["a b", "b c", "a c"], nodes, isis=["a b", "b c", "a c"])
    table = converged(planned(text)).tables[Speaker("a")]["ipv6"]
    assert [len(paths) for paths in table.values()] == [1] and best(text, "c")


def line(*numbers: int, **keys: Any) -> str:
    """Routers in a row, each in the AS that is said, with eBGP or iBGP over the links; the first has a network."""
    names = "abcdefgh"[: len(numbers)]
    nodes: dict[str, Any] = {}
    for index, name in enumerate(names):
        near = [names[other] for other in (index - 1, index + 1) if 0 <= other < len(names)]
        nodes[name] = {"as_": numbers[index], "neighbors": {one: {"via": "link"} for one in near}}
    nodes["a"] |= OWN
    for name, said in keys.items():
        nodes[name]["neighbors"] = {
            one: {"via": "link"} | said.get(one, {}) for one in nodes[name]["neighbors"]
        }
    return routers([f"{one} {other}" for one, other in pairwise(names)], nodes)


def test_by_ebgp_the_next_hop_is_the_neighbor_and_the_path_grows() -> None:
    route = best(line(1, 2, 3), "c")
    assert route
    assert (str(route.next_hop), route.as_path) == ("2001:db8:2::1", (2, 1))


def test_a_route_does_not_come_back_to_an_as_that_it_passed() -> None:
    assert best(line(1, 2, 1), "c") is None
    assert best(line(1, 2, 3), "c")


def test_by_ibgp_the_next_hop_stays_and_has_to_be_reached() -> None:
    """c has no route to a's link; with `next_hop_self` b says its own address."""
    assert best(line(1, 2, 2), "c") is None
    route = best(line(1, 2, 2, b={"c": {"next_hop_self": True}}), "c")
    assert route and str(route.next_hop) == "2001:db8:2::1"


def test_a_network_is_announced_only_while_there_is_such_a_route() -> None:
    text = line(1, 2).replace("prefix: 10.7.0.0/16", "prefix: 10.7.0.0/17")
    assert best(text, "b", "10.7.0.0/16") is None
    assert best(line(1, 2), "b", "10.7.0.0/16")


@pytest.mark.parametrize(
    ("source", "prefix", "med"),
    [("connected", "fd00::1/128", 0), ("static", "fd07::/16", 0), ("isis", "fd00::3/128", 20)],
)
def test_what_is_redistributed_is_incomplete_and_its_metric_a_med(source: str, prefix: str, med: int) -> None:
    nodes = {
        "a": {"as_": 1, "redistribute": [source], "node": BLACKHOLE, "neighbors": {"b": {}}},
        "b": {"as_": 2, "neighbors": {"a": {}, "c": {}}},
        "c": {"as_": 3, "neighbors": {"b": {}}},
    }
    text = routers(["a b", "b c", "a c"], nodes, isis=["a c"])
    route = best(text, "b", prefix)
    assert route and (route.origin, route.med, route.as_path) == ("incomplete", med, (1,))
    other = next(one for one in ("connected", "static", "isis") if one != source)
    assert best(text.replace(f"- {source}", f"- {other}"), "b", prefix) is None


def test_an_address_of_its_own_is_believed_of_nobody() -> None:
    """a redistributes IS-IS, where c's loopback is: b hears of it, and so does c, which has it."""
    nodes = {
        "a": {"as_": 1, "redistribute": ["isis"], "neighbors": {"b": {}, "c": {"via": "link"}}},
        "b": {"as_": 2, "neighbors": {"a": {}}},
        "c": {"as_": 3, "neighbors": {"a": {"via": "link"}}},
    }
    text = routers(["a b", "a c"], nodes, isis=["a c"])
    assert best(text, "b", "fd00::3/128") and best(text, "c", "fd00::3/128") is None


def test_ipv4_has_ipv6_next_hops_over_an_ipv6_session() -> None:
    route = best(line(1, 2), "b", "10.7.0.0/16")
    assert route and str(route.next_hop) == "2001:db8:1::1"
    assert ways(line(1, 2), "b", "10.7.0.0/16") == [("2001:db8:1::1", "eth1")]


def test_a_session_that_speaks_ipv4_alone_is_over_ipv4() -> None:
    text = line(1, 2, a={"b": {"families": ["ipv4"]}}, b={"a": {"families": ["ipv4"]}})
    route = best(text, "b", "10.7.0.0/16")
    assert route and str(route.next_hop) == "10.1.1.1"
    assert best(text, "b") is None


def test_a_session_of_loopbacks_is_over_ipv4_where_ipv6_has_none() -> None:
    def node(number: int, other: int) -> dict[str, Any]:
        way = {"prefix": f"10.0.0.{other}/32", "via": f"10.1.1.{other}"}
        routes = [way, {"prefix": "10.7.0.0/16", "type": "blackhole"}]
        return {"loopback": f"10.0.0.{number}/32", "routes": routes}

    of = {"via": "loopback", "families": ["ipv4"]}
    nodes = {
        "a": {"as_": 1, "networks": ["10.7.0.0/16"], "node": node(1, 2), "neighbors": {"b": of}},
        "b": {"as_": 2, "node": node(2, 1), "neighbors": {"a": of}},
    }
    text = routers(["a b"], nodes)
    route = best(text, "b", "10.7.0.0/16")
    assert route and str(route.next_hop) == "10.0.0.1"


def far_apart(multihop: int) -> str:
    """a and c with a session between loopbacks over b, which has no BGP with them but static routes."""
    of_a = [{"prefix": "fd00::3/128", "via": "2001:db8:1::2"}, *BLACKHOLE["routes"]]
    of_c = [{"prefix": "fd00::1/128", "via": "2001:db8:2::1"}]
    of_b = [
        {"prefix": "fd00::1/128", "via": "2001:db8:1::1"},
        {"prefix": "fd00::3/128", "via": "2001:db8:2::2"},
    ]
    nodes = {
        "a": {"as_": 1, **OWN, "node": {"routes": of_a}, "neighbors": {"c": {"multihop": multihop}}},
        "b": {"as_": 9, "node": {"routes": of_b}, "neighbors": {"d": {}}},
        "c": {"as_": 3, "node": {"routes": of_c}, "neighbors": {"a": {"multihop": multihop}}},
        "d": {"as_": 8, "neighbors": {"b": {}}},
    }
    return routers(["a b", "b c", "b d"], nodes)


def test_a_session_over_two_links_needs_as_many_hops_and_a_way_there_and_back() -> None:
    assert ways(far_apart(2), "c") == [("2001:db8:2::1", "eth1")]
    straight = far_apart(2).replace("multihop: 2", "via: loopback")
    with pytest.raises(TopologyError, match="fd00::3 is 2 links away from a, and the session may pass 1"):
        planned(straight)
    with pytest.raises(TopologyError, match="a has no route to fd00::3, so the session with c can't come up"):
        planned(
            far_apart(2).replace(
                "prefix: fd00::3/128\n      via: 2001:db8:1::2",
                "prefix: fd00::4/128\n      via: 2001:db8:1::2",
            )
        )
    with pytest.raises(TopologyError, match="c has no route to fd00::1, so the session with c can't come up"):
        planned(
            far_apart(2).replace(
                "prefix: fd00::1/128\n      via: 2001:db8:2::1",
                "prefix: fd00::2/128\n      via: 2001:db8:2::1",
            )
        )


def test_on_a_lan_the_next_hop_of_another_neighbor_there_is_passed_on() -> None:
    """RFC 4271 section 5.1.3: c sends to a itself, and not over b."""
    nodes = {
        "a": {"as_": 1, **OWN, "neighbors": {"b": {}}},
        "b": {"as_": 2, "neighbors": {"a": {}, "c": {}}},
        "c": {"as_": 3, "neighbors": {"b": {}}},
    }
    assert ways(routers(["a b c"], nodes), "c") == [("2001:db8:1::1", "eth1")]


def square(metrics: str = "") -> str:
    """a in the middle of two borders that both hear of x's network; all in one AS but x."""
    nodes = {
        "x": {"as_": 9, **OWN, "neighbors": {"b": {}, "c": {}}},
        "b": {"as_": 1, "neighbors": {"x": {}, "a": {"next_hop_self": True}}},
        "c": {"as_": 1, "neighbors": {"x": {}, "a": {"next_hop_self": True}}},
        "a": {"as_": 1, "neighbors": {"b": {"reflector_client": True}, "c": {"reflector_client": True}}},
    }
    links = ["x b", "x c", "a b", "a c"]
    text = routers(links, nodes, isis=["a b", "a c"])
    return text.replace("isis: {}", metrics, 1) if metrics else text


def test_routes_that_are_equal_up_to_the_metric_share_flows() -> None:
    assert ways(square(), "a") == [("2001:db8:3::2", "eth1"), ("2001:db8:4::2", "eth2")]


def test_the_nearer_border_is_taken() -> None:
    assert ways(square("isis: {metric: 11}"), "a") == [("2001:db8:4::2", "eth2")]


def test_ebgp_goes_before_ibgp() -> None:
    assert ways(square(), "b") == [("2001:db8:1::1", "eth1")]


def test_what_bgp_brings_is_handed_on_by_isis_and_back_by_bgp() -> None:
    """b hands x's network on into IS-IS; c, with no BGP to b, redistributes IS-IS to y."""
    nodes = {
        "x": {"as_": 9, **OWN, "neighbors": {"b": {}}},
        "b": {"as_": 1, "neighbors": {"x": {}}},
        "c": {"as_": 2, "redistribute": ["isis"], "neighbors": {"y": {}}},
        "y": {"as_": 3, "neighbors": {"c": {}}},
    }
    text = routers(["x b", "b c", "c y"], nodes, isis=["b c"], both=False)
    handing = text.replace(
        "      net: 49.0000.0000.0002.00\n", "      net: 49.0000.0000.0002.00\n      redistribute: [bgp]\n"
    )
    nets = ('"10.7.0.0/16"', "10.7.0.0/16")
    for net in nets:
        handing, text = handing.replace(f"- {net}\n", ""), text.replace(f"- {net}\n", "")
    assert ways(text, "y") == []
    assert ways(handing, "c") == [("2001:db8:2::1", "eth1")]
    route = best(handing, "y")
    assert route and (route.as_path, route.med) == ((2,), 10)


def sids(client: str = "") -> str:
    """a and c behind a reflector b that has no SID; x in another AS."""
    sid = {"sid": "auto", "node": {"locator": "fc00:0:1::/48", **BLACKHOLE}}
    nodes = {
        "a": {"as_": 1, **OWN, **sid, "neighbors": {"b": {"next_hop_self": True}, "x": {}}},
        "b": {"as_": 1, "neighbors": {"a": {"reflector_client": True}, "c": {"reflector_client": True}}},
        "c": {"as_": 1, "neighbors": {"b": {}}},
        "x": {"as_": 9, "neighbors": {"a": {}}},
    }
    return routers(["a b", "b c", "a x"], nodes, isis=["a b", "b c"])


@pytest.mark.parametrize(
    ("prefix", "sid"), [("fd07::/16", "fc00:0:1:f6::"), ("10.7.0.0/16", "fc00:0:1:f4::")]
)
def test_a_sid_is_told_inside_the_as_and_what_is_behind_it_goes_there(prefix: str, sid: str) -> None:
    route = best(sids(), "c", prefix)
    assert route and str(route.sid) == sid
    (way,) = (one for one in expected_routes(planned(sids()))["c"].routes if str(one.prefix) == prefix)
    assert ([str(one) for one in way.segments], way.mode) == ([sid], "encap.red")
    other = best(sids(), "x", prefix)
    assert other and other.sid is None
    withdrawn = converged(planned(sids()), {"a"}).tables[Speaker("c")]
    assert all(one.sid is None for table in withdrawn.values() for paths in table.values() for one in paths)


def test_speakers_that_never_agree_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("srv6lab.plan.converged.bgp.tables.ROUNDS", 1)
    with pytest.raises(TopologyError, match="BGP of this lab never comes to rest"):
        planned(chain())
    pushes = "external: ['fc00:9::/64']\nsteering: [{headend: a, match: {prefix: '2001:9::/64'}, to: {segments: ['fc00:9::1']}}]\n"
    with pytest.raises(TopologyError, match="BGP of this lab never comes to rest"):
        planned(chain() + pushes)
    monkeypatch.undo()
    plan = planned(chain())
    ribs = converged(plan).ribs
    monkeypatch.setattr("srv6lab.plan.converged.bgp.tables.ROUNDS", 1)
    with pytest.raises(Unsettled):
        Bgp(plan).settle(ribs)


# The decision process, step by step: each pair differs in one thing, and what comes first there wins.
def session(number: int, ebgp: bool = True, remote: str = "") -> Session:
    return Session(
        here=Speaker("a"),
        there=Speaker(f"n{number}"),
        local=ip_address("2001:db8::1"),
        remote=ip_address(remote or f"2001:db8::{number}"),
        as_here=1,
        as_there=number if ebgp else 1,
        router_id=IPv4Address(number),
        families=frozenset({"ipv6"}),
        own={},
    )


PREFIX = ip_network("fd07::/16")
ONE = BgpRoute(PREFIX, ip_address("2001:db8::7"), as_path=(5, 6), origin="egp", med=5, came=session(5))
OTHER = replace(ONE, next_hop=ip_address("2001:db8::8"), came=session(6), as_path=(6, 6))
SAME_AS = replace(OTHER, as_path=(5, 7))


@pytest.mark.parametrize(
    ("wins", "loses"),
    [
        (replace(OTHER, weight=1, local_pref=1), ONE),
        (replace(OTHER, local_pref=101, as_path=(6, 6, 6)), ONE),
        (BgpRoute(PREFIX, as_path=(7, 8, 9), source="network"), ONE),
        (replace(OTHER, as_path=(6,), origin="incomplete"), ONE),
        (replace(OTHER, origin="igp", med=9), ONE),
        (replace(SAME_AS, med=4, came=session(6, ebgp=False)), ONE),
        (ONE, replace(OTHER, med=4)),  # MEDs of two ASes aren't compared: the router id counts
        (replace(OTHER, med=9), replace(ONE, came=session(5, ebgp=False))),
        (replace(OTHER, next_hop=ip_address("2001:db8::1")), ONE),  # nearer, see below
        (replace(ONE, clusters=()), OTHER),
        (replace(OTHER, originator=IPv4Address(4)), ONE),
        (ONE, replace(ONE, clusters=(IPv4Address(9),), next_hop=ip_address("2001:db8::8"))),
        (ONE, replace(ONE, came=session(5, remote="2001:db8::99"), next_hop=ip_address("2001:db8::8"))),
    ],
    ids=["weight", "local-pref", "own", "path", "origin", "med", "med-of-two", "ebgp", "metric", "id", "originator", "clusters", "address"],
)  # fmt: skip
def test_which_of_two_routes_is_selected(wins: BgpRoute, loses: BgpRoute) -> None:
    def metric(route: BgpRoute) -> int:
        return 1 if route.next_hop == ip_address("2001:db8::1") else 10

    assert select([loses, wins], metric)[0] == wins
    assert select([wins, loses], metric)[0] == wins


def test_flows_are_shared_by_one_as_only_and_by_two_next_hops() -> None:
    def metric(route: BgpRoute) -> int:
        return 0

    again = replace(
        ONE, came=replace(session(5), remote=ip_address("2001:db8::66"), router_id=IPv4Address(7))
    )
    assert len(select([ONE, OTHER], metric)) == 1
    assert len(select([ONE, again], metric)) == 1
    assert len(select([ONE, replace(again, next_hop=ip_address("2001:db8::9"))], metric)) == 2


def test_what_is_redistributed_yields_to_a_nearer_protocol() -> None:
    own = BgpRoute(PREFIX, weight=32768, source="isis")
    assert select([own, ONE], lambda route: 0)[0] == ONE, "eBGP has distance 20, and IS-IS 115"
    inside = replace(ONE, came=session(5, ebgp=False))
    assert select([own, inside], lambda route: 0)[0] == own, "iBGP has 200"


def test_a_bgp_route_does_not_lead_to_itself() -> None:
    own = RibRoute(ip_network("fd00::1/128"), "ibgp", ((ip_address("fd00::9"), "eth9"),))
    around = RibRoute(ip_network("fd00::/16"), "static", ((ip_address("2001:db8::1"), "eth1"),))
    rib = Rib([own, around])
    to = ip_address("fd00::1")
    assert rib.lookup(to) == own and rib.lookup(to, own.prefix) == around
    assert rib.ways(to, own.prefix) == ((ip_address("2001:db8::1"), "eth1"),)
