/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/check/simulate.h"

#include <string.h>

#include "models/base/bytes.h"
#include "sim/check/sample.h"
#include "sim/scenario/blame.h"
#include "sim/scenario/world.h"

enum { CELLS_MAX = 4 /* of a part */, TEXT_MAX = 1024 };

static void disagree(struct check *c, unsigned node, int in, const struct fw_flow *f, const char *exact,
                     const char *simulated)
{
    const struct topo_node *n = &c->topology->nodes.items[node];
    char packet[TEXT_MAX], buf[2 * TEXT_MAX];
    struct fw_cell one = fw_cell_of(c->space, f);
    fw_cell_text(&one, packet, sizeof packet);
    struct text t = text_of(buf, sizeof buf);
    text_add(&t, "%s (%s), by %s: %s: the exact answer is %s, the simulated firewall says %s. This is a bug of "
                 "turnproof; rules, interface and packet reproduce it", n->name, n->rules_file ? n->rules_file : "",
             in >= 0 ? n->rules->iface[in].name : "?", packet, exact, simulated);
    *CHECK_ADD(&c->report->arena, &c->report->disagreements) = arena_copy(&c->report->arena, buf, t.len);
}

static const char *said(const struct fw_result *r, char *out, size_t cap)
{
    struct text t = text_of(out, cap);
    if (r->fate == FW_PASS)
        text_add(&t, "it passes");
    else
        text_add(&t, "drop: %s%s%.0u", r->reason ? r->reason : "?", r->rule && r->rule->line ? ", line " : "", 0u);
    if (r->fate != FW_PASS && r->rule && r->rule->line)
        text_add(&t, "%u", r->rule->line);
    return out;
}

/* The answer to a packet that passed. */
static void send_answer(struct check *c, const struct path_visit *v, const struct fw_part *part, struct fw_box *box,
                        const struct fw_result *there)
{
    const struct way_node *n = &c->ways.node[v->node];
    const struct fw_flow f = {.proto = part->arrived.cell[0].dim[FW_DIM_PROTO].span[0].lo & UINT8_MAX,
                              .src = there->dst.ip, .dst = there->src.ip, .sport = there->dst.port,
                              .dport = there->src.port};
    struct fw_cell cell = fw_cell_of(c->space, &f);
    struct fw_region one = {0};
    fw_region_push(c->space, &one, &cell);
    const struct fw_question q = {.in = there->iface, .packets = &one, .states = FW_STATE_ESTABLISHED,
                                  .tcp_flags = FW_SYN | FW_ACK, .answers = part};
    struct fw_part *parts;
    size_t count;
    if (fw_exact(&n->machine, &q, c->space, &parts, &count) != 0 || count == 0)
        return;
    const struct fw_result back = fw_pass(box, 2, &(struct fw_packet){
        .iface = there->iface, .flow = f, .tcp_flags = f.proto == PROTO_TCP ? FW_SYN | FW_ACK : 0});
    char text[TEXT_MAX];
    enum fw_decision d = parts[0].verdict.decision;
    c->report->simulated++;
    if (d != FW_UNKNOWN && (d == FW_PERMITTED) != (back.fate == FW_PASS))
        disagree(c, v->node, there->iface, &f, d == FW_PERMITTED ? "that the answer passes" : "that it is dropped",
                 said(&back, text, sizeof text));
}

