"""The JSON Schema in docs/ is the one of the model, and knows what the labs use."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from srv6lab.srv6.behaviors import BEHAVIORS
from srv6lab.srv6.flavors import flavored
from srv6lab.topology.json_schema import json_schema
from srv6lab.topology.messages.pydantic_messages import PATTERNS
from srv6lab.topology.yaml.source import parse

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "docs" / "topology.schema.json"
LABS = sorted(ROOT.glob("labs/*/topology.yml"))


def test_the_file_is_current() -> None:
    current = json.dumps(json_schema(), indent=2, sort_keys=True) + "\n"
    hint = "run `python -m srv6lab.topology > docs/topology.schema.json`"
    assert SCHEMA.read_text(encoding="utf-8") == current, hint


def patterns(schema: Any) -> set[str]:
    if isinstance(schema, dict):
        own = {schema["pattern"]} if isinstance(schema.get("pattern"), str) else set()
        own |= set(schema["patternProperties"]) if "patternProperties" in schema else set()
        return own.union(*(patterns(value) for key, value in schema.items() if key != "not"))
    return set().union(*(patterns(item) for item in schema)) if isinstance(schema, list) else set()


def test_every_pattern_has_words() -> None:
    """A new pattern needs a line in messages/pydantic_messages.py, or the author is shown a regex."""
    assert patterns(json_schema()) - set(PATTERNS) == set()


def unknown_keys(schema: dict[str, Any], data: Any, root: dict[str, Any]) -> set[str]:
    """The keys of the data that an editor would underline."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    if branches := schema.get("anyOf"):
        fit = [one for one in branches if "$ref" in one or one.get("type") in ("array", "object")]
        found = [unknown_keys(one, data, root) for one in fit if isinstance(data, (dict, list))]
        return min(found, key=len, default=set())
    if isinstance(data, list):
        return set().union(*(unknown_keys(schema.get("items", {}), item, root) for item in data))
    if not isinstance(data, dict):
        return set()
    known = schema.get("properties", {})
    other = next(iter(schema.get("patternProperties", {}).values()), schema.get("additionalProperties"))
    found: set[str] = set()
    for key, value in data.items():
        below = known.get(key, other)
        found |= unknown_keys(below, value, root) if isinstance(below, dict) else set() if below else {key}
    return found


@pytest.mark.parametrize("path", LABS, ids=lambda path: path.parent.name)
def test_knows_every_key_of_a_lab(path: Path) -> None:
    data = parse(path.read_bytes(), path.name).data
    assert unknown_keys(json_schema(), data, json_schema()) == set()


def test_sees_a_key_that_is_unknown() -> None:
    """The walk above isn't blind."""
    data = {"nodes": {"pa": {"rolle": "host"}}, "links": [{"endpoints": [{"att": "x"}, "pb:eth1"]}], "nme": 1}
    assert unknown_keys(json_schema(), data, json_schema()) == {"rolle", "att", "nme"}


def test_the_document_names_every_behavior_with_its_parameters_and_flavors() -> None:
    text = (ROOT / "docs" / "topology.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `End")]
    for name, behavior in BEHAVIORS.items():
        (row,) = [row for row in rows if f"`{name}`" in row]
        cells = row.strip("|").split("|")
        assert set(behavior.parameters) <= set(re.findall(r"[a-z0-9]+", cells[1])), name
        assert re.findall(r"`([A-Z-]+)`", cells[2]) == _flavors(name), name


def _flavors(behavior: str) -> list[str]:
    """Those that Linux has, one by one."""
    return [one.flavors[0] for one in flavored(behavior) if one.kernel_since and len(one.flavors) == 1]
