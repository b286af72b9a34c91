/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "models/base/err.h"
#include "sim/check/json_out.h"
#include "sim/diagnose/output.h"

enum { HOSTS = 64 };

static void endpoint_member(struct json_out *j, const char *key, const struct endpoint *e)
{
    char buf[ENDPOINT_TEXT];
    json_out_string(j, key, e->ip.family ? endpoint_text(e, buf) : NULL);
}

static void put_lines(struct json_out *j, const struct check_hop *h)
{
    json_out_open(j, "lines", '[');
    for (size_t i = 0; i < h->by.count; i++) {
        const struct check_line *l = &h->by.items[i];
        json_out_open(j, NULL, '{');
        json_out_string(j, "file", l->file);
        json_out_number(j, "line", l->line);
        json_out_string(j, "text", l->text);
        json_out_string(j, "says", l->says);
        json_out_close(j);
    }
    json_out_close(j);
}

static void put_repair(struct json_out *j, const struct check_repair *x)
{
    for (size_t i = 0; i < x->changes.count; i++) {
        const struct check_change *c = &x->changes.items[i];
        json_out_open(j, NULL, '{');
        json_out_string(j, "node", x->node);
        json_out_string(j, "file", c->file);
        json_out_number(j, "before_line", c->line);
        json_out_string(j, "add", c->text);
        json_out_string(j, "remove", c->remove);
        json_out_bool(j, "proved", x->proved);
        json_out_close(j);
    }
}

/* What the firewalls on the way do with the flow that is blamed. */
static void put_way(struct json_out *j, const struct check_report *way)
{
    const struct check_answer *a = &way->answers.items[0];
    json_out_open(j, "way", '{');
    json_out_string(j, "verdict", check_verdict_word(a->verdict));
    json_out_string(j, "why", a->why);
    json_out_open(j, "firewalls", '[');
    for (size_t i = 0; i < a->hops.count; i++) {
        const struct check_hop *h = &a->hops.items[i];
        json_out_open(j, NULL, '{');
        json_out_string(j, "node", h->node);
        json_out_string(j, "direction", h->direction);
        json_out_string(j, "verdict", check_verdict_word(h->verdict));
        json_out_string(j, "reason", h->reason);
        put_lines(j, h);
        json_out_close(j);
    }
    json_out_close(j);
    json_out_open(j, "timers", '[');
    for (size_t i = 0; i < way->findings.count; i++) {
        const struct check_finding *f = &way->findings.items[i];
        json_out_open(j, NULL, '{');
        json_out_string(j, "node", f->node);
        json_out_string(j, "what", f->what);
        json_out_string(j, "file", f->file);
        json_out_number(j, "line", f->line);
        json_out_string(j, "write", f->change);
        json_out_close(j);
    }
    json_out_close(j);
    json_out_open(j, "changes", '[');
    for (size_t i = 0; i < way->repairs.count; i++)
        put_repair(j, &way->repairs.items[i]);
    json_out_close(j);
    json_out_close(j);
}

static void put_findings(struct json_out *j, const struct diagnose_report *r)
{
    const struct diagnosis *d = &r->diagnosis;
    json_out_open(j, "findings", '[');
    for (size_t i = 0; i < d->findings; i++) {
        const struct finding *f = &d->finding[i];
        json_out_open(j, NULL, '{');
        json_out_string(j, "id", f->cause->id);
        json_out_string(j, "what", f->cause->words);
        json_out_string(j, "saw", f->saw);
        json_out_number(j, "times", f->times);
        endpoint_member(j, "client", &f->client);
        endpoint_member(j, "server", &f->server);
        json_out_string(j, "do", f->cause->todo);
        json_out_string(j, "advice", f->advice);
        if (r->place && r->place->way[i])
            put_way(j, r->place->way[i]);
        json_out_open(j, "evidence", '[');
        for (size_t k = 0; k < f->evidences; k++) {
            const struct evidence *e = &f->evidence[k];
            json_out_open(j, NULL, '{');
            if (e->line) {
                json_out_number(j, "line", e->line);
            } else {
                json_out_number(j, "frame", e->at.frame);
                json_out_number(j, "t_ns", e->at.t_ns);
            }
            json_out_string(j, "text", e->text);
            json_out_close(j);
        }
        json_out_close(j);
        json_out_close(j);
    }
    json_out_close(j);
}

/* Whose addresses these are. */
static void put_hosts(struct json_out *j, const struct diagnose_report *r)
{
    const struct story *s = &r->story;
    char ip[ADDR_TEXT];
    if (!r->place)
        return;
    json_out_open(j, "hosts", '[');
    const struct ip_addr *known[HOSTS];
    size_t n = 0;
    for (size_t i = 0; i < 2 * s->lines; i++) {
        const struct ip_addr *each = i % 2 ? &s->line[i / 2].to.ip : &s->line[i / 2].from.ip;
        const char *name = place_name(r->place, each);
        size_t k = 0;
        while (k < n && !ip_equal(known[k], each))
            k++;
        if (!name || k < n || n == HOSTS)
            continue;
        known[n++] = each;
        json_out_open(j, NULL, '{');
        json_out_string(j, "address", ip_text(each, ip));
        json_out_string(j, "name", name);
        json_out_close(j);
    }
    json_out_close(j);
}

