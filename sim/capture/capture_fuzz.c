/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a capture file, read to its end and through the trace: it ends, with 0 or an error that says where. */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "models/base/err.h"
#include "sim/capture/capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *ctx, const struct seen *s)
{
    (void)ctx;
    (void)s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd;
    struct diag d = {""};
    if (!fd)
        fd = memfd_create("capture", 0);
    assert(fd > 0 && ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
    assert(lseek(fd, 0, SEEK_SET) == 0);
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct capture *c = capture_open(path, &d);
    if (!c) {
        assert(strstr(d.text, ": byte "));
        return 0;
    }
    const struct trace_limits few = {.flows = 16, .held_a_direction = 16384, .held_in_all = 65536};
    struct trace *t = trace_new(&few, ignore, NULL);
    assert(t);
    int e = capture_trace(c, t, &d);
    assert(e == 0 || ((e == E_TRUNCATED || e == E_MALFORMED || e == E_UNSUPPORTED) && strstr(d.text, ": byte ")));
    assert(capture_position(c) <= size && (e || capture_position(c) == size));
    trace_free(t);
    capture_close(c);
    return 0;
}
