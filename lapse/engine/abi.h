/* The C interface between lapse and an engine plug-in.
 *
 * A plug-in is a shared object that exports `lapse_engine_entry`, which returns a table of functions. lapse refuses a table of another
 * `abi_version`; new functions are only ever added at the end, and `struct_size` says how many of them a table has.
 *
 *   engine  ── load ──▶  session  ── bind ──▶  binding  ── submit ──▶ … ── outputs
 *
 * engine    the library behind the plug-in (ONNX Runtime, LibTorch), opened once.
 * session   one model, loaded, in evaluation mode and without gradients.
 * binding   one set of inputs, ready to run, so that what is timed is the inference and not the wrapping of its inputs.
 *           Its outputs belong to it and are valid until the next submit or unbind of the same binding.
 *
 * Errors: a function that returns lapse_status tells the reason by `error()` and `hint()`: texts of the last failure on the calling
 * thread, valid until the next call on that thread, empty when there is nothing to say. No C++ exception crosses this interface.
 * On failure an out-parameter is left untouched.
 *
 * Threads: calls on different sessions may run at the same time. Calls on one session may not, but for `submit` and `outputs` of different
 * bindings when `concurrent` is set. What lapse passes in is only borrowed for the call, but for the data of bound tensors, which stays
 * alive until unbind, and unchanged while a submit is in flight.
 */
#ifndef LAPSE_ENGINE_ABI_H
#define LAPSE_ENGINE_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LAPSE_ENGINE_ABI_VERSION 2u

typedef enum lapse_status {
  LAPSE_OK = 0,
  LAPSE_BAD_INPUT = 1,   /* a tensor, name or option does not fit */
  LAPSE_BAD_MODEL = 2,   /* the file is missing, damaged or not a model */
  LAPSE_UNSUPPORTED = 3, /* a sound model asks for an operator or a type that the engine lacks */
  LAPSE_OUT_OF_MEMORY = 4,
  LAPSE_ENGINE_UNUSABLE = 5, /* the library is absent, broken or of another version */
  LAPSE_DEVICE_UNUSABLE = 6, /* the device is absent or was lost */
  LAPSE_INTERNAL = 7         /* the engine failed for a reason of its own */
} lapse_status;

typedef enum lapse_dtype {
  LAPSE_DTYPE_UNKNOWN = 0, /* a type that lapse can't pass, such as string, or one that the model does not tell */
  LAPSE_BOOL = 1,          /* one byte, 0 or 1 */
  LAPSE_UINT8 = 2,
  LAPSE_INT8 = 3,
  LAPSE_UINT16 = 4,
  LAPSE_INT16 = 5,
  LAPSE_UINT32 = 6,
  LAPSE_INT32 = 7,
  LAPSE_UINT64 = 8,
  LAPSE_INT64 = 9,
  LAPSE_FLOAT16 = 10, /* IEEE 754 binary16 */
  LAPSE_BFLOAT16 = 11,
  LAPSE_FLOAT32 = 12,
  LAPSE_FLOAT64 = 13
} lapse_dtype;

/* Dense, row-major, native byte order, in host memory. rank 0 is a scalar. */
typedef struct lapse_tensor {
  int32_t dtype; /* lapse_dtype */
  int32_t rank;
  const int64_t* dims; /* `rank` of them, each ≥ 0; may be null when rank is 0 */
  void* data;          /* may be null only when bytes is 0 */
  uint64_t bytes;
} lapse_tensor;

/* An input or output of a model, as far as the model tells. */
typedef struct lapse_port {
  const char* name;
  int32_t dtype;                /* lapse_dtype */
  int32_t rank;                 /* -1: the model tells neither rank nor dims */
  const int64_t* dims;          /* -1: dynamic */
  const char* const* dim_names; /* per dimension the model's name of a dynamic one, or null; null when there are none */
} lapse_port;

/* The parts of one inference on a device with memory of its own, in this order. */
typedef enum lapse_stage {
  LAPSE_STAGE_H2D = 0,     /* inputs from the host to the device */
  LAPSE_STAGE_FORWARD = 1, /* the forward pass */
  LAPSE_STAGE_D2H = 2      /* outputs from the device to the host */
} lapse_stage;

typedef struct lapse_option {
  const char* key;
  const char* value;
} lapse_option;

typedef struct lapse_engine lapse_engine;
typedef struct lapse_session lapse_session;
typedef struct lapse_binding lapse_binding;

