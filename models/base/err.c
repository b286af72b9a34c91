/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/base/err.h"

const char *err_text(int err)
{
    switch ((enum err)err) {
    case E_OK: return "ok";
    case E_NOMEM: return "limit reached";
    case E_TRUNCATED: return "truncated";
    case E_MALFORMED: return "malformed";
    case E_RANGE: return "out of range";
    case E_INTEGRITY: return "integrity check failed";
    case E_NOT_FOUND: return "not found";
    case E_EXISTS: return "already exists";
    case E_UNSUPPORTED: return "not supported";
    case E_SPACE: return "buffer too small";
    case E_REFUSED: return "refused";
    case E_UNREACHABLE: return "unreachable";
    case E_TIMED_OUT: return "timed out";
    case E_RESET: return "reset";
    case E_IO: return "input/output error";
    }
    return "unknown error";
}
