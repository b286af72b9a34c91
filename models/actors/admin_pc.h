/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An administrator's workstation: opens the administration page of a system (row 1.3: TCP 8443) now and then. Its
 * service is "administration": up while the page opens. */
#ifndef TP_ACTORS_ADMIN_PC_H
#define TP_ACTORS_ADMIN_PC_H

#include "models/base/io.h"

struct admin_pc_config {
    struct endpoint page;   /* of the administration page */
    uint64_t at_ns;         /* when it is opened first */
    uint64_t every_ns;      /* ... and from then on */
    uint64_t patience_ns;   /* with a page that does not come */
};

/* E_NOMEM. */
int admin_pc_make(struct io *io, const struct admin_pc_config *cfg, struct core *out);

#endif
