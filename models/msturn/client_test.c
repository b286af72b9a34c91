/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client alone in the pipe's world, with a relay played by hand, or with what is no relay at all. */
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/msturn/framing.h"
#include "models/msturn/msturn.h"
#include "models/testkit/pipe.h"
#include "models/testkit/testkit.h"

#define EDGE "192.168.1.252:443"
#define CLIENT_IP "172.16.0.5"
#define DELAY (10 * NS_MS)

struct world {
    struct pipe *p;
    struct ms_turn_client *client;
    struct core core;
    unsigned allocated, refused, gone, frames, blocked, writable;
    int code, err, active_code;
};

static void take_event(struct world *w, const struct ms_turn_event *ev)
{
    w->allocated += ev->kind == MS_TURN_ALLOCATED;
    w->frames += ev->kind == MS_TURN_FRAME;
    w->blocked += ev->kind == MS_TURN_BLOCKED;
    w->writable += ev->kind == MS_TURN_WRITABLE;
    if (ev->kind == MS_TURN_ACTIVE)
        w->active_code = ev->code;
    if (ev->kind == MS_TURN_REFUSED || ev->kind == MS_TURN_GONE) {
        w->refused += ev->kind == MS_TURN_REFUSED;
        w->gone += ev->kind == MS_TURN_GONE;
        w->code = ev->code;
        w->err = ev->err;
    }
}

static void client_input(void *self, const struct io_in *in)
{
    struct world *w = self;
    if (in->event == IO_START)
        ms_turn_client_start(w->client);
    ms_turn_client_input(w->client, in);
    struct ms_turn_event ev;
    while (ms_turn_client_poll(w->client, &ev))
        take_event(w, &ev);
}

static uint64_t client_deadline(const void *self)
{
    return ms_turn_client_deadline(((const struct world *)self)->client);
}

static const struct core_ops client_ops = {.input = client_input, .deadline = client_deadline};

static struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->p = pipe_new(DELAY);
    return w;
}

static void add_client(struct world *w)
{
    struct ms_turn_client_config cfg = {.server = kit_endpoint(EDGE), .user = "skype", .password = "password"};
    struct io *io = io_new("skype", 1);
    w->client = ms_turn_client_new(io, 3, &cfg);
    w->core = (struct core){&client_ops, w, io};
    pipe_host(w->p, &w->core, CLIENT_IP);
}

static void world_free(struct world *w)
{
    pipe_free(w->p);
    ms_turn_client_free(w->client);
    io_free(w->core.io);
    free(w);
}

static void send_text(struct world *w, const char *peer, const char *text)
{
    struct endpoint to = kit_endpoint(peer);
    ms_turn_client_send(w->client, &to, text, strlen(text), NULL);
}

/* What a relay (or something else) may do to the client, and what it makes of it. */
static void client_meets_failure(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        int policy;          /* -1: it connects */
        const char *answer;  /* sent when it has connected */
        size_t answer_len;
        bool close;
        int err;
        uint64_t at_ms;
    } rows[] = {
        {"refused", PIPE_REFUSE, NULL, 0, false, E_REFUSED, 20},
        {"black hole", PIPE_BLACK_HOLE, NULL, 0, false, E_TIMED_OUT, 127000},
        {"silent", -1, NULL, 0, false, E_TIMED_OUT, 10020},
        {"closes", -1, NULL, 0, true, E_RESET, 510},
        {"a real TLS alert", -1, "\x15\x03\x01\x00\x02\x02\x28", 7, false, E_MALFORMED, 510},
        {"not TLS", -1, "SSH-2.0-x\r\n", 11, false, E_MALFORMED, 510},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world *w = world_new();
        raw_listen(w->p, EDGE);
        if (rows[i].policy >= 0)
            pipe_policy(w->p, EDGE, (enum pipe_policy)rows[i].policy);
        add_client(w);
        pipe_run_until(w->p, 500 * NS_MS);
        struct raw *server = raw_accepted(w->p, EDGE);
        assert_int_equal(server != NULL, rows[i].policy < 0);
        if (rows[i].answer)
            raw_send(w->p, server, rows[i].answer, rows[i].answer_len);
        if (rows[i].close)
            raw_close(w->p, server);
        if (rows[i].at_ms > 500) {
            pipe_run_until(w->p, rows[i].at_ms * NS_MS - 1);
            assert_int_equal(w->refused, 0);
        }
        pipe_run_until(w->p, rows[i].at_ms * NS_MS + 500 * NS_MS);
        if (w->refused != 1 || w->err != rows[i].err)
            fail_msg("%s: %u refusals, err %s", rows[i].what, w->refused, err_text(w->err));
        pipe_run_until(w->p, 1000 * NS_S);
        assert_int_equal(w->refused, 1);
        world_free(w);
    }
}

