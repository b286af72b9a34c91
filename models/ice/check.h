/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The messages of connectivity checks to and from bytes: of RFC 8445, and with what [MS-ICE2] adds in its dialect. */
#ifndef TP_ICE_CHECK_H
#define TP_ICE_CHECK_H

#include "models/ice/ice.h"
#include "models/stun/stun.h"

enum { ICE_MESSAGE_MAX = 512 };

/* A Binding request's fields. */
struct ice_check {
    uint32_t priority;
    bool use_candidate, controlling;
    uint64_t tie_breaker;
    char username[2 * ICE_UFRAG_MAX]; /* the receiver's fragment, a colon, the sender's */
    char candidate_id[33];            /* CANDIDATE-IDENTIFIER (MSI-3); "" when absent */
};

/* All return the message's length. key: the receiver's password. The attributes' order is that of the reference
 * capture's frame 2597 (request) and fits the length of its frame 2596 (response; in Microsoft's dialect with
 * USERNAME repeated). */
size_t ice_check_encode(const struct stun_dialect *d, const struct ice_check *c, const struct stun_id *id,
                        const char *key, uint8_t buf[ICE_MESSAGE_MAX]);
/* In the dialect of the request. */
size_t ice_success_encode(const struct stun_msg *request, const struct endpoint *mapped, const char *key,
                          uint8_t buf[ICE_MESSAGE_MAX]);
/* key NULL: without MESSAGE-INTEGRITY, as 400 and 401 are (RFC 8489 9.1.3). unknown: for 420. */
size_t ice_error_encode(const struct stun_msg *request, int code, const char *key,
                        uint8_t buf[ICE_MESSAGE_MAX]);
/* A keep-alive: header and FINGERPRINT alone. */
size_t ice_indication_encode(const struct stun_dialect *d, const struct stun_id *id,
                             uint8_t buf[ICE_MESSAGE_MAX]);

/* A message of the dialect with a FINGERPRINT, the standard one or in its dialect Microsoft's old one (MSI-7): 0, or
 * E_MALFORMED, E_INTEGRITY: to be dropped. */
int ice_message_parse(const struct stun_dialect *d, const uint8_t *frame, size_t len, struct stun_msg *out);
/* The fields of a request whose credentials are fine (or, in a test, unknown). E_MALFORMED: one is missing or
 * wrong: PRIORITY and exactly one role attribute are needed. USE-CANDIDATE from a controlled agent is taken
 * (frame 2597). */
int ice_check_decode(const struct stun_msg *m, struct ice_check *out);

#endif
