/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A client of [MS-TURN] over TCP, byte by byte: pseudo-TLS, units 02 and 03, messages with the header of RFC 3489. It
 * uses nothing of what the judged server is made of. */
#ifndef TP_CONFORMANCE_MICROSOFT_TALK_H
#define TP_CONFORMANCE_MICROSOFT_TALK_H

#include "conformance/probe.h"

enum {
    MS_HEADER = 20,
    MS_CONTROL = 2, /* unit types; 0: no unit came */
    MS_RAW = 3,
    MS_HELLO_LEN = 50,
    MS_ANSWER_LEN = 83,
    MS_LONGEST = 2048,
};

enum ms_type {
    MS_ALLOCATE = 0x0003,
    MS_SEND = 0x0004,
    MS_SET_ACTIVE = 0x0006,
    MS_ALLOCATED = 0x0103,
    MS_ACTIVE = 0x0106,
    MS_ALLOCATE_ERROR = 0x0113,
    MS_DATA = 0x0115,
    MS_ACTIVE_ERROR = 0x0116,
};

struct ms_bytes {
    uint8_t b[MS_LONGEST];
    size_t len;
};

struct ms_unit_heard {
    uint8_t unit; /* MS_CONTROL, MS_RAW; 0: none within the time, or the connection ended */
    struct ms_bytes content;
};

struct ms_talk {
    struct probe *p;
    struct line *line;
    struct login *login; /* user and password */
    struct ms_bytes hello; /* what the server has said first */
    char realm[256], nonce[256];
    struct endpoint relayed;
    uint8_t sequence[24];
    bool has_sequence;
    uint8_t next_id;
};

/* Connected, the client's hello sent and the server's read; fails the probe when that does not come. */
void ms_dial(struct ms_talk *t, struct probe *p);
/* Has an allocation. */
void ms_allocate(struct ms_talk *t, struct probe *p);

/* A message with the cookie attribute. */
void ms_begin(struct ms_talk *t, struct ms_bytes *m, enum ms_type type);
void ms_put(struct ms_bytes *m, unsigned type, const void *value, size_t len);
void ms_put_address(struct ms_bytes *m, unsigned type, const struct endpoint *e);
/* USERNAME, and with all also REALM and NONCE; the MAC. */
void ms_sign(const struct ms_talk *t, struct ms_bytes *m, bool all);
void ms_say(struct ms_talk *t, unsigned unit, const struct ms_bytes *m);
struct ms_unit_heard ms_hear(struct ms_talk *t, uint64_t ns);
/* The control message that answers m; fails the probe when none comes. */
struct ms_bytes ms_ask(struct ms_talk *t, const struct ms_bytes *m);
/* A Send request of these bytes to that peer. */
void ms_send(struct ms_talk *t, const struct endpoint *to, const char *data);
/* A peer with a connection to the relay, by Send request from the relay or of itself; what came first is taken. */
struct line *ms_peer(struct ms_talk *t, struct endpoint *at);
struct ms_bytes ms_ask_active(struct ms_talk *t, const struct endpoint *peer);

unsigned ms_type(const struct ms_bytes *m);
bool ms_find(const struct ms_bytes *m, unsigned type, const uint8_t **value, size_t *len);
/* The code of an error response; 0. */
int ms_code(const struct ms_bytes *m);
bool ms_mac_right(const struct ms_talk *t, const struct ms_bytes *m);
/* xored: with the transaction id. */
bool ms_address(const struct ms_bytes *m, unsigned type, bool xored, struct endpoint *out);

#endif
