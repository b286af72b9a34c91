/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ICE over UDP (RFC 8445, 8839): one agent, RTP and RTCP on one component (RFC 5761), host candidates from the range of
 * ports, server-reflexive ones by Binding requests from there, a relayed one. */
#include <stdlib.h>
#include <string.h>

#include "models/actors/leg_relay.h"
#include "models/base/err.h"
#include "models/base/time.h"
#include "models/ice/ice.h"
#include "models/stun/stun.h"

#define REFLEX_RTO (500 * NS_MS) /* RFC 8489 6.2.1; doubled each time */

enum { QUEUE = 4, UFRAG = 4, PWD = 24 };

/* A Binding request to a relay that speaks STUN, from the socket of the host candidate. */
struct reflex {
    bool asking;
    struct endpoint server;
    struct stun_id id;
    uint64_t again_ns, rto_ns, give_up_ns;
};

struct ice_leg {
    struct leg leg;
    struct ice *ice;
    struct ice_config cfg;
    struct rng rng;
    struct leg_ports ports;
    io_id socket;
    struct endpoint host;
    bool opened, socket_failed, relay_done, gathered, has_remote, up, over, closed;
    char socket_text[LEG_TEXT], text[LEG_TEXT], remote_ufrag[ICE_UFRAG_MAX];
    struct reflex reflex;
    struct leg_relay relay;
    struct ice_candidate local[ICE_CANDIDATES_MAX];
    size_t locals;
    struct endpoint base, remote; /* of the nominated pair */
    struct leg_event queue[QUEUE], packet;
    size_t queued;
};

static struct ice_leg *ice_of(struct leg *l)
{
    return (struct ice_leg *)l;
}

static const struct ice_leg *const_ice_of(const struct leg *l)
{
    return (const struct ice_leg *)l;
}

static uint64_t now(const struct ice_leg *l)
{
    return io_now(l->leg.io);
}

static void tell(struct ice_leg *l, struct leg_event ev)
{
    if (l->queued < QUEUE)
        l->queue[l->queued++] = ev;
}

/* ---- gathering ---- */

static void add_local(struct ice_leg *l, enum ice_type type, const struct endpoint *at, const struct endpoint *related)
{
    if (l->locals == ICE_CANDIDATES_MAX)
        return;
    struct ice_candidate *c = &l->local[l->locals];
    *c = (struct ice_candidate){.component = 1,
                                .type = type,
                                .transport = ICE_UDP,
                                .priority = ice_priority(type, ICE_UDP, 1),
                                .address = *at};
    if (related)
        c->related = *related;
    struct text t = text_of(c->foundation, sizeof c->foundation);
    text_add(&t, "%u", 1 + (unsigned)type);
    if (ice_add_local(l->ice, c) == 0)
        l->locals++;
}

static void open_next(struct ice_leg *l, int err)
{
    uint16_t port;
    l->socket = IO_NONE;
    if (err == E_EXISTS && leg_ports_next(&l->ports, &port)) {
        l->socket = leg_udp(&l->leg, port);
        return;
    }
    l->socket_failed = true;
    leg_describe_ports(&l->leg, err, l->socket_text);
}

static void ice_gather(struct leg *leg)
{
    struct ice_leg *l = ice_of(leg);
    leg_relay_start(&l->relay, leg);
    if (!leg->cfg->host_candidates) {
        l->socket_failed = true;
        return;
    }
    l->ports = leg_ports_of(leg, 1);
    open_next(l, E_EXISTS);
}

static void send_reflex(struct ice_leg *l)
{
    uint8_t buf[STUN_HEADER];
    struct stun_out o;
    struct reflex *x = &l->reflex;
    stun_begin(&o, &stun_rfc8489, buf, sizeof buf, stun_type(STUN_REQUEST, STUN_BINDING), &x->id);
    long len = stun_end(&o);
    x->again_ns = now(l) + x->rto_ns;
    x->rto_ns *= 2;
    io_sendto(l->leg.io, l->socket, &x->server, buf, (size_t)len, "Binding request");
}

static void ask_reflex(struct ice_leg *l)
{
    const struct session_config *cfg = l->leg.cfg;
    for (size_t i = 0; i < cfg->relay_count && !l->reflex.asking; i++)
        if (cfg->relay[i].kind == SESSION_TURN_UDP) {
            l->reflex = (struct reflex){.asking = true, .server = cfg->relay[i].server, .rto_ns = REFLEX_RTO};
            l->reflex.id = stun_new_id(&stun_rfc8489, &l->rng);
            l->reflex.give_up_ns = now(l) + cfg->gather_timeout_ns;
            send_reflex(l);
        }
}

