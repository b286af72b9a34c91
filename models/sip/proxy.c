/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/sip/proxy.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/sip/proxy_parts.h"

#define RETRY_NS (2 * NS_S)
#define CONNECT_NS (8 * NS_S)

struct sip_proxy *sip_proxy_new(struct io *io, unsigned owner, const struct sip_proxy_config *cfg)
{
    static const struct sip_proxy_rule across[] = {
        {.from_one = true, .from = 0, .to = {1}, .to_count = 1},
        {.from_one = true, .from = 1, .to = {0}, .to_count = 1},
    };
    struct sip_proxy *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->io = io;
    p->owner = owner;
    p->cfg = *cfg;
    p->rng = io_rng(io, "sip-proxy");
    if (!cfg->rule_count) {
        memcpy(p->cfg.rule, across, sizeof across);
        p->cfg.rule_count = sizeof across / sizeof *across;
    }
    while (p->sides < SIP_SIDES_MAX && (cfg->side[p->sides].connect.port || cfg->side[p->sides].listen.port))
        p->sides++;
    for (unsigned s = 0; s < p->sides; s++)
        p->side[s] = (struct side){.retry_at_ns = TIME_NEVER, .connect_by_ns = TIME_NEVER, .options_at_ns = TIME_NEVER,
                                   .repeat_at_ns = TIME_NEVER, .answer_by_ns = TIME_NEVER};
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
    const struct sip_proxy_side *cfg = &p->cfg.side[l->side];
    l->open = true;
    l->local = cfg->udp ? cfg->listen : in->local;
    l->remote = cfg->udp ? cfg->connect : in->remote;
    if (!cfg->udp)
        io_read(p->io, l->id, true);
    io_note(p->io, NOTE_STATE, "sip connection with %s DOWN -> UP", cfg->peer);
    side_up(p, l->side);
}

struct leg *proxy_newest(struct sip_proxy *p, unsigned side)
{
    struct leg *best = NULL;
    for (size_t i = 0; i < SIP_LEGS_MAX; i++) {
        struct leg *l = &p->leg[i];
        if (l->open && l->side == side && (!best || l->id > best->id))
            best = l;
    }
    return best;
}

bool proxy_is_single(const struct sip_proxy *p, unsigned side)
{
    return p->cfg.side[side].single || p->cfg.side[side].connect.port;
}

void proxy_token(const struct sip_proxy *p, const struct leg *l, char out[PROXY_TOKEN])
{
    struct text t = text_of(out, PROXY_TOKEN);
    text_add(&t, "%c", 'a' + (int)l->side);
    if (!proxy_is_single(p, l->side))
        text_add(&t, "%u", (unsigned)(l->id & 0xffffff));
}

struct leg *proxy_named(struct sip_proxy *p, struct sip_str token)
{
    if (!token.len || token.p[0] < 'a' || token.p[0] >= 'a' + (int)p->sides)
        return NULL;
    unsigned side = (unsigned)(token.p[0] - 'a'), n = 0;
    for (size_t i = 1; i < token.len && i < 9; i++)
        n = n * 10 + (unsigned)(token.p[i] - '0');
    if (token.len == 1)
        return proxy_is_single(p, side) ? proxy_newest(p, side) : NULL;
    for (size_t i = 0; i < SIP_LEGS_MAX; i++)
        if (p->leg[i].open && p->leg[i].side == side && (p->leg[i].id & 0xffffff) == n)
            return &p->leg[i];
    return NULL;
}

void proxy_drop(struct sip_proxy *p, struct leg *l, int err)
{
    unsigned s = l->side;
    struct side *side = &p->side[s];
    bool was_open = l->open;
    if (was_open)
        io_note(p->io, NOTE_STATE, "sip connection with %s UP -> DOWN cause=%s", p->cfg.side[s].peer, err_text(err));
    if (l->id == side->link) {
        side->link = IO_NONE;
        side->connect_by_ns = TIME_NEVER;
        side->retry_at_ns = io_now(p->io) + RETRY_NS;
    }
    sip_stream_free(&l->in);
    *l = (struct leg){0};
    if (!was_open)
        side_failed(p, s, err);
    else if (!proxy_newest(p, s))
        side_down(p, s, err_text(err));
}

