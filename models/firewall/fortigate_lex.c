/* SPDX-License-Identifier: GPL-2.0-or-later */
/* config, edit, set, next, end into a tree. */
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/firewall/fortigate.h"

enum { DEPTH_MAX = 32 };

enum level { CONFIG, EDIT };

struct open {
    struct fw_node *node;
    enum level level;
    unsigned line;
};

struct lex {
    struct fortigate *f;
    struct fw_scan s;
    struct open open[DEPTH_MAX];
    unsigned depth, fresh; /* fresh: of `edit 0`, which is a new one each time */
};

static struct fw_node *top(struct lex *x)
{
    return x->depth ? x->open[x->depth - 1].node : &x->f->t.root;
}

static int fail(struct lex *x, const char *expected)
{
    return fw_tree_fail_at(&x->f->t, x->s.line, x->s.column, E_MALFORMED, "expected %s, found \"%.60s\"", expected,
                           x->s.word);
}

/* The next word of the line: 1; 0: the line ends. */
static int word(struct lex *x)
{
    int token = fw_scan_next(&x->f->t, &x->s, "");
    return token < 0 ? token : token == FW_WORD;
}

static int enter(struct lex *x, const char *name, enum level level, unsigned line)
{
    if (x->depth == DEPTH_MAX)
        return fw_tree_fail_at(&x->f->t, line, 1, E_RANGE, "expected at most %d levels", DEPTH_MAX);
    struct fw_node *n;
    int err = fw_tree_add(&x->f->t, top(x), name, line, x->s.column, &n);
    if (!err)
        x->open[x->depth++] = (struct open){n, level, line};
    return err ? err : fw_tree_mention(&x->f->t, n, line, true);
}

static int config(struct lex *x)
{
    char path[256];
    struct text t = text_of(path, sizeof path);
    unsigned line = x->s.line;
    int got;
    while ((got = word(x)) == 1)
        text_add(&t, "%s%s", t.len ? " " : "", x->s.word);
    if (got < 0)
        return got;
    if (t.len == 0 || t.cut)
        return fw_tree_fail_at(&x->f->t, line, 1, E_MALFORMED, "expected the path of a table behind config");
    return enter(x, path, CONFIG, line);
}

static int edit(struct lex *x)
{
    unsigned line = x->s.line;
    int got = word(x);
    if (got != 1)
        return got < 0 ? got : fw_tree_fail_at(&x->f->t, line, 1, E_MALFORMED, "expected a name behind edit");
    if (x->depth == 0 || x->open[x->depth - 1].level != CONFIG)
        return fw_tree_fail_at(&x->f->t, line, 1, E_MALFORMED, "expected edit below config");
    char name[FW_TREE_WORD_MAX];
    struct text t = text_of(name, sizeof name);
    if (strcmp(x->s.word, "0") == 0 && !x->s.quoted)
        text_add(&t, "0 (%u)", ++x->fresh);
    else
        text_add(&t, "%s", x->s.word);
    int err = enter(x, name, EDIT, line);
    got = err ? 0 : word(x);
    return err ? err : got == 1 ? fail(x, "the end of the line") : got;
}

/* What an earlier `set` said of the key no longer holds. */
static void forget(struct lex *x, const char *key)
{
    struct fw_node *old = fw_tree_child(&x->f->t, top(x), key);
    if (!old)
        return;
    fw_tree_quiet(old);
    old->word = "";
}

static int assign(struct lex *x, bool fresh)
{
    unsigned line = x->s.line;
    int got = word(x);
    if (got != 1)
        return got < 0 ? got : fw_tree_fail_at(&x->f->t, line, 1, E_MALFORMED, "expected a name behind set");
    if (x->depth == 0)
        return fw_tree_fail_at(&x->f->t, line, 1, E_MALFORMED, "expected set below config");
    if (fresh)
        forget(x, x->s.word);
    struct fw_node *key, *value;
    int err = fw_tree_add(&x->f->t, top(x), x->s.word, line, x->s.column, &key);
    err = err ? err : fw_tree_mention(&x->f->t, key, line, false);
    while (!err && (got = word(x)) == 1)
        err = fw_tree_add(&x->f->t, key, x->s.word, x->s.line, x->s.column, &value);
    return err ? err : got < 0 ? got : 0;
}

