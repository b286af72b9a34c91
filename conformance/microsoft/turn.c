/* SPDX-License-Identifier: GPL-2.0-or-later */
/* [MS-TURN]: messages, allocations, permissions (MST-1 to 17). */
#include <stdio.h>
#include <string.h>

#include "conformance/microsoft/sections.h"
#include "conformance/microsoft/talk.h"
#include "models/base/bytes.h"

enum { UNKNOWN_REQUIRED = 0x7abc, PATIENCE_S = 2 };

static bool find_u32(const struct ms_bytes *m, unsigned type, uint32_t *out)
{
    const uint8_t *v;
    size_t len;
    if (!ms_find(m, type, &v, &len) || len != 4)
        return false;
    *out = load32(v);
    return true;
}

/* Allocate once more on the same connection: lifetime_s negative for none. */
static struct ms_bytes allocate_again(struct ms_talk *t, int lifetime_s)
{
    struct ms_bytes m;
    uint8_t lifetime[4];
    ms_begin(t, &m, MS_ALLOCATE);
    store32(lifetime, (uint32_t)lifetime_s);
    if (lifetime_s >= 0)
        ms_put(&m, ATTR_LIFETIME, lifetime, sizeof lifetime);
    ms_sign(t, &m, true);
    return ms_ask(t, &m);
}

static bool relay_takes(struct ms_talk *t)
{
    struct line *l = probe_dial_to(t->p, PEER1, &t->relayed);
    return line_state_now(l) == LINE_OPEN;
}

static void header(struct probe *p)
{
    struct ms_talk t;
    struct ms_bytes m;
    ms_dial(&t, p);
    ms_begin(&t, &m, MS_ALLOCATE);
    struct ms_bytes a = ms_ask(&t, &m); /* an answer with its 16 bytes, which are not the cookie of RFC 5389 */
    probe_require(p, load16(a.b + 2) == a.len - MS_HEADER, "the length field is %u in a message of %zu bytes",
                  load16(a.b + 2), a.len);
}

static void types(struct probe *p)
{
    struct ms_talk t;
    struct endpoint at, nobody = {probe_ip(p, PEER1, IP_V4), 9};
    ms_allocate(&t, p); /* 0003, 0113, 0103 */
    struct line *peer = ms_peer(&t, &at);
    struct ms_unit_heard h = ms_hear(&t, PATIENCE_S * NS_S);
    probe_require(p, !h.unit, "a Send request was answered with type %04x", ms_type(&h.content));
    line_send(peer, "\0\2hi", 4);
    h = ms_hear(&t, PATIENCE_S * NS_S);
    probe_require(p, h.unit == MS_CONTROL && ms_type(&h.content) == MS_DATA,
                  "what a peer sends comes as type %04x, not as a Data indication 0115", ms_type(&h.content));
    struct ms_bytes a = ms_ask_active(&t, &nobody);
    probe_require(p, ms_type(&a) == MS_ACTIVE_ERROR || ms_type(&a) == MS_ACTIVE,
                  "Set Active Destination got type %04x", ms_type(&a));
    a = ms_ask_active(&t, &at);
    probe_require(p, ms_type(&a) == MS_ACTIVE, "Set Active Destination got type %04x, not 0106", ms_type(&a));
}

static void cookie_first(struct probe *p)
{
    struct ms_talk t;
    struct ms_bytes m;
    ms_dial(&t, p);
    ms_begin(&t, &m, MS_ALLOCATE);
    struct ms_bytes a = ms_ask(&t, &m);
    probe_require(p, load32(a.b + 20) == UINT32_C(0x000f0004) && load32(a.b + 24) == UINT32_C(0x72c64bc6),
                  "the server's first attribute is not the magic cookie");
    ms_begin(&t, &m, MS_ALLOCATE);
    m.len = MS_HEADER;
    store16(m.b + 2, 0);
    ms_say(&t, MS_CONTROL, &m);
    struct ms_unit_heard h = ms_hear(&t, PATIENCE_S * NS_S);
    probe_require(p, !h.unit, "a message without the cookie attribute was answered with type %04x",
                  ms_type(&h.content));
    if (line_state_now(t.line) == LINE_OPEN)
        probe_defined(p, "a message without the cookie attribute is dropped, and the connection stays");
}

