/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "models/testkit/testkit.h"
#include "sim/scenario/systems.h"
#include "sim/scenario/topology.h"

/* A system of this test alone: topologies are read the same whatever their systems are. */
struct dummy {
    struct endpoint server;
};
static const struct field dummy_fields[] = {{FIELD("server", ENDPOINT, struct dummy, server)}, {.key = NULL}};
const struct system systems[] = {{"dummy", dummy_fields, sizeof(struct dummy), .create = NULL}, {.name = NULL}};

/* Two hosts, a router between them, a switch on one side. Each test changes some of it. */
#define HEAD "{\"schema\": \"turnproof/topology/1\", \"name\": \"t\", \"seed\": 7,\n"
#define HOST_A "\"name\": \"a\", \"kind\": \"host\", \"system\": \"dummy\""
#define IFACE_A "{\"name\": \"e0\", \"addresses\": [\"10.0.1.2/24\"], \"gateway\": \"10.0.1.1\"}"
#define HOST_B "{\"name\": \"b\", \"kind\": \"host\", \"system\": \"dummy\", \"interfaces\": [{\"name\": \"e0\", " \
               "\"addresses\": [\"10.0.2.2/24\"], \"gateway\": \"10.0.2.1\"}]}"
#define ROUTER "{\"name\": \"r\", \"kind\": \"router\", \"interfaces\": [{\"name\": \"x\", \"addresses\": " \
               "[\"10.0.1.1/24\"]}, {\"name\": \"y\", \"addresses\": [\"10.0.2.1/24\"]}]}"
#define SWITCH "{\"name\": \"s\", \"kind\": \"switch\"}"
#define NODES(a_rest, a_iface) \
    "\"nodes\": [\n{" HOST_A a_rest ", \"interfaces\": [" a_iface "]},\n" HOST_B ",\n" ROUTER ",\n" SWITCH "],\n"
#define LINKS(extra) \
    "\"links\": [{\"a\": \"a:e0\", \"b\": \"s\"" extra "},\n{\"a\": \"s\", \"b\": \"r:x\"},\n" \
    "{\"a\": \"r:y\", \"b\": \"b:e0\", \"name\": \"wan\"}]}"
#define PLAIN HEAD NODES("", IFACE_A) LINKS("")

static int parse(const char *text, const char *set, struct topology **t, struct diag *d)
{
    const struct topo_options options = {.set = &set, .set_count = set ? 1 : 0};
    d->text[0] = '\0';
    return topology_parse("t.json", text, strlen(text), ".", &options, t, d);
}

static void a_topology_is_completed(void **state)
{
    (void)state;
    struct topology *t;
    struct diag d;
    static const char *const text = HEAD NODES(", \"settings\": {\"server\": \"10.0.2.2:80\"}", IFACE_A)
        LINKS(", \"rate_mbps\": 10, \"delay_us\": 3, \"ba\": {\"delay_us\": 4, \"loss\": {\"mask\": [2, 5]}}");
    assert_int_equal(parse(text, NULL, &t, &d), 0);
    assert_int_equal(t->seed, 7);
    assert_int_equal(t->duration_ns, 60 * NS_S);
    const struct topo_node *a = &t->nodes.items[0], *r = &t->nodes.items[2];
    const struct dummy *settings = a->settings;
    assert_int_equal(settings->server.port, 80);
    assert_int_equal(a->interfaces.items[0].mac[0], 2); /* derived */
    assert_int_equal(a->interfaces.items[0].segment, r->interfaces.items[0].segment);
    assert_int_not_equal(a->interfaces.items[0].segment, r->interfaces.items[1].segment);
    assert_int_equal(a->routes.count, 1);
    assert_int_equal(a->routes.items[0].to.len, 0);
    const struct topo_link *l = t->links.items;
    assert_string_equal(l[0].name, "a-s");
    assert_string_equal(l[1].name, "s-r");
    assert_int_equal(l[1].port[0], 1); /* the switch's second port */
    assert_int_equal(l[0].dir[0].rate_bps, 10000000);
    assert_int_equal(l[0].dir[0].delay_ns, 3000);
    assert_int_equal(l[0].dir[1].delay_ns, 4000);
    assert_int_equal(l[0].dir[1].rate_bps, 10000000);
    assert_int_equal(l[0].dir[0].loss.kind, LOSS_NONE);
    assert_int_equal(l[0].dir[1].loss.mask_count, 2);
    struct ip_addr ip = kit_ip("10.0.2.2");
    assert_string_equal(topology_owner(t, &ip)->name, "b");
    topology_free(t);
}

