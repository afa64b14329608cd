/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-abi.h: every structure, opcode, limit and reason that the BPF programs
 * and ovs-vswitchd share.
 *
 * Both sides include this one file; nothing in it may depend on a library of
 * either side.  All integers are in host byte order unless their type is
 * __be16 or __be32.  Padding is explicit and zero.  Whoever changes the
 * meaning or the layout of anything here increments OXDP_ABI_VERSION.
 */

#ifndef OXDP_ABI_H
#define OXDP_ABI_H 1

#include <linux/types.h>

#define OXDP_ABI_VERSION 10

#define OXDP_ASSERT(EXPR) _Static_assert(EXPR, #EXPR)

/* Limits. */
#define OXDP_MAX_PORTS 4096     /* Datapath port numbers 0...4095. */
#define OXDP_MAX_MASKS 4096     /* Megaflow masks that BPF has. */
#define OXDP_ORDER_MASKS 256    /* Of these, for packets of one scope. */
#define OXDP_MAX_OPS 16         /* Opcodes of one flow. */
#define OXDP_MAX_RECIRC 8       /* Passes of one packet through the table. */
#define OXDP_MAX_EXT_HDRS 6     /* IPv6 extension headers that BPF walks. */
#define OXDP_MAX_ND_OPTS 4      /* ND options that BPF walks. */

/* Flow slots come in chunks, each one map, created as the table grows. */
#define OXDP_CHUNK_SHIFT 12
#define OXDP_CHUNK_FLOWS (1u << OXDP_CHUNK_SHIFT)
#define OXDP_MAX_CHUNKS 256
#define OXDP_MAX_FLOWS (OXDP_MAX_CHUNKS * OXDP_CHUNK_FLOWS)

/* The hash table over all masks: slot ORDER of a map in maps holds a map with
 * 2**ORDER buckets. */
#define OXDP_MIN_ORDER 10
#define OXDP_MAX_ORDER 19
#define OXDP_BUCKET_SLOTS 7

/* Sets of ports that frames are broadcast to, less one, and how long a frame
 * may be for that: the kernel copies it into one page. */
#define OXDP_MAX_FLOODS 1024
#define OXDP_FLOOD_LEN 3520

/* Bonds whose members BPF chooses, buckets of each, and how many places in the
 * table of bonds are looked at. */
#define OXDP_MAX_BONDS 128
#define OXDP_BOND_BUCKETS 256
#define OXDP_BOND_PROBES 8

/* Slots of the table from ifindex to datapath port, and how many are looked
 * at. */
#define OXDP_IFPORT_SLOTS 16384
#define OXDP_IFPORT_PROBES 8

/* A VLAN tag. */
struct oxdp_vlan {
    __be16 tpid;
    __be16 tci;                 /* With the CFI bit set if present. */
};

/* The key of a packet: the fields of OVS's struct flow that a frame on a port
 * can have.  Fields that a packet does not have are zero.  What nearly every
 * megaflow matches comes first, so that the words past 'n_words' of a mask need
 * not be looked at. */
struct oxdp_key {
    /* Words 0-1: what OVS matches always, and the rest of an IP header. */
    __u32 recirc_id;
    __u16 in_port;              /* 65535 if it has more bits. */
    __be16 eth_type;            /* As in struct flow: 0x5ff for 802.2. */
    struct oxdp_vlan vlan;      /* Outer. */
    __u8 nw_frag;               /* FLOW_NW_FRAG_*. */
    __u8 nw_tos;
    __u8 nw_ttl;
    __u8 nw_proto;              /* Or the low byte of ARP's opcode. */
    /* Words 2-3: the rest of layer 2. */
    __u8 eth_dst[6];
    __u8 eth_src[6];
    struct oxdp_vlan vlan2;     /* Inner. */
    /* Words 4-5: transport and IPv4. */
    __be16 tp_src;              /* Or the ICMP type. */
    __be16 tp_dst;              /* Or the ICMP code. */
    __be16 tcp_flags;           /* Or the first ND option's type. */
    __be16 pad0;
    union {
        struct {
            __be32 nw_src;      /* IPv4, or ARP's sender. */
            __be32 nw_dst;      /* IPv4, or ARP's target. */
        };
        /* Words 5-6, of MPLS packets: the outermost labels. */
        __be32 mpls_lse[3];
        /* Words 5-9: IPv6 and IGMP. */
        struct {
            __u8 ipv6_src[16];
            __u8 ipv6_dst[16];
        };
    };
    __be32 ipv6_label;
    __be32 igmp_group;          /* Or ND's reserved field. */
    /* Words 10-13: ND and ARP. */
    __u8 nd_target[16];
    __u8 arp_sha[6];            /* Or ND's source link-layer address. */
    __u8 arp_tha[6];            /* Or ND's target link-layer address. */
    __u32 pad1;
    /* Words 14-15: metadata that few packets have. */
    __u32 dp_hash;
    __u32 skb_mark;
    __u32 skb_priority;
    __u32 pad2;
};

/* The words by name, for code that writes them whole. */
#define OXDP_W_TYPE 0
#define OXDP_W_NW 1
#define OXDP_W_ETH 2
#define OXDP_W_TP 4
#define OXDP_W_ADDR 5
#define OXDP_W_LABEL 9
#define OXDP_W_ND 10
#define OXDP_W_ARP 12
#define OXDP_W_MARK 14
#define OXDP_W_PRIORITY 15

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Words of keys are put together for little endian machines."
#endif

/* How many words a mask can have, and a key that is not zero throughout. */
#define OXDP_KEY_WORDS_MIN 2
#define OXDP_KEY_WORDS_ETH 4
#define OXDP_KEY_WORDS_IPV4 6
#define OXDP_KEY_WORDS_IPV6 10
#define OXDP_KEY_WORDS 16
OXDP_ASSERT(sizeof(struct oxdp_key) == 8 * OXDP_KEY_WORDS);
OXDP_ASSERT(__builtin_offsetof(struct oxdp_key, vlan) == 8 * OXDP_W_NW);
OXDP_ASSERT(__builtin_offsetof(struct oxdp_key, eth_dst) == 8 * OXDP_W_ETH);
OXDP_ASSERT(__builtin_offsetof(struct oxdp_key, tp_src) == 8 * OXDP_W_TP);
OXDP_ASSERT(__builtin_offsetof(struct oxdp_key, nw_src) == 8 * OXDP_W_ADDR);
OXDP_ASSERT(__builtin_offsetof(struct oxdp_key, ipv6_label)
            == 8 * OXDP_W_LABEL);
