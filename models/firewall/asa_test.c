/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ASA importer: what is read, what is refused and where, and real files when they are at hand. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/base/time.h"
#include "models/firewall/import.h"
#include "models/firewall/rules.h"
#include "models/testkit/testkit.h"

#define HEAD                                                                                                        \
    "ASA Version 9.12(4)\n"                                                                                          \
    "interface Gi0/0\n nameif outside\n security-level 0\n ip address 198.51.100.2 255.255.255.0\n"                  \
    "interface Gi0/1\n nameif inside\n ip address 10.0.10.1 255.255.255.0\n"
enum { HEAD_LINES = 8 };

static int parse(const char *text, size_t len, struct fw_rules **out, struct fw_diag *d)
{
    return fw_asa_parse(&(struct fw_source){.name = "fw.cfg", .text = text, .len = len,
                                                .clock_s = FW_NO_CLOCK}, out, d);
}

static struct fw_rules *read_ok(const char *text)
{
    struct fw_rules *r = NULL;
    struct fw_diag d;
    int err = parse(text, strlen(text), &r, &d);
    if (err)
        fail_msg("line %u column %u: %s", d.line, d.column, d.text);
    struct fw_lines n = fw_rules_lines(r);
    assert_int_equal(n.modelled + n.no_effect + n.unsupported, n.total);
    return r;
}

static void interfaces_are_read(void **state)
{
    (void)state;
    struct fw_rules *r = read_ok("name 10.0.20.1 dmz-address\n" HEAD
                                 "interface Gi0/2\n shutdown\n no nameif\n no security-level\n no ip address\n"
                                 "interface Gi0/3.20\n vlan 20\n nameif dmz\n no security-level\n"
                                 " ip address dmz-address 255.255.255.128 standby 10.0.20.3\n"
                                 " ipv6 address 2001:db8:20::1/64\n"
                                 "interface Management0/0\n management-only\n nameif mgmt\n security-level 100\n"
                                 " ip address dhcp setroute\n");
    assert_int_equal(r->iface_count, 4);
    assert_int_equal(r->iface[0].level, 0);
    assert_int_equal(r->iface[1].level, 100); /* by its name */
    assert_int_equal(r->iface[2].level, 0);
    assert_int_equal(r->iface[2].address_count, 2);
    assert_int_equal(r->iface[2].address[0].len, 25);
    assert_true(r->iface[3].shutdown);
    assert_int_equal(r->iface[3].address_count, 0);
    fw_rules_free(r);
}

/* What the rows' access-list lines let through, from 203.0.113.9:40000 unless said otherwise. */
struct ask {
    const char *config;  /* behind HEAD; the list is called x and bound to outside */
    const char *proto_to; /* "tcp 10.0.10.2:443" */
    unsigned line;       /* that permits, counted from the first of config; 0: denied */
};

static struct fw_flow flow_of(const char *s)
{
    struct fw_flow f = {.src = kit_ip("203.0.113.9"), .sport = 40000};
    char to[64];
    const char *space = strchr(s, ' ');
    f.proto = strncmp(s, "tcp", 3) == 0 ? PROTO_TCP : strncmp(s, "udp", 3) == 0 ? PROTO_UDP : PROTO_ICMP;
    snprintf(to, sizeof to, "%s", space + 1);
    struct endpoint e = kit_endpoint(to);
    f.dst = e.ip;
    f.dport = e.port;
    if (f.proto == PROTO_ICMP) {
        f.sport = e.port; /* the type */
        f.dport = 0;
    }
    if (f.dst.family == IP_V6)
        f.src = kit_ip("2001:db8:9::9");
    return f;
}

#define RELAY "10.0.10.2:28500"

