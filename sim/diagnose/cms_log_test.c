/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/diagnose/cms_log.h"

#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/testkit/testkit.h"

static const char text[] =
    "Nov 20 10:15:30 cms host:server: INFO : diagnostics are on: yes\r\n"
    "ms-diagnostics: 24;reason=\"Call failed\";source=\"a;b\"\r\n"
    "\n"
    "x MS-Diagnostics-Public: 21002;reason=\"Attendees cannot share in this conference\";component=\"ASMCU\" y\n"
    "ms-diagnostics: abc\n"
    "ms-client-diagnostics: 22; reason=\"no quote";

static void entries(const struct cms_log *log)
{
    static const struct cms_log_entry expected[] = {
        {2, 24, "Call failed", ""},
        {4, 21002, "Attendees cannot share in this conference", "ASMCU"},
        {6, 22, "no quote", ""},
    };
    assert_int_equal(log->entries, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(log->entry[i].line, expected[i].line);
        assert_int_equal(log->entry[i].id, expected[i].id);
        assert_string_equal(log->entry[i].reason, expected[i].reason);
        assert_string_equal(log->entry[i].component, expected[i].component);
    }
}

static void diagnostics_are_found_however_it_is_cut(void **state)
{
    (void)state;
    struct cms_log *log = calloc(1, sizeof *log);
    assert_non_null(log);
    for (size_t piece = 1; piece < sizeof text; piece++) {
        memset(log, 0, sizeof *log);
        for (size_t at = 0; at < strlen(text); at += piece)
            assert_int_equal(cms_log_feed(log, text + at, strlen(text) - at < piece ? strlen(text) - at : piece), 0);
        cms_log_end(log);
        entries(log);
    }
    free(log);
}

static void what_is_long_or_much_is_bounded(void **state)
{
    (void)state;
    struct cms_log *log = calloc(1, sizeof *log);
    assert_non_null(log);
    static const char entry[] = "ms-diagnostics: 1\n";
    for (size_t i = 0; i < 3 * CMS_LOG_LINE; i++)
        assert_int_equal(cms_log_feed(log, "x", 1), 0);
    assert_int_equal(cms_log_feed(log, entry, strlen(entry)), 0); /* behind what is looked at */
    assert_int_equal(log->entries, 0);
    for (size_t i = 0; i < CMS_LOG_ENTRIES + 2; i++)
        assert_int_equal(cms_log_feed(log, entry, strlen(entry)), 0);
    assert_int_equal(log->entries, CMS_LOG_ENTRIES);
    assert_int_equal(log->left_out, 2);
    assert_int_equal(cms_log_feed(log, "a\n\0", 3), E_MALFORMED);
    assert_int_equal(log->lines, CMS_LOG_ENTRIES + 5);
    free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(diagnostics_are_found_however_it_is_cut),
        cmocka_unit_test(what_is_long_or_much_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
