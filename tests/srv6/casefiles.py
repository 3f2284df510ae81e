"""The cases of `cases/*.yml`: bytes in, parameters, and what the RFC makes of them.

Bytes are hex with spaces; `$NAME` stands for a part of the file's. They were derived by hand from the
pseudo-code, never by running the model. A case has a `packet`, or what a service gives `back` to its proxy, which
saw the packet `entered` before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import yaml

from srv6lab.srv6 import acting, results
from srv6lab.srv6.behaviors import REGISTRY
from srv6lab.srv6.encapsulation import Encapsulation
from srv6lab.srv6.flavors import NEXT_CSID
from srv6lab.srv6.headend import HEADENDS
from srv6lab.srv6.packet import Ethernet, Hmac, Ipv4, Ipv6, Packet

FIRST: dict[int, type[Ipv4 | Ipv6 | Ethernet]] = {0: Ethernet, 4: Ipv4, 6: Ipv6}
LOADER = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)  # written in C, which tests of hundreds of mutants feel
FOLDER = Path(__file__).with_name("cases")


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    behavior: str
    parameters: Mapping[str, Any]
    packet: bytes
    entered: bytes
    is_back: bool
    expected: tuple[object, ...]

    @property
    def flavors(self) -> frozenset[str]:
        csid = {NEXT_CSID} if "next_csid" in self.parameters else set()
        return frozenset(self.parameters.get("flavors", ())) | csid

    def said(self) -> tuple[object, ...]:
        """What the model says."""
        packet = read(self.packet)
        if not self.is_back:
            return spoken(act(self.behavior, self.parameters, packet))
        cache = act(self.behavior, self.parameters, read(self.entered)).cache if self.entered else None
        back = acting.give_back(REGISTRY[self.behavior])
        return spoken(back(packet, local_sid(self.parameters), cache))


def read(wire: bytes) -> Packet:
    """A packet, or a frame: those of the cases begin with a zero."""
    return Packet.from_bytes(wire, FIRST[wire[0] >> 4])


def act(behavior: str, parameters: Mapping[str, Any], packet: Packet) -> Any:
    if behavior in HEADENDS:
        return HEADENDS[behavior](packet, encapsulation(parameters))
    return acting.act(REGISTRY[behavior])(packet, local_sid(parameters))


def local_sid(given: Mapping[str, Any]) -> results.LocalSid:
    return results.LocalSid(
        nh6=IPv6Address(given["nh6"]) if "nh6" in given else None,
        nh4=IPv4Address(given["nh4"]) if "nh4" in given else None,
        table=given.get("table"),
        oif=given.get("oif"),
        policy=encapsulation(given["policy"]) if "policy" in given else None,
        service=results.Service(**given["service"]) if "service" in given else None,
        flavors=frozenset(results.Flavor[name] for name in given.get("flavors", ())),
        next_csid=results.NextCsid(*given["next_csid"]) if "next_csid" in given else None,
        upper_layers=frozenset(given.get("upper_layers", ())),
        argument_length=given.get("argument_length", 0),
        oam=given.get("oam", False),
    )


def encapsulation(given: Mapping[str, Any]) -> Encapsulation:
    rest = {key: value for key, value in given.items() if key not in ("source", "segments", "hmac_key")}
    tlvs = (Hmac(given["hmac_key"], bytes(32)),) if "hmac_key" in given else ()
    segments = tuple(IPv6Address(segment) for segment in given["segments"])
    return Encapsulation(IPv6Address(given["source"]), segments, tlvs=tlvs, **rest)


def spoken(result: results.Result) -> tuple[object, ...]:
    """A result as a case writes it, with the copy for OAM behind it."""
    copy = () if result.oam is None else (result.oam.to_bytes().hex(),)
    return *_spoken(result), *copy


def _spoken(result: results.Result) -> tuple[object, ...]:
    match result:
        case results.Forward(packet, how, cache):
            cached = b"".join(header.to_bytes() for header in cache.headers) if cache else b""
            return "forward", packet.to_bytes().hex(), how_spoken(how), cached.hex()
        case results.Deliver(packet):
            return "deliver", packet.to_bytes().hex()
        case results.Discard(reason):
            return "discard", reason
        case results.IcmpError(kind, code, pointer):
            return "icmp", kind, code, pointer


def how_spoken(how: results.How) -> object:
    match how:
        case results.Lookup():
            return "lookup"
        case results.Table(number):
            return number
        case results.Adjacency(next_hop):
            return str(next_hop)
        case results.Interface(name):
            return name
        case results.L2Table(number, match, learns, excluded):
            return {"table": number, "by": match.name, "learns": learns, "excluded": excluded}


def cases() -> Iterator[Case]:
    for path in sorted(FOLDER.glob("*.yml")):
        document = yaml.load(path.read_text("utf-8"), Loader=LOADER)
        parts = document["parts"]
        for written in document["cases"]:
            for one in each(written):
                yield Case(
                    f"{path.stem}: {one['name']}",
                    one["behavior"],
                    one.get("sid", {}),
                    unhex(one.get("packet") or one["back"], parts),
                    unhex(one.get("entered", ""), parts),
                    "back" in one,
                    expected(one["expect"], parts),
                )


def each(written: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A case, or one for every behavior and for every combination of flavors that it names."""
    if "behaviors" not in written:
        yield written
        return
    for behavior, (parameters, how) in written["behaviors"].items():
        for flavors in written["each"]:
            yield {
                **written,
                "name": f"{written['name']}: {' '.join((behavior, *flavors))}",
                "behavior": behavior,
                "sid": {**parameters, "flavors": flavors},
                "expect": {**written["expect"], **({"how": how} if "forward" in written["expect"] else {})},
            }


def expected(written: Mapping[str, Any], parts: Mapping[str, str]) -> tuple[object, ...]:
    copy = (unhex(written["oam"], parts).hex(),) if "oam" in written else ()
    return *_expected(written, parts), *copy


def _expected(written: Mapping[str, Any], parts: Mapping[str, str]) -> tuple[object, ...]:
    match written:
        case {"icmp": [kind, code, pointer]}:
            return "icmp", kind, code, pointer
        case {"discard": reason}:
            return "discard", reason
        case {"deliver": wire}:
            return "deliver", unhex(wire, parts).hex()
        case {"forward": wire, "how": how}:
            cached = unhex(written.get("cached", ""), parts)
            return "forward", unhex(wire, parts).hex(), how, cached.hex()
    raise ValueError(f"no result: {written}")


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
