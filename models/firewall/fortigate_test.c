/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FortiGate: policies in order, objects, zones, virtual IPs, source translation, and what is not known. */
#include "models/base/time.h"
#include "models/firewall/parts_rig_test.h"
#include "models/firewall/rules.h"

/* Three interfaces; 24 lines. */
#define NET                                                                                                        \
    "#config-version=FGT60F-7.2.5-FW-build1517-230606:opmode=0:vdom=0:user=admin\n"                                 \
    "config system interface\n"                                                                                    \
    "    edit \"wan1\"\n        set ip 198.51.100.2 255.255.255.0\n    next\n"                                     \
    "    edit \"dmz\"\n        set ip 10.0.10.1/24\n    next\n"                                                    \
    "    edit \"lan\"\n        set ip 10.1.0.1 255.255.0.0\n        set vdom \"root\"\n    next\n"                 \
    "end\n"                                                                                                        \
    "config router static\n    edit 1\n        set gateway 198.51.100.1\n"                                          \
    "        set device \"wan1\"\n    next\n"                                                                      \
    "end\n"                                                                                                        \
    "config firewall address\n    edit \"server\"\n        set subnet 10.0.10.2 255.255.255.255\n    next\nend\n"

#define POLICY(id, in, out, src, dst, service, rest)                                                                \
    "edit " #id "\nset srcintf " in "\nset dstintf " out "\nset srcaddr " src "\nset dstaddr " dst                    \
    "\nset service " service "\nset schedule \"always\"\n" rest "next\n"

static struct fw_rules *read(const char *text)
{
    return rig_read(fw_fortigate_parse, &(struct fw_source){.name = "t", .text = text, .len = strlen(text)});
}

static void ask(const char *text, const struct probe *p)
{
    struct fw_rules *r = read(text);
    for (; p->in; p++)
        rig_probe(r, p);
    fw_rules_free(r);
}

static void policies_go_in_order(void **state)
{
    (void)state;
    static const char text[] =
        NET "config firewall service custom\n"
            "edit \"relay\"\nset tcp-portrange 24000-29999:1024-65535\nset udp-portrange 3478 24000-29999\nnext\n"
            "end\n"                                /* 30 */
            "config firewall policy\n"
            POLICY(9, "wan1", "dmz", "all", "server", "relay", "set action accept\n") /* 32 */
            POLICY(2, "wan1", "dmz", "all", "all", "\"HTTPS\" \"PING\"", "set action accept\nset status disable\n")
            POLICY(1, "wan1", "any", "all", "all", "HTTPS", "") /* 51: deny is the default */
            POLICY(3, "any", "any", "all", "all", "ALL_TCP", "set action accept\n") /* 59 */
            "end\n";
    static const struct probe p[] = {
        {"wan1", "dmz", "udp 192.0.2.9:5 > 10.0.10.2:3478", FW_PERMITTED, 32},
        {"wan1", "dmz", "tcp 192.0.2.9:1024 > 10.0.10.2:24000", FW_PERMITTED, 32},
        {"wan1", "dmz", "udp 192.0.2.9:5 > 10.0.10.3:3478", FW_DENIED, 0},
        {"wan1", "dmz", "tcp 192.0.2.9:5 > 10.0.10.2:443", FW_DENIED, 51},
        {"lan", "wan1", "tcp 10.1.0.9:5 > 192.0.2.9:443", FW_PERMITTED, 59},
        {"lan", "wan1", "udp 10.1.0.9:5 > 192.0.2.9:443", FW_DENIED, 0},
        {"wan1", "dmz", "icmp 8 192.0.2.9 > 10.0.10.2", FW_DENIED, 0},
        {0},
    };
    ask(text, p);
    struct fw_rules *r = read(text);
    assert_int_equal(fw_rules_lines(r).unsupported, 0);
    assert_int_equal(r->timer[FW_TIMER_UDP], 180 * NS_S);
    assert_int_equal(r->route_count, 1);
    assert_non_null(fw_rules_inspection(r, "sip"));
    fw_rules_free(r);
}

