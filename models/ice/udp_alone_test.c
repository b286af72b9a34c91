/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One agent over UDP, spoken to by hand: what it believes, from whom, and what it sends when. */
#include "models/base/err.h"
#include "models/ice/udp_world_test.h"

#define OURS "10.0.0.1:5000"
#define PEER "198.51.100.7:6000"

static struct ice *alone(const struct ice_config *how)
{
    struct ice_config cfg = *how;
    cfg.dialect = ICE_DIALECT_RFC;
    cfg.tie_breaker = 5;
    snprintf(cfg.ufrag, sizeof cfg.ufrag, "us");
    snprintf(cfg.pwd, sizeof cfg.pwd, "secret");
    struct ice *a = ice_new(&cfg, rng_named(1, "alone"));
    struct endpoint at = kit_endpoint(OURS);
    struct ice_candidate c = udp_candidate(ICE_HOST, &at, "h");
    ice_add_local(a, &c);
    ice_set_remote_credentials(a, "them", "their secret");
    return a;
}

static void know(struct ice *a, const char *peer, const char *foundation)
{
    struct endpoint at = kit_endpoint(peer);
    struct ice_candidate c = udp_candidate(ICE_HOST, &at, foundation);
    assert_int_equal(ice_add_remote(a, &c), 0);
}

/* The agent's last check. */
static struct kept {
    uint8_t bytes[ICE_MESSAGE_MAX];
    size_t len;
} last;

static struct ice_event expect(struct ice *a, const char *what)
{
    static const char *const kinds[] = {"OPEN", "SEND", "VALID", "NOMINATED", "FAILED", "LOST"};
    struct ice_event ev = {0};
    bool some = ice_poll(a, &ev);
    assert_string_equal(!some ? "" : ev.kind == ICE_SEND ? ev.label : kinds[ev.kind], what);
    if (some && ev.kind == ICE_SEND && strcmp(ev.label, "Binding request") == 0) {
        memcpy(last.bytes, ev.data, ev.len);
        last.len = ev.len;
    }
    return ev;
}

static struct ice_check asked(void)
{
    struct stun_msg m;
    struct ice_check c;
    assert_int_equal(ice_message_parse(&stun_rfc8489, last.bytes, last.len, &m), 0);
    assert_int_equal(ice_check_decode(&m, &c), 0);
    return c;
}

static bool give(struct ice *a, const char *to, const char *from, const void *bytes, size_t len, uint64_t now_ns)
{
    struct endpoint base = kit_endpoint(to), remote = kit_endpoint(from);
    return ice_datagram(a, &base, &remote, bytes, len, now_ns);
}

/* A check of the peer's, from there. */
static void ask(struct ice *a, const char *from, const char *key, bool controlling, bool use, uint64_t now_ns)
{
    static uint8_t n;
    struct stun_id id = {{0x21, 0x12, 0xa4, 0x42, ++n}};
    struct ice_check c = {.priority = 1862270975, .controlling = controlling, .use_candidate = use, .tie_breaker = 9,
                          .username = "us:them"};
    uint8_t bytes[ICE_MESSAGE_MAX];
    assert_true(give(a, OURS, from, bytes, ice_check_encode(&stun_rfc8489, &c, &id, key, bytes), now_ns));
}

/* The answer to a check of the agent's, to this one of its addresses: 0 is success, and mapped what it was seen as. */
static void answer_at(struct ice *a, const char *ours, const char *mapped, const struct kept *check, const char *from,
                      const char *key, int code, uint64_t now_ns)
{
    struct stun_msg m;
    uint8_t bytes[ICE_MESSAGE_MAX];
    struct endpoint seen = kit_endpoint(mapped);
    assert_int_equal(ice_message_parse(&stun_rfc8489, check->bytes, check->len, &m), 0);
    size_t len = code ? ice_error_encode(&m, code, key, bytes) : ice_success_encode(&m, &seen, key, bytes);
    assert_true(give(a, ours, from, bytes, len, now_ns));
}

static void answer(struct ice *a, const struct kept *check, const char *from, const char *key, int code,
                   uint64_t now_ns)
{
    answer_at(a, OURS, OURS, check, from, key, code, now_ns);
}

static const struct ice_config controlled = {0}, controlling = {.controlling = true};

