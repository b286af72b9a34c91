/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is made of a record: the culprit, the ladder, the comparison; records are written here by hand. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "models/base/time.h"
#include "models/testkit/testkit.h"
#include "sim/scenario/compare.h"
#include "sim/scenario/ladder.h"
#include "sim/scenario/services.h"
#include "sim/scenario/systems.h"

const struct system systems[] = {{.name = NULL}};

static struct topo_iface outside = {.name = "outside"};
static struct topo_node nodes[] = {
    {.name = "edge", .kind = TOPO_HOST},
    {.name = "fw", .kind = TOPO_FIREWALL, .rules_file = "fw.cfg", .interfaces = {&outside, 1}},
    {.name = "router", .kind = TOPO_ROUTER},
    {.name = "relay", .kind = TOPO_HOST},
    {.name = "cms", .kind = TOPO_HOST},
};
static const struct topology topology = {.name = "t", .title = "A & B", .file = "t.json",
                                         .nodes = {nodes, sizeof nodes / sizeof *nodes}};

static void message(struct record *r, uint64_t t_us, const char *from, const char *to, const char *name, size_t len)
{
    record_message(r, &(struct run_message){.t_ns = t_us * NS_US, .from = from, .name = name, .bytes = len,
                                            .frame_len = len + 54});
    r->messages.items[r->messages.count - 1].to = to;
}

static void note(struct record *r, uint64_t t_us, enum io_note kind, const char *text, const char *remote)
{
    struct endpoint e = {0};
    if (remote)
        e = kit_endpoint(remote);
    record_note(r, t_us * NS_US, "cms", kind, &e, text);
}

static const struct fw_rule_ref deny = {"fw.cfg", 41, "access-list in deny ip any any"};

static void drop(struct record *r, uint64_t t_us, const char *node, const char *src, const char *dst,
                 const char *reason, const struct fw_rule_ref *rule)
{
    struct endpoint s = kit_endpoint(src), d = kit_endpoint(dst);
    struct fw_flow flow = {.proto = PROTO_TCP, .src = s.ip, .dst = d.ip, .sport = s.port, .dport = d.port};
    record_drop(r, &(struct run_drop){.t_ns = t_us * NS_US, .node = node, .port = "outside", .reason = reason,
                                      .advice = rule ? "permit it" : NULL, .rule = rule, .flow = flow,
                                      .translated = flow, .link = strcmp(reason, "loss") == 0});
}

static void shares(struct record *r, const char *received)
{
    static const struct endpoint none;
    record_note(r, 0, "cms", NOTE_RESULT, &none, "share.sent_sha256=aa");
    record_note(r, 0, "edge", NOTE_RESULT, &none, "share.sent_sha256=bb");
    record_note(r, 0, "cms", NOTE_RESULT, &none, "share.received_sha256=bb");
    char text[64];
    snprintf(text, sizeof text, "share.received_sha256=%s", received);
    record_note(r, 0, "edge", NOTE_RESULT, &none, text);
}

/* ---- the culprit ---- */

