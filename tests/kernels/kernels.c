// SPDX-License-Identifier: Apache-2.0
// What the tests call: functions in the calling convention of compiled modules, each of which
// shows one thing of its arguments or returns one kind of result.
#define _GNU_SOURCE
#include <pthread.h>
#include <string.h>
#include <tvm/ffi/c_api.h>
#include <unistd.h>

#define KERNEL(name)                                                                             \
  __attribute__((visibility("default"))) int __tvm_ffi_##name(void* self, const TVMFFIAny* args, \
                                                              int32_t num_args, TVMFFIAny* result)

#define CHECK(condition, message)                                   \
  if (!(condition)) {                                               \
    TVMFFIErrorSetRaisedFromCStr("ValueError", "kernel: " message); \
    return -1;                                                      \
  }

static int give_int(TVMFFIAny* result, int64_t x) {
  result->type_index = kTVMFFIInt;
  result->v_int64 = x;
  return 0;
}

static int give_float(TVMFFIAny* result, double x) {
  result->type_index = kTVMFFIFloat;
  result->v_float64 = x;
  return 0;
}

// The bytes of a string or byte argument, however it was passed.
static TVMFFIByteArray content(const TVMFFIAny* arg) {
  TVMFFIByteArray view = {NULL, 0};
  switch (arg->type_index) {
    case kTVMFFISmallStr:
    case kTVMFFISmallBytes:
      view.data = arg->v_bytes;
      view.size = arg->small_str_len;
      break;
    case kTVMFFIRawStr:
      view.data = arg->v_c_str;
      view.size = strlen(arg->v_c_str);
      break;
    case kTVMFFIByteArrayPtr:
      view = *(TVMFFIByteArray*)arg->v_ptr;
      break;
    case kTVMFFIStr:
    case kTVMFFIBytes:
      view = *(TVMFFIByteArray*)((char*)arg->v_ptr + sizeof(TVMFFIObject));
      break;
  }
  return view;
}

// The tensor of an argument, owned or on somebody's stack.
static DLTensor* tensor(const TVMFFIAny* arg) {
  if (arg->type_index == kTVMFFIDLTensorPtr) return (DLTensor*)arg->v_ptr;
  if (arg->type_index == kTVMFFITensor) {
    return (DLTensor*)((char*)arg->v_ptr + sizeof(TVMFFIObject));
  }
  return NULL;
}

static int64_t count_elements(const DLTensor* t) {
  int64_t n = 1;
  for (int i = 0; i < t->ndim; ++i) n *= t->shape[i];
  return n;
}

// ------------------------------------------------------------------ arguments

KERNEL(nargs) { return give_int(result, num_args); }

KERNEL(type_index) {
  CHECK(num_args == 1, "type_index takes 1 argument");
  return give_int(result, args[0].type_index);
}

// The eight value bytes of an argument's cell, as they are.
KERNEL(cell_bits) {
  CHECK(num_args == 1, "cell_bits takes 1 argument");
  return give_int(result, args[0].v_int64);
}

KERNEL(echo) {
  CHECK(num_args == 1, "echo takes 1 argument");
  return TVMFFIAnyViewToOwnedAny(&args[0], result);
}

KERNEL(sum_ints) {
  int64_t sum = 0;
  for (int32_t i = 0; i < num_args; ++i) {
    CHECK(args[i].type_index == kTVMFFIInt, "sum_ints takes ints");
    sum += args[i].v_int64;
  }
  return give_int(result, sum);
}

KERNEL(str_length) {
  CHECK(num_args == 1 && (args[0].type_index == kTVMFFISmallStr ||
                          args[0].type_index == kTVMFFIRawStr || args[0].type_index == kTVMFFIStr),
        "str_length takes a string");
  return give_int(result, (int64_t)content(&args[0]).size);
}

// The sum of the bytes of a string or byte array.
KERNEL(byte_sum) {
  CHECK(num_args == 1, "byte_sum takes 1 argument");
  TVMFFIByteArray view = content(&args[0]);
  int64_t sum = 0;
  for (size_t i = 0; i < view.size; ++i) sum += (unsigned char)view.data[i];
  return give_int(result, sum);
}

KERNEL(byte_address) {
  CHECK(num_args == 1, "byte_address takes 1 argument");
  return give_int(result, (int64_t)(intptr_t)content(&args[0]).data);
}

// ------------------------------------------------------------------ tensors

