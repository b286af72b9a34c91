/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iptables-save and ip6tables-save: the file, its tables and chains, and the words of a line. */
#include "models/firewall/iptables.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"

#define NONE INT_MIN
/* Hooks and priorities of the kernel's tables, in the order of enum fw_hook. */
static const struct ipt_table tables[] = {
    {"raw", {FW_PRIO_RAW, NONE, NONE, FW_PRIO_RAW, NONE}, false},
    {"mangle", {FW_PRIO_MANGLE, FW_PRIO_MANGLE, FW_PRIO_MANGLE, FW_PRIO_MANGLE, FW_PRIO_MANGLE}, false},
    {"nat", {FW_PRIO_DSTNAT, FW_PRIO_SRCNAT, NONE, FW_PRIO_DSTNAT, FW_PRIO_SRCNAT}, true},
    {"filter", {NONE, FW_PRIO_FILTER, FW_PRIO_FILTER, FW_PRIO_FILTER, NONE}, false},
    {"security", {NONE, 50, 50, 50, NONE}, false},
    {0},
};
static const char *const hooks[FW_HOOK_COUNT] = {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"};

/* ---- messages and words ---- */

int ipt_fail(struct ipt *t, size_t word, int err, const char *fmt, ...)
{
    struct fw_diag *d = t->nf.diag;
    d->line = t->line ? t->line : 1;
    d->column = word < t->words ? t->word[word].column : (unsigned)t->raw_len + 1;
    struct text out = text_of(d->text, sizeof d->text);
    va_list ap;
    va_start(ap, fmt);
    text_vadd(&out, fmt, ap);
    va_end(ap);
    return err;
}

int ipt_expected(struct ipt *t, const char *what)
{
    size_t last = t->at ? t->at - 1 : 0;
    return ipt_fail(t, last, E_MALFORMED, "expected %s, found \"%.60s\"", what, t->word[last].text);
}

/* One word from text[*at], quotes and backslashes undone in place; false: the quote has no end. */
static bool cut_word(struct ipt *t, size_t *at)
{
    char *out = t->words_of + *at, *p = out;
    char quote = '\0';
    t->word[t->words++] = (struct ipt_word){out, (unsigned)*at + 1};
    for (; *p && (quote || (*p != ' ' && *p != '\t')); p++) {
        if (!quote && (*p == '"' || *p == '\''))
            quote = *p;
        else if (quote && *p == quote)
            quote = '\0';
        else if (quote && *p == '\\' && p[1])
            *out++ = *++p;
        else
            *out++ = *p;
    }
    *at = (size_t)(p - t->words_of) + (*p != '\0');
    *out = '\0';
    return !quote;
}

static int split(struct ipt *t)
{
    t->words = t->at = 0;
    memcpy(t->words_of, t->text, t->raw_len + 1);
    for (size_t i = 0; i < t->raw_len;) {
        if (t->words_of[i] == ' ' || t->words_of[i] == '\t') {
            i++;
            continue;
        }
        if (t->words == IPT_WORDS_MAX)
            return ipt_fail(t, 0, E_RANGE, "expected at most %d words on a line", IPT_WORDS_MAX);
        if (!cut_word(t, &i))
            return ipt_fail(t, t->words - 1, E_TRUNCATED, "this quoted text has no end");
    }
    return 0;
}

static void count(struct ipt *t, bool modelled)
{
    t->nf.rules->lines.modelled += modelled;
    t->nf.rules->lines.no_effect += !modelled;
}

/* ---- tables and chains ---- */

static struct ipt_section *here(struct ipt *t)
{
    return t->now ? &t->section[t->now - 1] : NULL;
}

static int section_begin(struct ipt *t)
{
    const struct ipt_table *table = tables;
    while (table->name && strcmp(table->name, t->word[0].text + 1) != 0)
        table++;
    if (!table->name)
        return ipt_fail(t, 0, E_UNSUPPORTED, "expected a table (raw, mangle, nat, filter, security), found \"%.40s\"",
                        t->word[0].text + 1);
    if (here(t))
        return ipt_fail(t, 0, E_MALFORMED, "expected COMMIT before the next table");
    if (t->sections == IPT_SECTIONS_MAX && t->pass == IPT_FAMILIES)
        return ipt_fail(t, 0, E_RANGE, "expected at most %d tables", IPT_SECTIONS_MAX);
    t->now = t->pass == IPT_FAMILIES ? ++t->sections : t->sections + 1;
    if (t->pass != IPT_FAMILIES)
        t->sections++;
    struct ipt_section *s = here(t);
    if (t->pass == IPT_FAMILIES)
        *s = (struct ipt_section){table, t->header, t->line};
    for (size_t i = 0; i + 1 < t->now && t->pass == IPT_NAMES; i++)
        if (t->section[i].table == table && t->section[i].family == s->family)
            return ipt_fail(t, 0, E_EXISTS, "this table was there before, in line %u", t->section[i].line);
    if (t->pass == IPT_RULES)
        count(t, true);
    return 0;
}

/* Unique in the file. */
static const char *key_of(struct ipt *t, const char *chain)
{
    const struct ipt_section *s = here(t);
    snprintf(t->key, sizeof t->key, "%s %s %s", s->family == IP_V6 ? "ip6" : "ip", s->table->name, chain);
    return t->key;
}

static struct nf_chain *chain_find(struct ipt *t, const char *name)
{
    return nf_chain_find(&t->nf, key_of(t, name));
}

static struct nf_chain *chain_add(struct ipt *t, const char *name)
{
    const char *key = key_of(t, name);
    bool filter = strcmp(here(t)->table->name, "filter") == 0, six = here(t)->family == IP_V6;
    const char *shown = arena_format(&t->nf.memory, "%s%s%s%s", six ? "ip6 " : "", filter ? "" : here(t)->table->name,
                                     filter ? "" : " ", name);
    return nf_chain_add(&t->nf, key, shown, t->line);
}

/* The hook of a built-in chain of the table; FW_HOOK_COUNT: it is none. */
static int hook_of(const struct ipt_table *table, const char *name)
{
    int h = 0;
    while (h < FW_HOOK_COUNT && (strcmp(hooks[h], name) != 0 || table->priority[h] == NONE))
        h++;
    return h;
}

static int add_base(struct ipt *t, const char *name, int hook, enum fw_action policy)
{
    const struct ipt_section *s = here(t);
    struct nf_chain *c = chain_find(t, name);
    struct fw_base_spec spec = {.list = c->name, .hook = (enum fw_hook)hook, .priority = s->table->priority[hook],
                                .nat = s->table->nat, .policy = policy, .family = s->family,
                                .line = t->text[0] ? t->line : 0, .text = t->text};
    return fw_rules_add_base(t->nf.rules, &spec);
}

static int chain_line(struct ipt *t)
{
    const char *name = t->word[0].text + 1, *policy = t->words > 1 ? t->word[1].text : "";
    if (!here(t))
        return ipt_fail(t, 0, E_MALFORMED, "expected a table (\"*filter\") before its chains");
    bool accept = strcmp(policy, "ACCEPT") == 0, drop = strcmp(policy, "DROP") == 0;
    int hook = hook_of(here(t)->table, name);
    if (!*name || t->words > 3 || !(hook == FW_HOOK_COUNT ? strcmp(policy, "-") == 0 : accept || drop))
        return ipt_fail(t, 1, E_MALFORMED, "expected :CHAIN and ACCEPT or DROP (of a chain that the table has), or -");
    if (t->pass == IPT_NAMES) {
        if (chain_find(t, name))
            return ipt_fail(t, 0, E_EXISTS, "this chain was there before");
        struct nf_chain *c = chain_add(t, name);
        c->base = hook < FW_HOOK_COUNT;
        c->hooks = c->base ? 1u << hook : 0;
        return 0;
    }
    if (t->pass == IPT_RULES) {
        count(t, true);
        return hook < FW_HOOK_COUNT ? add_base(t, name, hook, accept ? FW_PERMIT : FW_DENY) : 0;
    }
    return 0;
}

/* ---- rules ---- */

/* Words that tell the family of a table. */
static uint8_t family_of(const char *word)
{
    static const struct {
        const char *word;
        uint8_t family;
    } tell[] = {{"--icmpv6-type", IP_V6}, {"ipv6-icmp", IP_V6}, {"icmpv6", IP_V6}, {"icmp6", IP_V6},
                {"--icmp-type", IP_V4},   {"icmp", IP_V4},      {"hl", IP_V6},     {"ttl", IP_V4}};
    for (size_t i = 0; i < sizeof tell / sizeof *tell; i++)
        if (strcmp(word, tell[i].word) == 0)
            return tell[i].family;
    if (strncmp(word, "icmp6-", 6) == 0 || strncmp(word, "icmp-", 5) == 0)
        return word[4] == '6' ? IP_V6 : IP_V4;
    struct ip_prefix p;
    if (!prefix_parse(word, &p))
        return p.ip.family;
    return 0;
}

static int rule_family(struct ipt *t)
{
    for (size_t i = 2; i < t->words && !here(t)->family; i++)
        if (strcmp(t->word[i - 1].text, "--comment") != 0)
            here(t)->family = family_of(t->word[i].text);
    return 0;
}

static bool is(const char *word, const char *a, const char *b)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

/* Free text stands behind these. */
static bool is_prose(const char *word)
{
    return is(word, "--comment", "--log-prefix") || is(word, "--nflog-prefix", "--string");
}

static void name_interface(struct ipt *t, size_t i)
{
    i += i < t->words && strcmp(t->word[i].text, "!") == 0;
    size_t n = i < t->words ? strlen(t->word[i].text) : 0;
    if (n && t->word[i].text[n - 1] != '+')
        nf_name_interface(&t->nf, t->word[i].text);
}

/* The chain that a rule is appended to: a built-in one need not be declared. */
static int own_chain(struct ipt *t, struct nf_chain **out)
{
    const char *name = t->word[1].text;
    struct nf_chain *c = *out = chain_find(t, name);
    int hook = hook_of(here(t)->table, name);
    if (c || hook == FW_HOOK_COUNT)
        return 0;
    *out = c = chain_add(t, name);
    c->base = true;
    c->hooks = 1u << hook;
    t->text[0] = '\0'; /* the policy stands in no line */
    return add_base(t, name, hook, FW_PERMIT);
}

static int rule_names(struct ipt *t)
{
    struct nf_chain *from;
    int err = own_chain(t, &from);
    if (err)
        return err;
    if (!from)
        return ipt_fail(t, 1, E_MALFORMED, "expected the name of a chain of this table, found \"%.60s\"",
                        t->word[1].text);
    for (size_t i = 2; i < t->words; i++) {
        const char *w = t->word[i].text;
        if (is_prose(w)) {
            i++;
        } else if (is(w, "-i", "--in-interface") || is(w, "-o", "--out-interface")) {
            name_interface(t, i + 1);
        } else if ((is(w, "-j", "--jump") || is(w, "-g", "--goto")) && i + 1 < t->words) {
            struct nf_chain *to = chain_find(t, t->word[i + 1].text);
            const struct ipt_target *target = ipt_target(t->word[i + 1].text);
            if (to && to->base)
                return ipt_fail(t, i + 1, E_MALFORMED, "expected a chain of the user or a target, found \"%.60s\"",
                                t->word[i + 1].text);
            if (to)
                nf_chain_jump(&t->nf, from, to, t->line);
            t->nf.marks_set = t->nf.marks_set || (target && target->does == IPT_MARKS);
        } else if (is(w, "--add-set", "--del-set") || strcmp(w, "--map-set") == 0) {
            ipset_touch(t, i + 1 < t->words ? t->word[i + 1].text : "");
        } else if (is(w, "mark", "connmark") && is(t->word[i - 1].text, "-m", "--match")) {
            t->marks_tested = true;
        }
    }
    if (t->nf.full)
        return ipt_fail(t, 0, E_RANGE, "the file names more than %d interfaces", FW_IFACE_MAX);
    return 0;
}

/* The option in what this rule has loaded, last first. */
static const struct ipt_option *find_option(struct ipt *t, const char *name)
{
    const struct ipt_option *o = ipt_option(ipt_basic, name);
    if (!o && t->goal.target && t->goal.target->option)
        o = ipt_option(t->goal.target->option, name);
    for (size_t i = t->modules; i-- > 0 && !o;)
        if (t->module[i]->option)
            o = ipt_option(t->module[i]->option, name);
    return o;
}

/* Passes over an option that nothing is known of, and what stands behind it. */
static void pass_over(struct ipt *t)
{
    while (t->at < t->words && t->word[t->at].text[0] != '-' && strcmp(t->word[t->at].text, "!") != 0)
        t->at++;
}

static bool any_opaque(const struct ipt *t)
{
    for (size_t i = 0; i < t->modules; i++)
        if (!t->module[i]->option)
            return true;
    return t->goal.target && !t->goal.target->option;
}

static int load_module(struct ipt *t, const char *name)
{
    static const struct ipt_module stranger = {"?", NULL, NULL};
    const struct ipt_module *m = ipt_module(name);
    if (t->modules == IPT_MODULES_MAX)
        return ipt_fail(t, t->at - 1, E_RANGE, "expected at most %d matches in a rule", IPT_MODULES_MAX);
    t->module[t->modules++] = m ? m : &stranger;
    if (!m)
        nf_and_unknown(&t->rule, arena_format(&t->nf.scratch, "the match \"%.40s\"", name));
    else if (m->why)
        nf_and_unknown(&t->rule, arena_format(&t->nf.scratch, "%s: %s", m->name, m->why));
    return 0;
}

static int jump(struct ipt *t, const char *name, bool go)
{
    static const struct ipt_target stranger = {"?", IPT_UNTOLD, NULL, "not known to this program"};
    if (t->goal.target || t->goal.chain)
        return ipt_fail(t, t->at - 1, E_MALFORMED, "expected one target, found a second");
    t->goal.word = (unsigned)t->at - 1;
    t->goal.go = go;
    t->goal.chain = chain_find(t, name);
    if (!t->goal.chain && go)
        return ipt_expected(t, "the name of a chain of this table");
    if (!t->goal.chain) {
        t->goal.target = ipt_target(name);
        t->goal.target = t->goal.target ? t->goal.target : &stranger;
    }
    return 0;
}

static int option(struct ipt *t)
{
    size_t first = t->at;
    bool negated = strcmp(t->word[t->at].text, "!") == 0;
    t->at += negated;
    const char *name = t->at < t->words ? t->word[t->at].text : "";
    if (*name != '-' || !name[1])
        return ipt_fail(t, t->at, E_MALFORMED, "expected an option, found \"%.60s\"", name);
    t->at++;
    if (t->at + 1 < t->words && strcmp(t->word[t->at].text, "!") == 0) { /* as before iptables 1.4: -d ! NET */
        if (negated)
            return ipt_fail(t, t->at, E_MALFORMED, "expected one \"!\", found two");
        negated = true;
        t->at++;
    }
    bool match = is(name, "-m", "--match"), go = is(name, "-g", "--goto");
    if (match || go || is(name, "-j", "--jump")) {
        if (t->at == t->words || negated)
            return ipt_fail(t, t->at, E_MALFORMED, "expected a name behind %s", name);
        t->at++;
        return match ? load_module(t, t->word[t->at - 1].text) : jump(t, t->word[t->at - 1].text, go);
    }
    const struct ipt_option *o = find_option(t, name);
    if (!o) {
        if (!any_opaque(t))
            nf_and_unknown(&t->rule, arena_format(&t->nf.scratch, "the option \"%.40s\"", name));
        pass_over(t);
        return 0;
    }
    for (unsigned i = 0; i < o->args; i++) {
        if (t->at == t->words)
            return ipt_fail(t, t->words, E_MALFORMED, "expected a value behind %s, found the end of the line", name);
        t->arg[i] = t->word[t->at++].text;
    }
    if (o->why)
        nf_and_unknown(&t->rule, arena_format(&t->nf.scratch, "%s: %s", o->name, o->why));
    int err = o->run ? o->run(t, negated) : 0;
    if (!err && t->rule.err)
        return ipt_fail(t, first, t->rule.err, "the rule, expanded, is too large for this program");
    return err;
}

static int rule_line(struct ipt *t)
{
    if (!here(t))
        return ipt_fail(t, 0, E_MALFORMED, "expected a table (\"*filter\") before its rules");
    if (t->words < 2)
        return ipt_fail(t, 1, E_MALFORMED, "expected the name of a chain");
    if (t->pass == IPT_FAMILIES)
        return rule_family(t);
    if (t->pass == IPT_NAMES)
        return rule_names(t);
    nf_rule_begin(&t->rule, &t->nf, chain_find(t, t->word[1].text), here(t)->family);
    t->modules = 0;
    t->proto = 0;
    t->no_way_back = false;
    t->goal = (struct ipt_goal){0};
    int err = 0;
    for (t->at = 2; t->at < t->words && !err;)
        err = option(t);
    return err ? err : ipt_finish(t);
}

/* ---- lines ---- */

static void header(struct ipt *t)
{
    if (strstr(t->text, "ip6tables-save"))
        t->header = IP_V6;
    else if (strstr(t->text, "iptables-save") && strstr(t->text, "Generated by"))
        t->header = IP_V4;
}

static int set_line(struct ipt *t, int (*run)(struct ipt *t))
{
    if (t->pass == IPT_RULES)
        count(t, true);
    return t->pass == IPT_NAMES ? run(t) : 0;
}

/* "[12:3456] -A ..." */
static bool is_counter(const char *w)
{
    size_t n = strspn(w + (*w == '['), "0123456789");
    return *w == '[' && w[1 + n] == ':' && strspn(w + 2 + n, "0123456789") + 3 + n == strlen(w) &&
           w[strlen(w) - 1] == ']';
}

static int words(struct ipt *t)
{
    if (is_counter(t->word[0].text) && t->words > 1) {
        t->words--;
        memmove(t->word, t->word + 1, t->words * sizeof *t->word);
    }
    const char *w = t->word[0].text;
    if (*w == '*')
        return section_begin(t);
    if (*w == ':')
        return chain_line(t);
    if (is(w, "-A", "--append"))
        return rule_line(t);
    if (strcmp(w, "create") == 0)
        return set_line(t, ipset_create);
    if (strcmp(w, "add") == 0)
        return set_line(t, ipset_add);
    if (strcmp(w, "COMMIT") != 0)
        return ipt_fail(t, 0, E_MALFORMED, "expected *TABLE, :CHAIN, -A, COMMIT, create or add, found \"%.60s\"", w);
    if (!here(t))
        return ipt_fail(t, 0, E_MALFORMED, "expected a table before COMMIT");
    t->now = 0;
    if (t->pass == IPT_RULES)
        count(t, false);
    return 0;
}

static int take_line(struct ipt *t, const char *text, size_t len, size_t *at)
{
    const char *p = text + *at, *eol = memchr(p, '\n', len - *at);
    size_t n = eol ? (size_t)(eol - p) : len - *at;
    *at += n + (eol != NULL);
    t->line++;
    t->words = 0;
    while (n > 0 && (p[n - 1] == '\r' || p[n - 1] == ' ' || p[n - 1] == '\t'))
        n--;
    t->raw_len = 0;
    if (n >= IPT_LINE_MAX)
        return ipt_fail(t, 0, E_RANGE, "expected at most %d bytes on a line, found %zu", IPT_LINE_MAX - 1, n);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)p[i] < ' ' && p[i] != '\t') {
            t->raw_len = i;
            return ipt_fail(t, 0, E_MALFORMED, "expected text, found byte %u", (unsigned)(unsigned char)p[i]);
        }
    memcpy(t->text, p, n);
    t->text[n] = '\0';
    t->raw_len = n;
    return 0;
}

