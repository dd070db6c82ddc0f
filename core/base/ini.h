/* ini.h - reads an ini file through inih and refuses everything that inih would let pass. */
#ifndef REC_BASE_INI_H
#define REC_BASE_INI_H

#include <glib.h>
#include <stdbool.h>

/* One `name = value`; false with an error ends the reading. The message need only say what is wrong
 * with the value: the reader puts "FILE:LINE: [section] name: " in front. */
typedef bool (*RecIniHandler) (const char *section, const char *name, const char *value, int line,
    void *data, GError **error);

/* Refused with file and line: unreadable file, over-long line, NUL byte, not UTF-8, a line that is neither
 * section nor assignment, a key before the first section, the same key twice in a section. */
bool rec_ini_read (const char *path, RecIniHandler handler, void *data, GError **error);

#endif
