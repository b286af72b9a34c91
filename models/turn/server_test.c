/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server rows of the requirement catalogue that are about requests, credentials, allocations, permissions and
 * limits; each test named after its rows. Others are in relay_test.c, rows_test.c and pair_test.c; those of UDP relays
 * in udp_rows_test.c, udp_test.c and stream_test.c, of RFC 8489's credentials in auth_test.c.
 *
 * Rows of RFC 6062 that no test in this folder names, and why:
 *
 *   X-22               TLS: none
 *   4.3-1              two allocations of one client: a turn_client has one, and its own control connection
 *   4.6-4              TCP keep-alive: a setting of the host's TCP (sim/net.h)
 *   5.2-17, 5.3-4,     windows and memory: the relay does not read before the bind, and the host holds at most one
 *   7-1, 7-2           chunk for each direction of a pair; sim/host/relay_test.c. So 7-1's dropping is not needed
 *   X-20               TIME_WAIT between relayed address and peer: the host's; sim/host/relay_test.c
 *   6.1-1, 6.3-1       golden messages: models/stun
 *   7-3, X-26          nothing to be tested: the other catalogues; SOFTWARE is optional */
#include "models/turn/scripted_test.h"

/* ---- single requests: attributes in, code out ---- */

struct ask_row {
    const char *name;
    unsigned method;
    const char *attrs;
    int code;
    bool on_allocation;
};

#define IPV6_PEER "00120014 00025c74 0113a9fa 000000000000000000000000"
static const struct ask_row ask_rows[] = {
    {"6062-5.1-1 no REQUESTED-TRANSPORT", TURN_ALLOCATE, "", 400, false},
    {"8656-7.2-6 of one byte", TURN_ALLOCATE, "00190001 06000000", 400, false},
    {"8656-7.2-6 of eight bytes", TURN_ALLOCATE, "00190008 06000000 00000000", 400, false},
    {"6062-5.1-2 protocol 0", TURN_ALLOCATE, "00190004 00000000", 442, false},
    {"6062-5.1-2 protocol 1", TURN_ALLOCATE, "00190004 01000000", 442, false},
    {"6062-5.1-2 protocol 132", TURN_ALLOCATE, "00190004 84000000", 442, false},
    {"6062-5.1-2 protocol 255", TURN_ALLOCATE, "00190004 ff000000", 442, false},
    {"6062-5.1-3 UDP over TCP", TURN_ALLOCATE, "00190004 11000000", 0, false},
    {"6062-5.1-7 DONT-FRAGMENT", TURN_ALLOCATE, TCP "001a0000", 400, false},
    {"6062-5.1-8 EVEN-PORT", TURN_ALLOCATE, TCP "00180001 00000000", 400, false},
    {"6062-5.1-8 EVEN-PORT with R", TURN_ALLOCATE, TCP "00180001 80000000", 400, false},
    {"6062-5.1-9 RESERVATION-TOKEN", TURN_ALLOCATE, TCP "00220008 0102030405060708", 400, false},
    {"8656-7.2-8 RFFU is ignored", TURN_ALLOCATE, "00190004 06ffffff", 0, false},
    {"8656-7.2-14 two families", TURN_ALLOCATE, TCP "00170004 01000000 80000004 02000000", 400, false},
    {"8656-7.2-15 IPv6 is not there", TURN_ALLOCATE, TCP "00170004 02000000", 440, false},
    {"8656-7.2-15 family 3", TURN_ALLOCATE, TCP "00170004 03000000", 440, false},
    {"8656-7.2-15 family in one byte", TURN_ALLOCATE, TCP "00170001 01000000", 400, false},
    {"8656-7.2-39 LIFETIME of two bytes", TURN_ALLOCATE, TCP "000d0002 02580000", 400, false},
    {"6062-G-4 unknown on Allocate", TURN_ALLOCATE, TCP "7abc0000", 420, false},
    {"6062-G-4 unknown on Connect", TURN_CONNECT, "7abc0000", 420, true},
    {"6062-G-4 unknown on ConnectionBind", TURN_CONNECTION_BIND, "7abc0000", 420, false},
    {"8489-6.3-3 unknown optional", TURN_ALLOCATE, TCP "ff000000", 0, false},
    {"6062-5.1-15 second Allocate", TURN_ALLOCATE, TCP, 437, true},
    {"6062-5.1-15 second Allocate, of UDP", TURN_ALLOCATE, "00190004 11000000", 437, true},
    {"8656-7.2-4 437 before attributes", TURN_ALLOCATE, "", 437, true},
    {"6062-5.2-1 Connect without allocation", TURN_CONNECT, "", 437, false},
    {"6062-G-10 Refresh without allocation", TURN_REFRESH, "", 437, false},
    {"6062-G-10 CreatePermission without allocation", TURN_CREATE_PERMISSION, "", 437, false},
    {"6062-G-10 ChannelBind without allocation", TURN_CHANNEL_BIND, "", 437, false},
    {"6062-5.2-6 no XOR-PEER-ADDRESS", TURN_CONNECT, "", 400, true},
    {"6062-5.2-7 of seven bytes", TURN_CONNECT, "00120007 0001000000000000", 400, true},
    {"6062-5.2-7 family 3", TURN_CONNECT, "00120008 00035c74 e112a6d4", 400, true},
    {"6062-5.2-7 family 1 of 20 bytes", TURN_CONNECT, "00120014 00015c74 e112a6d4 000000000000000000000000", 400,
     true},
    {"6062-5.2-7 family 2 of 8 bytes", TURN_CONNECT, "00120008 00025c74 e112a6d4", 400, true},
    {"6062-5.2-7 port 0", TURN_CONNECT, "00120008 00012112 e112a6d4", 400, true},
    {"6062-G-12 IPv6 peer on IPv4 relay", TURN_CONNECT, IPV6_PEER, 443, true},
    {"6062-G-12 permission for IPv6", TURN_CREATE_PERMISSION, IPV6_PEER, 443, true},
    {"6062-G-8 CreatePermission without address", TURN_CREATE_PERMISSION, "", 400, true},
    {"8656-10.2-2 one bad of two", TURN_CREATE_PERMISSION, "00120008 00015c74 e112a6d4 00120008 00035c74 e112a6d4",
     400, true},
    {"8656-10.2-6 port 0 is fine", TURN_CREATE_PERMISSION, "00120008 00012112 e112a6d4", 0, true},
    {"6062-5.4-2 no CONNECTION-ID", TURN_CONNECTION_BIND, "", 400, false},
    {"6062-5.4-3 unknown id", TURN_CONNECTION_BIND, "002a0004 01020304", 400, false},
    {"6062-5.4-6 id of length 0", TURN_CONNECTION_BIND, "002a0000", 400, false},
    {"6062-5.4-6 id of length 2", TURN_CONNECTION_BIND, "002a0002 01020000", 400, false},
    {"6062-5.4-6 id of length 8", TURN_CONNECTION_BIND, "002a0008 0102030401020304", 400, false},
    {"6062-X-8 ChannelBind", TURN_CHANNEL_BIND, "000c0004 40000000 00120008 00015c74 e112a6d4", 403, true},
    {"8656-8.2-4 Refresh of the other family", TURN_REFRESH, "00170004 02000000", 443, true},
    {"8489-6.3-1 unknown method", 0x0ff, "", -1, false},
};

