/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a search is made of: plans, scenarios and their files, and the invariants that look at bytes and SYNs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"
#include "models/testkit/testkit.h"
#include "sim/explore/explore.h"
#include "sim/explore/search.h"
#include "sim/explore/shrink.h"
#include "sim/explore/streams.h"
#include "sim/explore/syns.h"

static struct topology *lab(void)
{
    struct topology *t;
    struct diag d;
    assert_int_equal(topology_read("topologies/lab.json", &(struct topo_options){0}, &t, &d), 0);
    return t;
}

static struct plan *usual(void)
{
    struct plan *p;
    struct diag d;
    assert_int_equal(plan_read(NULL, &p, &d), 0);
    return p;
}

/* ---- plans ---- */

static void the_default_plan_is_the_file(void **state)
{
    (void)state;
    struct plan *built_in = usual(), *file;
    struct diag d;
    assert_int_equal(plan_read("topologies/faults/default.json", &file, &d), 0);
    char *a = cJSON_PrintUnformatted(json_root(built_in->json)), *b = cJSON_PrintUnformatted(json_root(file->json));
    assert_string_equal(a, b);
    free(a);
    free(b);
    plan_free(file);
    plan_free(built_in);
}

static void mistakes_of_a_plan_are_placed(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *says;
    } rows[] = {
        {"plan/1", "plan/2", "plan:1:12: schema: expected \"turnproof/plan/1\", found \"turnproof/plan/2\""},
        {"\"loss_ppm\": [0, 30000]", "\"loss_ppm\": [2, 1]", "expected the least before the most, found 2 and 1"},
        {"\"count\": [0, 3]", "\"count\": [0, 99]", "faults.count: expected at most 16, found 99"},
        {"\"outage\", \"outage\"", "\"flood\"", "faults.kinds.0: expected \"restart\""},
        {"[4, 128]", "[1, 128]", "expected load.buffer_kb from 4 on, found 1"},
        {"\"ahead_ms\": [1, 7200000]", "\"ahead_ms\": 3", "faults.ahead_ms: expected a list"},
    };
    struct plan *built_in = usual(), *p;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = cJSON_Print(json_root(built_in->json)), all[4000], file[4000];
        FILE *f = fopen("topologies/faults/default.json", "r");
        file[fread(file, 1, sizeof file - 1, f)] = '\0';
        fclose(f);
        char *at = strstr(file, rows[i].from);
        assert_non_null(at);
        int len = snprintf(all, sizeof all, "%.*s%s%s", (int)(at - file), file, rows[i].to, at + strlen(rows[i].from));
        struct diag d;
        assert_int_equal(plan_parse("plan", all, (size_t)len, &p, &d), E_MALFORMED);
        if (!strstr(d.text, rows[i].says))
            assert_string_equal(d.text, rows[i].says);
        free(text);
    }
    plan_free(built_in);
}

/* ---- scenarios ---- */

static bool same(const struct topology *t, const struct scenario *a, const struct scenario *b)
{
    bool equal = a->fault_count == b->fault_count && a->buffer_kb == b->buffer_kb;
    for (size_t i = 0; equal && i < a->fault_count; i++)
        equal = a->fault[i].kind == b->fault[i].kind && a->fault[i].at_ns == b->fault[i].at_ns &&
                a->fault[i].for_ns == b->fault[i].for_ns;
    for (size_t i = 0; equal && i < t->links.count; i++)
        for (int d = 0; d < 2; d++)
            equal = equal && a->dir[i][d].delay_ns == b->dir[i][d].delay_ns &&
                    a->dir[i][d].loss.loss_ppm == b->dir[i][d].loss.loss_ppm;
    return equal;
}

static void a_seed_is_a_scenario(void **state)
{
    (void)state;
    static const struct call_times times = {45 * NS_S, 52 * NS_S, 58 * NS_S};
    struct topology *t = lab();
    struct plan *p = usual();
    struct scenario *a = scenario_new(t), *b = scenario_new(t);
    unsigned kinds = 0, others = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        scenario_draw(t, p, &times, seed, a);
        scenario_draw(t, p, &times, seed, b);
        assert_true(same(t, a, b));
        scenario_draw(t, p, &times, seed + 1, b);
        others += !same(t, a, b);
        for (size_t i = 0; i < a->fault_count; i++)
            kinds |= 1u << a->fault[i].kind;
    }
    assert_int_equal(kinds, (1u << FAULT_KINDS) - 1);
    assert_true(others > 195);
    scenario_free(a);
    scenario_free(b);
    plan_free(p);
    topology_free(t);
}

/* What is written and read again runs alike. */
static void a_scenario_is_a_file(void **state)
{
    (void)state;
    struct topology *t = lab(), *again;
    struct plan *p = usual();
    struct explorer *e, *f;
    struct diag d;
    assert_int_equal(explorer_new(t, p, &e, &d), 0);
    struct scenario *s = scenario_new(t);
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct finding x, y;
        explorer_draw(e, seed, s);
        char *text = scenario_json(t, s, "topologies");
        const struct topo_options none = {0};
        assert_int_equal(topology_parse("again.json", text, strlen(text), "topologies", &none, &again, &d), 0);
        assert_int_equal(explorer_new(again, NULL, &f, &d), 0);
        struct scenario *as_it_is = scenario_new(again);
        explorer_run(e, s, &x);
        explorer_run(f, as_it_is, &y);
        assert_string_equal(x.violation.invariant, "");
        assert_string_equal(y.violation.invariant, "");
        assert_int_equal(x.packet_hops, y.packet_hops);
        assert_int_equal(x.call_up, y.call_up);
        scenario_free(as_it_is);
        explorer_free(f);
        topology_free(again);
        free(text);
    }
    scenario_free(s);
    explorer_free(e);
    plan_free(p);
    topology_free(t);
}

