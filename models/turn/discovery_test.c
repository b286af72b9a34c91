/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Binding and RFC 5780: who answers, what it tells, and that a server of one address knows nothing of it. */
#include "models/turn/bench_test.h"

#define HERE "10.0.0.1:3478"
#define FAR "10.0.0.9:3479"
#define CLIENT "10.0.0.2:5000"

static struct bench *bench_of(const char *const *listen, size_t count)
{
    struct endpoint at[4];
    for (size_t i = 0; i < count; i++)
        at[i] = kit_endpoint(listen[i]);
    struct turn_config cfg = bench_config();
    cfg.listen_udp = at;
    cfg.listen_udp_count = count;
    return bench_with(&cfg);
}

/* Sends a Binding request to `to`; the code of the answer, which came from `from`, or -1. */
static int bind_from(struct bench *b, const char *to, const char *attrs, const char *from, struct stun_msg *m,
                     uint8_t *buf)
{
    struct client c = {0};
    struct endpoint client = kit_endpoint(CLIENT), server = kit_endpoint(to), answerer = kit_endpoint(from);
    uint8_t request[256];
    size_t n = compose(&c, STUN_BINDING, attrs, request, sizeof request);
    assert_true(bench_datagram(b, &client, &server, request, n));
    const struct kept *k = bench_take(b, &client);
    if (!k)
        return -1;
    assert_true(endpoint_equal(&k->local, &answerer));
    assert_int_equal(k->id, bench_socket(b, IO_OP_UDP, &answerer));
    memcpy(buf, k->data, k->len);
    assert_int_equal(stun_parse(&stun_rfc8489, buf, k->len, m), 0);
    int code = 0;
    const char *reason;
    size_t len;
    return m->cls == STUN_ERROR && stun_get_error(m, &code, &reason, &len) == 0 ? code : 0;
}

static void expect_address(const struct stun_msg *m, enum stun_attr_type type, const char *want)
{
    struct endpoint e, w = kit_endpoint(want);
    assert_int_equal(stun_get_address(m, type, &e), 0);
    assert_true(endpoint_equal(&e, &w));
}

/* 5780 7.2, 7.3, 7.4: the answer leaves from where it is asked to, says so, and names the other corner. */
static void four_corners(void **state)
{
    (void)state;
    static const char *const corners[] = {HERE, "10.0.0.1:3479", "10.0.0.9:3478", FAR};
    static const struct {
        const char *to, *attrs, *from, *other;
    } row[] = {
        {HERE, "", HERE, FAR},
        {HERE, "00030004 00000000 ", HERE, FAR},
        {HERE, "00030004 00000002 ", "10.0.0.1:3479", FAR},
        {HERE, "00030004 00000004 ", "10.0.0.9:3478", FAR},
        {HERE, "00030004 00000006 ", FAR, FAR},
        {FAR, "00030004 00000006 ", HERE, HERE},
        {"10.0.0.9:3478", "", "10.0.0.9:3478", "10.0.0.1:3479"},
    };
    struct bench *b = bench_of(corners, 4);
    for (size_t i = 0; i < COUNT(row); i++) {
        struct stun_msg m;
        uint8_t buf[STUN_MAX];
        assert_int_equal(bind_from(b, row[i].to, row[i].attrs, row[i].from, &m, buf), 0);
        expect_address(&m, ATTR_XOR_MAPPED_ADDRESS, CLIENT);
        expect_address(&m, ATTR_RESPONSE_ORIGIN, row[i].from);
        expect_address(&m, ATTR_OTHER_ADDRESS, row[i].other);
    }
    bench_free(b);
}

/* 5780 6.1: with three corners, or one, CHANGE-REQUEST is an unknown attribute; without it all is as ever. */
static void too_few_corners(void **state)
{
    (void)state;
    static const char *const corners[] = {HERE, "10.0.0.1:3479", FAR};
    for (size_t count = 1; count <= 3; count++) {
        struct bench *b = bench_of(corners, count);
        struct stun_msg m;
        struct stun_attr a;
        uint8_t buf[STUN_MAX];
        assert_int_equal(bind_from(b, HERE, "", HERE, &m, buf), 0);
        assert_false(stun_find(&m, ATTR_OTHER_ADDRESS, &a));
        assert_false(stun_find(&m, ATTR_RESPONSE_ORIGIN, &a));
        assert_int_equal(bind_from(b, HERE, "00030004 00000000 ", HERE, &m, buf), 420);
        assert_true(stun_find(&m, ATTR_UNKNOWN_ATTRIBUTES, &a));
        assert_int_equal(a.len, 2);
        assert_memory_equal(a.value, "\x00\x03", 2);
        bench_free(b);
    }
}

static void a_short_request_is_malformed(void **state)
{
    (void)state;
    static const char *const corners[] = {HERE, "10.0.0.1:3479", "10.0.0.9:3478", FAR};
    struct bench *b = bench_of(corners, 4);
    struct stun_msg m;
    uint8_t buf[STUN_MAX];
    assert_int_equal(bind_from(b, HERE, "00030002 00060000 ", HERE, &m, buf), 400);
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_corners),
        cmocka_unit_test(too_few_corners),
        cmocka_unit_test(a_short_request_is_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