void proxy_send(struct sip_proxy *p, const struct leg *to, const struct text *t, const struct sip_msg *m)
{
    char label[SIP_LABEL];
    if (t->cut)
        io_note(p->io, NOTE_STATE, "message dropped: too long with what a proxy adds");
    else if (p->cfg.side[to->side].udp)
        io_sendto(p->io, to->id, &to->remote, t->buf, t->len, sip_label(m, label));
    else
        io_send(p->io, to->id, t->buf, t->len, sip_label(m, label));
}

/* ---- input ---- */

static void on_message(struct sip_proxy *p, struct leg *l)
{
    if (p->msg.request)
        proxy_request(p, l);
    else
        proxy_response(p, l);
}

static void on_data(struct sip_proxy *p, struct leg *l, const struct io_in *in)
{
    int r;
    sip_stream_push(&l->in, in->data, in->len);
    while ((r = sip_stream_next(&l->in, &p->msg)) == 1)
        on_message(p, l);
    if (r < 0) {
        io_abort(p->io, l->id);
        proxy_drop(p, l, r);
    }
}

/* 18.3: bytes behind the body are cut off; what is no message, or from elsewhere, is dropped. */
static void on_datagram(struct sip_proxy *p, struct leg *l, const struct io_in *in)
{
    struct sip_stream one = {0};
    if (!ip_equal(&in->remote.ip, &l->remote.ip))
        return;
    sip_stream_push(&one, in->data, in->len);
    if (sip_stream_next(&one, &p->msg) == 1)
        on_message(p, l);
    sip_stream_free(&one);
}

static void on_accepted(struct sip_proxy *p, const struct io_in *in)
{
    unsigned side = 0;
    while (side < p->sides && p->side[side].listener != in->other)
        side++;
    struct leg *l = side < p->sides ? leg_add(p, in->id, side) : NULL;
    if (l)
        leg_open(p, l, in);
    else
        io_abort(p->io, in->id);
}

static void on_opened(struct sip_proxy *p, const struct io_in *in)
{
    struct leg *l = leg_find(p, in->id);
    if (!l)
        return; /* a listener */
    p->side[l->side].connect_by_ns = TIME_NEVER;
    p->side[l->side].failures = 0;
    p->side[l->side].was_up = true;
    leg_open(p, l, in);
}

void proxy_connect(struct sip_proxy *p, unsigned s)
{
    const struct sip_proxy_side *cfg = &p->cfg.side[s];
    struct side *side = &p->side[s];
    struct endpoint local = {.ip.family = cfg->connect.ip.family};
    side->retry_at_ns = TIME_NEVER;
    if (!leg_find(p, IO_NONE)) {
        side->retry_at_ns = io_now(p->io) + RETRY_NS;
        return;
    }
    if (cfg->first_port)
        local.port = (uint16_t)(cfg->first_port + side->ports_used++ % (cfg->last_port - cfg->first_port + 1u));
    if (cfg->udp)
        side->link = io_udp(p->io, p->owner, &cfg->listen);
    else
        side->link = io_connect(p->io, p->owner, local.port ? &local : NULL, &cfg->connect);
    side->connect_by_ns = io_now(p->io) + CONNECT_NS;
    leg_add(p, side->link, s);
}

static void on_start(struct sip_proxy *p)
{
    for (unsigned s = 0; s < p->sides; s++) {
        const struct sip_proxy_side *cfg = &p->cfg.side[s];
        if (cfg->service[0])
            io_note(p->io, NOTE_SERVICE, "%s wanted", cfg->service);
        if (cfg->listen.port && !cfg->udp)
            p->side[s].listener = io_listen(p->io, p->owner, &cfg->listen);
        if (cfg->connect.port)
            proxy_connect(p, s);
    }
}

static void on_failed(struct sip_proxy *p, const struct io_in *in)
{
    for (unsigned s = 0; s < p->sides; s++)
        if (in->id == p->side[s].listener)
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
        for (unsigned s = 0; s < p->sides; s++)
            side_tick(p, s);
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
    case IO_DATAGRAM:
        if (l)
            on_datagram(p, l, in);
        break;
    case IO_EOF:
        if (l) {
            io_close(p->io, l->id);
            proxy_drop(p, l, 0);
        }
        break;
    case IO_FAILED:
    case IO_CLOSED:
        if (l)
            proxy_drop(p, l, in->err);
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
    for (unsigned s = 0; s < p->sides; s++)
        t = time_min(t, side_deadline(&p->side[s]));
    return t;
}
