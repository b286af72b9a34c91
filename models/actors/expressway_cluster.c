/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/expressway_cluster.h"

#include <stdlib.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/base/time.h"

#define TELL_NS (5 * NS_S)
#define SILENCE_NS (15 * NS_S)
enum { COOKIE = 0x54504345, STATUS_SIZE = 8 }; /* then how many relays are left */

struct cluster {
    struct io *io;
    unsigned owner;
    struct cluster_config cfg;
    io_id sock;
    uint64_t tell_at_ns;
    size_t up; /* peers that are heard */
    struct {
        bool heard;
        uint64_t heard_ns;
        uint32_t left;
    } peer[CLUSTER_PEERS_MAX];
};

struct cluster *cluster_new(struct io *io, unsigned owner, const struct cluster_config *cfg)
{
    struct cluster *c = calloc(1, sizeof *c);
    if (c)
        *c = (struct cluster){.io = io, .owner = owner, .cfg = *cfg, .tell_at_ns = TIME_NEVER};
    return c;
}

void cluster_free(struct cluster *c)
{
    free(c);
}

/* The peer with most relays left, the first of equals; none when none has any. */
static void choose(struct cluster *c)
{
    struct endpoint best = {.port = 0};
    uint32_t most = 0;
    size_t up = 0;
    for (size_t i = 0; i < c->cfg.peer_count; i++) {
        if (!c->peer[i].heard)
            continue;
        up++;
        if (c->peer[i].left > most) {
            most = c->peer[i].left;
            best = c->cfg.peer[i].turn;
        }
    }
    turn_set_alternate(c->cfg.turn, &best);
    if (up == c->up)
        return;
    bool was_whole = c->up == c->cfg.peer_count, whole = up == c->cfg.peer_count;
    c->up = up;
    if (whole != was_whole)
        io_note(c->io, NOTE_SERVICE, "cluster %s %zu of %zu peers are heard", whole ? "up" : "lost", up,
                c->cfg.peer_count);
}

static void tell(struct cluster *c)
{
    uint8_t status[STATUS_SIZE];
    struct turn_stats stats;
    turn_stats(c->cfg.turn, &stats);
    store32(status, COOKIE);
    store32(status + 4, stats.allocations < c->cfg.allocations ? c->cfg.allocations - stats.allocations : 0);
    for (size_t i = 0; i < c->cfg.peer_count; i++) {
        io_sendto(c->io, c->sock, &c->cfg.peer[i].address, status, sizeof status, "cluster status");
        if (c->peer[i].heard && io_now(c->io) - c->peer[i].heard_ns >= SILENCE_NS)
            c->peer[i].heard = false;
    }
    choose(c);
    c->tell_at_ns = io_now(c->io) + TELL_NS;
}

static void on_datagram(struct cluster *c, const struct io_in *in)
{
    if (in->len != STATUS_SIZE || load32(in->data) != COOKIE)
        return;
    for (size_t i = 0; i < c->cfg.peer_count; i++)
        if (endpoint_equal(&c->cfg.peer[i].address, &in->remote)) {
            c->peer[i].heard = true;
            c->peer[i].heard_ns = io_now(c->io);
            c->peer[i].left = load32(in->data + 4);
            choose(c);
        }
}

void cluster_input(struct cluster *c, const struct io_in *in)
{
    switch (in->event) {
    case IO_START:
        io_note(c->io, NOTE_SERVICE, "cluster wanted");
        c->sock = io_udp(c->io, c->owner, &c->cfg.listen);
        break;
    case IO_OPENED:
        tell(c);
        break;
    case IO_TICK:
        if (io_now(c->io) >= c->tell_at_ns)
            tell(c);
        break;
    case IO_DATAGRAM:
        on_datagram(c, in);
        break;
    case IO_FAILED:
        io_fail(c->io, NULL, "cannot open the port for the cluster's peers: %s", err_text(in->err));
        break;
    default:
        break;
    }
}

uint64_t cluster_deadline(const struct cluster *c)
{
    return c->tell_at_ns;
}
