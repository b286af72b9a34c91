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

static void media_input(void *self, const struct io_in *in)
{
    assent_input(self, in);
}

static uint64_t media_deadline(const void *self)
{
    return assent_deadline(self);
}

static void media_free(void *self)
{
    assent_free(self);
}

static const struct core_ops media_ops = {media_input, media_deadline, media_free};

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
    add(b, &proxy_ops, sip_proxy_new(b->io, next_owner(b), &sip));
    if (anchored)
        add(b, &media_ops, sip.media.ctx);
    return 0;
}

/* ---- E ---- */

int expressway_e_make(struct io *io, const struct expressway_e_config *cfg, struct core *out)
{
    struct build b = {.io = io};
    struct turn_config turn = cfg->turn;
    turn.listen_udp = turn.listen; /* EXP-20: on both */
    turn.listen_udp_count = turn.listen_count;
    int err = add_sip(&b, &cfg->sip, &cfg->media);
    if (err)
        return err;
    add(&b, &relay_ops, turn_new(io, next_owner(&b), &turn));
    return parts_make(io, b.part, b.count, out);
}

/* ---- C ---- */

int expressway_c_make(struct io *io, const struct expressway_c_config *cfg, struct core *out)
{
    struct build b = {.io = io};
    int err = add_sip(&b, &cfg->sip, &cfg->media);
    return err ? err : parts_make(io, b.part, b.count, out);
}
