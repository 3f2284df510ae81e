"""Checks of the HMACs of SRHs: who signs has the key, and so have those who verify."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.errors import Problem
from srv6lab.topology.checks.facts import Facts
from srv6lab.topology.checks.registry import Locate, check, warning


@check
def signer_has_the_key(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.policies:
        number, node = item.value.hmac, view.nodes.get(item.value.headend)
        if number is None:
            continue
        where = locate((*item.path, "hmac"))
        if not item.value.segments:
            yield Problem(
                where, "what SR policies push isn't signed", "take `hmac` away, or `to: {segments: […]}`"
            )
        elif node is not None and str(number) not in node.hmac_keys:
            has = f"its keys: {', '.join(node.hmac_keys)}" if node.hmac_keys else "it has none"
            mend = f"write it under nodes.{item.value.headend}.hmac_keys; {has}"
            yield Problem(where, f"{item.value.headend} has no key {number}", mend)


@check
def verifiers_have_the_key(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Linux throws away an SRH with an HMAC of a key that it hasn't, also where none is required."""
    for item in view.policies:
        number, headend = str(item.value.hmac), view.nodes.get(item.value.headend)
        if headend is None or number not in headend.hmac_keys:
            continue
        listed = (
            ((*place, "segments", n), sid)
            for place, one in item.value.lists
            for n, sid in enumerate(one.segments)
        )
        for place, segment in listed:
            owner, _ = view.owner(segment)
            node = view.nodes.get(owner.value.node) if owner else None
            if owner is None or node is None or node.hmac_check == "never":
                continue
            if node.hmac_keys.get(number) != headend.hmac_keys[number]:
                what = f"{owner.value.node}, where {segment} is, hasn't that key {number}, and throws the packet away"
                mend = f"give {owner.value.node} the same key, or `hmac_check: never`"
                yield warning(locate((*item.path, "to", *place)), what, mend)
