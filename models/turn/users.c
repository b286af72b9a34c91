/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may use the relay: by name and by hash of the name (RFC 8489 14.4), found in one step however many there are.
 *
 * A user outlives its configuration as long as it has allocations: who is configured anew under the same name is the
 * same user, with other keys. */
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/turn/server.h"

static size_t name_bucket(const struct turn *t, const struct users *us, const char *name, size_t len)
{
    uint64_t h = t->hash_key;
    for (size_t i = 0; i < len; i++)
        h = (h ^ (uint8_t)name[i]) * UINT64_C(0x100000001b3); /* FNV-1a; the names are the operator's own */
    return (size_t)(h * UINT64_C(0x9e3779b97f4a7c15) >> (64 - us->bits));
}

static size_t hash_bucket(const struct users *us, const uint8_t hash[32])
{
    return (size_t)(load64(hash) >> (64 - us->bits));
}

static struct user *named(const struct turn *t, const struct users *us, const char *name, size_t len)
{
    struct user *u = us->by_name[name_bucket(t, us, name, len)];
    while (u && (strlen(u->name) != len || memcmp(u->name, name, len) != 0))
        u = u->next_name;
    return u;
}

struct user *turn_user_named(const struct turn *t, const char *name, size_t len)
{
    struct user *u = named(t, &t->users, name, len);
    return u && !u->gone ? u : NULL;
}

struct user *turn_user_hashed(const struct turn *t, const uint8_t hash[32])
{
    struct user *u = t->users.by_hash[hash_bucket(&t->users, hash)];
    while (u && memcmp(u->hash, hash, sizeof u->hash) != 0)
        u = u->next_hash;
    return u && !u->gone ? u : NULL;
}

static void insert(const struct turn *t, struct users *us, struct user *u)
{
    struct user **name = &us->by_name[name_bucket(t, us, u->name, strlen(u->name))];
    struct user **hash = &us->by_hash[hash_bucket(us, u->hash)];
    u->next_name = *name;
    *name = u;
    u->next_hash = *hash;
    *hash = u;
}

static void free_user(struct user *u)
{
    free(u->name);
    free(u);
}

void turn_users_free(struct users *us)
{
    for (size_t i = 0; us->by_name && i < (size_t)1 << us->bits; i++)
        for (struct user *u = us->by_name[i], *next; u; u = next) {
            next = u->next_name;
            free_user(u);
        }
    free(us->by_name);
    free(us->by_hash);
    *us = (struct users){0};
}

static struct user *make_user(const struct turn *t, const struct turn_user *from)
{
    struct user *u = calloc(1, sizeof *u);
    if (!u || !(u->name = strdup(from->name))) {
        free(u);
        return NULL;
    }
    stun_long_term_key(from->name, t->cfg.realm, from->password, u->keys.md5);
    stun_long_term_key_sha256(from->name, t->cfg.realm, from->password, u->keys.sha256);
    stun_userhash(from->name, t->cfg.realm, u->hash);
    return u;
}

/* Of two of one name the first counts. */
static int make_users(const struct turn *t, const struct turn_user *from, size_t count, struct users *us)
{
    for (us->bits = 4; us->bits < 30 && (size_t)1 << us->bits < count; us->bits++)
        ;
    us->by_name = calloc((size_t)1 << us->bits, sizeof *us->by_name);
    us->by_hash = calloc((size_t)1 << us->bits, sizeof *us->by_hash);
    bool made = us->by_name && us->by_hash;
    for (size_t i = 0; made && i < count; i++) {
        if (named(t, us, from[i].name, strlen(from[i].name)))
            continue;
        struct user *u = make_user(t, &from[i]);
        if ((made = u))
            insert(t, us, u);
    }
    if (!made)
        turn_users_free(us);
    return made ? 0 : E_NOMEM;
}

int turn_users_init(struct turn *t, const struct turn_user *users, size_t count)
{
    return make_users(t, users, count, &t->users);
}

/* One who had allocations keeps them: takes the place of its namesake in the new table, with its keys; or is gone. */
static void carry_over(const struct turn *t, struct users *us, struct user *old)
{
    struct user *made = named(t, us, old->name, strlen(old->name));
    old->gone = !made;
    if (made) {
        struct user **name = &us->by_name[name_bucket(t, us, made->name, strlen(made->name))];
        struct user **hash = &us->by_hash[hash_bucket(us, made->hash)];
        while (*name != made)
            name = &(*name)->next_name;
        while (*hash != made)
            hash = &(*hash)->next_hash;
        *name = made->next_name;
        *hash = made->next_hash;
        old->keys = made->keys;
        free_user(made);
    }
    insert(t, us, old);
}

int turn_set_users(struct turn *t, const struct turn_user *users, size_t count)
{
    struct users made;
    int err = make_users(t, users, count, &made);
    if (err)
        return err;
    for (size_t i = 0; i < (size_t)1 << t->users.bits; i++)
        for (struct user *u = t->users.by_name[i], *next; u; u = next) {
            next = u->next_name;
            if (u->allocations)
                carry_over(t, &made, u);
            else
                free_user(u);
        }
    free(t->users.by_name);
    free(t->users.by_hash);
    t->users = made;
    return 0;
}