OXDP_ASSERT(__builtin_offsetof(struct oxdp_key, nd_target) == 8 * OXDP_W_ND);
OXDP_ASSERT(__builtin_offsetof(struct oxdp_key, arp_sha) == 8 * OXDP_W_ARP);
OXDP_ASSERT(__builtin_offsetof(struct oxdp_key, dp_hash) == 8 * OXDP_W_MARK);

/* Fragment flags, with the values of OVS's FLOW_NW_FRAG_*. */
#define OXDP_FRAG_ANY 1
#define OXDP_FRAG_LATER 2

/* eth_type of frames that have none, OVS's FLOW_DL_TYPE_NONE. */
#define OXDP_ETH_TYPE_NONE 0x5ff

/* A megaflow mask.  Written by the flow table while no flow refers to it, read
 * by BPF. */
struct oxdp_mask {
    struct oxdp_key bits;
    __u32 n_words;              /* Words from 'n_words' on are all zero. */
    __u32 pad0;
    __u64 pad1[3];
};
OXDP_ASSERT(sizeof(struct oxdp_mask) == 160);

/* The masks to search for packets of one scope, in this order.
 *
 * A scope is what packets with the same input port and the same recirculation
 * id have in common, which every megaflow matches exactly; some scopes share
 * one order.  Written by lib/oxdp-masks.c, so that nobody who goes through it
 * misses a mask that stays; BPF counts hits. */
struct oxdp_order {
    __u32 n;
    __u16 ids[OXDP_ORDER_MASKS];
    __u32 hits[OXDP_ORDER_MASKS];       /* Not by the hint; some get lost. */
    __u32 pad;
};
#define OXDP_SCOPES 4096
#define OXDP_ORDER_SHIFT 6              /* Orders come in chunks like flows. */
#define OXDP_ORDER_CHUNK (1u << OXDP_ORDER_SHIFT)
#define OXDP_MAX_ORDER_CHUNKS (2 * OXDP_SCOPES / OXDP_ORDER_CHUNK)

/* Elements of the predictor, and of one set of it, see oxdp-predict.h. */
#define OXDP_PREDICTIONS 16384
#define OXDP_PREDICT_WAYS 4
#define OXDP_PREDICT_TAG_SHIFT 12       /* Below is the mask's id. */
OXDP_ASSERT(OXDP_MAX_MASKS <= 1u << OXDP_PREDICT_TAG_SHIFT);

/* Masks that are searched for a packet of a port that has used up its budget
 * of searches in vain. */
#define OXDP_FEW_MASKS 16

/* Opcodes of the fast path: name, and what the operand fields mean.
 *
 * COPY and USERSPACE send a copy of the packet as it is then; OUTPUT,
 * LB_OUTPUT, RECIRC and DROP are the end.  COPY, USERSPACE, SET_MARK and
 * SET_PRIORITY take an SKB; those about MPLS take a frame. */
#define OXDP_OPS                                                        \
    OXDP_OP(OUTPUT, "output")       /* arg32: datapath port. */         \
    OXDP_OP(COPY, "copy")           /* arg32: how many datapath 'ports'. */ \
    OXDP_OP(USERSPACE, "userspace") /* user. */                         \
    OXDP_OP(RECIRC, "recirc")       /* arg32: recirculation id. */      \
    OXDP_OP(DROP, "drop")                                               \
    OXDP_OP(SET_ETH, "set_eth")     /* eth: both addresses, masked. */  \
    OXDP_OP(PUSH_VLAN, "push_vlan") /* be16[]: TPID, TCI without CFI. */ \
    OXDP_OP(POP_VLAN, "pop_vlan")                                       \
    OXDP_OP(PUSH_MPLS, "push_mpls") /* mpls: both. */                   \
    OXDP_OP(POP_MPLS, "pop_mpls")   /* mpls: the Ethernet type alone. */ \
    OXDP_OP(SET_MPLS, "set_mpls")   /* set: the outermost label. */     \
    OXDP_OP(TRUNC, "trunc")         /* arg32: bytes that stay. */       \
    OXDP_OP(HASH, "hash")           /* hash. */                         \
    OXDP_OP(METER, "meter")         /* arg32: meter id. */              \
    OXDP_OP(CHECK_LEN, "check_pkt_len") /* check: if the packet is longer \
                                     * than 'len' go on, else go on with \
                                     * opcode 'next'. */                \
    OXDP_OP(SET_MARK, "set_mark")   /* meta: masked. */                 \
    OXDP_OP(SET_PRIORITY, "set_priority") /* meta: masked. */           \
    OXDP_OP(LOCATE, "locate")       /* Look for the headers again, since \
                                     * opcodes have moved them. */      \
    OXDP_OP(SET_IPV4, "set_ipv4")   /* set: TOS and TTL as bytes, source \
                                     * and destination. */              \
    OXDP_OP(SET_IPV6, "set_ipv6")   /* set: the header's words from offset \
                                     * arg32 on. */                     \
    OXDP_OP(SET_TCP, "set_tcp")     /* set: the ports. */               \
    OXDP_OP(SET_UDP, "set_udp")     /* set: the ports. */           \
    OXDP_OP(LB_OUTPUT, "lb_output") /* arg32: bond id. */

enum oxdp_opcode {
    OXDP_OP_END,
#define OXDP_OP(ENUM, NAME) OXDP_OP_##ENUM,
    OXDP_OPS
#undef OXDP_OP
    OXDP_N_OPS
};

/* Ports of one COPY. */
#define OXDP_COPY_PORTS 12

/* Algorithms of HASH, with the values of OVS_HASH_ALG_*. */
#define OXDP_HASH_L4 0
#define OXDP_HASH_SYM_L4 1

struct oxdp_op {
    __u32 code;                 /* enum oxdp_opcode. */
    union {
        __u32 arg32;
        __be16 be16[2];
    };
    union {
        struct {
            __u8 dst[6];        /* New destination, under 'dst_mask'. */
            __u8 src[6];
            __u8 dst_mask[6];
            __u8 src_mask[6];
        } eth;
        struct {
            __be32 value[3];    /* New words, masked. */
            __be32 mask[3];
        } set;
        __u16 ports[OXDP_COPY_PORTS];
        struct {
            __u64 cookie;       /* See lib/oxdp-actions.h. */
            __u32 probability;  /* Of UINT32_MAX, which means always. */
            __u32 pad[3];
        } user;
        struct {
            __be32 lse;
            __be16 eth_type;
        } mpls;
        struct {
            __u32 basis;
            __u32 alg;          /* OXDP_HASH_*. */
        } hash;
        struct {
            __u32 len;
            __u32 next;
        } check;
        struct {
            __u32 value;        /* Masked. */
            __u32 mask;
        } meta;
    };
};
OXDP_ASSERT(sizeof(struct oxdp_op) == 32);

