/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One direction of a link as a decision: given when a frame is handed over and how long it is, what becomes
 * of it. No frame, no event queue: the native engine and the ns-3 plug-in share it, so a link behaves the
 * same in both. */
#ifndef TP_SIM_NATIVE_LINK_H
#define TP_SIM_NATIVE_LINK_H

#include "models/base/rng.h"
#include "sim/net.h"

#ifdef __cplusplus
extern "C" {
#endif

struct link_waiting {
    uint64_t start_ns; /* its first bit leaves */
    uint32_t bytes;
};

struct link {
    struct net_link_dir cfg;
    size_t frame_max;
    struct rng loss, duplicate, jitter, reorder; /* "link/NAME/ab/loss" and so on; only those in use are derived */
    bool bad;                                    /* state of Gilbert-Elliott */
    uint64_t packets;                            /* that came to the loss stage */
    size_t mask_next, outage_next;
    uint64_t free_ns;                            /* the line is busy until then */
    uint64_t arrived_ns;                         /* of the last packet in order */
    struct link_waiting *waiting;                /* a ring: frames handed over whose first bit has not left */
    uint32_t waiting_cap, waiting_head, waiting_count;
    uint64_t waiting_bytes;
};

struct link_fate {
    const char *drop;   /* NULL: carried; "mtu", "outage", "queue": never sent; "loss": sent, but does not arrive */
    bool sent;
    uint64_t depart_ns; /* sent: the first bit leaves */
    unsigned copies;    /* that arrive: 0, 1, or 2 when duplicated */
    uint64_t arrive_ns[2];
    bool late[2];       /* held back by reordering: others pass it */
};

/* dir: "ab" or "ba"; mtu of the sending interface's IP packets. cfg is copied, its mask and outages are
 * borrowed. */
void link_init(struct link *l, uint64_t seed, const char *name, const char *dir, const struct net_link_dir *cfg,
               size_t mtu);
void link_free(struct link *l);
/* To be called in order of time. */
void link_decide(struct link *l, uint64_t now_ns, size_t frame_len, struct link_fate *f);

static inline struct link_fate link_fate(struct link *l, uint64_t now_ns, size_t frame_len)
{
    struct link_fate f;
    link_decide(l, now_ns, frame_len, &f);
    return f;
}

#ifdef __cplusplus
}
#endif

#endif
