/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Palo Alto: rules by zone, objects, order, NAT, and what App-ID leaves open. */
#include "models/firewall/parts_rig_test.h"
#include "models/firewall/rules.h"

/* Three zones; 8 lines. */
#define NET                                                                                                        \
    "set network interface ethernet ethernet1/1 layer3 ip 198.51.100.2/24\n"                                       \
    "set network interface ethernet ethernet1/2 layer3 ip 10.0.10.1/24\n"                                          \
    "set network interface ethernet ethernet1/3 layer3 units ethernet1/3.5 ip 10.1.0.1/16\n"                       \
    "set network virtual-router default routing-table ip static-route d destination 0.0.0.0/0\n"                   \
    "set network virtual-router default routing-table ip static-route d nexthop ip-address 198.51.100.1\n"         \
    "set zone untrust network layer3 ethernet1/1\n"                                                                \
    "set zone dmz network layer3 ethernet1/2\n"                                                                    \
    "set zone trust network layer3 [ ethernet1/3.5 ethernet1/4 ]\n"
#define OUT "ethernet1/1"
#define DMZ "ethernet1/2"
#define IN "ethernet1/3.5"

static void rules_match_zones_addresses_services(void **state)
{
    (void)state;
    static const char text[] =
        NET "set address turn ip-netmask 203.0.113.20\n"
            "set address pool ip-range 203.0.113.30-203.0.113.39\n"
            "set address-group both static [ turn pool ]\n"
            "set service relay protocol udp port 3478,24000-29999\n" /* 12 */
            "set service low protocol tcp port 443 source-port 1024-2047\n"
            "set service-group all members [ relay low service-http ]\n"
            "set rulebase security rules r1 from untrust to dmz source any destination both application any service "
            "all action allow\n" /* 15 */
            "set rulebase security rules r2 from untrust\n"
            "set rulebase security rules r2 to [ dmz trust ]\n"
            "set rulebase security rules r2 source 192.0.2.0/24\n"
            "set rulebase security rules r2 negate-source yes\n"
            "set rulebase security rules r2 destination any\n"
            "set rulebase security rules r2 service service-https\n"
            "set rulebase security rules r2 application any\n"
            "set rulebase security rules r2 action reset-both\n"
            "set rulebase security rules r3 from untrust to any source any destination any service service-https "
            "application any action allow\n" /* 24 */
            "set rulebase security rules r0 from any to any source any destination any service any application any "
            "action allow disabled yes\n"
            "set deviceconfig system hostname fw\n"
            "set deviceconfig setting session timeout-udp 60\n";
    static const struct probe p[] = {
        {OUT, DMZ, "udp 192.0.2.9:5 > 203.0.113.20:3478", FW_PERMITTED, 15},
        {OUT, DMZ, "udp 192.0.2.9:5 > 203.0.113.39:29999", FW_PERMITTED, 15},
        {OUT, DMZ, "udp 192.0.2.9:5 > 203.0.113.40:29999", FW_DENIED, 0},
        {OUT, IN, "udp 192.0.2.9:5 > 203.0.113.39:29999", FW_DENIED, 0},
        {OUT, DMZ, "udp 192.0.2.9:5 > 203.0.113.20:23999", FW_DENIED, 0},
        {OUT, DMZ, "tcp 192.0.2.9:1024 > 203.0.113.20:443", FW_PERMITTED, 15},
        {OUT, DMZ, "tcp 192.0.2.9:2048 > 203.0.113.20:443", FW_PERMITTED, 24},
        {OUT, DMZ, "tcp 192.0.3.9:2048 > 203.0.113.20:443", FW_DENIED, 16},
        {OUT, DMZ, "tcp 192.0.3.9:2048 > 203.0.113.20:8080", FW_PERMITTED, 15},
        {IN, IN, "tcp 10.1.0.9:5 > 10.1.1.1:9", FW_PERMITTED, 0},        /* intrazone-default */
        {IN, "ethernet1/4", "tcp 10.1.0.9:5 > 10.9.1.1:9", FW_PERMITTED, 0},
        {IN, DMZ, "tcp 10.1.0.9:5 > 10.0.10.2:9", FW_DENIED, 0},         /* interzone-default */
        {0},
    };
    rig_table(fw_pan_parse, text, p);
    struct fw_rules *r = rig_read(fw_pan_parse, &(struct fw_source){.name = "t", .text = text, .len = strlen(text)});
    assert_int_equal(r->timer[FW_TIMER_UDP], UINT64_C(60000000000));
    assert_int_equal(fw_rules_lines(r).unsupported, 0);
    assert_int_equal(fw_rules_lines(r).no_effect, 1);
    fw_rules_free(r);
}

