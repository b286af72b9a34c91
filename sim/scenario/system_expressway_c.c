/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/expressway.h"
#include "sim/scenario/system_expressway.h"

const struct field expressway_c_fields[] = {
    {FIELD("traversal", ENDPOINT, struct expressway_c_config, traversal), .required = true},
    {FIELD("meeting_server", ENDPOINT, struct expressway_c_config, meeting_server), .required = true},
    END,
};

int expressway_c_create(const void *settings, const struct system_host *host, struct io *io,
                               struct core *out)
{
    (void)host;
    return expressway_c_make(io, settings, out);
}
