// A completion (Documentation/scheduler/completion.rst): a count of what is done and not waited for yet. complete() adds
// one, a wait takes one or sleeps until there is one, and after complete_all() every wait ends at once until reinit().
#pragma once

#include "engine/shared.h"
#include "sync/layout.h"

namespace uintr::sync {

struct alignas(kLine) CompletionWords {
  Shared<uint32_t> done;      // the futex; kAll: all waits end
  Shared<uint32_t> sleepers;  // at least as many as sleep: one that was killed stays counted
};

class Completion {
 public:
  // The kernel's is UINT_MAX.
  static constexpr uint32_t kAll = ~0u;

  explicit Completion(CompletionWords* words) : words_(words) {}

  void complete();
  void complete_all();
  // Whoever sleeps goes on sleeping.
  void reinit() { words_->done.exchange_sc(0); }
  // completion_done() and more: how many waits would end at once.
  uint32_t done() const { return words_->done.load_sc(); }

  // try_wait_for_completion(). `*took`, if not null: it has taken one, where true is returned and not all waits end.
  bool try_wait(bool* took = nullptr);
  // For at most `ns`, and kSliceNs. False: not yet.
  bool wait(uint64_t ns, bool* took = nullptr);

 private:
  CompletionWords* words_;
};

}  // namespace uintr::sync
