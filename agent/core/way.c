// What an arrival says of its way, before it is judged.
#include "core/trouble.h"

void way_arrived(struct core *core, int peer, enum direction direction,
                 const struct collect_report *report, const struct way *way)
{
    struct path *path = path_of(core, peer, direction);
    struct hops hops;
    hops_measure(&report->trace, way->sent, way->sent_error, way->arrival.at, way->arrival.error,
                 &hops);
    hops_name_slowest(&report->trace, &hops, &path->last_hop);
}
