/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client against a scripted server: the client rows of the requirement catalogues, each test named after its
 * rows. */
#include <stdio.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/hash.h"
#include "models/stun/stun.h"
#include "models/testkit/pipe.h"
#include "models/testkit/testkit.h"
#include "models/turn/turn_client.h"

#define SERVER "192.0.2.1:3478"
#define PEER "203.0.113.9:80"
#define COUNT(a) (sizeof(a) / sizeof *(a))

/* The client on its host, and the last request that the server has seen. */
struct world {
    struct pipe *p;
    struct io *io;
    struct turn_client *client;
    struct turn_client_event events[64];
    size_t count, seen, unasked; /* bytes that came on a bound connection though nobody reads it */
    struct raw *ctrl;
    struct stun_msg m;
    uint8_t buf[2048];
    char early[32];
};

static void client_input(void *self, const struct io_in *in)
{
    struct world *w = self;
    for (size_t i = 0; i < w->count; i++)
        if (w->events[i].kind == TURN_CLIENT_BOUND && in->event == IO_DATA && in->id == w->events[i].data)
            w->unasked += in->len;
    turn_client_input(w->client, in);
    while (w->count < 64 && turn_client_poll(w->client, &w->events[w->count])) {
        struct turn_client_event *ev = &w->events[w->count++];
        if (ev->bytes_len && ev->bytes_len < sizeof w->early)
            memcpy(w->early, ev->bytes, ev->bytes_len);
    }
}

static uint64_t client_deadline(const void *self)
{
    return turn_client_deadline(((const struct world *)self)->client);
}

static const struct core_ops client_ops = {client_input, client_deadline, NULL};

static void run(struct world *w, uint64_t ns)
{
    pipe_run_for(w->p, ns);
    client_input(w, &(struct io_in){.event = IO_TICK}); /* what direct calls have made */
    pipe_run_for(w->p, 0);
}

static void world_on(struct world *w, const struct turn_client_profile *profile, uint32_t lifetime_s)
{
    struct turn_client_config cfg = {.profile = profile, .server = kit_endpoint(SERVER), .user = "alice",
                                     .password = "secret", .lifetime_s = lifetime_s};
    *w = (struct world){.p = pipe_new(NS_MS), .io = io_new("client", 1)};
    w->client = turn_client_new(w->io, 1, &cfg);
    assert_non_null(w->client);
    struct core core = {&client_ops, w, w->io};
    pipe_host(w->p, &core, "10.0.0.2");
    raw_listen(w->p, SERVER);
    pipe_run_until(w->p, NS_S);
    turn_client_start(w->client);
    run(w, 100 * NS_MS);
    w->ctrl = raw_accepted(w->p, SERVER);
    assert_non_null(w->ctrl);
}

static void end(struct world *w)
{
    turn_client_free(w->client);
    pipe_free(w->p);
    io_free(w->io);
}

/* The next request on a connection, into w->m: its type, 0 when there is none. */
static unsigned next(struct world *w, struct raw *r)
{
    long n = stun_stream_len(&stun_rfc8489, r->got, r->got_len, sizeof w->buf);
    assert_true(n >= 0);
    if (n == 0 || (size_t)n > r->got_len)
        return 0;
    memcpy(w->buf, r->got, (size_t)n);
    raw_forget(r, (size_t)n);
    assert_int_equal(stun_parse(&stun_rfc8489, w->buf, (size_t)n, &w->m), 0);
    return w->m.type;
}

enum { MAC = 1, FINGERPRINT = 2, BAD = 4 };

static void alice(uint8_t key[16])
{
    stun_long_term_key("alice", "example.org", "secret", key);
}

/* A message with these attributes in hex; flags: what stands behind them, and whether it is wrong. */
static void say(struct world *w, struct raw *r, unsigned type, const struct stun_id *id, const char *attrs, int flags)
{
    uint8_t buf[1024], b[512], key[16];
    struct stun_out o;
    size_t n = kit_hex(attrs, b, sizeof b);
    stun_begin(&o, &stun_rfc8489, buf, sizeof buf, (uint16_t)type, id);
    for (size_t at = 0; at + 4 <= n; at += 4 + ((load16(b + at + 2) + 3u) & ~3u))
        stun_put(&o, (enum stun_attr_type)load16(b + at), b + at + 4, load16(b + at + 2));
    alice(key);
    if (flags & MAC)
        stun_put_integrity(&o, key, sizeof key, false);
    if (flags & FINGERPRINT)
        stun_put_fingerprint(&o);
    long len = stun_end(&o);
    buf[len - 1] ^= flags & BAD ? 1 : 0;
    raw_send(w->p, r, buf, (size_t)len);
    run(w, 100 * NS_MS);
}

/* The answer to the request that next() has shown. */
static void answer(struct world *w, struct raw *r, bool success, const char *attrs, int flags)
{
    struct stun_id id = w->m.id;
    say(w, r, stun_type(success ? STUN_SUCCESS : STUN_ERROR, w->m.method), &id, attrs, flags);
}

