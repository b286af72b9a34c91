/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/report/page.h"

#include <string.h>

#include "models/base/arena.h"
#include "models/base/err.h"
#include "sim/scenario/files.h"

/* Dark and light by the reader's choice, but pictures stay on white; on paper black on white. */
static const char style[] =
    ":root{color-scheme:light dark;--fg:#1b1f24;--bg:#fff;--dim:#59636e;--line:#d1d9e0;--bad:#b3261e;--good:#0b6e4f}"
    "@media(prefers-color-scheme:dark){:root{--fg:#e6edf3;--bg:#0d1117;--dim:#9198a1;--line:#3d444d;--bad:#ff8a80;"
    "--good:#6dd3a8}}"
    "body{font:15px/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg);max-width:64rem;margin:2rem auto;"
    "padding:0 1rem}h1{font-size:1.6rem}h2{margin-top:2.5rem;border-bottom:1px solid var(--line)}"
    "table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:left;padding:.25rem .6rem;"
    "border-bottom:1px solid var(--line);vertical-align:top}figure{margin:1.5rem 0;overflow-x:auto}"
    "figure svg{background:#fff;max-width:100%;height:auto}figcaption{color:var(--dim);font-size:.9rem}"
    ".bad{color:var(--bad);font-weight:600}.good{color:var(--good)}.dim{color:var(--dim)}"
    "details summary{cursor:pointer}@media print{body{max-width:none}figure,tr{break-inside:avoid}}";

void page_begin(FILE *page, const char *title)
{
    fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>", page);
    page_text(page, title);
    fprintf(page, "</title>\n<style>%s</style></head>\n<body>\n<h1>", style);
    page_text(page, title);
    fputs("</h1>\n", page);
}

void page_end(FILE *page)
{
    fputs("</body></html>\n", page);
}

void page_text(FILE *page, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '&':
            fputs("&amp;", page);
            break;
        case '<':
            fputs("&lt;", page);
            break;
        case '>':
            fputs("&gt;", page);
            break;
        case '"':
            fputs("&quot;", page);
            break;
        default:
            fputc(*text, page);
        }
}

int page_svg(FILE *page, const char *path, struct diag *d)
{
    struct arena a = {0};
    char *text;
    size_t len;
    int err = file_read(&a, path, &text, &len, d);
    const char *svg = err ? NULL : strstr(text, "<svg");
    if (svg)
        fputs(svg, page);
    arena_free(&a);
    if (!err && !svg) {
        snprintf(d->text, sizeof d->text, "%s: expected an SVG picture, found none", path);
        err = E_MALFORMED;
    }
    return err;
}
