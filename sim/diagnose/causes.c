/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of causes in the order of a call: what fails early explains what does not come later. */
#include "sim/diagnose/causes.h"

#include <inttypes.h>
#include <string.h>

#include "models/base/time.h"
#include "sim/diagnose/judging.h"

/* ---- findings ---- */

double judging_seconds(uint64_t t_ns)
{
    return (double)t_ns / (double)NS_S;
}

static struct finding *find_alike(struct judging *j, const struct endpoint *client, const struct endpoint *server)
{
    for (size_t i = 0; i < j->out->findings; i++) {
        struct finding *f = &j->out->finding[i];
        if (f->cause == j->cause && ip_equal(&f->client.ip, &client->ip) && endpoint_equal(&f->server, server))
            return f;
    }
    return NULL;
}

struct finding *judging_find(struct judging *j, const struct leg *l, const char *fmt, ...)
{
    static const struct endpoint nobody;
    const struct endpoint *client = l ? leg_client(l) : &nobody, *server = l ? leg_server(l) : &nobody;
    struct finding *f = find_alike(j, client, server);
    if (f) {
        f->times++;
        return NULL;
    }
    if (j->out->findings == FINDINGS) {
        j->out->findings_left_out++;
        return NULL;
    }
    f = &j->out->finding[j->out->findings++];
    *f = (struct finding){.cause = j->cause, .times = 1, .client = *client, .server = *server};
    if (l && j->cause->way != WAY_NOT_BLAMED)
        f->blamed = (struct blamed){l->proto, *client, *server, j->cause->way == WAY_IDLE};
    struct text t = text_of(f->saw, sizeof f->saw);
    va_list ap;
    va_start(ap, fmt);
    text_vadd(&t, fmt, ap);
    va_end(ap);
    return f;
}

static void add_evidence(struct finding *f, struct evidence e, const char *fmt, va_list ap)
{
    if (!f || f->evidences == EVIDENCE)
        return;
    struct text t = text_of(e.text, sizeof e.text);
    text_vadd(&t, fmt, ap);
    f->evidence[f->evidences++] = e;
}

void judging_show(struct finding *f, struct mark at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (at.frame)
        add_evidence(f, (struct evidence){.at = at}, fmt, ap);
    va_end(ap);
}

void judging_show_line(struct finding *f, size_t line, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add_evidence(f, (struct evidence){.line = line}, fmt, ap);
    va_end(ap);
}

void judging_doubt(struct judging *j, const char *fmt, ...)
{
    char saw[SENTENCE];
    struct text t = text_of(saw, sizeof saw);
    va_list ap;
    va_start(ap, fmt);
    text_vadd(&t, fmt, ap);
    va_end(ap);
    for (size_t i = 0; i < j->out->doubts; i++)
        if (strcmp(j->out->doubt[i], saw) == 0)
            return;
    if (j->out->doubts < DOUBTS)
        memcpy(j->out->doubt[j->out->doubts++], saw, sizeof saw);
}

/* ---- questions that judges share ---- */

bool judging_passed(const struct judging *j, struct mark since, uint64_t seconds)
{
    return j->story->last.t_ns >= since.t_ns + seconds * NS_S;
}

bool judging_private(const struct ip_addr *ip)
{
    if (ip->family != IP_V4)
        return ip->family == IP_V6 && (ip->b[0] & 0xfe) == 0xfc;
    return ip->b[0] == 10 || (ip->b[0] == 172 && ip->b[1] >> 4 == 1) || (ip->b[0] == 192 && ip->b[1] == 168);
}

bool judging_over(const struct leg *l)
{
    return l->rst.frame || l->side[0].fin.frame || l->side[1].fin.frame;
}

uint64_t judging_end(const struct judging *j, const struct leg *l)
{
    uint64_t end = j->story->last.t_ns;
    const struct mark *ends[] = {&l->rst, &l->side[0].fin, &l->side[1].fin};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends[i]->frame && ends[i]->t_ns < end)
            end = ends[i]->t_ns;
    return end;
}

