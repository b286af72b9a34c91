/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reference capture, read back: every frame of the table where it was, as long as it was, and the message that it
 * was. */
#include <string.h>
#include <unistd.h>

#include "models/base/time.h"
#include "models/stun/stun.h"
#include "models/testkit/testkit.h"
#include "models/wire/wire.h"
#include "sim/capture/capture.h"
#include "sim/capture/reference_kit.h"

/* Again from the facts, not from the kit's table. */
static const struct {
    unsigned number;
    double t;
    const char *from, *to;
    size_t len;
    uint16_t type;    /* of the STUN message; 0: none */
    uint16_t attrs[9];
} facts[] = {
    {2394, 51.966175, "10.48.54.230", "10.48.54.229:3478", 98, 0x0003, {0x19, 0x0d}},
    {2397, 51.968443, "10.48.54.229", "10.48.54.230", 230, 0x0113, {0x15, 0x14, 0x0d}},
    {2399, 51.968947, "10.48.54.230", "10.48.54.229:3478", 202, 0x0003, {0x06, 0x14, 0x15, 0x19, 0x08}},
    {2427, 52.084888, "10.48.54.229", "10.48.54.230", 166, 0x0103, {0x0d, 0x20, 0x16}},
    {2428, 52.085424, "10.48.54.230", "10.48.54.229:3478", 190, 0x0004, {0x06, 0x14, 0x15, 0x0d, 0x08}},
    {2447, 52.172733, "10.48.54.229", "10.48.54.230", 142, 0x0104, {0x0d}},
    {2526, 52.568097, "10.48.54.229", "10.48.54.230", 154, 0x001c, {0x12, 0x2a}},
    {2540, 52.618906, "10.48.54.230", "10.48.54.229:3478", 190, 0x000b, {0x06, 0x14, 0x15, 0x2a, 0x08}},
    {2552, 52.673050, "10.48.54.229", "10.48.54.230", 142, 0x010b, {0}},
    {2596, 52.829644, "10.48.54.229", "10.48.54.230:44342", 144, 0, {0}},
    {2597, 52.829905, "10.48.54.230", "10.48.54.229:3478", 164, 0, {0}},
    {2608, 52.869391, "10.48.54.229", "10.48.54.230:44342", 54, 0, {0}},
    {2770, 54.055033, "10.48.54.229", "10.48.54.230:44342", 170, 0, {0}},
    {3209, 57.084719, "10.48.54.229", "10.48.54.230", 82, 0x0011, {0}},
};

static void check_message(const uint8_t *bytes, size_t len, size_t fact)
{
    struct stun_msg m;
    struct stun_attr a;
    uint8_t key[16];
    uint32_t seconds;
    stun_long_term_key(reference_user, reference_realm, reference_password, key);
    assert_int_equal(stun_parse(&stun_rfc8489, bytes, len, &m), 0);
    assert_int_equal(m.type, facts[fact].type);
    for (size_t i = 0; i < 9 && facts[fact].attrs[i]; i++)
        assert_true(facts[fact].attrs[i] == ATTR_MESSAGE_INTEGRITY ? m.mac_at > 0
                                                                   : stun_find(&m, facts[fact].attrs[i], &a));
    if (m.mac_at)
        assert_int_equal(stun_check_integrity(&m, key, sizeof key), 0);
    if (m.fingerprint_at)
        assert_int_equal(stun_check_fingerprint(&m), 0);
    bool request = m.cls == STUN_REQUEST;
    assert_true(request == !m.fingerprint_at);
    if (stun_get_u32(&m, ATTR_LIFETIME, &seconds) == 0)
        assert_int_equal(seconds, 600);
}

static void frames_of_the_table(void **state)
{
    (void)state;
    static struct reference_frame frames[REFERENCE_FRAMES];
    reference_frames(frames);
    assert_int_equal(sizeof facts / sizeof *facts, REFERENCE_FRAMES);
    for (size_t i = 0; i < REFERENCE_FRAMES; i++) {
        const struct reference_frame *f = &frames[i];
        struct wire_packet p;
        char to[ENDPOINT_TEXT];
        assert_int_equal(f->number, facts[i].number);
        assert_int_equal(f->t_ns, (uint64_t)(facts[i].t * 1e6 + 0.5) * 1000);
        assert_int_equal(f->len, facts[i].len);
        assert_int_equal(wire_parse((uint8_t *)f->bytes, f->len, &p), 0);
        assert_int_equal(wire_check(&p), 0);
        struct ip_addr from = kit_ip(facts[i].from);
        assert_true(ip_equal(&p.src, &from));
        const struct endpoint dst = {p.dst, p.dport};
        assert_memory_equal(endpoint_text(&dst, to), facts[i].to, strlen(facts[i].to));
        assert_int_equal(p.payload, 54);
        if (facts[i].type)
            check_message(f->bytes + 54, f->len - 54, i);
    }
    /* The framed request: its fingerprint verifies. */
    struct stun_msg m;
    const uint8_t *framed = frames[10].bytes + 54;
    assert_int_equal(framed[0] << 8 | framed[1], 108);
    assert_int_equal(stun_parse(&stun_ms_ice2, framed + 2, 108, &m), 0);
    assert_int_equal(stun_check_fingerprint(&m), 0);
}

/* ---- through the file and the trace ---- */

struct listener {
    unsigned bytes[2][2], gaps[2][2]; /* by connection, by direction */
    uint64_t real_frame;
};

static void listen(void *ctx, const struct seen *s)
{
    struct listener *l = ctx;
    bool bound = s->from.port == 44342 || s->to.port == 44342;
    if (s->kind == SEEN_BYTES)
        l->bytes[bound][s->reply] += (unsigned)s->len;
    if (s->kind == SEEN_GAP)
        l->gaps[bound][s->reply] += (unsigned)s->len;
    if (s->kind == SEEN_BYTES && s->len == 110)
        l->real_frame = s->frame;
}

static void through_the_trace(void **state)
{
    (void)state;
    struct file_kit f = {0};
    struct diag d = {""};
    struct listener l = {.real_frame = 0};
    reference_file(&f);
    const char *path = file_kit_write(&f);
    struct capture *c = capture_open(path, &d);
    unlink(path);
    struct trace *t = trace_new(&trace_default_limits, listen, &l);
    assert_true(c && t);
    assert_int_equal(capture_trace(c, t, &d), 0);
    struct trace_stats s = trace_stats(t);
    assert_int_equal(s.frames, 3209);
    assert_int_equal(s.tcp, REFERENCE_FRAMES);
    assert_int_equal(s.flows, 2);
    assert_int_equal(l.real_frame, 2597);
    assert_int_equal(l.bytes[0][0], 44 + 148 + 136);
    assert_int_equal(l.bytes[0][1], 176 + 112 + 88 + 100 + 28);
    assert_int_equal(l.gaps[0][0] + l.gaps[0][1], 0);
    assert_int_equal(l.bytes[1][0], 136 + 110); /* and of the 528 bytes before 2597 the others, */
    assert_int_equal(l.gaps[1][0], 528 - 136);
    assert_int_equal(l.bytes[1][1], 88 + 90 + 116); /* of the 390 before 2596 */
    assert_int_equal(l.gaps[1][1], 390 - 88);
    trace_free(t);
    capture_close(c);
    file_kit_free(&f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(frames_of_the_table),
                                              cmocka_unit_test(through_the_trace)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
