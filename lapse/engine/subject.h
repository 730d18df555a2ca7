/* The C interface between lapse and work of your own: four functions in a shared library, and lapse times what they do.
 *
 *   lapse time ./libmine.so:gemm            the subject `gemm` of that library
 *   lapse time ./libmine.so:gemm:n=4096     the same, made with the arguments "n=4096"
 *
 *   create ──▶ handle ── enqueue ──▶ enqueue ──▶ … ── destroy
 *
 * subject   what can be measured: a constant table that the library exports under the subject's name.
 * handle    one of it, ready to run: buffers, library handles, plans, data. One for each inference that is in flight at once, so that what
 *           is enqueued on a handle never overlaps with itself. A table may be asked for several.
 *
 * lapse refuses a table of another `abi_version`; new members are only ever added at the end, and `struct_size` says how many a table has.
 *
 * Errors: a function that returns int returns 0 when all is well. After anything else lapse asks `error` for the reason, shows it as one
 * line and ends the measurement. No C++ exception may cross this interface: it is C. lapse survives one nevertheless and names it, provided
 * that the library uses the C++ runtime of the system as a shared library, as lapse does.
 *
 * Threads: calls on one handle come one at a time. All calls come from one thread, but for a blocking subject in the offline scenario:
 * there `enqueue` is called on different handles from different threads at the same time.
 *
 * Lifetimes: what lapse passes in is borrowed for the call. The library stays loaded and the table in use until the program ends.
 * `destroy` is called when the device has finished the handle's work, or was lost.
 *
 * A function that never returns ends the program with the message of `lapse time --timeout`: nobody can stop a thread from outside, so
 * nothing is destroyed then.
 */
#ifndef LAPSE_ENGINE_SUBJECT_H
#define LAPSE_ENGINE_SUBJECT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LAPSE_SUBJECT_ABI_VERSION 1u

typedef struct lapse_subject {
  uint32_t abi_version; /* both by LAPSE_SUBJECT_HEAD: LAPSE_SUBJECT_ABI_VERSION … */
  uint32_t struct_size; /* … and sizeof(lapse_subject) of the header that the library was built with */

  /* The timeline to measure on: "cpu"; "cuda", which is the GPU that the user chooses by --device cuda:N (default: 0); "sim" or
   * "sim:virtual", the simulated device. */
  const char* device;
  /* 1: `enqueue` returns when the work is done. 0: it may return before, and the work is ordered on `stream`. On the
   * "cpu" only 1 will do: there is no stream that could tell. */
  int32_t blocking;

  /* Makes a handle. `arguments` is what the user wrote behind the second colon; "" when there is none. `device` is N of "cuda:N", else 0: a
   * CUDA subject calls cudaSetDevice(device) before anything else. Everything slow belongs here: allocations, data, plans, and whatever a
   * library does on its first call. On failure free what was taken and leave `*handle` alone: destroy is not called. */
  int (*create)(const char* arguments, int device, void** handle);

  /* Does the work once. `stream` is a cudaStream_t for "cuda", null for "cpu", a lapse::device::SimStream* of this lapse for "sim";
   * mostly the same from call to call, but that is not promised. Work on any other stream is not measured. A subject that isn't blocking
   * does not wait for the device here. What this function does itself is timed as `submit`: for honest times it makes no buffer and no
   * plan that could have been made before. */
  int (*enqueue)(void* handle, void* stream);

  /* Why the last call on the handle failed; with a null handle, why the last create on this thread failed. One line of UTF-8, copied at
   * once. Null or empty: no reason is known. */
  const char* (*error)(void* handle);

  /* Frees the handle. Never called with null. There is nobody left to tell of a failure. */
  void (*destroy)(void* handle);
} lapse_subject;

#ifdef __cplusplus
}
#endif

/* The first two members of every table. */
#define LAPSE_SUBJECT_HEAD LAPSE_SUBJECT_ABI_VERSION, sizeof(lapse_subject)

/* Defines and exports a subject, in C and in C++, at the top of a file (outside any namespace):
 *
 *   LAPSE_SUBJECT(gemm) = {LAPSE_SUBJECT_HEAD, "cuda", 0, gemm_create, gemm_enqueue, gemm_error, gemm_destroy};
 *
 * The declaration before the definition gives a constant external linkage in C++, and keeps it visible under -fvisibility=hidden. */
#ifdef __cplusplus
#define LAPSE_SUBJECT(name)                                                   \
  extern "C" __attribute__((visibility("default"))) const lapse_subject name; \
  const lapse_subject name
#else
#define LAPSE_SUBJECT(name)                                               \
  extern __attribute__((visibility("default"))) const lapse_subject name; \
  const lapse_subject name
#endif

#endif /* LAPSE_ENGINE_SUBJECT_H */
