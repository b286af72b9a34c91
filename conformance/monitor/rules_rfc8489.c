/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 8489, as a trace shows it. Where RFC 5389 asked for less, a server is held to the newer rule only when its nonce
 * says that it speaks it (8489 9.2). */
#include "conformance/monitor/rules.h"

#include <string.h>

#define RTO_NS (490 * NS_MS)     /* 6.2.1: 500 ms, seen from elsewhere */
enum { OUTSTANDING = 10, TEXT_MAX = 763, PRINTED_MAX = 128, USER_MAX = 513 /* 8489: 509 */ };

static bool padding_is_zero(const struct stun_msg *m)
{
    struct stun_attr a = {0};
    while (stun_next(m, &a))
        for (size_t i = a.len; i % 4; i++)
            if (a.value[i])
                return false;
    return true;
}

static void zero_padding(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (s->in->cookie && !s->by_client)
        rule_judge(w, padding_is_zero(s->m), "an attribute's padding is not zero");
}

static void fresh_id(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (s->on == ON_REQUEST)
        rule_held(w);
    else if (s->ask->answered)
        rule_broken(w, "the transaction id of an answered request was used again");
}

static void paced(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (s->in->proto == PROTO_UDP)
        rule_judge(w, s->t_ns - s->ask->last_ns >= RTO_NS, "sent again after %.0f ms",
                   (double)(s->t_ns - s->ask->last_ns) / (double)NS_MS);
}

static void once_over_tcp(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (s->in->proto == PROTO_TCP)
        rule_judge(w, s->on == ON_REQUEST, "a request was sent again over TCP");
}

static void few_outstanding(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    size_t n = s->in->asks < SCENE_ASKS ? s->in->asks : SCENE_ASKS, open = 0;
    for (size_t i = 0; i < n; i++)
        open += !s->in->ask[i].answered;
    rule_judge(w, open < OUTSTANDING, "%zu requests are outstanding", open + 1);
}

static void has_code(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    rule_judge(w, s->code >= 300 && s->code < 700, "an error response without a valid ERROR-CODE");
}

static void reason_is_short(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    int code;
    const char *reason;
    size_t len;
    if (stun_get_error(s->m, &code, &reason, &len) == 0)
        rule_judge(w, len <= TEXT_MAX, "a reason phrase of %zu bytes", len);
}

/* arg: an attribute with text of less than 128 characters. */
static void text_is_short(struct watch *w, const struct sight *s, unsigned attribute)
{
    const char *text;
    size_t len;
    if (stun_get_text(s->m, (enum stun_attr_type)attribute, &text, &len))
        return;
    size_t characters = 0;
    for (size_t i = 0; i < len; i++)
        characters += ((unsigned char)text[i] & 0xc0) != 0x80;
    bool quoted = attribute != ATTR_SOFTWARE && len >= 2 && text[0] == '"' && text[len - 1] == '"';
    rule_judge(w, characters < PRINTED_MAX && !quoted, "%zu characters%s", characters, quoted ? ", in quotes" : "");
}

static void user_is_short(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    const char *name;
    size_t len;
    if (stun_get_text(s->m, ATTR_USERNAME, &name, &len) == 0)
        rule_judge(w, len < USER_MAX, "USERNAME of %zu bytes", len);
}

static void fingerprint_is_right(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (s->m->fingerprint_at)
        rule_judge(w, stun_check_fingerprint(s->m) == 0, "FINGERPRINT does not match the message");
}

static void first_is_bare(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (s->in->requests > 0 || s->m->method == TURN_CONNECTION_BIND)
        return; /* 9.2.3.2: a data connection goes to the same server, whose nonce is known */
    rule_judge(w, !s->m->mac_at && !s->m->mac256_at && !sight_has(s, ATTR_USERNAME),
               "the first request already has credentials");
}

static void challenge_has(struct watch *w, const struct sight *s, unsigned code)
{
    rule_challenges(w, s, code);
}

