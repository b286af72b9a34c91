/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server rows of the requirement catalogue that are about peer connections, their bytes, and streams and timers;
 * each test named after its rows. */
#include "models/turn/scripted_test.h"

/* ---- Connect ---- */

static void connect_success(void **state) /* 3-6, 3-15, 5.2-9..11, -18 */
{
    (void)state;
    struct scene s;
    scene_connected(&s);
    assert_true(endpoint_equal(&s.peer->remote, &s.relayed));
    end(&s.w);
}

static void connect_duplicates(void **state) /* 3-7, 3-8, 5.2-2, -3, -4, -5 */
{
    (void)state;
    struct scene s;
    scene_bound(&s);
    assert_int_equal(ask(&s.w, &s.ctrl, TURN_CONNECT, peer_attr(PEER)), 446);
    raw_listen(s.w.p, "203.0.113.9:81");
    assert_int_equal(ask(&s.w, &s.ctrl, TURN_CONNECT, peer_attr("203.0.113.9:81")), 0); /* the other port */
    assert_int_equal(ask(&s.w, &s.ctrl, TURN_CONNECT, peer_attr("203.0.113.9:81")), 446); /* pending */
    struct client other = allocated(&s.w, "10.0.0.2:7000", "alice", NULL);
    assert_int_equal(ask(&s.w, &other, TURN_CONNECT, peer_attr(PEER)), 0); /* another allocation */
    pipe_policy(s.w.p, "203.0.113.10:0", PIPE_BLACK_HOLE);
    request(&s.w, &s.ctrl, TURN_CONNECT, peer_attr("203.0.113.10:80"));
    uint8_t first = s.ctrl.tid;
    pipe_run_for(s.w.p, NS_S);
    assert_int_equal(ask(&s.w, &s.ctrl, TURN_CONNECT, peer_attr("203.0.113.10:80")), 446); /* in progress */
    assert_true(refreshes(&s)); /* 5.2-23: and all the while others are served */
    s.ctrl.tid = first;
    assert_int_equal(answer(&s.w, &s.ctrl, 30 * NS_S), 447);
    raw_close(s.w.p, s.data.r);
    pipe_run_for(s.w.p, NS_S);
    assert_true(s.peer->eof);
    raw_close(s.w.p, s.peer);
    pipe_run_for(s.w.p, NS_S);
    s.ctrl.tid = 100;
    assert_int_equal(ask(&s.w, &s.ctrl, TURN_CONNECT, peer_attr(PEER)), 0); /* 5.2-5 */
    end(&s.w);
}

static void connect_fails(void **state) /* 5.2-12 */
{
    (void)state;
    struct world w = world();
    struct client c = allocated(&w, "10.0.0.2:5000", "alice", NULL);
    pipe_policy(w.p, "203.0.113.7:0", PIPE_UNREACHABLE);
    assert_int_equal(ask(&w, &c, TURN_CONNECT, peer_attr("203.0.113.7:80")), 447);
    assert_int_equal(ask(&w, &c, TURN_CONNECT, peer_attr("203.0.113.8:80")), 447); /* refused */
    assert_int_equal(stats_of(&w).pending, 0);
    end(&w);
}

static void connect_times_out(void **state) /* 3-6, 5.2-13, -14: 447 once, at 30 s */
{
    (void)state;
    struct world w = world();
    struct client c = allocated(&w, "10.0.0.2:5000", "alice", NULL);
    pipe_policy(w.p, "203.0.113.7:0", PIPE_BLACK_HOLE);
    request(&w, &c, TURN_CONNECT, peer_attr("203.0.113.7:80"));
    assert_int_equal(answer(&w, &c, 30 * NS_S), -1); /* asked 1 ms later than now */
    assert_int_equal(answer(&w, &c, 2 * NS_MS), 447);
    assert_int_equal(answer(&w, &c, 130 * NS_S), -1);
    request(&w, &c, TURN_CONNECT, peer_attr("203.0.113.7:80"));
    assert_int_equal(answer(&w, &c, 25 * NS_S), -1); /* 3-6: not before the connection is there */
    raw_listen(w.p, "203.0.113.7:80");
    pipe_policy(w.p, "203.0.113.7:0", PIPE_ACCEPT);
    assert_int_equal(answer(&w, &c, 2 * NS_S), 0); /* late, but in time */
    end(&w);
}

