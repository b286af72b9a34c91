/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/explore/isolate.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char *read_all(int fd)
{
    size_t len = 0, cap = 4096;
    char *text = malloc(cap);
    while (text) {
        ssize_t n = read(fd, text + len, cap - len - 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        len += (size_t)n;
        char *more = len + 1 < cap ? text : realloc(text, cap *= 2);
        if (!more)
            free(text);
        text = more;
    }
    if (text)
        text[len] = '\0';
    return text;
}

static void child(void (*work)(void *ctx, FILE *out), void *ctx, int fd)
{
    FILE *out = fdopen(fd, "w");
    if (out) {
        work(ctx, out);
        fclose(out);
    }
    _exit(out == NULL);
}

char *isolated(void (*work)(void *ctx, FILE *out), void *ctx, int *signal)
{
    int end[2], status;
    *signal = 0;
    if (pipe(end) != 0)
        return NULL;
    pid_t pid = fork();
    if (pid == 0) {
        close(end[0]);
        child(work, ctx, end[1]);
    }
    close(end[1]);
    char *text = pid > 0 ? read_all(end[0]) : NULL;
    close(end[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (pid <= 0 || !text || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
        return text;
    if (WIFSIGNALED(status))
        *signal = WTERMSIG(status);
    free(text);
    return NULL;
}