static void ask_one(void **state)
{
    const struct ask_row *row = *state;
    struct world w = world();
    struct client c = row->on_allocation ? allocated(&w, "10.0.0.2:5000", "alice", NULL)
                                         : client(&w, "10.0.0.2:5000", "alice");
    assert_int_equal(ask(&w, &c, row->method, row->attrs), row->code);
    uint8_t key[16];
    key_of(&c, key);
    if (row->code >= 0) /* G-5: the answer to an authenticated request is authenticated */
        assert_int_equal(stun_check_integrity(&c.m, key, sizeof key), 0);
    struct stun_attr a;
    assert_int_equal(row->code == 420, row->code >= 0 && stun_find(&c.m, ATTR_UNKNOWN_ATTRIBUTES, &a));
    if (row->code == 420) {
        assert_int_equal(a.len, 2);
        assert_int_equal(load16(a.value), 0x7abc);
    }
    /* Whatever it was, the connection goes on being served (5.2-4), and nothing was done. */
    assert_int_equal(ask(&w, &c, STUN_BINDING, ""), 0);
    bool has_one = row->on_allocation || (row->method == TURN_ALLOCATE && row->code == 0);
    assert_int_equal(stats_of(&w).allocations, has_one);
    end(&w);
}

/* 403 and no SYN: one Connect and one CreatePermission for each class of address (6062-5.2-8, G-13). */
static void policy(void **state)
{
    (void)state;
    static const char *const denied[] = {
        "127.0.0.1:80", "0.0.0.0:80", "0.1.2.3:80", "224.0.0.1:80", "255.255.255.255:80", "169.254.169.254:80",
        SERVER,         "10.9.9.9:80",
    };
    struct turn_config cfg = config();
    struct ip_prefix deny, allow;
    assert_int_equal(prefix_parse("10.0.0.0/8", &deny), 0);
    assert_int_equal(prefix_parse("10.1.0.0/16", &allow), 0);
    cfg.deny_peer = &deny;
    cfg.allow_peer = &allow;
    cfg.deny_peer_count = cfg.allow_peer_count = 1;
    struct world w = world_with(&cfg);
    struct client c = allocated(&w, "10.0.0.2:5000", "alice", NULL);
    for (size_t i = 0; i < COUNT(denied); i++) {
        if (strcmp(denied[i], SERVER) != 0) /* which listens already */
            raw_listen(w.p, denied[i]);
        assert_int_equal(ask(&w, &c, TURN_CONNECT, peer_attr(denied[i])), 403);
        assert_true(strcmp(denied[i], SERVER) == 0 || !raw_accepted(w.p, denied[i]));
        assert_int_equal(ask(&w, &c, TURN_CREATE_PERMISSION, peer_attr(denied[i])), 403);
    }
    raw_listen(w.p, "10.1.2.3:80");
    assert_int_equal(ask(&w, &c, TURN_CONNECT, peer_attr("10.1.2.3:80")), 0); /* allow wins over deny */
    assert_non_null(raw_accepted(w.p, "10.1.2.3:80"));
    end(&w);
}