static int line(struct ipt *t)
{
    const char *p = t->text + strspn(t->text, " \t");
    if (!*p || *p == '#') {
        header(t);
        if (t->pass == IPT_RULES)
            count(t, false);
        return 0;
    }
    int err = split(t);
    return err ? err : words(t);
}

/* A table without a word that tells its family is of that of the others. */
static void settle_families(struct ipt *t)
{
    bool four = false, six = false;
    for (size_t i = 0; i < t->sections; i++) {
        four = four || t->section[i].family == IP_V4;
        six = six || t->section[i].family == IP_V6;
    }
    for (size_t i = 0; i < t->sections; i++)
        if (!t->section[i].family)
            t->section[i].family = six && !four ? IP_V6 : IP_V4;
}

static int read_pass(struct ipt *t, const char *text, size_t len)
{
    t->line = 0;
    t->now = t->sections = 0;
    t->header = 0;
    int err = 0;
    for (size_t at = 0; at < len && !err;) {
        err = take_line(t, text, len, &at);
        err = err ? err : line(t);
    }
    if (err)
        return err;
    t->words = 0;
    if (here(t))
        return ipt_fail(t, 0, E_TRUNCATED, "the table of line %u has no COMMIT: the file is cut off", here(t)->line);
    if (!t->sections)
        return ipt_fail(t, 0, E_MALFORMED, "the file has no table (\"*filter\")");
    return 0;
}

