/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/ice/rfc4571.h"

#include <string.h>

#include "models/base/bytes.h"
#include "models/testkit/testkit.h"

/* What came out of a stream: length, first and last byte of each frame. */
struct seen {
    size_t count, len[8];
    uint8_t first[8], last[8];
};

static void feed(struct rfc4571 *f, const uint8_t *p, size_t len, struct seen *seen)
{
    const uint8_t *frame;
    size_t frame_len;
    while (rfc4571_take(f, &p, &len, &frame, &frame_len)) {
        assert_true(seen->count < 8);
        seen->len[seen->count] = frame_len;
        seen->first[seen->count] = frame_len ? frame[0] : 0;
        seen->last[seen->count++] = frame_len ? frame[frame_len - 1] : 0;
    }
    assert_int_equal(len, 0); /* all bytes are taken when no frame is complete */
}

static const uint8_t three[] = {0, 3, 'a', 'b', 'c', 0, 0, 0, 1, 'z'};

static void assert_three(const struct seen *s)
{
    assert_int_equal(s->count, 3);
    assert_int_equal(s->len[0], 3);
    assert_int_equal(s->first[0], 'a');
    assert_int_equal(s->last[0], 'c');
    assert_int_equal(s->len[1], 0); /* an empty frame is a frame */
    assert_int_equal(s->len[2], 1);
    assert_int_equal(s->first[2], 'z');
}

static void frames_cut_at_every_byte(void **state)
{
    (void)state;
    for (size_t a = 0; a <= sizeof three; a++) {
        for (size_t b = a; b <= sizeof three; b++) {
            struct rfc4571 f = {0};
            struct seen s = {0};
            feed(&f, three, a, &s);
            feed(&f, three + a, b - a, &s);
            feed(&f, three + b, sizeof three - b, &s);
            assert_three(&s);
            rfc4571_free(&f);
        }
    }
}

static void frames_byte_by_byte(void **state)
{
    (void)state;
    struct rfc4571 f = {0};
    struct seen s = {0};
    for (size_t i = 0; i < sizeof three; i++)
        feed(&f, three + i, 1, &s);
    assert_three(&s);
    rfc4571_free(&f);
}

/* The longest frame, followed by another in the same piece. */
static void longest_frame(void **state)
{
    (void)state;
    static uint8_t stream[RFC4571_HEADER + RFC4571_MAX + sizeof three];
    memset(stream, 'x', sizeof stream);
    store16(stream, RFC4571_MAX);
    stream[RFC4571_HEADER + RFC4571_MAX - 1] = 'y';
    memcpy(stream + RFC4571_HEADER + RFC4571_MAX, three, sizeof three);
    for (size_t cut = 0; cut < sizeof stream; cut += 8191) {
        struct rfc4571 f = {0};
        struct seen s = {0};
        feed(&f, stream, cut, &s);
        feed(&f, stream + cut, sizeof stream - cut, &s);
        assert_int_equal(s.count, 4);
        assert_int_equal(s.len[0], RFC4571_MAX);
        assert_int_equal(s.first[0], 'x');
        assert_int_equal(s.last[0], 'y');
        assert_int_equal(s.last[3], 'z');
        rfc4571_free(&f);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_cut_at_every_byte),
        cmocka_unit_test(frames_byte_by_byte),
        cmocka_unit_test(longest_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
