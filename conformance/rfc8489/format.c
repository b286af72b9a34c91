/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 8489 5 and 14: the message and its attributes. */
#include <string.h>

#include "conformance/rfc8489/script.h"
#include "conformance/rfc8489/sections.h"
#include "models/base/bytes.h"

enum {
    UNKNOWN_OPTIONAL = 0xff00,
    USERNAME_5389 = 512, /* RFC 5389 15.3: less than 513 bytes */
    USERNAME_8489 = 763, /* RFC 8489 14.3 */
};

static struct message *binding(struct probe *p)
{
    return message_request(p, STUN_BINDING);
}

/* The bytes of a message that is to be spoilt. */
static uint8_t *bytes_of(struct message *m)
{
    size_t *len;
    return message_bytes(m, &len);
}

static void expect_binding(struct probe *p, struct line *l, const char *what)
{
    struct message *m = binding(p);
    line_send_message(l, m);
    struct heard h = line_answer(l, m, probe_soon(p));
    probe_require(p, h.kind == HEARD_STUN && h.code == 0, "a plain Binding request after %s got %s", what, WORDS(&h));
}

/* A datagram that a server has to drop; one that it has to answer follows. */
static void expect_dropped(struct probe *p, struct line *l, const struct message *m, const char *what)
{
    line_send_message(l, m);
    struct heard h = line_hear(l, probe_soon(p));
    probe_require(p, h.kind == HEARD_NOTHING, "%s got %s", what, WORDS(&h));
    expect_binding(p, l, what);
}

/* ---- 5 ---- */

static void top_bits(struct probe *p)
{
    struct line *l = probe_udp(p, CLIENT1, IP_V4);
    static const uint8_t bits[] = {0x40, 0x80, 0xc0};
    for (size_t i = 0; i < sizeof bits; i++) {
        struct message *m = binding(p);
        bytes_of(m)[0] |= bits[i];
        expect_dropped(p, l, m, "a Binding request with a top bit set");
    }
}

static void other_cookie(struct probe *p)
{
    struct line *l = probe_udp(p, CLIENT1, IP_V4);
    struct message *m = allocate_message(p);
    bytes_of(m)[7] ^= 1;
    line_send_message(l, m);
    uint8_t buf[MESSAGE_MAX];
    long n = line_datagram(l, buf, sizeof buf, NULL, probe_soon(p));
    probe_require(p, n < 0, "an Allocate request without the magic cookie was answered, type %04x",
                  n >= 2 ? load16(buf) : 0u);
    expect_binding(p, l, "an Allocate request without the magic cookie");
}

/* The same request again over UDP is byte for byte the first one; a new one has an id that was not used before. */
static void transaction_ids(struct probe *p)
{
    enum { TRIES = 3 };
    uint8_t ids[TRIES][12];
    struct script s = {0};
    script_begin(&s, p, true);
    for (size_t i = 0; i < TRIES; i++) {
        struct heard first = script_request(&s, TURN_ALLOCATE), again = script_request(&s, TURN_ALLOCATE);
        probe_require(p, again.len == first.len && memcmp(again.data, first.data, first.len) == 0,
                      "a retransmission differs from its first request");
        memcpy(ids[i], first.stun.id.b + 4, sizeof *ids);
        for (size_t k = 0; k < i; k++)
            probe_require(p, memcmp(ids[k], ids[i], sizeof *ids) != 0, "transaction %zu has the id of transaction %zu",
                          i + 1, k + 1);
        script_challenge(&s, &first, i == 0 ? 401 : 438, i == 0 ? "nonce-1" : "nonce-2", NULL);
    }
}

static void odd_length(struct probe *p)
{
    struct line *l = probe_udp(p, CLIENT1, IP_V4);
    static const unsigned extra[] = {2, 6};
    for (size_t i = 0; i < 2; i++) {
        size_t *len;
        struct message *m = binding(p);
        uint8_t *b = message_bytes(m, &len);
        memset(b + *len, 0, extra[i]);
        *len += extra[i];
        store16(b + 2, extra[i]);
        expect_dropped(p, l, m, "a Binding request whose length is no multiple of 4");
    }
}

