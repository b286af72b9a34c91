/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/wire/wire.h"

#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/testkit/testkit.h"

#define ETH4 "000c29489e5f 005056989898 0800 "
#define ETH6 "000c29489e5f 005056989898 86dd "

static struct wire_packet parsed(uint8_t *frame, size_t len)
{
    struct wire_packet p;
    assert_int_equal(wire_parse(frame, len, &p), 0);
    return p;
}

/* RFC 1071 3: the example; and the same in odd lengths and positions. */
static void checksum_of_rfc1071(void **state)
{
    (void)state;
    static const uint8_t b[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    assert_int_equal(wire_sum(b, sizeof b), 0x220d);
    assert_int_equal(wire_sum_fold(wire_sum_add(wire_sum_add(0, b, 4), b + 4, 4)), 0x220d);
    assert_int_equal(wire_sum(b, 3), (uint16_t)~0xf201);
    assert_int_equal(wire_sum(b, 0), 0xffff);
    uint8_t many[200], copy[sizeof many];
    uint32_t plain = 0;
    for (size_t i = 0; i < sizeof many; i++)
        many[i] = (uint8_t)(i * 37 + 200);
    for (uint32_t n = 0; n <= sizeof many; n++) {
        assert_int_equal(wire_sum(many, n), (uint16_t)~((plain & 0xffff) + (plain >> 16)));
        memset(copy, 0xee, sizeof copy);
        assert_int_equal(wire_sum_fold(wire_sum_copy(n, copy, many, n)), wire_sum_fold(wire_sum_add(n, many, n)));
        assert_memory_equal(copy, many, n);
        assert_true(n == sizeof copy || copy[n] == 0xee);
        if (n < sizeof many)
            plain += n % 2 ? many[n] : (uint32_t)many[n] << 8;
    }
}

/* RFC 1624 4: a checksum of 0xdd2f whose word 0x5555 becomes 0x3285 must become 0x0000, not 0xffff. */
static void checksum_of_rfc1624(void **state)
{
    (void)state;
    uint8_t f[64];
    size_t len = kit_hex(ETH4 "4500 0014 0000 4000 40fd 0000 5555 0001 0a000002", f, sizeof f);
    /* The identification is chosen so that the sum is the RFC's. */
    store16(f + 18, wire_sum_fold((uint16_t)~wire_sum(f + 14, 20) + (uint32_t)0xdd2f));
    store16(f + 24, wire_sum(f + 14, 20));
    assert_int_equal(load16(f + 24), 0xdd2f);
    struct wire_packet p = parsed(f, len);
    struct endpoint to = {.ip = kit_ip("50.133.0.1")};
    wire_set_src(&p, &to);
    assert_int_equal(load16(f + 24), 0x0000);
    assert_int_equal(wire_check(&p), 0);
}

/* A header known from elsewhere, as UDP with a checksum of none. */
static void known_ip4_header(void **state)
{
    (void)state;
    uint8_t f[256] = {0};
    kit_hex(ETH4 "4500 0073 0000 4000 4011 b861 c0a80001 c0a800c7 1f90 0035 005f 0000", f, sizeof f);
    struct wire_packet p = parsed(f, 14 + 0x73);
    assert_int_equal(wire_check(&p), 0);
    assert_int_equal(p.proto, PROTO_UDP);
    assert_int_equal(p.sport, 0x1f90);
    assert_int_equal(p.dport, 53);
    assert_int_equal(p.payload, 42);
    assert_int_equal(p.payload_len, 0x5f - 8);
    assert_true(p.dont_fragment && !p.fragment && p.ttl == 64);
    f[30]++;
    assert_int_equal(wire_check(&p), E_INTEGRITY);
}

/* Frame 2597 of the reference capture: the headers that its fields give, and the length. */
static void lab_frame(void **state)
{
    (void)state;
    static const uint8_t cms[6] = {0x00, 0x50, 0x56, 0x98, 0x98, 0x98}, exp[6] = {0x00, 0x0c, 0x29, 0x48, 0x9e, 0x5f};
    struct ip_addr src = kit_ip("10.48.54.230"), dst = kit_ip("10.48.54.229");
    struct wire_tcp t = {.sport = 44342, .dport = 3478, .seq = 529, .ack = 481, .flags = 0x18, .window = 1000,
                         .wscale = WIRE_NO_WSCALE};
    uint8_t f[200] = {0};
    size_t n = wire_put_eth(f, exp, cms, ETHERTYPE_IP4);
    n += wire_put_ip(f + n, &src, &dst, PROTO_TCP, 64, 0x1234, WIRE_TCP + 110);
    n += wire_put_tcp(f + n, &t);
    memset(f + n, 0xa5, 110);
    wire_seal(f, n + 110);
    assert_int_equal(n + 110, 164);
    uint8_t want[54];
    kit_hex("000c29489e5f 005056989898 0800 4500 0096 1234 4000 4006 a603 0a3036e6 0a3036e5"
            "ad36 0d96 00000211 000001e1 5018 03e8 d3f6 0000", want, sizeof want);
    assert_memory_equal(f, want, sizeof want);
    struct wire_packet p = parsed(f, 164);
    assert_int_equal(wire_check(&p), 0);
    assert_int_equal(p.payload_len, 110);
    f[163] ^= 1;
    assert_int_equal(wire_check(&p), E_INTEGRITY);
}

static size_t build_udp(uint8_t *f, const char *from, const char *to, const char *text)
{
    static const uint8_t a[6] = {2, 0, 0, 0, 0, 1}, b[6] = {2, 0, 0, 0, 0, 2};
    struct endpoint src = kit_endpoint(from), dst = kit_endpoint(to);
    size_t len = strlen(text);
    size_t n = wire_put_eth(f, b, a, src.ip.family == IP_V4 ? ETHERTYPE_IP4 : ETHERTYPE_IP6);
    n += wire_put_ip(f + n, &src.ip, &dst.ip, PROTO_UDP, 64, 0, WIRE_UDP + len);
    n += wire_put_udp(f + n, src.port, dst.port, len);
    memcpy(f + n, text, len);
    wire_seal(f, n + len);
    return n + len;
}

static const char *const pairs[][2] = {{"10.0.0.1:1000", "10.0.0.2:2000"},
                                       {"[2001:db8::1]:1000", "[2001:db8::2]:2000"}};

/* Cut anywhere, a frame is refused and nothing behind the cut is read (the sanitizer watches a heap copy). */
static void truncated_frames(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        uint8_t f[128];
        size_t len = build_udp(f, pairs[i][0], pairs[i][1], "abc");
        for (size_t n = 0; n < len; n++) {
            uint8_t *cut = test_malloc(n + 1);
            memcpy(cut, f, n);
            struct wire_packet p;
            assert_int_equal(wire_parse(cut, n, &p), E_TRUNCATED);
            test_free(cut);
        }
        struct wire_packet p = parsed(f, len + 9); /* Ethernet padding is no payload */
        assert_int_equal(p.payload_len, 3);
    }
}

