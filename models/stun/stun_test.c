/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/stun/stun.h"

#include <string.h>

#include "models/base/err.h"
#include "models/base/hash.h"
#include "models/base/rng.h"
#include "models/testkit/testkit.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* ---- messages as rows: encoded they are the bytes, decoded the bytes are they ---- */

enum item_kind { END, TEXT, HEX, U32, U64, ADDRESS, ERROR, MAC, CRC };

struct item {
    enum item_kind kind;
    enum stun_attr_type type;
    const char *text; /* TEXT, HEX, ADDRESS */
    uint64_t number;  /* U32, U64, ERROR */
};

struct row {
    const char *name, *hex;
    const struct stun_dialect *dialect;
    uint16_t type;
    const char *id; /* the 12 bytes behind the cookie, in hex */
    const char *line; /* stun_describe's */
    struct item items[12];
};

#define ALICE {TEXT, ATTR_USERNAME, "alice", 0}
#define REALM {TEXT, ATTR_REALM, "example.org", 0}
#define NONCE {TEXT, ATTR_NONCE, "n0nce-0001", 0}
#define ID(byte) byte byte byte byte byte byte byte byte byte byte byte byte
#define GOLDEN &stun_rfc8489

/* rfc6062-requirements.md 9, and the frame of the lab capture. */
static const struct row rows[] = {
    {"G1", "00030008 2112a442 01010101 01010101 01010101 00190004 06000000", GOLDEN, 0x0003, ID("01"),
     "Allocate request, TCP", {{HEX, ATTR_REQUESTED_TRANSPORT, "06000000", 0}}},
    {"G2", "01130034 2112a442 01010101 01010101 01010101 00090010 00000401 556e6175 74686f72 697a6564 0014000b "
     "6578616d 706c652e 6f726700 0015000a 6e306e63 652d3030 30310000", GOLDEN, 0x0113, ID("01"),
     "Allocate error 401, realm example.org, nonce", {{ERROR, ATTR_ERROR_CODE, NULL, 401}, REALM, NONCE}},
    {"G3", "0003004c 2112a442 02020202 02020202 02020202 00190004 06000000 00060005 616c6963 65000000 0014000b "
     "6578616d 706c652e 6f726700 0015000a 6e306e63 652d3030 30310000 00080014 8b2cb045 7a4670a8 0e5071a2 403d6edc "
     "3164dbad", GOLDEN, 0x0003, ID("02"), "Allocate request, TCP, user alice, realm example.org, nonce",
     {{HEX, ATTR_REQUESTED_TRANSPORT, "06000000", 0}, ALICE, REALM, NONCE, {MAC, 0, NULL, 0}}},
    {"G4", "01030038 2112a442 02020202 02020202 02020202 00160008 0001e242 e112a64d 000d0004 00000258 00200008 "
     "00013a4a e112a643 00080014 ff43d361 4fd5a495 0c9c1035 4535ae06 32eb4f29", GOLDEN, 0x0103, ID("02"),
     "Allocate success, XOR-RELAYED-ADDRESS 192.0.2.15:50000, lifetime 600, XOR-MAPPED-ADDRESS 192.0.2.1:7000",
     {{ADDRESS, ATTR_XOR_RELAYED_ADDRESS, "192.0.2.15:50000", 0}, {U32, ATTR_LIFETIME, NULL, 600},
      {ADDRESS, ATTR_XOR_MAPPED_ADDRESS, "192.0.2.1:7000", 0}, {MAC, 0, NULL, 0}}},
    {"G5", "00080050 2112a442 03030303 03030303 03030303 00120008 00012112 e112a6d4 00060005 616c6963 65000000 "
     "0014000b 6578616d 706c652e 6f726700 0015000a 6e306e63 652d3030 30310000 00080014 5e2f6c3b 59fc7eb4 e84f9f41 "
     "9ace94e4 b0a71abe", GOLDEN, 0x0008, ID("03"),
     "CreatePermission request, XOR-PEER-ADDRESS 192.0.2.150:0, user alice, realm example.org, nonce",
     {{ADDRESS, ATTR_XOR_PEER_ADDRESS, "192.0.2.150:0", 0}, ALICE, REALM, NONCE, {MAC, 0, NULL, 0}}},
    {"G6", "000a0050 2112a442 04040404 04040404 04040404 00120008 00015c74 e112a6d4 00060005 616c6963 65000000 "
     "0014000b 6578616d 706c652e 6f726700 0015000a 6e306e63 652d3030 30310000 00080014 b34085fc 4414bb66 e192ab28 "
     "4197ecc6 98081e68", GOLDEN, 0x000a, ID("04"),
     "Connect request, XOR-PEER-ADDRESS 192.0.2.150:32102, user alice, realm example.org, nonce",
     {{ADDRESS, ATTR_XOR_PEER_ADDRESS, "192.0.2.150:32102", 0}, ALICE, REALM, NONCE, {MAC, 0, NULL, 0}}},
    {"G7", "010a0020 2112a442 04040404 04040404 04040404 002a0004 01020304 00080014 70038c0e 82686a89 043c6138 "
     "477f6246 97a35c76", GOLDEN, 0x010a, ID("04"), "Connect success, id 0x01020304",
     {{U32, ATTR_CONNECTION_ID, NULL, 0x01020304}, {MAC, 0, NULL, 0}}},
    {"G8", "011a003c 2112a442 05050505 05050505 05050505 0009001d 0000042e 436f6e6e 65637469 6f6e2041 6c726561 "
     "64792045 78697374 73000000 00080014 7fd3e89e 222e5846 a245c366 62f2f4b9 0ba10502", GOLDEN, 0x011a, ID("05"),
     "Connect error 446", {{ERROR, ATTR_ERROR_CODE, NULL, 446}, {MAC, 0, NULL, 0}}},
    {"G9", "011a0040 2112a442 06060606 06060606 06060606 00090021 0000042f 436f6e6e 65637469 6f6e2054 696d656f "
     "7574206f 72204661 696c7572 65000000 00080014 17be72e7 3a21484e aeec7a1b 9832c87f 1224b419", GOLDEN, 0x011a,
     ID("06"), "Connect error 447", {{ERROR, ATTR_ERROR_CODE, NULL, 447}, {MAC, 0, NULL, 0}}},
    {"G10", "001c0014 2112a442 07070707 07070707 07070707 002a0004 01020305 00120008 00015c74 e112a6d4", GOLDEN,
     0x001c, ID("07"), "ConnectionAttempt indication, id 0x01020305, XOR-PEER-ADDRESS 192.0.2.150:32102",
     {{U32, ATTR_CONNECTION_ID, NULL, 0x01020305}, {ADDRESS, ATTR_XOR_PEER_ADDRESS, "192.0.2.150:32102", 0}}},
    {"G11", "000b004c 2112a442 08080808 08080808 08080808 002a0004 01020304 00060005 616c6963 65000000 0014000b "
     "6578616d 706c652e 6f726700 0015000a 6e306e63 652d3030 30310000 00080014 b8e2d7bc 0768d873 0466c0e1 9c758329 "
     "c606fb8b", GOLDEN, 0x000b, ID("08"),
     "ConnectionBind request, id 0x01020304, user alice, realm example.org, nonce",
     {{U32, ATTR_CONNECTION_ID, NULL, 0x01020304}, ALICE, REALM, NONCE, {MAC, 0, NULL, 0}}},
    {"G12", "010b0018 2112a442 08080808 08080808 08080808 00080014 32d28790 21b9981a 5791af15 cf2f968e e173c375",
     GOLDEN, 0x010b, ID("08"), "ConnectionBind success", {{MAC, 0, NULL, 0}}},
    {"G13", "011b002c 2112a442 09090909 09090909 09090909 0009000f 00000400 42616420 52657175 65737400 00080014 "
     "7cac28f1 c42b3f50 30f4d12f d4c152cb 64fe8c05", GOLDEN, 0x011b, ID("09"), "ConnectionBind error 400",
     {{ERROR, ATTR_ERROR_CODE, NULL, 400}, {MAC, 0, NULL, 0}}},
    {"G14", "000a005c 2112a442 0a0a0a0a 0a0a0a0a 0a0a0a0a 00120014 00025c74 0113a9fa 0a0a0a0a 0a0a0a0a 0a0a0b5a "
     "00060005 616c6963 65000000 0014000b 6578616d 706c652e 6f726700 0015000a 6e306e63 652d3030 30310000 00080014 "
     "ff5d5240 f415a4cc ccda84cd f34a867b f6ff4ea1", GOLDEN, 0x000a, ID("0a"),
     "Connect request, XOR-PEER-ADDRESS [2001:db8::150]:32102, user alice, realm example.org, nonce",
     {{ADDRESS, ATTR_XOR_PEER_ADDRESS, "[2001:db8::150]:32102", 0}, ALICE, REALM, NONCE, {MAC, 0, NULL, 0}}},
    {"lab frame 2597", "00010058 2112a442 a7d42d51 9e4d78c5 93819521 00250000 00240004 6effffff 80290008 08b2674a "
     "8beecd68 0006000c 6c304d52 3a416f56 79000000 80540004 33000000 80700004 00000002 00080014 1da48425 29575b38 "
     "e06b72ef 458c3e17 2b65c76c 80280004 ff2fa718", &stun_ms_ice2, 0x0001, "a7d42d519e4d78c593819521",
     "Binding request, USE-CANDIDATE, priority 0x6effffff, ICE-CONTROLLED, user l0MR:AoVy, candidate 3, version 2",
     {{HEX, ATTR_USE_CANDIDATE, "", 0}, {U32, ATTR_PRIORITY, NULL, 0x6effffff},
      {U64, ATTR_ICE_CONTROLLED, NULL, 0x08b2674a8beecd68}, {TEXT, ATTR_USERNAME, "l0MR:AoVy", 0},
      {TEXT, ATTR_MS_CANDIDATE_IDENTIFIER, "3", 0}, {U32, ATTR_MS_IMPLEMENTATION_VERSION, NULL, 2},
      {HEX, ATTR_MESSAGE_INTEGRITY, "1da4842529575b38e06b72ef458c3e172b65c76c", 0}, {CRC, 0, NULL, 0}}},
    {"RFC 5769 2.4", "00010060 2112a442 78ad3433 c6ad72c0 29da412e 00060012 e3839ee3 8388e383 aae38383 e382afe3 "
     "82b90000 0015001c 662f2f34 39396b39 35346436 4f4c3334 6f4c3946 53547679 36347341 0014000b 6578616d 706c652e "
     "6f726700 00080014 f6702465 6dd64a3e 02b8e071 2e85c9a2 8ca89666", GOLDEN, 0x0001, "78ad3433c6ad72c029da412e",
     "Binding request, user .................., nonce, realm example.org",
     {{TEXT, ATTR_USERNAME, "マトリックス", 0}, {TEXT, ATTR_NONCE, "f//499k954d6OL34oL9FSTvy64sA", 0}, REALM,
      {HEX, ATTR_MESSAGE_INTEGRITY, "f67024656dd64a3e02b8e0712e85c9a28ca89666", 0}}},
};

