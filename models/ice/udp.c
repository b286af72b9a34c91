/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What only pairs over UDP need: finding them by addresses, sending again, what a NAT has made of our address. */
#include <string.h>

#include "models/base/time.h"
#include "models/ice/agent.h"

enum { RC = 7, RM = 16 };      /* RFC 8489 6.2.1 */
#define RTO_LEAST (500 * NS_MS) /* RFC 8445 14.3 */
#define TA (50 * NS_MS)

static bool is_at(const struct ice_candidate *c, const struct endpoint *base)
{
    return c->transport == ICE_UDP && endpoint_equal(ice_base(c), base);
}

long udp_local_at(const struct ice *a, const struct endpoint *base)
{
    long found = -1;
    for (long i = 0; i < a->local_count; i++)
        if (is_at(&a->local[i], base) && (found < 0 || a->local[i].priority > a->local[found].priority))
            found = i;
    return found;
}

struct ice_pair *udp_pair(struct ice *a, size_t local, size_t remote)
{
    for (size_t i = 0; i < a->pair_count; i++) {
        struct ice_pair *p = &a->pair[i];
        if (p->remote == remote && pair_local(a, p)->component == a->local[local].component &&
            is_at(pair_local(a, p), ice_base(&a->local[local])))
            return p;
    }
    return NULL;
}

struct ice_candidate udp_mapped(const struct ice *a, const struct ice_pair *p)
{
    const struct ice_candidate *local = pair_local(a, p);
    if (!p->mapped.port || endpoint_equal(&p->mapped, &local->address))
        return *local;
    for (size_t i = 0; i < a->local_count; i++) {
        const struct ice_candidate *c = &a->local[i];
        if (c->component == local->component && is_at(c, ice_base(local)) && endpoint_equal(&c->address, &p->mapped))
            return *c;
    }
    return (struct ice_candidate){.foundation = "prflx",
                                  .component = local->component,
                                  .type = ICE_PRFLX,
                                  .transport = ICE_UDP,
                                  .priority = ice_check_priority(local),
                                  .address = p->mapped,
                                  .related = *ice_base(local)};
}

/* RFC 8445 14.3: with many checks under way each may take longer. N there is of a set of check lists; an agent has one,
 * so it is 1, as in RFC 5245. */
static uint64_t rto(const struct ice *a)
{
    uint64_t n = 0;
    for (size_t i = 0; i < a->pair_count; i++)
        n += pair_is_udp(a, &a->pair[i]) &&
             (a->pair[i].state == PAIR_WAITING || a->pair[i].state == PAIR_CHECKING);
    return n * TA > RTO_LEAST ? n * TA : RTO_LEAST;
}

void udp_begin_check(struct ice *a, struct ice_pair *p, uint64_t now_ns)
{
    if (p->state != PAIR_VALID)
        p->state = PAIR_CHECKING;
    p->sends = 1;
    p->rto_ns = rto(a);
    p->deadline_ns = now_ns + p->rto_ns;
}

void udp_trigger(struct ice *a, struct ice_pair *p)
{
    if (p->state == PAIR_VALID)
        return;
    if (p->asked) { /* it may have been lost on a way that is open by now: not waited for, but still good */
        p->was_cancelled = true;
        p->cancelled = p->id;
        p->asked = false;
    }
    p->state = PAIR_WAITING;
    pair_trigger(a, p);
}

/* RFC 8445 7.2.5.3.4: it cannot be known whether the peer has the nominated pair, so nothing else may be nominated. */
void udp_fail(struct ice *a, struct ice_pair *p, const char *why, int code)
{
    a->refused = a->refused || (p->chosen && p->asked);
    pair_fail(p, why, code);
}

void udp_retransmit(struct ice *a, uint64_t now_ns)
{
    for (size_t i = 0; i < a->pair_count; i++) {
        struct ice_pair *p = &a->pair[i];
        if (!pair_is_udp(a, p) || !p->asked || now_ns < p->deadline_ns)
            continue;
        if (p->sends == RC) {
            udp_fail(a, p, "no answer to the check", 0);
            continue;
        }
        p->sends++;
        p->deadline_ns = now_ns + (p->sends == RC ? RM * p->rto_ns : p->rto_ns << (p->sends - 1));
        pair_send_check(a, p, now_ns);
    }
}
