/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/expressway.h"

#include <stdlib.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "models/sip/proxy.h"

enum { OWNER_SIP = 1, OWNER_TURN = 2 };

static const char agent[] = "TANDBERG/4137 (X8.9.2)";

/* ---- E ---- */

struct expressway_e {
    struct sip_proxy *proxy;
    struct turn *turn;
};

static void e_input(void *self, const struct io_in *in)
{
    struct expressway_e *e = self;
    unsigned owner = io_owner(in->id);
    if (in->id == IO_NONE || owner == OWNER_SIP)
        sip_proxy_input(e->proxy, in);
    if (in->id == IO_NONE || owner == OWNER_TURN)
        turn_input(e->turn, in);
}

static uint64_t e_deadline(const void *self)
{
    const struct expressway_e *e = self;
    return time_min(sip_proxy_deadline(e->proxy), turn_deadline(e->turn));
}

static void e_free(void *self)
{
    struct expressway_e *e = self;
    sip_proxy_free(e->proxy);
    if (e->turn)
        turn_free(e->turn);
    free(e);
}

int expressway_e_make(struct io *io, const struct expressway_e_config *cfg, struct core *out)
{
    static const struct core_ops ops = {e_input, e_deadline, e_free};
    struct sip_proxy_config sip = {
        .side = {{.peer = "the Skype Edge", .listen = cfg->sip},
                 {.peer = "Expressway-C (traversal zone)", .listen = cfg->traversal, .single = true}},
        .agent = agent};
    struct expressway_e *e = calloc(1, sizeof *e);
    if (!e)
        return E_NOMEM;
    e->proxy = sip_proxy_new(io, OWNER_SIP, &sip);
    struct turn_config turn = cfg->turn;
    turn.listen_udp = turn.listen; /* EXP-20: on both */
    turn.listen_udp_count = turn.listen_count;
    e->turn = turn_new(io, OWNER_TURN, &turn);
    *out = (struct core){&ops, e, io};
    if (e->proxy && e->turn)
        return 0;
    e_free(e);
    return E_NOMEM;
}

/* ---- C ---- */

static void c_input(void *self, const struct io_in *in)
{
    sip_proxy_input(self, in);
}

static uint64_t c_deadline(const void *self)
{
    return sip_proxy_deadline(self);
}

static void c_free(void *self)
{
    sip_proxy_free(self);
}

int expressway_c_make(struct io *io, const struct expressway_c_config *cfg, struct core *out)
{
    static const struct core_ops ops = {c_input, c_deadline, c_free};
    struct sip_proxy_config sip = {
        .side = {{.peer = "Expressway-E (traversal zone)", .connect = cfg->traversal},
                 {.peer = "Meeting Server", .connect = cfg->meeting_server}},
        .agent = agent};
    struct sip_proxy *proxy = sip_proxy_new(io, OWNER_SIP, &sip);
    *out = (struct core){&ops, proxy, io};
    return proxy ? 0 : E_NOMEM;
}
