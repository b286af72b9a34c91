/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a frame: whatever parses can be sealed, then verifies; stays so when rewritten; and its
 * answers parse. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(uint8_t *frame, long len)
{
    struct wire_packet p;
    if (len > 0)
        assert(wire_parse(frame, (size_t)len, &p) == 0 && wire_check(&p) == 0);
}

static void rewrite_all(uint8_t *frame, size_t len, struct wire_packet *p)
{
    struct endpoint src = {.ip = p->dst, .port = 7}, dst = {.ip = p->src, .port = 65535};
    bool sealed = p->family == IP_V6 || wire_sum(frame + p->l3, (size_t)(frame[p->l3] & 15) * 4) == 0;
    wire_seal(frame, len);
    wire_set_src(p, &src);
    wire_set_dst(p, &dst);
    if (p->ttl)
        wire_lower_ttl(p);
    struct wire_packet again;
    assert(wire_parse(frame, len, &again) == 0);
    assert(again.payload == p->payload && again.payload_len == p->payload_len && again.l4 == p->l4);
    if (sealed)
        assert(wire_check(&again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *frame = malloc(size ? size : 1), out[1400];
    assert(frame);
    if (size)
        memcpy(frame, data, size);
    struct wire_packet p, quoted;
    if (wire_parse(frame, size, &p) == 0) {
        (void)wire_check(&p);
        if (p.proto == PROTO_TCP && p.l4) {
            struct wire_tcp t;
            wire_get_tcp(&p, &t);
            assert(wire_put_tcp(out, &t) <= WIRE_TCP_MAX);
        }
        check_answer(out, wire_icmp_error(&p, &p.dst, 3, 1, 0, out, sizeof out));
        check_answer(out, wire_tcp_reset(&p, out, sizeof out));
        if (wire_parse_quoted(&p, &quoted) == 0) {
            struct endpoint to = {.ip = quoted.src, .port = 9};
            wire_set_dst(&quoted, &to);
            wire_set_src(&quoted, &to);
        }
        rewrite_all(frame, size, &p);
    }
    free(frame);
    return 0;
}
