/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The seam between the pure cores and whoever hosts them (a simulated host, real sockets, a test).
 *
 * A core never touches a socket. It is fed events (struct io_in) and says what it wants done as operations
 * (struct io_out) on a queue, struct io, that its host drains after each event. There is no callback, so there is
 * no re-entry, and a core runs the same in a test, in virtual time and on real sockets.
 *
 * Handles. Every listener, connection and UDP socket has an id, drawn from the queue by io_listen, io_connect and
 * io_udp, or by the host (io_new_id) for an accepted connection. The top byte is the owner: a system built of several
 * cores (Meeting Server: TURN client, SIP, ICE) gives each a number and routes an event by io_owner(id). An accepted
 * connection has its listener's owner. An id is never used twice: the number below the owner counts from 1, 2^56 of
 * them, so a host keeps what it knows of an id in a map, not in an array.
 *
 * Life of a connection. It is born not reading: a core asks for bytes with io_read(on); until then they stay with
 * the host's TCP, whose window holds the peer back. Bytes delivered are always taken. After IO_CLOSED or IO_FAILED
 * the id is dead; after io_close or io_abort it is dead for the core at once, and no event for it follows.
 *
 * Splice. io_splice(a, b) hands both connections to the host: bytes flow both ways unchanged, back-pressured end to
 * end; when one side ends its direction, what it sent is delivered, then its FIN; when both directions have ended, or
 * one connection is lost (what it had sent is still delivered), both are closed, and the core gets one IO_CLOSED for
 * each. Bytes that the core sends on either before the splice go first. A core may close or abort either at any time.
 *
 * Giving. Of several cores with the same listeners (shards, a thread each) one may find that a connection which it
 * accepted is another's: it gives it, with the bytes that it had read of it and not used, and it is dead for the giver.
 *
 * Datagrams. A UDP socket reads from the start. What a datagram brings may be sent on without a copy: io_put queues
 * the event's own bytes, which the host keeps until it has drained the queue. A host that can gives `room`: the core
 * may then write IO_ROOM bytes before and behind the data, and lend those with it (a header in front of a payload). */
#ifndef TP_BASE_IO_H
#define TP_BASE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/base/addr.h"
#include "models/base/rng.h"

typedef uint64_t io_id;
#define IO_NONE ((io_id)0)
enum { IO_OWNER_SHIFT = 56, IO_ROOM = 64 };

static inline unsigned io_owner(io_id id)
{
    return (unsigned)(id >> IO_OWNER_SHIFT);
}

enum io_event {
    IO_START,    /* once, first */
    IO_TICK,     /* the deadline that the core named has come (or the host woke it for no reason) */
    IO_OPENED,   /* listener or UDP socket ready, or connection established: local and remote are known */
    IO_ACCEPTED, /* id: the new connection; other: the listener; IO_NONE: given, with data (IO_OP_GIVE) */
    IO_FAILED,   /* listen, udp or connect did not work: err says why; the id is dead */
    IO_DATA,     /* stream bytes of a connection that reads */
    IO_DATAGRAM, /* UDP: remote is the source, local where it was sent to (never "any") */
    IO_ICMP,     /* UDP: an ICMP error about a datagram that went from this socket to remote; the socket lives */
    IO_EOF,      /* the peer has closed its direction; all its bytes were delivered */
    IO_BLOCKED,  /* more is queued for this connection than the host likes: hold back what can wait */
    IO_WRITABLE, /* ... and now it is not any more */
    IO_CLOSED,   /* the connection is gone; err is 0 (orderly), E_RESET or E_TIMED_OUT */
};

/* As in the ICMP message, of remote's family; data: the next hop's MTU of "too big", else 0. */
struct io_icmp {
    uint8_t type, code;
    uint32_t data;
};

struct io_in {
    enum io_event event;
    io_id id, other;
    struct endpoint local, remote;
    int err;
    const uint8_t *data; /* borrowed until the operations that the event led to are drained */
    size_t len;
    uint8_t *room; /* data again, with IO_ROOM bytes on either side that may be written on; NULL: may not */
    struct io_icmp icmp;
};

