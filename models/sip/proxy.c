/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/sip/proxy.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/hash.h"
#include "models/base/time.h"

#define RETRY_NS (2 * NS_S)
#define CONNECT_NS (8 * NS_S)

enum { FORWARD_BUF = 2 * SIP_MESSAGE_MAX, TOKEN = 16 };

struct leg {
    io_id id;
    unsigned side;
    bool open;
    struct endpoint local, remote;
    struct sip_stream in;
};

struct side {
    io_id link;                          /* the connection that it makes */
    uint64_t retry_at_ns, connect_by_ns; /* TIME_NEVER: not waiting */
    unsigned failures;                   /* of connecting, one after the other */
};

struct sip_proxy {
    struct io *io;
    unsigned owner;
    struct sip_proxy_config cfg;
    struct side side[2];
    io_id listener[2];
    struct leg leg[SIP_LEGS_MAX];
    struct sip_msg msg;
    char buf[FORWARD_BUF];
};

struct sip_proxy *sip_proxy_new(struct io *io, unsigned owner, const struct sip_proxy_config *cfg)
{
    struct sip_proxy *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->io = io;
    p->owner = owner;
    p->cfg = *cfg;
    for (unsigned s = 0; s < 2; s++)
        p->side[s] = (struct side){IO_NONE, TIME_NEVER, TIME_NEVER, 0};
    return p;
}

void sip_proxy_free(struct sip_proxy *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < SIP_LEGS_MAX; i++)
        sip_stream_free(&p->leg[i].in);
    free(p);
}

/* ---- legs ---- */

static struct leg *leg_find(struct sip_proxy *p, io_id id)
{
    for (size_t i = 0; i < SIP_LEGS_MAX; i++)
        if (p->leg[i].id == id)
            return &p->leg[i];
    return NULL;
}

static struct leg *leg_add(struct sip_proxy *p, io_id id, unsigned side)
{
    struct leg *l = leg_find(p, IO_NONE);
    if (l)
        *l = (struct leg){.id = id, .side = side};
    return l;
}

static void leg_open(struct sip_proxy *p, struct leg *l, const struct io_in *in)
{
    l->open = true;
    l->local = in->local;
    l->remote = in->remote;
    io_read(p->io, l->id, true);
}

static struct leg *leg_newest(struct sip_proxy *p, unsigned side)
{
    struct leg *best = NULL;
    for (size_t i = 0; i < SIP_LEGS_MAX; i++) {
        struct leg *l = &p->leg[i];
        if (l->open && l->side == side && (!best || l->id > best->id))
            best = l;
    }
    return best;
}

static bool is_single(const struct sip_proxy *p, unsigned side)
{
    return p->cfg.side[side].single || p->cfg.side[side].connect.port;
}

/* A leg in text: its side, and its number unless the side has one leg at a time. */
static void leg_token(const struct sip_proxy *p, const struct leg *l, char out[TOKEN])
{
    struct text t = text_of(out, TOKEN);
    text_add(&t, "%c", 'a' + (int)l->side);
    if (!is_single(p, l->side))
        text_add(&t, "%u", (unsigned)(l->id & 0xffffff));
}

static struct leg *leg_named(struct sip_proxy *p, struct sip_str token)
{
    if (!token.len || (token.p[0] != 'a' && token.p[0] != 'b'))
        return NULL;
    unsigned side = token.p[0] == 'b', n = 0;
    for (size_t i = 1; i < token.len && i < 9; i++)
        n = n * 10 + (unsigned)(token.p[i] - '0');
    if (token.len == 1)
        return is_single(p, side) ? leg_newest(p, side) : NULL;
    for (size_t i = 0; i < SIP_LEGS_MAX; i++)
        if (p->leg[i].open && p->leg[i].side == side && (p->leg[i].id & 0xffffff) == n)
            return &p->leg[i];
    return NULL;
}

static void connect_side(struct sip_proxy *p, unsigned s)
{
    p->side[s].retry_at_ns = TIME_NEVER;
    if (!leg_find(p, IO_NONE))
        return;
    p->side[s].link = io_connect(p->io, p->owner, NULL, &p->cfg.side[s].connect);
    p->side[s].connect_by_ns = io_now(p->io) + CONNECT_NS;
    leg_add(p, p->side[s].link, s);
}

