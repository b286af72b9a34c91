/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/blame.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "models/base/bytes.h"
#include "models/firewall/rules.h"
#include "sim/scenario/systems.h"

const char *verdict_text(enum verdict v)
{
    static const char *const names[] = {
        [VERDICT_OK] = "ok", [VERDICT_FAILED] = "failed", [VERDICT_NONCONFORMANT] = "nonconformant"};
    return names[v];
}

/* ---- did it come up ---- */

/* NULL when both directions arrived as they were sent, else what is wrong. */
static const char *share_fault(const struct record *r)
{
    struct run_share share;
    size_t ends = 0;
    for (; record_share(r, ends, &share); ends++)
        if (!share.complete)
            return "the shared screen did not arrive as it was sent";
    return ends == 2 ? NULL : "no screen was shared both ways";
}

/* ---- which packet is to blame ---- */

/* Failures as systems word them, and what a person does about them; where no packet was dropped. */
static const struct remedy {
    const char *word, *advice;
} remedies[] = {
    {"21002", "make the attendee a presenter: by default not everybody may share in a Skype for Business meeting"},
    {"401", "check user name and password of the TURN user, on the server and on its client"},
    {"441", "check user name and password of the TURN user, on the server and on its client"},
    {"431", "check the credentials of the client for the Edge's relay (MRAS): the message's integrity check failed"},
    {"436", "check the credentials of the client for the Edge's relay (MRAS): the user is not known there"},
    {"no permission",
     "Meeting Server has to ask for it (CreatePermission with the Edge's address): RFC 6062 5.3; or the "
     "relay must not want it, as Expressway X8.9 does not (profile expressway)"},
    {"486", "the TURN user's quota of allocations is used up: raise it, or end old calls"},
    {"508", "Expressway-E has no relay port left: raise the number of relays"},
    {"fault", "the topology says so under \"faults\": the system did not get over it"},
    {"no system makes this call", "give the host that it is from a system that makes planned calls"},
    {"refused", "the port is closed: check that the service runs and listens there"},
    {NULL, "look at the last messages of the ladder: what was sent then was not answered"},
};

static bool is_endpoint(const struct endpoint *e, const struct ip_addr *ip, uint16_t port)
{
    return e->ip.family != IP_NONE && e->port == port && ip_equal(&e->ip, ip);
}

static const struct topo_node *find_node(const struct topology *t, const char *name)
{
    for (size_t i = 0; i < t->nodes.count; i++)
        if (strcmp(t->nodes.items[i].name, name) == 0)
            return &t->nodes.items[i];
    return NULL;
}

/* What is known of something that went wrong, to find the packet by. */
struct trouble {
    uint64_t from_ns, until_ns;
    struct endpoint remote;       /* whom it could not reach; unset: nobody in particular */
    const char *text;
    unsigned phase;               /* of a failure */
    const struct topo_node *host; /* whose service it was; NULL: of a failure */
    bool works;                   /* the service does, but not as it should */
};

static bool has_address(const struct topo_node *n, const struct ip_addr *ip)
{
    for (size_t i = 0; i < n->interfaces.count; i++)
        for (size_t k = 0; k < n->interfaces.items[i].addresses.count; k++)
            if (ip_equal(&n->interfaces.items[i].addresses.items[k].ip, ip))
                return true;
    return false;
}

static bool is_of_host(const struct topo_node *n, const struct fw_flow *f)
{
    return has_address(n, &f->src) || has_address(n, &f->dst);
}

/* "... 10.0.0.1:3478 ...", where the packet was for that. */
static bool is_named(const char *text, const struct fw_flow *f)
{
    char dst[ENDPOINT_TEXT];
    return strstr(text, endpoint_text(&(struct endpoint){f->dst, f->dport}, dst)) != NULL;
}

/* How much speaks for a drop being the reason. Before all, that somebody shut its way on purpose. Then, that it was in
 * the phase that failed, or to or from the host whose service it is, or that the failed system could not reach just
 * what the packet was for, before or after translation. Then who dropped it: a firewall more likely than a router (ICE
 * tries addresses that lead nowhere), and both than a link, which TCP mends. Of a service without any such packet, a
 * firewall's may be of what others do for it; one that works lacks only what it names. */
