/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows that a capture shows: its frames as conversations (models/trace), watched by the monitors. */
#ifndef TP_CONFORMANCE_WATCH_CAPTURE_H
#define TP_CONFORMANCE_WATCH_CAPTURE_H

#include "conformance/judge.h"
#include "models/base/diag.h"

/* Verdicts of all rows that cfg->only chooses, in the catalogue's order; "-": standard input. 0; cut->text then says
 * what broke off the file, whose part before that was judged, or is "". E_MALFORMED: no capture, or it cannot be
 * opened, d says why. E_NOMEM. */
int judge_capture(const struct judge_config *cfg, const char *path, struct verdict **out, size_t *count,
                  struct diag *cut, struct diag *d);

#endif