static void alice_key(uint8_t key[16])
{
    stun_long_term_key("alice", "example.org", "secret", key);
}

static void encode_item(struct stun_out *o, const struct item *it)
{
    uint8_t b[64];
    struct endpoint e;
    switch (it->kind) {
    case TEXT:
        stun_put_text(o, it->type, it->text);
        break;
    case HEX:
        stun_put(o, it->type, b, kit_hex(it->text, b, sizeof b));
        break;
    case U32:
        stun_put_u32(o, it->type, (uint32_t)it->number);
        break;
    case U64:
        stun_put_u64(o, it->type, it->number);
        break;
    case ADDRESS:
        e = kit_endpoint(it->text);
        stun_put_address(o, it->type, &e);
        break;
    case ERROR:
        stun_put_error(o, (int)it->number, NULL);
        break;
    case MAC:
        alice_key(b);
        stun_put_integrity(o, b, 16, false);
        break;
    case CRC:
        stun_put_fingerprint(o);
        break;
    case END:
        break;
    }
}

static long encode_row(const struct row *r, void *buf, size_t cap)
{
    struct stun_id id;
    store32(id.b, STUN_COOKIE);
    kit_hex(r->id, id.b + 4, 12);
    struct stun_out o;
    stun_begin(&o, r->dialect, buf, cap, r->type, &id);
    for (const struct item *it = r->items; it->kind != END; it++)
        encode_item(&o, it);
    return stun_end(&o);
}