static int read_all(struct ipt *t, const char *text, size_t len)
{
    for (int pass = IPT_FAMILIES; pass < IPT_PASSES; pass++) {
        t->pass = (enum ipt_pass)pass;
        int err = read_pass(t, text, len);
        if (err)
            return err;
        if (pass == IPT_FAMILIES)
            settle_families(t);
        const char *why;
        unsigned at;
        if (pass == IPT_NAMES && nf_chains_follow(&t->nf, &at, &why)) {
            t->line = at;
            t->raw_len = 0;
            return ipt_fail(t, 0, E_RANGE, "%s", why);
        }
    }
    t->nf.rules->lines.total = t->line;
    return 0;
}

bool fw_iptables_recognise(const char *text, size_t len)
{
    static const char *const said[] = {"*filter", "*nat", "*mangle", "*raw", "*security", ":INPUT ", ":FORWARD "};
    for (size_t at = 0; at < len;) {
        const char *p = text + at, *eol = memchr(p, '\n', len - at);
        size_t n = eol ? (size_t)(eol - p) : len - at;
        for (size_t i = 0; i < sizeof said / sizeof *said; i++)
            if (n >= strlen(said[i]) && memcmp(p, said[i], strlen(said[i])) == 0)
                return true;
        at += n + 1;
    }
    return false;
}

int fw_iptables_parse(const struct fw_source *src, struct fw_rules **out, struct fw_diag *diag)
{
    struct ipt *t = calloc(1, sizeof *t);
    if (!t)
        return E_NOMEM;
    int err = nf_open(&t->nf, src, diag);
    err = err ? err : read_all(t, src->text, src->len);
    err = nf_close(&t->nf, err, out);
    free(t);
    return err;
}
