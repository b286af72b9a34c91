/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables in topologies/ports against the shared facts: 53 of 53 rows, each field; and the facts name no field that
 * this test does not know. Needs the facts beside the tree. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/testkit/testkit.h"
#include "sim/check/ports.h"
#include "sim/scenario/files.h"

static const char facts[] = "../shared/facts/port-tables.json";

static const cJSON *get(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static void end_is(const cJSON *fact, struct port_end end)
{
    static const char *const address[] = {
        [ADDRESS_SEEN] = "", [ADDRESS_PUBLIC] = ".public", [ADDRESS_PRIVATE] = ".private"};
    char text[64];
    snprintf(text, sizeof text, "%s%s", actor_name(end.actor), address[end.address]);
    assert_string_equal(text, fact->valuestring);
}

static void ranges_are(const cJSON *fact, const struct port_ranges *r)
{
    assert_int_equal(cJSON_GetArraySize(fact), r->count);
    for (size_t i = 0; i < r->count; i++) {
        const cJSON *pair = cJSON_GetArrayItem(fact, (int)i);
        assert_int_equal(cJSON_GetArrayItem(pair, 0)->valuedouble, r->items[i].lo);
        assert_int_equal(cJSON_GetArrayItem(pair, 1)->valuedouble, r->items[i].hi);
    }
}

static void text_is(const cJSON *fact, const char *text)
{
    assert_non_null(text);
    assert_string_equal(fact->valuestring, text);
}

static void source_is(const cJSON *fact, const struct port_row *r)
{
    assert_int_equal(cJSON_IsString(fact), r->from_ephemeral);
    if (cJSON_IsString(fact))
        assert_string_equal(fact->valuestring, "ephemeral");
    else
        ranges_are(fact, &r->from_ports);
}

static void protocols_are(const cJSON *fact, const struct port_row *r)
{
    assert_int_equal(cJSON_GetArraySize(fact), r->protocols.count);
    for (size_t i = 0; i < r->protocols.count; i++)
        assert_string_equal(cJSON_GetArrayItem(fact, (int)i)->valuestring,
                            port_protocol_name((enum port_protocol)r->protocols.items[i]));
}

static void alternatives_are(const cJSON *when, const struct port_row *r)
{
    static const char *const sizes[] = {
        [PORT_SIZE_SMALL_MEDIUM] = "small-medium", [PORT_SIZE_LARGE] = "large"};
    static const char *const parities[] = {[PARITY_EVEN] = "even", [PARITY_ODD] = "odd"};
    assert_int_equal(cJSON_GetArraySize(when), r->alternatives.count);
    for (size_t i = 0; i < r->alternatives.count; i++) {
        const struct port_alternative *a = &r->alternatives.items[i];
        assert_int_not_equal(a->size, PORT_SIZE_ANY);
        const cJSON *fact = get(when, sizes[a->size]), *parity = get(fact, "parity");
        assert_non_null(fact);
        ranges_are(get(fact, "dport"), &a->ports);
        assert_int_equal(cJSON_IsTrue(get(fact, "any_of_ports")), a->any_of_ports);
        assert_int_equal(parity != NULL, a->parity != PARITY_ANY);
        if (parity)
            text_is(parity, parities[a->parity]);
    }
}

static void one_place_is(const cJSON *fact, const struct port_row *r)
{
    assert_int_equal(r->alternatives.count, 1);
    assert_int_equal(r->alternatives.items[0].size, PORT_SIZE_ANY);
    ranges_are(fact, &r->alternatives.items[0].ports);
}

/* Of 2.15 and 4.13 we say besides that note 6 holds for them too. */
static void notes_are(const cJSON *fact, const struct port_row *r)
{
    for (const cJSON *n = fact->child; n; n = n->next) {
        char id[16];
        snprintf(id, sizeof id, "%d", (int)n->valuedouble);
        bool found = false;
        for (size_t i = 0; i < r->note_ids.count; i++)
            found = found || strcmp(r->note_ids.items[i], id) == 0;
        if (!found)
            fail_msg("%s: no note %s", r->id, id);
    }
}

static void compare_field(const cJSON *f, const struct port_row *r)
{
    if (strcmp(f->string, "id") == 0)
        text_is(f, r->id);
    else if (strcmp(f->string, "purpose") == 0)
        text_is(f, r->purpose);
    else if (strcmp(f->string, "src") == 0)
        end_is(f, r->from);
    else if (strcmp(f->string, "dst") == 0)
        end_is(f, r->to);
    else if (strcmp(f->string, "src_translated") == 0)
        end_is(f, r->from_translated);
    else if (strcmp(f->string, "dst_translated") == 0)
        end_is(f, r->to_translated);
    else if (strcmp(f->string, "sport") == 0)
        source_is(f, r);
    else if (strcmp(f->string, "proto") == 0)
        protocols_are(f, r);
    else if (strcmp(f->string, "dport") == 0)
        one_place_is(f, r);
    else if (strcmp(f->string, "when") == 0)
        alternatives_are(f, r);
    else if (strcmp(f->string, "never") == 0)
        ranges_are(f, &r->never_ports);
    else if (strcmp(f->string, "also") == 0)
        text_is(f, r->also);
    else if (strcmp(f->string, "note") == 0)
        notes_are(f, r);
    else if (strcmp(f->string, "any_of") != 0) /* below: it may be absent */
        fail_msg("%s: the facts have \"%s\", which no field of ours says", r->id, f->string);
}

static void compare_row(const cJSON *fact, const struct port_row *r)
{
    for (const cJSON *f = fact->child; f; f = f->next)
        compare_field(f, r);
    assert_int_equal(cJSON_IsTrue(get(fact, "any_of")), r->any_of);
    assert_int_equal(get(fact, "src_translated") != NULL, r->translated);
    assert_int_equal(get(fact, "never") != NULL, r->never_ports.count > 0);
    assert_int_equal(get(fact, "also") != NULL, r->also != NULL);
    assert_int_equal(r->need, NEED_MUST);
}

/* The facts' notes, which our tables repeat word for word where rows refer to them. */
static void compare_notes(const cJSON *fact, const struct port_table *t)
{
    for (const cJSON *n = fact->child; n; n = n->next) {
        const char *ours = port_note_text(t, n->string);
        if (ours)
            assert_string_equal(ours, n->valuestring);
    }
}

static struct port_table *read_ours(const char *id)
{
    struct port_table *t;
    struct diag d = {""};
    if (port_table_find(id, &t, &d))
        fail_msg("%s", d.text);
    return t;
}

static void the_tables_are_those_of_the_facts(void **state)
{
    (void)state;
    struct arena a = {0};
    char *text;
    size_t len;
    struct diag d;
    if (file_read(&a, facts, &text, &len, &d)) {
        print_message("no %s here: skipped\n", facts);
        arena_free(&a);
        skip();
    }
    cJSON *root = cJSON_Parse(text);
    assert_non_null(root);
    size_t compared = 0;
    const cJSON *fact = get(root, "tables")->child;
    for (; fact; fact = fact->next) {
        struct port_table *t = read_ours(get(fact, "id")->valuestring);
        assert_int_equal(get(fact, "number")->valuedouble, t->number);
        text_is(get(fact, "title"), t->title);
        size_t i = 0;
        for (const cJSON *row = get(fact, "rows")->child; row; row = row->next, i++, compared++) {
            assert_true(i < t->rows.count);
            compare_row(row, &t->rows.items[i]);
        }
        compare_notes(get(root, "notes"), t);
        port_table_free(t);
    }
    assert_int_equal(compared, 53);
    print_message("#: %zu rows of the tables are as the facts say\n", compared);
    cJSON_Delete(root);
    arena_free(&a);
}

/* What the numbered rows do not say: which releases they are for, and what must not be open. */
static void rows_have_their_releases(void **state)
{
    (void)state;
    static const struct {
        const char *table, *row, *since, *before;
    } want[] = {
        {"web-proxy", "1.11", NULL, "X12.5.3"},
        {"web-proxy", "1.turn-443", "X8.11", NULL},
        {"sip-edge-standards", "2.b2bua", "X8.10", NULL},
        {"web-proxy", "1.7", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        struct port_table *t = read_ours(want[i].table);
        const struct port_row *r = t->rows.items;
        while (strcmp(r->id, want[i].row) != 0)
            assert_true(++r < t->rows.items + t->rows.count);
        assert_int_equal(r->releases.since_text != NULL, want[i].since != NULL);
        assert_int_equal(r->releases.before_text != NULL, want[i].before != NULL);
        if (want[i].since)
            assert_string_equal(r->releases.since_text, want[i].since);
        if (want[i].before)
            assert_string_equal(r->releases.before_text, want[i].before);
        port_table_free(t);
    }
}

static void every_table_forbids_administration_from_outside(void **state)
{
    (void)state;
    static const char *const ids[] = {"web-proxy", "sip-edge-standards", "sip-edge-microsoft", "p2p-microsoft"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct port_table *t = read_ours(ids[i]);
        size_t found = 0;
        for (size_t k = 0; k < t->rows.count; k++)
            found += t->rows.items[k].need == NEED_NEVER && t->rows.items[k].setting == SETTING_ADMINISTRATION_PORT;
        assert_int_equal(found, 1);
        port_table_free(t);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tables_are_those_of_the_facts),
        cmocka_unit_test(rows_have_their_releases),
        cmocka_unit_test(every_table_forbids_administration_from_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
