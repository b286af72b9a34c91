/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/sweep/metrics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/time.h"
#include "sim/scenario/blame.h"

static void put(FILE *out, const char *name, uint64_t value)
{
    fprintf(out, "\t%s=%" PRIu64, name, value);
}

/* The media phase is the last: all before it is set-up. */
static void phases(FILE *out, const struct record *r)
{
    for (size_t i = 0; i < r->phases.count; i++) {
        const struct run_phase *p = &r->phases.items[i];
        fprintf(out, "\tphase.%s_ns=%" PRIu64, p->name, p->end_ns - p->start_ns);
    }
    if (r->phases.count > 1 && r->complete)
        put(out, "setup_ns", r->phases.items[r->phases.count - 1].start_ns - r->phases.items[0].start_ns);
}

static bool result(const struct record *r, const char *host, const char *key, uint64_t *out)
{
    const char *value = host ? record_result(r, host, key) : NULL;
    if (value)
        *out = strtoull(value, NULL, 10);
    return value != NULL;
}

/* One direction of a share: what arrived in the media phase, and how late the screen was seen (screen.h). */
static void share(FILE *out, const struct record *r, const struct run_share *s)
{
    uint64_t bytes, start, mean, max;
    const struct run_phase *media = r->phases.count ? &r->phases.items[r->phases.count - 1] : NULL;
    if (!result(r, s->to, "share.received_bytes", &bytes))
        return;
    fprintf(out, "\tshare.%s.bytes=%" PRIu64, s->to, bytes);
    if (media && media->end_ns > media->start_ns)
        fprintf(out, "\tshare.%s.goodput_bps=%" PRIu64, s->to,
                bytes * 8 * NS_MS / ((media->end_ns - media->start_ns) / 1000));
    if (result(r, s->from, "share.start_ns", &start) && result(r, s->to, "share.update_mean_ns", &mean) &&
        result(r, s->to, "share.update_max_ns", &max))
        fprintf(out, "\tshare.%s.update_mean_ns=%" PRIu64 "\tshare.%s.update_max_ns=%" PRIu64, s->to, mean - start,
                s->to, max - start);
}

static void services(FILE *out, const struct record *r)
{
    size_t held = 0;
    for (size_t i = 0; i < r->services.count; i++)
        held += r->services.items[i].state == SERVICE_UP || r->services.items[i].state == SERVICE_DONE;
    if (!r->services.count)
        return;
    put(out, "services", r->services.count);
    put(out, "services_held", held);
}

void metrics_write(FILE *out, const struct topology *t, const struct record *r)
{
    struct blame b;
    struct run_share s;
    blame_find(t, r, &b);
    put(out, "ok", b.verdict == VERDICT_OK);
    phases(out, r);
    for (size_t i = 0; record_share(r, i, &s); i++)
        share(out, r, &s);
    services(out, r);
    put(out, "drops", r->drops.count);
    put(out, "messages", r->messages.count);
    put(out, "packet_hops", r->stats.packet_hops);
}
