/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of packets on their way through small topologies: routes, links, firewalls, answers, and what goes wrong. */
#include <stdlib.h>
#include <string.h>

#include "models/firewall/fwbox.h"
#include "models/testkit/testkit.h"
#include "sim/check/path.h"
#include "sim/scenario/systems.h"

const struct system systems[] = {{.name = NULL}};

#define IFACE(name, ip, more) "{\"name\": \"" name "\", \"addresses\": [\"" ip "\"]" more "}"
#define GATEWAY(ip) ", \"gateway\": \"" ip "\""
#define NODE(name, kind, ifaces, more) \
    "{\"name\": \"" name "\", \"kind\": \"" kind "\", \"interfaces\": [" ifaces "]" more "}"
#define LINK(a, b) "{\"a\": \"" a "\", \"b\": \"" b "\", \"rate_mbps\": 10, \"delay_us\": 1}"
#define TOPOLOGY(nodes, links) \
    "{\"schema\": \"turnproof/topology/1\", \"name\": \"t\", \"title\": \"t\", \"seed\": 1, \"duration_s\": 1," \
    " \"nodes\": [" nodes "], \"links\": [" links "]}"
#define RULES(rules) \
    ", \"rules\": {\"interfaces\": [{\"name\": \"left\", \"level\": 0}, {\"name\": \"right\", \"level\": 100}]," \
    " \"rules\": [" rules "]}"
#define OPEN "{\"action\": \"permit\"}"

struct rig {
    struct topology *t;
    struct ways ways;
    struct fw_space *s;
};

static struct rig open_rig(const char *text)
{
    struct rig g = {.s = fw_space_new(0)};
    const struct topo_options none = {0};
    struct diag d;
    if (topology_parse("t.json", text, strlen(text), ".", &none, &g.t, &d) != 0)
        fail_msg("%s", d.text);
    assert_int_equal(ways_open(&g.ways, g.t), 0);
    return g;
}

static void close_rig(struct rig *g)
{
    ways_close(&g->ways);
    fw_space_free(g->s);
    topology_free(g->t);
}

static unsigned node(const struct rig *g, const char *name)
{
    for (unsigned i = 0; i < g->t->nodes.count; i++)
        if (strcmp(g->t->nodes.items[i].name, name) == 0)
            return i;
    fail_msg("no node %s", name);
    return 0;
}

/* TCP to the ports 1000-1999 of an address or prefix. */
static struct fw_region packets(struct rig *g, const char *src, const char *dst)
{
    struct fw_addr a, b;
    assert_int_equal(fw_addr_parse(src, &a), 0);
    assert_int_equal(fw_addr_parse(dst, &b), 0);
    const struct fw_service tcp = {PROTO_TCP, PROTO_TCP, 0, 65535, 1000, 1999};
    return fw_region_of(g->s, &a, 1, &b, 1, &tcp, 1);
}

static struct path walk(struct rig *g, const char *from, const char *to, const char *src, const char *dst)
{
    struct path p;
    const struct path_request q = {.from = node(g, from), .to = node(g, to), .packets = packets(g, src, dst),
                                   .states = FW_STATE_NEW, .tcp_flags = FW_SYN};
    assert_int_equal(path_walk(&g->ways, &q, g->s, &p), 0);
    return p;
}

static struct path walk_back(struct rig *g, const char *from, const char *to, const struct path_end *e)
{
    struct path p;
    const struct path_request q = {.from = node(g, from), .to = node(g, to),
                                   .packets = fw_region_turned(g->s, &e->packets), .states = FW_STATE_ESTABLISHED,
                                   .tcp_flags = FW_SYN | FW_ACK, .answers = e->steps};
    assert_int_equal(path_walk(&g->ways, &q, g->s, &p), 0);
    return p;
}

static const char two_networks[] = TOPOLOGY(
    NODE("a", "host", IFACE("e", "10.0.1.2/24", GATEWAY("10.0.1.1")), "") ","
    NODE("r", "router", IFACE("left", "10.0.1.1/24", "") "," IFACE("right", "10.0.2.1/24", ""), "") ","
    NODE("b", "host", IFACE("e", "10.0.2.2/24", GATEWAY("10.0.2.1")), ""),
    LINK("a:e", "r:left") "," LINK("r:right", "b:e"));

