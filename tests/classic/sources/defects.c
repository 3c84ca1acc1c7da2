// SPDX-License-Identifier: Apache-2.0
// One mistake of each kind that a memory checker must report.
#include "classic.h"

#include <stdlib.h>

FUNCTION_OF(write_beyond_the_end) {
  volatile char* memory = malloc(8);
  memory[8] = 1;
  free((void*)memory);
  return 0;
}
FUNCTION_OF(decide_by_what_was_never_written) {
  volatile char* memory = malloc(8);
  ret->number = memory[3] ? 1 : 2;
  *ret_code = INT;
  free((void*)memory);
  return 0;
}
FUNCTION_OF(lose) {
  volatile char* memory = malloc(8);
  memory[0] = 1;
  return 0;
}
