/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each cause, and each way of not knowing, from a conversation written as a line of text. */
#include "sim/diagnose/causes.h"

#include <stdlib.h>
#include <string.h>

#include "models/msturn/framing.h"
#include "models/sip/sip.h"
#include "models/testkit/testkit.h"

/* Words of a script. "N:" begins what happens to flow N: syn, refused (RST for a SYN), half (the answer is not
 * acknowledged), open, middle (its start was missed), fin, fin', rst, rst' (a prime: by who was connected to), gap,
 * gap'. "N>" is said by the client, "N<" by the server: the name of a method is a request ("!": with credentials),
 * "ok" or a code answers the latest one. check and checked are framed, "late" for the check before the latest,
 * "refused" an error; attempt, alive: indications; data: a frame with payload; tls, http. On flow 7, MS-TURN: hello,
 * allocate, ok, codes. On flow 6, and on 9 to a public address, SIP: bye, codes, and
 * words of `bodies`. On flow 8, rtp. "+N" waits for N seconds. */
struct script {
    const char *play, *expected; /* ids of causes; or "well", or "?" and words of the first doubt */
};

enum { CONTROL = 1, BOUND, PEER, UDP, SECOND, SIP, EDGE, MEDIA, ABROAD, FLOWS };

static const char *const ends[FLOWS][2] = {
    [CONTROL] = {"10.0.0.1:40001", "10.0.0.2:3478"}, [BOUND] = {"10.0.0.1:40002", "10.0.0.2:3478"},
    [PEER] = {"192.0.2.9:50000", "10.0.0.2:24000"},  [UDP] = {"10.0.0.1:40004", "10.0.0.2:3478"},
    [SECOND] = {"10.0.0.1:40005", "10.0.0.2:3478"}, [SIP] = {"10.0.0.9:40006", "10.0.0.1:5060"},
    [EDGE] = {"10.0.0.9:40007", "10.0.0.1:443"},     [MEDIA] = {"192.0.2.9:50000", "10.0.0.1:40000"},
    [ABROAD] = {"10.0.0.9:40009", "198.51.100.1:5061"},
};

struct player {
    struct story story;
    struct dialogue *dialogue;
    uint64_t t_ns, frame;
    struct {
        struct stun_id id;
        unsigned method;
    } asked[FLOWS][2], before[FLOWS][2]; /* the latest request, by who asked; the one before */
    uint32_t ids;
    bool vendor;        /* Expressway's SOFTWARE */
    unsigned cseq;      /* of SIP, and the method */
    const char *method;
};

static bool is_udp(unsigned flow)
{
    return flow == UDP || flow == MEDIA;
}

static void see(struct player *p, unsigned flow, bool reply, enum seen_kind kind, const void *data, size_t len)
{
    struct seen s = {.kind = kind, .proto = is_udp(flow) ? PROTO_UDP : PROTO_TCP, .t_ns = p->t_ns, .frame = ++p->frame,
                     .flow = flow, .reply = reply, .started = true, .from = kit_endpoint(ends[flow][reply]),
                     .to = kit_endpoint(ends[flow][!reply]), .data = data, .len = len};
    p->t_ns += NS_MS;
    dialogue_see(p->dialogue, &s);
}

static void say(struct player *p, unsigned flow, bool reply, const void *data, size_t len)
{
    see(p, flow, reply, is_udp(flow) ? SEEN_DATAGRAM : SEEN_BYTES, data, len);
}

static void event(struct player *p, unsigned flow, const char *word)
{
    bool reply = word[strlen(word) - 1] == '\'';
    if (strcmp(word, "syn") == 0) {
        see(p, flow, false, SEEN_SYN, NULL, 0);
    } else if (strcmp(word, "refused") == 0) {
        see(p, flow, false, SEEN_SYN, NULL, 0);
        see(p, flow, true, SEEN_RST, NULL, 0);
    } else if (strcmp(word, "half") == 0) {
        see(p, flow, false, SEEN_SYN, NULL, 0);
        see(p, flow, true, SEEN_SYN, NULL, 0);
    } else if (strcmp(word, "open") == 0) {
        see(p, flow, false, SEEN_SYN, NULL, 0);
        see(p, flow, true, SEEN_SYN, NULL, 0);
        see(p, flow, false, SEEN_OPEN, NULL, 0);
    } else if (strcmp(word, "middle") == 0) {
        struct seen s = {.kind = SEEN_OPEN, .proto = PROTO_TCP, .t_ns = p->t_ns, .frame = ++p->frame, .flow = flow,
                         .from = kit_endpoint(ends[flow][0]), .to = kit_endpoint(ends[flow][1])};
        dialogue_see(p->dialogue, &s);
    } else {
        see(p, flow, reply,
            strncmp(word, "fin", 3) == 0   ? SEEN_FIN
            : strncmp(word, "rst", 3) == 0 ? SEEN_RST
                                           : SEEN_GAP,
            NULL, strncmp(word, "gap", 3) == 0 ? 100 : 0);
    }
}