bool judging_works(const struct leg *l)
{
    return checks_complete(l) || (l->side[0].payload && l->side[1].payload);
}

bool judging_call_works(const struct judging *j, const struct leg *control)
{
    for (size_t i = 0; i < j->story->attempts; i++) {
        const struct attempt *a = j->story->attempt[i];
        if (a->control == control && a->leg && a->leg->attempt == a && judging_works(a->leg))
            return true;
    }
    return false;
}

/* ---- the table ---- */

static const struct row {
    struct cause cause;
    void (*judge)(struct judging *j);
} rows[] = {
    {{"attendee-cannot-share", "the conference lets only presenters share, and this one is an attendee",
      "make the attendee a presenter: by default not everybody may share in a Skype for Business meeting. Relay and "
      "firewalls have nothing to do with it",
      WAY_NOT_BLAMED},
     judge_attendee},
    {{"way-back-blocked", "answers do not come back to who opened the connection",
      "check the way back: default gateway and routes of the host that answers (with two interfaces: on the wrong "
      "one), NAT that translates one way only, a firewall that sees one direction",
      WAY_BLAMED},
     judge_way_back},
    {{"turn-port-blocked", "nothing answers at the TURN server's port",
      "check the firewall between the two: the port table's row \"TURN control\", TCP from the client (ports above "
      "1023) to the TURN server's port, 3478 by default, and its way back; then routing, and whether the server is "
      "up. `turnproof check` names the line of a rule set",
      WAY_BLAMED},
     judge_port_blocked},
    {{"turn-port-refused", "the TURN server's port refuses connections",
      "check whether TURN services are on at the server and listen on that address and port; whether a firewall "
      "answers with RST in its place",
      WAY_BLAMED},
     judge_port_refused},
    {{"tls-instead-of-stun", "the client begins TLS where the server speaks plain TURN",
      "check transport and port of the TURN server as the client has them: TURN over TLS has a port of its own, "
      "3478 is plain",
      WAY_NOT_BLAMED},
     judge_tls},
    {{"server-does-not-speak-turn", "what answers at that port is no TURN server",
      "check address and port of the TURN server: a web server or a TLS service listens there, such as an "
      "administration interface or a web proxy on 443",
      WAY_NOT_BLAMED},
     judge_not_turn},
    {{"allocate-unanswered", "Allocate gets no answer",
      "check over UDP the port table's row UDP 3478, there and back; over TCP a box in between that takes "
      "connections without a TURN server behind it; then whether the server serves TURN clients on that address",
      WAY_BLAMED},
     judge_allocate_unanswered},
    {{"wrong-realm", "the client answers for another realm than the server's",
      "check the realm as client and server have it; do not configure one at the client if it can take the server's",
      WAY_NOT_BLAMED},
     judge_wrong_realm},
    {{"wrong-credentials", "the server does not take the client's user name and password",
      "check user name and password of the TURN user, on the server and on its client; with passwords that expire, "
      "their time, and the clocks",
      WAY_NOT_BLAMED},
     judge_wrong_credentials},
    {{"no-credentials", "the client never gives credentials, and the server wants them",
      "check user name and password of the TURN server in the client's configuration",
      WAY_NOT_BLAMED},
     judge_no_credentials},
    {{"stale-nonce-loop", "the server calls each nonce stale",
      "check several servers behind one address, or a restart for each connection: the nonce of one is not known "
      "to the other; a client that does not take the new nonce",
      WAY_NOT_BLAMED},
     judge_stale_nonce},
    {{"allocate-refused", "the server refuses the allocation",
      "look at what its error code says; then at the server's log at that time",
      WAY_NOT_BLAMED},
     judge_allocate_refused},
    {{"edge-port-blocked", "nothing answers at the Skype Edge's relay port",
      "check the firewall in front of the Edge, TCP 443 to its A/V address, there and back; and what the client's own "
      "network lets out",
      WAY_BLAMED},
     judge_edge_blocked},
    {{"pseudo-tls-blocked", "the Skype client's pseudo-TLS is not answered as its Edge would",
      "check what is at port 443 between the two: a firewall that inspects TLS sees a handshake that is none and ends "
      "it; another service than the Edge's A/V relay may listen there",
      WAY_BLAMED},
     judge_pseudo_tls},
    {{"ms-allocate-unanswered", "the Skype Edge's relay does not answer",
      "check whether the Edge's A/V service runs, and the way to it: UDP 3478, TCP 443, there and back",
      WAY_BLAMED},
     judge_ms_unanswered},
    {{"ms-allocate-refused", "the Skype Edge's relay refuses its client",
      "check the credentials that the client has from MRAS (they run out, after 480 minutes by default), and the "
      "Edge's log",
      WAY_NOT_BLAMED},
     judge_ms_refused},
    {{"relay-port-blocked", "nothing answers at the relayed address",
      "check that connections from outside pass to the relay ports (24000-29999 TCP, as the port tables have it) "
      "and back, and that static NAT leads there",
      WAY_BLAMED},
     judge_relay_port},
    {{"permission-refused", "the server refuses the peer's address",
      "check which peers the server denies (private or internal ranges, its own address); the peer's address itself",
      WAY_NOT_BLAMED},
     judge_permission_refused},
    {{"permission-missing", "the relay has no permission for the peer and closes its connection",
      "have the client ask for it (CreatePermission with the peer's address) before the peer connects: RFC 6062 "
      "5.3; or the relay must not want it, as Expressway X8.9 does not",
      WAY_NOT_BLAMED},
     judge_permission},
    {{"no-connection-attempt", "the peer never reached the relayed address",
      "check the firewall in front of the relay: the port table's row \"TURN media\", TCP from any to the relay "
      "ports, 24000-29999; that it may leave on the peer's side (from 50000-59999 TCP at a Skype Edge); and that "
      "the candidate in the SDP is an address that the peer can reach: behind static NAT the public one",
      WAY_NOT_BLAMED},
     judge_no_attempt},
    {{"private-address-announced", "only addresses that the peer cannot reach are announced to it",
      "check static NAT on the host that describes itself: its public address must be configured (of Expressway-E: "
      "static NAT with the IPv4 static NAT address), and that TURN relays give the public one",
      WAY_NOT_BLAMED},
     judge_private_announced},
    {{"connect-failed", "the relay cannot connect to the peer",
      "check that the relay may open TCP connections from its relay ports to the peer's port (50000-59999 at a "
      "Skype Edge), and that the peer listens",
      WAY_NOT_BLAMED},
     judge_connect_failed},
    {{"bind-missing", "the client does not fetch the peer's connection",
      "check whether the client can open a second connection to the TURN server's port (a limit on connections, a "
      "firewall), and its own log: RFC 6062 5.4 wants ConnectionBind within 30 s",
      WAY_BLAMED},
     judge_bind_missing},
    {{"bind-late", "the client fetches the peer's connection too late",
      "check what holds the client up: a relay closes the peer's connection after 30 s (RFC 6062 5.2, 5.3)",
      WAY_NOT_BLAMED},
     judge_bind_late},
    {{"bind-refused", "the server refuses ConnectionBind",
      "check that it goes to the same server, with the same user, as Allocate did, and with a CONNECTION-ID that "
      "is still waiting: a cluster behind one address, or a load balancer, breaks that",
      WAY_NOT_BLAMED},
     judge_bind_refused},
    {{"checks-refused", "an ICE check is answered with an error",
      "check 401: user fragment and password of the SDP do not match the check, as when the SDP was changed or "
      "belongs to another call; 487: both sides keep the same role",
      WAY_NOT_BLAMED},
     judge_checks_refused},
    {{"checks-half", "the ICE checks are not complete",
      "check a pair is valid when each direction has had a Binding request and its success: look on the side that is "
      "missing, at what it gets (capture there) and at its log",
      WAY_NOT_BLAMED},
     judge_checks_half},
    {{"idle-timer", "the connection was dead after a silence",
      "check idle timers of the firewalls in between (ASA: `timeout conn`), which must be longer than what TURN is "
      "silent, up to its refresh; or a keep-alive that is shorter",
      WAY_IDLE},
     judge_idle},
    {{"data-reset", "the media connection was reset",
      "check who sent the RST: a firewall that inspects or shuts connections, the relay, or the client; its log at "
      "that time",
      WAY_IDLE},
     judge_reset},
    {{"allocation-expired", "the allocation ran out: it was not refreshed",
      "check why the client did not refresh in time; whether its Refresh gets to the server (idle timers)",
      WAY_NOT_BLAMED},
     judge_expired},
    {{"media-one-way", "media go one way only",
      "check the way of what is missing: UDP to the port in the description, through each firewall and NAT; a firewall "
      "may know the one direction and not the other",
      WAY_BLAMED},
     judge_media_one_way},
    {{"sip-idle-timer", "the signalling connection was dead after a silence",
      "check idle timers of the firewalls in between, which must be longer than signalling is silent in a call; or "
      "keep-alives (RFC 5626, session timers of RFC 4028)",
      WAY_IDLE},
     judge_sip_idle},
    {{"sip-port-blocked", "nothing answers at a SIP port",
      "check the firewall between the two: SIP 5060 and 5061, traversal 7001, the source ports of the rule too",
      WAY_BLAMED},
     judge_sip_blocked},
    {{"sip-unanswered", "a SIP request gets no answer",
      "check whether the connection still works in both directions; the other side's log at that time",
      WAY_BLAMED},
     judge_sip_unanswered},
    {{"share-refused", "the share itself is refused, in SIP",
      "look at what the SIP response and its ms-diagnostics say; the other side's log at that time",
      WAY_NOT_BLAMED},
     judge_share_refused},
    {{"request-unanswered", "a request gets no answer",
      "check whether the connection still works in both directions; the server's log at that time",
      WAY_BLAMED},
     judge_unanswered},
};
enum { ROWS = sizeof rows / sizeof *rows };

