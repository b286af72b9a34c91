/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which questions rows become: who, which addresses, which ports, what is one of several; and what is not asked. */
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/rng.h"
#include "models/testkit/testkit.h"
#include "sim/check/bind.h"

/* ---- a topology, changed, and a table bound to it ---- */

struct rig {
    struct topology *t;
    struct port_table *table;
    struct bound *b;
};

static void rig_open(struct rig *g, const char *file, const char *table, const char *const *set, size_t set_count)
{
    const struct topo_options options = {.set = set, .set_count = set_count};
    const struct bind_options as_said = {0};
    struct diag d;
    if (topology_read(file, &options, &g->t, &d) || port_table_find(table, &g->table, &d))
        fail_msg("%s", d.text);
    bind_tables(g->t, (const struct port_table *const *)&g->table, 1, &as_said, &g->b);
}

static void rig_close(struct rig *g)
{
    bound_free(g->b);
    port_table_free(g->table);
    topology_free(g->t);
}

#define RIG(g, file, table, ...) \
    const char *const set[] = {__VA_ARGS__}; \
    rig_open(g, "topologies/" file ".json", table, set, sizeof set / sizeof *set)

/* ---- questions as text ---- */

static void add_ports(struct text *out, const struct port_ranges *r)
{
    for (size_t i = 0; i < r->count; i++) {
        text_add(out, "%s%u", i ? "," : "", r->items[i].lo);
        if (r->items[i].hi != r->items[i].lo)
            text_add(out, "-%u", r->items[i].hi);
    }
}

static void add_addresses(struct text *out, const struct addr_ranges *r)
{
    char a[ADDR_TEXT], b[ADDR_TEXT];
    for (size_t i = 0; i < r->count; i++) {
        text_add(out, "%s%s", i ? "," : "", ip_text(&r->items[i].a, a));
        if (!ip_equal(&r->items[i].a, &r->items[i].b))
            text_add(out, "-%s", ip_text(&r->items[i].b, b));
    }
}

static void add_end(struct text *out, const struct bound *b, const struct bind_end *e, const struct addr_ranges *r,
                    const struct port_ranges *ports, const struct ip_addr *translated)
{
    const struct topo_node *n = &b->topology->nodes.items[e->node];
    char ip[ADDR_TEXT];
    text_add(out, "%s%s%s", n->name, e->port < 0 ? "" : ":", e->port < 0 ? "" : n->interfaces.items[e->port].name);
    if (r->count == 1) {
        text_add(out, " ");
        add_addresses(out, r);
    } else {
        text_add(out, " *"); /* asked about elsewhere */
    }
    if (translated->family != IP_NONE)
        text_add(out, "=%s", ip_text(translated, ip));
    text_add(out, " ");
    add_ports(out, ports);
}

static const char *question_text(const struct bound *b, const struct bind_question *q, char *buf, size_t cap)
{
    static const char *const needs[] = {
        [NEED_MUST] = "must", [NEED_OPTIONAL] = "optional", [NEED_NEVER] = "never"};
    struct text out = text_of(buf, cap);
    text_add(&out, "%s %s %s: ", q->row->id, needs[q->need], q->proto == PROTO_UDP ? "udp" : "tcp");
    add_end(&out, b, &q->from, &q->src, &q->sport, &q->src_translated);
    text_add(&out, " > ");
    add_end(&out, b, &q->to, &q->dst, &q->dport, &q->dst_translated);
    if (q->group >= 0)
        text_add(&out, " one of %d", q->group);
    if (q->local)
        text_add(&out, " local");
    return buf;
}

/* The questions of rows whose ids begin like this, each on a line. */
static void questions_are(const struct bound *b, const char *row, const char *want)
{
    char all[8192] = "", one[400];
    struct text out = text_of(all, sizeof all);
    for (size_t i = 0; i < b->questions.count; i++)
        if (strncmp(b->questions.items[i].row->id, row, strlen(row)) == 0)
            text_add(&out, "%s\n", question_text(b, &b->questions.items[i], one, sizeof one));
    assert_string_equal(all, want);
}

static const struct bind_skip *find_skip(const struct bound *b, const char *row)
{
    for (size_t i = 0; i < b->skips.count; i++)
        if (strcmp(b->skips.items[i].row->id, row) == 0)
            return &b->skips.items[i];
    fail_msg("row %s is not skipped", row);
    return NULL;
}

