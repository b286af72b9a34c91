/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading port tables: what rows become, what is refused and where. */
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/testkit/testkit.h"
#include "sim/check/ports.h"

#define HEAD "{\"schema\": \"turnproof/ports/1\", \"id\": \"t\", \"number\": 7, \"title\": \"T\",\n"
#define ENDS "\"purpose\": \"p\", \"from\": \"any\", \"from_ports\": [\"1024-65535\"], \"to\": \"expressway-e\""
#define ROW(rest) HEAD "\"rows\": [{\"id\": \"7.1\", " ENDS ", " rest "}]}"
#define PLAIN "\"protocols\": [\"udp\"], \"to_ports\": [\"80\"]"

static int parse(const char *text, struct port_table **t, struct diag *d)
{
    return port_table_parse("t.json", text, strlen(text), t, d);
}

static void rows_become_ranges_and_conditions(void **state)
{
    (void)state;
    struct port_table *t;
    struct diag d = {""};
    if (parse(ROW("\"protocols\": [\"udp\", \"tls\"], \"any_of\": true, \"since\": \"X8.9\", \"before\": \"X12.5.3\", "
                  "\"alternatives\": [{\"size\": \"large\", \"to_ports\": [\"36000-36010\", \"40000\"], "
                  "\"parity\": \"even\"}]"),
              &t, &d))
        fail_msg("%s", d.text);
    const struct port_row *r = t->rows.items;
    assert_int_equal(r->from.actor, ACTOR_ANY);
    assert_int_equal(r->to.actor, ACTOR_EXPRESSWAY_E);
    assert_int_equal(r->to.address, ADDRESS_SEEN);
    assert_int_equal(r->need, NEED_MUST);
    assert_int_equal(r->protocols.items[1], PORT_TLS);
    assert_string_equal(port_protocol_name(PORT_TLS), "tls");
    assert_int_equal(port_protocol_wire(PORT_TLS), PROTO_TCP);
    assert_int_equal(port_protocol_wire(PORT_UDP), PROTO_UDP);
    const struct port_alternative *a = r->alternatives.items;
    assert_int_equal(a->size, PORT_SIZE_LARGE);
    assert_int_equal(a->parity, PARITY_EVEN);
    assert_int_equal(a->ports.count, 2);
    assert_int_equal(a->ports.items[0].hi, 36010);
    static const struct {
        const char *release;
        bool has;
    } releases[] = {{"X8.9", true}, {"X8.10", true}, {"X12.5.2", true}, {"X12.5.3", false}, {"X14.0", false}};
    for (size_t i = 0; i < sizeof releases / sizeof *releases; i++) {
        struct release release;
        assert_int_equal(release_parse(releases[i].release, "X", &release), 0);
        assert_int_equal(port_releases_have(&r->releases, &release), releases[i].has);
    }
    port_table_free(t);
}

static const struct {
    const char *text, *message;
} mistakes[] = {
    {"[]", "t.json:1:1: expected an object, found a list"},
    {ROW(PLAIN ", \"port\": 1"),
     "t.json:2:149: rows.0.port: unknown key; expected one of: id, need, purpose, from, from_translated, from_ports, "
     "protocols, any_of, to, to_translated, to_ports, never_ports, alternatives, group, setting, only_with, since, "
     "before, degrades_to, notes, also"},
    {ROW("\"to_ports\": [\"80\"]"), "t.json:2:10: rows.0: expected the key \"protocols\", found none"},
    {ROW("\"protocols\": [\"sctp\"]"),
     "t.json:2:121: rows.0.protocols.0: expected \"udp\", \"tcp\", \"tls\" or \"https\", found \"sctp\""},
    {ROW("\"protocols\": []"), "t.json:2:120: rows.0.protocols: expected 1 to 4 elements, found 0"},
    {ROW("\"protocols\": [\"udp\"], \"to_ports\": [\"80-\"]"),
     "t.json:2:142: rows.0.to_ports.0: expected a port or range of ports, as \"3478\" or \"24000-29999\", found "
     "\"80-\""},
    {ROW("\"protocols\": [\"udp\"], \"to_ports\": [\"80-79\"]"),
     "t.json:2:142: rows.0.to_ports.0: expected a port or range of ports, as \"3478\" or \"24000-29999\", found "
     "\"80-79\""},
    {ROW("\"protocols\": [\"udp\"], \"to_ports\": [\"65536\"]"),
     "t.json:2:142: rows.0.to_ports.0: expected a port or range of ports, as \"3478\" or \"24000-29999\", found "
     "\"65536\""},
    {ROW("\"protocols\": [\"udp\"], \"to_ports\": [\"80-90\", \"90\"]"),
     "t.json:2:151: rows.0.to_ports.1: expected ranges that ascend and do not overlap, found \"90\""},
    {ROW("\"protocols\": [\"udp\"]"),
     "t.json:2:10: rows.0: expected \"to_ports\" or \"alternatives\", found neither"},
    {ROW(PLAIN ", \"alternatives\": [{\"size\": \"large\", \"to_ports\": [\"1\"]}]"),
     "t.json:2:10: rows.0: expected \"to_ports\" or \"alternatives\", found both"},
    {ROW("\"protocols\": [\"udp\"], \"alternatives\": [{\"size\": \"large\", \"to_ports\": [\"1\"]},\n"
         "{\"size\": \"large\", \"to_ports\": [\"2\"]}]"),
     "t.json:3:10: rows.0.alternatives.1.size: expected each size once, found \"large\""},
    {ROW("\"protocols\": [\"udp\"], \"alternatives\": [{\"size\": \"large\", \"parity\": \"even\",\n"
         "\"to_ports\": [\"2777\"]}]"),
     "t.json:3:14: rows.0.alternatives.0.to_ports.0: expected a range that has a port of the parity, found \"2777\""},
    {ROW(PLAIN ", \"since\": \"8.9\""),
     "t.json:2:158: rows.0.since: expected a release, as \"X8.9\" or \"X12.5.3\", found \"8.9\""},
    {ROW(PLAIN ", \"since\": \"X8.10\", \"before\": \"X8.9\""),
     "t.json:2:177: rows.0.before: expected a release after `since`, found \"X8.9\""},
    {ROW(PLAIN ", \"need\": \"optional\""),
     "t.json:2:10: rows.0: expected \"degrades_to\" where a row is optional, found none"},
    {ROW(PLAIN ", \"from_translated\": \"expressway-e.public\""),
     "t.json:2:10: rows.0: expected \"from_translated\" and \"to_translated\" together, found one of them"},
    {ROW(PLAIN ", \"setting\": \"turn-port\""),
     "t.json:2:10: rows.0: expected one range within 3478-3483 with the setting turn-port"},
    {ROW(PLAIN ", \"setting\": \"tcp-override-port\""),
     "t.json:2:10: rows.0: expected no ports with the setting tcp-override-port"},
    {ROW(PLAIN ", \"notes\": [\"9\"]"),
     "t.json:2:159: rows.0.notes.0: expected the id of a note of this table, found \"9\""},
    {HEAD "\"rows\": [{\"id\": \"8.1\", " ENDS ", " PLAIN "}]}",
     "t.json:2:17: rows.0.id: expected an id that begins with the number of the table and a point, found \"8.1\""},
    {HEAD "\"rows\": [{\"id\": \"7.1\", " ENDS ", " PLAIN "},\n{\"id\": \"7.1\", " ENDS ", " PLAIN "}]}",
     "t.json:3:8: rows.1.id: expected each row once, found \"7.1\""},
    {HEAD "\"rows\": [{\"id\": \"7.1\", " ENDS ", " PLAIN "}],\n"
          "\"advisories\": [{\"when\": \"old-meeting-server\", \"text\": \"x\"}]}",
     "t.json:3:16: advisories.0: expected \"meeting_server_before\" where \"when\" is \"old-meeting-server\", and only "
     "there"},
    {HEAD "\"rows\": [{\"id\": \"7.1\", " ENDS ", " PLAIN "}],\n"
          "\"errata\": [{\"date\": \"2020\", \"rows\": [\"7.2\"], \"text\": \"x\"}]}",
     "t.json:3:38: errata.0.rows.0: expected the id of a row of this table, found \"7.2\""},
};