static void host_opened(struct ice_leg *l, const struct io_in *in)
{
    l->opened = true;
    l->host = in->local;
    add_local(l, ICE_HOST, &l->host, NULL);
    ask_reflex(l);
}

/* The answer to our own request; false: it is something else. */
static bool take_reflex(struct ice_leg *l, const struct io_in *in)
{
    struct stun_msg m;
    struct endpoint mapped;
    struct reflex *x = &l->reflex;
    if (!x->asking || !endpoint_equal(&in->remote, &x->server) || stun_parse(&stun_rfc8489, in->data, in->len, &m) ||
        memcmp(&m.id, &x->id, sizeof m.id) != 0)
        return false;
    x->asking = false;
    if (m.cls == STUN_SUCCESS && stun_get_address(&m, ATTR_XOR_MAPPED_ADDRESS, &mapped) == 0 &&
        !endpoint_equal(&mapped, &l->host))
        add_local(l, ICE_SRFLX, &mapped, &l->host);
    return true;
}

static void reflex_timer(struct ice_leg *l)
{
    if (!l->reflex.asking)
        return;
    if (now(l) >= l->reflex.give_up_ns)
        l->reflex.asking = false;
    else if (now(l) >= l->reflex.again_ns)
        send_reflex(l);
}

static void start_if_ready(struct ice_leg *l)
{
    if (l->gathered && l->has_remote)
        ice_start(l->ice, now(l));
}

static void check_gathered(struct ice_leg *l)
{
    if (l->gathered || l->over || !(l->opened || l->socket_failed) || l->reflex.asking || !l->relay_done)
        return;
    if (l->locals) {
        l->gathered = true;
        tell(l, (struct leg_event){.kind = LEG_GATHERED});
        start_if_ready(l);
        return;
    }
    struct text t = text_of(l->text, sizeof l->text);
    text_add(&t, "no candidate: %s%s%s", l->socket_text, *l->socket_text && *l->relay.tried ? "; " : "",
             l->relay.tried);
    l->over = true;
    tell(l, (struct leg_event){.kind = LEG_FAILED, .text = l->text});
}

/* ---- description ---- */

/* The default one (RFC 8839 4.2.1.1): the most likely to work, the last that was had. */
static void ice_describe(const struct leg *leg, struct sdp_media *m)
{
    const struct ice_leg *l = const_ice_of(leg);
    const struct ice_candidate *best = l->local;
    for (size_t i = 0; i < l->locals; i++) {
        const struct ice_candidate *c = &l->local[i];
        struct sdp_candidate *out = &m->candidate[m->candidate_count++];
        *out = (struct sdp_candidate){.component = c->component,
                                      .transport = SDP_UDP,
                                      .priority = c->priority,
                                      .type = (enum sdp_type)c->type,
                                      .address = c->address,
                                      .related = c->related};
        memcpy(out->foundation, c->foundation, sizeof out->foundation);
        best = c->type > best->type ? c : best;
    }
    m->ip = best->address.ip;
    m->port = best->address.port;
    m->rtcp_mux = true;
    memcpy(m->ufrag, l->cfg.ufrag, sizeof l->cfg.ufrag);
    memcpy(m->pwd, l->cfg.pwd, sizeof l->cfg.pwd);
}

static int ice_set_remote(struct leg *leg, const struct sdp_media *m)
{
    struct ice_leg *l = ice_of(leg);
    size_t used = 0;
    if (l->has_remote) /* a restart is not modelled */
        return strcmp(l->remote_ufrag, m->ufrag) == 0 ? 0 : E_UNSUPPORTED;
    for (size_t i = 0; i < m->candidate_count; i++) {
        const struct sdp_candidate *c = &m->candidate[i];
        if (c->transport != SDP_UDP || c->component != 1)
            continue;
        struct ice_candidate in = {.component = 1,
                                   .type = (enum ice_type)c->type,
                                   .transport = ICE_UDP,
                                   .priority = c->priority,
                                   .address = c->address,
                                   .related = c->related};
        memcpy(in.foundation, c->foundation, sizeof in.foundation);
        used += ice_add_remote(l->ice, &in) == 0;
        leg_relay_permit(&l->relay, &c->address.ip);
    }
    if (!used || !m->ufrag[0] || !m->pwd[0] || strlen(m->ufrag) >= sizeof l->remote_ufrag)
        return E_UNSUPPORTED;
    memcpy(l->remote_ufrag, m->ufrag, strlen(m->ufrag) + 1);
    ice_set_remote_credentials(l->ice, m->ufrag, m->pwd);
    l->has_remote = true;
    start_if_ready(l);
    return 0;
}

/* ---- what the agent wants ---- */

