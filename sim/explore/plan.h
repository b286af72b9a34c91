/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a seed may draw: ranges and chances of networks, faults and loads. */
#ifndef TP_EXPLORE_PLAN_H
#define TP_EXPLORE_PLAN_H

#include "sim/scenario/fault.h"
#include "sim/scenario/fields.h"

/* [least, most], both included. */
typedef LIST_OF(uint32_t) plan_range;

enum { PLAN_FAULTS_MAX = 16 };

struct plan_links {
    uint32_t percent;          /* of a direction of a link: it is a bad one */
    uint32_t burst_percent;    /* of a bad one: what it loses it loses in bursts */
    plan_range loss_ppm, jitter_us, delay_us /* added */, reorder_ppm, reorder_us, duplicate_ppm;
};

struct plan_faults {
    plan_range count, for_ms, ahead_ms;
    LIST_OF(int) kinds;        /* enum fault_kind; one that stands there twice is drawn twice as often */
    uint32_t edge_percent;     /* of those that last: as long as one of edges_ms, or a millisecond more or less */
    LIST_OF(uint32_t) edges_ms;
};

struct plan_load {
    plan_range bytes_per_s, burst_bytes, duration_s, buffer_kb; /* buffer: of TCP, both ways, of all hosts */
    uint32_t edge_percent;     /* of calls: as long as one of edges_s, or a second more or less */
    LIST_OF(uint32_t) edges_s;
};

struct plan {
    const char *schema, *title;
    struct plan_links links;
    struct plan_faults faults;
    struct plan_load load;
    struct json *json;
    struct arena arena;
};

/* The file, or what is built in when path is NULL. E_MALFORMED, E_NOT_FOUND, ...: d says what is wrong and where. */
int plan_read(const char *path, struct plan **out, struct diag *d);
/* The same from text. */
int plan_parse(const char *name, const char *text, size_t len, struct plan **out, struct diag *d);
void plan_free(struct plan *p);

#endif
