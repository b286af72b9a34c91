/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP connections as a bystander tells them. */
#include "models/base/rng.h"
#include "models/trace/rig_test.h"

static void opens_speaks_closes(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r);
    rig_handshake(&r);
    rig_tcp(&r, CLIENT, PSH | ACK, 101, 501, "GET");
    rig_tcp(&r, SERVER, PSH | ACK, 501, 104, "200 ");
    rig_tcp(&r, SERVER, PSH | ACK | FIN, 505, 104, "OK");
    assert_int_equal(r.last.frame, 6);
    assert_int_equal(r.last.t_ns, r.t_ns);
    assert_true(endpoint_equal(&r.last.from, &r.end[SERVER]) && endpoint_equal(&r.last.to, &r.end[CLIENT]));
    rig_tcp(&r, CLIENT, ACK | FIN, 104, 508, "");
    rig_tcp(&r, SERVER, ACK, 508, 105, "");
    rig_told(&r, "<GET> <200 >' <OK>' fin' fin");
    trace_end(r.t);
    rig_told(&r, "end");
    rig_stop(&r);
}

/* Each order of four segments, with sequence numbers that wrap around: the bytes come once and in order. */
static void any_order(void **state)
{
    (void)state;
    static const struct {
        unsigned at;
        const char *text;
    } part[4] = {{0, "ab"}, {2, "cde"}, {5, "f"}, {6, "gh"}};
    for (unsigned n = 0; n < 256; n++) {
        const unsigned order[4] = {n & 3, n >> 2 & 3, n >> 4 & 3, n >> 6};
        if ((1u << order[0] | 1u << order[1] | 1u << order[2] | 1u << order[3]) != 15)
            continue;
        struct rig r;
        rig_start(&r);
        rig_tcp(&r, CLIENT, SYN, 0xfffffffb, 0, "");
        rig_tcp(&r, CLIENT, ACK, 0xfffffffc, 7, "");
        rig_told(&r, "syn open");
        char got[16];
        struct text letters = text_of(got, sizeof got);
        for (unsigned i = 0; i < 4; i++) {
            rig_tcp(&r, CLIENT, ACK, 0xfffffffc + part[order[i]].at, 7, part[order[i]].text);
            for (const char *p = r.buf; *p; p++)
                if (*p >= 'a' && *p <= 'h')
                    text_add(&letters, "%c", *p);
            r.log = text_of(r.buf, sizeof r.buf);
        }
        assert_string_equal(got, "abcdefgh");
        rig_stop(&r);
    }
}

static void sent_again_and_overlapping(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r);
    rig_handshake(&r);
    rig_tcp(&r, CLIENT, ACK, 101, 501, "abc");
    rig_tcp(&r, CLIENT, ACK, 101, 501, "abc");
    rig_tcp(&r, CLIENT, ACK, 102, 501, "bcde"); /* half of it is new */
    rig_told(&r, "<abc> <de>");
    rig_tcp(&r, CLIENT, ACK, 108, 501, "HI");
    rig_tcp(&r, CLIENT, ACK, 106, 501, "fghXj"); /* one byte before, two again, one behind that comes too early */
    rig_told(&r, "conflict <hX> <fg> <HIj>");
    rig_tcp(&r, CLIENT, ACK, 112, 501, "lm");
    rig_tcp(&r, CLIENT, ACK, 112, 501, "lm"); /* held, and the same again */
    rig_tcp(&r, CLIENT, ACK, 111, 501, "klmn");
    rig_told(&r, "<k> <lmn>");
    assert_int_equal(trace_stats(r.t).conflicts, 1);
    assert_int_equal(trace_stats(r.t).old, 1); /* the first "abc" sent again: all others had something new */
    rig_stop(&r);
}

/* RFC 1122 4.2.3.6: a byte before the next one, or none at all, to be acknowledged again. */
static void keep_alive(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r);
    rig_handshake(&r);
    rig_tcp(&r, CLIENT, ACK, 101, 501, "ab");
    rig_tcp(&r, SERVER, ACK, 501, 103, "");
    rig_tcp(&r, CLIENT, ACK, 102, 501, "");
    rig_tcp(&r, CLIENT, ACK, 102, 501, "?");
    rig_tcp(&r, SERVER, ACK, 501, 103, "");
    rig_tcp(&r, CLIENT, ACK, 103, 501, "c");
    rig_told(&r, "<ab> <c>");
    rig_stop(&r);
}

