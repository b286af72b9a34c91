/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 8489 6.1, 6.3 and 7: what is sent, and what becomes of what is received. */
#include <string.h>

#include "conformance/rfc8489/script.h"
#include "conformance/rfc8489/sections.h"
#include "models/base/bytes.h"

enum { UNKNOWN_OPTIONAL = 0xff00, UNKNOWN_REQUIRED = 0x7abc, UNKNOWN_REQUIRED_2 = 0x7abd };

static struct message *binding(struct probe *p)
{
    return message_request(p, STUN_BINDING);
}

static void software_sent(struct probe *p)
{
    struct script s = {0};
    script_begin(&s, p, false);
    struct heard h = script_request(&s, TURN_ALLOCATE);
    probe_require(p, heard_has(&h, ATTR_SOFTWARE), "the client's Allocate has no SOFTWARE");
}

/* ---- 6.3 ---- */

enum spoilt { UNKNOWN_METHOD, NO_REQUEST_OF_THAT, STRAY_RESPONSE, STRAY_ERROR, WRONG_FINGERPRINT, SPOILT };

static struct message *spoilt_message(struct probe *p, enum spoilt which)
{
    static const struct {
        enum stun_class cls;
        unsigned method;
    } type[SPOILT] = {
        [UNKNOWN_METHOD] = {STUN_REQUEST, 0x0ff},     [NO_REQUEST_OF_THAT] = {STUN_REQUEST, TURN_DATA},
        [STRAY_RESPONSE] = {STUN_SUCCESS, STUN_BINDING}, [STRAY_ERROR] = {STUN_ERROR, STUN_BINDING},
        [WRONG_FINGERPRINT] = {STUN_REQUEST, STUN_BINDING},
    };
    struct message *m = message_new(p, type[which].cls, type[which].method);
    if (which == STRAY_ERROR)
        message_put_hex(m, ATTR_ERROR_CODE, "00000400 6e6f");
    if (which == WRONG_FINGERPRINT) {
        message_fingerprint(m);
        size_t *len;
        uint8_t *b = message_bytes(m, &len);
        b[*len - 1] ^= 1;
    }
    return m;
}

static void spoilt_dropped(struct probe *p)
{
    static const char *const name[SPOILT] = {
        [UNKNOWN_METHOD] = "a request of an unknown method",
        [NO_REQUEST_OF_THAT] = "a request of Data, which is an indication only",
        [STRAY_RESPONSE] = "a success response that nobody asked for",
        [STRAY_ERROR] = "an error response that nobody asked for",
        [WRONG_FINGERPRINT] = "a Binding request with a wrong FINGERPRINT",
    };
    struct line *l = probe_udp(p, CLIENT1, IP_V4);
    for (enum spoilt which = 0; which < SPOILT; which++) {
        line_send_message(l, spoilt_message(p, which));
        struct heard h = line_hear(l, probe_soon(p));
        probe_require(p, h.kind == HEARD_NOTHING, "%s got %s", name[which], WORDS(&h));
    }
    struct heard h = ask_message(p, l, binding(p));
    expect_code(p, &h, 0, "Binding");
}

static void wrong_fingerprint(struct probe *p)
{
    struct line *l = probe_udp(p, CLIENT1, IP_V4);
    line_send_message(l, spoilt_message(p, WRONG_FINGERPRINT));
    struct heard h = line_hear(l, probe_soon(p));
    probe_require(p, h.kind == HEARD_NOTHING, "a Binding request with a wrong FINGERPRINT got %s", WORDS(&h));
    h = ask_message(p, l, binding(p));
    expect_code(p, &h, 0, "Binding without FINGERPRINT");
}

static void credentials_first(struct probe *p)
{
    struct message *m = allocate_message(p);
    message_put_u32(m, UNKNOWN_REQUIRED, 0);
    struct heard h = ask_message(p, probe_dial(p, CLIENT1), m);
    expect_code(p, &h, 401, "an Allocate with an unknown attribute and without credentials");
}

static void optional_ignored(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct challenge c = challenge_on(p, l, USER1);
    struct message *m = binding(p), *allocate_m = allocate_message(p);
    message_put_u32(m, UNKNOWN_OPTIONAL, 1);
    struct heard h = ask_message(p, l, m);
    expect_code(p, &h, 0, "Binding with the unknown optional attribute ff00");
    message_put_u32(allocate_m, UNKNOWN_OPTIONAL, 1);
    credentials_put(allocate_m, &c, AS_5389);
    h = ask_message(p, l, allocate_m);
    expect_code(p, &h, 0, "Allocate with the unknown optional attribute ff00");
}