static void skipped_for(const struct bound *b, const char *row, enum bind_why why, const char *text)
{
    const struct bind_skip *s = find_skip(b, row);
    assert_int_equal(s->why, why);
    assert_string_equal(s->text, text);
}

/* ---- whole tables ---- */

static void rows_become_questions(void **state)
{
    (void)state;
    struct rig g;
    RIG(&g, "web-proxy", "web-proxy", "seed=1");
    questions_are(g.b, "1.",
        "1.1 must tcp: internet * 1024-65535 > expressway-e:lan2 198.51.100.20=10.0.10.2 443\n"
        "1.2 must udp: internet * 1024-65535 > expressway-e:lan2 198.51.100.20=10.0.10.2 3478\n"
        "1.3 must tcp: admin-pc:eth0 10.1.9.0-10.1.9.255 1024-65535 > expressway-e:lan1 10.0.20.2 8443\n"
        "1.4 must tcp: expressway-c:lan1 10.1.2.30 30000-35999 > expressway-e:lan1 10.0.20.2 2222\n"
        "1.5 must tcp: expressway-c:lan1 10.1.2.30 25000-29999 > expressway-e:lan1 10.0.20.2 7001\n"
        "1.6 must udp: internet * 1024-65535 > expressway-e:lan2 198.51.100.20=10.0.10.2 3478\n"
        "1.7 must tcp: internet * 1024-65535 > expressway-e:lan2 198.51.100.20=10.0.10.2 3478\n"
        "1.8 must tcp: expressway-c:lan1 10.1.2.30 30000-35999 > cms:a 10.1.0.40 443\n"
        "1.9 must tcp: cms:a 10.1.0.40 1024-65535 > expressway-c:lan1 10.1.2.30 30000-35999\n"
        "1.10 must udp: cms:a 10.1.0.40 1024-65535 > expressway-e:lan1 10.0.20.2 3478\n"
        "1.11 must udp: expressway-e:lan2 10.0.10.2=198.51.100.20 24000-29999 > expressway-e:lan2 "
        "198.51.100.20=10.0.10.2 24000-29999\n"
        "1.11 must tcp: expressway-e:lan2 10.0.10.2=198.51.100.20 24000-29999 > expressway-e:lan2 "
        "198.51.100.20=10.0.10.2 24000-29999\n"
        "1.12 must udp: expressway-e:lan2 10.0.10.2 24000-29999 > expressway-e:lan2 10.0.10.2 24000-29999 local\n"
        "1.12 must tcp: expressway-e:lan2 10.0.10.2 24000-29999 > expressway-e:lan2 10.0.10.2 24000-29999 local\n"
        "1.13 must udp: cms:a 10.1.0.40 1024-65535 > expressway-e:lan2 198.51.100.20=10.0.10.2 24000-29999\n"
        "1.http optional tcp: internet * 1024-65535 > expressway-e:lan2 198.51.100.20=10.0.10.2 80\n"
        "1.admin-outside never tcp: internet * 1024-65535 > expressway-e:lan2 198.51.100.20=10.0.10.2 8443\n"
        "1.ssh-outside never tcp: internet * 1024-65535 > expressway-e:lan2 198.51.100.20=10.0.10.2 22\n");
    assert_int_equal(g.b->skips.count, 4);
    skipped_for(g.b, "1.cluster", BIND_RELEASE, "only from X12.5.5 on");
    skipped_for(g.b, "1.turn-443", BIND_RELEASE, "only from X8.11 on");
    skipped_for(g.b, "1.tcp-override", BIND_SETTING, "no TCP override port is set (check.tcp_override_port)");
    skipped_for(g.b, "1.mra", BIND_SETTING, "Mobile and Remote Access is off (check.mra)");
    rig_close(&g);
}