/* The higher port is the client's, whoever is heard first. */
static void start_missed(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 2; first++) {
        struct rig r;
        rig_start(&r);
        rig_tcp(&r, first, ACK, 1000, 7000, "x");
        rig_tcp(&r, !first, ACK, 7000, 1001, "y");
        rig_told(&r, first == CLIENT ? "open? <x> <y>'" : "open? <x>' <y>");
        rig_stop(&r);
    }
}

static void one_direction_only(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r);
    rig_tcp(&r, SERVER, SYN | ACK, 500, 101, "");
    rig_tcp(&r, SERVER, ACK, 501, 101, "banner");
    rig_told(&r, "syn' open <banner>'");
    rig_tcp(&r, SERVER, ACK, 507, 151, "ok"); /* fifty bytes that were not seen */
    r.t_ns += 60 * NS_MS;
    rig_tcp(&r, SERVER, ACK, 509, 151, "more");
    rig_told(&r, "<ok>' <more>' gap 50");
    rig_tcp(&r, SERVER, ACK, 513, 161, "");
    trace_end(r.t);
    rig_told(&r, "gap 10 end");
    rig_stop(&r);
}

static void holes(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r);
    rig_handshake(&r);
    rig_tcp(&r, CLIENT, ACK, 111, 501, "behind"); /* bytes 101-110 have not come */
    rig_told(&r, "");
    rig_tcp(&r, SERVER, ACK, 501, 101, "");
    rig_told(&r, "");
    rig_tcp(&r, SERVER, ACK, 501, 117, ""); /* they have, to the server */
    rig_told(&r, "gap 10 <behind>");
    rig_tcp(&r, CLIENT, ACK, 101, 501, "tenthbytes");
    rig_told(&r, "");
    rig_tcp(&r, SERVER, ACK, 501, 120, ""); /* the acknowledgment overtook the bytes, as captures have it */
    rig_tcp(&r, CLIENT, ACK, 117, 501, "abc");
    rig_told(&r, "<abc>");
    rig_tcp(&r, SERVER, ACK, 501, 125, "");
    rig_tcp(&r, CLIENT, ACK, 125, 501, "xy");
    rig_told(&r, "gap 5 <xy>");
    rig_tcp(&r, CLIENT, ACK | FIN, 130, 501, "z"); /* never acknowledged */
    rig_told(&r, "");
    trace_end(r.t);
    rig_told(&r, "gap 3 <z> fin end");
    rig_stop(&r);
}

static void cut_by_the_capture(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r);
    rig_handshake(&r);
    r.snaplen = WIRE_ETH + WIRE_IP4 + WIRE_TCP + 3;
    rig_tcp(&r, CLIENT, ACK, 101, 501, "abcdef");
    rig_tcp(&r, CLIENT, ACK, 107, 501, "ghi");
    rig_told(&r, "<abc> gap 3 <ghi>");
    rig_tcp(&r, CLIENT, ACK | FIN, 115, 501, "opqrst"); /* early and cut */
    rig_tcp(&r, CLIENT, ACK, 110, 501, "jklmn");
    rig_told(&r, "<jkl> gap 2 <opq> gap 3 fin");
    r.snaplen = WIRE_ETH + WIRE_IP4 + WIRE_TCP - 1;
    rig_tcp(&r, SERVER, ACK, 501, 121, "x");
    rig_told(&r, "");
    assert_int_equal(trace_stats(r.t).malformed, 1);
    assert_int_equal(trace_stats(r.t).cut, 4);
    rig_stop(&r);
}

static void ports_used_anew(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r);
    rig_handshake(&r);
    rig_tcp(&r, CLIENT, ACK, 103, 501, "early");
    rig_tcp(&r, CLIENT, SYN, 9000, 0, "");
    rig_told(&r, "gap 2 <early> end 2:syn");
    rig_tcp(&r, SERVER, SYN | ACK, 4000, 9001, "");
    rig_tcp(&r, CLIENT, ACK, 9001, 4001, "new");
    rig_told(&r, "2:syn' 2:open 2:<new>");
    rig_tcp(&r, SERVER, SYN, 70, 0, ""); /* now the other way round */
    rig_told(&r, "2:end 3:syn");
    assert_int_equal(r.last.reply, false);
    assert_int_equal(trace_stats(r.t).flows, 3);
    rig_stop(&r);
}

