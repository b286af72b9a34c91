/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is not known: rules that ask what the program cannot tell, drawn at random, and every way in which they could
 * turn out tried by hand. A verdict is UNKNOWN exactly where these ways differ, and else what they all say. */
#include "models/base/rng.h"
#include "models/firewall/rules.h"
#include "models/testkit/testkit.h"

enum { CASES = 2000, CHAINS = 4, RULES = 3, ON_THE_BASES = 2 };

static const char *const chain_name[CHAINS] = {"first", "second", "third", "fourth"};

struct drawn {
    enum fw_action action;
    bool doubtful;
    unsigned target;
};

struct machine {
    struct drawn rule[CHAINS][RULES];
    enum fw_action policy[ON_THE_BASES];
    struct fw_rules *rules;
};

/* A chain jumps to later ones alone: no loops. */
static void draw(struct machine *m, struct rng *rng, bool jumps)
{
    static const enum fw_action actions[] = {FW_PERMIT, FW_DENY, FW_RETURN, FW_JUMP, FW_GOTO};
    m->rules = fw_rules_new("fw");
    assert_int_equal(fw_rules_add_interface(m->rules, &(struct fw_iface_spec){.name = "a"}), 0);
    assert_int_equal(fw_rules_add_interface(m->rules, &(struct fw_iface_spec){.name = "b"}), 1);
    fw_rules_set_policy(m->rules, &(struct fw_policy){.same_level_inter = true});
    for (unsigned c = 0; c < CHAINS; c++)
        for (unsigned i = 0; i < RULES; i++) {
            struct drawn *d = &m->rule[c][i];
            unsigned last = c < ON_THE_BASES ? ON_THE_BASES : c + 1; /* a base chain is nobody's target */
            bool leads = jumps && last < CHAINS;
            d->action = actions[rng_below(rng, leads ? 5 : jumps ? 3 : 2)];
            d->doubtful = rng_below(rng, 2);
            d->target = leads ? last + (unsigned)rng_below(rng, CHAINS - last) : 0;
            bool to = d->action == FW_JUMP || d->action == FW_GOTO;
            struct fw_conditions when = {.unknown = "a coin"};
            struct fw_rule_spec spec = {.list = chain_name[c], .action = d->action, .line = 10 * (c + 1) + i,
                                        .when = d->doubtful ? &when : NULL,
                                        .target = to ? chain_name[d->target] : NULL};
            assert_int_equal(fw_rules_add_rule(m->rules, &spec), 0);
        }
}

/* What the chain says when the doubtful rules turn out as the bits of `world` say; FW_RETURN: nothing. */
static enum fw_action follow(const struct machine *m, unsigned chain, unsigned world)
{
    for (unsigned i = 0; i < RULES; i++) {
        const struct drawn *d = &m->rule[chain][i];
        if (d->doubtful && !(world >> (chain * RULES + i) & 1))
            continue;
        if (d->action != FW_JUMP && d->action != FW_GOTO)
            return d->action;
        enum fw_action found = follow(m, d->target, world);
        if (found != FW_RETURN || d->action == FW_GOTO)
            return found;
    }
    return FW_RETURN;
}

static enum fw_action by_lists(const struct machine *m, unsigned world)
{
    enum fw_action own = follow(m, 0, world), global = follow(m, 1, world);
    return own != FW_RETURN ? own : global != FW_RETURN ? global : FW_DENY;
}

static enum fw_action by_hooks(const struct machine *m, unsigned world)
{
    for (unsigned base = 0; base < ON_THE_BASES; base++) {
        enum fw_action found = follow(m, base, world);
        if ((found == FW_RETURN ? m->policy[base] : found) == FW_DENY)
            return FW_DENY;
    }
    return FW_PERMIT;
}

static unsigned compare(struct machine *m, enum fw_action (*by)(const struct machine *, unsigned))
{
    bool seen[2] = {false, false};
    for (unsigned world = 0; world < 1U << (CHAINS * RULES); world++)
        seen[by(m, world) == FW_PERMIT] = true;
    enum fw_decision want = seen[0] && seen[1] ? FW_UNKNOWN : seen[1] ? FW_PERMITTED : FW_DENIED;
    struct fw_flow f = {PROTO_UDP, kit_ip("192.0.2.1"), kit_ip("192.0.2.2"), 5, 6};
    struct fw_verdict v = fw_eval_first(m->rules, 0, 1, &f);
    assert_int_equal(v.decision, want);
    assert_int_equal(v.doubt_count > 0, want == FW_UNKNOWN); /* and only then is a line named */
    fw_rules_free(m->rules);
    return want;
}

static void lists_with_doubts(void **state)
{
    (void)state;
    struct rng rng = rng_named(1, "lists");
    unsigned found[4] = {0};
    for (unsigned n = 0; n < CASES; n++) {
        struct machine m = {0};
        draw(&m, &rng, false);
        assert_int_equal(fw_rules_bind(m.rules, chain_name[0], 0, FW_IN), 0);
        assert_int_equal(fw_rules_bind(m.rules, chain_name[1], FW_ANY_IFACE, FW_IN), 0);
        found[compare(&m, by_lists)]++;
    }
    assert_true(found[FW_UNKNOWN] && found[FW_PERMITTED] && found[FW_DENIED]);
}

static void chains_with_doubts(void **state)
{
    (void)state;
    struct rng rng = rng_named(1, "chains");
    unsigned found[4] = {0};
    for (unsigned n = 0; n < CASES; n++) {
        struct machine m = {0};
        draw(&m, &rng, true);
        for (unsigned base = 0; base < ON_THE_BASES; base++) {
            m.policy[base] = rng_below(&rng, 2) ? FW_PERMIT : FW_DENY;
            struct fw_base_spec spec = {.list = chain_name[base], .hook = FW_FORWARD, .priority = (int)base,
                                        .policy = m.policy[base], .line = base + 1};
            assert_int_equal(fw_rules_add_base(m.rules, &spec), 0);
        }
        found[compare(&m, by_hooks)]++;
    }
    assert_true(found[FW_UNKNOWN] && found[FW_PERMITTED] && found[FW_DENIED]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_with_doubts),
        cmocka_unit_test(chains_with_doubts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