static void objects_and_groups(void **state)
{
    (void)state;
    static const char text[] =
        NET "config firewall address\n" /* 25 */
            "edit \"range\"\nset type iprange\nset start-ip 10.0.10.8\nset end-ip 10.0.10.9\nnext\n"
            "edit \"wild\"\nset type wildcard\nset wildcard 10.0.0.7 255.0.0.255\nnext\n"
            "edit \"net\"\nset subnet 10.1.0.0/16\nnext\nend\n" /* 38 */
            "config firewall addrgrp\n"
            "edit \"both\"\nset member \"range\" \"server\"\nnext\n"
            "edit \"but\"\nset member \"net\"\nset exclude enable\nset exclude-member \"one\"\nnext\nend\n" /* 48 */
            "config firewall address\nedit \"one\"\nset subnet 10.1.0.1/32\nnext\nend\n" /* 53 */
            "config firewall address6\nedit \"six\"\nset ip6 2001:db8::/32\nnext\nend\n" /* 58 */
            "config firewall service group\nedit \"mail\"\nset member SMTP \"SMTPS\"\nnext\nend\n" /* 63 */
            "config firewall policy\n"
            POLICY(1, "but-nothing", "any", "all", "all", "ALL", "set action accept\n") /* 65 */
            POLICY(2, "any", "any", "all", "both", "mail", "set action accept\n")       /* 74 */
            POLICY(3, "any", "any", "but", "wild", "ALL", "set action accept\n")        /* 83 */
            POLICY(4, "any", "any", "net", "both", "ALL", "set srcaddr-negate enable\nset action accept\n")
            POLICY(5, "any", "any", "none", "none", "ALL", "set srcaddr6 all\nset dstaddr6 six\nset action accept\n")
            "end\n";
    static const struct probe p[] = {
        {"lan", "dmz", "tcp 10.1.0.9:5 > 10.0.10.8:465", FW_PERMITTED, 74},
        {"lan", "dmz", "tcp 10.1.0.9:5 > 10.0.10.7:465", FW_PERMITTED, 83},
        {"lan", "dmz", "tcp 10.1.0.1:5 > 10.0.10.7:465", FW_DENIED, 0},
        {"wan1", "dmz", "udp 192.0.2.1:5 > 10.0.10.2:9", FW_PERMITTED, 92},
        {"lan", "dmz", "udp 10.1.0.1:5 > 10.0.10.2:9", FW_DENIED, 0},
        {"wan1", "dmz", "udp [2001:db8:1::1]:5 > [2001:db8:2::2]:9", FW_PERMITTED, 102},
        {"wan1", "dmz", "udp [2001:db8:1::1]:5 > [2001:db9:2::2]:9", FW_DENIED, 0},
        {0},
    };
    ask(text, p);
}

static void zones_stand_for_their_interfaces(void **state)
{
    (void)state;
    static const char text[] =
        NET "config system zone\nedit \"inner\"\nset intrazone allow\n"
            "set interface \"lan\" \"dmz\"\nnext\nend\n" /* 30 */
            "config firewall policy\n"
            POLICY(1, "inner", "wan1", "all", "all", "DNS", "set action accept\n") /* 32 */
            "end\n";
    static const struct probe p[] = {
        {"lan", "wan1", "udp 10.1.0.9:5 > 192.0.2.9:53", FW_PERMITTED, 32},
        {"dmz", "wan1", "udp 10.0.10.9:5 > 192.0.2.9:53", FW_PERMITTED, 32},
        {"lan", "dmz", "udp 10.1.0.9:5 > 10.0.10.9:99", FW_PERMITTED, 26},
        {"wan1", "lan", "udp 192.0.2.9:5 > 10.1.0.9:53", FW_DENIED, 0},
        {0},
    };
    ask(text, p);
}

#define VIPS                                                                                                        \
    "config firewall vip\nedit \"web\"\nset extip 198.51.100.20\nset mappedip \"10.0.10.2\"\n"                      \
    "set extintf \"wan1\"\n"                                                                                       \
    "set portforward enable\nset extport 8443-8444\nset mappedport 443-444\nnext\n" /* 33 */                        \
    "edit \"whole\"\nset extip 198.51.100.21-198.51.100.22\nset mappedip \"10.0.10.3-10.0.10.4\"\n"                   \
    "set extintf \"any\"\nnext\n"                                                                                 \
    "end\n" /* 39 */

