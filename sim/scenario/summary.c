/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/summary.h"

#include <string.h>

#include "sim/scenario/services.h"

static void key(struct sink *s, const char *name)
{
    sink_string(s, name);
    sink_text(s, ": ");
}

static void string(struct sink *s, const char *name, const char *value)
{
    key(s, name);
    if (value)
        sink_string(s, value);
    else
        sink_text(s, "null");
}

static void number(struct sink *s, const char *name, uint64_t value)
{
    key(s, name);
    sink_u64(s, value);
}

static void next(struct sink *s)
{
    sink_text(s, ", ");
}

/* Between the elements of a list, each on its own line. */
static void element(struct sink *s, size_t index)
{
    sink_text(s, index ? ",\n    {" : "\n    {");
}

static void write_phases(struct sink *s, const struct record *r)
{
    for (size_t i = 0; i < r->phases.count; i++) {
        element(s, i);
        string(s, "name", r->phases.items[i].name);
        next(s);
        number(s, "start_ns", r->phases.items[i].start_ns);
        next(s);
        number(s, "end_ns", r->phases.items[i].end_ns);
        sink_text(s, "}");
    }
}

static void write_messages(struct sink *s, const struct record *r)
{
    char text[ENDPOINT_TEXT];
    for (size_t i = 0; i < r->messages.count; i++) {
        const struct run_message *m = &r->messages.items[i];
        element(s, i);
        number(s, "t_ns", m->t_ns);
        next(s);
        string(s, "from", m->from);
        next(s);
        string(s, "to", m->to);
        next(s);
        string(s, "name", m->name);
        next(s);
        number(s, "len", m->frame_len);
        next(s);
        number(s, "bytes", m->bytes);
        next(s);
        string(s, "src", endpoint_text(&m->local, text));
        next(s);
        string(s, "dst", endpoint_text(&m->remote, text));
        next(s);
        string(s, "phase", record_phase(r, m->phase));
        sink_text(s, "}");
    }
}

static void write_drops(struct sink *s, const struct topology *t, const struct record *r)
{
    for (size_t i = 0; i < r->drops.count; i++) {
        const struct run_drop *d = &r->drops.items[i];
        char packet[256], where[512];
        blame_packet(d, packet, sizeof packet);
        blame_where(t, d, where, sizeof where);
        element(s, i);
        number(s, "t_ns", d->t_ns);
        next(s);
        string(s, "node", d->node);
        next(s);
        string(s, "port", d->port);
        next(s);
        string(s, "reason", d->reason);
        next(s);
        string(s, "rule", d->rule && d->rule->line ? where + strlen(d->node) + 2 : NULL);
        next(s);
        string(s, "packet", packet);
        next(s);
        string(s, "advice", d->advice);
        sink_text(s, "}");
    }
}

static void write_results(struct sink *s, const struct record *r)
{
    for (size_t i = 0; i < r->results.count; i++) {
        element(s, i);
        string(s, "node", r->results.items[i].host);
        next(s);
        string(s, "key", r->results.items[i].key);
        next(s);
        string(s, "value", r->results.items[i].value);
        sink_text(s, "}");
    }
}

static void write_shares(struct sink *s, const struct record *r)
{
    struct run_share share;
    for (size_t i = 0; record_share(r, i, &share); i++) {
        element(s, i);
        string(s, "from", share.from);
        next(s);
        string(s, "to", share.to);
        next(s);
        key(s, "sent_bytes");
        sink_text(s, share.sent_bytes ? share.sent_bytes : "null");
        next(s);
        key(s, "received_bytes");
        sink_text(s, share.received_bytes ? share.received_bytes : "null");
        next(s);
        string(s, "sha256", share.sha256);
        next(s);
        key(s, "complete");
        sink_text(s, share.complete ? "true}" : "false}");
    }
}

static void write_failure(struct sink *s, const struct blame *b)
{
    const struct fw_rule_ref *rule = b->drop ? b->drop->rule : NULL;
    key(s, "failure");
    if (b->verdict == VERDICT_OK) {
        sink_text(s, "null");
        return;
    }
    sink_text(s, "{");
    string(s, "phase", b->phase);
    next(s);
    number(s, "t_ns", b->t_ns);
    next(s);
    string(s, "reason", b->what);
    next(s);
    string(s, "node", b->node);
    next(s);
    string(s, "file", rule ? rule->file : NULL);
    next(s);
    number(s, "line", rule ? rule->line : 0);
    next(s);
    string(s, "rule", rule ? rule->text : NULL);
    next(s);
    string(s, "where", b->where);
    next(s);
    string(s, "packet", b->packet);
    next(s);
    string(s, "advice", b->advice);
    sink_text(s, "}");
}

