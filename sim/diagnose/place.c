/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/diagnose/place.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check/findings.h"
#include "sim/check/repair.h"

/* ---- names ---- */

struct place *place_new(struct topology *t)
{
    struct place *p = calloc(1, sizeof *p);
    if (p)
        p->topology = t;
    else
        topology_free(t);
    return p;
}

void place_free(struct place *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < FINDINGS; i++)
        check_report_free(p->way[i]);
    topology_free(p->topology);
    free(p);
}

static const struct topo_node *node_of(const struct topology *t, const struct ip_addr *ip)
{
    const struct topo_node *n = ip->family ? topology_owner(t, ip) : NULL;
    for (size_t i = 0; ip->family && !n && i < t->nodes.count; i++) {
        const struct ip_addr public_address = topology_setting_ip(&t->nodes.items[i], "public_address");
        if (ip_equal(&public_address, ip))
            n = &t->nodes.items[i];
    }
    return n;
}

const char *place_name(const struct place *p, const struct ip_addr *ip)
{
    const struct topo_node *n = p ? node_of(p->topology, ip) : NULL;
    return n ? n->name : NULL;
}

const char *place_endpoint(const struct place *p, const struct endpoint *e, char *out, size_t cap)
{
    const char *name = place_name(p, &e->ip);
    char text[ENDPOINT_TEXT];
    struct text t = text_of(out, cap);
    if (name && e->port)
        text_add(&t, "%s:%u", name, e->port);
    else
        text_add(&t, "%s", name ? name : endpoint_text(e, text));
    return out;
}

/* What may stand in an address in text, with its port. */
static size_t address_span(const char *s)
{
    size_t n = s[0] == '[' ? strcspn(s, "]") : strspn(s, "0123456789abcdef.:");
    if (s[0] == '[' && s[n])
        n += 1 + strspn(s + n + 1, ":0123456789");
    while (n && (s[n - 1] == '.' || s[n - 1] == ':')) /* of the sentence */
        n--;
    return n;
}

/* Puts names for the addresses in a sentence; those that find no room stay away. */
static void rename_all(const struct place *p, char *text, size_t cap)
{
    char *was = strdup(text);
    struct text t = text_of(text, cap);
    for (const char *s = was; s && *s;) {
        size_t n = s == was || !isalnum((unsigned char)s[-1]) ? address_span(s) : 0;
        char word[ENDPOINT_TEXT], name[ENDPOINT_TEXT + 64];
        struct endpoint e = {0};
        if (n > 0 && n < sizeof word) {
            memcpy(word, s, n);
            word[n] = '\0';
        }
        bool known = n > 0 && n < sizeof word &&
                     (endpoint_parse(word, &e) == 0 || ip_parse(word, &e.ip) == 0) && place_name(p, &e.ip);
        n = known ? n : 1;
        if (known)
            text_add(&t, "%s", place_endpoint(p, &e, name, sizeof name));
        else
            text_add(&t, "%c", *s);
        s += n;
    }
    free(was);
}

/* ---- ways ---- */

/* One question as a port table would put it, in tables of its own. */
struct question {
    struct port_table table;
    struct port_row row;
    struct bind_question asked;
    struct fw_addr src, dst;
    struct port_range sport, dport;
    struct bound bound;
};

/* Whoever has no node is behind the Internet's router. False: nobody is. */
static bool put_end(const struct topology *t, const struct ip_addr *ip, struct bind_end *end)
{
    const struct topo_node *n = node_of(t, ip);
    *end = (struct bind_end){.actor = ACTOR_ANY, .port = -1};
    if (n)
        end->node = (unsigned)(n - t->nodes.items);
    else if (t->check.internet_node < 0)
        return false;
    else
        end->node = (unsigned)t->check.internet_node;
    end->behind = !n;
    return true;
}

/* sport: one, or as a rule would say it, all that a client may take. False: the topology has not both ends. */
static bool put_question(const struct topology *t, const struct blamed *b, struct port_range sport, struct question *q)
{
    *q = (struct question){.table = {.id = "capture"}, .row = {.id = "seen", .purpose = "a flow that was seen"},
                           .src = {b->from.ip, b->from.ip, false}, .dst = {b->to.ip, b->to.ip, false},
                           .sport = sport, .dport = {b->to.port, b->to.port}};
    q->asked = (struct bind_question){.table = &q->table, .row = &q->row, .need = NEED_MUST, .group = -1,
                                      .family = b->to.ip.family, .proto = (uint8_t)b->proto,
                                      .src = {&q->src, 1}, .dst = {&q->dst, 1}, .sport = {&q->sport, 1},
                                      .dport = {&q->dport, 1}};
    q->bound = (struct bound){.topology = t, .size = (enum appliance_size)t->check.size,
                              .release = t->check.release};
    q->bound.questions.items = &q->asked;
    q->bound.questions.count = 1;
    return b->from.ip.family == b->to.ip.family && put_end(t, &b->from.ip, &q->asked.from) &&
           put_end(t, &b->to.ip, &q->asked.to) && q->asked.from.node != q->asked.to.node;
}

static struct check_report *ask(struct topology *t, const struct blamed *b)
{
    /* Of a flow that was not seen the port is not known, but a relay's are 50000-59999 (port tables, Skype Edge). */
    static const struct port_range own = {1024, UINT16_MAX}, relay = {50000, 59999};
    struct port_range said = b->from.port ? own : relay, seen = {b->from.port, b->from.port};
    struct question q;
    struct check c;
    if (!put_question(t, b, b->from.port ? seen : relay, &q) || check_open(&c, t, &q.bound))
        return NULL;
    struct check_report *r = c.report;
    check_ask(&c, NULL);
    if (b->idle)
        check_find_timers(&c);
    check_close(&c);
    if (!check_holds(r) && put_question(t, b, said, &q))
        repair_all(r, t, &q.bound);
    return r;
}

/* Who comes to a relayed address is, when nobody was seen, the Skype Edge if there is one. */
static struct endpoint likely_peer(const struct topology *t, uint8_t family)
{
    for (size_t i = 0; i < t->nodes.count; i++) {
        const struct topo_node *n = &t->nodes.items[i];
        for (size_t k = 0; n->system_name && strcmp(n->system_name, "skype-edge") == 0 && k < n->interfaces.count; k++)
            for (size_t a = 0; a < n->interfaces.items[k].addresses.count; a++)
                if (n->interfaces.items[k].addresses.items[a].ip.family == family)
                    return (struct endpoint){.ip = n->interfaces.items[k].addresses.items[a].ip};
    }
    return (struct endpoint){0};
}

void place_diagnosis(struct place *p, struct diagnosis *d)
{
    for (size_t i = 0; i < d->findings; i++) {
        struct finding *f = &d->finding[i];
        if (!f->blamed.from.ip.family && f->blamed.to.ip.family)
            f->blamed.from = likely_peer(p->topology, f->blamed.to.ip.family);
        if (f->blamed.from.ip.family)
            p->way[i] = ask(p->topology, &f->blamed);
        rename_all(p, f->saw, sizeof f->saw);
        for (size_t k = 0; k < f->evidences; k++)
            rename_all(p, f->evidence[k].text, sizeof f->evidence[k].text);
    }
    for (size_t i = 0; i < d->doubts; i++)
        rename_all(p, d->doubt[i], sizeof d->doubt[i]);
}
