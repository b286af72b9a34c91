/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/base/io.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_MAX = 256 };

/* An operation's bytes lie in the arena at `at`, its label (NUL-terminated) behind them. Both grow to what one event
 * needed at most and are kept: a steady system allocates nothing. */
struct op {
    struct io_out out;
    size_t at, label_at; /* 0: none, or lent; the arena's first byte is never used */
};

struct io {
    const char *name;
    uint64_t seed, now_ns, next_id;
    unsigned muted; /* a bit for each enum io_note */
    struct op *ops;
    size_t op_count, op_cap, op_next;
    uint8_t *arena;
    size_t used, arena_cap;
};

struct io *io_new(const char *name, uint64_t seed)
{
    struct io *io = calloc(1, sizeof *io);
    if (!io)
        return NULL;
    io->name = name;
    io->seed = seed;
    io->used = 1;
    return io;
}

void io_free(struct io *io)
{
    if (!io)
        return;
    free(io->ops);
    free(io->arena);
    free(io);
}

const char *io_name(const struct io *io)
{
    return io->name;
}

uint64_t io_now(const struct io *io)
{
    return io->now_ns;
}

void io_set_now(struct io *io, uint64_t now_ns)
{
    assert(now_ns >= io->now_ns);
    io->now_ns = now_ns;
}

struct rng io_rng(const struct io *io, const char *what)
{
    char name[LABEL_MAX];
    snprintf(name, sizeof name, "%s/%s", io->name, what);
    return rng_named(io->seed, name);
}

io_id io_new_id(struct io *io, unsigned owner)
{
    assert(owner < 256);
    return (io_id)owner << IO_OWNER_SHIFT | ++io->next_id;
}

static size_t arena_put(struct io *io, const void *bytes, size_t len)
{
    if (io->arena_cap - io->used < len || !io->arena) {
        size_t cap = io->arena_cap ? io->arena_cap : 4096;
        while (cap - io->used < len)
            cap *= 2;
        io->arena = realloc(io->arena, cap);
        assert(io->arena);
        io->arena_cap = cap;
    }
    size_t at = io->used;
    if (len && bytes)
        memcpy(io->arena + at, bytes, len);
    io->used += len;
    return at;
}

static struct op *op_push(struct io *io, enum io_op kind, io_id id)
{
    if (io->op_count == io->op_cap) {
        io->op_cap = io->op_cap ? 2 * io->op_cap : 16;
        io->ops = realloc(io->ops, io->op_cap * sizeof *io->ops);
        assert(io->ops);
    }
    struct op *op = &io->ops[io->op_count++];
    *op = (struct op){.out = {.op = kind, .id = id}};
    return op;
}

static void op_bytes(struct io *io, struct op *op, const void *data, size_t len, const char *label)
{
    op->at = arena_put(io, data, len);
    op->out.len = len;
    if (label)
        op->label_at = arena_put(io, label, strlen(label) + 1);
}

static io_id open_op(struct io *io, enum io_op kind, unsigned owner, const struct endpoint *local,
                     const struct endpoint *remote)
{
    io_id id = io_new_id(io, owner);
    struct op *op = op_push(io, kind, id);
    if (local)
        op->out.local = *local;
    if (remote)
        op->out.remote = *remote;
    return id;
}

io_id io_listen(struct io *io, unsigned owner, const struct endpoint *local)
{
    return open_op(io, IO_OP_LISTEN, owner, local, NULL);
}

io_id io_connect(struct io *io, unsigned owner, const struct endpoint *local, const struct endpoint *remote)
{
    return open_op(io, IO_OP_CONNECT, owner, local, remote);
}

io_id io_udp(struct io *io, unsigned owner, const struct endpoint *local)
{
    return open_op(io, IO_OP_UDP, owner, local, NULL);
}

void io_send(struct io *io, io_id id, const void *data, size_t len, const char *label)
{
    op_bytes(io, op_push(io, IO_OP_SEND, id), data, len, label);
}

void io_sendto(struct io *io, io_id id, const struct endpoint *to, const void *data, size_t len, const char *label)
{
    struct op *op = op_push(io, IO_OP_SENDTO, id);
    op->out.remote = *to;
    op_bytes(io, op, data, len, label);
}

uint8_t *io_put(struct io *io, const struct io_out *out)
{
    struct op *op = op_push(io, out->op, out->id);
    op->out = *out;
    if (out->label)
        op->label_at = arena_put(io, out->label, strlen(out->label) + 1);
    if (out->data)
        return NULL;
    op->at = arena_put(io, NULL, out->len);
    return io->arena + op->at;
}

void io_read(struct io *io, io_id id, bool on)
{
    op_push(io, on ? IO_OP_READ_ON : IO_OP_READ_OFF, id);
}

void io_splice(struct io *io, io_id a, io_id b)
{
    op_push(io, IO_OP_SPLICE, a)->out.other = b;
}

void io_close(struct io *io, io_id id)
{
    op_push(io, IO_OP_CLOSE, id);
}

void io_abort(struct io *io, io_id id)
{
    op_push(io, IO_OP_ABORT, id);
}

void io_mute(struct io *io, enum io_note note)
{
    io->muted |= 1u << note;
}

bool io_muted(const struct io *io, enum io_note note)
{
    return io->muted >> note & 1;
}

static void vnote(struct io *io, enum io_note note, const struct endpoint *remote, const char *fmt, va_list ap)
{
    char text[LABEL_MAX];
    if (io_muted(io, note))
        return;
    vsnprintf(text, sizeof text, fmt, ap);
    struct op *op = op_push(io, IO_OP_NOTE, IO_NONE);
    op->out.note = note;
    if (remote)
        op->out.remote = *remote;
    op_bytes(io, op, NULL, 0, text);
}

void io_note(struct io *io, enum io_note note, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vnote(io, note, NULL, fmt, ap);
    va_end(ap);
}

void io_fail(struct io *io, const struct endpoint *remote, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vnote(io, NOTE_FAIL, remote, fmt, ap);
    va_end(ap);
}

bool io_poll(struct io *io, struct io_out *out)
{
    if (io->op_next == io->op_count) {
        io->op_next = io->op_count = 0;
        io->used = 1;
        return false;
    }
    const struct op *op = &io->ops[io->op_next++];
    *out = op->out;
    if (op->at)
        out->data = io->arena + op->at;
    if (op->label_at)
        out->label = (const char *)io->arena + op->label_at;
    return true;
}
