/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Advice as edits of a rule file, in its own dialect: whole lines that go before a line of the file, or in its place.
 * An edit is a proposal: repair.h reads the edited text again and asks again, and only then calls it proved. */
#ifndef TP_CHECK_EDITS_H
#define TP_CHECK_EDITS_H

#include "sim/check/check.h"

struct edit {
    unsigned line;    /* of the text as it is now; 0: behind the last line that says something */
    bool remove;      /* that line goes away */
    const char *text; /* lines, without the last line feed; NULL: only to remove */
    const char *key;  /* what tells it from others at the line, where its text has a number of its own; NULL: text */
};

struct edits {
    LIST_OF(struct edit) items;
};

/* A text as lines. */
struct edit_line {
    const char *text; /* NUL-terminated, without its line feed */
    unsigned origin;  /* its line in the file; 0: added */
};
struct edit_text {
    LIST_OF(struct edit_line) lines;
};

struct edit_text edit_text_of(struct arena *a, const char *text, size_t len);
/* The same with the edits; line numbers are of the text before any of them. */
struct edit_text edit_apply(struct arena *a, const struct edit_text *t, const struct edits *e);
/* One string again; its length in *len. */
char *edit_text_join(struct arena *a, const struct edit_text *t, size_t *len);
/* What is different from the file whose lines these were: as changes, in the order of the file. */
void edit_changes(struct check_report *r, const struct edit_text *before, const struct edit_text *now,
                  const char *node, const char *file, struct check_repair *out);

/* What would let the blocked packets pass (or, `deny`, keep them out), added to out. False: this dialect, or this
 * reason, has no edit here. */
bool edit_for(struct check *c, const struct check_blocked *b, bool deny, const struct edit_text *text, struct arena *a,
              struct edits *out);

/* The translation on that firewall without which the question's packets find nobody, or come from the wrong address;
 * false: the firewall is not between them, or its dialect has no edit here. */
bool edit_nat_for(const struct topology *t, const struct bind_question *q, unsigned node, const struct edit_text *text,
                  struct arena *a, struct edits *out);

#endif
