/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One agent, spoken to by hand: what it refuses, what it does not believe, what it does in which order. */
#include <stdio.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/base/time.h"
#include "models/ice/candidate_test.h"
#include "models/ice/check.h"
#include "models/ice/ice.h"
#include "models/testkit/testkit.h"

#define EDGE "192.0.2.10:50000"
#define EXPRESSWAY "198.51.100.20:24000"

static struct ice *alone(const char *ufrag)
{
    struct ice_config cfg = {.controlling = true, .tie_breaker = 7, .pwd = "secret"};
    snprintf(cfg.ufrag, sizeof cfg.ufrag, "%s", ufrag);
    struct ice *a = ice_new(&cfg, rng_named(1, "alone"));
    struct ice_candidate c = candidate(EXPRESSWAY, ICE_RELAY, ICE_TCP_PASS, "1");
    struct endpoint from = kit_endpoint(EDGE);
    ice_add_local(a, &c);
    ice_start(a, 0);
    ice_incoming(a, 1, &c.address, &from, 0);
    return a;
}

/* The one answer to a frame: its label, or "" for none. */
static const char *answer_to(struct ice *a, const uint8_t *frame, size_t len, struct ice_event *ev)
{
    assert_true(ice_input(a, 1, frame, len, 0));
    return ice_poll(a, ev) ? ev->label : "";
}

/* The captured check: its password is not known, so 401 for the user name that is ours, and no more can be
 * said; a bit less and it is dropped. */
static void captured_check_is_answered(void **state)
{
    (void)state;
    static const char hex[] = "000100582112a442a7d42d519e4d78c5938195210025000000240004 "
                              "6effffff8029000808b2674a8beecd680006000c6c304d52"
                              "3a416f5679000000805400043300000080700004000000020008 "
                              "00141da4842529575b38e06b72ef458c3e172b65c76c80280004"
                              "ff2fa718";
    uint8_t frame[128];
    size_t len = kit_hex(hex, frame, sizeof frame);
    struct ice *a = alone("l0MR");
    struct ice_event ev;
    assert_string_equal(answer_to(a, frame, len, &ev), "Binding error 401");
    struct stun_msg m;
    assert_int_equal(ice_message_parse(&stun_ms_ice2, ev.data, ev.len, &m), 0);
    assert_int_equal(stun_check_integrity(&m, "secret", 6), E_NOT_FOUND); /* RFC 8489 9.1.3 */
    frame[30] ^= 1;
    assert_string_equal(answer_to(a, frame, len, &ev), ""); /* FINGERPRINT does not match: not STUN */
    assert_false(ice_input(a, 1, (const uint8_t *)"\x80\x7f media", 8, 0));
    ice_free(a);
}

