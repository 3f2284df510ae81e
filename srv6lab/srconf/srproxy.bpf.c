// SPDX-License-Identifier: GPL-2.0-only
/*
 * SR proxy (draft-ietf-spring-sr-service-programming) for the ingress of interfaces: tc's clsact, or tcx.
 *
 * One program serves every Ethernet interface of a network namespace and plays two parts:
 *
 *   enter()     a packet for one of our SIDs.  A proxy that decapsulates remembers the outer headers for
 *               this inner flow, already advanced to the next segment, and sets Segments Left to 0 in the
 *               packet, so that the kernel's own End.DX4 or End.DX6 route accepts it and hands the inner
 *               packet to the service.  End.AM sends the packet there itself, headers and all.
 *   come_back() a packet from the service: push the headers back, or unmask, and let the stack route.
 *
 * The decapsulation stays with the kernel because adjust_room refuses to encapsulate a GSO packet that
 * adjust_room decapsulated before.  Only UAPI headers and helpers of Linux 5.10 are used, no CO-RE.
 */
#include "flow.h"
#include "outer.h"
#include "srproxy.h"

#define PASS TC_ACT_UNSPEC	/* to whoever else looks at the interface's packets, and then to the stack */
#define LOOK_ON TC_ACT_PIPE	/* come_back's answer: now an SRv6 packet, maybe for another SID of this node */

/* Whether two headers agree from the word `from` on. */
static __always_inline int same(const struct headers *a, const struct headers *b, __u64 from)
{
	__u64 i, length = b->length;

	if (a->length != length)
		return 0;
	NO_UNROLLING
	for (i = from; i < HEADERS_MAX / 8; i++) {
		if (i * 8 >= length)
			break;
		if (((__u64 *)a->bytes)[i] != ((__u64 *)b->bytes)[i])
			return 0;
	}
	return 1;
}

/* Whether the SID still has one chain only.  Traffic class, flow label and hop limit don't make another. */
static __always_inline void note_chain(const struct in6_addr *key, const struct chain *new)
{
	struct chain *first = bpf_map_lookup_elem(&srp_chains, key);

	if (!first) {
		if (!bpf_map_update_elem(&srp_chains, key, new, BPF_NOEXIST))
			return;
		first = bpf_map_lookup_elem(&srp_chains, key);
		if (!first)
			return;
	}
	if (!first->several && !same(&first->headers, &new->headers, 1))
		first->several = 1;
}

/* Copy the outer headers, advanced to the next segment (RFC 8986 section 4.1, S12-S14). */
static __always_inline enum counter advance(struct __sk_buff *skb, const struct outer *outer, __u8 hop_limit,
					    struct headers *to)
{
	__u64 length = outer->length, at = outer->srh_at;
	__u8 segments_left = outer->srh.segments_left - 1;

	KEEP_IN_REGISTER(length);
	KEEP_IN_REGISTER(at);
	if (length < HEADERS_MIN || length > HEADERS_MAX || at > HEADERS_MAX - 8)
		return HEADERS_TOO_LONG;
	if (load(skb, 0, to->bytes, length))
		return MALFORMED_SRH;
	to->length = length;
	to->bytes[4] = to->bytes[5] = 0;	/* the payload length is the returning packet's */
	to->bytes[7] = hop_limit - 1;
	if (load(skb, at + SRH_SEGMENT_LIST + 16 * segments_left, to->bytes + 24, 16))
		return MALFORMED_SRH;
	to->bytes[at + SRH_SEGMENTS_LEFT] = segments_left;
	return 0;
}

/* Remember what this flow's packets get when they come back: their headers, or none if this was the end. */
static __always_inline enum counter remember(struct __sk_buff *skb, const struct in6_addr *key,
					     const struct outer *outer, struct scratch *scratch, __u8 hop_limit)
{
	struct chain *new = &scratch->chain;
	enum counter wrong = 0;
	struct headers *old;

	new->several = 0;
	new->headers.length = 0;
	if (outer->srh_at && outer->srh.segments_left)
		wrong = advance(skb, outer, hop_limit, &new->headers);
	if (wrong)
		return wrong;
	old = bpf_map_lookup_elem(&srp_flows, &scratch->flow);
	if (old && same(old, &new->headers, 0))
		return 0;
	note_chain(key, new);
	return bpf_map_update_elem(&srp_flows, &scratch->flow, &new->headers, BPF_ANY) ? REFUSED : 0;
}

