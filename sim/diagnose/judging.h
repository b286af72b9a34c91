/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What judges of causes work with: within this folder only. Each judge goes over the story and finds its cause as
 * often as it is there. */
#ifndef TP_DIAGNOSE_JUDGING_H
#define TP_DIAGNOSE_JUDGING_H

#include "sim/diagnose/causes.h"

struct judging {
    const struct story *story;
    const struct cms_log *log; /* NULL: none */
    const struct cause *cause; /* that is judged */
    struct diagnosis *out;
};

/* How long to wait for something before it counts as not coming, in seconds. */
enum { WAIT_ANSWER_S = 5, WAIT_PEER_S = 5, WAIT_BIND_S = 30, SILENCE_S = 60 };
/* What STUN listens on where nothing else is known of it (RFC 8656 4). */
enum { TURN_PORT = 3478 };

/* The cause is there, between the ends of that leg; NULL: of no connection. NULL: it was found between these hosts
 * already, and is counted, or there is no room: judging_show takes that. */
struct finding *judging_find(struct judging *j, const struct leg *l, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Evidence; nothing when it was not seen (frame 0). */
void judging_show(struct finding *f, struct mark at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void judging_show_line(struct finding *f, size_t line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* What the capture does not let tell. */
void judging_doubt(struct judging *j, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

double judging_seconds(uint64_t t_ns);
/* The capture goes on for so long behind it. */
bool judging_passed(const struct judging *j, struct mark since, uint64_t seconds);
/* RFC 1918 and its like: not to be reached from elsewhere. */
bool judging_private(const struct ip_addr *ip);
bool judging_over(const struct leg *l); /* a FIN or RST was seen */
/* When it ended, or the capture did. */
uint64_t judging_end(const struct judging *j, const struct leg *l);
/* A bound connection did what it is for: complete checks, or payload both ways. */
bool judging_works(const struct leg *l);
/* Any connection of that control connection did. */
bool judging_call_works(const struct judging *j, const struct leg *control);

void judge_attendee(struct judging *j);
void judge_edge_blocked(struct judging *j);
void judge_pseudo_tls(struct judging *j);
void judge_ms_unanswered(struct judging *j);
void judge_ms_refused(struct judging *j);
void judge_share_refused(struct judging *j);
void judge_sip_blocked(struct judging *j);
void judge_way_back(struct judging *j);
void judge_sip_idle(struct judging *j);
void judge_sip_unanswered(struct judging *j);
void judge_port_blocked(struct judging *j);
void judge_port_refused(struct judging *j);
void judge_tls(struct judging *j);
void judge_not_turn(struct judging *j);
void judge_allocate_unanswered(struct judging *j);
void judge_wrong_realm(struct judging *j);
void judge_wrong_credentials(struct judging *j);
void judge_no_credentials(struct judging *j);
void judge_stale_nonce(struct judging *j);
void judge_allocate_refused(struct judging *j);
void judge_relay_port(struct judging *j);
void judge_permission(struct judging *j);
void judge_permission_refused(struct judging *j);
void judge_no_attempt(struct judging *j);
void judge_connect_failed(struct judging *j);
void judge_bind_missing(struct judging *j);
void judge_bind_late(struct judging *j);
void judge_bind_refused(struct judging *j);
void judge_checks_refused(struct judging *j);
void judge_checks_half(struct judging *j);
void judge_idle(struct judging *j);
void judge_reset(struct judging *j);
void judge_expired(struct judging *j);
void judge_unanswered(struct judging *j);
void judge_media_one_way(struct judging *j);
void judge_private_announced(struct judging *j);
void judge_what_is_not_seen(struct judging *j);

#endif