static void malformed_frames(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        int err;
    } rows[] = {
        {ETH4 "6500 0014 0000 4000 40fd 0000 0a000001 0a000002", E_MALFORMED}, /* version */
        {ETH4 "4400 0014 0000 4000 40fd 0000 0a000001 0a000002", E_MALFORMED}, /* header of 16 bytes */
        {ETH4 "4500 0013 0000 4000 40fd 0000 0a000001 0a000002", E_MALFORMED}, /* length below the header's */
        {ETH4 "4600 0018 0000 4000 40fd 0000 0a000001 0a000002", E_TRUNCATED}, /* options missing */
        {ETH4 "4500 001c 0000 4000 4011 0000 0a000001 0a000002 0001 0002 0007 0000", E_MALFORMED}, /* UDP length */
        {ETH4 "4500 001c 0000 4000 4011 0000 0a000001 0a000002 0001 0002 0009 0000", E_TRUNCATED},
        {ETH4 "4500 0028 0000 4000 4006 0000 0a000001 0a000002 0001 0002 00000000 00000000 4010 0000 00000000",
         E_MALFORMED}, /* TCP header of 16 bytes */
        {ETH4 "4500 0028 0000 4000 4006 0000 0a000001 0a000002 0001 0002 00000000 00000000 6010 0000 00000000",
         E_TRUNCATED}, /* TCP options missing */
        {ETH6 "40000000 0000 3b40 00000000000000000000000000000001 00000000000000000000000000000002", E_MALFORMED},
        {ETH6 "60000000 0008 0040 00000000000000000000000000000001 00000000000000000000000000000002 3b01000000000000",
         E_TRUNCATED}, /* hop-by-hop says 16 bytes */
        {"000c29489e5f 005056989898 0806 0001", E_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t f[128];
        struct wire_packet p;
        size_t len = kit_hex(rows[i].hex, f, sizeof f);
        assert_int_equal(wire_parse(f, len, &p), rows[i].err);
    }
}