/* ---- a relay by hand ---- */

static struct raw *fake_relay(struct world *w)
{
    raw_listen(w->p, EDGE);
    add_client(w);
    pipe_run_for(w->p, 100 * NS_MS);
    struct raw *r = raw_accepted(w->p, EDGE);
    assert_non_null(r);
    uint8_t hello[MS_HELLO_MAX];
    struct rng rng = rng_named(1, "relay");
    ms_hello_write(&ms_server_hello, &rng, hello);
    raw_send(w->p, r, hello, ms_server_hello.len);
    pipe_run_for(w->p, 100 * NS_MS);
    raw_forget(r, ms_client_hello.len);
    return r;
}

enum {
    MAPPED = 1,
    XOR_MAPPED = 2,
    LIFETIME = 4,
    SIGNED = 8,
    RIGHT_ID = 16,
    NONCE = 32,
    SEQUENCE = 64,
    FINE = 31
};
static const uint8_t sequence[MS_SEQUENCE_NUMBER] = {7, 7, 7, [MS_CONNECTION_ID + 3] = 40};

/* Answers the one request that came (or says something of its own), with what `with` has. */
static void fake_answer(struct world *w, struct raw *r, unsigned type, unsigned with, int code)
{
    static struct ms_unit u;
    struct stun_msg request;
    struct stun_id id = {{0}};
    uint8_t key[16];
    struct endpoint at = kit_endpoint("192.0.2.10:50000");
    if (with & RIGHT_ID) {
        assert_int_equal(
            stun_parse(&stun_ms_turn, r->got + MS_UNIT_HEADER, r->got_len - MS_UNIT_HEADER, &request), 0);
        id = request.id;
    }
    raw_forget(r, r->got_len);
    stun_long_term_key("skype", "edge", "password", key);
    struct stun_out o;
    stun_begin(&o, &stun_ms_turn, u.bytes + MS_UNIT_HEADER, MS_UNIT_MAX, (uint16_t)type, &id);
    if (with & MAPPED)
        stun_put_address(&o, ATTR_MAPPED_ADDRESS, &at);
    if (with & XOR_MAPPED)
        stun_put_address(&o, ATTR_MS_XOR_MAPPED_ADDRESS, &at);
    if (with & LIFETIME)
        stun_put_u32(&o, ATTR_LIFETIME, 100);
    if (with & SEQUENCE)
        stun_put(&o, ATTR_MS_SEQUENCE_NUMBER, sequence, sizeof sequence);
    if (code)
        stun_put_error(&o, code, NULL);
    if (with & NONCE) {
        stun_put_text(&o, ATTR_REALM, "edge");
        stun_put_text(&o, ATTR_NONCE, "0123456789");
    }
    if (with & SIGNED)
        stun_put_integrity(&o, key, sizeof key, false);
    raw_send(w->p, r, u.bytes, ms_unit_close(&u, MS_UNIT_CONTROL, (size_t)stun_end(&o)));
    pipe_run_for(w->p, 100 * NS_MS);
}

/* What the client makes of the answer to its Allocate with credentials. */
static void answers_to_allocate(void **state)
{
    (void)state;
    static const struct {
        unsigned type, with;
        int code;
        unsigned allocated, refused;
        int err; /* told when refused at once; 0 with a code */
    } rows[] = {
        {0x0103, FINE, 0, 1, 0, 0},
        {0x0103, FINE & ~(unsigned)MAPPED, 0, 0, 1, E_MALFORMED},
        {0x0103, FINE & ~(unsigned)XOR_MAPPED, 0, 0, 1, E_MALFORMED},
        {0x0103, FINE & ~(unsigned)LIFETIME, 0, 0, 1, E_MALFORMED},
        {0x0103, FINE & ~(unsigned)SIGNED, 0, 0, 0, E_TIMED_OUT},   /* not from who knows the password */
        {0x0103, FINE & ~(unsigned)RIGHT_ID, 0, 0, 0, E_TIMED_OUT}, /* no answer to what was asked */
        {0x0113, RIGHT_ID, 300, 0, 1, 0},
        {0x0113, RIGHT_ID | NONCE, 401, 0, 1, 0}, /* a second time: the password is wrong */
        {0x0113, RIGHT_ID, 438, 0, 1, 0},         /* without what to do about it */
        {0x0113, RIGHT_ID | NONCE, 438, 0, 0, E_TIMED_OUT}, /* asks again */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world *w = world_new();
        struct raw *r = fake_relay(w);
        fake_answer(w, r, 0x0113, RIGHT_ID | NONCE, 401);
        assert_int_equal(pipe_count(w->p, "MS-TURN Allocate request"), 2);
        fake_answer(w, r, rows[i].type, rows[i].with, rows[i].code);
        assert_int_equal(w->allocated, rows[i].allocated);
        assert_int_equal(w->refused, rows[i].refused);
        bool again = rows[i].code == 438 && rows[i].with & NONCE;
        assert_int_equal(pipe_count(w->p, "MS-TURN Allocate request"), again ? 3 : 2);
        pipe_run_for(w->p, 20 * NS_S);
        assert_int_equal(w->allocated + w->refused, 1);
        assert_int_equal(w->err, rows[i].err);
        assert_int_equal(w->code, rows[i].err || !rows[i].code ? 0 : rows[i].code);
        assert_int_equal(r->eof, !rows[i].allocated); /* refused, it hangs up */
        world_free(w);
    }
}

