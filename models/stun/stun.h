/* SPDX-License-Identifier: GPL-2.0-or-later */
/* STUN messages to and from bytes: RFC 8489 (5389 where it differs) and Microsoft's dialects, each a row of a table.
 * Decoding is a view on the caller's bytes; encoding goes into the caller's buffer; nothing allocates. */
#ifndef TP_STUN_STUN_H
#define TP_STUN_STUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/base/addr.h"
#include "models/base/bytes.h"

enum {
    STUN_HEADER = 20,
    STUN_MAX = 2048, /* the longest message that we send; a decoder takes any that its caller has in hand */
    STUN_KEY_MAX = 64,
};
#define STUN_COOKIE UINT32_C(0x2112a442)
#define MS_TURN_COOKIE UINT32_C(0x72c64bc6) /* value of attribute 0x000F, [MS-TURN] 2.2.2.1 */

enum stun_class { STUN_REQUEST = 0, STUN_INDICATION = 1, STUN_SUCCESS = 2, STUN_ERROR = 3 };

enum stun_method {
    STUN_BINDING = 0x001,
    TURN_ALLOCATE = 0x003,
    TURN_REFRESH = 0x004,
    TURN_SEND = 0x006,
    TURN_DATA = 0x007,
    TURN_CREATE_PERMISSION = 0x008,
    TURN_CHANNEL_BIND = 0x009,
    TURN_CONNECT = 0x00a,            /* RFC 6062 6.1 */
    TURN_CONNECTION_BIND = 0x00b,
    TURN_CONNECTION_ATTEMPT = 0x00c,
    /* The same numbers mean something else in [MS-TURN] 2.2.1. Its Data indication is type 0x0115. */
    MS_TURN_SEND = 0x004,
    MS_TURN_DATA = 0x005,
    MS_TURN_SET_ACTIVE_DESTINATION = 0x006,
};
enum { MS_TURN_DATA_INDICATION = 0x0115 };

enum stun_attr_type {
    ATTR_MAPPED_ADDRESS = 0x0001,
    ATTR_CHANGE_REQUEST = 0x0003, /* RFC 5780 */
    ATTR_USERNAME = 0x0006,
    ATTR_MESSAGE_INTEGRITY = 0x0008,
    ATTR_ERROR_CODE = 0x0009,
    ATTR_UNKNOWN_ATTRIBUTES = 0x000a,
    ATTR_CHANNEL_NUMBER = 0x000c,
    ATTR_LIFETIME = 0x000d,
    ATTR_MS_ALTERNATE_SERVER = 0x000e,
    ATTR_MS_MAGIC_COOKIE = 0x000f,
    ATTR_MS_BANDWIDTH = 0x0010,
    ATTR_MS_DESTINATION_ADDRESS = 0x0011,
    ATTR_XOR_PEER_ADDRESS = 0x0012,
    ATTR_MS_REMOTE_ADDRESS = 0x0012, /* not XORed there */
    ATTR_DATA = 0x0013,
    ATTR_REALM = 0x0014,
    ATTR_NONCE = 0x0015,
    ATTR_XOR_RELAYED_ADDRESS = 0x0016,
    ATTR_REQUESTED_ADDRESS_FAMILY = 0x0017,
    ATTR_EVEN_PORT = 0x0018,
    ATTR_REQUESTED_TRANSPORT = 0x0019,
    ATTR_DONT_FRAGMENT = 0x001a,
    ATTR_MESSAGE_INTEGRITY_SHA256 = 0x001c,
    ATTR_PASSWORD_ALGORITHM = 0x001d,
    ATTR_USERHASH = 0x001e,
    ATTR_XOR_MAPPED_ADDRESS = 0x0020,
    ATTR_RESERVATION_TOKEN = 0x0022,
    ATTR_PRIORITY = 0x0024,
    ATTR_USE_CANDIDATE = 0x0025,
    ATTR_CONNECTION_ID = 0x002a,
    ATTR_ADDITIONAL_ADDRESS_FAMILY = 0x8000,
    ATTR_ADDRESS_ERROR_CODE = 0x8001,
    ATTR_PASSWORD_ALGORITHMS = 0x8002,
    ATTR_ICMP = 0x8004,
    ATTR_MS_VERSION = 0x8008,
    ATTR_MS_XOR_MAPPED_ADDRESS = 0x8020,
    ATTR_SOFTWARE = 0x8022,
    ATTR_ALTERNATE_SERVER = 0x8023,
    ATTR_FINGERPRINT = 0x8028,
    ATTR_ICE_CONTROLLED = 0x8029,
    ATTR_ICE_CONTROLLING = 0x802a,
    ATTR_RESPONSE_ORIGIN = 0x802b, /* RFC 5780 */
    ATTR_OTHER_ADDRESS = 0x802c,
    ATTR_MS_SEQUENCE_NUMBER = 0x8050,
    ATTR_MS_CANDIDATE_IDENTIFIER = 0x8054,
    ATTR_MS_SERVICE_QUALITY = 0x8055,
    ATTR_MS_IMPLEMENTATION_VERSION = 0x8070,
};

