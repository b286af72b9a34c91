/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server rows of RFC 8656 on requests over UDP: single ones in a table, and Allocate in all its forms. Each test is
 * named after its rows; others are in udp_test.c (data), auth_test.c (credentials) and, where TCP and UDP are alike,
 * server_test.c.
 *
 * Server rows of RFC 8656 that no test in this folder names, and why:
 *
 *   5-14, 21-12          TLS and DTLS: none
 *   5-16 (bandwidth)     no limit on bandwidth, only on allocations
 *   5-18, 4.1            configuration: the realm is the operator's; URIs are the caller's
 *   7.2-2                third-party authorisation (RFC 7635): none
 *   7.2-10               the relay never translates DF between families: where one is v4 and one v6, DONT-FRAGMENT is
 *                        the host's to honour or (turn_config.dont_fragment unset) 420
 *   7.2-34               may be held longer: is not
 *   12-2                 multiplexing with DTLS, ZRTP and RTP: first bytes 64 to 79 and 0 to 3 only (12.6-1)
 *   13-*, 14-*, 15-1,    IP headers: a relay over sockets has the alternate behaviour throughout (TTL, DSCP and ECN are
 *   16-1                 the host's, DF is not copied); fragments are put together by the host (sim/host)
 *   21-4                 loops between servers: own addresses are refused (21-11), others cannot be known */
#include "models/turn/bench_test.h"

enum {
    ON_ALLOCATION = 1,
    CAN_DF = 2,  /* the host can set DF */
    V4_ONLY = 4, /* relay addresses */
    V6_ONLY = 8,
    NO_UDP = 16,
    NO_TCP = 32,
    AS_5766 = 64, /* the profile of those days */
};

struct row {
    const char *name;
    unsigned method;
    const char *attrs;
    int code;
    unsigned how;
};

#define TOKEN "00220008 0102030405060708 "
#define DF "001a0000 "
#define EVEN "00180001 00000000 "
#define EVEN_R "00180001 80000000 "
#define V4 "00170004 01000000 "
#define V6 "00170004 02000000 "
#define BOTH "80000004 02000000 "
#define PEER4 "00120008 00015c74 e112a6d4 "
#define PEER6 "00120014 00025c74 0113a9fa 000000000000000000000000 "

static const struct row rows[] = {
    {"8656-7.2-5 no REQUESTED-TRANSPORT", TURN_ALLOCATE, "", 400, 0},
    {"8656-7.2-6 of one byte", TURN_ALLOCATE, "00190001 11000000", 400, 0},
    {"8656-7.2-7 protocol 0", TURN_ALLOCATE, "00190004 00000000", 442, 0},
    {"8656-7.2-7 protocol 255", TURN_ALLOCATE, "00190004 ff000000", 442, 0},
    {"6062-5.1-4 UDP by policy not", TURN_ALLOCATE, UDP, 403, NO_UDP},
    {"6062-5.1-6, 4.1-2 TCP over UDP", TURN_ALLOCATE, TCP, 400, 0},
    {"6062-5.1-5 TCP not at all", TURN_ALLOCATE, TCP, 442, NO_TCP},
    {"8656-7.2-8 RFFU is ignored", TURN_ALLOCATE, "00190004 11ffffff", 0, 0},
    {"8656-7.2-9 DONT-FRAGMENT that the host cannot", TURN_ALLOCATE, UDP DF, 420, 0},
    {"8656-7.2-9 DONT-FRAGMENT that it can", TURN_ALLOCATE, UDP DF, 0, CAN_DF},
    {"8656-7.2-11 token and EVEN-PORT", TURN_ALLOCATE, UDP TOKEN EVEN, 400, 0},
    {"8656-7.2-12 token and family", TURN_ALLOCATE, UDP TOKEN V4, 400, 0},
    {"8656-7.2-12 token and second family", TURN_ALLOCATE, UDP TOKEN BOTH, 400, 0},
    {"8656-7.2-13 unknown token", TURN_ALLOCATE, UDP TOKEN, 508, 0},
    {"8656-7.2-13 token of seven bytes", TURN_ALLOCATE, UDP "00220007 0102030405060700", 400, 0},
    {"8656-7.2-14 family and second family", TURN_ALLOCATE, UDP V4 BOTH, 400, 0},
    {"8656-7.2-15 no IPv6", TURN_ALLOCATE, UDP V6, 440, V4_ONLY},
    {"8656-7.2-15 family 3", TURN_ALLOCATE, UDP "00170004 03000000", 440, 0},
    {"8656-7.2-15 IPv6", TURN_ALLOCATE, UDP V6, 0, 0},
    {"8656-7.2-16 no family, no IPv4", TURN_ALLOCATE, UDP, 440, V6_ONLY},
    {"8656-7.2-18 EVEN-PORT with R and two families", TURN_ALLOCATE, UDP EVEN_R BOTH, 400, 0},
    {"8656-7.2-19 EVEN-PORT of four bytes", TURN_ALLOCATE, UDP "00180004 80000000", 400, 0},
    {"8656-7.2-20 second family IPv4", TURN_ALLOCATE, UDP "80000004 01000000", 400, 0},
    {"8656-7.2-39 LIFETIME of two bytes", TURN_ALLOCATE, UDP "000d0002 02580000", 400, 0},
    {"8489-6.3.1-1 unknown attribute", TURN_ALLOCATE, UDP "7abc0000", 420, 0},
    {"8489-6.3-3 unknown optional attribute", TURN_ALLOCATE, UDP "ff000000", 0, 0},
    {"8489-6.3-4 known but not expected", STUN_BINDING, "000c0004 40000000", 0, 0},
    {"8656-5-6 Refresh without allocation", TURN_REFRESH, "", 437, 0},
    {"8656-5-6 CreatePermission without allocation", TURN_CREATE_PERMISSION, PEER4, 437, 0},
    {"8656-5-6 ChannelBind without allocation", TURN_CHANNEL_BIND, "000c0004 40000000 " PEER4, 437, 0},
    {"6062-5.2-1 Connect without allocation", TURN_CONNECT, PEER4, 437, 0},
    {"6062-X-10 Connect on a UDP allocation", TURN_CONNECT, PEER4, 400, ON_ALLOCATION},
    {"6062-5.4-1 ConnectionBind over UDP", TURN_CONNECTION_BIND, "002a0004 01020304", 400, 0},
    {"8656-8.2-3 no LIFETIME", TURN_REFRESH, "", 0, ON_ALLOCATION},
    {"8656-8.2-4 Refresh of the other family", TURN_REFRESH, V6, 443, ON_ALLOCATION},
    {"8656-8.2-4 Refresh of its family", TURN_REFRESH, V4, 0, ON_ALLOCATION},
    {"8656-10.2-1 no address", TURN_CREATE_PERMISSION, "", 400, ON_ALLOCATION},
    {"8656-10.2-1 address of seven bytes", TURN_CREATE_PERMISSION, "00120007 0001000000000000", 400, ON_ALLOCATION},
    {"8656-10.2-1 family 3", TURN_CREATE_PERMISSION, "00120008 00035c74 e112a6d4", 400, ON_ALLOCATION},
    {"8656-10.2-3 the other family", TURN_CREATE_PERMISSION, PEER6, 443, ON_ALLOCATION},
    {"8656-10.2-6 port 0", TURN_CREATE_PERMISSION, "00120008 00012112 e112a6d4", 0, ON_ALLOCATION},
    {"8656-12-1 the first channel", TURN_CHANNEL_BIND, "000c0004 40000000 " PEER4, 0, ON_ALLOCATION},
    {"8656-12-1 the last channel", TURN_CHANNEL_BIND, "000c0004 4fff0000 " PEER4, 0, ON_ALLOCATION},
    {"8656-12-1 one more", TURN_CHANNEL_BIND, "000c0004 50000000 " PEER4, 400, ON_ALLOCATION},
    {"8656-12-1 the last of RFC 5766", TURN_CHANNEL_BIND, "000c0004 7ffe0000 " PEER4, 400, ON_ALLOCATION},
    {"5766-11-1 the last of RFC 5766, in its profile", TURN_CHANNEL_BIND, "000c0004 7ffe0000 " PEER4, 0,
     ON_ALLOCATION | AS_5766},
    {"5766-11-1 one more", TURN_CHANNEL_BIND, "000c0004 7fff0000 " PEER4, 400, ON_ALLOCATION | AS_5766},
    {"8656-12.2-1 no number", TURN_CHANNEL_BIND, PEER4, 400, ON_ALLOCATION},
    {"8656-12.2-1 no address", TURN_CHANNEL_BIND, "000c0004 40000000", 400, ON_ALLOCATION},
    {"8656-12.2-2 number 0", TURN_CHANNEL_BIND, "000c0004 00000000 " PEER4, 400, ON_ALLOCATION},
    {"8656-12.2-2 number 0x3fff", TURN_CHANNEL_BIND, "000c0004 3fff0000 " PEER4, 400, ON_ALLOCATION},
    {"8656-12.2-2 number 0xffff", TURN_CHANNEL_BIND, "000c0004 ffff0000 " PEER4, 400, ON_ALLOCATION},
    {"8656-12.2-6 the other family", TURN_CHANNEL_BIND, "000c0004 40000000 " PEER6, 443, ON_ALLOCATION},
    {"8656-12.2-10 RFFU is ignored", TURN_CHANNEL_BIND, "000c0004 4000ffff " PEER4, 0, ON_ALLOCATION},
};

static struct turn_config config_of(unsigned how)
{
    struct turn_config cfg = bench_config();
    cfg.dont_fragment = how & CAN_DF;
    cfg.no_udp_relay = how & NO_UDP;
    cfg.no_tcp_relay = how & NO_TCP;
    if (how & V4_ONLY)
        cfg.relay_ip6.family = IP_NONE;
    if (how & V6_ONLY)
        cfg.relay_ip4.family = IP_NONE;
    if (how & AS_5766)
        cfg.profile = &turn_expressway;
    return cfg;
}

static void ask_one(void **state)
{
    const struct row *row = *state;
    struct turn_config cfg = config_of(row->how);
    struct bench *b = bench_with(&cfg);
    struct endpoint relayed;
    struct udp_client u = row->how & ON_ALLOCATION ? udp_allocated(b, "10.0.0.2:5000", "alice", &relayed)
                                                   : udp_client(b, "10.0.0.2:5000", "alice");
    assert_int_equal(udp_ask(b, &u, row->method, row->attrs), row->code);
    uint8_t key[16];
    struct stun_attr a;
    key_of(&u.c, key);
    if (row->method != STUN_BINDING) /* 8489-6.3.1-4, 9.2.4-13: who asked with a MAC has one in the answer */
        assert_int_equal(stun_check_integrity(&u.c.m, key, sizeof key), 0);
    assert_true(stun_find(&u.c.m, ATTR_SOFTWARE, &a)); /* 5-9 */
    if (row->code == 420) {
        assert_true(stun_find(&u.c.m, ATTR_UNKNOWN_ATTRIBUTES, &a));
        assert_int_equal(a.len, 2);
        assert_int_equal(load16(a.value), strstr(row->attrs, DF) ? 0x001a : 0x7abc);
    }
    assert_int_equal(udp_ask(b, &u, STUN_BINDING, ""), 0); /* whatever it was, life goes on */
    struct turn_stats st;
    turn_stats(b->turn, &st);
    assert_int_equal(st.allocations, row->how & ON_ALLOCATION || (row->method == TURN_ALLOCATE && row->code == 0));
    bench_free(b);
}

/* ---- what is silence ---- */

/* 5-7, 5-12, 8489-5-1, 5-2, 5-4, 5-5, 6.3-1, 6.3.2-1, 12.6-1: no answer, nothing done; and the allocation lives. */
static void silence(void **state)
{
    (void)state;
    static const struct {
        const char *name, *hex;
    } table[] = {
        {"empty", ""},
        {"a first byte of 80", "50000000 2112a442 000000000000000000000001"},
        {"a first byte of 192", "c0010000 2112a442 000000000000000000000001"},
        {"no cookie", "00010000 2112a443 000000000000000000000001"},
        {"RFC 3489", "00010000 00000000 000000000000000000000001"},
        {"a length of 2", "00010002 2112a442 000000000000000000000001 0000"},
        {"shorter than it says", "00010008 2112a442 000000000000000000000001 00060000"},
        {"longer than it says", "00010000 2112a442 000000000000000000000001 00060000"},
        {"an attribute past the end", "00010008 2112a442 000000000000000000000001 0006fffc 00000000"},
        {"an unknown method", "000f0000 2112a442 000000000000000000000001"},
        {"a Binding indication", "00110000 2112a442 000000000000000000000001"},
        {"an Allocate indication", "00130000 2112a442 000000000000000000000001"},
        {"a Data indication", "00170000 2112a442 000000000000000000000001"},
        {"a Send request", "00060000 2112a442 000000000000000000000001"},
        {"an Allocate success", "01030000 2112a442 000000000000000000000001"},
        {"ChannelData", "40000004 74657374"},
        {"half a ChannelData header", "4000"},
        {"ChannelData that is short", "40000005 74657374"},
        {"Send", "00160014 2112a442 000000000000000000000001 00120008 00012112 ea124fcb 00130004 74657374"},
    };
    struct bench *b = bench();
    struct endpoint relayed;
    struct udp_client with = udp_allocated(b, "10.0.0.2:5000", "alice", &relayed);
    struct udp_client without = {.at = kit_endpoint("10.0.0.2:5001"), .server = kit_endpoint(SERVER)};
    for (size_t i = 0; i < COUNT(table); i++) {
        uint8_t bytes[64];
        size_t n = kit_hex(table[i].hex, bytes, sizeof bytes);
        udp_send(b, &with, bytes, n);
        udp_send(b, &without, bytes, n);
        if (b->kept_count)
            fail_msg("%s is answered", table[i].name);
    }
    assert_int_equal(udp_ask(b, &with, TURN_REFRESH, ""), 0);
    bench_free(b);
}

/* ---- owners, quotas, room ---- */

static void owners(void **state) /* 5-5, 21-9 */
{
    (void)state;
    struct bench *b = bench();
    struct endpoint relayed;
    struct udp_client u = udp_allocated(b, "10.0.0.2:5000", "alice", &relayed);
    u.c.user = "bob";
    assert_int_equal(udp_ask(b, &u, TURN_REFRESH, u32_attr(ATTR_LIFETIME, 0)), 441);
    assert_int_equal(udp_ask(b, &u, TURN_CREATE_PERMISSION, PEER4), 441);
    assert_int_equal(udp_ask(b, &u, TURN_CHANNEL_BIND, "000c0004 40000000 " PEER4), 441);
    u.c.user = "alice";
    assert_int_equal(udp_ask(b, &u, TURN_REFRESH, ""), 0);
    struct turn_stats st;
    turn_stats(b->turn, &st);
    assert_int_equal(st.permissions + st.channels, 0);
    bench_free(b);
}

static struct udp_client nth_client(struct bench *b, unsigned n, const char *user)
{
    char at[32];
    snprintf(at, sizeof at, "10.0.%u.2:%u", n / 1000, 5000 + n % 1000);
    return udp_client(b, at, user);
}

/* 5-16, 7.2-24, -25, 21-8: by name, wherever it comes from; the other user has its own. */
static void quotas(void **state)
{
    (void)state;
    struct turn_config cfg = bench_config();
    cfg.limits.user_allocations = 2;
    struct bench *b = bench_with(&cfg);
    struct udp_client u[3];
    for (unsigned i = 0; i < 3; i++) {
        u[i] = nth_client(b, 1000 * i, "alice");
        assert_int_equal(udp_ask(b, &u[i], TURN_ALLOCATE, UDP), i < 2 ? 0 : 486);
    }
    struct udp_client bob = nth_client(b, 5, "bob");
    assert_int_equal(udp_ask(b, &bob, TURN_ALLOCATE, UDP), 0);
    assert_int_equal(udp_ask(b, &u[0], TURN_REFRESH, u32_attr(ATTR_LIFETIME, 0)), 0);
    assert_int_equal(udp_ask(b, &u[2], TURN_ALLOCATE, UDP), 0);
    bench_free(b);
}

/* EXP-2, EXP-5, 7.2-26, 8489-10-1, -3, 14.8-3: each port has its limit, UDP and TCP together; who is over it is sent to
 * the alternate of its family, but only when it has said who it is. */
static void ports_and_alternates(void **state)
{
    (void)state;
    struct turn_config cfg = bench_config();
    struct endpoint listen[] = {kit_endpoint("192.0.2.1:3478"), kit_endpoint("192.0.2.1:3479"),
                                kit_endpoint("[2001:db8::1]:3478")};
    cfg.listen_udp = listen;
    cfg.listen_udp_count = 3;
    cfg.listen = listen;
    cfg.listen_count = 1;
    cfg.limits.port_allocations = 2;
    cfg.limits.allocations = 3;
    for (int alternate = 0; alternate < 2; alternate++) {
        if (alternate)
            cfg.alternate4 = kit_endpoint("198.51.100.1:3478");
        struct bench *b = bench_with(&cfg);
        struct udp_client a = nth_client(b, 0, "alice");
        struct udp_client six = {.c.user = "alice", .at = kit_endpoint("[2001:db8::7]:1"), .server = listen[2]};
        assert_int_equal(udp_ask(b, &six, TURN_ALLOCATE, UDP), 401);
        take_nonce(&six.c);
        assert_int_equal(udp_ask(b, &six, TURN_ALLOCATE, UDP), 0);
        assert_int_equal(relayed_of(&six.c).ip.family, IP_V4); /* 7.2-17 */
        assert_int_equal(udp_ask(b, &a, TURN_ALLOCATE, UDP), 0);
        struct udp_client c = nth_client(b, 1, "alice"); /* 401 first, as ever */
        assert_int_equal(udp_ask(b, &c, TURN_ALLOCATE, UDP), alternate ? 300 : 508); /* 3478 is full */
        struct endpoint to;
        uint8_t key[16];
        assert_int_equal(stun_get_address(&c.c.m, ATTR_ALTERNATE_SERVER, &to), alternate ? 0 : E_NOT_FOUND);
        assert_true(!alternate || endpoint_equal(&to, &cfg.alternate4));
        key_of(&c.c, key);
        assert_int_equal(stun_check_integrity(&c.c.m, key, sizeof key), 0);
        c.server = listen[1];
        assert_int_equal(udp_ask(b, &c, TURN_ALLOCATE, UDP), 0); /* 3479 is not */
        six.at.port = 2;
        assert_int_equal(udp_ask(b, &six, TURN_ALLOCATE, UDP), 508); /* no alternate for IPv6 */
        bench_free(b);
    }
}

/* ---- EVEN-PORT and reservations ---- */

static uint64_t token_of(const struct client *c)
{
    uint64_t token = 0;
    assert_int_equal(stun_get_u64(&c->m, ATTR_RESERVATION_TOKEN, &token), 0);
    return token;
}

static const char *with_token(uint64_t token)
{
    static char s[64];
    snprintf(s, sizeof s, UDP "00220008 %016llx", (unsigned long long)token);
    return s;
}

static void even_ports(void **state) /* 7.2-31, -32, -36, -37 */
{
    (void)state;
    struct bench *b = bench();
    struct stun_attr a;
    for (unsigned i = 0; i < 50; i++) {
        struct udp_client u = nth_client(b, i, "alice");
        bool pair = i % 5 == 0;
        assert_int_equal(udp_ask(b, &u, TURN_ALLOCATE, pair ? UDP EVEN_R : UDP EVEN), i < 50 ? 0 : 508);
        assert_int_equal(relayed_of(&u.c).port % 2, 0);
        assert_in_range(relayed_of(&u.c).port, 50000, 50099);
        assert_int_equal(stun_find(&u.c.m, ATTR_RESERVATION_TOKEN, &a), pair);
    }
    struct udp_client late = nth_client(b, 50, "alice"); /* 7.2-19: there are fifty even ones */
    assert_int_equal(udp_ask(b, &late, TURN_ALLOCATE, UDP EVEN), 508);
    assert_int_equal(udp_ask(b, &late, TURN_ALLOCATE, UDP), 0);
    assert_int_equal(relayed_of(&late.c).port % 2, 1);
    bench_free(b);
}

/* 7.2-13, -30, -33, -35: for half a minute it is for who has the token, from wherever; used once; then it is free. */
static void reservations(void **state)
{
    (void)state;
    struct turn_config cfg = bench_config();
    cfg.first_port = 50000;
    cfg.last_port = 50003;
    struct bench *b = bench_with(&cfg);
    struct udp_client a = nth_client(b, 0, "alice"), other = nth_client(b, 1000, "alice");
    struct udp_client more = nth_client(b, 2, "bob");
    assert_int_equal(udp_ask(b, &a, TURN_ALLOCATE, UDP EVEN_R), 0);
    uint16_t even = relayed_of(&a.c).port;
    uint64_t token = token_of(&a.c), born = b->now;
    for (unsigned i = 0; i < 3; i++) { /* two are left, and the reserved one is not among them */
        struct udp_client u = nth_client(b, 100 + i, "bob");
        assert_int_equal(udp_ask(b, &u, TURN_ALLOCATE, UDP), i < 2 ? 0 : 508);
        assert_true(i == 2 || relayed_of(&u.c).port != even + 1);
    }
    bench_until(b, born + 29 * NS_S);
    assert_int_equal(udp_ask(b, &other, TURN_ALLOCATE, with_token(token ^ 1)), 508);
    assert_int_equal(udp_ask(b, &other, TURN_ALLOCATE, with_token(token)), 0);
    assert_int_equal(relayed_of(&other.c).port, even + 1);
    assert_int_equal(udp_ask(b, &more, TURN_ALLOCATE, with_token(token)), 508); /* once */
    assert_int_equal(udp_ask(b, &other, TURN_REFRESH, u32_attr(ATTR_LIFETIME, 0)), 0);
    assert_int_equal(udp_ask(b, &a, TURN_REFRESH, u32_attr(ATTR_LIFETIME, 0)), 0);
    assert_int_equal(udp_ask(b, &a, TURN_ALLOCATE, UDP EVEN_R), 0);
    token = token_of(&a.c);
    born = b->now;
    assert_int_equal(udp_ask(b, &more, TURN_ALLOCATE, UDP), 508);
    bench_until(b, born + 31 * NS_S);
    assert_int_equal(udp_ask(b, &other, TURN_ALLOCATE, with_token(token)), 508);
    assert_int_equal(udp_ask(b, &more, TURN_ALLOCATE, UDP), 0); /* its port is anybody's again */
    struct turn_stats st;
    turn_stats(b->turn, &st);
    assert_int_equal(st.reservations, 0);
    bench_free(b);
}

/* 7.2-32: an even port whose neighbour is taken makes no pair. */
static void pairs_are_whole(void **state)
{
    (void)state;
    struct turn_config cfg = bench_config();
    cfg.last_port = 50003;
    struct bench *b = bench_with(&cfg);
    struct udp_client u[4];
    for (unsigned i = 0; i < 4; i++) {
        u[i] = nth_client(b, i, "alice");
        assert_int_equal(udp_ask(b, &u[i], TURN_ALLOCATE, UDP), 0);
    }
    for (unsigned i = 0; i < 4; i++) { /* all are taken: 50001 stays so */
        struct endpoint at = {listen_at.ip, 50001};
        io_id held = bench_socket(b, IO_OP_UDP, &at);
        assert_int_equal(udp_ask(b, &u[i], TURN_REFRESH, u32_attr(ATTR_LIFETIME, 0)), 0);
        if (held && !bench_socket(b, IO_OP_UDP, &at)) {
            static const uint16_t others[] = {50000, 50002, 50003};
            memcpy(b->taken, others, sizeof others);
            b->taken_count = 3;
            assert_int_equal(udp_ask(b, &u[i], TURN_ALLOCATE, UDP), 0);
            assert_int_equal(relayed_of(&u[i].c).port, 50001);
            b->taken_count = 0;
        }
    }
    struct udp_client pair = nth_client(b, 9, "bob");
    assert_int_equal(udp_ask(b, &pair, TURN_ALLOCATE, UDP EVEN_R), 0);
    assert_int_equal(relayed_of(&pair.c).port, 50002);
    struct udp_client other = nth_client(b, 10, "bob");
    assert_int_equal(udp_ask(b, &other, TURN_ALLOCATE, UDP EVEN_R), 508);
    bench_free(b);
}

/* 6062-5.1-9: a token that is good is no good for TCP, and stays good. */
static void a_token_is_not_for_tcp(void **state)
{
    (void)state;
    struct bench *b = bench();
    struct udp_client a = nth_client(b, 0, "alice"), other = nth_client(b, 1, "alice");
    assert_int_equal(udp_ask(b, &a, TURN_ALLOCATE, UDP EVEN_R), 0);
    uint64_t token = token_of(&a.c);
    struct tcp_client tcp = tcp_connect(b, "10.0.0.2:1", "alice");
    char attrs[64];
    snprintf(attrs, sizeof attrs, TCP "00220008 %016llx", (unsigned long long)token);
    assert_int_equal(tcp_ask(b, &tcp, TURN_ALLOCATE, attrs), 401);
    take_nonce(&tcp.c);
    assert_int_equal(tcp_ask(b, &tcp, TURN_ALLOCATE, attrs), 400);
    assert_int_equal(udp_ask(b, &other, TURN_ALLOCATE, with_token(token)), 0);
    bench_free(b);
}

/* A port that somebody else has is passed over, also for a pair; a reservation whose port was taken is 508. */
static void taken_ports(void **state)
{
    (void)state;
    struct turn_config cfg = bench_config();
    cfg.last_port = 50003;
    struct bench *b = bench_with(&cfg);
    b->taken[b->taken_count++] = 50000;
    struct udp_client a = nth_client(b, 0, "alice"), other = nth_client(b, 1, "alice");
    assert_int_equal(udp_ask(b, &a, TURN_ALLOCATE, UDP EVEN_R), 0);
    assert_int_equal(relayed_of(&a.c).port, 50002);
    b->taken[b->taken_count++] = 50003;
    assert_int_equal(udp_ask(b, &other, TURN_ALLOCATE, with_token(token_of(&a.c))), 508);
    assert_int_equal(udp_ask(b, &other, TURN_ALLOCATE, UDP), 0);
    assert_int_equal(relayed_of(&other.c).port, 50001);
    bench_free(b);
}

/* ---- families ---- */

static unsigned relays_in(const struct client *c, struct endpoint out[2])
{
    struct stun_attr a = {0};
    unsigned n = 0;
    while (stun_next(&c->m, &a))
        if (a.type == ATTR_XOR_RELAYED_ADDRESS && n < 2)
            assert_int_equal(stun_attr_address(&c->m, &a, &out[n++]), 0);
    return n;
}

/* 7.2-22, -23: two, or one and why not the other. */
static void two_families(void **state)
{
    (void)state;
    static const struct {
        unsigned how, relays;
        uint8_t missing;
        bool no_ports; /* for IPv6 */
        int why;
    } table[] = {{0, 2, 0, false, 0}, {V4_ONLY, 1, IP_V6, false, 440}, {V6_ONLY, 1, IP_V4, false, 440}};
    for (size_t i = 0; i < COUNT(table); i++) {
        struct turn_config cfg = config_of(table[i].how);
        struct bench *b = bench_with(&cfg);
        struct udp_client u = nth_client(b, 0, "alice");
        struct endpoint relayed[2];
        struct stun_attr a;
        assert_int_equal(udp_ask(b, &u, TURN_ALLOCATE, UDP BOTH), 0);
        assert_int_equal(relays_in(&u.c, relayed), table[i].relays);
        assert_int_equal(stun_find(&u.c.m, ATTR_ADDRESS_ERROR_CODE, &a), table[i].missing != 0);
        if (table[i].missing) {
            assert_int_equal(a.value[0], table[i].missing);
            assert_int_equal(a.value[2] * 100 + a.value[3], table[i].why);
        } else {
            assert_int_equal(relayed[0].ip.family, IP_V4);
            assert_int_equal(relayed[1].ip.family, IP_V6);
        }
        bench_free(b);
    }
}

/* 6-6: each family goes its own way: refreshed, ended and expired alone, with what it has permissions for. */
static void families_end_alone(void **state)
{
    (void)state;
    struct bench *b = bench();
    struct udp_client u = nth_client(b, 0, "alice");
    struct endpoint relayed[2];
    assert_int_equal(udp_ask(b, &u, TURN_ALLOCATE, UDP BOTH), 0);
    assert_int_equal(relays_in(&u.c, relayed), 2);
    uint64_t born = b->now;
    assert_int_equal(udp_ask(b, &u, TURN_CHANNEL_BIND, channel_attrs(0x4000, "203.0.113.9:1")), 0);
    assert_int_equal(udp_ask(b, &u, TURN_CREATE_PERMISSION, PEER6), 0);
    struct turn_stats st;
    turn_stats(b->turn, &st);
    assert_int_equal(st.permissions, 2);
    char attrs[64];
    snprintf(attrs, sizeof attrs, V4 "%s", u32_attr(ATTR_LIFETIME, 0));
    assert_int_equal(udp_ask(b, &u, TURN_REFRESH, attrs), 0);
    assert_int_equal(bench_socket(b, IO_OP_UDP, &relayed[0]), IO_NONE);
    assert_int_not_equal(bench_socket(b, IO_OP_UDP, &relayed[1]), IO_NONE);
    turn_stats(b->turn, &st);
    assert_int_equal(st.channels, 0);
    assert_int_equal(st.permissions, 1);
    assert_int_equal(udp_ask(b, &u, TURN_CHANNEL_BIND, channel_attrs(0x4001, "203.0.113.9:1")), 443);
    assert_int_equal(udp_ask(b, &u, TURN_REFRESH, V4), 443);
    bench_until(b, born + 599 * NS_S);
    assert_int_equal(udp_ask(b, &u, TURN_REFRESH, V6), 0);
    bench_until(b, born + 1198 * NS_S);
    assert_int_equal(udp_ask(b, &u, TURN_CREATE_PERMISSION, PEER6), 0);
    bench_until(b, born + 1200 * NS_S);
    assert_int_equal(udp_ask(b, &u, TURN_REFRESH, ""), 437);
    bench_free(b);
}

/* 6-1, 6062-5.1-14: a thousand relayed addresses, no two alike; UDP and TCP count by themselves. */
static void relayed_addresses_are_unique(void **state)
{
    (void)state;
    struct turn_config cfg = bench_config();
    cfg.first_port = 40000;
    cfg.last_port = 40999;
    struct bench *b = bench_with(&cfg);
    static bool seen[1000];
    unsigned in_order = 0;
    uint16_t before = 0;
    memset(seen, 0, sizeof seen);
    for (unsigned i = 0; i < 1000; i++) {
        struct udp_client u = nth_client(b, i, "alice");
        assert_int_equal(udp_ask(b, &u, TURN_ALLOCATE, UDP), 0);
        uint16_t port = relayed_of(&u.c).port;
        assert_in_range(port, 40000, 40999);
        assert_false(seen[port - 40000]);
        seen[port - 40000] = true;
        in_order += port == before + 1;
        before = port;
    }
    assert_in_range(in_order, 0, 50); /* 7.2-38: but the last few have little choice */
    struct udp_client late = nth_client(b, 1001, "alice");
    assert_int_equal(udp_ask(b, &late, TURN_ALLOCATE, UDP), 508);
    bench_free(b);
}

/* ---- lifetimes ---- */

static uint32_t lifetime_of(const struct client *c)
{
    uint32_t v = 1;
    assert_int_equal(stun_get_u32(&c->m, ATTR_LIFETIME, &v), 0);
    return v;
}

/* 6-4, 6-5, 6-7, 7.2-39, -40, 8.2-1..6: to the second; what flows does not prolong it. */
static void lifetimes(void **state)
{
    (void)state;
    static const uint32_t table[][2] = {{0, 600}, {1, 600}, {599, 600}, {601, 601}, {3600, 3600}, {UINT32_MAX, 3600}};
    for (size_t i = 0; i < COUNT(table); i++) {
        struct bench *b = bench();
        struct udp_client u = nth_client(b, 0, "alice");
        char attrs[64];
        snprintf(attrs, sizeof attrs, UDP "%s", u32_attr(ATTR_LIFETIME, table[i][0]));
        assert_int_equal(udp_ask(b, &u, TURN_ALLOCATE, attrs), 0);
        assert_int_equal(lifetime_of(&u.c), table[i][1]);
        struct endpoint relayed = relayed_of(&u.c);
        uint64_t end = b->now + table[i][1] * NS_S;
        assert_int_equal(udp_ask(b, &u, TURN_CHANNEL_BIND, channel_attrs(0x4000, "203.0.113.9:1")), 0);
        while (b->now < end - NS_S) {
            udp_channel_data(b, &u, 0x4000, "x");
            bench_until(b, b->now + NS_S);
            b->kept_count = 0;
        }
        assert_int_not_equal(bench_socket(b, IO_OP_UDP, &relayed), IO_NONE);
        bench_until(b, end);
        assert_int_equal(bench_socket(b, IO_OP_UDP, &relayed), IO_NONE);
        udp_channel_data(b, &u, 0x4000, "late");
        assert_int_equal(b->kept_count, 0);
        bench_free(b);
    }
}

static void refresh_again(void **state) /* 8.2-6: a lower value counts; 8.2-7; after 0 nothing answers any more */
{
    (void)state;
    struct bench *b = bench();
    struct endpoint relayed;
    struct udp_client u = udp_allocated(b, "10.0.0.2:5000", "alice", &relayed);
    assert_int_equal(udp_ask(b, &u, TURN_REFRESH, u32_attr(ATTR_LIFETIME, 3600)), 0);
    assert_int_equal(udp_ask(b, &u, TURN_REFRESH, u32_attr(ATTR_LIFETIME, 600)), 0);
    assert_int_equal(lifetime_of(&u.c), 600);
    bench_until(b, b->now + 599 * NS_S);
    uint8_t buf[512];
    size_t n = compose(&u.c, TURN_REFRESH, u32_attr(ATTR_LIFETIME, 0), buf, sizeof buf);
    udp_send(b, &u, buf, n);
    assert_int_equal(udp_answer(b, &u), 0);
    assert_int_equal(lifetime_of(&u.c), 0);
    udp_send(b, &u, buf, n);
    assert_int_equal(udp_answer(b, &u), 437);
    assert_int_equal(bench_socket(b, IO_OP_UDP, &relayed), IO_NONE);
    assert_int_equal(udp_ask(b, &u, TURN_CREATE_PERMISSION, PEER4), 437);
    assert_int_equal(udp_ask(b, &u, TURN_ALLOCATE, UDP), 0); /* and a new one may be had: 9-6, without permissions */
    peer_sends(b, "192.0.2.150:32102", &(struct endpoint){relayed_of(&u.c).ip, relayed_of(&u.c).port}, "x");
    assert_int_equal(client_gets(b, &u, "x"), 0);
    bench_free(b);
}

/* ---- limits ---- */

/* 0, 1, 2... of each: too few is an answer, never a crash; enough is success. */
static void limits_in_steps(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        int code;
        uint32_t enough;
    } table[] = {
        {offsetof(struct turn_limits, clients), 0, 0},     {offsetof(struct turn_limits, allocations), 508, 1},
        {offsetof(struct turn_limits, peers), 0, 0},       {offsetof(struct turn_limits, permissions), 508, 2},
        {offsetof(struct turn_limits, channels), 508, 2},  {offsetof(struct turn_limits, user_allocations), 486, 1},
    };
    for (size_t i = 0; i < COUNT(table); i++)
        for (uint32_t limit = 0; limit <= table[i].enough + 1; limit++) {
            struct turn_config cfg = bench_config();
            memcpy((uint8_t *)&cfg.limits + table[i].at, &limit, sizeof limit);
            struct bench *b = bench_with(&cfg);
            struct udp_client u = nth_client(b, 0, "alice");
            int code = udp_ask(b, &u, TURN_ALLOCATE, UDP EVEN_R);
            for (unsigned k = 0; k < 2 && !code; k++)
                code = udp_ask(b, &u, TURN_CHANNEL_BIND,
                               channel_attrs(0x4000 + k, k ? "203.0.113.9:1" : "203.0.113.8:1"));
            if (!code)
                code = udp_ask(b, &u, TURN_CREATE_PERMISSION, peer_attr("203.0.113.8:1"));
            assert_int_equal(code, limit < table[i].enough ? table[i].code : 0);
            assert_int_equal(udp_ask(b, &u, STUN_BINDING, ""), 0);
            bench_free(b);
        }
}

