/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The administrator's PC against a page that is there, is not, answers wrongly, goes and comes again. */
#include "models/actors/admin_pc.h"

#include <string.h>

#include "models/testkit/pipe.h"
#include "models/testkit/testkit.h"

#define PAGE "10.0.20.2:8443"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

struct world {
    struct pipe *p;
    struct core core;
};

static void world_new(struct world *w)
{
    const struct admin_pc_config cfg = {
        .page = kit_endpoint(PAGE), .at_ns = 2 * NS_S, .every_ns = 60 * NS_S, .patience_ns = 20 * NS_S};
    struct io *io = io_new("admin-pc", 1);
    w->p = pipe_new(10 * NS_MS);
    assert_int_equal(admin_pc_make(io, &cfg, &w->core), 0);
    pipe_host(w->p, &w->core, "10.1.9.10");
}

static void world_free(struct world *w)
{
    w->core.ops->free(w->core.self);
    io_free(w->core.io);
    pipe_free(w->p);
}

/* Expressway sends whoever asks for / to the page where one logs in. */
static void follows_to_the_login_page(void **state)
{
    (void)state;
    struct world w;
    world_new(&w);
    raw_listen(w.p, PAGE);
    static const char found[] = "HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n";
    for (unsigned i = 0; i < 2; i++) { /* once, not for ever */
        pipe_run_until(w.p, (2 + 60 * i) * NS_S + 500 * NS_MS);
        struct raw *r = raw_accepted(w.p, PAGE);
        assert_non_null(r);
        raw_send(w.p, r, found, strlen(found));
        pipe_run_for(w.p, 500 * NS_MS);
        assert_int_equal(pipe_count(w.p, "GET /login"), i + 1);
        raw_send(w.p, r, i ? found : OK, strlen(i ? found : OK));
        pipe_run_for(w.p, 500 * NS_MS);
        assert_true(r->eof);
    }
    assert_int_equal(pipe_count(w.p, "administration up page of " PAGE " over TCP"), 1);
    assert_int_equal(pipe_count(w.p, "administration lost the page of TCP " PAGE " does not open: HTTP status 302"), 1);
    world_free(&w);
}

/* The page's answer to the visit that is due by then. */
static void answer_at(struct world *w, uint64_t t_ns, const char *answer)
{
    pipe_run_until(w->p, t_ns + 500 * NS_MS);
    struct raw *r = raw_accepted(w->p, PAGE);
    assert_non_null(r);
    assert_true(r->got_len > 14 && memcmp(r->got, "GET / HTTP/1.1", 14) == 0);
    raw_send(w->p, r, answer, strlen(answer));
    pipe_run_for(w->p, 500 * NS_MS);
    assert_true(r->eof); /* the browser closes: nothing is kept for a minute */
}

static void opens_the_page_each_minute(void **state)
{
    (void)state;
    struct world w;
    world_new(&w);
    raw_listen(w.p, PAGE);
    for (unsigned i = 0; i < 3; i++)
        answer_at(&w, (2 + 60 * i) * NS_S, OK);
    assert_int_equal(pipe_count(w.p, "administration wanted"), 1);
    assert_int_equal(pipe_count(w.p, "administration up page of " PAGE " over TCP"), 1);
    assert_int_equal(pipe_count(w.p, "GET /"), 3);
    world_free(&w);
}

static void what_goes_wrong_is_said_once(void **state)
{
    (void)state;
    struct world w;
    world_new(&w);
    pipe_policy(w.p, PAGE, PIPE_BLACK_HOLE);
    pipe_run_until(w.p, 22 * NS_S - 1);
    assert_int_equal(pipe_count(w.p, "administration failed the page of TCP " PAGE " does not open: timed out"), 0);
    pipe_run_until(w.p, 150 * NS_S);
    assert_int_equal(pipe_count(w.p, "administration failed the page of TCP " PAGE " does not open: timed out"), 1);
    pipe_policy(w.p, PAGE, PIPE_ACCEPT);
    raw_listen(w.p, PAGE);
    answer_at(&w, 182 * NS_S, OK);
    answer_at(&w, 242 * NS_S, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(pipe_count(w.p, "administration lost the page of TCP " PAGE " does not open: HTTP status 503"), 1);
    answer_at(&w, 302 * NS_S, "what?");
    answer_at(&w, 362 * NS_S, OK);
    assert_int_equal(pipe_count(w.p, "administration up page of " PAGE " over TCP"), 2);
    world_free(&w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_the_page_each_minute),
        cmocka_unit_test(follows_to_the_login_page),
        cmocka_unit_test(what_goes_wrong_is_said_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
