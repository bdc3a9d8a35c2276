// What a sender makes of a descriptor that is said to be a doorbell's, and of a page that is written to meanwhile: it
// rings nobody but the thread that the page named when it was opened, and leaves nothing. The only thread that an input
// can name is one of this process, for it does not know when another one began; the kernel tells if any other is rung.
// sources: src-native/bootstrap/error.cc src-native/bootstrap/memfd.cc
// sources: src-native/drivers/disposition.cc src-native/drivers/signal_name.cc
// sources: src-native/drivers/vectors.cc src-native/drivers/uintr_abi.cc src-native/drivers/uintr_probe.cc
// sources: src-native/drivers/uintr_senders.cc src-native/drivers/uintr_thread.cc src-native/drivers/doorbell_sender.cc
// sources: src-native/drivers/uintr_entry_handler.S src-native/drivers/dispatch_handler.cc
// sources: src-native/drivers/restartable.cc src-native/drivers/restartable_handler.cc
// sources: src-native/drivers/rseq_add_handler.S test/native/bootstrap/symbol_dl.cc
// sources: test/native/bootstrap/engine_stub.cc
#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <fstream>
#include <thread>

#include "bootstrap/memfd.h"
#include "bootstrap/namespace.h"
#include "drivers/doorbell_sender.h"
#include "drivers/driver.h"
#include "drivers/start_time.h"
#include "input.h"
#include "must.h"
#include "only_self.h"

using namespace uintr;
using fuzz::Input;

namespace {

constexpr uint32_t kSends = 20;

DoorbellIdentity honest() {
  const auto self = static_cast<int32_t>(syscall(SYS_gettid));
  static const uint64_t began = thread_start_time(getpid(), self);
  static const uint64_t name_space = pid_namespace();
  DoorbellIdentity identity{};
  identity.magic = kDoorbellMagic;
  identity.version = kDoorbellVersion;
  identity.vector = 7;
  identity.pid = getpid();
  identity.tid = self;
  identity.signal_number = SIGURG;
  identity.start_time = began;
  identity.pid_namespace = name_space;
  return identity;
}

// Bytes of the page that are written again and again, by another thread while a sender works, as any of its holders may.
class Meanwhile {
 public:
  Meanwhile() : thread_([this] { run(); }) { thread_.detach(); }

  void begin(Input& in, unsigned char* page) {
    count_ = in.pick(4);
    for (uint32_t i = 0; i < count_; ++i) {
      // Mostly where the identity and the UPID are.
      changes_[i].at = in.flag() ? in.byte() % sizeof(DoorbellPage) : in.byte() % sizeof(DoorbellIdentity);
      in.fill(changes_[i].bytes, 2);
    }
    page_ = page;
    if (count_ != 0) set(1);
  }
  void end() {
    if (count_ == 0) return;
    set(2);
    state_.wait(2);
  }

 private:
  void set(uint32_t state) {
    state_ = state;
    state_.notify_all();
  }
  void run() {
    for (uint32_t turn = 0;; ++turn) {
      state_.wait(0);
      for (uint32_t i = 0; i < count_; ++i)
        __atomic_store_n(page_ + changes_[i].at, changes_[i].bytes[turn & 1], __ATOMIC_RELAXED);
      if (state_ == 2) set(0);
    }
  }

