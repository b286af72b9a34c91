/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conformance/output.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "models/testkit/testkit.h"

enum { OUT_MAX = 65536 };

/* One of each outcome. The rows of the catalogue lend their ids where documents are told. */
static const struct requirement rows[] = {
    {.id = "1-1", .section = "1", .level = LEVEL_MUST, .who = WHO_SERVER, .text = "It holds."},
    {.id = "1-2", .section = "1", .level = LEVEL_MUST_NOT, .who = WHO_SERVER | WHO_CLIENT,
     .text = "It does not do <this> & \"that\" #1, which is a sentence of more than the eighty columns of a line."},
    {.id = "1-3", .section = "1", .level = LEVEL_SHOULD, .who = WHO_SERVER, .text = "It could."},
    {.id = "1-4", .section = "2", .level = LEVEL_OPEN, .who = WHO_NAT, .text = "It does something."},
    {.id = "1-5", .section = "2", .level = LEVEL_MUST, .who = WHO_SERVER, .text = "Nobody knows."},
    {.id = "1-6", .section = "2", .level = LEVEL_MUST, .who = WHO_SERVER, .text = "Nobody knows either."},
};
static char did[] = "It did \"that\" & <this>.", could[] = "It did not.", does[] = "something", why[] = "it is dark";
static char exchange[] =
    "0.000000  client1:1 > server  Allocate request, with words enough to reach beyond the column\n"
    "    0003\n";
static const struct verdict verdicts[] = {
    {.row = &rows[0]},
    {.row = &rows[1], .outcome = OUTCOME_FAIL, .saw = did, .exchange = exchange, .took_ns = 1234567890},
    {.row = &rows[2], .outcome = OUTCOME_FAIL, .saw = could},
    {.row = &rows[3], .outcome = OUTCOME_DEFINED, .saw = does},
    {.row = &rows[4], .outcome = OUTCOME_SKIP, .saw = why},
    {.row = &rows[5], .outcome = OUTCOME_SKIP, .saw = why},
};
static const struct conform_report report = {.subject = "it", .verdict = verdicts, .count = 6};

static const char *written(conform_writer *write, const struct conform_report *r)
{
    static char out[OUT_MAX];
    char path[] = "/tmp/turnproof-output-XXXXXX";
    int fd = mkstemp(path);
    struct sink s;
    assert_true(fd >= 0);
    assert_true(sink_open(&s, path, false));
    write(&s, r, false);
    assert_int_equal(sink_close(&s, NULL), 0);
    ssize_t n = read(fd, out, sizeof out - 1);
    assert_true(n > 0);
    out[n] = '\0';
    close(fd);
    unlink(path);
    return out;
}

static void holds(void **state)
{
    (void)state;
    assert_false(conform_holds(&report));
    struct conform_report r = report;
    r.verdict = &verdicts[2];
    r.count = 4;
    assert_true(conform_holds(&r));
    r.strict = true;
    assert_false(conform_holds(&r));
}

static void text(void **state)
{
    (void)state;
    const char *expected =
        "FAIL  1 of 2 MUST rows do not hold: it (1 pass, 1 SHOULD not met, 1\n"
        "      implementation-defined, 2 not judged)\n"
        "\n"
        "1-2  MUST NOT\n"
        "  required    It does not do <this> & \"that\" #1, which is a sentence of more\n"
        "              than the eighty columns of a line.\n"
        "  seen        It did \"that\" & <this>.\n"
        "  exchange    times in seconds; > was sent by the probe, < came to it\n"
        "    0.000000  client1:1 > server  Allocate request, with words enough to reach\n"
        "              beyond the column\n"
        "        0003\n"
        "\n"
        "1-3  SHOULD\n"
        "  required    It could.\n"
        "  seen        It did not.\n"
        "\n"
        "Implementation-defined:\n"
        "  1-4          something\n"
        "\n"
        "Not judged:\n"
        "  it is dark: 1-5 1-6\n";
    assert_string_equal(written(conform_write_text, &report), expected);
}

