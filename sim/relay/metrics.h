/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The relay's counters as a page that Prometheus reads (text format 0.0.4), over HTTP/1.0: one request a connection. */
#ifndef TP_RELAY_METRICS_H
#define TP_RELAY_METRICS_H

#include "models/base/io.h"
#include "models/turn/turn.h"

/* The counters in lines; returns the length, cut at cap. */
size_t metrics_text(const struct turn_stats *s, char *out, size_t cap);

/* Adds each counter to the sum's. */
void metrics_add(struct turn_stats *sum, const struct turn_stats *s);

/* A core that serves them. read(ctx, out) is asked for each page. io is borrowed. E_NOMEM. */
int metrics_new(struct io *io, const struct endpoint *listen, void (*read)(void *ctx, struct turn_stats *out),
                void *ctx, struct core *out);

#endif
