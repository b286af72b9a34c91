/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Invariant "bytes": what one end of a TCP connection takes in is what the other end sent, in order, from the first
 * byte on, and all of it when it hears the FIN; and of two connections that a host has joined (a relay's), what goes
 * out of one is what came in by the other. Looks at what is written to and read from sockets, at either end, whoever
 * translates addresses between them. */
#ifndef TP_EXPLORE_STREAMS_H
#define TP_EXPLORE_STREAMS_H

#include "sim/explore/violation.h"
#include "sim/net.h"

struct streams;
/* Violations go to v. */
struct streams *streams_new(struct violation *v);
void streams_free(struct streams *s);
/* For the next run: all is forgotten, the memory kept. */
void streams_clear(struct streams *s);

/* A SYN that left a host, or came to one: its own address first. */
void streams_syn(struct streams *s, net_node node, const struct endpoint *local, const struct endpoint *remote,
                 uint32_t seq, bool sent);
void streams_open(struct streams *s, net_node node, net_sock sock, const struct endpoint *local,
                  const struct endpoint *remote, bool accepted);
void streams_sent(struct streams *s, uint64_t now_ns, net_sock sock, const void *data, size_t len);
void streams_received(struct streams *s, uint64_t now_ns, net_sock sock, const void *data, size_t len, bool eof);
void streams_ended(struct streams *s, uint64_t now_ns, net_sock sock); /* it sends no more: shutdown or close */
void streams_gone(struct streams *s, net_sock sock);  /* the socket is another's from now on */
void streams_parted(struct streams *s, net_sock a, net_sock b);
void streams_joined(struct streams *s, net_sock a, size_t a_waits, net_sock b, size_t b_waits);

#endif
