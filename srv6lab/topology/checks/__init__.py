"""What the parts of a topology mean together: one function a check, one pair in `tests/errors/` each.

A check takes a Facts (what of the file is sound) and a `locate`, and yields Problems. It looks only at
sound parts, so one cause makes one problem. The modules are imported here to register their checks.
"""

from srv6lab.topology.checks import (
    actions,
    bgp,
    bgp_routes,
    bgp_sessions,
    changes,
    exercises,
    flavors,
    frames,
    frr_routes,
    groups,
    headends,
    hmacs,
    isis,
    locators,
    names,
    network,
    own,
    policies,
    probe_ends,
    probes,
    routers,
    routes,
    segments,
    services,
    sid_structure,
    steering,
    vpns,
    vrfs,
)
from srv6lab.topology.checks.collect import view_of
from srv6lab.topology.checks.facts import Facts
from srv6lab.topology.checks.registry import CHECKS, run

__all__ = [
    "CHECKS",
    "Facts",
    "actions",
    "bgp",
    "bgp_routes",
    "bgp_sessions",
    "changes",
    "exercises",
    "flavors",
    "frames",
    "frr_routes",
    "groups",
    "headends",
    "hmacs",
    "isis",
    "locators",
    "names",
    "network",
    "own",
    "policies",
    "probe_ends",
    "probes",
    "routers",
    "routes",
    "run",
    "segments",
    "services",
    "sid_structure",
    "steering",
    "view_of",
    "vpns",
    "vrfs",
]
