// Permission for others to copy to and from this process's memory, where Yama would forbid it (PR_SET_PTRACER). It is
// permission to trace, too, so it is as narrow as can be, and there only as long as a world needs it.
#pragma once

#include <cstdint>

namespace uintr {

// One world's. The destructor takes it back, and with the last one of a process nobody is permitted any more.
class CopyPermission {
 public:
  CopyPermission() = default;
  CopyPermission(CopyPermission&& other) noexcept { *this = static_cast<CopyPermission&&>(other); }
  CopyPermission& operator=(CopyPermission&& other) noexcept;
  ~CopyPermission();

  // To that process and its descendants: who has started the ranks.
  static CopyPermission to_family_of(int32_t pid);
  // To every process of this user: for ranks that nobody has started together.
  static CopyPermission to_all_of_this_user();

 private:
  explicit CopyPermission(int32_t holder);
  int32_t holder_ = 0;  // a pid, kAnybody, or 0: none
};

}  // namespace uintr