/* The whole rule of bind.h, in ranges: 198.51.100.0/24 and 10/8 are the site's. */
static void everybody_is_an_exact_set(void **state)
{
    (void)state;
    static const char internet[] =
        "1.0.0.0-9.255.255.255,11.0.0.0-100.63.255.255,100.128.0.0-126.255.255.255,128.0.0.0-169.253.255.255,"
        "169.255.0.0-172.15.255.255,172.32.0.0-192.167.255.255,192.169.0.0-198.51.99.255,"
        "198.51.101.0-223.255.255.255";
    static const char unicast[] =
        "1.0.0.0-10.0.9.255,10.0.11.0-10.0.19.255,10.0.21.0-10.0.29.255,10.0.31.0-10.0.255.255,"
        "10.2.0.0-126.255.255.255,128.0.0.0-198.51.99.255,198.51.101.0-223.255.255.255";
    struct rig g;
    char buf[1024];
    RIG(&g, "web-proxy", "web-proxy", "seed=1");
    for (size_t i = 0; i < g.b->questions.count; i++) {
        const struct bind_question *q = &g.b->questions.items[i];
        if (q->from.actor != ACTOR_ANY)
            continue;
        struct text out = text_of(buf, sizeof buf);
        add_addresses(&out, &q->src);
        assert_string_equal(buf, q->need == NEED_NEVER ? unicast : internet);
    }
    rig_close(&g);
}

static void given_addresses_lose_the_site(void **state)
{
    (void)state;
    struct rig g;
    RIG(&g, "web-proxy", "web-proxy", "check.actors.any.addresses=[\"10.0.0.0/15\", \"192.0.2.0/24\"]");
    char buf[256];
    struct text out = text_of(buf, sizeof buf);
    for (size_t i = 0; i < g.b->questions.count; i++)
        if (strcmp(g.b->questions.items[i].row->id, "1.6") == 0)
            add_addresses(&out, &g.b->questions.items[i].src);
    assert_string_equal(buf, "10.0.0.0-10.0.9.255,10.0.11.0-10.0.19.255,10.0.21.0-10.0.29.255,10.0.31.0-10.0.255.255,"
                             "192.0.2.0-192.0.2.255");
    rig_close(&g);
}

/* ---- choices, sizes, settings, releases ---- */

static void one_of_several_is_enough(void **state)
{
    (void)state;
    struct rig g;
    {
        RIG(&g, "sip-edge-standards", "sip-edge-standards", "seed=1");
        questions_are(g.b, "2.6",
                      "2.6 must udp: expressway-c:lan1 10.1.2.30 36000-59999 > "
                      "expressway-e:lan1 10.0.20.2 2776 one of 0\n"
                      "2.6 must udp: expressway-c:lan1 10.1.2.30 36000-59999 > "
                      "expressway-e:lan1 10.0.20.2 36000 one of 0\n");
        assert_int_equal(g.b->group_count, 2);
        rig_close(&g);
    }
    {
        RIG(&g, "p2p-microsoft", "p2p-microsoft", "seed=1");
        questions_are(g.b, "4.10",
                      "4.10 must udp: cms:a 10.1.0.40 1024-65535 > expressway-e:lan1 10.0.20.2 3478 one of 0\n"
                      "4.10 must tcp: cms:a 10.1.0.40 1024-65535 > expressway-e:lan1 10.0.20.2 3478 one of 0\n");
        rig_close(&g);
    }
    RIG(&g, "dual-nic", "skype-edge", "seed=1");
    questions_are(g.b, "5.share-edge",
                  "5.share-edge-opens must tcp: skype-edge:eth0 172.16.30.20=203.0.113.20 50000-59999 > "
                  "expressway-e:lan2 198.51.100.20=10.0.10.2 24000-29999 one of 0\n");
    questions_are(g.b, "5.share-relay",
                  "5.share-relay-opens must tcp: expressway-e:lan2 10.0.10.2=198.51.100.20 24000-29999 > "
                  "skype-edge:eth0 203.0.113.20=172.16.30.20 50000-59999 one of 0\n");
    questions_are(g.b, "5.share-client-tcp",
                  "5.share-client-tcp must tcp: skype-client:eth0 192.168.178.20 1024-65535 > skype-edge:eth0 "
                  "203.0.113.20=172.16.30.20 443\n");
    rig_close(&g);
}

static void a_large_appliance_has_other_ports(void **state)
{
    (void)state;
    struct rig g;
    RIG(&g, "sip-edge-standards", "sip-edge-standards", "check.size=\"large\"");
    questions_are(g.b, "2.6", "2.6 must udp: expressway-c:lan1 10.1.2.30 36000-59999 > expressway-e:lan1 10.0.20.2 "
                              "36000,36002,36004,36006,36008,36010\n");
    questions_are(g.b, "2.7", "2.7 must udp: expressway-c:lan1 10.1.2.30 36000-59999 > expressway-e:lan1 10.0.20.2 "
                              "36001,36003,36005,36007,36009,36011\n");
    questions_are(g.b, "2.12", "2.12 must udp: cms:a 10.1.0.40 1024-65535 > expressway-e:lan1 10.0.20.2 3478-3483\n");
    rig_close(&g);
}