static void allocate_refreshes(struct probe *p)
{
    struct ms_talk t;
    uint32_t lifetime = 1;
    struct endpoint before;
    ms_allocate(&t, p);
    before = t.relayed;
    struct ms_bytes a = allocate_again(&t, -1);
    probe_require(p, ms_type(&a) == MS_ALLOCATED, "a second Allocate got type %04x, code %d", ms_type(&a), ms_code(&a));
    probe_require(p, ms_address(&a, ATTR_MAPPED_ADDRESS, false, &t.relayed) && endpoint_equal(&before, &t.relayed),
                  "a second Allocate got another relayed address");
    probe_require(p, relay_takes(&t), "the relayed address takes no connections");
    a = allocate_again(&t, 0);
    probe_require(p, ms_type(&a) == MS_ALLOCATED && find_u32(&a, ATTR_LIFETIME, &lifetime) && lifetime == 0,
                  "an Allocate with LIFETIME 0 got type %04x, lifetime %u", ms_type(&a), lifetime);
    probe_require(p, !relay_takes(&t), "after LIFETIME 0 the relayed address still takes connections");
}

static void permission_by_send(struct probe *p)
{
    struct ms_talk t;
    ms_allocate(&t, p);
    struct line *early = probe_dial_to(p, PEER1, &t.relayed);
    line_send(early, "\0\2no", 4);
    struct ms_unit_heard h = ms_hear(&t, PATIENCE_S * NS_S);
    probe_require(p, !h.unit, "bytes of a peer that nothing was sent to have come to the client");
    struct endpoint at = {probe_ip(p, PEER1, IP_V4), 9};
    ms_send(&t, &at, "x"); /* nobody is there, but the address has its permission */
    probe_wait(p, NS_S);
    struct line *late = probe_dial_to(p, PEER1, &t.relayed);
    line_send(late, "\0\3yes", 5);
    h = ms_hear(&t, PATIENCE_S * NS_S);
    probe_require(p, h.unit == MS_CONTROL && ms_type(&h.content) == MS_DATA,
                  "bytes of a peer whose address was sent to have not come to the client");
    const uint8_t *v;
    size_t len;
    probe_require(p, ms_find(&h.content, ATTR_DATA, &v, &len) && len == 3 && memcmp(v, "yes", 3) == 0,
                  "the Data indication has other bytes than the peer sent");
    struct endpoint from = line_local(late), said;
    probe_require(p, ms_address(&h.content, ATTR_MS_REMOTE_ADDRESS, false, &said) && endpoint_equal(&from, &said),
                  "the Data indication's REMOTE-ADDRESS is not the peer's");
}

static void same_transport(struct probe *p)
{
    struct ms_talk t;
    ms_allocate(&t, p);
    probe_require(p, relay_takes(&t), "the address of an Allocate over TCP takes no TCP connection");
}

static struct ms_bytes second_answer(struct ms_talk *t, struct probe *p)
{
    ms_allocate(t, p);
    return allocate_again(t, -1);
}

static void allocated_attributes(struct probe *p)
{
    struct ms_talk t;
    struct ms_bytes a = second_answer(&t, p);
    struct endpoint mapped, local = line_local(t.line);
    const uint8_t *v;
    size_t len;
    probe_require(p, ms_address(&a, ATTR_MS_XOR_MAPPED_ADDRESS, true, &mapped), "Allocate's answer has no 8020");
    probe_require(p, endpoint_equal(&mapped, &local),
                  "8020, XORed with the transaction id, is not the client's address");
    bool sequence = ms_find(&a, ATTR_MS_SEQUENCE_NUMBER, &v, &len) && len == 24;
    bool version = ms_find(&a, ATTR_MS_VERSION, &v, &len) && len == 4;
    if (!sequence || !version)
        probe_defined(p, "Allocate's answer has no %s", sequence ? "MS-VERSION" : "MS-SEQUENCE-NUMBER of 24 bytes");
}

static void mapped_is_relay(struct probe *p)
{
    struct ms_talk t;
    struct endpoint local;
    ms_allocate(&t, p);
    local = line_local(t.line);
    probe_require(p, !endpoint_equal(&local, &t.relayed), "MAPPED-ADDRESS is the client's address, not the relay's");
    probe_require(p, relay_takes(&t), "MAPPED-ADDRESS is no address that the relay listens at");
}

static void unknown_refused(struct probe *p)
{
    struct ms_talk t;
    struct ms_bytes m;
    const uint8_t *v;
    size_t len;
    ms_allocate(&t, p);
    ms_begin(&t, &m, MS_ALLOCATE);
    ms_put(&m, UNKNOWN_REQUIRED, "abcd", 4);
    ms_sign(&t, &m, true);
    struct ms_bytes a = ms_ask(&t, &m);
    probe_require(p, ms_type(&a) == MS_ALLOCATE_ERROR && ms_code(&a) == 420,
                  "an Allocate with the attribute 7abc got type %04x, code %d", ms_type(&a), ms_code(&a));
    probe_require(p, ms_find(&a, ATTR_UNKNOWN_ATTRIBUTES, &v, &len) && len >= 2 && load16(v) == UNKNOWN_REQUIRED,
                  "UNKNOWN-ATTRIBUTES does not name 7abc");
}