static void ip4_options_and_unknown_transport(void **state)
{
    (void)state;
    uint8_t f[64];
    size_t len = kit_hex(ETH4 "4600 001c 0000 4000 4084 0000 0a000001 0a000002 01010100 deadbeef", f, sizeof f);
    struct wire_packet p = parsed(f, len);
    assert_int_equal(p.l4, 0);
    assert_int_equal(p.proto, 132);
    assert_int_equal(p.payload, 38);
    assert_int_equal(p.payload_len, 4);
}

/* RFC 8200 4.1: hop-by-hop, destination options, routing, authentication (RFC 4302), then UDP. */
static void ip6_extension_headers(void **state)
{
    (void)state;
    uint8_t f[160];
    size_t len = kit_hex(ETH6 "60000000 0030 0040 20010db8000000000000000000000001 20010db8000000000000000000000002"
                         "3c00010400000000" "2b00010400000000" "3300000000000000"
                         "1101000000000001 00000002" "00000000" "03e8 07d0 000c 0000 61626364", f, sizeof f);
    f[19] = (uint8_t)(len - 54);
    f[14 + 40 + 25] = 2; /* AH of 16 bytes */
    wire_seal(f, len);
    struct wire_packet p = parsed(f, len);
    assert_int_equal(p.proto, PROTO_UDP);
    assert_int_equal(p.sport, 1000);
    assert_int_equal(p.payload_len, 4);
    assert_memory_equal(f + p.payload, "abcd", 4);
    assert_false(p.fragment);
    assert_int_equal(wire_check(&p), 0);
    f[len - 1] ^= 1;
    assert_int_equal(wire_check(&p), E_INTEGRITY);
}

static void fragments_both_families(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct endpoint src = kit_endpoint(pairs[i][0]), dst = kit_endpoint(pairs[i][1]);
        static const uint8_t mac[6] = {2};
        uint8_t f[128] = {0};
        size_t eth = wire_put_eth(f, mac, mac, i ? ETHERTYPE_IP6 : ETHERTYPE_IP4);
        size_t n = eth + wire_put_fragment(f + eth, &src.ip, &dst.ip, PROTO_UDP, 64, 77, 0, true, 16);
        wire_put_udp(f + n, 1000, 2000, 100);
        struct wire_packet p = parsed(f, n + 16);
        assert_true(p.fragment && p.more_fragments && !(i == 0 && p.dont_fragment));
        assert_int_equal(p.fragment_id, 77);
        assert_int_equal(p.upper, n);
        assert_int_equal(p.sport, 1000); /* the first fragment shows the ports */
        assert_int_equal(p.payload_len, 8);
        assert_int_equal(wire_check(&p), 0);

        n = eth + wire_put_fragment(f + eth, &src.ip, &dst.ip, PROTO_UDP, 64, 77, 1480, false, 16);
        p = parsed(f, n + 16);
        assert_true(p.fragment && !p.more_fragments && p.l4 == 0);
        assert_int_equal(p.fragment_at, 1480);
        assert_int_equal(p.payload_len, 16);
        assert_int_equal(p.proto, PROTO_UDP);
        uint8_t out[200];
        assert_int_equal(wire_icmp_error(&p, &dst.ip, 3, 3, 0, out, sizeof out), E_UNSUPPORTED);
    }
}

