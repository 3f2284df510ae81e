"""The JSON Schema in docs/ is the one of the model, and docs/topology.md says what it says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from srv6lab.srv6.behaviors import BEHAVIORS
from srv6lab.srv6.flavors import flavored
from srv6lab.topology.json_schema import json_schema
from srv6lab.topology.local_sid import KEYS
from srv6lab.topology.messages.pydantic_messages import PATTERNS

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "docs" / "topology.schema.json"


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


def test_the_document_names_every_behavior_with_its_parameters_and_flavors() -> None:
    text = (ROOT / "docs" / "topology.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `End")]
    for name, behavior in BEHAVIORS.items():
        (row,) = [row for row in rows if f"`{name}`" in row]
        cells = row.strip("|").split("|")
        assert {KEYS.get(one, one) for one in behavior.parameters} <= set(
            re.findall(r"[a-z0-9]+", cells[1])
        ), name
        assert re.findall(r"`([A-Z-]+)`", cells[2]) == _flavors(name), name


def _flavors(behavior: str) -> list[str]:
    """Those that Linux has, one by one."""
    return [one.flavors[0] for one in flavored(behavior) if one.kernel_since and len(one.flavors) == 1]
