/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside the exact engine: one question on its way through the steps of a machine. */
#ifndef TP_FIREWALL_EXACT_ASK_H
#define TP_FIREWALL_EXACT_ASK_H

#include "models/firewall/exact_parts.h"

/* A piece and what becomes of it. */
struct fw_lot {
    struct fw_piece piece;
    const struct fw_verdict *verdict;
};

struct fw_lots {
    struct fw_lot *lot;
    size_t count, cap;
};

struct fw_ask {
    const struct fw_machine *machine;
    const struct fw_prepared *prepared;
    const struct fw_question *q;
    struct fw_nat_place nat;
    struct fw_space *space;
    uint8_t states, tcp_flags;
    struct fw_lots said; /* decided */
};

void fw_lots_push(struct fw_space *s, struct fw_lots *t, const struct fw_piece *p, const struct fw_verdict *v);
/* A verdict without a list; NULL when the space ran out. */
const struct fw_verdict *fw_verdict_plain(struct fw_space *s, enum fw_decision decision, const char *reason,
                                          const struct fw_rule_ref *rule);

/* The rules about pieces that leave by `out` (FW_SELF: stay), appended to *to: exact_rules.c. */
void fw_ask_rules(struct fw_ask *a, int out, const struct fw_pieces *p, struct fw_lots *to);

/* Lots of which some may be of the same packets, because it is not known which of several addresses these get: where
 * they do not agree, those packets are unknown. */
void fw_lots_overlay(struct fw_ask *a, struct fw_lots *lots);

/* All steps of a machine with hooks: exact_hooks.c. */
void fw_ask_hooks(struct fw_ask *a, struct fw_pieces *p);
/* The chains' verdict on pieces that leave by out. */
void fw_ask_chains(struct fw_ask *a, int out, const struct fw_pieces *p, struct fw_lots *to);
const struct fw_verdict *fw_verdict_keep(struct fw_space *s, const struct fw_verdict *v);
struct fw_threads fw_threads_of(struct fw_ask *a, const struct fw_pieces *p, enum fw_view view);
void fw_drop(struct fw_ask *a, const struct fw_piece *p, const char *reason, const struct fw_rule_ref *rule);
struct fw_spans fw_own_addresses(struct fw_ask *a, uint8_t family);
/* By one dimension of the real header: true, and *part, which has those of `set`; the others go to rest. */
bool fw_piece_split_dim(struct fw_ask *a, const struct fw_piece *p, enum fw_dim d, struct fw_spans set,
                        struct fw_piece *part, struct fw_pieces *rest);

/* The answers to a part that passed, as far as they are among the packets, each with its translation undone, appended
 * to *answers: exact_answers.c. What is no answer is left in *p. */
void fw_take_answers(struct fw_ask *a, struct fw_pieces *p, struct fw_pieces *answers);

/* part is what a rule takes of the destination, its cell the header as it arrived; it becomes what the hit says. */
void fw_translate_destination(struct fw_ask *a, const struct fw_nat_hit *hit, struct fw_piece *part);

/* What was said, lots that are alike together: exact_group.c. */
void fw_group(struct fw_ask *a, struct fw_part **parts, size_t *count);

/* Takes from p what lies in `in`, a part of its real header: *part is that, the rest is appended. */
void fw_piece_split(struct fw_space *s, const struct fw_piece *p, const struct fw_spans in[FW_DIMS],
                    struct fw_piece *part, struct fw_pieces *rest);

/* Pieces by the way that the routing table gives them by their real destination; no route: FW_NO_WAY. */
void fw_ask_routes(struct fw_ask *a, const struct fw_piece *p, struct fw_pieces *out);
/* The addresses whose best route is by the interface. */
struct fw_spans fw_routed_by(struct fw_ask *a, struct fw_spans from, uint8_t family, int iface);

#endif