static int close_one(struct lex *x, enum level level)
{
    if (level == CONFIG && x->depth && x->open[x->depth - 1].level == EDIT)
        x->depth--; /* end closes the entry and its table */
    if (x->depth == 0 || x->open[x->depth - 1].level != level)
        return fail(x, level == EDIT ? "next below edit" : "end below config");
    x->depth--;
    int got = word(x);
    return got == 1 ? fail(x, "the end of the line") : got;
}

static int unset(struct lex *x)
{
    int got = word(x);
    if (got == 1)
        forget(x, x->s.word);
    while (got == 1)
        got = word(x);
    return got;
}

static int line_of(struct lex *x)
{
    const char *w = x->s.word;
    if (strcmp(w, "config") == 0)
        return config(x);
    if (strcmp(w, "edit") == 0)
        return edit(x);
    if (strcmp(w, "set") == 0)
        return assign(x, true);
    if (strcmp(w, "append") == 0)
        return assign(x, false);
    if (strcmp(w, "unset") == 0)
        return unset(x);
    if (strcmp(w, "next") == 0)
        return close_one(x, EDIT);
    if (strcmp(w, "end") == 0)
        return close_one(x, CONFIG);
    return fail(x, "config, edit, set, unset, append, next or end");
}

int fortigate_read(struct fortigate *f)
{
    const struct fw_source *src = f->t.src;
    struct lex *x = calloc(1, sizeof *x);
    if (!x)
        return E_NOMEM;
    size_t bom = src->len >= 3 && memcmp(src->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    x->f = f;
    x->s = (struct fw_scan){.text = src->text, .len = src->len, .at = bom, .line = 1};
    int token, err = 0;
    while (!err && (token = fw_scan_next(&f->t, &x->s, "")) != FW_END)
        err = token < 0 ? token : token == FW_WORD ? line_of(x) : 0;
    if (!err && x->depth)
        err = fw_tree_fail_at(&f->t, x->open[x->depth - 1].line, 1, E_TRUNCATED,
                              "this block has no end: the file is cut off");
    free(x);
    return err;
}

/* ---- looking up ---- */

struct fw_node *fortigate_table(const struct fortigate *f, const char *path)
{
    struct fw_node *n = fw_tree_child(&f->t, f->vdom, path);
    return n ? n : fw_tree_child(&f->t, f->global, path);
}

struct fw_node *fortigate_entry(const struct fortigate *f, const char *path, const char *name)
{
    return fw_tree_child(&f->t, fortigate_table(f, path), name);
}

struct fw_node *fortigate_set(const struct fortigate *f, const struct fw_node *entry, const char *key)
{
    struct fw_node *n = fw_tree_child(&f->t, entry, key);
    return n ? n->first : NULL;
}

bool fortigate_is(const struct fortigate *f, const struct fw_node *entry, const char *key, const char *value)
{
    struct fw_node *n = fortigate_set(f, entry, key);
    return n && strcmp(n->word, value) == 0;
}

int fortigate_seconds(struct fortigate *f, const struct fw_node *value, unsigned long *out)
{
    char *end;
    bool number = value->word[0] >= '0' && value->word[0] <= '9';
    *out = number ? strtoul(value->word, &end, 10) : 0;
    if (!number || *end || *out == 0 || *out > 2764800)
        return fw_tree_fail(&f->t, value, E_MALFORMED, "expected seconds from 1 to 2764800, found \"%.60s\"",
                            value->word);
    return 0;
}