static const struct ask asks[] = {
    /* address forms */
    {"access-list x extended permit tcp any host 10.0.10.2 eq https\n", "tcp 10.0.10.2:443", 1},
    {"access-list x extended permit tcp any host 10.0.10.2 eq https\n", "tcp 10.0.10.3:443", 0},
    {"access-list x extended permit tcp any4 10.0.10.0 255.255.255.0 gt 1023 log errors interval 300\n",
     "tcp 10.0.10.200:1024", 1},
    {"access-list x extended permit tcp any any gt 1023\n", "tcp 10.0.10.200:1023", 0},
    {"access-list x extended permit tcp any any lt 1023\n", "tcp 10.0.10.200:1023", 0},
    {"access-list x extended permit tcp any4 any4 eq 443\n", "tcp [2001:db8::1]:443", 0},
    {"access-list x extended permit tcp any any eq 443\n", "tcp [2001:db8::1]:443", 1},
    {"access-list x extended permit tcp any6 2001:db8::/64 lt 444\n", "tcp [2001:db8::1]:443", 1},
    {"access-list x extended permit tcp any interface outside neq 80\n", "tcp 198.51.100.2:81", 1},
    {"access-list x extended permit tcp any interface outside neq 80\n", "tcp 198.51.100.2:80", 0},
    {"name 10.0.10.2 expe\naccess-list x extended permit tcp any host expe range 1 9\n", "tcp 10.0.10.2:9", 2},
    {"access-list x remark permit tcp any any\n", "tcp 10.0.10.2:9", 0},
    {"access-list x extended permit 17 any any\n", "udp 10.0.10.2:9", 1},
    {"access-list x extended permit icmp any any echo\n", "icmp 10.0.10.2:8", 1},
    {"access-list x extended permit icmp any any 3 1\n", "icmp 10.0.10.2:3", 0},
    {"access-list x extended permit object icmp-echo-reply any any\n", "icmp 10.0.10.2:0", 1},
    {"object-group icmp-type t\n icmp-object echo\n icmp-object unreachable\n"
     "access-list x extended permit icmp any any object-group t\n",
     "icmp 10.0.10.2:3", 4},
    /* T14: a netmask with holes */
    {"access-list x extended permit tcp any 10.0.0.192 255.0.0.192 eq 22\n", "tcp 10.77.5.200:22", 1},
    {"access-list x extended permit tcp any 10.0.0.192 255.0.0.192 eq 22\n", "tcp 10.77.5.130:22", 0},
    {"object-group network g\n network-object 10.100.70.160 255.254.255.252\n"
     "access-list x extended permit ip any object-group g\n",
     "udp 10.101.70.163:22", 3},
    /* T1, T2, T3: protocol and range */
    {"access-list x extended permit udp any host 10.0.10.2 eq 3478\n", "tcp 10.0.10.2:3478", 0},
    {"access-list x extended permit udp any host 10.0.10.2 range 24000 29999\n", "tcp " RELAY, 0},
    {"access-list x extended permit tcp any host 10.0.10.2 range 24000 27999\n", "tcp " RELAY, 0},
    {"access-list x extended permit tcp any host 10.0.10.2 range 24000 29999\n", "tcp " RELAY, 1},
    /* T13: a protocol group with a port: both protocols, that port */
    {"object-group protocol TCPUDP\n protocol-object udp\n protocol-object tcp\n"
     "access-list x extended permit object-group TCPUDP any any eq 3478\n",
     "tcp 10.0.10.2:3478", 4},
    {"object-group protocol TCPUDP\n protocol-object udp\n protocol-object tcp\n"
     "access-list x extended permit object-group TCPUDP any any eq 3478\n",
     "udp 10.0.10.2:3479", 0},
    /* T15: dns is dnsix */
    {"access-list x extended permit udp any any eq dns\n", "udp 10.0.10.2:53", 0},
    {"access-list x extended permit udp any any eq dns\n", "udp 10.0.10.2:195", 1},
    {"access-list x extended permit udp any any eq domain\n", "udp 10.0.10.2:53", 1},
    /* T16 */
    {"access-list x extended permit tcp any any eq 443 inactive\n", "tcp 10.0.10.2:443", 0},
    {"time-range t\n absolute end 12:00 1 January 2030\n"
     "access-list x extended permit tcp any any eq 443 log time-range t inactive\n",
     "tcp 10.0.10.2:443", 0},
    /* objects and groups, in any order, in several blocks, nested */
    {"access-list x extended permit tcp any object-group g object-group p\nobject-group network g\n"
     " group-object h\nobject-group network h\n network-object object o\nobject network o\n"
     " range 10.0.10.2 10.0.10.4\nobject-group service p tcp\n port-object eq sip\nobject-group service p tcp\n"
     " port-object range 5061 5065\n",
     "tcp 10.0.10.4:5064", 1},
    {"object-group service s\n service-object tcp source range 40000 40001 destination eq 5061\n"
     " service-object tcp-udp destination eq 3478\n service-object udp\n"
     "access-list x extended permit object-group s any any\n",
     "tcp 10.0.10.2:5061", 5},
    {"object-group service s\n service-object tcp-udp eq 3478\naccess-list x extended permit object-group s any "
     "any\n",
     "udp 10.0.10.2:3478", 3},
    {"object service s\n service tcp source eq 40001 destination eq 5061\n"
     "access-list x extended permit object s any any\n",
     "tcp 10.0.10.2:5061", 0},
    {"object-group service p tcp-udp\n port-object eq domain\n"
     "access-list x extended permit udp any object-group p any\n",
     "udp 10.0.10.2:53", 0}, /* it is the source */
};