/* RFC 8489 6.2.1 with an RTO of 500 ms: seven times, then sixteen RTOs. The pair that waits for this one's fate goes
 * next (RFC 8445 6.1.4.2), and when all have failed the agent waits on for the peer until time is up. */
static void retransmission(void **state)
{
    (void)state;
    static const struct {
        uint64_t ms;
        const char *to;
    } rows[] = {
        {0, PEER},         {500, PEER},       {1500, PEER},  {3500, PEER},  {7500, PEER},
        {15500, PEER},     {31500, PEER},     {39500, "198.51.100.7:6001"}, {40000, "198.51.100.7:6001"},
    };
    struct ice_config cfg = controlling;
    cfg.total_timeout_ns = 100 * NS_S;
    struct ice *a = alone(&cfg);
    know(a, PEER, "h");
    know(a, "198.51.100.7:6001", "h"); /* of the same foundation */
    ice_start(a, 0);
    struct kept first = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ice_event ev = expect(a, "Binding request");
        struct endpoint to = kit_endpoint(rows[i].to);
        assert_true(endpoint_equal(&ev.remote.address, &to));
        first = i == 0 ? last : first;
        if (i < 7) /* the same bytes */
            assert_memory_equal(first.bytes, last.bytes, last.len);
        expect(a, "");
        uint64_t next_ms = i + 1 < sizeof rows / sizeof *rows ? rows[i + 1].ms : 41000;
        assert_true(ice_deadline(a) == next_ms * NS_MS);
        ice_timer(a, next_ms * NS_MS);
    }
    while (ice_deadline(a) < 100 * NS_S) {
        ice_timer(a, ice_deadline(a));
        for (struct ice_event ev; ice_poll(a, &ev);)
            assert_int_equal(ev.kind, ICE_SEND);
    }
    ice_timer(a, 100 * NS_S);
    assert_non_null(strstr(expect(a, "FAILED").text, OURS " to " PEER ": no answer to the check"));
    ice_free(a);
}

/* RFC 8445 6.1.2.5, 14.3: a hundred pairs, one each 50 ms; the first is sent again after 100 times that. */
static void a_full_list_has_a_long_timer(void **state)
{
    (void)state;
    struct ice *a = alone(&controlling);
    for (unsigned i = 0; i < ICE_CANDIDATES_MAX; i++) {
        char at[ENDPOINT_TEXT], f[8];
        snprintf(f, sizeof f, "%u", i);
        snprintf(at, sizeof at, "198.51.100.%u:6000", i + 1);
        know(a, at, f);
        struct endpoint mine = {.ip = ip_v4(0x0a000001u), .port = (uint16_t)(5000 + i)};
        struct ice_candidate c = udp_candidate(ICE_HOST, &mine, f);
        ice_add_local(a, &c);
    }
    ice_start(a, 0);
    expect(a, "Binding request");
    for (unsigned i = 1; i < ICE_PAIRS_MAX; i++) {
        assert_true(ice_deadline(a) == i * 50 * NS_MS);
        ice_timer(a, ice_deadline(a));
        expect(a, "Binding request");
        expect(a, "");
    }
    struct kept hundredth = last;
    assert_true(ice_deadline(a) == 5 * NS_S);
    ice_timer(a, 5 * NS_S);
    expect(a, "Binding request");
    assert_memory_not_equal(hundredth.bytes, last.bytes, last.len);
    ice_free(a);
}

/* Of a foundation one goes first, the component 1; others of it when it has worked (7.2.5.3.3), and then before what is
 * less important. Of two foundations both go. */