static void routes_lead_to_the_host(void **state)
{
    (void)state;
    struct rig g = open_rig(two_networks);
    struct path p = walk(&g, "a", "b", "10.0.1.2", "10.0.2.2");
    assert_int_equal(p.ends, 1);
    assert_null(p.end[0].why);
    assert_int_equal(p.end[0].node, node(&g, "b"));
    assert_int_equal(p.end[0].worst, FW_PERMITTED);
    assert_int_equal(p.visits, 0);
    close_rig(&g);
}

/* Of a whole network one address is the host's, one the router's, and nobody has the rest. */
static void what_is_lost_says_where(void **state)
{
    (void)state;
    struct rig g = open_rig(two_networks);
    struct path p = walk(&g, "a", "b", "10.0.1.2", "10.0.0.0/16");
    fw_wide there = 0, nobody = 0, wrong = 0, no_route = 0;
    for (size_t i = 0; i < p.ends; i++) {
        fw_wide n = fw_region_count(&p.end[i].packets) / 1000 / 65536;
        if (!p.end[i].why)
            there += n;
        else if (strcmp(p.end[i].why, "nobody there") == 0)
            nobody += n;
        else if (strcmp(p.end[i].why, "not for it") == 0)
            wrong += n;
        else
            no_route += n;
    }
    assert_int_equal(there, 1);
    assert_int_equal(nobody, 255 + 254); /* of its own link, itself included, and of the other */
    assert_int_equal(wrong, 2);          /* the router's */
    assert_int_equal(no_route, 65536 - 512);
    close_rig(&g);
}

static void a_circle_is_told(void **state)
{
    (void)state;
    struct rig g = open_rig(TOPOLOGY(
        NODE("a", "host", IFACE("e", "10.0.1.2/24", GATEWAY("10.0.1.1")), "") ","
        NODE("r", "router", IFACE("left", "10.0.1.1/24", "") "," IFACE("right", "10.0.2.1/24", ""),
             ", \"routes\": [{\"to\": \"10.9.0.0/16\", \"via\": \"10.0.2.2\"}]") ","
        NODE("q", "router", IFACE("e", "10.0.2.2/24", ""),
             ", \"routes\": [{\"to\": \"10.9.0.0/16\", \"via\": \"10.0.2.1\"}]"),
        LINK("a:e", "r:left") "," LINK("r:right", "q:e")));
    struct path p = walk(&g, "a", "q", "10.0.1.2", "10.9.0.0/16");
    assert_int_equal(p.ends, 1);
    assert_string_equal(p.end[0].why, "in a circle");
    close_rig(&g);
}

#define ONE_FIREWALL(rules) \
    TOPOLOGY(NODE("a", "host", IFACE("e", "10.0.1.2/24", GATEWAY("10.0.1.1")), "") "," \
             NODE("f", "firewall", IFACE("left", "10.0.1.1/24", "") "," IFACE("right", "10.0.2.1/24", ""), \
                  RULES(rules)) "," \
             NODE("b", "host", IFACE("e", "10.0.2.2/24", GATEWAY("10.0.2.1")), ""), \
             LINK("a:e", "f:left") "," LINK("f:right", "b:e"))

/* What is denied goes on, so that all that is wrong is found; or not, when only what passes is asked for. */
static void the_denied_part_goes_on(void **state)
{
    (void)state;
    struct rig g = open_rig(ONE_FIREWALL(
        "{\"action\": \"permit\", \"protocol\": \"tcp\", \"ports\": [\"1000-1499\"]}, {\"action\": \"deny\"}"));
    struct path p = walk(&g, "a", "b", "10.0.1.2", "10.0.2.2");
    assert_int_equal(p.visits, 1);
    assert_int_equal(p.visit[0].count, 2);
    assert_int_equal(p.ends, 2);
    size_t denied = p.end[0].worst == FW_DENIED ? 0 : 1;
    assert_int_equal(p.end[denied].worst, FW_DENIED);
    assert_int_equal(p.end[1 - denied].worst, FW_PERMITTED);
    assert_int_equal(fw_region_count(&p.end[denied].packets), 500 * 65536);
    const struct path_request q = {.from = node(&g, "a"), .to = node(&g, "b"), .only_permitted = true,
                                   .packets = packets(&g, "10.0.1.2", "10.0.2.2")};
    assert_int_equal(path_walk(&g.ways, &q, g.s, &p), 0);
    assert_int_equal(p.ends, 1);
    assert_int_equal(fw_region_count(&p.end[0].packets), 500 * 65536);
    close_rig(&g);
}