static void rows_encode_byte_for_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t want[256], got[256];
        size_t n = kit_hex(rows[i].hex, want, sizeof want);
        assert_int_equal(encode_row(&rows[i], got, sizeof got), n);
        assert_memory_equal(got, want, n);
    }
}

static void rows_need_their_room(void **state)
{
    (void)state;
    uint8_t buf[256];
    for (size_t i = 0; i < COUNT(rows); i++) {
        long n = encode_row(&rows[i], buf, sizeof buf);
        for (size_t cap = 0; cap < (size_t)n; cap++)
            assert_int_equal(encode_row(&rows[i], buf, cap), E_SPACE);
        assert_int_equal(encode_row(&rows[i], buf, (size_t)n), n);
    }
}

static void check_item(const struct stun_msg *m, const struct item *it)
{
    uint8_t b[64];
    struct stun_attr a;
    const char *s;
    size_t len;
    uint32_t v;
    uint64_t w;
    struct endpoint e, want;
    int code;
    switch (it->kind) {
    case TEXT:
        assert_int_equal(stun_get_text(m, it->type, &s, &len), 0);
        assert_int_equal(len, strlen(it->text));
        assert_memory_equal(s, it->text, len);
        break;
    case HEX:
        assert_true(stun_find(m, it->type, &a));
        assert_int_equal(a.len, kit_hex(it->text, b, sizeof b));
        assert_memory_equal(a.value, b, a.len);
        break;
    case U32:
        assert_int_equal(stun_get_u32(m, it->type, &v), 0);
        assert_int_equal(v, it->number);
        break;
    case U64:
        assert_int_equal(stun_get_u64(m, it->type, &w), 0);
        assert_true(w == it->number);
        break;
    case ADDRESS:
        want = kit_endpoint(it->text);
        assert_int_equal(stun_get_address(m, it->type, &e), 0);
        assert_true(endpoint_equal(&e, &want));
        break;
    case ERROR:
        assert_int_equal(stun_get_error(m, &code, &s, &len), 0);
        assert_int_equal(code, it->number);
        assert_int_equal(len, strlen(stun_reason(code)));
        assert_memory_equal(s, stun_reason(code), len);
        break;
    case MAC:
        alice_key(b);
        assert_int_equal(stun_check_integrity(m, b, 16), 0);
        break;
    case CRC:
        assert_int_equal(stun_check_fingerprint(m), 0);
        break;
    case END:
        break;
    }
}

