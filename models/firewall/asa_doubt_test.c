/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an ASA line that cannot be evaluated makes unknown, and what it leaves certain. And FTD, which is read alike. */
#include "models/base/time.h"
#include "models/firewall/parts_rig_test.h"
#include "models/firewall/rules.h"

#define HEAD                                                                                                        \
    "interface Gi0/0\n nameif outside\n security-level 0\n ip address 198.51.100.2 255.255.255.0\n"                  \
    "interface Gi0/1\n nameif inside\n ip address dhcp setroute\n"                                                   \
    "interface Gi0/2\n nameif dmz\n security-level 50\n ip address 10.2.0.1 255.255.0.0\n"
enum { HEAD_LINES = 11, PROBES_MAX = 4 };

static struct fw_rules *read_with(const char *before, const char *config, const char *after)
{
    char text[4096];
    snprintf(text, sizeof text, "%s%s%s%s", before, HEAD, config, after);
    return rig_read(fw_asa_parse, &(struct fw_source){.name = "fw.cfg", .text = text, .len = strlen(text),
                                                      .clock_s = FW_NO_CLOCK});
}

#define BOUND "access-group x in interface outside\n"
#define X "access-list x extended "
#define FROM "tcp 203.0.113.9:40000 > "
#define WEB FROM "10.0.10.2:443"
#define SSH FROM "10.0.10.2:22"