static void unexpected_ignored(struct probe *p)
{
    struct message *m = binding(p);
    message_put_u32(m, ATTR_CHANNEL_NUMBER, UINT32_C(0x40000000));
    struct heard h = ask_message(p, probe_dial(p, CLIENT1), m);
    expect_code(p, &h, 0, "Binding with CHANNEL-NUMBER");
}

static bool lists(const struct stun_attr *a, unsigned type)
{
    for (size_t i = 0; i + 2 <= a->len; i += 2)
        if (load16(a->value + i) == type)
            return true;
    return false;
}

static void unknown_refused(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct challenge c = challenge_on(p, l, USER1);
    struct message *m = allocate_message(p);
    struct stun_attr a;
    message_put_u32(m, UNKNOWN_REQUIRED, 0);
    message_put_u32(m, UNKNOWN_REQUIRED_2, 0);
    credentials_put(m, &c, AS_5389);
    struct heard h = ask_message(p, l, m);
    expect_code(p, &h, 420, "Allocate with the attributes 7abc and 7abd");
    probe_require(p, stun_find(&h.stun, ATTR_UNKNOWN_ATTRIBUTES, &a), "420 has no UNKNOWN-ATTRIBUTES");
    probe_require(p, lists(&a, UNKNOWN_REQUIRED) && lists(&a, UNKNOWN_REQUIRED_2),
                  "UNKNOWN-ATTRIBUTES does not list both of 7abc and 7abd");
}

/* The same Allocate twice over UDP, as a client does whose answer was lost. */
static void retransmission_harmless(struct probe *p)
{
    struct line *l = probe_udp(p, CLIENT1, IP_V4);
    struct message *m = message_request(p, TURN_ALLOCATE);
    struct endpoint first, second;
    message_put_u32(m, ATTR_REQUESTED_TRANSPORT, (uint32_t)PROTO_UDP << 24);
    struct heard h = ask_message(p, l, m);
    struct login *login = login_new(p, USER1);
    probe_require(p, h.code == 401 && login_learn(login, &h), "an Allocate without credentials got %s", WORDS(&h));
    m = message_request(p, TURN_ALLOCATE);
    message_put_u32(m, ATTR_REQUESTED_TRANSPORT, (uint32_t)PROTO_UDP << 24);
    message_sign(m, login);
    h = ask_message(p, l, m);
    expect_code(p, &h, 0, "Allocate");
    probe_require(p, heard_address(&h, ATTR_XOR_RELAYED_ADDRESS, &first), "no XOR-RELAYED-ADDRESS");
    struct heard again = ask_message(p, l, m);
    struct heard gone = ask_refresh(login, l, 0); /* so it does not outlive the probe */
    expect_code(p, &again, 0, "the same Allocate again");
    probe_require(p, heard_address(&again, ATTR_XOR_RELAYED_ADDRESS, &second) && endpoint_equal(&first, &second),
                  "the same Allocate again got another relayed address");
    expect_code(p, &gone, 0, "Refresh with lifetime 0");
}

static void error_code_there(struct probe *p)
{
    struct stun_attr a;
    struct heard h = ask_message(p, probe_dial(p, CLIENT1), allocate_message(p));
    probe_require(p, h.stun.cls == STUN_ERROR && stun_find(&h.stun, ATTR_ERROR_CODE, &a),
                  "an error response has no ERROR-CODE");
    probe_require(p, a.len > 4, "ERROR-CODE has no reason phrase");
}

static void answers_protected(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct challenge c = challenge_on(p, l, USER1);
    struct message *m = message_request(p, TURN_REFRESH);
    credentials_put(m, &c, AS_5389);
    struct heard h = ask_message(p, l, m);
    probe_require(p, h.code > 0, "a Refresh without an allocation got %s", WORDS(&h));
    probe_require(p, mac_right(&c, &h, WITH_SHA1), "%s to an authenticated request has no right MESSAGE-INTEGRITY",
                  WORDS(&h));
    h = ask_with(&c, l, AS_5389);
    expect_code(p, &h, 0, "Allocate");
    probe_require(p, mac_right(&c, &h, WITH_SHA1), "%s to an authenticated request has no right MESSAGE-INTEGRITY",
                  WORDS(&h));
}

static void software_in_answers(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct heard h = ask_message(p, l, binding(p)), error = ask_message(p, l, allocate_message(p));
    probe_require(p, heard_has(&h, ATTR_SOFTWARE), "%s has no SOFTWARE", WORDS(&h));
    probe_require(p, heard_has(&error, ATTR_SOFTWARE), "%s has no SOFTWARE", WORDS(&error));
}

