/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ns-3 engine is a plug-in: TURNPROOF_NS3, or where plug-ins are. */
#include <stdlib.h>

#include "sim/net.h"
#include "sim/plugin.h"

const struct net_ops *net_ns3_load(const char **why)
{
    static const struct net_ops *loaded;
    static char reason[PLUGIN_WHY];
    if (!loaded)
        loaded = plugin_symbol("turnproof-ns3.so", getenv("TURNPROOF_NS3"), "net_ns3", reason);
    if (!loaded && why)
        *why = reason;
    return loaded;
}
