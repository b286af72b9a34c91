/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Meeting Server's log, as far as it says why a share failed: the ms-diagnostics that Skype for Business gives with a
 * refusal ([MS-OCER] 2.2.1). Lines in any form around them. */
#ifndef TP_DIAGNOSE_CMS_LOG_H
#define TP_DIAGNOSE_CMS_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/base/diag.h"

enum { CMS_LOG_ENTRIES = 64, CMS_LOG_TEXT = 256, CMS_LOG_LINE = 8192 };

/* 21002: "Attendees cannot share in this conference". */
enum { MS_ATTENDEE_CANNOT_SHARE = 21002 };

struct cms_log_entry {
    size_t line;      /* from 1 */
    unsigned id;      /* ms-diagnostics */
    char reason[CMS_LOG_TEXT], component[CMS_LOG_TEXT]; /* "": not said */
};

struct cms_log {
    size_t lines, entries;
    uint64_t left_out; /* entries beyond CMS_LOG_ENTRIES */
    struct cms_log_entry entry[CMS_LOG_ENTRIES];
    /* of the line under way */
    char text[CMS_LOG_LINE];
    size_t len;
};

/* Lines may be cut anywhere between calls; of one longer than CMS_LOG_LINE the rest is not looked at. E_MALFORMED: a
 * NUL byte, which no log has; lines tells where. */
int cms_log_feed(struct cms_log *log, const void *bytes, size_t len);
void cms_log_end(struct cms_log *log);
/* A whole file; "-": standard input. E_IO, E_MALFORMED: d says "FILE:LINE:1: expected ..., found ...". */
int cms_log_read(const char *path, struct cms_log *log, struct diag *d);

#endif
