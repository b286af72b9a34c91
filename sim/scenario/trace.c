/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/trace.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/stun/stun.h"
#include "models/wire/wire.h"
#include "sim/scenario/pcapng.h"
#include "sim/scenario/world.h"
#include "sim/scenario/peers.h"
#include "sim/scenario/systems.h"
#include "sim/scenario/watch.h"

enum { COMMENT_MAX = 1000, TAP_KINDS = TAP_DROPPED + 1 };
/* A packet's line without its head and reason: at most this, endpoints, numbers and keys. */
enum { LINE_MAX = 512 };

/* One end of a link: where a frame is seen. */
struct tap_port {
    const char *name; /* "cms:a" */
    const char *node, *port;
    const char *head[TAP_KINDS]; /* ,"event":"sent","node":"cms","port":"a","link":"cms-lan","len": */
    size_t head_len[TAP_KINDS];
    bool captured;
    unsigned interface; /* of the capture, if so */
};

struct tap_node {
    const struct topo_node *node;
    struct tap_port *port;
    size_t port_count;
};

/* The addresses of a packet as text, kept for the next one of the same flow. */
struct flow_text {
    struct endpoint src, dst;
    uint8_t proto;
    uint8_t len; /* 0: free */
    char text[2 * ENDPOINT_TEXT + 48];
};

struct trace {
    const struct topology *topology;
    struct record *record;
    struct sink events, capture;
    const char *events_path, *capture_path; /* NULL: no files */
    struct tap_node *node;
    size_t *index; /* of a net_node in node */
    size_t index_cap;
    struct peers peers;
    struct run_watch *watch; /* NULL: no relay, or no memory */
    const struct world_watch *arrivals; /* NULL: nobody looks at packets */
    struct flow_text flow[64];
    struct arena arena;
};

/* ---- opening and closing ---- */

static void add_heads(struct trace *tr, struct tap_port *port, const char *link)
{
    static const struct {
        const char *name;
        bool link; /* where a packet arrives, the port says as much */
    } events[TAP_KINDS] = {
        [TAP_SENT] = {"sent", true}, [TAP_DELIVERED] = {"delivered", false}, [TAP_DROPPED] = {"lost", true}};
    for (size_t kind = 0; kind < TAP_KINDS; kind++) {
        port->head[kind] = arena_format(
            &tr->arena, ",\"event\":\"%s\",\"node\":\"%s\",\"port\":\"%s\"%s,\"len\":", events[kind].name, port->node,
            port->port, events[kind].link ? arena_format(&tr->arena, ",\"link\":\"%s\"", link) : "");
        port->head_len[kind] = strlen(port->head[kind]);
    }
}

static void add_ports(struct trace *tr)
{
    const struct topology *t = tr->topology;
    tr->node = arena_alloc(&tr->arena, t->nodes.count * sizeof *tr->node);
    for (size_t i = 0; i < t->nodes.count; i++)
        tr->node[i].node = &t->nodes.items[i];
    for (size_t i = 0; i < 2 * t->links.count; i++)
        tr->node[t->links.items[i / 2].node[i % 2]].port_count++;
    for (size_t i = 0; i < t->nodes.count; i++)
        tr->node[i].port = arena_alloc(&tr->arena, tr->node[i].port_count * sizeof *tr->node[i].port);
    for (size_t i = 0; i < 2 * t->links.count; i++) {
        const struct topo_link *l = &t->links.items[i / 2];
        struct tap_node *n = &tr->node[l->node[i % 2]];
        unsigned number = l->port[i % 2];
        const char *port = n->node->kind == TOPO_SWITCH ? arena_format(&tr->arena, "p%u", number)
                                                        : n->node->interfaces.items[number].name;
        n->port[number] = (struct tap_port){
            .name = arena_format(&tr->arena, "%s:%s", n->node->name, port),
            .node = n->node->name,
            .port = port,
        };
        add_heads(tr, &n->port[number], l->name);
    }
}

static struct tap_port *find_port(struct trace *tr, const char *name)
{
    for (size_t i = 0; i < tr->topology->nodes.count; i++)
        for (size_t k = 0; k < tr->node[i].port_count; k++)
            if (strcmp(tr->node[i].port[k].name, name) == 0)
                return &tr->node[i].port[k];
    return NULL;
}

