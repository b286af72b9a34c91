/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Captures read from a file or standard input: pcap (draft-ietf-opsawg-pcap; micro- and nanoseconds, either byte
 * order, and the variant of old Red Hat kernels) and pcapng (draft-ietf-opsawg-pcapng; any sections, interfaces of
 * several link types and time resolutions, enhanced, simple and obsolete packet blocks).
 *
 * Why not libpcap, which reads both: it refuses a pcapng whose interfaces differ in link type or snapshot length, as
 * captures of several interfaces do; and it says neither of which interface a packet is nor where a file breaks off.
 * A test holds this reader to libpcap, frame by frame, on what both read.
 *
 * Read with read(2) through a small buffer, not mapped: standard input is the same, memory stays bounded, and a capture
 * that another program is still writing, or cuts off, is no danger. */
#ifndef TP_CAPTURE_CAPTURE_H
#define TP_CAPTURE_CAPTURE_H

#include "models/base/diag.h"
#include "models/trace/trace.h"

struct capture;

/* "-" is standard input. NULL: it cannot be opened, or is no capture: d says "FILE: what". */
struct capture *capture_open(const char *path, struct diag *d);
/* NULL is fine. */
void capture_close(struct capture *c);
/* The next frame, whose bytes are borrowed until the next call: 1. 0: the capture has ended. Else d says "FILE: byte N:
 * what", as it does at each further call, and what came before holds: E_TRUNCATED, the file ends within a
 * record; E_MALFORMED, a length or an interface number that cannot be; E_IO; E_NOMEM; E_UNSUPPORTED,
 * a section of another version. Interfaces are numbered from 0 through all sections. */
int capture_next(struct capture *c, struct captured *out, struct diag *d);
/* Gives all frames that follow to the trace, then ends it, whatever the capture ends with: 0 or an error as above. */
int capture_trace(struct capture *c, struct trace *t, struct diag *d);
/* For a progress bar: bytes read so far, bytes in all (0: not known). */
uint64_t capture_position(const struct capture *c);
uint64_t capture_size(const struct capture *c);

#endif