static void rows_decode(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t b[256];
        size_t n = kit_hex(rows[i].hex, b, sizeof b), found = 0;
        struct stun_msg m;
        assert_int_equal(stun_parse(rows[i].dialect, b, n, &m), 0);
        assert_int_equal(m.type, rows[i].type);
        assert_int_equal(stun_type(m.cls, m.method), m.type);
        struct stun_attr a = {0};
        while (stun_next(&m, &a))
            found++;
        size_t listed = 0;
        for (const struct item *it = rows[i].items; it->kind != END; it++, listed++)
            check_item(&m, it);
        assert_int_equal(found, listed);
        char line[256];
        struct text t = text_of(line, sizeof line);
        stun_describe(&m, &t);
        assert_string_equal(line, rows[i].line);
    }
}

/* ---- RFC 5769: padding of spaces, so these decode only ---- */

#define RFC5769_ID "2112a442 b7e7a701 bc34d686 fa87dfae"
static const char *const rfc5769[] = {
    "00010058 " RFC5769_ID " 80220010 5354554e 20746573 7420636c 69656e74 00240004 6e0001ff 80290008 932ff9b1 "
    "51263b36 00060009 6576746a 3a683676 59202020 00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2 80280004 "
    "e57a3bcf",
    "0101003c " RFC5769_ID " 8022000b 74657374 20766563 746f7220 00200008 0001a147 e112a643 00080014 2b91f599 "
    "fd9e90c3 8c7489f9 2af9ba53 f06be7d7 80280004 c07d4c96",
    "01010048 " RFC5769_ID " 8022000b 74657374 20766563 746f7220 00200014 0002a147 0113a9fa a5d3f179 bc25f4b5 "
    "bed2b9d9 00080014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41 80280004 c8fb0b4c",
};
static const char short_term_key[] = "VOkJxbRl1RmTxUk/WvJxBt";

static size_t vector(size_t i, uint8_t *b, size_t cap, struct stun_msg *m)
{
    size_t n = kit_hex(rfc5769[i], b, cap);
    assert_int_equal(stun_parse(&stun_rfc8489, b, n, m), 0);
    return n;
}

static void rfc5769_vectors_verify(void **state)
{
    (void)state;
    static const size_t sizes[] = {108, 80, 92};
    for (size_t i = 0; i < COUNT(rfc5769); i++) {
        uint8_t b[128];
        struct stun_msg m;
        assert_int_equal(vector(i, b, sizeof b, &m), sizes[i]);
        assert_int_equal(stun_check_integrity(&m, short_term_key, strlen(short_term_key)), 0);
        assert_int_equal(stun_check_fingerprint(&m), 0);
        assert_int_equal(stun_check_integrity(&m, short_term_key, strlen(short_term_key) - 1), E_INTEGRITY);
    }
    uint8_t key[16], want[16];
    stun_long_term_key("マトリックス", "example.org", "TheMatrIX", key);
    kit_hex("e8ca7ad59d5eb0518e312911d2dab2a9", want, sizeof want);
    assert_memory_equal(key, want, 16);
    uint8_t b[128];
    struct stun_msg m;
    size_t n = kit_hex(rows[COUNT(rows) - 1].hex, b, sizeof b);
    assert_int_equal(stun_parse(&stun_rfc8489, b, n, &m), 0);
    assert_int_equal(stun_check_integrity(&m, key, 16), 0);
}

static void rfc5769_addresses(void **state)
{
    (void)state;
    static const char *const want[] = {"192.0.2.1:32853", "[2001:db8:1234:5678:11:2233:4455:6677]:32853"};
    for (size_t i = 0; i < 2; i++) {
        uint8_t b[128];
        struct stun_msg m;
        vector(i + 1, b, sizeof b, &m);
        struct endpoint e, w = kit_endpoint(want[i]);
        assert_int_equal(stun_get_address(&m, ATTR_XOR_MAPPED_ADDRESS, &e), 0);
        assert_true(endpoint_equal(&e, &w));
    }
}

/* Each byte of a vector, changed, breaks FINGERPRINT, and the MAC where it covers the byte; or it does not parse. */
static void every_byte_is_covered(void **state)
{
    (void)state;
    uint8_t b[128];
    struct stun_msg m;
    size_t n = vector(0, b, sizeof b, &m), mac_end = m.mac_at + 24;
    for (size_t i = 0; i < n; i++) {
        b[i] ^= 0x04;
        if (stun_parse(&stun_rfc8489, b, n, &m) == 0) {
            assert_int_not_equal(stun_check_fingerprint(&m), 0);
            if (i < mac_end)
                assert_int_not_equal(stun_check_integrity(&m, short_term_key, strlen(short_term_key)), 0);
        }
        b[i] ^= 0x04;
    }
}

