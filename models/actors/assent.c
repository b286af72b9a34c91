/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/assent.h"

#include <stdlib.h>
#include <string.h>

#include "models/actors/assent_parts.h"
#include "models/base/err.h"

/* The clock of idle calls and of keep-alives; faster while C waits for E to answer the first of these, which may
 * overtake the description that tells E of C's port. */
#define TICK_NS NS_S
#define FAST_TICK_NS (200 * NS_MS)
#define KEEP_ALIVE_NS (10 * NS_S)

struct assent *assent_new(struct io *io, unsigned owner, const struct assent_config *cfg)
{
    if (cfg->first_port % 2 || cfg->last_port < cfg->first_port || cfg->shared_pairs > ASSENT_PAIRS_MAX)
        return NULL;
    struct assent *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->io = io;
    a->owner = owner;
    a->cfg = *cfg;
    a->tick_at_ns = TIME_NEVER;
    a->call = calloc(cfg->calls + 1u, sizeof *a->call); /* one more: none is no mistake */
    a->by_port = calloc(cfg->last_port - cfg->first_port + 2u, sizeof *a->by_port);
    a->by_source = calloc(UINT16_MAX + 1u, sizeof *a->by_source);
    if (a->call && a->by_port && a->by_source)
        return a;
    assent_free(a);
    return NULL;
}

void assent_free(struct assent *a)
{
    if (!a)
        return;
    free(a->call);
    free(a->by_port);
    free(a->by_source);
    free(a);
}

/* ---- calls ---- */

static void digest_of(struct sip_str s, uint8_t out[HASH_SHA256])
{
    sha256(s.p, s.len, out);
}

static struct anchored *call_find(struct assent *a, const struct sip_msg *m)
{
    uint8_t id[HASH_SHA256], tag[2][HASH_SHA256];
    digest_of(m->call_id, id);
    digest_of(sip_tag(m, "From"), tag[0]);
    digest_of(sip_tag(m, "To"), tag[1]);
    for (uint32_t i = 0; i < a->cfg.calls && a->count; i++) {
        struct anchored *c = &a->call[i];
        if (c->used && !memcmp(c->call_id, id, sizeof id) &&
            (!memcmp(c->caller, tag[0], sizeof id) || !memcmp(c->caller, tag[1], sizeof id)))
            return c;
    }
    return NULL;
}

static struct anchored *call_new(struct assent *a, const struct sip_msg *m, const struct sip_passage *at)
{
    for (uint32_t i = 0; i < a->cfg.calls; i++) {
        struct anchored *c = &a->call[i];
        if (c->used)
            continue;
        *c = (struct anchored){.used = true, .number = ++a->next_number, .side = {at->from, at->to}};
        digest_of(m->call_id, c->call_id);
        digest_of(sip_tag(m, "From"), c->caller);
        a->count++;
        a->tick_at_ns = io_now(a->io) + FAST_TICK_NS;
        return c;
    }
    io_note(a->io, NOTE_HINT, "a call is refused: there are %u calls whose media goes through, and no more may be",
            a->cfg.calls);
    return NULL;
}

static void call_end(struct assent *a, struct anchored *c, const char *cause)
{
    io_note(a->io, NOTE_STATE, "call=%u ANCHORED -> ENDED cause=%s", c->number, cause);
    for (unsigned i = 0; i < ASSENT_MEDIA_MAX; i++)
        if (c->medium[i].used)
            medium_close(a, &c->medium[i]);
    c->used = false;
    if (!--a->count)
        a->tick_at_ns = TIME_NEVER;
}

/* ---- media out ---- */

static bool is_reachable(const struct face *f)
{
    return f->remote.port && !ip_is_any(&f->remote.ip) &&
           (f->heard || (f->kind != ASSENT_ENDPOINT && f->kind != ASSENT_SERVER));
}

static void keep_alive(struct assent *a, struct face *f)
{
    if (f->kind != ASSENT_CLIENT || !is_reachable(f))
        return;
    f->sent_ns = io_now(a->io);
    io_sendto(a->io, f->sock, &f->remote, "", 0, NULL);
}

