// What holds for every page: each element that is opened is closed, in order; no script, style or
// handler stands in it, and nothing is loaded but our own files.
#ifndef MAILFLOW_TEST_PAGE_CHECK_H
#define MAILFLOW_TEST_PAGE_CHECK_H

void page_check(const char *page);

void page_has(const char *page, const char *part);

#endif