/* ---- credentials ---- */

/* 8489-9.2.4-1..11, in the order of 9.2.4; G-1: the 401 has no MAC. */
static void credentials(void **state)
{
    (void)state;
    struct world w = world();
    struct client c = client(&w, "10.0.0.2:5000", "alice");
    struct stun_attr a;
    assert_true(stun_find(&c.m, ATTR_REALM, &a));
    assert_false(stun_find(&c.m, ATTR_MESSAGE_INTEGRITY, &a));
    assert_int_equal(strncmp(c.nonce, "obMatJos2wAAA", 13), 0); /* 8489-9.2-1 */
    static const enum stun_attr_type required[] = {ATTR_USERNAME, ATTR_REALM, ATTR_NONCE};
    for (size_t leave_out = 0; leave_out < 3; leave_out++) { /* 9.2.4-6 */
        uint8_t buf[256], key[16];
        const char *const text[] = {"alice", "example.org", c.nonce};
        struct stun_id id = {{0x21, 0x12, 0xa4, 0x42, ++c.tid}};
        struct stun_out o;
        stun_begin(&o, &stun_rfc8489, buf, sizeof buf, 0x0003, &id);
        for (size_t i = 0; i < 3; i++)
            if (i != leave_out)
                stun_put_text(&o, required[i], text[i]);
        key_of(&c, key);
        stun_put_integrity(&o, key, sizeof key, false);
        raw_send(w.p, c.r, buf, (size_t)stun_end(&o));
        assert_int_equal(answer(&w, &c, 100 * NS_MS), 400);
        assert_false(stun_find(&c.m, ATTR_NONCE, &a) || stun_find(&c.m, ATTR_MESSAGE_INTEGRITY, &a));
    }
    c.user = "mallory"; /* 9.2.4-9: no such user, and any key */
    assert_int_equal(ask(&w, &c, TURN_ALLOCATE, TCP), 401);
    c.user = "alice";
    uint8_t buf[256];
    size_t n = compose(&c, TURN_ALLOCATE, TCP, buf, sizeof buf); /* 9.2.4-10 */
    buf[n - 1] ^= 1;
    raw_send(w.p, c.r, buf, n);
    assert_int_equal(answer(&w, &c, 100 * NS_MS), 401);
    char good[100];
    memcpy(good, c.nonce, sizeof good);
    c.nonce[20] ^= 1; /* 9.2.4-11 */
    assert_int_equal(ask(&w, &c, TURN_ALLOCATE, TCP), 438);
    assert_true(stun_find(&c.m, ATTR_REALM, &a));
    take_nonce(&c);
    assert_string_not_equal(c.nonce, good);
    assert_int_equal(ask(&w, &c, TURN_ALLOCATE, TCP), 0); /* G-2: on the same connection */
    end(&w);
}

