/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/admin_pc.h"
#include "sim/scenario/system_endpoints.h"

#define ADMIN struct admin_pc_config
const struct field admin_pc_fields[] = {
    {FIELD("page", ENDPOINT, ADMIN, page), .required = true},
    {FIELD("at_ms", U64, ADMIN, at_ns), .scale = NS_MS, .dflt = 2000, .max = 3600000},
    TIMEOUT("every_s", ADMIN, every_ns, 60),
    TIMEOUT("web_timeout_s", ADMIN, patience_ns, 20),
    END,
};

int admin_pc_create(const void *settings, const struct system_host *host, struct io *io, struct core *out)
{
    if (host->call_count)
        return refuse(io, "an administrator's PC makes no calls", out);
    return admin_pc_make(io, settings, out);
}
