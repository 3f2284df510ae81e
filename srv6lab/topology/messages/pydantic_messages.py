"""One wording for each kind of finding that pydantic has.

Only the kind and its numbers are used; the value is shown as the author wrote it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from srv6lab.called import CALLED
from srv6lab.suggest import closest, did_you_mean
from srv6lab.topology.exercises import HOP
from srv6lab.topology.large.schema import OWN_KEY, SHORT_LINK, TEMPLATE
from srv6lab.topology.notation import LINE
from srv6lab.topology.places import LINK
from srv6lab.topology.questions import FIELD, SEAL
from srv6lab.topology.routing.vrf import ROUTE_TARGET
from srv6lab.topology.scalars import (
    BOX_VERSION,
    ENDPOINT,
    NAME,
    NIC,
    PLACE_TEXT,
    POINT_TEXT,
    V4_ADDRESS,
    V4_NETWORK,
    V6_ADDRESS,
    V6_NETWORK,
)
from srv6lab.topology.teaching import TEXT

Finding = dict[str, Any]
Words = tuple[str, str] | None

# What the patterns of the JSON Schema mean; a test holds that each has words.
PATTERNS = {
    V4_ADDRESS: "an IPv4 address, such as 10.0.0.1",
    V4_NETWORK: "an IPv4 prefix, such as 10.0.0.0/24",
    V6_ADDRESS: 'an IPv6 address, such as "2001:db8:1::1"',
    V6_NETWORK: 'an IPv6 prefix, such as "2001:db8:1::/64"',
    LINE: "IP headers with `|` between them, each `10.0.0.1 → 10.0.1.1`, `r1.End → @r2` or `same`, and what more is said of it",
    HOP: "a node, an address, or `*` for nobody",
    ":": "IPv6",
    "^[^:]*$": "IPv4",
    "^[^:{[]*$": "IPv4",
    NAME: "a letter first, then letters, digits, `_` and `-`, 31 at most",
    r"^[A-Za-z_][A-Za-z0-9_]{0,30}$": "letters, digits and `_`, 31 at most",
    TEMPLATE: "a text with a variable, such as `{mtu}`, or a range, such as `r[1-20]`",
    OWN_KEY: "a key of your own",
    SHORT_LINK: "`r1 - r2`",
    r"^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$": "six groups of two digits, such as 02:00:00:00:00:01",
    f"^{NIC}$": "a letter first, then letters, digits, `_`, `-` and dots, 15 at most",
    r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$": "letters, digits, `_` and `-`, 63 at most; it becomes a file's name",
    POINT_TEXT: '"node:nic" or "node/netns:nic"',
    ENDPOINT: '"node:eth1"; a NIC has letters, digits, `_`, `-` and dots, 15 at most',
    r"^[^\x00-\x1f\x7f]*$": "one line of text",
    LINK.pattern: "`r1 > r2`, `r1:eth2 > r2:eth1`, of one end `from r1:eth2` or `into r2`, or `lost at r2`",
    r"^(all|none|at least [1-9][0-9]{0,3})$": "`all`, `none`, or such as `at least 20`",
    PLACE_TEXT: '"node" or "node/netns"',
    r"^[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)?$": "`owner/name`, or the name of a box that is added here",
    BOX_VERSION: 'a version such as "202404.23.0", or bounds such as ">= 1.2, < 2"',
    r"^[0-9a-f]{2}(\.[0-9a-f]{4}){0,3}(\.[0-9a-f]{4}){3}\.00$": "an area, three groups of four hex digits, 00: 49.0000.0000.0001.00",
    r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$": "a field's name in Wireshark, such as isis.lsp.hostname",
    r"^(any|[1-9][0-9]{0,5}/[1-9][0-9]{0,5})$": "a part of a whole, such as 3/4, or any",
    r"^[1-9][0-9]{0,8}$": "a number from 1 on, 9 digits at most",
    r"^[!-~]([ -~]{0,61}[!-~])?$": "1 to 63 printable ASCII characters, with no space at an end",
    r"^[ -~]*$": "printable ASCII characters",
    ROUTE_TARGET: 'an AS or an IPv4 address, and a number: "65001:1", "10.0.0.1:101", "4200000000:1"; the number is at most 65535 behind an address or an AS above that',
    r"^[A-Za-z0-9]{1,16}$": "letters and digits, 16 at most",
    r"^[A-Za-z0-9][A-Za-z0-9_.+=@%-]{0,63}$": "a letter or digit first, then also `_.+=@%-`, 64 at most",
    r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$": "a path below the lab's folder",
    r"^[^\x00-\x1f\x7f]+$": "one line for a shell; what takes several goes into a file under `files`",
    r"^[ -~]+$": "one line of printable ASCII characters; what takes several goes into a `file`",
    r"^net(\.[A-Za-z0-9_-]+)+$": "settings below `net.`, such as net.ipv4.ip_forward: /proc/sys is read-only in a node but for net",
    r"^[!-~]([ -~]*[!-~])?$": "a number, or printable ASCII characters",
    r"^(/\.?[A-Za-z0-9_][A-Za-z0-9_.@+:-]*)+$": "a path from `/` on, such as /etc/motd, of letters, digits and `_.@+:-`, without `..`",
    r"^[^\x00]*$": "text without the character NUL",
    TEXT: "text without control characters",
    FIELD: "a field as expectations name it, such as segments_left or inner.hop_limit",
    SEAL: f"what `{CALLED} answer --seal TEXT` prints",
    r"^[0-9a-f]{32}$": "32 hex digits",
    r"^(100|[1-9]?[0-9](\.[0-9]{1,2})?)%$": "a part of a hundred, such as 10% or 0.5%",
    r"^[0-7]{3,4}$": 'three or four octal digits in quotes, such as "0755"',
    r"^[a-z0-9_][a-z0-9_-]{0,30}(:[a-z0-9_][a-z0-9_-]{0,30})?$": "a user, or `user:group`",
    r"^[a-z0-9][a-z0-9+.-]{1,60}$": "the name of a Debian package, such as iperf3",
    r"^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,199}$": "the name of a container image, such as registry/name:tag",
}


_UNITS = {
    "`memory`": ", in MB",
    "`probe_interval`": ", in milliseconds",
    "`interval`": ", in milliseconds",
    "`delay`": ", in microseconds",
}


def _unit(name: str, finding: Finding) -> str:
    """A link's own delay is in microseconds, and what netem adds to it in milliseconds."""
    return ", in milliseconds" if "netem" in finding["loc"] else _UNITS.get(name, "")