#define ALLOW(name, rest) "set rulebase security rules " name " from any to any source any destination any " rest "\n"

static void what_the_content_decides_is_unknown(void **state)
{
    (void)state;
    static const char text[] =
        NET ALLOW("web", "application ssl service application-default action allow") /* 9 */
            ALLOW("sip", "application sip service service-http action allow")
            ALLOW("ping", "application ping service application-default action allow")
            ALLOW("user", "application any source-user corp service service-https action deny")
            "set address site fqdn example.com\n"
            "set address-group tagged dynamic filter \"'web'\"\n" /* 14 */
            "set rulebase security rules f from any to any source any destination site application any service any "
            "action deny\n" /* 15 */
            ALLOW("late", "application any service any action allow schedule night");
    static const struct probe p[] = {
        {OUT, DMZ, "tcp 192.0.2.9:5 > 203.0.113.20:443", FW_UNKNOWN, 9},
        {OUT, DMZ, "tcp 192.0.2.9:5 > 203.0.113.20:8080", FW_UNKNOWN, 10},
        {OUT, DMZ, "icmp 8 192.0.2.9 > 203.0.113.20", FW_PERMITTED, 11},
        {OUT, DMZ, "icmp 13 192.0.2.9 > 203.0.113.20", FW_UNKNOWN, 15},
        {0},
    };
    rig_table(fw_pan_parse, text, p);
    struct fw_rules *r = rig_read(fw_pan_parse, &(struct fw_source){.name = "t", .text = text, .len = strlen(text)});
    assert_int_equal(fw_rules_lines(r).unsupported, 5);
    assert_non_null(strstr(fw_rules_unsupported(r, 0)->why, "application ssl"));
    assert_int_equal(fw_rules_unsupported(r, 3)->line, 13);
    fw_rules_free(r);
}

static void rule_types_and_default_rules(void **state)
{
    (void)state;
    static const char text[] =
        NET ALLOW("in", "application any service service-http action deny rule-type intrazone")
            ALLOW("between", "application any service service-https action allow rule-type interzone")
            "set rulebase default-security-rules rules intrazone-default action deny\n" /* 11 */
            "set rulebase default-security-rules rules interzone-default action allow\n";
    static const struct probe p[] = {
        {IN, IN, "tcp 10.1.0.9:5 > 10.1.1.1:80", FW_DENIED, 9},
        {IN, IN, "tcp 10.1.0.9:5 > 10.1.1.1:443", FW_DENIED, 11},
        {IN, DMZ, "tcp 10.1.0.9:5 > 10.1.1.1:443", FW_PERMITTED, 10},
        {IN, DMZ, "tcp 10.1.0.9:5 > 10.1.1.1:80", FW_PERMITTED, 12},
        {0},
    };
    rig_table(fw_pan_parse, text, p);
}

static void panorama_rules_go_before_and_behind(void **state)
{
    (void)state;
#define SEC(book, name, port, act)                                                                                   \
    "set " book " security rules " name " from a to b source any destination any application any service " port    \
    " action " act "\n"
    static const char text[] = "set shared service p1 protocol tcp port 1\n"
                               "set shared service p2 protocol tcp port 2\n"
                               SEC("device-group dg post-rulebase", "late", "p1", "allow") /* 3 */
                               SEC("shared post-rulebase", "last", "[ p1 p2 ]", "deny")
                               SEC("device-group dg pre-rulebase", "early", "p2", "allow")
                               SEC("shared pre-rulebase", "first", "p2", "deny"); /* 6 */
    static const struct probe p[] = {
        {"a", "b", "tcp 192.0.2.1:5 > 10.0.0.1:1", FW_PERMITTED, 3},
        {"a", "b", "tcp 192.0.2.1:5 > 10.0.0.1:2", FW_DENIED, 6},
        {"a", "b", "tcp 192.0.2.1:5 > 10.0.0.1:3", FW_DENIED, 0},
        {0},
    };
    rig_table(fw_pan_parse, text, p);
}

