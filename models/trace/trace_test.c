/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Link layers, IP, UDP and ICMP: what a frame is taken for, and whether it was seen before. */
#include "models/trace/rig_test.h"

/* The frame behind another link header: `head` instead of Ethernet's. */
static void rig_behind(struct rig *r, uint32_t link, const char *head, const struct frame *f)
{
    static uint8_t b[sizeof f->b + 64];
    size_t n = kit_hex(head, b, 64);
    memcpy(b + n, f->b + WIRE_ETH, f->len - WIRE_ETH);
    rig_link(r, link, b, n + f->len - WIRE_ETH);
}

static void link_layers(void **state)
{
    (void)state;
    static const struct {
        uint32_t link;
        const char *head, *told;
    } rows[] = {
        {1, "020000000002 020000000001 0800", "[hi]"},
        {1, "020000000002 020000000001 8100 0064 0800", "[hi]"},
        {1, "020000000002 020000000001 88a8 0064 8100 0065 0800", "[hi]"},
        {1, "020000000002 020000000001 9100 0064 8100 0065 0800", "[hi]"},
        {1, "020000000002 020000000001 8864 1100 0001 0022 0021", "[hi]"},
        {1, "020000000002 020000000001 0026 aaaa03 000000 0800", "[hi]"},
        {1, "020000000002 020000000001 0806", ""},
        {1, "020000000002 020000000001 8100 0064 0806", ""},
        {1, "020000000002 020000000001 0026 424203 000000 0800", ""},
        {113, "0004 0001 0006 020000000001 0000 0800", "[hi]"},
        {113, "0004 0001 0006 020000000001 0000 0806", ""},
        {276, "0800 0000 00000003 0001 04 06 0200000000010000", "[hi]"},
        {276, "8100 0000 00000003 0001 04 06 0200000000010000 0064 0800", "[hi]"},
        {101, "", "[hi]"},
        {12, "", "[hi]"},
        {228, "", "[hi]"},
        {0, "02000000", "[hi]"},
        {0, "00000002", "[hi]"},
        {0, "1e000000", "[hi]"}, /* IPv6 of Darwin: the packet's own version is what counts */
        {0, "07000000", ""},
        {108, "00000002", "[hi]"},
        {9, "0021", "[hi]"},
        {9, "ff03 0021", "[hi]"},
        {9, "c021", ""},
        {50, "ff03 0021", "[hi]"},
        {105, "", ""}, /* 802.11 */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig r;
        struct frame f;
        rig_start(&r);
        rig_udp_frame(&r, &f, CLIENT, "hi");
        rig_behind(&r, rows[i].link, rows[i].head, &f);
        rig_told(&r, rows[i].told);
        struct trace_stats s = trace_stats(r.t);
        assert_int_equal(s.unknown_link, rows[i].link == 105);
        assert_int_equal(s.unknown_link + s.not_ip + s.udp, 1);
        rig_stop(&r);
    }
    assert_string_equal(link_name(LINK_LINUX_SLL2), "Linux cooked v2");
    assert_null(link_name(105));
}

/* Cut anywhere, a frame is told as far as it goes, or counted; behind the end nothing is read (the sanitizer sees). */
static void cut_anywhere(void **state)
{
    (void)state;
    static const struct {
        uint32_t link;
        const char *head;
    } rows[] = {
        {1, "020000000002 020000000001 88a8 0064 8100 0065 0800"}, {9, "ff03 0021"}, {0, "02000000"}, {101, ""}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t cut = 1; cut < 60; cut++) {
            struct rig r;
            struct frame f;
            rig_start(&r);
            rig_udp_frame(&r, &f, CLIENT, "hello");
            uint8_t b[128];
            size_t n = kit_hex(rows[i].head, b, 64), headers = n + WIRE_IP4 + WIRE_UDP, whole = headers + 5;
            r.snaplen = cut;
            rig_behind(&r, rows[i].link, rows[i].head, &f);
            struct trace_stats s = trace_stats(r.t);
            assert_int_equal(s.malformed, cut < headers);
            assert_int_equal(s.udp, cut >= headers);
            assert_int_equal(s.cut, cut < whole);
            if (cut >= headers) {
                assert_int_equal(r.last.len, cut < whole ? cut - headers : 5);
                assert_int_equal(r.last.cut, cut < whole);
            }
            rig_stop(&r);
        }
}

