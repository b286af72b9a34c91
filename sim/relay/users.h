/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may use the relay: names and passwords, from the command line and from a file of lines NAME:PASSWORD. */
#ifndef TP_RELAY_USERS_H
#define TP_RELAY_USERS_H

#include "models/base/arena.h"
#include "models/base/diag.h"
#include "models/turn/turn.h"

struct user_list {
    struct turn_user *user;
    size_t count, cap;
    struct arena arena; /* what the names and passwords stand in */
};

/* "NAME:PASSWORD"; the first colon separates. E_MALFORMED: no colon, or an empty part; E_RANGE: longer than a message
 * carries (RFC 8489 14.3: 508 bytes); E_EXISTS: the name is there already. */
int users_add(struct user_list *u, const char *text, size_t len);
/* A file: lines of NAME:PASSWORD, empty ones and those that begin with "#" left out. d: "file:line:column: expected,
 * found". E_MALFORMED, E_RANGE, E_EXISTS. */
int users_parse(struct user_list *u, const char *file, const char *text, size_t len, struct diag *d);
void users_free(struct user_list *u); /* wipes the passwords */

#endif
