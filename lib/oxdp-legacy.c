/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "oxdp-legacy.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "openvswitch/vlog.h"
#include "oxdp-loader.h"
#include "oxdp-pin.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(oxdp_legacy);

/* A program whose BTF has all types. */
#define PROGRAM "oxdp_xdp_port"

/* Members that are looked for: structure, and name. */
#define FIELDS                                          \
    FIELD(oxdp_chunk, flows)                            \
    FIELD(oxdp_chunk, rests)                            \
    FIELD(oxdp_flow, live)                              \
    FIELD(oxdp_flow, verdict)                           \
    FIELD(oxdp_flow, used)                              \
    FIELD(oxdp_flow, key)                               \
    FIELD(oxdp_flow_rest, reason)                       \
    FIELD(oxdp_flow_rest, key)                          \
    FIELD(oxdp_shared, masks)                           \
    FIELD(oxdp_mask, bits)

enum field_id {
#define FIELD(STRUCT, MEMBER) STRUCT##_##MEMBER,
    FIELDS
#undef FIELD
    N_FIELDS
};

struct field {
    size_t offset;
    size_t size;                /* Of one element if it is an array. */
    uint32_t n;                 /* Elements, 1 if it is no array. */
};

/* Bytes that two versions of a structure have in common. */
struct copy {
    size_t from, to, size;
};
#define MAX_COPIES 64

/* Bytes that a struct oxdp_key of any version may have. */
#define MAX_KEY 512

/* Where the flows of an earlier daemon have what. */
struct layout {
    struct field fields[N_FIELDS];
    int64_t verdict_user, reason_userspace;
    struct copy key[MAX_COPIES];        /* Of struct oxdp_key. */
    size_t n_key;
    size_t key_size;            /* Of the old struct oxdp_key. */
};

/* A map of one element or more in our memory. */
struct memory {
    const char *p;              /* Or NULL. */
    size_t size;                /* In bytes. */
    size_t value_size;          /* Of an element. */
};

struct oxdp_legacy {
    const struct oxdp_bpf *bpf;
    uint32_t version;
    int prog_fd, chunks_fd;
    struct memory shared, cpus;
};

/* Maps. */

static struct memory
map_memory(int fd)
{
    struct bpf_map_info info;
    uint32_t len = sizeof info;
    struct memory m = { .p = NULL };

    memset(&info, 0, sizeof info);
    if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len)) {
        m.value_size = ROUND_UP(info.value_size, 8);
        m.size = m.value_size * info.max_entries;
        m.p = mmap(NULL, m.size, PROT_READ, MAP_SHARED, fd, 0);
        if (m.p == MAP_FAILED) {
            m.p = NULL;
        }
    }
    return m;
}

static void
unmap_memory(const struct memory *m)
{
    if (m->p) {
        munmap(CONST_CAST(char *, m->p), m->size);
    }
}

static struct memory
map_pinned(const struct oxdp_pins *pins, const char *name)
{
    int fd = oxdp_pins_get_map(pins, name);
    struct memory m = map_memory(fd);

    if (fd >= 0) {
        close(fd);
    }
    return m;
}

struct oxdp_legacy *
oxdp_legacy_open(const struct oxdp_bpf *bpf, const struct oxdp_pins *pins)
{
    uint32_t version = oxdp_pins_abi_version(pins);
    struct oxdp_legacy *legacy;

    if (!version) {
        return NULL;
    }
    legacy = xzalloc(sizeof *legacy);
    legacy->bpf = bpf;
    legacy->version = version;
    legacy->prog_fd = oxdp_pins_get_program(pins, PROGRAM);
    legacy->chunks_fd = oxdp_pins_get_map(pins, "oxdp_chunks");
    legacy->shared = map_pinned(pins, "oxdp_shared");
    legacy->cpus = map_pinned(pins, "oxdp_cpus");
    return legacy;
}

