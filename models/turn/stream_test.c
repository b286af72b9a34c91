/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clients over TCP with UDP allocations: STUN and ChannelData in one stream (RFC 8656 12.5, 8489 6.2.2), however it is
 * cut; and what hostile ones cost. Each test named after its rows. */
#include "models/base/rng.h"
#include "models/turn/bench_test.h"

#define PEER_UDP "203.0.113.9:4000"

/* ChannelData as it goes on a stream: padded with what the caller likes. Its size. */
static size_t channel_data(uint8_t *buf, unsigned number, const void *data, size_t len, uint8_t pad)
{
    store16(buf, number);
    store16(buf + 2, (unsigned)len);
    if (len)
        memcpy(buf + 4, data, len);
    size_t padded = (len + 3) & ~(size_t)3;
    memset(buf + 4 + len, pad, padded - len);
    return 4 + padded;
}

static struct tcp_client with_channel(struct bench *b, struct endpoint *relayed)
{
    struct tcp_client t = tcp_allocated(b, "10.0.0.2:5000", UDP, relayed);
    assert_int_equal(tcp_ask(b, &t, TURN_CHANNEL_BIND, channel_attrs(0x4000, PEER_UDP)), 0);
    return t;
}

/* 12.5-2: lengths 0 to 9 back to back, both ways, in one piece and in pieces of each size up to 20. */
static void padded(void **state)
{
    (void)state;
    for (size_t step = 1; step <= 21; step++) {
        struct bench *b = bench();
        struct endpoint relayed, peer = kit_endpoint(PEER_UDP);
        struct tcp_client t = with_channel(b, &relayed);
        uint8_t stream[1024], buf[65536];
        size_t n = 0, cut = step < 21 ? step : sizeof stream;
        for (size_t len = 0; len < 10; len++) {
            n += channel_data(stream + n, 0x4000, "012345678", len, 0xff);
            n += send_indication(stream + n, sizeof stream - n, PEER_UDP, "876543210", len, "");
        }
        for (size_t at = 0; at < n; at += cut)
            tcp_send(b, &t, stream + at, at + cut < n ? cut : n - at);
        for (size_t len = 0; len < 10; len++)
            for (int indication = 0; indication < 2; indication++) {
                const struct kept *k = bench_take(b, &peer);
                assert_true(k && k->len == len);
                assert_memory_equal(k->data, indication ? "876543210" : "012345678", len);
            }
        for (size_t len = 0; len < 10; len++) {
            char text[16] = "012345678";
            text[len] = '\0';
            peer_sends(b, PEER_UDP, &relayed, text);
        }
        for (size_t len = 0; len < 10; len++) {
            assert_int_equal(tcp_take(b, &t, buf), 4 + len);
            assert_int_equal(load16(buf), 0x4000);
            assert_memory_equal(buf + 4, "012345678", len);
            for (size_t i = 4 + len; i % 4; i++)
                assert_int_equal(buf[i], 0);
        }
        assert_int_equal(t.have, 0);
        assert_int_equal(tcp_ask(b, &t, TURN_REFRESH, ""), 0);
        bench_free(b);
    }
}

/* 12.5-4, 12.4-1: up to 65535 bytes, whole or in two pieces, and the stream goes on behind them. */
static void longest(void **state)
{
    (void)state;
    static uint8_t stream[65536 + 8], payload[65536];
    static const size_t lengths[] = {4093, 65507, 65532, 65533, 65534, 65535};
    memset(payload, 7, sizeof payload);
    for (size_t i = 0; i < COUNT(lengths); i++)
        for (size_t cut = 0; cut < lengths[i]; cut += 16001) {
            struct bench *b = bench();
            struct endpoint relayed, peer = kit_endpoint(PEER_UDP);
            struct tcp_client t = with_channel(b, &relayed);
            size_t n = channel_data(stream, 0x4000, payload, lengths[i], 0);
            if (cut)
                tcp_send(b, &t, stream, cut);
            tcp_send(b, &t, stream + cut, n - cut < 60000 ? n - cut : 60000);
            if (n - cut > 60000)
                tcp_send(b, &t, stream + cut + 60000, n - cut - 60000);
            const struct kept *k = bench_take(b, &peer);
            assert_true(k && k->len == lengths[i] && k->data[0] == 7);
            assert_int_equal(tcp_ask(b, &t, TURN_REFRESH, ""), 0);
            bench_free(b);
        }
}

static bool closed(const struct bench *b, const struct tcp_client *t)
{
    struct turn_stats st;
    (void)t;
    turn_stats(b->turn, &st);
    return st.clients == 0;
}

