/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/base/hash.h"
#include "models/base/rng.h"
#include "models/base/time.h"
#include "sim/native/engine.h"

enum { TTL = 64, BUFFER_DEFAULT = 128 * 1024, TCP_SUM_AT = 16 };

/* ---- segments to and from frames ---- */

static void segment_of(const struct wire_packet *k, struct tcp_segment *s)
{
    struct wire_tcp h;
    wire_get_tcp(k, &h);
    *s = (struct tcp_segment){.seq = h.seq, .ack = h.ack, .flags = h.flags, .window = h.window, .mss = h.mss,
                              .wscale = h.wscale, .sack_ok = h.sack_ok, .sack_count = h.sack_count,
                              .data = k->frame + k->payload, .len = k->payload_len};
    for (size_t i = 0; i < h.sack_count; i++)
        s->sack[i] = (struct tcp_sack){h.sack[i].from, h.sack[i].to};
}

/* Returns the sum with the payload's added. */
static uint32_t put_payload(uint32_t sum, uint8_t *to, const struct tcp_segment *g)
{
    if (g->len)
        sum = wire_sum_copy(sum, to, g->data, g->len);
    if (g->len2) {
        uint32_t rest = wire_sum_copy(0, to + g->len, g->data2, g->len2);
        sum += g->len & 1 ? rest << 8 : rest; /* RFC 1071 2 (B): an odd start swaps the bytes of the sum */
    }
    return sum;
}

static void transmit(struct world *w, struct sock *s, const struct tcp_segment *g)
{
    size_t room = ip_room(&s->local.ip), len = g->len + g->len2;
    struct packet *p = packet_new(w, room + WIRE_TCP_MAX + len);
    if (!p)
        return;
    struct wire_tcp h = {.sport = s->local.port, .dport = s->remote.port, .seq = g->seq, .ack = g->ack,
                         .flags = g->flags, .window = g->window, .mss = g->mss, .wscale = g->wscale,
                         .sack_ok = g->sack_ok, .sack_count = g->sack_count};
    for (size_t i = 0; i < g->sack_count; i++)
        h.sack[i] = (struct wire_sack){g->sack[i].from, g->sack[i].to};
    uint8_t *tcp = p->frame + room;
    size_t header = wire_put_tcp(tcp, &h), size = header + len;
    uint32_t sum = wire_sum_add(s->address_sum + PROTO_TCP + (uint32_t)size, tcp, header);
    store16(tcp + TCP_SUM_AT, wire_sum_fold(put_payload(sum, tcp + header, g)));
    wire_put_eth(p->frame, s->path.dst_mac, s->path.src_mac,
                 s->local.ip.family == IP_V4 ? ETHERTYPE_IP4 : ETHERTYPE_IP6);
    wire_put_ip(p->frame + WIRE_ETH, &s->local.ip, &s->remote.ip, PROTO_TCP, TTL, (uint16_t)s->host->next_ip_id++,
                size);
    p->len = (uint32_t)(room + size);
    channel_send(w, s->path.out, p);
}

static void output(struct world *w, struct sock *s)
{
    struct tcp_segment g;
    while (tcp_output(s->tcp, &g, w->now_ns))
        transmit(w, s, &g);
}

/* ---- the life of a connection ---- */

/* The timer is lazy: it moves only when it would come too late. It also brings the news of an end that TCP
 * held back until the user had read everything, for no event comes out of a call. */
static void arm(struct world *w, struct sock *s)
{
    uint64_t due = s->end_due ? w->now_ns : tcp_deadline(s->tcp);
    if (due == TIME_NEVER || (s->timer.at && s->armed_ns <= due))
        return;
    s->armed_ns = due > w->now_ns ? due : w->now_ns;
    queue_put(&w->queue, &s->timer, s->armed_ns, queue_number(&w->queue));
}

/* After anything that may have ended the connection, or moved its deadline. */
static void settle(struct world *w, struct sock *s)
{
    if (s->dead)
        return;
    if (!s->id && tcp_state(s->tcp) == TCPS_CLOSED)
        sock_kill(w, s);
    else
        arm(w, s);
}

void conn_user_gone(struct world *w, struct sock *s, bool abort)
{
    sock_drop_id(w, s);
    if (abort)
        tcp_abort(s->tcp);
    else
        tcp_close(s->tcp);
    output(w, s);
    settle(w, s);
}

static void tell(struct sock *s, enum net_event_kind kind)
{
    struct net_event ev = {.kind = kind, .local = s->local, .remote = s->remote};
    if (s->id)
        sock_tell(s, &ev);
}

