/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The contract of net.h where something goes wrong on the way or at the other end, held against both engines. */
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "sim/ns3/contract_kit.h"

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

static int drop_all(struct bench *b, struct wire_packet *p)
{
    (void)p;
    b->meddled++;
    return NET_DROP;
}

/* An established connection through which nothing comes any more: idle with keep-alive, with data, with a FIN. */
static void dead_peer(const struct net_ops *ops)
{
    struct bench b;
    bench_open(&b, ops, &line, &(struct net_tcp_opts){.keepalive_ns = 60 * NS_S});
    listen_on(&b.host[2], "10.0.0.3:80");
    struct conn *c = connect_from(&b.host[0], NULL, "10.0.0.3:80");
    run(&b, 1000 * NS_S);
    assert_true(c->connected && !c->closed); /* keep-alive is answered */
    b.meddle = drop_all;
    run(&b, 1000 * NS_S + (60 + 60 + 10 * 75) * NS_S);
    assert_true(c->closed && c->err == E_TIMED_OUT);
    assert_false(b.host[2].conn[0].closed);

    b.meddle = NULL;
    listen_on(&b.host[1], "10.0.0.2:80");
    struct conn *d = connect_from(&b.host[2], NULL, "10.0.0.2:80");
    struct conn *e = connect_from(&b.host[2], NULL, "10.0.0.2:80");
    run(&b, 2100 * NS_S);
    assert_true(d->connected && e->connected);
    b.meddle = drop_all;
    b.meddled = 0;
    d->to_send = 100;
    conn_write(&b.host[2], d);
    ops->tcp_shutdown(b.net, e->sock);
    run(&b, 4000 * NS_S);
    assert_true(d->closed && d->err == E_TIMED_OUT);
    assert_true(e->closed && e->err == E_TIMED_OUT);
    assert_in_range(b.meddled, 2 * 8, 2 * 20 + 2 * 10); /* with back-off; keep-alive of the other end too */
    bench_close(&b);
}

/* The first of each segment of the handshake is lost, and it is the listener that speaks first. */
static int drop_handshake(struct bench *b, struct wire_packet *p)
{
    static const uint8_t kinds[] = {SYN, SYN | ACK, ACK};
    unsigned i = 0;
    while (i < 3 && (p->tcp_flags & (SYN | ACK)) != kinds[i])
        i++;
    if (i == 3 || b->meddled & 1u << i)
        return 0;
    b->meddled |= 1u << i;
    return NET_DROP;
}

static void lost_handshake(const struct net_ops *ops)
{
    struct bench b;
    bench_open(&b, ops, &line, &plain);
    b.meddle = drop_handshake;
    b.host[1].as_accepted.to_send = 1000;
    listen_on(&b.host[1], "10.0.0.2:80");
    struct conn *c = connect_from(&b.host[0], NULL, "10.0.0.2:80");
    run(&b, 20 * NS_S);
    assert_int_equal(b.meddled, 7);
    assert_int_equal(b.host[1].conn_count, 1);
    expect_payload(c, 1000);
    bench_close(&b);
}

/* The first FIN of each side is lost, and then ACKs of them. */
static int drop_around_fin(struct bench *b, struct wire_packet *p)
{
    enum { FINS = 3, ACKS = 2 };
    unsigned fins = b->meddled & 0xff, acks = b->meddled >> 8;
    bool fin = p->tcp_flags & FIN, pure = !fin && p->payload_len == 0;
    if (fin && fins < FINS) {
        b->meddled++;
        return NET_DROP;
    }
    if (pure && fins == FINS && acks < ACKS) {
        b->meddled += 1u << 8;
        return NET_DROP;
    }
    return 0;
}

static void lost_fin(const struct net_ops *ops)
{
    for (int at_eof = 0; at_eof < 2; at_eof++) {
        struct bench b;
        bench_open(&b, ops, &line, &plain);
        b.meddle = drop_around_fin;
        b.host[1].as_accepted = (struct conn){.to_send = 5000, .shut_when_sent = !at_eof, .shut_at_eof = at_eof};
        listen_on(&b.host[1], "10.0.0.2:80");
        struct conn *c = connect_from(&b.host[0], NULL, "10.0.0.2:80"), *a = &b.host[1].conn[0];
        c->to_send = 3000;
        c->shut_when_sent = true;
        run(&b, 60 * NS_S);
        assert_int_equal(b.meddled, 3 | 2 << 8);
        expect_payload(c, 5000);
        expect_payload(a, 3000);
        assert_true(c->closed && c->err == 0);
        assert_true(a->closed && a->err == 0);
        bench_close(&b);
    }
}

/* In LAST_ACK: the ACK and our FIN are lost, and the peer repeats its own FIN, which is no ACK of ours. */
static int drop_answer(struct bench *b, struct wire_packet *p)
{
    return p->sport == 80 && b->meddled++ < 4 ? NET_DROP : 0;
}

static void last_ack(const struct net_ops *ops)
{
    struct bench b;
    bench_open(&b, ops, &line, &plain);
    listen_on(&b.host[1], "10.0.0.2:80");
    b.host[1].as_accepted.shut_at_eof = true;
    struct conn *c = connect_from(&b.host[0], NULL, "10.0.0.2:80"), *a = &b.host[1].conn[0];
    run(&b, NS_S);
    b.meddle = drop_answer;
    ops->tcp_shutdown(b.net, c->sock);
    run(&b, 60 * NS_S);
    assert_true(b.meddled > 4);
    assert_true(c->closed && c->err == 0);
    assert_true(a->closed && a->err == 0);
    bench_close(&b);
}

