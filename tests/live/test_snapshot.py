"""What of a node isn't as Day0 left it, on what real nodes said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from srv6lab.evidence.drift import Difference
from srv6lab.live.instance import Instance
from srv6lab.live.snapshot import KEPT, compare, differences, keep, read
from tests.fake_provider import Fake

SAID = (Path(__file__).parent.parent / "recorded" / "settings.txt").read_text()


def changes(*pairs: tuple[str, str]) -> list[Difference]:
    """What differs after one text stands in what was said instead of another."""
    after = SAID
    for was, now in pairs:
        assert was in after
        after = after.replace(was, now, 1)
    return list(compare("gate", read(SAID), read(after)))


@pytest.mark.parametrize(
    ("netns", "section", "line"),
    [
        ("", "link", "eth1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP mode DEFAULT group default "
         "link/ether 02:fc:cb:d3:1d:8f brd ff:ff:ff:ff:ff:ff"),
        ("", "address", "eth2 inet6 2001:12::1/64 scope global"),
        ("", "address", "eth2 inet6 fe80::f2:1dff:feb6:299e/64 scope link"),
        ("", "neighbor", "10.0.0.77 dev eth1 lladdr 02:00:00:00:00:77 PERMANENT"),
        ("", "neighbor", "10.0.0.88 dev eth1 proxy"),
        ("", "tunnel source", "tunsrc addr ::"),
        ("", "route", "10.7.0.0/24 nexthop via 10.0.0.1 dev eth1 weight 3 nexthop dev eth2 weight 1"),
        ("", "route", "fc00:77::/64 metric 1024 nexthop via 2001:12::2 dev eth2 weight 3 nexthop via 2001:12::3 "
         "dev eth2 weight 1"),
        ("", "route", "fc00:78::/64 via 2001:12::2 dev eth2 metric 1024"),
        ("", "rule", "32765: from all iif eth1 lookup 78"),
        ("", "rule", "32764: not from all fwmark 0x5 lookup 79"),
        ("", "firewall", "table inet zz chain c (forward): ip6 daddr fc00:9::/64 counter drop"),
        ("", "firewall", "table inet zz chain d (input): policy drop"),
        ("", "firewall", "table inet zz set s: elements = { 10.0.0.8, 10.0.0.9 }"),
        ("", "firewall", 'table netdev yy chain e (egress device "eth2"): ip6 dscp set ef'),
        ("", "firewall", "iptables filter: -A FORWARD -p tcp -m tcp --dport 22 -j DROP"),
        ("", "firewall", "iptables filter: :FORWARD DROP"),
        ("", "tc", "qdisc clsact ffff: dev eth1 parent ffff:fff1"),
        ("", "tc", "dev eth1 filter protocol all pref 8986 bpf chain 0 srproxy direct-action name srproxy"),
        ("", "sysctl", "net.ipv4.conf.eth1.rp_filter = 0"),
        ("", "sysctl", "net.ipv4.ip_local_port_range = 32768 60999"),
        ("snort", "address", "veth0-snort inet 192.168.1.2/24 scope global veth0-snort"),
        ("snort", "route", "default via 192.168.2.1 dev veth1-snort table 101"),
        ("snort", "rule", "32764: from all iif veth1-snort lookup 102"),
        ("snort", "sysctl", "net.ipv4.ip_forward = 1"),
        ("", "proxy", "fc00:a::a1: Next hop 192.168.1.2"),
        ("", "frr", "router bgp 100: neighbor 3333::3333 activate"),
        ("", "frr", "hostname gate"),
    ],
)  # fmt: skip
def test_a_setting_is_read_from_what_a_node_says(netns: str, section: str, line: str) -> None:
    assert line in read(SAID)[netns, section]


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ("mtu 1500", "mtu 1400", ("link", "eth1: mtu 1500 → 1400")),
        ("02:fc:cb:d3:1d:8f", "02:00:00:00:00:01", ("link", "eth1: link/ether 02:fc:cb:d3:1d:8f → 02:00:00:00:00:01")),
        ("10.0.0.2/24 scope", "10.0.0.2/25 scope", ("address", "eth1 inet 10.0.0.2/24 → 10.0.0.2/25")),
        ("00:00:77 PERM", "00:00:78 PERM", ("neighbor", "10.0.0.77 lladdr 02:00:00:00:00:77 → 02:00:00:00:00:78")),
        ("weight 3", "weight 5", ("route", "10.7.0.0/24 weight 3 → 5")),
        ("tunsrc addr ::\n", "tunsrc addr fc00:1::1\n", ("tunnel source", "- tunsrc addr ::", "+ tunsrc addr fc00:1::1")),
        ("iif eth1 lookup 78", "iif eth1 lookup 79", ("rule", "32765: lookup 78 → 79")),
        ("ip_forward:1", "ip_forward:0", ("sysctl", "net.ipv4.ip_forward = 1 → 0")),
        ("policy drop;", "policy accept;", ("firewall", "- table inet zz chain d (input): policy drop")),
        ("--dport 22", "--dport 23", ("firewall", "- iptables filter: -A FORWARD -p tcp -m tcp --dport 22 -j DROP",
         "+ iptables filter: -A FORWARD -p tcp -m tcp --dport 23 -j DROP")),
        ("end.ad4", "end.as4", ("proxy", "fc00:a::a1: Behavior end.ad4 → end.as4")),
        (" net 49.0000.0000.0000.0001.00", " net 49.0000.0000.0000.0002.00",
         ("frr", "- router isis core: net 49.0000.0000.0000.0001.00", "+ router isis core: net 49.0000.0000.0000.0002.00")),
    ],
)  # fmt: skip
def test_a_change_is_told_by_what_changed(was: str, now: str, told: tuple[str, ...]) -> None:
    section, *lines = told
    (found,) = changes((was, now))
    assert (found.section, found.netns, list(found.told())) == (section, "", lines)


def test_a_policy_of_ipsec_is_told() -> None:
    line = "src 10.0.0.0/24 dst 10.0.1.0/24 \\\tdir fwd action block priority 0 ptype main \\\n"
    (found,) = changes(("0:\tfrom all lookup local", line + "0:\tfrom all lookup local"))
    told = "+ src 10.0.0.0/24 dst 10.0.1.0/24 dir fwd action block priority 0 ptype main"
    assert (found.section, found.told()) == ("ipsec", (told,))


def test_a_route_that_expires_now_is_another() -> None:
    (found,) = changes(
        (
            "fc00:79::/64 via 2001:12::2 dev eth2 metric 1024 expires 99sec",
            "fc00:79::/64 via 2001:12::2 dev eth2 metric 1024",
        )
    )
    assert found.section == "route"


def test_a_namespace_inside_is_told_by_its_name() -> None:
    (found,) = changes(("from all iif veth1-snort lookup 102", "from all iif veth1-snort lookup 103"))
    assert (str(found.place), found.told()) == ("gate/snort", ("32764: lookup 102 → 103",))


def test_what_is_there_twice_and_then_once_differs() -> None:
    (found,) = compare(
        "gate", read(SAID.replace("32764:\tnot", "0:\tfrom all lookup local\n32764:\tnot", 1)), read(SAID)
    )
    assert found.gone == ("0: from all lookup local",)


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("[7 packets : 588  bytes]", "[70 packets : 5880  bytes]"),
        ("[7 packets : 588  bytes]", "[7 packets : 588  bytes]\n\t   no_cache:           [3 packets : 252  bytes]"),
        (":INPUT ACCEPT [12:900]", ":INPUT ACCEPT [13:999]"),
        (":extra - [0:0]\n", ""),
        (" expires 99sec", " expires 12sec"),
        ("valid_lft forever preferred_lft forever", "valid_lft 300sec preferred_lft 200sec"),
        (" tentative", ""),
        ("2001:12::1/64 scope global", "2001:12::1/64 scope global nodad"),
        ("nhid 5", "nhid 17"),
        ("3: eth2@if2", "9: eth2@if7"),
        ("link-netnsid 1", "link-netnsid 0"),
        ("id 7444", "id 7555"),
        ("handle 0x2", "handle 0x1"),
        ("tcp_fastopen_key:0", "tcp_fastopen_key:1"),
        ("21:35:42", "21:59:59"),
        ("multicast ff00", "local fe80::1 dev eth1 table local proto kernel metric 0 pref medium\nmulticast ff00"),
        ("table inet zz {", "table inet idle {\n\tchain a {\n\t}\n}\ntable inet zz {"),
    ],
)  # fmt: skip
def test_what_is_counted_or_comes_by_itself_is_no_difference(was: str, now: str) -> None:
    assert changes((was, now)) == []


def test_a_link_local_address_that_is_gone_is_one() -> None:
    line = next(line for line in SAID.splitlines() if "inet6 fe80" in line)
    (found,) = changes((line + "\n", ""))
    assert found.gone == ("eth2 inet6 fe80::f2:1dff:feb6:299e/64 scope link",)


@pytest.mark.parametrize("section", ["frr", "proxy"])
def test_a_daemon_that_does_not_answer_hides_its_settings_and_loses_none(section: str) -> None:
    head, _, rest = SAID.partition(f"-- {section}\n")
    tail = rest[rest.index("-- proxy") :] if section == "frr" else ""
    silent = read(f"{head}-- {section}\n{tail}")
    assert list(compare("gate", read(SAID), silent)) == list(compare("gate", silent, read(SAID))) == []


# --- over a provider that runs nothing


def test_what_differs_is_told_by_node(fake: Fake, one: Instance) -> None:
    fake.settings = {"gate": SAID, "exit": SAID}
    keep(one)
    assert differences(one) == ()
    fake.settings["exit"] = SAID.replace("ip_forward:1", "ip_forward:0", 1)
    assert differences(one) == (
        Difference("exit", "", "sysctl", ("net.ipv4.ip_forward = 1",), ("net.ipv4.ip_forward = 0",)),
    )


def test_what_was_kept_first_stays(fake: Fake, one: Instance) -> None:
    fake.settings = {"gate": SAID}
    keep(one)
    fake.settings = {"gate": SAID.replace("mtu 1500", "mtu 1400")}
    keep(one)
    assert json.loads((one.home.path / KEPT).read_text())["gate"] == SAID
    one.home.forget(keep_runs=True)
    assert not (one.home.path / KEPT).exists()


def test_a_node_that_cannot_be_asked_differs_in_nothing(fake: Fake, one: Instance) -> None:
    fake.settings = {"gate": SAID}
    keep(one)
    fake.settings = {}
    assert differences(one) == ()


@pytest.mark.parametrize(
    "kept", [None, "", "[", "[]", "7", '{"west": "", "gate": 7, "exit": "", "east": ""}', "{}"]
)
def test_where_nothing_was_kept_nothing_is_compared(fake: Fake, one: Instance, kept: str | None) -> None:
    fake.settings = {"gate": SAID}
    if kept is not None:
        one.home.path.mkdir(parents=True, exist_ok=True)
        (one.home.path / KEPT).write_text(kept)
    assert differences(one) is None


def test_a_route_over_a_link_local_next_hop_is_a_difference() -> None:
    head, _, tail = SAID.partition("-- firewall")
    route = "10.9.0.0/24 via inet6 fe80::1 dev eth1"
    (found,) = compare("gate", read(SAID), read(f"{head}{route}\n-- firewall{tail}"))
    assert (found.section, found.new) == ("route", (route,))