/* Which link ends the capture is of: those asked for, or all, in the order of the links. */
static int choose_ports(struct trace *tr, const struct world_options *options, struct diag *d)
{
    for (size_t i = 0; i < options->end_count; i++) {
        struct tap_port *port = find_port(tr, options->ends[i]);
        if (!port) {
            snprintf(d->text, sizeof d->text, "--capture: expected a link end of the topology, as cms:a, found \"%s\"",
                     options->ends[i]);
            return E_NOT_FOUND;
        }
        port->captured = true;
    }
    unsigned interfaces = 0;
    for (size_t i = 0; i < 2 * tr->topology->links.count; i++) {
        const struct topo_link *l = &tr->topology->links.items[i / 2];
        struct tap_port *port = &tr->node[l->node[i % 2]].port[l->port[i % 2]];
        port->captured = tr->capture_path && (port->captured || !options->end_count);
        if (!port->captured)
            continue;
        port->interface = interfaces++;
        pcapng_interface(&tr->capture, port->name);
    }
    return 0;
}

static void trace_free(struct trace *tr)
{
    peers_free(&tr->peers);
    free(tr->index);
    arena_free(&tr->arena);
    free(tr);
}

int trace_open(const struct topology *t, const struct world_options *options, struct record *record,
               struct trace **out, struct diag *d)
{
    const char *directory = options->directory;
    struct trace *tr = calloc(1, sizeof *tr);
    assert(tr);
    tr->topology = t;
    tr->record = record;
    tr->arrivals = options->watch && options->watch->arrived ? options->watch : NULL;
    if (directory) {
        tr->events_path = arena_format(&tr->arena, "%s/events.ndjson", directory);
        tr->capture_path = arena_format(&tr->arena, "%s/capture.pcapng", directory);
    }
    const char *failed = NULL;
    if (!sink_open(&tr->events, tr->events_path, true))
        failed = tr->events_path;
    else if (directory && !sink_open(&tr->capture, tr->capture_path, false))
        failed = tr->capture_path;
    if (failed) {
        snprintf(d->text, sizeof d->text, "%s: %s", failed, strerror(errno));
        free(tr->events.buf);
        trace_free(tr);
        return E_IO;
    }
    if (directory)
        pcapng_start(&tr->capture);
    add_ports(tr);
    tr->watch = run_watch_new(0);
    int err = choose_ports(tr, options, d);
    if (err) {
        run_watch_end(tr->watch, 0, record);
        sink_close(&tr->events, NULL);
        if (directory)
            sink_close(&tr->capture, NULL);
        trace_free(tr);
        return err;
    }
    *out = tr;
    return 0;
}

void trace_node(void *trace, net_node id, size_t index)
{
    struct trace *tr = trace;
    if (id >= tr->index_cap) {
        tr->index_cap = 2 * (size_t)id + 16;
        tr->index = realloc(tr->index, tr->index_cap * sizeof *tr->index);
        assert(tr->index);
    }
    tr->index[id] = index;
}

static size_t node_index(const struct topology *t, const char *name)
{
    size_t i = 0;
    while (i < t->nodes.count && strcmp(t->nodes.items[i].name, name) != 0)
        i++;
    assert(i < t->nodes.count);
    return i;
}

/* The node that got each message; its address where no node can be told. Known only now: a message may have waited for
 * its connection. */
static void name_receivers(struct trace *tr)
{
    const struct topology *t = tr->topology;
    for (size_t i = 0; i < tr->record->messages.count; i++) {
        struct run_message *m = &tr->record->messages.items[i];
        const struct peer_end end = {(unsigned)node_index(t, m->from), m->local, m->remote};
        const struct peer_end *other = peers_find(&tr->peers, &end);
        const struct topo_node *owner = topology_owner(t, &m->remote.ip);
        char text[ENDPOINT_TEXT];
        if (other || owner)
            m->to = other ? t->nodes.items[other->node].name : owner->name;
        else
            m->to = arena_format(&tr->record->arena, "%s", endpoint_text(&m->remote, text));
    }
}

