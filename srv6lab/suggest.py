"""The name that was meant, where a name is unknown."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches
from functools import lru_cache

MOST = 200  # names to compare with; a large lab must not wait for a guess

# What other tools and other RFCs call the same thing.
SYNONYMS = {
    "action": "behavior",
    "destination": "to",
    "device": "role",
    "dst": "to",
    "function": "behavior",
    "gateway": "via",
    "image": "box",
    "interfaces": "endpoints",
    "kind": "role",
    "network": "prefix",
    "next_hop": "via",
    "nexthop": "via",
    "path": "segments",
    "ram": "memory",
    "segs": "segments",
    "sids": "local_sids",
    "source": "from",
    "src": "from",
    "subnet": "prefix",
    "tests": "exercises",
    "ttl": "hop_limit",
    "type": "role",
}


def meant(key: str, allowed: Iterable[str]) -> list[str]:
    """The keys that a wrong key may stand for."""
    keys = list(allowed)
    return closest(key, keys) or [name for name in (SYNONYMS.get(key),) if name in keys]


def closest(word: str, names: Iterable[str]) -> list[str]:
    """The names that are nearest to a word: more than one only if they are equally near."""
    return list(_closest(word, frozenset(names)))


@lru_cache(maxsize=256)
def _closest(word: str, names: frozenset[str]) -> tuple[str, ...]:
    """Cached, because a node that was renamed is asked for at each place that named it."""
    alike = [name for name in names if name[:1] == word[:1] and abs(len(name) - len(word)) <= 3]
    near = get_close_matches(word, alike[:MOST] if len(names) > MOST else names, 4)
    ratios = [SequenceMatcher(None, name, word).ratio() for name in near]
    return tuple(sorted(name for name, ratio in zip(near, ratios, strict=True) if ratio == max(ratios)))


def did_you_mean(names: Iterable[str]) -> str:
    return f"did you mean {' or '.join(f'`{name}`' for name in sorted(names))}?"


def or_all(word: str, names: Iterable[str]) -> str:
    """How to mend an unknown name: what it may stand for, else all that there are."""
    known = list(dict.fromkeys(names))
    near = closest(word, known)
    return did_you_mean(near) if near else f"there are: {', '.join(known) or 'none'}"