/* The kernel decapsulates only at the last segment. */
static __always_inline enum counter release(struct __sk_buff *skb, const struct outer *outer)
{
	__u8 zero = 0;

	if (!outer->srh_at || !outer->srh.segments_left)
		return ENTERED;
	return store(skb, outer->srh_at + SRH_SEGMENTS_LEFT, &zero, 1) ? REFUSED : ENTERED;
}

/* The service sees the last segment as destination, and the way back leads past the next one. */
static __always_inline enum counter masquerade(struct __sk_buff *skb, const struct outer *outer, __u8 hop_limit)
{
	__u8 segments_left = outer->srh.segments_left - 1;
	struct in6_addr last;

	hop_limit -= 1;
	if (load(skb, outer->srh_at + SRH_SEGMENT_LIST, &last, sizeof(last)))
		return MALFORMED_SRH;
	if (store(skb, 7, &hop_limit, 1) || store(skb, 24, &last, sizeof(last)) ||
	    store(skb, outer->srh_at + SRH_SEGMENTS_LEFT, &segments_left, 1))
		return REFUSED;
	return ENTERED;
}

/* What stands behind the outer headers: an IP packet, one in an Ethernet frame, or an upper layer. */
static __always_inline int read_inner(struct __sk_buff *skb, const struct outer *outer, __u64 end,
				      struct flow *flow, struct inner *inner)
{
	__u64 at = outer->length;
	__u8 type = outer->next_header;
	__be16 ethertype;

	if (type == IPPROTO_ETHERNET) {
		if (load(skb, at + 12, &ethertype, sizeof(ethertype)))
			return 0;
		at += ETH_HLEN;
		type = ethertype == bpf_htons(ETH_P_IP)	   ? IPPROTO_IPIP
		       : ethertype == bpf_htons(ETH_P_IPV6) ? IPPROTO_IPV6
							    : IPPROTO_NONE;
	}
	if (type == IPPROTO_IPIP)
		return read_flow(skb, at, end, FAMILY_INET, flow, inner);
	if (type == IPPROTO_IPV6)
		return read_flow(skb, at, end, FAMILY_INET6, flow, inner);
	inner->l4_at = at;
	inner->protocol = type;
	return 1;
}

/* A packet whose destination is the SID `key`.  Returns the counter, and what it is on the wire. */
static __always_inline enum counter enter(struct __sk_buff *skb, const struct in6_addr *key,
					  const struct local_sid *sid, const struct ipv6hdr *ip6,
					  struct scratch *scratch, struct traffic *traffic)
{
	__u64 largest, end = ipv6_end(skb, ip6);
	int decapsulates = sid->kind == DYNAMIC || sid->kind == STATIC, whole = 1;
	struct outer outer = {};
	struct inner inner = {};
	enum counter wrong;

	wrong = end ? walk(skb, ip6, &outer) : MALFORMED_SRH;
	if (!wrong)
		wrong = judge(&outer, sid, ip6->hop_limit, end);
	scratch->flow.iif = sid->iif;
	if (!wrong && (decapsulates || skb->gso_size))
		whole = read_inner(skb, &outer, end, &scratch->flow, &inner);
	*traffic = on_the_wire(skb, end, &inner, &largest);
	if (wrong || sid->kind == KERNEL)
		return wrong;
	if (sid->kind == MASQUERADE)
		return largest > sid->mtu ? TOO_BIG : masquerade(skb, &outer, ip6->hop_limit);
	if (!whole)
		return INNER_MALFORMED;
	if (sid->kind == DYNAMIC) {
		wrong = remember(skb, key, &outer, scratch, ip6->hop_limit);
		if (wrong)
			return wrong;
	}
	return release(skb, &outer);
}

/* Traffic of the link itself on a return interface is none of ours: neighbor discovery (RFC 4861 has it
 * arrive with hop limit 255, so that nobody can have forwarded it) and link-local addresses.
 */
static __always_inline int of_the_link(struct __sk_buff *skb, const struct ipv6hdr *ip6)
{
	__u8 type;

	if (ip6->daddr.s6_addr[0] == 0xff ||
	    (ip6->daddr.s6_addr[0] == 0xfe && (ip6->daddr.s6_addr[1] & 0xc0) == 0x80) ||
	    (ip6->saddr.s6_addr[0] == 0xfe && (ip6->saddr.s6_addr[1] & 0xc0) == 0x80))
		return 1;
	if (ip6->nexthdr != IPPROTO_ICMPV6 || ip6->hop_limit != 255 || load(skb, sizeof(*ip6), &type, 1))
		return 0;
	return type >= ICMPV6_ND_FIRST && type <= ICMPV6_ND_LAST;
}