/* MSI-7, the vectors of ms-turn-ms-ice2.md 3.1: the old Microsoft CRC is as good in its dialect, and only there. */
static void legacy_fingerprint(void **state)
{
    (void)state;
    static const uint32_t legacy[] = {0xddb267a3, 0xc07d4c96, 0x9b5d2de5};
    for (size_t i = 0; i < COUNT(rfc5769); i++) {
        uint8_t b[128];
        struct stun_msg m;
        size_t n = vector(i, b, sizeof b, &m);
        store32(b + n - 4, legacy[i]);
        assert_int_equal(stun_parse(&stun_ms_ice2, b, n, &m), 0);
        assert_int_equal(stun_check_fingerprint(&m), 0);
        assert_int_equal(stun_parse(&stun_rfc8489, b, n, &m), 0);
        assert_int_equal(stun_check_fingerprint(&m), i == 1 ? 0 : E_INTEGRITY); /* 2.2 does not hit the entry */
    }
}

/* RFC 8489 B.1, corrected: length 0x90 and PASSWORD-ALGORITHM there (rfc8489-requirements.md 7). */
static void rfc8489_b1_sha256(void **state)
{
    (void)state;
    static const char hex[] =
        "00010090 2112a442 78ad3433 c6ad72c0 29da412e 001e0020 4a3cf38f ef6992bd a952c678 0417da0f 24819415 569e60b2 "
        "05c46e41 407f1704 00150029 6f624d61 744a6f73 32414141 43662f2f 3439396b 39353464 364f4c33 346f4c39 46535476 "
        "79363473 41000000 0014000b 6578616d 706c652e 6f726700 001d0004 00020000 001c0020 b5c7bf00 5b6c52a2 1c51c5e8 "
        "92f81924 136296cb 927c4314 9309278c c6518e65";
    uint8_t b[200], key[HASH_SHA256], out[200];
    struct stun_msg m;
    size_t n = kit_hex(hex, b, sizeof b);
    assert_int_equal(n, 164);
    assert_int_equal(stun_parse(&stun_rfc8489, b, n, &m), 0);
    static const char secret[] = "マトリックス:example.org:TheMatrIX";
    sha256(secret, strlen(secret), key);
    assert_int_equal(stun_check_integrity_sha256(&m, key, sizeof key), 0);
    assert_int_equal(stun_check_integrity(&m, key, sizeof key), E_NOT_FOUND);
    struct stun_out o;
    stun_begin(&o, &stun_rfc8489, out, sizeof out, m.type, &m.id);
    struct stun_attr a = {0};
    while (stun_next(&m, &a) && a.at != m.mac256_at)
        stun_put(&o, a.type, a.value, a.len);
    stun_put_integrity_sha256(&o, key, sizeof key);
    assert_int_equal(stun_end(&o), n);
    assert_memory_equal(out, b, n);
}

/* ---- the format ---- */

static void type_bits(void **state)
{
    (void)state;
    assert_int_equal(stun_type(STUN_ERROR, TURN_CONNECT), 0x011a); /* rfc6062-requirements.md 1 */
    assert_int_equal(stun_type(STUN_INDICATION, TURN_CONNECTION_ATTEMPT), 0x001c);
    uint8_t b[STUN_HEADER] = {0};
    store32(b + 4, STUN_COOKIE);
    for (unsigned type = 0; type < 0x4000; type++) {
        struct stun_msg m;
        store16(b, type);
        assert_int_equal(stun_parse(&stun_rfc8489, b, sizeof b, &m), 0);
        assert_int_equal(stun_type(m.cls, m.method), type);
    }
}

