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

static void fail_pair(struct ice_pair *p, const char *why, int code)
{
    p->state = PAIR_FAILED;
    p->queued = 0;
    p->why = why;
    p->code = code;
}

static void trigger(struct ice *a, struct ice_pair *p)
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
        if (p->state != PAIR_FAILED && !pair_has_stream(p))
            fail_pair(p, "not needed", 0);
    }
}

/* Something has become true of a pair: is it valid now, is it the one? */
static void settle(struct ice *a, struct ice_pair *p, uint64_t now_ns)
{
    struct ice_component *c = pair_component(a, p);
    if (p->state == PAIR_CHECKING && p->answered && p->we_answered) {
        p->state = PAIR_VALID;
        c->first_valid_ns = time_min(c->first_valid_ns, now_ns);
        event_pair(a, ICE_VALID, p);
    }
    if (p->state == PAIR_VALID && p->use && !c->nominated) {
        c->nominated = p;
        event_pair(a, ICE_NOMINATED, p);
        retire_others(a, p);
    }
}

static void switch_role(struct ice *a)
{
    a->controlling = !a->controlling;
    pairs_set_priorities(a);
    for (size_t i = 0; i < a->pair_count; i++)
        a->pair[i].chosen = a->pair[i].use = false;
}

static void send_check(struct ice *a, struct ice_pair *p, uint64_t now_ns)
{
    struct ice_check c = {
        .priority = ice_check_priority(pair_local(a, p)),
        .use_candidate = a->cfg.use_candidate_always || p->chosen,
        .controlling = a->controlling,
        .tie_breaker = a->tie_breaker,
    };
    snprintf(c.username, sizeof c.username, "%s:%s", a->remote_ufrag, a->cfg.ufrag);
    snprintf(c.candidate_id, sizeof c.candidate_id, "%s", a->cfg.candidate_id ? a->cfg.candidate_id : "");
    p->queued = 0;
    p->asked = true;
    p->asked_controlling = a->controlling;
    p->asked_use = a->controlling && c.use_candidate;
    p->id = stun_new_id(&stun_ms_ice2, &a->rng);
    p->deadline_ns = now_ns + a->cfg.check_timeout_ns;
    struct ice_queued *q = event_send(a, p, "Binding request", 0, now_ns);
    q->event.len = ice_check_encode(&c, &p->id, a->remote_pwd, q->bytes);
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
static bool is_timed(const struct ice_pair *p)
{
    return !p->queued && (p->state == PAIR_CHECKING || (p->state == PAIR_VALID && p->asked));
}

static void expire(struct ice *a, uint64_t now_ns)
{
    for (size_t i = 0; i < a->pair_count; i++) {
        struct ice_pair *p = &a->pair[i];
        if (is_timed(p) && now_ns >= p->deadline_ns)
            fail_pair(p, p->asked ? "no answer to the check" : "no check from the peer", 0);
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

/* Regular nomination (RFC 8445 8.1.1): the best valid pair, as soon as no better one can come or it took too
 * long. Returns when to look again. */
static uint64_t nominate(struct ice *a, uint64_t now_ns)
{
    uint64_t again_ns = TIME_NEVER;
    for (unsigned i = 0; a->controlling && i < ICE_COMPONENTS_MAX; i++) {
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
        trigger(a, best);
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
    if (triggered) {
        send_check(a, p, now_ns);
    } else {
        p->state = PAIR_OPENING;
        event_pair(a, ICE_OPEN, p);
    }
    return pair_triggered(a) || pair_to_open(a) ? a->next_check_ns : TIME_NEVER;
}

static void keep_alive(struct ice *a, struct ice_pair *p, uint64_t now_ns)
{
    struct stun_id id = stun_new_id(&stun_ms_ice2, &a->rng);
    struct ice_queued *q = event_send(a, p, "Binding indication", 0, now_ns);
    q->event.len = ice_indication_encode(&id, q->bytes);
}

/* The timers of pairs: keep-alives are sent; returns the earliest. */
static uint64_t pair_timers(struct ice *a, uint64_t now_ns)
{
    uint64_t at = TIME_NEVER;
    for (size_t i = 0; i < a->pair_count; i++) {
        struct ice_pair *p = &a->pair[i];
        if (is_timed(p))
            at = time_min(at, p->deadline_ns);
        if (p->state != PAIR_VALID || pair_component(a, p)->nominated != p)
            continue;
        if (now_ns >= p->sent_ns + KEEP_ALIVE)
            keep_alive(a, p, now_ns);
        at = time_min(at, p->sent_ns + KEEP_ALIVE);
    }
    return at;
}

/* Does all that is due and says when the next thing is. */
static void run(struct ice *a, uint64_t now_ns)
{
    a->wake_ns = TIME_NEVER;
    if (a->failed)
        return;
    expire(a, now_ns);
    uint64_t at = nominate(a, now_ns);
    at = time_min(at, pace(a, now_ns));
    at = time_min(at, pair_timers(a, now_ns));
    if (a->started && !is_done(a)) {
        if (now_ns >= a->give_up_ns || !pairs_have_hope(a)) {
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
    run(a, now_ns);
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

static long find_candidate(const struct ice_candidate *list, size_t n, const struct ice_candidate *c)
{
    for (size_t i = 0; i < n; i++)
        if (ice_same_place(&list[i], c))
            return (long)i;
    return -1;
}

/* Those that were signalled and those that were learned have their room each: strangers cannot crowd out an
 * answer. */
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
    if (find_candidate(a->local, a->local_count, c) >= 0)
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
    long known = find_candidate(a->remote, a->remote_count, c);
    if (known >= 0) {
        /* It connected before its candidate arrived: it is what the candidate says, not peer-reflexive. */
        if (a->remote[known].type == ICE_PRFLX) {
            a->remote[known] = *c;
            pairs_set_priorities(a);
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
    run(a, now_ns);
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
        fail_pair(p, "the same connection as another pair's", 0);
    } else {
        begin_stream(a, p, stream, now_ns);
        send_check(a, p, now_ns);
    }
    run(a, now_ns);
}

void ice_open_failed(struct ice *a, size_t pair, uint64_t now_ns)
{
    assert(pair < a->pair_count);
    if (a->pair[pair].state == PAIR_OPENING)
        fail_pair(&a->pair[pair], "could not connect", 0);
    run(a, now_ns);
}

/* Our passive candidate at this address: itself, or its base; failing that the first, for a relay behind a
 * 1:1 NAT does not know the address that it is called by. -1: there is none. */
static long passive_at(const struct ice *a, const struct endpoint *local)
{
    long first = -1, based = -1;
    for (long i = a->local_count - 1; i >= 0; i--) {
        const struct ice_candidate *c = &a->local[i];
        if (c->tcp != ICE_TCP_PASS)
            continue;
        if (endpoint_equal(&c->address, local))
            return i;
        if (endpoint_equal(&c->related, local))
            based = i;
        first = i;
    }
    return based >= 0 ? based : first;
}

/* The active candidate at this address: as signalled, or peer-reflexive (RFC 8445 7.3.1.3). -1: too many. */
static long active_at(struct ice *a, const struct endpoint *remote, uint8_t component)
{
    struct ice_candidate c = {
        .type = ICE_PRFLX, .tcp = ICE_TCP_ACT, .component = component, .address = *remote};
    long known = find_candidate(a->remote, a->remote_count, &c);
    if (known >= 0 || count_remotes(a, true) == ICE_CANDIDATES_MAX)
        return known;
    c.priority = ice_priority(ICE_PRFLX, ICE_TCP_ACT, component); /* until its check says */
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
    long r = l < 0 ? -1 : active_at(a, remote, a->local[l].component);
    if (r < 0)
        return; /* the stream is nobody's: what comes on it is dropped */
    struct ice_pair *p = pair_expecting(a, (size_t)l, (size_t)r);
    if (!p)
        p = pair_add(a, (size_t)l, (size_t)r);
    if (p)
        begin_stream(a, p, stream, now_ns);
    run(a, now_ns);
}

void ice_closed(struct ice *a, uint32_t stream, uint64_t now_ns)
{
    struct ice_pair *p = pair_on_stream(a, stream);
    if (p)
        fail_pair(p, "connection closed", 0);
    run(a, now_ns);
}

void ice_sent(struct ice *a, uint32_t stream, uint64_t now_ns)
{
    struct ice_pair *p = pair_on_stream(a, stream);
    if (p)
        p->sent_ns = now_ns;
}

/* ---- messages ---- */

static bool is_for_us(const struct ice *a, const struct stun_msg *m)
{
    const char *name;
    size_t len, ours = strlen(a->cfg.ufrag);
    return stun_get_text(m, ATTR_USERNAME, &name, &len) == 0 && len > ours &&
           memcmp(name, a->cfg.ufrag, ours) == 0 && name[ours] == ':';
}

/* Two of one role: the larger tie-breaker is to control (RFC 8445 7.3.1.1). */
static bool must_they_switch(const struct ice *a, const struct ice_check *c)
{
    return c->controlling == a->controlling && a->controlling == (a->tie_breaker >= c->tie_breaker);
}

/* 0, or the code of the error response: RFC 8489 9.1.3 and 6.3.1, then RFC 8445 7.3. */
static int judge(const struct ice *a, const struct stun_msg *m, struct ice_check *c)
{
    struct stun_attr username;
    uint16_t unknown;
    int mac = stun_check_integrity(m, a->cfg.pwd, strlen(a->cfg.pwd));
    if (mac == E_NOT_FOUND || !stun_find(m, ATTR_USERNAME, &username))
        return 400;
    if (mac != 0 || !is_for_us(a, m))
        return 401;
    if (stun_unknown(m, &unknown, 1) > 0)
        return 420;
    if (ice_check_decode(m, c) != 0)
        return 400;
    return must_they_switch(a, c) ? 487 : 0;
}

/* What a check tells of a candidate that no SDP named. */
static void learn(struct ice *a, struct ice_pair *p, const struct ice_check *c)
{
    struct ice_candidate *remote = &a->remote[p->remote];
    if (remote->type != ICE_PRFLX)
        return;
    remote->priority = c->priority;
    if (*c->candidate_id)
        memcpy(remote->foundation, c->candidate_id, sizeof remote->foundation);
    pairs_set_priorities(a);
}

static void take_request(struct ice *a, struct ice_pair *p, const struct stun_msg *m, uint64_t now_ns)
{
    struct ice_check c;
    int code = judge(a, m, &c);
    if (code) {
        struct ice_queued *q = event_send(a, p, "Binding error", code, now_ns);
        bool known = code != 400 && code != 401;
        q->event.len = ice_error_encode(m, code, known ? a->cfg.pwd : NULL, q->bytes);
        return;
    }
    if (c.controlling == a->controlling)
        switch_role(a);
    struct ice_queued *q = event_send(a, p, "Binding success", 0, now_ns);
    q->event.len = ice_success_encode(m, &pair_remote(a, p)->address, a->cfg.pwd, q->bytes);
    learn(a, p, &c);
    p->we_answered = true;
    if (c.use_candidate && c.controlling)
        p->use = true;
    if (p->state == PAIR_CHECKING && !p->asked)
        p->deadline_ns = now_ns + a->cfg.check_timeout_ns;
    if (!p->asked && !p->answered && !pair_component(a, p)->nominated)
        trigger(a, p);
    settle(a, p, now_ns);
}

static void take_success(struct ice *a, struct ice_pair *p, const struct stun_msg *m, uint64_t now_ns)
{
    struct endpoint mapped;
    if (stun_get_address(m, ATTR_XOR_MAPPED_ADDRESS, &mapped) != 0)
        return;
    p->asked = false;
    p->answered = true;
    p->use = p->use || (p->asked_use && a->controlling);
    p->deadline_ns = now_ns + a->cfg.check_timeout_ns;
    settle(a, p, now_ns);
}

static void take_error(struct ice *a, struct ice_pair *p, const struct stun_msg *m)
{
    int code;
    const char *reason;
    size_t reason_len;
    if (stun_get_error(m, &code, &reason, &reason_len) != 0)
        return;
    p->asked = false;
    if (code != 487) {
        fail_pair(p, "Binding error", code);
        return;
    }
    if (a->controlling == p->asked_controlling) {
        switch_role(a);
        a->tie_breaker = rng_u64(&a->rng); /* RFC 8445 7.2.5.1 */
    }
    trigger(a, p);
}

/* Is it the answer to our check, from who knows the password? A 400 or 401 is from who could not tell. */
static bool is_answer(const struct ice *a, const struct ice_pair *p, const struct stun_msg *m)
{
    if (!p->asked || memcmp(p->id.b, m->id.b, sizeof p->id.b) != 0)
        return false;
    int mac = stun_check_integrity(m, a->remote_pwd, strlen(a->remote_pwd)), code;
    const char *reason;
    size_t reason_len;
    bool unkeyed = m->cls == STUN_ERROR && stun_get_error(m, &code, &reason, &reason_len) == 0 &&
                   (code == 400 || code == 401);
    return mac == 0 || (mac == E_NOT_FOUND && unkeyed);
}

bool ice_input(struct ice *a, uint32_t stream, const uint8_t *frame, size_t len, uint64_t now_ns)
{
    if (!stun_looks_like(frame, len))
        return false;
    struct ice_pair *p = pair_on_stream(a, stream);
    struct stun_msg m;
    if (a->failed || !p || ice_message_parse(frame, len, &m) != 0)
        return true;
    if (m.cls == STUN_REQUEST)
        take_request(a, p, &m, now_ns);
    else if (m.cls == STUN_SUCCESS && is_answer(a, p, &m))
        take_success(a, p, &m, now_ns);
    else if (m.cls == STUN_ERROR && is_answer(a, p, &m))
        take_error(a, p, &m);
    run(a, now_ns);
    return true;
}