static bool is_relayed(const struct ice_leg *l, const struct endpoint *base)
{
    return l->relay.ready && endpoint_equal(base, &l->relay.relayed);
}

static void send_from(struct ice_leg *l, const struct endpoint *base, const struct endpoint *to, const void *data,
                      size_t len, const char *label)
{
    if (is_relayed(l, base))
        leg_relay_send(&l->relay, to, data, len, label);
    else if (l->opened)
        io_sendto(l->leg.io, l->socket, to, data, len, label);
}

static const char *const type_names[] = {
    [ICE_HOST] = "host", [ICE_SRFLX] = "srflx", [ICE_PRFLX] = "prflx", [ICE_RELAY] = "relay"};

/* Through a relay that is not the first of those configured, or should not be needed, it is not as it should be. */
static void nominated(struct ice_leg *l, const struct ice_event *ev)
{
    bool relayed = is_relayed(l, &ev->local.address), another = relayed && *l->relay.tried;
    bool indirect = relayed && l->leg.cfg->direct_wanted;
    char name[LEG_TEXT];
    if (l->up)
        return;
    l->up = true;
    l->base = ev->local.address;
    l->remote = ev->remote.address;
    struct text t = text_of(l->text, sizeof l->text);
    text_add(&t, "%s -> %s", type_names[relayed ? ICE_RELAY : ev->mapped.type], type_names[ev->remote.type]);
    if (relayed) {
        text_add(&t, ", %s", leg_relay_name(&l->relay, name));
        leg_relay_prefer(&l->relay, &l->remote);
    } else {
        text_add(&t, " over udp");
    }
    if (another)
        text_add(&t, " (%s)", l->relay.tried);
    if (indirect)
        text_add(&t, ", no direct way");
    if (indirect && l->leg.cfg->indirect_text)
        text_add(&t, ": %s", l->leg.cfg->indirect_text);
    tell(l, (struct leg_event){.kind = LEG_UP, .text = l->text, .degraded = another || indirect});
}

static void end(struct ice_leg *l, enum leg_event_kind kind, const char *text)
{
    if (l->over)
        return;
    l->over = true;
    struct text t = text_of(l->text, sizeof l->text);
    text_add(&t, "%s%s%s", text, *l->relay.tried ? "; " : "", l->relay.tried);
    tell(l, (struct leg_event){.kind = kind, .text = l->text});
}

static void drain_agent(struct ice_leg *l)
{
    struct ice_event ev;
    while (ice_poll(l->ice, &ev))
        switch (ev.kind) {
        case ICE_SEND: /* once it is up, what keeps it so is no news for the ladder */
            send_from(l, &ev.local.address, &ev.remote.address, ev.data, ev.len, l->up ? NULL : ev.label);
            break;
        case ICE_NOMINATED:
            nominated(l, &ev);
            break;
        case ICE_FAILED:
            end(l, LEG_FAILED, ev.text);
            break;
        case ICE_LOST:
            end(l, LEG_LOST, ev.text);
            break;
        case ICE_OPEN:
        case ICE_VALID:
            break;
        }
}

/* ---- events ---- */

static void datagram(struct ice_leg *l, const struct endpoint *base, const struct endpoint *from, const uint8_t *data,
                     size_t len)
{
    if (!ice_datagram(l->ice, base, from, data, len, now(l)) && !l->closed)
        l->packet = (struct leg_event){.kind = LEG_PACKET, .data = data, .len = len, .remote = *from};
    drain_agent(l);
}

static void relay_event(struct ice_leg *l, const struct leg_relay_event *ev)
{
    switch (ev->kind) {
    case LEG_RELAY_READY:
        l->relay_done = true;
        add_local(l, ICE_RELAY, &l->relay.relayed, &l->relay.mapped);
        break;
    case LEG_RELAY_NONE:
        l->relay_done = true;
        break;
    case LEG_RELAY_GONE:
        if (l->up && endpoint_equal(&l->base, &l->relay.relayed))
            end(l, LEG_LOST, "the relay's allocation is gone");
        break;
    case LEG_RELAY_DATAGRAM:
        datagram(l, &l->relay.relayed, &ev->peer, ev->data, ev->len);
        break;
    }
}

static bool socket_event(struct ice_leg *l, const struct io_in *in)
{
    if (!in->id || in->id != l->socket)
        return false;
    switch (in->event) {
    case IO_OPENED:
        host_opened(l, in);
        break;
    case IO_FAILED:
        leg_disown(&l->leg, l->socket);
        open_next(l, in->err);
        break;
    case IO_DATAGRAM:
        if (!take_reflex(l, in))
            datagram(l, &l->host, &in->remote, in->data, in->len);
        break;
    default:
        break;
    }
    return true;
}