static void mapped_is_source(struct probe *p)
{
    struct line *l = probe_dial(p, CLIENT1);
    struct endpoint local = line_local(l), mapped;
    char said[ENDPOINT_TEXT], is[ENDPOINT_TEXT];
    struct heard h = ask_message(p, l, binding(p));
    expect_code(p, &h, 0, "Binding");
    probe_require(p, heard_address(&h, ATTR_XOR_MAPPED_ADDRESS, &mapped), "no XOR-MAPPED-ADDRESS");
    probe_require(p, endpoint_equal(&local, &mapped), "XOR-MAPPED-ADDRESS is %s, and the request came from %s",
                  endpoint_text(&mapped, said), endpoint_text(&local, is));
}

static void mapped_is_source_udp(struct probe *p)
{
    struct line *l = probe_udp(p, CLIENT1, IP_V4);
    struct endpoint local = line_local(l), mapped, from, server = probe_server(p, PROTO_UDP, IP_V4);
    struct message *m = binding(p);
    struct stun_msg answer;
    uint8_t buf[2048];
    line_send_message(l, m);
    long n = line_datagram(l, buf, sizeof buf, &from, probe_soon(p));
    probe_require(p, n > 0 && stun_parse(&stun_rfc8489, buf, (size_t)n, &answer) == 0, "no answer over UDP");
    probe_require(p, endpoint_equal(&from, &server), "the answer came from another address than the request went to");
    probe_require(p, stun_get_address(&answer, ATTR_XOR_MAPPED_ADDRESS, &mapped) == 0, "no XOR-MAPPED-ADDRESS");
    probe_require(p, mapped.port == local.port, "XOR-MAPPED-ADDRESS has port %u, and the request came from %u",
                  mapped.port, local.port);
}

static void same_way_back(struct probe *p)
{
    struct line *one = probe_dial(p, CLIENT1), *two = probe_dial(p, CLIENT1);
    struct message *m = binding(p);
    line_send_message(one, m);
    struct heard h = line_answer(one, m, probe_soon(p));
    expect_code(p, &h, 0, "Binding");
    probe_require(p, line_waiting(two) == 0, "an answer came on another connection");
    mapped_is_source_udp(p);
}

static void indication_dropped(struct probe *p)
{
    struct line *l = probe_udp(p, CLIENT1, IP_V4);
    struct message *m = message_new(p, STUN_INDICATION, STUN_BINDING);
    message_put_u32(m, UNKNOWN_REQUIRED, 0);
    line_send_message(l, m);
    line_send_message(l, message_new(p, STUN_INDICATION, STUN_BINDING));
    struct heard h = line_hear(l, probe_soon(p));
    probe_require(p, h.kind == HEARD_NOTHING, "a Binding indication got %s", WORDS(&h));
    h = ask_message(p, l, binding(p));
    expect_code(p, &h, 0, "Binding");
}

/* ---- what a client makes of responses ---- */

/* Challenged; its Allocate with credentials. */
static struct heard authenticated(struct script *s, struct probe *p)
{
    script_begin(s, p, false);
    struct heard h = script_request(s, TURN_ALLOCATE);
    script_challenge(s, &h, 401, "nonce", NULL);
    return script_request(s, TURN_ALLOCATE);
}

static void strange_success(struct probe *p)
{
    struct script s = {0};
    struct heard h = authenticated(&s, p);
    struct message *m = script_allocated(&s, &h);
    message_put_u32(m, UNKNOWN_REQUIRED, 0);
    script_sign(&s, m);
    script_send(&s, m);
    probe_require(p, !subject_told(p, TOLD_ALLOCATED, NS_S),
                  "a success response with the unknown attribute 7abc was taken");
    probe_require(p, subject_told(p, TOLD_REFUSED, 2 * NS_S), "the transaction has not failed 2 s later");
}

static void error_without_code(struct probe *p)
{
    struct script s = {0};
    struct heard h = authenticated(&s, p);
    struct message *m = message_new(p, STUN_ERROR, TURN_ALLOCATE);
    message_set_id(m, &h.stun.id);
    script_sign(&s, m);
    script_send(&s, m);
    probe_require(p, subject_told(p, TOLD_REFUSED, 2 * NS_S),
                  "an error response without ERROR-CODE has not ended the transaction");
}

