/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/capture/reference_kit.h"

#include <assert.h>
#include <string.h>

#include "models/base/time.h"
#include "models/stun/stun.h"
#include "models/wire/wire.h"

const char reference_user[] = "turn";
const char reference_realm[] = "TANDBERG";
const char reference_password[] = "chosen";
const char reference_nonce[] = "b0c7f2a4d5e60718293a4b5c6d7e8f9001122334455667788990abcd"; /* 56 characters */
const char reference_software[] = "TANDBERG/4137 (X8.9.2)";

/* Two empty attributes that a server may ignore, of types that nobody has assigned. */
enum { EMPTY_1 = 0xfffe, EMPTY_2 = 0xffff };
static const uint32_t connection_id = 0x00000001, transport_tcp = 6u << 24, lifetime = 600;

static const uint8_t framed_binding_request[] = {
    0x00, 0x6c, 0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42, 0xa7, 0xd4, 0x2d, 0x51, 0x9e, 0x4d, 0x78, 0xc5, 0x93,
    0x81, 0x95, 0x21, 0x00, 0x25, 0x00, 0x00, 0x00, 0x24, 0x00, 0x04, 0x6e, 0xff, 0xff, 0xff, 0x80, 0x29, 0x00, 0x08,
    0x08, 0xb2, 0x67, 0x4a, 0x8b, 0xee, 0xcd, 0x68, 0x00, 0x06, 0x00, 0x0c, 0x6c, 0x30, 0x4d, 0x52, 0x3a, 0x41, 0x6f,
    0x56, 0x79, 0x00, 0x00, 0x00, 0x80, 0x54, 0x00, 0x04, 0x33, 0x00, 0x00, 0x00, 0x80, 0x70, 0x00, 0x04, 0x00, 0x00,
    0x00, 0x02, 0x00, 0x08, 0x00, 0x14, 0x1d, 0xa4, 0x84, 0x25, 0x29, 0x57, 0x5b, 0x38, 0xe0, 0x6b, 0x72, 0xef, 0x45,
    0x8c, 0x3e, 0x17, 0x2b, 0x65, 0xc7, 0x6c, 0x80, 0x28, 0x00, 0x04, 0xff, 0x2f, 0xa7, 0x18,
};

struct reference_ends reference_ends(void)
{
    const struct ip_addr cms = ip_v4(10u << 24 | 48u << 16 | 54u << 8 | 230);
    const struct ip_addr expressway = ip_v4(10u << 24 | 48u << 16 | 54u << 8 | 229);
    const struct ip_addr edge = ip_v4(192u << 24 | 168u << 16 | 1u << 8 | 252);
    return (struct reference_ends){.control = {cms, 44341}, .bound = {cms, 44342}, .server = {expressway, 3478},
                                   .relayed = {expressway, 24000}, .peer = {edge, 53577}};
}

/* ---- messages ---- */

static void put_credentials(struct stun_out *o)
{
    uint8_t key[16];
    stun_long_term_key(reference_user, reference_realm, reference_password, key);
    stun_put_text(o, ATTR_USERNAME, reference_user);
    stun_put_text(o, ATTR_REALM, reference_realm);
    stun_put_text(o, ATTR_NONCE, reference_nonce);
    stun_put_integrity(o, key, sizeof key, false);
}

/* What ends each message of the server. */
static void put_server(struct stun_out *o, bool integrity)
{
    uint8_t key[16];
    stun_long_term_key(reference_user, reference_realm, reference_password, key);
    stun_put_text(o, ATTR_SOFTWARE, reference_software);
    if (integrity)
        stun_put_integrity(o, key, sizeof key, true);
    stun_put_fingerprint(o);
}

static void put_empty(struct stun_out *o, unsigned type)
{
    stun_put(o, (enum stun_attr_type)type, NULL, 0);
}

static void allocate(struct stun_out *o)
{
    stun_put_u32(o, ATTR_REQUESTED_TRANSPORT, transport_tcp);
    stun_put_u32(o, ATTR_LIFETIME, lifetime);
    put_empty(o, EMPTY_1);
    put_empty(o, EMPTY_2);
}

