"""The long file of a short one, as YAML that loads as the same lab: for its author to read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Writes what stands in several places in each of them."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> yaml.MappingNode:
        """On one line if it holds nothing but values and lists of them."""
        node = super().represent_mapping(tag, mapping, flow_style)
        node.flow_style = all(isinstance(one, yaml.ScalarNode) or _listed(one) for _, one in node.value)
        return node


def _listed(node: yaml.Node) -> bool:
    return isinstance(node, yaml.SequenceNode) and bool(node.flow_style)


def long_file(data: Mapping[str, Any]) -> str:
    """Innermost lists and mappings on a line each, as people write them; TAB and the like are escaped."""
    text: str = yaml.dump(
        dict(data), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000, default_flow_style=None
    )
    return text
