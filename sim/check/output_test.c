/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The writers, with reports made by hand: what a person reads to the letter; what programs read, in its main parts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "models/testkit/testkit.h"
#include "sim/check/output.h"
#include "sim/scenario/systems.h"

const struct system systems[] = {{.name = NULL}};

typedef void writer(struct sink *s, const struct check_report *r, bool colour);

static char *written(writer *write, const struct check_report *r, bool colour)
{
    char path[] = "/tmp/turnproof-output-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    struct sink s;
    assert_true(sink_open(&s, path, false));
    write(&s, r, colour);
    assert_int_equal(sink_close(&s, NULL), 0);
    char *text = calloc(1, 1 << 20);
    assert_true(read(fd, text, (1 << 20) - 1) > 0);
    close(fd);
    unlink(path);
    return text;
}

static void add_answer(struct check_report *r, const char *row, enum check_verdict verdict)
{
    struct arena *a = &r->arena;
    struct check_answer *x = CHECK_ADD(a, &r->answers);
    *x = (struct check_answer){.table = "web-proxy", .row = row, .purpose = "TURN media", .protocol = "tcp",
                               .from = "any", .to = "expressway-e", .need = "must", .verdict = verdict};
    struct check_hop *h = CHECK_ADD(a, &x->hops);
    *h = (struct check_hop){.node = "ext-fw", .direction = "outside -> dmz", .verdict = verdict};
    if (verdict != CHECK_BLOCKED)
        return;
    *CHECK_ADD(a, &h->permitted.box) = (struct check_box){"0.0.0.0-9.255.255.255", "198.51.100.20", "tcp",
                                                          "1024-65535", "24000-27999", true, true, true};
    *CHECK_ADD(a, &h->blocked.box) = (struct check_box){"0.0.0.0-9.255.255.255", "198.51.100.20", "tcp",
                                                        "1024-65535", "28000-29999", true, true, true};
    *CHECK_ADD(a, &h->by) = (struct check_line){"fw.cfg", 41, "access-list outside_in extended deny ip any4 any4",
                                                NULL};
}

static struct check_report *report(void)
{
    struct check_report *r = calloc(1, sizeof *r);
    r->topology = "t";
    r->expressway = "X8.9";
    r->size = "small";
    *CHECK_ADD(&r->arena, &r->tables) = "web-proxy";
    struct check_file *f = CHECK_ADD(&r->arena, &r->files);
    *f = (struct check_file){.node = "ext-fw", .file = "fw.cfg", .lines = {60, 40, 0, 100}};
    return r;
}

static void drop(struct check_report *r, char *text)
{
    arena_free(&r->arena);
    free(r);
    free(text);
}

#define FILES \
    "\n  rules       ext-fw: fw.cfg: 100 lines, 60 modelled, 40 of no effect, 0\n" \
    "              unsupported\n"

static void a_pass_is_short(void **state)
{
    (void)state;
    struct check_report *r = report();
    add_answer(r, "1.6", CHECK_PASS);
    char *text = written(check_write_text, r, false);
    assert_string_equal(text, "PASS  t: 1 of 1 question pass (Expressway X8.9, small; table web-proxy)\n" FILES);
    assert_true(check_holds(r));
    drop(r, text);
}

static void what_is_alike_is_told_once(void **state)
{
    (void)state;
    struct check_report *r = report();
    add_answer(r, "2.14", CHECK_BLOCKED);
    add_answer(r, "3.12", CHECK_BLOCKED);
    add_answer(r, "1.6", CHECK_PASS);
    struct check_repair *p = CHECK_ADD(&r->arena, &r->repairs);
    *p = (struct check_repair){.node = "ext-fw", .proved = true};
    *CHECK_ADD(&r->arena, &p->changes) = (struct check_change){
        .node = "ext-fw", .file = "fw.cfg", .line = 41,
        .text = "access-list outside_in extended permit tcp any4 host 10.0.10.2 range 28000 29999"};
    char *text = written(check_write_text, r, false);
    assert_string_equal(text,
                        "FAIL  t: 1 of 3 questions pass, 2 blocked (Expressway X8.9, small; table\n"
                        "      web-proxy)\n"
                        "\n"
                        "BLOCKED   2.14 TURN media, tcp, any -> expressway-e\n"
                        "          3.12 TURN media, tcp, any -> expressway-e\n"
                        "  at          ext-fw, outside -> dmz\n"
                        "  blocked     tcp any -> 198.51.100.20 ports 28000-29999\n"
                        "  open        tcp any -> 198.51.100.20 ports 24000-27999\n"
                        "  by          fw.cfg:41: access-list outside_in extended deny ip any4 any4\n"
                        "\n"
                        "CHANGE    ext-fw: with this, read and checked again, every row passes here\n"
                        "  before fw.cfg:41\n"
                        "    access-list outside_in extended permit tcp any4 host 10.0.10.2 range 28000\n"
                        "      29999\n" FILES);
    assert_false(check_holds(r));
    drop(r, text);
}

