/* The header as a C program sees it, with nothing visible that does not say so. */
#include <lapse/engine/subject.h>
#include <stddef.h>

static int create(const char* arguments, int device, void** handle) {
  (void)arguments, (void)device;
  *handle = NULL; /* a subject without anything to keep */
  return 0;
}
static int enqueue(void* handle, void* stream) {
  (void)stream;
  return handle == NULL ? 0 : 1;
}
static const char* error(void* handle) {
  (void)handle;
  return NULL;
}
static void destroy(void* handle) { (void)handle; }

LAPSE_SUBJECT(in_c) = {LAPSE_SUBJECT_HEAD, "cpu", 1, create, enqueue, error, destroy};