/* A relay by hand that has allocated. */
static struct raw *fake_allocation(struct world *w)
{
    struct raw *r = fake_relay(w);
    fake_answer(w, r, 0x0113, RIGHT_ID | NONCE, 401);
    fake_answer(w, r, 0x0103, FINE | SEQUENCE, 0);
    assert_int_equal(w->allocated, 1);
    return r;
}

/* The one message that came, or fails. */
static struct stun_msg only_message(const struct raw *r)
{
    struct stun_msg m;
    assert_int_equal(stun_parse(&stun_ms_turn, r->got + MS_UNIT_HEADER, r->got_len - MS_UNIT_HEADER, &m), 0);
    return m;
}

/* How an allocation is lost, each told once: an error to the refresh, silence, the connection's end,
 * nonsense. */
static void allocation_is_lost(void **state)
{
    (void)state;
    for (unsigned how = 0; how < 5; how++) {
        struct world *w = world_new();
        struct raw *r = fake_allocation(w);
        size_t asked = pipe_count(w->p, "MS-TURN Allocate request");
        if (how < 2) {
            pipe_run_for(w->p, 49 * NS_S); /* LIFETIME is 100 s: half of it */
            assert_int_equal(pipe_count(w->p, "MS-TURN Allocate request"), asked);
            pipe_run_for(w->p, 2 * NS_S);
            assert_int_equal(pipe_count(w->p, "MS-TURN Allocate request"), asked + 1);
        }
        if (how == 0)
            fake_answer(w, r, 0x0113, RIGHT_ID, 437);
        else if (how == 2)
            raw_close(w->p, r);
        else if (how == 3)
            raw_abort(w->p, r);
        else if (how == 4)
            raw_send(w->p, r, "\x17\x03\x03", 3);
        pipe_run_for(w->p, 10 * NS_S);
        assert_int_equal(w->gone, 1);
        static const int errs[] = {0, E_TIMED_OUT, E_RESET, E_RESET, E_MALFORMED};
        assert_int_equal(w->err, errs[how]);
        assert_int_equal(w->code, how == 0 ? 437 : 0);
        pipe_run_for(w->p, 1000 * NS_S);
        assert_int_equal(w->gone + w->refused, 1);
        world_free(w);
    }
}

/* Given up in the middle, at each stage: the connection is closed and nothing more is said. */
static void release_at_any_time(void **state)
{
    (void)state;
    for (unsigned stage = 0; stage < 3; stage++) {
        struct world *w = world_new();
        if (stage < 2) { /* connecting, waiting for the ServerHello */
            raw_listen(w->p, EDGE);
            add_client(w);
            pipe_run_for(w->p, stage == 0 ? 5 * NS_MS : 100 * NS_MS);
        } else {
            fake_answer(w, fake_relay(w), 0x0113, RIGHT_ID | NONCE, 401);
        }
        ms_turn_client_release(w->client);
        pipe_run_for(w->p, 100 * NS_S);
        assert_int_equal(w->allocated + w->refused + w->gone, 0);
        assert_true(ms_turn_client_deadline(w->client) == TIME_NEVER);
        world_free(w);
    }
}

/* An allocation is deleted by LIFETIME 0, also when the nonce has become stale; then the client hangs up. */
static void release_is_an_allocate_of_nothing(void **state)
{
    (void)state;
    for (unsigned stale = 0; stale < 2; stale++) {
        struct world *w = world_new();
        struct raw *r = fake_allocation(w);
        ms_turn_client_release(w->client);
        pipe_run_for(w->p, 100 * NS_MS);
        if (stale)
            fake_answer(w, r, 0x0113, RIGHT_ID | NONCE, 438);
        struct stun_msg m = only_message(r);
        uint32_t lifetime_s;
        assert_int_equal(stun_get_u32(&m, ATTR_LIFETIME, &lifetime_s), 0);
        assert_int_equal(lifetime_s, 0);
        assert_false(r->eof);
        fake_answer(w, r, 0x0103, SIGNED | RIGHT_ID, 0);
        assert_true(r->eof);
        assert_int_equal(w->refused + w->gone, 0);
        world_free(w);
    }
}