void
oxdp_legacy_close(struct oxdp_legacy *legacy)
{
    if (legacy) {
        unmap_memory(&legacy->shared);
        unmap_memory(&legacy->cpus);
        if (legacy->prog_fd >= 0) {
            close(legacy->prog_fd);
        }
        if (legacy->chunks_fd >= 0) {
            close(legacy->chunks_fd);
        }
        free(legacy);
    }
}

uint32_t
oxdp_legacy_version(const struct oxdp_legacy *legacy)
{
    return legacy->version;
}

/* BTF. */

/* Returns the BTF of the program 'fd', or NULL. */
static struct btf *
btf_of_program(int fd)
{
    struct bpf_prog_info info;
    uint32_t len = sizeof info;
    struct btf *btf;

    memset(&info, 0, sizeof info);
    if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) || !info.btf_id) {
        return NULL;
    }
    btf = btf__load_from_kernel_by_id(info.btf_id);
    return libbpf_get_error(btf) ? NULL : btf;
}

static const struct btf_type *
find_struct(const struct btf *btf, const char *name)
{
    int id = btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT);

    return id < 0 ? NULL : btf__type_by_id(btf, id);
}

/* Returns the type with number 'id' if it is a structure or union without a
 * name, whose members are those of what it is in, or NULL. */
static const struct btf_type *
nameless(const struct btf *btf, const struct btf_member *m)
{
    const struct btf_type *t = btf__type_by_id(btf, m->type);

    return !m->name_off && t && btf_is_composite(t) ? t : NULL;
}

/* Stores in '*f' where member 'name' of structure 't' is.  Returns false if
 * there is none. */
static bool
find_member(const struct btf *btf, const struct btf_type *t, const char *name,
            struct field *f)
{
    const struct btf_member *m = t ? btf_members(t) : NULL;

    for (int i = 0; t && i < btf_vlen(t); i++, m++) {
        size_t offset = btf_member_bit_offset(t, i) / 8;
        const struct btf_type *inner = nameless(btf, m);

        if (inner && find_member(btf, inner, name, f)) {
            f->offset += offset;
            return true;
        } else if (!strcmp(btf__name_by_offset(btf, m->name_off), name)) {
            const struct btf_type *mt = btf__type_by_id(btf, m->type);
            bool array = mt && btf_is_array(mt);
            int64_t size = btf__resolve_size(btf, array ? btf_array(mt)->type
                                                  : m->type);

            f->offset = offset;
            f->size = MAX(size, 0);
            f->n = array ? btf_array(mt)->nelems : 1;
            return size > 0;
        }
    }
    return false;
}

/* Adds to '*layout' what 'from', of 'old', has in common with 'to', of 'new',
 * 'base' bytes into the former. */
static void
find_common(const struct btf *old, const struct btf_type *from, size_t base,
            const struct btf *new, const struct btf_type *to,
            struct layout *layout)
{
    const struct btf_member *m = btf_members(from);

    for (int i = 0; i < btf_vlen(from); i++, m++) {
        const char *name = btf__name_by_offset(old, m->name_off);
        size_t offset = base + btf_member_bit_offset(from, i) / 8;
        const struct btf_type *inner = nameless(old, m);
        struct field a, b;

        if (inner) {
            find_common(old, inner, offset, new, to, layout);
        } else if (layout->n_key < MAX_COPIES
                   && find_member(old, from, name, &a)
                   && find_member(new, to, name, &b)
                   && a.size == b.size && a.n == b.n) {
            layout->key[layout->n_key++] = (struct copy) {
                .from = offset, .to = b.offset, .size = a.size * a.n,
            };
        }
    }
}

/* Stores in '*value' that of 'name' in enumeration 'type'. */
static bool
find_value(const struct btf *btf, const char *type, const char *name,
           int64_t *value)
{
    int id = btf__find_by_name_kind(btf, type, BTF_KIND_ENUM);
    const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, id);

    for (int i = 0; t && i < btf_vlen(t); i++) {
        const struct btf_enum *e = &btf_enum(t)[i];

        if (!strcmp(btf__name_by_offset(btf, e->name_off), name)) {
            *value = e->val;
            return true;
        }
    }
    return false;
}

