"""What the JSON Schema of a topology's model has to take besides, because the loader makes a model's values of it."""

from __future__ import annotations

import re
from typing import Any

from srv6lab.topology.large.links import SHORT
from srv6lab.topology.scalars import NAME

Schema = dict[str, Any]

_HOLE = r"\{[A-Za-z_][A-Za-z0-9_]*\}"
_END = rf"([0-9]{{1,12}}|{_HOLE})"
TEMPLATE = rf"{_HOLE}|\[{_END}-{_END}\]"
OWN_KEY = "^x-"
SHORT_LINK = SHORT.pattern
A_TEMPLATE: Schema = {"$ref": "#/$defs/template"}
_PLAIN = ("string", "integer", "number", "boolean")
_WHERE = ("title", "description", "default")
_ASIDE = ("include", "vars")  # they hold what others are made of


def or_template(schema: Schema) -> Schema:
    """What may stand there, or a text of which the loader makes it."""
    return {"anyOf": [schema, A_TEMPLATE]}


def short_schema(schema: Schema) -> Schema:
    """The schema of the short file of which a model's values are made."""
    needs = {name: schema["$defs"][name]["required"] for name in ("Link", "Node")}
    whole = schema.pop("required")
    found: Schema = {key: _widened(value) for key, value in schema.items() if key != "properties"}
    parts = schema["properties"]
    found["properties"] = {key: one if key in _ASIDE else _widened(one) for key, one in parts.items()}
    found["patternProperties"] = {OWN_KEY: {}}
    found["$defs"]["template"] = {"type": "string", "pattern": TEMPLATE}
    link = found["$defs"]["Link"]
    found["$defs"]["Link"]["required"] = [key for key in needs["Link"] if key not in ("name", "prefix")]
    found["$defs"]["Node"].pop("required")
    ends = link["properties"]["endpoints"]
    ends["items"] = {"anyOf": [ends["items"], {"type": "string", "pattern": NAME}, A_TEMPLATE]}
    at = found["$defs"]["Endpoint"]["properties"]
    at["at"] = {"anyOf": [at["at"], {"type": "string", "pattern": NAME}]}
    links, nodes = found["properties"]["links"], found["properties"]["nodes"]
    links["items"] = {"anyOf": [links["items"], {"type": "string", "pattern": SHORT_LINK}, A_TEMPLATE]}
    named = nodes["patternProperties"]
    nodes["patternProperties"] = {key: {"anyOf": [one, {"type": "null"}]} for key, one in named.items()}
    prefix = [key for key in needs["Link"] if key == "prefix"]
    found["allOf"] = [*_rules(whole, prefix)]
    return found


def _rules(whole: list[str], prefix: list[str]) -> list[Schema]:
    """What a file says itself if it takes it from nowhere else."""
    included: Schema = {"required": ["include"]}
    pooled: Schema = {"required": ["pools"], "properties": {"pools": {"required": ["links"]}}}
    ranged: Schema = {"properties": {"nodes": {"propertyNames": {"not": {"pattern": TEMPLATE}}}}}
    shared: Schema = {"anyOf": [included, {"required": ["groups"]}, {"not": ranged}]}
    link: Schema = {"type": "object", "required": prefix}
    node: Schema = {"type": "object", "required": ["role"]}
    return [
        {"anyOf": [included, {"required": whole}]},
        {"anyOf": [included, pooled, {"properties": {"links": {"items": link}}}]},
        {"anyOf": [shared, {"properties": {"nodes": {"additionalProperties": node}}}]},
    ]


def _widened(schema: Any) -> Any:
    """With a template beside every single value that isn't a free text."""
    if isinstance(schema, list):
        return [_widened(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if _single(schema):
        around = {key: value for key, value in schema.items() if key in _WHERE}
        inside = {key: value for key, value in schema.items() if key not in _WHERE}
        return schema if _free(schema) else {**around, **or_template(inside)}
    if "anyOf" in schema:
        plain = [one for one in schema["anyOf"] if _single(one) and not _free(one)]
        branches = [one if _single(one) else _widened(one) for one in schema["anyOf"]]
        return {**schema, "anyOf": [*branches, *([A_TEMPLATE] if plain else [])]}
    found = {
        key: value if key in ("default", "required") else _widened(value) for key, value in schema.items()
    }
    if "patternProperties" in found:
        ((_, value),) = found["patternProperties"].items()
        found["patternProperties"] = {**found["patternProperties"], TEMPLATE: value}
    return found


def _single(schema: Schema) -> bool:
    return schema.get("type") in _PLAIN or "const" in schema or "enum" in schema


def _free(schema: Schema) -> bool:
    """Whether any text may stand there."""
    kept = re.search(schema.get("pattern", ""), "{n}") and re.search(schema.get("pattern", ""), "[1-2]")
    return schema.get("type") == "string" and bool(kept) and "enum" not in schema and "const" not in schema