static void lists_mean_what_they_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        char text[2048];
        snprintf(text, sizeof text, "%s%saccess-list x extended deny ip host 192.0.2.99 any\n"
                 "access-group x in interface outside\n", HEAD, asks[i].config);
        struct fw_rules *r = read_ok(text);
        struct fw_flow f = flow_of(asks[i].proto_to);
        struct fw_verdict v = fw_eval_first(r, 0, 1, &f);
        unsigned line = v.decision == FW_PERMITTED ? v.rule->line - HEAD_LINES : 0;
        if (line != asks[i].line)
            fail_msg("%s%s: expected line %u, found %u", asks[i].config, asks[i].proto_to, asks[i].line, line);
        fw_rules_free(r);
    }
}

/* What ends the reading, with the line (behind HEAD), the column and words of the message. */
static const struct refusal {
    const char *config;
    int err;
    unsigned line, column;
    const char *words;
} refusals[] = {
    {"object-group network g\n group-object h\nobject-group network h\n group-object g\n"
     "access-list x extended permit ip any object-group g\n",
     E_MALFORMED, 5, 51, "contains itself"},
    {"nat (inside) 1 10.0.0.0 255.0.0.0\n", E_UNSUPPORTED, 1, 5, "before 8.3"},
    {"global (outside) 1 interface\n", E_UNSUPPORTED, 1, 1, "before 8.3"},
    {"static (inside,outside) 1.1.1.1 10.1.1.1\n", E_UNSUPPORTED, 1, 1, "before 8.3"},
    {"crypto ca certificate chain c\n certificate ca 01\n    30820122 300d0609\n", E_TRUNCATED, 2, 1,
     "no end (quit)"},
    {"hostname a\001b\n", E_MALFORMED, 1, 11, "found byte 1"},
    {"interface Gi9\n nameif outside\n", E_EXISTS, 2, 1, "second interface"},
    {"firewall transparent\n", E_UNSUPPORTED, 1, 21, "transparent"},
    {"admin-context admin\n", E_UNSUPPORTED, 1, 1, "several contexts"},
    {"nat (inside) 0 access-list x\n", E_UNSUPPORTED, 1, 5, "before 8.3"},
};

