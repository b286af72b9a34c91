/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes what was said to the rules that want it, and counts for each row what they say of it. */
#include "conformance/monitor.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/monitor/rules.h"
#include "models/base/err.h"

enum { FLOWS = 65536, SAW_MAX = 400, EXCHANGE_MAX = 8192, HEX_MAX = 1500, HEX_LINE = 32 };

/* Of one row. */
struct tally {
    const char *id;
    uint64_t held, broken;
    char *saw, *exchange; /* of the first time that it was broken */
};

struct watch {
    struct scene scene;
    struct entry {
        const struct rule *rule;
        struct tally *tally;
    } *entry;
    size_t entries, tallies;
    struct tally *tally;     /* in the order of the rules */
    const struct sight *now; /* what is being judged, for which row */
    struct tally *row;
};

struct monitors {
    struct watch watch;
    struct dialogue *dialogue;
};

static const struct rules *const books[] = {&rules_rfc6062, &rules_rfc8656, &rules_rfc8489, &rules_microsoft};
enum { BOOKS = sizeof books / sizeof *books };

/* ---- what rules say ---- */

void rule_held(struct watch *w)
{
    w->row->held++;
}

/* The message that broke it, for people: when, between whom, what it says, and its bytes. */
static char *exchange_of(const struct sight *s)
{
    char buf[EXCHANGE_MAX], from[ENDPOINT_TEXT], to[ENDPOINT_TEXT];
    struct text t = text_of(buf, sizeof buf);
    if (!s->said)
        return NULL;
    const struct seen *seen = s->said->seen;
    text_add(&t, "%.6f", (double)seen->t_ns / (double)NS_S);
    if (seen->frame)
        text_add(&t, " frame %llu", (unsigned long long)seen->frame);
    text_add(&t, " %s -> %s ", endpoint_text(&seen->from, from), endpoint_text(&seen->to, to));
    if (s->m)
        stun_describe(s->m, &t);
    else
        text_add(&t, "%zu bytes", s->said->len);
    text_add(&t, "\n");
    for (size_t at = 0; s->said->data && at < s->said->len && at < HEX_MAX; at += HEX_LINE) {
        text_add(&t, "   ");
        for (size_t i = at; i < s->said->len && i < at + HEX_LINE; i++)
            text_add(&t, "%s%02x", i % 4 ? "" : " ", s->said->data[i]);
        text_add(&t, "\n");
    }
    return strdup(buf);
}

void rule_broken(struct watch *w, const char *fmt, ...)
{
    if (w->row->broken++)
        return;
    char buf[SAW_MAX];
    struct text t = text_of(buf, sizeof buf);
    if (w->now->said && w->now->said->seen->frame)
        text_add(&t, "frame %llu: ", (unsigned long long)w->now->said->seen->frame);
    else
        text_add(&t, "at %.6f s: ", (double)w->now->t_ns / (double)NS_S);
    va_list ap;
    va_start(ap, fmt);
    text_vadd(&t, fmt, ap);
    va_end(ap);
    w->row->saw = strdup(buf);
    w->row->exchange = exchange_of(w->now);
}

void rule_judge(struct watch *w, bool holds, const char *fmt, ...)
{
    if (holds) {
        rule_held(w);
        return;
    }
    char buf[SAW_MAX];
    struct text t = text_of(buf, sizeof buf);
    va_list ap;
    va_start(ap, fmt);
    text_vadd(&t, fmt, ap);
    va_end(ap);
    rule_broken(w, "%s", buf);
}

bool sight_has(const struct sight *s, unsigned attribute)
{
    struct stun_attr a;
    return stun_find(s->m, (enum stun_attr_type)attribute, &a);
}

static const char *attribute_name(unsigned attribute)
{
    const char *name = stun_attr_name(&stun_rfc8489, (uint16_t)attribute);
    return name ? name : "the attribute";
}

static void judge_presence(struct watch *w, const struct sight *s, unsigned attribute, bool wanted)
{
    char buf[128];
    struct text t = text_of(buf, sizeof buf);
    stun_label(&stun_rfc8489, s->m->type, s->code, &t);
    rule_judge(w, sight_has(s, attribute) == wanted, "%s %s %s", buf, wanted ? "without" : "with",
               attribute_name(attribute));
}

