/* probe.h - one .so in a throwaway child: its descriptor or its layouts as JSON on standard output, or why not. */
#ifndef REC_PLUGIN_PROBE_H
#define REC_PLUGIN_PROBE_H

/* The life of `recto --probe FILE.so`, or with folder of `recto --probe FILE.so --layouts-in FOLDER`. Returns the exit
 * status. */
int rec_probe_run (const char *file, const char *folder);

#endif
