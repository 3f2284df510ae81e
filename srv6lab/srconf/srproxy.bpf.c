// SPDX-License-Identifier: GPL-2.0-only
/*
 * SR proxy with dynamic caching (draft-ietf-spring-sr-service-programming) for tc clsact ingress.
 *
 * One program serves every Ethernet interface of a network namespace and plays two parts:
 *
 *   enter()     a packet for one of our SIDs: remember its outer headers for this inner flow, already
 *               advanced to the next segment, and set Segments Left to 0 in the packet, so that the
 *               kernel's own End.DX4 route accepts it and hands the inner packet to the service.
 *   come_back() a packet from the service: push the remembered headers back and let the stack route.
 *
 * The decapsulation stays with the kernel because adjust_room refuses to encapsulate a GSO packet that
 * adjust_room decapsulated before.  Only UAPI headers and helpers of Linux 5.10 are used, no CO-RE.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define FAMILY_INET 2
#define FLOWS 8192
#define HEADERS_MIN 48		/* IPv6 and an SRH without a segment */
#define HEADERS_MAX 512		/* IPv6, extension headers, SRH: 29 SIDs if nothing else is there */
#define CHAIN_MAX 6		/* extension headers we walk through */
#define SIDS 1024
#define IP_FRAGMENT_BITS 0x3fff	/* More Fragments and the offset */

/* RFC 792; linux/icmp.h would pull the C library in. */
enum icmp {
	ICMP_ECHOREPLY = 0,
	ICMP_DEST_UNREACH = 3,
	ICMP_SOURCE_QUENCH = 4,
	ICMP_REDIRECT = 5,
	ICMP_ECHO = 8,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAMETERPROB = 12,
};

/* Lengths are u64 and pass this before a bounds check: else clang tests a copy that the verifier
 * cannot connect with the register it sees used.
 */
#define KEEP_IN_REGISTER(x) asm volatile("" : "+r"(x))

/* The order is an interface: state.py lists the same names.  A check that finds nothing wrong returns 0. */
enum counter {
	ENTERED,		/* handed to the service */
	RETURNED,		/* came back and got their headers */
	NO_SRH,			/* every one from here on is a discard */
	SEGMENTS_LEFT_ZERO,
	HOP_LIMIT,
	MALFORMED_SRH,
	HEADERS_TOO_LONG,
	INNER_TYPE,
	INNER_MALFORMED,
	NO_CACHE,
	CACHE_FAILED,
	PUSH_FAILED,
	COUNTERS,
};

struct traffic {
	__u64 packets, bytes;
};

struct counters {
	struct traffic of[COUNTERS];
};

/* One local SID.  The proxy itself reads inner, family and iif; the rest is the command's memory. */
struct local_sid {
	__u8 behavior, inner, family, has_mac;
	__u32 oif, iif;
	__u8 next_hop[16];
	__u8 mac[8];
	char oif_name[16], iif_name[16];
};

struct way_back {
	__u32 ifindex, family;
};

/* Which packets belong together: nothing that a service may change stands here, and everything that
 * steers a packet into one policy or another does.  For a fragment, selector is its identification and
 * fragment its offset; else selector is the ports or the ICMP type, code and identifier.
 */
struct flow {
	__u32 iif;
	__u8 source[16], destination[16];
	__u32 selector;
	__u16 fragment;
	__u8 protocol, dscp, family, pad[3];
};

struct headers {
	__u64 length;
	__u8 bytes[HEADERS_MAX];
};

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

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SIDS);
	__type(key, struct in6_addr);
	__type(value, struct local_sid);
} srp_sids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SIDS);
	__type(key, struct way_back);
	__type(value, struct in6_addr);
} srp_returns SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SIDS);
	__type(key, struct in6_addr);
	__type(value, struct counters);
} srp_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, FLOWS);
	__type(key, struct flow);
	__type(value, struct headers);
} srp_flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct headers);
} srp_scratch SEC(".maps");

static __always_inline int load(struct __sk_buff *skb, __u64 at, void *to, __u32 size)
{
	return bpf_skb_load_bytes(skb, ETH_HLEN + at, to, size);
}

static __always_inline int store(struct __sk_buff *skb, __u64 at, const void *from, __u32 size)
{
	return bpf_skb_store_bytes(skb, ETH_HLEN + at, from, size, BPF_F_RECOMPUTE_CSUM);
}

static __always_inline void count(const struct in6_addr *sid, enum counter which, struct traffic traffic)
{
	struct counters *counters = bpf_map_lookup_elem(&srp_counters, sid);

	if (!counters)
		return;
	counters->of[which].packets += traffic.packets;
	counters->of[which].bytes += traffic.bytes;
}