/* Stores in '*f' where member 'name' of 'structure' is.  Up to version 9 a flow
 * was whole.  Returns false if there is none. */
static bool
find_field(const struct btf *btf, const char *structure, const char *name,
           struct field *f)
{
    if (!find_struct(btf, "oxdp_flow_rest")) {
        if (!strcmp(structure, "oxdp_flow_rest")) {
            structure = "oxdp_flow";
        } else if (!strcmp(name, "rests")) {
            name = "flows";
        }
    }
    return find_member(btf, find_struct(btf, structure), name, f);
}

/* Returns NULL or the name of something that is not there. */
static const char *
find_layout(const struct btf *old, const struct btf *new,
            struct layout *layout)
{
    static const struct {
        const char *structure, *member;
    } names[] = {
#define FIELD(STRUCT, MEMBER) { #STRUCT, #MEMBER },
        FIELDS
#undef FIELD
    };
    const struct btf_type *from = find_struct(old, "oxdp_key");
    const struct btf_type *to = find_struct(new, "oxdp_key");

    memset(layout, 0, sizeof *layout);
    for (int i = 0; i < N_FIELDS; i++) {
        if (!find_field(old, names[i].structure, names[i].member,
                        &layout->fields[i])) {
            return names[i].member;
        }
    }
    if (!from || !to || from->size > MAX_KEY) {
        return "oxdp_key";
    }
    layout->key_size = from->size;
    find_common(old, from, 0, new, to, layout);
    return (!find_value(old, "oxdp_verdict", "OXDP_VERDICT_USER",
                        &layout->verdict_user) ? "OXDP_VERDICT_USER"
            : !find_value(old, "oxdp_reason", "OXDP_REASON_USERSPACE",
                          &layout->reason_userspace) ? "OXDP_REASON_USERSPACE"
            : NULL);
}

/* Flows. */

/* Returns the number at 'p', which has a structure with the member 'f'. */
static uint64_t
get_number(const char *p, const struct field *f)
{
    uint64_t value = 0;

    /* Of little endian machines. */
    memcpy(&value, p + f->offset, MIN(f->size, sizeof value));
    return value;
}

static void
get_key(const struct layout *layout, const char *p, struct oxdp_key *key)
{
    memset(key, 0, sizeof *key);
    for (size_t i = 0; i < layout->n_key; i++) {
        const struct copy *c = &layout->key[i];

        memcpy((char *) key + c->to, p + c->from, c->size);
    }
}

/* Reads the key of the flow at 'p', whose rest is at 'rest'. */
static void
get_flow_key(const struct layout *layout, const char *p, const char *rest,
             struct oxdp_key *key)
{
    const struct field *line = &layout->fields[oxdp_flow_key];
    size_t size = MIN(line->size * line->n, layout->key_size);
    char whole[MAX_KEY];

    memcpy(whole, p + line->offset, size);
    memcpy(whole + size, rest + layout->fields[oxdp_flow_rest_key].offset,
           layout->key_size - size);
    get_key(layout, whole, key);
}

/* Reads the flow at 'p', whose rest is at 'rest'.  Returns false if there is
 * none. */
static bool
get_flow(const struct oxdp_legacy *legacy, const struct layout *layout,
         const char *p, const char *rest, struct oxdp_legacy_flow *flow)
{
    const struct field *f = layout->fields;
    const struct field *masks = &f[oxdp_shared_masks];
    int64_t mask_id = (int64_t) get_number(p, &f[oxdp_flow_live]) - 1;
    int64_t verdict = get_number(p, &f[oxdp_flow_verdict]);
    int64_t reason = get_number(rest, &f[oxdp_flow_rest_reason]);

    if (mask_id < 0 || mask_id >= masks->n) {
        return false;
    }
    get_flow_key(layout, p, rest, &flow->key);
    get_key(layout, legacy->shared.p + masks->offset + mask_id * masks->size
            + f[oxdp_mask_bits].offset, &flow->mask);
    flow->to_user = (verdict == layout->verdict_user
                     || reason == layout->reason_userspace);
    flow->used = get_number(p, &f[oxdp_flow_used]);
    return true;
}