/* Each reason to refuse a check, and the order in which they count. */
static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *user, *key, *answer;
        bool priority, unknown, mac, controlling;
        uint64_t tie_breaker;
        int roles; /* one more than there should be, or one less */
    } rows[] = {
        {"us:them", "secret", "Binding success", true, false, true, false, 0, 0},
        {"us:them", "wrong", "Binding error 401", true, false, true, false, 0, 0},
        {"them:us", "secret", "Binding error 401", true, false, true, false, 0, 0},
        {"us", "secret", "Binding error 401", true, false, true, false, 0, 0},
        {"use:them", "secret", "Binding error 401", true, false, true, false, 0, 0},
        {"xx:them", "secret", "Binding error 401", true, false, true, false, 0, 0},
        {"us:them", "secret", "Binding error 400", true, false, false, false, 0, 0},
        {NULL, "secret", "Binding error 400", true, false, true, false, 0, 0},
        {"us:them", "secret", "Binding error 420", true, true, true, false, 0, 0},
        {"us:them", "wrong", "Binding error 401", true, true, true, false, 0, 0},
        {"us:them", "secret", "Binding error 400", false, false, true, false, 0, 0},
        {"us:them", "secret", "Binding error 400", true, false, true, false, 0, 1},
        {"us:them", "secret", "Binding error 400", true, false, true, false, 0, -1},
        {"us:them", "secret", "Binding error 487", true, false, true, true, 7, 0}, /* equal: we stay */
        {"us:them", "secret", "Binding success", true, false, true, true, 8, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stun_out o;
        struct stun_id id = {{0x21, 0x12, 0xa4, 0x42, (uint8_t)i}};
        uint8_t frame[256];
        stun_begin(&o, &stun_ms_ice2, frame, sizeof frame, stun_type(STUN_REQUEST, STUN_BINDING), &id);
        if (rows[i].priority)
            stun_put_u32(&o, ATTR_PRIORITY, 1);
        if (rows[i].roles >= 0)
            stun_put_u64(&o, rows[i].controlling ? ATTR_ICE_CONTROLLING : ATTR_ICE_CONTROLLED,
                         rows[i].tie_breaker);
        if (rows[i].roles > 0)
            stun_put_u64(&o, ATTR_ICE_CONTROLLING, 0);
        if (rows[i].unknown)
            stun_put_u32(&o, (enum stun_attr_type)0x7ffe, 0);
        if (rows[i].user)
            stun_put_text(&o, ATTR_USERNAME, rows[i].user);
        if (rows[i].mac)
            stun_put_integrity(&o, rows[i].key, strlen(rows[i].key), true);
        stun_put_fingerprint(&o);
        size_t len = (size_t)stun_end(&o);
        struct ice *a = alone("us");
        struct ice_event ev;
        assert_string_equal(answer_to(a, frame, len, &ev), rows[i].answer);
        ice_free(a);
    }
}

/* Behind a relay a stream is a peer: when it has spoken first, connecting to it finds the same stream, which
 * goes on. */
static void active_and_passive_of_one_peer(void **state)
{
    (void)state;
    struct ice *a = alone("us"); /* stream 1 is from EDGE */
    struct ice_candidate mine = candidate(EXPRESSWAY, ICE_RELAY, ICE_TCP_ACT, "1");
    struct ice_candidate theirs = candidate(EDGE, ICE_RELAY, ICE_TCP_PASS, "1");
    ice_set_remote_credentials(a, "them", "their secret");
    ice_add_local(a, &mine);
    ice_add_remote(a, &theirs);
    ice_closed(a, 99, 0); /* nobody's */
    ice_timer(a, 0);
    struct ice_event ev;
    assert_true(ice_poll(a, &ev));
    assert_int_equal(ev.kind, ICE_OPEN);
    ice_opened(a, ev.pair, 1, 0);
    assert_false(ice_poll(a, &ev)); /* no check as if it were a new connection */
    ice_timer(a, 30 * NS_S);
    assert_true(ice_poll(a, &ev));
    assert_int_equal(ev.kind, ICE_FAILED);
    assert_non_null(strstr(ev.text, "the same connection as another pair's"));
    ice_free(a);
}

/* A connection comes to the base of a server-reflexive candidate, or to an address that we do not know as
 * ours. */
