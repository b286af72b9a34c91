/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/skype_edge.h"

#include <stdlib.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "models/msturn/msturn.h"
#include "models/sip/proxy.h"
#include "models/sip/sdp.h"

enum { OWNER_SIP = 1, OWNER_RELAY = 2 };

struct skype_edge {
    struct sip_proxy *proxy;
    struct ms_turn_server *relay;
};

/* SIP-4, SIP-5 of the catalogue. */
static unsigned attendees_do_not_share(const struct sip_msg *m, const char **headers)
{
    struct sdp d;
    struct sip_str role;
    if (!sip_is(m->method, "INVITE") || !sip_find(m, CONFERENCE_ROLE, &role) || !sip_is(role, "attendee") ||
        sdp_parse(m->body.p, m->body.len, &d) || !sdp_find(&d, "applicationsharing"))
        return 0;
    *headers = "ms-diagnostics-public: 21002;reason=\"Attendees cannot share in this conference\";"
               "component=\"ASMCU\"\r\n";
    return 403;
}

static void input(void *self, const struct io_in *in)
{
    struct skype_edge *e = self;
    unsigned owner = io_owner(in->id);
    if (in->id == IO_NONE || owner == OWNER_SIP)
        sip_proxy_input(e->proxy, in);
    if (in->id == IO_NONE || owner == OWNER_RELAY)
        ms_turn_server_input(e->relay, in);
}

static uint64_t deadline(const void *self)
{
    const struct skype_edge *e = self;
    return time_min(sip_proxy_deadline(e->proxy), ms_turn_server_deadline(e->relay));
}

static void destroy(void *self)
{
    struct skype_edge *e = self;
    sip_proxy_free(e->proxy);
    if (e->relay)
        ms_turn_server_free(e->relay);
    free(e);
}

int skype_edge_make(struct io *io, const struct skype_edge_config *cfg, struct core *out)
{
    static const struct core_ops ops = {input, deadline, destroy};
    struct ms_turn_user user = {cfg->turn_user, cfg->turn_password};
    struct ms_turn_server_config relay = {.realm = cfg->realm,
                                          .users = &user,
                                          .user_count = 1,
                                          .listen = &cfg->turn,
                                          .listen_count = 1,
                                          .listen_udp = &cfg->turn_udp,
                                          .listen_udp_count = cfg->turn_udp.port != 0,
                                          .relay_ip = cfg->address,
                                          .public_ip = cfg->public_address,
                                          .first_port = cfg->first_port,
                                          .last_port = cfg->last_port,
                                          .max_clients = 256,
                                          .max_peers = 16,
                                          .connect_out = cfg->connect_out};
    struct sip_proxy_config sip = {.side = {{.peer = "Skype clients", .listen = cfg->sip},
                                            {.peer = "Expressway-E", .connect = cfg->federation}},
                                   .agent = "RTC/6.0",
                                   .policy = attendees_do_not_share};
    struct skype_edge *e = calloc(1, sizeof *e);
    if (!e)
        return E_NOMEM;
    e->proxy = sip_proxy_new(io, OWNER_SIP, &sip);
    e->relay = ms_turn_server_new(io, OWNER_RELAY, &relay);
    *out = (struct core){&ops, e, io};
    if (e->proxy && e->relay)
        return 0;
    destroy(e);
    return E_NOMEM;
}
