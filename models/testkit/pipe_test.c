/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/testkit/pipe.h"

#include <string.h>

#include "models/base/err.h"
#include "models/testkit/testkit.h"

/* A core that listens, echoes, and joins each pair of connections that come to its second port. */
struct echo {
    struct io *io;
    io_id join, waiting;
    unsigned opened, closed, eofs, blocked, writable;
    int err;
    size_t longest;
};

static void echo_input(void *self, const struct io_in *in)
{
    struct echo *e = self;
    switch (in->event) {
    case IO_START: {
        struct endpoint echo = {.port = 7}, join = {.port = 8};
        io_listen(e->io, 1, &echo);
        e->join = io_listen(e->io, 2, &join);
        break;
    }
    case IO_ACCEPTED:
        if (in->other != e->join) {
            io_read(e->io, in->id, true);
        } else if (e->waiting) {
            io_splice(e->io, e->waiting, in->id);
            e->waiting = IO_NONE;
        } else {
            e->waiting = in->id;
        }
        break;
    case IO_DATA:
        e->longest = in->len > e->longest ? in->len : e->longest;
        io_send(e->io, in->id, in->data, in->len, "echo");
        break;
    case IO_EOF:
        e->eofs++;
        io_close(e->io, in->id);
        break;
    case IO_OPENED:
        e->opened++;
        break;
    case IO_FAILED:
    case IO_CLOSED:
        e->closed++;
        e->err = in->err;
        break;
    case IO_BLOCKED:
        e->blocked++;
        break;
    case IO_WRITABLE:
        e->writable++;
        break;
    default:
        break;
    }
}

static uint64_t echo_deadline(const void *self)
{
    (void)self;
    return TIME_NEVER;
}

static const struct core_ops echo_ops = {echo_input, echo_deadline, NULL};

struct world {
    struct pipe *p;
    struct io *io;
    struct echo echo;
};

static void world_new(struct world *w)
{
    *w = (struct world){.p = pipe_new(10 * NS_MS), .io = io_new("echo", 1)};
    w->echo.io = w->io;
    struct core core = {&echo_ops, &w->echo, w->io};
    pipe_host(w->p, &core, "10.0.0.1");
}

static void world_free(struct world *w)
{
    pipe_free(w->p);
    io_free(w->io);
}

static void connects_and_echoes(void **state)
{
    (void)state;
    struct world w;
    world_new(&w);
    pipe_run_until(w.p, NS_S);
    assert_int_equal(w.echo.opened, 2);
    struct raw *r = raw_connect(w.p, "10.0.0.2:1000", "10.0.0.1:7");
    raw_send(w.p, r, "hello", 5);
    pipe_run_for(w.p, 39 * NS_MS);
    assert_int_equal(r->got_len, 0);
    pipe_run_for(w.p, NS_MS); /* SYN, SYN-ACK, data, echo */
    assert_int_equal(r->got_len, 5);
    assert_memory_equal(r->got, "hello", 5);
    assert_string_equal(pipe_story(w.p, NULL, 0), "1.030 echo\n");
    raw_shutdown(w.p, r);
    pipe_run_for(w.p, NS_S);
    assert_true(r->eof);
    assert_int_equal(w.echo.eofs, 1);
    world_free(&w);
}

static void cut_bytes(void **state)
{
    (void)state;
    struct world w;
    world_new(&w);
    pipe_cut(w.p, 3);
    pipe_window(w.p, 5); /* two flights, each in pieces */
    struct raw *r = raw_connect(w.p, "10.0.0.2:1000", "10.0.0.1:7");
    raw_send(w.p, r, "0123456789", 10);
    pipe_run_until(w.p, NS_S);
    assert_int_equal(r->got_len, 10);
    assert_memory_equal(r->got, "0123456789", 10);
    assert_int_equal(w.echo.longest, 3);
    assert_string_equal(pipe_story(w.p, NULL, 0), "0.030 echo\n0.030 echo\n0.040 echo\n0.040 echo\n");
    world_free(&w);
}

static void policies(void **state)
{
    (void)state;
    static const struct {
        enum pipe_policy policy;
        int err;
        uint64_t ms;
    } table[] = {
        {PIPE_REFUSE, E_REFUSED, 20}, {PIPE_UNREACHABLE, E_UNREACHABLE, 20}, {PIPE_BLACK_HOLE, E_TIMED_OUT, 127020}};
    for (size_t i = 0; i < 3; i++) {
        struct world w;
        world_new(&w);
        pipe_policy(w.p, "10.0.0.1:0", table[i].policy);
        struct raw *r = raw_connect(w.p, "10.0.0.2:1000", "10.0.0.1:7");
        pipe_run_until(w.p, table[i].ms * NS_MS - 1);
        assert_int_equal(r->state, RAW_OPENING);
        pipe_run_until(w.p, table[i].ms * NS_MS);
        assert_int_equal(r->state, RAW_GONE);
        assert_int_equal(r->err, table[i].err);
        world_free(&w);
    }
}

