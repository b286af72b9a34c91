/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/explore/streams.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/scenario/peers.h"

/* One end of a connection. Ends live until the run is over: the other end may take longer. */
struct end {
    struct peer_end at;
    uint8_t *sent; /* all that it sent */
    size_t sent_len, sent_cap;
    size_t received;
    struct end *other;  /* of the connection; NULL: not known */
    struct end *joined; /* its bytes go on there */
    size_t joined_from, joined_at; /* from this byte that it receives, as that byte that the other sends */
    bool accepted, ended, heard_end;
};

struct streams {
    struct violation *v;
    struct peers peers;
    struct end **end; /* all; those from count on are kept for their memory */
    size_t count, cap;
    struct end **by_sock;
    size_t sock_cap;
};

static void *grown(void *items, size_t *cap, size_t wanted, size_t size)
{
    if (wanted <= *cap)
        return items;
    size_t n = *cap ? *cap : 64;
    while (n < wanted)
        n *= 2;
    char *all = realloc(items, n * size);
    assert(all);
    memset(all + *cap * size, 0, (n - *cap) * size);
    *cap = n;
    return all;
}

struct streams *streams_new(struct violation *v)
{
    struct streams *s = calloc(1, sizeof *s);
    assert(s);
    s->v = v;
    return s;
}

void streams_clear(struct streams *s)
{
    s->count = 0;
    s->peers.pending_count = s->peers.pair_count = 0;
    if (s->sock_cap)
        memset(s->by_sock, 0, s->sock_cap * sizeof(struct end *));
}

void streams_free(struct streams *s)
{
    for (size_t i = 0; i < s->cap; i++)
        if (s->end[i]) {
            free(s->end[i]->sent);
            free(s->end[i]);
        }
    free(s->end);
    free(s->by_sock);
    peers_free(&s->peers);
    free(s);
}

void streams_syn(struct streams *s, net_node node, const struct endpoint *local, const struct endpoint *remote,
                 uint32_t seq, bool sent)
{
    const struct peer_end at = {node, *local, *remote};
    if (sent)
        peers_syn_sent(&s->peers, &at, seq);
    else
        peers_syn_arrived(&s->peers, &at, seq);
}

static struct end *of(const struct streams *s, net_sock sock)
{
    return sock < s->sock_cap ? s->by_sock[sock] : NULL;
}

/* The newest end there that made the connection. */
static struct end *maker(const struct streams *s, const struct peer_end *at)
{
    for (size_t i = s->count; i-- > 0;) {
        struct end *e = s->end[i];
        if (!e->accepted && e->at.node == at->node && endpoint_equal(&e->at.local, &at->local) &&
            endpoint_equal(&e->at.remote, &at->remote))
            return e->other ? NULL : e;
    }
    return NULL;
}

void streams_open(struct streams *s, net_node node, net_sock sock, const struct endpoint *local,
                  const struct endpoint *remote, bool accepted)
{
    s->end = grown(s->end, &s->cap, s->count + 1, sizeof *s->end);
    struct end *e = s->end[s->count];
    if (!e)
        e = s->end[s->count] = calloc(1, sizeof *e);
    assert(e);
    s->count++;
    *e = (struct end){.at = {node, *local, *remote}, .sent = e->sent, .sent_cap = e->sent_cap, .accepted = accepted};
    s->by_sock = grown(s->by_sock, &s->sock_cap, (size_t)sock + 1, sizeof *s->by_sock);
    s->by_sock[sock] = e;
    const struct peer_end *from = accepted ? peers_find(&s->peers, &e->at) : NULL;
    e->other = from ? maker(s, from) : NULL;
    if (e->other)
        e->other->other = e;
}

/* What goes out of a joined connection came in by the other one. */
static void check_joined(struct streams *s, uint64_t now_ns, const struct end *from, const struct end *to,
                         const uint8_t *data, size_t len)
{
    size_t first = to->sent_len; /* of data, as a byte that `to` sends */
    for (size_t i = first < from->joined_at ? from->joined_at - first : 0; i < len; i++) {
        size_t k = from->joined_from + (first + i - from->joined_at); /* as a byte that `from` received */
        if (k < from->received && from->other && from->other->sent[k] == data[i])
            continue;
        if (!from->other)
            return;
        violation_set(s->v, now_ns, "bytes", "a relay sends on byte %zu of a connection as byte %zu, %s", k, first + i,
                      k < from->received ? "and changed it" : "which it has not received");
        return;
    }
}

void streams_sent(struct streams *s, uint64_t now_ns, net_sock sock, const void *data, size_t len)
{
    struct end *e = of(s, sock);
    if (!e || !len)
        return;
    for (size_t i = 0; i < s->count; i++)
        if (s->end[i]->joined == e)
            check_joined(s, now_ns, s->end[i], e, data, len);
    e->sent = grown(e->sent, &e->sent_cap, e->sent_len + len, 1);
    memcpy(e->sent + e->sent_len, data, len);
    e->sent_len += len;
}

void streams_received(struct streams *s, uint64_t now_ns, net_sock sock, const void *data, size_t len, bool eof)
{
    struct end *e = of(s, sock);
    if (!e)
        return;
    char local[ENDPOINT_TEXT], remote[ENDPOINT_TEXT];
    const struct end *from = e->other;
    if (from && (e->received + len > from->sent_len || memcmp(from->sent + e->received, data, len) != 0))
        violation_set(s->v, now_ns, "bytes", "%s takes in %zu bytes from %s at %zu that were not sent there",
                      endpoint_text(&e->at.local, local), len, endpoint_text(&e->at.remote, remote), e->received);
    e->received += len;
    e->heard_end = e->heard_end || eof;
    if (from && eof && (!from->ended || e->received != from->sent_len))
        violation_set(s->v, now_ns, "bytes", "%s hears the end of %s after %zu bytes of %zu",
                      endpoint_text(&e->at.local, local), endpoint_text(&e->at.remote, remote), e->received,
                      from->sent_len);
}

void streams_ended(struct streams *s, uint64_t now_ns, net_sock sock)
{
    struct end *e = of(s, sock);
    if (!e || e->ended)
        return;
    e->ended = true;
    for (size_t i = 0; i < s->count; i++) {
        struct end *from = s->end[i];
        size_t due = from->joined_at + (from->received - from->joined_from);
        if (from->joined != e)
            continue;
        if (from->heard_end && e->sent_len < due)
            violation_set(s->v, now_ns, "bytes", "a relay ends a connection %zu bytes before the end of what came in",
                          due - e->sent_len);
    }
}

void streams_gone(struct streams *s, net_sock sock)
{
    if (of(s, sock))
        s->by_sock[sock] = NULL;
}

static void join(struct end *from, struct end *to, size_t to_waits)
{
    from->joined = to;
    from->joined_from = from->received;
    from->joined_at = to->sent_len + to_waits;
}

void streams_joined(struct streams *s, net_sock a, size_t a_waits, net_sock b, size_t b_waits)
{
    struct end *x = of(s, a), *y = of(s, b);
    if (!x || !y)
        return;
    join(x, y, b_waits);
    join(y, x, a_waits);
}

void streams_parted(struct streams *s, net_sock a, net_sock b)
{
    struct end *x = of(s, a), *y = of(s, b);
    if (x)
        x->joined = NULL;
    if (y)
        y->joined = NULL;
}