size_t causes_count(void)
{
    return ROWS;
}

const struct cause *causes_row(size_t i)
{
    return i < ROWS ? &rows[i].cause : NULL;
}

static void count(const struct judging *j)
{
    const struct story *s = j->story;
    struct diagnosis *d = j->out;
    for (const struct leg *l = s->first_leg; l; l = l->after) {
        d->count.talks += l->talk && l->talk->control;
        d->count.checked += l->proto == PROTO_TCP && !l->talk && checks_complete(l);
        if (l->talk && l->talk->allocation.granted.frame)
            *(l->talk->allocation.transport == PROTO_TCP ? &d->count.tcp_allocations : &d->count.udp_allocations) += 1;
    }
    d->count.attempts = (unsigned)s->attempts;
    for (size_t i = 0; i < s->attempts; i++) {
        const struct attempt *a = s->attempt[i];
        bool bound = a->leg && a->leg->attempt == a;
        d->count.bound += bound;
        d->count.valid += bound && judging_works(a->leg);
    }
}

void diagnose_story(const struct story *s, const struct cms_log *log, struct diagnosis *out)
{
    struct judging j = {.story = s, .log = log, .out = out};
    *out = (struct diagnosis){0};
    count(&j);
    for (size_t i = 0; i < ROWS; i++) {
        j.cause = &rows[i].cause;
        rows[i].judge(&j);
    }
    judge_what_is_not_seen(&j);
    if (out->findings)
        out->verdict = DIAGNOSIS_CAUSE;
    else if (out->count.valid || out->count.checked || (out->count.udp_allocations && !out->count.tcp_allocations))
        out->verdict = DIAGNOSIS_WELL;
    else
        out->verdict = DIAGNOSIS_NOT_ENOUGH;
    if (out->verdict == DIAGNOSIS_NOT_ENOUGH && !out->doubts)
        judging_doubt(&j, "the capture ends before a relayed connection came up or failed");
}
