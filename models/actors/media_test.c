/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/media.h"

#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "models/testkit/testkit.h"

static const struct media_config config = {
    .packets_per_s = 50, .payload_bytes = 160, .payload_type = 8, .clock = 8000};

struct ends {
    struct media a, b;
    uint64_t now, delay, reports, report_gap_min, report_gap_max, last_report;
    unsigned n, lose; /* every so many-th RTP packet of a; 0: none */
};

static void ends_of(struct ends *e, const struct media_config *cfg)
{
    *e = (struct ends){.report_gap_min = TIME_NEVER};
    media_init(&e->a, cfg, "audio", "alice", rng_named(1, "a"));
    media_init(&e->b, cfg, "audio", "bob", rng_named(1, "b"));
    media_set_peer(&e->a, "bob", e->b.ssrc);
    media_set_peer(&e->b, "alice", e->a.ssrc);
}

static void note_report(struct ends *e)
{
    if (e->reports++) {
        uint64_t gap = e->now - e->last_report;
        e->report_gap_min = time_min(e->report_gap_min, gap);
        e->report_gap_max = gap > e->report_gap_max ? gap : e->report_gap_max;
    }
    e->last_report = e->now;
}

static bool carry(struct ends *e, struct media *from, struct media *to)
{
    const uint8_t *p;
    const char *why;
    size_t len = media_next(from, e->now, &p);
    if (!len)
        return false;
    bool rtcp = rtp_is_rtcp(p, len);
    if (from == &e->a && rtcp)
        note_report(e);
    if (from == &e->a && !rtcp && e->lose && ++e->n % e->lose == 0)
        return true;
    assert_int_equal(media_input(to, p, len, e->now + e->delay, &why), 0);
    return true;
}

/* Both ends, until then. */
static void run(struct ends *e, uint64_t until)
{
    for (;;) {
        uint64_t at = time_min(media_deadline(&e->a), media_deadline(&e->b));
        if (at > until)
            break;
        e->now = at > e->now ? at : e->now;
        while (carry(e, &e->a, &e->b) || carry(e, &e->b, &e->a)) {
        }
    }
    e->now = until;
}

static void packets_at_the_rate_reports_at_the_interval(void **state)
{
    (void)state;
    struct ends e;
    ends_of(&e, &config);
    assert_true(media_deadline(&e.a) == TIME_NEVER);
    media_start(&e.a, NS_S);
    media_start(&e.b, NS_S);
    run(&e, 3601 * NS_S - 1);
    struct media_count a = media_counted(&e.a), b = media_counted(&e.b);
    assert_int_equal(a.sent, 50 * 3600);
    assert_int_equal(b.received, a.sent);
    assert_int_equal(b.received_bytes, a.sent * 160);
    assert_true(b.first_ns == NS_S);
    assert_int_equal(b.lost + (int64_t)(b.duplicates + b.late + b.foreign + b.malformed + b.collisions), 0);
    assert_int_equal(b.jitter, 0);
    /* 6.2: 5 s, halved to one and a half times, over e - 3/2; on the whole a little less than 5 s (6.3.1) */
    assert_in_range(e.report_gap_min, 5 * NS_S / 2 * 100 / 122, 5 * NS_S);
    assert_in_range(e.report_gap_max, 5 * NS_S, 15 * NS_S / 2);
    assert_in_range(e.reports, 3600 / 5 - 60, 3600 / 5 + 100);
    assert_int_equal(b.reports, e.reports);
}

static void intervals_stretch_with_little_bandwidth(void **state)
{
    (void)state;
    static const struct media_config slow = {
        .packets_per_s = 1, .payload_bytes = 20, .clock = 8000, .bandwidth = 120};
    struct ends e;
    ends_of(&e, &slow);
    media_start(&e.a, 0);
    media_start(&e.b, 0);
    run(&e, 3600 * NS_S);
    /* two members, about 104 bytes a report, a twentieth of 120 bytes a second: 35 s */
    assert_in_range(e.reports, 3600 / 45, 3600 / 28);
    assert_true(e.report_gap_min > 10 * NS_S);
}

static void loss_and_round_trip_are_measured(void **state)
{
    (void)state;
    struct ends e;
    ends_of(&e, &config);
    e.lose = 10;
    media_start(&e.a, 0);
    media_start(&e.b, 0);
    run(&e, 60 * NS_S);
    struct media_count b = media_counted(&e.b);
    assert_in_range(b.lost, 299, 301);
    assert_in_range(b.received, 2700, 2701);
    assert_int_equal(b.late + b.duplicates, 0);
    assert_in_range(media_counted(&e.a).round_trip_ns, 1, NS_MS);
    const uint8_t *p;
    struct rtcp_packet m;
    struct rtcp_block block;
    size_t len;
    media_bye(&e.b);
    assert_true(media_deadline(&e.b) == 0);
    len = media_next(&e.b, e.now, &p);
    struct reader r = reader_of(p, len);
    assert_true(rtcp_next(&r, &m) && m.type == RTCP_SR && rtcp_block_of(&m, e.a.ssrc, &block));
    assert_in_range(block.fraction, 18, 32); /* a tenth is 25.6 256ths */
    assert_in_range(block.lost, 299, 301);
    assert_true(media_deadline(&e.b) == TIME_NEVER && media_next(&e.b, e.now, &p) == 0);
}