/* What is not understood, or cannot be evaluated: the line (behind HEAD) and words of the reason. */
static const struct doubtful {
    const char *config;
    unsigned line;
    const char *words;
} doubtful[] = {
    {"acces-list x extended permit ip any any\n", 1, "\"acces-list\" is not understood"},
    {"access-list x extended permit tpc any any\n", 1, "expected a protocol, found \"tpc\""},
    {"access-list x extended permit tcp any any eq 70000\n", 1, "expected a port"},
    {"access-list x extended permit tcp any any eq dns\n", 1, "expected a port"},
    {"access-list x extended permit tcp any any range 9 1\n", 1, "goes up"},
    {"access-list x extended permit ip any any eq 80\n", 1, "ports need tcp"},
    {"access-list x extended permit tcp any\n", 1, "found the end of the line"},
    {"access-list x extended permit tcp any any eq 80 81\n", 1, "found \"81\""},
    {"access-list x extended permit tcp any object o\n", 1, "\"o\" is not defined"},
    {"access-list x extended permit tcp any host 10.0.0.256\n", 1, "expected an address"},
    {"access-list x extended permit tcp any 10.0.0.0 eq 80\n", 1, "expected a netmask"},
    {"access-list x extended permit tcp any any time-range t\n", 1, "expected the name of a time-range"},
    {"time-range t\n periodic daily 8:00 to 18:00\naccess-list x extended permit tcp any any time-range t\n",
     3, "depends on the clock"},
    {"object network o\n fqdn v4 relay.example.com\naccess-list x extended permit ip any object o\n", 3,
     "relay.example.com"},
    {"object network o\n host 10.0.0.1\n hosts 10.0.0.2\n", 3, "\"hosts\" is not understood here"},
    {"object network o\n host 10.0.0.1\n subnet 10.0.0.0 255.0.0.0\n", 3, "has a value already"},
    {"object-group network g\n group-object h\n", 2, "\"h\" is not defined"},
    {"object-group service p udp\n port-object eq 3478\naccess-list x extended permit tcp any any object-group p\n",
     3, "is not for this protocol"},
    {"access-group y in interface outside\n", 1, "access-list that is defined"},
    {"access-list x extended permit ip any any\naccess-group x in interface dmz\n", 2,
     "expected the name of an interface, found \"dmz\""},
    {"nat (inside,dmz) source static any any\n", 1, "found \"dmz\""},
    {"object network a\n range 10.0.0.1 10.0.0.9\nobject network b\n host 192.0.2.1\n"
     "nat (inside,outside) source static a b\n",
     5, "different numbers or families"},
    {"object network a\n host 10.0.0.1\n nat (inside,outside) static interface service tcp 80\n", 3,
     "expected a port"},
    {"object network a\n host 10.0.0.1\n nat (inside,outside) static 2001:db8::1\n", 3,
     "host or subnet of its family"},
    {"object network a\n subnet 10.0.0.0 255.0.0.0\n nat (inside,outside) static interface\n", 3,
     "one real host"},
    {"object network a\n host 10.0.0.1\nobject network b\n host 2001:db8::1\n"
     "nat (inside,outside) source static a b\n", 5, "families"},
    {"timeout conn 1:60:00\n", 1, "hh:mm:ss"},
    {"timeout con 1:00:00\n", 1, "expected a timer"},
    {"route outside 0.0.0.0 0.0.0.0\n", 1, "expected an address"},
    {"class-map c\n match port tcp eq 3478\npolicy-map p\n class c\n  set connection timeout idle 0:05:00\n"
     "service-policy p global\n", 5, "idle times of single flows"},
    {"crypto map m 10 match address vpn\n", 1, "into a VPN"},
    {"router ospf 1\n network 10.0.0.0 255.0.0.0 area 0\n", 2, "dynamic routes"},
};

static void what_ends_the_reading_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *w = &refusals[i];
        char text[2048];
        snprintf(text, sizeof text, "%s%s", HEAD, w->config);
        struct fw_rules *r;
        struct fw_diag d;
        int err = parse(text, strlen(text), &r, &d);
        if (err != w->err || d.line != w->line + HEAD_LINES || d.column != w->column || !strstr(d.text, w->words))
            fail_msg("%sfound %d, line %u column %u: %s", w->config, err, d.line - HEAD_LINES, d.column, d.text);
    }
}

static void what_is_not_understood_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof doubtful / sizeof *doubtful; i++) {
        const struct doubtful *w = &doubtful[i];
        char text[2048];
        snprintf(text, sizeof text, "%s%s", HEAD, w->config);
        struct fw_rules *r = read_ok(text);
        const struct fw_unsupported *u = NULL;
        bool found = false;
        for (size_t k = 0; (u = fw_rules_unsupported(r, k)) != NULL && !found;)
            found = fw_rules_unsupported(r, k++)->line == w->line + HEAD_LINES && strstr(u->why, w->words);
        if (!found)
            fail_msg("%sline %u is not unsupported for \"%s\"", w->config, w->line, w->words);
        fw_rules_free(r);
    }
}