/* A second failure in a row is told: the first may be a start at the same time, or one packet lost. */
static void leg_drop(struct sip_proxy *p, struct leg *l, int err)
{
    struct side *side = &p->side[l->side];
    const struct sip_proxy_side *cfg = &p->cfg.side[l->side];
    if (l->open)
        io_note(p->io, NOTE_STATE, "sip connection with %s UP -> DOWN cause=%s", cfg->peer, err_text(err));
    else if (++side->failures == 2)
        io_fail(p->io, &cfg->connect, "cannot connect to %s for SIP: %s", cfg->peer, err_text(err));
    if (l->id == side->link) {
        side->link = IO_NONE;
        side->connect_by_ns = TIME_NEVER;
        side->retry_at_ns = io_now(p->io) + RETRY_NS;
    }
    sip_stream_free(&l->in);
    *l = (struct leg){0};
}

/* ---- answers of its own ---- */

static void send_text(struct sip_proxy *p, const struct leg *to, const struct text *t,
                      const struct sip_msg *m)
{
    char label[SIP_LABEL];
    if (t->cut)
        io_note(p->io, NOTE_STATE, "message dropped: too long with what a proxy adds");
    else
        io_send(p->io, to->id, t->buf, t->len, sip_label(m, label));
}

static void respond(struct sip_proxy *p, const struct leg *to, const struct sip_msg *request, unsigned code,
                    const char *headers)
{
    if (sip_is(request->method, "ACK"))
        return; /* 17: never answered */
    struct text t = text_of(p->buf, FORWARD_BUF);
    text_add(&t, "SIP/2.0 %u %s\r\n", code, sip_reason(code));
    sip_put_reply(&t, request, io_name(p->io));
    text_add(&t, "Server: %s\r\n%s", p->cfg.agent, headers);
    sip_put_body(&t, NULL, "", 0);
    struct sip_msg reply = {.code = code, .method = request->method};
    send_text(p, to, &t, &reply);
}

/* ---- requests ---- */

/* 16.11: the same for each request with the same branch, so that CANCEL and ACK follow their INVITE. */
static void put_via(struct sip_proxy *p, struct text *t, const struct leg *from, const struct leg *to)
{
    struct sip_iter it = {0};
    struct sip_str top;
    char token[TOKEN], hex[2 * HASH_SHA256 + 1], at[ENDPOINT_TEXT];
    uint8_t digest[HASH_SHA256];
    struct sip_via via = {0};
    if (sip_next(&p->msg, "Via", &it, &top))
        sip_via_parse(top, &via);
    struct sha256 h;
    sha256_start(&h);
    sha256_add(&h, via.host.p, via.host.len);
    sha256_add(&h, via.branch.p, via.branch.len);
    sha256_end(&h, digest);
    hex_of(digest, 8, hex);
    leg_token(p, from, token);
    text_add(t, "Via: SIP/2.0/TCP %s;branch=z9hG4bK%s.%s\r\n", endpoint_text(&to->local, at), token, hex);
}

/* Those below ours; to the first is added what 18.2.1 wants when it names another address than the message
 * came from. */
static void put_vias(struct sip_proxy *p, struct text *t, const struct leg *from)
{
    struct sip_iter it = {0};
    struct sip_str value;
    struct sip_via via;
    char ip[ADDR_TEXT];
    for (bool first = true; sip_next(&p->msg, "Via", &it, &value); first = false) {
        text_add(t, "Via: %.*s", SIP_STR(value));
        if (first && sip_via_parse(value, &via) == 0 && !sip_is(via.host, ip_text(&from->remote.ip, ip)))
            text_add(t, ";received=%s", ip);
        text_add(t, "\r\n");
    }
}

/* All header fields but those, as they came. */
static void put_others(struct text *t, const struct sip_msg *m, const char *const *but, size_t n)
{
    for (size_t i = 0; i < m->header_count; i++) {
        bool skip = false;
        for (size_t k = 0; k < n; k++)
            skip = skip || sip_is(m->header[i].name, but[k]);
        if (!skip)
            text_add(t, "%.*s: %.*s\r\n", SIP_STR(m->header[i].name), SIP_STR(m->header[i].value));
    }
}

static void put_record_route(struct sip_proxy *p, struct text *t, const struct leg *from,
                             const struct leg *to)
{
    char a[TOKEN], b[TOKEN];
    leg_token(p, from, a);
    leg_token(p, to, b);
    text_add(t, "Record-Route: <sip:%s;transport=tcp;lr;legs=%s.%s>\r\n", io_name(p->io), a, b);
}