static void allocate_error(struct stun_out *o)
{
    stun_put_error(o, 401, "Unauthorized: credentials needed"); /* 40 bytes in all, with a reason of 32 */
    stun_put_text(o, ATTR_REALM, reference_realm);
    stun_put_text(o, ATTR_NONCE, reference_nonce);
    stun_put_u32(o, ATTR_LIFETIME, lifetime);
    put_server(o, false);
}

static void allocate_again(struct stun_out *o)
{
    allocate(o);
    put_credentials(o);
}

static void allocate_success(struct stun_out *o)
{
    const struct reference_ends ends = reference_ends();
    stun_put_address(o, ATTR_XOR_RELAYED_ADDRESS, &ends.relayed);
    stun_put_u32(o, ATTR_LIFETIME, lifetime);
    stun_put_address(o, ATTR_XOR_MAPPED_ADDRESS, &ends.control);
    put_server(o, true);
}

static void refresh(struct stun_out *o)
{
    stun_put_u32(o, ATTR_LIFETIME, lifetime);
    put_empty(o, EMPTY_1);
    put_credentials(o);
}

static void refresh_success(struct stun_out *o)
{
    stun_put_u32(o, ATTR_LIFETIME, lifetime);
    put_server(o, true);
}

static void attempt(struct stun_out *o)
{
    const struct reference_ends ends = reference_ends();
    stun_put_u32(o, ATTR_CONNECTION_ID, connection_id);
    stun_put_address(o, ATTR_XOR_PEER_ADDRESS, &ends.peer);
    put_server(o, true);
}

static void bind_request(struct stun_out *o)
{
    stun_put_u32(o, ATTR_CONNECTION_ID, connection_id);
    put_empty(o, EMPTY_1);
    put_credentials(o);
}

static void bind_success(struct stun_out *o)
{
    stun_put_u32(o, ATTR_CONNECTION_ID, connection_id);
    put_server(o, true);
}

/* ---- frames ---- */

/* A row of the facts. seq, ack: relative, 0: as the messages before add up to. */
static const struct row {
    unsigned number;
    uint32_t t_us;
    bool from_server, bound;
    uint16_t frame_len;
    enum reference_content content;
    uint32_t seq, ack;
    enum stun_class cls;
    enum stun_method method;
    uint8_t transaction;
    void (*attributes)(struct stun_out *);
} rows[REFERENCE_FRAMES] = {
    {2394, 51966175, false, false, 98, REFERENCE_MESSAGE, 0, 0, STUN_REQUEST, TURN_ALLOCATE, 1, allocate},
    {2397, 51968443, true, false, 230, REFERENCE_MESSAGE, 0, 0, STUN_ERROR, TURN_ALLOCATE, 1, allocate_error},
    {2399, 51968947, false, false, 202, REFERENCE_MESSAGE, 0, 0, STUN_REQUEST, TURN_ALLOCATE, 2, allocate_again},
    {2427, 52084888, true, false, 166, REFERENCE_MESSAGE, 0, 0, STUN_SUCCESS, TURN_ALLOCATE, 2, allocate_success},
    {2428, 52085424, false, false, 190, REFERENCE_MESSAGE, 0, 0, STUN_REQUEST, TURN_REFRESH, 3, refresh},
    {2447, 52172733, true, false, 142, REFERENCE_MESSAGE, 0, 0, STUN_SUCCESS, TURN_REFRESH, 3, refresh_success},
    {2526, 52568097, true, false, 154, REFERENCE_MESSAGE, 0, 0, STUN_INDICATION, TURN_CONNECTION_ATTEMPT, 4, attempt},
    {2540, 52618906, false, true, 190, REFERENCE_MESSAGE, 0, 0, STUN_REQUEST, TURN_CONNECTION_BIND, 5, bind_request},
    {2552, 52673050, true, true, 142, REFERENCE_MESSAGE, 0, 0, STUN_SUCCESS, TURN_CONNECTION_BIND, 5, bind_success},
    {2596, 52829644, true, true, 144, REFERENCE_FILLER, 391, 529, 0, 0, 0, NULL},
    {2597, 52829905, false, true, 164, REFERENCE_REAL, 529, 481, 0, 0, 0, NULL},
    {2608, 52869391, true, true, 54, REFERENCE_EMPTY, 481, 639, 0, 0, 0, NULL},
    {2770, 54055033, true, true, 170, REFERENCE_FILLER, 481, 639, 0, 0, 0, NULL},
    {3209, 57084719, true, false, 82, REFERENCE_MESSAGE, 0, 0, STUN_INDICATION, STUN_BINDING, 6, stun_put_fingerprint},
};