/* The line behind HEAD that is unsupported (0: none), and packets: decision, line that decides or is in doubt. */
static const struct row {
    const char *config;
    unsigned unsupported;
    struct probe probe[PROBES_MAX];
} rows[] = {
    /* addresses that are not known */
    {"object network o\n fqdn v4 www.example.com\n" X "permit tcp object o any eq 443\n" BOUND, 2,
     {{"outside", "inside", WEB, FW_UNKNOWN, 3}, {"outside", "inside", SSH, FW_DENIED, 0},
      {"outside", "inside", "tcp [2001:db8::9]:5 > [2001:db8:1::1]:443", FW_DENIED, 0}}},
    {"object network o\n fqdn www.example.com\nobject-group network g\n network-object object o\n"
     " network-object host 203.0.113.9\n" X "permit tcp object-group g any\n" BOUND, 2,
     {{"outside", "inside", WEB, FW_PERMITTED, 6},
      {"outside", "inside", "tcp 203.0.113.8:5 > 10.0.10.2:443", FW_UNKNOWN, 6}}},
    {"object-group network g\n network-object {{ servers }}\n network-object host 10.0.10.2\n"
     X "permit tcp any object-group g\n" BOUND, 2,
     {{"outside", "inside", WEB, FW_PERMITTED, 4}, {"outside", "inside", FROM "10.0.10.3:443", FW_UNKNOWN, 4}}},
    {X "permit tcp any interface inside eq 443\n" BOUND, 1,
     {{"outside", "inside", WEB, FW_UNKNOWN, 1}, {"outside", "inside", SSH, FW_DENIED, 0}}},
    {"object-group service s\n service-object object nothing\n service-object tcp destination eq 443\n"
     X "permit object-group s any any\n" BOUND, 2,
     {{"outside", "inside", WEB, FW_PERMITTED, 4}, {"outside", "inside", SSH, FW_UNKNOWN, 4}}},
    /* conditions that are not known */
    {"time-range t\n periodic daily 8:00 to 18:00\n" X "permit tcp any any eq 443 time-range t\n" BOUND, 3,
     {{"outside", "inside", WEB, FW_UNKNOWN, 3}, {"outside", "inside", SSH, FW_DENIED, 0}}},
    {X "permit tcp user LOCAL\\anna any host 10.0.10.2 eq 443\n" BOUND, 1,
     {{"outside", "inside", WEB, FW_UNKNOWN, 1}, {"outside", "inside", FROM "10.0.10.3:443", FW_DENIED, 0}}},
    {X "permit tcp object-group-security s any security-group tag 7 any eq 443\n" BOUND, 1,
     {{"outside", "inside", WEB, FW_UNKNOWN, 1}, {"outside", "inside", SSH, FW_DENIED, 0}}},
    /* rules that cannot be read: unknown only where it would matter */
    {X "permit tpc any any\n" X "permit tcp any any eq 443\n" BOUND, 1,
     {{"outside", "inside", WEB, FW_PERMITTED, 2}, {"outside", "inside", SSH, FW_UNKNOWN, 1}}},
    {X "deny tpc any any\n" X "permit tcp any any eq 443\n" BOUND, 1,
     {{"outside", "inside", WEB, FW_UNKNOWN, 1}, {"outside", "inside", SSH, FW_DENIED, 0}}},
    {X "permit tpc any any inactive\n" X "permit tcp any any eq 443\n" BOUND, 1,
     {{"outside", "inside", WEB, FW_PERMITTED, 2}, {"outside", "inside", SSH, FW_DENIED, 0}}},
    {X "permit tcp any any established\n" BOUND, 0, {{"outside", "inside", WEB, FW_DENIED, 0}}},
    /* lists that are bound and not there */
    {"access-group nothing out interface inside\n" X "permit ip any any\n" BOUND, 1,
     {{"outside", "inside", WEB, FW_UNKNOWN, 1}, {"outside", "dmz", WEB, FW_PERMITTED, 2}}},
    /* interfaces */
    {"interface Gi0/3\n nameif lan\n security-level 20\n zone-member z\n" X "permit ip any any\n" BOUND, 4,
     {{"outside", "lan", WEB, FW_UNKNOWN, 4}, {"lan", "outside", WEB, FW_UNKNOWN, 4},
      {"outside", "inside", WEB, FW_PERMITTED, 5}}},
    /* NAT */
    {"object network a\n range 10.0.0.1 10.0.0.9\nobject network b\n host 192.0.2.1\n"
     "nat (inside,outside) source static a b\n", 5,
     {{"inside", "outside", "tcp 10.0.0.5:5 > 203.0.113.9:443", FW_UNKNOWN, 5},
      {"inside", "outside", "tcp 10.0.10.2:5 > 203.0.113.9:443", FW_PERMITTED, 0},
      {"inside", "dmz", "tcp 10.0.0.5:5 > 10.2.0.9:443", FW_PERMITTED, 0},
      {"outside", "inside", FROM "192.0.2.1:443", FW_UNKNOWN, 5}}},
    {"nat (inside,outside) source static nothing any inactive\n", 1,
     {{"inside", "outside", "tcp 10.0.0.5:5 > 203.0.113.9:443", FW_PERMITTED, 0}}},
    /* VPN, policies, others */
    {"crypto map m 10 match address vpn\naccess-list vpn extended permit ip any 10.9.0.0 255.255.0.0\n", 1,
     {{"inside", "outside", "tcp 10.0.0.5:5 > 10.9.0.1:443", FW_UNKNOWN, 1},
      {"outside", "inside", "tcp 10.9.0.1:5 > 10.0.0.5:443", FW_UNKNOWN, 1},
      {"inside", "outside", "tcp 10.0.0.5:5 > 203.0.113.9:443", FW_PERMITTED, 0}}},
    {"class-map c\n match port tcp eq 443\npolicy-map p\n class c\n  sfr fail-open\nservice-policy p interface dmz\n"
     X "permit ip any any\n" BOUND, 5,
     {{"outside", "dmz", WEB, FW_UNKNOWN, 5}, {"outside", "dmz", SSH, FW_PERMITTED, 7},
      {"outside", "inside", WEB, FW_PERMITTED, 7}}},
    {"class-map c\n match access-list y\naccess-list y extended permit tcp any any eq 443\npolicy-map p\n class c\n"
     "  set connection advanced-options tcp-state-bypass\nservice-policy p global\n" X "permit ip any any\n" BOUND, 6,
     {{"outside", "inside", WEB, FW_UNKNOWN, 6}, {"outside", "inside", SSH, FW_PERMITTED, 8}}},
    {"policy-map p\n class c\n  sfr fail-open\n" X "permit ip any any\n" BOUND, 0, /* never applied */
     {{"outside", "inside", WEB, FW_PERMITTED, 4}}},
    {"frobnicate all packets\n" X "permit ip any any\n" BOUND, 1, {{"outside", "inside", WEB, FW_UNKNOWN, 1}}},
    {"established udp 4000 0\n" X "permit ip any any\n" BOUND, 1,
     {{"outside", "inside", "udp 203.0.113.9:5 > 10.0.0.5:6", FW_UNKNOWN, 1},
      {"outside", "inside", WEB, FW_PERMITTED, 2}}},
};

static void doubts_are_exact(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fw_rules *r = read_with("", rows[i].config, "");
        const struct fw_unsupported *u = fw_rules_unsupported(r, 0);
        if ((u ? u->line - HEAD_LINES : 0) != rows[i].unsupported)
            fail_msg("%sunsupported: line %u (%s)", rows[i].config, u ? u->line - HEAD_LINES : 0, u ? u->why : "");
        for (size_t k = 0; k < PROBES_MAX && rows[i].probe[k].in; k++) {
            struct probe p = rows[i].probe[k];
            p.line += p.line ? HEAD_LINES : 0;
            rig_probe(r, &p);
        }
        fw_rules_free(r);
    }
}

