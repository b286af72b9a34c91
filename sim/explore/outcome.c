/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/explore/outcome.h"

#include "models/base/time.h"

/* What a call has to bear: so much loss in a million, and so much delay, on all links together; such an outage; and
 * what was over so long before it began. No more, and no bursts: the same segment lost four times in a row is half a
 * minute, and in a hundred thousand runs what is rare happens. */
enum { MILD_LOSS_PPM = 10000 };
#define MILD_DELAY_NS (240 * NS_MS)
#define MILD_OUTAGE_NS (3 * NS_S)
#define OVER_NS (20 * NS_S)

/* ---- recovers ---- */

static bool mild_network(const struct topology *t)
{
    uint64_t loss = 0, delay = 0;
    for (size_t i = 0; i < t->links.count; i++)
        for (int d = 0; d < 2; d++) {
            const struct topo_dir *dir = &t->links.items[i].dir[d];
            loss += dir->loss.kind == LOSS_GILBERT_ELLIOTT ? MILD_LOSS_PPM + 1 : dir->loss.loss_ppm;
            delay += dir->jitter_ns + dir->delay_ns + (dir->reorder_ppm ? dir->reorder_ns : 0);
        }
    return loss <= MILD_LOSS_PPM && delay <= MILD_DELAY_NS;
}

/* A firewall that forgets, and a host that says no word, leave connections that nobody ends: a call over these fails,
 * with a cause, whenever it comes. The others are over when they are over. */
static bool mild_fault(const struct topo_fault *f, const struct call_times *times, uint64_t *outage_ns)
{
    bool over = f->at_ns + f->for_ns + OVER_NS < times->setup_ns;
    switch ((enum fault_kind)f->kind) {
    case FAULT_FLUSH:
    case FAULT_REBIND:
    case FAULT_HALF_OPEN:
        return false;
    case FAULT_OUTAGE:
    case FAULT_SLOW_READER:
        *outage_ns += over ? 0 : f->for_ns;
        return over || *outage_ns <= MILD_OUTAGE_NS;
    default:
        return over;
    }
}

static bool mild(const struct topology *t, const struct call_times *times)
{
    uint64_t outage_ns = 0;
    bool all = mild_network(t);
    for (size_t i = 0; all && i < t->faults.count; i++)
        all = mild_fault(&t->faults.items[i], times, &outage_ns);
    return all;
}

/* ---- outcome ---- */

static bool whole(const struct record *r)
{
    struct run_share share;
    size_t ends = 0;
    while (record_share(r, ends, &share) && share.complete)
        ends++;
    return ends == 2 && !record_share(r, ends, &share);
}

bool outcome_judge(const struct record *r, const struct topology *t, const struct call_times *times,
                   struct violation *v)
{
    if (r->failures.count == 0 && r->complete && whole(r))
        return true;
    const char *text = r->failures.count ? r->failures.items[0].text : "";
    if (r->failures.count == 0 && r->complete)
        violation_set(v, r->end_ns, "outcome",
                      "the call ended well, and what was shared did not arrive as it was sent");
    else if (!text[0])
        violation_set(v, r->end_ns, "outcome", "the call neither came up nor did anybody say why not (phase %s)",
                      record_phase(r, (unsigned)r->phases.count));
    else if (mild(t, times))
        violation_set(v, r->failures.items[0].t_ns, "recovers", "%s: %s", r->failures.items[0].host, text);
    return false;
}

/* ---- the end ---- */

enum { CHUNK = 64 * 1024, CONNECTIONS_MAX = 500 };

void outcome_bounded(const char *host, const struct host_stats *is, uint64_t now_ns, struct violation *v)
{
    if (is->most_waiting > HOST_HIGH_WATER + 2 * CHUNK)
        violation_set(v, now_ns, "bounded", "%s: %zu bytes waited for one connection", host, is->most_waiting);
    if (is->connections > CONNECTIONS_MAX)
        violation_set(v, now_ns, "bounded", "%s: %zu connections", host, is->connections);
}

void outcome_bounded_box(const char *name, size_t connections, uint64_t now_ns, struct violation *v)
{
    if (connections > CONNECTIONS_MAX)
        violation_set(v, now_ns, "bounded", "%s knows of %zu connections", name, connections);
}

void outcome_gone(const char *host, const struct host_stats *is, const struct host_stats *idle, uint64_t now_ns,
                  struct violation *v)
{
    const struct {
        const char *what;
        size_t is, idle;
    } rows[] = {
        {"listeners", is->listeners, idle->listeners},
        {"UDP sockets", is->udp, idle->udp},
        {"connections", is->connections, idle->connections},
        {"connections being closed", is->closing, idle->closing},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].is > rows[i].idle)
            violation_set(v, now_ns, "gone", "%s has %zu %s left, expected %zu", host, rows[i].is, rows[i].what,
                          rows[i].idle);
}