static void overrides_change_links(void **state)
{
    (void)state;
    struct topology *t;
    struct diag d;
    assert_int_equal(parse(PLAIN, "links.wan.loss.bernoulli_ppm=10000", &t, &d), 0);
    assert_int_equal(t->links.items[2].dir[1].loss.kind, LOSS_BERNOULLI);
    assert_int_equal(t->links.items[2].dir[1].loss.loss_ppm, 10000);
    topology_free(t);
    assert_int_equal(parse(PLAIN, "links.a-s.delay_us=77", &t, &d), 0);
    assert_int_equal(t->links.items[0].dir[0].delay_ns, 77000);
    topology_free(t);
    assert_int_equal(parse(PLAIN, "links.wan.loss={\"gilbert_elliott\": {\"to_bad_ppm\": 5, \"to_good_ppm\": 6}}", &t,
                           &d), 0);
    assert_int_equal(t->links.items[2].dir[0].loss.kind, LOSS_GILBERT_ELLIOTT);
    assert_int_equal(t->links.items[2].dir[0].loss.bad_loss_ppm, 1000000);
    topology_free(t);
}

static const struct {
    const char *text, *set, *message; /* NULL: it is none */
} mistakes[] = {
    {PLAIN, "schema=\"x\"", "--set:1:8: schema: expected \"turnproof/topology/1\", found \"x\""},
    {PLAIN, "nodes.b.name=\"a\"", "--set:1:14: nodes.a.name: expected each node once, found \"a\" again"},
    {PLAIN, "nodes.b.name=\"b b\"",
     "--set:1:14: nodes.b b.name: expected a name of letters, digits, `-` and `_`, found \"b b\""},
    {PLAIN, "nodes.b.system=\"smart\"", "--set:1:16: nodes.b.system: expected one of: dummy; found \"smart\""},
    {PLAIN, "nodes.s.rules={}", "--set:1:15: nodes.s.rules: expected no such key in a switch"},
    {PLAIN, "nodes.r.interfaces=[]", "--set:1:20: nodes.r.interfaces: expected at least one interface"},
    {PLAIN, "nodes.a.tcp={\"first_port\": 4000, \"last_port\": 3999}",
     "--set:1:13: nodes.a.tcp: expected first_port not above last_port"},
    {PLAIN, "nodes.b.interfaces.e0.addresses.0=\"10.0.1.2/24\"",
     "--set:1:35: nodes.b.interfaces.e0.addresses.0: expected each address once, found 10.0.1.2, which \"a\" has "
     "already"},
    {PLAIN, "nodes.r.interfaces.y.addresses.0=\"10.0.1.1/24\"",
     "--set:1:34: nodes.r.interfaces.y.addresses.0: expected each address once, found 10.0.1.1, which \"r\" has "
     "already"},
    {PLAIN, "nodes.r.interfaces.y.addresses.0=\"10.0.0.9/16\"",
     "--set:1:34: nodes.r.interfaces.y.addresses.0: expected networks that do not overlap, found that of \"x\" "
     "again"},
    {PLAIN, "nodes.b.interfaces.e0.addresses.0=\"10.0.2.0/24\"",
     "--set:1:35: nodes.b.interfaces.e0.addresses.0: expected the address of a host and its prefix length, found "
     "\"10.0.2.0/24\""},
    {PLAIN, "nodes.r.interfaces.y.name=\"x\"",
     "--set:1:27: nodes.r.interfaces.x.name: expected each interface once, found \"x\" again"},
    {PLAIN, "nodes.a.interfaces.e0.mac=\"01:00:00:00:00:01\"",
     "--set:1:27: nodes.a.interfaces.e0.mac: expected a MAC address of one interface, not of a group"},
    {PLAIN, "nodes.a.interfaces.e0.gateway=\"10.0.9.1\"",
     "--set:1:31: nodes.a.interfaces.e0.gateway: expected a gateway in a network of this node, found 10.0.9.1"},
    {PLAIN, "nodes.a.interfaces.e0.gateway=\"10.0.1.9\"",
     "--set:1:31: nodes.a.interfaces.e0.gateway: expected a gateway on the link of \"e0\", found 10.0.1.9, which "
     "nobody there has"},
    {PLAIN, "nodes.a.interfaces.e0.gateway=\"10.0.1.2\"",
     "--set:1:31: nodes.a.interfaces.e0.gateway: expected a gateway, found 10.0.1.2, its own address"},
    {PLAIN, "nodes.a.routes=[{\"to\": \"::/0\", \"via\": \"10.0.1.1\"}]",
     "--set:1:39: nodes.a.routes.0.via: expected a gateway of the same IP version as the destination"},
    {PLAIN, "nodes.a.system=null", NULL}, /* a host that does nothing */
    {PLAIN, "nodes.a={\"name\": \"a\", \"kind\": \"host\", \"settings\": {}}",
     "--set:1:39: nodes.a.settings: expected no such key in a host without a system"},
    {PLAIN, "check={\"internet\": \"r\", \"actors\": {\"admin-pc\": {\"at\": \"a\"}}}", NULL},
    {PLAIN, "check.internet=\"s\"",
     "--set:1:16: check.internet: expected a router of this topology, found \"s\""},
    {PLAIN, "check.actors.any.at=\"q\"",
     "--set:1:21: check.actors.any.at: expected a host or router of this topology, found \"q\""},
    {PLAIN, "check.actors.nobody={}",
     "--set:1:21: check.actors.nobody: unknown key; expected one of: guest-pc, webrtc-app, admin-pc, any, "
     "sip-endpoint, microsoft-client, expressway-e, expressway-c, meeting-server, unified-cm, skype-edge"},
    {PLAIN, "check.expressway=\"8.9\"",
     "--set:1:18: check.expressway: expected a release, as \"X8.9\" or \"X12.5.3\", found \"8.9\""},
    {PLAIN, "check.meeting_server=\"X2.9\"",
     "--set:1:22: check.meeting_server: expected a release, as \"2.9.2\", found \"X2.9\""},
    {PLAIN, "check.size=\"huge\"",
     "--set:1:12: check.size: expected \"small\", \"medium\" or \"large\", found \"huge\""},
    {PLAIN, "check.administration_port=0",
     "--set:1:27: check.administration_port: expected a whole number from 1 to 65535, found 0"},
    {PLAIN, "links.0.b=\"q\"", "--set:1:11: links.a-s.b: expected a node of this topology, found \"q\""},
    {PLAIN, "links.0.b=\"r\"", "--set:1:11: links.a-s.b: expected \"NODE:INTERFACE\", found \"r\""},
    {PLAIN, "links.0.b=\"s:1\"", "--set:1:11: links.a-s.b: expected \"s\", found \"s:1\""},
    {PLAIN, "links.0.b=\"r:z\"", "--set:1:11: links.a-s.b: expected an interface of \"r\", found \"z\""},
    {PLAIN, "links.0.b=\"r:x\"",
     "t.json:8:17: links.s-r.b: expected an interface that has no link yet, found \"r:x\""},
    {PLAIN, "links.2.b=\"s\"",
     "t.json:4:65: nodes.b.interfaces.e0: expected a link to each interface, found none to \"b:e0\""},
    {PLAIN, "links.wan.name=\"s-r\"",
     "--set:1:16: links.s-r.name: expected each link once, found \"s-r\" again"},
    {PLAIN, "links.wan.loss={\"mask\": [1], \"bernoulli_ppm\": 1}",
     "--set:1:16: links.wan.loss: expected one of bernoulli_ppm, mask and gilbert_elliott, found 2 keys"},
    {PLAIN, "links.wan.loss={\"mask\": [1, 1]}",
     "--set:1:29: links.wan.loss.mask.1: expected packet numbers from 1, ascending"},
    {PLAIN, "links.wan.outages=[{\"from_s\": 2, \"to_s\": 2}]",
     "--set:1:20: links.wan.outages.0: expected outages that end after they begin, in order"},
    {PLAIN, "nodes.a.settings.server=\"10.0.2.3:80\"",
     "--set:1:25: nodes.a.settings.server: unreachable host 10.0.2.3: nobody on the link of \"r:y\" has it"},
    {PLAIN, "nodes.a.settings.server=\"192.0.2.1:80\"",
     "--set:1:25: nodes.a.settings.server: unreachable host 192.0.2.1: \"r\" has no route to it"},
    {HEAD NODES(", \"settings\": {\"server\": \"10.0.2.2:80\"}", "{\"name\": \"e0\", \"addresses\": "
                "[\"10.0.1.2/24\"]}") LINKS(""), NULL,
     "t.json:3:73: nodes.a.settings.server: unreachable host 10.0.2.2: \"a\" has no route to it"},
    {HEAD "\"nodes\": [" SWITCH ", {\"name\": \"u\", \"kind\": \"switch\"}],\n\"links\": "
     "[{\"a\": \"s\", \"b\": \"u\"},\n{\"a\": \"u\", \"b\": \"s\"}]}", NULL,
     "t.json:4:1: links.u-s: expected no loop of switches, found that this link closes one"},
    {HEAD "\"nodes\": [" SWITCH "],\n\"links\": [{\"a\": \"s\", \"b\": \"s\"}]}", NULL,
     "t.json:3:11: links.s-s: expected a link between two nodes, found both ends at \"s\""},
    {PLAIN, "calls=[{\"name\": \"g\", \"from\": \"r\", \"media\": [\"audio\"]}]",
     "--set:1:30: calls.g.from: expected a host of this topology that has a system, found \"r\""},
    {PLAIN, "calls=[{\"name\": \"g\", \"from\": \"a\", \"media\": [\"fax\"]}]",
     "--set:1:45: calls.g.media.0: expected \"audio\", \"video\" or \"share\", found \"fax\""},
    {PLAIN, "calls=[{\"name\": \"g\", \"from\": \"a\", \"media\": [\"audio\"], \"to\": \"you\"}]",
     "--set:1:61: calls.g.to: expected a SIP URI, such as sip:name@example.com, found \"you\""},
    {PLAIN, "calls=[{\"name\": \"g\", \"from\": \"a\", \"media\": [\"audio\"], \"at_ms\": 60000}]",
     "--set:1:64: calls.g.at_ms: expected a call before the run ends after 60 s, found it after 60000 ms"},
    {PLAIN, "calls=[{\"name\": \"g\", \"from\": \"a\", \"media\": [\"audio\"], \"expand\": {\"every_ms\": 9}}]",
     "--set:1:65: calls.g.expand: expected the key \"count\", found none"},
    {PLAIN, "calls=[{\"name\": \"g\", \"from\": \"a\", \"media\": [\"audio\"]}, {\"name\": \"g\", \"from\": \"a\", "
     "\"media\": [\"audio\"]}]",
     "--set:1:65: calls.g.name: expected each call once, found \"g\" again"},
    {PLAIN, "calls=[{\"name\": \"g-2\", \"from\": \"a\", \"media\": [\"audio\"]}, {\"name\": \"g\", \"from\": \"a\", "
     "\"media\": [\"audio\"], \"expand\": {\"count\": 2}}]",
     "--set:1:67: calls.g.name: expected each call once, found \"g-2\" again"},
    {PLAIN, "calls=[{\"name\": \"g\", \"from\": \"a\", \"media\": [\"audio\"], \"mute\": [{\"at_s\": 3, \"for_s\": 2}, "
     "{\"at_s\": 4, \"for_s\": 1}]}]",
     "--set:1:89: calls.g.mute.1: expected one that begins after the one before has ended"},
    {PLAIN, "calls=[{\"name\": \"g\", \"from\": \"a\", \"media\": [\"audio\"], \"expand\": {\"count\": 4096}}, "
     "{\"name\": \"h\", \"from\": \"a\", \"media\": [\"audio\"]}]",
     "--set:1:83: calls.h: expected at most 4096 calls, found 4097"},
};

