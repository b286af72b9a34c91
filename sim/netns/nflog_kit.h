/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Test code: the two things that are asked of netfilter over netlink: what its rules log to a group, and that it
 * forgets a connection. */
#ifndef TP_SIM_NETNS_NFLOG_KIT_H
#define TP_SIM_NETNS_NFLOG_KIT_H

#include "models/wire/wire.h"

struct nflog {
    int fd;
    uint32_t seq;
    uint8_t buf[16384]; /* messages not yet given out */
    size_t at, len;
};

struct nflog_packet {
    char prefix[16];
    const uint8_t *ip; /* borrowed until the next read */
    size_t len;
};

/* 0, or E_IO and why. */
int nflog_open(struct nflog *l, uint16_t group, char *why, size_t cap);
void nflog_close(struct nflog *l);
/* The next packet; false: there is none now. */
bool nflog_read(struct nflog *l, struct nflog_packet *out);
void nflog_forget(struct nflog *l, const struct wire_packet *p, uint16_t echo_id);

#endif
