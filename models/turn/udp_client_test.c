/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client over UDP against a scripted server: the client rows of RFC 8656 and 8489 that UDP adds. Those that it has
 * in common with TCP are in client_test.c. */
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "models/stun/stun.h"
#include "models/testkit/testkit.h"
#include "models/turn/turn_client.h"

struct rig {
    struct io *io;
    struct turn_client *client;
    io_id socket;
    uint64_t now;
    uint8_t sent[16][2048]; /* what the client sent, oldest first, since it was last looked at */
    size_t sent_len[16], sent_count;
    uint8_t key[16];
};

static const struct endpoint server = {{IP_V4, {192, 0, 2, 1}}, 3478}, peer = {{IP_V4, {203, 0, 113, 9}}, 4000};

static void tell(struct rig *r, struct io_in in)
{
    struct io_out op;
    io_set_now(r->io, r->now);
    turn_client_input(r->client, &in);
    while (io_poll(r->io, &op))
        if (op.op == IO_OP_UDP) {
            r->socket = op.id;
        } else if (op.op == IO_OP_SENDTO) {
            assert_true(r->sent_count < 16 && op.len <= sizeof r->sent[0]);
            memcpy(r->sent[r->sent_count], op.data, op.len);
            r->sent_len[r->sent_count++] = op.len;
        }
}

static void until(struct rig *r, uint64_t t_ns)
{
    uint64_t at;
    while ((at = turn_client_deadline(r->client)) <= t_ns) {
        r->now = at > r->now ? at : r->now;
        tell(r, (struct io_in){.event = IO_TICK});
    }
    r->now = t_ns;
    io_set_now(r->io, t_ns);
}

static void datagram(struct rig *r, const struct endpoint *from, const void *data, size_t len)
{
    tell(r, (struct io_in){.event = IO_DATAGRAM, .id = r->socket, .remote = *from, .data = data, .len = len});
}

/* The last request that it sent; all are looked at. */
static struct stun_msg last_request(struct rig *r)
{
    struct stun_msg m;
    assert_true(r->sent_count > 0);
    size_t i = r->sent_count - 1;
    assert_int_equal(stun_parse(&stun_rfc8489, r->sent[i], r->sent_len[i], &m), 0);
    r->sent_count = 0;
    return m;
}

/* The last of that method; all stay. */
static struct stun_msg request_of(struct rig *r, unsigned method)
{
    struct stun_msg m;
    for (size_t i = r->sent_count; i-- > 0;) {
        assert_int_equal(stun_parse(&stun_rfc8489, r->sent[i], r->sent_len[i], &m), 0);
        if (m.method == method)
            return m;
    }
    fail_msg("no request of method 0x%x", method);
    return m;
}

/* An answer to m with these attributes; key NULL: without a MAC. */
static void answer(struct rig *r, const struct stun_msg *m, int code, const char *attrs, const uint8_t *key)
{
    uint8_t buf[512], bytes[256];
    struct stun_out o;
    stun_begin(&o, &stun_rfc8489, buf, sizeof buf, stun_type(code ? STUN_ERROR : STUN_SUCCESS, m->method), &m->id);
    if (code)
        stun_put_error(&o, code, NULL);
    size_t n = kit_hex(attrs, bytes, sizeof bytes);
    write_bytes(&o.w, bytes, n);
    if (code == 401 || code == 438) {
        stun_put_text(&o, ATTR_REALM, "r");
        stun_put_text(&o, ATTR_NONCE, code == 401 ? "first" : "second");
    }
    if (key)
        stun_put_integrity(&o, key, 16, false);
    long len = stun_end(&o);
    assert_true(len > 0);
    datagram(r, &server, buf, (size_t)len);
}

#define ALLOCATED "00160008 0001e242 e112a64d 000d0004 00000258 00200008 00013a4a e112a643"

