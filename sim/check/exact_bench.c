/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exact_bench LINES [SMT-FILE]: a generated ASA configuration of that many access-list lines, and every row of the port
 * tables asked of it exactly. Prints the time of each step and the most memory used. With a file, the same list and
 * questions are written to it as bit-vector formulas (SMT-LIB 2), and our own answers to
 * SMT-FILE.expected, one line a check-sat: is some packet of the row permitted, is some denied? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "models/base/rng.h"
#include "models/firewall/audit.h"
#include "models/firewall/import.h"
#include "models/firewall/rules.h"
#include "sim/check/ports.h"

enum { LINES_MAX = 1000000, LINE_TEXT = 160, HOST = 0x0a000a02 /* 10.0.10.2, the Expressway's */ };

static const char head[] =
    "ASA Version 9.16(1)\ninterface Gi0/0\n nameif outside\n security-level 0\n"
    " ip address 198.51.100.2 255.255.255.0\ninterface Gi0/1\n nameif dmz\n security-level 50\n"
    " ip address 10.0.10.1 255.255.255.0\nroute outside 0.0.0.0 0.0.0.0 198.51.100.1\n"
    "route dmz 10.0.0.0 255.0.0.0 10.0.10.9\n"
    "object network expe\n host 10.0.10.2\n nat (dmz,outside) static 198.51.100.20\n";

/* An access-list line, and a row's packets: both are products of ranges. */
struct box {
    bool permit;
    uint8_t proto; /* 0: any */
    uint32_t src, src_mask, dst, dst_mask;
    uint16_t sport_lo, sport_hi, dport_lo, dport_hi;
};

struct boxes {
    struct box *box;
    size_t count, cap;
};

static void push(struct boxes *b, const struct box *one)
{
    if (b->count == b->cap) {
        b->cap = b->cap ? 2 * b->cap : 256;
        b->box = realloc(b->box, b->cap * sizeof *b->box);
        if (!b->box)
            abort();
    }
    b->box[b->count++] = *one;
}

/* ---- the rule set ---- */

/* What a grown list looks like: hosts and networks of a site, some for anybody, one in fifty about our host. */
static struct box some_line(struct rng *rng)
{
    static const uint32_t mask[] = {0xffffffff, 0xffffffff, 0xffffff00, 0xfffffff0, 0xffff0000};
    struct box b = {.permit = rng_chance(rng, 4, 5), .proto = rng_chance(rng, 2, 3) ? PROTO_TCP : PROTO_UDP,
                    .src_mask = rng_chance(rng, 1, 3) ? 0 : mask[rng_below(rng, 5)],
                    .dst_mask = mask[rng_below(rng, 4)], .sport_hi = 65535};
    b.src = (uint32_t)rng_u64(rng) & b.src_mask;
    b.dst = (0x0a000000 | (uint32_t)rng_below(rng, 1 << 22)) & b.dst_mask;
    if (rng_chance(rng, 1, 50)) {
        b.dst = HOST;
        b.dst_mask = 0xffffffff;
    }
    b.dport_lo = (uint16_t)rng_below(rng, 60000);
    b.dport_hi = (uint16_t)(b.dport_lo + (rng_chance(rng, 1, 4) ? rng_below(rng, 5000) : 0));
    return b;
}

static void print_address(char *out, size_t cap, uint32_t ip, uint32_t mask)
{
    char text[2][ADDR_TEXT];
    struct ip_addr a = ip_v4(ip), m = ip_v4(mask);
    if (mask == 0)
        snprintf(out, cap, "any4");
    else if (mask == 0xffffffff)
        snprintf(out, cap, "host %s", ip_text(&a, text[0]));
    else
        snprintf(out, cap, "%s %s", ip_text(&a, text[0]), ip_text(&m, text[1]));
}

