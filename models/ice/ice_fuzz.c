/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An agent under a script of any bytes: candidates, connections, frames and datagrams as they are, some with a good
 * MAC around attributes of any kind, answers to its own checks, time. It must come to rest, stay within its limits,
 * and never nominate a component twice, nor lose what it has not nominated. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/time.h"
#include "models/ice/ice.h"
#include "models/ice/rfc4571.h"
#include "models/stun/stun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char ours[] = "our password", theirs[] = "their password";

struct fuzz {
    struct ice *a;
    struct reader r;
    uint64_t now;
    struct stun_id asked; /* the last check */
    uint32_t asked_stream;
    struct endpoint asked_from, asked_to; /* over UDP */
    const struct stun_dialect *dialect;
    size_t to_open[ICE_PAIRS_MAX];
    size_t to_open_count;
    unsigned nominated[2], lost[2], failed;
    uint32_t streams;
};

static void take_event(struct fuzz *f, const struct ice_event *ev)
{
    assert(!f->failed); /* it is the last */
    if (ev->kind == ICE_OPEN) {
        assert(f->to_open_count < ICE_PAIRS_MAX);
        f->to_open[f->to_open_count++] = ev->pair;
    } else if (ev->kind == ICE_SEND) {
        struct stun_msg m;
        assert(stun_parse(f->dialect, ev->data, ev->len, &m) == 0);
        if (m.cls == STUN_REQUEST) {
            f->asked = m.id;
            f->asked_stream = ev->stream;
            f->asked_from = ev->local.address;
            f->asked_to = ev->remote.address;
        }
    } else if (ev->kind == ICE_NOMINATED) {
        assert(++f->nominated[ev->local.component - 1] == 1);
    } else if (ev->kind == ICE_LOST) {
        unsigned i = ev->local.component - 1u;
        assert(f->nominated[i] == 1 && ++f->lost[i] == 1 && ev->text && *ev->text);
    } else if (ev->kind == ICE_FAILED) {
        f->failed++;
        assert(ev->text && *ev->text);
    }
}

static void drain(struct fuzz *f)
{
    struct ice_event ev;
    while (ice_poll(f->a, &ev))
        take_event(f, &ev);
}

static struct endpoint any_endpoint(struct fuzz *f)
{
    uint8_t x = read8(&f->r);
    return (struct endpoint){.ip = ip_v4(0x0a000001u + (x >> 6)), .port = (uint16_t)(1000 + (x & 63))};
}

static void add_candidate(struct fuzz *f, bool local)
{
    uint8_t x = read8(&f->r);
    struct ice_candidate c = {.component = x & 3,
                              .type = (enum ice_type)(x >> 2 & 3),
                              .transport = (enum ice_transport)((x >> 4 & 3) % 3),
                              .priority = read32(&f->r),
                              .foundation = {(char)('a' + (x >> 6))}};
    c.address = any_endpoint(f);
    c.related = any_endpoint(f);
    if (local)
        ice_add_local(f->a, &c);
    else
        ice_add_remote(f->a, &c);
}

/* On a stream, or as a datagram: the answer to the last check, or from anywhere. */
static void deliver(struct fuzz *f, uint8_t op, uint32_t stream, const uint8_t *frame, size_t len)
{
    if (!(op & 32)) {
        ice_input(f->a, stream, frame, len, f->now);
        return;
    }
    struct endpoint base = op & 64 ? f->asked_from : any_endpoint(f);
    struct endpoint remote = op & 128 ? f->asked_to : any_endpoint(f);
    ice_datagram(f->a, &base, &remote, frame, len, f->now);
}