static unsigned suspicion(const struct topology *t, const struct run_drop *d, const struct trouble *w)
{
    bool wanted = is_endpoint(&w->remote, &d->flow.dst, d->flow.dport) ||
                  is_endpoint(&w->remote, &d->translated.dst, d->translated.dport) ||
                  (w->host && (is_named(w->text, &d->flow) || is_named(w->text, &d->translated)));
    bool answer = is_endpoint(&w->remote, &d->flow.src, d->flow.sport);
    bool near = w->host ? is_of_host(w->host, &d->flow) || is_of_host(w->host, &d->translated) : d->phase == w->phase;
    bool own = w->host && has_address(w->host, &d->flow.src);
    const struct topo_node *n = find_node(t, d->node);
    unsigned who = d->link ? 1 : n && n->kind == TOPO_FIREWALL ? 3 : 2;
    unsigned relevant = wanted || answer || (near && !w->works), shut = strcmp(d->reason, "shut") == 0;
    if (w->host && !relevant && !shut && (who < 3 || w->works))
        return 0;
    return shut * 128 + relevant * 64 + who * 16 + wanted * 8 + answer * 4 + own * 2 + (d->rule != NULL);
}

/* The most suspicious drop of that time, the first of equals: of a flow that never came through, its first packet. Of
 * losses on links the last: that one was not mended. */
static const struct run_drop *find_culprit(const struct topology *t, const struct record *r, const struct trouble *w)
{
    const struct run_drop *best = NULL;
    unsigned most = 0;
    for (size_t i = 0; i < r->drops.count; i++) {
        const struct run_drop *d = &r->drops.items[i];
        bool then = d->t_ns >= w->from_ns && d->t_ns <= w->until_ns;
        unsigned score = then ? suspicion(t, d, w) : 0;
        if (score > most || (score && score == most && d->link)) {
            best = d;
            most = score;
        }
    }
    return best;
}

static struct trouble trouble_of(const struct topology *t, const struct record *r, const struct run_service *s)
{
    return (struct trouble){.from_ns = s->state == SERVICE_LOST ? s->up_ns : s->first_ns,
                            .until_ns = s->state == SERVICE_WANTED ? r->end_ns : s->t_ns,
                            .remote = s->remote,
                            .text = s->text,
                            .host = find_node(t, s->host),
                            .works = s->state == SERVICE_DEGRADED};
}

const struct run_drop *blame_service(const struct topology *t, const struct record *r, const struct run_service *s)
{
    const struct trouble w = trouble_of(t, r, s);
    return find_culprit(t, r, &w);
}

/* ---- words ---- */

static const char *proto_word(uint8_t proto)
{
    return proto == PROTO_TCP ? "TCP" : proto == PROTO_UDP ? "UDP" : proto == PROTO_ICMP ? "ICMP" : "IP";
}

static void flow_text(const struct fw_flow *f, struct text *t)
{
    char src[ENDPOINT_TEXT], dst[ENDPOINT_TEXT];
    text_add(t, "%s -> %s", endpoint_text(&(struct endpoint){f->src, f->sport}, src),
             endpoint_text(&(struct endpoint){f->dst, f->dport}, dst));
}

void blame_packet(const struct run_drop *d, char *out, size_t cap)
{
    struct text t = text_of(out, cap);
    text_add(&t, "%s ", proto_word(d->flow.proto));
    flow_text(&d->flow, &t);
    if (fw_flow_equal(&d->flow, &d->translated))
        return;
    text_add(&t, " (to the rules: ");
    flow_text(&d->translated, &t);
    text_add(&t, ")");
}

void blame_where(const struct topology *t, const struct run_drop *d, char *out, size_t cap)
{
    struct text x = text_of(out, cap);
    const struct topo_node *n = find_node(t, d->node);
    if (d->link)
        text_add(&x, "the link at %s:%s lost it (%s)", d->node, d->port, d->reason);
    else if (d->rule && d->rule->line)
        text_add(&x, "%s: %s:%u: %s", d->node, d->rule->file, d->rule->line, d->rule->text ? d->rule->text : "");
    else if (n && n->kind == TOPO_FIREWALL)
        text_add(&x, "%s: %s: no line permits it on interface %s (%s)", d->node,
                 n->rules_file ? n->rules_file : t->file, d->port, d->reason);
    else
        text_add(&x, "%s: interface %s (%s)", d->node, d->port, d->reason);
}

/* Whether text has the word, not as a part of a longer one: 401, but not port 54015. */
static bool has_word(const char *text, const char *word)
{
    size_t len = strlen(word);
    for (const char *p = strstr(text, word); p; p = strstr(p + 1, word))
        if ((p == text || !isalnum((unsigned char)p[-1])) && !isalnum((unsigned char)p[len]))
            return true;
    return false;
}

static void say_advice(const struct blame *b, const char *why, char *out, size_t cap)
{
    struct text t = text_of(out, cap);
    const struct remedy *m = remedies;
    while (m->word && !has_word(why, m->word))
        m++;
    if (m == remedies || !b->drop)
        text_add(&t, "%s", m->advice);
    else if (b->drop->advice)
        text_add(&t, "%s", b->drop->advice);
    else
        text_add(&t, "the network lost too much: look at the quality of that link");
}

