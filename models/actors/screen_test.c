/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/screen.h"

#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/base/time.h"
#include "models/testkit/testkit.h"

static const struct screen_config config = {.rate = 100000, .burst = 50000, .duration_ns = 2 * NS_S};

static void digest_of(const struct screen_count *c, uint8_t out[HASH_SHA256])
{
    struct sha256 h = c->digest;
    sha256_end(&h, out);
}

/* All that is due until then goes from one screen to the other; the payload bytes. */
static uint64_t carry(struct screen *from, struct screen *to, uint64_t until_ns)
{
    const uint8_t *frame;
    size_t len;
    uint64_t n = 0;
    while (screen_deadline(from) <= until_ns && (len = screen_next(from, screen_deadline(from), &frame))) {
        assert_true(len <= SCREEN_FRAME_MAX);
        assert_int_equal(screen_input(to, frame, len, 0), 0);
        n += frame[1] >= 192 && frame[1] <= 223 ? 0 : len - 12;
    }
    return n;
}

static void all_arrives_at_the_rate(void **state)
{
    (void)state;
    struct screen a, b;
    screen_init(&a, &config, rng_named(1, "a"));
    screen_init(&b, &config, rng_named(1, "b"));
    assert_true(screen_deadline(&a) == TIME_NEVER);
    screen_start(&a, 5 * NS_S);
    screen_start(&b, 5 * NS_S);
    uint64_t burst = carry(&a, &b, 5 * NS_S);
    assert_in_range(burst, 50000, 50000 + SCREEN_PAYLOAD_MAX);
    uint64_t second = carry(&a, &b, 6 * NS_S);
    assert_in_range(burst + second, 150000, 150000 + SCREEN_PAYLOAD_MAX);
    uint64_t rest = carry(&a, &b, 7 * NS_S);
    assert_int_equal(burst + second + rest, 250000);
    assert_true(a.bye_sent && b.bye_received && !screen_done(&a) && !screen_done(&b));
    assert_true(screen_deadline(&a) == 10 * NS_S); /* its report on the other side */
    carry(&b, &a, 7 * NS_S);
    assert_true(a.bye_received && a.report_received && !screen_done(&a) && !screen_done(&b));
    carry(&a, &b, 7 * NS_S);
    assert_true(screen_done(&a) && screen_done(&b));
    assert_true(screen_deadline(&a) == TIME_NEVER && screen_deadline(&b) == TIME_NEVER);
    uint8_t sent[HASH_SHA256], received[HASH_SHA256];
    digest_of(&a.sent, sent);
    digest_of(&b.received, received);
    assert_memory_equal(sent, received, sizeof sent);
    assert_int_equal(a.sent.bytes, b.received.bytes);
    digest_of(&b.sent, received);
    assert_memory_not_equal(sent, received, sizeof sent); /* another name, other contents */
}

static void nothing_is_lost_or_doubled_in_silence(void **state)
{
    (void)state;
    struct screen a, b;
    const uint8_t *frame;
    screen_init(&a, &config, rng_named(1, "a"));
    screen_init(&b, &config, rng_named(1, "b"));
    screen_start(&a, 0);
    size_t len = screen_next(&a, 0, &frame);
    assert_int_equal(screen_input(&b, frame, len, 0), 0);
    assert_int_equal(screen_input(&b, frame, len, 0), E_RANGE);
    screen_next(&a, 0, &frame);
    len = screen_next(&a, 0, &frame);
    assert_int_equal(screen_input(&b, frame, len, 0), E_RANGE);
    static const uint8_t bad[][12] = {{0x00, 127}, {0x80, 126}, {0x40, 127}};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(screen_input(&b, bad[i], sizeof bad[i], 0), E_MALFORMED);
    assert_int_equal(screen_input(&b, frame, 7, 0), E_MALFORMED);
    static const uint8_t long_report[] = {0x80, 201, 0xff, 0xff, 0, 0, 0, 0, 0x81, 203, 0, 1};
    assert_int_equal(screen_input(&b, long_report, sizeof long_report, 0), 0);
    assert_false(b.bye_received);
}

/* A slow path: what is written is not there yet. Reports every 5 s say how far it is; the last one that it is whole.
 */
static void reports_tell_the_progress(void **state)
{
    (void)state;
    static const struct screen_config none = {.duration_ns = 12 * NS_S};
    struct screen a, b;
    screen_init(&a, &config, rng_named(1, "a"));
    screen_init(&b, &none, rng_named(1, "b"));
    screen_start(&a, 0);
    screen_start(&b, 0);
    const uint8_t *frame;
    size_t len;
    carry(&a, &b, NS_S);
    assert_true(screen_deadline(&b) == 5 * NS_S);
    assert_int_equal(screen_next(&b, 5 * NS_S, &frame), 32);
    assert_int_equal(load32(frame + 8), a.ssrc);
    assert_int_equal((uint16_t)load32(frame + 16), (uint16_t)(a.seq - 1));
    assert_true(screen_deadline(&b) == 10 * NS_S);
    carry(&a, &b, 4 * NS_S); /* BYE among it: the answer is due at once */
    assert_true(screen_deadline(&b) <= 5 * NS_S);
    len = screen_next(&b, 5 * NS_S, &frame);
    assert_int_equal(screen_input(&a, frame, len, 0), 0);
    assert_true(a.report_received && !screen_done(&a));
    carry(&b, &a, 12 * NS_S); /* who has nothing to show says BYE all the same, and hears that it was heard */
    carry(&a, &b, 12 * NS_S);
    assert_true(screen_done(&a) && screen_done(&b));
}

/* RFC 3550 5.1: version 2, type 127, consecutive numbers, the marker where a PDU ends and nowhere else. */
static void packets_are_rtp(void **state)
{
    (void)state;
    struct screen a;
    const uint8_t *frame;
    screen_init(&a, &config, rng_named(1, "a"));
    screen_start(&a, 0);
    uint32_t stamp = 0;
    uint16_t seq = 0;
    bool marked = true;
    unsigned pdus = 0;
    for (unsigned n = 0; screen_next(&a, 2 * NS_S, &frame) && !a.bye_sent; n++) {
        assert_int_equal(frame[0], 0x80);
        assert_int_equal(frame[1] & 0x7f, 127);
        if (n)
            assert_int_equal(load16(frame + 2), (uint16_t)(seq + 1));
        if (!marked)
            assert_int_equal(load32(frame + 4), stamp);
        seq = load16(frame + 2);
        stamp = load32(frame + 4);
        marked = frame[1] & 0x80;
        pdus += marked;
    }
    assert_true(marked && pdus > 10);
    assert_in_range(stamp, 1, 2 * 90000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_arrives_at_the_rate),
        cmocka_unit_test(nothing_is_lost_or_doubled_in_silence),
        cmocka_unit_test(reports_tell_the_progress),
        cmocka_unit_test(packets_are_rtp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