#define CODE(hex) "00090004 0000" hex " "
#define REALM "0014000b 6578616d706c652e6f726700 "
#define NONCE(last) "00150004 6e6f6e" last " "
#define ALLOCATED "00160008 0001e242e112a64d 00200008 00013a4ae112a643 000d0004 "

static void challenge(struct world *w)
{
    assert_int_equal(next(w, w->ctrl), 0x0003);
    answer(w, w->ctrl, false, CODE("0401") REALM NONCE("31"), 0);
    assert_int_equal(next(w, w->ctrl), 0x0003);
}

static void allocate(struct world *w, const char *lifetime)
{
    char attrs[128];
    snprintf(attrs, sizeof attrs, ALLOCATED "%s", lifetime);
    challenge(w);
    answer(w, w->ctrl, true, attrs, MAC);
}

static void world_live(struct world *w)
{
    world_on(w, &turn_client_plain, 0);
    allocate(w, "00000258");
}

/* The next event, NULL: none. */
static const struct turn_client_event *event(struct world *w)
{
    return w->seen < w->count ? &w->events[w->seen++] : NULL;
}

static void assert_event(struct world *w, enum turn_client_event_kind kind, int code, int err)
{
    const struct turn_client_event *ev = event(w);
    assert_non_null(ev);
    assert_int_equal(ev->kind, kind);
    assert_int_equal(ev->code, code);
    assert_int_equal(ev->err, err);
}

static bool has(const struct world *w, enum stun_attr_type type)
{
    struct stun_attr a;
    return stun_find(&w->m, type, &a);
}

static bool authentic(const struct world *w)
{
    uint8_t key[16];
    alice(key);
    return stun_check_integrity(&w->m, key, sizeof key) == 0;
}

/* ---- Allocate ---- */

static void allocation(void **state)
{
    (void)state;
    struct world w;
    world_on(&w, &turn_client_plain, 0);
    uint32_t v;
    struct stun_id first;
    assert_int_equal(next(&w, w.ctrl), 0x0003); /* 4.1-3 */
    first = w.m.id;
    assert_int_equal(stun_get_u32(&w.m, ATTR_REQUESTED_TRANSPORT, &v), 0);
    assert_int_equal(v, 0x06000000); /* 4.1-4 */
    static const enum stun_attr_type not_there[] = {
        ATTR_DONT_FRAGMENT, ATTR_RESERVATION_TOKEN, ATTR_EVEN_PORT, /* 4.1-5..7 */
        ATTR_USERNAME, ATTR_REALM, ATTR_NONCE, ATTR_MESSAGE_INTEGRITY, /* 8489-9.2.3-1 */
    };
    for (size_t i = 0; i < COUNT(not_there); i++)
        assert_false(has(&w, not_there[i]));
    answer(&w, w.ctrl, false, CODE("0401") REALM NONCE("31"), 0);
    assert_int_equal(next(&w, w.ctrl), 0x0003); /* 4.1-9: on the same connection */
    assert_memory_not_equal(w.m.id.b, first.b, 16);
    assert_true(authentic(&w));
    answer(&w, w.ctrl, false, CODE("0426") REALM NONCE("32"), 0); /* 438 */
    assert_int_equal(next(&w, w.ctrl), 0x0003);
    const char *s;
    size_t len;
    assert_int_equal(stun_get_text(&w.m, ATTR_NONCE, &s, &len), 0);
    assert_memory_equal(s, "non2", 4);
    answer(&w, w.ctrl, true, ALLOCATED "00000258", MAC | FINGERPRINT);
    const struct turn_client_event *ev = event(&w);
    struct endpoint relayed = kit_endpoint("192.0.2.15:50000"), mapped = kit_endpoint("192.0.2.1:7000");
    assert_int_equal(ev->kind, TURN_CLIENT_ALLOCATED);
    assert_true(endpoint_equal(&ev->relayed, &relayed) && endpoint_equal(&ev->mapped, &mapped));
    end(&w);
}

/* 4.1-10, 8656-7.4-3, -8, -9, -10: these end it, and are not asked again. 8489-6.3.4-1, -6.3.3-1: broken answers. */
static void allocate_refused(void **state)
{
    (void)state;
    static const struct {
        const char *attrs;
        bool success;
        int code, err;
    } table[] = {
        {CODE("0400"), false, 400, 0},          {CODE("0403"), false, 403, 0},
        {CODE("0429"), false, 441, 0},          {CODE("042a"), false, 442, 0},
        {CODE("0428"), false, 440, 0},          {CODE("0456"), false, 486, 0},
        {CODE("0508"), false, 508, 0},          {CODE("0414"), false, 420, 0},
        {"", false, 0, E_MALFORMED},            {CODE("0463") "7abc0000", false, 0, E_UNSUPPORTED},
        {ALLOCATED "00000258 7abc0000", true, 0, E_UNSUPPORTED},
        {"000d0004 00000258", true, 0, E_MALFORMED}, /* no relayed address */
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct world w;
        world_on(&w, &turn_client_plain, 0);
        challenge(&w);
        answer(&w, w.ctrl, table[i].success, table[i].attrs, MAC);
        assert_event(&w, TURN_CLIENT_REFUSED, table[i].code, table[i].err);
        assert_true(w.ctrl->eof);
        run(&w, 100 * NS_S);
        assert_null(raw_accepted(w.p, SERVER));
        assert_null(event(&w));
        end(&w);
    }
}

