/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/netns/oracle_kit.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "models/base/time.h"
#include "models/firewall/exact.h"
#include "sim/netns/packet_kit.h"

enum { PRINTED = 12, IPV4_UNREACHABLE = 3, IPV6_UNREACHABLE = 1, ROUTER = 77, ECHO4 = 8, ECHO6 = 128 };

/* ---- conversations ---- */

/* Packets in order. First who sends it (> the one who began, < the other), then TCP flags as letters, 0 for none, P
 * with data; a dot for what is not TCP; ! for an ICMP error from the other end about the last packet, ? the same from
 * a router on the way. */
static const char *const tcp_scripts[] = {
    ">S <SA >A >PA <PA <A >FA <A <FA >A", ">S <SA >A >PA", ">S", ">S <SA >A", ">S >S <SA", ">A <A >A", ">PA >PA <A",
    ">SA", ">F", ">FA", ">R", ">RA", ">0", ">FPU", ">SF", ">SR", ">SFAPU", ">SAU", ">SU <SA", "<SA", "<A", "<S >SA",
    ">S <RA >S", ">S <RA >A", ">S <! >S", ">S <?", "<!", "<?", ">S <SA >A <?", ">S <SA >A >R", ">A >FA <FA >A"};
static const char *const udp_scripts[] = {">. <. >. <.", ">.", ">. >. <.", "<. >.", "<.", ">. <!", ">. <?", "<!",
                                          ">. <. <? >."};
static const char *const other_scripts[] = {">. <. >.", ">.", "<. >."};
static const char *const echo_scripts[] = {">. <. >. <.", ">.", "<.", ">. <!", ">. <?", "<. >."};
static const char *const icmp_scripts[] = {">."};

/* How one end sends, as it sees the other. */
struct view {
    int iface;
    struct endpoint src, dst; /* ports; of an echo the identifier for both */
};

/* Each of the two firewalls has ends of its own: they see what it made of the addresses. */
struct side {
    struct view end[2];
};

struct talk {
    const struct oracle *o;
    struct oracle_tally *t;
    struct fw_box *box;
    const struct fw_routes *routes;
    struct regions *regions;
    const char *script;
    uint8_t proto, icmp_type, icmp_code; /* the type when it is not an echo */
    bool echo;
    struct side kernel, ours;
    uint32_t seq[2];
    uint64_t now_ns;
    unsigned sent; /* packets of this conversation before this one */
    struct wire_packet sent_as[16]; /* what the kernel has to forget */
    uint16_t sent_id[16];
    uint8_t frame[PACKET_MAX];
};

struct step {
    unsigned dir;
    bool error, router;
    uint8_t flags;
};

static bool next_step(const char **s, struct step *out)
{
    static const char letter[] = "FSRPAU";
    while (**s == ' ')
        ++*s;
    if (!**s)
        return false;
    *out = (struct step){.dir = *(*s)++ == '<'};
    for (; **s && **s != ' '; ++*s) {
        const char *at = strchr(letter, **s);
        out->error = out->error || **s == '!' || **s == '?';
        out->router = **s == '?';
        if (at)
            out->flags |= (uint8_t)(1U << (at - letter));
    }
    return true;
}

/* ---- one packet, as an end sends it ---- */

static uint8_t icmp_of(uint8_t family)
{
    return family == IP_V4 ? PROTO_ICMP : PROTO_ICMP6;
}

static struct packet_spec plain_packet(const struct talk *k, const struct view *v, unsigned dir, uint8_t flags)
{
    struct packet_spec s = {.flow = {k->proto, v->src.ip, v->dst.ip, v->src.port, v->dst.port}, .tcp_flags = flags};
    if (k->echo) {
        uint8_t ask = v->src.ip.family == IP_V4 ? ECHO4 : ECHO6;
        s.flow.sport = dir == 0 ? ask : ask == ECHO4 ? 0 : 129;
        s.flow.dport = 0;
        s.echo_id = v->src.port;
    } else if (k->proto == icmp_of(v->src.ip.family)) {
        s.flow.sport = k->icmp_type;
        s.flow.dport = k->icmp_code;
    } else if (k->proto != PROTO_TCP && k->proto != PROTO_UDP) {
        s.flow.sport = s.flow.dport = 0;
    }
    return s;
}