static void connect_to_itself(void **state) /* */
{
    (void)state;
    struct turn_config cfg = config();
    struct ip_prefix own[2];
    assert_int_equal(prefix_parse("192.0.2.1", &own[0]), 0);
    assert_int_equal(prefix_parse("198.51.100.5", &own[1]), 0);
    cfg.allow_peer = own;
    cfg.allow_peer_count = 2;
    cfg.public_ip4 = own[1].ip;
    struct world w = world_with(&cfg);
    struct endpoint relayed, second;
    char text[ENDPOINT_TEXT];
    struct client c = allocated(&w, "10.0.0.2:5000", "alice", &relayed);
    assert_int_equal(ask(&w, &c, TURN_CONNECT, peer_attr(endpoint_text(&relayed, text))), 403);
    relayed.ip = cfg.relay_ip4; /* by neither of its addresses */
    assert_int_equal(ask(&w, &c, TURN_CONNECT, peer_attr(endpoint_text(&relayed, text))), 403);
    struct client other = allocated(&w, "10.0.0.2:5001", "alice", &second);
    assert_int_equal(ask(&w, &other, TURN_CREATE_PERMISSION, peer_attr(SERVER)), 0);
    second.ip = cfg.relay_ip4;
    assert_int_equal(ask(&w, &c, TURN_CONNECT, peer_attr(endpoint_text(&second, text))), 0); /* relay to relay */
    assert_true(receive(&other));
    assert_int_equal(other.m.type, 0x001c);
    end(&w);
}

static void simultaneous_open(void **state) /* one connection, the Connect succeeds, no ConnectionAttempt */
{
    (void)state;
    struct world w = world();
    struct endpoint relayed;
    struct client c = allocated(&w, "10.0.0.2:5000", "alice", &relayed);
    assert_int_equal(ask(&w, &c, TURN_CREATE_PERMISSION, peer_attr(PEER)), 0);
    request(&w, &c, TURN_CONNECT, peer_attr(PEER));
    pipe_run_for(w.p, NS_MS + NS_MS / 2); /* its SYN is on the way */
    raw_connect_to(w.p, PEER, &relayed);
    assert_int_equal(answer(&w, &c, NS_S), 0);
    assert_int_equal(pipe_count(w.p, "ConnectionAttempt indication"), 0);
    end(&w);
}

/* 5.2-20..22, 5.3-9: unbound for 30 s: closed, and the id is dead; bound at 29 s: it stays. */
static void bind_timer(void **state)
{
    (void)state;
    struct scene s;
    scene_connected(&s);
    uint64_t since = pipe_now(s.w.p) - 96 * NS_MS; /* the success went out 4 ms after the request */
    pipe_run_until(s.w.p, since + 30 * NS_S - NS_MS);
    assert_false(s.peer->eof);
    pipe_run_until(s.w.p, since + 30 * NS_S + 2 * NS_MS);
    assert_true(s.peer->eof);
    struct client late = client(&s.w, "10.0.0.2:5001", "alice");
    assert_int_equal(ask(&s.w, &late, TURN_CONNECTION_BIND, id_attr(s.id)), 400);
    end(&s.w);

    scene_connected(&s);
    pipe_run_for(s.w.p, 29 * NS_S);
    s.data = client(&s.w, "10.0.0.2:5001", "alice");
    assert_int_equal(ask(&s.w, &s.data, TURN_CONNECTION_BIND, id_attr(s.id)), 0);
    pipe_run_for(s.w.p, 16 * NS_S);
    raw_send(s.w.p, s.peer, "still", 5);
    pipe_run_for(s.w.p, NS_S);
    assert_int_equal(s.data.r->got_len, 5);
    end(&s.w);
}

/* ---- incoming ---- */

