/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The capture reader from within: capture.c opens and reads pcap, pcapng.c reads pcapng. */
#ifndef TP_CAPTURE_PARTS_H
#define TP_CAPTURE_PARTS_H

#include "models/trace/trace.h"
#include "sim/capture/capture.h"
#include "sim/capture/source.h"

struct capture_interface {
    uint32_t link, snaplen; /* snaplen 0: no limit */
    uint64_t units;         /* of time in a second */
    int64_t offset_s;
};

struct capture {
    struct source source;
    char *path;
    bool swapped;                 /* numbers are in the other byte order than this machine's */
    int (*next)(struct capture *, struct captured *, struct diag *);
    uint32_t record_header;       /* pcap: size of what stands before each packet */
    struct capture_interface pcap;
    struct capture_interface *interface; /* pcapng: of all sections */
    uint32_t interfaces, room, section; /* count; room for; where those of this section begin */
};

uint16_t capture_16(const struct capture *c, const uint8_t *p);
uint32_t capture_32(const struct capture *c, const uint8_t *p);
uint64_t capture_64(const struct capture *c, const uint8_t *p);
/* A time in units of the interface as nanoseconds. */
uint64_t capture_ns(const struct capture_interface *i, uint64_t time);
/* "FILE: byte N: ", N being `at` bytes into what is next, and the text; gives err. */
int capture_error(const struct capture *c, struct diag *d, int err, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* What it means that source_peek gave NULL: the end (0) when nothing is left, E_TRUNCATED, E_IO. */
int capture_short(const struct capture *c, struct diag *d, const char *what);

/* At a section header block, as the magic number says. */
int pcapng_next(struct capture *c, struct captured *out, struct diag *d);

#endif