/* In LAST_ACK: the ACK of the last data comes twice, and is no ACK of our FIN, which is lost. */
static int double_acks(struct bench *b, struct wire_packet *p)
{
    if (p->sport == 80 && p->tcp_flags & FIN && b->meddled++ == 0)
        return NET_DROP;
    if (p->dport == 80 && p->payload_len == 0 && !(p->tcp_flags & (SYN | FIN)))
        b->ops->box_send(b->net, b->box, 1, p->frame, p->len);
    return 0;
}

static void last_ack_twice(const struct net_ops *ops)
{
    struct bench b;
    bench_open(&b, ops, &line, &plain);
    listen_on(&b.host[1], "10.0.0.2:80");
    struct conn *c = connect_from(&b.host[0], NULL, "10.0.0.2:80"), *a = &b.host[1].conn[0];
    c->shut_when_sent = true;
    run(&b, NS_S);
    b.meddle = double_acks;
    a->to_send = 1000;
    a->shut_when_sent = true;
    conn_write(&b.host[1], a);
    run(&b, 60 * NS_S);
    assert_true(b.meddled > 1);
    expect_payload(c, 1000);
    assert_true(c->closed && c->err == 0);
    assert_true(a->closed && a->err == 0);
    bench_close(&b);
}

/* A reset that is lost: what comes for the connection later is reset again, by the listener or by a new SYN's host. */
static int drop_reset(struct bench *b, struct wire_packet *p)
{
    return p->tcp_flags & RST && b->meddled++ == 0 ? NET_DROP : 0;
}

static void lost_reset(const struct net_ops *ops)
{
    struct bench b;
    bench_open(&b, ops, &line, &plain);
    listen_on(&b.host[1], "10.0.0.2:80");
    struct conn *c = connect_from(&b.host[0], NULL, "10.0.0.2:80");
    struct conn *d = connect_from(&b.host[0], "10.0.0.1:5000", "10.0.0.2:80");
    run(&b, NS_S);
    b.meddle = drop_reset;
    ops->tcp_abort(b.net, b.host[1].conn[0].sock);
    b.host[1].conn[0].sock = 0;
    run(&b, 2 * NS_S);
    assert_false(c->closed);
    c->to_send = 10;
    conn_write(&b.host[0], c);
    run(&b, 3 * NS_S);
    assert_true(c->closed && c->err == E_RESET);

    b.meddled = 0;
    ops->tcp_abort(b.net, d->sock);
    d->sock = 0;
    run(&b, 4 * NS_S);
    struct conn *e = connect_from(&b.host[0], "10.0.0.1:5000", "10.0.0.2:80"), *old = &b.host[1].conn[1];
    run(&b, 8 * NS_S);
    assert_true(e->connected && b.host[1].conn_count == 3);
    assert_true(old->closed && old->err == E_RESET);
    bench_close(&b);
}

/* The reader reads again, but the news of it gets lost: probes find out. */
static int drop_few(struct bench *b, struct wire_packet *p)
{
    (void)p;
    return b->meddled++ < 3 ? NET_DROP : 0;
}

static void lost_window(const struct net_ops *ops)
{
    struct bench b;
    struct net_tcp_opts small = {.send_buffer = 32 * 1024, .receive_buffer = 16 * 1024};
    bench_open(&b, ops, &line, &small);
    b.host[1].as_accepted.paused = true;
    listen_on(&b.host[1], "10.0.0.2:80");
    struct conn *c = connect_from(&b.host[0], NULL, "10.0.0.2:80"), *a = &b.host[1].conn[0];
    c->to_send = MIB;
    run(&b, 100 * NS_S);
    assert_in_range(b.sent, 1, 200); /* probes back off */
    b.meddle = drop_few;
    a->paused = false;
    conn_read(&b.host[1], a);
    run(&b, 600 * NS_S);
    assert_true(b.meddled > 3);
    expect_payload(a, MIB);
    bench_close(&b);
}

/* Options of one SYN are that connection's only: a box takes SACK out of the first. */
static int strip_sack(struct bench *b, struct wire_packet *p)
{
    enum { OPTION_NOP = 1, OPTION_SACK = 4 };
    if (!(p->tcp_flags & SYN))
        return 0;
    uint8_t *at = p->frame + p->l4 + WIRE_TCP, *end = p->frame + p->payload;
    while (at < end && *at != OPTION_SACK && *at != 0)
        at += *at == OPTION_NOP ? 1 : at[1];
    bool found = at < end && *at == OPTION_SACK;
    if (p->tcp_flags & ACK) {
        b->meddled += found;
    } else if (p->sport == 5000 && found) {
        at[0] = at[1] = OPTION_NOP;
        wire_seal(p->frame, p->len);
    }
    return 0;
}

static void options_apart(const struct net_ops *ops)
{
    struct bench b;
    bench_open(&b, ops, &line, &plain);
    b.meddle = strip_sack;
    listen_on(&b.host[1], "10.0.0.2:80");
    connect_from(&b.host[0], "10.0.0.1:5000", "10.0.0.2:80");
    run(&b, NS_S);
    assert_int_equal(b.host[1].conn_count, 1);
    assert_int_equal(b.meddled, 0);
    connect_from(&b.host[0], "10.0.0.1:5001", "10.0.0.2:80");
    run(&b, 2 * NS_S);
    assert_int_equal(b.host[1].conn_count, 2);
    assert_int_equal(b.meddled, 1);
    bench_close(&b);
}

int main(void)
{
    static const struct check checks[] = {
        CHECK(dead_peer), CHECK(lost_handshake), CHECK(lost_fin), CHECK(last_ack), CHECK(last_ack_twice),
        CHECK(lost_reset), CHECK(lost_window), CHECK(options_apart),
    };
    return run_checks(checks, sizeof checks / sizeof *checks);
}
