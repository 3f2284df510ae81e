/* SPDX-License-Identifier: GPL-2.0-only */
/* Which flow an IP packet belongs to, and what it is on the wire. */
#ifndef FLOW_H
#define FLOW_H

#include "srproxy.h"

#define IPV4_FRAGMENT_BITS 0x3fff	/* More Fragments and the offset */
#define IPV6_FRAGMENT_BITS 0xfff9	/* the offset and More Fragments */

/* RFC 792 and RFC 4443; linux/icmp.h would pull the C library in. */
enum icmp {
	ICMP_ECHOREPLY = 0,
	ICMP_DEST_UNREACH = 3,
	ICMP_SOURCE_QUENCH = 4,
	ICMP_REDIRECT = 5,
	ICMP_ECHO = 8,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAMETERPROB = 12,
	ICMPV6_ECHO_REQUEST = 128,
	ICMPV6_ECHO_REPLY = 129,
	ICMPV6_ND_FIRST = 133,
	ICMPV6_ND_LAST = 137,
};

/* Where an IP packet ends and where what it carries begins; offsets count from the outermost header. */
struct inner {
	__u64 length, l4_at;
	__u8 protocol;
};

static __always_inline void read_selector(struct __sk_buff *skb, __u64 at, struct flow *flow)
{
	__u16 kind, identifier;
	__u8 type;

	switch (flow->protocol) {
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		if (load(skb, at, &kind, sizeof(kind)))
			return;
		flow->selector = bpf_ntohs(kind);
		type = flow->selector >> 8;
		if ((flow->protocol == IPPROTO_ICMP ? type == ICMP_ECHO || type == ICMP_ECHOREPLY
						    : type == ICMPV6_ECHO_REQUEST || type == ICMPV6_ECHO_REPLY) &&
		    !load(skb, at + 4, &identifier, sizeof(identifier)))
			flow->selector |= (__u32)identifier << 16;
		return;
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
	case IPPROTO_UDPLITE:
		load(skb, at, &flow->selector, sizeof(flow->selector));
	}
}