/* 8489-9.2.5-5, 8656-7.4-4: a 401 to credentials ends it; 438 for ever does too. */
static void no_endless_loops(void **state)
{
    (void)state;
    struct world w;
    world_on(&w, &turn_client_plain, 0);
    challenge(&w);
    answer(&w, w.ctrl, false, CODE("0401") REALM NONCE("32"), 0);
    assert_int_equal(next(&w, w.ctrl), 0);
    assert_event(&w, TURN_CLIENT_REFUSED, 401, 0);
    end(&w);
    world_on(&w, &turn_client_plain, 0);
    challenge(&w);
    unsigned asked = 1;
    do
        answer(&w, w.ctrl, false, CODE("0426") REALM NONCE("32"), 0);
    while (next(&w, w.ctrl) && ++asked < 50);
    assert_int_equal(asked, 4);
    assert_event(&w, TURN_CLIENT_REFUSED, 438, 0);
    end(&w);
}

/* 8656-7.4-6: 437: from another local address, up to three. */
static void address_in_use(void **state)
{
    (void)state;
    struct world w;
    world_on(&w, &turn_client_plain, 0);
    uint16_t ports[3];
    for (unsigned i = 0; i < 3; i++) {
        ports[i] = w.ctrl->remote.port;
        assert_true(i == 0 || ports[i] != ports[i - 1]);
        assert_int_equal(next(&w, w.ctrl), 0x0003);
        if (i == 0) {
            answer(&w, w.ctrl, false, CODE("0401") REALM NONCE("31"), 0);
            assert_int_equal(next(&w, w.ctrl), 0x0003);
        }
        assert_null(event(&w));
        answer(&w, w.ctrl, false, CODE("0425"), MAC);
        struct raw *again = raw_accepted(w.p, SERVER);
        assert_int_equal(again != NULL, i < 2);
        w.ctrl = again;
    }
    assert_event(&w, TURN_CLIENT_REFUSED, 437, 0);
    end(&w);
}

/* 8656-7.4-2, 8489-10-2, 14.8-4: to the alternate if the MAC is good, and not in a circle. 6062-4.3-4, 4.4-3: data
 * connections go there too. */
static void redirected(void **state)
{
    (void)state;
    for (int back = 0; back < 2; back++) {
        struct world w;
        struct endpoint peer = kit_endpoint(PEER);
        world_on(&w, &turn_client_plain, 0);
        raw_listen(w.p, "192.0.2.2:3478");
        challenge(&w);
        answer(&w, w.ctrl, false, CODE("0300") "80230008 00010d96 c0000202", 0); /* not authentic: ignored */
        assert_null(raw_accepted(w.p, "192.0.2.2:3478"));
        answer(&w, w.ctrl, false, CODE("0300") "80230008 00010d96 c0000202", MAC);
        w.ctrl = raw_accepted(w.p, "192.0.2.2:3478");
        assert_non_null(w.ctrl);
        assert_int_equal(next(&w, w.ctrl), 0x0003);
        if (back) {
            answer(&w, w.ctrl, false, CODE("0300") "80230008 00010d96 c0000201", MAC);
            assert_event(&w, TURN_CLIENT_REFUSED, 300, 0);
        } else {
            answer(&w, w.ctrl, true, ALLOCATED "00000258", MAC);
            assert_int_equal(turn_client_connect(w.client, &peer), 0);
            run(&w, 10 * NS_MS);
            assert_int_equal(next(&w, w.ctrl), 0x000a);
            answer(&w, w.ctrl, true, "002a0004 01020304", MAC);
            run(&w, 10 * NS_MS);
            assert_non_null(raw_accepted(w.p, "192.0.2.2:3478"));
            assert_null(raw_accepted(w.p, SERVER));
        }
        end(&w);
    }
}

