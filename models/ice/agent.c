/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/ice/agent.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/err.h"
#include "models/base/time.h"

#define TA (50 * NS_MS)            /* RFC 8445 14.2 */
#define KEEP_ALIVE (15 * NS_S)     /* Tr, RFC 8445 11 */
#define NOMINATE_WAIT (500 * NS_MS) /* for a better pair, once one is valid: ours, 8.1.1 leaves it open */
#define CHECK_TIMEOUT (10 * NS_S)
#define TOTAL_TIMEOUT (30 * NS_S)

static const struct stun_dialect *const stun_dialect[] = {
    [ICE_DIALECT_MICROSOFT] = &stun_ms_ice2, [ICE_DIALECT_RFC] = &stun_rfc8489};

struct ice *ice_new(const struct ice_config *cfg, struct rng rng)
{
    struct ice *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->cfg = *cfg;
    if (!a->cfg.check_timeout_ns)
        a->cfg.check_timeout_ns = CHECK_TIMEOUT;
    if (!a->cfg.total_timeout_ns)
        a->cfg.total_timeout_ns = TOTAL_TIMEOUT;
    a->dialect = stun_dialect[cfg->dialect];
    a->controlling = cfg->controlling;
    a->tie_breaker = cfg->tie_breaker;
    a->rng = rng;
    a->wake_ns = TIME_NEVER;
    for (size_t i = 0; i < ICE_COMPONENTS_MAX; i++)
        a->component[i].first_valid_ns = TIME_NEVER;
    return a;
}

void ice_free(struct ice *a)
{
    if (!a)
        return;
    free(a->queue);
    free(a);
}

/* ---- what happens to a pair ---- */

void pair_fail(struct ice_pair *p, const char *why, int code)
{
    p->state = PAIR_FAILED;
    p->queued = 0;
    p->asked = p->was_cancelled = false;
    p->why = why;
    p->code = code;
}

void pair_trigger(struct ice *a, struct ice_pair *p)
{
    if (!p->queued)
        p->queued = ++a->queue_end;
}

/* A component has its pair: what has not begun for it need not (RFC 8445 8.1.2). */
static void retire_others(struct ice *a, const struct ice_pair *nominated)
{
    for (size_t i = 0; i < a->pair_count; i++) {
        struct ice_pair *p = &a->pair[i];
        if (p == nominated || pair_component(a, p) != pair_component(a, nominated))
            continue;
        p->queued = 0;
        bool begun = pair_is_udp(a, p) ? p->state == PAIR_VALID : pair_has_stream(a, p);
        if (p->state != PAIR_FAILED && !begun)
            pair_fail(p, "not needed", 0);
    }
}

void pair_settle(struct ice *a, struct ice_pair *p, uint64_t now_ns)
{
    struct ice_component *c = pair_component(a, p);
    bool udp = pair_is_udp(a, p);
    if (p->state == PAIR_CHECKING && p->answered && (udp || p->we_answered)) {
        p->state = PAIR_VALID;
        if (udp) {
            a->thaw = true;
            pairs_set_priorities(a); /* it counts as what the peer has seen from now on (RFC 8445 7.2.5.3.2) */
        }
        c->first_valid_ns = time_min(c->first_valid_ns, now_ns);
        event_pair(a, ICE_VALID, p);
    }
    if (p->state == PAIR_VALID && p->use && !c->nominated) {
        c->nominated = p;
        event_pair(a, ICE_NOMINATED, p);
        retire_others(a, p);
        if (udp) {
            p->queued = 0;
            p->asked = false;
            consent_begin(a, c, now_ns);
        }
    }
}

void ice_switch_role(struct ice *a)
{
    a->controlling = !a->controlling;
    pairs_set_priorities(a);
    for (size_t i = 0; i < a->pair_count; i++)
        a->pair[i].chosen = a->pair[i].use = false;
}

void ice_fill_check(const struct ice *a, const struct ice_candidate *local, struct ice_check *c)
{
    *c = (struct ice_check){.priority = ice_check_priority(local)};
    snprintf(c->username, sizeof c->username, "%s:%s", a->remote_ufrag, a->cfg.ufrag);
    snprintf(c->candidate_id, sizeof c->candidate_id, "%s", a->cfg.candidate_id ? a->cfg.candidate_id : "");
}