static void virtual_ips_have_policies_of_their_own(void **state)
{
    (void)state;
    static const char text[] =
        NET VIPS "config firewall policy\n"
            POLICY(1, "wan1", "dmz", "all", "server", "ALL", "set action deny\n")                 /* 41 */
            POLICY(2, "wan1", "dmz", "all", "\"web\" \"whole\"", "HTTPS", "set action accept\n") /* 50 */
            POLICY(3, "wan1", "any", "all", "all", "ALL", "set action accept\n")                  /* 59 */
            "end\n";
    static const struct probe p[] = {
        {"wan1", "dmz", "tcp 192.0.2.9:5 > 198.51.100.20:8443", FW_PERMITTED, 50},
        {"wan1", "dmz", "tcp 192.0.2.9:5 > 198.51.100.20:8444", FW_DENIED, 0}, /* not HTTPS, once inside */
        {"wan1", "dmz", "tcp 192.0.2.9:5 > 198.51.100.20:9", FW_PERMITTED, 59}, /* not of the virtual IP */
        {"wan1", "dmz", "tcp 192.0.2.9:5 > 198.51.100.21:443", FW_PERMITTED, 50},
        {"wan1", "dmz", "tcp 192.0.2.9:5 > 198.51.100.21:444", FW_DENIED, 0},
        {"wan1", "dmz", "tcp 192.0.2.9:5 > 10.0.10.3:444", FW_PERMITTED, 59},
        {0},
    };
    struct fw_rules *r = read(text);
    /* match-vip is on by default in 7.2.5, but what its addresses mean for a virtual IP is not known. */
    struct fw_verdict v;
    struct fw_flow f = rig_flow(p[0].packet);
    v = fw_eval_first(r, fw_rules_find_interface(r, "wan1"), fw_rules_find_interface(r, "dmz"), &f);
    assert_int_equal(v.decision, FW_UNKNOWN);
    fw_rules_free(r);
    char old[sizeof text];
    memcpy(old, text, sizeof text);
    memcpy(strstr(old, "7.2.5"), "7.0.5", 5);
    ask(old, p);
    r = read(old);
    assert_int_equal(r->nat_count, 2);
    assert_true(r->nat[0].has_dst && r->nat[0].has_service && r->nat[0].from.dport_lo == 8443);
    assert_int_equal(r->nat[0].to.dport_lo, 443);
    assert_int_equal(r->nat[0].real_iface, fw_rules_find_interface(r, "wan1"));
    assert_int_equal(r->nat[1].real_iface, FW_ANY_IFACE);
    fw_rules_free(r);
}

static void denials_meet_virtual_ips_when_asked(void **state)
{
    (void)state;
#define DENY(rest)                                                                                                   \
    NET VIPS "config firewall policy\n" POLICY(1, "wan1", "dmz", "all", "all", "HTTPS", "set action deny\n" rest)     \
        POLICY(2, "wan1", "dmz", "all", "web", "ALL", "set action accept\n") "end\n"
    static const struct probe asked[] = {{"wan1", "dmz", "tcp 192.0.2.9:5 > 198.51.100.20:8444", FW_PERMITTED, 51},
                                         {"wan1", "dmz", "tcp 192.0.2.9:5 > 198.51.100.20:8443", FW_DENIED, 41},
                                         {0}};
    static const struct probe not[] = {{"wan1", "dmz", "tcp 192.0.2.9:5 > 198.51.100.20:8443", FW_PERMITTED, 51}, {0}};
    ask(DENY("set match-vip enable\n"), asked);
    ask(DENY("set match-vip disable\n"), not);
    /* Of whole addresses the service is the same on both sides. */
    static const char whole[] =
        NET VIPS "config firewall policy\n"
            POLICY(1, "wan1", "dmz", "all", "all", "HTTPS", "set action deny\nset match-vip enable\n") /* 41 */
            POLICY(2, "wan1", "dmz", "all", "whole", "ALL", "set action accept\n") "end\n";
    static const struct probe p[] = {{"wan1", "dmz", "tcp 192.0.2.9:5 > 198.51.100.21:443", FW_DENIED, 41},
                                     {"wan1", "dmz", "tcp 192.0.2.9:5 > 198.51.100.21:80", FW_PERMITTED, 51}, {0}};
    ask(whole, p);
}

static void policies_translate_sources(void **state)
{
    (void)state;
    static const char text[] =
        NET VIPS "config firewall ippool\nedit \"p\"\nset startip 198.51.100.30\n"
            "set endip 198.51.100.31\nnext\nend\n" /* 45 */
            "config firewall policy\n"
            POLICY(1, "lan", "dmz", "all", "all", "ALL", "set action accept\n")                         /* 47 */
            POLICY(2, "lan", "wan1", "all", "all", "HTTP", "set action accept\nset nat enable\n"
                                                           "set ippool enable\nset poolname \"p\"\n")    /* 56 */
            POLICY(3, "\"lan\" \"dmz\"", "wan1", "all", "all", "ALL", "set action accept\nset nat enable\n")
            POLICY(4, "wan1", "dmz", "all", "whole", "ALL", "set action accept\n") "end\n";
    struct fw_rules *r = read(text);
    assert_int_equal(r->nat_count, 1 + 1 + 1 + 2 + 2 + 1);
    assert_int_equal(r->nat[0].section, FW_NAT_OBJECT); /* whole, inwards */
    assert_false(r->nat[1].dynamic);
    assert_int_equal(r->nat[1].ref->line, 47);
    assert_true(r->nat[2].dynamic && r->nat[2].pat && !r->nat[2].interface && r->nat[2].has_service);
    assert_false(r->nat[3].dynamic); /* whole, outwards, by policy 3 */
    assert_true(r->nat[5].dynamic && r->nat[5].interface);
    assert_int_equal(fw_rules_lines(r).unsupported, 0);
    fw_rules_free(r);
}

