"""What an agent is given: a JSON file, written by whoever plans the node."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from pathlib import Path
from typing import Any

from ..srv6.policy.binding_sid import SidSpace
from ..srv6.policy.identity import Address
from ..srv6.policy.paths import Policy
from ..srv6.policy.routes import ColorSteering
from ..srv6.policy.sr_db import SrDb
from ..srv6.policy.written import read_db, read_policy, read_steering
from .flows import Flow, read_flow

INTERVAL, MISSES = 0.1, 3


@dataclass(frozen=True)
class Config:
    """A headend: its name in the SR database, the address to which its probes come back, its NICs by their
    addresses (named as they are here, if a file of `names` says so), seconds between probes, and how many in a row
    may be lost. Arrays are part of the steering."""

    node: str
    address: IPv6Address
    nics: Mapping[Address, str]
    db: SrDb
    policies: tuple[Policy, ...]
    steering: tuple[ColorSteering, ...]
    flows: tuple[Flow, ...]
    space: SidSpace
    interval: float = INTERVAL
    misses: int = MISSES


def load(path: Path) -> Config:
    """ValueError says what can't be read."""
    try:
        return _config(json.loads(path.read_text("utf-8")))
    except KeyError as error:
        raise ValueError(f"{path} lacks {error}") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error


def _config(given: Mapping[str, Any]) -> Config:
    address = IPv6Address(given["address"])
    interval, misses = float(given.get("interval", INTERVAL)), int(given.get("misses", MISSES))
    if interval <= 0 or misses < 1:
        raise ValueError("`interval` is above 0 seconds, and `misses` is at least 1")
    called = _names(Path(given["names"])) if "names" in given else {}

    def here(one: Mapping[str, Any]) -> dict[str, Any]:
        return {**one, "otherwise": [_here(called, word) for word in one.get("otherwise", ())]}

    return Config(
        given["node"],
        address,
        {ip_address(one): _here(called, name) for one, name in given["nics"].items()},
        read_db(given["db"]),
        tuple(read_policy(address, one) for one in given["policies"]),
        (
            *(read_steering(here(one), "colors") for one in given["steering"]),
            *(read_steering(here(one), "classes") for one in given.get("arrays", ())),
        ),
        tuple(read_flow(one) for one in given.get("flows", ())),
        _space(given.get("binding_sids", {})),
        interval,
        misses,
    )


def _here(called: Mapping[str, str], name: str) -> str:
    """What a NIC is called here: the file is one of shell variables, which for `ge-0-1` is `nic_ge_0_1`."""
    return called.get(name) or called.get(f"nic_{re.sub('[^A-Za-z0-9]', '_', name)}") or name


def _names(path: Path) -> dict[str, str]:
    """`eth1=enp0s8` on each line."""
    pairs = (line.partition("=") for line in path.read_text("utf-8").splitlines())
    return {planned: name for planned, _, name in pairs}


def _space(given: Mapping[str, Any]) -> SidSpace:
    return SidSpace(
        {IPv6Address(sid): by for sid, by in given.get("taken", {}).items()},
        IPv6Network(given["local_block"]) if "local_block" in given else None,
        tuple(IPv6Address(sid) for sid in given.get("pool", ())),
    )