int trace_close(struct trace *tr, struct diag *d)
{
    name_receivers(tr);
    run_watch_end(tr->watch, tr->record->end_ns, tr->record);
    int err = sink_close(&tr->events, tr->record->trace_sha256);
    const char *failed = err ? tr->events_path : NULL;
    int capture_err = tr->capture_path ? sink_close(&tr->capture, NULL) : 0;
    if (!failed && capture_err) {
        failed = tr->capture_path;
        err = capture_err;
    }
    if (failed)
        snprintf(d->text, sizeof d->text, "%s: %s", failed, strerror(err));
    trace_free(tr);
    return failed ? E_IO : 0;
}

/* ---- lines ---- */

static void line_begin(struct sink *s, uint64_t now_ns, const char *event)
{
    sink_text(s, "{\"t_ns\":");
    sink_u64(s, now_ns);
    sink_text(s, ",\"event\":\"");
    sink_text(s, event);
    sink_text(s, "\"");
}

static void line_end(struct sink *s)
{
    sink_text(s, "}\n");
}

static void put_string(struct sink *s, const char *key, const char *value)
{
    sink_text(s, key);
    sink_string(s, value);
}

static void put_number(struct sink *s, const char *key, uint64_t value)
{
    sink_text(s, key);
    sink_u64(s, value);
}

static void put_endpoint(struct sink *s, const char *key, const struct endpoint *e)
{
    sink_text(s, key);
    sink_endpoint(s, e);
    sink_text(s, "\"");
}

static const char *proto_key(unsigned proto)
{
    switch (proto) {
    case PROTO_TCP: return ",\"proto\":\"tcp\"";
    case PROTO_UDP: return ",\"proto\":\"udp\"";
    case PROTO_ICMP: return ",\"proto\":\"icmp\"";
    case PROTO_ICMP6: return ",\"proto\":\"icmp6\"";
    default: return ",\"proto\":\"ip\"";
    }
}

static void put_flow(struct sink *s, unsigned proto, const struct endpoint *src, const struct endpoint *dst)
{
    sink_text(s, proto_key(proto));
    put_endpoint(s, ",\"src\":\"", src);
    put_endpoint(s, ",\"dst\":\"", dst);
}

/* ---- packets ---- */

static char *fmt_flow(char *p, struct trace *tr, const struct wire_packet *packet)
{
    const struct endpoint src = {packet->src, packet->sport}, dst = {packet->dst, packet->dport};
    const size_t slots = sizeof tr->flow / sizeof *tr->flow;
    struct flow_text *f = &tr->flow[(src.port + 31u * dst.port) % slots];
    if (f->len == 0 || f->proto != packet->proto || !endpoint_equal(&f->src, &src) || !endpoint_equal(&f->dst, &dst)) {
        char *end = fmt_text(f->text, proto_key(packet->proto));
        end = fmt_endpoint(fmt_text(end, ",\"src\":\""), &src);
        end = fmt_endpoint(fmt_text(end, "\",\"dst\":\""), &dst);
        *end++ = '"';
        f->src = src;
        f->dst = dst;
        f->proto = packet->proto;
        f->len = (uint8_t)(end - f->text);
    }
    return fmt_bytes(p, f->text, f->len);
}

/* RFC 9293 3.1. */
static char *fmt_tcp(char *p, const struct wire_packet *packet)
{
    static const char letters[] = "FSRPAU";
    const uint8_t *tcp = packet->frame + packet->l4;
    p = fmt_text(p, ",\"flags\":\"");
    for (unsigned bit = 0; letters[bit]; bit++)
        if (packet->tcp_flags & 1u << bit)
            *p++ = letters[bit];
    p = fmt_u64(fmt_text(p, "\",\"seq\":"), load32(tcp + 4));
    p = fmt_u64(fmt_text(p, ",\"ack\":"), load32(tcp + 8));
    return fmt_u64(fmt_text(p, ",\"window\":"), load16(tcp + 14));
}

/* The transport's checksum; NULL: there is none, or not in this fragment. */
static const uint8_t *checksum_of(const struct wire_packet *packet)
{
    static const uint8_t at[256] = {[PROTO_TCP] = 16, [PROTO_UDP] = 6, [PROTO_ICMP] = 2, [PROTO_ICMP6] = 2};
    return packet->l4 && at[packet->proto] ? packet->frame + packet->l4 + at[packet->proto] : NULL;
}

