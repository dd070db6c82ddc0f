/* confine.c - runs a program as a systemd unit would: as another user, with few capabilities and a filter of system calls.
 *
 * confine USER FILE PROGRAM ARGUMENT...  USER: number, or - for the one we are; FILE: the numbers of the calls that are
 * allowed, one a line, or - for all. Others fail with EPERM. */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define MAX_CALLS 1000

#if defined(__x86_64__)
#define OUR_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

__attribute__ ((noreturn)) static void
fail (const char *what)
{
  fprintf (stderr, "confine: %s: %s\n", what, strerror (errno));
  exit (126);
}

static void
become (const char *user)
{
  unsigned id = (unsigned) strtoul (user, NULL, 10);

  for (int capability = 0; prctl (PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
    if (capability != CAP_NET_BIND_SERVICE && geteuid () == 0 &&
        prctl (PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
      fail ("cannot drop a capability");
  if (strcmp (user, "-") != 0 &&
      (setgroups (0, NULL) != 0 || setresgid (id, id, id) != 0 || setresuid (id, id, id) != 0))
    fail ("cannot become another user");
  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    fail ("cannot give up new privileges");
}

static void
filter_calls (const char *path)
{
#ifdef OUR_ARCHITECTURE
  static struct sock_filter code[2 * MAX_CALLS + 8];
  struct sock_fprog program = { 0, code };
  FILE *file = fopen (path, "r");
  unsigned call;

  if (file == NULL)
    fail ("cannot read the list of calls");
#define ADD(...) code[program.len++] = (struct sock_filter) __VA_ARGS__
  ADD (BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, arch)));
  ADD (BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCHITECTURE, 1, 0));
  ADD (BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
  ADD (BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)));
  while (program.len < 2 * MAX_CALLS && fscanf (file, "%u", &call) == 1) {
    ADD (BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1));
    ADD (BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  }
  ADD (BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
#undef ADD
  fclose (file);
  if (prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    fail ("cannot filter the system calls");
#else
  (void) path;
#endif
}

int
main (int argc, char **argv)
{
  if (argc < 4) {
    fprintf (stderr, "usage: confine USER|- FILE|- PROGRAM ARGUMENT...\n");
    return 126;
  }
  become (argv[1]);
  if (strcmp (argv[2], "-") != 0)
    filter_calls (argv[2]);
  execv (argv[3], argv + 3);
  fail (argv[3]);
}
