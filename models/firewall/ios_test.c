/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The IOS importer: what a list lets through, by line; translation; what is in doubt; real files when at hand. */
#include "models/base/bytes.h"
#include "models/base/time.h"
#include "models/firewall/parts_rig_test.h"
#include "models/firewall/rules.h"

#define HEAD                                                                                                        \
    "interface Gi0/0\n ip address 198.51.100.2 255.255.255.0\n ip access-group x in\n ip nat outside\n"              \
    "interface Gi0/1\n ip address 10.0.10.1 255.255.255.0\n ip nat inside\n"
enum { HEAD_LINES = 7 };

static struct fw_rules *read_at(const char *config, int64_t clock_s)
{
    char text[4096];
    snprintf(text, sizeof text, "%s%s", HEAD, config);
    return rig_read(fw_ios_parse, &(struct fw_source){.name = "r.cfg", .text = text, .len = strlen(text),
                                                      .clock_s = clock_s});
}

static struct fw_rules *read_ok(const char *config)
{
    return read_at(config, FW_NO_CLOCK);
}

#define E(rule) "ip access-list extended x\n " rule "\n"
#define HERE "203.0.113.9:40000 > "
#define TURN "tcp " HERE "10.0.10.2:3478"

/* A packet from outside, and the line behind HEAD that decides or is in doubt; 0: the implicit deny. */
static const struct ask {
    const char *config, *packet;
    enum fw_decision decision;
    unsigned line;
} asks[] = {
    {E("permit tcp any host 10.0.10.2 eq 3478"), TURN, FW_PERMITTED, 2},
    {E("permit tcp any host 10.0.10.2 eq 3478"), "udp " HERE "10.0.10.2:3478", FW_DENIED, 0},
    {E("permit tcp any 10.0.10.0 0.0.0.255 eq 443 3478 5061"), TURN, FW_PERMITTED, 2},
    {E("permit tcp any 10.0.10.0 0.0.0.255 neq 443 3478"), TURN, FW_DENIED, 0},
    {E("permit tcp any 10.0.10.0 0.0.0.255 neq 443 3479"), TURN, FW_PERMITTED, 2},
    {E("permit tcp 0.0.113.0 255.255.0.255 any range 3478 3480"), TURN, FW_PERMITTED, 2}, /* holes in the wildcard */
    {E("permit tcp 0.0.114.0 255.255.0.255 any"), TURN, FW_DENIED, 0},
    {E("permit tcp any eq 40000 any"), TURN, FW_PERMITTED, 2},
    {E("permit tcp any lt 40000 any"), TURN, FW_DENIED, 0},
    {E("permit udp any any eq domain"), "udp " HERE "10.0.10.2:53", FW_PERMITTED, 2},
    {E("permit udp any any eq non500-isakmp"), "udp " HERE "10.0.10.2:4500", FW_PERMITTED, 2},
    {E("remark permit ip any any"), TURN, FW_DENIED, 0}, /* of a list without a rule: below */
    {E("permit icmp any any echo"), "icmp 8 203.0.113.9 > 10.0.10.2", FW_PERMITTED, 2},
    {E("permit icmp any any port-unreachable"), "icmp 3 203.0.113.9 > 10.0.10.2", FW_DENIED, 0},
    {E("permit icmp any any 3 0"), "icmp 3 203.0.113.9 > 10.0.10.2", FW_PERMITTED, 2},
    {E("permit tcp any any established"), TURN, FW_DENIED, 0}, /* a SYN */
    {E("permit tcp any any syn"), TURN, FW_PERMITTED, 2},
    {E("permit tcp any any ack rst"), TURN, FW_DENIED, 0},
    {E("permit tcp any any match-all +syn -ack"), TURN, FW_PERMITTED, 2},
    {E("permit tcp any any match-all +syn +ack"), TURN, FW_DENIED, 0},
    {E("permit tcp any any match-any +syn +ack"), TURN, FW_PERMITTED, 2},
    {E("permit ip any any fragments"), TURN, FW_DENIED, 0},
    {E("permit ip any any log-input cookie"), TURN, FW_PERMITTED, 2},
    {E("permit ip any any dscp ef"), TURN, FW_UNKNOWN, 2},
    {E("permit ip any any ttl range 1 9"), TURN, FW_UNKNOWN, 2},
    {E("permit tcp any any reflect r timeout 30"), TURN, FW_PERMITTED, 2},
    {E("evaluate r"), TURN, FW_UNKNOWN, 2},
    {E("permit tcp any any eq nonsense"), TURN, FW_UNKNOWN, 2},
    {E("permt tcp any any"), TURN, FW_UNKNOWN, 2},
    /* sequence numbers order a list, wherever they stand */
    {E("20 permit ip any any\n 10 deny tcp any any"), TURN, FW_DENIED, 3},
    {E("10 permit ip any any\n 20 deny tcp any any"), TURN, FW_PERMITTED, 2},
    /* standard, in each way to write it */
    {"ip access-list standard x\n permit 203.0.113.9\n", TURN, FW_PERMITTED, 2},
    {"ip access-list standard x\n permit host 203.0.113.8\n deny any log\n", TURN, FW_DENIED, 3},
    {"ip access-list standard x\n 10 permit 203.0.113.0 0.0.0.255\n", TURN, FW_PERMITTED, 2},
    /* groups: netmasks in them; nested; a member that is not there */
    {"object-group network g\n 10.0.10.0 255.255.255.0\nobject-group network h\n group-object g\n"
     "object-group service s\n tcp source gt 1023 eq 3478\n" E("permit object-group s any object-group h"),
     TURN, FW_PERMITTED, 8},
    {"object-group service s\n tcp-udp range 3000 4000\n" E("permit object-group s any any"),
     "udp " HERE "10.0.10.2:3478", FW_PERMITTED, 4},
    {"object-group network g\n range 10.0.10.3 10.0.10.9\n" E("permit ip any object-group g"), TURN, FW_DENIED, 0},
    {"object-group network g\n group-object h\n" E("permit ip any object-group g"), TURN, FW_UNKNOWN, 4},
    {E("permit ip any object-group nowhere"), TURN, FW_UNKNOWN, 2},
    /* numbered; bound by another interface line, the last one counts */
    {"access-list 101 permit tcp any any eq 3478\ninterface Gi0/0\n ip access-group 101 in\n", TURN, FW_PERMITTED, 1},
    {"access-list 7 deny 203.0.113.0 0.0.0.255\naccess-list 7 permit any\n"
     "interface Gi0/0\n ip access-group 7 in\n", TURN, FW_DENIED, 1},
};