static void tell_end(struct world *w, struct sock *s, int err)
{
    struct net_event ev = {.kind = s->told_open ? NET_CLOSED : NET_FAILED, .err = err, .local = s->local,
                           .remote = s->remote};
    ev.sock = sock_drop_id(w, s);
    if (ev.sock)
        sock_tell(s, &ev);
}

static void tell_open(struct world *w, struct sock *s)
{
    s->told_open = true;
    if (!s->listener) {
        tell(s, NET_CONNECTED);
        return;
    }
    /* The listener may be gone by now, and its id another's: then nobody wants the connection. */
    const struct sock *listener = sock_find_bound(s->host, SOCK_LISTENER, &s->local);
    if (!listener || listener->id != s->listener || sock_give_id(w, s) != 0) {
        conn_user_gone(w, s, true);
        return;
    }
    struct net_event ev = {.kind = NET_ACCEPTED, .sock = s->listener, .accepted = s->id, .local = s->local,
                           .remote = s->remote};
    sock_tell(s, &ev);
}

/* Sends what is due and tells the user what has happened. The user may end the connection meanwhile. */
static void pump(struct world *w, struct sock *s)
{
    output(w, s);
    struct tcp_news news = tcp_news(s->tcp);
    if (news.connected)
        tell_open(w, s);
    if (news.readable)
        tell(s, NET_READABLE);
    if (news.writable)
        tell(s, NET_WRITABLE);
    if (news.closed)
        tell_end(w, s, news.err);
    settle(w, s);
}

static void timer_fire(void *world, struct event *e)
{
    struct world *w = world;
    struct sock *s = CONTAINER(e, struct sock, timer);
    queue_take(&w->queue, e);
    s->end_due = false;
    if (tcp_deadline(s->tcp) <= w->now_ns)
        tcp_timer(s->tcp, w->now_ns);
    pump(w, s);
}

/* ---- opening ---- */

/* RFC 6528: a clock of 4 us plus a keyed hash of the connection, so that a connection made again starts
 * above. */
static uint32_t isn(struct world *w, struct node *host, const struct endpoint *local, const struct endpoint *remote)
{
    if (!host->isn_keyed) {
        char name[256];
        struct text t = text_of(name, sizeof name);
        text_add(&t, "host/%s/isn", host->name);
        struct rng r = rng_named(w->seed, name);
        rng_fill(&r, host->isn_key, sizeof host->isn_key);
        host->isn_keyed = true;
    }
    uint8_t bytes[64], digest[HASH_MD5];
    struct writer to = writer_of(bytes, sizeof bytes);
    write_bytes(&to, local->ip.b, sizeof local->ip.b);
    write16(&to, local->port);
    write_bytes(&to, remote->ip.b, sizeof remote->ip.b);
    write16(&to, remote->port);
    write_bytes(&to, host->isn_key, sizeof host->isn_key);
    md5(bytes, writer_len(&to), digest);
    return (uint32_t)(w->now_ns / (4 * NS_US)) + load32(digest);
}

static struct tcp_config config_of(const struct node *host, const struct path *path, const struct ip_addr *a)
{
    const struct net_tcp_opts *o = &host->tcp;
    size_t most = path->mtu - (ip_room(a) - WIRE_ETH) - WIRE_TCP;
    return (struct tcp_config){
        .send_buffer = o->send_buffer ? o->send_buffer : BUFFER_DEFAULT,
        .receive_buffer = o->receive_buffer ? o->receive_buffer : BUFFER_DEFAULT,
        .ipv6 = a->family == IP_V6,
        .mss = o->mss && o->mss < most ? o->mss : (uint16_t)most,
        .keepalive_ns = o->keepalive_ns,
        .no_sack = o->no_sack,
        .msl_ns = 30 * NS_S,
        .delayed_ack_ns = 40 * NS_MS,
    };
}

/* syn: of an accepted connection; NULL: an active open. */
static struct sock *conn_new(struct world *w, struct node *host, const struct endpoint *local,
                             const struct endpoint *remote, const struct path *path, const struct tcp_segment *syn)
{
    struct sock *s = sock_new(host, SOCK_CONNECTION);
    if (!s)
        return NULL;
    s->timer.fire = timer_fire;
    s->local = *local;
    s->remote = *remote;
    s->path = *path;
    s->address_sum = wire_sum_pseudo(&local->ip, &remote->ip, 0, 0);
    struct tcp_config cfg = config_of(host, path, &local->ip);
    uint32_t iss = isn(w, host, local, remote);
    s->tcp = syn ? tcp_accept_new(&cfg, iss, syn, w->now_ns) : tcp_connect_new(&cfg, iss, w->now_ns);
    if (!s->tcp || sock_insert(s) != 0) {
        sock_kill(w, s);
        return NULL;
    }
    return s;
}

