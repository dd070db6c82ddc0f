/* page.h - what page layouts share: folders with an index.html, their layout.ini, and the address that a browser opens. */
#ifndef RECTO_COMMON_PAGE_H
#define RECTO_COMMON_PAGE_H

#include <recto/layout.h>

#define REC_PAGE_PATH_SIZE 1025 /* of a cleaned path, with the final 0 */

/* "/a//b/" becomes "a/b" and "" stays "". False, INVALID, for anything that is not a name below a folder. `path` has
 * REC_PAGE_PATH_SIZE bytes. */
bool rec_page_clean_path (const char *layout, char *path, RecError *error);

/* Answers with index.html in `path` (cleaned) of the layouts' folder and what layout.ini beside it says. NOT_FOUND when
 * there is none, INVALID when a link leads out of the folder or layout.ini makes no sense. */
bool rec_page_open_folder (const RecPageRequest *request, const char *path, RecPage *page,
    RecError *error);

/* Whether `path` (cleaned) of `folder` has an index.html; fills in what layout.ini calls it ("" when nothing, or when
 * that file makes no sense). `summary` has `size` bytes. */
bool rec_page_is_layout (const char *folder, const char *path, char *summary, size_t size);

/* Emits every folder below `folder` that has an index.html, sorted, four levels deep, 200 at most. */
bool rec_page_list_folders (const char *folder, RecEmit emit, void *data, RecError *error);

/* Writes `text` behind what page->url holds; percent-encoded, slashes too, when `encode` is set. False, INVALID, when it
 * is too long. */
bool rec_page_append (RecPage *page, const char *text, bool encode, RecError *error);

/* A descriptor below `folder` that no link leads out of, or -1 and errno (EXDEV, ELOOP: it would have). */
int rec_page_open_below (const char *folder, const char *path, int flags);

/* --- layout-ini.c ------------------------------------------------------------------------------------------------ */

/* Takes over what the layout.ini in fd says. Takes fd. Extra URL parameters are appended to page->url, "&name=value".
 * `summary` may be NULL. */
bool rec_page_read_ini (int fd, const char *name, RecPage *page, char *summary, size_t size,
    RecError *error);

#endif
