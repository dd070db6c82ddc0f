/* probe.h - one .so in a throwaway child: its descriptor as JSON on standard output, or why not. */
#ifndef REC_PLUGIN_PROBE_H
#define REC_PLUGIN_PROBE_H

/* The life of `recto --probe FILE.so`. Returns the exit status. */
int rec_probe_run (const char *file);

#endif