static void wrong_length(struct probe *p)
{
    struct line *l = probe_udp(p, CLIENT1, IP_V4);
    size_t *len;
    struct message *longer = binding(p), *shorter = binding(p);
    uint8_t *b = message_bytes(longer, &len);
    memset(b + *len, 0, 4);
    *len += 4;
    expect_dropped(p, l, longer, "a Binding request with 4 bytes behind its end");
    store16(bytes_of(shorter) + 2, 8);
    expect_dropped(p, l, shorter, "a Binding request that is shorter than its length says");
}

/* RFC 8489 6.1: 576 bytes with the IP and UDP headers, 28 of them. */
static void fits_mtu(struct probe *p)
{
    struct script s = {0};
    script_begin(&s, p, true);
    struct heard h = script_request(&s, TURN_ALLOCATE);
    probe_require(p, h.len <= 576 - 28, "the first request has %zu bytes", h.len);
    char nonce[128] = NONCE_ALGORITHMS;
    memset(nonce + strlen(nonce), 'n', sizeof nonce - 1 - strlen(nonce));
    script_challenge(&s, &h, 401, nonce, "00020000 00010000");
    h = script_request(&s, TURN_ALLOCATE);
    probe_require(p, h.len <= 576 - 28, "a request with credentials has %zu bytes", h.len);
}

/* ---- 14 ---- */

static void attribute_lengths(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    for (size_t n = 1; n <= 5; n++) {
        struct message *m = binding(p);
        message_put(m, UNKNOWN_OPTIONAL, "\1\2\3\4\5", n);
        message_put(m, ATTR_SOFTWARE, "probe", 5);
        struct heard h = ask_message(p, l, m);
        probe_require(p, h.code == 0, "a Binding request with an attribute of %zu bytes got %s", n, WORDS(&h));
        probe_require(p, h.stun.len % 4 == 0, "an answer has %zu bytes, no multiple of 4", h.stun.len);
    }
}

static void padding_value(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct challenge c = challenge_on(p, l, USER1);
    struct message *m = allocate_message(p);
    message_put(m, ATTR_SOFTWARE, "probe", 5);
    uint8_t *b = bytes_of(m);
    memset(b + STUN_HEADER + 8 + 4 + 5, 0xff, 3);
    credentials_put(m, &c, AS_5389);
    struct heard h = ask_message(p, l, m);
    probe_require(p, h.code == 0, "an Allocate with padding of ff got %s", WORDS(&h));
    struct heard bare = ask_message(p, l, binding(p));
    if (padding_zero(&h) && padding_zero(&bare))
        return;
    probe_require(p, !c.cookie, "the server's own padding is not zero");
    probe_defined(p, "the server's own padding is not zero, which RFC 5389 allows");
}

static void two_usernames(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct challenge c = challenge_on(p, l, USER1);
    struct message *m = allocate_message(p);
    message_put_text(m, ATTR_USERNAME, c.login->name);
    message_put_text(m, ATTR_USERNAME, "nobody-of-that-name");
    credentials_put(m, &c, AS_5389 & ~(unsigned)WITH_USER);
    struct heard h = ask_message(p, l, m);
    probe_require(p, h.code != 401, "of two USERNAME attributes the second counted");
    if (h.code)
        probe_defined(p, "an Allocate with two USERNAME attributes got %s", WORDS(&h));
}

static void past_the_end(struct probe *p)
{
    struct line *l = probe_udp(p, CLIENT1, IP_V4);
    struct message *m = binding(p);
    message_put_u32(m, UNKNOWN_OPTIONAL, 0);
    store16(bytes_of(m) + STUN_HEADER + 2, 0xfffc);
    line_send_message(l, m);
    struct heard h = line_hear(l, probe_soon(p));
    probe_require(p, h.kind == HEARD_NOTHING || h.code == 400,
                  "a Binding request with an attribute that runs past its end got %s", WORDS(&h));
    expect_binding(p, l, "an attribute that runs past the end");
}

/* An XOR-PEER-ADDRESS of IPv4, its first byte as given, and len bytes of it. */
static struct heard permission_with(struct allocation *a, uint8_t first, uint8_t family, size_t len)
{
    struct probe *p = a->p;
    struct ip_addr ip = probe_ip(p, PEER1, IP_V4);
    uint8_t value[20] = {first, family, 0x21, 0x12};
    store32(value + 4, ip_v4_value(&ip) ^ STUN_COOKIE);
    struct message *m = message_request(p, TURN_CREATE_PERMISSION);
    message_put(m, ATTR_XOR_PEER_ADDRESS, value, len);
    message_sign(m, a->login);
    return ask_message(p, a->control, m);
}