/* What a system was refused last before the failure; NULL: nothing. */
static const struct run_failure *last_hint(const struct record *r, uint64_t until_ns)
{
    const struct run_failure *hint = NULL;
    for (size_t i = 0; i < r->hints.count && r->hints.items[i].t_ns <= until_ns; i++)
        hint = &r->hints.items[i];
    return hint;
}

/* A refusal that a system tells of explains more than a packet that a router could not forward or a link lost. */
static bool explains(const struct topology *t, const struct run_drop *d)
{
    const struct topo_node *n = d ? find_node(t, d->node) : NULL;
    return d && !d->link && ((n && n->kind == TOPO_FIREWALL) || strcmp(d->reason, "no-neighbour") == 0);
}

/* The last message, which nobody answered: for a call that just stops. */
static void say_silence(const struct record *r, struct text *t)
{
    const struct run_message *m = r->messages.count ? &r->messages.items[r->messages.count - 1] : NULL;
    if (m)
        text_add(t, "; the last message was %s from %s to %s", m->name, m->from, m->to);
    else
        text_add(t, "; no message was sent at all");
}

/* The firewall with an interface on a segment; NULL: none. */
static const struct topo_node *firewall_on(const struct topology *t, unsigned segment)
{
    for (size_t i = 0; i < t->nodes.count; i++)
        for (size_t k = 0; t->nodes.items[i].kind == TOPO_FIREWALL && k < t->nodes.items[i].interfaces.count; k++)
            if (t->nodes.items[i].interfaces.items[k].segment == segment)
                return &t->nodes.items[i];
    return NULL;
}

/* A router found nobody who has the address, on a link where a firewall stands: that is who would have to answer for
 * it, and does so for what it translates. */
static void blame_translation(const struct topology *t, struct blame *b)
{
    const struct topo_node *router = find_node(t, b->drop->node), *fw = NULL;
    const struct ip_addr *ip = &b->drop->flow.dst;
    for (size_t i = 0; router && !fw && i < router->interfaces.count; i++)
        if (ip_in_prefix(ip, &router->interfaces.items[i].addresses.items[0]))
            fw = firewall_on(t, router->interfaces.items[i].segment);
    if (!fw)
        return;
    char text[ADDR_TEXT];
    const char *file = fw->rules_file ? fw->rules_file : t->file;
    b->node = fw->name;
    ip_text(ip, text);
    if (fw->rules->base_count) { /* Linux: whatever its chains translate */
        snprintf(b->where, sizeof b->where, "%s: %s: it answers for its own addresses alone, and %s is none of them",
                 fw->name, file, text);
        snprintf(b->advice, sizeof b->advice, "give %s to the outer interface of %s as well (ip address add), with a "
                 "DNAT rule for it", text, fw->name);
        return;
    }
    snprintf(b->where, sizeof b->where, "%s: %s: no NAT rule answers for %s", fw->name, file, text);
    snprintf(b->advice, sizeof b->advice, "add a static NAT rule that maps the real address of the server to %s on %s",
             text, fw->name);
}

/* An ASA with it on rewrites SIP and closes calls that it does not understand; here it lets them pass as they are. */
bool blame_warning(const struct topology *t, size_t index, char *out, size_t cap)
{
    for (size_t i = 0; i < t->nodes.count; i++) {
        const struct topo_node *n = &t->nodes.items[i];
        const struct fw_rule_ref *sip = n->rules ? fw_rules_inspection(n->rules, "sip") : NULL;
        if (!sip || index-- > 0)
            continue;
        struct text x = text_of(out, cap);
        text_add(&x, "%s inspects sip (%s:%u): addresses in SIP are rewritten; Cisco says off for Expressway",
                 n->name, sip->file, sip->line);
        return true;
    }
    return false;
}

/* Nobody is there to begin a call, somebody waits for one, and nobody gives any service without one. */
static bool nobody_calls(const struct topology *t, const struct record *r)
{
    size_t waiting = 0;
    for (size_t i = 0; i < t->nodes.count; i++) {
        const struct system *s = t->nodes.items[i].system;
        if (s && !s->called)
            return false;
        waiting += s != NULL;
    }
    return waiting > 0 && !r->services.count;
}

static void blame_nobody(struct blame *out)
{
    out->verdict = VERDICT_FAILED;
    snprintf(out->what, sizeof out->what, "there is no call: no system of this topology begins one");
    snprintf(out->advice, sizeof out->advice,
             "add a host with a system that does, as skype-client; a topology without calls is for its port tables");
}

