#include "drivers/restartable.h"

#include "bootstrap/symbol.h"

namespace uintr {

void rseq_find() {
  static const bool found = [] {
    // glibc's, declared in <sys/rseq.h>: the size is 0 where the kernel has refused.
    const auto* offset = static_cast<const long*>(symbol_of_program("__rseq_offset"));
    const auto* size = static_cast<const unsigned*>(symbol_of_program("__rseq_size"));
    if (offset == nullptr || size == nullptr || *size == 0) return false;
    rseq_area_offset.release(static_cast<uint64_t>(*offset));
    return true;
  }();
  static_cast<void>(found);
}

RseqArea* rseq_area() {
  rseq_find();
  RseqArea* area = rseq_area_if_found();
  // Every thread has the memory of one, but the kernel may not know of it.
  return area != nullptr && area->cpu_id.relaxed() < kRseqNotRegistered ? area : nullptr;
}

}  // namespace uintr
