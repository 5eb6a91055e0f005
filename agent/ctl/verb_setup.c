#include "ctl/setup.h"

int verb_setup(struct context *context)
{
    return setup_run(context, NULL);
}
