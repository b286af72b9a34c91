/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "models/base/bytes.h"
#include "models/ice/agent.h"

static uint64_t priority_of(const struct ice *a, const struct ice_pair *p)
{
    bool seen = p->state == PAIR_VALID && pair_is_udp(a, p);
    uint32_t ours = seen ? udp_mapped(a, p).priority : pair_local(a, p)->priority, theirs = pair_remote(a, p)->priority;
    return a->controlling ? ice_pair_priority(ours, theirs) : ice_pair_priority(theirs, ours);
}

void pairs_set_priorities(struct ice *a)
{
    for (size_t i = 0; i < a->pair_count; i++)
        a->pair[i].priority = priority_of(a, &a->pair[i]);
}

/* A place for one more. When the list is full the least important pair that nothing has happened to yet makes
 * room (RFC 8445 6.1.2.5); indices stay, for the user has been told some. */
static struct ice_pair *place(struct ice *a, uint64_t priority)
{
    if (a->pair_count < ICE_PAIRS_MAX)
        return &a->pair[a->pair_count++];
    struct ice_pair *least = NULL;
    for (size_t i = 0; i < a->pair_count; i++) {
        struct ice_pair *p = &a->pair[i];
        bool untouched = p->state == PAIR_WAITING || p->state == PAIR_FROZEN || p->state == PAIR_EXPECTED;
        if (untouched && !p->queued && p->priority < priority && (!least || p->priority < least->priority))
            least = p;
    }
    return least;
}

struct ice_pair *pair_add(struct ice *a, size_t local, size_t remote)
{
    struct ice_pair new = {.local = (uint8_t)local, .remote = (uint8_t)remote};
    static const enum pair_state first[] = {
        [ICE_TCP_ACT] = PAIR_WAITING, [ICE_TCP_PASS] = PAIR_EXPECTED, [ICE_UDP] = PAIR_FROZEN};
    new.priority = priority_of(a, &new);
    new.state = first[pair_local(a, &new)->transport];
    a->thaw = a->thaw || pair_is_udp(a, &new);
    struct ice_pair *p = place(a, new.priority);
    if (p)
        *p = new;
    return p;
}

/* A server-reflexive candidate is its base in the list, and the base has pairs of its own (RFC 8445 6.1.2.4).
 */
static bool is_redundant(const struct ice *a, const struct ice_candidate *c)
{
    if (c->type != ICE_SRFLX)
        return false;
    struct ice_candidate base = *c;
    base.address = c->related;
    for (size_t i = 0; i < a->local_count; i++)
        if (a->local[i].type == ICE_HOST && ice_same_place(&a->local[i], &base))
            return true;
    return false;
}

/* A host candidate that comes after the reflexive one of which it is the base takes its pairs over. */
static void take_over(struct ice *a, struct ice_pair *p, size_t local)
{
    if (a->local[local].priority <= pair_local(a, p)->priority)
        return;
    p->local = (uint8_t)local;
    p->priority = priority_of(a, p);
}

static void pair_up(struct ice *a, size_t local, size_t remote)
{
    if (!ice_can_pair(&a->local[local], &a->remote[remote]) || is_redundant(a, &a->local[local]))
        return;
    bool udp = a->local[local].transport == ICE_UDP;
    struct ice_pair *known = udp ? udp_pair(a, local, remote) : NULL;
    if (known)
        take_over(a, known, local);
    else if (!udp || !a->component[a->local[local].component - 1].nominated)
        pair_add(a, local, remote);
}

void pairs_add_local(struct ice *a, size_t local)
{
    for (size_t i = 0; i < a->remote_count; i++)
        pair_up(a, local, i);
}

void pairs_add_remote(struct ice *a, size_t remote)
{
    for (size_t i = 0; i < a->local_count; i++)
        pair_up(a, i, remote);
}

struct ice_pair *pair_on_stream(struct ice *a, uint32_t stream)
{
    for (size_t i = 0; i < a->pair_count; i++)
        if (pair_has_stream(a, &a->pair[i]) && a->pair[i].stream == stream)
            return &a->pair[i];
    return NULL;
}

struct ice_pair *pair_expecting(struct ice *a, size_t local, size_t remote)
{
    for (size_t i = 0; i < a->pair_count; i++) {
        struct ice_pair *p = &a->pair[i];
        if (p->state == PAIR_EXPECTED && p->local == local && p->remote == remote)
            return p;
    }
    return NULL;
}

static bool same_foundation(const struct ice *a, const struct ice_pair *p, const struct ice_pair *q)
{
    return strcmp(pair_local(a, p)->foundation, pair_local(a, q)->foundation) == 0 &&
           strcmp(pair_remote(a, p)->foundation, pair_remote(a, q)->foundation) == 0;
}

/* While one of a foundation is being tried, the others wait for how it goes (RFC 8445 6.1.4.2). */
static bool is_frozen(const struct ice *a, const struct ice_pair *p)
{
    for (size_t i = 0; i < a->pair_count; i++) {
        const struct ice_pair *q = &a->pair[i];
        if ((q->state == PAIR_OPENING || q->state == PAIR_CHECKING) && same_foundation(a, p, q))
            return true;
    }
    return false;
}