static bool ice_leg_input(struct leg *leg, const struct io_in *in)
{
    struct ice_leg *l = ice_of(leg);
    bool ours = socket_event(l, in) || leg_relay_input(&l->relay, in);
    if (!in->id) {
        reflex_timer(l);
        if (now(l) >= ice_deadline(l->ice))
            ice_timer(l->ice, now(l));
    }
    return ours;
}

static bool ice_leg_poll(struct leg *leg, struct leg_event *out)
{
    struct ice_leg *l = ice_of(leg);
    struct leg_relay_event ev;
    drain_agent(l);
    while (!l->queued && !l->packet.data && leg_relay_poll(&l->relay, &ev))
        relay_event(l, &ev);
    check_gathered(l);
    drain_agent(l);
    if (l->queued) {
        *out = l->queue[0];
        l->queued--;
        memmove(l->queue, l->queue + 1, l->queued * sizeof *l->queue);
        return true;
    }
    *out = l->packet;
    l->packet.data = NULL;
    return out->data;
}

static uint64_t ice_leg_deadline(const struct leg *leg)
{
    const struct ice_leg *l = const_ice_of(leg);
    uint64_t at = leg_relay_deadline(&l->relay);
    if (l->closed)
        return at;
    if (l->reflex.asking)
        at = time_min(at, time_min(l->reflex.again_ns, l->reflex.give_up_ns));
    return time_min(at, ice_deadline(l->ice));
}

static void ice_leg_send(struct leg *leg, const uint8_t *packet, size_t len)
{
    struct ice_leg *l = ice_of(leg);
    if (l->up && !l->over)
        send_from(l, &l->base, &l->remote, packet, len, NULL);
}

static void ice_leg_confirm(struct leg *leg)
{
    (void)leg; /* the agent knows whom it has nominated */
}

static void ice_describe_silence(const struct leg *leg, struct text *t)
{
    const struct ice_leg *l = const_ice_of(leg);
    char at[ENDPOINT_TEXT];
    text_add(t, "from %s", endpoint_text(&l->remote, at));
}

/* ---- life ---- */

static void ice_leg_close(struct leg *leg)
{
    struct ice_leg *l = ice_of(leg);
    l->closed = l->over = true;
    l->reflex.asking = false;
    l->opened = false;
    l->packet.data = NULL;
    leg_close_udp(leg, &l->socket);
    leg_relay_release(&l->relay);
}

static bool ice_leg_closed(const struct leg *leg)
{
    const struct ice_leg *l = const_ice_of(leg);
    return l->closed && leg_relay_released(&l->relay);
}

static void ice_leg_free(struct leg *leg)
{
    struct ice_leg *l = ice_of(leg);
    ice_leg_close(leg);
    leg_relay_free(&l->relay);
    ice_free(l->ice);
    free(l);
}

static void random_text(struct rng *rng, char *out, size_t len)
{
    static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i++)
        out[i] = chars[rng_below(rng, 64)];
    out[len] = '\0';
}

static struct leg *make(const struct leg *common, enum ice_dialect dialect)
{
    static const struct leg_ops ops = {
        .free = ice_leg_free,
        .gather = ice_gather,
        .describe = ice_describe,
        .set_remote = ice_set_remote,
        .send = ice_leg_send,
        .confirm = ice_leg_confirm,
        .close = ice_leg_close,
        .closed = ice_leg_closed,
        .input = ice_leg_input,
        .deadline = ice_leg_deadline,
        .poll = ice_leg_poll,
        .describe_silence = ice_describe_silence,
    };
    struct ice_leg *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->leg = *common;
    l->leg.ops = &ops;
    l->rng = leg_rng(common, "sdp");
    l->cfg = (struct ice_config){.dialect = dialect,
                                 .controlling = common->cfg->controlling,
                                 .tie_breaker = rng_u64(&l->rng),
                                 .candidate_id = dialect == ICE_DIALECT_MICROSOFT ? "1" : NULL,
                                 .udp_consent = dialect == ICE_DIALECT_RFC,
                                 .total_timeout_ns = common->cfg->check_timeout_ns};
    random_text(&l->rng, l->cfg.ufrag, UFRAG);
    random_text(&l->rng, l->cfg.pwd, PWD);
    l->ice = ice_new(&l->cfg, leg_rng(common, "ice"));
    if (l->ice)
        return &l->leg;
    free(l);
    return NULL;
}

struct leg *leg_ice_new(const struct leg *common)
{
    return make(common, ICE_DIALECT_RFC);
}

struct leg *leg_microsoft_new(const struct leg *common)
{
    return make(common, ICE_DIALECT_MICROSOFT);
}