/* T15, and names whose number depends on the table one reads. */
static void names_that_mislead_are_noted(void **state)
{
    (void)state;
    struct fw_rules *r = read_ok(HEAD "access-list x extended permit udp any any eq dns\n"
                                      "access-list x extended permit tcp any any eq https\n"
                                      "access-list x extended permit tcp any any eq sqlnet\n");
    assert_int_equal(fw_rules_note(r, 0)->line, HEAD_LINES + 1);
    assert_non_null(strstr(fw_rules_note(r, 0)->why, "195"));
    assert_int_equal(fw_rules_note(r, 1)->line, HEAD_LINES + 3);
    assert_null(fw_rules_note(r, 2));
    assert_int_equal(fw_rules_lines(r).unsupported, 0);
    fw_rules_free(r);
}

static void whole_files_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int err;
        const char *words;
    } row[] = {
        {"", E_MALFORMED, "no line that says something"},
        {"ASA Version 8.2(5)\n" HEAD, E_UNSUPPORTED, "8.2(5) is before 8.3"},
        {": Saved\n" HEAD, E_TRUNCATED, "cut off"},
    };
    struct fw_rules *r;
    struct fw_diag d;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        assert_int_equal(parse(row[i].text, strlen(row[i].text), &r, &d), row[i].err);
        assert_non_null(strstr(d.text, row[i].words));
        assert_true(d.line > 0 && d.column > 0);
    }
    size_t len = 10 * 1024 * 1024;
    char *long_line = malloc(len);
    memset(long_line, 'a', len);
    assert_int_equal(parse(long_line, len, &r, &d), E_RANGE);
    free(long_line);
}

/* Forty groups, each twice in the next, and not one address in them. */
static void nesting_ends(void **state)
{
    (void)state;
    char text[8192];
    struct text t = text_of(text, sizeof text);
    text_add(&t, "%sobject-group network g0\n", HEAD);
    for (int i = 1; i <= 40; i++)
        text_add(&t, "object-group network g%d\n group-object g%d\n group-object g%d\n", i, i - 1, i - 1);
    text_add(&t, "access-list x extended permit ip any object-group g40\n");
    struct fw_rules *r;
    struct fw_diag d;
    assert_int_equal(parse(text, t.len, &r, &d), E_RANGE);
    assert_int_equal(d.line, HEAD_LINES + 1 + 40 * 3 + 1);
}

static void quiet_lines_stay_quiet(void **state)
{
    (void)state;
    struct fw_rules *r =
        read_ok(": Saved\n: Written by admin\n" HEAD
                "banner motd access-list x extended permit ip any any\nno failover\nno snmp-server location\n"
                "crypto ca certificate chain c\n certificate ca 01\n    30820122 300d0609 2a864886\n  quit\n"
                "webvpn\n enable outside\n anyconnect enable\nlogging host inside 10.0.10.9\n"
                "access-list split standard permit 10.0.0.0 "
                "255.0.0.0\nCryptochecksum:ea1e58d34590afa6687e169dfc31f4c7\n: end\n"
                "timeout floating-conn 0:00:00\ntimeout uauth 0:05:00 absolute\n");
    assert_int_equal(r->list_count, 0);
    assert_int_equal(fw_rules_lines(r).modelled, 9 - 1); /* HEAD's */
    fw_rules_free(r);
}

static void timers_and_switches(void **state)
{
    (void)state;
    struct fw_rules *r = read_ok(HEAD
                                 "timeout conn 0:05:00 half-closed 0:00:30 udp 0:02:30 icmp 0:00:02\n"
                                 "timeout xlate 3:00:00\ntimeout pat-xlate 0:00:45\ntimeout floating-conn 0:00:00\n"
                                 "same-security-traffic permit intra-interface\n"
                                 "route outside 0.0.0.0 0.0.0.0 198.51.100.1 1\n"
                                 "ip verify reverse-path interface outside\n");
    assert_true(r->timer[FW_TIMER_TCP] == 300 * NS_S);
    assert_int_equal(r->timer_ref[FW_TIMER_TCP]->line, HEAD_LINES + 1);
    assert_true(r->timer[FW_TIMER_UDP] == 150 * NS_S);
    assert_true(r->timer[FW_TIMER_PAT_XLATE] == 45 * NS_S);
    assert_true(r->timer[FW_TIMER_EMBRYONIC] == 30 * NS_S);
    assert_true(r->policy.same_level_intra && !r->policy.same_level_inter);
    assert_int_equal(r->route_count, 1);
    assert_int_equal(r->route[0].to.len, 0);
    assert_true(r->iface[0].verify_reverse);
    fw_rules_free(r);
    r = read_ok(HEAD "timeout conn 0:00:00\n");
    assert_true(r->timer[FW_TIMER_TCP] == TIME_NEVER);
    fw_rules_free(r);
}

