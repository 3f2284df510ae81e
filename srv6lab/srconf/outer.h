/* SPDX-License-Identifier: GPL-2.0-only */
/* The IPv6 header and extension headers of a packet for a SID, or of one that a masqueraded service returns. */
#ifndef OUTER_H
#define OUTER_H

#include "srproxy.h"

#define SRH_TYPE 4
#define SRH_SEGMENTS_LEFT 3	/* offsets in the SRH (RFC 8754 section 2) */
#define SRH_SEGMENT_LIST 8

struct srh {
	__u8 next_header, length, type, segments_left, last_entry, flags;
	__u16 tag;
};

/* What the walk over the outer headers found; offsets count from the IPv6 header. */
struct outer {
	__u64 length, srh_at;
	struct srh srh;
	__u8 next_header;
};

/* Where the packet ends: not the padding of a short Ethernet frame.  0 if it is cut short, or no IPv6 at all. */
static __always_inline __u64 ipv6_end(struct __sk_buff *skb, const struct ipv6hdr *ip6)
{
	__u64 there = skb->len - ETH_HLEN, claimed = sizeof(*ip6) + bpf_ntohs(ip6->payload_len);

	if (ip6->version != 6)
		return 0;
	if (skb->gso_size)	/* may be longer than the field */
		return there;
	return claimed <= there ? claimed : 0;
}

/* Walk from the IPv6 header to the first header that is no extension header we know.  Returns 0, or a
 * counter that says what is wrong; that there is no SRH isn't wrong yet.
 */
static __always_inline enum counter walk(struct __sk_buff *skb, const struct ipv6hdr *ip6, struct outer *outer)
{
	__u8 type = ip6->nexthdr, extension[2];
	__u64 at = sizeof(*ip6);
	int i;

	NO_UNROLLING
	for (i = 0; i < CHAIN_MAX; i++) {
		if (type == IPPROTO_ROUTING && !outer->srh_at) {
			if (load(skb, at, &outer->srh, sizeof(outer->srh)))
				return MALFORMED_SRH;
			if (outer->srh.type != SRH_TYPE)
				return NO_SRH;
			outer->srh_at = at;
			type = outer->srh.next_header;
			at += 8 + outer->srh.length * 8;
		} else if ((type == IPPROTO_HOPOPTS && !i) || type == IPPROTO_DSTOPTS) {
			if (load(skb, at, extension, sizeof(extension)))
				return MALFORMED_SRH;
			type = extension[0];
			at += 8 + extension[1] * 8;
		} else {
			break;
		}
		FORGET(at);
	}
	outer->next_header = type;
	outer->length = at;
	FORGET(outer->srh_at);
	return 0;
}

/* The SRH's own numbers agree, and all of it is there. */
static __always_inline int sound(const struct outer *outer, __u64 end)
{
	const struct srh *srh = &outer->srh;

	return (srh->last_entry + 1) * 2 <= srh->length && srh->segments_left <= srh->last_entry + 1 &&
	       outer->length <= end;
}

/* RFC 8986 section 4.1, S02 to S11, and what a proxy asks besides. */
static __always_inline enum counter judge(const struct outer *outer, const struct local_sid *sid,
					  __u8 hop_limit, __u64 end)
{
	if (!outer->srh_at && !(sid->position & IS_LAST))
		return NO_SRH;
	if (outer->srh_at && outer->srh.segments_left == 0 && !(sid->position & IS_LAST))
		return SEGMENTS_LEFT_ZERO;
	if (outer->srh_at && outer->srh.segments_left && !(sid->position & HAS_NEXT))
		return SEGMENTS_LEFT;
	if (outer->srh_at && outer->srh.segments_left && hop_limit <= 1)
		return HOP_LIMIT;
	if (outer->srh_at && !sound(outer, end))
		return MALFORMED_SRH;
	if (sid->inner && outer->next_header != sid->inner)
		return INNER_TYPE;
	return 0;
}

#endif
