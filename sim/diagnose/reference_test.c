/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reference capture of the lab, told from its file: what is there, and what a capture with holes cannot say. */
#include "sim/diagnose/diagnose.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "models/base/time.h"
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

static void tshark_reads_the_same(void **state)
{
    (void)state;
    struct file_kit file = {0};
    char command[256];
    if (system("tshark -v 2>/dev/null | tr '\\n' ' ' | grep -qi 'with lua' && test -x build/turnproof") != 0) {
        print_message("# no tshark with Lua, or no program\n");
        skip();
    }
    reference_file(&file);
    const char *path = file_kit_write(&file);
    snprintf(command, sizeof command, "sim/cmd/diagnose_fields.sh %s | grep -qx '#: 11 messages of 1 .*'", path);
    assert_int_equal(system(command), 0);
    unlink(path);
    file_kit_free(&file);
}

/* Wherever the file ends: an error that says so, or what came before, and that the rest is missing. */
static void cut_everywhere(struct file_kit *file)
{
    size_t whole = file->len;
    for (file->len = 0; file->len < whole; file->len++) {
        const char *path = file_kit_write(file);
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
    file->len = whole;
}

/* The first 2,000 bytes and more: every frame that says something stands in them. */
static void a_file_may_end_anywhere(void **state)
{
    (void)state;
    struct reference_frame frames[REFERENCE_FRAMES];
    struct file_kit ng = {0}, pcap = {0};
    reference_frames(frames);
    file_kit_section(&ng);
    file_kit_interface(&ng, &(struct file_kit_interface){.link = 1, .resolution = 9});
    file_kit_pcap(&pcap, PCAP_MICRO, 1);
    for (size_t i = 0; i < REFERENCE_FRAMES; i++) {
        const struct reference_frame *f = &frames[i];
        file_kit_packet(&ng, 0, f->t_ns, f->bytes, f->len, f->len);
        file_kit_pcap_packet(&pcap, (uint32_t)(f->t_ns / NS_S), (uint32_t)(f->t_ns % NS_S / NS_US), f->bytes, f->len,
                             f->len);
    }
    assert_true(ng.len >= 2000 && pcap.len >= 2000);
    cut_everywhere(&ng);
    cut_everywhere(&pcap);
    file_kit_free(&ng);
    file_kit_free(&pcap);
}

/* Any byte of it wrong, lengths among them: it ends, in an error that names the file or in a diagnosis. */
static void any_byte_may_be_wrong(void **state)
{
    (void)state;
    static const uint8_t values[] = {0x00, 0x01, 0x7f, 0xff};
    struct reference_frame frames[REFERENCE_FRAMES];
    struct file_kit file = {0};
    reference_frames(frames);
    file_kit_section(&file);
    file_kit_interface(&file, &(struct file_kit_interface){.link = 1, .resolution = 9});
    for (size_t i = 0; i < REFERENCE_FRAMES; i++)
        file_kit_packet(&file, 0, frames[i].t_ns, frames[i].bytes, frames[i].len, frames[i].len);
    for (size_t at = 0; at < file.len; at++) {
        uint8_t was = file.b[at];
        file.b[at] = values[(at / 4 + at) % sizeof values];
        const char *path = file_kit_write(&file);
        struct diagnose_report *r;
        struct diag d = {{0}};
        if (diagnose(&(struct diagnose_config){.capture = path}, &r, &d))
            assert_ptr_equal(strstr(d.text, path), d.text);
        else
            diagnose_free(r);
        unlink(path);
        file.b[at] = was;
    }
    file_kit_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_is_told),
        cmocka_unit_test(tshark_reads_the_same),
        cmocka_unit_test(a_file_may_end_anywhere),
        cmocka_unit_test(any_byte_may_be_wrong),
    };
    /* A trace's tables are large and hardly used: pages fresh from the kernel need no clearing, thousands of times. */
    mallopt(M_MMAP_THRESHOLD, 1 << 18);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
