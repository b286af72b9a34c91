/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of the program that are there only where a library is (ns-3, MPI): shared objects beside the program (in a
 * build tree, beside its folders too), or in ../lib/turnproof of an installation. */
#ifndef TP_SIM_PLUGIN_H
#define TP_SIM_PLUGIN_H

enum { PLUGIN_WHY = 8192 };

/* The symbol of the shared object; stays loaded. path: instead of where it is looked for; NULL: none. NULL: it is not
 * there, and why says what was tried. */
void *plugin_symbol(const char *object, const char *path, const char *symbol, char why[PLUGIN_WHY]);

#endif
