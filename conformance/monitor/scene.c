/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conformance/monitor/scene.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024, DEFAULT_LIFETIME_S = 600 };

static struct conversation **place_of(struct scene *s, uint32_t flow)
{
    struct conversation **at = &s->bucket[flow % BUCKETS];
    while (*at && (*at)->flow != flow)
        at = &(*at)->next;
    return at;
}

struct conversation *scene_find(const struct scene *s, uint32_t flow)
{
    struct conversation *c = s->bucket[flow % BUCKETS];
    while (c && c->flow != flow)
        c = c->next;
    return c;
}

static bool speaks_turn(const struct stun_msg *m)
{
    return m->cls == STUN_REQUEST && m->method >= TURN_ALLOCATE && m->method <= TURN_CONNECTION_ATTEMPT;
}

struct conversation *scene_join(struct scene *s, const struct said *said)
{
    const struct seen *seen = said->seen;
    struct conversation **at = place_of(s, seen->flow);
    if (*at || said->kind != SAID_STUN || !speaks_turn(&said->stun))
        return *at;
    struct conversation *c = s->conversations < SCENE_CONVERSATIONS ? calloc(1, sizeof *c) : NULL;
    if (!c) {
        s->missed++;
        return NULL;
    }
    *c = (struct conversation){.flow = seen->flow, .proto = seen->proto, .client = seen->from, .server = seen->to,
                               .middle = said->stun.method != TURN_ALLOCATE &&
                                         said->stun.method != TURN_CONNECTION_BIND};
    s->conversations++;
    return *at = c;
}

void scene_leave(struct scene *s, struct conversation *c)
{
    struct conversation **at = place_of(s, c->flow);
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct offer **o = &s->offer_bucket[i]; *o;) {
            struct offer *gone = *o;
            if (gone->control != c->flow) {
                o = &gone->next;
                continue;
            }
            *o = gone->next;
            free(gone);
            s->offers--;
        }
    *at = c->next;
    free(c);
    s->conversations--;
}

void scene_free(struct scene *s)
{
    for (size_t i = 0; i < BUCKETS; i++)
        while (s->bucket[i])
            scene_leave(s, s->bucket[i]);
}

/* ---- offers ---- */

struct offer *scene_offer(const struct scene *s, uint32_t connection, const struct endpoint *server)
{
    struct offer *o = s->offer_bucket[connection % BUCKETS];
    while (o && (o->connection != connection || !endpoint_equal(&o->server, server)))
        o = o->next;
    return o;
}

static void learn_offer(struct scene *s, const struct conversation *c, const struct said *said,
                        const struct endpoint *peer, bool attempt)
{
    uint32_t connection;
    if (stun_get_u32(&said->stun, ATTR_CONNECTION_ID, &connection))
        return;
    struct offer *o = scene_offer(s, connection, &c->server);
    if (!o) {
        o = s->offers < SCENE_OFFERS ? calloc(1, sizeof *o) : NULL;
        if (!o) {
            s->missed++;
            return;
        }
        o->next = s->offer_bucket[connection % BUCKETS];
        s->offer_bucket[connection % BUCKETS] = o;
        s->offers++;
    }
    *o = (struct offer){.next = o->next, .connection = connection, .control = c->flow, .attempt = attempt,
                        .peer = *peer, .t_ns = said->seen->t_ns, .server = c->server};
}

/* ---- requests ---- */

struct ask *scene_ask(struct conversation *c, const struct stun_msg *m)
{
    size_t n = c->asks < SCENE_ASKS ? c->asks : SCENE_ASKS;
    for (size_t i = 0; i < n; i++) {
        struct ask *a = &c->ask[(c->asks - 1 - i) % SCENE_ASKS];
        if (a->method == m->method && memcmp(&a->id, &m->id, sizeof a->id) == 0)
            return a;
    }
    return NULL;
}

static uint32_t digest_of(const uint8_t *p, size_t len)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 16777619u;
    return h;
}

static void copy_text(const struct stun_msg *m, enum stun_attr_type type, char out[SCENE_TEXT])
{
    const char *text;
    size_t len;
    if (stun_get_text(m, type, &text, &len) || len >= SCENE_TEXT)
        return;
    memcpy(out, text, len);
    out[len] = '\0';
}

static void learn_request(struct conversation *c, const struct said *said, struct ask *again)
{
    const struct stun_msg *m = &said->stun;
    uint64_t t = said->seen->t_ns;
    if (again) {
        again->last_ns = t;
        again->sent++;
        return;
    }
    struct ask *a = &c->ask[c->asks++ % SCENE_ASKS];
    *a = (struct ask){.id = m->id, .method = m->method, .first_ns = t, .last_ns = t, .sent = 1,
                      .with_credentials = m->mac_at || m->mac256_at, .digest = digest_of(said->data, said->len)};
    uint32_t v;
    a->has_lifetime = stun_get_u32(m, ATTR_LIFETIME, &a->lifetime_s) == 0;
    a->has_connection = stun_get_u32(m, ATTR_CONNECTION_ID, &a->connection) == 0;
    if (stun_get_u32(m, ATTR_REQUESTED_TRANSPORT, &v) == 0)
        a->transport = (uint8_t)(v >> 24);
    if (stun_get_u32(m, ATTR_CHANNEL_NUMBER, &v) == 0)
        a->channel = (uint16_t)(v >> 16);
    struct stun_attr it = {0};
    while (stun_next(m, &it)) {
        if (it.type == ATTR_XOR_PEER_ADDRESS && a->peers < sizeof a->peer / sizeof *a->peer)
            a->peers += stun_attr_address(m, &it, &a->peer[a->peers]) == 0;
        if (it.type == ATTR_EVEN_PORT && it.len >= 1)
            a->reserves = it.value[0] & 0x80;
    }
    a->has_peer = a->peers > 0;
    if (a->with_credentials) {
        copy_text(m, ATTR_USERNAME, c->user);
        copy_text(m, ATTR_REALM, c->realm);
    }
    c->requests++;
    c->binds |= m->method == TURN_CONNECTION_BIND;
}

