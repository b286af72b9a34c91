/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The importer of nftables' JSON: what its rules mean for packets, what is refused and where, real files. */
#include "models/firewall/linux_test.h"

#define TABLE "{\"table\":{\"family\":\"inet\",\"name\":\"t\",\"handle\":1}},"
#define CHAIN(name) "{\"chain\":{\"family\":\"inet\",\"table\":\"t\",\"name\":\"" name "\",\"handle\":2}},"
#define BASE(name, type, hook, prio, policy)                                                                         \
    "{\"chain\":{\"family\":\"inet\",\"table\":\"t\",\"name\":\"" name "\",\"handle\":3,\"type\":\"" type              \
    "\",\"hook\":\"" hook "\",\"prio\":" prio ",\"policy\":\"" policy "\"}},"
#define SET(kind, name, more)                                                                                        \
    "{\"" kind "\":{\"family\":\"inet\",\"name\":\"" name "\",\"table\":\"t\",\"handle\":4," more "}},"
#define RULE(chain, expr)                                                                                            \
    "{\"rule\":{\"family\":\"inet\",\"table\":\"t\",\"chain\":\"" chain "\",\"handle\":5,\"expr\":[" expr "]}}"
#define MATCH(op, left, right) "{\"match\":{\"op\":\"" op "\",\"left\":" left ",\"right\":" right "}}"
#define PAYLOAD(protocol, field) "{\"payload\":{\"protocol\":\"" protocol "\",\"field\":\"" field "\"}}"
#define META(key) "{\"meta\":{\"key\":\"" key "\"}}"
#define CT(key) "{\"ct\":{\"key\":\"" key "\"}}"
#define FIB(of) "{\"fib\":{\"result\":\"type\",\"flags\":[\"" of "\"]}}"
#define ACCEPT "{\"accept\":null}"
#define DROP "{\"drop\":null}"
#define IF(left, right) MATCH("==", left, right) "," ACCEPT
#define IS(op, left, right) MATCH(op, left, right) "," ACCEPT
#define UDP "udp 1.1.1.1:3 > 2.2.2.2:2"
#define SIX "udp [2001:db8::1]:3 > [2001:db8::2]:2"

