"""The cases of `cases/*.yml`: bytes in, parameters, and what RFC 8986 makes of them.

Bytes are hex with spaces; `$NAME` stands for a part of the file's. They were derived by hand from the
pseudo-code, never by running the model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import yaml

from srv6lab.srv6.behaviors import REGISTRY
from srv6lab.srv6.encapsulation import Encapsulation
from srv6lab.srv6.headend import HEADENDS
from srv6lab.srv6.packet import Ethernet, Hmac, Ipv4, Ipv6, Packet
from srv6lab.srv6.results import (
    Adjacency,
    Deliver,
    Discard,
    Flavor,
    Forward,
    How,
    IcmpError,
    Interface,
    LocalSid,
    Lookup,
    NextCsid,
    Result,
    Table,
)

FIRST: dict[int, type[Ipv4 | Ipv6]] = {4: Ipv4, 6: Ipv6}
FOLDER = Path(__file__).with_name("cases")


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    behavior: str
    parameters: Mapping[str, Any]
    packet: bytes
    expected: tuple[object, ...]

    def said(self) -> tuple[object, ...]:
        """What the model says."""
        first = Ethernet if ".L2" in self.behavior else FIRST[self.packet[0] >> 4]
        return spoken(act(self.behavior, self.parameters, Packet.from_bytes(self.packet, first)))


def act(behavior: str, parameters: Mapping[str, Any], packet: Packet) -> Result:
    if behavior in HEADENDS:
        return HEADENDS[behavior](packet, encapsulation(parameters))
    act = REGISTRY[behavior].act
    assert act is not None
    return act(packet, local_sid(parameters))


def local_sid(given: Mapping[str, Any]) -> LocalSid:
    return LocalSid(
        nh6=IPv6Address(given["nh6"]) if "nh6" in given else None,
        nh4=IPv4Address(given["nh4"]) if "nh4" in given else None,
        table=given.get("table"),
        oif=given.get("oif"),
        policy=encapsulation(given["policy"]) if "policy" in given else None,
        flavors=frozenset(Flavor[name] for name in given.get("flavors", ())),
        next_csid=NextCsid(*given["next_csid"]) if "next_csid" in given else None,
        upper_layers=frozenset(given.get("upper_layers", ())),
    )


def encapsulation(given: Mapping[str, Any]) -> Encapsulation:
    rest = {key: value for key, value in given.items() if key not in ("source", "segments", "hmac_key")}
    tlvs = (Hmac(given["hmac_key"], bytes(32)),) if "hmac_key" in given else ()
    segments = tuple(IPv6Address(segment) for segment in given["segments"])
    return Encapsulation(IPv6Address(given["source"]), segments, tlvs=tlvs, **rest)


def spoken(result: Result) -> tuple[object, ...]:
    """A result as a case writes it."""
    match result:
        case Forward(packet, how):
            return "forward", packet.to_bytes().hex(), how_spoken(how)
        case Deliver(packet):
            return "deliver", packet.to_bytes().hex()
        case Discard(reason):
            return "discard", reason
        case IcmpError(kind, code, pointer):
            return "icmp", kind, code, pointer


def how_spoken(how: How) -> object:
    match how:
        case Lookup():
            return "lookup"
        case Table(number):
            return number
        case Adjacency(next_hop):
            return str(next_hop)
        case Interface(name):
            return name


def cases() -> Iterator[Case]:
    for path in sorted(FOLDER.glob("*.yml")):
        document = yaml.safe_load(path.read_text("utf-8"))
        for one in document["cases"]:
            yield Case(
                f"{path.stem}: {one['name']}",
                one["behavior"],
                one.get("sid", {}),
                unhex(one["packet"], document["parts"]),
                expected(one["expect"], document["parts"]),
            )


def expected(written: Mapping[str, Any], parts: Mapping[str, str]) -> tuple[object, ...]:
    ((kind, value),) = ((key, value) for key, value in written.items() if key != "how")
    if kind == "icmp":
        return "icmp", *value
    wire = unhex(value, parts).hex()
    if kind == "deliver":
        return "deliver", wire
    return "forward", wire, written["how"]


def unhex(text: str, parts: Mapping[str, str]) -> bytes:
    while "$" in text:
        text = re.sub(r"\$(\w+)", lambda match: parts[match[1]], text)
    return bytes.fromhex(text)


def failing() -> list[str]:
    """The names of the cases that the model has wrong, or can't do."""
    found = []
    for case in cases():
        try:
            right = case.said() == case.expected
        except Exception:  # a mutant may do anything
            right = False
        if not right:
            found.append(case.name)
    return found
