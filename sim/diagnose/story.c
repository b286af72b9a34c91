/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/diagnose/story_parts.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024, CHECKS_KEPT = 8 };

/* ---- what there is room for ---- */

static void leg_free(struct leg *l)
{
    for (struct exchange *x = l->talk ? l->talk->latest : NULL, *earlier; x; x = earlier) {
        earlier = x->earlier;
        free(x);
    }
    story_free_sip(l);
    free(l->talk);
    free(l->ms);
    free(l->checks);
    free(l->rtp);
    free(l);
}

void story_free(struct story *s)
{
    scene_free(&s->scene);
    for (struct leg *l = s->first_leg, *after; l; l = after) {
        after = l->after;
        leg_free(l);
    }
    for (size_t i = 0; i < s->attempts; i++)
        free(s->attempt[i]);
    free(s->attempt);
    for (size_t i = 0; i < s->lines; i++)
        free(s->line[i].message);
    free(s->line);
}

/* ---- what can be asked of a leg ---- */

const struct endpoint *leg_client(const struct leg *l)
{
    return &l->end[l->talk ? l->talk->client : 0];
}

const struct endpoint *leg_server(const struct leg *l)
{
    return &l->end[l->talk ? !l->talk->client : 1];
}

static bool silent_but_acknowledged(const struct leg_side *side)
{
    return side->bytes == 0 && side->missing > 0;
}

/* Of UDP: credentials are given only to who was challenged, and nobody was seen to challenge (RFC 8489 9.2.3). */
static bool knows_what_was_not_seen(const struct leg *l)
{
    return l->proto == PROTO_UDP && l->talk && l->talk->knew && l->side[!l->talk->client].bytes == 0;
}

bool leg_one_sided(const struct leg *l)
{
    return silent_but_acknowledged(&l->side[0]) || silent_but_acknowledged(&l->side[1]) || knows_what_was_not_seen(l);
}

bool leg_incomplete(const struct leg *l)
{
    return l->middle || l->side[0].missing || l->side[1].missing;
}

bool checks_complete(const struct leg *l)
{
    const struct checks *c = l->checks;
    return c && c->request[0].frame && c->request[1].frame && c->success[0].frame && c->success[1].frame;
}

/* ---- legs ---- */

static struct leg **place_of(struct story *s, uint32_t flow)
{
    struct leg **at = &s->bucket[flow % BUCKETS];
    while (*at && (*at)->flow != flow)
        at = &(*at)->next;
    return at;
}

static struct leg *leg_of(struct story *s, const struct seen *seen)
{
    struct leg **at = place_of(s, seen->flow);
    if (*at || seen->kind == SEEN_END || seen->kind == SEEN_ICMP) /* an ICMP error does not say who the ends are */
        return *at;
    s->flows++;
    struct leg *l = s->legs < STORY_LEGS ? calloc(1, sizeof *l) : NULL;
    if (!l) {
        s->missed++;
        return NULL;
    }
    *l = (struct leg){.flow = seen->flow, .proto = seen->proto, .before = s->last_leg};
    l->end[seen->reply] = seen->from;
    l->end[!seen->reply] = seen->to;
    *(s->last_leg ? &s->last_leg->after : &s->first_leg) = l;
    s->last_leg = l;
    s->legs++;
    story_meet(s, l);
    return *at = l;
}

/* Of no use for any story: it was answered, and neither TURN nor a check was in it. */
static bool dull(const struct leg *l)
{
    bool answered = l->proto == PROTO_UDP || l->side[1].bytes;
    return answered && !l->talk && !l->ms && !l->checks && !l->sip_latest && !l->rtp &&
           (l->side[0].speech != SPEAKS_TLS || l->side[1].speech == SPEAKS_TLS);
}

/* The flow is over: it is found by its number no more. */
static void leg_end(struct story *s, struct leg *l)
{
    *place_of(s, l->flow) = l->next;
    story_end_sip(l, false);
    story_end_sip(l, true);
    if (!dull(l))
        return;
    *(l->before ? &l->before->after : &s->first_leg) = l->after;
    *(l->after ? &l->after->before : &s->last_leg) = l->before;
    s->legs--;
    leg_free(l);
}

static struct mark mark_of(const struct seen *seen)
{
    return (struct mark){seen->frame, seen->t_ns};
}

/* True: it was not set before. */
static bool mark_once(struct mark *m, const struct seen *seen)
{
    if (m->frame)
        return false;
    *m = mark_of(seen);
    return true;
}

/* ---- the ladder ---- */