static struct rig *rig_new(void)
{
    struct rig *r = test_calloc(1, sizeof *r);
    struct turn_client_config cfg = {.profile = &turn_client_plain, .server = server, .user = "u", .password = "p",
                                     .udp_relay = true, .over_udp = true};
    r->io = io_new("client", 1);
    r->client = turn_client_new(r->io, 1, &cfg);
    stun_long_term_key("u", "r", "p", r->key);
    turn_client_start(r->client);
    tell(r, (struct io_in){.event = IO_TICK});
    tell(r, (struct io_in){.event = IO_OPENED, .id = r->socket});
    return r;
}

static void rig_free(struct rig *r)
{
    turn_client_free(r->client);
    io_free(r->io);
    test_free(r);
}

static bool next(struct rig *r, enum turn_client_event_kind kind, struct turn_client_event *ev)
{
    while (turn_client_poll(r->client, ev))
        if (ev->kind == kind)
            return true;
    return false;
}

static void go_live(struct rig *r)
{
    struct turn_client_event ev;
    struct stun_msg m = last_request(r);
    answer(r, &m, 401, "", NULL);
    m = last_request(r);
    answer(r, &m, 0, ALLOCATED, r->key);
    assert_true(next(r, TURN_CLIENT_ALLOCATED, &ev));
    assert_int_equal(turn_client_permit(r->client, &peer.ip, 1), 0);
    tell(r, (struct io_in){.event = IO_TICK});
    m = last_request(r);
    assert_int_equal(m.method, TURN_CREATE_PERMISSION);
    answer(r, &m, 0, "", r->key);
    assert_true(next(r, TURN_CLIENT_PERMITTED, &ev));
}

/* 8656-7.1-1, 8489-9.2.3-1, 5-3: bare first, with REQUESTED-TRANSPORT; each repetition byte for byte the same. */
static void first_request(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct stun_attr a;
    until(r, 5 * NS_S);
    assert_int_equal(r->sent_count, 4);
    for (size_t i = 1; i < 4; i++)
        assert_memory_equal(r->sent[i], r->sent[0], r->sent_len[0]);
    struct stun_msg m = last_request(r);
    uint32_t transport;
    assert_int_equal(stun_get_u32(&m, ATTR_REQUESTED_TRANSPORT, &transport), 0);
    assert_int_equal(transport, UINT32_C(17) << 24);
    assert_false(stun_find(&m, ATTR_USERNAME, &a) || stun_find(&m, ATTR_MESSAGE_INTEGRITY, &a));
    rig_free(r);
}

/* When the next request was sent for the first and the second time; how long between. */
static uint64_t next_rto(struct rig *r)
{
    uint64_t from = r->now;
    r->sent_count = 0;
    while (r->sent_count == 0)
        until(r, r->now + NS_MS);
    return r->now - from;
}

/* 8489-6.2.1-4, -5: the RTO is made of round trips, but not of one that was retransmitted, and is forgotten. */
static void round_trips(void **state)
{
    (void)state;
    static const struct {
        uint64_t trip_ms, rto_ms; /* of the first answer; of the next request */
    } table[] = {{1, 500}, {400, 1200}, {499, 1497}, {600, 500}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct rig *r = rig_new();
        struct stun_msg m;
        until(r, r->now + table[i].trip_ms * NS_MS);
        m = last_request(r);
        answer(r, &m, 401, "", NULL);
        assert_int_equal(next_rto(r), table[i].rto_ms * NS_MS);
        rig_free(r);
    }
}

static void round_trip_forgotten(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct stun_msg m = last_request(r);
    until(r, 400 * NS_MS);
    answer(r, &m, 401, "", NULL);
    m = last_request(r);
    answer(r, &m, 0, "00160008 0001e242 e112a64d 000d0004 00000384 00200008 00013a4a e112a643", r->key);
    until(r, 839 * NS_S);
    assert_int_equal(r->sent_count, 0);
    until(r, 842 * NS_S); /* a Refresh, 60 s before the end: at 840.4 s, 840.9 s, 841.9 s */
    assert_int_equal(r->sent_count, 3);
    rig_free(r);
}