static __always_inline int is_error(const struct flow *flow)
{
	__u8 type = flow->selector >> 8;

	if (flow->fragment)
		return 0;
	if (flow->protocol == IPPROTO_ICMPV6)
		return type < ICMPV6_ECHO_REQUEST;	/* RFC 4443 section 2.1 */
	return flow->protocol == IPPROTO_ICMP &&
	       (type == ICMP_DEST_UNREACH || type == ICMP_SOURCE_QUENCH || type == ICMP_REDIRECT ||
		type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETERPROB);
}

/* An ICMP error that the service itself sends has no flow of its own: it belongs to the flow that it
 * quotes (RFC 792, RFC 4443), and takes that flow's headers.
 */
static __always_inline struct headers *quoted(struct __sk_buff *skb, __u32 family, struct scratch *scratch,
					      __u64 l4_at)
{
	struct inner unused = {};

	scratch->cause.iif = scratch->flow.iif;
	if (!is_error(&scratch->flow) || !read_flow(skb, l4_at + 8, 0, family, &scratch->cause, &unused))
		return 0;
	return bpf_map_lookup_elem(&srp_flows, &scratch->cause);
}

/* Push the headers back.  Returns whether they are there now. */
static __always_inline int push(struct __sk_buff *skb, struct headers *headers, __u64 inner_length)
{
	__u64 length = headers->length, payload;
	__be16 field, ethertype = bpf_htons(ETH_P_IPV6);

	KEEP_IN_REGISTER(length);
	if (length < HEADERS_MIN || length > HEADERS_MAX)
		return 0;
	payload = inner_length + length - sizeof(struct ipv6hdr);
	if (payload > 0xffff)
		return 0;
	if (bpf_skb_adjust_room(skb, length, BPF_ADJ_ROOM_MAC,
				BPF_F_ADJ_ROOM_ENCAP_L3_IPV6 | BPF_F_ADJ_ROOM_FIXED_GSO |
				BPF_F_ADJ_ROOM_NO_CSUM_RESET))
		return 0;
	field = bpf_htons(payload);
	return !store(skb, 0, headers->bytes, length) && !store(skb, 4, &field, sizeof(field)) &&
	       !bpf_skb_store_bytes(skb, __builtin_offsetof(struct ethhdr, h_proto), &ethertype,
				    sizeof(ethertype), 0);
}

/* A packet that a service returns after decapsulation. */
static __always_inline enum counter restore(struct __sk_buff *skb, const struct in6_addr *key,
					    const struct local_sid *sid, __u32 family, struct scratch *scratch,
					    struct traffic *traffic, int *plain)
{
	struct flow *flow = &scratch->flow;
	enum counter result = RETURNED;
	struct headers *headers = 0;
	struct inner inner = {};
	struct chain *chain;
	__u64 largest, length;
	int whole;

	flow->iif = skb->ifindex;
	whole = read_flow(skb, 0, skb->len - ETH_HLEN, family, flow, &inner);
	length = inner.length;
	*traffic = on_the_wire(skb, whole ? length : 0, &inner, &largest);
	if (!whole)
		return INNER_MALFORMED;
	if (sid->kind == DYNAMIC) {
		headers = bpf_map_lookup_elem(&srp_flows, flow);
		if (!headers) {
			headers = quoted(skb, family, scratch, inner.l4_at);
			flow = &scratch->cause;
		}
	}
	if (!headers) {
		chain = bpf_map_lookup_elem(&srp_chains, key);
		if (!chain || chain->several)
			return NO_CACHE;
		if (sid->kind == DYNAMIC)
			result = ONLY_CHAIN;
		headers = &chain->headers;
	}
	*plain = !headers->length;
	if (*plain)
		return result;
	if (!push(skb, headers, length))
		return REFUSED;
	/* The map of flows recycles entries at once: another flow's headers could have been written into
	 * this one meanwhile.
	 */
	if (sid->kind == DYNAMIC && result == RETURNED && bpf_map_lookup_elem(&srp_flows, flow) != headers)
		return NO_CACHE;
	return result;
}

/* A packet that a masqueraded service returns: its destination is the active segment again. */
static __always_inline enum counter unmask(struct __sk_buff *skb, const struct ipv6hdr *ip6,
					   struct scratch *scratch, struct traffic *traffic, int *plain)
{
	__u64 largest, end = ipv6_end(skb, ip6);
	struct outer outer = {};
	struct inner inner = {};
	struct in6_addr next;
	enum counter wrong;