static struct line *draw(struct story *s, const struct seen *seen)
{
    if (s->lines == s->room) {
        size_t room = s->room ? 2 * s->room : 256;
        struct line *more = room <= STORY_LINES ? realloc(s->line, room * sizeof *more) : NULL;
        if (!more) {
            s->lines_left_out++;
            return NULL;
        }
        s->line = more;
        s->room = room;
    }
    struct line *l = &s->line[s->lines++];
    *l = (struct line){.at = mark_of(seen), .from = seen->from, .to = seen->to};
    return l;
}

void story_draw(struct story *s, const struct seen *seen, const char *text)
{
    struct line *l = draw(s, seen);
    if (l) {
        struct text t = text_of(l->label, sizeof l->label);
        text_add(&t, "%s", text);
    }
}

static int code_of(const struct stun_msg *m)
{
    int code = 0;
    const char *reason;
    size_t len;
    return m->cls == STUN_ERROR && stun_get_error(m, &code, &reason, &len) ? -1 : code;
}

/* What goes to a peer, or comes from it, in Send, Data and ChannelData: ICE checks are told. */
static bool carried(const uint8_t *p, size_t len, struct stun_msg *out)
{
    return stun_looks_like(p, len) && stun_parse(&stun_rfc8489, p, len, out) == 0;
}

static void add_inner(const uint8_t *p, size_t len, struct text *t)
{
    struct stun_msg inner;
    if (!carried(p, len, &inner))
        return;
    text_add(t, ": ");
    stun_label(inner.dialect, inner.type, code_of(&inner), t);
}

static void add_carried(const struct stun_msg *m, struct text *t)
{
    struct stun_attr data;
    if (m->cls == STUN_INDICATION && stun_find(m, ATTR_DATA, &data))
        add_inner(data.value, data.len, t);
}

static void draw_message(struct story *s, const struct said *said, bool again)
{
    struct line *l = draw(s, said->seen);
    if (!l)
        return;
    l->kind = LINE_STUN;
    l->framed = said->kind == SAID_FRAME || said->kind == SAID_MS_TURN;
    l->again = again;
    l->type = said->stun.type;
    struct text t = text_of(l->label, sizeof l->label);
    text_add(&t, "%s", said->kind == SAID_MS_TURN ? "MS-TURN " : l->framed ? "framed " : "");
    stun_label(said->stun.dialect, said->stun.type, code_of(&said->stun), &t);
    add_carried(&said->stun, &t);
    l->dialect = said->stun.dialect;
    l->len = said->stun.len;
    if (s->lines > STORY_FIELDS || s->kept + l->len > STORY_KEPT || !(l->message = malloc(l->len)))
        return;
    memcpy(l->message, said->stun.bytes, l->len);
    s->kept += l->len;
}

/* As many as are told with their fields: there may be one for each packet of a medium. */
static void draw_channel(struct story *s, const struct said *said)
{
    struct line *l = s->lines < STORY_FIELDS ? draw(s, said->seen) : NULL;
    if (!l) {
        s->lines_left_out++;
        return;
    }
    l->kind = LINE_CHANNEL;
    l->again = true;
    l->type = said->channel;
    l->len = said->len;
    struct text t = text_of(l->label, sizeof l->label);
    text_add(&t, "ChannelData 0x%04x, %zu bytes", said->channel, said->len);
    add_inner(said->data, said->len, &t);
}

/* ---- TURN ---- */

static void copy(const struct stun_msg *m, enum stun_attr_type type, char out[STORY_TEXT])
{
    const char *text;
    size_t len;
    if (stun_get_text(m, type, &text, &len))
        return;
    len = len < STORY_TEXT ? len : STORY_TEXT - 1;
    memcpy(out, text, len);
    out[len] = '\0';
}

static struct exchange *find(struct talk *t, const struct stun_msg *m)
{
    size_t n = 0;
    for (struct exchange *x = t->latest; x && n < SCENE_ASKS; x = x->earlier, n++)
        if (x->method == m->method && memcmp(&x->id, &m->id, sizeof x->id) == 0)
            return x;
    return NULL;
}

static struct attempt *attempt_of(const struct story *s, uint32_t connection, const struct endpoint *server)
{
    for (size_t i = s->attempts; i-- > 0;) /* the latest: numbers may be given again */
        if (s->attempt[i]->connection == connection && endpoint_equal(leg_server(s->attempt[i]->control), server))
            return s->attempt[i];
    return NULL;
}

