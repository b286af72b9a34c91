/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/native/link.h"

#include "models/base/time.h"
#include "models/testkit/testkit.h"

static struct link link_of(const struct net_link_dir *cfg, uint64_t seed)
{
    struct link l;
    link_init(&l, seed, "wan", "ab", cfg, NET_MTU_DEFAULT);
    return l;
}

/* 1,250 bytes at 10 Mbit/s take 1 ms; each waits for the line, then travels for the delay. */
static void serialisation_and_delay(void **state)
{
    (void)state;
    struct net_link_dir cfg = {.rate_bps = 10000000, .delay_ns = 5 * NS_MS};
    struct link l = link_of(&cfg, 1);
    for (uint64_t i = 0; i < 3; i++) {
        struct link_fate f = link_fate(&l, 100, 1250);
        assert_true(f.sent && !f.drop && f.copies == 1 && !f.late[0]);
        assert_int_equal(f.depart_ns, 100 + i * NS_MS);
        assert_int_equal(f.arrive_ns[0], 100 + (i + 1) * NS_MS + 5 * NS_MS);
    }
    struct link_fate f = link_fate(&l, 50 * NS_MS, 60);
    assert_int_equal(f.depart_ns, 50 * NS_MS);
    assert_int_equal(f.arrive_ns[0], 55 * NS_MS + 48000);
    link_free(&l);

    cfg.rate_bps = 3; /* rounded up to the nanosecond: 8 bits of 3 a second */
    l = link_of(&cfg, 1);
    assert_int_equal(link_fate(&l, 0, 1).arrive_ns[0], 2666666667 + 5 * NS_MS);
    link_free(&l);

    cfg.rate_bps = 0;
    l = link_of(&cfg, 1);
    link_fate(&l, 0, 1500);
    assert_int_equal(link_fate(&l, 0, 1500).arrive_ns[0], 5 * NS_MS);
    link_free(&l);
}

/* The packet being sent does not count; a place is free the moment the next one starts. */
static void queue_limit(void **state)
{
    (void)state;
    struct net_link_dir cfg = {.rate_bps = 8000000, .queue_bytes = 3000}; /* a byte a microsecond */
    struct link l = link_of(&cfg, 1);
    for (int i = 0; i < 4; i++)
        assert_null(link_fate(&l, 0, 1000).drop);
    struct link_fate f = link_fate(&l, 0, 1000);
    assert_string_equal(f.drop, "queue");
    assert_false(f.sent);
    assert_string_equal(link_fate(&l, 999999, 1000).drop, "queue");
    assert_null(link_fate(&l, 1000000, 1000).drop);
    assert_string_equal(link_fate(&l, 1000000, 1).drop, "queue");
    assert_int_equal(link_fate(&l, 2000000, 1000).depart_ns, 5000000);
    /* Long after, all of it is gone. */
    assert_int_equal(link_fate(&l, NS_S, 1000).depart_ns, NS_S);
    assert_int_equal(l.waiting_bytes, 0);
    link_free(&l);
}