/* Bytes of b's next RTP packet. */
static size_t next_rtp(struct media *m, uint64_t now_ns, uint8_t *out)
{
    const uint8_t *p;
    size_t len;
    do {
        len = media_next(m, now_ns, &p);
        assert_true(len > 0);
    } while (rtp_is_rtcp(p, len));
    memcpy(out, p, len);
    return len;
}

static int give(struct media *m, const uint8_t *p, size_t len, uint64_t now_ns)
{
    const char *why;
    int err = media_input(m, p, len, now_ns, &why);
    assert_true((err != 0) == (*why != '\0'));
    return err;
}

static void order_is_counted(void **state)
{
    (void)state;
    static uint8_t p[200][MEDIA_PACKET_MAX];
    struct ends e;
    ends_of(&e, &config);
    e.a.seq = 65530;
    media_start(&e.a, 0);
    size_t len = 0;
    for (size_t i = 0; i < 200; i++)
        len = next_rtp(&e.a, 10 * NS_S, p[i]);
    assert_int_equal(load16(p[6] + 2), 0);
    static const unsigned order[] = {0, 1, 3, 2, 4, 4, 5, 8, 7, 6, 3}; /* across the wrap */
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        assert_int_equal(give(&e.b, p[order[i]], len, NS_S), 0);
    struct media_count c = media_counted(&e.b);
    assert_int_equal(c.received, 9);
    assert_int_equal(c.duplicates, 2);
    assert_int_equal(c.late, 3);
    assert_int_equal(c.lost, -2); /* A.3: duplicates make up for losses */
    assert_int_equal(give(&e.b, p[199], len, NS_S), 0);
    assert_int_equal(rtp_source_expected(&e.b.source), 200);
    assert_int_equal(e.b.source.cycles, 1);
}

/* A.1: a number far away is dropped, unless the next one follows it. */
static void jumps_need_two(void **state)
{
    (void)state;
    uint8_t p[MEDIA_PACKET_MAX];
    struct ends e;
    ends_of(&e, &config);
    media_start(&e.a, 0);
    size_t len = next_rtp(&e.a, 10 * NS_S, p);
    assert_int_equal(give(&e.b, p, len, 0), 0);
    e.a.seq = (uint16_t)(e.a.seq + 30000);
    len = next_rtp(&e.a, 10 * NS_S, p);
    assert_int_equal(give(&e.b, p, len, 0), 0);
    assert_int_equal(rtp_source_expected(&e.b.source), 1);
    len = next_rtp(&e.a, 10 * NS_S, p);
    assert_int_equal(give(&e.b, p, len, 0), 0);
    assert_true(e.b.source.highest == load16(p + 2) && e.b.source.received == 1);
}

static void jitter_follows_delay(void **state)
{
    (void)state;
    uint8_t p[MEDIA_PACKET_MAX];
    struct ends e;
    ends_of(&e, &config);
    media_start(&e.a, 0);
    for (unsigned i = 0; i < 400; i++) {
        size_t len = next_rtp(&e.a, i * 20 * NS_MS, p);
        give(&e.b, p, len, i * 20 * NS_MS + (i % 2 ? 10 * NS_MS : 0));
    }
    assert_in_range(media_counted(&e.b).jitter, 78, 80); /* 10 ms of 8 kHz, each time */
}

static void another_calls_data_is_noticed(void **state)
{
    (void)state;
    uint8_t p[MEDIA_PACKET_MAX];
    const uint8_t *report;
    struct ends e, other;
    ends_of(&e, &config);
    ends_of(&other, &config);
    media_set_peer(&other.a, "carol", 0);
    media_start(&e.a, 0);
    media_start(&other.a, 0);
    size_t len = next_rtp(&other.a, 0, p);
    assert_int_equal(give(&e.b, p, len, 0), E_INTEGRITY); /* the SSRC is right, who it is for is not */
    len = next_rtp(&e.a, 0, p);
    assert_int_equal(give(&e.a, p, len, 0), E_INTEGRITY); /* its own, come back */
    p[RTP_HEADER + 159] ^= 1;
    assert_int_equal(give(&e.b, p, len, 0), E_INTEGRITY);
    p[RTP_HEADER + 159] ^= 1;
    assert_int_equal(give(&e.b, p, len, 0), 0);
    assert_int_equal(media_counted(&e.b).foreign, 2);
    media_init(&other.b, &config, "audio", "dave", rng_named(2, "d"));
    media_set_peer(&other.b, "alice", 0);
    media_start(&other.b, 0);
    other.b.report_at_ns = 0;
    media_bye(&other.b);
    len = media_next(&other.b, 0, &report);
    assert_int_equal(give(&e.b, report, len, 0), E_INTEGRITY);
    assert_false(e.b.peer_bye);
}

