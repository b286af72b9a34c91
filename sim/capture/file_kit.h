/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capture files of every variant, built in memory. */
#ifndef TP_CAPTURE_FILE_KIT_H
#define TP_CAPTURE_FILE_KIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Magic numbers. */
#define PCAP_MICRO UINT32_C(0xa1b2c3d4)
#define PCAP_NANO UINT32_C(0xa1b23c4d)
#define PCAP_KUZNETSOV UINT32_C(0xa1b2cd34)

struct file_kit {
    uint8_t *b; /* malloc'd */
    size_t len, room;
    bool big;   /* endian */
    bool extra; /* pcap: the longer packet header */
    char path[64];
};

void file_kit_free(struct file_kit *f);
void file_kit_put(struct file_kit *f, const void *bytes, size_t len);
void file_kit_number(struct file_kit *f, uint64_t v, unsigned bytes);

void file_kit_pcap(struct file_kit *f, uint32_t magic, uint32_t link);
void file_kit_pcap_packet(struct file_kit *f, uint32_t second, uint32_t fraction, const void *bytes, size_t caplen,
                          size_t len);

/* What an interface says beyond its link type. */
struct file_kit_interface {
    uint32_t link, snaplen;
    int resolution;   /* -1: not said */
    int64_t offset_s; /* 0: not said */
};
void file_kit_section(struct file_kit *f);
void file_kit_interface(struct file_kit *f, const struct file_kit_interface *i);
void file_kit_packet(struct file_kit *f, uint32_t interface, uint64_t time, const void *bytes, size_t caplen,
                     size_t len);
void file_kit_simple(struct file_kit *f, const void *bytes, size_t caplen, size_t len);
void file_kit_obsolete(struct file_kit *f, uint16_t interface, uint64_t time, const void *bytes, size_t len);
/* A block of any type. */
void file_kit_block(struct file_kit *f, uint32_t type, const void *body, size_t len);

/* Writes it to a new file in /tmp and gives its path, for the caller to unlink. */
const char *file_kit_write(struct file_kit *f);

#endif