static struct fw_rules *with_nat(const char *nat)
{
    char text[4096];
    snprintf(text, sizeof text, "%s%s", NET, nat);
    return rig_read(fw_pan_parse, &(struct fw_source){.name = "t", .text = text, .len = strlen(text)});
}

static void nat_rules_translate(void **state)
{
    (void)state;
    struct fw_rules *r = with_nat(
        ALLOW("all", "application any service any action allow")
        "set service s protocol tcp port 8443\n"
        "set rulebase nat rules pat from trust to untrust source 10.1.0.0/16 destination any service any "
        "source-translation dynamic-ip-and-port interface-address interface ethernet1/1\n" /* 11 */
        "set rulebase nat rules fixed from dmz to untrust source 10.0.10.2 destination any service any "
        "source-translation static-ip translated-address 198.51.100.20\n"
        "set rulebase nat rules fixed source-translation static-ip bi-directional yes\n"
        "set rulebase nat rules in from untrust to untrust source any destination 198.51.100.21 service s "
        "destination-translation translated-address 10.0.10.3 translated-port 443\n" /* 14 */
        "set rulebase nat rules wrong from untrust to dmz source any destination 198.51.100.22 service any "
        "destination-translation translated-address 10.0.10.3\n"
        "set rulebase nat rules many from untrust to untrust source any destination any service any "
        "destination-translation translated-address 10.0.10.3 disabled yes\n"
        "set rulebase nat rules none from trust to dmz source any destination any service any\n");
    assert_int_equal(r->nat_count, 6); /* trust has two interfaces */
    assert_true(r->nat[0].dynamic && r->nat[0].pat && r->nat[0].interface);
    assert_int_equal(r->nat[0].real_iface, fw_rules_find_interface(r, IN));
    assert_int_equal(r->nat[0].mapped_iface, fw_rules_find_interface(r, OUT));
    assert_int_equal(r->nat[0].ref->line, 11);
    assert_false(r->nat[2].dynamic || r->nat[2].unidirectional);
    assert_true(r->nat[3].has_dst && r->nat[3].has_service && r->nat[3].unidirectional);
    assert_int_equal(r->nat[3].to.dport_lo, 443);
    assert_int_equal(r->nat[3].mapped_iface, FW_ANY_IFACE);
    assert_int_equal(r->nat[4].ref->line, 17);
    assert_int_equal(fw_rules_lines(r).unsupported, 0);
    fw_rules_free(r);
    r = with_nat(ALLOW("all", "application any service any action allow")
                 "set rulebase nat rules many from untrust to untrust source 192.0.2.0/24 destination any service any "
                 "destination-translation translated-address 10.0.10.3\n");
    static const struct probe p[] = {
        {OUT, DMZ, "tcp 192.0.2.9:5 > 203.0.113.20:443", FW_UNKNOWN, 10},
        {OUT, DMZ, "tcp 192.0.3.9:5 > 203.0.113.20:443", FW_PERMITTED, 9},
        {IN, DMZ, "tcp 192.0.2.9:5 > 203.0.113.20:443", FW_PERMITTED, 9},
        {0},
    };
    for (const struct probe *k = p; k->in; k++)
        rig_probe(r, k);
    assert_int_equal(fw_rules_lines(r).unsupported, 1);
    fw_rules_free(r);
}