/* Of the services that do not hold the one that went wrong first, and how many there are; NULL: all hold. */
static const struct run_service *first_broken(const struct record *r, size_t *broken)
{
    const struct run_service *first = NULL;
    uint64_t first_ns = 0;
    *broken = 0;
    for (size_t i = 0; i < r->services.count; i++) {
        const struct run_service *s = &r->services.items[i];
        uint64_t t_ns = s->state == SERVICE_WANTED ? r->end_ns : s->t_ns;
        if (service_holds(s) || ((*broken)++ && t_ns >= first_ns))
            continue;
        first = s;
        first_ns = t_ns;
    }
    return first;
}

/* "guest-1/audio at pc-1 failed: no TURN server answers; 2 more do not hold". */
static struct trouble say_service(const struct topology *t, const struct record *r, const struct run_service *s,
                                  size_t others, struct text *what)
{
    text_add(what, "%s at %s %s%s%s", s->name, s->host, s->state == SERVICE_WANTED ? "never came up" :
             s->state == SERVICE_LOST ? "was lost" : "failed", s->text[0] ? ": " : "", s->text);
    if (others)
        text_add(what, "; %zu more do%s not hold", others, others == 1 ? "es" : "");
    return trouble_of(t, r, s);
}

/* A call that is told in phases did not go on, or a share did not arrive; fault: which of both, in words. */
static struct trouble say_story(const struct record *r, const char *fault, struct text *what)
{
    struct trouble w = {.until_ns = r->end_ns, .text = fault, .phase = r->complete ? 0 : (unsigned)r->phases.count};
    text_add(what, "%s", w.text);
    if (!r->complete)
        say_silence(r, what);
    return w;
}

static struct trouble say_failure(const struct run_failure *f, struct text *what)
{
    text_add(what, "%s: %s", f->host, f->text);
    return (struct trouble){.until_ns = f->t_ns, .remote = f->remote, .text = f->text, .phase = f->phase};
}

/* The packet and who is to blame for it, or else what some system was refused before. */
static void find_reason(const struct topology *t, const struct record *r, const struct trouble *w, struct text *what,
                        struct blame *out)
{
    const char *why = w->text;
    bool policy = has_word(why, remedies[0].word); /* no packet is to blame for that */
    out->t_ns = w->until_ns;
    out->drop = policy ? NULL : find_culprit(t, r, w);
    const struct run_failure *hint = policy || explains(t, out->drop) ? NULL : last_hint(r, w->until_ns);
    if (hint) {
        text_add(what, "; before that, %s: %s", hint->host, hint->text);
        why = hint->text;
        out->drop = NULL;
        out->node = hint->host;
    }
    if (out->drop) {
        out->t_ns = out->drop->t_ns;
        out->node = out->drop->node;
        blame_packet(out->drop, out->packet, sizeof out->packet);
        blame_where(t, out->drop, out->where, sizeof out->where);
    }
    say_advice(out, why, out->advice, sizeof out->advice);
    if (out->drop && strcmp(out->drop->reason, "no-neighbour") == 0)
        blame_translation(t, out);
}

void blame_find(const struct topology *t, const struct record *r, struct blame *out)
{
    *out = (struct blame){.phase = "", .t_ns = r->end_ns};
    if (nobody_calls(t, r)) {
        blame_nobody(out);
        return;
    }
    bool story = r->phases.count || !r->services.count; /* else all is told by services */
    const char *fault = !story ? NULL : r->complete ? share_fault(r) : "the call did not go on";
    size_t broken;
    const struct run_service *service = first_broken(r, &broken);
    if (!r->failures.count && !service && !fault)
        return;
    out->verdict = VERDICT_FAILED;
    struct text what = text_of(out->what, sizeof out->what);
    struct trouble w = r->failures.count ? say_failure(&r->failures.items[0], &what)
                       : service         ? say_service(t, r, service, broken - 1, &what)
                                         : say_story(r, fault, &what);
    if (story && !w.host)
        out->phase = r->phases.count ? record_phase(r, w.phase) : "invite"; /* which never began */
    find_reason(t, r, &w, &what, out);
}

void blame_conformance(const struct record *r, struct blame *out)
{
    for (size_t i = 0; out->verdict == VERDICT_OK && i < r->conformance.count; i++) {
        const struct run_conformance *c = &r->conformance.items[i];
        if (!c->decides)
            continue;
        out->verdict = VERDICT_NONCONFORMANT;
        struct text what = text_of(out->what, sizeof out->what);
        text_add(&what, "%s (%s): %s Seen: %s", c->id, c->level, c->text, c->saw);
    }
}