static void datagrams(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r);
    rig_udp(&r, CLIENT, "ask");
    rig_udp(&r, SERVER, "answer");
    assert_int_equal(r.last.proto, PROTO_UDP);
    assert_true(endpoint_equal(&r.last.from, &r.end[SERVER]));
    rig_udp(&r, CLIENT, "");
    r.end[CLIENT].port++;
    rig_udp(&r, SERVER, "speaks first");
    rig_udp(&r, CLIENT, "second");
    rig_told(&r, "[ask] [answer]' [] 2:[speaks first] 2:[second]'");
    trace_end(r.t);
    rig_told(&r, "end 2:end");
    rig_udp(&r, CLIENT, "again");
    rig_told(&r, "3:[again]");
    rig_stop(&r);
}

/* The second of two packets that are alike: the same one again, or sent again? */
static void seen_again(void **state)
{
    (void)state;
    static const struct {
        uint16_t id, then_id;
        int ttl, interface;
        uint64_t after_ns;
        bool repeated;
    } rows[] = {
        {7, 7, 0, 0, 0, true},
        {7, 7, 0, 0, NS_S, true},
        {7, 7, -1, 1, NS_S, true},
        {7, 7, 0, 0, 3 * NS_S, false}, /* the identification has come round */
        {7, 8, -1, 1, 0, false},
        {0, 0, -1, 0, 300 * NS_MS, true},
        {0, 0, 0, 1, 300 * NS_MS, true},
        {0, 0, -1, 1, 500 * NS_MS, false}, /* STUN sends again after so long */
        {0, 0, 1, 1, NS_MS, false},        /* no router gives a TTL back */
        {0, 0, 0, 0, 100 * NS_US, true},   /* a bridge, seen on "any" */
        {0, 0, 0, 0, 20 * NS_MS, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig r;
        struct frame f;
        rig_start(&r);
        r.id = rows[i].id;
        rig_udp_frame(&r, &f, CLIENT, "x");
        rig_frame(&r, &f);
        r.id = rows[i].then_id;
        r.ttl = (uint8_t)(r.ttl + rows[i].ttl);
        r.interface += (uint32_t)rows[i].interface;
        r.t_ns += rows[i].after_ns;
        rig_udp_frame(&r, &f, CLIENT, "x");
        rig_frame(&r, &f);
        rig_told(&r, rows[i].repeated ? "[x]" : "[x] [x]");
        assert_int_equal(trace_stats(r.t).repeated, rows[i].repeated);
        rig_stop(&r);
    }
}

static void fragments(void **state)
{
    (void)state;
    static const char *const ends[2][2] = {{"10.0.0.1:50000", "10.0.0.2:3478"},
                                           {"[2001:db8::1]:50000", "[2001:db8::2]:3478"}};
    for (unsigned family = 0; family < 2; family++) {
        struct rig r;
        struct frame whole, piece;
        rig_start(&r);
        for (unsigned i = 0; i < 2; i++)
            r.end[i] = kit_endpoint(ends[family][i]);
        rig_udp_frame(&r, &whole, CLIENT, "a datagram in three pieces");
        size_t l3 = family ? WIRE_IP6 : WIRE_IP4;
        const uint8_t *data = whole.b + WIRE_ETH + l3;
        size_t len = whole.len - WIRE_ETH - l3;
        for (unsigned i = 0; i < 6; i++) { /* each once on either of two links */
            static const uint8_t order[] = {2, 2, 0, 0, 1, 1};
            size_t at = order[i] * 16, n = len - at < 16 ? len - at : 16;
            r.interface = i % 2;
            r.ttl = 64;
            piece.len = wire_put_eth(piece.b, whole.b, whole.b, family ? ETHERTYPE_IP6 : ETHERTYPE_IP4);
            piece.len += wire_put_fragment(piece.b + piece.len, &r.end[0].ip, &r.end[1].ip, PROTO_UDP, 64, 77,
                                           (unsigned)at, at + n < len, n);
            frame_add(&piece, data + at, n);
            rig_frame(&r, &piece);
            rig_told(&r, i == 4 ? "[a datagram in three pieces]" : "");
        }
        assert_int_equal(trace_stats(r.t).fragments_lost, 0);
        rig_stop(&r);
    }
}

static void unfinished_fragments(void **state)
{
    (void)state;
    struct rig r;
    struct frame f;
    rig_start(&r);
    for (unsigned id = 1; id <= 20; id++) {
        f.len = wire_put_eth(f.b, (uint8_t[6]){2}, (uint8_t[6]){4}, ETHERTYPE_IP4);
        f.len += wire_put_fragment(f.b + f.len, &r.end[0].ip, &r.end[1].ip, PROTO_UDP, 64, id, 0, true, 8);
        frame_add(&f, "12345678", 8);
        rig_frame(&r, &f);
    }
    assert_int_equal(trace_stats(r.t).fragments, 20);
    assert_int_equal(trace_stats(r.t).fragments_lost, 20);
    f.len = wire_put_eth(f.b, (uint8_t[6]){2}, (uint8_t[6]){4}, ETHERTYPE_IP4);
    f.len += wire_put_fragment(f.b + f.len, &r.end[0].ip, &r.end[1].ip, PROTO_UDP, 64, 20, 8, false, 8);
    frame_add(&f, "12345678", 8); /* would complete the last, but the capture has cut it */
    r.snaplen = f.len - 1;
    rig_frame(&r, &f);
    assert_int_equal(trace_stats(r.t).fragments_lost, 20);
    rig_told(&r, "");
    rig_stop(&r);
}

/* RFC 8200 4.1: hop-by-hop options, routing and destination options in front of UDP. */
static void extension_headers(void **state)
{
    (void)state;
    struct rig r;
    struct frame f;
    rig_start(&r);
    r.end[CLIENT] = kit_endpoint("[2001:db8::1]:50000");
    r.end[SERVER] = kit_endpoint("[2001:db8::2]:3478");
    static const uint8_t extensions[] = {43, 0, 1, 4, 0, 0, 0, 0, 60, 0, 0, 0, 0, 0, 0, 0, 17, 0, 1, 4, 0, 0, 0, 0};
    frame_begin(&f, &r, CLIENT, 0, sizeof extensions + WIRE_UDP + 2);
    frame_add(&f, extensions, sizeof extensions);
    f.len += wire_put_udp(f.b + f.len, 50000, 3478, 2);
    frame_add(&f, "v6", 2);
    rig_frame(&r, &f);
    rig_told(&r, "[v6]");
    rig_stop(&r);
}

/* Segmentation offload: a segment of 60,000 bytes, then one whose length field says 0; checksums are not there. */
static void offloaded(void **state)
{
    (void)state;
    static uint8_t many[60000];
    struct rig r;
    struct frame f;
    rig_start(&r);
    rig_handshake(&r);
    rig_tcp_frame(&r, &f, CLIENT, ACK, 101, 501, many, sizeof many);
    rig_frame(&r, &f);
    assert_int_equal(r.last.len, sizeof many);
    rig_tcp_frame(&r, &f, CLIENT, ACK, 101 + sizeof many, 501, many, sizeof many);
    store16(f.b + WIRE_ETH + 2, 0);
    rig_frame(&r, &f);
    assert_int_equal(r.last.kind, SEEN_BYTES);
    assert_int_equal(r.last.len, sizeof many);
    assert_int_equal(trace_stats(r.t).bytes, 2 * sizeof many);
    rig_stop(&r);
}

/* The padding of a short Ethernet frame, and a frame check sequence, are no bytes of the stream. */
static void padding(void **state)
{
    (void)state;
    struct rig r;
    struct frame f;
    rig_start(&r);
    rig_handshake(&r);
    rig_tcp_frame(&r, &f, CLIENT, ACK, 101, 501, "a", 1);
    memset(f.b + f.len, 'p', 9);
    f.len += 9;
    rig_frame(&r, &f);
    rig_tcp(&r, CLIENT, ACK, 102, 501, "b");
    rig_told(&r, "<a> <b>");
    rig_stop(&r);
}

static void icmp_errors(void **state)
{
    (void)state;
    struct rig r;
    struct frame f;
    struct wire_packet p;
    uint8_t error[600];
    struct ip_addr router = kit_ip("10.0.0.254");
    rig_start(&r);
    rig_tcp_frame(&r, &f, CLIENT, SYN, 100, 0, "", 0);
    rig_frame(&r, &f);
    assert_int_equal(wire_parse(f.b, f.len, &p), 0);
    long n = wire_icmp_error(&p, &router, 3, 13, 0, error, sizeof error);
    assert_true(n > 0);
    rig_link(&r, LINK_ETHERNET, error, (size_t)n);
    rig_told(&r, "syn icmp 3/13'");
    assert_true(ip_equal(&r.last.from.ip, &router) && r.last.from.port == 0);
    assert_true(endpoint_equal(&r.last.to, &r.end[CLIENT]));
    r.interface = 1;
    rig_link(&r, LINK_ETHERNET, error, (size_t)n); /* on the next link */
    rig_told(&r, "");
    r.snaplen = WIRE_ETH + WIRE_IP4 + WIRE_ICMP + WIRE_IP4 + 7; /* the quotation lacks a byte of the ports' 8 */
    rig_link(&r, LINK_ETHERNET, error, (size_t)n);
    rig_told(&r, "");
    assert_int_equal(trace_stats(r.t).other, 1);

    r.snaplen = 0;
    rig_udp_frame(&r, &f, SERVER, "to nobody"); /* the datagram itself was not seen */
    assert_int_equal(wire_parse(f.b, f.len, &p), 0);
    n = wire_icmp_error(&p, &r.end[CLIENT].ip, 3, 3, 0, error, sizeof error);
    rig_link(&r, LINK_ETHERNET, error, (size_t)n);
    rig_told(&r, "2:icmp 3/3'");
    frame_begin(&f, &r, CLIENT, PROTO_ICMP, WIRE_ICMP);
    f.len += wire_put_icmp(f.b + f.len, 8, 0, 0); /* a ping is none */
    rig_frame(&r, &f);
    rig_told(&r, "");
    assert_int_equal(trace_stats(r.t).other, 2);
    rig_stop(&r);
}

/* Lengths that cannot be. */
static void hostile_lengths(void **state)
{
    (void)state;
    struct rig r;
    struct frame f;
    rig_start(&r);
    rig_udp_frame(&r, &f, CLIENT, "hello");
    store16(f.b + WIRE_ETH + 2, 65535); /* of IP */
    rig_frame(&r, &f);
    rig_udp_frame(&r, &f, CLIENT, "hello");
    store16(f.b + WIRE_ETH + WIRE_IP4 + 4, 65535); /* of UDP */
    rig_frame(&r, &f);
    rig_tcp_frame(&r, &f, CLIENT, ACK, 1, 1, "", 0);
    f.b[WIRE_ETH + WIRE_IP4 + 12] = 0xf0; /* of the TCP header */
    rig_frame(&r, &f);
    rig_tcp_frame(&r, &f, CLIENT, ACK, 1, 1, "x", 1);
    store16(f.b + WIRE_ETH + 2, 0);
    trace_frame(r.t, &(struct captured){0, 0, LINK_ETHERNET, f.b, f.len, UINT32_MAX}); /* of the frame */
    rig_told(&r, "");
    assert_int_equal(trace_stats(r.t).malformed, 4);
    trace_frame(r.t, &(struct captured){0, 0, LINK_ETHERNET, f.b, f.len, 0}); /* cannot be less than what is there */
    rig_told(&r, "open? <x>");
    rig_stop(&r);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(link_layers), cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(datagrams), cmocka_unit_test(seen_again),
        cmocka_unit_test(fragments), cmocka_unit_test(unfinished_fragments),
        cmocka_unit_test(extension_headers), cmocka_unit_test(offloaded),
        cmocka_unit_test(padding), cmocka_unit_test(icmp_errors),
        cmocka_unit_test(hostile_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
