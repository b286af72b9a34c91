/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading a file of the family line by line, three times, by the tables of its dialect. */
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/firewall/asa.h"
#include "models/firewall/parts.h"

const struct asa_command asa_anything[] = {
    {"", ASA_OBJECTS, NULL, asa_anything},
    {0},
};

/* ---- doubts ---- */

int asa_taint(struct asa *a, const char *why, struct fw_taint_spec spec)
{
    spec.why = why;
    spec.line = a->line;
    spec.text = a->raw;
    return fw_rules_add_taint(a->rules, &spec) ? asa_no_memory(a) : 0;
}

int asa_no_doubt(struct asa *a, const char *why)
{
    (void)a;
    (void)why;
    return 0;
}

int asa_taint_anywhere(struct asa *a, const char *why)
{
    return asa_taint(a, why, (struct fw_taint_spec){0});
}

int asa_taint_all(struct asa *a, const char *why)
{
    return a->pass == ASA_OBJECTS ? asa_taint(a, why, (struct fw_taint_spec){0}) : 0;
}

/* ---- lines ---- */

static void count(struct asa *a, bool modelled)
{
    a->rules->lines.modelled += modelled;
    a->rules->lines.no_effect += !modelled;
}

static int count_unsupported(struct asa *a, const char *why)
{
    if (a->rules->lines.unsupported == ASA_UNSUPPORTED_MAX)
        return asa_refuse(a, E_MALFORMED, "expected a configuration, found more than %d lines that are not understood",
                          ASA_UNSUPPORTED_MAX);
    return fw_rules_add_unsupported(a->rules, a->line, a->raw, why) ? asa_no_memory(a) : 0;
}

/* The line cannot be taken, as a->diag says. */
static int give_up(struct asa *a, int err, asa_doubt *doubt)
{
    if (a->fatal || err == E_NOMEM)
        return err;
    char why[sizeof a->diag->text];
    memcpy(why, a->diag->text, sizeof why);
    err = count_unsupported(a, why);
    return err || !doubt ? err : doubt(a, why);
}

/* The row whose words the line begins with, behind which reading goes on; the first in order. */
static const struct asa_command *match(struct asa *a, const struct asa_command *table, size_t from)
{
    for (const struct asa_command *c = table; c->words; c++) {
        const char *w = c->words;
        size_t i = from;
        while (*w && i < a->words) {
            size_t n = strcspn(w, " ");
            bool prefix = w[n - 1] == ':'; /* "Cryptochecksum:0123..." */
            if (strncmp(a->word[i].text, w, n) != 0 || (a->word[i].text[n] && !prefix))
                break;
            w += n + (w[n] == ' ');
            i++;
        }
        if (!*w) {
            a->at = i;
            return c;
        }
    }
    return NULL;
}

static const struct asa_command *match_top(struct asa *a)
{
    const struct asa_command *c = match(a, a->dialect->top, 0);
    if (!c)
        c = match(a, a->dialect->quiet, strcmp(a->word[0].text, "no") == 0 && a->words > 1);
    return c;
}

/* Blocks are entered in every pass, so that their lines know where they stand. */
static int run(struct asa *a, const struct asa_command *c)
{
    bool mine = c->run && c->pass == a->pass, opens = c->sub && c->run;
    a->quiet = false;
    a->unsure = NULL;
    a->doubt = NULL;
    int err = mine || opens ? c->run(a) : 0;
    a->lost = a->lost || (err && c->sub);
    if (err && (mine || a->fatal || err == E_NOMEM))
        return give_up(a, err, a->doubt ? a->doubt : a->indented ? a->below : NULL);
    if (mine && !err && a->unsure)
        return count_unsupported(a, a->unsure);
    if (mine || (!c->run && a->pass == ASA_OBJECTS))
        count(a, mine && !a->quiet);
    return 0;
}