/* A dialect is a row of data, not an `if` (STYLE 5). Three exist; dialect.c has the table with sources. Addresses are
 * XORed with bytes 4..19 of the header in each: the cookie comes first there, where there is one. */
struct stun_attr_row; /* what dialect.c and names.c know of an attribute */
struct stun_dialect {
    const char *name;
    bool cookie;          /* the header carries the magic cookie; else attribute 0x000F does, first ([MS-TURN]) */
    bool padded_length;   /* a text attribute's length field counts its padding (MS-ICE2 USERNAME) */
    bool mac_to_end;      /* MESSAGE-INTEGRITY covers a header with the final length (MSI-9) */
    bool legacy_crc;      /* the old Microsoft CRC-32 is as good a FINGERPRINT (MSI-7) */
    uint8_t mac_block;    /* the MAC's text is zero-padded to a multiple of this; 1: not (MST-12, MSI-9) */
    uint8_t align;        /* attributes are padded to a multiple of this */
    uint16_t indication;  /* a whole type that is an indication against the rule of the bits; 0: none */
    const struct stun_attr_row *attrs; /* those that it knows, ended by a row without a name */
    const char *const *methods;        /* names by method number, 16 of them */
};
extern const struct stun_dialect stun_rfc8489, stun_ms_turn, stun_ms_ice2;

struct stun_id {
    uint8_t b[16]; /* 12 bytes in b[4..], cookie in front; 16 in MS-TURN: always what bytes 4..19 of the header are */
};

struct stun_attr {
    uint16_t type, len; /* as on the wire */
    const uint8_t *value;
    size_t at;          /* offset of the attribute's header in the message */
};

struct stun_msg {
    const struct stun_dialect *dialect;
    const uint8_t *bytes; /* borrowed */
    size_t len;
    uint16_t type;
    uint16_t method;
    enum stun_class cls;
    struct stun_id id;
    size_t mac_at, mac256_at, fingerprint_at; /* offsets of the first of each, 0 when absent */
};

/* A whole message, no more and no less. E_TRUNCATED: fewer bytes than its length says (or than a header);
 * E_MALFORMED: more bytes, top bits set, no cookie, length not a multiple of the alignment, an attribute that runs
 * past the end, one behind FINGERPRINT. The fingerprint is not checked. */
int stun_parse(const struct stun_dialect *d, const void *bytes, size_t len, struct stun_msg *out);

/* Framing on a stream (8489 6.2.2): how long the message that begins at p is; 0: too early to tell;
 * E_MALFORMED: no STUN message begins so (or it is longer than max). */
long stun_stream_len(const struct stun_dialect *d, const uint8_t *p, size_t have, size_t max);
/* True when bytes look like STUN of RFC 5389 and later: top bits, cookie, length (for finding it in payload). */
bool stun_looks_like(const uint8_t *p, size_t len);

/* Attributes in order, what follows MESSAGE-INTEGRITY included (8489 9: that is not for acting on). */
bool stun_next(const struct stun_msg *m, struct stun_attr *it); /* begin with *it = {0} */
/* The first of a type that counts: before MESSAGE-INTEGRITY (FINGERPRINT and the MACs themselves excepted). */
bool stun_find(const struct stun_msg *m, enum stun_attr_type type, struct stun_attr *out);