/* What is in a packet is said when it is sent; of the rest of its way over that link, only which one it is, by its
 * checksum, which covers addresses, ports and all that it carries: so does the hash of the trace. */
static char *fmt_packet(char *p, struct trace *tr, const struct wire_packet *packet, bool whole)
{
    const uint8_t *sum = checksum_of(packet);
    if (whole || !sum)
        p = fmt_flow(p, tr, packet);
    if (whole && packet->proto == PROTO_TCP && packet->l4)
        p = fmt_tcp(p, packet);
    if (sum) {
        p = fmt_hex16(fmt_text(p, ",\"sum\":\""), load16(sum));
        *p++ = '"';
    }
    return whole ? fmt_u64(fmt_text(p, ",\"payload\":"), packet->payload_len) : p;
}

/* The STUN messages in RFC 4571 frames of a TCP segment, which Wireshark does not look for; NULL: none. */
static const char *framed_stun(const struct wire_packet *p, char out[COMMENT_MAX])
{
    struct text t = text_of(out, COMMENT_MAX);
    const uint8_t *at = p->frame + p->payload;
    size_t left = p->proto == PROTO_TCP && p->l4 ? p->payload_len : 0;
    while (left > 2) {
        size_t len = load16(at);
        struct stun_msg m;
        if (len > left - 2 || !stun_looks_like(at + 2, len) || stun_parse(&stun_ms_ice2, at + 2, len, &m) != 0)
            break;
        text_add(&t, t.len ? "; " : "RFC 4571 frame: ");
        stun_describe(&m, &t);
        at += 2 + len;
        left -= 2 + len;
    }
    return t.len ? out : NULL;
}

static void capture_packet(struct trace *tr, uint64_t now_ns, const struct tap_port *port, bool inbound,
                           const struct net_tap *tap, const struct wire_packet *p)
{
    char comment[COMMENT_MAX];
    pcapng_packet(&tr->capture, port->interface, now_ns, inbound, tap->frame, tap->len,
                  p ? framed_stun(p, comment) : NULL);
}

/* A link lost it: the report says so too. */
static void record_loss(struct trace *tr, uint64_t now_ns, const struct tap_port *port, const char *reason,
                        const struct wire_packet *p)
{
    struct run_drop drop = {.t_ns = now_ns, .node = port->node, .port = port->port, .reason = reason, .link = true};
    if (p)
        drop.flow = (struct fw_flow){p->proto, p->src, p->dst, p->sport, p->dport};
    drop.translated = drop.flow;
    record_drop(tr->record, &drop);
}

static void follow_syn(struct trace *tr, size_t node, enum net_tap_kind kind, const struct wire_packet *p)
{
    if (p->proto != PROTO_TCP || !p->l4 || (p->tcp_flags & (2 | 16)) != 2 ||
        tr->topology->nodes.items[node].kind != TOPO_HOST)
        return;
    const struct endpoint src = {p->src, p->sport}, dst = {p->dst, p->dport};
    uint32_t seq = load32(p->frame + p->l4 + 4);
    if (kind == TAP_SENT)
        peers_syn_sent(&tr->peers, &(struct peer_end){(unsigned)node, src, dst}, seq);
    else if (kind == TAP_DELIVERED)
        peers_syn_arrived(&tr->peers, &(struct peer_end){(unsigned)node, dst, src}, seq);
}

/* Formatted in place: a short run has tens of thousands of these. */
static void tap_line(struct trace *tr, uint64_t now_ns, const struct tap_port *port, const struct net_tap *tap,
                     const struct wire_packet *packet)
{
    size_t head = port->head_len[tap->kind];
    char *p = sink_room(&tr->events, LINE_MAX + head);
    p = fmt_u64(fmt_text(p, "{\"t_ns\":"), now_ns);
    p = fmt_bytes(p, port->head[tap->kind], head);
    p = fmt_u64(p, tap->len);
    if (packet)
        p = fmt_packet(p, tr, packet, tap->kind != TAP_DELIVERED);
    sink_used(&tr->events, p);
    if (tap->kind == TAP_DROPPED)
        put_string(&tr->events, ",\"reason\":", tap->reason);
    line_end(&tr->events);
}