/* What a flow's SET opcodes take for granted about the packet.  They stand
 * before all opcodes that move headers. */
#define OXDP_HEADERS_IPV4 1u
#define OXDP_HEADERS_IPV6 2u
#define OXDP_HEADERS_ADDR 4u    /* They set addresses, on which the checksum of
                                 * layer 4 depends. */
#define OXDP_HEADERS_TCP 8u
#define OXDP_HEADERS_UDP 16u
#define OXDP_HEADERS_MPLS 32u   /* They change MPLS labels, in frames alone. */
#define OXDP_HEADERS_LEN 64u    /* They ask where an IP packet ends. */

/* Where a flow's packets are handled. */
#define OXDP_VERDICTS                                                     \
    OXDP_VERDICT(XDP, "xdp")    /* By the opcodes, in XDP or TC. */       \
    OXDP_VERDICT(SKB, "skb")    /* By the opcodes, in TC. */              \
    OXDP_VERDICT(FLOOD, "flood") /* Its outputs by broadcast in XDP, or else \
                                 * by the opcodes in TC. */               \
    OXDP_VERDICT(BRIDGE, "bridge") /* By the kernel bridge, which TC gives it, \
                                 * or else as SKB. */                     \
    OXDP_VERDICT(USER, "user")  /* In ovs-vswitchd, via the CPU port. */

enum oxdp_verdict {
#define OXDP_VERDICT(ENUM, NAME) OXDP_VERDICT_##ENUM,
    OXDP_VERDICTS
#undef OXDP_VERDICT
    OXDP_N_VERDICTS
};

/* Why a flow does not have the best verdict.  ENUM, NAME, what it means. */
#define OXDP_REASONS                                                          \
    OXDP_REASON(NONE, "none", "handled by the fast path")                     \
    OXDP_REASON(MULTI_OUTPUT, "multi-output",                                 \
                "more than one output takes an SKB")                          \
    OXDP_REASON(FLOOD, "flood", "XDP broadcasts to several outputs")          \
    OXDP_REASON(FLOOD_MAP, "flood-map",                                       \
                "several outputs, of which XDP has no map (yet)")             \
    OXDP_REASON(BRIDGE, "bridge",                                             \
                "several outputs, for which the kernel bridge makes copies")  \
    OXDP_REASON(USERSPACE, "userspace",                                       \
                "sends packets to the controller or to a collector")          \
    OXDP_REASON(METADATA, "metadata",                                         \
                "sets a mark or a priority, which only an SKB has")           \
    OXDP_REASON(NO_XMIT, "no-xmit",                                           \
                "outputs to a device that takes no frames from XDP")          \
    OXDP_REASON(FRAME, "frame", "changes MPLS labels, which takes a frame, "  \
                "and the port has no XDP hook")                               \
    OXDP_REASON(ACTION, "action",                                             \
                "an action that only ovs-vswitchd can execute")               \
    OXDP_REASON(CLONE, "clone",                                               \
                "changes a copy of the packet and goes on with the original") \
    OXDP_REASON(TRUNC, "trunc",                                               \
                "cuts packets to less than 128 bytes, or not for the last "   \
                "output")                                                     \
    OXDP_REASON(SET_FIELD, "set-field",                                       \
                "sets a field that only ovs-vswitchd sets")                   \
    OXDP_REASON(TOO_LONG, "too-long",                                         \
                "more actions than a fast-path flow can hold")                \
    OXDP_REASON(PORT, "port", "outputs to a port that is not there")          \
    OXDP_REASON(MATCH, "match",                                               \
                "matches a field that frames on a port do not have")          \
    OXDP_REASON(MASKS, "masks", "more masks than the fast path searches")     \
    OXDP_REASON(TABLE_FULL, "table-full", "no room for another flow")

enum oxdp_reason {
#define OXDP_REASON(ENUM, NAME, TEXT) OXDP_REASON_##ENUM,
    OXDP_REASONS
#undef OXDP_REASON
    OXDP_N_REASONS
};

/* A megaflow, one slot of a chunk: what most packets take of it, in one cache
 * line.  The rest is in a struct oxdp_flow_rest.
 *
 * Written by the flow table (lib/oxdp-table.c) alone, except for 'tcp_flags'
 * and 'used', and only while 'live' is zero and a grace period has passed since
 * it became zero; read by BPF. */
struct oxdp_flow {
    __u16 live;                 /* 'mask_id' + 1 while installed, else 0. */
    __u8 verdict;               /* enum oxdp_verdict. */
    __u8 n_ops;                 /* 0 means drop. */
    __u32 list : 24;            /* Where the opcodes are, plus 1; 0 if there is
                                 * none or the only one is OUTPUT. */
    __u32 headers : 8;          /* OXDP_HEADERS_*. */
    __u32 used;                 /* oxdp_flow_now() of the last packet, 0 if
                                 * there was none; by BPF. */
    union {
        struct {
            __u16 tcp_flags;    /* Seen so far, host byte order; by BPF, */
            __u16 out_port;     /* Datapath port of the last OUTPUT opcode,
                                 * or OXDP_NO_OUT_PORT. */
        };
        __u32 tcp_flags32;      /* and as a word to which it adds some. */
    };
    __u64 key[OXDP_KEY_WORDS_IPV4];     /* Its first words, masked. */
};
OXDP_ASSERT(sizeof(struct oxdp_flow) == 64);
OXDP_ASSERT(OXDP_MAX_MASKS < 65536);