static void send(struct check *c, const struct path_visit *v, const struct fw_part *part, const struct fw_flow *f)
{
    struct fw_box *box = sample_box(&c->ways.node[v->node]);
    if (!box)
        return;
    const struct fw_result r = fw_pass(
        box, 1, &(struct fw_packet){.iface = v->in, .flow = *f, .tcp_flags = f->proto == PROTO_TCP ? FW_SYN : 0});
    char text[TEXT_MAX], exact[TEXT_MAX];
    bool passes = part->verdict.decision == FW_PERMITTED;
    c->report->simulated++;
    if (passes != (r.fate == FW_PASS)) {
        fw_verdict_text(c->topology->nodes.items[v->node].rules, &part->verdict, exact, sizeof exact);
        disagree(c, v->node, v->in, f, exact, said(&r, text, sizeof text));
    } else if (passes) {
        const struct fw_flow left = {f->proto, r.src.ip, r.dst.ip, r.src.port, r.dst.port};
        if (r.iface != part->out || !fw_region_has(&part->leaving, &left))
            disagree(c, v->node, v->in, f, "another translation or way out", said(&r, text, sizeof text));
        send_answer(c, v, part, box, &r);
    }
    fw_box_free(box);
}

void simulate_visit(void *ctx, struct check *c, const struct path_visit *v)
{
    (void)ctx;
    for (size_t i = 0; i < v->count; i++) {
        const struct fw_part *part = &v->part[i];
        if (part->verdict.decision == FW_UNKNOWN || v->in < 0)
            continue;
        for (size_t k = 0; k < part->arrived.count && k < CELLS_MAX; k++)
            for (unsigned which = 0; which < SAMPLE_CORNERS; which++) {
                struct fw_flow f = sample_corner(&part->arrived.cell[k], which);
                send(c, v, part, &f);
            }
    }
}

/* ---- the call ---- */

/* Drops that depend on what came before, or on no rule. */
static bool is_first_packet_drop(const struct run_drop *d)
{
    static const char *const later[] = {"idle-timeout", "tcp-not-syn", "nat-clash", "conn-limit", "ttl", "fragment",
                                        "pat-exhausted", "nat-no-xlate"};
    for (size_t i = 0; i < sizeof later / sizeof *later; i++)
        if (strcmp(d->reason, later[i]) == 0)
            return false;
    return !d->link;
}

static void hold_drop(struct check *c, const struct run_drop *d)
{
    for (unsigned n = 0; n < c->topology->nodes.count; n++) {
        const struct topo_node *node = &c->topology->nodes.items[n];
        if (!node->rules || strcmp(node->name, d->node) != 0)
            continue;
        int in = fw_rules_find_interface(node->rules, d->port);
        if (in < 0)
            continue;
        fw_space_reset(c->space);
        struct fw_cell cell = fw_cell_of(c->space, &d->flow);
        struct fw_region one = {0};
        fw_region_push(c->space, &one, &cell);
        const struct fw_question q = {.in = in, .packets = &one};
        struct fw_part *parts;
        size_t count;
        if (fw_exact(&c->ways.node[n].machine, &q, c->space, &parts, &count) != 0 || count == 0)
            continue;
        c->report->simulated++;
        if (parts[0].verdict.decision == FW_PERMITTED)
            disagree(c, n, in, &d->flow, "that it passes", d->reason);
    }
}

int simulate_call(struct check *c, struct diag *d)
{
    struct record record = {0};
    struct blame blame;
    const struct world_options options = {.seed = c->topology->seed};
    int err = world_run(&net_native, c->topology, &options, &record, d);
    if (err)
        return err;
    blame_find(c->topology, &record, &blame);
    struct arena *a = &c->report->arena;
    c->report->call = blame.verdict == VERDICT_OK ? "it comes up"
                                                  : arena_format(a, "%s: %s", verdict_text(blame.verdict), blame.what);
    for (size_t i = 0; i < record.drops.count; i++)
        if (is_first_packet_drop(&record.drops.items[i]))
            hold_drop(c, &record.drops.items[i]);
    if (blame.verdict == VERDICT_FAILED && blame.drop && blame.drop->rule && check_holds(c->report))
        *CHECK_ADD(a, &c->report->disagreements) =
            arena_format(a, "every row of the tables passes, and the call fails all the same: %s; %s; %s", blame.what,
                         blame.packet, blame.where);
    record_free(&record);
    return 0;
}