/* An error about the packet that the other end sent last: it is quoted as it arrived here. */
static struct packet_spec error_packet(const struct talk *k, const struct view *v, const struct step *step,
                                       struct packet_spec *quoted, uint8_t *quote)
{
    const struct view back = {v->iface, v->dst, v->src};
    uint8_t frame[PACKET_MAX], family = v->src.ip.family;
    *quoted = plain_packet(k, &back, 1 - step->dir, FW_SYN);
    size_t len = packet_build(quoted, frame) - WIRE_ETH;
    memcpy(quote, frame + WIRE_ETH, len);
    struct packet_spec s = {.flow = {icmp_of(family), v->src.ip, v->dst.ip, 0, 0}, .quoted = quote, .quoted_len = len};
    s.flow.sport = family == IP_V4 ? IPV4_UNREACHABLE : IPV6_UNREACHABLE;
    s.flow.dport = family == IP_V4 ? 1 : 3;
    if (step->router) {
        const struct netns_iface *f = &k->o->world->iface[v->iface];
        s.flow.src = family == IP_V4 ? f->v4.ip : f->v6.ip;
        s.flow.src.b[family == IP_V4 ? 3 : 15] = ROUTER;
    }
    return s;
}

/* The same step from this side's view. */
struct sending {
    int iface;
    struct packet_spec spec, quoted;
    uint8_t quote[PACKET_MAX];
    bool quotes;
};

static void prepare(const struct talk *k, const struct side *side, const struct step *step, struct sending *out)
{
    const struct view *v = &side->end[step->dir];
    out->iface = v->iface;
    out->quotes = step->error;
    if (step->error) {
        out->spec = error_packet(k, v, step, &out->quoted, out->quote);
        return;
    }
    out->spec = plain_packet(k, v, step->dir, step->flags);
    out->spec.seq = k->seq[step->dir];
    out->spec.ack = step->flags & FW_ACK ? k->seq[1 - step->dir] : 0;
    out->spec.data_len = k->proto == PROTO_TCP ? (step->flags & 8 ? 10 : 0) : 12;
}

static void advance(struct talk *k, const struct step *step, const struct sending *s)
{
    unsigned marks = (step->flags & FW_SYN ? 1 : 0) + (step->flags & FW_FIN ? 1 : 0);
    if (!step->error)
        k->seq[step->dir] += s->spec.data_len + marks;
}

/* ---- through both ---- */

static void through_kernel(struct talk *k, const struct sending *s, struct netns_seen *seen)
{
    size_t len = packet_build(&s->spec, k->frame);
    netns_send(k->o->kernel, s->iface, k->frame, len, seen);
    if (s->quotes || k->sent >= sizeof k->sent_as / sizeof *k->sent_as)
        return;
    int rc = wire_parse(k->frame, len, &k->sent_as[k->sent]);
    assert(rc == 0);
    k->sent_id[k->sent] = s->spec.echo_id;
}

static struct fw_result through_ours(struct talk *k, const struct sending *s)
{
    struct fw_packet p = {.flow = s->spec.flow, .tcp_flags = s->spec.tcp_flags, .echo_id = s->spec.echo_id};
    p.iface = fw_rules_find_interface(k->o->rules, k->o->world->iface[s->iface].name);
    if (s->quotes) {
        p.quotes = true;
        p.quoted = s->quoted.flow;
        p.quoted_id = s->quoted.echo_id;
    }
    k->now_ns += NS_MS;
    return fw_pass(k->box, k->now_ns, &p);
}

/* What came out, seen from the end that it reaches. */
static struct view answer_to(const struct netns_seen *seen, bool echo)
{
    const struct wire_packet *p = &seen->packet;
    struct view v = {seen->iface, {p->dst, p->dport}, {p->src, p->sport}};
    if (echo) {
        uint16_t id = 0;
        wire_echo_id(p, &id);
        v.src.port = v.dst.port = id;
    }
    return v;
}

static struct view answer_of(const struct talk *k, const struct fw_result *r)
{
    int iface = -1;
    for (size_t i = 0; i < k->o->world->iface_count; i++)
        if (fw_rules_find_interface(k->o->rules, k->o->world->iface[i].name) == r->iface)
            iface = (int)i;
    struct view v = {iface, r->dst, r->src};
    if (k->echo)
        v.src.port = v.dst.port;
    return v;
}