static void address_form(struct probe *p)
{
    struct allocation *a = allocate(p, PROTO_TCP, PROTO_TCP);
    struct heard h = permission_with(a, 0xff, 1, 8);
    probe_require(p, h.code == 0, "a CreatePermission whose address begins with ff got %s", WORDS(&h));
    h = permission_with(a, 0, 1, 20);
    probe_require(p, h.code > 0, "a CreatePermission with 16 bytes of address of family IPv4 was granted");
    h = permission_with(a, 0, 2, 8);
    probe_require(p, h.code > 0, "a CreatePermission with 4 bytes of address of family IPv6 was granted");
}

static void xor_mapped(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct endpoint local = line_local(l);
    struct heard h = ask_message(p, l, binding(p));
    struct stun_attr a;
    expect_code(p, &h, 0, "Binding");
    probe_require(p, stun_find(&h.stun, ATTR_XOR_MAPPED_ADDRESS, &a) && a.len == 8, "no XOR-MAPPED-ADDRESS of IPv4");
    uint32_t ip = ip_v4_value(&local.ip) ^ STUN_COOKIE;
    probe_require(p, a.value[1] == 1 && load16(a.value + 2) == (local.port ^ 0x2112),
                  "its port field is %04x for port %u",
                  load16(a.value + 2), local.port);
    probe_require(p, load32(a.value + 4) == ip, "its address field is %08x, not %08x", load32(a.value + 4), ip);
}

static void xor_mapped_ip6(struct probe *p)
{
    struct endpoint server = probe_server(p, PROTO_TCP, IP_V6);
    struct line *l = probe_dial_to(p, CLIENT1, &server);
    struct endpoint local = line_local(l);
    struct heard h = ask_message(p, l, binding(p));
    struct stun_attr a;
    expect_code(p, &h, 0, "Binding");
    probe_require(p, stun_find(&h.stun, ATTR_XOR_MAPPED_ADDRESS, &a) && a.len == 20, "no XOR-MAPPED-ADDRESS of IPv6");
    for (size_t i = 0; i < 16; i++)
        probe_require(p, (a.value[4 + i] ^ h.stun.bytes[4 + i]) == local.ip.b[i],
                      "byte %zu of its address is not XORed with cookie and transaction id", i);
}

static void xor_mapped_both(struct probe *p)
{
    xor_mapped(p);
    if (probe_server(p, PROTO_TCP, IP_V6).port)
        xor_mapped_ip6(p);
}

static void long_username(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct challenge c = challenge_on(p, l, USER_UNKNOWN);
    char name[USERNAME_8489 + 1];
    memset(name, 'u', sizeof name);
    name[c.cookie ? USERNAME_8489 : USERNAME_5389] = '\0';
    c.login->name = name;
    struct heard h = ask_with(&c, l, AS_5389);
    probe_require(p, h.code == 401, "a USERNAME of %zu bytes got %s", strlen(name), WORDS(&h));
}

static void userhash_length(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct challenge c = challenge_8489(p, l, USER1);
    if (!(c.features & (FEATURE_HASH | FEATURE_HASH_LOW)))
        probe_skip(p, "the server does not take USERHASH");
    static const uint8_t zeros[33];
    for (size_t len = 31; len <= 33; len += 2) {
        struct message *m = allocate_message(p);
        message_put(m, ATTR_USERHASH, zeros, len);
        credentials_put(m, &c, AS_8489 & ~(unsigned)WITH_USER);
        struct heard h = ask_message(p, l, m);
        probe_require(p, h.code == 400 || h.code == 401, "a USERHASH of %zu bytes got %s", len, WORDS(&h));
        if (h.code == 401)
            probe_defined(p, "a USERHASH of %zu bytes is answered 401, as an unknown user", len);
    }
}