static void syn_again(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r);
    rig_tcp(&r, CLIENT, SYN, 100, 0, "");
    r.id--; /* the same packet on the next link */
    r.ttl--;
    rig_tcp(&r, CLIENT, SYN, 100, 0, "");
    rig_told(&r, "syn");
    r.ttl++;
    r.t_ns += NS_S;
    rig_tcp(&r, CLIENT, SYN, 100, 0, "");
    rig_told(&r, "syn");
    rig_tcp(&r, SERVER, RST | ACK, 0, 101, "");
    rig_tcp(&r, SERVER, RST | ACK, 0, 101, "");
    rig_told(&r, "rst'");
    rig_tcp(&r, CLIENT, SYN, 100, 0, ""); /* as Windows does */
    rig_tcp(&r, SERVER, RST | ACK, 0, 101, "");
    rig_told(&r, "syn rst'");
    rig_stop(&r);
}

static void resets(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r);
    rig_handshake(&r);
    rig_tcp(&r, CLIENT, ACK, 101, 501, "abc");
    rig_tcp(&r, CLIENT, RST, 104 + 0x60000000, 0, ""); /* of no window */
    rig_told(&r, "<abc>");
    rig_tcp(&r, SERVER, RST, 501, 0, "");
    rig_tcp(&r, SERVER, RST, 501, 0, "");
    rig_tcp(&r, CLIENT, RST, 104, 0, "");
    rig_told(&r, "rst' rst");
    trace_end(r.t);
    rig_told(&r, "end");
    rig_tcp(&r, CLIENT, RST, 104, 0, ""); /* heard of nothing before */
    rig_told(&r, "2:rst");
    rig_stop(&r);
}

static void data_with_the_syn(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r);
    rig_tcp(&r, CLIENT, SYN, 100, 0, "fast");
    rig_tcp(&r, SERVER, SYN | ACK, 500, 105, "yes");
    rig_told(&r, "syn syn'");
    rig_tcp(&r, CLIENT, ACK, 105, 504, "er");
    rig_told(&r, "open <fast> <yes>' <er>"); /* by end, not by time: neither was told before the handshake was */
    rig_stop(&r);
}

static void both_open(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r);
    rig_tcp(&r, CLIENT, SYN, 100, 0, "");
    rig_tcp(&r, SERVER, SYN, 500, 0, "");
    rig_tcp(&r, CLIENT, SYN | ACK, 100, 501, "");
    rig_tcp(&r, SERVER, SYN | ACK, 500, 101, "");
    rig_tcp(&r, CLIENT, ACK, 101, 501, "x");
    rig_told(&r, "syn syn' syn syn' open <x>");
    rig_stop(&r);
}

static void fins(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r);
    rig_handshake(&r);
    rig_tcp(&r, CLIENT, ACK | FIN, 104, 501, ""); /* overtook the bytes */
    rig_tcp(&r, CLIENT, ACK, 101, 501, "abc");
    rig_tcp(&r, CLIENT, ACK | FIN, 104, 501, "");
    rig_told(&r, "<abc> fin");
    rig_tcp(&r, SERVER, ACK, 501, 105, "tail");
    rig_tcp(&r, CLIENT, ACK, 105, 506, ""); /* acknowledges a FIN that comes late */
    rig_tcp(&r, SERVER, ACK | FIN, 505, 105, "");
    rig_told(&r, "<tail>' fin'");
    rig_tcp(&r, CLIENT, ACK, 104, 506, "at its place");
    rig_tcp(&r, CLIENT, ACK, 110, 506, "behind");
    rig_tcp(&r, SERVER, ACK, 506, 150, "");
    r.t_ns += NS_S;
    rig_tcp(&r, SERVER, ACK, 506, 150, "");
    trace_end(r.t);
    rig_told(&r, "end");
    rig_stop(&r);

    rig_start(&r);
    rig_handshake(&r);
    rig_tcp(&r, CLIENT, ACK, 110, 501, "behind"); /* what proves to be the end */
    rig_tcp(&r, CLIENT, ACK | FIN, 101, 501, "abc");
    rig_tcp(&r, SERVER, ACK | FIN, 511, 105, "");
    rig_told(&r, "<abc> fin");
    rig_tcp(&r, CLIENT, ACK, 105, 512, ""); /* ten bytes and the FIN */
    r.t_ns += NS_S;
    rig_tcp(&r, CLIENT, ACK, 105, 512, "");
    rig_told(&r, "gap 10' fin'");
    trace_end(r.t);
    rig_told(&r, "end");
    rig_stop(&r);
}