static void where_connections_arrive(void **state)
{
    (void)state;
    static const struct {
        const char *to, *local;
    } rows[] = {
        {EXPRESSWAY, EXPRESSWAY},
        {"10.0.0.5:3000", "203.0.113.5:4000"}, /* the base */
        {"10.99.99.99:1", EXPRESSWAY},         /* the first */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ice_config cfg = {.ufrag = "us", .pwd = "secret"};
        struct ice *a = ice_new(&cfg, rng_named(1, "alone"));
        struct ice_candidate c = candidate(EXPRESSWAY, ICE_RELAY, ICE_TCP_PASS, "1");
        ice_add_local(a, &c);
        c = candidate("203.0.113.5:4000", ICE_SRFLX, ICE_TCP_PASS, "2");
        c.related = kit_endpoint("10.0.0.5:3000");
        ice_add_local(a, &c);
        ice_set_remote_credentials(a, "them", "their secret");
        ice_start(a, 0);
        struct endpoint to = kit_endpoint(rows[i].to), from = kit_endpoint(EDGE);
        ice_incoming(a, 1, &to, &from, 0);
        struct ice_check check = {.priority = 1, .controlling = true, .username = "us:them"};
        struct stun_id id = {{0x21, 0x12, 0xa4, 0x42}};
        uint8_t frame[ICE_MESSAGE_MAX];
        struct ice_event ev;
        size_t len = ice_check_encode(&stun_ms_ice2, &check, &id, "secret", frame);
        assert_true(ice_input(a, 1, frame, len, 0));
        assert_true(ice_poll(a, &ev));
        struct endpoint local = kit_endpoint(rows[i].local);
        assert_true(endpoint_equal(&ev.local.address, &local));
        ice_free(a);
    }
}

/* Streams and candidates that nobody knows, or too many of them. */
static void limits(void **state)
{
    (void)state;
    struct ice *a = alone("us");
    struct ice_candidate c = candidate(EDGE, ICE_RELAY, ICE_TCP_ACT, "1");
    c.component = 3;
    assert_int_equal(ice_add_remote(a, &c), E_RANGE);
    c.component = 0;
    assert_int_equal(ice_add_local(a, &c), E_RANGE);
    c.component = 1;
    c.address = (struct endpoint){0};
    assert_int_equal(ice_add_local(a, &c), E_RANGE);
    int err = 0;
    unsigned taken = 0;
    for (unsigned i = 1; !err && i < 100; i++) {
        char to[ENDPOINT_TEXT];
        snprintf(to, sizeof to, "10.1.1.%u:9", i);
        c = candidate(to, ICE_HOST, ICE_TCP_PASS, "1");
        err = ice_add_remote(a, &c);
        taken += err == 0;
        struct ice_candidate mine = candidate(to, ICE_HOST, ICE_TCP_ACT, "1");
        ice_add_local(a, &mine);
    }
    assert_int_equal(err, E_NOMEM);
    assert_int_equal(taken, ICE_CANDIDATES_MAX); /* beside the one that has connected, as peer-reflexive */
    for (uint32_t stream = 2; stream < 200; stream++) { /* connections from everywhere */
        struct endpoint to = kit_endpoint(EXPRESSWAY), from = {.ip = ip_v4(0x0a000000 + stream), .port = 5};
        ice_incoming(a, stream, &to, &from, 1);
    }
    assert_true(ice_input(a, 12345, (const uint8_t *)"\0\1\0\0\x21\x12\xa4\x42............", 20, 2));
    ice_free(a);
}

/* ---- a conversation ---- */

/* The agent's last check. */
static struct kept {
    uint8_t bytes[ICE_MESSAGE_MAX];
    size_t len;
} last_request;

/* The next event is this: a message's label, or "OPEN", "VALID", "NOMINATED", "FAILED"; "" for none. */
static struct ice_event expect(struct ice *a, const char *what)
{
    static const char *const kinds[] = {"OPEN", "SEND", "VALID", "NOMINATED", "FAILED"};
    struct ice_event ev = {0};
    bool some = ice_poll(a, &ev);
    assert_string_equal(!some ? "" : ev.kind == ICE_SEND ? ev.label : kinds[ev.kind], what);
    if (some && ev.kind == ICE_SEND && strcmp(ev.label, "Binding request") == 0) {
        memcpy(last_request.bytes, ev.data, ev.len);
        last_request.len = ev.len;
    }
    return ev;
}

/* The agent's last check, as its peer reads it. */
static struct ice_check asked(void)
{
    struct stun_msg m;
    struct ice_check c;
    assert_int_equal(ice_message_parse(&stun_ms_ice2, last_request.bytes, last_request.len, &m), 0);
    assert_int_equal(ice_check_decode(&m, &c), 0);
    return c;
}