/* 8489-9.2.5-1 to -4, -10: password algorithms, and the user's hash instead of the name. */
static void password_algorithms(void **state)
{
    (void)state;
#define PROMISE "0015000d 6f624d61744a6f73 3267414141 000000 " /* "obMatJos2gAAA": algorithms are offered */
#define BOTH "0015000d 6f624d61744a6f73 3277414141 000000 "    /* "obMatJos2wAAA": user hashes are taken, too */
    static const struct {
        const char *attrs;
        uint32_t chosen; /* 0: no retry */
        bool hash;
    } table[] = {
        {PROMISE, 0, false},
        {PROMISE "80020008 0002000000010000", 2, false},
        {PROMISE "80020008 0009000000010000", 1, false},
        {PROMISE "80020004 00090000", 0, false},
        {BOTH "80020008 0002000000010000", 2, true},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct world w;
        char attrs[256];
        world_on(&w, &turn_client_plain, 0);
        assert_int_equal(next(&w, w.ctrl), 0x0003);
        snprintf(attrs, sizeof attrs, CODE("0401") REALM "%s", table[i].attrs);
        answer(&w, w.ctrl, false, attrs, 0);
        assert_int_equal(next(&w, w.ctrl), table[i].chosen ? 0x0003 : 0);
        if (table[i].chosen) {
            struct stun_attr a;
            uint8_t key[32];
            uint32_t algorithm;
            assert_int_equal(stun_get_u32(&w.m, ATTR_PASSWORD_ALGORITHM, &algorithm), 0);
            assert_int_equal(algorithm >> 16, table[i].chosen);
            assert_true(stun_find(&w.m, ATTR_PASSWORD_ALGORITHMS, &a));
            assert_int_equal(a.len, 8);
            assert_false(has(&w, ATTR_MESSAGE_INTEGRITY));
            assert_int_equal(has(&w, ATTR_USERNAME), !table[i].hash);
            assert_int_equal(stun_find(&w.m, ATTR_USERHASH, &a), table[i].hash);
            sha256("alice:example.org", 17, key);
            if (table[i].hash)
                assert_memory_equal(a.value, key, 32);
            sha256("alice:example.org:secret", 24, key);
            if (table[i].chosen == 1)
                alice(key);
            assert_int_equal(stun_check_integrity_sha256(&w.m, key, table[i].chosen == 1 ? 16 : 32), 0);
        } else {
            assert_event(&w, TURN_CLIENT_REFUSED, 401, 0);
        }
        end(&w);
    }
}

/* 8489-9.2.5-7 to -9, G-6: a 400 without MAC has not come, nor has what promises algorithms and lists none, nor what
 * has a wrong FINGERPRINT; another answer without a good MAC ends it at once. */
static void forged_answers(void **state)
{
    (void)state;
    static const struct {
        bool success;
        const char *attrs;
        int flags, err; /* 0: ignored */
    } table[] = {
        {false, CODE("0400"), 0, 0},
        {false, CODE("0403"), 0, E_INTEGRITY},
        {true, ALLOCATED "00000258", 0, E_INTEGRITY},
        {true, ALLOCATED "00000258", MAC | BAD, E_INTEGRITY},
        {true, ALLOCATED "00000258", MAC | FINGERPRINT | BAD, 0},
        {true, PROMISE ALLOCATED "00000258", MAC, 0},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct world w;
        world_on(&w, &turn_client_plain, 0);
        challenge(&w);
        answer(&w, w.ctrl, table[i].success, table[i].attrs, table[i].flags);
        if (table[i].err)
            assert_event(&w, TURN_CLIENT_REFUSED, 0, table[i].err);
        else
            assert_null(event(&w));
        run(&w, 40 * NS_S); /* 6.2.2-2 */
        if (!table[i].err)
            assert_event(&w, TURN_CLIENT_REFUSED, 0, E_TIMED_OUT);
        end(&w);
    }
}

/* 8489-6.2.2-1, -2: asked once over TCP, given up 39.5 s after the request. */
static void silent_server(void **state)
{
    (void)state;
    struct world w;
    world_on(&w, &turn_client_plain, 0);
    uint64_t asked = NS_S + 2 * NS_MS; /* SYN and SYN-ACK */
    pipe_run_until(w.p, asked + 39500 * NS_MS - 1);
    assert_null(event(&w));
    pipe_run_until(w.p, asked + 39500 * NS_MS);
    assert_event(&w, TURN_CLIENT_REFUSED, 0, E_TIMED_OUT);
    assert_string_equal(pipe_story(w.p, NULL, 0), "1.002 Allocate request\n");
    end(&w);
}

static void no_server(void **state)
{
    (void)state;
    static const struct {
        enum pipe_policy policy;
        int err;
        uint64_t within_ms;
    } table[] = {
        {PIPE_REFUSE, E_REFUSED, 10}, {PIPE_UNREACHABLE, E_UNREACHABLE, 10}, {PIPE_BLACK_HOLE, E_TIMED_OUT, 39500},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct world w = {.p = pipe_new(NS_MS), .io = io_new("client", 1)};
        struct turn_client_config cfg = {.profile = &turn_client_plain, .server = kit_endpoint(SERVER),
                                         .user = "alice", .password = "secret"};
        w.client = turn_client_new(w.io, 1, &cfg);
        struct core core = {&client_ops, &w, w.io};
        pipe_host(w.p, &core, "10.0.0.2");
        pipe_policy(w.p, SERVER, table[i].policy);
        pipe_run_until(w.p, NS_S);
        turn_client_start(w.client);
        pipe_run_for(w.p, table[i].within_ms * NS_MS);
        assert_event(&w, TURN_CLIENT_REFUSED, 0, table[i].err);
        end(&w);
    }
}