/* 8656-5-3, 8489-9.2.4-2: each challenge has its own nonce; it is good from that address only. */
static void nonces_are_of_their_source(void **state)
{
    (void)state;
    struct world w = world();
    struct client a = client(&w, "10.0.0.2:5000", "alice"), b = client(&w, "10.0.0.2:5001", "alice"),
                  other = client(&w, "10.0.0.3:5000", "alice");
    assert_string_not_equal(a.nonce, b.nonce);
    memcpy(b.nonce, a.nonce, sizeof b.nonce);
    memcpy(other.nonce, a.nonce, sizeof other.nonce);
    assert_int_equal(ask(&w, &b, TURN_ALLOCATE, TCP), 0); /* X-12: as on a data connection */
    assert_int_equal(ask(&w, &other, TURN_ALLOCATE, TCP), 438);
    end(&w);
}

/* 8656-5-4. */
static void nonces_last_an_hour(void **state)
{
    (void)state;
    struct world w = world();
    struct client c = client(&w, "10.0.0.2:5000", "alice");
    assert_int_equal(ask(&w, &c, TURN_ALLOCATE, u32_attr(ATTR_LIFETIME, 3600)), 400);
    char attrs[64];
    snprintf(attrs, sizeof attrs, "%s%s", TCP, u32_attr(ATTR_LIFETIME, 3600));
    pipe_run_until(w.p, 2 * NS_S);
    assert_int_equal(ask(&w, &c, TURN_ALLOCATE, attrs), 0);
    pipe_run_until(w.p, 3599 * NS_S);
    assert_int_equal(ask(&w, &c, TURN_REFRESH, u32_attr(ATTR_LIFETIME, 3600)), 0);
    pipe_run_until(w.p, 3602 * NS_S);
    assert_int_equal(ask(&w, &c, TURN_REFRESH, ""), 438);
    take_nonce(&c);
    assert_int_equal(ask(&w, &c, TURN_REFRESH, ""), 0); /* the allocation is unharmed */
    end(&w);
}

/* 6062-G-3, 8656-5-5; and G-1: ConnectionBind without credentials does not use up the id. */
static void owners(void **state)
{
    (void)state;
    struct scene s;
    scene_connected(&s);
    struct client bob = client(&s.w, "10.0.0.2:6000", "bob");
    assert_int_equal(ask(&s.w, &bob, TURN_CONNECTION_BIND, id_attr(s.id)), 441); /* X-11 */
    char nonce[100];
    s.ctrl.user = "bob";
    assert_int_equal(ask(&s.w, &s.ctrl, TURN_REFRESH, ""), 441);
    assert_int_equal(ask(&s.w, &s.ctrl, TURN_CREATE_PERMISSION, peer_attr(PEER)), 441);
    assert_int_equal(ask(&s.w, &s.ctrl, TURN_CONNECT, peer_attr("203.0.113.9:81")), 441);
    s.ctrl.user = "alice";
    struct client d = {.r = raw_connect(s.w.p, "10.0.0.2:5001", SERVER), .user = "alice"};
    assert_int_equal(ask(&s.w, &d, TURN_CONNECTION_BIND, id_attr(s.id)), 401);
    take_nonce(&d);
    memcpy(nonce, d.nonce, sizeof nonce);
    d.nonce[20] ^= 1;
    assert_int_equal(ask(&s.w, &d, TURN_CONNECTION_BIND, id_attr(s.id)), 438);
    memcpy(d.nonce, nonce, sizeof nonce);
    assert_int_equal(ask(&s.w, &d, TURN_CONNECTION_BIND, id_attr(s.id)), 0);
    end(&s.w);
}

/* G-6: a wrong FINGERPRINT is silence, a right one is as good as none. */
static void fingerprints(void **state)
{
    (void)state;
    struct world w = world();
    struct client c = client(&w, "10.0.0.2:5000", "alice");
    for (int wrong = 1; wrong >= 0; wrong--) {
        uint8_t buf[64];
        struct stun_id id = {{0x21, 0x12, 0xa4, 0x42, ++c.tid}};
        struct stun_out o;
        stun_begin(&o, &stun_rfc8489, buf, sizeof buf, 0x0001, &id);
        stun_put_fingerprint(&o);
        long n = stun_end(&o);
        buf[n - 1] ^= (uint8_t)wrong;
        raw_send(w.p, c.r, buf, (size_t)n);
        assert_int_equal(answer(&w, &c, 100 * NS_MS), wrong ? -1 : 0);
    }
    end(&w);
}

/* ---- Allocate and Refresh ---- */

