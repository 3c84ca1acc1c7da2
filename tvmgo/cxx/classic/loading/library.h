// SPDX-License-Identifier: Apache-2.0
//
// A shared library in memory, of which only its own symbols are visible: asking the system for
// `strlen` would find libc's, and calling that by the classic convention would crash.
#ifndef TVMGO_CXX_CLASSIC_LOADING_LIBRARY_H_
#define TVMGO_CXX_CLASSIC_LOADING_LIBRARY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "classic/abi.h"
#include "classic/loading/redirect.h"

namespace tvmgo::classic {

class Library {
 public:
  // No library.
  Library() = default;
  // Opens the file: everything resolved now, because a missing function found later ends the
  // process, and nothing shown to other libraries. Throws RuntimeError with the system's reason.
  explicit Library(const std::string& path);
  Library(Library&& other) noexcept;
  Library& operator=(Library&& other) noexcept;
  ~Library() { Close(); }

  // Equal for all that opened the same file while it was in memory.
  const void* identity() const { return handle_; }
  // What the system calls it: the same, however the path was written, while it is in memory.
  const std::string& name() const { return name_; }

  // Lets go. True when the library stays in memory nevertheless, because somebody else uses it.
  bool Close();

  // The function of that name, or null.
  PackedFunction FindFunction(const std::string& name) const;
  // A variable of at least `nbytes` bytes that may be written, or null.
  void* FindVariable(const char* name, size_t nbytes) const;
  // The bytes of a constant, or nothing.
  std::string_view FindBytes(const char* name) const;

  // Makes the library call something else than what it found in other libraries.
  void Redirect(const std::vector<Redirection>& redirections) const;

 private:
  struct Segment {
    uintptr_t begin, end;
    bool writable, executable;
  };
  struct Symbol {
    char* address = nullptr;
    size_t nbytes = 0;  // at most up to the end of the segment
    bool function = false;
    bool object = false;
    bool writable = false;
    bool executable = false;
  };

  Symbol Find(const char* name) const;
  Symbol At(void* address, const char* name) const;
  void ReadSegments();

  void* handle_ = nullptr;
  std::string name_;
  std::vector<Segment> segments_;
};

// Keeps OpenMP's runtimes in memory if there are any: their threads stay when the last library that
// needs them is closed, and would run code that is gone.
void KeepOpenMP();

// What libraries opened from now on would find under that name, or null.
void* GloballyVisible(const char* name);
inline bool IsGloballyVisible(const char* name) { return GloballyVisible(name) != nullptr; }
// Makes them find the functions of the library that has this one.
void MakeGloballyVisible(void* function);

}  // namespace tvmgo::classic

#endif  // TVMGO_CXX_CLASSIC_LOADING_LIBRARY_H_