static void forward(struct assent *a, struct face *f, const struct io_in *in)
{
    if (!is_reachable(f))
        return;
    f->sent_ns = io_now(a->io);
    struct io_out out = {.op = IO_OP_SENDTO, .id = f->sock, .remote = f->remote, .data = in->data, .len = in->len};
    io_put(a->io, &out);
}

/* E answers empty datagrams, for C to know that it need not hurry any more. */
static void echo(struct assent *a, const struct face *f)
{
    if (f->kind == ASSENT_SERVER)
        io_sendto(a->io, f->sock, &f->remote, "", 0, NULL);
}

static void on_datagram(struct assent *a, const struct io_in *in)
{
    struct face_at at;
    if (!port_find(a, in, &at))
        return;
    struct anchored *c = &a->call[at.call];
    struct medium *m = &c->medium[at.medium];
    if (!face_takes(a, c, m, &at, in))
        return;
    if (!in->len) {
        echo(a, &m->stream[at.stream].face[at.face]);
        return;
    }
    c->active_ns = io_now(a->io);
    forward(a, &m->stream[at.stream].face[!at.face], in);
}

/* ---- descriptions ---- */

static bool medium_begin(struct assent *a, struct anchored *c, unsigned medium)
{
    struct medium *m = &c->medium[medium];
    uint32_t call = (uint32_t)(c - a->call);
    m->used = true;
    m->pair = a->cfg.shared_pairs ? a->next_pair++ % a->cfg.shared_pairs : 0;
    for (unsigned n = 0; n < 4; n++)
        m->stream[n >> 1].face[n & 1].kind = a->cfg.side[c->side[n & 1]];
    if (medium_open(a, call, medium, 0) && medium_open(a, call, medium, 1))
        return true;
    medium_close(a, m);
    io_note(a->io, NOTE_HINT, "a call is refused: no port is left for its media");
    return false;
}

/* What one side says of where it takes a medium. Endpoints' words say only who may begin. */
static void learn(struct assent *a, struct anchored *c, struct medium *m, unsigned face, const struct endpoint said[2])
{
    for (unsigned s = 0; s < 2; s++) {
        struct face *f = &m->stream[s].face[face];
        if (f->kind == ASSENT_ENDPOINT) {
            if (!ip_is_any(&said[s].ip))
                c->described = said[s].ip;
        } else if (!endpoint_equal(&f->remote, &said[s])) {
            f->remote = said[s];
            f->heard = false;
        }
        keep_alive(a, f);
        keep_alive(a, &m->stream[s].face[!face]);
    }
}

static struct endpoint announced(const struct assent *a, const struct sip_passage *at, const struct face *f)
{
    bool public = f->kind == ASSENT_ENDPOINT && a->cfg.public_address.family == at->local.ip.family;
    return (struct endpoint){public ? a->cfg.public_address : at->local.ip, f->port};
}

static unsigned rewrite(struct assent *a, struct anchored *c, const struct sip_passage *at, const struct sip_msg *m,
                        const struct assent_sdp *sdp, struct text *body)
{
    struct endpoint put[ASSENT_MEDIA_MAX] = {{.port = 0}};
    unsigned from = at->from != c->side[0];
    c->active_ns = io_now(a->io);
    for (unsigned i = 0; i < sdp->count; i++) {
        struct medium *medium = &c->medium[i];
        const struct endpoint said[2] = {sdp->media[i].rtp_at, sdp->media[i].rtcp_at};
        if (!sdp->media[i].rtp || !said[0].port) {
            if (medium->used)
                medium_close(a, medium);
            continue;
        }
        if (!medium->used && !medium_begin(a, c, i))
            return 503;
        learn(a, c, medium, from, said);
        put[i] = announced(a, at, &medium->stream[0].face[!from]);
    }
    assent_sdp_write(m->body.p, m->body.len, put, body);
    return 1;
}

static bool has_description(const struct sip_msg *m)
{
    struct sip_str type;
    return m->body.len && sip_find(m, "Content-Type", &type) && type.len >= 15 &&
           sip_is((struct sip_str){type.p, 15}, "application/sdp") &&
           (sip_is(m->method, "INVITE") || sip_is(m->method, "ACK") || sip_is(m->method, "PRACK") ||
            sip_is(m->method, "UPDATE"));
}