static void what_a_table_does_not_say_is_named(void **state)
{
    (void)state;
    struct rig g;
    {
        RIG(&g, "p2p-microsoft", "p2p-microsoft", "check.size=\"large\"");
        skipped_for(g.b, "4.9", BIND_SIZE, "the table gives no ports for a large system");
        questions_are(g.b, "4.9-large",
                      "4.9-large must udp: internet * 1024-65535 > expressway-e:lan2 "
                      "198.51.100.20=10.0.10.2 3478-3483\n"
                      "4.9-large must tcp: internet * 1024-65535 > expressway-e:lan2 "
                      "198.51.100.20=10.0.10.2 3478-3483\n");
        rig_close(&g);
    }
    {
        RIG(&g, "dual-nic", "p2p-microsoft", "seed=1");
        skipped_for(g.b, "4.5", BIND_NO_ACTOR, "no unified-cm");
        skipped_for(g.b, "4.7", BIND_NO_ACTOR, "no unified-cm");
        rig_close(&g);
    }
    {
        RIG(&g, "dual-nic", "web-proxy", "nodes.internet.name=\"world\"", "links.home-wan.b=\"world:homes\"",
            "links.fabrikam-wan.a=\"world:fabrikam\"", "links.acme-wan.a=\"world:acme\"",
            "check.actors=null");
        skipped_for(g.b, "1.6", BIND_NO_ACTOR, "no any: no router \"internet\" to stand for everybody outside");
        skipped_for(g.b, "1.3", BIND_NO_ACTOR, "no admin-pc");
        rig_close(&g);
    }
    RIG(&g, "web-proxy", "web-proxy", "check.expressway=\"X12.5.3\"");
    skipped_for(g.b, "1.11", BIND_RELEASE, "only before X12.5.3");
    rig_close(&g);
}

/* Nothing that is chosen falls under the table. */
static void each_row_is_asked_or_skipped(void **state)
{
    (void)state;
    static const char *const tables[] = {"web-proxy", "sip-edge-standards", "sip-edge-microsoft", "p2p-microsoft",
                                         "skype-edge"};
    static const char *const files[] = {"lab", "dual-nic", "web-proxy", "single-nic", "p2p-microsoft"};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++)
        for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
            struct rig g;
            char file[80];
            struct text name = text_of(file, sizeof file);
            text_add(&name, "topologies/%s.json", files[f]);
            rig_open(&g, file, tables[i], NULL, 0);
            for (size_t r = 0; r < g.table->rows.count; r++) {
                size_t found = 0;
                for (size_t k = 0; k < g.b->questions.count; k++)
                    found += g.b->questions.items[k].row == &g.table->rows.items[r];
                for (size_t k = 0; k < g.b->skips.count; k++)
                    found += g.b->skips.items[k].row == &g.table->rows.items[r];
                assert_true(found > 0);
            }
            rig_close(&g);
        }
}

static void settings_move_ports(void **state)
{
    (void)state;
    struct rig g;
    {
        RIG(&g, "web-proxy", "web-proxy", "check.turn_port=443", "check.traversal_zones=3",
            "check.administration_port=7443", "check.tcp_override_port=447", "check.mra=true",
            "check.turn_tcp_443=true", "check.expressway=\"X8.11\"");
        questions_are(g.b, "1.10", "1.10 must udp: cms:a 10.1.0.40 1024-65535 > expressway-e:lan1 10.0.20.2 443\n");
        questions_are(g.b, "1.5", "1.5 must tcp: expressway-c:lan1 10.1.2.30 25000-29999 > expressway-e:lan1 10.0.20.2 "
                                  "7001-7003\n");
        questions_are(g.b, "1.3", "1.3 must tcp: admin-pc:eth0 10.1.9.0-10.1.9.255 1024-65535 > expressway-e:lan1 "
                                  "10.0.20.2 7443\n");
        questions_are(g.b, "1.t",
            "1.turn-443 must tcp: internet * 1024-65535 > expressway-e:lan2 198.51.100.20=10.0.10.2 443\n"
            "1.tcp-override must tcp: internet * 1024-65535 > expressway-e:lan2 198.51.100.20=10.0.10.2 447\n");
        questions_are(g.b, "1.mra", "1.mra must tcp: internet * 1024-65535 > expressway-e:lan2 "
                                    "198.51.100.20=10.0.10.2 8443\n");
        assert_int_equal(g.b->skips.count, 1); /* the cluster's */
        assert_int_equal(g.b->clashes.count, 0);
        rig_close(&g);
    }
    RIG(&g, "sip-edge-standards", "sip-edge-standards", "check.size=\"large\"", "check.turn_multiplexed=true");
    questions_are(g.b, "2.12", "2.12 must udp: cms:a 10.1.0.40 1024-65535 > expressway-e:lan1 10.0.20.2 3478\n");
    rig_close(&g);
}