struct oxdp_flow_rest {
    __u64 key[OXDP_KEY_WORDS - OXDP_KEY_WORDS_IPV4];
    __u16 mask_id;
    __u16 flood;                /* If 'verdict' is FLOOD, the set of ports that
                                 * all COPY and OUTPUT opcodes make together,
                                 * otherwise 0. */
    __u8 reason;                /* enum oxdp_reason. */
    __u8 growth;                /* Bytes that opcodes may add to a packet. */
    __u16 pad0;
    union {
        __u32 bridge_gen;       /* If 'verdict' is BRIDGE: the kernel bridge
                                 * does the same as the opcodes, of which there
                                 * may be none, while control.bridge_gen is
                                 * this. */
        __u32 bond;             /* If 'verdict' is XDP: the operand of LB_OUTPUT
                                 * if that is the only opcode, otherwise 0. */
    };
    __u32 pad1;
};
OXDP_ASSERT(sizeof(struct oxdp_flow_rest) == 96);

#define OXDP_PORT_NONE 0xffffffffu
#define OXDP_NO_OUT_PORT 0xffffu

/* The opcodes of a flow that has more than one OUTPUT.  Lists come in chunks
 * like flows, each one map. */
struct oxdp_list {
    struct oxdp_op ops[OXDP_MAX_OPS];
};
#define OXDP_LIST_SHIFT 10
#define OXDP_LIST_CHUNK (1u << OXDP_LIST_SHIFT)
#define OXDP_MAX_LIST_CHUNKS (OXDP_MAX_FLOWS / OXDP_LIST_CHUNK)

/* Counters of a flow on one CPU: written by BPF on that CPU, read by
 * ovs-vswitchd, zeroed by it before the slot is used. */
struct oxdp_flow_stats {
    __u64 packets;
    __u64 bytes;
};

/* OXDP_CHUNK_FLOWS slots, and a block of as many counters for each CPU. */
struct oxdp_chunk {
    struct oxdp_flow flows[OXDP_CHUNK_FLOWS];
    struct oxdp_flow_rest rests[OXDP_CHUNK_FLOWS];
    struct oxdp_flow_stats stats[];
};

/* The signatures of up to seven flows. */
struct oxdp_bucket {
    __u32 sigs[OXDP_BUCKET_SLOTS];
    __u32 spilled;              /* Some flow of this bucket stands in its
                                 * second bucket. */
    __u32 slots[OXDP_BUCKET_SLOTS]; /* Flow slot + 1, or 0. */
    __u32 pad;
};
OXDP_ASSERT(sizeof(struct oxdp_bucket) == 64);

/* Why a packet cannot be sent to userspace.  Then it is lost, unless the kernel
 * bridge takes it. */
#define OXDP_AWAYS(AWAY)                                                      \
    AWAY(NO_DAEMON, "no-daemon", "ovs-vswitchd does not run",                 \
         "start ovs-vswitchd")                                                \
    AWAY(NO_HANDLER, "no-handler", "ovs-vswitchd takes no packets yet",       \
         "wait for it to start, see other_config:flow-restore-wait")          \
    AWAY(STALE, "stale", "ovs-vswitchd has not read its queue for a second",  \
         "look for what stops or starves ovs-vswitchd")                       \
    AWAY(QUEUE_FULL, "queue-full", "the queue to ovs-vswitchd is full",       \
         "limit what ports send up by other_config:xdp-upcall-rate")

enum oxdp_away {
#define OXDP_AWAY(ENUM, NAME, TEXT, ADVICE) OXDP_AWAY_##ENUM,
    OXDP_AWAYS(OXDP_AWAY)
#undef OXDP_AWAY
    OXDP_N_AWAYS
};

/* Packets of a port that ovs-vswitchd should have got. */
struct oxdp_away_sum {
    __u64 fallbacks;            /* The kernel bridge was given. */
    __u64 drops;                /* Were lost. */
    __u64 reasons[OXDP_N_AWAYS];
};

/* What BPF needs to know of a port, index is the datapath port.  The second
 * half begins with the token bucket, written by BPF. */
#define OXDP_PORT_F_XMIT 1u     /* Takes redirected frames now. */
#define OXDP_PORT_F_XMIT_SG 2u  /* Also frames of several buffers. */
#define OXDP_PORT_F_PRESENT 4u
#define OXDP_PORT_F_XDP 8u      /* Frames come in through the XDP hook. */
#define OXDP_PORT_F_PEER 16u    /* SKBs may go straight to the other end. */
#define OXDP_PORT_F_NO_PASS 32u /* What XDP passes to TC gets there broken. */
#define OXDP_PORT_F_FALLBACK 64u /* The kernel bridge takes what cannot be sent
                                  * to userspace; otherwise it is dropped. */
#define OXDP_PORT_F_LOCAL 128u  /* A bridge's LOCAL port: what comes in is what
                                 * the host sends, on the device's egress, and
                                 * what goes out goes to its ingress. */
#define OXDP_PORT_F_DOWN 256u   /* Has no carrier: whatever is sent there is
                                 * lost. */
#define OXDP_PORT_F_KEEPER 512u /* LOCAL: frames can be broadcast to it, by way
                                 * of its keeper. */
#define OXDP_PORT_F_MACVLAN 1024u /* Addresses say where packets go, and not
                                   * flows: see struct oxdp_macvlan. */
#define OXDP_PORT_F_TRACED 2048u /* What becomes of what comes in is put into
                                  * oxdp_samples. */

struct oxdp_port {
    __u32 ifindex;              /* Device to transmit on, 0 if none. */
    __u32 flags;                /* OXDP_PORT_F_*. */
    __u32 punt_rate;            /* Packets/s to userspace, 0: no limit. */
    __u32 punt_burst;           /* Packets. */
    __u8 peer_mac[6];           /* The other end's, if PEER. */
    __u8 pad0[2];
    __u32 peer_len;             /* Frames that it takes. */
    __u32 max_len;              /* Frames that this device takes. */
    __u32 frames_ifindex;       /* Device to redirect frames to: 'ifindex', but
                                 * for LOCAL its keeper. */
    __u32 standby;              /* Nonzero while the port, of a bond, is dead
                                 * and OVS's flows may not know it yet: the
                                 * port of that bond to output to instead. */
    __u64 pad3[3];
    __u64 tokens_ns;            /* Time of the bucket's level, in ns of
                                 * CLOCK_MONOTONIC. */
    __s64 tokens;               /* Packets that may be punted. */
    struct oxdp_away_sum away;  /* Of which ovs-vswitchd's log has told; for it
                                 * and the next one. */
};
OXDP_ASSERT(sizeof(struct oxdp_port) == 128);

