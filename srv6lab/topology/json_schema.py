"""The JSON Schema of `topology.yml`, for editors: the model's, and of the checks' rules those that one part of a file
can break alone. What parts mean together, and what an address means, only the loader sees.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from srv6lab.srv6.behaviors import BEHAVIORS, Behavior
from srv6lab.srv6.flavors import flavored, in_linux
from srv6lab.topology.checks.actions import FAMILIES, LONGEST_CHAIN, OWN
from srv6lab.topology.checks.changes import ROUTE_WORDS, SID_WORDS
from srv6lab.topology.checks.names import DEVICES
from srv6lab.topology.checks.own import NO_FILES
from srv6lab.topology.checks.services import TAKEN
from srv6lab.topology.exercises import PROBE_KINDS
from srv6lab.topology.expectations import PacketExpectation
from srv6lab.topology.large.schema import A_TEMPLATE, or_template, short_schema
from srv6lab.topology.like import FILLED
from srv6lab.topology.local_sid import KEYS, LocalSid
from srv6lab.topology.messages.pydantic_messages import PATTERNS
from srv6lab.topology.model import Topology
from srv6lab.topology.notation import ETHERNET, LINE, PROTOCOLS
from srv6lab.topology.scalars import ENDPOINT
from srv6lab.topology.steering import FRAMES
from srv6lab.topology.walks import LEGS

Schema = dict[str, Any]

_SEVERAL = (
    ("Link", "prefix"),
    ("Endpoint", "address"),
    ("Node", "loopback"),
    ("IsisLink", "metric"),
    ("IsisLink", "authentication"),
    ("OspfLink", "cost"),
    ("Vrf", "sid"),
)
_NOTHING: Schema = {"enum": [None, []]}
_FAMILY = {4: or_template({"pattern": "^[^:]*$"}), 6: or_template({"pattern": ":"})}
_ENDS = ("source", "destination")
_NO_DEVICE = {"not": {"enum": sorted(DEVICES)}}


def json_schema() -> Schema:
    """The schema; its lists stand for tuples, as YAML has them."""
    plain = Topology.model_json_schema(by_alias=True)
    for owner, key in _SEVERAL:
        # A value is short for a list of it.
        known = plain["$defs"][owner]["properties"][key]
        kinds = [known["items"], _bare(known), *([] if "minItems" in known else [{"type": "null"}])]
        plain["$defs"][owner]["properties"][key] = _words(known) | {"anyOf": kinds}
    schema = short_schema(plain)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "srv6lab topology"
    endpoints = schema["$defs"]["Link"]["properties"]["endpoints"]
    endpoints["items"]["anyOf"].append({"type": "string", "pattern": ENDPOINT})
    for leg in LEGS:
        wire = {"propertyNames": {"not": {"pattern": "^lost at "}}}
        line = _when(wire, {"additionalProperties": or_template({"pattern": LINE})})
        schema["$defs"]["Walk"]["properties"][leg]["items"] |= line
    schema["$defs"]["Exercise"]["required"].remove("expect")  # of one that is like another it is that one's
    for name, rules in _RULES.items():
        model = schema["$defs"][name] if name else schema
        model["allOf"] = [*model.get("allOf", ()), *rules]
    schema["$defs"]["LocalSid"]["properties"]["behavior"] = or_template({"enum": list(BEHAVIORS)})
    shared: Schema = {}
    finished: Schema = _finished(schema, shared)
    finished["$defs"] |= shared
    return finished


def _words(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key in ("title", "default", "description")}


def _bare(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key not in _words(schema)}


def _finished(schema: Any, shared: Schema) -> Any:
    """A mapping has no keys but those of the pattern for them, and editors say a pattern's words. What addresses look
    like is long, and `shared`."""
    if isinstance(schema, list):
        return [_finished(item, shared) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: value if key == "not" else _finished(value, shared) for key, value in schema.items()}
    if "patternProperties" in found:
        found["additionalProperties"] = False
    if isinstance(pattern := found.get("pattern"), str):
        found["patternErrorMessage"] = f"allowed: {PATTERNS[pattern]}"
    if isinstance(name := found.get("format"), str):
        keys = ("type", "format", "pattern", "patternErrorMessage")
        shared[name] = {key: found.pop(key) for key in keys}
        found["$ref"] = f"#/$defs/{name}"
    return found


# --- the words of rules


def _each(keys: tuple[str, ...], rule: Schema | bool) -> Schema:
    return {"properties": dict.fromkeys(keys, rule)}


def _given(*keys: str) -> Schema:
    """Null and an empty list say as much as a key that isn't there."""
    return {"required": [*keys], **_each(keys, {"not": _NOTHING})}


def _without(*keys: str) -> Schema:
    return _each(keys, _NOTHING)