static void answers_find_their_connection(void **state)
{
    (void)state;
    struct rig g = open_rig(ONE_FIREWALL("{\"action\": \"permit\", \"in\": \"left\"}, {\"action\": \"deny\"}"));
    struct path p = walk(&g, "a", "b", "10.0.1.2", "10.0.2.2");
    assert_int_equal(p.ends, 1);
    assert_int_equal(p.end[0].worst, FW_PERMITTED);
    struct path back = walk_back(&g, "b", "a", &p.end[0]);
    assert_int_equal(back.visits, 1);
    assert_non_null(back.visit[0].answers);
    assert_int_equal(back.ends, 1);
    assert_null(back.end[0].why);
    assert_int_equal(back.end[0].worst, FW_PERMITTED);
    /* Of their own, without what they answer, they are refused. */
    p = walk(&g, "b", "a", "10.0.2.2", "10.0.1.2");
    assert_int_equal(p.end[0].worst, FW_DENIED);
    close_rig(&g);
}

/* A host with two interfaces answers by the one that leads through another firewall, which has seen nothing. */
static void the_wrong_gateway_is_seen(void **state)
{
    (void)state;
    struct rig g = open_rig(TOPOLOGY(
        NODE("a", "host", IFACE("e", "10.0.1.2/24", GATEWAY("10.0.1.1")), "") ","
        NODE("r", "router", IFACE("a", "10.0.1.1/24", "") "," IFACE("one", "10.0.3.1/24", "") ","
                            IFACE("two", "10.0.4.1/24", ""),
             ", \"routes\": [{\"to\": \"10.0.5.0/24\", \"via\": \"10.0.3.2\"}]") ","
        NODE("f1", "firewall", IFACE("left", "10.0.3.2/24", "") "," IFACE("right", "10.0.5.1/24", ""),
             RULES(OPEN) ", \"routes\": [{\"to\": \"10.0.1.0/24\", \"via\": \"10.0.3.1\"}]") ","
        NODE("f2", "firewall", IFACE("left", "10.0.4.2/24", "") "," IFACE("right", "10.0.6.1/24", ""),
             RULES(OPEN) ", \"routes\": [{\"to\": \"10.0.1.0/24\", \"via\": \"10.0.4.1\"}]") ","
        NODE("b", "host", IFACE("lan1", "10.0.5.2/24", "") "," IFACE("lan2", "10.0.6.2/24", GATEWAY("10.0.6.1")), ""),
        LINK("a:e", "r:a") "," LINK("r:one", "f1:left") "," LINK("r:two", "f2:left") ","
        LINK("f1:right", "b:lan1") "," LINK("f2:right", "b:lan2")));
    struct path p = walk(&g, "a", "b", "10.0.1.2", "10.0.5.2");
    assert_int_equal(p.ends, 1);
    assert_null(p.end[0].why);
    assert_int_equal(p.visits, 1);
    assert_int_equal(p.visit[0].node, node(&g, "f1"));
    struct path back = walk_back(&g, "b", "a", &p.end[0]);
    assert_int_equal(back.visits, 1);
    assert_int_equal(back.visit[0].node, node(&g, "f2"));
    assert_null(back.visit[0].answers);
    assert_true(back.visit[0].left_by < 0);
    close_rig(&g);
}

/* What a firewall takes for itself has not arrived, though it was permitted. */
static void the_firewall_itself_is_no_host(void **state)
{
    (void)state;
    struct rig g = open_rig(ONE_FIREWALL(OPEN));
    struct path p = walk(&g, "a", "b", "10.0.1.2", "10.0.2.1-10.0.2.2");
    size_t there = 0, elsewhere = 0;
    for (size_t i = 0; i < p.ends; i++)
        *(p.end[i].why || p.end[i].worst == FW_DENIED ? &elsewhere : &there) += 1;
    for (size_t i = 0; i < p.visit[0].count; i++)
        elsewhere += p.visit[0].part[i].out < 0;
    assert_int_equal(there, 1);
    assert_true(elsewhere > 0);
    close_rig(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes_lead_to_the_host),       cmocka_unit_test(what_is_lost_says_where),
        cmocka_unit_test(a_circle_is_told),              cmocka_unit_test(the_denied_part_goes_on),
        cmocka_unit_test(answers_find_their_connection), cmocka_unit_test(the_wrong_gateway_is_seen),
        cmocka_unit_test(the_firewall_itself_is_no_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
