/* SPDX-License-Identifier: GPL-2.0-or-later */
/* [MS-ICE2]: checks between agents, in frames of RFC 4571 over TCP. The probe is one agent, written here from the
 * bytes; the judged one is controlling. */
#include <string.h>

#include "conformance/bench/agent.h"
#include "conformance/microsoft/sections.h"
#include "conformance/probe.h"
#include "models/base/bytes.h"
#include "models/base/hash.h"

enum { HEADER = 20, MAC_LEN = 20, MAC_BLOCK = 64, FINGERPRINT_LEN = 8, LONGEST = 512, PATIENCE_S = 2 };
enum { REQUEST = 0x0001, SUCCESS = 0x0101 };

struct check {
    uint8_t b[LONGEST];
    size_t len;
};

/* ---- messages ---- */

static void put(struct check *c, unsigned type, const void *value, size_t len)
{
    size_t padded = (len + 3) & ~(size_t)3;
    store16(c->b + c->len, type);
    store16(c->b + c->len + 2, (unsigned)padded); /* padding is counted in this dialect */
    memset(c->b + c->len + 4, 0, padded);
    if (len)
        memcpy(c->b + c->len + 4, value, len);
    c->len += 4 + padded;
}

static void begin(struct check *c, unsigned type, const uint8_t id[12])
{
    store16(c->b, type);
    store32(c->b + 4, STUN_COOKIE);
    memcpy(c->b + 8, id, 12);
    c->len = HEADER;
}

/* CRC-32 with the table's entry 0x5A as given: 0x8bbeb8ea is right, 0x08bbe8ea Microsoft's ([MS-ICE2] 3.1.4.8.2). */
static uint32_t crc(const uint8_t *p, size_t len, uint32_t entry_5a)
{
    uint32_t sum = UINT32_MAX;
    for (size_t i = 0; i < len; i++) {
        uint8_t at = (uint8_t)(sum ^ p[i]);
        uint32_t entry = at;
        for (unsigned bit = 0; bit < 8; bit++)
            entry = entry & 1 ? entry >> 1 ^ UINT32_C(0xedb88320) : entry >> 1;
        sum = sum >> 8 ^ (at == 0x5a ? entry_5a : entry);
    }
    return ~sum;
}
#define RIGHT_5A UINT32_C(0x8bbeb8ea)
#define LEGACY_5A UINT32_C(0x08bbe8ea)

static uint32_t fingerprint(const uint8_t *message, size_t at, uint32_t entry_5a)
{
    return crc(message, at, entry_5a) ^ UINT32_C(0x5354554e);
}

/* The length is the final one, FINGERPRINT counted; the text is filled up to a multiple of 64. */
static void make_mac(const uint8_t *message, size_t at, const char *password, uint8_t out[MAC_LEN])
{
    static const uint8_t zeros[MAC_BLOCK];
    uint8_t head[4];
    memcpy(head, message, 2);
    store16(head + 2, (unsigned)(at + 4 + MAC_LEN + FINGERPRINT_LEN - HEADER));
    const struct piece piece[] = {{head, 4}, {message + 4, at - 4}, {zeros, (MAC_BLOCK - at % MAC_BLOCK) % MAC_BLOCK}};
    hmac_sha1(password, strlen(password), piece, 3, out);
}

static void finish(struct check *c, const char *password, uint32_t entry_5a)
{
    uint8_t mac[MAC_LEN], sum[4];
    make_mac(c->b, c->len, password, mac);
    put(c, ATTR_MESSAGE_INTEGRITY, mac, sizeof mac);
    store16(c->b + 2, (unsigned)(c->len + FINGERPRINT_LEN - HEADER));
    store32(sum, fingerprint(c->b, c->len, entry_5a));
    put(c, ATTR_FINGERPRINT, sum, sizeof sum);
}

