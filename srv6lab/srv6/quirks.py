"""Where Linux, and srconf on it, depart from the RFCs. The model follows the RFCs; tests prove that these still hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quirk:
    """`seen` is a Linux on which its test saw it; other versions may do otherwise. The names of srconf's begin with
    `proxy-`."""

    name: str
    section: str
    what: str
    kernel_function: str
    seen: tuple[int, int]


_ALL = (
    Quirk(
        "last-segment-dropped",
        "RFC 8986 4.1 S02, S03",
        "End, End.X, End.T and End.B6.Encaps throw away a packet that has no segments left, whatever is in it",
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
        "tlvs-always-walked",
        "RFC 8754 4.3.1.1 S06",
        "an SRH is thrown away whose TLVs go beyond its end, though this node is not told to process any",
        "seg6.c: seg6_validate_srh",
        (6, 18),
    ),
    Quirk(
        "psp-takes-the-first-srh",
        "RFC 8986 4.1 S03",
        "End with PSP throws away a packet with two SRHs, the first of which has no segments left; End goes on",
        "seg6_local.c: end_flv8986_core",
        (6, 18),
    ),
    Quirk(
        "next-csid-without-psp",
        "RFC 9800 4.1.7",
        "End with PSP and NEXT-CSID, which Linux takes together, never removes the SRH",
        "seg6_local.c: end_next_csid_core",
        (6, 18),
    ),
    Quirk(
        "segment-left-without-error",
        "RFC 8986 4.4 S03",
        "End.DX6, End.DX4, End.DT6 and End.DX2 throw away a packet with segments left without a Parameter Problem",
        "seg6_local.c: decap_and_validate",
        (6, 18),
    ),
    Quirk(
        "upper-layer-without-error",
        "RFC 8986 4.1.1 S04",
        "End.DX6, End.DX4, End.DT6 and End.DX2 throw away what they can't expose without a Parameter Problem",
        "seg6_local.c: decap_and_validate",
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
        "frame-encapsulated-before-the-hop",
        "RFC 8986 5.3",
        "the headend takes a hop off the outer header of a frame, whose hop limit is that of IPv6 in the frame, else 64; "
        "a frame takes no hop by the RFC",
        "seg6_iptunnel.c: seg6_input_core, __seg6_do_srh_encap",
        (6, 18),
    ),
    Quirk(
        "one-hop-a-node",
        "RFC 8986 4.1 S12",
        "several SIDs of one node in a row take one hop together, when the packet leaves",
        "seg6_local.c: seg6_lookup_any_nexthop; ip6_output.c: ip6_forward",
        (6, 18),
    ),
    Quirk(
        "inserted-before-options",
        "RFC 8200 4.1",
        "inline puts the SRH in front of hop-by-hop options, which no node then processes",
        "seg6_iptunnel.c: seg6_do_srh_inline",
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
        "address-taken-for-a-segment",
        "RFC 8754 4.3.2",
        "where seg6_enabled is on, an SRH that comes to an address of the node itself is gone on with as if that were "
        "a SID: the next segment while some are left, and then the inner packet is taken out and routed",
        "exthdrs.c: ipv6_srh_rcv",
        (6, 18),
    ),
    Quirk(
        "hmac-of-a-draft",
        "RFC 8754 2.1.2.1",
        "an HMAC is made as in drafts: the SRH has a flag that says that it is there (0x08), the digest is not over the "
        "16 bits behind the TLV's length, and in a reduced SRH there is no D-bit",
        "seg6_hmac.c: seg6_hmac_compute, seg6_push_hmac",
        (6, 18),
    ),
    Quirk(
        "srh-dropped-where-disabled",
        "RFC 8200 4.4",
        "where seg6_enabled is off, a packet with an SRH that comes to an address of the node itself is thrown away, also "
        "one that has no segments left",
        "exthdrs.c: ipv6_srh_rcv",
        (6, 18),
    ),
    Quirk(
        "end-delivers-nothing-here",
        "RFC 8986 4.1 S15",
        "End, End.X, End.T and End.B6.Encaps throw away a packet whose next segment is an address of the node itself",
        "seg6_local.c: seg6_lookup_any_nexthop",
        (6, 18),
    ),
    Quirk(
        "proxy-hop-before-the-service",
        "draft-ietf-spring-sr-service-programming 6.1.2.2, second part, line 1",
        "srconf's End.AD4, End.AD6, End.AS4 and End.AS6 take the inner hop on the way to the service, not on the way back",
        "seg6_local.c: input_action_end_dx4_finish and input_action_end_dx6, which decapsulate for srconf",
        (6, 18),
    ),
    Quirk(
        "proxy-segment-before-the-service",
        "draft-ietf-spring-sr-service-programming 6.4.1, second part, lines 2 and 3",
        "srconf's End.AM takes segment and hop on the way to the service, not on the way back",
        "srproxy.bpf.c: masquerade",
        (6, 18),
    ),
    Quirk(
        "proxy-takes-two-hops",
        "RFC 8986 4.1 S12",
        "srconf's proxies take one hop off the outer header as End does (but for End.AS4 and End.AS6, which push another "
        "one), and one when the packet comes back",
        "srproxy.bpf.c: advance; ip6_output.c: ip6_forward",
        (6, 18),
    ),
    Quirk(
        "proxy-discards-silently",
        "RFC 8986 4.1 S06, S10",
        "srconf's proxies send no ICMPv6 error",
        "outer.h: judge",
        (6, 18),
    ),
    Quirk(
        "proxy-remembers-by-flow",
        "draft-ietf-spring-sr-service-programming 6.2",
        "srconf's End.AD4 and End.AD6 discard what comes back in a flow that never went in, if packets of two chains "
        "went in",
        "srproxy.bpf.c: restore",
        (6, 18),
    ),
)
QUIRKS: dict[str, Quirk] = {quirk.name: quirk for quirk in _ALL}