static void ask(struct ice *a, uint32_t stream, struct ice_check c, uint64_t now_ns)
{
    static uint8_t n;
    struct stun_id id = {{0x21, 0x12, 0xa4, 0x42, ++n}};
    uint8_t frame[ICE_MESSAGE_MAX];
    snprintf(c.username, sizeof c.username, "us:them");
    if (!c.priority)
        c.priority = 1;
    assert_true(ice_input(a, stream, frame, ice_check_encode(&stun_ms_ice2, &c, &id, "secret", frame), now_ns));
}

enum flaw { GOOD, WRONG_ID, WRONG_KEY, NO_ADDRESS };

/* Answers the agent's last check. */
static void say_yes(struct ice *a, uint32_t stream, enum flaw flaw, uint64_t now_ns)
{
    struct stun_msg m;
    struct endpoint mapped = kit_endpoint(EDGE);
    uint8_t frame[ICE_MESSAGE_MAX];
    assert_int_equal(ice_message_parse(&stun_ms_ice2, last_request.bytes, last_request.len, &m), 0);
    m.id.b[15] ^= flaw == WRONG_ID;
    const char *key = flaw == WRONG_KEY ? "secret" : "their secret";
    size_t len = ice_success_encode(&m, &mapped, key, frame);
    if (flaw == NO_ADDRESS) {
        struct stun_out o;
        stun_begin(&o, &stun_ms_ice2, frame, sizeof frame, stun_type(STUN_SUCCESS, STUN_BINDING), &m.id);
        stun_put_integrity(&o, key, strlen(key), true);
        stun_put_fingerprint(&o);
        len = (size_t)stun_end(&o);
    }
    assert_true(ice_input(a, stream, frame, len, now_ns));
}

static void say_no(struct ice *a, uint32_t stream, int code, const char *key)
{
    struct stun_msg m;
    uint8_t frame[ICE_MESSAGE_MAX];
    assert_int_equal(ice_message_parse(&stun_ms_ice2, last_request.bytes, last_request.len, &m), 0);
    assert_true(ice_input(a, stream, frame, ice_error_encode(&m, code, key, frame), 0));
}

/* An agent with a passive candidate and connections 1 to n from the peer, who is known. */
static struct ice *answering(const struct ice_config *how, uint32_t n)
{
    struct ice_config cfg = *how;
    snprintf(cfg.ufrag, sizeof cfg.ufrag, "us");
    snprintf(cfg.pwd, sizeof cfg.pwd, "secret");
    struct ice *a = ice_new(&cfg, rng_named(1, "answering"));
    struct ice_candidate c = candidate(EXPRESSWAY, ICE_RELAY, ICE_TCP_PASS, "1");
    ice_add_local(a, &c);
    ice_set_remote_credentials(a, "them", "their secret");
    ice_start(a, 0);
    for (uint32_t i = 1; i <= n; i++) {
        struct endpoint from = {.ip = ip_v4(0xc0000200 + i), .port = 50000};
        ice_incoming(a, i, &c.address, &from, 0);
    }
    return a;
}

static const struct ice_config controlled = {.tie_breaker = 5};
static const struct ice_config controlling = {.controlling = true, .tie_breaker = 5};
static const struct ice_check from_controlling = {.controlling = true, .tie_breaker = 9};
static const struct ice_check from_controlled = {.tie_breaker = 1};

/* Makes a connection valid from a peer that checks so. */
static void make_valid(struct ice *a, uint32_t stream, struct ice_check c, uint64_t now_ns)
{
    ask(a, stream, c, now_ns);
    expect(a, "Binding success");
    expect(a, "Binding request");
    say_yes(a, stream, GOOD, now_ns);
    expect(a, "VALID");
    expect(a, "");
}

