#include "core/auth_memory.h"

static void note_pass(struct auth_memory *memory, int method, unsigned recovered_after)
{
    memory->passed |= 1U << method;
    memory->unsure[method] = 0;
    if ((memory->failing & 1U << method) != 0 && ++memory->passes[method] >= recovered_after) {
        memory->failing &= ~(1U << method);
        memory->passes[method] = 0;
    }
}

static void note_other(struct auth_memory *memory, int method, enum auth_result result)
{
    memory->passes[method] = 0;
    unsigned *unsure = &memory->unsure[method];
    *unsure = result != AUTH_TEMPERROR ? 0 : *unsure < AUTH_UNSURE ? *unsure + 1 : AUTH_UNSURE;
    bool believed = result != AUTH_TEMPERROR || *unsure == AUTH_UNSURE;
    if (believed && (memory->passed & 1U << method) != 0) {
        memory->failing |= 1U << method;
    }
}

static bool note_nothing(struct auth_memory *memory, int method)
{
    bool failing = method < AUTH_JUDGED && (memory->failing & 1U << method) != 0;
    if (!failing || ++memory->untold[method] < AUTH_UNTOLD) {
        return false;
    }
    memory->failing &= ~(1U << method);
    memory->untold[method] = memory->passes[method] = 0;
    return true;
}

bool auth_memory_note(struct auth_memory *memory, const struct authentication *found,
                      unsigned recovered_after)
{
    bool let_go = false;
    for (int method = 0; method < AUTH_METHODS; method++) {
        enum auth_result result = found->results[method];
        if (result == AUTH_ABSENT) {
            let_go = note_nothing(memory, method) || let_go;
            continue;
        }
        if (method < AUTH_JUDGED) {
            memory->untold[method] = 0;
        }
        memory->last[method] = result;
        if (method < AUTH_JUDGED && result == AUTH_PASS) {
            note_pass(memory, method, recovered_after);
        } else if (method < AUTH_JUDGED) {
            note_other(memory, method, result);
        }
    }
    return let_go;
}

int auth_memory_turned(const struct auth_memory *memory, const struct authentication *found)
{
    for (int method = 0; method < AUTH_JUDGED; method++) {
        bool fails = found->results[method] != AUTH_ABSENT && found->results[method] != AUTH_PASS;
        if (fails && (memory->failing & 1U << method) != 0) {
            return method;
        }
    }
    return -1;
}
