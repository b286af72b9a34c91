/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The relay on the kernel's sockets: the core of models/turn, hosted as in a simulation, with users from a file that
 * is read again on SIGHUP, counters on SIGUSR1 and as a page, and an orderly end on SIGTERM and SIGINT. */
#ifndef TP_RELAY_RELAY_H
#define TP_RELAY_RELAY_H

#include <stdio.h>

#include "models/base/diag.h"
#include "models/turn/turn.h"

enum { RELAY_THREADS_MAX = 64 };

struct relay_config {
    struct turn_config turn; /* users, secret and dont_fragment are filled in by relay_open */
    const char *const *user; /* NAME:PASSWORD */
    size_t user_count;
    const char *users_file;       /* NULL: none */
    struct endpoint metrics;      /* port 0: none */
    uint64_t drain_ns;            /* how long allocations may live on after SIGTERM */
    FILE *log;                    /* NULL: silent */
    bool verbose;                 /* each message and state change */
    unsigned threads;             /* 1..RELAY_THREADS_MAX */
};

struct relay;
/* Borrows cfg and all in it until relay_close. d: what is wrong. E_NOMEM, E_MALFORMED, E_RANGE, E_NOT_FOUND, E_IO. */
int relay_open(const struct relay_config *cfg, struct relay **out, struct diag *d);
/* Serves until it is told to stop; SIGHUP, SIGUSR1, SIGTERM and SIGINT are taken. 0, or E_IO: a listener could not be
 * opened (it is in the log). */
int relay_run(struct relay *r);
void relay_close(struct relay *r);

#endif
