"""Rules of a firewall that faults lay; no kind of fault by itself."""

from __future__ import annotations

OPEN = "nft delete table inet filter"


def dropping(family: str, hook: str, what: str) -> tuple[str, ...]:
    """Commands that drop what a rule of nftables tells, where a packet comes in, out, or through."""
    of = {"ip": "meta nfproto ipv4", "ip6": "meta nfproto ipv6"}[family]
    return ruled(hook, f"{of} {what} drop")


def ruled(hook: str, rule: str) -> tuple[str, ...]:
    """Commands that lay a rule."""
    return (
        "nft add table inet filter",
        f"nft 'add chain inet filter {hook} {{ type filter hook {hook} priority 0; }}'",
        f"nft 'add rule inet filter {hook} {rule}'",
    )
