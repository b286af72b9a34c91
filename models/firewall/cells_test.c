/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The algebra of sets of packets against counting: random sets over a small universe, every member asked. */
#include "models/firewall/cells.h"

#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/base/rng.h"
#include "models/testkit/testkit.h"

enum { ROUNDS = 300, SMALL = 64 };

static struct fw_spans random_spans(struct fw_space *s, struct rng *rng, unsigned universe)
{
    struct fw_span span[4];
    size_t n = rng_below(rng, 5);
    for (size_t i = 0; i < n; i++) {
        unsigned lo = (unsigned)rng_below(rng, universe), len = (unsigned)rng_below(rng, universe / 4);
        span[i] = (struct fw_span){lo, lo + len < universe ? lo + len : universe - 1};
    }
    return fw_spans_of(s, span, n);
}

/* Sorted, disjoint, not touching. */
static void check_shape(struct fw_spans a)
{
    for (size_t i = 0; i < a.count; i++) {
        assert_true(a.span[i].lo <= a.span[i].hi);
        if (i)
            assert_true(a.span[i - 1].hi + 1 < a.span[i].lo);
    }
}

static void spans_are_sets(void **state)
{
    (void)state;
    struct fw_space *s = fw_space_new(0);
    struct rng rng = rng_named(1, "spans");
    for (int round = 0; round < ROUNDS; round++) {
        struct fw_spans a = random_spans(s, &rng, SMALL), b = random_spans(s, &rng, SMALL);
        struct fw_spans both = fw_spans_intersect(s, a, b), either = fw_spans_union(s, a, b);
        struct fw_spans less = fw_spans_subtract(s, a, b);
        check_shape(a);
        check_shape(both);
        check_shape(either);
        check_shape(less);
        bool within = true;
        unsigned members = 0;
        for (unsigned n = 0; n < SMALL; n++) {
            bool in_a = fw_spans_has(a, n), in_b = fw_spans_has(b, n);
            assert_int_equal(fw_spans_has(both, n), in_a && in_b);
            assert_int_equal(fw_spans_has(either, n), in_a || in_b);
            assert_int_equal(fw_spans_has(less, n), in_a && !in_b);
            within = within && (!in_a || in_b);
            members += in_a;
        }
        assert_int_equal(fw_spans_within(a, b), within);
        assert_int_equal(fw_spans_count(a), members);
        assert_true(fw_spans_equal(fw_spans_union(s, less, both), a));
    }
    assert_int_equal(fw_space_error(s), 0);
    fw_space_free(s);
}

static void masks_with_holes(void **state)
{
    (void)state;
    struct fw_space *s = fw_space_new(0);
    struct rng rng = rng_named(1, "masks");
    for (int round = 0; round < ROUNDS; round++) {
        struct fw_spans a = random_spans(s, &rng, 256);
        unsigned value = (unsigned)rng_below(&rng, 256), mask = (unsigned)rng_below(&rng, 256);
        struct fw_spans m = fw_spans_masked(s, a, value, mask);
        check_shape(m);
        for (unsigned n = 0; n < 256; n++)
            assert_int_equal(fw_spans_has(m, n), fw_spans_has(a, n) && ((n ^ value) & mask) == 0);
    }
    /* Every other address of an IPv6 network is more than a set may have. */
    fw_spans_masked(s, fw_cell_any_v6.dim[FW_DIM_SRC], 1, 1);
    assert_int_equal(fw_space_error(s), E_RANGE);
    fw_space_free(s);
}

/* ---- regions over 3 addresses x 3 addresses x 2 protocols x 4 ports x 4 ports ---- */

enum { ADDRESSES = 5, PROTOS = 3, PORTS = 4 };

static struct fw_flow member(unsigned n)
{
    struct fw_flow f = {.proto = (uint8_t)(n % PROTOS)};
    n /= PROTOS;
    f.src = ip_v4(n % ADDRESSES);
    n /= ADDRESSES;
    f.dst = ip_v4(n % ADDRESSES);
    n /= ADDRESSES;
    f.sport = (uint16_t)(n % PORTS);
    f.dport = (uint16_t)(n / PORTS % PORTS);
    return f;
}

enum { MEMBERS = PROTOS * ADDRESSES * ADDRESSES * PORTS * PORTS };

static struct fw_region random_region(struct fw_space *s, struct rng *rng)
{
    static const unsigned universe[FW_DIMS] = {PROTOS, ADDRESSES, ADDRESSES, PORTS, PORTS};
    struct fw_region r = {0};
    for (uint64_t n = rng_below(rng, 6); n > 0; n--) {
        struct fw_cell c = {.family = IP_V4};
        bool empty = false;
        for (int d = 0; d < FW_DIMS; d++) {
            uint64_t lo = rng_below(rng, universe[d]), hi = rng_below(rng, universe[d]);
            c.dim[d] = fw_spans_one(s, lo < hi ? lo : hi, lo < hi ? hi : lo);
            if (rng_chance(rng, 1, 3))
                c.dim[d] = fw_spans_union(s, c.dim[d], fw_spans_one(s, universe[d] - 1, universe[d] - 1));
            empty = empty || !c.dim[d].count;
        }
        if (!empty)
            fw_region_add(s, &r, &c);
    }
    return r;
}

