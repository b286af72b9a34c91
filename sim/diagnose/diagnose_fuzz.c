/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a capture, through the whole chain: frames, conversations, messages, story, judges, and all three forms
 * of output. The reader's errors aside it ends in a diagnosis, which can be written. The monitors have a target of
 * their own. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sim/capture/capture.h"
#include "sim/diagnose/output.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void tell(struct diagnose_report *r)
{
    struct sink s;
    char digest[65];
    diagnose_story(&r->story, NULL, &r->diagnosis);
    assert((r->diagnosis.verdict == DIAGNOSIS_CAUSE) == (r->diagnosis.findings > 0));
    assert(r->diagnosis.verdict != DIAGNOSIS_NOT_ENOUGH || r->diagnosis.doubts > 0);
    assert(sink_open(&s, NULL, true));
    diagnose_write_text(&s, r, false);
    diagnose_write_json(&s, r);
    diagnose_write_html(&s, r);
    assert(sink_close(&s, digest) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct trace_limits few = {.flows = 64, .held_a_direction = 16384, .held_in_all = 65536};
    static int fd;
    struct diag d = {""};
    char path[32];
    if (!fd)
        fd = memfd_create("capture", 0);
    assert(fd > 0 && ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
    assert(lseek(fd, 0, SEEK_SET) == 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct capture *c = capture_open(path, &d);
    if (!c)
        return 0;
    struct diagnose_report *r = calloc(1, sizeof *r);
    struct dialogue *dialogue = r ? dialogue_new(few.flows, story_hear, &r->story) : NULL;
    struct trace *t = dialogue ? trace_new(&few, dialogue_see, dialogue) : NULL;
    assert(t);
    r->capture = path;
    capture_trace(c, t, &r->cut);
    r->stats = trace_stats(t);
    story_end(&r->story, r->stats.frames, 0);
    tell(r);
    trace_free(t);
    dialogue_free(dialogue);
    diagnose_free(r);
    capture_close(c);
    return 0;
}
