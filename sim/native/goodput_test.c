/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one bulk transfer gets, against what theory gives it; the table is part of the output. */
#include <math.h>
#include <stdio.h>

#include "sim/native/testnet_kit.h"

enum { WARM_UP_S = 10, MEASURE_S = 50, MSS = 1460, FRAME = 1514 };

struct row {
    const char *limit;
    uint64_t rate_bps, one_way_ns;
    uint32_t buffer, loss_ppm;
    unsigned least, most; /* percent of theory */
};

/* The line's rate less headers; the window each round trip; Mathis et al. 1997 with delayed ACKs: C =
 * sqrt(3/4). */
static double theory_bps(const struct row *r)
{
    double rtt_s = 2 * (double)r->one_way_ns / 1e9;
    double rate = (double)r->rate_bps * MSS / FRAME, window = r->buffer * 8 / rtt_s;
    double best = rate < window ? rate : window;
    if (!r->loss_ppm)
        return best;
    double loss = MSS * 8 / rtt_s * sqrt(0.75) / sqrt((double)r->loss_ppm / 1e6);
    return loss < best ? loss : best;
}

static double measured_bps(const struct row *r)
{
    struct net_link_dir there = {.rate_bps = r->rate_bps, .delay_ns = r->one_way_ns,
                                 .loss = {.kind = LOSS_BERNOULLI, .loss_ppm = r->loss_ppm}};
    struct net_link_dir back = {.rate_bps = r->rate_bps, .delay_ns = r->one_way_ns};
    struct net_tcp_opts opts = {.send_buffer = 4 * r->buffer, .receive_buffer = r->buffer};
    struct testnet t;
    testnet_open(&t, 1, &there, &back, &opts);
    net_native.tap_set(t.net, NULL, NULL);
    assert_int_equal(user_listen(&t.b, "10.0.2.1:80"), 0);
    t.a.to_send = UINT64_MAX;
    assert_int_equal(user_connect(&t.a, NULL, "10.0.2.1:80"), 0);
    testnet_run(&t, WARM_UP_S * NS_S);
    uint64_t before = t.b.received;
    testnet_run(&t, (WARM_UP_S + MEASURE_S) * NS_S);
    double bps = (double)(t.b.received - before) * 8 / MEASURE_S;
    assert_int_equal(t.b.wrong, 0);
    testnet_close(&t);
    return bps;
}

static void goodput(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"rate", 1000000, 10 * NS_MS, 65536, 0, 97, 100},
        {"rate", 10000000, 5 * NS_MS, 262144, 0, 97, 100},
        {"rate", 10000000, 50 * NS_MS, 1048576, 0, 97, 100},
        {"window", 1000000000, 25 * NS_MS, 65535, 0, 90, 101},
        {"window", 1000000000, 100 * NS_MS, 500000, 0, 90, 101},
        {"loss", 100000000, 25 * NS_MS, 1048576, 1000, 60, 200},
        {"loss", 100000000, 25 * NS_MS, 1048576, 10000, 60, 200},
        {"loss", 100000000, 5 * NS_MS, 1048576, 10000, 60, 200},
    };
    printf("# limit    Mbit/s  RTT ms   loss %%  theory kbit/s  measured  %%\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *r = &rows[i];
        double theory = theory_bps(r), got = measured_bps(r), percent = got / theory * 100;
        printf("# %-8s %6.0f %7.0f %8.1f %14.0f %9.0f %4.0f\n", r->limit, (double)r->rate_bps / 1e6,
               2 * (double)r->one_way_ns / 1e6, r->loss_ppm / 1e4, theory / 1e3, got / 1e3, percent);
        assert_true(percent >= r->least && percent <= r->most);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(goodput)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
