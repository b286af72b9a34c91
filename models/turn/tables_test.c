/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/turn/tables.h"

#include <stdlib.h>

#include "models/base/rng.h"
#include "models/base/time.h"
#include "models/testkit/testkit.h"

enum { CAP = 100, STEPS = 20000 };

/* Against a plain array: keys of a small range, so that they meet and gaps are closed over and over. */
static void map_holds_what_was_put(void **state)
{
    (void)state;
    struct idmap m;
    void *model[4 * CAP + 1] = {NULL};
    size_t count = 0;
    struct rng rng = rng_named(1, "map");
    assert_int_equal(idmap_init(&m, CAP), 0);
    for (int i = 0; i < STEPS; i++) {
        uint32_t key = (uint32_t)rng_below(&rng, 4 * CAP) + 1;
        if (model[key]) {
            idmap_drop(&m, key);
            model[key] = NULL;
            count--;
        } else if (count < CAP) {
            model[key] = &model[key];
            idmap_put(&m, key, model[key]);
            count++;
        }
        for (uint32_t k = 1; i % 100 == 0 && k <= 4 * CAP; k++)
            assert_ptr_equal(idmap_get(&m, k), model[k]);
    }
    assert_null(idmap_get(&m, 0));
    free(m.base);
}

/* Armed, moved and disarmed at random, timers are due in order of time, and each once. */
static void timers_are_due_in_order(void **state)
{
    (void)state;
    struct timers ts;
    struct timer t[CAP] = {0};
    struct rng rng = rng_named(1, "timers");
    assert_int_equal(timers_init(&ts, CAP), 0);
    assert_true(timers_next(&ts) == TIME_NEVER);
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 5 * CAP; i++) {
            size_t k = rng_below(&rng, CAP);
            timers_set(&ts, &t[k], &t[k], rng_chance(&rng, 1, 4) ? TIME_NEVER : rng_below(&rng, 1000));
        }
        size_t armed = 0, due = 0;
        uint64_t last = 0;
        for (size_t k = 0; k < CAP; k++)
            armed += t[k].at != TIME_NEVER;
        assert_null(timers_next(&ts) > 0 ? timers_due(&ts, timers_next(&ts) - 1) : NULL);
        for (uint64_t at; (at = timers_next(&ts)) != TIME_NEVER; due++) {
            struct timer *owner = timers_due(&ts, at);
            assert_non_null(owner);
            assert_true(at >= last);
            last = at;
        }
        assert_int_equal(due, armed);
    }
    free(ts.heap);
}

static void pool_hands_out_its_size(void **state)
{
    (void)state;
    struct pool p;
    uint8_t *out[3];
    assert_int_equal(pool_init(&p, 16, 3), 0);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 3; i++) {
            out[i] = pool_get(&p);
            assert_non_null(out[i]);
            for (int b = 0; b < 16; b++)
                assert_int_equal(out[i][b], 0);
            for (int j = 0; j < i; j++)
                assert_ptr_not_equal(out[i], out[j]);
            out[i][0] = out[i][15] = 0xff;
        }
        assert_null(pool_get(&p));
        for (int i = 0; i < 3; i++)
            pool_put(&p, out[i]);
    }
    free(p.base);
    assert_int_equal(pool_init(&p, 16, 0), 0);
    assert_null(pool_get(&p));
    free(p.base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_holds_what_was_put),
        cmocka_unit_test(timers_are_due_in_order),
        cmocka_unit_test(pool_hands_out_its_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