static void calls_go_to_their_hosts(void **state)
{
    (void)state;
    struct topology *t;
    struct diag d;
    static const char calls[] =
        "calls=[{\"name\": \"guest\", \"from\": \"b\", \"media\": [\"audio\", \"share\"], \"at_ms\": 1500, "
        "\"mute\": [{\"at_s\": 2, \"for_s\": 3}], \"expand\": {\"count\": 3, \"every_ms\": 250}}, "
        "{\"name\": \"boss\", \"from\": \"b\", \"media\": [\"video\"], \"to\": \"sip:x@y\", \"for_s\": 4}]";
    if (parse(PLAIN, calls, &t, &d) != 0)
        fail_msg("%s", d.text);
    assert_int_equal(t->nodes.items[0].calls.count, 0);
    const struct topo_node *b = &t->nodes.items[1];
    assert_int_equal(b->calls.count, 4);
    const struct call_plan *third = &b->calls.items[2], *boss = &b->calls.items[3];
    assert_string_equal(third->name, "guest-3");
    assert_string_equal(third->to, "sip:meeting@acme.example");
    assert_int_equal(third->media, CALL_AUDIO | CALL_SHARE);
    assert_int_equal(third->at_ns, 2000 * NS_MS);
    assert_true(third->for_ns == TIME_NEVER);
    assert_int_equal(third->mute_count, 1);
    assert_int_equal(third->mute->for_ns, 3 * NS_S);
    assert_string_equal(boss->name, "boss");
    assert_string_equal(boss->to, "sip:x@y");
    assert_int_equal(boss->for_ns, 4 * NS_S);
    assert_int_equal(boss->hold_count, 0);
    topology_free(t);
}

