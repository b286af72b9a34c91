/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/native/queue.h"

#include "models/base/rng.h"
#include "models/testkit/testkit.h"

enum { EVENTS = 300 };

struct model {
    struct event event[EVENTS];
    uint64_t when[EVENTS], number[EVENTS];
    bool in[EVENTS];
};

static int least_of(const struct model *m)
{
    int best = -1;
    for (int i = 0; i < EVENTS; i++)
        if (m->in[i] && (best < 0 || m->when[i] < m->when[best] ||
                         (m->when[i] == m->when[best] && m->number[i] < m->number[best])))
            best = i;
    return best;
}

/* Put, moved and taken out at random, the first is always the one that a plain search finds. */
static void against_a_plain_search(void **state)
{
    (void)state;
    static struct model m;
    struct queue q = {0};
    struct rng r = rng_named(1, "queue test");
    for (int step = 0; step < 20000; step++) {
        int i = (int)rng_below(&r, EVENTS);
        if (rng_chance(&r, 2, 3)) {
            m.when[i] = rng_below(&r, 50);
            m.number[i] = queue_number(&q);
            m.in[i] = true;
            assert_true(queue_put(&q, &m.event[i], m.when[i], m.number[i]));
        } else {
            m.in[i] = false;
            queue_take(&q, &m.event[i]);
        }
        assert_int_equal(m.event[i].at != 0, m.in[i]);
        int least = least_of(&m);
        const struct queue_entry *first = queue_first(&q);
        assert_true(first ? least >= 0 && first->event == &m.event[least] : least < 0);
    }
    uint64_t last_when = 0, last_number = 0;
    for (const struct queue_entry *f; (f = queue_first(&q)); queue_take(&q, f->event)) {
        assert_true(f->when_ns > last_when || (f->when_ns == last_when && f->number > last_number));
        last_when = f->when_ns;
        last_number = f->number;
    }
    queue_free(&q);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(against_a_plain_search)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
