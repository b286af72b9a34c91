/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SIP messages (RFC 3261): framing in streams by Content-Length, a view of a message's parts, and what is needed to
 * write one. Nothing here knows of calls (ua.h) or of routing (proxy.h). */
#ifndef TP_SIP_SIP_H
#define TP_SIP_SIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/base/addr.h"
#include "models/base/bytes.h"

enum {
    SIP_MESSAGE_MAX = 65536, /* header and body together */
    SIP_HEADERS_MAX = 96,
    SIP_LABEL = 48,
};

/* Text of the message, borrowed, not NUL-terminated. A folded value keeps its line ends: they count as white
 * space (7.3.1), and are passed on as they came. */
struct sip_str {
    const char *p;
    size_t len;
};
#define SIP_STR(s) (int)(s).len, (s).p /* for "%.*s" */

bool sip_is(struct sip_str s, const char *text);   /* case-insensitive (7.3.1) */
bool sip_same(struct sip_str a, struct sip_str b); /* byte for byte */
struct sip_str sip_trim(struct sip_str s);         /* without white space and folds around it */

struct sip_header {
    struct sip_str name; /* a compact form (7.3.3) is given in full */
    struct sip_str value;
};

struct sip_msg {
    bool request;
    struct sip_str method, uri; /* method: a response's is that of its CSeq */
    unsigned code;
    struct sip_str reason;
    struct sip_str call_id;
    uint32_t cseq;
    size_t header_count;
    struct sip_header header[SIP_HEADERS_MAX];
    struct sip_str body;
};

/* A whole message. The fields that every message has (8.1.1) are there once: Via, From with tag (in
 * requests), To, Call-ID, CSeq with the request's method. E_MALFORMED: not so, or bad grammar; E_RANGE: too
 * many header lines; E_TRUNCATED, or E_MALFORMED with more bytes than Content-Length says. */
int sip_parse(const char *bytes, size_t len, struct sip_msg *out);
/* The same of a datagram (18.3): without Content-Length the body goes on to its end; what is behind it is left. */
int sip_parse_datagram(const char *bytes, size_t len, struct sip_msg *out);

/* The value of the first header field of that name; false: absent. */
bool sip_find(const struct sip_msg *m, const char *name, struct sip_str *value);
/* Header fields that are lists (Via, Route, Record-Route, Contact): each value, over commas and header lines.
 * Begin with *it = {0}. */
struct sip_iter {
    size_t header, at;
};
bool sip_next(const struct sip_msg *m, const char *name, struct sip_iter *it, struct sip_str *value);

/* name-addr or addr-spec of From, To, Contact, Route: the URI, and the parameters behind it. */
struct sip_addr {
    struct sip_str uri, params;
};
int sip_addr_parse(struct sip_str value, struct sip_addr *out); /* E_MALFORMED */

struct sip_uri {
    struct sip_str user, host, params;
    uint16_t port; /* 0: not given */
};
int sip_uri_parse(struct sip_str text, struct sip_uri *out); /* E_MALFORMED */

struct sip_via {
    struct sip_str host, branch, params;
    uint16_t port;
};
int sip_via_parse(struct sip_str value, struct sip_via *out); /* E_MALFORMED */

/* ";name=value" in parameters; value empty when there is none; false: no such parameter. */
bool sip_param(struct sip_str params, const char *name, struct sip_str *value);
/* The tag of From or To; empty when there is none. */
struct sip_str sip_tag(const struct sip_msg *m, const char *name);

/* What people call it: "INVITE", "re-INVITE" (To has a tag), "200 OK (INVITE)". */
const char *sip_label(const struct sip_msg *m, char out[SIP_LABEL]);
const char *sip_reason(unsigned code);

/* Writing. Lines are put with text_add; these put what takes more than that. */
void sip_put_header(struct text *t, const char *name, struct sip_str value);
/* All header fields of that name, as they came. */
void sip_copy(struct text *t, const struct sip_msg *m, const char *name);
/* What each response repeats of its request (8.2.6.2, 12.1.1): Via, Record-Route, From, To, Call-ID, CSeq.
 * to_tag: for a To that has none; NULL: leave it. */
void sip_put_reply(struct text *t, const struct sip_msg *request, const char *to_tag);
/* Content-Length, the empty line, the body. type: NULL when there is no body. */
void sip_put_body(struct text *t, const char *type, const char *body, size_t len);

/* Collects messages from a stream cut anywhere. Errors are final: no message border can be found again
 * (18.3). */
struct sip_stream {
    char *buf;
    size_t cap, have, at; /* at: the bytes before it have been given out */
    size_t scanned;       /* of the message under way: no empty line begins before this */
    int err;
};
void sip_stream_free(struct sip_stream *s);
void sip_stream_push(struct sip_stream *s, const void *bytes, size_t len);
/* 1: a message, borrowed until the next push; 0: none yet; E_MALFORMED, E_RANGE: longer than SIP_MESSAGE_MAX,
 * and those of sip_parse. Empty lines before a message (7.5; keep-alives of RFC 5626) are skipped. */
int sip_stream_next(struct sip_stream *s, struct sip_msg *out);

#endif