static void add_attempt(struct story *s, struct leg *l, const struct said *said, const struct endpoint *peer,
                        bool connect)
{
    uint32_t connection;
    if (stun_get_u32(&said->stun, ATTR_CONNECTION_ID, &connection))
        return;
    if (!s->attempt)
        s->attempt = calloc(STORY_ATTEMPTS, sizeof(struct attempt *));
    struct attempt *a = s->attempt && s->attempts < STORY_ATTEMPTS ? calloc(1, sizeof *a) : NULL;
    if (!a) {
        s->missed++;
        return;
    }
    s->attempt[s->attempts++] = a;
    *a = (struct attempt){.control = l, .connection = connection, .connect = connect, .peer = *peer,
                          .told = mark_of(said->seen)};
}

/* A request that was not there before. */
static void ask(struct story *s, struct leg *l, const struct said *said)
{
    const struct stun_msg *m = &said->stun;
    struct talk *t = l->talk;
    struct exchange *x = s->exchanges < STORY_EXCHANGES ? calloc(1, sizeof *x) : NULL;
    if (!x) {
        s->missed++;
        return;
    }
    s->exchanges++;
    *x = (struct exchange){.id = m->id, .method = m->method, .asked = mark_of(said->seen), .sent = 1,
                           .with_credentials = m->mac_at || m->mac256_at, .silence_ns = l->last_silence_ns};
    x->has_lifetime = stun_get_u32(m, ATTR_LIFETIME, &x->lifetime_s) == 0;
    stun_get_address(m, ATTR_XOR_PEER_ADDRESS, &x->peer);
    copy(m, ATTR_REALM, x->realm);
    copy(m, ATTR_USERNAME, t->user);
    if (!t->latest)
        t->knew = x->with_credentials;
    x->earlier = t->latest;
    t->latest = x;
    t->control |= m->method != TURN_CONNECTION_BIND;
    uint32_t connection;
    struct attempt *a = NULL;
    if (m->method == TURN_CONNECTION_BIND && stun_get_u32(m, ATTR_CONNECTION_ID, &connection) == 0)
        a = attempt_of(s, connection, leg_server(l));
    if (a) {
        a->bind = x;
        a->leg = l;
    }
}

static void grant(struct leg *l, const struct said *said, const struct conversation *c, const struct exchange *x)
{
    struct allocation_story *a = &l->talk->allocation;
    const struct allocation_view *now = &c->alloc;
    uint32_t lifetime_s = 0;
    switch (x->method) {
    case TURN_ALLOCATE:
        *a = (struct allocation_story){.granted = mark_of(said->seen), .relayed = now->relayed,
                                       .transport = now->transport};
        stun_get_address(&said->stun, ATTR_XOR_MAPPED_ADDRESS, &a->mapped);
        break;
    case TURN_REFRESH:
        a->last_refresh = mark_of(said->seen);
        if (!now->live)
            a->deleted = mark_of(said->seen);
        break;
    case TURN_CREATE_PERMISSION:
    case TURN_CHANNEL_BIND:
        mark_once(&a->permission, said->seen);
        return;
    default:
        return;
    }
    if (stun_get_u32(&said->stun, ATTR_LIFETIME, &lifetime_s) == 0)
        a->lifetime_s = lifetime_s;
    a->expires_ns = now->expires_ns;
}

static void answer(struct story *s, struct leg *l, const struct said *said, struct exchange *x)
{
    if (x->answered.frame)
        return;
    x->answered = mark_of(said->seen);
    x->code = code_of(&said->stun);
    copy(&said->stun, ATTR_REALM, x->answer_realm);
    copy(&said->stun, ATTR_SOFTWARE, l->talk->software);
    if (x->code)
        return;
    const struct conversation *c = scene_find(&s->scene, l->flow);
    if (c)
        grant(l, said, c, x);
    if (x->method == TURN_CONNECT)
        add_attempt(s, l, said, &x->peer, true);
    if (x->method == TURN_CONNECTION_BIND)
        for (size_t i = s->attempts; i-- > 0;)
            if (s->attempt[i]->bind == x)
                l->attempt = s->attempt[i];
}

static void indicate(struct story *s, struct leg *l, const struct said *said)
{
    struct endpoint peer = {0};
    if (said->stun.method == STUN_BINDING)
        l->talk->keep_alive = mark_of(said->seen);
    if (said->stun.method != TURN_CONNECTION_ATTEMPT)
        return;
    stun_get_address(&said->stun, ATTR_XOR_PEER_ADDRESS, &peer);
    add_attempt(s, l, said, &peer, false);
}