#define HEAD(length) "0001" length "2112a442 000000000000000000000000 "
#define MS_HEAD(length) "0003" length "00112233445566778899aabbccddeeff "
static void what_is_malformed(void **state)
{
    (void)state;
    static const struct {
        const struct stun_dialect *dialect;
        const char *hex;
        int err;
    } bad[] = {
        {&stun_rfc8489, "", E_TRUNCATED},
        {&stun_rfc8489, "0001000021 12a442 0000000000000000000000", E_TRUNCATED}, /* 19 bytes */
        {&stun_rfc8489, HEAD("0000"), 0},
        {&stun_rfc8489, "4001 0000 2112a442 000000000000000000000000", E_MALFORMED}, /* 8489-5-1 */
        {&stun_rfc8489, "8001 0000 2112a442 000000000000000000000000", E_MALFORMED},
        {&stun_rfc8489, "0001 0000 2112a443 000000000000000000000000", E_MALFORMED}, /* 8489-5-2 */
        {&stun_rfc8489, HEAD("0002") "0000", E_MALFORMED},                           /* 8489-5-4 */
        {&stun_rfc8489, HEAD("0004"), E_TRUNCATED},                                  /* 8489-5-5 */
        {&stun_rfc8489, HEAD("0000") "00250000", E_MALFORMED},
        {&stun_rfc8489, HEAD("0004") "00250000", 0},
        {&stun_rfc8489, HEAD("0004") "00250001", E_MALFORMED}, /* 8489-14-4: value past the end */
        {&stun_rfc8489, HEAD("0004") "0025fffc", E_MALFORMED},
        {&stun_rfc8489, HEAD("0004") "0025ffff", E_MALFORMED},
        {&stun_rfc8489, HEAD("0008") "00250001 00ffffff", 0},         /* 8489-14-2: padding is ignored */
        {&stun_rfc8489, HEAD("0008") "00250005 00000000", E_MALFORMED},
        {&stun_rfc8489, HEAD("000c") "80280004 00000000 00250000", E_MALFORMED}, /* 14.7: not the last */
        {&stun_ms_turn, MS_HEAD("0000"), E_MALFORMED},                           /* MST-3: no cookie */
        {&stun_ms_turn, MS_HEAD("0008") "000f0004 72c64bc6", 0},
        {&stun_ms_turn, MS_HEAD("0008") "000f0004 72c64bc7", E_MALFORMED},
        {&stun_ms_turn, MS_HEAD("000c") "00080000 000f0004 72c64bc6", E_MALFORMED}, /* not first */
        {&stun_ms_turn, MS_HEAD("000d") "000f0004 72c64bc6 00060001 61", 0},        /* not padded */
        {&stun_ms_turn, MS_HEAD("000b") "000f0004 72c64bc6 000600", E_MALFORMED},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        uint8_t b[64];
        struct stun_msg m;
        assert_int_equal(stun_parse(bad[i].dialect, b, kit_hex(bad[i].hex, b, sizeof b), &m), bad[i].err);
    }
}

static int value_error(enum stun_attr_type type, const char *hex)
{
    uint8_t value[32], b[64];
    size_t n = kit_hex(hex, value, sizeof value);
    struct stun_id id = {{0x21, 0x12, 0xa4, 0x42}};
    struct stun_out o;
    stun_begin(&o, &stun_rfc8489, b, sizeof b, 0x0111, &id);
    stun_put(&o, type, value, n);
    struct stun_msg m;
    assert_int_equal(stun_parse(&stun_rfc8489, b, (size_t)stun_end(&o), &m), 0);
    uint32_t v;
    uint64_t w;
    int code;
    const char *s;
    size_t len;
    struct endpoint e;
    switch (type) {
    case ATTR_LIFETIME:
        return stun_get_u32(&m, type, &v);
    case ATTR_ICE_CONTROLLED:
        return stun_get_u64(&m, type, &w);
    case ATTR_ERROR_CODE:
        return stun_get_error(&m, &code, &s, &len);
    default:
        return stun_get_address(&m, type, &e);
    }
}

static void values_are_checked(void **state)
{
    (void)state;
    static const struct {
        enum stun_attr_type type;
        const char *hex;
        int err;
    } table[] = {
        {ATTR_LIFETIME, "000258", E_MALFORMED},
        {ATTR_LIFETIME, "00000258", 0},
        {ATTR_ICE_CONTROLLED, "00000258", E_MALFORMED},
        {ATTR_XOR_PEER_ADDRESS, "", E_MALFORMED},
        {ATTR_XOR_PEER_ADDRESS, "000100", E_MALFORMED},
        {ATTR_XOR_PEER_ADDRESS, "0001 0000 00000000", 0},
        {ATTR_XOR_PEER_ADDRESS, "ff01 0000 00000000", 0}, /* 8489-14.1-1: the first byte is ignored */
        {ATTR_XOR_PEER_ADDRESS, "0003 0000 00000000", E_MALFORMED},
        {ATTR_XOR_PEER_ADDRESS, "0000 0000 00000000", E_MALFORMED},
        {ATTR_XOR_PEER_ADDRESS, "0002 0000 00000000", E_MALFORMED},
        {ATTR_XOR_PEER_ADDRESS, "0001 0000 00000000 00000000 00000000 00000000", E_MALFORMED},
        {ATTR_ERROR_CODE, "000004", E_MALFORMED},
        {ATTR_ERROR_CODE, "00000401", 0},
        {ATTR_ERROR_CODE, "fffffc01", 0}, /* 8489-14.8-1: reserved bits are ignored */
        {ATTR_ERROR_CODE, "00000201", E_RANGE},
        {ATTR_ERROR_CODE, "00000701", E_RANGE},
        {ATTR_ERROR_CODE, "00000464", E_RANGE},
    };
    for (size_t i = 0; i < COUNT(table); i++)
        assert_int_equal(value_error(table[i].type, table[i].hex), table[i].err);
}

