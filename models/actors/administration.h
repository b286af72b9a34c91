/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The web interface of an Expressway (row 1.3): a log-in page, which lets nobody in. A core over base/io.h; it notes
 * the service "administration". */
#ifndef TP_ACTORS_ADMINISTRATION_H
#define TP_ACTORS_ADMINISTRATION_H

#include "models/base/io.h"

enum { ADMINISTRATION_CONNS_MAX = 16 };

struct administration;
/* NULL: no memory. */
struct administration *administration_new(struct io *io, unsigned owner, const struct endpoint *listen);
void administration_free(struct administration *a);
void administration_input(struct administration *a, const struct io_in *in);
uint64_t administration_deadline(const struct administration *a);

#endif
