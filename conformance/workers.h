/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows judged by processes of their own, several at a time: what one does to its heap, or a live server to it, is
 * nothing to the others. */
#ifndef TP_CONFORMANCE_WORKERS_H
#define TP_CONFORMANCE_WORKERS_H

#include "conformance/conformance.h"

/* For each of the count verdicts, whose row is set: judge(ctx, verdict) in a child, at most `parallel` at a time, and
 * done(ctx, row) here. The caller has no other children. E_NOMEM, E_IO: none could be had for one; those that there are
 * have been waited for. */
int workers_judge(struct verdict *const *v, size_t count, unsigned parallel,
                  void (*judge)(void *ctx, struct verdict *v), void (*done)(void *ctx, const struct verdict *v),
                  void *ctx);

#endif