static void each_mistake_is_placed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct topology *t;
        struct diag d;
        bool taken = parse(mistakes[i].text, mistakes[i].set, &t, &d) == 0;
        if (taken)
            topology_free(t);
        if (taken != !mistakes[i].message)
            fail_msg("row %zu is %s", i, taken ? "taken" : d.text);
        if (!taken)
            assert_string_equal(d.text, mistakes[i].message);
    }
}

/* A firewall in the place of the router. */
#define FIREWALL(rules) \
    HEAD "\"nodes\": [{\"name\": \"f\", \"kind\": \"firewall\", \"interfaces\": [{\"name\": \"inside\", " \
    "\"addresses\": [\"10.0.1.1/24\"]},\n{\"name\": \"outside\", \"addresses\": [\"192.0.2.1/24\"]}],\n" \
    "\"rules\": " rules "}, " SWITCH ", {\"name\": \"o\", \"kind\": \"switch\"}],\n" \
    "\"links\": [{\"a\": \"f:inside\", \"b\": \"s\"}, {\"a\": \"f:outside\", \"b\": \"o\"}]}"

static void json_rules_reach_the_model(void **state)
{
    (void)state;
    struct topology *t;
    struct diag d;
    static const char *const text = FIREWALL(
        "{\"rules\": [{\"in\": \"outside\", \"action\": \"permit\", \"protocol\": \"tcp\", \"to\": [\"10.0.1.0/24\"],"
        "\n\"ports\": [\"3478\", \"24000-29999\"]},\n{\"in\": \"outside\", \"action\": \"reject\"}],"
        "\"nat\": [{\"inside\": \"inside\", \"outside\": \"outside\"}], \"timers\": {\"profile\": \"rfc\"}}");
    if (parse(text, NULL, &t, &d) != 0)
        fail_msg("%s", d.text);
    const struct fw_rules *r = t->nodes.items[0].rules;
    struct fw_flow f = {.proto = PROTO_TCP, .src = kit_ip("192.0.2.9"), .dst = kit_ip("10.0.1.5"), .sport = 1,
                        .dport = 25000};
    int in = fw_rules_find_interface(r, "outside"), out = fw_rules_find_interface(r, "inside");
    assert_int_equal(fw_eval_first(r, in, out, &f).decision, FW_PERMITTED);
    f.dport = 30000;
    struct fw_verdict v = fw_eval_first(r, in, out, &f);
    assert_int_equal(v.decision, FW_DENIED);
    assert_true(v.reject);
    assert_int_equal(v.rule->line, 6);
    assert_string_equal(v.rule->text, "{\"in\":\"outside\",\"action\":\"reject\"}");
    f = (struct fw_flow){.proto = PROTO_UDP, .src = kit_ip("10.0.1.5"), .dst = kit_ip("192.0.2.9")};
    assert_int_equal(fw_eval_first(r, out, in, &f).decision, FW_PERMITTED); /* from level 100 to 0 */
    topology_free(t);
}