/* Our own name in the first Route: the way that the call took (16.4). */
static bool own_route(struct sip_proxy *p, struct sip_str *legs)
{
    struct sip_iter it = {0};
    struct sip_str value;
    struct sip_addr addr;
    struct sip_uri uri;
    return sip_next(&p->msg, "Route", &it, &value) && sip_addr_parse(value, &addr) == 0 &&
           sip_uri_parse(addr.uri, &uri) == 0 && sip_is(uri.host, io_name(p->io)) &&
           sip_param(uri.params, "legs", legs);
}

/* The other of the two legs that our Route names; without one, the other side's only leg. */
static struct leg *next_leg(struct sip_proxy *p, const struct leg *from, bool routed, struct sip_str legs)
{
    unsigned other = !from->side;
    if (!routed)
        return is_single(p, other) ? leg_newest(p, other) : NULL;
    const char *dot = memchr(legs.p, '.', legs.len);
    if (!dot)
        return NULL;
    struct sip_str a = {legs.p, (size_t)(dot - legs.p)}, b = {dot + 1, legs.len - a.len - 1};
    return leg_named(p, a.len && a.p[0] == 'a' + (char)other ? a : b);
}

static void put_routes(struct sip_proxy *p, struct text *t, bool skip_first)
{
    struct sip_iter it = {0};
    struct sip_str value;
    while (sip_next(&p->msg, "Route", &it, &value)) {
        if (!skip_first)
            sip_put_header(t, "Route", value);
        skip_first = false;
    }
}

/* 20.22. -1: it has come to its end. What is absent, or no number up to 255, begins anew. */
static int max_forwards(const struct sip_msg *m)
{
    struct sip_str value;
    int n = 0;
    if (!sip_find(m, "Max-Forwards", &value) || !value.len)
        return 70;
    for (size_t i = 0; i < value.len; i++) {
        if (value.p[i] < '0' || value.p[i] > '9')
            return 70;
        n = n * 10 + (value.p[i] - '0');
        if (n > 255)
            return 70;
    }
    return n - 1;
}

static void forward_request(struct sip_proxy *p, struct leg *from, struct leg *to, bool routed, int forwards)
{
    static const char *const written[] = {"Via", "Max-Forwards", "Route", "Content-Length"};
    const struct sip_msg *m = &p->msg;
    struct text t = text_of(p->buf, FORWARD_BUF);
    text_add(&t, "%.*s %.*s SIP/2.0\r\n", SIP_STR(m->method), SIP_STR(m->uri));
    put_via(p, &t, from, to);
    put_vias(p, &t, from);
    text_add(&t, "Max-Forwards: %d\r\n", forwards);
    put_routes(p, &t, routed);
    if (sip_is(m->method, "INVITE") && !sip_tag(m, "To").len)
        put_record_route(p, &t, from, to);
    put_others(&t, m, written, sizeof written / sizeof *written);
    sip_put_body(&t, NULL, m->body.p, m->body.len);
    send_text(p, to, &t, m);
}

static void on_request(struct sip_proxy *p, struct leg *from)
{
    const char *headers = "";
    struct sip_str legs;
    unsigned code = p->cfg.policy ? p->cfg.policy(&p->msg, &headers) : 0;
    bool routed = own_route(p, &legs);
    struct leg *to = next_leg(p, from, routed, legs);
    int forwards = max_forwards(&p->msg);
    if (!code && forwards < 0)
        code = 483;
    if (!code && !to && !routed && !is_single(p, !from->side))
        code = 404;
    if (!code && !to) {
        code = 503;
        headers = "Retry-After: 3\r\n";
        io_note(p->io, NOTE_STATE, "request refused: no connection with %s", p->cfg.side[!from->side].peer);
    }
    if (code)
        respond(p, from, &p->msg, code, headers);
    else
        forward_request(p, from, to, routed, forwards);
}

/* ---- responses ---- */