static void put_doubts(struct json_out *j, const struct diagnosis *d)
{
    json_out_open(j, "not_seen", '[');
    for (size_t i = 0; i < d->doubts; i++)
        json_out_string(j, NULL, d->doubt[i]);
    json_out_close(j);
}

static void put_counts(struct json_out *j, const struct diagnose_report *r)
{
    const struct diagnosis *d = &r->diagnosis;
    json_out_open(j, "counts", '{');
    json_out_number(j, "frames", r->stats.frames);
    json_out_number(j, "frames_cut", r->stats.cut);
    json_out_number(j, "duration_ns", r->story.last.t_ns);
    json_out_number(j, "conversations", r->story.flows);
    json_out_number(j, "turn_clients", d->count.talks);
    json_out_number(j, "tcp_allocations", d->count.tcp_allocations);
    json_out_number(j, "udp_allocations", d->count.udp_allocations);
    json_out_number(j, "peer_connections", d->count.attempts);
    json_out_number(j, "bound", d->count.bound);
    json_out_number(j, "came_up", d->count.valid);
    json_out_number(j, "checked_besides", d->count.checked);
    json_out_close(j);
}

static void put_allocations(struct json_out *j, const struct story *s)
{
    json_out_open(j, "allocations", '[');
    for (const struct leg *l = s->first_leg; l; l = l->after) {
        if (!l->talk || !l->talk->allocation.granted.frame)
            continue;
        const struct allocation_story *a = &l->talk->allocation;
        json_out_open(j, NULL, '{');
        endpoint_member(j, "client", leg_client(l));
        endpoint_member(j, "server", leg_server(l));
        endpoint_member(j, "relayed", &a->relayed);
        endpoint_member(j, "mapped", &a->mapped);
        json_out_string(j, "transport", a->transport == PROTO_TCP ? "TCP" : "UDP");
        json_out_string(j, "user", l->talk->user);
        json_out_string(j, "software", l->talk->software);
        json_out_number(j, "lifetime_s", a->lifetime_s);
        json_out_number(j, "frame", a->granted.frame);
        json_out_close(j);
    }
    json_out_close(j);
}

static void put_connections(struct json_out *j, const struct story *s)
{
    json_out_open(j, "peer_connections", '[');
    for (size_t i = 0; i < s->attempts; i++) {
        const struct attempt *a = s->attempt[i];
        bool bound = a->leg && a->leg->attempt == a;
        json_out_open(j, NULL, '{');
        json_out_number(j, "connection_id", a->connection);
        json_out_string(j, "by", a->connect ? "Connect" : "ConnectionAttempt");
        endpoint_member(j, "peer", &a->peer);
        json_out_number(j, "frame", a->told.frame);
        json_out_number(j, "bind_frame", a->bind ? a->bind->asked.frame : 0);
        json_out_bool(j, "bound", bound);
        json_out_bool(j, "checks_complete", bound && checks_complete(a->leg));
        json_out_close(j);
    }
    json_out_close(j);
}

static void hex_member(struct json_out *j, const char *key, const uint8_t *bytes, size_t len)
{
    static char hex[2 * UINT16_MAX + 1];
    hex_of(bytes, len, hex);
    json_out_string(j, key, hex);
}

/* As on the wire, each with its length field and, where it is no mere bytes, what it says. */
static void put_attributes(struct json_out *j, const struct stun_msg *m)
{
    json_out_open(j, "attributes", '[');
    for (struct stun_attr a = {0}; stun_next(m, &a);) {
        char type[8], says[EVIDENCE_TEXT] = "";
        struct text t = text_of(says, sizeof says);
        snprintf(type, sizeof type, "0x%04x", a.type);
        stun_attr_describe(m, &a, &t);
        json_out_open(j, NULL, '{');
        json_out_string(j, "type", type);
        json_out_string(j, "name", stun_attr_name(m->dialect, a.type));
        json_out_number(j, "length", a.len);
        hex_member(j, "value", a.value, a.len);
        json_out_string(j, "says", says[0] ? says : NULL);
        json_out_close(j);
    }
    json_out_close(j);
}

static void put_stun(struct json_out *j, const struct line *l)
{
    char type[8];
    struct stun_msg m;
    snprintf(type, sizeof type, "0x%04x", l->type);
    json_out_string(j, "stun_type", type);
    json_out_bool(j, "framed", l->framed);
    json_out_string(j, "dialect", l->dialect->name);
    if (!l->message || stun_parse(l->dialect, l->message, l->len, &m))
        return;
    size_t cookie = l->dialect->cookie ? 4 : 0;
    hex_member(j, "transaction", m.id.b + cookie, sizeof m.id.b - cookie);
    put_attributes(j, &m);
    int err = stun_check_fingerprint(&m);
    json_out_bool(j, "integrity", m.mac_at || m.mac256_at);
    json_out_string(j, "fingerprint", err == E_NOT_FOUND ? NULL : err ? "wrong" : "right");
}