  struct Change {
    uint32_t at;
    unsigned char bytes[2];
  } changes_[4];
  uint32_t count_ = 0;
  unsigned char* page_ = nullptr;
  std::atomic<uint32_t> state_{0};  // 1: write; 2: stop
  std::thread thread_;
};

// Memory as a receiver makes it, or nearly.
Fd memory(Input& in, unsigned char** page) {
  const uint8_t how = in.byte();
  const uint64_t bytes = (how & 3) == 1 ? 0 : (how & 3) == 2 ? 100 + in.byte() : kDoorbellBytes << (how >> 7);
  Fd fd(memfd_create("fuzzed", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  MUST(fd && ftruncate(fd.get(), static_cast<off_t>(bytes)) == 0);
  if (bytes != 0) {
    void* at = mmap(nullptr, kDoorbellBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    MUST(at != MAP_FAILED);
    *page = static_cast<unsigned char*>(at);
  }
  static constexpr int kSeals[] = {kSizeSeals,
                                   kSizeSeals,
                                   kSizeSeals,
                                   kSizeSeals,
                                   kSizeSeals | F_SEAL_FUTURE_WRITE,
                                   F_SEAL_SHRINK | F_SEAL_GROW,
                                   F_SEAL_GROW | F_SEAL_SEAL,
                                   0};
  MUST(fcntl(fd.get(), F_ADD_SEALS, kSeals[how >> 2 & 7]) == 0);
  return fd;
}

// Any other file.
Fd other_file(Input& in) {
  int ends[2];
  switch (in.pick(6)) {
    case 0:
      return Fd(eventfd(0, EFD_CLOEXEC));
    case 1:
      return Fd(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    case 2:
      return Fd(open("/dev/zero", O_RDWR | O_CLOEXEC));
    case 3:
      return Fd(open("/proc/self/stat", O_RDONLY | O_CLOEXEC));
    case 4:
      MUST(pipe2(ends, O_CLOEXEC) == 0);
      break;
    default:
      MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  }
  close(ends[0]);
  return Fd(ends[1]);
}

int next_descriptor() {
  const Fd lowest(dup(STDERR_FILENO));
  return lowest.get();
}

// Now and then, for it takes as long as many inputs.
bool mapped_still() {
  static uint32_t inputs = 0;
  if (++inputs % 512 != 0) return false;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    if (line.find("memfd:fuzzed") != std::string::npos) return true;
  return false;
}

// What a doorbell may ask for is of no consequence here.
bool ignore_signals() {
  for (int number = 1; number <= SIGRTMAX; ++number)
    if (signal_is_usable(number)) signal(number, SIG_IGN);
  return true;
}

void ring(Input& in, int fd, unsigned char* page) {
  JoinError error;
  const auto sender = DoorbellSender::open(fd, &error);
  if (sender == nullptr) {
    MUST(error.code != nullptr && std::strncmp(error.code, "ERR_UINTR_", 10) == 0 && !error.message.empty());
    return;
  }
  MUST(page != nullptr);
  auto* bell = reinterpret_cast<DoorbellPage*>(page);
  for (uint32_t i = 0; i < kSends && !in.empty(); ++i) {
    // The receiver's answers, and what else somebody may write.
    const uint8_t how = in.byte();
    if ((how & 1) != 0) bell->upid.status.exchange_sc(how >> 4);
    if ((how & 2) != 0) page[in.byte()] = in.byte();
    if ((how & 4) != 0) bell->closed.release(how >> 4);
    sender->send();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static auto* meanwhile = new Meanwhile;
  static const bool prepared = ignore_signals() && fuzz::signal_only_self();
  MUST(prepared);
  Input in(data, size);
  const int first = next_descriptor();
  {
    unsigned char* page = nullptr;
    const uint8_t how = in.byte();
    const Fd file = (how & 15) == 15 ? other_file(in) : memory(in, &page);
    if (page != nullptr) {
      const DoorbellIdentity identity = honest();
      std::memcpy(page, &identity, sizeof identity);
      for (uint32_t n = how >> 4 & 3; n != 0; --n) {
        const uint32_t at = in.byte() % sizeof(DoorbellPage);
        unsigned char word[8] = {};
        const size_t length = 1u << in.pick(4);
        in.fill(word, length);
        std::memcpy(page + at, word, length);
      }
      meanwhile->begin(in, page);
    }
    ring(in, (how & 15) == 14 ? static_cast<int>(in()) : file.get(), page);
    if (page != nullptr) {
      meanwhile->end();
      munmap(page, kDoorbellBytes);
    }
  }
  MUST(next_descriptor() == first && !mapped_still());
  return 0;
}