static void incoming(void **state) /* 3-11, 5.3-6..9, 5.3-13 */
{
    (void)state;
    struct world w = world();
    struct endpoint relayed, from, want = kit_endpoint("203.0.113.9:1000");
    struct client c = allocated(&w, "10.0.0.2:5000", "alice", &relayed);
    assert_int_equal(ask(&w, &c, TURN_CREATE_PERMISSION, peer_attr("203.0.113.9:0")), 0);
    struct raw *a = knock(&w, "203.0.113.9:1000", &relayed), *b = knock(&w, "203.0.113.9:1001", &relayed);
    uint64_t since = pipe_now(w.p);
    assert_true(receive(&c));
    assert_int_equal(c.m.type, 0x001c);
    assert_int_equal(stun_get_address(&c.m, ATTR_XOR_PEER_ADDRESS, &from), 0);
    assert_true(endpoint_equal(&from, &want));
    struct stun_attr none;
    assert_false(stun_find(&c.m, ATTR_MESSAGE_INTEGRITY, &none)); /* indications are not authenticated */
    uint32_t first = connection_of(&c);
    assert_true(receive(&c));
    assert_int_not_equal(connection_of(&c), first);
    uint8_t garbage[20] = {0x01, 0x0c, 0, 0, 0x21, 0x12, 0xa4, 0x42};
    raw_send(w.p, c.r, garbage, sizeof garbage); /* a response to an indication: nothing */
    assert_int_equal(ask(&w, &c, TURN_REFRESH, ""), 0);
    pipe_run_until(w.p, since + 29 * NS_S);
    assert_false(a->eof || b->eof);
    pipe_run_until(w.p, since + 31 * NS_S);
    assert_true(a->eof && b->eof);
    assert_int_equal(pipe_count(w.p, "ConnectionAttempt indication"), 2); /* not repeated */
    end(&w);
}

/* ---- ConnectionBind and data ---- */

/* 5.2-16, -17, 5.3-3, 5.4-10, -11: what the peer sends before the bind waits in its own TCP and is all delivered,
 * behind the whole success response. */
static void early_bytes(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 1460, 16384, 65536, 1000000};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct scene s;
        scene_connected(&s);
        uint8_t *bytes = pattern(sizes[i], 7);
        raw_send(s.w.p, s.peer, bytes, sizes[i]);
        pipe_run_for(s.w.p, 5 * NS_S);
        assert_int_equal(raw_unsent(s.peer), sizes[i] > 65536 ? sizes[i] - 65536 : 0); /* held back, not lost */
        s.data = client(&s.w, "10.0.0.2:5001", "alice");
        request(&s.w, &s.data, TURN_CONNECTION_BIND, id_attr(s.id));
        pipe_run_for(s.w.p, 10 * NS_S);
        raw_send(s.w.p, s.peer, "end", 3);
        pipe_run_for(s.w.p, NS_S);
        assert_true(receive(&s.data));
        assert_int_equal(s.data.m.type, 0x010b);
        assert_int_equal(s.data.r->got_len, sizes[i] + 3);
        assert_memory_equal(s.data.r->got, bytes, sizes[i]);
        free(bytes);
        end(&s.w);
    }
}

/* 3-3, 3-4, 3-9, 5.4-8, -9, -12: bytes are bytes, both ways, whatever they look like. */
static void bytes_are_bytes(void **state)
{
    (void)state;
    static const char *const looks[] = {
        "000100002112a442000000000000000000000000",                       /* a Binding request */
        "000400082112a442000000000000000000000000000d000400000000",       /* Refresh 0 */
        "400000040102030400",                                             /* ChannelData */
        "160301002d0100002903010000", "474554202f20485454502f312e310d0a", /* TLS, HTTP */
        "006c0001", "00000000000000000000000000000000", "ff",
    };
    for (size_t i = 0; i < COUNT(looks); i++) {
        struct scene s;
        scene_bound(&s);
        uint8_t b[64];
        size_t n = kit_hex(looks[i], b, sizeof b);
        raw_send(s.w.p, s.data.r, b, n);
        raw_send(s.w.p, s.peer, b, n);
        pipe_run_for(s.w.p, NS_S);
        assert_int_equal(s.peer->got_len, n);
        assert_memory_equal(s.peer->got, b, n);
        assert_int_equal(s.data.r->got_len, n);
        assert_memory_equal(s.data.r->got, b, n);
        assert_int_equal(s.ctrl.r->got_len, 0);
        assert_true(refreshes(&s));
        end(&s.w);
    }
}

/* 3-14: a side that does not read stops the other, after a bounded amount; then all of it comes. */
static void back_pressure(void **state)
{
    (void)state;
    enum { SIZE = 2000000 };
    uint8_t *bytes = pattern(SIZE, 3);
    for (int mirrored = 0; mirrored < 2; mirrored++) {
        struct scene s;
        scene_bound(&s);
        struct raw *from = mirrored ? s.peer : s.data.r, *to = mirrored ? s.data.r : s.peer;
        raw_read(s.w.p, to, false);
        raw_send(s.w.p, from, bytes, SIZE);
        pipe_run_for(s.w.p, 10 * NS_S);
        assert_true(raw_unsent(from) > SIZE - 300000);
        raw_read(s.w.p, to, true);
        pipe_run_for(s.w.p, 10 * NS_S);
        assert_int_equal(to->got_len, SIZE);
        assert_memory_equal(to->got, bytes, SIZE);
        end(&s.w);
    }
    free(bytes);
}

