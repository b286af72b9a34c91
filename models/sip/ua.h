/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A SIP user agent over TCP and UDP (RFC 3261): calls that it makes and takes, re-INVITE, BYE, CANCEL, OPTIONS, and the
 * timers: B, F, H, and the 2xx repeated until its ACK (13.3.1.4); over UDP A, E and G, and D, H and J, while what
 * comes again is answered as before. A core over base/io.h: it connects to its outbound proxy or listens, or both;
 * events are polled after each input. A call goes over the connection that its last message came by; one that it makes
 * over that to the outbound proxy, or, without one, over the newest that another side has opened, or to where the last
 * datagram came from. */
#ifndef TP_SIP_UA_H
#define TP_SIP_UA_H

#include "models/base/io.h"
#include "models/base/time.h"
#include "models/sip/sip.h"

/* RFC 3261 17.1.1.1: T1, T2; timers B, F and H are 64*T1. */
#define SIP_T1_NS (500 * NS_MS)
#define SIP_T2_NS (4 * NS_S)
#define SIP_GIVE_UP_NS (64 * SIP_T1_NS)

enum { SIP_CALLS_MAX = 64, SIP_LINKS_MAX = 32, SIP_LISTENERS_MAX = 4 };

struct sip_ua_config {
    struct endpoint server; /* the outbound proxy: connected to at start, again when lost; port 0: none */
    struct endpoint listen[SIP_LISTENERS_MAX]; /* TCP; port 0: none */
    struct endpoint listen_udp;                /* port 0: none */
    struct endpoint server_udp;                /* an outbound proxy over UDP, instead: listen_udp is then an address of
                                                * its own; port 0: none */
    const char *uri;        /* "sip:alice@example.com": who we are in From; borrowed, as the next */
    const char *agent;      /* User-Agent, Server */
    size_t calls_max;       /* 0: SIP_CALLS_MAX; over UDP a call counts until 32 s after its end */
    /* A call in which nothing has come for so long is asked with OPTIONS whether it still is one; 481, 408 or no
     * answer end it. 0: never. */
    uint64_t keep_alive_ns;
    /* The outbound proxy itself is asked with OPTIONS this often, and at once; without an answer its connection is
     * lost. 0: never. */
    uint64_t options_ns;
};

struct sip_ua;
struct sip_call; /* one dialog; dead after SIP_REFUSED, SIP_ENDED */

enum sip_ua_event_kind {
    SIP_LINK_UP,   /* the connection to the outbound proxy stands, and OPTIONS are answered if any are sent: local is
                    * our end of it */
    SIP_LINK_DOWN, /* ... could not be made, or is lost: err. It is tried again by itself */
    SIP_INVITED,   /* a new call: msg is its INVITE; sip_ua_answer or sip_ua_refuse it */
    SIP_REINVITED, /* the same in a call that is up */
    SIP_PROGRESS,  /* provisional answer to our INVITE: code */
    SIP_ANSWERED,  /* 2xx to our INVITE or re-INVITE (msg); the ACK has been sent */
    SIP_CONFIRMED, /* the ACK to our 2xx has come */
    SIP_REFUSED,   /* our INVITE was refused: code, or 408 of our own when no answer came; the call is over */
    SIP_REINVITE_REFUSED, /* our re-INVITE was; the call goes on as it was */
    SIP_ENDED, /* by the other side: BYE or CANCEL (msg); or ours was answered; or no ACK, or no answer to OPTIONS,
                * came: code 408; or its end of the call is gone: code 481 (msg) */
};

struct sip_ua_event {
    enum sip_ua_event_kind kind;
    struct sip_call *call;
    const struct sip_msg *msg; /* borrowed until the next poll; NULL: not from a message */
    unsigned code;
    int err;
    struct endpoint local;
};

struct sip_ua *sip_ua_new(struct io *io, unsigned owner, const struct sip_ua_config *cfg);
void sip_ua_free(struct sip_ua *ua);
void sip_ua_input(struct sip_ua *ua, const struct io_in *in);
uint64_t sip_ua_deadline(const struct sip_ua *ua);
bool sip_ua_poll(struct sip_ua *ua, struct sip_ua_event *out);
bool sip_ua_linked(const struct sip_ua *ua); /* the connection to the outbound proxy stands */

/* A new call with a Call-ID of its own. headers: more header lines, each with its CRLF, or "". NULL: no
 * connection that it could go over, or calls_max calls. */
struct sip_call *sip_ua_invite(struct sip_ua *ua, const char *to, const char *sdp, const char *headers);
/* The same for somebody else than the user agent's own URI: a phone behind it. */
struct sip_call *sip_ua_invite_as(struct sip_ua *ua, const char *from, const char *to, const char *sdp,
                                  const char *headers);
void sip_ua_reinvite(struct sip_ua *ua, struct sip_call *c, const char *sdp);
/* To SIP_INVITED and SIP_REINVITED: 200 with the description; or a final answer other than 2xx, which ends a new
 * call. */
void sip_ua_answer(struct sip_ua *ua, struct sip_call *c, const char *sdp);
void sip_ua_refuse(struct sip_ua *ua, struct sip_call *c, unsigned code, const char *headers);
/* Ends a call whatever its state: CANCEL, BYE, or 487 to an INVITE that was not answered. SIP_ENDED or
 * SIP_REFUSED follows, at the latest after 64*T1. headers: such as ms-client-diagnostics, or "". */
void sip_ua_hangup(struct sip_ua *ua, struct sip_call *c, const char *headers);

bool sip_call_up(const struct sip_call *c);    /* the dialog is confirmed */
bool sip_call_quiet(const struct sip_call *c); /* ... and no INVITE is under way: sip_ua_reinvite may be called */
const char *sip_call_id(const struct sip_call *c);
void sip_call_set_user(struct sip_call *c, void *user);
void *sip_call_user(const struct sip_call *c);

#endif
