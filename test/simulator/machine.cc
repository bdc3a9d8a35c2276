#include "machine.h"

#include <cstdio>
#include <cstring>
#include <vector>

namespace simulator {

Machine* the_machine;

// ---- runs -------------------------------------------------------------------

std::string Machine::run(const Rules& rules, Choices* choices, World* world,
                         const std::function<void(uint32_t)>& program) {
  the_machine = this;
  rules_ = rules;
  choices_ = choices;
  world_ = world;
  program_ = &program;
  failure_.clear();
  steps_ = deaths_ = current_ = 0;
  for (uint32_t i = 0; i < rules.ranks; ++i) start(i);
  running_ = true;
  main_.switch_to(&ranks_[0].fiber);
  running_ = false;
  return failure_;
}

void Machine::start(uint32_t rank) {
  Rank& r = ranks_[rank];
  r.stores.clear();
  r.state = State::Ready;
  r.in_handler = r.in_kernel = r.interrupt_pending = r.wake_flag = r.released = false;
  starts_[rank] = {this, rank};
  r.fiber.start(
      [](void* start) {
        auto* s = static_cast<Start*>(start);
        s->machine->run_rank(s->rank);
      },
      &starts_[rank]);
}

void Machine::run_rank(uint32_t rank) {
  (*program_)(rank);
  settle_stores();
  ranks_[rank].state = State::Finished;
  trace("finished");
  switch_away();
}

void Machine::fail(const char* format, ...) {
  char text[1000];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  failure_ = text;
  if (failure_.empty()) failure_ = "failed";
  trace("FAILED: %s", text);
  ranks_[current_].fiber.switch_to(&main_);
  __builtin_unreachable();
}

void Machine::trace(const char* format, ...) {
  if (!tracing || !running_) return;
  std::fprintf(stderr, "%6llu %*srank %u%s ", static_cast<unsigned long long>(steps_), static_cast<int>(current_) * 12,
               "", current_, ranks_[current_].in_handler ? "!" : " ");
  va_list arguments;
  va_start(arguments, format);
  std::vfprintf(stderr, format, arguments);
  va_end(arguments);
  std::fputc('\n', stderr);
}

// ---- scheduling -------------------------------------------------------------

bool Machine::enabled(uint32_t rank) const {
  const Rank& r = ranks_[rank];
  switch (r.state) {
    case State::Ready:
      return true;
    case State::Computing:
      return deliverable(r) || r.released;
    case State::Asleep:
      return r.wake_flag || deliverable(r) || r.released;
    default:
      return false;
  }
}

void Machine::switch_to(uint32_t rank) {
  uint32_t from = current_;
  if (rank == from) return;
  current_ = rank;
  ranks_[from].fiber.switch_to(&ranks_[rank].fiber);
}

void Machine::add_turn(Option* options, uint32_t* n, uint32_t rank) const {
  const bool costs = rules_.turns_cost && *n != 0;
  options[(*n)++] = {Step::Next, static_cast<uint8_t>(rank), static_cast<uint8_t>(costs ? 1 : 0)};
}

void Machine::switch_away() {
  for (int attempt = 0; attempt < 2; ++attempt) {
    Option options[kMaxRanksHere];
    uint32_t n = 0;
    for (uint32_t i = 1; i <= rules_.ranks; ++i) {
      uint32_t rank = (current_ + i) % rules_.ranks;
      if (enabled(rank)) add_turn(options, &n, rank);
    }
    if (n != 0) {
      switch_to(options[choices_->choose(options, n)].rank);
      return;
    }
    if (attempt == 0) world_->quiescent();
  }
  ranks_[current_].fiber.switch_to(&main_);
}

void Machine::yield() {
  if (++steps_ > rules_.max_steps) fail("more than %u steps", rules_.max_steps);
  settle_stores();
  Option options[kMaxRanksHere];
  uint32_t n = 0;
  for (uint32_t i = 1; i < rules_.ranks; ++i) {
    uint32_t rank = (current_ + i) % rules_.ranks;
    if (enabled(rank)) add_turn(options, &n, rank);
  }
  if (n == 0) return;
  options[n++] = {Step::Reorder, static_cast<uint8_t>(current_), 1};
  switch_to(options[choices_->choose(options, n)].rank);
}

Reason Machine::block(State how) {
  Rank& r = ranks_[current_];
  trace(how == State::Asleep ? "sleeps" : "computes");
  for (;;) {
    settle_stores();
    r.state = how;
    bool woken = how == State::Asleep && r.wake_flag;
    bool interrupted = deliverable(r);
    if (woken && interrupted) {
      const Option options[] = {{Step::Deliver, static_cast<uint8_t>(current_), 0},
                                {Step::Reorder, static_cast<uint8_t>(current_), 1}};
      if (choices_->choose(options, 2) == 1) interrupted = false;
    }
    if (interrupted) {
      r.state = State::Ready;
      run_handler();
    } else if (woken || r.released) {
      r.state = State::Ready;
      r.released = false;
      trace(woken ? "wakes" : "goes on, nobody else can");
      return woken ? Reason::Woken : Reason::Quiescent;
    } else {
      switch_away();
    }
  }
}

void Machine::run_handler() {
  Rank& r = ranks_[current_];
  r.interrupt_pending = false;
  r.in_handler = true;
  trace("handler begins");
  world_->handler(current_);
  trace("handler ends");
  r.in_handler = false;
}

void Machine::die() {
  trace("DIES");
  ++deaths_;
  const uint32_t process = (rules_.process >> current_ & 1) != 0 ? rules_.process : 1u << current_;
  for (uint32_t i = 0; i < rules_.ranks; ++i) {
    if ((process >> i & 1) == 0 || ranks_[i].state == State::Finished || ranks_[i].state == State::Dead) continue;
    drain(i);
    ranks_[i].state = State::Dead;
    world_->died(i);
  }
  switch_away();
  __builtin_unreachable();
}

void Machine::interruptible() { point(false); }

bool Machine::rarely() {
  const Option options[] = {{Step::Continue, static_cast<uint8_t>(current_), 0},
                            {Step::Rare, static_cast<uint8_t>(current_), 1}};
  return choices_->choose(options, 2) == 1;
}

void Machine::point(bool visible) {
  if (!running_) return;
  if (++steps_ > rules_.max_steps) fail("more than %u steps", rules_.max_steps);
  Rank& r = ranks_[current_];
  auto me = static_cast<uint8_t>(current_);
  Option options[3 * kMaxRanksHere];
  uint32_t n = 0;
  options[n++] = {Step::Continue, me, 0};
  if (takes_interrupts(r)) {
    if (r.interrupt_pending) {
      options[n++] = {Step::Deliver, me, 1};
    } else if (rules_.foreign_interrupts) {
      options[n++] = {Step::Foreign, me, 1};
    }
  }
  for (uint32_t i = 0; i < rules_.ranks; ++i) {
    if (!ranks_[i].stores.empty()) options[n++] = {Step::Drain, static_cast<uint8_t>(i), 1};
    if (visible && i != current_ && enabled(i)) options[n++] = {Step::Preempt, static_cast<uint8_t>(i), 1};
  }
  if (visible && (rules_.mortal >> current_ & 1) != 0 && deaths_ < rules_.deaths) options[n++] = {Step::Die, me, 1};
  if (n == 1) return;
  const Option& chosen = options[choices_->choose(options, n)];
  switch (chosen.step) {
    case Step::Preempt:
      switch_to(chosen.rank);
      break;
    case Step::Deliver:
    case Step::Foreign:
      run_handler();
      break;
    case Step::Die:
      die();
    case Step::Drain:
      drain_one(chosen.rank);
      break;
    default:
      break;
  }
}

// ---- memory -----------------------------------------------------------------

void Machine::drain_one(uint32_t rank) {
  StoreBuffer& stores = ranks_[rank].stores;
  const StoreBuffer::Entry& e = stores.oldest();
  if (tracing && running_) trace("(store of rank %u to %s becomes visible)", rank, world_->word(e.to).c_str());
  world_->check_visible(rank, e.to, e.n);
  std::memcpy(e.to, e.bytes, e.n);
  stores.pop();
}

// A store by this rank, of at most StoreBuffer::kMaxBytes.
void Machine::put(void* to, const void* from, size_t n) {
  StoreBuffer& stores = ranks_[current_].stores;
  if (shared(to) && running_ && rules_.hold_stores) {
    bool hold = !stores.empty();
    if (!hold) {
      const Option options[] = {{Step::Continue, static_cast<uint8_t>(current_), 0},
                                {Step::Hold, static_cast<uint8_t>(current_), 1}};
      hold = choices_->choose(options, 2) == 1;
      if (hold) trace("(held back)");
    }
    if (hold) {
      if (stores.full()) drain_one(current_);
      stores.push(to, from, static_cast<uint32_t>(n));
      return;
    }
  }
  std::memcpy(to, from, n);
}

uint64_t Machine::peek(const void* address, size_t bytes) const {
  uint64_t value = 0;
  look(&value, address, bytes);
  return value;
}

void Machine::look(void* to, const void* from, size_t n) const {
  std::memcpy(to, from, n);
  const StoreBuffer& stores = ranks_[current_].stores;
  if (!stores.empty()) stores.overlay(static_cast<unsigned char*>(to), from, n);
}

uint64_t Machine::load(const void* address, size_t bytes) {
  point(shared(address));
  uint64_t value = peek(address, bytes);
  if (tracing && running_)
    trace("load   %s -> %llx", world_->word(address).c_str(), static_cast<unsigned long long>(value));
  return value;
}

void Machine::store(void* address, size_t bytes, uint64_t value) {
  point(shared(address));
  if (tracing && running_)
    trace("store  %s := %llx", world_->word(address).c_str(), static_cast<unsigned long long>(value));
  Weakness weakness = weakened && running_ ? world_->weakness(address) : Weakness::None;
  if (weakness == Weakness::Lost) return;
  if (weakness == Weakness::Early) {
    std::memcpy(address, &value, bytes);
  } else {
    put(address, &value, bytes);
  }
}

// The second half of a read-modify-write.
void Machine::replace(void* address, size_t bytes, uint64_t value, Weakness weakness) {
  if (weakness == Weakness::PlainStore) {
    put(address, &value, bytes);
    return;
  }
  drain(current_);
  std::memcpy(address, &value, bytes);
}

uint64_t Machine::rmw(void* address, size_t bytes, uintr::sim::Rmw what, uint64_t operand) {
  point(shared(address));
  Weakness weakness = weakened && running_ ? world_->weakness(address) : Weakness::None;
  if (weakness != Weakness::PlainStore) drain(current_);
  uint64_t old = peek(address, bytes);
  uint64_t value = operand;
  switch (what) {
    case uintr::sim::Rmw::Exchange:
      break;
    case uintr::sim::Rmw::Add:
      value = old + operand;
      break;
    case uintr::sim::Rmw::Or:
      value = old | operand;
      break;
    case uintr::sim::Rmw::And:
      value = old & operand;
      break;
  }
  if (bytes == 4) value = static_cast<uint32_t>(value);
  if (tracing && running_) {
    trace("rmw    %s %llx -> %llx", world_->word(address).c_str(), static_cast<unsigned long long>(old),
          static_cast<unsigned long long>(value));
  }
  if (weakness == Weakness::Lost) return old;
  if (weakness == Weakness::LoadStore) point(shared(address));
  replace(address, bytes, value, weakness);
  return old;
}

bool Machine::cas(void* address, size_t bytes, uint64_t* expected, uint64_t desired) {
  point(shared(address));
  Weakness weakness = weakened && running_ ? world_->weakness(address) : Weakness::None;
  drain(current_);
  uint64_t old = peek(address, bytes);
  bool won = old == *expected;
  if (tracing && running_) {
    trace("cas    %s %llx -> %llx %s", world_->word(address).c_str(), static_cast<unsigned long long>(old),
          static_cast<unsigned long long>(desired), won ? "won" : "lost");
  }
  if (!won) {
    *expected = old;
    return false;
  }
  if (weakness == Weakness::LoadStore) point(shared(address));
  replace(address, bytes, desired, weakness);
  return true;
}

void Machine::copy(void* to, const void* from, size_t n) {
  if (!shared(to) && !shared(from)) {
    std::memcpy(to, from, n);
    return;
  }
  point(true);
  if (tracing && running_) trace("copy   %zu bytes %s <- %s", n, world_->word(to).c_str(), world_->word(from).c_str());
  if (n <= StoreBuffer::kMaxBytes) {
    unsigned char bytes[StoreBuffer::kMaxBytes];
    world_->check_read(current_, from, n);
    look(bytes, from, n);
    world_->check_write(current_, to, n);
    put(to, bytes, n);
    return;
  }
  // In two halves, so that whatever happens can happen in the middle.
  size_t half = n / 2;
  for (size_t at = 0; at < n; at = half, half = n) {
    if (at != 0) point(true);
    drain(current_);
    size_t piece = half - at;
    world_->check_read(current_, static_cast<const unsigned char*>(from) + at, piece);
    world_->check_write(current_, static_cast<unsigned char*>(to) + at, piece);
    std::memcpy(static_cast<unsigned char*>(to) + at, static_cast<const unsigned char*>(from) + at, piece);
  }
}

}  // namespace simulator

// ---- the hooks of engine/shared.h -------------------------------------------

namespace uintr::sim {
using simulator::the_machine;
uint64_t load(const void* address, size_t bytes, int) { return the_machine->load(address, bytes); }
void store(void* address, size_t bytes, uint64_t value, int) { the_machine->store(address, bytes, value); }
uint64_t rmw(void* address, size_t bytes, Rmw what, uint64_t operand) {
  return the_machine->rmw(address, bytes, what, operand);
}
bool cas(void* address, size_t bytes, uint64_t* expected, uint64_t desired) {
  return the_machine->cas(address, bytes, expected, desired);
}
void copy(void* to, const void* from, size_t n) { the_machine->copy(to, from, n); }
bool same(const void* a, const void* b, size_t n) {
  std::vector<unsigned char> seen(2 * n);
  the_machine->look(seen.data(), a, n);
  the_machine->look(seen.data() + n, b, n);
  return std::memcmp(seen.data(), seen.data() + n, n) == 0;
}
void interruptible() { the_machine->interruptible(); }
long process_vm(bool read, int32_t pid, void* local, uint64_t remote, uint64_t n) {
  return the_machine->world()->process_vm(read, pid, local, remote, n);
}
}  // namespace uintr::sim
