/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Consent to send on the nominated pair of a component over UDP: RFC 7675 5.1. */
#include <string.h>

#include "models/base/bytes.h"
#include "models/base/time.h"
#include "models/ice/agent.h"

#define LEAST (4 * NS_S) /* 5 s less 20 % */
#define SPREAD (2 * NS_S)
#define EXPIRY (30 * NS_S)

static uint64_t interval(struct ice *a)
{
    return LEAST + rng_below(&a->rng, SPREAD + 1);
}

void consent_begin(struct ice *a, struct ice_component *c, uint64_t now_ns)
{
    if (a->cfg.udp_consent)
        c->consent = (struct ice_consent){.kept = true, .answered_ns = now_ns, .next_ns = now_ns + interval(a)};
}

bool consent_answered(struct ice *a, const struct stun_msg *m, uint64_t now_ns)
{
    for (size_t i = 0; i < ICE_COMPONENTS_MAX; i++) {
        struct ice_consent *s = &a->component[i].consent;
        for (size_t k = 0; s->kept && k < CONSENT_ASKED_MAX && k < s->asked_count; k++) {
            if (memcmp(s->asked[k].b, m->id.b, sizeof m->id.b) == 0) {
                s->answered_ns = now_ns;
                return true;
            }
        }
    }
    return false;
}

/* Each has an id of its own and is sent once. */
static void ask(struct ice *a, struct ice_component *c, uint64_t now_ns)
{
    struct ice_check check;
    ice_fill_check(a, pair_local(a, c->nominated), &check);
    check.controlling = a->controlling;
    check.tie_breaker = a->tie_breaker;
    struct stun_id *id = &c->consent.asked[c->consent.asked_count++ % CONSENT_ASKED_MAX];
    *id = stun_new_id(a->dialect, &a->rng);
    struct ice_queued *q = event_send(a, c->nominated, "Binding request", 0, now_ns);
    q->event.len = ice_check_encode(a->dialect, &check, id, a->remote_pwd, q->bytes);
    c->consent.next_ns = now_ns + interval(a);
}

static void lose(struct ice *a, struct ice_component *c)
{
    char ours[ENDPOINT_TEXT], theirs[ENDPOINT_TEXT], why[192];
    struct text t = text_of(why, sizeof why);
    c->consent.kept = false;
    text_add(&t, "no answer to consent checks from %s to %s for 30 s",
             endpoint_text(ice_base(pair_local(a, c->nominated)), ours),
             endpoint_text(&pair_remote(a, c->nominated)->address, theirs));
    event_lost(a, c->nominated, why);
}

uint64_t consent_timer(struct ice *a, uint64_t now_ns)
{
    uint64_t at = TIME_NEVER;
    for (size_t i = 0; i < ICE_COMPONENTS_MAX; i++) {
        struct ice_component *c = &a->component[i];
        if (c->consent.kept && now_ns >= c->consent.answered_ns + EXPIRY)
            lose(a, c);
        if (!c->consent.kept)
            continue;
        if (now_ns >= c->consent.next_ns)
            ask(a, c, now_ns);
        at = time_min(at, time_min(c->consent.next_ns, c->consent.answered_ns + EXPIRY));
    }
    return at;
}