static void pipelined_payload(void **state) /* relayed when the bind succeeds, discarded when it fails */
{
    (void)state;
    for (int cut = 0; cut < 2; cut++) {
        struct scene s;
        scene_connected(&s);
        if (cut)
            pipe_cut(s.w.p, 1);
        s.data = client(&s.w, "10.0.0.2:5001", "alice");
        uint8_t buf[512];
        size_t n = compose(&s.data, TURN_CONNECTION_BIND, id_attr(s.id), buf, sizeof buf);
        memcpy(buf + n, "\xff\xfe payload", 10);
        raw_send(s.w.p, s.data.r, buf, n + 10);
        assert_int_equal(answer(&s.w, &s.data, NS_S), 0);
        assert_int_equal(s.peer->got_len, 10);
        assert_memory_equal(s.peer->got, "\xff\xfe payload", 10);
        struct client other = client(&s.w, "10.0.0.2:5002", "alice");
        n = compose(&other, TURN_CONNECTION_BIND, id_attr(s.id), buf, sizeof buf);
        memcpy(buf + n, "\xff\xfe payload", 10);
        raw_send(s.w.p, other.r, buf, n + 10);
        assert_int_equal(answer(&s.w, &other, NS_S), 400); /* 5.4-4: bound already, and that pair is undisturbed */
        assert_false(other.r->eof);
        assert_int_equal(s.peer->got_len, 10);
        assert_int_equal(ask(&s.w, &other, TURN_REFRESH, ""), 437); /* it may try again */
        end(&s.w);
    }
}

static void bind_on_control(void **state) /* */
{
    (void)state;
    struct scene s;
    scene_connected(&s);
    assert_int_equal(ask(&s.w, &s.ctrl, TURN_CONNECTION_BIND, id_attr(s.id)), 400);
    s.data = client(&s.w, "10.0.0.2:5001", "alice");
    assert_int_equal(ask(&s.w, &s.data, TURN_CONNECTION_BIND, id_attr(s.id)), 0); /* still pending */
    end(&s.w);
}

static void bind_elsewhere(void **state) /* another listener of the server than that of CTRL */
{
    (void)state;
    struct turn_config cfg = config();
    const struct endpoint two[] = {kit_endpoint(SERVER), kit_endpoint("192.0.2.1:443")};
    cfg.listen = two;
    cfg.listen_count = 2;
    struct scene s = {.w = world_with(&cfg)};
    raw_listen(s.w.p, PEER);
    s.ctrl = allocated(&s.w, "10.0.0.2:5000", "alice", &s.relayed);
    assert_int_equal(ask(&s.w, &s.ctrl, TURN_CONNECT, peer_attr(PEER)), 0);
    s.id = connection_of(&s.ctrl);
    struct client c = {.r = raw_connect(s.w.p, "10.0.0.2:5001", "192.0.2.1:443"), .user = "alice"};
    memcpy(c.nonce, s.ctrl.nonce, sizeof c.nonce);
    assert_int_equal(ask(&s.w, &c, TURN_CONNECTION_BIND, id_attr(s.id)), 400);
    end(&s.w);
}

static void peer_gone_before_bind(void **state) /* 5.4-5, X-13 */
{
    (void)state;
    struct scene s;
    scene_connected(&s);
    raw_abort(s.w.p, s.peer);
    s.data = client(&s.w, "10.0.0.2:5001", "alice");
    assert_int_equal(ask(&s.w, &s.data, TURN_CONNECTION_BIND, id_attr(s.id)), 400); /* reset: the id is dead */
    end(&s.w);
    scene_connected(&s);
    raw_send(s.w.p, s.peer, "last words", 10);
    raw_close(s.w.p, s.peer);
    s.data = client(&s.w, "10.0.0.2:5001", "alice");
    assert_int_equal(ask(&s.w, &s.data, TURN_CONNECTION_BIND, id_attr(s.id)), 0); /* closed: kept for the bind */
    assert_int_equal(s.data.r->got_len, 10);
    assert_true(s.data.r->eof);
    end(&s.w);
}

