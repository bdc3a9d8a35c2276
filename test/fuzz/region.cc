// What is made of a region's memory, and of a handle's text, in which anything may stand and change meanwhile: every call
// ends, and what it gives lies in the region as a whole.
// sources: src-native/sync/region.cc src-native/sync/per_cpu.cc src-native/sync/mutex.cc src-native/sync/spin_lock.cc
// sources: src-native/sync/ticket_lock.cc src-native/sync/completion.cc src-native/sync/lock.cc src-native/sync/running.cc
// sources: src-native/bootstrap/memfd.cc src-native/bootstrap/error.cc
// sources: src-native/drivers/restartable.cc src-native/drivers/restartable_handler.cc
// sources: src-native/drivers/rseq_add_handler.S test/native/bootstrap/symbol_dl.cc
#include "sync/region.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bootstrap/memfd.h"
#include "input.h"
#include "must.h"
#include "sync/completion.h"
#include "sync/mutex.h"
#include "sync/per_cpu.h"
#include "sync/spin_lock.h"
#include "sync/ticket_lock.h"

using namespace uintr;
using namespace uintr::sync;
using fuzz::Input;

namespace {

constexpr uint64_t kPage = 4096;
constexpr uint32_t kHeaderLines = sizeof(RegionHeader) / kLine, kOwnLines = sizeof(ObjectHeader) / kLine;

// Of an object, often one of the last, which may not lie there as a whole.
uint32_t pick_line(Input& in) {
  constexpr uint32_t kLast = 2 * kPage / kLine - kOwnLines;
  return in.flag() ? kLast - in.pick(4) : kHeaderLines + in.pick(kLast - kHeaderLines);
}

// Two pages, sealed as a region's.
class Memory {
 public:
  static constexpr uint64_t kBytes = 2 * kPage;
  Memory() : fd_(memfd_create("uintr-region", MFD_CLOEXEC | MFD_ALLOW_SEALING)) {
    MUST(fd_ && ftruncate(fd_.get(), kBytes) == 0);
    void* at = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
    MUST(at != MAP_FAILED && fcntl(fd_.get(), F_ADD_SEALS, kSizeSeals) == 0);
    at_ = static_cast<unsigned char*>(at);
  }
  ~Memory() { munmap(at_, kBytes); }
  int fd() const { return fd_.get(); }
  RegionHeader& header() const { return *reinterpret_cast<RegionHeader*>(at_); }
  ObjectHeader& object(uint32_t line) const { return *reinterpret_cast<ObjectHeader*>(at_ + uint64_t{line} * kLine); }

  // A word where it matters, or bytes anywhere.
  void write(Input& in) const {
    const uint32_t line = pick_line(in);
    const auto value = static_cast<uint32_t>(in());
    switch (in.pick(7)) {
      case 0:
        header().used.set_relaxed(value);
        break;
      case 1:
        header().newest.set_relaxed(value);
        break;
      case 2:
        object(line).kind = static_cast<Kind>(value % 9);
        break;
      case 3:
        object(line).lines = value;
        break;
      case 4:
        object(line).next = value;
        break;
      case 5:
        object(line).name_length = value;
        break;
      default: {
        const uint64_t at = 8 + in() % (kBytes - 8 - 64);
        in.fill(at_ + at, value % 64);
      }
    }
  }

 private:
  Fd fd_;
  unsigned char* at_;
};

template <class Lock>
void use(Lock lock, Owner me) {
  lock.owner();
  lock.holder();
  if (lock.lock(me, 0, true) == Attempt::Waiting) lock.give_up(me);
  if (lock.try_lock(me) == Attempt::Inconsistent) lock.make_consistent();
  lock.unlock(me);
}

void use(Region* region, ObjectHeader* object, Kind kind, Owner me) {
  switch (kind) {
    case Kind::Mutex:
    case Kind::AdaptiveMutex:
      return use(Mutex(region, &words_of<MutexWords>(object), kind == Kind::AdaptiveMutex), me);
    case Kind::SpinLock:
      return use(SpinLock(region, &words_of<SpinLockWords>(object)), me);
    case Kind::TicketLock:
      return use(TicketLock(region, &words_of<TicketLockWords>(object)), me);
    case Kind::PerCpuCounter: {
      PerCpuCounter counter(&words_of<PerCpuSlot>(object), region->lines_at(object));
      counter.add(1);
      counter.sum();
      return;
    }
    case Kind::Completion: {
      Completion completion(&words_of<CompletionWords>(object));
      completion.complete();
      completion.wait(0);
      completion.complete_all();
      return;
    }
    case Kind::AtomicCounter:
      return;
  }
}

void handle_of(Input& in) {
  std::string text(in.pick(64), 0);
  in.fill(text.data(), text.size());
  if (in.flag()) text = "uintr:1:2:" + text;
  Handle handle{};
  if (Handle::parse(text, &handle)) MUST(handle.text() == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input in(data, size);
  if (in.pick(16) == 0) handle_of(in);
  const Memory memory;
  memory.header().identity.set_relaxed(1);
  JoinError error;
  const auto region = Region::open(memory.fd(), &error);
  MUST(region != nullptr);
  const Owner me = region->seat(Region::Use::Blocking, &error);
  for (uint32_t i = 0; i < 40 && !in.empty(); ++i) {
    const auto kind = static_cast<Kind>(1 + in.pick(7));
    ObjectHeader* object = nullptr;
    switch (in.pick(4)) {
      case 0:
        object = region->find_or_make(kind, std::string(in.pick(70), 'x'), &error);
        break;
      case 1:
        object = region->at(in.flag() ? pick_line(in) : static_cast<uint32_t>(in()), kind);
        break;
      default:
        memory.write(in);
    }
    if (object == nullptr) continue;
    const uint32_t line = region->line_of(object);
    MUST(line >= kHeaderLines && (line + kOwnLines + least_lines(kind)) * uint64_t{kLine} <= Memory::kBytes);
    MUST((line + kOwnLines + region->lines_at(object)) * uint64_t{kLine} <= Memory::kBytes);
    use(region.get(), object, kind, me);
  }
  return 0;
}