/* ---- the judgement ---- */

enum judgement { AGREE, UNKNOWN, DISAGREE };

static enum netns_fate fate_of(const struct fw_result *r)
{
    if (r->fate == FW_PASS)
        return NETNS_FORWARDED;
    if (r->fate == FW_ANSWER)
        return NETNS_ANSWERED;
    return r->reason && strcmp(r->reason, "to-the-box") == 0 ? NETNS_DELIVERED : NETNS_DROPPED;
}

/* A reset is not answered with a reset, an error not with an error (RFC 1122 3.2.2): there a reject is silent. */
static bool answerable(const struct packet_spec *s)
{
    const struct fw_flow *f = &s->flow;
    if (f->proto == PROTO_TCP)
        return !(s->tcp_flags & FW_RST);
    if (f->proto == PROTO_ICMP)
        return f->sport == 0 || f->sport == 8 || (f->sport >= 13 && f->sport <= 18);
    return f->proto != PROTO_ICMP6 || (f->sport >= 128 && f->sport != 137);
}

/* A port that is taken, or outside of a rule's range: the kernel takes a free one of the range (without one: of those
 * below 512, below 1024, or above) at random, we the first. */
static bool chosen(const struct oracle *o, uint16_t sent, uint16_t theirs, uint16_t ours)
{
    bool below = (sent < 512) == (theirs < 512) && (sent < 1024) == (theirs < 1024);
    for (size_t i = 0; i < o->words->port_count; i++)
        below = below || o->words->port[i] >= theirs;
    return sent != ours && sent != theirs && ours < theirs && below;
}

/* It has chosen another port than we: the ends are answered by different ones from here on. */
static bool drifted(const struct talk *k)
{
    const struct view *a = k->kernel.end, *b = k->ours.end;
    return a[0].src.port != b[0].src.port || a[0].dst.port != b[0].dst.port || a[1].src.port != b[1].src.port ||
           a[1].dst.port != b[1].dst.port;
}

static bool same_ports(struct talk *k, const struct sending *s, const struct netns_seen *seen,
                       const struct fw_result *r)
{
    const struct wire_packet *p = &seen->packet;
    uint16_t id;
    if (p->proto == PROTO_TCP || p->proto == PROTO_UDP) {
        if (p->dport != r->dst.port && !drifted(k))
            return false;
        bool free_choice = chosen(k->o, s->spec.flow.sport, p->sport, r->src.port);
        k->t->chosen_ports += free_choice;
        return p->sport == r->src.port || free_choice || drifted(k);
    }
    if (!k->echo || s->quotes || !wire_echo_id(p, &id))
        return true;
    bool question = p->sport == ECHO4 || p->sport == ECHO6;
    uint16_t ours = question ? r->src.port : r->dst.port;
    return id == ours || drifted(k) || (question && id != s->spec.echo_id && ours != s->spec.echo_id);
}

static bool same_quote(const struct talk *k, const struct sending *s, struct netns_seen *seen,
                       const struct fw_result *r)
{
    struct wire_packet q;
    if (!s->quotes || !r->quoted_src.ip.family)
        return true;
    if (wire_parse_quoted(&seen->packet, &q))
        return false;
    bool portless = (q.proto != PROTO_TCP && q.proto != PROTO_UDP) || drifted(k);
    return ip_equal(&q.src, &r->quoted_src.ip) && ip_equal(&q.dst, &r->quoted_dst.ip) &&
           (portless || (q.sport == r->quoted_src.port && q.dport == r->quoted_dst.port));
}