/* 3-13, 5.5-2..5: one side ends, by FIN or RST, the other is closed behind what was sent; other pairs live on. */
static void one_side_closes(void **state)
{
    (void)state;
    enum { SIZE = 300000 };
    uint8_t *bytes = pattern(SIZE, 1);
    for (int i = 0; i < 4; i++) {
        struct scene s;
        scene_bound(&s);
        raw_listen(s.w.p, "203.0.113.9:81");
        assert_int_equal(ask(&s.w, &s.ctrl, TURN_CONNECT, peer_attr("203.0.113.9:81")), 0);
        uint32_t id = connection_of(&s.ctrl);
        struct client second = client(&s.w, "10.0.0.2:5002", "alice");
        assert_int_equal(ask(&s.w, &second, TURN_CONNECTION_BIND, id_attr(id)), 0);
        struct raw *from = i & 1 ? s.peer : s.data.r, *to = i & 1 ? s.data.r : s.peer;
        if (i & 2) {
            raw_abort(s.w.p, from);
        } else {
            raw_send(s.w.p, from, bytes, SIZE);
            raw_shutdown(s.w.p, from);
        }
        pipe_run_for(s.w.p, NS_S);
        assert_true(to->eof);
        assert_int_equal(to->got_len, i & 2 ? 0 : SIZE);
        if (to->got_len)
            assert_memory_equal(to->got, bytes, SIZE);
        raw_shutdown(s.w.p, to);
        pipe_run_for(s.w.p, NS_S);
        raw_send(s.w.p, second.r, "on", 2);
        assert_true(refreshes(&s));
        assert_int_equal(raw_accepted(s.w.p, "203.0.113.9:81")->got_len, 2);
        assert_int_equal(stats_of(&s.w).bound, 1);
        end(&s.w);
    }
    free(bytes);
}

/* 5.2-19, X-9: ids are distinct over allocations and users, and not in order. */
static void ids_are_distinct(void **state)
{
    (void)state;
    struct world w = world();
    uint32_t ids[60], in_order = 0;
    size_t n = 0;
    for (unsigned a = 0; a < 6; a++) {
        char local[32], peer[32];
        snprintf(local, sizeof local, "10.0.0.2:%u", 5000 + a);
        struct client c = allocated(&w, local, a & 1 ? "bob" : "alice", NULL);
        for (unsigned i = 0; i < 10; i++) {
            snprintf(peer, sizeof peer, "203.0.113.9:%u", 100 * a + i + 1);
            raw_listen(w.p, peer);
            assert_int_equal(ask(&w, &c, TURN_CONNECT, peer_attr(peer)), 0);
            ids[n] = connection_of(&c);
            for (size_t j = 0; j < n; j++)
                assert_int_not_equal(ids[j], ids[n]);
            in_order += n && ids[n] - ids[n - 1] < 16;
            n++;
        }
    }
    assert_int_equal(in_order, 0);
    end(&w);
}

/* ---- streams and timers ---- */

static void any_segmentation(void **state) /* G-7: a byte at a time; three in one */
{
    (void)state;
    struct world w = world();
    raw_listen(w.p, PEER);
    struct client c = allocated(&w, "10.0.0.2:5000", "alice", NULL);
    pipe_cut(w.p, 1);
    assert_int_equal(ask(&w, &c, TURN_CONNECT, peer_attr(PEER)), 0);
    pipe_cut(w.p, SIZE_MAX);
    uint8_t buf[1024];
    size_t n = 0;
    for (int i = 0; i < 3; i++)
        n += compose(&c, STUN_BINDING, "", buf + n, sizeof buf - n);
    raw_send(w.p, c.r, buf, n);
    pipe_run_for(w.p, NS_S);
    for (int i = 0; i < 3; i++) {
        struct endpoint mapped, want = kit_endpoint("10.0.0.2:5000");
        assert_true(receive(&c));
        assert_int_equal(c.m.type, 0x0101); /* G-11 */
        assert_int_equal(stun_get_address(&c.m, ATTR_XOR_MAPPED_ADDRESS, &mapped), 0);
        assert_true(endpoint_equal(&mapped, &want));
    }
    end(&w);
}