int main(void)
{
    static const struct CMUnitTest named[] = {
        {"8656-5-7, 5-12, 12.6-1, 8489-6.3-1 silence", silence, NULL, NULL, NULL},
        {"8656-5-5, 21-9 owners", owners, NULL, NULL, NULL},
        {"8656-5-16, 7.2-24, -25 quotas", quotas, NULL, NULL, NULL},
        {"EXP-2, EXP-5, 8656-7.2-26, 8489-10-1, -3 ports and alternates", ports_and_alternates, NULL, NULL, NULL},
        {"8656-7.2-19, -31, -32, -36, -37 even ports", even_ports, NULL, NULL, NULL},
        {"8656-7.2-13, -30, -33, -35 reservations", reservations, NULL, NULL, NULL},
        {"8656-7.2-32 pairs are whole", pairs_are_whole, NULL, NULL, NULL},
        {"6062-5.1-9 a token is not for TCP", a_token_is_not_for_tcp, NULL, NULL, NULL},
        {"8656-7.2 taken ports", taken_ports, NULL, NULL, NULL},
        {"8656-7.2-22, -23 two families", two_families, NULL, NULL, NULL},
        {"8656-6-6 families end alone", families_end_alone, NULL, NULL, NULL},
        {"8656-6-1, 7.2-38 relayed addresses are unique", relayed_addresses_are_unique, NULL, NULL, NULL},
        {"8656-6-4, -5, -7, 7.2-39, -40 lifetimes", lifetimes, NULL, NULL, NULL},
        {"8656-8.2-1, -6, -7, 9-6 refresh again", refresh_again, NULL, NULL, NULL},
        {"limits in steps", limits_in_steps, NULL, NULL, NULL},
    };
    struct CMUnitTest tests[COUNT(rows) + COUNT(named)];
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct row *row = malloc(sizeof *row); /* cmocka hands it on as not const */
        if (!row)
            return 1;
        *row = rows[i];
        tests[i] = (struct CMUnitTest){row->name, ask_one, NULL, NULL, row};
    }
    memcpy(tests + COUNT(rows), named, sizeof named);
    int failed = _cmocka_run_group_tests("udp rows", tests, COUNT(tests), NULL, NULL);
    for (size_t i = 0; i < COUNT(rows); i++)
        free(tests[i].initial_state);
    return failed;
}
