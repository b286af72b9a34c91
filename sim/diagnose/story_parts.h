/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The story from within: story.c has legs and TURN, story_sip.c has SIP. */
#ifndef TP_DIAGNOSE_STORY_PARTS_H
#define TP_DIAGNOSE_STORY_PARTS_H

#include "sim/diagnose/story.h"

/* A row of the ladder. */
void story_draw(struct story *s, const struct seen *seen, const char *text);

/* Bytes of a direction, or a datagram, that speaks SIP. */
void story_hear_sip(struct story *s, struct leg *l, const struct said *said);
/* Bytes of that direction are missing, or no more come: nothing further is read of it. */
void story_end_sip(struct leg *l, bool reply);
void story_free_sip(struct leg *l);

#endif
