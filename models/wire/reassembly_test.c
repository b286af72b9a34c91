/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/wire/reassembly.h"

#include <stdlib.h>
#include <string.h>

#include "models/base/time.h"
#include "models/testkit/testkit.h"

struct piece_of {
    unsigned at, len;
    bool more;
};

static const char *const ends[][2] = {{"10.0.0.1", "10.0.0.2"}, {"2001:db8::1", "2001:db8::2"}};

/* One fragment; the bytes are those of the offset. Gives the length of the whole when it completes it, else
 * 0. */
static size_t add(struct reassembly *r, size_t family, uint32_t id, struct piece_of piece, uint64_t now_ns)
{
    struct ip_addr src = kit_ip(ends[family][0]), dst = kit_ip(ends[family][1]);
    static const uint8_t mac[6] = {2};
    uint8_t *f = test_calloc(1, 2000 + piece.len);
    size_t n = wire_put_eth(f, mac, mac, family ? ETHERTYPE_IP6 : ETHERTYPE_IP4);
    n += wire_put_fragment(f + n, &src, &dst, 132, 64, id, piece.at, piece.more, piece.len);
    for (unsigned i = 0; i < piece.len; i++)
        f[n + i] = (uint8_t)((piece.at + i) * 7);
    struct wire_packet p, whole;
    assert_int_equal(wire_parse(f, n + piece.len, &p), 0);
    size_t len = 0;
    uint8_t *frame = reassembly_add(r, &p, now_ns, &len);
    test_free(f);
    if (!frame)
        return 0;
    assert_int_equal(wire_parse(frame, len, &whole), 0);
    assert_false(whole.fragment);
    for (size_t i = 0; i < whole.payload_len; i++)
        assert_int_equal(frame[whole.payload + i], (uint8_t)(i * 7));
    len = whole.payload_len;
    free(frame);
    return len;
}

static void any_order(void **state)
{
    (void)state;
    static const struct piece_of p[] = {{0, 16, true}, {16, 24, true}, {40, 5, false}};
    static const uint8_t orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    struct reassembly r = {0};
    for (size_t family = 0; family < 2; family++)
        for (size_t i = 0; i < 6; i++) {
            assert_int_equal(add(&r, family, 9, p[orders[i][0]], 0), 0);
            assert_int_equal(add(&r, family, 9, p[orders[i][1]], 0), 0);
            assert_int_equal(add(&r, family, 10, p[orders[i][2]], 0), 0); /* of another datagram */
            assert_int_equal(add(&r, family, 9, p[orders[i][2]], 0), 45);
            add(&r, family, 10, p[orders[i][0]], 0);
            assert_int_equal(add(&r, family, 10, p[orders[i][1]], 0), 45);
        }
    reassembly_free(&r);
}

/* RFC 5722: an overlap ends the datagram; a repetition does not; nor may it be longer than its last byte or
 * than IP. */
static void overlaps(void **state)
{
    (void)state;
    static const struct {
        struct piece_of p[4];
        size_t result;
    } rows[] = {
        {{{0, 16, true}, {0, 16, true}, {16, 8, false}}, 24},
        {{{0, 16, true}, {8, 16, true}, {16, 8, false}}, 0},
        {{{0, 16, true}, {24, 8, true}, {16, 8, false}}, 0},
        {{{16, 8, false}, {24, 8, true}, {0, 16, true}}, 0},
        {{{0, 13, true}, {16, 8, false}}, 0},
        {{{65528, 100, false}, {0, 8, true}}, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct reassembly r = {0};
        size_t got = 0;
        for (size_t k = 0; k < 4 && rows[i].p[k].len; k++)
            got = add(&r, 0, 9, rows[i].p[k], 0);
        assert_int_equal(got, rows[i].result);
        reassembly_free(&r);
    }
}

static void bounded_in_time_and_number(void **state)
{
    (void)state;
    struct piece_of head = {0, 8, true}, tail = {8, 8, false};
    struct reassembly r = {0};
    add(&r, 0, 1, head, 0);
    assert_int_equal(add(&r, 0, 1, tail, 30 * NS_S), 16);
    add(&r, 0, 1, head, 0);
    assert_int_equal(add(&r, 0, 1, tail, 30 * NS_S + 1), 0);
    reassembly_free(&r);
    r = (struct reassembly){0};
    for (uint32_t i = 0; i <= REASSEMBLY_MAX; i++)
        add(&r, 0, i, head, i);
    assert_int_equal(add(&r, 0, 1, tail, 20), 16); /* the first gave way, the second did not */
    assert_int_equal(add(&r, 0, 0, tail, 20), 0);
    reassembly_free(&r);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order),
        cmocka_unit_test(overlaps),
        cmocka_unit_test(bounded_in_time_and_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
