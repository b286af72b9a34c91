/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>

#include "models/actors/assent_parts.h"

uint32_t face_number(const struct face_at *at)
{
    return 1 + (((at->call * ASSENT_MEDIA_MAX + at->medium) << 2) | (uint32_t)at->stream << 1 | at->face);
}

struct face_at face_of(uint32_t number)
{
    uint32_t n = number - 1;
    return (struct face_at){(n >> 2) / ASSENT_MEDIA_MAX, (uint8_t)((n >> 2) % ASSENT_MEDIA_MAX), (n >> 1) & 1, n & 1};
}

uint16_t shared_port(const struct assent *a, unsigned pair, unsigned rtcp)
{
    return (uint16_t)(a->cfg.shared_port + 2 * pair + rtcp);
}

static bool is_shared(const struct assent *a, uint16_t port)
{
    return port >= a->cfg.shared_port && port < a->cfg.shared_port + 2 * a->cfg.shared_pairs;
}

/* An even port that is free with the one above it, in order over the range; 0: none. */
static uint16_t free_pair(struct assent *a)
{
    unsigned first = a->cfg.first_port, pairs = (a->cfg.last_port - first + 1u) / 2;
    for (unsigned i = 0; i < pairs; i++) {
        uint16_t port = (uint16_t)(first + 2 * ((a->next_port + i) % pairs));
        if (a->by_port[port - first] || a->by_port[port + 1 - first] || is_shared(a, port))
            continue;
        a->next_port = (uint16_t)((port - first) / 2 + 1);
        return port;
    }
    return 0;
}

bool medium_open(struct assent *a, uint32_t call, unsigned medium, unsigned face)
{
    struct medium *m = &a->call[call].medium[medium];
    bool shared = m->stream[0].face[face].kind == ASSENT_SERVER;
    uint16_t first = shared ? shared_port(a, m->pair, 0) : free_pair(a);
    if (!first)
        return false;
    for (unsigned s = 0; s < 2; s++) {
        struct face *f = &m->stream[s].face[face];
        struct endpoint at = {.port = (uint16_t)(first + s)};
        f->port = at.port;
        f->sock = shared ? a->shared[m->pair][s] : io_udp(a->io, a->owner, &at);
        if (!shared)
            a->by_port[at.port - a->cfg.first_port] =
                face_number(&(struct face_at){call, (uint8_t)medium, (uint8_t)s, (uint8_t)face});
    }
    return true;
}

void medium_close(struct assent *a, struct medium *m)
{
    for (unsigned n = 0; n < 4; n++) {
        struct face *f = &m->stream[n >> 1].face[n & 1];
        if (!f->port || f->kind == ASSENT_SERVER)
            continue;
        io_close(a->io, f->sock);
        a->by_port[f->port - a->cfg.first_port] = 0;
    }
    *m = (struct medium){.used = false};
}

/* By C's port; the table is a guess, since there may be more than one C. */
static bool find_by_source(struct assent *a, const struct io_in *in, unsigned rtcp, struct face_at *out)
{
    for (uint32_t i = 0; i <= a->cfg.calls; i++) {
        uint32_t guess = a->by_source[in->remote.port];
        if (i == 0 && !guess)
            continue;
        uint32_t call = i == 0 ? face_of(guess).call : i - 1;
        for (unsigned m = 0; m < ASSENT_MEDIA_MAX && a->call[call].used; m++)
            for (unsigned f = 0; f < 2 && a->call[call].medium[m].used; f++) {
                const struct face *face = &a->call[call].medium[m].stream[rtcp].face[f];
                if (face->kind != ASSENT_SERVER || face->sock != in->id ||
                    !endpoint_equal(&face->remote, &in->remote))
                    continue;
                *out = (struct face_at){call, (uint8_t)m, (uint8_t)rtcp, (uint8_t)f};
                a->by_source[in->remote.port] = face_number(out);
                return true;
            }
    }
    return false;
}

bool port_find(struct assent *a, const struct io_in *in, struct face_at *out)
{
    for (unsigned n = 0; n < 2 * a->cfg.shared_pairs; n++)
        if (a->shared[n / 2][n % 2] == in->id)
            return find_by_source(a, in, n % 2, out);
    if (in->local.port < a->cfg.first_port || in->local.port > a->cfg.last_port)
        return false;
    uint32_t number = a->by_port[in->local.port - a->cfg.first_port];
    if (!number)
        return false;
    *out = face_of(number);
    return a->call[out->call].medium[out->medium].stream[out->stream].face[out->face].sock == in->id;
}