static void rewriting_mends_checksums(void **state)
{
    (void)state;
    static const char *const to[] = {"198.51.100.77:40000", "[2001:db8:ffff::77]:40000"};
    for (size_t i = 0; i < 2; i++) {
        uint8_t f[128];
        size_t len = build_udp(f, pairs[i][0], pairs[i][1], "odd");
        struct wire_packet p = parsed(f, len);
        struct endpoint e = kit_endpoint(to[i]);
        wire_set_src(&p, &e);
        e.port = 1;
        wire_set_dst(&p, &e);
        wire_lower_ttl(&p);
        struct wire_packet again = parsed(f, len);
        assert_int_equal(wire_check(&again), 0);
        assert_true(ip_equal(&again.src, &e.ip) && ip_equal(&again.dst, &e.ip));
        assert_int_equal(again.sport, 40000);
        assert_int_equal(again.dport, 1);
        assert_int_equal(again.ttl, 63);
        assert_memory_equal(&again.src, &p.src, sizeof p.src);
        assert_int_equal(p.sport, 40000);
    }
    uint8_t f[128]; /* a UDP checksum of none stays none */
    size_t len = build_udp(f, pairs[0][0], pairs[0][1], "odd");
    store16(f + 40, 0);
    struct wire_packet p = parsed(f, len);
    struct endpoint e = kit_endpoint(to[0]);
    wire_set_src(&p, &e);
    assert_int_equal(load16(f + 40), 0);
}

/* RFC 768: a computed checksum of 0 is sent as all ones, when sealing and when mending. */
static void udp_checksum_is_never_zero(void **state)
{
    (void)state;
    uint8_t f[128];
    size_t len = build_udp(f, pairs[0][0], pairs[0][1], "ab");
    store16(f + 42, load16(f + 42) + load16(f + 40)); /* payload takes the checksum's place (no carry here) */
    wire_seal(f, len);
    assert_int_equal(load16(f + 40), 0xffff);
    struct wire_packet p = parsed(f, len);
    assert_int_equal(wire_check(&p), 0);
    struct endpoint e = p.src.family ? kit_endpoint("10.0.0.1:999") : (struct endpoint){0};
    wire_set_src(&p, &e);
    e.port = 1000;
    wire_set_src(&p, &e);
    assert_int_equal(load16(f + 40), 0xffff);
}

static void tcp_options_round_trip(void **state)
{
    (void)state;
    static const struct {
        struct wire_tcp t;
        size_t size;
    } rows[] = {
        {{.flags = 2, .mss = 1460, .wscale = 7, .sack_ok = true}, 32},
        {{.flags = 0x10, .wscale = WIRE_NO_WSCALE}, 20},
        {{.flags = 0x10, .wscale = WIRE_NO_WSCALE, .sack_count = 1, .sack = {{5, 9}}}, 32},
        {{.flags = 0x10, .wscale = WIRE_NO_WSCALE, .sack_count = 4, .sack = {{1, 2}, {3, 4}, {5, 6}, {7, 8}}}, 56},
    };
    struct ip_addr a = kit_ip("10.0.0.1");
    static const uint8_t mac[6] = {2};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t f[128];
        struct wire_tcp t = rows[i].t;
        t.sport = 1, t.dport = 2, t.seq = 0xfffffff0, t.ack = 3, t.window = 0xffff;
        size_t n = wire_put_tcp(f + 34, &t);
        assert_int_equal(n, rows[i].size);
        wire_put_eth(f, mac, mac, ETHERTYPE_IP4);
        wire_put_ip(f + 14, &a, &a, PROTO_TCP, 64, 0, n);
        wire_seal(f, 34 + n);
        struct wire_packet p = parsed(f, 34 + n);
        assert_int_equal(wire_check(&p), 0);
        struct wire_tcp back = {0};
        wire_get_tcp(&p, &back);
        assert_int_equal(back.seq, t.seq);
        assert_int_equal(back.ack, t.ack);
        assert_int_equal(back.flags, t.flags);
        assert_int_equal(back.window, t.window);
        assert_int_equal(back.mss, t.mss);
        assert_int_equal(back.wscale, t.wscale);
        assert_int_equal(back.sack_ok, t.sack_ok);
        assert_int_equal(back.sack_count, t.sack_count);
        assert_memory_equal(back.sack, t.sack, t.sack_count * sizeof *t.sack);
    }
    struct wire_tcp full = {.flags = 0x12, .mss = 1460, .wscale = 7, .sack_ok = true, .sack_count = 4};
    uint8_t f[WIRE_TCP_MAX];
    assert_int_equal(wire_put_tcp(f, &full), 32 + 4 + 24); /* three blocks fit */
}