/* The peer nominates two connections: the first one stands. */
static void nominated_once(void **state)
{
    (void)state;
    struct ice *a = answering(&controlled, 2);
    make_valid(a, 1, from_controlling, 1 * NS_S);
    make_valid(a, 2, from_controlling, 2 * NS_S);
    struct ice_check use = from_controlling;
    use.use_candidate = true;
    ask(a, 2, use, 3 * NS_S);
    expect(a, "Binding success");
    assert_int_equal(expect(a, "NOMINATED").stream, 2);
    ask(a, 1, use, 4 * NS_S);
    expect(a, "Binding success");
    expect(a, "");
    ice_free(a);
}

/* Two are valid when the time comes to choose: the better one is nominated, whichever it is. */
static void the_better_of_two_valid(void **state)
{
    (void)state;
    for (uint32_t better = 1; better <= 2; better++) {
        struct ice *a = answering(&controlling, 2);
        struct ice_check c = from_controlled;
        for (uint32_t stream = 1; stream <= 2; stream++) {
            c.priority = stream == better ? 2000 : 1000;
            ask(a, stream, c, 0);
            expect(a, "Binding success");
            if (stream == 1)
                expect(a, "Binding request");
        }
        struct kept first = last_request;
        ice_timer(a, 50 * NS_MS);
        expect(a, "Binding request");
        struct kept second = last_request;
        for (unsigned i = 0; i < 2; i++) { /* the worse one is valid first */
            uint32_t stream = i ? better : 3 - better;
            last_request = stream == 1 ? first : second;
            say_yes(a, stream, GOOD, 60 * NS_MS);
            expect(a, "VALID");
        }
        ice_timer(a, 100 * NS_MS);
        assert_int_equal(expect(a, "Binding request").stream, better);
        ice_free(a);
    }
}

/* An answer is believed when it is to our check, has the peer's MAC and says what it must. */
static void false_answers(void **state)
{
    (void)state;
    for (enum flaw flaw = GOOD; flaw <= NO_ADDRESS; flaw++) {
        struct ice *a = answering(&controlled, 1);
        ask(a, 1, from_controlling, 0);
        expect(a, "Binding success");
        expect(a, "Binding request");
        say_yes(a, 1, flaw, 0);
        expect(a, flaw == GOOD ? "VALID" : "");
        say_yes(a, 1, GOOD, 0);
        expect(a, flaw == GOOD ? "" : "VALID");
        ice_free(a);
    }
}

/* A 400 or 401 has no MAC; any other error must have the right one. */
static void false_errors(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *key;
        bool believed;
    } rows[] = {
        {401, NULL, true},  {400, NULL, true},      {487, NULL, false},          {420, NULL, false},
        {401, "no", false}, {420, "no", false},     {487, "no", false},          {420, "their secret", true},
        {401, "their secret", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ice *a = answering(&controlled, 1);
        ask(a, 1, from_controlling, 0);
        expect(a, "Binding success");
        expect(a, "Binding request");
        say_no(a, 1, rows[i].code, rows[i].key);
        say_yes(a, 1, GOOD, 0);
        expect(a, rows[i].believed ? "" : "VALID");
        ice_free(a);
    }
}

/* Two checks to be sent: in the order in which the peer asked, and before a new connection is tried. */
static void triggered_checks_go_first(void **state)
{
    (void)state;
    struct ice *a = answering(&controlled, 2);
    struct ice_candidate mine = candidate("10.0.0.1:1", ICE_HOST, ICE_TCP_ACT, "2");
    ice_add_local(a, &mine);
    for (unsigned i = 0; i < 2; i++) {
        struct ice_candidate theirs =
            candidate(i ? "10.0.0.2:2" : "10.0.0.2:1", ICE_HOST, ICE_TCP_PASS, i ? "3" : "4");
        ice_add_remote(a, &theirs);
    }
    ice_timer(a, 0);
    expect(a, "OPEN");
    ask(a, 2, from_controlling, 1 * NS_MS);
    expect(a, "Binding success");
    ask(a, 1, from_controlling, 2 * NS_MS);
    expect(a, "Binding success");
    expect(a, ""); /* less than Ta since the connection */
    static const uint32_t order[] = {2, 1};
    for (unsigned i = 0; i < 2; i++) {
        assert_true(ice_deadline(a) == (i + 1) * 50 * NS_MS);
        ice_timer(a, ice_deadline(a));
        assert_int_equal(expect(a, "Binding request").stream, order[i]);
    }
    ice_timer(a, 150 * NS_MS);
    expect(a, "OPEN");
    expect(a, "");
    ice_free(a);
}