static void mac_then_fingerprint(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct challenge c = challenge_on(p, l, USER1);
    struct message *m = allocate_message(p);
    credentials_put(m, &c, AS_5389);
    message_fingerprint(m);
    struct heard h = ask_message(p, l, m);
    probe_require(p, h.code == 0, "an Allocate with FINGERPRINT behind MESSAGE-INTEGRITY got %s", WORDS(&h));
    if (!c.sha256)
        return;
    l = probe_dial(p, CLIENT1);
    c = challenge_8489(p, l, USER1);
    m = allocate_message(p);
    credentials_put(m, &c, AS_8489 | WITH_SHA1);
    message_fingerprint(m);
    h = ask_message(p, l, m);
    probe_require(p, h.code == 0, "an Allocate with both kinds of MESSAGE-INTEGRITY and FINGERPRINT got %s", WORDS(&h));
}

static void mac_lengths(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct challenge c = challenge_8489(p, l, USER1);
    static const unsigned lengths[] = {12, 16, 20, 28};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t *len;
        struct message *m = allocate_message(p);
        credentials_put(m, &c, AS_8489 & ~(unsigned)WITH_SHA256);
        /* The MAC is made over a header that counts the whole attribute as it will be. */
        uint8_t *b = message_bytes(m, &len);
        size_t at = *len;
        mac_put(m, &c, WITH_SHA256);
        b = message_bytes(m, &len);
        store16(b + at + 2, lengths[i]);
        *len = at + 4 + lengths[i];
        store16(b + 2, (unsigned)(*len - STUN_HEADER));
        line_send_message(l, m);
        struct heard h = line_answer(l, m, probe_soon(p));
        probe_require(p, h.kind != HEARD_STUN || h.code > 0, "a MESSAGE-INTEGRITY-SHA256 of %u bytes was taken",
                      lengths[i]);
    }
    struct heard h = ask_with(&c, l, AS_8489);
    probe_require(p, h.code == 0, "a MESSAGE-INTEGRITY-SHA256 of 32 bytes got %s", WORDS(&h));
}

static bool fingerprint_last(const struct heard *h)
{
    return !h->stun.fingerprint_at || h->stun.fingerprint_at + 8 == h->stun.len;
}

static void fingerprint_place(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct message *m = binding(p);
    message_fingerprint(m);
    struct heard h = ask_message(p, l, m);
    probe_require(p, fingerprint_last(&h), "the answer has FINGERPRINT, and something behind it");
    struct challenge c = challenge_on(p, l, USER1);
    m = allocate_message(p);
    credentials_put(m, &c, AS_5389 & ~(unsigned)WITH_SHA1);
    message_fingerprint(m);
    mac_put(m, &c, WITH_SHA1);
    line_send_message(l, m);
    h = line_answer(l, m, probe_soon(p));
    if (h.kind == HEARD_STUN && h.code == 0)
        probe_defined(p, "an Allocate whose MESSAGE-INTEGRITY stands behind FINGERPRINT is granted");
}

static void fingerprint_anywhere(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    expect_binding(p, l, "nothing");
    struct message *m = binding(p);
    message_fingerprint(m);
    struct heard h = ask_message(p, l, m);
    probe_require(p, h.code == 0, "a Binding request with FINGERPRINT got %s", WORDS(&h));
}

/* The client takes a challenge whose ERROR-CODE has all reserved bits set. */
static void reserved_bits(struct probe *p)
{
    static const uint8_t code_401[] = {0xff, 0xff, 0xf8 | 4, 1, 'U', 'n', 'a', 'u', 't', 'h', 'e', 'n', 't', 'i', 'c'};
    struct script s = {0};
    script_begin(&s, p, false);
    struct heard h = script_request(&s, TURN_ALLOCATE);
    struct message *m = message_new(p, STUN_ERROR, TURN_ALLOCATE);
    message_set_id(m, &h.stun.id);
    message_put(m, ATTR_ERROR_CODE, code_401, sizeof code_401);
    message_put_text(m, ATTR_REALM, SCRIPT_REALM);
    message_put_text(m, ATTR_NONCE, "nonce");
    script_send(&s, m);
    h = script_request(&s, TURN_ALLOCATE);
    probe_require(p, heard_has(&h, ATTR_USERNAME), "the client asked again without credentials");
}

