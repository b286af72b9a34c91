/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "sim/native/engine.h"

enum { FIRST_PORT = 49152, LAST_PORT = 65535, BUCKETS_LEAST = 16 };

/* ---- the table of a host: by local port, and for connections by the other end too ---- */

/* remote NULL: a listener or UDP socket. The order within the table never decides anything. */
static uint64_t hash(enum sock_kind kind, const struct endpoint *local, const struct endpoint *remote)
{
    uint64_t h = mix(kind, local->port);
    return remote ? mix(mix_ip(mix_ip(h, &local->ip), &remote->ip), remote->port) : h;
}

static uint64_t hash_of(const struct sock *s)
{
    return hash(s->kind, &s->local, s->kind == SOCK_CONNECTION ? &s->remote : NULL);
}

static int grow(struct node *host)
{
    size_t count = host->bucket_count ? 2 * host->bucket_count : BUCKETS_LEAST;
    struct sock **bucket = calloc(count, sizeof(struct sock *));
    if (!bucket)
        return E_NOMEM;
    for (size_t i = 0; i < host->bucket_count; i++)
        for (struct sock *s = host->bucket[i], *next; s; s = next) {
            struct sock **b = &bucket[hash_of(s) & (count - 1)];
            next = s->next;
            s->next = *b;
            *b = s;
        }
    free(host->bucket);
    host->bucket = bucket;
    host->bucket_count = count;
    return 0;
}

int sock_insert(struct sock *s)
{
    struct node *host = s->host;
    if (host->sock_count == host->bucket_count && grow(host) != 0)
        return E_NOMEM;
    struct sock **b = &host->bucket[hash_of(s) & (host->bucket_count - 1)];
    s->next = *b;
    *b = s;
    host->sock_count++;
    return 0;
}

static void unlink_sock(struct sock *s)
{
    struct node *host = s->host;
    if (!host->bucket_count)
        return;
    struct sock **b = &host->bucket[hash_of(s) & (host->bucket_count - 1)];
    while (*b && *b != s)
        b = &(*b)->next;
    if (!*b)
        return;
    *b = s->next;
    host->sock_count--;
}

struct sock *sock_find_connection(const struct node *host, const struct endpoint *local, const struct endpoint *remote)
{
    if (!host->bucket_count)
        return NULL;
    struct sock *s = host->bucket[hash(SOCK_CONNECTION, local, remote) & (host->bucket_count - 1)];
    while (s && (s->kind != SOCK_CONNECTION || s->local.port != local->port || s->remote.port != remote->port ||
                 !ip_equal(&s->remote.ip, &remote->ip) || !ip_equal(&s->local.ip, &local->ip)))
        s = s->next;
    return s;
}

/* "Any" of either family, or unset: both. */
static bool any_matches(const struct ip_addr *any, const struct ip_addr *a)
{
    return ip_is_any(any) && (any->family == IP_NONE || a->family == IP_NONE || any->family == a->family);
}

/* An exact address goes before "any". To find out whether an address is in use, "any" may stand on both
 * sides. */
struct sock *sock_find_bound(const struct node *host, enum sock_kind kind, const struct endpoint *local)
{
    if (!host->bucket_count)
        return NULL;
    struct sock *any = NULL;
    for (struct sock *s = host->bucket[hash(kind, local, NULL) & (host->bucket_count - 1)]; s; s = s->next) {
        if (s->kind != kind || s->local.port != local->port)
            continue;
        if (ip_equal(&s->local.ip, &local->ip))
            return s;
        if (any_matches(&s->local.ip, &local->ip) || any_matches(&local->ip, &s->local.ip))
            any = s;
    }
    return any;
}

