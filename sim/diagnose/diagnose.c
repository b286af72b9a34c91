/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/diagnose/diagnose.h"

#include <stdio.h>
#include <stdlib.h>

#include "conformance/judge.h"
#include "conformance/monitor.h"
#include "models/base/err.h"
#include "sim/capture/capture.h"

enum { FLOWS = 1 << 17, FRAMES_A_PROGRESS = 1 << 14 };

struct reading {
    struct diagnose_report *report;
    struct monitors *monitors;
    struct dialogue *dialogue;
    struct trace *trace;
    uint64_t first_ns, last_ns;
};

static void see(void *ctx, const struct seen *s)
{
    struct reading *r = ctx;
    dialogue_see(r->dialogue, s);
    monitors_see(r->monitors, s);
}

/* Times count from the capture's first frame, as people read them. */
static void read_frames(struct reading *r, struct capture *c, const struct diagnose_config *cfg)
{
    struct captured frame;
    for (uint64_t n = 0; capture_next(c, &frame, &r->report->cut) == 1; n++) {
        if (n == 0)
            r->first_ns = frame.t_ns;
        frame.t_ns = frame.t_ns > r->first_ns ? frame.t_ns - r->first_ns : 0;
        r->last_ns = frame.t_ns > r->last_ns ? frame.t_ns : r->last_ns;
        trace_frame(r->trace, &frame);
        if (cfg->progress && n % FRAMES_A_PROGRESS == 0)
            cfg->progress(cfg->ctx, capture_position(c), capture_size(c));
    }
    if (cfg->progress)
        cfg->progress(cfg->ctx, capture_position(c), capture_size(c));
    trace_end(r->trace);
}

static int read_capture(struct reading *r, const struct diagnose_config *cfg, struct diag *d)
{
    struct capture *c = capture_open(cfg->capture, d);
    if (!c)
        return E_MALFORMED;
    r->monitors = monitors_new();
    r->dialogue = dialogue_new(FLOWS, story_hear, &r->report->story);
    r->trace = r->monitors && r->dialogue ? trace_new(&trace_default_limits, see, r) : NULL;
    int err = E_NOMEM;
    if (r->trace) {
        read_frames(r, c, cfg);
        r->report->stats = trace_stats(r->trace);
        story_end(&r->report->story, r->report->stats.frames, r->last_ns);
        err = monitors_end(r->monitors, r->last_ns, &r->report->verdict, &r->report->verdicts);
    }
    if (err)
        snprintf(d->text, sizeof d->text, "%s: %s", cfg->capture, err_text(err));
    trace_free(r->trace);
    dialogue_free(r->dialogue);
    monitors_free(r->monitors);
    capture_close(c);
    return err;
}

int diagnose(const struct diagnose_config *cfg, struct diagnose_report **out, struct diag *d)
{
    struct diagnose_report *report = calloc(1, sizeof *report);
    struct reading r = {.report = report};
    if (!report) {
        topology_free(cfg->topology);
        snprintf(d->text, sizeof d->text, "%s: %s", cfg->capture, err_text(E_NOMEM));
        return E_NOMEM;
    }
    report->place = cfg->topology ? place_new(cfg->topology) : NULL;
    report->capture = cfg->capture;
    report->log = cfg->log;
    int err = cfg->log ? cms_log_read(cfg->log, &report->cms_log, d) : 0;
    if (!err)
        err = read_capture(&r, cfg, d);
    if (err) {
        diagnose_free(report);
        return err;
    }
    diagnose_story(&report->story, cfg->log ? &report->cms_log : NULL, &report->diagnosis);
    if (report->place)
        place_diagnosis(report->place, &report->diagnosis);
    *out = report;
    return 0;
}

void diagnose_free(struct diagnose_report *r)
{
    if (!r)
        return;
    place_free(r->place);
    story_free(&r->story);
    verdicts_free(r->verdict, r->verdicts);
    free(r);
}
