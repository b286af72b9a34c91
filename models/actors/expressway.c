/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/expressway.h"

#include "models/actors/administration.h"
#include "models/actors/parts.h"
#include "models/base/err.h"
#include "models/sip/proxy.h"

enum { TURN_LISTEN_MAX = 16 };

/* ---- cores as parts ---- */

/* The ops of a core by its functions. */
#define PART_OPS(ops, of_struct, core_input, core_deadline, core_free) \
    static void ops##_input(void *self, const struct io_in *in) \
    { \
        core_input((struct of_struct *)self, in); \
    } \
    static uint64_t ops##_deadline(const void *self) \
    { \
        return core_deadline((const struct of_struct *)self); \
    } \
    static void ops##_free(void *self) \
    { \
        core_free((struct of_struct *)self); \
    } \
    static const struct core_ops ops##_ops = {ops##_input, ops##_deadline, ops##_free}

PART_OPS(sip, sip_proxy, sip_proxy_input, sip_proxy_deadline, sip_proxy_free);
PART_OPS(media, assent, assent_input, assent_deadline, assent_free);
PART_OPS(relay, turn, turn_input, turn_deadline, turn_free);
PART_OPS(web, web_proxy, web_proxy_input, web_proxy_deadline, web_proxy_free);
PART_OPS(bridge, web_proxy_bridge, web_proxy_bridge_input, web_proxy_bridge_deadline, web_proxy_bridge_free);
PART_OPS(admin, administration, administration_input, administration_deadline, administration_free);
PART_OPS(peers, cluster, cluster_input, cluster_deadline, cluster_free);

/* ---- what both have ---- */

struct build {
    struct io *io;
    struct part part[PARTS_MAX];
    size_t count;
};

static unsigned next_owner(const struct build *b)
{
    return part_owner(b->count);
}

static void add(struct build *b, const struct core_ops *ops, void *self)
{
    b->part[b->count++] = (struct part){ops, self};
}

/* The proxy, and, when a zone wants it, what its media goes through. E_RANGE. */
static int add_sip(struct build *b, const struct zones_config *zones, const struct assent_config *media)
{
    struct sip_proxy_config sip;
    struct assent_config anchor = *media;
    if (zones_proxy(zones, &sip))
        return E_RANGE;
    bool anchored = zones_faces(zones, anchor.side);
    if (anchored)
        sip.media = (struct sip_proxy_media){assent_new(b->io, part_owner(b->count + 1), &anchor), assent_pass};
    add(b, &sip_ops, sip_proxy_new(b->io, next_owner(b), &sip));
    if (anchored)
        add(b, &media_ops, sip.media.ctx);
    return 0;
}

static void add_administration(struct build *b, const struct endpoint *listen)
{
    if (listen->port)
        add(b, &admin_ops, administration_new(b->io, next_owner(b), listen));
}

/* ---- E ---- */

static void add_web(struct build *b, const struct expressway_e_config *cfg, struct turn *relay)
{
    struct web_proxy_config web = cfg->web;
    if (!web.listen.port)
        return;
    web.turn = cfg->turn_at_web ? relay : NULL;
    add(b, &web_ops, web_proxy_new(b->io, next_owner(b), &web));
}

static void add_cluster(struct build *b, const struct expressway_e_config *cfg, struct turn *relay)
{
    struct cluster_config cluster = cfg->cluster;
    if (!cluster.listen.port)
        return;
    cluster.turn = relay;
    cluster.allocations = cfg->turn.limits.allocations;
    add(b, &peers_ops, cluster_new(b->io, next_owner(b), &cluster));
}

/* Where the relay listens for TCP: not at the web proxy's port, which it gets its clients of by that. */
static size_t turn_tcp(const struct expressway_e_config *cfg, struct endpoint out[TURN_LISTEN_MAX + 1])
{
    size_t n = 0;
    for (size_t i = 0; i < cfg->turn.listen_count; i++)
        if (!cfg->turn_at_web || cfg->turn.listen[i].port != cfg->web.listen.port)
            out[n++] = cfg->turn.listen[i];
    if (cfg->turn_override.port)
        out[n++] = cfg->turn_override;
    return n;
}

int expressway_e_make(struct io *io, const struct expressway_e_config *cfg, struct core *out)
{
    struct build b = {.io = io};
    struct endpoint tcp[TURN_LISTEN_MAX + 1];
    struct turn_config turn = cfg->turn;
    int err = turn.listen_count > TURN_LISTEN_MAX ? E_RANGE : add_sip(&b, &cfg->sip, &cfg->media);
    if (err)
        return err;
    turn.listen_udp = turn.listen; /* EXP-20: on both */
    turn.listen_udp_count = turn.listen_count;
    turn.listen_count = turn_tcp(cfg, tcp);
    turn.listen = tcp;
    struct turn *relay = turn_new(io, next_owner(&b), &turn);
    add(&b, &relay_ops, relay);
    if (relay) {
        add_web(&b, cfg, relay);
        add_cluster(&b, cfg, relay);
    }
    add_administration(&b, &cfg->administration);
    return parts_make(io, b.part, b.count, out);
}

/* ---- C ---- */

int expressway_c_make(struct io *io, const struct expressway_c_config *cfg, struct core *out)
{
    struct build b = {.io = io};
    int err = add_sip(&b, &cfg->sip, &cfg->media);
    if (err)
        return err;
    if (cfg->web.tunnel.port)
        add(&b, &bridge_ops, web_proxy_bridge_new(io, next_owner(&b), &cfg->web));
    add_administration(&b, &cfg->administration);
    return parts_make(io, b.part, b.count, out);
}
