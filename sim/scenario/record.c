/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/record.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/time.h"

/* The next element of a list, zeroed. */
static void *grow(void **items, size_t *count, size_t *cap, size_t size)
{
    if (*count == *cap) {
        *cap = *cap ? 2 * *cap : 32;
        *items = realloc(*items, *cap * size);
        assert(*items);
    }
    void *p = (char *)*items + (*count)++ * size;
    memset(p, 0, size);
    return p;
}

#define LIST_NEXT(list) grow((void **)&(list).items, &(list).count, &(list).cap, sizeof *(list).items)

static const char *keep(struct record *r, const char *s)
{
    return s ? arena_copy(&r->arena, s, strlen(s)) : NULL;
}

static unsigned phase_now(const struct record *r)
{
    return r->complete ? 0 : (unsigned)r->phases.count;
}

void record_message(struct record *r, const struct run_message *m)
{
    struct run_message *out = LIST_NEXT(r->messages);
    *out = *m;
    out->from = keep(r, m->from);
    out->name = keep(r, m->name);
    out->phase = phase_now(r);
}

void record_drop(struct record *r, const struct run_drop *d)
{
    struct run_drop *out = LIST_NEXT(r->drops);
    *out = *d;
    out->node = keep(r, d->node);
    out->port = keep(r, d->port);
    out->reason = keep(r, d->reason);
    out->advice = keep(r, d->advice);
    out->phase = phase_now(r);
}

void record_conformance(struct record *r, const struct run_conformance *c)
{
    struct run_conformance *out = LIST_NEXT(r->conformance);
    *out = *c;
    out->saw = keep(r, c->saw);
}

void record_row(struct record *r, const struct run_row *row)
{
    struct run_row *out = LIST_NEXT(r->rows);
    *out = *row;
}

static void note_phase(struct record *r, uint64_t now_ns, const char *name)
{
    if (r->phases.count && !r->complete)
        r->phases.items[r->phases.count - 1].end_ns = now_ns;
    r->complete = name[0] == '\0';
    if (r->complete)
        return;
    struct run_phase *p = LIST_NEXT(r->phases);
    *p = (struct run_phase){.name = keep(r, name), .start_ns = now_ns, .end_ns = now_ns};
}

static const char *const service_states[] = {
    [SERVICE_WANTED] = "wanted", [SERVICE_UP] = "up", [SERVICE_DEGRADED] = "degraded", [SERVICE_FAILED] = "failed",
    [SERVICE_LOST] = "lost", [SERVICE_DONE] = "done"};
enum { SERVICE_STATES = sizeof service_states / sizeof *service_states };

const char *service_state_text(enum run_service_state state)
{
    return service_states[state];
}

bool service_holds(const struct run_service *s)
{
    return s->state == SERVICE_UP || s->state == SERVICE_DEGRADED || s->state == SERVICE_DONE;
}

static struct run_service *service_of(struct record *r, uint64_t now_ns, const char *host, const char *name,
                                      size_t len)
{
    for (size_t i = 0; i < r->services.count; i++) {
        struct run_service *s = &r->services.items[i];
        if (strcmp(s->host, host) == 0 && strncmp(s->name, name, len) == 0 && !s->name[len])
            return s;
    }
    struct run_service *s = LIST_NEXT(r->services);
    *s = (struct run_service){.host = keep(r, host), .name = arena_copy(&r->arena, name, len), .first_ns = now_ns,
                              .up_ns = TIME_NEVER};
    return s;
}

/* "NAME STATE" or "NAME STATE TEXT" (io.h). */
static void note_service(struct record *r, uint64_t now_ns, const char *host, const struct endpoint *remote,
                         const char *note)
{
    size_t name = strcspn(note, " ");
    const char *word = note + name + (note[name] == ' ');
    size_t len = strcspn(word, " "), state = 0;
    while (state < SERVICE_STATES && (strncmp(service_states[state], word, len) || service_states[state][len]))
        state++;
    assert(name && state < SERVICE_STATES);
    struct run_service *s = service_of(r, now_ns, host, note, name);
    s->state = (enum run_service_state)state;
    s->text = keep(r, word[len] ? word + len + 1 : "");
    s->remote = *remote;
    s->t_ns = now_ns;
    s->losses += s->state == SERVICE_LOST;
    if (s->up_ns == TIME_NEVER && (s->state == SERVICE_UP || s->state == SERVICE_DEGRADED))
        s->up_ns = now_ns;
}