/* Before 9.0 an interface may have two lists; `any` is of the list's family. */
static void lists_of_one_family(void **state)
{
    (void)state;
    enum { LINES = HEAD_LINES + 1 };
#define SIX "tcp [2001:db8::9]:5 > [2001:db8:1::1]:"
    static const struct probe both[] = {{"outside", "inside", WEB, FW_PERMITTED, LINES + 1},
                                        {"outside", "inside", SIX "443", FW_PERMITTED, LINES + 2},
                                        {"outside", "inside", SIX "80", FW_DENIED, 0}};
    static const struct probe one[] = {{"outside", "inside", WEB, FW_PERMITTED, LINES + 1},
                                       {"outside", "inside", SIX "443", FW_UNKNOWN, LINES + 2}};
    struct fw_rules *r = read_with("ASA Version 8.4(2)\n",
                                   X "permit ip any any\nipv6 access-list six permit tcp any any eq 443\n"
                                     "access-group six in interface outside\n", BOUND);
    for (size_t i = 0; i < sizeof both / sizeof *both; i++)
        rig_probe(r, &both[i]);
    fw_rules_free(r);
    r = read_with("ASA Version 8.4(2)\n", X "permit ip any any\n", BOUND);
    for (size_t i = 0; i < sizeof one / sizeof *one; i++)
        rig_probe(r, &one[i]);
    fw_rules_free(r);
}

/* Of class-default everywhere a policy's times and its bypass are those of the box. */
static void policies_for_all_packets(void **state)
{
    (void)state;
    struct fw_rules *r = read_with("", "policy-map p\n class class-default\n"
                                       "  set connection timeout idle 2:00:00 reset\n"
                                       "  set connection advanced-options tcp-state-bypass\n  inspect sip\n"
                                       "  no inspect sip\nservice-policy p global\n", "");
    assert_true(r->timer[FW_TIMER_TCP] == 7200 * NS_S && r->timer[FW_TIMER_UDP] == 7200 * NS_S);
    assert_int_equal(r->timer_ref[FW_TIMER_TCP]->line, HEAD_LINES + 3);
    assert_true(r->policy.tcp_loose);
    assert_null(fw_rules_inspection(r, "sip"));
    assert_int_equal(fw_rules_lines(r).unsupported, 0);
    fw_rules_free(r);
}

/* The address that DHCP gave is the deployment's to say. */
static void the_deployment_knows_addresses(void **state)
{
    (void)state;
    struct ip_prefix address;
    assert_int_equal(prefix_parse("10.0.10.2/24", &address), 0);
    struct fw_port port = {"inside", &address, 1};
    static const char text[] = HEAD X "permit tcp any interface inside eq 443\n" BOUND;
    struct fw_rules *r = rig_read(fw_asa_parse, &(struct fw_source){.name = "fw", .text = text, .len = strlen(text),
                                                                    .port = &port, .port_count = 1});
    rig_probe(r, &(struct probe){"outside", "inside", WEB, FW_PERMITTED, HEAD_LINES + 1});
    rig_probe(r, &(struct probe){"outside", "inside", FROM "10.0.10.3:443", FW_DENIED, 0});
    fw_rules_free(r);
}

static void ftd_is_read(void **state)
{
    (void)state;
    static const char text[] =
        ": Saved\nNGFW Version 7.0.1\n!\nhostname ftd\n" HEAD
        "access-list CSM_FW_ACL_ remark rule-id 268434433: PREFILTER POLICY: p\n"
        "access-list CSM_FW_ACL_ advanced trust udp ifc outside any ifc inside host 10.0.10.2 eq 3478 "
        "rule-id 268434433 event-log flow-end\n"
        "access-list CSM_FW_ACL_ advanced permit tcp ifc outside any any eq https rule-id 268434434\n"
        "access-list CSM_FW_ACL_ advanced deny ip any any rule-id 268434432 event-log flow-start\n"
        "access-group CSM_FW_ACL_ global\n: end\n";
    static const struct probe probes[] = {
        {"outside", "inside", "udp 203.0.113.9:5 > 10.0.10.2:3478", FW_PERMITTED, 17},
        {"outside", "dmz", "udp 203.0.113.9:5 > 10.0.10.2:3478", FW_DENIED, 19},
        {"dmz", "inside", "udp 203.0.113.9:5 > 10.0.10.2:3478", FW_DENIED, 19},
        {"outside", "dmz", WEB, FW_PERMITTED, 18},
        {"dmz", "inside", WEB, FW_DENIED, 19},
    };
    const struct fw_format *f = fw_format_of(text, strlen(text));
    assert_string_equal(f->name, "ftd");
    struct fw_rules *r = rig_read(f->parse, &(struct fw_source){.name = "ftd", .text = text, .len = strlen(text),
                                                                .clock_s = FW_NO_CLOCK});
    for (size_t i = 0; i < sizeof probes / sizeof *probes; i++)
        rig_probe(r, &probes[i]);
    assert_int_equal(fw_rules_lines(r).unsupported, 0);
    assert_non_null(strstr(fw_rules_note(r, 0)->why, "Snort"));
    fw_rules_free(r);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubts_are_exact),         cmocka_unit_test(lists_of_one_family),
        cmocka_unit_test(policies_for_all_packets), cmocka_unit_test(the_deployment_knows_addresses),
        cmocka_unit_test(ftd_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
