"""What is wrong with an address or a prefix that `ipaddress` refuses, and the one that was meant.

Its own words change from one Python to the next, and "has host bits set" mends nothing.
"""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import Any

_KINDS = re.compile(r"ip_(v4|v6|any)_(address|network|interface)")


def address_problem(name: str, value: Any, kinds: set[str]) -> tuple[str, str] | None:
    """What and mend, or nothing if no finding of these kinds is about an address."""
    found = [match for kind in kinds if (match := _KINDS.fullmatch(kind))]
    if "zone" in kinds:
        return f"{name} names a zone after `%`", "write the address without `%…`"
    if not found and "not_text" not in kinds:
        return None
    if not isinstance(value, str):
        return f"{name} must be an address, not {_shown(value)}", "write the address as text, in quotes"
    shape = found[0].group(2)
    family = found[0].group(1) if len(found) == 1 else "any"
    return _words(name, value, shape, family)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else str(value).lower()[:60]


def _words(name: str, text: str, shape: str, family: str) -> tuple[str, str]:
    address, slash, length = text.partition("/")
    noun = {"address": "an address", "network": "a prefix", "interface": "an address with a prefix length"}[
        shape
    ]
    wanted = {"v4": "IPv4", "v6": "IPv6"}.get(family, "IP")
    if (fault := _fault(address)) is not None:
        return (
            f"{name} can't be `{_cut(text)}`: {fault}",
            f"write {noun}, such as {_example(shape, family, address)}",
        )
    version = ip_address(address).version
    if family != "any" and family != f"v{version}":
        what = f"{name} takes {wanted}, and {text} is IPv{version}"
        return what, f"write {_article(noun, wanted)}, such as {_example(shape, family, '')}"
    if shape == "address" and slash:
        return f"{name} takes {noun} without a prefix length", f'write "{address}"'
    return _bad_length(name, text, length, version)


def _article(noun: str, wanted: str) -> str:
    return f"an {wanted} {noun.split(' ', 1)[1]}"


def _bad_length(name: str, text: str, length: str, version: int) -> tuple[str, str]:
    """The address is sound; so it is the length, or the bits behind it."""
    most = 32 if version == 4 else 128
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return (
            f"{name} can't be `{_cut(text)}`: `/{_cut(length)}` is no prefix length",
            f"write /0 to /{most}",
        )
    return f"{name} {text} has host bits set: it is an address in {network}", f'write "{network}"'


def _example(shape: str, family: str, address: str) -> str:
    v6 = family == "v6" or (family == "any" and ":" in address)
    tail = {"address": "1", "network": "/64", "interface": "1/64"} if v6 else {}
    if v6:
        return f'"2001:db8:1::{tail[shape]}"'
    return {"address": "10.0.0.1", "network": "10.0.0.0/24", "interface": "10.0.0.1/24"}[shape]


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"


def _fault(text: str) -> str | None:
    """What is wrong with the address itself."""
    try:
        ip_address(text)
    except ValueError:
        return _v6_fault(text) if ":" in text else _v4_fault(text)
    return None


def _v4_fault(text: str) -> str:
    parts = text.split(".")
    if len(parts) == 1 or not re.fullmatch(r"[0-9.]+", text):
        return "this is no address"
    if len(parts) != 4 or "" in parts:
        return "an IPv4 address has four numbers"
    if large := next((part for part in parts if int(part[:9]) > 255), None):
        return f"{_cut(large)} is more than 255"
    return "a number starts with 0"


def _v6_fault(text: str) -> str:
    if text.count("::") > 1 or ":::" in text:
        return "`::` may stand once only"
    groups = [group for group in text.split(":") if group]
    if "." in text:
        return "the IPv4 part at its end is wrong"
    if strange := re.search(r"[^0-9A-Fa-f:]", text):
        return f"`{strange.group()}` is no hexadecimal digit"
    if long := next((group for group in groups if len(group) > 4), None):
        return f"`{_cut(long)}` has more than four digits"
    if len(groups) > 8 or (len(groups) == 8 and "::" in text):
        return "an IPv6 address has eight groups at most"
    return "an IPv6 address has eight groups, or `::` in place of some"