static void server_error_again(struct probe *p)
{
    enum { MOST = 5 }; /* the first, and 4 more */
    struct script s = {0};
    struct heard h = authenticated(&s, p);
    unsigned count = 0;
    while (h.kind == HEARD_STUN && count <= MOST) {
        count++;
        struct message *m = script_answer(&s, &h, 500);
        script_sign(&s, m);
        script_send(&s, m);
        h = line_hear(s.line, 60 * NS_S);
    }
    probe_require(p, count <= MOST, "an Allocate that is answered 500 was repeated more than 4 times");
}

/* ---- rows ---- */

enum { BOTH = WHO_SERVER | WHO_CLIENT };

static const struct requirement rows[] = {
    {"8489-6.1-1", "6.1", LEVEL_SHOULD, WHO_CLIENT, "A client's requests and indications have SOFTWARE.",
     .probe = software_sent, .needs = NEED_CLIENT},
    {"8489-6.3-1", "6.3", LEVEL_STATED, BOTH,
     "A message of an unknown method, of a class that its method does not have, a response that nobody asked for, or "
     "one with a wrong FINGERPRINT is dropped without an answer.",
     .probe = spoilt_dropped, .needs = NEED_UDP_CLIENT},
    {"8489-6.3-2", "6.3", LEVEL_STATED, WHO_SERVER,
     "Credentials are looked at before unknown attributes: without credentials such a request is answered 401, not "
     "420.",
     .probe = credentials_first},
    {"8489-6.3-3", "6.3", LEVEL_MUST, BOTH, "Unknown attributes of 8000 and above are ignored.",
     .probe = optional_ignored},
    {"8489-6.3-4", "6.3", LEVEL_SHOULD, BOTH, "Known attributes that are not expected in a message are ignored.",
     .probe = unexpected_ignored},
    {"8489-6.3.1-1", "6.3.1", LEVEL_MUST, WHO_SERVER,
     "A request with unknown attributes below 8000 is answered 420, and UNKNOWN-ATTRIBUTES lists all of them.",
     .probe = unknown_refused},
    {"8489-6.3.1-2", "6.3.1", LEVEL_MUST, WHO_SERVER,
     "A request that is sent again over UDP has one effect and the same answer.",
     .probe = retransmission_harmless, .needs = NEED_UDP_CLIENT},
    {"8489-6.3.1-3", "6.3.1.1", LEVEL_MUST, WHO_SERVER, "An error response has ERROR-CODE with a reason phrase.",
     .probe = error_code_there},
    {"8489-6.3.1-4", "6.3.1.1", LEVEL_MUST, WHO_SERVER, "The answer to an authenticated request is authenticated.",
     .probe = answers_protected},
    {"8489-6.3.1-5", "6.3.1.1", LEVEL_SHOULD, WHO_SERVER, "Responses have SOFTWARE.",
     .probe = software_in_answers},
    {"8489-6.3.1-6", "6.3.1.1", LEVEL_STATED, WHO_SERVER,
     "A Binding success says in XOR-MAPPED-ADDRESS where the request came from, also over TCP.",
     .probe = mapped_is_source},
    {"8489-6.3.1-7", "6.3.1.2", LEVEL_STATED, WHO_SERVER,
     "A response goes back the way its request came: the same transport, addresses swapped, the same TCP connection.",
     .probe = same_way_back, .needs = NEED_UDP_CLIENT},
    {"8489-6.3.2-1", "6.3.2", LEVEL_STATED, BOTH,
     "An indication is never answered, and one with an unknown attribute below 8000 is dropped.",
     .probe = indication_dropped, .needs = NEED_UDP_CLIENT},
    {"8489-6.3.3-1", "6.3.3", LEVEL_STATED, WHO_CLIENT,
     "A success response with an unknown attribute below 8000 is dropped, and its transaction has failed.",
     .probe = strange_success, .needs = NEED_CLIENT},
    {"8489-6.3.4-1", "6.3.4", LEVEL_STATED, WHO_CLIENT,
     "After an error response without ERROR-CODE the transaction has failed.",
     .probe = error_without_code, .needs = NEED_CLIENT},
    {"8489-6.3.4-2", "6.3.4", LEVEL_MUST, WHO_CLIENT,
     "A client that repeats a request after a 5xx does so a limited number of times, at most 4.",
     .probe = server_error_again, .needs = NEED_CLIENT},
    {"8489-7-1", "7", LEVEL_STATED, BOTH,
     "A message with a wrong FINGERPRINT is not taken for STUN; in TURN it may have none.",
     .probe = wrong_fingerprint, .needs = NEED_UDP_CLIENT},
};

const struct section rfc8489_base = SECTION(rows);