/* ---- invariants ---- */

static const struct endpoint left = {.ip = {.family = IP_V4, .b = {10, 0, 0, 1}}, .port = 49152};
static const struct endpoint nat = {.ip = {.family = IP_V4, .b = {192, 0, 2, 1}}, .port = 1024};
static const struct endpoint right = {.ip = {.family = IP_V4, .b = {192, 0, 2, 9}}, .port = 443};

/* A connection from `left` through a NAT to `right`: sockets 1 and 2. */
static struct streams *connected(struct violation *v)
{
    *v = (struct violation){0};
    struct streams *s = streams_new(v);
    streams_syn(s, 1, &left, &right, 7, true);
    streams_syn(s, 2, &right, &nat, 7, false);
    streams_open(s, 1, 1, &left, &right, false);
    streams_open(s, 2, 2, &right, &nat, true);
    return s;
}

static void bytes_arrive_as_they_were_sent(void **state)
{
    (void)state;
    struct violation v;
    struct streams *s = connected(&v);
    streams_sent(s, 0, 1, "hello", 5);
    streams_received(s, 0, 2, "hel", 3, false);
    streams_ended(s, 0, 1);
    streams_received(s, 0, 2, "lo", 2, true);
    assert_false(violated(&v));
    streams_free(s);

    s = connected(&v); /* one is changed */
    streams_sent(s, 0, 1, "hello", 5);
    streams_received(s, 5, 2, "help", 4, false);
    assert_string_equal(v.invariant, "bytes");
    assert_int_equal(v.t_ns, 5);
    streams_free(s);

    s = connected(&v); /* the last one is missing, and more than was sent */
    streams_sent(s, 0, 1, "hello", 5);
    streams_ended(s, 0, 1);
    streams_received(s, 0, 2, "hell", 4, true);
    assert_non_null(strstr(v.what, "after 4 bytes of 5"));
    streams_free(s);
    s = connected(&v);
    streams_received(s, 0, 2, "h", 1, false);
    assert_non_null(strstr(v.what, "not sent"));
    streams_free(s);
}

/* Host 2 joins what came in by socket 2 to its socket 3. */
static void a_relay_passes_on_what_came_in(void **state)
{
    (void)state;
    static const struct {
        const char *sends;
        bool ends;
        const char *says; /* NULL: all is well */
    } rows[] = {
        {"own, lo", true, NULL}, {"own, lO", false, "changed"}, {"own, l", true, "1 bytes before the end"},
        {"own, lo!", false, "not received"}, {"own, l", false, NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct violation v;
        struct streams *s = connected(&v);
        streams_open(s, 2, 3, &right, &left, true);
        streams_sent(s, 0, 1, "hello", 5);
        streams_ended(s, 0, 1);
        streams_received(s, 0, 2, "hel", 3, false);
        streams_joined(s, 2, 0, 3, 5); /* five of its own wait to be sent */
        streams_received(s, 0, 2, "lo", 2, true);
        streams_sent(s, 0, 3, rows[i].sends, strlen(rows[i].sends));
        if (rows[i].ends)
            streams_ended(s, 0, 3);
        assert_int_equal(violated(&v), rows[i].says != NULL);
        assert_true(!rows[i].says || strstr(v.what, rows[i].says));
        streams_free(s);
    }
}

static void syns_back_off(void **state)
{
    (void)state;
    struct violation v = {0};
    struct syns *s = syns_new(&v);
    static const uint64_t well[] = {0, 1, 3, 7, 15};
    for (size_t i = 0; i < sizeof well / sizeof *well; i++)
        syns_see(s, well[i] * NS_S, &left, &right, 1);
    assert_false(violated(&v));
    syns_see(s, 16 * NS_S, &left, &right, 2); /* another connection */
    assert_false(violated(&v));
    syns_see(s, 20 * NS_S, &left, &right, 1);
    assert_string_equal(v.invariant, "timers");
    free(s);
}

/* ---- searching ---- */

/* However many workers there are, and also when there is nothing to find. */
static void workers_do_not_matter(void **state)
{
    (void)state;
    struct topology *t = lab();
    struct plan *p = usual();
    struct explorer *e;
    struct diag d;
    struct search_result r[2];
    assert_int_equal(explorer_new(t, p, &e, &d), 0);
    for (unsigned workers = 1; workers <= 2; workers++)
        assert_int_equal(search(&(struct search){.explorer = e, .first = 1, .last = 130, .workers = workers},
                                &r[workers - 1]), 0);
    assert_false(r[0].failed || r[1].failed);
    assert_int_equal(r[0].runs, 130);
    assert_int_equal(r[0].packet_hops, r[1].packet_hops);
    assert_int_equal(r[0].calls_up, r[1].calls_up);
    explorer_free(e);
    plan_free(p);
    topology_free(t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_plan_is_the_file),   cmocka_unit_test(mistakes_of_a_plan_are_placed),
        cmocka_unit_test(a_seed_is_a_scenario),           cmocka_unit_test(a_scenario_is_a_file),
        cmocka_unit_test(bytes_arrive_as_they_were_sent), cmocka_unit_test(a_relay_passes_on_what_came_in),
        cmocka_unit_test(syns_back_off),                  cmocka_unit_test(workers_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
