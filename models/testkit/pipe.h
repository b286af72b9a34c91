/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small ideal world for unit tests of cores: hosts with addresses, TCP, and UDP that loses nothing unless it is told
 * to, one delay for all, virtual time. Beside the hosts stand raw connections, which the test itself opens, feeds and
 * looks at. What a host's TCP promises in io.h holds here: a side that does not read holds its peer back.
 *
 * Between runs a test may call any core directly (turn_client_connect): what the core wants done is done when the
 * next run begins. Everything asserts: a test that misuses the pipe dies. */
#ifndef TP_TESTKIT_PIPE_H
#define TP_TESTKIT_PIPE_H

#include "models/base/io.h"
#include "models/base/time.h"

struct pipe;

struct pipe *pipe_new(uint64_t delay_ns);
void pipe_free(struct pipe *p); /* the cores stay the caller's */
uint64_t pipe_now(const struct pipe *p);

/* A host for the core, with one address; more with pipe_address. The core's io gives its name. It starts (IO_START)
 * when the world runs. Ephemeral ports count up from 49152. */
void pipe_host(struct pipe *p, const struct core *core, const char *ip);
void pipe_address(struct pipe *p, const struct core *core, const char *ip);
/* Ephemeral ports of that host count up from here instead. */
void pipe_first_port(struct pipe *p, const struct core *core, uint16_t port);

/* Runs until then, whatever happens or does not. */
void pipe_run_until(struct pipe *p, uint64_t t_ns);
void pipe_run_for(struct pipe *p, uint64_t ns);

/* What becomes of a SYN to this address (a port of 0: all its ports). BLACK_HOLE: the SYN comes again every second
 * and fails with E_TIMED_OUT after PIPE_SYN_TIMEOUT. The last word on an address holds. */
enum pipe_policy { PIPE_ACCEPT, PIPE_REFUSE, PIPE_UNREACHABLE, PIPE_BLACK_HOLE };
#define PIPE_SYN_TIMEOUT (127 * NS_S)
void pipe_policy(struct pipe *p, const char *endpoint, enum pipe_policy policy);
/* Bytes that fit between a sender and a side that does not read (64 KiB). */
void pipe_window(struct pipe *p, size_t bytes);
/* Of a hundred datagrams so many are lost, come twice, or come late, behind those of the next 20 ms. Drawn from a
 * stream of that seed. A datagram to where nobody listens is answered with ICMP, which is not lost. */
void pipe_trouble(struct pipe *p, uint64_t seed, unsigned lost, unsigned twice, unsigned late);
/* No core gets more than this in one IO_DATA (all that is there). */
void pipe_cut(struct pipe *p, size_t bytes);

/* ---- raw connections ---- */

enum raw_state { RAW_OPENING, RAW_OPEN, RAW_GONE };

struct raw {
    enum raw_state state;
    int err;  /* GONE: E_REFUSED, E_TIMED_OUT, E_UNREACHABLE, E_RESET; 0: aborted by the test */
    bool eof; /* the other side has closed and all its bytes are in got */
    struct endpoint local, remote;
    uint8_t *got; /* all bytes received so far and not forgotten */
    size_t got_len;
};

struct raw *raw_connect(struct pipe *p, const char *local, const char *remote);
struct raw *raw_connect_to(struct pipe *p, const char *local, const struct endpoint *remote);
void raw_listen(struct pipe *p, const char *local);
/* The next connection that came in at a raw listener; NULL: none yet. */
struct raw *raw_accepted(struct pipe *p, const char *local);
void raw_send(struct pipe *p, struct raw *r, const void *data, size_t len);
void raw_read(struct pipe *p, struct raw *r, bool on); /* they are born reading */
void raw_forget(struct raw *r, size_t len);            /* the first bytes of got */
void raw_shutdown(struct pipe *p, struct raw *r); /* FIN, and still listening */
void raw_close(struct pipe *p, struct raw *r);    /* FIN, and deaf: what still comes is answered with RST */
void raw_abort(struct pipe *p, struct raw *r);
size_t raw_unsent(const struct raw *r); /* bytes that the other side's window keeps back */

/* ---- what happened ---- */

/* Labelled messages sent and notes taken by cores, in order. */
struct pipe_entry {
    uint64_t t_ns;
    const char *host;
    bool is_note;
    enum io_note note;
    char text[128]; /* the label or the note */
    size_t len;     /* of the message */
    struct endpoint remote;
};
const struct pipe_entry *pipe_log(const struct pipe *p, size_t *count);
/* The messages (not the notes) of a host, or of all (NULL), since from_ns as lines "12.000 Refresh request". */
const char *pipe_story(struct pipe *p, const char *host, uint64_t from_ns);
/* How many entries have this text. */
size_t pipe_count(const struct pipe *p, const char *text);

#endif
