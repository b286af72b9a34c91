/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two connections joined by a channel that loses, doubles and reorders: what goes in comes out, once, in order, and
 * both ends come to their end. */
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/rng.h"
#include "models/base/time.h"
#include "models/testkit/testkit.h"
#include "sim/native/tcp.h"

enum { CHANNEL = 4096, SEGMENT_MAX = 2048 };

struct flying {
    uint64_t at_ns;
    uint64_t order;
    unsigned to;
    struct tcp_segment s;
    uint8_t data[SEGMENT_MAX];
};

struct fault {
    uint32_t loss_ppm, duplicate_ppm, reorder_ppm;
    uint16_t mtu;                    /* from 40 ms on; 0: any */
    uint64_t dark_from_ns, dark_to_ns; /* nothing gets through */
};

struct side {
    struct tcp *t;
    uint64_t sent, got, total; /* bytes of a stream whose n-th byte is a function of n */
    bool shut, eof, over;
    int err;
    uint32_t read_ppm; /* how often the user reads when it could */
};

struct pair {
    struct rng rng;
    struct fault fault;
    struct side side[2];
    struct flying *flying;
    size_t count;
    uint64_t now_ns, orders;
};

static const char *where;
static uint64_t where_seed;

static uint8_t stream_byte(unsigned side, uint64_t n)
{
    return (uint8_t)(n * 7 + n / 251 + side);
}

static void fly(struct pair *p, unsigned to, const struct tcp_segment *s)
{
    assert_true(p->count < CHANNEL);
    assert_true(s->len + s->len2 <= SEGMENT_MAX);
    struct tcp_info sender;
    tcp_info(p->side[!to].t, &sender);
    if (s->len) /* options share the segment with the payload (RFC 6691 2) */
        assert_true(s->len + s->len2 + (s->sack_count ? 4U + 8U * s->sack_count : 0U) <= sender.mss);
    struct flying *f = p->flying + p->count++;
    f->at_ns = p->now_ns + 5 * NS_MS;
    if (rng_chance(&p->rng, p->fault.reorder_ppm, 1000000))
        f->at_ns += rng_below(&p->rng, 20 * NS_MS);
    f->order = p->orders++;
    f->to = to;
    f->s = *s;
    if (s->len)
        memcpy(f->data, s->data, s->len);
    if (s->len2)
        memcpy(f->data + s->len, s->data2, s->len2);
    f->s.len = s->len + s->len2;
    f->s.len2 = 0;
    f->s.data2 = NULL;
}

static void drain(struct pair *p, unsigned from)
{
    struct tcp_segment s;
    while (tcp_output(p->side[from].t, &s, p->now_ns)) {
        if (rng_chance(&p->rng, p->fault.loss_ppm, 1000000) ||
            (p->now_ns >= p->fault.dark_from_ns && p->now_ns < p->fault.dark_to_ns))
            continue;
        if (p->fault.mtu && p->now_ns > 40 * NS_MS && s.len + s.len2 + 40 > p->fault.mtu) {
            tcp_icmp(p->side[from].t, 0, p->fault.mtu, p->now_ns);
            continue;
        }
        fly(p, !from, &s);
        if (rng_chance(&p->rng, p->fault.duplicate_ppm, 1000000))
            fly(p, !from, &s);
    }
}

static void user(struct pair *p, unsigned i)
{
    struct side *u = p->side + i;
    uint8_t buf[3000];
    while (u->sent < u->total) {
        size_t n = 1 + (size_t)rng_below(&p->rng, sizeof buf);
        if (n > u->total - u->sent)
            n = (size_t)(u->total - u->sent);
        for (size_t k = 0; k < n; k++)
            buf[k] = stream_byte(i, u->sent + k);
        size_t took = tcp_write(u->t, buf, n);
        u->sent += took;
        if (took < n)
            break;
    }
    if (u->sent == u->total && !u->shut && tcp_state(u->t) >= TCPS_ESTABLISHED) {
        u->shut = true;
        tcp_shutdown_write(u->t);
    }
    while (rng_chance(&p->rng, u->read_ppm, 1000000)) {
        size_t n = tcp_read(u->t, buf, 1 + (size_t)rng_below(&p->rng, sizeof buf), &u->eof);
        for (size_t k = 0; k < n; k++)
            assert_int_equal(buf[k], stream_byte(!i, u->got + k));
        u->got += n;
        if (!n)
            break;
    }
    struct tcp_news news = tcp_news(u->t);
    if (news.closed) {
        u->over = true;
        u->err = news.err;
    }
    drain(p, i);
}

static bool step(struct pair *p, bool accept, const struct tcp_config *cfg, uint32_t iss)
{
    size_t next = p->count;
    for (size_t i = 0; i < p->count; i++)
        if (next == p->count || p->flying[i].at_ns < p->flying[next].at_ns ||
            (p->flying[i].at_ns == p->flying[next].at_ns && p->flying[i].order < p->flying[next].order))
            next = i;
    uint64_t when = next < p->count ? p->flying[next].at_ns : TIME_NEVER;
    int timer = -1;
    for (int i = 0; i < 2; i++)
        if (p->side[i].t && tcp_deadline(p->side[i].t) < when) {
            timer = i;
            when = tcp_deadline(p->side[i].t);
        }
    if (when == TIME_NEVER)
        return false;
    assert_true(when >= p->now_ns);
    p->now_ns = when;
    if (timer >= 0) {
        tcp_timer(p->side[timer].t, p->now_ns);
    } else {
        static struct flying f;
        f = p->flying[next];
        p->flying[next] = p->flying[--p->count];
        f.s.data = f.data;
        struct side *to = p->side + f.to;
        if (to->t)
            tcp_input(to->t, &f.s, p->now_ns);
        else if (accept && f.s.flags == TCP_SYN)
            to->t = tcp_accept_new(cfg, iss, &f.s, p->now_ns);
    }
    for (unsigned i = 0; i < 2; i++)
        if (p->side[i].t)
            user(p, i);
    return true;
}