/* 8489-9-1, 14-3: what stands behind the MAC does not count, nor does a second of a kind. */
static void what_counts(void **state)
{
    (void)state;
    uint8_t b[256], key[16] = {1};
    struct stun_id id = {{0x21, 0x12, 0xa4, 0x42}};
    struct stun_out o;
    stun_begin(&o, &stun_rfc8489, b, sizeof b, 0x0004, &id);
    stun_put_text(&o, ATTR_USERNAME, "first");
    stun_put_text(&o, ATTR_USERNAME, "second");
    stun_put(&o, 0x7abc, NULL, 0);
    stun_put(&o, 0xff00, NULL, 0);
    stun_put_integrity(&o, key, sizeof key, false);
    stun_put_u32(&o, ATTR_LIFETIME, 0);
    stun_put(&o, 0x7abd, NULL, 0);
    stun_put_integrity_sha256(&o, key, sizeof key);
    stun_put_fingerprint(&o);
    struct stun_msg m;
    assert_int_equal(stun_parse(&stun_rfc8489, b, (size_t)stun_end(&o), &m), 0);
    uint32_t v;
    assert_int_equal(stun_get_u32(&m, ATTR_LIFETIME, &v), E_NOT_FOUND);
    const char *s;
    size_t len;
    assert_int_equal(stun_get_text(&m, ATTR_USERNAME, &s, &len), 0);
    assert_int_equal(len, 5);
    assert_memory_equal(s, "first", 5);
    struct stun_attr a;
    assert_true(stun_find(&m, ATTR_FINGERPRINT, &a));
    assert_true(stun_find(&m, ATTR_MESSAGE_INTEGRITY_SHA256, &a));
    assert_int_equal(stun_check_fingerprint(&m), 0);
    assert_int_equal(stun_check_integrity(&m, key, sizeof key), 0);
    assert_int_equal(stun_check_integrity_sha256(&m, key, sizeof key), 0);
    uint16_t unknown[4];
    assert_int_equal(stun_unknown(&m, unknown, 4), 1);
    assert_int_equal(unknown[0], 0x7abc);
    assert_int_equal(stun_unknown(&m, unknown, 0), 1);
}

/* Cut anywhere, a stream gives the length as soon as eight bytes are there, or says early that it is none. */
static void stream_framing(void **state)
{
    (void)state;
    uint8_t b[128];
    size_t n = kit_hex(rfc5769[0], b, sizeof b);
    for (size_t have = 0; have <= n; have++)
        assert_int_equal(stun_stream_len(&stun_rfc8489, b, have, 1000), have < 8 ? 0 : (long)n);
    assert_int_equal(stun_stream_len(&stun_rfc8489, b, n, n), n);
    assert_int_equal(stun_stream_len(&stun_rfc8489, b, n, n - 1), E_MALFORMED);
    static const struct {
        const char *hex;
        long len;
    } table[] = {
        {"40", E_MALFORMED},
        {"3f", 0},
        {"16030100", 0}, /* a TLS record, which the cookie's place tells */
        {"160301002d010000", E_MALFORMED},
        {"00010002", E_MALFORMED},
        {"000100042112a441", E_MALFORMED},
        {"000100042112a442", 24},
    };
    for (size_t i = 0; i < COUNT(table); i++)
        assert_int_equal(stun_stream_len(&stun_rfc8489, b, kit_hex(table[i].hex, b, sizeof b), 1000), table[i].len);
    n = kit_hex(MS_HEAD("0008") "000f0004 72c64bc6", b, sizeof b);
    assert_int_equal(stun_stream_len(&stun_ms_turn, b, n, 1000), n);
    b[27] = 0;
    assert_int_equal(stun_stream_len(&stun_ms_turn, b, n, 1000), E_MALFORMED);
    assert_int_equal(stun_stream_len(&stun_ms_turn, b, n - 1, 1000), n); /* too early to tell */
}

static void looks_like_stun(void **state)
{
    (void)state;
    uint8_t b[128];
    size_t n = kit_hex(rfc5769[0], b, sizeof b);
    assert_true(stun_looks_like(b, n));
    assert_true(stun_looks_like(b, n + 1));
    assert_false(stun_looks_like(b, n - 1));
    assert_false(stun_looks_like(b, 19));
    b[0] |= 0x80;
    assert_false(stun_looks_like(b, n));
}

