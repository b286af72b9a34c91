/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds and loads the ns-3 plug-in: TURNPROOF_NS3, or beside the program (in a build tree, beside its folders too),
 * or in ../lib/turnproof of an installation. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/net.h"

#define PLUGIN "turnproof-ns3.so"

enum { PATH_SIZE = 4096, WHY_SIZE = 8192 };

/* A program of the build tree stands up to four folders below the plug-in: build/VARIANT/sim/ns3/ns3_test. */
static const char *const places[] = {"", "../lib/turnproof/", "../", "../../", "../../../"};

static const struct net_ops *open_plugin(const char *path, char why[WHY_SIZE])
{
    size_t used = strlen(why);
    if (access(path, R_OK) != 0) {
        snprintf(why + used, WHY_SIZE - used, "%s%s: no such file", used ? "; " : "", path);
        return NULL;
    }
    void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    const struct net_ops *ops = so ? dlsym(so, "net_ns3") : NULL;
    if (!ops)
        snprintf(why + used, WHY_SIZE - used, "%s%s", used ? "; " : "", dlerror());
    return ops;
}

static const struct net_ops *find_plugin(char why[WHY_SIZE])
{
    const char *chosen = getenv("TURNPROOF_NS3");
    if (chosen)
        return open_plugin(chosen, why);
    char dir[PATH_SIZE], path[PATH_SIZE + 64];
    ssize_t n = readlink("/proc/self/exe", dir, sizeof dir - 1);
    if (n <= 0) {
        snprintf(why, WHY_SIZE, "/proc/self/exe cannot be read");
        return NULL;
    }
    dir[n] = '\0';
    strrchr(dir, '/')[1] = '\0';
    const struct net_ops *ops = NULL;
    for (size_t i = 0; !ops && i < sizeof places / sizeof *places; i++) {
        snprintf(path, sizeof path, "%s%s" PLUGIN, dir, places[i]);
        ops = open_plugin(path, why);
    }
    return ops;
}

const struct net_ops *net_ns3_load(const char **why)
{
    static const struct net_ops *loaded;
    static char reason[WHY_SIZE];
    if (!loaded) {
        reason[0] = '\0';
        loaded = find_plugin(reason);
    }
    if (!loaded && why)
        *why = reason;
    return loaded;
}