static enum judgement judge(struct talk *k, const struct sending *s, struct netns_seen *seen, const struct fw_result *r)
{
    if (r->verdict.decision == FW_UNKNOWN) {
        bool named = r->verdict.doubt_count && r->verdict.doubt[0].ref && r->verdict.doubt[0].ref->line;
        k->t->unnamed += !named;
        return UNKNOWN;
    }
    enum netns_fate ours = fate_of(r);
    if (ours == NETNS_ANSWERED && seen->fate == NETNS_DROPPED && !answerable(&s->spec))
        return AGREE;
    if (k->o->in_doubt && ours != seen->fate && (ours == NETNS_ANSWERED || ours == NETNS_DROPPED) &&
        (seen->fate == NETNS_ANSWERED || seen->fate == NETNS_DROPPED))
        return AGREE; /* denied, by one rule or another */
    if (ours != seen->fate || seen->strays)
        return DISAGREE;
    if (ours != NETNS_FORWARDED)
        return AGREE;
    bool same = ip_equal(&seen->packet.src, &r->src.ip) && ip_equal(&seen->packet.dst, &r->dst.ip) &&
                answer_of(k, r).iface == seen->iface && same_ports(k, s, seen, r) && same_quote(k, s, seen, r);
    return same ? AGREE : DISAGREE;
}

/* ---- the region reader ---- */

/* Of all packets that come in by an interface and begin something: how they fare, in parts. */
struct regions {
    struct fw_prepared *prepared;
    struct fw_space *space;
    struct fw_part *part[NETNS_IFACES];
    size_t count[NETNS_IFACES];
    bool asked[NETNS_IFACES];
};

static const struct fw_part *part_of(struct talk *k, int in, const struct fw_flow *f)
{
    struct regions *g = k->regions;
    if (!g->asked[in]) {
        struct fw_region all = fw_region_any(g->space);
        const struct fw_machine m = {.prepared = g->prepared, .routes = k->routes};
        const struct fw_question q = {.in = fw_rules_find_interface(k->o->rules, k->o->world->iface[in].name),
                                      .packets = &all};
        int rc = fw_exact(&m, &q, g->space, &g->part[in], &g->count[in]);
        assert(rc == 0);
        g->asked[in] = true;
    }
    for (size_t i = 0; i < g->count[in]; i++)
        if (fw_region_has(&g->part[in][i].arrived, f))
            return &g->part[in][i];
    return NULL;
}

/* What the part says is what the kernel did; its translation is one of those that the part has. */
static bool part_agrees(const struct talk *k, const struct fw_part *part, const struct netns_seen *seen)
{
    const struct wire_packet *p = &seen->packet;
    const struct fw_flow leaving = {p->proto, p->src, p->dst, p->sport, p->dport};
    if (part->verdict.decision == FW_UNKNOWN)
        return true;
    if (seen->fate == NETNS_DELIVERED)
        return part->out == FW_SELF && part->verdict.decision == FW_PERMITTED;
    if (seen->fate != NETNS_FORWARDED)
        return part->verdict.decision != FW_PERMITTED;
    int out = fw_rules_find_interface(k->o->rules, k->o->world->iface[seen->iface].name);
    return part->verdict.decision == FW_PERMITTED && part->out == out && fw_region_has(&part->leaving, &leaving);
}

static bool is_first(const struct talk *k, const struct sending *s)
{
    return k->sent == 0 && !s->quotes && (k->proto != PROTO_TCP || s->spec.tcp_flags == FW_SYN);
}

/* ---- saying it ---- */

static const char *flow_text(const struct fw_flow *f, char out[128])
{
    char a[ADDR_TEXT], b[ADDR_TEXT];
    snprintf(out, 128, "%u %s %u > %s %u", f->proto, ip_text(&f->src, a), f->sport, ip_text(&f->dst, b), f->dport);
    return out;
}

static void complain(const struct talk *k, const struct step *step, const struct sending *s,
                     const struct netns_seen *seen, const struct fw_result *r)
{
    static const char *const fate[] = {"dropped", "forwarded", "delivered", "answered"};
    const struct wire_packet *p = &seen->packet;
    const struct fw_flow theirs = {p->proto, p->src, p->dst, p->sport, p->dport};
    const struct fw_flow ours = {s->spec.flow.proto, r->src.ip, r->dst.ip, r->src.port, r->dst.port};
    char a[128], b[128], c[128];
    printf("# %s: \"%s\" packet %u (%c%s flags %x) in by %s: %s\n", k->o->name, k->script, k->sent + 1,
           step->dir ? '<' : '>', step->error ? "error" : "", step->flags, k->o->world->iface[s->iface].name,
           flow_text(&s->spec.flow, a));
    printf("#   kernel %s by %s: %s%s\n", fate[seen->fate],
           seen->iface < 0 ? "-" : k->o->world->iface[seen->iface].name, seen->fate ? flow_text(&theirs, b) : "",
           seen->strays ? " (and more)" : "");
    printf("#   ours %s (%s), out %d: %s; line %u: %s\n", fate[fate_of(r)], r->reason ? r->reason : "-", r->iface,
           flow_text(&ours, c), r->verdict.rule ? r->verdict.rule->line : 0,
           r->verdict.rule && r->verdict.rule->text ? r->verdict.rule->text : "-");
}