static unsigned pass_description(struct assent *a, struct anchored *c, const struct sip_passage *at,
                                 const struct sip_msg *m, struct text *body)
{
    struct assent_sdp sdp;
    if (assent_sdp_read(m->body.p, m->body.len, &sdp))
        return 488;
    if (sdp.ice)
        return 0;
    bool fresh = !c;
    if (fresh && !(c = call_new(a, m, at)))
        return 503;
    if (a->cfg.side[at->from] == ASSENT_ENDPOINT && c->signalled.family == IP_NONE)
        c->signalled = at->remote.ip;
    unsigned code = rewrite(a, c, at, m, &sdp, body);
    if (fresh && code != 1)
        call_end(a, c, "refused");
    return code;
}

static bool is_anchored(const struct assent *a, const struct sip_passage *at)
{
    static const bool between[][ASSENT_INSIDE + 1] = {
        [ASSENT_NONE] = {false},
        [ASSENT_ENDPOINT] = {[ASSENT_SERVER] = true},
        [ASSENT_SERVER] = {[ASSENT_ENDPOINT] = true},
        [ASSENT_CLIENT] = {[ASSENT_INSIDE] = true},
        [ASSENT_INSIDE] = {[ASSENT_CLIENT] = true},
    };
    return between[a->cfg.side[at->from]][a->cfg.side[at->to]];
}

unsigned assent_pass(void *assent, const struct sip_passage *at, const struct sip_msg *m, struct text *body)
{
    struct assent *a = assent;
    if (!is_anchored(a, at))
        return 0;
    struct anchored *c = call_find(a, m);
    bool of_invite = sip_is(m->method, "INVITE");
    if (c && a->cfg.side[at->from] == ASSENT_ENDPOINT && c->signalled.family != IP_NONE &&
        !ip_equal(&c->signalled, &at->remote.ip))
        return 403;
    if (c && m->request && sip_is(m->method, "BYE")) {
        call_end(a, c, "BYE");
        return 0;
    }
    if (c && !m->request && of_invite && m->code >= 300 && !c->established) {
        call_end(a, c, "refused");
        return 0;
    }
    if (c && !m->request && of_invite && m->code >= 200 && m->code < 300)
        c->established = true;
    return has_description(m) ? pass_description(a, c, at, m, body) : 0;
}

/* ---- input ---- */

static void on_tick(struct assent *a)
{
    uint64_t now = io_now(a->io), next_ns = TICK_NS;
    if (now < a->tick_at_ns)
        return;
    for (uint32_t i = 0; i < a->cfg.calls; i++) {
        struct anchored *c = &a->call[i];
        if (c->used && now - c->active_ns >= a->cfg.idle_ns)
            call_end(a, c, "idle");
        for (unsigned n = 0; n < 4 * ASSENT_MEDIA_MAX && c->used; n++) {
            struct face *f = &c->medium[n >> 2].stream[(n >> 1) & 1].face[n & 1];
            bool hurry = f->kind == ASSENT_CLIENT && is_reachable(f) && !f->heard;
            next_ns = hurry ? FAST_TICK_NS : next_ns;
            if (hurry || now - f->sent_ns >= KEEP_ALIVE_NS)
                keep_alive(a, f);
        }
    }
    a->tick_at_ns = a->count ? now + next_ns : TIME_NEVER;
}

static void on_start(struct assent *a)
{
    for (unsigned n = 0; n < 2 * a->cfg.shared_pairs; n++) {
        struct endpoint at = {.port = shared_port(a, n / 2, n % 2)};
        a->shared[n / 2][n % 2] = io_udp(a->io, a->owner, &at);
    }
}

void assent_input(struct assent *a, const struct io_in *in)
{
    switch (in->event) {
    case IO_START:
        on_start(a);
        break;
    case IO_TICK:
        on_tick(a);
        break;
    case IO_DATAGRAM:
        on_datagram(a, in);
        break;
    case IO_FAILED:
        io_fail(a->io, NULL, "cannot open a port for media: %s", err_text(in->err));
        break;
    default:
        break;
    }
}

uint64_t assent_deadline(const struct assent *a)
{
    return a->tick_at_ns;
}