uint16_t sock_next_port(struct node *host, const struct ip_addr *local, const struct endpoint *remote)
{
    uint16_t first = host->tcp.first_port ? host->tcp.first_port : FIRST_PORT;
    uint16_t last = host->tcp.first_port ? host->tcp.last_port : LAST_PORT;
    unsigned range = last - first + 1u;
    for (unsigned i = 0; i < range; i++) {
        uint16_t port = (uint16_t)(first + (host->next_port + i) % range);
        struct endpoint at = {*local, port};
        bool used = remote ? sock_find_connection(host, &at, remote) || sock_find_bound(host, SOCK_LISTENER, &at)
                           : sock_find_bound(host, SOCK_UDP, &at) != NULL;
        if (!used) {
            host->next_port = (uint16_t)((port - first + 1u) % range);
            return port;
        }
    }
    return 0;
}

/* ---- sockets ---- */

struct sock *sock_new(struct node *host, enum sock_kind kind)
{
    struct sock *s = calloc(1, sizeof *s);
    if (s) {
        s->host = host;
        s->kind = kind;
    }
    return s;
}

static int more_ids(struct world *w)
{
    struct sock **all = array_room(w->sock, w->sock_count, sizeof(struct sock *));
    if (!all)
        return E_NOMEM;
    w->sock = all;
    net_sock *next = array_room(w->sock_next, w->sock_count, sizeof *next);
    if (!next)
        return E_NOMEM;
    w->sock_next = next;
    w->sock[w->sock_count] = NULL;
    w->sock_next[w->sock_count++] = 0;
    w->sock_free = (net_sock)w->sock_count;
    return 0;
}

/* Ids are used again, so that tables by id are as large as the most sockets at a time, not as all that ever were. */
int sock_give_id(struct world *w, struct sock *s)
{
    if (!w->sock_free && more_ids(w) != 0)
        return E_NOMEM;
    s->id = w->sock_free;
    w->sock_free = w->sock_next[s->id - 1];
    w->sock[s->id - 1] = s;
    return 0;
}

struct sock *sock_of(const struct world *w, net_sock id)
{
    assert(id > 0 && id <= w->sock_count && w->sock[id - 1]);
    return w->sock[id - 1];
}

net_sock sock_drop_id(struct world *w, struct sock *s)
{
    net_sock id = s->id;
    if (id) {
        w->sock[id - 1] = NULL;
        w->sock_next[id - 1] = w->sock_free;
        w->sock_free = id;
    }
    s->id = 0;
    return id;
}

/* Out of all tables at once; the memory goes after the event being handled, which may still look at it. */
void sock_kill(struct world *w, struct sock *s)
{
    assert(!s->dead);
    s->dead = true;
    queue_take(&w->queue, &s->timer);
    unlink_sock(s);
    sock_drop_id(w, s);
    s->next = w->dead;
    w->dead = s;
}

void sock_bury(struct world *w)
{
    while (w->dead) {
        struct sock *s = w->dead;
        w->dead = s->next;
        if (s->tcp)
            tcp_free(s->tcp);
        free(s);
    }
}

void sock_tell(struct sock *s, struct net_event *ev)
{
    if (!ev->sock)
        ev->sock = s->id;
    if (s->host->handler)
        s->host->handler(s->host->ctx, ev);
}

int sock_listen(struct net *n, net_node id, const struct endpoint *local, net_sock *out)
{
    struct world *w = world_of(n);
    struct node *host = world_node(w, id);
    assert(local->port > 0);
    if (!ip_is_any(&local->ip) && !ip_is_own(host, &local->ip))
        return E_UNREACHABLE;
    if (sock_find_bound(host, SOCK_LISTENER, local))
        return E_EXISTS;
    struct sock *s = sock_new(host, SOCK_LISTENER);
    if (!s)
        return E_NOMEM;
    s->local = *local;
    if (sock_insert(s) != 0 || sock_give_id(w, s) != 0) {
        sock_kill(w, s);
        return E_NOMEM;
    }
    *out = s->id;
    return 0;
}

void sock_close(struct net *n, net_sock id)
{
    struct world *w = world_of(n);
    struct sock *s = sock_of(w, id);
    if (s->kind == SOCK_CONNECTION)
        conn_user_gone(w, s, false);
    else
        sock_kill(w, s);
}