/* A message of the given class: attributes as they come, then what its class and the script ask for. */
static void keyed_frame(struct fuzz *f, uint8_t op, uint32_t stream, enum stun_class cls)
{
    uint8_t how = read8(&f->r), frame[700];
    struct stun_out o;
    struct stun_id id = cls == STUN_REQUEST ? (struct stun_id){{0x21, 0x12, 0xa4, 0x42, how}} : f->asked;
    stun_begin(&o, f->dialect, frame, sizeof frame, stun_type(cls, STUN_BINDING), &id);
    if (how & 1)
        stun_put_u32(&o, ATTR_PRIORITY, read32(&f->r));
    if (how & 2)
        stun_put_u64(&o, how & 4 ? ATTR_ICE_CONTROLLING : ATTR_ICE_CONTROLLED, read64(&f->r));
    if (how & 8)
        stun_put_text(&o, ATTR_USERNAME, how & 16 ? "us:them" : "nobody");
    if (how & 32)
        stun_put(&o, ATTR_USE_CANDIDATE, NULL, 0);
    if (cls == STUN_SUCCESS && how & 64)
        stun_put_address(&o, ATTR_XOR_MAPPED_ADDRESS, &(struct endpoint){.ip = ip_v4(1), .port = 2});
    if (cls == STUN_ERROR)
        stun_put_error(&o, how & 64 ? 487 : 300 + read8(&f->r), "because");
    size_t n = how & 128 ? read8(&f->r) : 0;
    const uint8_t *value = n ? read_bytes(&f->r, n) : NULL;
    if (value && n >= 2)
        stun_put(&o, (enum stun_attr_type)load16(value), value + 2, n - 2);
    const char *key = cls == STUN_REQUEST ? ours : theirs;
    if (how != 255)
        stun_put_integrity(&o, key, strlen(key), true);
    stun_put_fingerprint(&o);
    long len = stun_end(&o);
    if (len > 0)
        deliver(f, op, stream, frame, (size_t)len);
}

static void raw_frames(struct fuzz *f, uint8_t op, uint32_t stream)
{
    struct rfc4571 frames = {0};
    size_t n = read8(&f->r), len;
    const uint8_t *p = read_bytes(&f->r, n), *frame;
    while (p && rfc4571_take(&frames, &p, &n, &frame, &len)) {
        uint8_t *copy = malloc(len + !len); /* of its size: a read past its end is seen */
        assert(copy);
        if (len)
            memcpy(copy, frame, len);
        deliver(f, op, stream, copy, len);
        free(copy);
    }
    rfc4571_free(&frames);
}

static void open_result(struct fuzz *f, bool good)
{
    if (f->to_open_count == 0)
        return;
    size_t pair = f->to_open[--f->to_open_count];
    if (good)
        ice_opened(f->a, pair, ++f->streams, f->now);
    else
        ice_open_failed(f->a, pair, f->now);
}

static void let_time_pass(struct fuzz *f)
{
    uint64_t until = f->now + read16(&f->r) * NS_MS;
    for (unsigned steps = 0; ice_deadline(f->a) <= until; steps++) {
        assert(steps < 20000);
        f->now = ice_deadline(f->a) > f->now ? ice_deadline(f->a) : f->now;
        ice_timer(f->a, f->now);
        assert(ice_deadline(f->a) > f->now);
        drain(f);
    }
    f->now = until;
}

static void step(struct fuzz *f)
{
    uint8_t op = read8(&f->r);
    uint32_t stream = op & 16 ? f->asked_stream : op >> 5;
    struct endpoint local, remote;
    switch (op & 15) {
    case 0:
    case 1:
        add_candidate(f, op & 1);
        break;
    case 2:
        ice_set_remote_credentials(f->a, "them", theirs);
        break;
    case 3:
        ice_start(f->a, f->now);
        break;
    case 4:
        local = any_endpoint(f);
        remote = any_endpoint(f);
        ice_incoming(f->a, stream, &local, &remote, f->now);
        f->streams = stream > f->streams ? stream : f->streams;
        break;
    case 5:
    case 6:
        open_result(f, op & 1);
        break;
    case 7:
        ice_closed(f->a, stream, f->now);
        break;
    case 8:
        ice_sent(f->a, stream, f->now);
        break;
    case 9:
        raw_frames(f, op, stream);
        break;
    case 10:
    case 11:
    case 12:
        let_time_pass(f);
        break;
    default:
        keyed_frame(f, op, stream, (op & 15) == 13 ? STUN_REQUEST : (op & 15) == 14 ? STUN_SUCCESS : STUN_ERROR);
        break;
    }
    drain(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz f = {.r = reader_of(data, size)};
    uint8_t how = read8(&f.r);
    struct ice_config cfg = {.dialect = how & 8 ? ICE_DIALECT_RFC : ICE_DIALECT_MICROSOFT,
                             .udp_consent = how & 16,
                             .controlling = how & 1,
                             .use_candidate_always = how & 2,
                             .tie_breaker = UINT64_C(1) << 63,
                             .ufrag = "us",
                             .pwd = "our password",
                             .candidate_id = how & 4 ? "3" : NULL};
    f.dialect = how & 8 ? &stun_rfc8489 : &stun_ms_ice2;
    f.a = ice_new(&cfg, rng_named(1, "fuzz"));
    assert(f.a);
    while (reader_left(&f.r) > 0 && !f.failed)
        step(&f);
    ice_free(f.a);
    return 0;
}
