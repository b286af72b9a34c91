/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A capture of Ethernet frames as pcapng (draft-ietf-opsawg-pcapng): interfaces with names, nanoseconds, a direction
 * and a comment per packet. */
#ifndef TP_SCENARIO_PCAPNG_H
#define TP_SCENARIO_PCAPNG_H

#include "sim/scenario/sink.h"

void pcapng_start(struct sink *s);
/* Interfaces count from 0 in order of these calls, all before the first packet. */
void pcapng_interface(struct sink *s, const char *name);
void pcapng_packet(struct sink *s, unsigned interface, uint64_t t_ns, bool inbound, const uint8_t *frame, size_t len,
                   const char *comment); /* NULL: none */

#endif