/* A packet of one segment, as the wire has it: without the padding of a short Ethernet frame. */
static __always_inline struct traffic one_packet(struct __sk_buff *skb, __u64 length)
{
	struct traffic traffic = { 1, skb->len - ETH_HLEN };

	if (length && length < traffic.bytes)
		traffic.bytes = length;
	return traffic;
}

/* A GSO packet stands for several on the wire, each with a copy of all headers.  gso_segs can't be
 * trusted (adjust_room zeroes it), so the segments are counted from gso_size.
 */
static __always_inline struct traffic on_the_wire(struct __sk_buff *skb, __u64 length, __u64 inner_at)
{
	struct traffic traffic = one_packet(skb, length);
	__u64 headers = inner_at, size = skb->gso_size, extra;
	struct iphdr ip;
	__u8 offset;

	if (!size || load(skb, inner_at, &ip, sizeof(ip)))
		return traffic;
	headers += ip.ihl * 4;
	if (ip.protocol == IPPROTO_TCP) {
		if (load(skb, headers + 12, &offset, 1))
			return traffic;
		headers += (offset >> 4) * 4;
	} else {
		headers += 8;
	}
	traffic.bytes = skb->len - ETH_HLEN;
	if (traffic.bytes <= headers)
		return traffic;
	extra = (traffic.bytes - headers - 1) / size;
	traffic.packets += extra;
	traffic.bytes += extra * headers;
	return traffic;
}

/* Which flow the IPv4 packet at `at` belongs to.  Returns its header's length, or 0 if it is none. */
static __always_inline __u64 ipv4_flow(struct __sk_buff *skb, __u64 at, struct flow *flow, struct iphdr *ip)
{
	__u16 l4[4] = {};
	__u64 l4_at;

	if (load(skb, at, ip, sizeof(*ip)) || ip->version != 4 || ip->ihl < 5)
		return 0;
	__builtin_memcpy(flow->source, &ip->saddr, 4);
	__builtin_memcpy(flow->destination, &ip->daddr, 4);
	flow->protocol = ip->protocol;
	flow->dscp = ip->tos >> 2;
	flow->family = FAMILY_INET;
	flow->fragment = ip->frag_off & bpf_htons(IP_FRAGMENT_BITS);
	l4_at = at + ip->ihl * 4;
	if (flow->fragment) {
		flow->selector = ip->id;
	} else if (ip->protocol == IPPROTO_ICMP) {
		if (!load(skb, l4_at, l4, sizeof(l4))) {
			flow->selector = bpf_ntohs(l4[0]);
			if (flow->selector == ICMP_ECHO << 8 || flow->selector == ICMP_ECHOREPLY << 8)
				flow->selector |= (__u32)l4[2] << 16;	/* the identifier */
		}
	} else if (ip->protocol == IPPROTO_TCP || ip->protocol == IPPROTO_UDP ||
		   ip->protocol == IPPROTO_SCTP || ip->protocol == IPPROTO_DCCP ||
		   ip->protocol == IPPROTO_UDPLITE) {
		if (!load(skb, l4_at, l4, 4))
			flow->selector = l4[0] | (__u32)l4[1] << 16;
	}
	return ip->ihl * 4;
}

/* The same for a whole packet: returns the packet's length, or 0 if it is cut short. */
static __always_inline __u64 ipv4_packet(struct __sk_buff *skb, __u64 at, struct flow *flow, struct iphdr *ip)
{
	__u64 header = ipv4_flow(skb, at, flow, ip), there = skb->len - ETH_HLEN - at;
	__u64 length = skb->gso_size ? there : bpf_ntohs(ip->tot_len);	/* GSO may be longer than the field */

	return header && length >= header && length <= there ? length : 0;
}

/* Walk from the IPv6 header to the first header that is no extension header we know.  Returns 0, or a
 * counter that says what is wrong.
 */
static __always_inline enum counter walk(struct __sk_buff *skb, const struct ipv6hdr *ip6, struct outer *outer)
{
	__u8 type = ip6->nexthdr, extension[2];
	__u64 at = sizeof(*ip6);
	int i;

	for (i = 0; i < CHAIN_MAX; i++) {
		if (type == IPPROTO_ROUTING && !outer->srh_at) {
			if (load(skb, at, &outer->srh, sizeof(outer->srh)))
				return MALFORMED_SRH;
			if (outer->srh.type != 4)
				return NO_SRH;
			outer->srh_at = at;
			type = outer->srh.next_header;
			at += 8 + outer->srh.length * 8;
		} else if (type == IPPROTO_HOPOPTS || type == IPPROTO_DSTOPTS) {
			if (load(skb, at, extension, sizeof(extension)))
				return MALFORMED_SRH;
			type = extension[0];
			at += 8 + extension[1] * 8;
		} else {
			break;
		}
	}
	outer->next_header = type;
	outer->length = at;
	return outer->srh_at ? 0 : NO_SRH;
}

