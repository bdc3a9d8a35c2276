#include "bootstrap/copy_permission.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <mutex>
#include <utility>

namespace uintr {

constexpr int32_t kAnybody = -1;
constexpr uint32_t kMostHolders = 64;

// The kernel keeps one value per process, the last that was set. So whoever sets it has to know what all worlds of the
// process need, also those of another copy of this library.
struct CopyGrants {
  struct Entry {
    int32_t holder;  // 0: free
    uint32_t worlds;
  };
  std::mutex mutex;
  Entry entries[kMostHolders];
  int32_t told;  // what the kernel has: a holder, or 0
};

// One per process, however many copies are loaded: GCC makes such a symbol unique (STB_GNU_UNIQUE), and the
// dynamic linker gives all copies the first one. Its name has a number, for another layout needs another.
[[gnu::visibility("default")]] inline constinit CopyGrants copy_grants_1{};

namespace {

// ANY covers all. An ancestor covers its other descendants, and so this process's own children too. Of two that do not
// cover each other the one that was there first has it, for as long as it needs it: a world that copies goes on.
int32_t choose(const CopyGrants& grants) {
  int32_t chosen = 0;
  for (const auto& entry : grants.entries) {
    if (entry.holder == kAnybody) return kAnybody;
    if (entry.holder == 0) continue;
    const bool better = chosen == 0 || chosen == getpid() || (entry.holder == grants.told && entry.holder != getpid());
    if (better) chosen = entry.holder;
  }
  return chosen;
}

// False: there is no room for one more holder, which has to do without.
bool count(CopyGrants* grants, int32_t holder) {
  CopyGrants::Entry* free = nullptr;
  for (auto& entry : grants->entries) {
    if (entry.holder == holder) return ++entry.worlds, true;
    if (entry.holder == 0 && free == nullptr) free = &entry;
  }
  if (free != nullptr) *free = {holder, 1};
  return free != nullptr;
}

// EINVAL where there is no Yama: nothing is forbidden then. Always set, for a fork has the list and not the permission.
void tell(CopyGrants* grants) {
  grants->told = choose(*grants);
  prctl(PR_SET_PTRACER, grants->told == kAnybody ? PR_SET_PTRACER_ANY : static_cast<unsigned long>(grants->told), 0, 0, 0);
}

}  // namespace

CopyPermission CopyPermission::to_family_of(int32_t pid) { return CopyPermission(pid); }

CopyPermission CopyPermission::to_all_of_this_user() { return CopyPermission(kAnybody); }

CopyPermission::CopyPermission(int32_t holder) {
  std::lock_guard lock(copy_grants_1.mutex);
  if (!count(&copy_grants_1, holder)) return;
  holder_ = holder;
  tell(&copy_grants_1);
}

CopyPermission& CopyPermission::operator=(CopyPermission&& other) noexcept {
  std::swap(holder_, other.holder_);
  return *this;
}

CopyPermission::~CopyPermission() {
  if (holder_ == 0) return;
  std::lock_guard lock(copy_grants_1.mutex);
  for (auto& entry : copy_grants_1.entries) {
    if (entry.holder != holder_) continue;
    if (--entry.worlds == 0) entry = {0, 0};
    tell(&copy_grants_1);
    return;
  }
}

}  // namespace uintr