/* Old segments of another connection do no harm; two in a row are the truth. */
static void out_of_any_window(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r);
    rig_handshake(&r);
    rig_tcp(&r, CLIENT, ACK, 101, 501, "abc");
    rig_tcp(&r, CLIENT, ACK, 0x70000000, 501, "far");
    rig_tcp(&r, CLIENT, ACK, 104, 501, "def");
    rig_tcp(&r, SERVER, ACK, 501, 107 + 0x70000000, "good");
    rig_told(&r, "<abc> <def> <good>'");
    assert_int_equal(trace_stats(r.t).stray, 1);
    rig_tcp(&r, CLIENT, ACK, 0x70000100, 505, "lost");
    rig_tcp(&r, CLIENT, ACK, 0x70000104, 505, "found");
    rig_tcp(&r, CLIENT, ACK, 0x70000109, 505, "and on");
    rig_told(&r, "gap 1879048345 <found> <and on>");
    rig_stop(&r);
}

static void limits_are_kept(void **state)
{
    (void)state;
    const struct trace_limits one_block = {.flows = 2, .held_a_direction = 2048, .held_in_all = 4096};
    struct rig r;
    rig_start_with(&r, &one_block);
    rig_handshake(&r);
    rig_tcp(&r, CLIENT, ACK, 111, 501, "a");
    rig_tcp(&r, CLIENT, ACK, 112, 501, "b"); /* in the same block */
    rig_told(&r, "");
    rig_tcp(&r, CLIENT, ACK, 121, 501, "c");
    rig_told(&r, "gap 10 <ab>");
    r.end[CLIENT].port++;
    rig_tcp(&r, CLIENT, ACK, 1, 1, "second");
    rig_told(&r, "2:open? 2:<second>");
    r.end[CLIENT].port++;
    rig_tcp(&r, CLIENT, ACK, 1, 1, "third");
    rig_told(&r, "gap 8 <c> end 3:open? 3:<third>");
    assert_int_equal(trace_stats(r.t).flows_evicted, 1);
    assert_int_equal(trace_stats(r.t).held_peak, 4096);
    rig_stop(&r);

    const struct trace_limits nothing = {.flows = 1};
    rig_start_with(&r, &nothing);
    rig_handshake(&r);
    rig_tcp(&r, CLIENT, ACK, 111, 501, "a");
    rig_told(&r, "gap 10 <a>");
    rig_stop(&r);
    assert_null(trace_new(&(struct trace_limits){0}, rig_seen, &r));
}

/* The table beside a list in the order of use: a port is of a flow that is known, or the flow least recently used
 * ends. */
static void least_recently_used(void **state)
{
    (void)state;
    enum { TABLE = 9 };
    const struct trace_limits few = {.flows = TABLE};
    struct {
        uint32_t flow;
        uint16_t port;
    } known[TABLE + 1] = {{0}};
    struct rng g = rng_named(1, "trace/lru");
    struct rig r;
    uint32_t flows = 0;
    rig_start_with(&r, &few);
    for (unsigned i = 0; i < 3000; i++) {
        uint16_t port = (uint16_t)(50000 + rng_below(&g, 14));
        size_t at = 0;
        while (at < TABLE && known[at].port != port)
            at++;
        char want[64];
        struct text t = text_of(want, sizeof want);
        if (at == TABLE && known[TABLE - 1].flow)
            text_add(&t, known[TABLE - 1].flow == 1 ? "end " : "%u:end ", known[TABLE - 1].flow);
        uint32_t flow = at < TABLE ? known[at].flow : ++flows;
        memmove(known + 1, known, (at < TABLE ? at : TABLE - 1) * sizeof *known);
        known[0].flow = flow;
        known[0].port = port;
        text_add(&t, flow == 1 ? "[x]" : "%u:[x]", flow);
        r.end[CLIENT].port = port;
        rig_udp(&r, CLIENT, "x");
        rig_told(&r, want);
    }
    assert_int_equal(trace_stats(r.t).flows, flows);
    assert_int_equal(trace_stats(r.t).flows_evicted, flows - TABLE);
    rig_stop(&r);
}

/* ---- any stream, cut and mixed in any way, under any limits: what is told is right wherever it stands ---- */

enum { STREAM = 20000, SEGMENTS = 120 };

struct listener {
    const uint8_t *sent;
    size_t at, bytes;
    unsigned fins, conflicts, ends;
};

static void listen(void *ctx, const struct seen *s)
{
    struct listener *l = ctx;
    if (s->reply || s->kind == SEEN_SYN || s->kind == SEEN_OPEN)
        return;
    assert_int_equal(l->fins && s->kind != SEEN_END, 0);
    l->fins += s->kind == SEEN_FIN;
    l->ends += s->kind == SEEN_END;
    l->conflicts += s->kind == SEEN_CONFLICT;
    if (s->kind != SEEN_BYTES && s->kind != SEEN_GAP)
        return;
    assert_true(l->at + s->len <= STREAM);
    if (s->kind == SEEN_BYTES)
        assert_memory_equal(s->data, l->sent + l->at, s->len);
    l->bytes += s->kind == SEEN_BYTES ? s->len : 0;
    l->at += s->len;
}