/* ---- Refresh ---- */

/* 4.1-8, 4.2-1, -2, 4.6-1: by the lifetime that was answered, a minute before it ends, on CTRL, each time. */
static void refreshes(void **state)
{
    (void)state;
    struct world w;
    world_on(&w, &turn_client_plain, 0);
    allocate(&w, "0000012c"); /* 300 */
    static const char *const granted[] = {"000d0004 0000012c", "000d0004 00000064", "000d0004 00000258"};
    static const uint64_t until_ms[] = {240000, 240000, 50000};
    for (size_t i = 0; i < COUNT(granted); i++) {
        uint64_t since = pipe_now(w.p);
        pipe_run_until(w.p, since + (until_ms[i] - 200) * NS_MS);
        assert_int_equal(next(&w, w.ctrl), 0);
        pipe_run_until(w.p, since + (until_ms[i] + 10) * NS_MS);
        assert_int_equal(next(&w, w.ctrl), 0x0004);
        assert_true(authentic(&w));
        answer(&w, w.ctrl, true, granted[i], MAC);
    }
    assert_event(&w, TURN_CLIENT_ALLOCATED, 0, 0);
    assert_null(event(&w));
    end(&w);
}

static void refresh_fails(void **state) /* 8656-5-8, 8.3-1 */
{
    (void)state;
    struct world w;
    world_live(&w);
    event(&w);
    run(&w, 541 * NS_S);
    assert_int_equal(next(&w, w.ctrl), 0x0004);
    answer(&w, w.ctrl, false, CODE("0426") REALM NONCE("39"), MAC); /* 438: with the new nonce */
    assert_int_equal(next(&w, w.ctrl), 0x0004);
    answer(&w, w.ctrl, false, CODE("0425"), MAC);
    assert_event(&w, TURN_CLIENT_GONE, 437, 0);
    assert_null(event(&w));
    end(&w);
}

static void release(void **state) /* 8656-8-2, 8.3-1: 437 to the deletion is success */
{
    (void)state;
    for (int gone = 0; gone < 2; gone++) {
        struct world w;
        uint32_t lifetime;
        world_live(&w);
        event(&w);
        turn_client_release(w.client);
        run(&w, NS_S);
        assert_int_equal(next(&w, w.ctrl), 0x0004);
        assert_int_equal(stun_get_u32(&w.m, ATTR_LIFETIME, &lifetime), 0);
        assert_int_equal(lifetime, 0);
        answer(&w, w.ctrl, !gone, gone ? CODE("0425") : "000d0004 00000000", MAC);
        assert_true(w.ctrl->eof);
        assert_null(event(&w));
        assert_int_equal(turn_client_connect(w.client, &(struct endpoint){0}), E_NOT_FOUND);
        end(&w);
    }
}

static void control_lost(void **state) /* 8489-6.2.2-3 */
{
    (void)state;
    for (int reset = 0; reset < 2; reset++) {
        struct world w;
        struct endpoint peer = kit_endpoint(PEER);
        world_live(&w);
        event(&w);
        assert_int_equal(turn_client_connect(w.client, &peer), 0);
        run(&w, NS_S);
        if (reset)
            raw_abort(w.p, w.ctrl);
        else
            raw_close(w.p, w.ctrl);
        run(&w, NS_S);
        assert_event(&w, TURN_CLIENT_PEER_FAILED, 0, E_RESET);
        assert_event(&w, TURN_CLIENT_GONE, 0, E_RESET);
        end(&w);
    }
}

/* ---- permissions ---- */

static void permissions(void **state)
{
    (void)state;
    struct world w;
    struct ip_addr peers[] = {kit_ip("203.0.113.1"), kit_ip("203.0.113.2")};
    world_on(&w, &turn_client_plain, 0);
    assert_int_equal(turn_client_permit(w.client, peers, 2), 0); /* waits for the allocation */
    allocate(&w, "00000e10");
    assert_event(&w, TURN_CLIENT_ALLOCATED, 0, 0);
    for (int i = 0; i < 2; i++) { /* now, and again within 300 s */
        assert_int_equal(next(&w, w.ctrl), 0x0008);
        struct stun_attr a = {0};
        unsigned addresses = 0;
        while (stun_next(&w.m, &a))
            addresses += a.type == ATTR_XOR_PEER_ADDRESS;
        assert_int_equal(addresses, 2);
        answer(&w, w.ctrl, true, "", MAC);
        assert_event(&w, TURN_CLIENT_PERMITTED, 0, 0);
        assert_event(&w, TURN_CLIENT_PERMITTED, 0, 0);
        run(&w, 239 * NS_S);
        assert_int_equal(w.ctrl->got_len, 0);
        run(&w, NS_S);
    }
    assert_int_equal(next(&w, w.ctrl), 0x0008);
    answer(&w, w.ctrl, false, CODE("0403"), MAC);
    assert_event(&w, TURN_CLIENT_PERMITTED, 403, 0);
    assert_event(&w, TURN_CLIENT_PERMITTED, 403, 0);
    run(&w, 300 * NS_S);
    assert_int_equal(next(&w, w.ctrl), 0); /* not asked for again */
    end(&w);
}

