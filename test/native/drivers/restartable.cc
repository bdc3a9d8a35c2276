// User interrupts in the middle of restartable sequences (drivers/restartable.h). Signals cannot show this: the kernel has
// a sequence begin again that it interrupts itself. So the sequences run here on an area that the kernel does not know,
// which the handlers keep as the kernel keeps its own, or are entered in their middle. Both are seen: this package's
// sequence, and one of somebody else's.
//
// preload: emulator
// sources: src-native/bootstrap/memfd.cc src-native/bootstrap/error.cc
// sources: src-native/drivers/uintr_*.cc src-native/drivers/uintr_entry_handler.S
// sources: src-native/drivers/dispatch_handler.cc test/native/bootstrap/engine_stub.cc
// sources: src-native/drivers/restartable.cc src-native/drivers/restartable_handler.cc
// sources: src-native/drivers/rseq_add_handler.S test/native/bootstrap/symbol_dl.cc
#include "drivers/restartable.h"

#include <sched.h>
#include <ucontext.h>

#include <atomic>
#include <set>
#include <thread>
#include <vector>

#include "../bootstrap/tools.h"
#include "bootstrap/fd.h"
#include "drivers/dispatch.h"
#include "drivers/uintr_entry.h"
#include "drivers/uintr_probe.h"
#include "drivers/uintr_senders.h"
#include "drivers/uintr_thread.h"
#include "engine/arch.h"

using namespace uintr;

namespace uintr {
extern "C" const RseqDescriptor uintr_rseq_descriptor;
}

// Somebody else's sequence, with a few more instructions than this package's.
extern "C" int foreign_add(RseqArea* area, void* base, uint32_t slots, uint64_t n);
extern "C" const RseqDescriptor foreign_descriptor;
asm(R"(
        .text
        .type   foreign_add, @function
foreign_add:
        lea     foreign_descriptor(%rip), %rax
        mov     %rax, 8(%rdi)
.Lforeign_start:
        mov     4(%rdi), %eax
        cmp     %edx, %eax
        jae     .Lforeign_no_slot
        nop
        imul    $64, %rax, %r8
        lea     (%rsi,%r8), %r8
        nop
        add     %rcx, (%r8)
.Lforeign_end:
        xor     %eax, %eax
        ret
.Lforeign_no_slot:
        mov     $2, %eax
        ret
        .byte   0x0f, 0xb9, 0x3d
        .long   0x53053053
.Lforeign_abort:
        mov     $1, %eax
        ret
        .size   foreign_add, . - foreign_add

        .section .data.rel.ro.foreign, "aw", @progbits
        .balign 32
foreign_descriptor:
        .long   0, 0
        .quad   .Lforeign_start, .Lforeign_end - .Lforeign_start, .Lforeign_abort
        .text
)");

namespace {

constexpr uint32_t kVector = 9;
constexpr uint32_t kSlots = 4;
struct alignas(64) Slot {
  volatile uint64_t count;
};
Slot slots[kSlots];

struct Sequence {
  const char* name;
  int (*add)(RseqArea* area, void* base, uint32_t slots, uint64_t n);
  const RseqDescriptor* descriptor;
  uint64_t end() const { return descriptor->start + descriptor->length; }
};
const Sequence kOwn = {"this package's", uintr_rseq_add, &uintr_rseq_descriptor};
const Sequence kForeign = {"somebody else's", foreign_add, &foreign_descriptor};

// As the kernel's for a thread, but only this test changes it.
thread_local RseqArea pretended{};

int64_t from_thread_pointer(const RseqArea* area) {
  const char* thread = nullptr;
  asm("mov %%fs:0, %0" : "=r"(thread));
  return reinterpret_cast<const char*>(area) - thread;
}

// While it lives, rseq_restart takes the pretended area for the thread's.
class Pretence {
 public:
  Pretence() : real_(rseq_area()) { rseq_area_offset.release(from_thread_pointer(&pretended)); }
  ~Pretence() { rseq_area_offset.release(real_ == nullptr ? 0 : from_thread_pointer(real_)); }
  RseqArea* real() const { return real_; }

