/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The requests of web clients that Expressway-C hands on: each is answered at once. Private to the web bridge. */
#ifndef TP_ACTORS_WEB_BRIDGE_ANSWER_H
#define TP_ACTORS_WEB_BRIDGE_ANSWER_H

#include "models/actors/conference.h"
#include "models/actors/http.h"

enum { WEB_ANSWER_MAX = 1024 };

/* The answer to it, written into t, which has room for WEB_ANSWER_MAX bytes. */
void web_answer(struct conference *c, const struct http_message *request, struct text *t);

#endif
