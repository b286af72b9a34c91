/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers: packets of a connection that a part's packets made. */
#include <string.h>

#include "models/firewall/exact_ask.h"

static enum fw_dim turned(enum fw_dim d)
{
    static const enum fw_dim other[FW_DIMS] = {FW_DIM_PROTO, FW_DIM_DST, FW_DIM_SRC, FW_DIM_DPORT, FW_DIM_SPORT};
    return other[d];
}

/* An echo's answer is another type of message; the firewall knows both by the identifier. */
static void answer_cells(struct fw_space *s, const struct fw_cell *leaving, struct fw_region *out)
{
    static const struct {
        uint8_t proto, request, reply;
    } echo[] = {{PROTO_ICMP, 8, 0}, {PROTO_ICMP6, 128, 129}};
    struct fw_cell c = fw_cell_turned(leaving);
    for (size_t i = 0; i < 2; i++) {
        struct fw_spans proto = fw_spans_one(s, echo[i].proto, echo[i].proto);
        if (!fw_spans_has(c.dim[FW_DIM_PROTO], echo[i].proto))
            continue;
        c.dim[FW_DIM_PROTO] = fw_spans_subtract(s, c.dim[FW_DIM_PROTO], proto);
        bool pings = fw_spans_has(leaving->dim[FW_DIM_SPORT], echo[i].request) ||
                     fw_spans_has(leaving->dim[FW_DIM_SPORT], echo[i].reply);
        if (!pings)
            continue;
        struct fw_cell answer = c;
        answer.dim[FW_DIM_PROTO] = proto;
        answer.dim[FW_DIM_SPORT] = fw_spans_union(s, fw_spans_one(s, echo[i].request, echo[i].request),
                                                  fw_spans_one(s, echo[i].reply, echo[i].reply));
        answer.dim[FW_DIM_DPORT] = fw_cell_any_v4.dim[FW_DIM_DPORT];
        fw_region_push(s, out, &answer);
    }
    if (c.dim[FW_DIM_PROTO].count)
        fw_region_push(s, out, &c);
}

/* What becomes of the fields of an answer to p: the way that p's fields went, backwards. */
static void relations_of(struct fw_space *s, const struct fw_piece *p, struct fw_nat_hit *hit)
{
    for (enum fw_dim d = 0; d < FW_DIMS; d++) {
        struct fw_relation back = fw_relation_back(s, &p->leaving[d], p->real.dim[d]);
        hit->becomes[turned(d)] = fw_relation_then(s, &back, &p->arrived[d], p->real.family);
    }
}

static bool is_icmp(const struct fw_cell *c)
{
    return fw_spans_has(c->dim[FW_DIM_PROTO], PROTO_ICMP) || fw_spans_has(c->dim[FW_DIM_PROTO], PROTO_ICMP6);
}

/* Takes the answers to one of the part's pieces out of the packets. */
static void take(struct fw_ask *a, const struct fw_piece *asked, const struct fw_cell *expected, struct fw_pieces *p,
                 struct fw_pieces *answers)
{
    struct fw_pieces left = {0};
    for (size_t i = 0; i < p->count; i++) {
        struct fw_cell both;
        if (!fw_cell_intersect(a->space, &p->piece[i].real, expected, &both)) {
            fw_pieces_push(a->space, &left, &p->piece[i]);
            continue;
        }
        struct fw_piece answer;
        fw_piece_split(a->space, &p->piece[i], both.dim, &answer, &left);
        struct fw_nat_hit hit = {0};
        struct fw_cell back = fw_cell_turned(&both);
        bool echo = is_icmp(&both);
        if (echo)
            memcpy(&back.dim[FW_DIM_SPORT], &asked->real.dim[FW_DIM_SPORT], 2 * sizeof *back.dim);
        struct fw_piece of = fw_piece_narrow(a->space, asked, FW_VIEW_LEAVING, &back);
        relations_of(a->space, &of, &hit);
        if (echo)
            hit.becomes[FW_DIM_SPORT] = hit.becomes[FW_DIM_DPORT] = (struct fw_relation){.kind = FW_SAME};
        fw_translate_destination(a, &hit, &answer);
        answer.to = asked->from;
        answer.from = asked->to;
        answer.nat_dst = asked->nat_src;
        answer.nat_src = asked->nat_dst;
        answer.states = asked->states;
        fw_pieces_push(a->space, answers, &answer);
    }
    *p = left;
}

void fw_take_answers(struct fw_ask *a, struct fw_pieces *p, struct fw_pieces *answers)
{
    const struct fw_part *asked = a->q->answers;
    if (asked->verdict.decision != FW_PERMITTED)
        return;
    for (size_t i = 0; i < asked->piece_count; i++) {
        if (asked->piece[i].states & (FW_STATE_UNTRACKED | FW_STATE_INVALID))
            continue; /* no connection was made */
        struct fw_cell leaving = fw_piece_view(a->space, &asked->piece[i], FW_VIEW_LEAVING);
        struct fw_region expected = {0};
        answer_cells(a->space, &leaving, &expected);
        for (size_t k = 0; k < expected.count; k++)
            take(a, &asked->piece[i], &expected.cell[k], p, answers);
    }
}