/* ---- a conversation ---- */

/* The region reader knows first packets. */
static enum judgement judge_exactly(struct talk *k, const struct sending *s, const struct netns_seen *seen)
{
    const struct fw_part *part = part_of(k, s->iface, &s->spec.flow);
    char text[128];
    k->t->exact++;
    if (part && part_agrees(k, part, seen))
        return AGREE;
    if (k->t->disagree < PRINTED)
        printf("# regions: %s: %s, out %d, %s line %u\n", flow_text(&s->spec.flow, text),
               !part ? "in no part" : part->verdict.decision == FW_PERMITTED ? "permitted" : "denied",
               part ? part->out : -1, part ? part->verdict.reason : "-",
               part && part->verdict.rule ? part->verdict.rule->line : 0);
    return DISAGREE;
}

static bool one_step(struct talk *k, const struct step *step)
{
    static struct netns_seen seen;
    static struct sending to_kernel, to_ours;
    if (k->kernel.end[step->dir].iface < 0 || k->ours.end[step->dir].iface < 0)
        return false; /* the other end is the box */
    prepare(k, &k->kernel, step, &to_kernel);
    prepare(k, &k->ours, step, &to_ours);
    through_kernel(k, &to_kernel, &seen);
    struct fw_result r = through_ours(k, &to_ours);
    enum judgement j = judge(k, &to_kernel, &seen, &r);
    if (j == AGREE && is_first(k, &to_kernel))
        j = judge_exactly(k, &to_kernel, &seen);
    k->t->packets++;
    k->t->fate[seen.fate]++;
    k->t->agree += j == AGREE;
    k->t->unknown += j == UNKNOWN;
    k->t->disagree += j == DISAGREE;
    k->t->established += k->sent > 0;
    if (j == DISAGREE && k->t->disagree <= PRINTED)
        complain(k, step, &to_kernel, &seen, &r);
    if (j != AGREE)
        return false;
    bool forward = seen.fate == NETNS_FORWARDED && r.fate == FW_PASS;
    k->t->translated += forward && !(ip_equal(&seen.packet.src, &to_kernel.spec.flow.src) &&
                                     ip_equal(&seen.packet.dst, &to_kernel.spec.flow.dst));
    if (forward && !step->error) {
        k->kernel.end[1 - step->dir] = answer_to(&seen, k->echo);
        k->ours.end[1 - step->dir] = answer_of(k, &r);
    }
    advance(k, step, &to_kernel);
    k->sent++;
    return seen.fate != NETNS_DELIVERED || step->dir == 0;
}

static const char *one_of(struct rng *rng, const char *const *script, size_t count)
{
    return script[rng_below(rng, count)];
}

#define SCRIPT(rng, table) one_of((rng), (table), sizeof(table) / sizeof *(table))

/* Protocol, script, and the ports that go with them. */
static void choose_kind(struct talk *k, struct rng *rng, uint8_t family)
{
    static const uint8_t types[] = {0, 3, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 30, 128, 129, 1, 2};
    static const uint8_t others[] = {47, 50}; /* of others, rejects check a checksum */
    uint64_t n = rng_below(rng, 20);
    k->echo = n >= 15 && n < 18;
    if (n < 8) {
        k->proto = PROTO_TCP;
        k->script = SCRIPT(rng, tcp_scripts);
    } else if (n < 15) {
        k->proto = PROTO_UDP;
        k->script = SCRIPT(rng, udp_scripts);
    } else if (n < 19) {
        k->proto = icmp_of(family);
        k->script = k->echo ? SCRIPT(rng, echo_scripts) : SCRIPT(rng, icmp_scripts);
        k->icmp_type = types[rng_below(rng, sizeof types)];
        k->icmp_code = (uint8_t)rng_below(rng, 4);
    } else {
        k->proto = others[rng_below(rng, sizeof others)];
        k->script = SCRIPT(rng, other_scripts);
    }
}