static void lists_mean_what_they_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        const struct ask *w = &asks[i];
        char config[1024];
        snprintf(config, sizeof config, "%sip access-list extended x\n deny ip host 192.0.2.99 any\n", w->config);
        struct fw_rules *r = read_ok(config);
        struct fw_flow f = rig_flow(w->packet);
        struct fw_verdict v = fw_eval_first(r, 0, 1, &f);
        unsigned line = v.decision == FW_UNKNOWN ? v.doubt[0].ref->line : v.rule ? v.rule->line : 0;
        line -= line ? HEAD_LINES : 0;
        if (v.decision != w->decision || line != w->line)
            fail_msg("%s%s: decision %d, line %u", w->config, w->packet, v.decision, line);
        fw_rules_free(r);
    }
}

/* IPv6 passes an interface that has a list of IPv4 alone; discovery passes a list of IPv6. */
static void families_have_lists_of_their_own(void **state)
{
    (void)state;
    static const struct probe four[] = {
        {"Gi0/0", "Gi0/1", TURN, FW_DENIED, 0},
        {"Gi0/0", "Gi0/1", "tcp [2001:db8::9]:5 > [2001:db8:1::1]:443", FW_PERMITTED, 3},
        {"Gi0/1", "Gi0/0", "tcp 10.0.10.2:5 > 203.0.113.9:443", FW_PERMITTED, 0}, /* no list: all passes */
    };
    struct fw_rules *r = read_ok(E("deny ip host 192.0.2.99 any"));
    for (size_t i = 0; i < sizeof four / sizeof *four; i++)
        rig_probe(r, &four[i]);
    fw_rules_free(r);
    static const struct probe both[] = {
        {"Gi0/0", "Gi0/1", TURN, FW_PERMITTED, HEAD_LINES + 2},
        {"Gi0/0", "Gi0/1", "tcp [2001:db8::9]:5 > [2001:db8:1::1]:443", FW_PERMITTED, HEAD_LINES + 5},
        {"Gi0/0", "Gi0/1", "tcp [2001:db8::9]:5 > [2001:db8:1::1]:80", FW_DENIED, 0},
    };
    r = read_ok(E("permit tcp any any eq 3478") "ipv6 access-list six\n remark web\n"
                " sequence 20 permit tcp any 2001:db8:1::/48 eq 443\ninterface Gi0/0\n ipv6 traffic-filter six in\n");
    for (size_t i = 0; i < sizeof both / sizeof *both; i++)
        rig_probe(r, &both[i]);
    struct fw_flow solicitation = {PROTO_ICMP6, kit_ip("2001:db8::9"), kit_ip("2001:db8:1::1"), 135, 0};
    assert_int_equal(fw_eval_first(r, 0, 1, &solicitation).decision, FW_PERMITTED);
    fw_rules_free(r);
}

