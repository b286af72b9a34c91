/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of a topology's port tables, as far as they apply to it, and which packets each is about. */
#ifndef TP_ROWS_ROWS_H
#define TP_ROWS_ROWS_H

#include "models/firewall/fwbox.h"
#include "sim/check/bind.h"

/* A row that has become at least one question. */
struct row {
    const struct port_table *table;
    const struct port_row *row;
    bool local; /* none of its packets leaves its host */
    bool shut;  /* for the shutter: whoever asks sets it */
    struct fw_rule_ref ref; /* where it stands; text: that it is shut */
};

struct rows {
    const struct topology *topology;
    struct port_table **table;
    size_t table_count;
    struct bound *bound; /* NULL: the topology names no tables */
    LIST_OF(struct row) row; /* in the order of tables and rows */
    unsigned *of_question;   /* index of row, by question of bound */
    struct fw_shutter shutter; /* keeps flows from beginning that are in a question of a row that is shut */
    struct arena arena;
};

/* The tables of the topology (borrowed); none of them, no rows. What port_table_find returns; d says why. */
int rows_open(struct rows *r, const struct topology *t, struct diag *d);
void rows_close(struct rows *r);
/* The index of a row by its id; negative: none of that id applies. */
int rows_find(const struct rows *r, const char *id);
/* Whether addresses, ports and protocol are in the question, whoever sent the packet. */
bool rows_in_question(const struct bind_question *q, const struct fw_flow *f);

#endif