static void mtu_and_outage(void **state)
{
    (void)state;
    static const struct net_outage out[] = {{100, 200}, {300, 301}};
    struct net_link_dir cfg = {.outage = out, .outage_count = 2};
    struct link l = link_of(&cfg, 1);
    assert_null(link_fate(&l, 0, 1514).drop);
    assert_string_equal(link_fate(&l, 0, 1515).drop, "mtu");
    static const struct {
        uint64_t at;
        bool out;
    } rows[] = {{99, false}, {100, true}, {199, true}, {200, false}, {299, false}, {300, true}, {301, false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct link_fate f = link_fate(&l, rows[i].at, 60);
        assert_int_equal(f.drop != NULL, rows[i].out);
        assert_int_equal(f.sent, !rows[i].out);
    }
    link_free(&l);
}

/* Masks count what is sent, from 1; a lost packet has used its time on the line. */
static void loss_mask(void **state)
{
    (void)state;
    static const uint32_t mask[] = {1, 3, 4};
    struct net_link_dir cfg = {.rate_bps = 8000000, .loss = {.kind = LOSS_MASK, .mask = mask, .mask_count = 3}};
    struct link l = link_of(&cfg, 1);
    static const bool lost[] = {true, false, true, true, false, false};
    for (size_t i = 0; i < sizeof lost; i++) {
        struct link_fate f = link_fate(&l, 0, 1000);
        assert_true(f.sent);
        assert_int_equal(f.copies, !lost[i]);
        assert_int_equal(f.drop != NULL, lost[i]);
        assert_int_equal(f.depart_ns, i * NS_MS);
    }
    link_free(&l);
}

static unsigned losses(const struct net_link_dir *cfg, uint64_t seed, unsigned packets, unsigned *bursts)
{
    struct link l = link_of(cfg, seed);
    unsigned n = 0;
    bool before = false;
    *bursts = 0;
    for (unsigned i = 0; i < packets; i++) {
        bool lost = link_fate(&l, i, 60).drop != NULL;
        n += lost;
        *bursts += lost && !before;
        before = lost;
    }
    link_free(&l);
    return n;
}

static void loss_bernoulli(void **state)
{
    (void)state;
    struct net_link_dir cfg = {.loss = {.kind = LOSS_BERNOULLI, .loss_ppm = 50000}};
    unsigned bursts, n = losses(&cfg, 1, 100000, &bursts);
    assert_in_range(n, 4800, 5200);           /* 5,000, sigma 69 */
    assert_in_range(bursts, 4550, 4950);      /* independent: 95 % of them begin a burst */
    assert_int_equal(losses(&cfg, 1, 100000, &bursts), n);
    assert_int_not_equal(losses(&cfg, 2, 100000, &bursts), n);
    cfg.loss.loss_ppm = 1000000;
    assert_int_equal(losses(&cfg, 1, 100, &bursts), 100);
    cfg.loss.loss_ppm = 0;
    assert_int_equal(losses(&cfg, 1, 100, &bursts), 0);
}

/* Bad for 1/(to_good) = 10 packets at a time, 1 packet in 11 is in the bad state, where all are lost. */
static void loss_gilbert_elliott(void **state)
{
    (void)state;
    struct net_link_dir cfg = {.loss = {.kind = LOSS_GILBERT_ELLIOTT, .bad_loss_ppm = 1000000, .to_bad_ppm = 10000,
                                        .to_good_ppm = 100000}};
    unsigned bursts, n = losses(&cfg, 1, 200000, &bursts);
    assert_in_range(n, 16500, 19900);             /* 18,182 */
    assert_in_range(n * 10 / bursts, 93, 107);    /* mean burst of 10 */
    cfg.loss.loss_ppm = 10000;                    /* and 1 % in the good state */
    assert_in_range(losses(&cfg, 1, 200000, &bursts), 18300, 21700);
}

/* Jitter is uniform over its range and never reorders. */
static void jitter(void **state)
{
    (void)state;
    struct net_link_dir cfg = {.delay_ns = NS_MS, .jitter_ns = 1000};
    struct link l = link_of(&cfg, 1);
    uint64_t last = 0, sum = 0, least = UINT64_MAX, most = 0;
    for (uint64_t i = 0; i < 10000; i++) {
        uint64_t now = i * 2000, on_top = link_fate(&l, now, 60).arrive_ns[0] - now - NS_MS;
        sum += on_top;
        least = on_top < least ? on_top : least;
        most = on_top > most ? on_top : most;
    }
    assert_int_equal(least, 0);
    assert_int_equal(most, 1000);
    assert_in_range(sum / 10000, 490, 510);
    for (uint64_t i = 0; i < 10000; i++) {
        uint64_t at = link_fate(&l, NS_S + i, 60).arrive_ns[0];
        assert_true(at >= last);
        last = at;
    }
    link_free(&l);
}

static void duplication(void **state)
{
    (void)state;
    struct net_link_dir cfg = {.delay_ns = NS_MS, .duplicate_ppm = 100000, .jitter_ns = 100};
    struct link l = link_of(&cfg, 1);
    unsigned twice = 0;
    for (uint64_t i = 0; i < 10000; i++) {
        struct link_fate f = link_fate(&l, i, 60);
        twice += f.copies == 2;
        assert_true(f.copies == 1 || f.arrive_ns[1] >= f.arrive_ns[0]);
    }
    assert_in_range(twice, 900, 1100);
    link_free(&l);
}

/* A packet held back does not hold back the next. */
static void reordering(void **state)
{
    (void)state;
    struct net_link_dir cfg = {.delay_ns = NS_MS, .reorder_ppm = 200000, .reorder_ns = 7000};
    struct link l = link_of(&cfg, 1);
    unsigned late = 0;
    for (uint64_t i = 0; i < 10000; i++) {
        struct link_fate f = link_fate(&l, i, 60);
        assert_int_equal(f.arrive_ns[0], i + NS_MS + (f.late[0] ? 7000 : 0));
        late += f.late[0];
    }
    assert_in_range(late, 1850, 2150);
    link_free(&l);
}

/* Turning one feature on changes no draw of another; another link or direction draws differently. */
static void streams_are_independent(void **state)
{
    (void)state;
    struct net_link_dir plain = {.loss = {.kind = LOSS_BERNOULLI, .loss_ppm = 300000}}, all = plain;
    all.jitter_ns = 50;
    all.duplicate_ppm = 500000;
    all.reorder_ppm = 500000;
    all.reorder_ns = 9;
    struct link a = link_of(&plain, 7), b = link_of(&all, 7), other;
    link_init(&other, 7, "wan", "ba", &plain, NET_MTU_DEFAULT);
    unsigned differ = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        bool lost = link_fate(&a, i, 60).drop != NULL;
        assert_int_equal(link_fate(&b, i, 60).drop != NULL, lost);
        differ += (link_fate(&other, i, 60).drop != NULL) != lost;
    }
    assert_in_range(differ, 350, 490); /* 2 * 0.3 * 0.7 */
    link_free(&a);
    link_free(&b);
    link_free(&other);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(serialisation_and_delay), cmocka_unit_test(queue_limit),
        cmocka_unit_test(mtu_and_outage),          cmocka_unit_test(loss_mask),
        cmocka_unit_test(loss_bernoulli),          cmocka_unit_test(loss_gilbert_elliott),
        cmocka_unit_test(jitter),                  cmocka_unit_test(duplication),
        cmocka_unit_test(reordering),              cmocka_unit_test(streams_are_independent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
