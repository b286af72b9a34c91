/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/report/plot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "models/base/err.h"

enum { COMMAND = 16384 };

static void path_of(const char *directory, const struct plot *p, const char *kind, char out[PLOT_PATH])
{
    snprintf(out, PLOT_PATH, "%s/plots/%s.%s", directory, p->name, kind);
}

FILE *plot_data(const char *directory, const struct plot *p, struct diag *d)
{
    char path[PLOT_PATH];
    snprintf(path, sizeof path, "%s/plots", directory);
    FILE *f = mkdir(path, 0777) == 0 || errno == EEXIST ? (path_of(directory, p, "dat", path), fopen(path, "w")) : NULL;
    if (!f)
        snprintf(d->text, sizeof d->text, "%.900s: cannot be written: %s", path, strerror(errno));
    return f;
}

/* Beside the program, in a build tree or an installation, or under TURNPROOF_DATA; "" when it is nowhere. */
static void find_script(const char *name, char out[PLOT_PATH])
{
    static const char *const places[] = {"../reports/plots", "../share/turnproof/plots"};
    const char *data = getenv("TURNPROOF_DATA");
    char dir[PLOT_PATH - 64] = "";
    ssize_t n = readlink("/proc/self/exe", dir, sizeof dir - 1);
    if (n > 0)
        strrchr(dir, '/')[1] = '\0';
    if (data) {
        snprintf(out, PLOT_PATH, "%s/plots/%s.gp", data, name);
        if (access(out, R_OK) == 0)
            return;
    }
    for (size_t i = 0; n > 0 && i < sizeof places / sizeof *places; i++) {
        snprintf(out, PLOT_PATH, "%s%s/%s.gp", dir, places[i], name);
        if (access(out, R_OK) == 0)
            return;
    }
    out[0] = '\0';
}

/* name='value' in gnuplot, where a quote within is doubled. */
static void set_text(char *command, const char *name, const char *value)
{
    size_t used = strlen(command);
    used += (size_t)snprintf(command + used, COMMAND - used, "%s='", name);
    for (; *value && used + 3 < COMMAND; value++) {
        if (*value == '\'')
            command[used++] = '\'';
        command[used++] = *value;
    }
    snprintf(command + used, COMMAND - used, "';");
}

static int run_gnuplot(const char *command, const char *script, struct diag *d)
{
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        execlp("gnuplot", "gnuplot", "-e", command, script, (char *)NULL);
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    bool missing = pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 127;
    snprintf(d->text, sizeof d->text,
             missing ? "gnuplot is not installed (Debian: gnuplot-nox)" : "gnuplot failed on %s", script);
    return missing ? E_NOT_FOUND : E_IO;
}

int plot_draw(const char *directory, const struct plot *p, FILE *data, char svg[PLOT_PATH], struct diag *d)
{
    static char command[COMMAND];
    char script[PLOT_PATH], path[PLOT_PATH];
    if (fclose(data) != 0) {
        snprintf(d->text, sizeof d->text, "%.800s/plots: cannot be written: %s", directory, strerror(errno));
        return E_IO;
    }
    find_script(p->script, script);
    if (!script[0]) {
        snprintf(d->text, sizeof d->text, "plots/%s.gp: not beside the program, nor under TURNPROOF_DATA", p->script);
        return E_NOT_FOUND;
    }
    snprintf(command, sizeof command, "count=%u;xlog=%d;knee=%g;", p->blocks, p->xlog, p->knee);
    static const char *const kinds[][2] = {{"data", "dat"}, {"svg", "svg"}, {"png", "png"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        path_of(directory, p, kinds[i][1], path);
        set_text(command, kinds[i][0], path);
    }
    set_text(command, "title", p->title);
    set_text(command, "xlabel", p->xlabel);
    set_text(command, "ylabel", p->ylabel);
    path_of(directory, p, "svg", svg);
    return run_gnuplot(command, script, d);
}
