/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "models/actors/web_proxy_parts.h"
#include "models/base/err.h"
#include "models/base/json.h"

#define FORGOTTEN_NS (120 * NS_S) /* four keep-alives of a browser */

static const char prefix[] = "/api/calls/", suffix[] = "/events";

void calls_init(struct bridge_calls *calls)
{
    for (size_t i = 0; i < WEB_BRIDGE_CALLS_MAX; i++)
        calls->call[i] = (struct bridge_call){.parked = NO_CHANNEL};
}

void calls_free(struct bridge_calls *calls)
{
    for (size_t i = 0; i < WEB_BRIDGE_CALLS_MAX; i++)
        call_forget(&calls->call[i]);
}

void call_forget(struct bridge_call *c)
{
    for (size_t i = 0; i < c->events; i++)
        free(c->event[i].p);
    *c = (struct bridge_call){.parked = NO_CHANNEL};
}

static struct bridge_call *find(struct bridge_calls *calls, const char *id, size_t len)
{
    for (size_t i = 0; i < WEB_BRIDGE_CALLS_MAX && len && len < CALL_ID_MAX; i++)
        if (strlen(calls->call[i].id) == len && memcmp(calls->call[i].id, id, len) == 0)
            return &calls->call[i];
    return NULL;
}

bool is_events_path(const char *path)
{
    const char *slash = strncmp(path, prefix, sizeof prefix - 1) == 0 ? strchr(path + sizeof prefix - 1, '/') : NULL;
    return slash && strcmp(slash, suffix) == 0;
}

struct bridge_call *call_of_path(struct bridge_calls *calls, const char *path, uint64_t now_ns)
{
    if (strncmp(path, prefix, sizeof prefix - 1) != 0)
        return NULL;
    const char *id = path + sizeof prefix - 1;
    struct bridge_call *c = find(calls, id, strcspn(id, "/"));
    if (c)
        c->seen_ns = now_ns;
    return c;
}

/* A string member of a JSON object, copied; false: there is none of that length. */
static bool member(const struct json *j, const char *key, char *out, size_t cap)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json_root(j), key);
    if (!cJSON_IsString(item) || !item->valuestring[0] || strlen(item->valuestring) >= cap)
        return false;
    memcpy(out, item->valuestring, strlen(item->valuestring) + 1);
    return true;
}

int calls_begin(struct bridge_calls *calls, const char *json, size_t len, uint64_t now_ns)
{
    struct diag d;
    struct json *j;
    char id[CALL_ID_MAX];
    if (json_parse("answer", json, len, &j, &d))
        return E_MALFORMED;
    bool named = member(j, "call", id, sizeof id);
    json_free(j);
    if (!named)
        return E_MALFORMED;
    for (size_t i = 0; i < WEB_BRIDGE_CALLS_MAX; i++) {
        struct bridge_call *c = &calls->call[i];
        if (c->id[0])
            continue;
        memcpy(c->id, id, sizeof id);
        c->seen_ns = now_ns;
        return 0;
    }
    return E_NOMEM;
}

int calls_event(struct bridge_calls *calls, const char *json, size_t len, struct bridge_call **out)
{
    struct diag d;
    struct json *j;
    char id[CALL_ID_MAX], event[16];
    if (json_parse("event", json, len, &j, &d))
        return E_MALFORMED;
    bool whole = member(j, "call", id, sizeof id) && member(j, "event", event, sizeof event);
    json_free(j);
    if (!whole)
        return E_MALFORMED;
    struct bridge_call *c = find(calls, id, strlen(id));
    if (!c)
        return E_NOT_FOUND;
    char *p = c->events < CALL_EVENTS_MAX ? malloc(len) : NULL;
    if (!p)
        return E_NOMEM;
    memcpy(p, json, len);
    c->event[c->events++] = (struct event_text){p, len, strcmp(event, "ended") == 0};
    *out = c;
    return 0;
}

struct event_text call_take(struct bridge_call *c)
{
    struct event_text first = {NULL, 0, false};
    if (!c->events)
        return first;
    first = c->event[0];
    c->events--;
    memmove(c->event, c->event + 1, c->events * sizeof *c->event);
    if (first.last)
        call_forget(c);
    return first;
}

void calls_unpark(struct bridge_calls *calls, uint32_t channel)
{
    for (size_t i = 0; i < WEB_BRIDGE_CALLS_MAX; i++)
        if (channel == NO_CHANNEL || calls->call[i].parked == channel)
            calls->call[i].parked = NO_CHANNEL;
}

void calls_sweep(struct bridge_calls *calls, uint64_t now_ns)
{
    for (size_t i = 0; i < WEB_BRIDGE_CALLS_MAX; i++)
        if (calls->call[i].id[0] && now_ns - calls->call[i].seen_ns >= FORGOTTEN_NS &&
            calls->call[i].parked == NO_CHANNEL)
            call_forget(&calls->call[i]);
}
