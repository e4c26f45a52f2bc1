#include "xp_bang.h"