static void packets_pass_the_box(void **state)
{
    (void)state;
    static const char text[] =
        NET VIPS "config firewall policy\n"
            POLICY(1, "wan1", "dmz", "all", "\"web\" \"whole\"", "HTTPS", "set action accept\n")
            POLICY(2, "dmz", "wan1", "all", "all", "ALL", "set action accept\nset nat enable\n")
            "end\n";
    struct fw_rules *r = read(text);
    rig_pass(r, "wan1", "tcp 192.0.2.9:5 > 198.51.100.20:8443", "dmz 192.0.2.9:5 > 10.0.10.2:443");
    rig_pass(r, "wan1", "tcp 192.0.2.9:5 > 198.51.100.21:443", "dmz 192.0.2.9:5 > 10.0.10.3:443");
    rig_pass(r, "wan1", "tcp 192.0.2.9:5 > 198.51.100.21:80", "implicit");
    rig_pass(r, "dmz", "tcp 10.0.10.9:5000 > 192.0.2.9:80", "wan1 198.51.100.2:5000 > 192.0.2.9:80");
    rig_pass(r, "dmz", "tcp 10.0.10.3:5000 > 192.0.2.9:80", "wan1 198.51.100.21:5000 > 192.0.2.9:80");
    fw_rules_free(r);
}

static void what_is_not_known_is_named(void **state)
{
    (void)state;
    static const char text[] =
        NET "config firewall address\nedit \"site\"\nset type fqdn\nset fqdn \"example.com\"\nnext\nend\n" /* 30 */
            "config firewall policy\n"
            POLICY(1, "wan1", "dmz", "site", "server", "SSH", "set action accept\n") /* 32 */
            POLICY(2, "wan1", "dmz", "all", "server", "RDP", "set action accept\nset groups \"staff\"\n") /* 41 */
            "edit 3\nset srcintf lan\nset dstintf wan1\nset srcaddr all\nset internet-service enable\n"
            "set internet-service-name \"Microsoft-Teams\"\nset schedule always\nset action accept\nnext\n" /* 51 */
            POLICY(4, "wan1", "dmz", "all", "server", "SMTP", "set frob 1\nset action accept\nset session-ttl 60\n")
            "end\n"
            "config router policy\nedit 1\nset output-device dmz\nnext\nend\n";
    struct fw_rules *r = read(text);
    assert_int_equal(fw_rules_lines(r).unsupported, 1 + 1 + 2 + 2 + 3);
    assert_non_null(strstr(fw_rules_unsupported(r, 1)->why, "user"));
    fw_rules_free(r);
    char copy[sizeof text];
    memcpy(copy, text, sizeof text);
    *strstr(copy, "config router policy") = '\0';
    static const struct probe p[] = {
        {"wan1", "dmz", "tcp 192.0.2.9:5 > 10.0.10.2:22", FW_UNKNOWN, 32},
        {"wan1", "dmz", "tcp 192.0.2.9:5 > 10.0.10.2:3389", FW_UNKNOWN, 41},
        {"lan", "wan1", "udp 10.1.0.9:5 > 192.0.2.9:3478", FW_UNKNOWN, 51},
        {"wan1", "dmz", "tcp 192.0.2.9:5 > 10.0.10.2:25", FW_UNKNOWN, 60},
        {"wan1", "dmz", "tcp 192.0.2.9:5 > 10.0.10.2:26", FW_DENIED, 0},
        {0},
    };
    ask(copy, p);
    static const struct probe any[] = {{"dmz", "lan", "udp 10.0.10.2:5 > 10.1.0.1:3", FW_UNKNOWN, 26}, {0}};
    ask(NET "config system settings\nset central-nat enable\nend\nconfig firewall policy\n"
        POLICY(1, "wan1", "dmz", "all", "all", "ALL", "set action accept\n") "end\n", any);
}