void rule_has(struct watch *w, const struct sight *s, unsigned attribute)
{
    judge_presence(w, s, attribute, true);
}

void rule_has_not(struct watch *w, const struct sight *s, unsigned attribute)
{
    judge_presence(w, s, attribute, false);
}

void rule_signed(struct watch *w, const struct sight *s, unsigned code)
{
    if (s->ask->with_credentials && (!code || (unsigned)s->code == code))
        rule_judge(w, s->m->mac_at || s->m->mac256_at,
                   "the answer to a request with credentials has no MESSAGE-INTEGRITY");
}

void rule_challenges(struct watch *w, const struct sight *s, unsigned code)
{
    if ((unsigned)s->code == code)
        rule_judge(w, sight_has(s, ATTR_REALM) && sight_has(s, ATTR_NONCE), "%u without REALM or NONCE", code);
}

/* ---- what is seen ---- */

static void judge_by(struct watch *w, const struct sight *s)
{
    unsigned method = s->m ? s->m->method : 0;
    w->now = s;
    for (size_t i = 0; i < w->entries; i++) {
        const struct rule *r = w->entry[i].rule;
        if (!(r->on & s->on) || (r->method && r->method != method))
            continue;
        w->row = w->entry[i].tally;
        r->judge(w, s, r->arg);
    }
}

static int code_of(const struct stun_msg *m)
{
    int code = 0;
    const char *reason;
    size_t len;
    return m->cls == STUN_ERROR && stun_get_error(m, &code, &reason, &len) ? -1 : code;
}

static unsigned on_of(const struct sight *s)
{
    switch (s->m->cls) {
    case STUN_REQUEST:
        return !s->by_client ? 0 : s->ask ? ON_AGAIN : ON_REQUEST;
    case STUN_INDICATION:
        return ON_INDICATION;
    case STUN_SUCCESS:
        return s->ask ? ON_SUCCESS : 0;
    case STUN_ERROR:
        return s->ask ? ON_ERROR : 0;
    }
    return 0;
}

static void hear_message(struct watch *w, struct sight *s)
{
    s->m = &s->said->stun;
    s->ask = scene_ask(s->in, s->m);
    s->code = code_of(s->m);
    s->on = on_of(s);
    if (s->on)
        judge_by(w, s);
    if (s->on != ON_REQUEST || s->by_client)
        scene_learn(&w->scene, s->in, s->said, s->ask);
}

/* Checks are no TURN: they are judged wherever they pass. */
static void hear_check(struct watch *w, struct sight s)
{
    s.m = &s.said->stun;
    bool bare = s.said->kind == SAID_STUN && s.m->method == STUN_BINDING &&
                (sight_has(&s, ATTR_PRIORITY) || sight_has(&s, ATTR_MS_IMPLEMENTATION_VERSION));
    if (!bare && (s.said->kind != SAID_FRAME || !s.m->bytes))
        return;
    s.on = ON_CHECK;
    s.code = code_of(s.m);
    judge_by(w, &s);
}

static void leave(struct watch *w, struct conversation *c, const struct said *said, uint64_t t_ns)
{
    struct sight s = {.on = ON_END, .t_ns = t_ns, .said = said, .scene = &w->scene, .in = c};
    judge_by(w, &s);
    scene_leave(&w->scene, c);
}

static void hear_event(struct watch *w, struct sight *s)
{
    const struct seen *seen = s->said->seen;
    if (seen->kind == SEEN_SYN && !seen->reply) {
        s->on = ON_SYN;
        judge_by(w, s);
    } else if (s->in && seen->kind == SEEN_GAP) {
        s->in->gap = true;
    } else if (s->in && (seen->kind == SEEN_FIN ? s->by_client : seen->kind == SEEN_RST || seen->kind == SEEN_END)) {
        leave(w, s->in, seen->kind == SEEN_END ? NULL : s->said, s->t_ns); /* END: it may have gone on */
    }
}

static void hear(void *ctx, const struct said *said)
{
    struct watch *w = ctx;
    struct conversation *c = scene_join(&w->scene, said);
    struct sight s = {.t_ns = said->seen->t_ns, .said = said, .scene = &w->scene, .in = c,
                      .by_client = c && endpoint_equal(&said->seen->from, &c->client)};
    hear_check(w, s);
    if (said->kind == SAID_EVENT) {
        hear_event(w, &s);
    } else if (c && said->kind == SAID_STUN) {
        hear_message(w, &s);
    } else if (c) {
        s.on = said->kind == SAID_CHANNEL ? ON_CHANNEL : ON_PAYLOAD;
        judge_by(w, &s);
    }
}

