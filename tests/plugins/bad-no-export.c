/* bad-no-export.c - a library, but no plugin. */
int bad_no_export_answer (void);

__attribute__ ((visibility ("default"))) int
bad_no_export_answer (void)
{
  return 42;
}