 private:
  RseqArea* real_;
};

uint64_t sum() {
  uint64_t sum = 0;
  for (const Slot& slot : slots) sum += slot.count;
  return sum;
}
void clear() {
  for (Slot& slot : slots) slot.count = 0;
}

// The calling thread as receiver of user interrupts, whose handler is `run`.
class Receiver {
 public:
  explicit Receiver(void (*run)(void*, uint64_t)) : entry_{nullptr, kVector, run, nullptr, nullptr} {
    const UintrAbi& abi = *uintr_probe().abi;
    JoinError error;
    CHECK_OK(uintr_thread_open(abi, &error), error);
    dispatch_add(&entry_);
    fd_.reset(uintr_thread_fd(abi, kVector, &error));
    CHECK(fd_);
  }
  ~Receiver() {
    dispatch_remove(&entry_);
    uintr_thread_close(*uintr_probe().abi);
  }
  int fd() const { return fd_.get(); }

 private:
  DispatchEntry entry_;
  Fd fd_;
};

// ---- at each instruction: single steps up to it, and there the frame that the processor would push

struct Stepping {
  const Sequence* sequence;
  uint64_t wanted = 0;        // the instruction to be interrupted; 0: only look
  RseqArea* area = nullptr;   // on which it goes on from there
  std::vector<uint64_t> seen;
  uint32_t delivered = 0, handled = 0;
} stepping;

// From here on a signal after each instruction.
void set_trap_flag() {
  asm volatile("sub $128, %%rsp; pushfq; orq $0x100, (%%rsp); popfq; add $128, %%rsp" ::: "cc", "memory");
}

bool in_sequence_function(uint64_t rip) {
  const auto first = reinterpret_cast<uint64_t>(stepping.sequence->add);
  return rip >= first && rip < stepping.sequence->descriptor->abort + 16;
}

void on_step(int, siginfo_t*, void* context) {
  greg_t* g = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const auto rip = static_cast<uint64_t>(g[REG_RIP]);
  if (!in_sequence_function(rip)) {
    // On its way in, or out again.
    if (!stepping.seen.empty()) g[REG_EFL] &= ~0x100ll;
    return;
  }
  stepping.seen.push_back(rip);
  if (rip != stepping.wanted) return;
  g[REG_EFL] &= ~0x100ll;
  if (stepping.area != &pretended) {
    // What the sequence has written there until now.
    if (pretended.descriptor != 0) stepping.area->descriptor = pretended.descriptor;
    g[REG_RDI] = reinterpret_cast<greg_t>(stepping.area);
  }
  const auto rsp = static_cast<uint64_t>(g[REG_RSP]);
  auto* frame = reinterpret_cast<InterruptFrame*>((rsp - 128) & ~15ull) - 1;
  *frame = {kVector, rip, static_cast<uint64_t>(g[REG_EFL]), rsp};
  g[REG_RIP] = reinterpret_cast<greg_t>(uintr_entry);
  g[REG_RSP] = reinterpret_cast<greg_t>(frame);
  ++stepping.delivered;
}

// On a stack of its own: what the processor pushes overlaps the kernel's frame.
void step_by_signals() {
  static char stack[64 * 1024];
  const stack_t own = {stack, 0, sizeof stack};
  CHECK(sigaltstack(&own, nullptr) == 0);
  struct sigaction action{};
  action.sa_sigaction = on_step;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  CHECK(sigaction(SIGTRAP, &action, nullptr) == 0);
}

int step_through(const Sequence& sequence, uint64_t wanted, RseqArea* area, uint64_t n) {
  stepping.sequence = &sequence;
  stepping.wanted = wanted;
  stepping.area = area;
  stepping.seen.clear();
  stepping.delivered = stepping.handled = 0;
  pretended.descriptor = 0;
  set_trap_flag();
  return sequence.add(&pretended, slots, kSlots, n);
}

uint32_t old_cpu, new_cpu;

// What the kernel does when it moves a thread that it finds outside of any sequence.
void moves_pretended(void*, uint64_t) {
  ++stepping.handled;
  pretended.cpu_id.release(new_cpu);
  pretended.descriptor = 0;
  slots[old_cpu].count = slots[old_cpu].count + 1000;
}

bool move(uint32_t cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  return sched_setaffinity(0, sizeof set, &set) == 0 && static_cast<uint32_t>(sched_getcpu()) == cpu;
}
void moves_really(void*, uint64_t) {
  ++stepping.handled;
  CHECK(move(new_cpu));
  slots[old_cpu].count = slots[old_cpu].count + 1000;
}

void interrupted_everywhere(const Sequence& sequence, RseqArea* area, bool really) {
  const Receiver receiver(really ? moves_really : moves_pretended);
  const auto begin = [&] {
    if (really) CHECK(move(old_cpu));
    pretended.cpu_id.release(old_cpu);
    clear();
  };
  begin();
  CHECK(step_through(sequence, 0, &pretended, 7) == kRseqDone);
  const std::vector<uint64_t> instructions = stepping.seen;
  // From the first one of the function to its return; in between is the one that stores.
  CHECK(instructions.front() == reinterpret_cast<uint64_t>(sequence.add));
  CHECK(instructions.back() > sequence.end());
  CHECK(std::set(instructions.begin(), instructions.end()).size() == instructions.size());
  uint32_t inside = 0;
  for (const uint64_t at : instructions) {
    begin();
    int result = step_through(sequence, at, area, 7);
    CHECK(stepping.delivered == 1 && stepping.handled == 1);
    const bool before = at < sequence.descriptor->start, over = at >= sequence.end();
    CHECK(result == (before || over ? kRseqDone : kRseqAborted));
    inside += result == kRseqAborted;
    for (uint32_t again = 0; result == kRseqAborted; ++again) {
      CHECK(again < 1000);
      result = sequence.add(area, slots, kSlots, 7);
    }
    CHECK(result == kRseqDone);
    // Added once, on the processor where the thread was when it did.
    CHECK(slots[old_cpu].count == 1000u + (over ? 7 : 0));
    CHECK(old_cpu == new_cpu || slots[new_cpu].count == (over ? 0u : 7u));
    CHECK(sum() == 1007);
  }
  CHECK(inside >= 5);
}

void at_every_instruction() {
  const Pretence pretence;
  step_by_signals();
  old_cpu = 1;
  new_cpu = 2;
  interrupted_everywhere(kOwn, &pretended, false);
  interrupted_everywhere(kForeign, &pretended, false);
}

// As before, but from the interrupted instruction on with the area that the kernel keeps, and on real processors.
void at_every_instruction_of_a_thread_that_is_moved() {
  cpu_set_t set;
  CHECK(sched_getaffinity(0, sizeof set, &set) == 0);
  std::vector<uint32_t> cpus;
  for (uint32_t cpu = 0; cpu < kSlots; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  RseqArea* real = rseq_area();
  if (real == nullptr || cpus.size() < 2) return;
  step_by_signals();
  old_cpu = cpus[0];
  new_cpu = cpus[1];
  interrupted_everywhere(kOwn, real, true);
  CHECK(sched_setaffinity(0, sizeof set, &set) == 0);
}

// ---- anywhere: as often as another thread can send

std::atomic<uint32_t> handled{0}, astray{0};
uint64_t seen[kSlots];

// While the thread is elsewhere, what it left stays as it was.
void changes_processor(void*, uint64_t) {
  const uint32_t from = pretended.cpu_id.relaxed(), to = (from + 1) % kSlots;
  for (uint32_t i = 0; i < kSlots; ++i) {
    if (i != from && slots[i].count != seen[i]) astray.fetch_add(1);
    seen[i] = slots[i].count;
  }
  pretended.cpu_id.release(to);
  handled.fetch_add(1);
}

void under_a_stream_of_interrupts(const Sequence& sequence) {
  const Pretence pretence;
  pretended.cpu_id.release(0);
  pretended.descriptor = 0;
  clear();
  std::fill(std::begin(seen), std::end(seen), 0);
  handled = astray = 0;
  const Receiver receiver(changes_processor);
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> total{0};
  std::thread sender([&] {
    const UintrAbi& abi = *uintr_probe().abi;
    const int32_t index = uintr_sender_take(abi, 1, receiver.fd(), nullptr);
    CHECK(index >= 0);
    for (uint32_t sent = 0; !stop.load(); ++sent) {
      arch::senduipi(static_cast<uint64_t>(index));
      // One that is there when the handler returns finds the sequence where this one has put it.
      while (handled.load() < sent && !stop.load()) arch::relax();
      for (const uint64_t until = total.load() + 50 + sent % 64; total.load() < until && !stop.load();) arch::relax();
    }
    uintr_sender_give_back(abi, 1);
  });
  uint32_t again = 0;
  // Nobody but rseq_restart sends a sequence back here.
  while (again < 200 && handled.load() < 20000) {
    const uint64_t n = total.load(std::memory_order_relaxed) + 1;
    total.store(n, std::memory_order_relaxed);
    // It waits for memory, so that this is where the interrupts find it.
    asm volatile("clflush %0" : "+m"(pretended));
    for (Slot& slot : slots) asm volatile("clflush %0" : "+m"(slot));
    while (sequence.add(&pretended, slots, kSlots, n) == kRseqAborted) ++again;
  }
  stop = true;
  sender.join();
  CHECK(astray.load() == 0);
  CHECK(again >= 200);
  CHECK(sum() == total * (total + 1) / 2);
}

// ---- which frames are changed

void only_frames_in_the_middle_are_changed(const Sequence& sequence, bool changed) {
  for (uint64_t rip = sequence.descriptor->start - 24; rip < sequence.end() + 24; ++rip) {
    InterruptFrame frame = {kVector, rip, 0x246, 0x7000};
    rseq_restart(&frame);
    const bool middle = rip >= sequence.descriptor->start && rip < sequence.end();
    CHECK(frame.rip == (middle && changed ? sequence.descriptor->abort : rip));
    CHECK(frame.vector == kVector && frame.rflags == 0x246 && frame.rsp == 0x7000);
  }
}

void frames() {
  {
    const Pretence pretence;
    // Somebody else's is known by the area only, and only while it is under way.
    pretended.descriptor = reinterpret_cast<uint64_t>(&foreign_descriptor);
    only_frames_in_the_middle_are_changed(kOwn, true);
    only_frames_in_the_middle_are_changed(kForeign, true);
    pretended.descriptor = 0;
    only_frames_in_the_middle_are_changed(kOwn, true);
    only_frames_in_the_middle_are_changed(kForeign, false);
    pretended.descriptor = reinterpret_cast<uint64_t>(&uintr_rseq_descriptor);
    only_frames_in_the_middle_are_changed(kForeign, false);
  }
  // A process without areas.
  RseqArea* real = rseq_area();
  rseq_area_offset.release(0);
  CHECK(rseq_area() == nullptr);
  pretended.descriptor = reinterpret_cast<uint64_t>(&foreign_descriptor);
  only_frames_in_the_middle_are_changed(kOwn, true);
  only_frames_in_the_middle_are_changed(kForeign, false);
  rseq_area_offset.release(real == nullptr ? 0 : from_thread_pointer(real));
}

// What the kernel demands of a descriptor (kernel/rseq.c): else it ends the process.
void the_descriptor_is_as_the_kernel_wants_it() {
  const RseqDescriptor& d = uintr_rseq_descriptor;
  CHECK(reinterpret_cast<uint64_t>(&d) % 32 == 0);
  CHECK(d.version == 0 && d.flags == 0);
  CHECK(d.length > 0 && d.length < 64 && d.abort - d.start >= d.length);
  uint32_t signature = 0;
  memcpy(&signature, reinterpret_cast<const void*>(d.abort - 4), 4);
  CHECK(signature == 0x53053053);
}

}  // namespace

int main() {
  alarm(120);
  const UintrProbe& probe = uintr_probe();
  if (probe.abi == nullptr) {
    fprintf(stderr, "no user interrupts: %s\n", probe.reason.c_str());
    return 1;
  }
  the_descriptor_is_as_the_kernel_wants_it();
  frames();
  at_every_instruction();
  at_every_instruction_of_a_thread_that_is_moved();
  under_a_stream_of_interrupts(kOwn);
  under_a_stream_of_interrupts(kForeign);
  return test::report("restartable");
}
