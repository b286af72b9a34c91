/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file of users in: taken, each name once and neither part empty, or refused with its line. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/relay/users.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size ? size : 1); /* no NUL behind it: it has a length */
    assert(text);
    if (size)
        memcpy(text, data, size);
    struct user_list u = {0};
    struct diag d = {""};
    int err = users_parse(&u, "fuzz", text, size, &d);
    free(text);
    assert(!err || strncmp(d.text, "fuzz:", 5) == 0);
    for (size_t i = 0; i < u.count; i++) {
        assert(u.user[i].name[0] && u.user[i].password[0] && !strchr(u.user[i].name, ':'));
        assert(!strchr(u.user[i].name, '\n') && !strchr(u.user[i].password, '\n'));
        for (size_t k = 0; k < i; k++)
            assert(strcmp(u.user[i].name, u.user[k].name) != 0);
    }
    users_free(&u);
    return 0;
}
