/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Invariant "timers": a host that hears nothing sends its SYN again, no sooner than after a second, and the next one no
 * sooner than after twice that (RFC 6298 2.1, 5.5; RFC 9293 3.8.1). */
#ifndef TP_EXPLORE_SYNS_H
#define TP_EXPLORE_SYNS_H

#include "models/base/addr.h"
#include "sim/explore/violation.h"

struct syns;
struct syns *syns_new(struct violation *v); /* free() ends it */
void syns_clear(struct syns *s);
void syns_see(struct syns *s, uint64_t now_ns, const struct endpoint *from, const struct endpoint *to, uint32_t seq);

#endif