/* Statements of one rule of the forward chain, whose policy is drop. */
static const struct linux_row rows[] = {
    {ACCEPT, UDP, 'P'},
    {"{\"counter\":{\"packets\":0,\"bytes\":0}}", UDP, 'D'},
    {IF(PAYLOAD("ip", "saddr"), "\"1.1.1.1\""), UDP, 'P'},
    {IF(PAYLOAD("ip", "saddr"), "{\"prefix\":{\"addr\":\"1.0.0.0\",\"len\":8}}"), UDP, 'P'},
    {IS("!=", PAYLOAD("ip", "saddr"), "{\"prefix\":{\"addr\":\"1.0.0.0\",\"len\":8}}"), UDP, 'D'},
    {IS("!=", PAYLOAD("ip", "saddr"), "\"9.9.9.9\""), UDP, 'P'},
    {IS("!=", PAYLOAD("ip", "saddr"), "\"9.9.9.9\""), SIX, 'D'}, /* it is about IPv4 */
    {IF(PAYLOAD("ip", "daddr"), "{\"range\":[\"2.2.2.0\",\"2.2.2.2\"]}"), UDP, 'P'},
    {IF(PAYLOAD("ip", "daddr"), "{\"set\":[\"9.9.9.9\",{\"range\":[\"2.2.2.0\",\"2.2.2.2\"]}]}"), UDP, 'P'},
    {IS("!=", PAYLOAD("ip", "daddr"), "{\"set\":[\"9.9.9.9\",\"2.2.2.2\"]}"), UDP, 'D'},
    {IS("!=", PAYLOAD("ip", "daddr"), "{\"set\":[\"9.9.9.9\",\"2.2.2.3\"]}"), UDP, 'P'},
    {IF("{\"&\":[" PAYLOAD("ip", "daddr") ",\"0.255.0.255\"]}", "\"0.2.0.2\""), UDP, 'P'},
    {IF("{\"&\":[" PAYLOAD("ip", "daddr") ",\"0.255.0.255\"]}", "\"0.2.0.3\""), UDP, 'D'},
    {IF(PAYLOAD("ip6", "saddr"), "{\"prefix\":{\"addr\":\"2001:db8::\",\"len\":32}}"), SIX, 'P'},
    {IF(PAYLOAD("ip6", "nexthdr"), "\"udp\""), SIX, 'P'},
    {IF(PAYLOAD("ip6", "nexthdr"), "\"udp\""), UDP, 'D'},
    {IF(PAYLOAD("udp", "dport"), "2"), UDP, 'P'},
    {IF(PAYLOAD("tcp", "dport"), "2"), UDP, 'D'},
    {IF(PAYLOAD("th", "dport"), "2"), UDP, 'P'},
    {IF(PAYLOAD("th", "dport"), "2"), "gre 1.1.1.1:0 > 2.2.2.2:0", 'U'},
    {MATCH("==", META("l4proto"), "{\"set\":[\"tcp\",\"udp\"]}") "," IF(PAYLOAD("th", "dport"), "2"),
     "gre 1.1.1.1:0 > 2.2.2.2:0", 'D'},
    {IF(PAYLOAD("udp", "dport"), "{\"range\":[1,2]}"), UDP, 'P'},
    {IS("!=", PAYLOAD("udp", "dport"), "{\"set\":[1,{\"range\":[3,9]}]}"), UDP, 'P'},
    {IS("!=", PAYLOAD("udp", "dport"), "{\"set\":[1,{\"range\":[2,9]}]}"), UDP, 'D'},
    {IS("!=", PAYLOAD("udp", "dport"), "5"), "tcp S 1.1.1.1:3 > 2.2.2.2:2", 'D'},
    {IS(">", PAYLOAD("udp", "dport"), "1"), UDP, 'P'},
    {IS("<", PAYLOAD("udp", "dport"), "2"), UDP, 'D'},
    {IS("<=", PAYLOAD("udp", "dport"), "2"), UDP, 'P'},
    {IS(">=", PAYLOAD("udp", "sport"), "4"), UDP, 'D'},
    {IF("{\"&\":[" PAYLOAD("udp", "dport") ",1]}", "0"), UDP, 'U'}, /* 32768 pieces */
    {IF("{\"&\":[" PAYLOAD("udp", "dport") ",65280]}", "0"), UDP, 'P'},
    {IF(PAYLOAD("ip", "protocol"), "\"udp\""), UDP, 'P'},
    {IF(META("l4proto"), "17"), UDP, 'P'},
    {IS("!=", META("l4proto"), "{\"set\":[\"icmp\",\"tcp\"]}"), UDP, 'P'},
    {IF(META("nfproto"), "\"ipv4\""), UDP, 'P'},
    {IF(META("nfproto"), "\"ipv6\""), UDP, 'D'},
    {IS("!=", META("nfproto"), "\"ipv6\""), UDP, 'P'},
    {IF(META("protocol"), "{\"set\":[\"ip\",\"ip6\"]}"), SIX, 'P'},
    {IF(PAYLOAD("ether", "type"), "\"arp\""), UDP, 'D'},
    {IF(PAYLOAD("icmp", "type"), "\"echo-request\""), "icmp 1.1.1.1:8 > 2.2.2.2:0", 'P'},
    {IF(PAYLOAD("icmp", "type"), "{\"set\":[\"echo-reply\",\"destination-unreachable\"]}"),
     "icmp 1.1.1.1:3 > 2.2.2.2:1", 'P'},
    {IF(PAYLOAD("icmp", "code"), "\"host-unreachable\""), "icmp 1.1.1.1:3 > 2.2.2.2:1", 'P'},
    {IS(">", PAYLOAD("icmp", "code"), "1"), "icmp 1.1.1.1:3 > 2.2.2.2:1", 'D'},
    {IF(PAYLOAD("icmp", "id"), "5"), "icmp 1.1.1.1:3 > 2.2.2.2:1", 'U'},
    {IF(PAYLOAD("icmp", "id"), "5"), UDP, 'D'},
    {IF(PAYLOAD("icmpv6", "type"), "\"echo-request\""), "icmp6 [2001:db8::1]:128 > [2001:db8::2]:0", 'P'},
    {IS("in", PAYLOAD("tcp", "flags"), "\"syn\""), "tcp SA 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {IF(PAYLOAD("tcp", "flags"), "\"syn\""), "tcp SA 1.1.1.1:3 > 2.2.2.2:2", 'D'},
    {IS("!", PAYLOAD("tcp", "flags"), "[\"syn\",\"rst\"]"), "tcp A 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {IF("{\"&\":[" PAYLOAD("tcp", "flags") ",[\"fin\",\"syn\",\"rst\",\"ack\"]]}", "\"syn\""),
     "tcp SP 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {IS("!=", "{\"&\":[" PAYLOAD("tcp", "flags") ",[\"fin\",\"syn\"]]}", "[\"fin\",\"syn\"]"),
     "tcp SF 1.1.1.1:3 > 2.2.2.2:2", 'D'},
    {IF(PAYLOAD("tcp", "flags"), "{\"set\":[{\"|\":[\"syn\",\"ack\"]},\"syn\"]}"), "tcp SA 1.1.1.1:3 > 2.2.2.2:2", 'P'},
    {IF(PAYLOAD("tcp", "flags"), "{\"set\":[{\"|\":[\"syn\",\"ack\"]},\"syn\"]}"), "tcp A 1.1.1.1:3 > 2.2.2.2:2", 'D'},
    {IS("in", CT("state"), "[\"established\",\"new\"]"), UDP, 'P'},
    {IS("in", CT("state"), "[\"established\",\"related\"]"), UDP, 'D'},
    {IS("!=", CT("state"), "\"invalid\""), UDP, 'P'},
    {IS("!", CT("state"), "\"new\""), UDP, 'D'},
    {IF(CT("state"), "{\"set\":[\"established\",\"new\"]}"), UDP, 'P'},
    {IS("in", CT("status"), "\"dnat\""), UDP, 'D'},
    {IF("{\"&\":[" CT("status") ",\"dnat\"]}", "\"dnat\""), UDP, 'D'},
    {IS("in", CT("status"), "\"assured\""), UDP, 'U'},
    {IF(CT("direction"), "\"original\""), UDP, 'P'},
    {IF("{\"ct\":{\"key\":\"ip saddr\",\"dir\":\"original\"}}", "\"1.1.1.1\""), UDP, 'P'},
    {IF(META("iifname"), "\"eth0\""), UDP, 'P'},
    {IF(META("iifname"), "\"eth*\""), UDP, 'P'},
    {IS("!=", META("iifname"), "{\"set\":[\"lo\",\"eth1\"]}"), UDP, 'P'},
    {IS("!=", META("iif"), "\"eth0\""), UDP, 'D'},
    {IF(META("oif"), "\"eth1\""), UDP, 'P'},
    {IF(META("oifname"), "\"ppp0\""), UDP, 'D'},
    {IF("{\"concat\":[" META("iifname") "," META("oifname") "]}", "{\"set\":[{\"concat\":[\"eth0\",\"eth1\"]}]}"), UDP,
     'P'},
    {IF(META("mark"), "5"), UDP, 'D'},
    {IF("{\"&\":[" META("mark") ",255]}", "0"), UDP, 'P'},
    {"{\"mangle\":{\"key\":" META("mark") ",\"value\":5}}," IF(META("mark"), "5"), UDP, 'U'},
    {IF(META("pkttype"), "\"unicast\""), UDP, 'P'},
    {IF(META("day"), "\"Monday\""), UDP, 'U'},
    {IF(FIB("daddr"), "\"local\""), "udp 1.1.1.1:1 > 10.0.10.1:2", 'P'},
    {IS("!=", FIB("daddr"), "\"local\""), "udp 1.1.1.1:1 > 10.0.10.1:2", 'D'},
    {IF(FIB("daddr"), "\"local\""), UDP, 'D'},
    {IF(FIB("daddr"), "{\"set\":[\"local\",\"broadcast\"]}"),
     "udp 1.1.1.1:1 > 10.0.10.255:2", 'P'},
    {"{\"limit\":{\"rate\":5,\"burst\":5,\"per\":\"second\"}}," ACCEPT, UDP, 'U'},
    {"{\"ct count\":{\"val\":5,\"inv\":true}}," DROP, UDP, 'D'}, /* either way */
    {"{\"log\":{\"prefix\":\"x\"}},{\"reject\":{\"type\":\"icmpx\",\"expr\":\"port-unreachable\"}}", UDP, 'D'},
    {"{\"queue\":{\"num\":1}}", UDP, 'U'},
    {"\"jump {\\n\\t\\t\\ttcp dport 5 accept\\n\\t\\t}\"", UDP, 'U'},
    {IF(PAYLOAD("tcp", "dport"), "7") ",\"jump { accept }\"", UDP, 'D'},
    {"{\"xt\":null}", UDP, 'U'},
    {IF(PAYLOAD("ip", "saddr"), "\"@net\""), UDP, 'P'},
    {IS("!=", PAYLOAD("ip", "saddr"), "\"@net\""), UDP, 'D'},
    {IF(PAYLOAD("ip", "saddr"), "\"@empty\""), UDP, 'D'},
    {IS("!=", PAYLOAD("ip", "saddr"), "\"@empty\""), UDP, 'P'},
    {IF(PAYLOAD("ip", "saddr"), "\"@timed\""), UDP, 'U'},
    {IF("{\"concat\":[" PAYLOAD("ip", "daddr") "," PAYLOAD("udp", "dport") "]}", "\"@pairs\""), UDP, 'P'},
    {IF("{\"concat\":[" PAYLOAD("ip", "daddr") "," PAYLOAD("udp", "dport") "]}", "\"@pairs\""),
     "udp 1.1.1.1:1 > 2.2.2.2:9", 'D'},
    {IS("!=", "{\"concat\":[" PAYLOAD("ip", "daddr") "," PAYLOAD("udp", "dport") "]}", "\"@pairs\""), UDP, 'D'},
    {IS("!=", "{\"concat\":[" PAYLOAD("ip", "daddr") "," PAYLOAD("udp", "dport") "]}", "\"@pairs\""),
     "udp 1.1.1.1:1 > 2.2.2.2:9", 'P'},
    {IS("!=", "{\"concat\":[" PAYLOAD("ip", "daddr") "," PAYLOAD("udp", "dport") "]}", "\"@pairs\""),
     "tcp S 1.1.1.1:1 > 2.2.2.2:9", 'D'},
    {"{\"set\":{\"op\":\"add\",\"elem\":" PAYLOAD("ip", "saddr") ",\"set\":\"@net\"}},"
     IF(PAYLOAD("ip", "saddr"), "\"@net\""), UDP, 'U'},
    {"{\"vmap\":{\"key\":" PAYLOAD("ip", "saddr") ",\"data\":\"@verdicts\"}}", UDP, 'P'},
    {"{\"vmap\":{\"key\":" PAYLOAD("udp", "dport") ",\"data\":{\"set\":[[2," ACCEPT "],[3," DROP "]]}}}", UDP, 'P'},
    {"{\"vmap\":{\"key\":" PAYLOAD("udp", "dport") ",\"data\":{\"set\":[[2,{\"jump\":{\"target\":\"back\"}}],"
     "[\"*\"," ACCEPT "]]}}}", UDP, 'D'}, /* the default is not for what has a row */
    {"{\"vmap\":{\"key\":" PAYLOAD("udp", "dport") ",\"data\":{\"set\":[[3," DROP "],[\"*\"," ACCEPT "]]}}}", UDP, 'P'},
    {"{\"vmap\":{\"key\":{\"concat\":[" PAYLOAD("ip", "protocol") "," PAYLOAD("th", "dport")
     "]},\"data\":{\"set\":[[{\"concat\":[\"udp\",{\"range\":[1,5]}]}," ACCEPT "]]}}}", UDP, 'P'},
    {"{\"vmap\":{\"key\":" CT("state") ",\"data\":{\"set\":[[\"invalid\"," DROP "],[\"new\"," ACCEPT "]]}}}", UDP, 'P'},
    {"{\"jump\":{\"target\":\"yes\"}}", UDP, 'P'},
    {"{\"goto\":{\"target\":\"back\"}}", UDP, 'D'},
    {"{\"return\":null}", UDP, 'D'},
};