static void active_is_raw(struct probe *p)
{
    struct ms_talk t;
    struct endpoint at;
    struct ms_bytes data = {.b = "raw", .len = 3};
    uint8_t frame[5];
    ms_allocate(&t, p);
    struct line *peer = ms_peer(&t, &at);
    struct ms_bytes a = ms_ask_active(&t, &at);
    probe_require(p, ms_type(&a) == MS_ACTIVE, "Set Active Destination got code %d", ms_code(&a));
    ms_say(&t, MS_RAW, &data);
    probe_require(p, line_read_all(peer, frame, sizeof frame, PATIENCE_S * NS_S) && memcmp(frame, "\0\3raw", 5) == 0,
                  "raw data of the client has not come to the active destination");
    line_send(peer, "\0\4back", 6);
    struct ms_unit_heard h = ms_hear(&t, PATIENCE_S * NS_S);
    probe_require(p, h.unit == MS_RAW && h.content.len == 4 && memcmp(h.content.b, "back", 4) == 0,
                  "data of the active destination did not come to the client raw");
}

/* Neither Send nor Set Active Destination of this probe has REALM or NONCE; the key is made with the realm. */
static void realm_left_off(struct probe *p)
{
    struct ms_talk t;
    struct endpoint at;
    ms_allocate(&t, p);
    ms_peer(&t, &at);
    struct ms_bytes a = ms_ask_active(&t, &at);
    probe_require(p, ms_type(&a) == MS_ACTIVE, "Set Active Destination without REALM got code %d", ms_code(&a));
    snprintf(t.realm, sizeof t.realm, "another realm");
    a = ms_ask_active(&t, &at);
    probe_require(p, ms_type(&a) == MS_ACTIVE_ERROR, "a key that is made with another realm was taken");
}

static void mac_padded(struct probe *p)
{
    struct ms_talk t;
    struct ms_bytes a = second_answer(&t, p);
    probe_require(p, ms_mac_right(&t, &a), "the answer's MESSAGE-INTEGRITY is not of the text padded to 64 bytes");
    t.login->password = "another";
    a = allocate_again(&t, -1);
    probe_require(p, ms_code(&a) > 0, "an Allocate with a wrong MESSAGE-INTEGRITY was granted");
}

static void version_said(struct probe *p)
{
    struct ms_talk t;
    uint32_t version = 0;
    struct ms_bytes a = second_answer(&t, p);
    if (!find_u32(&a, ATTR_MS_VERSION, &version))
        probe_defined(p, "the server says no MS-VERSION");
    probe_require(p, version >= 1 && version <= 6, "the server says MS-VERSION %u", version);
    probe_defined(p, "the server says MS-VERSION %u", version);
}

static void challenged(struct probe *p)
{
    struct ms_talk t;
    struct ms_bytes m;
    const uint8_t *v;
    size_t len;
    ms_dial(&t, p);
    ms_begin(&t, &m, MS_ALLOCATE);
    struct ms_bytes a = ms_ask(&t, &m);
    probe_require(p, ms_code(&a) == 401, "an Allocate without credentials got code %d", ms_code(&a));
    probe_require(p, ms_find(&a, ATTR_REALM, &v, &len) && ms_find(&a, ATTR_NONCE, &v, &len),
                  "the 401 has no REALM or no NONCE");
    ms_allocate(&t, p);
}

static void alternate_told(struct probe *p)
{
    struct ms_talk t;
    struct ms_bytes m;
    struct endpoint at, server;
    ms_dial(&t, p);
    server = line_remote(t.line);
    ms_begin(&t, &m, MS_ALLOCATE);
    struct ms_bytes a = ms_ask(&t, &m);
    if (!ms_address(&a, ATTR_MS_ALTERNATE_SERVER, false, &at))
        probe_defined(p, "the 401 has no ALTERNATE-SERVER");
    probe_defined(p, "ALTERNATE-SERVER of the 401 is %s",
                  endpoint_equal(&at, &server) ? "the server itself" : "another");
}

static void ten_minutes(struct probe *p)
{
    struct ms_talk t;
    uint32_t lifetime = 0;
    struct ms_bytes a = second_answer(&t, p);
    probe_require(p, find_u32(&a, ATTR_LIFETIME, &lifetime), "Allocate's answer has no LIFETIME");
    probe_wait(p, (lifetime - 2) * NS_S);
    probe_require(p, relay_takes(&t), "2 s before its end the relayed address takes no connection");
    probe_wait(p, 4 * NS_S);
    probe_require(p, !relay_takes(&t), "2 s after its end the relayed address takes connections");
    if (lifetime != 600)
        probe_defined(p, "the lifetime is %u s", lifetime);
}

