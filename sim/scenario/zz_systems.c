#include "sim/scenario/systems.h"
const struct system systems[] = {{.name = NULL}};
