/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of packets, exactly. A cell is the product of five sets of numbers: protocol, source and destination address,
 * source and destination port; a region is a list of cells that do not overlap. An object-group stays one cell however
 * many members it has, which is what keeps the numbers small.
 *
 * Everything lives in a space: memory that is given back all at once and that has a limit. A space that ran out says
 * so (fw_space_error) and every set made in it from then on is void: ask once, at the end. */
#ifndef TP_FIREWALL_CELLS_H
#define TP_FIREWALL_CELLS_H

#include "models/firewall/firewall.h"

/* ---- memory ---- */

struct fw_space;
struct fw_space *fw_space_new(size_t limit); /* bytes; 0: 1 GiB. NULL: no memory */
void fw_space_free(struct fw_space *s);
void fw_space_reset(struct fw_space *s);
size_t fw_space_used(const struct fw_space *s);
/* 0; E_NOMEM: the limit or the machine's memory; E_RANGE: a masked address met so much that it fell into too many
 * pieces. */
int fw_space_error(const struct fw_space *s);
void fw_space_fail(struct fw_space *s, int err); /* the first one counts */
void *fw_space_alloc(struct fw_space *s, size_t size); /* not zeroed; NULL when the space ran out */
/* Room for one item more in an array of the space with count items of `size` bytes: the array, or a larger one with its
 * items, *cap what it has room for. NULL: the space ran out, and the array is as it was. */
void *fw_space_room(struct fw_space *s, const void *array, size_t count, size_t *cap, size_t size);

/* ---- sets of numbers ---- */

__extension__ typedef unsigned __int128 fw_wide; /* an IPv6 address as a number; an IPv4 one in the low 32 bits */

struct fw_span {
    fw_wide lo, hi; /* both inclusive */
};

/* Sorted, disjoint, not even touching. Shared freely, never written to. */
struct fw_spans {
    const struct fw_span *span;
    size_t count;
};

struct fw_spans fw_spans_one(struct fw_space *s, fw_wide lo, fw_wide hi);
/* Of count spans in any order, which is sorted in place and may overlap. */
struct fw_spans fw_spans_of(struct fw_space *s, struct fw_span *span, size_t count);
struct fw_spans fw_spans_intersect(struct fw_space *s, struct fw_spans a, struct fw_spans b);
struct fw_spans fw_spans_subtract(struct fw_space *s, struct fw_spans a, struct fw_spans b);
struct fw_spans fw_spans_union(struct fw_space *s, struct fw_spans a, struct fw_spans b);
bool fw_spans_equal(struct fw_spans a, struct fw_spans b);
bool fw_spans_has(struct fw_spans a, fw_wide n);
bool fw_spans_within(struct fw_spans a, struct fw_spans b); /* a has nothing that b lacks */
fw_wide fw_spans_count(struct fw_spans a);                  /* cut at the greatest number */
/* The members of a that agree with value in the bits of mask (a netmask with holes). */
struct fw_spans fw_spans_masked(struct fw_space *s, struct fw_spans a, fw_wide value, fw_wide mask);

fw_wide fw_wide_of(const struct ip_addr *ip);
struct ip_addr fw_wide_ip(uint8_t family, fw_wide n);

/* ---- cells ---- */

enum fw_dim { FW_DIM_PROTO, FW_DIM_SRC, FW_DIM_DST, FW_DIM_SPORT, FW_DIM_DPORT, FW_DIMS };

struct fw_cell {
    uint8_t family; /* enum ip_family: a cell has addresses of one */
    struct fw_spans dim[FW_DIMS]; /* ICMP: sport is the type, dport the code */
};

extern const struct fw_cell fw_cell_any_v4, fw_cell_any_v6;
struct fw_cell fw_cell_of(struct fw_space *s, const struct fw_flow *f); /* one packet */
bool fw_cell_has(const struct fw_cell *c, const struct fw_flow *f);
/* False: they have nothing in common. */
bool fw_cell_intersect(struct fw_space *s, const struct fw_cell *a, const struct fw_cell *b, struct fw_cell *out);
/* a without what has, in every dimension, the members `in`, which are members of a's: at most FW_DIMS cells; their
 * number. */
size_t fw_cell_carve(struct fw_space *s, const struct fw_cell *a, const struct fw_spans in[FW_DIMS],
                     struct fw_cell out[FW_DIMS]);
fw_wide fw_cell_count(const struct fw_cell *c);
/* Source and destination change places. */
struct fw_cell fw_cell_turned(const struct fw_cell *c);

/* ---- regions ---- */

struct fw_region {
    struct fw_cell *cell;
    size_t count, cap;
};

struct fw_region fw_region_any(struct fw_space *s); /* all packets of both families */
/* Adds a cell that the region has nothing of. */
void fw_region_push(struct fw_space *s, struct fw_region *r, const struct fw_cell *c);
/* Adds a cell, the region's part of it left as it is. */
void fw_region_add(struct fw_space *s, struct fw_region *r, const struct fw_cell *c);
/* The packets from any of src to any of dst by any of the services; count 0: any. Masked addresses included. */
struct fw_region fw_region_of(struct fw_space *s, const struct fw_addr *src, size_t src_count,
                              const struct fw_addr *dst, size_t dst_count, const struct fw_service *service,
                              size_t service_count);
struct fw_region fw_region_intersect(struct fw_space *s, const struct fw_region *a, const struct fw_region *b);
struct fw_region fw_region_subtract(struct fw_space *s, const struct fw_region *a, const struct fw_region *b);
struct fw_region fw_region_union(struct fw_space *s, const struct fw_region *a, const struct fw_region *b);
struct fw_region fw_region_turned(struct fw_space *s, const struct fw_region *a); /* as answers go */
bool fw_region_within(struct fw_space *s, const struct fw_region *a, const struct fw_region *b);
bool fw_region_equal(struct fw_space *s, const struct fw_region *a, const struct fw_region *b);
bool fw_region_has(const struct fw_region *r, const struct fw_flow *f);
fw_wide fw_region_count(const struct fw_region *r); /* packets, cut at the greatest number */
/* The same set in fewer cells, in an order that depends on the set's cells alone: for people. */
void fw_region_compact(struct fw_space *s, struct fw_region *r);

/* "tcp 10.0.0.0/8 > 10.0.10.2 ports 24000-29999": of sets with many members the first few, "and N more". */
void fw_cell_text(const struct fw_cell *c, char *out, size_t cap);

#endif