/* MST-12: RFC 3489's MAC, the text padded with zeros to 64; attributes not padded; addresses plain but 0x8020. */
static void ms_turn_messages(void **state)
{
    (void)state;
    uint8_t b[256], key[16];
    stun_long_term_key("user", "realm", "pass", key);
    struct rng rng = rng_named(1, "ms-turn");
    struct stun_id id = stun_new_id(&stun_ms_turn, &rng);
    struct endpoint e = kit_endpoint("192.0.2.1:443");
    struct stun_out o;
    stun_begin(&o, &stun_ms_turn, b, sizeof b, MS_TURN_DATA_INDICATION, &id);
    stun_put_address(&o, ATTR_MS_REMOTE_ADDRESS, &e);
    stun_put_address(&o, ATTR_MS_XOR_MAPPED_ADDRESS, &e);
    stun_put_text(&o, ATTR_USERNAME, "abc");
    size_t at = writer_len(&o.w);
    stun_put_integrity(&o, key, sizeof key, false);
    struct stun_msg m;
    assert_int_equal(stun_parse(&stun_ms_turn, b, (size_t)stun_end(&o), &m), 0);
    assert_int_equal(m.cls, STUN_INDICATION);
    assert_int_equal(at, 20 + 8 + 12 + 12 + 7);
    assert_int_equal(m.mac_at, at);
    assert_int_equal(load32(b + 36), 0xc0000201); /* plain */
    assert_int_equal(load32(b + 48), 0xc0000201 ^ load32(id.b));
    assert_int_equal(load16(b + 46), 443 ^ load16(id.b));
    struct endpoint got;
    assert_int_equal(stun_get_address(&m, ATTR_MS_XOR_MAPPED_ADDRESS, &got), 0);
    assert_true(endpoint_equal(&got, &e));
    uint8_t text[64] = {0}, mac[HASH_SHA1];
    memcpy(text, b, at);
    hmac_sha1(key, sizeof key, &(struct piece){text, sizeof text}, 1, mac);
    assert_memory_equal(b + at + 4, mac, sizeof mac);
    assert_int_equal(stun_check_integrity(&m, key, sizeof key), 0);
    char line[128];
    struct text t = text_of(line, sizeof line);
    stun_describe(&m, &t);
    assert_string_equal(line, "Data indication, REMOTE-ADDRESS 192.0.2.1:443, XOR-MAPPED-ADDRESS 192.0.2.1:443, "
                              "user abc");
}

/* MSI-9: the MAC is over the final length, FINGERPRINT counted in, and over text padded to 64. */
static void ms_ice2_integrity(void **state)
{
    (void)state;
    static const char key[] = "password";
    uint8_t b[128];
    struct stun_id id = {{0x21, 0x12, 0xa4, 0x42, 1}};
    struct stun_out o;
    stun_begin(&o, &stun_ms_ice2, b, sizeof b, 0x0001, &id);
    stun_put_text(&o, ATTR_USERNAME, "a:b");
    stun_put_integrity(&o, key, strlen(key), true);
    stun_put_fingerprint(&o);
    long n = stun_end(&o);
    struct stun_msg m;
    assert_int_equal(stun_parse(&stun_ms_ice2, b, (size_t)n, &m), 0);
    uint8_t text[64] = {0}, mac[HASH_SHA1];
    memcpy(text, b, 28);
    assert_int_equal(load16(b + 2), 8 + 24 + 8);
    hmac_sha1(key, strlen(key), &(struct piece){text, sizeof text}, 1, mac);
    assert_memory_equal(b + 32, mac, sizeof mac);
    assert_int_equal(stun_check_integrity(&m, key, strlen(key)), 0);
    assert_int_equal(stun_check_fingerprint(&m), 0);
    assert_int_equal(stun_parse(&stun_rfc8489, b, (size_t)n, &m), 0);
    assert_int_equal(stun_check_integrity(&m, key, strlen(key)), E_INTEGRITY);
}

/* A type means what its dialect says. */
static void names(void **state)
{
    (void)state;
    assert_string_equal(stun_attr_name(&stun_rfc8489, 0x0012), "XOR-PEER-ADDRESS");
    assert_string_equal(stun_attr_name(&stun_ms_turn, 0x0012), "REMOTE-ADDRESS");
    assert_null(stun_attr_name(&stun_ms_turn, 0x0016));
    assert_string_equal(stun_method_name(&stun_rfc8489, 0x0104), "Refresh");
    assert_string_equal(stun_method_name(&stun_ms_turn, 0x0104), "Send");
    assert_null(stun_method_name(&stun_rfc8489, 0x3eef));
    assert_string_equal(stun_reason(446), "Connection Already Exists");
    assert_string_equal(stun_reason(999), "Unknown");
}

static void ids_differ(void **state)
{
    (void)state;
    struct rng rng = rng_named(1, "ids");
    struct stun_id a = stun_new_id(&stun_rfc8489, &rng), b = stun_new_id(&stun_rfc8489, &rng);
    assert_int_equal(load32(a.b), STUN_COOKIE);
    assert_memory_not_equal(a.b, b.b, sizeof a.b);
    struct stun_id c = stun_new_id(&stun_ms_turn, &rng);
    assert_int_not_equal(load32(c.b), STUN_COOKIE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_encode_byte_for_byte),
        cmocka_unit_test(rows_need_their_room),
        cmocka_unit_test(rows_decode),
        cmocka_unit_test(rfc5769_vectors_verify),
        cmocka_unit_test(rfc5769_addresses),
        cmocka_unit_test(every_byte_is_covered),
        cmocka_unit_test(legacy_fingerprint),
        cmocka_unit_test(rfc8489_b1_sha256),
        cmocka_unit_test(type_bits),
        cmocka_unit_test(what_is_malformed),
        cmocka_unit_test(values_are_checked),
        cmocka_unit_test(what_counts),
        cmocka_unit_test(stream_framing),
        cmocka_unit_test(looks_like_stun),
        cmocka_unit_test(ms_turn_messages),
        cmocka_unit_test(ms_ice2_integrity),
        cmocka_unit_test(names),
        cmocka_unit_test(ids_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
