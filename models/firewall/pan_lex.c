/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Both ways of writing PAN-OS into one tree. */
#include <string.h>

#include "models/base/err.h"
#include "models/firewall/pan.h"

enum { DEPTH_MAX = 64 };

/* One command may set several attributes of an object: `rules R from a to b`. Where an attribute begins anew. */
static const struct restart {
    const char *below; /* the object stands below this word; "": it is this word */
    const char *self;
    const char *const word[24];
} restarts[] = {
    {"rules", NULL,
     {"from", "to", "source", "destination", "source-user", "category", "application", "service", "hip-profiles",
      "action", "log-start", "log-end", "log-setting", "description", "disabled", "schedule", "negate-source",
      "negate-destination", "rule-type", "tag", "to-interface", "source-translation", "destination-translation"}},
    {"static-route", NULL, {"destination", "nexthop", "interface", "metric", "admin-dist", "option"}},
    {"address", NULL, {"ip-netmask", "ip-range", "fqdn", "description", "tag"}},
    {"protocol", NULL, {"port", "source-port", "override"}},
    {NULL, "destination-translation", {"translated-address", "translated-port"}},
};

static bool starts(const struct restart *r, const struct fw_node *object, const char *word)
{
    bool here = r->self ? strcmp(object->word, r->self) == 0
                        : object->parent && strcmp(object->parent->word, r->below) == 0;
    for (size_t i = 0; here && i < sizeof r->word / sizeof *r->word && r->word[i]; i++)
        if (strcmp(r->word[i], word) == 0)
            return true;
    return false;
}

/* The object that the word is the next attribute of; NULL: it goes on below `at`. */
static struct fw_node *restart(struct fw_node *at, const char *word)
{
    if (!at->parent || !at->parent->parent)
        return NULL;
    for (struct fw_node *object = at->parent->parent; object && object->parent; object = object->parent)
        for (size_t i = 0; i < sizeof restarts / sizeof *restarts; i++)
            if (starts(&restarts[i], object, word))
                return object;
    return NULL;
}

static int down(struct pan *p, struct fw_scan *s, struct fw_node **at)
{
    return fw_tree_add(&p->t, *at, s->word, s->line, s->column, at);
}

/* Behind a [: each word is a value of `at`. */
static int list(struct pan *p, struct fw_scan *s, struct fw_node **at)
{
    struct fw_node *attr = *at, *value = attr;
    for (;;) {
        int token = fw_scan_next(&p->t, s, "[]{};");
        if (token < 0)
            return token;
        if (token == FW_BREAK && s->word[0] == ']')
            break;
        if (token == FW_EOL)
            continue;
        if (token != FW_WORD)
            return fw_tree_fail_at(&p->t, s->line, s->column, token == FW_END ? E_TRUNCATED : E_MALFORMED,
                                   "expected ] behind a list");
        value = attr;
        int err = down(p, s, &value);
        err = err ? err : fw_tree_mention(&p->t, value, s->line, false);
        if (err)
            return err;
    }
    *at = value;
    return 0;
}

/* The words of a `set` command up to the line's end. */
static int command(struct pan *p, struct fw_scan *s)
{
    struct fw_node *at = &p->t.root;
    unsigned depth = 0, line = s->line;
    for (;;) {
        int token = fw_scan_next(&p->t, s, "[]");
        int err = token < 0 ? token : 0;
        if (err || token == FW_END || token == FW_EOL)
            return err ? err : at == &p->t.root ? 0 : fw_tree_mention(&p->t, at, line, false);
        if (token == FW_BREAK) {
            if (s->word[0] == ']' || at == &p->t.root)
                return fw_tree_fail_at(&p->t, s->line, s->column, E_MALFORMED, "expected a word, found %s", s->word);
            err = list(p, s, &at);
        } else {
            struct fw_node *object = s->quoted ? NULL : restart(at, s->word);
            if (object) {
                err = fw_tree_mention(&p->t, at, line, false);
                at = object;
            }
            err = err ? err : down(p, s, &at);
        }
        if (!err && ++depth > DEPTH_MAX * 4)
            err = fw_tree_fail_at(&p->t, s->line, s->column, E_RANGE, "expected at most %d words", DEPTH_MAX * 4);
        if (err)
            return err;
    }
}

static int commands(struct pan *p, struct fw_scan *s)
{
    for (;;) {
        int token = fw_scan_next(&p->t, s, "[]");
        if (token < 0 || token == FW_END)
            return token < 0 ? token : 0;
        if (token == FW_EOL)
            continue;
        if (token != FW_WORD || strcmp(s->word, "set") != 0)
            return fw_tree_fail_at(&p->t, s->line, s->column, E_MALFORMED, "expected set, found \"%.60s\"", s->word);
        int err = command(p, s);
        if (err)
            return err;
    }
}

struct block {
    struct fw_node *node;
    unsigned line, column;
};

/* { opens, ; ends a statement, } closes. */
static int punctuation(struct pan *p, struct fw_scan *s, struct block *block, unsigned *depth, struct fw_node **at)
{
    switch (s->word[0]) {
    case '[':
        return list(p, s, at);
    case '{':
        if (*at == block[*depth].node)
            break;
        if (*depth + 1 == DEPTH_MAX)
            return fw_tree_fail_at(&p->t, s->line, s->column, E_RANGE, "expected at most %d levels", DEPTH_MAX);
        block[++*depth] = (struct block){*at, s->line, s->column};
        return fw_tree_mention(&p->t, *at, s->line, true);
    case ';':
        if (*at == block[*depth].node)
            break;
        int err = fw_tree_mention(&p->t, *at, s->line, false);
        *at = block[*depth].node;
        return err;
    case '}':
        if (*depth == 0 || *at != block[*depth].node)
            break;
        *at = block[--*depth].node;
        return 0;
    }
    return fw_tree_fail_at(&p->t, s->line, s->column, E_MALFORMED, "expected a word, found %s", s->word);
}

static int braces(struct pan *p, struct fw_scan *s)
{
    struct block block[DEPTH_MAX] = {{&p->t.root, 1, 1}};
    struct fw_node *at = &p->t.root;
    unsigned depth = 0, words = 0;
    for (;;) {
        int token = fw_scan_next(&p->t, s, "[]{};");
        int err = token < 0 ? token : 0;
        if (token == FW_END) {
            if (depth || at != &p->t.root)
                return fw_tree_fail_at(&p->t, block[depth].line, block[depth].column, E_TRUNCATED,
                                       "this block has no end: the file is cut off");
            return 0;
        }
        if (token == FW_WORD) {
            err = down(p, s, &at);
            if (!err && ++words > DEPTH_MAX)
                err = fw_tree_fail_at(&p->t, s->line, s->column, E_MALFORMED, "expected { or ; behind so many words");
        } else if (token == FW_BREAK) {
            err = punctuation(p, s, block, &depth, &at);
            words = 0;
        }
        if (err)
            return err;
    }
}

int pan_read(struct pan *p)
{
    const struct fw_source *src = p->t.src;
    size_t bom = src->len >= 3 && memcmp(src->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    struct fw_scan s = {.text = src->text, .len = src->len, .at = bom, .line = 1};
    int token;
    do
        token = fw_scan_next(&p->t, &s, "[]{};");
    while (token == FW_EOL);
    if (token < 0)
        return token;
    bool set = token == FW_WORD && strcmp(s.word, "set") == 0;
    s = (struct fw_scan){.text = src->text, .len = src->len, .at = bom, .line = 1};
    return set ? commands(p, &s) : braces(p, &s);
}