static void run_pair(uint64_t seed, const struct tcp_config *a, const struct tcp_config *b, struct fault fault,
                     uint32_t read_ppm, uint64_t bytes, bool simultaneous)
{
    struct pair p = {.rng = rng_named(seed, "pair"), .fault = fault};
    p.flying = calloc(CHANNEL, sizeof *p.flying);
    assert_non_null(p.flying);
    uint32_t iss[2] = {(uint32_t)rng_u64(&p.rng), UINT32_MAX - (uint32_t)rng_below(&p.rng, 20000)};
    for (unsigned i = 0; i < 2; i++) {
        p.side[i].total = rng_below(&p.rng, bytes + 1);
        p.side[i].read_ppm = read_ppm;
    }
    p.side[0].t = tcp_connect_new(a, iss[0], 0);
    if (simultaneous)
        p.side[1].t = tcp_connect_new(b, iss[1], 0);
    for (unsigned i = 0; i < 2; i++)
        if (p.side[i].t)
            drain(&p, i);
    unsigned steps = 0;
    while (step(&p, !simultaneous, b, iss[1]))
        assert_true(++steps < 2000000);
    for (unsigned i = 0; i < 2; i++) {
        struct side *u = p.side + i;
        /* With nothing left to happen, a user who reads seldom reads the rest. */
        u->read_ppm = 1000000;
        user(&p, i);
        assert_true(u->got == p.side[!i].total);
        assert_true(u->eof);
        assert_true(u->over);
        assert_int_equal(u->err, 0);
        assert_int_equal(tcp_state(u->t), TCPS_CLOSED);
        tcp_free(u->t);
    }
    free(p.flying);
}

/* So long an MSL that a FIN that is lost again and again still finds its peer in TIME_WAIT. */
static const struct tcp_config usual = {.send_buffer = 128 << 10, .receive_buffer = 128 << 10, .mss = 1460,
                                        .msl_ns = 1000 * NS_S, .delayed_ack_ns = 40 * NS_MS};

static void clean_channel(void **state)
{
    (void)state;
    run_pair(1, &usual, &usual, (struct fault){0}, 1000000, 1 << 20, false);
}

enum { SEEDS = 60 };

/* Each row is run with many seeds. */
static const struct {
    const char *name;
    struct fault fault;
    uint32_t read_ppm, send_buffer, receive_buffer;
    uint16_t mss_a, mss_b;
    bool no_sack, simultaneous;
} channels[] = {
    {"loss", {.loss_ppm = 20000}, 1000000, 128 << 10, 128 << 10, 1460, 1460, false, false},
    {"loss, no SACK", {.loss_ppm = 20000}, 1000000, 128 << 10, 128 << 10, 1460, 1460, true, false},
    {"heavy loss", {.loss_ppm = 250000}, 1000000, 64 << 10, 64 << 10, 1000, 1460, false, false},
    {"heavy loss, no SACK", {.loss_ppm = 250000}, 1000000, 64 << 10, 64 << 10, 1000, 1460, true, false},
    {"reordering", {.reorder_ppm = 200000}, 1000000, 128 << 10, 128 << 10, 1460, 536, false, false},
    {"reordering, no SACK", {.reorder_ppm = 200000}, 1000000, 128 << 10, 128 << 10, 1460, 536, true, false},
    {"duplicates", {.duplicate_ppm = 300000}, 1000000, 128 << 10, 128 << 10, 1460, 1460, false, false},
    {"everything", {50000, 50000, 100000, 0, 0, 0}, 500000, 40 << 10, 100 << 10, 1460, 1200, false, false},
    {"everything, simultaneous open", {50000, 50000, 100000, 0, 0, 0}, 500000, 40 << 10, 100 << 10, 1460, 1200, false,
     true},
    {"the path's MTU falls", {.loss_ppm = 20000, .mtu = 700}, 1000000, 16 << 10, 128 << 10, 1460, 1460, false, false},
    {"an outage", {.loss_ppm = 5000, .dark_from_ns = 30 * NS_MS, .dark_to_ns = 4 * NS_S}, 1000000, 16 << 10, 16 << 10,
     1460, 1460, false, false},
    {"small buffers", {50000, 50000, 100000, 0, 0, 0}, 300000, 700, 900, 1460, 1460, false, false},
    {"tiny buffers", {50000, 50000, 100000, 0, 0, 0}, 300000, 1, 1, 100, 1460, false, true},
};

static void faulty_channels(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++) {
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            where = channels[i].name;
            where_seed = seed;
            struct tcp_config a = usual;
            a.send_buffer = channels[i].send_buffer;
            a.receive_buffer = channels[i].receive_buffer;
            a.no_sack = channels[i].no_sack;
            struct tcp_config b = a;
            a.mss = channels[i].mss_a;
            b.mss = channels[i].mss_b;
            uint64_t bytes = a.receive_buffer < 1000 ? 300 * a.receive_buffer : 200000;
            run_pair(seed, &a, &b, channels[i].fault, channels[i].read_ppm, bytes, channels[i].simultaneous);
        }
    }
    where = NULL;
}

/* cmocka leaves a failed test by longjmp: say which run it was. */
static int say_where(void **state)
{
    (void)state;
    if (where)
        print_message("# failed in \"%s\", seed %u\n", where, (unsigned)where_seed);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_channel),
        cmocka_unit_test_teardown(faulty_channels, say_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