/* ---- Connect, ConnectionBind ---- */

/* Drives a bind to its request; the data connection, NULL when there is none. */
static struct raw *bind_request(struct world *w)
{
    run(w, 10 * NS_MS);
    struct raw *data = raw_accepted(w->p, SERVER);
    if (data)
        assert_int_equal(next(w, data), 0x000b);
    return data;
}

static void connect_and_bind(void **state) /* 4.3-1..9, 4.5-1 */
{
    (void)state;
    struct world w;
    struct endpoint peer = kit_endpoint(PEER), asked;
    uint32_t id;
    world_live(&w);
    event(&w);
    assert_int_equal(turn_client_connect(w.client, &peer), 0);
    assert_int_equal(turn_client_connect(w.client, &peer), E_EXISTS); /* 4.3-13 */
    run(&w, 10 * NS_MS);
    assert_int_equal(next(&w, w.ctrl), 0x000a);
    assert_int_equal(stun_get_address(&w.m, ATTR_XOR_PEER_ADDRESS, &asked), 0);
    assert_true(endpoint_equal(&asked, &peer));
    assert_int_equal(next(&w, w.ctrl), 0);
    answer(&w, w.ctrl, true, "002a0004 01020304", MAC);
    struct raw *data = bind_request(&w);
    assert_non_null(data);
    assert_int_not_equal(data->remote.port, w.ctrl->remote.port); /* 4.3-5 */
    assert_int_equal(stun_get_u32(&w.m, ATTR_CONNECTION_ID, &id), 0);
    assert_int_equal(id, 0x01020304); /* 4.3-8 */
    assert_true(authentic(&w));       /* 4.3-6, 8489-9.2.3-2: at once */
    run(&w, 5 * NS_S);
    assert_null(event(&w)); /* 4.3-9: not before the answer */
    assert_int_equal(data->got_len, 0);
    answer(&w, data, true, "", MAC);
    const struct turn_client_event *ev = event(&w);
    assert_int_equal(ev->kind, TURN_CLIENT_BOUND);
    assert_int_equal(ev->connection, 0x01020304);
    assert_true(endpoint_equal(&ev->peer, &peer));
    run(&w, 541 * NS_S);
    assert_int_equal(next(&w, data), 0); /* 4.2-2: no STUN on it any more */
    assert_int_equal(next(&w, w.ctrl), 0x0004);
    end(&w);
}

static void early_bytes(void **state) /* 5.4-11 as the client meets it, cut anywhere */
{
    (void)state;
    for (size_t cut = 1; cut < 60; cut += 7) {
        struct world w;
        struct endpoint peer = kit_endpoint(PEER);
        world_live(&w);
        event(&w);
        turn_client_connect(w.client, &peer);
        run(&w, 10 * NS_MS);
        assert_int_equal(next(&w, w.ctrl), 0x000a);
        answer(&w, w.ctrl, true, "002a0004 01020304", MAC);
        struct raw *data = bind_request(&w);
        pipe_cut(w.p, cut);
        struct stun_id id = w.m.id;
        uint8_t buf[64], key[16];
        struct stun_out o;
        alice(key);
        stun_begin(&o, &stun_rfc8489, buf, sizeof buf, 0x010b, &id);
        stun_put_integrity(&o, key, sizeof key, false);
        size_t n = (size_t)stun_end(&o);
        memcpy(buf + n, "early!", 6);
        raw_send(w.p, data, buf, n + 6);
        run(&w, NS_S);
        const struct turn_client_event *ev = event(&w);
        assert_non_null(ev);
        assert_int_equal(ev->kind, TURN_CLIENT_BOUND);
        size_t want = n % cut ? cut - n % cut : 0; /* of the piece that the answer ended in */
        assert_int_equal(ev->bytes_len, want < 6 ? want : 6);
        assert_memory_equal(w.early, "early!", ev->bytes_len);
        raw_send(w.p, data, "late", 4);
        run(&w, NS_S);
        assert_int_equal(w.unasked, 0);
        end(&w);
    }
}