static void allocate_success(void **state) /* 5.1-11..13, 8656-5-9, 7.2-36, -47 */
{
    (void)state;
    struct world w = world();
    struct client c = client(&w, "10.0.0.2:5000", "alice");
    assert_int_equal(ask(&w, &c, TURN_ALLOCATE, TCP), 0);
    struct endpoint relayed = relayed_of(&c), mapped, want = kit_endpoint("10.0.0.2:5000");
    uint32_t lifetime;
    struct stun_attr a;
    assert_int_equal(stun_get_address(&c.m, ATTR_XOR_MAPPED_ADDRESS, &mapped), 0);
    assert_true(endpoint_equal(&mapped, &want));
    assert_int_equal(stun_get_u32(&c.m, ATTR_LIFETIME, &lifetime), 0);
    assert_int_equal(lifetime, 600);
    assert_false(stun_find(&c.m, ATTR_RESERVATION_TOKEN, &a));
    assert_true(stun_find(&c.m, ATTR_SOFTWARE, &a));
    assert_in_range(relayed.port, 50000, 50099);
    struct raw *peer = raw_connect_to(w.p, "203.0.113.9:1000", &relayed);
    pipe_run_for(w.p, 10 * NS_MS);
    assert_int_equal(peer->state, RAW_OPEN); /* 5.3-1: accepted, whatever the permissions */
    assert_true(peer->eof);                  /* 5.3-5: and closed at once */
    end(&w);
}

static void lifetimes(void **state) /* 8656-7.2-39, 8.2-2, 8.2-6 */
{
    (void)state;
    static const uint32_t table[][2] = {{0, 600}, {1, 600}, {600, 600}, {601, 601}, {3600, 3600}, {UINT32_MAX, 3600}};
    for (size_t i = 0; i < COUNT(table); i++) {
        struct world w = world();
        struct client c = client(&w, "10.0.0.2:5000", "alice");
        char attrs[64];
        uint32_t got;
        snprintf(attrs, sizeof attrs, "%s%s", TCP, u32_attr(ATTR_LIFETIME, table[i][0]));
        assert_int_equal(ask(&w, &c, TURN_ALLOCATE, attrs), 0);
        assert_int_equal(stun_get_u32(&c.m, ATTR_LIFETIME, &got), 0);
        assert_int_equal(got, table[i][1]);
        assert_int_equal(ask(&w, &c, TURN_REFRESH, u32_attr(ATTR_LIFETIME, table[i][0])), 0);
        assert_int_equal(stun_get_u32(&c.m, ATTR_LIFETIME, &got), 0);
        assert_int_equal(got, table[i][0] ? table[i][1] : 0);
        end(&w);
    }
}

/* 5.5-1, 5.5-6: at 600 s, not before, whatever flows; everything of it is closed and the port is free. X-5: until
 * then nobody misses a control connection that has fallen silent. */
static void expiry(void **state)
{
    (void)state;
    struct scene s;
    scene_bound(&s);
    uint64_t born = NS_S + 200 * NS_MS; /* within 100 ms */
    for (int i = 1; i < 60; i++) {
        raw_send(s.w.p, s.peer, "x", 1);
        pipe_run_until(s.w.p, (uint64_t)i * 10 * NS_S);
    }
    pipe_run_until(s.w.p, born + 599 * NS_S);
    assert_false(s.peer->eof || s.data.r->eof);
    pipe_run_until(s.w.p, born + 601 * NS_S);
    assert_true(s.peer->eof && s.data.r->eof);
    struct raw *late = raw_connect_to(s.w.p, "203.0.113.9:1000", &s.relayed);
    pipe_run_for(s.w.p, NS_S);
    assert_int_equal(late->err, E_REFUSED);
    assert_int_equal(stats_of(&s.w).allocations + stats_of(&s.w).bound, 0);
    assert_int_equal(ask(&s.w, &s.ctrl, TURN_REFRESH, ""), 437);
    assert_int_equal(ask(&s.w, &s.ctrl, TURN_ALLOCATE, TCP), 0); /* and a new one may be had */
    end(&s.w);
}

/* G-9, X-6, 5.3-12: Refresh with 0 closes all; CTRL stays. */
static void refresh_zero(void **state)
{
    (void)state;
    struct scene s;
    scene_bound(&s);
    uint32_t lifetime = 1;
    assert_int_equal(ask(&s.w, &s.ctrl, TURN_REFRESH, u32_attr(ATTR_LIFETIME, 0)), 0);
    assert_int_equal(stun_get_u32(&s.ctrl.m, ATTR_LIFETIME, &lifetime), 0);
    assert_int_equal(lifetime, 0);
    assert_true(s.peer->eof && s.data.r->eof);
    struct raw *late = raw_connect_to(s.w.p, "203.0.113.9:1000", &s.relayed);
    assert_int_equal(ask(&s.w, &s.ctrl, TURN_REFRESH, ""), 437);
    assert_int_equal(late->err, E_REFUSED);
    assert_int_equal(ask(&s.w, &s.ctrl, TURN_CONNECT, peer_attr(PEER)), 437); /* 5.2-1 */
    end(&s.w);
}

