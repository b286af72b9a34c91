/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What importers share: growing sets of addresses and services, and the account of the lines of a file. */
#ifndef TP_FIREWALL_PARTS_H
#define TP_FIREWALL_PARTS_H

#include "models/base/diag.h"
#include "models/firewall/import.h"

enum { FW_PARTS_MAX = 1000000 }; /* elements of one set: beyond it is E_RANGE */

struct fw_addrs {
    struct fw_addr *v;
    size_t count, cap;
};

struct fw_services {
    struct fw_service *v;
    size_t count, cap;
};

/* E_NOMEM, E_RANGE. The arrays are the caller's to free (v). */
int fw_addrs_push(struct fw_addrs *s, const struct fw_addr *a);
int fw_services_push(struct fw_services *s, const struct fw_service *x);
/* The set becomes the addresses that are not in it (none of them masked). An empty set becomes all. */
int fw_addrs_invert(struct fw_addrs *s);
/* The set loses what is in `less` (none masked in either). */
int fw_addrs_subtract(struct fw_addrs *s, const struct fw_addrs *less);

/* A message of the JSON reader, "FILE:LINE:COLUMN: TEXT", into its parts. */
void fw_diag_take(struct fw_diag *out, const char *file, const struct diag *d);

/* Each line of the file is in one of three classes; of a line with several parts the gravest counts. */
enum fw_line_class { FW_LINE_QUIET, FW_LINE_MODELLED, FW_LINE_UNSUPPORTED };

struct fw_ledger_line {
    uint32_t offset;
    uint8_t class;
    const char *why; /* UNSUPPORTED: borrowed */
};

struct fw_ledger {
    const char *text;
    size_t len;
    struct fw_ledger_line *line;
    unsigned lines;
};

/* One of the lines tells so: how a format is recognised. */
bool fw_any_line(const char *text, size_t len, bool (*tells)(const char *line, size_t len));

enum { FW_LEDGER_TEXT = 240 }; /* of a line, cut */

/* text is borrowed. E_NOMEM; E_RANGE: 4 GB or more. */
int fw_ledger_open(struct fw_ledger *l, const char *text, size_t len);
void fw_ledger_mark(struct fw_ledger *l, unsigned line, enum fw_line_class class, const char *why);
/* The line without indentation, cut; returns out. Line 0 and lines that there are not are empty. */
const char *fw_ledger_text(const struct fw_ledger *l, unsigned line, char out[FW_LEDGER_TEXT]);
/* Tells the rules of the lines. E_NOMEM. */
int fw_ledger_count(const struct fw_ledger *l, struct fw_rules *r);
void fw_ledger_close(struct fw_ledger *l);

#endif
