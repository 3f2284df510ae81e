"""Where Linux departs from the RFC. The model follows the RFC; tests prove that the kernel still does these."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quirk:
    """`seen` is a Linux on which its test saw it; other versions may do otherwise."""

    name: str
    section: str
    what: str
    kernel_function: str
    seen: tuple[int, int]


_ALL = (
    Quirk(
        "last-segment-dropped",
        "RFC 8986 4.1 S02, S03",
        "End, End.X and End.T throw away a packet that has no segments left, whatever its upper layer is",
        "seg6_local.c: get_and_validate_srh",
        (6, 18),
    ),
    Quirk(
        "broken-srh-without-error",
        "RFC 8986 4.1 S10",
        "a Last Entry or Segments Left that doesn't fit is thrown away with no ICMPv6 Parameter Problem",
        "seg6.c: seg6_validate_srh",
        (6, 18),
    ),
    Quirk(
        "pad1-read-as-tlv",
        "RFC 8754 2.1.1.1",
        "Pad1 is taken for a TLV with a length, so an SRH is thrown away whose last byte it pads",
        "seg6.c: seg6_validate_srh",
        (6, 18),
    ),
    Quirk(
        "dx4-asks-for-the-destination",
        "RFC 8986 4.5 S03",
        "End.DX4 with a neighbor as nh4 takes nh4's link, but asks there (ARP) for the inner destination",
        "seg6_local.c: input_action_end_dx4_finish",
        (6, 18),
    ),
    Quirk(
        "encapsulated-before-the-hop",
        "RFC 8986 5.1 S05",
        "the headend takes its hop off the outer header and leaves the inner hop limit or TTL as it was",
        "seg6_iptunnel.c: seg6_input_core",
        (6, 18),
    ),
    Quirk(
        "bound-before-the-hop",
        "RFC 8986 4.13 S12",
        "End.B6.Encaps takes its hop off the outer header and leaves the inner hop limit as it was",
        "seg6_local.c: input_action_end_b6_encap",
        (6, 18),
    ),
    Quirk(
        "proxied-packet-is-routed",
        "draft-ietf-spring-sr-service-programming 6.2",
        "an SR proxy routes the inner packet to its service, and what comes back into its chain: one off the "
        "inner TTL, and one more off the outer hop limit",
        "ip_forward, ip6_forward",
        (6, 18),
    ),
)
QUIRKS: dict[str, Quirk] = {quirk.name: quirk for quirk in _ALL}
