/* ids.h - random names that nobody can guess. [any] */
#ifndef REC_SESSION_IDS_H
#define REC_SESSION_IDS_H

/* Prefix, one capital letter, then n_characters - 1 letters and digits. Free it. */
char *rec_make_id (const char *prefix, unsigned n_characters);
/* As OpenVidu 2.0 made them: 16 small letters and digits. Free it. */
char *rec_make_old_id (void);

#endif