static void listeners_that_clash_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *set[2], *clash[3];
    } rows[] = {
        {{"check.administration_port=443", "seed=1"},
         {"expressway-e: web-proxy and administration both listen on TCP 443",
          "administration on TCP 443: row 1.3 rules that port out"}},
        {{"check.turn_port=443", "check.expressway=\"X8.10\""},
         {"expressway-e: web-proxy and turn both listen on TCP 443; they can share it from X8.11 on"}},
        {{"check.turn_port=443", "check.expressway=\"X8.11\""}, {NULL}},
        {{"check.mra=true", "seed=1"},
         {"expressway-e: administration and mobile-and-remote-access both listen on TCP 8443"}},
        {{"check.mra=true", "check.administration_port=7443"}, {NULL}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig g;
        rig_open(&g, "topologies/web-proxy.json", "web-proxy", rows[i].set, 2);
        size_t n = 0;
        for (; rows[i].clash[n]; n++) {
            assert_true(n < g.b->clashes.count);
            assert_string_equal(g.b->clashes.items[n].text, rows[i].clash[n]);
        }
        assert_int_equal(g.b->clashes.count, n);
        rig_close(&g);
    }
}

static void releases_that_do_not_go_together_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *set[3], *text, *node;
    } rows[] = {
        {{"seed=1", "seed=1", "seed=1"}, NULL, NULL},
        {{"check.expressway=\"X12.6.1\"", "check.meeting_server=\"2.9.1\"", "seed=1"},
         "Expressway X12.6.1 and later need Meeting Server 2.9.2 or later", NULL},
        {{"check.expressway=\"X12.6.1\"", "check.meeting_server=\"2.9.2\"", "seed=1"}, NULL, NULL},
        {{"check.expressway=\"X12.5\"", "check.meeting_server=\"2.4\"", "seed=1"}, NULL, NULL},
        {{"nodes.expressway-e.settings.public_address=null", "seed=1", "seed=1"},
         "WebRTC through an Expressway-E with two interfaces needs static NAT before X12.5.3", "expressway-e"},
        {{"nodes.expressway-e.settings.public_address=null", "check.expressway=\"X12.5.3\"", "seed=1"}, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig g;
        rig_open(&g, "topologies/web-proxy.json", "web-proxy", rows[i].set, 3);
        assert_int_equal(g.b->advisories.count, rows[i].text != NULL);
        if (rows[i].text)
            assert_string_equal(g.b->advisories.items[0].what->text, rows[i].text);
        if (rows[i].node)
            assert_string_equal(g.b->advisories.items[0].node, rows[i].node);
        rig_close(&g);
    }
}

/* ---- deployments that no file of ours has ---- */

#define PEER(name, octet) \
    "{\"name\": \"" name "\", \"kind\": \"host\", \"system\": \"expressway-e\", \"interfaces\": [{\"name\": " \
    "\"lan1\", \"addresses\": [\"10.0.0." octet "/24\", \"2001:db8:1::" octet "/64\"], \"gateway\": " \
    "\"10.0.0.1\"}], \"routes\": [{\"to\": \"::/0\", \"via\": \"2001:db8:1::1\"}]}"

static const char peers_text[] =
    "{\"schema\": \"turnproof/topology/1\", \"name\": \"t\", \"nodes\": [" PEER("e1", "11") ", " PEER("e2", "12")
    ", {\"name\": \"sw\", \"kind\": \"switch\"}, {\"name\": \"fw\", \"kind\": \"firewall\", \"rules\": "
    "{\"interfaces\": [{\"name\": \"in\", \"level\": 100}, {\"name\": \"out\", \"level\": 0}]}, \"interfaces\": "
    "[{\"name\": \"in\", \"addresses\": [\"10.0.0.1/24\", \"2001:db8:1::1/64\"]}, {\"name\": \"out\", "
    "\"addresses\": [\"192.0.2.2/24\", \"2001:db8:2::2/64\"]}]}, {\"name\": \"internet\", \"kind\": \"router\", "
    "\"interfaces\": [{\"name\": \"x\", \"addresses\": [\"192.0.2.1/24\", \"2001:db8:2::1/64\"]}]}], "
    "\"links\": [{\"a\": \"e1:lan1\", \"b\": \"sw\"}, {\"a\": \"e2:lan1\", \"b\": \"sw\"}, {\"a\": \"fw:in\", "
    "\"b\": \"sw\"}, {\"a\": \"fw:out\", \"b\": \"internet:x\"}]}";

