/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A story in which every rule is put to the proof and holds; and for each rule a change of the story that has to break
 * it, alone or with others. */
#include "conformance/monitor.h"

#include <stdlib.h>
#include <string.h>

#include "conformance/judge.h"
#include "models/base/time.h"
#include "models/stun/stun.h"
#include "models/testkit/testkit.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
enum { BYTES = -1, CHANNEL = -2, SYN = -3, FIN = -4 }; /* instead of a class */
enum { ATTEMPT = TURN_CONNECTION_ATTEMPT, BIND = TURN_CONNECTION_BIND, PERMIT = TURN_CREATE_PERMISSION };

/* One thing that is said. tx: which transaction; of ChannelData its number, of a SYN the port. attrs: letters with
 * arguments, as put_attribute has them: "T6 L600 U" is REQUESTED-TRANSPORT, LIFETIME and credentials. "!": the last
 * byte is spoilt; "@": it goes to another server; "#": it is framed (RFC 4571). */
struct step {
    const char *name;
    double t;
    uint32_t flow;
    bool reply;
    int cls;
    unsigned method, tx;
    const char *attrs;
};

#define REQ STUN_REQUEST
#define OK STUN_SUCCESS
#define ERR STUN_ERROR
#define IND STUN_INDICATION

static const struct step story[] = {
    /* A TCP allocation on flow 1, its data connections on flows 2 and 3. */
    {"ask", 0, 1, false, REQ, TURN_ALLOCATE, 1, "S T6"},
    {"401", 0.1, 1, true, ERR, TURN_ALLOCATE, 1, "Q401 R S"},
    {"ask2", 0.2, 1, false, REQ, TURN_ALLOCATE, 2, "S T6 L700 U B"},
    {"got", 0.3, 1, true, OK, TURN_ALLOCATE, 2, "Y50000 X L700 S M B"},
    {"permit", 1, 1, false, REQ, PERMIT, 3, "P1 P2 U"},
    {"permitted", 1.1, 1, true, OK, PERMIT, 3, "M"},
    {"connect", 2, 1, false, REQ, TURN_CONNECT, 4, "P1 U"},
    {"syn", 2.1, 90, false, SYN, 0, 50000, ""},
    {"connected", 2.2, 1, true, OK, TURN_CONNECT, 4, "I7 M"},
    {"bind", 2.3, 2, false, REQ, BIND, 5, "I7"},
    {"bind401", 2.4, 2, true, ERR, BIND, 5, "Q401 R"},
    {"bind2", 2.5, 2, false, REQ, BIND, 6, "I7 O"},
    {"bind438", 2.6, 2, true, ERR, BIND, 6, "Q438 R"},
    {"bind3", 2.7, 2, false, REQ, BIND, 7, "I7 U"},
    {"bound", 2.8, 2, true, OK, BIND, 7, "M"},
    {"up", 3, 2, false, BYTES, 0, 0, ""},
    {"down", 3.1, 2, true, BYTES, 0, 0, ""},
    {"again446", 3.2, 1, false, REQ, TURN_CONNECT, 8, "P1 U"},
    {"446", 3.3, 1, true, ERR, TURN_CONNECT, 8, "Q446 M"},
    {"attempt", 4, 1, true, IND, ATTEMPT, 9, "I8 P2"},
    {"accept", 4.1, 3, false, REQ, BIND, 10, "I8 U"},
    {"accepted", 4.2, 3, true, OK, BIND, 10, "M"},
    {"check", 4.22, 3, false, REQ, STUN_BINDING, 80, "# c p l u i v2 B"},
    {"checked", 4.24, 3, true, OK, STUN_BINDING, 80, "# X v2 B"},
    {"nothing", 4.3, 4, false, REQ, BIND, 11, "U"},
    {"nothing400", 4.4, 4, true, ERR, BIND, 11, "Q400 M"},
    {"twice", 4.5, 4, false, REQ, BIND, 12, "I8 U"},
    {"twice400", 4.6, 4, true, ERR, BIND, 12, "Q400 M"},
    {"dead", 5, 1, false, REQ, TURN_CONNECT, 13, "P3 U"},
    {"447", 35, 1, true, ERR, TURN_CONNECT, 13, "Q447 M"},
    {"dead2", 46, 1, false, REQ, TURN_CONNECT, 14, "P3 U"},
    {"447b", 77, 1, true, ERR, TURN_CONNECT, 14, "Q447 M"},
    {"refresh", 500, 1, false, REQ, TURN_REFRESH, 15, "S L700 U"},
    {"refreshed", 500.1, 1, true, OK, TURN_REFRESH, 15, "L700 S M"},
    {"unknown", 501, 1, false, REQ, TURN_REFRESH, 16, "S L700 U"},
    {"420", 501.1, 1, true, ERR, TURN_REFRESH, 16, "Q420 N S M"},
    {"delete", 600, 1, false, REQ, TURN_REFRESH, 17, "S L0 U"},
    {"deleted", 600.1, 1, true, OK, TURN_REFRESH, 17, "L0 S M"},
    {"late", 601, 1, false, REQ, TURN_CONNECT, 18, "P1 U"},
    {"late437", 601.1, 1, true, ERR, TURN_CONNECT, 18, "Q437 M"},
    {"fin", 602, 1, false, FIN, 0, 0, ""},
    /* A UDP allocation over UDP on flow 5; the same over TCP on flow 6; a stranger on flow 7. */
    {"uask", 700, 5, false, REQ, TURN_ALLOCATE, 30, "S T17"},
    {"uask-again", 700.5, 5, false, REQ, TURN_ALLOCATE, 30, "S T17"},
    {"u401", 700.6, 5, true, ERR, TURN_ALLOCATE, 30, "Q401 R S"},
    {"uask2", 700.7, 5, false, REQ, TURN_ALLOCATE, 31, "S T17 U"},
    {"ugot", 700.8, 5, true, OK, TURN_ALLOCATE, 31, "Y50002 X L600 S M"},
    {"upermit", 701, 5, false, REQ, PERMIT, 32, "P2 U"},
    {"upermitted", 701.1, 5, true, OK, PERMIT, 32, "M"},
    {"usend", 702, 5, false, IND, TURN_SEND, 33, "P2 D"},
    {"udata", 702.1, 5, true, IND, TURN_DATA, 34, "P2 D"},
    {"chan", 703, 5, false, REQ, TURN_CHANNEL_BIND, 35, "C16384 P2 U"},
    {"chan-ok", 703.1, 5, true, OK, TURN_CHANNEL_BIND, 35, "M"},
    {"chan-up", 704, 5, false, CHANNEL, 0, 16384, ""},
    {"chan-down", 704.5, 5, true, CHANNEL, 0, 16384, ""},
    {"urefresh", 1200, 5, false, REQ, TURN_REFRESH, 36, "S U"},
    {"urefreshed", 1200.1, 5, true, OK, TURN_REFRESH, 36, "L600 S M"},
    {"chan2", 1604, 5, false, REQ, TURN_CHANNEL_BIND, 37, "C16384 P3 U"},
    {"chan2-ok", 1604.1, 5, true, OK, TURN_CHANNEL_BIND, 37, "M"},
    {"task", 1605, 6, false, REQ, TURN_ALLOCATE, 40, "S T17"},
    {"t401", 1605.1, 6, true, ERR, TURN_ALLOCATE, 40, "Q401 R S"},
    {"task2", 1605.2, 6, false, REQ, TURN_ALLOCATE, 41, "S T17 U"},
    {"tgot", 1605.3, 6, true, OK, TURN_ALLOCATE, 41, "Y50004 X L600 S M"},
    {"tchan", 1606, 6, false, REQ, TURN_CHANNEL_BIND, 42, "C16384 P2 U"},
    {"tchan-ok", 1606.1, 6, true, OK, TURN_CHANNEL_BIND, 42, "M"},
    {"tchan-down", 1607, 6, true, CHANNEL, 0, 16384, ""},
    {"tchan-down2", 1607.1, 6, true, CHANNEL, 0, 16384, ""},
    {"tchan-down3", 1607.2, 6, true, CHANNEL, 0, 16384, ""},
    {"tchan-down4", 1607.3, 6, true, CHANNEL, 0, 16384, ""},
    {"p0", 1610, 6, false, REQ, PERMIT, 60, "P2 U"},
    {"p1", 1610.1, 6, false, REQ, PERMIT, 61, "P2 U"},
    {"p2", 1610.2, 6, false, REQ, PERMIT, 62, "P2 U"},
    {"p3", 1610.3, 6, false, REQ, PERMIT, 63, "P2 U"},
    {"p4", 1610.4, 6, false, REQ, PERMIT, 64, "P2 U"},
    {"p5", 1610.5, 6, false, REQ, PERMIT, 65, "P2 U"},
    {"p6", 1610.6, 6, false, REQ, PERMIT, 66, "P2 U"},
    {"p7", 1610.7, 6, false, REQ, PERMIT, 67, "P2 U"},
    {"p8", 1610.8, 6, false, REQ, PERMIT, 68, "P2 U"},
    {"p9", 1610.9, 6, false, REQ, PERMIT, 69, "P2 U"},
    {"sask", 1700, 7, false, REQ, TURN_ALLOCATE, 50, "S T17"},
    {"s401", 1700.1, 7, true, ERR, TURN_ALLOCATE, 50, "Q401 R S"},
    {"sperm", 1700.2, 7, false, REQ, PERMIT, 51, "P1 U"},
    {"s437", 1700.3, 7, true, ERR, PERMIT, 51, "Q437 M"},
    {"sask2", 1700.4, 7, false, REQ, TURN_ALLOCATE, 52, "S T17 U"},
    {"s401b", 1700.5, 7, true, ERR, TURN_ALLOCATE, 52, "Q401 R S"},
    {"sask3", 1700.6, 7, false, REQ, TURN_ALLOCATE, 53, "S T17 U"},
    {"s401c", 1700.7, 7, true, ERR, TURN_ALLOCATE, 53, "Q401 R S"},
};