/* The pair priority's last bit depends on who controls (RFC 8445 6.1.2.3), also after the roles change. */
static void order_depends_on_the_role(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        bool now_controlling = i & 1, was_other = i & 2;
        struct ice *a = answering(now_controlling != was_other ? &controlling : &controlled, 1);
        struct ice_candidate low = candidate("10.0.0.1:1", ICE_HOST, ICE_TCP_ACT, "l");
        struct ice_candidate high = candidate("10.0.0.1:2", ICE_HOST, ICE_TCP_ACT, "h");
        struct ice_candidate far_low = candidate("[2001:db8::1]:1", ICE_HOST, ICE_TCP_PASS, "L");
        struct ice_candidate far_high = candidate("10.0.0.2:2", ICE_HOST, ICE_TCP_PASS, "H");
        low.priority = far_low.priority = 1000;
        high.priority = far_high.priority = 2000;
        /* so that low pairs with far_high, high with far_low */
        high.address = kit_endpoint("[2001:db8::2]:2");
        ice_add_local(a, &high);
        ice_add_local(a, &low);
        ice_add_remote(a, &far_low);
        ice_add_remote(a, &far_high);
        if (was_other) { /* refused for our role, we take the other one */
            ask(a, 1, now_controlling ? from_controlling : from_controlled, 0);
            expect(a, "Binding success");
            expect(a, "Binding request");
            say_no(a, 1, 487, "their secret");
            ice_timer(a, 50 * NS_MS);
            expect(a, "Binding request");
            assert_int_equal(asked().controlling, now_controlling);
        }
        ice_timer(a, 100 * NS_MS);
        struct ice_event first = expect(a, "OPEN");
        assert_int_equal(first.local.priority, now_controlling ? 2000 : 1000);
        ice_free(a);
    }
}

/* A request that was to nominate does not when the roles have changed before its answer came. */
static void roles_change_under_nomination(void **state)
{
    (void)state;
    struct ice *a = answering(&controlling, 1);
    ask(a, 1, from_controlled, 0);
    expect(a, "Binding success");
    expect(a, "Binding request");
    say_yes(a, 1, GOOD, 0);
    expect(a, "VALID");
    ice_timer(a, 50 * NS_MS);
    expect(a, "Binding request");
    assert_true(asked().use_candidate);
    ask(a, 1, from_controlling, 60 * NS_MS);
    expect(a, "Binding success");
    say_yes(a, 1, GOOD, 70 * NS_MS);
    expect(a, "");
    ask(a, 1, from_controlled, 80 * NS_MS); /* and back: we choose anew */
    expect(a, "Binding success");
    expect(a, "");
    ice_timer(a, 100 * NS_MS);
    expect(a, "Binding request");
    assert_true(asked().use_candidate && asked().controlling);
    say_yes(a, 1, GOOD, 110 * NS_MS);
    expect(a, "NOMINATED");
    ice_free(a);
}

/* Nor does USE-CANDIDATE that came while we were controlled, once we control. */
static void roles_change_after_use_candidate(void **state)
{
    (void)state;
    struct ice *a = answering(&controlled, 1);
    struct ice_check use = from_controlling;
    use.use_candidate = true;
    ask(a, 1, use, 0);
    expect(a, "Binding success");
    expect(a, "Binding request");
    ask(a, 1, from_controlled, 10 * NS_MS);
    expect(a, "Binding success");
    say_yes(a, 1, GOOD, 20 * NS_MS);
    expect(a, "VALID");
    expect(a, "");
    ice_free(a);
}