/* 8489-9.1.4-1, 9.2.5-9, 8656-21-3: an answer with no MAC or a wrong one is as if it had not come. */
static void forged_answers(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct turn_client_event ev;
    struct stun_msg m = last_request(r);
    answer(r, &m, 401, "", NULL);
    m = last_request(r);
    uint8_t wrong[16] = {0};
    answer(r, &m, 437, "", NULL);
    answer(r, &m, 0, ALLOCATED, wrong);
    assert_false(next(r, TURN_CLIENT_ALLOCATED, &ev));
    until(r, NS_S);
    assert_true(r->sent_count > 0); /* it goes on asking */
    answer(r, &m, 0, ALLOCATED, r->key);
    assert_true(next(r, TURN_CLIENT_ALLOCATED, &ev));
    rig_free(r);
}

/* 8489-9.2.5-6: again with the new nonce, as a new transaction. */
static void stale_nonce(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    go_live(r);
    until(r, 545 * NS_S);
    struct stun_msg refresh = last_request(r);
    uint8_t before[16];
    memcpy(before, refresh.id.b, sizeof before);
    answer(r, &refresh, 438, "", NULL);
    struct stun_msg m = last_request(r);
    const char *nonce;
    size_t len;
    assert_memory_not_equal(m.id.b, before, sizeof before);
    assert_int_equal(stun_get_text(&m, ATTR_NONCE, &nonce, &len), 0);
    assert_int_equal(len, 6);
    assert_memory_equal(nonce, "second", 6);
    rig_free(r);
}

/* 8656-11.4-1, 11.6-1, 12.6-3: only of peers it has a permission for, only from the server, and only what is whole. */
static void what_counts_as_data(void **state)
{
    (void)state;
    static const struct {
        const char *name, *hex;
        bool other;
        int kind; /* -1: nothing is told */
    } table[] = {
        {"Data", "00170014 2112a442 000000000000000000000001 00120008 00012eb2 ea12d54b 00130004 74657374", false,
         TURN_CLIENT_DATAGRAM},
        {"of another peer", "00170014 2112a442 000000000000000000000001 00120008 00012eb2 ea12d54a 00130004 74657374",
         false, -1},
        {"of a stranger", "00170014 2112a442 000000000000000000000001 00120008 00012eb2 ea12d54b 00130004 74657374",
         true, -1},
        {"without an address", "00170008 2112a442 000000000000000000000001 00130004 74657374", false, -1},
        {"ICMP", "00170018 2112a442 000000000000000000000001 00120008 00012eb2 ea12d54b 80040008 0000030300000000",
         false, TURN_CLIENT_ICMP},
        {"ICMP without an address", "0017000c 2112a442 000000000000000000000001 80040008 0000030300000000", false, -1},
        {"an unbound channel", "40000004 74657374", false, -1},
        {"half a header", "4000", false, -1},
    };
    struct rig *r = rig_new();
    go_live(r);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        uint8_t bytes[128];
        size_t n = kit_hex(table[i].hex, bytes, sizeof bytes);
        struct turn_client_event ev;
        const struct endpoint stranger = {{IP_V4, {192, 0, 2, 2}}, 3478};
        datagram(r, table[i].other ? &stranger : &server, bytes, n);
        bool told = turn_client_poll(r->client, &ev);
        if (told != (table[i].kind >= 0) || (told && (int)ev.kind != table[i].kind))
            fail_msg("%s", table[i].name);
        assert_true(!told || endpoint_equal(&ev.peer, &peer));
    }
    rig_free(r);
}

/* 12-6: ready as soon as ChannelBind is sent; 12.2: refused, it is told, and the next channel has another number. */
static void channels(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct turn_client_event ev;
    uint32_t number[2];
    go_live(r);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(turn_client_channel(r->client, &peer), 0);
        tell(r, (struct io_in){.event = IO_TICK});
        struct stun_msg m = last_request(r);
        assert_int_equal(stun_get_u32(&m, ATTR_CHANNEL_NUMBER, &number[i]), 0);
        uint8_t data[8] = {0, 0, 0, 4, 't', 'e', 's', 't'};
        store16(data, number[i] >> 16);
        datagram(r, &server, data, sizeof data);
        assert_true(next(r, TURN_CLIENT_DATAGRAM, &ev));
        answer(r, &m, i ? 0 : 400, "", r->key);
        assert_true(next(r, TURN_CLIENT_CHANNEL, &ev));
        assert_int_equal(ev.code, i ? 0 : 400);
    }
    assert_int_not_equal(number[0], number[1]);
    rig_free(r);
}