/* 16.7: our Via goes, and says where to. What does not have one is not for us. */
static void on_response(struct sip_proxy *p)
{
    static const char cookie[] = "z9hG4bK";
    const struct sip_msg *m = &p->msg;
    struct sip_iter it = {0};
    struct sip_str top, below;
    struct sip_via via;
    if (!sip_next(m, "Via", &it, &top) || sip_via_parse(top, &via) || !sip_next(m, "Via", &it, &below) ||
        via.branch.len < sizeof cookie || memcmp(via.branch.p, cookie, sizeof cookie - 1) != 0)
        return;
    struct sip_str token = {via.branch.p + sizeof cookie - 1, via.branch.len - (sizeof cookie - 1)};
    const char *dot = memchr(token.p, '.', token.len);
    token.len = dot ? (size_t)(dot - token.p) : 0;
    struct leg *to = leg_named(p, token);
    if (!to)
        return;
    struct text t = text_of(p->buf, FORWARD_BUF);
    text_add(&t, "SIP/2.0 %u %.*s\r\n", m->code, SIP_STR(m->reason));
    it = (struct sip_iter){0};
    sip_next(m, "Via", &it, &top);
    while (sip_next(m, "Via", &it, &below))
        sip_put_header(&t, "Via", below);
    static const char *const written[] = {"Via", "Content-Length"};
    put_others(&t, m, written, sizeof written / sizeof *written);
    sip_put_body(&t, NULL, m->body.p, m->body.len);
    send_text(p, to, &t, m);
}

/* ---- input ---- */

static void on_data(struct sip_proxy *p, struct leg *l, const struct io_in *in)
{
    int r;
    sip_stream_push(&l->in, in->data, in->len);
    while ((r = sip_stream_next(&l->in, &p->msg)) == 1) {
        if (p->msg.request)
            on_request(p, l);
        else
            on_response(p);
    }
    if (r < 0) {
        io_abort(p->io, l->id);
        leg_drop(p, l, r);
    }
}

static void on_accepted(struct sip_proxy *p, const struct io_in *in)
{
    struct leg *l = leg_add(p, in->id, in->other == p->listener[1]);
    if (!l) {
        io_abort(p->io, in->id);
        return;
    }
    leg_open(p, l, in);
    io_note(p->io, NOTE_STATE, "sip connection with %s DOWN -> UP", p->cfg.side[l->side].peer);
}

static void on_opened(struct sip_proxy *p, const struct io_in *in)
{
    struct leg *l = leg_find(p, in->id);
    if (!l)
        return; /* a listener */
    leg_open(p, l, in);
    p->side[l->side].connect_by_ns = TIME_NEVER;
    p->side[l->side].failures = 0;
    io_note(p->io, NOTE_STATE, "sip connection with %s DOWN -> UP", p->cfg.side[l->side].peer);
}

static void on_start(struct sip_proxy *p)
{
    for (unsigned s = 0; s < 2; s++) {
        if (p->cfg.side[s].listen.port)
            p->listener[s] = io_listen(p->io, p->owner, &p->cfg.side[s].listen);
        if (p->cfg.side[s].connect.port)
            connect_side(p, s);
    }
}

static void on_tick(struct sip_proxy *p)
{
    uint64_t now = io_now(p->io);
    for (unsigned s = 0; s < 2; s++) {
        struct side *side = &p->side[s];
        if (now >= side->connect_by_ns) {
            io_abort(p->io, side->link);
            leg_drop(p, leg_find(p, side->link), E_TIMED_OUT);
        } else if (now >= side->retry_at_ns) {
            connect_side(p, s);
        }
    }
}

static void on_failed(struct sip_proxy *p, const struct io_in *in)
{
    for (unsigned s = 0; s < 2; s++)
        if (in->id == p->listener[s])
            io_fail(p->io, &p->cfg.side[s].listen, "cannot listen for SIP: %s", err_text(in->err));
}

void sip_proxy_input(struct sip_proxy *p, const struct io_in *in)
{
    struct leg *l = in->id == IO_NONE ? NULL : leg_find(p, in->id);
    switch (in->event) {
    case IO_START:
        on_start(p);
        break;
    case IO_TICK:
        on_tick(p);
        break;
    case IO_OPENED:
        on_opened(p, in);
        break;
    case IO_ACCEPTED:
        on_accepted(p, in);
        break;
    case IO_DATA:
        if (l)
            on_data(p, l, in);
        break;
    case IO_EOF:
        if (l) {
            io_close(p->io, l->id);
            leg_drop(p, l, 0);
        }
        break;
    case IO_FAILED:
    case IO_CLOSED:
        if (l)
            leg_drop(p, l, in->err);
        else if (in->event == IO_FAILED)
            on_failed(p, in);
        break;
    default:
        break;
    }
}

uint64_t sip_proxy_deadline(const struct sip_proxy *p)
{
    uint64_t t = TIME_NEVER;
    for (unsigned s = 0; s < 2; s++)
        t = time_min(t, time_min(p->side[s].retry_at_ns, p->side[s].connect_by_ns));
    return t;
}