static char *configuration(const struct boxes *lines, size_t *len)
{
    size_t cap = sizeof head + (lines->count + 2) * LINE_TEXT;
    char *text = malloc(cap);
    if (!text)
        abort();
    size_t n = (size_t)snprintf(text, cap, "%s", head);
    for (size_t i = 0; i < lines->count; i++) {
        const struct box *b = &lines->box[i];
        char src[64], dst[64];
        print_address(src, sizeof src, b->src, b->src_mask);
        print_address(dst, sizeof dst, b->dst, b->dst_mask);
        n += (size_t)snprintf(text + n, cap - n, "access-list outside_in extended %s %s %s %s range %u %u\n",
                              b->permit ? "permit" : "deny", b->proto == PROTO_TCP ? "tcp" : "udp", src, dst,
                              b->dport_lo, b->dport_hi);
    }
    n += (size_t)snprintf(text + n, cap - n, "access-group outside_in in interface outside\n");
    *len = n;
    return text;
}

/* ---- the questions ---- */

static void add_row(struct boxes *q, const struct port_row *row)
{
    static const struct port_range any = {0, 65535};
    for (size_t p = 0; p < row->protocols.count; p++)
        for (size_t a = 0; a < row->alternatives.count; a++)
            for (size_t d = 0; d < row->alternatives.items[a].ports.count; d++) {
                const struct port_range *to = &row->alternatives.items[a].ports.items[d];
                const struct port_range *from = row->from_ports.count ? row->from_ports.items : &any;
                struct box b = {.proto = port_protocol_wire((enum port_protocol)row->protocols.items[p]), .dst = HOST,
                                .dst_mask = 0xffffffff, .sport_lo = from->lo, .sport_hi = from->hi,
                                .dport_lo = to->lo, .dport_hi = to->hi};
                push(q, &b);
            }
}

static unsigned read_tables(struct boxes *q)
{
    static const char *const id[] = {"web-proxy", "p2p-microsoft", "sip-edge-microsoft", "sip-edge-standards"};
    unsigned rows = 0;
    for (size_t i = 0; i < sizeof id / sizeof *id; i++) {
        struct port_table *t;
        struct diag d;
        if (port_table_find(id[i], &t, &d)) {
            fprintf(stderr, "%s\n", d.text);
            exit(2);
        }
        for (size_t k = 0; k < t->rows.count; k++)
            add_row(q, &t->rows.items[k]);
        rows += (unsigned)t->rows.count;
        port_table_free(t);
    }
    return rows;
}

/* Some packet is permitted (1), some is denied (2). */
static unsigned ask(const struct fw_machine *m, struct fw_space *s, const struct box *q, size_t *parts)
{
    struct fw_service service = {q->proto, q->proto, q->sport_lo, q->sport_hi, q->dport_lo, q->dport_hi};
    struct fw_addr to = {.a = ip_v4(0xc6336414), .b = ip_v4(0xc6336414)}, any = fw_addr_any(IP_V4);
    struct fw_region packets = fw_region_of(s, &any, 1, &to, 1, &service, 1);
    struct fw_part *part;
    size_t count;
    unsigned found = 0;
    if (fw_exact(m, &(struct fw_question){.in = 0, .packets = &packets}, s, &part, &count))
        abort();
    for (size_t i = 0; i < count; i++)
        found |= part[i].verdict.decision == FW_PERMITTED ? 1U : 2U;
    *parts += count;
    fw_space_reset(s);
    return found;
}

/* ---- the same as formulas ---- */

static void print_match(FILE *f, const struct box *b)
{
    fprintf(f, "(and (= proto #x%02x) (= (bvand src #x%08x) #x%08x) (= (bvand dst #x%08x) #x%08x) "
            "(bvuge sport #x%04x) (bvule sport #x%04x) (bvuge dport #x%04x) (bvule dport #x%04x))",
            b->proto, b->src_mask, b->src, b->dst_mask, b->dst, b->sport_lo, b->sport_hi, b->dport_lo, b->dport_hi);
}