static void rule_mistakes_are_placed(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } rows[] = {
        {FIREWALL("{\"rules\": [{\"in\": \"dmz\", \"action\": \"permit\"}]}"),
         "t.json:4:28: nodes.f.rules.rules.0.in: expected an interface of this firewall, found \"dmz\""},
        {FIREWALL("{\"rules\": [{\"action\": \"permit\", \"from\": [\"10.0.0.1\", \"10.0.0.x\"]}]}"),
         "t.json:4:63: nodes.f.rules.rules.0.from.1: expected an address, \"10.0.0.0/8\" or \"10.0.0.1-10.0.0.9\", "
         "found \"10.0.0.x\""},
        {FIREWALL("{\"rules\": [{\"action\": \"permit\", \"protocol\": \"tcp\", \"ports\": [\"3-2\"]}]}"),
         "t.json:4:71: nodes.f.rules.rules.0.ports.0: expected \"PORT\" or \"FIRST-LAST\", found \"3-2\""},
        {FIREWALL("{\"rules\": [{\"action\": \"permit\", \"ports\": [\"3\"]}]}"),
         "t.json:4:21: nodes.f.rules.rules.0: expected \"protocol\" tcp or udp where there are ports"},
        {FIREWALL("{\"timers\": {\"profile\": \"fast\"}}"),
         "t.json:4:33: nodes.f.rules.timers.profile: expected \"asa\", \"rfc\", \"typical\" or \"hostile\", found "
         "\"fast\""},
        {FIREWALL("{\"nat_behaviour\": {\"hairpin\": true}}"),
         "t.json:4:40: nodes.f.rules.nat_behaviour.hairpin: "
         "expected \"none\", \"external-source\" or \"internal-source\", found true"},
        {FIREWALL("{\"nat_behaviour\": {\"refresh\": \"never\"}}"),
         "t.json:4:40: nodes.f.rules.nat_behaviour.refresh: "
         "expected \"outbound\", \"inbound\" or \"both\", found \"never\""},
        {FIREWALL("{\"nat_behaviour\": {\"ports\": \"overloaded\"}}"),
         "t.json:4:38: nodes.f.rules.nat_behaviour.ports: "
         "expected \"preserve\", \"sequential\", \"random\" or \"overload\", found \"overloaded\""},
        {FIREWALL("{\"nat_behaviour\": {\"unsolicited_syn\": \"wait\"}}"),
         "t.json:4:48: nodes.f.rules.nat_behaviour.unsolicited_syn: expected \"drop\" or \"hold\", found \"wait\""},
        {FIREWALL("{\"nat_behaviour\": {\"parity\": 1}}"),
         "t.json:4:39: nodes.f.rules.nat_behaviour.parity: expected true or false, found 1"},
        {FIREWALL("{\"sip_inspection\": \"on\"}"),
         "t.json:4:29: nodes.f.rules.sip_inspection: expected true or false, found \"on\""},
        {FIREWALL("{\"nat\": [{\"inside\": \"inside\", \"outside\": \"outside\", \"kind\": \"static\", \"real\": "
                  "[\"10.0.1.5\"], \"mapped\": [\"192.0.2.8/31\"]}]}"),
         "t.json:4:19: nodes.f.rules.nat.0: expected as many \"mapped\" as \"real\" addresses"},
        {FIREWALL("\"no/such/file\""),
         "no/such/file:1:1: expected a readable file of at most 16 MiB, found: No such file or directory"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct topology *t;
        struct diag d;
        if (parse(rows[i].text, NULL, &t, &d) == 0)
            fail_msg("row %zu is taken", i);
        assert_string_equal(d.text, rows[i].message);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_topology_is_completed),  cmocka_unit_test(overrides_change_links),
        cmocka_unit_test(calls_go_to_their_hosts),
        cmocka_unit_test(each_mistake_is_placed),   cmocka_unit_test(json_rules_reach_the_model),
        cmocka_unit_test(rule_mistakes_are_placed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
