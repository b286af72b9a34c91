/* SPDX-License-Identifier: GPL-2.0-or-later */
/* [MS-TURN] over TCP: pseudo-TLS, units, ports (MST-30 to 40). */
#include <string.h>

#include "conformance/microsoft/sections.h"
#include "conformance/microsoft/talk.h"
#include "models/base/bytes.h"

enum { FIRST_PORT = 50000, LAST_PORT = 59999, PATIENCE_S = 2 };

static void unit_types(struct probe *p)
{
    static const uint8_t bad[] = {1, 4};
    struct ms_talk t;
    ms_allocate(&t, p); /* whose units were all 02 or 03 */
    for (size_t i = 0; i < sizeof bad; i++) {
        struct ms_bytes m;
        ms_dial(&t, p);
        ms_begin(&t, &m, MS_ALLOCATE);
        ms_say(&t, bad[i], &m);
        probe_require(p, line_ended(t.line, PATIENCE_S * NS_S) != LINE_OPEN,
                      "a unit of type %02x has not ended the connection", bad[i]);
    }
}

static void units_cut(struct probe *p)
{
    struct ms_talk t;
    struct ms_bytes m;
    uint8_t head[4] = {MS_CONTROL};
    ms_dial(&t, p);
    ms_begin(&t, &m, MS_ALLOCATE);
    store16(head + 2, (unsigned)m.len);
    for (size_t i = 0; i < sizeof head + m.len; i++) {
        line_send(t.line, i < sizeof head ? &head[i] : &m.b[i - sizeof head], 1);
        probe_wait(p, 2 * NS_MS);
    }
    struct ms_unit_heard h = ms_hear(&t, PATIENCE_S * NS_S);
    probe_require(p, h.unit == MS_CONTROL && ms_type(&h.content) == MS_ALLOCATE_ERROR,
                  "a unit that came byte by byte was not answered");
}

static void framed(struct probe *p)
{
    units_cut(p);
    unit_types(p);
}

static void cookie_tells_control(struct probe *p)
{
    struct ms_talk t;
    struct endpoint at;
    ms_allocate(&t, p);
    struct line *peer = ms_peer(&t, &at);
    line_send(peer, "\0\2hi", 4);
    struct ms_unit_heard h = ms_hear(&t, PATIENCE_S * NS_S);
    probe_require(p, h.unit == MS_CONTROL && h.content.len >= 28 && load32(h.content.b + 24) == UINT32_C(0x72c64bc6),
                  "a control unit does not have 72c64bc6 at its offset 24");
    struct ms_bytes a = ms_ask_active(&t, &at);
    probe_require(p, ms_type(&a) == MS_ACTIVE && load32(a.b + 24) == UINT32_C(0x72c64bc6),
                  "a control unit does not have 72c64bc6 at its offset 24");
    line_send(peer, "\0\2hi", 4);
    h = ms_hear(&t, PATIENCE_S * NS_S);
    probe_require(p, h.unit == MS_RAW, "data came in a control unit");
}

/* Of a data unit 03 00 and the rest are a frame of RFC 4571, both ways. */
static void data_is_frame(struct probe *p)
{
    struct ms_talk t;
    struct endpoint at;
    struct ms_bytes data = {.len = 300};
    uint8_t got[302], back[304];
    ms_allocate(&t, p);
    struct line *peer = ms_peer(&t, &at);
    ms_ask_active(&t, &at);
    for (size_t i = 0; i < data.len; i++)
        data.b[i] = (uint8_t)(7 * i);
    ms_say(&t, MS_RAW, &data);
    probe_require(p, line_read_all(peer, got, sizeof got, PATIENCE_S * NS_S) && load16(got) == 300 &&
                  memcmp(got + 2, data.b, 300) == 0, "a data unit has not come to the peer as one frame");
    line_send(peer, got, sizeof got);
    probe_require(p, line_read_all(t.line, back, sizeof back, PATIENCE_S * NS_S) && back[0] == MS_RAW && back[1] == 0 &&
                  memcmp(back + 2, got, sizeof got) == 0, "a peer's frame has not come as 03 00 and the same bytes");
}

static void pseudo_tls(struct probe *p)
{
    struct ms_talk t;
    ms_allocate(&t, p);
}