/* X-4: the control connection ends, by FIN or RST: all ends. X-23: so does a Connect under way. */
static void control_lost(void **state)
{
    (void)state;
    for (int reset = 0; reset < 2; reset++) {
        struct scene s;
        scene_bound(&s);
        pipe_policy(s.w.p, "203.0.113.10:0", PIPE_BLACK_HOLE);
        request(&s.w, &s.ctrl, TURN_CONNECT, peer_attr("203.0.113.10:80"));
        pipe_run_for(s.w.p, NS_S);
        if (reset)
            raw_abort(s.w.p, s.ctrl.r);
        else
            raw_close(s.w.p, s.ctrl.r);
        pipe_run_for(s.w.p, NS_S);
        assert_true(s.peer->eof && s.data.r->eof);
        struct turn_stats st = stats_of(&s.w);
        assert_int_equal(st.allocations + st.pending + st.bound + st.clients, 0);
        end(&s.w);
    }
}

/* X-23: Refresh 0 while a Connect is under way: that is answered 437. */
static void connect_loses_allocation(void **state)
{
    (void)state;
    struct world w = world();
    struct client c = allocated(&w, "10.0.0.2:5000", "alice", NULL);
    pipe_policy(w.p, "203.0.113.10:0", PIPE_BLACK_HOLE);
    request(&w, &c, TURN_CONNECT, peer_attr("203.0.113.10:80"));
    request(&w, &c, TURN_REFRESH, u32_attr(ATTR_LIFETIME, 0));
    pipe_run_for(w.p, NS_S);
    assert_true(receive(&c));
    assert_int_equal(c.m.type, 0x011a);
    assert_int_equal(code_of(&c), 437);
    assert_true(receive(&c));
    assert_int_equal(c.m.type, 0x0104);
    end(&w);
}

/* The relay's listener cannot have its port: the next; none left: 508. */
static void ports_taken(void **state)
{
    (void)state;
    struct turn_config cfg = config();
    cfg.last_port = 50002;
    struct world w = world_with(&cfg);
    raw_listen(w.p, "192.0.2.1:50000");
    raw_listen(w.p, "192.0.2.1:50002");
    struct endpoint relayed;
    struct client a = allocated(&w, "10.0.0.2:5000", "alice", &relayed);
    assert_int_equal(relayed.port, 50001);
    struct client b = client(&w, "10.0.0.2:5001", "alice");
    assert_int_equal(ask(&w, &b, TURN_ALLOCATE, TCP), 508);
    assert_int_equal(ask(&w, &a, TURN_REFRESH, u32_attr(ATTR_LIFETIME, 0)), 0);
    assert_int_equal(ask(&w, &b, TURN_ALLOCATE, TCP), 0); /* the port is free again */
    end(&w);
}

static void relayed_ports(void **state) /* 8656-6-1, 7.2-36, -38; 3-1 */
{
    (void)state;
    struct world w = world();
    uint16_t seen[40];
    unsigned in_order = 0;
    for (unsigned i = 0; i < 40; i++) {
        char local[32];
        struct endpoint relayed;
        snprintf(local, sizeof local, "10.0.0.2:%u", 5000 + i);
        allocated(&w, local, "alice", &relayed);
        for (unsigned j = 0; j < i; j++)
            assert_int_not_equal(relayed.port, seen[j]);
        in_order += i && relayed.port == seen[i - 1] + 1;
        seen[i] = relayed.port;
    }
    assert_true(in_order < 10);
    end(&w);
}

/* ---- permissions ---- */