static void write_warnings(struct sink *s, const struct topology *t)
{
    char text[512];
    for (size_t i = 0; blame_warning(t, i, text, sizeof text); i++) {
        sink_text(s, i ? ", " : "");
        sink_string(s, text);
    }
}

static void write_conformance(struct sink *s, const struct record *r)
{
    for (size_t i = 0; i < r->conformance.count; i++) {
        const struct run_conformance *c = &r->conformance.items[i];
        element(s, i);
        string(s, "id", c->id);
        next(s);
        string(s, "level", c->level);
        next(s);
        string(s, "result", c->holds ? "pass" : "fail");
        next(s);
        string(s, "saw", c->saw);
        sink_text(s, "}");
    }
}

static void write_rows(struct sink *s, const struct record *r)
{
    for (size_t i = 0; i < r->rows.count; i++) {
        const struct run_row *row = &r->rows.items[i];
        element(s, i);
        string(s, "table", row->table);
        next(s);
        string(s, "id", row->id);
        next(s);
        number(s, "packets", row->packets);
        next(s);
        number(s, "bytes", row->bytes);
        next(s);
        number(s, "connections", row->connections);
        next(s);
        key(s, "first_ns");
        if (row->packets)
            sink_u64(s, row->first_ns);
        else
            sink_text(s, "null");
        next(s);
        string(s, "opened_by", row->opened_by);
        sink_text(s, "}");
    }
}

void summary_write(struct sink *s, const struct topology *t, const struct record *r, const struct blame *b)
{
    sink_text(s, "{\n  ");
    string(s, "schema", "turnproof/summary/1");
    sink_text(s, ",\n  ");
    string(s, "topology", t->name);
    sink_text(s, ",\n  ");
    string(s, "engine", r->engine);
    sink_text(s, ",\n  ");
    number(s, "seed", r->seed);
    sink_text(s, ",\n  ");
    string(s, "trace_sha256", r->trace_sha256);
    sink_text(s, ",\n  ");
    string(s, "verdict", verdict_text(b->verdict));
    sink_text(s, ",\n  ");
    write_failure(s, b);
    sink_text(s, ",\n  \"warnings\": [");
    write_warnings(s, t);
    sink_text(s, "],\n  \"phases\": [");
    write_phases(s, r);
    sink_text(s, "],\n  \"services\": [");
    services_json(s, t, r);
    sink_text(s, "],\n  \"messages\": [");
    write_messages(s, r);
    sink_text(s, "],\n  \"drops\": [");
    write_drops(s, t, r);
    sink_text(s, "],\n  \"shares\": [");
    write_shares(s, r);
    sink_text(s, "],\n  \"results\": [");
    write_results(s, r);
    sink_text(s, "],\n  \"rows\": [");
    write_rows(s, r);
    sink_text(s, "],\n  \"conformance\": [");
    write_conformance(s, r);
    sink_text(s, "],\n  ");
    number(s, "packet_hops", r->stats.packet_hops);
    sink_text(s, ",\n  ");
    number(s, "events", r->stats.events);
    sink_text(s, "\n}\n");
}

void summary_write_comparison(struct sink *s, const struct topology *t, const struct record *const r[2],
                              const struct blame *const b[2], const struct comparison *c)
{
    sink_text(s, "{\n\"schema\": \"turnproof/comparison/1\",\n\"same_messages\": ");
    sink_text(s, c->same_messages ? "true" : "false");
    sink_text(s, ",\n\"same_order\": ");
    sink_text(s, c->same_order ? "true" : "false");
    sink_text(s, ",\n");
    string(s, "difference", c->difference);
    sink_text(s, ",\n\"runs\": [\n");
    summary_write(s, t, r[0], b[0]);
    sink_text(s, ",\n");
    summary_write(s, t, r[1], b[1]);
    sink_text(s, "]\n}\n");
}