/* A SYN into a hole that opens after a while gets through with its next repetition. */
static void black_hole_opens(void **state)
{
    (void)state;
    struct world w;
    world_new(&w);
    pipe_policy(w.p, "10.0.0.1:7", PIPE_BLACK_HOLE);
    struct raw *r = raw_connect(w.p, "10.0.0.2:1000", "10.0.0.1:7");
    pipe_run_until(w.p, 5 * NS_S);
    pipe_policy(w.p, "10.0.0.1:7", PIPE_ACCEPT);
    pipe_run_until(w.p, 7 * NS_S);
    assert_int_equal(r->state, RAW_OPEN);
    world_free(&w);
}

/* What is not read holds the sender back; read at last, every byte is there, in order. */
static void not_reading_holds_back(void **state)
{
    (void)state;
    enum { SIZE = 1000000 };
    static uint8_t block[SIZE];
    for (size_t i = 0; i < SIZE; i++)
        block[i] = (uint8_t)(i * 7 >> 3);
    struct world w;
    world_new(&w);
    struct raw *a = raw_connect(w.p, "10.0.0.2:1000", "10.0.0.1:8");
    pipe_run_until(w.p, NS_S);
    raw_send(w.p, a, block, SIZE);
    pipe_run_until(w.p, 2 * NS_S);
    assert_int_equal(raw_unsent(a), SIZE - 64 * 1024); /* waits at the host, unread */
    struct raw *b = raw_connect(w.p, "10.0.0.3:1000", "10.0.0.1:8");
    raw_read(w.p, b, false);
    pipe_run_until(w.p, 3 * NS_S);
    assert_true(raw_unsent(a) >= SIZE - 4 * 64 * 1024); /* spliced: the pair's buffers are bounded too */
    raw_read(w.p, b, true);
    raw_shutdown(w.p, a);
    pipe_run_until(w.p, 20 * NS_S);
    assert_int_equal(b->got_len, SIZE);
    assert_memory_equal(b->got, block, SIZE);
    assert_true(b->eof);
    assert_int_equal(w.echo.closed, 0); /* the other direction is still open */
    raw_send(w.p, b, "back", 4);
    raw_shutdown(w.p, b);
    pipe_run_until(w.p, 21 * NS_S);
    assert_true(a->eof);
    assert_int_equal(a->got_len, 4);
    assert_int_equal(w.echo.closed, 2);
    assert_int_equal(w.echo.err, 0);
    world_free(&w);
}

static void resets_reach_both(void **state)
{
    (void)state;
    struct world w;
    world_new(&w);
    struct raw *a = raw_connect(w.p, "10.0.0.2:1000", "10.0.0.1:8");
    struct raw *b = raw_connect(w.p, "10.0.0.3:1000", "10.0.0.1:8");
    pipe_run_until(w.p, NS_S);
    raw_abort(w.p, a);
    pipe_run_until(w.p, 2 * NS_S);
    assert_true(b->eof);
    assert_int_equal(w.echo.closed, 2);
    assert_int_equal(w.echo.err, E_RESET);
    world_free(&w);
}

static void blocked_and_writable(void **state)
{
    (void)state;
    static uint8_t block[600000];
    struct world w;
    world_new(&w);
    struct raw *r = raw_connect(w.p, "10.0.0.2:1000", "10.0.0.1:7");
    raw_read(w.p, r, false);
    raw_send(w.p, r, block, sizeof block);
    pipe_run_until(w.p, 20 * NS_S);
    assert_int_equal(w.echo.blocked, 1);
    assert_int_equal(w.echo.writable, 0);
    raw_read(w.p, r, true);
    pipe_run_until(w.p, 40 * NS_S);
    assert_int_equal(w.echo.writable, 1);
    assert_int_equal(r->got_len, sizeof block);
    world_free(&w);
}

static void simultaneous_open(void **state)
{
    (void)state;
    struct pipe *p = pipe_new(NS_MS);
    struct raw *a = raw_connect(p, "10.0.0.2:1", "10.0.0.3:2"), *b = raw_connect(p, "10.0.0.3:2", "10.0.0.2:1");
    raw_send(p, a, "x", 1);
    pipe_run_until(p, NS_S);
    assert_int_equal(a->state, RAW_OPEN);
    assert_int_equal(b->state, RAW_OPEN);
    assert_int_equal(b->got_len, 1);
    pipe_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connects_and_echoes), cmocka_unit_test(cut_bytes), cmocka_unit_test(policies),
        cmocka_unit_test(black_hole_opens), cmocka_unit_test(not_reading_holds_back),
        cmocka_unit_test(resets_reach_both), cmocka_unit_test(blocked_and_writable),
        cmocka_unit_test(simultaneous_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
