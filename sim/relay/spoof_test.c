/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Datagrams on real sockets from who has no right to send them: strangers with another client's channel, permission,
 * transaction or very request; requests that are answered without credentials; a client whose allocation is over. */
#include "models/base/bytes.h"
#include "models/base/time.h"
#include "sim/posix/rig_kit.h"

enum { CHANNEL = 0x4000, CHANNEL_HEADER = 4, A_WHILE_MS = 30 };

/* A client over UDP with a UDP allocation, a channel to its peer and a permission for 127.0.0.1. */
struct client {
    struct asker asker;
    net_sock s, peer;
    struct endpoint at, peer_at, relayed;
};

static struct endpoint any_port(const char *ip)
{
    return (struct endpoint){kit_ip(ip), 0};
}

static net_sock open_at(struct rig *r, const char *ip, struct endpoint *at)
{
    struct endpoint wanted = any_port(ip);
    net_sock tcp = rig_listen(r, at); /* for a port that is free */
    wanted.port = at->port;
    rig_close(r, tcp);
    *at = wanted;
    return rig_udp(r, at);
}

static struct client client_of(struct rig *r)
{
    struct client c;
    struct ask allocate = {.method = TURN_ALLOCATE, .transport = PROTO_UDP};
    ask_login(&c.asker, "u", "p", 1);
    c.s = open_at(r, "127.0.0.1", &c.at);
    c.peer = open_at(r, "127.0.0.1", &c.peer_at);
    assert_int_equal(rig_ask_udp(r, c.s, &c.asker, &allocate).code, 401);
    struct ask_answer a = rig_ask_udp(r, c.s, &c.asker, &allocate);
    assert_int_equal(a.code, 0);
    c.relayed = a.relayed;
    struct ask channel = {.method = TURN_CHANNEL_BIND, .channel = CHANNEL, .peer = c.peer_at};
    assert_int_equal(rig_ask_udp(r, c.s, &c.asker, &channel).code, 0);
    return c;
}

static size_t channel_data(uint8_t *out, unsigned channel)
{
    store16(out, channel);
    store16(out + 2, 5);
    memcpy(out + CHANNEL_HEADER, "hello", 5);
    return CHANNEL_HEADER + 5;
}

static size_t message(uint8_t *out, enum stun_class cls, unsigned method, const struct endpoint *peer,
                      const struct stun_id *id)
{
    struct stun_out o;
    stun_begin(&o, &stun_rfc8489, out, STUN_MAX, stun_type(cls, method), id);
    if (peer) {
        stun_put_address(&o, ATTR_XOR_PEER_ADDRESS, peer);
        stun_put(&o, ATTR_DATA, "hello", 5);
    }
    return (size_t)stun_end(&o);
}

static void send_to(struct rig *r, net_sock s, const struct endpoint *to, const void *data, size_t len)
{
    net_posix.udp_send(r->net, s, to, data, len);
}

/* How many datagrams reached anyone after what was just sent. */
static uint64_t arrived(struct rig *r)
{
    uint64_t before = r->datagrams;
    rig_run(r, A_WHILE_MS * NS_MS);
    return r->datagrams - before;
}

static void works(struct rig *r, const struct client *c)
{
    uint8_t out[64];
    send_to(r, c->s, &r->at, out, channel_data(out, CHANNEL));
    assert_int_equal(arrived(r), 1);
    send_to(r, c->peer, &c->relayed, "hello", 5);
    assert_int_equal(arrived(r), 1);
    assert_int_equal(rig_line(r, c->s)->have, CHANNEL_HEADER + 5);
    assert_int_equal(load16(rig_line(r, c->s)->in), CHANNEL);
}