/* MST-11: each message counts the sequence number up that the Allocate response began. */
static void sequence_numbers(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct raw *r = fake_allocation(w);
    for (unsigned i = 1; i <= 3; i++) {
        send_text(w, "203.0.113.1:7000", "x");
        pipe_run_for(w->p, 100 * NS_MS);
        struct stun_msg m = only_message(r);
        struct stun_attr seq, realm;
        assert_true(stun_find(&m, ATTR_MS_SEQUENCE_NUMBER, &seq));
        assert_int_equal(seq.len, MS_SEQUENCE_NUMBER);
        assert_memory_equal(seq.value, sequence, MS_CONNECTION_ID);
        assert_int_equal(load32(seq.value + MS_CONNECTION_ID), 40 + i);
        assert_false(stun_find(&m, ATTR_REALM, &realm));
        raw_forget(r, r->got_len);
    }
    world_free(w);
}

/* What makes no sense yet is not sent, and not believed. */
static void out_of_order(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct raw *r = fake_relay(w);
    send_text(w, "203.0.113.1:7000", "too early");
    static const uint8_t raw_unit[] = {MS_UNIT_DATA, 0, 0, 1, 'x'};
    static struct ms_unit u;
    struct stun_out o;
    struct stun_id id = {{1}};
    struct endpoint from = kit_endpoint("203.0.113.1:7000");
    stun_begin(&o, &stun_ms_turn, u.bytes + MS_UNIT_HEADER, MS_UNIT_MAX, MS_TURN_DATA_INDICATION, &id);
    stun_put_address(&o, ATTR_MS_REMOTE_ADDRESS, &from);
    stun_put(&o, ATTR_DATA, "x", 1);
    size_t size = ms_unit_close(&u, MS_UNIT_CONTROL, (size_t)stun_end(&o));
    raw_send(w->p, r, u.bytes, size);
    raw_send(w->p, r, raw_unit, sizeof raw_unit);
    fake_answer(w, r, 0x0113, RIGHT_ID | NONCE, 401);
    fake_answer(w, r, 0x0103, FINE, 0);
    assert_int_equal(w->allocated, 1);
    assert_int_equal(pipe_count(w->p, "MS-TURN Send"), 0);
    assert_int_equal(w->frames, 0);
    raw_send(w->p, r, raw_unit, sizeof raw_unit); /* nobody is active */
    raw_send(w->p, r, u.bytes, size);
    pipe_run_for(w->p, 100 * NS_MS);
    assert_int_equal(w->frames, 1);
    world_free(w);
}

/* Refused, the destination is not active: what is sent to it goes in Send requests, as before. One request at
 * a time. */
static void active_destination_refused(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct raw *r = fake_allocation(w);
    struct endpoint to = kit_endpoint("203.0.113.1:7000");
    ms_turn_client_set_active(w->client, &to);
    ms_turn_client_set_active(w->client, &to);
    pipe_run_for(w->p, 100 * NS_MS);
    assert_int_equal(pipe_count(w->p, "MS-TURN Set Active Destination request"), 1);
    fake_answer(w, r, 0x0116, RIGHT_ID, 400);
    assert_int_equal(w->active_code, 400);
    send_text(w, "203.0.113.1:7000", "x");
    pipe_run_for(w->p, 100 * NS_MS);
    assert_int_equal(pipe_count(w->p, "MS-TURN Send"), 1);
    world_free(w);
}

/* The relay does not read: the client says so, and says when it does. */
static void slow_relay_blocks_the_client(void **state)
{
    (void)state;
    static const uint8_t frame[1400];
    struct world *w = world_new();
    struct raw *r = fake_allocation(w);
    raw_read(w->p, r, false);
    struct endpoint to = kit_endpoint("203.0.113.1:7000");
    for (unsigned i = 0; i < 400; i++)
        ms_turn_client_send(w->client, &to, frame, sizeof frame, NULL);
    pipe_run_for(w->p, 1 * NS_S);
    assert_int_equal(w->blocked, 1);
    assert_int_equal(w->writable, 0);
    raw_read(w->p, r, true);
    pipe_run_for(w->p, 5 * NS_S);
    assert_int_equal(w->writable, 1);
    world_free(w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_meets_failure),
        cmocka_unit_test(answers_to_allocate),
        cmocka_unit_test(allocation_is_lost),
        cmocka_unit_test(release_at_any_time),
        cmocka_unit_test(release_is_an_allocate_of_nothing),
        cmocka_unit_test(sequence_numbers),
        cmocka_unit_test(out_of_order),
        cmocka_unit_test(active_destination_refused),
        cmocka_unit_test(slow_relay_blocks_the_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
