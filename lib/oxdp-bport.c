/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "oxdp-bport.h"

#include <arpa/inet.h>
#include <string.h>

#include "openvswitch/compiler.h"
#include "ovs-atomic.h"
#include "oxdp-abi.h"
#include "packets.h"
#include "util.h"

BUILD_ASSERT_DECL(OXDP_VLAN_CFI == VLAN_CFI);

static const char *const vlan_mode_names[] = {
#define OXDP_VLAN_MODE(ENUM, NAME) [OXDP_VLAN_MODE_##ENUM] = NAME,
    OXDP_VLAN_MODES
#undef OXDP_VLAN_MODE
};

const char *
oxdp_vlan_mode_name(uint8_t vlan_mode)
{
    return vlan_mode < OXDP_N_VLAN_MODES ? vlan_mode_names[vlan_mode] : "?";
}

static uint8_t
get_vlan_mode(const struct oxdp_bport_config *config)
{
    if (!config->vlan_mode) {
        return config->tag >= 0 && config->tag < OXDP_VLANS
               ? OXDP_VLAN_MODE_ACCESS : OXDP_VLAN_MODE_TRUNK;
    }
    for (int i = 0; i < OXDP_N_VLAN_MODES; i++) {
        if (!strcmp(config->vlan_mode, vlan_mode_names[i])) {
            return i;
        }
    }
    return OXDP_VLAN_MODE_TRUNK;
}

static uint8_t
get_priority_tags(const char *s)
{
    return (!s ? OXDP_PRIORITY_TAGS_NEVER
            : !strcmp(s, "if-nonzero") || !strcmp(s, "true")
            ? OXDP_PRIORITY_TAGS_IF_NONZERO
            : !strcmp(s, "always") ? OXDP_PRIORITY_TAGS_ALWAYS
            : OXDP_PRIORITY_TAGS_NEVER);
}

static void
set_vlan(struct oxdp_bport *bport, unsigned int vid, bool in)
{
    uint64_t bit = UINT64_C(1) << vid % 64;

    if (in) {
        bport->vlans[vid / 64] |= bit;
    } else {
        bport->vlans[vid / 64] &= ~bit;
    }
}

/* No VLANs mean all VLANs. */
static void
set_vlans(struct oxdp_bport *bport, const int64_t *vlans, size_t n)
{
    bool any = false;

    for (size_t i = 0; i < n; i++) {
        if (vlans[i] >= 0 && vlans[i] < OXDP_VLANS) {
            set_vlan(bport, vlans[i], true);
            any = true;
        }
    }
    if (!any) {
        memset(bport->vlans, 0xff, sizeof bport->vlans);
    }
}

void
oxdp_bport_set(struct oxdp_bport *bport,
               const struct oxdp_bport_config *config)
{
    struct oxdp_bport new = {
        .bridge = config->bridge_ifindex,
        .flags = ((config->protected ? OXDP_BPORT_F_PROTECTED : 0)
                  | (config->blocked ? OXDP_BPORT_F_BLOCKED : 0)
                  | (config->flood ? OXDP_BPORT_F_FLOOD : 0)),
        .vlan_mode = get_vlan_mode(config),
        .priority_tags = get_priority_tags(config->priority_tags),
        .tag = config->tag >= 0 && config->tag < OXDP_VLANS ? config->tag : 0,
        .tunnel_tpid = htons(config->qinq_ethtype
                             && !strcmp(config->qinq_ethtype, "802.1q")
                             ? ETH_TYPE_VLAN_8021Q : ETH_TYPE_VLAN_8021AD),
    };

    if (new.vlan_mode == OXDP_VLAN_MODE_DOT1Q_TUNNEL) {
        set_vlans(&new, config->cvlans, config->n_cvlans);
    } else {
        set_vlans(&new, config->trunks, config->n_trunks);
    }
    if (new.tag && (new.vlan_mode == OXDP_VLAN_MODE_NATIVE_TAGGED
                    || new.vlan_mode == OXDP_VLAN_MODE_NATIVE_UNTAGGED)) {
        set_vlan(&new, new.tag, true);
        set_vlan(&new, 0, false);
    }

    if (memcmp(bport, &new, sizeof new)) {
        uint32_t bridge = new.bridge;

        /* Half of one and half of the other could be anything. */
        oxdp_bport_clear(bport);
        atomic_thread_fence(memory_order_seq_cst);
        new.bridge = 0;
        *bport = new;
        atomic_thread_fence(memory_order_seq_cst);
        *(volatile uint32_t *) &bport->bridge = bridge;
    }
}

void
oxdp_bport_clear(struct oxdp_bport *bport)
{
    *(volatile uint32_t *) &bport->bridge = 0;
}