def _is(key: str, value: Any) -> Schema:
    return {"required": [key], **_each((key,), {"const": value})}


def _when(one: Schema, *then: Schema) -> Schema:
    return {"if": one, "then": {"allOf": [*then]}}


def _like() -> Schema:
    """An exercise sends and expects something, or it is like another and says nothing of that."""
    own = {"anyOf": [_given("probes"), _given("steps"), _each(("expect",), _given("control"))]}
    rest = {"not": {"anyOf": [{"required": [key]} for key in FILLED]}}
    return {"if": {"required": ["like"]}, "then": rest, "else": {"required": ["expect"], **own}}


def _one_of(*keys: str) -> Schema:
    return {"oneOf": [_given(key) for key in keys]}


# Only Day0 binds the SIDs of SR proxies, and those that look into a VRF.
_OF_THE_KERNEL = {
    "properties": {
        "vrf": _NOTHING,
        "behavior": or_template(
            {"enum": [one.name for one in BEHAVIORS.values() if one.served_by == "kernel"]}
        ),
    },
}


def _one_family(*keys: str) -> Schema:
    return {"anyOf": [_each(keys, family) for family in _FAMILY.values()]}


# --- the rules, of each model


def _probe() -> Iterator[Schema]:
    yield _one_of(*(kind.key for kind in PROBE_KINDS))
    yield {"anyOf": [_given("to"), _given("destination")]}
    yield _when(_given("rate"), _without("interval"))
    yield _when(_is("oam", True), _given("segments"))
    for kind in PROBE_KINDS:
        if not kind.ports:
            yield _when(_given(kind.key), _each(("port",), False))
        if not kind.segments:
            yield _when(_given(kind.key), _without("segments"))
        if not kind.answered:
            yield _when(_given(kind.key), _without("answered"))
        more = {"hops": kind.grows, "hop_limit": not kind.grows, "rate": kind.rated}
        yield _when(_given(kind.key), *(_without(key) for key, has in more.items() if not has))
        if not kind.counted:
            whole = _each(("answered",), or_template({"enum": ["all", "none", None]}))
            yield _when(_given(kind.key), _given("to"), _each(("size", "interval"), False), whole)


def _local_sid() -> Iterator[Schema]:
    parameters = {"vrf", *(key for one in BEHAVIORS.values() for key in _keys(one))}
    parameters &= LocalSid.model_fields.keys()
    for name, one in BEHAVIORS.items():
        keys = _keys(one)
        tables = {"table", "vrf"} & {*keys, *(["vrf"] if "table" in keys else [])}
        others = sorted(parameters - {*keys} - tables)
        has = {flavor for known in flavored(name) if known.kernel_since for flavor in known.flavors}
        flavors = [flavor for flavor in in_linux() if flavor in has]
        fits = _each(("flavors",), {"items": or_template({"enum": flavors})} if flavors else _NOTHING)
        has_all = _given(*(sorted({*keys} - tables)))
        table = [_one_of(*sorted(tables))] if tables else []
        if "policy" in keys and "service" not in keys:
            fits["properties"]["policy"] = _without("source")
        yield _when(_is("behavior", name), has_all, *table, _without(*others), fits)
    yield _each(("flavors",), {"uniqueItems": True})


def _keys(one: Behavior) -> list[str]:
    return [KEYS.get(name, name) for name in one.parameters]


def _header() -> Iterator[Schema]:
    yield _one_family(*_ENDS)
    yield _when(_is("protocol", "icmp"), _each(_ENDS, _FAMILY[4]))
    yield _when(_is("protocol", "icmpv6"), _each(_ENDS, _FAMILY[6]))


def _tunnel() -> Iterator[Schema]:
    yield from _header()
    yield _when(_given("segment_list"), _each(_ENDS, _FAMILY[6]))
    yield _when(_is("segment_list", []), _without("segments_left"))


def _packet() -> Iterator[Schema]:
    yield from _tunnel()
    yield _when(_given("segment_list"), _each(("next_header",), {"not": {"enum": [*PROTOCOLS, ETHERNET]}}))
    yield _when(_is("segment_list", []), _each(("next_header",), {"not": {"const": "routing"}}))
    more = tuple(
        key for key in PacketExpectation.model_fields if key not in ("at", "direction", "probe", "absent")
    )
    yield _when(_is("absent", True), _each(more, {"type": "null"}))
    yield _when(_given("share"), _without("count"))


def _firewall() -> Iterator[Schema]:
    other = {4: "icmpv6", 6: "icmp"}
    for tool, version in FAMILIES.items():
        protocol = _each(("protocol",), {"not": {"const": other[version]}})
        name = _each(("name",), or_template({"maxLength": LONGEST_CHAIN - len(OWN)}))
        yield _when(_is("tool", tool), _without("inner"), _each(_ENDS, _FAMILY[version]), protocol, name)
    yield _when(_is("tool", "nftables"), _given("inner"), _without(*_ENDS, "protocol"))


