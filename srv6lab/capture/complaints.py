"""What tshark finds wrong in a frame, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def complaint(layers: Mapping[str, Any]) -> str:
    """What is wrong in a malformed frame: where tshark stopped, and its expert's words."""
    words = dict.fromkeys(word for word in _experts(layers) if "Exception occurred" not in word)
    last = layers["frame"]["frame_frame_protocols"].rpartition(":")[2]
    return "; ".join([f"tshark stops in {last}", *words])


def _experts(layer: Any) -> Iterator[str]:
    if isinstance(layer, Mapping):
        for name, value in layer.items():
            if name == "_ws_expert__ws_expert_message":
                yield from map(str, (value if isinstance(value, list) else [value]))
            else:
                yield from _experts(value)
    elif isinstance(layer, list):
        for one in layer:
            yield from _experts(one)