/* RFC 8986 section 4.1, S02 to S11, and what a proxy asks besides. */
static __always_inline enum counter judge(const struct outer *outer, const struct local_sid *sid, __u8 hop_limit)
{
	const struct srh *srh = &outer->srh;

	if (srh->segments_left == 0)
		return SEGMENTS_LEFT_ZERO;
	if (hop_limit <= 1)
		return HOP_LIMIT;
	if ((srh->last_entry + 1) * 2 > srh->length || srh->segments_left > srh->last_entry + 1)
		return MALFORMED_SRH;
	if (outer->next_header != sid->inner)
		return INNER_TYPE;
	return outer->length > HEADERS_MAX ? HEADERS_TOO_LONG : 0;
}

static __always_inline int same(const struct headers *a, const struct headers *b)
{
	__u64 i, length = b->length;

	if (a->length != length)
		return 0;
	for (i = 0; i < HEADERS_MAX / 8; i++) {
		if (i * 8 >= length)
			break;
		if (((__u64 *)a->bytes)[i] != ((__u64 *)b->bytes)[i])
			return 0;
	}
	return 1;
}

/* Remember the outer headers for this flow, advanced to the next segment (RFC 8986 section 4.1, S12-S14). */
static __always_inline enum counter remember(struct __sk_buff *skb, const struct outer *outer,
					     const struct flow *flow, __u8 hop_limit)
{
	__u64 length = outer->length, at = outer->srh_at;
	__u8 segments_left = outer->srh.segments_left - 1;
	struct headers *new, *old;
	__u32 zero = 0;

	new = bpf_map_lookup_elem(&srp_scratch, &zero);
	if (!new)
		return CACHE_FAILED;
	KEEP_IN_REGISTER(length);
	KEEP_IN_REGISTER(at);
	if (length < HEADERS_MIN || length > HEADERS_MAX || at > HEADERS_MAX - 8)
		return HEADERS_TOO_LONG;
	if (load(skb, 0, new->bytes, length))
		return MALFORMED_SRH;
	new->length = length;
	new->bytes[4] = new->bytes[5] = 0;	/* the payload length is the returning packet's */
	new->bytes[7] = hop_limit - 1;
	if (load(skb, at + 8 + 16 * segments_left, new->bytes + 24, 16))
		return MALFORMED_SRH;
	new->bytes[at + 3] = segments_left;

	old = bpf_map_lookup_elem(&srp_flows, flow);
	if (old && same(old, new))
		return 0;
	return bpf_map_update_elem(&srp_flows, flow, new, BPF_ANY) ? CACHE_FAILED : 0;
}

/* A packet whose destination is `sid`. */
static __always_inline enum counter enter(struct __sk_buff *skb, const struct local_sid *sid,
					  const struct ipv6hdr *ip6, struct outer *outer)
{
	struct flow flow = { .iif = sid->iif };
	enum counter wrong;
	__u8 zero = 0;
	struct iphdr ip;

	wrong = walk(skb, ip6, outer);
	if (!wrong)
		wrong = judge(outer, sid, ip6->hop_limit);
	if (wrong)
		return wrong;
	if (!ipv4_packet(skb, outer->length, &flow, &ip))
		return INNER_MALFORMED;
	wrong = remember(skb, outer, &flow, ip6->hop_limit);
	if (wrong)
		return wrong;
	return store(skb, outer->srh_at + 3, &zero, 1) ? CACHE_FAILED : ENTERED;
}

/* An ICMP error that the service itself sends has no flow of its own: it belongs to the flow that it
 * quotes (RFC 792), and takes that flow's headers.
 */
static __always_inline struct headers *quoted(struct __sk_buff *skb, const struct iphdr *ip, struct flow *flow)
{
	struct flow inner = { .iif = flow->iif };
	struct iphdr inner_ip;
	__u8 type = flow->selector >> 8;

	if (flow->protocol != IPPROTO_ICMP || flow->fragment)
		return 0;
	if (type != ICMP_DEST_UNREACH && type != ICMP_SOURCE_QUENCH && type != ICMP_REDIRECT &&
	    type != ICMP_TIME_EXCEEDED && type != ICMP_PARAMETERPROB)
		return 0;
	if (!ipv4_flow(skb, ip->ihl * 4 + 8, &inner, &inner_ip))
		return 0;
	*flow = inner;
	return bpf_map_lookup_elem(&srp_flows, flow);
}

