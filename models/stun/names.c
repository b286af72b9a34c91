/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people read: reasons, names, one line a message. */
#include "models/stun/dialect.h"

const char *stun_reason(int code)
{
    /* RFC 8489 18.3, 8656 19, 6062 6.3, 8445 16.2. The reason of 401 is RFC 5389's, which all in the field say. */
    static const struct {
        int code;
        const char *reason;
    } table[] = {
        {300, "Try Alternate"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {420, "Unknown Attribute"},
        {437, "Allocation Mismatch"},
        {438, "Stale Nonce"},
        {440, "Address Family not Supported"},
        {441, "Wrong Credentials"},
        {442, "Unsupported Transport Protocol"},
        {443, "Peer Address Family Mismatch"},
        {446, "Connection Already Exists"},
        {447, "Connection Timeout or Failure"},
        {486, "Allocation Quota Reached"},
        {487, "Role Conflict"},
        {500, "Server Error"},
        {508, "Insufficient Capacity"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].code == code)
            return table[i].reason;
    return "Unknown";
}

const char *stun_attr_name(const struct stun_dialect *d, uint16_t type)
{
    const struct stun_attr_row *row = stun_attr_row(d, type);
    return row ? row->name : NULL;
}

const char *stun_method_name(const struct stun_dialect *d, uint16_t type)
{
    unsigned method = type & 0x3eefu; /* without the bits of the class */
    return method < 16 ? d->methods[method] : NULL;
}

/* Bytes from the wire are not all for a terminal. */
static void add_printable(struct text *t, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        text_add(t, "%c", p[i] >= 0x20 && p[i] < 0x7f ? p[i] : '.');
}

static void describe_address(const struct stun_msg *m, const struct stun_attr *a, struct text *t)
{
    struct endpoint e;
    char s[ENDPOINT_TEXT];
    text_add(t, "%s", stun_attr_address(m, a, &e) ? "malformed" : endpoint_text(&e, s));
}

static void describe_transport(const struct stun_attr *a, struct text *t)
{
    unsigned proto = a->len ? a->value[0] : 0;
    if (proto == PROTO_TCP || proto == PROTO_UDP)
        text_add(t, "%s", proto == PROTO_TCP ? "TCP" : "UDP");
    else
        text_add(t, "transport %u", proto);
}

/* In any dialect: Microsoft counts padding in where others do not look for it. */
static void describe_text(const uint8_t *p, size_t len, struct text *t)
{
    while (len > 0 && p[len - 1] == 0)
        len--;
    add_printable(t, p, len);
}

static void describe_error(const struct stun_attr *a, struct text *t)
{
    if (a->len < 4)
        return;
    text_add(t, "%u ", (a->value[2] & 7u) * 100 + a->value[3]);
    describe_text(a->value + 4, a->len - 4u, t);
}

static void describe_value(const struct stun_msg *m, const struct stun_attr *a, enum stun_form form, struct text *t)
{
    if (form == FORM_TRANSPORT)
        describe_transport(a, t);
    else if (form == FORM_ADDRESS || form == FORM_XOR_ADDRESS)
        describe_address(m, a, t);
    else if (form == FORM_TEXT)
        describe_text(a->value, a->len, t);
    else if (form == FORM_NUMBER && a->len == 4)
        text_add(t, "%u", load32(a->value));
    else if (form == FORM_HEX && a->len == 4)
        text_add(t, "0x%08x", load32(a->value));
}

void stun_attr_describe(const struct stun_msg *m, const struct stun_attr *a, struct text *t)
{
    const struct stun_attr_row *row = stun_attr_row(m->dialect, a->type);
    if (a->type == ATTR_ERROR_CODE)
        describe_error(a, t);
    else if (a->type == ATTR_SOFTWARE)
        describe_text(a->value, a->len, t);
    else if (row)
        describe_value(m, a, row->form, t);
}

static void describe_attr(const struct stun_msg *m, const struct stun_attr *a, struct text *t)
{
    const struct stun_attr_row *row = stun_attr_row(m->dialect, a->type);
    if (!row) {
        text_add(t, ", attribute 0x%04x", a->type);
        return;
    }
    if (row->form == FORM_HIDDEN)
        return;
    text_add(t, ", ");
    if (row->form != FORM_TRANSPORT)
        text_add(t, "%s", row->word ? row->word : row->name);
    bool says = row->form == FORM_ADDRESS || row->form == FORM_XOR_ADDRESS || row->form == FORM_TEXT ||
                ((row->form == FORM_NUMBER || row->form == FORM_HEX) && a->len == 4);
    text_add(t, "%s", says ? " " : "");
    describe_value(m, a, row->form, t);
}

void stun_label(const struct stun_dialect *d, uint16_t type, int code, struct text *t)
{
    static const char *const classes[] = {"request", "indication", "success", "error"};
    const char *method = stun_method_name(d, type);
    if (method)
        text_add(t, "%s", method);
    else
        text_add(t, "type 0x%04x", type);
    text_add(t, " %s", classes[stun_class_of(d, type)]);
    if (code)
        text_add(t, " %d", code);
}

void stun_describe(const struct stun_msg *m, struct text *t)
{
    int code = 0;
    const char *reason;
    size_t reason_len;
    if (m->cls == STUN_ERROR)
        stun_get_error(m, &code, &reason, &reason_len);
    stun_label(m->dialect, m->type, code, t);
    struct stun_attr a = {0};
    while (stun_next(m, &a))
        describe_attr(m, &a, t);
}
