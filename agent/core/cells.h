// The cells of the mesh's matrix that an incident was judged by, as they were when it was last
// said: who else sees it, and whose fault that makes it. A whole column bad is the receiver, a
// whole row the sender, one cell the path, all of ours ourselves (config/OPERATING.md: "The matrix
// of the mesh"). A server whose own agent says that it is isolated is one more that sees that it
// sends nothing; whether mail reaches it, that does not tell: most often its own relay refuses.
#ifndef MAILFLOW_CORE_CELLS_H
#define MAILFLOW_CORE_CELLS_H

#include <stdbool.h>

enum culprit {
    CULPRIT_UNKNOWN,  // nobody else says anything of it
    CULPRIT_SERVER,   // the incident's: nobody's mail passes through it
    CULPRIT_SENDER,   // the path's, or the incident's server: what it sends arrives nowhere
    CULPRIT_RECEIVER, // the path's: nobody's mail arrives there
    CULPRIT_PATH,     // between the two: others' mail passes
    CULPRIT_SELF,     // our server
    CULPRITS
};
const char *culprit_name(enum culprit culprit);
bool culprit_parse(const char *name, enum culprit *out);

enum { CELLS_SIZE = 320 };

struct cells {
    enum culprit culprit;
    unsigned seen_by; // so many agents, we among them, see it ...
    unsigned of;      // ... of those that can tell
    // "mx07 isolated; mx07->mx01,mx02,+3 bad; mx01,mx02->mx07 ok", cut after a whole part
    char paths[CELLS_SIZE];
};

#endif
