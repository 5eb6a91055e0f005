#include "shell/file_mark.h"

// A file may be said to be of any year.
static struct walltime time_of(const struct timespec *at)
{
    return (struct walltime){
        nanoseconds_add(nanoseconds_multiply(at->tv_sec, 1000000000), at->tv_nsec)};
}

struct file_mark file_mark_of(const struct stat *what)
{
    return (struct file_mark){
        .device = what->st_dev,
        .inode = what->st_ino,
        .size = what->st_size,
        .written = time_of(&what->st_mtim),
        .changed = time_of(&what->st_ctim),
    };
}

bool file_mark_equal(const struct file_mark *a, const struct file_mark *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->written.ns == b->written.ns && a->changed.ns == b->changed.ns;
}
