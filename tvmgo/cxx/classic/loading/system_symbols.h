// SPDX-License-Identifier: Apache-2.0
//
// The names that libraries built as "system library" register while they are being opened.
#ifndef TVMGO_CXX_CLASSIC_LOADING_SYSTEM_SYMBOLS_H_
#define TVMGO_CXX_CLASSIC_LOADING_SYSTEM_SYMBOLS_H_

#include <string>
#include <unordered_set>

namespace tvmgo::classic {

class SystemSymbols {
 public:
  // Exists while this thread opens a library, the names of which then belong to it. Opening one may
  // open another.
  class Opening {
   public:
    Opening();
    ~Opening();
    Opening(const Opening&) = delete;

   private:
    friend class SystemSymbols;

    std::unordered_set<const void*> registered_;  // the libraries that have registered names
    Opening* outer_;
  };

  static void Register(const char* name, void* address);
  // The address that a library registered during an Opening, or null. Start-up code runs for
  // whoever opens a library first, but the names are everybody's who has it open.
  static void* FindIn(const void* identity, const std::string& name);
  // Whether a library has registered names outside of those.
  static bool HasAny();
  // The address last registered outside of those under the name with the prefix or, if there is
  // none, under the name alone; or null.
  static void* Find(const std::string& prefix, const std::string& name);
};

}  // namespace tvmgo::classic

#endif  // TVMGO_CXX_CLASSIC_LOADING_SYSTEM_SYMBOLS_H_