/* Has anything of p's foundation one of these states? */
static bool foundation_has(const struct ice *a, const struct ice_pair *p, unsigned states)
{
    for (size_t i = 0; i < a->pair_count; i++) {
        const struct ice_pair *q = &a->pair[i];
        if ((1u << q->state & states) && pair_is_udp(a, q) && same_foundation(a, p, q))
            return true;
    }
    return false;
}

enum {
    BUSY = 1u << PAIR_WAITING | 1u << PAIR_CHECKING,
    TRIED = BUSY | 1u << PAIR_VALID | 1u << PAIR_FAILED,
};

/* Of a foundation that nothing was tried of: the lowest component, then the highest priority. */
static bool is_first_of_foundation(const struct ice *a, const struct ice_pair *p)
{
    for (size_t i = 0; i < a->pair_count; i++) {
        const struct ice_pair *q = &a->pair[i];
        int order = pair_local(a, q)->component - pair_local(a, p)->component;
        bool before = order < 0 || (order == 0 && (q->priority > p->priority || (q->priority == p->priority && q < p)));
        if (q != p && q->state == PAIR_FROZEN && before && same_foundation(a, p, q))
            return false;
    }
    return true;
}

void pairs_thaw(struct ice *a)
{
    a->thaw = false;
    for (size_t i = 0; i < a->pair_count; i++) {
        struct ice_pair *p = &a->pair[i];
        if (p->state != PAIR_FROZEN)
            continue;
        if (foundation_has(a, p, 1u << PAIR_VALID) ||
            (!foundation_has(a, p, TRIED) && is_first_of_foundation(a, p)))
            p->state = PAIR_WAITING;
    }
}

static bool may_begin(const struct ice *a, const struct ice_pair *p, enum pair_state state)
{
    if (p->state != state)
        return false;
    if (state == PAIR_FROZEN) /* nothing waits: one of each foundation that rests (RFC 8445 6.1.4.2) */
        return !foundation_has(a, p, BUSY);
    return pair_is_udp(a, p) || !is_frozen(a, p);
}

struct ice_pair *pair_to_open(struct ice *a)
{
    static const enum pair_state order[] = {PAIR_WAITING, PAIR_FROZEN};
    struct ice_pair *best = NULL;
    for (size_t turn = 0; turn < 2 && !best; turn++) {
        for (size_t i = 0; i < a->pair_count; i++) {
            struct ice_pair *p = &a->pair[i];
            if ((!best || p->priority > best->priority) && may_begin(a, p, order[turn]))
                best = p;
        }
    }
    return best;
}

struct ice_pair *pair_triggered(struct ice *a)
{
    struct ice_pair *first = NULL;
    for (size_t i = 0; i < a->pair_count; i++) {
        struct ice_pair *p = &a->pair[i];
        if (p->queued && (pair_is_udp(a, p) || pair_has_stream(a, p)) && (!first || p->queued < first->queued))
            first = p;
    }
    return first;
}

struct ice_pair *pair_best_valid(struct ice *a, unsigned component, bool *rivals)
{
    struct ice_pair *best = NULL;
    uint64_t hoped = 0;
    for (size_t i = 0; i < a->pair_count; i++) {
        struct ice_pair *p = &a->pair[i];
        if (pair_local(a, p)->component != component || p->state == PAIR_FAILED)
            continue;
        if (p->state != PAIR_VALID)
            hoped = p->priority > hoped ? p->priority : hoped;
        else if (!best || p->priority > best->priority)
            best = p;
    }
    *rivals = best && hoped > best->priority;
    return best;
}

bool pairs_have_hope(const struct ice *a)
{
    if (a->pair_count == 0)
        return true; /* candidates may come late */
    for (size_t i = 0; i < a->pair_count; i++)
        if (a->pair[i].state != PAIR_FAILED)
            return true;
    for (size_t i = 0; i < a->local_count; i++)
        if (a->local[i].transport != ICE_TCP_ACT)
            return true; /* they may connect or ask from where we do not expect it */
    return false;
}

static const char *fate_of(const struct ice_pair *p)
{
    static const char *const fate[] = {
        [PAIR_WAITING] = "not tried",           [PAIR_FROZEN] = "not tried",
        [PAIR_OPENING] = "still connecting",    [PAIR_EXPECTED] = "no connection came",
        [PAIR_CHECKING] = "still checking",     [PAIR_VALID] = "valid, never nominated",
    };
    return p->state == PAIR_FAILED ? p->why : fate[p->state];
}

void pairs_describe(struct ice *a)
{
    struct text t = text_of(a->text, sizeof a->text);
    text_add(&t, "no candidate pair works; tried %zu", a->pair_count);
    for (size_t i = 0; i < a->pair_count; i++) {
        const struct ice_pair *p = &a->pair[i];
        char ours[ENDPOINT_TEXT], theirs[ENDPOINT_TEXT];
        endpoint_text(&pair_local(a, p)->address, ours);
        endpoint_text(&pair_remote(a, p)->address, theirs);
        bool active = pair_local(a, p)->transport != ICE_TCP_PASS;
        text_add(&t, "%s %s to %s: %s", i ? "," : ":", active ? ours : theirs, active ? theirs : ours,
                 fate_of(p));
        if (p->code)
            text_add(&t, " %d", p->code);
    }
}
