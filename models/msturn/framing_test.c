/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/msturn/framing.h"

#include <string.h>

#include "models/base/err.h"
#include "models/testkit/testkit.h"

/* The lengths and fixed bytes of MST-34 and MST-35. */
static void hellos_have_the_known_bytes(void **state)
{
    (void)state;
    uint8_t out[MS_HELLO_MAX], want[16];
    struct rng rng = rng_named(1, "hello");
    assert_int_equal(ms_client_hello.len, 50);
    ms_hello_write(&ms_client_hello, &rng, out);
    kit_hex("16 03 01 00 2d 01 00 00 29 03 01", want, sizeof want);
    assert_memory_equal(out, want, 11);
    kit_hex("00 00 02 00 18 01 00", want, sizeof want);
    assert_memory_equal(out + 43, want, 7);
    assert_int_equal(ms_server_hello.len, 83);
    ms_hello_write(&ms_server_hello, &rng, out);
    kit_hex("16 03 01 00 4e 02 00 00 46 03 01", want, sizeof want);
    assert_memory_equal(out, want, 11);
    assert_int_equal(out[43], 0x20);
    kit_hex("00 18 00 0e 00 00 00", want, sizeof want);
    assert_memory_equal(out + 76, want, 7);
}

static void hello_cut_and_broken(void **state)
{
    (void)state;
    static const struct ms_hello *const both[] = {&ms_client_hello, &ms_server_hello};
    for (size_t which = 0; which < 2; which++) {
        uint8_t bytes[MS_HELLO_MAX + 1];
        struct rng rng = rng_named(1, "hello");
        ms_hello_write(both[which], &rng, bytes);
        bytes[both[which]->len] = 'x';
        unsigned refused = 0;
        for (size_t i = 0; i < both[which]->len; i++) {
            size_t have = 0, first = i, rest = both[which]->len + 1u - i;
            const uint8_t *p = bytes;
            assert_int_equal(ms_hello_take(both[which], &have, &p, &first), 0);
            assert_int_equal(ms_hello_take(both[which], &have, &p, &rest), 1);
            assert_int_equal(*p, 'x'); /* what follows is left */
            assert_int_equal(rest, 1);
            bytes[i] ^= 0x80;
            have = 0;
            p = bytes;
            rest = i + 1; /* refused as soon as it is seen */
            refused += ms_hello_take(both[which], &have, &p, &rest) == E_MALFORMED;
            bytes[i] ^= 0x80;
        }
        assert_int_equal(refused, which == 0 ? 18 : 19); /* the fixed ones */
    }
}

static const uint8_t two_units[] = {2, 0, 0, 3, 'a', 'b', 'c', 3, 0, 0, 0, 3, 0, 0, 1, 'z'};

static void units_cut_at_every_byte(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= sizeof two_units; cut++) {
        struct ms_units u = {0};
        const uint8_t *content;
        size_t n, sizes[4], count = 0;
        uint8_t types[4];
        for (int half = 0; half < 2; half++) {
            const uint8_t *p = half ? two_units + cut : two_units;
            size_t len = half ? sizeof two_units - cut : cut;
            while (ms_units_take(&u, &p, &len, &content, &n) == 1) {
                assert_true(count < 4);
                types[count] = u.type;
                sizes[count++] = n;
                if (n)
                    assert_int_equal(content[n - 1], n == 3 ? 'c' : 'z');
            }
            assert_int_equal(len, 0);
        }
        assert_int_equal(count, 3);
        assert_memory_equal(types, "\2\3\3", 3);
        assert_true(sizes[0] == 3 && sizes[1] == 0 && sizes[2] == 1);
        ms_units_free(&u);
    }
}

/* MST-30: any other type is an error, at its first byte. */
static void unit_types(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        struct ms_units u = {0};
        uint8_t byte = (uint8_t)type;
        const uint8_t *p = &byte, *content;
        size_t len = 1, n;
        bool good = type == 2 || type == 3;
        assert_int_equal(ms_units_take(&u, &p, &len, &content, &n), good ? 0 : E_MALFORMED);
        ms_units_free(&u);
    }
}

static void inner_labels(void **state)
{
    (void)state;
    uint8_t m[20] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
    assert_string_equal(ms_inner_label(m, sizeof m), "Binding request");
    m[0] = 1;
    assert_string_equal(ms_inner_label(m, sizeof m), "Binding success");
    m[1] = 0x11;
    assert_string_equal(ms_inner_label(m, sizeof m), "Binding error");
    m[0] = 0;
    assert_string_equal(ms_inner_label(m, sizeof m), "Binding indication");
    m[1] = 3;
    assert_null(ms_inner_label(m, sizeof m));
    m[0] = 0x80;
    assert_null(ms_inner_label(m, sizeof m));
    assert_null(ms_inner_label(m, 0));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(hellos_have_the_known_bytes), cmocka_unit_test(hello_cut_and_broken),
        cmocka_unit_test(units_cut_at_every_byte),     cmocka_unit_test(unit_types),
        cmocka_unit_test(inner_labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