KERNEL(myadd) {
  CHECK(num_args == 3, "myadd takes 3 arguments");
  DLTensor* t[3];
  for (int i = 0; i < 3; ++i) {
    t[i] = tensor(&args[i]);
    CHECK(t[i] != NULL, "myadd takes tensors");
    CHECK(t[i]->dtype.code == kDLFloat && t[i]->dtype.bits == 32, "myadd takes float32");
    CHECK(count_elements(t[i]) == count_elements(t[0]), "myadd takes tensors of one size");
  }
  const float* x = (const float*)((char*)t[0]->data + t[0]->byte_offset);
  const float* y = (const float*)((char*)t[1]->data + t[1]->byte_offset);
  float* out = (float*)((char*)t[2]->data + t[2]->byte_offset);
  for (int64_t i = 0; i < count_elements(t[0]); ++i) out[i] = x[i] + y[i];
  return 0;
}

KERNEL(tensor_address) {
  CHECK(num_args == 1 && tensor(&args[0]) != NULL, "tensor_address takes a tensor");
  DLTensor* t = tensor(&args[0]);
  return give_int(result, (int64_t)(intptr_t)t->data + (int64_t)t->byte_offset);
}

KERNEL(tensor_ndim) {
  CHECK(num_args == 1 && tensor(&args[0]) != NULL, "tensor_ndim takes a tensor");
  return give_int(result, tensor(&args[0])->ndim);
}

KERNEL(tensor_extent) {
  CHECK(num_args == 2 && tensor(&args[0]) != NULL, "tensor_extent takes a tensor and a dimension");
  return give_int(result, tensor(&args[0])->shape[args[1].v_int64]);
}

KERNEL(tensor_stride) {
  CHECK(num_args == 2 && tensor(&args[0]) != NULL, "tensor_stride takes a tensor and a dimension");
  CHECK(tensor(&args[0])->strides != NULL, "the tensor has no strides");
  return give_int(result, tensor(&args[0])->strides[args[1].v_int64]);
}

KERNEL(tensor_dtype) {
  CHECK(num_args == 1 && tensor(&args[0]) != NULL, "tensor_dtype takes a tensor");
  result->type_index = kTVMFFIDataType;
  result->v_dtype = tensor(&args[0])->dtype;
  return 0;
}

// Call args[0] with a tensor that lives on this stack, {1, 2, 3, 4}, taking every `step`-th of
// eight floats; return the sum of the four afterwards.
KERNEL(call_with_stack_tensor) {
  CHECK(num_args == 2 && args[0].type_index == kTVMFFIFunction, "takes a function and a step");
  int64_t step = args[1].v_int64;
  float data[8] = {-1, -1, -1, -1, -1, -1, -1, -1};
  for (int i = 0; i < 4; ++i) data[i * step] = (float)(i + 1);
  int64_t shape[1] = {4}, strides[1] = {step};
  DLTensor t;
  memset(&t, 0, sizeof(t));
  t.data = data;
  t.device.device_type = kDLCPU;
  t.ndim = 1;
  t.dtype.code = kDLFloat;
  t.dtype.bits = 32;
  t.dtype.lanes = 1;
  t.shape = shape;
  t.strides = step == 1 ? NULL : strides;
  TVMFFIAny arg, ignored;
  memset(&arg, 0, sizeof(arg));
  memset(&ignored, 0, sizeof(ignored));
  arg.type_index = kTVMFFIDLTensorPtr;
  arg.v_ptr = &t;
  int code = TVMFFIFunctionCall(args[0].v_ptr, &arg, 1, &ignored);
  if (ignored.type_index >= kTVMFFIStaticObjectBegin) TVMFFIObjectDecRef(ignored.v_ptr);
  double sum = 0;
  for (int i = 0; i < 4; ++i) sum += data[i * step];
  for (int i = 0; i < 4 && step == 2; ++i) CHECK(data[2 * i + 1] == -1, "a neighbour was written");
  memset(data, 0x7f, sizeof(data));  // what still points here afterwards reads 3.39e38
  if (code != 0) return code;
  return give_float(result, sum);
}