static void rules_see_addresses_as_they_arrive(void **state)
{
    (void)state;
    struct fw_rules *r = with_nat("set rulebase security rules r from any to dmz source any destination 198.51.100.21 "
                                  "application any service any action allow\n");
    struct fw_flow arrived = rig_flow("tcp 192.0.2.9:5 > 198.51.100.21:443");
    struct fw_flow real = rig_flow("tcp 192.0.2.9:5 > 10.0.10.3:443");
    struct fw_context c = {.in = fw_rules_find_interface(r, OUT), .out = fw_rules_find_interface(r, DMZ),
                           .arrived = arrived, .real = real, .leaving = real};
    assert_int_equal(fw_eval(r, &c).decision, FW_PERMITTED);
    fw_rules_free(r);
}

static void packets_pass_the_box(void **state)
{
    (void)state;
    struct fw_rules *r = with_nat(
        "set rulebase security rules in from untrust to dmz source any destination [ 198.51.100.21 10.0.10.9 ] "
        "application any service any action allow\n"
        "set rulebase security rules out from dmz to untrust source any destination any application any service any "
        "action allow\n"
        "set service s protocol tcp port 8443\n"
        "set rulebase nat rules in from untrust to untrust source any destination 198.51.100.21 service s "
        "destination-translation translated-address 10.0.10.3 translated-port 443\n"
        "set rulebase nat rules fixed from dmz to untrust source 10.0.10.4 destination any service any "
        "source-translation static-ip translated-address 198.51.100.22\n"
        "set rulebase nat rules pat from dmz to untrust source any destination any service any "
        "source-translation dynamic-ip-and-port translated-address 198.51.100.23\n");
    rig_pass(r, OUT, "tcp 192.0.2.9:5 > 198.51.100.21:8443", DMZ " 192.0.2.9:5 > 10.0.10.3:443");
    rig_pass(r, OUT, "tcp 192.0.2.9:5 > 198.51.100.22:80", OUT " 192.0.2.9:5 > 198.51.100.22:80"); /* one way */
    /* What comes in untranslated is answered so, though the pool would have what the server sends. */
    rig_pass(r, OUT, "tcp 192.0.2.9:5 > 10.0.10.9:80", DMZ " 192.0.2.9:5 > 10.0.10.9:80");
    rig_pass(r, DMZ, "tcp 10.0.10.4:5000 > 192.0.2.9:80", OUT " 198.51.100.22:5000 > 192.0.2.9:80");
    fw_rules_free(r);
}

static void strange_lines_taint(void **state)
{
    (void)state;
    struct fw_rules *r = with_nat(ALLOW("all", "application any service any action allow")
                                  "set rulebase pbf rules f from zone trust\n" /* 10 */
                                  "set rulebase pbf rules f source any\n"
                                  "set rulebase pbf rules f destination 10.0.10.0/24\n"
                                  "set rulebase pbf rules f action forward egress-interface ethernet1/1\n");
    rig_probe(r, &(struct probe){IN, DMZ, "tcp 10.1.0.9:5 > 10.0.10.2:9", FW_UNKNOWN, 10});
    rig_probe(r, &(struct probe){IN, OUT, "tcp 10.1.0.9:5 > 10.0.11.2:9", FW_PERMITTED, 9});
    assert_int_equal(fw_rules_lines(r).unsupported, 4);
    fw_rules_free(r);
    r = with_nat(ALLOW("all", "application any service any action allow") "set frobnicate on\n");
    rig_probe(r, &(struct probe){IN, DMZ, "tcp 10.1.0.9:5 > 10.0.10.2:9", FW_UNKNOWN, 10});
    fw_rules_free(r);
}

static void the_sample_adds_up(void **state)
{
    (void)state;
    static const char path[] = "../shared/rulesets/paloalto/b-destination-nat.set";
    size_t len = 0;
    char *text = rig_sample(path, &len);
    if (!text)
        skip();
    assert_string_equal(fw_format_of(text, len)->name, "pan");
    struct fw_rules *r = rig_read(fw_pan_parse, &(struct fw_source){.name = path, .text = text, .len = len});
    struct fw_lines n = fw_rules_lines(r);
    assert_int_equal(n.total, 168);
    assert_int_equal(r->iface_count, 4);
    rig_probe(r, &(struct probe){"ethernet1/2.1", "ethernet1/1.1", "tcp 9.9.9.9:5 > 1.1.1.7:80", FW_PERMITTED, 140});
    rig_probe(r, &(struct probe){"ethernet1/2.1", "ethernet1/1.1", "tcp 1.2.1.2:5 > 1.1.1.7:80", FW_UNKNOWN, 26});
    fw_rules_free(r);
    free(text);
}

