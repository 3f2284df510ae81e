/* SPDX-License-Identifier: GPL-2.0-only */
/* What the proxy remembers, and how it reads, writes and counts packets.  state.py knows the same layout. */
#ifndef SRPROXY_H
#define SRPROXY_H

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
#define FAMILY_INET6 10
#define FLOWS 8192
#define HEADERS_MIN 48		/* IPv6 and an SRH without a segment */
#define HEADERS_MAX 512		/* IPv6, extension headers, SRH: 29 SIDs if nothing else is there */
#define CHAIN_MAX 6		/* extension headers we walk through */
#define SIDS 1024

/* Lengths are u64 and pass this before a bounds check: else clang tests a copy that the verifier
 * cannot connect with the register it sees used.
 */
#define KEEP_IN_REGISTER(x) asm volatile("" : "+r"(x))

/* Swapping the bytes twice changes nothing below 65536, and the verifier forgets what it knew of the value: it
 * then doesn't follow every way through a loop on its own to the end of the program.
 */
#define FORGET(x) asm volatile("%0 = be16 %0\n\t%0 = be16 %0" : "+r"(x))

#define NO_UNROLLING _Pragma("clang loop unroll(disable)")

/* The order is an interface: state.py lists the same names.  A check that finds nothing wrong returns 0. */
enum counter {
	ENTERED,		/* handed to the service, or to the kernel's own behavior */
	RETURNED,		/* came back and got their headers */
	ONLY_CHAIN,		/* came back unrecognized, and got the only headers that this SID has seen */
	NO_SRH,			/* every one from here on is a discard */
	SEGMENTS_LEFT_ZERO,
	SEGMENTS_LEFT,
	HOP_LIMIT,
	MALFORMED_SRH,
	HEADERS_TOO_LONG,
	INNER_TYPE,
	INNER_MALFORMED,
	TOO_BIG,
	NO_CACHE,
	REFUSED,
	COUNTERS,
};

/* What the program does for a SID.  behaviors.py says which behavior is which. */
enum kind {
	KERNEL,			/* count, and leave the rest to the seg6local route */
	DYNAMIC,		/* End.AD: remember each flow's headers */
	STATIC,			/* End.AS: headers that the administrator gave */
	MASQUERADE,		/* End.AM: the headers stay on the packet */
};

/* Where in a policy the SID may stand. */
enum position {
	HAS_NEXT = 1,		/* Segments Left above 0 */
	IS_LAST = 2,		/* Segments Left 0, or no SRH at all */
};

struct traffic {
	__u64 packets, bytes;
};

/* One local SID.  What the program doesn't read is the command's memory.  Every CPU has a copy, and counts in it. */
struct local_sid {
	__u8 behavior, kind, position, inner, family, has_mac, pad[2];
	__u32 oif, iif, mtu;
	__u8 next_hop[16];
	__u8 mac[8];
	char oif_name[16], iif_name[16];
	__u32 pad2;
	struct traffic counted[COUNTERS];
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
	__u8 family, protocol, dscp, pad;
	__u8 source[16], destination[16];
	__u32 selector;
	__u16 fragment, pad2;
};

/* IPv6 header and extension headers to give back, advanced to the next segment; none if length is 0,
 * because the service was the last segment.
 */
struct headers {
	__u64 length;
	__u8 bytes[HEADERS_MAX];
};

/* The headers of a SID rather than of a flow: those that End.AS was given, or the first that End.AD saw. */
struct chain {
	__u64 several;		/* End.AD saw others too */
	struct headers headers;
};

/* Room to work in. The verifier follows every value on the stack, and takes what is in a map for unknown: so
 * all ways to a flow are one to it.  `home` is the command's memory: the cookie of the network namespace that the
 * program was loaded for, which by tcx it leaves with an interface that is moved.
 */
struct scratch {
	__u64 home;
	struct chain chain;
	struct flow flow, cause;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
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
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SIDS);
	__type(key, struct in6_addr);
	__type(value, struct chain);
} srp_chains SEC(".maps");

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
	__type(value, struct scratch);
} srp_scratch SEC(".maps");

static __always_inline int load(struct __sk_buff *skb, __u64 at, void *to, __u32 size)
{
	return bpf_skb_load_bytes(skb, ETH_HLEN + at, to, size);
}

static __always_inline int store(struct __sk_buff *skb, __u64 at, const void *from, __u32 size)
{
	return bpf_skb_store_bytes(skb, ETH_HLEN + at, from, size, BPF_F_RECOMPUTE_CSUM);
}

static __always_inline void count(struct local_sid *sid, enum counter which, struct traffic traffic)
{
	if (which >= COUNTERS)	/* never; the verifier has forgotten */
		return;
	sid->counted[which].packets += traffic.packets;
	sid->counted[which].bytes += traffic.bytes;
}

#endif