static void server_hello(struct probe *p)
{
    static const uint8_t head[] = {0x16, 3, 1, 0, 0x4e, 2, 0, 0, 0x46, 3, 1}, tail[] = {0, 0x18, 0, 0x0e, 0, 0, 0};
    struct ms_talk t;
    ms_dial(&t, p);
    const uint8_t *b = t.hello.b;
    probe_require(p, memcmp(b, head, sizeof head) == 0, "the server's hello does not begin with 16 03 01 00 4e 02");
    probe_require(p, b[43] == 32, "its session id has %u bytes, not 32", b[43]);
    probe_require(p, memcmp(b + 76, tail, sizeof tail) == 0, "it does not end with suite 0018 and ServerHelloDone");
    probe_require(p, line_waiting(t.line) == 0, "it has more than 83 bytes");
}

static void relay_ports(struct probe *p)
{
    struct ms_talk t;
    ms_allocate(&t, p);
    probe_require(p, t.relayed.port >= FIRST_PORT && t.relayed.port <= LAST_PORT, "the relay's port is %u",
                  t.relayed.port);
}

/* A connection out of the relay's port, and one into it from the same address: both are the client's peers. */
static void peers_both_ways(struct probe *p)
{
    struct ms_talk t;
    struct endpoint at, from;
    ms_allocate(&t, p);
    struct line *out = ms_peer(&t, &at);
    from = line_remote(out);
    struct line *in = probe_dial_to(p, PEER1, &t.relayed);
    line_send(in, "\0\2in", 4);
    struct ms_unit_heard h = ms_hear(&t, PATIENCE_S * NS_S);
    probe_defined(p, "the relay connects from %s, and %s",
                  endpoint_equal(&from, &t.relayed) ? "its relayed address" : "another port",
                  h.unit ? "takes connections of a peer's address that was sent to" : "takes no connection of its own");
}

/* ---- rows ---- */

static const struct requirement rows[] = {
    {"MST-30", "2.1", LEVEL_STATED, WHO_SERVER | WHO_CLIENT,
     "Over TCP each unit has 4 bytes before it: 02 (control) or 03 (data), 00, and its length; another type is the end "
     "of the connection.",
     .probe = framed, .setup = SETUP_MSTURN},
    {"MST-31", "2.1", LEVEL_STATED, WHO_SERVER | WHO_CLIENT,
     "A unit is control exactly if 72C64BC6 stands at its offset 24.", .probe = cookie_tells_control,
     .setup = SETUP_MSTURN},
    {"MST-32", "2.1", LEVEL_STATED, WHO_SERVER | WHO_CLIENT,
     "A data unit without its first two bytes is a frame of RFC 4571.", .probe = data_is_frame, .setup = SETUP_MSTURN},
    {"MST-33", "2.1", LEVEL_MUST, WHO_SERVER,
     "On TCP port 443 a pseudo-TLS hello of each side comes first, then units in clear.", .probe = pseudo_tls,
     .setup = SETUP_MSTURN},
    {"MST-34", "2.1", LEVEL_STATED, WHO_CLIENT, "The client's hello has 50 bytes: TLS 1.0, no session, suite 0018.",
     .none = "the judged client is one of RFC 6062; what a Skype client sends is read in models/msturn's tests"},
    {"MST-35", "2.1", LEVEL_STATED, WHO_SERVER,
     "The server's hello has 83 bytes: a session id of 32, suite 0018, ServerHelloDone.", .probe = server_hello,
     .setup = SETUP_MSTURN},
    {"MST-36", "2.1", LEVEL_OPEN, WHO_NAT, "A firewall that validates TLS blocks pseudo-TLS on port 443.",
     .none = "it is a firewall's policy, which the firewall reports name; no party here has to do anything"},
    {"MST-37", "1.5", LEVEL_STATED, WHO_SERVER, "Relay ports are 50000 to 59999.", .probe = relay_ports,
     .setup = SETUP_MSTURN},
    {"MST-38", "1.5", LEVEL_STATED, WHO_NAT,
     "Before the Edge there is at most a static NAT, and source addresses arrive unchanged.",
     .none = "it is a condition of the deployment, not of what a server does"},
    {"MST-39", "3.1", LEVEL_OPEN, WHO_SERVER,
     "A TCP relay takes connections at its port and opens them from it, once the client has addressed the peer.",
     .probe = peers_both_ways, .setup = SETUP_MSTURN},
    {"MST-40", "2.2", LEVEL_OPEN, WHO_SERVER, "Multiplexed TURN: a channel FF10, a length, a session id of 8 bytes.",
     .none = "between servers of Skype for Business only; our relay does not have it"},
};

const struct section microsoft_framing = SECTION(rows);