static void unknown_is_no_pass(void **state)
{
    (void)state;
    struct check_report *r = report();
    add_answer(r, "1.6", CHECK_UNKNOWN);
    assert_false(check_holds(r));
    char *text = written(check_write_text, r, true);
    assert_non_null(strstr(text, "\033[1;31mFAIL\033[0m"));
    assert_non_null(strstr(text, "\033[1;31mUNKNOWN\033[0m   1.6 TURN media"));
    drop(r, text);
}

static void findings_have_a_limit(void **state)
{
    (void)state;
    struct check_report *r = report();
    for (size_t i = 0; i < 6; i++)
        *CHECK_ADD(&r->arena, &r->findings) =
            (struct check_finding){.id = "never-reached", .level = LEVEL_WARNING, .node = "ext-fw", .file = "fw.cfg",
                                   .line = 7, .text = "permit x", .what = "no packet reaches this", .change = "delete"};
    char *text = written(check_write_text, r, false);
    assert_non_null(strstr(text, "WARNING   ext-fw: no packet reaches this\n"
                                 "  line        fw.cfg:7: permit x\n"
                                 "  change      delete\n"));
    assert_non_null(strstr(text, "... and 2 more of these (--format json has all)"));
    assert_true(check_holds(r));
    drop(r, text);
}

/* Characters that mean something to XML, JSON and neither. */
static void programs_get_their_quotes(void **state)
{
    (void)state;
    struct check_report *r = report();
    add_answer(r, "2.14", CHECK_BLOCKED);
    r->answers.items[0].purpose = "a <b> & \"c\"\n";
    char *text = written(check_write_junit, r, false);
    assert_non_null(strstr(text, "tests=\"1\" failures=\"1\""));
    assert_non_null(strstr(text, "a &lt;b&gt; &amp; &quot;c&quot;&#10;"));
    free(text);
    text = written(check_write_json, r, false);
    assert_non_null(strstr(text, "\"purpose\": \"a <b> & \\\"c\\\"\\u000a\""));
    assert_non_null(strstr(text, "\"modelled\": 60, \"no_effect\": 40, \"unsupported\": 0, \"total\": 100"));
    free(text);
    text = written(check_write_sarif, r, false);
    assert_non_null(strstr(text, "\"ruleId\": \"row-blocked\""));
    assert_non_null(strstr(text, "\"region\": {\"startLine\": 41"));
    drop(r, text);
}

/* Rule files may be in any encoding, and end in the middle of a character. */
static void bytes_that_are_no_text_do_no_harm(void **state)
{
    (void)state;
    struct check_report *r = report();
    add_answer(r, "2.14", CHECK_BLOCKED);
    r->answers.items[0].purpose = "gr\xc3\xbc\xc3\x9f \xfc \xe2\x82 \xed\xa0\x80 \xc0\xaf \xf0\x9f\x98\x80 \xe2\x82";
#define NONE "\xef\xbf\xbd"
    const char *mended = "gr\xc3\xbc\xc3\x9f " NONE " " NONE NONE " " NONE NONE NONE " " NONE NONE
                         " \xf0\x9f\x98\x80 " NONE NONE "\"";
    char *text = written(check_write_json, r, false);
    assert_non_null(strstr(text, mended));
    free(text);
    text = written(check_write_junit, r, false);
    assert_null(strchr(text, '\xfc'));
    drop(r, text);
}

static void notes_have_their_line(void **state)
{
    (void)state;
    struct check_report *r = report();
    add_answer(r, "1.6", CHECK_PASS);
    struct check_line note = {"fw.cfg", 7, "permit udp any any eq dns", "the port dns is 195"};
    *CHECK_ADD(&r->arena, &r->files.items[0].notes) = note;
    char *text = written(check_write_text, r, false);
    assert_non_null(strstr(text, "  note        fw.cfg:7: permit udp any any eq dns (the port dns is 195)\n"));
    free(text);
    text = written(check_write_json, r, false);
    assert_non_null(strstr(text, "\"notes\": [{\"file\": \"fw.cfg\", \"line\": 7, "
                                 "\"text\": \"permit udp any any eq dns\", "
                                 "\"says\": \"the port dns is 195\"}]"));
    drop(r, text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pass_is_short),       cmocka_unit_test(what_is_alike_is_told_once),
        cmocka_unit_test(unknown_is_no_pass),    cmocka_unit_test(findings_have_a_limit),
        cmocka_unit_test(programs_get_their_quotes), cmocka_unit_test(bytes_that_are_no_text_do_no_harm),
        cmocka_unit_test(notes_have_their_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