/* ---- as bytes ---- */

/* A reason phrase of 800 bytes. */
static const char *endless(void)
{
    static char text[801];
    memset(text, 'x', sizeof text - 1);
    return text;
}

static struct endpoint at(uint32_t net, unsigned host, unsigned port)
{
    return (struct endpoint){ip_v4(net + host), (uint16_t)port};
}
#define SERVER at(0xc0000200, 1, 3478)
#define CLIENT(n) at(0xc6336400, n, 10000 + (n))
#define PEER(n) at(0xcb007100, n, 5000 + (n))

static void put_user(struct stun_out *o, const char *name, const char *nonce)
{
    stun_put_text(o, ATTR_USERNAME, name);
    stun_put_text(o, ATTR_REALM, "example.org");
    stun_put_text(o, ATTR_NONCE, nonce);
    stun_put_integrity(o, "key", 3, false);
}

/* Each client has a nonce of its own. */
static const char *nonce_of(uint32_t flow, char buf[32])
{
    struct text t = text_of(buf, 32);
    text_add(&t, "obMatJos2gAAA-%u", flow);
    return buf;
}

/* What a letter puts: the number behind it, shifted; or these bytes. */
static const struct letter {
    char letter;
    uint16_t type;
    uint8_t shift; /* of the number; NUMBER only */
    enum { NUMBER, BYTES_OF, ADDRESS_OF } kind;
    const char *bytes;
    size_t len;
} letters[] = {
    {'T', ATTR_REQUESTED_TRANSPORT, 24, NUMBER, NULL, 0},
    {'L', ATTR_LIFETIME, 0, NUMBER, NULL, 0},
    {'I', ATTR_CONNECTION_ID, 0, NUMBER, NULL, 0},
    {'C', ATTR_CHANNEL_NUMBER, 16, NUMBER, NULL, 0},
    {'v', ATTR_MS_IMPLEMENTATION_VERSION, 0, NUMBER, NULL, 0},
    {'p', ATTR_PRIORITY, 0, NUMBER, NULL, 0},
    {'S', ATTR_SOFTWARE, 0, BYTES_OF, "story 1", 7},
    {'H', ATTR_CONNECTION_ID, 0, BYTES_OF, "\1\2", 2},
    {'D', ATTR_DATA, 0, BYTES_OF, "data", 4},
    {'E', ATTR_EVEN_PORT, 0, BYTES_OF, "\x80", 1},
    {'K', ATTR_RESERVATION_TOKEN, 0, BYTES_OF, "reserved", 8},
    {'F', ATTR_DONT_FRAGMENT, 0, BYTES_OF, "", 0},
    {'N', ATTR_UNKNOWN_ATTRIBUTES, 0, BYTES_OF, "\x7a\xbc", 2},
    {'f', ATTR_REQUESTED_ADDRESS_FAMILY, 0, BYTES_OF, "\2\0\0", 4},
    {'a', ATTR_ADDITIONAL_ADDRESS_FAMILY, 0, BYTES_OF, "\2\0\0", 4},
    {'c', ATTR_MS_CANDIDATE_IDENTIFIER, 0, BYTES_OF, "3\0\0", 4},
    {'k', ATTR_MS_CANDIDATE_IDENTIFIER, 0, BYTES_OF, "3", 1},
    {'l', ATTR_ICE_CONTROLLING, 0, BYTES_OF, "tiebreak", 8},
    {'d', ATTR_ICE_CONTROLLED, 0, BYTES_OF, "tiebreak", 8},
    {'u', ATTR_USE_CANDIDATE, 0, BYTES_OF, "", 0},
    {'i', ATTR_USERNAME, 0, BYTES_OF, "ab:cd", 5},
    {'n', ATTR_USERNAME, 0, BYTES_OF, "ab:cd\0\0", 8},
    {'q', ATTR_REALM, 0, BYTES_OF, "\"quoted\"", 8},
    {'r', ATTR_REALM, 0, BYTES_OF, "example.org", 11},
    {'Y', ATTR_XOR_RELAYED_ADDRESS, 0, ADDRESS_OF, NULL, 0},
    {'X', ATTR_XOR_MAPPED_ADDRESS, 0, ADDRESS_OF, NULL, 0},
    {'x', ATTR_MS_XOR_MAPPED_ADDRESS, 0, ADDRESS_OF, NULL, 0},
    {'P', ATTR_XOR_PEER_ADDRESS, 0, ADDRESS_OF, NULL, 0},
};