void pair_send_check(struct ice *a, struct ice_pair *p, uint64_t now_ns)
{
    struct ice_check c;
    ice_fill_check(a, pair_local(a, p), &c);
    c.use_candidate = a->cfg.use_candidate_always || p->asked_use;
    c.controlling = p->asked_controlling;
    c.tie_breaker = p->asked_tie_breaker;
    struct ice_queued *q = event_send(a, p, "Binding request", 0, now_ns);
    q->event.len = ice_check_encode(a->dialect, &c, &p->id, a->remote_pwd, q->bytes);
}

static void begin_check(struct ice *a, struct ice_pair *p, uint64_t now_ns)
{
    p->queued = 0;
    p->asked = true;
    p->asked_controlling = a->controlling;
    p->asked_use = a->controlling && (a->cfg.use_candidate_always || p->chosen);
    p->asked_tie_breaker = a->tie_breaker;
    p->id = stun_new_id(a->dialect, &a->rng);
    if (pair_is_udp(a, p))
        udp_begin_check(a, p, now_ns);
    else
        p->deadline_ns = now_ns + a->cfg.check_timeout_ns;
    pair_send_check(a, p, now_ns);
}

/* ---- what is due ---- */

/* Our own checks need the peer's password; before, we only answer. */
static bool may_check(const struct ice *a)
{
    return a->started && *a->remote_pwd;
}

static bool is_done(struct ice *a)
{
    for (size_t i = 0; i < a->pair_count; i++)
        if (!pair_component(a, &a->pair[i])->nominated)
            return false;
    return a->pair_count > 0;
}

/* A check on its way without an answer, or a stream on which the peer is to ask. */
static bool is_timed(const struct ice *a, const struct ice_pair *p)
{
    if (pair_is_udp(a, p))
        return p->asked;
    return !p->queued && (p->state == PAIR_CHECKING || (p->state == PAIR_VALID && p->asked));
}

static void expire(struct ice *a, uint64_t now_ns)
{
    for (size_t i = 0; i < a->pair_count; i++) {
        struct ice_pair *p = &a->pair[i];
        if (!pair_is_udp(a, p) && is_timed(a, p) && now_ns >= p->deadline_ns)
            pair_fail(p, p->asked ? "no answer to the check" : "no check from the peer", 0);
    }
}

static bool is_choice_pending(const struct ice *a, unsigned component)
{
    for (size_t i = 0; i < a->pair_count; i++) {
        const struct ice_pair *p = &a->pair[i];
        if (p->chosen && p->state == PAIR_VALID && pair_local(a, p)->component == component)
            return true;
    }
    return false;
}

/* Over UDP the check that nominates may get lost as any: it is not given up before its time. */
static bool is_nominating(const struct ice *a)
{
    for (size_t i = 0; i < a->pair_count; i++)
        if (a->pair[i].chosen && a->pair[i].asked && pair_is_udp(a, &a->pair[i]))
            return true;
    return false;
}

/* Regular nomination (RFC 8445 8.1.1): the best valid pair, as soon as no better one can come or it took too
 * long. Returns when to look again. */
static uint64_t nominate(struct ice *a, uint64_t now_ns)
{
    uint64_t again_ns = TIME_NEVER;
    for (unsigned i = 0; a->controlling && !a->refused && i < ICE_COMPONENTS_MAX; i++) {
        struct ice_component *c = &a->component[i];
        bool rivals;
        struct ice_pair *best = pair_best_valid(a, i + 1, &rivals);
        if (c->nominated || !best || is_choice_pending(a, i + 1))
            continue;
        if (rivals && now_ns < c->first_valid_ns + NOMINATE_WAIT) {
            again_ns = time_min(again_ns, c->first_valid_ns + NOMINATE_WAIT);
            continue;
        }
        best->chosen = true;
        pair_trigger(a, best);
    }
    return again_ns;
}

/* One check or connection each Ta, triggered checks first (RFC 8445 6.1.4.2). Returns when another is due. */
static uint64_t pace(struct ice *a, uint64_t now_ns)
{
    struct ice_pair *triggered = pair_triggered(a);
    struct ice_pair *p = triggered ? triggered : pair_to_open(a);
    if (!p || !may_check(a))
        return TIME_NEVER;
    if (now_ns < a->next_check_ns)
        return a->next_check_ns;
    a->next_check_ns = now_ns + TA;
    if (triggered || pair_is_udp(a, p)) {
        begin_check(a, p, now_ns);
    } else {
        p->state = PAIR_OPENING;
        event_pair(a, ICE_OPEN, p);
    }
    return pair_triggered(a) || pair_to_open(a) ? a->next_check_ns : TIME_NEVER;
}