static struct stun_id new_id(struct player *p)
{
    struct stun_id id = {{0x21, 0x12, 0xa4, 0x42}};
    store32(id.b + 12, ++p->ids);
    return id;
}

static void put_credentials(struct stun_out *o, const char *realm)
{
    static const uint8_t key[16] = {1};
    stun_put_text(o, ATTR_USERNAME, "turn");
    stun_put_text(o, ATTR_REALM, realm);
    stun_put_text(o, ATTR_NONCE, "n");
    stun_put_integrity(o, key, sizeof key, false);
}

static bool request(struct player *p, struct stun_out *o, uint8_t *buf, size_t cap, unsigned flow, bool reply,
                    const char *word)
{
    static const struct {
        const char *word;
        unsigned method;
    } methods[] = {{"allocate", TURN_ALLOCATE}, {"refresh", TURN_REFRESH}, {"permit", TURN_CREATE_PERMISSION},
                   {"connect", TURN_CONNECT},   {"bind", TURN_CONNECTION_BIND}, {"delete", TURN_REFRESH}};
    const struct endpoint peer = kit_endpoint(ends[PEER][0]);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        size_t n = strlen(methods[i].word);
        if (strncmp(word, methods[i].word, n) != 0 || (word[n] && word[n] != '!'))
            continue;
        unsigned method = methods[i].method;
        struct stun_id id = new_id(p);
        p->asked[flow][reply].id = id;
        p->asked[flow][reply].method = method;
        stun_begin(o, &stun_rfc8489, buf, cap, stun_type(STUN_REQUEST, method), &id);
        if (method == TURN_ALLOCATE)
            stun_put_u32(o, ATTR_REQUESTED_TRANSPORT, (flow == UDP ? 17u : 6u) << 24);
        if (method == TURN_REFRESH)
            stun_put_u32(o, ATTR_LIFETIME, methods[i].word[0] == 'd' ? 0 : 600);
        if (method == TURN_CREATE_PERMISSION || method == TURN_CONNECT)
            stun_put_address(o, ATTR_XOR_PEER_ADDRESS, &peer);
        if (method == TURN_CONNECTION_BIND)
            stun_put_u32(o, ATTR_CONNECTION_ID, 7);
        if (word[n] == '!')
            put_credentials(o, strcmp(word + n, "!other") == 0 ? "other" : "here");
        return true;
    }
    return false;
}

static void answer(struct player *p, struct stun_out *o, uint8_t *buf, size_t cap, unsigned flow, const char *word)
{
    unsigned method = p->asked[flow][0].method;
    int code = atoi(word);
    struct endpoint relayed = kit_endpoint(ends[PEER][1]);
    assert_true(code || strcmp(word, "ok") == 0);
    stun_begin(o, &stun_rfc8489, buf, cap, stun_type(code ? STUN_ERROR : STUN_SUCCESS, method), &p->asked[flow][0].id);
    if (p->vendor)
        stun_put_text(o, ATTR_SOFTWARE, "TANDBERG/4137 (X8.9.2)");
    if (code)
        stun_put_error(o, code, NULL);
    if (code == 401 || code == 438) {
        stun_put_text(o, ATTR_REALM, "here");
        stun_put_text(o, ATTR_NONCE, "n");
    }
    if (!code && (method == TURN_ALLOCATE || method == TURN_REFRESH))
        stun_put_u32(o, ATTR_LIFETIME, 600);
    if (!code && method == TURN_ALLOCATE)
        stun_put_address(o, ATTR_XOR_RELAYED_ADDRESS, &relayed);
    if (!code && method == TURN_CONNECT)
        stun_put_u32(o, ATTR_CONNECTION_ID, 7);
}

static void framed(struct player *p, unsigned flow, bool reply, const char *word)
{
    uint8_t buf[512] = {0};
    struct stun_out o;
    bool asks = strcmp(word, "check") == 0;
    if (asks) {
        p->before[flow][reply] = p->asked[flow][reply];
        p->asked[flow][reply].id = new_id(p);
    }
    stun_begin(&o, &stun_rfc8489, buf + 2, sizeof buf - 2,
               stun_type(asks                              ? STUN_REQUEST
                         : strcmp(word, "refused") == 0 ? STUN_ERROR
                                                           : STUN_SUCCESS,
                         STUN_BINDING),
               strcmp(word, "late") == 0 ? &p->before[flow][!reply].id : &p->asked[flow][asks ? reply : !reply].id);
    if (strcmp(word, "refused") == 0)
        stun_put_error(&o, 401, NULL);
    long len = stun_end(&o);
    store16(buf, (unsigned)len);
    size_t header = flow == UDP ? 0 : 2; /* RFC 4571 */
    say(p, flow, reply, buf + 2 - header, (size_t)len + header);
}