static void foundations(void **state)
{
    (void)state;
    for (unsigned same = 0; same < 2; same++) {
        struct ice *a = alone(&controlled);
        struct endpoint far = kit_endpoint("198.51.100.9:9");
        struct ice_candidate least = udp_candidate(ICE_RELAY, &far, "r");
        know(a, PEER, "h");
        ice_add_remote(a, &least);
        struct endpoint mine = kit_endpoint("10.0.0.1:5001"), theirs = kit_endpoint("198.51.100.7:6001");
        struct ice_candidate l = udp_candidate(ICE_HOST, &mine, "h");
        struct ice_candidate r = udp_candidate(ICE_HOST, &theirs, same ? "h" : "other");
        l.component = r.component = 2;
        l.priority = r.priority = UINT32_MAX / 2; /* were it of priority alone, it would be first */
        ice_add_local(a, &l);
        ice_add_remote(a, &r);
        ice_start(a, 0);
        assert_int_equal(expect(a, "Binding request").local.component, same ? 1 : 2);
        if (same) {
            answer(a, &last, PEER, "their secret", 0, 10 * NS_MS);
            expect(a, "VALID");
        }
        ice_timer(a, 50 * NS_MS);
        assert_int_equal(expect(a, "Binding request").local.component, same ? 2 : 1);
        ice_free(a);
        a = alone(&controlled); /* and while it is not known to work, the less important goes */
        know(a, PEER, "h");
        know(a, "198.51.100.7:6001", "h");
        ice_add_remote(a, &least);
        ice_start(a, 0);
        expect(a, "Binding request");
        ice_timer(a, 50 * NS_MS);
        struct ice_event ev = expect(a, "Binding request");
        assert_true(endpoint_equal(&ev.remote.address, &far));
        ice_free(a);
    }
}

/* The peer's check makes ours go out anew at once (7.3.1.4), and the answer to either will do. */
static void cancelled_check_is_still_good(void **state)
{
    (void)state;
    for (unsigned which = 0; which < 2; which++) {
        struct ice *a = alone(&controlled);
        know(a, PEER, "h");
        ice_start(a, 0);
        expect(a, "Binding request");
        struct kept check[2] = {last};
        ask(a, PEER, "secret", true, false, 100 * NS_MS);
        expect(a, "Binding success");
        expect(a, "Binding request");
        check[1] = last;
        assert_memory_not_equal(check[0].bytes, check[1].bytes, 20);
        expect(a, "");
        answer(a, &check[which], PEER, "their secret", 0, 200 * NS_MS);
        expect(a, "VALID");
        answer(a, &check[1 - which], PEER, "their secret", 0, 200 * NS_MS);
        expect(a, "");
        ask(a, PEER, "secret", true, true, 300 * NS_MS);
        expect(a, "Binding success");
        expect(a, "NOMINATED");
        ice_free(a);
    }
}

/* USE-CANDIDATE before our own check is through: nominated when it is. */
static void use_candidate_comes_first(void **state)
{
    (void)state;
    struct ice *a = alone(&controlled);
    ice_start(a, 0);
    ask(a, PEER, "secret", true, true, 0); /* and nobody had told of this peer */
    expect(a, "Binding success");
    expect(a, "Binding request");
    assert_false(asked().controlling);
    answer(a, &last, PEER, "their secret", 0, 10 * NS_MS);
    expect(a, "VALID");
    struct ice_event ev = expect(a, "NOMINATED");
    assert_int_equal(ev.remote.type, ICE_PRFLX);
    assert_int_equal(ev.remote.priority, 1862270975);
    ask(a, "198.51.100.7:6002", "secret", true, false, 20 * NS_MS); /* from elsewhere: answered, and that is all */
    expect(a, "Binding success");
    ice_timer(a, 400 * NS_MS);
    expect(a, "");
    ice_free(a);
}

/* A nominating check may take as long as any, beyond the time for finding a pair; when it fails all is over, though
 * there is another pair: it may be the one that the peer has nominated by now (RFC 8445 7.2.5.3.4). */
static void nomination_is_refused(void **state)
{
    (void)state;
    struct ice *a = alone(&controlling);
    struct endpoint far = kit_endpoint(PEER);
    struct ice_candidate c = udp_candidate(ICE_RELAY, &far, "r");
    ice_add_remote(a, &c);
    know(a, "198.51.100.7:6001", "better");
    ice_start(a, 0);
    expect(a, "Binding request");
    struct kept better = last;
    ice_timer(a, 50 * NS_MS);
    expect(a, "Binding request");
    answer(a, &last, PEER, "their secret", 0, 60 * NS_MS);
    expect(a, "VALID");
    ice_timer(a, 500 * NS_MS);
    expect(a, "Binding request"); /* once more to the better one */
    ice_timer(a, 560 * NS_MS);
    answer(a, &better, "198.51.100.7:6001", "their secret", 0, 560 * NS_MS);
    for (unsigned i = 0; i < 7; i++) {
        expect(a, "Binding request");
        assert_true(asked().use_candidate);
        expect(a, i ? "" : "VALID");
        ice_timer(a, ice_deadline(a));
    }
    assert_non_null(strstr(expect(a, "FAILED").text, "no answer to the check"));
    assert_true(ice_deadline(a) == TIME_NEVER);
    ice_free(a);
}