static void permissions(void **state) /* 5.3-5, -6, -10, -11, 8656-9-1, -2, -5, -6, 10.2-8, X-2 */
{
    (void)state;
    struct world w = world();
    struct endpoint relayed;
    struct client c = allocated(&w, "10.0.0.2:5000", "alice", &relayed);
    struct client other = allocated(&w, "10.0.0.2:5001", "alice", NULL);
    raw_listen(w.p, PEER);
    assert_int_equal(ask(&w, &c, TURN_CONNECT, peer_attr(PEER)), 0);
    assert_true(knock(&w, "203.0.113.9:1000", &relayed)->eof); /* X-2: Connect makes none */
    assert_int_equal(ask(&w, &other, TURN_CREATE_PERMISSION, peer_attr("203.0.113.9:9")), 0);
    assert_true(knock(&w, "203.0.113.9:1001", &relayed)->eof); /* another allocation's */
    char two[128];
    snprintf(two, sizeof two, "%s%s", peer_attr("203.0.113.9:9"), peer_attr("203.0.113.8:9"));
    assert_int_equal(ask(&w, &c, TURN_CREATE_PERMISSION, two), 0);
    uint64_t made = pipe_now(w.p);
    assert_false(knock(&w, "203.0.113.9:1002", &relayed)->eof); /* any port */
    assert_false(knock(&w, "203.0.113.8:1002", &relayed)->eof);
    pipe_run_until(w.p, made + 200 * NS_S);
    assert_int_equal(ask(&w, &c, TURN_CREATE_PERMISSION, peer_attr("203.0.113.8:0")), 0); /* renewed */
    assert_int_equal(ask(&w, &c, TURN_REFRESH, ""), 0);                                   /* 8656-8.2-8 */
    pipe_run_until(w.p, made + 299 * NS_S);
    assert_false(knock(&w, "203.0.113.9:1003", &relayed)->eof);
    pipe_run_until(w.p, made + 301 * NS_S);
    assert_true(knock(&w, "203.0.113.9:1004", &relayed)->eof);
    assert_false(knock(&w, "203.0.113.8:1004", &relayed)->eof);
    pipe_run_until(w.p, made + 501 * NS_S);
    assert_true(knock(&w, "203.0.113.8:1005", &relayed)->eof);
    end(&w);
}

static void all_or_none(void **state) /* 8656-10.2-2, 10.2-4 */
{
    (void)state;
    struct turn_config cfg = config();
    cfg.limits.permissions = 2;
    struct world w = world_with(&cfg);
    struct endpoint relayed;
    struct client c = allocated(&w, "10.0.0.2:5000", "alice", &relayed);
    char many[256];
    snprintf(many, sizeof many, "%s%s", peer_attr("203.0.113.1:0"), peer_attr("127.0.0.1:0"));
    assert_int_equal(ask(&w, &c, TURN_CREATE_PERMISSION, many), 403);
    snprintf(many, sizeof many, "%s%s%s", peer_attr("203.0.113.1:0"), peer_attr("203.0.113.2:0"),
             peer_attr("203.0.113.3:0"));
    assert_int_equal(ask(&w, &c, TURN_CREATE_PERMISSION, many), 508);
    assert_true(knock(&w, "203.0.113.1:1000", &relayed)->eof);
    snprintf(many, sizeof many, "%s%s", peer_attr("203.0.113.1:0"), peer_attr("203.0.113.2:0"));
    assert_int_equal(ask(&w, &c, TURN_CREATE_PERMISSION, many), 0);
    assert_false(knock(&w, "203.0.113.1:1001", &relayed)->eof);
    end(&w);
}

/* ---- limits ---- */

/* 0, 1, 2... of each: too few is an answer, never a crash; enough is success. */
static void limits_in_steps(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        int code; /* of the first request that does not fit; -1: the connection itself is closed */
        uint32_t enough;
    } table[] = {
        {offsetof(struct turn_limits, clients), -1, 3},
        {offsetof(struct turn_limits, allocations), 508, 1},
        {offsetof(struct turn_limits, user_allocations), 486, 1},
        {offsetof(struct turn_limits, permissions), 508, 1},
        {offsetof(struct turn_limits, peers), 508, 1},
    };
    for (size_t i = 0; i < COUNT(table); i++)
        for (uint32_t limit = 0; limit <= table[i].enough; limit++) {
            struct turn_config cfg = config();
            memcpy((uint8_t *)&cfg.limits + table[i].at, &limit, sizeof limit);
            struct world w = world_with(&cfg);
            raw_listen(w.p, PEER);
            struct client c[3];
            int code = 0;
            for (unsigned k = 0; k < 3 && !code; k++) { /* three clients, the first of which goes all the way */
                char local[32];
                snprintf(local, sizeof local, "10.0.0.2:%u", 5000 + k);
                c[k] = (struct client){.r = raw_connect(w.p, local, SERVER), .user = "alice"};
                code = ask(&w, &c[k], TURN_ALLOCATE, TCP);
                if (code == 401) {
                    take_nonce(&c[k]);
                    code = 0;
                }
            }
            if (!code)
                code = ask(&w, &c[0], TURN_ALLOCATE, TCP);
            if (!code)
                code = ask(&w, &c[0], TURN_CREATE_PERMISSION, peer_attr(PEER));
            if (!code)
                code = ask(&w, &c[0], TURN_CONNECT, peer_attr(PEER));
            assert_int_equal(code, limit < table[i].enough ? table[i].code : 0);
            end(&w);
        }
}