static bool utf8(const uint8_t *s, size_t len, size_t *chars)
{
    *chars = 0;
    for (size_t i = 0; i < len; ++*chars) {
        unsigned more = s[i] < 0x80 ? 0 : s[i] >> 5 == 6 ? 1 : s[i] >> 4 == 14 ? 2 : s[i] >> 3 == 30 ? 3 : 9;
        for (i++; more; more--, i++)
            if (more == 9 || i == len || s[i] >> 6 != 2)
                return false;
    }
    return true;
}

static void check_text(struct probe *p, const struct heard *h, enum stun_attr_type type, size_t skip, const char *name)
{
    struct stun_attr a;
    size_t chars;
    if (!stun_find(&h->stun, type, &a) || a.len < skip)
        return;
    probe_require(p, utf8(a.value + skip, a.len - skip, &chars), "%s of %s is not UTF-8", name, WORDS(h));
    probe_require(p, chars < 128, "%s of %s has %zu characters", name, WORDS(h), chars);
}

static void reason_length(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct challenge c = challenge_on(p, l, USER1);
    struct message *m = binding(p);
    message_put_u32(m, 0x7abc, 0);
    struct heard h[3] = {ask_message(p, l, allocate_message(p)), ask_message(p, l, m)};
    m = message_request(p, TURN_REFRESH); /* without an allocation */
    credentials_put(m, &c, AS_5389);
    h[2] = ask_message(p, l, m);
    for (size_t i = 0; i < 3; i++) {
        probe_require(p, h[i].code > 0, "an error was expected, and %s came", WORDS(&h[i]));
        check_text(p, &h[i], ATTR_ERROR_CODE, 4, "the reason phrase");
    }
}

static void quotes(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct challenge c = challenge_on(p, l, USER1);
    struct heard h = ask_message(p, l, allocate_message(p));
    check_text(p, &h, ATTR_REALM, 0, "REALM");
    check_text(p, &h, ATTR_NONCE, 0, "NONCE");
    probe_require(p, c.login->realm[0] != '"' && c.login->nonce[0] != '"', "REALM or NONCE stands in quotes");
}

static void unknown_list(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct message *m = binding(p);
    struct stun_attr a;
    message_put_u32(m, 0x7abc, 0);
    struct heard h = ask_message(p, l, m);
    expect_code(p, &h, 420, "Binding with attribute 7abc");
    probe_require(p, stun_find(&h.stun, ATTR_UNKNOWN_ATTRIBUTES, &a), "420 has no UNKNOWN-ATTRIBUTES");
    probe_require(p, a.len == 2 && load16(a.value) == 0x7abc, "UNKNOWN-ATTRIBUTES has %u bytes for one attribute",
                  a.len);
}

static void software_length(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct heard h = ask_message(p, l, binding(p));
    if (!heard_has(&h, ATTR_SOFTWARE))
        probe_skip(p, "the server sends no SOFTWARE");
    check_text(p, &h, ATTR_SOFTWARE, 0, "SOFTWARE");
}

/* ---- rows ---- */

enum { BOTH = WHO_SERVER | WHO_CLIENT };