static void collisions_are_solved(void **state)
{
    (void)state;
    struct ends e;
    ends_of(&e, &config);
    e.b.ssrc = e.a.ssrc;
    media_set_peer(&e.a, "bob", e.b.ssrc);
    media_start(&e.a, 0);
    media_start(&e.b, 0);
    run(&e, 10 * NS_S);
    assert_true(e.a.ssrc != e.b.ssrc);
    struct media_count a = media_counted(&e.a), b = media_counted(&e.b);
    assert_in_range(a.collisions + b.collisions, 1, 2);
    assert_true(a.received > 490 && b.received > 490 && a.foreign + b.foreign == 0);
    assert_true(!e.a.peer_bye && !e.b.peer_bye);
}

static void silence_and_bye(void **state)
{
    (void)state;
    struct ends e;
    ends_of(&e, &config);
    media_start(&e.a, 0);
    media_start(&e.b, 0);
    run(&e, 10 * NS_S);
    media_send(&e.a, false, e.now);
    uint64_t sent = e.a.count.sent, reports = e.reports;
    run(&e, 70 * NS_S);
    assert_int_equal(e.a.count.sent, sent);
    assert_in_range(e.reports - reports, 8, 20);
    media_send(&e.a, true, e.now);
    run(&e, 80 * NS_S - 1);
    assert_int_equal(e.a.count.sent, sent + 500);
    assert_int_equal(media_counted(&e.b).lost, 0);
    media_bye(&e.a);
    run(&e, 81 * NS_S);
    assert_true(e.b.peer_bye);
    assert_int_equal(media_deadline(&e.a), TIME_NEVER);
}

static void malformed_packets_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *hex, *why;
    } rows[] = {
        {"", "shorter than an RTP header"},
        {"80", "shorter than an RTP header"},
        {"8008000100000001000000", "shorter than an RTP header"},
        {"400800010000000100000001", "not version 2 of RTP"},
        {"820800010000000100000001 00000000", "RTP header longer than the packet"},
        {"900800010000000100000001 0000", "RTP header longer than the packet"},
        {"900800010000000100000001 00000001", "RTP header longer than the packet"},
        {"a00800010000000100000001", "RTP padding longer than the payload"},
        {"a00800010000000100000001 00", "RTP padding longer than the payload"},
        {"a00800010000000100000001 0003", "RTP padding longer than the payload"},
        {"800900010000000100000001", "a payload type that was not agreed on"},
        {"80c9", "RTCP lengths do not add up"},
        {"80c90002 00000001", "RTCP lengths do not add up"},
        {"40c90001 00000001", "not version 2 of RTCP"},
        {"80cb0001 00000001", "RTCP compound without a report first"},
        {"a0c90001 00000001", "RTCP padding before the end"},
        {"81c90001 00000001", "RTCP packet shorter than what it counts"},
        {"80c80005 00000001 0000000000000000 0000000000000000", "RTCP packet shorter than what it counts"},
        {"80c90001 00000001 81ca0002 00000001 01ff6162", "RTCP packet shorter than what it counts"},
        {"80c90001 00000001 82cb0001 00000001", "RTCP packet shorter than what it counts"},
        {"80c90000", "RTCP packet shorter than what it counts"},
    };
    struct ends e;
    ends_of(&e, &config);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t p[64];
        const char *why;
        size_t len = kit_hex(rows[i].hex, p, sizeof p);
        assert_int_equal(media_input(&e.b, p, len, 0, &why), E_MALFORMED);
        assert_string_equal(why, rows[i].why);
        assert_int_equal(e.b.count.malformed, i + 1);
    }
    static const char good[] = "b1080001 00000001 00000001 00000007 beef0001 00000000 00000003"; /* CSRC, extension,
                                                                                                   * padding */
    uint8_t p[64];
    const char *why;
    struct rtp_packet m;
    size_t len = kit_hex(good, p, sizeof p);
    assert_int_equal(rtp_parse(p, len, &m, &why), 0);
    assert_int_equal(m.payload_len, 1);
    assert_ptr_equal(m.payload, p + 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_at_the_rate_reports_at_the_interval),
        cmocka_unit_test(intervals_stretch_with_little_bandwidth),
        cmocka_unit_test(loss_and_round_trip_are_measured),
        cmocka_unit_test(order_is_counted),
        cmocka_unit_test(jumps_need_two),
        cmocka_unit_test(jitter_follows_delay),
        cmocka_unit_test(another_calls_data_is_noticed),
        cmocka_unit_test(collisions_are_solved),
        cmocka_unit_test(silence_and_bye),
        cmocka_unit_test(malformed_packets_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