void trace_tap(void *trace, uint64_t now_ns, const struct net_tap *tap)
{
    struct trace *tr = trace;
    size_t node = tr->index[tap->end.node];
    const struct tap_port *port = &tr->node[node].port[tap->end.port];
    struct wire_packet packet; /* a view, through which nothing is written here */
    const struct wire_packet *p = wire_parse((uint8_t *)tap->frame, tap->len, &packet) == 0 ? &packet : NULL;
    tap_line(tr, now_ns, port, tap, p);
    if (p)
        follow_syn(tr, node, tap->kind, p);
    if (p && tr->arrivals && tap->kind == TAP_DELIVERED && tr->node[node].node->kind == TOPO_HOST)
        tr->arrivals->arrived(tr->arrivals->ctx, now_ns, node, p);
    if (tap->kind == TAP_DROPPED)
        record_loss(tr, now_ns, port, tap->reason, p);
    else if (tr->watch && tr->node[node].node->system && tr->node[node].node->system->relay)
        run_watch_frame(tr->watch, now_ns, tap->frame, tap->len);
    if (tap->kind != TAP_DROPPED && port->captured)
        capture_packet(tr, now_ns, port, tap->kind == TAP_DELIVERED, tap, p);
}

/* ---- what hosts and boxes tell ---- */

void trace_message(void *trace, uint64_t now_ns, const struct host_message *m)
{
    struct trace *tr = trace;
    if (!m->label)
        return;
    size_t headers = m->local.ip.family == IP_V6 ? WIRE_ETH + WIRE_IP6 : WIRE_ETH + WIRE_IP4;
    headers += m->proto == PROTO_UDP ? WIRE_UDP : WIRE_TCP;
    const struct run_message out = {.t_ns = now_ns, .from = m->host, .name = m->label,
                                    .local = m->local, .remote = m->remote, .bytes = m->len,
                                    .frame_len = m->len + headers};
    record_message(tr->record, &out);

    struct sink *s = &tr->events;
    line_begin(s, now_ns, "message");
    put_string(s, ",\"node\":", m->host);
    put_string(s, ",\"name\":", m->label);
    put_number(s, ",\"bytes\":", m->len);
    put_flow(s, m->proto, &m->local, &m->remote);
    line_end(s);
}

void trace_note(void *trace, uint64_t now_ns, const struct host_note *n)
{
    static const char *const events[] = {
        [NOTE_STATE] = "state", [NOTE_PHASE] = "phase", [NOTE_FAIL] = "failed", [NOTE_HINT] = "hint",
        [NOTE_RESULT] = "result", [NOTE_SERVICE] = "service"};
    struct trace *tr = trace;
    record_note(tr->record, now_ns, n->host, n->note, &n->remote, n->text);

    struct sink *s = &tr->events;
    line_begin(s, now_ns, events[n->note]);
    put_string(s, ",\"node\":", n->host);
    put_string(s, ",\"text\":", n->text);
    if (n->remote.ip.family != IP_NONE)
        put_endpoint(s, ",\"remote\":\"", &n->remote);
    line_end(s);
}

void trace_drop(void *trace, uint64_t now_ns, const struct box_drop *d)
{
    struct trace *tr = trace;
    size_t node = node_index(tr->topology, d->node);
    const char *port = tr->node[node].port[d->port].port;
    record_drop(tr->record, &(struct run_drop){.t_ns = now_ns, .node = d->node, .port = port, .reason = d->reason,
                                               .advice = d->advice, .rule = d->rule, .flow = d->flow,
                                               .translated = d->translated});
    const struct endpoint src = {d->flow.src, d->flow.sport}, dst = {d->flow.dst, d->flow.dport};
    struct sink *s = &tr->events;
    line_begin(s, now_ns, "dropped");
    put_string(s, ",\"node\":", d->node);
    put_string(s, ",\"port\":", port);
    put_flow(s, d->flow.proto, &src, &dst);
    put_string(s, ",\"reason\":", d->reason);
    if (d->rule && d->rule->line) {
        put_number(s, ",\"line\":", d->rule->line);
        put_string(s, ",\"rule\":", d->rule->text ? d->rule->text : "");
    }
    line_end(s);
}
