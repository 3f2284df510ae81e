"""Policies and SR databases as plain mappings, lists, texts and numbers, and back: what a headend's agent is given.

A value that stands at its default isn't written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from .identity import Address, CandidateId, Originator, PolicyId
from .paths import (
    CandidatePath,
    Check,
    Composite,
    Constituent,
    Dynamic,
    Explicit,
    Metric,
    Path,
    Policy,
    SegmentList,
)
from .routes import ColorSteering
from .segments import Segment, SidSegment, parse
from .sr_db import KnownSid, Link, Node, SrDb
from .steering import Color, ColorOnly

Written = Mapping[str, Any]


def read_policy(headend: Address, given: Written) -> Policy:
    """A policy of a headend. KeyError for what is missing, TypeError or ValueError for what can't be."""
    rest = dict(given)
    id = PolicyId(headend, rest.pop("color"), ip_address(rest.pop("endpoint")))
    return Policy(id, tuple(_read_candidate(one) for one in rest.pop("candidate_paths")), **rest)


def write_policy(policy: Policy) -> dict[str, Any]:
    """What `read_policy` makes this policy of, at its headend."""
    return {
        **_plain(policy.id, "color", "endpoint"),
        **_plain(policy, "name", "priority", "keep_installed", "specified_bsid_only", "drop_upon_invalid"),
        "candidate_paths": [_write_candidate(one) for one in policy.candidates],
    }


def _read_candidate(given: Written) -> CandidatePath:
    rest = dict(given)
    identity: dict[str, Any] = {
        key: rest.pop(key) for key in ("protocol_origin", "discriminator") if key in rest
    }
    if "originator" in rest:
        asn, _, node = rest.pop("originator").partition(":")
        identity["originator"] = Originator.of(int(asn), ip_address(node))
    if "binding_sid" in rest:
        rest["binding_sid"] = IPv6Address(rest["binding_sid"])
    rest["checks"] = frozenset(Check[one] for one in rest.get("checks", ()))
    return CandidatePath(_read_path(rest), CandidateId(**identity), **rest)


def _read_path(rest: dict[str, Any]) -> Path:
    if "composite" in rest:
        return Composite(tuple(Constituent(**one) for one in rest.pop("composite")))
    if "dynamic" in rest:
        wanted = {key: frozenset(value) for key, value in rest["dynamic"].items() if key != "metric"}
        return Dynamic(Metric[rest.pop("dynamic").get("metric", "igp").upper()], **wanted)
    return Explicit(tuple(_read_list(one) for one in rest.pop("segment_lists")))


def _read_list(given: Written) -> SegmentList:
    rest = dict(given)
    return SegmentList(tuple(parse(one) for one in rest.pop("segments")), **rest)


def _write_candidate(one: CandidatePath) -> dict[str, Any]:
    identity = _plain(one.id, "protocol_origin", "discriminator", "originator")
    own = _plain(one, "checks", "binding_sid", "preference", "priority", "name")
    return {**identity, **own, **_write_path(one.path)}


def _write_path(path: Path) -> dict[str, Any]:
    if isinstance(path, Explicit):
        return {"segment_lists": [_write_list(one) for one in path.lists]}
    if isinstance(path, Dynamic):
        constraints = (one.name for one in fields(path) if one.name != "metric")
        return {"dynamic": {"metric": path.metric.name.lower(), **_plain(path, *constraints)}}
    return {"composite": [_plain(one) for one in path.constituents]}


def _write_list(given: SegmentList) -> dict[str, Any]:
    return {"segments": [_write_segment(one) for one in given.segments], **_plain(given, "weight")}


def _write_segment(segment: Segment) -> str | dict[str, Any]:
    if isinstance(segment, SidSegment) and not segment.behavior:
        return str(segment.sid)
    keys = (one.name for one in fields(segment) if one.name != "type")
    return {"type": segment.type.letter, **_plain(segment, *keys)}


def read_steering(given: Written, by: str) -> ColorSteering:
    """What is steered, `by` its "colors" or by the "classes" of an array."""
    chosen: dict[str, Any] = {}
    if by == "colors":
        flags = ((one["color"], ColorOnly.of(one.get("co", 0))) for one in given["colors"])
        chosen["colors"] = tuple(Color(*one) for one in flags)
    else:
        chosen["classes"] = tuple((int(number), color) for number, color in given["classes"].items())
    sid = IPv6Address(given["sid"]) if "sid" in given else None
    plain = {key: given[key] for key in ("mode", "table") if key in given}
    otherwise = tuple(given.get("otherwise", ()))
    prefix, endpoint = ip_network(given["prefix"]), ip_address(given["endpoint"])
    return ColorSteering(prefix, endpoint, sid=sid, otherwise=otherwise, **chosen, **plain)


def write_steering(one: ColorSteering) -> dict[str, Any]:
    """What `read_steering` makes this of, of colors without flags."""
    by: dict[str, Any] = {"colors": [{"color": color.number} for color in one.colors]}
    if one.classes:
        by = {"classes": {str(number): color for number, color in one.classes}}
    ends = _plain(one, "prefix", "endpoint")
    return {**ends, "mode": one.mode, "otherwise": list(one.otherwise), **_plain(one, "sid"), **by}


def read_db(given: Written) -> SrDb:
    """An SR database; a SID over a link names that by the two addresses of it."""
    links = tuple(_read_link(one) for one in given["links"])
    ends = {(str(one.local), str(one.remote)): one for one in links}
    nodes = (Node(one["name"], tuple(map(ip_network, one["prefixes"]))) for one in given["nodes"])
    return SrDb(tuple(nodes), links, tuple(_read_sid(one, ends) for one in given["sids"]))


def write_db(db: SrDb) -> dict[str, Any]:
    """What `read_db` makes this database of."""
    return {
        "nodes": [{"name": one.name, "prefixes": list(map(str, one.prefixes))} for one in db.nodes],
        "links": [_plain(one) for one in db.links],
        "sids": [_write_sid(one) for one in db.sids],
    }


_SETS = ("affinities", "srlgs")


def _read_link(given: Written) -> Link:
    rest = {**given, "local": ip_address(given["local"]), "remote": ip_address(given["remote"])}
    return Link(**rest | {key: frozenset(given.get(key, ())) for key in _SETS})


def _read_sid(given: Written, ends: Mapping[tuple[str, str], Link]) -> KnownSid:
    over = {"link": ends[given["link"][0], given["link"][1]]} if "link" in given else {}
    return KnownSid(**{**given, "sid": IPv6Address(given["sid"]), **over})


def _write_sid(known: KnownSid) -> dict[str, Any]:
    over = {"link": [str(known.link.local), str(known.link.remote)]} if known.link else {}
    return {**_plain(known, "sid", "node", "behavior", "algorithm"), **over}


def _plain(value: Any, *names: str) -> dict[str, Any]:
    """The fields of these names, or all, that don't stand at their defaults."""
    default = {one.name: one.default for one in fields(value)}
    given = {name: getattr(value, name) for name in names or default}
    return {name: _text(one) for name, one in given.items() if one != default[name]}


def _text(value: Any) -> Any:
    """As JSON has it: a set is a sorted list, a Check is its name, an address is its text."""
    if isinstance(value, frozenset):
        return sorted(map(_text, value))
    if isinstance(value, Check):
        return value.name
    return value if isinstance(value, int) else str(value)