static const char head[] =
    "{\"nftables\":[{\"metainfo\":{\"version\":\"1.0.6\",\"json_schema_version\":1}}," TABLE
    SET("set", "net", "\"type\":\"ipv4_addr\",\"elem\":[{\"prefix\":{\"addr\":\"1.1.1.0\",\"len\":24}},"
                      "{\"elem\":{\"val\":\"3.3.3.3\",\"comment\":\"x\"}}]")
    SET("set", "empty", "\"type\":\"ipv4_addr\"")
    SET("set", "timed", "\"type\":\"ipv4_addr\",\"elem\":[{\"elem\":{\"val\":\"1.1.1.1\",\"expires\":3}}]")
    SET("set", "pairs", "\"type\":[\"ipv4_addr\",\"inet_service\"],\"elem\":[{\"concat\":["
                        "{\"prefix\":{\"addr\":\"2.0.0.0\",\"len\":8}},{\"range\":[1,2]}]}]")
    SET("map", "verdicts", "\"type\":\"ipv4_addr\",\"map\":\"verdict\",\"elem\":["
                           "[\"1.1.1.1\",{\"jump\":{\"target\":\"yes\"}}],[\"3.3.3.3\"," DROP "]]")
    CHAIN("yes") CHAIN("back") BASE("f", "filter", "forward", "0", "drop") RULE("yes", ACCEPT) ","
    RULE("back", "{\"return\":null}") ",";