/* A broken option ends the list; what stood before it counts; unknown ones are skipped. */
static void tcp_options_broken(void **state)
{
    (void)state;
    static const char *const tails[] = {"fe04aaaa 02040500 0200 0000", "02040500 02ff0000 0101 0101",
                                        "02040500 0101 0501 02040101", "02040500 01010101 010101 03"};
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        uint8_t f[128];
        kit_hex(ETH4 "4500 0034 0000 4000 4006 0000 0a000001 0a000002 0001 0002 00000000 00000000 8010 0000 00000000",
                f, sizeof f);
        kit_hex(tails[i], f + 54, 12);
        struct wire_packet p = parsed(f, 66);
        struct wire_tcp t;
        wire_get_tcp(&p, &t);
        assert_int_equal(t.mss, 0x500);
        assert_int_equal(t.wscale, WIRE_NO_WSCALE);
    }
}

/* An error quotes the packet; the quoted ports come out again, also when only 8 bytes of the transport are
 * there. */
static void icmp_errors(void **state)
{
    (void)state;
    static const char *const routers[] = {"192.0.2.1", "2001:db8::ffff"};
    for (size_t i = 0; i < 2; i++) {
        uint8_t f[128], out[400];
        size_t len = build_udp(f, pairs[i][0], pairs[i][1], "abc");
        struct wire_packet p = parsed(f, len), quoted;
        struct ip_addr router = kit_ip(routers[i]);
        long n = wire_icmp_error(&p, &router, i ? 2 : 3, i ? 0 : 4, 1400, out, sizeof out);
        assert_int_equal(n, (long)(len + (i ? 48 : 28)));
        assert_int_equal(wire_icmp_error(&p, &router, 3, 4, 0, out, (size_t)n - 1), E_SPACE);
        assert_memory_equal(out, f + 6, 6);
        struct wire_packet e = parsed(out, (size_t)n);
        assert_int_equal(wire_check(&e), 0);
        assert_true(wire_is_icmp_error(&e) && ip_equal(&e.dst, &p.src) && ip_equal(&e.src, &router));
        assert_int_equal(load32(out + e.l4 + 4), 1400);
        assert_int_equal(wire_parse_quoted(&e, &quoted), 0);
        assert_int_equal(quoted.sport, 1000);
        assert_int_equal(quoted.dport, 2000);
        assert_true(ip_equal(&quoted.src, &p.src) && ip_equal(&quoted.dst, &p.dst));
        assert_int_equal(wire_icmp_error(&e, &router, 3, 3, 0, out, sizeof out), E_UNSUPPORTED);
        assert_int_equal(wire_parse_quoted(&p, &quoted), E_UNSUPPORTED);

        /* Translating the quotation, as NAT does, and sealing the error again. */
        struct endpoint in = {.ip = router, .port = 5};
        assert_int_equal(wire_parse_quoted(&e, &quoted), 0);
        wire_set_src(&quoted, &in);
        wire_seal(out, (size_t)n);
        assert_int_equal(wire_check(&e), 0);
        assert_int_equal(wire_parse_quoted(&e, &quoted), 0);
        assert_int_equal(quoted.sport, 5);
    }
    uint8_t f[256];
    size_t len = kit_hex(ETH4 "4500 0038 0000 4000 4001 0000 0a000002 0a000001 0303 0000 00000000"
                         "4500 05dc 0000 4000 4006 0000 0a000001 0a000002 03e8 07d0 00000007", f, sizeof f);
    struct wire_packet e = parsed(f, len), quoted;
    assert_int_equal(wire_parse_quoted(&e, &quoted), 0);
    assert_int_equal(quoted.dport, 2000);
    assert_int_equal(quoted.payload_len, 0);
}