static struct endpoint address_of(const struct step *s, char what, unsigned n)
{
    if (what == 'Y')
        return at(0xc0000200, 15, n);
    return what != 'P' ? CLIENT(s->flow) : n ? PEER(n) : at(0xcb007100, 1, 0);
}

static bool put_letter(struct stun_out *o, const struct step *s, char what, unsigned n)
{
    for (size_t i = 0; i < COUNT(letters); i++) {
        const struct letter *l = &letters[i];
        if (l->letter != what)
            continue;
        struct endpoint e = address_of(s, what, n);
        if (l->kind == NUMBER)
            stun_put_u32(o, l->type, n << l->shift);
        else if (l->kind == BYTES_OF)
            stun_put(o, l->type, l->bytes, l->len);
        else
            stun_put_address(o, l->type, &e);
        return true;
    }
    return false;
}

static void put_attribute(struct stun_out *o, const struct step *s, char what, unsigned n)
{
    char nonce[32];
    switch (what) {
    case 'U':
        put_user(o, "alice", nonce_of(s->flow, nonce));
        break;
    case 'O':
        put_user(o, "alice", "an old one");
        break;
    case 'V':
        put_user(o, "mallory", nonce_of(s->flow, nonce));
        break;
    case 'R':
    case 'W': /* W: as flow 5 has it */
        stun_put_text(o, ATTR_REALM, "example.org");
        stun_put_text(o, ATTR_NONCE, nonce_of(what == 'R' ? s->flow : 5, nonce));
        break;
    case 'M':
        stun_put_integrity(o, "key", 3, false);
        break;
    case 'Q':
        stun_put_error(o, (int)n, NULL);
        break;
    case 'j':
        stun_put_error(o, 447, endless());
        break;
    case 'G':
        stun_put(o, ATTR_SOFTWARE, endless(), 128);
        break;
    case 'y':
        stun_put(o, ATTR_USERNAME, endless(), 513);
        break;
    case 'B':
        stun_put_fingerprint(o);
        break;
    default:
        if (!put_letter(o, s, what, n))
            fail_msg("%s: no attribute %c", s->name, what);
    }
}

