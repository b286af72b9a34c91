/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/actors/admin_pc.h"

#include <stdio.h>
#include <stdlib.h>

#include "models/actors/web_client_line.h"
#include "models/base/err.h"
#include "models/base/time.h"

enum { OWNER_WEB = 1 };
enum look { LOOK_NONE, LOOK_UP, LOOK_DOWN }; /* what came of the last visit */

struct admin_pc {
    struct io *io;
    struct admin_pc_config cfg;
    struct web_line line;
    char host[ENDPOINT_TEXT];
    uint64_t next_ns;
    enum look look;
    bool was_up, sent_on;
};

/* Said when it changes. */
static void looks(struct admin_pc *a, enum look look, const char *why)
{
    if (look == a->look)
        return;
    a->look = look;
    if (look == LOOK_UP)
        io_note(a->io, NOTE_SERVICE, "administration up page of %s over TCP", a->host);
    else
        io_note(a->io, NOTE_SERVICE, "administration %s the page of TCP %s does not open: %s",
                a->was_up ? "lost" : "failed", a->host, why);
    a->was_up = a->was_up || look == LOOK_UP;
}

static void ask(struct admin_pc *a, const char *path)
{
    web_line_ask(&a->line, &(struct web_request){.server = a->cfg.page, .method = "GET", .path = path, .host = a->host,
                                                 .patience_ns = a->cfg.patience_ns});
}

static void visit(struct admin_pc *a)
{
    a->next_ns = io_now(a->io) + a->cfg.every_ns;
    a->sent_on = false;
    ask(a, "/");
}

/* The page that one logs in at is elsewhere on the same host: it is asked for once. */
static void answered(struct admin_pc *a, const struct http_message *m)
{
    char why[48];
    if (m->code == 302 && m->location[0] == '/' && !a->sent_on) {
        a->sent_on = true;
        ask(a, m->location);
        return;
    }
    snprintf(why, sizeof why, "HTTP status %u", m->code);
    looks(a, m->code == 200 ? LOOK_UP : LOOK_DOWN, why);
    web_line_close(&a->line);
}

static void input(void *self, const struct io_in *in)
{
    struct admin_pc *a = self;
    struct http_message m;
    int err;
    if (in->event == IO_START) {
        a->next_ns = io_now(a->io) + a->cfg.at_ns;
        io_note(a->io, NOTE_SERVICE, "administration wanted");
    }
    switch (web_line_input(&a->line, in, &m, &err)) {
    case WEB_LINE_NOTHING:
        break;
    case WEB_LINE_ANSWER:
        answered(a, &m);
        break;
    case WEB_LINE_BROKEN:
        looks(a, LOOK_DOWN, err_text(err));
        break;
    }
    if (io_now(a->io) >= a->next_ns && !a->line.asked)
        visit(a);
}

static uint64_t deadline(const void *self)
{
    const struct admin_pc *a = self;
    return time_min(a->line.asked ? TIME_NEVER : a->next_ns, web_line_deadline(&a->line));
}

static void destroy(void *self)
{
    struct admin_pc *a = self;
    web_line_close(&a->line);
    free(a);
}

int admin_pc_make(struct io *io, const struct admin_pc_config *cfg, struct core *out)
{
    static const struct core_ops ops = {input, deadline, destroy};
    struct admin_pc *a = calloc(1, sizeof *a);
    if (!a)
        return E_NOMEM;
    a->io = io;
    a->cfg = *cfg;
    a->next_ns = TIME_NEVER;
    endpoint_text(&cfg->page, a->host);
    web_line_init(&a->line, io, OWNER_WEB);
    *out = (struct core){&ops, a, io};
    return 0;
}
