// Prints config/REFERENCE.md. Not installed: the page is checked in, and a test compares the two.
#include "config/reference.h"

int main(void)
{
    reference_print(stdout);
    return 0;
}