/* 12.6-1, 5-17: what can be neither ends the connection; so does a request longer than any. */
static void framing_lost(void **state)
{
    (void)state;
    static const char *const table[] = {"50000004 74657374", "80000004 00", "00010003 00", "00010000 2112a443 00",
                                        "00011000 2112a442 00"};
    for (size_t i = 0; i < COUNT(table); i++)
        for (int one_by_one = 0; one_by_one < 2; one_by_one++) {
            struct bench *b = bench();
            struct tcp_client t = tcp_connect(b, "10.0.0.2:5000", "alice");
            uint8_t bytes[16];
            size_t n = kit_hex(table[i], bytes, sizeof bytes);
            for (size_t at = 0; at < n && !closed(b, &t); at += one_by_one ? 1 : n)
                tcp_send(b, &t, bytes + at, one_by_one ? 1 : n);
            assert_true(closed(b, &t));
            bench_free(b);
        }
}

/* 5-7: without an allocation ChannelData and Send are skipped, however long, and the connection lives. */
static void for_nobody(void **state)
{
    (void)state;
    static uint8_t stream[65536 + 8], payload[65536];
    struct bench *b = bench();
    struct tcp_client t = tcp_connect(b, "10.0.0.2:5000", "alice");
    size_t n = channel_data(stream, 0x4000, payload, 65000, 0);
    for (size_t at = 0; at < n; at += 1000)
        tcp_send(b, &t, stream + at, n - at < 1000 ? n - at : 1000);
    n = send_indication(stream, sizeof stream, PEER_UDP, "x", 1, "");
    tcp_send(b, &t, stream, n);
    assert_int_equal(b->kept_count, 0);
    assert_int_equal(tcp_ask(b, &t, STUN_BINDING, ""), 0);
    bench_free(b);
}

/* A client that does not take what it is sent: its datagrams are dropped, not kept; and it is not asked for more. */
static void blocked_clients(void **state)
{
    (void)state;
    struct bench *b = bench();
    struct endpoint relayed;
    struct tcp_client t = with_channel(b, &relayed);
    uint8_t buf[65536];
    bench_tell(b, (struct io_in){.event = IO_BLOCKED, .id = t.id});
    for (int i = 0; i < 100; i++)
        peer_sends(b, PEER_UDP, &relayed, "dropped");
    bench_tell(b, (struct io_in){.event = IO_ICMP, .id = bench_socket(b, IO_OP_UDP, &relayed),
                                 .remote = kit_endpoint(PEER_UDP), .icmp = {3, 3, 0}});
    assert_int_equal(tcp_take(b, &t, buf), 0);
    bench_tell(b, (struct io_in){.event = IO_WRITABLE, .id = t.id});
    peer_sends(b, PEER_UDP, &relayed, "again");
    assert_int_equal(tcp_take(b, &t, buf), 4 + 5);
    struct turn_stats st;
    turn_stats(b->turn, &st);
    assert_int_equal(st.dropped, 100);
    bench_free(b);
}

/* The allocation ends while half a message lies there: what comes is taken to its end and dropped, and life goes on. */
static void half_a_message_outlives_the_allocation(void **state)
{
    (void)state;
    static uint8_t stream[65536], payload[65536];
    struct bench *b = bench();
    struct endpoint relayed;
    struct tcp_client t = with_channel(b, &relayed);
    size_t n = channel_data(stream, 0x4000, payload, 10000, 0);
    tcp_send(b, &t, stream, 5000);
    bench_until(b, b->now + 600 * NS_S);
    struct turn_stats st;
    turn_stats(b->turn, &st);
    assert_int_equal(st.allocations, 0);
    tcp_send(b, &t, stream + 5000, n - 5000);
    assert_int_equal(b->kept_count, 0);
    assert_int_equal(tcp_ask(b, &t, TURN_REFRESH, ""), 437);
    assert_int_equal(tcp_ask(b, &t, TURN_ALLOCATE, UDP), 0);
    bench_free(b);
}

/* However a session's bytes are cut, it comes to the same. */
static void cut_anywhere(void **state)
{
    (void)state;
    struct rng rng = rng_named(1, "cuts");
    for (unsigned round = 0; round < 200; round++) {
        struct bench *b = bench();
        struct endpoint relayed, peer = kit_endpoint(PEER_UDP);
        struct tcp_client t = with_channel(b, &relayed);
        static uint8_t stream[32768];
        size_t n = 0, lengths[20];
        for (unsigned i = 0; i < 20; i++) {
            uint8_t data[1500];
            lengths[i] = rng_below(&rng, 1200);
            memset(data, (int)i, sizeof data);
            n += rng_chance(&rng, 1, 2)
                     ? channel_data(stream + n, 0x4000, data, lengths[i], 0)
                     : send_indication(stream + n, sizeof stream - n, PEER_UDP, data, lengths[i], "");
        }
        for (size_t at = 0, len; at < n; at += len) {
            len = 1 + rng_below(&rng, rng_chance(&rng, 1, 3) ? 5 : 3000);
            len = len < n - at ? len : n - at;
            tcp_send(b, &t, stream + at, len);
        }
        for (unsigned i = 0; i < 20; i++) {
            const struct kept *k = bench_take(b, &peer);
            assert_true(k && k->len == lengths[i] && (!k->len || (k->data[0] == i && k->data[k->len - 1] == i)));
        }
        assert_int_equal(tcp_ask(b, &t, TURN_REFRESH, ""), 0);
        bench_free(b);
    }
}