static struct side ends_of(const struct oracle *o, const struct talk *k, struct rng *rng, uint8_t family)
{
    struct endpoint a = {words_address(o->words, o->world, rng, family, true), words_port(o->words, rng)};
    struct endpoint b = {words_address(o->words, o->world, rng, family, false), words_port(o->words, rng)};
    int home = world_route(o->world, &a.ip), other = world_route(o->world, &b.ip);
    if (home < 0 || rng_chance(rng, 1, 5))
        home = (int)rng_below(rng, o->world->iface_count);
    if (rng_chance(rng, 1, 2))
        a.port = (uint16_t)(20000 + rng_below(rng, 30000));
    if (k->echo)
        b.port = a.port;
    return (struct side){{{home, a, b}, {other, b, a}}};
}

static void converse(struct talk *k)
{
    struct step step;
    const char *s = k->script;
    while (next_step(&s, &step) && one_step(k, &step))
        ;
    for (size_t i = 0; i < k->sent + 1 && i < sizeof k->sent_as / sizeof *k->sent_as; i++)
        if (k->sent_as[i].family)
            netns_forget(k->o->kernel, &k->sent_as[i], k->sent_id[i]);
}

/* ---- the box in the same world ---- */

static void add_routes(const struct oracle *o, struct fw_routes *routes)
{
    const struct netns_world *w = o->world;
    int rc = 0;
    for (size_t i = 0; i < w->iface_count; i++) {
        int iface = fw_rules_find_interface(o->rules, w->iface[i].name);
        assert(iface >= 0);
        rc |= fw_routes_add(routes, &(struct fw_route){.to = w->iface[i].v4, .iface = iface});
        rc |= fw_routes_add(routes, &(struct fw_route){.to = w->iface[i].v6, .iface = iface});
    }
    for (size_t i = 0; i < w->route_count; i++) {
        int iface = fw_rules_find_interface(o->rules, w->iface[w->route[i].iface].name);
        rc |= fw_routes_add(routes, &(struct fw_route){.to = w->route[i].to, .iface = iface});
    }
    assert(rc == 0);
}

void oracle_run(const struct oracle *o, struct rng *rng, unsigned packets, struct oracle_tally *t)
{
    struct fw_routes routes = {0};
    add_routes(o, &routes);
    const struct fw_box_config cfg = {.rules = o->rules, .routes = &routes, .name = "oracle", .max_connections = 64};
    unsigned until = t->packets + packets;
    struct regions regions = {.prepared = fw_prepare(o->rules), .space = fw_space_new(0)};
    assert(regions.prepared && regions.space);
    t->sets++;
    while (t->packets < until) {
        struct talk k = {.o = o, .t = t, .box = fw_box_new(&cfg), .seq = {1000, 5000}, .now_ns = NS_S,
                         .routes = &routes, .regions = &regions};
        assert(k.box);
        bool six = o->families == 1 << IP_V6 || (o->families != 1 << IP_V4 && rng_chance(rng, 2, 5));
        choose_kind(&k, rng, six ? IP_V6 : IP_V4);
        k.kernel = k.ours = ends_of(o, &k, rng, six ? IP_V6 : IP_V4);
        if (!ip_equal(&k.ours.end[0].src.ip, &k.ours.end[0].dst.ip))
            converse(&k);
        fw_box_free(k.box);
    }
    fw_space_free(regions.space);
    fw_prepared_free(regions.prepared);
    fw_routes_free(&routes);
}

void oracle_print(const char *family, const struct oracle_tally *t)
{
    printf("#: %s: %u rule sets, %u packets, %u agree, %u unknown (lines named), %u disagree; kernel: %u forwarded, "
           "%u translated, %u delivered, %u answered, %u dropped; %u asked as regions\n",
           family, t->sets, t->packets, t->agree, t->unknown, t->disagree, t->fate[NETNS_FORWARDED], t->translated,
           t->fate[NETNS_DELIVERED], t->fate[NETNS_ANSWERED], t->fate[NETNS_DROPPED],
           t->exact);
}