/* From another port of the same address, and from the same port of another address. */
static void strangers_use_nobodys_allocation(void **state)
{
    (void)state;
    struct rig *r = rig_new(NULL);
    struct client c = client_of(r);
    struct endpoint at[2] = {any_port("127.0.0.1"), {kit_ip("127.0.0.2"), c.at.port}};
    struct turn_stats before = rig_stats(r), after;
    uint8_t out[STUN_MAX];
    struct stun_id id = {{0x21, 0x12, 0xa4, 0x42, 1}};
    works(r, &c);
    before = rig_stats(r);
    for (size_t i = 0; i < 2; i++) {
        net_sock stranger = rig_udp(r, &at[i]);
        send_to(r, stranger, &r->at, out, channel_data(out, CHANNEL));
        send_to(r, stranger, &r->at, out, message(out, STUN_INDICATION, TURN_SEND, &c.peer_at, &id));
        send_to(r, stranger, &r->at, out, message(out, STUN_SUCCESS, TURN_REFRESH, NULL, &id));
        send_to(r, stranger, &r->at, out, message(out, STUN_INDICATION, TURN_DATA, &c.peer_at, &id));
        assert_int_equal(arrived(r), 0);
    }
    net_sock other = rig_udp(r, &(struct endpoint){kit_ip("127.0.0.3"), c.peer_at.port}); /* has no permission */
    send_to(r, other, &c.relayed, "hello", 5);
    assert_int_equal(arrived(r), 0);
    after = rig_stats(r);
    assert_int_equal(after.to_peers, before.to_peers);
    assert_int_equal(after.to_clients, before.to_clients);
    assert_int_equal(after.dropped, before.dropped + 1);
    works(r, &c);
    rig_free(r);
}

/* What a client has sent, sent again from elsewhere: a new nonce is asked for, to the sender alone; nothing changes. */
static void requests_are_no_good_elsewhere(void **state)
{
    (void)state;
    struct rig *r = rig_new(NULL);
    struct client c = client_of(r);
    net_sock stranger = rig_udp(r, &(struct endpoint){kit_ip("127.0.0.2"), c.at.port});
    static const struct ask asks[] = {{.method = TURN_REFRESH, .end = true}, {.method = TURN_CREATE_PERMISSION},
                                      {.method = TURN_CHANNEL_BIND, .channel = CHANNEL + 1}};
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        uint8_t out[STUN_MAX];
        struct ask what = asks[i];
        struct asker a = c.asker;
        struct ask_answer answer;
        what.peer = i ? (struct endpoint){kit_ip("127.0.0.9"), 9} : (struct endpoint){0};
        size_t len = ask_make(&c.asker, &what, out);
        rig_line(r, stranger)->have = rig_line(r, c.s)->have = 0;
        send_to(r, stranger, &r->at, out, len);
        assert_int_equal(arrived(r), 1);
        assert_int_equal(rig_line(r, c.s)->have, 0);
        assert_int_equal(ask_read(&a, rig_line(r, stranger)->in, rig_line(r, stranger)->have, &answer), 0);
        assert_true(answer.code == 438 || answer.code == 437);
    }
    struct turn_stats st = rig_stats(r);
    assert_int_equal(st.allocations, 1);
    assert_int_equal(st.permissions, 1);
    assert_int_equal(st.channels, 1);
    works(r, &c);
    rig_free(r);
}

struct forged {
    const char *name;
    enum stun_class cls;
    unsigned method;
    bool answered;
};

static const struct forged forged[] = {
    {"Binding", STUN_REQUEST, STUN_BINDING, true},
    {"Allocate", STUN_REQUEST, TURN_ALLOCATE, true},
    {"Refresh", STUN_REQUEST, TURN_REFRESH, true},
    {"CreatePermission", STUN_REQUEST, TURN_CREATE_PERMISSION, true},
    {"ChannelBind", STUN_REQUEST, TURN_CHANNEL_BIND, true},
    {"Connect", STUN_REQUEST, TURN_CONNECT, true},
    {"ConnectionBind", STUN_REQUEST, TURN_CONNECTION_BIND, true},
    {"no such method", STUN_REQUEST, 0xfe, false},
    {"Send", STUN_INDICATION, TURN_SEND, false},
    {"Data", STUN_INDICATION, TURN_DATA, false},
    {"Binding success", STUN_SUCCESS, STUN_BINDING, false},
    {"Allocate error", STUN_ERROR, TURN_ALLOCATE, false},
};