/* 0, E_NOT_FOUND: no such attribute, E_MALFORMED: wrong length or family, E_RANGE. */
int stun_get_u32(const struct stun_msg *m, enum stun_attr_type type, uint32_t *out);
int stun_get_u64(const struct stun_msg *m, enum stun_attr_type type, uint64_t *out);
int stun_get_address(const struct stun_msg *m, enum stun_attr_type type, struct endpoint *out); /* XORed by type */
int stun_attr_address(const struct stun_msg *m, const struct stun_attr *a, struct endpoint *out);
int stun_get_error(const struct stun_msg *m, int *code, const char **reason, size_t *reason_len);
/* Text without the padding that a dialect counts in; borrowed, not NUL-terminated. */
int stun_get_text(const struct stun_msg *m, enum stun_attr_type type, const char **text, size_t *len);

/* 0, E_NOT_FOUND: absent, E_INTEGRITY. MAC comparison takes constant time. */
int stun_check_integrity(const struct stun_msg *m, const void *key, size_t key_len);
int stun_check_integrity_sha256(const struct stun_msg *m, const void *key, size_t key_len);
int stun_check_fingerprint(const struct stun_msg *m);
/* The long-term key of RFC 8489 9.2.2 with MD5. Quotes and trailing NULs are the caller's business. */
void stun_long_term_key(const char *user, const char *realm, const char *password, uint8_t key[16]);
/* The same with SHA-256 (8489 18.5.1.2); and USERHASH (14.4). */
void stun_long_term_key_sha256(const char *user, const char *realm, const char *password, uint8_t key[32]);
void stun_userhash(const char *user, const char *realm, uint8_t hash[32]);

/* Unknown comprehension-required attributes of a request, at most cap; returns how many were found. The known set is
 * that of the dialect. */
size_t stun_unknown(const struct stun_msg *m, uint16_t *types, size_t cap);

/* ---- encoding ---- */

struct stun_out {
    const struct stun_dialect *dialect;
    struct writer w;
};

uint16_t stun_type(enum stun_class cls, unsigned method); /* RFC 8489 5 */
/* Puts the header, and in MS-TURN the cookie attribute that has to be first. */
void stun_begin(struct stun_out *o, const struct stun_dialect *d, void *buf, size_t cap, uint16_t type,
                const struct stun_id *id);
void stun_put(struct stun_out *o, enum stun_attr_type type, const void *value, size_t len);
void stun_put_u32(struct stun_out *o, enum stun_attr_type type, uint32_t v);
void stun_put_u64(struct stun_out *o, enum stun_attr_type type, uint64_t v);
void stun_put_text(struct stun_out *o, enum stun_attr_type type, const char *s); /* honours padded_length */
void stun_put_address(struct stun_out *o, enum stun_attr_type type, const struct endpoint *e); /* XORed by type */
void stun_put_error(struct stun_out *o, int code, const char *reason); /* NULL: stun_reason(code) */
void stun_put_integrity(struct stun_out *o, const void *key, size_t key_len, bool fingerprint_follows);
void stun_put_integrity_sha256(struct stun_out *o, const void *key, size_t key_len);
void stun_put_fingerprint(struct stun_out *o);
/* Patches the length. The message's size, or E_SPACE when the buffer was too small. */
long stun_end(struct stun_out *o);

/* A fresh transaction id in the dialect's form. */
struct rng;
struct stun_id stun_new_id(const struct stun_dialect *d, struct rng *rng);

/* ---- names, for people ---- */

const char *stun_reason(int code);                              /* "Unauthorized"; "Unknown" */
const char *stun_attr_name(const struct stun_dialect *d, uint16_t type); /* "XOR-PEER-ADDRESS"; NULL when unknown */
const char *stun_method_name(const struct stun_dialect *d, uint16_t type); /* "ConnectionBind"; NULL */
/* "Allocate error 401", "Refresh request": what a ladder calls a message. code 0: none is shown. */
void stun_label(const struct stun_dialect *d, uint16_t type, int code, struct text *t);
/* What an attribute's value says: "10.0.0.1:3478", "turn", "600", "401 Unauthorized"; nothing where that is bytes. */
void stun_attr_describe(const struct stun_msg *m, const struct stun_attr *a, struct text *t);
/* One line: "ConnectionBind error 446, ..." or "Allocate request, TCP, user turn, lifetime 600": into t. */
void stun_describe(const struct stun_msg *m, struct text *t);

#endif
