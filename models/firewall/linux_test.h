/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For the tests of both Linux importers: a firewall of two interfaces, packets from text, rows of rule and verdict. */
#ifndef TP_FIREWALL_LINUX_TEST_H
#define TP_FIREWALL_LINUX_TEST_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/firewall/import.h"
#include "models/firewall/rules.h"
#include "models/testkit/testkit.h"

static inline int linux_parse(fw_importer *importer, const char *text, size_t len, struct fw_rules **out,
                              struct fw_diag *d)
{
    struct ip_prefix net[4];
    struct fw_port port[2] = {{"eth0", net, 2}, {"eth1", net + 2, 2}};
    assert_int_equal(prefix_parse("198.51.100.1/24", &net[0]), 0);
    assert_int_equal(prefix_parse("2001:db8:1::1/64", &net[1]), 0);
    assert_int_equal(prefix_parse("10.0.10.1/24", &net[2]), 0);
    assert_int_equal(prefix_parse("2001:db8:2::1/64", &net[3]), 0);
    struct fw_source src = {.name = "rules", .text = text, .len = len, .port = port, .port_count = 2,
                            .clock_s = FW_NO_CLOCK};
    return importer(&src, out, d);
}

static inline struct fw_rules *linux_read(fw_importer *importer, const char *text)
{
    struct fw_rules *r = NULL;
    struct fw_diag d;
    int err = linux_parse(importer, text, strlen(text), &r, &d);
    if (err)
        fail_msg("%s\nline %u column %u: %s", text, d.line, d.column, d.text);
    struct fw_lines n = fw_rules_lines(r);
    assert_int_equal(n.modelled + n.no_effect + n.unsupported, n.total);
    return r;
}

/* A packet: "tcp SYN,ACK 203.0.113.9:40000 > 10.0.10.2:443", the word behind the protocol for TCP alone. */
static inline struct fw_context linux_packet(const char *s, int in, int out)
{
    char proto[8], flags[32] = "", src[64], dst[64];
    if (sscanf(s, "tcp %31s %63s > %63s", flags, src, dst) == 3)
        snprintf(proto, sizeof proto, "tcp");
    else
        assert_int_equal(sscanf(s, "%7s %63s > %63s", proto, src, dst), 3);
    struct endpoint a = kit_endpoint(src), b = kit_endpoint(dst);
    struct fw_flow f = {.src = a.ip, .dst = b.ip, .sport = a.port, .dport = b.port};
    static const struct {
        const char *name;
        uint8_t proto;
    } protos[] = {{"tcp", 6}, {"udp", 17}, {"icmp", 1}, {"icmp6", 58}, {"gre", 47}, {"sctp", 132}};
    for (size_t i = 0; i < sizeof protos / sizeof *protos; i++)
        f.proto = strcmp(proto, protos[i].name) == 0 ? protos[i].proto : f.proto;
    struct fw_context ctx = {.in = in, .out = out, .states = FW_STATE_NEW, .arrived = f, .real = f, .leaving = f};
    static const char letters[] = "FSRPAU";
    for (const char *c = flags; *c; c++)
        ctx.tcp_flags |= strchr(letters, *c) ? (uint8_t)(1u << (strchr(letters, *c) - letters)) : 0;
    return ctx;
}

/* What becomes of a packet from eth0 to eth1. */
struct linux_row {
    const char *rules;
    const char *packet;
    char verdict; /* P permitted, D denied, U unknown */
};

static inline void linux_check(fw_importer *importer, const char *text, const struct linux_row *row)
{
    struct fw_rules *r = linux_read(importer, text);
    struct fw_context ctx = linux_packet(row->packet, 0, 1);
    struct fw_verdict v = fw_eval(r, &ctx);
    static const char letter[] = {[FW_DENIED] = 'D', [FW_PERMITTED] = 'P', [FW_UNKNOWN] = 'U', [FW_NOT_REACHED] = '-'};
    if (letter[v.decision] != row->verdict)
        fail_msg("%s\n%s: expected %c, found %c", row->rules, row->packet, row->verdict, letter[v.decision]);
    assert_int_equal(fw_rules_lines(r).unsupported > 0, fw_rules_unsupported(r, 0) != NULL);
    if (v.decision == FW_UNKNOWN)
        assert_true(v.doubt_count > 0 && fw_rules_lines(r).unsupported > 0);
    fw_rules_free(r);
}

/* Real files are read, every line is counted once, and what is not modelled is named. */
static inline void linux_samples(const struct fw_format *format, const char *dir, unsigned expected)
{
    DIR *d = opendir(dir);
    if (!d) {
        print_message("no %s here: skipped\n", dir);
        skip();
    }
    unsigned files = 0;
    static char text[1 << 20];
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        FILE *f = e->d_name[0] == '.' ? NULL : fopen(path, "rb");
        if (!f)
            continue;
        size_t n = fread(text, 1, sizeof text - 1, f);
        text[n] = '\0';
        fclose(f);
        assert_ptr_equal(fw_format_of(text, n), format);
        struct fw_rules *r;
        struct fw_diag diag;
        struct fw_source src = {.name = e->d_name, .text = text, .len = n, .clock_s = FW_NO_CLOCK};
        if (format->parse(&src, &r, &diag))
            fail_msg("%s: line %u column %u: %s", e->d_name, diag.line, diag.column, diag.text);
        struct fw_lines l = fw_rules_lines(r);
        assert_int_equal(l.modelled + l.no_effect + l.unsupported, l.total);
        size_t told = 0;
        for (; fw_rules_unsupported(r, told); told++)
            assert_true(strlen(fw_rules_unsupported(r, told)->why) > 3);
        print_message("%s: %u lines: %u modelled, %u without effect, %u unsupported (%zu told)\n", e->d_name, l.total,
                      l.modelled, l.no_effect, l.unsupported, told);
        fw_rules_free(r);
        for (size_t cut = 0; cut < n; cut += 97) { /* half a file is read, or refused with its place */
            src.len = cut;
            if (!format->parse(&src, &r, &diag))
                fw_rules_free(r);
            else
                assert_true(diag.line > 0 && diag.column > 0 && diag.text[0]);
        }
        files++;
    }
    closedir(d);
    assert_int_equal(files, expected);
}

#endif