/* VLAN modes, OVS's enum port_vlan_mode: ENUM, value of Port:vlan_mode. */
#define OXDP_VLAN_MODES                                 \
    OXDP_VLAN_MODE(ACCESS, "access")                    \
    OXDP_VLAN_MODE(TRUNK, "trunk")                      \
    OXDP_VLAN_MODE(NATIVE_TAGGED, "native-tagged")      \
    OXDP_VLAN_MODE(NATIVE_UNTAGGED, "native-untagged")  \
    OXDP_VLAN_MODE(DOT1Q_TUNNEL, "dot1q-tunnel")

enum oxdp_vlan_mode {
#define OXDP_VLAN_MODE(ENUM, NAME) OXDP_VLAN_MODE_##ENUM,
    OXDP_VLAN_MODES
#undef OXDP_VLAN_MODE
    OXDP_N_VLAN_MODES
};

/* When a port sends a tag with nothing but a priority in it. */
enum oxdp_priority_tags {
    OXDP_PRIORITY_TAGS_NEVER,
    OXDP_PRIORITY_TAGS_IF_NONZERO,
    OXDP_PRIORITY_TAGS_ALWAYS,
};

#define OXDP_VLANS 4096

/* What a port is to the bridge, for packets that the kernel bridge forwards,
 * which knows nothing of this: see oxdp-vlan.h.  Index is the datapath port.
 * Written by lib/oxdp-bport.c, read by BPF. */
#define OXDP_BPORT_F_PROTECTED 1u
#define OXDP_BPORT_F_BLOCKED 2u /* Nothing goes in or out: STP, a bond's other
                                 * member, reserved for a mirror. */
#define OXDP_BPORT_F_FLOOD 4u   /* The kernel bridge is to flood what comes in,
                                 * where it can. */

struct oxdp_bport {
    __u32 bridge;               /* ifindex of the kernel bridge that it is a
                                 * member of, or that it is; 0 if none. */
    __u8 flags;                 /* OXDP_BPORT_F_*. */
    __u8 vlan_mode;             /* enum oxdp_vlan_mode. */
    __u8 priority_tags;         /* enum oxdp_priority_tags. */
    __u8 pad0;
    __u16 tag;                  /* 0 if it has none. */
    __be16 tunnel_tpid;         /* For DOT1Q_TUNNEL. */
    __u32 pad1;
    __u64 vlans[OXDP_VLANS / 64];       /* A bitmap: trunks, for DOT1Q_TUNNEL
                                         * customers' VLANs. */
};
OXDP_ASSERT(sizeof(struct oxdp_bport) == 528);

/* What a port is to a bridge with other_config:xdp-l2=macvlan, see
 * oxdp-macvlan.h: ENUM, a bit, NAME.  An upper port has one of the modes of the
 * kernel's macvlan devices. */
#define OXDP_MACVLAN_MODES                              \
    OXDP_MACVLAN_MODE(PRIVATE, 1, "private")            \
    OXDP_MACVLAN_MODE(VEPA, 2, "vepa")                  \
    OXDP_MACVLAN_MODE(BRIDGE, 4, "bridge")              \
    OXDP_MACVLAN_MODE(PASSTHRU, 8, "passthru")          \
    OXDP_MACVLAN_MODE(SOURCE, 16, "source")
#define OXDP_MACVLAN_ROLES                              \
    OXDP_MACVLAN_MODES                                  \
    OXDP_MACVLAN_MODE(LOWER, 32, "lower")               \
    OXDP_MACVLAN_MODE(LOCAL, 64, "local")

enum oxdp_macvlan_mode {
    OXDP_MACVLAN_NONE,          /* Nothing: its packets are dropped. */
#define OXDP_MACVLAN_MODE(ENUM, BIT, NAME) OXDP_MACVLAN_##ENUM = BIT,
    OXDP_MACVLAN_ROLES
#undef OXDP_MACVLAN_MODE
};

#define OXDP_MACVLAN_F_VLANS 1  /* Lower port: others are in VLANs of it. */
#define OXDP_MACVLAN_F_SOURCES 2 /* Lower port: there are elements of
                                  * oxdp_mac_srcs. */
#define OXDP_MACVLAN_F_FILTER 4 /* Upper port: gets those multicast groups alone
                                 * that are in 'filter'. */

/* Index is the datapath port.  Written by lib/oxdp-macs.c, what is in the
 * first 8 bytes at once; read by BPF. */
struct oxdp_macvlan {
    union {
        struct {
            __u16 lower;        /* Datapath port of the lower port. */
            __u16 vlan;         /* VLAN of the lower port that it is in, or 0:
                                 * it sees all tags that nobody else has. */
            __u16 next;         /* Upper port: the next one of the same 'lower'
                                 * and 'vlan', or 0.  Lower port: the upper port
                                 * that has mode PASSTHRU, or 0. */
            __u8 mode;          /* enum oxdp_macvlan_mode. */
            __u8 flags;         /* OXDP_MACVLAN_F_*. */
        };
        __u64 both;
    };
    __u64 filter[4];            /* By oxdp_filter_bit(). */
};
OXDP_ASSERT(sizeof(struct oxdp_macvlan) == 40);

/* Who has an address.  For a VLAN 'mode' is NONE and 'port' is the first of its
 * upper ports.  Read and written at once. */
union oxdp_mac_owner {
    struct {
        __u16 lower;            /* Datapath port of the lower port. */
        __u16 port;             /* Datapath port, or 0. */
        __u16 local;            /* LOCAL, if it is in that VLAN, or 0. */
        __u8 mode;              /* enum oxdp_macvlan_mode, of 'port'. */
        __u8 pad;
    };
    __u64 both;                 /* 0: nobody. */
};

/* An address behind a lower port, or a VLAN itself, see oxdp-mac.h.  Written by
 * lib/oxdp-macs.c, 'key' while nobody has it and a grace period after that. */
struct oxdp_mac {
    __u64 key;                  /* The address, or zeros, and the VLAN. */
    union oxdp_mac_owner owner;
};

#define OXDP_MAC_SLOTS 8
struct oxdp_mac_bucket {
    struct oxdp_mac macs[OXDP_MAC_SLOTS];
};
OXDP_ASSERT(sizeof(struct oxdp_mac_bucket) == 128);

#define OXDP_MAC_BUCKETS 16384
#define OXDP_MAX_MACS (OXDP_MAC_BUCKETS * OXDP_MAC_SLOTS / 2)

/* What ports with mode SOURCE wait for: packets from 'mac'. */
struct oxdp_mac_key {
    __u16 lower;                /* Datapath port. */
    __u16 vlan;
    __u8 mac[6];
    __u16 pad;
};

