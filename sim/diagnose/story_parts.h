/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The story from within: story.c has legs and TURN, story_sip.c has SIP. */
#ifndef TP_DIAGNOSE_STORY_PARTS_H
#define TP_DIAGNOSE_STORY_PARTS_H

#include "models/sip/sdp.h"
#include "sim/diagnose/story.h"

/* A row of the ladder. */
void story_draw(struct story *s, const struct seen *seen, const char *text);

/* Bytes of a direction, or a datagram, that speaks SIP. */
void story_hear_sip(struct story *s, struct leg *l, const struct said *said);
/* Bytes of that direction are missing, or no more come: nothing further is read of it. */
void story_end_sip(struct leg *l, bool reply);
void story_free_sip(struct leg *l);
/* A message begins here: a method with its target, or a status line. */
bool story_begins_sip(const uint8_t *p, size_t len);

/* A description that passed: its addresses and candidates. */
void story_announce(struct story *s, const struct seen *seen, const struct sdp *sdp);
/* A new leg, which may go where something was announced. */
void story_meet(struct story *s, struct leg *l);
/* A datagram on a leg with an announced address. */
void story_hear_rtp(struct story *s, struct leg *l, const struct said *said);

#endif
