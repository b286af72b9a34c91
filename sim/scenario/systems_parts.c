/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/systems_parts.h"

#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/sip/sip.h"

const struct field screen_fields[] = {
    {FIELD("bytes_per_s", U32, struct screen_config, rate), .dflt = 125000, .max = 125000000},
    {FIELD("burst_bytes", U32, struct screen_config, burst), .dflt = 200000, .max = 100000000},
    {FIELD("duration_s", U64, struct screen_config, duration_ns), .scale = NS_S, .dflt = 10, .max = 3600},
    END,
};

const char *check_uri(const char *uri, const char *why)
{
    struct sip_uri parts;
    return sip_uri_parse((struct sip_str){uri, strlen(uri)}, &parts) ? why : NULL;
}

const char *check_ports(uint16_t first, uint16_t last)
{
    return first > last ? "last_port is below first_port" : NULL;
}

/* A system that says why it does not begin, and does nothing else: the run fails with that as its reason. */
struct refusal {
    struct io *io;
    const char *why;
};

static void refusal_input(void *self, const struct io_in *in)
{
    const struct refusal *r = self;
    if (in->event == IO_START)
        io_fail(r->io, NULL, "it does not start: settings: %s", r->why);
}

static uint64_t refusal_deadline(const void *self)
{
    (void)self;
    return TIME_NEVER;
}

int refuse(struct io *io, const char *why, struct core *out)
{
    static const struct core_ops ops = {refusal_input, refusal_deadline, free};
    struct refusal *r = malloc(sizeof *r);
    if (!r)
        return E_NOMEM;
    *r = (struct refusal){io, why};
    *out = (struct core){&ops, r, io};
    return 0;
}

struct ip_addr own_address(const struct system_host *host, const struct ip_addr *setting)
{
    return setting->family != IP_NONE || !host->address_count ? *setting : host->address[0].ip;
}

void set_by_family(const struct ip_addr *ip, struct ip_addr *ip4, struct ip_addr *ip6)
{
    if (ip->family == IP_V4)
        *ip4 = *ip;
    else if (ip->family == IP_V6)
        *ip6 = *ip;
}