static uint32_t number_in(const struct stun_msg *m)
{
    uint32_t number = 0;
    assert_int_equal(stun_get_u32(m, ATTR_CHANNEL_NUMBER, &number), 0);
    return number >> 16;
}

static uint32_t ask_channel(struct rig *r, int code)
{
    struct turn_client_event ev;
    assert_int_equal(turn_client_channel(r->client, &peer), 0);
    tell(r, (struct io_in){.event = IO_TICK});
    struct stun_msg m = last_request(r);
    uint32_t number = number_in(&m);
    answer(r, &m, code, "", r->key);
    assert_true(next(r, TURN_CLIENT_CHANNEL, &ev));
    return number;
}

/* 12-5: what was bound once, and whose renewal is refused, is bound again as it was, or not for another 900 s. */
static void lapsed_channel(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct turn_client_event ev;
    go_live(r);
    uint32_t number = ask_channel(r, 0);
    until(r, 240 * NS_S);
    struct stun_msg m = request_of(r, TURN_CHANNEL_BIND), permission = request_of(r, TURN_CREATE_PERMISSION);
    assert_int_equal(number_in(&m), number);
    answer(r, &permission, 403, "", r->key);
    answer(r, &m, 508, "", r->key);
    r->sent_count = 0;
    assert_true(next(r, TURN_CLIENT_CHANNEL, &ev));
    assert_int_equal(ev.code, 508);
    uint8_t data[8] = {0x40, 0, 0, 4, 't', 'e', 's', 't'};
    datagram(r, &server, data, sizeof data);
    assert_false(next(r, TURN_CLIENT_DATAGRAM, &ev));
    assert_int_equal(ask_channel(r, 508), number);
    until(r, 540 * NS_S);
    m = last_request(r);
    answer(r, &m, 0, "000d0004 00000e10", r->key);
    until(r, 900 * NS_S);
    assert_int_not_equal(ask_channel(r, 0), number);
    rig_free(r);
}

/* 7.3-1: not asked for, not to be used. */
static void strange_family(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct turn_client_event ev;
    uint32_t lifetime = 1;
    struct stun_msg m = last_request(r);
    answer(r, &m, 401, "", NULL);
    m = last_request(r);
    answer(r, &m, 0, "00160014 0002e242 00000000000000000000000000000000 000d0004 00000258 00200008 00013a4a e112a643",
           r->key);
    assert_true(next(r, TURN_CLIENT_REFUSED, &ev));
    assert_int_equal(ev.err, E_UNSUPPORTED);
    m = last_request(r);
    assert_int_equal(m.method, TURN_REFRESH);
    assert_int_equal(stun_get_u32(&m, ATTR_LIFETIME, &lifetime), 0);
    assert_int_equal(lifetime, 0);
    answer(r, &m, 0, "000d0004 00000000", r->key);
    assert_false(turn_client_poll(r->client, &ev));
    rig_free(r);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        {"8656-7.1-1, 8489-9.2.3-1, 5-3 first request", first_request, NULL, NULL, NULL},
        {"8489-6.2.1-4, -5 round trips", round_trips, NULL, NULL, NULL},
        {"8489-6.2.1-5 round trip forgotten", round_trip_forgotten, NULL, NULL, NULL},
        {"8489-9.1.4-1, 9.2.5-9, 8656-21-3 forged answers", forged_answers, NULL, NULL, NULL},
        {"8489-9.2.5-6 stale nonce", stale_nonce, NULL, NULL, NULL},
        {"8656-11.4-1, 11.6-1, 12.6-3 what counts as data", what_counts_as_data, NULL, NULL, NULL},
        {"8656-12-5, 12-6 channels", channels, NULL, NULL, NULL},
        {"8656-12-5 a channel that has lapsed", lapsed_channel, NULL, NULL, NULL},
        {"8656-7.3-1 an address of a family that was not asked for", strange_family, NULL, NULL, NULL},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