/* No row is for the line: counted in the first pass; what it may do is seen to in the pass of its block. */
static int strange(struct asa *a, asa_doubt *doubt, const char *fmt)
{
    a->at = 0;
    int err = asa_fail(a, E_UNSUPPORTED, fmt, asa_peek(a));
    if (a->pass == ASA_OBJECTS)
        return give_up(a, err, doubt);
    char why[sizeof a->diag->text];
    memcpy(why, a->diag->text, sizeof why);
    return doubt ? doubt(a, why) : 0;
}

static int sub_line(struct asa *a)
{
    if (a->lost)
        return strange(a, NULL, "\"%.60s\" stands below a line that is not understood");
    const struct asa_command *c = a->sub ? match(a, a->sub, 0) : NULL;
    if (!c)
        return strange(a, a->below ? a->below : asa_taint_all, "\"%.60s\" is not understood here");
    return run(a, c);
}

static int top_line(struct asa *a)
{
    int err = asa_interface_end(a);
    if (err)
        return err;
    const struct asa_command *c = match_top(a);
    a->sub = c ? c->sub : NULL;
    a->below = NULL;
    a->lost = !c;
    return c ? run(a, c) : strange(a, asa_taint_all, "\"%.60s\" is not understood");
}

/* Inside a certificate any line is data, up to the line `quit`. */
static bool in_certificate(struct asa *a)
{
    if (!a->certificate)
        return false;
    if (a->words == 1 && strcmp(a->word[0].text, "quit") == 0)
        a->certificate = 0;
    return true;
}

/* `banner motd ^C` of IOS: everything up to the same delimiter, which is shown as ^C or is a byte of its own. */
static bool in_banner(struct asa *a)
{
    if (a->banner.line) {
        if (strstr(a->raw, a->banner.delimiter))
            a->banner.line = 0;
        return true;
    }
    if (!a->dialect->banner_ends || a->indented || a->words < 3 || strcmp(a->word[0].text, "banner") != 0)
        return false;
    const char *from = a->raw + a->word[2].column - 1;
    size_t n = *from == '^' && from[1] ? 2 : 1;
    memcpy(a->banner.delimiter, from, n);
    a->banner.delimiter[n] = '\0';
    if (!strstr(from + n, a->banner.delimiter))
        a->banner.line = a->line;
    return true;
}

static int line(struct asa *a)
{
    bool verbatim = a->banner.line != 0;
    int err = verbatim ? 0 : asa_split(a);
    if (err)
        return err;
    bool comment = a->words == 0 || a->word[0].text[0] == '!' || (!a->indented && a->word[0].text[0] == ':');
    if (in_banner(a) || in_certificate(a) || comment) {
        if (!verbatim && !a->certificate && a->words == 2 && strcmp(a->word[0].text, ":") == 0) {
            a->saved = a->saved || (a->line <= 2 && strcmp(a->word[1].text, "Saved") == 0);
            a->ended = a->ended || strcmp(a->word[1].text, "end") == 0;
        }
        if (a->pass == ASA_OBJECTS)
            count(a, false);
        return 0;
    }
    return a->indented ? sub_line(a) : top_line(a);
}

/* ---- passes ---- */

/* The next line of text into a->raw; its end. */
static int take_line(struct asa *a, const char *text, size_t len, size_t *at)
{
    enum { ETX = 3 }; /* the delimiter of a banner, in a file that came from the box itself */
    size_t left = len - *at, seen = left < 4 * ASA_LINE_MAX ? left : 4 * ASA_LINE_MAX; /* blanks at the end go */
    const char *p = text + *at, *eol = memchr(p, '\n', seen);
    size_t n = eol ? (size_t)(eol - p) : seen;
    *at += n + (eol != NULL);
    a->line++;
    a->words = a->at = 0;
    a->raw[0] = '\0';
    if (a->line > ASA_LINES_MAX)
        return asa_refuse(a, E_RANGE, "expected at most %d lines", ASA_LINES_MAX);
    if (!eol && seen < left)
        return asa_refuse(a, E_RANGE, "expected at most %d bytes on a line, found more than %zu", ASA_LINE_MAX - 1,
                          seen);
    while (n > 0 && (p[n - 1] == '\r' || p[n - 1] == ' ' || p[n - 1] == '\t'))
        n--;
    if (n >= ASA_LINE_MAX)
        return asa_refuse(a, E_RANGE, "expected at most %d bytes on a line, found %zu", ASA_LINE_MAX - 1, n);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)p[i] < ' ' && p[i] != '\t' && !(p[i] == ETX && a->dialect->banner_ends)) {
            int err = asa_refuse(a, E_MALFORMED, "expected text, found byte %u", (unsigned)(unsigned char)p[i]);
            a->diag->column = (unsigned)i + 1;
            return err;
        }
    a->indented = n > 0 && (p[0] == ' ' || p[0] == '\t');
    memcpy(a->raw, p, n);
    a->raw[n] = '\0';
    return 0;
}