static void limit_of_peers_incoming(void **state) /* X-25 */
{
    (void)state;
    struct turn_config cfg = config();
    cfg.limits.peers = 1;
    struct world w = world_with(&cfg);
    struct endpoint relayed;
    struct client c = allocated(&w, "10.0.0.2:5000", "alice", &relayed);
    assert_int_equal(ask(&w, &c, TURN_CREATE_PERMISSION, peer_attr("203.0.113.9:0")), 0);
    assert_false(knock(&w, "203.0.113.9:1000", &relayed)->eof);
    assert_true(knock(&w, "203.0.113.9:1001", &relayed)->eof);
    end(&w);
}

static void senseless_configurations(void **state)
{
    (void)state;
    struct io *io = io_new("relay", 1);
    struct turn_config cfg = config();
    cfg.first_port = 50001;
    cfg.last_port = 50000;
    assert_null(turn_new(io, 1, &cfg));
    cfg.first_port = 0;
    assert_null(turn_new(io, 1, &cfg));
    cfg = config();
    cfg.profile = turn_profile_named("nonsense");
    assert_null(turn_new(io, 1, &cfg));
    assert_ptr_equal(turn_profile_named("expressway"), &turn_expressway);
    io_free(io);
}

/* The same seed, the same bytes. */
static void deterministic(void **state)
{
    (void)state;
    uint8_t first[4096];
    size_t len = 0;
    for (int run = 0; run < 2; run++) {
        struct scene s;
        scene_bound(&s);
        if (run == 0) {
            len = s.ctrl.m.len;
            memcpy(first, s.ctrl.m.bytes, len);
        } else {
            assert_memory_equal(first, s.ctrl.m.bytes, len);
        }
        end(&s.w);
    }
}

int main(void)
{
    static const struct CMUnitTest named[] = {
        {"6062-5.2-8, G-13 policy", policy, NULL, NULL, NULL},
        {"8489-9.2.4 credentials", credentials, NULL, NULL, NULL},
        {"8489-9.2.4-2 nonces are of their source", nonces_are_of_their_source, NULL, NULL, NULL},
        {"8656-5-4 nonces last an hour", nonces_last_an_hour, NULL, NULL, NULL},
        {"6062-G-1, G-2, G-3, X-11 owners", owners, NULL, NULL, NULL},
        {"6062-G-6 fingerprints", fingerprints, NULL, NULL, NULL},
        {"6062-5.1-10..13 allocate success", allocate_success, NULL, NULL, NULL},
        {"8656-7.2-39 lifetimes", lifetimes, NULL, NULL, NULL},
        {"6062-5.5-1, 5.5-6, X-5 expiry", expiry, NULL, NULL, NULL},
        {"6062-G-9, X-6, 5.3-12 refresh 0", refresh_zero, NULL, NULL, NULL},
        {"6062-X-4 control lost", control_lost, NULL, NULL, NULL},
        {"6062-X-23 connect loses its allocation", connect_loses_allocation, NULL, NULL, NULL},
        {"8656-7.2 ports taken", ports_taken, NULL, NULL, NULL},
        {"6062-3-1, 8656-7.2-38 relayed ports", relayed_ports, NULL, NULL, NULL},
        {"6062-5.3-5, -10, -11, X-2 permissions", permissions, NULL, NULL, NULL},
        {"8656-10.2-2 all or none", all_or_none, NULL, NULL, NULL},
        {"limits in steps", limits_in_steps, NULL, NULL, NULL},
        {"6062-X-25 limit of peers, incoming", limit_of_peers_incoming, NULL, NULL, NULL},
        {"senseless configurations", senseless_configurations, NULL, NULL, NULL},
        {"deterministic", deterministic, NULL, NULL, NULL},
    };
    struct CMUnitTest tests[COUNT(ask_rows) + COUNT(named)];
    for (size_t i = 0; i < COUNT(ask_rows); i++) {
        struct ask_row *row = malloc(sizeof *row); /* cmocka hands it on as not const */
        if (!row)
            return 1;
        *row = ask_rows[i];
        tests[i] = (struct CMUnitTest){row->name, ask_one, NULL, NULL, row};
    }
    memcpy(tests + COUNT(ask_rows), named, sizeof named);
    int failed = _cmocka_run_group_tests("server", tests, COUNT(tests), NULL, NULL);
    for (size_t i = 0; i < COUNT(ask_rows); i++)
        free(tests[i].initial_state);
    return failed;
}