/* 2026-11-21 12:00 UTC is a Saturday. */
static void time_ranges_go_by_the_clock(void **state)
{
    (void)state;
    static const struct {
        const char *range;
        enum fw_decision decision;
    } row[] = {
        {"periodic weekdays 8:00 to 18:00", FW_DENIED},  {"periodic weekend 12:00 to 12:00", FW_PERMITTED},
        {"periodic Friday 18:00 to Monday 7:00", FW_PERMITTED}, {"periodic Monday 7:00 to Friday 18:00", FW_DENIED},
        {"periodic Saturday 13:00 to 14:00", FW_DENIED}, {"absolute end 12:00 21 November 2026", FW_PERMITTED},
        {"absolute start 12:01 21 November 2026", FW_DENIED}, {"sometimes", FW_UNKNOWN},
    };
    for (size_t i = 0; i <= sizeof row / sizeof *row; i++) {
        bool clock = i < sizeof row / sizeof *row;
        char config[300];
        snprintf(config, sizeof config, "time-range t\n %s\n" E("permit tcp any any time-range t"),
                 row[clock ? i : 0].range);
        struct fw_rules *r = read_at(config, clock ? 1795262400 : FW_NO_CLOCK);
        struct fw_flow f = rig_flow(TURN);
        assert_int_equal(fw_eval_first(r, 0, 1, &f).decision, clock ? row[i].decision : FW_UNKNOWN);
        fw_rules_free(r);
    }
    /* 11:30 UTC in a zone one hour east, where there is summer time */
    struct fw_rules *r = read_at("clock timezone CET 1 0\nclock summer-time CEST recurring\ntime-range t\n"
                                 " periodic daily 12:00 to 12:59\n" E("permit tcp any any time-range t"), 1795260600);
    struct fw_flow f = rig_flow(TURN);
    assert_int_equal(fw_eval_first(r, 0, 1, &f).decision, FW_UNKNOWN);
    fw_rules_free(r);
}

static void translation_is_read(void **state)
{
    (void)state;
    struct fw_rules *r = read_ok(
        "ip nat inside source list nat interface Gi0/0 overload\n"
        "ip nat inside source static tcp 10.0.10.2 443 198.51.100.20 8443 extendable\n"
        "ip nat inside source static udp 10.0.10.2 3478 interface Gi0/0 3478\n"
        "ip nat pool p 198.51.100.30 198.51.100.39 netmask 255.255.255.0\n"
        "ip nat inside source list 7 pool p\n"
        "ip nat inside source static network 10.0.10.0 198.51.101.0 /24\n"
        "ip nat translation udp-timeout 30\n"
        "access-list 7 permit 10.0.10.0 0.0.0.127\n"
        "ip access-list extended nat\n deny ip any 10.9.0.0 0.0.255.255\n permit ip 10.0.10.0 0.0.0.255 any\n"
        "ip route 0.0.0.0 0.0.0.0 198.51.100.1 250 name out\n");
    static const unsigned line[] = {2, 3, 6, 1, 1, 5};
    assert_int_equal(r->nat_count, sizeof line / sizeof *line);
    for (size_t i = 0; i < r->nat_count; i++)
        assert_int_equal(r->nat[i].ref->line - HEAD_LINES, line[i]);
    assert_true(r->nat[0].from.sport_lo == 443 && r->nat[0].to.sport_lo == 8443 && r->nat[0].mapped_iface == 0);
    assert_true(r->nat[1].interface && r->nat[1].from.proto_lo == PROTO_UDP);
    assert_true(!r->nat[3].dynamic && r->nat[3].has_dst && r->nat[4].dynamic && r->nat[4].pat);
    assert_true(r->nat[5].dynamic && !r->nat[5].pat && fw_set_size(r->nat[5].mapped) == 10);
    assert_true(r->timer[FW_TIMER_UDP] == 30 * NS_S && r->timer[FW_TIMER_TCP] == 86400 * NS_S);
    assert_true(r->route_count == 1 && r->route[0].iface == 0);
    assert_int_equal(fw_rules_lines(r).unsupported, 0);
    fw_rules_free(r);
}