static int read_pass(struct asa *a, const char *text, size_t len)
{
    a->line = 0;
    a->sub = NULL;
    a->below = NULL;
    a->lost = false;
    a->certificate = a->banner.line = 0;
    int err = 0;
    for (size_t at = 0; at < len && !err;) {
        err = take_line(a, text, len, &at);
        err = err ? err : line(a);
    }
    if (err)
        return err;
    a->raw[0] = '\0';
    a->words = a->at = 0;
    if (a->certificate) {
        a->line = a->certificate;
        return asa_refuse(a, E_TRUNCATED, "this certificate has no end (quit): the file is cut off");
    }
    if (a->banner.line) {
        a->line = a->banner.line;
        return asa_refuse(a, E_TRUNCATED, "this banner has no end (%s): the file is cut off", a->banner.delimiter);
    }
    if (a->saved && !a->ended)
        return asa_refuse(a, E_TRUNCATED, "the file begins with \": Saved\" and has no \": end\": it is cut off");
    unsigned lines = a->line;
    err = asa_interface_end(a);
    err = err || !a->dialect->pass_end ? err : a->dialect->pass_end(a);
    a->line = err ? a->line : lines;
    return err;
}

static int by_line(const void *x, const void *y)
{
    const struct fw_unsupported *a = x, *b = y;
    return (a->line > b->line) - (a->line < b->line);
}

static int read_all(struct asa *a, const char *text, size_t len)
{
    static const unsigned char bom[] = {0xef, 0xbb, 0xbf};
    if (len >= sizeof bom && memcmp(text, bom, sizeof bom) == 0) {
        text += sizeof bom;
        len -= sizeof bom;
    }
    for (int pass = ASA_OBJECTS; pass < ASA_PASSES; pass++) {
        a->pass = (enum asa_pass)pass;
        int err = read_pass(a, text, len);
        if (err)
            return err;
    }
    struct fw_rules *r = a->rules;
    r->lines.total = a->line;
    a->line += a->line == 0; /* of an empty file: where it would begin */
    if (r->lines.modelled == 0)
        return asa_refuse(a, E_MALFORMED, "the file has no line that says something about packets");
    if (r->unsupported_count)
        qsort(r->unsupported, r->unsupported_count, sizeof *r->unsupported, by_line);
    return 0;
}

bool asa_any_line(const char *text, size_t len, bool (*tells)(const char *line, size_t len))
{
    return fw_any_line(text, len < ASA_RECOGNISE_MAX ? len : ASA_RECOGNISE_MAX, tells);
}

int asa_read(const struct asa_dialect *dialect, const struct fw_source *src, struct fw_rules **out,
             struct fw_diag *diag)
{
    *diag = (struct fw_diag){.line = 1, .column = 1, .text = "no memory left"};
    struct asa *a = calloc(1, sizeof *a);
    struct fw_rules *r = fw_rules_new(src->name);
    int err = E_NOMEM;
    if (a && r) {
        a->rules = r;
        a->src_file = src;
        a->dialect = dialect;
        a->diag = diag;
        err = read_all(a, src->text, src->len);
        free(a->src.v);
        free(a->dst.v);
        free(a->dst_to.v);
        free(a->base.v);
        free(a->service.v);
    }
    free(a);
    if (err) {
        fw_rules_free(r);
        return err;
    }
    *out = r;
    return 0;
}
