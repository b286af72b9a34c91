/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two versions of a firewall's rules: exactly which packets become permitted or denied, by interfaces, and what that
 * does to the rows of the port tables. */
#ifndef TP_CHECK_DIFFER_H
#define TP_CHECK_DIFFER_H

#include "sim/check/verify.h"
#include "sim/scenario/sink.h"

enum differ_kind { DIFFER_PERMITTED, DIFFER_DENIED, DIFFER_UNKNOWN /* now, and was not */, DIFFER_KINDS };

struct differ_change {
    const char *node, *in, *out; /* interfaces; out: "(nowhere)" where packets leave by none */
    enum differ_kind kind;
    struct check_boxes packets;                  /* as they arrive */
    LIST_OF(struct check_line) before, after;    /* that decide */
};

/* A row whose verdict is another one. */
struct differ_row {
    const struct check_answer *before, *after;
};

struct differ {
    LIST_OF(struct differ_change) changes;
    LIST_OF(struct differ_row) rows;
    LIST_OF(const char *) notes; /* interfaces that only one version has, sets too entangled to compare */
    struct arena arena;
};

/* Of the firewalls whose rules differ. E_NOMEM. The reports are verify_run's for the two topologies. */
int differ_run(struct differ *f, const struct topology *before, const struct topology *after,
               const struct check_report *report_before, const struct check_report *report_after);
void differ_free(struct differ *f);
/* Nothing changes. */
bool differ_same(const struct differ *f);

void differ_write_text(struct sink *s, const struct differ *f, bool colour);
/* "turnproof/diff/1". */
void differ_write_json(struct sink *s, const struct differ *f, bool colour);

#endif