static const struct requirement rows[] = {
    {"8489-5-1", "5", LEVEL_MUST, BOTH,
     "The two top bits of the message type are 0; anything else is not STUN and is dropped.",
     .probe = top_bits, .needs = NEED_UDP_CLIENT},
    {"8489-5-2", "5", LEVEL_MUST, BOTH,
     "Bytes 4 to 7 are the magic cookie 2112A442; an Allocate request with another value is dropped.",
     .probe = other_cookie, .needs = NEED_UDP_CLIENT},
    {"8489-5-3", "5", LEVEL_MUST, WHO_CLIENT,
     "Each transaction has a new random id of 96 bits; a retransmission is the same message byte for byte.",
     .probe = transaction_ids, .needs = NEED_CLIENT | NEED_UDP_CLIENT},
    {"8489-5-4", "5", LEVEL_STATED, BOTH,
     "The length does not count the header and is a multiple of 4; a message with another length is dropped.",
     .probe = odd_length, .needs = NEED_UDP_CLIENT},
    {"8489-5-5", "5", LEVEL_STATED, WHO_SERVER,
     "A datagram that is longer or shorter than its length field says is dropped.",
     .probe = wrong_length, .needs = NEED_UDP_CLIENT},
    {"8489-5-6", "5", LEVEL_MUST, WHO_CLIENT,
     "A message over UDP fits the path MTU; while that is unknown, into 576 bytes of IPv4 or 1280 of IPv6.",
     .probe = fits_mtu, .needs = NEED_CLIENT | NEED_UDP_CLIENT},
    {"8489-14-1", "14", LEVEL_MUST, BOTH,
     "An attribute is a type, the length of its value without padding, and the value padded to a multiple of 4.",
     .probe = attribute_lengths},
    {"8489-14-2", "14", LEVEL_MUST, BOTH,
     "Padding is ignored when received, and zero when sent; RFC 5389 allowed any value, so a server without the nonce "
     "cookie may send others.",
     .probe = padding_value},
    {"8489-14-3", "14", LEVEL_MAY, BOTH,
     "Of an attribute that comes twice the first counts; the second may be ignored.",
     .probe = two_usernames},
    {"8489-14-4", "14", LEVEL_STATED, WHO_SERVER,
     "A message with an attribute that runs past its end is malformed: dropped, or answered 400.",
     .probe = past_the_end, .needs = NEED_UDP_CLIENT},
    {"8489-14.1-1", "14.1", LEVEL_MUST, BOTH,
     "An address attribute has family 1 with 4 bytes of address or family 2 with 16; its first byte is ignored.",
     .probe = address_form},
    {"8489-14.2-1", "14.2", LEVEL_STATED, BOTH,
     "XOR-MAPPED-ADDRESS has the port XORed with 2112, an IPv4 address with the cookie, an IPv6 address with cookie "
     "and transaction id.",
     .probe = xor_mapped_both},
    {"8489-14.3-1", "14.3", LEVEL_MUST, WHO_CLIENT,
     "A USERNAME is UTF-8 of less than 509 bytes (less than 513 in RFC 5389).", .probe = NULL},
    {"8489-14.3-2", "14.3", LEVEL_MUST, WHO_SERVER,
     "A server takes a USERNAME of up to 763 bytes (RFC 5389: 512) and treats it as any other, here as an unknown "
     "user.",
     .probe = long_username},
    {"8489-14.4-1", "14.4", LEVEL_STATED, BOTH,
     "USERHASH has exactly 32 bytes; a request with another length is refused.",
     .probe = userhash_length},
    {"8489-14.5-1", "14.5", LEVEL_STATED, BOTH,
     "MESSAGE-INTEGRITY is made over a header whose length ends with it, whatever follows.",
     .probe = mac_then_fingerprint},
    {"8489-14.6-1", "14.6", LEVEL_MUST, BOTH,
     "MESSAGE-INTEGRITY-SHA256 has 32 bytes; a shorter one is not taken, as TURN does not allow truncation.",
     .probe = mac_lengths},
    {"8489-14.7-1", "14.7", LEVEL_MUST, BOTH, "FINGERPRINT is the last attribute of a message.",
     .probe = fingerprint_place},
    {"8489-14.7-2", "14.7", LEVEL_MAY, BOTH, "FINGERPRINT may be in any message, or not be there.",
     .probe = fingerprint_anywhere},
    {"8489-14.8-1", "14.8", LEVEL_MUST, BOTH,
     "ERROR-CODE has a class of 3 to 6, a number of 0 to 99, and 21 reserved bits, which are ignored.",
     .probe = reserved_bits, .needs = NEED_CLIENT},
    {"8489-14.8-2", "14.8", LEVEL_MUST, WHO_SERVER, "The reason phrase is UTF-8 of less than 128 characters.",
     .probe = reason_length},
    {"8489-14.9-1", "14.9", LEVEL_MUST, WHO_SERVER,
     "REALM and NONCE have less than 128 characters and no quotes around them.",
     .probe = quotes},
    {"8489-14.13-1", "14.13", LEVEL_STATED, WHO_SERVER,
     "UNKNOWN-ATTRIBUTES is a list of 16-bit types with ordinary padding: 2 bytes for one attribute.",
     .probe = unknown_list},
    {"8489-14.14-1", "14.14", LEVEL_MUST, BOTH, "SOFTWARE is UTF-8 of less than 128 characters.",
     .probe = software_length},
};

const struct section rfc8489_format = SECTION(rows);