	wrong = end ? walk(skb, ip6, &outer) : MALFORMED_SRH;
	*plain = wrong == NO_SRH || (!wrong && !outer.srh_at);
	if (*plain)	/* what the service says itself */
		return 0;
	if (!wrong && skb->gso_size)
		read_inner(skb, &outer, end, &scratch->flow, &inner);
	*traffic = on_the_wire(skb, end, &inner, &largest);
	if (wrong || !sound(&outer, end) || outer.srh.segments_left > outer.srh.last_entry)
		return MALFORMED_SRH;
	if (load(skb, outer.srh_at + SRH_SEGMENT_LIST + 16 * outer.srh.segments_left, &next, sizeof(next)) ||
	    store(skb, 24, &next, sizeof(next)))
		return REFUSED;
	return RETURNED;
}

/* A packet on the return interface of the SID `key`.  Returns what tc shall do. */
static __always_inline int come_back(struct __sk_buff *skb, const struct in6_addr *key,
				     struct local_sid *sid, __u32 family, struct scratch *scratch)
{
	struct traffic traffic = {};
	struct ipv6hdr ip6;
	enum counter result;
	int plain = 0;

	if (family == FAMILY_INET6 && (load(skb, 0, &ip6, sizeof(ip6)) || of_the_link(skb, &ip6)))
		return PASS;
	if (sid->kind == MASQUERADE)
		result = unmask(skb, &ip6, scratch, &traffic, &plain);
	else
		result = restore(skb, key, sid, family, scratch, &traffic, &plain);
	if (traffic.packets)
		count(sid, result, traffic);
	if (plain)
		return PASS;
	return result == RETURNED || result == ONLY_CHAIN ? LOOK_ON : TC_ACT_SHOT;
}

/* Where a packet for the SID goes from here. */
static __always_inline int onward(const struct local_sid *sid, enum counter result)
{
	struct bpf_redir_neigh next_hop = { .nh_family = FAMILY_INET6 };

	/* What the kernel's own behavior refuses, and what doesn't fit into the service's link, is the
	 * kernel's to answer for.
	 */
	if (sid->kind == KERNEL || result == TOO_BIG)
		return PASS;
	if (result != ENTERED)
		return TC_ACT_SHOT;
	if (sid->kind != MASQUERADE)
		return PASS;
	__builtin_memcpy(next_hop.ipv6_nh, sid->next_hop, sizeof(next_hop.ipv6_nh));
	return bpf_redirect_neigh(sid->oif, &next_hop, sizeof(next_hop), 0);
}

SEC("tc")
int srproxy(struct __sk_buff *skb)
{
	struct way_back way = { skb->ifindex, FAMILY_INET6 };
	struct local_sid *sid;
	struct in6_addr *key;
	struct scratch *scratch;
	enum counter result;
	struct traffic traffic;
	struct ipv6hdr ip6;
	__u32 zero = 0;
	int action;

	/* A tagged or foreign frame is not this interface's: its VLAN or macvlan interface sees it. */
	if (skb->pkt_type != PACKET_HOST || skb->vlan_present)
		return PASS;
	if (skb->protocol == bpf_htons(ETH_P_IP))
		way.family = FAMILY_INET;
	else if (skb->protocol != bpf_htons(ETH_P_IPV6))
		return PASS;

	scratch = bpf_map_lookup_elem(&srp_scratch, &zero);
	if (!scratch)
		return PASS;

	/* A SID is active when it stands in srp_sids, whatever else is already or still there. */
	key = bpf_map_lookup_elem(&srp_returns, &way);
	sid = key ? bpf_map_lookup_elem(&srp_sids, key) : 0;
	if (sid) {
		action = come_back(skb, key, sid, way.family, scratch);
		if (action != LOOK_ON)
			return action;
	} else if (way.family == FAMILY_INET) {
		return PASS;
	}

	if (load(skb, 0, &ip6, sizeof(ip6)))
		return PASS;
	sid = bpf_map_lookup_elem(&srp_sids, &ip6.daddr);
	if (!sid)
		return PASS;
	result = enter(skb, &ip6.daddr, sid, &ip6, scratch, &traffic);
	count(sid, result, traffic);
	return onward(sid, result);
}

char _license[] SEC("license") = "GPL";