static void speech(struct player *p, unsigned flow, bool reply, const char *word)
{
    static const uint8_t tls[] = {0x16, 3, 1, 0, 4, 1, 0, 0, 0, 0, 0, 0};
    static const uint8_t data[] = {0, 10, 0x80, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    uint8_t buf[512];
    struct stun_out o;
    struct endpoint peer = kit_endpoint(ends[PEER][0]);
    struct stun_id id = {{0x21, 0x12, 0xa4, 0x42}};
    if (strcmp(word, "tls") == 0) {
        say(p, flow, reply, tls, sizeof tls);
    } else if (strcmp(word, "http") == 0) {
        say(p, flow, reply, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
    } else if (strcmp(word, "data") == 0) {
        say(p, flow, reply, data, sizeof data);
    } else if (strcmp(word, "check") == 0 || strcmp(word, "checked") == 0 || strcmp(word, "late") == 0 ||
               strcmp(word, "refused") == 0) {
        framed(p, flow, reply, word);
    } else {
        if (strcmp(word, "attempt") == 0) {
            stun_begin(&o, &stun_rfc8489, buf, sizeof buf, stun_type(STUN_INDICATION, TURN_CONNECTION_ATTEMPT), &id);
            stun_put_u32(&o, ATTR_CONNECTION_ID, 7);
            stun_put_address(&o, ATTR_XOR_PEER_ADDRESS, &peer);
        } else if (strcmp(word, "alive") == 0) {
            stun_begin(&o, &stun_rfc8489, buf, sizeof buf, stun_type(STUN_INDICATION, STUN_BINDING), &id);
        } else if (!request(p, &o, buf, sizeof buf, flow, reply, word)) {
            answer(p, &o, buf, sizeof buf, flow, word);
        }
        say(p, flow, reply, buf, (size_t)stun_end(&o));
    }
}

/* Bodies of SIP by the word that stands for the message. */
static const struct {
    const char *word, *sdp;
} bodies[] = {
    {"invite", "m=applicationsharing 50000 TCP/RTP/SAVP 127\r\n"},
    {"call", "m=audio 50000 RTP/AVP 0\r\n"},
    {"hold", "m=audio 50000 RTP/AVP 0\r\na=sendonly\r\n"},
    {"accept", "m=audio 40000 RTP/AVP 0\r\n"},
    {"private", "m=applicationsharing 50000 TCP/RTP/SAVP 127\r\n"
                "a=candidate:1 1 TCP-PASS 2120613887 10.0.0.9 50000 typ host\r\n"},
    {"public", "m=applicationsharing 50000 TCP/RTP/SAVP 127\r\n"
               "a=candidate:1 1 TCP-PASS 2120613887 10.0.0.9 50000 typ host\r\n"
               "a=candidate:2 1 TCP-PASS 6556159 192.0.2.9 24000 typ relay raddr 10.0.0.9 rport 50000\r\n"},
};

static void sip(struct player *p, unsigned flow, bool reply, const char *word)
{
    char buf[1024], sdp[512] = "";
    struct text t = text_of(buf, sizeof buf), body = text_of(sdp, sizeof sdp);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        if (strcmp(bodies[i].word, word) == 0)
            text_add(&body, "v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n%s",
                     reply ? "10.0.0.1" : flow == ABROAD ? "10.0.0.9" : "192.0.2.9",
                     reply ? "10.0.0.1" : flow == ABROAD ? "10.0.0.9" : "192.0.2.9", bodies[i].sdp);
    if (!reply) {
        p->cseq++;
        p->method = sdp[0] ? "INVITE" : "BYE";
        text_add(&t, "%s sip:meeting@acme.example SIP/2.0\r\n", p->method);
    } else {
        text_add(&t, "SIP/2.0 %s So\r\n", sdp[0] ? "200" : word);
        if (strcmp(word, "403") == 0)
            text_add(&t, "ms-diagnostics-public: 21002;reason=\"Attendees cannot share\"\r\n");
    }
    text_add(&t, "Via: SIP/2.0/TCP 10.0.0.9;branch=z9hG4bK%u\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>;tag=2\r\n"
             "Call-ID: c\r\nCSeq: %u %s\r\n", p->cseq, p->cseq, p->method);
    sip_put_body(&t, sdp[0] ? "application/sdp" : NULL, sdp, strlen(sdp));
    say(p, flow, reply, buf, t.len);
}

/* Six seconds of it, 10 packets a second. */
static void rtp(struct player *p, bool reply)
{
    for (unsigned i = 0; i < 60; i++) {
        uint8_t packet[32] = {0x80, 0, 0, (uint8_t)i};
        store32(packet + 4, i * 800);
        say(p, MEDIA, reply, packet, sizeof packet);
        p->t_ns += 100 * NS_MS;
    }
}

static void edge(struct player *p, bool reply, const char *word)
{
    uint8_t buf[512];
    int code = atoi(word);
    struct rng rng = rng_named(1, "hello");
    size_t len = 0;
    if (strcmp(word, "hello") == 0) {
        const struct ms_hello *h = reply ? &ms_server_hello : &ms_client_hello;
        ms_hello_write(h, &rng, buf);
        len = h->len;
    } else if (strcmp(word, "http") == 0) {
        speech(p, EDGE, reply, word);
        return;
    } else {
        struct stun_out o;
        struct stun_id id = {{1}};
        struct ms_unit unit;
        stun_begin(&o, &stun_ms_turn, unit.bytes + MS_UNIT_HEADER, 256,
                   stun_type(!reply ? STUN_REQUEST : code ? STUN_ERROR : STUN_SUCCESS, TURN_ALLOCATE), &id);
        if (code)
            stun_put_error(&o, code, NULL);
        if (strcmp(word, "allocate!") == 0)
            stun_put_integrity(&o, id.b, sizeof id.b, false);
        len = ms_unit_close(&unit, MS_UNIT_CONTROL, (size_t)stun_end(&o));
        memcpy(buf, unit.bytes, len);
    }
    say(p, EDGE, reply, buf, len);
}

static void play(struct player *p, const char *script)
{
    char text[1024], *rest = text;
    assert_true(strlen(script) < sizeof text);
    memcpy(text, script, strlen(script) + 1);
    for (char *word; (word = strsep(&rest, " "));) {
        unsigned flow = (unsigned)(word[0] - '0');
        if (!word[0])
            continue;
        if (word[0] == '+')
            p->t_ns += (uint64_t)atoi(word + 1) * NS_S;
        else if (strcmp(word, "vendor") == 0)
            p->vendor = true;
        else if (word[1] == ':')
            event(p, flow, word + 2);
        else if (flow == EDGE)
            edge(p, word[1] == '<', word + 2);
        else if (flow == SIP || flow == ABROAD)
            sip(p, flow, word[1] == '<', word + 2);
        else if (flow == MEDIA)
            rtp(p, word[1] == '<');
        else
            speech(p, flow, word[1] == '<', word + 2);
    }
    for (unsigned flow = 1; flow < FLOWS; flow++) {
        struct seen end = {.kind = SEEN_END, .proto = is_udp(flow) ? PROTO_UDP : PROTO_TCP, .t_ns = p->t_ns,
                           .flow = flow};
        dialogue_see(p->dialogue, &end);
    }
    story_end(&p->story, p->frame, p->t_ns);
}

static void told(const struct diagnosis *d, char *out, size_t cap)
{
    struct text t = text_of(out, cap);
    if (d->verdict == DIAGNOSIS_WELL)
        text_add(&t, "well");
    if (d->verdict == DIAGNOSIS_NOT_ENOUGH)
        text_add(&t, "? %s", d->doubts ? d->doubt[0] : "");
    for (size_t i = 0; i < d->findings; i++)
        text_add(&t, "%s%s", i ? " " : "", d->finding[i].cause->id);
}

#define ALLOCATED "1:open 1>allocate 1<401 1>allocate! 1<ok 1>permit! 1<ok "
#define CAME ALLOCATED "1<attempt "
#define BOUND_OK CAME "2:open 2>bind! 2<ok "
#define VALID BOUND_OK "2<check 2>checked 2>check 2<checked "

static const struct script scripts[] = {
    {VALID "2>data 2<data 2:fin 2:fin' 1>delete! 1<ok 1:fin 1:fin'", "well"},
    {BOUND_OK "2>data 2<data +20", "well"},
    {"4>allocate 4<401 4>allocate! 4<ok +20", "well"},
    {ALLOCATED "1>connect! 1<ok 2:open 2>bind! 2<ok 2>data 2<data +20", "well"},
    /* the way there */
    {"1:syn +1 1:syn +2 1:syn +4", "turn-port-blocked"},
    {"1:syn +1", "? no TURN message is in this capture"},
    {"1:refused", "turn-port-refused"},
    {"1:open 1>tls 1:fin'", "tls-instead-of-stun"},
    {"1:open 1>tls 1<tls +9", "? no TURN message is in this capture"},
    {"1:open 1>allocate 1<http 1:fin'", "server-does-not-speak-turn"},
    {"1:open 1>allocate 1<tls 1:rst'", "server-does-not-speak-turn"},
    {"1:open 1>allocate +9", "allocate-unanswered"},
    {"4>allocate +1 4>allocate +9", "allocate-unanswered"},
    {"1:open 1>allocate +1", "? the capture ends before"},
    /* credentials */
    {"1:open 1>allocate 1<401 1>allocate! 1<401 1:fin", "wrong-credentials"},
    {"1:open 1>allocate 1<401 1>allocate!other 1<401 1:fin", "wrong-realm"},
    {"1:open 1>allocate 1<401 +9", "no-credentials"},
    {"1:open 1>allocate 1<401 1>allocate! 1<438 1>allocate! 1<438 1>allocate! 1<438 1:fin", "stale-nonce-loop"},
    {"1:open 1>allocate 1<401 1>allocate! 1<438 1>allocate! 1<ok +1", "? the capture ends 1.0 s after the allocation"},
    {"1:open 1>allocate! 1<486 1:fin", "allocate-refused"},
    {"1:open 1>allocate! 1<442 1:fin", "allocate-refused"},
    /* the relayed address */
    {ALLOCATED "3:syn +1 3:syn +9", "relay-port-blocked"},
    {ALLOCATED "3:refused +9", "relay-port-blocked"},
    {ALLOCATED "+20", "no-connection-attempt"},
    {ALLOCATED "+9 1>delete! 1<ok 1:fin", "no-connection-attempt"},
    {ALLOCATED "1>delete! 1<ok 1:fin", "? the client ends 0.0 s after the allocation"},
    {"5:open 5>allocate! 5<ok +1 " VALID "+9", "well"},
    {ALLOCATED "+3", "? the capture ends 3.0 s after the allocation"},
    {"1:open 1>allocate! 1<ok +20", "permission-missing no-connection-attempt"},
    {"vendor 1:open 1>allocate! 1<ok +20", "no-connection-attempt"},
    {"vendor 1:open 1>allocate! 1<ok 3:open 3:fin' +20", "permission-missing"},
    {"1:open 1>allocate! 1<ok 1>permit! 1<403 1:fin", "permission-refused"},
    {ALLOCATED "1>connect! +30 1<447 1:fin", "connect-failed"},
    {ALLOCATED "1>connect! 1<446 1:fin", "connect-failed"},
    /* ConnectionBind */
    {CAME "+31", "bind-missing"},
    {CAME "5:syn +1 5:syn +40", "turn-port-blocked bind-missing"},
    {CAME "+9", "? the capture ends, or has gaps, before a ConnectionBind"},
    {CAME "+31 2:open 2>bind! 2<400 2:fin 1:fin", "bind-late bind-refused"},
    {CAME "2:open 2>bind! 2<400 2:fin 1:fin", "bind-refused"},
    {CAME "2:open 2>bind 2<401 2>bind! 2<ok 2>data 2<data +9", "well"},
    /* checks */
    {BOUND_OK "+9", "checks-half"},
    {BOUND_OK "2>check +9", "checks-half"},
    {BOUND_OK "2>check 2<checked 2<check +9", "checks-half"},
    {BOUND_OK "2<check 2>checked 2>check 2>check 2<late +9", "well"},
    {BOUND_OK "2>check 2<refused 2<check 2>checked +9", "checks-refused checks-half"},
    {BOUND_OK "2>check +1", "? the capture ends 1.0 s after ConnectionBind"},
    {BOUND_OK "2:gap' 2>check +9", "? of the bound connection of 192.0.2.9:50000 bytes"},
    /* the long run */
    {VALID "+300 1>refresh! +20", "idle-timer"},
    {VALID "+300 1>refresh! 1:rst'", "idle-timer"},
    {VALID "+5 1>refresh! +20", "request-unanswered"},
    {VALID "+5 1>delete! +20", "well"},
    {VALID "+5 2<data +5 2:rst' +10 2>data +20", "data-reset"},
    {VALID "+5 2:rst +20", "well"},
    {VALID "2>data 2<data +610 2>data 1:fin", "allocation-expired"},
    {VALID "+300 1>refresh! 1<ok +310 1:fin", "well"},
    /* signalling */
    {"6:open 6>invite 6<100 6<403", "attendee-cannot-share"},
    {"6:open 6>invite 6<100 6<500", "share-refused"},
    {"6:open 6>invite 6<401 6>invite 6<200 " VALID "+9", "well"},
    {"6:syn +1 6:syn +9", "sip-port-blocked"},
    {"6:half +1 6:syn +9", "way-back-blocked"},
    {"6:open 6>invite 6<200 +300 6>bye +9", "sip-idle-timer"},
    {"6:open 6>invite 6<200 +9 6>bye +9", "sip-unanswered"},
    {"6:open 6>invite 6<200 +9", "? a share was asked for (frame 4)"},
    {"4>check 4<checked 4<check 4>checked +9", "? no TURN message"}, /* audio and video: not what is looked for */
    {"3:open 3>check 3<checked 3<check 3>checked +9", "well"},
    /* the Skype Edge's relay */
    {"7:open 7>hello 7<hello 7>allocate 7<401 7>allocate! 7<ok +9", "? of relays only the Skype Edge's"},
    {"7:open 7>allocate 7<401 7>allocate! 7<ok +9", "? of relays only the Skype Edge's"},
    {"7:syn +1 7:syn +9", "? no TURN message"},
    {"6:open 6>bye 6<200 7:syn +1 7:syn +9", "edge-port-blocked"},
    {"7:open 7>hello 7:rst'", "pseudo-tls-blocked"},
    {"7:open 7>hello 7<http 7:fin'", "pseudo-tls-blocked"},
    {"7:open 7>hello 7<hello 7>allocate +9", "ms-allocate-unanswered"},
    {"7:open 7>hello 7<hello 7>allocate 7<401 7>allocate! 7<401 +9", "ms-allocate-refused"},
    /* media */
    {"6:open 6>call 6<accept 8<rtp", "media-one-way"},
    {"6:open 6>hold 6<accept 8>rtp", "? no TURN message"},
    {"6:open 6>call 6<200 8>rtp", "? no TURN message"}, /* only one end is known */
    {"6:middle 6:gap 6>invite 6:gap' 6<500", "share-refused"}, /* SIP whose first segments were missed */
    /* what was not seen */
    {"1:middle 1>refresh! 1<ok +20", "? the capture begins in the middle"},
    {"1:open 1>allocate 1:gap' 1>allocate! 1:gap' +20", "? only one direction"},
    {"4>allocate! 4>allocate! +20", "? only one direction"},
    {"", "? no TURN message"},
};

/* Each cause: a story that has it, and its healthy twin, which differs in what is decisive and has it not. */
static const struct twins {
    const char *id, *ill, *well;
} twins[] = {
    {"attendee-cannot-share", "6:open 6>invite 6<100 6<403", "6:open 6>invite 6<100 6<200"},
    {"way-back-blocked", "6:half +1 6:syn +9", "6:syn +1 6:open +9"},
    {"turn-port-blocked", "1:syn +1 1:syn +9", "1:syn +1 1:open +9"},
    {"turn-port-refused", "1:refused", "1:open 1:rst'"},
    {"tls-instead-of-stun", "1:open 1>tls 1:fin'", "1:open 1>tls 1<tls 1:fin'"},
    {"server-does-not-speak-turn", "1:open 1>allocate 1<http 1:fin'", "1:open 1>allocate 1<401 1:fin'"},
    {"allocate-unanswered", "4>allocate +9", "4>allocate 4<401 +9"},
    {"wrong-realm", "1:open 1>allocate 1<401 1>allocate!other 1<401 1:fin",
     "1:open 1>allocate 1<401 1>allocate! 1<401 1:fin"},
    {"wrong-credentials", "1:open 1>allocate 1<401 1>allocate! 1<401 1:fin",
     "1:open 1>allocate 1<401 1>allocate! 1<401 1>allocate! 1<ok 1:fin"},
    {"no-credentials", "1:open 1>allocate 1<401 +9", "1:open 1>allocate 1<401 1>allocate! +9"},
    {"stale-nonce-loop", "1:open 1>allocate! 1<438 1>allocate! 1<438 1>allocate! 1<438 1:fin",
     "1:open 1>allocate! 1<438 1>allocate! 1<438 1>allocate! 1<ok 1:fin"},
    {"allocate-refused", "1:open 1>allocate! 1<486 1:fin", "1:open 1>allocate! 1<486 1>allocate! 1<ok 1:fin"},
    {"edge-port-blocked", "6:open 6>bye 6<200 7:syn +1 7:syn +9", "6:open 6>bye 6<200 7:syn +1 7:open +9"},
    {"pseudo-tls-blocked", "7:open 7>hello 7:rst'", "7:open 7>hello 7<hello 7:rst'"},
    {"ms-allocate-unanswered", "7:open 7>hello 7<hello 7>allocate +9", "7:open 7>hello 7<hello 7>allocate 7<401 +9"},
    {"ms-allocate-refused", "7:open 7>hello 7<hello 7>allocate 7<401 7>allocate! 7<401 +9",
     "7:open 7>hello 7<hello 7>allocate 7<401 7>allocate! 7<ok +9"},
    {"relay-port-blocked", ALLOCATED "3:syn +1 3:syn +9", ALLOCATED "3:syn +1 3:open +9"},
    {"permission-refused", "1:open 1>allocate! 1<ok 1>permit! 1<403 1:fin",
     "1:open 1>allocate! 1<ok 1>permit! 1<ok 1:fin"},
    {"permission-missing", "vendor 1:open 1>allocate! 1<ok 3:open 3:fin' +20",
     "vendor 1:open 1>allocate! 1<ok 3:open 1<attempt 3:fin' +20"},
    {"no-connection-attempt", ALLOCATED "+20", CAME "+20"},
    {"private-address-announced", "9:open 9>private 9<200 +9", "9:open 9>public 9<200 +9"},
    {"connect-failed", ALLOCATED "1>connect! 1<447 1:fin", ALLOCATED "1>connect! 1<ok 1:fin"},
    {"bind-missing", CAME "+31", CAME "2:open 2>bind! 2<ok +31"},
    {"bind-late", CAME "+31 2:open 2>bind! 2<ok", CAME "+29 2:open 2>bind! 2<ok"},
    {"bind-refused", CAME "2:open 2>bind! 2<400 2:fin 1:fin", CAME "2:open 2>bind 2<401 2>bind! 2<ok 2:fin 1:fin"},
    {"checks-refused", BOUND_OK "2>check 2<refused 2<check 2>checked +9",
     BOUND_OK "2>check 2<refused 2>check 2<checked 2<check 2>checked +9"},
    {"checks-half", BOUND_OK "2>check 2<checked 2<check +9", BOUND_OK "2>check 2<checked 2<check 2>checked +9"},
    {"idle-timer", VALID "+300 1>refresh! +20", VALID "+300 1>refresh! 1<ok +20"},
    {"data-reset", VALID "+5 2<data +5 2:rst' +10 2>data +20", VALID "+5 2<data +5 2:fin' +10 2>data +20"},
    {"allocation-expired", VALID "2>data 2<data +610 2>data 1:fin",
     VALID "2>data 2<data +300 1>refresh! 1<ok +310 2>data 1:fin"},
    {"media-one-way", "6:open 6>call 6<accept 8>rtp", "6:open 6>call 6<accept 8<rtp 8>rtp"},
    {"sip-idle-timer", "6:open 6>invite 6<200 +300 6>bye +9", "6:open 6>invite 6<200 +300 6>bye 6<200 +9"},
    {"sip-port-blocked", "6:syn +1 6:syn +9", "6:syn +1 6:open +9"},
    {"sip-unanswered", "6:open 6>invite 6<200 +9 6>bye +9", "6:open 6>invite 6<200 +9 6>bye 6<200 +9"},
    {"share-refused", "6:open 6>invite 6<100 6<500", "6:open 6>invite 6<100 6<200"},
    {"request-unanswered", VALID "+5 1>refresh! +20", VALID "+5 1>refresh! 1<ok +20"},
};

/* The caller frees it. */
static struct diagnosis *diagnosed(const char *script, const struct cms_log *log)
{
    struct player *p = calloc(1, sizeof *p);
    struct diagnosis *d = calloc(1, sizeof *d);
    assert_true(p && d);
    p->dialogue = dialogue_new(64, story_hear, &p->story);
    play(p, script);
    diagnose_story(&p->story, log, d);
    dialogue_free(p->dialogue);
    story_free(&p->story);
    free(p);
    return d;
}

static void each_is_named(void **state)
{
    (void)state;
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        struct diagnosis *d = diagnosed(scripts[i].play, NULL);
        char found[1024];
        told(d, found, sizeof found);
        size_t n = strlen(scripts[i].expected);
        if (strncmp(found, scripts[i].expected, n) != 0 || (scripts[i].expected[0] != '?' && found[n])) {
            print_message("# %s\n#   expected: %s\n#   found:    %s\n", scripts[i].play, scripts[i].expected, found);
            wrong++;
        }
        free(d);
    }
    assert_int_equal(wrong, 0);
}

static void the_log_comes_first(void **state)
{
    (void)state;
    static const char line[] = "ms-diagnostics-public: 21002;reason=\"Attendees cannot share in this conference\"\n";
    struct cms_log *log = calloc(1, sizeof *log);
    assert_non_null(log);
    assert_int_equal(cms_log_feed(log, line, strlen(line)), 0);
    struct diagnosis *d = diagnosed(ALLOCATED "+20", log);
    assert_int_equal(d->findings, 2);
    assert_string_equal(d->finding[0].cause->id, "attendee-cannot-share");
    assert_int_equal(d->finding[0].evidence[0].line, 1);
    free(d);
    free(log);
}

static bool has(const char *script, const char *id)
{
    struct diagnosis *d = diagnosed(script, NULL);
    bool found = false;
    for (size_t i = 0; i < d->findings; i++)
        found = found || strcmp(d->finding[i].cause->id, id) == 0;
    free(d);
    return found;
}

/* In the order of the table, and none without twins. */
static void each_judge_tells_twins_apart(void **state)
{
    (void)state;
    unsigned wrong = 0;
    assert_int_equal(sizeof twins / sizeof *twins, causes_count());
    for (size_t row = 0; row < causes_count(); row++) {
        const struct twins *t = &twins[row];
        assert_string_equal(t->id, causes_row(row)->id);
        if (!has(t->ill, t->id) || has(t->well, t->id)) {
            print_message("# %s: %s\n", t->id, has(t->well, t->id) ? "in the healthy twin" : "not found");
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

/* Checks on their way through a relay: in Send and Data indications, and in ChannelData. */
static void what_a_relay_carries_is_told(void **state)
{
    (void)state;
    static const struct {
        bool reply;
        const char *label;
    } expected[] = {{false, "Send indication: Binding request"}, {true, "Data indication: Binding success"},
                    {false, "ChannelData 0x4000, 20 bytes: Binding success"}};
    struct player *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->dialogue = dialogue_new(64, story_hear, &p->story);
    speech(p, UDP, false, "allocate!");
    speech(p, UDP, true, "ok");
    struct stun_id id = {{0x21, 0x12, 0xa4, 0x42, 7}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        uint8_t inner[64], outer[128] = {0x40, 0, 0, 20};
        struct stun_out o;
        stun_begin(&o, &stun_rfc8489, inner, sizeof inner, stun_type(i ? STUN_SUCCESS : STUN_REQUEST, STUN_BINDING),
                   &id);
        long len = stun_end(&o), all = len + 4;
        memcpy(outer + 4, inner, (size_t)len);
        if (i < 2) {
            stun_begin(&o, &stun_rfc8489, outer, sizeof outer,
                       stun_type(STUN_INDICATION, i ? TURN_DATA : TURN_SEND), &id);
            stun_put(&o, ATTR_DATA, inner, (size_t)len);
            all = stun_end(&o);
        }
        say(p, UDP, expected[i].reply, outer, (size_t)all);
        assert_string_equal(p->story.line[p->story.lines - 1].label, expected[i].label);
    }
    const struct checks *c = p->story.first_leg->checks;
    assert_non_null(c);
    assert_true(c->request[0].frame && c->success[1].frame && !c->request[1].frame && !c->success[0].frame);
    dialogue_free(p->dialogue);
    story_free(&p->story);
    free(p);
}

/* What went where it was announced, how much was lost on the way there, and what nobody tried. */
static void rtp_is_counted(void **state)
{
    (void)state;
    struct player *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->dialogue = dialogue_new(64, story_hear, &p->story);
    event(p, SIP, "open");
    sip(p, SIP, false, "call");
    sip(p, SIP, true, "accept");
    for (unsigned i = 0; i < 40; i++) {
        uint8_t packet[32] = {0x80, 0, (uint8_t)((i + 65500) >> 8), (uint8_t)(i + 65500)};
        store32(packet + 4, i * 160);
        if (i % 10 != 3)
            say(p, MEDIA, false, packet, sizeof packet);
        p->t_ns += 20 * NS_MS - (i % 10 != 3 ? NS_MS : 0);
    }
    const struct leg *media = p->story.last_leg;
    assert_true(media->announced == 3 && media->clock == 8000);
    assert_int_equal(media->rtp[0].packets, 36);
    assert_int_equal(media->rtp[0].expected, 40);
    assert_int_equal(media->rtp[0].jitter, 0);
    assert_int_equal(media->rtp[1].packets, 0);
    assert_int_equal(p->story.announcements, 2);
    assert_true(p->story.announced[0].tried && p->story.announced[1].tried);
    dialogue_free(p->dialogue);
    story_free(&p->story);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_named),
        cmocka_unit_test(the_log_comes_first),
        cmocka_unit_test(what_a_relay_carries_is_told),
        cmocka_unit_test(rtp_is_counted),
        cmocka_unit_test(each_judge_tells_twins_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