/* The ports with mode SOURCE that get what has this source address. */
#define OXDP_MAC_SRC_PORTS 14
struct oxdp_mac_src {
    __u32 n;
    __u16 ports[OXDP_MAC_SRC_PORTS];
};

/* A set of ports that XDP can broadcast frames to: what BPF needs to know of
 * all its ports together.  Index is the set's number, from 1 on.  Written by
 * lib/oxdp-flood.c. */
struct oxdp_flood {
    __u32 max_len;              /* Frames that all ports that are not down take
                                 * now, if they are in one buffer; 0 if not
                                 * all take any, or the set has no map. */
};

/* A bond, for LB_OUTPUT: the port of each bucket, of which a packet's hash
 * chooses one.  Open addressing from 'id' modulo OXDP_MAX_BONDS.  Written by
 * ovs-xdp/dpif-xdp-bond.c, read by BPF. */
struct oxdp_bond {
    __u32 id;                   /* 0: none. */
    __u32 pad[15];
    __u16 ports[OXDP_BOND_BUCKETS];     /* OXDP_BOND_NO_PORT: drop. */
};
OXDP_ASSERT(sizeof(struct oxdp_bond) == 576);
#define OXDP_BOND_NO_PORT 0xffffu

/* Which datapath port a device is; the port's own and for an internal port its
 * datapath end.  Open addressing from ifindex modulo OXDP_IFPORT_SLOTS.
 * Read and written at once, as another device can take an element over. */
union oxdp_ifport {
    struct {
        __u32 ifindex;          /* 0: empty, OXDP_IFINDEX_DELETED: removed. */
        __u32 port;
    };
    __u64 both;
};
#define OXDP_IFINDEX_DELETED 0xffffffffu

/* Why a packet was lost in BPF.  Begins with what is in enum oxdp_away. */
#define OXDP_DROPS                                                            \
    OXDP_AWAYS(OXDP_DROP)                                                     \
    OXDP_DROP(UPCALL_QUEUE, "upcall-queue",                                   \
              "port's share of the queue to ovs-vswitchd was full",           \
              "look for a sender of ever new flows, or install wider flows")  \
    OXDP_DROP(USER_FLOW, "user-flow",                                         \
              "flow takes ovs-vswitchd, which was away",                      \
              "see ovs-appctl dpif-xdp/flow-show for why it does")            \
    OXDP_DROP(FALLBACK_IN, "fallback-in",                                     \
              "kernel bridge must not have it: VLAN, blocked or reserved",    \
              "see ovs-appctl dpif-xdp/bridge-show")                          \
    OXDP_DROP(FALLBACK_OUT, "fallback-out",                                   \
              "kernel bridge took it to a port where it must not go",         \
              "nothing: it floods the ports of all VLANs")                    \
    OXDP_DROP(GATE, "gate", "kernel bridge forwarded what it was not given",  \
              "look for who else sends packets through the bridge")           \
    OXDP_DROP(NO_PORT, "no-port", "arrived on a device that is no port",      \
              "nothing: counts packets in flight while a port goes away")     \
    OXDP_DROP(ACTION, "action", "flow says drop",                             \
              "see ovs-appctl dpctl/dump-flows")                              \
    OXDP_DROP(PUNT_RATE, "upcall-rate", "port's upcall budget was used up",   \
              "raise other_config:xdp-upcall-rate, or install wider flows")   \
    OXDP_DROP(PUNT_ERROR, "upcall-error", "no room for the CPU port's header",\
              "lower the MTU of the port")                                    \
    OXDP_DROP(BOND, "bond", "bond without a member that may send",            \
              "see ovs-appctl bond/show")                                     \
    OXDP_DROP(OUT_PORT, "output-port", "output to a port that went away",     \
              "nothing: flows follow within a second")                        \
    OXDP_DROP(OUT_ERROR, "output-error", "kernel refused the redirect",       \
              "check that the output device is up and its MTU fits")          \
    OXDP_DROP(MTU, "mtu", "longer than the output device takes",              \
              "raise the MTU of the output device")                           \
    OXDP_DROP(REWRITE, "rewrite", "no room to change the header",             \
              "lower the MTU of the port")                                    \
    OXDP_DROP(RECIRC, "recirc-depth", "recirculated too often",               \
              "look for a loop of resubmits in the OpenFlow tables")          \
    OXDP_DROP(METER, "meter", "exceeded the rate of a meter",                 \
              "see ovs-ofctl meter-stats")                                    \
    OXDP_DROP(INJECT, "inject", "packet from userspace without valid header", \
              "report a bug")                                                 \
    OXDP_DROP(MACVLAN_SRC, "macvlan-source",                                  \
              "source address is not that of the upper port",                 \
              "see ovs-appctl dpif-xdp/macvlan-show for those that are")      \
    OXDP_DROP(MACVLAN_DST, "macvlan-unknown",                                 \
              "destination address is of no port",                            \
              "nothing: as a network card drops what is for others")          \
    OXDP_DROP(MACVLAN_PORT, "macvlan-port",                                   \
              "port has no part in its bridge with xdp-l2=macvlan",           \
              "see the Interface's error")                                    \
    OXDP_DROP(VERSION, "version", "XDP program of another version decided it",\
              "nothing: counts packets in flight during an upgrade")

enum oxdp_drop {
#define OXDP_DROP(ENUM, NAME, TEXT, ADVICE) OXDP_DROP_##ENUM,
    OXDP_DROPS
#undef OXDP_DROP
    OXDP_N_DROPS
};

/* The hooks that count. */
#define OXDP_HOOKS OXDP_HOOK(XDP, "xdp") OXDP_HOOK(TC, "tc")
enum oxdp_hook {
#define OXDP_HOOK(ENUM, NAME) OXDP_HOOK_##ENUM,
    OXDP_HOOKS
#undef OXDP_HOOK
    OXDP_N_HOOKS
};

