// Prints every path that is answered over HTTP: METHOD PATH, with "signed" behind it where the body
// itself says whether it may write.
#include <stdio.h>

#include "shell/routes.h"

int main(void)
{
    const struct route *route;
    for (size_t i = 0; (route = routes_at(i)) != NULL; i++) {
        for (int method = 0; method < HTTP_METHODS; method++) {
            if (route->methods[method] != NULL) {
                printf("%s %s%s\n", http_method_name((enum http_method)method), route->path,
                       method != HTTP_GET && routes_is_signed(route) ? " signed" : "");
            }
        }
    }
    return 0;
}
