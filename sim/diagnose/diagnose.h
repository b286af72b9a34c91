/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A capture, from file to diagnosis: frames become conversations, these become messages, messages a story that is
 * judged; the conformance monitors watch the same conversations. */
#ifndef TP_DIAGNOSE_DIAGNOSE_H
#define TP_DIAGNOSE_DIAGNOSE_H

#include "conformance/conformance.h"
#include "models/trace/trace.h"
#include "sim/diagnose/place.h"

struct diagnose_config {
    const char *capture, *log; /* "-": standard input; log NULL: none */
    struct topology *topology; /* given away; NULL: none */
    /* May be NULL. Bytes read so far and in all (0: not known); now and then. */
    void (*progress)(void *ctx, uint64_t done, uint64_t total);
    void *ctx;
};

struct diagnose_report {
    const char *capture, *log;
    struct story story;
    struct diagnosis diagnosis;
    struct place *place; /* NULL: no topology */
    struct cms_log cms_log;
    struct trace_stats stats;
    struct verdict *verdict; /* of the monitors */
    size_t verdicts;
    struct diag cut;         /* what broke the capture off, whose part before that was judged; "" */
};

/* 0: *out is for the caller to free. E_MALFORMED, E_IO, E_NOMEM: d says what is wrong with which file. */
int diagnose(const struct diagnose_config *cfg, struct diagnose_report **out, struct diag *d);
void diagnose_free(struct diagnose_report *r);

#endif