static void print_formulas(FILE *f, const struct boxes *lines, const struct boxes *q)
{
    fprintf(f, "(set-logic QF_BV)\n(declare-const proto (_ BitVec 8))\n(declare-const src (_ BitVec 32))\n"
            "(declare-const dst (_ BitVec 32))\n(declare-const sport (_ BitVec 16))\n"
            "(declare-const dport (_ BitVec 16))\n(define-fun permitted%zu () Bool false)\n", lines->count);
    for (size_t i = lines->count; i-- > 0;) {
        fprintf(f, "(define-fun permitted%zu () Bool (ite ", i);
        print_match(f, &lines->box[i]);
        fprintf(f, " %s permitted%zu))\n", lines->box[i].permit ? "true" : "false", i + 1);
    }
    for (size_t i = 0; i < 2 * q->count; i++) {
        fprintf(f, "(push)(assert ");
        print_match(f, &q->box[i / 2]);
        fprintf(f, ")(assert %s)(check-sat)(pop)\n", i % 2 ? "(not permitted0)" : "permitted0");
    }
}

static void write_formulas(const char *path, const struct boxes *lines, const struct boxes *q, const unsigned *found)
{
    char name[512];
    snprintf(name, sizeof name, "%s.expected", path);
    FILE *f = fopen(path, "w"), *expected = fopen(name, "w");
    if (!f || !expected)
        abort();
    print_formulas(f, lines, q);
    for (size_t i = 0; i < 2 * q->count; i++)
        fprintf(expected, "%s\n", found[i / 2] >> i % 2 & 1 ? "sat" : "unsat");
    fclose(f);
    fclose(expected);
}

/* ---- measuring ---- */

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void add_routes(struct fw_routes *t, const struct fw_rules *r)
{
    int err = 0;
    for (size_t i = 0; i < r->iface_count; i++)
        err |= fw_routes_add(t, &(struct fw_route){.to = r->iface[i].address[0], .iface = (int)i});
    for (size_t i = 0; i < r->route_count; i++)
        err |= fw_routes_add(t, &r->route[i]);
    if (err)
        abort();
}

static void measure(const struct boxes *lines, const char *smt)
{
    struct boxes q = {0};
    unsigned rows = read_tables(&q);
    size_t len, parts = 0, unreached;
    char *text = configuration(lines, &len);
    struct fw_rules *rules;
    struct fw_diag diag;
    struct fw_routes routes = {0};
    unsigned *found = calloc(q.count, sizeof *found);
    double start = now_ms();
    if (!found || fw_asa_parse(&(struct fw_source){.name = "bench", .text = text, .len = len, .clock_s = FW_NO_CLOCK},
                               &rules, &diag))
        abort();
    double imported = now_ms();
    add_routes(&routes, rules);
    struct fw_prepared *p = fw_prepare(rules);
    struct fw_space *s = fw_space_new(0);
    if (!p || !s)
        abort();
    double prepared = now_ms();
    struct fw_machine m = {p, &routes, NULL};
    for (size_t i = 0; i < q.count; i++)
        found[i] = ask(&m, s, &q.box[i], &parts);
    double asked = now_ms();
    struct fw_unreached *u;
    if (fw_audit_unreached(p, s, &u, &unreached))
        abort();
    double audited = now_ms();
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("lines=%zu rows=%u questions=%zu parts=%zu import_ms=%.2f prepare_ms=%.2f ask_ms=%.2f audit_ms=%.2f "
           "unreached=%zu peak_kb=%ld\n",
           lines->count, rows, q.count, parts, imported - start, prepared - imported, asked - prepared, audited - asked,
           unreached, usage.ru_maxrss);
    if (smt)
        write_formulas(smt, lines, &q, found);
    fw_space_free(s);
    fw_prepared_free(p);
    fw_routes_free(&routes);
    fw_rules_free(rules);
    free(found);
    free(text);
    free(q.box);
}

int main(int argc, char **argv)
{
    long count = argc > 1 ? atol(argv[1]) : 0;
    if (count < 1 || count > LINES_MAX) {
        fprintf(stderr, "usage: exact_bench LINES [SMT-FILE]\n");
        return 2;
    }
    struct boxes lines = {0};
    struct rng rng = rng_named(1, "exact-bench");
    for (long i = 0; i < count; i++) {
        struct box b = some_line(&rng);
        push(&lines, &b);
    }
    measure(&lines, argc > 2 ? argv[2] : NULL);
    free(lines.box);
    return 0;
}