/* And the other way: USE-CANDIDATE sent while controlled nominates nothing, also when we control by the time
 * of the answer. */
static void roles_change_under_a_check(void **state)
{
    (void)state;
    struct ice_config cfg = controlled;
    cfg.use_candidate_always = true;
    struct ice *a = answering(&cfg, 1);
    ask(a, 1, from_controlling, 0);
    expect(a, "Binding success");
    expect(a, "Binding request");
    assert_true(asked().use_candidate && !asked().controlling);
    ask(a, 1, from_controlled, 10 * NS_MS);
    expect(a, "Binding success");
    say_yes(a, 1, GOOD, 20 * NS_MS);
    expect(a, "VALID");
    expect(a, "");
    ice_timer(a, 50 * NS_MS);
    expect(a, "Binding request");
    assert_true(asked().use_candidate && asked().controlling);
    say_yes(a, 1, GOOD, 60 * NS_MS);
    expect(a, "NOMINATED");
    ice_free(a);
}

/* The password comes twelve seconds late: the check is sent then, and has its ten seconds from then. */
static void check_time_begins_when_it_is_sent(void **state)
{
    (void)state;
    struct ice *a = answering(&controlled, 1);
    ice_set_remote_credentials(a, "them", "");
    ask(a, 1, from_controlling, 0);
    expect(a, "Binding success");
    ice_timer(a, 12 * NS_S);
    expect(a, "");
    ice_set_remote_credentials(a, "them", "their secret");
    ice_timer(a, 12 * NS_S);
    expect(a, "Binding request");
    ice_timer(a, 22 * NS_S - 1);
    say_yes(a, 1, GOOD, 22 * NS_S - 1);
    expect(a, "VALID");
    ice_free(a);
}

static void silent_after_failure(void **state)
{
    (void)state;
    struct ice *a = answering(&controlled, 1);
    make_valid(a, 1, from_controlling, 9 * NS_S); /* and never nominated */
    ice_timer(a, 30 * NS_S);
    expect(a, "FAILED");
    ask(a, 1, from_controlling, 31 * NS_S);
    expect(a, "");
    assert_true(ice_deadline(a) == TIME_NEVER);
    ice_free(a);
}

/* Strangers who connect do not use up the room of the candidates that an answer brings. */
static void strangers_leave_room(void **state)
{
    (void)state;
    struct ice *a = answering(&controlled, 40);
    for (unsigned i = 0; i < ICE_CANDIDATES_MAX; i++) {
        char at[ENDPOINT_TEXT];
        snprintf(at, sizeof at, "10.1.1.%u:9", i + 1);
        struct ice_candidate c = candidate(at, ICE_HOST, ICE_TCP_PASS, "1");
        assert_int_equal(ice_add_remote(a, &c), 0);
    }
    ask(a, 1, from_controlling, 0);
    expect(a, "Binding success");
    ice_free(a);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(captured_check_is_answered),
        cmocka_unit_test(refusals),
        cmocka_unit_test(active_and_passive_of_one_peer),
        cmocka_unit_test(where_connections_arrive),
        cmocka_unit_test(limits),
        cmocka_unit_test(nominated_once),
        cmocka_unit_test(the_better_of_two_valid),
        cmocka_unit_test(false_answers),
        cmocka_unit_test(false_errors),
        cmocka_unit_test(triggered_checks_go_first),
        cmocka_unit_test(order_depends_on_the_role),
        cmocka_unit_test(roles_change_under_nomination),
        cmocka_unit_test(roles_change_after_use_candidate),
        cmocka_unit_test(roles_change_under_a_check),
        cmocka_unit_test(check_time_begins_when_it_is_sent),
        cmocka_unit_test(silent_after_failure),
        cmocka_unit_test(strangers_leave_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