/* 8489-6.3.2-1: indications and ChannelData are thrown away, in any pieces, and the connection lives. */
static void thrown_away(void **state)
{
    (void)state;
    for (size_t cut = 1; cut < 40; cut += 6) {
        struct world w = world();
        struct client c = allocated(&w, "10.0.0.2:5000", "alice", NULL);
        pipe_cut(w.p, cut);
        uint8_t *big = calloc(1, 65540);
        uint8_t send[64], small[8] = {0x40, 0x00, 0, 3, 1, 2, 3, 0};
        size_t n = kit_hex("001600182112a442000000000000000000000000 00120008 00015c74 e112a6d4 00130004 01020304 "
                           "7abc0000", send, sizeof send);
        send[3] = 0x18;
        raw_send(w.p, c.r, send, n);
        raw_send(w.p, c.r, small, sizeof small);
        big[0] = 0x4f;
        store16(big + 2, 65535);
        raw_send(w.p, c.r, big, 65540);
        free(big);
        pipe_run_for(w.p, NS_S);
        assert_int_equal(c.r->got_len, 0);
        assert_int_equal(ask(&w, &c, TURN_REFRESH, ""), 0);
        end(&w);
    }
}

static void lost_framing_closes(void **state) /* 8489-5-4, 8656-5-17 */
{
    (void)state;
    static const char *const table[] = {"80000000", "00010002", "000100002112a441", "0001ff002112a442", "c0"};
    for (size_t i = 0; i < COUNT(table); i++) {
        struct world w = world();
        struct client c = allocated(&w, "10.0.0.2:5000", "alice", NULL);
        uint8_t b[16];
        raw_send(w.p, c.r, b, kit_hex(table[i], b, sizeof b));
        pipe_run_for(w.p, NS_S);
        assert_true(c.r->eof);
        assert_int_equal(stats_of(&w).allocations + stats_of(&w).clients, 0);
        end(&w);
    }
}

static void idle_connections(void **state) /* X-27; X-28: a control connection is never idle */
{
    (void)state;
    struct world w = world();
    struct client idle = client(&w, "10.0.0.2:5000", "alice");
    struct client ctrl = allocated(&w, "10.0.0.2:5001", "alice", NULL);
    struct client silent = {.r = raw_connect(w.p, "10.0.0.2:5002", SERVER), .user = "alice"};
    uint64_t since = pipe_now(w.p);
    pipe_run_until(w.p, since + 59 * NS_S);
    assert_false(silent.r->eof);
    pipe_run_until(w.p, since + 61 * NS_S);
    assert_true(silent.r->eof && idle.r->eof);
    pipe_run_until(w.p, since + 550 * NS_S);
    assert_false(ctrl.r->eof);
    assert_int_equal(ask(&w, &ctrl, TURN_REFRESH, u32_attr(ATTR_LIFETIME, 0)), 0);
    pipe_run_for(w.p, 61 * NS_S);
    assert_true(ctrl.r->eof);
    assert_int_equal(stats_of(&w).clients, 0);
    end(&w);
}

/* A client that asks and does not read its answers is not asked again: the relay stops reading, it does not queue. */
static void answers_unread(void **state)
{
    (void)state;
    struct world w = world();
    struct client c = client(&w, "10.0.0.2:5000", "alice");
    uint8_t one[64];
    c.nonce[0] = '\0';
    size_t n = compose(&c, STUN_BINDING, "", one, sizeof one);
    raw_read(w.p, c.r, false);
    for (int i = 0; i < 40000; i++)
        raw_send(w.p, c.r, one, n);
    pipe_run_for(w.p, 20 * NS_S);
    assert_true(raw_unsent(c.r) > 20 * 20000);
    raw_read(w.p, c.r, true);
    pipe_run_for(w.p, 20 * NS_S);
    assert_int_equal(raw_unsent(c.r), 0);
    size_t answers = 0;
    while (receive(&c))
        answers++;
    assert_int_equal(answers, 40000);
    end(&w);
}