/* Calls 'cb' for the flows in 'chunk', until it returns false. */
static bool
for_each_in_chunk(const struct oxdp_legacy *legacy,
                  const struct layout *layout, const struct memory *chunk,
                  bool (*cb)(const struct oxdp_legacy_flow *, void *aux),
                  void *aux)
{
    const struct field *flows = &layout->fields[oxdp_chunk_flows];
    const struct field *rests = &layout->fields[oxdp_chunk_rests];

    for (uint32_t i = 0; i < flows->n; i++) {
        const char *p = chunk->p + flows->offset + i * flows->size;
        const char *rest = chunk->p + rests->offset + i * rests->size;
        struct oxdp_legacy_flow flow;

        if (get_flow(legacy, layout, p, rest, &flow) && !cb(&flow, aux)) {
            return false;
        }
    }
    return true;
}

/* Whether all that get_flow() reads is in the maps. */
static bool
layout_fits(const struct oxdp_legacy *legacy, const struct layout *layout)
{
    const struct field *masks = &layout->fields[oxdp_shared_masks];

    return (legacy->shared.p
            && masks->offset + masks->n * masks->size <= legacy->shared.size);
}

static bool
chunk_fits(const struct memory *chunk, const struct layout *layout)
{
    const struct field *flows = &layout->fields[oxdp_chunk_flows];
    const struct field *rests = &layout->fields[oxdp_chunk_rests];

    return (chunk->p && rests->n == flows->n
            && flows->offset + flows->n * flows->size <= chunk->size
            && rests->offset + rests->n * rests->size <= chunk->size);
}

bool
oxdp_legacy_for_each_flow(const struct oxdp_legacy *legacy,
                          bool (*cb)(const struct oxdp_legacy_flow *,
                                     void *aux), void *aux)
{
    struct btf *old = btf_of_program(legacy->prog_fd);
    struct btf *new = btf_of_program(legacy->bpf->xdp_port_fd);
    struct layout *layout = xmalloc(sizeof *layout);
    const char *lacks = old && new ? find_layout(old, new, layout) : "BTF";
    uint32_t id;

    if (!lacks && !layout_fits(legacy, layout)) {
        lacks = "oxdp_shared";
    }
    if (lacks) {
        VLOG_INFO("cannot read the flows of the earlier ovs-vswitchd (ABI "
                  "version %"PRIu32"), for want of %s: packets may be lost "
                  "while all flows are set up anew", legacy->version, lacks);
    }
    for (uint32_t i = 0;
         !lacks && !bpf_map_lookup_elem(legacy->chunks_fd, &i, &id); i++) {
        int fd = bpf_map_get_fd_by_id(id);
        struct memory chunk = map_memory(fd);
        bool more = (!chunk_fits(&chunk, layout)
                     || for_each_in_chunk(legacy, layout, &chunk, cb, aux));

        unmap_memory(&chunk);
        if (fd >= 0) {
            close(fd);
        }
        if (!more) {
            break;
        }
    }
    free(layout);
    btf__free(old);
    btf__free(new);
    return !lacks;
}

/* Ports. */

bool
oxdp_legacy_get_port(const struct oxdp_legacy *legacy, uint32_t port_no,
                     struct oxdp_port *port, struct oxdp_port_stats *stats)
{
    const struct oxdp_shared *shared = (const void *) legacy->shared.p;

    if (legacy->version != OXDP_ABI_VERSION || !shared || !legacy->cpus.p
        || port_no >= OXDP_MAX_PORTS || !shared->ports[port_no].ifindex) {
        return false;
    }
    *port = shared->ports[port_no];
    memset(stats, 0, sizeof *stats);
    for (size_t ofs = 0; ofs < legacy->cpus.size;
         ofs += legacy->cpus.value_size) {
        const struct oxdp_cpu_block *block
            = (const void *) (legacy->cpus.p + ofs);

        oxdp_port_stats_add(stats, &block->ports[port_no]);
    }
    return true;
}
