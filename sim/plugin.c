/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/plugin.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

/* A program of the build tree stands up to four folders below the plug-in: build/VARIANT/sim/ns3/ns3_test. */
static const char *const places[] = {"", "../lib/turnproof/", "../", "../../", "../../../"};

static void *open_plugin(const char *path, const char *symbol, char why[PLUGIN_WHY])
{
    size_t used = strlen(why);
    if (access(path, R_OK) != 0) {
        snprintf(why + used, PLUGIN_WHY - used, "%s%s: no such file", used ? "; " : "", path);
        return NULL;
    }
    void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    void *found = so ? dlsym(so, symbol) : NULL;
    if (!found)
        snprintf(why + used, PLUGIN_WHY - used, "%s%s", used ? "; " : "", dlerror());
    return found;
}

void *plugin_symbol(const char *object, const char *path, const char *symbol, char why[PLUGIN_WHY])
{
    why[0] = '\0';
    if (path)
        return open_plugin(path, symbol, why);
    char dir[PATH_SIZE], beside[PATH_SIZE + 64];
    ssize_t n = readlink("/proc/self/exe", dir, sizeof dir - 1);
    if (n <= 0) {
        snprintf(why, PLUGIN_WHY, "/proc/self/exe cannot be read");
        return NULL;
    }
    dir[n] = '\0';
    strrchr(dir, '/')[1] = '\0';
    void *found = NULL;
    for (size_t i = 0; !found && i < sizeof places / sizeof *places; i++) {
        snprintf(beside, sizeof beside, "%s%s%s", dir, places[i], object);
        found = open_plugin(beside, symbol, why);
    }
    return found;
}
