/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/web_bridge_answer.h"

#include <stdio.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/json.h"

static const char calls[] = "/api/calls";

static unsigned page(struct conference *c, const struct http_message *m, char *body)
{
    (void)c;
    (void)m;
    snprintf(body, WEB_ANSWER_MAX / 2, "<!DOCTYPE html><title>Meeting</title>");
    return 200;
}

static const char *member(const struct json *j, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json_root(j), key));
}

static unsigned join(struct conference *c, const struct http_message *m, char *body)
{
    static const struct {
        int err;
        unsigned code;
    } codes[] = {{0, 202}, {E_MALFORMED, 400}, {E_UNSUPPORTED, 422}, {E_NOMEM, 503}};
    struct json *j;
    struct diag d;
    unsigned id, code = 400;
    if (json_parse("request", m->body, m->body_len, &j, &d))
        return code;
    const char *name = member(j, "name"), *sdp = member(j, "sdp");
    int err = name && sdp ? conference_join(c, name, sdp, strlen(sdp), &id) : E_MALFORMED;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].err == err)
            code = codes[i].code;
    if (!err)
        snprintf(body, WEB_ANSWER_MAX / 2, "{\"call\":\"%u\"}", id);
    json_free(j);
    return code;
}

/* Of "/api/calls/7"; 0: none. */
static unsigned id_of(const struct http_message *m)
{
    const char *digits = m->path + sizeof calls;
    uint64_t id = 0;
    for (; *digits >= '0' && *digits <= '9' && id <= UINT32_MAX; digits++)
        id = id * 10 + (unsigned)(*digits - '0');
    return *digits || id > UINT32_MAX ? 0 : (unsigned)id;
}

static unsigned keep(struct conference *c, const struct http_message *m, char *body)
{
    (void)body;
    return conference_keep(c, id_of(m)) ? 204 : 404;
}

static unsigned leave(struct conference *c, const struct http_message *m, char *body)
{
    (void)body;
    return conference_leave(c, id_of(m)) ? 204 : 404;
}

static const struct row {
    const char *method;
    bool one; /* the path is that of one call, /api/calls/ID; else it is `path` */
    const char *path, *type;
    unsigned (*answer)(struct conference *c, const struct http_message *m, char *body);
} rows[] = {
    {"GET", false, "/", "text/html", page},
    {"POST", false, calls, "application/json", join},
    {"PUT", true, calls, NULL, keep},
    {"DELETE", true, calls, NULL, leave},
};

static bool is_at(const struct row *r, const char *path)
{
    size_t len = strlen(r->path);
    return r->one ? strncmp(path, r->path, len) == 0 && path[len] == '/' : strcmp(path, r->path) == 0;
}

void web_answer(struct conference *c, const struct http_message *m, struct text *t)
{
    char body[WEB_ANSWER_MAX / 2] = "";
    unsigned code = 404;
    const char *type = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!is_at(&rows[i], m->path))
            continue;
        bool fits = strcmp(rows[i].method, m->method) == 0;
        code = fits ? rows[i].answer(c, m, body) : code == 404 ? 405 : code;
        if (fits) {
            type = rows[i].type;
            break;
        }
    }
    http_put_response(t, code, NULL, body[0] ? type : NULL, body, strlen(body));
}