/* Of two valid pairs that is nominated whose reflexive or own address the peer sees is worth more, not the one whose
 * base was (RFC 8445 7.2.5.3.2). */
static void what_the_peer_sees_counts(void **state)
{
    (void)state;
    static const char *const seen[][2] = {{OURS, "10.0.0.9:9"}, {"203.0.113.1:61000", "10.0.0.9:9"}};
    for (size_t i = 0; i < 2; i++) {
        struct ice *a = alone(&controlling);
        struct endpoint at = kit_endpoint("10.0.0.9:9"), outside = kit_endpoint("203.0.113.1:61000");
        struct ice_candidate second = udp_candidate(ICE_HOST, &at, "h2");
        struct ice_candidate srflx = udp_candidate(ICE_SRFLX, &outside, "s");
        second.priority -= 1 << 8;
        srflx.related = kit_endpoint(OURS);
        ice_add_local(a, &second);
        ice_add_local(a, &srflx);
        know(a, PEER, "h");
        ice_start(a, 0);
        expect(a, "Binding request");
        struct kept first = last;
        ice_timer(a, 50 * NS_MS);
        expect(a, "Binding request");
        answer_at(a, "10.0.0.9:9", seen[i][1], &last, PEER, "their secret", 0, 60 * NS_MS);
        expect(a, "VALID");
        answer_at(a, OURS, seen[i][0], &first, PEER, "their secret", 0, 60 * NS_MS);
        assert_int_equal(expect(a, "VALID").mapped.type, i ? ICE_SRFLX : ICE_HOST);
        ice_timer(a, 100 * NS_MS);
        assert_int_equal(expect(a, "Binding request").local.address.port, i ? 9 : 5000);
        ice_free(a);
    }
}

/* Where a check came from is told as a candidate later: the other host candidate may try it now. */
static void learned_then_told(void **state)
{
    (void)state;
    struct ice *a = alone(&controlled);
    struct endpoint at = kit_endpoint("10.0.0.9:9");
    struct ice_candidate second = udp_candidate(ICE_HOST, &at, "h2");
    ice_add_local(a, &second);
    ice_start(a, 0);
    ask(a, PEER, "secret", true, false, 0);
    expect(a, "Binding success");
    expect(a, "Binding request");
    ice_timer(a, 50 * NS_MS);
    expect(a, "");
    know(a, PEER, "h");
    ice_timer(a, 50 * NS_MS);
    struct ice_event ev = expect(a, "Binding request");
    assert_true(endpoint_equal(&ev.local.address, &at));
    ice_free(a);
}

/* What is not from the peer changes nothing: a wrong key, an id that was not ours, a stranger's check. */
static void false_messages(void **state)
{
    (void)state;
    struct ice *a = alone(&controlled);
    know(a, PEER, "h");
    ice_start(a, 0);
    expect(a, "Binding request");
    answer(a, &last, PEER, "secret", 0, 0);
    answer(a, &last, PEER, "wrong", 487, 0);
    struct kept other = last;
    other.bytes[19] ^= 1;
    struct stun_msg m;
    assert_int_equal(stun_parse(&stun_rfc8489, other.bytes, other.len, &m), 0);
    uint8_t bytes[ICE_MESSAGE_MAX];
    struct endpoint mapped = kit_endpoint(OURS), stranger = kit_endpoint("203.0.113.66:666");
    give(a, OURS, PEER, bytes, ice_success_encode(&m, &mapped, "their secret", bytes), 0);
    expect(a, "");
    ask(a, "203.0.113.66:666", "guess", true, true, 0);
    struct ice_event ev = expect(a, "Binding error 401");
    assert_true(endpoint_equal(&ev.remote.address, &stranger));
    expect(a, "");
    ice_timer(a, 400 * NS_MS);
    expect(a, ""); /* no check of the stranger */
    answer(a, &last, PEER, "their secret", 0, 450 * NS_MS);
    expect(a, "VALID");
    assert_true(give(a, "10.9.9.9:9", PEER, last.bytes, last.len, 500 * NS_MS)); /* not one of our addresses */
    expect(a, "");
    assert_false(give(a, OURS, PEER, "\x80\x60media....................", 24, 500 * NS_MS));
    ice_free(a);
}