/* ---- allocations ---- */

struct permit *scene_permit(struct allocation_view *a, const struct ip_addr *peer)
{
    for (size_t i = 0; i < a->permits; i++)
        if (ip_equal(&a->permit[i].peer, peer))
            return &a->permit[i];
    return NULL;
}

struct channel_view *scene_channel(struct allocation_view *a, uint16_t number)
{
    for (size_t i = 0; i < a->channels; i++)
        if (a->channel[i].number == number)
            return &a->channel[i];
    return NULL;
}

struct channel_view *scene_channel_of(struct allocation_view *a, const struct endpoint *peer)
{
    for (size_t i = 0; i < a->channels; i++)
        if (endpoint_equal(&a->channel[i].peer, peer))
            return &a->channel[i];
    return NULL;
}

static void learn_permit(struct scene *s, struct allocation_view *a, const struct ip_addr *peer, uint64_t t)
{
    struct permit *p = scene_permit(a, peer);
    if (!p && a->permits < SCENE_PERMITS)
        p = &a->permit[a->permits++];
    if (p)
        *p = (struct permit){*peer, t};
    else
        s->missed++;
}

static void learn_channel(struct scene *s, struct allocation_view *a, const struct ask *ask, uint64_t t)
{
    struct channel_view *v = scene_channel(a, ask->channel);
    if (!v && a->channels < SCENE_PERMITS)
        v = &a->channel[a->channels++];
    if (v)
        *v = (struct channel_view){ask->channel, ask->peer[0], t};
    else
        s->missed++;
    learn_permit(s, a, &ask->peer[0].ip, t);
}

static void learn_lifetime(struct allocation_view *a, const struct stun_msg *m, uint64_t t)
{
    uint32_t lifetime = DEFAULT_LIFETIME_S;
    stun_get_u32(m, ATTR_LIFETIME, &lifetime);
    a->live = lifetime > 0;
    a->expires_ns = t + lifetime * NS_S;
}

static void learn_success(struct scene *s, struct conversation *c, const struct said *said, const struct ask *ask)
{
    const struct stun_msg *m = &said->stun;
    uint64_t t = said->seen->t_ns;
    struct allocation_view *a = &c->alloc;
    switch (m->method) {
    case TURN_ALLOCATE:
        if (a->live)
            break; /* the answer to a request that was sent again */
        *a = (struct allocation_view){.seen = true, .transport = ask->transport};
        stun_get_address(m, ATTR_XOR_RELAYED_ADDRESS, &a->relayed);
        learn_lifetime(a, m, t);
        break;
    case TURN_REFRESH:
        learn_lifetime(a, m, t);
        break;
    case TURN_CREATE_PERMISSION:
        for (size_t i = 0; i < ask->peers; i++)
            learn_permit(s, a, &ask->peer[i].ip, t);
        break;
    case TURN_CHANNEL_BIND:
        if (ask->has_peer)
            learn_channel(s, a, ask, t);
        break;
    case TURN_CONNECT:
        learn_offer(s, c, said, &ask->peer[0], false);
        break;
    case TURN_CONNECTION_BIND:
        c->bound = true;
        if (ask->has_connection) {
            struct offer *o = scene_offer(s, ask->connection, &c->server);
            if (o)
                o->bound = true;
        }
        break;
    default:
        break;
    }
}

static void learn_error(struct conversation *c, const struct said *said, const struct ask *ask)
{
    int code;
    const char *reason;
    size_t len;
    if (stun_get_error(&said->stun, &code, &reason, &len))
        return;
    c->challenges = code == 401 ? c->challenges + 1 : 0;
    c->stale = code == 438;
    if (code == 401 || code == 438) {
        copy_text(&said->stun, ATTR_REALM, c->realm);
        copy_text(&said->stun, ATTR_NONCE, c->nonce);
        c->cookie = strncmp(c->nonce, "obMatJos2", 9) == 0; /* RFC 8489 9.2 */
    }
    struct allocation_view *a = &c->alloc;
    if (code == 437 && ask->method != TURN_ALLOCATE)
        a->live = false;
    if (code == 447 && ask->has_peer && a->refusals < SCENE_PERMITS)
        a->refusal[a->refusals++] = (struct refusal){ask->peer[0], said->seen->t_ns};
}

void scene_learn(struct scene *s, struct conversation *c, const struct said *said, struct ask *ask)
{
    const struct stun_msg *m = &said->stun;
    c->last_ns = said->seen->t_ns;
    if (said->kind != SAID_STUN)
        return;
    struct endpoint peer = {0};
    switch (m->cls) {
    case STUN_REQUEST:
        learn_request(c, said, ask);
        break;
    case STUN_INDICATION:
        if (m->method == TURN_CONNECTION_ATTEMPT) {
            stun_get_address(m, ATTR_XOR_PEER_ADDRESS, &peer);
            learn_offer(s, c, said, &peer, true);
        }
        break;
    case STUN_SUCCESS:
    case STUN_ERROR:
        if (!ask || ask->answered)
            break;
        if (m->cls == STUN_SUCCESS) {
            c->challenges = 0;
            c->stale = false;
            learn_success(s, c, said, ask);
        } else {
            learn_error(c, said, ask);
        }
        ask->answered = true;
        break;
    }
}