static size_t message_of(const struct step *s, uint8_t *buf, size_t cap)
{
    struct stun_out o;
    struct stun_id id = {{0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, (uint8_t)s->tx}};
    stun_begin(&o, &stun_rfc8489, buf, cap, stun_type((enum stun_class)s->cls, s->method), &id);
    for (const char *p = s->attrs; *p; p++)
        if ((*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z'))
            put_attribute(&o, s, *p, (unsigned)strtoul(p + 1, NULL, 10));
    long len = stun_end(&o);
    assert_true(len > 0);
    if (strchr(s->attrs, '!')) /* of FINGERPRINT, or of padding */
        buf[len - 1] ^= 0xff;
    if (!strchr(s->attrs, '#'))
        return (size_t)len;
    memmove(buf + 2, buf, (size_t)len);
    store16(buf, (unsigned)len);
    return (size_t)len + 2;
}

static bool over_udp(const struct step *s)
{
    return s->flow == 5 || s->flow == 7;
}

static void tell(struct monitors *m, const struct step *s)
{
    uint8_t buf[2048];
    struct seen seen = {.kind = over_udp(s) ? SEEN_DATAGRAM : SEEN_BYTES, .proto = over_udp(s) ? PROTO_UDP : PROTO_TCP,
                        .t_ns = (uint64_t)(s->t * 1000) * NS_MS, .flow = s->flow, .reply = s->reply, .data = buf};
    struct endpoint client = CLIENT(s->flow), server = strchr(s->attrs, '@') ? at(0xc0000200, 2, 3478) : SERVER;
    seen.from = s->reply ? server : client;
    seen.to = s->reply ? client : server;
    switch (s->cls) {
    case BYTES:
        memset(buf, 0xa5, 64);
        seen.len = *s->attrs ? message_of(&(struct step){.cls = REQ, .method = TURN_REFRESH, .attrs = ""}, buf,
                                          sizeof buf)
                             : 64;
        break;
    case CHANNEL:
        store16(buf, s->tx);
        store16(buf + 2, 3);
        seen.len = *s->attrs ? 7 : 8; /* padded, or not */
        break;
    case SYN:
        seen = (struct seen){.kind = SEEN_SYN, .proto = PROTO_TCP, .t_ns = seen.t_ns, .flow = s->flow,
                             .from = at(0xc0000200, 15, s->tx), .to = PEER(1)};
        break;
    case FIN:
        seen.kind = SEEN_FIN;
        seen.len = 0;
        break;
    default:
        seen.len = message_of(s, buf, sizeof buf);
        break;
    }
    monitors_see(m, &seen);
}

/* ---- changed ---- */

/* A step is another: what is not 0 is taken; `again`: it comes once more, at that time. */
struct change {
    const char *id, *step;
    const char *attrs;
    double t, again;
    unsigned method, tx;
    uint32_t flow;
    int cls;
};

static struct step changed(const struct step *s, const struct change *c)
{
    struct step n = *s;
    n.attrs = c->attrs ? c->attrs : n.attrs;
    n.t = c->t != 0 ? c->t : n.t;
    n.method = c->method ? c->method : n.method;
    n.tx = c->tx ? c->tx : n.tx;
    n.flow = c->flow ? c->flow : n.flow;
    n.cls = c->cls ? c->cls : n.cls;
    return n;
}

static int by_time(const void *a, const void *b)
{
    const struct step *x = a, *y = b;
    return x->t < y->t ? -1 : x->t > y->t;
}

/* Verdicts over the story; the caller frees them. */
static struct verdict *watch(const struct change *c, size_t *count)
{
    static struct step step[COUNT(story) + 1];
    size_t n = 0;
    bool found = !c;
    for (size_t i = 0; i < COUNT(story); i++) {
        bool this = c && strcmp(story[i].name, c->step) == 0;
        found |= this;
        if (this && c->again != 0) {
            step[n++] = story[i];
            step[n] = changed(&story[i], c);
            step[n++].t = c->again;
        } else {
            step[n++] = this ? changed(&story[i], c) : story[i];
        }
    }
    assert_true(found);
    qsort(step, n, sizeof *step, by_time);
    struct monitors *m = monitors_new();
    assert_non_null(m);
    for (size_t i = 0; i < n; i++)
        tell(m, &step[i]);
    struct verdict *v;
    assert_int_equal(monitors_end(m, 2000 * NS_S, &v, count), 0);
    assert_int_equal(monitors_missed(m), 0);
    monitors_free(m);
    return v;
}

static enum outcome outcome_of(const struct verdict *v, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(v[i].row->id, id) == 0)
            return v[i].outcome;
    return OUTCOME_SKIP;
}

static const struct change changes[] = {
    {"6062-3-4", "connected", .attrs = "", .cls = BYTES},
    {"6062-3-11", "attempt", .attrs = "P2"},
    {"6062-3-15", "syn", .tx = 50001},
    {"6062-4.1-1", "uask", .attrs = "S T6"},
    {"6062-4.1-5", "ask2", .attrs = "S T6 F U"},
    {"6062-4.1-6", "ask2", .attrs = "S T6 K U"},
    {"6062-4.1-7", "ask2", .attrs = "S T6 E U"},
    {"6062-4.1-9", "ask2", .attrs = "S T6"},
    {"6062-4.2-2", "up", .attrs = "R"},
    {"6062-4.3-2", "connect", .attrs = "U"},
    {"6062-4.3-4", "bind", .attrs = "I7 @"},
    {"6062-4.3-5", "bind", .flow = 1},
    {"6062-4.3-6", "bind3", .attrs = "I7 V"},
    {"6062-4.3-7", "permit", .flow = 2, .t = 2.25},
    {"6062-4.3-8", "bind", .attrs = "I99"},
    {"6062-4.3-9", "up", .t = 2.75},
    {"6062-4.3-11", "dead2", .t = 40},
    {"6062-4.3-13", "connect", .again = 2.15, .tx = 99},
    {"6062-4.4-3", "accept", .attrs = "I8 U @"},
    {"6062-4.4-4", "accept", .flow = 1},
    {"6062-4.4-5", "accept", .attrs = "I8 V"},
    {"6062-4.4-6", "permit", .flow = 3, .t = 4.05},
    {"6062-4.4-7", "accept", .attrs = "I99 U"},
    {"6062-4.6-1", "got", .attrs = "Y50000 X L400 S M"},
    {"6062-5.1-11", "got", .attrs = "Y50000 X L700 K M"},
    {"6062-5.1-13", "got", .attrs = "X L700 M"},
    {"6062-5.1-13", "got", .attrs = "Y50000 L700 M"},
    {"6062-5.1-13", "got", .attrs = "Y50000 X M"},
    {"6062-5.2-1", "late437", .attrs = "I7 M", .cls = OK},
    {"6062-5.2-1", "late437", .attrs = "Q403 M"},
    {"6062-5.2-18", "connected", .attrs = "M"},
    {"6062-5.2-19", "446", .attrs = "I7 M", .cls = OK},
    {"6062-5.2-22", "bound", .t = 50},
    {"6062-5.3-5", "permit", .attrs = "P1 U"},
    {"6062-5.3-5", "attempt", .t = 310},
    {"6062-5.3-7", "attempt", .attrs = "I8"},
    {"6062-5.3-7", "attempt", .attrs = "I8 P0"},
    {"6062-5.3-8", "attempt", .attrs = "P2"},
    {"6062-5.3-8", "attempt", .attrs = "I7 P2"},
    {"6062-5.3-12", "attempt", .again = 600.5},
    {"6062-5.4-2", "nothing400", .attrs = "Q447 M"},
    {"6062-5.4-2", "nothing400", .attrs = "M", .cls = OK},
    {"6062-5.4-4", "twice400", .attrs = "M", .cls = OK},
    {"6062-5.4-11", "down", .t = 2.75},
    {"6062-6.1-1", "connect", .method = ATTEMPT},
    {"6062-6.2-1", "connected", .attrs = "H M"},
    {"6062-6.2-1", "bind", .attrs = "H"},
    {"6062-6.2-1", "attempt", .attrs = "H P2"},
    {"6062-6.3-1", "401", .attrs = "Q446 R"},
    {"6062-G-1", "bind401", .attrs = "Q401"},
    {"6062-G-2", "bind438", .attrs = "Q438 r"},
    {"6062-G-5", "connected", .attrs = "I7"},
    {"6062-G-5", "bound", .attrs = "S"},
    {"6062-G-5", "446", .attrs = "Q446"},
    {"6062-G-5", "447", .attrs = "Q447"},
    {"6062-G-9", "deleted", .attrs = "L600 S M"},
    {"8656-5-6", "s437", .attrs = "M", .cls = OK},
    {"8656-5-6", "s437", .attrs = "Q403 M"},
    {"8656-5-9", "got", .attrs = "Y50000 X L700 M"},
    {"8656-5-9", "refreshed", .attrs = "L700 M"},
    {"8656-5-10", "ask", .attrs = "T6"},
    {"8656-7.1-1", "ask", .attrs = "S"},
    {"8656-7.1-2", "uask", .attrs = "T17 f a"},
    {"8656-7.1-2", "uask", .attrs = "T17 E K"},
    {"8656-7.2-36", "got", .attrs = "Y24000 X L700 M"},
    {"8656-7.2-37", "got", .attrs = "Y1023 X L700 M"},
    {"8656-7.2-39", "got", .attrs = "Y50000 X L1000 M"},
    {"8656-7.2-39", "got", .attrs = "Y50000 X L500 M"},
    {"8656-7.2-40", "got", .attrs = "Y50000 X L3601 M"},
    {"8656-7.2-41", "ugot", .attrs = "X L600 M"},
    {"8656-7.2-42", "ugot", .attrs = "Y50002 X M"},
    {"8656-7.2-43", "ugot", .attrs = "Y50002 L600 M"},
    {"8656-7.2-44", "ugot", .attrs = "Y50002 X L600 K M"},
    {"8656-7.2-47", "ugot", .attrs = "Y50002 X L600"},
    {"8656-7.4-4", "sask3", .again = 1701, .tx = 54},
    {"8656-8-1", "urefresh", .t = 1400},
    {"8656-8-2", "fin", .t = 599},
    {"8656-8.2-1", "deleted", .attrs = "L1 S M"},
    {"8656-8.2-2", "refreshed", .attrs = "L3600 S M"},
    {"8656-8.2-5", "urefreshed", .attrs = "S M"},
    {"8656-9-1", "upermit", .attrs = "P3 U"},
    {"8656-9-1", "udata", .again = 1100},
    {"8656-10.1-1", "upermit", .attrs = "U"},
    {"8656-11.1-1", "usend", .attrs = "P1 D"},
    {"8656-11.3-2", "udata", .attrs = "P2"},
    {"8656-11.3-2", "udata", .attrs = "D"},
    {"8656-12-1", "chan", .attrs = "C20480 P2 U"},
    {"8656-12-3", "chan-down", .tx = 16385},
    {"8656-12-3", "chan-down", .t = 1310},
    {"8656-12-5", "chan2", .t = 1500},
    {"8656-12.5-1", "udata", .again = 706},
    {"8656-12.5-2", "tchan-down", .attrs = "unpadded"},
    {"8489-5-3", "uask-again", .t = 700.65},
    {"8489-6.2-1", "p9", .again = 1610.5, .tx = 70},
    {"8489-6.2.1-2", "uask-again", .t = 700.3},
    {"8489-6.2.2-1", "connect", .again = 2.1},
    {"8489-6.3.1-1", "420", .attrs = "Q420 S M"},
    {"8489-6.3.1-3", "447", .attrs = "M"},
    {"8489-6.3.1-4", "ugot", .attrs = "Y50002 X L600"},
    {"8489-9.2.3-1", "ask", .attrs = "S T6 U"},
    {"8489-9.2.4-1", "401", .attrs = "Q401 r"},
    {"8489-9.2.4-2", "t401", .attrs = "Q401 W S"},
    {"8489-9.2.4-5", "401", .attrs = "Q401 R M"},
    {"8489-9.2.4-11", "bind438", .attrs = "Q438 r"},
    {"8489-9.2.4-14", "got", .attrs = "Y50000 X L700 S R M"},
    {"8489-9.2.5-6", "bind3", .attrs = "I7 O"},
    {"8489-14-2", "refreshed", .attrs = "L700 M S !"},
    {"8489-14.3-1", "permit", .attrs = "P1 P2 y U"},
    {"8489-14.7-1", "got", .attrs = "Y50000 X L700 S M B !"},
    {"8489-14.8-2", "447", .attrs = "j M"},
    {"8489-14.9-1", "401", .attrs = "Q401 q"},
    {"8489-14.14-1", "ask", .attrs = "G T6"},
    {"MSI-1", "check", .method = TURN_REFRESH},
    {"MSI-2", "check", .flow = 91, .attrs = "c p l u i v2 B"},
    {"MSI-3", "check", .attrs = "# k p l u i v2 B"},
    {"MSI-3", "checked", .attrs = "# X c v2 B"},
    {"MSI-4", "check", .attrs = "# c p l u i B"},
    {"MSI-5", "check", .attrs = "# c l u i v2 B"},
    {"MSI-5", "check", .attrs = "# c p u i v2 B"},
    {"MSI-5", "check", .attrs = "# c p l d u i v2 B"},
    {"MSI-6", "checked", .attrs = "# v2 B"},
    {"MSI-6", "checked", .attrs = "# X x v2 B"},
    {"MSI-7", "check", .attrs = "# c p l u i v2 B !"},
    {"MSI-10", "check", .attrs = "# c p l u n v2 B"},
    {"MSI-11", "check", .attrs = "# c p d u i v2 B"},
};

static void every_rule_holds_in_the_story(void **state)
{
    (void)state;
    size_t count;
    struct verdict *v = watch(NULL, &count);
    assert_true(count > 80);
    for (size_t i = 0; i < count; i++)
        if (v[i].outcome != OUTCOME_PASS)
            fail_msg("%s: %s", v[i].row->id, v[i].saw);
    verdicts_free(v, count);
}

static void every_change_is_noticed(void **state)
{
    (void)state;
    unsigned unnoticed = 0;
    for (size_t i = 0; i < COUNT(changes); i++) {
        size_t count;
        struct verdict *v = watch(&changes[i], &count);
        const struct requirement *row = catalogue_find(changes[i].id);
        bool open = row->level == LEVEL_OPEN || row->level == LEVEL_MAY;
        if (outcome_of(v, count, changes[i].id) != (open ? OUTCOME_DEFINED : OUTCOME_FAIL)) {
            print_message("# %s is not noticed when \"%s\" is %s\n", changes[i].id, changes[i].step,
                          changes[i].attrs ? changes[i].attrs : "changed");
            unnoticed++;
        }
        verdicts_free(v, count);
    }
    assert_int_equal(unnoticed, 0);
}

static void every_rule_has_a_change(void **state)
{
    (void)state;
    size_t count;
    struct verdict *v = watch(NULL, &count);
    for (size_t i = 0; i < count; i++) {
        bool found = false;
        for (size_t k = 0; k < COUNT(changes); k++)
            found |= strcmp(changes[k].id, v[i].row->id) == 0;
        if (!found)
            fail_msg("nothing breaks %s", v[i].row->id);
    }
    verdicts_free(v, count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_holds_in_the_story),
        cmocka_unit_test(every_change_is_noticed),
        cmocka_unit_test(every_rule_has_a_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