/* RFC 791: the words of the header add up to all ones. */
static __always_inline int ipv4_sum_is_right(struct __sk_buff *skb, __u64 at, const struct iphdr *ip)
{
	/* A length that is at least 4 by its form: verifiers before Linux 6.8 forget that another one isn't 0. */
	__u64 size = ip->ihl * 4 - sizeof(*ip), beyond_first = size - 4, sum = 0;
	__u32 options[10] = {};
	const __u32 *words = (const __u32 *)ip;
	unsigned int i;

	KEEP_IN_REGISTER(beyond_first);
	if (size && (beyond_first > sizeof(options) - 4 || load(skb, at + sizeof(*ip), options, beyond_first + 4)))
		return 0;
	for (i = 0; i < sizeof(*ip) / 4; i++)
		sum += words[i];
	for (i = 0; i < 10; i++)
		sum += options[i];
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

/* The IPv4 packet at `at`.  Returns its Total Length, or 0 if it is none. */
static __always_inline __u64 read_ipv4(struct __sk_buff *skb, __u64 at, __u64 end, struct flow *flow,
				       struct inner *inner)
{
	struct iphdr ip;
	__u64 length;

	if (load(skb, at, &ip, sizeof(ip)) || ip.version != 4 || ip.ihl < 5)
		return 0;
	if (end && !ipv4_sum_is_right(skb, at, &ip))
		return 0;
	__builtin_memcpy(flow->source, &ip.saddr, 4);
	__builtin_memcpy(flow->destination, &ip.daddr, 4);
	flow->family = FAMILY_INET;
	flow->protocol = inner->protocol = ip.protocol;
	flow->dscp = ip.tos >> 2;
	flow->fragment = ip.frag_off & bpf_htons(IPV4_FRAGMENT_BITS);
	flow->selector = flow->fragment ? ip.id : 0;
	inner->l4_at = at + ip.ihl * 4;
	length = bpf_ntohs(ip.tot_len);
	if (skb->gso_size)	/* may be longer than the field */
		return skb->len - ETH_HLEN - at;
	return length >= ip.ihl * 4 ? length : 0;
}

/* The IPv6 packet at `at`, with its extension headers.  Returns its length, or 0 if it is none. */
static __always_inline __u64 read_ipv6(struct __sk_buff *skb, __u64 at, struct flow *flow, struct inner *inner)
{
	struct ipv6hdr ip6;
	__u16 extension[4];	/* next header and length; in a fragment header, offset and identification */
	__u64 length;
	__u8 type;
	int i;

	if (load(skb, at, &ip6, sizeof(ip6)) || ip6.version != 6)
		return 0;
	__builtin_memcpy(flow->source, &ip6.saddr, 16);
	__builtin_memcpy(flow->destination, &ip6.daddr, 16);
	flow->family = FAMILY_INET6;
	flow->dscp = ip6.priority << 2 | ip6.flow_lbl[0] >> 6;
	length = skb->gso_size ? skb->len - ETH_HLEN - at : sizeof(ip6) + bpf_ntohs(ip6.payload_len);
	type = ip6.nexthdr;
	at += sizeof(ip6);
	NO_UNROLLING
	for (i = 0; i < CHAIN_MAX; i++) {
		if (type != IPPROTO_HOPOPTS && type != IPPROTO_DSTOPTS && type != IPPROTO_ROUTING &&
		    type != IPPROTO_FRAGMENT)
			break;
		if (load(skb, at, extension, sizeof(extension)))
			return 0;
		if (type == IPPROTO_FRAGMENT) {
			at += sizeof(extension);
			flow->fragment = extension[1] & bpf_htons(IPV6_FRAGMENT_BITS);
		} else {
			at += 8 + (bpf_ntohs(extension[0]) & 0xff) * 8;
		}
		FORGET(at);
		type = bpf_ntohs(extension[0]) >> 8;
		if (flow->fragment) {
			flow->selector = extension[2] | (__u32)extension[3] << 16;
			break;
		}
	}
	flow->protocol = inner->protocol = type;
	inner->l4_at = at;
	return length;
}

/* The IP packet of `family` at `at`, of which all that its header claims must be there before `end`; 0 stands
 * for one that an ICMP error quotes.  Returns whether it is one.
 */
static __always_inline int read_flow(struct __sk_buff *skb, __u64 at, __u64 end, __u32 family, struct flow *flow,
				     struct inner *inner)
{
	__u64 length;

	__builtin_memset(flow->source, 0, sizeof(*flow) - __builtin_offsetof(struct flow, source));
	length = family == FAMILY_INET ? read_ipv4(skb, at, end, flow, inner) : read_ipv6(skb, at, flow, inner);
	if (!length)
		return 0;
	if (!flow->fragment)
		read_selector(skb, inner->l4_at, flow);
	inner->length = length;
	FORGET(inner->l4_at);
	return !end || (at + length <= end && inner->l4_at <= at + length);
}

/* A packet as the wire has it: without the padding of a short Ethernet frame; a GSO packet as several,
 * each with a copy of all headers.  `claimed` is what the outermost header says, `inner` where the
 * payload that is cut begins.  gso_segs can't be trusted (adjust_room zeroes it), so the segments are
 * counted from gso_size.  `largest` is set to the size of the longest of them.
 */
static __always_inline struct traffic on_the_wire(struct __sk_buff *skb, __u64 claimed,
						  const struct inner *inner, __u64 *largest)
{
	struct traffic traffic = { 1, skb->len - ETH_HLEN };
	__u64 headers = inner->l4_at, size = skb->gso_size, extra;
	__u8 offset;

	*largest = traffic.bytes;
	if (!size) {
		if (claimed && claimed < traffic.bytes)
			*largest = traffic.bytes = claimed;
		return traffic;
	}
	if (!headers)
		return traffic;
	if (inner->protocol == IPPROTO_TCP) {
		if (load(skb, headers + 12, &offset, 1))
			return traffic;
		headers += (offset >> 4) * 4;
	} else {
		headers += 8;
	}
	if (traffic.bytes <= headers)
		return traffic;
	*largest = headers + size;
	extra = (traffic.bytes - headers - 1) / size;
	traffic.packets += extra;
	traffic.bytes += extra * headers;
	return traffic;
}

#endif