// Call args[0] with the tensors that follow, as if they lived on this stack.
KERNEL(lend) {
  TVMFFIAny lent[2], ignored;
  CHECK(1 <= num_args && num_args <= 3 && args[0].type_index == kTVMFFIFunction,
        "takes a function and two tensors");
  memset(lent, 0, sizeof(lent));
  memset(&ignored, 0, sizeof(ignored));
  for (int i = 1; i < num_args; ++i) {
    lent[i - 1].type_index = kTVMFFIDLTensorPtr;
    lent[i - 1].v_ptr = tensor(&args[i]);
  }
  int code = TVMFFIFunctionCall(args[0].v_ptr, lent, num_args - 1, &ignored);
  if (ignored.type_index >= kTVMFFIStaticObjectBegin) TVMFFIObjectDecRef(ignored.v_ptr);
  return code;
}

// ------------------------------------------------------------------ results

// A result of the type index in args[0], for those that are plain data.
KERNEL(give) {
  static TVMFFIByteArray bytes = {"by\0tes", 6};
  CHECK(num_args == 1 && args[0].type_index == kTVMFFIInt, "give takes a type index");
  result->type_index = (int32_t)args[0].v_int64;
  switch (result->type_index) {
    case kTVMFFIInt:
      result->v_int64 = -7;
      break;
    case kTVMFFIBool:
      result->v_int64 = 1;
      break;
    case kTVMFFIFloat:
      result->v_float64 = 2.5;
      break;
    case kTVMFFIOpaquePtr:
      result->v_ptr = (void*)0x1234;
      break;
    case kTVMFFIDataType:
      result->v_dtype.code = kDLFloat;
      result->v_dtype.bits = 32;
      result->v_dtype.lanes = 4;
      break;
    case kTVMFFIDevice:
      result->v_device.device_type = kDLVulkan;
      result->v_device.device_id = 3;
      break;
    case kTVMFFIRawStr:
      result->v_c_str = "raw text";
      break;
    case kTVMFFIByteArrayPtr:
      result->v_ptr = &bytes;
      break;
    case kTVMFFISmallStr:
      result->small_str_len = 5;
      memcpy(result->v_bytes, "sm\0ll", 5);
      break;
    case kTVMFFISmallBytes:
      result->small_str_len = 7;
      memcpy(result->v_bytes, "\0\377small", 7);
      break;
  }
  return 0;
}

KERNEL(make_dtype) {
  CHECK(num_args == 3, "make_dtype takes code, bits and lanes");
  result->type_index = kTVMFFIDataType;
  result->v_dtype.code = (uint8_t)args[0].v_int64;
  result->v_dtype.bits = (uint8_t)args[1].v_int64;
  result->v_dtype.lanes = (uint16_t)args[2].v_int64;
  return 0;
}

// A string (args[1] 0) or bytes (1) of args[0] bytes: 0, 1, 2, ...
KERNEL(make_text) {
  static char data[256];
  CHECK(num_args == 2 && args[0].v_int64 <= 256, "make_text takes a size up to 256 and a kind");
  for (int i = 0; i < 256; ++i) data[i] = (char)i;
  TVMFFIByteArray view = {data, (size_t)args[0].v_int64};
  return args[1].v_int64 ? TVMFFIBytesFromByteArray(&view, result)
                         : TVMFFIStringFromByteArray(&view, result);
}

// ------------------------------------------------------------------ calling back

// args[0](args[1], ...)
KERNEL(forward) {
  CHECK(num_args >= 1 && args[0].type_index == kTVMFFIFunction, "forward takes a function");
  return TVMFFIFunctionCall(args[0].v_ptr, (TVMFFIAny*)args + 1, num_args - 1, result);
}

// Call args[0] and ignore what comes out, an error too. Then the byte sum of args[1].
KERNEL(call_then_byte_sum) {
  CHECK(num_args == 2 && args[0].type_index == kTVMFFIFunction, "takes a function and a string");
  TVMFFIAny ignored;
  memset(&ignored, 0, sizeof(ignored));
  TVMFFIFunctionCall(args[0].v_ptr, NULL, 0, &ignored);
  if (ignored.type_index >= kTVMFFIStaticObjectBegin) TVMFFIObjectDecRef(ignored.v_ptr);
  TVMFFIByteArray view = content(&args[1]);
  int64_t sum = 0;
  for (size_t i = 0; i < view.size; ++i) sum += (unsigned char)view.data[i];
  return give_int(result, sum);
}

