// Regions: found by their handles and by nothing else, objects found or made by name, whoever asks at the same time, and
// garbage in the memory, which leads nowhere.
// sources: src-native/sync/region.cc src-native/sync/per_cpu.cc src-native/bootstrap/memfd.cc src-native/bootstrap/error.cc
// sources: src-native/drivers/restartable.cc src-native/drivers/restartable_handler.cc
// sources: src-native/drivers/rseq_add_handler.S test/native/bootstrap/symbol_dl.cc
#include "sync/region.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <barrier>
#include <random>
#include <set>
#include <thread>

#include "bootstrap/memfd.h"
#include "check.h"
#include "children.h"
#include "sync/per_cpu.h"

using namespace uintr;
using namespace uintr::sync;

namespace {

constexpr Kind kKinds[] = {Kind::Mutex,         Kind::AdaptiveMutex, Kind::SpinLock,  Kind::TicketLock,
                           Kind::AtomicCounter, Kind::PerCpuCounter, Kind::Completion};
constexpr uint64_t kPage = 4096;
constexpr uint32_t kHeaderLines = sizeof(RegionHeader) / kLine, kOwnLines = sizeof(ObjectHeader) / kLine;

std::shared_ptr<Region> create(uint64_t bytes = 65536) {
  JoinError error;
  auto region = Region::create(bytes, &error);
  if (region == nullptr) check::fail(__FILE__, __LINE__, error.message);
  return region;
}

// The text of the failure, "" if there was none; both are said.
template <class Call>
std::string failure(Call call) {
  JoinError error;
  if (call(&error)) return "";
  CHECK(!error.message.empty() && std::strncmp(error.code, "ERR_UINTR_", 10) == 0);
  return std::string(error.code) + ": " + error.message;
}
#define CHECK_FAILS(call, text)                                                                               \
  do {                                                                                                        \
    const std::string got = failure([&]([[maybe_unused]] JoinError* error) { return static_cast<bool>(call); }); \
    ::check::count.fetch_add(1);                                                                              \
    if (got.find(text) == std::string::npos) ::check::fail(__FILE__, __LINE__, #call " says '" + got + "'");    \
  } while (false)

int descriptors() {
  int count = 0;
  for (int fd = 0; fd < 256; ++fd) count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

// A memory of the given make, as somebody else's.
Fd memory(uint64_t bytes, int seals, uint64_t identity = 0, uint64_t offset = 0) {
  Fd fd(memfd_create("uintr-region", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  CHECK(fd && ftruncate(fd.get(), static_cast<off_t>(bytes)) == 0);
  if (identity != 0) CHECK(pwrite(fd.get(), &identity, 8, static_cast<off_t>(offset)) == 8);
  CHECK(fcntl(fd.get(), F_ADD_SEALS, seals) == 0);
  return fd;
}

// A region's bytes, seen besides it.
class Bytes {
 public:
  explicit Bytes(const Region& region) : bytes_(region.bytes()) {
    JoinError error;
    const Fd fd(region.duplicate(&error));
    CHECK(fd);
    void* at = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    CHECK(at != MAP_FAILED);
    at_ = static_cast<unsigned char*>(at);
  }
  ~Bytes() { munmap(at_, bytes_); }
  RegionHeader& header() const { return *reinterpret_cast<RegionHeader*>(at_); }
  ObjectHeader& object(uint32_t line) const { return *reinterpret_cast<ObjectHeader*>(at_ + uint64_t{line} * kLine); }
  uint64_t size() const { return bytes_; }
  unsigned char& operator[](uint64_t i) const { return at_[i]; }

 private:
  unsigned char* at_;
  uint64_t bytes_;
};

}  // namespace

TEST("01 a handle's text is that handle again, and no other text is one") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) {
    const Handle one{static_cast<int32_t>(1 + random() % 4194304), static_cast<int>(random() % 1048576),
                     random() % (uint64_t{1} << 40) / kPage * kPage, random() | 1};
    Handle other{};
    CHECK(Handle::parse(one.text(), &other));
    CHECK(one.pid == other.pid && one.fd == other.fd && one.offset == other.offset && one.identity == other.identity);
    // Every text with one character more, less, or another, is refused, or is the text of what it was taken for.
    std::string text = one.text();
    const size_t at = random() % text.size();
    const char c = " +-0x19afA:\0\n"[random() % 13];
    switch (random() % 3) {
      case 0:
        text[at] = c;
        break;
      case 1:
        text.insert(at, 1, c);
        break;
      default:
        text.erase(at, 1);
    }
    if (Handle::parse(text, &other)) CHECK_EQ(other.text(), text);
  }
  for (const char* text :
       {"", "uintr", "uintr:", "uintr:1:2:0", "uintr:1:2:0:", "uintr:1:2:0:0000000000000000", "uintr:0:2:0:0000000000000001",
        "uintr:-1:2:0:0000000000000001", "uintr:1:-2:0:0000000000000001", "uintr:1:2:1:0000000000000001",
        "uintr: 1:2:0:0000000000000001", "uintr:+1:2:0:0000000000000001", "uintr:1:2:0x1000:0000000000000001",
        "uintr:1:2:-1000:0000000000000001", "uintr:1:2:0:1", "uintr:1:2:0:0x00000000000001", "uintr:01:2:0:0000000000000001",
        "uintr:1:2:0:00000000000000011", "uintr:1:2:0:0000000000000001 ", " uintr:1:2:0:0000000000000001",
        "UINTR:1:2:0:0000000000000001", "uintr:1:2:0:000000000000000A", "uintr:99999999999:2:0:0000000000000001"}) {
    Handle handle{};
    if (Handle::parse(text, &handle)) check::fail(__FILE__, __LINE__, std::string("taken for a handle: ") + text);
  }
  Handle handle{};
  CHECK(!Handle::parse(std::string("uintr:1:2:0:0000000000000001\0", 29), &handle));
}

TEST("02 a handle leads to its region, from this process and from another, and keeps nothing open") {
  const int before = descriptors();
  {
    auto region = create(10000);
    CHECK_EQ(region->bytes(), 12288u);
    Handle handle{};
    CHECK(Handle::parse(region->handle().text(), &handle));
    JoinError error;
    auto again = Region::open(handle, &error);
    CHECK(again != nullptr && again->identity() == region->identity() && again->bytes() == region->bytes());
    ObjectHeader* object = region->find_or_make(Kind::AtomicCounter, "n", &error);
    const uint32_t line = region->line_of(object);
    test::ended_well(test::child([&] {
      auto its = Region::open(handle, &error);
      CHECK(its != nullptr && its->at(line, Kind::AtomicCounter) != nullptr && its->at(line, Kind::Mutex) == nullptr);
      // By a handle of its own, which is another one.
      CHECK(its->handle().text() != handle.text());
      CHECK(Region::open(its->handle(), &error)->identity() == handle.identity);
      // And by a descriptor that it has got.
      const Fd fd(its->duplicate(&error));
      CHECK(fd && (fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
      its.reset();
      CHECK(Region::open(fd.get(), &error)->identity() == handle.identity);
      CHECK(fcntl(fd.get(), F_GETFD) >= 0);  // stays the caller's
    }));
    CHECK(Region::look_for(handle, &error) == Region::Presence::Here);
  }
  CHECK_EQ(descriptors(), before);
}

TEST("03 a handle whose process or region has gone leads nowhere") {
  const test::Gate gate;
  Handle* handle = static_cast<Handle*>(
      mmap(nullptr, sizeof(Handle), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  const pid_t child = test::child([&] {
    auto region = create();
    *handle = region->handle();
    gate.open();
    pause();
  });
  gate.pass();
  CHECK_FAILS(Region::open(*handle, error), "");
  kill(child, SIGKILL);
  test::was_killed(child, SIGKILL);
  CHECK_FAILS(Region::open(*handle, error), "/proc/" + std::to_string(handle->pid));
  {
    JoinError error;
    CHECK(Region::look_for(*handle, &error) == Region::Presence::Gone);
  }
  munmap(handle, sizeof(Handle));

  auto region = create();
  const Handle old = region->handle();
  region.reset();
  CHECK_FAILS(Region::open(old, error), "it is not there");
  // Its descriptor is another region's by now, or another file's.
  auto other = create();
  CHECK_EQ(other->handle().fd, old.fd);
  CHECK_FAILS(Region::open(old, error), "the region is gone");
  {
    JoinError error;
    CHECK(Region::look_for(old, &error) == Region::Presence::Gone);
  }
  other.reset();
  const Fd file(open("/dev/null", O_RDWR | O_CLOEXEC));
  CHECK_EQ(file.get(), old.fd);
  CHECK_FAILS(Region::open(old, error), "is no region: it is /dev/null");
}

TEST("04 no other file is opened, nor waited for") {
  char directory[] = "/tmp/uintr-region-XXXXXX";
  CHECK(mkdtemp(directory) != nullptr);
  const std::string fifo = std::string(directory) + "/memfd:fifo";
  CHECK(mkfifo(fifo.c_str(), 0600) == 0);
  int ends[2], sockets[2];
  CHECK(pipe2(ends, O_CLOEXEC) == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
  const Fd all[] = {Fd(open(fifo.c_str(), O_RDWR | O_CLOEXEC)), Fd(ends[0]), Fd(ends[1]), Fd(sockets[0]), Fd(sockets[1]),
                    Fd(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)), Fd(eventfd(0, EFD_CLOEXEC)),
                    Fd(open("/dev/zero", O_RDWR | O_CLOEXEC)), Fd(open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
                    Fd(open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600))};
  for (const Fd& fd : all) {
    CHECK_FAILS(Region::open(fd.get(), error), "is no region: it is ");
    CHECK_FAILS(Region::inside(fd.get(), 0, kPage, error), "is no region: it is ");
  }
  CHECK_FAILS(Region::open(-1, error), "it is not there");
  CHECK_FAILS(Region::open(1000000, error), "it is not there");
  unlink(fifo.c_str());
  rmdir(directory);
}

TEST("05 a memory is a region only if it has its seals, its size and an identity, and it is not changed otherwise") {
  constexpr uint64_t kIdentity = 77;
  const auto unchanged = [](const Fd& fd, uint64_t bytes) {
    std::vector<unsigned char> all(bytes);
    CHECK(pread(fd.get(), all.data(), bytes, 0) == static_cast<ssize_t>(bytes));
    for (uint64_t i = 8; i < bytes; ++i) CHECK(all[i] == 0);
  };
  const auto refused = [&](uint64_t bytes, int seals, uint64_t identity, const char* text) {
    const Fd fd = memory(bytes, seals, identity);
    CHECK_FAILS(Region::open(fd.get(), error), text);
    unchanged(fd, bytes);
  };
  refused(2 * kPage, 0, kIdentity, "lacks seals");
  refused(2 * kPage, F_SEAL_SHRINK | F_SEAL_GROW, kIdentity, "lacks seals");
  refused(2 * kPage, F_SEAL_GROW | F_SEAL_SEAL, kIdentity, "lacks seals");
  refused(2 * kPage, kSizeSeals, 0, "the region is gone");
  refused(8, kSizeSeals, kIdentity, "it is no region");
  refused(sizeof(RegionHeader) - 1, kSizeSeals, kIdentity, "it is no region");
  {
    const Fd fd = memory(kMaxRegionBytes + kPage, kSizeSeals, kIdentity);
    CHECK_FAILS(Region::open(fd.get(), error), "it is no region");
  }
  JoinError error;
  // As small as can be, and no multiple of a page.
  const Fd smallest = memory(sizeof(RegionHeader), kSizeSeals, kIdentity);
  auto region = Region::open(smallest.get(), &error);
  CHECK(region != nullptr && region->identity() == kIdentity);
  CHECK_FAILS(region->find_or_make(Kind::Mutex, "", error), "has no room");
  const Handle other{getpid(), smallest.get(), 0, kIdentity + 1};
  CHECK_FAILS(Region::open(other, error), "the region is gone");
}

TEST("06 a region's size has limits, and a failure names them") {
  for (const uint64_t bytes : {uint64_t{0}, kMaxRegionBytes + 1, ~uint64_t{0}, ~uint64_t{0} - 5000}) {
    CHECK_FAILS(Region::create(bytes, error), std::to_string(kMaxRegionBytes));
  }
  CHECK_EQ(create(1)->bytes(), kPage);
}

TEST("07 a region inside of a larger memory is its last part, and nothing before it is touched") {
  constexpr uint64_t kOffset = 3 * kPage, kBytes = 5 * kPage;
  const Fd fd = memory(kOffset + kBytes, kSizeSeals);
  JoinError error;
  auto region = Region::inside(fd.get(), kOffset, kBytes, &error);
  CHECK(region != nullptr && region->bytes() == kBytes && region->identity() != 0);
  ObjectHeader* object = region->find_or_make(Kind::TicketLock, "one", &error);
  auto again = Region::open(region->handle(), &error);
  CHECK(again != nullptr && again->bytes() == kBytes);
  CHECK(again->at(region->line_of(object), Kind::TicketLock) != nullptr);
  // Who is there first names it.
  CHECK(Region::inside(fd.get(), kOffset, kBytes, &error)->identity() == region->identity());
  unsigned char before[kOffset];
  CHECK(pread(fd.get(), before, kOffset, 0) == static_cast<ssize_t>(kOffset));
  for (const unsigned char one : before) CHECK(one == 0);
  const Handle elsewhere{getpid(), fd.get(), kPage, region->identity()};
  CHECK_FAILS(Region::open(elsewhere, error), "the region is gone");
  const Handle beyond{getpid(), fd.get(), kOffset + kBytes, region->identity()};
  CHECK_FAILS(Region::open(beyond, error), "it is no region");
  CHECK_FAILS(Region::inside(fd.get(), kOffset, kBytes + kPage, error), "");
  CHECK_FAILS(Region::inside(fd.get(), kOffset, 0, error), std::to_string(kMaxRegionBytes));
}

TEST("08 a name is one object's, of one kind, and of 64 bytes at most") {
  auto region = create();
  JoinError error;
  std::set<uint32_t> lines;
  for (const Kind kind : kKinds) {
    const std::string name = name_of(kind);
    ObjectHeader* made = region->find_or_make(kind, name, &error);
    CHECK(made != nullptr && region->find_or_make(kind, name, &error) == made);
    CHECK(region->at(region->line_of(made), kind) == made);
    CHECK_EQ(region->lines_at(made), lines_of(kind));
    CHECK(lines.insert(region->line_of(made)).second);
    for (const Kind other : kKinds) {
      if (other != kind) CHECK_FAILS(region->find_or_make(other, name, error), "'name' must be that of a ");
    }
    // Without a name it is always a new one.
    ObjectHeader* nameless = region->find_or_make(kind, "", &error);
    CHECK(nameless != nullptr && nameless != made);
    CHECK(lines.insert(region->line_of(nameless)).second);
  }
  const std::string longest(kNameBytes, 'n');
  ObjectHeader* made = region->find_or_make(Kind::Mutex, longest, &error);
  CHECK(made != nullptr && region->find_or_make(Kind::Mutex, longest, &error) == made);
  CHECK(region->find_or_make(Kind::Mutex, longest.substr(1), &error) != made);
  CHECK_FAILS(region->find_or_make(Kind::Mutex, longest + "n", error), "'name' must have at most 64 bytes");
  CHECK_FAILS(region->find_or_make(Kind::Mutex, std::string(1000, 'n'), error), "'name' must have at most 64 bytes");
  // Zeros in it count.
  CHECK(region->find_or_make(Kind::Mutex, std::string("a\0b", 3), &error) !=
        region->find_or_make(Kind::Mutex, std::string("a\0c", 3), &error));
}

TEST("09 a region that is full says so, and still finds what it has") {
  auto region = create(kPage);
  JoinError error;
  ObjectHeader* first = region->find_or_make(Kind::Mutex, "first", &error);
  const uint32_t each = kOwnLines + lines_of(Kind::Mutex);
  for (uint32_t lines = kHeaderLines + 2 * each; lines <= kPage / kLine; lines += each) {
    CHECK(region->find_or_make(Kind::Mutex, "", &error) != nullptr);
  }
  CHECK_FAILS(region->find_or_make(Kind::Mutex, "", error), "ERR_UINTR_NO_MEMORY: the region of 4096 bytes has no room");
  CHECK_FAILS(region->find_or_make(Kind::Mutex, "second", error), "has no room");
  CHECK(region->find_or_make(Kind::Mutex, "first", &error) == first);
}

TEST("10 whoever asks for a name at the same time gets the same object, though there is room for no other") {
  constexpr uint32_t kThreads = 4, kProcesses = 2, kNames = 5;
  struct Found {
    std::atomic<uint32_t> ready, lines[kProcesses * kThreads][kNames];
  };
  for (uint32_t round = 0; round < 40; ++round) {
    // Room for these objects, and nothing but them.
    const uint64_t exactly = kLine * (kHeaderLines + uint64_t{kNames} * (kOwnLines + lines_of(Kind::TicketLock)));
    const Fd fd = memory((exactly + kLine - 1) / kLine * kLine, kSizeSeals, 1234);
    auto* found =
        static_cast<Found*>(mmap(nullptr, sizeof(Found), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    auto contend = [&](uint32_t me) {
      JoinError error;
      auto region = Region::open(fd.get(), &error);
      CHECK(region != nullptr);
      ++found->ready;
      while (found->ready != kProcesses * kThreads) sched_yield();
      for (uint32_t i = 0; i < kNames; ++i) {
        const uint32_t name = (i + me) % kNames;
        ObjectHeader* object = region->find_or_make(Kind::TicketLock, "name " + std::to_string(name), &error);
        if (object == nullptr) check::fail(__FILE__, __LINE__, error.message);
        found->lines[me][name] = region->line_of(object);
      }
    };
    pid_t children[kProcesses];
    for (uint32_t p = 0; p < kProcesses; ++p) {
      children[p] = test::child([&] {
        std::vector<std::thread> threads;
        for (uint32_t t = 0; t < kThreads; ++t) threads.emplace_back(contend, p * kThreads + t);
        for (std::thread& one : threads) one.join();
      });
    }
    for (const pid_t one : children) test::ended_well(one);
    std::set<uint32_t> different;
    for (uint32_t name = 0; name < kNames; ++name) {
      for (const auto& lines : found->lines) CHECK_EQ(lines[name].load(), found->lines[0][name].load());
      CHECK(different.insert(found->lines[0][name]).second);
    }
    munmap(found, sizeof(Found));
  }
}

TEST("11 who is killed while it makes objects is in nobody's way") {
  auto region = create(1 << 20);
  const Handle handle = region->handle();  // a forked child lets go of the region
  for (uint32_t round = 0; round < 30; ++round) {
    const test::Gate gate;
    const pid_t child = test::child([&] {
      JoinError error;
      auto its = Region::open(handle, &error);
      CHECK(its != nullptr);
      gate.open();
      for (uint32_t i = 0;; ++i) its->find_or_make(Kind::Mutex, std::to_string(i % 3), &error);
    });
    gate.pass();
    for (uint32_t i = 0; i < round; ++i) sched_yield();
    kill(child, SIGKILL);
    test::was_killed(child, SIGKILL);
    JoinError error;
    CHECK(region->find_or_make(Kind::SpinLock, "after " + std::to_string(round), &error) != nullptr);
  }
}

TEST("12 an object that does not lie in the region as a whole is none") {
  auto region = create(kPage);
  const Bytes bytes(*region);
  constexpr uint32_t kLines = kPage / kLine;
  for (const Kind kind : kKinds) {
    for (uint32_t line = 0; line < kLines + 2; ++line) {
      const bool there = line >= kHeaderLines && line + kOwnLines <= kLines;
      if (there) {
        bytes.object(line).kind = kind;
        bytes.object(line).lines = ~0u;
      }
      ObjectHeader* object = region->at(line, kind);
      CHECK_EQ(object != nullptr, there && line + kOwnLines + least_lines(kind) <= kLines);
      if (object != nullptr) CHECK_EQ(line + kOwnLines + region->lines_at(object), kLines);
    }
  }
}

// Whatever is in the memory, and however it changes meanwhile: each call ends, and what it gives lies in the region.
TEST("13 garbage in the memory leads nowhere") {
  std::mt19937_64 random(5);
  const auto word = [&](uint32_t lines) -> uint32_t {
    const uint32_t some[] = {0, 1, kHeaderLines, kHeaderLines + kOwnLines, lines - 1, lines, lines + 1, lines - 2,
                             ~0u, ~0u - 1, 1u << 31, static_cast<uint32_t>(random() % lines)};
    return some[random() % std::size(some)];
  };
  for (uint32_t round = 0; round < 300; ++round) {
    auto region = create((1 + random() % 4) * kPage);
    const Bytes bytes(*region);
    const auto lines = static_cast<uint32_t>(bytes.size() / kLine);
    JoinError error;
    for (int i = 0; i < 4; ++i) region->find_or_make(kKinds[random() % 7], i % 2 != 0 ? "x" : "", &error);
    if (round % 4 == 0) {
      for (uint64_t i = 8; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(random());
    }
    const auto scribble = [&] {
      const uint32_t at = kHeaderLines + static_cast<uint32_t>(random() % (lines - kHeaderLines));
      uint32_t* const words[] = {reinterpret_cast<uint32_t*>(&bytes.header().used),
                                 reinterpret_cast<uint32_t*>(&bytes.header().newest),
                                 reinterpret_cast<uint32_t*>(&bytes.object(at).kind), &bytes.object(at).lines,
                                 &bytes.object(at).next, &bytes.object(at).name_length};
      __atomic_store_n(words[random() % 6], word(lines), __ATOMIC_RELAXED);
    };
    for (int i = 0; i < 20; ++i) scribble();
    std::atomic<bool> stop{false};
    std::thread meanwhile([&] {
      while (round % 2 != 0 && !stop) scribble();
    });
    // The generator is the other thread's as long as it runs.
    std::mt19937 own(round);
    for (int i = 0; i < 50; ++i) {
      const Kind kind = kKinds[own() % 7];
      const std::string name(own() % 3 == 0 ? 0 : own() % 65, 'x');
      ObjectHeader* object = own() % 2 != 0 ? region->find_or_make(kind, name, &error)
                                            : region->at(own() % 4 == 0 ? own() : own() % (lines + 2), kind);
      if (object == nullptr) continue;
      const uint32_t line = region->line_of(object);
      CHECK(line >= kHeaderLines && line + kOwnLines + least_lines(kind) <= lines);
      CHECK(line + kOwnLines + region->lines_at(object) <= lines);
      if (kind != Kind::PerCpuCounter) continue;
      PerCpuCounter counter(&words_of<PerCpuSlot>(object), region->lines_at(object));
      counter.add(1);
      counter.sum();
    }
    stop = true;
    meanwhile.join();
  }
}

CHECK_MAIN("region")
