/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/jobs/jobs.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NO_PIECE ((size_t)-1)

struct found {
    char *bytes; /* NULL: not done yet */
    size_t len;
};

struct worker {
    pid_t pid;
    int to, from; /* piece numbers go there; lengths and bytes come back */
    size_t piece; /* at work; NO_PIECE: none */
};

struct run {
    const struct jobs *j;
    struct worker *worker;
    unsigned count;
    struct found *found; /* by piece */
    size_t handed, done, told;
    bool enough;
};

static bool write_all(int fd, const void *bytes, size_t len)
{
    for (const char *p = bytes; len;) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

static bool read_all(int fd, void *bytes, size_t len)
{
    for (char *p = bytes; len;) {
        ssize_t n = read(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

/* What a piece writes, in memory; bytes is never NULL. */
static int do_piece(const struct jobs *j, size_t piece, struct found *out)
{
    *out = (struct found){0};
    FILE *f = open_memstream(&out->bytes, &out->len);
    if (!f)
        return E_NOMEM;
    j->work(j->ctx, piece, f);
    return fclose(f) == 0 && out->bytes ? 0 : E_NOMEM;
}

/* ---- in a worker ---- */

static void serve(const struct jobs *j, int from, int to)
{
    size_t piece;
    while (read_all(from, &piece, sizeof piece)) {
        struct found f;
        if (do_piece(j, piece, &f) || !write_all(to, &f.len, sizeof f.len) || !write_all(to, f.bytes, f.len))
            _exit(1);
        free(f.bytes);
    }
    _exit(0);
}

/* ---- here ---- */

static int start_worker(struct run *r, struct worker *w)
{
    int there[2], back[2];
    if (pipe(there) != 0)
        return E_IO;
    if (pipe(back) != 0) {
        close(there[0]);
        close(there[1]);
        return E_IO;
    }
    fflush(NULL); /* what is still in a buffer would be written twice */
    *w = (struct worker){.pid = fork(), .to = there[1], .from = back[0], .piece = NO_PIECE};
    if (w->pid == 0) {
        for (struct worker *other = r->worker; other <= w; other++) { /* else no worker sees the end of its input */
            close(other->to);
            close(other->from);
        }
        serve(r->j, there[0], back[1]);
    }
    close(there[0]);
    close(back[1]);
    if (w->pid > 0) {
        r->count++;
        return 0;
    }
    close(w->to);
    close(w->from);
    return E_IO;
}

static bool hand(struct run *r, struct worker *w)
{
    w->piece = NO_PIECE;
    if (r->enough || r->handed == r->j->count)
        return true;
    w->piece = r->handed++;
    return write_all(w->to, &w->piece, sizeof w->piece);
}

/* Tells what is there in order. */
static void tell(struct run *r)
{
    while (!r->enough && r->told < r->j->count && r->found[r->told].bytes) {
        struct found *f = &r->found[r->told];
        r->enough = !r->j->result(r->j->ctx, r->told, f->bytes, f->len);
        free(f->bytes);
        f->bytes = NULL;
        r->told++;
    }
}

static void finished(struct run *r)
{
    r->done++;
    tell(r);
    if (r->j->progress)
        r->j->progress(r->j->ctx, r->done);
}

static int collect(struct run *r, struct worker *w)
{
    struct found *f = &r->found[w->piece];
    if (!read_all(w->from, &f->len, sizeof f->len))
        return E_IO;
    f->bytes = malloc(f->len + 1);
    if (!f->bytes)
        return E_NOMEM;
    f->bytes[f->len] = '\0';
    if (!read_all(w->from, f->bytes, f->len))
        return E_IO;
    finished(r);
    return hand(r, w) ? 0 : E_IO;
}

/* Until no worker has a piece. piece: of the worker that failed. */
static int gather(struct run *r, size_t *piece)
{
    struct pollfd fd[JOBS_WORKERS_MAX];
    for (;;) {
        unsigned busy = 0;
        for (unsigned i = 0; i < r->count; i++) {
            bool at_work = r->worker[i].piece != NO_PIECE;
            fd[i] = (struct pollfd){.fd = at_work ? r->worker[i].from : -1, .events = POLLIN};
            busy += at_work;
        }
        if (!busy || r->enough)
            return 0;
        if (poll(fd, r->count, -1) < 0 && errno != EINTR)
            return E_IO;
        for (unsigned i = 0; i < r->count; i++) {
            *piece = r->worker[i].piece;
            int err = fd[i].revents ? collect(r, &r->worker[i]) : 0;
            if (err)
                return err;
        }
    }
}

/* kill: they may be in the middle of a piece that nobody waits for. */
static void dismiss(struct run *r, bool at_once)
{
    for (unsigned i = 0; i < r->count; i++) {
        close(r->worker[i].to);
        close(r->worker[i].from);
        if (at_once)
            kill(r->worker[i].pid, SIGKILL);
    }
    for (unsigned i = 0; i < r->count; i++)
        while (waitpid(r->worker[i].pid, NULL, 0) < 0 && errno == EINTR)
            ;
}

static int run_workers(struct run *r, unsigned workers, size_t *piece)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGPIPE, &ignore, &before); /* a worker that died is told as what it was doing */
    int err = 0;
    *piece = 0;
    for (unsigned i = 0; i < workers && !err; i++)
        err = start_worker(r, &r->worker[i]);
    for (unsigned i = 0; i < r->count && !err; i++)
        err = hand(r, &r->worker[i]) ? 0 : E_IO;
    if (!err)
        err = gather(r, piece);
    dismiss(r, err || r->enough);
    sigaction(SIGPIPE, &before, NULL);
    return err;
}

static int run_here(struct run *r, size_t *piece)
{
    for (*piece = 0; *piece < r->j->count && !r->enough; ++*piece) {
        int err = do_piece(r->j, *piece, &r->found[*piece]);
        if (err)
            return err;
        finished(r);
    }
    return 0;
}

static unsigned worker_count(const struct jobs *j)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t n = j->workers ? j->workers : cores > 0 ? (size_t)cores : 1;
    n = n < j->count ? n : j->count;
    return (unsigned)(n < JOBS_WORKERS_MAX ? n : JOBS_WORKERS_MAX);
}

int jobs_run(const struct jobs *j, size_t *piece)
{
    unsigned workers = worker_count(j);
    struct run r = {.j = j, .found = calloc(j->count + 1, sizeof *r.found),
                    .worker = calloc(workers + 1, sizeof *r.worker)};
    int err = !r.found || !r.worker ? E_NOMEM : workers > 1 ? run_workers(&r, workers, piece) : run_here(&r, piece);
    for (size_t i = 0; r.found && i < j->count; i++)
        free(r.found[i].bytes);
    free(r.found);
    free(r.worker);
    return err;
}
