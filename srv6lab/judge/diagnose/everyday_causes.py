"""The causes that people make every day: switches, rules, neighbors, addresses. See `causes`."""

from __future__ import annotations

from srv6lab.called import CALLED
from srv6lab.judge.diagnose import answers as ask
from srv6lab.judge.diagnose import lookups
from srv6lab.judge.diagnose.cause import LINK as _LINK
from srv6lab.judge.diagnose.cause import MATCH as _MATCH
from srv6lab.judge.diagnose.cause import Cause

EVERYDAY = (
    Cause(
        "policy-rule",
        "a rule of {node} (ip rule) takes {destination} to another table, or to none",
        (
            "sh",
            "-c",
            "ip {version} rule show; ip {version} route show table all match {destination}; nft list ruleset; "
            "iptables-legacy-save; ip6tables-legacy-save",
        ),
        lookups.taken_by_rule,
        "ip {version} rule del pref NUMBER",
        differs=("rule", "route"),
    ),
    Cause(
        "rule-missing",
        "{node} has no rule {preference} any more that looks it up in table {table} ({rule})",
        ("ip", "{version}", "rule", "show"),
        lookups.no_rule,
        differs=("rule",),
    ),
    Cause(
        "steered-otherwise",
        "{node} steers {prefix} in table {table} over other segment lists, with other weights, or not at all",
        ("ip", "{version}", "route", "show", "table", "{table}", "{prefix}"),
        ask.other_lists,
        differs=("route",),
    ),
    Cause(
        "route-discards",
        "a route of {node} refuses {destination} (blackhole, unreachable, prohibit or throw)",
        _MATCH,
        lookups.discards,
        "ip {version} route del the prefix that refuses it",
        differs=("route",),
    ),
    Cause(
        "address-unplanned",
        "{node} has the address {destination}, which the plan doesn't give it",
        ("ip", "{version}", "-oneline", "address", "show", "to", "{destination}"),
        ask.anything,
        "ip {version} address del {destination} of the NIC that has it",
        differs=("address",),
    ),
    Cause(
        "address-missing",
        "{nic} of {node} hasn't the address {address}",
        ("ip", "-oneline", "address", "show", "dev", "{nic}"),
        lookups.no_address,
        differs=("address",),
        surely=lookups.no_address_at_all,
    ),
    Cause(
        "neighbor",
        "{node} doesn't learn the MAC of {neighbor} by {nic}: its entry is fixed, or nobody is asked",
        ("sh", "-c", "ip neighbor show dev {nic}; ip -oneline link show dev {nic}"),
        lookups.other_neighbor,
        "ip neighbor del {neighbor} dev {nic}; ip link set dev {nic} arp on",
        differs=("neighbor", "link"),
    ),
    Cause(
        "mac-address",
        "{nic} of {node} has another MAC than the lab gave it",
        _LINK,
        lookups.other_mac,
        "ip link set dev {nic} address {mac}",
        differs=("link",),
    ),
    Cause("ipv6-disabled", "IPv6 is off on {nic} of {node}", ("cat", "{sysctl}"), lookups.some_one),
    Cause(
        "echo-ignored",
        "{node} is told not to answer echo requests of {family}",
        ("cat", "{sysctl}"),
        lookups.some_one,
        "echo 0 >{sysctl}",
        differs=("sysctl",),
    ),
    Cause(
        "errors-limited",
        "{node} sends ICMP errors too seldom (icmp_ratelimit, icmp_msgs_per_sec)",
        (
            "sh",
            "-c",
            "cd /proc/sys/net; cat ipv4/icmp_ratelimit ipv6/icmp/ratelimit ipv4/icmp_msgs_per_sec ipv4/icmp_msgs_burst",
        ),
        lookups.too_seldom,
        differs=("sysctl",),
    ),
    Cause(
        "hmac-required",
        "{nic} of {node} takes no SRH without an HMAC",
        ("cat", "/proc/sys/net/ipv6/conf/{nic}/seg6_require_hmac"),
        lookups.some_one,
        "echo 0 >/proc/sys/net/ipv6/conf/{nic}/seg6_require_hmac",
        differs=("sysctl",),
    ),
    Cause(
        "hmac-key",
        "{node} hasn't key {key} of HMACs, or with another secret or algorithm",
        ("ip", "sr", "hmac", "show"),
        lookups.other_key,
        "ip sr hmac set {key} {algorithm}, and then its secret",
        differs=("hmac key",),
    ),
    Cause(
        "hop-limit",
        "{node} begins with hop limit {captured}",
        ("cat", "{sysctl}"),
        lookups.first_differs,
        "echo 64 >{sysctl}",
        differs=("sysctl",),
    ),
    Cause(
        "tunnel-source",
        "tunnels of {node} begin at {captured} (ip sr tunsrc)",
        ("ip", "sr", "tunsrc", "show"),
        lookups.tunnel_source,
        "ip sr tunsrc set {planned}",
        differs=("tunnel source",),
    ),
    Cause(
        "source-address",
        "{node} sends to {destination} from another address than {source}",
        ("ip", "{version}", "route", "get", "{destination}"),
        lookups.other_source,
        differs=("route", "address", "rule"),
    ),
    Cause(
        "traffic-control",
        "a queue of {nic} on {node} drops packets, or is too slow (tc)",
        ("tc", "-s", "qdisc", "show", "dev", "{nic}"),
        lookups.slow_queue,
        "tc qdisc del dev {nic} root",
        differs=("tc",),
    ),
    Cause(
        "hash-policy",
        "{node} shares flows by other fields than addresses and ports",
        ("cat", "{sysctl}"),
        lookups.other_hash,
        "echo 1 >{sysctl}",
        differs=("sysctl",),
    ),
    Cause(
        "frozen",
        "{process} of {node} is stopped (SIGSTOP)",
        ("sh", "-c", 'cat "/proc/$(cat "$1")/status"', "sh", "{pid}"),
        lookups.stopped,
        "kill -CONT $(cat {pid})",
    ),
    Cause(
        "daemon-not-running",
        "{daemon} of {node} isn't running",
        ("sh", "-c", 'cat "/proc/$(cat "$1")/status"', "sh", "/run/frr/{daemon}.pid"),
        lookups.gone,
        f"{CALLED} destroy lab=LAB, then up again",
    ),
    Cause(
        "proxy-differs",
        "SID {sid} of {node}'s proxy has another behavior, next hop, MAC or port of its service, or another tunnel",
        ("srconf", "localsid", "show", "{sid}"),
        lookups.other_proxy,
        differs=("proxy",),
    ),
)