static void connect_fails(void **state) /* 4.3-3, -10, -11 */
{
    (void)state;
    struct world w;
    struct endpoint peer = kit_endpoint(PEER);
    world_live(&w);
    event(&w);
    turn_client_connect(w.client, &peer);
    run(&w, 10 * NS_MS);
    assert_int_equal(next(&w, w.ctrl), 0x000a);
    answer(&w, w.ctrl, true, "", MAC); /* without CONNECTION-ID */
    assert_event(&w, TURN_CLIENT_PEER_FAILED, 0, E_MALFORMED);
    assert_null(raw_accepted(w.p, SERVER));
    turn_client_connect(w.client, &peer);
    run(&w, 10 * NS_MS);
    assert_int_equal(next(&w, w.ctrl), 0x000a);
    answer(&w, w.ctrl, false, CODE("042f"), MAC);
    uint64_t since = pipe_now(w.p) - 99 * NS_MS;
    assert_event(&w, TURN_CLIENT_PEER_FAILED, 447, 0);
    assert_int_equal(turn_client_connect(w.client, &peer), 0);
    pipe_run_until(w.p, since + 10 * NS_S);
    assert_int_equal(next(&w, w.ctrl), 0);
    pipe_run_until(w.p, since + 10 * NS_S + 2 * NS_MS);
    assert_int_equal(next(&w, w.ctrl), 0x000a);
    answer(&w, w.ctrl, false, CODE("0425"), MAC); /* 8656-5-8: 437 to anything means that it is gone */
    assert_event(&w, TURN_CLIENT_PEER_FAILED, 437, 0);
    assert_event(&w, TURN_CLIENT_GONE, 437, 0);
    end(&w);
}

static void answers_in_any_order(void **state) /* 4.3-12, 8489-6.2-1, 6.3.1-8 */
{
    (void)state;
    struct world w;
    struct stun_id ids[12];
    world_live(&w);
    event(&w);
    for (uint16_t i = 0; i < 12; i++) {
        struct endpoint peer = {kit_ip("203.0.113.9"), (uint16_t)(1000 + i)};
        assert_int_equal(turn_client_connect(w.client, &peer), 0);
    }
    run(&w, 10 * NS_MS);
    unsigned asked = 0;
    while (next(&w, w.ctrl))
        ids[asked++] = w.m.id;
    assert_int_equal(asked, 10); /* no more at once */
    for (unsigned i = 10; i-- > 0;)
        say(&w, w.ctrl, 0x011a, &ids[i], CODE("0403"), MAC);
    for (unsigned i = 10; i-- > 0;) {
        const struct turn_client_event *ev = event(&w);
        assert_non_null(ev);
        assert_int_equal(ev->code, 403);
        assert_int_equal(ev->peer.port, 1000 + i);
    }
    while (next(&w, w.ctrl))
        asked++;
    assert_int_equal(asked, 12);
    end(&w);
}

static void bind_fails(void **state)
{
    (void)state;
    for (int how = 0; how < 4; how++) { /* 400; closed; reset; 438 first, then success */
        struct world w;
        struct endpoint peer = kit_endpoint(PEER);
        world_live(&w);
        event(&w);
        turn_client_connect(w.client, &peer);
        run(&w, 10 * NS_MS);
        next(&w, w.ctrl);
        answer(&w, w.ctrl, true, "002a0004 01020304", MAC);
        struct raw *data = bind_request(&w);
        if (how == 0) {
            answer(&w, data, false, CODE("0400"), MAC);
            assert_event(&w, TURN_CLIENT_PEER_FAILED, 400, 0);
            assert_true(data->eof);
        } else if (how < 3) {
            if (how == 1)
                raw_close(w.p, data);
            else
                raw_abort(w.p, data);
            run(&w, NS_S);
            assert_event(&w, TURN_CLIENT_PEER_FAILED, 0, E_RESET);
        } else {
            answer(&w, data, false, CODE("0426") REALM NONCE("37"), 0); /* G-2: on the same connection */
            assert_int_equal(next(&w, data), 0x000b);
            answer(&w, data, true, "", MAC);
            assert_event(&w, TURN_CLIENT_BOUND, 0, 0);
        }
        end(&w);
    }
}

/* ---- ConnectionAttempt ---- */

#define ATTEMPT "002a0004 fedcba98 "
#define FROM "00120008 00015c74e112a6d4 "

