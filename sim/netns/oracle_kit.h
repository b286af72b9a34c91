/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Test code: a rule set as the kernel has it and as we have it, asked about the same packets in the same order. A
 * sequence is a conversation (a handshake, a question and its answer, an error about it) between two ends that answer
 * what reached them, so each side is answered what it let through. */
#ifndef TP_SIM_NETNS_ORACLE_KIT_H
#define TP_SIM_NETNS_ORACLE_KIT_H

#include "models/firewall/fwbox.h"
#include "sim/netns/netns_kit.h"
#include "sim/netns/words_kit.h"

/* A rule set, loaded into the kernel, and read by us. All borrowed. */
struct oracle {
    const char *name;
    struct netns *kernel;
    const struct netns_world *world;
    const struct words *words;
    const struct fw_rules *rules;
    uint8_t families; /* bit IP_V4, IP_V6: of packets worth sending */
    bool in_doubt;    /* rules that limit and the like: which one denies, one that answers or not, is not known */
};

struct oracle_tally {
    unsigned sets, packets, agree, unknown, unnamed, disagree;
    unsigned fate[4];      /* by enum netns_fate: all four must occur, or little was tested */
    unsigned translated;   /* forwarded with another address or port */
    unsigned established;  /* packets of conversations that had begun */
    unsigned exact;        /* first packets that the region reader was asked about too */
    unsigned chosen_ports; /* agreed, but for a port that the kernel picks at random from a range */
};

/* Conversations until `packets` were sent. The first few disagreements are printed. */
void oracle_run(const struct oracle *o, struct rng *rng, unsigned packets, struct oracle_tally *t);

/* "#: iptables samples: 8 rule sets, 4000 packets, 3900 agree, 100 unknown (lines named), 0 disagree; ..." */
void oracle_print(const char *family, const struct oracle_tally *t);

#endif
