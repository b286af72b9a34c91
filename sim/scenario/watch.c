/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/watch.h"

#include <stdlib.h>

#include "conformance/judge.h"
#include "conformance/monitor.h"
#include "models/trace/link.h"
#include "models/trace/trace.h"

struct run_watch {
    struct monitors *monitors;
    struct trace *trace;
};

static void drop(struct run_watch *w)
{
    trace_free(w->trace);
    monitors_free(w->monitors);
    free(w);
}

/* A run's own capture counts its frames otherwise: what is said of them here is told by time. */
static void see(void *monitors, const struct seen *s)
{
    struct seen timed = *s;
    timed.frame = 0;
    monitors_see(monitors, &timed);
}

struct run_watch *run_watch_new(uint32_t flows)
{
    struct run_watch *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->monitors = monitors_new();
    struct trace_limits limits = trace_default_limits;
    if (flows)
        limits.flows = flows;
    w->trace = w->monitors ? trace_new(&limits, see, w->monitors) : NULL;
    if (w->trace)
        return w;
    drop(w);
    return NULL;
}

void run_watch_frame(struct run_watch *w, uint64_t now_ns, const uint8_t *frame, size_t len)
{
    const struct captured c = {.t_ns = now_ns, .link = LINK_ETHERNET, .bytes = frame, .caplen = len, .len = len};
    trace_frame(w->trace, &c);
}

void run_watch_end(struct run_watch *w, uint64_t now_ns, struct record *record)
{
    struct verdict *verdict;
    size_t count;
    if (!w)
        return;
    trace_end(w->trace);
    if (monitors_end(w->monitors, now_ns, &verdict, &count) == 0) {
        for (size_t i = 0; i < count; i++)
            if (verdict[i].outcome != OUTCOME_SKIP) {
                const struct run_conformance c = {
                    .id = verdict[i].row->id, .level = level_name(verdict[i].row->level),
                    .text = verdict[i].row->text, .saw = verdict[i].saw,
                    .holds = verdict[i].outcome == OUTCOME_PASS,
                    .decides = verdict[i].outcome == OUTCOME_FAIL && level_decides(verdict[i].row->level, false)};
                record_conformance(record, &c);
            }
        verdicts_free(verdict, count);
    }
    drop(w);
}