static size_t payload_of(const struct row *r, uint8_t *out, size_t cap)
{
    size_t len = r->frame_len - WIRE_ETH - WIRE_IP4 - WIRE_TCP;
    assert(len <= cap);
    memset(out, 0xff, len); /* a first byte that no STUN message has */
    if (r->content == REFERENCE_REAL) {
        assert(len == sizeof framed_binding_request);
        memcpy(out, framed_binding_request, len);
    }
    if (r->content == REFERENCE_MESSAGE) {
        struct stun_id id = {{0x21, 0x12, 0xa4, 0x42, 'c', 'h', 'o', 's', 'e', 'n', 0, 0, 0, 0, 0, r->transaction}};
        struct stun_out o;
        stun_begin(&o, &stun_rfc8489, out, cap, stun_type(r->cls, r->method), &id);
        r->attributes(&o);
        assert(stun_end(&o) == (long)len);
    }
    return len;
}

/* next: the sequence numbers that each end of the connection has come to. */
static void build(const struct row *r, uint32_t next[2], struct reference_frame *out)
{
    static const uint8_t mac[2][6] = {{0x00, 0x50, 0x56, 0x98, 0x98, 0x98}, {0x00, 0x0c, 0x29, 0x48, 0x9e, 0x5f}};
    const struct reference_ends ends = reference_ends();
    const struct endpoint *end[2] = {r->bound ? &ends.bound : &ends.control, &ends.server};
    unsigned from = r->from_server;
    uint8_t payload[REFERENCE_FRAME_MAX];
    size_t len = payload_of(r, payload, sizeof payload);
    if (r->seq) {
        next[from] = r->seq;
        next[!from] = r->ack;
    }
    const struct wire_tcp h = {.sport = end[from]->port, .dport = end[!from]->port, .seq = next[from],
                               .ack = next[!from], .flags = len ? 0x18 : 0x10, .window = 65535,
                               .wscale = WIRE_NO_WSCALE};
    *out = (struct reference_frame){.number = r->number, .t_ns = r->t_us * NS_US, .from_server = r->from_server,
                                    .bound = r->bound, .content = r->content};
    size_t n = wire_put_eth(out->bytes, mac[!from], mac[from], ETHERTYPE_IP4);
    n += wire_put_ip(out->bytes + n, &end[from]->ip, &end[!from]->ip, PROTO_TCP, 64, (uint16_t)r->number,
                     WIRE_TCP + len);
    n += wire_put_tcp(out->bytes + n, &h);
    memcpy(out->bytes + n, payload, len);
    out->len = n + len;
    assert(out->len == r->frame_len);
    wire_seal(out->bytes, out->len);
    next[from] += (uint32_t)len;
}

void reference_frames(struct reference_frame out[REFERENCE_FRAMES])
{
    uint32_t next[2][2] = {{1, 1}, {1, 1}};
    for (size_t i = 0; i < REFERENCE_FRAMES; i++)
        build(&rows[i], next[rows[i].bound], &out[i]);
}

void reference_file(struct file_kit *f)
{
    /* Of an ethertype for experiments (802.3: 88B5). */
    static const uint8_t other[60] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5, 'o', 't', 'h', 'e', 'r'};
    struct reference_frame frames[REFERENCE_FRAMES];
    reference_frames(frames);
    file_kit_section(f);
    file_kit_interface(f, &(struct file_kit_interface){.link = 1, .resolution = 9});
    unsigned number = 0;
    for (size_t i = 0; i < REFERENCE_FRAMES; i++) {
        while (++number < frames[i].number)
            file_kit_packet(f, 0, frames[i].t_ns, other, sizeof other, sizeof other);
        file_kit_packet(f, 0, frames[i].t_ns, frames[i].bytes, frames[i].len, frames[i].len);
    }
}
