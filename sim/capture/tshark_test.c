/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The streams that the trace tells, beside those that tshark follows in the same file, byte by byte: of the lab's call,
 * captured at every link end, and of connections whose segments are lost, repeated, overlapping and out of order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "models/base/rng.h"
#include "models/base/time.h"
#include "models/testkit/testkit.h"
#include "models/wire/wire.h"
#include "sim/capture/capture.h"
#include "sim/capture/file_kit.h"
#include "sim/net.h"
#include "sim/scenario/world.h"

enum { FLOWS = 64, ACK = 16, SYN = 2, FIN = 1 };

/* What one end sent: bytes, and a line of text for each hole, as tshark puts it. */
struct direction {
    uint8_t *bytes;
    size_t len, room;
    size_t hole_at, hole; /* when it ends with a hole: where the text of that begins, and its size; else len, 0 */
};

struct streams {
    struct direction of[FLOWS][2]; /* by number of the flow, by end: 0 is that of the first frame */
    struct endpoint first[FLOWS];
    uint64_t frames[FLOWS];
    size_t count, seen_flows;
    size_t holes;
};

static void append(struct direction *d, const void *bytes, size_t len)
{
    if (d->room - d->len < len) {
        d->room = (d->room + len) * 2;
        d->bytes = realloc(d->bytes, d->room);
        assert_non_null(d->bytes);
    }
    memcpy(d->bytes + d->len, bytes, len);
    d->len += len;
    d->hole_at = d->len;
    d->hole = 0;
}

static void append_hole(struct direction *d, size_t len)
{
    char text[64];
    size_t at = d->hole_at;
    len += d->hole; /* told in two: tshark makes one of it */
    d->len = at;
    int n = snprintf(text, sizeof text, "[%zu bytes missing in capture file]", len);
    append(d, text, (size_t)n + 1);
    d->hole_at = at;
    d->hole = len;
}

static void streams_free(struct streams *s)
{
    for (size_t i = 0; i < FLOWS; i++)
        for (size_t end = 0; end < 2; end++)
            free(s->of[i][end].bytes);
}

static void listen(void *ctx, const struct seen *s)
{
    struct streams *all = ctx;
    static size_t flow_of_id[FLOWS * 2];
    if (s->proto != PROTO_TCP || s->kind == SEEN_ICMP)
        return;
    assert_true(s->flow < FLOWS * 2 && s->kind != SEEN_CONFLICT);
    if (s->flow > all->seen_flows) {
        assert_true(all->count < FLOWS);
        all->seen_flows = s->flow;
        all->first[all->count] = s->from;
        flow_of_id[s->flow] = all->count++;
    }
    size_t i = flow_of_id[s->flow];
    struct direction *d = &all->of[i][!endpoint_equal(&s->from, &all->first[i])];
    if (s->kind == SEEN_BYTES)
        append(d, s->data, s->len);
    if (s->kind == SEEN_GAP) {
        append_hole(d, s->len);
        all->holes++;
    }
}

static void read_ours(const char *path, struct streams *s)
{
    struct diag d = {""};
    struct capture *c = capture_open(path, &d);
    assert_non_null(c);
    struct trace *t = trace_new(&trace_default_limits, listen, s);
    assert_non_null(t);
    assert_int_equal(capture_trace(c, t, &d), 0);
    trace_free(t);
    capture_close(c);
}

