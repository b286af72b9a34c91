/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our ICE agent as a host of its own: a passive TCP candidate that takes connections, checks in frames of RFC 4571. It
 * is the controlling one, and knows the credentials of the other side from the start, as if by SDP. */
#ifndef TP_CONFORMANCE_BENCH_AGENT_H
#define TP_CONFORMANCE_BENCH_AGENT_H

#include "models/base/io.h"

#define AGENT_UFRAG "agnt"
#define AGENT_PASSWORD "password-of-agent-0123456789"
#define OTHER_UFRAG "them0" /* with the colon no multiple of 4 */
#define OTHER_PASSWORD "password-of-other-0123456789"

struct agent;
struct agent *agent_new(struct io *io, const struct endpoint *listen); /* NULL: no memory */
void agent_free(struct agent *a);
extern const struct core_ops agent_ops;

#endif