/* Counters of a port on one CPU. */
struct oxdp_port_stats {
    __u64 hits[OXDP_N_HOOKS];   /* Lookups whose flow was executed. */
    __u64 search_hits;          /* Of these, not found by the hint. */
    __u64 misses;               /* Lookups that found none. */
    __u64 mask_probes;          /* Masks looked at behind the hint. */
    __u64 punts;                /* Packets sent to userspace. */
    __u64 to_skb;               /* Passed from XDP to TC. */
    __u64 tx_packets;           /* Sent out of this port in ways that its device
                                 * does not count: straight to the other end,
                                 * or to the host if it is LOCAL. */
    __u64 tx_bytes;             /* GSO packets once, as devices do. */
    __u64 rx_packets;           /* Received likewise, from the host. */
    __u64 rx_bytes;
    __u64 drops[OXDP_N_DROPS];
    __u64 fallbacks[OXDP_N_AWAYS];      /* Given to the kernel bridge. */
    struct {                    /* Upper ports, as seen from there. */
        __u64 rx_packets;
        __u64 rx_bytes;
        __u64 rx_multicast;     /* Of 'rx_packets'. */
        __u64 tx_packets;
        __u64 tx_bytes;
    } macvlan;
    __u64 cut_searches;         /* Misses without a search of all masks. */
    /* The budget, not a counter: masks looked at in vain since 'jiffies'. */
    __u64 jiffies;
    __u64 vain;
};
OXDP_ASSERT(sizeof(struct oxdp_port_stats) == 384);

/* What BPF has sent by LB_OUTPUT through each bucket of a bond on one CPU, in
 * bytes.  Index is as in oxdp_shared.bonds. */
struct oxdp_bond_stats {
    __u64 bytes[OXDP_BOND_BUCKETS];
};

/* Why a packet goes to userspace. */
enum oxdp_punt {
    OXDP_PUNT_MISS,             /* No flow. */
    OXDP_PUNT_USER,             /* A flow with verdict USER. */
    OXDP_PUNT_COMPLEX,          /* BPF cannot parse it. */
    OXDP_PUNT_SKB,              /* Changed in XDP, then needs an SKB. */
    OXDP_PUNT_ACTION,           /* A copy, for the action of 'cookie'. */
};

/* The header in front of every frame on the CPU port, both ways.
 *
 * To userspace: 'port' is where the packet came in, 'reason' is an enum
 * oxdp_punt, 'vlan' the tag that was in the SKB or the NIC's descriptor and
 * not in the frame (tci 0: none), 'cpu' who sent it, 'seq' and 'port_seq' are
 * as in that CPU's struct oxdp_queue and struct oxdp_port_queue.
 * From userspace: 'port' is where the packet goes out, the rest is zero. */
struct oxdp_hdr {
    __u32 magic;                /* OXDP_HDR_MAGIC. */
    __u32 port;
    __u32 recirc_id;
    __u32 dp_hash;
    __u32 skb_mark;
    __u32 skb_priority;
    __be16 vlan_tpid;
    __be16 vlan_tci;            /* With the CFI bit set if present. */
    __u8 reason;
    __u8 hook;                  /* enum oxdp_hook. */
    __u16 cpu;
    __u64 cookie;               /* See lib/oxdp-actions.h. */
    __u32 seq;
    __u32 port_seq;
};
OXDP_ASSERT(sizeof(struct oxdp_hdr) == 48);
#define OXDP_HDR_MAGIC (0x6f787000u + OXDP_ABI_VERSION) /* "oxp", version. */
#define OXDP_HDR_MAGIC_MASK 0xfffff000u /* What all versions have in common. */
#define OXDP_VLAN_CFI 0x1000

/* The queue of packets from one CPU to userspace, of which BPF sees the one end
 * and ovs-vswitchd the other: packets that got lost in between are taken for
 * waiting until one behind them has been read, or the queue found empty. */
struct oxdp_queue {
    /* Written by ovs-vswitchd: by the thread that reads the queue. */
    __u64 beat;                 /* When that was last alive, in ns of
                                 * CLOCK_MONOTONIC_COARSE; 0 if there is
                                 * none. */
    __u32 read;                 /* Number of the last packet read. */
    __u32 limit;                /* Packets that may wait in it. */
    __u32 upcall_limit;         /* The same, if another one makes an upcall: as
                                 * many as do not wait for too long. */
    __u32 socket;               /* Element of oxdp_xsks. */
    __u32 pad0[10];
    /* Written by BPF. */
    __u32 sent;                 /* Number of the last packet sent. */
    __u32 pad1;
    __u64 refused;              /* Packets that could not be sent because of
                                 * an enum oxdp_away. */
    __u64 pad2[6];
};
OXDP_ASSERT(sizeof(struct oxdp_queue) == 128);

/* A reader that has not been alive for so long counts as away, in ns. */
#define OXDP_STALE_NS 1000000000ull

/* The same of one port's packets in that queue. */
struct oxdp_port_queue {
    __u32 sent;                 /* Number of the port's last packet sent. */
    __u32 last;                 /* The same packet's 'seq'. */
    __u32 gone;                 /* Up to this number none waits. */
    __u32 read;                 /* Number of the port's last packet read, by
                                 * ovs-vswitchd. */
};

/* What one CPU has for itself. */
struct oxdp_cpu_block {
    struct oxdp_queue queue;
    struct oxdp_port_stats ports[OXDP_MAX_PORTS];
    struct oxdp_port_queue port_queues[OXDP_MAX_PORTS];
    struct oxdp_bond_stats bonds[OXDP_MAX_BONDS];

    /* From the TC program that redirects a packet to the CPU port to the one
     * there which puts it in front of the packet.  Between the two this CPU
     * runs no other program, unless soft interrupts can be preempted
     * (PREEMPT_RT).  'magic' is 0 if there is none. */
    struct oxdp_hdr punt;
    __u64 pad[2];

    /* The predictor: from what connections to one place have in common to the
     * mask that the last of them was found with.  A wrong element costs a look
     * at a mask. */
    __u32 predictions[OXDP_PREDICTIONS];

    /* The flow hint: from the hash of a key, key_words of it, to a flow.
     * The number of elements is a power of two.  A wrong element costs a
     * search, never a wrong flow.  OXDP_HINT_WAYS elements in a row are a set,
     * see oxdp-hint.h. */
    __u64 hints[];
};
OXDP_ASSERT(sizeof(struct oxdp_cpu_block) % 64 == 0);
#define OXDP_HINT_WAYS 4

/* An element of the flow hint: signature, mask and slot. */
#define OXDP_HINT_SIG_SHIFT 32
#define OXDP_HINT_MASK_SHIFT 20
OXDP_ASSERT(OXDP_MAX_FLOWS == 1u << OXDP_HINT_MASK_SHIFT);
OXDP_ASSERT(OXDP_MAX_MASKS <= 1u << (OXDP_HINT_SIG_SHIFT
                                     - OXDP_HINT_MASK_SHIFT));