/* Three clients' messages in small pieces, in turn: none gets into another's. */
static void in_turn(void **state)
{
    (void)state;
    struct bench *b = bench();
    struct endpoint relayed, peer = kit_endpoint(PEER_UDP);
    struct tcp_client t[3];
    uint8_t stream[3][2048];
    size_t n = 0;
    for (unsigned i = 0; i < 3; i++) {
        char from[32];
        snprintf(from, sizeof from, "10.0.0.2:%u", 5000 + i);
        t[i] = tcp_allocated(b, from, UDP, &relayed);
        assert_int_equal(tcp_ask(b, &t[i], TURN_CHANNEL_BIND, channel_attrs(0x4000, PEER_UDP)), 0);
        uint8_t data[100];
        memset(data, (int)i, sizeof data);
        n = 0;
        for (int k = 0; k < 10; k++)
            n += channel_data(stream[i] + n, 0x4000, data, sizeof data, 0);
    }
    for (size_t step = 0; step < n / 30 + 12; step++)
        for (unsigned i = 0; i < 3; i++) { /* each begins when the one before has had a message through */
            size_t at = step < 5 * i ? n : (step - 5 * i) * 30;
            if (at < n)
                tcp_send(b, &t[i], stream[i] + at, at + 30 < n ? 30 : n - at);
        }
    unsigned of[3] = {0};
    for (unsigned got = 0; got < 30; got++) {
        const struct kept *k = bench_take(b, &peer);
        assert_true(k && k->len == 100 && k->data[0] < 3);
        for (size_t i = 1; i < k->len; i++)
            assert_int_equal(k->data[i], k->data[0]);
        of[k->data[0]]++;
    }
    assert_true(of[0] == 10 && of[1] == 10 && of[2] == 10);
    bench_free(b);
}

/* X-27, and the slow kind: a minute for who has no credentials, whatever it says, byte by byte or in whole requests. */
static void a_minute_for_strangers(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++) {
        struct bench *b = bench();
        struct tcp_client t = tcp_connect(b, "10.0.0.2:5000", "alice");
        uint64_t born = b->now;
        for (unsigned s = 1; s < 60; s++) {
            bench_until(b, born + s * NS_S);
            uint8_t byte = s == 1 ? 0 : 1;
            if (how == 1)
                tcp_send(b, &t, &byte, s <= 2);
            else if (how == 2)
                assert_int_equal(tcp_ask(b, &t, STUN_BINDING, ""), 0);
            assert_false(closed(b, &t));
        }
        bench_until(b, born + 60 * NS_S);
        assert_true(closed(b, &t));
        bench_free(b);
    }
}

/* Who is known is known for a minute more with each request; who has an allocation is not idle. */
static void not_for_others(void **state)
{
    (void)state;
    struct bench *b = bench();
    struct endpoint relayed;
    struct tcp_client t = tcp_allocated(b, "10.0.0.2:5000", UDP, &relayed);
    bench_until(b, b->now + 599 * NS_S);
    assert_int_equal(tcp_ask(b, &t, TURN_REFRESH, u32_attr(ATTR_LIFETIME, 0)), 0);
    for (int i = 0; i < 5; i++) {
        bench_until(b, b->now + 59 * NS_S);
        assert_int_equal(tcp_ask(b, &t, TURN_REFRESH, ""), 437);
    }
    bench_until(b, b->now + 60 * NS_S);
    assert_true(closed(b, &t));
    bench_free(b);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        {"8656-12.5-2 padded", padded, NULL, NULL, NULL},
        {"8656-12.5-4, 12.4-1 longest", longest, NULL, NULL, NULL},
        {"8656-12.6-1, 5-17 framing lost", framing_lost, NULL, NULL, NULL},
        {"8656-5-7 for nobody", for_nobody, NULL, NULL, NULL},
        {"blocked clients", blocked_clients, NULL, NULL, NULL},
        {"half a message outlives the allocation", half_a_message_outlives_the_allocation, NULL, NULL, NULL},
        {"8489-6.2.2-8 cut anywhere", cut_anywhere, NULL, NULL, NULL},
        {"8489-6.2.2-8 in turn", in_turn, NULL, NULL, NULL},
        {"6062-X-27 a minute for strangers", a_minute_for_strangers, NULL, NULL, NULL},
        {"6062-X-27, X-28 not for others", not_for_others, NULL, NULL, NULL},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