static void challenge_is_bare(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (s->code == 401 && !s->ask->with_credentials)
        rule_judge(w, !s->m->mac_at && !s->m->mac256_at && !sight_has(s, ATTR_USERNAME) && !sight_has(s, ATTR_USERHASH),
                   "a 401 with USERNAME or MESSAGE-INTEGRITY");
}

static void answers_are_lean(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (s->ask->with_credentials && s->code != 401 && s->code != 438)
        rule_judge(w, !sight_has(s, ATTR_REALM) && !sight_has(s, ATTR_NONCE) && !sight_has(s, ATTR_USERNAME),
                   "REALM, NONCE or USERNAME in an answer that is no challenge");
}

static void nonce_is_its_own(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    const char *nonce;
    size_t len;
    if (s->code != 401 || stun_get_text(s->m, ATTR_NONCE, &nonce, &len))
        return;
    if (len < 9 || memcmp(nonce, "obMatJos2", 9) != 0)
        return;
    for (size_t b = 0; b < sizeof s->scene->bucket / sizeof *s->scene->bucket; b++)
        for (const struct conversation *c = s->scene->bucket[b]; c; c = c->next)
            if (c != s->in && strlen(c->nonce) == len && memcmp(c->nonce, nonce, len) == 0 &&
                !endpoint_equal(&c->client, &s->in->client)) {
                rule_broken(w, "the same NONCE was given to two clients");
                return;
            }
    rule_held(w);
}

static void retries_with_new_nonce(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    const char *nonce;
    size_t len;
    if (!s->in->stale || stun_get_text(s->m, ATTR_NONCE, &nonce, &len))
        return;
    rule_judge(w, strlen(s->in->nonce) == len && memcmp(s->in->nonce, nonce, len) == 0,
               "after a 438 the next request has not the new NONCE");
}

static void unknown_are_listed(struct watch *w, const struct sight *s, unsigned arg)
{
    (void)arg;
    if (s->code == 420)
        rule_has(w, s, ATTR_UNKNOWN_ATTRIBUTES);
}

static const struct rule rules[] = {
    {"8489-5-3", ON_REQUEST | ON_AGAIN, 0, fresh_id, 0},
    {"8489-6.2-1", ON_REQUEST, 0, few_outstanding, 0},
    {"8489-6.2.1-2", ON_AGAIN, 0, paced, 0},
    {"8489-6.2.2-1", ON_REQUEST | ON_AGAIN, 0, once_over_tcp, 0},
    {"8489-6.3.1-1", ON_ERROR, 0, unknown_are_listed, 0},
    {"8489-6.3.1-3", ON_ERROR, 0, has_code, 0},
    {"8489-6.3.1-4", ON_SUCCESS, 0, rule_signed, 0},
    {"8489-9.2.3-1", ON_REQUEST, 0, first_is_bare, 0},
    {"8489-9.2.4-1", ON_ERROR, 0, challenge_has, 401},
    {"8489-9.2.4-2", ON_ERROR, 0, nonce_is_its_own, 0},
    {"8489-9.2.4-5", ON_ERROR, 0, challenge_is_bare, 0},
    {"8489-9.2.4-11", ON_ERROR, 0, challenge_has, 438},
    {"8489-9.2.4-14", ON_ANSWER, 0, answers_are_lean, 0},
    {"8489-9.2.5-6", ON_REQUEST, 0, retries_with_new_nonce, 0},
    {"8489-14-2", ON_ANSWER | ON_INDICATION, 0, zero_padding, 0},
    {"8489-14.3-1", ON_REQUEST, 0, user_is_short, 0},
    {"8489-14.7-1", ON_STUN, 0, fingerprint_is_right, 0},
    {"8489-14.8-2", ON_ERROR, 0, reason_is_short, 0},
    {"8489-14.9-1", ON_ERROR, 0, text_is_short, ATTR_REALM},
    {"8489-14.9-1", ON_ERROR, 0, text_is_short, ATTR_NONCE},
    {"8489-14.14-1", ON_STUN, 0, text_is_short, ATTR_SOFTWARE},
};

const struct rules rules_rfc8489 = {rules, sizeof rules / sizeof *rules};
