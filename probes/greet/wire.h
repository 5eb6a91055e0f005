// A connection to a mail server, line by line, until a deadline. In the clear.
#ifndef MAILFLOW_PROBES_GREET_WIRE_H
#define MAILFLOW_PROBES_GREET_WIRE_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/instant.h"

enum { WIRE_LINE_SIZE = 512 }; // RFC 5321 section 4.5.3.1.5

struct wire {
    int descriptor;
    struct instant deadline;
    size_t length; // of what has come and is not read yet
    char bytes[WIRE_LINE_SIZE];
};

// False with the reason when no connection came about; wire_close is to be called otherwise.
bool wire_open(struct wire *wire, const struct addrinfo *address, struct instant deadline,
               struct error *error);
void wire_close(struct wire *wire);

// The next line without its end; false with the reason.
bool wire_read_line(struct wire *wire, char line[WIRE_LINE_SIZE], struct error *error);

// What cannot be sent shows in the answer that does not come.
void wire_say(const struct wire *wire, const char *line);

#endif
