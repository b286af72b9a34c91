/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/firewall/tree.h"

#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/firewall/rules.h"

enum { BUCKETS = 65536, LINES_MAX = 4000000 };

/* ---- open and close ---- */

int fw_tree_open(struct fw_tree *t, const struct fw_source *src, struct fw_diag *diag)
{
    *t = (struct fw_tree){.src = src, .diag = diag};
    *diag = (struct fw_diag){.line = 1, .column = 1, .text = "no memory left"};
    t->rules = fw_rules_new(src->name);
    t->bucket = calloc(BUCKETS, sizeof(struct fw_node *));
    t->root.word = "";
    if (!t->rules || !t->bucket)
        return E_NOMEM;
    int err = fw_ledger_open(&t->ledger, src->text, src->len);
    if (!err && t->ledger.lines > LINES_MAX)
        err = fw_tree_fail_at(t, LINES_MAX, 1, E_RANGE, "expected at most %d lines", LINES_MAX);
    return err;
}

/* The nearest mark, its own or of what it is part of. */
static uint8_t class_of(const struct fw_node *node, const char **why)
{
    for (const struct fw_node *n = node; n; n = n->parent)
        if (n->marked) {
            *why = n->why;
            return n->class;
        }
    *why = "this is not understood";
    return FW_LINE_UNSUPPORTED;
}

/* By itself or as a part of what is. */
static bool marked(const struct fw_node *n)
{
    while (n && !n->marked)
        n = n->parent;
    return n != NULL;
}

/* A line that opens a block and has no mark of its own leads to what is below: to what is understood, if any is. */
static void count_marks(struct fw_tree *t)
{
    const char *why;
    for (size_t i = 0; i < t->mentions; i++) {
        struct fw_node *n = t->mention[i].node;
        uint8_t class = t->mention[i].block ? FW_LINE_QUIET : class_of(n, &why);
        class = class == FW_LINE_UNSUPPORTED ? FW_LINE_MODELLED : class;
        for (n = n->parent; n && n->below < class; n = n->parent)
            n->below = class;
    }
    for (size_t i = 0; i < t->mentions; i++) {
        struct fw_node *n = t->mention[i].node;
        why = NULL;
        uint8_t class = t->mention[i].block && !marked(n) ? n->below : class_of(n, &why);
        fw_ledger_mark(&t->ledger, t->mention[i].line, (enum fw_line_class)class, why);
    }
}

int fw_tree_close(struct fw_tree *t, int err, struct fw_rules **out)
{
    if (!err) {
        count_marks(t);
        err = fw_ledger_count(&t->ledger, t->rules);
    }
    fw_ledger_close(&t->ledger);
    arena_free(&t->arena);
    free(t->bucket);
    free(t->mention);
    if (err)
        fw_rules_free(t->rules);
    else
        *out = t->rules;
    return err;
}

/* ---- nodes ---- */

static struct fw_node **bucket_of(const struct fw_tree *t, const struct fw_node *parent, const char *word)
{
    uint32_t h = fw_hash(word, strlen(word)) + parent->id * UINT32_C(2654435761);
    return &t->bucket[(h ^ h >> 16) & (BUCKETS - 1)];
}

struct fw_node *fw_tree_child(const struct fw_tree *t, const struct fw_node *parent, const char *word)
{
    if (!parent)
        return NULL;
    for (struct fw_node *n = *bucket_of(t, parent, word); n; n = n->chain)
        if (n->parent == parent && strcmp(n->word, word) == 0)
            return n;
    return NULL;
}

struct fw_node *fw_tree_find(const struct fw_tree *t, const struct fw_node *from, const char *path)
{
    struct fw_node *n = (struct fw_node *)from;
    while (n && *path) {
        char word[64];
        size_t len = strcspn(path, " ");
        memcpy(word, path, len);
        word[len] = '\0';
        n = fw_tree_child(t, n, word);
        path += len + (path[len] == ' ');
    }
    return n;
}

int fw_tree_add(struct fw_tree *t, struct fw_node *parent, const char *word, unsigned line, unsigned column,
                struct fw_node **out)
{
    *out = fw_tree_child(t, parent, word);
    if (*out)
        return 0;
    if (t->count == FW_TREE_NODES_MAX)
        return fw_tree_fail_at(t, line, column, E_RANGE, "expected at most %d words", FW_TREE_NODES_MAX);
    struct fw_node *n = arena_alloc(&t->arena, sizeof *n), **bucket = bucket_of(t, parent, word);
    *n = (struct fw_node){.word = arena_copy(&t->arena, word, strlen(word)), .id = ++t->count, .line = line,
                          .column = column, .parent = parent, .chain = *bucket};
    *bucket = n;
    *(parent->last ? &parent->last->next : &parent->first) = n;
    parent->last = n;
    *out = n;
    return 0;
}

int fw_tree_mention(struct fw_tree *t, struct fw_node *node, unsigned line, bool block)
{
    if (t->mentions == t->mention_cap) {
        size_t cap = t->mention_cap ? 2 * t->mention_cap : 1024;
        void *p = realloc(t->mention, cap * sizeof *t->mention);
        if (!p)
            return E_NOMEM;
        t->mention = p;
        t->mention_cap = cap;
    }
    t->mention[t->mentions++] = (struct fw_mention){node, line, block};
    return 0;
}

static void mark(struct fw_node *node, enum fw_line_class class, const char *why)
{
    if (!node)
        return;
    node->marked = true;
    node->class = (uint8_t)class;
    node->why = why;
}

void fw_tree_used(struct fw_node *node)
{
    mark(node, FW_LINE_MODELLED, NULL);
}

void fw_tree_quiet(struct fw_node *node)
{
    mark(node, FW_LINE_QUIET, NULL);
}