def shown(value: Any) -> str:
    """A value as the author would say it, never a page of it."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    if len(text) > 60:
        text = f"{text[:57]}…"
    return text if isinstance(value, int) else f"`{text}`"


def allowed_pattern(finding: Finding) -> str:
    """How to mend a text of the wrong shape, or of too many characters."""
    if "max_length" in finding["ctx"]:
        return f"keep {finding['ctx']['max_length']} characters at most"
    pattern = finding["ctx"]["pattern"]
    return f"allowed: {PATTERNS.get(pattern, f'text that matches {pattern}')}"


def custom(finding: Finding) -> str:
    """The words of a validator of our own, if that is what spoke."""
    return str(finding["msg"]).removeprefix("Value error, ") if finding["type"] == "value_error" else ""


def _literal(name: str, value: Any, finding: Finding) -> Words:
    allowed = finding["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
    by_lower = {one.lower(): one for one in allowed}
    close = [by_lower[one] for one in closest(str(value)[:60].lower(), by_lower)]
    mend = did_you_mean(close) if close else f"allowed: {', '.join(allowed)}"
    return f"{name} can't be {shown(value)}", mend


def _bad_pattern(name: str, value: Any, finding: Finding) -> Words:
    return f"{name} can't be {shown(value)}", allowed_pattern(finding)


def _text(name: str, value: Any, finding: Finding) -> Words:
    if isinstance(value, (dict, list)):
        return f"{name} must be text, not {shown(value)}", "write one value"
    return (
        f"{name} must be text, and YAML reads {shown(value)} as something else",
        "write a word, or put it in quotes",
    )


_MOST_DIGITS = 18  # of a number that is read as one


def _whole(name: str, value: Any, finding: Finding) -> Words:
    digits = isinstance(value, str) and value.isascii() and value.isdigit()
    mend = "take the quotes away" if digits else f"write digits only{_unit(name, finding)}"
    if digits and value.startswith("0") and value.strip("0"):  # YAML 1.1 reads it by eights
        mend = f"write {value.lstrip('0')}, with no 0 before it"
    elif digits and len(value) > _MOST_DIGITS:
        mend = f"write a smaller number, of {_MOST_DIGITS} digits at most"
    return f"{name} must be a whole number, not {shown(value)}", mend


def _boolean(name: str, value: Any, finding: Finding) -> Words:
    return f"{name} must be true or false, not {shown(value)}", "write true or false"


def _small(name: str, value: Any, finding: Finding) -> Words:
    low = finding["ctx"]["ge"]
    return (
        f"{name} is {shown(value)}; the smallest allowed is {low}",
        f"write {low} or more{_unit(name, finding)}",
    )


def _large(name: str, value: Any, finding: Finding) -> Words:
    high = finding["ctx"]["le"]
    return (
        f"{name} is {shown(value)}; the largest allowed is {high}",
        f"write {high} or less{_unit(name, finding)}",
    )


def _short(name: str, value: Any, finding: Finding) -> Words:
    """pydantic counts only the items that are sound; those that aren't have their own problem."""
    least = finding["ctx"]["min_length"]
    if len(value) >= least:
        return None
    what = f"{name} is empty" if not value else f"{name} has {_size(value)}, but needs {least}"
    return what, f"give at least {least}"


def _long(name: str, value: Any, finding: Finding) -> Words:
    most = finding["ctx"]["max_length"]
    what = f"{name} has {_size(value)}; the most allowed is {most}"
    return what, f"keep {most} at most"


def _size(value: Any) -> str:
    unit = "character" if isinstance(value, str) else "item"
    return f"{len(value)} {unit}{'' if len(value) == 1 else 's'}"


def _list(name: str, value: Any, finding: Finding) -> Words:
    return f"{name} must be a list, not {shown(value)}", "write `[…]`, or one `- ` line for each item"


def _mapping(name: str, value: Any, finding: Finding) -> Words:
    if "walk" in finding["loc"] and isinstance(value, str) and ": " in value:
        return f"{name} is one text", "put only what stands behind the colon in quotes"
    return (
        f"{name} must be a mapping, not {shown(value)}",
        "write `{key: value}`, or indented `key: value` lines",
    )


WORDINGS: dict[str, Callable[[str, Any, Finding], Words]] = {
    "literal_error": _literal,
    "string_pattern_mismatch": _bad_pattern,
    "string_type": _text,
    "string_too_long": _long,
    "string_too_short": _short,
    "int_type": _whole,
    "int_parsing": _whole,
    "int_from_float": _whole,
    "int_parsing_size": _whole,
    "bool_type": _boolean,
    "bool_parsing": _boolean,
    "greater_than_equal": _small,
    "less_than_equal": _large,
    "too_short": _short,
    "too_long": _long,
    "tuple_type": _list,
    "list_type": _list,
    "dict_type": _mapping,
    "model_type": _mapping,
    "model_attributes_type": _mapping,
}
