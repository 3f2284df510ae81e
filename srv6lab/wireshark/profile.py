"""A Wireshark configuration profile for a lab: columns, colors, filters, buttons and names, as the texts of its files.

Wireshark 4.0 and 4.4 read it (those of Debian 12 and 13). A column of addresses has their numbers (U): newer ones would show
names there, which have a column of their own. Of a comment the last value is shown (-1): newer ones have its lines before the
whole. The formats have quoting of their own, which only functions here know; whatever stands in a lab's file reaches them
through those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from srv6lab.evidence.prediction import Prediction
from srv6lab.wireshark.comments import DIFFERS, MISSING, UNFORESEEN, acted, opening

# What each is called, what it shows, and its width in pixels.
_COLUMNS = (
    ("No.", "%m", 60),
    ("Time", "%Rt", 90),
    ("NIC", "%Cus:frame.interface_name:0:R", 130),
    ("Direction", "%Cus:frame.packet_flags_direction:0:R", 85),
    ("Active SID", "%Cus:ipv6.dst:1:U", 170),
    ("which is", "%Cus:ipv6.dst_host:1:R", 150),
    ("SL", "%Cus:ipv6.routing.segleft:1:R", 35),
    ("Segment list (last first)", "%Cus:ipv6.routing.srh.addr:0:U", 270),
    ("Source", "%s", 110),
    ("Destination", "%d", 110),
    ("Protocol", "%p", 75),
    ("Length", "%L", 60),
    ("Info", "%i", 260),
    ("srv6lab", "%Cus:frame.comment:-1:R", 600),
)
_PREFERENCES = (
    ("nameres.network_name", "TRUE"),  # of hosts and of the capture's own names
    ("nameres.dns_pkt_addr_resolution", "FALSE"),
    ("nameres.use_external_name_resolver", "FALSE"),  # nothing is asked of a network
    ("ip.defragment", "FALSE"),  # a frame is shown as it is
    ("ipv6.defragment", "FALSE"),
)
_SRH = "ipv6.routing.type == 4"  # RFC 8754 section 2
_TUNNEL = "ipv6.nxt in {4, 41, 143}"  # IPv4, IPv6 or Ethernet behind an IPv6 header
_WRONG = " or ".join(f'frame.comment contains "{word}"' for word in (DIFFERS, UNFORESEEN, MISSING))
_BLACK, _WHITE = (0, 0, 0), (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Filter:
    """A display filter with the name that it is kept by; one with a `label` has a button, too."""

    name: str
    expression: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class _Color:
    """Which packets have it: background and text, 0 to 255."""

    name: str
    expression: str
    background: tuple[int, int, int]
    text: tuple[int, int, int] = _BLACK


_COLORS = (
    _Color("not as the model says", _WRONG, (164, 0, 0), _WHITE),
    _Color("an error or a router's complaint", "icmp.type in {3, 4, 5, 11, 12} or icmpv6.type in {1, 2, 3, 4}", (252, 233, 79)),
    _Color("routing protocols", "isis or ospf or bgp or bfd", (230, 214, 240)),
    _Color("neighbors and addresses", "arp or icmpv6.type in {130..137, 143}", (238, 238, 236)),
    _Color("several SRHs, a tunnel in a tunnel", "ipv6.routing.segleft#2", (250, 200, 150)),
    _Color("SRH, segments are left", f"{_SRH} and ipv6.routing.segleft#1 > 0", (160, 205, 250)),
    _Color("SRH, the last segment is active", f"{_SRH} and ipv6.routing.segleft#1 == 0", (170, 230, 225)),
    _Color("encapsulated, without an SRH", _TUNNEL, (200, 240, 185)),
    _Color("plain IPv6", "ipv6", (250, 246, 215)),
    _Color("plain IPv4", "ip", (255, 255, 255)),
)  # fmt: skip


def files(hosts: str, filters: Sequence[Filter]) -> dict[str, str]:
    """The profile's files by their names."""
    return {
        "preferences": _preferences(),
        "colorfilters": "".join(map(_color, _COLORS)),
        "dfilters": "".join(f"{quoted(one.name)} {one.expression}\n" for one in filters),
        "dfilter_buttons": "".join(_button(one) for one in filters if one.label),
        "hosts": hosts,
    }


def remembered() -> dict[str, str]:
    """What Wireshark remembers of a profile when it ends, as it is at first: how wide its columns are."""
    widths = (f"{':'.join(shown.split(':')[:2])}, {width}" for _, shown, width in _COLUMNS)
    return {"recent": f"column.width: {', '.join(widths)}\n"}


REMEMBERED = {"recent_common": "gui.geometry_main_maximized: TRUE\n"}  # of the window, whatever the profile


def filters(predictions: Mapping[str, Iterable[Prediction]]) -> list[Filter]:
    """A filter for what is wrong, for each exercise and each of its probes, and for what each behavior has let out."""
    found = [Filter("not as the model says", _WRONG, "wrong"), Filter("packets with an SRH", _SRH, "SRH")]
    behaviors: dict[str, None] = {}
    for exercise, those in predictions.items():
        found.append(Filter(f"exercise {exercise}", _says(opening(exercise)), exercise))
        for prediction in those:
            name = f"exercise {exercise}, probe {prediction.probe}"
            found.append(Filter(name, _says(opening(exercise, prediction.probe))))
            behaviors |= dict.fromkeys(_behaviors(prediction))
    found += (Filter(f"behavior {name}", _says(acted(name))) for name in sorted(behaviors))
    return found


def expressions(profile: Iterable[Filter]) -> Iterator[str]:
    """Every display filter that the profile holds."""
    yield from (one.expression for one in profile)
    yield from (one.expression for one in _COLORS)


def _behaviors(prediction: Prediction) -> Iterator[str]:
    for trace in (*prediction.rfc, *prediction.linux):
        yield from (name for hop in trace.hops for name in hop.behaviors)


def _says(text: str) -> str:
    """The packets whose comment has a text in it."""
    return f"frame.comment contains {quoted(text)}"


def _preferences() -> str:
    lines = ["# Written by srv6lab. Wireshark writes what is changed here while it runs.", ""]
    pairs = ",\n".join(f"\t{quoted(title)}, {quoted(shown)}" for title, shown, _ in _COLUMNS)
    lines += [f"gui.column.format: \n{pairs}"]
    lines += [f"{name}: {value}" for name, value in _PREFERENCES]
    return "\n".join(lines) + "\n"


def _color(one: _Color) -> str:
    """A line of colorfilters, with 16 bits a color."""
    background, text = (",".join(str(part * 257) for part in color) for color in (one.background, one.text))
    return f"@{one.name}@{one.expression}@[{background}][{text}]\n"


def _button(one: Filter) -> str:
    """A line of a table that people may edit in Wireshark: what isn't plain is written by its number."""
    return ",".join(f'"{_escaped(word)}"' for word in ("TRUE", one.label, one.expression, one.name)) + "\n"


def _escaped(text: str) -> str:
    plain = (32 <= byte < 127 and byte not in b'"\\' for byte in text.encode(errors="replace"))
    return "".join(
        chr(byte) if good else f"\\x{byte:02x}"
        for byte, good in zip(text.encode(errors="replace"), plain, strict=True)
    )


def quoted(text: str) -> str:
    """A text between quotes, on one line, with nothing in it that ends them."""
    shown = "".join(one if one.isprintable() else "\ufffd" for one in text)
    return '"' + shown.replace("\\", "\\\\").replace('"', '\\"') + '"'
