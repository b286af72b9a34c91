/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside the audit: which rules of a list may have packets in common with one of them. */
#ifndef TP_FIREWALL_AUDIT_INDEX_H
#define TP_FIREWALL_AUDIT_INDEX_H

#include "models/firewall/exact_walk.h"

/* The space of addresses in segments, each with the rules that begin or reach into it, by destination and by source;
 * rules that are wide in both stand aside. */
struct fw_index_side {
    uint32_t *bound; /* segment k begins at bound[k] */
    size_t segments;
    uint32_t *first; /* of segment k: rule[first[k]] up to rule[first[k + 1]] */
    uint32_t *rule;
};

struct fw_index {
    const struct fw_ready_list *list;
    struct fw_index_side dst, src;
    uint32_t *wide;
    size_t wide_count;
    uint32_t *found; /* of the last question */
};

/* False: no memory in s. */
bool fw_index_make(struct fw_index *x, const struct fw_ready_list *l, struct fw_space *s);
/* The rules before `before` whose bounds meet those of the hull, in order: x->found; their number. */
size_t fw_index_find(struct fw_index *x, const struct fw_hull *h, size_t before);

#endif
