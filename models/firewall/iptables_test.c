/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The iptables importer: what its rules mean for packets, what is refused and where, and real files when at hand. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/firewall/import.h"
#include "models/firewall/rules.h"
#include "models/testkit/testkit.h"

static int parse(const char *text, size_t len, struct fw_rules **out, struct fw_diag *d)
{
    struct ip_prefix net[4];
    struct fw_port port[2] = {{"eth0", net, 2}, {"eth1", net + 2, 2}};
    assert_int_equal(prefix_parse("198.51.100.1/24", &net[0]), 0);
    assert_int_equal(prefix_parse("2001:db8:1::1/64", &net[1]), 0);
    assert_int_equal(prefix_parse("10.0.10.1/24", &net[2]), 0);
    assert_int_equal(prefix_parse("2001:db8:2::1/64", &net[3]), 0);
    struct fw_source src = {.name = "fw.save", .text = text, .len = len, .port = port, .port_count = 2,
                            .clock_s = FW_NO_CLOCK};
    assert_true(fw_iptables_recognise("*filter\n", 8));
    return fw_iptables_parse(&src, out, d);
}

static struct fw_rules *read_ok(const char *text)
{
    struct fw_rules *r = NULL;
    struct fw_diag d;
    int err = parse(text, strlen(text), &r, &d);
    if (err)
        fail_msg("%sline %u column %u: %s", text, d.line, d.column, d.text);
    struct fw_lines n = fw_rules_lines(r);
    assert_int_equal(n.modelled + n.no_effect + n.unsupported, n.total);
    return r;
}

/* A packet: "tcp SYN,ACK 203.0.113.9:40000 > 10.0.10.2:443", the word behind the protocol for TCP alone. */
static struct fw_context packet_of(const char *s, int in, int out)
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