static void hear_turn(struct story *s, struct leg *l, const struct said *said, struct conversation *c)
{
    const struct stun_msg *m = &said->stun;
    if (!l->talk) {
        l->talk = calloc(1, sizeof *l->talk);
        if (!l->talk) {
            s->missed++;
            return;
        }
        l->talk->client = !endpoint_equal(&c->client, &l->end[0]);
        l->talk->middle = c->middle;
    }
    struct exchange *x = find(l->talk, m);
    draw_message(s, said, m->method == TURN_SEND || m->method == TURN_DATA || (m->cls == STUN_REQUEST && x));
    scene_learn(&s->scene, c, said, scene_ask(c, m));
    switch (m->cls) {
    case STUN_REQUEST:
        if (x)
            x->sent++;
        else
            ask(s, l, said);
        break;
    case STUN_INDICATION:
        indicate(s, l, said);
        break;
    case STUN_SUCCESS:
    case STUN_ERROR:
        if (x)
            answer(s, l, said, x);
        break;
    }
}

/* ---- ICE checks ---- */

static bool was_asked(const struct checks *c, unsigned by, const struct stun_id *id)
{
    for (size_t i = 0; i < CHECKS_KEPT && i < c->asked[by].count; i++)
        if (memcmp(&c->asked[by].id[i], id, sizeof *id) == 0)
            return true;
    return false;
}

/* True: the first of its kind. */
static bool note_check(struct story *s, struct leg *l, const struct stun_msg *m, const struct seen *seen)
{
    unsigned by = seen->reply;
    if (m->method != STUN_BINDING || m->cls == STUN_INDICATION)
        return false;
    if (!l->checks)
        l->checks = calloc(1, sizeof *l->checks);
    struct checks *c = l->checks;
    if (!c) {
        s->missed++;
        return false;
    }
    if (m->cls == STUN_REQUEST) {
        c->asked[by].id[c->asked[by].count++ % CHECKS_KEPT] = m->id;
        return mark_once(&c->request[by], seen);
    }
    if (!was_asked(c, !by, &m->id))
        return false;
    if (m->cls == STUN_ERROR)
        c->code[by] = code_of(m);
    return mark_once(m->cls == STUN_SUCCESS ? &c->success[by] : &c->error[by], seen);
}

/* Drawn is the first of each kind. */
static void hear_check(struct story *s, struct leg *l, const struct said *said)
{
    bool new = note_check(s, l, &said->stun, said->seen);
    draw_message(s, said, !new);
}

/* Checks on their way through a relay. */
static void hear_carried(struct story *s, struct leg *l, const struct said *said)
{
    struct stun_msg inner;
    struct stun_attr data = {.value = said->data, .len = (uint16_t)said->len};
    bool indication = said->kind == SAID_STUN && said->stun.cls == STUN_INDICATION;
    if ((said->kind == SAID_CHANNEL || (indication && stun_find(&said->stun, ATTR_DATA, &data))) &&
        carried(data.value, data.len, &inner))
        note_check(s, l, &inner, said->seen);
}

/* ---- [MS-TURN] ---- */

static void hear_ms(struct story *s, struct leg *l, const struct said *said)
{
    const struct stun_msg *m = &said->stun;
    if (!l->ms)
        l->ms = calloc(1, sizeof *l->ms);
    struct ms_talk *t = l->ms;
    if (!t) {
        s->missed++;
        return;
    }
    if (said->kind == SAID_MS_HELLO) {
        mark_once(&t->hello[said->seen->reply], said->seen);
        story_draw(s, said->seen, said->seen->reply ? "pseudo-TLS ServerHello" : "pseudo-TLS ClientHello");
        return;
    }
    draw_message(s, said, m->method != TURN_ALLOCATE && m->method != MS_TURN_SET_ACTIVE_DESTINATION);
    if (m->method != TURN_ALLOCATE)
        return;
    if (m->cls == STUN_REQUEST) {
        mark_once(&t->asked, said->seen);
        t->with_credentials = m->mac_at;
        return;
    }
    t->answered = mark_of(said->seen);
    t->code = code_of(m);
    if (m->cls == STUN_SUCCESS)
        mark_once(&t->granted, said->seen);
}

/* ---- everything else ---- */

static enum speech speech_of(const struct said *said)
{
    static const struct {
        const char *begin;
        enum speech speech;
    } known[] = {{"\x16\x03", SPEAKS_TLS},   {"\x15\x03", SPEAKS_TLS}, {"HTTP/", SPEAKS_HTTP},
                 {"GET ", SPEAKS_HTTP},       {"POST ", SPEAKS_HTTP}};
    if (said->kind == SAID_MS_TURN || said->kind == SAID_MS_HELLO)
        return SPEAKS_MS_TURN;
    if (said->stun.bytes || said->kind == SAID_CHANNEL)
        return SPEAKS_STUN;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (said->len >= strlen(known[i].begin) && memcmp(said->data, known[i].begin, strlen(known[i].begin)) == 0)
            return known[i].speech;
    return story_begins_sip(said->data, said->len) ? SPEAKS_SIP : SPEAKS_OTHER;
}

