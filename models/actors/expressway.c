/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/expressway.h"

#include "models/actors/parts.h"
#include "models/base/err.h"
#include "models/sip/proxy.h"

/* ---- the proxy and the TURN server as parts ---- */

static void proxy_input(void *self, const struct io_in *in)
{
    sip_proxy_input(self, in);
}

static uint64_t proxy_deadline(const void *self)
{
    return sip_proxy_deadline(self);
}

static void proxy_free(void *self)
{
    sip_proxy_free(self);
}

static const struct core_ops proxy_ops = {proxy_input, proxy_deadline, proxy_free};

static void relay_input(void *self, const struct io_in *in)
{
    turn_input(self, in);
}

static uint64_t relay_deadline(const void *self)
{
    return turn_deadline(self);
}

static void relay_free(void *self)
{
    turn_free(self);
}

static const struct core_ops relay_ops = {relay_input, relay_deadline, relay_free};

/* ---- E ---- */

enum { E_SIP, E_TURN, E_PARTS };

int expressway_e_make(struct io *io, const struct expressway_e_config *cfg, struct core *out)
{
    struct sip_proxy_config sip;
    if (zones_proxy(&cfg->sip, &sip))
        return E_RANGE;
    struct turn_config turn = cfg->turn;
    turn.listen_udp = turn.listen; /* EXP-20: on both */
    turn.listen_udp_count = turn.listen_count;
    const struct part parts[E_PARTS] = {
        [E_SIP] = {&proxy_ops, sip_proxy_new(io, part_owner(E_SIP), &sip)},
        [E_TURN] = {&relay_ops, turn_new(io, part_owner(E_TURN), &turn)},
    };
    return parts_make(io, parts, E_PARTS, out);
}

/* ---- C ---- */

int expressway_c_make(struct io *io, const struct expressway_c_config *cfg, struct core *out)
{
    struct sip_proxy_config sip;
    if (zones_proxy(&cfg->sip, &sip))
        return E_RANGE;
    const struct part part = {&proxy_ops, sip_proxy_new(io, part_owner(0), &sip)};
    return parts_make(io, &part, 1, out);
}
