/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/native/tcp_buffer.h"

#include <string.h>

#include "models/base/rng.h"
#include "models/testkit/testkit.h"

static void ring_goes_round_and_grows(void **state)
{
    (void)state;
    struct ring r = {0};
    uint8_t in[1500], out[1500];
    for (unsigned i = 0; i < sizeof in; i++)
        in[i] = (uint8_t)(i * 7 + (i >> 8));
    assert_true(ring_reserve(&r, 1000));
    ring_put(&r, 0, in, 1000);
    ring_drop(&r, 900);
    ring_put(&r, 100, in + 1000, 500); /* over the end */
    struct tcp_segment view;
    ring_view(&r, 0, 600, &view);
    assert_int_equal(view.len, 124);
    assert_int_equal(view.len2, 476);
    ring_get(&r, 0, out, 600);
    assert_memory_equal(out, in + 900, 600);
    assert_true(ring_reserve(&r, 1025)); /* grows, and keeps what is in it */
    ring_get(&r, 0, out, 600);
    assert_memory_equal(out, in + 900, 600);
    ring_free(&r);
    assert_null(r.p);
}

static void expect(const struct ranges *s, const struct tcp_sack *want, unsigned count)
{
    assert_int_equal(s->count, count);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(s->v[i].from, want[i].from);
        assert_int_equal(s->v[i].to, want[i].to);
    }
}

static void ranges_merge(void **state)
{
    (void)state;
    struct ranges s = {0};
    assert_non_null(ranges_add(&s, 10, 20));
    assert_non_null(ranges_add(&s, 30, 40));
    assert_non_null(ranges_add(&s, UINT32_MAX - 5, 2)); /* below 10: numbers wrap */
    expect(&s, (struct tcp_sack[]){{UINT32_MAX - 5, 2}, {10, 20}, {30, 40}}, 3);
    assert_int_equal(ranges_within(&s, UINT32_MAX, 35), 3 + 10 + 5);
    assert_true(ranges_cover(&s, UINT32_MAX, 1));
    assert_false(ranges_cover(&s, 19, 21));
    assert_int_equal(ranges_add(&s, 20, 25)->from, 10); /* adjacent above */
    assert_int_equal(ranges_add(&s, 28, 30)->to, 40);   /* adjacent below */
    expect(&s, (struct tcp_sack[]){{UINT32_MAX - 5, 2}, {10, 25}, {28, 40}}, 3);
    ranges_add(&s, 0, 28); /* bridges all */
    expect(&s, (struct tcp_sack[]){{UINT32_MAX - 5, 40}}, 1);
    ranges_trim(&s, 39);
    expect(&s, (struct tcp_sack[]){{39, 40}}, 1);
    ranges_trim(&s, 40);
    assert_int_equal(s.count, 0);
    ranges_free(&s);
}

/* Against a map of bits. */
static void ranges_like_a_bit_map(void **state)
{
    (void)state;
    struct rng rng = rng_named(1, "ranges");
    const uint32_t base = UINT32_MAX - 100;
    for (unsigned round = 0; round < 200; round++) {
        struct ranges s = {0};
        bool map[200] = {false};
        for (unsigned k = 0; k < 40; k++) {
            uint32_t from = (uint32_t)rng_below(&rng, 199), len = 1 + (uint32_t)rng_below(&rng, 8);
            uint32_t to = from + len < 200 ? from + len : 200;
            assert_non_null(ranges_add(&s, base + from, base + to));
            memset(map + from, 1, to - from);
            unsigned runs = 0, bits = 0;
            for (unsigned i = 0; i < 200; i++) {
                bits += map[i];
                runs += map[i] && (i == 0 || !map[i - 1]);
            }
            assert_int_equal(s.count, runs);
            assert_int_equal(ranges_within(&s, base, base + 200), bits);
        }
        ranges_free(&s);
    }
}

static void ranges_are_bounded(void **state)
{
    (void)state;
    struct ranges s = {0};
    for (uint32_t i = 0; i < RANGES_MAX; i++)
        assert_non_null(ranges_add(&s, 10 * i, 10 * i + 5));
    assert_null(ranges_add(&s, 10 * RANGES_MAX, 10 * RANGES_MAX + 5));
    assert_non_null(ranges_add(&s, 5, 10)); /* joins two: needs no place */
    assert_int_equal(s.count, RANGES_MAX - 1);
    ranges_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring_goes_round_and_grows),
        cmocka_unit_test(ranges_merge),
        cmocka_unit_test(ranges_like_a_bit_map),
        cmocka_unit_test(ranges_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