/* A check of ours, the n-th, with a FINGERPRINT of that kind. */
static void request(struct check *c, uint8_t n, uint32_t entry_5a)
{
    static const uint8_t priority[4] = {0x6e, 0xff, 0xff, 0xff}, tie[8] = {1}, version[4] = {0, 0, 0, 2};
    uint8_t id[12] = {n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    static const char user[] = AGENT_UFRAG ":" OTHER_UFRAG;
    begin(c, REQUEST, id);
    put(c, ATTR_PRIORITY, priority, sizeof priority);
    put(c, ATTR_ICE_CONTROLLED, tie, sizeof tie);
    put(c, ATTR_USERNAME, user, sizeof user - 1);
    put(c, ATTR_MS_CANDIDATE_IDENTIFIER, "probe", 5);
    put(c, ATTR_MS_IMPLEMENTATION_VERSION, version, sizeof version);
    finish(c, AGENT_PASSWORD, entry_5a);
}

static bool find(const struct check *c, unsigned type, const uint8_t **value, size_t *len)
{
    for (size_t at = HEADER; at + 4 <= c->len; at += 4 + ((load16(c->b + at + 2) + 3u) & ~3u)) {
        *value = c->b + at + 4;
        *len = load16(c->b + at + 2);
        if (load16(c->b + at) == type && at + 4 + *len <= c->len)
            return true;
    }
    return false;
}

/* ---- an exchange ---- */

static void say(struct line *l, const struct check *c)
{
    uint8_t frame[2 + LONGEST];
    store16(frame, (unsigned)c->len);
    memcpy(frame + 2, c->b, c->len);
    line_send(l, frame, 2 + c->len);
}

static bool hear(struct probe *p, struct line *l, struct check *c, uint64_t ns)
{
    uint8_t head[2];
    if (!line_read_all(l, head, sizeof head, ns))
        return false;
    c->len = load16(head);
    probe_require(p, c->len >= HEADER && c->len <= sizeof c->b && line_read_all(l, c->b, c->len, probe_soon(p)),
                  "a frame of RFC 4571 with %zu bytes did not come whole", c->len);
    probe_require(p, load32(c->b + 4) == STUN_COOKIE && load16(c->b + 2) == c->len - HEADER,
                  "a frame is not one STUN message");
    return true;
}

/* The next message of that type; others are passed over. */
static struct check hear_type(struct probe *p, struct line *l, unsigned type)
{
    struct check c = {.len = 0};
    while (hear(p, l, &c, PATIENCE_S * NS_S))
        if (load16(c.b) == type)
            return c;
    probe_fail(p, "no message of type %04x came", type);
}

static void accept_check(struct line *l, const struct check *theirs)
{
    static const uint8_t version[4] = {0, 0, 0, 2};
    struct endpoint from = line_remote(l);
    uint8_t mapped[8] = {0, IP_V4};
    struct check c = {.len = 0};
    begin(&c, SUCCESS, theirs->b + 8);
    store16(mapped + 2, from.port ^ 0x2112u);
    store32(mapped + 4, ip_v4_value(&from.ip) ^ STUN_COOKIE);
    put(&c, ATTR_XOR_MAPPED_ADDRESS, mapped, sizeof mapped);
    put(&c, ATTR_MS_IMPLEMENTATION_VERSION, version, sizeof version);
    finish(&c, OTHER_PASSWORD, RIGHT_5A);
    say(l, &c);
}

/* Connected; our check is answered with `answer`, and theirs has come. */
struct exchange {
    struct line *line;
    struct check answer, theirs;
};

static struct exchange exchange(struct probe *p)
{
    struct exchange x = {.line = probe_dial(p, CLIENT1)};
    struct check c, heard;
    request(&c, 1, RIGHT_5A);
    say(x.line, &c);
    while (!x.answer.len || !x.theirs.len) {
        probe_require(p, hear(p, x.line, &heard, PATIENCE_S * NS_S),
                      x.answer.len ? "the agent makes no check of its own"
                                                                                  : "a check is not answered");
        if (load16(heard.b) == REQUEST)
            x.theirs = heard;
        else if (memcmp(heard.b + 4, c.b + 4, 16) == 0)
            x.answer = heard;
    }
    probe_require(p, load16(x.answer.b) == SUCCESS, "a check is answered with type %04x", load16(x.answer.b));
    return x;
}

/* ---- probes ---- */

static void framed(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct check c;
    uint8_t head[2];
    request(&c, 1, RIGHT_5A);
    store16(head, (unsigned)c.len);
    line_send(l, head, 2);
    for (size_t i = 0; i < c.len; i++) {
        probe_wait(p, 2 * NS_MS);
        line_send(l, c.b + i, 1);
    }
    hear_type(p, l, SUCCESS);
}

static void candidate_identifier(struct probe *p)
{
    struct exchange x = exchange(p);
    const uint8_t *v;
    size_t len;
    probe_require(p, !find(&x.answer, ATTR_MS_CANDIDATE_IDENTIFIER, &v, &len), "a response has CANDIDATE-IDENTIFIER");
    probe_require(p, find(&x.theirs, ATTR_MS_CANDIDATE_IDENTIFIER, &v, &len), "a check has no CANDIDATE-IDENTIFIER");
    probe_require(p, len % 4 == 0 && v[len - 1] == 0, "its length %zu does not count its padding", len);
}

static void version(struct probe *p)
{
    struct exchange x = exchange(p);
    const struct check *both[] = {&x.answer, &x.theirs};
    const uint8_t *v;
    size_t len;
    for (size_t i = 0; i < 2; i++)
        probe_require(p, find(both[i], ATTR_MS_IMPLEMENTATION_VERSION, &v, &len) && len == 4,
                      "a Binding %s has no IMPLEMENTATION-VERSION of 4 bytes", i ? "request" : "response");
}

static void priority_and_role(struct probe *p)
{
    struct exchange x = exchange(p);
    const uint8_t *v;
    size_t len;
    probe_require(p, find(&x.theirs, ATTR_PRIORITY, &v, &len) && len == 4, "a check has no PRIORITY");
    probe_require(p, find(&x.theirs, ATTR_ICE_CONTROLLING, &v, &len) && len == 8,
                  "a check of the controlling agent has no ICE-CONTROLLING");
    probe_require(p, !find(&x.theirs, ATTR_ICE_CONTROLLED, &v, &len), "it has both roles");
}

static void mapped(struct probe *p)
{
    struct exchange x = exchange(p);
    struct endpoint local = line_local(x.line);
    const uint8_t *v;
    size_t len;
    probe_require(p, find(&x.answer, ATTR_XOR_MAPPED_ADDRESS, &v, &len) && len == 8, "a response has no 0020");
    probe_require(p, load16(v + 2) == (local.port ^ 0x2112) && load32(v + 4) == (ip_v4_value(&local.ip) ^ STUN_COOKIE),
                  "its XOR-MAPPED-ADDRESS is not the other agent's address");
    probe_require(p, !find(&x.answer, ATTR_MS_XOR_MAPPED_ADDRESS, &v, &len), "a response has the 8020 of MS-TURN");
}

/* A check whose two kinds of FINGERPRINT differ, with neither, with Microsoft's old one, and the agent's own. */
static void fingerprints(struct probe *p)
{
    struct exchange x = exchange(p);
    struct check legacy, right, wrong, heard;
    uint8_t n = 2;
    do {
        request(&legacy, n, LEGACY_5A);
        request(&right, n++, RIGHT_5A);
    } while (memcmp(legacy.b, right.b, right.len) == 0);
    const uint32_t said = load32(x.theirs.b + x.theirs.len - 4);
    probe_require(p, said == fingerprint(x.theirs.b, x.theirs.len - FINGERPRINT_LEN, RIGHT_5A),
                  "after IMPLEMENTATION-VERSION was shown the agent's FINGERPRINT is not the standard one");
    wrong = right;
    wrong.b[wrong.len - 1] ^= 1;
    say(x.line, &wrong);
    while (hear(p, x.line, &heard, PATIENCE_S * NS_S))
        probe_require(p, memcmp(heard.b + 4, wrong.b + 4, 16) != 0, "a check with a wrong FINGERPRINT was answered");
    say(x.line, &legacy);
    heard = hear_type(p, x.line, SUCCESS);
    probe_require(p, memcmp(heard.b + 4, legacy.b + 4, 16) == 0, "another check was answered");
}

static void mac_to_the_end(struct probe *p)
{
    struct exchange x = exchange(p);
    const struct check *both[] = {&x.answer, &x.theirs};
    const char *const password[] = {AGENT_PASSWORD, OTHER_PASSWORD};
    uint8_t mac[MAC_LEN];
    const uint8_t *v;
    size_t len;
    for (size_t i = 0; i < 2; i++) {
        probe_require(p, find(both[i], ATTR_MESSAGE_INTEGRITY, &v, &len) && len == MAC_LEN,
                      "a message has no MESSAGE-INTEGRITY");
        make_mac(both[i]->b, (size_t)(v - both[i]->b) - 4, password[i], mac);
        probe_require(p, memcmp(mac, v, MAC_LEN) == 0,
                      "the MESSAGE-INTEGRITY of a %s is not made with the final length and zeros to 64 bytes",
                      i ? "check" : "response");
    }
}

static void user_name(struct probe *p)
{
    static const char user[] = OTHER_UFRAG ":" AGENT_UFRAG;
    struct exchange x = exchange(p);
    const uint8_t *v;
    size_t len;
    probe_require(p, find(&x.theirs, ATTR_USERNAME, &v, &len) && len >= sizeof user - 1 &&
                  memcmp(v, user, sizeof user - 1) == 0,
                  "a check's USERNAME is not the receiver's fragment, then the sender's");
    probe_defined(p, len % 4 ? "USERNAME has no padding in its length" : "USERNAME's length counts its padding");
}

static void regular_nomination(struct probe *p)
{
    struct exchange x = exchange(p);
    const uint8_t *v;
    size_t len;
    if (find(&x.theirs, ATTR_USE_CANDIDATE, &v, &len))
        probe_defined(p, "the first check already nominates");
    accept_check(x.line, &x.theirs);
    for (unsigned i = 0; i < 5; i++) {
        struct check c = hear_type(p, x.line, REQUEST);
        if (find(&c, ATTR_USE_CANDIDATE, &v, &len))
            probe_defined(p, "a pair is nominated by a check of its own, when it has been checked");
        accept_check(x.line, &c);
    }
    probe_fail(p, "a pair that was checked both ways is never nominated");
}

/* ---- rows ---- */

#define NOT_HERE "a decision of the agent over time and candidates; the bench gives it one passive candidate"
#define IN_SDP "it is said in SDP, which a bench does not carry"
enum { AGENTS = WHO_CLIENT | WHO_PEER };

static const struct requirement rows[] = {
    {"MSI-1", "2.2", LEVEL_STATED, AGENTS,
     "Connectivity checks are Binding requests; both the older form of STUN and that of RFC 5389 are understood.",
     .probe = NULL},
    {"MSI-2", "2.2", LEVEL_STATED, AGENTS,
     "Over TCP each check and each RTP or RTCP packet has its length in 2 bytes before it (RFC 4571).",
     .probe = framed, .setup = SETUP_ICE},
    {"MSI-3", "2.2", LEVEL_STATED, AGENTS,
     "CANDIDATE-IDENTIFIER 8054 is in Binding requests only, and its length counts its padding.",
     .probe = candidate_identifier, .setup = SETUP_ICE},
    {"MSI-4", "2.2", LEVEL_STATED, AGENTS,
     "IMPLEMENTATION-VERSION 8070, 4 bytes, is in all Binding requests and responses.", .probe = version,
     .setup = SETUP_ICE},
    {"MSI-5", "2.2", LEVEL_STATED, AGENTS,
     "A check has PRIORITY, and ICE-CONTROLLED or ICE-CONTROLLING, as in RFC 5245.", .probe = priority_and_role,
     .setup = SETUP_ICE},
    {"MSI-6", "2.2", LEVEL_STATED, AGENTS,
     "A Binding response has XOR-MAPPED-ADDRESS 0020, not the 8020 of MS-TURN.", .probe = mapped,
     .setup = SETUP_ICE},
    {"MSI-7", "3.1.4.8.2", LEVEL_STATED, AGENTS,
     "A FINGERPRINT made with one wrong entry in the CRC table is as good as a right one; who was shown "
     "IMPLEMENTATION-VERSION sends right ones.",
     .probe = fingerprints, .setup = SETUP_ICE},
    {"MSI-8", "3.1.4.8.2", LEVEL_MAY, WHO_CLIENT,
     "Until then a client may send each check twice, with either FINGERPRINT.",
     .none = "it is a permission: a check that is sent once is as right as one that is sent twice"},
    {"MSI-9", "2.2", LEVEL_STATED, AGENTS,
     "MESSAGE-INTEGRITY is made over the message with its final length, padded with zeros to a multiple of 64 bytes.",
     .probe = mac_to_the_end, .setup = SETUP_ICE},
    {"MSI-10", "2.2", LEVEL_OPEN, WHO_CLIENT,
     "USERNAME is the two fragments with a colon, in some versions padded with NULs to a multiple of 4.",
     .probe = user_name, .setup = SETUP_ICE},
    {"MSI-11", "3.1", LEVEL_OPEN, WHO_CLIENT, "The controlling side nominates a pair when it has checked it.",
     .probe = regular_nomination, .setup = SETUP_ICE},
    {"MSI-12", "3.1", LEVEL_OPEN, WHO_CLIENT, "There is no ICE-lite.", .none = IN_SDP},
    {"MSI-13", "3.1", LEVEL_OPEN, WHO_CLIENT, "After nomination a second offer fixes the pair.", .none = IN_SDP},
    {"MSI-14", "3.1", LEVEL_OPEN, WHO_CLIENT, "A pair without traffic ends after 20 to 30 s.",
     .none = "known from memory only; after nomination a connection's end is the application's matter"},
    {"MSI-15", "3.1", LEVEL_STATED, WHO_CLIENT,
     "Over TCP an active candidate is paired with a passive one, and the active side opens the connection.",
     .none = NOT_HERE},
    {"MSI-16", "3.1", LEVEL_STATED, WHO_CLIENT,
     "With TURN over TCP a client offers an active and a passive relay candidate of one address.", .none = IN_SDP},
};

const struct section microsoft_ice = SECTION(rows);
