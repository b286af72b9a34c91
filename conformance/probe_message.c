/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages: bytes in a buffer of their own, so that a probe may spoil them; and those that come, framed and parsed. */
#include <assert.h>
#include <string.h>

#include "conformance/probe_parts.h"
#include "models/base/err.h"

enum { CHANNEL_HEADER = 4, CHANNEL_FIRST = 0x40, CHANNEL_LAST = 0x7f };

/* ---- to be sent ---- */

struct message *message_new(struct probe *p, enum stun_class cls, unsigned method)
{
    struct message *m = probe_alloc(p, sizeof *m);
    struct stun_id id = stun_new_id(&stun_rfc8489, &p->rng);
    *m = (struct message){.p = p, .bytes = probe_alloc(p, MESSAGE_MAX)};
    struct stun_out o;
    stun_begin(&o, &stun_rfc8489, m->bytes, MESSAGE_MAX, stun_type(cls, method), &id);
    m->len = STUN_HEADER;
    return m;
}

struct message *message_request(struct probe *p, unsigned method)
{
    return message_new(p, STUN_REQUEST, method);
}

/* To append to the message, until message_put_end. */
static struct stun_out more(struct message *m)
{
    struct stun_out o = {.dialect = &stun_rfc8489, .w = writer_of(m->bytes, MESSAGE_MAX)};
    o.w.p += m->len;
    return o;
}

static void more_end(struct message *m, struct stun_out *o)
{
    long len = stun_end(o);
    assert(len > 0);
    m->len = (size_t)len;
}

void message_put(struct message *m, unsigned type, const void *value, size_t len)
{
    struct stun_out o = more(m);
    stun_put(&o, (enum stun_attr_type)type, value, len);
    more_end(m, &o);
}

void message_put_hex(struct message *m, unsigned type, const char *hex)
{
    uint8_t value[2048];
    long len = hex_parse(hex, value, sizeof value);
    assert(len >= 0);
    message_put(m, type, value, (size_t)len);
}

void message_put_u32(struct message *m, unsigned type, uint32_t value)
{
    uint8_t b[4];
    store32(b, value);
    message_put(m, type, b, sizeof b);
}

void message_put_text(struct message *m, unsigned type, const char *text)
{
    message_put(m, type, text, strlen(text));
}

void message_put_address(struct message *m, unsigned type, const struct endpoint *e)
{
    struct stun_out o = more(m);
    stun_put_address(&o, (enum stun_attr_type)type, e);
    more_end(m, &o);
}

void message_fingerprint(struct message *m)
{
    struct stun_out o = more(m);
    stun_put_fingerprint(&o);
    more_end(m, &o);
}

void message_set_id(struct message *m, const struct stun_id *id)
{
    memcpy(m->bytes + 4, id->b, sizeof id->b);
}

struct stun_id message_id(const struct message *m)
{
    struct stun_id id;
    memcpy(id.b, m->bytes + 4, sizeof id.b);
    return id;
}

uint8_t *message_bytes(struct message *m, size_t **len)
{
    *len = &m->len;
    return m->bytes;
}

void line_send_message(struct line *l, const struct message *m)
{
    if (m->login)
        l->login = m->login;
    line_send(l, m->bytes, m->len);
}

/* ---- what came ---- */

static int code_of(const struct stun_msg *m)
{
    int code = 0;
    const char *reason;
    size_t len;
    if (m->cls == STUN_ERROR && stun_get_error(m, &code, &reason, &len) != 0)
        return 0xffff; /* an error without a code is no code that anybody expects */
    return m->cls == STUN_REQUEST || m->cls == STUN_INDICATION ? -1 : code;
}

static struct heard heard_stun(struct line *l, const uint8_t *bytes, size_t len)
{
    struct heard h = {.kind = HEARD_STUN, .data = bytes, .len = len};
    int err = stun_parse(&stun_rfc8489, bytes, len, &h.stun);
    if (err)
        probe_fail(l->p, "a STUN message came that cannot be read: %s", err_text(err));
    h.code = code_of(&h.stun);
    if (l->kind == KIND_UDP && h.code == 0 && h.stun.method == TURN_ALLOCATE)
        l->allocated = true;
    return h;
}

static struct heard heard_channel(const uint8_t *bytes)
{
    return (struct heard){.kind = HEARD_CHANNEL, .channel = load16(bytes), .data = bytes + CHANNEL_HEADER,
                          .len = load16(bytes + 2)};
}

static bool is_channel(const uint8_t *p)
{
    return p[0] >= CHANNEL_FIRST && p[0] <= CHANNEL_LAST;
}

/* How long the message is that a stream's bytes begin with; 0: too early to tell. */
static size_t frame_len(struct line *l, const uint8_t *p, size_t have)
{
    if (have < CHANNEL_HEADER)
        return 0;
    if (is_channel(p))
        return CHANNEL_HEADER + ((load16(p + 2) + 3u) & ~3u); /* RFC 8656 12.5: padded over TCP */
    long n = stun_stream_len(&stun_rfc8489, p, have, MESSAGE_MAX);
    if (n < 0)
        probe_fail(l->p, "bytes came that are neither STUN nor ChannelData: %02x%02x%02x%02x...", p[0], p[1], p[2],
                   p[3]);
    return (size_t)n;
}

