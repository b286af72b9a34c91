/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The web proxy for Meeting Server, outer end, on Expressway-E: browsers come to 443 (row 1.1), their bytes go through
 * a channel each of the SSH tunnel that Expressway-C keeps (row 1.4); whoever comes to port 80 is sent to 443 (note 1).
 * Since X8.11 TURN clients may come to TCP 443 too: the first byte tells (RFC 7983 7), and theirs go to the relay.
 * A core over base/io.h; it notes the services "web-proxy" and "ssh-tunnel". */
#ifndef TP_ACTORS_WEB_PROXY_H
#define TP_ACTORS_WEB_PROXY_H

#include "models/actors/tunnel.h"
#include "models/turn/turn.h"

enum { WEB_PROXY_CONNS_MAX = 512 };

struct web_proxy_config {
    struct endpoint listen;   /* 443 */
    struct endpoint redirect; /* 80; port 0: none */
    struct endpoint tunnel;   /* 2222: for Expressway-C */
    const char *name;         /* where port 80 sends browsers: "join.acme.example"; borrowed */
    struct turn *turn;        /* gets the TURN clients of 443; borrowed; NULL: there are none */
};

struct web_proxy;
struct web_proxy *web_proxy_new(struct io *io, unsigned owner, const struct web_proxy_config *cfg);
void web_proxy_free(struct web_proxy *w);
void web_proxy_input(struct web_proxy *w, const struct io_in *in);
uint64_t web_proxy_deadline(const struct web_proxy *w);

#endif
