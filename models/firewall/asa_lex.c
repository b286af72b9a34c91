/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line and its words. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/err.h"
#include "models/firewall/asa.h"

int asa_split(struct asa *a)
{
    a->words = a->at = 0;
    size_t n = strlen(a->raw);
    memcpy(a->words_of, a->raw, n + 1);
    for (size_t i = 0; i < n;) {
        while (a->words_of[i] == ' ' || a->words_of[i] == '\t')
            i++;
        if (i == n)
            break;
        if (a->words == ASA_WORDS_MAX)
            return asa_refuse(a, E_RANGE, "expected at most %d words on a line", ASA_WORDS_MAX);
        a->word[a->words++] = (struct asa_word){a->words_of + i, (unsigned)i + 1};
        i += strcspn(a->words_of + i, " \t");
        if (i < n)
            a->words_of[i++] = '\0';
    }
    return 0;
}

bool asa_more(const struct asa *a)
{
    return a->at < a->words;
}

const char *asa_peek(const struct asa *a)
{
    return asa_more(a) ? a->word[a->at].text : "";
}

const char *asa_next(struct asa *a)
{
    return asa_more(a) ? a->word[a->at++].text : "";
}

bool asa_take(struct asa *a, const char *word)
{
    bool it = asa_more(a) && strcmp(asa_peek(a), word) == 0;
    a->at += it;
    return it;
}

static int fail(struct asa *a, int err, const char *fmt, va_list ap)
{
    size_t end = strlen(a->raw) + 1;
    a->diag->line = a->line;
    a->diag->column = asa_more(a) ? a->word[a->at].column : (unsigned)end;
    struct text t = text_of(a->diag->text, sizeof a->diag->text);
    text_vadd(&t, fmt, ap);
    return err;
}

int asa_fail(struct asa *a, int err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fail(a, err, fmt, ap);
    va_end(ap);
    return err;
}

int asa_refuse(struct asa *a, int err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fail(a, err, fmt, ap);
    va_end(ap);
    a->fatal = true;
    return err;
}

int asa_no_memory(struct asa *a)
{
    return asa_refuse(a, E_NOMEM, "no memory left");
}

int asa_expected(struct asa *a, const char *what)
{
    if (!asa_more(a))
        return asa_fail(a, E_MALFORMED, "expected %s, found the end of the line", what);
    return asa_fail(a, E_MALFORMED, "expected %s, found \"%.60s\"", what, asa_peek(a));
}

int asa_end(struct asa *a)
{
    return asa_more(a) ? asa_expected(a, "the end of the line") : 0;
}

bool asa_is_number(const char *s)
{
    size_t n = strlen(s);
    return n > 0 && n < 10 && strspn(s, "0123456789") == n;
}

int asa_number(struct asa *a, long lo, long hi, const char *what, long *out)
{
    const char *s = asa_peek(a);
    if (!asa_is_number(s))
        return asa_expected(a, what);
    long v = strtol(s, NULL, 10);
    if (v < lo || v > hi)
        return asa_fail(a, E_RANGE, "expected %s from %ld to %ld, found %s", what, lo, hi, s);
    a->at++;
    *out = v;
    return 0;
}