/* Cuts the stream into segments that overlap, loses some, repeats some, moves some. Gives the bytes that the capture
 * has at least once. */
static size_t mix_and_send(struct rig *r, struct rng *g, const uint8_t *sent, uint32_t isn, bool lossy)
{
    struct {
        size_t at, len;
    } seg[SEGMENTS * 2];
    static bool there[STREAM];
    memset(there, 0, sizeof there);
    size_t n = 0, have = 0;
    for (size_t at = 0; at < STREAM && n < SEGMENTS; n++) {
        size_t len = 1 + rng_below(g, STREAM / SEGMENTS * 3);
        len = n + 1 == SEGMENTS || len > STREAM - at ? STREAM - at : len;
        size_t back = at ? rng_below(g, at < 300 ? at : 300) * rng_chance(g, 1, 3) : 0;
        seg[n].at = at - back;
        seg[n].len = len + back;
        at += len;
    }
    for (size_t i = 0, firsts = n; i < firsts; i++)
        if (rng_chance(g, 1, 4))
            seg[n++] = seg[i];
    for (size_t i = n; i-- > 1;) {
        size_t j = i - rng_below(g, (i < 20 ? i : 20) + 1);
        size_t at = seg[i].at, len = seg[i].len;
        seg[i] = seg[j];
        seg[j].at = at;
        seg[j].len = len;
    }
    for (size_t i = 0; i < n; i++) {
        if (lossy && rng_chance(g, 1, 6))
            continue;
        memset(there + seg[i].at, 1, seg[i].len);
        struct frame f;
        rig_tcp_frame(r, &f, CLIENT, ACK | (seg[i].at + seg[i].len == STREAM ? FIN : 0),
                      isn + 1 + (uint32_t)seg[i].at, 501, sent + seg[i].at, seg[i].len);
        r->t_ns += NS_US;
        rig_frame(r, &f);
    }
    for (size_t i = 0; i < STREAM; i++)
        have += there[i];
    return have;
}

static void anything(void **state)
{
    (void)state;
    static uint8_t sent[STREAM];
    struct rng g = rng_named(1, "trace/anything");
    rng_fill(&g, sent, sizeof sent);
    for (unsigned round = 0; round < 400; round++) {
        bool lossy = round & 1, small = round & 2;
        struct listener l = {.sent = sent};
        struct rig r;
        const struct trace_limits limits = {.flows = 1, .held_a_direction = rng_below(&g, 12) * 2048,
                                            .held_in_all = rng_below(&g, 12) * 2048};
        rig_start_with(&r, small ? &limits : &trace_default_limits);
        trace_free(r.t);
        r.t = trace_new(small ? &limits : &trace_default_limits, listen, &l);
        uint32_t isn = (uint32_t)rng_u64(&g) | (round & 4 ? 0xffffe000 : 0);
        rig_tcp(&r, CLIENT, SYN, isn, 0, "");
        rig_tcp(&r, SERVER, SYN | ACK, 500, isn + 1, "");
        rig_tcp(&r, CLIENT, ACK, isn + 1, 501, "");
        size_t have = mix_and_send(&r, &g, sent, isn, lossy);
        trace_end(r.t);
        assert_int_equal(l.conflicts, 0);
        assert_int_equal(l.ends, 1);
        assert_true(l.bytes <= have);
        if (!small)
            assert_int_equal(l.bytes, have);
        if (!lossy)
            assert_int_equal(l.at, STREAM);
        assert_true(!small || trace_stats(r.t).held_peak <= limits.held_in_all);
        rig_stop(&r);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_speaks_closes), cmocka_unit_test(any_order),
        cmocka_unit_test(sent_again_and_overlapping), cmocka_unit_test(keep_alive),
        cmocka_unit_test(start_missed), cmocka_unit_test(one_direction_only),
        cmocka_unit_test(holes), cmocka_unit_test(cut_by_the_capture),
        cmocka_unit_test(ports_used_anew), cmocka_unit_test(syn_again),
        cmocka_unit_test(resets), cmocka_unit_test(data_with_the_syn),
        cmocka_unit_test(both_open), cmocka_unit_test(fins),
        cmocka_unit_test(out_of_any_window), cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(least_recently_used), cmocka_unit_test(anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
