/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of cells, what each sets, and the tables that are made of their runs. */
#include "sim/sweep/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/testkit/testkit.h"
#include "sim/sweep/tables.h"

static struct sweep_plan *plan(const char *vary, const char *seeds)
{
    char text[2048];
    struct sweep_plan *p;
    struct diag d = {""};
    snprintf(text, sizeof text,
             "{\"schema\": \"turnproof/sweep/1\", \"name\": \"n\", \"topology\": \"t.json\", \"set\": {\"x\": 1},"
             " \"vary\": [%s], \"seeds\": {\"first\": 3, \"count\": %s}}", vary, seeds);
    if (sweep_plan_parse("dir/p.json", text, strlen(text), &p, &d) != 0)
        fail_msg("%s", d.text);
    return p;
}

static void the_last_axis_counts_fastest(void **state)
{
    (void)state;
    struct sweep_plan *p =
        plan("{\"name\": \"a\", \"set\": \"p.q\", \"values\": [1, {\"r\": [2]}]},"
             "{\"name\": \"e\", \"engines\": [\"native\", \"ns3\"]},"
             "{\"name\": \"c\", \"cases\": [{\"label\": \"u\", \"set\": {\"m\": \"w\", \"n\": null}},"
             "{\"label\": \"v\"}, {\"label\": \"w\"}]}", "4");
    struct sweep_cell c;
    assert_int_equal(p->cells, 12);
    assert_int_equal(p->pieces, 48);
    assert_string_equal(p->topology_file, "dir/t.json");
    assert_string_equal(p->set.items[0], "x=1");
    sweep_plan_cell(p, 0, &c);
    assert_string_equal(c.on[0]->set.items[0], "p.q=1");
    assert_string_equal(c.on[2]->set.items[0], "m=\"w\"");
    assert_string_equal(c.on[2]->set.items[1], "n=null");
    assert_string_equal(c.engine, "native");
    sweep_plan_cell(p, 1, &c);
    assert_string_equal(c.on[2]->label, "v");
    sweep_plan_cell(p, 3, &c);
    assert_string_equal(c.on[2]->label, "u");
    assert_string_equal(c.engine, "ns3");
    sweep_plan_cell(p, 11, &c);
    assert_string_equal(c.on[0]->set.items[0], "p.q={\"r\":[2]}");
    assert_string_equal(c.on[2]->label, "w");
    sweep_plan_free(p);
}

static void no_axis_is_one_cell(void **state)
{
    (void)state;
    struct sweep_plan *p = plan("", "1");
    assert_int_equal(p->cells, 1);
    assert_int_equal(p->pieces, 1);
    sweep_plan_free(p);
}

static char *contents(const char *path)
{
    static char text[4096];
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    remove(path);
    return text;
}

/* Metrics that some runs lack, labels with commas and quotes, a single run: no interval. Of 2, 4, 9: mean 5, standard
 * deviation 3.6056, t with 2 degrees of freedom 4.303, half-width 8.957. */
static void tables_add_up(void **state)
{
    (void)state;
    struct sweep_plan *p = plan("{\"name\": \"a,b\", \"set\": \"p\", \"values\": [\"x\\\"y\", 7]}", "3");
    static const char *const lines[] = {"\tok=1\tms=2", "\tok=1\tms=4", "\tok=0\tms=9",
                                        "\tok=1", "\tok=1\tlate=18446744073709551615", "\tok=1"};
    struct diag d;
    char path[64];
    char directory[] = "/tmp/tablesXXXXXX";
    assert_non_null(mkdtemp(directory));
    assert_int_equal(tables_write(p, lines, directory, &d), 0);
    snprintf(path, sizeof path, "%s/runs.csv", directory);
    assert_string_equal(contents(path), "\"a,b\",seed,ok,ms,late\n"
                                        "\"x\"\"y\",3,1,2,\n\"x\"\"y\",4,1,4,\n\"x\"\"y\",5,0,9,\n"
                                        "7,3,1,,\n7,4,1,,18446744073709551615\n7,5,1,,\n");
    snprintf(path, sizeof path, "%s/cells.csv", directory);
    assert_string_equal(contents(path), "\"a,b\",metric,n,min,mean,max,ci95\n\"x\"\"y\",ok,3,0,0.7,1,1.4\n"
                                        "\"x\"\"y\",ms,3,2,5.0,9,9.0\n7,ok,3,1,1.0,1,0.0\n"
                                        "7,late,1,18446744073709551615,18446744073709551616.0,"
                                        "18446744073709551615,0.0\n");
    snprintf(path, sizeof path, "%s/sweep.json", directory);
    assert_non_null(strstr(contents(path), "{\"axes\":{\"a,b\":\"7\"},\"metrics\":{\"ok\":{\"n\":3,\"min\":1,"));
    remove(directory);
    assert_int_not_equal(tables_write(p, lines, "/nowhere/at/all", &d), 0);
    sweep_plan_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_axis_counts_fastest),
        cmocka_unit_test(no_axis_is_one_cell),
        cmocka_unit_test(tables_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