/* Rules of *filter that stand behind ":FORWARD DROP", a packet from eth0 to eth1, and what becomes of it. */
static const struct row {
    const char *rules;
    const char *packet;
    char verdict; /* P permitted, D denied, U unknown */
} rows[] = {
    {"-A FORWARD -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:2", 'P'},
    {"-A FORWARD", "udp 1.1.1.1:1 > 2.2.2.2:2", 'D'},
    {"[12:345] -A FORWARD -s 1.1.1.0/24 -d 2.0.0.0/255.0.0.0 -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:2", 'P'},
    {"-A FORWARD ! -s 1.1.1.0/24 -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -s ! 1.1.1.0/24 -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -s ! 1.1.1.0/24 -j ACCEPT", "udp 1.1.2.1:1 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -d 10.0.2.0/255.0.255.0 -j ACCEPT", "udp 1.1.2.1:1 > 10.9.2.7:2", 'P'},
    {"-A FORWARD ! -d 10.0.2.0/255.0.255.0 -j ACCEPT", "udp 1.1.2.1:1 > 10.9.2.7:2", 'D'},
    {"-A FORWARD ! -d 10.0.2.0/255.0.255.0 -j ACCEPT", "udp 1.1.2.1:1 > 10.9.3.7:2", 'P'},
    {"-A FORWARD -d 10.0.2.0/255.0.255.0 -m iprange ! --dst-range 10.1.0.0-10.3.255.255 -j ACCEPT",
     "udp 1.1.2.1:1 > 10.2.2.7:2", 'D'},
    {"-A FORWARD -d 10.0.2.0/255.0.255.0 -m iprange ! --dst-range 10.1.0.0-10.3.255.255 -j ACCEPT",
     "udp 1.1.2.1:1 > 10.4.2.7:2", 'P'},
    {"-A FORWARD -i eth0 -o eth1 -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -i eth1 -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:2", 'D'},
    {"-A FORWARD ! -i eth1 -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -i eth+ -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:2", 'P'},
    {"-A FORWARD ! -i eth+ -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -i ppp0 -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -p tcp -m tcp --sport 1 --dport 2:4 -j ACCEPT", "tcp S 1.1.1.1:1 > 2.2.2.2:3", 'P'},
    {"-A FORWARD -p tcp -m tcp --dport 2:4 -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:3", 'D'},
    {"-A FORWARD -p tcp --dport ssh -j ACCEPT", "tcp S 1.1.1.1:1 > 2.2.2.2:22", 'P'},
    {"-A FORWARD -p tcp -m tcp ! --dport :9 -j ACCEPT", "tcp S 1.1.1.1:1 > 2.2.2.2:9", 'D'},
    {"-A FORWARD -p tcp -m tcp ! --dport 10: -j ACCEPT", "tcp S 1.1.1.1:1 > 2.2.2.2:9", 'P'},
    {"-A FORWARD ! -p tcp -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:9", 'P'},
    {"-A FORWARD ! -p tcp -j ACCEPT", "tcp S 1.1.1.1:1 > 2.2.2.2:9", 'D'},
    {"-A FORWARD -p 47 -j ACCEPT", "gre 1.1.1.1:0 > 2.2.2.2:0", 'P'},
    {"-A FORWARD -p udp -m multiport --dports 5,7:9 -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:8", 'P'},
    {"-A FORWARD -p udp -m multiport ! --dports 5,7:9 -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:8", 'D'},
    {"-A FORWARD -p udp -m multiport ! --dports 5,7:9 -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:6", 'P'},
    {"-A FORWARD -p udp -m multiport --ports 1,2 -j ACCEPT", "udp 1.1.1.1:9 > 2.2.2.2:1", 'P'},
    {"-A FORWARD -p udp -m multiport --ports 1,2 -j ACCEPT", "udp 1.1.1.1:2 > 2.2.2.2:9", 'P'},
    {"-A FORWARD -p udp -m multiport ! --ports 1,2 -j ACCEPT", "udp 1.1.1.1:2 > 2.2.2.2:9", 'D'},
    {"-A FORWARD -p udp -m multiport ! --ports 1,2 -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:9", 'P'},
    {"-A FORWARD -p sctp -m sctp --dport 5 -j ACCEPT", "sctp 1.1.1.1:1 > 2.2.2.2:5", 'U'},
    {"-A FORWARD -p sctp -m sctp --dport 5 -j ACCEPT", "udp 1.1.1.1:1 > 2.2.2.2:5", 'D'},
    {"-A FORWARD -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT", "tcp S 1.1.1.1:1 > 2.2.2.2:5", 'P'},
    {"-A FORWARD -p tcp --syn -j ACCEPT", "tcp SA 1.1.1.1:1 > 2.2.2.2:5", 'D'},
    {"-A FORWARD -p tcp ! --syn -j ACCEPT", "tcp SA 1.1.1.1:1 > 2.2.2.2:5", 'P'},
    {"-A FORWARD -p tcp --tcp-flags ALL NONE -j ACCEPT", "tcp - 1.1.1.1:1 > 2.2.2.2:5", 'P'},
    {"-A FORWARD -p icmp -m icmp --icmp-type 8 -j ACCEPT", "icmp 1.1.1.1:8 > 2.2.2.2:0", 'P'},
    {"-A FORWARD -p icmp -m icmp --icmp-type echo-request -j ACCEPT", "icmp 1.1.1.1:0 > 2.2.2.2:0", 'D'},
    {"-A FORWARD -p icmp -m icmp --icmp-type 3/1 -j ACCEPT", "icmp 1.1.1.1:3 > 2.2.2.2:1", 'P'},
    {"-A FORWARD -p icmp -m icmp ! --icmp-type 3/1 -j ACCEPT", "icmp 1.1.1.1:3 > 2.2.2.2:1", 'D'},
    {"-A FORWARD -p icmp -m icmp ! --icmp-type 3/1 -j ACCEPT", "icmp 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -p icmp -m icmp --icmp-type any -j ACCEPT", "icmp 1.1.1.1:42 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -m conntrack --ctstate NEW,RELATED -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -m state --state ESTABLISHED -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -m conntrack ! --ctstate INVALID -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -m conntrack --ctstate NEW --ctproto 17 --ctorigdst 2.2.2.2 --ctorigdstport 2 -j ACCEPT",
     "udp 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -m conntrack --ctproto 17 --ctorigdst 2.2.2.3 -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -m conntrack --ctdir ORIGINAL -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -m conntrack --ctstatus ASSURED -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'U'},
    {"-A FORWARD -m iprange --src-range 1.1.1.0-1.1.1.1 -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -m addrtype --src-type LOCAL -j ACCEPT", "udp 10.0.10.1:3 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -m addrtype ! --src-type LOCAL -j ACCEPT", "udp 10.0.10.1:3 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -m addrtype --dst-type BROADCAST,MULTICAST -j ACCEPT", "udp 1.1.1.1:3 > 10.0.10.255:2", 'P'},
    {"-A FORWARD -m addrtype --dst-type UNICAST -j ACCEPT", "udp 1.1.1.1:3 > 10.0.10.254:2", 'P'},
    {"-A FORWARD -m addrtype --dst-type UNREACHABLE -j ACCEPT", "udp 1.1.1.1:3 > 10.0.10.254:2", 'U'},
    {"-A FORWARD -m pkttype --pkt-type unicast -j ACCEPT", "udp 1.1.1.1:3 > 10.0.10.254:2", 'P'},
    {"-A FORWARD -m pkttype --pkt-type broadcast -j ACCEPT", "udp 1.1.1.1:3 > 10.0.10.254:2", 'D'},
    {"-A FORWARD -m pkttype --pkt-type broadcast -j ACCEPT", "udp 1.1.1.1:3 > 10.0.10.255:2", 'U'},
    {"-A FORWARD -m mark --mark 0x64 -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -m mark --mark 0x0/0xff -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -j MARK --set-xmark 0x64/0xff\n-A FORWARD -m mark --mark 0x64 -j ACCEPT",
     "udp 1.1.1.1:3 > 2.2.2.2:2", 'U'},
    {"-A FORWARD -m limit --limit 3/min --limit-burst 10 -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'U'},
    {"-A FORWARD -m limit --limit 3/min -j LOG --log-prefix \"a \\\"b -j ACCEPT\"", "udp 1.1.1.1:3 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -m recent --set --name x --rsource", "udp 1.1.1.1:3 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -m comment --comment \"-j DROP\" -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -p tcp -m quota2 --grow --quota 5 -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -p udp -m quota2 --grow --quota 5 -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'U'},
    {"-A FORWARD -p udp --dprot 5 -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'U'},
    {"-A FORWARD -j NFQUEUE --queue-num 1", "udp 1.1.1.1:3 > 2.2.2.2:2", 'U'},
    {"-A FORWARD -s 9.9.9.9/32 -j XYZZY --foo 1\n-A FORWARD -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -j REJECT --reject-with tcp-reset", "udp 1.1.1.1:3 > 2.2.2.2:2", 'D'},
    {":u - [0:0]\n-A FORWARD -j u\n-A FORWARD -j ACCEPT\n-A u -p udp -j RETURN\n-A u -j DROP",
     "udp 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {":u - [0:0]\n-A FORWARD -g u\n-A FORWARD -j ACCEPT\n-A u -p tcp -j DROP", "udp 1.1.1.1:3 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -j RETURN\n-A FORWARD -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'D'},
};

/* What it meets: a set with its content, and none. */
static const struct row set_rows[] = {
    {"-A FORWARD -m set --match-set net src -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -m set ! --match-set net src -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -m set ! --match-set net dst -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -m set --match-set two dst,dst -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {"-A FORWARD -m set --match-set two dst,dst -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:7", 'D'},
    {"-A FORWARD -m set --match-set two dst,dst -j ACCEPT", "tcp S 1.1.1.1:3 > 2.2.2.3:80", 'P'},
    {"-A FORWARD -m set --match-set two src,dst -j ACCEPT", "udp 2.2.2.2:3 > 9.9.9.9:2", 'P'},
    {"-A FORWARD -m set ! --match-set two dst,dst -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -m set ! --match-set two dst,dst -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:7", 'P'},
    {":u - [0:0]\n-A FORWARD -j u\n-A FORWARD -j ACCEPT\n-A u -m set ! --match-set two dst,dst -j RETURN\n-A u -j DROP",
     "udp 1.1.1.1:3 > 2.2.2.2:2", 'D'},
    {":u - [0:0]\n-A FORWARD -j u\n-A FORWARD -j ACCEPT\n-A u -m set ! --match-set two dst,dst -j RETURN\n-A u -j DROP",
     "udp 1.1.1.1:3 > 2.2.2.2:7", 'P'},
    {"-A FORWARD -m set --match-set ping dst,src -j ACCEPT", "icmp 1.1.1.1:8 > 2.2.2.2:0", 'P'},
    {"-A FORWARD -p udp -m set --match-set ports dst -j ACCEPT", "udp 1.1.1.1:8 > 2.2.2.2:6", 'P'},
    {"-A FORWARD -p udp -m set --match-set ports src -j ACCEPT", "udp 1.1.1.1:8 > 2.2.2.2:6", 'D'},
    {"-A FORWARD -m set --match-set nothing src -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'D'},
    {"-A FORWARD -m set --match-set absent src -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'U'},
    {"-A FORWARD -m set --match-set timed src -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'U'},
    {"-A FORWARD -m set --match-set except src -j ACCEPT", "udp 1.1.1.1:3 > 2.2.2.2:2", 'U'},
    {"-A FORWARD -j SET --add-set net src\n-A FORWARD -m set --match-set net src -j ACCEPT",
     "udp 1.1.1.1:3 > 2.2.2.2:2", 'U'},
};

#define SETS                                                                                                         \
    "create net hash:net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x2\n"                         \
    "add net 1.1.1.0/24\nadd net 3.0.0.1-3.0.0.9 comment \"x y\"\n"                                                   \
    "create two hash:ip,port family inet\nadd two 2.2.2.2,udp:2-4\nadd two 2.2.2.3,80\n"                              \
    "create ping hash:ip,port family inet\nadd ping 2.2.2.2,icmp:echo-request\n"                                      \
    "create ports bitmap:port range 0-1000\nadd ports 5-6\n"                                                          \
    "create nothing hash:ip family inet\n"                                                                            \
    "create timed hash:ip family inet timeout 60\nadd timed 1.1.1.1 timeout 5\n"                                      \
    "create except hash:net family inet\nadd except 1.0.0.0/8\nadd except 1.1.0.0/16 nomatch\n"

static void check(const char *text, const struct row *row)
{
    struct fw_rules *r = read_ok(text);
    struct fw_context ctx = packet_of(row->packet, 0, 1);
    struct fw_verdict v = fw_eval(r, &ctx);
    static const char letter[] = {[FW_DENIED] = 'D', [FW_PERMITTED] = 'P', [FW_UNKNOWN] = 'U', [FW_NOT_REACHED] = '-'};
    if (letter[v.decision] != row->verdict)
        fail_msg("%s\n%s: expected %c, found %c", row->rules, row->packet, row->verdict, letter[v.decision]);
    assert_int_equal(fw_rules_lines(r).unsupported > 0,
                     fw_rules_unsupported(r, 0) != NULL);
    if (v.decision == FW_UNKNOWN)
        assert_true(v.doubt_count > 0 && fw_rules_lines(r).unsupported > 0);
    fw_rules_free(r);
}

static void rules_mean_what_they_say(void **state)
{
    (void)state;
    char text[4096];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(text, sizeof text, "*filter\n:FORWARD DROP [0:0]\n%s\nCOMMIT\n", rows[i].rules);
        check(text, &rows[i]);
    }
    for (size_t i = 0; i < sizeof set_rows / sizeof *set_rows; i++) {
        snprintf(text, sizeof text, SETS "*filter\n:FORWARD DROP [0:0]\n%s\nCOMMIT\n", set_rows[i].rules);
        check(text, &set_rows[i]);
    }
}

/* Real files are read, every line is counted once, and what is not modelled is named. */
static void samples_add_up(void **state)
{
    (void)state;
    static const char dir[] = "../shared/rulesets/iptables";
    DIR *d = opendir(dir);
    if (!d) {
        print_message("no %s here: skipped\n", dir);
        skip();
    }
    unsigned files = 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        static char text[1 << 20];
        char path[512];
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        FILE *f = e->d_name[0] == '.' ? NULL : fopen(path, "rb");
        if (!f)
            continue;
        size_t n = fread(text, 1, sizeof text - 1, f);
        text[n] = '\0';
        fclose(f);
        assert_true(fw_iptables_recognise(text, n));
        struct fw_rules *r;
        struct fw_diag diag;
        struct fw_source src = {.name = e->d_name, .text = text, .len = n, .clock_s = FW_NO_CLOCK};
        if (fw_iptables_parse(&src, &r, &diag))
            fail_msg("%s: line %u column %u: %s", e->d_name, diag.line, diag.column, diag.text);
        struct fw_lines lines = fw_rules_lines(r);
        assert_int_equal(lines.modelled + lines.no_effect + lines.unsupported, lines.total);
        print_message("%s: %u lines: %u modelled, %u without effect, %u unsupported\n", e->d_name, lines.total,
                      lines.modelled, lines.no_effect, lines.unsupported);
        for (size_t i = 0; getenv("V") && fw_rules_unsupported(r, i); i++)
            print_message("  %u: %s  (%s)\n", fw_rules_unsupported(r, i)->line, fw_rules_unsupported(r, i)->text,
                          fw_rules_unsupported(r, i)->why);
        fw_rules_free(r);
        files++;
    }
    closedir(d);
    assert_int_equal(files, 9);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_mean_what_they_say),
        cmocka_unit_test(samples_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