def _service() -> Iterator[Schema]:
    yield {"anyOf": [_given("netns", "ports"), {"allOf": [_without("netns", "ports"), _given("listen")]}]}
    yield _when(_is("sr_aware", True), _each(("frames",), or_template({"const": "all"})))


def _route() -> Iterator[Schema]:
    """Only a link says which of its neighbors has a link-local address."""
    yield _one_family("prefix", "via")
    yield {"anyOf": [_given("via"), _given("nic"), _given("type")]}
    yield _when(_given("type"), _without("via", "nic"), _each(("weight",), or_template({"const": 1})))
    link_local = {"type": "string", "pattern": "^[Ff][Ee][89ABab]"}
    yield _when({"not": _each(("via",), {"not": link_local})}, _given("nic"))


def _steering() -> Iterator[Schema]:
    """Nothing takes IPv4 out of SRv6 behind a policy but the SID of a service."""
    by_color = {"match": _each(("prefix",), {"pattern": "^[^:{[]*$"}), "to": {"required": ["endpoint"]}}
    yield _when({"required": [*by_color], "properties": by_color}, _each(("to",), _given("sid")))
    frames = {"required": ["mode"], "properties": {"mode": {"enum": [*FRAMES]}}}
    any_mode = {"required": ["mode"], "properties": {"mode": A_TEMPLATE}}
    of_frames = {"properties": {"match": {"required": ["nic"]}, "to": {"required": ["segments"]}}}
    of_packets = {"properties": {"match": {"required": ["prefix"]}}}
    yield {"anyOf": [any_mode, {"if": frames, "then": of_frames, "else": of_packets}]}
    chosen = {"to": {"required": ["endpoint"]}}
    narrow = _each(("match",), _without("source", "nic", "table"))
    yield _when({"required": [*chosen], "properties": chosen}, narrow)


def _match() -> Iterator[Schema]:
    yield _one_family("prefix", "source")
    yield _when(_given("table"), _without("source", "nic"))
    yield _when(_given("vrf"), _without("source", "nic", "table"))


_RULES: dict[str, list[Schema]] = {
    "": [
        _each(("name",), _NO_DEVICE),
        _each(("nodes",), {"propertyNames": {"not": {"enum": [*sorted(DEVICES), "localhost"]}}}),
        _each(("nodes",), {"propertyNames": {"not": {"pattern": "-$"}}}),
    ],
    "AlertExpectation": [_when(_is("absent", True), _without("count"))],
    "CandidatePath": [_one_of("segment_lists", "dynamic", "composite")],
    "ColorTarget": [_one_of("colors", "array")],
    "CounterExpectation": [_one_of("firewall", "sid")],
    "Exercise": [
        _like(),
        _each(("name",), _NO_DEVICE),
    ],
    "Firewall": [*_firewall()],
    "Flow": [_when(_given("port"), _given("protocol")), _one_family(*_ENDS)],
    "Group": [_each(("members",), {"uniqueItems": True})],
    "Impairment": [{"anyOf": [_given("loss"), _given("delay")]}],
    "Inner": [*_header()],
    "LocalSid": [*_local_sid()],
    "Match": [*_match()],
    "Middle": [*_tunnel()],
    "NodeFile": [
        _one_of("source", "content"),
        _each(("path",), {"not": {"pattern": f"^/(?:{'|'.join(NO_FILES)})(?:/|$)"}}),
    ],
    "PacketExpectation": [*_packet()],
    "Port": [
        _each(("outside", "inside"), {"not": {"enum": [*TAKEN]}}),
        _each(("outside",), {"not": {"pattern": "^eth[0-9]+$"}}),
    ],
    "Probe": [*_probe()],
    "Route": [*_route(), _when(_given("vrf"), _without("table"))],
    "RouteAt": [*_route(), _without("vrf")],
    "RouteChange": [_one_of(*ROUTE_WORDS)],
    "Rule": [_one_family("from", "to")],
    "Service": [*_service()],
    "SidChange": [_one_of(*SID_WORDS), _each(("add",), _OF_THE_KERNEL)],
    "Steering": [*_steering()],
    "Vrf": [
        {"anyOf": [_given("import"), _given("import_vrf")]},
        _when(_given("behavior"), _each(("sid",), {"maxItems": 1})),
    ],
    # A headend's agent keeps what is steered by color, so an exercise can't change it.
    "SteeringAction": [_each(("steering",), _each(("to",), _without("endpoint")))],
}