static void keep_alive(struct ice *a, struct ice_pair *p, uint64_t now_ns)
{
    struct stun_id id = stun_new_id(a->dialect, &a->rng);
    struct ice_queued *q = event_send(a, p, "Binding indication", 0, now_ns);
    q->event.len = ice_indication_encode(a->dialect, &id, q->bytes);
}

/* The timers of pairs: keep-alives are sent; returns the earliest. */
static uint64_t pair_timers(struct ice *a, uint64_t now_ns)
{
    uint64_t at = TIME_NEVER;
    for (size_t i = 0; i < a->pair_count; i++) {
        struct ice_pair *p = &a->pair[i];
        if (is_timed(a, p))
            at = time_min(at, p->deadline_ns);
        if (p->state != PAIR_VALID || pair_component(a, p)->nominated != p ||
            (a->cfg.udp_consent && pair_is_udp(a, p)))
            continue;
        if (now_ns >= p->sent_ns + KEEP_ALIVE)
            keep_alive(a, p, now_ns);
        at = time_min(at, p->sent_ns + KEEP_ALIVE);
    }
    return at;
}

void ice_run(struct ice *a, uint64_t now_ns)
{
    a->wake_ns = TIME_NEVER;
    if (a->failed)
        return;
    expire(a, now_ns);
    udp_retransmit(a, now_ns);
    if (a->thaw)
        pairs_thaw(a);
    uint64_t at = nominate(a, now_ns);
    at = time_min(at, pace(a, now_ns));
    at = time_min(at, pair_timers(a, now_ns));
    at = time_min(at, consent_timer(a, now_ns));
    if (a->started && !is_done(a) && !is_nominating(a)) {
        if (a->refused || now_ns >= a->give_up_ns || !pairs_have_hope(a)) {
            a->failed = true;
            pairs_describe(a);
            event_failed(a);
            return;
        }
        at = time_min(at, a->give_up_ns);
    }
    a->wake_ns = at;
}

void ice_timer(struct ice *a, uint64_t now_ns)
{
    ice_run(a, now_ns);
}

uint64_t ice_deadline(const struct ice *a)
{
    return a->wake_ns;
}

/* ---- candidates ---- */

static bool is_usable(const struct ice_candidate *c)
{
    return c->component >= 1 && c->component <= ICE_COMPONENTS_MAX && ip_size(&c->address.ip) > 0;
}

long ice_find(const struct ice_candidate *list, size_t n, const struct ice_candidate *c)
{
    for (size_t i = 0; i < n; i++)
        if (ice_same_place(&list[i], c))
            return (long)i;
    return -1;
}

static unsigned count_remotes(const struct ice *a, bool learned)
{
    unsigned n = 0;
    for (size_t i = 0; i < a->remote_count; i++)
        n += (a->remote[i].type == ICE_PRFLX) == learned;
    return n;
}

int ice_add_local(struct ice *a, const struct ice_candidate *c)
{
    if (!is_usable(c))
        return E_RANGE;
    if (ice_find(a->local, a->local_count, c) >= 0)
        return 0;
    if (a->local_count == ICE_CANDIDATES_MAX)
        return E_NOMEM;
    a->local[a->local_count++] = *c;
    pairs_add_local(a, a->local_count - 1u);
    a->wake_ns = 0;
    return 0;
}

int ice_add_remote(struct ice *a, const struct ice_candidate *c)
{
    if (!is_usable(c))
        return E_RANGE;
    long known = ice_find(a->remote, a->remote_count, c);
    if (known >= 0) {
        /* It connected before its candidate arrived: it is what the candidate says, not peer-reflexive. */
        if (a->remote[known].type == ICE_PRFLX) {
            a->remote[known] = *c;
            pairs_set_priorities(a);
            if (c->transport == ICE_UDP) { /* known from one of ours alone; the others may ask it now */
                pairs_add_remote(a, (size_t)known);
                a->thaw = true;
                a->wake_ns = 0;
            }
        }
        return 0;
    }
    if (count_remotes(a, c->type == ICE_PRFLX) == ICE_CANDIDATES_MAX)
        return E_NOMEM;
    a->remote[a->remote_count++] = *c;
    pairs_add_remote(a, a->remote_count - 1u);
    a->wake_ns = 0;
    return 0;
}

