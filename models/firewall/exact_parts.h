/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside the exact engine: pieces, which are sets of packets that are translated alike, and how they are translated. */
#ifndef TP_FIREWALL_EXACT_PARTS_H
#define TP_FIREWALL_EXACT_PARTS_H

#include "models/firewall/exact_walk.h"

/* How one field of a header becomes the same field of another header. */
struct fw_relation {
    enum { FW_SAME, FW_SHIFTED, FW_FIXED } kind;
    struct fw_shifts shifts; /* SHIFTED */
    struct fw_spans image;   /* FIXED: whatever it was, it becomes (one of) these */
};

/* Packets that leave by one way and are translated by the same rules. The cell is the header behind the translation
 * of the destination: the one that knows the source as it came and the destination that it really has. */
struct fw_piece {
    struct fw_cell real;
    struct fw_relation arrived[FW_DIMS], leaving[FW_DIMS]; /* what the real header's fields were and become */
    const struct fw_ready_nat *to, *from;         /* of machines with lists; NULL: none */
    const struct fw_rule_ref *nat_dst, *nat_src;  /* the lines that translate; NULL: none */
    const struct fw_trace *doubts;                /* about the translation; NULL: none */
    bool dynamic;   /* the source is taken from a pool */
    bool partial;   /* of several that a field may become, a rule meant some */
    bool lost;      /* where it goes is in doubt: the doubts hold whatever is said of it */
    uint8_t states; /* of machines with hooks */
    int out;
};

struct fw_pieces {
    struct fw_piece *piece;
    size_t count, cap;
};

void fw_pieces_push(struct fw_space *s, struct fw_pieces *p, const struct fw_piece *one);

/* A field's members after it, and those that it makes members of sub. FIXED: all of `whole`, which is the field. */
struct fw_spans fw_relate(struct fw_space *s, const struct fw_relation *r, uint8_t family, struct fw_spans set);
struct fw_spans fw_relate_back(struct fw_space *s, const struct fw_relation *r, uint8_t family, struct fw_spans sub,
                               struct fw_spans whole);

struct fw_cell fw_piece_view(struct fw_space *s, const struct fw_piece *p, enum fw_view view);
/* Those packets of p whose header in that view is in sub, a part of that view. A field that becomes one of several
 * stays whole: then two parts of a view may be of the same packets (fw_lots_overlay). */
struct fw_piece fw_piece_narrow(struct fw_space *s, const struct fw_piece *p, enum fw_view view,
                                const struct fw_cell *sub);

/* n has been made of p by taking some of its real header's members. */
void fw_piece_cut(const struct fw_piece *p, struct fw_piece *n);

/* The piece with its source port drawn from those that may stand for it: of its class, where lo is 0. */
void fw_draw_port(struct fw_space *s, const struct fw_piece *p, unsigned lo, unsigned hi, struct fw_pieces *out);

/* ---- NAT rules of machines with lists ---- */

/* Where packets are, for NAT. */
struct fw_nat_place {
    const struct fw_prepared *prepared;
    const struct fw_addresses *addresses;
    struct fw_space *space;
};

/* What of a cell a rule takes, and what it makes of it. */
struct fw_nat_hit {
    struct fw_spans in[FW_DIMS];
    struct fw_relation becomes[FW_DIMS];
};

/* As fw_nat_forward and fw_nat_reverse. False: nothing. */
bool fw_cell_forward(const struct fw_nat_place *w, const struct fw_ready_nat *n, int in, int out,
                     const struct fw_cell *c, struct fw_nat_hit *hit);
bool fw_cell_reverse(const struct fw_nat_place *w, const struct fw_ready_nat *n, int in, const struct fw_cell *c,
                     struct fw_nat_hit *hit);
/* The addresses that a dynamic rule hands out on an interface; none where it hands out none of the family. */
struct fw_spans fw_nat_pool(const struct fw_nat_place *w, const struct fw_ready_nat *n, int mapped, uint8_t family);
/* First a, then b. */
struct fw_relation fw_relation_then(struct fw_space *s, const struct fw_relation *a, const struct fw_relation *b,
                                    uint8_t family);
/* The other way round, of one that is SAME, SHIFTED, or FIXED from the one member of `was`. */
struct fw_relation fw_relation_back(struct fw_space *s, const struct fw_relation *r, struct fw_spans was);

#endif