int conn_connect(struct net *n, net_node id, const struct endpoint *local, const struct endpoint *remote,
                 net_sock *out)
{
    struct world *w = world_of(n);
    struct node *host = world_node(w, id);
    struct endpoint at = *local;
    struct path path;
    int e = ip_path(w, host, &remote->ip, &at.ip, &path);
    if (e)
        return e;
    if (at.port == 0 && (at.port = sock_next_port(host, &at.ip, remote)) == 0)
        return E_NOMEM;
    if (sock_find_connection(host, &at, remote))
        return E_EXISTS;
    struct sock *s = conn_new(w, host, &at, remote, &path, NULL);
    if (!s)
        return E_NOMEM;
    if (sock_give_id(w, s) != 0) {
        sock_kill(w, s);
        return E_NOMEM;
    }
    output(w, s);
    settle(w, s);
    *out = s->id;
    return 0;
}

/* A SYN: to a listener, or to the rest of an old connection that may give way (RFC 9293 3.6.1, RFC 6191). */
static bool accept_syn(struct world *w, struct node *host, const struct endpoint *local, const struct endpoint *remote,
                       const struct tcp_segment *syn, struct sock *old)
{
    struct sock *listener = sock_find_bound(host, SOCK_LISTENER, local);
    struct path path;
    struct ip_addr src = local->ip;
    if (!listener || ip_path(w, host, &remote->ip, &src, &path) != 0)
        return false;
    if (old)
        sock_kill(w, old);
    struct sock *s = conn_new(w, host, local, remote, &path, syn);
    if (!s)
        return true; /* without memory a SYN is as good as lost */
    s->listener = listener->id;
    pump(w, s);
    return true;
}

/* ---- input ---- */

bool conn_input(struct world *w, struct node *host, const struct wire_packet *k)
{
    struct endpoint local = {k->dst, k->dport}, remote = {k->src, k->sport};
    struct tcp_segment seg;
    segment_of(k, &seg);
    bool syn = (seg.flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
    struct sock *s = sock_find_connection(host, &local, &remote);
    bool replaceable = s && syn && !s->id && tcp_may_be_replaced(s->tcp, seg.seq);
    if (syn && (!s || replaceable) && accept_syn(w, host, &local, &remote, &seg, s))
        return true;
    if (!s)
        return false;
    tcp_input(s->tcp, &seg, w->now_ns);
    pump(w, s);
    return true;
}

void conn_error(struct world *w, struct node *host, const struct wire_packet *quoted, int err, uint16_t mtu)
{
    struct endpoint local = {quoted->src, quoted->sport}, remote = {quoted->dst, quoted->dport};
    struct sock *s = sock_find_connection(host, &local, &remote);
    if (!s)
        return;
    tcp_icmp(s->tcp, err, mtu, w->now_ns);
    pump(w, s);
}

/* ---- the user's calls ---- */

static struct sock *connection(struct world *w, net_sock id)
{
    struct sock *s = sock_of(w, id);
    assert(s->kind == SOCK_CONNECTION);
    return s;
}

size_t conn_send(struct net *n, net_sock id, const void *data, size_t len)
{
    struct world *w = world_of(n);
    struct sock *s = connection(w, id);
    size_t taken = tcp_write(s->tcp, data, len);
    output(w, s);
    arm(w, s);
    return taken;
}

size_t conn_recv(struct net *n, net_sock id, void *buf, size_t cap, bool *eof)
{
    struct world *w = world_of(n);
    struct sock *s = connection(w, id);
    size_t got = tcp_read(s->tcp, buf, cap, eof);
    s->end_due = *eof && (tcp_state(s->tcp) == TCPS_TIME_WAIT || tcp_state(s->tcp) == TCPS_CLOSED);
    output(w, s); /* the window may have opened */
    arm(w, s);
    return got;
}

void conn_shutdown(struct net *n, net_sock id)
{
    struct world *w = world_of(n);
    struct sock *s = connection(w, id);
    tcp_shutdown_write(s->tcp);
    output(w, s);
    arm(w, s);
}

void conn_abort(struct net *n, net_sock id)
{
    struct world *w = world_of(n);
    conn_user_gone(w, connection(w, id), true);
}