static void put_messages(struct json_out *j, const struct story *s)
{
    char channel[8];
    json_out_open(j, "messages", '[');
    for (size_t i = 0; i < s->lines; i++) {
        const struct line *l = &s->line[i];
        json_out_open(j, NULL, '{');
        json_out_number(j, "frame", l->at.frame);
        json_out_number(j, "t_ns", l->at.t_ns);
        endpoint_member(j, "from", &l->from);
        endpoint_member(j, "to", &l->to);
        json_out_string(j, "name", l->label);
        if (l->kind == LINE_STUN)
            put_stun(j, l);
        if (l->kind == LINE_CHANNEL) {
            snprintf(channel, sizeof channel, "0x%04x", l->type);
            json_out_string(j, "channel", channel);
            json_out_number(j, "length", l->len);
        }
        json_out_close(j);
    }
    json_out_close(j);
    json_out_number(j, "messages_left_out", s->lines_left_out);
}

/* Addresses of session descriptions, and whether a packet was seen that went there. */
static void put_announced(struct json_out *j, const struct story *s)
{
    json_out_open(j, "announced", '[');
    for (size_t i = 0; i < s->announcements; i++) {
        const struct announced *a = &s->announced[i];
        json_out_open(j, NULL, '{');
        json_out_number(j, "frame", a->at.frame);
        endpoint_member(j, "by", &a->by);
        endpoint_member(j, "address", &a->address);
        json_out_string(j, "transport", a->udp ? "UDP" : "TCP");
        json_out_string(j, "what", a->what);
        json_out_bool(j, "tried", a->tried);
        json_out_close(j);
    }
    json_out_close(j);
}

static void put_rtp(struct json_out *j, const struct story *s)
{
    json_out_open(j, "rtp", '[');
    for (const struct leg *l = s->first_leg; l; l = l->after)
        for (unsigned by = 0; l->rtp && by < 2; by++) {
            const struct rtp_story *r = &l->rtp[by];
            json_out_open(j, NULL, '{');
            endpoint_member(j, "from", &l->end[by]);
            endpoint_member(j, "to", &l->end[!by]);
            json_out_number(j, "packets", r->packets);
            json_out_number(j, "lost", r->expected > r->packets ? r->expected - r->packets : 0);
            json_out_number(j, "jitter_us", (uint64_t)r->jitter * 1000000 / 16 / l->clock);
            json_out_number(j, "first_frame", r->first.frame);
            json_out_number(j, "last_frame", r->last.frame);
            json_out_close(j);
        }
    json_out_close(j);
}

static void put_rows(struct json_out *j, const struct diagnose_report *r)
{
    json_out_open(j, "conformance", '[');
    for (size_t i = 0; i < r->verdicts; i++) {
        const struct verdict *v = &r->verdict[i];
        if (v->outcome != OUTCOME_FAIL)
            continue;
        json_out_open(j, NULL, '{');
        json_out_string(j, "id", v->row->id);
        json_out_string(j, "level", level_name(v->row->level));
        json_out_string(j, "saw", v->saw);
        json_out_close(j);
    }
    json_out_close(j);
}

static void put_log(struct json_out *j, const struct diagnose_report *r)
{
    json_out_open(j, "log", '[');
    for (size_t i = 0; i < r->cms_log.entries; i++) {
        const struct cms_log_entry *e = &r->cms_log.entry[i];
        json_out_open(j, NULL, '{');
        json_out_number(j, "line", e->line);
        json_out_number(j, "ms_diagnostics", e->id);
        json_out_string(j, "reason", e->reason);
        json_out_string(j, "component", e->component);
        json_out_close(j);
    }
    json_out_close(j);
}

void diagnose_write_json(struct sink *s, const struct diagnose_report *r)
{
    struct json_out j = json_out_to(s, 2);
    json_out_open(&j, NULL, '{');
    json_out_string(&j, "schema", "turnproof/diagnosis/1");
    json_out_string(&j, "capture", r->capture);
    json_out_string(&j, "verdict", diagnose_verdict_word(r->diagnosis.verdict));
    json_out_string(&j, "broken_off", r->cut.text[0] ? r->cut.text : NULL);
    put_hosts(&j, r);
    put_findings(&j, r);
    put_doubts(&j, &r->diagnosis);
    put_counts(&j, r);
    put_allocations(&j, &r->story);
    put_connections(&j, &r->story);
    put_announced(&j, &r->story);
    put_rtp(&j, &r->story);
    put_messages(&j, &r->story);
    put_rows(&j, r);
    put_log(&j, r);
    json_out_close(&j);
}