/* The line behind HEAD, a packet from inside to outside that it may decide about, and one that it may not. */
static void what_is_in_doubt_is_exact(void **state)
{
    (void)state;
    static const struct {
        const char *config;
        unsigned line;
        const char *in_doubt, *sure;
    } row[] = {
        {"ip nat inside source static 10.0.10.2 198.51.100.20 route-map m\n", 1, "tcp 10.0.10.2:5 > 203.0.113.9:6",
         "tcp 10.0.10.3:5 > 203.0.113.9:6"},
        {"crypto map m 10 ipsec-isakmp\n match address 101\naccess-list 101 permit ip any 10.9.0.0 0.0.255.255\n", 2,
         "udp 10.0.10.2:5 > 10.9.0.1:6", "udp 10.0.10.2:5 > 203.0.113.9:6"},
        {"interface Gi0/1\n ip inspect cbac in\n", 2, "tcp 10.0.10.2:5 > 203.0.113.9:6", NULL},
        {"interface Gi0/1\n zone-member security inside\n", 2, "tcp 10.0.10.2:5 > 203.0.113.9:6", NULL},
        {"interface Gi0/2\n ip address 10.2.0.1 255.255.0.0\n zone-member security z\n", 3, NULL,
         "tcp 10.0.10.2:5 > 203.0.113.9:6"},
        {"frobnicate all packets\n", 1, "tcp 10.0.10.2:5 > 203.0.113.9:6", NULL},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct fw_rules *r = read_ok(row[i].config);
        struct probe doubt = {"Gi0/1", "Gi0/0", row[i].in_doubt, FW_UNKNOWN, row[i].line + HEAD_LINES};
        struct probe sure = {"Gi0/1", "Gi0/0", row[i].sure, FW_PERMITTED, 0};
        assert_int_equal(fw_rules_unsupported(r, 0)->line, row[i].line + HEAD_LINES);
        if (row[i].in_doubt)
            rig_probe(r, &doubt);
        if (row[i].sure)
            rig_probe(r, &sure);
        fw_rules_free(r);
    }
}

static void blocks_of_free_text_end(void **state)
{
    (void)state;
    struct fw_rules *r = read_ok("banner motd ^C\naccess-list 1 permit any\n it's ok\n^C\nbanner login #one line#\n"
                                 "crypto pki certificate chain c\n certificate self-signed 01\n  3082 0122\n  quit\n"
                                 "line vty 0 4\n access-class 7 in\nend\n");
    assert_int_equal(fw_rules_lines(r).unsupported, 0);
    assert_null(fw_rules_list(r, "1"));
    fw_rules_free(r);
    static const char cut[] = HEAD "banner motd ^C\nnever ends\n";
    rig_refused(fw_ios_parse, &(struct fw_source){.name = "r", .text = cut, .len = strlen(cut)}, E_TRUNCATED,
                HEAD_LINES + 1, "no end");
}

/* The two samples are one zone-based firewall: every line of it is unsupported, and nothing else. */
static void samples_are_accounted_for(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        unsigned unsupported, total;
    } row[] = {{"../shared/rulesets/ios/b-firewall-candidate1.cfg", 349, 852},
               {"../shared/rulesets/ios/b-firewall-current.cfg", 354, 858}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        size_t n = 0;
        char *text = rig_sample(row[i].path, &n);
        if (!text) {
            print_message("no %s here: skipped\n", row[i].path);
            skip();
        }
        assert_ptr_equal(fw_format_of(text, n), fw_format_named("ios"));
        struct fw_rules *r = rig_read(fw_ios_parse, &(struct fw_source){.name = row[i].path, .text = text, .len = n,
                                                                        .clock_s = FW_NO_CLOCK});
        assert_int_equal(fw_rules_lines(r).unsupported, row[i].unsupported);
        assert_int_equal(fw_rules_lines(r).total, row[i].total);
        const struct fw_unsupported *u;
        for (size_t k = 0; (u = fw_rules_unsupported(r, k)) != NULL; k++)
            assert_string_equal(u->why, "zone-based firewalls are not modelled");
        const struct fw_list *l = fw_rules_list(r, "acl-admin-z2-tcp-syslog");
        struct fw_flow yes = rig_flow("tcp 101.164.100.9:5 > 101.164.8.1:2021");
        struct fw_flow no = rig_flow("tcp 101.164.99.9:5 > 101.164.8.1:2021");
        assert_true(fw_list_match(l, &yes) && !fw_list_match(l, &no));
        fw_rules_free(r);
        free(text);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_mean_what_they_say),       cmocka_unit_test(families_have_lists_of_their_own),
        cmocka_unit_test(time_ranges_go_by_the_clock),    cmocka_unit_test(translation_is_read),
        cmocka_unit_test(what_is_in_doubt_is_exact),      cmocka_unit_test(blocks_of_free_text_end),
        cmocka_unit_test(samples_are_accounted_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