enum io_op {
    IO_OP_LISTEN,  /* TCP; local: port 0 is an error, address "any" is every address of the host */
    IO_OP_CONNECT, /* TCP; remote: port 0 is an error. local: "any" and port 0 leave the choice to the host; a port
                    * that it listens on may be given (RFC 6062) */
    IO_OP_UDP,     /* local: port 0 leaves the choice to the host */
    IO_OP_SEND,
    IO_OP_SENDTO,  /* local: the address to send from, for a socket of "any"; unset: the host's choice */
    IO_OP_READ_ON,
    IO_OP_READ_OFF,
    IO_OP_SPLICE,
    IO_OP_CLOSE, /* deliver what was sent, then FIN */
    IO_OP_ABORT, /* RST */
    IO_OP_GIVE,  /* to the core number `other`, with data that it is fed first */
    IO_OP_NOTE,  /* for the trace: nothing to be done */
};

/* What a note is about; the trace and the report tell the story from these. */
enum io_note {
    NOTE_STATE,   /* "alloc=3 LIVE -> EXPIRED cause=lifetime" */
    NOTE_PHASE,   /* name of a phase of a call that begins now; text "" ends the last one */
    NOTE_FAIL,    /* a call or phase failed: text is the reason; remote: whom it could not reach, if that is it */
    NOTE_HINT,    /* no failure yet, but what a person wants to know if one follows: a refusal and its reason */
    NOTE_RESULT,  /* key=value: a result of the run, such as a digest of the bytes received */
    NOTE_SERVICE, /* "guest-1/audio up host -> relay over udp": what this host gives its people, what became of it, and
                   * how or why. The second word is wanted (it is expected from now on), up, degraded (it works, but
                   * not as it should), failed (it never came up), lost (it was up), or done (ended as it should) */
};

struct io_out {
    enum io_op op;
    io_id id, other;
    struct endpoint local, remote;
    const uint8_t *data; /* borrowed until the next io_poll or event */
    size_t len;
    const char *label;   /* SEND, SENDTO: the name of the message for the ladder, or NULL; NOTE: its text */
    enum io_note note;
    bool dont_fragment;  /* SENDTO: with DF set (IPv4); a host that cannot ignores it */
};

struct io;

/* A queue for the system called name (borrowed, must outlive it). NULL: no memory. */
struct io *io_new(const char *name, uint64_t seed);
void io_free(struct io *io);
const char *io_name(const struct io *io);
/* The time of the event being handled; set by the host before each event, never goes back. */
uint64_t io_now(const struct io *io);
void io_set_now(struct io *io, uint64_t now_ns);
/* The system's random stream "NAME/what". */
struct rng io_rng(const struct io *io, const char *what);

/* For cores. What is given is copied; label and note text are cut at 255 bytes. */
io_id io_listen(struct io *io, unsigned owner, const struct endpoint *local);
io_id io_connect(struct io *io, unsigned owner, const struct endpoint *local, const struct endpoint *remote);
io_id io_udp(struct io *io, unsigned owner, const struct endpoint *local);
void io_send(struct io *io, io_id id, const void *data, size_t len, const char *label);
void io_sendto(struct io *io, io_id id, const struct endpoint *to, const void *data, size_t len, const char *label);
/* The general form: `out` goes on the queue as it is, its label copied. data NULL: the answer is len bytes of the
 * queue, for the core to fill before it queues anything else. Else data lies in the event being handled, or lives as
 * long as the core: it is lent, not copied, and the answer is NULL. */
uint8_t *io_put(struct io *io, const struct io_out *out);
void io_read(struct io *io, io_id id, bool on);
void io_splice(struct io *io, io_id a, io_id b);
void io_close(struct io *io, io_id id);
void io_abort(struct io *io, io_id id);
void io_note(struct io *io, enum io_note note, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void io_fail(struct io *io, const struct endpoint *remote, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* For hosts: notes of that kind go nowhere, so a core need not compose them. */
void io_mute(struct io *io, enum io_note note);
bool io_muted(const struct io *io, enum io_note note);

/* For hosts: an id for an accepted connection; the next operation, false when drained. */
io_id io_new_id(struct io *io, unsigned owner);
bool io_poll(struct io *io, struct io_out *out);

/* A core (or a system built of cores) as its host sees it. deadline: when IO_TICK is due, TIME_NEVER for none;
 * asked for after each event. */
struct core_ops {
    void (*input)(void *self, const struct io_in *in);
    uint64_t (*deadline)(const void *self);
    void (*free)(void *self);
};

struct core {
    const struct core_ops *ops;
    void *self;
    struct io *io;
};

#endif