/* The expressway profile: no permission needed; a Binding indication of 28 bytes every 5 s; ids echoed. */
static void expressway(void **state)
{
    (void)state;
    struct turn_config cfg = config();
    cfg.profile = &turn_expressway;
    struct world w = world_with(&cfg);
    struct endpoint relayed;
    struct client c = allocated(&w, "10.0.0.2:5000", "alice", &relayed);
    assert_int_equal(relayed.port, 50000);
    uint64_t from = pipe_now(w.p) - 97 * NS_MS;
    pipe_run_until(w.p, from + 21 * NS_S);
    unsigned seen = 0;
    while (receive(&c)) {
        assert_int_equal(c.m.type, 0x0011);
        assert_int_equal(c.m.len, 28);
        assert_int_equal(stun_check_fingerprint(&c.m), 0);
        seen++;
    }
    assert_int_equal(seen, 4);
    assert_string_equal(pipe_story(w.p, "relay", from + NS_S),
                        "6.101 Binding indication\n11.101 Binding indication\n16.101 Binding indication\n"
                        "21.101 Binding indication\n");
    assert_false(knock(&w, "203.0.113.9:1000", &relayed)->eof);
    assert_true(receive(&c));
    assert_int_equal(c.m.type, 0x001c);
    uint8_t key[16];
    key_of(&c, key);
    assert_int_equal(stun_check_integrity(&c.m, key, sizeof key), 0);
    uint32_t id = connection_of(&c);
    struct client d = client(&w, "10.0.0.2:5001", "alice");
    assert_int_equal(ask(&w, &d, TURN_CONNECTION_BIND, id_attr(id)), 0);
    assert_int_equal(connection_of(&d), id);
    struct endpoint next;
    allocated(&w, "10.0.0.2:5003", "alice", &next);
    assert_int_equal(next.port, 50001);
    end(&w);
}

/* What XOR-RELAYED-ADDRESS says behind a static NAT (EXP-8), and that it is no peer. */
static void public_address(void **state)
{
    (void)state;
    struct turn_config cfg = config();
    cfg.public_ip4 = kit_ip("198.51.100.5");
    struct world w = world_with(&cfg);
    struct endpoint relayed;
    struct client c = allocated(&w, "10.0.0.2:5000", "alice", &relayed);
    assert_true(ip_equal(&relayed.ip, &cfg.public_ip4));
    assert_int_equal(ask(&w, &c, TURN_CONNECT, peer_attr("198.51.100.5:80")), 403);
    end(&w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        {"6062-3-15, 5.2-9..11, -18 connect", connect_success, NULL, NULL, NULL},
        {"6062-3-7, 3-8, 5.2-2..5, -23 duplicates", connect_duplicates, NULL, NULL, NULL},
        {"6062-5.2-12 connect fails", connect_fails, NULL, NULL, NULL},
        {"6062-3-6, 5.2-13, -14 connect times out", connect_times_out, NULL, NULL, NULL},
        {"6062-X-24 connect to itself", connect_to_itself, NULL, NULL, NULL},
        {"6062-X-21 simultaneous open", simultaneous_open, NULL, NULL, NULL},
        {"6062-3-12, 5.2-20..22 bind timer", bind_timer, NULL, NULL, NULL},
        {"6062-3-11, 5.3-6..9, -13 incoming", incoming, NULL, NULL, NULL},
        {"6062-5.2-16, -17, 5.4-10, -11 early bytes", early_bytes, NULL, NULL, NULL},
        {"6062-3-3, 3-4, 3-9, 5.4-12 bytes are bytes", bytes_are_bytes, NULL, NULL, NULL},
        {"6062-3-14 back-pressure", back_pressure, NULL, NULL, NULL},
        {"6062-X-15, X-16, 5.4-4 pipelined payload", pipelined_payload, NULL, NULL, NULL},
        {"6062-X-17 bind on control", bind_on_control, NULL, NULL, NULL},
        {"6062-X-18 bind elsewhere", bind_elsewhere, NULL, NULL, NULL},
        {"6062-5.4-5, X-13 peer gone before bind", peer_gone_before_bind, NULL, NULL, NULL},
        {"6062-3-13, 5.5-2..5 one side closes", one_side_closes, NULL, NULL, NULL},
        {"6062-5.2-19, X-9 ids are distinct", ids_are_distinct, NULL, NULL, NULL},
        {"6062-G-7, G-11 any segmentation", any_segmentation, NULL, NULL, NULL},
        {"6062-X-7, X-8 thrown away", thrown_away, NULL, NULL, NULL},
        {"8489-5-4 lost framing closes", lost_framing_closes, NULL, NULL, NULL},
        {"6062-X-27, X-28 idle connections", idle_connections, NULL, NULL, NULL},
        {"answers unread", answers_unread, NULL, NULL, NULL},
        {"expressway", expressway, NULL, NULL, NULL},
        {"public address", public_address, NULL, NULL, NULL},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