/* RFC 8445 7.2.5.2.1: the answer must come from where the check went. */
static void answer_from_elsewhere(void **state)
{
    (void)state;
    struct ice *a = alone(&controlled);
    know(a, PEER, "h");
    ice_start(a, 0);
    expect(a, "Binding request");
    answer(a, &last, "198.51.100.7:6009", "their secret", 0, 0);
    ice_timer(a, 30 * NS_S);
    assert_non_null(strstr(expect(a, "FAILED").text, "the answer came from elsewhere"));
    ice_free(a);
}

static void wrong_password(void **state)
{
    (void)state;
    struct ice *a = alone(&controlled);
    know(a, PEER, "h");
    ice_start(a, 0);
    expect(a, "Binding request");
    answer(a, &last, PEER, NULL, 401, 10 * NS_MS);
    ice_timer(a, 30 * NS_S);
    assert_non_null(strstr(expect(a, "FAILED").text, "Binding error 401"));
    ice_free(a);
}

/* In the check of RFC 8445 there is what RFC 8445 asks for, the user name's length without padding, and no more. */
static void what_a_check_is_made_of(void **state)
{
    (void)state;
    static const uint16_t types[] = {ATTR_PRIORITY, ATTR_ICE_CONTROLLING, ATTR_USERNAME, ATTR_MESSAGE_INTEGRITY,
                                     ATTR_FINGERPRINT};
    struct ice_config cfg = controlling;
    cfg.candidate_id = "3";
    struct ice *a = alone(&cfg);
    know(a, PEER, "h");
    ice_start(a, 0);
    expect(a, "Binding request");
    struct stun_msg m;
    struct stun_attr it = {0};
    assert_int_equal(stun_parse(&stun_rfc8489, last.bytes, last.len, &m), 0);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        assert_true(stun_next(&m, &it));
        assert_int_equal(it.type, types[i]);
        if (it.type == ATTR_USERNAME)
            assert_int_equal(it.len, strlen("them:us"));
    }
    assert_false(stun_next(&m, &it));
    ice_free(a);
}

/* A reflexive candidate is sent from its base; told before its host candidate it makes no second pair with it. */
static void reflexive_is_its_base(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 3; first++) {
        struct ice_config cfg = controlling;
        struct ice *a = ice_new(&cfg, rng_named(1, "alone"));
        struct endpoint base = kit_endpoint(OURS), outside = kit_endpoint("203.0.113.1:61000");
        struct ice_candidate host = udp_candidate(ICE_HOST, &base, "h");
        struct ice_candidate srflx = udp_candidate(ICE_SRFLX, &outside, "s");
        srflx.related = base;
        know(a, PEER, "h");
        if (first == 0)
            ice_add_local(a, &host);
        ice_add_local(a, &srflx);
        if (first == 1)
            ice_add_local(a, &host);
        ice_set_remote_credentials(a, "them", "their secret");
        ice_start(a, 0);
        struct ice_event ev = expect(a, "Binding request");
        assert_true(endpoint_equal(&ev.local.address, &base));
        assert_int_equal(ev.local.type, first == 2 ? ICE_SRFLX : ICE_HOST);
        ice_timer(a, 100 * NS_MS);
        expect(a, "");
        ice_free(a);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(retransmission),
        cmocka_unit_test(a_full_list_has_a_long_timer),
        cmocka_unit_test(foundations),
        cmocka_unit_test(cancelled_check_is_still_good),
        cmocka_unit_test(use_candidate_comes_first),
        cmocka_unit_test(nomination_is_refused),
        cmocka_unit_test(what_the_peer_sees_counts),
        cmocka_unit_test(learned_then_told),
        cmocka_unit_test(false_messages),
        cmocka_unit_test(answer_from_elsewhere),
        cmocka_unit_test(wrong_password),
        cmocka_unit_test(what_a_check_is_made_of),
        cmocka_unit_test(reflexive_is_its_base),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
