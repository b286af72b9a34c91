/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conformance/watch_capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/monitor.h"
#include "models/base/err.h"
#include "sim/capture/capture.h"

struct watcher {
    struct monitors *monitors;
    struct trace *trace;
    uint64_t first_ns, last_ns;
    bool began;
};

/* Times count from the capture's first frame, as people read them. */
static int watch(struct watcher *w, struct capture *c, struct diag *d)
{
    struct captured frame;
    int more;
    while ((more = capture_next(c, &frame, d)) == 1) {
        if (!w->began)
            w->first_ns = frame.t_ns;
        w->began = true;
        frame.t_ns = frame.t_ns > w->first_ns ? frame.t_ns - w->first_ns : 0;
        w->last_ns = frame.t_ns > w->last_ns ? frame.t_ns : w->last_ns;
        trace_frame(w->trace, &frame);
    }
    trace_end(w->trace);
    return more;
}

static struct verdict skipped(const struct requirement *row)
{
    return (struct verdict){.row = row, .outcome = OUTCOME_SKIP,
                            .saw = strdup("it would have to be asked, and a capture can only be watched")};
}

/* A verdict for each row that is chosen: the monitors', or that there is none. */
static int gather(const struct judge_config *cfg, struct watcher *w, struct verdict **out, size_t *count)
{
    struct verdict *seen;
    size_t seen_count, at = 0;
    int err = monitors_end(w->monitors, w->last_ns, &seen, &seen_count);
    if (err)
        return err;
    *out = calloc(catalogue_count() + 1, sizeof **out);
    *count = 0;
    const struct requirement *row;
    for (size_t i = 0; *out && (row = catalogue_row(i)); i++) {
        bool watched = at < seen_count && seen[at].row == row;
        struct verdict *v = watched ? &seen[at++] : NULL;
        if (!judge_chooses(cfg, row))
            continue;
        (*out)[(*count)++] = v ? *v : skipped(row);
        if (v)
            *v = (struct verdict){0}; /* given away */
    }
    verdicts_free(seen, seen_count);
    return *out ? 0 : E_NOMEM;
}

int judge_capture(const struct judge_config *cfg, const char *path, struct verdict **out, size_t *count,
                  struct diag *cut, struct diag *d)
{
    cut->text[0] = '\0';
    struct capture *c = capture_open(path, d);
    if (!c)
        return E_MALFORMED;
    struct watcher w = {.monitors = monitors_new()};
    w.trace = w.monitors ? trace_new(&trace_default_limits, monitors_see, w.monitors) : NULL;
    int err = E_NOMEM;
    if (w.trace) {
        watch(&w, c, cut);
        err = gather(cfg, &w, out, count);
    }
    if (err)
        snprintf(d->text, sizeof d->text, "%s: %s", path, err_text(err));
    trace_free(w.trace);
    monitors_free(w.monitors);
    capture_close(c);
    return err;
}
