"""The configuration of the headend of `network`."""

from __future__ import annotations

from typing import Any

ENDS = {"h": 1, "m": 2, "n": 3, "e": 4}
CABLES = {"12": ("h", "m"), "13": ("h", "n"), "24": ("m", "e"), "34": ("n", "e")}
M, N, E, BSID, OVER_LINK = "fc00:2::a", "fc00:3::a", "fc00:4::a", "fc00:1::b", "fc00:1::2"


def candidate(preference: int, *lists: tuple[list[str], int], **more: Any) -> dict[str, Any]:
    written = [{"segments": segments, "weight": weight} for segments, weight in lists]
    return {"preference": preference, "discriminator": preference, "segment_lists": written} | more


def policy(color: int, *candidates: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"color": color, "endpoint": "fc00:4::1", "candidate_paths": list(candidates), **more}


def steer(*colors: int, prefix: str = "10.0.2.0/24", **more: Any) -> dict[str, Any]:
    shown = [{"color": color} for color in colors]
    return {"prefix": prefix, "endpoint": "fc00:4::1", "colors": shown, "sid": "fc00:4::d4", **more}


def config(
    *policies: dict[str, Any], steering: list[dict[str, Any]] | None = None, **more: Any
) -> dict[str, Any]:
    links = []
    for name, ends in CABLES.items():
        for here, there in (ends, ends[::-1]):
            local, remote = f"2001:{name}::{ENDS[here]}", f"2001:{name}::{ENDS[there]}"
            links.append({"node": here, "neighbor": there, "local": local, "remote": remote})
    return {
        "node": "h",
        "address": "fc00:1::1",
        "nics": {"2001:12::1": "e1", "2001:13::1": "e2"},
        "db": {
            "nodes": [{"name": name, "prefixes": [f"fc00:{number}::/64"]} for name, number in ENDS.items()],
            "links": links,
            "sids": [{"sid": f"fc00:{number}::a", "node": name} for name, number in ENDS.items()]
            + [{"sid": "fc00:4::d4", "node": "e", "behavior": "End.DX4"}]
            + [{"sid": OVER_LINK, "node": "h", "behavior": "End.X", "link": ["2001:12::1", "2001:12::2"]}],
        },
        "policies": list(policies),
        "steering": [steer(10)] if steering is None else steering,
        **more,
    }