void fw_tree_unsupported(struct fw_node *node, const char *why)
{
    mark(node, FW_LINE_UNSUPPORTED, why);
}

/* ---- messages ---- */

static int fail(struct fw_tree *t, unsigned line, unsigned column, int err, const char *fmt, va_list ap)
{
    t->diag->line = line ? line : 1;
    t->diag->column = column ? column : 1;
    struct text out = text_of(t->diag->text, sizeof t->diag->text);
    text_vadd(&out, fmt, ap);
    return err;
}

int fw_tree_fail(struct fw_tree *t, const struct fw_node *at, int err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fail(t, at->line, at->column, err, fmt, ap);
    va_end(ap);
    return err;
}

int fw_tree_fail_at(struct fw_tree *t, unsigned line, unsigned column, int err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fail(t, line, column, err, fmt, ap);
    va_end(ap);
    return err;
}

const char *fw_tree_words(struct fw_tree *t, const char *fmt, ...)
{
    char buf[200];
    struct text out = text_of(buf, sizeof buf);
    va_list ap;
    va_start(ap, fmt);
    text_vadd(&out, fmt, ap);
    va_end(ap);
    return arena_copy(&t->arena, buf, strlen(buf));
}

/* ---- words ---- */

static int place(struct fw_tree *t, const struct fw_scan *s, int err, const char *what)
{
    return fw_tree_fail_at(t, s->line, (unsigned)(s->at - s->bol) + 1, err, "%s", what);
}

/* Between quotes; a backslash takes the next letter as it is. Line ends may stand there too. */
static int quoted(struct fw_tree *t, struct fw_scan *s)
{
    size_t n = 0;
    unsigned line = s->line;
    char end = s->text[s->at++];
    s->quoted = true;
    while (s->at < s->len && s->text[s->at] != end) {
        if (s->text[s->at] == '\\' && s->at + 1 < s->len)
            s->at++;
        if (s->text[s->at] == '\n') {
            line++;
            s->bol = s->at + 1;
        } else if (s->text[s->at] == '\0') {
            return place(t, s, E_MALFORMED, "expected text, found a zero byte");
        }
        if (n < FW_TREE_WORD_MAX - 1)
            s->word[n++] = s->text[s->at];
        s->at++;
    }
    s->word[n] = '\0';
    if (s->at == s->len)
        return place(t, s, E_TRUNCATED, "expected a closing quote, found the end of the file: it is cut off");
    s->at++;
    s->line = line;
    return FW_WORD;
}

int fw_scan_next(struct fw_tree *t, struct fw_scan *s, const char *breaks)
{
    s->quoted = false;
    while (s->at < s->len && (s->text[s->at] == ' ' || s->text[s->at] == '\t' || s->text[s->at] == '\r'))
        s->at++;
    if (s->at < s->len && s->text[s->at] == '#')
        while (s->at < s->len && s->text[s->at] != '\n')
            s->at++;
    s->column = (unsigned)(s->at - s->bol) + 1;
    if (s->at == s->len)
        return FW_END;
    unsigned char c = (unsigned char)s->text[s->at];
    if (c == '\n') {
        s->bol = ++s->at;
        s->line++;
        return FW_EOL;
    }
    if (strchr(breaks, c) && c) {
        s->word[0] = s->text[s->at++];
        s->word[1] = '\0';
        return FW_BREAK;
    }
    if (c == '"' || c == '\'')
        return quoted(t, s);
    size_t n = 0;
    for (; s->at < s->len && (unsigned char)(c = (unsigned char)s->text[s->at]) > ' ' && !strchr(breaks, c); s->at++) {
        if (n == FW_TREE_WORD_MAX - 1)
            return place(t, s, E_RANGE, "expected a shorter word");
        s->word[n++] = (char)c;
    }
    s->word[n] = '\0';
    if (n == 0 || (s->at < s->len && c < ' ' && c != '\n' && c != '\t' && c != '\r'))
        return place(t, s, E_MALFORMED, "expected text, found a control byte");
    return FW_WORD;
}

/* ---- rules ---- */

static bool takes(bool any, size_t count, const char *vague)
{
    return any || count || vague;
}

int fw_tree_rule(struct fw_tree *t, const struct fw_rule_spec *spec, const struct fw_end *src,
                 const struct fw_end *dst, const struct fw_kinds *kinds)
{
    struct fw_rule_spec r = *spec;
    struct fw_conditions when = spec->when ? *spec->when : (struct fw_conditions){0};
    if (!takes(src->any, src->set.count, src->vague) || !takes(dst->any, dst->set.count, dst->vague) ||
        !takes(kinds->any, kinds->set.count, kinds->vague))
        return 0;
    when.unknown = when.unknown ? when.unknown : kinds->doubt;
    r.when = &when;
    r.src = src->set.v;
    r.dst = dst->set.v;
    r.service = kinds->set.v;
    r.src_count = src->any ? 0 : src->set.count;
    r.dst_count = dst->any ? 0 : dst->set.count;
    r.service_count = kinds->any ? 0 : kinds->set.count;
    bool certain = takes(src->any, src->set.count, NULL) && takes(dst->any, dst->set.count, NULL) &&
                   takes(kinds->any, kinds->set.count, NULL);
    int err = certain && !when.unknown ? fw_rules_add_rule(t->rules, &r) : 0;
    const char *vague = src->vague ? src->vague : dst->vague ? dst->vague : kinds->vague;
    if (err || (!vague && !when.unknown))
        return err;
    when.unknown = when.unknown ? when.unknown : vague;
    r.src_count = src->vague ? 0 : r.src_count;
    r.dst_count = dst->vague ? 0 : r.dst_count;
    r.service_count = kinds->vague ? 0 : r.service_count;
    return fw_rules_add_rule(t->rules, &r);
}
