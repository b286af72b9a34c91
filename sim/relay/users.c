/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/relay/users.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"

enum { NAME_MAX_BYTES = 508, PASSWORD_MAX_BYTES = 1024 };

static int grow(struct user_list *u)
{
    if (u->count < u->cap)
        return 0;
    size_t cap = u->cap ? 2 * u->cap : 16;
    struct turn_user *user = realloc(u->user, cap * sizeof *user);
    if (!user)
        return E_NOMEM;
    u->user = user;
    u->cap = cap;
    return 0;
}

int users_add(struct user_list *u, const char *text, size_t len)
{
    const char *colon = memchr(text, ':', len);
    if (!colon || colon == text || colon + 1 == text + len)
        return E_MALFORMED;
    size_t name_len = (size_t)(colon - text), password_len = len - name_len - 1;
    if (name_len > NAME_MAX_BYTES || password_len > PASSWORD_MAX_BYTES)
        return E_RANGE;
    const char *name = arena_copy(&u->arena, text, name_len);
    for (size_t i = 0; i < u->count; i++)
        if (strcmp(u->user[i].name, name) == 0)
            return E_EXISTS;
    if (grow(u))
        return E_NOMEM;
    u->user[u->count++] = (struct turn_user){name, arena_copy(&u->arena, colon + 1, password_len)};
    return 0;
}

static const char *what_is_wrong(int err)
{
    switch (err) {
    case E_MALFORMED:
        return "expected NAME:PASSWORD, found a line without one of them";
    case E_RANGE:
        return "expected a name of at most 508 bytes and a password of at most 1024, found more";
    case E_EXISTS:
        return "expected a new name, found one that is there already";
    default:
        return err_text(err);
    }
}

int users_parse(struct user_list *u, const char *file, const char *text, size_t len, struct diag *d)
{
    unsigned line = 0;
    for (size_t at = 0; at < len;) {
        const char *eol = memchr(text + at, '\n', len - at);
        size_t n = eol ? (size_t)(eol - (text + at)) : len - at;
        size_t used = n > 0 && text[at + n - 1] == '\r' ? n - 1 : n;
        line++;
        bool said = used > 0 && text[at] != '#';
        const char *zero = memchr(text + at, '\0', used);
        int err = zero ? E_MALFORMED : said ? users_add(u, text + at, used) : 0;
        if (err) {
            snprintf(d->text, sizeof d->text, "%s:%u:1: %s", file, line, what_is_wrong(err));
            return err;
        }
        at += n + 1;
    }
    return 0;
}

void users_free(struct user_list *u)
{
    for (size_t i = 0; i < u->count; i++)
        explicit_bzero((char *)(uintptr_t)u->user[i].password, strlen(u->user[i].password));
    free(u->user);
    arena_free(&u->arena);
    *u = (struct user_list){0};
}
