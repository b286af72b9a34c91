/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/services.h"

#include <string.h>

#include "models/base/time.h"
#include "sim/scenario/blame.h"

/* ---- for people ---- */

enum { NAME_MAX = 24, HOST_MAX = 15, STATE = 8, GAP = 2 };

/* In the order in which a person wants to see them. */
enum rank { RANK_BROKEN, RANK_DEGRADED, RANK_HOLDS, RANKS };

static enum rank rank_of(const struct run_service *s)
{
    return !service_holds(s) ? RANK_BROKEN : s->state == SERVICE_DEGRADED ? RANK_DEGRADED : RANK_HOLDS;
}

/* Of the longest name, as far as a column may be wide. */
static int wider(int width, const char *name, int most)
{
    int len = (int)strlen(name);
    len = len < most ? len : most;
    return len > width ? len : width;
}

static void put_line(struct sink *s, const char *key, const char *value)
{
    if (!value[0])
        return;
    sink_f(s, "    %-10s  ", key);
    sink_wrapped(s, 16, value);
}

/* told: the packet of the row above. What it answers is this row's. */
static const struct run_drop *put_culprit(struct sink *s, const struct topology *t, const struct record *r,
                                          const struct run_service *service, const struct run_drop *told)
{
    const struct run_drop *d = blame_service(t, r, service);
    char packet[256], where[512];
    if (d && d == told)
        sink_text(s, "    as above\n");
    if (!d || d == told)
        return d;
    blame_packet(d, packet, sizeof packet);
    blame_where(t, d, where, sizeof where);
    put_line(s, "packet", packet);
    put_line(s, "dropped by", where);
    put_line(s, "change", d->advice ? d->advice : "");
    return d;
}

static void put_row(struct sink *s, const struct run_service *service, int name, int host)
{
    const char *text = service->text;
    if (!text[0] && service->state == SERVICE_WANTED)
        text = "nothing became of it";
    sink_f(s, "  %-*s  %-*s  %-*s%s", name, service->name, host, service->host, text[0] ? STATE : 0,
           service_state_text(service->state), text[0] ? "  " : "\n");
    if (text[0])
        sink_wrapped(s, (size_t)(GAP + name + GAP + host + GAP + STATE + GAP), text);
    if (service->losses > (service->state == SERVICE_LOST))
        sink_f(s, "    (it was lost %u times before)\n", service->losses - (service->state == SERVICE_LOST));
}

void services_text(struct sink *s, const struct topology *t, const struct record *r, size_t max)
{
    int name = (int)strlen("service"), host = (int)strlen("at");
    size_t rows = 0;
    if (!r->services.count)
        return;
    for (size_t i = 0; i < r->services.count; i++) {
        name = wider(name, r->services.items[i].name, NAME_MAX);
        host = wider(host, r->services.items[i].host, HOST_MAX);
    }
    const struct run_drop *told = NULL;
    sink_f(s, "\n  %-*s  %-*s  %-*s  how, or why not\n", name, "service", host, "at", STATE, "state");
    for (enum rank rank = RANK_BROKEN; rank < RANKS; rank++)
        for (size_t i = 0; i < r->services.count; i++) {
            const struct run_service *service = &r->services.items[i];
            if (rank_of(service) != rank || (max && rows++ >= max))
                continue;
            put_row(s, service, name, host);
            if (rank != RANK_HOLDS)
                told = put_culprit(s, t, r, service, told);
        }
    if (max && r->services.count > max)
        sink_f(s, "  ... and %zu more\n", r->services.count - max);
}

/* ---- for programs ---- */

static void put_string(struct sink *s, const char *key, const char *value)
{
    sink_text(s, key);
    if (value)
        sink_string(s, value);
    else
        sink_text(s, "null");
}

static void put_time(struct sink *s, const char *key, uint64_t t_ns)
{
    sink_text(s, key);
    if (t_ns == TIME_NEVER)
        sink_text(s, "null");
    else
        sink_u64(s, t_ns);
}

void services_json(struct sink *s, const struct topology *t, const struct record *r)
{
    for (size_t i = 0; i < r->services.count; i++) {
        const struct run_service *service = &r->services.items[i];
        const struct run_drop *d = service_holds(service) ? NULL : blame_service(t, r, service);
        char packet[256], where[512];
        put_string(s, i ? ",\n    {\"node\": " : "\n    {\"node\": ", service->host);
        put_string(s, ", \"name\": ", service->name);
        put_string(s, ", \"state\": ", service_state_text(service->state));
        sink_text(s, service_holds(service) ? ", \"holds\": true" : ", \"holds\": false");
        put_string(s, ", \"text\": ", service->text);
        put_time(s, ", \"up_ns\": ", service->up_ns);
        put_time(s, ", \"t_ns\": ", service->t_ns);
        put_time(s, ", \"losses\": ", service->losses);
        if (d) {
            blame_packet(d, packet, sizeof packet);
            blame_where(t, d, where, sizeof where);
        }
        put_string(s, ", \"packet\": ", d ? packet : NULL);
        put_string(s, ", \"where\": ", d ? where : NULL);
        put_string(s, ", \"advice\": ", d ? d->advice : NULL);
        sink_text(s, "}");
    }
}
