/* The smallest subject: it keeps the CPU busy for a known time, so the report can be compared with what was asked for.
 *
 *   lapse time ./busy_cpu.so:busy:500        500 microseconds (default: 1000)
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <lapse/engine/subject.h>
#include <stdlib.h>
#include <time.h>

typedef struct busy {
  long long nanoseconds;
} busy_t;

/* Why the last create on this thread failed: there is no handle yet that could keep it. */
static _Thread_local const char* create_error;

static long long now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static int busy_create(const char* arguments, int device, void** handle) {
  (void)device; /* the CPU has no number */
  long microseconds = 1000;
  if (*arguments != '\0') {
    char* end = NULL;
    errno = 0;
    microseconds = strtol(arguments, &end, 10);
    if (errno != 0 || *end != '\0' || microseconds < 1 || microseconds > 10000000) {
      create_error = "wanted: busy:MICROSECONDS, from 1 to 10000000";
      return 1;
    }
  }
  busy_t* busy = malloc(sizeof *busy);
  if (busy == NULL) {
    create_error = "out of memory";
    return 1;
  }
  busy->nanoseconds = microseconds * 1000LL;
  *handle = busy;
  return 0;
}

/* Blocking: when this returns, the work is done. */
static int busy_enqueue(void* handle, void* stream) {
  (void)stream; /* null on the CPU */
  const long long until = now() + ((const busy_t*)handle)->nanoseconds;
  while (now() < until) {
  }
  return 0;
}

static const char* busy_error(void* handle) { return handle == NULL ? create_error : NULL; /* enqueue never fails */ }

static void busy_destroy(void* handle) { free(handle); }

LAPSE_SUBJECT(busy) = {LAPSE_SUBJECT_HEAD, "cpu", 1, busy_create, busy_enqueue, busy_error, busy_destroy};
