/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conformance/workers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "models/base/err.h"

/* A child and the file that it writes its verdict to. */
struct worker {
    pid_t pid; /* 0: none */
    FILE *file;
    struct verdict *verdict;
};

/* What the file begins with; the texts follow. Written and read by the same program. */
struct head {
    enum outcome outcome;
    uint64_t took_ns;
    size_t saw, exchange; /* lengths + 1; 0: NULL */
};

static size_t length(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static bool write_verdict(FILE *f, const struct verdict *v)
{
    struct head h = {v->outcome, v->took_ns, length(v->saw), length(v->exchange)};
    return fwrite(&h, sizeof h, 1, f) == 1 && (!h.saw || fwrite(v->saw, h.saw, 1, f) == 1) &&
           (!h.exchange || fwrite(v->exchange, h.exchange, 1, f) == 1) && fflush(f) == 0;
}

static bool read_text(FILE *f, size_t len, char **out)
{
    *out = len ? malloc(len) : NULL;
    return !len || (*out && fread(*out, len, 1, f) == 1);
}

static bool read_verdict(FILE *f, struct verdict *v)
{
    struct head h;
    rewind(f);
    if (fread(&h, sizeof h, 1, f) != 1)
        return false;
    v->outcome = h.outcome;
    v->took_ns = h.took_ns;
    return read_text(f, h.saw, &v->saw) && read_text(f, h.exchange, &v->exchange);
}

static int start(struct worker *w, struct verdict *v, void (*judge)(void *ctx, struct verdict *v), void *ctx)
{
    *w = (struct worker){.file = tmpfile(), .verdict = v};
    if (!w->file)
        return E_IO;
    fflush(NULL); /* what is still in a buffer would be written twice */
    w->pid = fork();
    if (w->pid == 0) {
        judge(ctx, v);
        _exit(write_verdict(w->file, v) ? 0 : 1);
    }
    if (w->pid > 0)
        return 0;
    fclose(w->file);
    w->pid = 0;
    return E_NOMEM;
}

/* A worker that dies is our fault, and no verdict on the server; but nobody shall take it for a pass. */
static void died(struct verdict *v, int status)
{
    enum { SAW_MAX = 128 };
    free(v->saw);
    free(v->exchange);
    v->exchange = NULL;
    v->outcome = OUTCOME_FAIL;
    v->saw = malloc(SAW_MAX);
    if (v->saw)
        snprintf(v->saw, SAW_MAX, "turnproof itself has failed: the process that judged this ended with %s %d",
                 WIFSIGNALED(status) ? "signal" : "status",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static struct worker *await(struct worker *all, unsigned count)
{
    int status;
    pid_t pid = wait(&status);
    struct worker *w = all;
    while (w < all + count && w->pid != pid)
        w++;
    if (pid < 0 || w == all + count)
        return NULL;
    if (!read_verdict(w->file, w->verdict))
        died(w->verdict, status);
    fclose(w->file);
    w->pid = 0;
    return w;
}

int workers_judge(struct verdict *const *v, size_t count, unsigned parallel,
                  void (*judge)(void *ctx, struct verdict *v), void (*done)(void *ctx, const struct verdict *v),
                  void *ctx)
{
    struct worker *all = calloc(parallel, sizeof *all);
    size_t next = 0, ended = 0;
    int err = all ? 0 : E_NOMEM;
    unsigned running = 0;
    while (!err && ended < count) {
        for (struct worker *w = all; w < all + parallel && next < count && !err; w++)
            if (!w->pid) {
                err = start(w, v[next++], judge, ctx);
                running += !err;
            }
        if (err)
            break;
        const struct worker *w = await(all, parallel);
        err = w ? 0 : E_IO;
        running -= !err;
        ended += !err;
        if (w && done)
            done(ctx, w->verdict);
    }
    while (running--)
        await(all, parallel);
    free(all);
    return err;
}