/* Push the headers back.  The map recycles entries at once, so after the copy the entry must still be
 * the flow's: else another flow's headers could have been written into it meanwhile.
 */
static __always_inline enum counter push(struct __sk_buff *skb, const struct flow *flow,
					 struct headers *headers, __u64 inner_length)
{
	__u64 length = headers->length, payload;
	__be16 field, ethertype = bpf_htons(ETH_P_IPV6);

	KEEP_IN_REGISTER(length);
	if (length < HEADERS_MIN || length > HEADERS_MAX)
		return NO_CACHE;
	payload = inner_length + length - sizeof(struct ipv6hdr);
	if (payload > 0xffff)
		return PUSH_FAILED;
	if (bpf_skb_adjust_room(skb, length, BPF_ADJ_ROOM_MAC,
				BPF_F_ADJ_ROOM_ENCAP_L3_IPV6 | BPF_F_ADJ_ROOM_FIXED_GSO |
				BPF_F_ADJ_ROOM_NO_CSUM_RESET))
		return PUSH_FAILED;
	field = bpf_htons(payload);
	if (store(skb, 0, headers->bytes, length) || store(skb, 4, &field, sizeof(field)) ||
	    bpf_skb_store_bytes(skb, __builtin_offsetof(struct ethhdr, h_proto), &ethertype, sizeof(ethertype), 0))
		return PUSH_FAILED;
	return bpf_map_lookup_elem(&srp_flows, flow) == headers ? RETURNED : NO_CACHE;
}

/* A packet that `sid`'s service gives back.  Returns what tc shall do; TC_ACT_UNSPEC: look on. */
static __always_inline int come_back(struct __sk_buff *skb, const struct in6_addr *sid)
{
	struct flow flow = { .iif = skb->ifindex };
	struct headers *headers;
	struct traffic traffic;
	enum counter result;
	struct iphdr ip;
	__u64 length;

	length = ipv4_packet(skb, 0, &flow, &ip);
	traffic = on_the_wire(skb, length, 0);
	if (length) {
		headers = bpf_map_lookup_elem(&srp_flows, &flow);
		if (!headers)
			headers = quoted(skb, &ip, &flow);
		result = headers ? push(skb, &flow, headers, length) : NO_CACHE;
	} else {
		result = INNER_MALFORMED;
	}
	count(sid, result, traffic);
	return result == RETURNED ? TC_ACT_UNSPEC : TC_ACT_SHOT;
}

SEC("tc")
int srproxy(struct __sk_buff *skb)
{
	struct outer outer = {};
	struct local_sid *sid;
	struct ipv6hdr ip6;
	enum counter result;
	struct traffic traffic;

	/* A tagged or foreign frame is not this interface's: its VLAN or macvlan interface sees it. */
	if (skb->pkt_type != PACKET_HOST || skb->vlan_present)
		return TC_ACT_OK;
	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		struct way_back way = { skb->ifindex, FAMILY_INET };
		struct in6_addr *from = bpf_map_lookup_elem(&srp_returns, &way);
		int action;

		/* A SID is active when it stands in srp_sids, whatever else is already or still there. */
		if (!from || !bpf_map_lookup_elem(&srp_sids, from))
			return TC_ACT_OK;
		action = come_back(skb, from);
		if (action != TC_ACT_UNSPEC)
			return action;
	} else if (skb->protocol != bpf_htons(ETH_P_IPV6)) {
		return TC_ACT_OK;
	}

	/* A returning packet goes on here too: its next segment may be another SID of this node. */
	if (load(skb, 0, &ip6, sizeof(ip6)))
		return TC_ACT_OK;
	sid = bpf_map_lookup_elem(&srp_sids, &ip6.daddr);
	if (!sid)
		return TC_ACT_OK;
	result = enter(skb, sid, &ip6, &outer);
	traffic = one_packet(skb, sizeof(ip6) + bpf_ntohs(ip6.payload_len));
	if (outer.next_header == IPPROTO_IPIP)
		traffic = on_the_wire(skb, sizeof(ip6) + bpf_ntohs(ip6.payload_len), outer.length);
	count(&ip6.daddr, result, traffic);
	return result == ENTERED ? TC_ACT_OK : TC_ACT_SHOT;
}

char _license[] SEC("license") = "GPL";
