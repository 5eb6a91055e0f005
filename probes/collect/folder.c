#include "probes/collect/folder.h"

#include <string.h>

#include "base/text.h"

struct folder folder_of(const char *name)
{
    struct folder folder = {.next_uid = 1};
    text_copy(folder.name, sizeof folder.name, name);
    return folder;
}

void folder_forget(struct folder *folder, uint32_t uid_validity)
{
    folder->uid_validity = uid_validity;
    folder->next_uid = 1;
    folder->read_singly = 0;
    folder->ours = 0;
    folder->checked = (struct moment){{0}, {0}};
    folder->doomed_count = 0;
    folder->suspect_count = 0;
    folder->suspect_broke = 0;
}

void folder_suspect(struct folder *folder, uint32_t uid)
{
    if (folder->suspect_count == FOLDER_SUSPECTS_MAXIMUM) {
        folder->suspect_count--;
        memmove(folder->suspects, folder->suspects + 1,
                folder->suspect_count * sizeof *folder->suspects);
    }
    folder->suspects[folder->suspect_count++] = uid;
}

bool folder_is_doomed(const struct folder *folder, uint32_t uid)
{
    for (size_t i = 0; i < folder->doomed_count; i++) {
        if (folder->doomed[i] == uid) {
            return true;
        }
    }
    return false;
}

void folder_doom(struct folder *folder, const uint32_t *uids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (folder->doomed_count == FOLDER_DOOMED_MAXIMUM) {
            folder_forget(folder, folder->uid_validity);
            return;
        }
        if (!folder_is_doomed(folder, uids[i])) {
            folder->doomed[folder->doomed_count++] = uids[i];
        }
    }
}

void folder_drop_doomed(struct folder *folder, size_t count)
{
    folder->doomed_count -= count;
    memmove(folder->doomed, folder->doomed + count, folder->doomed_count * sizeof *folder->doomed);
    folder->ours -= folder->ours < count ? folder->ours : (uint32_t)count;
}