void record_note(struct record *r, uint64_t now_ns, const char *host, enum io_note note, const struct endpoint *remote,
                 const char *text)
{
    const char *equals = strchr(text, '=');
    switch (note) {
    case NOTE_STATE:
        break;
    case NOTE_PHASE:
        note_phase(r, now_ns, text);
        break;
    case NOTE_FAIL:
    case NOTE_HINT: {
        struct run_failure *f = note == NOTE_FAIL ? LIST_NEXT(r->failures) : LIST_NEXT(r->hints);
        *f = (struct run_failure){.t_ns = now_ns, .host = keep(r, host), .text = keep(r, text), .remote = *remote,
                                  .phase = phase_now(r)};
        break;
    }
    case NOTE_RESULT:
        assert(equals); /* io.h: key=value */
        struct run_result *res = LIST_NEXT(r->results);
        *res = (struct run_result){.host = keep(r, host), .key = arena_copy(&r->arena, text, (size_t)(equals - text)),
                                   .value = keep(r, equals + 1)};
        break;
    case NOTE_SERVICE:
        note_service(r, now_ns, host, remote, text);
        break;
    }
}

void record_planned(struct record *r, uint64_t now_ns, const char *host, const char *call)
{
    size_t len = strlen(call);
    for (size_t i = 0; i < r->services.count; i++) {
        const struct run_service *s = &r->services.items[i];
        if (strcmp(s->host, host) == 0 && strncmp(s->name, call, len) == 0 && s->name[len] == '/')
            return;
    }
    struct run_service *s = service_of(r, now_ns, host, call, len);
    s->state = SERVICE_FAILED;
    s->text = "no system makes this call";
    s->t_ns = now_ns;
}

void record_end(struct record *r, uint64_t now_ns)
{
    r->end_ns = now_ns;
    if (r->phases.count == 0 || r->complete)
        return;
    bool failed = r->failures.count && r->failures.items[0].phase == r->phases.count;
    r->phases.items[r->phases.count - 1].end_ns = failed ? r->failures.items[0].t_ns : now_ns;
}

void record_free(struct record *r)
{
    free(r->messages.items);
    free(r->phases.items);
    free(r->drops.items);
    free(r->failures.items);
    free(r->hints.items);
    free(r->results.items);
    free(r->services.items);
    free(r->conformance.items);
    free(r->rows.items);
    arena_free(&r->arena);
}

const char *record_phase(const struct record *r, unsigned phase)
{
    return phase && phase <= r->phases.count ? r->phases.items[phase - 1].name : "";
}

const char *record_result(const struct record *r, const char *host, const char *key)
{
    for (size_t i = r->results.count; i-- > 0;)
        if (strcmp(r->results.items[i].host, host) == 0 && strcmp(r->results.items[i].key, key) == 0)
            return r->results.items[i].value;
    return NULL;
}

static bool same_host(const struct run_result *a, const struct run_result *b)
{
    return strcmp(a->host, b->host) == 0;
}

/* What another host received: what was sent, or the last of what it received else; NULL: nobody received anything. */
static const struct run_result *received(const struct record *r, const struct run_result *sent, bool *whole)
{
    const struct run_result *last = NULL;
    *whole = false;
    for (size_t i = 0; i < r->results.count && !*whole; i++) {
        const struct run_result *got = &r->results.items[i];
        if (strcmp(got->key, "share.received_sha256") != 0 || same_host(got, sent))
            continue;
        last = got;
        *whole = strcmp(got->value, sent->value) == 0;
    }
    return last;
}

/* Of a host that shared again, as after a restart, the last share that arrived counts, else the last one. */
static bool counts(const struct record *r, size_t index)
{
    const struct run_result *a = &r->results.items[index];
    bool whole, other_whole, is_last = true, best = true;
    received(r, a, &whole);
    for (size_t i = 0; i < r->results.count; i++) {
        const struct run_result *b = &r->results.items[i];
        if (i == index || !same_host(a, b) || strcmp(a->key, b->key) != 0)
            continue;
        received(r, b, &other_whole);
        is_last = is_last && i < index;
        best = best && !(other_whole && (!whole || i > index));
    }
    return best && (whole || is_last);
}

/* The bytes of a share are told before its digest. */
static const char *bytes_of(const struct record *r, const struct run_result *digest, const char *key)
{
    const struct run_result *b = digest;
    while (b-- > r->results.items)
        if (same_host(b, digest) && strcmp(b->key, key) == 0)
            return b->value;
    return NULL;
}

bool record_share(const struct record *r, size_t index, struct run_share *out)
{
    size_t i = 0;
    for (;; i++) {
        if (i == r->results.count)
            return false;
        if (strcmp(r->results.items[i].key, "share.sent_sha256") == 0 && counts(r, i) && index-- == 0)
            break;
    }
    const struct run_result *sent = &r->results.items[i];
    *out = (struct run_share){.from = sent->host, .sha256 = sent->value,
                              .sent_bytes = bytes_of(r, sent, "share.sent_bytes")};
    const struct run_result *got = received(r, sent, &out->complete);
    if (got) {
        out->to = got->host;
        out->received_bytes = bytes_of(r, got, "share.received_bytes");
    }
    return true;
}
