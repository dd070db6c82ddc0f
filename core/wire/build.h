/* build.h - which executable file a process runs: server and worker must be one and the same. [any] */
#ifndef REC_WIRE_BUILD_H
#define REC_WIRE_BUILD_H

/* Of the program at this path; a worker asks for "/proc/self/exe". Free it. */
char *rec_wire_dup_build (const char *program);

#endif