static unsigned digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* Lines of hex, those of the second end behind a tab, after each "Filter: tcp.stream eq N". */
static void read_tsharks(const char *path, size_t flows, struct streams *s)
{
    char command[8192], *line = NULL;
    struct text t = text_of(command, sizeof command);
    text_add(&t, "tshark -r %s -q", path);
    for (size_t i = 0; i < flows; i++)
        text_add(&t, " -z follow,tcp,raw,%zu", i);
    text_add(&t, " 2>/dev/null");
    assert_false(t.cut);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    size_t room = 0, flow = 0;
    for (ssize_t n; (n = getline(&line, &room, p)) > 0;) {
        if (sscanf(line, "Filter: tcp.stream eq %zu", &flow) == 1)
            s->count++;
        unsigned end = *line == '\t';
        const char *hex = line + end;
        size_t digits = strspn(hex, "0123456789abcdef");
        if (digits == 0 || hex[digits] != '\n' || digits % 2)
            continue;
        uint8_t *bytes = malloc(digits / 2);
        for (size_t i = 0; i < digits / 2; i++)
            bytes[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
        append(&s->of[flow][end], bytes, digits / 2);
        free(bytes);
    }
    free(line);
    assert_int_equal(pclose(p), 0);
}

/* How many TCP connections tshark counts. */
static size_t tsharks_flows(const char *path)
{
    char command[256], found[32] = "";
    snprintf(command, sizeof command, "tshark -r %s -Y tcp -T fields -e tcp.stream 2>/dev/null | sort -u | wc -l",
             path);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    assert_non_null(fgets(found, sizeof found, p));
    pclose(p);
    return strtoul(found, NULL, 10);
}

/* The bytes that are the same in both. */
static size_t compare(const char *path)
{
    static struct streams ours, tsharks;
    size_t total = 0;
    ours = tsharks = (struct streams){0};
    read_ours(path, &ours);
    assert_int_equal(ours.count, tsharks_flows(path));
    read_tsharks(path, ours.count, &tsharks);
    assert_int_equal(tsharks.count, ours.count);
    for (size_t i = 0; i < ours.count; i++)
        for (size_t end = 0; end < 2; end++) {
            const struct direction *a = &ours.of[i][end], *b = &tsharks.of[i][end];
            size_t len = a->hole_at; /* of a hole with nothing behind it tshark does not speak */
            if (len != b->len || (len && memcmp(a->bytes, b->bytes, len) != 0))
                fail_msg("%s: flow %zu, end %zu: we have %zu bytes, tshark %zu", path, i, end, len, b->len);
            total += len;
        }
    streams_free(&ours);
    streams_free(&tsharks);
    return total;
}

static void need_tshark(void)
{
    if (system("command -v tshark >/dev/null") != 0) {
        print_message("# no tshark\n");
        skip();
    }
}

static void the_lab_call(void **state)
{
    (void)state;
    need_tshark();
    char directory[] = "/tmp/turnproof-XXXXXX", path[64], command[64];
    struct topology *t;
    struct record record = {0};
    struct diag d;
    const struct topo_options none = {0};
    assert_non_null(mkdtemp(directory));
    assert_int_equal(topology_read("topologies/lab.json", &none, &t, &d), 0);
    const struct world_options options = {.seed = 1, .directory = directory};
    assert_int_equal(world_run(&net_native, t, &options, &record, &d), 0);
    snprintf(path, sizeof path, "%s/capture.pcapng", directory);
    assert_true(compare(path) > 1000000);
    snprintf(command, sizeof command, "rm -r %s", directory);
    assert_int_equal(system(command), 0);
    record_free(&record);
    topology_free(t);
}

/* ---- connections as a bad network makes them ---- */

enum { STREAM = 6000, SEGMENTS = 40 };

struct maker {
    struct rng g;
    struct file_kit f;
    uint64_t t_ns;
    struct endpoint end[2];
    uint32_t next[2]; /* sequence numbers */
};

static void make_segment(struct maker *m, unsigned from, unsigned flags, uint32_t seq, uint32_t ack,
                         const uint8_t *data, size_t len)
{
    static const uint8_t mac[6] = {2};
    uint8_t b[4096];
    const struct wire_tcp h = {.sport = m->end[from].port, .dport = m->end[!from].port, .seq = seq, .ack = ack,
                               .flags = (uint8_t)flags, .window = 65535, .wscale = WIRE_NO_WSCALE};
    size_t n = wire_put_eth(b, mac, mac, ETHERTYPE_IP4);
    n += wire_put_ip(b + n, &m->end[from].ip, &m->end[!from].ip, PROTO_TCP, 64, 0, WIRE_TCP + len);
    n += wire_put_tcp(b + n, &h);
    if (len)
        memcpy(b + n, data, len);
    m->t_ns += NS_MS;
    file_kit_packet(&m->f, 0, m->t_ns, b, n + len, n + len);
}

static void make_handshake(struct maker *m)
{
    make_segment(m, 0, SYN, m->next[0]++, 0, NULL, 0);
    make_segment(m, 1, SYN | ACK, m->next[1]++, m->next[0], NULL, 0);
    make_segment(m, 0, ACK, m->next[0], m->next[1], NULL, 0);
}

/* One direction's bytes in segments that overlap, some twice, out of order; with `lossy` some not at all, which the
 * other end acknowledges at the end nevertheless. */
static void make_stream(struct maker *m, unsigned from, bool lossy)
{
    struct {
        size_t at, len;
    } seg[SEGMENTS * 2];
    uint8_t bytes[STREAM];
    size_t n = 0;
    rng_fill(&m->g, bytes, sizeof bytes);
    for (size_t at = 0; at < STREAM && n < SEGMENTS; n++) {
        size_t len = 1 + rng_below(&m->g, STREAM / SEGMENTS * 3);
        len = n + 1 == SEGMENTS || len > STREAM - at ? STREAM - at : len;
        len = len > 1400 ? 1400 : len;
        size_t back = at && rng_chance(&m->g, 1, 3) ? rng_below(&m->g, at < 300 ? at : 300) : 0;
        seg[n].at = at - back;
        seg[n].len = len + back;
        at += len;
    }
    size_t end = seg[n - 1].at + seg[n - 1].len;
    for (size_t i = 0, firsts = n; i < firsts; i++)
        if (rng_chance(&m->g, 1, 4))
            seg[n++] = seg[i];
    for (size_t i = n; i-- > 1;) {
        size_t j = i - rng_below(&m->g, (i < 12 ? i : 12) + 1), at = seg[i].at, len = seg[i].len;
        seg[i] = seg[j];
        seg[j].at = at;
        seg[j].len = len;
    }
    for (size_t i = 0; i < n; i++)
        if (!lossy || !rng_chance(&m->g, 1, 5))
            make_segment(m, from, ACK, m->next[from] + (uint32_t)seg[i].at, m->next[!from], bytes + seg[i].at,
                         seg[i].len);
    m->next[from] += (uint32_t)end;
    make_segment(m, !from, ACK, m->next[!from], m->next[from], NULL, 0);
}

static void make_flow(struct maker *m, unsigned number)
{
    bool lossy = number % 3 == 1, missed = number % 4 == 2;
    for (unsigned end = 0; end < 2; end++)
        m->next[end] = (uint32_t)rng_u64(&m->g) | (number % 2 ? 0xfffff000 : 0);
    if (!missed)
        make_handshake(m);
    for (unsigned end = 0; missed && end < 2; end++) {
        make_segment(m, end, ACK, m->next[end], m->next[!end], (const uint8_t *)"m", 1);
        m->next[end]++;
    }
    for (unsigned i = 0; i < 4; i++)
        make_stream(m, i % 2, lossy);
    make_segment(m, 0, ACK | FIN, m->next[0], m->next[1], NULL, 0);
    make_segment(m, 1, ACK | FIN, m->next[1], m->next[0] + 1, NULL, 0);
    make_segment(m, 0, ACK, m->next[0] + 1, m->next[1] + 1, NULL, 0);
}

static void hostile_orders(void **state)
{
    (void)state;
    need_tshark();
    for (unsigned round = 0; round < 3; round++) {
        struct maker m = {.g = rng_named(round, "capture/hostile"), .t_ns = NS_S};
        file_kit_section(&m.f);
        file_kit_interface(&m.f, &(struct file_kit_interface){.link = 1, .resolution = 9});
        for (unsigned i = 0; i < 40; i++) {
            m.end[0] = kit_endpoint("10.0.0.1:50000");
            m.end[1] = kit_endpoint("10.0.0.2:3478");
            m.end[0].port = (uint16_t)(50000 + i / 2); /* each used twice */
            make_flow(&m, i);
        }
        const char *path = file_kit_write(&m.f);
        assert_true(compare(path) > 40u * 2 * STREAM);
        unlink(path);
        file_kit_free(&m.f);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(the_lab_call), cmocka_unit_test(hostile_orders)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