static void attempts(void **state) /* 4.4-1..9 */
{
    (void)state;
    struct world w;
    struct stun_id id = {{0x21, 0x12, 0xa4, 0x42, 9}};
    struct endpoint from = kit_endpoint("192.0.2.150:32102"), peer = kit_endpoint(PEER);
    uint32_t connection;
    world_live(&w);
    event(&w);
    turn_client_connect(w.client, &peer); /* 4.4-1: between a request and its answer */
    run(&w, 10 * NS_MS);
    assert_int_equal(next(&w, w.ctrl), 0x000a);
    struct stun_id connect = w.m.id;
    say(&w, w.ctrl, 0x001c, &id, ATTEMPT, 0); /* 4.4-2 */
    say(&w, w.ctrl, 0x001c, &id, FROM, 0);
    say(&w, w.ctrl, 0x001c, &id, ATTEMPT FROM "7abc0000", 0); /* 8489-6.3.2-1 */
    say(&w, w.ctrl, 0x0011, &id, "", 0);                      /* a Binding indication, as Expressway sends them */
    assert_null(event(&w));
    say(&w, w.ctrl, 0x001c, &id, ATTEMPT FROM, 0); /* 4.4-9: not authenticated */
    const struct turn_client_event *ev = event(&w);
    assert_non_null(ev);
    assert_int_equal(ev->kind, TURN_CLIENT_INCOMING);
    assert_true(endpoint_equal(&ev->peer, &from));
    assert_int_equal(ev->connection, 0xfedcba98);
    assert_null(raw_accepted(w.p, SERVER)); /* 4.4-8: nothing by itself */
    assert_int_equal(w.ctrl->got_len, 0);
    assert_int_equal(turn_client_accept(w.client, 1), E_NOT_FOUND);
    assert_int_equal(turn_client_accept(w.client, 0xfedcba98), 0);
    struct raw *data = bind_request(&w);
    assert_non_null(data);
    assert_int_equal(stun_get_u32(&w.m, ATTR_CONNECTION_ID, &connection), 0);
    assert_int_equal(connection, 0xfedcba98); /* 6.2-1: its top bit is nothing special */
    assert_int_not_equal(data->remote.port, w.ctrl->remote.port); /* 4.4-4 */
    assert_true(authentic(&w));
    answer(&w, data, true, "", MAC);
    assert_event(&w, TURN_CLIENT_BOUND, 0, 0);
    say(&w, w.ctrl, 0x011a, &connect, CODE("0403"), MAC);
    assert_event(&w, TURN_CLIENT_PEER_FAILED, 403, 0);
    end(&w);
}

static void not_stun(void **state)
{
    (void)state;
    struct world w;
    world_live(&w);
    event(&w);
    raw_send(w.p, w.ctrl, "HTTP/1.1 400 Bad Request\r\n", 26);
    run(&w, NS_S);
    assert_event(&w, TURN_CLIENT_GONE, 0, E_MALFORMED);
    assert_true(w.ctrl->eof);
    end(&w);
}

/* A flood of indications loses the newest of them, and nothing else. */
static void flood(void **state)
{
    (void)state;
    struct world w;
    world_live(&w);
    event(&w);
    static uint8_t many[300 * 40];
    for (size_t i = 0; i < 300; i++)
        kit_hex("001c0014 2112a442 07070707 07070707 07070707 002a0004 01020305 00120008 00015c74 e112a6d4",
                many + 40 * i, 40);
    raw_send(w.p, w.ctrl, many, sizeof many);
    run(&w, NS_S);
    assert_int_equal(w.count, 64);
    run(&w, 541 * NS_S);
    assert_int_equal(next(&w, w.ctrl), 0x0004); /* still alive */
    end(&w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        {"6062-4.1-1..9, 4.1-11, 8489-9.2.3-1, 9.2.5-2, -6 allocation", allocation, NULL, NULL, NULL},
        {"6062-4.1-10, 8656-7.4, 8489-6.3.3-1, 6.3.4-1 refusals", allocate_refused, NULL, NULL, NULL},
        {"8489-9.2.5-5, 8656-7.4-4 no endless loops", no_endless_loops, NULL, NULL, NULL},
        {"8656-7.4-6 address in use", address_in_use, NULL, NULL, NULL},
        {"6062-4.3-4, 4.4-3, 8656-7.4-2, 8489-10-2, 14.8-4 redirected", redirected, NULL, NULL, NULL},
        {"8489-9.2.5-1, -3, -4, -10 password algorithms", password_algorithms, NULL, NULL, NULL},
        {"8489-9.2.5-8, -9, 6062-G-6 forged answers", forged_answers, NULL, NULL, NULL},
        {"8489-6.2.2-1, -2 silent server", silent_server, NULL, NULL, NULL},
        {"no server", no_server, NULL, NULL, NULL},
        {"6062-4.1-8, 4.2-1, -2, 4.6-1 refreshes", refreshes, NULL, NULL, NULL},
        {"8656-5-8, 8.3-1 refresh fails", refresh_fails, NULL, NULL, NULL},
        {"8656-8-2, 8.3-1 release", release, NULL, NULL, NULL},
        {"8489-6.2.2-3 control lost", control_lost, NULL, NULL, NULL},
        {"8656-9, 10.1-1 permissions", permissions, NULL, NULL, NULL},
        {"6062-4.3-1..9, -13 connect and bind", connect_and_bind, NULL, NULL, NULL},
        {"6062-5.4-11 early bytes", early_bytes, NULL, NULL, NULL},
        {"6062-4.3-3, -10, -11 connect fails", connect_fails, NULL, NULL, NULL},
        {"6062-4.3-12, 8489-6.2-1 answers in any order", answers_in_any_order, NULL, NULL, NULL},
        {"6062-G-2 bind fails", bind_fails, NULL, NULL, NULL},
        {"6062-4.4-1..9 attempts", attempts, NULL, NULL, NULL},
        {"not STUN", not_stun, NULL, NULL, NULL},
        {"a flood of indications", flood, NULL, NULL, NULL},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
