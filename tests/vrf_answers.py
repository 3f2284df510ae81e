"""What nodes with VRFs answer: on a kernel that has them, and where a network namespace stands for one."""

from __future__ import annotations

from collections.abc import Mapping

SID = {
    "sid": "fc00:3::4",
    "prefix": "fc00:3::4/128",
    "behavior": "End.DT4",
    "vrf": "blue",
    "own": "action End.DT4 vrftable 200",
    "inside": "action End.DX4",
}
OWN = "fc00:3::4  encap seg6local action End.DT4 vrftable 200 dev eth5 metric 1024 pref medium\n"
LED = "fc00:3::4 via fe80::2 dev blue metric 1024 pref medium\n"
INSIDE = "fc00:3::4  encap seg6local action End.DX4 nh4 0.0.0.0 dev core metric 1024 pref medium\n"
NIC = {"nic": "eth1", "vrf": "red"}
ETH1 = (
    "3: eth1@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master red state UP mode DEFAULT\n"
)
ETH11 = ETH1.replace("eth1@", "eth11@")
POLICY = {"version": "-4", "prefix": "10.0.2.0/24", "vrf": "red", "table": "100"}
STEERED = "10.0.2.0/24  encap seg6 mode encap segs 1 [ fc00:3::46 ] dev eth5 scope link \n"

VRF_ANSWERS: list[tuple[str, Mapping[str, str], tuple[str, int], tuple[str, int]]] = [
    ("sid-in-no-vrf", SID, ("", 0), (OWN, 0)),
    ("sid-in-no-vrf", SID, (OWN.replace("200", "100"), 0), (OWN, 0)),
    ("sid-in-no-vrf", SID, (LED.replace("blue", "red") + INSIDE, 0), (LED + INSIDE, 0)),
    ("sid-in-no-vrf", SID, (INSIDE, 0), (LED + INSIDE, 0)),
    ("sid-in-no-vrf", SID, (LED, 0), (LED + INSIDE, 0)),
    ("nic-out-of-vrf", NIC, ("", 0), (ETH1, 0)),
    ("nic-out-of-vrf", NIC, (ETH11, 0), (ETH11 + ETH1, 0)),
    ("policy-in-main-table", POLICY, (f"main:\n{STEERED}", 0), (f"{STEERED}main:\n", 0)),
    ("policy-in-main-table", POLICY, (f"main:\n{STEERED}", 0), ("main:\n", 0)),
    ("policy-in-main-table", POLICY, (f"main:\n{STEERED}", 0), (f"{STEERED}main:\n{STEERED}", 0)),
]