static void echo_identifier(void **state)
{
    (void)state;
    uint8_t f[64];
    size_t len = kit_hex(ETH4 "4500 001c 0000 4000 4001 26df 0a000001 0a000002 0800 0000 1234 0001", f, sizeof f);
    wire_seal(f, len);
    struct wire_packet p = parsed(f, len);
    uint16_t id = 0;
    assert_true(wire_echo_id(&p, &id));
    assert_int_equal(id, 0x1234);
    struct endpoint to = kit_endpoint("198.51.100.1:777");
    wire_set_src(&p, &to);
    assert_true(wire_echo_id(&p, &id));
    assert_int_equal(id, 777);
    assert_int_equal(p.sport, 8);
    assert_int_equal(wire_check(&p), 0);
}

/* RFC 9293 3.10.7.1. */
static void tcp_resets(void **state)
{
    (void)state;
    static const struct {
        uint8_t in_flags;
        size_t payload;
        uint32_t seq, ack;
        uint8_t flags;
    } rows[] = {
        {0x02, 0, 0, 101, 0x14}, {0x10, 5, 900, 0, 0x04}, {0x01, 5, 0, 106, 0x14}, {0x12, 0, 900, 0, 0x04},
    };
    struct ip_addr a = kit_ip("10.0.0.1"), b = kit_ip("10.0.0.2");
    static const uint8_t mac[6] = {2};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t f[128] = {0}, out[128];
        struct wire_tcp t = {.sport = 1, .dport = 2, .seq = 100, .ack = 900, .flags = rows[i].in_flags,
                             .wscale = WIRE_NO_WSCALE};
        wire_put_eth(f, mac, mac, ETHERTYPE_IP4);
        wire_put_ip(f + 14, &a, &b, PROTO_TCP, 64, 0, 20 + rows[i].payload);
        wire_put_tcp(f + 34, &t);
        struct wire_packet p = parsed(f, 54 + rows[i].payload);
        long n = wire_tcp_reset(&p, out, sizeof out);
        assert_int_equal(n, 54);
        struct wire_packet r = parsed(out, 54);
        assert_int_equal(wire_check(&r), 0);
        wire_get_tcp(&r, &t);
        assert_int_equal(t.seq, rows[i].seq);
        assert_int_equal(t.ack, rows[i].ack);
        assert_int_equal(t.flags, rows[i].flags);
        assert_int_equal(t.sport, 2);
        assert_true(ip_equal(&r.dst, &a));
        assert_int_equal(wire_tcp_reset(&r, out, sizeof out), E_UNSUPPORTED);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksum_of_rfc1071), cmocka_unit_test(checksum_of_rfc1624),
        cmocka_unit_test(known_ip4_header), cmocka_unit_test(lab_frame),
        cmocka_unit_test(truncated_frames), cmocka_unit_test(malformed_frames),
        cmocka_unit_test(ip4_options_and_unknown_transport), cmocka_unit_test(ip6_extension_headers),
        cmocka_unit_test(fragments_both_families), cmocka_unit_test(rewriting_mends_checksums),
        cmocka_unit_test(udp_checksum_is_never_zero), cmocka_unit_test(tcp_options_round_trip),
        cmocka_unit_test(tcp_options_broken), cmocka_unit_test(icmp_errors),
        cmocka_unit_test(echo_identifier), cmocka_unit_test(tcp_resets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
