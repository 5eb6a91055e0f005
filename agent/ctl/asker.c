#include "ctl/asker.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "ctl/client.h"

void asker_write(json_t *request)
{
    char name[64];
    struct text text = TEXT_OVER(name);
    const char *behind = geteuid() == 0 ? getenv("SUDO_USER") : NULL;
    const struct passwd *user = getpwuid(getuid());
    if (behind != NULL && behind[0] != '\0') {
        text_append(&text, behind);
    } else if (user != NULL) {
        text_append(&text, user->pw_name);
    } else {
        text_format(&text, "uid %u", (unsigned)getuid());
    }
    json_object_set_new(request, "by", memory_checked(client_json_text(name)));
}
