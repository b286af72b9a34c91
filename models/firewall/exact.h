/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a firewall does with a whole set of packets, exactly: the set falls into parts that fare alike. Same order of
 * steps and same reasons as the stateful box (fwbox.h) with empty tables, and the same verdict as fw_eval for every
 * single packet of a part; a test holds the three to each other. */
#ifndef TP_FIREWALL_EXACT_H
#define TP_FIREWALL_EXACT_H

#include "models/firewall/cells.h"
#include "models/firewall/nat.h"
#include "models/firewall/route.h"

/* The rules made ready for questions; once a rule set. */
struct fw_prepared;
struct fw_prepared *fw_prepare(const struct fw_rules *r); /* borrows r; NULL: no memory */
void fw_prepared_free(struct fw_prepared *p);

/* A firewall in its place. All borrowed. */
struct fw_machine {
    const struct fw_prepared *prepared;
    const struct fw_routes *routes;       /* iface: of the rules */
    const struct fw_addresses *addresses; /* of the interfaces in this world; NULL: as the rules say */
};

struct fw_part;

struct fw_question {
    int in; /* interface of the rules that they come in by; FW_SELF: the firewall sends them; else no-interface */
    const struct fw_region *packets; /* as they arrive */
    uint8_t states;    /* enum fw_state; 0: FW_STATE_NEW. Of answers and later packets FW_STATE_ESTABLISHED */
    uint8_t tcp_flags; /* of TCP; 0: SYN of a first packet, ACK of others */
    /* The packets answer this part, which this machine let pass: what is an answer to it passes, and has its
     * translation undone, where the machine keeps state; NULL: nothing is known of a connection. */
    const struct fw_part *answers;
};

struct fw_piece;

/* Packets that fare alike. */
struct fw_part {
    struct fw_region arrived;
    struct fw_region leaving; /* with NAT done; of a denied part as if it had passed */
    int in;                   /* as asked */
    int out;                  /* interface that they leave by; FW_SELF: to the firewall itself; FW_NO_WAY: none */
    /* As fw_eval says of each packet. What the box drops by itself has its reason, as fw_result has it ("no-route",
     * "nat-no-xlate", "nat-rpf-failed", "rpf-violated", "to-the-box", "tcp-not-syn", "no-interface"), decision
     * FW_DENIED, and in `rule` the line to blame; an answer that its connection admits: FW_PERMITTED,
     * "connection". */
    struct fw_verdict verdict;
    const struct fw_rule_ref *nat_dst, *nat_src; /* the lines that translate; NULL: none */
    bool nat_dynamic; /* the source is any of a pool, which `leaving` has whole */
    const struct fw_piece *piece; /* inside the engine: how arrived and leaving belong together */
    size_t piece_count;
};

enum { FW_NO_WAY = -3 };

/* The parts share no packet and are together q->packets. They live in s. 0; E_NOMEM, E_RANGE: see fw_space_error. */
int fw_exact(const struct fw_machine *m, const struct fw_question *q, struct fw_space *s, struct fw_part **parts,
             size_t *count);

#endif