static void tap(void **state)
{
    (void)state;
    const char *expected =
        "TAP version 14\n"
        "1..6\n"
        "ok 1 - 1-1 It holds.\n"
        "not ok 2 - 1-2 It does not do <this> & \"that\" \\#1, which is a sentence of more than the eighty columns "
        "of a line.\n"
        "  ---\n"
        "  level: \"MUST NOT\"\n"
        "  outcome: \"fail\"\n"
        "  seen: \"It did \\\"that\\\" & <this>.\"\n"
        "  exchange: |\n"
        "    0.000000  client1:1 > server  Allocate request, with words enough to reach beyond the column\n"
        "        0003\n"
        "  ...\n"
        "not ok 3 - 1-3 It could. # TODO SHOULD\n"
        "  ---\n"
        "  level: \"SHOULD\"\n"
        "  outcome: \"fail\"\n"
        "  seen: \"It did not.\"\n"
        "  ...\n"
        "ok 4 - 1-4 It does something.\n"
        "  ---\n"
        "  level: \"open\"\n"
        "  outcome: \"implementation-defined\"\n"
        "  seen: \"something\"\n"
        "  ...\n"
        "ok 5 - 1-5 Nobody knows. # SKIP it is dark\n"
        "ok 6 - 1-6 Nobody knows either. # SKIP it is dark\n";
    assert_string_equal(written(conform_write_tap, &report), expected);
}

/* JUnit tells documents, so its rows are of the catalogue. */
static void junit(void **state)
{
    (void)state;
    struct verdict v[] = {{.row = catalogue_row(0), .outcome = OUTCOME_FAIL, .saw = did, .exchange = exchange},
                          {.row = catalogue_row(1), .outcome = OUTCOME_SKIP, .saw = why},
                          {.row = catalogue_row(catalogue_count() - 1), .took_ns = 1234567890}};
    struct conform_report r = {.subject = "a & b", .verdict = v, .count = 3, .strict = true};
    bool fails = level_decides(v[0].row->level, true);
    const char *xml = written(conform_write_junit, &r);
    char suites[128];
    snprintf(suites, sizeof suites, "<testsuites name=\"a &amp; b\" tests=\"3\" failures=\"%d\">", fails);
    assert_non_null(strstr(xml, suites));
    assert_non_null(strstr(xml, "message=\"It did &quot;that&quot; &amp; &lt;this&gt;.\""));
    assert_non_null(strstr(xml, "<skipped message=\"it is dark\"/>"));
    assert_non_null(strstr(xml, "time=\"1.234\"/>"));
}

static void json(void **state)
{
    (void)state;
    cJSON *j = cJSON_Parse(written(conform_write_json, &report));
    assert_non_null(j);
    assert_string_equal(cJSON_GetObjectItem(j, "schema")->valuestring, "turnproof/conform/1");
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(j, "holds")));
    const cJSON *counts = cJSON_GetObjectItem(j, "counts"), *all = cJSON_GetObjectItem(j, "rows");
    assert_int_equal(cJSON_GetObjectItem(counts, "fail")->valueint, 2);
    assert_int_equal(cJSON_GetObjectItem(counts, "skipped")->valueint, 2);
    assert_int_equal(cJSON_GetArraySize(all), 6);
    const cJSON *row = cJSON_GetArrayItem(all, 1);
    assert_string_equal(cJSON_GetObjectItem(row, "id")->valuestring, "1-2");
    assert_string_equal(cJSON_GetObjectItem(row, "exchange")->valuestring, exchange);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(row, "who")), 2);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(row, "decides")));
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(cJSON_GetArrayItem(all, 2), "decides")));
    cJSON_Delete(j);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        {"holds", holds, NULL, NULL, NULL}, {"text", text, NULL, NULL, NULL}, {"TAP", tap, NULL, NULL, NULL},
        {"JUnit", junit, NULL, NULL, NULL}, {"JSON", json, NULL, NULL, NULL},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
