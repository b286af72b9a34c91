/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The transcript: what passed on the lines of a probe, told again to people when it fails. Bytes of a stream are told
 * as the messages that they are, however they were cut. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/probe_parts.h"

enum { KEPT_EACH = 4096, KEPT_ALL = 256 * 1024, HEX_LINE = 32, HEX_MOST = 320, CHANNEL_HEADER = 4 };

struct record {
    struct record *next;
    enum record_kind kind;
    const struct line *line;
    struct endpoint local, other;
    uint64_t t_ns;
    const char *note;
    size_t len, kept; /* kept: how many of the bytes are in data */
    uint8_t *data;
};

static struct record *record_add(struct line *l, enum record_kind kind, size_t keep)
{
    struct probe *p = l->p;
    struct record *r = probe_alloc(p, sizeof *r + keep);
    *r = (struct record){.kind = kind, .line = l, .local = l->local, .other = l->remote, .t_ns = probe_now(p),
                         .data = (uint8_t *)(r + 1)};
    *p->record_tail = r;
    p->record_tail = &r->next;
    return r;
}

void transcript_bytes(struct line *l, enum record_kind kind, const struct endpoint *other, const void *data,
                      size_t len)
{
    struct probe *p = l->p;
    size_t keep = len < KEPT_EACH ? len : KEPT_EACH;
    keep = p->recorded + keep > KEPT_ALL ? 0 : keep;
    struct record *r = record_add(l, kind, keep);
    r->other = *other;
    r->len = len;
    r->kept = keep;
    if (keep)
        memcpy(r->data, data, keep);
    p->recorded += keep;
}

void transcript_note(struct line *l, const char *what)
{
    record_add(l, RECORD_NOTE, 0)->note = what;
}

/* ---- as text ---- */

static const char *const place_name[PLACES] = {"client1", "client2", "peer1", "peer2", "server"};

static void put_head(FILE *f, const struct probe *p, const struct record *r)
{
    const struct line *l = r->line;
    char other[ENDPOINT_TEXT + 8] = "";
    bool to_server = endpoint_equal(&r->other, l->kind == KIND_UDP ? &p->bench->udp[0] : &p->bench->tcp[0]);
    if (to_server)
        snprintf(other, sizeof other, "server");
    else if (r->other.ip.family)
        endpoint_text(&r->other, other);
    fprintf(f, "%" PRIu64 ".%06" PRIu64 "  %s:%u%s%s%s%s  ", r->t_ns / NS_S, r->t_ns % NS_S / NS_US, place_name[l->at],
            l->local.port, l->kind == KIND_UDP ? "/udp" : "", r->kind == RECORD_SENT ? " > " : "",
            r->kind == RECORD_CAME ? " < " : "", r->kind == RECORD_NOTE ? "" : other);
}

static void put_hex(FILE *f, const uint8_t *p, size_t len)
{
    size_t shown = len < HEX_MOST ? len : HEX_MOST;
    for (size_t i = 0; i < shown; i++) {
        if (i % HEX_LINE == 0)
            fputs("\n    ", f);
        else if (i % 4 == 0)
            fputc(' ', f);
        fprintf(f, "%02x", p[i]);
    }
    if (shown < len)
        fprintf(f, "\n    ... %zu bytes more", len - shown);
    fputc('\n', f);
}

/* What the bytes begin with: how long that is, and what it is called. All of them when they are no message. */
static size_t describe(const uint8_t *p, size_t len, struct text *t)
{
    struct stun_msg m;
    long n = len >= STUN_HEADER ? stun_stream_len(&stun_rfc8489, p, len, MESSAGE_MAX) : 0;
    if (n > 0 && (size_t)n <= len && stun_parse(&stun_rfc8489, p, (size_t)n, &m) == 0) {
        stun_describe(&m, t);
        return (size_t)n;
    }
    if (len >= CHANNEL_HEADER && p[0] >= 0x40 && p[0] < 0x80 && load16(p + 2) + (size_t)CHANNEL_HEADER <= len) {
        text_add(t, "ChannelData 0x%04x, %u bytes", load16(p), load16(p + 2));
        size_t padded = CHANNEL_HEADER + ((load16(p + 2) + 3u) & ~3u);
        return padded < len ? padded : len;
    }
    text_add(t, "%zu byte%s", len, len == 1 ? "" : "s");
    return len;
}

static void put_bytes(FILE *f, const struct probe *p, const struct record *r, const uint8_t *data, size_t len)
{
    for (size_t at = 0, n; at < len; at += n) {
        char what[1024];
        struct text t = text_of(what, sizeof what);
        n = describe(data + at, len - at, &t);
        put_head(f, p, r);
        fputs(what, f);
        put_hex(f, data + at, n);
    }
}

/* Records of one direction of a stream that follow each other are one run of bytes. */
static const struct record *put_run(FILE *f, const struct probe *p, const struct record *first)
{
    uint8_t *run = NULL;
    size_t len = 0, all = 0;
    const struct record *r = first;
    for (; r && r->kind == first->kind && r->line == first->line; r = r->next) {
        uint8_t *more = realloc(run, len + r->kept + 1);
        if (!more)
            break;
        run = more;
        memcpy(run + len, r->data, r->kept);
        len += r->kept;
        all += r->len;
        if (r->line->kind == KIND_UDP || r->kept < r->len) {
            r = r->next;
            break;
        }
    }
    put_bytes(f, p, first, run, len);
    if (all > len) {
        put_head(f, p, first);
        fprintf(f, "%zu bytes more\n", all - len);
    }
    free(run);
    return r;
}

char *transcript_text(const struct probe *p)
{
    char *text = NULL;
    size_t size;
    if (!p->record)
        return NULL;
    FILE *f = open_memstream(&text, &size);
    if (!f)
        return NULL;
    for (const struct record *r = p->record; r;) {
        if (r->kind != RECORD_NOTE) {
            r = put_run(f, p, r);
            continue;
        }
        put_head(f, p, r);
        fprintf(f, "%s\n", r->note);
        r = r->next;
    }
    if (fclose(f) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