static bool once(const struct fw_region *r, const struct fw_flow *f)
{
    unsigned n = 0;
    for (size_t i = 0; i < r->count; i++)
        n += fw_cell_has(&r->cell[i], f);
    assert_true(n <= 1);
    return n == 1;
}

static void regions_are_sets(void **state)
{
    (void)state;
    struct fw_space *s = fw_space_new(0);
    struct rng rng = rng_named(1, "regions");
    for (int round = 0; round < ROUNDS; round++) {
        struct fw_region a = random_region(s, &rng), b = random_region(s, &rng);
        struct fw_region both = fw_region_intersect(s, &a, &b), either = fw_region_union(s, &a, &b);
        struct fw_region less = fw_region_subtract(s, &a, &b), turned = fw_region_turned(s, &a), compact = a;
        fw_region_compact(s, &compact);
        assert_true(compact.count <= a.count);
        unsigned count = 0;
        for (unsigned n = 0; n < MEMBERS; n++) {
            struct fw_flow f = member(n), back = {f.proto, f.dst, f.src, f.dport, f.sport};
            bool in_a = once(&a, &f), in_b = once(&b, &f);
            assert_int_equal(once(&both, &f), in_a && in_b);
            assert_int_equal(once(&either, &f), in_a || in_b);
            assert_int_equal(once(&less, &f), in_a && !in_b);
            assert_int_equal(once(&compact, &f), in_a);
            assert_int_equal(once(&turned, &back), in_a);
            assert_int_equal(fw_region_has(&a, &f), in_a);
            count += in_a;
        }
        assert_int_equal(fw_region_count(&a), count);
        struct fw_region again = fw_region_union(s, &less, &both);
        assert_true(fw_region_equal(s, &again, &a));
        assert_int_equal(fw_region_equal(s, &a, &b), less.count == 0 && fw_region_within(s, &b, &a));
        fw_space_reset(s);
    }
    assert_int_equal(fw_space_error(s), 0);
    fw_space_free(s);
}

static void built_from_rules(void **state)
{
    (void)state;
    struct fw_space *s = fw_space_new(0);
    struct fw_addr holes = {.a = kit_ip("10.0.0.192"), .b = kit_ip("255.0.0.192"), .masked = true};
    struct fw_addr host = {.a = kit_ip("10.0.10.2"), .b = kit_ip("10.0.10.2")};
    struct fw_service service[] = {{PROTO_TCP, PROTO_TCP, 0, 65535, 443, 443},
                                   {PROTO_TCP, PROTO_UDP, 0, 65535, 443, 444}};
    struct fw_region r = fw_region_of(s, &holes, 1, &host, 1, service, 2);
    struct fw_flow f = {PROTO_TCP, kit_ip("10.9.9.200"), kit_ip("10.0.10.2"), 5, 443};
    assert_true(fw_region_has(&r, &f));
    f.src = kit_ip("10.9.9.9");
    assert_false(fw_region_has(&r, &f));
    /* 2^16 * 2^6 sources, 12 protocols, one of them counted once. */
    assert_true(fw_region_count(&r) == ((fw_wide)1 << 22) * 65536 * 12 * 2);
    struct fw_region v6 = fw_region_any(s);
    f = (struct fw_flow){PROTO_UDP, kit_ip("2001:db8::1"), kit_ip("2001:db8::2"), 5, 443};
    assert_true(fw_region_has(&v6, &f));
    struct fw_cell one = fw_cell_of(s, &f);
    assert_true(fw_cell_has(&one, &f));
    assert_true(fw_space_used(s) > 0);
    fw_space_free(s);
}

static void in_words(void **state)
{
    (void)state;
    struct fw_space *s = fw_space_new(0);
    char words[200];
    struct fw_cell c = fw_cell_any_v4;
    fw_cell_text(&c, words, sizeof words);
    assert_string_equal(words, "any protocol any > any");
    c.dim[FW_DIM_PROTO] = fw_spans_one(s, PROTO_TCP, PROTO_TCP);
    c.dim[FW_DIM_SRC] = fw_spans_one(s, 0x0a000000, 0x0affffff);
    c.dim[FW_DIM_DST] = fw_spans_union(s, fw_spans_one(s, 0x0a000a02, 0x0a000a02),
                                       fw_spans_one(s, 0x0a000a04, 0x0a000a06));
    c.dim[FW_DIM_DPORT] = fw_spans_one(s, 24000, 29999);
    fw_cell_text(&c, words, sizeof words);
    assert_string_equal(words, "tcp 10.0.0.0/8 > 10.0.10.2,10.0.10.4-10.0.10.6 ports 24000-29999");
    fw_space_free(s);
}

static void memory_has_a_limit(void **state)
{
    (void)state;
    struct fw_space *s = fw_space_new(100 * 1024);
    struct fw_region r = {0};
    for (unsigned i = 0; i < 100000; i++)
        fw_region_push(s, &r, &fw_cell_any_v4);
    assert_int_equal(fw_space_error(s), E_NOMEM);
    fw_space_reset(s);
    assert_int_equal(fw_space_error(s), 0);
    fw_space_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_are_sets), cmocka_unit_test(masks_with_holes), cmocka_unit_test(regions_are_sets),
        cmocka_unit_test(built_from_rules), cmocka_unit_test(in_words), cmocka_unit_test(memory_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
