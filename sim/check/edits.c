/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts as lines, and edits of them. */
#include "sim/check/edits.h"

#include <stdlib.h>
#include <string.h>

struct edit_text edit_text_of(struct arena *a, const char *text, size_t len)
{
    struct edit_text t = {0};
    for (size_t at = 0; at < len;) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t n = end ? (size_t)(end - text) - at : len - at;
        *CHECK_ADD(a, &t.lines) = (struct edit_line){arena_copy(a, text + at, n), (unsigned)t.lines.count};
        t.lines.items[t.lines.count - 1].origin = (unsigned)t.lines.count;
        at += n + (end != NULL);
    }
    return t;
}

static bool says_something(const char *line)
{
    line += strspn(line, " \t\r");
    return *line && strncmp(line, ": end", 5) != 0 && strcmp(line, "!") != 0;
}

/* Added lines, each one a line of its own. */
static void add_lines(struct arena *a, struct edit_text *t, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        *CHECK_ADD(a, &t->lines) = (struct edit_line){arena_copy(a, text, n), 0};
        text += n + (text[n] == '\n');
    }
}

struct edit_text edit_apply(struct arena *a, const struct edit_text *t, const struct edits *e)
{
    struct edit_text out = {0};
    size_t last = t->lines.count;
    while (last > 0 && !says_something(t->lines.items[last - 1].text))
        last--;
    for (size_t i = 0; i <= t->lines.count; i++) {
        bool removed = false;
        for (size_t k = 0; k < e->items.count; k++) {
            const struct edit *x = &e->items.items[k];
            size_t at = x->line ? x->line - 1 : last;
            if (at != i)
                continue;
            if (x->text)
                add_lines(a, &out, x->text);
            removed = removed || x->remove;
        }
        if (i < t->lines.count && !removed)
            *CHECK_ADD(a, &out.lines) = t->lines.items[i];
    }
    return out;
}

char *edit_text_join(struct arena *a, const struct edit_text *t, size_t *len)
{
    *len = 0;
    for (size_t i = 0; i < t->lines.count; i++)
        *len += strlen(t->lines.items[i].text) + 1;
    char *out = arena_alloc(a, *len + 1), *p = out;
    for (size_t i = 0; i < t->lines.count; i++) {
        size_t n = strlen(t->lines.items[i].text);
        memcpy(p, t->lines.items[i].text, n);
        p += n;
        *p++ = '\n';
    }
    return out;
}

static const char *joined(struct arena *a, const char *lines, const char *more)
{
    return lines ? arena_format(a, "%s\n%s", lines, more) : arena_format(a, "%s", more);
}

void edit_changes(struct check_report *r, const struct edit_text *before, const struct edit_text *now,
                  const char *node, const char *file, struct check_repair *out)
{
    unsigned next = 1; /* line of the file that comes now if nothing was removed */
    for (size_t i = 0; i <= now->lines.count;) {
        const char *added = NULL, *removed = NULL;
        for (; i < now->lines.count && now->lines.items[i].origin == 0; i++)
            added = joined(&r->arena, added, now->lines.items[i].text);
        unsigned at = i < now->lines.count ? now->lines.items[i].origin : (unsigned)before->lines.count + 1;
        unsigned first = next;
        for (; next < at; next++)
            removed = joined(&r->arena, removed, before->lines.items[next - 1].text);
        if (added || removed)
            *CHECK_ADD(&r->arena, &out->changes) = (struct check_change){
                .node = node, .file = file, .line = first > before->lines.count ? 0 : first,
                .text = added ? added : "", .remove = removed};
        next = at + 1;
        i++;
    }
}