/* ---- rows ---- */

static const struct requirement rows[] = {
    {"MST-1", "2.2.1", LEVEL_STATED, WHO_SERVER,
     "The header has a transaction id of 16 bytes, and no cookie; an answer repeats it.", .probe = header,
     .setup = SETUP_MSTURN},
    {"MST-2", "2.2.1", LEVEL_STATED, WHO_SERVER | WHO_CLIENT,
     "Allocate is 0003, 0103, 0113; Send 0004, never answered; Data 0115; Set Active Destination 0006, 0106, 0116.",
     .probe = types, .setup = SETUP_MSTURN},
    {"MST-3", "2.2.2.1", LEVEL_MUST, WHO_SERVER | WHO_CLIENT,
     "The magic cookie, attribute 000F with 72C64BC6, is a message's first; one without it is dropped, and over TCP "
     "the connection should be closed.",
     .probe = cookie_first, .setup = SETUP_MSTURN},
    {"MST-4", "3.1", LEVEL_STATED, WHO_SERVER,
     "An Allocate on a connection with an allocation refreshes it, and with LIFETIME 0 ends it.",
     .probe = allocate_refreshes, .setup = SETUP_MSTURN},
    {"MST-5", "3.1", LEVEL_STATED, WHO_SERVER,
     "What a peer sends is dropped until the client has sent to its address by Send request.",
     .probe = permission_by_send, .setup = SETUP_MSTURN},
    {"MST-6", "1.1", LEVEL_STATED, WHO_SERVER, "The relayed address has the transport of its Allocate.",
     .probe = same_transport, .setup = SETUP_MSTURN},
    {"MST-7", "3.1", LEVEL_MUST, WHO_SERVER,
     "Allocate's answer says the client's address in 8020, and should have MS-SEQUENCE-NUMBER and MS-VERSION.",
     .probe = allocated_attributes, .setup = SETUP_MSTURN},
    {"MST-8", "3.1", LEVEL_STATED, WHO_SERVER, "MAPPED-ADDRESS of Allocate's answer is the relayed address.",
     .probe = mapped_is_relay, .setup = SETUP_MSTURN},
    {"MST-9", "2.2.2", LEVEL_STATED, WHO_SERVER,
     "A request with an unknown attribute below 8000 gets an error that lists it.", .probe = unknown_refused,
     .setup = SETUP_MSTURN},
    {"MST-10", "3.1", LEVEL_STATED, WHO_SERVER | WHO_CLIENT,
     "After Set Active Destination data to and from that peer goes raw, without Send and Data.", .probe = active_is_raw,
     .setup = SETUP_MSTURN},
    {"MST-11", "3.1", LEVEL_STATED, WHO_SERVER | WHO_CLIENT,
     "Send and Set Active Destination have no REALM and NONCE; their key is made with the realm all the same.",
     .probe = realm_left_off, .setup = SETUP_MSTURN},
    {"MST-12", "2.2.2", LEVEL_STATED, WHO_SERVER | WHO_CLIENT,
     "MESSAGE-INTEGRITY is the HMAC-SHA1 of the message padded with zeros to a multiple of 64 bytes.",
     .probe = mac_padded, .setup = SETUP_MSTURN},
    {"MST-13", "2.2.2", LEVEL_OPEN, WHO_SERVER | WHO_CLIENT,
     "MS-VERSION 3 adds SHA-256, 4 IPv6; a server says its own.", .probe = version_said, .setup = SETUP_MSTURN},
    {"MST-14", "3.1", LEVEL_STATED, WHO_SERVER | WHO_CLIENT,
     "A 401 has REALM and NONCE, and the client asks again with name, realm, nonce and MAC.", .probe = challenged,
     .setup = SETUP_MSTURN},
    {"MST-15", "3.1", LEVEL_OPEN, WHO_SERVER, "ALTERNATE-SERVER 000E is in the 401, and may be the server itself.",
     .probe = alternate_told, .setup = SETUP_MSTURN},
    {"MST-16", "1.3", LEVEL_OPEN, WHO_CLIENT, "Credentials come from MRAS and expire.",
     .none = "they come over SIP, before the relay is asked"},
    {"MST-17", "3.1", LEVEL_OPEN, WHO_SERVER | WHO_CLIENT,
     "An allocation lives 10 minutes, and is refreshed well before.",
     .probe = ten_minutes, .setup = SETUP_MSTURN, .seconds = 602},
};

const struct section microsoft_turn = SECTION(rows);
