/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results come in order and are the same for any number of workers; a worker that dies is noticed. */
#include "sim/jobs/jobs.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "models/testkit/testkit.h"

struct log {
    char text[8192];
    size_t len, enough_after, told, done;
};

static void square(void *ctx, size_t piece, FILE *out)
{
    (void)ctx;
    if (piece % 3 == 0)
        usleep(2000); /* so that they end in another order */
    fprintf(out, "%zu ", piece * piece);
    if (piece == 5)
        for (int i = 0; i < 30000; i++) /* more than a pipe holds */
            fputc('x', out);
}

static bool keep(void *ctx, size_t piece, const char *bytes, size_t len)
{
    struct log *l = ctx;
    assert_int_equal(piece, l->told);
    assert_int_equal(len > 20000, piece == 5);
    len = strcspn(bytes, " ") + 1;
    memcpy(l->text + l->len, bytes, len);
    l->len += len;
    return ++l->told != l->enough_after;
}

static void count_done(void *ctx, size_t done)
{
    ((struct log *)ctx)->done = done;
}

static void any_number_of_workers_gives_the_same(void **state)
{
    (void)state;
    static struct log one, other;
    struct jobs j = {.workers = 1, .count = 40, .work = square, .result = keep, .progress = count_done, .ctx = &one};
    size_t piece;
    assert_int_equal(jobs_run(&j, &piece), 0);
    assert_int_equal(one.told, 40);
    assert_int_equal(one.done, 40);
    for (unsigned workers = 0; workers < 70; workers += 7) {
        memset(&other, 0, sizeof other);
        j.workers = workers;
        j.ctx = &other;
        assert_int_equal(jobs_run(&j, &piece), 0);
        assert_int_equal(other.done, 40);
        assert_int_equal(other.len, one.len);
        assert_memory_equal(other.text, one.text, one.len);
    }
}

static void enough_is_enough(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers < 4; workers++) {
        static struct log l;
        memset(&l, 0, sizeof l);
        l.enough_after = 7;
        struct jobs j = {.workers = workers, .count = 1000000, .work = square, .result = keep, .ctx = &l};
        size_t piece;
        assert_int_equal(jobs_run(&j, &piece), 0);
        assert_int_equal(l.told, 7);
    }
}

static void die(void *ctx, size_t piece, FILE *out)
{
    square(ctx, piece, out);
    if (piece == 11)
        _exit(3);
}

static void a_worker_that_dies_is_told(void **state)
{
    (void)state;
    static struct log l;
    struct jobs j = {.workers = 3, .count = 40, .work = die, .result = keep, .ctx = &l};
    size_t piece = 0;
    assert_int_equal(jobs_run(&j, &piece), E_IO);
    assert_int_equal(piece, 11);
    assert_true(l.told <= 11);
}

static void nothing_to_do(void **state)
{
    (void)state;
    static struct log l;
    struct jobs j = {.count = 0, .work = die, .result = keep, .ctx = &l};
    size_t piece;
    assert_int_equal(jobs_run(&j, &piece), 0);
    assert_int_equal(l.told, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_workers_gives_the_same),
        cmocka_unit_test(enough_is_enough),
        cmocka_unit_test(a_worker_that_dies_is_told),
        cmocka_unit_test(nothing_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
