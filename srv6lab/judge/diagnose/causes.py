"""The causes that are told apart: a record each, with the command that proves it and how its answer is read."""

from __future__ import annotations

from collections.abc import Callable

from srv6lab.called import CALLED
from srv6lab.evidence.packets import Place
from srv6lab.evidence.verdict import Suspect
from srv6lab.judge.diagnose import answers as ask
from srv6lab.judge.diagnose import firewalls, lookups, vrf_answers
from srv6lab.judge.diagnose.cause import LINK as _LINK
from srv6lab.judge.diagnose.cause import MATCH as _MATCH
from srv6lab.judge.diagnose.cause import Cause
from srv6lab.judge.diagnose.everyday_causes import EVERYDAY
from srv6lab.judge.diagnose.frame_causes import OF_FRAMES

_INSIDE = "if [ -e /run/netns/{vrf} ]; then ip -n {vrf}"  # a VRF may be a namespace

_FIREWALL = ("sh", "-c", "nft list ruleset; iptables-legacy-save -c; ip6tables-legacy-save -c")
_RULE = "delete that rule: nft --handle list ruleset, nft delete rule …; of iptables-legacy with -D"

_POLICIES = "/var/lib/srv6lab/policies"

_ALL = (
    Cause(
        "sid-not-installed",
        "SID {sid} ({behavior}) isn't installed on {node}",
        ("ip", "-6", "route", "show", "{prefix}"),
        ask.no_seg6local,
        differs=("route",),
    ),
    Cause(
        "sid-differs",
        "SID {sid} on {node} isn't bound as planned: {bound}",
        ("ip", "-6", "route", "show", "{prefix}"),
        ask.bound_otherwise,
        differs=("route",),
        surely=ask.bound_to_go_elsewhere,
    ),
    Cause(
        "sid-in-no-vrf",
        "SID {sid} ({behavior}) of {node} isn't installed for the VRF {vrf}",
        ("sh", "-c", f"ip -6 route show {{prefix}}; {_INSIDE} -6 route show {{prefix}}; fi"),
        vrf_answers.not_for_it,
        differs=("route",),
    ),
    Cause(
        "nic-out-of-vrf",
        "{nic} of {node} isn't in the VRF {vrf}",
        ("sh", "-c", f"ip -oneline link show master {{vrf}}; {_INSIDE} -oneline link show; fi"),
        vrf_answers.lacks_nic,
        differs=("link",),
    ),
    Cause(
        "policy-in-main-table",
        "the policy of {node} for {prefix} is in its main table, not in that of the VRF {vrf}",
        (
            "sh",
            "-c",
            "ip {version} route show {prefix} table {table}; "
            f"{_INSIDE} {{version}} route show {{prefix}}; fi; "
            "echo main:; ip {version} route show {prefix}",
        ),
        vrf_answers.only_in_main,
        f"ip {{version}} route del {{prefix}}, and {CALLED} up lab=LAB",
        differs=("route",),
    ),
    Cause(
        "vrf-strict-mode",
        "net.vrf.strict_mode is off on {node}, so {behavior} finds no VRF for its table",
        ("cat", "/proc/sys/net/vrf/strict_mode"),
        ask.zero,
        differs=("sysctl",),
    ),
    Cause(
        "proxy-sid-not-installed",
        "SID {sid} ({behavior}) isn't installed on {node}'s proxy",
        ("srconf", "localsid", "show"),
        ask.no_proxy_sid,
        differs=("proxy",),
    ),
    Cause(
        "sid-of-another-node",
        "SID {sid} is installed on {node}, where it doesn't belong",
        ("ip", "-6", "route", "show", "{sid}"),
        ask.has_seg6local,
        differs=("route",),
    ),
    Cause(
        "segment-of-another-node",
        "{node} steers over {sid}, a SID of {owner}",
        _MATCH,
        ask.other_policy,
        differs=("route",),
    ),
    Cause(
        "segments-out-of-order",
        "{node} steers over the right segments in another order",
        _MATCH,
        differs=("route",),
    ),
    Cause(
        "policy-missing", "{node} has no policy for {destination}", _MATCH, ask.no_policy, differs=("route",)
    ),
    Cause(
        "policy-shadowed",
        "a longer prefix than {prefix} takes {destination} on {node}",
        _MATCH,
        ask.longer_policy,
        differs=("route",),
    ),
    Cause(
        "policy-differs",
        "the policy of {node} for {prefix} has other segments, another mode, or another HMAC",
        _MATCH,
        ask.other_policy,
        differs=("route",),
    ),
    Cause(
        "agent-not-running",
        "the agent of {node}, which keeps its SR policies, isn't running",
        ("flock", "--nonblock", f"{_POLICIES}/state.lock", "true"),
        ask.not_held,
    ),
    Cause(
        "policy-route-differs",
        "the route of {node} to {prefix} in table {table} isn't the one that its agent installed",
        ("sh", "-c", f"cat {_POLICIES}/state.json; ip {{version}} route show table {{table}} {{prefix}}"),
        ask.other_than_told,
    ),
    Cause(
        "flows-not-classified",
        "{node} doesn't send what has a forwarding class to the routes of that class",
        ("sh", "-c", "ip {version} rule show; nft list ruleset"),
        ask.no_class,
        differs=("rule", "firewall"),
    ),
    Cause(
        "route-missing",
        "{node} has no route to {destination}{via} by {nic}",
        ("ip", "{version}", "route", "get", "{destination}"),
        ask.other_way,
        differs=("route", "rule"),
    ),
    Cause(
        "table-route-missing",
        "table {table} of {node}, into which {sid} looks, has no route to {destination} by {nic}",
        ("ip", "{version}", "route", "show", "table", "{table}", "match", "{destination}"),
        ask.other_way_in_table,
        differs=("route",),
    ),
    Cause(
        "route-unplanned",
        "{node} knows a way to {destination} in table {table} that the plan doesn't have",
        ("ip", "{version}", "route", "show", "table", "{table}", "match", "{destination}"),
        ask.some_way,
        differs=("route", "rule"),
    ),
    Cause(
        "forwarding-off",
        "{node} doesn't forward {family}",
        ("cat", "{sysctl}"),
        ask.zero,
        differs=("sysctl",),
    ),
    Cause(
        "rp-filter",
        "rp_filter of {node} drops what comes in by {nic} from a source that isn't routed back there",
        ("cat", "/proc/sys/net/ipv4/conf/all/rp_filter", "/proc/sys/net/ipv4/conf/{nic}/rp_filter"),
        ask.not_zero,
        differs=("sysctl",),
        surely=ask.never,  # most of what comes in passes it
    ),
    Cause(
        "mtu",
        "{bytes} bytes don't fit the MTU of {nic} on {node}, or IPv6 doesn't",
        _LINK,
        lookups.small_mtu,
        differs=("link",),
    ),
    Cause(
        "dad-not-over",
        "duplicate address detection isn't over on {nic} of {node}",
        ("ip", "-6", "-oneline", "address", "show", "tentative", "dev", "{nic}"),
        ask.anything,
    ),
    Cause(
        "nic-down",
        "{nic} of {node} is down, or what it is connected to",
        _LINK,
        ask.not_up,
        differs=("link",),
        surely=ask.down_itself,
    ),
    Cause(
        "firewall",
        "a firewall of {node} drops it",
        _FIREWALL,
        firewalls.drops,
        _RULE,
        differs=("firewall",),
        surely=firewalls.surely_drops,
    ),
    Cause(
        "copied",
        "{node} copies packets by a rule of its firewall",
        _FIREWALL,
        firewalls.copies,
        _RULE,
        differs=("firewall",),
        surely=ask.never,  # whose packets it copies isn't told
    ),
    Cause(
        "diverted",
        "a rule of {node}'s firewall passes it on elsewhere",
        _FIREWALL,
        firewalls.diverts,
        _RULE,
        differs=("firewall",),
    ),
    Cause(
        "field-rewritten",
        "a rule of {node}'s firewall writes into it",
        _FIREWALL,
        firewalls.rewrites,
        _RULE,
        differs=("firewall",),
    ),
    Cause(
        "address-translated",
        "NAT of {node} gives it another address",
        _FIREWALL,
        firewalls.translates,
        _RULE,
        differs=("firewall",),
    ),
    *OF_FRAMES,
    *EVERYDAY,
    Cause(
        "proxy-cache-empty",
        "the proxy of {node} knows no flow for what came back on {nic}: did the service rewrite it?",
        ("srconf", "localsid", "show", "{sid}"),
        ask.empty_cache,
        surely=ask.never,  # they may have come before this exercise
    ),
    Cause(
        "service-not-running",
        "service {service} isn't running on {node}",
        ("sh", "-c", 'kill -0 "$(cat "$1")"', "sh", "/var/lib/srv6lab/services/{service}/pid"),
        ask.failed,
    ),
    Cause("service-rules", "the rules of service {service} on {node} aren't the lab's"),
    Cause(
        "vpn-sid-not-installed",
        "SID {sid} of the VPN {vrf} isn't installed on {node}",
        ("ip", "-6", "route", "show", "{sid}"),
        ask.nothing,
        differs=("route",),
    ),
    Cause("tracer", "{what}"),
    Cause(
        "seg6-disabled",
        "an SRH ends at {destination}, an address of {node} itself, where seg6_enabled is off",
        ("cat", "/proc/sys/net/ipv6/conf/all/seg6_enabled", "/proc/sys/net/ipv6/conf/{nic}/seg6_enabled"),
        ask.zero,
    ),
    Cause(
        "differs",
        "{node} isn't as Day0 left it: {lines}",
        mend=f"take that back, or {CALLED} destroy and up lab=LAB",
    ),
    Cause(
        "not-modeled",
        "the model doesn't know what {node} does, since {why}",
        mend=f"look there: {CALLED} connect lab=LAB {{node}}",
    ),
    Cause("unknown", "what {what} is no cause that is known here", mend=""),
    Cause(
        "expectation", "the expectation stands alone ({what}): model and captures agree against it", mend=""
    ),
    Cause("model", "the model stands alone ({what}): expectation and captures agree against it", mend=""),
)
CAUSES: dict[str, Cause] = {cause.name: cause for cause in _ALL}


def suspect(name: str, place: Place | str, **about: object) -> Suspect:
    """A suspicion of a cause at a place, or at a node; KeyError for a name that the record doesn't know, or for
    what its words need and `about` lacks."""
    cause = CAUSES[name]
    at = place if isinstance(place, Place) else Place(place)
    known = {key: str(value) for key, value in about.items()}
    argv = tuple(word.format(node=at.node, **known) for word in cause.argv)
    if at.netns and argv:
        argv = ("ip", "netns", "exec", at.netns, *argv)
    mend = cause.mend.format(node=place, **known)
    return Suspect(
        name, at.node, cause.words.format(node=place, **known), argv, tuple(known.items()), mend=mend
    )


Ask = Callable[[str, tuple[str, ...]], tuple[str, int]]


def proves(one: Suspect, answer: tuple[str, int]) -> bool:
    """Whether a node's answer, output and exit code, proves a suspicion."""
    reads = CAUSES[one.cause].reads
    return reads is None or reads(*answer, dict(one.about))


def proves_surely(one: Suspect, answer: tuple[str, int]) -> bool:
    """Whether it proves it, and an innocent leftover couldn't have answered so."""
    surely = CAUSES[one.cause].surely
    return surely is None or surely(*answer, dict(one.about))