/* T5: an inspection counts when the policy is applied. */
static void inspections_are_flagged(void **state)
{
    (void)state;
#define POLICY "policy-map p\n class inspection_default\n  inspect h323 h225\n  inspect sip  \n  inspect icmp\n"
    struct fw_rules *r = read_ok(HEAD POLICY "service-policy p global\n");
    assert_int_equal(fw_rules_inspection(r, "sip")->line, HEAD_LINES + 4);
    assert_string_equal(fw_rules_inspection(r, "sip")->text, "inspect sip");
    assert_non_null(fw_rules_inspection(r, "h323 h225"));
    assert_null(fw_rules_inspection(r, "h323 ras"));
    fw_rules_free(r);
    r = read_ok(HEAD POLICY);
    assert_null(fw_rules_inspection(r, "sip"));
    fw_rules_free(r);
}

static void nat_is_read_in_order(void **state)
{
    (void)state;
    struct fw_rules *r = read_ok(
        HEAD
        "object network web\n host 10.0.10.2\n nat (inside,outside) static 198.51.100.20 service tcp https 8443\n"
        "object network lan\n subnet 10.0.10.0 255.255.255.0\n nat (inside,outside) dynamic interface\n"
        "nat (inside,outside) after-auto source dynamic any interface description last of all, dynamic any\n"
        "nat (inside,outside) source static lan lan destination static web web no-proxy-arp route-lookup\n");
    assert_int_equal(r->nat_count, 4);
    static const unsigned line[] = {8, 3, 6, 7};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(r->nat[i].ref->line - HEAD_LINES, line[i]);
    assert_true(r->nat[0].has_dst && !r->nat[0].dst_to && !r->nat[0].mapped && r->nat[0].route_lookup);
    assert_true(r->nat[1].from.sport_lo == 443 && r->nat[1].to.sport_lo == 8443);
    assert_true(r->nat[3].section == FW_NAT_AFTER_AUTO && r->nat[3].dynamic && r->nat[3].interface);
    fw_rules_free(r);
}

/* Real files parse or fail with the place and the reason named. */
static void samples_parse_or_say_why(void **state)
{
    (void)state;
    static const char dir[] = "../shared/rulesets/asa";
    DIR *d = opendir(dir);
    if (!d) {
        print_message("no %s here: skipped\n", dir);
        skip();
    }
    unsigned files = 0, parsed = 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        static char text[1 << 20];
        char path[512];
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        FILE *f = e->d_name[0] == '.' ? NULL : fopen(path, "rb");
        if (!f)
            continue;
        size_t n = fread(text, 1, sizeof text, f);
        fclose(f);
        struct fw_rules *r;
        struct fw_diag diag;
        int err = parse(text, n, &r, &diag);
        files++;
        if (err) {
            assert_true(diag.line > 0 && diag.column > 0 && strlen(diag.text) > 10);
            continue;
        }
        parsed++;
        struct fw_lines lines = fw_rules_lines(r);
        assert_int_equal(lines.modelled + lines.no_effect + lines.unsupported, lines.total);
        fw_rules_free(r);
    }
    closedir(d);
    assert_true(files == 15 && parsed == 15);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(interfaces_are_read),
        cmocka_unit_test(lists_mean_what_they_say),
        cmocka_unit_test(what_ends_the_reading_is_named),
        cmocka_unit_test(what_is_not_understood_is_named),
        cmocka_unit_test(names_that_mislead_are_noted),
        cmocka_unit_test(whole_files_are_refused),
        cmocka_unit_test(nesting_ends),
        cmocka_unit_test(quiet_lines_stay_quiet),
        cmocka_unit_test(timers_and_switches),
        cmocka_unit_test(inspections_are_flagged),
        cmocka_unit_test(nat_is_read_in_order),
        cmocka_unit_test(samples_parse_or_say_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