typedef struct lapse_engine_info {
  const char* version; /* of the library, "1.30.0" */
  const char* library; /* the file that was loaded; empty for a built-in engine */
  const char* devices; /* comma-separated: "cpu", "cpu,cuda:0,cuda:1" */
} lapse_engine_info;

typedef struct lapse_session_info {
  const lapse_port* inputs;
  size_t input_count;
  const lapse_port* outputs; /* what the model tells of its outputs; may be empty */
  size_t output_count;
  const char* device;    /* the timeline to measure on: "cpu", "cuda:0", "sim", "sim:virtual" */
  int32_t asynchronous;  /* 1: submit may return before the work is done, which is then ordered on `stream`. 0: it blocks */
  int32_t concurrent;    /* 1: different bindings may be submitted from different threads at the same time */
  int32_t threads;       /* threads that one submit uses, 0 where that is not known */
  int32_t staged;        /* 1: `stage` runs the parts of an inference one by one. 0: it is one piece */
  const char* transfers; /* how data travels to the device and back: "pinned", "pageable" (both part of submit), "none" (not part of it:
                          * inputs lie on the device since bind, outputs stay there until `outputs`); empty: no memory but the host's */
} lapse_session_info;

typedef struct lapse_engine_api {
  uint32_t abi_version;     /* LAPSE_ENGINE_ABI_VERSION of the header that the plug-in was built with */
  uint32_t struct_size;     /* sizeof(lapse_engine_api) there */
  const char* name;         /* "onnxruntime" */
  const char* suffixes;     /* model files that it takes, comma-separated: ".onnx,.ort"; empty: only by name */
  const char* options_help; /* engine options, a line each: "key=VALUES  meaning"; may be empty */

  /* Options: "library" = path of the library to use instead of the one found. Errors: ENGINE_UNUSABLE, BAD_INPUT. */
  lapse_status (*open)(const lapse_option* options, size_t count, lapse_engine** engine);
  void (*close)(lapse_engine* engine);
  /* Texts live as long as the engine. */
  lapse_status (*engine_info)(lapse_engine* engine, lapse_engine_info* info);

  /* Options: "threads" = number ≥ 1, "device" = one of the engine's, and the engine's own; an unknown key is BAD_INPUT.
   * For a device with memory of its own also "transfers" = what session_info tells (pinned unless said otherwise), and "streams" = those
   * that submit will be given, as decimal addresses with commas between: an engine whose sessions belong to a stream needs them here.
   * `model` is a path (for null and sim: what stands behind the colon). Errors: BAD_MODEL, UNSUPPORTED, BAD_INPUT, OUT_OF_MEMORY. */
  lapse_status (*load)(lapse_engine* engine, const char* model, const lapse_option* options, size_t count, lapse_session** session);
  void (*unload)(lapse_session* session);
  /* Texts and arrays live as long as the session. */
  lapse_status (*session_info)(lapse_session* session, lapse_session_info* info);

  /* Inputs in the order of session_info, one each. Errors: BAD_INPUT, OUT_OF_MEMORY. */
  lapse_status (*bind)(lapse_session* session, const lapse_tensor* inputs, size_t count, lapse_binding** binding);
  void (*unbind)(lapse_binding* binding);
  /* One inference. `stream` is the timeline's (a cudaStream_t, a simulated stream) or null. */
  lapse_status (*submit)(lapse_binding* binding, void* stream);
  /* (optional: null where no session is staged) One part of an inference, a lapse_stage; the three in order are one submit. */
  lapse_status (*stage)(lapse_binding* binding, int32_t stage, void* stream);
  /* After the work is done, in host memory. Shapes may differ from one submit to the next. Errors: UNSUPPORTED for an output that is no
   * tensor. */
  lapse_status (*outputs)(lapse_binding* binding, const lapse_tensor** outputs, size_t* count);

  const char* (*error)(void);
  const char* (*hint)(void);

  /* (optional: null, or outside of struct_size, where no binding has memory of its own) The memory that each submit reads its inputs
   * from, in the order of session_info, to be written by the caller while no submit of the binding is in flight: page-locked memory of the
   * binding on a device. A count of 0: the tensors that were bound, which may be written then, too. Lives as long as the binding. */
  lapse_status (*inputs)(lapse_binding* binding, const lapse_tensor** inputs, size_t* count);
} lapse_engine_api;

/* What a plug-in exports. Never returns null; the table lives as long as the plug-in. */
typedef const lapse_engine_api* (*lapse_engine_entry_fn)(void);
#define LAPSE_ENGINE_ENTRY "lapse_engine_entry"

#ifdef __cplusplus
}
#endif

#endif /* LAPSE_ENGINE_ABI_H */