static void hear_bytes(struct story *s, struct leg *l, const struct said *said)
{
    struct leg_side *side = &l->side[said->seen->reply];
    bool again = side->speech != SPEAKS_SIP && (l->middle || side->missing) && story_begins_sip(said->data, said->len);
    if ((side->speech == SPEAKS_NOTHING && said->len) || again) /* its first segment was missed */
        side->speech = speech_of(said);
    side->bytes += said->len;
    if (said->bound && !said->stun.bytes) {
        if (!side->payload)
            story_draw(s, said->seen, "payload");
        side->payload += said->len;
    }
    mark_once(&side->first, said->seen);
    side->last = mark_of(said->seen);
}

static void hear_icmp(struct leg *l, const struct seen *seen)
{
    l->icmp = mark_of(seen);
    l->icmp_from = seen->from.ip;
    l->icmp_type = seen->icmp_type;
    l->icmp_code = seen->icmp_code;
}

static void hear_event(struct story *s, struct leg *l, const struct seen *seen)
{
    struct leg_side *side = &l->side[seen->reply];
    bool told = l->talk || l->ms || l->checks || l->sip_latest;
    switch (seen->kind) {
    case SEEN_SYN:
        l->syns += !seen->reply;
        if (!mark_once(seen->reply ? &l->agreed : &l->syn, seen) && !seen->reply)
            story_draw(s, seen, "SYN, sent again");
        break;
    case SEEN_OPEN:
        l->middle = !seen->started;
        mark_once(&l->open, seen);
        break;
    case SEEN_GAP:
        side->missing += seen->len;
        story_end_sip(l, seen->reply);
        break;
    case SEEN_FIN:
        mark_once(&side->fin, seen);
        if (told)
            story_draw(s, seen, "FIN");
        break;
    case SEEN_RST:
        l->rst = mark_of(seen);
        l->rst_by = seen->reply;
        if (told || !l->open.frame)
            story_draw(s, seen, "RST");
        break;
    case SEEN_ICMP:
        hear_icmp(l, seen);
        break;
    case SEEN_BYTES:
    case SEEN_DATAGRAM:
    case SEEN_CONFLICT:
    case SEEN_END:
        break;
    }
}

static void note_silence(struct leg *l, const struct seen *seen)
{
    uint64_t before = l->side[0].last.t_ns > l->side[1].last.t_ns ? l->side[0].last.t_ns : l->side[1].last.t_ns;
    if (!before || seen->t_ns <= before) /* several messages in one segment */
        return;
    l->last_silence_ns = seen->t_ns - before;
    if (l->last_silence_ns > l->silence_ns) {
        l->silence_ns = l->last_silence_ns;
        l->silence_end = mark_of(seen);
    }
}

void story_hear(void *story, const struct said *said)
{
    struct story *s = story;
    const struct seen *seen = said->seen;
    struct leg *l = leg_of(s, seen);
    struct conversation *c = scene_join(&s->scene, said);
    if (!l)
        return;
    if (said->kind == SAID_EVENT) {
        hear_event(s, l, seen);
    } else {
        note_silence(l, seen);
        hear_bytes(s, l, said);
        hear_carried(s, l, said);
        if (said->kind == SAID_MS_TURN || said->kind == SAID_MS_HELLO)
            hear_ms(s, l, said);
        else if (c && said->kind == SAID_STUN && !said->bound)
            hear_turn(s, l, said, c);
        else if (said->stun.bytes)
            hear_check(s, l, said);
        else if (said->kind == SAID_CHANNEL)
            draw_channel(s, said);
        else if (l->side[seen->reply].speech == SPEAKS_SIP)
            story_hear_sip(s, l, said);
        else if (l->announced && seen->kind == SEEN_DATAGRAM)
            story_hear_rtp(s, l, said);
    }
    bool over = seen->kind == SEEN_END || seen->kind == SEEN_RST;
    if (c && over)
        scene_leave(&s->scene, c);
    if (seen->kind == SEEN_END)
        leg_end(s, l);
}

void story_end(struct story *s, uint64_t frame, uint64_t t_ns)
{
    s->last = (struct mark){frame, t_ns};
}