static void each_mistake_is_placed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct port_table *t;
        struct diag d = {""};
        if (parse(mistakes[i].text, &t, &d) == 0)
            fail_msg("row %zu is taken", i);
        assert_string_equal(d.text, mistakes[i].message);
    }
}

static void releases_are_ordered_by_their_numbers(void **state)
{
    (void)state;
    static const char *const order[] = {"X8.9", "X8.10", "X8.11", "X8.11.1", "X12.5", "X12.5.2", "X12.5.3", "X14.0"};
    static const char *const none[] = {"", "X", "X8", "8.9", "X8.", "X8.9.", "X8.9.1.1", "X8.9a", "x8.9", "X8.99999"};
    for (size_t i = 1; i < sizeof order / sizeof *order; i++) {
        struct release a, b;
        assert_int_equal(release_parse(order[i - 1], "X", &a), 0);
        assert_int_equal(release_parse(order[i], "X", &b), 0);
        assert_true(release_compare(&a, &b) < 0);
        assert_true(release_compare(&b, &a) > 0);
        assert_int_equal(release_compare(&a, &a), 0);
    }
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        struct release r;
        assert_int_equal(release_parse(none[i], "X", &r), E_MALFORMED);
    }
    struct release cms;
    assert_int_equal(release_parse("2.9.2", "", &cms), 0);
    assert_int_equal(cms.number[2], 2);
}

/* By id from the tree, from $TURNPROOF_DATA alone when that is set, and a file by its name. */
static void tables_are_found(void **state)
{
    (void)state;
    struct port_table *t;
    struct diag d = {""};
    unsetenv("TURNPROOF_DATA");
    if (port_table_find("web-proxy", &t, &d))
        fail_msg("%s", d.text);
    assert_string_equal(t->id, "web-proxy");
    assert_string_equal(port_note_text(t, t->rows.items[0].note_ids.items[0]), port_note_text(t, "1"));
    port_table_free(t);
    assert_int_equal(port_table_find("no-such", &t, &d), E_NOT_FOUND);
    assert_non_null(strstr(d.text, "no-such:1:1: expected the id of a port table"));
    assert_int_equal(port_table_find("topologies/ports/skype-edge.json", &t, &d), 0);
    port_table_free(t);
    setenv("TURNPROOF_DATA", "no/such/folder", 1);
    assert_int_equal(port_table_find("web-proxy", &t, &d), E_NOT_FOUND);
    assert_non_null(strstr(d.text, "no/such/folder/ports"));
    setenv("TURNPROOF_DATA", "topologies", 1);
    assert_int_equal(port_table_find("web-proxy", &t, &d), 0);
    port_table_free(t);
    unsetenv("TURNPROOF_DATA");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_become_ranges_and_conditions),
        cmocka_unit_test(each_mistake_is_placed),
        cmocka_unit_test(releases_are_ordered_by_their_numbers),
        cmocka_unit_test(tables_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