static void rules_mean_what_they_say(void **state)
{
    (void)state;
    char text[8192];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(text, sizeof text, "%s{\"rule\":{\"family\":\"inet\",\"table\":\"t\",\"chain\":\"f\",\"handle\":9,"
                 "\"expr\":[%s]}}]}\n", head, rows[i].rules);
        linux_check(fw_nft_parse, text, &rows[i]);
    }
}

/* Of chains with one priority the kernel asks the last first; those that translate have a place of their own. */
static void chains_come_in_the_order_of_the_kernel(void **state)
{
    (void)state;
    struct fw_rules *r = linux_read(
        fw_nft_parse, "{\"nftables\":[" TABLE BASE("one", "filter", "forward", "0", "accept")
                          BASE("two", "filter", "forward", "0", "drop") BASE("last", "filter", "forward", "5", "accept")
                              BASE("nat", "nat", "postrouting", "105", "accept") CHAIN("user") "\n"
                                  RULE("nat", "{\"masquerade\":{\"port\":{\"range\":[1024,2048]},"
                                              "\"flags\":\"fully-random\"}}") "]}\n");
    static const char *const order[] = {"inet t two", "inet t one", "inet t last", "inet t nat"};
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(r->base[i].list->name, order[i]);
    assert_int_equal(r->base[3].priority, FW_PRIO_SRCNAT);
    assert_true(r->base[3].list->rule[0].nat->own && r->base[3].list->rule[0].nat->random_port);
    assert_int_equal(r->base[3].list->rule[0].ref->line, 2);
    fw_rules_free(r);
}