/* ---- a trace ---- */

static struct tally *tally_of(struct watch *w, const char *id)
{
    for (size_t i = 0; i < w->tallies; i++)
        if (strcmp(w->tally[i].id, id) == 0)
            return &w->tally[i];
    w->tally[w->tallies] = (struct tally){.id = id};
    return &w->tally[w->tallies++];
}

static int index_rules(struct watch *w)
{
    for (size_t b = 0; b < BOOKS; b++)
        w->entries += books[b]->count;
    w->entry = calloc(w->entries, sizeof *w->entry);
    w->tally = calloc(w->entries, sizeof *w->tally);
    if (!w->entry || !w->tally)
        return E_NOMEM;
    struct entry *e = w->entry;
    for (size_t b = 0; b < BOOKS; b++)
        for (size_t i = 0; i < books[b]->count; i++)
            *e++ = (struct entry){&books[b]->rule[i], tally_of(w, books[b]->rule[i].id)};
    return 0;
}

bool monitors_watch(const char *id)
{
    for (size_t b = 0; b < BOOKS; b++)
        for (size_t i = 0; i < books[b]->count; i++)
            if (strcmp(books[b]->rule[i].id, id) == 0)
                return true;
    return false;
}

struct monitors *monitors_new(void)
{
    struct monitors *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->dialogue = dialogue_new(FLOWS, hear, &m->watch);
    if (m->dialogue && index_rules(&m->watch) == 0)
        return m;
    monitors_free(m);
    return NULL;
}

void monitors_free(struct monitors *m)
{
    if (!m)
        return;
    scene_free(&m->watch.scene);
    dialogue_free(m->dialogue);
    for (size_t i = 0; i < m->watch.tallies; i++) {
        free(m->watch.tally[i].saw);
        free(m->watch.tally[i].exchange);
    }
    free(m->watch.tally);
    free(m->watch.entry);
    free(m);
}

void monitors_see(void *monitors, const struct seen *s)
{
    struct monitors *m = monitors;
    dialogue_see(m->dialogue, s);
}

uint64_t monitors_missed(const struct monitors *m)
{
    return m->watch.scene.missed + dialogue_missed(m->dialogue);
}

static char *counted(const struct tally *t)
{
    char buf[SAW_MAX + 64];
    struct text text = text_of(buf, sizeof buf);
    text_add(&text, "%s", t->saw ? t->saw : "it was broken");
    if (t->broken > 1)
        text_add(&text, " (%llu times)", (unsigned long long)t->broken);
    return strdup(buf);
}

/* The tally is given away. */
static struct verdict verdict_of(struct tally *t, const struct requirement *row)
{
    struct verdict v = {.row = row};
    if (t->broken) {
        v.outcome = row->level == LEVEL_OPEN || row->level == LEVEL_MAY ? OUTCOME_DEFINED : OUTCOME_FAIL;
        v.saw = counted(t);
        v.exchange = t->exchange;
        t->exchange = NULL;
    } else if (!t->held) {
        v.outcome = OUTCOME_SKIP;
        v.saw = strdup("nothing in the trace puts it to the proof");
    }
    return v;
}

int monitors_end(struct monitors *m, uint64_t t_ns, struct verdict **out, size_t *count)
{
    struct watch *w = &m->watch;
    for (size_t b = 0; b < sizeof w->scene.bucket / sizeof *w->scene.bucket; b++)
        while (w->scene.bucket[b])
            leave(w, w->scene.bucket[b], NULL, t_ns);
    *count = 0;
    *out = calloc(w->tallies, sizeof **out);
    if (!*out)
        return E_NOMEM;
    const struct requirement *row;
    for (size_t i = 0; (row = catalogue_row(i)); i++)
        for (size_t k = 0; k < w->tallies; k++)
            if (strcmp(row->id, w->tally[k].id) == 0)
                (*out)[(*count)++] = verdict_of(&w->tally[k], row);
    return 0;
}
