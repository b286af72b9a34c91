/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the peer's messages do to an agent: first what both transports share, then streams, then datagrams. */
#include <string.h>

#include "models/base/err.h"
#include "models/ice/agent.h"

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

/* Only who knows the password is told that it does (RFC 8489 9.1.4). */
static const char *answer_key(const struct ice *a, int code)
{
    return code == 400 || code == 401 ? NULL : a->cfg.pwd;
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
        q->event.len = ice_error_encode(m, code, answer_key(a, code), q->bytes);
        return;
    }
    if (c.controlling == a->controlling)
        ice_switch_role(a);
    struct ice_queued *q = event_send(a, p, "Binding success", 0, now_ns);
    q->event.len = ice_success_encode(m, &pair_remote(a, p)->address, a->cfg.pwd, q->bytes);
    learn(a, p, &c);
    p->we_answered = true;
    if (c.use_candidate && c.controlling)
        p->use = true;
    if (p->state == PAIR_CHECKING && !p->asked)
        p->deadline_ns = now_ns + a->cfg.check_timeout_ns;
    if (!p->asked && !p->answered && !pair_component(a, p)->nominated)
        pair_trigger(a, p);
    pair_settle(a, p, now_ns);
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
    p->mapped = mapped;
    pair_settle(a, p, now_ns);
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
        pair_fail(p, "Binding error", code);
        return;
    }
    if (a->controlling == p->asked_controlling) {
        ice_switch_role(a);
        a->tie_breaker = rng_u64(&a->rng); /* RFC 8445 7.2.5.1 */
    }
    pair_trigger(a, p);
}

/* Is it from who knows the password? A 400 or 401 is from who could not tell. */
static bool is_genuine(const struct ice *a, const struct stun_msg *m)
{
    int mac = stun_check_integrity(m, a->remote_pwd, strlen(a->remote_pwd)), code;
    const char *reason;
    size_t reason_len;
    bool unkeyed = m->cls == STUN_ERROR && stun_get_error(m, &code, &reason, &reason_len) == 0 &&
                   (code == 400 || code == 401);
    return mac == 0 || (mac == E_NOT_FOUND && unkeyed);
}

static bool is_same_id(const struct stun_id *a, const struct stun_id *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

static bool is_answer(const struct ice *a, const struct ice_pair *p, const struct stun_msg *m)
{
    return p->asked && is_same_id(&p->id, &m->id) && is_genuine(a, m);
}

bool ice_input(struct ice *a, uint32_t stream, const uint8_t *frame, size_t len, uint64_t now_ns)
{
    if (!stun_looks_like(frame, len))
        return false;
    struct ice_pair *p = pair_on_stream(a, stream);
    struct stun_msg m;
    if (a->failed || !p || ice_message_parse(a->dialect, frame, len, &m) != 0)
        return true;
    if (m.cls == STUN_REQUEST)
        take_request(a, p, &m, now_ns);
    else if (m.cls == STUN_SUCCESS && is_answer(a, p, &m))
        take_success(a, p, &m, now_ns);
    else if (m.cls == STUN_ERROR && is_answer(a, p, &m))
        take_error(a, p, &m);
    ice_run(a, now_ns);
    return true;
}

/* ---- over UDP ---- */

static struct ice_queued *reply(struct ice *a, size_t local, const struct endpoint *remote, int code)
{
    return event_reply(a, local, remote, code ? "Binding error" : "Binding success", code);
}

/* The pair of a check that came in: what of it was not known is learned (RFC 8445 7.3.1.3). NULL: too much, or it is
 * of no use any more. */
static struct ice_pair *pair_of_check(struct ice *a, size_t local, const struct endpoint *remote,
                                      const struct ice_check *c)
{
    if (a->component[a->local[local].component - 1].nominated)
        return NULL;
    long r = ice_learn_remote(a, ICE_UDP, remote, a->local[local].component, c->priority);
    if (r < 0)
        return NULL;
    struct ice_pair *p = udp_pair(a, local, (size_t)r);
    return p ? p : pair_add(a, local, (size_t)r);
}

static void take_udp_request(struct ice *a, size_t local, const struct endpoint *remote, const struct stun_msg *m,
                             uint64_t now_ns)
{
    struct ice_check c;
    int code = judge(a, m, &c);
    struct ice_queued *q = reply(a, local, remote, code);
    if (code) {
        q->event.len = ice_error_encode(m, code, answer_key(a, code), q->bytes);
        return;
    }
    q->event.len = ice_success_encode(m, remote, a->cfg.pwd, q->bytes);
    if (c.controlling == a->controlling)
        ice_switch_role(a);
    struct ice_pair *p = pair_of_check(a, local, remote, &c);
    if (!p)
        return;
    learn(a, p, &c);
    p->we_answered = true;
    if (c.use_candidate && c.controlling)
        p->use = true;
    udp_trigger(a, p);
    pair_settle(a, p, now_ns);
}

/* Whose outstanding request this answers; NULL: none's. */
static struct ice_pair *udp_asker(struct ice *a, const struct stun_msg *m)
{
    for (size_t i = 0; i < a->pair_count; i++) {
        struct ice_pair *p = &a->pair[i];
        bool asked = p->asked && is_same_id(&p->id, &m->id);
        bool cancelled = p->was_cancelled && m->cls == STUN_SUCCESS && is_same_id(&p->cancelled, &m->id);
        if (pair_is_udp(a, p) && (asked || cancelled))
            return p;
    }
    return NULL;
}

static void take_udp_answer(struct ice *a, size_t local, const struct endpoint *remote, const struct stun_msg *m,
                            uint64_t now_ns)
{
    if (!is_genuine(a, m) || (m->cls == STUN_SUCCESS && consent_answered(a, m, now_ns)))
        return;
    struct ice_pair *p = udp_asker(a, m);
    if (!p)
        return;
    p->was_cancelled = false;
    if (!endpoint_equal(ice_base(&a->local[local]), ice_base(pair_local(a, p))) ||
        !endpoint_equal(remote, &pair_remote(a, p)->address)) {
        udp_fail(a, p, "the answer came from elsewhere", 0); /* RFC 8445 7.2.5.2.1 */
    } else if (m->cls == STUN_ERROR) {
        take_error(a, p, m);
    } else {
        if (p->state != PAIR_VALID)
            p->state = PAIR_CHECKING; /* also when it waited to be asked anew */
        p->queued = 0;
        take_success(a, p, m, now_ns);
    }
}

bool ice_datagram(struct ice *a, const struct endpoint *base, const struct endpoint *remote, const uint8_t *data,
                  size_t len, uint64_t now_ns)
{
    if (!stun_looks_like(data, len))
        return false;
    long local = udp_local_at(a, base);
    struct stun_msg m;
    if (a->failed || local < 0 || ice_message_parse(a->dialect, data, len, &m) != 0)
        return true;
    if (m.cls == STUN_REQUEST)
        take_udp_request(a, (size_t)local, remote, &m, now_ns);
    else if (m.cls != STUN_INDICATION)
        take_udp_answer(a, (size_t)local, remote, &m, now_ns);
    ice_run(a, now_ns);
    return true;
}