/* A rule for each element of a map; what a map does not have goes on. */
static void maps_translate(void **state)
{
    (void)state;
    struct fw_rules *r = linux_read(
        fw_nft_parse,
        "{\"nftables\":[" TABLE BASE("p", "nat", "prerouting", "-100", "accept")
            RULE("p", "{\"dnat\":{\"family\":\"ip\",\"addr\":{\"map\":{\"key\":" PAYLOAD("tcp", "dport")
                      ",\"data\":{\"set\":[[80,\"10.0.0.1\"],[443,\"10.0.0.2\"]]}}}}}") "]}\n");
    const struct fw_list *l = fw_rules_list(r, "inet t p");
    assert_int_equal(l->count, 2);
    assert_true(l->rule[1].service[0].proto_lo == PROTO_TCP && l->rule[1].service[0].dport_lo == 443);
    assert_true(ip_equal(&l->rule[1].nat->to->a, &(struct ip_addr){IP_V4, {10, 0, 0, 2}}));
    fw_rules_free(r);
}

static const struct refusal {
    const char *text;
    int err;
    const char *words;
} refusals[] = {
    {"{\"nftables\":{}}", E_MALFORMED, "the list \"nftables\""},
    {"{\"nftables\":[", E_MALFORMED, "expected JSON"},
    {"{\"nftables\":[5]}", E_MALFORMED, "one of an nftables ruleset's objects"},
    {"{\"nftables\":[{\"rule\":{\"family\":\"ipx\",\"table\":\"t\"}}]}", E_MALFORMED, "a family"},
    {"{\"nftables\":[" TABLE RULE("f", ACCEPT) "]}", E_MALFORMED, "name of a chain"},
    {"{\"nftables\":[" TABLE CHAIN("f") CHAIN("f") "5]}", E_EXISTS, "there before"},
    {"{\"nftables\":[" TABLE CHAIN("f") RULE("f", "{\"jump\":{\"target\":\"g\"}}") "]}", E_MALFORMED,
     "name of a chain of this table"},
    {"{\"nftables\":[" TABLE CHAIN("f") RULE("f", "{\"jump\":{\"target\":\"f\"}}") "]}", E_RANGE, "loop"},
    {"{\"nftables\":[" TABLE CHAIN("f") RULE("f", IF(PAYLOAD("ip", "saddr"), "\"@s\"")) "]}", E_MALFORMED,
     "name of a set"},
    {"{\"nftables\":[" TABLE CHAIN("f") RULE("f", IF(PAYLOAD("ip", "saddr"), "\"2001:db8::1\"")) "]}", E_MALFORMED,
     "the field's family"},
    {"{\"nftables\":[" TABLE CHAIN("f") RULE("f", MATCH("==", "5", "5")) "]}", E_MALFORMED, "an expression"},
    {"{\"nftables\":[" TABLE CHAIN("f") RULE("f", "{\"dnat\":{}}") "]}", E_MALFORMED, "an address or a port"},
};

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    struct fw_rules *r;
    struct fw_diag d;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *w = &refusals[i];
        int err = linux_parse(fw_nft_parse, w->text, strlen(w->text), &r, &d);
        if (err != w->err || d.line != 1 || !d.column || !strstr(d.text, w->words))
            fail_msg("%s\nfound %d, line %u column %u: %s", w->text, err, d.line, d.column, d.text);
    }
    static char deep[4096];
    struct text t = text_of(deep, sizeof deep);
    text_add(&t, "{\"nftables\":");
    for (int i = 0; i < 900; i++)
        text_add(&t, "[");
    for (int i = 0; i < 900; i++)
        text_add(&t, "]");
    text_add(&t, "}");
    assert_int_equal(linux_parse(fw_nft_parse, deep, t.len, &r, &d), E_MALFORMED);
    assert_true(d.line > 0 && d.column > 0);
}

static void samples_add_up(void **state)
{
    (void)state;
    linux_samples(fw_format_named("nft"), "../shared/rulesets/nft-json", 17);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_mean_what_they_say),
        cmocka_unit_test(chains_come_in_the_order_of_the_kernel),
        cmocka_unit_test(maps_translate),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(samples_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
