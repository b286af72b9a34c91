/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events reach the part that owns them, and all when nobody does; the next deadline is the earliest. */
#include "models/actors/parts.h"

#include <stdlib.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "models/testkit/testkit.h"

struct counter {
    unsigned got, freed;
    uint64_t deadline_ns;
};

static void count_input(void *self, const struct io_in *in)
{
    (void)in;
    ((struct counter *)self)->got++;
}

static uint64_t count_deadline(const void *self)
{
    return ((const struct counter *)self)->deadline_ns;
}

static void count_free(void *self)
{
    ((struct counter *)self)->freed++;
}

static const struct core_ops ops = {count_input, count_deadline, count_free};

static void events_go_to_their_owner(void **state)
{
    (void)state;
    struct io *io = io_new("box", 1);
    struct counter c[2] = {{.deadline_ns = 7}, {.deadline_ns = TIME_NEVER}};
    struct core core;
    assert_int_equal(parts_make(io, (struct part[]){{&ops, &c[0]}, {&ops, &c[1]}}, 2, &core), 0);
    assert_int_equal(core.ops->deadline(core.self), 7);
    core.ops->input(core.self, &(struct io_in){.event = IO_START});
    core.ops->input(core.self, &(struct io_in){.event = IO_DATA, .id = io_new_id(io, part_owner(1))});
    core.ops->input(core.self, &(struct io_in){.event = IO_DATA, .id = io_new_id(io, part_owner(5))});
    assert_int_equal(c[0].got, 1);
    assert_int_equal(c[1].got, 2);
    core.ops->free(core.self);
    assert_int_equal(c[0].freed + c[1].freed, 2);
    io_free(io);
}

static void all_parts_or_none(void **state)
{
    (void)state;
    struct io *io = io_new("box", 1);
    struct counter c = {0};
    struct core core;
    assert_int_equal(parts_make(io, (struct part[]){{&ops, &c}, {&ops, NULL}}, 2, &core), E_NOMEM);
    assert_int_equal(c.freed, 1);
    io_free(io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_go_to_their_owner),
        cmocka_unit_test(all_parts_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
