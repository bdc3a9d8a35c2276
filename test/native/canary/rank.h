// A rank with an engine and a driver as the addon sets them up, on the calling thread.
#pragma once

#include <sys/mman.h>
#include <sys/syscall.h>

#include "../bootstrap/tools.h"
#include "drivers/driver.h"

namespace canary {

using namespace uintr;

class Rank {
 public:
  Rank(DriverOptions::Choice choice, uint32_t copy_kinds, uint32_t size, int hub_fd) {
    JoinError error;
    driver_ = Driver::prepare({choice, "SIGURG"}, &error);
    CHECK_OK(driver_ != nullptr, error);
    JoinRequest request = test::request(size, hub_fd);
    request.tid = static_cast<int32_t>(syscall(SYS_gettid));
    request.driver = driver_->identity();
    request.vector_fd = driver_->vector_fd();
    request.copy_kinds = copy_kinds;
    CHECK_OK(join(request, &joined_, &error), error);
    driver_->create(joined_.get());
    memory_bytes_ = Engine::private_bytes(request.geometry);
    memory_ = mmap(nullptr, memory_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(memory_ != MAP_FAILED);
    Setup setup{};
    setup.geometry = request.geometry;
    setup.rank = rank = joined_->rank;
    setup.slice_bytes = 1;  // one chunk in each run
    setup.interrupts = driver_->interrupts();
    setup.interrupt_wakes = driver_->interrupt_wakes();
    setup.world = joined_->world.base();
    setup.peers = joined_->maps.data();
    setup.ports = driver_->ports();
    engine = Engine::create(memory_, setup);
    driver_->attach(engine);
  }
  // Before the other rank's buffers go: no handler of this thread touches them any more.
  void detach() { driver_->detach(); }
  ~Rank() {
    driver_.reset();
    munmap(memory_, memory_bytes_);
  }

  Counters counters() const {
    Counters c;
    engine->counters(&c);
    return c;
  }

  Engine* engine = nullptr;
  uint32_t rank = 0;

 private:
  std::unique_ptr<Driver> driver_;
  std::unique_ptr<Joined> joined_;
  void* memory_ = nullptr;
  uint64_t memory_bytes_ = 0;
};

}  // namespace canary
