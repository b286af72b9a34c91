/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A check's report as bytes: for people, for programs, for CI. */
#ifndef TP_CHECK_OUTPUT_H
#define TP_CHECK_OUTPUT_H

#include "models/base/bytes.h"
#include "sim/check/answer.h"
#include "sim/check/json_out.h"
#include "sim/scenario/sink.h"

/* At most 80 columns, but for names that are longer; what is alike is told once. */
void check_write_text(struct sink *s, const struct check_report *r, bool colour);
/* "turnproof/check/1". */
void check_write_json(struct sink *s, const struct check_report *r, bool colour);
/* One test suite a table; findings are a suite of their own. */
void check_write_junit(struct sink *s, const struct check_report *r, bool colour);
/* SARIF 2.1.0: each result points at the line that decides. */
void check_write_sarif(struct sink *s, const struct check_report *r, bool colour);

/* For other reports of the same look: "  label     text", wrapped; ranges cut to what a person reads; a rule's line. */
void output_field(struct sink *s, const char *label, const char *text);
void output_ranges(struct text *t, const char *ranges);
void output_line(struct sink *s, const char *label, const struct check_line *l);
enum output_ink { INK_RED, INK_GREEN, INK_YELLOW, INK_BOLD };
void output_word(struct sink *s, bool colour, enum output_ink ink, const char *word);
/* Text within XML: valid, whatever it is. */
void output_xml(struct sink *s, const char *text);
void output_xml_attribute(struct sink *s, const char *name, const char *value);
/* Members of the JSON object or list that is open. */
void output_json_boxes(struct json_out *j, const char *key, const struct check_boxes *b);
void output_json_lines(struct json_out *j, const char *key, const struct check_line *line, size_t count);

#endif
