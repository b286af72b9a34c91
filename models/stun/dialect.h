/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a dialect knows of its attributes; between the files of this folder only. */
#ifndef TP_STUN_DIALECT_H
#define TP_STUN_DIALECT_H

#include "models/stun/stun.h"

/* How the value reads; stun_describe shows it so. */
enum stun_form {
    FORM_BYTES, /* only that it is there */
    FORM_TEXT,
    FORM_NUMBER,
    FORM_HEX, /* 4 or 8 bytes */
    FORM_ADDRESS,
    FORM_XOR_ADDRESS,
    FORM_TRANSPORT,
    FORM_HIDDEN, /* said elsewhere in the line, or of no interest to a person */
};

struct stun_attr_row {
    uint16_t type;
    enum stun_form form;
    const char *name; /* as the RFC writes it */
    const char *word; /* as stun_describe does; NULL: the name */
};

enum stun_class stun_class_of(const struct stun_dialect *d, uint16_t type);
/* NULL: the dialect does not know it. */
const struct stun_attr_row *stun_attr_row(const struct stun_dialect *d, uint16_t type);

#endif