static struct heard take_stream(struct line *l)
{
    const uint8_t *p = l->in + l->in_from;
    size_t n = l->in_len ? frame_len(l, p, l->in_len) : 0;
    if (n == 0 || n > l->in_len)
        return (struct heard){.kind = line_state_now(l) == LINE_OPEN ? HEARD_NOTHING : HEARD_ENDED};
    uint8_t *copy = probe_alloc(l->p, n);
    memcpy(copy, p, n);
    l->in_from += n;
    l->in_len -= n;
    struct heard h = is_channel(copy) ? heard_channel(copy) : heard_stun(l, copy, n);
    h.t_ns = l->in_t_ns;
    return h;
}

static struct heard take_datagram(struct line *l)
{
    struct parcel *d = line_unpack(l);
    if (!d)
        return (struct heard){.kind = HEARD_NOTHING};
    bool channel = d->len >= CHANNEL_HEADER && is_channel(d->data);
    if (channel && load16(d->data + 2) + (size_t)CHANNEL_HEADER > d->len)
        probe_fail(l->p, "ChannelData came whose length is beyond its datagram's end");
    struct heard h = channel ? heard_channel(d->data) : heard_stun(l, d->data, d->len);
    h.t_ns = d->t_ns;
    h.from = d->from;
    if (l->at == SERVER)
        l->remote = d->from;
    return h;
}

/* ---- waiting for one that fits ---- */

struct wanted {
    struct line *line;
    bool (*fits)(const struct wanted *w, const struct heard *h);
    struct stun_id id;
    unsigned method;
    struct heard heard;
};

static bool any_fits(const struct wanted *w, const struct heard *h)
{
    (void)w, (void)h;
    return true;
}

static bool answer_fits(const struct wanted *w, const struct heard *h)
{
    return h->kind == HEARD_STUN && (h->stun.cls == STUN_SUCCESS || h->stun.cls == STUN_ERROR) &&
           memcmp(&h->stun.id, &w->id, sizeof w->id) == 0;
}

static bool indication_fits(const struct wanted *w, const struct heard *h)
{
    return h->kind == HEARD_STUN && h->stun.cls == STUN_INDICATION && h->stun.method == w->method;
}

static bool request_fits(const struct wanted *w, const struct heard *h)
{
    return h->kind == HEARD_STUN && h->stun.cls == STUN_REQUEST && h->stun.method == w->method;
}

static bool find_kept(struct wanted *w)
{
    for (struct kept **k = &w->line->kept; *k; k = &(*k)->next)
        if (w->fits(w, &(*k)->heard)) {
            w->heard = (*k)->heard;
            *k = (*k)->next;
            return true;
        }
    return false;
}

static void keep(struct line *l, const struct heard *h)
{
    struct kept **last = &l->kept;
    while (*last)
        last = &(*last)->next;
    *last = probe_alloc(l->p, sizeof **last);
    (*last)->heard = *h;
}

void line_settle(struct line *l, const struct message *m)
{
    struct settled *s = probe_alloc(l->p, sizeof *s);
    *s = (struct settled){l->settled, message_id(m)};
    l->settled = s;
}

static bool is_settled(const struct line *l, const struct heard *h)
{
    for (const struct settled *s = l->settled; s && h->kind == HEARD_STUN && h->code >= 0; s = s->next)
        if (memcmp(&s->id, &h->stun.id, sizeof s->id) == 0)
            return true;
    return false;
}

static bool look(void *arg)
{
    struct wanted *w = arg;
    struct line *l = w->line;
    for (;;) {
        w->heard = l->kind == KIND_UDP ? take_datagram(l) : take_stream(l);
        if (w->heard.kind == HEARD_NOTHING)
            return false;
        if (is_settled(l, &w->heard))
            continue;
        if (w->heard.kind == HEARD_ENDED || w->fits(w, &w->heard))
            return true;
        keep(l, &w->heard);
    }
}

static struct heard hear(struct wanted *w, uint64_t ns)
{
    if (find_kept(w) || probe_until(w->line->p, look, w, probe_now(w->line->p) + ns))
        return w->heard;
    return (struct heard){.kind = HEARD_NOTHING};
}

struct heard line_hear(struct line *l, uint64_t ns)
{
    return hear(&(struct wanted){.line = l, .fits = any_fits}, ns);
}

struct heard line_answer(struct line *l, const struct message *m, uint64_t ns)
{
    return hear(&(struct wanted){.line = l, .fits = answer_fits, .id = message_id(m)}, ns);
}

struct heard line_indication(struct line *l, unsigned method, uint64_t ns)
{
    return hear(&(struct wanted){.line = l, .fits = indication_fits, .method = method}, ns);
}

struct heard line_request(struct line *l, unsigned method, uint64_t ns)
{
    return hear(&(struct wanted){.line = l, .fits = request_fits, .method = method}, ns);
}

bool heard_has(const struct heard *h, unsigned type)
{
    struct stun_attr a = {0};
    while (h->kind == HEARD_STUN && stun_next(&h->stun, &a))
        if (a.type == type)
            return true;
    return false;
}

bool heard_u32(const struct heard *h, unsigned type, uint32_t *out)
{
    return h->kind == HEARD_STUN && stun_get_u32(&h->stun, (enum stun_attr_type)type, out) == 0;
}

bool heard_address(const struct heard *h, unsigned type, struct endpoint *out)
{
    return h->kind == HEARD_STUN && stun_get_address(&h->stun, (enum stun_attr_type)type, out) == 0;
}
