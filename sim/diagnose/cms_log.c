/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/diagnose/cms_log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "models/base/err.h"

/* The value of NAME="..." in the parameters behind an id; "" when there is none. */
static void parameter(const char *from, const char *name, char out[CMS_LOG_TEXT])
{
    size_t n = strlen(name);
    out[0] = '\0';
    for (const char *p = from; (p = strcasestr(p, name)); p += n) {
        const char *value = p + n;
        if ((p > from && p[-1] != ';' && p[-1] != ' ') || value[0] != '=' || value[1] != '"')
            continue;
        const char *end = strchr(value + 2, '"');
        size_t len = end ? (size_t)(end - value - 2) : strlen(value + 2);
        len = len < CMS_LOG_TEXT ? len : CMS_LOG_TEXT - 1;
        memcpy(out, value + 2, len);
        out[len] = '\0';
        return;
    }
}

/* "ms-diagnostics-public: 21002;reason=..." and its siblings ms-diagnostics and ms-client-diagnostics. */
static void read_line(struct cms_log *log)
{
    log->text[log->len] = '\0';
    const char *p = strcasestr(log->text, "diagnostics");
    while (p && (p += strcspn(p, ":"), *p)) {
        unsigned id = 0;
        int used = 0;
        if (sscanf(p, ": %9u%n;", &id, &used) != 1 || !id) {
            p = strcasestr(p, "diagnostics");
            continue;
        }
        if (log->entries == CMS_LOG_ENTRIES) {
            log->left_out++;
            return;
        }
        struct cms_log_entry *e = &log->entry[log->entries++];
        *e = (struct cms_log_entry){.line = log->lines, .id = id};
        parameter(p + used, "reason", e->reason);
        parameter(p + used, "component", e->component);
        return;
    }
}

int cms_log_feed(struct cms_log *log, const void *bytes, size_t len)
{
    const char *p = bytes, *end = p + len;
    for (; p < end; p++) {
        log->lines += log->lines == 0;
        if (!*p)
            return E_MALFORMED;
        if (*p == '\n') {
            read_line(log);
            log->len = 0;
            log->lines++;
        } else if (log->len + 1 < sizeof log->text) {
            log->text[log->len++] = *p;
        }
    }
    return 0;
}

void cms_log_end(struct cms_log *log)
{
    read_line(log);
    log->len = 0;
}

int cms_log_read(const char *path, struct cms_log *log, struct diag *d)
{
    *log = (struct cms_log){0};
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    char buf[65536];
    int err = in ? 0 : E_IO, why = errno;
    for (size_t n; !err && (n = fread(buf, 1, sizeof buf, in)) > 0;)
        err = cms_log_feed(log, buf, n);
    if (!err && ferror(in)) {
        err = E_IO;
        why = errno;
    }
    if (in && in != stdin)
        fclose(in);
    if (!err)
        cms_log_end(log);
    else if (err == E_IO)
        snprintf(d->text, sizeof d->text, "%s:1:1: expected a log, found: %s", path, strerror(why));
    else
        snprintf(d->text, sizeof d->text, "%s:%zu:1: expected a line of text, found a NUL byte", path, log->lines);
    return err;
}