/* What XDP has decided and TC is to do, in the metadata area of a frame.  TC
 * believes it on ports with OXDP_PORT_F_XDP alone, where XDP lets no other
 * metadata pass, and if it is about this port: what has been there once may
 * come back by another. */
struct oxdp_meta {
    __u32 magic;                /* OXDP_HDR_MAGIC. */
    __u16 in_port;
    __u16 port;                 /* Output to this, if not OXDP_META_LOOKUP. */
    __u32 recirc_id;            /* Otherwise look it up with these. */
    __u32 dp_hash;
};
OXDP_ASSERT(sizeof(struct oxdp_meta) == 16);
#define OXDP_META_LOOKUP 0xffffu
#define OXDP_META_FALLBACK 0xfffeu      /* To the kernel bridge. */

/* Marks of SKBs, see oxdp-gate.h: what the kernel bridge was given on port N
 * has mark OXDP_MARK_BRIDGE | N, and what TC redirects has tc_index
 * OXDP_TC_INDEX until it gets there. */
#define OXDP_MARK_BRIDGE 0x6f787000u
#define OXDP_MARK_BRIDGE_MASK 0xfffff000u
OXDP_ASSERT(OXDP_MAX_PORTS - 1 <= ~OXDP_MARK_BRIDGE_MASK);
#define OXDP_TC_INDEX 0x6f78

/* A packet at one time: its beginning, and the tag beside the frame if
 * 'vlan_tci' is not 0, with the CFI bit set. */
#define OXDP_SAMPLE_BYTES 256
struct oxdp_sample_packet {
    __u32 len;                  /* Of the frame. */
    __be16 vlan_tpid;
    __be16 vlan_tci;
    __u8 data[OXDP_SAMPLE_BYTES];
};

/* What a hook has done to a packet that came in on a port with
 * OXDP_PORT_F_TRACED, in oxdp_samples. */
struct oxdp_sample {
    __u64 ns;                   /* When, on CLOCK_MONOTONIC. */
    __u32 port;                 /* Datapath port. */
    __s32 ret;                  /* The hook's return code, or OXDP_FALLBACK. */
    __u32 skb_mark;             /* Before. */
    __u32 skb_priority;         /* Before. */
    __u8 hook;                  /* enum oxdp_hook. */
    __u8 pad[7];
    struct oxdp_port_stats stats;       /* What the port has counted for it. */
    struct oxdp_sample_packet before, after;
};
OXDP_ASSERT(sizeof(struct oxdp_sample)
            == 32 + sizeof(struct oxdp_port_stats)
               + 2 * sizeof(struct oxdp_sample_packet));
#define OXDP_SAMPLES_SIZE 262144        /* Bytes for all that wait. */

/* Elements of oxdp_progs and oxdp_tc_progs, the programs that others go on
 * with.  Those that trace are there once a port is traced; FALLBACK is for TC
 * alone. */
enum oxdp_prog {
    OXDP_PROG_REST,
    OXDP_PROG_MACVLAN,
    OXDP_PROG_TRACE,
    OXDP_PROG_TRACE_MAC,
    OXDP_PROG_FALLBACK,
    OXDP_N_PROGS
};

/* Meters come in chunks, each one map, created as meters are. */
#define OXDP_METER_SHIFT 10
#define OXDP_METER_CHUNK (1u << OXDP_METER_SHIFT)
#define OXDP_METER_CHUNKS 64
#define OXDP_MAX_METERS (OXDP_METER_CHUNKS * OXDP_METER_CHUNK)
#define OXDP_MAX_BANDS 8

/* A band of a meter, which drops what exceeds it; see oxdp-meter.h. */
struct oxdp_band {
    __u64 full;                 /* When it will be full again. */
    __u64 cost;                 /* Time to refill a packet or a kilobit. */
    __u64 burst;                /* Time to refill it when it is empty. */
    __u64 packets, bytes;       /* Dropped. */
    __u32 rate;                 /* Packets or kilobits per second. */
    __u32 pad;
};

/* A meter.  Set by ovs-vswitchd, while 'live' is zero; states and counters are
 * written by whoever runs a packet through it. */
struct oxdp_meter {
    __u32 live;
    __u16 by_packets;           /* Rates are packets and not kilobits. */
    __u16 n_bands;
    __u64 packets, bytes;       /* That came in. */
    __u64 pad;
    struct oxdp_band bands[OXDP_MAX_BANDS];
};

/* Settings and the clock. */
struct oxdp_control {
    __u32 abi_version;          /* OXDP_ABI_VERSION. */
    __u32 vain_limit;           /* Masks that may be looked at in vain for
                                 * packets of a port, on one CPU in a jiffy. */
    __u32 bucket_order;         /* Which map of buckets is in use. */
    __u32 vlan_limit;           /* VLAN tags that OVS parses, 1 or 2. */
    __u32 cpu_ifindex;          /* "ovs-xdp", where punts go. */
    __u32 pad2;
    /* Written by BPF's clock program: one instant on two clocks. */
    __u64 clock_ns;             /* CLOCK_MONOTONIC. */
    __u64 clock_jiffies;        /* bpf_jiffies64(). */
    __u32 bridge_gen;           /* Changes with what is in 'bports'. */
    __u32 pad0;
    __u64 pad1[2];
};
OXDP_ASSERT(sizeof(struct oxdp_control) == 64);

/* What all programs and CPUs share, and BPF reads without a lookup. */
struct oxdp_shared {
    struct oxdp_control control;
    struct oxdp_port ports[OXDP_MAX_PORTS];     /* By datapath port. */
    struct oxdp_bport bports[OXDP_MAX_PORTS];   /* By datapath port. */
    struct oxdp_macvlan macvlans[OXDP_MAX_PORTS];       /* By datapath port. */
    struct oxdp_flood floods[OXDP_MAX_FLOODS];
    struct oxdp_bond bonds[OXDP_MAX_BONDS];
    union oxdp_ifport ifports[OXDP_IFPORT_SLOTS];
    struct oxdp_mask masks[OXDP_MAX_MASKS];     /* By id. */
    __u32 scopes[OXDP_SCOPES];          /* By hash: their order, plus 1. */
    __u8 key_words[OXDP_MAX_PORTS];     /* By datapath port: words of keys that
                                         * masks look at for its packets. */
    struct oxdp_mac_bucket macs[OXDP_MAC_BUCKETS];      /* By hash. */
};

#endif /* oxdp-abi.h */