/* The length of its answer; 0: there is none. */
static size_t answer_to(struct rig *r, net_sock s, const struct forged *f)
{
    uint8_t out[STUN_MAX];
    struct stun_id id = {{0x21, 0x12, 0xa4, 0x42, 1}};
    uint64_t bytes = r->datagram_bytes;
    send_to(r, s, &r->at, out, message(out, f->cls, f->method, NULL, &id));
    if (arrived(r) != f->answered)
        fail_msg("%s: %s", f->name, f->answered ? "not one answer" : "answered");
    return (size_t)(r->datagram_bytes - bytes);
}

/* Who forges the source makes the relay answer somebody else: one answer a datagram at most, which is not many times as
 * long. The shortest request is a header, the longest answer a challenge. */
static void answers_amplify_little(const char *profile, size_t most)
{
    static const uint8_t junk[][STUN_HEADER] = {
        {0}, {0x40, 0, 0, 16}, {0x7f, 0xff}, {0x80, 1}, {0, 3, 0, 4, 0x21, 0x12, 0xa4, 0x42}};
    struct rig *r = rig_new_as(profile, NULL);
    struct endpoint any = any_port("127.0.0.1");
    net_sock s = rig_udp(r, &any);
    size_t longest = 0;
    for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
        size_t len = answer_to(r, s, &forged[i]);
        longest = len > longest ? len : longest;
    }
    for (size_t i = 0; i < sizeof junk / sizeof *junk; i++)
        for (size_t len = 0; len <= STUN_HEADER; len++)
            send_to(r, s, &r->at, junk[i], len);
    assert_int_equal(arrived(r), 0);
    print_message("#: %s: without credentials, %d bytes draw one answer of at most %zu, %.1f times as long\n", profile,
                  STUN_HEADER, longest, (double)longest / STUN_HEADER);
    assert_true(longest <= most);
    rig_free(r);
}

static void answers_of_rfc5766_amplify_little(void **state)
{
    (void)state;
    answers_amplify_little("rfc5766", 128);
}

static void answers_of_rfc8489_amplify_little(void **state)
{
    (void)state;
    answers_amplify_little("strict", 168);
}

static void after_refresh_0_nothing_is_relayed(void **state)
{
    (void)state;
    struct rig *r = rig_new(NULL);
    struct client c = client_of(r);
    struct stun_id id = {{0x21, 0x12, 0xa4, 0x42, 1}};
    uint8_t out[STUN_MAX];
    works(r, &c);
    assert_int_equal(rig_ask_udp(r, c.s, &c.asker, &(struct ask){.method = TURN_REFRESH, .end = true}).code, 0);
    struct turn_stats before = rig_stats(r), after;
    assert_int_equal(before.allocations + before.permissions + before.channels, 0);
    send_to(r, c.s, &r->at, out, channel_data(out, CHANNEL));
    assert_int_equal(arrived(r), 0);
    send_to(r, c.s, &r->at, out, message(out, STUN_INDICATION, TURN_SEND, &c.peer_at, &id));
    assert_int_equal(arrived(r), 0);
    send_to(r, c.peer, &c.relayed, "hello", 5);
    assert_int_equal(arrived(r), 0);
    after = rig_stats(r);
    assert_int_equal(after.to_peers + after.to_clients, before.to_peers + before.to_clients);
    net_sock theirs = rig_udp(r, &c.relayed); /* nobody has the port */
    rig_close(r, theirs);
    struct ask again[] = {{.method = TURN_REFRESH}, {.method = TURN_CREATE_PERMISSION, .peer = c.peer_at},
                          {.method = TURN_CHANNEL_BIND, .channel = CHANNEL, .peer = c.peer_at}};
    for (size_t i = 0; i < sizeof again / sizeof *again; i++)
        assert_int_equal(rig_ask_udp(r, c.s, &c.asker, &again[i]).code, 437);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strangers_use_nobodys_allocation), cmocka_unit_test(requests_are_no_good_elsewhere),
        cmocka_unit_test(answers_of_rfc5766_amplify_little), cmocka_unit_test(answers_of_rfc8489_amplify_little),
        cmocka_unit_test(after_refresh_0_nothing_is_relayed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
