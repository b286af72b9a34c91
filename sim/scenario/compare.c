/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/compare.h"

#include <stdio.h>
#include <string.h>

#include "models/base/bytes.h"

static bool same_way(const struct run_message *a, const struct run_message *b)
{
    return strcmp(a->from, b->from) == 0 && strcmp(a->to, b->to) == 0;
}

static bool same_message(const struct run_message *a, const struct run_message *b)
{
    return same_way(a, b) && strcmp(a->name, b->name) == 0;
}

/* The next message at or after i that goes the way of like (any way: NULL). */
static const struct run_message *next_on_way(const struct record *r, size_t *i, const struct run_message *like)
{
    while (*i < r->messages.count) {
        const struct run_message *m = &r->messages.items[(*i)++];
        if (!like || same_way(m, like))
            return m;
    }
    return NULL;
}

static void say_difference(const struct record *a, const struct run_message *x, const struct record *b,
                           const struct run_message *y, struct comparison *out)
{
    struct text t = text_of(out->difference, sizeof out->difference);
    const struct run_message *m[2] = {x, y};
    const struct record *r[2] = {a, b};
    for (int i = 0; i < 2; i++) {
        text_add(&t, "%s%s: ", i ? "; " : "", r[i]->engine);
        if (m[i])
            text_add(&t, "%s -> %s %s", m[i]->from, m[i]->to, m[i]->name);
        else
            text_add(&t, "no more messages");
    }
}

/* Whether both have the same messages on the way of like, or in all; the first difference is said. */
static bool same_sequence(const struct record *a, const struct record *b, const struct run_message *like,
                          struct comparison *out)
{
    for (size_t i = 0, k = 0;;) {
        const struct run_message *x = next_on_way(a, &i, like), *y = next_on_way(b, &k, like);
        if (!x && !y)
            return true;
        if (!x || !y || !same_message(x, y)) {
            say_difference(a, x, b, y, out);
            return false;
        }
    }
}

void compare_messages(const struct record *a, const struct record *b, struct comparison *out)
{
    *out = (struct comparison){.same_messages = true};
    out->same_order = same_sequence(a, b, NULL, out);
    if (out->same_order)
        return;
    const struct record *both[2] = {a, b};
    for (int e = 0; e < 2; e++)
        for (size_t i = 0; out->same_messages && i < both[e]->messages.count; i++)
            out->same_messages = same_sequence(a, b, &both[e]->messages.items[i], out);
}

int64_t compare_times(uint64_t a_ns, uint64_t b_ns)
{
    if (a_ns == 0)
        return b_ns ? 1000 : 0;
    return ((int64_t)b_ns - (int64_t)a_ns) * 1000 / (int64_t)a_ns;
}