static void bad_files_are_refused_with_a_place(void **state)
{
    (void)state;
    static const struct refusal t[] = {
        {"set rulebase security rules r action allow\nshow x\n", E_MALFORMED, 2, "expected set, found \"show\""},
        {"rulebase {\n security {\n", E_TRUNCATED, 2, "cut off"},
        {"rulebase {\n }}\n", E_MALFORMED, 2, "expected a word, found }"},
        {"set rulebase security rules \"r\n", E_TRUNCATED, 1, "closing quote"},
        {"set rulebase security rules r from [ a b\n", E_TRUNCATED, 2, "expected ]"},
        {"set rulebase security rules r action perhaps\n", E_MALFORMED, 1, "perhaps"},
        {"set rulebase security rules r from a\n", E_MALFORMED, 1, "expected an action of rule r"},
        {"set address-group a static b\nset address-group b static a\n"
         "set rulebase security rules r from x source a action allow\n",
         E_MALFORMED, 1, "contains itself"},
        {"set service s protocol tcp port 70000\nset rulebase security rules r from x service s action allow\n",
         E_MALFORMED, 1, "expected ports"},
        {"set rulebase security\x01\n", E_MALFORMED, 1, "control byte"},
        {"set deviceconfig system hostname x\n", E_MALFORMED, 1, "expected a rulebase"},
        {"set vsys a rulebase security\nset vsys b rulebase security\n", E_UNSUPPORTED, 1, "has 2: a, b"},
    };
    rig_refusals(fw_pan_parse, t, sizeof t / sizeof *t);
}

static void hostile_files_are_bounded(void **state)
{
    (void)state;
    size_t len = 10 * 1024 * 1024;
    char *text = rig_long_word("set ", len);
    struct fw_source src = {.name = "t", .text = text, .len = len};
    rig_refused(fw_pan_parse, &src, E_RANGE, 1, "shorter word");
    for (size_t i = 4; i < len; i++)
        text[i] = i % 2 ? 'a' : ' ';
    rig_refused(fw_pan_parse, &src, E_RANGE, 1, "words");
    for (size_t i = 0; i < len; i++)
        text[i] = i % 2 ? '{' : 'a';
    rig_refused(fw_pan_parse, &src, E_RANGE, 1, "levels");
    free(text);
    /* Groups that double at each step. */
    char groups[8192] = "";
    struct text t = text_of(groups, sizeof groups);
    for (unsigned i = 0; i < 60; i++)
        text_add(&t, "set address-group g%u static [ g%u h%u ]\nset address-group h%u static [ g%u h%u ]\n", i, i + 1,
                 i + 1, i, i + 1, i + 1);
    text_add(&t, "set rulebase security rules r from x source g0 action allow\n");
    src = (struct fw_source){.name = "t", .text = groups, .len = strlen(groups)};
    rig_refused(fw_pan_parse, &src, E_RANGE, 120, "groups of fewer members");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_match_zones_addresses_services),
        cmocka_unit_test(what_the_content_decides_is_unknown),
        cmocka_unit_test(rule_types_and_default_rules),
        cmocka_unit_test(panorama_rules_go_before_and_behind),
        cmocka_unit_test(nat_rules_translate),
        cmocka_unit_test(rules_see_addresses_as_they_arrive),
        cmocka_unit_test(packets_pass_the_box),
        cmocka_unit_test(strange_lines_taint),
        cmocka_unit_test(the_sample_adds_up),
        cmocka_unit_test(bad_files_are_refused_with_a_place),
        cmocka_unit_test(hostile_files_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