static void one_virtual_domain_is_read(void **state)
{
    (void)state;
    static const char text[] =
        "config vdom\nedit root\nnext\nedit b\nnext\nend\n"
        "config global\nconfig system interface\nedit p1\nset vdom b\nset ip 10.0.0.1/24\nnext\n"
        "edit p2\nset vdom root\nset ip 10.0.1.1/24\nnext\nend\nconfig system global\nset udp-idle-timer 60\nend\nend\n"
        "config vdom\nedit root\nconfig firewall policy\nedit 1\nset srcintf p2\nset dstintf p2\nset srcaddr all\n"
        "set dstaddr all\nset service ALL\nset schedule always\nset action accept\nnext\nend\nend\n"
        "config vdom\nedit b\nconfig firewall policy\nend\nend\n";
    struct fw_source src = {.name = "t", .text = text, .len = strlen(text), .section = "root"};
    struct fw_rules *r = rig_read(fw_fortigate_parse, &src);
    assert_int_equal(r->iface_count, 1);
    assert_int_equal(r->timer[FW_TIMER_UDP], 60 * NS_S);
    rig_probe(r, &(struct probe){"p2", "p2", "udp 10.0.1.2:5 > 10.0.1.1:3", FW_PERMITTED, 25});
    assert_int_equal(fw_rules_lines(r).unsupported, 0);
    fw_rules_free(r);
    src.section = NULL;
    rig_refused(fw_fortigate_parse, &src, E_UNSUPPORTED, 1, "has 2: root, b");
}

static void sip_inspection_can_be_off(void **state)
{
    (void)state;
    static const char text[] =
        NET "config system settings\nset default-voip-alg-mode kernel-helper-based\nend\n"
            "config system session-helper\nedit 1\nset name ftp\nnext\nend\nconfig firewall policy\n"
        POLICY(1, "wan1", "dmz", "all", "all", "ALL", "set action accept\n") "end\n";
    struct fw_rules *r = read(text);
    assert_null(fw_rules_inspection(r, "sip"));
    fw_rules_free(r);
}

static void bad_files_are_refused_with_a_place(void **state)
{
    (void)state;
    static const struct refusal t[] = {
        {"config firewall policy\nedit 1\nset action accept\n", E_TRUNCATED, 2, "cut off"},
        {"config firewall policy\nshow\n", E_MALFORMED, 2, "found \"show\""},
        {"config firewall policy\nnext\n", E_MALFORMED, 2, "next below edit"},
        {"edit 1\n", E_MALFORMED, 1, "edit below config"},
        {"config firewall policy\nend\nend\n", E_MALFORMED, 3, "end below config"},
        {"config firewall policy\nedit \"a\nb\n", E_TRUNCATED, 2, "closing quote"},
        {"config system interface\nend\n", E_MALFORMED, 1, "expected config firewall policy"},
        {"config firewall address\nedit a\nset subnet x y\nnext\nend\nconfig firewall policy\nedit 1\nset srcintf p\n"
         "set srcaddr a\nnext\nend\n", E_MALFORMED, 3, "expected an address and a mask"},
        {"config firewall addrgrp\nedit a\nset member b\nnext\nedit b\nset member a\nnext\nend\n"
         "config firewall policy\nedit 1\nset srcintf p\nset srcaddr a\nnext\nend\n", E_MALFORMED, 2,
         "contains itself"},
        {"config firewall policy\n\x02\nend\n", E_MALFORMED, 2, "control byte"},
    };
    rig_refusals(fw_fortigate_parse, t, sizeof t / sizeof *t);
}

static void hostile_files_are_bounded(void **state)
{
    (void)state;
    size_t len = 10 * 1024 * 1024;
    char *text = rig_long_word("config ", len);
    struct fw_source src = {.name = "t", .text = text, .len = len};
    rig_refused(fw_fortigate_parse, &src, E_RANGE, 1, "shorter word");
    for (size_t i = 0; i + 9 <= len; i += 9)
        memcpy(text + i, "config a\n", 9);
    rig_refused(fw_fortigate_parse, &src, E_RANGE, 33, "levels");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies_go_in_order),
        cmocka_unit_test(objects_and_groups),
        cmocka_unit_test(zones_stand_for_their_interfaces),
        cmocka_unit_test(virtual_ips_have_policies_of_their_own),
        cmocka_unit_test(denials_meet_virtual_ips_when_asked),
        cmocka_unit_test(policies_translate_sources),
        cmocka_unit_test(packets_pass_the_box),
        cmocka_unit_test(what_is_not_known_is_named),
        cmocka_unit_test(one_virtual_domain_is_read),
        cmocka_unit_test(sip_inspection_can_be_off),
        cmocka_unit_test(bad_files_are_refused_with_a_place),
        cmocka_unit_test(hostile_files_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