static void ok_needs_all_of_it(void **state)
{
    (void)state;
    static const struct {
        const char *received, *fail, *what;
        bool ends;
    } rows[] = {
        {"aa", NULL, "", true},
        {"ab", NULL, "the shared screen did not arrive as it was sent", true},
        {NULL, NULL, "no screen was shared both ways", true},
        {"aa", NULL, "the call did not go on; the last message was INVITE from edge to cms", false},
        {"aa", "gave up", "cms: gave up", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct record r = {0};
        struct blame b;
        note(&r, 1, NOTE_PHASE, "invite", NULL);
        message(&r, 2, "edge", "cms", "INVITE", 9);
        if (rows[i].fail)
            note(&r, 3, NOTE_FAIL, rows[i].fail, NULL);
        if (rows[i].received)
            shares(&r, rows[i].received);
        if (rows[i].ends)
            note(&r, 4, NOTE_PHASE, "", NULL);
        record_end(&r, 5);
        blame_find(&topology, &r, &b);
        assert_int_equal(b.verdict, i == 0 ? VERDICT_OK : VERDICT_FAILED);
        assert_string_equal(b.what, rows[i].what);
        assert_true(i == 0 || b.advice[0]);
        record_free(&r);
    }
}

/* Services alone: what became of them last, the first that went wrong, the packet that explains it. */
static void services_are_judged(void **state)
{
    (void)state;
    static const struct {
        const char *notes[3]; /* a microsecond apart, from 2 on */
        const char *what, *where;
    } rows[] = {
        {{"g/audio wanted", "g/audio up relay -> relay", "g/video degraded over tcp"}, "", ""},
        {{"g/audio up", "g/audio lost", "g/audio up"}, "", ""},
        {{"g/audio up", "g/audio done", NULL}, "", ""},
        {{"g/audio wanted", NULL, NULL}, "g/audio at cms never came up",
         "fw: fw.cfg:41: access-list in deny ip any any"},
        {{"g/audio wanted", "g/video failed no relay at 10.0.0.9:3478", "g/share lost"},
         "g/video at cms failed: no relay at 10.0.0.9:3478; 2 more do not hold",
         "fw: fw.cfg: no line permits it on interface outside (acl)"},
        {{"g/audio up", "g/audio lost the peer is gone", NULL}, "g/audio at cms was lost: the peer is gone", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct record r = {0};
        struct blame b;
        drop(&r, 1, "fw", "10.0.0.1:5", "10.0.0.9:3478", "acl", &deny); /* before anything was wanted */
        note(&r, 2, NOTE_SERVICE, rows[i].notes[0], NULL);
        for (size_t k = 1; k < 3 && rows[i].notes[k]; k++)
            note(&r, 2 + k, NOTE_SERVICE, rows[i].notes[k], NULL);
        if (i == 4)
            drop(&r, 3, "fw", "10.0.0.1:5", "10.0.0.9:3478", "acl", NULL);
        if (i < 5)
            drop(&r, 5, "fw", "10.0.0.1:5", "10.0.0.7:1", "acl", &deny);
        record_end(&r, 9 * NS_US);
        blame_find(&topology, &r, &b);
        assert_int_equal(b.verdict, rows[i].what[0] ? VERDICT_FAILED : VERDICT_OK);
        assert_string_equal(b.what, rows[i].what);
        assert_string_equal(b.where, rows[i].where);
        assert_string_equal(b.phase, "");
        record_free(&r);
    }
}

/* A planned call is somebody's: one that no system spoke of fails by itself, be there others of longer names. */
static void a_call_that_nobody_makes_fails(void **state)
{
    (void)state;
    struct record r = {0};
    struct blame b;
    note(&r, 2, NOTE_SERVICE, "guest-10/audio up", NULL);
    note(&r, 2, NOTE_SERVICE, "guest-2/audio up", NULL);
    record_planned(&r, 7, "cms", "guest-2");
    assert_int_equal(r.services.count, 2);
    record_planned(&r, 7, "cms", "guest-1");
    record_end(&r, 7);
    blame_find(&topology, &r, &b);
    assert_string_equal(b.what, "guest-1 at cms failed: no system makes this call");
    record_free(&r);
}

static void a_topology_without_a_caller_says_so(void **state)
{
    (void)state;
    static const struct system waits = {.name = "waits", .called = true};
    struct topo_node node = {.name = "cms", .kind = TOPO_HOST, .system = &waits};
    const struct topology lonely = {.name = "t", .file = "t.json", .nodes = {&node, 1}};
    struct record r = {0};
    struct blame b;
    record_end(&r, 5);
    blame_find(&lonely, &r, &b);
    assert_int_equal(b.verdict, VERDICT_FAILED);
    assert_string_equal(b.what, "there is no call: no system of this topology begins one");
    record_free(&r);
}

/* Each row: drops before a failure to reach 10.0.0.9:3478 in phase "bind", and the one that is to blame. */
static void the_right_drop_is_blamed(void **state)
{
    (void)state;
    static const struct {
        const char *early_node, *early_dst, *early_reason; /* in the phase before */
        const char *node, *dst, *reason;                   /* in the phase that fails; NULL: none */
        bool ruled;
        const char *where;
    } rows[] = {
        {"router", "10.0.0.9:1", "no-route", "fw", "10.0.0.7:2", "acl", true,
         "fw: fw.cfg:41: access-list in deny ip any any"},
        /* whom it could not reach counts as much as the phase */
        {"fw", "10.0.0.9:3478", "acl", "fw", "10.0.0.7:2", "idle-timeout", true,
         "fw: fw.cfg: no line permits it on interface outside (acl)"},
        {"fw", "10.0.0.7:1", "acl", "router", "10.0.0.7:2", "no-route", false,
         "router: interface outside (no-route)"},
        {"fw", "10.0.0.7:1", "acl", "cms", "10.0.0.7:2", "loss", false, "the link at cms:outside lost it (loss)"},
        {"fw", "10.0.0.7:1", "acl", NULL, NULL, NULL, false,
         "fw: fw.cfg: no line permits it on interface outside (acl)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct record r = {0};
        struct blame b;
        note(&r, 1, NOTE_PHASE, "connect", NULL);
        drop(&r, 2, rows[i].early_node, "10.0.0.1:5", rows[i].early_dst, rows[i].early_reason, NULL);
        note(&r, 3, NOTE_PHASE, "bind", NULL);
        if (rows[i].node)
            drop(&r, 4, rows[i].node, "10.0.0.1:5", rows[i].dst, rows[i].reason, rows[i].ruled ? &deny : NULL);
        note(&r, 5, NOTE_FAIL, "no connection: timed out", "10.0.0.9:3478");
        drop(&r, 6, "fw", "10.0.0.1:5", "10.0.0.9:3478", "acl", &deny); /* too late to be the reason */
        record_end(&r, 7);
        blame_find(&topology, &r, &b);
        assert_string_equal(b.phase, "bind");
        assert_string_equal(b.where, rows[i].where);
        record_free(&r);
    }
}

static void a_policy_is_no_packets_fault(void **state)
{
    (void)state;
    struct record r = {0};
    struct blame b;
    note(&r, 1, NOTE_PHASE, "invite", NULL);
    drop(&r, 2, "fw", "10.0.0.1:5", "10.0.0.9:3478", "acl", &deny);
    note(&r, 3, NOTE_FAIL, "403 Forbidden 21002;reason=\"Attendees cannot share\"", NULL);
    record_end(&r, 4);
    blame_find(&topology, &r, &b);
    assert_null(b.drop);
    assert_string_equal(b.where, "");
    assert_non_null(strstr(b.advice, "make the attendee a presenter"));
    record_free(&r);
}

/* ---- the ladder ---- */

static struct record small_call(void)
{
    struct record r = {.engine = "native"};
    message(&r, 0, "edge", "cms", "OPTIONS", 400);
    note(&r, 10, NOTE_PHASE, "invite", NULL);
    message(&r, 11, "edge", "cms", "INVITE", 1200);
    note(&r, 20, NOTE_PHASE, "allocate", NULL);
    message(&r, 1000021, "cms", "relay", "Allocate request", 44);
    message(&r, 1000022, "relay", "cms", "Allocate error 401", 176);
    message(&r, 1000023, "relay", "cms", "Binding indication", 28);
    message(&r, 6000023, "relay", "cms", "Binding indication", 28);
    message(&r, 7000000, "edge", "192.0.2.1:5", "Binding request", 30);
    return r;
}

static const char golden[] = "            edge\n"
                             "            |        relay\n"
                             "            |        |        cms\n"
                             "            |        |        |        192.0.2.1:5\n"
                             "   0.000000 |---------------->|        | OPTIONS 454\n"
                             "            |        |        |        | -- invite --\n"
                             "   0.000011 |---------------->|        | INVITE 1254\n"
                             "            |        |        |        | -- allocate --\n"
                             "   1.000021 |        |<-------|        | Allocate request 98\n"
                             "   1.000022 |        |------->|        | Allocate error 401 230\n"
                             "   1.000023 |        |------->|        | Binding indication (x2) 82\n"
                             "   7.000000 |------------------------->| Binding request 84\n";

/* What a writer writes, through a file. */
enum kind { LADDER_TEXT, LADDER_SVG, SERVICES_TEXT, SERVICES_JSON };

static void written(enum kind kind, const struct record *r, const struct blame *b, size_t max, char *out, size_t cap)
{
    char path[] = "/tmp/turnproof-XXXXXX";
    int fd = mkstemp(path);
    struct sink s;
    assert_true(fd >= 0 && sink_open(&s, path, false));
    switch (kind) {
    case LADDER_TEXT: ladder_text(&s, &topology, r, b, max); break;
    case LADDER_SVG: ladder_svg(&s, &topology, r, b); break;
    case SERVICES_TEXT: services_text(&s, &topology, r, max); break;
    case SERVICES_JSON: services_json(&s, &topology, r); break;
    }
    assert_int_equal(sink_close(&s, NULL), 0);
    ssize_t n = read(fd, out, cap - 1);
    assert_true(n >= 0);
    out[n] = '\0';
    close(fd);
    unlink(path);
}

static void the_table_of_services_begins_with_what_fails(void **state)
{
    (void)state;
    struct record r = {0};
    char out[4000];
    note(&r, 1, NOTE_SERVICE, "guest/video done", NULL);
    note(&r, 1, NOTE_SERVICE, "guest/audio up host -> relay over udp", NULL);
    note(&r, 1, NOTE_SERVICE, "guest/share degraded over tcp: no answer on UDP 3478 of the relay at 10.0.0.9", NULL);
    note(&r, 1, NOTE_SERVICE, "zone/cucm wanted", NULL);
    note(&r, 1, NOTE_SERVICE, "zone/cms wanted", NULL);
    drop(&r, 5, "fw", "10.0.0.1:5", "10.0.0.7:1", "acl", &deny);
    record_end(&r, 9 * NS_US);
    written(SERVICES_TEXT, &r, NULL, 4, out, sizeof out);
    assert_string_equal(out, "\n"
        "  service      at   state     how, or why not\n"
        "  zone/cucm    cms  wanted    nothing became of it\n"
        "    packet      TCP 10.0.0.1:5 -> 10.0.0.7:1\n"
        "    dropped by  fw: fw.cfg:41: access-list in deny ip any any\n"
        "    change      permit it\n"
        "  zone/cms     cms  wanted    nothing became of it\n"
        "    as above\n"
        "  guest/share  cms  degraded  over tcp: no answer on UDP 3478 of the relay at\n"
        "                              10.0.0.9\n"
        "  guest/video  cms  done\n"
        "  ... and 1 more\n");
    written(SERVICES_JSON, &r, NULL, 0, out, sizeof out);
    assert_non_null(strstr(out, "\"name\": \"guest/audio\", \"state\": \"up\", \"holds\": true, \"text\": "
                                "\"host -> relay over udp\", \"up_ns\": 1000, \"t_ns\": 1000, \"losses\": 0, "
                                "\"packet\": null"));
    assert_non_null(strstr(out, "\"up_ns\": null, \"t_ns\": 1000, \"losses\": 0, "
                                "\"packet\": \"TCP 10.0.0.1:5 -> "));
    record_free(&r);
}

static void the_ladder_is_golden(void **state)
{
    (void)state;
    char text[20000];
    struct record r = small_call();
    written(LADDER_TEXT, &r, NULL, 0, text, sizeof text);
    assert_string_equal(text, golden);
    written(LADDER_TEXT, &r, NULL, 2, text, sizeof text);
    assert_non_null(strstr(text, "INVITE 1254\n            ... and 4 more\n"));
    written(LADDER_SVG, &r, NULL, 0, text, sizeof text);
    assert_non_null(strstr(text, ">A &amp; B</text>"));
    assert_non_null(strstr(text, "Binding indication (x2), 82"));
    assert_non_null(strstr(text, "</svg>"));
    record_free(&r);
}

/* The drawing's lanes are as far apart as the labels between them are long, and what went wrong is on it. */
static void the_drawing_has_room(void **state)
{
    (void)state;
    static const char name[] = "MS-TURN Set Active Destination request";
    char text[20000];
    struct record r = {0};
    struct blame b;
    note(&r, 1, NOTE_PHASE, "invite", NULL);
    message(&r, 1, "edge", "relay", name, 100);
    message(&r, 2, "relay", "cms", "ACK", 100);
    drop(&r, 3, "fw", "10.0.0.1:5", "10.0.0.9:3478", "acl", &deny);
    note(&r, 4, NOTE_FAIL, "no connection: timed out", "10.0.0.9:3478");
    record_end(&r, 5);
    blame_find(&topology, &r, &b);
    written(LADDER_SVG, &r, &b, 0, text, sizeof text);
    int height = 0, below = 0, x[3] = {0};
    assert_int_equal(sscanf(strstr(text, " height=\""), " height=\"%d\"", &height), 1);
    const char *at = text;
    for (size_t i = 0; i < 3; i++, at++) {
        at = strstr(at, "<line class=\"lifeline\"");
        assert_non_null(at);
        assert_int_equal(sscanf(at, "<line class=\"lifeline\" x1=\"%d\"", &x[i]), 1);
    }
    assert_true(x[1] - x[0] > 6 * (int)sizeof name);
    assert_true(x[2] - x[1] > 0 && x[2] - x[1] < x[1] - x[0]);
    at = strstr(text, "class=\"note\">permit it</text>");
    assert_non_null(at);
    while (at[-1] != '\n')
        at--;
    assert_int_equal(sscanf(at, "<text x=\"24\" y=\"%d\"", &below), 1);
    assert_true(below < height);
    assert_non_null(strstr(text, ">fw: fw.cfg:41: access-list in deny ip any any</text>"));
    record_free(&r);
}

/* ---- warnings ---- */

static void what_is_not_simulated_is_said(void **state)
{
    (void)state;
    char text[200];
    assert_false(blame_warning(&topology, 0, text, sizeof text));
    struct fw_rules *r = fw_rules_new("fw.cfg");
    assert_non_null(r);
    assert_int_equal(fw_rules_add_inspection(r, "dns", 70, "inspect dns"), 0);
    nodes[1].rules = r;
    assert_false(blame_warning(&topology, 0, text, sizeof text));
    assert_int_equal(fw_rules_add_inspection(r, "sip", 72, "inspect sip"), 0);
    nodes[2].rules = r;
    assert_true(blame_warning(&topology, 0, text, sizeof text));
    assert_string_equal(text,
                        "fw inspects sip (fw.cfg:72): addresses in SIP are rewritten; Cisco says off for Expressway");
    assert_true(blame_warning(&topology, 1, text, sizeof text));
    assert_non_null(strstr(text, "router inspects sip"));
    assert_false(blame_warning(&topology, 2, text, sizeof text));
    nodes[1].rules = nodes[2].rules = NULL;
    fw_rules_free(r);
}

/* ---- two engines ---- */

static void engines_are_compared(void **state)
{
    (void)state;
    struct record a = small_call(), b = small_call();
    struct comparison c;
    compare_messages(&a, &b, &c);
    assert_true(c.same_messages && c.same_order);

    struct run_message m = b.messages.items[2]; /* two that do not depend on each other change places */
    b.messages.items[2] = b.messages.items[1];
    b.messages.items[1] = m;
    compare_messages(&a, &b, &c);
    assert_true(c.same_messages && !c.same_order);

    b.messages.count--;
    compare_messages(&a, &b, &c);
    assert_false(c.same_messages);
    assert_string_equal(c.difference, "native: edge -> 192.0.2.1:5 Binding request; native: no more messages");
    record_free(&a);
    record_free(&b);

    assert_int_equal(compare_times(1000, 1050), 50);
    assert_int_equal(compare_times(1000, 949), -51);
    assert_int_equal(compare_times(0, 0), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(ok_needs_all_of_it),
        cmocka_unit_test(a_topology_without_a_caller_says_so),
        cmocka_unit_test(services_are_judged),
        cmocka_unit_test(a_call_that_nobody_makes_fails),
        cmocka_unit_test(the_table_of_services_begins_with_what_fails),
        cmocka_unit_test(the_right_drop_is_blamed),
        cmocka_unit_test(a_policy_is_no_packets_fault), cmocka_unit_test(the_ladder_is_golden),
        cmocka_unit_test(the_drawing_has_room),         cmocka_unit_test(what_is_not_simulated_is_said),
        cmocka_unit_test(engines_are_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
