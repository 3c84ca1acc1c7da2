// SPDX-License-Identifier: Apache-2.0
// libstdc++ exports this constructor since GCC 9 only. Instantiated here, it is not asked for it:
// a library built today runs beside older ones, too.
#include <sstream>

#ifdef __GLIBCXX__
template std::ostringstream::basic_ostringstream();
#endif