// Call args[0]() and return "kind|message" of its error, or "" if there is none.
KERNEL(error_of) {
  CHECK(num_args == 1 && args[0].type_index == kTVMFFIFunction, "error_of takes a function");
  TVMFFIAny ignored;
  memset(&ignored, 0, sizeof(ignored));
  char text[4096];
  TVMFFIByteArray view = {text, 0};
  if (TVMFFIFunctionCall(args[0].v_ptr, NULL, 0, &ignored) == 0) {
    if (ignored.type_index >= kTVMFFIStaticObjectBegin) TVMFFIObjectDecRef(ignored.v_ptr);
    return TVMFFIStringFromByteArray(&view, result);
  }
  TVMFFIObjectHandle error = NULL;
  TVMFFIErrorMoveFromRaised(&error);
  CHECK(error != NULL, "the function failed without an error");
  TVMFFIErrorCell* cell = (TVMFFIErrorCell*)((char*)error + sizeof(TVMFFIObject));
  view.size = cell->kind.size + 1 + cell->message.size;
  int fits = view.size <= sizeof(text);
  if (fits) {
    memcpy(text, cell->kind.data, cell->kind.size);
    text[cell->kind.size] = '|';
    memcpy(text + cell->kind.size + 1, cell->message.data, cell->message.size);
  }
  TVMFFIObjectDecRef(error);
  CHECK(fits, "the error is too long");
  return TVMFFIStringFromByteArray(&view, result);
}

typedef struct {
  TVMFFIAny* args;
  int32_t num_args;
  TVMFFIAny* result;
  int code;
  TVMFFIObjectHandle error;
} Errand;

static void* run_errand(void* p) {
  Errand* errand = (Errand*)p;
  errand->code = TVMFFIFunctionCall(errand->args[0].v_ptr, errand->args + 1, errand->num_args - 1,
                                    errand->result);
  if (errand->code != 0) TVMFFIErrorMoveFromRaised(&errand->error);
  return NULL;
}

// forward, but in a thread Python has never seen; the caller waits for it.
KERNEL(forward_in_new_thread) {
  CHECK(num_args >= 1 && args[0].type_index == kTVMFFIFunction, "takes a function");
  Errand errand = {(TVMFFIAny*)args, num_args, result, 0, NULL};
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, run_errand, &errand) == 0, "no thread");
  pthread_join(thread, NULL);
  if (errand.error != NULL) {
    TVMFFIErrorSetRaised(errand.error);
    TVMFFIObjectDecRef(errand.error);
  }
  return errand.code;
}

// A function the library holds on to.
static TVMFFIObjectHandle kept = NULL;

KERNEL(keep) {
  CHECK(num_args == 1 && args[0].type_index == kTVMFFIFunction, "keep takes a function");
  CHECK(kept == NULL, "a function is kept already");
  TVMFFIObjectIncRef(args[0].v_ptr);
  kept = args[0].v_ptr;
  return 0;
}

KERNEL(call_kept) {
  CHECK(kept != NULL, "no function is kept");
  return TVMFFIFunctionCall(kept, (TVMFFIAny*)args, num_args, result);
}

static void* drop_now(void* unused) {
  TVMFFIObjectHandle function = kept;
  kept = NULL;
  if (function != NULL) TVMFFIObjectDecRef(function);
  return NULL;
}

KERNEL(drop) {
  drop_now(NULL);
  return 0;
}

KERNEL(drop_in_new_thread) {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, drop_now, NULL) == 0, "no thread");
  pthread_join(thread, NULL);
  return 0;
}

// ------------------------------------------------------------------ failing, waiting

static const char* c_string(const TVMFFIAny* arg, char* buffer, size_t size) {
  TVMFFIByteArray view = content(arg);
  size_t n = view.size < size - 1 ? view.size : size - 1;
  memcpy(buffer, view.data, n);
  buffer[n] = 0;
  return buffer;
}

KERNEL(fail) {
  char kind[64], message[1024];
  CHECK(num_args == 2, "fail takes a kind and a message");
  TVMFFIErrorSetRaisedFromCStr(c_string(&args[0], kind, sizeof(kind)),
                               c_string(&args[1], message, sizeof(message)));
  return -1;
}

// Say that it failed, but not why.
KERNEL(fail_silently) { return -1; }

// Leave an error behind and succeed.
KERNEL(leave_an_error) {
  TVMFFIErrorSetRaisedFromCStr("ValueError", "left behind by an earlier call");
  return 0;
}

KERNEL(sleep_us) {
  CHECK(num_args == 1 && args[0].type_index == kTVMFFIInt, "sleep_us takes microseconds");
  usleep((useconds_t)args[0].v_int64);
  return 0;
}

KERNEL(main) { return give_int(result, 42 + num_args); }
