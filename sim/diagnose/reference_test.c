/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reference capture of the lab, told from its file: what is there, and what a capture with holes cannot say. */
#include "sim/diagnose/diagnose.h"

#include <string.h>
#include <unistd.h>

#include "models/testkit/testkit.h"
#include "sim/capture/reference_kit.h"

static void the_reference_is_told(void **state)
{
    (void)state;
    struct file_kit file = {0};
    reference_file(&file);
    const char *path = file_kit_write(&file);
    struct reference_ends ends = reference_ends();
    struct diagnose_report *r;
    struct diag d;
    assert_int_equal(diagnose(&(struct diagnose_config){.capture = path}, &r, &d), 0);
    assert_string_equal(r->cut.text, "");
    assert_int_equal(r->diagnosis.verdict, DIAGNOSIS_NOT_ENOUGH);
    assert_int_equal(r->diagnosis.findings, 0);
    assert_non_null(strstr(r->diagnosis.doubt[0], "of the bound connection of 192.168.1.252:53577 bytes"));

    const struct leg *control = r->story.first_leg;
    assert_true(endpoint_equal(leg_client(control), &ends.control));
    assert_true(endpoint_equal(leg_server(control), &ends.server));
    assert_string_equal(control->talk->user, reference_user);
    assert_string_equal(control->talk->software, reference_software);
    assert_true(endpoint_equal(&control->talk->allocation.relayed, &ends.relayed));
    assert_int_equal(control->talk->allocation.granted.frame, 2427);
    assert_int_equal(control->talk->allocation.last_refresh.frame, 2447);
    assert_int_equal(control->talk->allocation.lifetime_s, 600);
    assert_int_equal(control->talk->keep_alive.frame, 3209);

    assert_int_equal(r->story.attempts, 1);
    const struct attempt *a = r->story.attempt[0];
    assert_true(endpoint_equal(&a->peer, &ends.peer));
    assert_int_equal(a->told.frame, 2526);
    assert_int_equal(a->bind->asked.frame, 2540);
    assert_int_equal(a->bind->answered.frame, 2552);
    assert_ptr_equal(a->leg->attempt, a);
    assert_int_equal(a->leg->checks->request[0].frame, 2597); /* the very bytes of the lab */
    assert_int_equal(a->leg->checks->request[1].frame, 0);
    diagnose_free(r);
    unlink(path);
    file_kit_free(&file);
}

/* Wherever the file ends: an error that says so, or what came before, and that the rest is missing. */
static void a_file_may_end_anywhere(void **state)
{
    (void)state;
    enum { FIRST = 2000 };
    struct file_kit file = {0};
    reference_file(&file);
    size_t len = file.len < FIRST ? file.len : FIRST, whole = file.len;
    for (file.len = 0; file.len < len; file.len++) {
        const char *path = file_kit_write(&file);
        struct diagnose_report *r;
        struct diag d = {{0}};
        if (diagnose(&(struct diagnose_config){.capture = path}, &r, &d)) {
            assert_ptr_equal(strstr(d.text, path), d.text);
        } else {
            assert_int_equal(r->diagnosis.verdict, DIAGNOSIS_NOT_ENOUGH);
            assert_true(r->diagnosis.doubts > 0);
            diagnose_free(r);
        }
        unlink(path);
    }
    file.len = whole;
    file_kit_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_is_told),
        cmocka_unit_test(a_file_may_end_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