static void open_peers(struct rig *g, const char *const *set, size_t set_count)
{
    const struct topo_options options = {.set = set, .set_count = set_count};
    const struct bind_options as_said = {0};
    struct diag d;
    if (topology_parse("t.json", peers_text, strlen(peers_text), ".", &options, &g->t, &d) ||
        port_table_find("web-proxy", &g->table, &d))
        fail_msg("%s", d.text);
    bind_tables(g->t, (const struct port_table *const *)&g->table, 1, &as_said, &g->b);
}

static void peers_and_families_are_asked_one_by_one(void **state)
{
    (void)state;
    struct rig g;
    open_peers(&g, NULL, 0);
    questions_are(g.b, "1.7",
                  "1.7 must tcp: internet * 1024-65535 > e1:lan1 10.0.0.11 3478\n"
                  "1.7 must tcp: internet * 1024-65535 > e1:lan1 2001:db8:1::11 3478\n"
                  "1.7 must tcp: internet * 1024-65535 > e2:lan1 10.0.0.12 3478\n"
                  "1.7 must tcp: internet * 1024-65535 > e2:lan1 2001:db8:1::12 3478\n");
    skipped_for(g.b, "1.11", BIND_NO_ADDRESS, "no public address behind a translation: nothing is reflected");
    size_t local = 0, peers = 0;
    char buf[256];
    for (size_t i = 0; i < g.b->questions.count; i++) {
        const struct bind_question *q = &g.b->questions.items[i];
        if (strcmp(q->row->id, "1.12") == 0) {
            local += q->local;
            peers += !q->local;
        }
        if (strcmp(q->row->id, "1.7") != 0 || q->family != IP_V6)
            continue;
        struct text out = text_of(buf, sizeof buf);
        add_addresses(&out, &q->src);
        assert_string_equal(buf, "2000::-2001:db8:0:ffff:ffff:ffff:ffff:ffff,"
                                 "2001:db8:1:1::-2001:db8:1:ffff:ffff:ffff:ffff:ffff,"
                                 "2001:db8:2:1::-3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    }
    assert_int_equal(local, 8); /* two protocols, two families, two peers */
    assert_int_equal(peers, 8);
    rig_close(&g);
}

static void a_cluster_behind_nat_needs_its_release(void **state)
{
    (void)state;
    const char *set[] = {"nodes.e1.settings.public_address=\"192.0.2.11\"",
                         "nodes.e2.settings.public_address=\"192.0.2.12\"", "check.expressway=\"X12.5.4\""};
    struct rig g;
    open_peers(&g, set, 3);
    assert_int_equal(g.b->advisories.count, 2);
    assert_string_equal(g.b->advisories.items[1].node, "e2");
    skipped_for(g.b, "1.cluster", BIND_RELEASE, "only from X12.5.5 on");
    rig_close(&g);
    set[2] = "check.expressway=\"X12.5.5\"";
    open_peers(&g, set, 3);
    assert_int_equal(g.b->advisories.count, 0);
    questions_are(g.b, "1.cluster",
                  "1.cluster must udp: e1:lan1 10.0.0.11 1024-65535 > e1:lan1 10.0.0.11 3478 local\n"
                  "1.cluster must udp: e1:lan1 2001:db8:1::11 1024-65535 > e1:lan1 2001:db8:1::11 3478 local\n"
                  "1.cluster must udp: e1:lan1 10.0.0.11 1024-65535 > e2:lan1 10.0.0.12 3478\n"
                  "1.cluster must udp: e1:lan1 2001:db8:1::11 1024-65535 > e2:lan1 2001:db8:1::12 3478\n"
                  "1.cluster must udp: e2:lan1 10.0.0.12 1024-65535 > e1:lan1 10.0.0.11 3478\n"
                  "1.cluster must udp: e2:lan1 2001:db8:1::12 1024-65535 > e1:lan1 2001:db8:1::11 3478\n"
                  "1.cluster must udp: e2:lan1 10.0.0.12 1024-65535 > e2:lan1 10.0.0.12 3478 local\n"
                  "1.cluster must udp: e2:lan1 2001:db8:1::12 1024-65535 > e2:lan1 2001:db8:1::12 3478 local\n");
    rig_close(&g);
}

/* One foot on the Internet, one inside, and only an internal firewall. */
static void an_expressway_on_the_internet_belongs_to_its_site(void **state)
{
    (void)state;
    const char *set[] = {"nodes.expressway-e.interfaces.lan2.addresses=[\"198.51.100.20/24\"]",
                         "nodes.expressway-e.interfaces.lan2.gateway=\"198.51.100.1\"",
                         "nodes.expressway-e.settings={}",
                         "nodes.ext-fw=null",
                         "links.transit=null",
                         "links.dmz-ext=null",
                         "links.acme-wan.b=\"expressway-e:lan2\"", "nodes.int-fw.interfaces.1=null",
                         "nodes.int-fw.rules={\"interfaces\": [{\"name\": \"dmz-int\", \"level\": 50}, {\"name\": "
                         "\"collab\", \"level\": 90}, {\"name\": \"inside\", \"level\": 100}, {\"name\": \"admin\", "
                         "\"level\": 95}]}"};
    struct rig g;
    rig_open(&g, "topologies/web-proxy.json", "web-proxy", set, sizeof set / sizeof *set);
    questions_are(g.b, "1.3", "1.3 must tcp: admin-pc:eth0 10.1.9.0-10.1.9.255 1024-65535 > expressway-e:lan1 "
                              "10.0.20.2 8443\n");
    questions_are(g.b, "1.6", "1.6 must udp: internet * 1024-65535 > expressway-e:lan2 198.51.100.20 3478\n");
    questions_are(g.b, "1.10", "1.10 must udp: cms:a 10.1.0.40 1024-65535 > expressway-e:lan1 10.0.20.2 3478\n");
    rig_close(&g);
}

/* ---- ranges ---- */

static void ranges_are_as_a_list_of_addresses(void **state)
{
    (void)state;
    enum { SPACE = 64, ROUNDS = 4000 };
    struct rng rng = rng_named(1, "ranges");
    struct arena a = {0};
    struct addr_ranges r = {0};
    bool has[SPACE] = {false};
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t lo = (uint32_t)rng_below(&rng, SPACE), hi = lo + (uint32_t)rng_below(&rng, SPACE - lo);
        bool add = rng_chance(&rng, 1, 2);
        /* The space ends where the family does: nothing is behind 255.255.255.255. */
        const struct fw_addr range = {.a = ip_v4(UINT32_MAX - SPACE + 1 + lo), .b = ip_v4(UINT32_MAX - SPACE + 1 + hi)};
        (add ? addr_ranges_add : addr_ranges_remove)(&r, &a, &range);
        size_t runs = 0;
        for (uint32_t i = 0; i < SPACE; i++) {
            if (i >= lo && i <= hi)
                has[i] = add;
            const struct ip_addr ip = ip_v4(UINT32_MAX - SPACE + 1 + i);
            assert_int_equal(addr_ranges_have(&r, &ip), has[i]);
            runs += has[i] && (i == 0 || !has[i - 1]);
        }
        assert_int_equal(r.count, runs);
    }
    arena_free(&a);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_become_questions),
        cmocka_unit_test(everybody_is_an_exact_set),
        cmocka_unit_test(given_addresses_lose_the_site),
        cmocka_unit_test(one_of_several_is_enough),
        cmocka_unit_test(a_large_appliance_has_other_ports),
        cmocka_unit_test(what_a_table_does_not_say_is_named),
        cmocka_unit_test(each_row_is_asked_or_skipped),
        cmocka_unit_test(settings_move_ports),
        cmocka_unit_test(listeners_that_clash_are_found),
        cmocka_unit_test(releases_that_do_not_go_together_are_named),
        cmocka_unit_test(peers_and_families_are_asked_one_by_one),
        cmocka_unit_test(a_cluster_behind_nat_needs_its_release),
        cmocka_unit_test(an_expressway_on_the_internet_belongs_to_its_site),
        cmocka_unit_test(ranges_are_as_a_list_of_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
