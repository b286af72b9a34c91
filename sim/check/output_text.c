/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report for a person at two in the morning: the verdict, what is blocked and by which line, what to change. Rows
 * that fare alike at the same firewall are told once; where all is well there is little to read. */
#include "sim/check/output.h"

enum { LISTED_MAX = 4 /* boxes, lines, findings of a kind */, LABEL = 14, TEXT_MAX = 1024 };

struct pen {
    struct sink *s;
    const struct check_report *r;
    bool colour;
};

void output_word(struct sink *s, bool colour, enum output_ink ink, const char *word)
{
    static const char *const codes[] = {"\033[1;31m", "\033[1;32m", "\033[1;33m", "\033[1m"};
    sink_f(s, "%s%s%s", colour ? codes[ink] : "", word, colour ? "\033[0m" : "");
}

static void word(const struct pen *p, enum output_ink ink, const char *text)
{
    output_word(p->s, p->colour, ink, text);
}

void output_field(struct sink *s, const char *label, const char *text)
{
    if (!text || !text[0])
        return;
    sink_f(s, "  %-*s", LABEL - 2, label);
    sink_wrapped(s, LABEL, text);
}

static void field(const struct pen *p, const char *label, const char *text)
{
    output_field(p->s, label, text);
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

/* ---- the verdict ---- */

static void count_word(struct text *t, size_t n, const char *what)
{
    if (n)
        text_add(t, ", %zu %s", n, what);
}

static void verdict(const struct pen *p)
{
    const struct check_report *r = p->r;
    struct check_count n = check_counts(r);
    char buf[TEXT_MAX];
    struct text t = text_of(buf, sizeof buf);
    bool holds = check_holds(r);
    text_add(&t, "%s: %zu of %zu question%s pass", r->topology, n.verdict[CHECK_PASS], r->answers.count,
             plural(r->answers.count));
    count_word(&t, n.verdict[CHECK_BLOCKED], "blocked");
    count_word(&t, n.verdict[CHECK_UNKNOWN], "unknown");
    count_word(&t, n.verdict[CHECK_EXPOSED], "open that must be closed");
    count_word(&t, n.verdict[CHECK_DEGRADED], "degraded");
    if (n.level[LEVEL_ERROR])
        text_add(&t, "; %zu error%s beside them", n.level[LEVEL_ERROR], plural(n.level[LEVEL_ERROR]));
    text_add(&t, " (Expressway %s, %s; table%s", r->expressway, r->size, plural(r->tables.count));
    for (size_t i = 0; i < r->tables.count; i++)
        text_add(&t, "%s %s", i ? "," : "", r->tables.items[i]);
    text_add(&t, ")");
    word(p, holds ? INK_GREEN : INK_RED, holds ? "PASS" : "FAIL");
    sink_text(p->s, "  ");
    sink_wrapped(p->s, 6, buf);
}

/* ---- rows ---- */

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_boxes(const struct check_boxes *a, const struct check_boxes *b)
{
    if (a->box.count != b->box.count || a->more != b->more)
        return false;
    for (size_t i = 0; i < a->box.count; i++) {
        const struct check_box *x = &a->box.items[i], *y = &b->box.items[i];
        if (!same(x->src, y->src) || !same(x->dst, y->dst) || !same(x->proto, y->proto) ||
            !same(x->sport, y->sport) || !same(x->dport, y->dport))
            return false;
    }
    return true;
}

/* Blocked as a whole: which packets these are, the row says. */
static bool is_whole(const struct check_hop *h)
{
    return h->permitted.box.count == 0 && (h->blocked.box.count == 0 || h->unknown.box.count == 0);
}

static bool same_hop(const struct check_hop *a, const struct check_hop *b)
{
    if (a->verdict == CHECK_PASS && b->verdict == CHECK_PASS)
        return true; /* not told */
    if (a->verdict != b->verdict || !same(a->node, b->node) || !same(a->direction, b->direction) ||
        !same(a->reason, b->reason) || a->by.count != b->by.count)
        return false;
    if (!(is_whole(a) && is_whole(b)) &&
        (!same_boxes(&a->permitted, &b->permitted) || !same_boxes(&a->blocked, &b->blocked) ||
         !same_boxes(&a->unknown, &b->unknown)))
        return false;
    for (size_t i = 0; i < a->by.count; i++)
        if (a->by.items[i].line != b->by.items[i].line || !same(a->by.items[i].says, b->by.items[i].says))
            return false;
    return true;
}

/* The n-th hop that is told; NULL: there are fewer. */
static const struct check_hop *told_hop(const struct check_answer *a, size_t n)
{
    for (size_t i = 0; i < a->hops.count; i++)
        if (a->hops.items[i].verdict != CHECK_PASS && n-- == 0)
            return &a->hops.items[i];
    return NULL;
}

static bool alike(const struct check_answer *a, const struct check_answer *b)
{
    if (a->verdict != b->verdict || !same(a->why, b->why))
        return false;
    for (size_t i = 0;; i++) {
        const struct check_hop *x = told_hop(a, i), *y = told_hop(b, i);
        if (!x || !y)
            return x == y;
        if (!same_hop(x, y))
            return false;
    }
}

void output_ranges(struct text *t, const char *ranges)
{
    enum { RANGES_MAX = 6 };
    const char *p = ranges;
    for (size_t i = 0; i < RANGES_MAX && *p; i++) {
        p += strcspn(p, ",");
        p += strspn(p, ", ");
    }
    size_t more = *p ? 1 : 0;
    for (const char *q = p; *q; q++)
        more += *q == ',';
    size_t n = (size_t)(p - ranges);
    while (more && n && (ranges[n - 1] == ' ' || ranges[n - 1] == ','))
        n--;
    text_add(t, "%.*s", (int)n, ranges);
    if (more)
        text_add(t, " and %zu more", more);
}

/* Many addresses go by the row's name for them when they are all of them. */
static void add_addresses(struct text *t, const char *ranges, bool all, const char *name)
{
    if (all && strpbrk(ranges, ",-"))
        text_add(t, "%s", name);
    else
        output_ranges(t, ranges);
}

/* What of a box a reader needs: what is all that the row (NULL: none) speaks of goes by the row's name for it. */
static void box_text(struct text *t, const struct check_answer *a, const struct check_box *x, bool answers)
{
    text_add(t, "%s ", x->proto);
    add_addresses(t, x->src, a && x->all_src, !a ? "" : answers ? a->to : a->from);
    if (!x->all_sport && strcmp(x->sport, "any") != 0) {
        text_add(t, " ports ");
        output_ranges(t, x->sport);
    }
    text_add(t, " -> ");
    add_addresses(t, x->dst, a && x->all_dst, !a ? "" : answers ? a->from : a->to);
    if (strcmp(x->dport, "any") != 0) {
        text_add(t, " ports ");
        output_ranges(t, x->dport);
    }
}

static void put_boxes(const struct pen *p, const struct check_answer *a, const char *label,
                      const struct check_boxes *b, bool answers)
{
    for (size_t i = 0; i < b->box.count && i < LISTED_MAX; i++) {
        char buf[TEXT_MAX];
        struct text t = text_of(buf, sizeof buf);
        box_text(&t, a, &b->box.items[i], answers);
        field(p, i ? "" : label, buf);
    }
    size_t more = b->more + (b->box.count > LISTED_MAX ? b->box.count - LISTED_MAX : 0);
    if (more)
        sink_f(p->s, "  %-*s... and %zu more\n", LABEL - 2, "", more);
}

void output_line(struct sink *s, const char *label, const struct check_line *l)
{
    char buf[2 * TEXT_MAX];
    struct text t = text_of(buf, sizeof buf);
    if (l->file)
        text_add(&t, "%s:%u: %s", l->file, l->line, l->text ? l->text : "");
    if (l->file && l->says)
        text_add(&t, " (%s)", l->says);
    else if (l->says)
        text_add(&t, "%s", l->says);
    output_field(s, label, buf);
}

static void put_line(const struct pen *p, const char *label, const struct check_line *l)
{
    output_line(p->s, label, l);
}

/* Where a change is told below, of a hint only what is wrong. */
static const char *short_hint(const struct pen *p, const struct check_hop *h, char out[TEXT_MAX])
{
    bool changed = false;
    for (size_t i = 0; i < p->r->repairs.count; i++)
        changed = changed || (p->r->repairs.items[i].proved && same(p->r->repairs.items[i].node, h->node));
    if (!changed)
        return h->suggestion;
    size_t n = strncmp(h->suggestion, "insert before", 13) == 0 ? 0 : strcspn(h->suggestion, ";");
    struct text t = text_of(out, TEXT_MAX);
    text_add(&t, "%.*s", (int)n, h->suggestion);
    return out;
}

/* The n-th told hop of the answers that are like the first: the hints differ. */
static void put_hints(const struct pen *p, size_t first, size_t n)
{
    enum { HINTS_MAX = 3 };
    const char *told[HINTS_MAX];
    char short_one[HINTS_MAX][TEXT_MAX];
    size_t count = 0;
    for (size_t i = first; i < p->r->answers.count && count < HINTS_MAX; i++) {
        if (!alike(&p->r->answers.items[first], &p->r->answers.items[i]))
            continue;
        const struct check_hop *h = told_hop(&p->r->answers.items[i], n);
        const char *hint = h->suggestion ? short_hint(p, h, short_one[count]) : NULL;
        bool known = !hint || !hint[0];
        for (size_t k = 0; k < count; k++)
            known = known || same(told[k], hint);
        if (known)
            continue;
        field(p, count ? "" : "hint", hint);
        told[count++] = hint;
    }
}

static void put_hop(const struct pen *p, size_t first, size_t n, bool one)
{
    const struct check_answer *a = &p->r->answers.items[first];
    const struct check_hop *h = told_hop(a, n);
    char buf[TEXT_MAX];
    struct text t = text_of(buf, sizeof buf);
    text_add(&t, "%s, %s", h->node, h->direction);
    field(p, "at", buf);
    bool answers = strstr(h->direction, "(answers)") != NULL;
    if (one || !is_whole(h)) {
        put_boxes(p, a, "blocked", &h->blocked, answers);
        put_boxes(p, a, "unknown", &h->unknown, answers);
        put_boxes(p, a, "open", &h->permitted, answers);
    } else {
        field(p, h->unknown.box.count ? "unknown" : "blocked", "all of these");
    }
    for (size_t i = 0; i < h->by.count && i < LISTED_MAX; i++)
        put_line(p, i ? "" : "by", &h->by.items[i]);
    field(p, "why", h->reason);
    put_hints(p, first, n);
}

static const struct {
    const char *word;
    enum output_ink ink;
} verdicts[CHECK_VERDICTS] = {[CHECK_PASS] = {"PASS", INK_GREEN},
                              [CHECK_DEGRADED] = {"DEGRADED", INK_YELLOW},
                              [CHECK_UNKNOWN] = {"UNKNOWN", INK_RED},
                              [CHECK_BLOCKED] = {"BLOCKED", INK_RED},
                              [CHECK_EXPOSED] = {"EXPOSED", INK_RED}};

/* "2.14 TURN media, tcp, any -> expressway-e", and the rows that fare alike below it. True: it is the only one. */
static bool put_rows(const struct pen *p, size_t first)
{
    enum { ROWS_MAX = 8 };
    const struct check_answer *a = &p->r->answers.items[first];
    sink_text(p->s, "\n");
    word(p, verdicts[a->verdict].ink, verdicts[a->verdict].word);
    int pad = (int)(LABEL - 4 - strlen(verdicts[a->verdict].word));
    size_t rows = 0;
    char more[TEXT_MAX];
    struct text m = text_of(more, sizeof more);
    for (size_t i = first; i < p->r->answers.count; i++) {
        const struct check_answer *b = &p->r->answers.items[i];
        if (!alike(a, b))
            continue;
        bool again = i > first && same(b->row, b[-1].row) && same(b->protocol, b[-1].protocol) && alike(b, &b[-1]);
        if (again) { /* another choice of ports */
            rows++;
            continue;
        }
        if (rows++ >= ROWS_MAX) {
            text_add(&m, "%s%s %s", m.len ? ", " : "and ", b->row, b->protocol);
            continue;
        }
        char buf[TEXT_MAX];
        struct text t = text_of(buf, sizeof buf);
        text_add(&t, "%s %s, %s, %s -> %s", b->row, b->purpose, b->protocol, b->from, b->to);
        sink_f(p->s, "%*s", pad, "");
        sink_wrapped(p->s, LABEL - 4, buf);
        pad = LABEL - 4;
    }
    if (m.len) {
        sink_f(p->s, "%*s", pad, "");
        sink_wrapped(p->s, LABEL - 4, more);
    }
    return rows == 1;
}

/* Worst first; answers that fare alike once. */
static void rows(const struct pen *p)
{
    const struct check_report *r = p->r;
    for (int v = CHECK_VERDICTS - 1; v > CHECK_PASS; v--)
        for (size_t i = 0; i < r->answers.count; i++) {
            const struct check_answer *a = &r->answers.items[i];
            bool told = (int)a->verdict != v;
            for (size_t k = 0; !told && k < i; k++)
                told = alike(&r->answers.items[k], a);
            if (told)
                continue;
            bool one = put_rows(p, i);
            field(p, "why", a->why);
            field(p, "but", a->excused);
            for (size_t h = 0; told_hop(a, h); h++)
                put_hop(p, i, h, one);
        }
}

/* ---- what to do ---- */

static void paste(const struct pen *p, const char *text)
{
    for (const char *line = text; *line;) {
        size_t n = strcspn(line, "\n");
        char buf[2 * TEXT_MAX];
        struct text t = text_of(buf, sizeof buf);
        text_add(&t, "%.*s", (int)n, line);
        sink_text(p->s, "    ");
        sink_wrapped(p->s, 6, buf);
        line += n + (line[n] == '\n');
    }
}

static void repairs(const struct pen *p)
{
    for (size_t i = 0; i < p->r->repairs.count; i++) {
        const struct check_repair *x = &p->r->repairs.items[i];
        sink_text(p->s, "\n");
        word(p, INK_BOLD, "CHANGE");
        sink_text(p->s, "    ");
        char buf[TEXT_MAX];
        struct text t = text_of(buf, sizeof buf);
        text_add(&t, "%s: %s", x->node,
                 x->proved           ? "with this, read and checked again, every row passes here"
                 : x->changes.count  ? "with this, read and checked again, fewer rows fail here, but some do"
                                     : "no change of its rules mends what fails here");
        sink_wrapped(p->s, LABEL - 4, buf);
        for (size_t k = 0; k < x->changes.count; k++) {
            const struct check_change *c = &x->changes.items[k];
            bool adds = c->text[0] != '\0';
            if (c->remove) {
                sink_f(p->s, "  %s %s:%u\n", adds ? "in place of" : "remove", c->file, c->line);
                paste(p, c->remove);
            }
            if (adds && c->line)
                sink_f(p->s, c->remove ? "  write\n" : "  before %s:%u\n", c->file, c->line);
            else if (adds)
                sink_f(p->s, "  at the end of %s\n", c->file);
            paste(p, c->text);
        }
        field(p, "note", x->note);
    }
}

static void put_finding(const struct pen *p, const struct check_finding *f)
{
    static const struct {
        const char *word;
        enum output_ink ink;
    } levels[] = {{"NOTE", INK_BOLD}, {"WARNING", INK_YELLOW}, {"ERROR", INK_RED}};
    sink_text(p->s, "\n");
    word(p, levels[f->level].ink, levels[f->level].word);
    sink_f(p->s, "%*s", (int)(LABEL - 4 - strlen(levels[f->level].word)), "");
    char buf[2 * TEXT_MAX];
    struct text t = text_of(buf, sizeof buf);
    text_add(&t, "%s%s%s", f->node ? f->node : "", f->node ? ": " : "", f->what);
    sink_wrapped(p->s, LABEL - 4, buf);
    if (f->file && f->line)
        put_line(p, "line", &(struct check_line){f->file, f->line, f->text, NULL});
    for (size_t i = 0; i < f->lines.count && i < LISTED_MAX; i++)
        put_line(p, i ? "" : "see", &f->lines.items[i]);
    if (f->level == LEVEL_NOTE)
        return; /* the rest is in the other formats */
    put_boxes(p, NULL, "packets", &f->packets, false);
    field(p, "change", f->change);
}

/* Of each kind and level the first few; the rest is counted. */
static void findings(const struct pen *p)
{
    const struct check_report *r = p->r;
    for (int level = LEVEL_ERROR; level >= LEVEL_NOTE; level--)
        for (const struct check_finding_kind *k = check_finding_kinds; k->id; k++) {
            size_t n = 0;
            for (size_t i = 0; i < r->findings.count; i++) {
                const struct check_finding *f = &r->findings.items[i];
                if ((int)f->level != level || strcmp(f->id, k->id) != 0)
                    continue;
                if (n++ < (level == LEVEL_NOTE ? 1 : LISTED_MAX))
                    put_finding(p, f);
            }
            size_t told = level == LEVEL_NOTE ? 1 : LISTED_MAX;
            if (n > told)
                sink_f(p->s, "  %-*s... and %zu more of these (--format json has all)\n", LABEL - 2, "", n - told);
        }
}

/* ---- what was read ---- */

static void first_lines(const struct pen *p, const char *label, const struct check_line *line, size_t count)
{
    for (size_t k = 0; k < count && k < LISTED_MAX; k++)
        put_line(p, k ? "" : label, &line[k]);
    if (count > LISTED_MAX)
        sink_f(p->s, "  %-*s... and %zu more\n", LABEL - 2, "", count - LISTED_MAX);
}

static void files(const struct pen *p)
{
    const struct check_report *r = p->r;
    sink_text(p->s, "\n");
    for (size_t i = 0; i < r->files.count; i++) {
        const struct check_file *f = &r->files.items[i];
        char buf[TEXT_MAX];
        struct text t = text_of(buf, sizeof buf);
        if (f->lines.total)
            text_add(&t, "%s: %s: %u lines, %u modelled, %u of no effect, %u unsupported", f->node, f->file,
                     f->lines.total, f->lines.modelled, f->lines.no_effect, f->lines.unsupported);
        else
            text_add(&t, "%s: in the topology", f->node);
        field(p, i ? "" : "rules", buf);
        first_lines(p, "unsupported", f->unsupported.items, f->unsupported.count);
        first_lines(p, "note", f->notes.items, f->notes.count);
    }
}

/* The rows with the same reason together. */
static void skipped(const struct pen *p)
{
    const struct check_report *r = p->r;
    for (size_t i = 0; i < r->skipped.count; i++) {
        char buf[TEXT_MAX];
        struct text t = text_of(buf, sizeof buf);
        bool told = false;
        for (size_t k = 0; k < i; k++)
            told = told || same(r->skipped.items[k].why, r->skipped.items[i].why);
        if (told)
            continue;
        text_add(&t, "%s: ", r->skipped.items[i].why);
        for (size_t k = i; k < r->skipped.count; k++)
            if (same(r->skipped.items[k].why, r->skipped.items[i].why))
                text_add(&t, "%s%s", k == i ? "" : ", ", r->skipped.items[k].row);
        field(p, i ? "" : "not asked", buf);
    }
}

static void simulated(const struct pen *p)
{
    const struct check_report *r = p->r;
    if (!r->simulated && !r->call)
        return;
    char buf[TEXT_MAX];
    struct text t = text_of(buf, sizeof buf);
    text_add(&t, "%zu packets through the simulated firewalls: %zu disagreement%s with the answers above",
             r->simulated, r->disagreements.count, plural(r->disagreements.count));
    if (r->call)
        text_add(&t, "; the call: %s", r->call);
    field(p, "simulated", buf);
    for (size_t i = 0; i < r->disagreements.count && i < LISTED_MAX; i++) {
        sink_text(p->s, "\n");
        word(p, INK_RED, "BUG");
        sink_text(p->s, "       ");
        sink_wrapped(p->s, LABEL - 4, r->disagreements.items[i]);
    }
}

void check_write_text(struct sink *s, const struct check_report *r, bool colour)
{
    struct pen p = {s, r, colour};
    verdict(&p);
    rows(&p);
    repairs(&p);
    findings(&p);
    files(&p);
    skipped(&p);
    simulated(&p);
}