void ice_set_remote_credentials(struct ice *a, const char *ufrag, const char *pwd)
{
    snprintf(a->remote_ufrag, sizeof a->remote_ufrag, "%s", ufrag);
    snprintf(a->remote_pwd, sizeof a->remote_pwd, "%s", pwd);
    a->wake_ns = 0;
}

void ice_start(struct ice *a, uint64_t now_ns)
{
    a->started = true;
    a->give_up_ns = now_ns + a->cfg.total_timeout_ns;
    ice_run(a, now_ns);
}

/* ---- streams ---- */

static void begin_stream(struct ice *a, struct ice_pair *p, uint32_t stream, uint64_t now_ns)
{
    p->state = PAIR_CHECKING;
    p->stream = stream;
    p->deadline_ns = now_ns + a->cfg.check_timeout_ns;
}

void ice_opened(struct ice *a, size_t pair, uint32_t stream, uint64_t now_ns)
{
    assert(pair < a->pair_count);
    struct ice_pair *p = &a->pair[pair];
    if (a->failed || p->state != PAIR_OPENING)
        return; /* not needed any more */
    if (pair_on_stream(a, stream)) {
        /* one peer behind a relay, active and passive */
        pair_fail(p, "the same connection as another pair's", 0);
    } else {
        begin_stream(a, p, stream, now_ns);
        begin_check(a, p, now_ns);
    }
    ice_run(a, now_ns);
}

void ice_open_failed(struct ice *a, size_t pair, uint64_t now_ns)
{
    assert(pair < a->pair_count);
    if (a->pair[pair].state == PAIR_OPENING)
        pair_fail(&a->pair[pair], "could not connect", 0);
    ice_run(a, now_ns);
}

/* Our passive candidate at this address: itself, or its base; failing that the first, for a relay behind a
 * 1:1 NAT does not know the address that it is called by. -1: there is none. */
static long passive_at(const struct ice *a, const struct endpoint *local)
{
    long first = -1, based = -1;
    for (long i = a->local_count - 1; i >= 0; i--) {
        const struct ice_candidate *c = &a->local[i];
        if (c->transport != ICE_TCP_PASS)
            continue;
        if (endpoint_equal(&c->address, local))
            return i;
        if (endpoint_equal(&c->related, local))
            based = i;
        first = i;
    }
    return based >= 0 ? based : first;
}

long ice_learn_remote(struct ice *a, enum ice_transport transport, const struct endpoint *remote,
                      uint8_t component, uint32_t priority)
{
    struct ice_candidate c = {.type = ICE_PRFLX,
                              .transport = transport,
                              .component = component,
                              .priority = priority,
                              .address = *remote};
    long known = ice_find(a->remote, a->remote_count, &c);
    if (known >= 0 || count_remotes(a, true) == ICE_CANDIDATES_MAX)
        return known;
    snprintf(c.foundation, sizeof c.foundation, "prflx-%u", a->remote_count);
    a->remote[a->remote_count] = c;
    return a->remote_count++;
}

void ice_incoming(struct ice *a, uint32_t stream, const struct endpoint *local, const struct endpoint *remote,
                  uint64_t now_ns)
{
    if (a->failed || pair_on_stream(a, stream))
        return;
    long l = passive_at(a, local);
    if (l < 0)
        return; /* the stream is nobody's: what comes on it is dropped */
    uint8_t component = a->local[l].component;
    uint32_t until_its_check_says = ice_priority(ICE_PRFLX, ICE_TCP_ACT, component);
    long r = ice_learn_remote(a, ICE_TCP_ACT, remote, component, until_its_check_says);
    if (r < 0)
        return;
    struct ice_pair *p = pair_expecting(a, (size_t)l, (size_t)r);
    if (!p)
        p = pair_add(a, (size_t)l, (size_t)r);
    if (p)
        begin_stream(a, p, stream, now_ns);
    ice_run(a, now_ns);
}

void ice_closed(struct ice *a, uint32_t stream, uint64_t now_ns)
{
    struct ice_pair *p = pair_on_stream(a, stream);
    if (p)
        pair_fail(p, "connection closed", 0);
    ice_run(a, now_ns);
}

void ice_sent(struct ice *a, uint32_t stream, uint64_t now_ns)
{
    struct ice_pair *p = pair_on_stream(a, stream);
    if (p)
        p->sent_ns = now_ns;
}
