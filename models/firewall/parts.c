/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/firewall/parts.h"

#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/firewall/rules.h"

/* Room for one more element. */
static int room(void *array, size_t *cap, size_t count, size_t size)
{
    if (count < *cap)
        return 0;
    if (count >= FW_PARTS_MAX)
        return E_RANGE;
    size_t n = *cap ? 2 * *cap : 16;
    void **p = array;
    void *q = realloc(*p, n * size);
    if (!q)
        return E_NOMEM;
    *p = q;
    *cap = n;
    return 0;
}

int fw_addrs_push(struct fw_addrs *s, const struct fw_addr *a)
{
    int err = room(&s->v, &s->cap, s->count, sizeof *s->v);
    if (!err)
        s->v[s->count++] = *a;
    return err;
}

int fw_services_push(struct fw_services *s, const struct fw_service *x)
{
    int err = room(&s->v, &s->cap, s->count, sizeof *s->v);
    if (!err)
        s->v[s->count++] = *x;
    return err;
}

/* The address before; not of the lowest. */
static struct ip_addr before(const struct ip_addr *ip)
{
    struct ip_addr a = *ip;
    for (size_t i = ip_size(&a); i-- > 0;)
        if (a.b[i]-- != 0)
            break;
    return a;
}

/* The gaps between the sorted, disjoint ranges of one family. */
static int gaps(const struct fw_addr *v, size_t count, enum ip_family family, struct fw_addrs *out)
{
    struct fw_addr all = fw_addr_any(family), gap = all;
    for (size_t i = 0; i < count; i++) {
        if (v[i].a.family != family)
            continue;
        if (ip_compare(&gap.a, &v[i].a) < 0) {
            gap.b = before(&v[i].a);
            int err = fw_addrs_push(out, &gap);
            if (err)
                return err;
        }
        if (ip_equal(&v[i].b, &all.b))
            return 0;
        gap.a = fw_addr_plus(&v[i].b, 1);
    }
    gap.b = all.b;
    return fw_addrs_push(out, &gap);
}

int fw_addrs_invert(struct fw_addrs *s)
{
    struct fw_addrs out = {0};
    size_t ranges = 0;
    s->count = s->count ? fw_addr_normalise(s->v, s->count, &ranges) : 0;
    int err = gaps(s->v, ranges, IP_V4, &out);
    err = err ? err : gaps(s->v, ranges, IP_V6, &out);
    free(s->v);
    *s = out;
    return err;
}

static int add_all_of(struct fw_addrs *s, const struct fw_addrs *more)
{
    int err = 0;
    for (size_t i = 0; i < more->count && !err; i++)
        err = fw_addrs_push(s, &more->v[i]);
    return err;
}

/* A without B is what is neither outside A nor in B. */
int fw_addrs_subtract(struct fw_addrs *s, const struct fw_addrs *less)
{
    int err = fw_addrs_invert(s);
    err = err ? err : add_all_of(s, less);
    return err ? err : fw_addrs_invert(s);
}

void fw_diag_take(struct fw_diag *out, const char *file, const struct diag *d)
{
    const char *p = d->text;
    size_t name = strlen(file);
    if (strncmp(p, file, name) == 0)
        p += name;
    char *end;
    unsigned long line = *p == ':' ? strtoul(p + 1, &end, 10) : 1;
    unsigned long column = *p == ':' && *end == ':' ? strtoul(end + 1, &end, 10) : 1;
    if (*p == ':' && strncmp(end, ": ", 2) == 0)
        p = end + 2;
    out->line = (unsigned)line;
    out->column = (unsigned)column;
    struct text t = text_of(out->text, sizeof out->text);
    text_add(&t, "%s", p);
}

int fw_ledger_open(struct fw_ledger *l, const char *text, size_t len)
{
    *l = (struct fw_ledger){.text = text, .len = len};
    if (len >= UINT32_MAX)
        return E_RANGE;
    size_t lines = 0;
    for (size_t at = 0; at < len; lines++) {
        const char *eol = memchr(text + at, '\n', len - at);
        at = eol ? (size_t)(eol - text) + 1 : len;
    }
    l->line = calloc(lines + 1, sizeof *l->line);
    if (!l->line)
        return E_NOMEM;
    for (size_t at = 0; at < len;) {
        const char *eol = memchr(text + at, '\n', len - at);
        l->line[l->lines++].offset = (uint32_t)at;
        at = eol ? (size_t)(eol - text) + 1 : len;
    }
    l->line[l->lines].offset = (uint32_t)len;
    return 0;
}

void fw_ledger_mark(struct fw_ledger *l, unsigned line, enum fw_line_class class, const char *why)
{
    if (line == 0 || line > l->lines || l->line[line - 1].class >= class)
        return;
    l->line[line - 1].class = (uint8_t)class;
    l->line[line - 1].why = why;
}

const char *fw_ledger_text(const struct fw_ledger *l, unsigned line, char out[FW_LEDGER_TEXT])
{
    out[0] = '\0';
    if (line == 0 || line > l->lines)
        return out;
    size_t at = l->line[line - 1].offset, end = l->line[line].offset, n = 0;
    while (at < end && (l->text[at] == ' ' || l->text[at] == '\t'))
        at++;
    for (; at < end && n < FW_LEDGER_TEXT - 1; at++)
        out[n++] = (unsigned char)l->text[at] < ' ' ? ' ' : l->text[at];
    while (n > 0 && out[n - 1] == ' ')
        n--;
    out[n] = '\0';
    return out;
}

int fw_ledger_count(const struct fw_ledger *l, struct fw_rules *r)
{
    char text[FW_LEDGER_TEXT];
    int err = 0;
    for (unsigned i = 0; i < l->lines && !err; i++) {
        if (l->line[i].class == FW_LINE_UNSUPPORTED)
            err = fw_rules_add_unsupported(r, i + 1, fw_ledger_text(l, i + 1, text), l->line[i].why);
        r->lines.modelled += l->line[i].class == FW_LINE_MODELLED;
        r->lines.no_effect += l->line[i].class == FW_LINE_QUIET;
    }
    r->lines.total = l->lines;
    return err;
}

void fw_ledger_close(struct fw_ledger *l)
{
    free(l->line);
    l->line = NULL;
}

bool fw_any_line(const char *text, size_t len, bool (*tells)(const char *line, size_t len))
{
    for (size_t at = 0; at < len;) {
        const char *eol = memchr(text + at, '\n', len - at);
        size_t n = eol ? (size_t)(eol - (text + at)) : len - at;
        if (tells(text + at, n))
            return true;
        at += n + 1;
    }
    return false;
}
